#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No function has more than 70 lines, its signature included.

Run as `check_functions.py [ROOT]`; exit 1 if one is longer. It relies on the formatter (`make lint` checks that): the braces of
a function stand alone in the first column, those of everything else do not.
"""
import sys
from pathlib import Path

LIMIT = 70
FOLDERS = ("src", "include", "examples", "bench")
SHOWN = 5


def functions(text):
    """(length in lines, first line, signature) of each function."""
    lines = text.splitlines()
    start = None
    for number, line in enumerate(lines):
        if line == "{":
            start = number - 1
            while start > 0 and lines[start].startswith(" "):  # a signature of several lines
                start -= 1
            if lines[start].startswith(("namespace", "extern")):
                start = None
        elif line == "}" and start is not None:
            yield number - start + 1, start + 1, lines[start]
            start = None


def check(root):
    found = []
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".c", ".h", ".cpp"):
                found += [(*one, path.relative_to(root)) for one in functions(path.read_text(encoding="utf-8"))]
    return sorted(found, key=lambda one: (-one[0], str(one[3]), one[1]))


def self_test():
    body = "    x();\n"
    short = "int f(void)\n{\n" + body * 67 + "}\n"
    assert [one[0] for one in functions(short)] == [70]
    cases = [
        (short.replace(body, body * 2, 1), [71]),
        ("/* Why. */\nstatic void g(int a,\n              int b)\n{\n" + body + "}\n", [5]),
        ("static const int t[] = {\n" + "    1,\n" * 100 + "};\n", []),
        ("struct s {\n" + "    int x;\n" * 100 + "};\n", []),
        ("namespace\n{\n" + body * 100 + "int f(void)\n{\n    if (x) {\n    }\n}\n} // namespace\n", [5]),
        (short + "\n" + short, [70, 70]),
    ]
    for text, expected in cases:
        assert [one[0] for one in functions(text)] == expected, (text[:80], expected, list(functions(text)))


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    self_test()
    found = check(root)
    for length, line, signature, path in found[:SHOWN]:
        print(f"{length:4} lines  {path}:{line}: {signature}")
    too_long = [one for one in found if one[0] > LIMIT]
    for length, line, signature, path in too_long:
        print(f"{path}:{line}: {length} lines; expected at most {LIMIT}")
    print(f"{len(found)} functions, {len(too_long)} over {LIMIT} lines")
    return 1 if too_long or not found else 0


if __name__ == "__main__":
    sys.exit(main())
