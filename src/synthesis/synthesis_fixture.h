/* SPDX-License-Identifier: Apache-2.0
 *
 * A small investigation to play with: three stages, three knobs, one fix without a knob, four agents. A test says what
 * the agents vote and what the lab measured, and asks for the judgement.
 */
#pragma once

#include "base/json.h"
#include "synthesis/synthesis.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static inline void assert_close(double actual, double expected, double tolerance)
{
    if (!(fabs(actual - expected) <= tolerance))
        fail_msg("%.9g is not %.9g within %g", actual, expected, tolerance);
}

enum { AGENTS = 4 };
static const char *const AGENT_NAMES[AGENTS] = {"profiling", "database", "client", "batch"};
static const char *const RUNS[] = {"r1", "r2", "r3", NULL};
static const char *const CONCURRENCY_VALUES[] = {"1", "4", "10", NULL};
static const char *const BATCH_VALUES[] = {"1000", "5000", NULL};
static const char *const JOURNAL_VALUES[] = {"delete", "wal", NULL};
static struct brief_stage STAGES[] = {{"download", "network"}, {"extract", "cpu"}, {"ingest", "database"}};
static struct brief_knob KNOBS[] = {{"concurrency", "download", "concurrency", CONCURRENCY_VALUES, 3, "1"},
                                    {"batch", "ingest", "batch", BATCH_VALUES, 2, "1000"},
                                    {"journal", "ingest", "setting", JOURNAL_VALUES, 2, "delete"}};
enum { CANDIDATE_COUNT = 4 };
static const struct brief_candidate CANDIDATES[CANDIDATE_COUNT] = {
    {"download.concurrency", "download", "concurrency", "concurrency", "profiling", 2.0, {1.0, 9.8, 10.2}},
    {"ingest.batch", "ingest", "batch", "batch", "batch", 0.5, {1.0, 1.4, 1.6}},
    {"ingest.journal", "ingest", "setting", "journal", "database", 0.5, {1.0, 1.03, 1.042}},
    {"extract.streaming", "extract", "streaming", NULL, "profiling", 1.0, {1.0, 1.3, 1.5}},
};

struct world {
    struct arena arena;
    struct brief brief;
    struct brief_candidate candidates[CANDIDATE_COUNT];
    json_t *profile, *experiments;
    struct findings *findings[AGENTS];
    struct synthesis_input input;
};

static inline json_t *three(double low, double mid, double high)
{
    return json_pack("{s:f, s:f, s:f}", "low", low, "mid", mid, "high", high);
}

static inline json_t *stage_of_profile(const char *name, double critical_s, double share, int spans)
{
    return json_pack("{s:s, s:i, s:i, s:i, s:i, s:f, s:f, s:o, s:o, s:f, s:f, s:i, s:s}", "name", name, "spans", spans,
                     "rows", 217440, "bytes", 9000000, "workers", 1, "busy_s", critical_s, "critical_s", critical_s,
                     "share", three(share - 0.01, share, share + 0.01), "capacity_rows_s", three(1e6, 1.1e6, 1.2e6),
                     "running_s", 0.1, "waiting_s", critical_s - 0.1, "peak_bytes", 21000000, "limited_by", "waiting");
}

static inline int world_new(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    arena_init(&world->arena, 16 << 20);
    world->profile = json_pack(
        "{s:s, s:i, s:o, s:o, s:f, s:i, s:{s:s, s:s, s:s, s:o, s:s}, s:[o, o, o]}", "schema", "venturi.profile/1",
        "runs", 12, "wall_s", three(4.5, 4.6, 4.7), "rows_s", three(46500, 47000, 47600), "outside_share", 0.01,
        "lost_spans", 0, "bottleneck", "verdict", "named", "stage", "download", "runner_up", "extract", "lead",
        three(0.8, 0.84, 0.86), "limited_by", "waiting", "stages", stage_of_profile("download", 4.14, 0.9, 5),
        stage_of_profile("extract", 0.27, 0.06, 5), stage_of_profile("ingest", 0.18, 0.04, 45));
    world->experiments = json_object();
    memcpy(world->candidates, CANDIDATES, sizeof CANDIDATES);
    world->brief = (struct brief){.pipeline = "klines",
                                  .file = "pipeline.toml",
                                  .unit = "rows/s",
                                  .seed = 1,
                                  .goal_rows_s = 100000,
                                  .budget_s = 270,
                                  .baseline_runs = RUNS,
                                  .baseline_run_count = 3,
                                  .rows_s = {46000, 47000, 48000},
                                  .wall_s = {4.6, 4.7, 4.8},
                                  .profile = world->profile,
                                  .stages = STAGES,
                                  .stage_count = 3,
                                  .knobs = KNOBS,
                                  .knob_count = 3,
                                  .candidates = world->candidates,
                                  .candidate_count = 4,
                                  .lab_folder = "lab",
                                  .lab_socket = "lab/socket"};
    for (size_t i = 0; i < AGENTS; i++) {
        assert_int_equal(findings_new(&world->findings[i], AGENT_NAMES[i], &world->arena, NULL), ERR_OK);
        findings_summary(world->findings[i], "what %s found", AGENT_NAMES[i]);
    }
    world->input = (struct synthesis_input){.brief = &world->brief,
                                            .profile = world->profile,
                                            .findings = (const struct findings *const *)world->findings,
                                            .finding_count = AGENTS,
                                            .experiments = world->experiments,
                                            .journal = "lab/journal.jsonl"};
    *state = world;
    return 0;
}

