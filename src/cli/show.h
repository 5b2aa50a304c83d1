/* SPDX-License-Identifier: Apache-2.0
 *
 * Results on standard output: for people as wide as their terminal, for machines as JSON.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "report/document.h"

#include <jansson.h>

CHECKED enum err show_document(const struct document *document, struct diag *diag);
/** Sorted, indented, with a newline. */
CHECKED enum err show_json(const json_t *json, struct diag *diag);
