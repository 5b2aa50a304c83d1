/* SPDX-License-Identifier: Apache-2.0
 *
 * What hostile text may not do to a report, in each writer.
 */
#include "report/document.h"
#include "report/report.h"

#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const hostile[] = {
    "<script>alert(1)</script>", "\" onload=\"x",      "a|b|c",          "`code` **bold** [link](javascript:x)",
    "line\nbreak\r\n# heading",  "\033[31mred\033[0m", "\u202edrawkcab", "\xff\xfe bad utf-8",
    "<img src=x onerror=y>",
};
enum { HOSTILE_COUNT = sizeof hostile / sizeof hostile[0] };

static struct document *hostile_document(struct arena *arena)
{
    static const char *const columns[] = {"one", "two", NULL};
    struct document *document = document_new(arena);
    for (size_t i = 0; i < HOSTILE_COUNT; i++) {
        const char *cells[] = {hostile[i], "x"};
        document_heading(document, 2, "%s", hostile[i]);
        document_paragraph(document, "%s", hostile[i]);
        document_callout(document, "%s", hostile[i]);
        document_item(document, "%s", hostile[i]);
        document_bar(document, hostile[i], 0.5, hostile[i]);
        document_table(document, columns);
        document_row(document, cells);
    }
    return document;
}

static void html_carries_no_markup_from_text(void **state)
{
    (void)state;
    struct arena arena;
    struct text out;
    struct diag diag;
    arena_init(&arena, 1 << 20);
    text_init(&out, DOCUMENT_LIMIT_BYTES);
    assert_int_equal(document_html(&out, hostile_document(&arena), hostile[0], &diag), ERR_OK);
    assert_null(strstr(text_string(&out), "<script"));
    assert_null(strstr(text_string(&out), "<img"));
    assert_null(strstr(text_string(&out), "\" onload"));
    assert_null(strchr(text_string(&out), '\033'));
    assert_null(strstr(text_string(&out), "\xe2\x80\xae"));
    assert_non_null(strstr(text_string(&out), "&lt;script&gt;"));
    text_fini(&out);
    arena_fini(&arena);
}

/* Every line that begins as a table row has the number of bars its header has; escaped bars do not count. */
static void markdown_tables_keep_their_columns(void **state)
{
    (void)state;
    struct arena arena;
    struct text out;
    struct diag diag;
    size_t expected = 0;
    arena_init(&arena, 1 << 20);
    text_init(&out, DOCUMENT_LIMIT_BYTES);
    assert_int_equal(document_markdown(&out, hostile_document(&arena), &diag), ERR_OK);
    char *rest = out.data;
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
        size_t bars = 0;
        for (const char *c = line; *c; c++)
            bars += *c == '|' && (c == line || c[-1] != '\\');
        if (line[0] != '|') {
            expected = 0;
            continue;
        }
        if (expected == 0)
            expected = bars;
        assert_int_equal(bars, expected);
    }
    text_fini(&out);
    arena_fini(&arena);
}

static void a_paragraph_opens_no_list_no_code_and_no_link(void **state)
{
    (void)state;
    static const struct {
        const char *text, *markdown;
    } CASES[] = {
        {"- item", "\\- item\n\n"},     {"+ item", "\\+ item\n\n"},     {"=== rule", "\\=== rule\n\n"},
        {"12. one", "12\\. one\n\n"},   {"1) one", "1\\) one\n\n"},     {"     code", "code\n\n"},
        {"a - b = c", "a - b = c\n\n"}, {"http://x", "http:\\//x\n\n"}, {"at www.x.y", "at www\\.x.y\n\n"},
        {"12:00 1/2", "12:00 1/2\n\n"},
    };
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        AUTO(arena_fini) struct arena arena;
        AUTO(text_fini) struct text out;
        arena_init(&arena, 1 << 16);
        text_init(&out, DOCUMENT_LIMIT_BYTES);
        struct document *document = document_new(&arena);
        document_paragraph(document, "%s", CASES[i].text);
        assert_int_equal(document_markdown(&out, document, NULL), ERR_OK);
        assert_string_equal(text_string(&out), CASES[i].markdown);
    }
}

static void terminal_moves_no_cursor(void **state)
{
    (void)state;
    struct arena arena;
    struct text out;
    struct diag diag;
    arena_init(&arena, 1 << 20);
    text_init(&out, DOCUMENT_LIMIT_BYTES);
    assert_int_equal(document_terminal(&out, hostile_document(&arena), 80, false, &diag), ERR_OK);
    assert_null(strchr(text_string(&out), '\033'));
    assert_non_null(strstr(text_string(&out), "\\u001b[31mred"));
    assert_non_null(strstr(text_string(&out), "\\u202e"));
    text_fini(&out);
    arena_fini(&arena);
}

static void out_of_memory_is_an_error_everywhere(void **state)
{
    (void)state;
    bool succeeded = false;
    for (size_t limit = 0; !succeeded; limit += 64) {
        struct arena arena;
        struct text out;
        struct diag diag;
        arena_init(&arena, limit);
        text_init(&out, DOCUMENT_LIMIT_BYTES);
        struct document *document = document_new(&arena);
        static const char *const columns[] = {"one", NULL};
        static const char *const cells[] = {"cell"};
        if (document) {
            document_heading(document, 1, "title");
            document_table(document, columns);
            document_row(document, cells);
            document_bar(document, "bar", 0.1, "10 %");
            succeeded = document_markdown(&out, document, &diag) == ERR_OK;
        }
        text_fini(&out);
        arena_fini(&arena);
    }
}

/* An empty master must not crash a report: every field is optional for the writer. */
static void master_report_survives_missing_fields(void **state)
{
    (void)state;
    struct arena arena;
    struct document *document;
    struct text out;
    struct diag diag;
    AUTO(json_release)
    json_t *master = json_loads("{\"candidates\": [{}, {\"verdict\": \"recommend\"}], \"agents\": [{}]}", 0, NULL);
    arena_init(&arena, 1 << 20);
    text_init(&out, DOCUMENT_LIMIT_BYTES);
    assert_int_equal(report_master(&document, master, &arena, &diag), ERR_OK);
    assert_int_equal(document_markdown(&out, document, &diag), ERR_OK);
    text_fini(&out);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(html_carries_no_markup_from_text),
        cmocka_unit_test(markdown_tables_keep_their_columns),
        cmocka_unit_test(a_paragraph_opens_no_list_no_code_and_no_link),
        cmocka_unit_test(terminal_moves_no_cursor),
        cmocka_unit_test(out_of_memory_is_an_error_everywhere),
        cmocka_unit_test(master_report_survives_missing_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
