/* SPDX-License-Identifier: Apache-2.0
 *
 * UTF-8 as text from outside has to be walked: never trusting it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** Decodes the code point at the start of NUL-terminated `text`; returns its bytes, 0 when they are not valid UTF-8. */
size_t utf8_decode(uint32_t *point, const char *text);
