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
from expressions import BINARY_COLLATIONS, COLUMNS, KNOWN, Drawer, Pair, rows

EQUAL = int(os.environ.get("XTASK_FUZZ") or 200)
SEED = os.environ.get("XTASK_FUZZ_SEED") or "0"
NO_SUCH_FUNCTION = 1305
REFUSED = "refused"


# By the table of functions these read text up to a NUL on SQLite: rows with one are not asked of them.
ENDS_AT_NUL = [f"{row.name}(" for row in xtask.FUNCTIONS if row.reason == xtask.ENDS_AT_NUL]
ENDS_AT_NUL.append(" LIKE ")


def declared(dialect: str, flavour: str = "") -> str:
    parts = ["id INTEGER PRIMARY KEY"]
    parts += [f"{column.name} {getattr(column, dialect)}" for column in COLUMNS]
    made = f"CREATE TABLE fuzzed ({', '.join(parts)})"
    return made.format(binary=BINARY_COLLATIONS.get(flavour))


class Engines:
    """The same rows on both engines."""

    def __init__(self, address: xtask.Address) -> None:
        self.sqlite = sqlite3.connect(":memory:")
        self.mysql = xtask.connect(address, address.database, 60)
        self.cursor = self.mysql.cursor()
        self.cursor.execute("DROP TABLE IF EXISTS fuzzed")
        self.cursor.execute("SELECT version()")
        [(version,)] = self.cursor.fetchall()
        flavour = "MariaDB" if "mariadb" in version.lower() else "MySQL"
        self.cursor.execute(declared("mysql", flavour))
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
            return self.on_sqlite(pair.sqlite), self.on_mysql(pair.mysql)
        except sqlite3.OperationalError:
            return None
        except pymysql.err.MySQLError as error:
            if error.args[0] == NO_SUCH_FUNCTION:
                return None
            raise

    def on_sqlite(self, expression: str) -> list[object]:
        query = f"SELECT {expression} FROM fuzzed"
        try:
            return [value for (value,) in self.sqlite.execute(f"{query} ORDER BY id")]
        except sqlite3.OperationalError as error:
            if "overflow" not in str(error):
                raise
        found: list[object] = []
        for number in range(len(rows())):
            try:
                [(value,)] = self.sqlite.execute(f"{query} WHERE id = ?", (number,))
            except sqlite3.OperationalError:
                value = REFUSED
            found.append(value)
        return found

    def on_mysql(self, expression: str) -> list[object]:
        query = f"SELECT {expression} FROM fuzzed"
        try:
            self.cursor.execute(f"{query} ORDER BY id")
            return [value for (value,) in self.cursor.fetchall()]
        except pymysql.err.MySQLError as error:
            if error.args[0] == NO_SUCH_FUNCTION:
                raise
        found: list[object] = []
        for number in range(len(rows())):
            try:
                self.cursor.execute(f"{query} WHERE id = {number}")
                [(value,)] = self.cursor.fetchall()
            except pymysql.err.MySQLError:
                value = REFUSED
            found.append(value)
        return found


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
        if isinstance(one, int) and other == int(other):
            return one == other  # as floats neighbours at the border would be close
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
    ends_at_nul = any(called in ours.text for called in ENDS_AT_NUL)
    for row, (one, other) in zip(rows(), zip(*values, strict=True), strict=True):
        if ends_at_nul and any("\0" in value for value in row if isinstance(value, str)):
            continue
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
