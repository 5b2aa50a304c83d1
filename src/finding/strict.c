/* SPDX-License-Identifier: Apache-2.0 */
#include "finding/strict.h"

#include "base/json.h"
#include "base/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void describe(struct text *path, const struct place *place)
{
    if (place->outer)
        describe(path, place->outer);
    if (!place->outer)
        text_addf(path, "%s:", place->key);
    else if (!place->key)
        text_addf(path, "[%zu]", place->index);
    else
        text_addf(path, "%s%s", place->outer->outer ? "." : " ", place->key);
}

enum err strict_fail(const struct strict *strict, const struct place *place, const char *format, ...)
{
    char what[256];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(what, sizeof what, format, args);
    va_end(args);
    AUTO(text_fini) struct text path;
    text_init(&path, 1024);
    describe(&path, place);
    if (!place->outer && path.length_bytes)
        path.data[path.length_bytes - 1] = '\0'; /* the document itself: diag_line adds the colon */
    return diag_fail(strict->diag, ERR_FORMAT, text_string(&path), NULL, "%s", what);
}

static bool listed(const char *name, const char *const *names)
{
    for (; names && *names; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

enum err strict_object(const struct strict *strict, const struct place *place, const char *const *required,
                       const char *const *optional)
{
    if (!json_is_object(place->json))
        return strict_fail(strict, place, place->json ? "expected an object" : "is missing; expected an object");
    for (const char *const *key = required; key && *key; key++)
        if (!json_object_get(place->json, *key))
            return strict_fail(strict, place, "'%s' is missing", *key);
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)place->json, key, value)
    {
        if (!listed(key, required) && !listed(key, optional))
            return strict_fail(strict, place, "unknown key '%.64s'", key);
    }
    return ERR_OK;
}

struct place place_member(const struct place *object, const char *key)
{
    const json_t *value = json_object_get(object->json, key);
    return (struct place){.outer = object, .key = key, .json = json_is_null(value) ? NULL : value};
}

struct place place_item(const struct place *array, size_t index)
{
    return (struct place){.outer = array, .index = index, .json = json_array_get(array->json, index)};
}

enum err strict_list(size_t *count, const struct strict *strict, const struct place *place, size_t limit)
{
    *count = json_array_size(place->json);
    if (place->json && !json_is_array(place->json))
        return strict_fail(strict, place, "expected a list");
    if (*count > limit)
        return strict_fail(strict, place, "%zu items, more than the %zu accepted", *count, limit);
    return ERR_OK;
}

enum err strict_text(const char **out, const struct strict *strict, const struct place *place)
{
    if (!json_is_string(place->json))
        return strict_fail(strict, place, place->json ? "expected a text" : "is missing; expected a text");
    if (json_string_length(place->json) > STRICT_TEXT_BYTES)
        return strict_fail(strict, place, "a text of %zu bytes, more than the %d accepted",
                           json_string_length(place->json), STRICT_TEXT_BYTES);
    *out = arena_strdup(strict->arena, json_string_value(place->json));
    return *out ? ERR_OK : arena_exhausted(strict->arena, strict->diag);
}

enum err strict_text_optional(const char **out, const struct strict *strict, const struct place *place)
{
    *out = NULL;
    return place->json ? strict_text(out, strict, place) : ERR_OK;
}

enum err strict_texts(const char *const **out, size_t *count, const struct strict *strict, const struct place *place,
                      size_t limit)
{
    TRY(strict_list(count, strict, place, limit));
    const char **texts = ARENA_ARRAY(strict->arena, const char *, *count + 1);
    if (!texts)
        return arena_exhausted(strict->arena, strict->diag);
    for (size_t i = 0; i < *count; i++) {
        struct place item = place_item(place, i);
        TRY(strict_text(&texts[i], strict, &item));
    }
    *out = texts;
    return ERR_OK;
}

enum err strict_number(double *out, const struct strict *strict, const struct place *place, double low, double high)
{
    if (!json_is_number(place->json))
        return strict_fail(strict, place, place->json ? "expected a number" : "is missing; expected a number");
    *out = json_number_value(place->json);
    if (!(*out >= low && *out <= high))
        return strict_fail(strict, place, "%g is outside %g to %g", *out, low, high);
    return ERR_OK;
}

enum err strict_bool(bool *out, const struct strict *strict, const struct place *place)
{
    *out = json_is_true(place->json);
    return json_is_boolean(place->json) ? ERR_OK : strict_fail(strict, place, "expected true or false");
}

enum err strict_name(size_t *out, const struct strict *strict, const struct place *place, const char *const *names)
{
    const char *text = "";
    TRY(strict_text(&text, strict, place));
    for (*out = 0; names[*out]; ++*out)
        if (strcmp(names[*out], text) == 0)
            return ERR_OK;
    return strict_fail(strict, place, "'%.64s' is not one of the accepted words, the first of which is '%s'", text,
                       names[0]);
}

static enum err read_bound(double *out, const struct strict *strict, const struct place *interval, const char *key,
                           double low, double high, bool open_end)
{
    struct place place = place_member(interval, key);
    *out = INFINITY;
    return open_end && !place.json ? ERR_OK : strict_number(out, strict, &place, low, high);
}

enum err strict_interval(struct interval *out, const struct strict *strict, const struct place *place, double low,
                         double high, bool open_end)
{
    static const char *const KEYS[] = {"low", "mid", "high", NULL};
    TRY(strict_object(strict, place, KEYS, NULL));
    TRY(read_bound(&out->low, strict, place, "low", low, high, false));
    TRY(read_bound(&out->mid, strict, place, "mid", low, high, open_end));
    TRY(read_bound(&out->high, strict, place, "high", low, high, open_end));
    if (!(out->low <= out->mid && out->mid <= out->high))
        return strict_fail(strict, place, "low %g, mid %g, high %g are not in order", out->low, out->mid, out->high);
    return ERR_OK;
}
