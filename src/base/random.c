/* SPDX-License-Identifier: Apache-2.0 */
#include "base/random.h"

#include <assert.h>

static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void rng_init(struct rng *rng, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        rng->state[i] = splitmix(&seed);
}

void rng_fork(struct rng *child, const struct rng *parent, const char *purpose)
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a over the purpose */
    for (; *purpose; purpose++)
        hash = (hash ^ (unsigned char)*purpose) * 0x100000001b3u;
    rng_init(child, hash ^ parent->state[0] ^ (parent->state[2] << 1));
}

static uint64_t rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

uint64_t rng_next(struct rng *rng)
{
    uint64_t *s = rng->state;
    uint64_t result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

uint64_t rng_below(struct rng *rng, uint64_t bound)
{
    assert(bound > 0);
    uint64_t threshold = -bound % bound;
    for (;;) {
        uint64_t draw = rng_next(rng);
        if (draw >= threshold)
            return draw % bound;
    }
}

double rng_uniform(struct rng *rng)
{
    return (double)(rng_next(rng) >> 11) * 0x1p-53;
}

bool rng_coin(struct rng *rng)
{
    return rng_next(rng) >> 63;
}

void rng_shuffle(struct rng *rng, size_t *items, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t j = (size_t)rng_below(rng, i), swap = items[i - 1];
        items[i - 1] = items[j];
        items[j] = swap;
    }
}
