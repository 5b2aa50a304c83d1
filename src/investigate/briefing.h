/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "finding/brief.h"
#include "investigate/investigation.h"
#include "pipeline/pipeline.h"

#include <jansson.h>

/** Makes the brief from the baseline's runs (an experiment of op "run") and writes brief.json into the folder. The
 *  caller owns *out_profile, which the brief borrows. */
CHECKED enum err briefing_make(struct brief **out, json_t **out_profile, const struct pipeline *pipeline,
                               const struct investigation_options *options, const json_t *baseline,
                               const struct lab *lab, struct arena *arena, struct diag *diag);
