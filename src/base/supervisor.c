/* SPDX-License-Identifier: Apache-2.0 */
#include "base/supervisor.h"

#include "base/clock.h"
#include "base/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SOCKET_FD = 3, EXIT_NOT_STARTED = 127, EXIT_UNTIDY = 1, POLL_TREE_MS = 5, RUSAGE_BLOCK_BYTES = 512 };
/* File pages that the fork touches before exec count as the program's; no program of interest is this small. */
#define FORK_NOISE_BYTES ((uint64_t)512 * 1024)

struct supervisor {
    const struct supervisor_task *task;
    bool in_namespace;
    int signal_fd;
    pid_t program;                   /* 0 once it is reaped */
    uint64_t kill_at_ns, stop_at_ns; /* UINT64_MAX = not planned */
    bool timed_out, kill_now;
    uint64_t fork_bytes; /* our resident memory when we forked */
};

static void report(const struct supervisor_report *report)
{
    (void)send(SOCKET_FD, report, sizeof *report, MSG_NOSIGNAL | MSG_DONTWAIT);
}

_Noreturn static void fail_start(int error)
{
    report(&(struct supervisor_report){.event = SUPERVISED_NOT_STARTED, .code = error, .at_ns = clock_monotonic_ns()});
    _exit(EXIT_NOT_STARTED);
}

/* stdin is empty, stdout and stderr as asked, the socket at SOCKET_FD, nothing else open. */
static void arrange_descriptors(const struct supervisor_task *task)
{
    int socket_fd = fcntl(task->socket_fd, F_DUPFD_CLOEXEC, SOCKET_FD + 1);
    int out_fd = task->out_fd < 0 ? -1 : fcntl(task->out_fd, F_DUPFD_CLOEXEC, SOCKET_FD + 1);
    int err_fd = task->err_fd < 0 ? -1 : fcntl(task->err_fd, F_DUPFD_CLOEXEC, SOCKET_FD + 1);
    int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (dup3(socket_fd, SOCKET_FD, O_CLOEXEC) < 0)
        _exit(EXIT_NOT_STARTED);
    if (null_fd < 0 || (null_fd != STDIN_FILENO && dup2(null_fd, STDIN_FILENO) < 0) ||
        (out_fd >= 0 && dup2(out_fd, STDOUT_FILENO) < 0) || (err_fd >= 0 && dup2(err_fd, STDERR_FILENO) < 0))
        fail_start(errno);
    (void)syscall(SYS_close_range, SOCKET_FD + 1, ~0U, 0); /* an old kernel has none: our descriptors are CLOEXEC */
}

/* A kernel sigaction of zeros is SIG_DFL. Not through signal(): glibc keeps 32 and 33 to itself, and a parent that
 * ignored them would pass that on. */
static const unsigned long default_action[4];

_Noreturn static void become_program(const struct supervisor_task *task, pid_t supervisor_pid)
{
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != supervisor_pid)
        _exit(EXIT_NOT_STARTED);
    for (int number = 1; number < NSIG; number++)
        (void)syscall(SYS_rt_sigaction, number, default_action, NULL, NSIG / 8);
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (task->folder && chdir(task->folder) < 0)
        fail_start(errno);
    environ = (char **)task->env;
    report(&(struct supervisor_report){.event = SUPERVISED_STARTED, .at_ns = clock_monotonic_ns()});
    (void)execvp(task->argv[0], task->argv);
    fail_start(errno);
}

static uint64_t time_ns(const struct timeval *time)
{
    return (uint64_t)time->tv_sec * NS_PER_S + (uint64_t)time->tv_usec * 1000;
}

static void report_end(const struct supervisor *self, int status, const struct rusage *usage, uint64_t now_ns)
{
    uint64_t peak_bytes = (uint64_t)usage->ru_maxrss * 1024;
    report(&(struct supervisor_report){
        .event = SUPERVISED_ENDED,
        .code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
        .signalled = WIFSIGNALED(status),
        .timed_out = self->timed_out,
        .at_ns = now_ns,
        .cpu_ns = time_ns(&usage->ru_utime) + time_ns(&usage->ru_stime),
        .read_bytes = (uint64_t)usage->ru_inblock * RUSAGE_BLOCK_BYTES,
        .written_bytes = (uint64_t)usage->ru_oublock * RUSAGE_BLOCK_BYTES,
        .peak_bytes = peak_bytes > self->fork_bytes + FORK_NOISE_BYTES ? peak_bytes : 0,
    });
}

