/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/schedule.h"

#include <math.h>

static size_t find_slot(const struct slot *slots, size_t count, struct slot wanted)
{
    size_t at = 0;
    while (at < count && (slots[at].cell != wanted.cell || slots[at].copy != wanted.copy))
        at++;
    return at;
}

/* Adds what one experiment wants; *count stays when there is no room for all of it. */
static bool add_slots(struct slot *slots, size_t *count, const struct experiment *experiment)
{
    size_t used = *count;
    for (size_t arm = 0; arm < experiment->request.arm_count; arm++) {
        struct slot wanted = {.cell = experiment->arms[arm].cell, .copy = experiment->arms[arm].copy};
        if (!experiment_wants(experiment, arm) || find_slot(slots, used, wanted) < used)
            continue;
        if (used == ROUND_SLOTS_MAX)
            return false;
        slots[used++] = wanted;
    }
    *count = used;
    return true;
}

size_t schedule_slots(struct slot slots[ROUND_SLOTS_MAX], bool *takes_part, struct experiment *const *experiments,
                      size_t count)
{
    size_t used = 0;
    for (size_t i = 0; i < count; i++)
        takes_part[i] = takes_part[i] && add_slots(slots, &used, experiments[i]);
    return used;
}

/* What is worth confirming is faster than what it is compared with: the quickest arm stands for it. */
static double confirmation_pair_s(const struct experiment *experiment, const double *cost_s)
{
    double quickest_s = INFINITY;
    for (size_t arm = 1; arm < experiment->request.arm_count; arm++)
        quickest_s = fmin(quickest_s, cost_s[experiment->arms[arm].cell]);
    return cost_s[experiment->arms[0].cell] + (isfinite(quickest_s) ? quickest_s : 0);
}

/* Each slot is played as often as the most patient of its experiments needs. `last` is the one being weighed: the
 * confirmations of those above it are kept back, its own is not, or a short budget would keep the best ones out. */
static double time_to_looks(const bool *takes_part, struct experiment *const *experiments, size_t count, size_t last,
                            const double *cost_s)
{
    struct slot slots[ROUND_SLOTS_MAX];
    unsigned rounds[ROUND_SLOTS_MAX] = {0};
    size_t used = 0;
    double total_s = 0, reserve_s = 0;
    for (size_t i = 0; i < count; i++) {
        const struct experiment *experiment = experiments[i];
        if (!takes_part[i] || !add_slots(slots, &used, experiment))
            continue;
        unsigned needed = experiment_rounds_to_look(experiment);
        for (size_t arm = 0; arm < experiment->request.arm_count; arm++) {
            struct slot wanted = {.cell = experiment->arms[arm].cell, .copy = experiment->arms[arm].copy};
            size_t at = find_slot(slots, used, wanted);
            if (experiment_wants(experiment, arm) && rounds[at] < needed)
                rounds[at] = needed;
        }
        if (i != last && experiment->request.confirm && experiment->phase == PHASE_MEASURING)
            reserve_s = fmax(reserve_s, PAIRS_FIRST_LOOK * confirmation_pair_s(experiment, cost_s));
    }
    for (size_t i = 0; i < used; i++)
        total_s += rounds[i] * cost_s[slots[i].cell];
    return total_s + reserve_s;
}

/* The one with the most at stake that is not yet looked at; earlier requests first among equals. */
static size_t next_by_value(const bool *seen, struct experiment *const *experiments, size_t count)
{
    size_t best = count;
    for (size_t i = 0; i < count; i++) {
        if (!seen[i] && (best == count || experiments[i]->request.value > experiments[best]->request.value))
            best = i;
    }
    return best;
}

void schedule_choose(bool *takes_part, struct experiment *const *experiments, size_t count,
                     const struct schedule_budget *budget)
{
    bool seen[SCHEDULE_EXPERIMENTS_MAX] = {false};
    for (size_t i = 0; i < count; i++)
        takes_part[i] = false;
    for (size_t at; (at = next_by_value(seen, experiments, count)) < count;) {
        seen[at] = takes_part[at] = true;
        double limit_s = budget->left_s + (experiments[at]->rounds > 0 ? budget->overrun_s : 0);
        takes_part[at] = time_to_looks(takes_part, experiments, count, at, budget->cost_s) <= limit_s;
    }
}
