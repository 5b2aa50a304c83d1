/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/err.h"
#include "report/document.h"

#include <jansson.h>
#include <stdbool.h>

/** Prints a document for people to standard output, as wide as the terminal and coloured where it is one. */
CHECKED enum err show_document(const struct document *document, struct diag *diag);
/** Prints JSON for machines to standard output, sorted and with a newline. */
CHECKED enum err show_json(const json_t *json, struct diag *diag);
