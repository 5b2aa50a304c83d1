/* SPDX-License-Identifier: Apache-2.0
 *
 * The reports, as documents: of a whole investigation, of one agent, of a profile, of one experiment.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "finding/finding.h"
#include "report/document.h"

#include <jansson.h>

/** Of master.json (venturi.master/1). */
CHECKED enum err report_master(struct document **out, const json_t *master, struct arena *arena, struct diag *diag);
/** The first screen of it: verdict, what to do, what to leave alone. */
CHECKED enum err report_summary(struct document **out, const json_t *master, struct arena *arena, struct diag *diag);
/** Of one agent's findings; `question` is what it was asked. */
CHECKED enum err report_agent(struct document **out, const struct findings *findings, const char *question,
                              struct arena *arena, struct diag *diag);
/** Of a profile (venturi.profile/1). */
CHECKED enum err report_profile(struct document **out, const json_t *profile, struct arena *arena, struct diag *diag);
/** Of an experiment (venturi.experiment/1). */
CHECKED enum err report_experiment(struct document **out, const json_t *experiment, struct arena *arena,
                                   struct diag *diag);
/** Of traces (venturi.trace-stats/1). */
CHECKED enum err report_trace_stats(struct document **out, const json_t *stats, struct arena *arena, struct diag *diag);
/** What a trace is (venturi.trace-info/1). */
CHECKED enum err report_trace_info(struct document **out, const json_t *info, struct arena *arena, struct diag *diag);
