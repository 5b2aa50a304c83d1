/* SPDX-License-Identifier: Apache-2.0 */
#include "synthesis/plan.h"

#include "base/json.h"
#include "finding/render.h"
#include "finding/say.h"

#include <math.h>
#include <string.h>

#define REACHES_PROBABILITY 0.9
#define CERTAIN_PROBABILITY 0.99
#define QUANTILE_975 1.959963984540054 /* of the standard normal */

/* A set of fixes with one measured effect. */
struct fix_set {
    const struct judgement *single;  /* or NULL */
    const struct evidence *together; /* or NULL */
    struct interval effect;
    double effort_days; /* INFINITY when one of them has none named */
    double probability;
};

static double log_sd(struct interval interval)
{
    return (log(interval.high) - log(interval.low)) / (2.0 * QUANTILE_975);
}

double plan_probability(struct interval effect, struct interval baseline_rows_s, double goal_rows_s)
{
    double lead = log(effect.mid * baseline_rows_s.mid / goal_rows_s);
    double sd = hypot(log_sd(effect), log_sd(baseline_rows_s));
    double probability = sd > 0.0 ? 0.5 * erfc(-lead / sd / sqrt(2.0)) : lead >= 0.0 ? 1.0 : 0.0;
    return fmin(fmax(probability, 1.0 - CERTAIN_PROBABILITY), CERTAIN_PROBABILITY);
}

json_t *plan_expected(const struct estimate *effect, struct interval baseline_rows_s)
{
    if (isnan(effect->ratio.mid) || isnan(baseline_rows_s.mid) || effect->basis >= BASIS_BOUNDED)
        return json_null();
    double from = baseline_rows_s.mid;
    return json_pack("{s:o, s:o, s:o, s:o}", "from", json_real_tidy(from), "to",
                     json_real_tidy(from * effect->ratio.mid), "low", json_real_tidy(from * effect->ratio.low), "high",
                     json_real_tidy(from * effect->ratio.high));
}

static double effort_of(const struct brief_candidate *candidate)
{
    return candidate && candidate->effort_days > 0.0 ? candidate->effort_days : INFINITY;
}

static const struct brief_candidate *candidate_of_knob(const struct brief *brief, const char *knob)
{
    for (size_t i = 0; i < brief->candidate_count; i++)
        if (brief->candidates[i].knob && strcmp(brief->candidates[i].knob, knob) == 0)
            return &brief->candidates[i];
    return NULL;
}

static bool is_better_plan(const struct fix_set *a, const struct fix_set *b)
{
    bool a_reaches = a->probability >= REACHES_PROBABILITY, b_reaches = b->probability >= REACHES_PROBABILITY;
    if (a_reaches != b_reaches)
        return a_reaches;
    bool cheaper = a->effort_days<b->effort_days, dearer = a->effort_days> b->effort_days;
    if (a_reaches && (cheaper || dearer))
        return cheaper;
    return a->probability > b->probability;
}

static void consider(struct fix_set *best, struct fix_set set, struct interval baseline_rows_s, double goal_rows_s)
{
    set.probability = plan_probability(set.effect, baseline_rows_s, goal_rows_s);
    bool none = !best->single && !best->together;
    if (none || is_better_plan(&set, best))
        *best = set;
}

/* Several knobs changed at once, measured against the baseline. */
static bool is_set_of_fixes(const struct evidence *evidence, double worth_ratio)
{
    return evidence->from_baseline && evidence->change_count > 1 && evidence->verdict == VERDICT_FASTER &&
           evidence->effect.low >= worth_ratio;
}

static struct fix_set best_set(const struct judgement *judgements, const struct yardstick *yardstick,
                               struct interval baseline_rows_s)
{
    const struct brief *brief = yardstick->input->brief;
    struct fix_set best = {0};
    for (size_t i = 0; i < brief->candidate_count; i++)
        if (judgements[i].decision == DECISION_RECOMMEND)
            consider(&best,
                     (struct fix_set){.single = &judgements[i],
                                      .effect = judgements[i].effect.ratio,
                                      .effort_days = effort_of(judgements[i].candidate)},
                     baseline_rows_s, brief->goal_rows_s);
    for (size_t i = 0; i < yardstick->evidence.count; i++) {
        const struct evidence *item = &yardstick->evidence.items[i];
        if (!is_set_of_fixes(item, yardstick->worth_ratio))
            continue;
        struct fix_set set = {.together = item, .effect = item->effect};
        for (size_t k = 0; k < item->change_count; k++)
            set.effort_days += effort_of(candidate_of_knob(brief, item->changes[k].knob->name));
        consider(&best, set, baseline_rows_s, brief->goal_rows_s);
    }
    return best;
}

