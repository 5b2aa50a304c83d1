/* SPDX-License-Identifier: Apache-2.0
 *
 * Plays rounds: every run that a pending experiment needs, once, in an order that the seed draws.
 */
#include "lab/state.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "lab/batch.h"
#include "lab/record.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PADDING_BYTES_MAX = 4096, BASELINE_FAILURES_MAX = 2 };
#define SCRATCH_BYTES ((size_t)64 * 1024 * 1024)
#define OVERRUN_RATIO 0.05

static bool is_warm_up(const struct round *round)
{
    return round->number == 0;
}

static bool anyone_waits(const struct lab *lab)
{
    for (const struct entry *entry = lab->entries; entry; entry = entry->next)
        if (book_is_pending(entry))
            return true;
    return false;
}

static bool entry_wants(const struct entry *entry, struct slot slot)
{
    const struct experiment *experiment = &entry->experiment;
    for (size_t i = 0; book_is_pending(entry) && i < experiment->request.arm_count; i++)
        if (experiment->arms[i].cell == slot.cell && experiment->arms[i].copy == slot.copy &&
            experiment_wants(experiment, i))
            return true;
    return false;
}

static bool slot_is_wanted(const struct lab *lab, struct slot slot)
{
    const struct round *round = &lab->round;
    if (is_warm_up(round))
        return anyone_waits(lab);
    for (size_t i = 0; i < round->entry_count; i++)
        if (entry_wants(round->entries[i], slot))
            return true;
    return false;
}

static double mean_cost_s(const struct cell *cell)
{
    return cell->runs > 0 ? cell->cost_s / cell->runs : 0;
}

/* A variant that was never run is asked for because it may be faster: half of what the baseline takes. A guess on the
 * high side would keep the most promising sweep out of a short budget; the first round tells. */
static void estimate_costs(double *cost_s, const struct lab *lab)
{
    for (size_t i = 0; i < lab->cell_count; i++)
        cost_s[i] = lab->cells[i].runs > 0 ? mean_cost_s(&lab->cells[i]) : mean_cost_s(&lab->cells[0]) / 2;
}

static double budget_left_s(const struct lab *lab)
{
    uint64_t budget_ns = lab->options.budget_ns;
    if (budget_ns == 0)
        return INFINITY;
    return budget_ns > lab->spent_ns ? (double)(budget_ns - lab->spent_ns) / (double)NS_PER_S : 0;
}

/* Fills the round with those who take part; none when the budget serves no one. */
static void choose_entries(struct lab *lab)
{
    struct round *round = &lab->round;
    struct entry *pending[SCHEDULE_EXPERIMENTS_MAX];
    struct experiment *experiments[SCHEDULE_EXPERIMENTS_MAX];
    bool takes_part[SCHEDULE_EXPERIMENTS_MAX];
    double cost_s[LAB_CELLS_MAX];
    size_t count = 0;
    for (struct entry *entry = lab->entries; entry && count < SCHEDULE_EXPERIMENTS_MAX; entry = entry->next) {
        if (!book_is_pending(entry))
            continue;
        pending[count] = entry;
        experiments[count++] = &entry->experiment;
    }
    estimate_costs(cost_s, lab);
    struct schedule_budget budget = {.cost_s = cost_s,
                                     .left_s = budget_left_s(lab),
                                     .overrun_s = OVERRUN_RATIO * (double)lab->options.budget_ns / (double)NS_PER_S};
    schedule_choose(takes_part, experiments, count, &budget);
    round->count = schedule_slots(round->slots, takes_part, experiments, count);
    round->entry_count = 0;
    for (size_t i = 0; i < count; i++)
        if (takes_part[i])
            round->entries[round->entry_count++] = pending[i];
}

static void start_playing(struct lab *lab, unsigned number)
{
    struct round *round = &lab->round;
    struct rng rng;
    char purpose[32];
    round->number = number;
    round->place = 0;
    round->playing = true;
    for (size_t i = 0; i < round->count; i++) {
        round->order[i] = i;
        round->made[i] = false;
    }
    (void)snprintf(purpose, sizeof purpose, "round %u", number);
    rng_fork(&rng, &lab->rng, purpose);
    rng_shuffle(&rng, round->order, round->count);
    lab->services_stale |= !is_warm_up(round); /* the warm-up has those of the start */
}

static void begin_warm_up(struct lab *lab)
{
    lab->round.slots[0] = (struct slot){0};
    lab->round.count = 1;
    lab->round.entry_count = 0;
    start_playing(lab, 0);
}

