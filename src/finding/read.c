/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading findings that any program may have written.
 */
#include "finding/finding.h"

#include "base/file.h"
#include "base/json.h"
#include "finding/name.h"

#include <string.h>

struct reader {
    struct strict strict;
    const struct brief *brief;
};

static enum err read_word(size_t *out, const struct reader *reader, const struct place *object, const char *key,
                          const char *const *names)
{
    struct place place = place_member(object, key);
    return strict_name(out, &reader->strict, &place, names);
}

static enum err read_text(const char **out, const struct reader *reader, const struct place *object, const char *key)
{
    struct place place = place_member(object, key);
    return strict_text(out, &reader->strict, &place);
}

/* "e" or "r" (an experiment or a run of the journal) and digits, so that an id can stand in a link. */
static bool is_journal_id(const char *text)
{
    if (text[0] != 'e' && text[0] != 'r')
        return false;
    size_t digits = strspn(text + 1, "0123456789");
    return digits >= 1 && digits <= 9 && text[1 + digits] == '\0';
}

static enum err read_experiments(const char *const **out, const struct reader *reader, const struct place *object)
{
    size_t count;
    struct place place = place_member(object, "experiments");
    TRY(strict_texts(out, &count, &reader->strict, &place, FINDINGS_EXPERIMENTS_MAX));
    for (size_t i = 0; i < count; i++)
        if (!is_journal_id((*out)[i]))
            return strict_fail(&reader->strict, &place, "'%.64s' is no experiment or run such as e7 or r1", (*out)[i]);
    return ERR_OK;
}

static enum err read_lines(struct lines *out, const struct reader *reader, const struct place *root, const char *key)
{
    struct place place = place_member(root, key);
    return strict_texts((const char *const **)&out->items, &out->count, &reader->strict, &place, FINDINGS_ITEMS_MAX);
}

/* An interval with one word beside it: the place's own keys are checked here, the three numbers by strict_interval. */
static enum err read_marked_interval(struct interval *out, size_t *mark, const struct reader *reader,
                                     const struct place *place, const char *key, const char *const *names)
{
    const char *const keys[] = {"low", "mid", "high", key, NULL};
    TRY(strict_object(&reader->strict, place, keys, NULL));
    TRY(read_word(mark, reader, place, key, names));
    AUTO(json_release) json_t *bare = json_copy((json_t *)place->json);
    if (!bare || json_object_del(bare, key) != 0)
        return arena_exhausted(reader->strict.arena, reader->strict.diag);
    struct place numbers = *place;
    numbers.json = bare;
    bool ratio = names == BASIS_NAMES;
    return strict_interval(out, &reader->strict, &numbers, ratio ? 1.0 / FINDINGS_RATIO_MAX : 0.0,
                           ratio ? FINDINGS_RATIO_MAX : 1e15, ratio && *mark == BASIS_BOUNDED);
}

static enum err read_quantity(const struct quantity **out, const struct reader *reader, const struct place *object)
{
    struct place place = place_member(object, "value");
    *out = NULL;
    if (!place.json)
        return ERR_OK;
    struct quantity *quantity = ARENA_NEW(reader->strict.arena, struct quantity);
    if (!quantity)
        return arena_exhausted(reader->strict.arena, reader->strict.diag);
    size_t unit;
    TRY(read_marked_interval(&quantity->value, &unit, reader, &place, "unit", UNIT_NAMES));
    quantity->unit = (enum unit)unit;
    if (quantity->unit == UNIT_SHARE && quantity->value.high > 1.0)
        return strict_fail(&reader->strict, &place, "a share of %g; shares are between 0 and 1", quantity->value.high);
    *out = quantity;
    return ERR_OK;
}

