/* SPDX-License-Identifier: Apache-2.0
 *
 * Takes up the journal of an earlier process: every finished run counts.
 */
#include "lab/state.h"

#include "base/clock.h"
#include "base/json.h"
#include "lab/batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SCRATCH_BYTES ((size_t)64 * 1024 * 1024)

static bool is_record(const json_t *record, const char *kind)
{
    return strcmp(json_string_or(record, "record", ""), kind) == 0;
}

static unsigned number_of(const char *id)
{
    return id[0] ? (unsigned)strtoul(id + 1, NULL, 10) : 0; /* "r12", "e3" */
}

static unsigned larger(unsigned a, unsigned b)
{
    return a > b ? a : b;
}

static bool has_settings(const json_t *run, const struct variant *variant)
{
    AUTO(json_release) json_t *settings = variant_to_json(variant);
    return settings && json_equal(settings, json_object_get(run, "settings"));
}

static void take_reference(struct lab *lab, const json_t *run)
{
    const json_t *rows = json_object_get(run, "rows");
    if (lab->reference.known || strcmp(json_string_or(run, "outcome", ""), "ok") != 0 ||
        json_object_size(json_object_get(run, "settings")) > 0)
        return;
    lab->reference = (struct reference){.known = true, .rows = (uint64_t)json_integer_value(rows)};
    lab->reference.rows_known = json_is_integer(rows) && json_number_or(run, "lost_spans", 0) == 0;
    (void)snprintf(lab->reference.check, sizeof lab->reference.check, "%s", json_string_or(run, "check", ""));
}

/* Times of runs with other repetitions are no fair pairs: what the journal begun with stays. */
static void take_repeats(struct lab *lab, const json_t *run)
{
    double repeats = json_number_or(run, "repeats", 1);
    lab->repeats = repeats >= 1 && repeats <= BATCH_REPEATS_MAX ? (unsigned)repeats : 1;
    lab->repeats_known |= !json_is_true(json_object_get(run, "warm_up"));
}

static void take_run(struct lab *lab, const json_t *run)
{
    const char *outcome = json_string_or(run, "outcome", "");
    take_repeats(lab, run);
    lab->last_run = larger(lab->last_run, number_of(json_string_or(run, "id", "")));
    lab->last_round = larger(lab->last_round, (unsigned)json_integer_value(json_object_get(run, "round")));
    lab->spent_ns += (uint64_t)(json_number_or(run, "cost_s", 0) * (double)NS_PER_S);
    lab->runs++;
    lab->failed_runs += strcmp(outcome, "failed") == 0 || strcmp(outcome, "timed_out") == 0;
    take_reference(lab, run);
}

static enum err check_lab_record(struct lab *lab, const json_t *record, const char *fingerprint, struct diag *diag)
{
    long long seed;
    const char *made_with, *schema;
    TRY(json_get_string(&schema, record, "schema", diag));
    TRY(json_get_string(&made_with, record, "fingerprint", diag));
    TRY(json_get_integer(&seed, record, "seed", diag));
    if (strcmp(schema, "venturi.journal/1") != 0)
        return diag_fail(diag, ERR_FORMAT, lab->folder, NULL, "holds a journal of another version: %s", schema);
    if (strcmp(made_with, fingerprint) != 0)
        return diag_fail(diag, ERR_CONFIG, lab->pipeline->path,
                         "put the file back as it was, or start an investigation in another folder",
                         "commands, knobs or services differ from those of the journal in %s", lab->folder);
    lab->options.seed = (uint64_t)seed;
    return ERR_OK;
}

enum err past_take(struct lab *lab, const char *fingerprint, struct diag *diag)
{
    size_t i;
    const json_t *record;
    json_array_foreach(lab->past, i, record)
    {
        if (is_record(record, "lab"))
            TRY(check_lab_record(lab, record, fingerprint, diag));
        else if (is_record(record, "run"))
            take_run(lab, record);
        else if (is_record(record, "experiment"))
            lab->last_experiment = larger(lab->last_experiment, number_of(json_string_or(record, "id", "")));
    }
    return ERR_OK;
}

