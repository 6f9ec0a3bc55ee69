"""Schemas at random, written in both dialects, and single changes with the findings that they must give.

The model is neutral: what a schema means.  `Writer` writes it for one backend; of the spellings that
mean the same it takes one by a hash of the seed and the place, so that a change in one place leaves
the spelling of all others alone.  With seed 0 it takes the first one, the plainest: a failure shrinks
to it.  `mutations` knows nothing of xtask.py: its expectations are DESIGN.md's.
"""

from __future__ import annotations

import itertools
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from hypothesis import strategies as st

Dialect = Literal["sqlite", "mysql"]
SIDES: tuple[Dialect, Dialect] = ("sqlite", "mysql")


# ---- the model -----------------------------------------------------------------------------------


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

    def write(self, side: Dialect, limits: Limits, changed: bool) -> str:
        schema = self.mutation.schema if changed and self.mutation.side == side else self.schema
        return Writer(side, limits, self.seeds[SIDES.index(side)]).schema(schema)


# ---- sorts of columns ----------------------------------------------------------------------------


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

# ---- the writer ----------------------------------------------------------------------------------

KEYWORDS = frozenset(
    [
        "check",
        "group",
        "index",
        "key",
        "order",
        "select",
        "table",
        "values",
        "references",
        "default",
        "primary",
        "unique",
        "constraint",
    ]
)
COMPARISONS = {
    "<": (">", ">="),
    "<=": (">=", ">"),
    ">": ("<", "<="),
    ">=": ("<=", "<"),
    "=": ("=", "<>"),
    "<>": ("<>", "="),
}
ARITHMETIC = {"add": "+", "sub": "-", "mul": "*"}
COMPOUND = frozenset(
    (
        "compare",
        "and",
        "or",
        "not",
        "between",
        "in",
        "like",
        "null",
        "given",
        "mod",
        "div",
        "concat",
        "case",
        *ARITHMETIC,
    )
)


