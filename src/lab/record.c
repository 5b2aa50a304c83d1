/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/record.h"

#include "base/clock.h"
#include "base/json.h"

#include <stdio.h>
#include <string.h>

/* Bytes of a program as JSON text: what is not UTF-8 comes as '?'. */
static json_t *program_text(const char *bytes)
{
    json_t *text = json_string(bytes);
    char plain[RUN_OUTPUT_BYTES + 1];
    if (text)
        return text;
    (void)snprintf(plain, sizeof plain, "%s", bytes);
    for (char *at = plain; *at; at++)
        if ((unsigned char)*at >= 0x80)
            *at = '?';
    return json_string(plain);
}

static json_t *argv_json(const struct argv *argv)
{
    json_t *list = json_array();
    for (size_t i = 0; i < argv->count; i++)
        if (json_array_append_new(list, json_string(argv->items[i])) < 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

json_t *record_lab(const struct pipeline *pipeline, const char *fingerprint, uint64_t seed, bool resumed,
                   size_t cut_bytes, json_t *machine)
{
    char now[24];
    return json_pack("{s:s, s:s, s:I, s:s, s:s, s:o, s:s, s:o, s:b, s:I}", "record", "lab", "schema",
                     "venturi.journal/1", "seed", (json_int_t)seed, "started", clock_utc(now, sizeof now), "pipeline",
                     pipeline->name, "command", argv_json(&pipeline->command), "fingerprint", fingerprint, "machine",
                     machine, "resumed", resumed, "cut_bytes", (json_int_t)cut_bytes);
}

json_t *record_experiment(const struct experiment *experiment)
{
    const struct request *request = &experiment->request;
    json_t *arms = json_array();
    for (size_t i = 0; i < request->arm_count; i++)
        if (json_array_append_new(arms, variant_to_json(&request->arms[i])) < 0) {
            json_decref(arms);
            return NULL;
        }
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:f}", "record", "experiment", "id", experiment->id, "key",
                     request->key, "op", experiment_op_name(request->op), "purpose", request->purpose, "delta",
                     json_real_tidy(request->delta), "arms", arms, "value", request->value);
}

static const char *outcome_name(const struct run_identity *identity, const struct run_result *result)
{
    static const char *const names[] = {[RUN_OK] = "ok", [RUN_FAILED] = "failed", [RUN_TIMED_OUT] = "timed_out"};
    return identity->unequal ? "unequal_output" : names[result->status];
}

static json_t *output_json(const struct run_result *result)
{
    return json_pack("{s:I, s:I, s:o, s:o}", "stdout_bytes", (json_int_t)result->stdout_bytes, "stderr_bytes",
                     (json_int_t)result->stderr_bytes, "head", program_text(result->head), "tail",
                     program_text(result->tail));
}

static json_t *known_integer(bool known, uint64_t value)
{
    return known ? json_integer((json_int_t)value) : json_null();
}

json_t *record_run(const struct run_identity *identity, const struct variant *variant, const struct run_result *result,
                   json_t *experiments)
{
    char id[16], trace[32];
    (void)snprintf(id, sizeof id, "r%u", identity->number);
    (void)snprintf(trace, sizeof trace, "traces/r%u", identity->number);
    json_t *record = json_pack(
        "{s:s, s:s, s:i, s:i, s:i, s:b, s:o, s:s, s:i, s:o, s:o, s:s, s:i, s:o, s:o, s:o, s:i, s:o, s:o, s:I, s:I, "
        "s:s, s:O}",
        "record", "run", "id", id, "round", (int)identity->round, "place", (int)identity->place, "copy",
        (int)identity->copy, "warm_up", identity->warm_up, "settings", variant_to_json(variant), "started",
        result->started, "repeats", (int)result->repeats, "duration_s", json_real_tidy(result->duration_s), "cost_s",
        json_real_tidy(result->cost_s), "outcome", outcome_name(identity, result), "exit", result->exit, "output",
        output_json(result), "check", result->check[0] ? json_string(result->check) : json_null(), "rows",
        known_integer(result->spans > 0, result->rows), "lost_spans", (int)result->lost_spans, "cpu_s",
        json_real_tidy(result->cpu_s), "peak_bytes", known_integer(result->peak_bytes > 0, result->peak_bytes),
        "read_bytes", (json_int_t)result->read_bytes, "written_bytes", (json_int_t)result->written_bytes, "trace",
        trace, "experiments", experiments);
    if (record && result->why[0] && json_object_set_new(record, "why", program_text(result->why)) < 0) {
        json_decref(record);
        return NULL;
    }
    return record;
}

json_t *record_verdict(const json_t *experiment)
{
    json_t *record = json_copy((json_t *)experiment);
    if (record && json_object_set_new(record, "record", json_string("verdict")) < 0) {
        json_decref(record);
        return NULL;
    }
    return record;
}

json_t *record_end(size_t runs, json_t *disturbances)
{
    char now[24];
    return json_pack("{s:s, s:s, s:I, s:o}", "record", "end", "ended", clock_utc(now, sizeof now), "runs",
                     (json_int_t)runs, "disturbances", disturbances);
}

/* Lengths keep neighbours apart: {"ab", "c"} is not {"a", "bc"}. */
static void hash_text(struct sha256 *hash, const char *text)
{
    char length[24];
    size_t bytes = text ? strlen(text) : 0;
    sha256_add(hash, length, (size_t)snprintf(length, sizeof length, "%zu:", bytes));
    sha256_add(hash, text, bytes);
}

static void hash_argv(struct sha256 *hash, const struct argv *argv)
{
    char count[24];
    sha256_add(hash, count, (size_t)snprintf(count, sizeof count, "%zu;", argv->count));
    for (size_t i = 0; i < argv->count; i++)
        hash_text(hash, argv->items[i]);
}

static void hash_knob(struct sha256 *hash, const struct knob *knob)
{
    const struct argv values = {.items = knob->values, .count = knob->value_count};
    hash_text(hash, knob->name);
    hash_text(hash, knob->arg);
    hash_text(hash, knob->env);
    hash_argv(hash, &values);
    hash_text(hash, knob->values[knob->current]);
}

const char *pipeline_fingerprint(char out[SHA256_TEXT_BYTES], const struct pipeline *pipeline)
{
    struct sha256 hash;
    sha256_init(&hash);
    hash_argv(&hash, &pipeline->command);
    hash_argv(&hash, &pipeline->check);
    for (size_t i = 0; i < pipeline->before_count; i++)
        hash_argv(&hash, &pipeline->before[i]);
    hash_text(&hash, "services");
    for (size_t i = 0; i < pipeline->service_count; i++) {
        hash_argv(&hash, &pipeline->services[i].command);
        if (pipeline->services[i].restart == RESTART_ROUND)
            hash_text(&hash, "round");
    }
    hash_text(&hash, "knobs");
    for (size_t i = 0; i < pipeline->knob_count; i++)
        hash_knob(&hash, &pipeline->knobs[i]);
    return sha256_text(out, &hash);
}
