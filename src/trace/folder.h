/* SPDX-License-Identifier: Apache-2.0
 *
 * The files of a trace folder, opened with distrust: no links, no devices, a number of files that is bounded.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct folder {
    const char *path;
    int fd;
};

enum { FOLDER_FILES_MAX = 65536 };

/** The sorted names in the folder that end in `suffix`. */
CHECKED enum err folder_list(const char ***out, size_t *out_count, const struct folder *folder, const char *suffix,
                             struct arena *arena, struct diag *diag);
/** Opens a regular file of the folder; the caller closes *out_fd. An absent one gives -1 and ERR_OK. */
CHECKED enum err folder_open(int *out_fd, uint64_t *out_bytes, const struct folder *folder, const char *name,
                             struct diag *diag);
/** Reads `bytes` bytes at `offset`; what the file does not hold reads as zeros. */
CHECKED enum err folder_read(void *out, size_t bytes, uint64_t offset, int fd, const char *name, struct diag *diag);
