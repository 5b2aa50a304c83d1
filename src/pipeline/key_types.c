/* SPDX-License-Identifier: Apache-2.0
 *
 * One reader a type of key: TOML value in, checked C value out.
 */
#include "pipeline/section.h"

#include "base/duration.h"
#include "pipeline/pipeline.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_LIMIT_BYTES = 63, VALUE_LIMIT_BYTES = 200 };

/* Reads `value` into the field `key` of the structure at `out`. */
typedef enum err read_field(void *out, const struct key *key, const struct toml_value *value,
                            const struct reading *reading);

static void *field_of(void *out, const struct key *key)
{
    return (char *)out + key->offset;
}

static size_t *count_of(void *out, const struct key *key)
{
    return (size_t *)(void *)((char *)out + key->count_offset);
}

const char *key_expectation(char hint[HINT_BYTES], const struct key *key)
{
    (void)snprintf(hint, HINT_BYTES, "expected %s, such as %s", key_type_expected(key->type), key->example);
    return hint;
}

static enum err wrong_type(const struct reading *reading, const struct key *key, const struct toml_value *value)
{
    char hint[HINT_BYTES];
    return mistake(reading, value, key_expectation(hint, key), "has the wrong type for %s: %s", key->name,
                   toml_type_name(value->type));
}

static enum err bad_value(const struct reading *reading, const struct key *key, const struct toml_value *value,
                          const char *problem)
{
    char hint[HINT_BYTES];
    return mistake(reading, value, key_expectation(hint, key), "has %s for %s", problem, key->name);
}

static bool is_word(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)text[i]) && text[i] != '_' && text[i] != '-')
            return false;
    return length >= 1 && length <= NAME_LIMIT_BYTES;
}

static enum err read_text(void *out, const struct key *key, const struct toml_value *value,
                          const struct reading *reading)
{
    if (value->type != TOML_STRING)
        return wrong_type(reading, key, value);
    if (value->as.text[0] == '\0')
        return bad_value(reading, key, value, "an empty text");
    *(const char **)field_of(out, key) = value->as.text;
    return ERR_OK;
}

static enum err read_name(void *out, const struct key *key, const struct toml_value *value,
                          const struct reading *reading)
{
    TRY(read_text(out, key, value, reading));
    if (!is_word(value->as.text, strlen(value->as.text)))
        return mistake(reading, value, "expected 1 to 63 of A-Z, a-z, 0-9, _ and -", "has the bad %s '%.80s'",
                       key->name, value->as.text);
    return ERR_OK;
}

static enum err read_candidate(void *out, const struct key *key, const struct toml_value *value,
                               const struct reading *reading)
{
    TRY(read_text(out, key, value, reading));
    const char *dot = strchr(value->as.text, '.');
    if (!dot || !is_word(value->as.text, (size_t)(dot - value->as.text)) || !is_word(dot + 1, strlen(dot + 1)))
        return bad_value(reading, key, value, "something else than <stage>.<lever>");
    return ERR_OK;
}

static enum err read_variable(void *out, const struct key *key, const struct toml_value *value,
                              const struct reading *reading)
{
    TRY(read_text(out, key, value, reading));
    const char *name = value->as.text;
    if (isdigit((unsigned char)name[0]) || strchr(name, '-') || !is_word(name, strlen(name)))
        return bad_value(reading, key, value, "something else than a variable's name");
    if (strncmp(name, "VENTURI_", 8) == 0)
        return mistake(reading, value, "choose a variable of the pipeline's own", "sets %s, which venturi itself sets",
                       name);
    return ERR_OK;
}

static enum err read_argv(struct argv *out, const struct key *key, const struct toml_value *value,
                          const struct reading *reading)
{
    if (value->type != TOML_LIST)
        return wrong_type(reading, key, value);
    if (value->count == 0)
        return bad_value(reading, key, value, "an empty command");
    out->items = ARENA_ARRAY(reading->arena, const char *, value->count + 1);
    if (!out->items)
        return arena_exhausted(reading->arena, reading->diag);
    for (size_t i = 0; i < value->count; i++) {
        if (value->items[i].type != TOML_STRING)
            return wrong_type(reading, key, &value->items[i]);
        out->items[i] = value->items[i].as.text;
    }
    out->count = value->count;
    return out->items[0][0] ? ERR_OK : bad_value(reading, key, value, "an empty program name");
}

static enum err read_command(void *out, const struct key *key, const struct toml_value *value,
                             const struct reading *reading)
{
    return read_argv(field_of(out, key), key, value, reading);
}

static enum err check_list(const struct key *key, const struct toml_value *value, const struct reading *reading)
{
    if (value->type != TOML_LIST)
        return wrong_type(reading, key, value);
    if (value->count > SECTION_LIST_LIMIT)
        return mistake(reading, value, "expected at most 256", "has %zu %s", value->count, key->name);
    return ERR_OK;
}

