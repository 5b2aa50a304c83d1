# SPDX-License-Identifier: Apache-2.0
"""Runs programs that use the Python package, each in a process of its own, because the environment is read once; and
reads back what they recorded. Every test that asks for `host` runs on each CPython that is here."""
import json
import os
import pathlib
import shutil
import subprocess
import textwrap

import pytest
from processes import DEADLINE_S, ROOT

BIN = pathlib.Path(os.environ.get("VENTURI_BIN", ROOT / "build/dev/bin")).resolve()
PACKAGE = pathlib.Path(os.environ.get("VENTURI_PYTHON_PACKAGE", ROOT / "build/dev/tests/python")).resolve()
RECORDER = "(recorder)"  # its own spans, while it wrote a block out
VERSIONS = [f"3.{minor}" for minor in range(9, 14)]


def every_pyenv_version():
    """pyenv hides the versions that are not chosen."""
    if shutil.which("pyenv") is None:
        return {}
    found = subprocess.run(["pyenv", "versions", "--bare"], capture_output=True, text=True, timeout=DEADLINE_S,
                           check=False)
    return {"PYENV_VERSION": ":".join(found.stdout.split())}


def find_pythons():
    """{name: (program, its environment)}: the one with the wheel installed, and whatever else can load it."""
    pythons = {"installed": (PACKAGE / "venv/bin/python", {})}
    environment = {**every_pyenv_version(), "PYTHONPATH": str(PACKAGE / "site")}
    for version in VERSIONS:
        program = shutil.which(f"python{version}")
        works = program and subprocess.run([program, "-c", ""], env={**os.environ, **environment}, capture_output=True,
                                           timeout=DEADLINE_S, check=False).returncode == 0
        if works:
            pythons[version] = (program, environment)
    return pythons


PYTHONS = find_pythons()


def whole(line):
    """A span as exported, with what goes without saying there, and its worker."""
    span = {"rows": 0, "bytes": 0, "failed": False, **json.loads(line)}
    return {**span, "worker": (span["process"], span["thread"])}


def place_in_time(span):
    return span["start_ns"], span["end_ns"], span["worker"], span["item"]


class Run:
    """A program that ended: what it printed, and the trace it left."""

    def __init__(self, process, folder):
        self.out, self.error, self.status = process.stdout, process.stderr, process.returncode
        self.folder = folder
        exported = map(whole, self.trace("export", "--format", "jsonl").splitlines())
        self.spans = sorted((span for span in exported if span["stage"] != RECORDER), key=place_in_time)
        causes = json.loads(self.trace("info", "--json"))["losses"]
        self.losses = {cause: count for cause, count in causes.items() if count > 0}

    def trace(self, command, *options):
        """What `venturi trace` prints of the trace."""
        return subprocess.run([BIN / "venturi", "trace", command, self.folder, *options], capture_output=True,
                              text=True, timeout=DEADLINE_S, check=True).stdout

    @property
    def answer(self):
        """What it printed as JSON."""
        return json.loads(self.out)

    def shown(self, *keys):
        """These of each span."""
        return [tuple(span[key] for key in keys) for span in self.spans]


class Host:
    def __init__(self, name, folder):
        self.python, self.environment = PYTHONS[name]
        self.folder = folder
        self.runs = 0

    def run(self, program, *arguments, recording=True, status=0, **environment):
        self.runs += 1
        folder = self.folder / str(self.runs)
        folder.mkdir()
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("VENTURI_")}
        tracing = {"VENTURI_TRACE": str(folder)} if recording else {}
        script = self.folder / f"{self.runs}.py"
        script.write_text(textwrap.dedent(program))
        process = subprocess.run([self.python, script, *arguments], capture_output=True, text=True, timeout=DEADLINE_S,
                                 check=False, cwd=self.folder,
                                 env={**inherited, **self.environment, **tracing, **environment})
        assert process.returncode == status, process.stderr
        return Run(process, folder)


@pytest.fixture(params=PYTHONS)
def host(request, tmp_path):
    return Host(request.param, tmp_path)


@pytest.fixture(params=[True, False], ids=["recording", "not recording"])
def recording(request):
    return request.param
