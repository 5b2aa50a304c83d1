/* SPDX-License-Identifier: Apache-2.0
 *
 * Merges runs of moments, each ordered by time, into one.
 */
#pragma once

#include "profile/sweep.h"

struct run {
    const struct moment *moments;
    size_t count;
};

/** Merges `count` > 0 runs; destroys the list. `spare` are two arrays with room for all moments. Returns the merged
 * run: in one of the arrays, or the only run. */
struct run merge_runs(struct run *runs, size_t count, struct moment *const spare[2]);
