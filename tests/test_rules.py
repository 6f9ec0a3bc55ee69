"""The rules as tables, each with what is equal and what still differs; and the shape of xtask.py itself."""

from __future__ import annotations

import re
import sqlite3
import tomllib
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest

import xtask
from conftest import ROOT

SOURCE = (ROOT / "xtask.py").read_text("utf-8")


# ---- types ---------------------------------------------------------------------------------

I64, BOOL, FLAG = {"i64"}, {"bool"}, {"i64", "bool"}


@pytest.mark.parametrize(
    ("declared", "logical"),
    [
        ("INTEGER", FLAG),
        ("int", FLAG),
        ("TINYINT", FLAG),
        ("SMALLINT", FLAG),
        ("MEDIUMINT", I64),
        ("BIGINT", I64),
        ("BIG INT", I64),
        ("unsigned big  int", I64),
        ("INT2", I64),
        ("INT4", I64),
        ("INT8", I64),
        ("BIGINT UNSIGNED", I64),
        ("INTEGER ZEROFILL", FLAG),
        ("BOOLEAN", BOOL),
        ("Bool", BOOL),
        ("TINYINT(1)", BOOL),
        ("TINYINT ( 1 ) UNSIGNED", BOOL),
        ("BIT", BOOL),
        ("NUMERIC", {"bool", "decimal"}),
        ("NUMERIC(1)", {"decimal"}),
        ("DECIMAL(10, 2)", {"decimal"}),
        ("REAL", {"f64"}),
        ("double \t precision", {"f64"}),
        ("FLOAT", {"f64"}),
        ("TEXT", {"string"}),
        ("NATIVE CHARACTER(70)", {"string"}),
        ("VARYING CHARACTER (70)", {"string"}),
        ("JSON", {"string"}),
        ("UUID", {"string"}),
        ("LONGBLOB", {"bytes"}),
        ("VARBINARY(16)", {"bytes"}),
        ("DATE", {"date"}),
        ("TIME WITH TIME ZONE", {"time"}),
        ("TIMESTAMP WITHOUT TIME ZONE", {"datetime"}),
        ("", set()),
        ("ANY", set()),
        ("STRING", set()),
        ("JSONB", set()),
        ("TIMESTAMPTZ", set()),
        ("UNSIGNED", set()),
        ("INTEGERS", set()),
        ("TEXT AFTER description", set()),
        ("DATE TIME", set()),
    ],
)
def test_sqlite_type(declared: str, logical: set[str]) -> None:
    assert xtask.sqlite_type(declared).logical == logical


@pytest.mark.parametrize(
    ("declared", "text", "logical"),
    [
        ("tinyint(1)", "tinyint(1)", BOOL),
        ("tinyint(4)", "tinyint", FLAG),
        ("tinyint", "tinyint", FLAG),
        ("tinyint(1) unsigned", "tinyint unsigned", FLAG),
        ("tinyint unsigned", "tinyint unsigned", FLAG),
        ("smallint(6)", "smallint", I64),
        ("mediumint", "mediumint", I64),
        ("int(11)", "int", I64),
        ("int(10) unsigned zerofill", "int unsigned", I64),
        ("bigint(20)", "bigint", I64),
        ("year(4)", "year", I64),
        ("bit(1)", "bit(1)", BOOL),
        ("bit(8)", "bit(8)", set()),
        ("float", "float", {"f64"}),
        ("double", "double", {"f64"}),
        ("decimal(10,2)", "decimal(10,2)", {"decimal"}),
        ("varchar(40)", "varchar(40)", {"string"}),
        ("char(36)", "char(36)", {"string"}),
        ("mediumtext", "mediumtext", {"string"}),
        ("enum('a','it''s')", "enum('a','it''s')", {"string"}),
        ("enum('x unsigned')", "enum('x unsigned')", {"string"}),
        ("json", "json", {"string"}),
        ("uuid", "uuid", {"string"}),
        ("inet4", "inet4", {"string"}),
        ("inet6", "inet6", {"string"}),
        ("binary(16)", "binary(16)", {"bytes"}),
        ("longblob", "longblob", {"bytes"}),
        ("date", "date", {"date"}),
        ("time(3)", "time(3)", {"time"}),
        ("datetime(6)", "datetime(6)", {"datetime"}),
        ("timestamp", "timestamp", {"datetime"}),
        ("set('a','b')", "set('a','b')", set()),
        ("geometry", "geometry", set()),
        ("vector(3)", "vector(3)", set()),
    ],
)
def test_mysql_type(declared: str, text: str, logical: set[str]) -> None:
    read = xtask.mysql_type(declared)
    assert (read.text, read.logical) == (text, logical)


