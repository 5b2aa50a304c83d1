/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/candidate.h"
#include "pipeline/keys.h"
#include "pipeline/load.h"
#include "pipeline/ports.h"
#include "pipeline/program.h"

#include <stdio.h>
#include <string.h>

/* The i-th table of the list `name`, which then is the subject of mistakes. */
static enum err at_table(const struct toml_value **out, const struct toml_value *document, const char *name,
                         enum section_id id, size_t i, struct reading *reading)
{
    *out = &toml_member(document, name)->items[i];
    return section_subject(reading, &SECTIONS[id], *out);
}

static enum err check_unique(const struct toml_value *document, const char *list_name, enum section_id id,
                             const char *key, struct reading *reading)
{
    const struct toml_value *list = toml_member(document, list_name);
    for (size_t i = 0; list && i < list->count; i++) {
        const struct toml_value *value = toml_member(&list->items[i], key);
        TRY(section_subject(reading, &SECTIONS[id], &list->items[i]));
        for (size_t j = 0; value && j < i; j++) {
            const struct toml_value *other = toml_member(&list->items[j], key);
            if (other && strcmp(other->as.text, value->as.text) == 0)
                return mistake(reading, value, "choose another", "has the same %s as the one on line %u", key,
                               other->line);
        }
    }
    return ERR_OK;
}

static enum err check_all_unique(const struct toml_value *document, struct reading *reading)
{
    TRY(check_unique(document, "stage", SECTION_STAGE, "name", reading));
    TRY(check_unique(document, "service", SECTION_SERVICE, "name", reading));
    TRY(check_unique(document, "candidate", SECTION_CANDIDATE, "name", reading));
    TRY(check_unique(document, "knob", SECTION_KNOB, "name", reading));
    TRY(check_unique(document, "knob", SECTION_KNOB, "arg", reading));
    return check_unique(document, "knob", SECTION_KNOB, "env", reading);
}

static enum err check_stage_exists(const struct pipeline *pipeline, const char *stage, const struct toml_value *at,
                                   const struct reading *reading)
{
    const char *names[SECTION_LIST_LIMIT];
    for (size_t i = 0; i < pipeline->stage_count; i++) {
        names[i] = pipeline->stages[i].name;
        if (strcmp(names[i], stage) == 0)
            return ERR_OK;
    }
    char hint[HINT_BYTES];
    return mistake(reading, at, suggest(hint, stage, names, pipeline->stage_count), "names the unknown stage '%.80s'",
                   stage);
}

static enum err check_knob(const struct pipeline *pipeline, const struct knob *knob, const struct toml_value *table,
                           const struct reading *reading)
{
    TRY(check_stage_exists(pipeline, knob->stage, toml_member(table, "stage"), reading));
    if (!knob->arg == !knob->env)
        return mistake(reading, knob->arg ? toml_member(table, "env") : table,
                       "expected one of them: arg = \"--batch={}\" or env = \"BATCH\"", "has %s",
                       knob->arg ? "both arg and env" : "neither arg nor env");
    if (knob->arg && !strstr(knob->arg, "{}"))
        return mistake(reading, toml_member(table, "arg"), "put {} where the value goes, as in \"--batch={}\"",
                       "has an arg without {}");
    if (knob->value_count < 2)
        return mistake(reading, toml_member(table, "values"), "add one to compare with the current one",
                       "has a single value");
    return ERR_OK;
}

/* The first part of a candidate's name is its stage, the second its lever, or any word for levers that a stage has many
 * of. */
static enum err check_candidate(struct candidate_spec *candidate, const struct pipeline *pipeline,
                                const struct toml_value *table, const struct reading *reading)
{
    const char *word = strchr(candidate->id, '.') + 1;
    candidate->stage = arena_printf(reading->arena, "%.*s", (int)(word - 1 - candidate->id), candidate->id);
    if (!candidate->stage)
        return arena_exhausted(reading->arena, reading->diag);
    const struct toml_value *name = toml_member(table, "name");
    TRY(check_stage_exists(pipeline, candidate->stage, name, reading));
    bool any_word = candidate->lever == LEVER_SETTING || candidate->lever == LEVER_CLIENT;
    if (any_word || strcmp(word, lever_name(candidate->lever)) == 0)
        return ERR_OK;
    char hint[HINT_BYTES];
    (void)snprintf(hint, sizeof hint, "expected the name '%s.%s', or another lever", candidate->stage,
                   lever_name(candidate->lever));
    return mistake(reading, name, hint, "has the lever '%s' and another one in its name", lever_name(candidate->lever));
}

