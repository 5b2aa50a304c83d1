/* SPDX-License-Identifier: Apache-2.0
 *
 * Summaries of samples and intervals by resampling whole runs. Pure; sorts copies in the arena.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/random.h"
#include "stats/effect.h"

/** Sorts in place; NaN comes last. */
void sort_ascending(double *values, size_t count);

/** Quantile `q` in [0,1] of `count` > 0 samples (linear interpolation, R type 7). */
CHECKED enum err quantile(double *out, const double *samples, size_t count, double q, struct arena *arena,
                          struct diag *diag);
/** Percentile bootstrap of the median of `count` > 0 samples: `coverage` such as 0.95. With one sample low=mid=high. */
CHECKED enum err bootstrap_median(struct interval *out, const double *samples, size_t count, double coverage,
                                  struct rng *rng, struct arena *arena, struct diag *diag);

/** Least squares T(b) = c0 + c1*b with 95 % bootstrap intervals over points: two points alone leave no doubt to see. */
struct line_fit {
    struct interval c0, c1;
    double residual_ratio_max; /* largest |residual| / fitted value; INFINITY when a fitted value is not above 0 */
};
/** ERR_NOISE when the finite `b` are all the same. */
CHECKED enum err line_fit(struct line_fit *out, const double *b, const double *t, size_t count, struct rng *rng,
                          struct arena *arena, struct diag *diag);
