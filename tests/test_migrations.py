"""Layouts, order, pairs, and files split into statements."""

from __future__ import annotations

from pathlib import Path

import pytest

import xtask
from conftest import Project, discover

GOOSE = "-- +goose Up\nCREATE TABLE t (a TEXT);\n-- +goose Down\nDROP TABLE t;\n"
DBMATE = "-- migrate:up\nCREATE TABLE t (a TEXT);\n-- migrate:down\nDROP TABLE t;\n"
SQL_MIGRATE = "-- +migrate Up\nCREATE TABLE t (a TEXT);\n-- +migrate Down\nDROP TABLE t;\n"
DRIZZLE = "CREATE TABLE `t` (`a` text);\n--> statement-breakpoint\nCREATE TABLE `u` (`a` text);"
PLAIN = "CREATE TABLE t (a TEXT);"


def found(
    project: Project, files: dict[str, str | bytes], dialect: xtask.Dialect = "sqlite"
) -> list[xtask.Migration]:
    project.write({f"set/{name}": text for name, text in files.items()})
    return discover(project.path / "set", dialect)


def refused(project: Project, files: dict[str, str | bytes]) -> str:
    """What discovering and reading these files says against them."""
    with pytest.raises(xtask.MigrationError) as caught:
        for migration in found(project, files):
            xtask.split(xtask.script(migration), "mysql", migration.up.path)
    return str(caught.value)


# ---- layouts -------------------------------------------------------------------------------

