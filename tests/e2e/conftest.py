# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests share: the programs under test, and a small pipeline that is fast because it is small."""

import json
import os
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("VENTURI_BIN", ROOT / "build/dev/bin")).resolve()
AGENT_FOLDERS = {"profiling": "profiling", "database": "database-config", "client": "client-library", "batch": "batch-size"}

PIPELINE = """
[pipeline]
name    = "small"
command = ["bin/klines", "--cdn", "http://127.0.0.1:{cdn.port}", "--months", "3", "--db", "klines.db"]
unit    = "rows"
timeout = "20s"
before  = [["bin/klines", "--reset", "--db", "klines.db"]]
check   = ["bin/klines", "--checksum", "--db", "klines.db"]

[goal]
throughput = 1_000_000

[[service]]
name    = "cdn"
command = ["bin/venturi-cdn", "--port", "{port}", "--first-byte", "30ms", "data"]
ready   = "http://127.0.0.1:{port}/health"

[[stage]]
name = "download"
kind = "network"
[[stage]]
name = "extract"
[[stage]]
name = "parse"
[[stage]]
name = "ingest"
kind = "database"

[[knob]]
name = "concurrency"
stage = "download"
lever = "concurrency"
arg = "--concurrency={}"
values = [1, 3]
current = 1
effort_days = 2

[[knob]]
name = "batch"
stage = "ingest"
lever = "batch"
arg = "--batch={}"
values = [100, 1000]
current = 1000
effort_days = 0.5

[database]
kind = "sqlite"
url = "klines.db"
"""


class Venturi:
    """The program under test."""

    def __init__(self, folder):
        self.folder = folder
        self.program = BIN / "venturi"

    def __call__(self, *arguments, timeout=120, env=None, cwd=None):
        return subprocess.run([BIN / "venturi", *map(str, arguments)], capture_output=True, text=True, timeout=timeout,
                              env={**os.environ, **(env or {})}, cwd=cwd or self.folder, check=False)

    def begin(self, *arguments):
        """Started, its output to be read."""
        return subprocess.Popen([self.program, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.folder)

    def start(self, *arguments, env=None):
        return subprocess.Popen([BIN / "venturi", *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                env={**os.environ, **(env or {})}, cwd=self.folder)


@pytest.fixture
def venturi(tmp_path):
    return Venturi(tmp_path)


@pytest.fixture
def small(tmp_path):
    """A folder with the small pipeline in it."""
    subprocess.run([BIN / "klines-data", "--from", "2024-01", "--months", "3", "--seed", "1", "--rows-per-month", "1000", "--out",
                    tmp_path / "data"], check=True)
    (tmp_path / "bin").symlink_to(BIN)
    (tmp_path / "pipeline.toml").write_text(PIPELINE)
    return tmp_path


@pytest.fixture
def master_of():
    return lambda folder: json.loads((folder / "master.json").read_text())


@pytest.fixture
def findings_of():
    return lambda folder, agent: json.loads((folder / AGENT_FOLDERS[agent] / "findings.json").read_text())
