/* SPDX-License-Identifier: Apache-2.0
 *
 * Findings come from any program, language models among them: what breaks the contract must be refused with a reason,
 * and nothing may crash.
 */
#include "finding/finding.h"

#include "base/file.h"
#include "base/json.h"
#include "base/random.h"
#include "finding/finding_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char GOOD[] =
    "{\"schema\": \"venturi.findings/1\", \"agent\": \"profiling\", \"status\": \"answered\", \"why\": null,"
    " \"summary\": \"s\", \"looked_at\": [\"a\"], \"not_looked_at\": [],"
    " \"claims\": [{\"text\": \"t\", \"basis\": \"measured\", \"experiments\": [\"e1\"],"
    "   \"value\": {\"low\": 0.89, \"mid\": 0.9, \"high\": 0.91, \"unit\": \"share\"}}],"
    " \"stances\": [{\"candidate\": \"download.concurrency\", \"stance\": \"recommend\", \"why\": \"w\","
    "   \"change\": {\"knob\": \"concurrency\", \"from\": \"1\", \"to\": \"4\"},"
    "   \"effect\": {\"low\": 2.8, \"mid\": 2.9, \"high\": 3.0, \"basis\": \"measured\"},"
    "   \"prediction\": null, \"experiments\": [\"e3\", \"r1\"]}],"
    " \"capacity\": {\"stage\": \"ingest\", \"rows_s\": {\"low\": 1, \"mid\": 2, \"high\": 3}},"
    " \"tables\": [{\"title\": \"T\", \"columns\": [\"a\", \"b\"], \"rows\": [[\"1\", \"2\"]]}]}";

static enum err read_bytes(const char *bytes, size_t count, struct diag *diag)
{
    struct brief brief = fixture_brief(NULL);
    AUTO(arena_fini) struct arena arena;
    AUTO(json_release) json_t *json = NULL;
    struct findings *findings;
    arena_init(&arena, 8 << 20);
    TRY(json_parse(&json, bytes, count, "f", diag));
    TRY(findings_from_json(&findings, json, "f", "profiling", &brief, &arena, diag));
    AUTO(json_release) json_t *back = NULL; /* whatever is accepted can be written again */
    assert_int_equal(findings_to_json(&back, findings, diag), ERR_OK);
    return ERR_OK;
}

/* GOOD with the first `from` replaced. The caller frees it. */
static char *with(const char *from, const char *to)
{
    const char *at = strstr(GOOD, from);
    assert_non_null(at);
    size_t bytes = sizeof GOOD + strlen(to);
    char *changed = malloc(bytes);
    (void)snprintf(changed, bytes, "%.*s%s%s", (int)(at - GOOD), GOOD, to, at + strlen(from));
    return changed;
}

static void the_good_document_is_accepted(void **state)
{
    (void)state;
    struct diag diag = {0};
    if (read_bytes(GOOD, sizeof GOOD - 1, &diag) != ERR_OK)
        fail_msg("%s: %s", diag.where, diag.what);
    static const char SMALL[] =
        "{\"schema\": \"venturi.findings/1\", \"agent\": \"profiling\", \"status\": \"answered\", \"summary\": \"s\"}";
    assert_int_equal(read_bytes(SMALL, sizeof SMALL - 1, &diag), ERR_OK);
}