def test_mariadb_json_is_json() -> None:
    assert xtask.mysql_type("longtext", json_checked=True) == xtask.ColumnType(
        "json", frozenset({"string"})
    )


@pytest.mark.parametrize(
    ("dialect", "declared", "size"),
    [
        ("sqlite", "INTEGER", None),
        ("sqlite", "INT", None),
        ("sqlite", "SMALLINT", None),
        ("sqlite", "INT2", None),
        ("sqlite", "INT4", ("integer", 4)),
        ("sqlite", "INT8", ("integer", 8)),
        ("sqlite", "BIGINT", ("integer", 8)),
        ("sqlite", "UNSIGNED BIG INT", ("integer", 8)),
        ("sqlite", "TEXT", None),
        ("sqlite", "VARCHAR(40)", ("length", 40)),
        ("sqlite", "DECIMAL(10,2)", ("decimal", 10, 2)),
        ("sqlite", "DECIMAL(10)", ("decimal", 10, 0)),
        ("mysql", "tinyint(4)", None),
        ("mysql", "smallint(6)", None),
        ("mysql", "int(11)", ("integer", 4)),
        ("mysql", "bigint(20) unsigned", ("integer", 8)),
        ("mysql", "varchar(255)", ("length", 255)),
        ("mysql", "longtext", None),
        ("mysql", "decimal(10,0)", ("decimal", 10, 0)),
        ("mysql", "enum('1','2')", None),
        ("sqlite", "FLOAT(10)", None),
        ("sqlite", "FLOAT(10, 2)", ("decimal", 10, 2)),
        ("mysql", "double(10,2)", ("decimal", 10, 2)),
        ("mysql", "double", None),
    ],
)
def test_declared_size(dialect: str, declared: str, size: tuple[object, ...] | None) -> None:
    read = xtask.sqlite_type(declared) if dialect == "sqlite" else xtask.mysql_type(declared)
    assert read.declared == size


def test_only_the_sign_behind_the_type_makes_it_unsigned() -> None:
    assert xtask.mysql_type("bigint(20) unsigned").unsigned
    assert not xtask.mysql_type("enum('unsigned')").unsigned


@pytest.mark.parametrize(
    ("declared", "affinity"),
    [
        ("STRING", "NUMERIC affinity: '007' is stored as 7"),
        ("JSONB", "NUMERIC"),
        ("POINT", "INTEGER affinity"),
        ("CHARINT", "INTEGER"),
        ("CITEXT", "TEXT affinity: 7 is stored as '7'"),
        ("XBLOB", "BLOB affinity"),
        ("FLOATING", "REAL affinity: 7 is stored as 7.0"),
        ("", "without a type has BLOB affinity"),
    ],
)
def test_an_unknown_type_says_what_sqlite_makes_of_it(declared: str, affinity: str) -> None:
    assert affinity in xtask.sqlite_type(declared).note


def test_a_known_type_needs_no_note() -> None:
    assert xtask.sqlite_type("TEXT").note == ""


def test_enum_values_are_unquoted() -> None:
    assert xtask.enum_values("'a','it''s','x,y',''") == ("a", "it's", "x,y", "")


# ---- collations ------------------------------------------------------------------------------

EXACT, PADS, CASE_ACCENTS = "exact", "ignores trailing spaces", "ignores case, accents"


