/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a pipeline.toml: a pipeline whose variants can be run, or one printable line.
 */
#include "pipeline/candidate.h"
#include "pipeline/load.h"
#include "pipeline/variant.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void require_one_line(const struct diag *diag)
{
    char line[1024];
    for (const char *at = diag_line(diag, line, sizeof line); *at; at++)
        require((unsigned char)*at >= 0x20 && *at != 0x7f);
    require(diag->where[0] && diag->what[0]);
}

/* Whatever the file let pass, a run can be made of. */
static void use(const struct pipeline *pipeline, struct arena *arena, struct diag *diag)
{
    struct candidate *candidates;
    size_t count;
    require(candidate_list(&candidates, &count, pipeline, arena, diag) == ERR_OK);
    struct service_port *ports = ARENA_ARRAY(arena, struct service_port, pipeline->service_count);
    require(ports);
    for (size_t i = 0; i < pipeline->service_count; i++)
        ports[i] = (struct service_port){.service = pipeline->services[i].name, .port = 1};
    const struct ports all = {.items = ports, .count = pipeline->service_count};
    for (size_t i = 0; i < pipeline->service_count; i++) {
        const struct service *service = &pipeline->services[i];
        struct argv argv;
        require(ports_fill_argv(&argv, &service->command, service->name, &all, arena, diag) == ERR_OK);
    }
    for (size_t i = 0; i < pipeline->knob_count; i++) {
        struct variant variant;
        struct argv argv;
        const char *const *env;
        const char *text;
        struct setting setting = {.knob = &pipeline->knobs[i], .value = pipeline->knobs[i].value_count - 1};
        require(variant_of_setting(&variant, pipeline, setting, arena, diag) == ERR_OK);
        require(variant_text(&text, &variant, arena, diag) == ERR_OK);
        require(variant_command(&argv, &variant, &all, arena, diag) == ERR_OK);
        require(variant_env(&env, &variant, arena, diag) == ERR_OK);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena_fini) struct arena arena;
    struct pipeline pipeline = {.path = "/tmp/pipeline.toml", .folder = "/tmp"};
    struct diag diag = {0};
    arena_init(&arena, 256 * 1024 * 1024);
    enum err error = pipeline_parse(&pipeline, (const char *)data, size, "pipeline.toml", &arena, &diag);
    if (error == ERR_OK)
        use(&pipeline, &arena, &diag);
    else if (error == ERR_CONFIG)
        require_one_line(&diag);
    else
        abort();
    return 0;
}
