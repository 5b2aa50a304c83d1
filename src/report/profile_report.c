/* SPDX-License-Identifier: Apache-2.0 */
#include "report/report.h"

#include "base/json.h"
#include "report/figure.h"
#include "report/stages.h"

#include <math.h>

void report_stage_table(struct document *document, const json_t *stages, struct arena *arena)
{
    static const char *const columns[] = {"stage",   "time",    "share of the run", "rows/s alone",
                                          "running", "waiting", "peak memory",      NULL};
    size_t i;
    const json_t *stage;
    document_table(document, columns);
    json_array_foreach(stages, i, stage)
    {
        double rows = json_number_or(stage, "rows", 0);
        const char *cells[] = {
            json_string_or(stage, "name", "?"),
            figure_seconds(arena, json_number_or(stage, "busy_s", NAN)),
            figure_share(arena, json_object_get(stage, "share")),
            rows > 0
                ? figure_rate(arena, json_number_or(json_object_get(stage, "capacity_rows_s"), "mid", NAN), "rows/s")
                : "no rows",
            figure_seconds(arena, json_number_or(stage, "running_s", NAN)),
            figure_seconds(arena, json_number_or(stage, "waiting_s", NAN)),
            figure_bytes(arena, json_number_or(stage, "peak_bytes", NAN)),
        };
        document_row(document, cells);
    }
}

void report_stage_bars(struct document *document, const json_t *stages, struct arena *arena)
{
    size_t i;
    const json_t *stage;
    json_array_foreach(stages, i, stage)
    {
        const json_t *share = json_object_get(stage, "share");
        document_bar(document, json_string_or(stage, "name", "?"), json_number_or(share, "mid", 0),
                     figure_share(arena, share));
    }
}

enum err report_profile(struct document **out, const json_t *profile, struct arena *arena, struct diag *diag)
{
    struct document *document = *out = document_new(arena);
    const json_t *stages = json_object_get(profile, "stages"), *bottleneck = json_object_get(profile, "bottleneck");
    if (!document)
        return arena_exhausted(arena, diag);
    report_stage_table(document, stages, arena);
    document_paragraph(document, "%.0f runs; wall %s; %s; bottleneck: %s (%s)", json_number_or(profile, "runs", 0),
                       figure_seconds(arena, json_number_or(json_object_get(profile, "wall_s"), "mid", NAN)),
                       figure_rate(arena, json_number_or(json_object_get(profile, "rows_s"), "mid", NAN), "rows/s"),
                       json_string_or(bottleneck, "stage", "none"),
                       json_string_or(bottleneck, "verdict", "cannot_tell"));
    if (json_number_or(profile, "lost_spans", 0) > 0)
        document_callout(document, "%.0f spans were lost: the figures are too low",
                         json_number_or(profile, "lost_spans", 0));
    return ERR_OK;
}
