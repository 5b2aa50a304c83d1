/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/runner.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "lab/sampler.h"
#include "profile/profile.h"
#include "trace/reader.h"
#include "trace/rings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_LIMIT_BYTES ((size_t)1024 * 1024 * 1024) /* mostly the trace, while its rows are added up */

struct runner {
    const struct run_order *order;
    struct loop *loop;
    runner_done *done;
    void *context;
    struct arena arena;
    const char *const *env;         /* of before and check */
    const char *const *command_env; /* of the command: with its trace */
    size_t step;                    /* before commands, the command, the check */
    struct child *child;
    struct sampler sampler;
    struct rings rings; /* of the command */
    uint64_t started_ns;
    struct run_result result;
};

static const struct pipeline *pipeline_of(const struct runner *runner)
{
    return runner->order->variant->pipeline;
}

static bool is_command(const struct runner *runner)
{
    return runner->step == pipeline_of(runner)->before_count;
}

static bool is_check(const struct runner *runner)
{
    return runner->step > pipeline_of(runner)->before_count;
}

static enum err make_environments(struct runner *runner, struct diag *diag)
{
    enum { EXTRA = 4 };
    char path[RINGS_PATH_BYTES];
    const struct run_order *order = runner->order;
    size_t count = 0;
    TRY(variant_env(&runner->env, order->variant, &runner->arena, diag));
    while (runner->env[count])
        count++;
    const char **env = ARENA_ARRAY(&runner->arena, const char *, count + EXTRA + 1);
    const char *trace = arena_printf(&runner->arena, "VENTURI_TRACE=%s", order->trace_folder);
    const char *ring = arena_printf(&runner->arena, "VENTURI_RING=%s", rings_path(path, &runner->rings));
    const char *padding = arena_printf(&runner->arena, "VENTURI_PADDING=%0*d", (int)order->padding_bytes, 0);
    if (!env || !trace || !ring || !padding)
        return arena_exhausted(&runner->arena, diag);
    memcpy(env, runner->env, count * sizeof *env);
    env[count++] = trace;
    env[count++] = ring;
    env[count++] = padding;
    if (order->record_cpu)
        env[count] = "VENTURI_CPU=1";
    runner->command_env = env;
    return ERR_OK;
}

static enum err argv_of_step(struct argv *out, struct runner *runner, struct diag *diag)
{
    const struct pipeline *pipeline = pipeline_of(runner);
    if (is_command(runner))
        return variant_command(out, runner->order->variant, runner->order->ports, &runner->arena, diag);
    const struct argv *template = is_check(runner) ? &pipeline->check : &pipeline->before[runner->step];
    return ports_fill_argv(out, template, NULL, runner->order->ports, &runner->arena, diag);
}

static void finish(struct runner *runner)
{
    struct run_result *result = &runner->result;
    unsigned times = result->repeats;
    result->duration_s /= times;
    result->cpu_s /= times;
    result->read_bytes /= times;
    result->written_bytes /= times;
    result->cost_s = (double)(clock_monotonic_ns() - runner->started_ns) / (double)NS_PER_S;
    runner->done(runner->context, result); /* may free us */
}

static void fail_because(struct runner *runner, const char *step, const char *why)
{
    runner->result.status = RUN_FAILED;
    (void)snprintf(runner->result.why, sizeof runner->result.why, "%s%s", step, why);
}

static void fail_with(struct runner *runner, const struct diag *diag)
{
    char line[sizeof *diag + 8];
    fail_because(runner, "", diag_line(diag, line, sizeof line));
}

static void on_step(void *context, const struct child_result *result);

static enum err start_step(struct runner *runner, struct diag *diag)
{
    struct argv argv;
    TRY(argv_of_step(&argv, runner, diag));
    struct child_options options = {
        .argv = argv.items,
        .env = is_command(runner) ? runner->command_env : runner->env,
        .folder = pipeline_of(runner)->folder,
        .timeout_ns = pipeline_of(runner)->timeout_ns,
    };
    TRY(child_start(&runner->child, &options, runner->loop, on_step, runner, diag));
    if (is_command(runner))
        return sampler_start(&runner->sampler, runner->loop, runner->child, runner->order->trace_folder, diag);
    return ERR_OK;
}

static void copy_end(char out[RUN_OUTPUT_BYTES + 1], const struct child_output *output)
{
    const char *text = output->tail[0] ? output->tail : output->head;
    size_t length = strlen(text), skip = length > RUN_OUTPUT_BYTES ? length - RUN_OUTPUT_BYTES : 0;
    memcpy(out, text + skip, length - skip + 1);
}

