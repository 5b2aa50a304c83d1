/* SPDX-License-Identifier: Apache-2.0 */
#include "base/child.h"

#include "base/capture.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mark.h"
#include "base/supervisor.h"
#include "base/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024, READS_A_TURN = 4, READS_AT_END = 64, GRACE_DEFAULT_S = 2, BACKSTOP_S = 2 };

struct stream {
    struct child *child;
    int fd;
    struct watch *watch;
    struct capture capture;
};

struct child {
    struct loop *loop;
    child_done *done;
    void *context;
    pid_t supervisor, program;
    bool in_namespace, finished, stopping, killed;
    char mark[MARK_BYTES]; /* of everyone in its tree */
    int pidfd, socket_fd;
    uint64_t grace_ns;
    struct watch *exit_watch, *socket_watch, *backstop;
    struct stream out, err;
    struct child_result result;
    bool started, failed_to_start, ended;
};

/* Reads what is there, at most `reads` times: a flood must not starve the others. False at the stream's end. */
static bool stream_read(struct stream *stream, int reads)
{
    char bytes[READ_BYTES];
    while (stream->fd >= 0 && reads-- > 0) {
        ssize_t count = read(stream->fd, bytes, sizeof bytes);
        if (count <= 0)
            return count < 0 && (errno == EAGAIN || errno == EINTR);
        capture_add(&stream->capture, bytes, (size_t)count);
    }
    return stream->fd >= 0;
}

static void stream_close(struct stream *stream)
{
    loop_remove(stream->child->loop, &stream->watch);
    fd_close(&stream->fd);
}

static void on_stream(void *context, uint32_t events)
{
    (void)events;
    struct stream *stream = context;
    if (!stream_read(stream, READS_A_TURN))
        stream_close(stream);
}

static void take_report(struct child *child, const struct supervisor_report *report, pid_t sender)
{
    struct child_result *result = &child->result;
    switch (report->event) {
    case SUPERVISED_STARTED:
        child->started = true;
        child->program = sender;
        result->started_ns = report->at_ns;
        break;
    case SUPERVISED_NOT_STARTED:
        child->failed_to_start = true;
        result->code = report->code;
        result->ended_ns = report->at_ns;
        break;
    case SUPERVISED_ENDED:
        child->ended = true;
        result->ended_ns = report->at_ns;
        if (child->failed_to_start)
            break;
        result->outcome = report->timed_out ? CHILD_TIMED_OUT : report->signalled ? CHILD_SIGNALLED : CHILD_EXITED;
        result->code = report->code;
        result->cpu_s = (double)report->cpu_ns / 1e9;
        result->peak_bytes = report->peak_bytes;
        result->read_bytes = report->read_bytes;
        result->written_bytes = report->written_bytes;
        break;
    }
}

/* False when no report waits. */
static bool read_report(struct child *child)
{
    struct supervisor_report report = {0};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct iovec part = {.iov_base = &report, .iov_len = sizeof report};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t count = recvmsg(child->socket_fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (count != sizeof report)
        return false;
    const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    struct ucred sender = {0};
    if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_CREDENTIALS)
        memcpy(&sender, CMSG_DATA(header), sizeof sender);
    take_report(child, &report, sender.pid);
    return true;
}

static void on_socket(void *context, uint32_t events)
{
    struct child *child = context;
    if (!read_report(child) || (events & EPOLLHUP))
        loop_remove(child->loop, &child->socket_watch); /* what is left is read at the end */
}

static void kill_supervisor(struct child *child)
{
    child->killed = true;
    if (!child->in_namespace)
        tree_kill(child->supervisor);
    (void)syscall(SYS_pidfd_send_signal, child->pidfd, SIGKILL, NULL, 0);
}

/* The supervisor is gone, or given up on: read the rest and settle the result. */
static void settle(struct child *child)
{
    struct child_result *result = &child->result;
    while (child->socket_fd >= 0 && read_report(child))
        ;
    (void)stream_read(&child->out, READS_AT_END);
    (void)stream_read(&child->err, READS_AT_END);
    if (child->failed_to_start) {
        result->outcome = CHILD_NOT_STARTED;
    } else if (!child->ended) { /* someone killed the supervisor, and the program with it */
        result->outcome = child->started ? CHILD_SIGNALLED : CHILD_NOT_STARTED;
        result->code = child->started ? SIGKILL : ECHILD;
        result->ended_ns = clock_monotonic_ns();
    }
    if (!child->started)
        result->started_ns = result->ended_ns;
    result->out = capture_output(&child->out.capture);
    result->err = capture_output(&child->err.capture);
}

static void release(struct child *child)
{
    stream_close(&child->out);
    stream_close(&child->err);
    loop_remove(child->loop, &child->exit_watch);
    loop_remove(child->loop, &child->socket_watch);
    loop_remove(child->loop, &child->backstop);
    fd_close(&child->socket_fd);
    fd_close(&child->pidfd);
}

