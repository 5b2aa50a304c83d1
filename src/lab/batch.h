/* SPDX-License-Identifier: Apache-2.0
 *
 * How often a run repeats the command: what takes a few milliseconds is mostly the noise of starting and of the clock's
 * surroundings, so that shorter runs are made of several repetitions. Pure.
 */
#pragma once

#include <stdbool.h>

enum { BATCH_LEAST_MS = 50, BATCH_REPEATS_MAX = 200 };

/** Is a run of `repeats` repetitions, `repetition_s` each, long enough, or as long as it may get? */
bool batch_is_enough(unsigned repeats, double repetition_s);
/** How many repetitions to try next; more than `repeats`, unless that is enough. */
unsigned batch_next(unsigned repeats, double repetition_s);
