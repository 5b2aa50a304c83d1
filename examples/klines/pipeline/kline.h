/* SPDX-License-Identifier: Apache-2.0
 *
 * One minute of trading, and what a heap of them contains.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum kline_decimal {
    KLINE_OPEN,
    KLINE_HIGH,
    KLINE_LOW,
    KLINE_CLOSE,
    KLINE_VOLUME,
    KLINE_QUOTE_VOLUME,
    KLINE_TAKER_BUY_VOLUME,
    KLINE_TAKER_BUY_QUOTE_VOLUME,
    KLINE_DECIMALS,
};

/** The names of the decimals as columns. */
extern const char *const kline_decimal_names[KLINE_DECIMALS];

/* The decimals are the doubles nearest to the text, so up to 15 digits of it can be had back. */
struct kline {
    int64_t open_time_us, close_time_us; /* since 1970, UTC */
    int64_t count;                       /* of trades */
    double decimals[KLINE_DECIMALS];
};

/** Rows and a checksum that does not depend on their order: equal content gives equal numbers in every sink. */
struct content {
    uint64_t rows, checksum;
};

void content_add(struct content *content, const struct kline *kline);
void content_merge(struct content *content, const struct content *other);
