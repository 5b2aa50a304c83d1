/* SPDX-License-Identifier: Apache-2.0
 *
 * `venturi report FOLDER`: judges again from what the investigation left, without running anything.
 */
#include "cli/command.h"

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/show.h"
#include "investigate/outcome.h"
#include "report/report.h"

#include <stdio.h>
#include <string.h>

#define ARENA_BYTES ((size_t)1 << 30)

typedef enum err write_text(struct text *out, const struct document *document, const char *title, struct diag *diag);

static enum err write_markdown(struct text *out, const struct document *document, const char *title, struct diag *diag)
{
    (void)title;
    return document_markdown(out, document, diag);
}

static enum err print_as(write_text *write, const struct document *document, const char *title, struct diag *diag)
{
    AUTO(text_fini) struct text out;
    text_init(&out, DOCUMENT_LIMIT_BYTES);
    TRY(write(&out, document, title, diag));
    (void)fputs(text_string(&out), stdout);
    return ERR_OK;
}

static enum err print(const json_t *master, const char *format, struct arena *arena, struct diag *diag)
{
    struct document *document;
    if (strcmp(format, "json") == 0)
        return show_json(master, diag);
    TRY(report_master(&document, master, arena, diag));
    if (strcmp(format, "terminal") == 0)
        return show_document(document, diag);
    if (strcmp(format, "markdown") == 0)
        return print_as(write_markdown, document, NULL, diag);
    if (strcmp(format, "html") == 0)
        return print_as(document_html, document, json_string_or(master, "pipeline", "venturi"), diag);
    return diag_fail(diag, ERR_CONFIG, "--format", "the formats are terminal, markdown, html, json", "no format '%s'",
                     format);
}

static enum err replay(const struct invocation *invocation, struct arena *arena, struct diag *diag)
{
    AUTO(outcome_fini) struct outcome outcome = {0};
    AUTO(json_release) json_t *master = NULL;
    const char *folder = invocation->operand_count ? invocation->operands[0] : "tmp/perf-optimization";
    TRY(outcome_load(&outcome, folder, arena, diag));
    TRY(outcome_master(&master, &outcome, arena, diag));
    return print(master, invocation->settings.json ? "json" : invocation->settings.format, arena, diag);
}

static enum status run(const struct invocation *invocation)
{
    struct diag diag = {0};
    AUTO(arena_fini) struct arena arena;
    arena_init(&arena, ARENA_BYTES);
    enum err error = replay(invocation, &arena, &diag);
    return error == ERR_OK ? STATUS_DONE : fail(error, &diag);
}

static const struct cli_option options[] = {
    {"format", "FORMAT", OPTION_TEXT, OPTION_FIELD(format), "terminal (default), markdown, html or json"},
    {"json", NULL, OPTION_FLAG, OPTION_FIELD(json), "The same as --format=json"},
    {0},
};

const struct command command_report = {
    .name = "report",
    .operands = "[FOLDER]",
    .operands_max = 1,
    .summary = "Judge again from an investigation's folder and print the report",
    .description =
        "Replays the synthesis from the brief, the findings, the journal and the traces in FOLDER (default "
        "tmp/perf-optimization). Nothing is run and nothing is written. The same folder gives the same bytes.",
    .options = options,
    .defaults = {.format = "terminal"},
    .run = run,
};
