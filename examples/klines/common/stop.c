/* SPDX-License-Identifier: Apache-2.0 */
#include "common/stop.h"

#include <time.h>

void stop_init(struct stop *stop)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&stop->mutex, NULL);
    pthread_cond_init(&stop->raised, &monotonic);
    pthread_condattr_destroy(&monotonic);
    stop->is_raised = false;
}

void stop_fini(struct stop *stop)
{
    pthread_cond_destroy(&stop->raised);
    pthread_mutex_destroy(&stop->mutex);
}

void stop_raise(struct stop *stop)
{
    pthread_mutex_lock(&stop->mutex);
    stop->is_raised = true;
    pthread_cond_broadcast(&stop->raised);
    pthread_mutex_unlock(&stop->mutex);
}

bool stop_raised(struct stop *stop)
{
    pthread_mutex_lock(&stop->mutex);
    bool raised = stop->is_raised;
    pthread_mutex_unlock(&stop->mutex);
    return raised;
}

bool stop_sleep_until(struct stop *stop, uint64_t at_ns)
{
    struct timespec at = {.tv_sec = (time_t)(at_ns / 1000000000), .tv_nsec = (long)(at_ns % 1000000000)};
    pthread_mutex_lock(&stop->mutex);
    while (!stop->is_raised && pthread_cond_timedwait(&stop->raised, &stop->mutex, &at) == 0)
        ;
    bool raised = stop->is_raised;
    pthread_mutex_unlock(&stop->mutex);
    return !raised;
}

uint64_t stop_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}
