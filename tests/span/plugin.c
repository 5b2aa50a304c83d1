/* SPDX-License-Identifier: Apache-2.0
 *
 * A plug-in that brings the recorder with it.
 */
#include "venturi.h"

VENTURI_API void plugin_record(void);

void plugin_record(void)
{
    venturi_stage stage = venturi_stage_named("plug-in");
    for (uint64_t i = 0; i < 1500; i++) {
        venturi_span span = venturi_begin(stage, i);
        venturi_end(&span, 1, 0);
    }
}
