/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps of pipeline_load, apart, so that a fuzzer can start from bytes.
 */
#pragma once

#include "pipeline/mistake.h"
#include "pipeline/pipeline.h"
#include "pipeline/toml.h"

/** Fills `pipeline` (whose path and folder are set) from the text of the file `name`, checks included. */
CHECKED enum err pipeline_parse(struct pipeline *pipeline, const char *text, size_t bytes, const char *name,
                                struct arena *arena, struct diag *diag);
/** What no single key can tell: references, duplicates, programs, placeholders. Makes argv[0] of commands absolute. */
CHECKED enum err pipeline_check(struct pipeline *pipeline, const struct toml_value *document, struct reading *reading);
