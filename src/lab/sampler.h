/* SPDX-License-Identifier: Apache-2.0
 *
 * Samples the resident memory of a run's tree into the `memory.samples` of its trace.
 */
#pragma once

#include "base/child.h"
#include "base/loop.h"

#include <stdint.h>

struct sampler {
    struct loop *loop;
    const struct child *child;
    struct watch *timer;
    int fd;
    uint64_t peak_bytes;
};

/** Samples `child` every 10 ms, less often where looking takes long, until sampler_stop. */
CHECKED enum err sampler_start(struct sampler *sampler, struct loop *loop, const struct child *child,
                               const char *trace_folder, struct diag *diag);
/** Accepts a zeroed or stopped one; peak_bytes stays. */
void sampler_stop(struct sampler *sampler);
