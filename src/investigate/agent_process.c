/* SPDX-License-Identifier: Apache-2.0 */
#include "investigate/agent_process.h"

#include "base/clock.h"
#include "base/file.h"
#include "finding/finding.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FINDINGS_ARENA_BYTES = 64 * 1024 * 1024 };

/* The last line of what the program wrote to standard error, as its own explanation. */
static const char *last_line(const struct child_output *output)
{
    char *text = output->tail[0] ? output->tail : output->head;
    size_t length = strlen(text);
    while (length > 0 && text[length - 1] == '\n')
        text[--length] = '\0';
    const char *newline = strrchr(text, '\n');
    return newline ? newline + 1 : text;
}

/* Why a process that ended like this gave no answer; "" when it ended well. */
static const char *failure(const struct agent_process *process, const struct child_result *result, struct arena *arena)
{
    const char *said = last_line(&result->err);
    if (process->hung)
        return "hung: it neither asked the lab nor ended";
    switch (result->outcome) {
    case CHILD_EXITED:
        return result->code == 0 ? ""
                                 : arena_printf(arena, "exit status %d%s%s", result->code, *said ? ": " : "", said);
    case CHILD_SIGNALLED:
        return arena_printf(arena, "killed by signal %d", result->code);
    case CHILD_TIMED_OUT:
        return "timed out";
    case CHILD_NOT_STARTED:
        return arena_printf(arena, "could not be started: %s", strerror(result->code));
    }
    return "ended in an unknown way";
}

/* Puts "no answer" in the place of what cannot be read; the rubbish is kept beside it. */
static enum err write_no_answer(const struct agent_process *process, const char *path, const char *why,
                                struct arena *arena, struct diag *diag)
{
    const char *kept = arena_printf(arena, "%s/evidence/findings.rejected", process->folder);
    struct findings *findings;
    if (!kept)
        return arena_exhausted(arena, diag);
    if (rename(path, kept) < 0 && errno != ENOENT)
        return diag_errno(diag, ERR_IO, errno, path, "cannot set the rejected findings aside");
    TRY(findings_no_answer(&findings, process->agent->name, why, arena, diag));
    return findings_write(path, findings, diag);
}

static enum err settle(struct agent_process *process, const struct child_result *result, struct arena *arena,
                       struct diag *diag)
{
    const char *path = arena_printf(arena, "%s/findings.json", process->folder);
    const char *why = failure(process, result, arena);
    char line[sizeof *diag];
    struct findings *findings = NULL;
    if (!path || !why)
        return arena_exhausted(arena, diag);
    if (*why == '\0') {
        struct diag rejected = {0};
        if (findings_read(&findings, path, process->agent->name, process->brief, arena, &rejected) != ERR_OK)
            why = diag_line(&rejected, line, sizeof line);
    }
    process->answered = findings && findings->answered;
    return findings ? ERR_OK : write_no_answer(process, path, why, arena, diag);
}

static void on_end(void *context, const struct child_result *result)
{
    struct agent_process *process = context;
    AUTO(arena_fini) struct arena arena;
    arena_init(&arena, FINDINGS_ARENA_BYTES);
    process->error = settle(process, result, &arena, &process->diag);
    process->ended = true;
}

static const struct argv *external_command(const struct pipeline *pipeline, const char *agent)
{
    for (size_t i = 0; i < pipeline->agent_count; i++) {
        if (strcmp(pipeline->agents[i].agent, agent) == 0)
            return &pipeline->agents[i].command;
    }
    return NULL;
}

