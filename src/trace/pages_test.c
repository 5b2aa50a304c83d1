/* SPDX-License-Identifier: Apache-2.0
 *
 * Traces made by hand, opened: their processes, streams, clocks and pages, right and wrong.
 */
#include "trace/page.h"
#include "trace/trace_fixture.h"

#include <fcntl.h>

enum { PAGES = 2 * TRACE_BLOCK_PAGES + 3 }; /* two blocks in the file, three pages in the ring */

static struct page_head head_of(const unsigned char *page)
{
    struct page_head head;
    memcpy(&head, page, sizeof head);
    return head;
}

static uint64_t records_of(const unsigned char *page, uint32_t stages)
{
    struct page_cursor cursor;
    struct page_span span;
    page_cursor_begin(&cursor, page, stages);
    while (page_cursor_next(&span, &cursor))
        assert_in_range(span.record.stage, 1, stages);
    assert_false(cursor.broken);
    return cursor.records;
}

struct count {
    size_t pages;
    uint64_t records;
};

/* All pages that are there, from the newest to the oldest. */
static struct count count_pages(struct pages *pages, const struct pages_stream *stream)
{
    static unsigned char block[TRACE_BLOCK_BYTES];
    struct count count = {0};
    for (uint32_t last = pages_before(pages, stream, 0); last > 0;) {
        uint32_t first = (last - 1) / TRACE_BLOCK_PAGES * TRACE_BLOCK_PAGES + 1;
        assert_int_equal(pages_read(block, pages, stream, first, last - first + 1, NULL), ERR_OK);
        for (uint32_t i = 0; i <= last - first; i++) {
            const unsigned char *page = block + (size_t)i * TRACE_PAGE_BYTES;
            if (head_of(page).sequence == 0)
                continue;
            assert_int_equal(head_of(page).sequence, first + i);
            count.records += records_of(page, 2);
            count.pages++;
        }
        last = pages_before(pages, stream, first);
    }
    return count;
}

static void test_empty_folder(void **state)
{
    struct pages *pages = fixture_open(*state);
    assert_int_equal(pages->process_count + pages->stream_count + pages->stage_count + pages->rejected, 0);
}

static void test_blocks_and_ring(void **state)
{
    struct fixture *fixture = *state;
    fixture_fill(fixture, PAGES);
    fixture_write(fixture);
    struct pages *pages = fixture_open(fixture);
    assert_int_equal(pages->version, 2);
    assert_int_equal(pages->process_count, 1);
    assert_int_equal(pages->processes[0].pid, FIXTURE_PID);
    assert_int_equal(pages->processes[0].start_ns, FIXTURE_START);
    assert_int_equal(pages->stage_count, 2);
    assert_string_equal(pages->stages[pages->processes[0].stages[1]], "ingest");
    assert_int_equal(pages->stream_count, 1);
    assert_ptr_equal(pages->streams[0].process, pages->processes);
    assert_int_equal(pages->streams[0].tid, FIXTURE_PID);
    assert_int_equal(pages->streams[0].pages, PAGES);
    struct count count = count_pages(pages, pages->streams);
    assert_int_equal(count.pages, PAGES);
    assert_int_equal(count.records, fixture->stream.records);
    assert_int_equal(pages->rejected, 0);
}

static void test_any_range_of_pages(void **state)
{
    static unsigned char range[2 * TRACE_BLOCK_BYTES];
    struct fixture *fixture = *state;
    fixture_fill(fixture, PAGES);
    fixture_write(fixture);
    struct pages *pages = fixture_open(fixture);
    for (uint32_t first = 1; first <= PAGES + 2; first += 5) {
        for (uint32_t count = 1; count <= 2 * TRACE_BLOCK_PAGES; count += 7) {
            assert_int_equal(pages_read(range, pages, pages->streams, first, count, NULL), ERR_OK);
            for (uint32_t i = 0; i < count; i++)
                assert_int_equal(head_of(range + (size_t)i * TRACE_PAGE_BYTES).sequence,
                                 first + i <= PAGES ? first + i : 0);
        }
    }
    assert_int_equal(pages_read(range, pages, pages->streams, UINT32_MAX - 1, 4, NULL), ERR_OK);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(head_of(range + (size_t)i * TRACE_PAGE_BYTES).sequence, 0);
}

