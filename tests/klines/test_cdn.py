# SPDX-License-Identifier: Apache-2.0
"""venturi-cdn. Times are asserted as lower bounds and as order, never as upper bounds."""

import concurrent.futures
import http.client
import os
import re
import signal
import subprocess
import time
import urllib.parse

import pytest
from processes import stop, wait_until

BODY = bytes(range(256)) * 400  # 102,400 bytes


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "served"
    folder.mkdir()
    (folder / "file.zip").write_bytes(BODY)
    (folder / "empty").touch()
    return folder


class Client:
    """One connection."""

    def __init__(self, url):
        self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=60)

    def ask(self, path="/file.zip", method="GET", **headers):
        self.connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        response = self.connection.getresponse()
        response.body = response.read()
        return response

    def timed(self, *arguments, **headers):
        start = time.monotonic()
        response = self.ask(*arguments, **headers)
        return time.monotonic() - start, response


def test_get_head_and_keep_alive(start_cdn, folder):
    client = Client(start_cdn(folder))
    whole = client.ask()
    socket = client.connection.sock
    assert (whole.status, whole.body, whole.getheader("Accept-Ranges")) == (200, BODY, "bytes")
    head = client.ask(method="HEAD")
    assert (head.status, head.body, head.getheader("Content-Length")) == (200, b"", str(len(BODY)))
    assert (client.ask("/empty").status, client.ask("/health").body) == (200, b"ok\n")
    assert client.connection.sock is socket


@pytest.mark.parametrize("asked, status, first, last", [
    ("bytes=0-0", 206, 0, 0), ("bytes=100-199", 206, 100, 199), ("bytes=102399-", 206, 102399, 102399),
    ("bytes=-5", 206, 102395, 102399), ("bytes=-999999", 206, 0, 102399), ("bytes=5-999999", 206, 5, 102399),
    ("bytes=102400-", 416, 0, 0), ("bytes=-0", 416, 0, 0), ("bytes=9-5", 200, 0, 102399), ("bytes=x", 200, 0, 102399),
    ("bytes=", 200, 0, 102399), ("bytes=-", 200, 0, 102399), ("bytes=0-1,3-4", 200, 0, 102399),
    ("bytes=99999999999999999999-", 416, 0, 0), ("bytes= 1-2", 200, 0, 102399), ("lines=0-1", 200, 0, 102399)])
def test_ranges(start_cdn, folder, asked, status, first, last):
    part = Client(start_cdn(folder)).ask(Range=asked)
    assert part.status == status
    if status != 416:
        assert part.body == BODY[first : last + 1]
        assert part.getheader("Content-Range") == (f"bytes {first}-{last}/102400" if status == 206 else None)


def test_a_range_of_another_version_is_the_whole_file(start_cdn, folder):
    client = Client(start_cdn(folder))
    tag = client.ask().getheader("ETag")
    assert client.ask(Range="bytes=5-", If_Range=tag).status == 206
    (folder / "file.zip").write_bytes(BODY + b"more")
    assert client.ask(Range="bytes=5-", If_Range=tag).body == BODY + b"more"


def test_only_regular_files_directly_inside(start_cdn, folder, tmp_path):
    (tmp_path / "secret").write_text("secret")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / ".hidden").write_text("secret")
    (folder / "sub").mkdir()
    (folder / "sub/file").write_text("secret")
    os.mkfifo(folder / "fifo")
    client = Client(start_cdn(folder))
    for path in ("/", "/nosuch", "/link", "/.hidden", "/sub", "/sub/file", "/fifo", "/../secret", "/..%2fsecret", "/%2e%2e/secret",
                 "//file.zip", "/./file.zip", "/file.zip/", "/" + "x" * 3000):
        answer = client.ask(path)
        assert (answer.status, b"secret" in answer.body) == (404, False), path
    assert client.ask("/file.zip").status == 200
    assert client.ask(method="DELETE").status == 405


def test_delays_add_up(start_cdn, folder):
    client = Client(start_cdn(folder, "--first-byte", "50ms", "--connect", "200ms", "--rate", "1MB/s"))
    body_s = len(BODY) / 1e6
    first, _ = client.timed()
    second, _ = client.timed()
    assert first >= 0.25 + body_s
    assert second >= 0.05 + body_s
    assert second < first  # the connection was paid for
    part, _ = client.timed(Range="bytes=0-9")
    assert 0.05 <= part < second


