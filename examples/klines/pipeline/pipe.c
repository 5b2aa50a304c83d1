/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/pipe.h"

#include <string.h>

void pipe_init(struct pipe *pipe)
{
    memset(pipe, 0, offsetof(struct pipe, ring));
    pthread_mutex_init(&pipe->mutex, NULL);
    pthread_cond_init(&pipe->changed, NULL);
}

void pipe_fini(struct pipe *pipe)
{
    pthread_cond_destroy(&pipe->changed);
    pthread_mutex_destroy(&pipe->mutex);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

bool pipe_write(struct pipe *pipe, const char *data, size_t bytes)
{
    pthread_mutex_lock(&pipe->mutex);
    while (bytes > 0 && !pipe->reader_gone) {
        size_t to = (pipe->from + pipe->held) % PIPE_BYTES;
        size_t room = smaller(PIPE_BYTES - pipe->held, PIPE_BYTES - to);
        if (room == 0) {
            pthread_cond_wait(&pipe->changed, &pipe->mutex);
            continue;
        }
        size_t count = smaller(room, bytes);
        memcpy(pipe->ring + to, data, count);
        pipe->held += count;
        data += count;
        bytes -= count;
        pthread_cond_signal(&pipe->changed);
    }
    bool taken = !pipe->reader_gone;
    pthread_mutex_unlock(&pipe->mutex);
    return taken;
}

void pipe_end(struct pipe *pipe, bool whole)
{
    pthread_mutex_lock(&pipe->mutex);
    pipe->ended = true;
    pipe->broken = !whole && !pipe->reader_gone;
    pthread_cond_signal(&pipe->changed);
    pthread_mutex_unlock(&pipe->mutex);
}

ssize_t pipe_read(struct pipe *pipe, const void **piece)
{
    pthread_mutex_lock(&pipe->mutex);
    pipe->from = (pipe->from + pipe->lent) % PIPE_BYTES;
    pipe->held -= pipe->lent;
    pthread_cond_signal(&pipe->changed);
    while (pipe->held == 0 && !pipe->ended)
        pthread_cond_wait(&pipe->changed, &pipe->mutex);
    pipe->lent = smaller(pipe->held, PIPE_BYTES - pipe->from);
    *piece = pipe->ring + pipe->from;
    ssize_t result = pipe->lent > 0 ? (ssize_t)pipe->lent : pipe->broken ? -1 : 0;
    pthread_mutex_unlock(&pipe->mutex);
    return result;
}

void pipe_leave(struct pipe *pipe)
{
    pthread_mutex_lock(&pipe->mutex);
    pipe->reader_gone = true;
    pthread_cond_signal(&pipe->changed);
    pthread_mutex_unlock(&pipe->mutex);
}
