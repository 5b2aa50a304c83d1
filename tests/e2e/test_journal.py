# SPDX-License-Identifier: Apache-2.0
"""An investigation ended anywhere, by `kill -9` or a power failure, loses no run that had finished: `venturi resume` goes
on from the journal, ends with whole rounds, and measures nothing twice.

Three of ten ends come at a random moment, the others at a random call by which its folder and its journal come to be on disk
(tests/lab/crash.c). That a run had finished is known without the lab's journal: the pipeline tells a file of its own when
it begins and when it ends, and the lab begins no run before it has the one before on disk."""

import json
import os
import pathlib
import random
import signal
import subprocess

import pytest

from conftest import BIN
from processes import DEADLINE_S, survivors

KILLS = int(os.environ.get("VENTURI_KILLS", "50"))
UNIT = pathlib.Path(os.environ.get("VENTURI_UNIT", BIN.parent / "unit"))
CALLS_MAX = 120  # an investigation makes about three times as many
MOMENT_S_MAX = 0.8

PIPELINE = """
[pipeline]
name = "short"
batch = false
command = ["{worker}", "--log={log}", "--stray=yes"]
timeout = "20s"
check = ["cat", "out"]
[goal]
throughput = 1_000_000
[[stage]]
name = "work"
[[knob]]
name = "ms"
stage = "work"
lever = "batch"
arg = "--ms={{}}"
values = [3, 2, 1]
current = 3
"""


class Investigation:
    """One folder, from the first start to the report, and what must be true of it whatever happened."""

    def __init__(self, folder, name, source):
        self.folder, self.name, self.source = folder, name, source
        self.out, self.log, self.state = folder / name, folder / f"{name}.log", folder / f"{name}.state"
        self.file = folder / f"{name}.toml"
        self.file.write_text(PIPELINE.format(worker=UNIT / "lab_worker", log=self.log))
        self.mark = f"VENTURI_TEST_MARK=journal-{os.getpid()}"
        self.finished = set()  # runs that the lab must know for ever
        self.known = {}  # {id: record} as the journal had it

    def start(self, call):
        """To be ended at its n-th call; 0 = at none."""
        begun = (self.out / "investigation.json").exists()
        command = ["resume", self.name] if begun else ["investigate", self.file.name, "--budget", "20s", "--out", self.name]
        environment = dict(os.environ, VENTURI_CRASH=f"{call} {self.source.getrandbits(60)}", VENTURI_CRASH_STATE=str(self.state),
                           LD_PRELOAD=str(UNIT / "liblab_crash.so"), **dict([self.mark.split("=")]))
        self.log.unlink(missing_ok=True)
        return subprocess.Popen([BIN / "venturi", *command], cwd=self.folder, env=environment, stdout=subprocess.DEVNULL,
                                stderr=subprocess.PIPE, text=True)

    def end_somewhere(self):
        """Starts it and ends it; true when it was sooner done than that."""
        at_call = self.source.random() < 0.7
        process = self.start(self.source.randint(1, CALLS_MAX) if at_call else 0)
        try:
            _, said = process.communicate(timeout=DEADLINE_S if at_call else self.source.uniform(0, MOMENT_S_MAX))
        except subprocess.TimeoutExpired:
            assert not at_call
            process.send_signal(signal.SIGKILL)
            _, said = process.communicate(timeout=DEADLINE_S)
        assert process.returncode in (0, -signal.SIGKILL), said
        assert survivors(self.mark) == []
        self.check()
        return process.returncode == 0

    def run_to_end(self):
        process = self.start(0)
        _, said = process.communicate(timeout=DEADLINE_S)
        assert process.returncode == 0, said
        self.check()

    def note_finished(self):
        """A run that ended before another began was acknowledged by the lab."""
        ended = set()
        for what, run in map(str.split, self.log.read_text().splitlines() if self.log.exists() else []):
            if what == "end":
                ended.add(run)
            else:
                self.finished |= ended

    def records(self):
        """What the journal holds, without a last line that was cut."""
        path = self.out / "lab/journal.jsonl"
        lines = path.read_bytes().split(b"\n") if path.exists() else [b""]
        whole = [line for line in lines[:-1] if b"\0" not in line]
        assert len(whole) >= len(lines) - 2, "zeros in the midst"
        return [json.loads(line) for line in whole]

    def check(self):
        self.note_finished()
        runs = [record for record in self.records() if record["record"] == "run"]
        by_id = {run["id"]: run for run in runs}
        assert len(by_id) == len(runs), "a run stands there twice"
        assert self.finished <= set(by_id), f"lost: {self.finished - set(by_id)}"
        for run in self.finished & set(self.known):
            assert by_id[run] == self.known[run]
        self.known = by_id

    def check_end(self):
        """Whole rounds, each once."""
        records = self.records()
        assert records[-1]["record"] == "end"
        registered = [record["id"] for record in records if record["record"] == "experiment"]
        verdicts = [record for record in records if record["record"] == "verdict" and record["reason"] != "budget"]
        assert len(set(registered)) == len(registered)
        assert sorted(verdict["id"] for verdict in verdicts) == sorted(registered)
        for verdict in verdicts:
            rounds = [[self.known[run]["round"] for run in arm["runs"]] for arm in verdict["arms"]]
            assert all(len(set(played)) == len(played) for played in rounds), verdict
            assert all(set(played) <= set(rounds[0]) for played in rounds[1:]), verdict
            pairs = [comparison["pairs"] for comparison in verdict["comparisons"]]
            assert not pairs or sum(map(len, rounds[1:])) >= sum(pairs), verdict


@pytest.mark.skipif(not (UNIT / "liblab_crash.so").exists(), reason="built with a sanitizer")
def test_whatever_ends_it_no_finished_run_is_lost(tmp_path):
    seed = int(os.environ.get("VENTURI_SEED", "20260101"))
    source = random.Random(seed)
    killed = begun = finished = 0
    while killed < KILLS:
        begun += 1
        investigation = Investigation(tmp_path, f"inv{begun}", source)
        while killed < KILLS and not investigation.end_somewhere():
            killed += 1
        if not (investigation.out / "master.json").exists():
            investigation.run_to_end()
        investigation.check_end()
        finished += len(investigation.finished)
    print(f"seed {seed}: {killed} kills of {begun} investigations, {finished} finished runs, all there")
    assert finished > killed
