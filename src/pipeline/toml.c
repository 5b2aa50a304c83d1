/* SPDX-License-Identifier: Apache-2.0
 *
 * The guard before toml++: its tables are destroyed by recursion, so a key such as a.a.a... of a megabyte would use up
 * the stack. The guard knows just enough of TOML (comments and strings) to count brackets and dots outside them.
 */
#include "pipeline/toml.h"

#include <stdio.h>
#include <string.h>

/* Behind the string that starts at `at`: its closing quotes, the end of an unclosed line, or `end`. */
static const char *skip_string(const char *at, const char *end)
{
    char quote = *at;
    bool lines = end - at >= 3 && at[1] == quote && at[2] == quote;
    int closing = lines ? 3 : 1, run = 0;
    for (at += closing; at < end && run < closing; at++) {
        run = *at == quote ? run + 1 : 0;
        if (*at == '\n' && !lines)
            return at;
        if (*at == '\\' && quote == '"' && at + 1 < end)
            at++;
    }
    for (int extra = 0; lines && extra < 2 && at < end && *at == quote; extra++)
        at++; /* """a""""" ends in two quotes of its own */
    return at;
}

static const char *skip_comment(const char *at, const char *end)
{
    const char *line_end = memchr(at, '\n', (size_t)(end - at));
    return line_end ? line_end : end;
}

/* The place where brackets, or the dots of one key, nest too deep; NULL when they do not. */
static const char *too_deep(const char *text, const char *end)
{
    unsigned depth = 0, dots = 0;
    for (const char *at = text; at < end;) {
        if (*at == '#' || *at == '"' || *at == '\'') {
            at = *at == '#' ? skip_comment(at, end) : skip_string(at, end);
            continue;
        }
        if (*at == '.')
            dots++;
        else if (strchr("[]{}=,\n", *at))
            dots = 0;
        if (*at == '[' || *at == '{')
            depth++;
        else if ((*at == ']' || *at == '}') && depth > 0)
            depth--;
        if (depth > TOML_LIMIT_DEPTH || dots > TOML_LIMIT_DEPTH)
            return at;
        at++;
    }
    return NULL;
}

static enum err refuse(const char *text, const char *at, const char *name, const char *what, struct diag *diag)
{
    unsigned line = 1;
    for (const char *next = text; (next = memchr(next, '\n', (size_t)(at - next))) != NULL; next++)
        line++;
    char where[sizeof diag->where];
    (void)snprintf(where, sizeof where, "%s:%u", name, line);
    return diag_fail(diag, ERR_CONFIG, where, NULL, "%s", what);
}

enum err toml_parse(const struct toml_value **out, const char *text, size_t bytes, const char *name,
                    struct arena *arena, struct diag *diag)
{
    if (bytes > TOML_LIMIT_BYTES)
        return diag_fail(diag, ERR_CONFIG, name, "expected at most 1 MiB", "the file has %zu bytes", bytes);
    const char *zero = memchr(text, '\0', bytes);
    if (zero)
        return refuse(text, zero, name, "holds a NUL byte; expected text", diag);
    const char *deep = too_deep(text, text + bytes);
    if (deep)
        return refuse(text, deep, name, "nested too deep; expected at most 16 levels", diag);
    struct toml_value *document;
    TRY(toml_shim_parse(&document, text, bytes, name, arena, diag));
    *out = document;
    return ERR_OK;
}

const struct toml_value *toml_member(const struct toml_value *table, const char *key)
{
    for (size_t i = 0; table->type == TOML_TABLE && i < table->count; i++)
        if (strcmp(table->items[i].key, key) == 0)
            return &table->items[i];
    return NULL;
}

const char *toml_type_name(enum toml_type type)
{
    static const char *const names[] = {
        [TOML_STRING] = "a string",       [TOML_INTEGER] = "a whole number", [TOML_FLOAT] = "a number with a fraction",
        [TOML_BOOLEAN] = "true or false", [TOML_DATE] = "a date or time",    [TOML_LIST] = "a list",
        [TOML_TABLE] = "a table",
    };
    return names[type];
}
