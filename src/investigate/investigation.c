/* SPDX-License-Identifier: Apache-2.0
 *
 * The course of an investigation on one event loop: baseline runs, brief, agents and the A/A control side by side,
 * tie-breakers, and at the end the outcome from what lies in the folder.
 */
#include "investigate/investigation.h"

#include "agents/agent.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "investigate/agent_process.h"
#include "investigate/briefing.h"
#include "investigate/outcome.h"
#include "pipeline/pipeline.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BASELINE_RUNS = 3, WATCH_INTERVAL_MS = 200 };
#define ARENA_BYTES ((size_t)1 << 30)
/* The brief is waited for by everybody, the noise floor by the reports: both go before any candidate. */
#define BASELINE_VALUE 1e9
#define CONTROL_VALUE 1e6
#define TIE_BREAKER_VALUE 1e5

enum phase { PHASE_BASELINE, PHASE_AGENTS, PHASE_TIE_BREAKERS, PHASE_DONE };
static const char *const phase_names[] = {"baseline", "agents", "tie-breakers", "done"};

struct investigation {
    const struct investigation_options *options;
    const struct pipeline *pipeline;
    struct arena arena;
    struct loop *loop;
    struct lab *lab;
    enum phase phase;
    json_t *profile; /* that the brief borrows */
    struct brief *brief;
    struct agent_process agents[INVESTIGATION_AGENTS_MAX];
    size_t agent_count;
    size_t open_requests; /* of our own, at the lab */
    enum err error;       /* the first failure inside a callback */
    struct diag *diag;
    int lock_fd;
};

/* Remembers the first failure of a callback; the course ends at its next turn. */
static void note(struct investigation *self, enum err error)
{
    if (self->error == ERR_OK)
        self->error = error;
}

static enum err ask(struct investigation *self, const json_t *request, lab_done *done)
{
    if (!request)
        return diag_fail(self->diag, ERR_MEMORY, NULL, NULL, "out of memory");
    TRY(lab_request(self->lab, request, done, self, self->diag));
    self->open_requests++;
    return ERR_OK;
}

static void on_answer(void *context, const json_t *answer)
{
    struct investigation *self = context;
    (void)answer; /* it stands in the journal, from which the outcome is made */
    self->open_requests--;
}

static bool wanted(const struct investigation *self, const struct agent *agent)
{
    return !self->options->only || strcmp(self->options->only, agent->name) == 0;
}

static enum err start_agents(struct investigation *self)
{
    struct agent_launch launch = {.program = self->options->program,
                                  .pipeline = self->pipeline,
                                  .brief = self->brief,
                                  .brief_path = arena_printf(&self->arena, "%s/brief.json", self->options->folder),
                                  .socket = lab_socket(self->lab),
                                  .investigation_folder = self->options->folder};
    if (!launch.brief_path)
        return arena_exhausted(&self->arena, self->diag);
    for (size_t i = 0; agents[i]; i++) {
        if (wanted(self, agents[i]))
            TRY(agent_process_start(&self->agents[self->agent_count++], agents[i], &launch, self->loop, &self->arena,
                                    self->diag));
    }
    return ERR_OK;
}

static enum err begin_agents(struct investigation *self, const json_t *answer)
{
    const json_t *experiment = json_object_get(answer, "experiment");
    const json_t *error = json_object_get(answer, "error");
    if (!experiment)
        return diag_fail(self->diag, ERR_PIPELINE, "baseline", NULL, "%s",
                         json_string_or(error, "message", "no answer"));
    if (json_array_size(json_object_get(json_array_get(json_object_get(experiment, "arms"), 0), "runs")) == 0)
        return diag_fail(self->diag, ERR_NOISE, "baseline", "a longer --budget", "not one run of the baseline (%s)",
                         json_string_or(experiment, "reason", "no reason given"));
    TRY(briefing_make(&self->brief, &self->profile, self->pipeline, self->options, experiment, self->lab, &self->arena,
                      self->diag));
    AUTO(json_release)
    json_t *control = json_pack("{s:s, s:s, s:f}", "op", "control", "purpose",
                                "noise floor: the baseline against itself", "value", CONTROL_VALUE);
    TRY(ask(self, control, on_answer));
    self->phase = PHASE_AGENTS;
    return start_agents(self);
}

static void on_baseline(void *context, const json_t *answer)
{
    struct investigation *self = context;
    self->open_requests--;
    note(self, begin_agents(self, answer));
}

