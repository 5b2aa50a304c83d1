/* SPDX-License-Identifier: Apache-2.0
 *
 * Is the batch size right? Times a batch as c0 + c1 * rows from the spans of runs with different batches, gives the
 * range within 5 % of the best, and leaves the verdict on the whole pipeline to the bound or an experiment.
 */
#include "agents/agent.h"
#include "agents/baseline.h"
#include "agents/weigh.h"
#include "base/json.h"
#include "finding/say.h"
#include "stats/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS_A_BATCH = 2, POINTS_MAX = 20000 };
#define NEAR_BEST 0.95

/* The stage's spans under one batch setting. */
struct batch_arm {
    const char *value;
    long long request; /* 0 = the baseline's runs */
    double rows_s;     /* rows / busy seconds of the stage; 0 = not measured */
    uint64_t peak_bytes;
};

struct points {
    double *rows, *seconds;
    size_t count;
};

static const struct brief_candidate *batch_candidate(const struct brief *brief)
{
    for (size_t i = 0; i < brief->candidate_count; i++) {
        if (strcmp(brief->candidates[i].lever, "batch") == 0 && brief->candidates[i].knob)
            return &brief->candidates[i];
    }
    return NULL;
}

static enum err ask_runs(struct batch_arm *arm, const struct brief_knob *knob, struct agent_task *task,
                         struct diag *diag)
{
    AUTO(json_release)
    json_t *request = json_pack("{s:s, s:{s:s}, s:i, s:s, s:f}", "op", "run", "a", knob->name, arm->value, "runs",
                                RUNS_A_BATCH, "purpose", "time of a batch", "value", 1.0);
    if (!request)
        return diag_fail(diag, ERR_MEMORY, NULL, NULL, "out of memory");
    return lab_client_ask(&arm->request, task->lab, request, diag);
}

static void add_points(struct points *points, const struct baseline *runs, const char *stage)
{
    for (size_t i = 0; i < runs->run_count; i++) {
        const struct trace *trace = runs->traces[i];
        for (size_t j = 0; j < trace->span_count && points->count < POINTS_MAX; j++) {
            const struct span *span = &trace->spans[j];
            if (span->rows == 0 || strcmp(trace->stages[span->stage], stage) != 0)
                continue;
            points->rows[points->count] = (double)span->rows;
            points->seconds[points->count++] = (double)(span->end_ns - span->start_ns) * 1e-9;
        }
    }
}

static void measure_arm(struct batch_arm *arm, const struct baseline *runs, const char *stage)
{
    size_t at = profile_stage(runs->profile, stage);
    if (at == runs->profile->stage_count)
        return;
    arm->rows_s = runs->profile->stages[at].capacity_rows_s.mid;
    arm->peak_bytes = runs->profile->stages[at].peak_bytes;
}

static enum err collect_arm(struct batch_arm *arm, struct points *points, const char *stage,
                            const struct baseline *baseline, struct agent_task *task, struct diag *diag)
{
    struct baseline runs = *baseline;
    if (arm->request) {
        AUTO(json_release) json_t *experiment = NULL;
        TRY(lab_client_wait(&experiment, task->lab, arm->request, diag));
        const char *const *ids = experiment_runs(experiment, 0, task->arena);
        if (!ids || !ids[0])
            return ERR_OK; /* its runs failed or the budget ended: the arm stays "not measured" */
        TRY(baseline_read(&runs, ids, task->lab_folder, &task->rng, task->arena, diag));
    }
    measure_arm(arm, &runs, stage);
    add_points(points, &runs, stage);
    return ERR_OK;
}

static double best_rows_s(const struct batch_arm *arms, size_t count)
{
    double best = 0;
    for (size_t i = 0; i < count; i++)
        best = fmax(best, arms[i].rows_s);
    return best;
}

static void add_arm_table(struct findings *findings, const struct batch_arm *arms, size_t count, const char *current,
                          struct arena *arena)
{
    static const char *const columns[] = {
        "rows a batch", "rows/s of the stage", "of the best", "peak memory", "", NULL};
    double best = best_rows_s(arms, count);
    findings_table(findings, "Batch sizes, by the stage's own time", columns);
    for (size_t i = 0; i < count; i++) {
        const struct batch_arm *arm = &arms[i];
        bool measured = arm->rows_s > 0;
        const char *row[] = {arm->value,
                             measured ? arena_strdup(arena, say_count(arm->rows_s).text) : "not measured",
                             measured ? arena_strdup(arena, say_percent(arm->rows_s / best).text) : "",
                             arm->peak_bytes ? arena_strdup(arena, say_bytes((double)arm->peak_bytes).text)
                                             : "not seen",
                             strcmp(arm->value, current) == 0 ? "current" : "",
                             NULL};
        findings_row(findings, row);
    }
}

