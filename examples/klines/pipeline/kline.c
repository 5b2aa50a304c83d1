/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/kline.h"

#include <string.h>

const char *const kline_decimal_names[KLINE_DECIMALS] = {
    "open", "high", "low", "close", "volume", "quote_volume", "taker_buy_volume", "taker_buy_quote_volume",
};

/* The finaliser of splitmix64 (Steele, Lea and Flood 2014): each bit of the input moves half the bits of the output. */
static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint64_t kline_hash(const struct kline *kline)
{
    uint64_t hash = mix((uint64_t)kline->open_time_us + 0x9e3779b97f4a7c15u);
    hash = mix(hash ^ (uint64_t)kline->close_time_us);
    hash = mix(hash ^ (uint64_t)kline->count);
    for (int i = 0; i < KLINE_DECIMALS; i++) {
        uint64_t bits;
        memcpy(&bits, &kline->decimals[i], sizeof bits);
        hash = mix(hash ^ bits);
    }
    return hash;
}

/* A sum, because addition does not care about order and, unlike xor, sees a row that is there twice. */
void content_add(struct content *content, const struct kline *kline)
{
    content->rows++;
    content->checksum += kline_hash(kline);
}

void content_merge(struct content *content, const struct content *other)
{
    content->rows += other->rows;
    content->checksum += other->checksum;
}
