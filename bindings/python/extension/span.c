/* SPDX-License-Identifier: Apache-2.0 */
#include "span.h"

#include "numbers.h"
#include "stages.h"

/* One time from begin to end. */
struct turn {
    venturi_span span;
    uint64_t rows, bytes;
};

struct outer {
    struct turn turn;
    struct outer *outer; /* NULL = outermost */
};

struct span {
    PyObject_HEAD PyObject *name;
    venturi_stage stage;
    bool open;
    uint64_t first[NUMBERS]; /* what each turn begins with */
    struct turn turn;        /* the open one, or the last */
    struct outer *outer;     /* turns that were open when this one began */
};

static PyTypeObject *type;

/* Spans that nobody uses: begin() and end() on their own would mostly allocate and free. Safe under the GIL. */
enum { SPARES = 64 };
static struct span *spares[SPARES];
static size_t spare_count;

static inline struct span *span_of(PyObject *object)
{
    return (struct span *)(void *)object;
}

static struct span *allocate(void)
{
    if (spare_count == 0)
        return PyObject_New(struct span, type);
    return span_of(PyObject_Init((PyObject *)spares[--spare_count], type));
}

static struct span *span_new(PyObject *name, const uint64_t first[NUMBERS])
{
    venturi_stage stage;
    if (!stage_of(&stage, name))
        return NULL;
    struct span *span = allocate();
    if (!span)
        return NULL;
    Py_INCREF(name);
    span->name = name;
    span->stage = stage;
    span->open = false;
    for (enum number i = 0; i < NUMBERS; i++)
        span->first[i] = first[i];
    span->turn = (struct turn){.rows = first[NUMBER_ROWS], .bytes = first[NUMBER_BYTES]};
    span->outer = NULL;
    return span;
}

/* A span that is shared by a recursion, by threads or by tasks can be open several times. Whoever leaves first ends the
 * turn that began last: in a recursion that is right, and otherwise the number of turns, their sum and their union are.
 */
static bool put_aside(struct span *span)
{
    struct outer *outer = PyMem_Malloc(sizeof *outer);
    if (!outer) {
        (void)PyErr_NoMemory();
        return false;
    }
    *outer = (struct outer){span->turn, span->outer};
    span->outer = outer;
    return true;
}

static void take_back(struct span *span)
{
    struct outer *outer = span->outer;
    span->open = outer != NULL;
    if (!outer)
        return;
    span->turn = outer->turn;
    span->outer = outer->outer;
    PyMem_Free(outer);
}

static bool open_turn(struct span *span)
{
    if (span->open && !put_aside(span))
        return false;
    span->open = true;
    span->turn.rows = span->first[NUMBER_ROWS];
    span->turn.bytes = span->first[NUMBER_BYTES];
    if (venturi_recording) /* in place: what venturi_begin returns would be copied */
        venturi_record_begin(&span->turn.span, span->stage, span->first[NUMBER_ITEM]);
    return true;
}

/* The end of an iteration, by its source or its consumer. */
static bool is_no_failure(PyObject *exception)
{
    return PyErr_GivenExceptionMatches(exception, PyExc_StopIteration) ||
           PyErr_GivenExceptionMatches(exception, PyExc_StopAsyncIteration) ||
           PyErr_GivenExceptionMatches(exception, PyExc_GeneratorExit);
}

void span_left(venturi_span *span, uint64_t rows, uint64_t bytes, PyObject *exception)
{
    if (!exception || is_no_failure(exception))
        venturi_end(span, rows, bytes);
    else
        venturi_fail(span);
}

static void span_free(PyObject *self)
{
    struct span *span = span_of(self);
    while (span->outer)
        take_back(span);
    Py_XDECREF(span->name);
    if (spare_count < SPARES)
        spares[spare_count++] = span;
    else
        PyObject_Free(self);
    Py_DECREF(type);
}

static PyObject *span_enter(PyObject *self, PyObject *unused)
{
    (void)unused;
    if (!open_turn(span_of(self)))
        return NULL;
    Py_INCREF(self);
    return self;
}

static PyObject *span_exit(PyObject *self, PyObject *const *arguments, Py_ssize_t count)
{
    struct span *span = span_of(self);
    PyObject *exception = count > 0 && arguments[0] != Py_None ? arguments[0] : NULL;
    span_left(&span->turn.span, span->turn.rows, span->turn.bytes, exception);
    take_back(span);
    Py_RETURN_NONE;
}

/* What decorating takes is written in Python, and needed by few. */
static PyObject *span_call(PyObject *self, PyObject *arguments, PyObject *keywords)
{
    PyObject *function;
    static char *names[] = {"", NULL};
    if (!PyArg_ParseTupleAndKeywords(arguments, keywords, "O:stage", names, &function))
        return NULL;
    PyObject *module = PyImport_ImportModule("venturi._decorate");
    struct span *span = span_of(self);
    PyObject *decorated =
        module ? PyObject_CallMethod(module, "decorate", "OOKKK", function, span->name, span->first[NUMBER_ITEM],
                                     span->first[NUMBER_ROWS], span->first[NUMBER_BYTES])
               : NULL;
    Py_XDECREF(module);
    return decorated;
}

static PyObject *span_repr(PyObject *self)
{
    struct span *span = span_of(self);
    return PyUnicode_FromFormat("<venturi.Span of %R>", span->name);
}

