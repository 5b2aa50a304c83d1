/* SPDX-License-Identifier: Apache-2.0 */
#include "synthesis/reason.h"

#include "finding/say.h"

#include <math.h>
#include <string.h>

static const char *knob_of(const struct judgement *judgement)
{
    return judgement->knob->name;
}

const char *reason_gain(const struct judgement *judgement, struct arena *arena)
{
    const struct evidence *evidence = judgement->evidence;
    return arena_printf(arena, "%s=%s makes the run %s as fast as %s does (%s, %zu pairs%s)", knob_of(judgement),
                        judgement->value, say_effect(evidence->effect).text, judgement->knob->current,
                        evidence->experiment, evidence->pairs, evidence->confirmed ? ", confirmed on fresh runs" : "");
}

const char *reason_bound(const struct judgement *judgement, struct arena *arena)
{
    return arena_printf(arena, "it could save so little of the run that it cannot be worth more than %s",
                        say_percent(judgement->candidate->bound.high - 1.0).text);
}

static const char *reason_invalid(const struct judgement *judgement, struct arena *arena)
{
    const struct evidence *evidence = judgement->evidence;
    bool unequal = strcmp(evidence->reason, "unequal_output") == 0;
    return arena_printf(arena,
                        unequal ? "%s=%s gives another output than %s does (%s), so its speed does not count"
                                : "%s=%s cannot be used in place of %s: its runs fail (%s)",
                        knob_of(judgement), judgement->value, judgement->knob->current, evidence->experiment);
}

const char *reason_no_gain(const struct judgement *judgement, double worth_ratio, struct arena *arena)
{
    const struct evidence *evidence = judgement->evidence;
    if (evidence->verdict == VERDICT_INVALID)
        return reason_invalid(judgement, arena);
    if (evidence->verdict == VERDICT_SLOWER)
        return arena_printf(arena, "%s=%s is slower than %s: %s (%s, %zu pairs)", knob_of(judgement), judgement->value,
                            judgement->knob->current, say_effect(evidence->effect).text, evidence->experiment,
                            evidence->pairs);
    return arena_printf(arena, "%s=%s is worth less than %s against %s: %s (%s, %zu pairs)", knob_of(judgement),
                        judgement->value, say_percent(worth_ratio - 1.0).text, judgement->knob->current,
                        say_effect(evidence->effect).text, evidence->experiment, evidence->pairs);
}

static const char *reason_unmeasured(const struct judgement *judgement, struct arena *arena)
{
    const struct estimate *effect = &judgement->effect;
    const char *take = judgement->knob ? "not measured; compare it in the lab"
                                       : "nothing in pipeline.toml sets it; build it behind a knob and compare";
    if (isnan(effect->ratio.mid))
        return arena_printf(arena, "not priced: no bound, no simulation; %s", take);
    if (effect->basis == BASIS_BOUNDED)
        return arena_printf(arena, "worth at most %s; %s", say_ratio(effect->ratio.high).text, take);
    if (effect->basis == BASIS_CLAIMED)
        return arena_printf(arena, "an agent claims %s, and no experiment shows it; %s", say_effect(effect->ratio).text,
                            take);
    return arena_printf(arena, "simulated at %s; %s", say_effect(effect->ratio).text, take);
}

/* Why the comparison did not decide, and what would. */
static const char *reason_undecided(const struct judgement *judgement, double worth_ratio, struct arena *arena)
{
    const struct evidence *evidence = judgement->evidence;
    const char *pairs = evidence->pairs_needed > evidence->pairs
                            ? arena_printf(arena, "about %zu pairs would tell", evidence->pairs_needed)
                            : arena_strdup(arena, "more pairs, or a quieter machine, would tell");
    if (!pairs)
        return NULL;
    if (evidence->verdict == VERDICT_FASTER)
        return arena_printf(arena, "%s=%s is faster than %s, but perhaps by less than %s: %s (%s, %zu pairs); %s",
                            knob_of(judgement), judgement->value, judgement->knob->current,
                            say_percent(worth_ratio - 1.0).text, say_effect(evidence->effect).text,
                            evidence->experiment, evidence->pairs, pairs);
    return arena_printf(arena, "%s=%s against %s is still open: %s after %zu pairs (%s); %s", knob_of(judgement),
                        judgement->value, judgement->knob->current, say_effect(evidence->effect).text, evidence->pairs,
                        evidence->experiment, pairs);
}

const char *reason_cannot_tell(const struct judgement *judgement, const char *missing, double worth_ratio,
                               struct arena *arena)
{
    if (!judgement->evidence)
        return reason_unmeasured(judgement, arena);
    bool ruled_out = judgement->evidence->verdict == VERDICT_SAME || judgement->evidence->verdict == VERDICT_SLOWER ||
                     judgement->evidence->verdict == VERDICT_INVALID;
    if (!missing || !ruled_out)
        return reason_undecided(judgement, worth_ratio, arena);
    return arena_printf(arena, "%s=%s brings nothing (%s), but %s=%s was not measured", knob_of(judgement),
                        judgement->value, judgement->evidence->experiment, knob_of(judgement), missing);
}
