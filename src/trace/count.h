/* SPDX-License-Identifier: Apache-2.0
 *
 * Sums of counts from outside: they stop at the largest number instead of beginning anew.
 */
#pragma once

#include "trace/format.h"

static inline uint64_t count_add(uint64_t a, uint64_t b)
{
    return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

static inline void span_losses_add(struct span_losses *sum, const struct span_losses *more)
{
    sum->write_failed = count_add(sum->write_failed, more->write_failed);
    sum->no_stage = count_add(sum->no_stage, more->no_stage);
    sum->misuse = count_add(sum->misuse, more->misuse);
    sum->no_stream = count_add(sum->no_stream, more->no_stream);
    sum->interrupted = count_add(sum->interrupted, more->interrupted);
    sum->clock = count_add(sum->clock, more->clock);
}
