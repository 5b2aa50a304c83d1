/* SPDX-License-Identifier: Apache-2.0 */
#include "cdn/server.h"

#include "cdn/range.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE_BYTES = 16 * 1024, IDLE_TIMEOUT_S = 60 };

struct server {
    struct MHD_Daemon *daemon;
    int folder;
    unsigned connections_max;
    struct stop stop;
    struct link link;
    pthread_mutex_t mutex;
    unsigned seated; /* connections that hold one of the places */
};

/* What is known of a connection between its requests. */
struct visitor {
    bool paid;   /* the cost of the new connection */
    bool seated; /* holds a place until it closes */
};

/* An open file on its way out. */
struct body {
    int file;
    int socket;
    uint64_t first;
    struct transfer transfer;
};

/* A place for this connection, if there is one left. */
static bool take_seat(struct server *server, struct visitor *visitor)
{
    pthread_mutex_lock(&server->mutex);
    if (!visitor->seated && (server->connections_max == 0 || server->seated < server->connections_max)) {
        visitor->seated = true;
        server->seated++;
    }
    pthread_mutex_unlock(&server->mutex);
    return visitor->seated;
}

static void leave_seat(struct server *server, const struct visitor *visitor)
{
    pthread_mutex_lock(&server->mutex);
    server->seated -= visitor->seated;
    pthread_mutex_unlock(&server->mutex);
}

static void connection_changed(void *context, struct MHD_Connection *connection, void **socket_context,
                               enum MHD_ConnectionNotificationCode code)
{
    (void)connection;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *socket_context = calloc(1, sizeof(struct visitor));
    } else if (*socket_context != NULL) {
        leave_seat(context, *socket_context);
        free(*socket_context);
        *socket_context = NULL;
    }
}

static struct visitor *visitor_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info == NULL ? NULL : info->socket_context;
}

static int socket_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info == NULL ? -1 : info->connect_fd;
}

static void body_free(void *context)
{
    struct body *body = context;
    close(body->file);
    free(body);
}

/* Closing with a linger of 0 sends a reset instead of an orderly end. */
static ssize_t break_connection(const struct body *body)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    setsockopt(body->socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

static ssize_t body_read(void *context, uint64_t at, char *buffer, size_t room)
{
    struct body *body = context;
    ssize_t count = pread(body->file, buffer, room, (off_t)(body->first + at));
    if (count <= 0 || !link_pass(&body->transfer, at, (size_t)count))
        return break_connection(body);
    return count;
}

static enum MHD_Result answer_text(struct MHD_Connection *connection, unsigned status, const char *text,
                                   const char *header, const char *value)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
    if (response == NULL)
        return MHD_NO;
    if (header != NULL)
        MHD_add_response_header(response, header, value);
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

/* A regular file directly inside the folder, or -1: no path, no hidden name, no link. */
static int open_file(struct stat *info, const struct server *server, const char *url)
{
    const char *name = url + 1;
    if (url[0] != '/' || name[0] == '\0' || name[0] == '.' || strchr(name, '/') != NULL)
        return -1;
    int file = openat(server->folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file >= 0 && (fstat(file, info) != 0 || !S_ISREG(info->st_mode))) {
        close(file);
        return -1;
    }
    return file;
}

static void file_tag(char tag[64], const struct stat *info)
{
    snprintf(tag, 64, "\"%llx-%llx-%lx\"", (unsigned long long)info->st_size, (unsigned long long)info->st_mtim.tv_sec,
             (unsigned long)info->st_mtim.tv_nsec);
}

/* The range asked for, unless If-Range names another version of the file (RFC 9110, section 13.1.5). */
static enum range_answer wanted_range(struct range *range, struct MHD_Connection *connection, uint64_t size,
                                      const char *tag)
{
    const char *header = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_RANGE);
    const char *only_if = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_IF_RANGE);
    return range_read(range, only_if != NULL && strcmp(only_if, tag) != 0 ? NULL : header, size);
}

static void describe(struct MHD_Response *response, const struct range *range, enum range_answer answer, uint64_t size,
                     const char *tag)
{
    char text[96];
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/octet-stream");
    MHD_add_response_header(response, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
    MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, tag);
    if (answer == RANGE_PART) {
        snprintf(text, sizeof text, "bytes %llu-%llu/%llu", (unsigned long long)range->first,
                 (unsigned long long)(range->first + range->count - 1), (unsigned long long)size);
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_RANGE, text);
    }
}

