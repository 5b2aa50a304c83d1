/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose child is it? Every supervised program carries the name of the process that started it in its environment, so
 * that what outlived a killed venturi (where no pid namespace takes it along) can be told from everything else.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

enum { MARK_BYTES = 96 };

/** "VENTURI_OWNER=<pid namespace>.<pid>.<start time>.<now>" of this process, for one child; returns `out`. */
const char *mark_text(char out[MARK_BYTES]);
/** Processes whose owner is gone; at most `count_max` are written to `out`, the number of all is returned. Those of
 *  other pid namespaces' owners and of users whose processes we may not read are not judged. */
size_t mark_leftovers(pid_t *out, size_t count_max);
/** SIGKILL to every process that carries exactly this mark, until none is left; bounded. */
void mark_kill(const char *mark);