LAYOUTS = {
    "diesel": (
        {
            "2026-01-02-030405_a/up.sql": PLAIN,
            "2026-01-02-030405_a/down.sql": "",
            "2026-01-03-000000_b/up.sql": PLAIN,
        },
        ["a", "b"],
    ),
    "up and down files": (
        {"1_a.up.sql": PLAIN, "1_a.down.sql": "", "000002_b.up.sql": PLAIN},
        ["a", "b"],
    ),
    "goose": ({"00001_a.sql": GOOSE, "2_b.sql": GOOSE}, ["a", "b"]),
    "dbmate": ({"20260101000000_a.sql": DBMATE, "20260101000001_b.sql": DBMATE}, ["a", "b"]),
    "sql-migrate": ({"1-a.sql": SQL_MIGRATE, "2-b.sql": SQL_MIGRATE}, ["a", "b"]),
    "flyway": ({"V1__a.sql": PLAIN, "V1.1__b.sql": PLAIN, "R__c.sql": PLAIN}, ["a", "b", "c"]),
    "drizzle": (
        {"0000_a.sql": DRIZZLE, "0001_b.sql": PLAIN, "meta/_journal.json": "{}"},
        ["a", "b"],
    ),
    "prisma": (
        {
            "20260102030405_a/migration.sql": PLAIN,
            "20260103030405_b/migration.sql": PLAIN,
            "migration_lock.toml": 'provider = "sqlite"',
        },
        ["a", "b"],
    ),
    "a directory a version": (
        {
            "0001-a/sqlite3.sql": PLAIN,
            "0001-a/mysql.sql": "x",
            "0001-a/postgres.sql": "x",
            "0002-b/sqlite3.sql": PLAIN,
        },
        ["a", "b"],
    ),
    "yoyo": (
        {"0001.a.sql": PLAIN, "0001.a.rollback.sql": "", "0002.b.sql": PLAIN},
        ["a", "b"],
    ),
    "db-migrate": (
        {
            "20260102030405-a-up.sql": PLAIN,
            "20260102030405-a-down.sql": "",
            "20260103030405-b-up.sql": PLAIN,
        },
        ["a", "b"],
    ),
    "postgrator": (
        {"001.do.a.sql": PLAIN, "001.undo.a.sql": "", "002.do.b.sql": PLAIN},
        ["a", "b"],
    ),
    "plain": ({"1_a.sql": PLAIN, "002_b.sql": PLAIN}, ["a", "b"]),
    "single file": ({"schema.sql": PLAIN}, ["schema"]),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_layout_is_recognised(name: str, project: Project) -> None:
    files, names = LAYOUTS[name]
    migrations = found(project, files)
    assert {migration.layout.name for migration in migrations} == {name}
    assert [migration.name for migration in migrations] == names


def test_every_layout_has_a_test() -> None:
    assert set(LAYOUTS) == {layout.name for layout in (*xtask.LAYOUTS, xtask.SINGLE_FILE)}


@pytest.mark.parametrize(
    ("files", "layout"),
    [
        (
            {"V0001.Initial_Schema.up.sql": PLAIN, "V0001.Initial_Schema.down.sql": ""},
            "up and down files",
        ),
        (
            {
                "20150100000001000000_a.sqlite3.up.sql": PLAIN,
                "20150100000001000000_a.mysql.up.sql": "x",
            },
            "up and down files",
        ),
        (
            {
                "000022_add_settings_last_cleanup_at.down.sql": PLAIN,
                "000022_add_settings_last_cleanup_at.up.sql": PLAIN,
            },
            "up and down files",
        ),
        ({"0_init.up.sql": PLAIN}, "up and down files"),
        (
            {"20260101000000_init_schema.sql": "-- migrate:up transaction:false\nSELECT 1;"},
            "dbmate",
        ),
        ({"001_init.sql": "\ufeff-- +goose Up\r\nSELECT 1;\r\n"}, "goose"),
        ({"0000_words.sql": PLAIN + "--> statement-breakpoint\nSELECT 1;"}, "drizzle"),
        ({"V1_2__a.sql": PLAIN, "U1_2__a.sql": PLAIN}, "flyway"),
        ({"LATEST.SQL": PLAIN}, "single file"),
        ({"001.sql": PLAIN, "002.sql": PLAIN}, "plain"),
    ],
)
def test_layout_of_real_names(files: dict[str, str | bytes], layout: str, project: Project) -> None:
    migrations = found(project, files)
    assert {migration.layout.name for migration in migrations} == {layout}


@pytest.mark.parametrize(
    ("versions", "template"),
    [
        (["1", "2", "10"], "{}_x.up.sql"),
        (["00001", "000002", "10"], "{}_x.sql"),
        (["0", "1", "15"], "{}_x.up.sql"),
        (["1", "1.1", "1.2", "1.10", "2"], "V{}__x.sql"),
        (["1", "1_2", "1_10"], "V{}__x.sql"),
        (["20150100000001000000", "20150100000001000001"], "{}_x.up.sql"),
        (["2019-05-26-216651", "2019-10-10-083032", "2020-01-01-000000"], "{}_x/up.sql"),
        (["20260101000000", "20260101000001", "20260102000000"], "{}_x.sql"),
    ],
)
def test_versions_order_as_their_runner_does(
    versions: list[str], template: str, project: Project
) -> None:
    files: dict[str, str | bytes] = {
        template.format(version): PLAIN for version in reversed(versions)
    }
    assert [migration.version for migration in found(project, files)] == [
        version.replace("-", "") for version in versions
    ]


def test_repeatable_migrations_come_last_by_name(project: Project) -> None:
    migrations = found(project, {"R__b.sql": PLAIN, "R__a.sql": PLAIN, "V2__z.sql": PLAIN})
    assert [migration.name for migration in migrations] == ["z", "a", "b"]


@pytest.mark.parametrize("dialect", ["sqlite", "mysql"])
def test_a_dialects_own_file_wins(dialect: xtask.Dialect, project: Project) -> None:
    files: dict[str, str | bytes] = {
        "1_a.up.sql": "generic",
        "1_a.sqlite3.up.sql": "sqlite",
        "1_a.postgres.up.sql": "other",
        "2_b.mysql.up.sql": "",
    }
    migrations = found(project, files, dialect)
    assert (
        Path(migrations[0].up.path).name
        == {"sqlite": "1_a.sqlite3.up.sql", "mysql": "1_a.up.sql"}[dialect]
    )
    assert len(migrations) == {"sqlite": 1, "mysql": 2}[dialect]


def test_what_is_no_sql_is_left_alone(project: Project) -> None:
    extra = {
        "README.md": "x",
        "atlas.sum": "h1:",
        "meta/0000_snapshot.json": "{}",
        ".hidden.sql": "x",
        "collation_migrations.md": "x",
        "embed.go": "x",
    }
    assert [migration.name for migration in found(project, {"1_a.sql": PLAIN, **extra})] == ["a"]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"1_a.up.sql": "", "2_b.sql": PLAIN}, ["2_b.sql", "mixed"]),
        ({"1_a.sql": GOOSE, "2_b.sql": DBMATE}, ["mixed", ".sql"]),
        ({"1_a.sql": GOOSE, "2_b.sql": PLAIN}, ["2_b.sql", "mixed"]),
        ({"V1__a.sql": PLAIN, "2_b.sql": PLAIN}, ["2_b.sql", "mixed"]),
        (
            {"1_a.sql": PLAIN, "2026-01-01-000000_b/up.sql": PLAIN},
            ["1_a.sql", "2026-01-01-000000_b", "mixed"],
        ),
        ({"1_a.sql": PLAIN, "01_b.sql": PLAIN}, ["1_a.sql", "01_b.sql", "same version"]),
        ({"1_a.up.sql": "", "1_b.up.sql": ""}, ["1_a.up.sql", "1_b.up.sql", "same version"]),
        (
            {"2026-01-01-000000_a/up.sql": "", "20260101000000_b/up.sql": ""},
            ["2026-01-01-000000_a", "20260101000000_b", "same version"],
        ),
        ({"V1__a.sql": PLAIN, "V1.0__b.sql": PLAIN}, ["V1__a.sql", "V1.0__b.sql", "same version"]),
        ({"1_a.sql": PLAIN, "notes.sql": PLAIN}, ["notes.sql"]),
        ({"a.sql": PLAIN, "b.sql": PLAIN}, ["a.sql"]),
        ({"2026-01-01-000000_a/up.sql": "", "helpers/f.sql": ""}, ["helpers"]),
        ({"2026-01-01-000000_a/down.sql": ""}, ["2026-01-01-000000_a", "up.sql"]),
        ({"1_a.down.sql": "", "2_b.up.sql": ""}, ["1_a.down.sql"]),
        ({"README.md": ""}, ["no migration"]),
        ({"1_a.sql": b"CREATE\0TABLE"}, ["1_a.sql", "NUL", "offset 6"]),
        ({"1_a.sql": b"-- caf\xe9\n"}, ["1_a.sql", "UTF-8", "offset 6"]),
        ({"1_a.sql": "SELECT 1;\n".encode("utf-16")}, ["1_a.sql"]),
    ],
)
def test_files_that_are_refused_are_named(
    files: dict[str, str | bytes], words: list[str], project: Project
) -> None:
    message = refused(project, files)
    assert [word for word in words if word not in message] == []


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(xtask.MigrationError, match="nowhere: no such directory"):
        discover(tmp_path / "nowhere", "sqlite")


