"""SQLite: how migrations are applied, and what only the text of a table says."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
from typing import Any

import pytest

import xtask
from conftest import Project, discover, sqlite_backend


def migrations(project: Project, *files: str, metadata: str = "") -> list[xtask.Migration]:
    """Diesel migrations 1, 2, … with these up files."""
    for number, text in enumerate(files, 1):
        project.write({f"migrations/{number:04}_m{number}/up.sql": text})
        if metadata:
            project.write({f"migrations/{number:04}_m{number}/metadata.toml": metadata})
    return discover(project.path / "migrations", "sqlite")


def applied(
    project: Project, *files: str, metadata: str = "", **options: Any
) -> xtask.SQLiteBackend:
    backend = sqlite_backend(**options)
    for migration in migrations(project, *files, metadata=metadata):
        backend.apply(migration)
    return backend


def refused(
    project: Project, *files: str, metadata: str = "", **options: Any
) -> tuple[str, xtask.SQLiteBackend]:
    """The error that the last file ends in, and the database as it is then."""
    backend = sqlite_backend(**options)
    *before, last = migrations(project, *files, metadata=metadata)
    for migration in before:
        backend.apply(migration)
    with pytest.raises(xtask.MigrationError) as caught:
        backend.apply(last)
    return str(caught.value), backend


def tables(backend: xtask.SQLiteBackend) -> list[str]:
    return sorted(
        name
        for (name,) in backend.open.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
    )


# ---- apply ---------------------------------------------------------------------------------


def test_a_failing_statement_leaves_nothing_behind(project: Project) -> None:
    _, backend = refused(
        project,
        "CREATE TABLE t (a);",
        "CREATE TABLE u (a); INSERT INTO u VALUES (1); INSERT INTO ghost VALUES (1);",
    )
    assert tables(backend) == ["t"]
    assert not backend.open.in_transaction


def test_without_a_transaction_what_came_before_stays(project: Project) -> None:
    _, backend = refused(
        project,
        "CREATE TABLE u (a); INSERT INTO ghost VALUES (1);",
        metadata="run_in_transaction = false",
    )
    assert tables(backend) == ["u"]


def test_the_error_names_file_statement_line_and_text(project: Project) -> None:
    message, _ = refused(
        project,
        "CREATE TABLE t (a);\n-- a comment;\nINSERT INTO t VALUES (1);\n\nINSERT INTO ghost\n VALUES (1);\nSELECT 1;",
    )
    assert re.search(
        r"0001_m1/up\.sql, statement 3 of 4, line 5:\n  INSERT INTO ghost VALUES \(1\)\n  no such table: ghost",
        message,
    )


def test_the_error_shows_the_beginning_of_a_long_statement(project: Project) -> None:
    message, _ = refused(project, f"INSERT INTO ghost VALUES ('{'x' * 5000}');")
    assert "INSERT INTO ghost VALUES ('xxx" in message and len(message) < 500


ORPHAN = "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (a INTEGER REFERENCES p (id) {}); INSERT INTO c VALUES (7);"


def test_foreign_keys_are_on(project: Project) -> None:
    children = ORPHAN.format("")
    message, _ = refused(project, children)
    assert "FOREIGN KEY constraint failed" in message
    assert tables(applied(project, children, init="PRAGMA foreign_keys = OFF")) == ["c", "p"]


def test_a_pragma_takes_effect_only_without_a_transaction(project: Project) -> None:
    text = f"PRAGMA foreign_keys = OFF; {ORPHAN.format('')}"
    refused(project, text)
    applied(project, text, metadata="run_in_transaction = false")


def test_vacuum_runs_without_a_transaction(project: Project) -> None:
    assert tables(
        applied(project, "CREATE TABLE t (a); VACUUM;", metadata="run_in_transaction = false")
    ) == ["t"]


@pytest.mark.parametrize(
    "text", ["BEGIN; CREATE TABLE t (a); COMMIT;", "BEGIN TRANSACTION; CREATE TABLE t (a); END;"]
)
def test_a_file_may_bring_its_own_transaction_where_the_runner_has_none(
    text: str, project: Project
) -> None:
    project.write({"migrations/1_a.sql": text})
    backend = sqlite_backend()
    backend.apply(*discover(project.path / "migrations", "sqlite"))
    assert tables(backend) == ["t"]


def test_an_open_transaction_is_an_error(project: Project) -> None:
    message, _ = refused(
        project, "BEGIN; CREATE TABLE t (a);", metadata="run_in_transaction = false"
    )
    assert "0001_m1" in message and "leaves a transaction open" in message


def test_a_commit_inside_the_runners_transaction_is_an_error(project: Project) -> None:
    message, _ = refused(project, "CREATE TABLE t (a); COMMIT;")
    assert "0001_m1" in message


def test_a_deferred_key_fails_at_the_commit(project: Project) -> None:
    message, backend = refused(project, ORPHAN.format("DEFERRABLE INITIALLY DEFERRED"))
    assert "FOREIGN KEY constraint failed" in message
    assert tables(backend) == []


def test_functions_of_the_application_are_stubbed(project: Project) -> None:
    text = "CREATE TABLE t (a); INSERT INTO t VALUES (BIN2B64('x'));"
    message, _ = refused(project, text)
    assert "no such function: BIN2B64" in message and "functions = {" in message
    backend = applied(project, text, functions={"BIN2B64": 1})
    assert backend.open.execute("SELECT a FROM t").fetchall() == [(None,)]


@pytest.mark.parametrize("arguments", [1, 3])
def test_a_stub_takes_the_arguments_that_it_was_given(arguments: int, project: Project) -> None:
    text = "CREATE TABLE t (a); INSERT INTO t VALUES (F('x', 'y', 'z'));"
    if arguments == 3:
        applied(project, text, functions={"F": arguments})
    else:
        assert "F" in refused(project, text, functions={"F": arguments})[0]


@pytest.mark.parametrize(
    "statement", ["ATTACH '{}' AS other", "VACUUM INTO '{}'", "ATTACH 'file:{}?mode=rwc' AS other"]
)
def test_a_migration_may_not_reach_other_files(statement: str, project: Project) -> None:
    target = project.path / "other.db"
    message, _ = refused(
        project,
        f"CREATE TABLE t (a); {statement.format(target)};",
        metadata="run_in_transaction = false",
    )
    assert "0001_m1" in message and "may not reach other files" in message
    assert not target.exists()


@pytest.mark.parametrize("text", ["", "-- nothing to do here\n", "SELECT 1;", "/* ; */;;"])
def test_a_file_may_have_nothing_to_do(text: str, project: Project) -> None:
    assert tables(applied(project, "CREATE TABLE t (a);", text)) == ["t"]


def test_init_is_run_first_and_named_where_it_fails() -> None:
    with pytest.raises(xtask.ConfigError, match=r"parity\.toml: sqlite\.init: SELEC 1"):
        _ = sqlite_backend("SELEC 1").open


def test_fresh_empties_the_database(project: Project) -> None:
    backend = applied(project, "CREATE TABLE t (a);")
    backend.fresh()
    assert tables(backend) == []
    assert backend.open.execute("PRAGMA foreign_keys").fetchone() == (1,)


def test_a_signal_ends_a_long_statement(project: Project) -> None:
    backend = xtask.SQLiteBackend(xtask.DEFAULT_INIT, {}, (), lambda: signal.SIGTERM)
    endless = (
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT COUNT(*) FROM n;"
    )
    with pytest.raises(xtask.Interrupted) as caught:
        backend.apply(*migrations(project, endless))
    assert caught.value.status == 143


# ---- read ----------------------------------------------------------------------------------

NOTHING = xtask.Clauses()

CLAUSES = [
    ("CREATE TABLE t (a)", NOTHING),
    ("CREATE TABLE t (a TEXT DEFAULT 'CHECK (1)' /* CHECK (2) */ -- CHECK (3)\n)", NOTHING),
    ("CREATE TABLE t (a CHECK (a > 0))", xtask.Clauses(checks=["a > 0"])),
    ("CREATE TABLE t (a INT CHECK (f(a, ')') > (1)) NOT NULL CHECK(a<9))", xtask.Clauses(checks=["f(a, ')') > (1)", "a<9"])),
    ("CREATE TABLE t (a, b, CONSTRAINT c CHECK (a < b), CHECK (a > 0))", xtask.Clauses(checks=["a < b", "a > 0"])),
    ("CREATE TABLE t (a, b, CONSTRAINT c CHECK (a < b) CHECK (a > 0))", xtask.Clauses(checks=["a < b", "a > 0"])),
    ("CREATE TABLE t (a, UNIQUE (a) CHECK (a > 0) FOREIGN KEY (a) REFERENCES p)", xtask.Clauses(checks=["a > 0"], deferred=[False])),
    ('CREATE TABLE "a (b" ("CHECK" TEXT, [x,y] TEXT CHECK ([x,y] <> \'\'))', xtask.Clauses(checks=["[x,y] <> ''"])),
    ("CREATE TABLE t (a INT GENERATED ALWAYS AS (c * (2)) STORED, b INT AS (3), c)", xtask.Clauses(generated={"a": "c * (2)", "b": "3"})),
    ('CREATE TABLE t (c, "A b" AS (1) VIRTUAL)', xtask.Clauses(generated={"a b": "1"})),
    ("CREATE TABLE t (a TEXT COLLATE nocase, b TEXT COLLATE \"RTRIM\" NOT NULL)", xtask.Clauses(collations={"a": "NOCASE", "b": "RTRIM"})),
    ("CREATE TABLE t (a TEXT CHECK (a = 'x' COLLATE NOCASE))", xtask.Clauses(checks=["a = 'x' COLLATE NOCASE"])),
    ("CREATE TABLE t (a TEXT, UNIQUE (a COLLATE NOCASE))", NOTHING),
    ("CREATE TABLE t (a REFERENCES p, b REFERENCES q (x) ON DELETE CASCADE)", xtask.Clauses(deferred=[False, False])),
    ("CREATE TABLE t (a INTEGER UNIQUE DEFERRABLE INITIALLY DEFERRED, b REFERENCES p)", xtask.Clauses(deferred=[False])),
    ("CREATE TABLE t (b REFERENCES p, a INTEGER DEFERRABLE INITIALLY DEFERRED)", xtask.Clauses(deferred=[True])),
    ("CREATE TABLE t (a REFERENCES p, b REFERENCES q (x) NOT DEFERRABLE)", xtask.Clauses(deferred=[False, False])),
    ("CREATE TABLE t (a REFERENCES p DEFERRABLE INITIALLY DEFERRED, b REFERENCES q)", xtask.Clauses(deferred=[True, False])),
    ("CREATE TABLE t (a REFERENCES p NOT DEFERRABLE INITIALLY DEFERRED)", xtask.Clauses(deferred=[False])),
    ("CREATE TABLE t (a REFERENCES p DEFERRABLE INITIALLY IMMEDIATE, b REFERENCES q DEFERRABLE)", xtask.Clauses(deferred=[False, False])),
    (
        "CREATE TABLE t (a, b, FOREIGN KEY (a, b) REFERENCES p (x, y) ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED)",
        xtask.Clauses(deferred=[True]),
    ),
    ("CREATE TABLE t (a TEXT DEFAULT (x'00'), b DECIMAL(10,2) DEFAULT -1)", NOTHING),
    ("CREATE TABLE t (a TEXT PRIMARY KEY, b INT) STRICT, WITHOUT ROWID", NOTHING),
    ("CREATE TABLE IF NOT EXISTS main.t (a PRIMARY KEY CHECK (a > 0)) WITHOUT ROWID", xtask.Clauses(checks=["a > 0"])),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "clauses"), CLAUSES)
def test_table_clauses(sql: str, clauses: xtask.Clauses) -> None:
    assert xtask.table_clauses(sql, "sqlite") == clauses


@pytest.mark.parametrize(("sql", "clauses"), CLAUSES)
def test_these_texts_are_sqlites(sql: str, clauses: xtask.Clauses) -> None:
    del clauses
    connection = sqlite3.connect(":memory:")
    connection.create_function("f", 2, lambda *_: None, deterministic=True)
    connection.execute(sql)
    assert connection.execute(
        "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table'"
    ).fetchone() == (1,)
    connection.close()


def test_a_table_is_read_as_text_where_only_its_text_says_more(project: Project) -> None:
    backend = applied(
        project,
        "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (a TEXT Collate NOCASE); CREATE TABLE k (a INT Check (a > 0));"
        "CREATE TABLE d (a INT REFERENCES p (id) Deferrable INITIALLY DEFERRED); CREATE TABLE g (a INT, b INT As (a + 1));",
    )
    tables = backend.read().tables
    assert tables["c"].columns[0].collation == "NOCASE"
    assert [part.text for check in tables["k"].checks for part in check] == ["a > 0"]
    assert tables["d"].foreign_keys[0].deferred
    assert tables["g"].columns[1].generated == xtask.Expression("a + 1")


def test_table_clauses_after_alter_table(project: Project) -> None:
    backend = applied(
        project,
        "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE t (a INT CHECK (a > 0), gone INT);",
        "ALTER TABLE t ADD COLUMN b TEXT COLLATE NOCASE CHECK (b <> ''); ALTER TABLE t RENAME COLUMN a TO \"new a\";",
        "ALTER TABLE t DROP COLUMN gone; ALTER TABLE t ADD COLUMN p_id INT REFERENCES p (id) DEFERRABLE INITIALLY DEFERRED;",
        "ALTER TABLE t RENAME TO u;",
    )
    table = backend.read().tables["u"]
    assert [[part.text for part in check] for check in table.checks] == [
        ['"new a" > 0'],
        ["b <> ''"],
    ]
    assert [column.name for column in table.columns] == ["new a", "b", "p_id"]
    assert table.by_name["b"].collation == "NOCASE"
    assert [key.deferred for key in table.foreign_keys] == [True]


def test_which_of_several_foreign_keys_is_deferred(project: Project) -> None:
    backend = applied(
        project,
        """CREATE TABLE p (id INTEGER PRIMARY KEY);
        CREATE TABLE t (a REFERENCES p, b REFERENCES p DEFERRABLE INITIALLY DEFERRED, c, d,
        FOREIGN KEY (c) REFERENCES p DEFERRABLE, FOREIGN KEY (d) REFERENCES p DEFERRABLE INITIALLY DEFERRED);""",
    )
    keys = backend.read().tables["t"].foreign_keys
    assert {key.columns: key.deferred for key in keys} == {
        ("a",): False,
        ("b",): True,
        ("c",): False,
        ("d",): True,
    }


def column(backend: xtask.SQLiteBackend, name: str, table: str = "t") -> xtask.Column:
    return backend.read().tables[table].by_name[name]


@pytest.mark.parametrize(
    ("sql", "nullable", "filled"),
    [
        ("CREATE TABLE t (a INTEGER PRIMARY KEY)", False, True),
        ("CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT)", False, True),
        ("CREATE TABLE t (a INTEGER, PRIMARY KEY (a))", False, True),
        ("CREATE TABLE t (a integer, PRIMARY KEY (a DESC))", False, True),
        ("CREATE TABLE t (a INTEGER PRIMARY KEY DESC)", True, False),
        ("CREATE TABLE t (a INT PRIMARY KEY)", True, False),
        ("CREATE TABLE t (a BIGINT PRIMARY KEY)", True, False),
        ("CREATE TABLE t (a TEXT PRIMARY KEY)", True, False),
        ("CREATE TABLE t (a TEXT PRIMARY KEY NOT NULL)", False, False),
        ("CREATE TABLE t (a INTEGER, b, PRIMARY KEY (a, b))", True, False),
        ("CREATE TABLE t (a INTEGER PRIMARY KEY) WITHOUT ROWID", False, False),
        ("CREATE TABLE t (a TEXT, b, PRIMARY KEY (a, b)) WITHOUT ROWID", False, False),
        ("CREATE TABLE t (a TEXT PRIMARY KEY) STRICT", False, False),
    ],
)
def test_what_a_primary_key_takes(sql: str, nullable: bool, filled: bool, project: Project) -> None:
    backend = applied(project, sql)
    assert (column(backend, "a").nullable, column(backend, "a").auto_increment) == (
        nullable,
        filled,
    )
    try:  # and SQLite says so itself
        backend.open.execute("INSERT INTO t DEFAULT VALUES")
        assert nullable or filled
    except sqlite3.IntegrityError:
        assert not nullable and not filled


@pytest.mark.parametrize(
    ("reference", "dangling"),
    [
        ("p", None),
        ("p (id)", None),
        ("P (ID)", None),
        ("p (k)", None),
        ("p (n)", "neither primary key nor unique"),
        ("p (part)", "neither primary key nor unique"),
        ("p (ghost)", "no column ghost"),
        ("ghost", "no such table"),
    ],
)
def test_what_a_foreign_key_points_at(
    reference: str, dangling: str | None, project: Project
) -> None:
    parent = "CREATE TABLE p (id INTEGER PRIMARY KEY, k UNIQUE, n, part); CREATE UNIQUE INDEX u ON p (part) WHERE n > 0;"
    (key,) = (
        applied(project, f"{parent} CREATE TABLE t (a REFERENCES {reference});")
        .read()
        .tables["t"]
        .foreign_keys
    )
    assert key.dangling == dangling


def test_virtual_tables_hide_their_shadow_tables(project: Project) -> None:
    schema = applied(project, "CREATE VIRTUAL TABLE search USING fts5(a);").read()
    assert [(table.name, table.kind) for table in schema.tables.values()] == [
        ("search", "virtual table")
    ]


def test_ignored_tables_are_read_and_named(project: Project) -> None:
    backend = xtask.SQLiteBackend(xtask.DEFAULT_INIT, {}, ("legacy",), lambda: False)
    for migration in migrations(
        project, "CREATE TABLE t (a); CREATE TABLE Legacy (a); CREATE TABLE goose_db_version (a);"
    ):
        backend.apply(migration)
    schema = backend.read()
    assert (list(schema.tables), schema.ignored) == (["t"], ("Legacy", "goose_db_version"))


@pytest.mark.parametrize(
    ("head", "timing", "event"),
    [
        ("g BEFORE INSERT ON t", "BEFORE", "INSERT"),
        ("g AFTER DELETE ON t", "AFTER", "DELETE"),
        ("g UPDATE ON t", "BEFORE", "UPDATE"),
        ("g AFTER UPDATE OF a, b ON t", "AFTER", "UPDATE"),
        ('"delete" AFTER INSERT ON t', "AFTER", "INSERT"),
        ("IF NOT EXISTS g AFTER INSERT ON t FOR EACH ROW WHEN NEW.a > 1", "AFTER", "INSERT"),
        ("g INSTEAD OF INSERT ON v", "INSTEAD OF", "INSERT"),
    ],
)
def test_triggers(head: str, timing: str, event: str, project: Project) -> None:
    text = f"CREATE TABLE t (a, b); CREATE VIEW v AS SELECT a FROM t; CREATE TRIGGER {head} BEGIN DELETE FROM t; END;"
    (trigger,) = applied(project, text).read().triggers
    assert (trigger.timing, trigger.event) == (timing, event)


@pytest.mark.parametrize(
    ("what", "name"), [("columns", "t"), ("columns", "v"), ("indexes", "t"), ("parts", "i")]
)
def test_what_is_listed_and_not_shown_is_an_error(
    what: str, name: str, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A PRAGMA that quietly returns less would make two schemas equal."""
    backend = sqlite_backend()
    backend.open.executescript(
        "CREATE TABLE t (a PRIMARY KEY, b UNIQUE); CREATE INDEX i ON t (b, a); CREATE VIEW v AS SELECT a FROM t;"
    )
    assert backend.read().tables.keys() == {"t"}
    make = xtask.SQLiteReader.__init__

    def less(self: xtask.SQLiteReader, *arguments: object) -> None:
        make(self, *arguments)  # type: ignore[arg-type]
        assert getattr(self, what).pop(name)

    monkeypatch.setattr(xtask.SQLiteReader, "__init__", less)
    with pytest.raises(xtask.IntrospectionError, match="does not show"):
        backend.read()


