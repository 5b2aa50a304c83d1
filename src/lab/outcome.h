/* SPDX-License-Identifier: Apache-2.0
 *
 * How a program ended, in words for diagnostics.
 */
#pragma once

#include "base/child.h"

#include <stddef.h>

enum { OUTCOME_TEXT_BYTES = 384 };

/** "exited with status 3: cannot open x" with the last line it wrote to stderr, or else stdout; printable. Returns
 * `out`. */
const char *outcome_text(char out[OUTCOME_TEXT_BYTES], const struct child_result *result);