@pytest.mark.parametrize(
    ("dialect", "collation", "expected"),
    [
        ("sqlite", "BINARY", EXACT),
        ("sqlite", "nocase", "ignores ASCII case"),
        ("sqlite", "RTRIM", PADS),
        ("sqlite", "GERMAN", "unknown collation GERMAN"),
        ("mysql", "binary", EXACT),
        ("mysql", "utf8mb4_0900_bin", EXACT),
        ("mysql", "utf8mb4_nopad_bin", EXACT),
        ("mysql", "utf8mb4_bin", PADS),
        ("mysql", "latin1_general_cs", PADS),
        ("mysql", "utf8mb4_0900_as_cs", EXACT),
        ("mysql", "utf8mb4_uca1400_nopad_as_cs", EXACT),
        ("mysql", "utf8mb4_uca1400_as_cs", PADS),
        ("mysql", "utf8mb4_0900_as_ci", "ignores case"),
        ("mysql", "utf8mb4_uca1400_as_ci", "ignores case, trailing spaces"),
        ("mysql", "utf8mb4_0900_ai_ci", CASE_ACCENTS),
        ("mysql", "utf8mb4_uca1400_nopad_ai_ci", CASE_ACCENTS),
        ("mysql", "utf8mb4_uca1400_ai_ci", CASE_ACCENTS + ", trailing spaces"),
        ("mysql", "utf8mb4_general_ci", CASE_ACCENTS + ", trailing spaces"),
        ("mysql", "utf8mb4_unicode_520_ci", CASE_ACCENTS + ", trailing spaces"),
        ("mysql", "BINARY_OF_TOMORROW", "unknown collation BINARY_OF_TOMORROW"),
    ],
)
def test_equality(dialect: xtask.Dialect, collation: str, expected: str) -> None:
    assert xtask.equality(collation, dialect) == expected


# ---- expressions -----------------------------------------------------------------------------

PAIRS = tomllib.loads((ROOT / "tests/cases/expressions.toml").read_text("utf-8"))


def known(name: str, facts: str) -> xtask.Known:
    logical, *more = facts.split()
    return xtask.Known(
        name,
        frozenset({logical}),
        nullable="!" not in more,
        tells_case="bin" in more,
        unsigned="unsigned" in more,
    )


COLUMNS = tuple(known(name, facts) for name, facts in PAIRS["columns"].items())


def check(sql: str, dialect: xtask.Dialect) -> list[str]:
    return [part.text for part in xtask.canonical_check(sql, dialect, COLUMNS)]


@pytest.mark.parametrize(
    "pair", PAIRS["pair"], ids=lambda pair: f"{pair['sqlite']}|{pair['mysql']}"
)
def test_pairs_of_expressions(pair: dict[str, Any]) -> None:
    assert pair["why"]
    assert (check(pair["sqlite"], "sqlite") == check(pair["mysql"], "mysql")) is pair["equal"]
    if "usual" in pair:
        reasons = " ".join(usual_reasons(pair))
        assert pair["usual"] in reasons if pair["usual"] else reasons == ""


def usual_reasons(pair: dict[str, Any]) -> Iterator[str]:
    """Say for what values the two conditions are not alike, as either side says it."""
    for dialect in xtask.DIALECTS:
        for part in xtask.canonical_check(pair[dialect], dialect, COLUMNS):
            yield from part.usual


@pytest.mark.parametrize("row", xtask.FUNCTIONS, ids=lambda row: row.name)
def test_a_function_is_alike_or_says_why_not(row: xtask.Function) -> None:
    assert row.takes in ("", "same", *xtask.TAKES)
    assert row.means == "alike" or row.reason


@pytest.mark.parametrize("row", xtask.OPERATORS, ids=lambda row: row.node)
def test_an_operator_is_alike_or_says_why_not(row: xtask.Operator) -> None:
    assert row.takes in ("", *xtask.TAKES)
    assert row.means == "alike" or row.reason


