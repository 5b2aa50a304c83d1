/* SPDX-License-Identifier: Apache-2.0
 * The journal: what was appended is there again, whatever a crash cut off its end. */
#include "lab/journal.h"

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "lab/lab.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
    char folder[64], path[96];
};

static void place_init(struct place *place)
{
    *place = (struct place){.folder = "/tmp/venturi-journal-XXXXXX"};
    assert_non_null(mkdtemp(place->folder));
    (void)snprintf(place->path, sizeof place->path, "%s/journal.jsonl", place->folder);
}

static void place_fini(const struct place *place)
{
    struct diag diag = {0};
    assert_int_equal(dir_remove(place->folder, &diag), ERR_OK);
}

/* Opens, appends the record, closes; the number of records found before. */
static size_t append(const struct place *place, const char *text)
{
    struct diag diag = {0};
    struct journal *journal;
    AUTO(json_release) json_t *past = NULL;
    AUTO(json_release) json_t *record = json_loads(text, 0, NULL);
    assert_non_null(record);
    assert_int_equal(journal_open(&journal, &past, place->folder, true, &diag), ERR_OK);
    assert_int_equal(journal_append(journal, record, &diag), ERR_OK);
    journal_close(&journal);
    assert_null(journal);
    return json_array_size(past);
}

static const char *const records[] = {
    "{\"record\": \"lab\", \"schema\": \"venturi.journal/1\", \"seed\": 7}",
    "{\"record\": \"experiment\", \"id\": \"e1\", \"key\": \"k\"}",
    "{\"record\": \"run\", \"id\": \"r1\", \"duration_s\": 0.25, \"why\": \"a \\\"quoted\\\" line\\nand another\"}",
    "{\"record\": \"verdict\", \"id\": \"e1\", \"op\": \"run\", \"reason\": \"decided\"}",
    "{\"record\": \"end\", \"runs\": 1}",
};
enum { RECORDS = sizeof records / sizeof *records };

static void it_reads_what_was_written(void **state)
{
    (void)state;
    struct place place;
    struct diag diag = {0};
    AUTO(json_release) json_t *summary = NULL;
    place_init(&place);
    for (size_t i = 0; i < RECORDS; i++)
        assert_int_equal(append(&place, records[i]), i);
    assert_int_equal(journal_read(&summary, place.folder, &diag), ERR_OK);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(summary, "lab"), "seed")), 7);
    const json_t *run = json_object_get(json_object_get(summary, "runs"), "r1");
    assert_string_equal(json_string_or(run, "why", ""), "a \"quoted\" line\nand another");
    const json_t *verdict = json_object_get(json_object_get(summary, "experiments"), "e1");
    assert_string_equal(json_string_or(verdict, "reason", ""), "decided");
    assert_null(json_object_get(verdict, "record"));
    assert_true(json_is_true(json_object_get(summary, "ended")));
    place_fini(&place);
}

/* However much of the file is on disk, the whole lines count, and the next record starts a line of its own. */
static void a_cut_at_any_byte_costs_one_record_at_most(void **state)
{
    (void)state;
    struct place place;
    struct diag diag = {0};
    struct arena arena;
    char *whole;
    size_t bytes;
    arena_init(&arena, 1024 * 1024);
    place_init(&place);
    for (size_t i = 0; i < RECORDS; i++)
        (void)append(&place, records[i]);
    assert_int_equal(file_read(&whole, &bytes, place.path, 65536, &arena, &diag), ERR_OK);
    for (size_t cut = 0; cut <= bytes; cut++) {
        AUTO(json_release) json_t *summary = NULL;
        size_t lines = 0;
        for (size_t i = 0; i < cut; i++)
            lines += whole[i] == '\n';
        assert_int_equal(file_write_atomic(place.path, whole, cut, &diag), ERR_OK);
        assert_int_equal(journal_read(&summary, place.folder, &diag), ERR_OK);
        assert_int_equal(json_object_size(json_object_get(summary, "runs")), lines >= 3);
        assert_int_equal(json_is_true(json_object_get(summary, "ended")), lines == RECORDS);
        assert_int_equal(append(&place, records[2]), lines);
        assert_int_equal(append(&place, records[3]), lines + 1);
    }
    arena_fini(&arena);
    place_fini(&place);
}

