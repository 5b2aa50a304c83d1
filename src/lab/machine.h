/* SPDX-License-Identifier: Apache-2.0
 *
 * What the measurements were made on.
 */
#pragma once

#include <jansson.h>

/** {"cpu", "cores", "memory_bytes", "kernel"}; a new reference, NULL when memory is out. */
json_t *machine_json(void);
