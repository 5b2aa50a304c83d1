/* SPDX-License-Identifier: Apache-2.0
 *
 * The sequential paired comparison of ../shared/measuring.md (docs/measuring.md here): d = ln(time_B / time_A) a pair,
 * Hodges-Lehmann estimate, interval by inverting the Wilcoxon signed-rank test (Walsh averages), looks after 8, 12, 18,
 * 27 and 40 pairs at alpha 0.008, 0.008, 0.010, 0.012, 0.012, so the interval holds at every look. Pure.
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
    struct interval effect;  /* time_A / time_B; with fewer than 8 pairs the range of the ratios, PRELIMINARY */
    size_t pairs;
    double alpha;            /* of the look the interval belongs to; 0 when PRELIMINARY */
    double visible_ratio;    /* the smallest effect this many pairs with this spread could have shown, such as 1.03 */
    size_t pairs_needed;     /* estimate of the pairs needed to see `delta`; 0 when decided */
    bool order_effect;       /* second minus first differs from 0 at p < 0.01 */
    bool decided;            /* a verdict that more pairs need not change: stop measuring */
};

/** The number of pairs at which the `look`-th look (0-based) is taken: 8, 12, 18, 27, 40. */
size_t pairs_at_look(size_t look);
/** Judges `pairs` as of the last look they reach. `delta` such as 0.02. ERR_MEMORY only. */
CHECKED enum err pairs_compare(struct comparison *out, const struct pair *pairs, size_t count, double delta,
                               struct arena *arena, struct diag *diag);
/** Holm's step-down correction: sets rejected[i] for p[i], family-wise error `alpha`. */
CHECKED enum err holm_reject(bool *rejected, const double *p, size_t count, double alpha, struct arena *arena,
                             struct diag *diag);
/** Two-sided signed-rank p-value of the log ratios (exact for the counts used here; zeros split, ties mid-ranked). */
CHECKED enum err pairs_p_value(double *out, const struct pair *pairs, size_t count, struct arena *arena,
                               struct diag *diag);
