"""What a schema means, on no backend in particular; and the sorts of columns that there are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

Dialect = Literal["sqlite", "mysql"]
SIDES: tuple[Dialect, Dialect] = ("sqlite", "mysql")


@dataclass(frozen=True)
class Node:
    """An expression: an operator and its operands.  `column` holds a name, `literal` a value."""

    op: str
    args: tuple[Any, ...]

    @property
    def columns(self) -> frozenset[str]:
        if self.op == "column":
            return frozenset(self.args)
        return frozenset().union(*(arg.columns for arg in self.args if isinstance(arg, Node)))


@dataclass(frozen=True)
class Column:
    """`sort` is a row of SORTS, `sqlite` and `mysql` are the declared types.  `default` is a literal of
    Python, NOW or EPOCH.  `values` are an enum's; `checked` says that SQLite has the CHECK of an enum or of JSON."""

    name: str
    sort: str
    sqlite: str
    mysql: str
    nullable: bool = True
    default: Any = None
    generated: Node | None = None
    values: tuple[str, ...] = ()
    checked: bool = True
    on_update: bool = False


NOW, EPOCH = "the present moment", "the present second"


@dataclass(frozen=True)
class Key:
    """A UNIQUE or an index; `prefixed` (MySQL) and `partial` (SQLite) make it another thing than the plain key."""

    name: str
    columns: tuple[str, ...]
    prefixed: bool = False
    partial: bool = False


@dataclass(frozen=True)
class ForeignKey:
    name: str
    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    on_delete: str = ""
    on_update: str = ""
    deferred: bool = False


@dataclass(frozen=True)
class Check:
    name: str
    condition: Node