/* Reaps whoever ended: the program, and orphans that came to us. False when we have no child left. */
static bool reap(struct supervisor *self, uint64_t now_ns)
{
    for (;;) {
        int status;
        struct rusage usage;
        pid_t pid = wait4(-1, &status, WNOHANG, &usage);
        if (pid <= 0)
            return pid == 0 || errno != ECHILD;
        if (pid != self->program)
            continue;
        self->program = 0;
        report_end(self, status, &usage, now_ns);
    }
}

/* Kills our children; orphans of those become our children in turn (subreaper). */
static void kill_children(void)
{
    char text[4096];
    int fd = tree_is_visible() ? open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC) : -1;
    ssize_t count = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        (void)close(fd);
    text[count > 0 ? count : 0] = '\0';
    const char *next = text;
    /* A number without a space behind it may be cut: the next round sees it whole. */
    for (const char *space; (space = strchr(next, ' ')); next = space + 1)
        tree_kill_group((pid_t)strtol(next, NULL, 10));
}

/* False when time was up before nobody was left. */
static bool kill_tree(struct supervisor *self)
{
    uint64_t now_ns = clock_monotonic_ns(), until_ns = now_ns + SUPERVISOR_TREE_BOUND_S * NS_PER_S;
    while (reap(self, now_ns)) {
        if (now_ns >= until_ns)
            return false;
        if (self->program)
            tree_kill_group(self->program);
        if (self->in_namespace)
            (void)kill(-1, SIGKILL);
        else
            kill_children();
        struct pollfd wait = {.fd = self->signal_fd, .events = POLLIN};
        (void)poll(&wait, 1, POLL_TREE_MS);
        struct signalfd_siginfo info;
        (void)!read(self->signal_fd, &info, sizeof info);
        now_ns = clock_monotonic_ns();
    }
    return true;
}

/* TERM for the program's group, woken should it be stopped; KILL after the grace. */
static void stop_program(struct supervisor *self, uint64_t now_ns)
{
    self->stop_at_ns = UINT64_MAX;
    self->kill_at_ns = now_ns + self->task->grace_ns;
    if (kill(-self->program, SIGTERM) < 0)
        (void)kill(self->program, SIGTERM);
    if (kill(-self->program, SIGCONT) < 0)
        (void)kill(self->program, SIGCONT);
}

static void read_socket(struct supervisor *self, uint64_t now_ns)
{
    char order;
    ssize_t count = recv(SOCKET_FD, &order, 1, MSG_DONTWAIT);
    if (count == 1 && order == SUPERVISOR_STOP && self->kill_at_ns == UINT64_MAX)
        stop_program(self, now_ns);
    else if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR))
        self->kill_now = true; /* venturi is gone, or let go of us */
}

static void read_signal(struct supervisor *self, uint64_t now_ns)
{
    struct signalfd_siginfo info;
    if (read(self->signal_fd, &info, sizeof info) == sizeof info && info.ssi_signo == SIGTERM)
        self->kill_now = true; /* venturi died: PR_SET_PDEATHSIG */
    (void)reap(self, now_ns);
}

static int wait_ms(const struct supervisor *self)
{
    uint64_t at_ns = self->kill_at_ns < self->stop_at_ns ? self->kill_at_ns : self->stop_at_ns;
    if (at_ns == UINT64_MAX)
        return -1; /* the program may take its time; its end, venturi's end and orders wake us */
    uint64_t now_ns = clock_monotonic_ns();
    if (at_ns <= now_ns)
        return 0;
    uint64_t wait = (at_ns - now_ns) / NS_PER_MS + 1;
    return wait > 60000 ? 60000 : (int)wait;
}