static void say_range(struct findings *findings, const struct batch_arm *arms, size_t count, const char *current)
{
    double best = best_rows_s(arms, count);
    const struct batch_arm *now = NULL, *smallest = NULL;
    for (size_t i = 0; i < count; i++) {
        const struct batch_arm *arm = &arms[i];
        if (strcmp(arm->value, current) == 0)
            now = arm;
        if (arm->rows_s >= NEAR_BEST * best && (!smallest || atof(arm->value) < atof(smallest->value)))
            smallest = arm;
    }
    if (!now || !(best > 0))
        return;
    findings_summary(findings, "the current batch of %s rows passes %s of the best rate measured%s%s", current,
                     say_percent(now->rows_s / best).text,
                     smallest && smallest != now ? "; the smallest within 5 % of the best is " : "",
                     smallest && smallest != now ? smallest->value : "");
}

/* A cost cannot be negative, only not told apart from 0. */
static struct interval no_less_than_nothing(struct interval cost)
{
    return (struct interval){fmax(cost.low, 0), fmax(cost.mid, 0), fmax(cost.high, 0)};
}

static enum err fit_line(struct findings *findings, const struct points *points, struct agent_task *task,
                         struct diag *diag)
{
    double smallest = INFINITY, largest = 0;
    for (size_t i = 0; i < points->count; i++) {
        smallest = fmin(smallest, points->rows[i]);
        largest = fmax(largest, points->rows[i]);
    }
    if (!(largest > smallest)) {
        findings_not_looked_at(findings, "the cost of a batch as c0 + c1 * rows: all batches had the same size");
        return ERR_OK;
    }
    struct line_fit fit;
    TRY(line_fit(&fit, points->rows, points->seconds, points->count, &task->rng, task->arena, diag));
    struct quantity c0 = {no_less_than_nothing(fit.c0), UNIT_S}, c1 = {no_less_than_nothing(fit.c1), UNIT_S};
    findings_claim(findings, BASIS_MEASURED, &c0, NULL,
                   "a batch costs %s whatever its size (from %zu batches of %.0f to %.0f rows)",
                   say_seconds(c0.value.mid).text, points->count, smallest, largest);
    findings_claim(findings, BASIS_MEASURED, &c1, NULL, "and %s a row; the line misses single batches by up to %s",
                   say_seconds(c1.value.mid).text, say_percent(fit.residual_ratio_max).text);
    return ERR_OK;
}

static enum err time_batches(struct findings *findings, const struct brief_candidate *candidate,
                             const struct baseline *baseline, struct agent_task *task, struct diag *diag)
{
    const struct brief_knob *knob = brief_knob(task->brief, candidate->knob);
    struct batch_arm *arms = ARENA_ARRAY(task->arena, struct batch_arm, knob->value_count);
    struct points points = {.rows = ARENA_ARRAY(task->arena, double, POINTS_MAX),
                            .seconds = ARENA_ARRAY(task->arena, double, POINTS_MAX)};
    if (!arms || !points.rows || !points.seconds)
        return arena_exhausted(task->arena, diag);
    for (size_t i = 0; i < knob->value_count; i++) {
        arms[i].value = knob->values[i];
        if (strcmp(knob->values[i], knob->current) != 0)
            TRY(ask_runs(&arms[i], knob, task, diag));
    }
    for (size_t i = 0; i < knob->value_count; i++)
        TRY(collect_arm(&arms[i], &points, candidate->stage, baseline, task, diag));
    findings_looked_at(findings, "%zu batches under %zu settings of %s, %d runs each", points.count, knob->value_count,
                       knob->name, RUNS_A_BATCH);
    add_arm_table(findings, arms, knob->value_count, knob->current, task->arena);
    say_range(findings, arms, knob->value_count, knob->current);
    return fit_line(findings, &points, task, diag);
}

static enum err run(struct findings *findings, struct agent_task *task, struct diag *diag)
{
    const struct brief_candidate *candidate = batch_candidate(task->brief);
    const char *stage = candidate ? candidate->stage : database_stage(task->brief);
    struct baseline baseline;
    TRY(baseline_of_brief(&baseline, task, diag));
    if (candidate) {
        TRY(time_batches(findings, candidate, &baseline, task, diag));
    } else {
        findings_summary(findings, "no knob of lever \"batch\": the batch size was not varied");
        findings_not_looked_at(findings, "other batch sizes: nothing in pipeline.toml can set one");
    }
    TRY(weigh_own(findings, "batch", task, diag));
    weigh_others(findings, "batch", stage, &baseline, task);
    return ERR_OK;
}

const struct agent agent_batch = {
    .name = "batch",
    .folder = "batch-size",
    .question = "Is the batch size right?",
    .run = run,
};
