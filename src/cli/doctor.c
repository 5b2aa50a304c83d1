/* SPDX-License-Identifier: Apache-2.0
 *
 * `venturi doctor [FILE]`: is this machine fit to measure on, and is what FILE needs there?
 */
#include "cli/command.h"

#include "base/arena.h"
#include "base/clock.h"
#include "base/json.h"
#include "cli/show.h"
#include "lab/doctor.h"

#include <stdio.h>

#define ARENA_BYTES ((size_t)256 << 20)
#define LOOK_NS NS_PER_S

/* A mistake in the file is a finding like the others here, but keeps its exit status. */
static enum err check_file(struct checks *checks, const char *path, struct diag *diag)
{
    AUTO(arena_fini) struct arena arena;
    struct pipeline *pipeline;
    char line[sizeof *diag];
    arena_init(&arena, ARENA_BYTES);
    enum err error = pipeline_load(&pipeline, path, &arena, diag);
    if (error == ERR_OK)
        doctor_pipeline(checks, pipeline);
    else
        checks_add(checks, "file", CHECK_BAD, "", "%s", diag_line(diag, line, sizeof line));
    return error;
}

static void print_lines(const struct checks *checks)
{
    for (size_t i = 0; i < checks->count; i++) {
        const struct check *check = &checks->items[i];
        (void)printf("%-4s  %-11s  %s%s%s\n", check_level_name(check->level), check->name, check->finding,
                     check->advice[0] ? "; " : "", check->advice);
    }
}

static enum err print_json(const struct machine *machine, const struct checks *checks, struct diag *diag)
{
    AUTO(json_release)
    json_t *document = json_pack("{s:s, s:s, s:o, s:o}", "schema", "venturi.doctor/1", "verdict",
                                 check_level_name(checks_worst(checks)), "machine", machine_json(machine, checks),
                                 "checks", checks_json(checks));
    return document ? show_json(document, diag) : diag_fail(diag, ERR_MEMORY, NULL, NULL, "out of memory");
}

static enum status run(const struct invocation *invocation)
{
    static struct checks checks;
    struct machine machine;
    struct diag diag = {0}, mistake = {0};
    const char *folder = invocation->settings.out ? invocation->settings.out : ".";
    enum err error = ERR_OK;
    machine_look(&machine, folder, LOOK_NS);
    checks_machine(&checks, &machine);
    if (invocation->operand_count > 0)
        error = check_file(&checks, invocation->operands[0], &mistake);
    if (!invocation->settings.json)
        print_lines(&checks);
    else if (print_json(&machine, &checks, &diag) != ERR_OK)
        return fail(ERR_IO, &diag);
    if (error != ERR_OK)
        return fail(error, &mistake);
    return checks_worst(&checks) == CHECK_BAD ? STATUS_CANNOT_TELL : STATUS_DONE;
}

static const struct cli_option options[] = {
    {"out", "FOLDER", OPTION_TEXT, OPTION_FIELD(out), "Where measurements would be kept; default the current folder"},
    {"json", NULL, OPTION_FLAG, OPTION_FIELD(json), "Print the checks as JSON"},
    {0},
};

const struct command command_doctor = {
    .name = "doctor",
    .operands = "[FILE]",
    .operands_max = 1,
    .summary = "Is this machine fit to measure on?",
    .description =
        "Looks at the machine for a second and prints one line a check: ok, warn (what it does to numbers and what to "
        "do about it) or bad (measuring here would mislead, or cannot be done). With FILE also: are its programs "
        "there, "
        "are its ports free.\n\n"
        "Exit status: 0 when nothing is bad, 5 when something is, 2 when FILE has a mistake. The same checks run "
        "before "
        "every lab and investigation; what is not ok stands in the journal and the reports.",
    .options = options,
    .run = run,
};
