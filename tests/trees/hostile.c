/* SPDX-License-Identifier: Apache-2.0
 * A program that does everything to outlive whoever started it. `hostile tree SEED` grows a random tree of at most 5
 * levels; those of even seeds kill their parents too, those of odd ones hop. `hostile hop 1` hops for long, 2 leaves
 * its session each time, 3 kills its parent first. `hostile flood BYTES` writes so many. Whatever survives ends by
 * itself. */
#include "base/random.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LEVELS = 5, CHILDREN_MAX = 2, STORM = 40, LIFE_S = 20, HOPS = 500, FLOOD_BYTES = 64 * 1024, ROOT_STATUS = 7 };

static const char *program;
static bool kills_parents, hops;
static time_t born_s;

static bool one_in(struct rng *rng, unsigned n)
{
    return rng_below(rng, n) == 0;
}

static bool is_old(void)
{
    return time(NULL) - born_s > LIFE_S;
}

static void resist(struct rng *rng)
{
    static const int signals[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGPIPE, SIGTTOU};
    (void)alarm(LIFE_S);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (rng_coin(rng))
            (void)signal(signals[i], SIG_IGN);
    if (one_in(rng, 3))
        (void)setsid();
    if (one_in(rng, 4))
        (void)setpgid(0, 0);
    if (one_in(rng, 6))
        (void)prctl(PR_SET_CHILD_SUBREAPER, 1); /* hides its own orphans */
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        if (one_in(rng, 4))
            (void)close(fd);
}

static void flood(void)
{
    static const char bytes[FLOOD_BYTES];
    while (write(STDOUT_FILENO, bytes, sizeof bytes) > 0 && !is_old())
        ;
}

/* A new number every moment: whoever is listed is gone before it is hit. Bounded, for whoever is a subreaper and does
 * not look after its children keeps each as a zombie. */
static void hop(unsigned long count, bool new_session)
{
    while (count-- > 0 && !is_old()) {
        if (fork() > 0)
            _exit(0);
        if (new_session)
            (void)setsid();
    }
    _exit(0);
}

static void storm(void)
{
    for (int i = 0; i < STORM; i++)
        if (fork() == 0)
            _exit(0); /* a zombie, unless somebody looks */
}

static void spin(void)
{
    for (volatile unsigned long turns = 0; !is_old(); turns++)
        ;
}

_Noreturn static void last(struct rng *rng, int level)
{
    switch (rng_below(rng, 8)) {
    case 0:
        (void)raise(SIGSTOP);
        break;
    case 1:
        flood();
        break;
    case 2:
        spin();
        break;
    case 3:
        if (level > 0 && hops)
            hop(HOPS, one_in(rng, 2));
        break;
    case 4:
    case 5:
        _exit(ROOT_STATUS);
    default:
        break;
    }
    while (!is_old())
        (void)pause();
    _exit(ROOT_STATUS);
}

_Noreturn static void grow(uint64_t seed, int level);

static void start_child(struct rng *rng, int level)
{
    uint64_t seed = rng_next(rng);
    bool daemon = one_in(rng, 3), again = one_in(rng, 4);
    if (fork() != 0)
        return;
    if (daemon && (setsid() < 0 || fork() != 0))
        _exit(0);
    if (again) { /* as another program, with all its descriptors and signals */
        char text[32], depth[16];
        (void)snprintf(text, sizeof text, "%llu", (unsigned long long)seed);
        (void)snprintf(depth, sizeof depth, "%d", level + 1);
        (void)execl(program, program, "tree", text, depth, kills_parents ? "kills" : hops ? "hops" : "", (char *)NULL);
        _exit(1);
    }
    grow(seed, level + 1);
}

_Noreturn static void grow(uint64_t seed, int level)
{
    struct rng rng;
    rng_init(&rng, seed);
    resist(&rng);
    for (uint64_t children = level < LEVELS ? rng_below(&rng, CHILDREN_MAX + 1) + (level == 0) : 0; children > 0;
         children--)
        start_child(&rng, level);
    if (one_in(&rng, 8))
        storm();
    if (kills_parents && one_in(&rng, 16) && getppid() > 1)
        (void)kill(getppid(), SIGKILL); /* of the root that is the supervisor */
    last(&rng, level);
}

static int write_bytes(unsigned long long bytes)
{
    static const char block[FLOOD_BYTES];
    while (bytes > 0) {
        ssize_t count = write(STDOUT_FILENO, block, bytes < sizeof block ? (size_t)bytes : sizeof block);
        if (count <= 0)
            return 1;
        bytes -= (unsigned long long)count;
    }
    return 0;
}

int main(int argc, char **argv)
{
    program = argv[0];
    born_s = time(NULL);
    if (argc < 3)
        return 2;
    unsigned long long number = strtoull(argv[2], NULL, 10);
    if (strcmp(argv[1], "flood") == 0)
        return write_bytes(number);
    (void)prctl(PR_SET_PDEATHSIG, 0);
    if (strcmp(argv[1], "hop") == 0 && number == 3 && getppid() > 1)
        (void)kill(getppid(), SIGKILL);
    if (strcmp(argv[1], "hop") == 0)
        hop(ULONG_MAX, number == 2);
    kills_parents = argc > 4 ? strcmp(argv[4], "kills") == 0 : number % 2 == 0;
    hops = argc > 4 ? strcmp(argv[4], "hops") == 0 : number % 2 == 1;
    grow(number, argc > 3 ? atoi(argv[3]) : 0);
}