# ---- what is in a file ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", [GOOSE, DBMATE, SQL_MIGRATE], ids=["goose", "dbmate", "sql-migrate"]
)
@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_sections(text: str, ending: str, project: Project) -> None:
    (migration,) = found(project, {"1_a.sql": text.replace("\n", ending)})
    up, down = (xtask.split(xtask.script(migration, way), "sqlite", "x") for way in ("up", "down"))
    assert [(one.text, one.line) for one in up] == [("CREATE TABLE t (a TEXT)", 2)]
    assert [(one.text, one.line) for one in down] == [("DROP TABLE t", 4)]


def test_bom_and_crlf_are_no_part_of_the_sql(project: Project) -> None:
    (migration,) = found(project, {"1_a.sql": b"\xef\xbb\xbfSELECT 1;\r\nSELECT\r\n 2;\r\n"})
    assert [one.text.split() for one in xtask.split(xtask.script(migration), "sqlite", "x")] == [
        ["SELECT", "1"],
        ["SELECT", "2"],
    ]


@pytest.mark.parametrize(
    ("files", "transaction"),
    [
        ({"1_a/up.sql": PLAIN}, True),
        ({"1_a/up.sql": PLAIN, "1_a/metadata.toml": "run_in_transaction = false\n"}, False),
        ({"1_a/up.sql": PLAIN, "1_a/metadata.toml": "run_in_transaction = true\n"}, True),
        ({"1_a.sql": "-- +goose Up\n-- +goose NO TRANSACTION\nSELECT 1;"}, False),
        ({"1_a.sql": "-- +goose NO TRANSACTION\n-- +goose Up\nSELECT 1;"}, False),
        ({"1_a.sql": GOOSE}, True),
        ({"1_a.sql": "-- migrate:up transaction:false\nSELECT 1;"}, False),
        ({"1_a.sql": DBMATE}, True),
        ({"1_a.sql": "-- +migrate Up notransaction\nSELECT 1;"}, False),
        ({"1_a.autocommit.up.sql": PLAIN}, False),
        ({"1_a.up.sql": "-- no-transaction\nSELECT 1;"}, False),
        ({"1_a.up.sql": PLAIN}, True),
    ],
)
def test_who_wants_no_transaction(
    files: dict[str, str | bytes], transaction: bool, project: Project
) -> None:
    assert [migration.transaction for migration in found(project, files)] == [transaction]


