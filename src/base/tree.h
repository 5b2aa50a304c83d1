/* SPDX-License-Identifier: Apache-2.0
 *
 * The processes below one, as /proc lists them, and how to end them. Only base's own files about children include this.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/** Resident bytes of every process below `root`, itself left out. */
uint64_t tree_resident_bytes(pid_t root);
/** Are the numbers in /proc those of our pid namespace? Where not, nobody may be killed by them. A system call only. */
bool tree_is_visible(void);
/** SIGKILL to `pid` and its process group, unless that is ours. The kernel hits a group in one step, so that nobody
 * gets away by forking in that moment, however fast. System calls only. */
void tree_kill_group(pid_t pid);
/** SIGKILL to every process below `root`, itself left out. */
void tree_kill(pid_t root);
