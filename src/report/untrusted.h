/* SPDX-License-Identifier: Apache-2.0
 *
 * Untrusted text, made harmless for every writer: valid UTF-8, one line, nothing invisible.
 */
#pragma once

#include "base/text.h"

/** Adds one harmless character (a whole UTF-8 sequence) the way the writer's syntax wants it. */
typedef void untrusted_put(struct text *out, const char *bytes, size_t count);

/** Hands `string` to `put` character by character. Control and direction characters become "\u202e", line breaks
 *  become spaces, bytes that are not UTF-8 become U+FFFD. */
void untrusted_add(struct text *out, const char *string, untrusted_put *put);
/** The number of characters untrusted_add hands out. */
size_t untrusted_width(const char *string);
