/* SPDX-License-Identifier: Apache-2.0
 *
 * Several runs of one variant become one profile. Runs are the unit of chance: each figure is one number a run, its
 * interval resamples those numbers.
 */
#include "profile/profile.h"

#include "stats/summary.h"

#include <math.h>
#include <string.h>

#define COVERAGE 0.95
#define MOSTLY (2.0 / 3.0)
enum { RUNS_TO_JUDGE = 3 };

/* What every step needs. */
struct summing {
    const struct run_profile *const *runs;
    size_t count;
    double *values; /* one number a run */
    struct rng *rng;
    struct arena *arena;
    struct diag *diag;
};

static const struct stage_profile *stage_of(const struct run_profile *run, const char *name)
{
    static const struct stage_profile absent = {.name = "", .running_s = NAN, .waiting_s = NAN};
    for (size_t i = 0; i < run->stage_count; i++)
        if (strcmp(run->stages[i].name, name) == 0)
            return &run->stages[i];
    return &absent;
}

/* Moves the measured ones of `values` to the front; returns how many there are. */
static size_t keep_measured(double *values, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (isfinite(values[i]))
            values[kept++] = values[i];
    return kept;
}

/* The median of summing->values, and its interval; NaN when nothing was measured. */
static enum err median(double *out, const struct summing *summing)
{
    size_t kept = keep_measured(summing->values, summing->count);
    *out = NAN;
    return kept == 0 ? ERR_OK : quantile(out, summing->values, kept, 0.5, summing->arena, summing->diag);
}

static enum err median_interval(struct interval *out, const struct summing *summing)
{
    size_t kept = keep_measured(summing->values, summing->count);
    *out = (struct interval){NAN, NAN, NAN};
    return kept == 0
               ? ERR_OK
               : bootstrap_median(out, summing->values, kept, COVERAGE, summing->rng, summing->arena, summing->diag);
}

static double ratio(double part, double whole)
{
    return whole > 0 ? part / whole : NAN;
}

static double share_of(const struct run_profile *run, const char *name)
{
    double critical_s = stage_of(run, name)->critical_s;
    return run->wall_s > 0 ? critical_s / run->wall_s : 0 * critical_s; /* a run without length waited for nothing */
}

static double capacity_rows_s(const struct stage_profile *stage)
{
    return stage->rows > 0 ? ratio((double)stage->rows, stage->busy_s) : NAN;
}

static enum limit_kind limit_of(double running_s, double waiting_s)
{
    double waits = ratio(waiting_s, running_s + waiting_s);
    if (isnan(waits))
        return LIMITED_UNKNOWN;
    if (waits > MOSTLY)
        return LIMITED_BY_WAITING;
    return waits < 1 - MOSTLY ? LIMITED_BY_RUNNING : LIMITED_BY_BOTH;
}

static void copy_median_run(struct stage_summary *out, const struct stage_profile *stage)
{
    out->spans = stage->spans;
    out->rows = stage->rows;
    out->bytes = stage->bytes;
    out->workers = stage->workers;
    out->p50_s = stage->p50_s;
    out->p99_s = stage->p99_s;
    out->max_s = stage->max_s;
    out->slowest_item = stage->slowest_item;
}

/* The seconds of which the summary holds the median: where they stand in a run's stage, and where they go. */
#define MEDIAN_OF(field)                                                                                               \
    {                                                                                                                  \
        offsetof(struct stage_profile, field), offsetof(struct stage_summary, field)                                   \
    }
static const struct {
    size_t from, to;
} MEDIANS[] = {MEDIAN_OF(busy_s), MEDIAN_OF(critical_s), MEDIAN_OF(running_s), MEDIAN_OF(waiting_s)};

