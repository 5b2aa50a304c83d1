/* SPDX-License-Identifier: Apache-2.0
 *
 * The command line of klines.
 */
#pragma once

#include "common/args.h"
#include "common/month.h"
#include "pipeline/download.h"
#include "pipeline/sink.h"

enum { OPTIONS_CONCURRENCY_MAX = 64 };
enum action { ACTION_RUN, ACTION_RESET, ACTION_CHECKSUM };

struct options {
    enum action action;
    struct month from;
    unsigned months;
    unsigned concurrency; /* downloads at a time */
    bool overlap;         /* a thread for each stage */
    bool streaming;       /* extract while the download arrives */
    size_t batch_rows;
    struct download_options download;
    const struct sink_kind *sink_kind;
    struct sink_options sink;
};

enum args_outcome options_read(struct options *options, int argc, char **argv);
