/* SPDX-License-Identifier: Apache-2.0
 *
 * Prints the profile of the traces named, one a run: for the test of the document.
 */
#include "base/json.h"
#include "profile/profile.h"

#include <stdio.h>
#include <stdlib.h>

enum { RUNS_MAX = 16 };

static enum err profile_of(struct profile **out, int count, char **folders, struct arena *arena, struct diag *diag)
{
    const struct run_profile *runs[RUNS_MAX];
    struct rng rng;
    rng_init(&rng, 1);
    for (int i = 0; i < count; i++) {
        struct trace *trace;
        struct run_profile *run;
        TRY(trace_read(&trace, folders[i], arena, diag));
        TRY(profile_run(&run, trace, arena, diag));
        runs[i] = run;
    }
    return profile_summarise(out, runs, (size_t)count, &rng, arena, diag);
}

int main(int argc, char **argv)
{
    AUTO(arena_fini) struct arena arena;
    AUTO(json_release) json_t *json = NULL;
    struct diag diag;
    struct profile *profile;
    char line[1024];
    arena_init(&arena, 1 << 26);
    if (argc < 2 || argc > RUNS_MAX)
        return 2;
    if (profile_of(&profile, argc - 1, argv + 1, &arena, &diag) != ERR_OK) {
        (void)fprintf(stderr, "%s\n", diag_line(&diag, line, sizeof line));
        return 1;
    }
    json = profile_json(profile);
    char *text = json ? json_line(json) : NULL;
    if (!text)
        return 1;
    (void)puts(text);
    free(text);
    return 0;
}
