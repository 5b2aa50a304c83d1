/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/private_lab.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "lab/lab.h"
#include "pipeline/pipeline.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define ARENA_BYTES ((size_t)256 << 20)
enum { TURN_MS = 200 };

struct asking {
    json_t *answer;
    bool interrupted;
};

static void on_answer(void *context, const json_t *answer)
{
    struct asking *asking = context;
    asking->answer = json_deep_copy(answer);
}

static void on_signal(void *context, uint32_t events)
{
    struct asking *asking = context;
    (void)events;
    asking->interrupted = true;
}

static enum err wait_for_answer(struct asking *asking, struct lab *lab, const json_t *request, struct loop *loop,
                                struct diag *diag)
{
    TRY(lab_request(lab, request, on_answer, asking, diag));
    while (!asking->answer) {
        TRY(loop_turn(loop, clock_monotonic_ns() + (uint64_t)TURN_MS * NS_PER_MS, diag));
        TRY(lab_health(lab, diag));
        if (asking->interrupted)
            return diag_fail(diag, ERR_INTERRUPTED, NULL, NULL, "interrupted");
    }
    const json_t *error = json_object_get(asking->answer, "error");
    if (error)
        return diag_fail(diag, ERR_CONFIG, "lab", NULL, "%s", json_string_or(error, "message", "refused"));
    return ERR_OK;
}

/* What makes the numbers worse is said before they come. */
static void warn_of_machine(const struct lab *lab)
{
    size_t i;
    const json_t *warning;
    json_array_foreach(json_object_get(lab_machine(lab), "warnings"), i, warning)
    {
        (void)fprintf(stderr, "venturi: %s; %s\n", json_string_or(warning, "finding", ""),
                      json_string_or(warning, "advice", ""));
    }
}

static enum err measure(json_t **out_answer, const json_t *request, const char *folder,
                        const struct private_lab_options *options, struct diag *diag)
{
    AUTO(arena_fini) struct arena arena;
    AUTO(loop_free) struct loop *loop = NULL;
    AUTO(lab_free) struct lab *lab = NULL;
    struct asking asking = {0};
    struct pipeline *pipeline;
    arena_init(&arena, ARENA_BYTES);
    TRY(pipeline_load(&pipeline, options->file, &arena, diag));
    TRY(loop_new(&loop, diag));
    TRY(loop_watch_interrupts(loop, on_signal, &asking, diag));
    struct lab_options lab_options = {
        .folder = folder, .seed = options->seed, .budget_ns = options->budget_ns, .record_cpu = true};
    TRY(lab_new(&lab, pipeline, &lab_options, loop, diag));
    warn_of_machine(lab);
    enum err error = wait_for_answer(&asking, lab, request, loop, diag);
    *out_answer = asking.answer;
    return error;
}

static enum err with_folder(const json_t *request, const char *folder, const struct private_lab_options *options,
                            private_lab_use *use, void *context, struct diag *diag)
{
    AUTO(json_release) json_t *answer = NULL;
    TRY(measure(&answer, request, folder, options, diag));
    return use(context, json_object_get(answer, "experiment"), folder, diag);
}

enum err private_lab_with(const json_t *request, const struct private_lab_options *options, private_lab_use *use,
                          void *context, struct diag *diag)
{
    char temporary[] = "/tmp/venturi-lab-XXXXXX";
    if (options->folder)
        return with_folder(request, options->folder, options, use, context, diag);
    if (!mkdtemp(temporary))
        return diag_errno(diag, ERR_IO, errno, temporary, "cannot make a temporary folder");
    enum err error = with_folder(request, temporary, options, use, context, diag);
    enum err cleaned = dir_remove(temporary, error == ERR_OK ? diag : NULL);
    return error == ERR_OK ? cleaned : error;
}

static enum err keep_experiment(void *context, const json_t *experiment, const char *lab_folder, struct diag *diag)
{
    json_t **out = context;
    (void)lab_folder;
    *out = json_deep_copy(experiment);
    return *out ? ERR_OK : diag_fail(diag, ERR_MEMORY, NULL, NULL, "out of memory");
}

enum err private_lab_ask(json_t **out_experiment, const json_t *request, const struct private_lab_options *options,
                         struct diag *diag)
{
    return private_lab_with(request, options, keep_experiment, out_experiment, diag);
}
