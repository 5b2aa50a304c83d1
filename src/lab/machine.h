/* SPDX-License-Identifier: Apache-2.0
 *
 * What the measurements are made on, and what disturbs them. Only looks; checks.h judges.
 */
#pragma once

#include "lab/proc_text.h"
#include "lab/timing.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { MACHINE_NAME_BYTES = 128, MACHINE_WORD_BYTES = 32, MACHINE_LEFTOVERS_MAX = 16 };

/** Counters since boot of which only the growth tells. */
struct machine_counters {
    struct cpu_ticks ticks;
    uint64_t swapped_pages; /* in and out */
    uint64_t quota_stops;   /* periods in which our cgroup's CPU quota stopped someone */
    uint64_t hot_stops;     /* times that a hot processor slowed down */
};

struct machine {
    char cpu[MACHINE_NAME_BYTES], kernel[MACHINE_NAME_BYTES];
    char clocksource[MACHINE_WORD_BYTES], governor[MACHINE_WORD_BYTES]; /* "" = not visible */
    struct timing timing;
    unsigned cores, cores_allowed;    /* of the machine; of this process */
    double quota_cores;               /* INFINITY = no limit */
    double load;                      /* of the last minute; NAN = not visible */
    double others_ratio, steal_ratio; /* of the CPU time during the look; NAN = not visible */
    struct machine_counters during;   /* growth during the look */
    uint64_t hot_stops;               /* since boot */
    uint64_t memory_bytes, available_bytes, swap_used_bytes;
    uint64_t folder_free_bytes;
    uint64_t files_max, processes_max, file_bytes_max; /* soft limits; UINT64_MAX = none */
    bool pid_namespaces;
    pid_t leftovers[MACHINE_LEFTOVERS_MAX]; /* processes of venturi that was killed earlier */
    size_t leftover_count;                  /* of all of them */
};

void machine_count(struct machine_counters *out);
/** What has grown since `before`. */
void machine_count_since(struct machine_counters *out, const struct machine_counters *before);

/** Looks for about `look_ns`, half of it at the clock; `folder` is where measurements will be kept. */
void machine_look(struct machine *out, const char *folder, uint64_t look_ns);
