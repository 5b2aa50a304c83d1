/* SPDX-License-Identifier: Apache-2.0 */
#include "investigate/outcome.h"

#include "agents/agent.h"
#include "agents/baseline.h"
#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "lab/lab.h"
#include "report/report.h"
#include "synthesis/synthesis.h"

#include <string.h>
#include <unistd.h>

static bool is_baseline_run(const json_t *run)
{
    return strcmp(json_string_or(run, "outcome", ""), "ok") == 0 &&
           json_object_size(json_object_get(run, "settings")) == 0 && !json_is_true(json_object_get(run, "warm_up"));
}

/* When the last run began: the one time that a report names, and the same in every replay. */
static const char *last_started(json_t *journal)
{
    const char *id, *last = "";
    json_t *run;
    json_object_foreach(json_object_get(journal, "runs"), id, run)
    {
        const char *started = json_string_or(run, "started", "");
        if (strcmp(started, last) > 0)
            last = started;
    }
    return last;
}

/* The ids of all baseline runs that count, in the order of the journal's keys: the same for every replay. */
static enum err baseline_runs(const char *const **out, json_t *journal, struct arena *arena, struct diag *diag)
{
    json_t *runs = json_object_get(journal, "runs"), *run;
    const char **ids = ARENA_ARRAY(arena, const char *, json_object_size(runs) + 1);
    const char *id;
    size_t count = 0;
    if (!ids)
        return arena_exhausted(arena, diag);
    json_object_foreach(runs, id, run)
    {
        if (is_baseline_run(run))
            ids[count++] = id;
    }
    *out = ids;
    return ERR_OK;
}

/* The closing figures rest on every baseline run of the investigation, not only on the three of the brief. */
static enum err load_profile(struct outcome *out, struct arena *arena, struct diag *diag)
{
    const char *const *runs;
    struct baseline baseline;
    struct rng seed, rng;
    rng_init(&seed, out->brief->seed);
    rng_fork(&rng, &seed, "outcome");
    TRY(baseline_runs(&runs, out->journal, arena, diag));
    TRY(baseline_read(&baseline, runs, out->brief->lab_folder, &rng, arena, diag));
    out->profile = profile_json(baseline.profile);
    return out->profile ? ERR_OK : diag_fail(diag, ERR_MEMORY, NULL, NULL, "out of memory");
}

static enum err load_findings(struct outcome *out, const char *folder, struct arena *arena, struct diag *diag)
{
    size_t count = 0;
    while (agents[count])
        count++;
    out->findings = ARENA_ARRAY(arena, const struct findings *, count);
    if (!out->findings)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < count; i++) {
        const char *path = arena_printf(arena, "%s/%s/findings.json", folder, agents[i]->folder);
        struct findings *findings;
        struct diag rejected = {0};
        char line[sizeof rejected];
        if (!path)
            return arena_exhausted(arena, diag);
        bool asked = access(path, F_OK) == 0;
        if (!asked || findings_read(&findings, path, agents[i]->name, out->brief, arena, &rejected) != ERR_OK)
            TRY(findings_no_answer(&findings, agents[i]->name,
                                   asked ? diag_line(&rejected, line, sizeof line) : "not asked", arena, diag));
        out->findings[out->finding_count++] = findings;
    }
    return ERR_OK;
}

enum err outcome_load(struct outcome *out, const char *folder, struct arena *arena, struct diag *diag)
{
    const char *brief_path = arena_printf(arena, "%s/brief.json", folder);
    const char *lab_folder = arena_printf(arena, "%s/lab", folder);
    if (!brief_path || !lab_folder)
        return arena_exhausted(arena, diag);
    if (access(brief_path, F_OK) < 0)
        return diag_fail(diag, ERR_CONFIG, folder, "run `venturi investigate` or `venturi resume` first",
                         "holds no brief.json");
    TRY(json_read_file(&out->brief_document, brief_path, diag));
    TRY(brief_from_json(&out->brief, out->brief_document, brief_path, arena, diag));
    out->brief->lab_folder = lab_folder; /* the folder may have been moved since */
    TRY(journal_read(&out->journal, lab_folder, diag));
    out->generated = last_started(out->journal);
    TRY(load_profile(out, arena, diag));
    return load_findings(out, folder, arena, diag);
}

