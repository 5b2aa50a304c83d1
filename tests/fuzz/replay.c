/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a libFuzzer target over every file of a corpus folder, without libFuzzer: `replay FOLDER`.
 */
#include "base/arena.h"
#include "base/file.h"

#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_LIMIT_BYTES = 16 * 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum err replay(const char *path, struct diag *diag)
{
    AUTO(arena_fini) struct arena arena;
    char *bytes;
    size_t count;
    arena_init(&arena, INPUT_LIMIT_BYTES + 1);
    TRY(file_read(&bytes, &count, path, INPUT_LIMIT_BYTES, &arena, diag));
    uint8_t *exact = malloc(count ? count : 1); /* its end is where asan looks */
    if (!exact)
        return arena_exhausted(&arena, diag);
    memcpy(exact, bytes, count);
    (void)LLVMFuzzerTestOneInput(exact, count);
    free(exact);
    return ERR_OK;
}

int main(int argc, char **argv)
{
    struct diag diag;
    size_t files = 0;
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    if (!folder)
        return 2;
    for (struct dirent *entry; (entry = readdir(folder));) {
        char path[PATH_MAX], line[1024];
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
        if (replay(path, &diag) != ERR_OK) {
            (void)fprintf(stderr, "%s\n", diag_line(&diag, line, sizeof line));
            return 1;
        }
        files++;
    }
    (void)closedir(folder);
    (void)printf("replayed %zu files\n", files);
    return files > 0 ? 0 : 1;
}
