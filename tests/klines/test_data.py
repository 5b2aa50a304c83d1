# SPDX-License-Identifier: Apache-2.0
"""klines-data: archives as Binance publishes them, the same bytes for the same seed."""

import hashlib
import re
import subprocess
import zipfile

import pytest

DECIMAL = r"\d+\.\d{8}"
ROW = re.compile(rf"\d+,{DECIMAL},{DECIMAL},{DECIMAL},{DECIMAL},{DECIMAL},\d+,{DECIMAL},\d+,{DECIMAL},{DECIMAL},0")


def digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def rows_of(path):
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == [path.stem + ".csv"]
        assert archive.testzip() is None
        text = archive.read(path.stem + ".csv").decode()
    assert text.endswith("\n")
    return text.splitlines()


def test_a_month_is_whole_and_well_formed(make_data, tmp_path):
    path = make_data(tmp_path) / "BTCUSDT-1m-2024-01.zip"
    assert 2_000_000 < path.stat().st_size < 2_300_000
    rows = rows_of(path)
    assert len(rows) == 44_640
    assert all(ROW.fullmatch(row) for row in rows)
    for number, row in enumerate(rows):
        fields = row.split(",")
        assert int(fields[0]) == 1_704_067_200_000 + number * 60_000
        assert int(fields[6]) == int(fields[0]) + 59_999
        opened, high, low, closed, volume = map(float, fields[1:6])
        assert low <= opened <= high and low <= closed <= high and 0 < low
        assert float(fields[9]) <= volume
        assert low * volume * 0.999 <= float(fields[7]) <= high * volume * 1.001


def test_it_is_a_walk(make_data, tmp_path):
    rows = [row.split(",") for row in rows_of(make_data("--rows-per-month", 1000, tmp_path) / "BTCUSDT-1m-2024-01.zip")]
    assert all(before[4] == after[1] for before, after in zip(rows, rows[1:]))
    assert len({row[4] for row in rows}) > 900


def test_the_same_seed_gives_the_same_bytes(make_data, tmp_path, monkeypatch):
    few = ["--rows-per-month", 50]
    first = digests(make_data(*few, "--months", 3, "--symbols", "BTCUSDT,ETHUSDT", tmp_path / "a"))
    assert len(first) == 6 and len(set(first.values())) == 6
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert digests(make_data(*few, "--months", 3, "--symbols", "BTCUSDT,ETHUSDT", tmp_path / "b")) == first
    opens = {rows_of(path)[0].split(",")[1] for path in (tmp_path / "a").iterdir()}
    assert len(opens) == 6
    # A month does not depend on what is made beside it.
    alone = digests(make_data(*few, "--from", "2024-02", "--symbols", "ETHUSDT", tmp_path / "c"))
    assert alone.items() <= first.items()
    other = digests(make_data(*few, "--months", 3, "--symbols", "BTCUSDT,ETHUSDT", "--seed", 2, tmp_path / "d"))
    assert not set(other.values()) & set(first.values())


@pytest.mark.parametrize("month, start, step, rows", [("2024-02", 1_706_745_600_000, 60_000, 41_760),
                                                      ("2024-12", 1_733_011_200_000, 60_000, 44_640),
                                                      ("2025-01", 1_735_689_600_000_000, 60_000_000, 44_640),
                                                      ("2025-02", 1_738_368_000_000_000, 60_000_000, 40_320)])
def test_milliseconds_until_2024_microseconds_since(make_data, tmp_path, month, start, step, rows):
    lines = rows_of(make_data("--from", month, tmp_path) / f"BTCUSDT-1m-{month}.zip")
    assert len(lines) == rows
    assert int(lines[0].split(",")[0]) == start
    assert int(lines[1].split(",")[0]) == start + step
    assert int(lines[0].split(",")[6]) == start + step - 1


@pytest.mark.parametrize("arguments", [["--months", "0"], ["--months", "x"], ["--from", "2024-13"], ["--from", "24-01"],
                                       ["--symbols", "../x"], ["--rows-per-month", "0"], ["--nosuch"], ["--out"], ["operand"]])
def test_wrong_usage_is_one_line(programs, tmp_path, arguments):
    ended = subprocess.run([programs / "klines-data", *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert re.fullmatch(r"klines-data: .+\n", ended.stderr)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_no_half_archive(programs, tmp_path):
    ended = subprocess.run(["bash", "-c", 'trap "" XFSZ; ulimit -f 100; exec "$0" --out out', programs / "klines-data"],
                           cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert re.fullmatch(r"klines-data: .+\n", ended.stderr)
    assert list((tmp_path / "out").iterdir()) == []
