/* SPDX-License-Identifier: Apache-2.0
 *
 * docs/pipeline-toml.md says what the key tables say, and their examples are right.
 */
#include "pipeline/keys.h"

#include "base/file.h"
#include "base/text.h"
#include "pipeline/fixture_arena.h"

#include <stdlib.h>

static const char *fallback_text(const struct key *key)
{
    const struct toml_value *fallback = key->fallback;
    if (key->required)
        return "required";
    if (!fallback)
        return "none";
    switch (fallback->type) {
    case TOML_STRING:
        return arena_printf(&arena, "`\"%s\"`", fallback->as.text);
    case TOML_INTEGER:
        return arena_printf(&arena, "`%d`", (int)fallback->as.integer);
    default:
        assert_int_equal(fallback->type, TOML_BOOLEAN);
        return fallback->as.boolean ? "`true`" : "`false`";
    }
}

/* A row of the section's table: key, type, default, meaning, example. */
static const char *row(const struct key *key)
{
    if (key->type == KEY_RESERVED)
        return arena_printf(&arena, "\n| `%s` | %s | | %s | |\n", key->name, key_type_expected(key->type),
                            key->meaning);
    return arena_printf(&arena, "\n| `%s` | %s | %s | %s | `%s` |\n", key->name, key_type_expected(key->type),
                        fallback_text(key), key->meaning, key->example);
}

static const char *read_docs(void)
{
    struct diag diag;
    char *docs;
    size_t bytes;
    assert_int_equal(file_read(&docs, &bytes, VENTURI_DOCS "/pipeline-toml.md", TOML_LIMIT_BYTES, &arena, &diag),
                     ERR_OK);
    return docs;
}

static void the_documentation_has_every_key(void **state)
{
    (void)state;
    const char *docs = read_docs();
    size_t missing = 0, rows = 0, keys = 0;
    for (size_t i = 0; i < SECTION_COUNT; i++) {
        const char *title = arena_printf(&arena, "\n## `%s`\n", SECTIONS[i].title);
        const char *section = strstr(docs, title), *end = section ? strstr(section + 4, "\n## ") : NULL;
        if (!section)
            fail_msg("docs/pipeline-toml.md lacks: %s", title);
        for (size_t k = 0; k < SECTIONS[i].key_count; k++, keys++) {
            const char *line = row(&SECTIONS[i].keys[k]), *found = strstr(section, line);
            if (found && (!end || found < end))
                continue;
            print_message("docs/pipeline-toml.md lacks in %s:%s", SECTIONS[i].title, line);
            missing++;
        }
    }
    for (const char *at = docs; (at = strstr(at, "\n| `")); at++)
        rows++;
    assert_int_equal(missing, 0);
    assert_int_equal(rows, keys); /* no key that is gone */
}

/* "key = example" for every key of the section but `env`, which goes without `arg` only. */
static void add_examples(struct text *text, const struct section *section)
{
    text_addf(text, "%s\n", section->title);
    for (size_t i = 0; i < section->key_count; i++)
        if (section->keys[i].type != KEY_RESERVED && strcmp(section->keys[i].name, "env") != 0)
            text_addf(text, "%s = %s\n", section->keys[i].name, section->keys[i].example);
}

static void add_program(const char *path)
{
    struct diag diag;
    assert_int_equal(file_write_script(path, "#!/bin/sh\n", &diag), ERR_OK);
}

/* Reads `text` as a file in a folder that has the programs of the examples. */
static void assert_loads(struct pipeline *pipeline, const char *text, size_t bytes)
{
    char folder[] = "/tmp/pipeline-keys-XXXXXX", line[1024];
    struct diag diag = {0};
    *pipeline = (struct pipeline){.folder = mkdtemp(folder)};
    assert_non_null(pipeline->folder);
    assert_int_equal(dir_make(arena_printf(&arena, "%s/bin", folder), &diag), ERR_OK);
    add_program(arena_printf(&arena, "%s/bin/klines", folder));
    add_program(arena_printf(&arena, "%s/bin/venturi-cdn", folder));
    enum err error = pipeline_parse(pipeline, text, bytes, "examples", &arena, &diag);
    assert_int_equal(dir_remove(folder, &(struct diag){0}), ERR_OK);
    if (error != ERR_OK)
        fail_msg("%s in:\n%.*s", diag_line(&diag, line, sizeof line), (int)bytes, text);
}

static void the_examples_are_a_pipeline(void **state)
{
    (void)state;
    AUTO(text_fini) struct text text;
    struct pipeline pipeline;
    text_init(&text, TOML_LIMIT_BYTES);
    for (size_t i = 0; i < SECTION_AGENT; i++)
        add_examples(&text, &SECTIONS[i]);
    text_add(&text, "[[stage]]\nname = \"extract\"\n");
    assert_loads(&pipeline, text_string(&text), text.length_bytes);
    assert_int_equal(pipeline.knob_count, 1);
    assert_string_equal(pipeline.candidates[0].stage, "extract");
}

static void the_whole_file_of_the_documentation_loads(void **state)
{
    (void)state;
    struct pipeline pipeline;
    const char *start = strstr(read_docs(), "```toml\n"), *end = start ? strstr(start, "\n```\n") : NULL;
    assert_non_null(end);
    start += strlen("```toml\n");
    assert_loads(&pipeline, start, (size_t)(end - start));
    assert_int_equal(pipeline.stage_count, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_documentation_has_every_key, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_examples_are_a_pipeline, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_whole_file_of_the_documentation_loads, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
