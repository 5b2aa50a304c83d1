/* SPDX-License-Identifier: Apache-2.0
 *
 * Opens, drives and closes a lab; what it does meanwhile stands in book.c and round.c.
 */
#include "lab/lab.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "lab/checks.h"
#include "lab/record.h"
#include "lab/state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARENA_LIMIT_BYTES ((size_t)256 * 1024 * 1024)
#define LOOK_NS (100 * NS_PER_MS)
enum { ANCESTORS_MAX = 64, SERVICE_DEATHS_MAX = 3 };

void lab_fail(struct lab *lab, enum err error, const struct diag *diag)
{
    if (lab->health == ERR_OK) {
        lab->health = error;
        lab->health_diag = *diag;
    }
    lab_wake(lab);
}

bool lab_write(struct lab *lab, json_t *record)
{
    struct diag diag;
    enum err error = record ? journal_append(lab->journal, record, &diag)
                            : diag_fail(&diag, ERR_MEMORY, lab->folder, NULL, "out of memory for a record");
    json_decref(record);
    if (error != ERR_OK)
        lab_fail(lab, error, &diag);
    return error == ERR_OK;
}

static void on_tick(void *context)
{
    struct lab *lab = context;
    lab->tick = NULL;
    if (lab->winding_down || lab->health != ERR_OK)
        round_cancel(lab);
    if (lab->winding_down)
        book_end_all(lab);
    do {
        if (lab->health == ERR_OK)
            book_answer(lab);
    } while (lab->health == ERR_OK && !lab->winding_down && !lab->runner && round_step(lab));
    if (lab->health == ERR_OK)
        book_answer(lab);
    else
        book_refuse_all(lab);
}

void lab_wake(struct lab *lab)
{
    struct diag diag;
    if (lab->tick)
        return;
    if (loop_timer(&lab->tick, lab->loop, 0, on_tick, lab, &diag) != ERR_OK && lab->health == ERR_OK) {
        lab->tick = NULL;
        lab->health = ERR_MEMORY;
        lab->health_diag = diag;
    }
}

static void on_ask(void *context, struct broker_client *client, const json_t *request)
{
    struct lab *lab = context;
    struct diag diag = {0};
    json_t *id = json_object_get(request, "id");
    struct waiter waiter = {.client = client, .id = json_integer_value(id)};
    AUTO(json_release) json_t *answer = NULL;
    if (strcmp(json_string_or(request, "op", ""), "status") == 0) {
        answer = json_pack("{s:b, s:o}", "ok", 1, "status", book_status(lab));
    } else {
        enum err error = book_ask(lab, request, &waiter, &diag);
        if (error == ERR_OK)
            return;
        answer = book_error(error, &diag);
    }
    if (answer && json_object_set(answer, "id", id) == 0)
        broker_send(client, answer);
}

static void on_gone(void *context, struct broker_client *client)
{
    struct lab *lab = context;
    book_withdraw(lab, client);
    round_drop_unwanted(lab);
}

/* The run that needed it has failed. A service that is started anew for each round is so at once, but not for ever. */
static void on_service_end(void *context, const char *name, const char *why, bool lost)
{
    struct lab *lab = context;
    struct diag diag;
    char text[OUTCOME_TEXT_BYTES];
    lab->services_stale = true;
    if (lab->runner) {
        (void)snprintf(text, sizeof text, "lost the service %s, which %s", name, why);
        runner_abort(lab->runner, text);
    }
    if (lost || ++lab->services_deaths == SERVICE_DEATHS_MAX)
        lab_fail(lab, diag_fail(&diag, ERR_PIPELINE, name, NULL, "the service ended in mid-work: it %s", why), &diag);
}

static void on_services_restarted(void *context, enum err error, const struct diag *diag)
{
    struct lab *lab = context;
    lab->spent_ns += clock_monotonic_ns() - lab->services_since_ns;
    lab->services_since_ns = 0;
    if (error != ERR_OK)
        lab_fail(lab, error, diag);
    lab_wake(lab);
}

static enum err lock_folder(struct lab *lab, const char *folder, struct diag *diag)
{
    TRY(dir_keep(folder, diag));
    if (!realpath(folder, lab->folder))
        return diag_errno(diag, ERR_IO, errno, folder, "cannot open the folder");
    return dir_lock(&lab->lock_fd, lab->folder, diag);
}

static enum err start_services(struct lab *lab, struct diag *diag)
{
    uint64_t started_ns = clock_monotonic_ns();
    struct services_watcher watcher = {.ended = on_service_end, .restarted = on_services_restarted, .context = lab};
    TRY(services_start(&lab->services, lab->pipeline, lab->loop, &watcher, diag));
    lab->spent_ns += clock_monotonic_ns() - started_ns;
    return ERR_OK;
}

/* As the journal keeps it. */
static json_t *look_at_machine(struct lab *lab)
{
    struct machine machine;
    struct checks checks = {0};
    machine_look(&machine, lab->folder, LOOK_NS);
    machine_count(&lab->counters);
    checks_machine(&checks, &machine);
    return machine_json(&machine, &checks);
}

/* What disturbed the machine since then. */
static json_t *disturbances_of(const struct lab *lab)
{
    struct machine_counters during;
    machine_count_since(&during, &lab->counters);
    return disturbances_json(&during);
}

