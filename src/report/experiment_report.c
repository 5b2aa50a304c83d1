/* SPDX-License-Identifier: Apache-2.0 */
#include "report/report.h"

#include "base/json.h"
#include "report/figure.h"

static const char *arm_text(const json_t *experiment, size_t index, struct arena *arena)
{
    return figure_settings(json_object_get(json_array_get(json_object_get(experiment, "arms"), index), "settings"),
                           arena);
}

enum err report_experiment(struct document **out, const json_t *experiment, struct arena *arena, struct diag *diag)
{
    static const char *const columns[] = {
        "A", "B", "verdict", "effect (time A / time B)", "pairs", "smallest visible", "confirmed", NULL};
    struct document *document = *out = document_new(arena);
    size_t i;
    const json_t *comparison;
    if (!document)
        return arena_exhausted(arena, diag);
    document_paragraph(document, "%s %s: %s", json_string_or(experiment, "id", ""),
                       json_string_or(experiment, "op", ""), json_string_or(experiment, "reason", ""));
    double delta = json_number_or(experiment, "delta", 0);
    double repeats = json_number_or(experiment, "repeats", 1);
    if (repeats > 1)
        document_paragraph(document, "%s", figure_repeats(arena, repeats));
    if (json_array_size(json_object_get(experiment, "comparisons")) == 0) {
        document_paragraph(
            document, "%zu runs of %s",
            json_array_size(json_object_get(json_array_get(json_object_get(experiment, "arms"), 0), "runs")),
            arm_text(experiment, 0, arena));
        return ERR_OK;
    }
    if (delta > 0)
        document_paragraph(document, "an effect of less than %.3g %% does not matter", 100 * delta);
    document_table(document, columns);
    json_array_foreach(json_object_get(experiment, "comparisons"), i, comparison)
    {
        const char *cells[] = {arm_text(experiment, (size_t)json_number_or(comparison, "a", 0), arena),
                               arm_text(experiment, (size_t)json_number_or(comparison, "b", 0), arena),
                               json_string_or(comparison, "verdict", "cannot_tell"),
                               figure_effect(arena, json_object_get(comparison, "effect"), 0),
                               arena_printf(arena, "%.0f", json_number_or(comparison, "pairs", 0)),
                               arena_printf(arena, "%.3gx", json_number_or(comparison, "visible_ratio", 0)),
                               json_is_true(json_object_get(comparison, "confirmed")) ? "yes" : "no"};
        document_row(document, cells);
    }
    return ERR_OK;
}
