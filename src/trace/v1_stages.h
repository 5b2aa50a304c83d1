/* SPDX-License-Identifier: Apache-2.0
 *
 * The process files of a trace of version 1: each numbers its stages for itself; here their names become one table.
 */
#pragma once

#include "trace/folder.h"
#include "trace/format_v1.h"
#include "trace/names.h"
#include "trace/reader.h"

#include <stddef.h>
#include <stdint.h>

enum { V1_STAGE_NONE = UINT16_MAX };

struct v1_stages {
    const char *file; /* `<pid>-<start>.process` */
    uint16_t *names;  /* numbers in the table; V1_STAGE_NONE for a name that cannot be right */
    size_t count;
};

struct v1_processes {
    struct v1_stages *at; /* sorted by file */
    size_t count;
};

/** Reads every process file; adds up their losses in `losses`. */
CHECKED enum err v1_processes_read(struct v1_processes *out, struct names *names, struct span_losses *losses,
                                   const struct folder *folder, struct arena *arena, struct diag *diag);
/** The process whose stream is the file `stream`, NULL when it left no process file. */
const struct v1_stages *v1_process_of(const struct v1_processes *processes, const char *stream);

/** Adds each count of `more` to `sum`, up to the largest number. */
void v1_losses_add(struct span_losses *sum, const struct v1_losses *more);
