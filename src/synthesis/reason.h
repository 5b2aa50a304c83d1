/* SPDX-License-Identifier: Apache-2.0
 *
 * Why a candidate is recommended, left alone or open: one plain sentence with the numbers, in the arena; NULL when that
 * is exhausted.
 */
#pragma once

#include "synthesis/judgement.h"

const char *reason_gain(const struct judgement *judgement, struct arena *arena);
/** The bound alone settles it. */
const char *reason_bound(const struct judgement *judgement, struct arena *arena);
/** Measured: same, slower, surely too small, or its runs are no good. */
const char *reason_no_gain(const struct judgement *judgement, double worth_ratio, struct arena *arena);
/** And what it would take. `missing` is a value nobody measured, or NULL. */
const char *reason_cannot_tell(const struct judgement *judgement, const char *missing, double worth_ratio,
                               struct arena *arena);