@dataclass
class Writer:
    """Writes a schema for one backend.  Every method's `at` names the place whose spelling it picks."""

    dialect: Dialect
    limits: Limits
    seed: int
    made: int = field(default=0)

    @property
    def sqlite(self) -> bool:
        return self.dialect == "sqlite"

    def pick(self, at: str, *options: Any) -> Any:
        """One of several spellings of the same; with seed 0 the first."""
        return (
            options[zlib.crc32(f"{self.seed}/{at}".encode()) % len(options)]
            if self.seed
            else options[0]
        )

    def by_side(self, sqlite: tuple[Any, ...], mysql: tuple[Any, ...], at: str) -> Any:
        return self.pick(at, *(sqlite if self.sqlite else mysql))

    def shuffled(self, items: Iterable[Any], at: str) -> list[Any]:
        numbered = list(enumerate(items))
        if self.seed and self.pick(at, False, True):
            numbered.sort(key=lambda item: zlib.crc32(f"{self.seed}/{at}/{item[0]}".encode()))
        return [item for _, item in numbered]

    def say(self, words: str) -> str:
        """Keywords in upper, lower or mixed case."""
        return self.pick(words, words, words, words.lower(), words.capitalize())

    # names and values

    def name(self, name: str, at: str = "") -> str:
        plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) and name not in KEYWORDS
        styles = ["bare"] if plain else []
        styles += ['"', "`", "["] if self.sqlite else ["`"]
        if "]" in name and "[" in styles:
            styles.remove("[")
        style = self.pick(f"{at}/{name}/quote", *styles)
        if style == "bare":
            return name
        return f"[{name}]" if style == "[" else style + name.replace(style, style * 2) + style

    def names(self, names: Iterable[str], at: str) -> str:
        return ", ".join(self.name(name, at) for name in names)

    def string(self, text: str, at: str = "") -> str:
        if self.sqlite:
            return "'" + text.replace("'", "''") + "'"
        style = self.pick(f"{at}/{text}/string", "''", "\\'", '"')
        text = text.replace("\\", "\\\\")
        if style == '"':
            return '"' + text.replace('"', '""') + '"'
        return (
            "'"
            + text.replace("'", style).replace("\n", self.pick(f"{at}/newline", "\n", "\\n"))
            + "'"
        )

    def literal(self, value: Any, at: str = "") -> str:
        if isinstance(value, str):
            return self.string(value, at)
        if isinstance(value, bytes):
            return self.by_side(("x'", "X'"), ("x'", "X'"), at + "/bytes") + value.hex() + "'"
        if isinstance(value, bool):
            return self.pick(at + "/bool", str(int(value)), str(value).upper(), str(value).lower())
        if isinstance(value, float):
            return self.pick(at + "/float", f"{value:.2f}", f"{value:g}", f"{value:.4f}")
        return str(value)

    # expressions

    def expression(self, node: Node, at: str) -> str:
        text = getattr(self, "on_" + node.op)(node, at)
        return f"({text})" if self.pick(at + "/parentheses", 0, 0, 0, 1) else text

    def operand(self, node: Node, at: str) -> str:
        text = self.expression(node, at)
        return f"({text})" if node.op in COMPOUND else text

    def call(self, function: str, *args: str) -> str:
        return f"{function}({', '.join(args)})"

    def on_column(self, node: Node, at: str) -> str:
        return self.name(node.args[0], at)

    def on_literal(self, node: Node, at: str) -> str:
        return self.literal(node.args[0], at)

    def on_compare(self, node: Node, at: str) -> str:
        op, left, right = node.args
        mirrored, opposite = COMPARISONS[op]
        one, other = self.operand(left, at + ".l"), self.operand(right, at + ".r")
        form = self.pick(at + "/form", "plain", "plain", "mirrored", "denied")
        signs = {"<>": ("<>", "!="), "=": ("=", "==") if self.sqlite else ("=",)}
        op, opposite, mirrored = (
            self.pick(at + "/sign", *signs.get(sign, (sign,))) for sign in (op, opposite, mirrored)
        )
        if form == "mirrored":
            return f"{other} {mirrored} {one}"
        return (
            f"{self.say('NOT')} ({one} {opposite} {other})"
            if form == "denied"
            else f"{one} {op} {other}"
        )

    def on_and(self, node: Node, at: str) -> str:
        return f" {self.say(node.op.upper())} ".join(
            self.operand(arg, f"{at}.{n}") for n, arg in self.shuffled(enumerate(node.args), at)
        )

    on_or = on_and

    def on_not(self, node: Node, at: str) -> str:
        (inner,) = node.args
        if inner.op in ("and", "or") and self.pick(at + "/de morgan", False, True):
            turned = Node(
                "or" if inner.op == "and" else "and",
                tuple(Node("not", (arg,)) for arg in inner.args),
            )
            return self.expression(turned, at + ".n")
        if inner.op in ("between", "in", "like") and self.pick(at + "/negative", True, False):
            return getattr(self, "on_" + inner.op)(inner, at + ".n", self.say("NOT") + " ")
        return f"{self.say('NOT')} ({self.expression(inner, at + '.n')})"

    def on_between(self, node: Node, at: str, negative: str = "") -> str:
        value, low, high = node.args
        if not negative and self.pick(at + "/form", False, True):
            return self.expression(
                Node("and", (compare(">=", value, low), compare("<=", value, high))), at + ".c"
            )
        ends = f"{self.operand(low, at + '.l')} {self.say('AND')} {self.operand(high, at + '.h')}"
        return f"{self.operand(value, at + '.v')} {negative}{self.say('BETWEEN')} {ends}"

    def on_in(self, node: Node, at: str, negative: str = "") -> str:
        value, *choices = node.args
        if not negative and self.pick(at + "/form", False, False, True):
            return self.expression(
                Node("or", tuple(compare("=", value, choice) for choice in choices)), at + ".c"
            )
        texts = ", ".join(
            self.expression(choice, f"{at}.{n}")
            for n, choice in self.shuffled(enumerate(choices), at)
        )
        return f"{self.operand(value, at + '.v')} {negative}{self.say('IN')} ({texts})"

    def on_like(self, node: Node, at: str, negative: str = "") -> str:
        """A backslash escapes: on MySQL by itself."""
        value, pattern = (
            self.operand(node.args[0], at + ".l"),
            self.expression(node.args[1], at + ".r"),
        )
        escape = ""
        if "\\" in node.args[1].args[0]:
            escape = self.by_side((" ESCAPE '\\'",), ("", " ESCAPE '\\\\'"), at + "/escape")
        return f"{value} {negative}{self.say('LIKE')} {pattern}{escape}"

    def on_null(self, node: Node, at: str) -> str:
        return f"{self.operand(node.args[0], at + '.l')} {self.by_side(('IS NULL', 'ISNULL'), ('IS NULL', 'is null'), at + '/null')}"

    def on_given(self, node: Node, at: str) -> str:
        value = self.operand(node.args[0], at + ".l")
        words = self.by_side(
            ("IS NOT NULL", "NOTNULL", "NOT NULL", "denied"),
            ("IS NOT NULL", "is not null", "denied"),
            at + "/given",
        )
        return f"NOT ({value} IS NULL)" if words == "denied" else f"{value} {words}"

    def on_add(self, node: Node, at: str) -> str:
        return f"{self.operand(node.args[0], at + '.l')} {ARITHMETIC[node.op]} {self.operand(node.args[1], at + '.r')}"

    on_sub = on_mul = on_add

    def on_mod(self, node: Node, at: str) -> str:
        left, right = (self.operand(arg, f"{at}.{n}") for n, arg in enumerate(node.args))
        form = self.by_side(("%",), ("%", "MOD", "call"), at + "/mod")
        return self.call("MOD", left, right) if form == "call" else f"{left} {form} {right}"

    def on_div(self, node: Node, at: str) -> str:
        left, right = (self.operand(arg, f"{at}.{n}") for n, arg in enumerate(node.args))
        return f"{left} {'/' if self.sqlite else 'DIV'} {right}"

    def on_length(self, node: Node, at: str) -> str:
        return self.call(
            self.by_side(("length", "LENGTH"), ("CHAR_LENGTH", "character_length"), at + "/f"),
            self.expression(node.args[0], at),
        )

    def on_lower(self, node: Node, at: str) -> str:
        return self.call(
            self.by_side(("lower", "LOWER"), ("lower", "LCASE"), at + "/f"),
            self.expression(node.args[0], at),
        )

    def on_upper(self, node: Node, at: str) -> str:
        return self.call(
            self.by_side(("upper", "Upper"), ("UPPER", "ucase"), at + "/f"),
            self.expression(node.args[0], at),
        )

    def on_trim(self, node: Node, at: str) -> str:
        return self.call(self.pick(at + "/f", "trim", "TRIM"), self.expression(node.args[0], at))

    def on_abs(self, node: Node, at: str) -> str:
        return self.call(self.pick(at + "/f", "abs", "ABS"), self.expression(node.args[0], at))

    def on_coalesce(self, node: Node, at: str) -> str:
        return self.call(
            self.pick(at + "/f", "coalesce", "COALESCE", "ifnull"),
            *(self.expression(arg, f"{at}.{n}") for n, arg in enumerate(node.args)),
        )

    def on_substr(self, node: Node, at: str) -> str:
        function = self.by_side(("substr", "SUBSTRING"), ("substr", "SUBSTRING", "mid"), at + "/f")
        return self.call(
            function, *(self.expression(arg, f"{at}.{n}") for n, arg in enumerate(node.args))
        )

    def on_concat(self, node: Node, at: str) -> str:
        parts = [self.operand(arg, f"{at}.{n}") for n, arg in enumerate(node.args)]
        return " || ".join(parts) if self.sqlite else self.call("CONCAT", *parts)

    def on_case(self, node: Node, at: str) -> str:
        condition, yes, no = (self.expression(arg, f"{at}.{n}") for n, arg in enumerate(node.args))
        form = self.by_side(("case", "IIF"), ("case", "IF"), at + "/case")
        return (
            f"CASE WHEN {condition} THEN {yes} ELSE {no} END"
            if form == "case"
            else self.call(form, condition, yes, no)
        )

    def on_valid(self, node: Node, at: str) -> str:
        return self.call("json_valid", self.expression(node.args[0], at))

    # columns

    def default(self, column: Column, at: str) -> str:
        """What stands behind DEFAULT, or nothing."""
        value = column.default
        if value is None:
            return (
                self.pick(at + "/null", "", "", "NULL")
                if column.nullable and not column.generated
                else ""
            )
        if value == NOW:
            return self.now(column, at)
        if value == EPOCH:
            return self.by_side(
                ("(unixepoch())", "(strftime('%s', 'now'))"),
                ("(unix_timestamp())", "(UNIX_TIMESTAMP())"),
                at,
            )
        text = self.literal(value, at)
        if column.sort in ("text", "json") and not self.sqlite:
            return f"({text})"
        if column.sort in INTEGERS | {"decimal", "float"}:
            if column.mysql.startswith("BIT") and not self.sqlite:
                return self.pick(at + "/bit", f"b'{int(value)}'", str(int(value)))
            texts = (
                (text, text, f"({text})")
                if isinstance(value, bool)
                else (text, text, f"({text})", f"'{text}'")
            )
            return self.pick(at + "/form", *texts)
        if isinstance(value, str) and self.sqlite:
            quoted = '"' + value.replace('"', '""') + '"'  # https://sqlite.org/quirks.html#dblquote
            return self.pick(at + "/form", text, text, f"({text})", quoted)
        return self.pick(at + "/form", text, text, f"({text})")

    def now(self, column: Column, at: str) -> str:
        if column.sort != "datetime":
            word = column.sort.upper()
            sqlite = (f"CURRENT_{word}", f"({column.sort}('now'))")
            return self.by_side(sqlite, (f"(CURRENT_{word})", f"(cur{column.sort}())"), at)
        precision = re.search(r"\(\d\)", column.mysql)
        size = precision[0] if precision else "()"
        words = (
            "CURRENT_TIMESTAMP" + size.replace("()", ""),
            "now" + size,
            "current_timestamp" + size,
        )
        return self.by_side(
            ("CURRENT_TIMESTAMP", "(datetime('now'))", "(current_timestamp)"), words, at
        )

    def type_of(self, column: Column) -> str:
        if self.sqlite:
            return column.sqlite
        if column.mysql == "ENUM":
            return f"ENUM({', '.join(self.string(value) for value in column.values)})"
        if column.sort == "uuid" and not self.limits.mariadb:
            return "CHAR(36)"
        return column.mysql

    def column(self, table: Table, column: Column, inline: list[str]) -> str:
        """`inline` are constraints that stand beside the column."""
        at = f"{table.name}/{column.name}"
        words: list[str] = []
        if column.generated:
            always = self.pick(at + "/always", "GENERATED ALWAYS AS", "AS", "generated always as")
            words.append(
                f"{always} ({self.expression(column.generated, at)}) {self.pick(at + '/stored', 'STORED', 'VIRTUAL')}"
            )
        else:
            alias = table.filled and column.name in table.primary_key
            if not column.nullable and not (
                self.sqlite
                and (alias or self.key_of_without_rowid(table, column))
                and self.pick(at + "/n", 1, 0)
            ):
                words.append(self.say("NOT NULL"))
            elif column.nullable and not self.sqlite:
                words.append(
                    self.pick(
                        at + "/n",
                        *(("NULL",) if column.mysql.startswith("TIMESTAMP") else ("", "NULL")),
                    )
                )
            default = self.default(column, at + "/default")
            words.append(f"{self.say('DEFAULT')} {default}" if default else "")
            if column.on_update and not self.sqlite:
                size = re.search(r"\(\d\)", column.mysql)
                words.append("ON UPDATE CURRENT_TIMESTAMP" + (size[0] if size else ""))
        return " ".join(
            filter(
                None,
                [
                    self.name(column.name, "define" + table.name),
                    self.type_of(column),
                    *words,
                    *inline,
                ],
            )
        )

    def key_of_without_rowid(self, table: Table, column: Column) -> bool:
        return table.without_rowid and column.name in table.primary_key

    # constraints

    def constraint_name(self, name: str, at: str) -> str:
        return (
            f"{self.say('CONSTRAINT')} {self.name(name, at)} "
            if self.pick(at + "/named", True, False)
            else ""
        )

    def references(self, key: ForeignKey, at: str) -> str:
        words = [
            f"{self.say('REFERENCES')} {self.name(key.parent, at)} ({self.names(key.parent_columns, at)})"
        ]
        for event, action in (("DELETE", key.on_delete), ("UPDATE", key.on_update)):
            default = self.pick(f"{at}/{event}", "", "NO ACTION", "RESTRICT")
            words.append(
                f"{self.say('ON ' + event)} {action or default}" if action or default else ""
            )
        if key.deferred:
            words.append("DEFERRABLE INITIALLY DEFERRED")
        return " ".join(filter(None, words))

    def parts(self, table: Table, key: Key, is_index: bool) -> str:
        texts = []
        for name in key.columns:
            at = f"{key.name}/{name}"
            column, text = table.column(name), self.name(name, at)
            if not self.sqlite and (
                column.sort in PREFIXED
                or key.prefixed
                or (is_index and column.sort == "string" and self.pick(at, 0, 0, 1))
            ):
                text += "(10)"
            texts.append(text + self.pick(at + "/direction", "", "", "", " ASC", " DESC"))
        return ", ".join(texts)

    def checks(self, table: Table) -> list[Check]:
        """Those of the model, those that an enum and JSON stand for, and some parted at their ANDs."""
        made = []
        for column in table.columns:
            value, name = (
                Node("column", (column.name,)),
                f"ck_{zlib.crc32(f'{table.name}/{column.name}'.encode()):x}",
            )
            if column.sort == "enum" and (
                (self.sqlite and column.checked) or (not self.sqlite and column.mysql != "ENUM")
            ):
                made.append(
                    Check(
                        name, Node("in", (value, *(Node("literal", (v,)) for v in column.values)))
                    )
                )
            if column.sort == "json" and self.sqlite and column.checked:
                made.append(Check(name, Node("valid", (value,))))
        for check in table.checks:
            if check.condition.op == "and" and self.pick(check.name + "/parted", False, True):
                made += [
                    Check(f"{check.name}_{n}", part) for n, part in enumerate(check.condition.args)
                ]
            else:
                made.append(check)
        return made

    def table(self, table: Table) -> list[str]:
        """CREATE TABLE, and what is said of it in statements of its own."""
        inline: dict[str, list[str]] = {column.name: [] for column in table.columns}
        inside: list[str] = []
        after: list[str] = []
        own = self.name(table.name, "define")
        for place in (
            self.place_primary_key,
            self.place_uniques,
            self.place_checks,
            self.place_foreign_keys,
            self.place_indexes,
        ):
            place(table, own, inline, inside, after)
        columns = [
            self.column(table, column, inline[column.name]) for column in self.ordered(table)
        ]
        late = columns.pop() if self.may_come_late(table, columns) else ""
        gap = self.pick(
            table.name + "/gap",
            " ",
            "\n  ",
            " /* it's, \" */ ",
            "\n-- a comment; with a ( and a '\n",
        )
        end = (
            " WITHOUT ROWID"
            if self.sqlite and table.without_rowid
            else f" ENGINE = {table.engine}"
            if table.engine and not self.sqlite
            else ""
        )
        create = (
            f"{self.say('CREATE TABLE')} {own} ({gap}{f',{gap}'.join([*columns, *inside])}){end}"
        )
        return [create, *([f"ALTER TABLE {own} ADD COLUMN {late}"] if late else []), *after]

    def ordered(self, table: Table) -> list[Column]:
        """Columns in any order; generated ones last, for MySQL lets them read no later column with an expression as its default."""
        return sorted(
            self.shuffled(table.columns, table.name + "/order"),
            key=lambda column: column.generated is not None,
        )

    def may_come_late(self, table: Table, columns: list[str]) -> bool:
        """The last column may be added by ALTER TABLE where it stands alone and both backends let it."""
        if len(columns) < 2 or not self.pick(table.name + "/late", False, False, True):
            return False
        last = self.ordered(table)[-1]
        used = {
            *table.primary_key,
            *table.referring,
            *table.computed_from,
            *(n for k in (*table.uniques, *table.indexes) for n in k.columns),
        }
        return (
            last.nullable
            and last.default is None
            and not last.generated
            and last.name not in used
            and last.sort not in ("enum", "json")
        )

    def place_primary_key(
        self, table: Table, own: str, inline: Any, inside: list[str], after: list[str]
    ) -> None:
        if not table.primary_key:
            return
        at = table.name + "/pk"
        first = table.primary_key[0]
        if table.filled and not self.sqlite:
            inline[first].append(self.say("AUTO_INCREMENT"))
        if len(table.primary_key) == 1 and self.pick(at, True, False):
            extra = (
                " AUTOINCREMENT"
                if table.filled and self.sqlite and self.pick(at + "/auto", False, True)
                else ""
            )
            inline[first].append(self.say("PRIMARY KEY") + extra)
        else:
            inside.append(
                f"{self.constraint_name('pk', at) if self.sqlite else ''}PRIMARY KEY ({self.names(table.primary_key, at)})"
            )

    def place_uniques(
        self, table: Table, own: str, inline: Any, inside: list[str], after: list[str]
    ) -> None:
        for key in table.uniques:
            parts = self.parts(table, key, False)
            form = self.pick(
                key.name + "/form",
                "inside",
                "statement",
                "inline" if len(key.columns) == 1 else "inside",
            )
            if key.partial or key.prefixed or form == "statement":
                where = f" WHERE {self.name(key.columns[0])} IS NOT NULL" if key.partial else ""
                after.append(
                    f"{self.say('CREATE UNIQUE INDEX')} {self.name(key.name)} ON {own} ({parts}){where}"
                )
            elif form == "inline":
                inline[key.columns[0]].append(self.say("UNIQUE"))
            else:
                word = self.by_side(
                    ("UNIQUE",), ("UNIQUE", "UNIQUE KEY", "unique index"), key.name + "/word"
                )
                inside.append(f"{self.constraint_name(key.name, key.name)}{word} ({parts})")

    def place_checks(
        self, table: Table, own: str, inline: Any, inside: list[str], after: list[str]
    ) -> None:
        for check in self.checks(table):
            text = f"{self.constraint_name(check.name, check.name)}{self.say('CHECK')} ({self.expression(check.condition, check.name)})"
            form = self.by_side(
                ("inside", "inline"), ("inside", "inline", "statement"), check.name + "/form"
            )
            if form == "inline" and len(check.condition.columns) == 1:
                beside = inline[min(check.condition.columns)]
                if self.sqlite or not self.limits.mariadb:
                    beside.append(text)
                elif not any("CHECK" in other.upper() for other in beside):
                    beside.append(text[text.upper().index("CHECK (") :])
                else:
                    inside.append(text)
            elif form == "statement":
                after.append(f"ALTER TABLE {own} ADD {text}")
            else:
                inside.append(text)

    def place_foreign_keys(
        self, table: Table, own: str, inline: Any, inside: list[str], after: list[str]
    ) -> None:
        for key in table.foreign_keys:
            text = self.references(key, key.name)
            form = self.by_side(
                ("inside", "inline"), ("inside", "inline", "statement"), key.name + "/form"
            )
            if (
                form == "inline"
                and len(key.columns) == 1
                and (self.sqlite or self.limits.inline_references)
            ):
                inline[key.columns[0]].append(text)
                continue
            text = f"{self.constraint_name(key.name, key.name)}FOREIGN KEY ({self.names(key.columns, key.name)}) {text}"
            if form == "statement":
                after.append(f"ALTER TABLE {own} ADD {text}")
            else:
                inside.append(text)

    def place_indexes(
        self, table: Table, own: str, inline: Any, inside: list[str], after: list[str]
    ) -> None:
        for key in table.indexes:
            parts = self.parts(table, key, True)
            form = self.by_side(
                ("statement",), ("statement", "inside", "alter"), key.name + "/form"
            )
            word = self.pick(key.name + "/word", "INDEX", "KEY")
            if form == "statement":
                after.append(f"{self.say('CREATE INDEX')} {self.name(key.name)} ON {own} ({parts})")
            elif form == "inside":
                inside.append(f"{word} {self.name(key.name)} ({parts})")
            else:
                after.append(f"ALTER TABLE {own} ADD {word} {self.name(key.name)} ({parts})")

    # the rest

    def view(self, view: View) -> str:
        name = self.name(view.name)
        source = self.name(view.table, view.name)
        if self.pick(view.name + "/form", False, True):
            outputs = ", ".join(self.name(output, view.name) for output, _ in view.columns)
            return f"CREATE VIEW {name} ({outputs}) AS SELECT {self.names((c for _, c in view.columns), view.name)} FROM {source}"
        columns = (
            f"{self.name(column, view.name)} AS {self.name(output, view.name)}"
            for output, column in view.columns
        )
        return f"CREATE VIEW {name} AS SELECT {', '.join(columns)} FROM {source}"

    def seeds(self, table: Table) -> Iterator[str]:
        wanted = [
            column
            for column in table.columns
            if not column.generated and column.name not in table.referring
        ]
        for number in range(1, table.rows + 1):
            values = ", ".join(self.literal(seed_value(column, number)) for column in wanted)
            yield f"INSERT INTO {self.name(table.name)} ({self.names((c.name for c in wanted), 'insert')}) VALUES ({values})"

    def schema(self, schema: Schema) -> str:
        statements: list[str] = []
        for table in schema.tables:
            statements += self.table(table)
        for table in schema.tables:
            statements += self.seeds(table)
        statements += [self.view(view) for view in schema.views]
        return ";\n".join(statements) + ";\n"


