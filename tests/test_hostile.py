"""No input is believed: hostile text through every parser, hostile names and statements through real servers."""

from __future__ import annotations

import itertools
import json
import re
import sqlite3
import time
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import xtask
from conftest import Project, discover, sqlite_backend
from draw import HOSTILE_NAMES, SEEDS, Maker, drawn
from model import SIDES, Column, Limits, Node
from mutate import quoted
from test_schemas import Bench, findings_of
from write import Writer

DIALECTS = pytest.mark.parametrize("dialect", SIDES)
QUICK = drawn(40)
LONG = 1 << 18  # what is quadratic takes minutes for that much
FRAGMENTS = (
    *(
        "'",
        '"',
        "`",
        "[",
        "]",
        "\\",
        "/*",
        "*/",
        "/*!",
        "--",
        "-- ",
        "#",
        ";",
        "\n",
        "\r",
        "\0",
        "(",
        ")",
        ",",
        ".",
        "''",
        "x'",
    ),
    *(
        "BEGIN",
        "END",
        "CASE",
        "CREATE TRIGGER t AFTER INSERT ON t BEGIN",
        "CREATE PROCEDURE p() BEGIN",
        "DELIMITER",
        "CHECK",
        "AS",
    ),
    *(
        "SELECT 1",
        "a",
        "1",
        "0x",
        "1e",
        "1.",
        "--> statement-breakpoint",
        "NOT",
        "IN",
        "BETWEEN",
        "_utf8mb4",
        "\x1b[2J",
        "🎉",
        "\u202e",
    ),
)
TEXTS = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=4)), max_size=14).map(
    " ".join
) | st.text(max_size=40)


# ---- the lexer and the splitter ------------------------------------------------------------------


@DIALECTS
@QUICK
@given(text=TEXTS)
def test_tokens_are_the_text(dialect: xtask.Dialect, text: str) -> None:
    found = list(xtask.tokens(text, dialect))
    assert "".join(token.text for token in found) == text
    assert [token.start for token in found] == [
        len("".join(t.text for t in found[:n])) for n in range(len(found))
    ]


@DIALECTS
@QUICK
@given(text=TEXTS)
def test_nothing_falls_between_statements(dialect: xtask.Dialect, text: str) -> None:
    """Statements stand in the text as they are; beside them are spaces, comments and semicolons."""
    try:
        statements = xtask.split(text, dialect, "x.sql")
    except xtask.MigrationError as error:
        assert str(error).startswith("x.sql, line ")
        return
    at = 0
    for number, statement in enumerate(statements, 1):
        assert statement.number == number
        assert statement.line <= text.count("\n") + 1
        begin = text.find(statement.text, at)
        if begin < 0:  # a statement-breakpoint inside
            return
        between = xtask.code_tokens(text[at:begin], dialect)
        if "delimiter" not in text.lower():
            assert all(token.text == ";" for token in between)
        at = begin + len(statement.text)


WHOLE = {
    "sqlite": (
        "SELECT ';'",
        'SELECT ";" /* ; */ + 1',
        "SELECT [;]",
        "SELECT `;`",
        "CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; SELECT 2; END",
    ),
    "mysql": (
        "SELECT ';'",
        "SELECT 'it\\';'",
        'SELECT "\\";"',
        "SELECT `;`",
        "CREATE PROCEDURE p() BEGIN IF 1 THEN SELECT 1; END IF; END",
    ),
}
GAPS = ("", " ", "\n", "-- a comment; and ' a quote\n", "/* it's; */", ";", ";;\n")


@DIALECTS
@QUICK
@given(data=st.data())
def test_statements_come_back(dialect: xtask.Dialect, data: st.DataObject) -> None:
    wanted = data.draw(st.lists(st.sampled_from(WHOLE[dialect]), max_size=6))
    text = "".join(
        data.draw(st.sampled_from(GAPS)) + statement + ";" for statement in wanted
    ) + data.draw(st.sampled_from(GAPS))
    assert [statement.text for statement in xtask.split(text, dialect, "")] == wanted


@DIALECTS
@pytest.mark.parametrize(
    "text", ["", " \n\t", "-- only a comment", "/* one */ -- two\n;;;", "\ufeff".strip("\ufeff")]
)
def test_nothing_to_do(dialect: xtask.Dialect, text: str) -> None:
    assert xtask.split(text, dialect, "") == []


