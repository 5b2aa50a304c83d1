/* SPDX-License-Identifier: Apache-2.0
 *
 * Brings the spans of all threads of a trace to the sweep, by decreasing end, in memory that does not depend on how
 * many there are: pages are read from the newest to the oldest of each stream. Where one thread alone made laps, which
 * is most of the time of most traces, a page of them goes as one sum for each stage.
 */
#pragma once

#include "profile/sweep.h"
#include "profile/walk.h"
#include "trace/pages.h"

struct unwound {
    uint64_t rejected; /* records that are not there any more, or cannot be right */
    uint64_t pages, pages_lost;
};

CHECKED enum err unwind(struct unwound *out, struct pages *pages, struct walk *walk, struct sweep *sweep,
                        struct arena *arena, struct diag *diag);
