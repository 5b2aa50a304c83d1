/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline.toml as data: what to run, its stages, knobs, goal, services and candidates. Everything is owned by the
 * arena it was loaded into and never changes afterwards.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum stage_kind { STAGE_UNSPECIFIED, STAGE_NETWORK, STAGE_CPU, STAGE_DISK, STAGE_DATABASE };
enum lever {
    LEVER_CONCURRENCY,
    LEVER_OVERLAP,
    LEVER_STREAMING,
    LEVER_BATCH,
    LEVER_CLIENT,
    LEVER_SETTING,
    LEVER_IMPLEMENTATION,
};

struct argv {
    const char **items; /* NULL-terminated */
    size_t count;
};

struct stage {
    const char *name;
    enum stage_kind kind;
};

struct knob {
    const char *name;
    const char *stage; /* name of a declared stage */
    enum lever lever;
    const char *arg;     /* "--batch={}"; or NULL and env is set */
    const char *env;     /* "KLINES_BATCH" */
    const char **values; /* as text, in file order: 1, "wal", true become "1", "wal", "true" */
    size_t value_count;
    size_t current; /* index into values */
    double effort_days;
};

enum service_restart { RESTART_NEVER, RESTART_ROUND };

struct service {
    const char *name;
    const char *kind;    /* NULL = a command; "questdb" and "postgres" come with the lab's deepening */
    struct argv command; /* "{port}" stands for a free loopback port of the service's own */
    const char *ready;   /* http URL that answers 200 when ready, NULL = ready at once when the port accepts */
    uint64_t ready_timeout_ns;
    enum service_restart restart; /* before every round of runs, and when it has died */
};

struct candidate_spec {
    const char *id; /* "<stage>.<lever>" */
    const char *stage;
    enum lever lever;
    double effort_days;
};

struct agent_command {
    const char *agent;   /* "profiling", "database", "client", "batch" */
    struct argv command; /* an external program in place of the built-in agent */
};

struct pipeline {
    const char *path;   /* of the file, absolute */
    const char *folder; /* that holds it: relative programs and every run start there */
    const char *name, *unit;
    struct argv command;
    struct argv *before; /* commands before every run, not timed */
    size_t before_count;
    struct argv check; /* its output must be equal for every variant; count 0 = none */
    bool batch;        /* short runs repeat the command */
    uint64_t timeout_ns;
    double goal_rows_s; /* 0 = no goal */
    struct stage *stages;
    size_t stage_count;
    struct knob *knobs;
    size_t knob_count;
    struct service *services;
    size_t service_count;
    struct candidate_spec *candidates;
    size_t candidate_count;
    struct agent_command *agents;
    size_t agent_count;
    const char *database_kind, *database_url; /* NULL when there is no [database]; "sqlite", "questdb", "postgres" */
    bool database_writes;
};

/** Loads and checks the file. Any mistake: ERR_CONFIG and a diag with where = "file:line" and what was expected.
 * Programs named by command, before, check and services are looked up (PATH, or relative to the file) and must be
 * executable. */
CHECKED enum err pipeline_load(struct pipeline **out, const char *path, struct arena *arena, struct diag *diag);

/** A knob setting of a variant. */
struct setting {
    const struct knob *knob;
    size_t value; /* index into knob->values */
};

/** NULL when there is none of that name. */
const struct knob *pipeline_knob(const struct pipeline *pipeline, const char *name);
const char *lever_name(enum lever lever); /* "concurrency", ... */
bool lever_from_name(enum lever *out, const char *name);
const char *stage_kind_name(enum stage_kind kind); /* "network", ...; "" for unspecified */

/** `url` with every password and token replaced by ***: "://user:password@", "password=" and the like in queries and in
 *  libpq's "key=value" form. "***" alone when memory is out. */
const char *pipeline_url_redacted(const char *url, struct arena *arena);

/** The commented file that `venturi init` writes; static storage. */
const char *pipeline_template(void);
