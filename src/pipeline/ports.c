/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/ports.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool read_at(struct placeholder *out, const char *brace)
{
    static const char ending[] = "port}";
    const char *name = brace + 1, *at = name;
    while (isalnum((unsigned char)*at) || *at == '_' || *at == '-')
        at++;
    *out = (struct placeholder){.start = brace};
    if (*at == '.') {
        out->service = name;
        out->service_bytes = (size_t)(at - name);
        name = at + 1;
    }
    if (strncmp(name, ending, sizeof ending - 1) != 0 || (out->service && out->service_bytes == 0))
        return false;
    out->end = name + sizeof ending - 1;
    return true;
}

bool placeholder_find(struct placeholder *out, const char *text)
{
    for (const char *brace = strchr(text, '{'); brace; brace = strchr(brace + 1, '{'))
        if (read_at(out, brace))
            return true;
    return false;
}

bool placeholder_names(const struct placeholder *placeholder, const char *name)
{
    return placeholder->service && strlen(name) == placeholder->service_bytes &&
           memcmp(placeholder->service, name, placeholder->service_bytes) == 0;
}

static const struct service_port *find_port(const struct placeholder *placeholder, const char *own,
                                            const struct ports *ports)
{
    for (size_t i = 0; i < ports->count; i++) {
        const char *name = ports->items[i].service;
        if (placeholder->service ? placeholder_names(placeholder, name) : own && strcmp(own, name) == 0)
            return &ports->items[i];
    }
    return NULL;
}

enum err ports_fill_text(const char **out, const char *text, const char *own, const struct ports *ports,
                         struct arena *arena, struct diag *diag)
{
    const char *done = "";
    struct placeholder next;
    for (; placeholder_find(&next, text); text = next.end) {
        const struct service_port *port = find_port(&next, own, ports);
        if (!port)
            return diag_fail(diag, ERR_INTERNAL, NULL, NULL, "no port is known for %.*s", (int)(next.end - next.start),
                             next.start);
        done = arena_printf(arena, "%s%.*s%u", done, (int)(next.start - text), text, port->port);
        if (!done)
            return arena_exhausted(arena, diag);
    }
    *out = arena_printf(arena, "%s%s", done, text);
    return *out ? ERR_OK : arena_exhausted(arena, diag);
}

enum err ports_fill_argv(struct argv *out, const struct argv *command, const char *own, const struct ports *ports,
                         struct arena *arena, struct diag *diag)
{
    const char **items = ARENA_ARRAY(arena, const char *, command->count + 1);
    if (!items)
        return arena_exhausted(arena, diag);
    for (size_t i = 0; i < command->count; i++)
        TRY(ports_fill_text(&items[i], command->items[i], own, ports, arena, diag));
    *out = (struct argv){.items = items, .count = command->count};
    return ERR_OK;
}
