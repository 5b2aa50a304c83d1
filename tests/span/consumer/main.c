/* SPDX-License-Identifier: Apache-2.0 */
#include <venturi.h>

int main(void)
{
    venturi_span span = venturi_begin(venturi_stage_named("work"), 1);
    venturi_end(&span, 1, 1);
    return !venturi_recording;
}