# ---- pairs ---------------------------------------------------------------------------------


def pairs(
    project: Project, sqlite: list[str], mysql: list[str]
) -> list[tuple[str | None, str | None]]:
    for side, names in (("migrations", sqlite), ("migrations_mysql", mysql)):
        project.write({f"{side}/{name}": PLAIN for name in names})
    return [
        tuple(one.label if one else None for one in (step.sqlite, step.mysql))
        for step in project.steps()
    ]  # type: ignore[misc]


@pytest.mark.parametrize(
    ("sqlite", "mysql", "expected"),
    [
        (["1_a.sql", "2_b.sql"], ["1_a.sql", "2_b.sql"], [("1_a", "1_a"), ("2_b", "2_b")]),
        (
            ["00001_a.sql", "2_b.sql"],
            ["000001_a.sql", "00002_c.sql"],
            [("00001_a", "000001_a"), ("2_b", "00002_c")],
        ),
        (["1_a.sql", "5_b.sql"], ["1_a.sql", "4_b.sql"], [("1_a", "1_a"), ("5_b", "4_b")]),
        (["1_a.sql", "2_b.sql"], ["1_a.sql"], [("1_a", "1_a"), ("2_b", None)]),
        (["1_a.sql"], ["1_a.sql", "2_b.sql"], [("1_a", "1_a"), (None, "2_b")]),
        (
            ["2_b.sql", "3_c.sql"],
            ["1_a.sql", "2_b.sql", "3_c.sql"],
            [(None, "1_a"), ("2_b", "2_b"), ("3_c", "3_c")],
        ),
        (
            ["1_a.sql", "2_json.sql"],
            ["1_a.sql", "2_enum.sql", "5_json.sql"],
            [("1_a", "1_a"), (None, "2_enum"), ("2_json", "5_json")],
        ),
        (["schema.sql"], ["schema_mysql.sql"], [("schema", "schema_mysql")]),
    ],
)
def test_pairs_by_version_then_by_name(
    sqlite: list[str],
    mysql: list[str],
    expected: list[tuple[str | None, str | None]],
    project: Project,
) -> None:
    assert pairs(project, sqlite, mysql) == expected


def test_unpaired_is_strict_and_names_the_migration(project: Project) -> None:
    pairs(project, ["1_a.sql", "2_b.sql"], ["1_a.sql", "3_c.sql"])
    told = [
        (one.kind, one.level, one.at, one.sqlite, one.mysql)
        for one in xtask.compare_history(project.steps())
    ]
    assert told == [
        ("migration-unpaired", "strict", "2_b", "2_b", None),
        ("migration-unpaired", "strict", "3_c", None, "3_c"),
    ]


def test_crossed_pairs_keep_each_sides_order_and_are_no_finding(project: Project) -> None:
    steps = pairs(project, ["1_a.sql", "3_x.sql", "4_y.sql"], ["1_a.sql", "5_y.sql", "6_x.sql"])
    assert [one for one, _ in steps if one] == ["1_a", "3_x", "4_y"]
    assert [other for _, other in steps if other] == ["1_a", "5_y", "6_x"]
    assert list(xtask.compare_history(project.steps())) == []


# ---- statements ----------------------------------------------------------------------------

