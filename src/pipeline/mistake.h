/* SPDX-License-Identifier: Apache-2.0
 *
 * A mistake in pipeline.toml is one line: file and line as the user knows them, what is wrong, what was expected. The
 * file is untrusted, so the line is made printable and free of passwords here, once.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "pipeline/toml.h"

#include <stddef.h>

/** One reading of one file. */
struct reading {
    const char *name;    /* of the file, as the user gave it */
    const char *subject; /* what is being read: "knob 'batch'", "[goal]" */
    struct arena *arena;
    struct diag *diag;
};

enum { HINT_BYTES = 256 };

/** Fills the diag: where = "name:line" of `at`, what = the subject and the formatted rest. Returns ERR_CONFIG. */
CHECKED enum err mistake(const struct reading *reading, const struct toml_value *at, const char *hint,
                         const char *format, ...) PRINTF_LIKE(4, 5);

/** Makes one printable line without passwords of a diag that quotes untrusted text: control characters and broken UTF-8
 *  become '?'. Accepts NULL. */
void diag_make_printable(struct diag *diag);

/** Writes "did you mean 'x'?" when `wrong` is a slip of the pen away from a known word, else "expected one of: ...". */
const char *suggest(char hint[HINT_BYTES], const char *wrong, const char *const *known, size_t count);