def seed_value(column: Column, number: int) -> Any:
    """A value that no other row of the table has."""
    fixed: dict[str, Any] = {
        "bool": bool(number % 2),
        "json": "{}",
        "year": 2000 + number,
        "time": f"10:00:0{number}",
    }
    moments = {
        "date": f"2020-01-0{number}",
        "datetime": f"2020-01-0{number} 00:00:00",
        "float": number / 2,
        "decimal": number / 2,
    }
    named = {
        "string": f"v{number}",
        "char": f"v{number}",
        "text": f"v{number}",
        "bytes": f"v{number}".encode(),
        "blob": b"\x00" + bytes([number]),
    }
    if column.sort == "enum":
        return column.values[number % len(column.values)]
    if column.sort == "uuid":
        return (
            f"::{number}"
            if column.mysql == "INET6"
            else f"00000000-0000-0000-0000-00000000000{number}"
        )
    return {**fixed, **moments, **named}.get(column.sort, number)


def compare(op: str, left: Node, right: Node) -> Node:
    return Node("compare", (op, left, right))


# ---- strategies ----------------------------------------------------------------------------------

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


# ---- mutations -----------------------------------------------------------------------------------


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if set(name) & set('.,()"') else name


def at_column(table: Table, column: str) -> str:
    return f"{quoted(table.name)}.{quoted(column)}"