TRIGGER = "CREATE TRIGGER g AFTER INSERT ON t BEGIN UPDATE t SET a = CASE WHEN a THEN 1 ELSE 2 END; DELETE FROM u; END"
PROCEDURE = """CREATE PROCEDURE p(IN n INT)
BEGIN
  DECLARE i INT DEFAULT 0;
  IF EXISTS (SELECT 1 FROM t WHERE a = 'END;') THEN
    SET @q = CONCAT('ALTER TABLE t DROP x', ';');
  ELSEIF n > 3 THEN SET i = 1;
  ELSE SET i = CASE n WHEN 1 THEN 2 ELSE 3 END;
  END IF;
  again: LOOP
    SET i = i + 1;
    IF i > n THEN LEAVE again; END IF;
  END LOOP;
  WHILE i > 0 DO SET i = i - 1; END WHILE;
  REPEAT SET i = i + 1; UNTIL i > 2 END REPEAT;
  CASE n WHEN 1 THEN SET i = 1; ELSE BEGIN END; END CASE;
END"""

SPLIT = [  # dialect, text, statements
    ("sqlite", "", []),
    ("sqlite", " ; ;\n-- only a comment;\n/* and ; another */ ;", []),
    ("mysql", "# nothing;\n-- nothing;\n", []),
    ("sqlite", "SELECT 1", ["SELECT 1"]),
    ("sqlite", "SELECT ';', \"a;b\", [c;d], `e;f`; SELECT 2;", ["SELECT ';', \"a;b\", [c;d], `e;f`", "SELECT 2"]),
    ("sqlite", "SELECT 'it''s;'; SELECT 2", ["SELECT 'it''s;'", "SELECT 2"]),
    ("sqlite", r"SELECT '\'; SELECT 2", [r"SELECT '\'", "SELECT 2"]),
    ("mysql", r"SELECT '\';', 'a\\'; SELECT 2", [r"SELECT '\';', 'a\\'", "SELECT 2"]),
    ("mysql", "SELECT \"a;\\\"b\", `c;d`; SELECT 2", ['SELECT "a;\\"b", `c;d`', "SELECT 2"]),
    ("sqlite", "SELECT 1 -- a; b\n, 2; SELECT 3", ["SELECT 1 -- a; b\n, 2", "SELECT 3"]),
    ("sqlite", "SELECT 1--;\n; SELECT 2", ["SELECT 1", "SELECT 2"]),
    ("mysql", "SELECT 5--1; SELECT 2", ["SELECT 5--1", "SELECT 2"]),
    ("mysql", "SELECT 1 -- a; b\n; SELECT 2 # c; d\n; SELECT 3 --\n; SELECT 4", ["SELECT 1", "SELECT 2", "SELECT 3", "SELECT 4"]),
    ("mysql", "/*!40101 SET NAMES utf8 */; SELECT 3", ["/*!40101 SET NAMES utf8 */", "SELECT 3"]),
    ("mysql", "/*M!100100 SELECT 2; */ SELECT 3", ["/*M!100100 SELECT 2; */ SELECT 3"]),
    ("sqlite", f"{TRIGGER}; SELECT 1;", [TRIGGER, "SELECT 1"]),
    ("sqlite", f"CREATE TEMP {TRIGGER[7:]};", [f"CREATE TEMP {TRIGGER[7:]}"]),
    ("sqlite", "BEGIN; SELECT 1; END; SELECT 2;", ["BEGIN", "SELECT 1", "END", "SELECT 2"]),
    ("sqlite", 'CREATE TABLE "trigger" (a); SELECT 1', ['CREATE TABLE "trigger" (a)', "SELECT 1"]),
    ("mysql", f"DROP PROCEDURE IF EXISTS p;\n{PROCEDURE};\nCALL p(1);", ["DROP PROCEDURE IF EXISTS p", PROCEDURE, "CALL p(1)"]),
    ("mysql", "CREATE PROCEDURE p() DELETE FROM t; SELECT 1", ["CREATE PROCEDURE p() DELETE FROM t", "SELECT 1"]),
    (
        "mysql",
        "CREATE DEFINER = `a`@`b` TRIGGER g BEFORE INSERT ON t FOR EACH ROW BEGIN SET NEW.a = 1; SET NEW.b = 2; END; SELECT 1",
        ["CREATE DEFINER = `a`@`b` TRIGGER g BEFORE INSERT ON t FOR EACH ROW BEGIN SET NEW.a = 1; SET NEW.b = 2; END", "SELECT 1"],
    ),
    ("mysql", "BEGIN; INSERT INTO t VALUES (1); COMMIT;", ["BEGIN", "INSERT INTO t VALUES (1)", "COMMIT"]),
    ("mysql", "START TRANSACTION; SELECT 1; COMMIT", ["START TRANSACTION", "SELECT 1", "COMMIT"]),
    ("mysql", "CREATE TABLE `procedure` (`begin` INT); SELECT 1", ["CREATE TABLE `procedure` (`begin` INT)", "SELECT 1"]),
    ("mysql", "CREATE TABLE t (a INT);--> statement-breakpoint\nSELECT 1;", ["CREATE TABLE t (a INT)", "SELECT 1"]),
    ("mysql", "CREATE TABLE t (a INT)\n--> statement-breakpoint\nSELECT 1", ["CREATE TABLE t (a INT)", "SELECT 1"]),
    ("mysql", f"SELECT 1;\nDELIMITER //\n{PROCEDURE}\n//\nDELIMITER ;\nSELECT 2; SELECT 3;", ["SELECT 1", PROCEDURE, "SELECT 2", "SELECT 3"]),
    ("mysql", "delimiter $$\nSELECT 1$$ SELECT ';$$', `$$` -- $$\n, a$$\n", ["SELECT 1", "SELECT ';$$', `$$` -- $$\n, a"]),
    ("mysql", "DELIMITER ;;\nSELECT 1; SELECT 2;;\nDELIMITER ;\nSELECT 3", ["SELECT 1; SELECT 2", "SELECT 3"]),
    ("mysql", "DELIMITER '//' and more\nSELECT 1 // SELECT 2", ["SELECT 1", "SELECT 2"]),
    ("mysql", "DELIMITER //\n/*!50003 CREATE TRIGGER g BEGIN SET a = '*/;'; END */ //\nDELIMITER ;", ["/*!50003 CREATE TRIGGER g BEGIN SET a = '*/;'; END */"]),
    ("mysql", "/*! SELECT '*/; it''s', `*/;` */; SELECT 2", ["/*! SELECT '*/; it''s', `*/;` */", "SELECT 2"]),
    ("mysql", "SET sql_mode = 'ANSI_QUOTES'; SELECT \"a\\\"; SELECT 1", ["SET sql_mode = 'ANSI_QUOTES'", 'SELECT "a\\"', "SELECT 1"]),
    ("mysql", "SET SESSION sql_mode = CONCAT(@@sql_mode, ',NO_BACKSLASH_ESCAPES'); SELECT '\\'; SELECT 1", ["SET SESSION sql_mode = CONCAT(@@sql_mode, ',NO_BACKSLASH_ESCAPES')", "SELECT '\\'", "SELECT 1"]),
    (
        "mysql",
        "/*!40101 SET @OLD=@@SQL_MODE, SQL_MODE='ansi' */; SELECT \"\\\"; /*!40101 SET SQL_MODE=@OLD */; SELECT \"\\\";\"; SET GLOBAL sql_mode = 'ANSI'; SELECT \"\\\";\"",
        ["/*!40101 SET @OLD=@@SQL_MODE, SQL_MODE='ansi' */", 'SELECT "\\"', "/*!40101 SET SQL_MODE=@OLD */", 'SELECT "\\";"', "SET GLOBAL sql_mode = 'ANSI'", 'SELECT "\\";"'],
    ),
    *(
        ("mysql", f"CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW {body}; SELECT 1", [f"CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW {body}", "SELECT 1"])
        for body in (
            "IF NEW.a > 1 THEN SET NEW.a = IF(NEW.b, 1, 2); ELSE IF (1) THEN SET NEW.end = 2; END IF; END IF",
            "IF NEW.a > 1 THEN SET NEW.a = CASE WHEN 1 THEN IF(1, 2, 3) ELSE 4 END; END IF",
            "CASE NEW.a WHEN 1 THEN SET NEW.a = 2; ELSE IF 1 THEN SET NEW.a = 3; END IF; END CASE",
            "LOOP SET NEW.a = 1; END LOOP",
            "REPEAT SET NEW.a = REPEAT('x', 2); UNTIL CASE 1 WHEN 1 THEN 1 END END REPEAT",
            "SET NEW.a = IF(NEW.b IS NULL, 1, CASE WHEN 1 THEN 2 END)",
        )
    ),
    ("mysql", "CREATE PROCEDURE IF NOT EXISTS p(a INT) IF a THEN SELECT 1; END IF; SELECT 2", ["CREATE PROCEDURE IF NOT EXISTS p(a INT) IF a THEN SELECT 1; END IF", "SELECT 2"]),
    ("mysql", "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO IF 1 THEN SELECT 1; END IF; SELECT 2", ["CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO IF 1 THEN SELECT 1; END IF", "SELECT 2"]),
    ("mysql", "BEGIN NOT ATOMIC IF 1 THEN SELECT 1; END IF; END; SELECT 2", ["BEGIN NOT ATOMIC IF 1 THEN SELECT 1; END IF; END", "SELECT 2"]),
    ("mysql", "SELECT '%s', 50 % 3; SELECT CASE 1 WHEN 1 THEN 2 END", ["SELECT '%s', 50 % 3", "SELECT CASE 1 WHEN 1 THEN 2 END"]),
]  # fmt: skip


