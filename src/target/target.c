/* SPDX-License-Identifier: Apache-2.0 */
#include "target/target.h"

#include <string.h>

static const struct target *const targets[] = {&target_sqlite, &target_questdb};

const struct target *target_named(const char *kind)
{
    for (size_t i = 0; kind && i < sizeof targets / sizeof targets[0]; i++) {
        if (strcmp(targets[i]->kind, kind) == 0)
            return targets[i];
    }
    return NULL;
}
