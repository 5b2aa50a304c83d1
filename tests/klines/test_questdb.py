# SPDX-License-Identifier: Apache-2.0
"""klines into a real QuestDB: the same rows as everywhere, queryable when it says so, and no half month."""

import re
import subprocess

import pytest
from archives import stored_months
from processes import wait_until

SINK = 5
FULL_MONTH = "2024-02"
MONTHS = ["2024-12", "2025-01"]


@pytest.fixture(scope="module")
def data(make_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    make_data("--from", FULL_MONTH, folder)
    return make_data("--from", MONTHS[0], "--months", len(MONTHS), "--rows-per-month", 2_000, folder)


@pytest.fixture
def empty(klines, questdb):
    """A server that holds nothing of ours, as options."""
    sink = ["--sink", "questdb", "--db", questdb.url]
    ended = klines("--reset", *sink)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    return sink


def said(ended):
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def check_failed(ended, *words):
    assert ended.returncode == SINK, (ended.returncode, ended.stderr)
    assert re.fullmatch(r"klines: questdb: [\x20-\x7e]+\n", ended.stderr)
    for word in words:
        assert word in ended.stderr


def test_a_full_month_is_the_same_in_both_sinks(klines, start_cdn, data, questdb, empty, tmp_path):
    run = ["--cdn", start_cdn(data), "--from", FULL_MONTH]
    loaded = said(klines(*run, *empty))
    assert questdb.sql("select count() from klines_btcusdt").split() == ['"count()"', str(29 * 24 * 60)]
    assert said(klines("--checksum", *empty)) == loaded
    assert said(klines(*run, "--db", tmp_path / "k.db")) == loaded
    assert said(klines("--checksum", "--db", tmp_path / "k.db")) == loaded


@pytest.mark.parametrize("settings", [["--batch=1999"], ["--batch=100"], ["--batch=44640"], ["--concurrency=2", "--overlap=1"],
                                      ["--streaming=1"], ["--streaming=1", "--overlap=1", "--keep-alive=1", "--batch=7"]], ids=" ".join)
def test_every_setting_moves_the_same_rows(klines, start_cdn, data, empty, settings):
    run = ["--cdn", start_cdn(data), "--from", MONTHS[0], "--months", len(MONTHS)]
    loaded = said(klines(*run, *empty, *settings))
    assert loaded == said(klines(*run, "--sink", "none"))
    assert loaded == said(klines("--checksum", *empty))


def test_every_value_arrives(klines, start_cdn, data, questdb, empty):
    said(klines("--cdn", start_cdn(data), "--from", MONTHS[0], "--months", len(MONTHS), *empty))
    columns = "cast(open_time as long), open, high, low, close, volume, quote_volume, taker_buy_volume, " \
              "taker_buy_quote_volume, cast(close_time as long), count"
    lines = questdb.sql(f"select {columns} from klines_btcusdt").split()[-2_000 * len(MONTHS):]
    rows = [line.split(",") for line in lines]
    seen = [(int(row[0]), *map(float, row[1:9]), int(row[9]), int(row[10])) for row in rows]
    assert seen == stored_months(data, MONTHS)


def test_loading_again_replaces_and_reset_removes(klines, start_cdn, data, empty):
    run = ["--cdn", start_cdn(data), "--from", MONTHS[0], "--months", len(MONTHS), *empty]
    loaded = said(klines(*run))
    assert said(klines(*run)) == loaded
    assert said(klines("--checksum", *empty)) == loaded
    said(klines("--reset", *empty))
    assert said(klines("--checksum", *empty)) == "rows 0 checksum 0000000000000000\n"
    assert said(klines(*run)) == loaded
    assert said(klines("--checksum", *empty)) == loaded


def test_a_shorter_month_replaces_a_longer_one(klines, make_data, start_cdn, empty, tmp_path):
    url = start_cdn(make_data("--rows-per-month", 90, tmp_path / "data"))
    assert said(klines("--cdn", url, *empty)).startswith("rows 90 ")
    make_data("--rows-per-month", 40, tmp_path / "data")
    assert said(klines("--cdn", url, *empty)).startswith("rows 40 ")
    assert said(klines("--checksum", *empty)).startswith("rows 40 ")


def test_a_failing_month_leaves_those_before_it(klines, start_cdn, data, questdb, empty, tmp_path):
    served = tmp_path / "served"
    served.mkdir()
    (served / f"BTCUSDT-1m-{MONTHS[0]}.zip").write_bytes((data / f"BTCUSDT-1m-{MONTHS[0]}.zip").read_bytes())
    ended = klines("--cdn", start_cdn(served), "--from", MONTHS[0], "--months", 2, *empty)
    assert ended.returncode == 3
    alone = said(klines("--cdn", start_cdn(served), "--from", MONTHS[0], "--sink", "none"))
    assert said(klines("--checksum", *empty)) == alone
    assert "true" not in questdb.sql("select loading from klines_btcusdt_months")


def test_a_table_of_another_shape_is_an_error(klines, questdb):
    sink = ["--sink", "questdb", "--db", questdb.url, "--symbol", "ODD"]
    questdb.sql("CREATE TABLE klines_odd (open_time TIMESTAMP, open DOUBLE) TIMESTAMP(open_time) PARTITION BY MONTH WAL", door="exec")
    questdb.sql("INSERT INTO klines_odd VALUES (0, 1)", door="exec")
    check_failed(klines("--checksum", *sink), "cannot read", "Invalid column: high")


def test_a_dead_server(klines, start_cdn, data, free_port):
    sink = ["--sink", "questdb", "--db", f"http://127.0.0.1:{free_port()}"]
    check_failed(klines("--cdn", start_cdn(data), "--from", MONTHS[0], *sink), "make its table")


def test_a_server_that_is_no_questdb(klines, start_cdn, data):
    url = start_cdn(data)
    check_failed(klines("--cdn", url, "--from", MONTHS[0], "--sink", "questdb", "--db", url), "404")


@pytest.mark.parametrize("victim", ["klines", "questdb"])
def test_killed_in_the_middle_of_a_month(programs, klines, start_cdn, data, questdb, empty, victim):
    """Batches of one row take a millisecond each, so there is time to see the half month and to strike."""
    url = start_cdn(data)
    whole = said(klines("--cdn", url, "--from", MONTHS[0], *empty))
    rows = f"select count() from klines_btcusdt where open_time in '{MONTHS[1]}'"
    command = [programs / "klines", "--cdn", url, "--from", MONTHS[1], *empty, "--batch=1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        wait_until(lambda: questdb.sql(rows).split()[1] != "0", "half a month")
        if victim == "klines":
            process.kill()
        else:
            questdb.kill()
        _, error = process.communicate(timeout=60)
    if victim == "questdb":
        assert process.returncode == SINK
        assert re.fullmatch(r"klines: questdb: .*half month.*\n", error)
        questdb.start()
    assert said(klines("--checksum", *empty)) == whole
    assert questdb.sql(rows).split()[1] == "0"
    said(klines("--cdn", url, "--from", MONTHS[1], *empty))
    assert questdb.sql(rows).split()[1] == "2000"
