/* SPDX-License-Identifier: Apache-2.0
 *
 * A seeded random stream (xoshiro256**, Blackman & Vigna 2018, seeded by splitmix64). It is an argument everywhere, so
 * that one seed reproduces a verdict. Not for secrets.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rng {
    uint64_t state[4];
};

void rng_init(struct rng *rng, uint64_t seed);
/** An independent stream for one purpose, so that adding draws to one does not shift another. */
void rng_fork(struct rng *child, const struct rng *parent, const char *purpose);
uint64_t rng_next(struct rng *rng);
/** Uniform in [0, bound), without modulo bias; bound > 0. */
uint64_t rng_below(struct rng *rng, uint64_t bound);
/** Uniform in [0, 1). */
double rng_uniform(struct rng *rng);
bool rng_coin(struct rng *rng);
/** Fisher-Yates over the indices 0..count-1 already in `items`. */
void rng_shuffle(struct rng *rng, size_t *items, size_t count);
