/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "venturi.h"

enum { STAGES = 4 };
extern venturi_stage stages[STAGES];

/** Names them; the environment says whether the process records from here on. */
void name_stages(void);