static void finish(struct child *child)
{
    settle(child);
    release(child);
    child->finished = true;
    child->program = 0;
    child->done(child->context, &child->result);
}

/* A supervisor that was killed, or ran out of time, may have left somebody behind; the kernel leaves nobody of a
 * namespace. */
static void reap_supervisor(const struct child *child)
{
    siginfo_t info = {0};
    (void)waitid(P_PIDFD, (id_t)child->pidfd, &info, WEXITED | WNOHANG);
    if (!child->in_namespace && (info.si_code != CLD_EXITED || info.si_status != 0))
        mark_kill(child->mark);
}

static void on_exit_of_supervisor(void *context, uint32_t events)
{
    (void)events;
    struct child *child = context;
    reap_supervisor(child);
    finish(child);
}

static void set_backstop(struct child *child, uint64_t after_ns);

/* The supervisor did not keep its deadline: someone stopped it, or a process of the tree cannot be killed. */
static void on_backstop(void *context)
{
    struct child *child = context;
    child->backstop = NULL;
    if (child->killed) {
        finish(child);
        return;
    }
    kill_supervisor(child);
    set_backstop(child, BACKSTOP_S * NS_PER_S);
}

static void set_backstop(struct child *child, uint64_t after_ns)
{
    loop_remove(child->loop, &child->backstop);
    struct diag unused;
    if (loop_timer(&child->backstop, child->loop, clock_monotonic_ns() + after_ns, on_backstop, child, &unused) !=
        ERR_OK)
        child->backstop = NULL; /* without memory for a timer the supervisor's own deadlines still hold */
}

static uint64_t backstop_after_ns(const struct child *child)
{
    return child->grace_ns + (SUPERVISOR_TREE_BOUND_S + BACKSTOP_S) * NS_PER_S;
}

static bool same_name(const char *a, const char *b)
{
    size_t length = strcspn(a, "=");
    return strncmp(a, b, length) == 0 && b[length] == '=';
}

/* Our environment with `mark` and `more` on top; free() the array, the texts are borrowed. */
static char **merge_environment(const char *mark, const char *const *more)
{
    size_t ours = 0, added = 0, count = 0;
    while (environ && environ[ours])
        ours++;
    while (more && more[added])
        added++;
    char **merged = calloc(ours + added + 2, sizeof *merged);
    if (!merged)
        return NULL;
    merged[count++] = (char *)mark;
    for (size_t i = 0; i < ours; i++) {
        bool replaced = same_name(mark, environ[i]);
        for (size_t j = 0; j < added && !replaced; j++)
            replaced = same_name(more[j], environ[i]);
        if (!replaced)
            merged[count++] = environ[i];
    }
    for (size_t j = 0; j < added; j++)
        merged[count++] = (char *)more[j];
    return merged;
}

static enum err no_descriptors(struct diag *diag, const char *what)
{
    bool too_many = errno == EMFILE || errno == ENFILE;
    return diag_fail(diag, ERR_INTERNAL, NULL, too_many ? "too many open files: see `ulimit -n`" : NULL, "%s: %s", what,
                     strerror(errno));
}

/* Both ends close at exec; ours never blocks. */
static enum err open_pipe(int *ours, int *theirs, struct diag *diag)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return no_descriptors(diag, "cannot make a pipe");
    *ours = ends[0];
    *theirs = ends[1];
    if (fcntl(*ours, F_SETFL, O_NONBLOCK) < 0)
        return diag_errno(diag, ERR_INTERNAL, errno, NULL, "cannot prepare a pipe");
    return ERR_OK;
}

static enum err open_socket(int *ours, int *theirs, struct diag *diag)
{
    int ends[2], yes = 1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return no_descriptors(diag, "cannot make a socket pair");
    *ours = ends[0];
    *theirs = ends[1];
    if (setsockopt(*ours, SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) < 0)
        return diag_errno(diag, ERR_INTERNAL, errno, NULL, "cannot prepare a socket pair");
    return ERR_OK;
}

static void free_array(char ***array)
{
    free(*array);
}

/* Clones the supervisor; only our ends stay open. */
static enum err start_supervisor(struct child *child, const struct child_options *options, struct diag *diag)
{
    AUTO(fd_close) int out_end = -1;
    AUTO(fd_close) int err_end = -1;
    AUTO(fd_close) int socket_end = -1;
    AUTO(free_array) char **env = merge_environment(mark_text(child->mark), options->env);
    if (!env)
        return diag_fail(diag, ERR_MEMORY, options->argv[0], NULL, "out of memory for its environment");
    TRY(open_pipe(&child->out.fd, &out_end, diag));
    if (!options->inherit_stderr)
        TRY(open_pipe(&child->err.fd, &err_end, diag));
    TRY(open_socket(&child->socket_fd, &socket_end, diag));
    struct supervisor_task task = {
        .argv = (char *const *)options->argv,
        .env = env,
        .folder = options->folder,
        .timeout_ns = options->timeout_ns,
        .grace_ns = child->grace_ns,
        .out_fd = out_end,
        .err_fd = err_end,
        .socket_fd = socket_end,
    };
    return supervisor_start(&child->supervisor, &child->pidfd, &child->in_namespace, &task, diag);
}

