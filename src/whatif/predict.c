/* SPDX-License-Identifier: Apache-2.0
 *
 * A prediction keeps three doubts apart. Data: each simulation draws its items anew, from resampled runs, and plays the
 * plan of now and the changed one with the same draws (common random numbers), so that what both share cancels. Model:
 * what the traces cannot tell makes scenarios, and the interval spans them all. Fit: each run is played again, and by
 * as much as the model misses the measured time the interval is wider.
 */
#include "whatif/simulate.h"

#include "stats/summary.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum {
    SIMULATIONS_DEFAULT = 400,
    ITEMS_MAX = 400, /* in a simulation; with more of them, filling and draining no longer matter */
    SCENARIOS_MAX = 12,
    SPANS_PER_LOST_MIN = 100,
};
#define COVERAGE_DEFAULT 0.90
/* Beyond these the played baseline is not the measured one: of the median run, and of every run. */
#define FIT_BIAS_MAX 0.05
#define FIT_SPREAD_MAX 0.15

struct forecast {
    struct sample *samples;
    size_t sample_count, stage_count;
    struct plan now, after;
    double outside_s;
    struct conditions scenarios[SCENARIOS_MAX]; /* the likeliest first */
    size_t scenario_count, simulation_count;
    double coverage;
    struct simulator *simulator;
    double *effects;    /* [scenario * simulations + simulation] */
    double *critical_s; /* of each stage after the change, summed over the simulations of the first scenario */
};

static const char *find_objection(const struct trace *const *runs, size_t run_count, const struct profile *profile,
                                  const struct change *change)
{
    size_t spans = 0;
    for (size_t i = 0; i < run_count; i++)
        spans += runs[i]->span_count;
    if (spans == 0)
        return "the baseline runs left no spans";
    if (profile->lost_spans > spans / SPANS_PER_LOST_MIN)
        return "more than one span in a hundred was lost";
    if (change->stage >= profile->stage_count)
        return "the changed stage is not in the traces";
    return change->speedup >= 0 ? NULL : "a speedup is a number above 0";
}

static enum err median_outside(double *out, const struct sample *samples, size_t count, struct arena *arena,
                               struct diag *diag)
{
    double *outside_s = ARENA_ARRAY(arena, double, count);
    if (!outside_s)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < count; i++)
        outside_s[i] = samples[i].outside_s;
    return quantile(out, outside_s, count, 0.5, arena, diag);
}

/** Fills samples, the plan of now and the outside time. Runs without a piece are left out. */
static enum err learn(struct forecast *out, const struct trace *const *runs, size_t run_count,
                      const struct profile *profile, struct arena *arena, struct diag *diag)
{
    struct pieces *pieces = ARENA_ARRAY(arena, struct pieces, run_count);
    out->samples = ARENA_ARRAY(arena, struct sample, run_count);
    if (!pieces || !out->samples)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < run_count; i++) {
        struct pieces *kept = &pieces[out->sample_count];
        TRY(pieces_collect(kept, runs[i], profile, arena, diag));
        if (kept->count == 0)
            continue;
        TRY(sample_take(&out->samples[out->sample_count++], kept, profile->stage_count, arena, diag));
    }
    if (out->sample_count == 0)
        return ERR_OK;
    out->stage_count = profile->stage_count;
    TRY(plan_detect(&out->now, pieces, out->sample_count, out->stage_count, arena, diag));
    return median_outside(&out->outside_s, out->samples, out->sample_count, arena, diag);
}

static bool any_cpu_unknown(const struct forecast *forecast)
{
    for (size_t i = 0; i < forecast->sample_count; i++) {
        const struct sample *sample = &forecast->samples[i];
        for (size_t at = 0; at < sample->items * forecast->stage_count; at++) {
            if (sample->services[at].cpu_unknown)
                return true;
        }
    }
    return false;
}

static double known_or(double value, double otherwise)
{
    return isnan(value) ? otherwise : fmax(0, value);
}

/** Every combination of what is not known; one of each where it makes no difference. */
static void list_scenarios(struct forecast *out, const struct whatif_options *options)
{
    const double sharing[] = {known_or(options->sharing.mid, 0.5), known_or(options->sharing.low, 0),
                              known_or(options->sharing.high, 1)};
    bool overtakes = plan_may_overtake(&out->now) || plan_may_overtake(&out->after);
    size_t sharings = overtakes ? sizeof sharing / sizeof sharing[0] : 1, orders = overtakes ? 2 : 1;
    size_t kinds = options->cores > 0 && any_cpu_unknown(out) ? 2 : 1;
    for (size_t i = 0; i < sharings * orders * kinds; i++)
        out->scenarios[out->scenario_count++] = (struct conditions){.sharing = sharing[i % sharings],
                                                                    .in_order = i / sharings % orders == 0,
                                                                    .unknown_runs = i / sharings / orders > 0,
                                                                    .cores = options->cores};
}

