/* SPDX-License-Identifier: Apache-2.0
 *
 * The iterator behind `for x in venturi.each("parse", items)`: every turn of the loop's body is a span.
 */
#pragma once

#include "python.h"

#include <stdbool.h>

/** Makes the type; false with an exception. */
bool each_init(void);

/* each(name, items, /, item=0, rows=0, bytes=0) */
PyObject *each_new(PyObject *module, PyObject *const *arguments, Py_ssize_t count, PyObject *keywords);
