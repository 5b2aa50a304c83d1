/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/experiment.h"

#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { FAILURES_MAX = 1, RUNS_A_FAILURE = 20 }; /* more than 1 failed run in 20 makes a comparison INVALID */
#define FAMILY_ALPHA 0.05

static const char *const reason_names[] = {
    [REASON_DECIDED] = "decided",         [REASON_ROUNDS] = "rounds",
    [REASON_BUDGET] = "budget",           [REASON_UNEQUAL_OUTPUT] = "unequal_output",
    [REASON_RUNS_FAILED] = "runs_failed",
};

static bool make_arms(struct experiment *experiment, struct arena *arena)
{
    const struct request *request = &experiment->request;
    experiment->arms = ARENA_ARRAY(arena, struct arm, request->arm_count);
    for (size_t i = 0; experiment->arms && i < request->arm_count; i++) {
        struct arm *arm = &experiment->arms[i];
        arm->variant = request->arms[i];
        arm->runs = json_array();
        for (size_t before = 0; before < i; before++)
            arm->copy += variant_equal(&request->arms[before], &request->arms[i]);
        if (!arm->runs)
            return false;
    }
    return experiment->arms;
}

static struct series new_series(size_t b, bool confirmed)
{
    return (struct series){.b = b, .confirmed = confirmed, .result.verdict = VERDICT_PRELIMINARY};
}

enum err experiment_init(struct experiment *out, const char *id, const struct request *request, struct arena *arena,
                         struct diag *diag)
{
    *out = (struct experiment){.request = *request, .series_count = request->arm_count - 1};
    (void)snprintf(out->id, sizeof out->id, "%s", id);
    out->series = ARENA_ARRAY(arena, struct series, request->arm_count);
    if (!make_arms(out, arena) || !out->series) {
        experiment_fini(out);
        return arena_exhausted(arena, diag);
    }
    for (size_t i = 0; i < out->series_count; i++)
        out->series[i] = new_series(i + 1, false);
    return ERR_OK;
}

void experiment_fini(struct experiment *experiment)
{
    for (size_t i = 0; experiment->arms && i < experiment->request.arm_count; i++)
        json_decref(experiment->arms[i].runs);
    experiment->arms = NULL;
}

/* A sweep that was asked for a number of rounds wants them all: its user fits a curve. */
static bool plays_all_rounds(const struct experiment *experiment)
{
    return experiment->request.op == OP_SWEEP && experiment->request.rounds > 0;
}

bool experiment_wants(const struct experiment *experiment, size_t arm)
{
    if (experiment->phase == PHASE_ENDED)
        return false;
    if (experiment->request.op == OP_RUN)
        return true;
    for (size_t i = 0; i < experiment->series_count; i++) {
        const struct series *series = &experiment->series[i];
        if (!series->closed && (arm == 0 || arm == series->b))
            return true;
    }
    return false;
}

static unsigned pairs_to_look(const struct series *series)
{
    for (size_t look = 0; look < LOOK_COUNT; look++) {
        if (pairs_at_look(look) > series->count)
            return (unsigned)(pairs_at_look(look) - series->count);
    }
    return 0;
}

unsigned experiment_rounds_to_look(const struct experiment *experiment)
{
    const struct request *request = &experiment->request;
    unsigned most = 0, left = request->rounds - experiment->rounds;
    if (experiment->phase == PHASE_ENDED)
        return 0;
    if (request->op == OP_RUN)
        return request->runs - experiment->arms[0].succeeded;
    for (size_t i = 0; i < experiment->series_count; i++) {
        unsigned rounds = experiment->series[i].closed ? 0 : pairs_to_look(&experiment->series[i]);
        most = rounds > most ? rounds : most;
    }
    bool limited = request->rounds > 0 && experiment->phase == PHASE_MEASURING;
    return limited && (plays_all_rounds(experiment) || left < most) ? left : most;
}

