/* SPDX-License-Identifier: Apache-2.0
 *
 * The socket at which agents ask: JSON lines in and out, many clients, none of whom can hurt the lab: lines, clients
 * and unread answers are bounded, garbage gets an error and the connection is closed.
 */
#pragma once

#include "base/loop.h"

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

enum { BROKER_LINE_BYTES = 1024 * 1024, BROKER_UNREAD_BYTES = 16 * 1024 * 1024, BROKER_CLIENTS_MAX = 64 };

struct broker;
struct broker_client;

struct broker_handler {
    /** A JSON object with a whole number `id`; borrowed. */
    void (*ask)(void *context, struct broker_client *client, const json_t *request);
    /** The client has gone: it wants nothing more and must not be named again. */
    void (*gone)(void *context, struct broker_client *client);
    void *context;
};

/** Listens in `folder`, or in a private folder of its own when the path would be too long for a socket. The caller
 * frees *out; the socket is removed then. */
CHECKED enum err broker_new(struct broker **out, const char *folder, const struct broker_handler *handler,
                            struct loop *loop, struct diag *diag);
void broker_free(struct broker **broker);
const char *broker_path(const struct broker *broker);

/** Sends one line as the client reads. One that lets too much pile up is disconnected (`gone` comes from the loop). */
void broker_send(struct broker_client *client, const json_t *answer);
/** The process at the other end, 0 when unknown. */
pid_t broker_client_pid(const struct broker_client *client);