def test_the_slow_tail_and_jitter_come_on_top(start_cdn, folder):
    slow, _ = Client(start_cdn(folder, "--first-byte", "50ms", "--rate", "1MB/s", "--slow-tail", "100%:3")).timed()
    assert slow >= 3 * (0.05 + len(BODY) / 1e6)
    url = start_cdn(folder, "--jitter", "40ms", "--seed", "4")
    client = Client(url)
    assert max(client.timed("/empty")[0] for _ in range(8)) >= 0.02


def test_the_link_is_shared_and_connections_are_not(start_cdn, folder):
    def fetch_four(url):
        start = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            assert all(answer.body == BODY for answer in pool.map(lambda _: Client(url).ask(), range(4)))
        return time.monotonic() - start

    shared = fetch_four(start_cdn(folder, "--link-rate", "500kB/s"))
    assert shared >= 4 * len(BODY) / 500e3
    own = fetch_four(start_cdn(folder, "--rate", "500kB/s"))
    assert len(BODY) / 500e3 <= own < shared


def test_a_slow_answer_delays_nobody_else(start_cdn, folder):
    url = start_cdn(folder, "--rate", "50kB/s")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        slow = pool.submit(Client(url).ask)
        assert Client(url).ask("/empty").status == 200
        assert Client(url).ask("/health").status == 200
        assert not slow.done()
        assert slow.result().body == BODY


def test_beyond_the_connection_limit_503(start_cdn, folder):
    url = start_cdn(folder, "--max-connections", "1")
    first, second = Client(url), Client(url)
    assert first.ask().status == 200
    refused = second.ask()
    assert (refused.status, refused.getheader("Retry-After")) == (503, "1")
    assert second.ask("/health").status == 200
    first.connection.close()
    wait_until(lambda: second.ask().status == 200, "free seat")


def arrives(url):
    try:
        return Client(url).ask().body == BODY
    except (http.client.IncompleteRead, ConnectionError):
        return False


def fates(url, count):
    return [arrives(url) for _ in range(count)]


def test_resets_strike_in_the_middle_and_by_the_seed(start_cdn, folder):
    arguments = ["--reset", "50%", "--seed", "7"]
    seen = fates(start_cdn(folder, *arguments), 20)
    assert 3 < sum(seen) < 17
    assert fates(start_cdn(folder, *arguments), 20) == seen
    assert not any(fates(start_cdn(folder, "--reset", "100%"), 5))
    assert all(fates(start_cdn(folder), 5))


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_in_the_middle_of_everything(programs, folder, how):
    command = [programs / "venturi-cdn", "--first-byte", "1000s", "--rate", "1B/s", folder]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        url = process.stdout.readline().strip()
        waiting = Client(url)
        waiting.connection.request("GET", "/file.zip")
        assert Client(url).ask("/health").status == 200
        assert stop(process, how) == 0


@pytest.mark.parametrize("arguments", [[], ["a", "b"], ["--rate", "fast", "."], ["--rate", "-1MB/s", "."], ["--rate", "3.1", "."],
                                       ["--first-byte", "120", "."], ["--port", "70000", "."], ["--slow-tail", "1%", "."],
                                       ["--slow-tail", "1%:0.5", "."], ["--reset", "101%", "."], ["--seed", "-1", "."],
                                       ["--nosuch", "."], ["--rate"], ["nosuch-folder"]])
def test_wrong_usage_is_one_line(programs, tmp_path, arguments):
    ended = subprocess.run([programs / "venturi-cdn", *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=60,
                           check=False)
    assert ended.returncode == 2
    assert re.fullmatch(r"venturi-cdn: .+\n", ended.stderr)


def test_a_taken_port_is_one_line(programs, start_cdn, folder):
    port = start_cdn(folder).rsplit(":", 1)[1]
    ended = subprocess.run([programs / "venturi-cdn", "--port", port, folder], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert re.fullmatch(r"venturi-cdn: 127.0.0.1.*cannot listen.*\n", ended.stderr)