static enum err add_medians(struct stage_summary *out, const struct summing *summing)
{
    for (size_t i = 0; i < sizeof MEDIANS / sizeof *MEDIANS; i++) {
        double middle;
        for (size_t j = 0; j < summing->count; j++)
            memcpy(&summing->values[j], (const char *)stage_of(summing->runs[j], out->name) + MEDIANS[i].from,
                   sizeof *summing->values);
        TRY(median(&middle, summing));
        memcpy((char *)out + MEDIANS[i].to, &middle, sizeof middle);
    }
    return ERR_OK;
}

static enum err summarise_stage(struct stage_summary *out, const struct summing *summing,
                                const struct run_profile *median_run)
{
    copy_median_run(out, stage_of(median_run, out->name));
    TRY(add_medians(out, summing));
    out->limited_by = limit_of(out->running_s, out->waiting_s);
    for (size_t i = 0; i < summing->count; i++) {
        const struct stage_profile *stage = stage_of(summing->runs[i], out->name);
        summing->values[i] = capacity_rows_s(stage);
        out->peak_bytes = stage->peak_bytes > out->peak_bytes ? stage->peak_bytes : out->peak_bytes;
    }
    TRY(median_interval(&out->capacity_rows_s, summing));
    for (size_t i = 0; i < summing->count; i++)
        summing->values[i] = share_of(summing->runs[i], out->name);
    return median_interval(&out->share, summing);
}

static bool has_stage(const struct profile *profile, const char *name)
{
    for (size_t i = 0; i < profile->stage_count; i++)
        if (strcmp(profile->stages[i].name, name) == 0)
            return true;
    return false;
}

/* The stages of all runs: in the flow order of the first, those that only later runs have behind them. */
static enum err add_stages(struct profile *profile, const struct summing *summing, const struct run_profile *median_run)
{
    size_t most = 0;
    for (size_t i = 0; i < summing->count; i++)
        most += summing->runs[i]->stage_count;
    profile->stages = ARENA_ARRAY(summing->arena, struct stage_summary, most);
    if (!profile->stages)
        return arena_exhausted(summing->arena, summing->diag);
    for (size_t i = 0; i < summing->count; i++) {
        for (size_t j = 0; j < summing->runs[i]->stage_count; j++) {
            const char *name = summing->runs[i]->stages[j].name;
            if (!has_stage(profile, name))
                profile->stages[profile->stage_count++].name = name;
        }
    }
    for (size_t i = 0; i < profile->stage_count; i++)
        TRY(summarise_stage(&profile->stages[i], summing, median_run));
    return ERR_OK;
}

/* The run with the median wall time; of an even number the faster of the middle two. */
static const struct run_profile *median_run(const struct summing *summing)
{
    for (size_t i = 0; i < summing->count; i++) {
        size_t faster = 0;
        for (size_t j = 0; j < summing->count; j++) {
            double mine_s = summing->runs[i]->wall_s, other_s = summing->runs[j]->wall_s;
            faster += other_s < mine_s || (j < i && other_s <= mine_s);
        }
        if (faster == (summing->count - 1) / 2)
            return summing->runs[i];
    }
    return summing->runs[0];
}

static enum err add_run_figures(struct profile *profile, const struct summing *summing)
{
    for (size_t i = 0; i < summing->count; i++) {
        uint64_t lost = summing->runs[i]->lost_spans;
        profile->lost_spans = lost > UINT64_MAX - profile->lost_spans ? UINT64_MAX : profile->lost_spans + lost;
        summing->values[i] = summing->runs[i]->wall_s;
    }
    TRY(median_interval(&profile->wall_s, summing));
    for (size_t i = 0; i < summing->count; i++) {
        const struct run_profile *run = summing->runs[i];
        summing->values[i] = run->rows > 0 ? ratio((double)run->rows, run->wall_s) : NAN;
    }
    TRY(median_interval(&profile->rows_s, summing));
    for (size_t i = 0; i < summing->count; i++)
        summing->values[i] = ratio(summing->runs[i]->outside_s, summing->runs[i]->wall_s);
    return median(&profile->outside_share, summing);
}

