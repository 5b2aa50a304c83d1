/* SPDX-License-Identifier: Apache-2.0
 *
 * judge FOLDER...: from brief.json, experiments.json and <agent>.json in each folder to master.json, tie_breakers.json
 * and the reports in every form. A finding that breaks the contract becomes "no answer", as in an investigation; its
 * reason goes to rejected.json.
 */
#include "base/arena.h"
#include "base/json.h"
#include "finding/finding.h"
#include "report/report.h"
#include "synthesis/synthesis.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AGENTS = 4 };
static const char *const AGENT_NAMES[AGENTS] = {"profiling", "database", "client", "batch"};

struct work {
    const char *folder;
    bool reports;
    struct arena *arena;
    struct diag *diag;
};

static const char *path_to(const struct work *work, const char *name, const char *suffix)
{
    const char *path = arena_printf(work->arena, "%s/%s%s", work->folder, name, suffix);
    return path ? path : "";
}

/* Not file_write_atomic: thousands of fsyncs would make the tests slow. */
static enum err write_bytes(const struct work *work, const char *name, const char *suffix, const char *bytes,
                            size_t count)
{
    const char *path = path_to(work, name, suffix);
    FILE *file = fopen(path, "w");
    bool written = file && fwrite(bytes, 1, count, file) == count;
    if (file && fclose(file) != 0)
        written = false;
    return written ? ERR_OK : diag_errno(work->diag, ERR_IO, errno, path, "cannot write");
}

static enum err write_json(const struct work *work, const char *name, const char *suffix, const json_t *json)
{
    char *line = json_line(json);
    if (!line)
        return arena_exhausted(work->arena, work->diag);
    enum err error = write_bytes(work, name, suffix, line, strlen(line));
    free(line);
    return error;
}

static enum err write_text(const struct work *work, const char *name, const char *suffix, const struct text *text)
{
    return write_bytes(work, name, suffix, text_string(text), text->length_bytes);
}

static enum err write_forms(const struct work *work, const char *name, const struct document *document)
{
    if (!work->reports)
        return ERR_OK;
    AUTO(text_fini) struct text markdown, html, terminal, coloured;
    text_init(&markdown, DOCUMENT_LIMIT_BYTES);
    text_init(&html, DOCUMENT_LIMIT_BYTES);
    text_init(&terminal, DOCUMENT_LIMIT_BYTES);
    text_init(&coloured, DOCUMENT_LIMIT_BYTES);
    TRY(document_markdown(&markdown, document, work->diag));
    TRY(document_html(&html, document, name, work->diag));
    TRY(document_terminal(&terminal, document, 100, false, work->diag));
    TRY(document_terminal(&coloured, document, 60, true, work->diag));
    TRY(write_text(work, name, ".md", &markdown));
    TRY(write_text(work, name, ".html", &html));
    TRY(write_text(work, name, ".txt", &terminal));
    return write_text(work, name, ".ansi", &coloured);
}

static enum err read_agents(struct findings **out, const struct brief *brief, const struct work *work)
{
    AUTO(json_release) json_t *rejected = json_object();
    for (size_t i = 0; i < AGENTS; i++) {
        struct diag reason = {0};
        char line[sizeof reason];
        enum err error =
            findings_read(&out[i], path_to(work, AGENT_NAMES[i], ".json"), AGENT_NAMES[i], brief, work->arena, &reason);
        if (error == ERR_OK)
            continue;
        (void)diag_line(&reason, line, sizeof line);
        TRY(findings_no_answer(&out[i], AGENT_NAMES[i], line, work->arena, work->diag));
        if (json_object_set_new(rejected, AGENT_NAMES[i], json_string(out[i]->why)) != 0)
            return arena_exhausted(work->arena, work->diag);
    }
    return write_json(work, "rejected", ".json", rejected);
}

static enum err write_agents(struct findings *const *findings, const struct work *work)
{
    for (size_t i = 0; i < AGENTS; i++) {
        struct document *document;
        AUTO(json_release) json_t *json = NULL;
        TRY(findings_to_json(&json, findings[i], work->diag));
        TRY(write_json(work, AGENT_NAMES[i], ".out.json", json));
        TRY(report_agent(&document, findings[i], "What does this layer do?", work->arena, work->diag));
        TRY(write_forms(work, AGENT_NAMES[i], document));
    }
    return ERR_OK;
}

static enum err write_master(const struct synthesis_input *input, const struct work *work)
{
    AUTO(json_release) json_t *master = NULL, *tie_breakers = NULL;
    struct document *document;
    TRY(synthesis_tie_breakers(&tie_breakers, input, work->arena, work->diag));
    TRY(write_json(work, "tie_breakers", ".json", tie_breakers));
    TRY(synthesis_master(&master, input, "2026-01-31T12:00:00Z", work->arena, work->diag));
    TRY(write_json(work, "master", ".json", master));
    TRY(report_master(&document, master, work->arena, work->diag));
    TRY(write_forms(work, "master", document));
    TRY(report_summary(&document, master, work->arena, work->diag));
    return write_forms(work, "summary", document);
}

static enum err write_details(const struct synthesis_input *input, const struct work *work)
{
    struct document *document;
    const json_t *first = json_object_iter_value(json_object_iter((json_t *)input->experiments));
    TRY(report_profile(&document, input->profile, work->arena, work->diag));
    TRY(write_forms(work, "profile", document));
    if (!first)
        return ERR_OK;
    TRY(report_experiment(&document, first, work->arena, work->diag));
    return write_forms(work, "experiment", document);
}

static enum err judge(const struct work *work)
{
    AUTO(json_release) json_t *brief_json = NULL, *experiments = NULL, *again = NULL;
    struct brief *brief;
    struct findings *findings[AGENTS];
    TRY(json_read_file(&brief_json, path_to(work, "brief", ".json"), work->diag));
    TRY(brief_from_json(&brief, brief_json, "brief.json", work->arena, work->diag));
    TRY(brief_to_json(&again, brief, work->diag));
    TRY(write_json(work, "brief", ".out.json", again));
    TRY(json_read_file(&experiments, path_to(work, "experiments", ".json"), work->diag));
    TRY(read_agents(findings, brief, work));
    const struct synthesis_input input = {.brief = brief,
                                          .profile = brief->profile,
                                          .findings = (const struct findings *const *)findings,
                                          .finding_count = AGENTS,
                                          .experiments = experiments,
                                          .journal = "lab/journal.jsonl"};
    TRY(write_agents(findings, work));
    TRY(write_details(&input, work));
    return write_master(&input, work);
}

int main(int argc, char **argv)
{
    int failed = 0;
    bool reports = argc < 2 || strcmp(argv[1], "--json") != 0;
    for (int i = reports ? 1 : 2; i < argc; i++) {
        struct diag diag = {0};
        char line[sizeof diag];
        AUTO(arena_fini) struct arena arena;
        arena_init(&arena, (size_t)256 << 20);
        struct work work = {.folder = argv[i], .reports = reports, .arena = &arena, .diag = &diag};
        if (judge(&work) != ERR_OK) {
            (void)fprintf(stderr, "%s: %s\n", argv[i], diag_line(&diag, line, sizeof line));
            failed = 1;
        }
    }
    return failed;
}
