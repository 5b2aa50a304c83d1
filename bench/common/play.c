/* SPDX-License-Identifier: Apache-2.0 */
#include "common/bench.h"

#include "base/file.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DEADLINE_MS = 120 * 1000 };

/* What a case's process says; written whole, it is smaller than a pipe's PIPE_BUF. */
struct answer {
    enum err error;
    struct diag diag;
    struct bench_sample sample;
};
_Static_assert(sizeof(struct answer) <= PIPE_BUF, "one write");

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
    (void)signal;
    interrupted = 1;
}

static void catch_interrupts(void)
{
    struct sigaction action = {.sa_handler = interrupt};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

_Noreturn static void answer(const struct bench_case *subject, int fd)
{
    struct answer answer = {0};
    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGTERM, SIG_DFL);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    answer.error = subject->run(&answer.sample, subject->context, &answer.diag);
    _exit(fd_write_all(fd, &answer, sizeof answer, subject->name, NULL) == ERR_OK ? 0 : 1);
}

static enum err hear(struct answer *out, int fd, const char *name, struct diag *diag)
{
    struct pollfd said = {.fd = fd, .events = POLLIN};
    int ready = poll(&said, 1, DEADLINE_MS);
    if (interrupted)
        return diag_fail(diag, ERR_INTERRUPTED, name, NULL, "interrupted");
    if (ready <= 0)
        return diag_fail(diag, ERR_TIMEOUT, name, NULL, "no answer within %d s", DEADLINE_MS / 1000);
    if (read(fd, out, sizeof *out) != sizeof *out)
        return diag_fail(diag, ERR_INTERNAL, name, NULL, "its process died");
    *diag = out->diag;
    return out->error;
}

static enum err measure(struct bench_sample *out, const struct bench_case *subject, struct diag *diag)
{
    int ends[2];
    struct answer said;
    if (pipe(ends) < 0)
        return diag_errno(diag, ERR_INTERNAL, errno, subject->name, "no pipe");
    pid_t child = fork();
    if (child == 0)
        answer(subject, ends[1]);
    fd_close(&ends[1]);
    enum err error = child < 0 ? diag_errno(diag, ERR_INTERNAL, errno, subject->name, "no process")
                               : hear(&said, ends[0], subject->name, diag);
    fd_close(&ends[0]);
    if (child > 0 && error != ERR_OK)
        (void)kill(child, SIGKILL);
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    if (error == ERR_OK)
        *out = said.sample;
    return error;
}

static enum err play_round(struct bench_case *cases, const size_t *order, size_t count, size_t round, struct diag *diag)
{
    for (size_t i = 0; i < count; i++) {
        struct bench_case *subject = &cases[order[i]];
        if (interrupted)
            return diag_fail(diag, ERR_INTERRUPTED, subject->name, NULL, "interrupted");
        if (subject->run)
            TRY(measure(&subject->samples[round], subject, diag));
    }
    return ERR_OK;
}

enum err bench_play(struct bench_case *cases, size_t count, size_t rounds, struct rng *rng, struct arena *arena,
                    struct diag *diag)
{
    size_t *order = ARENA_ARRAY(arena, size_t, count);
    if (!order)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < count; i++) {
        order[i] = i;
        cases[i].samples = ARENA_ARRAY(arena, struct bench_sample, rounds);
        if (!cases[i].samples)
            return arena_exhausted(arena, diag);
    }
    catch_interrupts();
    TRY(play_round(cases, order, count, 0, diag)); /* overwritten: it warms up */
    for (size_t round = 0; round < rounds; round++) {
        rng_shuffle(rng, order, count);
        TRY(play_round(cases, order, count, round, diag));
    }
    return ERR_OK;
}
