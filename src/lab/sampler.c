/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/sampler.h"

#include "base/clock.h"
#include "base/file.h"
#include "trace/format.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

enum { PERIOD_MS = 10, REST_RATIO = 100 }; /* looking may take one part in 100: a tree of many threads takes long */

static void plan(struct sampler *sampler, uint64_t at_ns);

static void sample(void *context)
{
    struct sampler *sampler = context;
    struct diag unused;
    sampler->timer = NULL;
    struct memory_sample now = {.at_ns = clock_monotonic_ns()};
    now.resident_bytes = child_resident_bytes(sampler->child);
    uint64_t took_ns = clock_monotonic_ns() - now.at_ns, rest_ns = took_ns * REST_RATIO;
    /* A sample that is not written is missing in a picture, no more. */
    if (now.resident_bytes > 0 && fd_write_all(sampler->fd, &now, sizeof now, "memory.samples", &unused) != ERR_OK)
        return;
    if (now.resident_bytes > sampler->peak_bytes)
        sampler->peak_bytes = now.resident_bytes;
    plan(sampler, now.at_ns + (rest_ns > PERIOD_MS * NS_PER_MS ? rest_ns : PERIOD_MS * NS_PER_MS));
}

static void plan(struct sampler *sampler, uint64_t at_ns)
{
    struct diag unused;
    if (loop_timer(&sampler->timer, sampler->loop, at_ns, sample, sampler, &unused) != ERR_OK)
        sampler->timer = NULL;
}

enum err sampler_start(struct sampler *sampler, struct loop *loop, const struct child *child, const char *trace_folder,
                       struct diag *diag)
{
    char path[PATH_MAX];
    *sampler = (struct sampler){.loop = loop, .child = child, .fd = -1};
    if (snprintf(path, sizeof path, "%s/memory.samples", trace_folder) >= (int)sizeof path)
        return diag_fail(diag, ERR_IO, trace_folder, NULL, "the name is too long");
    sampler->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (sampler->fd < 0)
        return diag_errno(diag, ERR_IO, errno, path, "cannot create");
    plan(sampler, clock_monotonic_ns() + PERIOD_MS * NS_PER_MS);
    return ERR_OK;
}

void sampler_stop(struct sampler *sampler)
{
    if (!sampler->loop)
        return;
    loop_remove(sampler->loop, &sampler->timer);
    fd_close(&sampler->fd);
    sampler->loop = NULL;
}