def test_no_two_rows_know_one_function() -> None:
    for dialect in ("sqlite", "mysql"):
        names = [name for row in xtask.FUNCTIONS for name in getattr(row, dialect).split()]
        assert len(names) == len(set(names))


def test_an_unknown_function_is_named() -> None:
    (part,) = xtask.canonical_check("frobnicate(a) > 0", "sqlite", COLUMNS)
    assert part.text == "frobnicate(a) > 0 /* SQLite */"
    assert part.note == "no row of the table of functions knows frobnicate()"


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("lower(s) = s", "ASCII"),
        ("lower(hex(s)) = s", ""),
        ("hex(x) = s", "hex(NULL)"),
        ("replace(s, 'a', note) = s", "NULL"),
        ("CAST(a AS TEXT) = s", "collation"),
        ("a % b = 0", "divided by 0"),
        ("a % 2 = 0", ""),
        ("s LIKE 'x%'", "ASCII letters"),
        ("d * 2 > 1", "binary fractions"),
    ],
)
def test_what_is_alike_for_usual_values_only(sql: str, reason: str) -> None:
    (part,) = xtask.canonical_check(sql, "sqlite", COLUMNS)
    assert (reason in " ".join(part.usual)) if reason else part.usual == ()


def test_a_conjunction_is_its_conjuncts() -> None:
    assert check("b < 9 AND (a > 0 AND s <> 'x')", "sqlite") == ["a > 0", "b < 9", "s <> 'x'"]


def test_a_check_knows_the_columns_it_reads() -> None:
    (both,) = xtask.canonical_check('a < "group by"', "sqlite", COLUMNS)
    assert both.columns == {"a", "group by"}


def test_what_does_not_parse_is_compared_token_by_token() -> None:
    assert (
        check("a ~~ !! 'x'  ", "sqlite")
        == check("A ~~ !!\n'x' -- y", "sqlite")
        != check("a ~~ !! 'X'", "sqlite")
    )


@pytest.mark.parametrize(
    ("sqlite", "mysql"),
    [
        ("5", "5"),
        ("-0", "0"),
        ("1.50", "1.5"),
        ("1e3", "1000"),
        ("'x'", "'x'"),
        ("('x')", "'x'"),
        ("'it''s'", "'it\\'s'"),
        ("NULL", "NULL"),
        ("TRUE", "1"),
        ("CURRENT_TIMESTAMP", "current_timestamp()"),
        ("CURRENT_TIMESTAMP", "current_timestamp(6)"),
        ("datetime('now')", "now()"),
        ("strftime('%Y-%m-%d %H:%M:%S', 'now')", "localtimestamp()"),
        ("date('now')", "curdate()"),
        ("strftime('%s','now')", "unix_timestamp()"),
        ("unixepoch()", "unix_timestamp()"),
        ("CAST(strftime('%s', 'now') AS INTEGER)", "unix_timestamp()"),
        ("lower('X')", "lower('X')"),
    ],
)
def test_defaults_that_mean_the_same(sqlite: str, mysql: str) -> None:
    assert xtask.canonical(sqlite, "sqlite").text == xtask.canonical(mysql, "mysql").text


@pytest.mark.parametrize(
    ("sqlite", "mysql"),
    [
        ("5", "'5'"),
        ("'x'", "'X'"),
        ("'NULL'", "NULL"),
        ("'CURRENT_TIMESTAMP'", "CURRENT_TIMESTAMP"),
        ("CURRENT_DATE", "CURRENT_TIMESTAMP"),
        ("unixepoch()", "CURRENT_TIMESTAMP"),
        ("unixepoch() * 1000", "unix_timestamp()"),
        ("datetime('now', '+1 day')", "now()"),
        ("datetime('now', 'utc')", "now()"),
        ("random()", "rand()"),
        ("strftime('%Y', 'now')", "now()"),
        ("x'00'", "0x01"),
    ],
)
def test_defaults_that_do_not(sqlite: str, mysql: str) -> None:
    assert xtask.canonical(sqlite, "sqlite").text != xtask.canonical(mysql, "mysql").text


