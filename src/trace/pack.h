/* SPDX-License-Identifier: Apache-2.0
 *
 * One trace as one file: an uncompressed tar of the files of its folder, which `tar x` opens and every reader here
 * takes in the folder's place (folder.h).
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

/** Packs the trace in the folder `from` into the file `to`, which is whole or absent. The same trace gives the same
 *  bytes. Files that are no part of a trace are left out. ERR_FORMAT: there is no trace. */
CHECKED enum err trace_pack(const char *from, const char *to, struct arena *arena, struct diag *diag);
