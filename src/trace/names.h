/* SPDX-License-Identifier: Apache-2.0
 *
 * Distinct names, each with a number, in order of appearance.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

enum {
    NAMES_MAX = 1024,
    NAMES_PLACES = 4 * NAMES_MAX,
};

struct names {
    const char *names[NAMES_MAX];
    uint16_t places[NAMES_PLACES]; /* open addressing: number + 1, 0 = free */
    size_t count;
};

/** The number of `name`, which is copied if it is new. ERR_FORMAT beyond NAMES_MAX. */
CHECKED enum err names_intern(uint16_t *out, struct names *names, const char *name, struct arena *arena,
                              struct diag *diag);