static void each_mistake_is_refused_at_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *where; /* part of the line */
    } MISTAKES[] = {
        {"findings/1", "findings/2", "f: schema: 'venturi.findings/2'"},
        {"\"profiling\"", "\"batch\"", "f: agent: 'batch'"},
        {"\"answered\"", "\"done\"", "f: status: 'done'"},
        {"\"answered\"", "\"no_answer\"", "f: why: must be given when there is no answer"},
        {"\"why\": null", "\"why\": \"x\"", "f: why: must be given when there is no answer, and only then"},
        {"\"summary\": \"s\",", "", "f: summary: is missing"},
        {"\"summary\": \"s\"", "\"summary\": 7", "f: summary: expected a text"},
        {"\"why\": null", "\"verdict\": \"recommend\"", "f: unknown key 'verdict'"},
        {"[\"a\"]", "\"a\"", "f: looked_at: expected a list"},
        {"[\"a\"]", "[7]", "f: looked_at[0]: expected a text"},
        {"\"claims\": [", "\"claims\": [7, ", "f: claims[0]: expected an object"},
        {"\"text\": \"t\",", "", "f: claims[0]: 'text' is missing"},
        {"\"basis\": \"measured\", \"exp", "\"basis\": \"proven\", \"exp", "f: claims[0].basis: 'proven'"},
        {"\"e1\"", "\"../../etc/passwd\"", "f: claims[0].experiments: '../../etc/passwd' is no experiment"},
        {"\"e1\"", "\"e\"", "is no experiment or run"},
        {"\"e1\"", "\"\"", "is no experiment or run"},
        {"\"high\": 0.91", "\"high\": 91", "f: claims[0].value: a share of 91"},
        {"\"unit\": \"share\"", "\"unit\": \"furlongs\"", "f: claims[0].value.unit: 'furlongs'"},
        {"\"low\": 0.89", "\"low\": 0.95", "f: claims[0].value: low 0.95, mid 0.9, high 0.91 are not in order"},
        {"\"low\": 0.89", "\"low\": -1", "f: claims[0].value.low: -1 is outside"},
        {"\"low\": 0.89", "\"low\": \"0.89\"", "f: claims[0].value.low: expected a number"},
        {"\"low\": 0.89", "\"low\": null", "f: claims[0].value.low: is missing; expected a number"},
        {"\"low\": 0.89,", "", "f: claims[0].value: 'low' is missing"},
        {"download.concurrency", "download.magic", "f: stances[0]: 'download.magic' is no candidate"},
        {"\"recommend\"", "\"strongly recommend\"", "f: stances[0].stance: 'strongly recommend'"},
        {"\"knob\": \"concurrency\"", "\"knob\": \"journal\"", "f: stances[0].change: 'journal' is not the knob of"},
        {"\"knob\": \"concurrency\"", "\"knob\": \"nosuch\"", "f: stances[0].change: 'nosuch' is not the knob of"},
        {"\"from\": \"1\"", "\"from\": \"2\"", "from '2', but concurrency is 1 now"},
        {"\"to\": \"4\"", "\"to\": \"400\"", "'400' is no value of concurrency"},
        {"\"high\": 3.0", "\"high\": 3e7", "f: stances[0].effect.high: 3e+07 is outside"},
        {"\"low\": 2.8", "\"low\": 0", "f: stances[0].effect.low: 0 is outside"},
        {"\"high\": 3.0", "\"high\": null", "f: stances[0].effect.high: is missing"}, /* only a bound may be open */
        {"\"prediction\": null", "\"prediction\": 2.9", "f: stances[0].prediction: expected an object"},
        {"\"stage\": \"ingest\"", "\"stage\": \"nosuch\"", "f: capacity: 'nosuch' is no stage"},
        {"[\"1\", \"2\"]", "[\"1\"]", "f: tables[0].rows[0]: 1 cells, but the table has 2 columns"},
        {"[\"a\", \"b\"]", "[]", "f: tables[0].columns: a table without columns"},
        {"\"stances\": [",
         "\"stances\": [{\"candidate\": \"download.concurrency\", \"stance\": \"oppose\", \"why\": \"\"}, ",
         "f: stances[1]: a second stance on download.concurrency"},
    };
    for (size_t i = 0; i < sizeof MISTAKES / sizeof *MISTAKES; i++) {
        struct diag diag = {0};
        char line[1000], *bytes = with(MISTAKES[i].from, MISTAKES[i].to);
        enum err error = read_bytes(bytes, strlen(bytes), &diag);
        free(bytes);
        if (error != ERR_FORMAT || !strstr(diag_line(&diag, line, sizeof line), MISTAKES[i].where))
            fail_msg("%s -> %s: '%s' instead of '%s'", MISTAKES[i].from, MISTAKES[i].to, line, MISTAKES[i].where);
    }
}

