/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/pipeline.h"

#include <string.h>

static const char *const LEVERS[] = {
    [LEVER_CONCURRENCY] = "concurrency",
    [LEVER_OVERLAP] = "overlap",
    [LEVER_STREAMING] = "streaming",
    [LEVER_BATCH] = "batch",
    [LEVER_CLIENT] = "client",
    [LEVER_SETTING] = "setting",
    [LEVER_IMPLEMENTATION] = "implementation",
};

static const char *const STAGE_KINDS[] = {
    [STAGE_UNSPECIFIED] = "", [STAGE_NETWORK] = "network",   [STAGE_CPU] = "cpu",
    [STAGE_DISK] = "disk",    [STAGE_DATABASE] = "database",
};

const struct knob *pipeline_knob(const struct pipeline *pipeline, const char *name)
{
    for (size_t i = 0; i < pipeline->knob_count; i++)
        if (strcmp(pipeline->knobs[i].name, name) == 0)
            return &pipeline->knobs[i];
    return NULL;
}

const char *lever_name(enum lever lever)
{
    return LEVERS[lever];
}

bool lever_from_name(enum lever *out, const char *name)
{
    for (size_t i = 0; i < sizeof LEVERS / sizeof *LEVERS; i++)
        if (strcmp(LEVERS[i], name) == 0) {
            *out = (enum lever)i;
            return true;
        }
    return false;
}

const char *stage_kind_name(enum stage_kind kind)
{
    return STAGE_KINDS[kind];
}
