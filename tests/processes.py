# SPDX-License-Identifier: Apache-2.0
"""Waiting for things and stopping them, always with a deadline."""

import os
import pathlib
import signal
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
DEADLINE_S = 60  # of anything that should take a moment
SURVIVOR_DEADLINE_S = 5


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


def marked(mark):
    """The processes that carry the mark, which is NAME=value, in their environment."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if mark.encode() in (entry / "environ").read_bytes():
                    found.append((entry.name, (entry / "cmdline").read_bytes()))
            except OSError:
                continue
    return found


def survivors(mark):
    """Those that are still there after a while."""
    deadline = time.monotonic() + SURVIVOR_DEADLINE_S
    while (left := marked(mark)) and time.monotonic() < deadline:
        time.sleep(0.01)
    return left
