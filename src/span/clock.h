/* SPDX-License-Identifier: Apache-2.0
 *
 * The recorder's clock: ticks of the invariant time stamp counter where the CPU and the kernel vouch for it, else
 * nanoseconds of CLOCK_MONOTONIC (2.5 times the cost here). No fence before the counter is read: what runs ahead of it
 * is a few nanoseconds, a fence costs ten.
 */
#pragma once

#include "trace/format.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

/** Whether a tick is one of the time stamp counter. Constant once venturi_recording is set. */
extern bool venturi_clock_is_tsc;

/** Whether the host has forbidden the counter: then libc's clock_gettime, which reads it without the kernel, is a
 * SIGSEGV too. Constant like the other. */
extern bool venturi_clock_is_forbidden;

/** Finds out which clock it is. Wants venturi_hold_begin in force. */
void venturi_clock_choose(void);

static inline uint64_t venturi_now_ns(void)
{
    struct timespec now;
    if (__builtin_expect(venturi_clock_is_forbidden, 0))
        (void)syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    else
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static inline uint64_t venturi_ticks(void)
{
#if defined(__x86_64__)
    if (__builtin_expect(venturi_clock_is_tsc, 1))
        return __rdtsc();
#endif
    return venturi_now_ns();
}

/* Where ticks are not nanoseconds, both clocks are read together while something is recorded, so that the two stay tied
 * where pages are rare, too: first after 13 us (at 2.6 GHz), so that a trace that is killed soon has a rate as well,
 * then after twice as long each time, up to 26 ms. */
#define VENTURI_CLOCK_TICKS_FIRST ((uint64_t)1 << 15)
#define VENTURI_CLOCK_TICKS ((uint64_t)1 << 26)

/** One moment on both clocks. */
struct venturi_moment {
    uint64_t ticks, ns;
};

/** The present one. */
struct venturi_moment venturi_moment(void);

/** When the moment after `last` has to come. *interval is how many ticks the one before was to last, 0 at first. */
static inline uint64_t venturi_clock_due(uint64_t *interval, struct venturi_moment last)
{
    if (*interval < VENTURI_CLOCK_TICKS)
        *interval = *interval ? 2 * *interval : VENTURI_CLOCK_TICKS_FIRST;
    return venturi_clock_is_tsc ? last.ticks + *interval : UINT64_MAX;
}
