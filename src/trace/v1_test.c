/* SPDX-License-Identifier: Apache-2.0
 *
 * Folders of version 1 made by hand, right and wrong.
 */
#include "trace/reader.h"

#include "base/file.h"
#include "trace/format_v1.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char folder[256];
    struct arena arena;
    struct diag diag;
    struct trace *trace;
    struct v1_process process;
    struct {
        struct v1_stream_head head;
        char pad[V1_HEAD_BYTES - sizeof(struct v1_stream_head)];
        struct v1_record ring[V1_RING_RECORDS];
        struct v1_record block[V1_RING_RECORDS];
    } stream;
};

enum { HEAD_AND_RING = V1_STREAM_BYTES, WITH_BLOCK = V1_STREAM_BYTES + V1_BLOCK_BYTES };

static struct v1_record record_of(uint64_t sequence)
{
    struct v1_record record = {.start_ns = 1000 + 10 * sequence,
                               .end_ns = 1005 + 10 * sequence,
                               .cpu_ns = TRACE_CPU_UNKNOWN,
                               .item = sequence,
                               .stage = 1 + (uint32_t)(sequence % 2)};
    record.check = v1_record_check(&record, 77, sequence);
    return record;
}

/* A process with two stages and a stream of one block and three records in its ring. */
static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    const char *base = getenv("TMPDIR");
    (void)snprintf(fixture->folder, sizeof fixture->folder, "%s/venturi-XXXXXX", base ? base : "/tmp");
    fixture->process = (struct v1_process){.version = V1_VERSION, .stages = 2, .names = {"parse", "ingest"}};
    memcpy(fixture->process.magic, V1_PROCESS_MAGIC, sizeof fixture->process.magic);
    fixture->stream.head =
        (struct v1_stream_head){.version = V1_VERSION, .start_ns = 77, .blocks = 1, .records = V1_RING_RECORDS + 3};
    memcpy(fixture->stream.head.magic, V1_STREAM_MAGIC, sizeof fixture->stream.head.magic);
    for (uint64_t i = 0; i < V1_RING_RECORDS; i++) {
        fixture->stream.block[i] = record_of(i);
        fixture->stream.ring[i] = record_of(i < 3 ? V1_RING_RECORDS + i : i);
    }
    *state = fixture;
    return mkdtemp(fixture->folder) ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    arena_fini(&fixture->arena);
    enum err error = dir_remove(fixture->folder, NULL);
    free(fixture);
    return error == ERR_OK ? 0 : -1;
}

static const char *path_of(const struct fixture *fixture, const char *name)
{
    static char path[300];
    (void)snprintf(path, sizeof path, "%s/%s", fixture->folder, name);
    return path;
}

static void put(const struct fixture *fixture, const char *name, const void *data, size_t bytes)
{
    assert_int_equal(file_write_atomic(path_of(fixture, name), data, bytes, NULL), ERR_OK);
}

static void put_process(const struct fixture *fixture)
{
    put(fixture, "1-5.process", &fixture->process, sizeof fixture->process);
}

static void put_stream(const struct fixture *fixture, size_t bytes)
{
    put(fixture, "1-5-0.spans", &fixture->stream, bytes);
}

static enum err try_read(struct fixture *fixture)
{
    arena_fini(&fixture->arena);
    arena_init(&fixture->arena, 16 * 1024 * 1024);
    return trace_read(&fixture->trace, fixture->folder, &fixture->arena, &fixture->diag);
}

static const struct trace *read_trace(struct fixture *fixture)
{
    assert_int_equal(try_read(fixture), ERR_OK);
    return fixture->trace;
}

static void test_empty_folder(void **state)
{
    const struct trace *trace = read_trace(*state);
    assert_int_equal(trace->span_count + trace->stage_count + trace->worker_count + trace->memory_count, 0);
}

static void test_no_folder(void **state)
{
    struct fixture *fixture = *state;
    struct trace *trace;
    arena_init(&fixture->arena, 1024);
    assert_int_equal(trace_read(&trace, "/nonexistent", &fixture->arena, &fixture->diag), ERR_IO);
    assert_string_equal(fixture->diag.where, "/nonexistent");
}

