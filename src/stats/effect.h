/* SPDX-License-Identifier: Apache-2.0
 *
 * A ratio with its interval, and what a comparison may conclude from it. Pure.
 */
#pragma once

#include "base/random.h"

#include <stdbool.h>
#include <stddef.h>

/** low <= mid <= high. For an effect: how many times faster B is than A (time_A / time_B); 1 = no difference. */
struct interval {
    double low, mid, high;
};

enum verdict {
    VERDICT_FASTER,
    VERDICT_SLOWER,
    VERDICT_SAME,
    VERDICT_CANNOT_TELL,
    VERDICT_INVALID,
    VERDICT_PRELIMINARY
};

/** "faster", "slower", "same", "cannot_tell", "invalid", "preliminary": the spelling in JSON. */
const char *verdict_name(enum verdict verdict);
/** False for an unknown name. */
bool verdict_from_name(enum verdict *out, const char *name);
