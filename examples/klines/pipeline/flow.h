/* SPDX-License-Identifier: Apache-2.0
 *
 * Sends the months through the steps: one after the other, with downloads side by side, or with all stages at once.
 */
#pragma once

#include "pipeline/options.h"

/** Loads the months into the open `sink`; *content is what went in. The months before one that fails are loaded whole,
 *  that one and those behind it not at all, whatever the concurrency. */
CHECKED enum status flow_run(struct content *content, const struct options *options, void *sink, struct stop *stop,
                             struct failure *failure);