static void test_block_and_ring(void **state)
{
    put_process(*state);
    put_stream(*state, WITH_BLOCK);
    const struct trace *trace = read_trace(*state);
    assert_int_equal(trace->span_count, V1_RING_RECORDS + 3);
    assert_int_equal(trace->rejected, 0);
    for (size_t i = 0; i < trace->span_count; i++)
        assert_int_equal(trace->spans[i].item, i);
    assert_string_equal(trace->stages[0], "parse");
    assert_string_equal(trace->stages[1], "ingest");
}

/* Killed between the append of a block and the store that publishes it: the ring counts, the block does not. */
static void test_unpublished_block(void **state)
{
    struct fixture *fixture = *state;
    memcpy(fixture->stream.ring, fixture->stream.block, sizeof fixture->stream.ring);
    fixture->stream.head.blocks = 0;
    fixture->stream.head.records = V1_RING_RECORDS;
    put_process(fixture);
    put_stream(fixture, WITH_BLOCK);
    const struct trace *trace = read_trace(fixture);
    assert_int_equal(trace->span_count, V1_RING_RECORDS);
    assert_int_equal(trace->rejected, 0);
}

/* After a power loss the head may be newer than the ring: what stood there before does not pass for what should. */
static void test_stale_ring(void **state)
{
    struct fixture *fixture = *state;
    fixture->stream.head.records = V1_RING_RECORDS + 10;
    put_process(fixture);
    put_stream(fixture, WITH_BLOCK);
    const struct trace *trace = read_trace(fixture);
    assert_int_equal(trace->span_count, V1_RING_RECORDS + 3);
    assert_int_equal(trace->rejected, 7);
}

static void test_cut_files(void **state)
{
    static const struct {
        size_t bytes, spans, rejected;
    } cases[] = {
        {WITH_BLOCK - 1, 3, V1_RING_RECORDS},
        {HEAD_AND_RING, 3, V1_RING_RECORDS},
        {V1_HEAD_BYTES + 64, 1, V1_RING_RECORDS + 2},
        {V1_HEAD_BYTES, 0, V1_RING_RECORDS + 3},
        {sizeof(struct v1_stream_head), 0, V1_RING_RECORDS + 3},
        {0, 0, 0},
    };
    put_process(*state);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_stream(*state, cases[i].bytes);
        const struct trace *trace = read_trace(*state);
        assert_int_equal(trace->span_count, cases[i].spans);
        assert_int_equal(trace->rejected, cases[i].rejected);
    }
}

static void test_heads_that_lie(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        uint64_t blocks, records, spans;
    } cases[] = {
        {UINT64_MAX, UINT64_MAX, V1_RING_RECORDS},
        {1, UINT64_MAX, V1_RING_RECORDS + 3},
        {1, 0, V1_RING_RECORDS},
        {UINT64_MAX / V1_RING_RECORDS, 3, V1_RING_RECORDS},
        {0, UINT64_MAX, V1_RING_RECORDS - 3}, /* the old ones still have the numbers of the first block */
    };
    put_process(fixture);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture->stream.head.blocks = cases[i].blocks;
        fixture->stream.head.records = cases[i].records;
        put_stream(fixture, WITH_BLOCK);
        const struct trace *trace = read_trace(fixture);
        assert_int_equal(trace->span_count, cases[i].spans);
        assert_true(trace->rejected > 0);
    }
}

static void refuse(struct v1_record *record, uint64_t sequence)
{
    record->check = v1_record_check(record, 77, sequence); /* somebody took the trouble */
}

static void test_records_that_cannot_be_right(void **state)
{
    struct fixture *fixture = *state;
    struct v1_record *block = fixture->stream.block;
    block[0].end_ns = block[0].start_ns - 1;
    block[1].stage = 3;
    block[2].stage = 0;
    block[3].stage = UINT32_MAX;
    block[4].outcome = 2;
    for (uint64_t i = 0; i < 5; i++)
        refuse(&block[i], i);
    block[5].rows++; /* nobody did */
    put_process(fixture);
    put_stream(fixture, WITH_BLOCK);
    assert_int_equal(read_trace(fixture)->span_count, V1_RING_RECORDS + 3 - 6);
    assert_int_equal(fixture->trace->rejected, 6);
}

static void test_stream_without_process(void **state)
{
    put_stream(*state, WITH_BLOCK);
    const struct trace *trace = read_trace(*state);
    assert_int_equal(trace->span_count, 0);
    assert_int_equal(trace->rejected, V1_RING_RECORDS + 3);
}

