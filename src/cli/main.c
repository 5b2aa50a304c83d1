/* SPDX-License-Identifier: Apache-2.0
 *
 * `venturi COMMAND ...`: finds the command in the table and hands over.
 */
#include "cli/command.h"

#include <argp.h>
#include <stdio.h>
#include <string.h>

const struct command *const commands[] = {&command_init,
                                          &command_doctor,
                                          &command_profile,
                                          &command_investigate,
                                          &command_resume,
                                          &command_report,
                                          &command_lab,
                                          &command_trace,
                                          &command_agent,
                                          &command_help,
                                          NULL};

int main(int argc, char **argv)
{
    const char *first = argc > 1 ? argv[1] : "help";
    if (strcmp(first, "--version") == 0) {
        (void)printf("venturi %s\n", VENTURI_VERSION);
        return STATUS_DONE;
    }
    if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0)
        first = "help";
    const struct command *command = command_named(first);
    if (!command) {
        (void)fprintf(stderr, "venturi: no command '%s'; `venturi help` lists them\n", first);
        return STATUS_USAGE;
    }
    int skipped = argc > 1 ? 1 : 0;
    return (int)command_invoke(command, argc - skipped, argv + skipped);
}
