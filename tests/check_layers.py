#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The module rule: a room includes only rooms that its `venturi_module(... USES ...)` line names, all declared above it.

Run as `check_layers.py [ROOT]`. Prints one line for each broken rule, exit 1 if there is any. Before it judges the tree it
proves on a small tree of its own that it still goes red.
"""
import re
import sys
import tempfile
from pathlib import Path

RECORDER = ("span", "alloc")  # live in the user's process: libc, the public header and the bytes of the trace, nothing else of ours
RECORDER_MAY = {"venturi.h", "trace/format.h", "trace/record.h"}
STANDALONE = ("include/venturi.h", "src/trace/format.h")  # what the recorder shares: system headers only
CPP = "src/pipeline/toml_shim.cpp"
CPP_LINES = 300
# Tools and tests beside an example may use our base room; the example itself is a user's pipeline and has the public header only.
EXAMPLE_TOOLS = {"examples/klines/cdn", "examples/klines/maker"}
C_FILES = {".c", ".h", ".cpp"}
CPP_FILES = {".cpp", ".cc", ".cxx", ".hpp", ".hh", ".hxx"}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]*)"', re.M)
MODULE = re.compile(r"^venturi_module\((\w+)([^)]*)\)", re.M)
USES = re.compile(r"\bUSES\b((?:\s+(?!SOURCES\b|LINK\b|TESTS\b)\w+)*)")


def files(folder, suffixes):
    return sorted(path for path in folder.rglob("*") if path.suffix in suffixes) if folder.is_dir() else []


def includes(path):
    return INCLUDE.findall(path.read_text(encoding="utf-8"))


def read_rooms(root):
    """{room: rooms it uses} in the order of declaration, None for a room that does not say; and what is wrong with that."""
    rooms, wrong = {}, []
    order = re.findall(r"^add_subdirectory\((\w+)\)", (root / "src/CMakeLists.txt").read_text(), re.M)
    for room in order:
        listing = root / "src" / room / "CMakeLists.txt"
        text = listing.read_text() if listing.is_file() else ""
        module = MODULE.search(text)
        if module and module[1] != room:
            wrong.append(f"src/{room}/CMakeLists.txt: declares the module '{module[1]}'")
        uses = USES.search(module[2]) if module else None
        rooms[room] = set(uses[1].split()) if uses else set() if module or room in RECORDER else None
        for used in sorted(rooms[room] or ()):
            if used not in rooms or used == room:
                wrong.append(f"src/{room}/CMakeLists.txt: uses '{used}', which is not declared above it")
        if rooms[room] is None and files(root / "src" / room, C_FILES):
            wrong.append(f"src/{room}/CMakeLists.txt: has no venturi_module line")
    for folder in sorted(path.name for path in (root / "src").iterdir() if path.is_dir()):
        if folder not in rooms:
            wrong.append(f"src/{folder}: is not listed in src/CMakeLists.txt")
    return rooms, wrong


def why_not(root, room, uses, include):
    """Why a file of `room` may not include `include`; None when it may."""
    if room in RECORDER:
        allowed = include in RECORDER_MAY or include.startswith(room + "/")
        return None if allowed else f"the recorder may include only {', '.join(sorted(RECORDER_MAY))} and its own files"
    if "/" not in include:
        return "name the room, as in \"base/err.h\""
    other = include.split("/")[0]
    if not (root / "src" / include).is_file():
        return "there is no such file below src"
    if other != room and other not in uses:
        return f"the room '{room}' does not use '{other}'"
    return None


def check_rooms(root):
    rooms, wrong = read_rooms(root)
    for room, uses in rooms.items():
        for path in files(root / "src" / room, C_FILES) if uses is not None else []:
            for include in includes(path):
                reason = why_not(root, room, uses, include)
                if reason:
                    wrong.append(f"{path.relative_to(root)}: includes \"{include}\": {reason}")
    for name in STANDALONE:
        path = root / name
        for include in includes(path) if path.is_file() else []:
            wrong.append(f"{name}: includes \"{include}\": it may include system headers only")
    return wrong


def check_examples(root):
    wrong = []
    for example in sorted((root / "examples").glob("*/")) if (root / "examples").is_dir() else []:
        for path in files(example, C_FILES):
            tool = str(path.parent.relative_to(root)) in EXAMPLE_TOOLS or path.name.endswith("_test.c")
            for include in includes(path):
                own = (example / include).is_file() or (path.parent / include).is_file()
                base = tool and include.startswith("base/") and (root / "src" / include).is_file()
                if not own and not base and include != "venturi.h":
                    wrong.append(f"{path.relative_to(root)}: includes \"{include}\": an example has venturi.h and its own files")
    return wrong


def check_cpp(root):
    wrong = []
    for top in ("src", "include", "examples", "bench", "tests"):
        for path in files(root / top, CPP_FILES):
            if str(path.relative_to(root)) != CPP:
                wrong.append(f"{path.relative_to(root)}: is C++; the only C++ is {CPP}")
    lines = len((root / CPP).read_text().splitlines()) if (root / CPP).is_file() else 0
    if lines >= CPP_LINES:
        wrong.append(f"{CPP}: has {lines} lines; expected fewer than {CPP_LINES}")
    return wrong


def check(root):
    return check_rooms(root) + check_examples(root) + check_cpp(root)


GOOD = {
    "src/CMakeLists.txt": "add_subdirectory(base)\nadd_subdirectory(trace)\nadd_subdirectory(span)\nadd_subdirectory(lab)\n",
    "src/base/CMakeLists.txt": "venturi_module(base\n  USES\n  SOURCES err.c\n  LINK m)\n",
    "src/base/err.c": '#include "base/err.h"\n',
    "src/base/err.h": "#include <stddef.h>\n",
    "src/trace/CMakeLists.txt": "venturi_module(trace\n  USES base)\n",
    "src/trace/format.h": "#include <stdint.h>\n",
    "src/span/CMakeLists.txt": "add_library(venturi STATIC recorder.c)\n",
    "src/span/recorder.c": '#include "span/own.h"\n#include "trace/format.h"\n#include "venturi.h"\n',
    "src/span/own.h": "",
    "src/lab/CMakeLists.txt": "venturi_module(lab\n  USES base trace\n  TESTS lab_test.c)\n",
    "src/lab/lab.c": '#include "base/err.h"\n#include "trace/format.h"\n',
    "src/pipeline/.keep": "",
    "include/venturi.h": "#include <stdint.h>\n",
    "examples/klines/pipeline/main.c": '#include "pipeline/own.h"\n#include "venturi.h"\n',
    "examples/klines/pipeline/own.h": "",
    "examples/klines/cdn/main.c": '#include "base/err.h"\n',
}
# One change each to the good tree, and a part of the line that it must cost.
BAD = [
    ({"src/base/err.h": '#include "lab/lab.c"\n'}, "does not use 'lab'"),
    ({"src/trace/trace.c": '  #  include "lab/lab.c"\n'}, "does not use 'lab'"),
    ({"src/lab/lab.c": '#include "base/absent.h"\n'}, "no such file"),
    ({"src/lab/lab.c": '#include "nowhere/x.h"\n'}, "no such file"),
    ({"src/lab/lab.c": '#include "err.h"\n'}, "name the room"),
    ({"src/lab/lab.c": '#include "../base/err.h"\n'}, "no such file"),
    ({"src/lab/lab.c": '#include "venturi.h"\n'}, "name the room"),
    ({"src/lab/lab.c": '#include "span/own.h"\n'}, "does not use 'span'"),
    ({"src/span/own.h": '#include "base/err.h"\n'}, "the recorder may include only"),
    ({"src/trace/format.h": '#include "base/err.h"\n'}, "system headers only"),
    ({"include/venturi.h": '#include "trace/format.h"\n'}, "system headers only"),
    ({"src/base/CMakeLists.txt": "venturi_module(base USES lab)\n"}, "not declared above it"),
    ({"src/base/CMakeLists.txt": "venturi_module(base USES base)\n"}, "not declared above it"),
    ({"src/lab/CMakeLists.txt": "venturi_module(lab USES base nowhere)\n"}, "not declared above it"),
    ({"src/lab/CMakeLists.txt": "venturi_module(base USES trace)\n"}, "declares the module 'base'"),
    ({"src/lab/CMakeLists.txt": "add_library(lab lab.c)\n"}, "no venturi_module line"),
    ({"src/CMakeLists.txt": GOOD["src/CMakeLists.txt"].replace("add_subdirectory(lab)\n", "")}, "is not listed"),
    ({"examples/klines/pipeline/main.c": '#include "base/err.h"\n'}, "an example has venturi.h"),
    ({"examples/klines/cdn/main.c": '#include "lab/lab.c"\n'}, "an example has venturi.h"),
    ({"src/lab/more.cpp": ""}, "is C++"),
    ({"tests/more.hpp": ""}, "is C++"),
    ({CPP: "\n" * CPP_LINES}, "expected fewer than"),
]


def judge(tree):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in tree.items():
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return check(Path(folder))


def self_test():
    good = dict(GOOD, **{"src/CMakeLists.txt": GOOD["src/CMakeLists.txt"] + "add_subdirectory(pipeline)\n"})
    found = judge(good)
    assert found == [], found
    for change, expected in BAD:
        tree = dict(good, **change)
        found = judge(tree)
        assert any(expected in line for line in found), (change, expected, found)


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    self_test()
    wrong = check(root)
    print("\n".join(wrong) if wrong else f"{len(BAD)} planted faults found; the tree keeps the module rule")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
