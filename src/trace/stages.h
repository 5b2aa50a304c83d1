/* SPDX-License-Identifier: Apache-2.0
 *
 * Each process numbers its stages for itself; here the names of all process files become one table.
 */
#pragma once

#include "trace/folder.h"
#include "trace/format.h"

#include <stddef.h>
#include <stdint.h>

enum { STAGE_UNKNOWN = UINT32_MAX };

struct process_stages {
    const char *file;  /* `<pid>-<start>.process` */
    uint32_t *indices; /* into stage_table.names; STAGE_UNKNOWN for a name that cannot be right */
    size_t count;
};

struct stage_table {
    const char *names[TRACE_STAGES_MAX]; /* distinct */
    size_t count;
    struct process_stages *processes; /* sorted by file */
    size_t process_count;
};

/** Reads every process file; adds up their losses in `losses`. */
CHECKED enum err stage_table_read(struct stage_table *out, struct span_losses *losses, const struct folder *folder,
                                  struct arena *arena, struct diag *diag);
/** The process whose stream is the file `stream`, NULL when it left no process file. */
const struct process_stages *stage_table_process(const struct stage_table *table, const char *stream);

/** Adds each count of `more` to `sum`, up to the largest number. */
void span_losses_add(struct span_losses *sum, const struct span_losses *more);
/** a + b, up to the largest number. */
uint64_t count_add(uint64_t a, uint64_t b);
