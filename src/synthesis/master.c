/* SPDX-License-Identifier: Apache-2.0
 *
 * master.json: puts the judgements, the plan and the profile together. Every part returns NULL when memory is out,
 * which json_pack hands up to synthesis_master.
 */
#include "synthesis/plan.h"

#include "base/json.h"
#include "finding/render.h"

#include <math.h>
#include <string.h>

struct baseline {
    struct interval rows_s;
    const json_t *stages, *bottleneck; /* of the profile */
};

/* Null when no stage counted rows: then there is no throughput to speak of, and ratios only. */
static enum err read_rows_s(struct interval *out, const json_t *profile, struct diag *diag)
{
    json_t *value = json_object_get(profile, "rows_s");
    *out = (struct interval){NAN, NAN, NAN};
    if (json_is_null(value))
        return ERR_OK;
    TRY(json_get_number(&out->low, value, "low", diag));
    TRY(json_get_number(&out->mid, value, "mid", diag));
    TRY(json_get_number(&out->high, value, "high", diag));
    if (!(out->low > 0.0 && out->low <= out->mid && out->mid <= out->high))
        return diag_fail(diag, ERR_FORMAT, "profile", NULL, "'rows_s' is not an interval above 0");
    return ERR_OK;
}

static enum err read_baseline(struct baseline *out, const json_t *profile, struct diag *diag)
{
    json_t *stages, *bottleneck;
    TRY(read_rows_s(&out->rows_s, profile, diag));
    TRY(json_get_array(&stages, profile, "stages", diag));
    TRY(json_get_object(&bottleneck, profile, "bottleneck", diag));
    *out = (struct baseline){.rows_s = out->rows_s, .stages = stages, .bottleneck = bottleneck};
    return ERR_OK;
}

/* The member, or null. New reference. */
static json_t *member(const json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    return value ? json_incref(value) : json_null();
}

static const json_t *stage_named(const json_t *stages, const char *name)
{
    size_t i;
    const json_t *stage;
    json_array_foreach(stages, i, stage)
    {
        if (strcmp(json_string_or(stage, "name", ""), name) == 0)
            return stage;
    }
    return NULL;
}

static json_t *problem_json(const struct brief *brief, const struct baseline *baseline)
{
    struct brief now = *brief;
    now.rows_s = baseline->rows_s;
    bool has_goal = brief->goal_rows_s > 0.0, comparable = has_goal && !isnan(baseline->rows_s.mid);
    return json_pack("{s:s, s:o, s:o, s:o, s:o}", "unit", brief->unit, "target",
                     has_goal ? json_real_tidy(brief->goal_rows_s) : json_null(), "measured",
                     interval_json(baseline->rows_s), "gap_percent", json_real_tidy(brief_gap_percent(&now)), "met",
                     comparable ? json_boolean(baseline->rows_s.low >= brief->goal_rows_s) : json_null());
}

static json_t *bottleneck_json(const struct baseline *baseline)
{
    const json_t *named = baseline->bottleneck;
    const json_t *stage = stage_named(baseline->stages, json_string_or(named, "stage", ""));
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "verdict", member(named, "verdict"), "stage",
                     member(named, "stage"), "runner_up", member(named, "runner_up"), "share", member(stage, "share"),
                     "lead", member(named, "lead"), "limited_by", member(named, "limited_by"));
}

static json_t *stage_json(const json_t *stage)
{
    static const char *const KEYS[] = {"name",       "busy_s",          "critical_s", "share",     "rows",
                                       "bytes",      "capacity_rows_s", "running_s",  "waiting_s", "peak_bytes",
                                       "limited_by", "workers",         NULL};
    json_t *out = json_object();
    for (const char *const *key = KEYS; *key; key++)
        if (json_object_set_new(out, *key, member(stage, *key)) != 0) {
            json_decref(out);
            return NULL;
        }
    return out;
}

static json_t *stage_item(const void *items, size_t index)
{
    return stage_json(json_array_get(items, index));
}

static json_t *work_json(const struct baseline *baseline)
{
    const json_t *first = json_array_get(baseline->stages, 0),
                 *last = json_array_get(baseline->stages, json_array_size(baseline->stages) - 1);
    return json_pack("{s:o, s:o}", "rows", member(last, "rows"), "items", member(first, "spans"));
}

