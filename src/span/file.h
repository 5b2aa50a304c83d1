/* SPDX-License-Identifier: Apache-2.0
 *
 * The recorder's system calls, made so that the host never notices one. No descriptor stays open between calls: a host
 * that closes what it does not know, as daemons do, would have our number given to a file of its own, and a block
 * written into it.
 *
 * Internal names carry `venturi_` too: a static library shares its host's name space.
 */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { FOLDER_BYTES = 1024, PATH_BYTES = FOLDER_BYTES + 96 }; /* small: it may stand on a signal handler's stack */

/** What a slow step puts aside. */
struct venturi_hold {
    sigset_t signals;
    int error, cancel;
    bool size_signal_pending;
};

/** Holds back the thread's signals, cancellation and errno. Nothing that the step provokes itself (SIGXFSZ, at a limit
 * of file size) reaches the host. Every function below wants it in force. */
void venturi_hold_begin(struct venturi_hold *hold);
void venturi_hold_end(const struct venturi_hold *hold);

/** A name being written; snprintf is not safe in signal handlers. What does not fit makes it unusable: "". */
struct venturi_path {
    size_t bytes;
    char text[PATH_BYTES];
};
void venturi_path_add(struct venturi_path *path, const char *text);
void venturi_path_add_number(struct venturi_path *path, uint64_t number);

/** A file that is opened anew for each block, and what tells it from another one of its name: a file that replaced it
 * can have its inode, but was born later, and is hardly as long. */
struct venturi_file {
    uint64_t inode; /* 0 = not made yet */
    uint32_t device_major, device_minor;
    int64_t born_s; /* 0 where the file system does not know */
    uint32_t born_ns;
};

enum venturi_made { FILE_MADE, FILE_EXISTS, FILE_REFUSED };

/** Makes a new file of `bytes` zeros, allocated on its disk before it is mapped (a hole that cannot be filled later
 * would be a SIGBUS). The mapping is shared with the file and absent from forked children. */
enum venturi_made venturi_file_map(void **map, const struct venturi_path *path, size_t bytes);
/** Maps `bytes` bytes at `offset` of `fd`, likewise allocated, shared and absent from forked children; NULL if it
 * cannot be. */
void *venturi_fd_map(int fd, uint64_t offset, size_t bytes);
/** Appends to the file, which is `offset` bytes long; makes it the first time. False if not all of it could be written.
 */
bool venturi_file_append(struct venturi_file *file, const struct venturi_path *path, uint64_t offset, const void *data,
                         size_t bytes);