@pytest.mark.parametrize(("dialect", "text", "statements"), SPLIT)
def test_split(dialect: xtask.Dialect, text: str, statements: list[str]) -> None:
    assert [one.text for one in xtask.split(text, dialect, "file")] == statements


@pytest.mark.parametrize(("dialect", "text", "statements"), SPLIT)
def test_split_counts_statements_and_lines(
    dialect: xtask.Dialect, text: str, statements: list[str]
) -> None:
    lines = "\n\n" + text
    found = xtask.split(lines, dialect, "file")
    assert [one.number for one in found] == list(range(1, len(statements) + 1))
    for one in found:
        assert lines.split("\n")[one.line - 1].count(one.text.split("\n")[0]) >= 1


@pytest.mark.parametrize(
    ("dialect", "text", "words"),
    [
        ("sqlite", "SELECT 1;\nSELECT 'abc;", ["line 2", "unterminated string"]),
        ("sqlite", 'SELECT 1;\n\nSELECT "abc', ["line 3", "unterminated"]),
        ("mysql", "SELECT 'it\\';", ["line 1", "unterminated string"]),
        ("mysql", "SELECT 1;\n/* never closed; SELECT 2;", ["line 2", "unterminated comment"]),
        ("mysql", "SELECT `a;", ["line 1", "unterminated"]),
        ("mysql", "SELECT 1;\nDELIMITER\nSELECT 2;", ["line 2", "terminator behind DELIMITER"]),
        ("mysql", "delimiter \\\\\nSELECT 1", ["line 1", "terminator behind DELIMITER"]),
    ],
)
def test_what_no_server_would_understand(
    dialect: xtask.Dialect, text: str, words: list[str]
) -> None:
    with pytest.raises(xtask.MigrationError) as caught:
        xtask.split(text, dialect, "dir/up.sql")
    assert [word for word in ["dir/up.sql", *words] if word not in str(caught.value)] == []


