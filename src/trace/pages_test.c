/* SPDX-License-Identifier: Apache-2.0
 *
 * Traces made by hand, opened: their processes, streams, clocks and pages.
 */
#include "trace/pages.h"

#include "base/file.h"
#include "trace/page.h"
#include "trace/page_builder.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char *const STAGES[] = {"parse", "ingest", NULL};

struct fixture {
    char folder[256];
    struct arena arena;
    struct diag diag;
    struct pages pages;
    struct built_process process;
    struct page_builder stream;
};

/* A process with two stages and a stream of none. */
static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    const char *base = getenv("TMPDIR");
    (void)snprintf(fixture->folder, sizeof fixture->folder, "%s/venturi-XXXXXX", base ? base : "/tmp");
    built_process_begin(&fixture->process, 11, 5000, STAGES);
    builder_begin(&fixture->stream, &fixture->process, 0);
    *state = fixture;
    return mkdtemp(fixture->folder) ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    pages_close(&fixture->pages);
    arena_fini(&fixture->arena);
    builder_end(&fixture->stream);
    enum err error = dir_remove(fixture->folder, NULL);
    free(fixture);
    return error == ERR_OK ? 0 : -1;
}

static void write_all(const struct fixture *fixture)
{
    built_process_write(&fixture->process, fixture->folder);
    builder_write(&fixture->stream, fixture->folder);
}

static enum err try_open(struct fixture *fixture)
{
    pages_close(&fixture->pages);
    arena_fini(&fixture->arena);
    arena_init(&fixture->arena, 16 * 1024 * 1024);
    return pages_open(&fixture->pages, fixture->folder, &fixture->arena, &fixture->diag);
}

static struct pages *open_pages(struct fixture *fixture)
{
    char line[1024];
    if (try_open(fixture) != ERR_OK)
        fail_msg("%s", diag_line(&fixture->diag, line, sizeof line));
    return &fixture->pages;
}

/* Reads all pages backwards, block by block; every one that is there has `*records` lap records less before it. */
static size_t count_pages(struct pages *pages, const struct pages_stream *stream, uint64_t *records)
{
    static unsigned char block[TRACE_BLOCK_BYTES];
    size_t held = 0;
    *records = 0;
    for (uint32_t last = pages_before(pages, stream, 0); last > 0;) {
        uint32_t first = (last - 1) / TRACE_BLOCK_PAGES * TRACE_BLOCK_PAGES + 1;
        assert_int_equal(pages_read(block, pages, stream, first, last - first + 1, NULL), ERR_OK);
        for (uint32_t i = 0; i <= last - first; i++) {
            struct page_cursor cursor;
            struct page_span span;
            const unsigned char *page = block + (size_t)i * TRACE_PAGE_BYTES;
            if (((const struct page_head *)(const void *)page)->sequence == 0)
                continue;
            assert_int_equal(((const struct page_head *)(const void *)page)->sequence, first + i);
            page_cursor_begin(&cursor, page, stream->process->stage_count);
            while (page_cursor_next(&span, &cursor))
                assert_in_range(span.record.stage, 1, 2);
            assert_false(cursor.broken);
            *records += cursor.records;
            held++;
        }
        last = pages_before(pages, stream, first);
    }
    return held;
}

static void test_blocks_and_ring(void **state)
{
    struct fixture *fixture = *state;
    uint64_t records;
    while (fixture->stream.sequence < 2 * TRACE_BLOCK_PAGES + 3)
        builder_lap(&fixture->stream, 1 + (uint32_t)(fixture->stream.records % 2), 100);
    write_all(fixture);
    struct pages *pages = open_pages(fixture);
    assert_int_equal(pages->process_count, 1);
    assert_int_equal(pages->stage_count, 2);
    assert_string_equal(pages->stages[1], "ingest");
    assert_int_equal(pages->stream_count, 1);
    assert_ptr_equal(pages->streams[0].process, pages->processes);
    assert_int_equal(pages->streams[0].pages, 2 * TRACE_BLOCK_PAGES + 3);
    assert_int_equal(count_pages(pages, pages->streams, &records), 2 * TRACE_BLOCK_PAGES + 3);
    assert_int_equal(records, fixture->stream.records);
    assert_int_equal(pages->rejected, 0);
}

static void test_empty_folder(void **state)
{
    const struct pages *pages = open_pages(*state);
    assert_int_equal(pages->process_count + pages->stream_count + pages->stage_count + pages->rejected, 0);
}

#define PAGES_TEST(body) cmocka_unit_test_setup_teardown(body, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAGES_TEST(test_empty_folder),
        PAGES_TEST(test_blocks_and_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