@dataclass(frozen=True)
class Table:
    """`filled` says that the one column of the primary key fills itself: a rowid alias, AUTO_INCREMENT."""

    name: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...] = ()
    filled: bool = False
    without_rowid: bool = False
    uniques: tuple[Key, ...] = ()
    indexes: tuple[Key, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    checks: tuple[Check, ...] = ()
    rows: int = 0
    engine: str = ""

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    @property
    def referring(self) -> frozenset[str]:
        """The columns that are part of a foreign key."""
        return frozenset(name for key in self.foreign_keys for name in key.columns)

    @property
    def computed_from(self) -> frozenset[str]:
        """The columns that a CHECK or a generated column reads."""
        nodes = [
            *(check.condition for check in self.checks),
            *(c.generated for c in self.columns if c.generated),
        ]
        return frozenset().union(*(node.columns for node in nodes))


@dataclass(frozen=True)
class View:
    """Output names by the column that each shows."""

    name: str
    table: str
    columns: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Schema:
    tables: tuple[Table, ...]
    views: tuple[View, ...] = ()

    def with_table(self, table: Table, name: str = "") -> Schema:
        """`table` in the place of the one of its name, or of `name`."""
        return replace(
            self,
            tables=tuple(table if one.name == (name or table.name) else one for one in self.tables),
        )

    def referenced(self, table: Table) -> frozenset[str]:
        """The columns of a table to which a foreign key points."""
        keys = [key for one in self.tables for key in one.foreign_keys if key.parent == table.name]
        return frozenset(name for key in keys for name in key.parent_columns)

    def shown(self, table: Table) -> frozenset[str]:
        """The columns of a table that a view shows."""
        return frozenset(
            column for view in self.views if view.table == table.name for _, column in view.columns
        )


@dataclass(frozen=True)
class Limits:
    """What the server can do: REFERENCES beside a column; MariaDB's types, and its one nameless CHECK beside a column."""

    mariadb: bool = True
    inline_references: bool = True


@dataclass(frozen=True)
class Mutation:
    """`schema` is what `side` has instead; `expect` are (kind, at) of all parity findings, none where it means the same."""

    name: str
    side: Dialect
    schema: Schema
    expect: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Pair:
    schema: Schema
    mutation: Mutation
    seeds: tuple[int, int]


@dataclass(frozen=True)
class Sort:
    """Spellings of a type; `{n}` and `{s}` are its sizes.  `key` and `unique` say that it may be in one, `check` how a CHECK sees it."""

    sqlite: tuple[str, ...]
    mysql: tuple[str, ...]
    key: bool = True
    unique: bool = True
    check: str = ""


SORTS = {
    "long": Sort(
        ("INTEGER", "BIGINT", "INT", "BIG INT", "INT8", "bigint"),
        ("BIGINT", "bigint(20)", "BIGINT SIGNED"),
        check="number",
    ),
    "int": Sort(
        ("INTEGER", "INT", "INT4", "MEDIUMINT", "Integer"),
        ("INT", "INTEGER", "int(11)"),
        check="number",
    ),
    "small": Sort(
        ("INTEGER", "SMALLINT", "INT", "INT2", "TINYINT"),
        ("SMALLINT", "MEDIUMINT", "TINYINT", "smallint(6)"),
        check="number",
    ),
    "unsigned": Sort(
        ("INTEGER", "UNSIGNED BIG INT", "BIGINT UNSIGNED", "INT"),
        ("BIGINT UNSIGNED", "bigint(20) unsigned"),
    ),
    "bool": Sort(
        ("BOOLEAN", "BOOL", "TINYINT(1)", "INTEGER", "BIT"),
        ("TINYINT(1)", "BOOLEAN", "bool", "BIT(1)", "BIT"),
        unique=False,
    ),
    "float": Sort(
        ("REAL", "DOUBLE", "DOUBLE PRECISION", "FLOAT"),
        ("DOUBLE", "FLOAT", "DOUBLE PRECISION", "REAL"),
        False,
        check="real",
    ),
    "decimal": Sort(
        ("NUMERIC({n},{s})", "DECIMAL({n}, {s})", "DECIMAL"),
        ("DECIMAL({n},{s})", "NUMERIC({n}, {s})"),
        check="real",
    ),
    "string": Sort(
        (
            "TEXT",
            "VARCHAR({n})",
            "varchar ( {n} )",
            "NVARCHAR({n})",
            "VARYING CHARACTER({n})",
            "CLOB",
        ),
        ("VARCHAR({n})", "CHARACTER VARYING({n})", "varchar ({n})"),
        check="string",
    ),
    "char": Sort(
        ("CHAR({n})", "TEXT", "CHARACTER({n})", "NCHAR({n})", "NATIVE CHARACTER({n})"),
        ("CHAR({n})", "CHARACTER({n})"),
        check="string",
    ),
    "text": Sort(
        ("TEXT", "CLOB", "LONGTEXT"),
        ("TEXT", "LONGTEXT", "MEDIUMTEXT", "TINYTEXT"),
        False,
        False,
        "string",
    ),
    "bytes": Sort(("BLOB", "VARBINARY({n})"), ("VARBINARY({n})",)),
    "blob": Sort(("BLOB", "LONGBLOB"), ("BLOB", "LONGBLOB"), False, False),
    "date": Sort(("DATE", "date"), ("DATE",), check="date"),
    "time": Sort(("TIME",), ("TIME", "TIME(3)")),
    "datetime": Sort(
        ("DATETIME", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"),
        ("DATETIME", "DATETIME(6)", "TIMESTAMP", "TIMESTAMP(3)"),
    ),
    "enum": Sort(("TEXT", "VARCHAR({n})"), ("ENUM", "VARCHAR({n})"), unique=False),
    "json": Sort(("TEXT", "JSON"), ("JSON", "json"), False, False),
    "uuid": Sort(("TEXT", "UUID", "CHAR(36)"), ("UUID", "INET6")),
    "year": Sort(("INTEGER", "SMALLINT"), ("YEAR",), unique=False),
}
UNPREFIXED = frozenset(("json",))  # in no index at all
PREFIXED = frozenset(("text", "blob"))  # in an index of MySQL with a length only
INTEGERS = frozenset(("long", "int", "small", "unsigned", "bool", "year"))
WORDS = (
    "",
    "x",
    "it's",
    'say "hi"',
    "back\\slash",
    "per%cent",
    "007",
    "1.50",
    "NULL",
    "CURRENT_TIMESTAMP",
    "a,b);--",
    "ünï 日本",
    "two\nlines",
    "🎉",
)
CHOICES = ("new", "open", "it's", "a,b", "x)", 'q"q', "per%", "ü", "back\\slash", "(y")
DEFAULTS: dict[str, tuple[Any, ...]] = {
    "long": (0, 7, -5, 9_000_000_000, EPOCH),
    "int": (0, 7, -5, 2_000_000_000),
    "small": (0, 7, -5),
    "unsigned": (0, 7),
    "bool": (False, True),
    "float": (0.0, 0.5, -1.25, 1000.0),
    "decimal": (0.0, 1.5, -2.25),
    "string": WORDS,
    "char": tuple(word for word in WORDS if word.strip() == word),
    "text": WORDS,
    "bytes": (b"", b"AB", b"A\x00B", b"\xff'", b"it's"),
    "date": ("2020-01-02", NOW),
    "time": ("10:11:12", NOW),
    "datetime": ("2020-01-02 03:04:05", "2020-01-02 00:00:00", NOW, NOW),
    "json": ("{}", '{"a": "it\'s"}', "[]"),
}
