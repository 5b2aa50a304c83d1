/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the time of a run goes, and which stage limits it: per run from its trace, and over several runs with
 * intervals that resample whole runs, never spans.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/random.h"
#include "stats/effect.h"
#include "trace/reader.h"

#include <jansson.h>
#include <stdint.h>

/** One stage in one run. Seconds are wall time unless said. */
struct stage_profile {
    const char *name;
    uint64_t spans, failed, rows, bytes;
    double sum_s;                /* span durations added up: counts overlapping spans twice */
    double busy_s;               /* union: at least one span of the stage open */
    double critical_s;           /* time on the critical path: what the run really waited for */
    double running_s, waiting_s; /* of sum_s: thread CPU time and the rest; NaN when CPU time was not measured */
    double p50_s, p99_s, max_s;  /* of span durations */
    uint64_t slowest_item;
    uint64_t workers;    /* largest number of its spans open at once */
    uint64_t peak_bytes; /* largest resident memory seen while a span of it was open; 0 = no sample fell inside */
};

/** One run. */
struct run_profile {
    double wall_s;                /* first start to last end of any span */
    double outside_s;             /* part of wall_s in which the critical path was in no span */
    double overlap_s;             /* time in which two or more stages were busy */
    uint64_t rows;                /* of the last stage in flow order: what came out of the pipeline */
    struct stage_profile *stages; /* in flow order: by first start */
    size_t stage_count;
    uint64_t lost_spans; /* everything the recorder or reader had to drop */
};

/** Everything is owned by `arena`; names are borrowed from `trace`. A trace without spans gives a run of 0 s.
 * ERR_MEMORY only. */
CHECKED enum err profile_run(struct run_profile **out, const struct trace *trace, struct arena *arena,
                             struct diag *diag);

/** NONE: no two stages stand out, or more time passes outside every span than in any stage. */
enum bottleneck_verdict { BOTTLENECK_NAMED, BOTTLENECK_TWO_CANDIDATES, BOTTLENECK_NONE, BOTTLENECK_CANNOT_TELL };
enum limit_kind { LIMITED_BY_WAITING, LIMITED_BY_RUNNING, LIMITED_BY_BOTH, LIMITED_UNKNOWN };

/** One stage over several runs. */
struct stage_summary {
    const char *name;
    double busy_s, critical_s, running_s, waiting_s; /* medians over runs; NaN when not measured */
    struct interval share;                           /* critical_s / run wall_s */
    struct interval capacity_rows_s;                 /* rows / busy_s: what it passes when nothing else limits it */
    uint64_t spans, rows, bytes, workers;            /* of the median run by wall time */
    uint64_t peak_bytes;                             /* largest over runs; 0 = not measured */
    double p50_s, p99_s, max_s;
    uint64_t slowest_item;
    enum limit_kind limited_by; /* waiting above 2/3 of sum, running above 2/3, else both */
};

struct profile {
    size_t runs;
    struct interval wall_s, rows_s; /* throughput: rows / wall_s */
    struct stage_summary *stages;   /* flow order */
    size_t stage_count;
    enum bottleneck_verdict verdict; /* named only when its lead over the second excludes 0 */
    size_t bottleneck, runner_up;    /* indices by critical share; valid when stage_count >= 1 resp. 2 */
    struct interval lead;            /* share of the first minus share of the second */
    double outside_share;            /* median share of the run outside every span */
    uint64_t lost_spans;
};

/** Summarises `count` >= 1 runs of the same variant. 95 % intervals by resampling runs (2,000 times, `rng`).
 *  Fewer than 3 runs: verdict CANNOT_TELL. Stages absent from a run count as 0 there. What was not measured in any run
 * is NaN. Names are borrowed from the runs. ERR_MEMORY only. */
CHECKED enum err profile_summarise(struct profile **out, const struct run_profile *const *runs, size_t count,
                                   struct rng *rng, struct arena *arena, struct diag *diag);

const char *
bottleneck_verdict_name(enum bottleneck_verdict verdict); /* "named", "two_candidates", "none", "cannot_tell" */
const char *limit_kind_name(enum limit_kind kind);        /* "waiting", "running", "both", "unknown" */

/** The profile as venturi.profile/1 (docs/contracts.md): a new reference, NULL when memory is out. */
json_t *profile_json(const struct profile *profile);
