# SPDX-License-Identifier: Apache-2.0
"""Marks the stages of a data pipeline, so that venturi finds its bottleneck.

    with venturi.stage("download", item=month) as span:
        data = fetch(month)
        span.bytes += len(data)

Without VENTURI_TRACE in the environment nothing is recorded and a call costs next to nothing. With VENTURI_TRACE=FOLDER
(it exists) the process leaves its trace there. The environment is read once, by the first call.
"""
from venturi._recorder import (Span, begin, each, end, fail, lap, lap_count, lap_end, lap_item, recording, stage)

__all__ = ["Span", "begin", "each", "end", "fail", "lap", "lap_count", "lap_end", "lap_item", "recording", "stage"]
