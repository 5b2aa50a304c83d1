/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/broker.h"

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024, BACKLOG = 32 };

struct broker_client {
    struct broker *broker;
    struct broker_client *next;
    int fd;
    pid_t pid;
    struct watch *watch;
    uint32_t events; /* that the watch waits for */
    struct text in, out;
    size_t sent_bytes; /* of out */
    bool silent;       /* it will send no more, but reads: a script whose requests came from a pipe */
    bool closing;      /* nothing more is read; it ends when `out` is sent */
    bool broken;       /* it ends at the next turn */
};

struct broker {
    struct loop *loop;
    struct broker_handler handler;
    struct broker_client *clients;
    size_t client_count;
    int fd;
    struct watch *accepting, *burying;
    struct sockaddr_un address;
    char private_folder[64]; /* "" when the socket stands in the lab's folder */
};

static void client_free(struct broker_client *client)
{
    loop_remove(client->broker->loop, &client->watch);
    fd_close(&client->fd);
    text_fini(&client->in);
    text_fini(&client->out);
    free(client);
}

static void bury(void *context)
{
    struct broker *broker = context;
    broker->burying = NULL;
    for (struct broker_client **at = &broker->clients; *at;) {
        struct broker_client *client = *at;
        if (!client->broken) {
            at = &client->next;
            continue;
        }
        *at = client->next;
        broker->client_count--;
        broker->handler.gone(broker->handler.context, client);
        client_free(client);
    }
}

/* From the loop, never at once: whoever sends an answer must not lose the client meanwhile. */
static void end_client(struct broker_client *client)
{
    struct broker *broker = client->broker;
    struct diag unused;
    client->broken = true;
    loop_remove(broker->loop, &client->watch);
    if (!broker->burying && loop_timer(&broker->burying, broker->loop, 0, bury, broker, &unused) != ERR_OK)
        broker->burying = NULL; /* it stays silent until the next one ends */
}

static void on_client(void *context, uint32_t events);

/* Waits for what can happen next; the hang-up is always among it. */
static void rearm(struct broker_client *client)
{
    struct diag unused;
    uint32_t events = client->silent || client->closing ? 0 : EPOLLIN;
    events |= client->sent_bytes < client->out.length_bytes ? EPOLLOUT : 0U;
    if (client->broken || (client->watch && client->events == events))
        return;
    loop_remove(client->broker->loop, &client->watch);
    client->events = events;
    if (loop_watch(&client->watch, client->broker->loop, client->fd, events, on_client, client, &unused) != ERR_OK)
        end_client(client);
}

/* What was sent makes room for what is added. */
static void drop_sent(struct broker_client *client)
{
    struct text *out = &client->out;
    if (client->sent_bytes == 0)
        return;
    out->length_bytes -= client->sent_bytes;
    memmove(out->data, out->data + client->sent_bytes, out->length_bytes + 1);
    client->sent_bytes = 0;
}

