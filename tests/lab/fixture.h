/* SPDX-License-Identifier: Apache-2.0
 *
 * For the lab's tests: a folder with a pipeline around worker.c, and a lab on it that a test drives by asking.
 */
#pragma once

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "lab/client.h"
#include "lab/lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { DEADLINE_S = 60, BENCH_ARENA_BYTES = 64 * 1024 * 1024 };

struct bench {
    char folder[64], lab_folder[96], file[96];
    struct arena arena;
    struct pipeline *pipeline;
    struct loop *loop;
    struct lab *lab;
};

static inline void expect_ok(enum err error, const struct diag *diag)
{
    char line[1024];
    if (error != ERR_OK)
        fail_msg("%s", diag_line(diag, line, sizeof line));
}

/* The time-out is the hanging variant's; the others must not meet it on a busy machine. */
#define PIPELINE_WITHIN(timeout)                                                                                       \
    "[pipeline]\nname = 't'\ncommand = ['" WORKER "']\nbatch = false\ntimeout = '" timeout                             \
    "'\nbefore = [['rm', '-f', 'out']]\n"                                                                              \
    "check = ['cat', 'out']\n[[stage]]\nname = 'work'\n"                                                               \
    "[[knob]]\nname = 'ms'\nstage = 'work'\nlever = 'implementation'\narg = '--ms={}'\nvalues = [20, 10, 5, 1]\n"      \
    "current = 20\n[[knob]]\nname = 'mode'\nstage = 'work'\nlever = 'setting'\narg = '--mode={}'\n"                    \
    "values = ['ok', 'fail', 'hang', 'other-output', 'fewer-rows']\ncurrent = 'ok'\n"
#define PIPELINE PIPELINE_WITHIN("30s")

static inline void bench_load(struct bench *bench, const char *toml)
{
    struct diag diag = {0};
    expect_ok(file_write_atomic(bench->file, toml, strlen(toml), &diag), &diag);
    expect_ok(pipeline_load(&bench->pipeline, bench->file, &bench->arena, &diag), &diag);
}

/* A folder and a pipeline, no lab yet. */
static inline void bench_init(struct bench *bench, const char *toml)
{
    struct diag diag = {0};
    *bench = (struct bench){.folder = "/tmp/venturi-lab-test-XXXXXX"};
    arena_init(&bench->arena, BENCH_ARENA_BYTES);
    assert_non_null(mkdtemp(bench->folder));
    (void)snprintf(bench->lab_folder, sizeof bench->lab_folder, "%s/lab", bench->folder);
    (void)snprintf(bench->file, sizeof bench->file, "%s/pipeline.toml", bench->folder);
    bench_load(bench, toml);
    expect_ok(loop_new(&bench->loop, &diag), &diag);
}

static inline enum err bench_try_open(struct bench *bench, struct lab_options options, struct diag *diag)
{
    options.folder = options.folder ? options.folder : bench->lab_folder;
    options.seed = options.seed ? options.seed : 42;
    return lab_new(&bench->lab, bench->pipeline, &options, bench->loop, diag);
}

static inline void bench_open(struct bench *bench, struct lab_options options)
{
    struct diag diag = {0};
    expect_ok(bench_try_open(bench, options, &diag), &diag);
}

static inline void bench_fini(struct bench *bench)
{
    struct diag diag = {0};
    lab_free(&bench->lab);
    loop_free(&bench->loop);
    arena_fini(&bench->arena);
    expect_ok(dir_remove(bench->folder, &diag), &diag);
}

/* One answer to come. */
struct question {
    json_t *answer;
};

static inline void take_answer(void *context, const json_t *answer)
{
    struct question *question = context;
    assert_null(question->answer);
    question->answer = json_deep_copy(answer);
}

static inline json_t *parse_json(const char *text)
{
    json_error_t error;
    json_t *json = json_loads(text, 0, &error);
    if (!json)
        fail_msg("%s in %s", error.text, text);
    return json;
}

static inline void ask(struct bench *bench, struct question *question, const char *request)
{
    struct diag diag = {0};
    AUTO(json_release) json_t *json = parse_json(request);
    *question = (struct question){0};
    expect_ok(lab_request(bench->lab, json, take_answer, question, &diag), &diag);
}

static inline void turn(struct bench *bench)
{
    struct diag diag = {0};
    expect_ok(loop_turn(bench->loop, clock_monotonic_ns() + NS_PER_S, &diag), &diag);
}

/* The answer; json_decref it. A lab that fails meanwhile is shown. */
static inline json_t *await(struct bench *bench, struct question *question)
{
    struct diag diag = {0};
    uint64_t until_ns = clock_monotonic_ns() + DEADLINE_S * NS_PER_S;
    while (!question->answer && clock_monotonic_ns() < until_ns)
        turn(bench);
    expect_ok(lab_health(bench->lab, &diag), &diag);
    assert_non_null(question->answer);
    return question->answer;
}

/* The experiment of one request asked alone; json_decref it. */
static inline json_t *experiment(struct bench *bench, const char *request)
{
    struct question question;
    ask(bench, &question, request);
    AUTO(json_release) json_t *answer = await(bench, &question);
    assert_true(json_is_true(json_object_get(answer, "ok")));
    return json_incref(json_object_get(answer, "experiment"));
}

static inline const json_t *comparison(const json_t *of, size_t i)
{
    const json_t *found = json_array_get(json_object_get(of, "comparisons"), i);
    assert_non_null(found);
    return found;
}

static inline const char *text_of(const json_t *object, const char *key)
{
    return json_string_or(object, key, "(none)");
}

static inline json_int_t number_of(const json_t *object, const char *key)
{
    assert_true(json_is_integer(json_object_get(object, key)));
    return json_integer_value(json_object_get(object, key));
}

static inline json_t *read_journal(const struct bench *bench)
{
    struct diag diag = {0};
    json_t *journal;
    expect_ok(journal_read(&journal, bench->lab_folder, &diag), &diag);
    return journal;
}

static inline size_t run_count(const json_t *journal)
{
    return json_object_size(json_object_get(journal, "runs"));
}
