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
    bool ended;
    char why[OUTCOME_TEXT_BYTES];
};

struct services {
    struct loop *loop;
    service_ended *ended;
    void *context;
    struct arena arena;
    struct running *items;
    size_t count; /* started ones */
    struct service_port *port_items;
    struct ports ports;
    bool ready; /* all are: from now on an end is reported */
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

static void on_end(void *context, const struct child_result *result)
{
    struct running *running = context;
    const struct services *services = running->services;
    running->ended = true;
    (void)outcome_text(running->why, result);
    if (services->ready)
        services->ended(services->context, running->service->name, running->why);
}

static enum err start_one(struct services *services, const struct service *service, const char *folder,
                          struct diag *diag)
{
    struct argv argv;
    if (service->kind)
        return diag_fail(diag, ERR_CONFIG, service->name, "give it a command", "services of kind '%s' are not built in",
                         service->kind);
    TRY(ports_fill_argv(&argv, &service->command, service->name, &services->ports, &services->arena, diag));
    struct running *running = &services->items[services->count];
    *running = (struct running){.services = services, .service = service};
    struct child_options options = {.argv = argv.items, .folder = folder};
    TRY(child_start(&running->child, &options, services->loop, on_end, running, diag));
    services->count++;
    return ERR_OK;
}

/* Without an address in the file the service's own port tells: pipeline_load makes sure that it uses it. */
static enum err is_ready(bool *out, const struct services *services, const struct running *running, struct diag *diag)
{
    AUTO(arena_fini) struct arena arena;
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

static enum err check_alive(const struct services *services, struct diag *diag)
{
    for (size_t i = 0; i < services->count; i++) {
        const struct running *running = &services->items[i];
        if (running->ended)
            return diag_fail(diag, ERR_PIPELINE, running->service->name, "try its command by hand", "the service %s",
                             running->why);
    }
    return ERR_OK;
}

static enum err wait_until_ready(struct services *services, const struct running *running, struct diag *diag)
{
    const struct service *service = running->service;
    uint64_t until_ns = clock_monotonic_ns() + service->ready_timeout_ns;
    for (bool ready = false;;) {
        TRY(loop_turn(services->loop, clock_monotonic_ns() + PROBE_EVERY_MS * NS_PER_MS, diag));
        TRY(check_alive(services, diag));
        TRY(is_ready(&ready, services, running, diag));
        if (ready)
            return ERR_OK;
        if (clock_monotonic_ns() >= until_ns)
            return diag_fail(diag, ERR_PIPELINE, service->name, "is 'ready' right, or 'ready_timeout' too short?",
                             "the service did not get ready within %.3g s%s%s", (double)service->ready_timeout_ns / 1e9,
                             service->ready ? ": no answer 200 at " : "", service->ready ? service->ready : "");
    }
}

static enum err start_all(struct services *services, const struct pipeline *pipeline, struct diag *diag)
{
    services->items = ARENA_ARRAY(&services->arena, struct running, pipeline->service_count);
    if (!services->items)
        return arena_exhausted(&services->arena, diag);
    TRY(choose_ports(services, pipeline, diag));
    for (size_t i = 0; i < pipeline->service_count; i++) {
        TRY(start_one(services, &pipeline->services[i], pipeline->folder, diag));
        TRY(wait_until_ready(services, &services->items[i], diag));
    }
    services->ready = true;
    return ERR_OK;
}

enum err services_start(struct services **out, const struct pipeline *pipeline, struct loop *loop, service_ended *ended,
                        void *context, struct diag *diag)
{
    struct services *services = calloc(1, sizeof *services);
    if (!services)
        return diag_fail(diag, ERR_MEMORY, NULL, NULL, "out of memory for the services");
    *services = (struct services){.loop = loop, .ended = ended, .context = context};
    arena_init(&services->arena, ARENA_LIMIT_BYTES);
    enum err error = start_all(services, pipeline, diag);
    if (error != ERR_OK) {
        services_stop(&services);
        return error;
    }
    *out = services;
    return ERR_OK;
}

void services_stop(struct services **services)
{
    struct services *self = *services;
    if (!self)
        return;
    self->ready = false;
    for (size_t i = 0; i < self->count; i++)
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