/* JSON that parsers disagree on (after Seriot, "Parsing JSON is a minefield"), put where a text or number may stand. */
static void the_minefield_is_refused(void **state)
{
    (void)state;
    static const char *const VALUES[] = {
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        "-1e999",
        "0x10",
        "01",
        "1.",
        ".5",
        "+1",
        "1e",
        "--1",
        "1 000",
        "'s'",
        "\"\\ud800\"",
        "\"\\udc00\\ud800\"",
        "\"\\u0000\"",
        "\"\\x41\"",
        "\"\xff\"",
        "\"\xc0\xaf\"",
        "\"\xed\xa0\x80\"",
        "\"\xf5\x80\x80\x80\"",
        "\"\n\"",
        "\"\t\"",
        "\"",
        "\"s\" \"s\"",
        "s",
        "nul",
        "[,]",
        "[1,]",
        "{\"a\":1,}",
        "{a:1}",
        "// s\n\"s\"",
        "/* s */ \"s\"",
        "\"s\"}",
        "",
        "\xef\xbb\xbf\"s\"",
        "123456789012345678901234567890",
    };
    for (size_t i = 0; i < sizeof VALUES / sizeof *VALUES; i++) {
        char value[128];
        (void)snprintf(value, sizeof value, "\"summary\": %s", VALUES[i]);
        char *bytes = with("\"summary\": \"s\"", value);
        if (read_bytes(bytes, strlen(bytes), NULL) != ERR_FORMAT)
            fail_msg("accepted as a text: %s", VALUES[i]);
        free(bytes);
        (void)snprintf(value, sizeof value, "\"low\": %s", VALUES[i]);
        bytes = with("\"low\": 0.89", value);
        if (read_bytes(bytes, strlen(bytes), NULL) != ERR_FORMAT)
            fail_msg("accepted as a number: %s", VALUES[i]);
        free(bytes);
    }
}

static void what_is_not_one_document_is_refused(void **state)
{
    (void)state;
    char *twice = with("\"summary\": \"s\"", "\"summary\": \"s\", \"summary\": \"t\"");
    assert_int_equal(read_bytes(twice, strlen(twice), NULL), ERR_FORMAT);
    free(twice);
    char prose[sizeof GOOD + 64];
    (void)snprintf(prose, sizeof prose, "Here is the JSON:\n%s", GOOD);
    assert_int_equal(read_bytes(prose, strlen(prose), NULL), ERR_FORMAT);
    (void)snprintf(prose, sizeof prose, "%s\nI hope this helps!", GOOD);
    assert_int_equal(read_bytes(prose, strlen(prose), NULL), ERR_FORMAT);
    (void)snprintf(prose, sizeof prose, "```json\n%s\n```", GOOD);
    assert_int_equal(read_bytes(prose, strlen(prose), NULL), ERR_FORMAT);
    (void)snprintf(prose, sizeof prose, "[%s]", GOOD);
    assert_int_equal(read_bytes(prose, strlen(prose), NULL), ERR_FORMAT);
    assert_int_equal(read_bytes(GOOD, sizeof GOOD, NULL), ERR_FORMAT); /* a NUL behind it */
    for (size_t cut = 0; cut < sizeof GOOD - 1; cut++)
        assert_int_equal(read_bytes(GOOD, cut, NULL), ERR_FORMAT);
}

/* `count` copies of `item` between `head` and `tail` in place of the lines looked at. The caller frees it. */
static char *flood(const char *head, const char *item, size_t count, const char *tail)
{
    size_t bytes = strlen(head) + count * strlen(item) + strlen(tail) + 1;
    char *text = malloc(bytes), *at = stpcpy(text, head);
    for (size_t i = 0; i < count; i++)
        at = stpcpy(at, item);
    (void)stpcpy(at, tail);
    char *whole = with("[\"a\"]", text);
    free(text);
    return whole;
}

static void the_caps_hold(void **state)
{
    (void)state;
    static const struct {
        const char *head, *item;
        size_t most; /* accepted; one more is not */
        const char *tail;
    } CAPS[] = {
        {"[\"a\"", ", \"a\"", FINDINGS_ITEMS_MAX - 1, "]"},
        {"[\"", "x", STRICT_TEXT_BYTES, "\"]"},
        {"[\"", "\\u00e9", STRICT_TEXT_BYTES / 2, "\"]"}, /* bytes, not characters */
    };
    for (size_t i = 0; i < sizeof CAPS / sizeof *CAPS; i++) {
        char *most = flood(CAPS[i].head, CAPS[i].item, CAPS[i].most, CAPS[i].tail);
        char *more = flood(CAPS[i].head, CAPS[i].item, CAPS[i].most + 1, CAPS[i].tail);
        assert_int_equal(read_bytes(most, strlen(most), NULL), ERR_OK);
        assert_int_equal(read_bytes(more, strlen(more), NULL), ERR_FORMAT);
        free(most);
        free(more);
    }
}

