# SPDX-License-Identifier: Apache-2.0
"""What every test of whole programs may use: the programs, CDNs, a scripted HTTP server, a QuestDB. Each fixture takes a
free port of its own and leaves no process behind."""

import contextlib
import http.server
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request

import pytest
from processes import DEADLINE_S, ROOT, stop, wait_until

@pytest.fixture(scope="session")
def programs():
    """The folder of the programs under test."""
    return pathlib.Path(os.environ.get("VENTURI_BIN", ROOT / "build/dev/bin")).resolve()


@pytest.fixture
def klines(programs):
    """Runs klines to its end."""

    def run(*arguments, env=None, **options):
        return subprocess.run([programs / "klines", *map(str, arguments)], capture_output=True, text=True,
                              timeout=DEADLINE_S, env={**os.environ, **(env or {})}, check=False, **options)

    return run


@pytest.fixture(scope="session")
def make_data(programs):
    """Runs klines-data to its end; the folder is the last argument."""

    def run(*arguments):
        subprocess.run([programs / "klines-data", *map(str, arguments[:-1]), "--out", arguments[-1]], check=True,
                       timeout=DEADLINE_S)
        return pathlib.Path(arguments[-1])

    return run


@contextlib.contextmanager
def running_cdn(programs, folder, *arguments):
    command = [programs / "venturi-cdn", *map(str, arguments), folder]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = process.stdout.readline().strip()
            assert url.startswith("http://127.0.0.1:")
            yield url, process
        finally:
            status = stop(process)
        assert status == 0


@pytest.fixture
def start_cdn(programs):
    """Starts a venturi-cdn on a folder and returns its address."""
    with contextlib.ExitStack() as started:
        yield lambda folder, *arguments: started.enter_context(running_cdn(programs, folder, *arguments))[0]


class ScriptedServer(http.server.ThreadingHTTPServer):
    """An HTTP server whose n-th answer is scripted; remembers the requests it saw."""

    daemon_threads = True

    def __init__(self, script):
        super().__init__(("127.0.0.1", 0), ScriptedHandler)
        self.script = script
        self.requests = []
        self.lock = threading.Lock()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request, client_address):
        """A client that goes away is part of the script."""


class ScriptedHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        with self.server.lock:
            number = len(self.server.requests)
            self.server.requests.append((self.path, dict(self.headers)))
        self.server.script(self, number)

    do_POST = do_GET

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in {"Content-Length": len(body), **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(body)

    def break_off(self):
        """Ends the connection in the middle of whatever was said."""
        self.wfile.flush()
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_):
        pass


@pytest.fixture
def scripted_server():
    """Starts a ScriptedServer: script(handler, number_of_the_request) answers."""
    started = []

    def start(script):
        server = ScriptedServer(script)
        started.append((server, threading.Thread(target=server.serve_forever, args=(0.02,))))
        started[-1][1].start()
        return server

    yield start
    for server, thread in started:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="session")
def free_port():
    """Gives out ports that nobody listens on."""

    def find():
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return probe.getsockname()[1]

    return find


class QuestDB:
    """A private server that can die and come back."""

    def __init__(self, root, port):
        self.root, self.port = root, port
        self.url = f"http://127.0.0.1:{port}"
        self.process = None

    def start(self):
        with open(self.root / "log", "ab") as log:
            self.process = subprocess.Popen([ROOT / "examples/klines/questdb-server", str(self.port), self.root / "data"],
                                            stdout=log, stderr=log)
        wait_until(self.ready, "QuestDB")

    def ready(self):
        assert self.process.poll() is None, (self.root / "log").read_text()
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            return urllib.request.urlopen(self.url + "/exec?query=select%201", timeout=5).status == 200

    def kill(self):
        stop(self.process, signal.SIGKILL)

    def sql(self, statement, door="exp"):
        """A query's answer as CSV; anything that is no query goes through the door "exec"."""
        query = urllib.parse.urlencode({"query": statement})
        return urllib.request.urlopen(f"{self.url}/{door}?{query}", timeout=DEADLINE_S).read().decode()


@pytest.fixture(scope="session")
def questdb(tmp_path_factory, free_port):
    """A running QuestDB; the jar is VENTURI_QUESTDB_JAR or Maven's."""
    jar = pathlib.Path.home() / ".m2/repository/org/questdb/questdb/9.3.4/questdb-9.3.4.jar"
    if not os.path.exists(os.environ.get("VENTURI_QUESTDB_JAR", jar)) or shutil.which("java") is None:
        pytest.skip("no Java or no QuestDB jar: see scripts/setup --tests")
    server = QuestDB(tmp_path_factory.mktemp("questdb"), free_port())
    try:
        server.start()
        yield server
    finally:
        if server.process is not None:
            stop(server.process)