def test_quotes_are_read_under_the_mode_in_force() -> None:
    text = 'SELECT "a;\\"; SELECT 1'
    assert len(xtask.split(text, "mysql", "x", "STRICT_TRANS_TABLES,ANSI_QUOTES")) == 2
    with pytest.raises(xtask.MigrationError, match="unterminated"):
        xtask.split(text, "mysql", "x", "STRICT_TRANS_TABLES")


def test_what_is_unsure_between_delimiters_stays_whole() -> None:
    text = "DELIMITER //\nSELECT 1//\nDELIMITER ;\nSELECT 2; END IF; SELECT 3;"
    found = xtask.split(text, "mysql", "x")
    assert [(one.text, one.line, one.whole) for one in found] == [
        ("SELECT 1", 2, False),
        ("SELECT 2; END IF; SELECT 3", 4, True),
    ]


def test_the_word_delimiter_is_allowed_elsewhere() -> None:
    assert len(xtask.split("SELECT 'DELIMITER'; CREATE TABLE t (delimiter INT)", "mysql", "x")) == 2


def test_sqlite_runs_an_unclosed_comment_to_the_end() -> None:
    assert [one.text for one in xtask.split("SELECT 1; /* the rest; SELECT 2;", "sqlite", "x")] == [
        "SELECT 1"
    ]


DOWN = "CREATE TABLE t (a INTEGER);\n{}\nDROP TABLE t;\n"