static enum err read_commands(void *out, const struct key *key, const struct toml_value *value,
                              const struct reading *reading)
{
    TRY(check_list(key, value, reading));
    struct argv *commands = ARENA_ARRAY(reading->arena, struct argv, value->count);
    if (!commands)
        return arena_exhausted(reading->arena, reading->diag);
    for (size_t i = 0; i < value->count; i++)
        TRY(read_argv(&commands[i], key, &value->items[i], reading));
    *(struct argv **)field_of(out, key) = commands;
    *count_of(out, key) = value->count;
    return ERR_OK;
}

static enum err read_duration(void *out, const struct key *key, const struct toml_value *value,
                              const struct reading *reading)
{
    if (value->type != TOML_STRING)
        return wrong_type(reading, key, value);
    if (duration_parse(field_of(out, key), value->as.text))
        return ERR_OK;
    return mistake(reading, value, "expected one such as \"80ms\", \"60s\", \"2m\" or \"1h\", at most 30 days",
                   "has the bad %s '%.40s'", key->name, value->as.text);
}

static enum err read_number(double *out, const struct key *key, const struct toml_value *value,
                            const struct reading *reading)
{
    if (value->type != TOML_INTEGER && value->type != TOML_FLOAT)
        return wrong_type(reading, key, value);
    *out = value->type == TOML_INTEGER ? (double)value->as.integer : value->as.number;
    return isfinite(*out) ? ERR_OK : bad_value(reading, key, value, "no finite number");
}

static enum err read_positive(void *out, const struct key *key, const struct toml_value *value,
                              const struct reading *reading)
{
    double *number = field_of(out, key);
    TRY(read_number(number, key, value, reading));
    return *number > 0 ? ERR_OK : bad_value(reading, key, value, "a number that is not above 0");
}

static enum err read_days(void *out, const struct key *key, const struct toml_value *value,
                          const struct reading *reading)
{
    double *days = field_of(out, key);
    TRY(read_number(days, key, value, reading));
    return *days >= 0 ? ERR_OK : bad_value(reading, key, value, "a negative number");
}

static enum err read_switch(void *out, const struct key *key, const struct toml_value *value,
                            const struct reading *reading)
{
    if (value->type != TOML_BOOLEAN)
        return wrong_type(reading, key, value);
    *(bool *)field_of(out, key) = value->as.boolean;
    return ERR_OK;
}

/* The shortest digits that read back as the same number, with a fraction so that it stays one. */
static char *number_text(double number, struct arena *arena)
{
    char digits[40];
    for (int precision = 15; precision <= 17; precision++) {
        (void)snprintf(digits, sizeof digits, "%.*g", precision, number);
        if (strtod(digits, NULL) == number)
            break;
    }
    return arena_printf(arena, "%s%s", digits, strpbrk(digits, ".e") ? "" : ".0");
}

static bool has_control(const char *text)
{
    for (; *text; text++)
        if (iscntrl((unsigned char)*text))
            return true;
    return false;
}

static enum err read_scalar(const char **out, const struct key *key, const struct toml_value *value,
                            const struct reading *reading)
{
    switch (value->type) {
    case TOML_STRING:
        *out = value->as.text;
        break;
    case TOML_INTEGER:
        *out = arena_printf(reading->arena, "%lld", (long long)value->as.integer);
        break;
    case TOML_FLOAT:
        if (!isfinite(value->as.number))
            return bad_value(reading, key, value, "no finite number");
        *out = number_text(value->as.number, reading->arena);
        break;
    case TOML_BOOLEAN:
        *out = value->as.boolean ? "true" : "false";
        break;
    default:
        return wrong_type(reading, key, value);
    }
    if (!*out)
        return arena_exhausted(reading->arena, reading->diag);
    if (has_control(*out) || strlen(*out) > VALUE_LIMIT_BYTES)
        return bad_value(reading, key, value, "a control character or more than 200 bytes");
    return ERR_OK;
}

static enum err check_new(const char *const *values, size_t at, const struct key *key, const struct toml_value *list,
                          const struct reading *reading)
{
    if (list->items[at].type != list->items[0].type)
        return mistake(reading, &list->items[at], "expected values of one type", "mixes %s and %s in %s",
                       toml_type_name(list->items[0].type), toml_type_name(list->items[at].type), key->name);
    for (size_t i = 0; i < at; i++)
        if (strcmp(values[i], values[at]) == 0)
            return mistake(reading, &list->items[at], "name each value once", "has '%.80s' twice in %s",
                           pipeline_url_redacted(values[at], reading->arena), key->name);
    return ERR_OK;
}