/* Takes `file` over. */
static enum MHD_Result send_file(struct server *server, struct MHD_Connection *connection, struct visitor *visitor,
                                 int file, const struct stat *info)
{
    struct range range;
    char tag[64];
    uint64_t size = (uint64_t)info->st_size;
    file_tag(tag, info);
    enum range_answer answer = wanted_range(&range, connection, size, tag);
    struct body *body = calloc(1, sizeof *body);
    if (body == NULL) {
        close(file);
        return MHD_NO;
    }
    *body = (struct body){.file = file, .socket = socket_of(connection), .first = range.first};
    bool begun = link_begin(&body->transfer, &server->link, !visitor->paid, range.count);
    visitor->paid = true;
    if (!begun || answer == RANGE_UNSATISFIABLE) {
        body_free(body);
        return begun ? answer_text(connection, MHD_HTTP_RANGE_NOT_SATISFIABLE, "no such range\n", NULL, NULL) : MHD_NO;
    }
    struct MHD_Response *response =
        MHD_create_response_from_callback(range.count, PIECE_BYTES, body_read, body, body_free);
    if (response == NULL) {
        body_free(body);
        return MHD_NO;
    }
    describe(response, &range, answer, size, tag);
    enum MHD_Result result =
        MHD_queue_response(connection, answer == RANGE_PART ? MHD_HTTP_PARTIAL_CONTENT : MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *upload, size_t *upload_bytes, void **request)
{
    struct server *server = context;
    struct visitor *visitor = visitor_of(connection);
    struct stat info;
    (void)version, (void)upload;
    if (visitor == NULL) /* no memory when the connection came */
        return MHD_NO;
    if (*request == NULL) { /* the headers are here, the rest of the request is not yet */
        *request = server;
        return MHD_YES;
    }
    if (*upload_bytes > 0) {
        *upload_bytes = 0;
        return MHD_YES;
    }
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return answer_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET and HEAD only\n", MHD_HTTP_HEADER_ALLOW,
                           "GET, HEAD");
    if (strcmp(url, "/health") == 0)
        return answer_text(connection, MHD_HTTP_OK, "ok\n", NULL, NULL);
    if (!take_seat(server, visitor))
        return answer_text(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "too many connections\n",
                           MHD_HTTP_HEADER_RETRY_AFTER, "1");
    int file = open_file(&info, server, url);
    if (file < 0)
        return answer_text(connection, MHD_HTTP_NOT_FOUND, "no such file\n", NULL, NULL);
    return send_file(server, connection, visitor, file, &info);
}

/* Zero for an early failure too: everything in `server` may be half made. */
static void server_free(struct server *server)
{
    if (server->folder >= 0)
        close(server->folder);
    link_fini(&server->link);
    stop_fini(&server->stop);
    pthread_mutex_destroy(&server->mutex);
    free(server);
}

static enum err listen_on(struct server *server, uint16_t *port, uint16_t wanted, struct diag *diag)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(wanted), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    /* ITC: a connection that ends wakes the listening thread, which is the one that gives its seat back. */
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ITC;
    server->daemon = MHD_start_daemon(flags, wanted, NULL, NULL, answer, server, MHD_OPTION_SOCK_ADDR, &address,
                                      MHD_OPTION_NOTIFY_CONNECTION, connection_changed, server,
                                      MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_TIMEOUT_S, MHD_OPTION_END);
    if (server->daemon == NULL)
        return diag_errno(diag, ERR_IO, errno, "127.0.0.1", "cannot listen");
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT);
    *port = info == NULL ? wanted : info->port;
    return ERR_OK;
}

enum err server_start(struct server **out, uint16_t *port, const struct server_options *options, struct diag *diag)
{
    struct server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return diag_fail(diag, ERR_MEMORY, NULL, NULL, "out of memory");
    server->connections_max = options->connections_max;
    stop_init(&server->stop);
    link_init(&server->link, &options->link, &server->stop);
    pthread_mutex_init(&server->mutex, NULL);
    server->folder = open(options->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum err error = server->folder < 0 ? diag_errno(diag, ERR_CONFIG, errno, options->folder, "cannot open the folder")
                                        : listen_on(server, port, options->port, diag);
    if (error != ERR_OK) {
        server_free(server);
        return error;
    }
    *out = server;
    return ERR_OK;
}

void server_stop(struct server **server)
{
    if (*server == NULL)
        return;
    stop_raise(&(*server)->stop);
    MHD_stop_daemon((*server)->daemon);
    server_free(*server);
    *server = NULL;
}
