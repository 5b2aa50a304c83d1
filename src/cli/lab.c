/* SPDX-License-Identifier: Apache-2.0
 *
 * `venturi lab run|compare|sweep|control FILE`: one experiment for people, scripts and external agents. With
 * VENTURI_LAB set it asks the running lab; without, it opens one of its own for as long as the experiment takes.
 */
#include "cli/command.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "cli/private_lab.h"
#include "cli/show.h"
#include "lab/client.h"
#include "report/report.h"
#include "stats/pairs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES ((size_t)1 << 30)
#define DEFAULT_BUDGET_NS (600 * NS_PER_S)

/* "concurrency=4,overlap=1" as a JSON object; NULL gives an empty one. */
static enum err parse_settings(json_t **out, const char *text, const char *option, struct arena *arena,
                               struct diag *diag)
{
    *out = json_object();
    char *rest = arena_strdup(arena, text ? text : "");
    if (!*out || !rest)
        return arena_exhausted(arena, diag);
    for (char *item = strtok_r(rest, ",", &rest); item; item = strtok_r(NULL, ",", &rest)) {
        char *value = strchr(item, '=');
        if (!value || value == item)
            return diag_fail(diag, ERR_CONFIG, option, "write knob=value,knob=value", "'%s' is no setting", item);
        *value++ = '\0';
        if (json_object_set_new(*out, item, json_string(value)) < 0)
            return diag_fail(diag, ERR_CONFIG, option, NULL, "'%s' is not UTF-8", value);
    }
    return ERR_OK;
}

static enum err parse_values(json_t **out, const char *text, struct arena *arena, struct diag *diag)
{
    *out = json_array();
    char *rest = arena_strdup(arena, text);
    if (!*out || !rest)
        return arena_exhausted(arena, diag);
    for (char *item = strtok_r(rest, ",", &rest); item; item = strtok_r(NULL, ",", &rest)) {
        if (json_array_append_new(*out, json_string(item)) < 0)
            return diag_fail(diag, ERR_CONFIG, "--values", NULL, "'%s' is not UTF-8", item);
    }
    return ERR_OK;
}

static enum err sweep_request(json_t *request, const struct settings *settings, struct arena *arena, struct diag *diag)
{
    json_t *values;
    if (!settings->knob || !settings->values)
        return diag_fail(diag, ERR_CONFIG, "lab sweep", "such as --knob batch --values 100,1000",
                         "needs --knob and --values");
    TRY(parse_values(&values, settings->values, arena, diag));
    if (json_object_set_new(request, "values", values) < 0 ||
        json_object_set_new(request, "knob", json_string(settings->knob)) < 0)
        return diag_fail(diag, ERR_MEMORY, NULL, NULL, "out of memory");
    return ERR_OK;
}

static enum err set_arm(json_t *request, const char *key, const char *text, const char *option, struct arena *arena,
                        struct diag *diag)
{
    json_t *arm;
    TRY(parse_settings(&arm, text, option, arena, diag));
    return json_object_set_new(request, key, arm) < 0 ? diag_fail(diag, ERR_MEMORY, NULL, NULL, "out of memory")
                                                      : ERR_OK;
}

static enum err build_request(json_t **out, const char *op, const struct settings *settings, struct arena *arena,
                              struct diag *diag)
{
    json_t *request = *out = json_pack("{s:s, s:s}", "op", op, "purpose",
                                       settings->purpose ? settings->purpose : "asked from the command line");
    if (!request)
        return diag_fail(diag, ERR_MEMORY, NULL, NULL, "out of memory");
    if (strcmp(op, "run") != 0 && json_object_set_new(request, "delta", json_real(settings->delta)) < 0)
        return diag_fail(diag, ERR_MEMORY, NULL, NULL, "out of memory");
    if (strcmp(op, "sweep") == 0)
        return sweep_request(request, settings, arena, diag);
    if (strcmp(op, "control") == 0)
        return ERR_OK;
    if (strcmp(op, "run") != 0 && strcmp(op, "compare") != 0)
        return diag_fail(diag, ERR_CONFIG, "lab", "the operations are run, compare, sweep, control",
                         "no operation '%s'", op);
    TRY(set_arm(request, "a", settings->arm_a, "--a", arena, diag));
    if (strcmp(op, "run") == 0)
        return json_object_set_new(request, "runs", json_integer((json_int_t)settings->runs)) < 0
                   ? diag_fail(diag, ERR_MEMORY, NULL, NULL, "out of memory")
                   : ERR_OK;
    if (!settings->arm_b)
        return diag_fail(diag, ERR_CONFIG, "lab compare", "such as --b concurrency=4", "needs --b");
    TRY(set_arm(request, "b", settings->arm_b, "--b", arena, diag));
    return json_object_set_new(request, "confirm", json_boolean(settings->confirm)) < 0
               ? diag_fail(diag, ERR_MEMORY, NULL, NULL, "out of memory")
               : ERR_OK;
}

