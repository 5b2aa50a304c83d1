/* SPDX-License-Identifier: Apache-2.0
 *
 * The agent's side of docs/lab-protocol.md: ask, wait, get an experiment. Blocking; every wait has the lab's own end as
 * its deadline (a lab that goes away closes the socket, which is ERR_IO).
 */
#pragma once

#include "base/err.h"

#include <jansson.h>

struct lab_client;

/** Connects to the socket at `path` (NULL: $VENTURI_LAB). The caller frees *out. */
CHECKED enum err lab_client_new(struct lab_client **out, const char *path, struct diag *diag);
void lab_client_free(struct lab_client **client);

/** Sends `request` (id is filled in; the reference is borrowed) without waiting; *out_id names it. Asking for
 *  everything first and collecting later lets the lab interleave. */
CHECKED enum err lab_client_ask(long long *out_id, struct lab_client *client, const json_t *request, struct diag *diag);
/** Waits for the answer to `id`; *out_experiment is a new reference. An answer with ok=false is ERR_CONFIG. */
CHECKED enum err lab_client_wait(json_t **out_experiment, struct lab_client *client, long long id, struct diag *diag);
