# SPDX-License-Identifier: Apache-2.0
"""klines: every setting of every knob moves the same rows."""

import re

import pytest
from archives import MONTHS, csv_of, rows_in, stored_months, zip_name, zipped

ROWS = 700  # a month, small enough to run dozens of times
RESULT = re.compile(r"rows (\d+) checksum ([0-9a-f]{16})\n")


@pytest.fixture(scope="module")
def data(make_data, tmp_path_factory):
    return make_data("--from", MONTHS[0], "--months", len(MONTHS), "--rows-per-month", ROWS, tmp_path_factory.mktemp("data"))


@pytest.fixture
def load(klines, start_cdn, data, tmp_path):
    """Loads all months into tmp_path/klines.db and returns what klines said."""
    url = start_cdn(data, "--first-byte", "2ms", "--rate", "20MB/s")

    def run(*arguments, sink=("--db", tmp_path / "klines.db"), **options):
        return klines("--cdn", url, "--from", MONTHS[0], "--months", len(MONTHS), *sink, *arguments, **options)

    return run


@pytest.fixture(scope="module")
def expected(data):
    return stored_months(data, MONTHS)


def result(ended):
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    rows, checksum = RESULT.fullmatch(ended.stdout).groups()
    return int(rows), checksum


SETTINGS = [
    [], ["--concurrency=2"], ["--concurrency=4"], ["--concurrency=64"], ["--overlap=1"], ["--streaming=1"], ["--keep-alive=1"],
    ["--concurrency=3", "--overlap=1"], ["--concurrency=2", "--streaming=1"], ["--overlap=1", "--streaming=1"],
    ["--concurrency=4", "--overlap=1", "--streaming=1", "--keep-alive=1"], ["--batch=1"], ["--batch=7"], ["--batch=699"],
    ["--batch=700"], ["--batch=701"], ["--insert=multi"], ["--insert=multi", "--batch=33"], ["--insert=unprepared"],
    ["--sqlite-journal=delete"], ["--sqlite-journal=truncate"], ["--sqlite-journal=persist"], ["--sqlite-synchronous=off"],
    ["--sqlite-synchronous=full", "--sqlite-journal=delete", "--batch=100"],
]


@pytest.mark.parametrize("settings", SETTINGS, ids=" ".join)
def test_every_setting_moves_the_same_rows(load, klines, tmp_path, expected, settings):
    loaded = result(load(*settings))
    assert loaded[0] == len(MONTHS) * ROWS
    assert loaded == result(load(sink=["--sink", "none"]))
    assert loaded == result(klines("--checksum", "--db", tmp_path / "klines.db"))
    assert rows_in(tmp_path / "klines.db") == expected


def test_the_checksum_sees_every_value(klines, start_cdn, data, tmp_path):
    month, text = MONTHS[-1], csv_of(data, MONTHS[-1])
    url = start_cdn(tmp_path)

    def checksum(content):
        (tmp_path / zip_name(month)).write_bytes(zipped((f"BTCUSDT-1m-{month}.csv", content)))
        return result(klines("--cdn", url, "--from", month, "--sink", "none"))

    lines = text.splitlines(keepends=True)
    original = checksum(text)
    seen = {original}
    for column in range(11):
        fields = lines[300].split(",")
        fields[column] = fields[column].replace(fields[column][-1], str((int(fields[column][-1]) + 1) % 10)) \
            if column not in (0, 6) else str(int(fields[column]) + 1)
        seen.add(checksum("".join([*lines[:300], ",".join(fields), *lines[301:]])))
    assert len(seen) == 12
    # Two months that hold the same values in other rows are not the same.
    swapped = [line.split(",") for line in lines[:2]]
    swapped[0][1:], swapped[1][1:] = swapped[1][1:], swapped[0][1:]
    assert checksum("".join([*map(",".join, swapped), *lines[2:]])) not in seen


def test_decimals_are_the_nearest_doubles(klines, start_cdn, tmp_path):
    values = ["0.00000001", "0.1", "12345678.12345678", "99999999.99999999", "9007199254.7409930", "1234567890.12345678", "7", "0.30000000"]
    line = ",".join(["1704067200000", *values[:5], "1704067259999", values[5], "3", values[6], values[7], "0"])
    (tmp_path / zip_name("2024-01")).write_bytes(zipped(("BTCUSDT-1m-2024-01.csv", line)))  # and no newline at its end
    assert result(klines("--cdn", start_cdn(tmp_path), "--db", tmp_path / "k.db"))[0] == 1
    assert rows_in(tmp_path / "k.db")[0][1:9] == tuple(map(float, values))


