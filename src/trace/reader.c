/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/reader.h"

#include "trace/count.h"
#include "trace/memory.h"
#include "trace/names.h"
#include "trace/page.h"
#include "trace/pages.h"
#include "trace/v1.h"

#include <stdlib.h>
#include <string.h>

static int compare(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int by_start(const void *left, const void *right)
{
    const struct span *a = left, *b = right;
    int order = compare(a->start_ns, b->start_ns);
    if (order == 0)
        order = compare(a->end_ns, b->end_ns);
    if (order == 0)
        order = compare(a->worker, b->worker);
    return order ? order : compare(a->item, b->item);
}

/* One passage over all pages, from the newest to the oldest of each stream. */
struct passage {
    struct pages *pages;
    const struct pages_stream *stream;
    uint32_t worker;
    unsigned char *block;
    struct trace *trace;
    bool counting;           /* the first passage */
    size_t room;             /* spans that fit: none in the first passage */
    uint64_t *ends;          /* of each stream: records that the first passage saw; the second sees no more */
    uint64_t records_before; /* records before the oldest page read so far */
};

struct span span_of_page(const struct page_span *from, const struct clock_line *line)
{
    const struct record *record = &from->record;
    bool counted = record->more & RECORD_ALLOCATIONS;
    uint64_t start_ns = clock_line_ns(line, from->start), end_ns = clock_line_ns(line, from->end);
    uint64_t cpu_ns = record->cpu_ns < end_ns - start_ns ? record->cpu_ns : end_ns - start_ns; /* read a little apart */
    return (struct span){.start_ns = start_ns,
                         .end_ns = end_ns,
                         .cpu_ns = record->more & RECORD_CPU ? cpu_ns : TRACE_CPU_UNKNOWN,
                         .item = from->item,
                         .rows = record->rows,
                         .bytes = record->bytes,
                         .allocations = counted ? record->allocations : TRACE_ALLOCATIONS_UNKNOWN,
                         .allocated_bytes = counted ? record->allocated_bytes : TRACE_ALLOCATIONS_UNKNOWN,
                         .outcome = record->more & RECORD_FAILED ? SPAN_FAILED : SPAN_OK};
}

static void add_span(struct passage *passage, const struct page_span *from)
{
    struct trace *trace = passage->trace;
    const struct pages_process *process = passage->stream->process;
    uint32_t number = from->record.stage;
    bool flush = number == TRACE_STAGE_FLUSH;
    uint16_t stage = process && !flush ? process->stages[number - 1] : PAGES_STAGE_NONE;
    if (!process || (!flush && stage == PAGES_STAGE_NONE)) {
        trace->rejected = count_add(trace->rejected, 1);
        return;
    }
    struct span span = span_of_page(from, &process->clock->line);
    if (flush) {
        trace->flush_ns = count_add(trace->flush_ns, span.end_ns - span.start_ns);
        trace->flush_count++;
        return;
    }
    span.stage = stage;
    span.worker = passage->worker;
    if (trace->span_count < passage->room)
        trace->spans[trace->span_count] = span;
    trace->span_count++;
}

static void read_page(struct passage *passage, const unsigned char *page)
{
    struct page_head head;
    struct page_cursor cursor;
    struct page_span span;
    const struct pages_process *process = passage->stream->process;
    uint64_t *rejected = &passage->trace->rejected, *stream_end = &passage->ends[passage->worker];
    memcpy(&head, page, sizeof head);
    if (head.sequence == 0)
        return;
    page_cursor_begin(&cursor, page, process ? process->stage_count : TRACE_STAGES_MAX);
    while (page_cursor_next(&span, &cursor))
        if (passage->counting || count_add(head.records, cursor.records) <= *stream_end)
            add_span(passage, &span);
    uint64_t end = count_add(head.records, cursor.records);
    if (passage->counting && end > *stream_end)
        *stream_end = end;
    uint64_t missing = page_missing_records(&passage->records_before, head.records, end, cursor.broken);
    *rejected = count_add(*rejected, missing);
}

static enum err read_stream(struct passage *passage, struct diag *diag)
{
    passage->records_before = PAGE_NONE_YET;
    uint32_t last = pages_before(passage->pages, passage->stream, 0);
    while (last > 0) {
        uint32_t first = (last - 1) / TRACE_BLOCK_PAGES * TRACE_BLOCK_PAGES + 1;
        TRY(pages_read(passage->block, passage->pages, passage->stream, first, last - first + 1, diag));
        for (size_t page = last - first + 1; page > 0; page--)
            read_page(passage, passage->block + (page - 1) * TRACE_PAGE_BYTES);
        last = pages_before(passage->pages, passage->stream, first);
    }
    passage->trace->rejected = count_add(passage->trace->rejected, page_missing_first(passage->records_before));
    return ERR_OK;
}

static enum err pass_over(struct passage *passage, struct diag *diag)
{
    struct trace *trace = passage->trace;
    trace->rejected = passage->pages->rejected;
    trace->span_count = 0;
    trace->flush_ns = trace->flush_count = 0;
    for (size_t i = 0; i < passage->pages->stream_count; i++) {
        passage->stream = &passage->pages->streams[i];
        passage->worker = (uint32_t)i;
        TRY(read_stream(passage, diag));
    }
    return ERR_OK;
}

/* Twice over the pages: how many spans there are is known only then. */
static enum err read_spans(struct trace *trace, struct pages *pages, struct arena *arena, struct diag *diag)
{
    struct passage passage = {.pages = pages, .trace = trace, .counting = true};
    trace->worker_count = pages->stream_count;
    trace->losses = pages->losses;
    passage.block = ARENA_ARRAY(arena, unsigned char, TRACE_BLOCK_BYTES);
    passage.ends = ARENA_ARRAY(arena, uint64_t, pages->stream_count);
    if (!passage.block || !passage.ends)
        return arena_exhausted(arena, diag);
    TRY(pass_over(&passage, diag));
    passage.counting = false;
    passage.room = trace->span_count;
    trace->spans = ARENA_ARRAY(arena, struct span, passage.room);
    if (!trace->spans)
        return arena_exhausted(arena, diag);
    TRY(pass_over(&passage, diag));
    trace->span_count = trace->span_count < passage.room ? trace->span_count : passage.room;
    for (size_t i = 0; i < pages->clock_count; i++)
        if (pages->clocks[i].line.drift_ns > trace->drift_ns)
            trace->drift_ns = pages->clocks[i].line.drift_ns;
    return ERR_OK;
}

/* Stages get their final numbers: by first start, and only those that have spans. */
static enum err order_stages(struct trace *trace, const char *const *names, size_t count, struct arena *arena,
                             struct diag *diag)
{
    uint32_t places[NAMES_MAX];
    memset(places, 0xff, sizeof places);
    trace->stages = ARENA_ARRAY(arena, const char *, count);
    if (!trace->stages)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < trace->span_count; i++) {
        uint32_t stage = trace->spans[i].stage;
        if (places[stage] == UINT32_MAX) {
            trace->stages[trace->stage_count] = names[stage];
            places[stage] = (uint32_t)trace->stage_count++;
        }
        trace->spans[i].stage = places[stage];
    }
    return ERR_OK;
}

static enum err read_version(struct trace *trace, struct pages *pages, struct arena *arena, struct diag *diag)
{
    const char *const *stages = pages->stages;
    size_t count = pages->stage_count;
    if (pages->version == 1) {
        struct names *names = ARENA_NEW(arena, struct names);
        if (!names)
            return arena_exhausted(arena, diag);
        TRY(v1_read(trace, names, &pages->folder, arena, diag));
        stages = names->names;
        count = names->count;
    } else {
        TRY(read_spans(trace, pages, arena, diag));
    }
    if (trace->span_count > 0)
        qsort(trace->spans, trace->span_count, sizeof *trace->spans, by_start);
    return order_stages(trace, stages, count, arena, diag);
}

enum err trace_read(struct trace **out, const char *path, struct arena *arena, struct diag *diag)
{
    AUTO(pages_close) struct pages pages;
    TRY(pages_open(&pages, path, arena, diag));
    struct trace *trace = ARENA_NEW(arena, struct trace);
    if (!trace)
        return arena_exhausted(arena, diag);
    TRY(read_version(trace, &pages, arena, diag));
    TRY(memory_read(&trace->memory, &trace->memory_count, &pages.folder, arena, diag));
    *out = trace;
    return ERR_OK;
}
