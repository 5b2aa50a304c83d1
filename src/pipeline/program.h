/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs are looked up when the file is read, so that a missing one is a line of the file and not a failed run.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

/** The absolute path of the executable `program`: searched in the absolute folders of $PATH, or relative to `folder`
 *  (absolute) when it holds a slash. *out is NULL when there is none. ERR_MEMORY only. */
CHECKED enum err program_find(const char **out, const char *program, const char *folder, struct arena *arena,
                              struct diag *diag);
