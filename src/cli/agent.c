/* SPDX-License-Identifier: Apache-2.0
 *
 * `venturi agent NAME`: what an investigation starts as a process of its own. It finds what it needs in its
 * environment, as an external agent would (docs/agents.md).
 */
#include "cli/command.h"

#include "agents/agent.h"
#include "base/arena.h"
#include "base/json.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES ((size_t)1 << 30)

static enum err from_environment(const char **out, const char *name, struct diag *diag)
{
    *out = getenv(name);
    return *out ? ERR_OK : diag_fail(diag, ERR_CONFIG, name, "`venturi investigate` starts agents", "is not set");
}

static const char *folder_of(const char *file, struct arena *arena)
{
    char *copy = arena_strdup(arena, file);
    return copy ? dirname(copy) : NULL;
}

static enum err prepare(struct agent_task *task, json_t **out_brief, const struct agent *agent, const char *folder,
                        struct arena *arena, struct diag *diag)
{
    const char *brief_path;
    struct brief *brief;
    struct rng seed;
    TRY(from_environment(&brief_path, "VENTURI_BRIEF", diag));
    TRY(json_read_file(out_brief, brief_path, diag));
    TRY(brief_from_json(&brief, *out_brief, brief_path, arena, diag));
    rng_init(&seed, brief->seed);
    *task = (struct agent_task){.brief = brief,
                                .pipeline_folder = folder_of(brief->file, arena),
                                .lab_folder = brief->lab_folder,
                                .evidence_folder = arena_printf(arena, "%s/evidence", folder),
                                .arena = arena};
    rng_fork(&task->rng, &seed, agent->name);
    return task->pipeline_folder && task->evidence_folder ? ERR_OK : arena_exhausted(arena, diag);
}

static enum err carry_out(const struct agent *agent, struct arena *arena, struct diag *diag)
{
    AUTO(json_release) json_t *brief = NULL;
    AUTO(lab_client_free) struct lab_client *lab = NULL;
    struct agent_task task;
    struct findings *findings;
    const char *folder, *path;
    TRY(from_environment(&folder, "VENTURI_OUT", diag));
    TRY(prepare(&task, &brief, agent, folder, arena, diag));
    TRY(lab_client_new(&lab, NULL, diag));
    task.lab = lab;
    TRY(findings_new(&findings, agent->name, arena, diag));
    TRY(agent->run(findings, &task, diag));
    path = arena_printf(arena, "%s/findings.json", folder);
    return path ? findings_write(path, findings, diag) : arena_exhausted(arena, diag);
}

static enum status run(const struct invocation *invocation)
{
    const struct agent *agent = agent_named(invocation->operands[0]);
    struct diag diag = {0};
    if (!agent)
        return fail(diag_fail(&diag, ERR_CONFIG, NULL, "the agents are profiling, database, client, batch",
                              "no agent '%s'", invocation->operands[0]),
                    &diag);
    AUTO(arena_fini) struct arena arena;
    arena_init(&arena, ARENA_BYTES);
    enum err error = carry_out(agent, &arena, &diag);
    return error == ERR_OK ? STATUS_DONE : fail(error, &diag);
}

const struct command command_agent = {
    .name = "agent",
    .operands = "NAME",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "Run one agent (started by investigate)",
    .description = "Reads VENTURI_BRIEF, asks the lab at VENTURI_LAB and writes findings.json into VENTURI_OUT.",
    .run = run,
    .internal = true,
};
