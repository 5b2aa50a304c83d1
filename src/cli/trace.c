/* SPDX-License-Identifier: Apache-2.0
 *
 * `venturi trace info|stats|export|pack TRACE`: looks into what a run recorded, without a pipeline file.
 */
#include "cli/command.h"

#include "base/arena.h"
#include "base/file.h"
#include "base/json.h"
#include "cli/show.h"
#include "profile/info.h"
#include "profile/profile.h"
#include "report/report.h"
#include "trace/export.h"
#include "trace/pack.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define ARENA_BYTES ((size_t)8 << 30)

typedef enum err operation(const struct invocation *invocation, struct arena *arena, struct diag *diag);

static enum err info(const struct invocation *invocation, struct arena *arena, struct diag *diag)
{
    AUTO(json_release) json_t *json = NULL;
    struct document *document;
    TRY(trace_info(&json, invocation->operands[1], arena, diag));
    if (invocation->settings.json)
        return show_json(json, diag);
    TRY(report_trace_info(&document, json, arena, diag));
    return show_document(document, diag);
}

/* The document that takes over *runs, and says what several of them have in common. */
static enum err stats_json(json_t **out, json_t **runs, const struct run_profile *const *profiles, size_t count,
                           uint64_t seed, struct arena *arena, struct diag *diag)
{
    json_t *summary = json_null(), *all = *runs;
    struct profile *profile;
    struct rng rng;
    rng_init(&rng, seed);
    if (count > 1) {
        TRY(profile_summarise(&profile, profiles, count, &rng, arena, diag));
        summary = profile_json(profile);
    }
    *runs = NULL;
    *out = json_pack("{s:s, s:o, s:o}", "schema", "venturi.trace-stats/1", "runs", all, "profile", summary);
    return *out ? ERR_OK : diag_fail(diag, ERR_MEMORY, NULL, NULL, "out of memory");
}

static enum err stats(const struct invocation *invocation, struct arena *arena, struct diag *diag)
{
    AUTO(json_release) json_t *json = NULL, *runs = json_array();
    const struct run_profile *profiles[OPERANDS_MAX];
    size_t count = invocation->operand_count - 1;
    struct document *document;
    for (size_t i = 0; i < count; i++) {
        struct run_profile *run;
        TRY(profile_trace(&run, invocation->operands[1 + i], arena, diag));
        profiles[i] = run;
        if (json_array_append_new(runs, run_profile_json(run)) != 0)
            return diag_fail(diag, ERR_MEMORY, NULL, NULL, "out of memory");
    }
    TRY(stats_json(&json, &runs, profiles, count, invocation->settings.seed, arena, diag));
    if (invocation->settings.json)
        return show_json(json, diag);
    TRY(report_trace_stats(&document, json, arena, diag));
    return show_document(document, diag);
}

struct exporting {
    const char *from;
    enum trace_text text;
    struct arena *arena;
};

static enum err write_export(int fd, const char *path, void *context, struct diag *diag)
{
    const struct exporting *exporting = context;
    return trace_export(fd, path, exporting->from, exporting->text, exporting->arena, diag);
}

static enum err export(const struct invocation *invocation, struct arena *arena, struct diag *diag) {
    const struct settings *settings = &invocation->settings;
    struct exporting exporting = {.from = invocation->operands[1], .arena = arena};
    if (!trace_text_named(&exporting.text, settings->format)) return diag_fail(diag, ERR_CONFIG, "--format",
                                                                               "the formats are csv, jsonl, chrome",
                                                                               "no format '%s'", settings->format);
    if (!settings->out) return write_export(STDOUT_FILENO, "standard output", &exporting, diag);
    return file_write_atomic_from(settings->out, &(struct file_content){write_export, &exporting}, diag);
}

static enum err pack(const struct invocation *invocation, struct arena *arena, struct diag *diag)
{
    if (!invocation->settings.out)
        return diag_fail(diag, ERR_CONFIG, "trace pack", "such as -o run.trace", "needs --out");
    return trace_pack(invocation->operands[1], invocation->settings.out, arena, diag);
}

/* That there is nothing of that name is a mistake of who typed it, not a failure to read. */
static enum err check_operands(const struct invocation *invocation, size_t traces_max, struct diag *diag)
{
    if (invocation->operand_count - 1 > traces_max)
        return diag_fail(diag, ERR_CONFIG, "trace", NULL, "%s takes one trace", invocation->operands[0]);
    for (size_t i = 1; i < invocation->operand_count; i++)
        if (access(invocation->operands[i], F_OK) != 0)
            return diag_errno(diag, ERR_CONFIG, errno, invocation->operands[i], "cannot open the trace");
    return ERR_OK;
}

static const struct {
    const char *name;
    operation *run;
    size_t traces_max;
} operations[] = {{"info", info, 1}, {"stats", stats, OPERANDS_MAX - 1}, {"export", export, 1}, {"pack", pack, 1}};

static enum err carry_out(const struct invocation *invocation, struct diag *diag)
{
    const char *name = invocation->operands[0];
    AUTO(arena_fini) struct arena arena;
    arena_init(&arena, ARENA_BYTES);
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        if (strcmp(operations[i].name, name) != 0)
            continue;
        TRY(check_operands(invocation, operations[i].traces_max, diag));
        return operations[i].run(invocation, &arena, diag);
    }
    return diag_fail(diag, ERR_CONFIG, "trace", "the operations are info, stats, export, pack", "no operation '%s'",
                     name);
}

static enum status run(const struct invocation *invocation)
{
    struct diag diag = {0};
    enum err error = carry_out(invocation, &diag);
    return error == ERR_OK ? STATUS_DONE : fail(error, &diag);
}

static const struct cli_option options[] = {
    {"format", "FORMAT", OPTION_TEXT, OPTION_FIELD(format), "Of export: csv (default), jsonl or chrome"},
    {
        "out",
        "FILE",
        OPTION_TEXT,
        OPTION_FIELD(out),
        "Write export or pack there; export's default is standard output",
    },
    {"seed", "N", OPTION_COUNT, OPTION_FIELD(seed), "Seed of the resampling over several traces; default 1"},
    {"json", NULL, OPTION_FLAG, OPTION_FIELD(json), "Print info or stats as JSON"},
    {0},
};

const struct command command_trace = {
    .name = "trace",
    .operands = "info|stats|export|pack TRACE...",
    .operands_min = 2,
    .operands_max = OPERANDS_MAX,
    .summary = "Look into a trace: what it is, where its time went, as text, as one file",
    .description =
        "TRACE is the folder that VENTURI_TRACE named, or a packed file.\n\ninfo says who wrote it, how much, by which "
        "clock and what was lost. stats adds it up by stage; of several traces, runs of one pipeline, it prints "
        "medians with intervals. export writes every span as text. pack makes one file of a folder.\n\nTraces of any "
        "size are read in bounded memory. Beyond 524288 spans the critical path is not computed.",
    .options = options,
    .defaults = {.format = "csv", .seed = 1},
    .run = run,
};