static enum err read_estimate(const struct estimate **out, const struct reader *reader, const struct place *object,
                              const char *key)
{
    struct place place = place_member(object, key);
    *out = NULL;
    if (!place.json)
        return ERR_OK;
    struct estimate *estimate = ARENA_NEW(reader->strict.arena, struct estimate);
    if (!estimate)
        return arena_exhausted(reader->strict.arena, reader->strict.diag);
    size_t basis;
    TRY(read_marked_interval(&estimate->ratio, &basis, reader, &place, "basis", BASIS_NAMES));
    estimate->basis = (enum basis)basis;
    *out = estimate;
    return ERR_OK;
}

static enum err read_claim(struct claim *out, const struct reader *reader, const struct place *place)
{
    static const char *const REQUIRED[] = {"text", "basis", NULL}, *const OPTIONAL[] = {"value", "experiments", NULL};
    size_t basis;
    TRY(strict_object(&reader->strict, place, REQUIRED, OPTIONAL));
    TRY(read_text(&out->text, reader, place, "text"));
    TRY(read_word(&basis, reader, place, "basis", BASIS_NAMES));
    out->basis = (enum basis)basis;
    TRY(read_quantity(&out->value, reader, place));
    return read_experiments(&out->experiments, reader, place);
}

static bool has_text(const char *const *texts, const char *text)
{
    for (; *texts; texts++)
        if (strcmp(*texts, text) == 0)
            return true;
    return false;
}

/* A change must be one that the lab would accept: the candidate's own knob, from its current value to a listed one. */
static enum err read_change(struct stance *out, const struct reader *reader, const struct place *object)
{
    static const char *const KEYS[] = {"knob", "from", "to", NULL};
    struct place place = place_member(object, "change");
    if (!place.json)
        return ERR_OK;
    struct knob_change *change = ARENA_NEW(reader->strict.arena, struct knob_change);
    if (!change)
        return arena_exhausted(reader->strict.arena, reader->strict.diag);
    TRY(strict_object(&reader->strict, &place, KEYS, NULL));
    TRY(read_text(&change->knob, reader, &place, "knob"));
    TRY(read_text(&change->from, reader, &place, "from"));
    TRY(read_text(&change->to, reader, &place, "to"));
    const struct brief_candidate *candidate = brief_candidate(reader->brief, out->candidate);
    const struct brief_knob *knob = brief_knob(reader->brief, change->knob);
    if (!knob || !candidate->knob || strcmp(candidate->knob, change->knob) != 0)
        return strict_fail(&reader->strict, &place, "'%.64s' is not the knob of %.64s", change->knob, out->candidate);
    if (strcmp(change->from, knob->current) != 0)
        return strict_fail(&reader->strict, &place, "from '%.64s', but %.64s is %.64s now", change->from, knob->name,
                           knob->current);
    if (!has_text(knob->values, change->to))
        return strict_fail(&reader->strict, &place, "'%.64s' is no value of %.64s", change->to, knob->name);
    out->change = change;
    return ERR_OK;
}

static enum err read_stance(struct stance *out, const struct reader *reader, const struct place *place)
{
    static const char *const REQUIRED[] = {"candidate", "stance", "why", NULL}, *const OPTIONAL[] = {
                                                                                    "change", "effect", "prediction",
                                                                                    "experiments", NULL};
    size_t vote;
    TRY(strict_object(&reader->strict, place, REQUIRED, OPTIONAL));
    TRY(read_text(&out->candidate, reader, place, "candidate"));
    if (!brief_candidate(reader->brief, out->candidate))
        return strict_fail(&reader->strict, place, "'%.64s' is no candidate of the brief", out->candidate);
    TRY(read_word(&vote, reader, place, "stance", VOTE_NAMES));
    out->vote = (enum vote)vote;
    TRY(read_text(&out->why, reader, place, "why"));
    TRY(read_change(out, reader, place));
    TRY(read_estimate(&out->effect, reader, place, "effect"));
    TRY(read_estimate(&out->prediction, reader, place, "prediction"));
    return read_experiments(&out->experiments, reader, place);
}

