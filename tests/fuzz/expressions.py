"""Expressions at random, in both dialects: over columns of each logical type, by the tables of what means what."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

import xtask


class Column(NamedTuple):
    """A column of the table over which expressions are drawn, and the values it takes in turn."""

    name: str
    logical: str
    sqlite: str
    mysql: str
    values: tuple[object, ...]


# Tells all apart, trailing spaces too; each flavour has its own name for it.
BINARY = "CHARACTER SET utf8mb4 COLLATE {binary}"
BINARY_COLLATIONS = {"MariaDB": "utf8mb4_nopad_bin", "MySQL": "utf8mb4_0900_bin"}
TEXTS = (None, "", "a", "A", "abc", "ABx", "10", "é", "É", "a b", " a", "x%y", "ab\\", "naïve")
TEXTS += ("a ", "\t", "a\0b", "\0", "\0a", "a\0")
LARGEST, SMALLEST = 2**63 - 1, -(2**63)
NUMBERS = (None, 0, 1, -1, 2, 7, -7, 10, 255, 2**31, -(2**31), LARGEST, SMALLEST, LARGEST - 1)
COLUMNS = (
    Column("a", "i64", "INTEGER", "BIGINT", NUMBERS),
    Column("b", "i64", "INTEGER", "BIGINT", (3, None, -2, 0, 1, 100, 5, SMALLEST, LARGEST)),
    Column("u", "i64", "INTEGER", "BIGINT UNSIGNED", (2, None, 0, 1, 7, 255, LARGEST)),
    Column("n", "i64", "INTEGER NOT NULL", "BIGINT NOT NULL", (0, 1, -4, SMALLEST, 12, LARGEST)),
    Column("flag", "bool", "BOOLEAN", "BOOLEAN", (0, 1, None)),
    Column(
        "d",
        "decimal",
        "DECIMAL(12,4)",
        "DECIMAL(12,4)",
        ("0.5", "3", None, "-2.5", "0", "1.25", "99999999.9999"),
    ),
    Column(
        "f", "f64", "DOUBLE", "DOUBLE", (0.5, None, 3.0, -2.5, 0.0, 1.25, 1e6, 1.7e308, 2.0**63)
    ),
    Column("s", "string", "TEXT", f"VARCHAR(40) {BINARY}", TEXTS),
    Column(
        "t", "string", "TEXT", f"VARCHAR(40) {BINARY}", ("b", "", None, "abc", "É", "a", "1", "\0")
    ),
    Column("x", "bytes", "BLOB", "VARBINARY(40)", (b"", b"\0\1", None, b"abc", b"\xff", b"a")),
    Column("day", "date", "DATE", "DATE", ("2020-01-01", None, "1999-12-31", "2024-02-29")),
    Column(
        "at",
        "datetime",
        "DATETIME",
        "DATETIME",
        ("2020-01-01 00:00:00", "1999-12-31 23:59:59", None, "2020-01-01 00:00:01"),
    ),
)
KNOWN = tuple(
    xtask.Known(
        column.name,
        frozenset({column.logical}),
        nullable="NOT NULL" not in column.mysql,
        tells_case=BINARY in column.mysql,
        unsigned="UNSIGNED" in column.mysql,
    )
    for column in COLUMNS
)
ROWS = 60


def rows() -> list[tuple[object, ...]]:
    """NULL wherever it may be, then each column's values at a pace of its own."""
    made: list[tuple[object, ...]] = [
        tuple(one.values[0] if "NOT NULL" in one.mysql else None for one in COLUMNS)
    ]
    for number in range(ROWS):
        pairs = enumerate(COLUMNS)
        made.append(
            tuple(one.values[(number + number // (n + 2)) % len(one.values)] for n, one in pairs)
        )
    return made


LITERALS = {
    "number": ("0", "1", "2", "-1", "10", "0.5", "1.50", "'1'", "'0'", "NULL"),
    "text": ("'a'", "''", "'ab'", "'A'", "'1'", "'é'", "'%b%'", "'x'", "1", "NULL"),
    "bytes": ("x'00'", "x'616263'", "'abc'"),
    "moment": ("'2020-01-01'", "'2020-01-01 00:00:00'", "'2020-1-1'", "'1999-12-31 23:59:59'"),
}
SORTS = {
    "i64": "number",
    "bool": "number",
    "decimal": "number",
    "f64": "number",
    "string": "text",
    "bytes": "bytes",
    "date": "moment",
    "datetime": "moment",
}
TAKES = {
    "numbers": "number",
    "integers": "number",
    "text": "text",
    "strings": "text",
    "days": "moment",
}
COUNTS = {
    "substring": 3,
    "replace": 3,
    **dict.fromkeys(("instr", "coalesce", "nullif", "min", "max", "concat", "pow", "mod"), 2),
    "concat_ws": 3,
}
NOT_DRAWN = (
    "idiv",
    "randomblob",
    "random",
    "->",
    "json_extract",
    "cast_text",
    "cast_integer",
    "cast_real",
    "cast_binary",
)


class Pair(NamedTuple):
    """One expression as each backend would write it."""

    sqlite: str
    mysql: str


class Drawer:
    """Draw expressions: mostly of values that fit, sometimes of any."""

    def __init__(self, random: Random) -> None:
        self.random = random

    def value(self, sort: str, depth: int) -> Pair:
        if self.random.random() < 0.08:
            sort = self.random.choice(("number", "text", "bytes", "moment"))
        kind = self.random.random()
        if depth <= 0 or kind < 0.3:
            return self.leaf(sort)
        if kind < 0.6:
            return self.call(sort, depth)
        if sort == "number" and kind < 0.63:
            inner = self.value("number", depth - 1)
            return Pair(f"(-{inner.sqlite})", f"(-{inner.mysql})")
        if sort == "number" and kind < 0.85:
            return self.arithmetic(depth)
        if sort == "text" and kind < 0.75:
            one, other = self.value("text", depth - 1), self.value("text", depth - 1)
            return Pair(f"({one.sqlite} || {other.sqlite})", f"concat({one.mysql}, {other.mysql})")
        if kind < 0.95:
            return self.choice(sort, depth)
        return self.cast(depth)

    def leaf(self, sort: str) -> Pair:
        names = [column.name for column in COLUMNS if SORTS[column.logical] == sort]
        if self.random.random() < 0.75:
            return Pair(*[self.random.choice(names)] * 2)
        return Pair(*[self.random.choice(LITERALS[sort])] * 2)

    def call(self, sort: str, depth: int) -> Pair:
        rows = [
            row for row in xtask.FUNCTIONS if row.name not in NOT_DRAWN and row.sqlite and row.mysql
        ]
        row = self.random.choice(rows)
        wanted = TAKES.get(row.takes, sort)
        count = COUNTS.get(row.name, 1)
        arguments = [self.value(wanted, depth - 1) for _ in range(count)]
        if row.name == "substring":
            numbers = [self.random.choice(("1", "2", "-1", "0", "3")) for _ in range(2)]
            arguments[1:] = [Pair(number, number) for number in numbers]
        if row.name == "round" and self.random.random() < 0.5:
            arguments.append(Pair(*[self.random.choice(("0", "1", "-1", "2"))] * 2))
        made = []
        for side, names in enumerate((row.sqlite, row.mysql)):
            name = self.random.choice([name for name in names.split() if name.isidentifier()])
            made.append(f"{name}({', '.join(argument[side] for argument in arguments)})")
        return Pair(*made)

    def arithmetic(self, depth: int) -> Pair:
        operator = self.random.choice(("+", "-", "*", "/", "%", "&", "|", "<<", ">>"))
        other = {"/": self.random.choice(("/", "DIV"))}.get(operator, operator)
        left, right = self.value("number", depth - 1), self.value("number", depth - 1)
        if operator in "+*" and self.random.random() < 0.3:
            return Pair(
                f"({left.sqlite} {operator} {right.sqlite})",
                f"({right.mysql} {other} {left.mysql})",
            )
        return Pair(
            f"({left.sqlite} {operator} {right.sqlite})", f"({left.mysql} {other} {right.mysql})"
        )

    def choice(self, sort: str, depth: int) -> Pair:
        test = self.condition(depth - 1)
        one, other = self.value(sort, depth - 1), self.value(sort, depth - 1)
        kind = self.random.random()
        if kind < 0.3:
            return Pair(
                f"CASE WHEN {test.sqlite} THEN {one.sqlite} END",
                f"if(NOT {test.mysql}, NULL, {one.mysql})",
            )
        if kind < 0.4:
            return Pair(
                f"nullif({one.sqlite}, 1)",
                f"CASE WHEN {one.mysql} <> 1 THEN {one.mysql} ELSE NULL END",
            )
        if kind < 0.5:
            return Pair(f"CASE WHEN {test.sqlite} THEN 1 END", f"nullif({test.mysql}, FALSE)")
        return Pair(
            f"CASE WHEN {test.sqlite} THEN {one.sqlite} ELSE {other.sqlite} END",
            f"if({test.mysql}, {one.mysql}, {other.mysql})",
        )

    def cast(self, depth: int) -> Pair:
        sqlite, mysql = self.random.choice(
            (("TEXT", "CHAR"), ("INTEGER", "SIGNED"), ("REAL", "DOUBLE"), ("BLOB", "BINARY"))
        )
        inner = self.value(self.random.choice(("number", "text")), depth - 1)
        return Pair(f"CAST({inner.sqlite} AS {sqlite})", f"CAST({inner.mysql} AS {mysql})")

    def condition(self, depth: int) -> Pair:
        kind = self.random.random()
        sort = self.random.choice(("number", "text", "bytes", "moment"))
        left, right = self.value(sort, depth), self.value(sort, depth)
        if kind < 0.45:
            operator = self.random.choice(("=", "<>", "<", "<=", ">", ">="))
            return Pair(
                f"({left.sqlite} {operator} {right.sqlite})",
                f"({left.mysql} {operator} {right.mysql})",
            )
        if kind < 0.55:
            third = self.value(sort, depth - 1)
            spelled = self.random.choice(("IN", "NOT IN"))
            return Pair(
                f"({left.sqlite} {spelled} ({right.sqlite}, {third.sqlite}))",
                f"({left.mysql} {spelled} ({third.mysql}, {right.mysql}))",
            )
        if kind < 0.6:
            third = self.value(sort, depth - 1)
            return Pair(
                f"({left.sqlite} BETWEEN {right.sqlite} AND {third.sqlite})",
                f"(({third.mysql} >= {left.mysql}) AND ({left.mysql} >= {right.mysql}))",
            )
        if kind < 0.65:
            return Pair(
                f"({left.sqlite} LIKE {right.sqlite})", f"({left.mysql} LIKE {right.mysql})"
            )
        if kind < 0.75:
            return Pair(f"({left.sqlite} IS NULL)", f"({left.mysql} IS NULL)")
        if kind < 0.8:
            return Pair(f"({left.sqlite} IS {right.sqlite})", f"({left.mysql} <=> {right.mysql})")
        if depth <= 0:
            return Pair(f"({left.sqlite} = {right.sqlite})", f"({right.mysql} = {left.mysql})")
        one, other = self.condition(depth - 1), self.condition(depth - 1)
        if kind < 0.9:
            word = self.random.choice(("AND", "OR"))
            return Pair(
                f"({one.sqlite} {word} {other.sqlite})", f"({other.mysql} {word} {one.mysql})"
            )
        return Pair(f"(NOT {one.sqlite})", f"(NOT {one.mysql})")

    def expression(self) -> Pair:
        if self.random.random() < 0.6:
            return self.condition(2)
        return self.value(self.random.choice(("number", "text", "number", "moment")), 3)
