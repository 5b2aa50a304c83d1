/* SPDX-License-Identifier: Apache-2.0
 *
 * For the tests of this room: pipelines out of text, without a file.
 */
#pragma once

#include "pipeline/load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Five lines that are a whole pipeline; what a test adds begins on line 6. */
#define SMALL "[pipeline]\nname = 'p'\ncommand = ['sh', '-c', 'true']\n[[stage]]\nname = 's'\n"
#define KNOB "[[knob]]\nname='k'\nstage='s'\nlever='batch'\narg='--k={}'\nvalues=[1,2]\ncurrent=1\n"

enum { FIXTURE_ARENA_BYTES = 64 * 1024 * 1024 };

static inline enum err parse_bytes(struct pipeline *out, const char *text, size_t bytes, struct arena *arena,
                                   struct diag *diag)
{
    *out = (struct pipeline){.path = "/tmp/pipeline.toml", .folder = "/tmp"};
    return pipeline_parse(out, text, bytes, "pipeline.toml", arena, diag);
}

/* A pipeline that must be right; a failure prints its diag. */
static inline void parse_valid(struct pipeline *out, const char *text, struct arena *arena)
{
    struct diag diag = {0};
    char line[1024];
    if (parse_bytes(out, text, strlen(text), arena, &diag) != ERR_OK)
        fail_msg("%s", diag_line(&diag, line, sizeof line));
}
