/* SPDX-License-Identifier: Apache-2.0 */
#include "trace/names.h"

#include <string.h>

static size_t place_of(const struct names *names, const char *name)
{
    uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */
    for (const char *at = name; *at; at++)
        hash = (hash ^ (unsigned char)*at) * 0x100000001b3;
    size_t place = hash % NAMES_PLACES;
    while (names->places[place] && strcmp(names->names[names->places[place] - 1], name) != 0)
        place = (place + 1) % NAMES_PLACES; /* a quarter is taken at most */
    return place;
}

enum err names_intern(uint16_t *out, struct names *names, const char *name, struct arena *arena, struct diag *diag)
{
    size_t place = place_of(names, name);
    if (!names->places[place]) {
        if (names->count == NAMES_MAX)
            return diag_fail(diag, ERR_FORMAT, name, NULL, "more than %d different stages", NAMES_MAX);
        names->names[names->count] = arena_strdup(arena, name);
        if (!names->names[names->count])
            return arena_exhausted(arena, diag);
        names->places[place] = (uint16_t)++names->count;
    }
    *out = (uint16_t)(names->places[place] - 1);
    return ERR_OK;
}