def at_key(table: Table, columns: Iterable[str]) -> str:
    return f"{quoted(table.name)}({', '.join(map(quoted, columns))})"


Changed = tuple[
    Any, Any, list[tuple[str, str]]
]  # side (or both), the schema that it has instead, what must be found
MUTATIONS: list[Callable[[Schema], Iterator[Changed]]] = []


def mutation(rule: Callable[[Schema], Iterator[Changed]]) -> Callable[[Schema], Iterator[Changed]]:
    MUTATIONS.append(rule)
    return rule


def mutations(schema: Schema, rule: Callable[[Schema], Iterator[Changed]]) -> Iterator[Mutation]:
    """Every single change of a kind that the schema offers, each on one side."""
    for side, changed, expect in rule(schema):
        for one in SIDES if side is None else (side,):
            yield Mutation(rule.__name__, one, changed, tuple(expect))


def on_columns(table: Table, change: Callable[[Column], Column], name: str) -> Table:
    return replace(
        table,
        columns=tuple(
            change(column) if column.name == name else column for column in table.columns
        ),
    )


def free(schema: Schema, table: Table) -> Iterator[Column]:
    """Columns that are in no key, no foreign key, no expression and no view."""
    keyed = {name for key in (*table.uniques, *table.indexes) for name in key.columns}
    bound = {
        *table.primary_key,
        *table.referring,
        *table.computed_from,
        *schema.referenced(table),
        *schema.shown(table),
        *keyed,
    }
    return (column for column in table.columns if column.name not in bound and not column.generated)