static json_t *candidates_of(const struct fix_set *set, const struct brief *brief)
{
    json_t *ids = json_array();
    if (set->single)
        (void)json_array_append_new(ids, json_string(set->single->candidate->id));
    for (size_t i = 0; set->together && i < set->together->change_count; i++) {
        const struct brief_candidate *candidate = candidate_of_knob(brief, set->together->changes[i].knob->name);
        (void)json_array_append_new(ids, text_json(candidate ? candidate->id : set->together->changes[i].knob->name));
    }
    return ids;
}

static const char *plan_reason(const struct fix_set *set, const struct brief *brief, struct arena *arena)
{
    return arena_printf(arena,
                        set->probability >= REACHES_PROBABILITY
                            ? "the cheapest measured way to %s %s"
                            : "nothing measured reaches %s %s with a probability of 90 %%; what several fixes give "
                              "together is not known until they are measured together",
                        say_count(brief->goal_rows_s).text, brief->unit);
}

static json_t *plan_json(const struct fix_set *set, const struct brief *brief, struct interval baseline_rows_s,
                         const char *why)
{
    struct estimate effect = {set->effect, BASIS_MEASURED};
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "goal_rows_s", json_real_tidy(brief->goal_rows_s),
                     "candidates", candidates_of(set, brief), "experiments",
                     set->together ? json_pack("[s]", set->together->experiment)
                                   : json_pack("[s]", set->single->evidence->experiment),
                     "effort_days", json_real_tidy(set->effort_days), "expected",
                     plan_expected(&effect, baseline_rows_s), "probability", json_real_tidy(set->probability), "why",
                     text_json(why));
}

static json_t *empty_plan(double goal_rows_s, double probability, const char *why)
{
    return json_pack("{s:o, s:[], s:[], s:n, s:n, s:o, s:s}", "goal_rows_s", json_real_tidy(goal_rows_s), "candidates",
                     "experiments", "effort_days", "expected", "probability", json_real_tidy(probability), "why", why);
}

json_t *plan_goal(const struct judgement *judgements, const struct yardstick *yardstick,
                  struct interval baseline_rows_s, struct arena *arena)
{
    const struct brief *brief = yardstick->input->brief;
    if (!(brief->goal_rows_s > 0.0) || isnan(baseline_rows_s.mid))
        return json_null();
    double already = plan_probability((struct interval){1.0, 1.0, 1.0}, baseline_rows_s, brief->goal_rows_s);
    if (already >= REACHES_PROBABILITY)
        return empty_plan(brief->goal_rows_s, already, "the goal is met already");
    struct fix_set best = best_set(judgements, yardstick, baseline_rows_s);
    if (!best.single && !best.together)
        return empty_plan(brief->goal_rows_s, NAN,
                          "no fix was measured to be faster, so none is known to reach the goal");
    const char *why = plan_reason(&best, brief, arena);
    return why ? plan_json(&best, brief, baseline_rows_s, why) : NULL;
}

static json_t *phase_json(size_t phase, const struct judgement *judgement, struct interval baseline_rows_s)
{
    bool recommended = judgement->decision == DECISION_RECOMMEND;
    const char *note = !recommended ? "find out: not decided yet"
                       : phase == 1 ? "measured against today's pipeline"
                                    : "to be measured again once the phases before it are done";
    return json_pack(
        "{s:I, s:s, s:[s], s:o, s:o, s:o, s:s}", "phase", (json_int_t)phase, "action", recommended ? "do" : "find_out",
        "candidates", judgement->candidate->id, "priority", text_json(priority_name(judgement->priority)),
        "effort_days", json_real_tidy(effort_of(judgement->candidate)), "expected",
        recommended && phase == 1 ? plan_expected(&judgement->effect, baseline_rows_s) : json_null(), "note", note);
}

json_t *plan_roadmap(const struct judgement *judgements, size_t count, struct interval baseline_rows_s)
{
    json_t *phases = json_array();
    size_t phase = 0;
    for (size_t i = 0; i < count; i++) {
        bool worth = judgements[i].decision == DECISION_RECOMMEND ||
                     (judgements[i].decision == DECISION_CANNOT_TELL && judgements[i].priority <= PRIORITY_P2);
        if (!worth)
            continue;
        phase++;
        (void)json_array_append_new(phases, phase_json(phase, &judgements[i], baseline_rows_s));
    }
    if (json_array_size(phases) == phase)
        return phases;
    json_decref(phases);
    return NULL;
}