void past_fill_cell(const struct lab *lab, struct cell *cell)
{
    size_t i;
    const json_t *record;
    json_array_foreach(lab->past, i, record)
    {
        if (!is_record(record, "run") || !has_settings(record, &cell->variant))
            continue;
        cell->runs++;
        cell->cost_s += json_number_or(record, "cost_s", 0);
        cell->unequal |= strcmp(json_string_or(record, "outcome", ""), "unequal_output") == 0;
    }
}

const char *past_experiment_id(const struct lab *lab, const char *key)
{
    size_t i;
    const json_t *record;
    json_array_foreach(lab->past, i, record)
    {
        if (is_record(record, "experiment") && strcmp(json_string_or(record, "key", ""), key) == 0)
            return json_string_or(record, "id", NULL);
    }
    return NULL;
}

/* The verdict that stands: one that only the budget forced is open again. */
static const json_t *find_verdict(const struct lab *lab, const char *id)
{
    size_t i;
    const json_t *record, *found = NULL;
    json_array_foreach(lab->past, i, record)
    {
        if (is_record(record, "verdict") && strcmp(json_string_or(record, "id", ""), id) == 0)
            found = strcmp(json_string_or(record, "reason", ""), "budget") == 0 ? NULL : record;
    }
    return found;
}

static bool is_taken_by(const json_t *run, const char *id)
{
    size_t i;
    const json_t *taker;
    json_array_foreach(json_object_get(run, "experiments"), i, taker)
    {
        if (json_is_string(taker) && strcmp(json_string_value(taker), id) == 0)
            return true;
    }
    return false;
}

/** The runs of one round that an experiment took, by arm. */
struct replay {
    json_int_t round;
    struct arm_run runs[REQUEST_ARMS_MAX];
    bool made[REQUEST_ARMS_MAX];
};

static void add_run(struct replay *replay, const struct experiment *experiment, const json_t *run)
{
    const char *outcome = json_string_or(run, "outcome", "");
    json_int_t copy = json_integer_value(json_object_get(run, "copy"));
    for (size_t i = 0; i < experiment->request.arm_count; i++) {
        const struct arm *arm = &experiment->arms[i];
        if ((json_int_t)arm->copy != copy || !has_settings(run, &arm->variant))
            continue;
        replay->made[i] = true;
        replay->runs[i] = (struct arm_run){.id = json_string_or(run, "id", ""),
                                           .ok = strcmp(outcome, "ok") == 0,
                                           .unequal = strcmp(outcome, "unequal_output") == 0,
                                           .duration_s = json_number_or(run, "duration_s", 0),
                                           .place = (size_t)json_integer_value(json_object_get(run, "place"))};
    }
}

/* Only whole rounds count: what a crash cut short is played again. */
static enum err take_round(struct replay *replay, struct experiment *experiment, struct diag *diag)
{
    AUTO(arena_fini) struct arena scratch;
    const struct arm_run *runs[REQUEST_ARMS_MAX];
    bool whole = experiment->phase != PHASE_ENDED, any = false;
    for (size_t i = 0; i < experiment->request.arm_count; i++) {
        runs[i] = replay->made[i] && experiment_wants(experiment, i) ? &replay->runs[i] : NULL;
        whole &= runs[i] || !experiment_wants(experiment, i);
        any |= replay->made[i];
        replay->made[i] = false;
    }
    arena_init(&scratch, SCRATCH_BYTES);
    return whole && any ? experiment_take_round(experiment, runs, &scratch, diag) : ERR_OK;
}

enum err past_replay(struct lab *lab, struct entry *entry, struct diag *diag)
{
    struct experiment *experiment = &entry->experiment;
    const json_t *verdict = find_verdict(lab, experiment->id), *record;
    struct replay replay = {0};
    size_t i;
    if (verdict) {
        entry->verdict = json_copy((json_t *)verdict);
        (void)json_object_del(entry->verdict, "record");
        experiment->phase = PHASE_ENDED;
        return entry->verdict ? ERR_OK : diag_fail(diag, ERR_MEMORY, NULL, NULL, "out of memory for a verdict");
    }
    json_array_foreach(lab->past, i, record)
    {
        if (!is_record(record, "run") || !is_taken_by(record, experiment->id))
            continue;
        json_int_t round = json_integer_value(json_object_get(record, "round"));
        if (round != replay.round)
            TRY(take_round(&replay, experiment, diag));
        replay.round = round;
        add_run(&replay, experiment, record);
    }
    return take_round(&replay, experiment, diag);
}
