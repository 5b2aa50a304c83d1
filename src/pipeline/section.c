/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/section.h"

#include <stdio.h>
#include <string.h>

static enum err refuse_unknown(const struct section *section, const struct toml_value *member,
                               const struct reading *reading)
{
    const char *known[32];
    size_t count = 0;
    for (; count < section->key_count && count < 32; count++)
        known[count] = section->keys[count].name;
    char hint[HINT_BYTES];
    return mistake(reading, member, suggest(hint, member->key, known, count), "has the unknown key '%.80s'",
                   member->key);
}

static enum err check_members(const struct section *section, const struct toml_value *table,
                              const struct reading *reading)
{
    for (size_t i = 0; i < table->count; i++) {
        size_t k = 0;
        while (k < section->key_count && strcmp(section->keys[k].name, table->items[i].key) != 0)
            k++;
        if (k == section->key_count)
            return refuse_unknown(section, &table->items[i], reading);
    }
    return ERR_OK;
}

enum err section_subject(struct reading *reading, const struct section *section, const struct toml_value *table)
{
    const struct toml_value *name = toml_member(table, "name");
    reading->subject = section->title;
    if (section->word && name && name->type == TOML_STRING && name->as.text[0])
        reading->subject = arena_printf(reading->arena, "%s '%.80s'", section->word, name->as.text);
    return reading->subject ? ERR_OK : arena_exhausted(reading->arena, reading->diag);
}

enum err section_read(void *out, const struct section *section, const struct toml_value *table, struct reading *reading)
{
    TRY(section_subject(reading, section, table));
    if (table->type != TOML_TABLE)
        return mistake(reading, table, "expected a table", "is %s", toml_type_name(table->type));
    TRY(check_members(section, table, reading));
    for (size_t i = 0; i < section->key_count; i++) {
        const struct key *key = &section->keys[i];
        const struct toml_value *value = toml_member(table, key->name);
        char hint[HINT_BYTES];
        if (!value && key->required)
            return mistake(reading, table, key_expectation(hint, key), "has no %s", key->name);
        if (!value)
            value = key->fallback;
        if (value)
            TRY(key_read(out, key, value, reading));
    }
    return ERR_OK;
}
