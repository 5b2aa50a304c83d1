/* SPDX-License-Identifier: Apache-2.0
 *
 * What the network of the CDN stand-in does to an answer: when its first byte leaves, when each further one does, and
 * whether the connection breaks on the way. One link is shared by all connections.
 */
#pragma once

#include "base/random.h"
#include "common/stop.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct link_options {
    uint64_t first_byte_ns; /* from request to first byte */
    uint64_t connect_ns;    /* on top of it for the first request of a connection */
    uint64_t jitter_ns;     /* up to this much on top of it */
    double connection_rate; /* bytes a second of one connection; 0 = unlimited */
    double link_rate;       /* of all connections together; 0 = unlimited */
    double slow_ratio;      /* share of the answers that are slow */
    double slow_factor;     /* how much longer those take */
    double reset_ratio;     /* share of the answers that break off */
    uint64_t seed;
};

struct link {
    struct link_options options;
    struct stop *stop; /* borrowed; ends every delay */
    pthread_mutex_t mutex;
    uint64_t free_ns; /* when the shared link has sent all that was given to it */
    uint64_t answers; /* begun so far: the number of an answer seeds its luck */
};

/** The fate of one answer. */
struct transfer {
    struct link *link;
    double rate;       /* bytes a second, 0 = unlimited */
    uint64_t start_ns; /* of the body; 0 before its first byte */
    uint64_t reset_at; /* the byte before which the connection breaks; UINT64_MAX = never */
};

void link_init(struct link *link, const struct link_options *options, struct stop *stop);
void link_fini(struct link *link);
/** Draws the fate of an answer of `bytes` and waits for its first byte; false when the server stops. */
bool link_begin(struct transfer *transfer, struct link *link, bool new_connection, uint64_t bytes);
/** Waits until bytes [at, at + count) have passed; false when the connection breaks there or the server stops. */
bool link_pass(struct transfer *transfer, uint64_t at, size_t count);
