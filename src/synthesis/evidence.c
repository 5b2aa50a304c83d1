/* SPDX-License-Identifier: Apache-2.0 */
#include "synthesis/evidence.h"

#include "base/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COMPARISONS_MAX = 10000, TIE_BREAKER_PREFIX_BYTES = 12 };
static const char TIE_BREAKER_PREFIX[TIE_BREAKER_PREFIX_BYTES + 1] = "tie-breaker:";

struct reading {
    const struct brief *brief;
    struct arena *arena;
    struct diag *diag;
    struct evidence *items;
    size_t count, capacity;
};

static enum err malformed(const struct reading *reading, const char *id, const char *what)
{
    return diag_fail(reading->diag, ERR_FORMAT, id, NULL, "the experiment is damaged: %s", what);
}

static const json_t *arm_of(const json_t *experiment, const json_t *comparison, const char *side)
{
    const json_t *index = json_object_get(comparison, side);
    if (!json_is_integer(index) || json_integer_value(index) < 0)
        return NULL;
    return json_array_get(json_object_get(experiment, "arms"), (size_t)json_integer_value(index));
}

/* What of `settings` differs from the baseline. A knob the brief does not have is damage. */
static enum err read_changes(struct setting_change **out, size_t *count, const struct reading *reading, const char *id,
                             const json_t *arm)
{
    const json_t *settings = json_object_get(arm, "settings");
    if (!json_is_object(settings))
        return malformed(reading, id, "an arm without settings");
    size_t known = 0;
    *count = 0;
    *out = ARENA_ARRAY(reading->arena, struct setting_change, reading->brief->knob_count);
    if (!*out)
        return arena_exhausted(reading->arena, reading->diag);
    for (size_t i = 0; i < reading->brief->knob_count; i++) {
        const struct brief_knob *knob = &reading->brief->knobs[i];
        const char *value = json_string_value(json_object_get(settings, knob->name));
        known += value ? 1 : 0;
        if (value && strcmp(value, knob->current) != 0)
            (*out)[(*count)++] = (struct setting_change){.knob = knob, .value = value};
    }
    return known == json_object_size(settings) ? ERR_OK : malformed(reading, id, "a setting of an unknown knob");
}

static size_t whole_number(const json_t *object, const char *key)
{
    json_int_t value = json_integer_value(json_object_get(object, key));
    return value > 0 ? (size_t)value : 0;
}

static bool is_ordered(struct interval effect)
{
    return effect.low > 0.0 && effect.low <= effect.mid && effect.mid <= effect.high && isfinite(effect.high);
}

/* A verdict of FASTER, SLOWER or SAME is nothing without its interval. */
static enum err read_effect(struct evidence *out, const struct reading *reading, const json_t *comparison)
{
    const json_t *effect = json_object_get(comparison, "effect");
    out->effect = (struct interval){json_number_or(effect, "low", NAN), json_number_or(effect, "mid", NAN),
                                    json_number_or(effect, "high", NAN)};
    if (is_ordered(out->effect))
        return ERR_OK;
    out->effect = (struct interval){NAN, NAN, NAN};
    bool needs_one = out->verdict == VERDICT_FASTER || out->verdict == VERDICT_SLOWER || out->verdict == VERDICT_SAME;
    return needs_one ? malformed(reading, out->experiment, "a verdict without its interval") : ERR_OK;
}

/* In a comparison of two arms the experiment's own end speaks for it; in a sweep it may be another arm's. */
static bool spoiled(const struct evidence *evidence)
{
    return strcmp(evidence->op, "compare") == 0 &&
           (strcmp(evidence->reason, "runs_failed") == 0 || strcmp(evidence->reason, "unequal_output") == 0);
}

static enum err read_comparison(struct evidence *out, const struct reading *reading, const json_t *experiment,
                                const json_t *comparison)
{
    const json_t *a = arm_of(experiment, comparison, "a"), *b = arm_of(experiment, comparison, "b"),
                 *winner = json_object_get(experiment, "winner");
    const char *verdict = json_string_or(comparison, "verdict", "");
    if (!a || !b)
        return malformed(reading, out->experiment, "a comparison of arms that do not exist");
    if (!verdict_from_name(&out->verdict, verdict))
        return malformed(reading, out->experiment, "an unknown verdict");
    struct setting_change *changes;
    size_t count;
    TRY(read_changes(&changes, &count, reading, out->experiment, a));
    out->from_baseline = count == 0;
    TRY(read_changes(&out->changes, &out->change_count, reading, out->experiment, b));
    TRY(read_effect(out, reading, comparison));
    if (spoiled(out))
        out->verdict = VERDICT_INVALID;
    out->visible_ratio = json_number_or(comparison, "visible_ratio", NAN);
    out->pairs = whole_number(comparison, "pairs");
    out->pairs_needed = whole_number(comparison, "pairs_needed");
    out->runs = json_array_size(json_object_get(a, "runs")) + json_array_size(json_object_get(b, "runs"));
    out->confirmed = json_is_true(json_object_get(comparison, "confirmed"));
    out->winner = json_is_integer(winner) && json_equal(winner, json_object_get(comparison, "b"));
    return ERR_OK;
}