def keyed_alike(table: Table) -> list[tuple[str, ...]]:
    """The columns of all keys of a table, in order."""
    return [key.columns for key in (*table.uniques, *table.indexes)] + (
        [table.primary_key] if table.primary_key else []
    )


@mutation
def drop_table(schema: Schema) -> Iterator[Changed]:
    for table in schema.tables[1:]:
        if not any(view.table == table.name for view in schema.views):
            left = [
                replace(
                    one, foreign_keys=tuple(k for k in one.foreign_keys if k.parent != table.name)
                )
                for one in schema.tables
            ]
            yield (
                None,
                replace(schema, tables=tuple(one for one in left if one.name != table.name)),
                [("table-missing", quoted(table.name))],
            )


@mutation
def rename_table_case(schema: Schema) -> Iterator[Changed]:
    for table in schema.tables:
        other = table.name.upper() if table.name.isascii() else table.name
        if other == table.name:
            continue
        tables = []
        for one in schema.tables:
            keys = tuple(
                replace(key, parent=other) if key.parent == table.name else key
                for key in one.foreign_keys
            )
            tables.append(
                replace(one, foreign_keys=keys, name=other if one.name == table.name else one.name)
            )
        views = tuple(
            replace(view, table=other) if view.table == table.name else view
            for view in schema.views
        )
        for side in SIDES:
            place = quoted(other if side == "mysql" else table.name)
            yield (
                side,
                replace(schema, tables=tuple(tables), views=views),
                [("identifier-case", place)],
            )


