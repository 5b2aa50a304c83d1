/* SPDX-License-Identifier: Apache-2.0
 *
 * The numbers that most calls take after their subject: item, rows, bytes, by position or by name.
 */
#pragma once

#include "python.h"

#include <stdbool.h>
#include <stdint.h>

enum number { NUMBER_ITEM, NUMBER_ROWS, NUMBER_BYTES, NUMBERS };

/** A call as METH_FASTCALL | METH_KEYWORDS hands it over, and what it may bring. */
struct call {
    const char *function;
    Py_ssize_t subjects; /* arguments before the numbers: they must be there, without a name */
    enum number first, last;
    PyObject *const *arguments;
    Py_ssize_t count;
    PyObject *keywords; /* tuple or NULL */
};

/** 0 to 2**64 - 1; false with TypeError for what is no integer, with OverflowError for what is out of range. */
bool number_of(uint64_t *out, PyObject *value, enum number number);
/** numbers_of for a call that has some. */
bool numbers_take(uint64_t out[NUMBERS], const struct call *call);

/** The numbers of the call, 0 where it has none; false with TypeError or OverflowError. */
static inline bool numbers_of(uint64_t out[NUMBERS], const struct call *call)
{
    out[NUMBER_ITEM] = out[NUMBER_ROWS] = out[NUMBER_BYTES] = 0;
    return (call->count == call->subjects && !call->keywords) || numbers_take(out, call);
}

/** Must come before the first call that names a number; false with an exception. */
bool numbers_init(void);