static enum err watch_stream(struct stream *stream, struct child *child, struct diag *diag)
{
    stream->child = child;
    if (stream->fd < 0)
        return ERR_OK;
    return loop_watch(&stream->watch, child->loop, stream->fd, EPOLLIN, on_stream, stream, diag);
}

static enum err watch_all(struct child *child, struct diag *diag)
{
    TRY(watch_stream(&child->out, child, diag));
    TRY(watch_stream(&child->err, child, diag));
    TRY(loop_watch(&child->socket_watch, child->loop, child->socket_fd, EPOLLIN, on_socket, child, diag));
    return loop_watch(&child->exit_watch, child->loop, child->pidfd, EPOLLIN, on_exit_of_supervisor, child, diag);
}

enum err child_start(struct child **out, const struct child_options *options, struct loop *loop, child_done *done,
                     void *context, struct diag *diag)
{
    struct child *child = calloc(1, sizeof *child);
    if (!child)
        return diag_fail(diag, ERR_MEMORY, options->argv[0], NULL, "out of memory for a child process");
    *child = (struct child){.loop = loop, .done = done, .context = context, .pidfd = -1, .socket_fd = -1};
    child->out = (struct stream){.child = child, .fd = -1};
    child->err = (struct stream){.child = child, .fd = -1};
    child->grace_ns = options->grace_ns ? options->grace_ns : GRACE_DEFAULT_S * NS_PER_S;
    enum err error = start_supervisor(child, options, diag);
    if (error == ERR_OK)
        error = watch_all(child, diag);
    if (error != ERR_OK) {
        child_free(&child);
        return error;
    }
    if (options->timeout_ns)
        set_backstop(child, options->timeout_ns + backstop_after_ns(child));
    *out = child;
    return ERR_OK;
}

void child_stop(struct child *child)
{
    char order = SUPERVISOR_STOP;
    if (child->finished)
        return;
    child->stopping = true;
    (void)send(child->socket_fd, &order, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
    set_backstop(child, backstop_after_ns(child));
}

static bool wait_for_supervisor(const struct child *child, uint64_t at_most_ns)
{
    struct pollfd wait = {.fd = child->pidfd, .events = POLLIN};
    uint64_t until_ns = clock_monotonic_ns() + at_most_ns;
    for (uint64_t now_ns; (now_ns = clock_monotonic_ns()) < until_ns;) {
        if (poll(&wait, 1, (int)((until_ns - now_ns) / NS_PER_MS) + 1) == 1)
            return true;
    }
    return false;
}

/* The end of the socket orders the supervisor to kill the tree. */
static void end_now(struct child *child)
{
    if (child->stopping && wait_for_supervisor(child, child->grace_ns))
        return;
    fd_close(&child->socket_fd);
    if (wait_for_supervisor(child, (SUPERVISOR_TREE_BOUND_S + 1) * NS_PER_S))
        return;
    kill_supervisor(child);
    (void)wait_for_supervisor(child, BACKSTOP_S * NS_PER_S);
}

void child_free(struct child **child)
{
    struct child *self = *child;
    if (!self)
        return;
    loop_remove(self->loop, &self->socket_watch); /* before its descriptor is closed */
    if (!self->finished && self->pidfd >= 0) {
        end_now(self);
        reap_supervisor(self);
    }
    release(self);
    free(self);
    *child = NULL;
}

pid_t child_pid(const struct child *child)
{
    return child->program;
}

uint64_t child_resident_bytes(const struct child *child)
{
    return child->finished ? 0 : tree_resident_bytes(child->supervisor);
}

static void note_result(void *context, const struct child_result *result)
{
    *(struct child_result *)context = *result;
}

enum err child_run(struct child **out_child, struct child_result *result, const struct child_options *options,
                   struct diag *diag)
{
    AUTO(loop_free) struct loop *loop = NULL;
    struct child *child;
    TRY(loop_new(&loop, diag));
    TRY(child_start(&child, options, loop, note_result, result, diag));
    enum err error = ERR_OK;
    while (error == ERR_OK && !child->finished)
        error = loop_turn(loop, clock_monotonic_ns() + NS_PER_S, diag);
    if (error != ERR_OK) {
        child_free(&child);
        return error;
    }
    child->loop = NULL; /* it ends here; a finished child has no watch left */
    *out_child = child;
    return ERR_OK;
}
