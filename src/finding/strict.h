/* SPDX-License-Identifier: Apache-2.0
 *
 * Strict reading of JSON documents that others wrote, agents and language models among them: every object names the
 * keys it may have, every text and list has its cap, every number its range. The first mistake becomes one line that
 * says where it is, such as "findings.json: stances[3].effect.low: 7 is above mid".
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "stats/effect.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

enum { STRICT_TEXT_BYTES = 2000 };

/** A value and the way to it. Lives on the reader's stack; `outer` is NULL at the document's root. */
struct place {
    const struct place *outer;
    const char *key; /* inside an object; for the root the name of the source */
    size_t index;    /* inside an array, when key is NULL */
    const json_t *json;
};

/** What every strict_ function needs beside the place. */
struct strict {
    struct arena *arena; /* owns the copies of texts */
    struct diag *diag;
};

/** Fails with the place as "where". Always returns ERR_FORMAT. */
CHECKED enum err strict_fail(const struct strict *strict, const struct place *place, const char *format, ...)
    PRINTF_LIKE(3, 4);
/** The place must be an object which has only keys of `required` and `optional` (NULL-terminated; NULL = none), and all
 *  of `required`. */
CHECKED enum err strict_object(const struct strict *strict, const struct place *place, const char *const *required,
                               const char *const *optional);
/** The member of an object (json is NULL when absent or null) or of an array. */
struct place place_member(const struct place *object, const char *key);
struct place place_item(const struct place *array, size_t index);

/** A list of at most `limit` items; absent = empty. */
CHECKED enum err strict_list(size_t *count, const struct strict *strict, const struct place *place, size_t limit);
/** A text of at most STRICT_TEXT_BYTES, copied. An absent one is an error. */
CHECKED enum err strict_text(const char **out, const struct strict *strict, const struct place *place);
/** Same, but NULL when absent. */
CHECKED enum err strict_text_optional(const char **out, const struct strict *strict, const struct place *place);
/** A list of texts; *out has *count items and a NULL behind them. */
CHECKED enum err strict_texts(const char *const **out, size_t *count, const struct strict *strict,
                              const struct place *place, size_t limit);
CHECKED enum err strict_number(double *out, const struct strict *strict, const struct place *place, double low,
                               double high);
CHECKED enum err strict_bool(bool *out, const struct strict *strict, const struct place *place);
/** Index of the text in `names` (NULL-terminated). */
CHECKED enum err strict_name(size_t *out, const struct strict *strict, const struct place *place,
                             const char *const *names);
/** {"low", "mid", "high"} in [low, high] and in order. With `open_end` a null `high`, or `mid` and `high`, is INFINITY.
 */
CHECKED enum err strict_interval(struct interval *out, const struct strict *strict, const struct place *place,
                                 double low, double high, bool open_end);