static void test_bad_stage_name(void **state)
{
    struct fixture *fixture = *state;
    (void)snprintf(fixture->process.names[1], sizeof *fixture->process.names, "\x1b[2J");
    memset(fixture->process.names[0], 'x', sizeof *fixture->process.names); /* no NUL */
    put_process(fixture);
    put_stream(fixture, WITH_BLOCK);
    const struct trace *trace = read_trace(fixture);
    assert_int_equal(trace->stage_count, 1);
    assert_int_equal(strlen(trace->stages[0]), V1_STAGE_NAME_BYTES);
    assert_int_equal(trace->rejected, (V1_RING_RECORDS + 3) / 2);
}

static void test_stages_of_two_processes_become_one_table(void **state)
{
    struct fixture *fixture = *state;
    put_process(fixture);
    put_stream(fixture, WITH_BLOCK);
    fixture->process = (struct v1_process){.version = V1_VERSION, .stages = 2, .names = {"ingest", "other"}};
    memcpy(fixture->process.magic, V1_PROCESS_MAGIC, sizeof fixture->process.magic);
    fixture->process.losses.no_stream = 5;
    fixture->stream.head.losses.misuse = 2;
    put(fixture, "1-6.process", &fixture->process, sizeof fixture->process);
    put(fixture, "1-6-0.spans", &fixture->stream, WITH_BLOCK);
    const struct trace *trace = read_trace(fixture);
    assert_int_equal(trace->worker_count, 2);
    assert_int_equal(trace->stage_count, 3);
    assert_string_equal(trace->stages[0], "parse"); /* all started together: the first worker's come first */
    assert_string_equal(trace->stages[1], "ingest");
    assert_string_equal(trace->stages[2], "other");
    assert_int_equal(trace->losses.no_stream, 5);
    assert_int_equal(trace->losses.misuse, 2);
}

static void assert_refused(struct fixture *fixture, const char *where, const char *what)
{
    assert_int_equal(try_read(fixture), ERR_FORMAT);
    assert_string_equal(fixture->diag.where, where);
    assert_non_null(strstr(fixture->diag.what, what));
}

static void test_foreign_and_newer_files(void **state)
{
    struct fixture *fixture = *state;
    put(fixture, "notes.txt", "mine", 4); /* nobody claims that this is ours */
    put(fixture, ".spans", "mine", 4);
    put_process(fixture);
    assert_int_equal(try_read(fixture), ERR_OK);
    put(fixture, "x.spans", "rubbish", 7);
    assert_refused(fixture, "x.spans", "not a stream");
    assert_int_equal(unlink(path_of(fixture, "x.spans")), 0);
    put(fixture, "x.process", "rubbish", 7);
    assert_refused(fixture, "x.process", "not a process file");
    assert_int_equal(unlink(path_of(fixture, "x.process")), 0);
    fixture->stream.head.version = 2;
    put_stream(fixture, WITH_BLOCK);
    assert_refused(fixture, "1-5-0.spans", "version 2");
    assert_int_equal(unlink(path_of(fixture, "1-5-0.spans")), 0);
    fixture->process.version = 3;
    put_process(fixture);
    assert_refused(fixture, "1-5.process", "version 3");
    fixture->process.version = V1_VERSION;
    fixture->process.stages = V1_STAGES_MAX + 1;
    put_process(fixture);
    assert_refused(fixture, "1-5.process", "not a process file");
}

static void test_links_and_devices(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(symlink("/dev/zero", path_of(fixture, "a.spans")), 0);
    assert_refused(fixture, "a.spans", "cannot open");
    assert_int_equal(unlink(path_of(fixture, "a.spans")), 0);
    assert_int_equal(mkfifo(path_of(fixture, "b.spans"), 0600), 0);
    assert_refused(fixture, "b.spans", "not a regular file"); /* and does not wait for a writer */
    assert_int_equal(unlink(path_of(fixture, "b.spans")), 0);
    assert_int_equal(mkdir(path_of(fixture, "c.process"), 0700), 0);
    assert_refused(fixture, "c.process", "not a regular file");
}

/* A sparse file costs nothing to make and claims terabytes. */
static void test_huge_sparse_file(void **state)
{
    struct fixture *fixture = *state;
    fixture->stream.head.blocks = 1u << 24;
    fixture->stream.head.records = fixture->stream.head.blocks * V1_RING_RECORDS;
    put_process(fixture);
    put_stream(fixture, WITH_BLOCK);
    assert_int_equal(truncate(path_of(fixture, "1-5-0.spans"), (off_t)V1_BLOCK_BYTES << 24), 0);
    assert_int_equal(try_read(fixture), ERR_MEMORY);
}

