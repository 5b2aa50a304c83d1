/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/export.h"

#include "trace/trace_fixture.h"

#include <fcntl.h>

enum { TEXT_MAX = 1 << 24 };

/* What the export of the fixture's folder is; valid until the next call. */
static const char *exported(struct fixture *fixture, enum trace_text text)
{
    static char out[TEXT_MAX];
    char to[300];
    (void)snprintf(to, sizeof to, "%s/export", fixture->folder);
    AUTO(fd_close) int fd = open(to, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    fixture_empty(fixture, FIXTURE_MEMORY);
    fixture_must(fixture, trace_export(fd, to, fixture->folder, text, &fixture->arena, &fixture->diag));
    ssize_t bytes = pread(fd, out, sizeof out - 1, 0);
    assert_in_range(bytes, 0, sizeof out - 2);
    out[bytes] = '\0';
    return out;
}

static void name_stage(struct fixture *fixture, size_t number, const char *name)
{
    (void)snprintf(fixture->process.slot.names[number - 1], sizeof *fixture->process.slot.names, "%s", name);
}

/* One lap, one span with everything, and the recorder's own. */
static void fill(struct fixture *fixture)
{
    struct record full = {.kind = RECORD_IS_SPAN,
                          .stage = 2,
                          .delta = 1500,
                          .duration = 1001,
                          .item = 7,
                          .rows = 3,
                          .bytes = 4,
                          .more = RECORD_FAILED | RECORD_CPU | RECORD_ALLOCATIONS,
                          .cpu_ns = 5,
                          .allocations = 6,
                          .allocated_bytes = UINT64_MAX - 1};
    builder_lap(&fixture->stream, 1, 1000);
    builder_put(&fixture->stream, &full);
    full = (struct record){.kind = RECORD_IS_SPAN, .stage = TRACE_STAGE_FLUSH, .delta = 10, .duration = 9};
    builder_put(&fixture->stream, &full);
    fixture_write(fixture);
}

static void test_csv(void **state)
{
    struct fixture *fixture = *state;
    name_stage(fixture, 1, "=1+\"2\",3");
    fill(fixture);
    assert_string_equal(
        exported(fixture, TRACE_CSV),
        "process,thread,stage,start_ns,end_ns,item,rows,bytes,failed,cpu_ns,allocations,allocated_bytes\n"
        "11,11,\"'=1+\"\"2\"\",3\",5000,6000,0,0,0,0,,,\n"
        "11,11,ingest,6499,7500,7,3,4,1,5,6,18446744073709551614\n"
        "11,11,(recorder),7501,7510,0,0,0,0,,,\n");
}

static void test_jsonl(void **state)
{
    struct fixture *fixture = *state;
    name_stage(fixture, 1, "a\"b\\c");
    fill(fixture);
    assert_string_equal(
        exported(fixture, TRACE_JSONL),
        "{\"process\":11,\"thread\":11,\"stage\":\"a\\\"b\\\\c\",\"start_ns\":5000,\"end_ns\":6000,\"item\":0}\n"
        "{\"process\":11,\"thread\":11,\"stage\":\"ingest\",\"start_ns\":6499,\"end_ns\":7500,\"item\":7,\"rows\":3,"
        "\"bytes\":4,\"failed\":true,\"cpu_ns\":5,\"allocations\":6,\"allocated_bytes\":18446744073709551614}\n"
        "{\"process\":11,\"thread\":11,\"stage\":\"(recorder)\",\"start_ns\":7501,\"end_ns\":7510,\"item\":0}\n");
}

static void test_chrome(void **state)
{
    struct fixture *fixture = *state;
    fill(fixture);
    assert_string_equal(
        exported(fixture, TRACE_CHROME),
        "{\"traceEvents\":[\n"
        "{\"ph\":\"X\",\"pid\":11,\"tid\":11,\"name\":\"parse\",\"ts\":5.000,\"dur\":1.000,\"args\":{\"item\":0}},\n"
        "{\"ph\":\"X\",\"pid\":11,\"tid\":11,\"name\":\"ingest\",\"ts\":6.499,\"dur\":1.001,\"args\":{\"item\":7,"
        "\"rows\":3,\"bytes\":4,\"failed\":true,\"cpu_ns\":5,\"allocations\":6,"
        "\"allocated_bytes\":18446744073709551614}},\n"
        "{\"ph\":\"X\",\"pid\":11,\"tid\":11,\"name\":\"(recorder)\",\"ts\":7.501,\"dur\":0.009,\"args\":{\"item\":0}}"
        "\n"
        "]}\n");
    built_process_begin(&fixture->process, FIXTURE_PID, FIXTURE_START, (const char *const[]){NULL});
    built_process_write(&fixture->process, fixture->folder);
    fixture_remove(fixture, FIXTURE_RING);
    assert_string_equal(exported(fixture, TRACE_CHROME), "{\"traceEvents\":[\n\n]}\n");
}

/* By their ends, over pages and blocks, and what is lost is left out. */
static void test_pages_in_their_order(void **state)
{
    struct fixture *fixture = *state;
    uint64_t last_ns = 0;
    size_t lines = 0;
    fixture_fill(fixture, 2 * TRACE_BLOCK_PAGES + 3);
    fixture->stream.file[3 * TRACE_PAGE_BYTES + 500] ^= 1;
    fixture_write(fixture);
    const struct trace *trace = fixture_read(fixture);
    size_t spans = trace->span_count;
    for (const char *line = exported(fixture, TRACE_JSONL); *line; line = strchr(line, '\n') + 1, lines++) {
        uint64_t end_ns = strtoull(strstr(line, "\"end_ns\":") + 9, NULL, 10);
        assert_true(end_ns > last_ns);
        last_ns = end_ns;
    }
    assert_int_equal(lines, spans);
}

static void test_names_of_formats(void **state)
{
    enum trace_text text;
    (void)state;
    assert_true(trace_text_named(&text, "chrome") && text == TRACE_CHROME);
    assert_false(trace_text_named(&text, "xml"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_csv),
        FIXTURE_TEST(test_jsonl),
        FIXTURE_TEST(test_chrome),
        FIXTURE_TEST(test_pages_in_their_order),
        cmocka_unit_test(test_names_of_formats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
