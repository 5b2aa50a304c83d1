/* SPDX-License-Identifier: Apache-2.0
 *
 * One HTTP client on libcurl for both ends of the pipeline: deadlines everywhere, no redirects, and one rule for what
 * is worth another try.
 */
#pragma once

#include "common/stop.h"
#include "pipeline/failure.h"

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

struct http {
    CURL *curl;        /* options of the request at hand are set on it directly */
    struct stop *stop; /* borrowed; ends a request and a pause */
    char error[CURL_ERROR_SIZE];
};

enum http_outcome {
    HTTP_DONE,      /* a 2xx answer, whole */
    HTTP_TRY_AGAIN, /* the server is busy, broken or gone: it may be better later */
    HTTP_REFUSED,   /* it will not be better later */
};

struct http_reply {
    long status; /* 0 = no answer */
    uint64_t retry_after_ns;
    char what[320]; /* went wrong */
};

/** Call once, before any thread. */
CHECKED enum status http_start(struct failure *failure);
CHECKED enum status http_init(struct http *http, struct stop *stop, struct failure *failure);
/** Accepts a zeroed one. */
void http_fini(struct http *http);
/** Performs the request that was set up, ended at `deadline_ns` at the latest. */
enum http_outcome http_perform(struct http_reply *reply, struct http *http, uint64_t deadline_ns);
/** Waits before try number `attempt` (1 = the second): exponentially, and as long as the server asked for. False when
 *  that would pass the deadline or the pipeline stops. */
bool http_pause(struct http *http, unsigned attempt, const struct http_reply *reply, uint64_t deadline_ns);
/** The address as it may be shown: what stands behind "user:password@", if that is there, else all of it. */
const char *http_shown(const char *address);
