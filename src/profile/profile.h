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
#include <stdbool.h>
#include <stdint.h>

enum { PROFILE_SLOWEST = 5, PROFILE_CRITICAL_SPANS_MAX = 1 << 19 };

/** What waited before a stage: had left the stage before it in flow order, and not yet entered this one. By Little's
 *  law from sums alone; known when as much entered as left, and it did not do so earlier on average. */
struct stage_queue {
    bool rows;     /* counted in rows; else in spans */
    double mean;   /* over wall_s; NaN = not known */
    double wait_s; /* of one, on average */
};

struct slow_item {
    uint64_t item;
    double duration_s;
    double end_s; /* since the run's first start */
};

/** One stage in one run. Seconds are wall time unless said. */
struct stage_profile {
    const char *name;
    uint64_t spans, failed, rows, bytes;
    double sum_s;                /* span durations added up: counts overlapping spans twice */
    double busy_s;               /* union: at least one span of the stage open */
    double critical_s;           /* time on the critical path: what the run really waited for; NaN = not computed */
    double running_s, waiting_s; /* of sum_s: thread CPU time and the rest; NaN when CPU time was not measured */
    double p50_s, p99_s;         /* of span durations, within 0.8 % */
    double max_s;
    uint64_t slowest_item;
    uint64_t workers;                      /* largest number of its spans open at once */
    uint64_t peak_bytes;                   /* largest resident memory seen while a span of it was open; 0 = no sample
                                            * fell inside */
    uint64_t allocations, allocated_bytes; /* TRACE_ALLOCATIONS_UNKNOWN when not measured */
    struct stage_queue queue;
    struct slow_item slowest[PROFILE_SLOWEST]; /* the slowest first; those that took no time are none */
    size_t slowest_count;
};

/** One run. */
struct run_profile {
    uint64_t start_ns; /* CLOCK_MONOTONIC: first start of any span */
    double wall_s;     /* from there to the last end */
    double outside_s;  /* part of wall_s in which the critical path was in no span; NaN = not computed */
    double overlap_s;  /* time in which two or more stages were busy */
    uint64_t spans;
    uint64_t rows;                /* of the last stage in flow order: what came out of the pipeline */
    struct stage_profile *stages; /* in flow order: by first start */
    size_t stage_count;
    uint64_t lost_spans; /* everything the recorder or reader had to drop: these two */
    struct span_losses losses;
    uint64_t rejected;
    uint64_t pages, lost_pages; /* read, and those that should be between them; 0 of a trace in memory */
    uint64_t flushes;
    double flush_s; /* what the recorder itself took, over all threads */
};

/** Everything is owned by `arena`; names are borrowed from `trace`. A trace without spans gives a run of 0 s.
 * ERR_MEMORY; ERR_FORMAT when more than SWEEP_OPEN_MAX spans were open at one time. */
CHECKED enum err profile_run(struct run_profile **out, const struct trace *trace, struct arena *arena,
                             struct diag *diag);
/** The same of a trace of any size, in memory that does not depend on it. The critical path is computed up to
 *  PROFILE_CRITICAL_SPANS_MAX spans. ERR_IO, ERR_FORMAT: as trace_read. */
CHECKED enum err profile_trace(struct run_profile **out, const char *path, struct arena *arena, struct diag *diag);

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
 *  Fewer than 3 runs, or one without a critical path: verdict CANNOT_TELL. Stages absent from a run count as 0 there.
 * What was not measured in any run is NaN. Names are borrowed from the runs. ERR_MEMORY only. */
CHECKED enum err profile_summarise(struct profile **out, const struct run_profile *const *runs, size_t count,
                                   struct rng *rng, struct arena *arena, struct diag *diag);

const char *
bottleneck_verdict_name(enum bottleneck_verdict verdict); /* "named", "two_candidates", "none", "cannot_tell" */
const char *limit_kind_name(enum limit_kind kind);        /* "waiting", "running", "both", "unknown" */

/** The profile as venturi.profile/1 (docs/contracts.md): a new reference, NULL when memory is out. */
json_t *profile_json(const struct profile *profile);
/** One run, as in venturi.trace-stats/1: likewise. */
json_t *run_profile_json(const struct run_profile *run);
