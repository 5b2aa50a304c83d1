/* SPDX-License-Identifier: Apache-2.0
 *
 * A bounded queue that gives items out by number, 0, 1, 2, ..., in whatever order they come in.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct queue {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    void **slots; /* item n waits in slot n % capacity */
    size_t capacity;
    size_t next, total; /* to be taken */
    bool stopped;
};

/** For `total` items, of which at most `capacity` wait; false without memory. */
bool queue_init(struct queue *queue, size_t capacity, size_t total);
/** Calls `release` on what still waits. Accepts a zeroed queue. */
void queue_fini(struct queue *queue, void (*release)(void *item));
/** Waits until `item` has its turn within the capacity; false when the queue was stopped: the item stays the caller's.
 */
bool queue_put(struct queue *queue, size_t number, void *item);
/** Waits for the next item; NULL after the last one or when the queue was stopped. */
void *queue_take(struct queue *queue);
/** Ends every wait, now and later. */
void queue_stop(struct queue *queue);
