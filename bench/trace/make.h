/* SPDX-License-Identifier: Apache-2.0
 *
 * Makes traces as large as one likes in little time: as the recorder would leave them, of work that nobody did.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/** Laps; laps that counted rows and bytes; spans that began up to four laps ago. */
enum made_kind { MADE_LAPS, MADE_COUNTED, MADE_SPANS };

struct making {
    enum made_kind kind;
    uint32_t threads; /* at most MADE_THREADS_MAX, at it at the same time */
    uint64_t spans;   /* in all, of six stages, 1 to 100 us each */
};

enum { MADE_THREADS_MAX = 64, MADE_RECORD_BYTES = 32 };

/** Writes the trace into `folder`, which exists. With `records` the spans are written there as well, each as start,
 * end, stage and thread, 8 bytes each. False, with errno, when a file cannot be written. */
bool make_trace(const struct making *making, const char *folder, const char *records);
