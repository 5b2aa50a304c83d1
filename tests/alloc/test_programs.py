# SPDX-License-Identifier: Apache-2.0
"""Programs do the same with libventuri_alloc preloaded: the loader, static constructors, threads, forks, dlopen."""

import os
import shutil
import subprocess
import sys

import pytest

LIBRARY = os.environ["VENTURI_ALLOC_LIBRARY"]
DEADLINE_S = 60

COUNTERS = """
import ctypes
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
def allocations():
    count, size = ctypes.c_uint64(), ctypes.c_uint64()
    libc.venturi_allocations(ctypes.byref(count), ctypes.byref(size))
    return count.value, size.value
"""

PYTHON_AT_WORK = """
import bz2, ctypes, json, lzma, os, sqlite3, subprocess, sys, threading, zlib
def work(n):
    text = json.dumps(list(range(n))).encode()
    assert zlib.decompress(zlib.compress(text)) == lzma.decompress(lzma.compress(text)) == bz2.decompress(bz2.compress(text))
threads = [threading.Thread(target=work, args=(5000,)) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
ctypes.CDLL("libm.so.6")
child = os.fork()
if child == 0:
    work(100)
    os._exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
print(sqlite3.connect(":memory:").execute("select 6 * 7").fetchone(), subprocess.check_output(["echo", "child"]))
"""

SQL = """
create table t(a integer primary key, b text);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 20000) insert into t select i, hex(i * i) from n;
create index by_b on t(b);
select count(*), sum(length(b)), min(b), max(b) from t where b > '3';
"""


def run(command, preload, text=None):
    environment = {**os.environ, **({"LD_PRELOAD": LIBRARY} if preload else {})}
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=DEADLINE_S, env=environment, check=False)
    return done.returncode, done.stdout, done.stderr


PROGRAMS = {
    "python": ([sys.executable, "-c", PYTHON_AT_WORK], None),
    "sqlite": (["sqlite3"], SQL),
    "sort": (["sort", "--parallel=4", "-S", "1M"], "".join(f"{i * 7919 % 100003}\n" for i in range(100000))),
    "shell": (["sh", "-c", "for i in 1 2 3 4 5; do (echo $i | tr 1-5 a-e) & done; wait; cat /proc/self/comm"], None),
    "true": (["true"], None),
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_does_the_same(program):
    command, text = PROGRAMS[program]
    if shutil.which(command[0]) is None:
        pytest.skip(f"no {command[0]}")
    bare, counted = run(command, False, text), run(command, True, text)
    assert counted[0] == bare[0] == 0, counted
    assert sorted(counted[1].splitlines()) == sorted(bare[1].splitlines())
    assert counted[2] == bare[2]


def test_what_python_allocates_is_seen():
    program = COUNTERS + """
before = allocations()
block = libc.malloc(1000)
after = allocations()
libc.free(block)
assert before[0] > 100, before
assert after[0] - before[0] >= 1 and after[1] - before[1] >= 1000, (before, after)
big = bytearray(50_000_000)
assert allocations()[1] - after[1] >= 50_000_000
"""
    assert run([sys.executable, "-c", program], True) == (0, "", "")
