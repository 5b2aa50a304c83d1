# SPDX-License-Identifier: Apache-2.0
"""venturi doctor on the machine as it is, whose noise may not decide a test, and on faults that are made on purpose."""

import json
import os
import resource
import signal
import socket
import subprocess

BAD = 5


def checks_of(ended):
    return {check["name"]: check for check in json.loads(ended.stdout)["checks"]}


def test_one_line_a_check_and_the_worst_decides(venturi):
    ended = venturi("doctor")
    lines = [line.split()[:2] for line in ended.stdout.splitlines()]
    assert {level for level, _ in lines} <= {"ok", "warn", "bad"}
    assert ended.returncode == (BAD if ["bad"] in [line[:1] for line in lines] else 0)
    document = json.loads(venturi("doctor", "--json").stdout)
    assert document["schema"] == "venturi.doctor/1"
    assert [check["name"] for check in document["checks"]] == [name for _, name in lines]
    assert document["machine"]["cores"] == os.cpu_count()
    for check in document["checks"]:
        assert bool(check["advice"]) == (check["level"] != "ok")


def test_a_limit_that_is_too_low_is_bad(venturi):
    ended = subprocess.run(["sh", "-c", 'ulimit -n 40; exec "$0" doctor --json', venturi.program], capture_output=True, text=True,
                           timeout=60, check=False)
    assert ended.returncode == BAD
    assert checks_of(ended)["files"]["level"] == "bad"
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 40


def test_the_file_its_programs_and_its_ports(venturi, small):
    ended = venturi("doctor", "pipeline.toml", "--json")
    assert checks_of(ended)["file"]["level"] == "ok"
    text = (small / "pipeline.toml").read_text()
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        (small / "taken.toml").write_text(text.replace("127.0.0.1:{port}/", f"127.0.0.1:{port}/"))
        ended = venturi("doctor", "taken.toml", "--json")
        assert ended.returncode == BAD
        assert checks_of(ended)["port"]["finding"] == f"{port} for the service cdn is taken"
    free = checks_of(venturi("doctor", "taken.toml", "--json"))["port"]
    assert (free["level"], free["finding"]) == ("ok", f"{port} for the service cdn is free")
    (small / "alone.toml").write_text(text.replace("127.0.0.1:{cdn.port}", f"127.0.0.1:{port}"))
    assert checks_of(venturi("doctor", "alone.toml", "--json"))["port"]["level"] == "warn"
    (small / "broken.toml").write_text(text.replace('"bin/klines", "--cdn"', '"bin/nothing", "--cdn"'))
    ended = venturi("doctor", "broken.toml", "--json")
    assert ended.returncode == 2 and "bin/nothing" in checks_of(ended)["file"]["finding"]
    assert "bin/nothing" in ended.stderr


def test_leftovers_of_a_dead_venturi_are_found(venturi):
    owner = subprocess.run(["sh", "-c", "stat -L -c %i /proc/self/ns/pid; echo $$"], capture_output=True, text=True, check=True)
    namespace, pid = owner.stdout.split()
    left = subprocess.Popen(["sleep", "60"], env={"VENTURI_OWNER": f"{namespace}.{pid}.1"})
    try:
        check = checks_of(venturi("doctor", "--json"))["leftovers"]
        assert check["level"] == "warn" and str(left.pid) in check["finding"]
    finally:
        left.send_signal(signal.SIGKILL)
        left.wait()


def test_without_namespaces_it_says_what_that_means(venturi):
    without = ["setpriv", "--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin"] if os.geteuid() == 0 else []
    ended = subprocess.run([*without, venturi.program, "doctor", "--json"], capture_output=True, text=True, timeout=60, check=False)
    check = checks_of(ended)["namespaces"]
    assert check["level"] == "warn" and "leftovers" not in check["finding"] and "live on" in check["advice"]
