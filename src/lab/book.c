/* SPDX-License-Identifier: Apache-2.0
 *
 * Who asked for what: merges equal requests, keeps the table of variants, answers.
 */
#include "lab/state.h"

#include "base/json.h"
#include "lab/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCRATCH_BYTES = 64 * 1024 * 1024 };

enum err book_cell(size_t *out, struct lab *lab, const struct variant *variant, struct diag *diag)
{
    for (*out = 0; *out < lab->cell_count; ++*out)
        if (variant_equal(&lab->cells[*out].variant, variant))
            return ERR_OK;
    if (lab->cell_count == LAB_CELLS_MAX)
        return diag_fail(diag, ERR_MEMORY, NULL, NULL, "more than %d variants were asked for", LAB_CELLS_MAX);
    struct cell *cell = &lab->cells[lab->cell_count];
    *cell = (struct cell){.variant = *variant};
    TRY(variant_text(&cell->text, variant, &lab->arena, diag));
    past_fill_cell(lab, cell);
    lab->cell_count++;
    return ERR_OK;
}

static struct entry *find_entry(const struct lab *lab, const char *key)
{
    for (struct entry *entry = lab->entries; entry; entry = entry->next)
        if (strcmp(entry->experiment.request.key, key) == 0)
            return entry;
    return NULL;
}

static enum err place_arms(struct lab *lab, struct experiment *experiment, struct diag *diag)
{
    AUTO(arena_fini) struct arena scratch;
    arena_init(&scratch, SCRATCH_BYTES);
    for (size_t i = 0; i < experiment->request.arm_count; i++)
        TRY(book_cell(&experiment->arms[i].cell, lab, &experiment->arms[i].variant, diag));
    for (size_t i = 0; i < lab->cell_count; i++)
        if (lab->cells[i].unequal)
            TRY(experiment_exclude(experiment, i, &scratch, diag));
    return ERR_OK;
}

static void append_entry(struct lab *lab, struct entry *entry)
{
    struct entry **at = &lab->entries;
    while (*at)
        at = &(*at)->next;
    *at = entry;
    lab->entry_count++;
}

static enum err add_entry(struct entry **out, struct lab *lab, const struct request *request, struct diag *diag)
{
    char id[16];
    const char *known = past_experiment_id(lab, request->key);
    struct entry *entry = ARENA_NEW(&lab->arena, struct entry);
    if (!entry)
        return arena_exhausted(&lab->arena, diag);
    if (lab->entry_count == LAB_EXPERIMENTS_MAX)
        return diag_fail(diag, ERR_CONFIG, NULL, NULL, "more than %d experiments were asked for", LAB_EXPERIMENTS_MAX);
    (void)snprintf(id, sizeof id, "e%u", lab->last_experiment + 1);
    TRY(experiment_init(&entry->experiment, known ? known : id, request, &lab->arena, diag));
    enum err error = place_arms(lab, &entry->experiment, diag);
    if (error == ERR_OK && known)
        error = past_replay(lab, entry, diag);
    if (error != ERR_OK) {
        experiment_fini(&entry->experiment);
        return error;
    }
    lab->last_experiment += !known;
    entry->registered = known;
    append_entry(lab, entry);
    *out = entry;
    return ERR_OK;
}

static enum err find_or_add(struct entry **out, struct lab *lab, const json_t *request, struct diag *diag)
{
    AUTO(arena_fini) struct arena scratch;
    struct request parsed;
    arena_init(&scratch, SCRATCH_BYTES);
    TRY(request_parse(&parsed, lab->pipeline, request, &scratch, diag));
    *out = find_entry(lab, parsed.key);
    if (*out) {
        struct request *known = &(*out)->experiment.request;
        known->value = parsed.value > known->value ? parsed.value : known->value;
        return ERR_OK;
    }
    if (lab->winding_down)
        return diag_fail(diag, ERR_INTERRUPTED, NULL, NULL, "the lab is closing");
    TRY(request_parse(&parsed, lab->pipeline, request, &lab->arena, diag)); /* again, to keep */
    return add_entry(out, lab, &parsed, diag);
}

static void free_waiter(struct lab *lab, struct waiter *waiter)
{
    lab->waiter_count--;
    free(waiter);
}

enum err book_ask(struct lab *lab, const json_t *request, const struct waiter *waiter, struct diag *diag)
{
    struct entry *entry;
    if (lab->health != ERR_OK) {
        *diag = lab->health_diag;
        return lab->health;
    }
    if (lab->waiter_count == LAB_WAITERS_MAX)
        return diag_fail(diag, ERR_CONFIG, NULL, NULL, "more than %d requests are waiting", LAB_WAITERS_MAX);
    TRY(find_or_add(&entry, lab, request, diag));
    struct waiter *copy = malloc(sizeof *copy);
    if (!copy)
        return diag_fail(diag, ERR_MEMORY, NULL, NULL, "out of memory for a request");
    *copy = *waiter;
    copy->next = entry->waiters;
    entry->waiters = copy;
    lab->waiter_count++;
    lab_wake(lab);
    return ERR_OK;
}

