/* SPDX-License-Identifier: Apache-2.0 */
#include "finding/finding.h"

#include "base/file.h"
#include "base/json.h"
#include "finding/render.h"

#include <stdlib.h>
#include <string.h>

static json_t *ids_json(const char *const *ids)
{
    size_t count = 0;
    while (ids && ids[count])
        count++;
    return texts_json(ids, count);
}

/* Adds one member to an interval or null object; NULL stays NULL. */
static json_t *with_word(json_t *object, const char *key, const char *word)
{
    if (json_is_object(object) && json_object_set_new(object, key, json_string(word)) != 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static json_t *quantity_json(const struct quantity *quantity)
{
    return quantity ? with_word(interval_json(quantity->value), "unit", unit_name(quantity->unit)) : json_null();
}

static json_t *estimate_json(const struct estimate *estimate)
{
    return estimate ? with_word(interval_json(estimate->ratio), "basis", basis_name(estimate->basis)) : json_null();
}

static json_t *change_json(const struct knob_change *change)
{
    return change ? json_pack("{s:s, s:s, s:s}", "knob", change->knob, "from", change->from, "to", change->to)
                  : json_null();
}

static json_t *claim_item(const void *items, size_t index)
{
    const struct claim *claim = (const struct claim *)items + index;
    return json_pack("{s:s, s:s, s:o, s:o}", "text", claim->text, "basis", basis_name(claim->basis), "value",
                     quantity_json(claim->value), "experiments", ids_json(claim->experiments));
}

static json_t *stance_item(const void *items, size_t index)
{
    const struct stance *stance = (const struct stance *)items + index;
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "candidate", stance->candidate, "stance",
                     vote_name(stance->vote), "why", stance->why, "change", change_json(stance->change), "effect",
                     estimate_json(stance->effect), "prediction", estimate_json(stance->prediction), "experiments",
                     ids_json(stance->experiments));
}

struct row_list {
    const char ***rows;
    size_t columns;
};

static json_t *row_item(const void *items, size_t index)
{
    const struct row_list *list = items;
    return texts_json(list->rows[index], list->columns);
}

static json_t *table_item(const void *items, size_t index)
{
    const struct table *table = (const struct table *)items + index;
    const struct row_list rows = {table->rows, table->column_count};
    return json_pack("{s:s, s:o, s:o}", "title", table->title, "columns",
                     texts_json(table->columns, table->column_count), "rows",
                     list_json(&rows, table->row_count, row_item));
}

static json_t *capacity_json(const struct capacity *capacity)
{
    return capacity ? json_pack("{s:s, s:o}", "stage", capacity->stage, "rows_s", interval_json(capacity->rows_s))
                    : json_null();
}

enum err findings_to_json(json_t **out, const struct findings *findings, struct diag *diag)
{
    if (findings->build_error)
        return diag_fail(diag, ERR_MEMORY, findings->agent, NULL, "cannot write findings: %s", findings->build_error);
    *out = json_pack(
        "{s:s, s:s, s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "schema", "venturi.findings/1", "agent",
        findings->agent, "status", findings->answered ? "answered" : "no_answer", "why", text_json(findings->why),
        "summary", findings->summary, "looked_at", texts_json(findings->looked_at.items, findings->looked_at.count),
        "not_looked_at", texts_json(findings->not_looked_at.items, findings->not_looked_at.count), "claims",
        list_json(findings->claims, findings->claim_count, claim_item), "stances",
        list_json(findings->stances, findings->stance_count, stance_item), "capacity",
        capacity_json(findings->capacity), "tables", list_json(findings->tables, findings->table_count, table_item));
    return *out ? ERR_OK : diag_fail(diag, ERR_MEMORY, findings->agent, NULL, "cannot write findings: out of memory");
}

enum err findings_write(const char *path, const struct findings *findings, struct diag *diag)
{
    AUTO(json_release) json_t *json = NULL;
    TRY(findings_to_json(&json, findings, diag));
    size_t bytes = json_dumpb(json, NULL, 0, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_REAL_PRECISION(9));
    if (bytes >= FINDINGS_BYTES_MAX) /* the final newline counts */
        return diag_fail(diag, ERR_FORMAT, path, NULL, "findings of %zu bytes, more than the %d accepted", bytes,
                         FINDINGS_BYTES_MAX);
    return json_write_file(path, json, diag);
}
