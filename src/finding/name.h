/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables behind vote_name and its siblings, for this room's reader: NULL-terminated, in enum order.
 */
#pragma once

#include "finding/finding.h"

extern const char *const VOTE_NAMES[];
extern const char *const BASIS_NAMES[];
extern const char *const UNIT_NAMES[];
