/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows as InfluxDB line protocol, the text that QuestDB ingests.
 */
#pragma once

#include "pipeline/kline.h"

enum { ILP_LINE_BYTES_MAX = 1024 };

/** Writes one line for `row` of `table` (at most 40 characters) to `line`, at least ILP_LINE_BYTES_MAX; returns behind
 *  its newline. Whoever reads a decimal to the nearest double gets the very double of the row. */
char *ilp_write(char *line, const char *table, const struct kline *row);
