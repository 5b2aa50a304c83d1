/* SPDX-License-Identifier: Apache-2.0
 *
 * The small parts that every document of ours is made of. Each returns a new reference, or NULL when memory is out or a
 * text is not UTF-8, which json_pack then hands on.
 */
#pragma once

#include "stats/effect.h"

#include <jansson.h>
#include <stddef.h>

/** {"low", "mid", "high"}, with null for what is not finite; null when nothing is. */
json_t *interval_json(struct interval interval);
/** A text or null. */
json_t *text_json(const char *text);
json_t *texts_json(const char *const *texts, size_t count);
/** `item` makes one element; a list is whole or NULL. */
typedef json_t *item_json(const void *items, size_t index);
json_t *list_json(const void *items, size_t count, item_json *item);