/* The file with three records in it. */
static char *three_records(const struct place *place, size_t *bytes, struct arena *arena)
{
    struct diag diag = {0};
    char *text;
    for (size_t i = 0; i < 3; i++)
        (void)append(place, records[i]);
    assert_int_equal(file_read(&text, bytes, place->path, 65536, arena, &diag), ERR_OK);
    return text;
}

static void write_bytes(const struct place *place, const char *text, size_t bytes)
{
    struct diag diag = {0};
    assert_int_equal(file_write_atomic(place->path, text, bytes, &diag), ERR_OK);
}

static size_t line_of(const char *text, size_t at)
{
    size_t line = 1;
    for (size_t i = 0; i < at; i++)
        line += text[i] == '\n';
    return line;
}

static void expect_refused(const struct place *place, size_t line, const char *text, size_t bytes)
{
    struct diag diag = {0};
    struct journal *journal;
    json_t *summary, *past;
    char wanted[32], *after;
    size_t after_bytes;
    AUTO(arena_fini) struct arena arena;
    arena_init(&arena, 1024 * 1024);
    (void)snprintf(wanted, sizeof wanted, "line %zu ", line);
    assert_int_equal(journal_read(&summary, place->folder, &diag), ERR_FORMAT);
    assert_int_equal(journal_open(&journal, &past, place->folder, true, &diag), ERR_FORMAT);
    assert_ptr_equal(strstr(diag.what, wanted), diag.what);
    assert_int_equal(file_read(&after, &after_bytes, place->path, 65536, &arena, &diag), ERR_OK);
    assert_int_equal(after_bytes, bytes);
    assert_memory_equal(after, text, bytes); /* never repaired */
}

/* A last line without its end, or with zeros in it, is as a crash leaves it: dropped, and said. Else somebody was at
 * it. */
static void any_flipped_bit_is_noticed(void **state)
{
    (void)state;
    struct place place;
    AUTO(arena_fini) struct arena arena;
    size_t bytes;
    arena_init(&arena, 1024 * 1024);
    place_init(&place);
    char *text = three_records(&place, &bytes, &arena);
    size_t last = line_of(text, bytes - 1);
    for (size_t at = 0; at < bytes; at++) {
        size_t line = line_of(text, at);
        for (int bit = 0; bit < 8; bit++) {
            char kept = text[at];
            text[at] = (char)(kept ^ (1 << bit));
            write_bytes(&place, text, bytes);
            if (at == bytes - 1 || (line == last && text[at] == '\0')) {
                struct diag diag = {0};
                AUTO(json_release) json_t *summary = NULL;
                assert_int_equal(journal_read(&summary, place.folder, &diag), ERR_OK);
                assert_int_equal(json_object_size(json_object_get(summary, "runs")), 0);
            } else {
                expect_refused(&place, line, text, bytes);
            }
            text[at] = kept;
        }
    }
    place_fini(&place);
}

static void a_line_that_is_missing_moved_or_doubled_is_noticed(void **state)
{
    (void)state;
    static const char *const orders[] = {"13", "23", "213", "1123", "132", "321"};
    struct place place;
    AUTO(arena_fini) struct arena arena;
    size_t bytes;
    arena_init(&arena, 1024 * 1024);
    place_init(&place);
    char *text = three_records(&place, &bytes, &arena);
    char *lines[] = {text, strchr(text, '\n') + 1, NULL, text + bytes};
    lines[2] = strchr(lines[1], '\n') + 1;
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        AUTO(text_fini) struct text made;
        text_init(&made, 65536);
        for (const char *at = orders[i]; *at; at++)
            text_add_bytes(&made, lines[*at - '1'], (size_t)(lines[*at - '0'] - lines[*at - '1']));
        text_add_bytes(&made, lines[2], (size_t)(lines[3] - lines[2])); /* so that the wrong one is not the last */
        write_bytes(&place, text_string(&made), made.length_bytes);
        struct diag diag = {0};
        json_t *summary;
        assert_int_equal(journal_read(&summary, place.folder, &diag), ERR_FORMAT);
    }
    place_fini(&place);
}

