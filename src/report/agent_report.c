/* SPDX-License-Identifier: Apache-2.0 */
#include "report/report.h"

#include "report/figure.h"

#include <math.h>
#include <string.h>

static const char *ids_text(struct arena *arena, const char *const *ids)
{
    const char *text = "";
    for (size_t i = 0; ids && ids[i] && text; i++)
        text = arena_printf(arena, "%s%s%s", text, i ? ", " : "", ids[i]);
    return text && *text ? text : "none";
}

static const char *estimate_text(struct arena *arena, const struct estimate *estimate)
{
    if (!estimate)
        return "none";
    const struct interval *ratio = &estimate->ratio;
    if (estimate->basis == BASIS_BOUNDED)
        return isfinite(ratio->high) ? arena_printf(arena, "at most %.3gx (bounded)", ratio->high) : "no bound known";
    return arena_printf(arena, "%.3gx [%.3g, %.3g] (%s)", ratio->mid, ratio->low, ratio->high,
                        basis_name(estimate->basis));
}

static void add_claims(struct document *document, const struct findings *findings, struct arena *arena)
{
    static const char *const columns[] = {"claim", "basis", "experiments in lab/journal.jsonl", NULL};
    if (findings->claim_count == 0)
        return;
    document_heading(document, 2, "Claims");
    document_table(document, columns);
    for (size_t i = 0; i < findings->claim_count; i++) {
        const struct claim *claim = &findings->claims[i];
        const char *cells[] = {claim->text, basis_name(claim->basis), ids_text(arena, claim->experiments)};
        document_row(document, cells);
    }
}

static void add_stances(struct document *document, const struct findings *findings, struct arena *arena)
{
    static const char *const columns[] = {"candidate", "stance", "why", "effect", "prediction", "experiments", NULL};
    if (findings->stance_count == 0)
        return;
    document_heading(document, 2, "Stances");
    document_table(document, columns);
    for (size_t i = 0; i < findings->stance_count; i++) {
        const struct stance *stance = &findings->stances[i];
        const char *cells[] = {stance->candidate,
                               vote_name(stance->vote),
                               stance->why,
                               estimate_text(arena, stance->effect),
                               estimate_text(arena, stance->prediction),
                               ids_text(arena, stance->experiments)};
        document_row(document, cells);
    }
}

static void add_lines(struct document *document, const char *title, const struct lines *lines)
{
    if (lines->count == 0)
        return;
    document_heading(document, 2, "%s", title);
    for (size_t i = 0; i < lines->count; i++)
        document_item(document, "%s", lines->items[i]);
}

static void add_tables(struct document *document, const struct findings *findings, struct arena *arena)
{
    for (size_t i = 0; i < findings->table_count; i++) {
        const struct table *table = &findings->tables[i];
        const char **columns = ARENA_ARRAY(arena, const char *, table->column_count + 1);
        if (!columns)
            return;
        memcpy(columns, table->columns, table->column_count * sizeof *columns);
        document_heading(document, 2, "%s", table->title);
        document_table(document, columns);
        for (size_t j = 0; j < table->row_count; j++)
            document_row(document, (const char *const *)table->rows[j]);
    }
}

enum err report_agent(struct document **out, const struct findings *findings, const char *question, struct arena *arena,
                      struct diag *diag)
{
    struct document *document = *out = document_new(arena);
    if (!document)
        return arena_exhausted(arena, diag);
    document_heading(document, 1, "The %s agent: %s", findings->agent, question);
    if (!findings->answered) {
        document_callout(document, "No answer: %s", findings->why ? findings->why : "unknown");
        return ERR_OK;
    }
    if (findings->summary)
        document_callout(document, "%s", findings->summary);
    add_claims(document, findings, arena);
    add_stances(document, findings, arena);
    add_tables(document, findings, arena);
    add_lines(document, "Looked at", &findings->looked_at);
    add_lines(document, "Not looked at", &findings->not_looked_at);
    return ERR_OK;
}
