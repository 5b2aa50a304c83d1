/* SPDX-License-Identifier: Apache-2.0
 *
 * Turns an option table into an argp parser (glibc), so that every command gets the same usage, help and errors.
 */
#include "cli/command.h"

#include "base/duration.h"

#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPTIONS_MAX = 24, FIRST_KEY = 256 };

const struct command *command_named(const char *name)
{
    for (size_t i = 0; commands[i]; i++) {
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    }
    return NULL;
}

enum status fail(enum err error, const struct diag *diag)
{
    static const enum status status_of[] = {
        [ERR_INTERNAL] = STATUS_OUR_FAULT,
        [ERR_MEMORY] = STATUS_OUR_FAULT,
        [ERR_IO] = STATUS_OUR_FAULT,
        [ERR_CONFIG] = STATUS_USAGE,
        [ERR_FORMAT] = STATUS_USAGE,
        [ERR_PIPELINE] = STATUS_PIPELINE_FAILED,
        [ERR_TIMEOUT] = STATUS_PIPELINE_FAILED,
        [ERR_NOISE] = STATUS_CANNOT_TELL,
        [ERR_INTERRUPTED] = STATUS_INTERRUPTED,
    };
    char line[sizeof *diag];
    (void)fprintf(stderr, "venturi: %s\n", diag_line(diag, line, sizeof line));
    return status_of[error];
}

struct parsing {
    const struct command *command;
    struct invocation *invocation;
};

static void set_count(uint64_t *out, const char *text, const struct cli_option *option, struct argp_state *state)
{
    char *end;
    errno = 0;
    unsigned long long count = strtoull(text, &end, 10);
    if (errno || *end || end == text || *text == '-')
        argp_error(state, "--%s: '%s' is no whole number", option->name, text);
    *out = count;
}

static void set_number(double *out, const char *text, const struct cli_option *option, struct argp_state *state)
{
    char *end;
    double number = strtod(text, &end);
    if (*end || end == text || !isfinite(number))
        argp_error(state, "--%s: '%s' is no number", option->name, text);
    *out = number;
}

static void set_option(struct settings *settings, const struct cli_option *option, const char *text,
                       struct argp_state *state)
{
    void *field = (char *)settings + option->field;
    switch (option->kind) {
    case OPTION_FLAG:
        *(bool *)field = true;
        break;
    case OPTION_TEXT:
        *(const char **)field = text;
        break;
    case OPTION_COUNT:
        set_count(field, text, option, state);
        break;
    case OPTION_NUMBER:
        set_number(field, text, option, state);
        break;
    case OPTION_DURATION:
        if (!duration_parse(field, text))
            argp_error(state, "--%s: '%s' is no duration; write one such as 90s, 5m or 250ms", option->name, text);
        break;
    }
}

static void add_operand(struct parsing *parsing, const char *operand, struct argp_state *state)
{
    struct invocation *invocation = parsing->invocation;
    if (invocation->operand_count >= parsing->command->operands_max)
        argp_error(state, "too many operands: '%s'", operand);
    invocation->operands[invocation->operand_count++] = operand;
}

/* What everybody expects of every program. */
char option_letter(const struct cli_option *option)
{
    return strcmp(option->name, "out") == 0 ? 'o' : '\0';
}

/* For argp a key is the option's letter, or a number beyond letters. */
static int key_of(const struct cli_option *option, const struct command *command)
{
    char letter = option_letter(option);
    return letter ? letter : FIRST_KEY + (int)(option - command->options);
}

static const struct cli_option *option_of_key(const struct command *command, int key)
{
    for (const struct cli_option *option = command->options; option && option->name; option++)
        if (key_of(option, command) == key)
            return option;
    return NULL;
}

static error_t parse_key(int key, char *argument, struct argp_state *state)
{
    struct parsing *parsing = state->input;
    if (key == ARGP_KEY_ARG) {
        add_operand(parsing, argument, state);
        return 0;
    }
    if (key == ARGP_KEY_END) {
        if (parsing->invocation->operand_count < parsing->command->operands_min)
            argp_error(state, "expected %s", parsing->command->operands);
        return 0;
    }
    const struct cli_option *option = option_of_key(parsing->command, key);
    if (!option)
        return ARGP_ERR_UNKNOWN;
    set_option(&parsing->invocation->settings, option, argument, state);
    return 0;
}

enum status command_invoke(const struct command *command, int argc, char **argv)
{
    struct argp_option options[OPTIONS_MAX + 1] = {0};
    for (size_t i = 0; command->options && command->options[i].name; i++) {
        const struct cli_option *option = &command->options[i];
        options[i] = (struct argp_option){
            .name = option->name, .key = key_of(option, command), .arg = option->argument, .doc = option->help};
    }
    char name[64], doc[4096];
    (void)snprintf(name, sizeof name, "venturi %s", command->name);
    (void)snprintf(doc, sizeof doc, "%s.\v%s", command->summary, command->description);
    argv[0] = name;
    struct invocation invocation = {.settings = command->defaults};
    struct parsing parsing = {command, &invocation};
    struct argp parser = {.options = options, .parser = parse_key, .args_doc = command->operands, .doc = doc};
    argp_err_exit_status = STATUS_USAGE;
    if (argp_parse(&parser, argc, argv, 0, NULL, &parsing) != 0)
        return STATUS_USAGE;
    return command->run(&invocation);
}
