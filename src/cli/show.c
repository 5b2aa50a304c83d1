/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/show.h"

#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

static size_t terminal_width(void)
{
    struct winsize size;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40 ? size.ws_col : 0;
}

static enum err flush(struct diag *diag)
{
    if (fflush(stdout) == EOF || ferror(stdout))
        return diag_errno(diag, ERR_IO, errno, "standard output", "cannot write");
    return ERR_OK;
}

enum err show_document(const struct document *document, struct diag *diag)
{
    AUTO(text_fini) struct text out;
    text_init(&out, DOCUMENT_LIMIT_BYTES);
    TRY(document_terminal(&out, document, terminal_width(), isatty(STDOUT_FILENO) && !getenv("NO_COLOR"), diag));
    (void)fputs(text_string(&out), stdout);
    return flush(diag);
}

enum err show_json(const json_t *json, struct diag *diag)
{
    if (json_dumpf(json, stdout, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_REAL_PRECISION(9)) < 0)
        return diag_errno(diag, ERR_IO, errno, "standard output", "cannot write");
    (void)putchar('\n');
    return flush(diag);
}