/* False when there is nothing to play. Experiments are registered before their first run. */
static bool begin_round(struct lab *lab)
{
    if (!anyone_waits(lab))
        return false;
    if (!lab->warm) {
        begin_warm_up(lab);
        return true;
    }
    choose_entries(lab);
    if (lab->round.entry_count == 0) {
        book_end_all(lab);
        return false;
    }
    for (size_t i = 0; i < lab->round.entry_count; i++)
        if (!book_register(lab, lab->round.entries[i]))
            return false;
    start_playing(lab, ++lab->last_round);
    return true;
}

/* The runs of one experiment by arm; false when the round did not play all that it wanted. */
static bool collect_runs(const struct arm_run **runs, const struct round *round, const struct experiment *experiment)
{
    for (size_t arm = 0; arm < experiment->request.arm_count; arm++) {
        runs[arm] = NULL;
        for (size_t i = 0; i < round->count; i++)
            if (round->made[i] && round->slots[i].cell == experiment->arms[arm].cell &&
                round->slots[i].copy == experiment->arms[arm].copy && experiment_wants(experiment, arm))
                runs[arm] = &round->runs[i];
        if (!runs[arm] && experiment_wants(experiment, arm))
            return false;
    }
    return true;
}

static enum err end_round(struct lab *lab, struct diag *diag)
{
    struct round *round = &lab->round;
    round->playing = false;
    for (size_t i = 0; i < round->entry_count; i++) {
        AUTO(arena_fini) struct arena scratch;
        struct experiment *experiment = &round->entries[i]->experiment;
        const struct arm_run *runs[REQUEST_ARMS_MAX];
        arena_init(&scratch, SCRATCH_BYTES);
        if (experiment->phase != PHASE_ENDED && collect_runs(runs, round, experiment))
            TRY(experiment_take_round(experiment, runs, &scratch, diag));
    }
    return ERR_OK;
}

static void note_cost(struct lab *lab, struct cell *cell, const struct run_result *result)
{
    cell->runs++;
    cell->cost_s += result->cost_s;
    lab->spent_ns += (uint64_t)(result->cost_s * (double)NS_PER_S);
    lab->runs++;
    lab->failed_runs += result->status != RUN_OK;
}

static void set_reference(struct lab *lab, const struct run_result *result)
{
    lab->reference = (struct reference){
        .known = true, .rows_known = result->spans > 0 && result->lost_spans == 0, .rows = result->rows};
    memcpy(lab->reference.check, result->check, sizeof result->check);
}

static bool same_work(const struct reference *reference, const struct run_result *result)
{
    if (result->uneven)
        return false;
    if (!reference->known)
        return true;
    if (strcmp(reference->check, result->check) != 0)
        return false;
    return !reference->rows_known || result->lost_spans > 0 || result->rows == reference->rows;
}

static void exclude_cell(struct lab *lab, size_t cell)
{
    AUTO(arena_fini) struct arena scratch;
    struct diag diag;
    arena_init(&scratch, SCRATCH_BYTES);
    lab->cells[cell].unequal = true;
    for (struct entry *entry = lab->entries; entry; entry = entry->next) {
        enum err error = experiment_exclude(&entry->experiment, cell, &scratch, &diag);
        if (error != ERR_OK)
            lab_fail(lab, error, &diag);
    }
}

static void fail_lab(struct lab *lab, const char *what, const char *hint)
{
    struct diag diag;
    lab_fail(lab, diag_fail(&diag, ERR_PIPELINE, lab->pipeline->name, hint, "%s", what), &diag);
}

/* A warm-up that was too short is followed by one of more repetitions. */
static bool ends_warm_up(struct lab *lab, const struct run_result *result)
{
    if (!lab->pipeline->batch || lab->repeats_known || batch_is_enough(lab->repeats, result->duration_s))
        return true;
    lab->repeats = batch_next(lab->repeats, result->duration_s);
    return false;
}

/* What a run of the baseline means for everything else. */
static void judge_baseline(struct lab *lab, const struct run_result *result, bool equal)
{
    char what[OUTCOME_TEXT_BYTES + 40];
    lab->baseline_failures = result->status == RUN_OK ? 0 : lab->baseline_failures + 1;
    if (lab->baseline_failures == BASELINE_FAILURES_MAX) {
        (void)snprintf(what, sizeof what, "the pipeline failed twice: it %s", result->why);
        fail_lab(lab, what, "try its command by hand");
    }
    if (result->status != RUN_OK)
        return;
    lab->services_deaths = 0;
    if (!equal)
        fail_lab(lab, "two runs of the baseline gave different output or row counts",
                 "the check command must print the same for the same work");
    if (!lab->reference.known)
        set_reference(lab, result);
    lab->warm = lab->warm || ends_warm_up(lab, result);
}

