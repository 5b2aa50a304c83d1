/* SPDX-License-Identifier: Apache-2.0
 *
 * What a command is. One row here is the one truth for its parsing, --help, man page and completion.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Exit statuses, as `venturi help exit-codes` and the man page list them. */
enum status {
    STATUS_DONE = 0,
    STATUS_OUR_FAULT = 1,
    STATUS_USAGE = 2,
    STATUS_GOAL_MISSED = 3,
    STATUS_SLOWER = 4,
    STATUS_CANNOT_TELL = 5,
    STATUS_PIPELINE_FAILED = 6,
    STATUS_INTERRUPTED = 130,
};

/** The values of all options of all commands: each option names its field. */
struct settings {
    const char *out, *only, *format, *arm_a, *arm_b, *knob, *values, *purpose;
    uint64_t budget_ns, patience_ns;
    uint64_t seed, runs;
    double delta;
    bool json, force, plain, man, completion, confirm;
};

enum option_kind { OPTION_FLAG, OPTION_TEXT, OPTION_COUNT, OPTION_NUMBER, OPTION_DURATION };

struct cli_option {
    const char *name;     /* long name; NULL ends the table */
    const char *argument; /* shown in help; NULL for a flag */
    enum option_kind kind;
    size_t field; /* offsetof(struct settings, ...) of a const char *, uint64_t, double or bool */
    const char *help;
};
#define OPTION_FIELD(name) offsetof(struct settings, name)

enum { OPERANDS_MAX = 64 };

struct invocation {
    const char *operands[OPERANDS_MAX];
    size_t operand_count;
    struct settings settings;
};

struct command {
    const char *name;
    const char *operands; /* as the usage line shows them: "FILE" */
    size_t operands_min, operands_max;
    const char *summary;     /* one line */
    const char *description; /* paragraphs for --help and the man page */
    const struct cli_option *options;
    struct settings defaults;
    enum status (*run)(const struct invocation *invocation);
    bool internal; /* started by venturi itself: not listed */
};

extern const struct command command_init, command_profile, command_investigate, command_resume, command_report,
    command_lab, command_trace, command_doctor, command_agent, command_help;
/** All commands in the order in which help lists them; NULL-terminated. */
extern const struct command *const commands[];

/** NULL when there is none of that name. */
const struct command *command_named(const char *name);
/** The short name of an option; 0 when it has none. */
char option_letter(const struct cli_option *option);
/** Parses argv (argv[0] is the command's name) and runs it. Exits 2 on a usage error and 0 after --help. */
enum status command_invoke(const struct command *command, int argc, char **argv);

/** Prints the one line of a failure to standard error and gives the exit status that belongs to it. */
enum status fail(enum err error, const struct diag *diag);
