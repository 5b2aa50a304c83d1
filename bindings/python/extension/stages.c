/* SPDX-License-Identifier: Apache-2.0 */
#include "stages.h"

#include "trace/format.h"

struct known_stage known_stages[KNOWN_STAGES];

static PyObject *numbers; /* {name: number}; as many as there are stages, so at most TRACE_STAGES_MAX */

static void remember(PyObject *name, venturi_stage stage)
{
    struct known_stage *place = stage_place(name);
    PyObject *before = place->name;
    Py_INCREF(name);
    *place = (struct known_stage){name, stage};
    Py_XDECREF(before);
}

static bool refuse_unless_full(const char *text, PyObject *name)
{
    if (stage_name_bytes(text) > 0)
        return true;
    PyErr_Format(PyExc_ValueError, "a stage's name has 1 to %d bytes of printable UTF-8; this has not: %.80R",
                 TRACE_STAGE_NAME_BYTES, name);
    return false;
}

static bool name_stage(venturi_stage *out, PyObject *name)
{
    char *text;
    PyObject *encoded = PyUnicode_AsUTF8String(name);
    if (!encoded)
        return false;
    bool named = PyBytes_AsStringAndSize(encoded, &text, NULL) == 0; /* an embedded NUL is a ValueError */
    if (named)
        *out = venturi_stage_named(text);
    if (named && *out == 0)
        named = refuse_unless_full(text, name);
    Py_DECREF(encoded);
    return named;
}

static bool add_number(venturi_stage stage, PyObject *name)
{
    PyObject *number = PyLong_FromUnsignedLong(stage);
    bool added = number && PyDict_SetItem(numbers, name, number) == 0;
    Py_XDECREF(number);
    return added;
}

/* `name` is exactly a str: a subclass may compare as it likes. */
static bool find_equal(venturi_stage *out, PyObject *name)
{
    PyObject *number = PyDict_GetItemWithError(numbers, name);
    if (number) {
        *out = (venturi_stage)PyLong_AsUnsignedLong(number);
        return true;
    }
    if (PyErr_Occurred() || !name_stage(out, name))
        return false;
    return *out == 0 || add_number(*out, name);
}

bool stage_find(venturi_stage *out, PyObject *name)
{
    if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError, "a stage's name must be a str, not %R", Py_TYPE(name));
        return false;
    }
    PyObject *exact = PyUnicode_FromObject(name);
    bool found = exact && find_equal(out, exact);
    Py_XDECREF(exact);
    if (found)
        remember(name, *out);
    return found;
}

bool stages_init(void)
{
    if (!numbers)
        numbers = PyDict_New();
    return numbers != NULL;
}
