/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/bytes.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64 * 1024 };

void bytes_init(struct bytes *bytes, size_t limit)
{
    *bytes = (struct bytes){.limit = limit};
}

void bytes_fini(struct bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct bytes){0};
}

char *bytes_room(struct bytes *bytes, size_t count)
{
    if (count > bytes->limit - bytes->count)
        return NULL;
    size_t needed = bytes->count + count + 1, capacity = bytes->capacity ? bytes->capacity : FIRST_CAPACITY;
    while (capacity < needed)
        capacity *= 2;
    if (capacity > bytes->capacity) {
        char *data = realloc(bytes->data, capacity);
        if (data == NULL)
            return NULL;
        bytes->data = data;
        bytes->capacity = capacity;
    }
    return bytes->data + bytes->count;
}

bool bytes_add(struct bytes *bytes, const void *data, size_t count)
{
    char *room = bytes_room(bytes, count);
    if (room == NULL)
        return false;
    memcpy(room, data, count);
    room[count] = '\0';
    bytes->count += count;
    return true;
}
