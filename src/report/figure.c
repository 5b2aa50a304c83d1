/* SPDX-License-Identifier: Apache-2.0 */
#include "report/figure.h"

#include "base/json.h"
#include "finding/say.h"

#include <math.h>

static const char absent[] = "not measured";

static struct interval interval_of(const json_t *json)
{
    return (struct interval){json_number_or(json, "low", NAN), json_number_or(json, "mid", NAN),
                             json_number_or(json, "high", NAN)};
}

const char *figure_effect(struct arena *arena, const json_t *interval, int bounded)
{
    struct interval ratio = interval_of(interval);
    if (bounded)
        return isfinite(ratio.high) ? arena_printf(arena, "at most %s", say_ratio(ratio.high).text) : "no bound known";
    return isfinite(ratio.mid) ? arena_strdup(arena, say_effect(ratio).text) : absent;
}

const char *figure_rate(struct arena *arena, double per_s, const char *unit)
{
    return isfinite(per_s) ? arena_printf(arena, "%s %s", say_count(per_s).text, unit) : absent;
}

const char *figure_share(struct arena *arena, const json_t *interval)
{
    struct interval share = interval_of(interval);
    return isfinite(share.mid) ? arena_strdup(arena, say_share(share).text) : absent;
}

const char *figure_seconds(struct arena *arena, double seconds)
{
    return isfinite(seconds) ? arena_strdup(arena, say_seconds(seconds).text) : absent;
}

const char *figure_bytes(struct arena *arena, double bytes)
{
    return isfinite(bytes) && bytes > 0 ? arena_strdup(arena, say_bytes(bytes).text) : absent;
}

const char *figure_repeats(struct arena *arena, double repeats)
{
    return arena_printf(arena, "each run repeats the command %.0f times; times are of one repetition", repeats);
}

const char *figure_settings(json_t *settings, struct arena *arena)
{
    const char *key, *text = "";
    json_t *value;
    json_object_foreach(settings, key, value)
    {
        text = arena_printf(arena, "%s%s%s=%s", text, *text ? " " : "", key,
                            json_string_value(value) ? json_string_value(value) : "?");
        if (!text)
            return NULL;
    }
    return *text ? text : "baseline";
}
