/* SPDX-License-Identifier: Apache-2.0
 *
 * How often which duration: log-linear, 64 steps an octave, so that a quantile of any number of spans needs no sorting
 * and is off by less than 0.8 %.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { HISTOGRAM_STEP_BITS = 6, HISTOGRAM_BUCKETS = 64 << HISTOGRAM_STEP_BITS };

struct histogram {
    uint64_t counts[HISTOGRAM_BUCKETS];
};

/** The bucket of `ticks`: exponent and first mantissa bits of ticks + 1 as a double, which takes two instructions and
 *  no case for 0. */
static inline size_t histogram_bucket(uint64_t ticks)
{
    double value = (double)(int64_t)((ticks < INT64_MAX ? ticks : INT64_MAX - 1) + 1);
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (size_t)(bits >> (52 - HISTOGRAM_STEP_BITS)) - ((size_t)1023 << HISTOGRAM_STEP_BITS);
}

/** How many durations were counted. */
uint64_t histogram_count(const struct histogram *histogram);
/** The `q`-th quantile (0 to 1) of the `count` > 0 durations counted, in ticks: linear between neighbours (R type 7),
 *  each of which is taken for evenly spread over its bucket. */
double histogram_quantile(const struct histogram *histogram, uint64_t count, double q);