# ---- nothing reaches out, nothing hangs --------------------------------------------------------

REACHING_OUT = [
    "ATTACH '{}' AS a",
    "VACUUM INTO '{}'",
    "VACUUM INTO '{}' || '.db'",
    "SELECT load_extension('{}')",
    "PRAGMA temp_store_directory = '{}'",
    "PRAGMA hard_heap_limit = 100000",
]


@pytest.mark.parametrize("statement", REACHING_OUT)
def test_init_runs_under_the_same_limits(statement: str, project: Project) -> None:
    target = project.path / "other.db"
    with pytest.raises(xtask.ConfigError, match=r"sqlite\.init: .*may not reach"):
        _ = sqlite_backend(statement.format(target)).open
    message, _ = refused(
        project, f"{statement.format(target)};", metadata="run_in_transaction = false"
    )
    assert "may not reach other files" in message
    assert [path.name for path in project.path.iterdir()] == ["migrations"]


def test_a_plain_vacuum_is_allowed(project: Project) -> None:
    backend = applied(
        project, "CREATE TABLE t (a); VACUUM;", metadata="run_in_transaction = false", init="VACUUM"
    )
    assert tables(backend) == ["t"]


ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT {} FROM n"


@pytest.mark.parametrize("what", ["COUNT(*)", "x"])
def test_a_statement_has_a_time_limit(what: str, project: Project) -> None:
    backend = xtask.SQLiteBackend(xtask.DEFAULT_INIT, {}, (), lambda: 0, timeout=0.2)
    (migration,) = migrations(project, f"CREATE TABLE t (a);\n{ENDLESS.format(what)};")
    with pytest.raises(xtask.MigrationError) as caught:
        backend.apply(migration)
    message = str(caught.value)
    assert "statement 2 of 2, line 2" in message and "WITH RECURSIVE n" in message
    assert "not finished within 0.2 s (XTASK_TIMEOUT)" in message
    with pytest.raises(xtask.ConfigError, match=r"sqlite\.init: WITH RECURSIVE.*not finished"):
        _ = xtask.SQLiteBackend(ENDLESS.format(what), {}, (), lambda: 0, timeout=0.2).open


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT zeroblob(1000000000)",
        "INSERT INTO t SELECT replace(hex(zeroblob(20000000)), '00', '0123456789')",
        f"SELECT group_concat(v) FROM ({ENDLESS.format('hex(zeroblob(500000)) AS v')} LIMIT 200)",
    ],
)
def test_a_value_has_a_length_limit(statement: str, project: Project) -> None:
    message, _ = refused(project, f"CREATE TABLE t (a); {statement};")
    assert "statement 2 of 2" in message and "too big" in message