static void test_memory_samples(void **state)
{
    struct fixture *fixture = *state;
    const struct memory_sample samples[] = {{30, 3}, {10, 1}, {20, 2}, {40, 4}};
    put(fixture, TRACE_MEMORY_FILE, samples, sizeof samples - 5);
    const struct trace *trace = read_trace(fixture);
    assert_int_equal(trace->memory_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(trace->memory[i].resident_bytes, i + 1);
    assert_int_equal(truncate(path_of(fixture, TRACE_MEMORY_FILE), 1LL << 40), 0);
    assert_refused(fixture, TRACE_MEMORY_FILE, "more than");
}

static void test_memory_out_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    enum err error = ERR_MEMORY;
    put_process(fixture);
    put_stream(fixture, WITH_BLOCK);
    for (size_t limit = 0; error != ERR_OK && limit < 1 << 18; limit += limit < 20000 ? 61 : 997) {
        arena_fini(&fixture->arena);
        arena_init(&fixture->arena, limit);
        error = trace_read(&fixture->trace, fixture->folder, &fixture->arena, &fixture->diag);
        assert_true(error == ERR_OK || error == ERR_MEMORY);
    }
    assert_int_equal(error, ERR_OK);
}

static const struct v1_record RECORD = {.start_ns = 1700000000000000001,
                                        .end_ns = 1700000000000857001,
                                        .cpu_ns = TRACE_CPU_UNKNOWN,
                                        .item = 7,
                                        .rows = 44640,
                                        .bytes = 6740640,
                                        .stage = 3,
                                        .outcome = SPAN_FAILED};
enum { RECORD_BITS = 8 * (sizeof(struct v1_record) - sizeof(uint64_t)) };

static void flip(struct v1_record *record, size_t bit)
{
    unsigned char *bytes = (unsigned char *)record;
    bytes[bit / 8] = (unsigned char)(bytes[bit / 8] ^ 1u << bit % 8);
}

/* A record that is torn, or of which two bits turned, does not pass: also not when the two would cancel in a sum. */
static void test_check_sees_every_pair_of_bits(void **state)
{
    uint64_t check = v1_record_check(&RECORD, 12345, 678);
    (void)state;
    for (size_t first = 0; first < RECORD_BITS; first++) {
        struct v1_record record = RECORD;
        flip(&record, first);
        assert_true(v1_record_check(&record, 12345, 678) != check);
        for (size_t second = 0; second < first; second++) {
            flip(&record, second);
            assert_true(v1_record_check(&record, 12345, 678) != check);
            flip(&record, second);
        }
    }
}

/* A record that stood in the ring before, or stands in another stream, does not pass. */
static void test_check_knows_its_place(void **state)
{
    uint64_t check = v1_record_check(&RECORD, 12345, 678);
    (void)state;
    for (uint64_t bit = 0; bit < 64; bit++) {
        assert_true(v1_record_check(&RECORD, 12345, 678 ^ 1ULL << bit) != check);
        assert_true(v1_record_check(&RECORD, 12345 ^ 1ULL << bit, 678) != check);
    }
    assert_true(v1_record_check(&RECORD, 12345, 678 + V1_RING_RECORDS) != check);
    assert_true(v1_record_check(&(struct v1_record){0}, 0, 0) != 0);
}

#define READER_TEST(body) cmocka_unit_test_setup_teardown(body, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_sees_every_pair_of_bits),
        cmocka_unit_test(test_check_knows_its_place),
        READER_TEST(test_empty_folder),
        READER_TEST(test_no_folder),
        READER_TEST(test_block_and_ring),
        READER_TEST(test_unpublished_block),
        READER_TEST(test_stale_ring),
        READER_TEST(test_cut_files),
        READER_TEST(test_heads_that_lie),
        READER_TEST(test_records_that_cannot_be_right),
        READER_TEST(test_stream_without_process),
        READER_TEST(test_bad_stage_name),
        READER_TEST(test_stages_of_two_processes_become_one_table),
        READER_TEST(test_foreign_and_newer_files),
        READER_TEST(test_links_and_devices),
        READER_TEST(test_huge_sparse_file),
        READER_TEST(test_memory_samples),
        READER_TEST(test_memory_out_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