static enum err make_room(struct forecast *out, struct arena *arena, struct diag *diag)
{
    size_t items = ITEMS_MAX;
    for (size_t i = 0; i < out->sample_count; i++)
        items = out->samples[i].items > items ? out->samples[i].items : items;
    out->effects = ARENA_ARRAY(arena, double, out->scenario_count * out->simulation_count);
    out->critical_s = ARENA_ARRAY(arena, double, out->stage_count);
    if (!out->effects || !out->critical_s)
        return arena_exhausted(arena, diag);
    return simulator_new(&out->simulator, out->stage_count, items, arena, diag);
}

/** Plays each run as it was; *out: simulated over measured time: least, median and most. */
static enum err measure_fit(struct interval *out, const struct forecast *forecast, struct arena *arena,
                            struct diag *diag)
{
    double *ratios = ARENA_ARRAY(arena, double, forecast->sample_count);
    if (!ratios)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < forecast->sample_count; i++) {
        const struct sample *sample = &forecast->samples[i];
        double inside_s = simulate(forecast->simulator, &forecast->now, sample->services, sample->items,
                                   &forecast->scenarios[0], NULL);
        ratios[i] = (inside_s + forecast->outside_s) / sample->wall_s;
    }
    sort_ascending(ratios, forecast->sample_count);
    out->low = ratios[0];
    out->high = ratios[forecast->sample_count - 1];
    return quantile(&out->mid, ratios, forecast->sample_count, 0.5, arena, diag);
}

static const char *find_misfit(const struct interval *fit)
{
    if (fabs(log(fit->mid)) > FIT_BIAS_MAX)
        return "the simulated baseline does not take as long as the measured one";
    if (-log(fit->low) > FIT_SPREAD_MAX || log(fit->high) > FIT_SPREAD_MAX)
        return "the runs differ in what no span explains, so the simulated baseline is not theirs";
    return NULL;
}

/** A made-up run. Half of them keep the items in their places and mix the runs, for items that are large or small by
 *  nature; half draw the items of one run, for those that are slow by chance. */
struct draw {
    struct service *services;
    size_t items;
    size_t *runs; /* resampled: indices of samples */
    double outside_s;
};

static enum err draw_new(struct draw *out, const struct forecast *forecast, struct arena *arena, struct diag *diag)
{
    out->services = ARENA_ARRAY(arena, struct service, ITEMS_MAX * forecast->stage_count);
    out->runs = ARENA_ARRAY(arena, size_t, forecast->sample_count);
    return out->services && out->runs ? ERR_OK : arena_exhausted(arena, diag);
}

static void draw_run(struct draw *draw, const struct forecast *forecast, struct rng *rng)
{
    for (size_t i = 0; i < forecast->sample_count; i++)
        draw->runs[i] = (size_t)rng_below(rng, forecast->sample_count);
    const struct sample *lead = &forecast->samples[draw->runs[0]];
    bool in_place = rng_coin(rng);
    draw->items = lead->items < ITEMS_MAX ? lead->items : ITEMS_MAX;
    draw->outside_s = forecast->outside_s * (double)draw->items / (double)lead->items;
    for (size_t i = 0; i < draw->items; i++) {
        const struct sample *from = lead;
        size_t place = in_place ? i * lead->items / draw->items : (size_t)rng_below(rng, lead->items);
        if (in_place)
            from = &forecast->samples[draw->runs[rng_below(rng, forecast->sample_count)]];
        if (place >= from->items)
            from = lead;
        memcpy(&draw->services[i * forecast->stage_count], &from->services[place * forecast->stage_count],
               forecast->stage_count * sizeof *draw->services);
    }
}

static enum err play_all(struct forecast *forecast, struct rng *rng, struct arena *arena, struct diag *diag)
{
    struct draw draw;
    TRY(draw_new(&draw, forecast, arena, diag));
    for (size_t i = 0; i < forecast->simulation_count; i++) {
        draw_run(&draw, forecast, rng);
        for (size_t at = 0; at < forecast->scenario_count; at++) {
            const struct conditions *scenario = &forecast->scenarios[at];
            double now_s = simulate(forecast->simulator, &forecast->now, draw.services, draw.items, scenario, NULL);
            double after_s = simulate(forecast->simulator, &forecast->after, draw.services, draw.items, scenario,
                                      at == 0 ? forecast->critical_s : NULL);
            forecast->effects[at * forecast->simulation_count + i] =
                (now_s + draw.outside_s) / (after_s + draw.outside_s);
        }
    }
    return ERR_OK;
}

