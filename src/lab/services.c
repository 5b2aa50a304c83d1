/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/services.h"

#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "lab/outcome.h"
#include "lab/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PROBE_EVERY_MS = 10 };
#define ARENA_LIMIT_BYTES ((size_t)16 * 1024 * 1024)

struct running {
    struct services *services;
    const struct service *service;
    struct child *child;
    bool ended, ready;
    bool stopping; /* it ends because we want it to, and is started again then */
    uint64_t until_ns;
    char why[OUTCOME_TEXT_BYTES];
};

struct services {
    struct loop *loop;
    struct services_watcher watcher;
    const char *folder; /* of the pipeline */
    struct arena arena;
    struct running *items;
    size_t count;
    struct service_port *port_items;
    struct ports ports;
    bool starting;       /* not all are ready yet */
    bool started;        /* all were, once: from now on the watcher is told */
    struct watch *timer; /* looks at those that start */
    enum err error;      /* of the start */
    struct diag diag;
};

/* A port that is free now; the socket keeps it until it is closed. */
static enum err reserve_port(int *out_fd, unsigned *out_port, struct diag *diag)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *out_fd = fd;
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) < 0)
        return diag_errno(diag, ERR_INTERNAL, errno, "127.0.0.1", "cannot find a free port");
    *out_port = ntohs(address.sin_port);
    return ERR_OK;
}

/* All are reserved before the first is let go, so that no two services get the same. */
static enum err choose_ports(struct services *services, const struct pipeline *pipeline, struct diag *diag)
{
    size_t count = pipeline->service_count, reserved = 0;
    enum err error = ERR_OK;
    int *fds = ARENA_ARRAY(&services->arena, int, count);
    services->port_items = ARENA_ARRAY(&services->arena, struct service_port, count);
    if (!fds || !services->port_items)
        return arena_exhausted(&services->arena, diag);
    for (; reserved < count && error == ERR_OK; reserved++) {
        services->port_items[reserved].service = pipeline->services[reserved].name;
        error = reserve_port(&fds[reserved], &services->port_items[reserved].port, diag);
    }
    for (size_t i = 0; i < reserved; i++)
        fd_close(&fds[i]);
    services->ports = (struct ports){.items = services->port_items, .count = count};
    return error;
}

static void advance(void *context);

static void settle(struct services *services, enum err error)
{
    services->error = error;
    services->starting = false;
    if (services->started)
        services->watcher.restarted(services->watcher.context, error, &services->diag);
}

static void look_again(struct services *services, uint64_t after_ns)
{
    loop_remove(services->loop, &services->timer);
    enum err error = loop_timer(&services->timer, services->loop, clock_monotonic_ns() + after_ns, advance, services,
                                &services->diag);
    if (error != ERR_OK)
        settle(services, error);
}

static void on_end(void *context, const struct child_result *result)
{
    struct running *running = context;
    struct services *services = running->services;
    running->ended = true;
    (void)outcome_text(running->why, result);
    if (services->starting)
        look_again(services, 0);
    else if (services->started)
        services->watcher.ended(services->watcher.context, running->service->name, running->why,
                                running->service->restart == RESTART_NEVER);
}

static enum err start_one(struct running *running, struct diag *diag)
{
    struct services *services = running->services;
    const struct service *service = running->service;
    struct argv argv;
    if (service->kind)
        return diag_fail(diag, ERR_CONFIG, service->name, "give it a command", "services of kind '%s' are not built in",
                         service->kind);
    AUTO(arena_fini) struct arena arena;
    arena_init(&arena, ARENA_LIMIT_BYTES);
    TRY(ports_fill_argv(&argv, &service->command, service->name, &services->ports, &arena, diag));
    struct child_options options = {.argv = argv.items, .folder = services->folder};
    child_free(&running->child); /* of its last life */
    running->ended = running->stopping = false;
    running->until_ns = clock_monotonic_ns() + service->ready_timeout_ns;
    return child_start(&running->child, &options, services->loop, on_end, running, diag);
}

/* Without an address in the file the service's own port tells: pipeline_load makes sure that it uses it. */
static enum err is_ready(bool *out, const struct running *running, struct diag *diag)
{
    AUTO(arena_fini) struct arena arena;
    const struct services *services = running->services;
    const struct service *service = running->service;
    const char *url;
    arena_init(&arena, ARENA_LIMIT_BYTES);
    if (!service->ready) {
        *out = probe_port(services->port_items[running - services->items].port);
        return ERR_OK;
    }
    TRY(ports_fill_text(&url, service->ready, service->name, &services->ports, &arena, diag));
    *out = probe_url(url);
    return ERR_OK;
}