static void what_is_cut_off_is_said(void **state)
{
    (void)state;
    struct place place;
    struct diag diag = {0};
    struct journal *journal;
    json_t *past;
    AUTO(arena_fini) struct arena arena;
    size_t bytes;
    arena_init(&arena, 1024 * 1024);
    place_init(&place);
    char *text = three_records(&place, &bytes, &arena);
    for (size_t cut = 0; cut < 40; cut += 13) {
        size_t last = cut ? (size_t)(strrchr(text, '{') - text) : bytes;
        write_bytes(&place, text, bytes - cut);
        assert_int_equal(journal_open(&journal, &past, place.folder, true, &diag), ERR_OK);
        assert_int_equal(journal_cut_bytes(journal), bytes - cut - last);
        journal_close(&journal);
        json_decref(past);
    }
    place_fini(&place);
}

/* A limit on the file's size stands for a full disk; returns the one before. */
static rlim_t fill_disk_at(rlim_t bytes)
{
    struct rlimit limit;
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    return before;
}

static void nothing_is_written_behind_half_a_record(void **state)
{
    (void)state;
    struct place place;
    struct diag diag = {0};
    struct journal *journal;
    AUTO(json_release) json_t *past = NULL, *record = json_loads(records[0], 0, NULL);
    place_init(&place);
    assert_int_equal(journal_open(&journal, &past, place.folder, true, &diag), ERR_OK);
    rlim_t before = fill_disk_at(20);
    assert_int_equal(journal_append(journal, record, &diag), ERR_IO);
    (void)fill_disk_at(before); /* somebody made room */
    assert_int_equal(journal_append(journal, record, &diag), ERR_IO);
    journal_close(&journal);
    assert_int_equal(append(&place, records[1]), 0);
    assert_int_equal(append(&place, records[1]), 1);
    place_fini(&place);
}

static void earlier_records_need_resume(void **state)
{
    (void)state;
    struct place place;
    struct diag diag = {0};
    json_t *past;
    struct journal *journal;
    place_init(&place);
    assert_int_equal(journal_read(&past, place.folder, &diag), ERR_IO);
    write_bytes(&place, "{\"record\": \"cut", 14);
    assert_int_equal(journal_open(&journal, &past, place.folder, false, &diag), ERR_OK); /* it never began */
    json_decref(past);
    journal_close(&journal);
    (void)append(&place, records[0]);
    assert_int_equal(journal_open(&journal, &past, place.folder, false, &diag), ERR_CONFIG);
    assert_non_null(strstr(diag.hint, "venturi resume"));
    place_fini(&place);
}

static void a_full_disk_is_an_error(void **state)
{
    (void)state;
    struct place place;
    struct diag diag = {0};
    struct journal *journal;
    AUTO(json_release) json_t *past = NULL;
    AUTO(json_release) json_t *record = json_loads(records[0], 0, NULL);
    place_init(&place);
    assert_int_equal(journal_open(&journal, &past, place.folder, true, &diag), ERR_OK);
    rlim_t before = fill_disk_at(100);
    enum err error = ERR_OK;
    for (int i = 0; i < 3 && error == ERR_OK; i++)
        error = journal_append(journal, record, &diag);
    (void)fill_disk_at(before);
    assert_int_equal(error, ERR_IO);
    journal_close(&journal);
    assert_int_equal(append(&place, records[1]), 1); /* the half record is dropped */
    place_fini(&place);
}

static void links_are_not_followed(void **state)
{
    (void)state;
    struct place place;
    struct diag diag = {0};
    struct journal *journal;
    json_t *past;
    place_init(&place);
    assert_int_equal(symlink("elsewhere", place.path), 0);
    assert_int_equal(journal_open(&journal, &past, place.folder, true, &diag), ERR_IO);
    place_fini(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_reads_what_was_written),
        cmocka_unit_test(a_cut_at_any_byte_costs_one_record_at_most),
        cmocka_unit_test(any_flipped_bit_is_noticed),
        cmocka_unit_test(a_line_that_is_missing_moved_or_doubled_is_noticed),
        cmocka_unit_test(what_is_cut_off_is_said),
        cmocka_unit_test(nothing_is_written_behind_half_a_record),
        cmocka_unit_test(earlier_records_need_resume),
        cmocka_unit_test(a_full_disk_is_an_error),
        cmocka_unit_test(links_are_not_followed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
