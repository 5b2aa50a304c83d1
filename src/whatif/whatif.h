/* SPDX-License-Identifier: Apache-2.0
 *
 * What a change would be worth, before it exists: a seeded discrete-event simulation of items through stages, with
 * service times drawn from what was measured. Pure. It first reproduces the baseline inside its own interval, or it
 * says that it may not predict.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/random.h"
#include "profile/profile.h"
#include "stats/effect.h"
#include "trace/reader.h"

/** What the change touches; a field left 0 / 0.0 is unchanged. Two fields set are two changes together. */
struct change {
    size_t stage;     /* index into profile.stages */
    unsigned workers; /* concurrency of `stage` becomes this: its workers feed the rest through a queue */
    bool overlap;     /* all stages overlap, joined by queues of `queue_items` (0 = 2) */
    unsigned queue_items;
    double speedup; /* `stage` takes its time divided by this; INFINITY removes it: the bound of any fix */
};

/** How much of a span's waiting is shared between workers: with k in flight a span takes 1 + sharing*(k-1) times as
 *  long. 0: each has its own (latency, bandwidth a connection); 1: one shared link. {0,x,1} when no probe was run. */
struct whatif_options {
    struct interval sharing;
    unsigned cores;       /* running time is bounded by these; 0 = unbounded */
    unsigned simulations; /* 0 = 400 */
    double coverage;      /* 0 = 0.90 */
};

struct prediction {
    bool may_predict;               /* played again, the runs take as long as they took: 5 % at the median, 15 % each */
    struct interval effect;         /* time now / time after; 1 = no gain; NaN when !may_predict */
    struct interval baseline_error; /* simulated / measured baseline time: least, median, most of the runs */
    size_t next_bottleneck;         /* stage with the largest critical time after the change */
    const char *why_not;            /* when !may_predict: what is wrong, in one plain clause; static storage */
};

/** Predicts `change` from the traces of baseline runs and their summary; how items move now is read off the traces. The
 *  effect holds for as much work as those runs had. `effect` spans the draws of items and runs, both orders in which a
 *  queue may hand out items, all of `sharing`, and, where CPU time was not measured, waiting or running; it is wider
 *  by baseline_error and, when more happens at a time than did, by what threads and queues cost. It reaches down to 1
 *  where the gain rests on sharing of which nothing is known. Memory and time grow with the spans of all runs, and the
 *  work of `simulations`. ERR_MEMORY only. */
CHECKED enum err whatif_predict(struct prediction *out, const struct trace *const *runs, size_t run_count,
                                const struct profile *profile, const struct change *change,
                                const struct whatif_options *options, struct rng *rng, struct arena *arena,
                                struct diag *diag);

/** The bound that no change of `stage` alone can beat: its critical share removed, 1 / (1 - share), with the share's
 *  interval. low is 1: a change may give nothing, and when stages overlap others take over long before the bound.
 *  INFINITY when the critical path holds nothing else. Overlap changes all stages: this does not bound it. */
struct interval whatif_bound(const struct profile *profile, size_t stage);
