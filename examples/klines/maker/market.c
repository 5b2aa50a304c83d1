/* SPDX-License-Identifier: Apache-2.0 */
#include "maker/market.h"

#include "base/random.h"

#include <stdio.h>
#include <string.h>

/* Prices are whole cents and volumes whole lots of 1e-5, as on the exchange; their product is in units of 1e-7. */
enum { CENTS_LOWEST = 100, LOTS_TYPICAL = 3500000, TRADES_TYPICAL = 1500, STEP_SHARE = 3000 };

struct minute {
    uint64_t open_cents, high_cents, low_cents, close_cents;
    uint64_t volume_lots, taker_lots;
    uint64_t quote_e7, taker_quote_e7;
    uint64_t trades;
};

/* The stream of one month, whatever else is made beside it. */
static void month_rng(struct rng *rng, uint64_t seed, const char *symbol, struct month month)
{
    struct rng root;
    char purpose[64];
    rng_init(&root, seed);
    month_file_name(purpose, sizeof purpose, symbol, month, "");
    rng_fork(rng, &root, purpose);
}

static uint64_t first_price_cents(struct rng *rng, const char *symbol)
{
    return strncmp(symbol, "BTC", 3) == 0 ? 3800000 + rng_below(rng, 1000000) : 10000 + rng_below(rng, 400000);
}

/* A step of the walk: the sum of two uniform draws, so that small moves are more common than large ones. */
static uint64_t walk(struct rng *rng, uint64_t cents)
{
    uint64_t reach = cents / STEP_SHARE + 2;
    uint64_t next = cents + rng_below(rng, reach) + rng_below(rng, reach) + 1;
    return next > reach + CENTS_LOWEST ? next - reach : CENTS_LOWEST;
}

/* A product of uniform draws: most minutes are quiet, some are busy. */
static uint64_t burst(struct rng *rng, uint64_t typical)
{
    return 1 + rng_below(rng, typical) * (1 + rng_below(rng, 64)) / 16;
}

static struct minute trade_minute(struct rng *rng, uint64_t open_cents)
{
    struct minute m = {.open_cents = open_cents};
    uint64_t turns[3] = {walk(rng, open_cents), walk(rng, open_cents), walk(rng, open_cents)};
    m.high_cents = m.low_cents = open_cents;
    for (int i = 0; i < 3; i++) {
        m.high_cents = turns[i] > m.high_cents ? turns[i] : m.high_cents;
        m.low_cents = turns[i] < m.low_cents ? turns[i] : m.low_cents;
    }
    m.close_cents = turns[2];
    m.volume_lots = burst(rng, LOTS_TYPICAL);
    m.taker_lots = rng_below(rng, m.volume_lots + 1);
    m.quote_e7 = m.volume_lots * m.low_cents + rng_below(rng, m.volume_lots * (m.high_cents - m.low_cents) + 1);
    m.taker_quote_e7 = m.taker_lots * m.low_cents + rng_below(rng, m.taker_lots * (m.high_cents - m.low_cents) + 1);
    m.trades = burst(rng, TRADES_TYPICAL);
    return m;
}

/* Eight decimals, as Binance prints every price and volume. `digits` of them carry information. */
static void add_decimal(struct text *csv, uint64_t units, unsigned digits)
{
    char decimals[21], fraction[9] = "00000000";
    int length = snprintf(decimals, sizeof decimals, "%0*llu", (int)digits + 1, (unsigned long long)units);
    memcpy(fraction, decimals + length - digits, digits);
    text_add_bytes(csv, decimals, (size_t)length - digits);
    text_add_bytes(csv, ".", 1);
    text_add_bytes(csv, fraction, 8);
    text_add_bytes(csv, ",", 1);
}

static void add_row(struct text *csv, const struct minute *m, int64_t open_us, int64_t unit_us)
{
    text_addf(csv, "%lld,", (long long)(open_us / unit_us));
    add_decimal(csv, m->open_cents, 2);
    add_decimal(csv, m->high_cents, 2);
    add_decimal(csv, m->low_cents, 2);
    add_decimal(csv, m->close_cents, 2);
    add_decimal(csv, m->volume_lots, 5);
    text_addf(csv, "%lld,", (long long)((open_us + US_PER_MINUTE) / unit_us - 1));
    add_decimal(csv, m->quote_e7, 7);
    text_addf(csv, "%llu,", (unsigned long long)m->trades);
    add_decimal(csv, m->taker_lots, 5);
    add_decimal(csv, m->taker_quote_e7, 7);
    text_add(csv, "0\n");
}

void market_month(struct text *csv, uint64_t seed, const char *symbol, struct month month, unsigned rows_max)
{
    struct rng rng;
    month_rng(&rng, seed, symbol, month);
    uint64_t cents = first_price_cents(&rng, symbol);
    int64_t open_us = month_start_us(month), unit_us = month_timestamp_unit_us(month);
    unsigned rows = month_minutes(month) < rows_max ? month_minutes(month) : rows_max;
    for (unsigned i = 0; i < rows; i++, open_us += US_PER_MINUTE) {
        struct minute minute = trade_minute(&rng, cents);
        add_row(csv, &minute, open_us, unit_us);
        cents = minute.close_cents;
    }
}
