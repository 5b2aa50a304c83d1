/* SPDX-License-Identifier: Apache-2.0
 *
 * `venturi profile FILE`: a few runs of the baseline and one table of where their time goes.
 */
#include "cli/command.h"

#include "agents/baseline.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/json.h"
#include "cli/private_lab.h"
#include "cli/show.h"
#include "report/report.h"

#define ARENA_BYTES ((size_t)1 << 30)
#define DEFAULT_BUDGET_NS (600 * NS_PER_S)

static enum err print_profile(const struct profile *profile, bool as_json, struct arena *arena, struct diag *diag)
{
    AUTO(json_release) json_t *json = profile_json(profile);
    if (!json)
        return diag_fail(diag, ERR_MEMORY, NULL, NULL, "out of memory");
    if (as_json)
        return show_json(json, diag);
    struct document *document;
    TRY(report_profile(&document, json, arena, diag));
    return show_document(document, diag);
}

static enum err use_runs(void *context, const json_t *experiment, const char *lab_folder, struct diag *diag)
{
    const struct settings *settings = context;
    AUTO(arena_fini) struct arena arena;
    struct baseline baseline;
    struct rng rng;
    arena_init(&arena, ARENA_BYTES);
    rng_init(&rng, settings->seed);
    const char *const *runs = experiment_runs(experiment, 0, &arena);
    if (!runs)
        return arena_exhausted(&arena, diag);
    TRY(baseline_read(&baseline, runs, lab_folder, &rng, &arena, diag));
    return print_profile(baseline.profile, settings->json, &arena, diag);
}

static enum status run(const struct invocation *invocation)
{
    struct settings settings = invocation->settings;
    struct private_lab_options options = {.file = invocation->operands[0],
                                          .folder = settings.out,
                                          .seed = settings.seed,
                                          .budget_ns = settings.budget_ns};
    struct diag diag = {0};
    AUTO(json_release)
    json_t *request =
        json_pack("{s:s, s:{}, s:I, s:s}", "op", "run", "a", "runs", (json_int_t)settings.runs, "purpose", "profile");
    if (!request)
        return fail(diag_fail(&diag, ERR_MEMORY, NULL, NULL, "out of memory"), &diag);
    enum err error = private_lab_with(request, &options, use_runs, &settings, &diag);
    return error == ERR_OK ? STATUS_DONE : fail(error, &diag);
}

static const struct cli_option options[] = {
    {"runs", "N", OPTION_COUNT, OPTION_FIELD(runs), "How many runs; default 3"},
    {"out", "FOLDER", OPTION_TEXT, OPTION_FIELD(out), "Keep the journal and traces there; default a temporary folder"},
    {"budget", "TIME", OPTION_DURATION, OPTION_FIELD(budget_ns), "Time for measuring; default 10m"},
    {"seed", "N", OPTION_COUNT, OPTION_FIELD(seed), "Seed of every random choice; default 1"},
    {"json", NULL, OPTION_FLAG, OPTION_FIELD(json), "Print the profile as JSON"},
    {0},
};

const struct command command_profile = {
    .name = "profile",
    .operands = "FILE",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "Show where the time of a pipeline goes",
    .description = "Runs the pipeline of FILE a few times as it is and prints, for each stage: time, share of the run, "
                   "rows/s when "
                   "nothing else limits it, waiting or running, and peak memory.",
    .options = options,
    .defaults = {.runs = 3, .budget_ns = DEFAULT_BUDGET_NS, .seed = 1},
    .run = run,
};
