/* SPDX-License-Identifier: Apache-2.0
 *
 * A month of invented trading as the CSV text that Binance publishes. All arithmetic is on whole numbers, so the bytes
 * do not depend on the machine.
 */
#pragma once

#include "base/text.h"
#include "common/month.h"

#include <stdint.h>

/** Appends min(rows_max, minutes of the month) rows. A month is a stream of its own: its bytes depend on seed, symbol
 *  and month only. Overflow of `csv` is remembered in it. */
void market_month(struct text *csv, uint64_t seed, const char *symbol, struct month month, unsigned rows_max);
