/* SPDX-License-Identifier: Apache-2.0
 *
 * A bounded stream of bytes from one thread to another.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { PIPE_BYTES = 256 * 1024 };

struct pipe {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    size_t from, held; /* the ring's bytes that wait for the reader */
    size_t lent;       /* the first of them are in the reader's hands */
    bool ended, reader_gone;
    bool broken; /* by the writer, while the reader was there */
    char ring[PIPE_BYTES];
};

void pipe_init(struct pipe *pipe);
void pipe_fini(struct pipe *pipe);
/** Waits for room; false when the reader has gone. */
bool pipe_write(struct pipe *pipe, const char *data, size_t bytes);
/** No more will come; `whole` = that was all of it. */
void pipe_end(struct pipe *pipe, bool whole);
/** Waits for bytes and lends them until the next call; 0 at the end, -1 when the stream broke. */
ssize_t pipe_read(struct pipe *pipe, const void **piece);
/** The reader wants no more. */
void pipe_leave(struct pipe *pipe);
