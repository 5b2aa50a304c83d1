/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** Reads "250ms", "90s", "5m" or "1h" (a whole or decimal number > 0 and a unit) as nanoseconds; at most 30 days. */
bool duration_parse(uint64_t *out_ns, const char *text);
