/* SPDX-License-Identifier: Apache-2.0 */
#include "finding/render.h"

#include "base/json.h"

#include <math.h>

json_t *interval_json(struct interval interval)
{
    if (!isfinite(interval.low) && !isfinite(interval.mid) && !isfinite(interval.high))
        return json_null();
    return json_pack("{s:o, s:o, s:o}", "low", json_real_tidy(interval.low), "mid", json_real_tidy(interval.mid),
                     "high", json_real_tidy(interval.high));
}

json_t *text_json(const char *text)
{
    return text ? json_string(text) : json_null();
}

json_t *list_json(const void *items, size_t count, item_json *item)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(array, item(items, i));
    if (json_array_size(array) == count) /* a failed append leaves it shorter */
        return array;
    json_decref(array);
    return NULL;
}

static json_t *text_item(const void *items, size_t index)
{
    return json_string(((const char *const *)items)[index]);
}

json_t *texts_json(const char *const *texts, size_t count)
{
    return list_json(texts, count, text_item);
}
