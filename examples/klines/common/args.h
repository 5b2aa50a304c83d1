/* SPDX-License-Identifier: Apache-2.0
 *
 * Command lines as a table: the same rows read the options and print --help.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct arg;
/** Reads `text` into arg->into; false when it is not what arg->value stands for. */
typedef bool arg_read(const struct arg *arg, const char *text);

struct arg {
    const char *name;  /* without the dashes */
    const char *value; /* stands for it in --help; NULL for a switch */
    const char *help;
    arg_read *read;
    void *into;
    long long low, high;      /* bounds of a whole number */
    const char *const *words; /* NULL-terminated choices */
};

struct program {
    const char *name;
    const char *usage;   /* behind the options: operands and what the program does */
    const char *closing; /* the last lines of --help */
    const struct arg *args;
    size_t count;
};

arg_read arg_text;     /* const char *: borrowed from the command line */
arg_read arg_number;   /* long long within low..high */
arg_read arg_flag;     /* bool: 0 or 1; a switch sets it */
arg_read arg_choice;   /* int: index into words */
arg_read arg_duration; /* uint64_t nanoseconds: 120ms, 1.5s, 20us */
arg_read arg_rate;     /* double bytes a second: 3.1MB/s, 500kB/s; 0 = unlimited */
arg_read arg_percent;  /* double ratio 0..1: 1% */
arg_read arg_seed;     /* uint64_t */

enum args_outcome {
    ARGS_RUN,
    ARGS_DONE,  /* help or version was printed: exit with 0 */
    ARGS_WRONG, /* one line on stderr says what: exit with 2 */
};

/** Reads the options; *first_operand is the index of what follows them. */
enum args_outcome args_read(int *first_operand, const struct program *program, int argc, char **argv);
/** Says "program: text" on stderr and returns ARGS_WRONG: for mistakes that only the caller can see. */
enum args_outcome args_wrong(const struct program *program, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
