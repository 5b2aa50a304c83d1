/* SPDX-License-Identifier: Apache-2.0
 *
 * The one error regime: a function that can fail returns `enum err`, marked CHECKED, and says what happened in a
 * `struct diag` that its caller owns. Libraries never print or exit; only cli/ turns a diag into a line and a status.
 */
#pragma once

/** Put before every prototype that returns `enum err`: ignoring the value is a compile error. */
#define CHECKED __attribute__((warn_unused_result))
#define PRINTF_LIKE(format_at, args_at) __attribute__((format(printf, format_at, args_at)))

enum err {
    ERR_OK = 0,
    ERR_INTERNAL,    /* our own fault; also the operating system refusing something it should not */
    ERR_MEMORY,      /* out of memory, or an arena or text reached its limit */
    ERR_IO,          /* a file or socket could not be read or written */
    ERR_CONFIG,      /* the user's file or command line is wrong; nothing was run */
    ERR_FORMAT,      /* data from outside is damaged or hostile */
    ERR_PIPELINE,    /* the user's pipeline, service or database failed */
    ERR_TIMEOUT,     /* a deadline passed */
    ERR_NOISE,       /* cannot tell: too noisy, or the budget is used */
    ERR_INTERRUPTED, /* Ctrl-C or TERM; the journal allows `venturi resume` */
};

/** What went wrong, in three parts that make one line: "where: what; hint". Empty parts are left out. */
struct diag {
    char where[256]; /* file:line, address, program; borrowed text is copied and cut */
    char what[384];
    char hint[256]; /* what to do about it */
};

/** Fills `diag`, which may be NULL. */
void diag_set(struct diag *diag, const char *where, const char *hint, const char *what_format, ...) PRINTF_LIKE(4, 5);
/** Like diag_set for a failed system call: appends strerror(errno_value) to the text. */
void diag_set_errno(struct diag *diag, int errno_value, const char *where, const char *what);

/** Fills `diag` and is `error`, so that a failing path is one statement. Macros, so that compilers and analyzers see
 *  which error it is and that it is one. */
#define diag_fail(diag, error, where, hint, ...) (diag_set((diag), (where), (hint), __VA_ARGS__), (enum err)(error))
#define diag_errno(diag, error, errno_value, where, what)                                                              \
    (diag_set_errno((diag), (errno_value), (where), (what)), (enum err)(error))

/** Writes "where: what; hint" without a newline into `line`; returns `line`. */
const char *diag_line(const struct diag *diag, char *line, unsigned long line_bytes);

/** Returns early with the error of `expression`, if any. */
#define TRY(expression)                                                                                                \
    do {                                                                                                               \
        enum err try_error_ = (expression);                                                                            \
        if (try_error_ != ERR_OK)                                                                                      \
            return try_error_;                                                                                         \
    } while (0)

/** Runs `release(&variable)` when the variable leaves its scope. */
#define AUTO(release) __attribute__((__cleanup__(release)))
