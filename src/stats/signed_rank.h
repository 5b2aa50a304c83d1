/* SPDX-License-Identifier: Apache-2.0
 *
 * The Wilcoxon signed-rank test with its exact null distribution: if the values are symmetric about 0, every sign is a
 * fair coin, and the rank sum of the positive ones has a distribution that can be counted. Pure.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "stats/effect.h"

#include <stddef.h>

/** mid: the Hodges-Lehmann estimate of the centre of `count` > 0 finite values (median of the Walsh averages); low and
 *  high: the closed interval of all centres that the test at level `alpha` does not reject. Ties only make it wider
 *  than need be. Too few values for `alpha` give their range. Time and memory grow with count squared. */
CHECKED enum err signed_rank_interval(struct interval *out, const double *values, size_t count, double alpha,
                                      struct arena *arena, struct diag *diag);

/** Two-sided p-value of "symmetric about 0" for `count` finite values. Equal sizes share their mean rank, and the
 *  distribution is counted over those very ranks, so ties cost no exactness; a zero keeps its rank but takes no side.
 *  Time grows with count cubed. */
CHECKED enum err signed_rank_p(double *out, const double *values, size_t count, struct arena *arena, struct diag *diag);
