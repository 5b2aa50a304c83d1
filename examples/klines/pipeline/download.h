/* SPDX-License-Identifier: Apache-2.0
 *
 * Fetches one file over HTTP, going on where it broke off.
 */
#pragma once

#include "pipeline/http.h"

#include <stddef.h>

struct download_options {
    const char *base_url; /* the file's name is appended behind a slash */
    bool keep_alive;      /* use the connection of the last file again */
    unsigned retries;
    uint64_t timeout_ns; /* for one file, all tries and pauses together */
};

struct download {
    struct http http;
    struct download_options options;
};

/** Takes the file's bytes in order, each once; false ends the download. */
typedef bool download_take(void *context, const char *data, size_t bytes);

CHECKED enum status download_init(struct download *download, const struct download_options *options, struct stop *stop,
                                  struct failure *failure);
/** Accepts a zeroed one. */
void download_fini(struct download *download);
/** Hands the whole file `name` to `take`; *bytes counts them. STATUS_DOWNLOAD when it cannot be had in time. */
CHECKED enum status download_file(uint64_t *bytes, struct download *download, const char *name, download_take *take,
                                  void *context, struct failure *failure);
