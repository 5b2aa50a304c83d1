/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "report/document.h"

#include <jansson.h>

/** The table and the chart of a "stages" array, as in venturi.profile/1 and venturi.master/1. */
void report_stage_table(struct document *document, const json_t *stages, struct arena *arena);
void report_stage_bars(struct document *document, const json_t *stages, struct arena *arena);
