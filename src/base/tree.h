/* SPDX-License-Identifier: Apache-2.0
 *
 * The processes below one, as /proc lists them. Only child.c includes this.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

/** Resident bytes of every process below `root`, itself left out. */
uint64_t tree_resident_bytes(pid_t root);
/** SIGKILL to every process below `root`, itself left out. */
void tree_kill(pid_t root);
