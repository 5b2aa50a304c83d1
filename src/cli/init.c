/* SPDX-License-Identifier: Apache-2.0
 *
 * `venturi init`: writes a commented pipeline.toml to fill in. Never overwrites one.
 */
#include "cli/command.h"

#include "base/file.h"
#include "pipeline/pipeline.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum status run(const struct invocation *invocation)
{
    const char *path = invocation->operand_count ? invocation->operands[0] : "pipeline.toml";
    struct diag diag;
    if (access(path, F_OK) == 0 && !invocation->settings.force)
        return fail(diag_fail(&diag, ERR_CONFIG, path, "name another file, or use --force", "exists already"), &diag);
    enum err error = file_write_atomic(path, pipeline_template(), strlen(pipeline_template()), &diag);
    if (error != ERR_OK)
        return fail(error, &diag);
    (void)fprintf(stderr, "wrote %s: fill it in, then run `venturi profile %s`\n", path, path);
    return STATUS_DONE;
}

static const struct cli_option options[] = {
    {"force", NULL, OPTION_FLAG, OPTION_FIELD(force), "Overwrite an existing file"},
    {0},
};

const struct command command_init = {
    .name = "init",
    .operands = "[FILE]",
    .operands_max = 1,
    .summary = "Write a commented pipeline.toml to fill in",
    .description =
        "Writes FILE (default pipeline.toml) with every section explained. docs/pipeline-toml.md lists all keys.",
    .options = options,
    .run = run,
};