@mutation
def change_engine(schema: Schema) -> Iterator[Changed]:
    for table in schema.tables:
        if not table.foreign_keys and not schema.referenced(table):
            yield (
                "mysql",
                schema.with_table(replace(table, engine="MyISAM")),
                [("table-engine", quoted(table.name))],
            )


@mutation
def drop_column(schema: Schema) -> Iterator[Changed]:
    """With all that is made of it: one cause, one finding."""
    for table in schema.tables:
        bound = {*table.primary_key, *schema.referenced(table), *schema.shown(table)}
        sources = {
            name
            for column in table.columns
            if column.generated
            for name in column.generated.columns
        }
        for column in table.columns:
            if column.name in bound | sources or len(table.columns) < 3:
                continue
            left = replace(
                table,
                columns=tuple(one for one in table.columns if one.name != column.name),
                uniques=tuple(key for key in table.uniques if column.name not in key.columns),
                indexes=tuple(key for key in table.indexes if column.name not in key.columns),
                foreign_keys=tuple(
                    key for key in table.foreign_keys if column.name not in key.columns
                ),
                checks=tuple(
                    check for check in table.checks if column.name not in check.condition.columns
                ),
            )
            parts = {
                part
                for check in table.checks
                if column.name in check.condition.columns
                for part in conjuncts(check.condition)
            }
            if all(column.name in part.columns for part in parts):
                yield (
                    None,
                    schema.with_table(left),
                    [("column-missing", at_column(table, column.name))],
                )


def conjuncts(node: Node) -> Iterator[Node]:
    """The parts that a reader may take apart: anything but a lone comparison counts as one that cannot be told."""
    if node.op == "and":
        for part in node.args:
            yield from conjuncts(part)
    else:
        yield node


@mutation
def rename_column(schema: Schema) -> Iterator[Changed]:
    for table in schema.tables:
        for column in free(schema, table):
            new = column.name + "x"
            changed = schema.with_table(
                on_columns(table, lambda c, new=new: replace(c, name=new), column.name)
            )
            yield (
                None,
                changed,
                [("column-missing", at_column(table, name)) for name in (column.name, new)],
            )


@mutation
def change_type(schema: Schema) -> Iterator[Changed]:
    for table in schema.tables:
        for column in free(schema, table):
            if column.sort not in ("enum", "json") and not table.rows:
                to = ("DATETIME", "DATETIME") if column.sort in INTEGERS else ("BIGINT", "BIGINT")
                other = replace(column, sort="other", sqlite=to[0], mysql=to[1], default=None)
                changed = schema.with_table(
                    on_columns(table, lambda _, other=other: other, column.name)
                )
                yield None, changed, [("column-type", at_column(table, column.name))]


@mutation
def change_to_unknown_type(schema: Schema) -> Iterator[Changed]:
    for table in schema.tables:
        for column in free(schema, table):
            if column.sort not in ("enum", "json"):
                for name in ("STRING", "", "VARCHAR2(9)"):
                    changed = schema.with_table(
                        on_columns(table, lambda c, name=name: replace(c, sqlite=name), column.name)
                    )
                    yield "sqlite", changed, [("type-unknown", at_column(table, column.name))]


@mutation
def change_nullability(schema: Schema) -> Iterator[Changed]:
    for table in schema.tables:
        for column in table.columns:
            if column.name not in {*table.primary_key, *table.referring} and not column.generated:
                changed = schema.with_table(
                    on_columns(table, lambda c: replace(c, nullable=not c.nullable), column.name)
                )
                yield None, changed, [("column-nullability", at_column(table, column.name))]


