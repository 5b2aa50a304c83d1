/* SPDX-License-Identifier: Apache-2.0
 *
 * What to do in which order: the cheapest set of fixes that reaches the goal, and the roadmap. Gains of two fixes are
 * never multiplied: a set of several counts only when it was measured together.
 */
#pragma once

#include "synthesis/judgement.h"

#include <jansson.h>

/** P(effect * baseline >= goal), each log-normal with the interval taken as its central 95 %:
 *  sd = (ln high - ln low) / (2 * 1.96), variances added. The comparison's interval covers 99 %, so this errs towards
 *  doubt. Kept within [0.01, 0.99]: nothing is more certain than that. */
double plan_probability(struct interval effect, struct interval baseline_rows_s, double goal_rows_s);
/** The set with the least effort whose probability is at least 0.9, else the one with the highest; null without a goal
 *  or a throughput. New reference, NULL when memory is out. */
json_t *plan_goal(const struct judgement *judgements, const struct yardstick *yardstick,
                  struct interval baseline_rows_s, struct arena *arena);
/** One phase a recommended candidate, in their order; then what is worth finding out. Same ownership. */
json_t *plan_roadmap(const struct judgement *judgements, size_t count, struct interval baseline_rows_s);
/** {"from", "to", "low", "high"} in rows/s; null for an effect that is only bounded or claimed, and without a
 *  throughput. */
json_t *plan_expected(const struct estimate *effect, struct interval baseline_rows_s);
