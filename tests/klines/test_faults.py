# SPDX-License-Identifier: Apache-2.0
"""What goes wrong outside ends klines with one line and its own exit status, and leaves each month whole or absent."""

import contextlib
import os
import re
import resource
import signal
import sqlite3
import subprocess
import time

import pytest
from archives import MONTHS, csv_name, csv_of, rows_in, stored_months, zip_name, zipped
from processes import wait_until

ROWS = 300
DOWNLOAD, DATA, SINK = 3, 4, 5
CREWS = [[], ["--concurrency=4"], ["--overlap=1"], ["--streaming=1"], ["--concurrency=3", "--overlap=1", "--streaming=1"]]
every_crew = pytest.mark.parametrize("crew", CREWS, ids=lambda crew: " ".join(crew) or "serial")


@pytest.fixture
def data(make_data, tmp_path):
    return make_data("--from", MONTHS[0], "--months", len(MONTHS), "--rows-per-month", ROWS, tmp_path / "data")


@pytest.fixture
def database(tmp_path):
    return tmp_path / "klines.db"


@pytest.fixture
def load(klines, database):
    def run(url, *arguments, **options):
        return klines("--cdn", url, "--from", MONTHS[0], "--months", len(MONTHS), "--db", database, *arguments, **options)

    return run


def check_failed(ended, status, *said):
    assert ended.returncode == status, (ended.returncode, ended.stderr)
    assert ended.stdout == ""
    assert re.fullmatch(r"klines: [\x20-\x7e]+\n", ended.stderr)
    for words in said:
        assert words in ended.stderr


# The network and the server


@every_crew
def test_a_missing_month_ends_the_run_at_its_turn(load, start_cdn, data, database, crew):
    (data / zip_name(MONTHS[2])).unlink()
    check_failed(load(start_cdn(data), "--batch=50", *crew), DOWNLOAD, "404", MONTHS[2])
    assert rows_in(database) == stored_months(data, MONTHS[:2])


def serve_files(data):
    """A script that answers as it should, with ranges."""

    def script(handler, _number):
        body = (data / handler.path.lstrip("/")).read_bytes()
        if "Range" not in handler.headers:
            return handler.answer(200, body, ETag='"v1"')
        first = int(re.fullmatch(r"bytes=(\d+)-", handler.headers["Range"]).group(1))
        return handler.answer(206, body[first:], ETag='"v1"', Content_Range=f"bytes {first}-{len(body) - 1}/{len(body)}")

    return script


def test_a_busy_server_is_given_the_time_it_asks_for(load, scripted_server, data, database):
    good = serve_files(data)
    times = []

    def script(handler, number):
        times.append(time.monotonic())
        if number == 0:
            handler.answer(503, b"busy", Retry_After="1")
        else:
            good(handler, number)

    server = scripted_server(script)
    assert load(server.url).returncode == 0
    assert times[1] - times[0] >= 1
    assert rows_in(database) == stored_months(data, MONTHS)


@pytest.mark.parametrize("status, tries", [(500, 3), (503, 3), (429, 3), (408, 3), (404, 1), (403, 1), (302, 1), (304, 1)])
def test_tries_are_counted(load, scripted_server, database, status, tries):
    server = scripted_server(lambda handler, _: handler.answer(status, b"no", Location="/elsewhere"))
    check_failed(load(server.url, "--retries=2"), DOWNLOAD, str(status))
    assert [path for path, _ in server.requests] == ["/" + zip_name(MONTHS[0])] * tries
    assert rows_in(database) == []


@every_crew
def test_a_broken_download_goes_on_where_it_broke(load, scripted_server, data, database, crew):
    good = serve_files(data)
    broken = set()

    def script(handler, number):
        if handler.path in broken:
            return good(handler, number)
        broken.add(handler.path)
        body = (data / handler.path.lstrip("/")).read_bytes()
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.send_header("ETag", '"v1"')
        handler.end_headers()
        handler.wfile.write(body[:1000])
        return handler.break_off()

    server = scripted_server(script)
    assert load(server.url, *crew).returncode == 0
    resumed = [headers for _, headers in server.requests if "Range" in headers]
    assert [headers["Range"] for headers in resumed] == ["bytes=1000-"] * len(MONTHS)
    assert {headers["If-Range"] for headers in resumed} == {'"v1"'}
    assert rows_in(database) == stored_months(data, MONTHS)


