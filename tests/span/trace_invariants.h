/* SPDX-License-Identifier: Apache-2.0
 *
 * What every trace that was read satisfies, however hostile its files were.
 */
#pragma once

#include "trace/reader.h"

static inline bool trace_is_sound(const struct trace *trace)
{
    for (size_t i = 0; i < trace->span_count; i++) {
        const struct span *span = &trace->spans[i], *before = i ? span - 1 : span;
        bool ordered =
            before->start_ns < span->start_ns || (before->start_ns == span->start_ns && before->end_ns <= span->end_ns);
        if (!ordered || span->end_ns < span->start_ns || span->stage >= trace->stage_count ||
            span->worker >= trace->worker_count || span->outcome > SPAN_FAILED)
            return false;
    }
    for (size_t i = 0; i < trace->stage_count; i++)
        if (stage_name_bytes(trace->stages[i]) == 0)
            return false;
    for (size_t i = 1; i < trace->memory_count; i++)
        if (trace->memory[i - 1].at_ns > trace->memory[i].at_ns)
            return false;
    return true;
}