static enum err ask_baseline(struct investigation *self)
{
    AUTO(json_release)
    json_t *request = json_pack("{s:s, s:{}, s:i, s:s, s:f}", "op", "run", "a", "runs", BASELINE_RUNS, "purpose",
                                "baseline", "value", BASELINE_VALUE);
    return ask(self, request, on_baseline);
}

static bool agents_ended(const struct investigation *self)
{
    for (size_t i = 0; i < self->agent_count; i++) {
        if (!self->agents[i].ended)
            return false;
    }
    return true;
}

static enum err check_agents(struct investigation *self)
{
    for (size_t i = 0; i < self->agent_count; i++) {
        struct agent_process *process = &self->agents[i];
        agent_process_check(process, self->lab, self->options->patience_ns);
        if (process->error != ERR_OK) {
            *self->diag = process->diag;
            return process->error;
        }
    }
    return ERR_OK;
}

/* What the agents disagree on is settled by an experiment, not by counting. */
static enum err ask_tie_breakers(struct investigation *self)
{
    AUTO(outcome_fini) struct outcome outcome = {0};
    AUTO(json_release) json_t *tie_breakers = NULL;
    TRY(outcome_load(&outcome, self->options->folder, &self->arena, self->diag));
    TRY(outcome_tie_breakers(&tie_breakers, &outcome, &self->arena, self->diag));
    size_t i;
    json_t *tie_breaker;
    json_array_foreach(tie_breakers, i, tie_breaker)
    {
        json_t *request = json_object_get(tie_breaker, "request");
        if (json_object_set_new(request, "value", json_real(TIE_BREAKER_VALUE)) < 0)
            return diag_fail(self->diag, ERR_MEMORY, NULL, NULL, "out of memory");
        TRY(ask(self, request, on_answer));
    }
    return ERR_OK;
}

/* Moves on when everything the present phase waits for has come. */
static enum err advance(struct investigation *self)
{
    TRY(check_agents(self));
    if (self->phase == PHASE_AGENTS && self->open_requests == 0 && agents_ended(self)) {
        self->phase = PHASE_TIE_BREAKERS;
        TRY(ask_tie_breakers(self));
    }
    if (self->phase == PHASE_TIE_BREAKERS && self->open_requests == 0)
        self->phase = PHASE_DONE;
    return ERR_OK;
}

static void report_progress(const struct investigation *self, investigation_watch *watch, void *context)
{
    struct investigation_progress progress = {.phase = phase_names[self->phase], .agent_count = self->agent_count};
    if (!watch)
        return;
    for (size_t i = 0; i < self->agent_count; i++) {
        const struct agent_process *process = &self->agents[i];
        progress.agents[i].name = process->agent->name;
        progress.agents[i].state = !process->ended ? AGENT_WORKING : process->answered ? AGENT_ANSWERED : AGENT_SILENT;
        progress.agents[i].asks_lab =
            process->child && !process->ended && lab_client_waiting(self->lab, child_pid(process->child));
    }
    lab_status(&progress.lab, self->lab);
    watch(context, &progress);
}

static enum err follow_course(struct investigation *self, investigation_watch *watch, void *context)
{
    TRY(ask_baseline(self));
    while (self->phase != PHASE_DONE) {
        TRY(loop_turn(self->loop, clock_monotonic_ns() + (uint64_t)WATCH_INTERVAL_MS * NS_PER_MS, self->diag));
        TRY(self->error);
        TRY(lab_health(self->lab, self->diag));
        TRY(advance(self));
        report_progress(self, watch, context);
    }
    return ERR_OK;
}

static void on_signal(void *context, uint32_t events)
{
    struct investigation *self = context;
    (void)events;
    note(self, diag_fail(self->diag, ERR_INTERRUPTED, NULL, "`venturi resume` continues",
                         "interrupted; what was measured is kept in %s", self->options->folder));
}

/* Notes which file, seed and budget this folder is about: what a resume needs. One investigation a folder. */
static enum err claim_folder(const struct investigation_options *options, const char *file, struct arena *arena,
                             struct diag *diag)
{
    const char *path = arena_printf(arena, "%s/investigation.json", options->folder);
    AUTO(json_release)
    json_t *document = json_pack("{s:s, s:s, s:I, s:f, s:f, s:s?}", "schema", "venturi.investigation/1", "file", file,
                                 "seed", (json_int_t)options->seed, "budget_s", (double)options->budget_ns * 1e-9,
                                 "patience_s", (double)options->patience_ns * 1e-9, "only", options->only);
    if (!path || !document)
        return arena_exhausted(arena, diag);
    if (access(path, F_OK) == 0)
        return diag_fail(diag, ERR_CONFIG, options->folder,
                         "`venturi resume` continues it, --force replaces it, --out names another",
                         "holds an investigation already");
    return json_write_file(path, document, diag);
}