/* One that starts is looked at: is it there, is it too late? */
static enum err look_at(struct running *running, struct diag *diag)
{
    const struct service *service = running->service;
    TRY(is_ready(&running->ready, running, diag));
    if (running->ready || clock_monotonic_ns() < running->until_ns)
        return ERR_OK;
    return diag_fail(diag, ERR_PIPELINE, service->name, "is 'ready' right, or 'ready_timeout' too short?",
                     "the service did not get ready within %.3g s%s%s", (double)service->ready_timeout_ns / 1e9,
                     service->ready ? ": no answer 200 at " : "", service->ready ? service->ready : "");
}

/* Each starts when the one before is ready. *out_wait: there is nothing to do before something ends or time passes. */
static enum err advance_one(bool *out_wait, struct running *running, struct diag *diag)
{
    *out_wait = true;
    if (running->stopping && !running->ended)
        return ERR_OK;
    if (running->stopping || !running->child)
        return start_one(running, diag);
    if (running->ended)
        return diag_fail(diag, ERR_PIPELINE, running->service->name, "try its command by hand", "the service %s",
                         running->why);
    if (!running->ready)
        TRY(look_at(running, diag));
    *out_wait = !running->ready;
    return ERR_OK;
}

static void advance(void *context)
{
    struct services *services = context;
    enum err error = ERR_OK;
    bool wait = false;
    services->timer = NULL;
    for (size_t i = 0; i < services->count && !wait && error == ERR_OK; i++)
        error = advance_one(&wait, &services->items[i], &services->diag);
    if (wait && error == ERR_OK)
        look_again(services, PROBE_EVERY_MS * NS_PER_MS);
    else
        settle(services, error);
}

static enum err start_all(struct services *services, const struct pipeline *pipeline, struct diag *diag)
{
    services->items = ARENA_ARRAY(&services->arena, struct running, pipeline->service_count);
    if (!services->items)
        return arena_exhausted(&services->arena, diag);
    TRY(choose_ports(services, pipeline, diag));
    for (; services->count < pipeline->service_count; services->count++)
        services->items[services->count] =
            (struct running){.services = services, .service = &pipeline->services[services->count]};
    services->starting = true;
    look_again(services, 0);
    while (services->starting)
        TRY(loop_turn(services->loop, clock_monotonic_ns() + NS_PER_S, diag));
    services->started = services->error == ERR_OK;
    if (!services->started)
        *diag = services->diag;
    return services->error;
}

enum err services_start(struct services **out, const struct pipeline *pipeline, struct loop *loop,
                        const struct services_watcher *watcher, struct diag *diag)
{
    struct services *services = calloc(1, sizeof *services);
    if (!services)
        return diag_fail(diag, ERR_MEMORY, NULL, NULL, "out of memory for the services");
    *services = (struct services){.loop = loop, .watcher = *watcher, .folder = pipeline->folder};
    arena_init(&services->arena, ARENA_LIMIT_BYTES);
    enum err error = start_all(services, pipeline, diag);
    if (error != ERR_OK) {
        services_stop(&services);
        return error;
    }
    *out = services;
    return ERR_OK;
}

bool services_restart(struct services *services)
{
    bool any = false;
    for (size_t i = 0; i < services->count; i++) {
        struct running *running = &services->items[i];
        if (running->service->restart != RESTART_ROUND)
            continue;
        any = running->stopping = true;
        running->ready = false;
        child_stop(running->child);
    }
    services->starting |= any;
    if (any)
        look_again(services, 0);
    return any;
}

void services_stop(struct services **services)
{
    struct services *self = *services;
    if (!self)
        return;
    self->started = self->starting = false; /* nobody is told of what we end ourselves */
    loop_remove(self->loop, &self->timer);
    for (size_t i = 0; i < self->count; i++)
        if (self->items[i].child)
            child_stop(self->items[i].child);
    for (size_t i = self->count; i > 0; i--)
        child_free(&self->items[i - 1].child);
    arena_fini(&self->arena);
    free(self);
    *services = NULL;
}

const struct ports *services_ports(const struct services *services)
{
    return &services->ports;
}