@pytest.mark.parametrize(
    ("dialect", "text"),
    [(d, t) for d in SIDES for t in ("SELECT 'a", 'SELECT "a', "SELECT `a", "SELECT 1;\n'")]
    + [("mysql", "SELECT 1 /* a"), ("sqlite", "[a")],
)
def test_what_does_not_end_is_named(dialect: xtask.Dialect, text: str) -> None:
    with pytest.raises(xtask.MigrationError, match=r"^x\.sql, line [12]: unterminated"):
        xtask.split(text, dialect, "x.sql")


@DIALECTS
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("string", "SELECT '" + "x" * LONG + "'"),
        ("spaces", "SELECT" + " " * LONG + "1"),
        ("words", "SELECT " + "a," * (LONG // 16) + "a"),
        ("quotes", "SELECT '" + "''" * (LONG // 2) + "'"),
        ("quotes that do not end", "SELECT '" + "''" * (LONG // 2)),
        ("statements", "SELECT 1;" * (LONG // 72)),
        ("parentheses", "(" * (LONG // 8)),
        ("comments that do not end", "/*" * (LONG // 2)),
        ("brackets that do not end", "[" * (LONG // 8)),
        ("escaped quotes that do not end", "\\'" * (LONG // 16)),
        (
            "a trigger",
            "CREATE TRIGGER g AFTER INSERT ON t BEGIN " + "SELECT 1;" * (LONG // 72) + " END;",
        ),
        ("digits", "SELECT " + "1" * LONG),
        ("dots", "." * (LONG // 8)),
    ],
)
def test_long_text_takes_no_longer_than_it_must(
    dialect: xtask.Dialect, name: str, text: str
) -> None:
    start = time.process_time()
    with suppress(xtask.MigrationError):
        xtask.split(text, dialect, name)
    assert time.process_time() - start < 2


# ---- expressions ---------------------------------------------------------------------------------


@DIALECTS
@QUICK
@given(text=TEXTS)
def test_canonical_takes_any_text(dialect: xtask.Dialect, text: str) -> None:
    assert xtask.canonical(text, dialect) == xtask.canonical(text, dialect)
    assert xtask.canonical_check(text, dialect) == xtask.canonical_check(text, dialect)


COLUMNS = (
    xtask.Known("n", frozenset({"i64"})),
    xtask.Known("d", frozenset({"decimal"})),
    xtask.Known("s", frozenset({"string"}), nullable=False),
)
NEUTRAL = [
    Column(name, sort, "", "") for name, sort in (("n", "long"), ("d", "decimal"), ("s", "string"))
]


@st.composite
def conditions(draw: Callable[..., Any]) -> tuple[Node, int]:
    return Maker(draw).condition(NEUTRAL, 3), draw(SEEDS)


@QUICK
@given(made=conditions())
def test_a_condition_has_one_canonical_form(made: tuple[Node, int]) -> None:
    """However it is spelled, in either dialect; and the canonical form is its own."""
    node, seed = made
    plain = Writer("sqlite", Limits(), 0).expression(node, "x")
    wanted = xtask.canonical_check(plain, "sqlite", COLUMNS)
    for side in SIDES:
        spelled = Writer(side, Limits(), seed).expression(node, "x")
        assert xtask.canonical_check(spelled, side, COLUMNS) == wanted
    again = xtask.canonical_check(
        " AND ".join(f"({part.text})" for part in wanted), "sqlite", COLUMNS
    )
    texts = [
        {part.text.replace(" /* SQLite */", "") for part in parts} for parts in (again, wanted)
    ]
    assert texts[0] == texts[1]  # a concat() there was a || here


@st.composite
def repetitive(draw: Callable[..., Any]) -> Node:
    """AND, OR and NOT of a few atoms: what stands twice, what is its neighbour's opposite."""
    maker = Maker(draw, itertools.cycle(range(2)))
    atoms = st.sampled_from(
        [maker.atom(draw(st.sampled_from(NEUTRAL))) for _ in range(draw(st.integers(1, 3)))]
    )
    trees = st.recursive(
        atoms,
        lambda inner: st.one_of(
            inner.map(lambda node: Node("not", (node,))),
            st.builds(
                Node,
                st.sampled_from(("and", "or")),
                st.lists(inner, min_size=2, max_size=3).map(tuple),
            ),
        ),
        max_leaves=6,
    )
    return draw(trees)


def evaluator() -> sqlite3.Connection:
    """SQLite with what only the canonical form says."""
    connection = sqlite3.connect(":memory:")
    connection.create_function(
        "concat", -1, lambda *parts: None if None in parts else "".join(map(str, parts))
    )
    for name in ("div", "idiv"):
        connection.create_function(
            name, 2, lambda a, b: None if None in (a, b) or not b else int(a / b)
        )
    connection.execute("CREATE TABLE t (n INTEGER, d NUMERIC, s TEXT)")
    numbers, reals, words = (
        (None, 0, 5, 9, 10, 12, 14, 20, 24, 30),
        (None, 0.5, 1.25, 2.25, 3),
        (None, "", "x0", "X1", "it's0", "a0", "zz", "ü"),
    )
    connection.executemany(
        "INSERT INTO t VALUES (?, ?, ?)", itertools.product(numbers, reals, words)
    )
    return connection


@QUICK
@given(node=repetitive())
def test_the_canonical_form_means_the_same(node: Node) -> None:
    """Rows that a CHECK lets in, as it was written and as its conjuncts: what is compared is what was said."""
    connection = evaluator()
    for side in SIDES:
        written = Writer("sqlite", Limits(), 0).expression(node, "x")
        parts = xtask.canonical_check(
            Writer(side, Limits(), 0).expression(node, "x"), side, COLUMNS
        )
        read = " AND ".join(f"({part.text})" for part in parts)
        query = f"SELECT n, d, s FROM t WHERE (({written}) IS NOT 0) <> (({read}) IS NOT 0)"
        assert connection.execute(query).fetchone() is None, (written, read)


@DIALECTS
@pytest.mark.parametrize("depth", [100, 3_000])
@pytest.mark.parametrize("shape", ["parentheses", "or", "not", "sum", "function", "unclosed"])
def test_deep_nesting(dialect: xtask.Dialect, shape: str, depth: int) -> None:
    text = {
        "parentheses": "(" * depth + "a > 1" + ")" * depth,
        "or": " OR ".join(f"a = {n}" for n in range(depth)),
        "not": "NOT (" * depth + "a > 1" + ")" * depth,
        "sum": "a" + " + a" * depth,
        "function": "abs(" * depth + "a" + ")" * depth,
        "unclosed": "(" * depth,
    }[shape]
    start = time.process_time()
    assert xtask.canonical_check(text, dialect, (xtask.Known("a", frozenset({"i64"})),))[0].text
    assert xtask.canonical(text, dialect).text
    assert time.process_time() - start < 6


# ---- parsers of settings, locks and types --------------------------------------------------------


def never_raises_but_its_own(parse: Callable[[], object]) -> None:
    with suppress(xtask.XtaskError):
        parse()


@QUICK
@given(text=TEXTS)
def test_parsers_take_any_text(text: str) -> None:
    never_raises_but_its_own(lambda: xtask.parse_settings(text, "parity.toml"))
    never_raises_but_its_own(lambda: xtask.parse_lock(text, "parity.lock"))
    never_raises_but_its_own(lambda: xtask.parse_url(text))
    never_raises_but_its_own(lambda: xtask.parse_url("mysql://" + text))
    never_raises_but_its_own(lambda: xtask.strict_kinds(text))


@QUICK
@given(
    text=st.one_of(
        TEXTS,
        st.sampled_from(("ENUM", "DECIMAL", "VARCHAR", "BIT", "TINYINT")).flatmap(
            lambda n: TEXTS.map(lambda t: f"{n}({t})")
        ),
    )
)
def test_types_take_any_text(text: str) -> None:
    never_raises_but_its_own(lambda: xtask.sqlite_type(text))
    never_raises_but_its_own(lambda: xtask.mysql_type(text))


VALUES = st.recursive(
    st.one_of(
        st.text(max_size=5), st.integers(-200, 200), st.booleans(), st.floats(allow_nan=False)
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(("a", "migration", "kind", "sqlite")), inner, max_size=3)
    ),
    max_leaves=5,
)
KEYS = sorted(
    {key for keys in xtask.KNOWN_KEYS.values() for key in keys} | {"format", "migration", "other"}
)
TABLES = st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4)


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, str):
        return xtask.toml_string(value)
    return str(value).lower() if isinstance(value, bool) else repr(value)


@QUICK
@given(settings_=TABLES, entry=TABLES, section=st.sampled_from(("divergence", "open", "rewrite")))
def test_settings_and_locks_of_any_shape(
    settings_: dict[str, Any], entry: dict[str, Any], section: str
) -> None:
    text = "".join(f"{key} = {toml(value)}\n" for key, value in settings_.items() if key != section)
    text += f"[[{section}]]\n" + "".join(f"{key} = {toml(value)}\n" for key, value in entry.items())
    never_raises_but_its_own(lambda: xtask.parse_settings(text, "parity.toml"))
    for lock in (
        text,
        f"format = {xtask.LOCK_FORMAT}\n" + text.replace("format =", "other_format ="),
    ):
        never_raises_but_its_own(
            lambda lock=lock: xtask.lock_problems(
                xtask.parse_lock(lock, "parity.lock"), [], xtask.Settings()
            )
        )


@QUICK
@given(data=st.binary(max_size=30))
def test_files_of_any_bytes(data: bytes, project: Project) -> None:
    path = project.write({"x.sql": data}).path / "x.sql"
    never_raises_but_its_own(lambda: xtask.read_sql(path))
    with suppress(xtask.MigrationError):
        assert xtask.read_sql(path).encode() in (data, data.removeprefix("\ufeff".encode()))


# ---- reports -------------------------------------------------------------------------------------

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ("\x1b[2Jgone", "t\nVerdict: parity", "\x07", "a\r\nb", "\x9b1m", "\0")
)


LOOK = xtask.Look()


def verdict(name: str, value: str | None) -> xtask.Verdict:
    """One finding of each kind, all of them about things of one name."""
    table = xtask.Table(
        name, (xtask.Column(name, xtask.ColumnType(value or "TEXT"), True),), primary_key=(name,)
    )
    schema = xtask.Schema({name: table}, {name: xtask.View(name, (name,))}, ignored=(name,))
    sides = [
        xtask.Side(flavour, "1.2", f"migrations_{flavour}/{name}", 1, schema)
        for flavour in ("SQLite", "MariaDB")
    ]
    entry = xtask.Entry(1, True, "index", (name,), value, name, f"because {name}")
    findings = [
        xtask.Finding(
            kind, xtask.column_place(name, name), value, name, migration=name, note=f"note {name}"
        )
        for kind in xtask.KINDS
    ]
    judged = (
        *(xtask.Judged(finding) for finding in findings),
        *(xtask.Judged(finding, entry) for finding in findings),
    )
    file = xtask.SourceFile("mysql", f"{name}/up.sql", f"CREATE TABLE {name}")
    return xtask.Verdict(
        sqlite=sides[0],
        servers=(sides[1],),
        findings=judged,
        hidden=judged,
        level="strict",
        functions=(f"{name}/1",),
        files={name: {"mysql": file}},
        notes=(f"a note {name}",),
    )


@pytest.mark.parametrize("form", xtask.FORMAT_NAMES)
@QUICK
@given(name=NAMES, value=st.none() | NAMES)
def test_no_name_writes_to_the_terminal(form: str, name: str, value: str | None) -> None:
    text = xtask.render(form, verdict(name, value), LOOK)
    assert [c for c in text if unicodedata.category(c) == "Cc" and c != "\n"] == []
    if form == "json":
        assert json.loads(text)["parity"] is False
    if form in ("text", "markdown"):
        assert not re.search(r"^(Verdict|\**Verdict\**): parity", text, re.MULTILINE)


@pytest.mark.parametrize("label", ["0001_\x1b[2J", "0001_a\nxtask: parity"])
def test_no_name_writes_to_the_log(label: str, project: Project) -> None:
    """Directory, file and statement stand in error messages."""
    done = project.pair("CREATE TABLE \x1b[31mt (;", "SELECT 1;", label).run(
        "verify-migrations", "--server", "local"
    )
    assert done.returncode == 2
    shown = done.stdout + done.stderr
    assert "0001_" in shown and "\x1b" not in shown
    assert "\nxtask: parity" not in shown


# ---- SQLite --------------------------------------------------------------------------------------


def apply_sqlite(project: Project, sql: str | bytes) -> xtask.SQLiteBackend:
    project.write(
        {
            "migrations/0001_a/up.sql": sql,
            "migrations/0001_a/metadata.toml": "run_in_transaction = false",
        }
    )
    backend = sqlite_backend()
    backend.apply(discover(project.path / "migrations", "sqlite")[0])
    return backend


@pytest.mark.parametrize(
    "sql",
    [
        "ATTACH '{file}' AS other",
        "ATTACH DATABASE 'file:{file}?mode=rwc' AS other",
        "VACUUM INTO '{file}'",
        "SELECT load_extension('{file}')",
        "CREATE TABLE t (a); CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT load_extension('{file}'); END; INSERT INTO t VALUES (1)",
        "SELECT writefile('{file}', 'x')",
        "SELECT readfile('{file}')",
        "CREATE VIRTUAL TABLE v USING csv(filename = '{file}')",
        "SELECT fts3_tokenizer('x', x'4141414141414141')",
    ],
)
def test_sqlite_reaches_no_file(sql: str, project: Project) -> None:
    target = project.path / "reached"
    with pytest.raises(xtask.MigrationError, match="SQLite refused"):
        apply_sqlite(project, sql.format(file=target))
    assert not target.exists()


@pytest.mark.parametrize("pragma", ["temp_store_directory", "data_store_directory"])
def test_sqlite_pragmas_that_name_a_directory_are_refused(pragma: str, project: Project) -> None:
    with pytest.raises(xtask.MigrationError, match="may not reach other files"):
        apply_sqlite(project, f"PRAGMA {pragma} = '{project.path}'")


@pytest.mark.parametrize("pragma", ["journal_mode = WAL", "mmap_size = 1"])
def test_sqlite_pragmas_of_a_file_make_none(pragma: str, project: Project) -> None:
    sql = f"PRAGMA {pragma}; CREATE TABLE t (a); CREATE TEMP TABLE x AS SELECT 1;"
    backend = apply_sqlite(project, sql)
    assert list(backend.read().tables) == ["t"]
    files = {path.name for path in project.path.rglob("*") if path.is_file()}
    assert files == {"up.sql", "metadata.toml"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "garbage",
        "CREATE TABLE t (a, b)",
        "CREATE TABLE t (a CHECK (",
        "CREATE VIEW t AS SELECT 1",
        "CREATE TABLE t (a AS (",
        "CREATE TABLE t (a REFERENCES",
    ],
)
def test_sqlite_writable_schema_is_harmless(text: str, project: Project) -> None:
    """It writes into the database in memory; one that cannot be read any more is an error, never parity."""
    update = f"UPDATE sqlite_schema SET sql = '{text}' WHERE name = 't'"
    try:
        backend = apply_sqlite(
            project,
            f"CREATE TABLE t (a); PRAGMA writable_schema = ON; {update}; PRAGMA writable_schema = RESET;",
        )
        assert list(backend.read().tables) == ["t"]
    except xtask.XtaskError as error:
        assert str(error)
    assert sqlite3.connect(":memory:").execute("PRAGMA writable_schema").fetchone() == (0,)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT '\0'",
        "SELECT 'a",
        "SELECT " + "(" * 5000 + "1" + ")" * 5000,
        "SELECT 1 " + "+ 1" * 5000,
        b"\xff\xfe",
    ],
)
def test_sqlite_refuses_and_says_so(sql: str | bytes, project: Project) -> None:
    with pytest.raises(xtask.MigrationError, match=r"up\.sql"):
        apply_sqlite(project, sql)


# ---- real servers --------------------------------------------------------------------------------

HOSTILE = (
    *HOSTILE_NAMES,
    *(
        "'",
        '"',
        "`",
        ".",
        "%",
        ";",
        "\\",
        "a.b.c",
        "''",
        "``",
        '""',
        "a\tb",
        "\x1b[2J",
        "a\x7fb",
        "*/",
        "-- ",
        "a\u00a0b",
        "\u202ea",
    ),
    *(
        "Ünïcödé",
        "ＡＢＣ",
        "x" * 64,
        "é" * 64,
        "%(name)s",
        "{0}",
        "$1",
        "sqlite",
        "a''b",
        "DROP TABLE t",
        "NULL",
        "1",
        "1e5",
        "0x10",
    ),
)
TAIL = re.compile(r"\s\Z")


QUOTES: dict[str, Callable[[str], str]] = {
    "sqlite": lambda name: '"' + name.replace('"', '""') + '"',
    "mysql": lambda name: "`" + name.replace("`", "``") + "`",
}


def both(name: str, dropped: str = "") -> dict[str, str]:
    """A table, a column, an index, a CHECK and what refers to them, all of one name, in both dialects; `dropped` is "side thing"."""
    made = {}
    for side, quote in QUOTES.items():
        own, index = quote(name), quote(name[:63] + "i")
        parts = {
            "column": f"{own} INT NOT NULL",
            "key": f"CONSTRAINT k FOREIGN KEY (p) REFERENCES {own} (z)",
            "check": f"CONSTRAINT {own} CHECK ({own} > 5)",
        }
        gone = {
            f"{side} key": {"key"},
            f"{side} check": {"check"},
            f"{side} column": {"column", "check"},
        }.get(dropped, set())
        left = [text for part, text in parts.items() if part not in gone]
        statements = [f"CREATE TABLE {own} (z INT NOT NULL PRIMARY KEY, p INT, {', '.join(left)})"]
        statements += (
            [f"CREATE INDEX {index} ON {own} ({own}, p)"] if dropped != f"{side} column" else []
        )
        made[side] = "; ".join(
            [*statements, f"CREATE VIEW {quote(name[:63] + 'v')} AS SELECT z FROM {own};"]
        )
    return made


Found = list[tuple[str, str]]


def found(
    bench: Bench, *, sqlite: str = "", mysql: str = "", before: Any = None
) -> tuple[Found, Any]:
    """What two scripts differ in; of a side without a script, what `before` has of it.  And both sides, for the next time."""
    sides = dict(before or {})
    for side, sql in (("sqlite", sqlite), ("mysql", mysql)):
        if sql:
            sides[side] = bench.built(side, sql)
    return sorted((one.kind, one.at) for one in findings_of(sides) if one.level == "parity"), sides


@pytest.mark.mariadb
@pytest.mark.parametrize(
    "name", [name for name in dict.fromkeys(HOSTILE) if not TAIL.search(name)], ids=ascii
)
def test_names(name: str, project: Project, mysql: xtask.MySQLBackend) -> None:
    at, bench = quoted(name), Bench(mysql, project)
    findings, sides = found(bench, **both(name))
    assert findings == []
    for side in SIDES:
        for part, expect in (
            ("column", ("column-missing", f"{at}.{at}")),
            ("check", ("check", at)),
            ("key", ("foreign-key", f"{at}(p)")),
        ):
            assert found(bench, before=sides, **{side: both(name, f"{side} {part}")[side]})[0] == [
                expect
            ]


@pytest.mark.mariadb
@pytest.mark.parametrize("name", ["a🎉b", "tail ", "x" * 65, "nul\0l"], ids=ascii)
def test_names_that_mysql_cannot_keep(
    name: str, project: Project, mysql: xtask.MySQLBackend
) -> None:
    """Refused, or found to be another name: never taken as equal unless the server did keep it."""
    try:
        findings, _ = found(Bench(mysql, project), **both(name))
        assert bool(findings) != (name in mysql.read().tables)
    except xtask.MigrationError as error:
        lines = str(error).splitlines()
        assert [xtask.printable(line) for line in lines] == lines


@pytest.mark.mariadb
def test_names_through_the_whole_program(project: Project, server_url: str) -> None:
    """All of them at once: parity, and one dropped column found where it was, in every format."""
    names = [
        name
        for name in dict.fromkeys(HOSTILE)
        if not TAIL.search(name) and name.lower() not in xtask.BOOKKEEPING_TABLES
    ]
    scripts = {
        side: "\n".join(
            f"CREATE TABLE {mark(f'{name[:61]}{n}')} (z INTEGER NOT NULL, {mark(name)} INTEGER);"
            for n, name in enumerate(names)
        )
        for side, mark in QUOTES.items()
    }
    project.pair(scripts["sqlite"], scripts["mysql"])
    done = project.run("verify-migrations", "--server", server_url)
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0), done.stdout + done.stderr
    drop = f"ALTER TABLE {QUOTES['mysql'](names[0] + '0')} DROP COLUMN {QUOTES['mysql'](names[0])};"
    project.write(
        {"migrations/0002_less/up.sql": "SELECT 1;", "migrations_mysql/0002_less/up.sql": drop}
    )
    done = project.run("verify-migrations", "--server", server_url, "--format", "json")
    assert done.returncode == 1
    (finding,) = json.loads(done.stdout)["findings"]
    place = f"{quoted(names[0] + '0')}.{quoted(names[0])}"
    assert (finding["kind"], finding["at"], finding["migration"]) == (
        "column-missing",
        place,
        "0002_less",
    )


@pytest.mark.mariadb
def test_load_data_local_is_refused(
    project: Project, mysql: xtask.MySQLBackend, server_url: str
) -> None:
    secret = project.write({"secret.txt": "secret\n"}).path / "secret.txt"
    sql = f"CREATE TABLE t (a TEXT); LOAD DATA LOCAL INFILE '{secret}' INTO TABLE t;"
    done = project.pair("CREATE TABLE t (a TEXT);", sql).run(
        "verify-migrations", "--server", server_url
    )
    assert done.returncode == 2
    assert "refused" in done.stderr and "LOAD DATA LOCAL" in done.stderr
    assert "secret\n" not in done.stdout


REACHES = (
    "DROP DATABASE victim",
    "CREATE TABLE victim.planted (a INT)",
    "GRANT ALL ON *.* TO CURRENT_USER()",
    "CREATE USER planted@localhost",
    "INSERT INTO victim.t VALUES (1)",
    "SELECT * FROM victim.t",
    "CREATE DATABASE victim_planted",
    "SET GLOBAL max_connections = 7",
    "SELECT 1 INTO OUTFILE '/tmp/victim_planted'",
    "USE victim",
)
DYNAMIC = "SET @s = '{}'; PREPARE p FROM @s; EXECUTE p;"
WAYS = {
    "plain": ("{};", REACHES),
    "dynamic": (DYNAMIC, REACHES[:5]),
    "routine": (f"CREATE PROCEDURE p() BEGIN {DYNAMIC} END; CALL p();", REACHES[:3]),
}


@pytest.fixture
def victim(address: xtask.Address) -> Iterator[Callable[[], tuple[object, ...]]]:
    """Another project's database on the server; called, it tells what there is now: databases, users, the victim's tables and rows."""
    backend = xtask.MySQLBackend(address, "", (), 60)
    backend.query("DROP DATABASE IF EXISTS victim")
    for sql in ("CREATE DATABASE victim", "CREATE TABLE victim.t (a INT)"):
        backend.query(sql)
    queries = (
        "SHOW DATABASES",
        "SELECT user, host FROM mysql.user ORDER BY 1, 2",
        "SHOW TABLES IN victim",
        "SELECT COUNT(*) FROM victim.t",
        "SELECT @@max_connections",
    )
    yield lambda: tuple(tuple(backend.query(sql)) for sql in queries)
    backend.query("DROP DATABASE IF EXISTS victim")
    backend.close()


@pytest.mark.mariadb
@pytest.mark.parametrize("way", WAYS)
def test_a_migration_reaches_no_further_than_its_database(
    way: str, project: Project, server_url: str, victim: Callable[[], Any]
) -> None:
    before = victim()
    wrapping, reaches = WAYS[way]
    for sql in reaches:
        wrapped = wrapping.format(sql if way == "plain" else sql.replace("'", "''"))
        project.pair("CREATE TABLE t (a INTEGER);", f"CREATE TABLE t (a INT); {wrapped}")
        done = project.run("verify-migrations", "--server", server_url)
        assert done.returncode == 2, (sql, done.stdout, done.stderr)
        assert "0001_schema" in done.stderr and "Traceback" not in done.stderr
        assert victim() == before, sql


@pytest.mark.mariadb
@pytest.mark.parametrize(
    "sql",
    [
        "SET @s = CONCAT('DROP DATABASE ', DATABASE()); PREPARE p FROM @s; EXECUTE p;",
        "KILL CONNECTION_ID();",
    ],
)
def test_a_migration_may_ruin_only_itself(
    sql: str, project: Project, server_url: str, victim: Callable[[], Any]
) -> None:
    before = victim()
    done = project.pair("CREATE TABLE t (a INTEGER);", f"CREATE TABLE t (a INT); {sql}").run(
        "verify-migrations", "--server", server_url
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert victim() == before
