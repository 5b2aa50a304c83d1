/* SPDX-License-Identifier: Apache-2.0
 *
 * CPython's stable ABI of 3.9: one wheel serves every later version.
 */
#pragma once

#define Py_LIMITED_API 0x03090000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* The calling convention joined the stable ABI in 3.10, as it had been since 3.7; the headers name it only from there
 * on. 3.9 has it too (methodobject.h) and changes no more, so what is true of 3.9 stays true. */
#ifndef METH_FASTCALL
#define METH_FASTCALL 0x0080
#endif
#define METH_FASTCALL_KEYWORDS (METH_FASTCALL | METH_KEYWORDS)

/** A method table takes functions of every convention as one type. */
#define METHOD(function) ((PyCFunction)(void (*)(void))(function))
