"""Expressions at random: two that are canonically equal have equal values on both engines, row by row.

XTASK_FUZZ is the number of equal expressions (200), XTASK_FUZZ_SEED another start than the one of every
day.  What the tables mark as alike for usual values only is drawn, and not counted.
"""

from __future__ import annotations

import datetime
import math
import os
import sqlite3
from collections.abc import Iterator
from decimal import Decimal
from random import Random

import pymysql
import pytest

import xtask
from expressions import COLUMNS, KNOWN, Drawer, Pair, rows

EQUAL = int(os.environ.get("XTASK_FUZZ") or 200)
SEED = os.environ.get("XTASK_FUZZ_SEED") or "0"
# Beyond 64 bits MySQL refuses, and so it does to store such a number; 1305: it has no such function.
NOT_ASKED = (1690, 1264, 1305)


def declared(dialect: str) -> str:
    parts = ["id INTEGER PRIMARY KEY"]
    parts += [f"{column.name} {getattr(column, dialect)}" for column in COLUMNS]
    return f"CREATE TABLE fuzzed ({', '.join(parts)})"


class Engines:
    """The same rows on both engines."""

    def __init__(self, address: xtask.Address) -> None:
        self.sqlite = sqlite3.connect(":memory:")
        self.mysql = xtask.connect(address, address.database, 60)
        self.cursor = self.mysql.cursor()
        self.cursor.execute("DROP TABLE IF EXISTS fuzzed")
        self.cursor.execute(declared("mysql"))
        self.sqlite.execute(declared("sqlite"))
        marks = len(COLUMNS) + 1
        numbered = [(number, *row) for number, row in enumerate(rows())]
        self.sqlite.executemany(f"INSERT INTO fuzzed VALUES ({', '.join('?' * marks)})", numbered)
        self.cursor.executemany(
            f"INSERT INTO fuzzed VALUES ({', '.join(['%s'] * marks)})", numbered
        )

    def values(self, pair: Pair) -> tuple[list[object], list[object]] | None:
        """Every row's value on either engine; None where one of them has no such function."""
        try:
            ours = self.sqlite.execute(f"SELECT {pair.sqlite} FROM fuzzed ORDER BY id").fetchall()
            self.cursor.execute(f"SELECT {pair.mysql} FROM fuzzed ORDER BY id")
            theirs = self.cursor.fetchall()
        except sqlite3.OperationalError:
            return None
        except pymysql.err.MySQLError as error:
            if error.args[0] in NOT_ASKED:
                return None
            raise
        return [value for (value,) in ours], [value for (value,) in theirs]


@pytest.fixture
def engines(address: xtask.Address) -> Iterator[Engines]:
    made = Engines(address)
    yield made
    made.cursor.execute("DROP TABLE fuzzed")
    made.mysql.close()


def alike(one: object, other: object) -> bool:
    """Equal as values: 1 and 1.0, a date and its text."""
    if isinstance(other, (datetime.date, datetime.timedelta)):
        other = str(other)
    if isinstance(one, (int, float, Decimal)) and isinstance(other, (int, float, Decimal)):
        if isinstance(one, int) and isinstance(other, int):
            return one == other
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return one == other


def apart(engines: Engines, pair: Pair) -> str | None:
    """The first row that tells two expressions apart which are canonically equal; "" for none, None if unasked."""
    ours = xtask.canonical(pair.sqlite, "sqlite", KNOWN)
    theirs = xtask.canonical(pair.mysql, "mysql", KNOWN)
    if ours.text != theirs.text or ours.usual or theirs.usual:
        return None
    values = engines.values(pair)
    if values is None:
        return None
    for row, (one, other) in zip(rows(), zip(*values, strict=True), strict=True):
        if not alike(one, other):
            shown = {column.name: value for column, value in zip(COLUMNS, row, strict=True)}
            return (
                f"{ours.text}\n  sqlite: {pair.sqlite}\n  mysql:  {pair.mysql}\n"
                f"  {one!r} against {other!r}\n  {shown}"
            )
    return ""


@pytest.mark.mariadb
def test_what_is_canonically_equal_has_equal_values(engines: Engines) -> None:
    drawer, equal, drawn, problems = Drawer(Random(SEED)), 0, 0, []
    while equal < EQUAL and len(problems) < 10:
        drawn += 1
        assert drawn < 200 * EQUAL, f"only {equal} of {drawn} drawn are equal"
        found = apart(engines, drawer.expression())
        if found:
            problems.append(found)
        elif found == "":
            equal += 1
    assert not problems, "\n\n".join(problems)