/* A page of the file that was changed is lost, unless the ring still has it. */
static void test_changed_pages(void **state)
{
    struct fixture *fixture = *state;
    fixture_fill(fixture, PAGES);
    fixture->stream.file[5 * TRACE_PAGE_BYTES + 1000] ^= 1;
    fixture->stream.file[(PAGES - 5) * TRACE_PAGE_BYTES + 1000] ^= 1; /* sequence PAGES - 4: also in the ring */
    fixture_write(fixture);
    struct pages *pages = fixture_open(fixture);
    assert_int_equal(count_pages(pages, pages->streams).pages, PAGES - 1);
}

/* Two pages that changed places, one of another stream, one that was never sealed in the file and one that was never
 * finished in the ring are not what is asked for. */
static void test_pages_in_wrong_places(void **state)
{
    struct fixture *fixture = *state;
    unsigned char page[TRACE_PAGE_BYTES];
    fixture_fill(fixture, PAGES);
    unsigned char *file = fixture->stream.file;
    memcpy(page, file, sizeof page);
    memcpy(file, file + TRACE_PAGE_BYTES, sizeof page);
    memcpy(file + TRACE_PAGE_BYTES, page, sizeof page);
    uint32_t other = 4711;
    memcpy(file + 2 * TRACE_PAGE_BYTES + offsetof(struct page_head, stream), &other, sizeof other);
    uint64_t check = page_check(file + 2 * TRACE_PAGE_BYTES);
    memcpy(file + 2 * TRACE_PAGE_BYTES, &check, sizeof check);
    memset(file + 3 * TRACE_PAGE_BYTES, 0, sizeof check);
    memset(builder_page(&fixture->stream, PAGES) + offsetof(struct page_head, sequence), 0, 4);
    fixture_write(fixture);
    struct pages *pages = fixture_open(fixture);
    assert_int_equal(count_pages(pages, pages->streams).pages, PAGES - 5);
}

static void test_no_file(void **state)
{
    struct fixture *fixture = *state;
    fixture_fill(fixture, PAGES);
    fixture_write(fixture);
    fixture_remove(fixture, FIXTURE_SPANS);
    struct pages *pages = fixture_open(fixture);
    assert_int_equal(count_pages(pages, pages->streams).pages, TRACE_BLOCK_PAGES);
    assert_int_equal(pages_before(pages, pages->streams, PAGES - TRACE_BLOCK_PAGES + 1), 0);
}

/* Without its slot a stream has the file left, and its name says whose it is. */
static void test_no_ring(void **state)
{
    struct fixture *fixture = *state;
    fixture_fill(fixture, PAGES);
    fixture_write(fixture);
    fixture_remove(fixture, FIXTURE_RING);
    struct pages *pages = fixture_open(fixture);
    assert_int_equal(pages->stream_count, 1);
    assert_ptr_equal(pages->streams[0].process, pages->processes);
    assert_int_equal(pages->streams[0].tid, 0);
    assert_int_equal(count_pages(pages, pages->streams).pages, 2 * TRACE_BLOCK_PAGES);
    fixture_remove(fixture, FIXTURE_PROCESS_RING);
    pages = fixture_open(fixture);
    assert_null(pages->streams[0].process);
}

