/* SPDX-License-Identifier: Apache-2.0 */
#include "numbers.h"

static const char *const names[NUMBERS] = {"item", "rows", "bytes"};
static PyObject *keywords[NUMBERS]; /* the names, interned like those that a caller's code holds */

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

static enum number keyword_of(PyObject *name, const struct call *call)
{
    for (enum number i = call->first; i <= call->last; i++)
        if (name == keywords[i])
            return i;
    for (enum number i = call->first; i <= call->last; i++)
        if (PyUnicode_CompareWithASCIIString(name, names[i]) == 0)
            return i;
    return NUMBERS;
}

static bool take_keyword(uint64_t out[NUMBERS], const struct call *call, Py_ssize_t place)
{
    PyObject *name = PyTuple_GetItem(call->keywords, place);
    enum number number = keyword_of(name, call);
    if (number == NUMBERS) {
        PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument %R", call->function, name);
        return false;
    }
    if (number - call->first < call->count - call->subjects) {
        PyErr_Format(PyExc_TypeError, "%s() got multiple values for argument '%s'", call->function, names[number]);
        return false;
    }
    return number_of(&out[number], call->arguments[call->count + place], number);
}

static bool check_count(const struct call *call)
{
    Py_ssize_t most = call->subjects + (Py_ssize_t)(call->last - call->first) + 1;
    if (call->count >= call->subjects && call->count <= most)
        return true;
    PyErr_Format(PyExc_TypeError, "%s() takes from %zd to %zd positional arguments but %zd were given", call->function,
                 call->subjects, most, call->count);
    return false;
}

bool numbers_take(uint64_t out[NUMBERS], const struct call *call)
{
    Py_ssize_t named = call->keywords ? PyTuple_Size(call->keywords) : 0;
    if (!check_count(call))
        return false;
    for (Py_ssize_t i = call->subjects; i < call->count; i++) {
        enum number number = call->first + (enum number)(i - call->subjects);
        if (!number_of(&out[number], call->arguments[i], number))
            return false;
    }
    for (Py_ssize_t i = 0; i < named; i++)
        if (!take_keyword(out, call, i))
            return false;
    return true;
}

bool numbers_init(void)
{
    for (enum number i = 0; i < NUMBERS; i++)
        if (!keywords[i] && !(keywords[i] = PyUnicode_InternFromString(names[i])))
            return false;
    return true;
}
