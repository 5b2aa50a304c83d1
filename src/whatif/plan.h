/* SPDX-License-Identifier: Apache-2.0
 *
 * Who does what in a pipeline: crews of workers take items through stages, in flow order. Stages next to each other
 * that share a crew are a group, and a worker takes an item through the whole group; between groups stands a queue. One
 * crew for all stages is the serial pipeline, a crew a stage the overlapped one, a crew of several a thread pool.
 */
#pragma once

#include "whatif/piece.h"
#include "whatif/whatif.h"

struct plan {
    size_t stage_count;
    size_t *crew;         /* of each stage; crews are numbered below stage_count */
    unsigned *workers;    /* of each crew, >= 1 */
    double *divisor;      /* of each stage: its service time is divided by this */
    unsigned queue_items; /* room in each queue */
};

/** The plan that the runs followed: stages share a crew when most spans of one ran on threads that ran the other; a
 *  crew has as many workers as ever had spans open at once. ERR_MEMORY only. */
CHECKED enum err plan_detect(struct plan *out, const struct pieces *runs, size_t run_count, size_t stage_count,
                             struct arena *arena, struct diag *diag);

/** `plan` with `change` made: a stage that gets workers leaves its crew, the rest stay together; with overlap each
 *  stage gets a crew as large as the one it leaves. ERR_MEMORY only. */
CHECKED enum err plan_change(struct plan *out, const struct plan *plan, const struct change *change,
                             struct arena *arena, struct diag *diag);

/** Whether the same crews do the same stages, however fast. */
bool plan_same_flow(const struct plan *plan, const struct plan *other);

/** Whether some crew has more than one worker, so that items may overtake each other. */
bool plan_may_overtake(const struct plan *plan);
