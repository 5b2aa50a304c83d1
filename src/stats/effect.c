/* SPDX-License-Identifier: Apache-2.0
 *
 * How verdicts are spelt in every document.
 */
#include "stats/effect.h"

#include <string.h>

static const char *const names[] = {
    [VERDICT_FASTER] = "faster",           [VERDICT_SLOWER] = "slower",   [VERDICT_SAME] = "same",
    [VERDICT_CANNOT_TELL] = "cannot_tell", [VERDICT_INVALID] = "invalid", [VERDICT_PRELIMINARY] = "preliminary",
};
enum { NAME_COUNT = sizeof names / sizeof names[0] };

const char *verdict_name(enum verdict verdict)
{
    return names[verdict];
}

bool verdict_from_name(enum verdict *out, const char *name)
{
    for (int i = 0; i < NAME_COUNT; i++) {
        if (strcmp(names[i], name) == 0) {
            *out = (enum verdict)i;
            return true;
        }
    }
    return false;
}
