/* SPDX-License-Identifier: Apache-2.0
 *
 * The numbers that most calls take after their subject: item, rows, bytes, by position or by name.
 */
#pragma once

#include "python.h"

#include <stdbool.h>
#include <stdint.h>

enum number { NUMBER_ITEM, NUMBER_ROWS, NUMBER_BYTES, NUMBERS };

/** What a function takes. */
struct signature {
    const char *function;
    Py_ssize_t subjects; /* arguments before the numbers: they must be there, without a name */
    enum number first, last;
};

/** 0 to 2**64 - 1; false with TypeError for what is no integer, with OverflowError for what is out of range. */
bool number_of(uint64_t *out, PyObject *value, enum number number);
/** numbers_of for a call that has some. */
bool numbers_take(uint64_t out[NUMBERS], const struct signature *signature, PyObject *const *arguments,
                  Py_ssize_t count, PyObject *keywords);

/** The numbers among what METH_FASTCALL | METH_KEYWORDS hands over, 0 where there are none; false with TypeError or
 * OverflowError. */
static inline bool numbers_of(uint64_t out[NUMBERS], const struct signature *signature, PyObject *const *arguments,
                              Py_ssize_t count, PyObject *keywords)
{
    out[NUMBER_ITEM] = out[NUMBER_ROWS] = out[NUMBER_BYTES] = 0;
    bool none = count == signature->subjects && !keywords;
    return none || numbers_take(out, signature, arguments, count, keywords);
}

/** Must come before the first call that names a number; false with an exception. */
bool numbers_init(void);
