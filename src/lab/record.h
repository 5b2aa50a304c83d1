/* SPDX-License-Identifier: Apache-2.0
 *
 * The lab's records as JSON (docs/lab-protocol.md); each function gives a new reference, NULL when memory is out.
 */
#pragma once

#include "lab/experiment.h"
#include "lab/runner.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct run_identity {
    unsigned number, round;
    unsigned copy; /* which of the round's runs of this variant */
    size_t place;  /* in the round */
    bool warm_up, unequal;
};

/** Takes the reference to `machine` (machine_json). */
json_t *record_lab(const struct pipeline *pipeline, const char *fingerprint, uint64_t seed, bool resumed,
                   size_t cut_bytes, json_t *machine);
json_t *record_experiment(const struct experiment *experiment);
/** `experiments`: ids of those that take it; borrowed. */
json_t *record_run(const struct run_identity *identity, const struct variant *variant, const struct run_result *result,
                   json_t *experiments);
/** `experiment` as agents get it, marked as a record. */
json_t *record_verdict(const json_t *experiment);
/** Takes the reference to `disturbances`. */
json_t *record_end(size_t runs, json_t *disturbances);

/** A hash of everything in the file that decides what is run; comments and the goal do not. Returns `out`. */
const char *pipeline_fingerprint(char out[SHA256_TEXT_BYTES], const struct pipeline *pipeline);
