"""The main job as a process, against the leased server: verdicts, settings, proof, and nothing left behind."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import pymysql
import pytest

import xtask
from conftest import ROOT, Project, discover

pytestmark = pytest.mark.mariadb

SQLITE = "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT NOT NULL, b INTEGER DEFAULT 3);"
MYSQL = "CREATE TABLE t (id BIGINT AUTO_INCREMENT PRIMARY KEY, a LONGTEXT NOT NULL, b BIGINT DEFAULT 3);"
DRIFTED = MYSQL.replace(" NOT NULL,", ",").replace("DEFAULT 3", "DEFAULT 4")
Done = subprocess.CompletedProcess[str]
Verify = Callable[..., Done]
TwoSides = tuple[str | None, str | None]


@pytest.fixture
def verify(project: Project, server_url: str) -> Verify:
    def run(*arguments: str, **options: Any) -> Done:
        return project.run("verify-migrations", "--server", server_url, *arguments, **options)

    return run


@pytest.fixture
def nothing_left(query: Callable[[str], list[tuple[Any, ...]]]) -> Iterator[Callable[[], bool]]:
    """Whether the server has the databases and users that it had; asked again at the end of the test."""

    def inventory() -> set[tuple[Any, ...]]:
        return {*query("SHOW DATABASES"), *query("SELECT user, host FROM mysql.user")}

    before = inventory()
    yield lambda: inventory() == before
    assert inventory() == before


def told(done: Done) -> list[tuple[Any, ...]]:
    """Kind, place, both values and migration of each finding of a JSON report."""
    return [
        tuple(one[key] for key in ("kind", "at", "sqlite", "mysql", "migration"))
        for one in json.loads(done.stdout)["findings"]
    ]


# ---- the verdict -------------------------------------------------------------------------------


def test_parity(verify: Verify, project: Project, nothing_left: object) -> None:
    del nothing_left
    project.pair(SQLITE, MYSQL)
    done = verify()
    assert done.returncode == 0 and "Verdict: parity\n" in done.stdout
    assert [
        word
        for word in ("compared: 1 table", " columns", "not compared", "--strict would add")
        if word not in done.stdout
    ] == []


def test_drift(verify: Verify, project: Project, nothing_left: object) -> None:
    del nothing_left
    project.pair(SQLITE, DRIFTED)
    done = verify("--format", "json")
    assert done.returncode == 1
    assert told(done) == [
        ("column-nullability", "t.a", "NOT NULL", "NULL", "0001_schema"),
        ("column-default", "t.b", "3", "4", "0001_schema"),
    ]
    data = json.loads(done.stdout)
    assert (
        data["parity"],
        data["level"],
        data["sqlite"]["migrations"],
        data["mysql"]["migrations"],
    ) == (False, "parity", 1, 1)
    assert data["mysql"]["flavour"] in ("MariaDB", "MySQL") and data["hidden"] == {
        "column-auto-increment": 1,
        "column-collation": 1,
    }


@pytest.mark.parametrize("name", ["text", "json"])
def test_the_same_bytes_on_a_second_run(name: str, verify: Verify, project: Project) -> None:
    project.pair(SQLITE + "CREATE TABLE u (x STRING);", DRIFTED + "CREATE TABLE u (x BIGINT);")
    runs = [verify("--format", name) for _ in range(2)]
    assert runs[0].stdout == runs[1].stdout != ""
    assert {run.returncode for run in runs} == {1}
    assert not re.search(r"xtask_[0-9a-f]+_|\d\.\d+ s\b", runs[0].stdout)


def test_results_on_stdout_and_words_on_stderr(verify: Verify, project: Project) -> None:
    project.pair(SQLITE, DRIFTED)
    loud, quiet = verify("-v"), verify("-q")
    assert loud.stdout == quiet.stdout and quiet.stderr == ""
    assert re.search(r"\d+\.\d+ s  reading (MariaDB|MySQL)\n", loud.stderr)
    assert "\x1b" not in loud.stdout + loud.stderr


def test_strict(verify: Verify, project: Project) -> None:
    project.pair(SQLITE, MYSQL.replace("b BIGINT", "b INT"))
    project.write({"migrations/0002_more/up.sql": "SELECT 1;"})
    kinds = {
        "column-auto-increment",
        "column-capacity",
        "column-collation",
        "migration-unpaired",
    }
    plain, strict, some = (
        verify("--format", "json", *words)
        for words in ((), ("--strict",), ("--strict=column-capacity",))
    )
    assert [run.returncode for run in (plain, strict, some)] == [0, 1, 1]
    assert (told(plain), set(json.loads(plain.stdout)["hidden"])) == ([], kinds)
    assert ({one[0] for one in told(strict)}, json.loads(strict.stdout)["level"]) == (
        kinds,
        "strict",
    )
    assert ({one[0] for one in told(some)}, set(json.loads(some.stdout)["hidden"])) == (
        {"column-capacity"},
        kinds - {"column-capacity"},
    )
    assert ("migration-unpaired", "0002_more", "0002_more", None, "0002_more") in told(strict)


def test_blame(verify: Verify, project: Project) -> None:
    history = {  # label: SQLite, MySQL
        "0001_a": (SQLITE, MYSQL),
        "0002_b": (
            "ALTER TABLE t ADD COLUMN c TEXT; CREATE INDEX i ON t (b);",
            "CREATE TABLE other (id BIGINT PRIMARY KEY);",
        ),
        "0003_c": (
            "CREATE TABLE other (id INTEGER NOT NULL PRIMARY KEY);",
            "ALTER TABLE t ADD COLUMN c BIGINT, ADD INDEX (b);",
        ),
        "0004_d": ("DROP INDEX i; SELECT 1;", "ALTER TABLE t MODIFY a LONGTEXT;"),
        "0005_e": ("CREATE VIEW v AS SELECT a FROM t;", "SELECT 1;"),
        "0006_f": ("INSERT INTO other VALUES (1);", "SELECT 1;"),
    }
    for label, (sqlite, mysql) in history.items():
        project.pair(sqlite, mysql, label)
    assert {(kind, at): since for kind, at, _, _, since in told(verify("--format", "json"))} == {
        (
            "column-auto-increment",
            "other.id",
        ): "0003_c",  # the table was missing before: another finding
        ("column-type", "t.c"): "0003_c",  # and so was the column
        ("index", "t(b)"): "0004_d",  # there at 0002, mended at 0003, there again
        ("column-nullability", "t.a"): "0004_d",
        ("view", "v"): "0005_e",
        ("seed-rows", "other"): "0006_f",
    }


@pytest.mark.parametrize("mode", ["", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES"])
def test_blame_finds_a_table_of_any_name(mode: str, verify: Verify, project: Project) -> None:
    """A migration's session may have another sql_mode than the one that reads."""
    name = "it's a\\ ta;ble"
    project.pair(
        f'CREATE TABLE "{name}" (a INTEGER);',
        f"SET SESSION sql_mode = '{mode}'; CREATE TABLE `{name}` (a BIGINT);",
        "0001_a",
    )
    project.pair(
        f'ALTER TABLE "{name}" ADD COLUMN b TEXT;',
        f"ALTER TABLE `{name}` ADD COLUMN b BIGINT;",
        "0002_b",
    )
    done = verify("--format", "json")
    assert told(done) == [("column-type", f"{name}.b", "TEXT", "bigint", "0002_b")], done.stderr


