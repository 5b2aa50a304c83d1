/* SPDX-License-Identifier: Apache-2.0
 *
 * A small epoll event loop: descriptors, one-shot timers, child exits by pidfd, signals by signalfd. Single-threaded.
 * Callbacks may add and remove watches, their own included.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

struct loop;
struct watch; /* one registration; freed by loop_remove or with the loop */

typedef void watch_ready(void *context, uint32_t events); /* EPOLLIN, EPOLLOUT, EPOLLHUP, ... */
typedef void watch_timer(void *context);

CHECKED enum err loop_new(struct loop **out, struct diag *diag);
void loop_free(struct loop **loop);

/** Calls `ready` whenever `fd` (borrowed) has `events`. */
CHECKED enum err loop_watch(struct watch **out, struct loop *loop, int fd, uint32_t events, watch_ready *ready,
                            void *context, struct diag *diag);
/** Calls `fire` once, at the monotonic time `at_ns` or soon after. */
CHECKED enum err loop_timer(struct watch **out, struct loop *loop, uint64_t at_ns, watch_timer *fire, void *context,
                            struct diag *diag);
/** From now on SIGINT and SIGTERM do not end the process but call `ready`; once a loop, until it is freed. They stay
 *  blocked afterwards, so that a second Ctrl-C cannot cut the tidying up short. */
CHECKED enum err loop_watch_interrupts(struct loop *loop, watch_ready *ready, void *context, struct diag *diag);
/** Forgets a watch and sets *watch to NULL; accepts NULL. A fired timer is already forgotten: set your pointer to NULL.
 */
void loop_remove(struct loop *loop, struct watch **watch);

/** Waits at most until `deadline_ns` (monotonic) and dispatches what is ready. */
CHECKED enum err loop_turn(struct loop *loop, uint64_t deadline_ns, struct diag *diag);
