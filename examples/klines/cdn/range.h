/* SPDX-License-Identifier: Apache-2.0
 *
 * The Range header of HTTP (RFC 9110, section 14), one range of bytes at a time.
 */
#pragma once

#include <stdint.h>

struct range {
    uint64_t first, count;
};

enum range_answer {
    RANGE_WHOLE,         /* no header, or one that a server may ignore: answer 200 */
    RANGE_PART,          /* answer 206 */
    RANGE_UNSATISFIABLE, /* answer 416 */
};

/** What `header` (NULL = none) asks of a file of `size` bytes. */
enum range_answer range_read(struct range *out, const char *header, uint64_t size);
