/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/progress.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void progress_init(struct progress *progress, bool plain)
{
    const char *terminal = getenv("TERM");
    bool dumb = !terminal || strcmp(terminal, "dumb") == 0;
    *progress = (struct progress){.live = !plain && !dumb && isatty(STDERR_FILENO), .started_ns = clock_monotonic_ns()};
}

static const char *state_text(enum agent_state state, bool asks_lab)
{
    switch (state) {
    case AGENT_WAITING:
        return "waiting";
    case AGENT_WORKING:
        return asks_lab ? "waiting for the lab" : "working";
    case AGENT_ANSWERED:
        return "done";
    case AGENT_SILENT:
        return "no answer";
    }
    return "";
}

static void describe(char *line, size_t bytes, const struct progress *progress,
                     const struct investigation_progress *now)
{
    double elapsed_s = (double)(clock_monotonic_ns() - progress->started_ns) * 1e-9;
    (void)snprintf(line, bytes, "%3.0f s  %s: %zu experiments done, %zu to go; %zu runs%s; %s; budget left %.0f s",
                   elapsed_s, now->phase, now->lab.done, now->lab.pending, now->lab.runs,
                   now->lab.failed_runs ? " (some failed)" : "", now->lab.doing,
                   (double)now->lab.budget_left_ns * 1e-9);
}

static void redraw(struct progress *progress, const struct investigation_progress *now)
{
    char line[256];
    describe(line, sizeof line, progress, now);
    if (progress->drawn_lines)
        (void)fprintf(stderr, "\033[%dA", progress->drawn_lines);
    (void)fprintf(stderr, "\033[2K%s\n", line);
    for (size_t i = 0; i < now->agent_count; i++)
        (void)fprintf(stderr, "\033[2K       %-10s %s\n", now->agents[i].name,
                      state_text(now->agents[i].state, now->agents[i].asks_lab));
    progress->drawn_lines = 1 + (int)now->agent_count;
}

/* Says what changed, a line each, so that a log stays readable. */
static void say_changes(struct progress *progress, const struct investigation_progress *now)
{
    char summary[256], line[256];
    (void)snprintf(summary, sizeof summary, "%s %zu", now->phase, now->lab.done);
    if (strcmp(summary, progress->last_line) != 0) {
        (void)snprintf(progress->last_line, sizeof progress->last_line, "%s", summary);
        describe(line, sizeof line, progress, now);
        (void)fprintf(stderr, "%s\n", line);
    }
    for (size_t i = 0; i < now->agent_count; i++) {
        if (progress->last_states[i] == now->agents[i].state)
            continue;
        progress->last_states[i] = now->agents[i].state;
        (void)fprintf(stderr, "       %s: %s\n", now->agents[i].name, state_text(now->agents[i].state, false));
    }
}

void progress_show(void *context, const struct investigation_progress *now)
{
    struct progress *progress = context;
    if (progress->live)
        redraw(progress, now);
    else
        say_changes(progress, now);
}

void progress_fini(struct progress *progress)
{
    (void)fflush(stderr);
    progress->drawn_lines = 0;
}
