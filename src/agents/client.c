/* SPDX-License-Identifier: Apache-2.0
 *
 * How the pipeline uses its database client, as far as spans of the ingest stage show it: calls, rows and bytes a call,
 * computing or waiting inside a call. Client knobs are bounded first and measured where the bound is worth it.
 */
#include "agents/agent.h"
#include "agents/baseline.h"
#include "agents/weigh.h"
#include "finding/say.h"

#include <math.h>

static const char *share_text(struct arena *arena, double share)
{
    return isfinite(share) ? arena_strdup(arena, say_percent(share).text) : "not measured";
}

static void describe_calls(struct findings *findings, const struct stage_summary *ingest, double items,
                           struct arena *arena)
{
    static const char *const columns[] = {"what", "value", NULL};
    double calls = (double)ingest->spans, sum_s = ingest->running_s + ingest->waiting_s;
    const char *rows[][3] = {
        {"calls a run", arena_printf(arena, "%.0f", calls), NULL},
        {"calls an item", arena_printf(arena, "%.1f", items > 0 ? calls / items : 0), NULL},
        {"rows a call", arena_printf(arena, "%.0f", (double)ingest->rows / calls), NULL},
        {"bytes a call", arena_strdup(arena, say_bytes((double)ingest->bytes / calls).text), NULL},
        {"median call", arena_strdup(arena, say_seconds(ingest->p50_s).text), NULL},
        {"slowest call", arena_strdup(arena, say_seconds(ingest->max_s).text), NULL},
        {"computing inside calls", share_text(arena, ingest->running_s / sum_s), NULL},
        {"waiting inside calls", share_text(arena, ingest->waiting_s / sum_s), NULL},
    };
    findings_table(findings, "How the client is used", columns);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        findings_row(findings, rows[i]);
}

static void say_style(struct findings *findings, const struct stage_summary *ingest, const struct brief *brief)
{
    double rows_a_call = (double)ingest->rows / (double)ingest->spans;
    struct quantity value = {{rows_a_call, rows_a_call, rows_a_call}, UNIT_ROWS};
    findings_claim(findings, BASIS_MEASURED, &value, brief->baseline_runs, "the client sends %s: %.0f rows a call",
                   rows_a_call >= 100 ? "in bulk" : "in small pieces", rows_a_call);
    findings_summary(findings, "%s sends %.0f rows a call and takes %s of the run", ingest->name, rows_a_call,
                     say_share(ingest->share).text);
}

static enum err run(struct findings *findings, struct agent_task *task, struct diag *diag)
{
    const char *stage = database_stage(task->brief);
    struct baseline baseline;
    TRY(baseline_of_brief(&baseline, task, diag));
    size_t at = stage ? profile_stage(baseline.profile, stage) : baseline.profile->stage_count;
    if (at < baseline.profile->stage_count && baseline.profile->stages[at].spans > 0) {
        const struct stage_summary *ingest = &baseline.profile->stages[at];
        findings_looked_at(findings, "the spans of %s in %zu baseline runs", stage, baseline.run_count);
        describe_calls(findings, ingest, (double)baseline.profile->stages[0].spans, task->arena);
        say_style(findings, ingest, task->brief);
        findings_capacity(findings, stage, ingest->capacity_rows_s);
    } else {
        findings_summary(findings, "no stage of kind \"database\" left a span: nothing to say about a client");
    }
    findings_not_looked_at(findings, "connections opened, flushes and replies on the wire: spans do not show them");
    findings_not_looked_at(findings, "other protocols of the database: only what a knob can set was considered");
    TRY(weigh_own(findings, "client", task, diag));
    weigh_others(findings, "client", stage, &baseline, task);
    return ERR_OK;
}

const struct agent agent_client = {
    .name = "client",
    .folder = "client-library",
    .question = "Is the database client used as it wants to be used?",
    .run = run,
};
