/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/conditions.h"

#include "base/json.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_BYTES = 160, TEXTS_MAX = 64 };
#define STEAL_LEAST_RATIO 0.01

static bool add_once(json_t *texts, const char *text)
{
    size_t i;
    const json_t *known;
    json_array_foreach(texts, i, known)
    {
        if (strcmp(json_string_value(known), text) == 0)
            return true;
    }
    return json_array_size(texts) == TEXTS_MAX || json_array_append_new(texts, json_string(text)) == 0;
}

static bool add_checks(json_t *texts, const json_t *machine)
{
    size_t i;
    const json_t *warning;
    bool ok = true;
    json_array_foreach(json_object_get(machine, "warnings"), i, warning)
    {
        const char *finding = json_string_or(warning, "finding", NULL);
        ok &= !finding || add_once(texts, finding);
    }
    return ok;
}

/* The numbers of a record or its disturbances, where they are not as they should be. */
static bool add_numbers(json_t *texts, const json_t *object)
{
    static const struct {
        const char *key, *text;
        double least, unit;
        int decimals;
    } kinds[] = {
        {"steal_ratio", " % of the CPU time was stolen by the host while measuring", STEAL_LEAST_RATIO, 100, 1},
        {"swapped_pages", " pages were swapped while measuring", 1, 1, 0},
        {"quota_stops", " times a CPU quota was used up while measuring", 1, 1, 0},
        {"cut_bytes", " bytes of a record that a crash cut short were dropped from the journal", 1, 1, 0},
        {"hot_stops", " times a hot CPU slowed down while measuring", 1, 1, 0},
    };
    bool ok = true;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char text[TEXT_BYTES];
        double value = json_number_or(object, kinds[i].key, 0);
        if (value < kinds[i].least)
            continue;
        (void)snprintf(text, sizeof text, "%.*f%s", kinds[i].decimals, value * kinds[i].unit, kinds[i].text);
        ok &= add_once(texts, text);
    }
    return ok;
}

json_t *conditions_json(const json_t *records)
{
    size_t i;
    const json_t *record;
    json_t *texts = json_array();
    bool ok = texts != NULL;
    json_array_foreach(records, i, record)
    {
        ok = ok && add_checks(texts, json_object_get(record, "machine")) && add_numbers(texts, record) &&
             add_numbers(texts, json_object_get(record, "disturbances"));
    }
    if (ok)
        return texts;
    json_decref(texts);
    return NULL;
}
