# SPDX-License-Identifier: Apache-2.0
"""kill -9 of an investigation at random moments: no child survives, nothing half-written claims to be whole, and
resume finishes what was begun."""

import json
import os
import random
import signal
import subprocess

from processes import survivors

KILLS = int(os.environ.get("VENTURI_KILLS", "100"))


def check_documents(out):
    for path in [out / "master.json", out / "brief.json", *out.glob("*/findings.json")]:
        if path.exists():
            json.loads(path.read_text())
    report = out / "MASTER_INTEGRATION_REPORT.md"
    if report.exists():
        assert "Measured until" in report.read_text()
        assert (out / "master.json").exists()


def test_killed_at_random_points_it_can_always_be_resumed(venturi, small):
    seed = int(os.environ.get("VENTURI_SEED", "20260101"))
    print("seed", seed)
    random_source = random.Random(seed)
    mark = f"VENTURI_TEST_MARK=kill-{os.getpid()}"
    env = dict([mark.split("=")])
    killed = rounds = 0
    while killed < KILLS:
        rounds += 1
        name = f"out{rounds}"
        out = small / name
        command = ["investigate", "pipeline.toml", "--budget", "15s", "--out", name]
        finished = False
        while not finished and killed < KILLS:
            process = venturi.start(*command, env=env)
            try:
                finished = process.wait(timeout=random_source.uniform(0.0, 2.5)) == 0
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
                killed += 1
            assert survivors(mark) == []
            check_documents(out)
            begun = (out / "investigation.json").exists()
            command = ["resume", name] if begun else ["investigate", "pipeline.toml", "--budget", "15s", "--out", name]
        last = venturi(*command) if not finished else venturi("report", name)
        assert last.returncode == 0, last.stderr
        assert venturi("report", name, "--json").stdout == (out / "master.json").read_text()
