/* SPDX-License-Identifier: Apache-2.0
 *
 *     venturi-bench-trace make FOLDER KIND THREADS SPANS [RECORDS]
 *     venturi-bench-trace answer
 *
 * The first makes a trace (make.h); KIND is laps, counted or spans. The second does what it is told a line, and prints
 * how many nanoseconds it took: `sum FILE...` adds up the words of files that it maps, `analyse TRACE` is what
 * `venturi trace stats` does.
 */
#include "make.h"

#include "base/clock.h"
#include "profile/profile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define ARENA_BYTES ((size_t)256 << 20)

static volatile uint64_t sink; /* or the sum would not be made */

static int make(char **arguments, int count)
{
    static const char *const kinds[] = {"laps", "counted", "spans"};
    struct making making = {.threads = (uint32_t)strtoul(arguments[2], NULL, 10),
                            .spans = strtoull(arguments[3], NULL, 10)};
    while ((size_t)making.kind < sizeof kinds / sizeof *kinds && strcmp(kinds[making.kind], arguments[1]) != 0)
        making.kind++;
    if ((size_t)making.kind == sizeof kinds / sizeof *kinds || making.threads < 1 ||
        making.threads > MADE_THREADS_MAX) {
        (void)fprintf(stderr, "no such trace can be made\n");
        return 2;
    }
    if (make_trace(&making, arguments[0], count > 4 ? arguments[4] : NULL))
        return 0;
    (void)fprintf(stderr, "%s: %s\n", arguments[0], strerror(errno));
    return 1;
}

static int sum_file(const char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0)
        return -1;
    size_t bytes = (size_t)status.st_size;
    const uint64_t *words = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    (void)close(fd);
    if (words == MAP_FAILED)
        return -1;
    uint64_t sum = 0;
    for (size_t i = 0; i < bytes / sizeof *words; i++)
        sum += words[i];
    sink = sum;
    return munmap((void *)words, bytes);
}

static int sum_files(char *names)
{
    for (char *name = strtok(names, " "); name; name = strtok(NULL, " "))
        if (sum_file(name) != 0)
            return -1;
    return 0;
}

static int analyse(const char *path)
{
    AUTO(arena_fini) struct arena arena;
    struct run_profile *run;
    struct diag diag;
    char line[1024];
    arena_init(&arena, ARENA_BYTES);
    if (profile_trace(&run, path, &arena, &diag) == ERR_OK)
        return 0;
    (void)fprintf(stderr, "%s\n", diag_line(&diag, line, sizeof line));
    return -1;
}

static int answer(void)
{
    static char line[1 << 16];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        char *rest = line, *order = strsep(&rest, " ");
        uint64_t started_ns = clock_monotonic_ns();
        int failed = !rest ? -1 : strcmp(order, "sum") == 0 ? sum_files(rest) : analyse(rest);
        if (failed)
            return 1;
        (void)printf("%" PRIu64 "\n", clock_monotonic_ns() - started_ns);
        (void)fflush(stdout);
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc >= 6 && strcmp(argv[1], "make") == 0)
        return make(argv + 2, argc - 2);
    if (argc == 2 && strcmp(argv[1], "answer") == 0)
        return answer();
    (void)fprintf(stderr, "usage: %s make FOLDER laps|counted|spans THREADS SPANS [RECORDS] | answer\n", argv[0]);
    return 2;
}
