/* SPDX-License-Identifier: Apache-2.0
 *
 * Where agents disagree, an experiment is run. Not where a measurement of exactly that change or the bound has settled
 * it, and not twice.
 */
#include "synthesis/judgement.h"

#include "base/json.h"

#include <math.h>
#include <string.h>

/* What the recommenders want; when they name no value, the last one of the knob: values grow with their effect. */
static const char *disputed_value(const struct judgement *judgement, const struct synthesis_input *input)
{
    const struct brief_knob *knob = judgement->knob;
    const char *named = votes_recommended_value(input, judgement->candidate->id);
    for (size_t i = knob->value_count; !named && i > 0; i--)
        if (strcmp(knob->values[i - 1], knob->current) != 0)
            named = knob->values[i - 1];
    return named;
}

static double gain_at_stake(const struct judgement *judgement)
{
    double mid = judgement->effect.ratio.mid;
    return isfinite(mid) ? mid : WORTH_TRYING;
}

static json_t *request_json(const struct judgement *judgement, const char *value, const char *purpose)
{
    return json_pack("{s:s, s:{s:s}, s:b, s:s, s:o}", "op", "compare", "b", judgement->knob->name, value, "confirm", 1,
                     "purpose", purpose, "value", json_real_tidy(gain_at_stake(judgement)));
}

static const char *dispute(const struct judgement *judgement, struct arena *arena)
{
    return arena_printf(arena, "%zu recommend it, %zu oppose it, %zu are neutral, %zu gave no answer",
                        judgement->tally.recommend, judgement->tally.oppose, judgement->tally.neutral,
                        judgement->tally.silent);
}

static enum err add_request(json_t *array, const struct judgement *judgement, const struct yardstick *yardstick,
                            struct arena *arena, struct diag *diag)
{
    const char *value = disputed_value(judgement, yardstick->input);
    const char *purpose = arena_printf(arena, "tie-breaker: %s", judgement->candidate->id);
    const char *why = dispute(judgement, arena);
    if (!purpose || !why)
        return arena_exhausted(arena, diag);
    const struct evidence *known = value ? evidence_on_value(&yardstick->evidence, judgement->knob->name, value) : NULL;
    if (!value || (known && evidence_is_decided(known)) || evidence_has_purpose(&yardstick->evidence, purpose))
        return ERR_OK;
    json_t *item = json_pack("{s:s, s:s, s:s, s:o}", "candidate", judgement->candidate->id, "kind",
                             votes_disputed(judgement->tally) ? "contradiction" : "investigate", "why", why, "request",
                             request_json(judgement, value, purpose));
    return json_array_append_new(array, item) == 0 ? ERR_OK : arena_exhausted(arena, diag);
}

enum err synthesis_tie_breakers(json_t **out, const struct synthesis_input *input, struct arena *arena,
                                struct diag *diag)
{
    struct yardstick yardstick;
    TRY(yardstick_init(&yardstick, input, arena, diag));
    AUTO(json_release) json_t *array = json_array();
    for (size_t i = 0; i < input->brief->candidate_count; i++) {
        struct judgement judgement;
        TRY(judge(&judgement, &yardstick, &input->brief->candidates[i], arena, diag));
        bool open = votes_disputed(judgement.tally) || judgement.consensus == CONSENSUS_INVESTIGATE;
        bool settled = judgement.candidate->bound.high < WORTH_TRYING;
        if (open && !settled && judgement.knob)
            TRY(add_request(array, &judgement, &yardstick, arena, diag));
    }
    *out = json_incref(array);
    return array ? ERR_OK : arena_exhausted(arena, diag);
}
