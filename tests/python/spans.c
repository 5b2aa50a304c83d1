/* SPDX-License-Identifier: Apache-2.0
 *
 * Prints a trace as one JSON document, for the tests of the Python package.
 */
#include "base/json.h"
#include "trace/reader.h"

#include <stdio.h>
#include <stdlib.h>

static json_t *span_json(const struct trace *trace, const struct span *span)
{
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:b}", "stage", trace->stages[span->stage], "item",
                     (json_int_t)span->item, "rows", (json_int_t)span->rows, "bytes", (json_int_t)span->bytes,
                     "start_ns", (json_int_t)span->start_ns, "end_ns", (json_int_t)span->end_ns, "worker",
                     (json_int_t)span->worker, "failed", span->outcome == SPAN_FAILED);
}

static json_t *losses_json(const struct trace *trace)
{
    const struct span_losses *losses = &trace->losses;
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "write_failed", (json_int_t)losses->write_failed,
                     "no_stage", (json_int_t)losses->no_stage, "misuse", (json_int_t)losses->misuse, "no_stream",
                     (json_int_t)losses->no_stream, "interrupted", (json_int_t)losses->interrupted, "clock",
                     (json_int_t)losses->clock, "rejected", (json_int_t)trace->rejected);
}

static json_t *trace_json(const struct trace *trace)
{
    json_t *spans = json_array();
    for (size_t i = 0; i < trace->span_count; i++)
        if (json_array_append_new(spans, span_json(trace, &trace->spans[i])) != 0)
            return NULL;
    return json_pack("{s:o, s:o}", "spans", spans, "losses", losses_json(trace));
}

int main(int argc, char **argv)
{
    AUTO(arena_fini) struct arena arena;
    AUTO(json_release) json_t *json = NULL;
    struct diag diag;
    struct trace *trace;
    char line[1024];
    arena_init(&arena, 1 << 28);
    if (argc != 2)
        return 2;
    if (trace_read(&trace, argv[1], &arena, &diag) != ERR_OK) {
        (void)fprintf(stderr, "%s\n", diag_line(&diag, line, sizeof line));
        return 1;
    }
    json = trace_json(trace);
    return json && json_dumpf(json, stdout, JSON_COMPACT) == 0 ? 0 : 1;
}
