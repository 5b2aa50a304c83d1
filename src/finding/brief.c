/* SPDX-License-Identifier: Apache-2.0 */
#include "finding/brief.h"

#include "base/json.h"
#include "finding/render.h"
#include "finding/strict.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMA "venturi.brief/1"
enum { ITEMS_MAX = 1000 };

double brief_gap_percent(const struct brief *brief)
{
    if (!(brief->goal_rows_s > 0.0))
        return NAN;
    double gap = 100.0 * (1.0 - brief->rows_s.mid / brief->goal_rows_s);
    return gap < 0.0 ? 0.0 : gap;
}

const struct brief_candidate *brief_candidate(const struct brief *brief, const char *id)
{
    for (size_t i = 0; i < brief->candidate_count; i++)
        if (strcmp(brief->candidates[i].id, id) == 0)
            return &brief->candidates[i];
    return NULL;
}

const struct brief_knob *brief_knob(const struct brief *brief, const char *name)
{
    for (size_t i = 0; i < brief->knob_count; i++)
        if (strcmp(brief->knobs[i].name, name) == 0)
            return &brief->knobs[i];
    return NULL;
}

const struct brief_stage *brief_stage(const struct brief *brief, const char *name)
{
    for (size_t i = 0; i < brief->stage_count; i++)
        if (strcmp(brief->stages[i].name, name) == 0)
            return &brief->stages[i];
    return NULL;
}

static json_t *positive_or_null(double value)
{
    return value > 0.0 ? json_real_tidy(value) : json_null();
}

static json_t *stage_item(const void *items, size_t index)
{
    const struct brief_stage *stage = (const struct brief_stage *)items + index;
    return json_pack("{s:s, s:s}", "name", stage->name, "kind", stage->kind);
}

static json_t *knob_item(const void *items, size_t index)
{
    const struct brief_knob *knob = (const struct brief_knob *)items + index;
    return json_pack("{s:s, s:s, s:s, s:o, s:s}", "name", knob->name, "stage", knob->stage, "lever", knob->lever,
                     "values", texts_json(knob->values, knob->value_count), "current", knob->current);
}

static json_t *candidate_item(const void *items, size_t index)
{
    const struct brief_candidate *item = (const struct brief_candidate *)items + index;
    return json_pack("{s:s, s:s, s:s, s:o, s:s, s:o, s:o}", "id", item->id, "stage", item->stage, "lever", item->lever,
                     "knob", text_json(item->knob), "owner", item->owner, "effort_days",
                     json_real_tidy(item->effort_days), "bound", interval_json(item->bound));
}

static json_t *database_json(const struct brief *brief)
{
    if (!brief->database_kind)
        return json_null();
    return json_pack("{s:s, s:o, s:b}", "kind", brief->database_kind, "url", text_json(brief->database_url), "writes",
                     brief->database_writes);
}

enum err brief_to_json(json_t **out, const struct brief *brief, struct diag *diag)
{
    json_t *baseline =
        json_pack("{s:o, s:o, s:o, s:o}", "runs", texts_json(brief->baseline_runs, brief->baseline_run_count), "rows_s",
                  interval_json(brief->rows_s), "wall_s", interval_json(brief->wall_s), "gap_percent",
                  json_real_tidy(brief_gap_percent(brief)));
    *out = json_pack("{s:s, s:s, s:s, s:s, s:I, s:o, s:o, s:o, s:O, s:o, s:o, s:o, s:o, s:{s:s, s:s}}", "schema",
                     SCHEMA, "pipeline", brief->pipeline, "file", brief->file, "unit", brief->unit, "seed",
                     (json_int_t)brief->seed, "goal_rows_s", positive_or_null(brief->goal_rows_s), "budget_s",
                     positive_or_null(brief->budget_s), "baseline", baseline, "profile", (json_t *)brief->profile,
                     "stages", list_json(brief->stages, brief->stage_count, stage_item), "knobs",
                     list_json(brief->knobs, brief->knob_count, knob_item), "candidates",
                     list_json(brief->candidates, brief->candidate_count, candidate_item), "database",
                     database_json(brief), "lab", "folder", brief->lab_folder, "socket", brief->lab_socket);
    return *out ? ERR_OK
                : diag_fail(diag, ERR_MEMORY, "brief.json", NULL,
                            "cannot be made: text that is not UTF-8, or out of memory");
}