static enum err launch_child(struct agent_process *process, const struct agent_launch *launch, struct loop *loop,
                             struct arena *arena, struct diag *diag)
{
    const struct argv *external = external_command(launch->pipeline, process->agent->name);
    const char *built_in[] = {launch->program, "agent", process->agent->name, NULL};
    const char *env[] = {arena_printf(arena, "VENTURI_LAB=%s", launch->socket),
                         arena_printf(arena, "VENTURI_BRIEF=%s", launch->brief_path),
                         arena_printf(arena, "VENTURI_OUT=%s", process->folder), NULL};
    if (!env[0] || !env[1] || !env[2])
        return arena_exhausted(arena, diag);
    struct child_options options = {
        .argv = external ? external->items : built_in, .env = env, .folder = launch->pipeline->folder};
    process->quiet_since_ns = clock_monotonic_ns();
    return child_start(&process->child, &options, loop, on_end, process, diag);
}

/* `text` as one word of a shell, whatever is in it; NULL when memory is out. */
static const char *shell_word(const char *text, struct arena *arena)
{
    size_t bytes = 3; /* two quotes and the NUL */
    for (const char *c = text; *c; c++)
        bytes += *c == '\'' ? 4 : 1;
    char *word = arena_alloc(arena, bytes, 1, 1), *out = word;
    if (!word)
        return NULL;
    *out++ = '\'';
    for (const char *c = text; *c; c++) {
        if (*c == '\'')
            out = stpcpy(out, "'\\''");
        else
            *out++ = *c;
    }
    *out = '\'';
    return word;
}

/* The script that repeats this agent's measurements from nothing. */
static enum err write_script(const struct agent_process *process, const struct agent_launch *launch,
                             struct arena *arena, struct diag *diag)
{
    const char *path = arena_printf(arena, "%s/investigate.sh", process->folder);
    const char *file = shell_word(launch->pipeline->path, arena), *program = shell_word(launch->program, arena);
    if (!path || !file || !program)
        return arena_exhausted(arena, diag);
    const char *text =
        arena_printf(arena,
                     "#!/bin/sh\n"
                     "# %s\n"
                     "# Repeats the %s agent's measurements from nothing: investigate.sh [FOLDER]\n"
                     "set -eu\n"
                     "program=%s pipeline=%s\n"
                     "cd \"$(dirname \"$0\")\"\n"
                     "exec \"$program\" investigate \"$pipeline\" --only %s --seed %llu --out \"${1:-repeated}\"\n",
                     process->agent->question, process->agent->name, program, file, process->agent->name,
                     (unsigned long long)launch->brief->seed);
    return text ? file_write_script(path, text, diag) : arena_exhausted(arena, diag);
}

enum err agent_process_start(struct agent_process *process, const struct agent *agent,
                             const struct agent_launch *launch, struct loop *loop, struct arena *arena,
                             struct diag *diag)
{
    *process = (struct agent_process){.agent = agent, .brief = launch->brief};
    process->folder = arena_printf(arena, "%s/%s", launch->investigation_folder, agent->folder);
    const char *evidence = arena_printf(arena, "%s/evidence", process->folder ? process->folder : "");
    const char *path = arena_printf(arena, "%s/findings.json", process->folder ? process->folder : "");
    struct findings *left;
    if (!process->folder || !evidence || !path)
        return arena_exhausted(arena, diag);
    TRY(dir_make(evidence, diag));
    TRY(write_script(process, launch, arena, diag));
    if (findings_read(&left, path, agent->name, launch->brief, arena, NULL) == ERR_OK && left->answered) {
        process->ended = process->answered = true;
        return ERR_OK;
    }
    return launch_child(process, launch, loop, arena, diag);
}

void agent_process_check(struct agent_process *process, const struct lab *lab, uint64_t patience_ns)
{
    if (!process->child || process->ended || process->hung)
        return;
    uint64_t now = clock_monotonic_ns();
    if (lab_client_waiting(lab, child_pid(process->child))) {
        process->quiet_since_ns = now;
    } else if (now - process->quiet_since_ns > patience_ns) {
        process->hung = true;
        child_stop(process->child);
    }
}

void agent_process_fini(struct agent_process *process)
{
    if (process->child)
        child_free(&process->child);
}