/** The median of the likeliest scenario inside the union of what all of them allow. */
static enum err span_scenarios(struct interval *out, const struct forecast *forecast, struct arena *arena,
                               struct diag *diag)
{
    size_t count = forecast->simulation_count;
    TRY(quantile(&out->mid, forecast->effects, count, 0.5, arena, diag));
    out->low = out->high = out->mid;
    for (size_t at = 0; at < forecast->scenario_count; at++) {
        double low, high;
        const double *effects = &forecast->effects[at * count];
        TRY(quantile(&low, effects, count, (1 - forecast->coverage) / 2, arena, diag));
        TRY(quantile(&high, effects, count, (1 + forecast->coverage) / 2, arena, diag));
        out->low = fmin(out->low, low);
        out->high = fmax(out->high, high);
    }
    return ERR_OK;
}

static void widen_by_misfit(struct interval *effect, const struct interval *fit)
{
    double factor = fmax(1, fmax(fit->high, 1 / fit->low));
    effect->low /= factor;
    effect->high *= factor;
}

static unsigned workers_of(const struct plan *plan, size_t stage)
{
    return plan->workers[plan->crew[stage]];
}

/** Whether more workers are to share what they wait for, and nothing is known of how. */
static bool rests_on_unknown_sharing(const struct forecast *forecast, size_t stage,
                                     const struct whatif_options *options)
{
    return workers_of(&forecast->after, stage) > workers_of(&forecast->now, stage) &&
           known_or(options->sharing.low, 0) <= 0 && known_or(options->sharing.high, 1) >= 1;
}

static size_t largest(const double *values, size_t count)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++) {
        if (values[i] > values[best])
            best = i;
    }
    return best;
}

static enum err predict(struct prediction *out, struct forecast *forecast, const struct change *change,
                        const struct whatif_options *options, struct rng *rng, struct arena *arena, struct diag *diag)
{
    TRY(plan_change(&forecast->after, &forecast->now, change, arena, diag));
    list_scenarios(forecast, options);
    TRY(make_room(forecast, arena, diag));
    TRY(measure_fit(&out->baseline_error, forecast, arena, diag));
    out->why_not = find_misfit(&out->baseline_error);
    if (out->why_not)
        return ERR_OK;
    TRY(play_all(forecast, rng, arena, diag));
    TRY(span_scenarios(&out->effect, forecast, arena, diag));
    widen_by_misfit(&out->effect, &out->baseline_error);
    if (rests_on_unknown_sharing(forecast, change->stage, options))
        out->effect.low = fmin(out->effect.low, 1);
    out->next_bottleneck = largest(forecast->critical_s, forecast->stage_count);
    out->may_predict = true;
    return ERR_OK;
}

enum err whatif_predict(struct prediction *out, const struct trace *const *runs, size_t run_count,
                        const struct profile *profile, const struct change *change,
                        const struct whatif_options *options, struct rng *rng, struct arena *arena, struct diag *diag)
{
    struct forecast forecast = {
        .simulation_count = options->simulations ? options->simulations : SIMULATIONS_DEFAULT,
        .coverage = options->coverage > 0 && options->coverage < 1 ? options->coverage : COVERAGE_DEFAULT,
    };
    *out = (struct prediction){.effect = {NAN, NAN, NAN},
                               .baseline_error = {NAN, NAN, NAN},
                               .next_bottleneck = profile->bottleneck,
                               .why_not = find_objection(runs, run_count, profile, change)};
    if (out->why_not)
        return ERR_OK;
    TRY(learn(&forecast, runs, run_count, profile, arena, diag));
    if (forecast.sample_count == 0) {
        out->why_not = "no span of the baseline runs took any time";
        return ERR_OK;
    }
    return predict(out, &forecast, change, options, rng, arena, diag);
}

struct interval whatif_bound(const struct profile *profile, size_t stage)
{
    assert(stage < profile->stage_count);
    const struct interval *share = &profile->stages[stage].share;
    return (struct interval){.low = 1,
                             .mid = share->mid < 1 ? 1 / (1 - share->mid) : INFINITY,
                             .high = share->high < 1 ? 1 / (1 - share->high) : INFINITY};
}