/* A candidate that a knob makes already would be two of one id. */
static enum err check_candidate_ids(const struct pipeline *pipeline, const struct toml_value *document,
                                    struct reading *reading)
{
    struct candidate *list;
    size_t count;
    TRY(candidate_list(&list, &count, pipeline, reading->arena, reading->diag));
    for (size_t i = 0; i < pipeline->candidate_count; i++) {
        const struct toml_value *table;
        TRY(at_table(&table, document, "candidate", SECTION_CANDIDATE, i, reading));
        for (size_t j = 0; j < pipeline->knob_count; j++)
            if (strcmp(list[j].id, pipeline->candidates[i].id) == 0)
                return mistake(reading, table, "remove this table: every knob is a candidate",
                               "is what the knob '%s' stands for", list[j].knob->name);
    }
    return ERR_OK;
}

/* Where placeholders stand: `services` of the first ones may be named, and "{port}" inside a service. */
struct scope {
    size_t services;
    bool in_service;
};

static enum err refuse_placeholder(const struct pipeline *pipeline, const struct placeholder *placeholder,
                                   const struct toml_value *at, const struct reading *reading)
{
    char wrong[80], hint[HINT_BYTES];
    const char *names[SECTION_LIST_LIMIT];
    if (!placeholder->service)
        return mistake(reading, at, "name the service, as in {cdn.port}", "uses {port} outside of a service");
    (void)snprintf(wrong, sizeof wrong, "%.*s", (int)placeholder->service_bytes, placeholder->service);
    for (size_t i = 0; i < pipeline->service_count; i++) {
        names[i] = pipeline->services[i].name;
        if (placeholder_names(placeholder, names[i]))
            return mistake(reading, at, "services start in the order of the file: move that one up",
                           "names the port of '%s', which is not started yet", names[i]);
    }
    return mistake(reading, at, suggest(hint, wrong, names, pipeline->service_count),
                   "names the port of the unknown service '%s'", wrong);
}

static enum err check_ports(const struct pipeline *pipeline, struct scope scope, const char *text,
                            const struct toml_value *at, const struct reading *reading)
{
    for (struct placeholder next; placeholder_find(&next, text); text = next.end) {
        bool known = !next.service && scope.in_service;
        for (size_t i = 0; i < scope.services; i++)
            known = known || placeholder_names(&next, pipeline->services[i].name);
        if (!known)
            return refuse_placeholder(pipeline, &next, at, reading);
    }
    return ERR_OK;
}

static enum err find_program(const char **program, const char *folder, const struct toml_value *at,
                             const struct reading *reading)
{
    const char *found;
    TRY(program_find(&found, *program, folder, reading->arena, reading->diag));
    if (!found)
        return mistake(reading, at,
                       strchr(*program, '/')
                           ? "it is looked up from the folder of this file"
                           : "expected a program in PATH, or a path with a slash from the folder of this file",
                       "names the program '%.80s', which is not there or not executable", *program);
    *program = found;
    return ERR_OK;
}

static enum err check_command(struct pipeline *pipeline, struct scope scope, struct argv *command,
                              const struct toml_value *list, const struct reading *reading)
{
    TRY(find_program(&command->items[0], pipeline->folder, list, reading));
    for (size_t i = 1; i < command->count; i++)
        TRY(check_ports(pipeline, scope, command->items[i], &list->items[i], reading));
    return ERR_OK;
}

static enum err check_pipeline(struct pipeline *pipeline, const struct toml_value *table, struct reading *reading)
{
    const struct scope scope = {.services = pipeline->service_count};
    TRY(section_subject(reading, &SECTIONS[SECTION_PIPELINE], table));
    TRY(check_command(pipeline, scope, &pipeline->command, toml_member(table, "command"), reading));
    for (size_t i = 0; i < pipeline->before_count; i++)
        TRY(check_command(pipeline, scope, &pipeline->before[i], &toml_member(table, "before")->items[i], reading));
    if (pipeline->check.count)
        TRY(check_command(pipeline, scope, &pipeline->check, toml_member(table, "check"), reading));
    return ERR_OK;
}

