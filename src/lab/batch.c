/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/batch.h"

#include <math.h>

#define LEAST_S (BATCH_LEAST_MS * 1e-3)
#define MARGIN 1.2 /* or every second run would be a little shorter */

bool batch_is_enough(unsigned repeats, double repetition_s)
{
    return repetition_s * repeats >= LEAST_S || repeats >= BATCH_REPEATS_MAX;
}

unsigned batch_next(unsigned repeats, double repetition_s)
{
    if (batch_is_enough(repeats, repetition_s))
        return repeats;
    double needed = ceil(MARGIN * LEAST_S / fmax(repetition_s, LEAST_S / BATCH_REPEATS_MAX));
    return (unsigned)fmin(BATCH_REPEATS_MAX, fmax(needed, repeats + 1));
}
