/* SPDX-License-Identifier: Apache-2.0
 *
 * What the database's settings can be worth to this pipeline: the bound from the ingest share first, an experiment only
 * where the bound allows a gain; beside it the settings as the database tells them, against what production use wants.
 */
#include "agents/agent.h"
#include "agents/baseline.h"
#include "agents/weigh.h"
#include "finding/say.h"
#include "target/target.h"
#include "whatif/whatif.h"

static void add_settings(struct findings *findings, const struct target_report *report)
{
    static const char *const columns[] = {"setting", "value", "from", "production use wants", "source", NULL};
    findings_table(findings, "Settings", columns);
    for (size_t i = 0; i < report->setting_count; i++) {
        const struct target_setting *setting = &report->settings[i];
        const char *row[] = {setting->name,   setting->value ? setting->value : "not visible from outside",
                             setting->origin, setting->production,
                             setting->source, NULL};
        findings_row(findings, row);
    }
    for (size_t i = 0; i < report->note_count; i++)
        findings_not_looked_at(findings, "%s", report->notes[i]);
}

static void look_at_server(struct findings *findings, struct agent_task *task)
{
    const struct brief *brief = task->brief;
    const struct target *target = target_named(brief->database_kind);
    struct diag diag = {0};
    struct target_report report;
    char line[sizeof diag];
    if (!brief->database_kind)
        findings_not_looked_at(findings, "settings: pipeline.toml names no [database]");
    else if (!target)
        findings_not_looked_at(findings, "settings: this version does not know databases of kind %s",
                               brief->database_kind);
    else if (target->look(&report, brief->database_url, task->pipeline_folder, task->arena, &diag) != ERR_OK)
        findings_not_looked_at(findings, "settings: %s", diag_line(&diag, line, sizeof line));
    else {
        findings_looked_at(findings, "%s, %zu settings that matter to ingest", report.version, report.setting_count);
        add_settings(findings, &report);
    }
}

/* The plain classes a reader knows: what the best setting could bring. */
static const char *impact_class(double bound)
{
    if (bound < 1.05)
        return "under 5 %";
    return bound < 1.5 ? "about 10 %, below 50 %" : "50 % or more";
}

static void bound_ingest(struct findings *findings, const struct baseline *baseline, size_t at,
                         const struct brief *brief)
{
    const struct stage_summary *ingest = &baseline->profile->stages[at];
    struct interval bound = whatif_bound(baseline->profile, at);
    struct quantity share = {ingest->share, UNIT_SHARE}, ratio = {bound, UNIT_RATIO},
                    rows_s = {ingest->capacity_rows_s, UNIT_ROWS_S};
    findings_claim(findings, BASIS_MEASURED, &share, brief->baseline_runs, "%s takes %s of the run", ingest->name,
                   say_share(ingest->share).text);
    findings_claim(findings, BASIS_BOUNDED, &ratio, brief->baseline_runs,
                   "no database setting can be worth more than %s: impact %s", say_ratio(bound.high).text,
                   impact_class(bound.high));
    findings_claim(findings, BASIS_MEASURED, &rows_s, brief->baseline_runs,
                   "%s takes %s rows/s when nothing else limits it", ingest->name,
                   say_counts(ingest->capacity_rows_s).text);
    findings_capacity(findings, ingest->name, ingest->capacity_rows_s);
    findings_summary(findings, "the database takes %s rows/s; no setting of it can be worth more than %s (%s)",
                     say_count(ingest->capacity_rows_s.mid).text, say_ratio(bound.high).text, impact_class(bound.high));
}

static enum err run(struct findings *findings, struct agent_task *task, struct diag *diag)
{
    const char *stage = database_stage(task->brief);
    struct baseline baseline;
    TRY(baseline_of_brief(&baseline, task, diag));
    size_t at = stage ? profile_stage(baseline.profile, stage) : baseline.profile->stage_count;
    if (at < baseline.profile->stage_count)
        bound_ingest(findings, &baseline, at, task->brief);
    else
        findings_summary(findings, "no stage of kind \"database\" left a span: its share is not known");
    look_at_server(findings, task);
    findings_not_looked_at(findings,
                           "what the server could take from another client: only the pipeline's own rows were timed");
    TRY(weigh_own(findings, "database", task, diag));
    weigh_others(findings, "database", stage, &baseline, task);
    return ERR_OK;
}

const struct agent agent_database = {
    .name = "database",
    .folder = "database-config",
    .question = "Can any database setting make this pipeline faster?",
    .run = run,
};
