/* SPDX-License-Identifier: Apache-2.0
 *
 * Is the clock fit to measure with? The test of PostgreSQL's pg_test_timing: read it over and over, look at the steps.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct timing {
    uint64_t readings, backwards;
    double cost_ns;    /* of one reading, mean */
    double fast_ratio; /* of the readings that took less than 1 us */
    bool stuck;        /* it did not move on */
};

/** Reads the clock for about `for_ns` of its own time. */
void timing_measure(struct timing *out, uint64_t (*read_ns)(void), uint64_t for_ns);
