# SPDX-License-Identifier: Apache-2.0
"""The bench calls a missed goal a missed goal. It times nothing here."""
import importlib.util

import pytest
from processes import ROOT

spec = importlib.util.spec_from_file_location("bench", ROOT / "bench/python/bench.py")
bench = importlib.util.module_from_spec(spec)
spec.loader.exec_module(bench)

MET = {"two clock readings": 100.0, "begin, end": 59.0, "lap": 39.0, "a loop": 4.0, "each": 28.0, "with": 90.0,
       "OpenTelemetry SDK": 9100.0}


def times(**changed):
    """The same in every round, with one round that was disturbed."""
    found = {**MET, **{name.replace("_", " "): value for name, value in changed.items()}}
    return {case: [value] * 10 + [100 * value] for case, value in found.items()}


def test_met(capsys):
    assert bench.judge(times())
    assert capsys.readouterr().out.count(": met") == len(bench.GOALS)


@pytest.mark.parametrize("case, value", [("lap", 41.0), ("each", 30.0), ("with", 92.0), ("two clock readings", 97.0)])
def test_missed(capsys, case, value):
    assert not bench.judge(times(**{case: value}))
    assert ": MISSED" in capsys.readouterr().out


def test_no_rival(capsys):
    known = times()
    del known["OpenTelemetry SDK"]
    assert bench.judge(known)
    bench.show({**{case: [1.0] for case in bench.CASES if case != "OpenTelemetry SDK"}, **known})
    shown = capsys.readouterr().out
    assert "with: OpenTelemetry SDK is not installed" in shown and "not installed" in shown.splitlines()[-1]


def test_too_few_rounds(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["bench.py", "10"])
    with pytest.raises(SystemExit) as stopped:
        bench.main()
    assert stopped.value.code == 2
    assert "at least 11 rounds" in capsys.readouterr().err