@mutation
def change_default(schema: Schema) -> Iterator[Changed]:
    for table in schema.tables:
        for column in table.columns:
            if (
                column.generated
                or (table.filled and column.name in table.primary_key)
                or column.sort not in DEFAULTS
            ):
                continue
            if column.mysql == "TINYTEXT" or column.name in table.referring:
                continue
            for default in {None, *DEFAULTS[column.sort]} - {column.default}:
                changed = schema.with_table(
                    on_columns(
                        table, lambda c, default=default: replace(c, default=default), column.name
                    )
                )
                yield None, changed, [("column-default", at_column(table, column.name))]


@mutation
def add_on_update(schema: Schema) -> Iterator[Changed]:
    for table in schema.tables:
        for column in table.columns:
            if (
                column.sort == "datetime"
                and column.name not in table.computed_from | table.referring
            ):
                changed = schema.with_table(
                    on_columns(table, lambda c: replace(c, on_update=True), column.name)
                )
                yield "mysql", changed, [("column-default", at_column(table, column.name))]


@mutation
def change_capacity(schema: Schema) -> Iterator[Changed]:
    """Where both sides declare a size."""
    for table in schema.tables:
        for column in table.columns:
            sized = column.sort in ("string", "char", "decimal", "bytes") and re.search(
                r"\d", column.sqlite
            )
            if (
                sized
                and not column.generated
                and column.name not in table.referring | schema.referenced(table)
            ):
                for side in SIDES:
                    declared = re.sub(
                        r"\d+", lambda match: str(int(match[0]) + 1), getattr(column, side), count=1
                    )
                    changed = on_columns(
                        table,
                        lambda c, side=side, declared=declared: replace(c, **{side: declared}),
                        column.name,
                    )
                    yield (
                        side,
                        schema.with_table(changed),
                        [("column-capacity", at_column(table, column.name))],
                    )


@mutation
def stop_filling(schema: Schema) -> Iterator[Changed]:
    for table in schema.tables:
        if table.filled:
            own = on_columns(table, lambda c: replace(c, sqlite="INT"), table.primary_key[0])
            yield (
                None,
                schema.with_table(replace(own, filled=False)),
                [("column-auto-increment", at_column(table, table.primary_key[0]))],
            )


@mutation
def change_generated(schema: Schema) -> Iterator[Changed]:
    for table in schema.tables:
        for column in table.columns:
            if column.generated:
                for node in (None, bumped(column.generated)):
                    changed = on_columns(
                        table, lambda c, node=node: replace(c, generated=node), column.name
                    )
                    yield (
                        None,
                        schema.with_table(changed),
                        [("column-generated", at_column(table, column.name))],
                    )


@mutation
def change_primary_key(schema: Schema) -> Iterator[Changed]:
    """Turned around, or gone."""
    for table in schema.tables:
        if len(table.primary_key) > 1 and not set(table.primary_key) & schema.referenced(table):
            turned = replace(table, primary_key=table.primary_key[::-1])
            gone = replace(table, primary_key=(), without_rowid=False)
            for changed in (turned, gone):
                yield None, schema.with_table(changed), [("primary-key", quoted(table.name))]


@mutation
def drop_unique(schema: Schema) -> Iterator[Changed]:
    for table in schema.tables:
        for key in table.uniques:
            left = replace(table, uniques=tuple(one for one in table.uniques if one != key))
            expect = [("unique", at_key(table, key.columns))]
            if not set(key.columns) & schema.referenced(table):
                yield None, schema.with_table(left), expect
            else:
                referring = [
                    (one, k)
                    for one in schema.tables
                    for k in one.foreign_keys
                    if (k.parent, k.parent_columns) == (table.name, key.columns)
                ]
                if len(key.columns) == 1 and key.columns != table.primary_key:
                    yield (
                        "sqlite",
                        schema.with_table(left),
                        expect
                        + [
                            ("foreign-key-dangling", at_key(one, k.columns)) for one, k in referring
                        ],
                    )


@mutation
def change_unique(schema: Schema) -> Iterator[Changed]:
    """Unique among some rows only, or in its first characters."""
    for table in schema.tables:
        for key in table.uniques:
            if set(key.columns) & schema.referenced(table):
                continue
            for side, word in (("sqlite", "partial"), ("mysql", "prefixed")):
                if word == "partial" or all(
                    table.column(name).sort in ("string", "char") for name in key.columns
                ):
                    other = tuple(
                        replace(one, **{word: True}) if one == key else one for one in table.uniques
                    )
                    yield (
                        side,
                        schema.with_table(replace(table, uniques=other)),
                        [("unique", at_key(table, key.columns))],
                    )


@mutation
def drop_index(schema: Schema) -> Iterator[Changed]:
    """Found unless a longer key answers for it, or InnoDB makes one like it for a foreign key."""
    for table in schema.tables:
        for key in table.indexes:
            left = replace(table, indexes=tuple(one for one in table.indexes if one != key))
            answered = any(
                columns[: len(key.columns)] == key.columns for columns in keyed_alike(left)
            )
            own = any(one.columns[: len(key.columns)] == key.columns for one in table.foreign_keys)
            expect = [] if answered else [("index", at_key(table, key.columns))]
            yield "sqlite", schema.with_table(left), expect
            yield "mysql", schema.with_table(left), [] if own else expect


@mutation
def drop_foreign_key(schema: Schema) -> Iterator[Changed]:
    for table in schema.tables:
        for key in table.foreign_keys:
            left = replace(
                table, foreign_keys=tuple(one for one in table.foreign_keys if one != key)
            )
            yield None, schema.with_table(left), [("foreign-key", at_key(table, key.columns))]


