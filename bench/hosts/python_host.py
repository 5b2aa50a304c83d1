# SPDX-License-Identifier: Apache-2.0
"""A Python program as a user would mark it: csv, json and zlib, a hundred rows at a time.

    python_host.py CHUNKS RESULT     RESULT gets the CRC-32 of everything that was compressed
"""
import csv
import io
import json
import random
import sys
import zlib

import venturi

ROWS = 100
NAMES = ["time", "open", "high", "low", "close", "volume", "trades"]
SOURCES = 20  # different chunks; they come again and again


def make_chunk(numbers):
    rows = ([str(numbers.randrange(10**12)), *(f"{numbers.random() * 1000:.8f}" for _ in NAMES[2:]), "7"] for _ in range(ROWS))
    return "\n".join(map(",".join, rows))


def parse(text):
    venturi.lap("parse")
    rows = list(csv.DictReader(io.StringIO(text), NAMES))
    venturi.lap_count(len(rows), len(text))
    return rows


def encode(rows):
    venturi.lap("encode")
    body = json.dumps([{**row, "trades": int(row["trades"]), "close": float(row["close"])} for row in rows]).encode()
    venturi.lap_count(len(rows), len(body))
    venturi.lap_end()
    return body


def compress(body, number):
    with venturi.stage("compress", item=number, rows=ROWS) as span:
        packed = zlib.compress(body)
        span.bytes = len(body)
    return packed


def main():
    chunks, result = int(sys.argv[1]), sys.argv[2]
    numbers = random.Random(1)
    texts = [make_chunk(numbers) for _ in range(SOURCES)]
    crc = 0
    for number in venturi.each("chunk", range(1, chunks + 1), rows=ROWS):
        venturi.lap_item(number)
        crc = zlib.crc32(compress(encode(parse(texts[number % SOURCES])), number), crc)
    with open(result, "w", encoding="ascii") as out:
        print(f"{crc:08x}", file=out)


if __name__ == "__main__":
    main()