static json_t *estimate_json(const struct estimate *estimate)
{
    json_t *object = isnan(estimate->ratio.mid) ? json_null() : interval_json(estimate->ratio);
    if (json_is_object(object) && json_object_set_new(object, "basis", json_string(basis_name(estimate->basis))) != 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

/* The stage with the most critical time when the time saved is taken off the candidate's own stage. An overlap saves
 * the time of several stages at once, so nothing is said about it. */
static json_t *next_bottleneck_json(const struct judgement *judgement, const json_t *profile,
                                    const struct baseline *baseline)
{
    double wall_s = json_number_or(json_object_get(profile, "wall_s"), "mid", NAN), most_s = 0.0;
    double saved_s = wall_s * (1.0 - 1.0 / judgement->effect.ratio.mid);
    const char *next = NULL;
    size_t i;
    const json_t *stage;
    if (judgement->decision != DECISION_RECOMMEND || strcmp(judgement->candidate->lever, "overlap") == 0)
        return json_null();
    json_array_foreach(baseline->stages, i, stage)
    {
        const char *name = json_string_or(stage, "name", "");
        double left_s =
            json_number_or(stage, "critical_s", NAN) - (strcmp(name, judgement->candidate->stage) == 0 ? saved_s : 0.0);
        if (left_s > most_s) {
            most_s = left_s;
            next = name;
        }
    }
    return text_json(next);
}

static json_t *change_json(const struct judgement *judgement)
{
    if (!judgement->knob)
        return json_null();
    return json_pack("{s:s, s:s, s:o}", "knob", judgement->knob->name, "from", judgement->knob->current, "to",
                     text_json(judgement->value));
}

static json_t *votes_json(const struct synthesis_input *input, const char *candidate)
{
    json_t *votes = json_object();
    for (size_t i = 0; i < input->finding_count; i++)
        if (json_object_set_new(votes, input->findings[i]->agent,
                                json_string(votes_word(input->findings[i], candidate))) != 0) {
            json_decref(votes);
            return NULL;
        }
    return votes;
}

/* Ids of the experiments about the candidate's knob, each once: first the one the verdict rests on, then the others in
 * the order of the journal. */
static json_t *experiments_json(const struct judgement *judgement, const struct evidence_list *list)
{
    json_t *ids = json_array();
    const char *first = judgement->evidence ? judgement->evidence->experiment : "", *last = first;
    if (judgement->evidence)
        (void)json_array_append_new(ids, json_string(first));
    for (size_t i = 0; judgement->evidence && i < list->count; i++) {
        const struct evidence *item = &list->items[i];
        if (!evidence_is_about(item, judgement->knob->name) || strcmp(item->experiment, first) == 0 ||
            strcmp(item->experiment, last) == 0)
            continue;
        last = item->experiment;
        (void)json_array_append_new(ids, json_string(last));
    }
    return ids;
}

static json_t *effort_json(double effort_days)
{
    return effort_days > 0.0 ? json_real_tidy(effort_days) : json_null();
}

struct verdicts {
    const struct judgement *items;
    const struct yardstick *yardstick;
    const struct baseline *baseline;
};

static json_t *candidate_item(const void *items, size_t index)
{
    const struct verdicts *verdicts = items;
    const struct judgement *judgement = &verdicts->items[index];
    const struct yardstick *yardstick = verdicts->yardstick;
    const struct baseline *baseline = verdicts->baseline;
    const struct brief_candidate *candidate = judgement->candidate;
    json_t *said =
        json_pack("{s:o, s:s, s:o, s:o, s:o}", "votes", votes_json(yardstick->input, candidate->id), "consensus",
                  consensus_name(judgement->consensus), "effect", estimate_json(&judgement->effect), "prediction",
                  estimate_json(&judgement->prediction), "bound", interval_json(candidate->bound));
    json_t *decided =
        json_pack("{s:s, s:s, s:s, s:o, s:o, s:s, s:s, s:o, s:o, s:o, s:b, s:o}", "id", candidate->id, "stage",
                  candidate->stage, "lever", candidate->lever, "change", change_json(judgement), "priority",
                  text_json(priority_name(judgement->priority)), "verdict", decision_name(judgement->decision), "why",
                  judgement->why, "effort_days", effort_json(candidate->effort_days), "expected",
                  plan_expected(&judgement->effect, baseline->rows_s), "next_bottleneck",
                  next_bottleneck_json(judgement, yardstick->input->profile, baseline), "quick_win",
                  judgement->quick_win, "experiments", experiments_json(judgement, &yardstick->evidence));
    if (decided && (!said || json_object_update(decided, said) != 0)) {
        json_decref(decided);
        decided = NULL;
    }
    json_decref(said);
    return decided;
}

static json_t *tie_breaker_json(const struct judgement *judgement)
{
    const struct evidence *evidence = judgement->evidence;
    return json_pack("{s:s, s:s, s:o, s:o, s:s, s:s}", "candidate", judgement->candidate->id, "kind",
                     votes_disputed(judgement->tally) ? "contradiction" : "investigate", "experiment",
                     text_json(evidence ? evidence->experiment : NULL), "measured",
                     text_json(evidence ? verdict_name(evidence->verdict) : NULL), "verdict",
                     decision_name(judgement->decision), "outcome", judgement->why);
}

static json_t *tie_breakers_json(const struct judgement *judgements, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        if (!votes_disputed(judgements[i].tally) && judgements[i].consensus != CONSENSUS_INVESTIGATE)
            continue;
        if (json_array_append_new(array, tie_breaker_json(&judgements[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *noise_json(const struct yardstick *yardstick)
{
    const struct evidence *control = evidence_control(&yardstick->evidence);
    if (!control)
        return json_null();
    return json_pack("{s:s, s:o, s:s, s:I, s:I, s:o, s:o}", "experiment", control->experiment, "effect",
                     interval_json(control->effect), "verdict", verdict_name(control->verdict), "pairs",
                     (json_int_t)control->pairs, "runs", (json_int_t)control->runs, "visible_ratio",
                     json_real_tidy(control->visible_ratio), "worth_ratio", json_real_tidy(yardstick->worth_ratio));
}

static json_t *agent_item(const void *items, size_t index)
{
    const struct findings *findings = ((const struct findings *const *)items)[index];
    return json_pack("{s:s, s:s, s:o, s:o}", "name", findings->agent, "status",
                     findings->answered ? "answered" : "no_answer", "why", text_json(findings->why), "summary",
                     text_json(findings->summary));
}

static json_t *settings_json(const struct evidence *evidence)
{
    json_t *settings = json_object();
    for (size_t i = 0; i < evidence->change_count; i++)
        if (json_object_set_new(settings, evidence->changes[i].knob->name, json_string(evidence->changes[i].value)) !=
            0) {
            json_decref(settings);
            return NULL;
        }
    return settings;
}

static json_t *evidence_item(const void *items, size_t index)
{
    const struct evidence *item = (const struct evidence *)items + index;
    return json_pack("{s:s, s:s, s:s, s:o, s:s, s:o, s:I, s:I, s:b, s:b, s:s}", "id", item->experiment, "op", item->op,
                     "purpose", item->purpose, "change", settings_json(item), "verdict", verdict_name(item->verdict),
                     "effect", interval_json(item->effect), "pairs", (json_int_t)item->pairs, "runs",
                     (json_int_t)item->runs, "confirmed", item->confirmed, "from_baseline", item->from_baseline,
                     "reason", item->reason);
}

static json_t *head_json(const struct synthesis_input *input, const struct baseline *baseline, const char *generated)
{
    const struct brief *brief = input->brief;
    return json_pack("{s:s, s:s, s:s, s:I, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "schema", "venturi.master/1",
                     "pipeline", brief->pipeline, "generated", generated, "seed", (json_int_t)brief->seed, "journal",
                     input->journal, "runs", member(input->profile, "runs"), "work", work_json(baseline), "problem",
                     problem_json(brief, baseline), "wall_s", member(input->profile, "wall_s"), "bottleneck",
                     bottleneck_json(baseline), "stages",
                     list_json(baseline->stages, json_array_size(baseline->stages), stage_item), "outside_share",
                     member(input->profile, "outside_share"), "lost_spans", member(input->profile, "lost_spans"));
}

/* The lab has one number for all of them. */
static json_t *repeats_json(const json_t *experiments)
{
    const char *id;
    json_t *experiment;
    double repeats = 1;
    json_object_foreach((json_t *)experiments, id, experiment)
    {
        repeats = fmax(repeats, json_number_or(experiment, "repeats", 1));
    }
    return json_integer((json_int_t)repeats);
}

static json_t *body_json(const struct judgement *judgements, const struct yardstick *yardstick,
                         const struct baseline *baseline, struct arena *arena)
{
    const struct synthesis_input *input = yardstick->input;
    size_t count = input->brief->candidate_count;
    const struct verdicts verdicts = {judgements, yardstick, baseline};
    json_t *conditions = (json_t *)input->conditions;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "candidates",
                     list_json(&verdicts, count, candidate_item), "tie_breakers", tie_breakers_json(judgements, count),
                     "slo_plan", plan_goal(judgements, yardstick, baseline->rows_s, arena), "roadmap",
                     plan_roadmap(judgements, count, baseline->rows_s), "agents",
                     list_json(input->findings, input->finding_count, agent_item), "noise", noise_json(yardstick),
                     "repeats", repeats_json(input->experiments), "conditions",
                     conditions ? json_incref(conditions) : json_array(), "experiments",
                     list_json(yardstick->evidence.items, yardstick->evidence.count, evidence_item));
}

enum err synthesis_master(json_t **out, const struct synthesis_input *input, const char *generated, struct arena *arena,
                          struct diag *diag)
{
    struct baseline baseline;
    struct yardstick yardstick;
    struct judgement *judgements;
    TRY(read_baseline(&baseline, input->profile, diag));
    TRY(yardstick_init(&yardstick, input, arena, diag));
    TRY(judge_all(&judgements, &yardstick, arena, diag));
    AUTO(json_release) json_t *body = body_json(judgements, &yardstick, &baseline, arena);
    json_t *head = head_json(input, &baseline, generated);
    if (!head || !body || json_object_update(head, body) != 0) {
        json_decref(head);
        return diag_fail(diag, ERR_MEMORY, "master.json", NULL, "cannot be made: out of memory");
    }
    *out = head;
    return ERR_OK;
}
