/* SPDX-License-Identifier: Apache-2.0
 *
 * Under which conditions the runs of a journal were measured, in words for reports. Pure.
 */
#pragma once

#include <jansson.h>

/** One text for each thing that was not as it should be, each once: from the machine checks of all `lab` records and
 *  from what `end` records say happened meanwhile. A new reference, NULL when memory is out. */
json_t *conditions_json(const json_t *records);
