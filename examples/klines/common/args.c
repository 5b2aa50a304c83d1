/* SPDX-License-Identifier: Apache-2.0 */
#include "common/args.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARGS_MAX = 32, FIRST_OPTION = 256, HELP = FIRST_OPTION + ARGS_MAX, VERSION };

bool arg_text(const struct arg *arg, const char *text)
{
    *(const char **)arg->into = text;
    return *text != '\0';
}

bool arg_number(const struct arg *arg, const char *text)
{
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    *(long long *)arg->into = number;
    return end != text && *end == '\0' && errno == 0 && number >= arg->low && number <= arg->high;
}

bool arg_seed(const struct arg *arg, const char *text)
{
    char *end;
    errno = 0;
    *(uint64_t *)arg->into = strtoull(text, &end, 10);
    return end != text && *end == '\0' && errno == 0 && *text != '-';
}

bool arg_flag(const struct arg *arg, const char *text)
{
    if (text != NULL && strcmp(text, "0") != 0 && strcmp(text, "1") != 0)
        return false;
    *(bool *)arg->into = text == NULL || *text == '1';
    return true;
}

bool arg_choice(const struct arg *arg, const char *text)
{
    for (int i = 0; arg->words[i] != NULL; i++) {
        if (strcmp(arg->words[i], text) == 0) {
            *(int *)arg->into = i;
            return true;
        }
    }
    return false;
}

struct unit {
    const char *name;
    double factor;
};

/* A number >= 0 directly followed by one of the units. */
static bool read_quantity(double *out, const char *text, const struct unit *units, size_t count)
{
    char *end;
    double number = strtod(text, &end);
    if (end == text || !isfinite(number) || number < 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(end, units[i].name) == 0) {
            *out = number * units[i].factor;
            return true;
        }
    }
    *out = 0;
    return number == 0 && *end == '\0';
}

bool arg_duration(const struct arg *arg, const char *text)
{
    static const struct unit units[] = {{"s", 1e9}, {"ms", 1e6}, {"us", 1e3}};
    double nanoseconds;
    if (!read_quantity(&nanoseconds, text, units, sizeof units / sizeof *units) || nanoseconds > 3600e9)
        return false;
    *(uint64_t *)arg->into = (uint64_t)nanoseconds;
    return true;
}

bool arg_rate(const struct arg *arg, const char *text)
{
    static const struct unit units[] = {{"GB/s", 1e9}, {"MB/s", 1e6}, {"kB/s", 1e3}, {"B/s", 1}};
    return read_quantity(arg->into, text, units, sizeof units / sizeof *units);
}

bool arg_percent(const struct arg *arg, const char *text)
{
    static const struct unit units[] = {{"%", 0.01}};
    return read_quantity(arg->into, text, units, 1) && *(double *)arg->into <= 1;
}

/* "name=VALUE" or "name", for the left column of --help. */
static const char *arg_label(char label[40], const struct arg *arg)
{
    snprintf(label, 40, "--%s%s%s", arg->name, arg->value ? " " : "", arg->value ? arg->value : "");
    return label;
}

static void print_help(const struct program *program)
{
    char label[40];
    printf("usage: %s [options] %s\n\n", program->name, program->usage);
    for (size_t i = 0; i < program->count; i++)
        printf("  %-32s %s\n", arg_label(label, &program->args[i]), program->args[i].help);
    printf("  %-32s %s\n  %-32s %s\n", "--help", "print this and end", "--version", "print the version and end");
    if (program->closing != NULL)
        printf("\n%s\n", program->closing);
}

static void long_options(struct option options[ARGS_MAX + 3], const struct program *program)
{
    size_t i = 0;
    for (; i < program->count && i < ARGS_MAX; i++)
        options[i] = (struct option){program->args[i].name, program->args[i].value ? required_argument : no_argument,
                                     NULL, FIRST_OPTION + (int)i};
    options[i++] = (struct option){"help", no_argument, NULL, HELP};
    options[i++] = (struct option){"version", no_argument, NULL, VERSION};
    options[i] = (struct option){0};
}

enum args_outcome args_wrong(const struct program *program, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%s: ", program->name);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return ARGS_WRONG;
}

static enum args_outcome read_value(const struct program *program, const struct arg *arg, const char *text)
{
    if (arg->read(arg, text))
        return ARGS_RUN;
    if (arg->read == arg_number)
        return args_wrong(program, "--%s: expected a whole number from %lld to %lld, got '%s'", arg->name, arg->low,
                          arg->high, text);
    return args_wrong(program, "--%s: expected %s, got '%s'", arg->name, arg->value, text);
}

static enum args_outcome read_option(const struct program *program, int chosen, const char *written)
{
    switch (chosen) {
    case HELP:
        print_help(program);
        return ARGS_DONE;
    case VERSION:
        printf("%s %s\n", program->name, VENTURI_VERSION);
        return ARGS_DONE;
    case ':':
        return args_wrong(program, "%s: expected a value; see --help", written);
    case '?':
        return args_wrong(program, "unknown option '%s'; see --help", written);
    default:
        return read_value(program, &program->args[chosen - FIRST_OPTION], optarg);
    }
}

enum args_outcome args_read(int *first_operand, const struct program *program, int argc, char **argv)
{
    struct option options[ARGS_MAX + 3];
    enum args_outcome outcome = ARGS_RUN;
    long_options(options, program);
    opterr = 0;
    int chosen;
    while (outcome == ARGS_RUN && (chosen = getopt_long(argc, argv, ":", options, NULL)) != -1)
        outcome = read_option(program, chosen, argv[optind - 1]);
    *first_operand = optind;
    return outcome;
}
