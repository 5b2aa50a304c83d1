/* SPDX-License-Identifier: Apache-2.0
 *
 * Where rows go. Each kind is one table of functions; a symbol has a table of its own in every sink, and a month in it
 * is whole or absent.
 */
#pragma once

#include "common/month.h"
#include "pipeline/failure.h"
#include "pipeline/kline.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sqlite_insert { INSERT_PREPARED, INSERT_MULTI, INSERT_UNPREPARED };

struct sink_options {
    const char *symbol; /* valid */
    const char *db;     /* a file or an URL */
    enum sqlite_insert sqlite_insert;
    const char *sqlite_journal;     /* SQLite's own word; NULL = as the file has it */
    const char *sqlite_synchronous; /* SQLite's own word */
};

struct sink_kind {
    const char *name;
    /** Opens the sink, makes its tables and removes the months that a killed run left half loaded. */
    CHECKED enum status (*open)(void **sink, const struct sink_options *options, struct failure *failure);
    /** Starts a month; what was there of it before will be replaced. */
    CHECKED enum status (*begin)(void *sink, struct month month, struct failure *failure);
    /** Writes a batch of the month, the `last` one or not, and waits until the sink has accepted it; *bytes were sent.
     */
    CHECKED enum status (*write)(uint64_t *bytes, void *sink, const struct kline *rows, size_t count, bool last,
                                 struct failure *failure);
    /** Waits until all rows of the month can be queried, and counts them there. */
    CHECKED enum status (*settle)(void *sink, size_t rows, struct failure *failure);
    /** Removes what is there of the month that was begun and failed; false = the next open has to. */
    bool (*abandon)(void *sink);
    /** Removes everything that was ever loaded of the symbol. */
    CHECKED enum status (*reset)(void *sink, struct failure *failure);
    /** Reads everything back. */
    CHECKED enum status (*read)(struct content *content, void *sink, struct failure *failure);
    void (*close)(void *sink);
};

extern const struct sink_kind sink_none, sink_sqlite, sink_questdb;

/** Writes "klines_btcusdt": lower case, as databases fold names to it. */
void sink_table_name(char *name, size_t name_bytes, const char *symbol);
