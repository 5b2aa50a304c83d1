/* SPDX-License-Identifier: Apache-2.0
 *
 * The possible optimisations of a pipeline: one for each knob, one more for each [[candidate]] of the file.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "pipeline/pipeline.h"

#include <stddef.h>

struct candidate {
    const char *id; /* "<stage>.<lever>", or "<stage>.<knob name>": see docs/contracts.md */
    const char *stage;
    enum lever lever;
    const char *owner;       /* the agent that asks the lab about it */
    const struct knob *knob; /* NULL for a fix that cannot be switched on from outside */
    double effort_days;
};

/** All candidates: those of the knobs in file order, then those of the file. Ids are unique in a loaded pipeline; knobs
 *  that would share one are told apart by their own names. ERR_MEMORY only. */
CHECKED enum err candidate_list(struct candidate **out, size_t *out_count, const struct pipeline *pipeline,
                                struct arena *arena, struct diag *diag);
/** The name of the agent that owns candidates of the lever. */
const char *lever_owner(enum lever lever);
