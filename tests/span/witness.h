/* SPDX-License-Identifier: Apache-2.0
 *
 * Who recorded what, kept where a kill of the recording process does not reach: a page shared with the test. Each
 * thread records spans numbered from 0; before it ends one it says so, and after the call returned it says so again. So
 * whatever happens, the trace must hold a run of numbers from 0 without holes, at least as long as `acknowledged` and
 * at most as long as `begun`.
 */
#pragma once

#include "fixture.h"
#include "venturi.h"

#include <stdint.h>
#include <sys/mman.h>

enum { WITNESSES_MAX = 512 };

struct witness {
    _Alignas(64) uint64_t begun; /* both atomic */
    uint64_t acknowledged;
};

static inline struct witness *witnesses_new(void)
{
    return shared_new(WITNESSES_MAX * sizeof(struct witness));
}

static inline void witnesses_free(struct witness *witnesses)
{
    assert_int_equal(munmap(witnesses, WITNESSES_MAX * sizeof *witnesses), 0);
}

/** Records the next span of thread number `thread`. */
static inline void witness_span(struct witness *witnesses, uint64_t thread, venturi_stage stage)
{
    struct witness *witness = &witnesses[thread];
    uint64_t number = __atomic_load_n(&witness->begun, __ATOMIC_RELAXED), item = thread << 32 | number;
    venturi_span span = venturi_begin(stage, item);
    __atomic_store_n(&witness->begun, number + 1, __ATOMIC_RELEASE);
    venturi_end(&span, 3 * item + 1, ~item);
    __atomic_store_n(&witness->acknowledged, number + 1, __ATOMIC_RELEASE);
}

static inline uint64_t witness_acknowledged(const struct witness *witnesses)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < WITNESSES_MAX; i++)
        sum += __atomic_load_n(&witnesses[i].acknowledged, __ATOMIC_ACQUIRE);
    return sum;
}

/** Fails when the trace holds a span twice, out of order, changed or never recorded. Sets found[] for each thread. */
static inline void witness_spans(uint64_t *found, const struct trace *trace)
{
    memset(found, 0, WITNESSES_MAX * sizeof *found);
    for (size_t i = 0; i < trace->span_count; i++) {
        const struct span *span = &trace->spans[i];
        uint64_t thread = span->item >> 32;
        assert_true(thread < WITNESSES_MAX);
        assert_int_equal(span->item & UINT32_MAX, found[thread]);
        assert_true(span->rows == 3 * span->item + 1 && span->bytes == ~span->item);
        found[thread]++;
    }
}

/** Fails unless every span that ended is there and none was invented. */
static inline void witness_check(const struct witness *witnesses, const struct trace *trace)
{
    uint64_t found[WITNESSES_MAX];
    witness_spans(found, trace);
    assert_int_equal(trace->rejected, 0);
    for (size_t i = 0; i < WITNESSES_MAX; i++)
        assert_in_range(found[i], witnesses[i].acknowledged, witnesses[i].begun);
}