@pytest.mark.parametrize(
    ("text", "number"),
    [("1.50", "1.5"), ("0x1F", "31"), ("1e2", "100"), ("-0.0", "0"), ("100", "100"), (".5", "0.5"), ("9223372036854775808",) * 2],
)  # fmt: skip
def test_canonical_number(text: str, number: str) -> None:
    assert xtask.canonical_number(text) == number


@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        ("a", "a"),
        ("group by", "group by"),
        ("a.b", '"a.b"'),
        ("f(x)", '"f(x)"'),
        ("a,b", '"a,b"'),
        ('say "hi"', '"say ""hi"""'),
    ],
)
def test_names_in_places(name: str, quoted: str) -> None:
    assert xtask.quote_name(name) == quoted
    assert xtask.relation_of(f"{quoted}.column") == xtask.relation_of(f"{quoted}(column)") == name


# ---- the data itself -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(xtask.KINDS.values()), ids=lambda kind: kind.name)
def test_a_kind_says_all_that_explain_needs(kind: xtask.Rule) -> None:
    text = xtask.explanation(kind)
    assert kind.found and kind.level in ("parity", "strict", "both")
    assert re.search(r"^For example\n  SQLite +\S.*\n(    .*\n)*  MySQL +\S", text, re.MULTILINE)
    assert re.search(r"^Fix (it|parity\.toml)", text, re.MULTILINE)
    assert "{" not in text.replace("{up,down}", "") and max(map(len, text.splitlines())) <= 100


# What stands before each repair that `explain` prints.
COMMON = "CREATE TABLE t (a INTEGER, b INTEGER, n BIGINT)"
CHILDREN = (
    "CREATE TABLE p (id BIGINT PRIMARY KEY)",
    "CREATE TABLE c (id BIGINT PRIMARY KEY, p_id BIGINT,"
    " CONSTRAINT c_p FOREIGN KEY (p_id) REFERENCES p (id) ON DELETE SET NULL)",
)
NAMED = "CREATE TABLE t (id BIGINT PRIMARY KEY, name VARCHAR(20), code VARCHAR(36), paid BIGINT)"
BEFORE_ON_MYSQL = {
    "identifier-case": ("CREATE TABLE Users (id BIGINT PRIMARY KEY)",),
    "view": (COMMON, "CREATE VIEW v AS SELECT a FROM t", "ALTER TABLE t ADD id INT"),
    "routine": ("CREATE PROCEDURE tidy() SELECT 1",),
    "table-engine": ("CREATE TABLE t (a INT) ENGINE = MyISAM",),
    "column-missing": ("CREATE TABLE t (b INT)",),
    "primary-key": ("CREATE TABLE t (a INT, b INT, PRIMARY KEY (b, a))",),
    "unique": ("CREATE TABLE t (email VARCHAR(255) NOT NULL)",),
    "foreign-key": CHILDREN,
    "foreign-key-dangling": CHILDREN,
    "index": (COMMON,),
    "check": (COMMON,),
    "column-collation": (NAMED,),
    "column-type": (NAMED,),
    "type-unknown": (NAMED,),
    "column-nullability": (COMMON,),
    "column-default": (COMMON,),
    "column-auto-increment": (NAMED,),
    "column-generated": ("CREATE TABLE t (a BIGINT, b BIGINT AS (a * 3))",),
    "column-capacity": (NAMED,),
    "column-charset": (NAMED,),
    "upgrade-fails": (COMMON,),
    "data-differs": ("CREATE TABLE t (lvl BIGINT)",),
    "behaviour": (
        "CREATE TABLE items (id BIGINT, gone INT)",
        "CREATE TRIGGER g AFTER DELETE ON items FOR EACH ROW SET @gone = 1",
    ),
    "collation-inherited": (
        "CREATE TABLE dev (k VARCHAR(36) PRIMARY KEY)",
        "CREATE TABLE save (k VARCHAR(36), CONSTRAINT save_dev FOREIGN KEY (k) REFERENCES dev (k))",
    ),
}
BEFORE_ON_SQLITE = {
    "identifier-case": "CREATE TABLE Users (id INTEGER PRIMARY KEY)",
    "view": "CREATE TABLE t (id INTEGER, a TEXT); CREATE VIEW v AS SELECT id FROM t",
    "column-missing": "CREATE TABLE t (b TEXT)",
    "unique": "CREATE TABLE t (email TEXT)",
    "trigger": "CREATE TABLE t (a); CREATE TRIGGER g AFTER DELETE ON t BEGIN SELECT 1; END",
    "data-differs": "CREATE TABLE t (a, b); CREATE TABLE t_new (a, b)",
    "behaviour": "CREATE TABLE t (a); CREATE VIEW live AS SELECT a FROM t;"
    " CREATE TRIGGER g AFTER DELETE ON t BEGIN SELECT 1; END",
}
WHOLE = {"table-missing", "trigger", "cascade-trigger", "seed-rows"}  # nothing but a sketch