enum err investigation_discard(const char *folder, struct diag *diag)
{
    char path[PATH_MAX];
    AUTO(fd_close) int lock_fd = -1;
    if (access(folder, F_OK) < 0)
        return ERR_OK;
    TRY(dir_lock(&lock_fd, folder, diag));
    if (snprintf(path, sizeof path, "%s/investigation.json", folder) >= (int)sizeof path || access(path, F_OK) < 0)
        return diag_fail(diag, ERR_CONFIG, folder, "name another --out",
                         "holds something, but no investigation: not removed");
    return dir_remove(folder, diag);
}

enum err investigation_options_read(struct investigation_options *out, const char *folder, struct arena *arena,
                                    struct diag *diag)
{
    const char *path = arena_printf(arena, "%s/investigation.json", folder), *file;
    AUTO(json_release) json_t *document = NULL;
    double budget_s, patience_s;
    long long seed;
    if (!path)
        return arena_exhausted(arena, diag);
    if (access(path, F_OK) < 0)
        return diag_fail(diag, ERR_CONFIG, folder, "name the folder of an investigation (--out)",
                         "holds no investigation");
    TRY(json_read_file(&document, path, diag));
    TRY(json_get_string(&file, document, "file", diag));
    TRY(json_get_integer(&seed, document, "seed", diag));
    TRY(json_get_number(&budget_s, document, "budget_s", diag));
    TRY(json_get_number(&patience_s, document, "patience_s", diag));
    out->file = arena_strdup(arena, file);
    out->only = arena_strdup(arena, json_string_value(json_object_get(document, "only")));
    out->folder = folder;
    out->seed = (uint64_t)seed;
    out->budget_ns = (uint64_t)(budget_s * 1e9);
    out->patience_ns = (uint64_t)(patience_s * 1e9);
    return out->file ? ERR_OK : arena_exhausted(arena, diag);
}

static enum err prepare(struct investigation *self)
{
    const struct investigation_options *options = self->options;
    struct pipeline *pipeline;
    const char *lab_folder = arena_printf(&self->arena, "%s/lab", options->folder);
    if (!lab_folder)
        return arena_exhausted(&self->arena, self->diag);
    TRY(pipeline_load(&pipeline, options->file, &self->arena, self->diag));
    self->pipeline = pipeline;
    TRY(dir_make(options->folder, self->diag));
    TRY(dir_lock(&self->lock_fd, options->folder, self->diag));
    if (!options->resume)
        TRY(claim_folder(options, pipeline->path, &self->arena, self->diag));
    TRY(loop_new(&self->loop, self->diag));
    TRY(loop_watch_interrupts(self->loop, on_signal, self, self->diag));
    struct lab_options lab = {.folder = lab_folder,
                              .seed = options->seed,
                              .budget_ns = options->budget_ns,
                              .resume = options->resume,
                              .record_cpu = true};
    return lab_new(&self->lab, pipeline, &lab, self->loop, self->diag);
}

static enum err conclude(struct investigation *self)
{
    AUTO(outcome_fini) struct outcome outcome = {0};
    lab_free(&self->lab); /* services stop and the journal ends before anything is judged */
    TRY(outcome_load(&outcome, self->options->folder, &self->arena, self->diag));
    return outcome_write(&outcome, self->options->folder, &self->arena, self->diag);
}

static void release(struct investigation *self)
{
    for (size_t i = 0; i < self->agent_count; i++)
        agent_process_fini(&self->agents[i]);
    lab_free(&self->lab);
    loop_free(&self->loop);
    json_decref(self->profile);
    fd_close(&self->lock_fd);
    arena_fini(&self->arena);
}

enum err investigation_run(const struct investigation_options *options, investigation_watch *watch, void *context,
                           struct diag *diag)
{
    struct investigation self = {.options = options, .diag = diag, .lock_fd = -1};
    arena_init(&self.arena, ARENA_BYTES);
    enum err error = prepare(&self);
    if (error == ERR_OK)
        error = follow_course(&self, watch, context);
    if (error == ERR_OK)
        error = conclude(&self);
    release(&self);
    return error;
}
