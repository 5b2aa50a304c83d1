/* SPDX-License-Identifier: Apache-2.0 */
#include "agents/weigh.h"

#include "base/json.h"
#include "finding/say.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool worth_an_experiment(const struct brief_candidate *candidate)
{
    return candidate->knob && candidate->bound.high >= WORTH_TRYING;
}

/* The values of a knob but the current one, as a JSON array. */
static json_t *other_values(const struct brief_knob *knob)
{
    json_t *values = json_array();
    for (size_t i = 0; i < knob->value_count; i++) {
        if (strcmp(knob->values[i], knob->current) != 0 &&
            json_array_append_new(values, json_string(knob->values[i])) < 0)
            break;
    }
    return values;
}

static json_t *request_for(const struct brief_candidate *candidate, const struct brief_knob *knob)
{
    json_t *values = other_values(knob);
    double value = fmin(candidate->bound.high, 1000.0);
    if (json_array_size(values) == 1) {
        json_t *request = json_pack("{s:s, s:{s:O}, s:s, s:b, s:f}", "op", "compare", "b", knob->name,
                                    json_array_get(values, 0), "purpose", candidate->id, "confirm", 0, "value", value);
        json_decref(values);
        return request;
    }
    return json_pack("{s:s, s:s, s:o, s:s, s:f}", "op", "sweep", "knob", knob->name, "values", values, "purpose",
                     candidate->id, "value", value);
}

enum err weigh_ask(struct weighing *weighing, struct agent_task *task, struct diag *diag)
{
    const struct brief_knob *knob = brief_knob(task->brief, weighing->candidate->knob);
    AUTO(json_release) json_t *request = request_for(weighing->candidate, knob);
    if (!request)
        return diag_fail(diag, ERR_MEMORY, NULL, NULL, "out of memory");
    return lab_client_ask(&weighing->request, task->lab, request, diag);
}

/* One arm's comparison against the baseline: the one on fresh runs where it came to a verdict, else the first. */
static const json_t *comparison_of(const json_t *experiment, size_t arm)
{
    const json_t *best = NULL, *comparison;
    size_t i;
    json_array_foreach(json_object_get(experiment, "comparisons"), i, comparison)
    {
        bool same_arm = (size_t)json_integer_value(json_object_get(comparison, "b")) == arm;
        bool decided = strcmp(json_string_or(comparison, "verdict", ""), "preliminary") != 0;
        if (same_arm && (!best || decided))
            best = comparison;
    }
    return best;
}

/* The arm worth talking about: the winner, else the one with the largest estimate. */
static size_t arm_of_interest(const json_t *experiment)
{
    const json_t *winner = json_object_get(experiment, "winner"), *comparison;
    if (json_is_integer(winner))
        return (size_t)json_integer_value(winner);
    size_t i, best = 1;
    double best_mid = -1;
    json_array_foreach(json_object_get(experiment, "comparisons"), i, comparison)
    {
        double mid = json_number_or(json_object_get(comparison, "effect"), "mid", 0);
        if (mid > best_mid) {
            best_mid = mid;
            best = (size_t)json_integer_value(json_object_get(comparison, "b"));
        }
    }
    return best;
}

static enum vote vote_on(const char *verdict, const struct interval *effect)
{
    if (strcmp(verdict, "faster") == 0)
        return effect->low >= WORTH_DOING ? VOTE_RECOMMEND : VOTE_NEUTRAL;
    if (strcmp(verdict, "same") == 0 || strcmp(verdict, "slower") == 0)
        return VOTE_OPPOSE;
    return VOTE_NEUTRAL;
}

/* The prediction for `value`; NULL when none was made. */
static const struct estimate *prediction_for(const struct weighing *weighing, const char *value)
{
    for (size_t i = 0; i < weighing->prediction_count; i++) {
        if (strcmp(weighing->predictions[i].value, value) == 0)
            return &weighing->predictions[i].estimate;
    }
    return NULL;
}

static const struct estimate *best_prediction(const struct weighing *weighing)
{
    const struct estimate *best = NULL;
    for (size_t i = 0; i < weighing->prediction_count; i++) {
        const struct estimate *estimate = &weighing->predictions[i].estimate;
        if (!best || estimate->ratio.mid > best->ratio.mid)
            best = estimate;
    }
    return best;
}