static enum err note_runs(struct experiment *experiment, const struct arm_run *const *runs, struct diag *diag)
{
    for (size_t i = 0; i < experiment->request.arm_count; i++) {
        struct arm *arm = &experiment->arms[i];
        if (!runs[i])
            continue;
        arm->unequal |= runs[i]->unequal;
        arm->succeeded += runs[i]->ok;
        arm->failed += !runs[i]->ok && !runs[i]->unequal;
        if (runs[i]->ok && json_array_append_new(arm->runs, json_string(runs[i]->id)) < 0)
            return diag_fail(diag, ERR_MEMORY, NULL, NULL, "out of memory");
    }
    return ERR_OK;
}

static void add_pair(struct series *series, const struct arm_run *a, const struct arm_run *b)
{
    if (!a || !b || !a->ok || !b->ok || series->count == PAIRS_MAX)
        return;
    series->pairs[series->count++] =
        (struct pair){.a_s = a->duration_s, .b_s = b->duration_s, .b_first = b->place < a->place};
}

static bool at_look(const struct series *series)
{
    for (size_t look = 0; look < LOOK_COUNT; look++) {
        if (series->count == pairs_at_look(look))
            return true;
    }
    return false;
}

static enum err judge(struct series *series, double delta, struct arena *scratch, struct diag *diag)
{
    TRY(pairs_compare(&series->result, series->pairs, series->count, delta, scratch, diag));
    return pairs_p_value(&series->p, series->pairs, series->result.pairs, scratch, diag);
}

static bool fails_too_often(const struct arm *arm)
{
    return arm->failed * RUNS_A_FAILURE > arm->failed + arm->succeeded;
}

static void invalidate(struct series *series)
{
    series->result.verdict = VERDICT_INVALID;
    series->result.decided = true;
    series->closed = true;
}

/* At once for another output or a second failure; for a first failure when the series would end. */
static void guard(struct experiment *experiment, struct series *series)
{
    const struct arm *a = &experiment->arms[0], *b = &experiment->arms[series->b];
    bool unequal = a->unequal || b->unequal, failing = a->failed > FAILURES_MAX || b->failed > FAILURES_MAX;
    if (unequal || failing || (series->closed && (fails_too_often(a) || fails_too_often(b))))
        invalidate(series);
}

/* The first series of a sweep belong to one family: a claim counts when Holm's correction lets it stand. */
static enum err find_claims(bool **out, const struct experiment *experiment, struct arena *scratch, struct diag *diag)
{
    size_t count = experiment->request.arm_count - 1;
    double *p = ARENA_ARRAY(scratch, double, count);
    bool *claims = ARENA_ARRAY(scratch, bool, count);
    if (!p || !claims)
        return arena_exhausted(scratch, diag);
    for (size_t i = 0; i < count; i++)
        p[i] = experiment->series[i].result.pairs >= PAIRS_FIRST_LOOK ? experiment->series[i].p : 1;
    TRY(holm_reject(claims, p, count, FAMILY_ALPHA, scratch, diag));
    *out = claims;
    return ERR_OK;
}

static bool is_claim(const struct series *series)
{
    return series->result.verdict == VERDICT_FASTER || series->result.verdict == VERDICT_SLOWER;
}

/* Closes the series that more pairs would not change. */
static enum err close_decided(struct experiment *experiment, struct arena *scratch, struct diag *diag)
{
    bool *claims;
    TRY(find_claims(&claims, experiment, scratch, diag));
    for (size_t i = 0; i < experiment->series_count; i++) {
        struct series *series = &experiment->series[i];
        bool stands = series->confirmed || !is_claim(series) || claims[i] || series->count == PAIRS_MAX;
        if (!series->closed && !plays_all_rounds(experiment) && series->result.decided && stands)
            series->closed = true;
        guard(experiment, series);
    }
    return ERR_OK;
}

static bool all_closed(const struct experiment *experiment)
{
    for (size_t i = 0; i < experiment->series_count; i++) {
        if (!experiment->series[i].closed)
            return false;
    }
    return true;
}

/* What Holm does not let stand is no verdict. */
static enum err correct_family(struct experiment *experiment, struct arena *scratch, struct diag *diag)
{
    bool *claims;
    TRY(find_claims(&claims, experiment, scratch, diag));
    for (size_t i = 0; i + 1 < experiment->request.arm_count; i++) {
        struct series *series = &experiment->series[i];
        if (is_claim(series) && !claims[i])
            series->result.verdict = VERDICT_CANNOT_TELL;
    }
    return ERR_OK;
}

