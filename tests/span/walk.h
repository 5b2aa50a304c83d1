/* SPDX-License-Identifier: Apache-2.0
 *
 * A trace record by record, in the order in which each stream was written: what trace_read sorts away.
 */
#pragma once

#include "fixture.h"
#include "trace/page.h"
#include "trace/pages.h"

/** Gets each lap and span but for the recorder's own. */
typedef void walk_visit(void *context, const struct pages *pages, const struct pages_stream *stream,
                        const struct page_span *span);

struct walk {
    walk_visit *visit;
    void *context;
    struct span_losses losses; /* after the walk, like the rest */
    size_t flushes;
};

/* One page; *records is how many came before it on its stream: none may be missing. */
static inline void walk_page(struct walk *walk, uint64_t *records, const struct pages *pages,
                             const struct pages_stream *stream, const void *page)
{
    struct page_cursor cursor;
    struct page_span span;
    struct page_head head;
    memcpy(&head, page, sizeof head);
    if (head.sequence == 0)
        return; /* lost, or the end */
    assert_int_equal(head.records, *records);
    page_cursor_begin(&cursor, page, stream->process->stage_count);
    while (page_cursor_next(&span, &cursor)) {
        if (span.record.stage == TRACE_STAGE_FLUSH)
            walk->flushes++;
        else
            walk->visit(walk->context, pages, stream, &span);
    }
    assert_false(cursor.broken);
    *records += cursor.records;
}

static inline void walk_stream(struct walk *walk, struct pages *pages, const struct pages_stream *stream)
{
    static _Alignas(64) char block[TRACE_BLOCK_BYTES];
    struct diag diag = {0};
    uint64_t records = 0;
    for (uint32_t first = 1; first <= stream->pages; first += TRACE_BLOCK_PAGES) {
        fixture_pass(pages_read(block, pages, stream, first, TRACE_BLOCK_PAGES, &diag), &diag);
        for (uint32_t page = 0; page < TRACE_BLOCK_PAGES; page++)
            walk_page(walk, &records, pages, stream, block + page * TRACE_PAGE_BYTES);
    }
}

/** Walks through the whole trace; fails when a record cannot be right, or when some are missing before others. */
static inline void walk_trace(struct walk *walk, struct fixture *fixture)
{
    AUTO(pages_close) struct pages pages = {.stage_count = 0};
    struct diag diag = {0};
    arena_fini(&fixture->arena);
    arena_init(&fixture->arena, 64 * 1024 * 1024);
    fixture_save(fixture);
    fixture_pass(pages_open(&pages, fixture->folder, &fixture->arena, &diag), &diag);
    assert_int_equal(pages.rejected, 0);
    for (size_t i = 0; i < pages.stream_count; i++)
        walk_stream(walk, &pages, &pages.streams[i]);
    walk->losses = pages.losses;
}

/** The name of the stage of a span that is visited. */
static inline const char *walk_stage(const struct pages *pages, const struct pages_stream *stream, uint32_t stage)
{
    uint16_t name = stream->process->stages[stage - 1];
    assert_true(name < pages->stage_count);
    return pages->stages[name];
}
