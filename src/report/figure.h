/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers as people read them: two or three digits, a unit, an interval. All results are arena-owned; NULL when memory
 * is out (the document then fails as a whole). NaN is "not measured".
 */
#pragma once

#include "base/arena.h"

#include <jansson.h>

/** "4.7x [4.1, 5.6]" of {"low","mid","high"}; "at most 1.04x" when `bounded`. */
const char *figure_effect(struct arena *arena, const json_t *interval, int bounded);
/** "47.3 K rows/s". */
const char *figure_rate(struct arena *arena, double per_s, const char *unit);
/** "90 % [89, 91]" of a share's interval. */
const char *figure_share(struct arena *arena, const json_t *interval);
/** "857 ms", "3.4 s". */
const char *figure_seconds(struct arena *arena, double seconds);
/** "21.3 MB". */
const char *figure_bytes(struct arena *arena, double bytes);
/** "each run repeats the command 12 times; times are of one repetition". */
const char *figure_repeats(struct arena *arena, double repeats);
/** "concurrency=4 overlap=1" of a settings object, "baseline" when it is empty. */
const char *figure_settings(json_t *settings, struct arena *arena);