/* The smallest setting within delta of the best: arms stand in the order of the file. */
static size_t find_winner(const struct experiment *experiment)
{
    double best = 0;
    for (size_t i = 0; i < experiment->series_count; i++) {
        const struct comparison *result = &experiment->series[i].result;
        if (result->verdict == VERDICT_FASTER)
            best = fmax(best, result->effect.mid);
    }
    for (size_t i = 0; i < experiment->series_count; i++) {
        const struct comparison *result = &experiment->series[i].result;
        if (result->verdict == VERDICT_FASTER && result->effect.mid * (1 + experiment->request.delta) >= best)
            return experiment->series[i].b;
    }
    return 0;
}

static enum end_reason natural_reason(const struct experiment *experiment, bool rounds_used)
{
    bool unequal = false;
    for (size_t i = 0; i < experiment->request.arm_count; i++)
        unequal |= experiment->arms[i].unequal;
    for (size_t i = 0; i < experiment->series_count; i++) {
        if (experiment->series[i].result.verdict != VERDICT_INVALID)
            return rounds_used ? REASON_ROUNDS : REASON_DECIDED;
    }
    return unequal ? REASON_UNEQUAL_OUTPUT : REASON_RUNS_FAILED;
}

/* The winner's comparison on fresh runs; only of a gain. */
static bool start_confirmation(struct experiment *experiment)
{
    size_t winner = find_winner(experiment);
    if (!experiment->request.confirm || winner == 0)
        return false;
    experiment->winner = winner;
    experiment->series[experiment->series_count++] = new_series(winner, true);
    experiment->phase = PHASE_CONFIRMING;
    return true;
}

/* Judges what is open, and takes back a winner whose fresh runs do not show the gain. */
static enum err settle(struct experiment *experiment, struct arena *scratch, struct diag *diag)
{
    for (size_t i = 0; i < experiment->series_count; i++) {
        struct series *series = &experiment->series[i];
        if (!series->closed)
            TRY(judge(series, experiment->request.delta, scratch, diag));
        series->closed = true;
        guard(experiment, series);
    }
    TRY(correct_family(experiment, scratch, diag));
    const struct series *last = &experiment->series[experiment->series_count - 1];
    if (experiment->phase == PHASE_CONFIRMING && last->result.verdict != VERDICT_FASTER)
        experiment->winner = 0;
    return ERR_OK;
}

enum err experiment_end(struct experiment *experiment, enum end_reason reason, struct arena *scratch, struct diag *diag)
{
    if (experiment->series_count > 0)
        TRY(settle(experiment, scratch, diag));
    experiment->phase = PHASE_ENDED;
    experiment->reason = reason;
    return ERR_OK;
}

static enum err advance(struct experiment *experiment, struct arena *scratch, struct diag *diag)
{
    const struct request *request = &experiment->request;
    bool measuring = experiment->phase == PHASE_MEASURING, decided = all_closed(experiment);
    bool rounds_used = measuring && request->rounds > 0 && experiment->rounds >= request->rounds;
    if (!decided && !rounds_used)
        return ERR_OK;
    if (measuring && decided) {
        TRY(correct_family(experiment, scratch, diag));
        if (start_confirmation(experiment))
            return ERR_OK;
    }
    TRY(experiment_end(experiment, REASON_DECIDED, scratch, diag));
    experiment->reason = natural_reason(experiment, !decided);
    return ERR_OK;
}

static void advance_runs(struct experiment *experiment)
{
    const struct arm *arm = &experiment->arms[0];
    if (arm->succeeded < experiment->request.runs && arm->failed <= FAILURES_MAX && !arm->unequal)
        return;
    experiment->phase = PHASE_ENDED;
    experiment->reason = arm->unequal                  ? REASON_UNEQUAL_OUTPUT
                         : arm->failed <= FAILURES_MAX ? REASON_DECIDED
                                                       : REASON_RUNS_FAILED;
}

