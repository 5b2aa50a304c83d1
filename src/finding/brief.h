/* SPDX-License-Identifier: Apache-2.0
 *
 * brief.json: the problem as the agents get it (docs/contracts.md).
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "stats/effect.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct brief_stage {
    const char *name, *kind; /* kind "" = unspecified */
};

struct brief_knob {
    const char *name, *stage, *lever;
    const char *const *values; /* NULL-terminated */
    size_t value_count;
    const char *current; /* one of the values, or a value of its own */
};

struct brief_candidate {
    const char *id, *stage, *lever;
    const char *knob;  /* NULL = a fix that cannot be set from outside */
    const char *owner; /* the agent that asks the lab about it */
    double effort_days;
    struct interval bound; /* no fix of this kind can beat it; {1, INFINITY, INFINITY} = not known */
};

struct brief {
    const char *pipeline, *file, *unit; /* unit "rows/s" */
    uint64_t seed;
    double goal_rows_s;               /* 0 = no goal */
    double budget_s;                  /* 0 = none */
    const char *const *baseline_runs; /* ids, NULL-terminated */
    size_t baseline_run_count;
    struct interval rows_s, wall_s; /* of the baseline; rows_s NaN = no stage counted rows */
    const json_t *profile;          /* venturi.profile/1; borrowed */
    struct brief_stage *stages;
    size_t stage_count;
    struct brief_knob *knobs;
    size_t knob_count;
    struct brief_candidate *candidates;
    size_t candidate_count;
    const char *database_kind, *database_url; /* NULL = no database; the url without secrets */
    bool database_writes;
    const char *lab_folder, *lab_socket;
};

/** The document; the caller owns *out. */
CHECKED enum err brief_to_json(json_t **out, const struct brief *brief, struct diag *diag);
/** Everything is copied to the arena, but the profile is borrowed from `json`. `where` names the source in the diag. */
CHECKED enum err brief_from_json(struct brief **out, const json_t *json, const char *where, struct arena *arena,
                                 struct diag *diag);

/** What the baseline lacks to the goal, in percent of the goal; 0 when it is met, NaN when there is no goal or no
 *  throughput. */
double brief_gap_percent(const struct brief *brief);
/** NULL when there is none of that name. */
const struct brief_candidate *brief_candidate(const struct brief *brief, const char *id);
const struct brief_knob *brief_knob(const struct brief *brief, const char *name);
const struct brief_stage *brief_stage(const struct brief *brief, const char *name);