static enum err read_optional_number(double *out, const struct strict *strict, const struct place *object,
                                     const char *key)
{
    struct place place = place_member(object, key);
    *out = 0.0;
    return place.json ? strict_number(out, strict, &place, 0.0, 1e15) : ERR_OK;
}

static enum err read_text(const char **out, const struct strict *strict, const struct place *object, const char *key)
{
    struct place place = place_member(object, key);
    return strict_text(out, strict, &place);
}

static enum err read_interval(struct interval *out, const struct strict *strict, const struct place *object,
                              const char *key, double low, bool open_end)
{
    struct place place = place_member(object, key);
    return strict_interval(out, strict, &place, low, 1e15, open_end);
}

static enum err read_stage(struct brief_stage *out, const struct strict *strict, const struct place *place)
{
    static const char *const KEYS[] = {"name", "kind", NULL};
    TRY(strict_object(strict, place, KEYS, NULL));
    TRY(read_text(&out->name, strict, place, "name"));
    return read_text(&out->kind, strict, place, "kind");
}

static enum err read_knob(struct brief_knob *out, const struct strict *strict, const struct place *place)
{
    static const char *const KEYS[] = {"name", "stage", "lever", "values", "current", NULL};
    TRY(strict_object(strict, place, KEYS, NULL));
    TRY(read_text(&out->name, strict, place, "name"));
    TRY(read_text(&out->stage, strict, place, "stage"));
    TRY(read_text(&out->lever, strict, place, "lever"));
    TRY(read_text(&out->current, strict, place, "current"));
    struct place values = place_member(place, "values");
    return strict_texts(&out->values, &out->value_count, strict, &values, ITEMS_MAX);
}

static enum err read_candidate(struct brief_candidate *out, const struct strict *strict, const struct place *place)
{
    static const char *const KEYS[] = {"id", "stage", "lever", "knob", "owner", "effort_days", "bound", NULL};
    TRY(strict_object(strict, place, KEYS, NULL));
    TRY(read_text(&out->id, strict, place, "id"));
    TRY(read_text(&out->stage, strict, place, "stage"));
    TRY(read_text(&out->lever, strict, place, "lever"));
    struct place knob = place_member(place, "knob");
    TRY(strict_text_optional(&out->knob, strict, &knob));
    TRY(read_text(&out->owner, strict, place, "owner"));
    TRY(read_optional_number(&out->effort_days, strict, place, "effort_days"));
    return read_interval(&out->bound, strict, place, "bound", 1.0, true);
}

static enum err read_lists(struct brief *out, const struct strict *strict, const struct place *root)
{
    struct place stages = place_member(root, "stages"), knobs = place_member(root, "knobs"),
                 candidates = place_member(root, "candidates");
    TRY(strict_list(&out->stage_count, strict, &stages, ITEMS_MAX));
    TRY(strict_list(&out->knob_count, strict, &knobs, ITEMS_MAX));
    TRY(strict_list(&out->candidate_count, strict, &candidates, ITEMS_MAX));
    out->stages = ARENA_ARRAY(strict->arena, struct brief_stage, out->stage_count);
    out->knobs = ARENA_ARRAY(strict->arena, struct brief_knob, out->knob_count);
    out->candidates = ARENA_ARRAY(strict->arena, struct brief_candidate, out->candidate_count);
    if (!out->stages || !out->knobs || !out->candidates)
        return arena_exhausted(strict->arena, strict->diag);
    for (size_t i = 0; i < out->stage_count; i++) {
        struct place item = place_item(&stages, i);
        TRY(read_stage(&out->stages[i], strict, &item));
    }
    for (size_t i = 0; i < out->knob_count; i++) {
        struct place item = place_item(&knobs, i);
        TRY(read_knob(&out->knobs[i], strict, &item));
    }
    for (size_t i = 0; i < out->candidate_count; i++) {
        struct place item = place_item(&candidates, i);
        TRY(read_candidate(&out->candidates[i], strict, &item));
    }
    return ERR_OK;
}