static void test_many_slots_in_one_file(void **state)
{
    enum { STREAMS = 5 };
    struct fixture *fixture = *state;
    size_t bytes = (2 * STREAMS + 1) * (size_t)TRACE_SLOT_BYTES; /* every other one never began */
    unsigned char *rings = builder_checked(calloc(1, bytes));
    memcpy(rings + 3 * TRACE_SLOT_BYTES, &fixture->process.slot, sizeof fixture->process.slot);
    for (uint32_t i = 0; i < STREAMS; i++) {
        struct page_builder stream;
        builder_begin(&stream, &fixture->process, STREAMS - i);
        builder_lap(&stream, 1, 10);
        memcpy(rings + (size_t)(2 * i) * TRACE_SLOT_BYTES, stream.slot, TRACE_SLOT_BYTES);
        builder_end(&stream);
    }
    fixture_put(fixture, TRACE_LAB_RING, rings, bytes);
    free(rings);
    struct pages *pages = fixture_open(fixture);
    assert_int_equal(pages->process_count, 1);
    assert_int_equal(pages->stream_count, STREAMS);
    for (size_t i = 0; i < STREAMS; i++) {
        assert_int_equal(pages->streams[i].number, i + 1);
        assert_int_equal(count_pages(pages, &pages->streams[i]).records, 1);
    }
}

/* A slot that says what another one says, and a file of spans that is none of ours, are counted. */
static void test_rejected(void **state)
{
    struct fixture *fixture = *state;
    builder_lap(&fixture->stream, 1, 10);
    fixture_write(fixture);
    fixture_put(fixture, "again.ring", fixture->stream.slot, TRACE_SLOT_BYTES);
    fixture_put(fixture, "process.ring", &fixture->process.slot, sizeof fixture->process.slot);
    fixture_put(fixture, "x.spans", "rubbish", 7);
    fixture_put(fixture, "011-5000-0.spans", "rubbish", 7); /* not as a number is written */
    fixture_put(fixture, "99999999999-1-1.spans", "rubbish", 7);
    fixture_put(fixture, "notes.txt", "mine", 4); /* nobody claims that this is ours */
    fixture->process.slot.pid++;
    fixture->process.slot.clock = 7;
    fixture_put(fixture, "clock.ring", &fixture->process.slot, sizeof fixture->process.slot);
    fixture->process.slot.pid++;
    fixture->process.slot.clock = CLOCK_IS_NS;
    fixture->process.slot.stages = TRACE_STAGES_MAX + 1;
    fixture_put(fixture, "stages.ring", &fixture->process.slot, sizeof fixture->process.slot);
    const struct pages *pages = fixture_open(fixture);
    assert_int_equal(pages->process_count, 1);
    assert_int_equal(pages->stream_count, 1);
    assert_string_equal(pages->streams[0].slot.ring, FIXTURE_RING);
    assert_int_equal(pages->rejected, 7);
}

static void test_never_began(void **state)
{
    struct fixture *fixture = *state;
    static const char foreign[TRACE_SLOT_BYTES] = "PNG";
    fixture->stream.slot->losses.misuse = 5;
    memset(fixture->stream.slot->magic, 0, sizeof fixture->stream.slot->magic);
    memset(fixture->process.slot.magic, 0, sizeof fixture->process.slot.magic);
    fixture_write(fixture);
    fixture_put(fixture, "foreign.ring", foreign, sizeof foreign);
    fixture_put(fixture, "empty.ring", "", 0);
    fixture_put(fixture, "short.ring", TRACE_STREAM_MAGIC, 4);
    const struct pages *pages = fixture_open(fixture);
    assert_int_equal(pages->process_count + pages->stream_count + pages->losses.misuse, 0);
}

static void test_other_versions(void **state)
{
    struct fixture *fixture = *state;
    fixture_write(fixture);
    fixture->stream.slot->version = 3;
    fixture_put(fixture, FIXTURE_RING, fixture->stream.slot, TRACE_SLOT_BYTES);
    fixture_refused(fixture, FIXTURE_RING, "has version 3, this venturi reads 2");
    fixture->stream.slot->magic[7] = '3'; /* whatever else may have moved */
    fixture_put(fixture, FIXTURE_RING, fixture->stream.slot, TRACE_SLOT_BYTES);
    fixture_refused(fixture, FIXTURE_RING, "has version 3");
    fixture_remove(fixture, FIXTURE_RING);
    fixture->process.slot.version = 9;
    fixture_put(fixture, FIXTURE_PROCESS_RING, &fixture->process.slot, sizeof fixture->process.slot);
    fixture_refused(fixture, FIXTURE_PROCESS_RING, "has version 9");
}

