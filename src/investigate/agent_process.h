/* SPDX-License-Identifier: Apache-2.0
 *
 * One agent as a process: started with what it needs in its environment (VENTURI_LAB, VENTURI_BRIEF, VENTURI_OUT),
 * watched, and when it ends turned into findings, whatever it did.
 */
#pragma once

#include "agents/agent.h"
#include "base/child.h"
#include "finding/brief.h"
#include "lab/lab.h"
#include "pipeline/pipeline.h"

struct agent_process {
    const struct agent *agent;
    const struct brief *brief;
    const char *folder;      /* the agent's own */
    struct child *child;     /* NULL when it does not run */
    uint64_t quiet_since_ns; /* last time it waited for the lab, or its start */
    bool hung, ended;
    bool answered;
    enum err error; /* of writing down what it left; ERR_OK otherwise */
    struct diag diag;
};

struct agent_launch {
    const char *program; /* venturi itself */
    const struct pipeline *pipeline;
    const struct brief *brief;
    const char *brief_path, *socket;
    const char *investigation_folder;
};

/** Starts `agent`, or takes over the valid findings that an interrupted investigation left. */
CHECKED enum err agent_process_start(struct agent_process *process, const struct agent *agent,
                                     const struct agent_launch *launch, struct loop *loop, struct arena *arena,
                                     struct diag *diag);
/** Stops a process that has been quiet for `patience_ns`; call it often. */
void agent_process_check(struct agent_process *process, const struct lab *lab, uint64_t patience_ns);
/** Kills what still runs. */
void agent_process_fini(struct agent_process *process);