def statements_of_repair(kind: str, backend: str) -> list[str]:
    """Those of a repair that can run: no comments, no sketches."""
    (text,) = [text for name, _, text in xtask.repair_of(kind).repairs if name == backend]
    text = text.replace("(… as it should be …)", "(a INTEGER, b INTEGER)")
    text = re.sub(r"--.*|\bEND;", "", text)
    return [one.strip() for one in text.split(";") if one.strip() and "…" not in one]


@pytest.mark.parametrize("kind", [kind for kind in xtask.KINDS if kind != "row-unknown"])
def test_a_repair_runs_on_sqlite(kind: str) -> None:
    statements = [] if kind == "divergence-unused" else statements_of_repair(kind, "sqlite")
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        connection.executescript(BEFORE_ON_SQLITE.get(kind, "CREATE TABLE t (a, b)"))
        for statement in statements:
            connection.execute(statement)


@pytest.mark.mariadb
@pytest.mark.parametrize("kind", list(xtask.KINDS))
def test_a_repair_runs_on_the_server(
    kind: str, query: Callable[[str], list[tuple[Any, ...]]]
) -> None:
    if kind == "divergence-unused":
        return
    statements = statements_of_repair(kind, "mysql")
    if kind not in BEFORE_ON_MYSQL:
        assert not statements or kind in WHOLE
        return
    ((version,),) = query("SELECT version()")
    query("CREATE DATABASE repairs")
    try:
        query("USE repairs")
        for statement in (*BEFORE_ON_MYSQL[kind], *statements):
            if "MariaDB" not in version:
                statement = statement.replace("utf8mb4_nopad_bin", "utf8mb4_0900_bin")
            query(statement)
    finally:
        query("DROP DATABASE repairs")


def test_every_rule_has_a_reason() -> None:
    assert all(rule.reason for rule in (*xtask.TYPE_RULES, *xtask.COLLATION_RULES))
    assert all(xtask.HARMLESS_WARNINGS.values()) and all(xtask.WARNING_MEANINGS.values())


def test_no_warning_is_harmless_and_a_finding() -> None:
    assert not set(xtask.HARMLESS_WARNINGS) & set(xtask.WARNING_MEANINGS)


@pytest.mark.parametrize("dialect", ["sqlite", "mysql"])
@pytest.mark.parametrize(("call", "now"), xtask.NOW.items())
def test_every_way_to_say_now_is_read(call: str, now: str, dialect: xtask.Dialect) -> None:
    """The parser has nodes of its own for some of them: a row that no node reaches says nothing."""
    assert xtask.canonical(call, dialect).text == now


def test_kinds_are_those_that_the_code_raises() -> None:
    raised = set(
        re.findall(r'(?:Finding|pair\.finding|unmatched)\(\s*(?:kind=)?"([a-z-]+)"', SOURCE)
    )
    assert raised == set(xtask.KINDS)