static PyObject *span_name(PyObject *self, void *unused)
{
    (void)unused;
    Py_INCREF(span_of(self)->name);
    return span_of(self)->name;
}

static PyObject *span_item(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromUnsignedLongLong(span_of(self)->first[NUMBER_ITEM]);
}

static PyObject *span_rows(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromUnsignedLongLong(span_of(self)->turn.rows);
}

static PyObject *span_bytes(PyObject *self, void *unused)
{
    (void)unused;
    return PyLong_FromUnsignedLongLong(span_of(self)->turn.bytes);
}

static int set_count(uint64_t *count, PyObject *value, enum number number)
{
    if (value)
        return number_of(count, value, number) ? 0 : -1;
    PyErr_SetString(PyExc_AttributeError, "a count cannot be deleted");
    return -1;
}

static int span_set_rows(PyObject *self, PyObject *value, void *unused)
{
    (void)unused;
    return set_count(&span_of(self)->turn.rows, value, NUMBER_ROWS);
}

static int span_set_bytes(PyObject *self, PyObject *value, void *unused)
{
    (void)unused;
    return set_count(&span_of(self)->turn.bytes, value, NUMBER_BYTES);
}

PyObject *span_stage(PyObject *module, PyObject *const *arguments, Py_ssize_t count, PyObject *keywords)
{
    uint64_t first[NUMBERS];
    static const struct signature signature = {"stage", 1, NUMBER_ITEM, NUMBER_BYTES};
    (void)module;
    return numbers_of(first, &signature, arguments, count, keywords) ? (PyObject *)span_new(arguments[0], first) : NULL;
}

PyObject *span_begin(PyObject *module, PyObject *const *arguments, Py_ssize_t count, PyObject *keywords)
{
    uint64_t first[NUMBERS];
    static const struct signature signature = {"begin", 1, NUMBER_ITEM, NUMBER_ITEM};
    (void)module;
    struct span *span =
        numbers_of(first, &signature, arguments, count, keywords) ? span_new(arguments[0], first) : NULL;
    if (span)
        (void)open_turn(span); /* the first, so there is nothing to put aside */
    return (PyObject *)span;
}

static bool check_span(PyObject *object, const char *function)
{
    if (Py_TYPE(object) == type)
        return true;
    PyErr_Format(PyExc_TypeError, "%s() wants what venturi.begin() gave, not %R", function, Py_TYPE(object));
    return false;
}

PyObject *span_end(PyObject *module, PyObject *const *arguments, Py_ssize_t count, PyObject *keywords)
{
    uint64_t counts[NUMBERS];
    static const struct signature signature = {"end", 1, NUMBER_ROWS, NUMBER_BYTES};
    (void)module;
    if (!numbers_of(counts, &signature, arguments, count, keywords) || !check_span(arguments[0], "end"))
        return NULL;
    struct span *span = span_of(arguments[0]);
    venturi_end(&span->turn.span, span->turn.rows + counts[NUMBER_ROWS], span->turn.bytes + counts[NUMBER_BYTES]);
    take_back(span);
    Py_RETURN_NONE;
}

PyObject *span_fail(PyObject *module, PyObject *object)
{
    (void)module;
    if (!check_span(object, "fail"))
        return NULL;
    venturi_fail(&span_of(object)->turn.span);
    take_back(span_of(object));
    Py_RETURN_NONE;
}

static PyObject *refuse_new(PyTypeObject *self, PyObject *arguments, PyObject *keywords)
{
    (void)self, (void)arguments, (void)keywords;
    PyErr_SetString(PyExc_TypeError, "a Span comes from venturi.stage(name) or venturi.begin(name)");
    return NULL;
}

static PyMethodDef methods[] = {
    {"__enter__", METHOD(span_enter), METH_NOARGS, "__enter__($self, /)\n--\n\nBegins the span."},
    {"__exit__", METHOD(span_exit), METH_FASTCALL,
     "__exit__($self, kind, exception, traceback, /)\n--\n\nEnds the span; one that an exception leaves has failed."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef attributes[] = {
    {"name", span_name, NULL, "The stage.", NULL},
    {"item", span_item, NULL, "What it works on; 0 = nothing in particular.", NULL},
    {"rows", span_rows, span_set_rows, "How many rows went through so far.", NULL},
    {"bytes", span_bytes, span_set_bytes, "How many bytes went through so far.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static char doc[] = "One stage at work: for a `with` block, as a decorator, or between begin() and end().";

bool span_init(PyObject *module)
{
    PyType_Slot slots[] = {
        {Py_tp_doc, doc},        {Py_tp_new, refuse_new},  {Py_tp_dealloc, span_free}, {Py_tp_repr, span_repr},
        {Py_tp_call, span_call}, {Py_tp_methods, methods}, {Py_tp_getset, attributes}, {0, NULL},
    };
    PyType_Spec spec = {"venturi.Span", sizeof(struct span), 0, Py_TPFLAGS_DEFAULT, slots};
    if (!type)
        type = (PyTypeObject *)PyType_FromSpec(&spec);
    if (!type)
        return false;
    Py_INCREF(type);
    return PyModule_AddObject(module, "Span", (PyObject *)type) == 0;
}
