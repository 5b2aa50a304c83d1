/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/request.h"

#include "base/json.h"

#include <string.h>

static const char *const op_names[] = {
    [OP_COMPARE] = "compare",
    [OP_SWEEP] = "sweep",
    [OP_CONTROL] = "control",
    [OP_RUN] = "run",
};
enum { OP_COUNT = sizeof op_names / sizeof *op_names };

const char *experiment_op_name(enum experiment_op op)
{
    return op_names[op];
}

static enum err expected(struct diag *diag, const char *field, const char *what)
{
    return diag_fail(diag, ERR_CONFIG, NULL, "docs/lab-protocol.md describes requests", "'%s' must be %s", field, what);
}

static enum err read_op(struct request *out, const json_t *json, struct diag *diag)
{
    const char *name = json_string_or(json, "op", "");
    for (int i = 0; i < (int)OP_COUNT; i++) {
        if (strcmp(name, op_names[i]) == 0) {
            out->op = (enum experiment_op)i;
            return ERR_OK;
        }
    }
    return expected(diag, "op", "one of compare, sweep, control, run, status");
}

/* A whole number from `least` to `most`; absent means `fallback`. */
static enum err read_count(unsigned *out, const json_t *json, const char *field, unsigned least, unsigned most,
                           unsigned fallback, struct diag *diag)
{
    const json_t *value = json_object_get(json, field);
    json_int_t number = value ? json_integer_value(value) : (json_int_t)fallback;
    if ((value && !json_is_integer(value)) || number < (json_int_t)least || number > (json_int_t)most)
        return diag_fail(diag, ERR_CONFIG, NULL, NULL, "'%s' must be a whole number from %u to %u", field, least, most);
    *out = (unsigned)number;
    return ERR_OK;
}

static enum err read_flag(bool *out, const json_t *json, const char *field, bool fallback, struct diag *diag)
{
    const json_t *value = json_object_get(json, field);
    if (value && !json_is_boolean(value))
        return expected(diag, field, "true or false");
    *out = value ? json_is_true(value) : fallback;
    return ERR_OK;
}

static enum err read_delta(double *out, const json_t *json, struct diag *diag)
{
    const json_t *value = json_object_get(json, "delta");
    double delta = value ? json_number_value(value) : PAIRS_DELTA_DEFAULT;
    if ((value && !json_is_number(value)) || !(delta > 0 && delta <= 1))
        return expected(diag, "delta", "a number above 0 and at most 1, such as 0.01 for 1 %");
    *out = delta;
    return ERR_OK;
}

/* The settings at `field`; absent means the baseline when `optional`. */
static enum err read_arm(struct variant *out, const struct pipeline *pipeline, const json_t *json, const char *field,
                         bool optional, struct arena *arena, struct diag *diag)
{
    const json_t *settings = json_object_get(json, field);
    if (!settings && optional) {
        *out = (struct variant){.pipeline = pipeline};
        return ERR_OK;
    }
    if (!settings)
        return expected(diag, field, "settings such as {\"concurrency\": \"4\"}");
    return variant_from_json(out, pipeline, settings, arena, diag);
}

static enum err read_pair(struct request *out, struct variant *arms, const struct pipeline *pipeline,
                          const json_t *json, struct arena *arena, struct diag *diag)
{
    out->arm_count = 2;
    TRY(read_arm(&arms[0], pipeline, json, "a", true, arena, diag));
    TRY(read_arm(&arms[1], pipeline, json, "b", false, arena, diag));
    return read_flag(&out->confirm, json, "confirm", false, diag);
}

static bool asked_for(const json_t *values, const char *value)
{
    size_t i;
    const json_t *item;
    json_array_foreach(values, i, item)
    {
        if (json_is_string(item) && strcmp(json_string_value(item), value) == 0)
            return true;
    }
    return false;
}

/* Are all of `values` texts that the knob knows? A made-up setting finds the message that lists the known ones. */
static enum err check_values(const struct pipeline *pipeline, const struct knob *knob, const json_t *values,
                             struct arena *arena, struct diag *diag)
{
    size_t i;
    json_t *item;
    json_array_foreach(values, i, item)
    {
        struct variant unused;
        AUTO(json_release) json_t *settings = json_pack("{s:O}", knob->name, item);
        if (!settings)
            return diag_fail(diag, ERR_MEMORY, NULL, NULL, "out of memory");
        TRY(variant_from_json(&unused, pipeline, settings, arena, diag));
    }
    return ERR_OK;
}

