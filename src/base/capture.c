/* SPDX-License-Identifier: Apache-2.0 */
#include "base/capture.h"

#include <string.h>

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

void capture_add(struct capture *capture, const char *bytes, size_t count)
{
    size_t in_head =
        capture->bytes < CHILD_OUTPUT_KEEP_BYTES ? smaller(count, CHILD_OUTPUT_KEEP_BYTES - capture->bytes) : 0;
    memcpy(capture->head + (in_head ? capture->bytes : 0), bytes, in_head);
    capture->bytes += count;
    size_t rest = count - in_head, kept = smaller(rest, sizeof capture->ring);
    size_t at = (capture->bytes - kept) % sizeof capture->ring;
    size_t first = smaller(kept, sizeof capture->ring - at);
    memcpy(capture->ring + at, bytes + count - kept, first);
    memcpy(capture->ring, bytes + count - kept + first, kept - first);
}

static void make_text(char *text, size_t count)
{
    for (char *nul; (nul = memchr(text, '\0', count));)
        *nul = '?';
    text[count] = '\0';
}

struct child_output capture_output(struct capture *capture)
{
    size_t in_head = smaller(capture->bytes, CHILD_OUTPUT_KEEP_BYTES);
    size_t in_tail = smaller(capture->bytes - in_head, sizeof capture->ring);
    size_t at = (capture->bytes - in_tail) % sizeof capture->ring;
    size_t first = smaller(in_tail, sizeof capture->ring - at);
    memcpy(capture->tail, capture->ring + at, first);
    memcpy(capture->tail + first, capture->ring, in_tail - first);
    make_text(capture->head, in_head);
    make_text(capture->tail, in_tail);
    return (struct child_output){.head = capture->head, .tail = capture->tail, .bytes = capture->bytes};
}