@every_crew
def test_a_server_without_ranges_does_as_well(load, scripted_server, data, database, crew):
    def script(handler, number):
        body = (data / handler.path.lstrip("/")).read_bytes()
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.send_header("ETag", f'"v{number}"')
        handler.end_headers()
        whole = [path for path, _ in server.requests].count(handler.path) > 2
        handler.wfile.write(body if whole else body[: 500 * (number % 3 + 1)])
        if not whole:
            handler.break_off()

    server = scripted_server(script)
    assert load(server.url, *crew).returncode == 0
    assert rows_in(database) == stored_months(data, MONTHS)


def test_a_range_from_elsewhere_is_refused(load, scripted_server, data, database):
    def script(handler, number):
        body = (data / handler.path.lstrip("/")).read_bytes()
        if number > 0:
            return handler.answer(206, body[900:], ETag='"v1"', Content_Range=f"bytes 900-{len(body) - 1}/{len(body)}")
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.send_header("ETag", '"v1"')
        handler.end_headers()
        handler.wfile.write(body[:1000])
        return handler.break_off()

    check_failed(load(scripted_server(script).url), DOWNLOAD)
    assert rows_in(database) == []


@every_crew
def test_resets_are_survived(load, start_cdn, data, database, crew):
    ended = load(start_cdn(data, "--reset", "60%", "--seed", 3), "--retries=30", *crew)
    assert ended.returncode == 0, ended.stderr
    assert rows_in(database) == stored_months(data, MONTHS)


@every_crew
def test_resets_without_end_are_not(load, start_cdn, data, database, crew):
    check_failed(load(start_cdn(data, "--reset", "100%"), "--retries=2", *crew), DOWNLOAD, "try 3 of 3")
    assert rows_in(database) == []


def test_more_downloads_than_the_server_takes_fail_or_wait_their_turn(load, start_cdn, data, database):
    ended = load(start_cdn(data, "--max-connections", 1), "--concurrency=4", "--retries=30")
    assert ended.returncode == 0, ended.stderr
    assert rows_in(database) == stored_months(data, MONTHS)


def test_a_dead_server(load, free_port, database):
    check_failed(load(f"http://127.0.0.1:{free_port()}", "--retries=1"), DOWNLOAD, "try 2 of 2")
    assert rows_in(database) == []