static void flush(struct broker_client *client)
{
    bool full = false;
    while (!full && !client->broken && client->sent_bytes < client->out.length_bytes) {
        ssize_t count = send(client->fd, client->out.data + client->sent_bytes,
                             client->out.length_bytes - client->sent_bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
        full = count < 0 && errno == EAGAIN;
        if (count < 0 && !full && errno != EINTR)
            end_client(client);
        client->sent_bytes += count > 0 ? (size_t)count : 0;
    }
    if (!full)
        drop_sent(client);
    if (!full && client->closing)
        end_client(client);
    rearm(client);
}

void broker_send(struct broker_client *client, const json_t *answer)
{
    struct diag unused;
    char *line = json_line(answer);
    if (client->broken || client->closing) {
        free(line);
        return;
    }
    drop_sent(client);
    if (line) {
        text_add(&client->out, line);
        text_add(&client->out, "\n");
    }
    if (!line || text_check(&client->out, &unused) != ERR_OK)
        end_client(client);
    else
        flush(client);
    free(line);
}

pid_t broker_client_pid(const struct broker_client *client)
{
    return client->pid;
}

/* The client does not speak the protocol: say so and hang up. */
static void refuse(struct broker_client *client, const char *why)
{
    AUTO(json_release)
    json_t *answer = json_pack("{s:n, s:b, s:{s:s, s:s}}", "id", "ok", 0, "error", "code", "protocol", "message", why);
    if (client->broken || client->closing)
        return;
    if (answer)
        broker_send(client, answer);
    client->closing = true;
    text_clear(&client->in);
    flush(client);
}

static void take_line(struct broker_client *client, const char *line, size_t bytes)
{
    struct diag diag = {0};
    AUTO(json_release) json_t *request = NULL;
    if (json_parse(&request, line, bytes, "", &diag) != ERR_OK)
        refuse(client, diag.what);
    else if (!json_is_object(request) || !json_is_integer(json_object_get(request, "id")))
        refuse(client, "a request is an object with a whole number 'id'");
    else
        client->broker->handler.ask(client->broker->handler.context, client, request);
}

static void take_lines(struct broker_client *client)
{
    struct text *in = &client->in;
    size_t done = 0;
    const char *end;
    while (!client->broken && !client->closing && in->data &&
           (end = memchr(in->data + done, '\n', in->length_bytes - done))) {
        size_t bytes = (size_t)(end - in->data) - done;
        take_line(client, in->data + done, bytes);
        done += bytes + 1;
    }
    if (client->broken || client->closing || !in->data || done == 0)
        return;
    in->length_bytes -= done;
    memmove(in->data, in->data + done, in->length_bytes + 1);
}

static void read_client(struct broker_client *client, uint32_t events)
{
    char bytes[READ_BYTES];
    struct diag unused;
    ssize_t count = recv(client->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (count < 0 || (count == 0 && events & EPOLLHUP)) {
        end_client(client);
        return;
    }
    client->silent = count == 0;
    text_add_bytes(&client->in, bytes, (size_t)count);
    take_lines(client);
    if (text_check(&client->in, &unused) != ERR_OK || client->in.length_bytes > BROKER_LINE_BYTES)
        refuse(client, "a request has at most 1 MiB");
    rearm(client);
}

static void on_client(void *context, uint32_t events)
{
    struct broker_client *client = context;
    if (events & EPOLLIN && !client->closing)
        read_client(client, events);
    else if (events & (EPOLLHUP | EPOLLERR))
        end_client(client);
    if (events & EPOLLOUT && !client->broken)
        flush(client);
}

static void add_client(struct broker *broker, int fd)
{
    struct ucred peer = {0};
    socklen_t length = sizeof peer;
    struct broker_client *client = calloc(1, sizeof *client);
    if (!client || broker->client_count == BROKER_CLIENTS_MAX) {
        free(client);
        fd_close(&fd);
        return;
    }
    (void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length);
    *client = (struct broker_client){.broker = broker, .fd = fd, .pid = peer.pid, .next = broker->clients};
    text_init(&client->in, BROKER_LINE_BYTES + READ_BYTES);
    text_init(&client->out, BROKER_UNREAD_BYTES);
    broker->clients = client;
    broker->client_count++;
    rearm(client);
}

static void on_listen(void *context, uint32_t events)
{
    (void)events;
    struct broker *broker = context;
    int fd = accept4(broker->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0)
        add_client(broker, fd);
}

/* A socket's path has at most 107 bytes; a deep folder gets a short private one beside it. */
static enum err choose_path(struct broker *broker, const char *folder, struct diag *diag)
{
    char *path = broker->address.sun_path;
    if (snprintf(path, sizeof broker->address.sun_path, "%s/socket", folder) < (int)sizeof broker->address.sun_path)
        return ERR_OK;
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    bool usable = runtime && strlen(runtime) < 40 && access(runtime, W_OK) == 0;
    (void)snprintf(broker->private_folder, sizeof broker->private_folder, "%s/venturi-XXXXXX",
                   usable ? runtime : "/tmp");
    if (!mkdtemp(broker->private_folder)) {
        int error = errno;
        broker->private_folder[0] = '\0';
        return diag_errno(diag, ERR_IO, error, usable ? runtime : "/tmp", "cannot make a folder for the lab's socket");
    }
    (void)snprintf(path, sizeof broker->address.sun_path, "%s/socket", broker->private_folder);
    return ERR_OK;
}

static enum err listen_at(struct broker *broker, const char *folder, struct diag *diag)
{
    broker->address.sun_family = AF_UNIX;
    TRY(choose_path(broker, folder, diag));
    (void)unlink(broker->address.sun_path); /* of a lab that was killed; the folder's lock is ours */
    broker->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (broker->fd < 0)
        return diag_errno(diag, ERR_INTERNAL, errno, NULL, "cannot make a socket");
    /* Before bind, so that there is no moment at which others may connect. */
    if (fchmod(broker->fd, 0600) < 0 ||
        bind(broker->fd, (struct sockaddr *)&broker->address, sizeof broker->address) < 0 ||
        listen(broker->fd, BACKLOG) < 0)
        return diag_errno(diag, ERR_IO, errno, broker->address.sun_path, "cannot listen");
    return loop_watch(&broker->accepting, broker->loop, broker->fd, EPOLLIN, on_listen, broker, diag);
}

enum err broker_new(struct broker **out, const char *folder, const struct broker_handler *handler, struct loop *loop,
                    struct diag *diag)
{
    struct broker *broker = calloc(1, sizeof *broker);
    if (!broker)
        return diag_fail(diag, ERR_MEMORY, NULL, NULL, "out of memory for the lab's socket");
    *broker = (struct broker){.loop = loop, .handler = *handler, .fd = -1};
    enum err error = listen_at(broker, folder, diag);
    if (error != ERR_OK) {
        broker_free(&broker);
        return error;
    }
    *out = broker;
    return ERR_OK;
}

void broker_free(struct broker **broker)
{
    struct broker *self = *broker;
    if (!self)
        return;
    loop_remove(self->loop, &self->accepting);
    loop_remove(self->loop, &self->burying);
    for (struct broker_client *client = self->clients, *next; client; client = next) {
        next = client->next;
        client_free(client);
    }
    if (self->fd >= 0)
        (void)unlink(self->address.sun_path);
    fd_close(&self->fd);
    if (self->private_folder[0])
        (void)rmdir(self->private_folder);
    free(self);
    *broker = NULL;
}

const char *broker_path(const struct broker *broker)
{
    return broker->address.sun_path;
}
