/* SPDX-License-Identifier: Apache-2.0
 *
 * The sequential paired comparison of docs/measuring.md: ln(time_A / time_B) a pair, Hodges-Lehmann estimate, interval
 * by inverting the Wilcoxon signed-rank test (Walsh averages), looks after 8, 12, 18, 27 and 40 pairs at alpha 0.008,
 * 0.008, 0.010, 0.012, 0.012, so the interval holds at every look. Pure.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "stats/effect.h"

enum { PAIRS_FIRST_LOOK = 8, PAIRS_MAX = 40, LOOK_COUNT = 5 };
#define PAIRS_DELTA_DEFAULT 0.02 /* the smallest effect that matters */

struct pair {
    double a_s, b_s; /* durations of the two arms, > 0 */
    bool b_first;    /* the order they ran in */
};

struct comparison {
    enum verdict verdict;
    struct interval effect; /* time_A / time_B; below 8 pairs the range of the ratios; NaN: INVALID or not one pair */
    size_t pairs;           /* the judged ones: those of the last look */
    double alpha;           /* of the look the interval belongs to; 0 when PRELIMINARY */
    double visible_ratio;   /* the smallest effect so many pairs of this spread could show, such as 1.03; NaN below 8 */
    size_t pairs_needed;    /* estimate of the pairs needed to see `delta`; 0 when the verdict tells something */
    bool order_effect;      /* second minus first differs from 0 at p < 0.01: wash out between runs, start again once */
    bool decided;           /* a verdict that more pairs need not change: stop measuring */
};

/** The number of pairs at which the `look`-th look (0-based) is taken: 8, 12, 18, 27, 40, and 40 ever after. */
size_t pairs_at_look(size_t look);
/** Judges `pairs` as of the last look they reach; what came after it does not count. SAME: the interval lies inside
 *  [1/(1+delta), 1+delta], which swapping the arms leaves alone. A duration that is not finite and above 0 makes it
 *  INVALID. ERR_MEMORY only. */
CHECKED enum err pairs_compare(struct comparison *out, const struct pair *pairs, size_t count, double delta,
                               struct arena *arena, struct diag *diag);
/** Holm's step-down correction: sets rejected[i] for p[i], family-wise error `alpha`. */
CHECKED enum err holm_reject(bool *rejected, const double *p, size_t count, double alpha, struct arena *arena,
                             struct diag *diag);
/** Two-sided signed-rank p-value of the log ratios, exact: zeros split, ties mid-ranked; 1 if a duration is invalid. */
CHECKED enum err pairs_p_value(double *out, const struct pair *pairs, size_t count, struct arena *arena,
                               struct diag *diag);
