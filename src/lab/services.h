/* SPDX-License-Identifier: Apache-2.0
 *
 * The services of a pipeline: each started on a free loopback port, waited for, watched, started anew where the file
 * asks for it, and stopped whatever happens.
 */
#pragma once

#include "base/arena.h"
#include "base/loop.h"
#include "pipeline/pipeline.h"
#include "pipeline/ports.h"

struct services;

struct services_watcher {
    /** A service ended that nobody stopped; `why` is one line, borrowed. `lost`: no restart brings it back. */
    void (*ended)(void *context, const char *name, const char *why, bool lost);
    /** What services_restart began is done: all are ready, or `error` says why one is not. */
    void (*restarted)(void *context, enum err error, const struct diag *diag);
    void *context;
};

/** Starts all and waits until they are ready, turning `loop`. One that dies or does not get ready in its time is
 *  ERR_PIPELINE. The watcher is called from the loop, and not before this has returned. The caller frees *out. */
CHECKED enum err services_start(struct services **out, const struct pipeline *pipeline, struct loop *loop,
                                const struct services_watcher *watcher, struct diag *diag);
/** Begins to start those anew whose `restart` says so, on the ports they had; false when there is none. */
bool services_restart(struct services *services);
/** TERM to all, KILL after their grace; bounded. Accepts NULL. */
void services_stop(struct services **services);
const struct ports *services_ports(const struct services *services);
