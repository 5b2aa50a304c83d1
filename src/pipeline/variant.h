/* SPDX-License-Identifier: Apache-2.0
 *
 * A variant: the baseline plus knob settings that differ from it, and what it makes of a run.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "pipeline/pipeline.h"
#include "pipeline/ports.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/** Settings in the order of the file's knobs; a knob at its current value has none, so equal variants are equal lists.
 */
struct variant {
    const struct pipeline *pipeline;
    const struct setting *settings;
    size_t count; /* 0 = the baseline */
};

/** Reads {"concurrency": "4"}; unknown knobs and values are ERR_CONFIG and the hint lists the known ones. */
CHECKED enum err variant_from_json(struct variant *out, const struct pipeline *pipeline, const json_t *settings,
                                   struct arena *arena, struct diag *diag);
/** The same object again, new reference; NULL when memory is out. */
json_t *variant_to_json(const struct variant *variant);
/** The baseline with one knob set. */
CHECKED enum err variant_of_setting(struct variant *out, const struct pipeline *pipeline, struct setting setting,
                                    struct arena *arena, struct diag *diag);
bool variant_equal(const struct variant *a, const struct variant *b);
/** Index into knob->values of the value that the variant runs with: the set one, or the current. */
size_t variant_value(const struct variant *variant, const struct knob *knob);
/** "concurrency=4 overlap=1", "baseline" without settings; different variants have different texts, values with other
 *  than plain characters are quoted. */
CHECKED enum err variant_text(const char **out, const struct variant *variant, struct arena *arena, struct diag *diag);

/** The command of a run: that of the file with its ports filled in, then the argument of every knob that has one. */
CHECKED enum err variant_command(struct argv *out, const struct variant *variant, const struct ports *ports,
                                 struct arena *arena, struct diag *diag);
/** "NAME=value" of every knob that is set through the environment, NULL-terminated; for a run and for its before and
 *  check commands, which get no knob's argument. */
CHECKED enum err variant_env(const char *const **out, const struct variant *variant, struct arena *arena,
                             struct diag *diag);
