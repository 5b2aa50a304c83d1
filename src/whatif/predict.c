/* SPDX-License-Identifier: Apache-2.0
 *
 * A prediction keeps four doubts apart. Data: each simulation is a world of resampled runs; runs drawn from it are
 * played under the plan of now and under the changed one (common random numbers, so what both share cancels), and their
 * mean log ratio is the effect there: what a lab would find, which pairs runs of different luck. Model: what the traces
 * cannot tell makes scenarios, and the interval spans them all. Fit: each run is played again, and by as much as the
 * model misses the measured time the interval is wider. Flow: one that nobody has seen yet has costs of its own.
 */
#include "whatif/simulate.h"

#include "stats/summary.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum {
    SIMULATIONS_DEFAULT = 400,
    ITEMS_MAX = 400, /* in a played run; with more of them, filling and draining no longer matter */
    ITEMS_MIN = 64,  /* in a simulation: runs of few items are played several times */
    SCENARIOS_MAX = 12,
    SPANS_PER_LOST_MIN = 100,
};
#define COVERAGE_DEFAULT 0.90
/* Beyond these the played baseline is not the measured one: of the median run, and of every run. */
#define FIT_BIAS_MAX 0.05
#define FIT_SPREAD_MAX 0.15
/* Measured on the reference pipeline (2 to 8 downloaders, overlap, both; 4 and 10 months): a changed flow gains up to
 * 7 % less than simulated, in logarithms, because of threads, locks and busy cores; and up to 1 % more. */
#define FLOW_LOSS 0.1
#define FLOW_MARGIN 0.01
#define ROUNDING_RATIO 1e-9

struct forecast {
    struct sample *samples;
    size_t sample_count, stage_count;
    struct plan now, after;
    double outside_s;
    struct conditions scenarios[SCENARIOS_MAX]; /* the likeliest first */
    size_t scenario_count, simulation_count;
    double coverage;
    struct simulator *simulator;
    double *effects;    /* ln(time now / time after): [scenario * simulations + simulation] */
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

/** A world of resampled runs, and a run drawn from it. In half of the worlds items are large or small by nature, and
 *  keep their places; in the others they are slow by chance, and any may come anywhere. */
struct world {
    size_t *runs; /* indices of samples */
    bool in_place;
    struct service *services; /* of the drawn run */
    size_t items;
    double outside_s;
};

static enum err world_new(struct world *out, const struct forecast *forecast, struct arena *arena, struct diag *diag)
{
    out->services = ARENA_ARRAY(arena, struct service, ITEMS_MAX * forecast->stage_count);
    out->runs = ARENA_ARRAY(arena, size_t, forecast->sample_count);
    return out->services && out->runs ? ERR_OK : arena_exhausted(arena, diag);
}

static void resample(struct world *world, const struct forecast *forecast, struct rng *rng)
{
    for (size_t i = 0; i < forecast->sample_count; i++)
        world->runs[i] = (size_t)rng_below(rng, forecast->sample_count);
    world->in_place = rng_coin(rng);
}

static const struct sample *any_run(const struct world *world, const struct forecast *forecast, struct rng *rng)
{
    return &forecast->samples[world->runs[rng_below(rng, forecast->sample_count)]];
}

/** As long as one of the runs, `lead`; its items come from any of them. */
static void draw_run(struct world *world, const struct forecast *forecast, struct rng *rng)
{
    const struct sample *lead = any_run(world, forecast, rng);
    world->items = lead->items < ITEMS_MAX ? lead->items : ITEMS_MAX;
    world->outside_s = forecast->outside_s * (double)world->items / (double)lead->items;
    for (size_t i = 0; i < world->items; i++) {
        const struct sample *from = any_run(world, forecast, rng);
        size_t place = world->in_place ? i * lead->items / world->items : (size_t)rng_below(rng, from->items);
        if (place >= from->items)
            from = lead;
        memcpy(&world->services[i * forecast->stage_count], &from->services[place * forecast->stage_count],
               forecast->stage_count * sizeof *world->services);
    }
}

/** Plays the drawn run now and after; adds to the effects of simulation `at`, weighted. */
static void play_run(struct forecast *forecast, const struct world *world, size_t at, double weight)
{
    for (size_t i = 0; i < forecast->scenario_count; i++) {
        const struct conditions *scenario = &forecast->scenarios[i];
        double *critical_s = i == 0 ? forecast->critical_s : NULL;
        double now_s = simulate(forecast->simulator, &forecast->now, world->services, world->items, scenario, NULL);
        double after_s =
            simulate(forecast->simulator, &forecast->after, world->services, world->items, scenario, critical_s);
        double effect = log((now_s + world->outside_s) / (after_s + world->outside_s));
        forecast->effects[i * forecast->simulation_count + at] += weight * effect;
    }
}

static enum err play_all(struct forecast *forecast, struct rng *rng, struct arena *arena, struct diag *diag)
{
    struct world world;
    TRY(world_new(&world, forecast, arena, diag));
    size_t items = forecast->samples[0].items, plays = items < ITEMS_MIN ? (ITEMS_MIN + items - 1) / items : 1;
    for (size_t i = 0; i < forecast->simulation_count; i++) {
        resample(&world, forecast, rng);
        for (size_t play = 0; play < plays; play++) {
            draw_run(&world, forecast, rng);
            play_run(forecast, &world, i, 1 / (double)plays);
        }
    }
    return ERR_OK;
}

/** The median of the likeliest scenario inside the union of what all of them allow, in logarithms. */
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

/** The interval of the ratio, wider by what is not in the simulations. */
static struct interval widen(const struct interval *effect, const struct interval *fit, bool new_flow)
{
    double misfit = fmax(0, fmax(log(fit->high), -log(fit->low)));
    double loss = new_flow ? FLOW_MARGIN + FLOW_LOSS * fabs(effect->low) : 0;
    return (struct interval){.low = exp(effect->low - misfit - loss),
                             .mid = exp(effect->mid),
                             .high = exp(effect->high + misfit + (new_flow ? FLOW_MARGIN : 0))};
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
    struct interval effect;
    TRY(span_scenarios(&effect, forecast, arena, diag));
    out->effect = widen(&effect, &out->baseline_error, !plan_same_flow(&forecast->now, &forecast->after));
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

/* What is left of a share that rounding alone keeps from 1 is nothing. */
static double without_share(double share)
{
    return 1 - share > ROUNDING_RATIO ? 1 / (1 - share) : INFINITY;
}

struct interval whatif_bound(const struct profile *profile, size_t stage)
{
    assert(stage < profile->stage_count);
    const struct interval *share = &profile->stages[stage].share;
    return (struct interval){.low = 1, .mid = without_share(share->mid), .high = without_share(share->high)};
}
