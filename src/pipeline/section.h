/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads one table of a pipeline.toml by its description: a section is a list of keys, each with its type, its default
 * and what it is for. The same description makes docs/pipeline-toml.md (a test compares them).
 */
#pragma once

#include "base/err.h"
#include "pipeline/mistake.h"
#include "pipeline/toml.h"

#include <stdbool.h>
#include <stddef.h>

enum { SECTION_LIST_LIMIT = 256 }; /* tables of one kind, values of a knob, commands before a run */

enum key_type {
    KEY_NAME,          /* const char *: becomes file names and candidate ids */
    KEY_CANDIDATE,     /* const char *: <stage>.<word> */
    KEY_TEXT,          /* const char * */
    KEY_VARIABLE,      /* const char *: an environment variable */
    KEY_COMMAND,       /* struct argv */
    KEY_COMMANDS,      /* struct argv *, and its count */
    KEY_DURATION,      /* uint64_t, nanoseconds */
    KEY_POSITIVE,      /* double > 0 */
    KEY_DAYS,          /* double >= 0 */
    KEY_SWITCH,        /* bool */
    KEY_VALUES,        /* const char **, and its count */
    KEY_VALUE,         /* const char * */
    KEY_STAGE_KIND,    /* enum stage_kind */
    KEY_LEVER,         /* enum lever */
    KEY_DATABASE_KIND, /* const char * */
    KEY_RESTART,       /* enum service_restart */
    KEY_RESERVED,      /* known, but not accepted yet */
};

struct key {
    const char *name;
    enum key_type type;
    bool required;
    size_t offset, count_offset;       /* of the field, in the structure that the section fills */
    const struct toml_value *fallback; /* the default; NULL = none */
    const char *example, *meaning;
};

struct section {
    const char *title; /* "[pipeline]", "[[knob]]" */
    const char *word;  /* with a name it makes the subject: "knob 'batch'"; NULL for tables without a name */
    const struct key *keys;
    size_t key_count;
};

/** Fills the structure `out` from `table`; texts and lists are the arena's. Leaves reading->subject naming the table.
 */
CHECKED enum err section_read(void *out, const struct section *section, const struct toml_value *table,
                              struct reading *reading);
/** Names the table as the subject of mistakes to come. ERR_MEMORY only. */
CHECKED enum err section_subject(struct reading *reading, const struct section *section,
                                 const struct toml_value *table);
/** Reads `value` into the field of `key` in the structure `out`. */
CHECKED enum err key_read(void *out, const struct key *key, const struct toml_value *value,
                          const struct reading *reading);
/** What was expected for `key`, with its example: `expected a duration, such as "60s"`. */
const char *key_expectation(char hint[HINT_BYTES], const struct key *key);
/** What a value of the type must be: "a duration". */
const char *key_type_expected(enum key_type type);
