/* SPDX-License-Identifier: Apache-2.0
 *
 * The lab: the only place where a pipeline is ever run. One lab lives in one process, drives one event loop, owns the
 * measurement slot, the services, the journal and the socket at which agents ask (docs/lab-protocol.md).
 */
#pragma once

#include "base/err.h"
#include "base/loop.h"
#include "pipeline/pipeline.h"
#include "pipeline/ports.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct lab;

struct lab_options {
    const char *folder; /* journal, traces, socket; made if absent */
    uint64_t seed;
    uint64_t budget_ns; /* of measuring, services' start included; 0 = none */
    bool resume;        /* keep what the journal in `folder` holds, its seed too; else a journal there is ERR_CONFIG */
    bool record_cpu;    /* VENTURI_CPU=1 for runs */
};

/** What is going on, for progress displays. Borrowed; valid until the next turn of the loop. */
struct lab_status {
    size_t pending, done, runs, failed_runs;
    const char *doing;                 /* one short line: "run 12: concurrency=4" */
    uint64_t budget_left_ns, spent_ns; /* left: UINT64_MAX when there is no budget */
};

/** Opens the folder (flock: a second lab there is ERR_CONFIG), the journal and the socket, and starts the services.
 *  The loop is borrowed. A service that does not get ready is ERR_PIPELINE. The caller frees *out. */
CHECKED enum err lab_new(struct lab **out, const struct pipeline *pipeline, const struct lab_options *options,
                         struct loop *loop, struct diag *diag);
/** Stops runs and services, whatever state they are in, and closes the journal. Accepts NULL. */
void lab_free(struct lab **lab);

const char *lab_socket(const struct lab *lab);
/** The ports of its services, for "{service.port}" in texts of the file; borrowed. */
const struct ports *lab_ports(const struct lab *lab);
void lab_status(struct lab_status *out, const struct lab *lab);
/** An experiment asked for from inside this process; `done` is called from the loop with the answer (borrowed). The
 *  request is as in the protocol, without id. */
typedef void lab_done(void *context, const json_t *answer);
CHECKED enum err lab_request(struct lab *lab, const json_t *request, lab_done *done, void *context, struct diag *diag);
/** From now on answers every pending request with what it has, and refuses new ones: time is up, or Ctrl-C. */
void lab_wind_down(struct lab *lab);
/** Does the process `pid`, or one below it, wait for an answer? */
bool lab_client_waiting(const struct lab *lab, pid_t pid);
/** The first failure that makes going on useless (journal not writable, the baseline never succeeds); ERR_OK if none.
 */
CHECKED enum err lab_health(const struct lab *lab, struct diag *diag);

/** What was looked at before the services started, as the journal has it (`machine`); borrowed. */
const json_t *lab_machine(const struct lab *lab);

/** Reads a journal without a lab: {"runs": {id: run}, "experiments": {id: experiment}, "lab": {...}, "ended": bool,
 *  "conditions": [text]}, the last being what was not right with the machine (conditions.h). New reference. Used by
 * agents, the synthesis replay and reports. */
CHECKED enum err journal_read(json_t **out, const char *lab_folder, struct diag *diag);
