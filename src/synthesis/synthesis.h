/* SPDX-License-Identifier: Apache-2.0
 *
 * The judgement: from the brief, the profile, what the agents say and what the lab measured to master.json. Votes never
 * outrank a measurement. Pure: no I/O, no clock; equal inputs give equal bytes.
 *
 * Rules (each has a test of its name):
 * - A candidate's effect is taken from the lab's experiments that changed its knob and nothing else: confirmed before
 *   measured, a tie-breaker before others, more pairs before fewer. Without one it is an agent's estimate, which counts
 *   as `claimed` when it calls itself measured or lies above the candidate's bound; without that it is the bound.
 * - recommend: FASTER, the low end at least WORTH_DOING and above the noise floor.
 * - leave_alone: every measured value SAME, SLOWER, INVALID or surely below WORTH_DOING; or the bound below
 * WORTH_TRYING.
 * - cannot_tell: everything else, with what it would take.
 * - Priority from the interval's end nearest 1. Gains of two fixes are never multiplied.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "finding/brief.h"
#include "finding/finding.h"

#include <jansson.h>
#include <stddef.h>

/** Everything is borrowed. */
struct synthesis_input {
    const struct brief *brief;
    const json_t *profile;                  /* venturi.profile/1, of all baseline runs */
    const struct findings *const *findings; /* one an agent, in the order of reports; none is left out */
    size_t finding_count;
    const json_t *experiments; /* id -> venturi.experiment/1 */
    const json_t *conditions;  /* texts: what was not right with the machine; NULL = nothing */
    const char *journal;       /* where a report finds it: "lab/journal.jsonl" */
};

/** The experiments that would settle what the agents disagree on: an array of {"candidate", "kind", "why", "request"},
 *  where `kind` is contradiction or investigate and `request` goes to the lab as it is. Empty when every disagreement
 *  is settled by a measurement or a bound, or cannot be set from outside. The caller owns *out. */
CHECKED enum err synthesis_tie_breakers(json_t **out, const struct synthesis_input *input, struct arena *arena,
                                        struct diag *diag);

/** master.json (venturi.master/1). `generated` (a time as text) is the only field that differs between replays. The
 *  caller owns *out. A profile or experiment of the wrong shape is ERR_FORMAT. */
CHECKED enum err synthesis_master(json_t **out, const struct synthesis_input *input, const char *generated,
                                  struct arena *arena, struct diag *diag);
