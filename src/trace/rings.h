/* SPDX-License-Identifier: Apache-2.0
 *
 * The lab's end of the shared memory that recorders write into: a memfd that nobody can shrink, so that no recorder is
 * hurt by what others do to files, and that outlives the run, however it ended.
 */
#pragma once

#include "base/err.h"
#include "trace/format.h"

enum { RINGS_SLOTS = 4096, RINGS_PATH_BYTES = 64 }; /* slots cost memory only once they are taken */

struct rings {
    int fd; /* -1 = none */
};

/** Makes it, empty; the caller closes it. */
CHECKED enum err rings_open(struct rings *out, struct diag *diag);
/** What VENTURI_RING has to be for the run, while this process lives. */
const char *rings_path(char out[RINGS_PATH_BYTES], const struct rings *rings);
/** Saves the slots that were taken as `lab.ring`, new in the trace folder, their pages sealed. The run has ended. */
CHECKED enum err rings_save(const struct rings *rings, const char *folder, struct diag *diag);
void rings_close(struct rings *rings);
