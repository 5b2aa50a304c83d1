/* SPDX-License-Identifier: Apache-2.0
 *
 * The profile as a document: docs/contracts.md, docs/schema/profile.schema.json.
 */
#include "profile/profile.h"

#include "base/json.h"

#include <assert.h>
#include <math.h>

static json_t *interval(struct interval value)
{
    return isnan(value.mid) ? json_null()
                            : json_pack("{s:o, s:o, s:o}", "low", json_real_tidy(value.low), "mid",
                                        json_real_tidy(value.mid), "high", json_real_tidy(value.high));
}

/* JSON integers are signed here; a count beyond them is damage anyway, an item beyond them is left unsaid. */
static json_t *count(uint64_t value)
{
    return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

static json_t *item(uint64_t value)
{
    return value > INT64_MAX ? json_null() : json_integer((json_int_t)value);
}

static json_t *stage_json(const struct stage_summary *stage)
{
    json_t *peak_bytes = stage->peak_bytes > 0 ? count(stage->peak_bytes) : json_null();
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s}", "name",
                     stage->name, "spans", count(stage->spans), "rows", count(stage->rows), "bytes",
                     count(stage->bytes), "workers", count(stage->workers), "busy_s", json_real_tidy(stage->busy_s),
                     "critical_s", json_real_tidy(stage->critical_s), "share", interval(stage->share),
                     "capacity_rows_s", interval(stage->capacity_rows_s), "running_s", json_real_tidy(stage->running_s),
                     "waiting_s", json_real_tidy(stage->waiting_s), "p50_s", json_real_tidy(stage->p50_s), "p99_s",
                     json_real_tidy(stage->p99_s), "max_s", json_real_tidy(stage->max_s), "slowest_item",
                     item(stage->slowest_item), "peak_bytes", peak_bytes, "limited_by",
                     limit_kind_name(stage->limited_by));
}

/* No stage is named that did not stand out. */
static json_t *bottleneck_json(const struct profile *profile)
{
    bool shown = profile->verdict != BOTTLENECK_NONE && profile->stage_count >= 1;
    bool second = shown && profile->stage_count >= 2;
    assert(!shown || profile->stages);
    const struct stage_summary *stage = shown ? &profile->stages[profile->bottleneck] : NULL;
    return json_pack("{s:s, s:s?, s:s?, s:o, s:s?}", "verdict", bottleneck_verdict_name(profile->verdict), "stage",
                     stage ? stage->name : NULL, "runner_up", second ? profile->stages[profile->runner_up].name : NULL,
                     "lead", interval(profile->lead), "limited_by", stage ? limit_kind_name(stage->limited_by) : NULL);
}

static json_t *stages_json(const struct profile *profile)
{
    json_t *stages = json_array();
    for (size_t i = 0; i < profile->stage_count; i++) {
        if (json_array_append_new(stages, stage_json(&profile->stages[i])) != 0) {
            json_decref(stages);
            return NULL;
        }
    }
    return stages;
}

json_t *profile_json(const struct profile *profile)
{
    return json_pack("{s:s, s:I, s:o, s:o, s:o, s:o, s:o, s:o}", "schema", "venturi.profile/1", "runs",
                     (json_int_t)profile->runs, "wall_s", interval(profile->wall_s), "rows_s",
                     interval(profile->rows_s), "outside_share", json_real_tidy(profile->outside_share), "lost_spans",
                     count(profile->lost_spans), "bottleneck", bottleneck_json(profile), "stages",
                     stages_json(profile));
}
