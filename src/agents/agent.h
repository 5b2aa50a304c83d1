/* SPDX-License-Identifier: Apache-2.0
 *
 * An agent looks at one layer of the pipeline. It runs in a process of its own, times nothing itself, asks the lab for
 * what it wants to know, and leaves findings. To add one: a file with a `const struct agent`, a row in registry.c.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/random.h"
#include "finding/brief.h"
#include "finding/finding.h"
#include "lab/client.h"

/** What an agent is given. Everything is borrowed for the time of its run. */
struct agent_task {
    const struct brief *brief;
    const char *pipeline_folder; /* relative database files are looked up here */
    const char *lab_folder;      /* traces/<run>/ */
    const char *evidence_folder; /* exists; files the agent wants to keep */
    struct lab_client *lab;
    struct rng rng;
    struct arena *arena;
};

struct agent {
    const char *name;     /* as in findings and votes */
    const char *folder;   /* in the investigation's folder */
    const char *question; /* one line, for progress and reports */
    /** Fills `findings`. An error is shown as "no answer"; a measurement that failed belongs into the findings. */
    enum err (*run)(struct findings *findings, struct agent_task *task, struct diag *diag);
};

extern const struct agent agent_profiling, agent_database, agent_client, agent_batch;
/** The investigating agents in the order of reports; NULL-terminated. */
extern const struct agent *const agents[];

/** NULL when there is none of that name. */
const struct agent *agent_named(const char *name);