@pytest.mark.parametrize("first", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nPK"])
@pytest.mark.parametrize("crew", [[], ["--streaming=1"]], ids=["buffered", "streaming"])
def test_a_server_that_falls_silent(load, scripted_server, database, first, crew):
    def script(handler, _number):
        handler.wfile.write(first)
        handler.wfile.flush()
        handler.connection.settimeout(60)
        with contextlib.suppress(OSError):
            handler.connection.recv(1)  # until klines hangs up
        handler.close_connection = True

    check_failed(load(scripted_server(script).url, "--timeout=500ms", *crew), DOWNLOAD)
    assert rows_in(database) == []


@pytest.mark.parametrize("first", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"], ids=["header", "body"])
def test_a_server_that_drips(load, scripted_server, database, first):
    """Never silent for long, never done: only the deadline of the whole download ends it."""

    def script(handler, _number):
        handler.wfile.write(first or b"HTTP/1.1 200 OK\r\nX-Drip: ")
        with contextlib.suppress(OSError):
            while True:
                handler.wfile.write(b"x")
                handler.wfile.flush()
                time.sleep(0.01)
        handler.close_connection = True

    check_failed(load(scripted_server(script).url, "--timeout=500ms"), DOWNLOAD)
    assert rows_in(database) == []


def test_endless_bodies_are_cut(load, scripted_server, database):
    def script(handler, _number):
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        with contextlib.suppress(OSError):
            while True:
                handler.wfile.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")
        handler.close_connection = True

    check_failed(load(scripted_server(script).url), DOWNLOAD)
    assert rows_in(database) == []


@pytest.mark.parametrize("url", ["file:///etc", "ftp://127.0.0.1/x", "http://", "nosuch host"])
def test_an_address_that_is_none(load, url):
    check_failed(load(url, "--retries=0"), DOWNLOAD)


@pytest.mark.parametrize("sink", [["--sink", "none"], ["--sink", "questdb", "--db", "http://me:s3cret@127.0.0.1:1"]], ids=["cdn", "questdb"])
def test_passwords_are_not_shown(klines, sink):
    ended = klines("--cdn", "http://me:s3cret@127.0.0.1:1/x", "--retries=0", *sink)
    assert ended.returncode in (DOWNLOAD, SINK)
    assert "127.0.0.1:1" in ended.stderr
    assert "s3cret" not in ended.stderr


# Archives


def spoil(data, month, content):
    (data / zip_name(month)).write_bytes(content)


def with_wrong_crc(archive):
    crc = archive[14:18]
    assert archive.count(crc) == 2  # in front of the file and in the directory
    return archive.replace(crc, bytes(byte ^ 0xFF for byte in crc))


def with_flipped_byte(archive):
    middle = len(archive) // 2
    return archive[:middle] + bytes([archive[middle] ^ 0xFF]) + archive[middle + 1 :]


def encrypted(archive):
    flags = archive[6] | 1
    return archive[:6] + bytes([flags]) + archive[7:]


BAD_ARCHIVES = {
    "empty": (lambda good, text: b"", "format"),
    "no archive": (lambda good, text: text.encode(), "format"),
    "cut in the file": (lambda good, text: good[: len(good) // 2], ""),
    "cut in the header": (lambda good, text: good[:20], ""),
    "wrong CRC": (lambda good, text: with_wrong_crc(good), "CRC"),
    "flipped byte": (lambda good, text: with_flipped_byte(good), ""),
    "encrypted": (lambda good, text: encrypted(good), ""),
    "nothing in it": (lambda good, text: zipped(), ""),
    "another name": (lambda good, text: zipped(("other.csv", text)), "it holds 'other.csv'"),
    "escapes in its name": (lambda good, text: zipped(("\x1b[2J\n", text)), "it holds '?[2J?'"),
    "a path": (lambda good, text: zipped(("../" + csv_name(MONTHS[2]), text)), "it holds '../"),
    "absolute": (lambda good, text: zipped(("/" + csv_name(MONTHS[2]), text)), "it holds '/"),
    "a folder": (lambda good, text: zipped((csv_name(MONTHS[2]) + "/", "")), "it holds"),
    "a second file": (lambda good, text: zipped((csv_name(MONTHS[2]), text), ("more.csv", text)), "second file"),
    "twice the same": (lambda good, text: good[: good.rindex(b"PK\1\2")] * 2 + good[good.rindex(b"PK\1\2") :], "second file"),
}


@pytest.mark.parametrize("bad", BAD_ARCHIVES)
@every_crew
def test_a_bad_archive(load, start_cdn, data, database, tmp_path, crew, bad):
    text = csv_of(data, MONTHS[2])
    good = zipped((csv_name(MONTHS[2]), text))
    make, said = BAD_ARCHIVES[bad]
    spoil(data, MONTHS[2], make(good, text))
    check_failed(load(start_cdn(data), *crew), DATA, csv_name(MONTHS[2]), "bad archive", said)
    assert rows_in(database) == stored_months(data, MONTHS[:2])
    assert sorted(path.name for path in tmp_path.iterdir() if "klines.db" not in path.name) == ["data"]


@pytest.mark.parametrize("streaming", [0, 1])
def test_a_bomb_is_cut_at_the_size_of_a_month(programs, start_cdn, tmp_path, streaming):
    (tmp_path / "data").mkdir()
    spoil(tmp_path / "data", "2024-01", zipped((csv_name("2024-01"), bytes(400_000_000))))
    command = [programs / "klines", "--cdn", start_cdn(tmp_path / "data"), "--db", tmp_path / "k.db", f"--streaming={streaming}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        said = process.stderr.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == DATA
    assert re.fullmatch(r"klines: .*more than \d+ bytes\n", said)
    assert used.ru_maxrss * 1024 < 200_000_000
    assert rows_in(tmp_path / "k.db") == []


# Rows


def edit(line, column, value):
    fields = line.split(",")
    fields[column] = value
    return ",".join(fields)


BAD_ROWS = {
    "a field short": (lambda line: line.rsplit(",", 1)[0], "11 fields"),
    "cut": (lambda line: line[:5], "1 fields"),
    "a field more": (lambda line: line + ",0", "13 fields"),
    "empty": (lambda line: "", "1 fields"),
    "a header": (lambda line: "open_time,open,high,low,close,volume,close_time,quote_volume,count,a,b,ignore", "'open_time,"),
    "letters": (lambda line: edit(line, 3, "12x.00"), "12 numbers"),
    "no digits": (lambda line: edit(line, 5, ""), "12 numbers"),
    "a point alone": (lambda line: edit(line, 5, "."), "12 numbers"),
    "nothing behind the point": (lambda line: edit(line, 5, "1."), "12 numbers"),
    "nine decimals": (lambda line: edit(line, 5, "1.123456789"), "12 numbers"),
    "negative": (lambda line: edit(line, 1, "-1.00000000"), "12 numbers"),
    "not a number": (lambda line: edit(line, 1, "nan"), "12 numbers"),
    "an exponent": (lambda line: edit(line, 1, "1e5"), "12 numbers"),
    "hexadecimal": (lambda line: edit(line, 1, "0x10"), "12 numbers"),
    "a blank": (lambda line: edit(line, 8, " 5"), "12 numbers"),
    "nineteen digits": (lambda line: edit(line, 8, "9" * 19), "12 numbers"),
    "digits without end": (lambda line: edit(line, 8, "9" * 100_000), "12 numbers"),
    "a carriage return": (lambda line: line + "\r", "12 numbers"),
    "a NUL": (lambda line: edit(line, 4, "\0"), "5 fields"),
    "rubbish": (lambda line: "\x1b[31m" * 50, "1 fields"),
    "a time of another month": (lambda line: edit(line, 0, "1704067200000"), "not in the month"),
    "the wrong unit of time": (lambda line: edit(line, 0, line.split(",")[0] + "000"), "not in the month"),
    "a time far away": (lambda line: edit(line, 0, "9" * 18), ""),
}


@pytest.mark.parametrize("bad", BAD_ROWS)
def test_a_bad_row(load, start_cdn, data, database, bad):
    change, said = BAD_ROWS[bad]
    lines = csv_of(data, MONTHS[1]).split("\n")
    lines[199] = change(lines[199])
    spoil(data, MONTHS[1], zipped((csv_name(MONTHS[1]), "\n".join(lines))))
    check_failed(load(start_cdn(data), "--batch=50"), DATA, csv_name(MONTHS[1]), "line 200", said)
    assert rows_in(database) == stored_months(data, MONTHS[:1])


@pytest.mark.parametrize("change, said", [
    (lambda lines: "", "no rows"),
    (lambda lines: "\n".join([*lines, lines[-1], ""]), f"line {ROWS + 1}"),  # a row twice
    (lambda lines: "\n".join([lines[1], lines[0], *lines[2:], ""]), "line 2"),  # two in the wrong order
    (lambda lines: "\n".join(lines)[:-7], f"line {ROWS}"),  # cut in the last row
], ids=["empty", "twice", "order", "cut"])
def test_a_bad_month(load, start_cdn, data, database, change, said):
    lines = csv_of(data, MONTHS[1]).splitlines()
    spoil(data, MONTHS[1], zipped((csv_name(MONTHS[1]), change(lines))))
    check_failed(load(start_cdn(data)), DATA, said)
    assert rows_in(database) == stored_months(data, MONTHS[:1])


# The sink


def limit_files(size):
    """For preexec_fn: what a full disk looks like from inside."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


@pytest.mark.parametrize("journal", ["wal", "delete"])
@pytest.mark.parametrize("batch", [10, 44640])
def test_a_full_disk(load, klines, start_cdn, data, database, journal, batch):
    url = start_cdn(data)
    arguments = [f"--batch={batch}", f"--sqlite-journal={journal}"]
    stops = set()
    for size in range(20_000, 400_000, 45_000):
        database.unlink(missing_ok=True)
        ended = load(url, *arguments, preexec_fn=limit_files(size))
        if ended.returncode == 0:
            continue
        check_failed(ended, SINK, "sqlite")
        read = klines("--checksum", "--db", database)  # with room again: what was half goes
        assert read.returncode == 0, read.stderr
        rows = rows_in(database)
        assert rows == stored_months(data, MONTHS)[: len(rows)]
        assert len(rows) % ROWS == 0
        stops.add(len(rows))
    assert stops
    assert load(url, *arguments).returncode == 0
    assert rows_in(database) == stored_months(data, MONTHS)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 100 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100k", "klines-test", folder], capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("may not mount: the file size limit above is the same test")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_really_full_disk(klines, start_cdn, data, small_disk):
    url = start_cdn(data)
    database = small_disk / "k.db"
    arguments = ["--cdn", url, "--from", MONTHS[0], "--months", len(MONTHS), "--db", database, "--batch=20"]
    check_failed(klines(*arguments), SINK, "full")
    subprocess.run(["mount", "-o", "remount,size=10m", small_disk], check=True)
    assert klines("--checksum", "--db", database).returncode == 0
    rows = rows_in(database)
    assert len(rows) % ROWS == 0 and rows == stored_months(data, MONTHS)[: len(rows)]
    assert klines(*arguments).returncode == 0
    assert rows_in(database) == stored_months(data, MONTHS)


def test_a_database_that_is_none(load, start_cdn, data, database, tmp_path):
    url = start_cdn(data)
    database.write_text("not a database " * 100)
    check_failed(load(url), SINK, "not a database")
    assert database.read_text() == "not a database " * 100
    check_failed(load(url, "--db", tmp_path / "nosuch" / "k.db"), SINK, "unable to open")


def test_a_refused_row_takes_its_month_along(load, start_cdn, data, database):
    url = start_cdn(data)
    assert load(url).returncode == 0
    refused = stored_months(data, MONTHS)[ROWS + 200][0]
    with contextlib.closing(sqlite3.connect(database)) as db:
        db.execute(f"CREATE TRIGGER refuse BEFORE INSERT ON klines_btcusdt WHEN NEW.open_time = {refused} "
                   "BEGIN SELECT RAISE(ABORT, 'not this one'); END")
        db.execute("DELETE FROM klines_btcusdt")
        db.execute("DELETE FROM klines_btcusdt_months")
        db.commit()
    for arguments in ["--batch=50"], ["--batch=44640"], ["--batch=50", "--overlap=1", "--concurrency=4"]:
        check_failed(load(url, *arguments), SINK, "not this one")
        assert rows_in(database) == stored_months(data, MONTHS[:1])


def test_a_locked_database_is_waited_for_and_given_up(load, start_cdn, data, database):
    url = start_cdn(data)
    assert load(url).returncode == 0
    with contextlib.closing(sqlite3.connect(database)) as db:
        db.execute("BEGIN IMMEDIATE")
        check_failed(load(url), SINK, "locked")
        db.rollback()
    assert rows_in(database) == stored_months(data, MONTHS)


def test_a_killed_run_leaves_no_half_month(programs, klines, make_data, start_cdn, data, database):
    """Transactions of one row, so that there is time to see the half month and to strike."""
    url = start_cdn(make_data("--from", MONTHS[1], "--rows-per-month", 30_000, data))
    run = ["--cdn", url, "--db", database, "--batch=1"]
    assert klines(*run, "--from", MONTHS[0]).returncode == 0

    def half_loaded():
        with contextlib.closing(sqlite3.connect(database)) as db:
            return db.execute("SELECT max(open_time) > (SELECT first_us FROM klines_btcusdt_months WHERE NOT whole) "
                              "FROM klines_btcusdt").fetchone()[0]

    with subprocess.Popen([programs / "klines", *run, "--from", MONTHS[1]], stdout=subprocess.DEVNULL) as process:
        wait_until(half_loaded, "half a month")
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert klines("--checksum", "--db", database).returncode == 0
    assert rows_in(database) == stored_months(data, MONTHS[:1])
