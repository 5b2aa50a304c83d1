/* SPDX-License-Identifier: Apache-2.0
 *
 * The lab's experiments, read once into what the judgement asks about: which change was compared with the baseline, and
 * with which verdict.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "finding/brief.h"
#include "stats/effect.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct setting_change {
    const struct brief_knob *knob;
    const char *value;
};

/** One comparison of an experiment. Texts are borrowed from the experiments. */
struct evidence {
    const char *experiment, *op, *purpose, *reason;
    struct setting_change *changes; /* what arm B changes of the baseline, in the brief's order of knobs */
    size_t change_count;            /* 0 = A/A */
    enum verdict verdict;
    struct interval effect; /* NaN when there is none */
    double visible_ratio;   /* NaN when not known */
    size_t pairs, pairs_needed, runs;
    bool confirmed, winner;
    bool from_baseline; /* arm A is the baseline; only then it says something about a candidate */
};

struct evidence_list {
    const struct evidence *items; /* by experiment number, then in its order */
    size_t count;
};

/** Reads all experiments (id -> venturi.experiment/1). */
CHECKED enum err evidence_read(struct evidence_list *out, const json_t *experiments, const struct brief *brief,
                               struct arena *arena, struct diag *diag);

/** True when the change is that one knob alone, compared with the baseline. */
bool evidence_is_about(const struct evidence *evidence, const char *knob);
/** True when more pairs need not change it: faster, slower, same, or invalid. */
bool evidence_is_decided(const struct evidence *evidence);
/** True when `a` is the better ground for a judgement on the same change. */
bool evidence_outranks(const struct evidence *a, const struct evidence *b);
/** The strongest word on `knob` = `value`: NULL when it was never compared with the baseline. A failed one outranks
 * all. */
const struct evidence *evidence_on_value(const struct evidence_list *list, const char *knob, const char *value);
/** The A/A control with the most pairs, NULL when none. */
const struct evidence *evidence_control(const struct evidence_list *list);
/** True when one of the experiments was asked for with exactly this purpose. */
bool evidence_has_purpose(const struct evidence_list *list, const char *purpose);
