/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/variant.h"

#include "pipeline/mistake.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static enum err refuse_knob(const struct pipeline *pipeline, const char *name, struct diag *diag)
{
    char hint[HINT_BYTES];
    size_t used = (size_t)snprintf(hint, sizeof hint, pipeline->knob_count ? "known knobs: " : "there are no knobs");
    for (size_t i = 0; i < pipeline->knob_count && used < sizeof hint; i++)
        used += (size_t)snprintf(hint + used, sizeof hint - used, "%s%s", i ? ", " : "", pipeline->knobs[i].name);
    enum err error = diag_fail(diag, ERR_CONFIG, NULL, hint, "no knob '%.80s'", name);
    diag_make_printable(diag);
    return error;
}

static enum err refuse_value(const struct knob *knob, const json_t *value, struct arena *arena, struct diag *diag)
{
    char hint[HINT_BYTES];
    size_t used = (size_t)snprintf(hint, sizeof hint, "its values, as texts: ");
    for (size_t i = 0; i < knob->value_count && used < sizeof hint; i++)
        used += (size_t)snprintf(hint + used, sizeof hint - used, "%s%s", i ? ", " : "",
                                 pipeline_url_redacted(knob->values[i], arena));
    const char *text = json_string_value(value);
    enum err error = diag_fail(diag, ERR_CONFIG, NULL, hint, "knob '%s' has no value '%.80s'", knob->name,
                               text ? pipeline_url_redacted(text, arena) : "that is not a text");
    diag_make_printable(diag);
    return error;
}

static enum err find_value(size_t *out, const struct knob *knob, const json_t *value, struct arena *arena,
                           struct diag *diag)
{
    const char *text = json_string_value(value);
    for (*out = 0; text && *out < knob->value_count; ++*out)
        if (strcmp(knob->values[*out], text) == 0)
            return ERR_OK;
    return refuse_value(knob, value, arena, diag);
}

static enum err check_names(const struct pipeline *pipeline, const json_t *settings, struct diag *diag)
{
    const char *name;
    json_t *value;
    if (!json_is_object(settings))
        return diag_fail(diag, ERR_CONFIG, NULL, "expected an object such as {\"concurrency\": \"4\"}",
                         "settings have the wrong type");
    json_object_foreach((json_t *)settings, name,
                        value) if (!pipeline_knob(pipeline, name)) return refuse_knob(pipeline, name, diag);
    return ERR_OK;
}

enum err variant_from_json(struct variant *out, const struct pipeline *pipeline, const json_t *settings,
                           struct arena *arena, struct diag *diag)
{
    TRY(check_names(pipeline, settings, diag));
    struct setting *list = ARENA_ARRAY(arena, struct setting, pipeline->knob_count);
    if (!list)
        return arena_exhausted(arena, diag);
    *out = (struct variant){.pipeline = pipeline, .settings = list};
    for (size_t i = 0; i < pipeline->knob_count; i++) {
        const struct knob *knob = &pipeline->knobs[i];
        const json_t *value = json_object_get(settings, knob->name);
        struct setting setting = {.knob = knob, .value = knob->current};
        if (value)
            TRY(find_value(&setting.value, knob, value, arena, diag));
        if (setting.value != knob->current)
            list[out->count++] = setting;
    }
    return ERR_OK;
}

json_t *variant_to_json(const struct variant *variant)
{
    json_t *settings = json_object();
    for (size_t i = 0; settings && i < variant->count; i++) {
        const struct setting *setting = &variant->settings[i];
        if (json_object_set_new(settings, setting->knob->name, json_string(setting->knob->values[setting->value])) <
            0) {
            json_decref(settings);
            settings = NULL;
        }
    }
    return settings;
}

enum err variant_of_setting(struct variant *out, const struct pipeline *pipeline, struct setting setting,
                            struct arena *arena, struct diag *diag)
{
    struct setting *list = ARENA_NEW(arena, struct setting);
    if (!list)
        return arena_exhausted(arena, diag);
    *list = setting;
    *out = (struct variant){.pipeline = pipeline, .settings = list, .count = setting.value != setting.knob->current};
    return ERR_OK;
}

