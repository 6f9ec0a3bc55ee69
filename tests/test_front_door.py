"""The way in: which files are migrations, how each is run, and what is never passed over in silence."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

import xtask
from conftest import Project, discover, sqlite_backend

TABLE = "CREATE TABLE t (id INTEGER PRIMARY KEY);"
GOOSE = "-- +goose Up\nCREATE TABLE t (a TEXT);\n-- +goose Down\nDROP TABLE t;\n"


def found(
    project: Project,
    files: dict[str, str],
    dialect: xtask.Dialect = "sqlite",
    handling: xtask.Handling | None = None,
) -> xtask.Found:
    project.write({f"set/{name}": text for name, text in files.items()})
    root = project.path / "set"
    snapshot = xtask.read_snapshot(root, project.path)
    return xtask.discover(snapshot, dialect, handling or xtask.Handling())


def refusal(project: Project, files: dict[str, str], **options: object) -> str:
    with pytest.raises(xtask.XtaskError) as caught:
        found(project, files, **options)  # type: ignore[arg-type]
    return str(caught.value)


def labels(result: xtask.Found) -> list[str]:
    return [migration.label for migration in result.migrations]


# ---- SQL that would not be run ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "stranger"),
    [
        ({"0001_a.sql": TABLE, "old/0002_b.sql": TABLE}, "old/0002_b.sql"),
        ({"0001_a.sql": TABLE, "a/b/c/d/x.sql": TABLE}, "a/b/c/d/x.sql"),
        ({"0001_a/up.sql": TABLE, "0002_b/more/up.sql": TABLE}, "0002_b/more/up.sql"),
        ({"0001_a/up.sql": TABLE, "0001_a/extra.sql": TABLE}, "0001_a/extra.sql"),
        ({"1_a/migration.sql": TABLE, "1_a/fix.sql": TABLE}, "1_a/fix.sql"),
        ({"1_a.up.sql": TABLE, "down/1_a.down.sql": ""}, "down/1_a.down.sql"),
        ({"V1__a.sql": TABLE, "release/2.0/helper.sql": TABLE}, "release/2.0/helper.sql"),
        ({"1_a.sql": GOOSE, "sub/2_b.sql": GOOSE}, "sub/2_b.sql"),
        ({"1_a.sql": GOOSE, "seed.sql": GOOSE}, "seed.sql"),
        ({"schema.sql": TABLE, "more/schema.sql": TABLE}, "schema.sql"),
        ({"more/schema.sql": TABLE}, "more/schema.sql"),
        ({"1.do.a.sql": TABLE, "2.make.b.sql": TABLE}, "2.make.b.sql"),
        ({"1-a-up.sql": TABLE, "1-a-down.sql": "", "x.sql": TABLE}, "x.sql"),
    ],
)
def test_sql_that_the_layout_does_not_look_at_is_named(
    files: dict[str, str], stranger: str, project: Project
) -> None:
    message = refusal(project, files)
    assert message.split(": ")[0].endswith(stranger)
    assert "delete" not in message


@pytest.mark.parametrize(
    "files",
    [
        {"0001_a/up.sql": TABLE, "0002_b/README.md": "later"},
        {"20260101000000_a/migration.sql": TABLE, "20260102000000_b/notes.txt": ""},
        {"0001-a/sqlite.sql": TABLE, "0002-b/x.txt": ""},
    ],
)
def test_a_version_without_its_file_is_named_and_never_to_be_deleted(
    files: dict[str, str], project: Project
) -> None:
    message = refusal(project, files)
    assert "_b: no " in message or "-b: no " in message
    assert "add it" in message and "delete" not in message


@pytest.mark.parametrize("name", ["0002_b.go", "0002_b.py", "20260101000000_b.ts", "sub/3_c.rb"])
def test_a_version_that_is_no_sql_is_named(name: str, project: Project) -> None:
    result = found(project, {"0001_a.sql": GOOSE, name: "package x"})
    assert labels(result) == ["0001_a"]
    assert [note for note in result.notes if name in note and "no SQL" in note]


def test_books_of_runners_are_not_named(project: Project) -> None:
    extra = {
        "meta/0000_snapshot.json": "{}",
        "migration_lock.toml": "",
        "atlas.sum": "",
        "2.md": "",
    }
    assert found(project, {"0001_a.sql": TABLE, **extra}).notes == ()


def test_links_that_lead_nowhere_or_out_of_the_project(project: Project, tmp_path: Path) -> None:
    outside = tmp_path / "outside.sql"
    outside.write_text(TABLE)
    inside = project.path / "inner"
    root = inside / "set"
    root.mkdir(parents=True)
    (root / "0001_a.sql").write_text(TABLE)
    link = root / "0002_b.sql"
    for target, words in (("nowhere.sql", "which is not there"), (outside, "out of the project")):
        link.symlink_to(target)
        with pytest.raises(xtask.MigrationError, match=f"0002_b.sql: a link .*{words}"):
            xtask.read_snapshot(root, inside)
        link.unlink()
    (inside / "shared.sql").write_text("SELECT 1;")
    link.symlink_to(inside / "shared.sql")
    assert xtask.read_snapshot(root, inside).files["0002_b.sql"] == "SELECT 1;"
    (root / "loop").symlink_to(root)
    with pytest.raises(xtask.MigrationError, match="loop: a link to a directory that holds it"):
        xtask.read_snapshot(root, inside)


def test_the_directory_itself_may_be_a_link_that_leads_nowhere(project: Project) -> None:
    (project.path / "set").symlink_to("gone")
    with pytest.raises(xtask.MigrationError, match="set: a link to gone, which is not there"):
        discover(project.path / "set", "sqlite")


def test_pipes_and_sockets_are_no_migrations(project: Project) -> None:
    project.write({"set/0001_a.sql": TABLE})
    path = project.path / "set" / "0002_b.sql"
    os.mkfifo(path)
    with pytest.raises(xtask.XtaskError, match=r"0002_b.sql: expected a plain file"):
        discover(project.path / "set", "sqlite")
    path.unlink()
    with socket.socket(socket.AF_UNIX) as one:
        where = os.getcwd()
        os.chdir(path.parent)
        try:
            one.bind(path.name)
        finally:
            os.chdir(where)
        with pytest.raises(xtask.XtaskError, match=r"0002_b.sql: expected a plain file"):
            discover(project.path / "set", "sqlite")


# ---- layouts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"10.sql": GOOSE.replace("+goose", "+migrate"), "9.sql": GOOSE.replace("+goose", "+migrate")},
         ["9", "10"]),
        ({"10.sql": "-- migrate:up\nSELECT 1;"}, ["10"]),
        ({"1.0.0.sql": TABLE, "1.1.0.sql": "", "1.10.0.sql": "", "1.2.0_x.sql": ""},
         ["1.0.0", "1.1.0", "1.2.0_x", "1.10.0"]),
        ({"v1.2.0.sql": TABLE, "v1.10.0.sql": ""}, ["v1.2.0", "v1.10.0"]),
        ({"2024-01-02-x.sql": TABLE, "2024-01-10-a.sql": "", "2024-01-03.sql": ""},
         ["2024-01-02-x", "2024-01-03", "2024-01-10-a"]),
        ({"20240101_01_b.sql": TABLE, "20240101_02_a.sql": ""},
         ["20240101_01_b", "20240101_02_a"]),
        ({"2024_01_02_030405_x.sql": TABLE, "2024_01_02_030406_a.sql": ""},
         ["2024_01_02_030405_x", "2024_01_02_030406_a"]),
        ({"0001-2fa.sql": TABLE, "0001-1.sql": ""}, ["0001-2fa", "0001-1"]),
        ({"001.do.sql": TABLE, "002.do.b.sql": ""}, ["001", "002.b"]),
        ({"db/V2__b.sql": "", "V1__a.sql": TABLE, "x/y/V1.5__c.sql": "", "R__r.sql": ""},
         ["V1__a", "V1.5__c", "V2__b", "R__r"]),
        ({"V1__a.sql": "", "V2__b.sql": "", "B2__all.sql": TABLE, "V3__c.sql": ""},
         ["B2__all", "V3__c"]),
        ({"1_a.sqlite.up.sql": TABLE, "1_a.mysql.up.sql": "x", "1_a.up.mysql.sql": "x"}, ["1_a"]),
        ({"1_a.up.sqlite.sql": TABLE, "1_a.down.sqlite.sql": ""}, ["1_a"]),
        ({"sqlite.schema.sql": TABLE, "mysql.schema.sql": "x"}, ["sqlite.schema"]),
        ({"sqlite/1_a.sql": TABLE, "mysql/1_a.sql": "x", "postgres/1_a.sql": "x"}, ["1_a"]),
        ({"1_a.sql": TABLE, "1_a.mysql.sql": "x", "2_b.sqlite.sql": ""}, ["1_a", "2_b"]),
    ],
)  # fmt: skip
def test_versions_and_dialects_in_names(
    files: dict[str, str], expected: list[str], project: Project
) -> None:
    assert labels(found(project, files)) == expected


def test_other_databases_are_passed_over_with_a_word(project: Project) -> None:
    result = found(project, {"1_a.sql": TABLE, "1_a.mysql.sql": "x", "postgres/1_a.sql": "x"})
    assert len(result.notes) == 2 and all("passed over" in note for note in result.notes)


def test_callbacks_and_baselined_versions_are_left_out_by_name(project: Project) -> None:
    files = {
        "beforeMigrate.sql": "x",
        "afterEachMigrate__log.sql": "x",
        "V1__a.sql": "",
        "B2__b.sql": TABLE,
    }
    result = found(project, files)
    assert labels(result) == ["B2__b"]
    for name in ("beforeMigrate.sql", "afterEachMigrate__log.sql", "V1__a.sql"):
        assert [note for note in result.notes if name in note and "left out" in note]


def test_same_version_says_which(project: Project) -> None:
    message = refusal(project, {"V1__a.sql": TABLE, "sub/V1.0__b.sql": TABLE})
    assert "V1__a.sql and sub/V1.0__b.sql are the same version" in message or (
        "sub/V1.0__b.sql and V1__a.sql are the same version" in message
    )


@pytest.mark.parametrize(
    ("layout", "late"),
    [
        ("diesel", True), ("dbmate", True), ("prisma", True), ("up and down files", False),
        ("drizzle", False), ("goose", False), ("flyway", False), ("plain", False),
    ],
)  # fmt: skip
def test_what_a_runner_does_with_a_late_migration(layout: str, late: bool) -> None:
    (one,) = [one for one in xtask.LAYOUTS if one.name == layout]
    assert one.late.applied == late and one.late.words


# ---- a list ----------------------------------------------------------------------------------------


def test_files_without_a_version_run_as_listed(project: Project) -> None:
    files = {"users.sql": "x", "core.sql": TABLE, "accounts.sql": "y", "sub/z.sql": "z"}
    handling = xtask.Handling(order=("core.sql", "*.sql"))
    assert labels(found(project, files, handling=handling)) == [
        "core",
        "accounts",
        "sub/z",
        "users",
    ]
    assert 'order = ["' in refusal(project, files)


@pytest.mark.parametrize(
    ("order", "words"),
    [(("core.sql",), "users.sql: not named"), (("core.sql", "gone.sql", "*"), "'gone.sql'")],
)
def test_a_list_that_is_wrong(order: tuple[str, ...], words: str, project: Project) -> None:
    files = {"users.sql": "x", "core.sql": TABLE}
    assert words in refusal(project, files, handling=xtask.Handling(order=order))


def test_listed_files_pair_by_name(project: Project) -> None:
    handling = xtask.Handling(order=("*.sql",))
    one = found(project, {"core.sql": TABLE, "users.sql": ""}, handling=handling).migrations
    two = [migration for migration in one if migration.name == "users"]
    (first, second) = xtask.pair(one, two)
    assert (first.mysql, second.mysql) == (None, two[0])


# ---- how a file is run ------------------------------------------------------------------------------

REBUILD = """PRAGMA foreign_keys=OFF;
CREATE TABLE new_p (id INTEGER PRIMARY KEY, b TEXT);
INSERT INTO new_p (id) SELECT id FROM p;
DROP TABLE p;
ALTER TABLE new_p RENAME TO p;
PRAGMA foreign_keys=ON;
"""
FAMILY = """CREATE TABLE p (id INTEGER PRIMARY KEY);
CREATE TABLE c (p INTEGER NOT NULL REFERENCES p (id) ON DELETE CASCADE);
INSERT INTO p VALUES (1);
INSERT INTO c VALUES (1);
"""


def applied(
    project: Project, files: dict[str, str], handling: xtask.Handling | None = None
) -> xtask.SQLiteBackend:
    backend = sqlite_backend()
    for migration in found(project, files, handling=handling).migrations:
        backend.apply(migration)
    return backend


@pytest.mark.parametrize(
    "files",
    [
        {"schema.sql": FAMILY + REBUILD},
        {"1_a/migration.sql": FAMILY, "2_b/migration.sql": REBUILD},
        {"1_a.sql": FAMILY, "2_b.sql": REBUILD},
        {"V1__a.sql": FAMILY, "V2__b.sql": REBUILD},
        {"1-a/sqlite.sql": FAMILY, "2-b/sqlite.sql": REBUILD},
    ],
    ids=["single", "prisma", "plain", "flyway", "directories"],
)
def test_a_rebuild_behind_the_pragma_keeps_the_rows(
    files: dict[str, str], project: Project
) -> None:
    (count,) = applied(project, files).open.execute("SELECT count(*) FROM c").fetchone()
    assert count == 1


@pytest.mark.parametrize(
    "sql",
    [
        "VACUUM;",
        "PRAGMA synchronous = OFF;",
        "pragma  journal_mode=WAL;",
        "PRAGMA main.synchronous=1;",
        "PRAGMA foreign_keys = OFF; SELECT 1; PRAGMA foreign_keys = ON;",
        "BEGIN; SELECT 1; COMMIT;",
        "BEGIN TRANSACTION; SELECT 1; END;",
    ],
)
def test_what_sqlite_refuses_inside_a_transaction_runs_outside(sql: str, project: Project) -> None:
    applied(project, {"1_a.sql": TABLE, "2_b.sql": sql})
    Project(project.path / "two").write({})
    applied(Project(project.path / "two"), {"schema.sql": TABLE + sql})


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (
            {"1_a.up.sql": "BEGIN;\n" + TABLE + "\nCOMMIT;"},
            ["golang-migrate", "transaction = false"],
        ),
        ({"1_a.up.sql": TABLE + "\nCOMMIT;"}, ["transaction = false"]),
        ({"1_a.sql": "-- +goose Up\nVACUUM;"}, ["goose", "NO TRANSACTION"]),
        ({"1_a/up.sql": "VACUUM;"}, ["Diesel", "run_in_transaction = false"]),
        ({"1_a.sql": "-- migrate:up\nPRAGMA synchronous = OFF;"}, ["transaction:false"]),
        ({"1_a.sql": "CREATE TABLE t (id INTEGER PRIMARY KEY AUTO_INCREMENT);"}, ["is MySQL's"]),
        ({"1_a.sql": "CREATE TABLE t (id INTEGER) ENGINE=InnoDB;"}, ["MySQL's syntax"]),
        (
            {"1_a.sql": "CREATE TABLE c (p INT REFERENCES gone (id)); INSERT INTO c VALUES (1);"},
            ["never made, dropped or renamed"],
        ),
    ],
)
def test_an_error_says_what_to_do(
    files: dict[str, str], words: list[str], project: Project
) -> None:
    with pytest.raises(xtask.MigrationError) as caught:
        applied(project, files)
    assert [word for word in words if word not in str(caught.value)] == []


def test_parity_toml_says_what_the_runner_does(project: Project) -> None:
    own = {"1_a.up.sql": "BEGIN;\n" + TABLE + "\nCOMMIT;"}
    applied(project, own, xtask.Handling(transaction=False))
    wrapped = xtask.Handling(transaction=True)
    with pytest.raises(xtask.MigrationError, match="VACUUM"):
        applied(Project(project.path / "two"), {"1_a.sql": "VACUUM;"}, wrapped)


@pytest.mark.parametrize(
    ("files", "transaction"),
    [
        ({"1_a/migration.sql": TABLE}, False),
        ({"schema.sql": TABLE}, False),
        ({"V1__a.sql": TABLE}, True),
        ({"V1__a.sql": TABLE, "V1__a.sql.conf": "executeInTransaction=false"}, False),
        ({"1.a.sql": "-- transactional: false\nSELECT 1;", "1.a.rollback.sql": ""}, False),
        ({"1.a.sql": TABLE, "1.a.rollback.sql": ""}, True),
        ({"0000_a.sql": TABLE + "--> statement-breakpoint\nSELECT 1;"}, True),
        ({"1-a-up.sql": TABLE, "1-a-down.sql": ""}, True),
        ({"1.do.a.sql": TABLE}, True),
    ],
)
def test_the_layout_says_whether_in_a_transaction(
    files: dict[str, str], transaction: bool, project: Project
) -> None:
    (migration,) = found(project, files).migrations
    assert migration.transaction == transaction


def test_statements_may_be_left_out_and_text_replaced(project: Project) -> None:
    text = "CREATE DATABASE x;\nuse x;\nCREATE TABLE t (a INT) %tail%;\nUSERS;"
    handling = xtask.Handling(
        skip=("CREATE  DATABASE", "USE"), replace=(("%tail%", "ENGINE=InnoDB"),)
    )
    (migration,) = found(project, {"1_a.sql": text}, handling=handling).migrations
    run = [(one.text, one.line) for one in xtask.statements_of(migration, "mysql")]
    assert run == [("CREATE TABLE t (a INT) ENGINE=InnoDB", 3), ("USERS", 4)]
    step = xtask.Pair(None, migration)
    assert xtask.skipped_statements([step]) == {"CREATE  DATABASE": 1, "USE": 1}


# ---- pairs ------------------------------------------------------------------------------------------


def sides(
    project: Project, sqlite: list[str], mysql: list[str]
) -> tuple[list[tuple[str | None, str | None]], list[str]]:
    for side, names in (("migrations", sqlite), ("migrations_mysql", mysql)):
        project.write({f"{side}/{name}.sql": TABLE for name in names})
    steps = project.steps()
    told = [
        (step.sqlite.label if step.sqlite else None, step.mysql.label if step.mysql else None)
        for step in steps
    ]
    return told, xtask.pair_notes(steps)


def test_shifted_numbers_are_paired_by_name(project: Project) -> None:
    told, notes = sides(
        project,
        ["0033_a", "0034_extra", "0035_b", "0036_c"],
        ["0033_a", "0034_b", "0035_c"],
    )
    assert told == [
        ("0033_a", "0033_a"),
        ("0034_extra", None),
        ("0035_b", "0034_b"),
        ("0036_c", "0035_c"),
    ]
    assert notes == []


def test_pairs_of_unlike_names_are_said(project: Project) -> None:
    told, notes = sides(project, ["1_a", "2_add-x", "3_json"], ["1_a", "2_add_x", "3_enum"])
    assert told == [("1_a", "1_a"), ("2_add-x", "2_add_x"), ("3_json", "3_enum")]
    assert notes == ["paired by version alone, names differ: 3_json with 3_enum"]


@pytest.mark.parametrize("text", ["", "-- To be written.\n", "/* nothing */ ;\n;"])
def test_a_pair_that_was_never_filled_is_said(text: str, project: Project) -> None:
    for side in ("migrations", "migrations_mysql"):
        project.write({f"{side}/1_a.sql": TABLE, f"{side}/2_b.sql": text})
    steps = project.steps()
    assert xtask.empty_pairs(steps) == ["2_b"]
    assert xtask.pair_notes(steps) == ["both sides hold no statement: 2_b"]
    project.write({"migrations/2_b.sql": "SELECT 1;"})
    assert xtask.empty_pairs(project.steps()) == []


def test_both_sides_are_told_at_once(project: Project) -> None:
    project.write({"parity.toml": "", "migrations/a.sql": "x", "migrations/b.sql": "x"})
    project.write({"migrations_mysql/1_a.sql": TABLE, "migrations_mysql/x/y.sql": TABLE})
    with pytest.raises(xtask.MigrationError) as caught:
        project_of(project).steps()
    assert "a.sql: no known layout" in str(caught.value) and "x/y.sql: mixed" in str(caught.value)


def project_of(project: Project) -> xtask.Project:
    base = project.path
    sqlite, mysql = base / "migrations", base / "migrations_mysql"
    return xtask.Project(base, None, xtask.Settings(), sqlite, mysql, True)


def test_one_side_may_lie_below_the_other(project: Project) -> None:
    project.write({"migrations/1_a.sql": TABLE, "migrations/other/1_a.sql": TABLE})
    base = project.path
    sqlite, mysql = base / "migrations", base / "migrations" / "other"
    both = xtask.Project(base, None, xtask.Settings(), sqlite, mysql, True)
    (step,) = both.steps()
    assert step.sqlite and step.mysql and step.sqlite.label == step.mysql.label


# ---- a new migration ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sqlite", "made"),
    [
        ("0001_a.up.sql", ["0002_x.up.sql", "0002_x.down.sql"]),
        ("0001.a.sql 0001.a.rollback.sql", ["0002.x.sql", "0002.x.rollback.sql"]),
        ("0001-a-up.sql 0001-a-down.sql", ["0002-x-up.sql", "0002-x-down.sql"]),
        ("001.do.a.sql", ["002.do.x.sql", "002.undo.x.sql"]),
        ("V1__a.sql", ["V2__x.sql"]),
        ("1.2.0_a.sql", ["2_x.sql"]),
        ("0001_a.sqlite.sql 0001_a.mysql.sql", ["0002_x.sqlite.sql", "0002_x.mysql.sql"]),
        ("0001-a/sqlite3.sql 0001-a/mysql.sql", ["0002-x/sqlite3.sql", "0002-x/mysql.sql"]),
    ],
)
def test_a_new_migration_is_laid_out_as_the_last(
    sqlite: str, made: list[str], project: Project
) -> None:
    names = sqlite.split()
    shared = any("mysql" in name for name in names)
    project.write({f"migrations/{name}": TABLE for name in names})
    other = "migrations" if shared else "migrations_mysql"
    settings = f'[mysql]\nmigrations = "{other}"\n'
    project.write({f"{other}/{name}": TABLE for name in names}).write({"parity.toml": settings})
    done = project.call("new-migration", "x")
    assert done.returncode == 0, done.stderr
    expected = {f"migrations/{name}" for name in made}
    if not shared:
        expected |= {f"migrations_mysql/{name}" for name in made}
    assert set(done.stdout.split()) == expected
    assert all((project.path / path).is_file() for path in expected)
    assert project.call("new-migration", "y").returncode == 0


def test_a_new_prisma_migration(project: Project) -> None:
    for side in ("migrations", "migrations_mysql"):
        project.write({f"{side}/20260101000000_init/migration.sql": TABLE})
    done = project.call("new-migration", "x")
    paths = done.stdout.split()
    assert done.returncode == 0 and len(paths) == 2
    assert all(path.endswith("_x/migration.sql") for path in paths)


def test_a_new_migration_follows_no_link_out_of_the_project(project: Project) -> None:
    project.path = project.path / "inside"
    project.path.mkdir()
    project.write(
        {"migrations_mysql/0001_a.sql": "", "../outside/0001_a.sql": "", "parity.toml": ""}
    )
    (project.path / "migrations").symlink_to("../outside")
    done = project.call("new-migration", "x")
    assert done.returncode == 2 and "migrations: a link out of the project" in done.stderr
    assert sorted(path.name for path in (project.path / "../outside").iterdir()) == ["0001_a.sql"]
    assert len(list((project.path / "migrations_mysql").iterdir())) == 1


# ---- on a server ---------------------------------------------------------------------------------------

MYSQL_TABLE = "CREATE TABLE t (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY);"


@pytest.mark.mariadb
def test_errors_of_both_sides_are_told_in_one_run(project: Project, server_url: str) -> None:
    project.pair("CREATE TABLE t (id INTEGER) oops;", "CREATE TABLE t (id BIGINT) oops;")
    done = project.run("verify-migrations", "--server", server_url)
    assert done.returncode == 2 and done.stdout == ""
    assert "SQLite refused migrations/0001_schema/up.sql, statement 1 of 1, line 1" in done.stderr
    assert "refused migrations_mysql/0001_schema/up.sql, statement 1 of 1, line 1" in done.stderr
    assert not (project.path / "parity.lock").exists()


@pytest.mark.mariadb
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT x'ff00fe', 'é';",
        "SET character_set_results = NULL; SELECT 'é';",
        "SET character_set_results = latin1; SELECT 'é';",
        "SET character_set_results = utf16; SELECT 'é', 1; DROP TABLE IF EXISTS u;",
    ],
)
def test_what_a_migration_selects_is_no_matter(sql: str, project: Project, server_url: str) -> None:
    project.pair(TABLE, f"{MYSQL_TABLE} {sql}")
    done = project.run("verify-migrations", "--server", server_url)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.mariadb
def test_quotes_are_read_as_the_session_was_left(project: Project, server_url: str) -> None:
    project.pair(TABLE, f"{MYSQL_TABLE} SET sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES';")
    mysql = "INSERT INTO t VALUES (1);\nSELECT 'a\\';\nSELECT \"id\" FROM t;"
    project.pair("INSERT INTO t VALUES (1);", mysql, "0002_more")
    done = project.run("verify-migrations", "--server", server_url)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.mariadb
def test_what_one_server_alone_knows_is_said(project: Project, server_url: str) -> None:
    project.pair(TABLE, "CREATE TABLE t (id BIGINT PRIMARY KEY AUTOINCREMENT);")
    done = project.run("verify-migrations", "--server", server_url)
    assert done.returncode == 2 and "SQLite's syntax in a file of MySQL" in done.stderr


@pytest.mark.parametrize(
    ("flavour", "code", "text", "words"),
    [
        ("MariaDB", 1273, "Unknown collation: 'utf8mb4_0900_ai_ci'", 'image = "mysql:9.7"'),
        ("MariaDB", 1064, "CREATE INDEX i ON t ((lower(a)))", 'image = "mysql:9.7"'),
        ("MariaDB", 1064, "CREATE TABLE t (id serial AUTO_INCREMENT)", 'image = "mysql:9.7"'),
        ("MariaDB", 1064, "near 'LOCK = NONE'", 'image = "mysql:9.7"'),
        ("MariaDB", 1064, "UPDATE t SET a = CAST(b AS JSON)", 'image = "mysql:9.7"'),
        ("MySQL", 1273, "Unknown collation: 'utf8mb4_uca1400_ai_ci'", 'image = "mariadb:11.8"'),
        ("MySQL", 1064, "ALTER TABLE t ADD COLUMN IF NOT EXISTS a INT", 'image = "mariadb:11.8"'),
        ("MySQL", 1064, "near '--,FOREIGN KEY'", "only where a space follows"),
        ("MySQL", 1364, "Field 'a' doesn't have a default value", "SET sql_mode = ''"),
        ("MariaDB", 1064, "CREATE TABLE t (a INT oops)", ""),
        ("MariaDB", 1146, "utf8mb4_0900_ai_ci", ""),
    ],
)
def test_syntax_of_the_other_server(flavour: str, code: int, text: str, words: str) -> None:
    said = xtask.foreign_syntax(flavour, code, text)
    assert words in said and bool(said) == bool(words)


@pytest.mark.mariadb
def test_an_empty_pair_is_said_in_the_report_and_beside_it(
    project: Project, server_url: str
) -> None:
    project.pair(TABLE, MYSQL_TABLE).pair("-- later\n", "", "0002_later")
    done = project.run("verify-migrations", "--server", server_url, "-v")
    assert done.returncode == 0
    assert "both sides hold no statement: 0002_later" in done.stderr
    assert "both sides hold no statement: 0002_later" in done.stdout
    report = project.run("verify-migrations", "--server", server_url, "--format", "json").stdout
    assert "both sides hold no statement: 0002_later" in report


@pytest.mark.mariadb
def test_settings_of_files_end_to_end(project: Project, server_url: str) -> None:
    settings = '[sqlite]\norder = ["core.sql", "*.sql"]\n[mysql]\norder = ["core.sql", "*.sql"]\n'
    settings += 'skip = ["CREATE DATABASE", "USE"]\nreplace = { "%engine%" = "InnoDB" }\n'
    project.write({"parity.toml": settings})
    project.write({"migrations/core.sql": TABLE, "migrations/a.sql": "CREATE TABLE a (b TEXT);"})
    mysql = MYSQL_TABLE.replace(";", " ENGINE = %engine%;")
    project.write({"migrations_mysql/core.sql": f"CREATE DATABASE x;\nUSE x;\n{mysql}"})
    project.write({"migrations_mysql/a.sql": "CREATE TABLE a (b LONGTEXT);"})
    done = project.run("verify-migrations", "--server", server_url, "--format", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"CREATE DATABASE": 1' in done.stdout
    assert project.run("check-lock").returncode == 0


@pytest.mark.mariadb
def test_the_sample_is_no_projects_answer(project: Project, server_url: str) -> None:
    project.write({"README.md": "", ".git/HEAD": ""})
    done = project.run("verify-migrations", "--server", server_url)
    assert (done.returncode, done.stdout) == (2, "") and xtask.NO_PROJECT in done.stderr


@pytest.mark.mariadb
def test_paths_are_as_they_are_reached_from_here(project: Project, server_url: str) -> None:
    project.pair(TABLE, MYSQL_TABLE).write({"parity.toml": "", ".git/HEAD": "", "src/x.py": ""})
    project.path = project.path / "src"
    done = project.run("verify-migrations", "--server", server_url, "--format", "json")
    assert done.returncode == 0, done.stderr
    assert '"path": "../migrations"' in done.stdout
    assert '"path": "../migrations_mysql"' in done.stdout
