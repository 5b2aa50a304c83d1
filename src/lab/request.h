/* SPDX-License-Identifier: Apache-2.0
 *
 * A request of docs/lab-protocol.md, checked: what an agent wants to know, as the variants to run.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "pipeline/variant.h"
#include "stats/pairs.h"

#include <jansson.h>
#include <stdbool.h>

enum experiment_op { OP_COMPARE, OP_SWEEP, OP_CONTROL, OP_RUN };

enum { REQUEST_ARMS_MAX = 64, REQUEST_RUNS_MAX = 40, REQUEST_PURPOSE_BYTES = 400 };

struct request {
    enum experiment_op op;
    const struct variant *arms; /* arms[0] is what the others are compared with */
    size_t arm_count;
    unsigned runs;   /* of OP_RUN */
    unsigned rounds; /* 0 = until decided; a sweep plays exactly that many, the others at most */
    bool confirm;    /* repeat a gain on fresh runs */
    double delta;    /* the smallest effect that matters, 0.01 for 1 % */
    const char *key; /* equal requests have equal keys */
    const char *purpose;
    double value;
};

/** Reads `json`; everything is owned by `arena`. ERR_CONFIG names the field and what was expected. */
CHECKED enum err request_parse(struct request *out, const struct pipeline *pipeline, const json_t *json,
                               struct arena *arena, struct diag *diag);
const char *experiment_op_name(enum experiment_op op);
