/* SPDX-License-Identifier: Apache-2.0
 *
 * `venturi help`: the overview, the exit statuses, and from the same tables the man pages and the shell completion.
 */
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

static const struct {
    enum status status;
    const char *meaning;
} exit_statuses[] = {
    {STATUS_DONE, "done"},
    {STATUS_OUR_FAULT, "our own fault, or the machine's: out of memory, disk full"},
    {STATUS_USAGE, "usage or configuration; nothing was run"},
    {STATUS_GOAL_MISSED, "goal missed (gate, verify)"},
    {STATUS_SLOWER, "a stage got slower (gate)"},
    {STATUS_CANNOT_TELL, "cannot tell: too noisy (doctor: unfit to measure on), or the budget is used; never a pass"},
    {STATUS_PIPELINE_FAILED, "the pipeline or a service failed"},
    {STATUS_INTERRUPTED, "interrupted; `venturi resume` continues"},
};

static void print_exit_statuses(void)
{
    for (size_t i = 0; i < sizeof exit_statuses / sizeof exit_statuses[0]; i++)
        (void)printf("  %-4d %s\n", (int)exit_statuses[i].status, exit_statuses[i].meaning);
}

static void print_overview(void)
{
    (void)printf(
        "venturi finds the true bottleneck of a data pipeline, prices each fix before anyone writes it,\n"
        "and proves what is not worth touching.\n\nUsage: venturi COMMAND [OPTION...] [OPERAND...]\n\nCommands:\n");
    for (size_t i = 0; commands[i]; i++) {
        if (!commands[i]->internal)
            (void)printf("  %-12s %s\n", commands[i]->name, commands[i]->summary);
    }
    (void)printf(
        "\n`venturi COMMAND --help` explains one; `venturi --version` prints the version.\n\nExit statuses:\n");
    print_exit_statuses();
}

/* roff: a leading dot or quote and every backslash would be taken for a request. */
static void print_roff(const char *text)
{
    if (*text == '.' || *text == '\'')
        (void)fputs("\\&", stdout);
    for (; *text; text++) {
        if (*text == '\\')
            (void)fputs("\\e", stdout);
        else if (*text == '-')
            (void)fputs("\\-", stdout);
        else if (*text == '\n')
            (void)fputs(text[1] == '\n' ? "\n.PP" : "\n", stdout);
        else
            (void)putchar(*text);
    }
    (void)putchar('\n');
}

static void print_command_man(const struct command *command)
{
    (void)printf(".TH VENTURI\\-%s 1 \"\" \"venturi %s\" \"User commands\"\n.SH NAME\nventuri\\-%s \\- ", command->name,
                 VENTURI_VERSION, command->name);
    print_roff(command->summary);
    (void)printf(".SH SYNOPSIS\n.B venturi %s\n[OPTION...] %s\n.SH DESCRIPTION\n", command->name, command->operands);
    print_roff(command->description);
    (void)printf(".SH OPTIONS\n");
    for (const struct cli_option *option = command->options; option && option->name; option++) {
        (void)printf(".TP\n.B ");
        if (option_letter(option))
            (void)printf("\\-%c, ", option_letter(option));
        (void)printf("\\-\\-%s%s%s\n", option->name, option->argument ? "=" : "",
                     option->argument ? option->argument : "");
        print_roff(option->help);
    }
    (void)printf(".SH SEE ALSO\n.BR venturi (1)\n");
}

static void print_overview_man(void)
{
    (void)printf(
        ".TH VENTURI 1 \"\" \"venturi %s\" \"User commands\"\n.SH NAME\nventuri \\- find the true bottleneck of a data "
        "pipeline\n.SH SYNOPSIS\n.B venturi\nCOMMAND [OPTION...] [OPERAND...]\n.SH COMMANDS\n",
        VENTURI_VERSION);
    for (size_t i = 0; commands[i]; i++) {
        if (commands[i]->internal)
            continue;
        (void)printf(".TP\n.BR venturi\\-%s (1)\n", commands[i]->name);
        print_roff(commands[i]->summary);
    }
    (void)printf(".SH EXIT STATUS\n");
    for (size_t i = 0; i < sizeof exit_statuses / sizeof exit_statuses[0]; i++)
        (void)printf(".TP\n.B %d\n%s\n", (int)exit_statuses[i].status, exit_statuses[i].meaning);
}

static void print_completion(void)
{
    (void)printf("# bash completion for venturi, made by `venturi help --completion`\n_venturi() {\n"
                 "    local word=${COMP_WORDS[COMP_CWORD]} words=\n    if [ \"$COMP_CWORD\" -eq 1 ]; then words=\"");
    for (size_t i = 0; commands[i]; i++) {
        if (!commands[i]->internal)
            (void)printf("%s ", commands[i]->name);
    }
    (void)printf("--help --version\"\n    else case ${COMP_WORDS[1]} in\n");
    for (size_t i = 0; commands[i]; i++) {
        if (commands[i]->internal)
            continue;
        (void)printf("        %s) words=\"--help", commands[i]->name);
        for (const struct cli_option *option = commands[i]->options; option && option->name; option++)
            (void)printf(" --%s", option->name);
        (void)printf("\" ;;\n");
    }
    (void)printf(
        "    esac; fi\n    case $word in\n        -*) COMPREPLY=($(compgen -W \"$words\" -- \"$word\")) ;;\n"
        "        *) if [ \"$COMP_CWORD\" -eq 1 ]; then COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
        "           else COMPREPLY=($(compgen -f -- \"$word\")); fi ;;\n    esac\n}\ncomplete -F _venturi venturi\n");
}

static enum status run(const struct invocation *invocation)
{
    const char *topic = invocation->operand_count ? invocation->operands[0] : NULL;
    const struct command *command = topic ? command_named(topic) : NULL;
    if (invocation->settings.completion) {
        print_completion();
    } else if (topic && strcmp(topic, "exit-codes") == 0) {
        print_exit_statuses();
    } else if (topic && !command) {
        struct diag diag;
        return fail(diag_fail(&diag, ERR_CONFIG, NULL, "`venturi help` lists the commands", "no help on '%s'", topic),
                    &diag);
    } else if (invocation->settings.man) {
        command ? print_command_man(command) : print_overview_man();
    } else if (command) {
        char help[] = "--help", *argv[] = {(char[]){"venturi"}, help, NULL};
        return command_invoke(command, 2, argv);
    } else {
        print_overview();
    }
    return STATUS_DONE;
}

static const struct cli_option options[] = {
    {"man", NULL, OPTION_FLAG, OPTION_FIELD(man), "Print the man page in roff"},
    {"completion", NULL, OPTION_FLAG, OPTION_FIELD(completion), "Print the bash completion"},
    {0},
};

const struct command command_help = {
    .name = "help",
    .operands = "[COMMAND | exit-codes]",
    .operands_max = 1,
    .summary = "Explain a command or the exit statuses",
    .description = "Without an operand lists all commands.",
    .options = options,
    .run = run,
};
