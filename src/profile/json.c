/* SPDX-License-Identifier: Apache-2.0
 *
 * Profiles as documents: docs/contracts.md, docs/schema/profile.schema.json and trace-stats.schema.json.
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
    assert(profile->stage_count == 0 || profile->stages);
    bool shown = profile->verdict != BOTTLENECK_NONE && profile->stage_count >= 1 &&
                 !isnan(profile->stages[profile->bottleneck].share.mid);
    bool second = shown && profile->stage_count >= 2;
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

static json_t *measured_count(uint64_t value)
{
    return value == TRACE_ALLOCATIONS_UNKNOWN ? json_null() : count(value);
}

static json_t *queue_json(const struct stage_queue *queue)
{
    return isnan(queue->mean) ? json_null()
                              : json_pack("{s:s, s:o, s:o}", "unit", queue->rows ? "rows" : "spans", "mean",
                                          json_real_tidy(queue->mean), "wait_s", json_real_tidy(queue->wait_s));
}

static json_t *slowest_json(const struct stage_profile *stage)
{
    json_t *slowest = json_array();
    for (size_t i = 0; slowest && i < stage->slowest_count; i++) {
        const struct slow_item *slow = &stage->slowest[i];
        json_t *one = json_pack("{s:o, s:o, s:o}", "item", item(slow->item), "duration_s",
                                json_real_tidy(slow->duration_s), "end_s", json_real_tidy(slow->end_s));
        if (json_array_append_new(slowest, one) != 0) {
            json_decref(slowest);
            return NULL;
        }
    }
    return slowest;
}

static json_t *run_stage_json(const struct stage_profile *stage)
{
    double capacity_rows_s = stage->rows > 0 && stage->busy_s > 0 ? (double)stage->rows / stage->busy_s : (double)NAN;
    json_t *peak_bytes = stage->peak_bytes > 0 ? count(stage->peak_bytes) : json_null();
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
                     "s:o}",
                     "name", stage->name, "spans", count(stage->spans), "failed", count(stage->failed), "rows",
                     count(stage->rows), "bytes", count(stage->bytes), "workers", count(stage->workers), "sum_s",
                     json_real_tidy(stage->sum_s), "busy_s", json_real_tidy(stage->busy_s), "critical_s",
                     json_real_tidy(stage->critical_s), "running_s", json_real_tidy(stage->running_s), "waiting_s",
                     json_real_tidy(stage->waiting_s), "p50_s", json_real_tidy(stage->p50_s), "p99_s",
                     json_real_tidy(stage->p99_s), "max_s", json_real_tidy(stage->max_s), "capacity_rows_s",
                     json_real_tidy(capacity_rows_s), "peak_bytes", peak_bytes, "allocations",
                     measured_count(stage->allocations), "allocated_bytes", measured_count(stage->allocated_bytes),
                     "queue", queue_json(&stage->queue), "slowest", slowest_json(stage));
}

static json_t *losses_json(const struct run_profile *run)
{
    const struct span_losses *losses = &run->losses;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "write_failed", count(losses->write_failed), "no_stage",
                     count(losses->no_stage), "misuse", count(losses->misuse), "no_stream", count(losses->no_stream),
                     "interrupted", count(losses->interrupted), "clock", count(losses->clock), "rejected",
                     count(run->rejected));
}

json_t *run_profile_json(const struct run_profile *run)
{
    json_t *stages = json_array();
    for (size_t i = 0; stages && i < run->stage_count; i++) {
        if (json_array_append_new(stages, run_stage_json(&run->stages[i])) != 0) {
            json_decref(stages);
            return NULL;
        }
    }
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:{s:o, s:o}, s:o}", "wall_s",
                     json_real_tidy(run->wall_s), "overlap_s", json_real_tidy(run->overlap_s), "outside_s",
                     json_real_tidy(run->outside_s), "spans", count(run->spans), "rows", count(run->rows), "lost_spans",
                     count(run->lost_spans), "lost_pages", count(run->lost_pages), "losses", losses_json(run), "flush",
                     "count", count(run->flushes), "sum_s", json_real_tidy(run->flush_s), "stages", stages);
}