static enum err read_values(void *out, const struct key *key, const struct toml_value *value,
                            const struct reading *reading)
{
    TRY(check_list(key, value, reading));
    char hint[HINT_BYTES];
    if (value->count == 0)
        return mistake(reading, value, key_expectation(hint, key), "has no %s", key->name);
    const char **values = ARENA_ARRAY(reading->arena, const char *, value->count);
    if (!values)
        return arena_exhausted(reading->arena, reading->diag);
    for (size_t i = 0; i < value->count; i++) {
        TRY(read_scalar(&values[i], key, &value->items[i], reading));
        TRY(check_new(values, i, key, value, reading));
    }
    *(const char ***)field_of(out, key) = values;
    *count_of(out, key) = value->count;
    return ERR_OK;
}

static enum err read_value(void *out, const struct key *key, const struct toml_value *value,
                           const struct reading *reading)
{
    return read_scalar(field_of(out, key), key, value, reading);
}

/* The index of the word in `words`. */
static enum err choose(size_t *out, const char *const *words, size_t count, const struct key *key,
                       const struct toml_value *value, const struct reading *reading)
{
    if (value->type != TOML_STRING)
        return wrong_type(reading, key, value);
    for (size_t i = 0; i < count; i++)
        if (strcmp(words[i], value->as.text) == 0) {
            *out = i;
            return ERR_OK;
        }
    char hint[HINT_BYTES];
    return mistake(reading, value, suggest(hint, value->as.text, words, count), "has the unknown %s '%.80s'", key->name,
                   value->as.text);
}

static enum err read_stage_kind(void *out, const struct key *key, const struct toml_value *value,
                                const struct reading *reading)
{
    const char *words[STAGE_DATABASE];
    for (size_t i = 0; i < STAGE_DATABASE; i++)
        words[i] = stage_kind_name((enum stage_kind)(i + 1)); /* "unspecified" is not a word of the file */
    size_t index = 0;
    TRY(choose(&index, words, STAGE_DATABASE, key, value, reading));
    *(enum stage_kind *)field_of(out, key) = (enum stage_kind)(index + 1);
    return ERR_OK;
}

static enum err read_lever(void *out, const struct key *key, const struct toml_value *value,
                           const struct reading *reading)
{
    const char *words[LEVER_IMPLEMENTATION + 1];
    for (size_t i = 0; i <= LEVER_IMPLEMENTATION; i++)
        words[i] = lever_name((enum lever)i);
    size_t index = 0;
    TRY(choose(&index, words, LEVER_IMPLEMENTATION + 1, key, value, reading));
    *(enum lever *)field_of(out, key) = (enum lever)index;
    return ERR_OK;
}

static enum err read_database_kind(void *out, const struct key *key, const struct toml_value *value,
                                   const struct reading *reading)
{
    static const char *const words[] = {"questdb", "postgres", "sqlite"};
    size_t index = 0;
    TRY(choose(&index, words, 3, key, value, reading));
    *(const char **)field_of(out, key) = words[index];
    return ERR_OK;
}

static enum err read_restart(void *out, const struct key *key, const struct toml_value *value,
                             const struct reading *reading)
{
    static const char *const words[] = {[RESTART_NEVER] = "never", [RESTART_ROUND] = "round"};
    size_t index = 0;
    TRY(choose(&index, words, 2, key, value, reading));
    *(enum service_restart *)field_of(out, key) = (enum service_restart)index;
    return ERR_OK;
}

static enum err refuse_reserved(void *out, const struct key *key, const struct toml_value *value,
                                const struct reading *reading)
{
    (void)out;
    return mistake(reading, value, key->meaning, "has a %s, which is not supported yet", key->name);
}

/* One row a type: how it is read, and what to call it. */
static const struct {
    read_field *read;
    const char *expected;
} TYPES[] = {
    [KEY_NAME] = {read_name, "a name"},
    [KEY_CANDIDATE] = {read_candidate, "a stage and a lever"},
    [KEY_TEXT] = {read_text, "a text"},
    [KEY_VARIABLE] = {read_variable, "a variable's name"},
    [KEY_COMMAND] = {read_command, "a list of texts"},
    [KEY_COMMANDS] = {read_commands, "a list of commands"},
    [KEY_DURATION] = {read_duration, "a duration"},
    [KEY_POSITIVE] = {read_positive, "a number above 0"},
    [KEY_DAYS] = {read_days, "a number of days, 0 or more"},
    [KEY_SWITCH] = {read_switch, "true or false"},
    [KEY_VALUES] = {read_values, "a list"},
    [KEY_VALUE] = {read_value, "one of the values"},
    [KEY_STAGE_KIND] = {read_stage_kind, "a kind of stage"},
    [KEY_LEVER] = {read_lever, "a lever"},
    [KEY_DATABASE_KIND] = {read_database_kind, "a kind of database"},
    [KEY_RESTART] = {read_restart, "never or round"},
    [KEY_RESERVED] = {refuse_reserved, "nothing yet"},
};

const char *key_type_expected(enum key_type type)
{
    return TYPES[type].expected;
}

enum err key_read(void *out, const struct key *key, const struct toml_value *value, const struct reading *reading)
{
    return TYPES[key->type].read(out, key, value, reading);
}
