"""Schemas at random, as strategies of hypothesis."""

from __future__ import annotations

import itertools
import os
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from model import (
    CHOICES,
    DEFAULTS,
    PREFIXED,
    SORTS,
    UNPREFIXED,
    WORDS,
    Check,
    Column,
    ForeignKey,
    Key,
    Node,
    Pair,
    Schema,
    Table,
    View,
)
from mutate import MUTATIONS, mutations
from write import COMPARISONS, compare


def drawn(few: int) -> settings:
    """So many examples, the same in each run; `make fuzz` takes its time and draws others."""
    many = int(os.environ.get("XTASK_FUZZ", "0"))
    return settings(
        max_examples=max(many, few),
        derandomize=not many,
        database=None,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


PLAIN_NAMES = ("t", "users", "orders", "item_tag", "Note", "createdAt", "x9")
HOSTILE_NAMES = (
    *(
        "it's",
        'say "x"',
        "back`tick",
        "dot.ted",
        "per%cent",
        "a b",
        "(x)",
        "a,b",
        "naïve",
        "日本",
        "x;y",
        "--x",
        "/*",
        "#h",
    ),
    *(
        "order",
        "group",
        "select",
        "check",
        "key",
        "references",
        "$d",
        "9lives",
        "new\nline",
        "back\\slash",
        "@at",
        "a]b",
        "?",
        "%s",
        "{x}",
    ),
    "long_" * 11,
)
PATTERNS = ("a%", "%it's%", "_x", "100\\%", "%", "ü_", "%%d", "a[b]")
NUMBERS = st.integers(0, 4)
ANY = st.integers(0, 1 << 30)
SEEDS = st.one_of(ANY, st.just(0))
SORT_NAMES = st.sampled_from(list(SORTS))
ACTIONS = st.sampled_from(("", "CASCADE", "SET NULL", ""))
STEMS = st.one_of(*[st.sampled_from(PLAIN_NAMES)] * 3, st.sampled_from(HOSTILE_NAMES))
MORE = st.integers(0, 2).map(bool)  # one at a time: a failure loses single parts as it shrinks
RARELY = st.integers(0, 3).map(lambda number: number == 3)


@dataclass
class Maker:
    """Draws a schema part by part.  Names and constants never come twice: which finding belongs to which is then certain."""

    draw: Callable[..., Any]
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def name(self) -> str:
        return f"{self.draw(STEMS)}_{next(self.numbers)}"

    def times(self, most: int) -> Iterator[int]:
        """Up to `most` rounds."""
        return itertools.takewhile(lambda _: self.draw(MORE), range(most))

    def some(self, items: Iterable[Any], most: int) -> list[Any]:
        """Up to `most` of the items, in any order."""
        pool, chosen = list(items), []
        for _ in self.times(min(most, len(pool))):
            chosen.append(pool.pop(self.draw(st.integers(0, len(pool) - 1))))
        return chosen

    # columns

    def column(self, sort: str = "", nullable: bool | None = None) -> Column:
        sort = sort or self.draw(SORT_NAMES)
        n, s = self.draw(st.integers(20, 40)), 2 + self.draw(NUMBERS)
        sqlite, mysql = (
            self.draw(st.sampled_from(names)).format(n=n, s=s)
            for names in (SORTS[sort].sqlite, SORTS[sort].mysql)
        )
        nullable = self.draw(st.booleans()) if nullable is None else nullable
        choices = DEFAULTS.get(sort, ())
        default = (
            self.draw(st.sampled_from(choices)) if choices and self.draw(st.booleans()) else None
        )
        if sort == "text" and mysql == "TINYTEXT":
            default = None
        values = (
            tuple(
                dict.fromkeys(self.draw(st.lists(st.sampled_from(CHOICES), min_size=1, max_size=4)))
            )
            if sort == "enum"
            else ()
        )
        if values and self.draw(st.booleans()):
            default = values[-1]
        if values and not nullable and default is None:
            default = values[0]  # an ENUM NOT NULL has its first value without saying so
        return Column(self.name(), sort, sqlite, mysql, nullable, default, values=values)

    def child_of(self, parent: Column, nullable: bool) -> Column:
        """A column that a foreign key of it can have: the parent's very type on MySQL."""
        sized = dict(zip("ns", re.findall(r"\d+", parent.mysql), strict=False))
        sqlite = self.draw(
            st.sampled_from(
                [name for name in SORTS[parent.sort].sqlite if sized or "{" not in name]
            )
        )
        return replace(
            parent,
            name=self.name(),
            sqlite=sqlite.format(**{"n": 20, "s": 0, **sized}),
            nullable=nullable,
            default=None,
            on_update=False,
        )

    # tables

    def table(self, earlier: list[Table]) -> Table:
        columns = [self.column(), *(self.column() for _ in self.times(4))]
        table = Table(self.name()[-40:], ())  # servers make names of constraints from it
        if self.draw(st.booleans()):
            key = replace(
                self.column(self.draw(st.sampled_from(("long", "int", "unsigned"))), False),
                sqlite="INTEGER",
                default=None,
            )
            columns.insert(0, key)
            table = replace(table, primary_key=(key.name,), filled=True)
        table = self.foreign_keys(replace(table, columns=tuple(columns)), earlier)
        table = table if table.filled else self.primary_key(table)
        for part in (self.uniques, self.indexes, self.checks, self.generated, self.rows):
            table = part(table)
        return table

    def foreign_keys(self, table: Table, earlier: list[Table]) -> Table:
        for _ in self.times(2):
            parents = [
                one
                for one in [*earlier, *([table] if table.filled else [])]
                if one.primary_key or one.uniques
            ]
            if not parents:
                break
            parent = self.draw(st.sampled_from(parents))
            targets = [
                *([parent.primary_key] if parent.primary_key else []),
                *(key.columns for key in parent.uniques),
            ]
            target = self.draw(st.sampled_from(targets))
            nullable = self.draw(st.booleans()) or any(
                parent.column(name).nullable for name in target
            )
            actions = [self.draw(ACTIONS) for _ in range(2)]
            on_delete, on_update = (
                "" if action == "SET NULL" and not nullable else action for action in actions
            )
            if parent is table:  # InnoDB does not cascade an UPDATE into the same table
                on_update = ""
            children = tuple(self.child_of(parent.column(name), nullable) for name in target)
            key = ForeignKey(
                self.name(),
                tuple(c.name for c in children),
                parent.name,
                target,
                on_delete,
                on_update,
            )
            table = replace(
                table, columns=table.columns + children, foreign_keys=(*table.foreign_keys, key)
            )
        return table

    def primary_key(self, table: Table) -> Table:
        fixed = {
            name
            for key in table.foreign_keys
            if key.on_delete or key.on_update
            for name in key.columns
        }
        chosen = self.some(
            [
                c.name
                for c in table.columns
                if SORTS[c.sort].unique and c.name not in fixed and c.default != ""
            ],
            3,
        )
        if not chosen:
            return table
        columns = []
        for column in table.columns:
            if column.name in chosen:
                alias = len(chosen) == 1 and column.sqlite.upper() == "INTEGER"
                column = replace(column, nullable=False, sqlite="INT" if alias else column.sqlite)
            columns.append(column)
        return replace(
            table,
            columns=tuple(columns),
            primary_key=tuple(chosen),
            without_rowid=self.draw(RARELY),
        )

    def uniques(self, table: Table) -> Table:
        keys: list[Key] = []
        for _ in self.times(2):
            chosen = self.some([c.name for c in table.columns if SORTS[c.sort].unique], 2)
            if chosen and {*chosen} not in [
                {*table.primary_key},
                *({*key.columns} for key in keys),
            ]:
                keys.append(Key(self.name(), tuple(chosen)))
        return replace(table, uniques=tuple(keys))

    def indexes(self, table: Table) -> Table:
        keys: list[Key] = []
        pool = [
            c.name
            for c in table.columns
            if (SORTS[c.sort].key or c.sort in PREFIXED) and c.sort not in UNPREFIXED
        ]
        for _ in self.times(3):
            again = keys and self.draw(RARELY)  # one that begins the last one adds nothing
            chosen = list(keys[-1].columns[:-1]) if again else self.some(pool, 3)
            if chosen and tuple(chosen) not in [key.columns for key in keys]:
                keys.append(Key(self.name(), tuple(chosen)))
        return replace(table, indexes=tuple(keys))

    def rows(self, table: Table) -> Table:
        """Rows that surely fit: no CHECK, and no parent to find."""
        lone = all(table.column(name).nullable for name in table.referring) and not table.checks
        return (
            replace(table, rows=len(list(self.times(3)))) if lone and self.draw(RARELY) else table
        )

    def view(self, tables: list[Table]) -> View:
        table = self.draw(st.sampled_from(tables))
        columns = self.some([column.name for column in table.columns], 3) or [table.columns[0].name]
        return View(self.name(), table.name, tuple((self.name(), column) for column in columns))

    # expressions

    def checks(self, table: Table) -> Table:
        usable = self.computable(table)
        if not usable:
            return table
        made = tuple(
            Check(f"ck_{next(self.numbers)}", self.condition(usable, 2)) for _ in self.times(2)
        )
        return replace(table, checks=made)

    def computable(self, table: Table) -> list[Column]:
        """What a CHECK may read: MySQL refuses an AUTO_INCREMENT and the column of an action."""
        own = {*table.referring, *(table.primary_key if table.filled else ())}
        return [
            column
            for column in table.columns
            if SORTS[column.sort].check and column.name not in own
        ]

    def generated(self, table: Table) -> Table:
        usable = [
            column
            for column in self.computable(table)
            if column.sort in ("long", "int", "small", "string")
        ]
        if not usable or not self.draw(RARELY):
            return table
        source = self.draw(st.sampled_from(usable))
        if SORTS[source.sort].check == "number":
            made = Column(
                self.name(),
                "long",
                "BIGINT",
                "BIGINT",
                generated=Node("add", (self.number(source), self.constant())),
            )
        else:
            made = Column(
                self.name(),
                "string",
                "TEXT",
                "VARCHAR(99)",
                generated=Node("concat", (self.text(source), self.word())),
            )
        return replace(table, columns=(*table.columns, made))

    def constant(self) -> Node:
        return Node("literal", (10 * next(self.numbers) + 10 + self.draw(NUMBERS),))

    def real(self) -> Node:
        return Node("literal", (next(self.numbers) + 1.25,))

    def word(self) -> Node:
        return Node("literal", (self.draw(st.sampled_from(WORDS)) + f"{next(self.numbers)}",))

    def day(self) -> Node:
        return Node("literal", (f"{1900 + next(self.numbers) % 200}-0{1 + self.draw(NUMBERS)}-02",))

    def condition(self, columns: list[Column], depth: int) -> Node:
        form = self.draw(st.sampled_from(("atom", "atom", "and", "or", "not"))) if depth else "atom"
        if form == "atom":
            return self.atom(self.draw(st.sampled_from(columns)))
        if form == "not":
            return Node("not", (self.condition(columns, depth - 1),))
        return Node(
            form,
            tuple(self.condition(columns, depth - 1) for _ in range(self.draw(st.integers(2, 3)))),
        )

    def atom(self, column: Column) -> Node:
        """A condition on one column; every one holds a constant of its own."""
        value, constant = {
            "number": (self.number, self.constant),
            "real": (lambda c: Node("column", (c.name,)), self.real),
            "string": (self.text, self.word),
            "date": (lambda c: Node("column", (c.name,)), self.day),
        }[SORTS[column.sort].check]
        forms = [
            "compare",
            "compare",
            "between",
            "in",
            "case",
            "optional",
            "like" if constant == self.word else "compare",
        ]
        form = self.draw(st.sampled_from(forms + (["length"] if constant == self.word else [])))
        if form == "between":
            return Node("between", (value(column), constant(), constant()))
        if form == "in":
            return Node(
                "in", (value(column), *(constant() for _ in range(self.draw(st.integers(1, 3)))))
            )
        if form == "like":
            pattern = Node(
                "literal", (self.draw(st.sampled_from(PATTERNS)) + f"{next(self.numbers)}",)
            )
            return Node("like", (Node("column", (column.name,)), pattern))
        if form == "optional":
            op = self.draw(st.sampled_from(("null", "given")))
            return Node(
                "or" if op == "null" else "and",
                (
                    Node(op, (Node("column", (column.name,)),)),
                    compare("<", value(column), constant()),
                ),
            )
        if form == "case":
            test = compare(">", value(column), constant())
            return compare(
                "<", Node("case", (test, self.constant(), self.constant())), self.constant()
            )
        if form == "length":
            return compare(
                self.draw(st.sampled_from(list(COMPARISONS))),
                Node("length", (value(column),)),
                self.constant(),
            )
        return compare(self.draw(st.sampled_from(list(COMPARISONS))), value(column), constant())

    def number(self, column: Column) -> Node:
        own = Node("column", (column.name,))
        op = self.draw(
            st.sampled_from(("", "", "add", "sub", "mul", "mod", "div", "abs", "coalesce"))
        )
        if op == "":
            return own
        return Node("abs", (own,)) if op == "abs" else Node(op, (own, self.constant()))

    def text(self, column: Column) -> Node:
        own = Node("column", (column.name,))
        op = self.draw(
            st.sampled_from(("", "", "lower", "upper", "trim", "coalesce", "substr", "concat"))
        )
        if op in ("coalesce", "concat"):
            return Node(op, (own, self.word()))
        if op == "substr":
            return Node(op, (own, Node("literal", (1,)), self.constant()))
        return Node(op, (own,)) if op else own


@st.composite
def schemas(draw: Callable[..., Any]) -> Schema:
    maker = Maker(draw)
    tables: list[Table] = []
    for _ in itertools.chain([0], maker.times(2)):
        tables.append(maker.table(tables))
    return Schema(tuple(tables), tuple(maker.view(tables) for _ in maker.times(1)))


@st.composite
def pairs(draw: Callable[..., Any]) -> Pair:
    schema = draw(schemas())
    number = zlib.crc32(
        repr((schema, draw(ANY))).encode()
    )  # hypothesis repeats itself: as good as any number, and no number often
    for rule in sorted(
        MUTATIONS, key=lambda rule: zlib.crc32(f"{number}/{rule.__name__}".encode())
    ):
        offered = list(mutations(schema, rule))
        if offered:
            return Pair(schema, offered[number % len(offered)], (draw(SEEDS), draw(SEEDS)))
    raise AssertionError("change_nothing always has something to offer")