static void depth_is_no_way_to_the_stack(void **state)
{
    (void)state;
    static const size_t DEPTHS[] = {2, 64, 1000, 2047, 2048, 100000, 1000000};
    for (size_t i = 0; i < sizeof DEPTHS / sizeof *DEPTHS; i++) {
        char *lists = flood("", "[", DEPTHS[i], ""), *objects = flood("", "{\"a\":", DEPTHS[i], "");
        assert_int_equal(read_bytes(lists, strlen(lists), NULL), ERR_FORMAT);
        assert_int_equal(read_bytes(objects, strlen(objects), NULL), ERR_FORMAT);
        free(lists);
        free(objects);
        char *balanced = malloc(2 * DEPTHS[i] + 1);
        memset(balanced, '[', DEPTHS[i]);
        memset(balanced + DEPTHS[i], ']', DEPTHS[i]);
        balanced[2 * DEPTHS[i]] = '\0';
        char *whole = with("[\"a\"]", balanced);
        assert_int_equal(read_bytes(whole, strlen(whole), NULL), ERR_FORMAT);
        free(balanced);
        free(whole);
    }
}

/* Bytes flipped, cut out, doubled and taken from elsewhere, and tokens that hurt. */
static size_t mutate(char *bytes, size_t count, size_t room, struct rng *rng)
{
    static const char *const TOKENS[] = {"[", "{", "\"", "null", "1e308", "-0", "\\ud83d", "\\u202e", "\xff", "1e-400"};
    size_t at = (size_t)rng_below(rng, count), length = 1 + (size_t)rng_below(rng, 12);
    const char *token = TOKENS[rng_below(rng, sizeof TOKENS / sizeof *TOKENS)];
    size_t token_bytes = strlen(token);
    length = length < count - at ? length : count - at;
    switch (rng_below(rng, 4)) {
    case 0:
        bytes[at] = (char)(bytes[at] ^ (1 << rng_below(rng, 8)));
        return count;
    case 1:
        memmove(bytes + at, bytes + at + length, count - at - length);
        return count - length > 0 ? count - length : 1;
    case 2:
        memmove(bytes + at, bytes + rng_below(rng, count - length + 1), length);
        return count;
    default:
        if (count + token_bytes > room)
            return count;
        memmove(bytes + at + token_bytes, bytes + at, count - at);
        memcpy(bytes + at, token, token_bytes);
        return count + token_bytes;
    }
}

static void mutations_never_crash(void **state)
{
    (void)state;
    enum { ROUNDS = 20000, ROOM = sizeof GOOD + 200 };
    struct rng rng;
    size_t accepted = 0, refused_by_us = 0;
    rng_init(&rng, 20260131);
    for (size_t round = 0; round < ROUNDS; round++) {
        char bytes[ROOM];
        size_t count = sizeof GOOD - 1;
        struct diag diag = {0};
        memcpy(bytes, GOOD, count);
        for (size_t i = 1 + rng_below(&rng, 4); i > 0; i--)
            count = mutate(bytes, count, ROOM, &rng);
        enum err error = read_bytes(bytes, count, &diag);
        assert_true(error == ERR_OK || error == ERR_FORMAT);
        accepted += error == ERR_OK;
        refused_by_us += error == ERR_FORMAT && strncmp(diag.what, "not valid JSON", 14) != 0;
    }
    /* the loop reaches our own reader and not only the parser's first line */
    assert_true(accepted > ROUNDS / 500);
    assert_true(refused_by_us > ROUNDS / 20);
}

static void files_that_are_none_are_refused(void **state)
{
    (void)state;
    char folder[] = "/tmp/venturi-read-XXXXXX", path[64];
    struct brief brief = fixture_brief(NULL);
    AUTO(arena_fini) struct arena arena;
    struct findings *findings;
    arena_init(&arena, 64 << 20);
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/findings.json", folder);
    assert_int_equal(findings_read(&findings, path, "profiling", &brief, &arena, NULL), ERR_IO); /* absent */
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_not_equal(findings_read(&findings, path, "profiling", &brief, &arena, NULL), ERR_OK); /* never waits */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(file_write_atomic(path, GOOD, sizeof GOOD - 1, NULL), ERR_OK);
    assert_int_equal(findings_read(&findings, path, "profiling", &brief, &arena, NULL), ERR_OK);
    assert_int_equal(truncate(path, FINDINGS_BYTES_MAX + 1), 0);
    assert_int_not_equal(findings_read(&findings, path, "profiling", &brief, &arena, NULL), ERR_OK); /* too large */
    assert_int_equal(dir_remove(folder, NULL), ERR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_good_document_is_accepted),
        cmocka_unit_test(each_mistake_is_refused_at_its_place),
        cmocka_unit_test(the_minefield_is_refused),
        cmocka_unit_test(what_is_not_one_document_is_refused),
        cmocka_unit_test(the_caps_hold),
        cmocka_unit_test(depth_is_no_way_to_the_stack),
        cmocka_unit_test(mutations_never_crash),
        cmocka_unit_test(files_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