static enum err ask_running_lab(json_t **out, const json_t *request, struct diag *diag)
{
    AUTO(lab_client_free) struct lab_client *client = NULL;
    long long id;
    TRY(lab_client_new(&client, NULL, diag));
    TRY(lab_client_ask(&id, client, request, diag));
    return lab_client_wait(out, client, id, diag);
}

static enum err ask_private_lab(json_t **out, const json_t *request, const struct invocation *invocation,
                                struct diag *diag)
{
    struct private_lab_options options = {.file = invocation->operands[1],
                                          .folder = invocation->settings.out,
                                          .seed = invocation->settings.seed,
                                          .budget_ns = invocation->settings.budget_ns};
    if (!options.file)
        return diag_fail(diag, ERR_CONFIG, "lab", "name a pipeline.toml, or set VENTURI_LAB", "no lab is running here");
    return private_lab_ask(out, request, &options, diag);
}

static enum err print_experiment(const json_t *experiment, bool as_json, struct arena *arena, struct diag *diag)
{
    struct document *document;
    if (as_json)
        return show_json(experiment, diag);
    TRY(report_experiment(&document, experiment, arena, diag));
    return show_document(document, diag);
}

/* "Cannot tell" and "invalid" are never a pass. */
static enum status status_of(const json_t *experiment)
{
    size_t i;
    const json_t *comparison;
    json_array_foreach(json_object_get(experiment, "comparisons"), i, comparison)
    {
        const char *verdict = json_string_or(comparison, "verdict", "");
        if (strcmp(verdict, "invalid") == 0)
            return STATUS_PIPELINE_FAILED;
        if (strcmp(verdict, "cannot_tell") == 0 || strcmp(verdict, "preliminary") == 0)
            return STATUS_CANNOT_TELL;
    }
    return STATUS_DONE;
}

static enum status run(const struct invocation *invocation)
{
    struct diag diag = {0};
    AUTO(json_release) json_t *request = NULL, *experiment = NULL;
    AUTO(arena_fini) struct arena arena;
    arena_init(&arena, ARENA_BYTES);
    enum err error = build_request(&request, invocation->operands[0], &invocation->settings, &arena, &diag);
    if (error == ERR_OK)
        error = getenv("VENTURI_LAB") ? ask_running_lab(&experiment, request, &diag)
                                      : ask_private_lab(&experiment, request, invocation, &diag);
    if (error == ERR_OK)
        error = print_experiment(experiment, invocation->settings.json, &arena, &diag);
    return error == ERR_OK ? status_of(experiment) : fail(error, &diag);
}

static const struct cli_option options[] = {
    {"a", "SETTINGS", OPTION_TEXT, OPTION_FIELD(arm_a), "Arm A, such as overlap=1; default the baseline"},
    {"b", "SETTINGS", OPTION_TEXT, OPTION_FIELD(arm_b), "Arm B of compare, such as concurrency=4,overlap=1"},
    {"knob", "NAME", OPTION_TEXT, OPTION_FIELD(knob), "The knob that sweep varies"},
    {"values", "LIST", OPTION_TEXT, OPTION_FIELD(values), "The values of sweep, separated by commas"},
    {"runs", "N", OPTION_COUNT, OPTION_FIELD(runs), "How many runs `run` makes; default 3"},
    {"confirm", NULL, OPTION_FLAG, OPTION_FIELD(confirm), "Confirm a faster arm B on fresh runs"},
    {"delta", "RATIO", OPTION_NUMBER, OPTION_FIELD(delta),
     "The smallest effect that matters; default 0.02, which is 2 %"},
    {"purpose", "TEXT", OPTION_TEXT, OPTION_FIELD(purpose), "Why, for the journal"},
    {"out", "FOLDER", OPTION_TEXT, OPTION_FIELD(out), "Keep the journal and traces there; default a temporary folder"},
    {"budget", "TIME", OPTION_DURATION, OPTION_FIELD(budget_ns), "Time for measuring; default 10m"},
    {"seed", "N", OPTION_COUNT, OPTION_FIELD(seed), "Seed of every random choice; default 1"},
    {"json", NULL, OPTION_FLAG, OPTION_FIELD(json), "Print the experiment as JSON"},
    {0},
};

const struct command command_lab = {
    .name = "lab",
    .operands = "run|compare|sweep|control [FILE]",
    .operands_min = 1,
    .operands_max = 2,
    .summary = "Measure: run variants, compare two, sweep a knob, control A/A",
    .description = "Measures the pipeline of FILE in random pairs and prints the verdict with its interval.\n\n"
                   "With VENTURI_LAB set (as for an external agent) the running lab is asked and FILE is not needed; "
                   "docs/lab-protocol.md describes its protocol.",
    .options = options,
    .defaults = {.budget_ns = DEFAULT_BUDGET_NS, .seed = 1, .runs = 3, .delta = PAIRS_DELTA_DEFAULT},
    .run = run,
};