static enum err read_baseline(struct brief *out, const struct strict *strict, const struct place *place)
{
    static const char *const KEYS[] = {"runs", "rows_s", "wall_s", "gap_percent", NULL};
    TRY(strict_object(strict, place, KEYS, NULL));
    struct place runs = place_member(place, "runs");
    TRY(strict_texts(&out->baseline_runs, &out->baseline_run_count, strict, &runs, ITEMS_MAX));
    out->rows_s = (struct interval){NAN, NAN, NAN};
    if (place_member(place, "rows_s").json)
        TRY(read_interval(&out->rows_s, strict, place, "rows_s", 0.0, false));
    return read_interval(&out->wall_s, strict, place, "wall_s", 0.0, false);
}

static enum err read_database(struct brief *out, const struct strict *strict, const struct place *place)
{
    static const char *const KEYS[] = {"kind", "url", "writes", NULL};
    if (!place->json)
        return ERR_OK;
    TRY(strict_object(strict, place, KEYS, NULL));
    TRY(read_text(&out->database_kind, strict, place, "kind"));
    struct place url = place_member(place, "url"), writes = place_member(place, "writes");
    TRY(strict_text_optional(&out->database_url, strict, &url));
    return strict_bool(&out->database_writes, strict, &writes);
}

static enum err read_lab(struct brief *out, const struct strict *strict, const struct place *place)
{
    static const char *const KEYS[] = {"folder", "socket", NULL};
    TRY(strict_object(strict, place, KEYS, NULL));
    TRY(read_text(&out->lab_folder, strict, place, "folder"));
    return read_text(&out->lab_socket, strict, place, "socket");
}

static enum err read_head(struct brief *out, const struct strict *strict, const struct place *root)
{
    static const char *const SCHEMAS[] = {SCHEMA, NULL};
    struct place schema = place_member(root, "schema"), seed = place_member(root, "seed"),
                 profile = place_member(root, "profile");
    size_t version;
    TRY(strict_name(&version, strict, &schema, SCHEMAS));
    TRY(read_text(&out->pipeline, strict, root, "pipeline"));
    TRY(read_text(&out->file, strict, root, "file"));
    TRY(read_text(&out->unit, strict, root, "unit"));
    if (!json_is_integer(seed.json))
        return strict_fail(strict, &seed, "expected a whole number");
    out->seed = (uint64_t)json_integer_value(seed.json);
    TRY(read_optional_number(&out->goal_rows_s, strict, root, "goal_rows_s"));
    TRY(read_optional_number(&out->budget_s, strict, root, "budget_s"));
    out->profile = profile.json;
    return json_is_object(profile.json) ? ERR_OK : strict_fail(strict, &profile, "expected an object");
}

enum err brief_from_json(struct brief **out, const json_t *json, const char *where, struct arena *arena,
                         struct diag *diag)
{
    static const char *const KEYS[] = {"schema",      "pipeline",   "file",     "unit",    "seed",
                                       "goal_rows_s", "budget_s",   "baseline", "profile", "stages",
                                       "knobs",       "candidates", "database", "lab",     NULL};
    const struct strict strict = {.arena = arena, .diag = diag};
    const struct place root = {.key = where, .json = json};
    struct brief *brief = ARENA_NEW(arena, struct brief);
    if (!brief)
        return arena_exhausted(arena, diag);
    TRY(strict_object(&strict, &root, KEYS, NULL));
    TRY(read_head(brief, &strict, &root));
    struct place baseline = place_member(&root, "baseline"), database = place_member(&root, "database"),
                 lab = place_member(&root, "lab");
    TRY(read_baseline(brief, &strict, &baseline));
    TRY(read_lists(brief, &strict, &root));
    TRY(read_database(brief, &strict, &database));
    TRY(read_lab(brief, &strict, &lab));
    *out = brief;
    return ERR_OK;
}
