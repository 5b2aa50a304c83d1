/* SPDX-License-Identifier: Apache-2.0 */
#include "agents/baseline.h"

#include <string.h>

static enum err read_run(const struct trace **out_trace, const struct run_profile **out_run, const char *lab_folder,
                         const char *run, struct arena *arena, struct diag *diag)
{
    const char *folder = arena_printf(arena, "%s/traces/%s", lab_folder, run);
    if (!folder)
        return arena_exhausted(arena, diag);
    struct trace *trace;
    struct run_profile *profile;
    TRY(trace_read(&trace, folder, arena, diag));
    if (trace->span_count == 0)
        return diag_fail(diag, ERR_PIPELINE, folder, "mark its stages with venturi.h and link libventuri",
                         "the pipeline recorded no span");
    TRY(profile_run(&profile, trace, arena, diag));
    *out_trace = trace;
    *out_run = profile;
    return ERR_OK;
}

enum err baseline_read(struct baseline *out, const char *const *runs, const char *lab_folder, struct rng *rng,
                       struct arena *arena, struct diag *diag)
{
    size_t count = 0;
    while (runs[count])
        count++;
    if (count == 0)
        return diag_fail(diag, ERR_PIPELINE, NULL, "look into lab/journal.jsonl", "no run to reason from");
    const struct trace **traces = ARENA_ARRAY(arena, const struct trace *, count);
    const struct run_profile **profiles = ARENA_ARRAY(arena, const struct run_profile *, count);
    if (!traces || !profiles)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < count; i++)
        TRY(read_run(&traces[i], &profiles[i], lab_folder, runs[i], arena, diag));
    *out = (struct baseline){.traces = traces, .runs = profiles, .run_count = count};
    return profile_summarise(&out->profile, profiles, count, rng, arena, diag);
}

enum err baseline_of_brief(struct baseline *out, struct agent_task *task, struct diag *diag)
{
    return baseline_read(out, task->brief->baseline_runs, task->lab_folder, &task->rng, task->arena, diag);
}

const char *const *experiment_runs(const json_t *experiment, size_t arm, struct arena *arena)
{
    const json_t *runs = json_object_get(json_array_get(json_object_get(experiment, "arms"), arm), "runs");
    const char **ids = ARENA_ARRAY(arena, const char *, json_array_size(runs) + 1);
    for (size_t i = 0; ids && i < json_array_size(runs); i++) {
        ids[i] = arena_strdup(arena, json_string_value(json_array_get(runs, i)));
        if (!ids[i])
            return NULL;
    }
    return (const char *const *)ids;
}

size_t profile_stage(const struct profile *profile, const char *name)
{
    size_t i = 0;
    while (i < profile->stage_count && strcmp(profile->stages[i].name, name) != 0)
        i++;
    return i;
}

const char *database_stage(const struct brief *brief)
{
    for (size_t i = 0; i < brief->stage_count; i++) {
        if (strcmp(brief->stages[i].kind, "database") == 0)
            return brief->stages[i].name;
    }
    return NULL;
}
