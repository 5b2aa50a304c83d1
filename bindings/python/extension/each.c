/* SPDX-License-Identifier: Apache-2.0 */
#include "each.h"

#include "numbers.h"
#include "span.h"
#include "stages.h"

struct each {
    PyObject_HEAD PyObject *source; /* an iterator */
    venturi_stage stage;
    bool open;                 /* a turn is going on */
    uint64_t numbers[NUMBERS]; /* of the turn that comes next */
    venturi_span span;
};

static PyTypeObject *type;

static inline struct each *each_of(PyObject *object)
{
    return (struct each *)(void *)object;
}

static void end_turn(struct each *each, PyObject *exception)
{
    if (each->open)
        span_left(&each->span, each->numbers[NUMBER_ROWS], each->numbers[NUMBER_BYTES], exception);
    each->open = false;
}

static void begin_turn(struct each *each)
{
    each->open = true;
    if (venturi_recording)
        venturi_record_begin(&each->span, each->stage, each->numbers[NUMBER_ITEM]);
    if (each->numbers[NUMBER_ITEM] > 0)
        each->numbers[NUMBER_ITEM]++;
}

static PyObject *each_next(PyObject *self)
{
    struct each *each = each_of(self);
    end_turn(each, NULL);
    PyObject *value = each->source ? PyIter_Next(each->source) : NULL;
    if (value)
        begin_turn(each);
    return value;
}

static PyObject *each_self(PyObject *self)
{
    Py_INCREF(self);
    return self;
}

static int each_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(each_of(self)->source);
    return 0;
}

static int each_clear(PyObject *self)
{
    Py_CLEAR(each_of(self)->source);
    return 0;
}

/* The loop lets go of its iterator when it is left, by `break` or by an exception that is then on its way. */
static void each_free(PyObject *self)
{
    PyObject_GC_UnTrack(self);
    end_turn(each_of(self), PyErr_Occurred());
    (void)each_clear(self);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

PyObject *each_new(PyObject *module, PyObject *const *arguments, Py_ssize_t count, PyObject *keywords)
{
    uint64_t numbers[NUMBERS];
    venturi_stage stage;
    static const struct signature signature = {"each", 2, NUMBER_ITEM, NUMBER_BYTES};
    (void)module;
    if (!numbers_of(numbers, &signature, arguments, count, keywords) || !stage_of(&stage, arguments[0]))
        return NULL;
    PyObject *source = PyObject_GetIter(arguments[1]);
    struct each *each = source ? PyObject_GC_New(struct each, type) : NULL;
    if (!each) {
        Py_XDECREF(source);
        return NULL;
    }
    each->source = source;
    each->stage = stage;
    each->open = false;
    each->span = (venturi_span){0};
    for (enum number i = 0; i < NUMBERS; i++)
        each->numbers[i] = numbers[i];
    PyObject_GC_Track(each);
    return (PyObject *)each;
}

bool each_init(void)
{
    PyType_Slot slots[] = {
        {Py_tp_dealloc, each_free}, {Py_tp_traverse, each_traverse}, {Py_tp_clear, each_clear},
        {Py_tp_iter, each_self},    {Py_tp_iternext, each_next},     {0, NULL},
    };
    PyType_Spec spec = {"venturi.Each", sizeof(struct each), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, slots};
    if (!type)
        type = (PyTypeObject *)PyType_FromSpec(&spec);
    return type != NULL;
}
