/* SPDX-License-Identifier: Apache-2.0 */
#include "synthesis/judgement.h"

#include "synthesis/reason.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define QUICK_WIN_DAYS 1.0
static const struct estimate NO_ESTIMATE = {.ratio = {NAN, NAN, NAN}, .basis = BASIS_CLAIMED};

enum priority priority_of(struct interval effect)
{
    if (isnan(effect.mid))
        return PRIORITY_NONE;
    double nearest = effect.low > 1.0 ? effect.low : 1.0; /* a loss is no reason to hurry */
    if (nearest > 5.0)
        return PRIORITY_P0;
    if (nearest >= 2.0)
        return PRIORITY_P1;
    return nearest >= 1.2 ? PRIORITY_P2 : PRIORITY_P3;
}

const char *priority_name(enum priority priority)
{
    static const char *const NAMES[] = {"P0", "P1", "P2", "P3", NULL};
    return NAMES[priority];
}

const char *decision_name(enum decision decision)
{
    static const char *const NAMES[] = {"recommend", "cannot_tell", "leave_alone"};
    return NAMES[decision];
}

/* A control that differs from itself shows how far off the other verdicts may be. */
static double noise_floor(const struct evidence *control)
{
    if (!control || (control->verdict != VERDICT_FASTER && control->verdict != VERDICT_SLOWER))
        return 1.0;
    return fmax(control->effect.high, 1.0 / control->effect.low);
}

enum err yardstick_init(struct yardstick *out, const struct synthesis_input *input, struct arena *arena,
                        struct diag *diag)
{
    out->input = input;
    TRY(evidence_read(&out->evidence, input->experiments, input->brief, arena, diag));
    out->worth_ratio = fmax(WORTH_DOING, noise_floor(evidence_control(&out->evidence)));
    return ERR_OK;
}

/* What a measurement says about a value, the most useful first. */
enum finding_class { CLASS_GAIN, CLASS_UNDECIDED, CLASS_NO_GAIN, CLASS_INVALID };

static enum finding_class class_of(const struct evidence *evidence, double worth_ratio)
{
    switch (evidence->verdict) {
    case VERDICT_INVALID:
        return CLASS_INVALID;
    case VERDICT_SAME:
    case VERDICT_SLOWER:
        return CLASS_NO_GAIN;
    case VERDICT_PRELIMINARY: /* a range of ratios, not an interval: it decides nothing */
        return CLASS_UNDECIDED;
    case VERDICT_FASTER:
        if (evidence->effect.low >= worth_ratio)
            return CLASS_GAIN;
        break;
    case VERDICT_CANNOT_TELL:
        break;
    }
    return evidence->effect.high < worth_ratio ? CLASS_NO_GAIN : CLASS_UNDECIDED;
}

static bool is_winner(const struct evidence_list *list, const char *knob, const char *value)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct evidence *item = &list->items[i];
        if (item->winner && evidence_is_about(item, knob) && strcmp(item->changes[0].value, value) == 0)
            return true;
    }
    return false;
}

/* The value to talk about: the best class; in it the lab's winner, then the larger gain that is certain (or likely). */
static bool is_better(const struct yardstick *yardstick, const struct evidence *a, const struct evidence *b)
{
    enum finding_class a_class = class_of(a, yardstick->worth_ratio), b_class = class_of(b, yardstick->worth_ratio);
    if (a_class != b_class)
        return a_class < b_class;
    bool a_wins = is_winner(&yardstick->evidence, a->changes[0].knob->name, a->changes[0].value);
    bool b_wins = is_winner(&yardstick->evidence, b->changes[0].knob->name, b->changes[0].value);
    if (a_wins != b_wins)
        return a_wins;
    return a_class == CLASS_GAIN ? a->effect.low > b->effect.low : a->effect.mid > b->effect.mid;
}

static const struct evidence *best_evidence(const struct yardstick *yardstick, const struct brief_knob *knob)
{
    const struct evidence *best = NULL;
    for (size_t i = 0; knob && i < knob->value_count; i++) {
        const struct evidence *item = evidence_on_value(&yardstick->evidence, knob->name, knob->values[i]);
        if (item && (!best || is_better(yardstick, item, best)))
            best = item;
    }
    return best;
}

/* Ruling a knob out takes a measurement of every value somebody recommends or, when nobody names one, of every value.
 * NULL when nothing is missing. */
static const char *missing_value(const struct yardstick *yardstick, const struct judgement *judgement)
{
    const struct brief_knob *knob = judgement->knob;
    const struct synthesis_input *input = yardstick->input;
    bool named = false;
    for (size_t i = 0; i < input->finding_count; i++) {
        const struct stance *stance = votes_stance(input->findings[i], judgement->candidate->id);
        if (!stance || stance->vote != VOTE_RECOMMEND || !stance->change)
            continue;
        named = true;
        if (!evidence_on_value(&yardstick->evidence, knob->name, stance->change->to))
            return stance->change->to;
    }
    for (size_t i = 0; !named && i < knob->value_count; i++)
        if (strcmp(knob->values[i], knob->current) != 0 &&
            !evidence_on_value(&yardstick->evidence, knob->name, knob->values[i]))
            return knob->values[i];
    return NULL;
}

/* The owner's simulation of the change to `value` (NULL: of any), as long as the candidate's bound allows it. What
 * another agent calls simulated, and what anybody calls measured without an experiment in the journal, is an agent's
 * word. */
