/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the time goes and which stage limits the run; whether that stage computes or waits; by a probe with more in
 * flight, whether its waiting is shared; and from both, a prediction of each fix, written down before it is measured.
 */
#include "agents/agent.h"
#include "agents/baseline.h"
#include "agents/weigh.h"
#include "base/json.h"
#include "finding/say.h"
#include "stats/summary.h"
#include "whatif/whatif.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PROBE_RUNS = 3 };

static const char *seconds_text(struct arena *arena, double seconds)
{
    return isfinite(seconds) ? arena_strdup(arena, say_seconds(seconds).text) : "not measured";
}

static const char *memory_text(struct arena *arena, uint64_t bytes)
{
    return bytes ? arena_strdup(arena, say_bytes((double)bytes).text) : "not seen: shorter than the sampling";
}

static void add_stage_table(struct findings *findings, const struct profile *profile, struct arena *arena)
{
    static const char *const columns[] = {
        "stage",  "busy",    "share of the run", "running",     "waiting", "rows/s alone",
        "median", "slowest", "slowest item",     "peak memory", NULL};
    findings_table(findings, "Where the time goes", columns);
    for (size_t i = 0; i < profile->stage_count; i++) {
        const struct stage_summary *stage = &profile->stages[i];
        const char *row[] = {stage->name,
                             seconds_text(arena, stage->busy_s),
                             arena_strdup(arena, say_share(stage->share).text),
                             seconds_text(arena, stage->running_s),
                             seconds_text(arena, stage->waiting_s),
                             stage->rows ? arena_strdup(arena, say_count(stage->capacity_rows_s.mid).text) : "no rows",
                             seconds_text(arena, stage->p50_s),
                             seconds_text(arena, stage->max_s),
                             arena_printf(arena, "%llu", (unsigned long long)stage->slowest_item),
                             memory_text(arena, stage->peak_bytes),
                             NULL};
        findings_row(findings, row);
    }
}

static void claim_shares(struct findings *findings, const struct profile *profile, const struct brief *brief)
{
    for (size_t i = 0; i < profile->stage_count; i++) {
        const struct stage_summary *stage = &profile->stages[i];
        struct quantity share = {stage->share, UNIT_SHARE};
        findings_claim(findings, BASIS_MEASURED, &share, brief->baseline_runs, "%s takes %s of the run, limited by %s",
                       stage->name, say_share(stage->share).text, limit_kind_name(stage->limited_by));
    }
    if (profile->lost_spans)
        findings_not_looked_at(findings, "%llu spans were lost by the recorder",
                               (unsigned long long)profile->lost_spans);
}

static void name_bottleneck(struct findings *findings, const struct profile *profile)
{
    const struct stage_summary *first = &profile->stages[profile->bottleneck];
    if (profile->verdict == BOTTLENECK_NAMED)
        findings_summary(findings, "%s limits the run: %s of its time, %s", first->name, say_share(first->share).text,
                         first->limited_by == LIMITED_BY_WAITING ? "spent waiting, not computing"
                                                                 : limit_kind_name(first->limited_by));
    else
        findings_summary(findings, "no single stage can be named (%s): %s leads with %s",
                         bottleneck_verdict_name(profile->verdict), first->name, say_share(first->share).text);
}

/* The candidate whose knob puts more of a waiting stage in flight; NULL when nothing can be probed. */
static const struct brief_candidate *concurrency_candidate(const struct brief *brief)
{
    const struct brief_candidate *best = NULL;
    for (size_t i = 0; i < brief->candidate_count; i++) {
        const struct brief_candidate *candidate = &brief->candidates[i];
        if (strcmp(candidate->lever, "concurrency") == 0 && worth_an_experiment(candidate) &&
            (!best || candidate->bound.mid > best->bound.mid))
            best = candidate;
    }
    return best;
}

static unsigned long workers_of(const char *value)
{
    char *end;
    unsigned long workers = strtoul(value, &end, 10);
    return *end || workers > 4096 ? 0 : workers;
}

/* The smallest value of the knob above its current one; NULL when there is none. */
static const char *next_value(const struct brief_knob *knob)
{
    unsigned long current = workers_of(knob->current);
    const char *next = NULL;
    for (size_t i = 0; i < knob->value_count; i++) {
        unsigned long workers = workers_of(knob->values[i]);
        if (workers > current && (!next || workers < workers_of(next)))
            next = knob->values[i];
    }
    return next;
}

/* The median span of a stage in one run; 0 when it left none there. */
static double run_median_s(const struct run_profile *run, const char *stage)
{
    for (size_t i = 0; i < run->stage_count; i++) {
        if (strcmp(run->stages[i].name, stage) == 0)
            return run->stages[i].p50_s;
    }
    return 0;
}

