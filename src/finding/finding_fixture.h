/* SPDX-License-Identifier: Apache-2.0
 *
 * A brief that is like the one of the reference pipeline, for the tests of this room.
 */
#pragma once

#include "finding/brief.h"

#include <math.h>

static const char *const FIXTURE_RUNS[] = {"r1", "r2", "r3", NULL};
static const char *const FIXTURE_CONCURRENCY[] = {"1", "2", "4", NULL};
static const char *const FIXTURE_WAL[] = {"delete", "wal", NULL};
static struct brief_stage FIXTURE_STAGES[] = {{"download", "network"}, {"ingest", "database"}};
static struct brief_knob FIXTURE_KNOBS[] = {{"concurrency", "download", "concurrency", FIXTURE_CONCURRENCY, 3, "1"},
                                            {"journal", "ingest", "setting", FIXTURE_WAL, 2, "delete"}};
static struct brief_candidate FIXTURE_CANDIDATES[] = {
    {"download.concurrency", "download", "concurrency", "concurrency", "profiling", 2.0, {1.0, 9.8, INFINITY}},
    {"ingest.journal", "ingest", "setting", "journal", "database", 0.5, {1.0, 1.03, 1.04}},
    {"extract.streaming", "extract", "streaming", NULL, "profiling", 1.0, {1.0, 1.02, 1.03}},
};

/* `profile` is borrowed. */
static struct brief fixture_brief(const json_t *profile)
{
    return (struct brief){.pipeline = "klines",
                          .file = "pipeline.toml",
                          .unit = "rows/s",
                          .seed = 1,
                          .goal_rows_s = 100000,
                          .budget_s = 270,
                          .baseline_runs = FIXTURE_RUNS,
                          .baseline_run_count = 3,
                          .rows_s = {46000, 47000, 48000},
                          .wall_s = {4.6, 4.7, 4.8},
                          .profile = profile,
                          .stages = FIXTURE_STAGES,
                          .stage_count = 2,
                          .knobs = FIXTURE_KNOBS,
                          .knob_count = 2,
                          .candidates = FIXTURE_CANDIDATES,
                          .candidate_count = 3,
                          .database_kind = "sqlite",
                          .database_url = "data/klines.db",
                          .lab_folder = "lab",
                          .lab_socket = "lab/socket"};
}