static const struct stance *simulated(struct estimate *out, const struct judgement *judgement,
                                      const struct synthesis_input *input, const char *value)
{
    const struct brief_candidate *candidate = judgement->candidate;
    for (size_t i = 0; i < input->finding_count; i++) {
        const struct stance *stance = votes_stance(input->findings[i], candidate->id);
        if (!stance || !stance->prediction || strcmp(input->findings[i]->agent, candidate->owner) != 0)
            continue;
        bool other = value && stance->change && strcmp(stance->change->to, value) != 0;
        if (other || stance->prediction->basis != BASIS_SIMULATED ||
            stance->prediction->ratio.low > candidate->bound.high)
            continue;
        *out = *stance->prediction;
        return stance;
    }
    return NULL;
}

static const struct stance *claimed(struct estimate *out, const struct judgement *judgement,
                                    const struct synthesis_input *input)
{
    for (size_t i = 0; i < input->finding_count; i++) {
        const struct stance *stance = votes_stance(input->findings[i], judgement->candidate->id);
        const struct estimate *said = stance && stance->effect ? stance->effect : stance ? stance->prediction : NULL;
        if (!said || !isfinite(said->ratio.high))
            continue;
        *out = (struct estimate){said->ratio, BASIS_CLAIMED};
        return stance;
    }
    return NULL;
}

/* Never measured: the simulation, else the bound, else an agent's word. */
static void estimate_unmeasured(struct judgement *judgement, const struct synthesis_input *input)
{
    const struct brief_candidate *candidate = judgement->candidate;
    const struct stance *stance = simulated(&judgement->effect, judgement, input, NULL);
    if (!stance && isfinite(candidate->bound.high))
        judgement->effect = (struct estimate){candidate->bound, BASIS_BOUNDED};
    else if (!stance)
        stance = claimed(&judgement->effect, judgement, input);
    if (stance && stance->change)
        judgement->value = stance->change->to;
}

static void estimate_measured(struct judgement *judgement)
{
    const struct evidence *evidence = judgement->evidence;
    judgement->value = evidence->changes[0].value;
    if (evidence->verdict != VERDICT_INVALID)
        judgement->effect = (struct estimate){evidence->effect, evidence->confirmed ? BASIS_CONFIRMED : BASIS_MEASURED};
}

static void decide(struct judgement *judgement, const struct yardstick *yardstick, struct arena *arena)
{
    const struct evidence *evidence = judgement->evidence;
    enum finding_class found = evidence ? class_of(evidence, yardstick->worth_ratio) : CLASS_UNDECIDED;
    const char *missing = evidence ? missing_value(yardstick, judgement) : NULL;
    judgement->decision = DECISION_LEAVE_ALONE;
    if (evidence && found == CLASS_GAIN) {
        judgement->decision = DECISION_RECOMMEND;
        judgement->why = reason_gain(judgement, arena);
    } else if (evidence && found != CLASS_UNDECIDED && !missing) {
        judgement->why = reason_no_gain(judgement, yardstick->worth_ratio, arena);
    } else if (judgement->candidate->bound.high < WORTH_TRYING) {
        judgement->why = reason_bound(judgement, arena);
    } else {
        judgement->decision = DECISION_CANNOT_TELL;
        judgement->why = reason_cannot_tell(judgement, missing, yardstick->worth_ratio, arena);
    }
}

static void rank(struct judgement *judgement)
{
    double effort_days = judgement->candidate->effort_days;
    bool wanted = judgement->decision != DECISION_LEAVE_ALONE && judgement->effect.basis != BASIS_CLAIMED;
    judgement->priority = wanted ? priority_of(judgement->effect.ratio) : PRIORITY_NONE;
    judgement->quick_win = judgement->decision == DECISION_RECOMMEND && judgement->priority <= PRIORITY_P2 &&
                           effort_days > 0.0 && effort_days <= QUICK_WIN_DAYS;
}

enum err judge(struct judgement *out, const struct yardstick *yardstick, const struct brief_candidate *candidate,
               struct arena *arena, struct diag *diag)
{
    const struct synthesis_input *input = yardstick->input;
    struct tally tally = votes_count(input, candidate->id);
    *out = (struct judgement){.candidate = candidate,
                              .knob = candidate->knob ? brief_knob(input->brief, candidate->knob) : NULL,
                              .value = votes_recommended_value(input, candidate->id),
                              .tally = tally,
                              .consensus = votes_consensus(tally),
                              .effect = NO_ESTIMATE,
                              .prediction = NO_ESTIMATE};
    out->evidence = best_evidence(yardstick, out->knob);
    if (out->evidence)
        estimate_measured(out);
    else
        estimate_unmeasured(out, input);
    (void)simulated(&out->prediction, out, input, out->value);
    decide(out, yardstick, arena);
    rank(out);
    return out->why ? ERR_OK : arena_exhausted(arena, diag);
}

/* An effort nobody named sorts behind the known ones. */
static double effort_rank(const struct judgement *judgement)
{
    return judgement->candidate->effort_days > 0.0 ? judgement->candidate->effort_days : INFINITY;
}

static int by_importance(const void *left, const void *right)
{
    const struct judgement *a = left, *b = right;
    if (a->decision != b->decision)
        return a->decision < b->decision ? -1 : 1;
    if (a->priority != b->priority)
        return a->priority < b->priority ? -1 : 1;
    if (effort_rank(a) < effort_rank(b) || effort_rank(a) > effort_rank(b))
        return effort_rank(a) < effort_rank(b) ? -1 : 1;
    return strcmp(a->candidate->id, b->candidate->id);
}

enum err judge_all(struct judgement **out, const struct yardstick *yardstick, struct arena *arena, struct diag *diag)
{
    const struct brief *brief = yardstick->input->brief;
    *out = ARENA_ARRAY(arena, struct judgement, brief->candidate_count);
    if (!*out)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < brief->candidate_count; i++)
        TRY(judge(&(*out)[i], yardstick, &brief->candidates[i], arena, diag));
    qsort(*out, brief->candidate_count, sizeof **out, by_importance);
    return ERR_OK;
}
