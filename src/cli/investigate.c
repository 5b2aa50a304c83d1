/* SPDX-License-Identifier: Apache-2.0
 *
 * `venturi investigate` and `venturi resume`: the main job, and its continuation after an interruption.
 */
#include "cli/command.h"

#include "agents/agent.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "cli/progress.h"
#include "cli/show.h"
#include "investigate/investigation.h"
#include "report/report.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_FOLDER "tmp/perf-optimization"
#define DEFAULT_BUDGET_NS (600 * NS_PER_S)
#define DEFAULT_PATIENCE_NS (60 * NS_PER_S)

/* The agents are this same program: found by what runs, not by name. */
static enum err find_program(char *out, size_t bytes, struct diag *diag)
{
    ssize_t length = readlink("/proc/self/exe", out, bytes - 1);
    if (length < 0)
        return diag_errno(diag, ERR_INTERNAL, errno, "/proc/self/exe", "cannot find venturi itself");
    out[length] = '\0';
    return ERR_OK;
}

static enum err make_absolute(char *out, const char *folder, struct diag *diag)
{
    TRY(dir_make(folder, diag));
    if (!realpath(folder, out))
        return diag_errno(diag, ERR_IO, errno, folder, "cannot resolve the folder");
    return ERR_OK;
}

static enum err print_outcome(const char *folder, bool json, struct diag *diag)
{
    char path[PATH_MAX + 16];
    (void)snprintf(path, sizeof path, "%s/master.json", folder);
    AUTO(json_release) json_t *master = NULL;
    TRY(json_read_file(&master, path, diag));
    if (json)
        return show_json(master, diag);
    AUTO(arena_fini) struct arena arena;
    struct document *document;
    arena_init(&arena, (size_t)64 << 20);
    TRY(report_summary(&document, master, &arena, diag));
    return show_document(document, diag);
}

static enum status carry_out(struct investigation_options *options, const struct settings *settings)
{
    char program[PATH_MAX], folder[PATH_MAX];
    struct diag diag = {0};
    struct progress progress;
    enum err error = find_program(program, sizeof program, &diag);
    if (error == ERR_OK)
        error = make_absolute(folder, options->folder, &diag);
    if (error != ERR_OK)
        return fail(error, &diag);
    const char *shown = options->folder;
    options->program = program;
    options->folder = folder;
    progress_init(&progress, settings->plain);
    error = investigation_run(options, progress_show, &progress, &diag);
    progress_fini(&progress);
    if (error == ERR_OK)
        error = print_outcome(folder, settings->json, &diag);
    if (error != ERR_OK)
        return fail(error, &diag);
    (void)fprintf(stderr, "report: %s/MASTER_INTEGRATION_REPORT.md and %s/report.html\n", shown, shown);
    return STATUS_DONE;
}

static enum err check_only(const char *only, struct diag *diag)
{
    if (!only || agent_named(only))
        return ERR_OK;
    return diag_fail(diag, ERR_CONFIG, "--only", "the agents are profiling, database, client, batch", "no agent '%s'",
                     only);
}

static enum status run_investigate(const struct invocation *invocation)
{
    const struct settings *settings = &invocation->settings;
    struct investigation_options options = {.file = invocation->operands[0],
                                            .folder = settings->out,
                                            .only = settings->only,
                                            .seed = settings->seed,
                                            .budget_ns = settings->budget_ns,
                                            .patience_ns = settings->patience_ns};
    struct diag diag;
    enum err error = check_only(options.only, &diag);
    if (error == ERR_OK && settings->force)
        error = investigation_discard(options.folder, &diag);
    return error == ERR_OK ? carry_out(&options, settings) : fail(error, &diag);
}

static enum status run_resume(const struct invocation *invocation)
{
    const char *folder = invocation->operand_count ? invocation->operands[0] : DEFAULT_FOLDER;
    struct investigation_options options = {.resume = true};
    struct diag diag;
    AUTO(arena_fini) struct arena arena;
    arena_init(&arena, 1 << 20);
    enum err error = investigation_options_read(&options, folder, &arena, &diag);
    return error == ERR_OK ? carry_out(&options, &invocation->settings) : fail(error, &diag);
}

#define SHOWN_OPTIONS                                                                                                  \
    {"json", NULL, OPTION_FLAG, OPTION_FIELD(json), "Print master.json instead of the summary"},                       \
    {                                                                                                                  \
        "plain", NULL, OPTION_FLAG, OPTION_FIELD(plain), "Progress as plain lines, also on a terminal"                 \
    }

static const struct cli_option investigate_options[] = {
    {"out", "FOLDER", OPTION_TEXT, OPTION_FIELD(out), "Where everything goes; default " DEFAULT_FOLDER},
    {"budget", "TIME", OPTION_DURATION, OPTION_FIELD(budget_ns),
     "Time for measuring, such as 270s or 10m; default 10m"},
    {"seed", "N", OPTION_COUNT, OPTION_FIELD(seed), "Seed of every random choice; default 1"},
    {"only", "AGENT", OPTION_TEXT, OPTION_FIELD(only), "Run one agent: profiling, database, client or batch"},
    {"patience", "TIME", OPTION_DURATION, OPTION_FIELD(patience_ns),
     "When a silent agent is taken for hung; default 60s"},
    {"force", NULL, OPTION_FLAG, OPTION_FIELD(force), "Replace an investigation that lies in FOLDER"},
    SHOWN_OPTIONS,
    {0},
};

const struct command command_investigate = {
    .name = "investigate",
    .operands = "FILE",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "Find the bottleneck, price the fixes, and say what to leave alone",
    .description = "Runs the pipeline of FILE under the measuring protocol while four agents (profiling, database, "
                   "client, batch) ask for "
                   "experiments, settles what they disagree on, and writes a master report.\n\n"
                   "Interrupted or killed, it leaves a journal from which `venturi resume` continues.\n\n"
                   "Standard output carries the verdict (JSON with --json), standard error the progress.",
    .options = investigate_options,
    .defaults = {.out = DEFAULT_FOLDER, .budget_ns = DEFAULT_BUDGET_NS, .patience_ns = DEFAULT_PATIENCE_NS, .seed = 1},
    .run = run_investigate,
};

static const struct cli_option resume_options[] = {SHOWN_OPTIONS, {0}};

const struct command command_resume = {
    .name = "resume",
    .operands = "[FOLDER]",
    .operands_max = 1,
    .summary = "Continue an interrupted investigation",
    .description =
        "Keeps every finished run of the journal in FOLDER (default " DEFAULT_FOLDER ") and measures what is missing.",
    .options = resume_options,
    .run = run_resume,
};
