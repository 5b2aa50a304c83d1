/* SPDX-License-Identifier: Apache-2.0
 *
 * The files of a trace, opened with distrust: no links, no devices, a number of files that is bounded. They stand in a
 * folder, or in one packed file (pack.h), an uncompressed tar.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FOLDER_FILES_MAX = 65536 };

struct folder_entry {
    const char *name;
    uint64_t offset, bytes;
};

struct folder {
    const char *path;
    int fd;
    bool packed;
    struct folder_entry *entries; /* of a packed file, sorted by name */
    size_t entry_count;
};

/** A file of a folder, open for reading. */
struct folder_file {
    const char *name;
    int fd; /* -1 = absent; a packed file's own descriptor otherwise has no file of its own */
    bool shared;
    uint64_t offset, bytes;
};

/** Opens the folder or packed file `path`, which must outlive it; folder_close closes it, also after a failure. */
CHECKED enum err folder_open(struct folder *out, const char *path, struct arena *arena, struct diag *diag);
/** Accepts one that folder_open failed to open, or a closed one. */
void folder_close(struct folder *folder);

/** The sorted names in the folder that end in `suffix` and are longer than it. */
CHECKED enum err folder_list(const char ***out, size_t *out_count, const struct folder *folder, const char *suffix,
                             struct arena *arena, struct diag *diag);

/** Opens a regular file of the folder; `name` must outlive it. An absent one has fd -1, no bytes, and is ERR_OK. */
CHECKED enum err folder_file_open(struct folder_file *out, const struct folder *folder, const char *name,
                                  struct diag *diag);
/** Accepts an absent or closed one. */
void folder_file_close(struct folder_file *file);
/** Reads `bytes` bytes at `offset`; what the file does not hold reads as zeros. */
CHECKED enum err folder_file_read(void *out, size_t bytes, uint64_t offset, const struct folder_file *file,
                                  struct diag *diag);
/** Where the data before `limit` end: from there to `limit` is a hole (or nothing). Never less than the truth. */
uint64_t folder_file_data_end(const struct folder_file *file, uint64_t limit);