static void test_losses_are_summed(void **state)
{
    struct fixture *fixture = *state;
    fixture->process.slot.losses = (struct span_losses){.no_stream = 4, .no_stage = UINT64_MAX};
    fixture->stream.slot->losses = (struct span_losses){.write_failed = 1, .no_stage = 2, .misuse = 3, .clock = 6};
    fixture_write(fixture);
    const struct pages *pages = fixture_open(fixture);
    assert_int_equal(pages->losses.write_failed, 1);
    assert_true(pages->losses.no_stage == UINT64_MAX);
    assert_int_equal(pages->losses.misuse, 3);
    assert_int_equal(pages->losses.no_stream, 4);
    assert_int_equal(pages->losses.clock, 6);
    assert_int_equal(pages->streams[0].losses.misuse, 3);
}

static void test_stages_of_two_processes_become_one_table(void **state)
{
    static const char *const names[] = {"ingest", "other", "\x1b[2J", NULL};
    struct fixture *fixture = *state;
    struct built_process second;
    built_process_begin(&second, 12, 4000, names);
    memset(fixture->process.slot.names[0], 'x', sizeof *fixture->process.slot.names); /* no NUL */
    fixture_write(fixture);
    built_process_write(&second, fixture->folder);
    const struct pages *pages = fixture_open(fixture);
    assert_int_equal(pages->process_count, 2);
    assert_int_equal(pages->processes[0].pid, 12); /* began first */
    assert_int_equal(pages->stage_count, 3);
    assert_string_equal(pages->stages[0], "ingest");
    assert_string_equal(pages->stages[1], "other");
    assert_int_equal(strlen(pages->stages[2]), TRACE_STAGE_NAME_BYTES);
    assert_int_equal(pages->processes[0].stages[2], PAGES_STAGE_NONE);
    assert_int_equal(pages->processes[1].stages[1], 0);
}

static void test_too_many_stages(void **state)
{
    struct fixture *fixture = *state;
    for (uint32_t pid = 0; pid < 5; pid++) { /* 5 x 254 is more than 1024 */
        struct process_slot *slot = &fixture->process.slot;
        slot->pid = 20 + pid;
        slot->stages = TRACE_STAGES_MAX;
        for (unsigned i = 0; i < TRACE_STAGES_MAX; i++)
            (void)snprintf(slot->names[i], sizeof slot->names[i], "%u-%u", pid, i);
        built_process_write(&fixture->process, fixture->folder);
        if (pid < 4) {
            assert_int_equal(fixture_open(fixture)->stage_count, (pid + 1) * TRACE_STAGES_MAX);
            assert_string_equal(fixture->pages.stages[254 * pid + 7], slot->names[7]);
        }
    }
    fixture_refused(fixture, "4-8", "more than 1024 different stages");
}