static void watch_program(struct supervisor *self)
{
    while (self->program && !self->kill_now) {
        struct pollfd waits[] = {{.fd = self->signal_fd, .events = POLLIN}, {.fd = SOCKET_FD, .events = POLLIN}};
        int ready = poll(waits, 2, wait_ms(self));
        uint64_t now_ns = clock_monotonic_ns();
        if (ready > 0 && waits[0].revents)
            read_signal(self, now_ns);
        if (ready > 0 && waits[1].revents)
            read_socket(self, now_ns);
        if (self->program && now_ns >= self->stop_at_ns) {
            self->timed_out = true;
            stop_program(self, now_ns);
        }
        if (now_ns >= self->kill_at_ns)
            self->kill_now = true;
    }
}

/* Every signal waits, so that nothing ends us between two steps; the two that matter are read from a descriptor. */
static void block_signals(void)
{
    sigset_t all;
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, NULL);
    (void)signal(SIGCHLD, SIG_DFL); /* ignored, it would reap the program behind our back */
}

static int open_signals(void)
{
    sigset_t ours;
    (void)sigemptyset(&ours);
    (void)sigaddset(&ours, SIGCHLD);
    (void)sigaddset(&ours, SIGTERM);
    return signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Resident memory at this moment, as /proc/self/statm says it: pages in the second field. */
static uint64_t resident_bytes(void)
{
    char text[128];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t count = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        (void)close(fd);
    text[count > 0 ? count : 0] = '\0';
    const char *field = strchr(text, ' ');
    return field ? strtoull(field, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

_Noreturn static void supervise(const struct supervisor_task *task, bool in_namespace)
{
    (void)prctl(PR_SET_PDEATHSIG, in_namespace ? SIGKILL : SIGTERM); /* a parent that died before: the socket says so */
    (void)setsid(); /* no terminal: its Ctrl-C is for venturi, and nobody asks for passwords */
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    block_signals();
    arrange_descriptors(task);
    struct supervisor self = {.task = task, .in_namespace = in_namespace, .kill_at_ns = UINT64_MAX};
    self.signal_fd = open_signals();
    if (self.signal_fd < 0)
        fail_start(errno);
    self.fork_bytes = resident_bytes();
    self.stop_at_ns = task->timeout_ns ? clock_monotonic_ns() + task->timeout_ns : UINT64_MAX;
    pid_t own_pid = getpid();
    self.program = _Fork();
    if (self.program == 0)
        become_program(task, own_pid);
    if (self.program < 0)
        fail_start(errno);
    watch_program(&self);
    _exit(kill_tree(&self) ? 0 : EXIT_UNTIDY);
}

/* As fork, in the supervisor it does not return. */
static long clone_supervisor(int *pidfd, const struct supervisor_task *task, int namespace_flag)
{
    int fd = -1;
    long pid = syscall(SYS_clone, CLONE_PIDFD | SIGCHLD | namespace_flag, NULL, &fd, NULL, NULL);
    if (pid == 0)
        supervise(task, namespace_flag != 0);
    if (pid > 0) /* a clone that fails late may have written a number that is closed again */
        *pidfd = fd;
    return pid;
}

enum err supervisor_start(pid_t *pid, int *pidfd, bool *in_namespace, const struct supervisor_task *task,
                          struct diag *diag)
{
    long cloned = clone_supervisor(pidfd, task, CLONE_NEWPID);
    *in_namespace = cloned > 0;
    bool refused = errno == EPERM || errno == EINVAL || errno == ENOSPC || errno == EUSERS;
    if (cloned < 0 && refused)
        cloned = clone_supervisor(pidfd, task, 0);
    if (cloned < 0)
        return diag_fail(diag, errno == ENOMEM ? ERR_MEMORY : ERR_INTERNAL, task->argv[0],
                         errno == EAGAIN ? "too many processes: see `ulimit -u`" : NULL,
                         "cannot start a supervisor process: %s", strerror(errno));
    *pid = (pid_t)cloned;
    return ERR_OK;
}
