/* SPDX-License-Identifier: Apache-2.0 */
#include "numbers.h"

static const char *const names[NUMBERS] = {"item", "rows", "bytes"};
static PyObject *interned[NUMBERS]; /* the names, as the objects that a caller's code holds */

static bool convert(uint64_t *out, PyObject *integer, enum number number)
{
    *out = PyLong_AsUnsignedLongLong(integer);
    if (*out != UINT64_MAX || !PyErr_Occurred())
        return true;
    PyErr_Clear();
    PyErr_Format(PyExc_OverflowError, "%s must be from 0 to 2**64 - 1", names[number]);
    return false;
}

bool number_of(uint64_t *out, PyObject *value, enum number number)
{
    if (PyLong_CheckExact(value))
        return convert(out, value, number);
    if (!PyIndex_Check(value)) {
        PyErr_Format(PyExc_TypeError, "%s must be an int, not %R", names[number], Py_TYPE(value));
        return false;
    }
    PyObject *integer = PyNumber_Index(value);
    bool converted = integer && convert(out, integer, number);
    Py_XDECREF(integer);
    return converted;
}

static enum number number_named(const struct signature *signature, PyObject *name)
{
    for (enum number i = signature->first; i <= signature->last; i++)
        if (name == interned[i])
            return i;
    for (enum number i = signature->first; i <= signature->last; i++)
        if (PyUnicode_CompareWithASCIIString(name, names[i]) == 0)
            return i;
    return NUMBERS;
}

/* The first `placed` numbers came by position. */
static bool take_keyword(uint64_t out[NUMBERS], const struct signature *signature, Py_ssize_t placed, PyObject *name,
                         PyObject *value)
{
    enum number number = number_named(signature, name);
    if (number == NUMBERS) {
        PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument %R", signature->function, name);
        return false;
    }
    if (number - signature->first < placed) {
        PyErr_Format(PyExc_TypeError, "%s() got multiple values for argument '%s'", signature->function, names[number]);
        return false;
    }
    return number_of(&out[number], value, number);
}

static bool check_count(const struct signature *signature, Py_ssize_t count)
{
    Py_ssize_t most = signature->subjects + (Py_ssize_t)(signature->last - signature->first) + 1;
    if (count >= signature->subjects && count <= most)
        return true;
    PyErr_Format(PyExc_TypeError, "%s() takes from %zd to %zd positional arguments but %zd were given",
                 signature->function, signature->subjects, most, count);
    return false;
}

bool numbers_take(uint64_t out[NUMBERS], const struct signature *signature, PyObject *const *arguments,
                  Py_ssize_t count, PyObject *keywords)
{
    Py_ssize_t placed = count - signature->subjects, named = keywords ? PyTuple_Size(keywords) : 0;
    if (!check_count(signature, count))
        return false;
    for (Py_ssize_t i = 0; i < placed; i++) {
        enum number number = signature->first + (enum number)i;
        if (!number_of(&out[number], arguments[signature->subjects + i], number))
            return false;
    }
    for (Py_ssize_t i = 0; i < named; i++)
        if (!take_keyword(out, signature, placed, PyTuple_GetItem(keywords, i), arguments[count + i]))
            return false;
    return true;
}

bool numbers_init(void)
{
    for (enum number i = 0; i < NUMBERS; i++)
        if (!interned[i] && !(interned[i] = PyUnicode_InternFromString(names[i])))
            return false;
    return true;
}