void weigh_measured(struct findings *findings, const struct weighing *weighing, const struct brief_knob *knob,
                    const json_t *experiment)
{
    size_t arm = arm_of_interest(experiment);
    const json_t *comparison = comparison_of(experiment, arm);
    const json_t *effect = json_object_get(comparison, "effect");
    const json_t *settings = json_object_get(json_array_get(json_object_get(experiment, "arms"), arm), "settings");
    struct estimate estimate = {.ratio = {json_number_or(effect, "low", NAN), json_number_or(effect, "mid", NAN),
                                          json_number_or(effect, "high", NAN)},
                                .basis = json_is_true(json_object_get(comparison, "confirmed")) ? BASIS_CONFIRMED
                                                                                                : BASIS_MEASURED};
    const char *verdict = json_string_or(comparison, "verdict", "cannot_tell");
    const char *ids[] = {json_string_or(experiment, "id", ""), NULL};
    bool known = isfinite(estimate.ratio.low) && isfinite(estimate.ratio.high);
    struct knob_change change = {knob->name, knob->current, json_string_or(settings, knob->name, knob->current)};
    struct stance stance = {.candidate = weighing->candidate->id,
                            .vote = known ? vote_on(verdict, &estimate.ratio) : VOTE_NEUTRAL,
                            .change = &change,
                            .effect = known ? &estimate : NULL,
                            .prediction = prediction_for(weighing, change.to),
                            .experiments = ids};
    if (known)
        findings_stance(findings, &stance, "%s=%s against %s: %s, %s after %lld pairs", knob->name, change.to,
                        change.from, verdict, say_effect(estimate.ratio).text,
                        json_integer_value(json_object_get(comparison, "pairs")));
    else
        findings_stance(findings, &stance, "%s=%s could not be compared: %s", knob->name, change.to,
                        json_string_or(experiment, "reason", "no runs"));
}

void weigh_unmeasured(struct findings *findings, const struct weighing *weighing)
{
    const struct brief_candidate *candidate = weighing->candidate;
    struct estimate bound = {candidate->bound, BASIS_BOUNDED};
    struct stance stance = {.candidate = candidate->id, .effect = &bound, .prediction = best_prediction(weighing)};
    if (candidate->bound.high < WORTH_TRYING) {
        stance.vote = VOTE_OPPOSE;
        findings_stance(findings, &stance,
                        "it could save so little of the run that it cannot be worth more than %s: no experiment needed",
                        say_ratio(candidate->bound.high).text);
    } else {
        findings_stance(findings, &stance, "it cannot be set from outside, so it was not measured; at most %s",
                        say_ratio(candidate->bound.high).text);
    }
}

enum err weigh_judge(struct findings *findings, const struct weighing *weighing, struct agent_task *task,
                     struct diag *diag)
{
    if (weighing->request == 0) {
        weigh_unmeasured(findings, weighing);
        return ERR_OK;
    }
    AUTO(json_release) json_t *experiment = NULL;
    TRY(lab_client_wait(&experiment, task->lab, weighing->request, diag));
    weigh_measured(findings, weighing, brief_knob(task->brief, weighing->candidate->knob), experiment);
    return ERR_OK;
}

enum err weigh_own(struct findings *findings, const char *agent, struct agent_task *task, struct diag *diag)
{
    const struct brief *brief = task->brief;
    struct weighing *weighings = ARENA_ARRAY(task->arena, struct weighing, brief->candidate_count + 1);
    size_t count = 0;
    if (!weighings)
        return arena_exhausted(task->arena, diag);
    for (size_t i = 0; i < brief->candidate_count; i++) {
        if (strcmp(brief->candidates[i].owner, agent) != 0)
            continue;
        struct weighing *weighing = &weighings[count++];
        weighing->candidate = &brief->candidates[i];
        if (worth_an_experiment(weighing->candidate))
            TRY(weigh_ask(weighing, task, diag));
    }
    for (size_t i = 0; i < count; i++)
        TRY(weigh_judge(findings, &weighings[i], task, diag));
    return ERR_OK;
}

/* How many times today's rate the layer's stage could pass, at least; 0 when unknown. */
static double room_of(const struct profile *profile, const char *layer_stage)
{
    size_t at = layer_stage ? profile_stage(profile, layer_stage) : profile->stage_count;
    if (at == profile->stage_count || !(profile->rows_s.mid > 0))
        return 0;
    return profile->stages[at].capacity_rows_s.low / profile->rows_s.mid;
}

void weigh_others(struct findings *findings, const char *agent, const char *layer_stage,
                  const struct baseline *baseline, const struct agent_task *task)
{
    const struct profile *profile = baseline->profile;
    const struct brief *brief = task->brief;
    double room = room_of(profile, layer_stage);
    bool named = profile->verdict == BOTTLENECK_NAMED;
    const char *bottleneck = named ? profile->stages[profile->bottleneck].name : "";
    for (size_t i = 0; i < brief->candidate_count; i++) {
        const struct brief_candidate *candidate = &brief->candidates[i];
        struct stance stance = {.candidate = candidate->id};
        if (strcmp(candidate->owner, agent) == 0)
            continue;
        bool on_bottleneck = strcmp(candidate->stage, bottleneck) == 0;
        if (on_bottleneck && strcmp(bottleneck, layer_stage ? layer_stage : "") != 0 && room >= WORTH_TRYING) {
            stance.vote = VOTE_RECOMMEND;
            findings_stance(findings, &stance, "%s limits the run, and %s can pass %.3g times today's rate", bottleneck,
                            layer_stage, room);
        } else {
            findings_stance(findings, &stance, "this layer says nothing about it");
        }
    }
}