static enum err conclude(struct experiment *experiment, struct arena *scratch, struct diag *diag)
{
    if (experiment->request.op == OP_RUN) {
        advance_runs(experiment);
        return ERR_OK;
    }
    TRY(close_decided(experiment, scratch, diag));
    return advance(experiment, scratch, diag);
}

enum err experiment_take_round(struct experiment *experiment, const struct arm_run *const *runs, struct arena *scratch,
                               struct diag *diag)
{
    TRY(note_runs(experiment, runs, diag));
    experiment->rounds++;
    for (size_t i = 0; i < experiment->series_count; i++) {
        struct series *series = &experiment->series[i];
        size_t before = series->count;
        if (series->closed)
            continue;
        add_pair(series, runs[0], runs[series->b]);
        if (series->count > before && at_look(series))
            TRY(judge(series, experiment->request.delta, scratch, diag));
    }
    return conclude(experiment, scratch, diag);
}

enum err experiment_exclude(struct experiment *experiment, size_t cell, struct arena *scratch, struct diag *diag)
{
    bool found = false;
    for (size_t i = 0; i < experiment->request.arm_count; i++) {
        if (experiment->arms[i].cell == cell)
            found = experiment->arms[i].unequal = true;
    }
    return found && experiment->phase != PHASE_ENDED ? conclude(experiment, scratch, diag) : ERR_OK;
}

static json_t *arms_json(const struct experiment *experiment)
{
    json_t *arms = json_array();
    for (size_t i = 0; i < experiment->request.arm_count; i++) {
        const struct arm *arm = &experiment->arms[i];
        json_t *object = json_pack("{s:o, s:O, s:i}", "settings", variant_to_json(&arm->variant), "runs", arm->runs,
                                   "failed", (int)arm->failed);
        if (!object || json_array_append_new(arms, object) < 0) {
            json_decref(arms);
            return NULL;
        }
    }
    return arms;
}

static json_t *effect_json(const struct interval *effect)
{
    if (!isfinite(effect->mid))
        return json_null();
    return json_pack("{s:o, s:o, s:o}", "low", json_real_tidy(effect->low), "mid", json_real_tidy(effect->mid), "high",
                     json_real_tidy(effect->high));
}

static json_t *series_json(const struct series *series)
{
    const struct comparison *result = &series->result;
    bool invalid = result->verdict == VERDICT_INVALID;
    struct interval none = {NAN, NAN, NAN};
    return json_pack("{s:i, s:i, s:s, s:i, s:o, s:b, s:b, s:o, s:o, s:i}", "a", 0, "b", (int)series->b, "verdict",
                     verdict_name(result->verdict), "pairs", (int)(invalid ? series->count : result->pairs), "alpha",
                     json_real_tidy(result->alpha), "confirmed", series->confirmed, "order_effect",
                     result->order_effect, "effect", effect_json(invalid ? &none : &result->effect), "visible_ratio",
                     json_real_tidy(result->visible_ratio), "pairs_needed", (int)result->pairs_needed);
}

static json_t *comparisons_json(const struct experiment *experiment)
{
    json_t *comparisons = json_array();
    for (size_t i = 0; i < experiment->series_count; i++) {
        if (json_array_append_new(comparisons, series_json(&experiment->series[i])) < 0) {
            json_decref(comparisons);
            return NULL;
        }
    }
    return comparisons;
}

json_t *experiment_json(const struct experiment *experiment, uint64_t seed)
{
    const struct request *request = &experiment->request;
    bool has_winner = request->op == OP_SWEEP && experiment->winner > 0;
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:s}", "schema", "venturi.experiment/1", "id",
                     experiment->id, "op", experiment_op_name(request->op), "purpose", request->purpose, "seed",
                     (json_int_t)seed, "delta", json_real_tidy(request->delta), "arms", arms_json(experiment),
                     "comparisons", comparisons_json(experiment), "winner",
                     has_winner ? json_integer((json_int_t)experiment->winner) : json_null(), "reason",
                     reason_names[experiment->reason]);
}
