/* SPDX-License-Identifier: Apache-2.0 */
#include "base/loop.h"

#include "base/clock.h"
#include "base/file.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { BATCH = 32 };

struct watch {
    struct watch *next;
    int fd; /* -1: a timer */
    bool removed;
    uint64_t at_ns, number; /* of a timer: when, and the how-manieth watch of the loop it is */
    watch_ready *ready;
    watch_timer *fire;
    void *context;
};

struct loop {
    int epoll_fd;
    int signal_fd;         /* -1: interrupts are not watched */
    struct watch *watches; /* newest first; timers among them: a lab has a handful */
    uint64_t made;
    bool dispatching; /* removed watches are kept until the turn ends: its events may still point to them */
};

enum err loop_new(struct loop **out, struct diag *diag)
{
    struct loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        return diag_fail(diag, ERR_MEMORY, NULL, NULL, "out of memory for the event loop");
    loop->signal_fd = -1;
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd < 0) {
        free(loop);
        return diag_errno(diag, ERR_INTERNAL, errno, NULL, "cannot make an event loop");
    }
    *out = loop;
    return ERR_OK;
}

void loop_free(struct loop **loop)
{
    if (!*loop)
        return;
    for (struct watch *watch = (*loop)->watches, *next; watch; watch = next) {
        next = watch->next;
        free(watch);
    }
    fd_close(&(*loop)->signal_fd);
    fd_close(&(*loop)->epoll_fd);
    free(*loop);
    *loop = NULL;
}

static enum err add(struct watch **out, struct loop *loop, const struct watch *values, struct diag *diag)
{
    struct watch *watch = malloc(sizeof *watch);
    if (!watch)
        return diag_fail(diag, ERR_MEMORY, NULL, NULL, "out of memory for a watch");
    *watch = *values;
    watch->number = ++loop->made;
    watch->next = loop->watches;
    loop->watches = watch;
    *out = watch;
    return ERR_OK;
}

enum err loop_watch(struct watch **out, struct loop *loop, int fd, uint32_t events, watch_ready *ready, void *context,
                    struct diag *diag)
{
    struct watch *watch;
    TRY(add(&watch, loop, &(struct watch){.fd = fd, .ready = ready, .context = context}, diag));
    struct epoll_event event = {.events = events, .data.ptr = watch};
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
        int error = errno;
        watch->fd = -1;
        loop_remove(loop, &watch);
        return diag_errno(diag, ERR_INTERNAL, error, NULL, "cannot watch a descriptor");
    }
    *out = watch;
    return ERR_OK;
}

enum err loop_watch_interrupts(struct loop *loop, watch_ready *ready, void *context, struct diag *diag)
{
    struct watch *watch;
    sigset_t set;
    assert(loop->signal_fd < 0);
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return diag_errno(diag, ERR_INTERNAL, errno, NULL, "cannot block signals");
    loop->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (loop->signal_fd < 0)
        return diag_errno(diag, ERR_INTERNAL, errno, NULL, "cannot watch signals");
    return loop_watch(&watch, loop, loop->signal_fd, EPOLLIN, ready, context, diag);
}

enum err loop_timer(struct watch **out, struct loop *loop, uint64_t at_ns, watch_timer *fire, void *context,
                    struct diag *diag)
{
    return add(out, loop, &(struct watch){.fd = -1, .at_ns = at_ns, .fire = fire, .context = context}, diag);
}

static void sweep(struct loop *loop)
{
    for (struct watch **at = &loop->watches; *at;) {
        struct watch *watch = *at;
        if (!watch->removed) {
            at = &watch->next;
            continue;
        }
        *at = watch->next;
        free(watch);
    }
}

void loop_remove(struct loop *loop, struct watch **watch)
{
    if (!*watch)
        return;
    if ((*watch)->fd >= 0)
        (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, (*watch)->fd, NULL);
    (*watch)->removed = true;
    *watch = NULL;
    if (!loop->dispatching)
        sweep(loop);
}

/* The timer that is due first; NULL when there is none. */
static struct watch *next_timer(const struct loop *loop)
{
    struct watch *first = NULL;
    for (struct watch *watch = loop->watches; watch; watch = watch->next) {
        bool earlier =
            !first || watch->at_ns < first->at_ns || (watch->at_ns == first->at_ns && watch->number < first->number);
        if (watch->fire && !watch->removed && earlier)
            first = watch;
    }
    return first;
}

/* Fires what is due now. A timer made meanwhile waits for the next turn, or one that renews itself would never end. */
static void fire_timers(struct loop *loop)
{
    uint64_t now_ns = clock_monotonic_ns(), made = loop->made;
    for (;;) {
        struct watch *timer = next_timer(loop);
        if (!timer || timer->at_ns > now_ns || timer->number > made)
            return;
        timer->removed = true;
        timer->fire(timer->context);
    }
}

static int wait_ms(const struct loop *loop, uint64_t deadline_ns)
{
    const struct watch *timer = next_timer(loop);
    uint64_t now_ns = clock_monotonic_ns(), until_ns = deadline_ns;
    if (timer && timer->at_ns < until_ns)
        until_ns = timer->at_ns;
    if (until_ns <= now_ns)
        return 0;
    uint64_t wait = (until_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS;
    return wait > 60000 ? 60000 : (int)wait;
}

enum err loop_turn(struct loop *loop, uint64_t deadline_ns, struct diag *diag)
{
    struct epoll_event events[BATCH];
    int count = epoll_wait(loop->epoll_fd, events, BATCH, wait_ms(loop, deadline_ns));
    if (count < 0 && errno != EINTR)
        return diag_errno(diag, ERR_INTERNAL, errno, NULL, "cannot wait for events");
    loop->dispatching = true;
    for (int i = 0; i < count; i++) {
        struct watch *watch = events[i].data.ptr;
        if (!watch->removed)
            watch->ready(watch->context, events[i].events);
    }
    fire_timers(loop);
    loop->dispatching = false;
    sweep(loop);
    return ERR_OK;
}
