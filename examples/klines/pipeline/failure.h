/* SPDX-License-Identifier: Apache-2.0
 *
 * How klines fails: the status is also the exit status, and the text is the one line that explains it.
 */
#pragma once

enum status {
    STATUS_OK = 0,
    STATUS_INTERNAL = 1, /* out of memory, no thread to be had */
    STATUS_USAGE = 2,
    STATUS_DOWNLOAD = 3,
    STATUS_DATA = 4, /* a bad archive or a bad row */
    STATUS_SINK = 5,
};

struct failure {
    char text[600];
};

#define CHECKED __attribute__((warn_unused_result))

/** Writes the text and returns `status`, so that a failing path is one statement. */
CHECKED enum status fail_with(struct failure *failure, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
CHECKED enum status fail_no_memory(struct failure *failure);

/** Returns early with the status of `expression`, if it failed. */
#define TRY(expression)                                                                                                \
    do {                                                                                                               \
        enum status try_status_ = (expression);                                                                        \
        if (try_status_ != STATUS_OK)                                                                                  \
            return try_status_;                                                                                        \
    } while (0)
