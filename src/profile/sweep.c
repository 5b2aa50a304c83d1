/* SPDX-License-Identifier: Apache-2.0 */
#include "profile/sweep.h"

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

enum err sweep_begin(struct sweep *out, size_t stage_count, const struct sweep_sample *samples, size_t sample_count,
                     struct arena *arena, struct diag *diag)
{
    *out = (struct sweep){.stages = ARENA_ARRAY(arena, struct sweep_stage, stage_count + 1),
                          .stage_count = stage_count,
                          .present = UINT64_MAX,
                          .stop = UINT64_MAX,
                          .samples = samples,
                          .sample_count = sample_count,
                          .arena = arena};
    if (!out->stages)
        return arena_exhausted(arena, diag);
    /* always open, and never more than ever, so that nothing comes of it */
    out->stages[stage_count] = (struct sweep_stage){.open = UINT64_MAX / 2, .open_most = UINT64_MAX};
    return ERR_OK;
}

enum err sweep_wait(struct sweep *sweep, uint64_t start, uint32_t stage, struct diag *diag)
{
    if (sweep->start_count == SWEEP_OPEN_MAX)
        return diag_fail(diag, ERR_FORMAT, NULL, NULL, "more than %d spans were open at one time", SWEEP_OPEN_MAX);
    sweep->starts =
        arena_room(sweep->arena, sweep->starts, &sweep->start_room, sweep->start_count, sizeof *sweep->starts);
    if (!sweep->starts)
        return arena_exhausted(sweep->arena, diag);
    size_t place = sweep->start_count++;
    for (; place > 0 && sweep->starts[(place - 1) / 2].at < start; place = (place - 1) / 2)
        sweep->starts[place] = sweep->starts[(place - 1) / 2];
    sweep->starts[place] = (struct waiting_start){.at = start, .stage = stage};
    sweep->stop = larger(sweep->stop, start);
    return ERR_OK;
}

/* Returns its stage. */
static uint32_t take_latest(struct sweep *sweep)
{
    struct waiting_start *starts = sweep->starts, moved = starts[--sweep->start_count];
    uint32_t latest = starts[0].stage;
    size_t place = 0, child;
    while ((child = 2 * place + 1) < sweep->start_count) {
        child += child + 1 < sweep->start_count && starts[child + 1].at > starts[child].at;
        if (starts[child].at <= moved.at)
            break;
        starts[place] = starts[child];
        place = child;
    }
    starts[place] = moved;
    return latest;
}

static inline void go_to(struct sweep *sweep, uint64_t at)
{
    sweep->overlap += sweep->busy_stages >= 2 ? sweep->present - at : 0;
    sweep->present = at;
}

/* Backwards a span closes where it began. Both of these are without a branch on the data: a stage is busy from where it
 * opens to where the last of its spans closes, and whether this is the last one nobody can guess. */
static inline void close_span(struct sweep *sweep, uint32_t number)
{
    struct sweep_stage *stage = &sweep->stages[number];
    uint64_t last = --stage->open == 0;
    stage->busy -= sweep->present & -last;
    sweep->busy_stages -= last;
}

static inline void open_span(struct sweep *sweep, uint32_t number)
{
    struct sweep_stage *stage = &sweep->stages[number];
    uint64_t open = stage->open++, first = open == 0;
    stage->busy += sweep->present & -first;
    sweep->busy_stages += first;
    if (open >= stage->open_most) {
        sweep->open_more = true;
        sweep->stop = UINT64_MAX;
    }
}

static void take_sample(struct sweep *sweep)
{
    const struct sweep_sample *sample = &sweep->samples[--sweep->sample_count];
    for (size_t i = 0; i < sweep->stage_count; i++)
        if (sweep->stages[i].open > 0)
            sweep->stages[i].peak_bytes = larger(sweep->stages[i].peak_bytes, sample->resident_bytes);
}

/* What is open at the present was open for some time. */
static void note_open(struct sweep *sweep)
{
    for (size_t i = 0; sweep->open_more && i < sweep->stage_count; i++)
        sweep->stages[i].open_most = larger(sweep->stages[i].open_most, sweep->stages[i].open);
    sweep->open_more = false;
}

/* Where the next start or sample stands; 0 when there is none, which is as good. */
static uint64_t next_stop(const struct sweep *sweep)
{
    uint64_t sample = sweep->sample_count > 0 ? sweep->samples[sweep->sample_count - 1].at : 0;
    return larger(sample, sweep->start_count > 0 ? sweep->starts[0].at : 0);
}

/* At the same moment the sample comes first: the span had begun. */
static void take_stop(struct sweep *sweep, uint64_t stop)
{
    if (sweep->sample_count > 0 && sweep->samples[sweep->sample_count - 1].at == stop) {
        take_sample(sweep);
        return;
    }
    uint32_t stage = take_latest(sweep);
    if (stop < sweep->present) {
        note_open(sweep);
        go_to(sweep, stop);
    }
    close_span(sweep, stage);
}

/* Does what is to be done between the present and `at`. */
static void catch_up(struct sweep *sweep, uint64_t at)
{
    while (sweep->start_count + sweep->sample_count > 0 && next_stop(sweep) >= at)
        take_stop(sweep, next_stop(sweep));
    if (at < sweep->present)
        note_open(sweep);
    sweep->stop = sweep->open_more ? UINT64_MAX : next_stop(sweep);
}

void sweep_over(struct sweep *out, const struct moment *moments, size_t count)
{
    struct sweep sweep = *out; /* in registers */
    for (size_t i = count; i > 0; i--) {
        const struct moment *moment = &moments[i - 1];
        uint64_t at = smaller(moment->at, sweep.present);
        if (sweep.stop >= at)
            catch_up(&sweep, at);
        go_to(&sweep, at);
        close_span(&sweep, moment->began);
        open_span(&sweep, moment->ended);
    }
    *out = sweep;
}

bool sweep_over_times(struct sweep *sweep, uint64_t begin, uint64_t end, const struct stage_time *times, size_t count)
{
    uint64_t alone = 0;
    end = smaller(end, sweep->present);
    catch_up(sweep, end);
    go_to(sweep, end);
    if (begin >= end || (sweep->start_count + sweep->sample_count > 0 && next_stop(sweep) >= begin))
        return false;
    note_open(sweep);
    sweep->stop = next_stop(sweep);
    for (size_t i = 0; i < count; i++) {
        struct sweep_stage *stage = &sweep->stages[times[i].stage];
        alone += stage->open == 0 ? times[i].ticks : 0;
        stage->busy += stage->open == 0 ? times[i].ticks : 0;
        stage->open_most = larger(stage->open_most, stage->open + 1);
    }
    if (sweep->busy_stages >= 2)
        alone = end - begin;
    sweep->overlap += sweep->busy_stages >= 1 ? alone : 0;
    sweep->present = begin;
    return true;
}

void sweep_end(struct sweep *sweep)
{
    catch_up(sweep, 0);
    go_to(sweep, 0);
}