static json_t *takers_json(const struct lab *lab, struct slot slot)
{
    json_t *ids = json_array();
    for (size_t i = 0; i < lab->round.entry_count; i++)
        if (entry_wants(lab->round.entries[i], slot))
            (void)json_array_append_new(ids, json_string(lab->round.entries[i]->experiment.id));
    return ids;
}

static bool write_run(struct lab *lab, struct slot slot, const struct run_result *result, bool equal)
{
    const struct round *round = &lab->round;
    AUTO(json_release) json_t *takers = takers_json(lab, slot);
    struct run_identity identity = {.number = lab->last_run,
                                    .round = round->number,
                                    .copy = slot.copy,
                                    .place = round->place,
                                    .warm_up = is_warm_up(round),
                                    .unequal = result->status == RUN_OK && !equal};
    json_t *record = record_run(&identity, &lab->cells[slot.cell].variant, result, takers);
    json_decref(lab->last_record);
    lab->last_record = json_incref(record);
    return lab_write(lab, record);
}

static void on_run(void *context, const struct run_result *result)
{
    struct lab *lab = context;
    struct round *round = &lab->round;
    size_t at = round->order[round->place];
    struct slot slot = round->slots[at];
    bool ok = result->status == RUN_OK, equal = same_work(&lab->reference, result);
    (void)snprintf(round->ids[at], sizeof round->ids[at], "r%u", lab->last_run);
    round->runs[at] = (struct arm_run){.id = round->ids[at],
                                       .ok = ok && equal,
                                       .unequal = ok && !equal,
                                       .duration_s = result->duration_s,
                                       .place = round->place};
    round->made[at] = true;
    note_cost(lab, &lab->cells[slot.cell], result);
    if (write_run(lab, slot, result, equal)) {
        if (slot.cell == 0)
            judge_baseline(lab, result, equal);
        else if (ok && !equal)
            exclude_cell(lab, slot.cell);
    }
    round->place++;
    runner_free(&lab->runner);
    lab->doing[0] = '\0';
    lab_wake(lab);
}

static enum err start_run(struct lab *lab, struct slot slot, struct diag *diag)
{
    const struct cell *cell = &lab->cells[slot.cell];
    struct rng rng;
    lab->last_run++;
    if (snprintf(lab->trace_folder, sizeof lab->trace_folder, "%s/traces/r%u", lab->folder, lab->last_run) >=
        (int)sizeof lab->trace_folder)
        return diag_fail(diag, ERR_CONFIG, lab->folder, "choose a folder with a shorter name", "the name is too long");
    (void)snprintf(lab->doing, sizeof lab->doing, "run %u: %s%s", lab->last_run, cell->text,
                   is_warm_up(&lab->round) ? ", warming up" : "");
    rng_fork(&rng, &lab->rng, lab->doing);
    lab->order = (struct run_order){.variant = &cell->variant,
                                    .ports = services_ports(lab->services),
                                    .trace_folder = lab->trace_folder,
                                    .padding_bytes = (size_t)rng_below(&rng, PADDING_BYTES_MAX),
                                    .record_cpu = lab->options.record_cpu,
                                    .repeats = lab->repeats};
    lab->run_started_ns = clock_monotonic_ns();
    return runner_start(&lab->runner, &lab->order, lab->loop, on_run, lab, diag);
}

/* False when no run can start now: on_services_restarted wakes the lab. */
static bool services_are_ready(struct lab *lab)
{
    if (lab->services_stale && services_restart(lab->services))
        lab->services_since_ns = clock_monotonic_ns();
    lab->services_stale = false;
    return lab->services_since_ns == 0;
}

bool round_step(struct lab *lab)
{
    struct round *round = &lab->round;
    struct diag diag;
    if (!round->playing && !begin_round(lab))
        return false;
    if (!services_are_ready(lab))
        return false;
    while (round->place < round->count && !slot_is_wanted(lab, round->slots[round->order[round->place]]))
        round->place++;
    enum err error = round->place < round->count ? start_run(lab, round->slots[round->order[round->place]], &diag)
                                                 : end_round(lab, &diag);
    if (error != ERR_OK)
        lab_fail(lab, error, &diag);
    return error == ERR_OK;
}

static void stop_run(struct lab *lab)
{
    struct diag unused;
    if (!lab->runner)
        return;
    runner_free(&lab->runner);
    lab->doing[0] = '\0';
    (void)!dir_remove(lab->trace_folder, &unused); /* a run that did not end left no trace worth keeping */
}

void round_drop_unwanted(struct lab *lab)
{
    const struct round *round = &lab->round;
    if (!lab->runner || slot_is_wanted(lab, round->slots[round->order[round->place]]))
        return;
    stop_run(lab);
    lab_wake(lab);
}

void round_cancel(struct lab *lab)
{
    stop_run(lab);
    lab->round.playing = false;
}
