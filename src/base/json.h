/* SPDX-License-Identifier: Apache-2.0
 *
 * Our rules on top of jansson, for our own documents: strict (duplicate keys, NaN and rubbish behind the document are
 * errors), capped in size and depth, sorted keys on output so that equal documents are equal bytes.
 */
#pragma once

#include "base/err.h"

#include <jansson.h>
#include <stddef.h>

enum { JSON_LIMIT_BYTES = 64 * 1024 * 1024 };

/** For AUTO(json_release). */
void json_release(json_t **json);
/** Parses exactly one JSON object or array. The caller owns *out. `where` names the source in the diag. */
CHECKED enum err json_parse(json_t **out, const char *bytes, size_t count, const char *where, struct diag *diag);
CHECKED enum err json_read_file(json_t **out, const char *path, struct diag *diag);
/** Indented, keys sorted, replaced atomically. */
CHECKED enum err json_write_file(const char *path, const json_t *json, struct diag *diag);
/** One line, keys sorted, without a newline; free() it. NULL when memory is out. */
char *json_line(const json_t *json);

/* Checked access: the diag names the key and what was expected. Borrowed results live as long as `object`. */
CHECKED enum err json_get_string(const char **out, const json_t *object, const char *key, struct diag *diag);
CHECKED enum err json_get_number(double *out, const json_t *object, const char *key, struct diag *diag);
CHECKED enum err json_get_integer(long long *out, const json_t *object, const char *key, struct diag *diag);
CHECKED enum err json_get_object(json_t **out, const json_t *object, const char *key, struct diag *diag);
CHECKED enum err json_get_array(json_t **out, const json_t *object, const char *key, struct diag *diag);
/** The string at `key`, or `fallback` when the key is absent or no string. */
const char *json_string_or(const json_t *object, const char *key, const char *fallback);
/** The number at `key`, or `fallback` when the key is absent, null or no number. */
double json_number_or(const json_t *object, const char *key, double fallback);
/** A number for output: NaN and infinities become null; rounded to 9 significant digits so files stay readable. */
json_t *json_real_tidy(double value);