@mutation
def change_action(schema: Schema) -> Iterator[Changed]:
    for table in schema.tables:
        for key in table.foreign_keys:
            for event in ("on_delete", "on_update"):
                other = "" if getattr(key, event) else "CASCADE"
                keys = tuple(
                    replace(one, **{event: other}) if one == key else one
                    for one in table.foreign_keys
                )
                yield (
                    None,
                    schema.with_table(replace(table, foreign_keys=keys)),
                    [("foreign-key", at_key(table, key.columns))],
                )
            keys = tuple(
                replace(one, deferred=True) if one == key else one for one in table.foreign_keys
            )
            yield (
                "sqlite",
                schema.with_table(replace(table, foreign_keys=keys)),
                [("foreign-key", at_key(table, key.columns))],
            )


@mutation
def drop_check(schema: Schema) -> Iterator[Changed]:
    for table in schema.tables:
        for check in table.checks:
            left = replace(table, checks=tuple(one for one in table.checks if one != check))
            yield None, schema.with_table(left), [("check", quoted(table.name))]


@mutation
def change_constant(schema: Schema) -> Iterator[Changed]:
    for table in schema.tables:
        for check in table.checks:
            other = tuple(
                replace(one, condition=bumped(one.condition)) if one == check else one
                for one in table.checks
            )
            yield (
                None,
                schema.with_table(replace(table, checks=other)),
                [("check", quoted(table.name))],
            )


def bumped(node: Node) -> Node:
    """The same with its last constant changed."""
    args = list(node.args)
    for at in reversed(range(len(args))):
        if isinstance(args[at], Node) and args[at].op == "literal":
            value = args[at].args[0]
            args[at] = Node("literal", (value + "1" if isinstance(value, str) else value + 5,))
            break
        if isinstance(args[at], Node) and bumped(args[at]) != args[at]:
            args[at] = bumped(args[at])
            break
    return Node(node.op, tuple(args))


@mutation
def change_choices(schema: Schema) -> Iterator[Changed]:
    """An ENUM that takes more, a column that checks nothing."""
    for table in schema.tables:
        for column in table.columns:
            if column.sort == "enum":
                more = on_columns(
                    table, lambda c: replace(c, values=(*c.values, "one more")), column.name
                )
                yield None, schema.with_table(more), [("check", quoted(table.name))]
            if column.sort in ("enum", "json"):
                bare = on_columns(table, lambda c: replace(c, checked=False), column.name)
                yield "sqlite", schema.with_table(bare), [("check", quoted(table.name))]


@mutation
def change_view(schema: Schema) -> Iterator[Changed]:
    for view in schema.views:
        others = tuple(one for one in schema.views if one != view)
        yield None, replace(schema, views=others), [("view", quoted(view.name))]
        if len(view.columns) > 1:
            yield (
                None,
                replace(schema, views=(*others, replace(view, columns=view.columns[1:]))),
                [("view", quoted(view.name))],
            )


@mutation
def change_rows(schema: Schema) -> Iterator[Changed]:
    for table in schema.tables:
        if table.rows:
            yield (
                None,
                schema.with_table(replace(table, rows=table.rows - 1)),
                [("seed-rows", quoted(table.name))],
            )


@mutation
def change_nothing(schema: Schema) -> Iterator[Changed]:
    """The control: the very same again."""
    yield None, schema, []


# ---- smaller pairs -------------------------------------------------------------------------------


def smaller(pair: Pair) -> Iterator[Pair]:
    """Pairs with one thing less, with the same change and the same findings to expect."""
    for seeds in {(0, 0), (0, pair.seeds[1]), (pair.seeds[0], 0)} - {pair.seeds}:
        yield replace(pair, seeds=seeds)
    rule = next(rule for rule in MUTATIONS if rule.__name__ == pair.mutation.name)
    for schema in reductions(pair.schema):
        for one in mutations(schema, rule):
            if (one.side, one.expect) == (pair.mutation.side, pair.mutation.expect):
                yield replace(pair, schema=schema, mutation=one)


def unchanged(pair: Pair) -> Pair:
    """For what fails before anything is changed."""
    return replace(pair, mutation=next(mutations(pair.schema, change_nothing)))


def reductions(schema: Schema) -> Iterator[Schema]:
    for table in reversed(schema.tables):
        left = [
            replace(one, foreign_keys=tuple(k for k in one.foreign_keys if k.parent != table.name))
            for one in schema.tables
        ]
        if len(left) > 1:
            views = tuple(view for view in schema.views if view.table != table.name)
            yield Schema(tuple(one for one in left if one.name != table.name), views)
    for view in schema.views:
        yield replace(schema, views=tuple(one for one in schema.views if one != view))
    for table in schema.tables:
        yield from (schema.with_table(one) for one in reduced_tables(schema, table))


def reduced_tables(schema: Schema, table: Table) -> Iterator[Table]:
    referenced = schema.referenced(table)
    for part in ("checks", "indexes", "foreign_keys", "uniques"):
        for item in getattr(table, part):
            if part != "uniques" or not set(item.columns) & referenced:
                yield replace(
                    table, **{part: tuple(one for one in getattr(table, part) if one != item)}
                )
    if table.primary_key and not set(table.primary_key) & referenced:
        yield replace(table, primary_key=(), filled=False, without_rowid=False)
    if table.rows:
        yield replace(table, rows=0)
    bound = {column.name for column in table.columns} - {
        column.name for column in free(schema, table)
    }
    for column in table.columns:
        if (
            (column.name not in bound or column.generated)
            and column.name not in schema.shown(table)
            and len(table.columns) > 1
        ):
            yield replace(table, columns=tuple(one for one in table.columns if one != column))
        if column.default is not None:
            yield on_columns(table, lambda c: replace(c, default=None), column.name)
    for check in table.checks:
        for node in check.condition.args:
            if check.condition.op in ("and", "or", "not"):
                shorter = replace(check, condition=node)
                yield replace(
                    table, checks=tuple(shorter if one == check else one for one in table.checks)
                )
