/* SPDX-License-Identifier: Apache-2.0
 *
 * A TOML document as a plain tree that remembers its lines. Parsing is toml++'s work, behind the C++ of toml_shim.cpp;
 * what a pipeline.toml may hold is checked elsewhere, in C.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TOML_LIMIT_BYTES = 1024 * 1024, TOML_LIMIT_DEPTH = 16 };

enum toml_type { TOML_STRING, TOML_INTEGER, TOML_FLOAT, TOML_BOOLEAN, TOML_DATE, TOML_LIST, TOML_TABLE };

struct toml_value {
    const char *key;       /* NULL inside a list and for the document itself */
    unsigned line, column; /* from 1; of the key where there is one */
    enum toml_type type;
    union {
        const char *text; /* UTF-8 without NUL */
        int64_t integer;
        double number;
        bool boolean;
    } as;
    const struct toml_value *items; /* of a list or table, in file order */
    size_t count;
};

/** Parses `bytes` of text into a table; the arena owns it. ERR_CONFIG with where = "name:line:column" when it is not
 *  TOML 1.0, larger than TOML_LIMIT_BYTES or nested deeper than TOML_LIMIT_DEPTH. `name` is what the user calls the
 * file. */
CHECKED enum err toml_parse(const struct toml_value **out, const char *text, size_t bytes, const char *name,
                            struct arena *arena, struct diag *diag);

/** The member `key` of a table; NULL when there is none, or `table` is none. */
const struct toml_value *toml_member(const struct toml_value *table, const char *key);
/** What a person calls the type: "a string", "a list", ... */
const char *toml_type_name(enum toml_type type);

/** The C++ half of toml_parse: text that passed the guard. No exception leaves it. */
CHECKED enum err toml_shim_parse(struct toml_value **out, const char *text, size_t bytes, const char *name,
                                 struct arena *arena, struct diag *diag);
