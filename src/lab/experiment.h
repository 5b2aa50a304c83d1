/* SPDX-License-Identifier: Apache-2.0
 *
 * One experiment: its arms, the pairs that rounds have brought, and when it is decided (docs/measuring.md). It starts
 * no run and reads no clock: a resumed lab hands it the rounds of the journal, a running one those it plays.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "lab/request.h"
#include "stats/pairs.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum experiment_phase { PHASE_MEASURING, PHASE_CONFIRMING, PHASE_ENDED };
enum end_reason { REASON_DECIDED, REASON_ROUNDS, REASON_BUDGET, REASON_UNEQUAL_OUTPUT, REASON_RUNS_FAILED };

/** A run as an experiment sees it. */
struct arm_run {
    const char *id;
    bool ok, unequal; /* unequal: it ended well, but with another output than the baseline's */
    double duration_s;
    size_t place; /* in its round */
};

struct arm {
    struct variant variant;
    unsigned copy; /* how many arms before it have the same variant: 1 for the second arm of a control */
    size_t cell;   /* index of the variant in the lab's table */
    json_t *runs;  /* ids of those that succeeded */
    unsigned succeeded, failed;
    bool unequal;
};

/** Pairs of arm 0 and arm `b`. */
struct series {
    size_t b;
    bool confirmed; /* of fresh runs, after the choice */
    struct pair pairs[PAIRS_MAX];
    size_t count;
    struct comparison result;
    double p; /* at the last look */
    bool closed;
};

struct experiment {
    char id[16];
    struct request request;
    struct arm *arms;
    struct series *series; /* one for each arm but the first, then room for the confirmation */
    size_t series_count;
    enum experiment_phase phase;
    unsigned rounds; /* complete ones it took part in */
    size_t winner;   /* arm; 0 = none */
    enum end_reason reason;
};

/** Everything but the id lists of its arms is owned by `arena`; experiment_fini releases those. */
CHECKED enum err experiment_init(struct experiment *out, const char *id, const struct request *request,
                                 struct arena *arena, struct diag *diag);
void experiment_fini(struct experiment *experiment);

/** Does it need a run of `arm` in the next round? */
bool experiment_wants(const struct experiment *experiment, size_t arm);
/** Rounds until it is looked at next, all going well; 0 when it has ended. */
unsigned experiment_rounds_to_look(const struct experiment *experiment);
/** Takes the runs of one round, by arm, NULL where none was made, and draws the conclusions. `scratch` is for the
 *  arithmetic. */
CHECKED enum err experiment_take_round(struct experiment *experiment, const struct arm_run *const *runs,
                                       struct arena *scratch, struct diag *diag);
/** The variant at `cell` turned out to do other work than the baseline: no arm may run it any more. */
CHECKED enum err experiment_exclude(struct experiment *experiment, size_t cell, struct arena *scratch,
                                    struct diag *diag);
/** Ends it now with what it has. */
CHECKED enum err experiment_end(struct experiment *experiment, enum end_reason reason, struct arena *scratch,
                                struct diag *diag);
/** The object of docs/lab-protocol.md; a new reference, NULL when memory is out. */
json_t *experiment_json(const struct experiment *experiment, uint64_t seed);