def test_blame_finds_a_table_in_two_spellings(verify: Verify, project: Project) -> None:
    """MariaDB takes `IN ('Users', 'users')` for one name, and finds it in one spelling only."""
    project.pair("CREATE TABLE p (a INTEGER);", "CREATE TABLE p (a BIGINT);", "0001_a")
    project.pair("CREATE TABLE Users (a INTEGER);", "CREATE TABLE users (a BIGINT);", "0002_b")
    assert told(verify("--format", "json")) == [
        ("identifier-case", "users", "Users", "users", "0002_b")
    ]


def test_blame_tells_levels_and_parents_apart(verify: Verify, project: Project) -> None:
    """A finding of the same kind and place at the other level, and a table that was missing, are other findings."""
    project.pair(
        "CREATE TABLE pets (id INTEGER PRIMARY KEY, label VARCHAR(40)); CREATE TABLE p (id INTEGER PRIMARY KEY);"
        "CREATE TABLE c (a INTEGER REFERENCES p (id) ON DELETE CASCADE);",
        "CREATE TABLE pets (id BIGINT AUTO_INCREMENT PRIMARY KEY, label VARCHAR(40)); CREATE TABLE c (a BIGINT);",
        "0001_first",
    )
    project.pair(
        "SELECT 1;",
        "ALTER TABLE pets MODIFY label VARCHAR(60); CREATE TABLE p (id BIGINT AUTO_INCREMENT PRIMARY KEY);",
        "0002_second",
    )
    findings = json.loads(verify("--format", "json").stdout)["findings"]
    assert {(one["kind"], one["at"]): one["migration"] for one in findings} == {
        ("column-capacity", "pets.label"): "0002_second",
        ("foreign-key", "c(a)"): "0002_second",
    }


def test_no_name_of_the_lease_is_told(verify: Verify, project: Project) -> None:
    """The same inputs give the same bytes, whatever the scratch database and its user are called."""
    parents = "CREATE TABLE p (id BIGINT AUTO_INCREMENT PRIMARY KEY); CREATE TABLE c (a BIGINT REFERENCES p (id));"
    ignored = f"{parents} INSERT IGNORE INTO c VALUES (7);"
    project.pair(
        "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (a INTEGER REFERENCES p (id));",
        ignored,
        "0001_v1.2",
    )
    first, second = verify(), verify()
    assert first.stdout == second.stdout and "xtask_" not in first.stdout
    (finding,) = json.loads(verify("--format", "json").stdout)["findings"]
    assert finding["at"] == '"0001_v1.2"'
    assert finding["mysql"].startswith("a row without a parent was skipped (1452)")
    project.pair("CREATE TABLE t (a);", f"{parents} DROP TABLE mysql.user;", "0001_v1.2")
    done = verify()
    assert done.returncode == 2 and "xtask_" not in done.stderr.replace("xtask: ", ""), done.stderr