static inline int world_free(void **state)
{
    struct world *world = *state;
    json_decref(world->profile);
    json_decref(world->experiments);
    arena_fini(&world->arena);
    free(world);
    return 0;
}

/* One letter an agent: r(ecommend), o(ppose), n(eutral), - (no stance), x (no answer). `to` NULL = no change named. */
static inline void vote(struct world *world, const char *candidate, const char *letters, const char *knob,
                        const char *to)
{
    for (size_t i = 0; i < AGENTS; i++) {
        struct knob_change change = {knob, knob ? brief_knob(&world->brief, knob)->current : NULL, to};
        struct stance stance = {.candidate = candidate,
                                .vote = letters[i] == 'r'   ? VOTE_RECOMMEND
                                        : letters[i] == 'o' ? VOTE_OPPOSE
                                                            : VOTE_NEUTRAL,
                                .change = to ? &change : NULL,
                                .effect = letters[i] == 'r' ? &(struct estimate){{9, 10, 11}, BASIS_MEASURED} : NULL};
        if (letters[i] == 'x')
            assert_int_equal(
                findings_no_answer(&world->findings[i], AGENT_NAMES[i], "killed by signal 9", &world->arena, NULL),
                ERR_OK);
        else if (letters[i] != '-')
            findings_stance(world->findings[i], &stance, "because");
    }
}

static inline json_t *experiment_of(const char *id, const char *op, const char *purpose, json_t *settings)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:i, s:[{s:{}, s:[s, s], s:i}, {s:o, s:[s, s], s:i}], s:[], s:n, s:s}",
                     "schema", "venturi.experiment/1", "id", id, "op", op, "purpose", purpose, "seed", 42, "arms",
                     "settings", "runs", "r1", "r4", "failed", 0, "settings", settings, "runs", "r2", "r3", "failed", 0,
                     "comparisons", "winner", "reason", "decided");
}

static inline void add_comparison(json_t *experiment, const char *verdict, struct interval effect, bool confirmed)
{
    json_t *comparison = json_pack("{s:i, s:i, s:s, s:i, s:f, s:b, s:b, s:o, s:f, s:i}", "a", 0, "b", 1, "verdict",
                                   verdict, "pairs", 8, "alpha", 0.008, "confirmed", confirmed, "order_effect", 0,
                                   "effect", three(effect.low, effect.mid, effect.high), "visible_ratio", 1.02,
                                   "pairs_needed", strcmp(verdict, "cannot_tell") == 0 ? 60 : 0);
    assert_int_equal(json_array_append_new(json_object_get(experiment, "comparisons"), comparison), 0);
}

/* An experiment of one comparison; returns it for further changes (borrowed). */
static inline json_t *measure(struct world *world, const char *id, const char *knob, const char *value,
                              const char *verdict, struct interval effect)
{
    json_t *experiment = experiment_of(id, "compare", "test", json_pack("{s:s}", knob, value));
    add_comparison(experiment, verdict, effect, false);
    assert_int_equal(json_object_set_new(world->experiments, id, experiment), 0);
    return experiment;
}

static inline void mark_confirmed(json_t *experiment)
{
    json_t *comparison = json_array_get(json_object_get(experiment, "comparisons"), 0);
    assert_int_equal(json_object_set_new(comparison, "confirmed", json_true()), 0);
}

static inline void set_text(json_t *object, const char *key, const char *text)
{
    assert_int_equal(json_object_set_new(object, key, json_string(text)), 0);
}

/* The caller owns it. */
static inline json_t *master_of(struct world *world)
{
    json_t *master;
    struct diag diag = {0};
    enum err error = synthesis_master(&master, &world->input, "2026-01-31T12:00:00Z", &world->arena, &diag);
    if (error != ERR_OK)
        fail_msg("%s: %s", diag.where, diag.what);
    return master;
}

static inline const json_t *candidate_of(const json_t *master, const char *id)
{
    size_t i;
    const json_t *item;
    json_array_foreach(json_object_get(master, "candidates"), i, item)
    {
        if (strcmp(json_string_or(item, "id", ""), id) == 0)
            return item;
    }
    fail_msg("no candidate %s", id);
    return NULL;
}
