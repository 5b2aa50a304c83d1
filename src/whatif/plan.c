/* SPDX-License-Identifier: Apache-2.0 */
#include "whatif/plan.h"

#include <string.h>

enum { QUEUE_ITEMS_DEFAULT = 2 };

static enum err plan_new(struct plan *out, size_t stage_count, struct arena *arena, struct diag *diag)
{
    *out = (struct plan){.stage_count = stage_count,
                         .crew = ARENA_ARRAY(arena, size_t, stage_count),
                         .workers = ARENA_ARRAY(arena, unsigned, stage_count),
                         .divisor = ARENA_ARRAY(arena, double, stage_count),
                         .queue_items = QUEUE_ITEMS_DEFAULT};
    if (!out->crew || !out->workers || !out->divisor)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < stage_count; i++) {
        out->crew[i] = i;
        out->workers[i] = 1;
        out->divisor[i] = 1;
    }
    return ERR_OK;
}

/** Adds to shared[stage * stages + other] the spans of `stage` that ran on a worker which also ran `other`. */
static enum err count_shared(size_t *shared, const struct pieces *run, size_t stage_count, struct arena *arena,
                             struct diag *diag)
{
    bool *ran = ARENA_ARRAY(arena, bool, run->workers *stage_count);
    if (!ran)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < run->count; i++)
        ran[run->at[i].worker * stage_count + run->at[i].stage] = true;
    for (size_t i = 0; i < run->count; i++) {
        const bool *worker = ran + run->at[i].worker * stage_count;
        for (size_t other = 0; other < stage_count; other++)
            shared[run->at[i].stage * stage_count + other] += worker[other];
    }
    return ERR_OK;
}

/** The earliest stage with which most spans of `stage` share a worker; itself if there is none. */
static size_t first_sharer(const size_t *shared, size_t stage, size_t stage_count)
{
    size_t spans = shared[stage * stage_count + stage], other = 0;
    while (other < stage && 2 * shared[stage * stage_count + other] <= spans)
        other++;
    return other;
}

static enum err count_workers(struct plan *plan, const struct pieces *run, struct arena *arena, struct diag *diag)
{
    unsigned *open = ARENA_ARRAY(arena, unsigned, plan->stage_count);
    if (!open)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < 2 * run->count; i++) {
        const struct piece *piece = &run->at[run->edges[i].piece];
        size_t crew = plan->crew[piece->stage];
        if (piece->nested)
            continue;
        open[crew] += run->edges[i].opens ? 1 : -1U;
        if (open[crew] > plan->workers[crew])
            plan->workers[crew] = open[crew];
    }
    return ERR_OK;
}

enum err plan_detect(struct plan *out, const struct pieces *runs, size_t run_count, size_t stage_count,
                     struct arena *arena, struct diag *diag)
{
    size_t *shared = ARENA_ARRAY(arena, size_t, stage_count * stage_count);
    if (!shared)
        return arena_exhausted(arena, diag);
    TRY(plan_new(out, stage_count, arena, diag));
    for (size_t i = 0; i < run_count; i++)
        TRY(count_shared(shared, &runs[i], stage_count, arena, diag));
    for (size_t stage = 0; stage < stage_count; stage++)
        out->crew[stage] = out->crew[first_sharer(shared, stage, stage_count)];
    for (size_t i = 0; i < run_count; i++)
        TRY(count_workers(out, &runs[i], arena, diag));
    return ERR_OK;
}

static size_t crew_stages(const struct plan *plan, size_t crew)
{
    size_t stages = 0;
    for (size_t stage = 0; stage < plan->stage_count; stage++)
        stages += plan->crew[stage] == crew;
    return stages;
}

/** There is one whenever two stages share a crew. */
static size_t unused_crew(const struct plan *plan)
{
    size_t crew = 0;
    while (crew_stages(plan, crew) > 0)
        crew++;
    return crew;
}

static void give_own_crew(struct plan *plan, size_t stage, unsigned workers)
{
    if (crew_stages(plan, plan->crew[stage]) > 1)
        plan->crew[stage] = unused_crew(plan);
    plan->workers[plan->crew[stage]] = workers;
}

enum err plan_change(struct plan *out, const struct plan *plan, const struct change *change, struct arena *arena,
                     struct diag *diag)
{
    TRY(plan_new(out, plan->stage_count, arena, diag));
    memcpy(out->crew, plan->crew, plan->stage_count * sizeof *plan->crew);
    memcpy(out->workers, plan->workers, plan->stage_count * sizeof *plan->workers);
    out->queue_items = change->queue_items ? change->queue_items : plan->queue_items;
    unsigned now = plan->workers[plan->crew[change->stage]];
    for (size_t stage = 0; change->overlap && stage < plan->stage_count; stage++)
        give_own_crew(out, stage, plan->workers[plan->crew[stage]]);
    if (change->workers && change->workers != now)
        give_own_crew(out, change->stage, change->workers);
    if (change->speedup > 0)
        out->divisor[change->stage] = change->speedup;
    return ERR_OK;
}

bool plan_same_flow(const struct plan *plan, const struct plan *other)
{
    for (size_t stage = 0; stage < plan->stage_count; stage++) {
        size_t crew = plan->crew[stage];
        if (other->crew[stage] != crew || other->workers[crew] != plan->workers[crew])
            return false;
    }
    return plan->queue_items == other->queue_items;
}

bool plan_may_overtake(const struct plan *plan)
{
    for (size_t stage = 0; stage < plan->stage_count; stage++) {
        if (plan->workers[plan->crew[stage]] > 1)
            return true;
    }
    return false;
}