void outcome_fini(struct outcome *outcome)
{
    json_decref(outcome->brief_document);
    json_decref(outcome->journal);
    json_decref(outcome->profile);
    *outcome = (struct outcome){0};
}

static struct synthesis_input input_of(const struct outcome *outcome)
{
    return (struct synthesis_input){.brief = outcome->brief,
                                    .profile = outcome->profile,
                                    .findings = outcome->findings,
                                    .finding_count = outcome->finding_count,
                                    .experiments = json_object_get(outcome->journal, "experiments"),
                                    .conditions = json_object_get(outcome->journal, "conditions"),
                                    .journal = "lab/journal.jsonl"};
}

enum err outcome_tie_breakers(json_t **out, const struct outcome *outcome, struct arena *arena, struct diag *diag)
{
    struct synthesis_input input = input_of(outcome);
    return synthesis_tie_breakers(out, &input, arena, diag);
}

enum err outcome_master(json_t **out, const struct outcome *outcome, struct arena *arena, struct diag *diag)
{
    struct synthesis_input input = input_of(outcome);
    return synthesis_master(out, &input, outcome->generated, arena, diag);
}

static enum err write_markdown(const char *folder, const char *name, const struct document *document,
                               struct arena *arena, struct diag *diag)
{
    AUTO(text_fini) struct text out;
    const char *path = arena_printf(arena, "%s/%s", folder, name);
    text_init(&out, DOCUMENT_LIMIT_BYTES);
    if (!path)
        return arena_exhausted(arena, diag);
    TRY(document_markdown(&out, document, diag));
    return file_write_atomic(path, text_string(&out), out.length_bytes, diag);
}

static enum err write_html(const char *folder, const char *title, const struct document *document, struct arena *arena,
                           struct diag *diag)
{
    AUTO(text_fini) struct text out;
    const char *path = arena_printf(arena, "%s/report.html", folder);
    text_init(&out, DOCUMENT_LIMIT_BYTES);
    if (!path)
        return arena_exhausted(arena, diag);
    TRY(document_html(&out, document, title, diag));
    return file_write_atomic(path, text_string(&out), out.length_bytes, diag);
}

static enum err write_agent_reports(const struct outcome *outcome, const char *folder, struct arena *arena,
                                    struct diag *diag)
{
    for (size_t i = 0; i < outcome->finding_count; i++) {
        struct document *document;
        const char *own = arena_printf(arena, "%s/%s", folder, agents[i]->folder);
        if (!own)
            return arena_exhausted(arena, diag);
        if (access(own, F_OK) < 0)
            continue; /* not asked: --only */
        TRY(report_agent(&document, outcome->findings[i], agents[i]->question, arena, diag));
        TRY(write_markdown(own, "REPORT.md", document, arena, diag));
    }
    return ERR_OK;
}

enum err outcome_write(const struct outcome *outcome, const char *folder, struct arena *arena, struct diag *diag)
{
    AUTO(json_release) json_t *master = NULL;
    struct document *document;
    const char *path = arena_printf(arena, "%s/master.json", folder);
    if (!path)
        return arena_exhausted(arena, diag);
    TRY(write_agent_reports(outcome, folder, arena, diag));
    TRY(outcome_master(&master, outcome, arena, diag));
    TRY(report_master(&document, master, arena, diag));
    TRY(json_write_file(path, master, diag));
    TRY(write_html(folder, outcome->brief->pipeline, document, arena, diag));
    return write_markdown(folder, "MASTER_INTEGRATION_REPORT.md", document, arena, diag);
}
