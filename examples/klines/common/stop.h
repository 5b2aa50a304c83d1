/* SPDX-License-Identifier: Apache-2.0
 *
 * A flag that ends every wait: threads sleep on it instead of on the clock, so that stopping is prompt.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct stop {
    pthread_mutex_t mutex;
    pthread_cond_t raised;
    bool is_raised;
};

void stop_init(struct stop *stop);
void stop_fini(struct stop *stop);
void stop_raise(struct stop *stop);
bool stop_raised(struct stop *stop);
/** Sleeps until the monotonic time `at_ns`; false when the flag was raised before. */
bool stop_sleep_until(struct stop *stop, uint64_t at_ns);
uint64_t stop_clock_ns(void);
