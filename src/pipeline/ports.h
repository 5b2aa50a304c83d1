/* SPDX-License-Identifier: Apache-2.0
 *
 * Ports in texts of the file: "{cdn.port}" is the port of the service cdn, "{port}" inside a service is its own. Any
 * other brace is an ordinary character.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "pipeline/pipeline.h"

#include <stdbool.h>
#include <stddef.h>

struct service_port {
    const char *service;
    unsigned port;
};

/** The ports that services were given. */
struct ports {
    const struct service_port *items;
    size_t count;
};

/** `text` with its placeholders replaced. `own` is the service whose "{port}" is meant, NULL outside services.
 *  ERR_INTERNAL for a port that `ports` lacks: pipeline_load has let only known services pass. */
CHECKED enum err ports_fill_text(const char **out, const char *text, const char *own, const struct ports *ports,
                                 struct arena *arena, struct diag *diag);
/** The same for every argument: of before, check and service commands. */
CHECKED enum err ports_fill_argv(struct argv *out, const struct argv *command, const char *own,
                                 const struct ports *ports, struct arena *arena, struct diag *diag);

struct placeholder {
    const char *start, *end; /* in the text */
    const char *service;     /* name, not NUL-terminated; NULL for "{port}" */
    size_t service_bytes;
};

/** Finds the first placeholder at or behind `text`. */
bool placeholder_find(struct placeholder *out, const char *text);
/** Is `name` the service that the placeholder names? Never for "{port}". */
bool placeholder_names(const struct placeholder *placeholder, const char *name);
