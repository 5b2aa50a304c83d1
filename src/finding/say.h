/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers as people read them: two or three digits, a unit, and the interval behind them.
 */
#pragma once

#include "stats/effect.h"

/** A small text by value, so that say_ratio(x).text can stand in a printf call. */
struct said {
    char text[80];
};

struct said say_ratio(double ratio);           /* "4.7x"; "no limit" for INFINITY */
struct said say_effect(struct interval ratio); /* "4.7x [4.1, 5.6]" */
struct said say_percent(double share);         /* "90 %", "4.2 %": of a share between 0 and 1 */
struct said say_share(struct interval share);  /* "90 % [89, 91]" */
struct said say_count(double count);           /* "47.3 K" */
struct said say_counts(struct interval count); /* "47.3 K [46.0 K, 48.1 K]" */
struct said say_seconds(double seconds);       /* "857 ms" */
struct said say_bytes(double bytes);           /* "21.0 MB" */
struct said say_days(double days);             /* "2 days" */