@pytest.mark.parametrize("line", ["-- +down", "-- Down", "--@UNDO", "-- //@UNDO", "  -- migrate: down", "-- rollback:",
     "-- !Downs", "-- --- !Downs", "-- rambler down", "-- ==== DOWN ====", "-- Down Migration", "-- +micrate Down", "-- migration down",
     "-- [down]", "/* DOWN */", "-- +geni down", "# down"])  # fmt: skip
@pytest.mark.parametrize("name", ["0001_a.sql", "schema.sql"])
def test_a_down_section_of_an_unknown_runner_is_not_run(
    line: str, name: str, project: Project
) -> None:
    """Run with the rest, it would take away what the migration made, on both sides alike."""
    project.write({f"migrations/{name}": DOWN.format(line)})
    (migration,) = discover(project.path / "migrations", "sqlite")
    with pytest.raises(
        xtask.MigrationError, match=rf"{name}, line 2: .*looks like the down section"
    ):
        xtask.script(migration)


@pytest.mark.parametrize("line", ["-- down is up to you", "-- takes t down", "-- slow down",
     "SELECT '-- down';", "-- downgrade", "-- ==== a and b, down ===="])  # fmt: skip
def test_a_comment_about_down_is_a_comment(line: str, project: Project) -> None:
    project.write({"migrations/0001_a.sql": DOWN.format(line)})
    (migration,) = discover(project.path / "migrations", "sqlite")
    assert line in xtask.script(migration)


def test_a_down_file_may_say_so(project: Project) -> None:
    project.write(
        {
            "migrations/0001_a.up.sql": "-- up\nSELECT 1;",
            "migrations/0001_a.down.sql": "-- down\nSELECT 1;",
        }
    )
    (migration,) = discover(project.path / "migrations", "sqlite")
    assert "-- down" in xtask.script(migration, "down")


def test_one_file_may_be_named_itself(project: Project) -> None:
    path = project.write({"sql/sqlite.sql": "SELECT 1;", "sql/mysql.sql": "SELECT 2;"}).path / "sql"
    (one,), (other,) = (
        discover(path / "sqlite.sql", "sqlite"),
        discover(path / "mysql.sql", "mysql"),
    )
    (step,) = xtask.pair([one], [other])
    assert (one.layout, step.sqlite, step.mysql) == (xtask.SINGLE_FILE, one, other)


def test_a_day_and_a_time_are_one_version(project: Project) -> None:
    project.write(
        {
            f"migrations/{name}.sql": "SELECT 1;"
            for name in ("20240101-090000", "20240101-100000", "20231231-235959_a")
        }
    )
    found = discover(project.path / "migrations", "sqlite")
    assert [one.version for one in found] == [
        "20231231-235959",
        "20240101-090000",
        "20240101-100000",
    ]


def test_the_beginning_of_a_statement_is_no_comment() -> None:
    assert (
        xtask.beginning("-- a licence\n/* and more */ CREATE TABLE t (a)") == "CREATE TABLE t (a)"
    )
    assert (
        xtask.beginning("/*! SET x */") == "/*! SET x */"
        and xtask.beginning("-- only") == "-- only"
    )


def test_a_statement_of_a_megabyte() -> None:
    values = ", ".join(f"({number}, 'it''s; number {number}')" for number in range(40_000))
    text = f"INSERT INTO t VALUES {values};\nSELECT 1;"
    assert len(text) > 1_000_000
    assert [(len(one.text), one.line) for one in xtask.split(text, "mysql", "x")] == [
        (text.index(";\nSELECT"), 1),
        (8, 2),
    ]


def test_what_cannot_be_split_with_certainty_stays_whole() -> None:
    text = "CREATE OR REPLACE SOMETHING NEW BEGIN SELECT 1; END; SELECT 2"
    assert [one.text for one in xtask.split(text, "mysql", "x")] == [text]


def test_this_repositorys_own_sets_are_paired_and_reversible() -> None:
    settings = xtask.parse_settings((xtask.ROOT / "parity.toml").read_text("utf-8"), "parity.toml")
    steps = xtask.pair(
        discover(xtask.ROOT / settings.sqlite, "sqlite"),
        discover(xtask.ROOT / settings.mysql, "mysql"),
    )
    assert len(steps) >= 8
    for step in steps:
        assert step.sqlite and step.mysql and step.sqlite.label == step.mysql.label
        assert step.sqlite.down and step.mysql.down