static int exit_number(const struct child_result *result)
{
    bool by_signal = result->outcome == CHILD_SIGNALLED;
    return result->outcome == CHILD_NOT_STARTED ? -1 : by_signal ? 128 + result->code : result->code;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void note_command(struct runner *runner, const struct child_result *child)
{
    struct run_result *result = &runner->result;
    uint64_t sampled_bytes = runner->sampler.peak_bytes;
    sampler_stop(&runner->sampler);
    result->exit = exit_number(child);
    result->duration_s += (double)(child->ended_ns - child->started_ns) / (double)NS_PER_S;
    result->cpu_s += child->cpu_s;
    result->peak_bytes = larger(result->peak_bytes, larger(child->peak_bytes, sampled_bytes));
    result->read_bytes += child->read_bytes;
    result->written_bytes += child->written_bytes;
    result->stdout_bytes = child->out.bytes;
    result->stderr_bytes = child->err.bytes;
    (void)snprintf(result->head, sizeof result->head, "%s", child->out.head);
    copy_end(result->tail, child->err.bytes ? &child->err : &child->out);
}

static void note_check(struct runner *runner, const struct child_result *child)
{
    struct sha256 hash;
    char bytes[32], check[SHA256_TEXT_BYTES];
    sha256_init(&hash);
    sha256_add(&hash, child->out.head, strlen(child->out.head));
    sha256_add(&hash, child->out.tail, strlen(child->out.tail));
    /* The middle of a flood is not kept: its length counts. */
    if (child->out.tail[0])
        sha256_add(&hash, bytes, (size_t)snprintf(bytes, sizeof bytes, "%zu", child->out.bytes));
    (void)sha256_text(check, &hash);
    runner->result.uneven |= runner->result.repeats > 1 && strcmp(check, runner->result.check) != 0;
    memcpy(runner->result.check, check, sizeof check);
}

static bool has_rows(const struct run_result *result)
{
    return result->spans > 0 && result->lost_spans == 0;
}

static enum err read_rows(struct runner *runner, struct diag *diag)
{
    struct trace *trace;
    struct run_profile *profile;
    const struct run_result before = runner->result;
    TRY(rings_save(&runner->rings, runner->order->trace_folder, diag));
    TRY(trace_read(&trace, runner->order->trace_folder, &runner->arena, diag));
    TRY(profile_run(&profile, trace, &runner->arena, diag));
    runner->result.rows = profile->rows;
    runner->result.spans = trace->span_count;
    runner->result.lost_spans = profile->lost_spans;
    runner->result.uneven |=
        before.repeats > 1 && has_rows(&before) && has_rows(&runner->result) && before.rows != runner->result.rows;
    return ERR_OK;
}

static void end_repetition(struct runner *runner)
{
    rings_close(&runner->rings);
    arena_fini(&runner->arena);
}

static enum err begin_repetition(struct runner *runner, struct diag *diag)
{
    runner->step = 0;
    runner->result.repeats++;
    arena_init(&runner->arena, ARENA_LIMIT_BYTES);
    TRY(dir_remove(runner->order->trace_folder, diag)); /* of the last repetition, or a run that a crash cut short */
    TRY(dir_make(runner->order->trace_folder, diag));
    TRY(rings_open(&runner->rings, diag));
    TRY(make_environments(runner, diag));
    return start_step(runner, diag);
}

/* *more: another one goes on. */
static enum err close_repetition(bool *more, struct runner *runner, struct diag *diag)
{
    TRY(read_rows(runner, diag));
    *more = runner->result.repeats < runner->order->repeats && !runner->result.uneven;
    if (!*more)
        return ERR_OK;
    end_repetition(runner);
    return begin_repetition(runner, diag);
}

/* False when the run ends here, well or not. */
static bool next_step(struct runner *runner)
{
    struct diag diag = {0};
    const struct pipeline *pipeline = pipeline_of(runner);
    bool last = ++runner->step == pipeline->before_count + 1 + (pipeline->check.count > 0), more = true;
    enum err error = last ? close_repetition(&more, runner, &diag) : start_step(runner, &diag);
    if (error != ERR_OK)
        fail_with(runner, &diag);
    return error == ERR_OK && more;
}

static void on_step(void *context, const struct child_result *child)
{
    struct runner *runner = context;
    char text[OUTCOME_TEXT_BYTES];
    bool ok = child->outcome == CHILD_EXITED && child->code == 0;
    if (is_command(runner))
        note_command(runner, child);
    else if (is_check(runner))
        note_check(runner, child);
    if (!ok) {
        const char *step = is_command(runner) ? "" : is_check(runner) ? "the check command " : "a before command ";
        fail_because(runner, step, outcome_text(text, child));
        if (is_command(runner) && child->outcome == CHILD_TIMED_OUT)
            runner->result.status = RUN_TIMED_OUT;
    }
    child_free(&runner->child);
    if (!ok || !next_step(runner))
        finish(runner);
}

enum err runner_start(struct runner **out, const struct run_order *order, struct loop *loop, runner_done *done,
                      void *context, struct diag *diag)
{
    struct runner *runner = calloc(1, sizeof *runner);
    if (!runner)
        return diag_fail(diag, ERR_MEMORY, NULL, NULL, "out of memory for a run");
    *runner = (struct runner){.order = order, .loop = loop, .done = done, .context = context, .rings = {.fd = -1}};
    runner->started_ns = clock_monotonic_ns();
    runner->result.exit = -1;
    (void)clock_utc(runner->result.started, sizeof runner->result.started);
    enum err error = begin_repetition(runner, diag);
    if (error != ERR_OK) {
        runner_free(&runner);
        return error;
    }
    *out = runner;
    return ERR_OK;
}

void runner_abort(struct runner *runner, const char *why)
{
    sampler_stop(&runner->sampler);
    child_free(&runner->child);
    fail_because(runner, "", why);
    finish(runner);
}

void runner_free(struct runner **runner)
{
    if (!*runner)
        return;
    sampler_stop(&(*runner)->sampler);
    child_free(&(*runner)->child);
    end_repetition(*runner);
    free(*runner);
    *runner = NULL;
}