def test_a_stale_lock_is_annotated(verify: Verify, project: Project) -> None:
    project.pair(SQLITE, MYSQL)
    done = verify("--locked", "--format", "github")
    assert done.returncode == 1
    assert done.stdout.startswith(
        "::error file=parity.lock::missing; run `xtask.py verify-migrations`"
    )


def test_a_view_that_reads_what_is_gone(verify: Verify, project: Project) -> None:
    project.pair(
        SQLITE, f"{MYSQL} CREATE TABLE w (a INT); CREATE VIEW v AS SELECT a FROM w; DROP TABLE w;"
    )
    done = verify()
    assert (
        done.returncode == 2
        and "view v: it reads a table or column that is no longer there" in done.stderr
    )


EVERYTHING = (
    "CREATE TABLE p (id BIGINT PRIMARY KEY, u BIGINT UNIQUE)",
    "CREATE TABLE t (id BIGINT PRIMARY KEY, p BIGINT, CHECK (id > p), FOREIGN KEY (p) REFERENCES p (id))",
    "CREATE VIEW v AS SELECT id FROM t",
    "CREATE TRIGGER g AFTER INSERT ON t FOR EACH ROW SET @x = 1",
    "CREATE PROCEDURE r() SELECT 1",
)


@pytest.mark.parametrize(
    ("what", "less"),
    [
        ("tables", "t"), ("tables", "v"), ("columns", "t"), ("columns", "v"), ("parts", "p"), ("references", "t"), ("checks", "t"),
        ("actions", "t"), ("triggers", "t"), ("routines", "r"),
    ],
)  # fmt: skip
def test_what_one_catalogue_hides_is_an_error(
    what: str, less: str, address: xtask.Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A query that quietly returns less, or rights that hide a thing, would make two schemas equal."""
    backend = xtask.MySQLBackend(address, "", (), 60)
    backend.fresh()
    try:
        for sql in EVERYTHING:
            backend.query(sql, backend.connection)
        assert backend.read().tables.keys() == {"p", "t"}
        catalogue = xtask.MySQLBackend._catalogue

        def hiding(
            self: xtask.MySQLBackend, only: Collection[str] | None = None
        ) -> xtask.Catalogue:
            told = catalogue(self, only)
            return told._replace(**{what: [row for row in getattr(told, what) if row[0] != less]})

        monkeypatch.setattr(xtask.MySQLBackend, "_catalogue", hiding)
        with pytest.raises(xtask.IntrospectionError):
            backend.read()
    finally:
        monkeypatch.undo()
        backend.fresh()
        backend.close()


def test_as_many_answers_as_queries(address: xtask.Address) -> None:
    backend = xtask.MySQLBackend(address, "", (), 60)
    assert backend.queries(["SELECT 1", "SELECT 2 WHERE FALSE", "SELECT 3"]) == [
        ((1,),),
        (),
        ((3,),),
    ]
    with pytest.raises(xtask.ServerError, match="3 answers to 2 queries"):
        backend.queries(["SELECT 1", "SELECT 2; SELECT 3"])
    backend.close()


def test_warnings(verify: Verify, project: Project) -> None:
    project.pair(SQLITE, f"{MYSQL}\n\nCREATE TABLE IF NOT EXISTS t (other BIGINT);", "0007_twice")
    done = verify("--format", "json")
    ((kind, at, sqlite, value, since),) = told(done)
    assert (done.returncode, kind, at, sqlite, since) == (
        1,
        "migration-warning",
        "0007_twice",
        None,
        "0007_twice",
    )
    assert value.startswith(
        "an existing table was kept (1050): statement 2, line 3: CREATE TABLE IF NOT EXISTS t"
    )


# ---- parity.toml -------------------------------------------------------------------------------

ENTRY = '[[{section}]]\nkind = "{kind}"\nat = "{at}"\nsqlite = "{sqlite}"\nmysql = "{mysql}"\n{word} = "https://tracker.example/1"\n'
NULLABILITY = {"kind": "column-nullability", "at": "t.a", "sqlite": "NOT NULL", "mysql": "NULL"}
DEFAULT = {"kind": "column-default", "at": "t.b", "sqlite": "3", "mysql": "4"}


def documented(**finding: str) -> str:
    return ENTRY.format(section="divergence", word="reason", **finding)


def known(**finding: str) -> str:
    return ENTRY.format(section="open", word="issue", **finding)


@pytest.mark.parametrize(
    ("toml", "arguments", "status", "verdict"),
    [
        (documented(**NULLABILITY) + documented(**DEFAULT), [], 0, "parity, 2 documented"),
        (documented(**NULLABILITY), [], 1, "NOT at parity: 1 undocumented finding, 1 documented"),
        (documented(**NULLABILITY) + known(**DEFAULT), [], 1, "not at parity: 1 open"),
        (documented(**NULLABILITY) + known(**DEFAULT), ["--ratchet"], 0, "not at parity: 1 open"),
        (known(**DEFAULT), ["--ratchet"], 1, "NOT at parity: 1 undocumented finding, 1 open"),
        (
            documented(**NULLABILITY) + documented(**{**DEFAULT, "mysql": "5"}),
            ["--ratchet"],
            1,
            "NOT at parity: 1 undocumented finding, 1 mended or moved",
        ),
    ],
)
def test_entries(
    toml: str, arguments: list[str], status: int, verdict: str, verify: Verify, project: Project
) -> None:
    project.pair(SQLITE, DRIFTED).write({"parity.toml": toml})
    done = verify(*arguments)
    assert done.returncode == status and f"Verdict: {verdict}" in done.stdout


def test_printed_entries_document_everything(verify: Verify, project: Project) -> None:
    project.pair(
        SQLITE + "CREATE TABLE u (x STRING, CHECK (x <> 'a\"b'));",
        DRIFTED + "CREATE TABLE u (x BIGINT);",
    )
    printed = verify("--format", "divergences")
    assert printed.returncode == 1
    project.write({"parity.toml": printed.stdout.replace('reason = ""', 'reason = "meant"')})
    done = verify("--format", "json")
    assert (done.returncode, json.loads(done.stdout)["parity"]) == (0, True)
    assert all(one["documented"] for one in json.loads(done.stdout)["findings"])


def test_settings(verify: Verify, project: Project) -> None:
    project.write(
        {
            "db/lite/1_a.sql": "CREATE TABLE c (a INTEGER REFERENCES p (id)); CREATE TABLE p (id INTEGER PRIMARY KEY); "
            "INSERT INTO c VALUES (F(1));",
            "db/maria/1_a.sql": "CREATE TABLE c (a BIGINT, FOREIGN KEY (a) REFERENCES p (id)); INSERT INTO c VALUES (7); "
            "CREATE TABLE p (id BIGINT AUTO_INCREMENT PRIMARY KEY); CREATE TABLE legacy (a BIGINT);",
            "parity.toml": 'ignore_tables = ["Legacy"]\n[sqlite]\nmigrations = "db/lite"\nfunctions = { F = 1 }\n'
            '[mysql]\nmigrations = "db/maria"\ninit = "SET FOREIGN_KEY_CHECKS = 0; SET @x = 1"\n',
        }
    )
    done = verify("--format", "json")
    data = json.loads(done.stdout)
    assert (done.returncode, data["mysql"]["path"]) == (0, "db/maria")
    assert (data["ledger"]["stubbed_functions"], data["ledger"]["ignored_tables"]["mysql"]) == (
        ["F"],
        ["legacy"],
    )
    project.write(
        {
            "parity.toml": (project.path / "parity.toml")
            .read_text("utf-8")
            .replace("SET FOREIGN_KEY_CHECKS = 0; ", "")
        }
    )
    assert verify().returncode == 2


def test_an_init_that_fails(verify: Verify, project: Project) -> None:
    project.pair(SQLITE, MYSQL).write({"parity.toml": '[mysql]\ninit = "SET nonsense = 1"\n'})
    done = verify()
    assert (done.returncode, done.stdout) == (
        2,
        "",
    ) and "mysql.init: SET nonsense = 1" in done.stderr


def test_flags_name_other_directories(verify: Verify, project: Project) -> None:
    project.pair(SQLITE, DRIFTED).write(
        {"other/1_a.sql": MYSQL, "parity.toml": documented(**NULLABILITY)}
    )
    done = verify("--mysql", "other")
    assert done.returncode == 0 and "not applied to others" in done.stderr
    assert not (project.path / "parity.lock").exists()
    project.write({"other/1_a.sql": DRIFTED})  # which the entry would answer for
    assert verify("--mysql", "other", "-q").returncode == 1


# ---- what could not be verified ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("mysql", "words"),
    [
        (
            "CREATE TABLE ok (a BIGINT);\n-- x\nCREATE TABEL t (a BIGINT);\n",
            ["statement 2 of 2, line 3", "CREATE TABEL t (a BIGINT)", "1064"],
        ),
        ("USE mysql;", ["USE mysql", "scratch database"]),
        ("USE information_schema;", ["information_schema", "USE"]),
        ("DROP DATABASE mysql;", ["DROP DATABASE mysql"]),
        ("GRANT ALL ON *.* TO CURRENT_USER();", ["GRANT ALL"]),
        ("CREATE USER 'xtask_intruder'@'%';", ["CREATE USER", "1227"]),
        ("SET GLOBAL max_connections = 7;", ["SET GLOBAL", "1227"]),
        ("CREATE DATABASE elsewhere;", ["CREATE DATABASE elsewhere", "1044"]),
        ("SELECT * FROM ghost;", ["ghost", "1146"]),
        ("LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE t;", ["LOAD DATA LOCAL"]),
    ],
)
def test_a_migration_that_fails(
    mysql: str, words: list[str], verify: Verify, project: Project, nothing_left: object
) -> None:
    del nothing_left
    project.pair(SQLITE, MYSQL).pair("SELECT 1;", mysql, "0002_bad")
    done = verify()
    assert (done.returncode, done.stdout) == (2, "")
    assert [word for word in ["0002_bad/up.sql", *words] if word not in done.stderr] == []
    assert "Traceback" not in done.stderr and not (project.path / "parity.lock").exists()


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("CREATE TABLE u (a INT) DATA DIRECTORY = '/tmp'", "DATA DIRECTORY"),
        ("CREATE TABLE u (a INT) /*!50100 DATA DIRECTORY='/tmp' */", "DATA DIRECTORY"),
        ("ALTER TABLE t INDEX DIRECTORY '/tmp'", "INDEX DIRECTORY"),
        ("CREATE TABLE u (a INT) ENGINE = InnoDB TABLESPACE ts", "TABLESPACE"),
        ("CREATE TABLESPACE ts ADD DATAFILE '/tmp/ts.ibd'", "CREATE TABLESPACE"),
        ("CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (HOST 'x')", "CREATE SERVER"),
        ("XA START 'x'", "XA"),
        ("CREATE PROCEDURE p() BEGIN XA START 'x'; END", "XA START"),
    ],
)
def test_what_reaches_out_is_not_sent(
    statement: str, words: str, project: Project, mysql: xtask.MySQLBackend
) -> None:
    (migration,) = mysql_migrations(project, f"CREATE TABLE t (a INT);\n{statement};")
    mysql.fresh()
    with pytest.raises(xtask.MigrationError) as caught:
        mysql.apply(migration)
    message = str(caught.value)
    assert f"{words} is not run here" in message and "statement 2, line 2" in message
    assert mysql.query("SHOW TABLES") == (("t",),)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE t (a INT, tablespace INT, server INT, directory INT, INDEX directory (a))",
        "CREATE TABLE t (`data` INT COMMENT 'DATA DIRECTORY = 1', xa INT, data INT)",
        "ALTER TABLE t ADD COLUMN tablespace INT, ALTER server SET DEFAULT 1, DROP INDEX directory",
        "REPLACE server VALUES (1)",
        "SELECT 'XA START', xa, tablespace FROM t",
    ],
)
def test_what_only_looks_so_is_sent(sql: str) -> None:
    (statement,) = xtask.split(sql, "mysql", "x")
    assert xtask.reaches_out(statement.tokens) == ""


def mysql_migrations(project: Project, *files: str) -> list[xtask.Migration]:
    for number, text in enumerate(files, 1):
        project.write({f"migrations_mysql/{number:04}_m/up.sql": text})
    return discover(project.path / "migrations_mysql", "mysql")


def test_a_directory_behind_a_prepare(project: Project, mysql: xtask.MySQLBackend) -> None:
    """The words are hidden; the session's sql_mode, also one that a migration sets, is what holds."""
    sql = "CONCAT('CREATE TABLE u (a INT) DATA DIR', 'ECTORY=''/tmp''')"
    hidden = f"SET @s = {sql}; PREPARE p FROM @s;"
    (migration,) = mysql_migrations(project, f"SET sql_mode = '';\n{hidden}\nEXECUTE p;")
    mysql.fresh()
    with pytest.raises(xtask.MigrationError, match="line 3: EXECUTE p: a table may not lie in"):
        mysql.apply(migration)
    assert not list(Path("/tmp").glob("*/u.ibd"))


# Each word of XA as MariaDB takes it from a PREPARE; MySQL prepares none of them.
XA = {
    word: f"EXECUTE IMMEDIATE CONCAT('X', 'A {word} ''x''');\n"
    for word in ("START", "END", "PREPARE")
}
OPENED = f"{XA['START']}INSERT INTO t VALUES (1);\n"
PREPARED = OPENED + XA["END"] + XA["PREPARE"]


@pytest.mark.parametrize(
    "sql",
    [
        OPENED,
        OPENED + XA["END"],
        PREPARED,
        f"{PREPARED}SELECT * FROM gone;",
        f"BEGIN NOT ATOMIC {PREPARED} END;",
        "SET @s = CONCAT('X', 'A START ''x''');\nPREPARE p FROM @s;\nEXECUTE p;",
    ],
)
def test_an_xa_transaction_behind_a_prepare(
    sql: str, project: Project, mysql: xtask.MySQLBackend
) -> None:
    """Nothing of it is left: a prepared one would outlive the session and block DROP DATABASE."""
    made, hidden = mysql_migrations(project, "CREATE TABLE t (a INT);", sql)
    mysql.fresh()
    mysql.apply(made)
    with pytest.raises(xtask.MigrationError) as caught:
        mysql.apply(hidden)
    if mysql.flavour == "MariaDB" and "gone" not in sql:
        assert "opens an XA transaction" in str(caught.value)
    assert mysql.query("XA RECOVER") == ()
    mysql.fresh()


def test_the_sql_mode_is_the_servers_and_one_more(mysql: xtask.MySQLBackend) -> None:
    mysql.fresh()
    query = "SELECT @@SESSION.sql_mode, @@GLOBAL.sql_mode"
    session, server = map(xtask.catalogue_text, mysql.query(query, mysql.connection)[0])
    assert set(session.split(",")) ^ set(server.split(",")) == {"NO_DIR_IN_CREATE"}


def test_load_data_local_is_refused_by_the_client(
    project: Project, mysql: xtask.MySQLBackend, query: Callable[[str], object]
) -> None:
    """On a server that would allow it: the client's refusal is all that is left."""
    secret = project.write({"secret.txt": "secret\n"}).path / "secret.txt"
    sql = f"CREATE TABLE t (a TEXT); LOAD DATA LOCAL INFILE '{secret}' INTO TABLE t;"
    (migration,) = mysql_migrations(project, sql)
    query("SET GLOBAL local_infile = 1")
    try:
        mysql.fresh()
        with pytest.raises(xtask.MigrationError, match="LOAD DATA LOCAL"):
            mysql.apply(migration)
        assert mysql.query("SELECT COUNT(*) FROM t") == ((0,),)
    finally:
        query("SET GLOBAL local_infile = 0")
        mysql.fresh()


def test_what_the_catalogue_does_not_tell(project: Project, mysql: xtask.MySQLBackend) -> None:
    (migration,) = mysql_migrations(
        project,
        """
CREATE TABLE t (id BIGINT AUTO_INCREMENT PRIMARY KEY, a INT, b TEXT, c INT DEFAULT 3, d INT,
  e INT AS (a + 1)) AUTO_INCREMENT = 1000;
ALTER TABLE t ALTER COLUMN a DROP DEFAULT, ALTER COLUMN b DROP DEFAULT;
CREATE TABLE u (id BIGINT AUTO_INCREMENT PRIMARY KEY, a VARCHAR(9) CHARACTER SET latin1, b JSON,
  c VARBINARY(9), d ENUM('x') CHARACTER SET ascii, e TIMESTAMP NOT NULL DEFAULT '2020-01-01',
  f TIMESTAMP NULL);
INSERT INTO u (a) VALUES ('a'), ('b');
""",
    )
    mysql.fresh()
    mysql.apply(migration)
    schema = mysql.read()
    mysql.fresh()
    t, u = schema.tables["t"], schema.tables["u"]
    on_mysql = mysql.flavour == "MySQL"
    assert {one.name for one in t.columns if one.required} == ({"a", "b"} if on_mysql else set())
    assert {one.name for one in u.columns if one.null_is_now} == (set() if on_mysql else {"e"})
    assert {one.name: one.charset for one in u.columns if one.charset} == {
        "a": "latin1",
        "d": "ascii",
    }
    assert (t.next_id, u.next_id) == (1000, 3)
    assert schema.last_timestamp == (2106 if mysql.version.startswith("11.8") else 2038)


def test_a_migration_that_drops_its_own_database(
    verify: Verify, project: Project, nothing_left: object
) -> None:
    del nothing_left
    project.pair(
        SQLITE,
        f"{MYSQL} SET @q = CONCAT('DROP DATABASE ', DATABASE()); PREPARE s FROM @q; EXECUTE s;",
    )
    assert verify().returncode == 2


def test_no_table_on_mysql(verify: Verify, project: Project) -> None:
    project.pair(SQLITE, "SELECT 1;")
    done = verify()
    assert (done.returncode, done.stdout) == (
        2,
        "",
    ) and "migrations_mysql: no table at the end" in done.stderr


def test_a_wrong_password(project: Project, address: xtask.Address) -> None:
    url = f"mysql://{address.user}:geheim@{address.host}:{address.port}"
    done = project.pair(SQLITE, MYSQL).run("verify-migrations", "--server", url)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("1045") == 1 and "geheim" not in done.stderr


def test_a_port_on_which_nobody_listens(project: Project) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can take it meanwhile
        done = project.pair(SQLITE, MYSQL).run(
            "verify-migrations", "--server", f"mysql://u:geheim@127.0.0.1:{taken.getsockname()[1]}"
        )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("2003") == 1 and "geheim" not in done.stderr


def test_a_database_in_the_url(server_url: str, project: Project) -> None:
    done = project.pair(SQLITE, MYSQL).run("verify-migrations", "--server", f"{server_url}/app")
    assert done.returncode == 0, done.stderr
    assert "database 'app': passed over, a scratch database is made and dropped" in done.stderr


def speaks_tls(address: xtask.Address) -> bool:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        pymysql.connect(
            host=address.host,
            port=address.port,
            user=address.user,
            password=address.password,
            ssl=context,
        ).close()
    except pymysql.err.MySQLError:
        return False
    return True


@pytest.mark.parametrize("mode", ["required", "verify-ca", "verify-identity"])
def test_an_encrypted_connection(
    mode: str, address: xtask.Address, server_url: str, project: Project
) -> None:
    """`required` takes any certificate; the others want one that a known authority signed."""
    url = f"{server_url}?ssl-mode={mode}"
    done = project.pair(SQLITE, MYSQL).run("verify-migrations", "--server", url)
    if mode == "required" and speaks_tls(address):
        assert done.returncode == 0, done.stderr
    else:
        assert (done.returncode, done.stdout) == (2, "")
        assert re.search("SSL|certificate", done.stderr), done.stderr
        assert address.password not in done.stderr


# ---- signals -----------------------------------------------------------------------------------


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_a_signal_leaves_nothing_behind(
    number: signal.Signals,
    project: Project,
    server_url: str,
    query: Callable[[str], list[tuple[Any, ...]]],
    nothing_left: Callable[[], bool],
) -> None:
    statement = (
        f"SELECT SLEEP(50.{number:02})"  # the server goes on with it for a while: one for each
    )
    project.pair(SQLITE, f"{MYSQL} {statement};")
    command = [sys.executable, str(ROOT / "xtask.py"), "verify-migrations", "--server", server_url]
    process = subprocess.Popen(
        command, cwd=project.path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        wait_until(
            lambda: bool(
                query(f"SELECT 1 FROM information_schema.processlist WHERE info = '{statement}'")
            )
        )
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, stdout) == (
        -number if number == signal.SIGKILL else 128 + number,
        "",
    )
    assert "Traceback" not in stderr
    wait_until(nothing_left)


# ---- round trip --------------------------------------------------------------------------------

UP = ("CREATE INDEX i ON t (b);", "CREATE INDEX i ON t (b);")
DOWN = ("DROP INDEX i;", "DROP INDEX i ON t;")
IRREVERSIBLE = "-- irreversible: what was there is gone\n"


@pytest.mark.parametrize(
    ("down", "values"),
    [
        (DOWN, None),
        ((None, None), ("no down script", "no down script")),
        ((DOWN[0], "-- later\n"), (None, "an empty down script")),
        (("SELECT 1;", DOWN[1]), ("stays: t: index (b)", None)),
        ((DOWN[0] + "DROP TABLE t;", DOWN[1]), ("is missing: ", None)),
        ((DOWN[0], DOWN[1] + " DROP TABLE ghost;"), (None, "DROP TABLE ghost")),
        ((IRREVERSIBLE, IRREVERSIBLE), None),
        ((DOWN[0], IRREVERSIBLE), (None, "declared irreversible")),
    ],
    ids=[
        "good",
        "missing",
        "empty",
        "stays",
        "too much",
        "fails",
        "declared",
        "declared on one side",
    ],
)
def test_round_trip(
    down: TwoSides, values: TwoSides | None, verify: Verify, project: Project
) -> None:
    project.pair(SQLITE, MYSQL).pair(*UP, "0002_index")
    for side, text in zip(("migrations", "migrations_mysql"), down, strict=True):
        project.write({f"{side}/0001_schema/down.sql": "DROP TABLE t;"})
        if text is not None:
            project.write({f"{side}/0002_index/down.sql": text})
    done = verify("--round-trip", "--format", "json")
    found = [one for one in told(done) if one[0] == "migration-irreversible"]
    assert done.returncode == int(values is not None)
    assert [(one[1], one[4]) for one in found] == ([("0002_index", "0002_index")] if values else [])
    for value, words in zip(found[0][2:4] if found else (), values or (), strict=True):
        assert value is None if words is None else words in value


def test_without_the_option_nobody_looks_at_the_way_back(verify: Verify, project: Project) -> None:
    project.pair(SQLITE, MYSQL)
    assert verify().returncode == 0


# ---- output and proof --------------------------------------------------------------------------


def test_output_is_written_whole_or_not_at_all(verify: Verify, project: Project) -> None:
    project.pair(SQLITE, DRIFTED)
    printed = verify("--format", "json")
    written = verify("--format", "json", "--output", "report.json")
    report = project.path / "report.json"
    assert (written.returncode, written.stdout, report.read_text("utf-8")) == (
        1,
        "",
        printed.stdout,
    )
    project.pair(SQLITE, "CREATE TABEL t;")
    assert verify("--output", "report.json").returncode == 2
    said = report.read_text("utf-8")  # of this run, and nothing of the one before
    assert said.endswith("Verdict: could not verify\n") and "CREATE TABEL t" in said
    assert [path.name for path in project.path.iterdir() if path.is_file()] == ["report.json"]


def test_output_that_cannot_be_written(verify: Verify, project: Project) -> None:
    project.pair(SQLITE, MYSQL)
    done = verify("--output", "nowhere/report.txt")
    assert done.returncode == 2 and "nowhere/report.txt: cannot be written" in done.stderr


def test_the_proof_is_written_kept_and_checked(verify: Verify, project: Project) -> None:
    project.pair(SQLITE, MYSQL)
    lock = project.path / "parity.lock"
    assert verify("--locked").returncode == 1 and not lock.exists()
    assert verify().returncode == 0 and project.call("check-lock").returncode == 0
    before = lock.stat().st_mtime_ns, lock.read_bytes()
    assert verify("--locked").returncode == verify().returncode == 0
    assert (lock.stat().st_mtime_ns, lock.read_bytes()) == before
    project.pair(SQLITE + "CREATE TABLE u (a TEXT);", MYSQL + "CREATE TABLE u (a LONGTEXT);")
    assert project.call("check-lock").returncode == 1
    assert verify("--locked").returncode == 1 and lock.read_bytes() == before[1]


def test_what_is_not_proven_is_not_written(verify: Verify, project: Project) -> None:
    project.pair(SQLITE, DRIFTED)
    assert verify().returncode == 1 and not (project.path / "parity.lock").exists()
    project.write({"parity.toml": known(**NULLABILITY) + known(**DEFAULT)})
    assert verify().returncode == 1  # open, which the lock says
    assert 'verdict = "not at parity: 2 open"' in (project.path / "parity.lock").read_text("utf-8")


# ---- with-mariadb ------------------------------------------------------------------------------


def test_with_mariadb_passes_environment_and_status(
    project: Project, server_url: str, nothing_left: object
) -> None:
    del nothing_left
    program = "import os, sys; print(os.environ['DATABASE_URL'], os.environ['MYSQL_DATABASE']); sys.exit(7)"
    done = project.run("with-mariadb", "--server", server_url, "--", sys.executable, "-c", program)
    assert done.returncode == 7
    url, database = done.stdout.split()
    assert re.fullmatch(rf"mysql://\w+:\w+@\S+:\d+/{database}", url)


def test_with_mariadb_gives_all_rights(
    project: Project, server_url: str, nothing_left: object
) -> None:
    del nothing_left
    program = (
        "import os, pymysql; e = os.environ\n"
        "c = pymysql.connect(host=e['MYSQL_HOST'], port=int(e['MYSQL_TCP_PORT']), user=e['MYSQL_USER'], password=e['MYSQL_PWD'])\n"
        "k = c.cursor()\n"
        "k.execute('CREATE DATABASE xtask_other_of_a_test'); k.execute('DROP DATABASE xtask_other_of_a_test')\n"
    )
    assert (
        project.run(
            "with-mariadb", "--server", server_url, "--", sys.executable, "-c", program
        ).returncode
        == 0
    )


@pytest.mark.parametrize(
    ("command", "status"), [("no-such-command-anywhere", 127), ("./plain.txt", 126)]
)
def test_with_mariadb_when_the_command_cannot_run(
    command: str, status: int, project: Project, server_url: str
) -> None:
    done = project.write({"plain.txt": "no program"}).run(
        "with-mariadb", "--server", server_url, "--", command
    )
    assert done.returncode == status


# ---- this repository ---------------------------------------------------------------------------


@pytest.fixture
def copy(project: Project) -> Project:
    """This repository's own migrations with their settings and proof."""
    for name in ("migrations", "migrations_mysql"):
        shutil.copytree(ROOT / name, project.path / name)
    for name in ("parity.toml", "parity.lock"):
        shutil.copy(ROOT / name, project.path / name)
    return project


def test_this_repository_is_at_parity_with_one_documented_divergence(
    copy: Project, verify: Verify
) -> None:
    done = verify("--locked", "--round-trip", "--format", "json")
    data = json.loads(done.stdout)
    assert (done.returncode, data["parity"]) == (0, True)
    assert [one["documented"] for one in data["findings"]] == [True]
    assert Path(copy.path / "parity.lock").read_bytes() == (ROOT / "parity.lock").read_bytes()


def test_without_its_entry_the_divergence_is_found(copy: Project, verify: Verify) -> None:
    (documented_one,) = xtask.parse_settings(
        (ROOT / "parity.toml").read_text("utf-8"), "parity.toml"
    ).entries
    (copy.path / "parity.toml").unlink()
    done = verify("--format", "json")
    assert done.returncode == 1
    assert [one[:4] for one in told(done)] == [
        (documented_one.kind, documented_one.at[0], documented_one.sqlite, documented_one.mysql)
    ]
