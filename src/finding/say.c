/* SPDX-License-Identifier: Apache-2.0 */
#include "finding/say.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

/* A number that does not fit 20 characters is no measurement; it is cut. */
#define PART "%.20s"

static const char NOT_KNOWN[] = "not known";

static struct said plain(const char *text)
{
    struct said said;
    (void)snprintf(said.text, sizeof said.text, "%s", text);
    return said;
}

/* Decimals that leave about three digits. */
static int decimals(double value)
{
    double size = fabs(value);
    return size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
}

static struct said digits_of_ratio(double ratio)
{
    struct said said;
    if (isinf(ratio))
        return plain("no limit");
    (void)snprintf(said.text, sizeof said.text, "%.*f", ratio >= 9.95 ? 0 : ratio >= 1.995 ? 1 : 2, ratio);
    return said;
}

struct said say_ratio(double ratio)
{
    struct said said;
    if (isnan(ratio))
        return plain(NOT_KNOWN);
    if (isinf(ratio))
        return plain("no limit");
    (void)snprintf(said.text, sizeof said.text, PART "x", digits_of_ratio(ratio).text);
    return said;
}

struct said say_effect(struct interval ratio)
{
    struct said said;
    if (isnan(ratio.mid))
        return plain(NOT_KNOWN);
    (void)snprintf(said.text, sizeof said.text, PART " [" PART ", " PART "]", say_ratio(ratio.mid).text,
                   digits_of_ratio(ratio.low).text, digits_of_ratio(ratio.high).text);
    return said;
}

static struct said digits_of_share(double share)
{
    struct said said;
    (void)snprintf(said.text, sizeof said.text, "%.*f", fabs(share) >= 0.0995 ? 0 : 1, 100.0 * share);
    return said;
}

struct said say_percent(double share)
{
    struct said said;
    if (!isfinite(share))
        return plain(NOT_KNOWN);
    (void)snprintf(said.text, sizeof said.text, PART " %%", digits_of_share(share).text);
    return said;
}

struct said say_share(struct interval share)
{
    struct said said;
    if (!isfinite(share.mid))
        return plain(NOT_KNOWN);
    (void)snprintf(said.text, sizeof said.text, PART " [" PART ", " PART "]", say_percent(share.mid).text,
                   digits_of_share(share.low).text, digits_of_share(share.high).text);
    return said;
}

struct said say_count(double count)
{
    static const char *const UNITS[] = {"", " K", " M", " G", " T"};
    struct said said;
    size_t unit = 0;
    if (!isfinite(count))
        return plain(NOT_KNOWN);
    for (; fabs(count) >= 999.5 && unit < 4; unit++)
        count /= 1000.0;
    bool whole = unit == 0 && floor(count) == count;
    (void)snprintf(said.text, sizeof said.text, "%.*f%s", whole ? 0 : decimals(count), count, UNITS[unit]);
    return said;
}

struct said say_counts(struct interval count)
{
    struct said said;
    if (!isfinite(count.mid))
        return plain(NOT_KNOWN);
    (void)snprintf(said.text, sizeof said.text, PART " [" PART ", " PART "]", say_count(count.mid).text,
                   say_count(count.low).text, say_count(count.high).text);
    return said;
}

struct said say_seconds(double seconds)
{
    static const struct {
        double from, scale;
        const char *unit;
    } UNITS[] = {{0.9995, 1, "s"}, {0.9995e-3, 1e3, "ms"}, {0.9995e-6, 1e6, "us"}, {0, 1e9, "ns"}};
    struct said said;
    size_t unit = 0;
    if (!isfinite(seconds))
        return plain(NOT_KNOWN);
    if (seconds <= 0.0)
        return plain("0 s");
    while (seconds < UNITS[unit].from)
        unit++;
    double value = seconds * UNITS[unit].scale;
    (void)snprintf(said.text, sizeof said.text, "%.*f %s", decimals(value), value, UNITS[unit].unit);
    return said;
}

struct said say_bytes(double bytes)
{
    struct said said;
    if (!isfinite(bytes))
        return plain(NOT_KNOWN);
    (void)snprintf(said.text, sizeof said.text, PART "%sB", say_count(bytes).text, fabs(bytes) < 999.5 ? " " : "");
    return said;
}

struct said say_days(double days)
{
    struct said said;
    if (!isfinite(days) || days <= 0.0)
        return plain(NOT_KNOWN);
    (void)snprintf(said.text, sizeof said.text, "%g %s", days, days > 1.0 ? "days" : "day");
    return said;
}