/* sharing such that a span with k in flight takes 1 + sharing * (k - 1) times as long as alone, one figure a run. */
static enum err sharing_of(struct interval *out, const struct baseline *alone, const struct baseline *together,
                           const char *stage, double in_flight, struct agent_task *task, struct diag *diag)
{
    size_t at = profile_stage(alone->profile, stage);
    double *sharing = ARENA_ARRAY(task->arena, double, together->run_count);
    if (!sharing)
        return arena_exhausted(task->arena, diag);
    if (at == alone->profile->stage_count)
        return diag_fail(diag, ERR_PIPELINE, stage, NULL, "left no span");
    for (size_t i = 0; i < together->run_count; i++) {
        double stretch = run_median_s(together->runs[i], stage) / alone->profile->stages[at].p50_s;
        sharing[i] = fmin(fmax((stretch - 1) / (in_flight - 1), 0), 1);
    }
    return bootstrap_median(out, sharing, together->run_count, 0.95, &task->rng, task->arena, diag);
}

static void say_sharing(struct findings *findings, const char *stage, const char *value, const struct interval *sharing,
                        const char *experiment)
{
    const char *ids[] = {experiment, NULL};
    struct quantity quantity = {*sharing, UNIT_SHARE};
    const char *meaning = sharing->high < 0.25  ? "each has its own wait or its own bandwidth: more in flight helps"
                          : sharing->low > 0.75 ? "they share one link or one server: more in flight does not help"
                                                : "they share in part: more in flight helps less and less";
    findings_claim(findings, BASIS_MEASURED, &quantity, ids,
                   "with %s of %s in flight, %.0f %% of the wait is shared: %s", value, stage, 100 * sharing->mid,
                   meaning);
}

/* Runs the probe and learns how much of the waiting is shared; without one it stays unknown: {0, 0.5, 1}. */
static enum err probe(struct interval *out_sharing, struct findings *findings, const struct baseline *baseline,
                      struct agent_task *task, struct diag *diag)
{
    *out_sharing = (struct interval){0, 0.5, 1};
    const struct brief_candidate *candidate = concurrency_candidate(task->brief);
    const struct brief_knob *knob = candidate ? brief_knob(task->brief, candidate->knob) : NULL;
    const char *value = knob ? next_value(knob) : NULL;
    if (!value) {
        findings_not_looked_at(findings, "whether waits share a link: no concurrency knob can put more in flight");
        return ERR_OK;
    }
    AUTO(json_release)
    json_t *request = json_pack("{s:s, s:{s:s}, s:i, s:s, s:f}", "op", "run", "a", knob->name, value, "runs",
                                PROBE_RUNS, "purpose", "probe: more in flight", "value", 1e4);
    AUTO(json_release) json_t *experiment = NULL;
    long long id;
    if (!request)
        return diag_fail(diag, ERR_MEMORY, NULL, NULL, "out of memory");
    TRY(lab_client_ask(&id, task->lab, request, diag));
    TRY(lab_client_wait(&experiment, task->lab, id, diag));
    const char *const *runs = experiment_runs(experiment, 0, task->arena);
    struct baseline together;
    if (!runs || !runs[0]) {
        findings_not_looked_at(findings, "whether waits share a link: the probe with %s=%s did not succeed", knob->name,
                               value);
        return ERR_OK;
    }
    TRY(baseline_read(&together, runs, task->lab_folder, &task->rng, task->arena, diag));
    double in_flight = (double)workers_of(value) / fmax((double)workers_of(knob->current), 1);
    TRY(sharing_of(out_sharing, baseline, &together, candidate->stage, in_flight, task, diag));
    say_sharing(findings, candidate->stage, value, out_sharing, json_string_or(experiment, "id", ""));
    return ERR_OK;
}

/* What this version can simulate of a candidate; false for the rest. */
static bool change_of(struct change *out, const struct brief_candidate *candidate, const char *value,
                      const struct profile *profile)
{
    *out = (struct change){.stage = profile_stage(profile, candidate->stage)};
    if (out->stage == profile->stage_count)
        return false;
    if (strcmp(candidate->lever, "concurrency") == 0)
        out->workers = (unsigned)workers_of(value);
    else if (strcmp(candidate->lever, "overlap") == 0)
        out->overlap = strcmp(value, "0") != 0 && strcmp(value, "false") != 0 && strcmp(value, "off") != 0;
    return out->workers > 0 || out->overlap;
}

static enum err note_prediction(struct findings *findings, json_t *written, const struct brief_candidate *candidate,
                                const char *setting, const struct prediction *prediction, const struct profile *profile,
                                struct arena *arena, struct diag *diag)
{
    const struct interval *effect = &prediction->effect;
    const char *row[] = {candidate->id, setting,
                         prediction->may_predict ? arena_strdup(arena, say_effect(*effect).text)
                                                 : arena_printf(arena, "no prediction: %s", prediction->why_not),
                         prediction->may_predict ? profile->stages[prediction->next_bottleneck].name : "", NULL};
    findings_row(findings, row);
    json_t *entry = json_pack("{s:s, s:s, s:b, s:o, s:o, s:o}", "candidate", candidate->id, "change", setting,
                              "may_predict", prediction->may_predict, "low", json_real_tidy(effect->low), "mid",
                              json_real_tidy(effect->mid), "high", json_real_tidy(effect->high));
    if (json_array_append_new(written, entry) < 0)
        return diag_fail(diag, ERR_MEMORY, NULL, NULL, "out of memory");
    return ERR_OK;
}

