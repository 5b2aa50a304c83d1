/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/client.h"

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"
#include "lab/broker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024 };

struct lab_client {
    int fd;
    struct sockaddr_un address;
    long long last_id;
    struct text in;
    json_t *answers; /* that nobody waited for yet, by id as text */
};

static enum err connect_to(struct lab_client *client, const char *path, struct diag *diag)
{
    client->address.sun_family = AF_UNIX;
    if (strlen(path) >= sizeof client->address.sun_path)
        return diag_fail(diag, ERR_CONFIG, path, NULL, "is too long for the path of a socket");
    (void)strcpy(client->address.sun_path, path);
    client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0 || connect(client->fd, (const struct sockaddr *)&client->address, sizeof client->address) < 0)
        return diag_errno(diag, ERR_IO, errno, path, "cannot reach the lab");
    return ERR_OK;
}

enum err lab_client_new(struct lab_client **out, const char *path, struct diag *diag)
{
    AUTO(lab_client_free) struct lab_client *client = calloc(1, sizeof *client);
    if (!client)
        return diag_fail(diag, ERR_MEMORY, NULL, NULL, "out of memory for a connection to the lab");
    client->fd = -1;
    text_init(&client->in, BROKER_UNREAD_BYTES);
    client->answers = json_object();
    path = path ? path : getenv("VENTURI_LAB");
    if (!path || !client->answers)
        return diag_fail(diag, ERR_CONFIG, NULL, "set VENTURI_LAB to the socket of a running lab", "no lab is named");
    TRY(connect_to(client, path, diag));
    *out = client;
    client = NULL;
    return ERR_OK;
}

void lab_client_free(struct lab_client **client)
{
    if (!*client)
        return;
    fd_close(&(*client)->fd);
    text_fini(&(*client)->in);
    json_decref((*client)->answers);
    free(*client);
    *client = NULL;
}

static enum err send_all(struct lab_client *client, const char *bytes, size_t count, struct diag *diag)
{
    while (count > 0) {
        ssize_t sent = send(client->fd, bytes, count, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return diag_errno(diag, ERR_IO, errno, client->address.sun_path, "the lab has gone");
        bytes += sent;
        count -= (size_t)sent;
    }
    return ERR_OK;
}

enum err lab_client_ask(long long *out_id, struct lab_client *client, const json_t *request, struct diag *diag)
{
    AUTO(json_release) json_t *numbered = json_copy((json_t *)request);
    if (!numbered || json_object_set_new(numbered, "id", json_integer(client->last_id + 1)) < 0)
        return diag_fail(diag, ERR_MEMORY, NULL, NULL, "out of memory for a request");
    char *line = json_line(numbered);
    if (!line)
        return diag_fail(diag, ERR_MEMORY, NULL, NULL, "out of memory for a request");
    size_t bytes = strlen(line);
    line[bytes] = '\n'; /* takes the place of the NUL */
    enum err error = bytes < BROKER_LINE_BYTES ? send_all(client, line, bytes + 1, diag)
                                               : diag_fail(diag, ERR_CONFIG, NULL, NULL, "a request has at most 1 MiB");
    free(line);
    TRY(error);
    *out_id = ++client->last_id;
    return ERR_OK;
}

static void id_text(char out[24], long long id)
{
    (void)snprintf(out, 24, "%lld", id);
}

static enum err keep_answer(struct lab_client *client, const char *line, size_t bytes, struct diag *diag)
{
    json_t *answer;
    char id[24];
    TRY(json_parse(&answer, line, bytes, client->address.sun_path, diag));
    id_text(id, json_integer_value(json_object_get(answer, "id")));
    if (!json_is_integer(json_object_get(answer, "id"))) {
        const char *why = json_string_or(json_object_get(answer, "error"), "message", "it sent no id");
        enum err error = diag_fail(diag, ERR_FORMAT, client->address.sun_path, NULL, "the lab hung up: %s", why);
        json_decref(answer);
        return error;
    }
    return json_object_set_new(client->answers, id, answer) == 0
               ? ERR_OK
               : diag_fail(diag, ERR_MEMORY, NULL, NULL, "out of memory for an answer");
}

static enum err read_more(struct lab_client *client, struct diag *diag)
{
    char bytes[READ_BYTES];
    ssize_t count = recv(client->fd, bytes, sizeof bytes, 0);
    if (count < 0 && errno == EINTR)
        return ERR_OK;
    if (count < 0)
        return diag_errno(diag, ERR_IO, errno, client->address.sun_path, "cannot read from the lab");
    if (count == 0)
        return diag_fail(diag, ERR_IO, client->address.sun_path, NULL, "the lab has gone");
    text_add_bytes(&client->in, bytes, (size_t)count);
    TRY(text_check(&client->in, diag));
    for (char *end; (end = memchr(client->in.data, '\n', client->in.length_bytes));) {
        size_t line = (size_t)(end - client->in.data);
        TRY(keep_answer(client, client->in.data, line, diag));
        client->in.length_bytes -= line + 1;
        memmove(client->in.data, end + 1, client->in.length_bytes + 1);
    }
    return ERR_OK;
}

static enum err open_answer(json_t **out_experiment, const json_t *answer, struct diag *diag)
{
    if (!json_is_true(json_object_get(answer, "ok"))) {
        const json_t *error = json_object_get(answer, "error");
        return diag_fail(diag, ERR_CONFIG, "lab", json_string_or(error, "hint", NULL), "%s",
                         json_string_or(error, "message", "the request was refused"));
    }
    TRY(json_get_object(out_experiment, answer, json_object_get(answer, "status") ? "status" : "experiment", diag));
    (void)json_incref(*out_experiment);
    return ERR_OK;
}

enum err lab_client_wait(json_t **out_experiment, struct lab_client *client, long long id, struct diag *diag)
{
    char key[24];
    id_text(key, id);
    json_t *answer;
    while (!(answer = json_object_get(client->answers, key)))
        TRY(read_more(client, diag));
    enum err error = open_answer(out_experiment, answer, diag);
    (void)json_object_del(client->answers, key);
    return error;
}