static void test_clocks(void **state)
{
    static const char *const names[] = {"a", NULL};
    struct fixture *fixture = *state;
    struct built_process other;
    struct page_builder stream;
    built_process_tsc(&fixture->process, 1000000, 3);
    builder_end(&fixture->stream);
    builder_begin(&fixture->stream, &fixture->process, 0);
    fixture_fill(fixture, PAGES);
    fixture_write(fixture);
    built_process_begin(&other, 99, 8000, names); /* of the same boot, in its own nanoseconds */
    built_process_write(&other, fixture->folder);
    other.slot.pid++;
    built_process_tsc(&other, 1000000 + 3000 * 3, 3); /* of the same boot and clock: began when it was 8000 ns */
    builder_begin(&stream, &other, 0);
    builder_lap(&stream, 1, 3000000000);
    builder_put(&stream, &(struct record){.kind = RECORD_IS_CLOCK, .delta = 30});
    builder_write(&stream, fixture->folder);
    builder_end(&stream);
    built_process_write(&other, fixture->folder);
    const struct pages *pages = fixture_open(fixture);
    assert_int_equal(pages->clock_count, 2);
    const struct clock_line *tsc = &pages->processes[0].clock->line, *ns = &pages->processes[1].clock->line;
    assert_ptr_equal(&pages->processes[2].clock->line, tsc);
    assert_true(tsc->known && ns->known);
    assert_int_equal(clock_line_ns(ns, 123456789), 123456789);
    for (uint64_t ticks = 0; ticks < 3000000000; ticks += 299999) /* up to the clock record of the second process */
        assert_in_range(clock_line_ns(tsc, 1000000 + 3 * ticks) - FIXTURE_START - ticks + 1, 0, 2);
    assert_int_equal(tsc->last.ticks, 1000000 + 9000 + 3000000030);
}

/* A slot's name for the boot, when it is none, is no boot, not text. */
static void test_boots(void **state)
{
    struct fixture *fixture = *state;
    char path[32];
    for (uint32_t boot = 0; boot < PAGES_CLOCKS_MAX + 1; boot++) {
        struct process_slot *slot = &fixture->process.slot;
        slot->pid = 100 + boot;
        (void)snprintf(path, sizeof path, "%08x", boot);
        memcpy(slot->boot, path, 8);
        if (boot == PAGES_CLOCKS_MAX)
            break;
        built_process_write(&fixture->process, fixture->folder);
    }
    assert_int_equal(fixture_open(fixture)->clock_count, PAGES_CLOCKS_MAX);
    built_process_write(&fixture->process, fixture->folder);
    fixture_refused(fixture, fixture->folder, "more than 64 boots");
    memset(fixture->process.slot.boot, '\x1b', TRACE_BOOT_BYTES);
    assert_int_equal(dir_remove(fixture->folder, NULL), ERR_OK);
    assert_int_equal(mkdir(fixture->folder, 0700), 0);
    built_process_write(&fixture->process, fixture->folder);
    assert_string_equal(fixture_open(fixture)->clocks[0].boot, "");
}

/* A sparse file costs nothing to make and claims terabytes: its holes are stepped over. */
static void test_huge_sparse_files(void **state)
{
    struct fixture *fixture = *state;
    fixture_fill(fixture, PAGES);
    fixture_write(fixture);
    fixture_cut(fixture, FIXTURE_SPANS, (uint64_t)1 << 42);
    fixture_cut(fixture, FIXTURE_RING, (uint64_t)1 << 42);
    struct pages *pages = fixture_open(fixture);
    assert_int_equal(pages->streams[0].pages, (uint32_t)1 << 30);
    struct count count = count_pages(pages, pages->streams);
    assert_int_equal(count.pages, PAGES);
    assert_int_equal(count.records, fixture->stream.records);
    unsigned char byte = 1; /* garbage at the far end costs one more block */
    int fd = open(fixture_path(fixture, FIXTURE_SPANS), O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, &byte, 1, ((off_t)1 << 42) - 5), 1);
    assert_int_equal(close(fd), 0);
    pages = fixture_open(fixture);
    assert_int_equal(pages_before(pages, pages->streams, 0), (uint32_t)1 << 30);
    assert_int_equal(count_pages(pages, pages->streams).pages, PAGES);
}

