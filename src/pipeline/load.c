/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/load.h"

#include "base/file.h"
#include "pipeline/keys.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const char *const TABLES[] = {"pipeline", "goal", "stage", "knob", "service", "database", "candidate", "agents"};
static const char *const AGENTS[] = {"profiling", "database", "client", "batch"};
enum { TABLE_COUNT = sizeof TABLES / sizeof *TABLES, AGENT_COUNT = sizeof AGENTS / sizeof *AGENTS };

static bool is_one_of(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(words[i], word) == 0)
            return true;
    return false;
}

static enum err check_tables(const struct toml_value *document, struct reading *reading)
{
    char hint[HINT_BYTES];
    reading->subject = "the file";
    for (size_t i = 0; i < document->count; i++) {
        const struct toml_value *table = &document->items[i];
        if (!is_one_of(table->key, TABLES, TABLE_COUNT))
            return mistake(reading, table, suggest(hint, table->key, TABLES, TABLE_COUNT),
                           "has the unknown table '%.80s'", table->key);
    }
    return ERR_OK;
}

/* Reads the table `name`, if it is there. */
static enum err read_table(struct pipeline *pipeline, const struct toml_value *document, const char *name,
                           enum section_id id, struct reading *reading)
{
    const struct toml_value *table = toml_member(document, name);
    return table ? section_read(pipeline, &SECTIONS[id], table, reading) : ERR_OK;
}

/* Reads the list of tables `name` into an array of `item_bytes` each; none when it is absent. */
static enum err read_list(void **out, size_t *count, const struct toml_value *document, const char *name,
                          enum section_id id, size_t item_bytes, struct reading *reading)
{
    static const struct toml_value nothing = {.type = TOML_LIST};
    const struct section *section = &SECTIONS[id];
    const struct toml_value *list = toml_member(document, name);
    if (!list)
        list = &nothing;
    reading->subject = section->title;
    *out = NULL;
    *count = 0;
    if (list->type != TOML_LIST)
        return mistake(reading, list, "write the name in double brackets", "is %s", toml_type_name(list->type));
    if (list->count > SECTION_LIST_LIMIT)
        return mistake(reading, list, "expected at most 256", "is there %zu times", list->count);
    char *items = arena_alloc(reading->arena, list->count, item_bytes, alignof(max_align_t));
    if (!items)
        return arena_exhausted(reading->arena, reading->diag);
    for (size_t i = 0; i < list->count; i++)
        TRY(section_read(items + i * item_bytes, section, &list->items[i], reading));
    *out = items;
    *count = list->count;
    return ERR_OK;
}

/* `current` is written as a value and kept as an index. */
static enum err find_current(size_t *out, const struct knob_draft *draft, const struct toml_value *table,
                             const struct reading *reading)
{
    const struct knob *knob = &draft->knob;
    const struct toml_value *current = toml_member(table, "current"), *values = toml_member(table, "values");
    for (*out = 0; *out < knob->value_count; ++*out)
        if (strcmp(knob->values[*out], draft->current) == 0 && values->items[*out].type == current->type)
            return ERR_OK;
    const char *shown[SECTION_LIST_LIMIT], *wrong = pipeline_url_redacted(draft->current, reading->arena);
    for (size_t i = 0; i < knob->value_count; i++)
        shown[i] = pipeline_url_redacted(knob->values[i], reading->arena);
    char hint[HINT_BYTES];
    return mistake(reading, current, suggest(hint, wrong, shown, knob->value_count),
                   "has the current value '%.80s', which is not among its values", wrong);
}

static enum err read_knobs(struct pipeline *pipeline, const struct toml_value *document, struct reading *reading)
{
    void *items;
    size_t count;
    TRY(read_list(&items, &count, document, "knob", SECTION_KNOB, sizeof(struct knob_draft), reading));
    const struct knob_draft *drafts = items;
    pipeline->knobs = ARENA_ARRAY(reading->arena, struct knob, count);
    if (!pipeline->knobs)
        return arena_exhausted(reading->arena, reading->diag);
    for (; pipeline->knob_count < count; pipeline->knob_count++) {
        size_t i = pipeline->knob_count;
        const struct toml_value *table = &toml_member(document, "knob")->items[i];
        pipeline->knobs[i] = drafts[i].knob;
        TRY(section_subject(reading, &SECTIONS[SECTION_KNOB], table));
        TRY(find_current(&pipeline->knobs[i].current, &drafts[i], table, reading));
    }
    return ERR_OK;
}

