/* SPDX-License-Identifier: Apache-2.0
 *
 * A lab for one question: opened, asked, closed.
 */
#pragma once

#include "base/err.h"

#include <jansson.h>
#include <stdint.h>

struct private_lab_options {
    const char *file;
    const char *folder; /* NULL = a temporary folder, removed afterwards */
    uint64_t seed, budget_ns;
};

/** Called while the lab's folder still exists, with the experiment and that folder. */
typedef enum err private_lab_use(void *context, const json_t *experiment, const char *lab_folder, struct diag *diag);

/** Asks one request; *out_experiment is a new reference. */
CHECKED enum err private_lab_ask(json_t **out_experiment, const json_t *request,
                                 const struct private_lab_options *options, struct diag *diag);
/** Asks one request and lets `use` read its traces. */
CHECKED enum err private_lab_with(const json_t *request, const struct private_lab_options *options,
                                  private_lab_use *use, void *context, struct diag *diag);
