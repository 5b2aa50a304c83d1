/* SPDX-License-Identifier: Apache-2.0
 *
 * Six ways in which a machine disturbs the duration of runs, from well-behaved to spiteful.
 */
#pragma once

#include "base/random.h"

#include <stdbool.h>
#include <stddef.h>

struct noise_state {
    double level; /* what stays from one run to the next */
};

/** One run's time as a factor; `run` counts from 0, `second` says that it is the second of its pair. */
typedef double noise_next(struct noise_state *state, struct rng *rng, size_t run, bool second);

struct noise {
    const char *name;
    noise_next *next;
};

enum { NOISE_COUNT = 6 };
extern const struct noise noises[NOISE_COUNT];