def test_loading_again_replaces_and_reset_removes(load, klines, tmp_path, expected):
    first = result(load("--batch=100"))
    assert result(load("--concurrency=4")) == first
    assert rows_in(tmp_path / "klines.db") == expected
    ended = klines("--reset", "--db", tmp_path / "klines.db")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    assert result(klines("--checksum", "--db", tmp_path / "klines.db")) == (0, "0" * 16)
    assert result(load()) == first


def test_reset_leaves_the_file_as_if_new(load, klines, tmp_path):
    database = tmp_path / "klines.db"

    def after_reset(*settings):
        result(load(*settings))
        assert klines("--reset", "--db", database).returncode == 0
        header = database.read_bytes()[:100]
        return database.stat().st_size, header[18:20]  # 1 = rollback journal, 2 = write-ahead log

    assert after_reset("--sqlite-journal=wal") == after_reset("--sqlite-journal=delete")


def test_a_shorter_month_replaces_a_longer_one(klines, make_data, start_cdn, tmp_path):
    sink = ["--db", tmp_path / "k.db"]
    url = start_cdn(make_data("--rows-per-month", 90, tmp_path / "data"))
    assert result(klines("--cdn", url, *sink))[0] == 90
    make_data("--rows-per-month", 40, tmp_path / "data")
    assert result(klines("--cdn", url, *sink))[0] == 40
    assert len(rows_in(tmp_path / "k.db")) == 40


def test_downloads_wait_for_a_slow_sink(klines, make_data, start_cdn, tmp_path):
    """Far more months than the queues hold, and a transaction a row."""
    months = 30
    url = start_cdn(make_data("--months", months, "--rows-per-month", 10, tmp_path / "data"))
    run = ["--cdn", url, "--months", months]
    slow = ["--batch=1", "--sqlite-synchronous=full", "--sqlite-journal=delete", "--db", tmp_path / "k.db"]
    expected = result(klines(*run, "--sink", "none"))
    for crew in ["--concurrency=8"], ["--concurrency=8", "--overlap=1"], ["--overlap=1", "--streaming=1"]:
        assert result(klines(*run, *slow, *crew)) == expected


def test_a_symbol_is_a_table_of_its_own(klines, make_data, start_cdn, tmp_path):
    url = start_cdn(make_data("--symbols", "BTCUSDT,ETHUSDT", "--rows-per-month", 50, tmp_path / "data"))
    database = ["--db", tmp_path / "k.db"]
    btc = result(klines("--cdn", url, *database))
    eth = result(klines("--cdn", url, "--symbol", "ETHUSDT", *database))
    assert btc != eth
    assert klines("--reset", "--symbol", "ETHUSDT", *database).returncode == 0
    assert result(klines("--checksum", *database)) == btc
    assert len(rows_in(tmp_path / "k.db")) == 50


def test_streaming_extracts_while_the_download_arrives(klines, start_cdn, make_data, tmp_path):
    """The archive is larger than the pipe between the two, so none of them could do its work first."""
    url = start_cdn(make_data("--rows-per-month", 20_000, tmp_path / "data"), "--rate", "4MB/s")
    assert result(klines("--cdn", url, "--streaming=1", "--sink", "none"))[0] == 20_000


@pytest.mark.parametrize("arguments", [
    [], ["--cdn", "http://x"], ["--cdn", "http://x", "--db", "k.db", "--months", "0"], ["--nosuch"], ["--checksum"],
    ["--cdn", "http://x", "--db", "k.db", "--concurrency", "0"], ["--cdn", "http://x", "--db", "k.db", "--batch", "0"],
    ["--cdn", "http://x", "--db", "k.db", "--sink", "oracle"], ["--cdn", "http://x", "--db", "k.db", "--symbol", "a;b"],
    ["--cdn", "http://x", "--db", "k.db", "--from", "2024-1"], ["--cdn", "http://x", "--db", "k.db", "--overlap", "2"],
    ["--cdn", "http://x", "--db", "k.db", "--sqlite-journal", "off"], ["--cdn", "http://x", "--db", "k.db", "operand"],
    ["--reset", "--checksum", "--db", "k.db"], ["--checksum", "--sink", "none"]])
def test_wrong_usage_is_one_line(klines, tmp_path, arguments):
    ended = klines(*arguments, cwd=tmp_path)
    assert ended.returncode == 2
    assert re.fullmatch(r"klines: .+\n", ended.stderr)
    assert list(tmp_path.iterdir()) == []


def test_help_says_everything(klines):
    ended = klines("--help")
    assert ended.returncode == 0 and ended.stderr == ""
    for said in ["--concurrency", "--streaming", "Exit status", "5 sink failed"]:
        assert said in ended.stdout
    assert klines("--version").stdout.startswith("klines ")
