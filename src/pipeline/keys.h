/* SPDX-License-Identifier: Apache-2.0
 *
 * Every table and key that a pipeline.toml may hold: the one truth for the checks and for docs/pipeline-toml.md.
 */
#pragma once

#include "pipeline/pipeline.h"
#include "pipeline/section.h"

/** What [[knob]] fills: a knob, and its `current` as written, before it is looked up among the values. */
struct knob_draft {
    struct knob knob;
    const char *current;
};

enum section_id {
    SECTION_PIPELINE,  /* fills struct pipeline */
    SECTION_GOAL,      /* struct pipeline */
    SECTION_DATABASE,  /* struct pipeline */
    SECTION_STAGE,     /* struct stage */
    SECTION_KNOB,      /* struct knob_draft */
    SECTION_SERVICE,   /* struct service */
    SECTION_CANDIDATE, /* struct candidate_spec; the stage is part of the name */
    SECTION_AGENT,     /* struct agent_command */
    SECTION_COUNT,
};

extern const struct section SECTIONS[SECTION_COUNT];
