/* SPDX-License-Identifier: Apache-2.0
 *
 * From what lies in an investigation's folder (brief, findings, journal, traces) to the judgement and its reports.
 * Reads files only, so that an interrupted, a finished and a replayed investigation give the same bytes.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "finding/brief.h"
#include "finding/finding.h"
#include "report/document.h"

#include <jansson.h>

struct outcome {
    const struct brief *brief;
    const json_t *profile;            /* of all baseline runs; venturi.profile/1 */
    const struct findings **findings; /* in the order of the agent registry; absent agents are "no answer" */
    size_t findings_count;
    const json_t *experiments; /* id -> experiment */
    const char *generated;     /* when the measuring ended */
    json_t *owned;             /* keeps the JSON above alive */
};

/** Loads the outcome of the investigation in `folder`; release with outcome_fini. */
CHECKED enum err outcome_load(struct outcome *out, const char *folder, struct arena *arena, struct diag *diag);
void outcome_fini(struct outcome *outcome);
/** The experiments that would settle what the agents disagree on (synthesis_tie_breakers). */
CHECKED enum err outcome_tie_breakers(json_t **out, const struct outcome *outcome, struct arena *arena,
                                      struct diag *diag);
/** The judgement, as in master.json. The caller owns *out. */
CHECKED enum err outcome_master(json_t **out, const struct outcome *outcome, struct arena *arena, struct diag *diag);
/** Writes each agent's REPORT.md, master.json, report.html and, last, MASTER_INTEGRATION_REPORT.md, each whole or not
 * at all. */
CHECKED enum err outcome_write(const struct outcome *outcome, const char *folder, struct arena *arena,
                               struct diag *diag);