def test_memory_has_a_limit(project: Project) -> None:
    """In a process of its own: the limit is the process's, and is never raised again."""
    migrations(
        project, f"CREATE TABLE t (a);\nINSERT INTO t {ENDLESS.format('zeroblob(1000000)')};"
    )
    code = (
        "import xtask\nfrom pathlib import Path\nfrom conftest import discover, sqlite_backend\nxtask.LARGEST_HEAP = 8 << 20\n"
        "(one,) = discover(Path('migrations').absolute(), 'sqlite')\n"
        "backend = sqlite_backend()\n"
        "try: backend.apply(one)\nexcept xtask.MigrationError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project.path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "statement 2 of 2, line 2" in done.stdout and "out of memory" in done.stdout


# ---- what only a reader finds ------------------------------------------------------------------


def test_an_edited_catalogue_is_read_as_the_next_connection_sees_it(project: Project) -> None:
    text = """
CREATE TABLE t (a TEXT);
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = 'CREATE TABLE t (a TEXT NOT NULL)' WHERE name = 't';
PRAGMA writable_schema = OFF;
"""
    assert not column(applied(project, text), "a").nullable


def test_a_catalogue_that_was_edited_into_nonsense_is_an_error(project: Project) -> None:
    text = """
CREATE TABLE t (a TEXT);
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = 'CREATE TABLE t (' WHERE name = 't';
"""
    with pytest.raises(
        xtask.IntrospectionError, match="cannot read its own schema back: malformed"
    ):
        applied(project, text).read()


def test_a_table_that_was_given_a_name_of_sqlites(project: Project) -> None:
    text = """
CREATE TABLE t (a TEXT);
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET name = 'sqlite_t', tbl_name = 'sqlite_t', sql = 'CREATE TABLE sqlite_t (a)';
PRAGMA writable_schema = OFF;
"""
    assert [*applied(project, text).read().tables] == ["sqlite_t"]


def test_names_that_mysql_does_not_tell_apart(project: Project) -> None:
    backend = applied(project, 'CREATE TABLE t ("É" TEXT, "é" TEXT);')
    with pytest.raises(xtask.IntrospectionError, match="columns of t: É and é"):
        backend.read()


def test_tables_that_mysql_does_not_tell_apart(project: Project) -> None:
    backend = applied(project, 'CREATE TABLE "É" (a TEXT); CREATE VIEW "é" AS SELECT 1 AS a;')
    with pytest.raises(xtask.IntrospectionError, match="É and é"):
        backend.read()


def test_a_key_has_its_own_equality(project: Project) -> None:
    text = """
CREATE TABLE t (a TEXT COLLATE NOCASE, b TEXT, c TEXT, PRIMARY KEY (a, b COLLATE RTRIM),
  UNIQUE (a), UNIQUE (c COLLATE nocase, b));
"""
    table = applied(project, text).read().tables["t"]
    assert table.primary_collations == (None, "RTRIM")
    found = {key.names: [part.collation for part in key.parts] for key in table.uniques}
    assert found == {("a",): [None], ("c", "b"): ["NOCASE", None]}


def test_a_parent_that_is_unique_under_another_collation_is_none(project: Project) -> None:
    text = """
CREATE TABLE p (a TEXT, b TEXT COLLATE NOCASE UNIQUE, UNIQUE (a COLLATE NOCASE));
CREATE TABLE c (a TEXT REFERENCES p (a), b TEXT REFERENCES p (b));
"""
    keys = applied(project, text).read().tables["c"].foreign_keys
    assert {key.columns: key.dangling for key in keys} == {
        ("a",): "neither primary key nor unique",
        ("b",): None,
    }


def test_where_counting_goes_on(project: Project) -> None:
    text = """
CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT /* says AUTOINCREMENT */);
CREATE TABLE b (id INTEGER PRIMARY KEY /* no AUTOINCREMENT */);
CREATE TABLE c (id INTEGER PRIMARY KEY AUTOINCREMENT);
INSERT INTO c VALUES (41);
"""
    found = applied(project, text).read().tables
    assert {name: table.next_id for name, table in found.items()} == {"a": 1, "b": None, "c": 42}
    assert {name: table.columns[0].reuses_ids for name, table in found.items()} == {
        "a": False,
        "b": True,
        "c": False,
    }


def test_the_columns_of_a_trigger(project: Project) -> None:
    text = """
CREATE TABLE t (a TEXT, "b, c" TEXT);
CREATE TRIGGER g BEFORE UPDATE OF A, "b, c" ON t BEGIN SELECT 1; END;
CREATE TRIGGER h AFTER UPDATE ON t BEGIN SELECT 1; END;
"""
    found = {one.name: one.columns for one in applied(project, text).read().triggers}
    assert found == {"g": {"a", "b, c"}, "h": frozenset()}