static enum err read_claims(struct findings *out, const struct reader *reader, const struct place *root)
{
    struct place list = place_member(root, "claims");
    TRY(strict_list(&out->claim_count, &reader->strict, &list, FINDINGS_ITEMS_MAX));
    out->claims = ARENA_ARRAY(out->arena, struct claim, out->claim_count);
    if (!out->claims)
        return arena_exhausted(out->arena, reader->strict.diag);
    for (size_t i = 0; i < out->claim_count; i++) {
        struct place item = place_item(&list, i);
        TRY(read_claim(&out->claims[i], reader, &item));
    }
    return ERR_OK;
}

/* One stance a candidate: two would be two votes. */
static enum err read_stances(struct findings *out, const struct reader *reader, const struct place *root)
{
    struct place list = place_member(root, "stances");
    TRY(strict_list(&out->stance_count, &reader->strict, &list, FINDINGS_ITEMS_MAX));
    out->stances = ARENA_ARRAY(out->arena, struct stance, out->stance_count);
    if (!out->stances)
        return arena_exhausted(out->arena, reader->strict.diag);
    for (size_t i = 0; i < out->stance_count; i++) {
        struct place item = place_item(&list, i);
        TRY(read_stance(&out->stances[i], reader, &item));
        for (size_t k = 0; k < i; k++)
            if (strcmp(out->stances[k].candidate, out->stances[i].candidate) == 0)
                return strict_fail(&reader->strict, &item, "a second stance on %.64s", out->stances[i].candidate);
    }
    return ERR_OK;
}

static enum err read_row(const char ***out, const struct reader *reader, const struct place *place, size_t columns)
{
    size_t cells;
    TRY(strict_texts((const char *const **)out, &cells, &reader->strict, place, FINDINGS_COLUMNS_MAX));
    return cells == columns
               ? ERR_OK
               : strict_fail(&reader->strict, place, "%zu cells, but the table has %zu columns", cells, columns);
}

static enum err read_table(struct table *out, const struct reader *reader, const struct place *place)
{
    static const char *const KEYS[] = {"title", "columns", "rows", NULL};
    TRY(strict_object(&reader->strict, place, KEYS, NULL));
    TRY(read_text(&out->title, reader, place, "title"));
    struct place columns = place_member(place, "columns"), rows = place_member(place, "rows");
    TRY(strict_texts((const char *const **)&out->columns, &out->column_count, &reader->strict, &columns,
                     FINDINGS_COLUMNS_MAX));
    if (out->column_count == 0)
        return strict_fail(&reader->strict, &columns, "a table without columns");
    TRY(strict_list(&out->row_count, &reader->strict, &rows, FINDINGS_ITEMS_MAX));
    out->rows = ARENA_ARRAY(reader->strict.arena, const char **, out->row_count);
    if (!out->rows)
        return arena_exhausted(reader->strict.arena, reader->strict.diag);
    for (size_t i = 0; i < out->row_count; i++) {
        struct place row = place_item(&rows, i);
        TRY(read_row(&out->rows[i], reader, &row, out->column_count));
    }
    return ERR_OK;
}

static enum err read_tables(struct findings *out, const struct reader *reader, const struct place *root)
{
    struct place list = place_member(root, "tables");
    TRY(strict_list(&out->table_count, &reader->strict, &list, FINDINGS_TABLES_MAX));
    out->tables = ARENA_ARRAY(out->arena, struct table, out->table_count);
    if (!out->tables)
        return arena_exhausted(out->arena, reader->strict.diag);
    for (size_t i = 0; i < out->table_count; i++) {
        struct place item = place_item(&list, i);
        TRY(read_table(&out->tables[i], reader, &item));
    }
    return ERR_OK;
}

