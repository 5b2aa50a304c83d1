/* SPDX-License-Identifier: Apache-2.0
 *
 * What the next round plays: the runs that the pending experiments need, each once, and which experiments take part
 * when the budget cannot serve all. Pure.
 */
#pragma once

#include "lab/experiment.h"

#include <stdbool.h>
#include <stddef.h>

enum { ROUND_SLOTS_MAX = 256, SCHEDULE_EXPERIMENTS_MAX = 128 };

/** One run of a round: a variant, and which of its runs (a control needs two of the baseline). */
struct slot {
    size_t cell;
    unsigned copy;
};

/** The distinct runs that `experiments` want; those with !takes_part[i] are left out, and so is whoever finds no room.
 */
size_t schedule_slots(struct slot slots[ROUND_SLOTS_MAX], bool *takes_part, struct experiment *const *experiments,
                      size_t count);

struct schedule_budget {
    const double *cost_s; /* of one run, by cell */
    double left_s;        /* INFINITY = no limit */
    double overrun_s;     /* that experiments under way may take on top, rather than end one pair short */
};

/** Chooses who of at most SCHEDULE_EXPERIMENTS_MAX takes part: all, or by value as many as reach their next look in the
 * budget, with what one confirmation takes kept back. */
void schedule_choose(bool *takes_part, struct experiment *const *experiments, size_t count,
                     const struct schedule_budget *budget);
