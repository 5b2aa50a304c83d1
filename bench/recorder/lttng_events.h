/* SPDX-License-Identifier: Apache-2.0
 *
 * What LTTng-ust records: the begin and the end of a stage. Read several times, with other macros, as LTTng wants it.
 */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER bench
#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "recorder/lttng_events.h"

#if !defined(LTTNG_EVENTS_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define LTTNG_EVENTS_H

#include <lttng/tracepoint.h>

LTTNG_UST_TRACEPOINT_EVENT(bench, begin, LTTNG_UST_TP_ARGS(unsigned, stage),
                           LTTNG_UST_TP_FIELDS(lttng_ust_field_integer(unsigned char, stage, (unsigned char)stage)))
LTTNG_UST_TRACEPOINT_EVENT(bench, end, LTTNG_UST_TP_ARGS(unsigned, stage),
                           LTTNG_UST_TP_FIELDS(lttng_ust_field_integer(unsigned char, stage, (unsigned char)stage)))

#endif

#include <lttng/tracepoint-event.h>
