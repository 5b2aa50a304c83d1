/* SPDX-License-Identifier: Apache-2.0
 *
 * HTTP in front of one folder. Each connection has a thread of its own, so a slow answer delays nobody else.
 */
#pragma once

#include "base/err.h"
#include "cdn/link.h"

#include <stdint.h>

struct server_options {
    const char *folder;
    uint16_t port;            /* 0 = a free one */
    unsigned connections_max; /* that are served files at a time; 0 = no limit */
    struct link_options link;
};

struct server;

/** Listens on 127.0.0.1; *port is the port it got. */
CHECKED enum err server_start(struct server **out, uint16_t *port, const struct server_options *options,
                              struct diag *diag);
/** Ends every answer and frees the server. */
void server_stop(struct server **server);
