/* SPDX-License-Identifier: Apache-2.0
 *
 * One investigation: a lab, the agents beside it, and from what they leave the synthesis and the reports. It is the
 * fifth agent, integration: it follows the other four as they finish, runs the tie-breakers, and judges.
 */
#pragma once

#include "base/err.h"
#include "lab/lab.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { INVESTIGATION_AGENTS_MAX = 8 };

struct investigation_options {
    const char *file;    /* pipeline.toml */
    const char *folder;  /* what the investigation leaves; made if absent */
    const char *program; /* venturi itself, for the agents' processes */
    const char *only;    /* the one agent to run; NULL = all */
    uint64_t seed;
    uint64_t budget_ns;   /* of measuring */
    uint64_t patience_ns; /* an agent that asks the lab for nothing and ends not for so long is taken for hung */
    bool resume;          /* go on where the journal in `folder` ends */
};

enum agent_state { AGENT_WAITING, AGENT_WORKING, AGENT_ANSWERED, AGENT_SILENT };

/** What is going on, for a display. Borrowed; valid during the call. */
struct investigation_progress {
    const char *phase; /* "baseline", "agents", "tie-breakers" */
    struct {
        const char *name;
        enum agent_state state;
        bool asks_lab; /* waits for an experiment */
    } agents[INVESTIGATION_AGENTS_MAX];
    size_t agent_count;
    struct lab_status lab;
};
typedef void investigation_watch(void *context, const struct investigation_progress *progress);

/** Runs one investigation to its end and writes everything of it. A folder that already holds one is ERR_CONFIG unless
 *  resumed. `watch` (may be NULL) is called a few times a second. SIGINT and SIGTERM end it with ERR_INTERRUPTED; the
 *  journal stays for a later resume. */
CHECKED enum err investigation_run(const struct investigation_options *options, investigation_watch *watch,
                                   void *context, struct diag *diag);

/** Removes what an investigation left in `folder`, and nothing else; refuses a folder that holds something but none. */
CHECKED enum err investigation_discard(const char *folder, struct diag *diag);

/** Reads the options an investigation in `folder` was started with, for a resume; owned by `arena`. */
CHECKED enum err investigation_options_read(struct investigation_options *out, const char *folder, struct arena *arena,
                                            struct diag *diag);
