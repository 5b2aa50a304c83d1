/* SPDX-License-Identifier: Apache-2.0
 *
 * Live progress on standard error: a few lines redrawn in place on a terminal, plain lines where something changed when
 * it is none.
 */
#pragma once

#include "investigate/investigation.h"

#include <stdbool.h>
#include <stdint.h>

struct progress {
    bool live;       /* redraw in place */
    int drawn_lines; /* that the next drawing overwrites */
    uint64_t started_ns;
    char last_line[256]; /* plain mode: what was said last */
    enum agent_state last_states[INVESTIGATION_AGENTS_MAX];
};

/** Live when standard error is a terminal that can move its cursor, unless `plain`. */
void progress_init(struct progress *progress, bool plain);
/** An investigation_watch; `context` is the struct progress. */
void progress_show(void *context, const struct investigation_progress *now);
/** Leaves the last drawing on the screen. */
void progress_fini(struct progress *progress);