/* Predicts each value of a candidate's knob that this version can simulate. */
static enum err predict_candidate(struct weighing *weighing, struct findings *findings, json_t *written,
                                  const struct baseline *baseline, const struct whatif_options *options,
                                  struct agent_task *task, struct diag *diag)
{
    const struct brief_candidate *candidate = weighing->candidate;
    const struct brief_knob *knob = brief_knob(task->brief, candidate->knob);
    weighing->predictions = ARENA_ARRAY(task->arena, struct value_prediction, knob->value_count);
    if (!weighing->predictions)
        return arena_exhausted(task->arena, diag);
    for (size_t i = 0; i < knob->value_count; i++) {
        struct change change;
        struct prediction prediction;
        if (strcmp(knob->values[i], knob->current) == 0 ||
            !change_of(&change, candidate, knob->values[i], baseline->profile))
            continue;
        TRY(whatif_predict(&prediction, baseline->traces, baseline->run_count, baseline->profile, &change, options,
                           &task->rng, task->arena, diag));
        const char *setting = arena_printf(task->arena, "%s=%s", knob->name, knob->values[i]);
        TRY(note_prediction(findings, written, candidate, setting, &prediction, baseline->profile, task->arena, diag));
        if (prediction.may_predict)
            weighing->predictions[weighing->prediction_count++] =
                (struct value_prediction){knob->values[i], {prediction.effect, BASIS_SIMULATED}};
    }
    return ERR_OK;
}

/* Predicts, writes the predictions down, and only then asks for the measurements. */
static enum err predict_then_ask(struct weighing *weighings, size_t *out_count, struct findings *findings,
                                 const struct baseline *baseline, const struct interval *sharing,
                                 struct agent_task *task, struct diag *diag)
{
    static const char *const columns[] = {"candidate", "change", "predicted effect", "next bottleneck", NULL};
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct whatif_options options = {.sharing = *sharing, .cores = cores > 0 ? (unsigned)cores : 0};
    AUTO(json_release) json_t *written = json_array();
    findings_table(findings, "Predictions, made before the measurement", columns);
    for (size_t i = 0; i < task->brief->candidate_count; i++) {
        const struct brief_candidate *candidate = &task->brief->candidates[i];
        if (strcmp(candidate->owner, "profiling") != 0)
            continue;
        struct weighing *weighing = &weighings[(*out_count)++];
        weighing->candidate = candidate;
        if (candidate->knob)
            TRY(predict_candidate(weighing, findings, written, baseline, &options, task, diag));
    }
    const char *path = arena_printf(task->arena, "%s/predictions.json", task->evidence_folder);
    if (!path)
        return arena_exhausted(task->arena, diag);
    TRY(json_write_file(path, written, diag));
    for (size_t i = 0; i < *out_count; i++) {
        if (worth_an_experiment(weighings[i].candidate))
            TRY(weigh_ask(&weighings[i], task, diag));
    }
    return ERR_OK;
}

/* Shares are this agent's business: it opposes what sits on a stage that takes next to nothing. */
static void judge_others(struct findings *findings, const struct agent_task *task)
{
    for (size_t i = 0; i < task->brief->candidate_count; i++) {
        const struct brief_candidate *candidate = &task->brief->candidates[i];
        struct estimate bound = {candidate->bound, BASIS_BOUNDED};
        struct stance stance = {.candidate = candidate->id, .effect = &bound};
        if (strcmp(candidate->owner, "profiling") == 0)
            continue;
        if (candidate->bound.high < WORTH_TRYING) {
            stance.vote = VOTE_OPPOSE;
            findings_stance(findings, &stance, "%s takes so little of the run that it cannot be worth more than %s",
                            candidate->stage, say_ratio(candidate->bound.high).text);
        } else {
            findings_stance(findings, &stance, "%s takes enough of the run to be worth a look", candidate->stage);
        }
    }
}

static enum err run(struct findings *findings, struct agent_task *task, struct diag *diag)
{
    struct baseline baseline;
    struct interval sharing;
    size_t count = 0;
    struct weighing *weighings = ARENA_ARRAY(task->arena, struct weighing, task->brief->candidate_count + 1);
    if (!weighings)
        return arena_exhausted(task->arena, diag);
    TRY(baseline_of_brief(&baseline, task, diag));
    findings_looked_at(findings, "the spans of %zu baseline runs", baseline.run_count);
    findings_not_looked_at(
        findings, "allocations, and connection set-up against first byte against body: spans do not show them");
    add_stage_table(findings, baseline.profile, task->arena);
    claim_shares(findings, baseline.profile, task->brief);
    name_bottleneck(findings, baseline.profile);
    TRY(probe(&sharing, findings, &baseline, task, diag));
    TRY(predict_then_ask(weighings, &count, findings, &baseline, &sharing, task, diag));
    for (size_t i = 0; i < count; i++)
        TRY(weigh_judge(findings, &weighings[i], task, diag));
    judge_others(findings, task);
    return ERR_OK;
}

const struct agent agent_profiling = {
    .name = "profiling",
    .folder = "profiling",
    .question = "Which stage limits the run, and why?",
    .run = run,
};
