/* SPDX-License-Identifier: Apache-2.0 */
#include "report/figure.h"

#include "base/json.h"

#include <math.h>

static const char absent[] = "not measured";

const char *figure_effect(struct arena *arena, const json_t *interval, int bounded)
{
    double low = json_number_or(interval, "low", NAN), mid = json_number_or(interval, "mid", NAN),
           high = json_number_or(interval, "high", NAN);
    if (bounded)
        return isfinite(high) ? arena_printf(arena, "at most %.3gx", high) : "no bound known";
    return isfinite(mid) ? arena_printf(arena, "%.3gx [%.3g, %.3g]", mid, low, high) : absent;
}

const char *figure_rate(struct arena *arena, double per_s, const char *unit)
{
    if (!isfinite(per_s))
        return absent;
    if (per_s >= 1e6)
        return arena_printf(arena, "%.3g M %s", per_s / 1e6, unit);
    return per_s >= 1e3 ? arena_printf(arena, "%.3g K %s", per_s / 1e3, unit)
                        : arena_printf(arena, "%.3g %s", per_s, unit);
}

const char *figure_share(struct arena *arena, const json_t *interval)
{
    double mid = json_number_or(interval, "mid", NAN);
    return isfinite(mid)
               ? arena_printf(arena, "%.3g %% [%.3g, %.3g]", 100 * mid, 100 * json_number_or(interval, "low", NAN),
                              100 * json_number_or(interval, "high", NAN))
               : absent;
}

const char *figure_seconds(struct arena *arena, double seconds)
{
    if (!isfinite(seconds))
        return absent;
    return seconds < 1 ? arena_printf(arena, "%.3g ms", seconds * 1e3) : arena_printf(arena, "%.3g s", seconds);
}

const char *figure_bytes(struct arena *arena, double bytes)
{
    return isfinite(bytes) && bytes > 0 ? arena_printf(arena, "%.3g MB", bytes / 1e6) : absent;
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
