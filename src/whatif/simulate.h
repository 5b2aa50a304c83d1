/* SPDX-License-Identifier: Apache-2.0
 *
 * Plays items through a plan, event by event, and says how long it takes.
 *
 * What it leaves out, on purpose: within a span waiting comes before running; running spans share the cores evenly when
 * there are more of them than cores; only spans of one stage share what they wait for; an item moves on as a whole, so
 * streaming inside an item is not seen; starting a worker or passing a queue costs nothing.
 */
#pragma once

#include "whatif/plan.h"
#include "whatif/sample.h"

/** How the world behaves where the traces do not tell. */
struct conditions {
    double sharing;    /* of waiting: see whatif_options */
    bool in_order;     /* queues hand out items in the order of the first stage, not in that of arrival */
    bool unknown_runs; /* time of unknown kind is running, not waiting */
    unsigned cores;    /* 0 = unbounded */
};

struct simulator;

/** Room to play up to `items` items; owned by `arena`. */
CHECKED enum err simulator_new(struct simulator **out, size_t stage_count, size_t items, struct arena *arena,
                               struct diag *diag);

/** Seconds until the last of `items` > 0 items is through. `services` as in struct sample. Adds to `critical_s` of each
 *  stage, unless NULL, what it spent on the critical path: the parts add up to the result. */
double simulate(struct simulator *simulator, const struct plan *plan, const struct service *services, size_t items,
                const struct conditions *conditions, double *critical_s);
