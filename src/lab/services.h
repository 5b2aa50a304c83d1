/* SPDX-License-Identifier: Apache-2.0
 *
 * The services of a pipeline: each started once on a free loopback port, waited for, watched, and stopped whatever
 * happens.
 */
#pragma once

#include "base/arena.h"
#include "base/loop.h"
#include "pipeline/pipeline.h"
#include "pipeline/ports.h"

struct services;

/** Called once from the loop when a service ends that nobody stopped; `why` is one line, borrowed. */
typedef void service_ended(void *context, const char *name, const char *why);

/** Starts all and waits until they are ready, turning `loop`. One that dies or does not get ready in its time is
 *  ERR_PIPELINE. The caller frees *out. */
CHECKED enum err services_start(struct services **out, const struct pipeline *pipeline, struct loop *loop,
                                service_ended *ended, void *context, struct diag *diag);
/** TERM to all, KILL after their grace; bounded. Accepts NULL. */
void services_stop(struct services **services);
const struct ports *services_ports(const struct services *services);
