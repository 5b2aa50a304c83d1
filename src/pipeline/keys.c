/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/keys.h"

#include <stddef.h>

#define SIZE(array) (sizeof(array) / sizeof(array)[0])

static const struct toml_value ROWS = {.type = TOML_STRING, .as.text = "rows"};
static const struct toml_value TEN_MINUTES = {.type = TOML_STRING, .as.text = "10m"};
static const struct toml_value THIRTY_SECONDS = {.type = TOML_STRING, .as.text = "30s"};
static const struct toml_value NEVER = {.type = TOML_STRING, .as.text = "never"};
static const struct toml_value ONE = {.type = TOML_INTEGER, .as.integer = 1};
static const struct toml_value YES = {.type = TOML_BOOLEAN, .as.boolean = true};
static const struct toml_value NO = {.type = TOML_BOOLEAN, .as.boolean = false};

static const struct key PIPELINE_KEYS[] = {
    {.name = "name",
     .type = KEY_NAME,
     .required = true,
     .offset = offsetof(struct pipeline, name),
     .example = "\"klines\"",
     .meaning = "what reports call the pipeline"},
    {.name = "command",
     .type = KEY_COMMAND,
     .required = true,
     .offset = offsetof(struct pipeline, command),
     .example = "[\"bin/klines\", \"--cdn\", \"http://127.0.0.1:{cdn.port}\"]",
     .meaning = "one run of the pipeline, as program and arguments; no shell is involved. The values of all knobs are "
                "added to it"},
    {.name = "unit",
     .type = KEY_NAME,
     .fallback = &ROWS,
     .offset = offsetof(struct pipeline, unit),
     .example = "\"rows\"",
     .meaning = "what the spans count, and throughput is counted in"},
    {.name = "timeout",
     .type = KEY_DURATION,
     .fallback = &TEN_MINUTES,
     .offset = offsetof(struct pipeline, timeout_ns),
     .example = "\"60s\"",
     .meaning = "a run that takes longer is stopped and has failed"},
    {.name = "batch",
     .type = KEY_SWITCH,
     .fallback = &YES,
     .offset = offsetof(struct pipeline, batch),
     .example = "false",
     .meaning =
         "a run that takes less than 50 ms repeats `before`, `command` and `check`, each time as fresh processes, "
         "until the command has run that long; its times are then of one repetition"},
    {.name = "before",
     .type = KEY_COMMANDS,
     .offset = offsetof(struct pipeline, before),
     .count_offset = offsetof(struct pipeline, before_count),
     .example = "[[\"bin/klines\", \"--reset\"]]",
     .meaning = "commands before every run, not timed: they put things back so that each run does the same work"},
    {.name = "check",
     .type = KEY_COMMAND,
     .offset = offsetof(struct pipeline, check),
     .example = "[\"bin/klines\", \"--checksum\"]",
     .meaning = "a command after every run whose output must be the same for every variant: a faster run that did less "
                "is not faster"},
};

static const struct key GOAL_KEYS[] = {
    {.name = "throughput",
     .type = KEY_POSITIVE,
     .required = true,
     .offset = offsetof(struct pipeline, goal_rows_s),
     .example = "100_000",
     .meaning = "what the pipeline should reach, in units a second"},
};

static const struct key STAGE_KEYS[] = {
    {.name = "name",
     .type = KEY_NAME,
     .required = true,
     .offset = offsetof(struct stage, name),
     .example = "\"download\"",
     .meaning = "as the program names the stage in its spans"},
    {.name = "kind",
     .type = KEY_STAGE_KIND,
     .offset = offsetof(struct stage, kind),
     .example = "\"network\"",
     .meaning = "what the stage mainly uses: `network`, `cpu`, `disk` or `database`. A hint for the agents; it is "
                "measured anyway"},
};

static const struct key KNOB_KEYS[] = {
    {.name = "name",
     .type = KEY_NAME,
     .required = true,
     .offset = offsetof(struct knob_draft, knob.name),
     .example = "\"concurrency\"",
     .meaning = "what reports call the knob, and settings name"},
    {.name = "stage",
     .type = KEY_NAME,
     .required = true,
     .offset = offsetof(struct knob_draft, knob.stage),
     .example = "\"download\"",
     .meaning = "the stage it changes: the name of a `[[stage]]`"},
    {.name = "lever",
     .type = KEY_LEVER,
     .required = true,
     .offset = offsetof(struct knob_draft, knob.lever),
     .example = "\"concurrency\"",
     .meaning = "the kind of change: `concurrency`, `overlap`, `streaming`, `batch`, `client`, `setting` or "
                "`implementation`. It decides which agent looks at it"},
    {.name = "arg",
     .type = KEY_TEXT,
     .offset = offsetof(struct knob_draft, knob.arg),
     .example = "\"--concurrency={}\"",
     .meaning = "the argument that sets it, added to the end of the command; `{}` stands for the value. Either this or "
                "`env`"},
    {.name = "env",
     .type = KEY_VARIABLE,
     .offset = offsetof(struct knob_draft, knob.env),
     .example = "\"KLINES_CONCURRENCY\"",
     .meaning = "the environment variable that sets it. Either this or `arg`"},
    {.name = "values",
     .type = KEY_VALUES,
     .required = true,
     .offset = offsetof(struct knob_draft, knob.values),
     .count_offset = offsetof(struct knob_draft, knob.value_count),
     .example = "[1, 2, 4, 8]",
     .meaning = "what to try: whole numbers, numbers, texts or true and false, all of one type, the current one among "
                "them"},
    {.name = "current",
     .type = KEY_VALUE,
     .required = true,
     .offset = offsetof(struct knob_draft, current),
     .example = "1",
     .meaning = "the value in use today: the baseline"},
    {.name = "effort_days",
     .type = KEY_DAYS,
     .fallback = &ONE,
     .offset = offsetof(struct knob_draft, knob.effort_days),
     .example = "2",
     .meaning = "what the change would cost to make for good, in working days"},
};

