/* SPDX-License-Identifier: Apache-2.0 */
#include "recorder/lttng.h"

#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DEADLINE_MS = 60 * 1000 };

extern char **environ;

static bool hear(struct bench_sample *out, const struct lttng *lttng)
{
    struct pollfd said = {.fd = lttng->answers, .events = POLLIN};
    return poll(&said, 1, DEADLINE_MS) == 1 && read(lttng->answers, out, sizeof *out) == sizeof *out;
}

static pid_t start_session(int input, int output)
{
    char *const argv[] = {LTTNG_SESSION, LTTNG_LOOP, NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid = 0;
    if (posix_spawn_file_actions_init(&actions) != 0)
        return 0;
    if (posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO) != 0 ||
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO) != 0 ||
        posix_spawn(&pid, argv[0], &actions, NULL, argv, environ) != 0)
        pid = 0;
    (void)posix_spawn_file_actions_destroy(&actions);
    return pid;
}

void lttng_start(struct lttng *lttng)
{
    int asked[2], answered[2];
    struct bench_sample ready;
    if (access(LTTNG_LOOP, X_OK) < 0 || pipe2(asked, O_CLOEXEC) < 0)
        return;
    if (pipe2(answered, O_CLOEXEC) < 0) {
        fd_close(&asked[0]);
        fd_close(&asked[1]);
        return;
    }
    *lttng = (struct lttng){start_session(asked[0], answered[1]), asked[1], answered[0]};
    fd_close(&asked[0]);
    fd_close(&answered[1]);
    if (!hear(&ready, lttng))
        lttng_stop(lttng);
}

bool lttng_is_there(const struct lttng *lttng)
{
    return lttng->session > 0;
}

enum err time_lttng(struct bench_sample *out, const void *context, struct diag *diag)
{
    const struct lttng *lttng = context;
    TRY(fd_write_all(lttng->ask, "", 1, "LTTng", diag));
    return hear(out, lttng) ? ERR_OK : diag_fail(diag, ERR_INTERNAL, "LTTng", NULL, "its program does not answer");
}

void lttng_stop(struct lttng *lttng)
{
    if (lttng->ask > 0) {
        fd_close(&lttng->ask);
        fd_close(&lttng->answers);
    }
    while (lttng->session > 0 && waitpid(lttng->session, NULL, 0) < 0 && errno == EINTR)
        ;
    *lttng = (struct lttng){0};
}
