/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include "base/arena.h"
#include "base/file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void json_release(json_t **json)
{
    json_decref(*json);
    *json = NULL;
}

enum err json_parse(json_t **out, const char *bytes, size_t count, const char *where, struct diag *diag)
{
    json_error_t error;
    if (count > JSON_LIMIT_BYTES)
        return diag_fail(diag, ERR_FORMAT, where, NULL, "JSON of %zu bytes, more than the %d accepted", count,
                         JSON_LIMIT_BYTES);
    *out = json_loadb(bytes, count, JSON_REJECT_DUPLICATES, &error);
    if (!*out)
        return diag_fail(diag, ERR_FORMAT, where, NULL, "not valid JSON: %s (line %d, column %d)", error.text,
                         error.line, error.column);
    return ERR_OK;
}

enum err json_read_file(json_t **out, const char *path, struct diag *diag)
{
    AUTO(arena_fini) struct arena arena;
    arena_init(&arena, JSON_LIMIT_BYTES + 1);
    char *bytes;
    size_t count;
    TRY(file_read(&bytes, &count, path, JSON_LIMIT_BYTES, &arena, diag));
    return json_parse(out, bytes, count, path, diag);
}

enum err json_write_file(const char *path, const json_t *json, struct diag *diag)
{
    char *bytes = json_dumps(json, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_REAL_PRECISION(9));
    size_t count = bytes ? strlen(bytes) : 0;
    if (!bytes)
        return diag_fail(diag, ERR_MEMORY, path, NULL, "cannot render the document: out of memory");
    bytes[count] = '\n'; /* takes the place of the NUL, which a file does not need */
    enum err error = file_write_atomic(path, bytes, count + 1, diag);
    free(bytes);
    return error;
}

char *json_line(const json_t *json)
{
    return json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS | JSON_REAL_PRECISION(9));
}

static enum err expected(struct diag *diag, const json_t *object, const char *key, const char *type)
{
    const char *problem = json_object_get(object, key) ? "has the wrong type" : "is missing";
    return diag_fail(diag, ERR_FORMAT, NULL, NULL, "'%s' %s; expected %s", key, problem, type);
}

enum err json_get_string(const char **out, const json_t *object, const char *key, struct diag *diag)
{
    *out = json_string_value(json_object_get(object, key));
    return *out ? ERR_OK : expected(diag, object, key, "a string");
}

enum err json_get_number(double *out, const json_t *object, const char *key, struct diag *diag)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_number(value))
        return expected(diag, object, key, "a number");
    *out = json_number_value(value);
    return ERR_OK;
}

enum err json_get_integer(long long *out, const json_t *object, const char *key, struct diag *diag)
{
    const json_t *value = json_object_get(object, key);
    if (!json_is_integer(value))
        return expected(diag, object, key, "a whole number");
    *out = json_integer_value(value);
    return ERR_OK;
}

enum err json_get_object(json_t **out, const json_t *object, const char *key, struct diag *diag)
{
    *out = json_object_get(object, key);
    return json_is_object(*out) ? ERR_OK : expected(diag, object, key, "an object");
}

enum err json_get_array(json_t **out, const json_t *object, const char *key, struct diag *diag)
{
    *out = json_object_get(object, key);
    return json_is_array(*out) ? ERR_OK : expected(diag, object, key, "an array");
}

const char *json_string_or(const json_t *object, const char *key, const char *fallback)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value ? value : fallback;
}

double json_number_or(const json_t *object, const char *key, double fallback)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : fallback;
}

json_t *json_real_tidy(double value)
{
    char digits[40];
    if (!isfinite(value))
        return json_null();
    (void)snprintf(digits, sizeof digits, "%.9g", value);
    return json_real(strtod(digits, NULL));
}