static const struct key SERVICE_KEYS[] = {
    {.name = "name",
     .type = KEY_NAME,
     .required = true,
     .offset = offsetof(struct service, name),
     .example = "\"cdn\"",
     .meaning = "what `{cdn.port}` refers to elsewhere in the file"},
    {.name = "kind",
     .type = KEY_RESERVED,
     .offset = offsetof(struct service, kind),
     .example = "",
     .meaning = "only services with a command are supported"},
    {.name = "command",
     .type = KEY_COMMAND,
     .required = true,
     .offset = offsetof(struct service, command),
     .example = "[\"bin/venturi-cdn\", \"--port\", \"{port}\", \"data/\"]",
     .meaning = "started before the first run and stopped after the last, whatever happens; `{port}` stands for a free "
                "port of its own"},
    {.name = "ready",
     .type = KEY_TEXT,
     .offset = offsetof(struct service, ready),
     .example = "\"http://127.0.0.1:{port}/health\"",
     .meaning = "an `http://` address that answers 200 when the service is ready; without it, ready is when the port "
                "accepts a connection"},
    {.name = "ready_timeout",
     .type = KEY_DURATION,
     .fallback = &THIRTY_SECONDS,
     .offset = offsetof(struct service, ready_timeout_ns),
     .example = "\"10s\"",
     .meaning = "a service that is not ready by then has failed, and nothing is run"},
    {.name = "restart",
     .type = KEY_RESTART,
     .fallback = &NEVER,
     .offset = offsetof(struct service, restart),
     .example = "\"round\"",
     .meaning =
         "`never`: it serves all runs, and the lab ends when it dies. `round`: it is started anew before every round "
         "of "
         "runs, so that the luck of one start does not decide, and when it has died; it must be able to have its "
         "port again at once"},
};

static const struct key DATABASE_KEYS[] = {
    {.name = "kind",
     .type = KEY_DATABASE_KIND,
     .required = true,
     .offset = offsetof(struct pipeline, database_kind),
     .example = "\"sqlite\"",
     .meaning = "`questdb`, `postgres` or `sqlite`"},
    {.name = "url",
     .type = KEY_TEXT,
     .required = true,
     .offset = offsetof(struct pipeline, database_url),
     .example = "\"sqlite:out/klines.db\"",
     .meaning = "where it is: `http://` or `https://` for questdb, `postgres://` or `host=… dbname=…` for postgres, "
                "`sqlite:FILE` for sqlite. A password in it is never shown"},
    {.name = "writes",
     .type = KEY_SWITCH,
     .fallback = &NO,
     .offset = offsetof(struct pipeline, database_writes),
     .example = "false",
     .meaning = "true lets experiments write tables named `venturi_scratch_*`"},
};

static const struct key CANDIDATE_KEYS[] = {
    {.name = "name",
     .type = KEY_CANDIDATE,
     .required = true,
     .offset = offsetof(struct candidate_spec, id),
     .example = "\"extract.streaming\"",
     .meaning = "`<stage>.<lever>`; for the levers `setting` and `client`, `<stage>.<any word>`"},
    {.name = "lever",
     .type = KEY_LEVER,
     .required = true,
     .offset = offsetof(struct candidate_spec, lever),
     .example = "\"streaming\"",
     .meaning = "the kind of change, as for a knob"},
    {.name = "effort_days",
     .type = KEY_DAYS,
     .fallback = &ONE,
     .offset = offsetof(struct candidate_spec, effort_days),
     .example = "1",
     .meaning = "what the change would cost, in working days"},
};

static const struct key AGENT_KEYS[] = {
    {.name = "command",
     .type = KEY_COMMAND,
     .required = true,
     .offset = offsetof(struct agent_command, command),
     .example = "[\"tools/my-agent\"]",
     .meaning = "run in place of the built-in agent"},
};

const struct section SECTIONS[SECTION_COUNT] = {
    [SECTION_PIPELINE] = {"[pipeline]", NULL, PIPELINE_KEYS, SIZE(PIPELINE_KEYS)},
    [SECTION_GOAL] = {"[goal]", NULL, GOAL_KEYS, SIZE(GOAL_KEYS)},
    [SECTION_DATABASE] = {"[database]", NULL, DATABASE_KEYS, SIZE(DATABASE_KEYS)},
    [SECTION_STAGE] = {"[[stage]]", "stage", STAGE_KEYS, SIZE(STAGE_KEYS)},
    [SECTION_KNOB] = {"[[knob]]", "knob", KNOB_KEYS, SIZE(KNOB_KEYS)},
    [SECTION_SERVICE] = {"[[service]]", "service", SERVICE_KEYS, SIZE(SERVICE_KEYS)},
    [SECTION_CANDIDATE] = {"[[candidate]]", "candidate", CANDIDATE_KEYS, SIZE(CANDIDATE_KEYS)},
    [SECTION_AGENT] = {"[agents.NAME]", NULL, AGENT_KEYS, SIZE(AGENT_KEYS)},
};