/* More files than are kept open at a time, read in turns. */
static void test_many_files(void **state)
{
    enum { STREAMS = 2 * PAGES_FILES_KEPT + 5 };
    struct fixture *fixture = *state;
    built_process_write(&fixture->process, fixture->folder);
    for (uint32_t i = 0; i < STREAMS; i++) {
        struct page_builder stream;
        builder_begin(&stream, &fixture->process, i);
        stream.open = sizeof(struct page_head) + RECORD_BYTES_MAX;
        while (stream.sequence <= TRACE_BLOCK_PAGES)
            builder_lap(&stream, 1, 5);
        builder_write(&stream, fixture->folder);
        builder_end(&stream);
    }
    struct pages *pages = fixture_open(fixture);
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < STREAMS; i++)
            assert_int_equal(count_pages(pages, &pages->streams[i]).pages, TRACE_BLOCK_PAGES + 1);
    int lowest = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_in_range(lowest, 0, PAGES_FILES_KEPT + 16);
    assert_int_equal(close(lowest), 0);
}

/* While the trace is open the writer goes on: what has left the ring is found in the file, which grew. */
static void test_the_writer_goes_on(void **state)
{
    static unsigned char block[TRACE_BLOCK_BYTES];
    struct fixture *fixture = *state;
    fixture_fill(fixture, TRACE_BLOCK_PAGES - 2);
    fixture_write(fixture);
    struct pages *pages = fixture_open(fixture);
    assert_int_equal(pages->streams[0].pages, TRACE_BLOCK_PAGES - 2);
    fixture_fill(fixture, TRACE_BLOCK_PAGES + 9);
    fixture_write(fixture);
    assert_int_equal(pages_read(block, pages, pages->streams, 1, TRACE_BLOCK_PAGES - 2, NULL), ERR_OK);
    for (uint32_t i = 0; i < TRACE_BLOCK_PAGES - 2; i++)
        assert_int_equal(head_of(block + (size_t)i * TRACE_PAGE_BYTES).sequence, i + 1);
}

static void test_links_and_devices(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(symlink("/dev/zero", fixture_path(fixture, "a.ring")), 0);
    fixture_refused(fixture, "a.ring", "cannot open");
    fixture_remove(fixture, "a.ring");
    assert_int_equal(mkfifo(fixture_path(fixture, "1-1-1.spans"), 0600), 0);
    fixture_refused(fixture, "1-1-1.spans", "not a regular file"); /* and does not wait for a writer */
    fixture_remove(fixture, "1-1-1.spans");
    assert_int_equal(mkdir(fixture_path(fixture, "c.ring"), 0700), 0);
    fixture_refused(fixture, "c.ring", "not a regular file");
}

static void test_version_1(void **state)
{
    struct fixture *fixture = *state;
    fixture_put(fixture, "1-1-0.spans", "VENTURI1", 8);
    assert_int_equal(fixture_open(fixture)->version, 1);
    fixture_remove(fixture, "1-1-0.spans");
    fixture_put(fixture, "1-1.process", "", 0);
    assert_int_equal(fixture_open(fixture)->version, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_empty_folder),
        FIXTURE_TEST(test_blocks_and_ring),
        FIXTURE_TEST(test_any_range_of_pages),
        FIXTURE_TEST(test_changed_pages),
        FIXTURE_TEST(test_pages_in_wrong_places),
        FIXTURE_TEST(test_no_file),
        FIXTURE_TEST(test_no_ring),
        FIXTURE_TEST(test_many_slots_in_one_file),
        FIXTURE_TEST(test_rejected),
        FIXTURE_TEST(test_never_began),
        FIXTURE_TEST(test_other_versions),
        FIXTURE_TEST(test_losses_are_summed),
        FIXTURE_TEST(test_stages_of_two_processes_become_one_table),
        FIXTURE_TEST(test_too_many_stages),
        FIXTURE_TEST(test_clocks),
        FIXTURE_TEST(test_boots),
        FIXTURE_TEST(test_huge_sparse_files),
        FIXTURE_TEST(test_many_files),
        FIXTURE_TEST(test_the_writer_goes_on),
        FIXTURE_TEST(test_links_and_devices),
        FIXTURE_TEST(test_version_1),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
