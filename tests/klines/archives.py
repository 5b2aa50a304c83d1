# SPDX-License-Identifier: Apache-2.0
"""Months as text and as archives, right and wrong ones, and what of them stands in a database."""

import contextlib
import io
import sqlite3
import zipfile

MONTHS = ["2024-11", "2024-12", "2025-01", "2025-02"]  # over the change from milliseconds to microseconds
COLUMNS = 12


def csv_name(month):
    return f"BTCUSDT-1m-{month}.csv"


def zip_name(month):
    return f"BTCUSDT-1m-{month}.zip"


def csv_of(folder, month):
    with zipfile.ZipFile(folder / zip_name(month)) as archive:
        return archive.read(csv_name(month)).decode()


def zipped(*files, method=zipfile.ZIP_DEFLATED):
    """The bytes of an archive of (name, content) pairs."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return out.getvalue()


def stored_row(line, month):
    """The row that must stand in the database for a line of text."""
    field = line.split(",")
    unit = 1 if month >= "2025" else 1000
    decimals = [float(field[i]) for i in (1, 2, 3, 4, 5, 7, 9, 10)]
    return (int(field[0]) * unit, *decimals, int(field[6]) * unit, int(field[8]))


def stored_months(folder, months):
    return [stored_row(line, month) for month in months for line in csv_of(folder, month).splitlines()]


def rows_in(database, symbol="btcusdt"):
    """All rows, after a check that nothing is broken and no month is half."""
    with contextlib.closing(sqlite3.connect(database)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        rows = db.execute(f"SELECT * FROM klines_{symbol} ORDER BY open_time").fetchall()
        months = db.execute(f"SELECT first_us, end_us, rows, whole FROM klines_{symbol}_months").fetchall()
    assert all(whole for *_, whole in months)
    assert sum(count for _, _, count, _ in months) == len(rows)
    for first, end, count, _ in months:
        assert sum(first <= row[0] < end for row in rows) == count
    return rows