/* The stage with the largest share of those not in `taken`; equal ones in flow order. SIZE_MAX when there is none. */
static size_t largest(const struct profile *profile, const size_t *taken, size_t taken_count)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < profile->stage_count; i++) {
        bool free = true;
        for (size_t j = 0; j < taken_count; j++)
            free = free && taken[j] != i;
        if (free && (best == SIZE_MAX || profile->stages[i].share.mid > profile->stages[best].share.mid))
            best = i;
    }
    return best;
}

/* How much more of the run the stage `ahead` takes than `behind`, run by run. */
static enum err lead_over(struct interval *out, const struct profile *profile, size_t ahead, size_t behind,
                          const struct summing *summing)
{
    for (size_t i = 0; i < summing->count; i++)
        summing->values[i] = share_of(summing->runs[i], profile->stages[ahead].name) -
                             share_of(summing->runs[i], profile->stages[behind].name);
    return median_interval(out, summing);
}

/* Whether the critical path is known of every run. */
static bool paths_known(const struct summing *summing)
{
    for (size_t i = 0; i < summing->count; i++)
        if (isnan(summing->runs[i]->outside_s))
            return false;
    return true;
}

static enum err judge(struct profile *profile, const struct summing *summing)
{
    size_t order[3];
    struct interval second_lead = {NAN, NAN, NAN};
    profile->lead = second_lead;
    for (size_t i = 0; i < 3; i++)
        order[i] = largest(profile, order, i);
    if (profile->stage_count >= 2)
        TRY(lead_over(&profile->lead, profile, order[0], order[1], summing));
    if (profile->stage_count >= 3)
        TRY(lead_over(&second_lead, profile, order[1], order[2], summing));
    profile->bottleneck = profile->stage_count >= 1 ? order[0] : 0;
    profile->runner_up = profile->stage_count >= 2 ? order[1] : 0;
    if (summing->count < RUNS_TO_JUDGE || !paths_known(summing))
        profile->verdict = BOTTLENECK_CANNOT_TELL;
    else if (profile->stage_count == 0 || !(profile->outside_share < profile->stages[order[0]].share.mid))
        profile->verdict = BOTTLENECK_NONE;
    else if (profile->stage_count == 1 || profile->lead.low > 0)
        profile->verdict = BOTTLENECK_NAMED;
    else if (profile->stage_count == 2 || second_lead.low > 0)
        profile->verdict = BOTTLENECK_TWO_CANDIDATES;
    else
        profile->verdict = BOTTLENECK_NONE;
    return ERR_OK;
}

enum err profile_summarise(struct profile **out, const struct run_profile *const *runs, size_t count, struct rng *rng,
                           struct arena *arena, struct diag *diag)
{
    struct profile *profile = ARENA_NEW(arena, struct profile);
    struct summing summing = {.runs = runs,
                              .count = count,
                              .values = ARENA_ARRAY(arena, double, count),
                              .rng = rng,
                              .arena = arena,
                              .diag = diag};
    if (!profile || !summing.values)
        return arena_exhausted(arena, diag);
    profile->runs = count;
    TRY(add_run_figures(profile, &summing));
    TRY(add_stages(profile, &summing, median_run(&summing)));
    TRY(judge(profile, &summing));
    *out = profile;
    return ERR_OK;
}

const char *bottleneck_verdict_name(enum bottleneck_verdict verdict)
{
    static const char *const names[] = {
        [BOTTLENECK_NAMED] = "named",
        [BOTTLENECK_TWO_CANDIDATES] = "two_candidates",
        [BOTTLENECK_NONE] = "none",
        [BOTTLENECK_CANNOT_TELL] = "cannot_tell",
    };
    return names[verdict];
}

const char *limit_kind_name(enum limit_kind kind)
{
    static const char *const names[] = {
        [LIMITED_BY_WAITING] = "waiting",
        [LIMITED_BY_RUNNING] = "running",
        [LIMITED_BY_BOTH] = "both",
        [LIMITED_UNKNOWN] = "unknown",
    };
    return names[kind];
}