bool variant_equal(const struct variant *a, const struct variant *b)
{
    if (a->pipeline != b->pipeline || a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->settings[i].knob != b->settings[i].knob || a->settings[i].value != b->settings[i].value)
            return false;
    return true;
}

size_t variant_value(const struct variant *variant, const struct knob *knob)
{
    for (size_t i = 0; i < variant->count; i++)
        if (variant->settings[i].knob == knob)
            return variant->settings[i].value;
    return knob->current;
}

static const char *value_text(const struct variant *variant, const struct knob *knob)
{
    return knob->values[variant_value(variant, knob)];
}

static bool is_plain(const char *text)
{
    for (const char *at = text; *at; at++)
        if (!isalnum((unsigned char)*at) && !strchr("_-.:/+,@%", *at))
            return false;
    return true;
}

/* Adds `value` to `text`, in quotes, with '"' and '\' escaped. */
static const char *quote(const char *text, const char *value, struct arena *arena)
{
    char *out = arena_alloc(arena, strlen(text) + 2 * strlen(value) + 3, 1, 1);
    if (!out)
        return NULL;
    size_t length = (size_t)sprintf(out, "%s\"", text);
    for (; *value; value++) {
        if (*value == '"' || *value == '\\')
            out[length++] = '\\';
        out[length++] = *value;
    }
    out[length] = '"';
    return out;
}

enum err variant_text(const char **out, const struct variant *variant, struct arena *arena, struct diag *diag)
{
    const char *text = variant->count ? "" : "baseline";
    for (size_t i = 0; text && i < variant->count; i++) {
        const struct knob *knob = variant->settings[i].knob;
        const char *value = value_text(variant, knob);
        text = arena_printf(arena, "%s%s%s=%s", text, i ? " " : "", knob->name, is_plain(value) ? value : "");
        if (text && !is_plain(value))
            text = quote(text, value, arena);
    }
    *out = text;
    return text ? ERR_OK : arena_exhausted(arena, diag);
}

/* `pattern` with every "{}" replaced by `value`; NULL when memory is out. */
static const char *render(const char *pattern, const char *value, struct arena *arena)
{
    const char *done = "";
    for (const char *hole; done && (hole = strstr(pattern, "{}")); pattern = hole + 2)
        done = arena_printf(arena, "%s%.*s%s", done, (int)(hole - pattern), pattern, value);
    return done ? arena_printf(arena, "%s%s", done, pattern) : NULL;
}

enum err variant_command(struct argv *out, const struct variant *variant, const struct ports *ports,
                         struct arena *arena, struct diag *diag)
{
    const struct pipeline *pipeline = variant->pipeline;
    const struct argv *command = &pipeline->command;
    const char **items = ARENA_ARRAY(arena, const char *, command->count + pipeline->knob_count + 1);
    if (!items)
        return arena_exhausted(arena, diag);
    size_t count = 0;
    for (; count < command->count; count++)
        TRY(ports_fill_text(&items[count], command->items[count], NULL, ports, arena, diag));
    for (size_t i = 0; i < pipeline->knob_count; i++) {
        const struct knob *knob = &pipeline->knobs[i];
        if (!knob->arg)
            continue;
        items[count] = render(knob->arg, value_text(variant, knob), arena);
        if (!items[count++])
            return arena_exhausted(arena, diag);
    }
    *out = (struct argv){.items = items, .count = count};
    return ERR_OK;
}

enum err variant_env(const char *const **out, const struct variant *variant, struct arena *arena, struct diag *diag)
{
    const struct pipeline *pipeline = variant->pipeline;
    const char **items = ARENA_ARRAY(arena, const char *, pipeline->knob_count + 1);
    if (!items)
        return arena_exhausted(arena, diag);
    size_t count = 0;
    for (size_t i = 0; i < pipeline->knob_count; i++) {
        const struct knob *knob = &pipeline->knobs[i];
        if (!knob->env)
            continue;
        items[count] = arena_printf(arena, "%s=%s", knob->env, value_text(variant, knob));
        if (!items[count++])
            return arena_exhausted(arena, diag);
    }
    *out = items;
    return ERR_OK;
}
