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

#include <jansson.h>

struct outcome {
    json_t *brief_document, *journal, *profile; /* owned */
    struct brief *brief;                        /* the rest belongs to the arena */
    const struct findings **findings;           /* one for each agent of the registry, in its order */
    size_t finding_count;
    const char *generated; /* when the last run began */
};

/** Loads the investigation in `folder`. Findings that are absent or break the contract are "no answer". Release with
 *  outcome_fini, also after a failure. */
CHECKED enum err outcome_load(struct outcome *out, const char *folder, struct arena *arena, struct diag *diag);
void outcome_fini(struct outcome *outcome);
/** The experiments that would settle what the agents disagree on, as synthesis_tie_breakers gives them. */
CHECKED enum err outcome_tie_breakers(json_t **out, const struct outcome *outcome, struct arena *arena,
                                      struct diag *diag);
/** The judgement, as in master.json. The caller owns *out. */
CHECKED enum err outcome_master(json_t **out, const struct outcome *outcome, struct arena *arena, struct diag *diag);
/** Writes each agent's REPORT.md, master.json, report.html and, last, MASTER_INTEGRATION_REPORT.md, each whole or not
 *  at all. */
CHECKED enum err outcome_write(const struct outcome *outcome, const char *folder, struct arena *arena,
                               struct diag *diag);
