/* SPDX-License-Identifier: Apache-2.0
 *
 * Files that are either whole or absent: write to a temporary name, fsync, rename, fsync the folder.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

#include <stddef.h>

/** Closes *fd if it is >= 0; for AUTO(fd_close). */
void fd_close(int *fd);
/** Writes all bytes, through short writes and EINTR. */
CHECKED enum err fd_write_all(int fd, const void *data, size_t bytes, const char *where, struct diag *diag);
/** Makes the folder and its parents (mode 0777 less umask); an existing folder is fine. */
CHECKED enum err dir_make(const char *path, struct diag *diag);
/** Same, and a power failure leaves it there: every folder on the way to it is synced, whoever made it. */
CHECKED enum err dir_keep(const char *path, struct diag *diag);
/** Locks the folder, which exists, for as long as *out_fd is open. ERR_CONFIG when another process has it. */
CHECKED enum err dir_lock(int *out_fd, const char *path, struct diag *diag);
/** Removes a folder tree without following links; an absent one is fine. */
CHECKED enum err dir_remove(const char *path, struct diag *diag);

/** Content that is too large to be held in memory: `write` writes it to the open file `fd`, called `path`. */
struct file_content {
    enum err (*write)(int fd, const char *path, void *context, struct diag *diag);
    void *context;
};
/** Replaces `path` atomically and durably by what `content` writes; after a failure it is as it was. */
CHECKED enum err file_write_atomic_from(const char *path, const struct file_content *content, struct diag *diag);
/** Same, by `bytes` bytes. */
CHECKED enum err file_write_atomic(const char *path, const void *data, size_t bytes, struct diag *diag);
/** Same, and executable. */
CHECKED enum err file_write_script(const char *path, const char *text, struct diag *diag);
/** Reads a whole regular file of at most `limit_bytes`; NUL-terminated, arena-owned; *out_bytes without the NUL. */
CHECKED enum err file_read(char **out, size_t *out_bytes, const char *path, size_t limit_bytes, struct arena *arena,
                           struct diag *diag);
