/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/program.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_executable(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

/* Writes the path of `program` in the folder; false when it is not executable. */
static bool is_in(char path[PATH_MAX], const char *folder, size_t folder_bytes, const char *program)
{
    int length = snprintf(path, PATH_MAX, "%.*s/%s", (int)folder_bytes, folder, program);
    return length > 0 && length < PATH_MAX && is_executable(path);
}

static bool is_in_path(char path[PATH_MAX], const char *program)
{
    const char *folders = getenv("PATH");
    if (!folders)
        folders = "/usr/local/bin:/usr/bin:/bin";
    for (size_t length; *folders; folders += length + (folders[length] == ':')) {
        length = strcspn(folders, ":");
        if (folders[0] == '/' && length < PATH_MAX && is_in(path, folders, length, program))
            return true;
    }
    return false;
}

enum err program_find(const char **out, const char *program, const char *folder, struct arena *arena, struct diag *diag)
{
    char path[PATH_MAX];
    bool found;
    if (program[0] == '/')
        found = is_in(path, "", 0, program + 1);
    else
        found = strchr(program, '/') ? is_in(path, folder, strlen(folder), program) : is_in_path(path, program);
    *out = found ? arena_strdup(arena, path) : NULL;
    return found && !*out ? arena_exhausted(arena, diag) : ERR_OK;
}