static enum err read_capacity(struct findings *out, const struct reader *reader, const struct place *root)
{
    static const char *const KEYS[] = {"stage", "rows_s", NULL};
    struct place place = place_member(root, "capacity"), rows_s = place_member(&place, "rows_s");
    if (!place.json)
        return ERR_OK;
    struct capacity *capacity = ARENA_NEW(out->arena, struct capacity);
    if (!capacity)
        return arena_exhausted(out->arena, reader->strict.diag);
    TRY(strict_object(&reader->strict, &place, KEYS, NULL));
    TRY(read_text(&capacity->stage, reader, &place, "stage"));
    if (!brief_stage(reader->brief, capacity->stage))
        return strict_fail(&reader->strict, &place, "'%.64s' is no stage of the brief", capacity->stage);
    TRY(strict_interval(&capacity->rows_s, &reader->strict, &rows_s, 0.0, 1e15, false));
    out->capacity = capacity;
    return ERR_OK;
}

static enum err read_head(struct findings *out, const struct reader *reader, const struct place *root,
                          const char *agent)
{
    static const char *const SCHEMAS[] = {"venturi.findings/1", NULL}, *const STATUSES[] = {"no_answer", "answered",
                                                                                            NULL};
    const char *const agents[] = {agent, NULL};
    size_t ignored, status;
    TRY(read_word(&ignored, reader, root, "schema", SCHEMAS));
    TRY(read_word(&ignored, reader, root, "agent", agents));
    TRY(read_word(&status, reader, root, "status", STATUSES));
    out->answered = status == 1;
    struct place why = place_member(root, "why"), summary = place_member(root, "summary");
    TRY(strict_text_optional(&out->why, &reader->strict, &why));
    TRY(strict_text_optional(&out->summary, &reader->strict, &summary));
    if (out->answered && !out->summary)
        return strict_fail(&reader->strict, &summary, "is missing; expected a text");
    if (out->answered == (out->why != NULL))
        return strict_fail(&reader->strict, &why, "must be given when there is no answer, and only then");
    return ERR_OK;
}

static enum err check_empty(const struct findings *findings, const struct reader *reader, const struct place *root)
{
    size_t items = findings->claim_count + findings->stance_count + findings->table_count + findings->looked_at.count +
                   findings->not_looked_at.count + (findings->capacity ? 1 : 0);
    return findings->answered || items == 0 ? ERR_OK
                                            : strict_fail(&reader->strict, root, "no answer, but %zu items", items);
}

enum err findings_from_json(struct findings **out, const json_t *json, const char *where, const char *agent,
                            const struct brief *brief, struct arena *arena, struct diag *diag)
{
    static const char *const REQUIRED[] = {"schema", "agent", "status", NULL};
    static const char *const OPTIONAL[] = {"why",      "summary", "looked_at", "not_looked_at", "claims", "stances",
                                           "capacity", "tables",  NULL};
    const struct reader reader = {.strict = {.arena = arena, .diag = diag}, .brief = brief};
    const struct place root = {.key = where, .json = json};
    struct findings *findings;
    TRY(findings_new(&findings, agent, arena, diag));
    TRY(strict_object(&reader.strict, &root, REQUIRED, OPTIONAL));
    TRY(read_head(findings, &reader, &root, agent));
    TRY(read_lines(&findings->looked_at, &reader, &root, "looked_at"));
    TRY(read_lines(&findings->not_looked_at, &reader, &root, "not_looked_at"));
    TRY(read_claims(findings, &reader, &root));
    TRY(read_stances(findings, &reader, &root));
    TRY(read_capacity(findings, &reader, &root));
    TRY(read_tables(findings, &reader, &root));
    TRY(check_empty(findings, &reader, &root));
    *out = findings;
    return ERR_OK;
}

enum err findings_read(struct findings **out, const char *path, const char *agent, const struct brief *brief,
                       struct arena *arena, struct diag *diag)
{
    char *bytes;
    size_t count;
    AUTO(json_release) json_t *json = NULL;
    TRY(file_read(&bytes, &count, path, FINDINGS_BYTES_MAX, arena, diag));
    TRY(json_parse(&json, bytes, count, path, diag));
    return findings_from_json(out, json, path, agent, brief, arena, diag);
}
