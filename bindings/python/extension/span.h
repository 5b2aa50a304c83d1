/* SPDX-License-Identifier: Apache-2.0
 *
 * venturi.Span: a stage for a `with` block, a decorator or a pair of calls; and the functions that make and end one.
 */
#pragma once

#include "python.h"

#include "venturi.h"

#include <stdbool.h>

/** Makes the type and adds it to `module`; false with an exception. */
bool span_init(PyObject *module);

/* stage(name, /, item=0, rows=0, bytes=0) */
PyObject *span_stage(PyObject *module, PyObject *const *arguments, Py_ssize_t count, PyObject *keywords);
/* begin(name, /, item=0) */
PyObject *span_begin(PyObject *module, PyObject *const *arguments, Py_ssize_t count, PyObject *keywords);
/* end(span, /, rows=0, bytes=0) */
PyObject *span_end(PyObject *module, PyObject *const *arguments, Py_ssize_t count, PyObject *keywords);
/* fail(span, /) */
PyObject *span_fail(PyObject *module, PyObject *span);

/** Ends what was left by `exception`, a class; NULL = by none. */
void span_left(venturi_span *span, uint64_t rows, uint64_t bytes, PyObject *exception);
