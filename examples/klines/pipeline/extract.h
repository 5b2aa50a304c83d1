/* SPDX-License-Identifier: Apache-2.0
 *
 * From a ZIP archive, read from front to back, to the one file it must hold.
 */
#pragma once

#include "pipeline/bytes.h"
#include "pipeline/failure.h"

#include <sys/types.h>

/** Where an archive comes from: lends the next piece and its size; 0 at the end, -1 when there will be no end. */
struct source {
    ssize_t (*next)(void *context, const void **piece);
    void *context;
};

/** Appends the file `name` of the archive to `csv`, its CRC checked. Another name, a second file, more bytes than `csv`
 *  may take or any damage: STATUS_DATA. Nothing is ever written by a name out of the archive. */
CHECKED enum status extract_csv(struct bytes *csv, const struct source *source, const char *name,
                                struct failure *failure);
