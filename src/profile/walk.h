/* SPDX-License-Identifier: Apache-2.0
 *
 * Goes through the records of a page: adds its spans up, or lists them for the sweep. Short laps, which most records
 * are, take a loop of their own (2 ns a lap).
 */
#pragma once

#include "profile/sweep.h"
#include "profile/tally.h"
#include "trace/pages.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    WALK_STAGES = 256, /* numbers a page may name */
    WALK_MOMENTS_MAX = TRACE_PAGE_BYTES / 2 + 2,
};

/** Tallies behind those of the stages: time of no stage of the user's. */
enum walk_other { WALK_GAP, WALK_NAMELESS, WALK_FLUSH, WALK_OTHERS };

/** What a page holds. */
struct walk_page {
    uint64_t base, end; /* its spans end here */
    bool only_laps;     /* and the recorder's own time: none begins before `base`, no two overlap */
    bool broken;        /* what follows its last record is lost */
    uint64_t records;
    struct stage_time *times; /* of its laps; room for WALK_STAGES */
    size_t time_count;
};

struct walk {
    struct tally *tallies; /* `stage_count` of stages, as pages->stages, and then WALK_OTHERS */
    size_t stage_count;
    uint64_t origin; /* a moment before most others */
    double ns_per_tick;
    uint64_t last_end; /* of the spans of stages */
    bool in_ns;        /* several clocks: times are converted one by one */

    const struct pages_process *process; /* which these belong to: */
    uint32_t numbers;                    /* of its stages; a larger one is damage */
    struct tally *tally_of[WALK_STAGES];
    uint32_t swept_of[WALK_STAGES];   /* stages for the sweep; sweep_none for what is none */
    uint64_t *counts_of[WALK_STAGES]; /* their histograms */
    uint64_t slow_ticks[WALK_STAGES];
};

CHECKED enum err walk_begin(struct walk *out, const struct pages *pages, struct arena *arena, struct diag *diag);
/** Adds the spans of a page up. */
void walk_add(struct walk_page *out, struct walk *walk, const struct pages_stream *stream, const unsigned char *page);
/** Lists the spans of a page for the sweep: moments in their order, for which `out` has room for WALK_MOMENTS_MAX;
 *  starts that are not in order wait there. */
CHECKED enum err walk_list(size_t *out_count, struct moment *out, struct sweep *sweep, struct walk *walk,
                           const struct pages_stream *stream, const unsigned char *page, struct diag *diag);
/** Where the last record of a page ends. */
uint64_t walk_end(struct walk *walk, const struct pages_stream *stream, const unsigned char *page);
