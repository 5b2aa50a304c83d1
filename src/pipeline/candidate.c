/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/candidate.h"

#include <stdbool.h>
#include <string.h>

const char *lever_owner(enum lever lever)
{
    switch (lever) {
    case LEVER_BATCH:
        return "batch";
    case LEVER_CLIENT:
        return "client";
    case LEVER_SETTING:
        return "database";
    default:
        return "profiling";
    }
}

/* Does another knob of the same stage pull the same lever, or bear its name? Then "<stage>.<lever>" could mean either.
 */
static bool is_ambiguous(const struct knob *knob, const struct pipeline *pipeline)
{
    for (size_t i = 0; i < pipeline->knob_count; i++) {
        const struct knob *other = &pipeline->knobs[i];
        if (other != knob && strcmp(other->stage, knob->stage) == 0 &&
            (other->lever == knob->lever || strcmp(other->name, lever_name(knob->lever)) == 0))
            return true;
    }
    return false;
}

/* One stage often has several settings and client options, so those always go by the knob's name. */
static const char *knob_id(const struct knob *knob, const struct pipeline *pipeline, struct arena *arena)
{
    bool by_name = knob->lever == LEVER_SETTING || knob->lever == LEVER_CLIENT || is_ambiguous(knob, pipeline);
    return arena_printf(arena, "%s.%s", knob->stage, by_name ? knob->name : lever_name(knob->lever));
}

static struct candidate of_spec(const struct candidate_spec *spec)
{
    return (struct candidate){.id = spec->id,
                              .stage = spec->stage,
                              .lever = spec->lever,
                              .owner = lever_owner(spec->lever),
                              .effort_days = spec->effort_days};
}

static struct candidate of_knob(const struct knob *knob, const struct pipeline *pipeline, struct arena *arena)
{
    return (struct candidate){.id = knob_id(knob, pipeline, arena),
                              .stage = knob->stage,
                              .lever = knob->lever,
                              .owner = lever_owner(knob->lever),
                              .knob = knob,
                              .effort_days = knob->effort_days};
}

enum err candidate_list(struct candidate **out, size_t *out_count, const struct pipeline *pipeline, struct arena *arena,
                        struct diag *diag)
{
    size_t knobs = pipeline->knob_count;
    struct candidate *list = ARENA_ARRAY(arena, struct candidate, knobs + pipeline->candidate_count);
    if (!list)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < knobs; i++) {
        list[i] = of_knob(&pipeline->knobs[i], pipeline, arena);
        if (!list[i].id)
            return arena_exhausted(arena, diag);
    }
    for (size_t i = 0; i < pipeline->candidate_count; i++)
        list[knobs + i] = of_spec(&pipeline->candidates[i]);
    *out = list;
    *out_count = knobs + pipeline->candidate_count;
    return ERR_OK;
}