static enum err read_agents(struct pipeline *pipeline, const struct toml_value *document, struct reading *reading)
{
    const struct toml_value *agents = toml_member(document, "agents");
    reading->subject = "[agents]";
    if (!agents)
        return ERR_OK;
    if (agents->type != TOML_TABLE)
        return mistake(reading, agents, "expected tables such as [agents.client]", "is %s",
                       toml_type_name(agents->type));
    pipeline->agents = ARENA_ARRAY(reading->arena, struct agent_command, agents->count);
    if (!pipeline->agents)
        return arena_exhausted(reading->arena, reading->diag);
    for (size_t i = 0; i < agents->count; i++) {
        const struct toml_value *table = &agents->items[i];
        char hint[HINT_BYTES];
        reading->subject = "[agents]";
        if (!is_one_of(table->key, AGENTS, AGENT_COUNT))
            return mistake(reading, table, suggest(hint, table->key, AGENTS, AGENT_COUNT),
                           "names the unknown agent '%.80s'", table->key);
        pipeline->agents[i].agent = table->key;
        TRY(section_read(&pipeline->agents[i], &SECTIONS[SECTION_AGENT], table, reading));
        pipeline->agent_count++;
    }
    return ERR_OK;
}

static enum err read_lists(struct pipeline *pipeline, const struct toml_value *document, struct reading *reading)
{
    void *items;
    TRY(read_list(&items, &pipeline->stage_count, document, "stage", SECTION_STAGE, sizeof(struct stage), reading));
    pipeline->stages = items;
    TRY(read_list(&items, &pipeline->service_count, document, "service", SECTION_SERVICE, sizeof(struct service),
                  reading));
    pipeline->services = items;
    TRY(read_list(&items, &pipeline->candidate_count, document, "candidate", SECTION_CANDIDATE,
                  sizeof(struct candidate_spec), reading));
    pipeline->candidates = items;
    return read_knobs(pipeline, document, reading);
}

enum err pipeline_parse(struct pipeline *pipeline, const char *text, size_t bytes, const char *name,
                        struct arena *arena, struct diag *diag)
{
    struct reading reading = {.name = name, .arena = arena, .diag = diag};
    const struct toml_value *document;
    enum err error = toml_parse(&document, text, bytes, name, arena, diag);
    if (error != ERR_OK)
        diag_make_printable(diag);
    TRY(error);
    TRY(check_tables(document, &reading));
    if (!toml_member(document, "pipeline"))
        return mistake(&reading, document, "expected a name and a command in it", "has no [pipeline]");
    TRY(read_table(pipeline, document, "pipeline", SECTION_PIPELINE, &reading));
    TRY(read_table(pipeline, document, "goal", SECTION_GOAL, &reading));
    TRY(read_table(pipeline, document, "database", SECTION_DATABASE, &reading));
    TRY(read_lists(pipeline, document, &reading));
    TRY(read_agents(pipeline, document, &reading));
    return pipeline_check(pipeline, document, &reading);
}

/* path and folder, both absolute. */
static enum err locate(struct pipeline *pipeline, const char *path, struct arena *arena, struct diag *diag)
{
    char absolute[PATH_MAX];
    if (!realpath(path, absolute))
        return diag_errno(diag, ERR_CONFIG, errno, path, "cannot read the file");
    pipeline->path = arena_strdup(arena, absolute);
    size_t folder_bytes = (size_t)(strrchr(absolute, '/') - absolute);
    pipeline->folder = arena_printf(arena, "%.*s", (int)(folder_bytes ? folder_bytes : 1), absolute);
    return pipeline->path && pipeline->folder ? ERR_OK : arena_exhausted(arena, diag);
}

enum err pipeline_load(struct pipeline **out, const char *path, struct arena *arena, struct diag *diag)
{
    struct pipeline *pipeline = ARENA_NEW(arena, struct pipeline);
    if (!pipeline)
        return arena_exhausted(arena, diag);
    TRY(locate(pipeline, path, arena, diag));
    char *text;
    size_t bytes;
    enum err error = file_read(&text, &bytes, path, TOML_LIMIT_BYTES, arena, diag);
    if (error != ERR_OK)
        return error == ERR_MEMORY ? error : ERR_CONFIG;
    TRY(pipeline_parse(pipeline, text, bytes, path, arena, diag));
    *out = pipeline;
    return ERR_OK;
}
