/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/queue.h"

#include <stdlib.h>

bool queue_init(struct queue *queue, size_t capacity, size_t total)
{
    *queue = (struct queue){.slots = calloc(capacity, sizeof(void *)), .capacity = capacity, .total = total};
    if (queue->slots == NULL)
        return false;
    pthread_mutex_init(&queue->mutex, NULL);
    pthread_cond_init(&queue->changed, NULL);
    return true;
}

void queue_fini(struct queue *queue, void (*release)(void *item))
{
    if (queue->slots == NULL)
        return;
    for (size_t i = 0; i < queue->capacity; i++) {
        if (queue->slots[i] != NULL)
            release(queue->slots[i]);
    }
    free(queue->slots);
    pthread_cond_destroy(&queue->changed);
    pthread_mutex_destroy(&queue->mutex);
    *queue = (struct queue){0};
}

bool queue_put(struct queue *queue, size_t number, void *item)
{
    pthread_mutex_lock(&queue->mutex);
    while (!queue->stopped && number >= queue->next + queue->capacity)
        pthread_cond_wait(&queue->changed, &queue->mutex);
    bool taken = !queue->stopped;
    if (taken)
        queue->slots[number % queue->capacity] = item;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->mutex);
    return taken;
}

void *queue_take(struct queue *queue)
{
    void *item = NULL;
    pthread_mutex_lock(&queue->mutex);
    if (queue->next < queue->total) {
        void **slot = &queue->slots[queue->next % queue->capacity];
        while (!queue->stopped && *slot == NULL)
            pthread_cond_wait(&queue->changed, &queue->mutex);
        if (!queue->stopped) {
            item = *slot;
            *slot = NULL;
            queue->next++;
        }
    }
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->mutex);
    return item;
}

void queue_stop(struct queue *queue)
{
    pthread_mutex_lock(&queue->mutex);
    queue->stopped = true;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->mutex);
}
