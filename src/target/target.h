/* SPDX-License-Identifier: Apache-2.0
 *
 * Databases looked into from outside, read-only, with a fixed list of statements: one file each behind one descriptor.
 * To add one: a file with a `const struct target`, a row in target.c.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

#include <stddef.h>

/** One setting that matters to ingest. Texts are arena-owned or static. */
struct target_setting {
    const char *name;
    const char *value;      /* as the database says it; NULL when it cannot be seen from outside */
    const char *origin;     /* where the value comes from: "file", "connection", "default", "conf", "env" */
    const char *production; /* what production use wants, and why */
    const char *source;     /* the vendor's page that says so */
};

struct target_report {
    const char *version;
    struct target_setting *settings;
    size_t setting_count;
    const char **notes; /* what could not be looked at, and why */
    size_t note_count;
};

struct target {
    const char *kind; /* as in [database] kind */
    /** Looks at the database at `url`; a relative file is looked up in `folder`. ERR_PIPELINE when it does not answer.
     *  Never writes, never waits longer than TARGET_TIMEOUT_MS a statement. */
    enum err (*look)(struct target_report *out, const char *url, const char *folder, struct arena *arena,
                     struct diag *diag);
};

enum { TARGET_TIMEOUT_MS = 5000 };

extern const struct target target_sqlite, target_questdb;

/** NULL for a kind that this version does not know. */
const struct target *target_named(const char *kind);