static enum err open_all(struct lab *lab, struct diag *diag)
{
    char fingerprint[SHA256_TEXT_BYTES];
    struct broker_handler handler = {.ask = on_ask, .gone = on_gone, .context = lab};
    size_t baseline;
    (void)pipeline_fingerprint(fingerprint, lab->pipeline);
    TRY(lock_folder(lab, lab->options.folder, diag));
    TRY(journal_open(&lab->journal, &lab->past, lab->folder, lab->options.resume, diag));
    TRY(past_take(lab, fingerprint, diag));
    rng_init(&lab->rng, lab->options.seed);
    TRY(book_cell(&baseline, lab, &(struct variant){.pipeline = lab->pipeline}, diag));
    lab->machine = look_at_machine(lab); /* before our own services disturb it */
    TRY(start_services(lab, diag));
    TRY(broker_new(&lab->broker, lab->folder, &handler, lab->loop, diag));
    json_t *record = record_lab(lab->pipeline, fingerprint, lab->options.seed, json_array_size(lab->past) > 0,
                                journal_cut_bytes(lab->journal), json_incref(lab->machine));
    return lab_write(lab, record) ? ERR_OK : lab_health(lab, diag);
}

enum err lab_new(struct lab **out, const struct pipeline *pipeline, const struct lab_options *options,
                 struct loop *loop, struct diag *diag)
{
    struct lab *lab = calloc(1, sizeof *lab);
    if (!lab)
        return diag_fail(diag, ERR_MEMORY, NULL, NULL, "out of memory for the lab");
    lab->pipeline = pipeline;
    lab->loop = loop;
    lab->options = *options;
    lab->lock_fd = -1;
    lab->repeats = 1;
    arena_init(&lab->arena, ARENA_LIMIT_BYTES);
    enum err error = open_all(lab, diag);
    if (error != ERR_OK) {
        json_decref(lab->past); /* nothing was measured: the journal does not end here */
        lab->past = NULL;
        journal_close(&lab->journal);
        lab_free(&lab);
        return error;
    }
    *out = lab;
    return ERR_OK;
}

void lab_free(struct lab **lab)
{
    struct lab *self = *lab;
    if (!self)
        return;
    round_cancel(self);
    broker_free(&self->broker);
    services_stop(&self->services);
    if (self->journal && self->health == ERR_OK)
        (void)lab_write(self, record_end(self->runs, disturbances_of(self)));
    loop_remove(self->loop, &self->tick);
    book_fini(self);
    journal_close(&self->journal);
    json_decref(self->past);
    json_decref(self->last_record);
    json_decref(self->machine);
    fd_close(&self->lock_fd);
    arena_fini(&self->arena);
    free(self);
    *lab = NULL;
}

const json_t *lab_machine(const struct lab *lab)
{
    return lab->machine;
}

const struct ports *lab_ports(const struct lab *lab)
{
    return services_ports(lab->services);
}

const char *lab_socket(const struct lab *lab)
{
    return broker_path(lab->broker);
}

void lab_status(struct lab_status *out, const struct lab *lab)
{
    uint64_t running_ns = lab->runner ? clock_monotonic_ns() - lab->run_started_ns : 0;
    *out = (struct lab_status){.runs = lab->runs,
                               .failed_runs = lab->failed_runs,
                               .doing = lab->doing,
                               .spent_ns = lab->spent_ns + running_ns,
                               .budget_left_ns = UINT64_MAX};
    for (const struct entry *entry = lab->entries; entry; entry = entry->next) {
        out->pending += book_is_pending(entry);
        out->done += entry->experiment.phase == PHASE_ENDED;
    }
    uint64_t budget_ns = lab->options.budget_ns;
    if (budget_ns > 0)
        out->budget_left_ns = budget_ns > out->spent_ns ? budget_ns - out->spent_ns : 0;
}

enum err lab_request(struct lab *lab, const json_t *request, lab_done *done, void *context, struct diag *diag)
{
    struct waiter waiter = {.done = done, .context = context};
    return book_ask(lab, request, &waiter, diag);
}

void lab_wind_down(struct lab *lab)
{
    lab->winding_down = true;
    lab_wake(lab);
}

enum err lab_health(const struct lab *lab, struct diag *diag)
{
    if (lab->health != ERR_OK && diag)
        *diag = lab->health_diag;
    return lab->health;
}

/* The fourth field of /proc/PID/stat, behind the name in brackets; 0 when it is gone. */
static pid_t parent_of(pid_t pid)
{
    char path[40], text[512];
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    AUTO(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t count = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    text[count > 0 ? count : 0] = '\0';
    const char *bracket = strrchr(text, ')');
    int parent;
    return bracket && sscanf(bracket, ") %*c %d", &parent) == 1 ? (pid_t)parent : 0;
}

static bool is_within(pid_t pid, pid_t ancestor)
{
    for (int i = 0; i < ANCESTORS_MAX && pid > 1; i++, pid = parent_of(pid))
        if (pid == ancestor)
            return true;
    return false;
}

bool lab_client_waiting(const struct lab *lab, pid_t pid)
{
    for (const struct entry *entry = lab->entries; entry; entry = entry->next)
        for (const struct waiter *waiter = entry->waiters; waiter; waiter = waiter->next)
            if (waiter->client && is_within(broker_client_pid(waiter->client), pid))
                return true;
    return false;
}
