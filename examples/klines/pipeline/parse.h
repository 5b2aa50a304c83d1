/* SPDX-License-Identifier: Apache-2.0
 *
 * From the text of a month to its rows.
 */
#pragma once

#include "common/month.h"
#include "pipeline/bytes.h"
#include "pipeline/failure.h"
#include "pipeline/kline.h"

struct rows {
    struct kline *items;
    size_t count;
    struct content content; /* of all of them */
};

/** Reads every line as the twelve columns of Binance, in order of time and within the month. One row that is not right
 *  fails the whole month: STATUS_DATA with its line number. `where` names the file in the failure. */
CHECKED enum status parse_csv(struct rows *rows, const struct bytes *csv, struct month month, const char *where,
                              struct failure *failure);
void rows_fini(struct rows *rows);
