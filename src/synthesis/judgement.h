/* SPDX-License-Identifier: Apache-2.0
 *
 * The verdict on one candidate, and the numbers it rests on.
 */
#pragma once

#include "synthesis/evidence.h"
#include "synthesis/synthesis.h"
#include "synthesis/votes.h"

enum decision { DECISION_RECOMMEND, DECISION_CANNOT_TELL, DECISION_LEAVE_ALONE };
enum priority { PRIORITY_P0, PRIORITY_P1, PRIORITY_P2, PRIORITY_P3, PRIORITY_NONE };

struct judgement {
    const struct brief_candidate *candidate;
    const struct brief_knob *knob; /* NULL = cannot be set from outside */
    const char *value;             /* that the judgement is about; NULL = none in particular */
    struct tally tally;
    enum consensus consensus;
    const struct evidence *evidence;    /* that decided, or came nearest to deciding; NULL = never measured */
    struct estimate effect, prediction; /* ratio.mid NaN = none */
    enum decision decision;
    enum priority priority;
    bool quick_win;
    const char *why; /* one sentence, with numbers */
};

/** What every judgement is measured against. */
struct yardstick {
    const struct synthesis_input *input;
    struct evidence_list evidence;
    double worth_ratio; /* the smallest gain that counts: WORTH_DOING, or the noise floor when that is above */
};

/** Reads the experiments and sets the noise floor from the A/A control. */
CHECKED enum err yardstick_init(struct yardstick *out, const struct synthesis_input *input, struct arena *arena,
                                struct diag *diag);
CHECKED enum err judge(struct judgement *out, const struct yardstick *yardstick,
                       const struct brief_candidate *candidate, struct arena *arena, struct diag *diag);
/** Judges every candidate of the brief; *out is in the order of reports: recommended first, then by priority, effort
 * and id. */
CHECKED enum err judge_all(struct judgement **out, const struct yardstick *yardstick, struct arena *arena,
                           struct diag *diag);

/** P0 above 5x, P1 from 2x, P2 from 1.2x, P3 below: of the interval's end nearest 1. NONE without an interval. */
enum priority priority_of(struct interval effect);
const char *priority_name(enum priority priority); /* "P0" ... "P3"; NULL for NONE */
const char *decision_name(enum decision decision); /* "recommend", "cannot_tell", "leave_alone" */
