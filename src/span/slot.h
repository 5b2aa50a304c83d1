/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the recorder's shared memory comes from: a slot of the memfd that a lab holds (VENTURI_RING), else a private
 * file. The memfd is sealed against shrinking, so nobody can take its pages away; either survives our process.
 */
#pragma once

#include "span/file.h"

/** Notes VENTURI_RING. */
void venturi_slot_settings(void);
/** A fresh slot of `bytes` zeros: one of the lab's, else the new file `path`. FILE_EXISTS: another name, please.
 * The lab's never says so. */
enum venturi_made venturi_slot_take(void **map, const struct venturi_path *path, size_t bytes);
