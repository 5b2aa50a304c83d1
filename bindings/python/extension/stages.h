/* SPDX-License-Identifier: Apache-2.0
 *
 * From the name of a stage, a Python str, to its number. A pipeline writes its stages as literals, so the same object
 * comes again and again: it is found by its address.
 */
#pragma once

#include "python.h"

#include "venturi.h"

#include <stdbool.h>
#include <stdint.h>

/** A str that we hold, so that its address is nobody else's, and its number. */
struct known_stage {
    PyObject *name; /* NULL = none yet */
    venturi_stage stage;
};

enum { KNOWN_STAGES = 1024 };
extern struct known_stage known_stages[KNOWN_STAGES];

static inline struct known_stage *stage_place(const PyObject *name)
{
    return &known_stages[((uintptr_t)name >> 4) % KNOWN_STAGES];
}

/** stage_of for a str whose address is not known. */
bool stage_find(venturi_stage *out, PyObject *name);

/** The number of the stage `name`, 0 when there are too many; false with TypeError when it is no str, with ValueError
 * when no stage can have that name. */
static inline bool stage_of(venturi_stage *out, PyObject *name)
{
    const struct known_stage *known = stage_place(name);
    if (known->name != name)
        return stage_find(out, name);
    *out = known->stage;
    return true;
}

/** Must come before the first stage_of; false with an exception. */
bool stages_init(void);