/* Arms in the order of the file, whatever order the values were asked in: "smallest" means first in the file. */
static enum err read_sweep(struct request *out, struct variant *arms, const struct pipeline *pipeline,
                           const json_t *json, struct arena *arena, struct diag *diag)
{
    const struct knob *knob = pipeline_knob(pipeline, json_string_or(json, "knob", ""));
    const json_t *values = json_object_get(json, "values");
    if (!knob)
        return expected(diag, "knob", "the name of a knob in pipeline.toml");
    if (!json_is_array(values) || json_array_size(values) > REQUEST_ARMS_MAX)
        return expected(diag, "values", "a list of at most 64 of the knob's values");
    TRY(check_values(pipeline, knob, values, arena, diag));
    arms[0] = (struct variant){.pipeline = pipeline};
    out->arm_count = 1;
    for (size_t i = 0; i < knob->value_count && out->arm_count < REQUEST_ARMS_MAX; i++) {
        struct setting setting = {.knob = knob, .value = i};
        if (i != knob->current && asked_for(values, knob->values[i]))
            TRY(variant_of_setting(&arms[out->arm_count++], pipeline, setting, arena, diag));
    }
    if (out->arm_count < 2)
        return expected(diag, "values", "at least one value that is not the current one");
    out->confirm = out->rounds == 0;
    return ERR_OK;
}

static enum err read_arms(struct request *out, const struct pipeline *pipeline, const json_t *json, struct arena *arena,
                          struct diag *diag)
{
    struct variant *arms = ARENA_ARRAY(arena, struct variant, REQUEST_ARMS_MAX);
    if (!arms)
        return arena_exhausted(arena, diag);
    out->arms = arms;
    switch (out->op) {
    case OP_COMPARE:
        return read_pair(out, arms, pipeline, json, arena, diag);
    case OP_SWEEP:
        return read_sweep(out, arms, pipeline, json, arena, diag);
    case OP_CONTROL:
        arms[0] = arms[1] = (struct variant){.pipeline = pipeline};
        out->arm_count = 2;
        return ERR_OK;
    case OP_RUN:
        out->arm_count = 1;
        TRY(read_count(&out->runs, json, "runs", 1, REQUEST_RUNS_MAX, 1, diag));
        return read_arm(&arms[0], pipeline, json, "a", true, arena, diag);
    }
    return ERR_OK;
}

static enum err make_key(struct request *out, struct arena *arena, struct diag *diag)
{
    const char *key = arena_printf(arena, "%s runs=%u rounds=%u confirm=%d delta=%.9g", op_names[out->op], out->runs,
                                   out->rounds, out->confirm, out->delta);
    for (size_t i = 0; key && i < out->arm_count; i++) {
        const char *arm;
        TRY(variant_text(&arm, &out->arms[i], arena, diag));
        key = arena_printf(arena, "%s | %s", key, arm);
    }
    out->key = key;
    return key ? ERR_OK : arena_exhausted(arena, diag);
}

static enum err read_texts(struct request *out, const json_t *json, struct arena *arena, struct diag *diag)
{
    const json_t *purpose = json_object_get(json, "purpose"), *value = json_object_get(json, "value");
    if (purpose && (!json_is_string(purpose) || json_string_length(purpose) > REQUEST_PURPOSE_BYTES))
        return expected(diag, "purpose", "a text of at most 400 bytes");
    if (value && !json_is_number(value))
        return expected(diag, "value", "a number, the gain at stake");
    out->value = value ? json_number_value(value) : 1;
    out->purpose = arena_strdup(arena, purpose ? json_string_value(purpose) : "");
    return out->purpose ? ERR_OK : arena_exhausted(arena, diag);
}

enum err request_parse(struct request *out, const struct pipeline *pipeline, const json_t *json, struct arena *arena,
                       struct diag *diag)
{
    *out = (struct request){0};
    TRY(read_op(out, json, diag));
    TRY(read_texts(out, json, arena, diag));
    TRY(read_count(&out->rounds, json, "rounds", 0, REQUEST_RUNS_MAX, 0, diag));
    TRY(read_delta(&out->delta, json, diag));
    TRY(read_arms(out, pipeline, json, arena, diag));
    return make_key(out, arena, diag);
}
