/* SPDX-License-Identifier: Apache-2.0
 *
 * venturi._recorder: the calls of venturi.h for Python. Every call answers the same way, exceptions included, whether
 * the process records or not, so that switching the recorder on breaks nothing.
 */
#include "python.h"

#include "each.h"
#include "numbers.h"
#include "span.h"
#include "stages.h"

/* The environment is read when the first stage is named, be it none; these may be called before that. */
static void read_environment(void)
{
    static bool read;
    if (!read)
        (void)venturi_stage_named(NULL);
    read = true;
}

static PyObject *lap(PyObject *module, PyObject *name)
{
    venturi_stage stage;
    (void)module;
    if (!stage_of(&stage, name))
        return NULL;
    venturi_lap(stage);
    Py_RETURN_NONE;
}

static PyObject *lap_item(PyObject *module, PyObject *value)
{
    uint64_t item;
    (void)module;
    if (!number_of(&item, value, NUMBER_ITEM))
        return NULL;
    read_environment();
    venturi_lap_item(item);
    Py_RETURN_NONE;
}

static PyObject *lap_count(PyObject *module, PyObject *const *arguments, Py_ssize_t count, PyObject *keywords)
{
    uint64_t counts[NUMBERS];
    static const struct signature signature = {"lap_count", 0, NUMBER_ROWS, NUMBER_BYTES};
    (void)module;
    if (!numbers_of(counts, &signature, arguments, count, keywords))
        return NULL;
    venturi_lap_count(counts[NUMBER_ROWS], counts[NUMBER_BYTES]);
    Py_RETURN_NONE;
}

static PyObject *lap_end(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    venturi_lap_end();
    Py_RETURN_NONE;
}

static PyObject *recording(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    read_environment();
    return PyBool_FromLong(venturi_recording);
}

static PyMethodDef functions[] = {
    {"stage", METHOD(span_stage), METH_FASTCALL_KEYWORDS,
     "stage($module, name, /, item=0, rows=0, bytes=0)\n--\n\n"
     "A span of the stage `name` (1 to 63 bytes of printable UTF-8) for a `with` block, or a decorator.\n\n"
     "    with venturi.stage(\"download\", item=month) as span:\n"
     "        data = fetch(month)\n"
     "        span.bytes += len(data)\n\n"
     "It can be entered again and again; every time its counts begin with `rows` and `bytes`. An exception that "
     "leaves\n"
     "the block marks the span as failed: it counts as time, never as rows. As a decorator it makes every call a "
     "span;\n"
     "of a coroutine from its start to its end, of a generator every step of its own."},
    {"begin", METHOD(span_begin), METH_FASTCALL_KEYWORDS,
     "begin($module, name, /, item=0)\n--\n\n"
     "Opens a span of the stage `name` where no `with` block fits; give what it returns to end() or fail()."},
    {"end", METHOD(span_end), METH_FASTCALL_KEYWORDS,
     "end($module, span, /, rows=0, bytes=0)\n--\n\n"
     "Ends a span that did its work, on any thread; `rows` and `bytes` are added to what it counted. Ending twice is\n"
     "ignored and counted."},
    {"fail", METHOD(span_fail), METH_O,
     "fail($module, span, /)\n--\n\nEnds a span whose work failed: it counts as time, never as rows."},
    {"each", METHOD(each_new), METH_FASTCALL_KEYWORDS,
     "each($module, name, items, /, item=0, rows=0, bytes=0)\n--\n\n"
     "Iterates over `items`; every turn of the loop's body is a span of the stage `name`.\n\n"
     "    for line in venturi.each(\"parse\", lines, rows=1):\n\n"
     "The time in which `items` makes its next value is not part of it. Every turn counts `rows` and `bytes`; unless\n"
     "`item` is 0, turns are numbered from it on. A turn that an exception leaves has failed."},
    {"lap", METHOD(lap), METH_O,
     "lap($module, name, /)\n--\n\n"
     "Ends this thread's current lap, if any, and begins one of the stage `name`: the cheapest way to mark stages "
     "that\n"
     "follow each other. Not for coroutines, which share a thread: use stage() there."},
    {"lap_item", METHOD(lap_item), METH_O,
     "lap_item($module, item, /)\n--\n\nWhat the laps of this thread that begin from now on work on; 0 = nothing."},
    {"lap_count", METHOD(lap_count), METH_FASTCALL_KEYWORDS,
     "lap_count($module, /, rows=0, bytes=0)\n--\n\nAdds to what went through the current lap of this thread."},
    {"lap_end", METHOD(lap_end), METH_NOARGS,
     "lap_end($module, /)\n--\n\nEnds the current lap of this thread, if any, and begins none."},
    {"recording", METHOD(recording), METH_NOARGS,
     "recording($module, /)\n--\n\n"
     "Whether this process records: VENTURI_TRACE was set when it first called one of these functions."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "venturi._recorder", NULL, -1, functions, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__recorder(void);

PyMODINIT_FUNC PyInit__recorder(void)
{
    PyObject *module = PyModule_Create(&definition);
    if (module && stages_init() && numbers_init() && each_init() && span_init(module))
        return module;
    Py_XDECREF(module);
    return NULL;
}
