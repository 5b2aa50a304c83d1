/* SPDX-License-Identifier: Apache-2.0
 *
 * The runs an agent reasons from: their traces and what they add up to.
 */
#pragma once

#include "agents/agent.h"
#include "profile/profile.h"
#include "trace/reader.h"

struct baseline {
    const struct trace **traces; /* one a run */
    const struct run_profile **runs;
    size_t run_count;
    struct profile *profile;
};

/** Reads the traces of `runs` (ids, NULL-terminated) below `lab_folder` and summarises them. The arena owns everything.
 */
CHECKED enum err baseline_read(struct baseline *out, const char *const *runs, const char *lab_folder, struct rng *rng,
                               struct arena *arena, struct diag *diag);
/** The baseline of the task's brief. */
CHECKED enum err baseline_of_brief(struct baseline *out, struct agent_task *task, struct diag *diag);
/** The ids of the runs of arm `arm` of an experiment, NULL-terminated, arena-owned; NULL when memory is out. */
const char *const *experiment_runs(const json_t *experiment, size_t arm, struct arena *arena);
/** The index of the stage called `name` in the profile; stage_count when it left no span. */
size_t profile_stage(const struct profile *profile, const char *name);
/** The name of the first stage of kind "database", or NULL. */
const char *database_stage(const struct brief *brief);
