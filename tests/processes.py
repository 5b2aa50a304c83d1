# SPDX-License-Identifier: Apache-2.0
"""Waiting for things and stopping them, always with a deadline."""

import pathlib
import signal
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
DEADLINE_S = 60  # of anything that should take a moment


def wait_until(ready, what, deadline_s=DEADLINE_S):
    """Polls until ready() is true; its last value is returned."""
    end = time.monotonic() + deadline_s
    while not (value := ready()):
        assert time.monotonic() < end, f"no {what} within {deadline_s} s"
        time.sleep(0.01)
    return value


def stop(process, how=signal.SIGTERM):
    """Stops the process and returns its exit status; one that does not stop in time is a failure."""
    if process.poll() is None:
        process.send_signal(how)
    try:
        return process.wait(DEADLINE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
