/* SPDX-License-Identifier: Apache-2.0
 *
 * The brief: what the agents are told about the problem, made of pipeline.toml and the first baseline runs.
 */
#include "investigate/briefing.h"

#include "agents/baseline.h"
#include "base/json.h"
#include "pipeline/candidate.h"
#include "whatif/whatif.h"

#include <math.h>
#include <string.h>

static enum err add_stages(struct brief *brief, const struct pipeline *pipeline, struct arena *arena, struct diag *diag)
{
    brief->stages = ARENA_ARRAY(arena, struct brief_stage, pipeline->stage_count);
    if (!brief->stages)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < pipeline->stage_count; i++)
        brief->stages[brief->stage_count++] =
            (struct brief_stage){pipeline->stages[i].name, stage_kind_name(pipeline->stages[i].kind)};
    return ERR_OK;
}

static enum err add_knobs(struct brief *brief, const struct pipeline *pipeline, struct arena *arena, struct diag *diag)
{
    brief->knobs = ARENA_ARRAY(arena, struct brief_knob, pipeline->knob_count);
    if (!brief->knobs)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < pipeline->knob_count; i++) {
        const struct knob *knob = &pipeline->knobs[i];
        const char **values = ARENA_ARRAY(arena, const char *, knob->value_count + 1);
        if (!values)
            return arena_exhausted(arena, diag);
        memcpy(values, knob->values, knob->value_count * sizeof *values);
        brief->knobs[brief->knob_count++] = (struct brief_knob){.name = knob->name,
                                                                .stage = knob->stage,
                                                                .lever = lever_name(knob->lever),
                                                                .values = values,
                                                                .value_count = knob->value_count,
                                                                .current = knob->values[knob->current]};
    }
    return ERR_OK;
}

/* What no change of this candidate can beat. An overlap touches every stage at once: only the longest remains, at best.
 */
static struct interval bound_of(const struct candidate *candidate, const struct profile *profile)
{
    size_t at = profile_stage(profile, candidate->stage);
    if (candidate->lever == LEVER_OVERLAP && profile->stage_count > 0) {
        const struct interval *longest = &profile->stages[profile->bottleneck].share;
        return (struct interval){1, 1 / longest->mid, 1 / longest->low};
    }
    if (at == profile->stage_count)
        return (struct interval){1, INFINITY, INFINITY}; /* it left no span: nothing is known */
    return whatif_bound(profile, at);
}

static enum err add_candidates(struct brief *brief, const struct pipeline *pipeline, const struct profile *profile,
                               struct arena *arena, struct diag *diag)
{
    struct candidate *candidates;
    size_t count;
    TRY(candidate_list(&candidates, &count, pipeline, arena, diag));
    brief->candidates = ARENA_ARRAY(arena, struct brief_candidate, count);
    if (!brief->candidates)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < count; i++) {
        const struct candidate *candidate = &candidates[i];
        brief->candidates[brief->candidate_count++] = (struct brief_candidate){
            .id = candidate->id,
            .stage = candidate->stage,
            .lever = lever_name(candidate->lever),
            .knob = candidate->knob ? candidate->knob->name : NULL,
            .owner = candidate->owner,
            .effort_days = candidate->effort_days,
            .bound = bound_of(candidate, profile),
        };
    }
    return ERR_OK;
}

static enum err add_problem(struct brief *brief, const struct pipeline *pipeline,
                            const struct investigation_options *options, const struct lab *lab, struct arena *arena,
                            struct diag *diag)
{
    brief->pipeline = pipeline->name;
    brief->file = pipeline->path;
    brief->unit = arena_printf(arena, "%s/s", pipeline->unit);
    brief->seed = options->seed;
    brief->goal_rows_s = pipeline->goal_rows_s;
    brief->budget_s = (double)options->budget_ns * 1e-9;
    brief->database_kind = pipeline->database_kind;
    brief->database_writes = pipeline->database_writes;
    if (pipeline->database_url) {
        const char *url;
        TRY(ports_fill_text(&url, pipeline->database_url, NULL, lab_ports(lab), arena, diag));
        brief->database_url = pipeline_url_redacted(url, arena);
    }
    brief->lab_folder = arena_printf(arena, "%s/lab", options->folder);
    brief->lab_socket = lab_socket(lab);
    return brief->unit && brief->lab_folder ? ERR_OK : arena_exhausted(arena, diag);
}

enum err briefing_make(struct brief **out, json_t **out_profile, const struct pipeline *pipeline,
                       const struct investigation_options *options, const json_t *baseline, const struct lab *lab,
                       struct arena *arena, struct diag *diag)
{
    struct brief *brief = ARENA_NEW(arena, struct brief);
    const char *const *runs = experiment_runs(baseline, 0, arena);
    struct baseline measured;
    struct rng seed, rng;
    if (!brief || !runs)
        return arena_exhausted(arena, diag);
    rng_init(&seed, options->seed);
    rng_fork(&rng, &seed, "brief");
    TRY(add_problem(brief, pipeline, options, lab, arena, diag));
    TRY(baseline_read(&measured, runs, brief->lab_folder, &rng, arena, diag));
    brief->baseline_runs = runs;
    brief->baseline_run_count = measured.run_count;
    brief->rows_s = measured.profile->rows_s;
    brief->wall_s = measured.profile->wall_s;
    *out_profile = profile_json(measured.profile);
    if (!*out_profile)
        return diag_fail(diag, ERR_MEMORY, NULL, NULL, "out of memory");
    brief->profile = *out_profile;
    TRY(add_stages(brief, pipeline, arena, diag));
    TRY(add_knobs(brief, pipeline, arena, diag));
    TRY(add_candidates(brief, pipeline, measured.profile, arena, diag));
    AUTO(json_release) json_t *document = NULL;
    const char *path = arena_printf(arena, "%s/brief.json", options->folder);
    if (!path)
        return arena_exhausted(arena, diag);
    TRY(brief_to_json(&document, brief, diag));
    TRY(json_write_file(path, document, diag));
    *out = brief;
    return ERR_OK;
}
