/* SPDX-License-Identifier: Apache-2.0
 *
 * The clocks. Only rooms that touch the world call them; pure rooms are handed times.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define NS_PER_MS 1000000ULL
#define NS_PER_S 1000000000ULL

/** CLOCK_MONOTONIC in nanoseconds: the one time line of spans, runs and memory samples. */
uint64_t clock_monotonic_ns(void);
/** The wall clock as "2026-01-31T12:00:00Z" (UTC). `out` holds at least 24 bytes; returns `out`. */
const char *clock_utc(char *out, size_t out_bytes);
