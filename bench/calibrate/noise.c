/* SPDX-License-Identifier: Apache-2.0 */
#include "noise.h"

#include <math.h>

#define PI 3.14159265358979323846

/** Box and Muller 1958. */
static double normal(struct rng *rng)
{
    double radius = sqrt(-2 * log(1 - rng_uniform(rng)));
    return radius * cos(2 * PI * rng_uniform(rng));
}

static double independent(struct noise_state *state, struct rng *rng, size_t run, bool second)
{
    (void)state, (void)run, (void)second;
    return exp(0.03 * normal(rng));
}

/** 5 % in 20 runs: a machine that warms up, a disk that fills. */
static double drifting(struct noise_state *state, struct rng *rng, size_t run, bool second)
{
    return exp(0.05 / 20 * (double)run) * independent(state, rng, run, second);
}

/** AR(1), 0.8, with a standard deviation of 4 %. */
static double correlated(struct noise_state *state, struct rng *rng, size_t run, bool second)
{
    (void)second;
    double fresh = 0.04 * normal(rng);
    state->level = run == 0 ? fresh : 0.8 * state->level + sqrt(1 - 0.8 * 0.8) * fresh;
    return exp(state->level);
}

/** Two machine modes, 4 % above and below, that last 20 runs on average. */
static double two_modes(struct noise_state *state, struct rng *rng, size_t run, bool second)
{
    (void)second;
    if (run == 0)
        state->level = rng_coin(rng) ? 0.04 : -0.04;
    else if (rng_below(rng, 20) == 0)
        state->level = -state->level;
    return exp(state->level + 0.02 * normal(rng));
}

/** Every tenth run takes 40 % longer. */
static double spiky(struct noise_state *state, struct rng *rng, size_t run, bool second)
{
    return independent(state, rng, run, second) * (rng_below(rng, 10) == 0 ? 1.4 : 1);
}

/** The second of a pair finds the caches warm: 2 %. */
static double warmed(struct noise_state *state, struct rng *rng, size_t run, bool second)
{
    return independent(state, rng, run, second) * (second ? 0.98 : 1);
}

const struct noise noises[NOISE_COUNT] = {
    {"independent 3 %", independent}, {"drift 5 % in 20 runs", drifting}, {"correlated 0.8, 4 %", correlated},
    {"two modes of 4 %", two_modes},  {"spikes of 40 %", spiky},          {"second 2 % faster", warmed},
};