void book_withdraw(struct lab *lab, const struct broker_client *client)
{
    for (struct entry *entry = lab->entries; entry; entry = entry->next) {
        for (struct waiter **at = &entry->waiters; *at;) {
            struct waiter *waiter = *at;
            if (waiter->client != client) {
                at = &waiter->next;
                continue;
            }
            *at = waiter->next;
            free_waiter(lab, waiter);
        }
    }
}

bool book_is_pending(const struct entry *entry)
{
    return entry->waiters && entry->experiment.phase != PHASE_ENDED;
}

/* The waiters are taken off first: a function that is told may ask again. */
static void tell_all(struct lab *lab, struct entry *entry, const json_t *answer)
{
    struct waiter *waiter = entry->waiters, *next;
    entry->waiters = NULL;
    for (; waiter; waiter = next) {
        AUTO(json_release) json_t *numbered = waiter->client ? json_copy((json_t *)answer) : NULL;
        next = waiter->next;
        if (!waiter->client)
            waiter->done(waiter->context, answer);
        else if (numbered && json_object_set_new(numbered, "id", json_integer(waiter->id)) == 0)
            broker_send(waiter->client, numbered);
        free_waiter(lab, waiter);
    }
}

bool book_register(struct lab *lab, struct entry *entry)
{
    if (!entry->registered)
        entry->registered = lab_write(lab, record_experiment(&entry->experiment));
    return entry->registered;
}

static bool write_verdict(struct lab *lab, struct entry *entry)
{
    if (!book_register(lab, entry))
        return false;
    AUTO(json_release) json_t *verdict = experiment_json(&entry->experiment, lab->options.seed);
    bool whole = verdict && json_object_set_new(verdict, "repeats", json_integer((json_int_t)lab->repeats)) == 0;
    if (!lab_write(lab, whole ? record_verdict(verdict) : NULL))
        return false;
    entry->verdict = json_incref(verdict);
    return true;
}

void book_answer(struct lab *lab)
{
    for (struct entry *entry = lab->entries; entry; entry = entry->next) {
        bool ended = entry->experiment.phase == PHASE_ENDED;
        if (!ended || !entry->waiters || (!entry->verdict && !write_verdict(lab, entry)))
            continue;
        AUTO(json_release) json_t *answer = json_pack("{s:b, s:O}", "ok", 1, "experiment", entry->verdict);
        if (answer)
            tell_all(lab, entry, answer);
    }
}

json_t *book_error(enum err error, const struct diag *diag)
{
    static const char *const codes[] = {
        [ERR_CONFIG] = "config", [ERR_PIPELINE] = "pipeline",       [ERR_IO] = "io",
        [ERR_MEMORY] = "memory", [ERR_INTERRUPTED] = "interrupted", [ERR_INTERNAL] = "internal",
        [ERR_FORMAT] = "config", [ERR_TIMEOUT] = "pipeline",        [ERR_NOISE] = "internal",
        [ERR_OK] = "internal",
    };
    return json_pack("{s:b, s:{s:s, s:s, s:s}}", "ok", 0, "error", "code", codes[error], "message", diag->what, "hint",
                     diag->hint);
}

void book_refuse_all(struct lab *lab)
{
    AUTO(json_release) json_t *answer = book_error(lab->health, &lab->health_diag);
    for (struct entry *entry = lab->entries; answer && entry; entry = entry->next)
        tell_all(lab, entry, answer);
}

void book_end_all(struct lab *lab)
{
    AUTO(arena_fini) struct arena scratch;
    struct diag diag;
    arena_init(&scratch, SCRATCH_BYTES);
    for (struct entry *entry = lab->entries; entry; entry = entry->next) {
        enum err error =
            book_is_pending(entry) ? experiment_end(&entry->experiment, REASON_BUDGET, &scratch, &diag) : ERR_OK;
        if (error != ERR_OK)
            lab_fail(lab, error, &diag);
    }
}

void book_fini(struct lab *lab)
{
    for (struct entry *entry = lab->entries; entry; entry = entry->next) {
        for (struct waiter *waiter = entry->waiters, *next; waiter; waiter = next) {
            next = waiter->next;
            free_waiter(lab, waiter);
        }
        json_decref(entry->verdict);
        experiment_fini(&entry->experiment);
    }
    lab->entries = NULL;
}

json_t *book_status(const struct lab *lab)
{
    struct lab_status status;
    lab_status(&status, lab);
    json_t *pending = json_array();
    for (const struct entry *entry = lab->entries; entry; entry = entry->next) {
        const struct experiment *experiment = &entry->experiment;
        if (book_is_pending(entry))
            (void)json_array_append_new(
                pending, json_pack("{s:s, s:s, s:s, s:i, s:f}", "id", experiment->id, "op",
                                   experiment_op_name(experiment->request.op), "purpose", experiment->request.purpose,
                                   "rounds", (int)experiment->rounds, "value", experiment->request.value));
    }
    bool limited = lab->options.budget_ns > 0;
    return json_pack("{s:o, s:I, s:I, s:I, s:s, s:o, s:o}", "pending", pending, "done", (json_int_t)status.done, "runs",
                     (json_int_t)status.runs, "failed_runs", (json_int_t)status.failed_runs, "doing", status.doing,
                     "budget_left_s", limited ? json_real_tidy((double)status.budget_left_ns / 1e9) : json_null(),
                     "last_run", lab->last_record ? json_incref(lab->last_record) : json_null());
}