static bool uses_own_port(const struct argv *command)
{
    struct placeholder next;
    for (size_t i = 1; i < command->count; i++)
        for (const char *text = command->items[i]; placeholder_find(&next, text); text = next.end)
            if (!next.service)
                return true;
    return false;
}

static enum err check_service(struct pipeline *pipeline, size_t i, const struct toml_value *table,
                              const struct reading *reading)
{
    struct service *service = &pipeline->services[i];
    const struct scope scope = {.services = i, .in_service = true};
    TRY(check_command(pipeline, scope, &service->command, toml_member(table, "command"), reading));
    if (!service->ready && !uses_own_port(&service->command))
        return mistake(reading, table, "give its command the argument {port}, or say in ready which address answers",
                       "does not say how one can tell that it is ready");
    if (!service->ready)
        return ERR_OK;
    const struct toml_value *ready = toml_member(table, "ready");
    if (strncmp(service->ready, "http://", 7) != 0)
        return mistake(reading, ready, "expected an address such as \"http://127.0.0.1:{port}/health\"",
                       "has a ready that is not an http:// address");
    return check_ports(pipeline, scope, service->ready, ready, reading);
}

/* Does the address look like the kind's? Only its scheme is judged; the rest is the database's to say. */
static bool fits_kind(const char *url, const char *kind)
{
    static const struct {
        const char *kind, *start;
    } starts[] = {
        {"questdb", "http://"},        {"questdb", "https://"}, {"postgres", "postgres://"},
        {"postgres", "postgresql://"}, {"sqlite", "sqlite:"},
    };
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (strcmp(starts[i].kind, kind) == 0 && strncmp(url, starts[i].start, strlen(starts[i].start)) == 0)
            return true;
    return !strstr(url, "://") &&
           (strcmp(kind, "postgres") == 0 ? strchr(url, '=') != NULL : strcmp(kind, "sqlite") == 0);
}

static enum err check_database(const struct pipeline *pipeline, const struct toml_value *table, struct reading *reading)
{
    const struct scope scope = {.services = pipeline->service_count};
    TRY(section_subject(reading, &SECTIONS[SECTION_DATABASE], table));
    const struct toml_value *url = toml_member(table, "url");
    if (!fits_kind(pipeline->database_url, pipeline->database_kind))
        return mistake(reading, url,
                       "expected http://… for questdb, postgres://… or host=… for postgres, sqlite:FILE for sqlite",
                       "has a url that is none of %s", pipeline->database_kind);
    return check_ports(pipeline, scope, pipeline->database_url, url, reading);
}

static enum err check_agents(struct pipeline *pipeline, const struct toml_value *document, struct reading *reading)
{
    for (size_t i = 0; i < pipeline->agent_count; i++) {
        const struct toml_value *table = &toml_member(document, "agents")->items[i];
        TRY(section_subject(reading, &SECTIONS[SECTION_AGENT], table));
        TRY(find_program(&pipeline->agents[i].command.items[0], pipeline->folder, toml_member(table, "command"),
                         reading));
    }
    return ERR_OK;
}

enum err pipeline_check(struct pipeline *pipeline, const struct toml_value *document, struct reading *reading)
{
    const struct toml_value *table;
    reading->subject = "the file";
    if (pipeline->stage_count == 0)
        return mistake(reading, document, "name the parts of the pipeline as its spans do", "has no [[stage]]");
    TRY(check_all_unique(document, reading));
    TRY(check_pipeline(pipeline, toml_member(document, "pipeline"), reading));
    for (size_t i = 0; i < pipeline->service_count; i++) {
        TRY(at_table(&table, document, "service", SECTION_SERVICE, i, reading));
        TRY(check_service(pipeline, i, table, reading));
    }
    for (size_t i = 0; i < pipeline->knob_count; i++) {
        TRY(at_table(&table, document, "knob", SECTION_KNOB, i, reading));
        TRY(check_knob(pipeline, &pipeline->knobs[i], table, reading));
    }
    for (size_t i = 0; i < pipeline->candidate_count; i++) {
        TRY(at_table(&table, document, "candidate", SECTION_CANDIDATE, i, reading));
        TRY(check_candidate(&pipeline->candidates[i], pipeline, table, reading));
    }
    TRY(check_candidate_ids(pipeline, document, reading));
    if (pipeline->database_kind)
        TRY(check_database(pipeline, toml_member(document, "database"), reading));
    return check_agents(pipeline, document, reading);
}