static enum err add_room(struct reading *reading)
{
    if (reading->count < reading->capacity)
        return ERR_OK;
    if (reading->count >= COMPARISONS_MAX)
        return diag_fail(reading->diag, ERR_FORMAT, NULL, NULL, "more than %d comparisons", COMPARISONS_MAX);
    size_t capacity = reading->capacity ? 2 * reading->capacity : 16;
    struct evidence *items = ARENA_ARRAY(reading->arena, struct evidence, capacity);
    if (!items)
        return arena_exhausted(reading->arena, reading->diag);
    if (reading->count > 0)
        memcpy(items, reading->items, reading->count * sizeof *items);
    reading->items = items;
    reading->capacity = capacity;
    return ERR_OK;
}

static enum err read_experiment(struct reading *reading, const char *id, const json_t *experiment)
{
    size_t i;
    const json_t *comparison;
    if (!json_is_object(experiment))
        return malformed(reading, id, "not an object");
    json_array_foreach(json_object_get(experiment, "comparisons"), i, comparison)
    {
        TRY(add_room(reading));
        struct evidence *evidence = &reading->items[reading->count];
        *evidence = (struct evidence){.experiment = id,
                                      .op = json_string_or(experiment, "op", ""),
                                      .purpose = json_string_or(experiment, "purpose", ""),
                                      .reason = json_string_or(experiment, "reason", "")};
        TRY(read_comparison(evidence, reading, experiment, comparison));
        reading->count++;
    }
    return ERR_OK;
}

/* e2 before e10. */
static int by_number(const void *left, const void *right)
{
    const char *a = *(const char *const *)left, *b = *(const char *const *)right;
    size_t a_length = strlen(a), b_length = strlen(b);
    return a_length != b_length ? (a_length < b_length ? -1 : 1) : strcmp(a, b);
}

enum err evidence_read(struct evidence_list *out, const json_t *experiments, const struct brief *brief,
                       struct arena *arena, struct diag *diag)
{
    struct reading reading = {.brief = brief, .arena = arena, .diag = diag};
    size_t count = json_object_size(experiments), i = 0;
    const char **ids = ARENA_ARRAY(arena, const char *, count);
    if (!ids)
        return arena_exhausted(arena, diag);
    for (void *at = json_object_iter((json_t *)experiments); at; at = json_object_iter_next((json_t *)experiments, at))
        ids[i++] = json_object_iter_key(at);
    qsort(ids, count, sizeof *ids, by_number);
    for (i = 0; i < count; i++)
        TRY(read_experiment(&reading, ids[i], json_object_get(experiments, ids[i])));
    *out = (struct evidence_list){.items = reading.items, .count = reading.count};
    return ERR_OK;
}

bool evidence_is_about(const struct evidence *evidence, const char *knob)
{
    return evidence->from_baseline && evidence->change_count == 1 && strcmp(evidence->changes[0].knob->name, knob) == 0;
}

bool evidence_is_decided(const struct evidence *evidence)
{
    return evidence->verdict != VERDICT_CANNOT_TELL && evidence->verdict != VERDICT_PRELIMINARY;
}

static bool is_tie_breaker(const struct evidence *evidence)
{
    return strncmp(evidence->purpose, TIE_BREAKER_PREFIX, TIE_BREAKER_PREFIX_BYTES) == 0;
}

bool evidence_outranks(const struct evidence *a, const struct evidence *b)
{
    if ((a->verdict == VERDICT_INVALID) != (b->verdict == VERDICT_INVALID))
        return a->verdict == VERDICT_INVALID;
    if ((a->verdict == VERDICT_PRELIMINARY) != (b->verdict == VERDICT_PRELIMINARY))
        return b->verdict == VERDICT_PRELIMINARY;
    if (a->confirmed != b->confirmed)
        return a->confirmed;
    if (is_tie_breaker(a) != is_tie_breaker(b))
        return is_tie_breaker(a);
    return a->pairs >= b->pairs; /* of equals the later */
}

const struct evidence *evidence_on_value(const struct evidence_list *list, const char *knob, const char *value)
{
    const struct evidence *best = NULL;
    for (size_t i = 0; i < list->count; i++) {
        const struct evidence *item = &list->items[i];
        bool matches = evidence_is_about(item, knob) && strcmp(item->changes[0].value, value) == 0;
        if (matches && (!best || evidence_outranks(item, best)))
            best = item;
    }
    return best;
}

const struct evidence *evidence_control(const struct evidence_list *list)
{
    const struct evidence *best = NULL;
    for (size_t i = 0; i < list->count; i++) {
        const struct evidence *item = &list->items[i];
        bool is_control = strcmp(item->op, "control") == 0 && item->change_count == 0 && item->from_baseline;
        if (is_control && (!best || item->pairs >= best->pairs))
            best = item;
    }
    return best;
}

bool evidence_has_purpose(const struct evidence_list *list, const char *purpose)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].purpose, purpose) == 0)
            return true;
    return false;
}
