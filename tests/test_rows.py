"""What migrations do to rows: what DROP TABLE takes along, without and with rows in the tables."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest

import xtask
from conftest import Project, discover, sqlite_backend

PARENT = "CREATE TABLE p (id INTEGER PRIMARY KEY, t TEXT);"
CHILD = "CREATE TABLE c (id INTEGER PRIMARY KEY, p_id INTEGER REFERENCES p (id) {action});"
GRANDCHILD = "CREATE TABLE g (id INTEGER PRIMARY KEY, c_id INTEGER REFERENCES c (id) {action});"
CASCADE, SET_NULL = "ON DELETE CASCADE", "ON DELETE SET NULL"
FAMILY = PARENT + CHILD.format(action=CASCADE)
ROWS = ("INSERT INTO p (id) VALUES (1), (2);", "INSERT INTO c (id, p_id) VALUES (1, 1), (2, 2);")
TREE = "CREATE TABLE {name} (id INTEGER PRIMARY KEY, up INTEGER REFERENCES p (id) {action});"
REBUILD = (
    "CREATE TABLE p_new (id INTEGER PRIMARY KEY, t TEXT);"
    "INSERT INTO p_new SELECT id, t FROM p; DROP TABLE p; ALTER TABLE p_new RENAME TO p;"
)
DEFER = "PRAGMA defer_foreign_keys = ON;"


class Drop(NamedTuple):
    """A schema, rows in it, a migration with a DROP TABLE and what is to be found, as `kind place`."""

    why: str
    schema: str
    rows: tuple[str, ...]
    migration: str
    found: tuple[str, ...] = ()
    meant: bool = False  # the migration takes rows away by words of its own


DROPS = (
    Drop("a child that cascades", FAMILY, ROWS, REBUILD, ("data-loss c",)),
    Drop(
        "a child that keeps nothing but its reference",
        PARENT + CHILD.format(action=SET_NULL),
        ROWS,
        REBUILD,
        ("data-loss c",),
    ),
    Drop(
        "grandchildren go with the children",
        FAMILY + GRANDCHILD.format(action=CASCADE),
        (*ROWS, "INSERT INTO g VALUES (1, 1);"),
        REBUILD,
        ("data-loss c", "data-loss g"),
    ),
    Drop(
        "a grandchild that forbids it",
        FAMILY + GRANDCHILD.format(action=""),
        (*ROWS, "INSERT INTO g VALUES (1, 1);"),
        REBUILD,
        ("upgrade-fails 0002_m2",),
    ),
    Drop(
        "a child that forbids it",
        PARENT + CHILD.format(action="ON DELETE RESTRICT"),
        ROWS,
        REBUILD,
        ("upgrade-fails 0002_m2",),
    ),
    Drop(
        "a child that forbids it at COMMIT",
        PARENT + CHILD.format(action=""),
        ROWS,
        DEFER + REBUILD,
        ("upgrade-fails 0002_m2",),
    ),
    Drop(
        "a deferred key whose parent is filled again under its own name",
        PARENT + CHILD.format(action="DEFERRABLE INITIALLY DEFERRED"),
        ROWS,
        "CREATE TABLE b AS SELECT * FROM p; DROP TABLE p;"
        + PARENT
        + "INSERT INTO p SELECT * FROM b; DROP TABLE b;",
    ),
    Drop(
        "SET NULL on a column that takes none",
        PARENT + "CREATE TABLE c (id INTEGER PRIMARY KEY, p_id INTEGER NOT NULL REFERENCES p (id) "
        "ON DELETE SET NULL);",
        ROWS,
        REBUILD,
        ("upgrade-fails 0002_m2",),
    ),
    Drop("a parent that is dropped for good", FAMILY, ROWS, "DROP TABLE p;", ("data-loss c",)),
    Drop("parent and child are dropped for good", FAMILY, ROWS, "DROP TABLE c; DROP TABLE p;"),
    Drop(
        "a parent that is renamed first takes its children's keys along",
        FAMILY,
        ROWS,
        "ALTER TABLE p RENAME TO p_old;"
        + PARENT
        + "INSERT INTO p SELECT * FROM p_old; DROP TABLE p_old;",
        ("data-loss c",),
    ),
    Drop(
        "a child that is renamed keeps being the same table",
        FAMILY,
        ROWS,
        REBUILD + "ALTER TABLE c RENAME TO d;",
        ("data-loss d",),
    ),
    Drop(
        "children that are put back afterwards",
        FAMILY,
        ROWS,
        "CREATE TEMP TABLE kept AS SELECT * FROM c;"
        + REBUILD
        + "INSERT INTO c SELECT * FROM kept; DROP TABLE kept;",
    ),
    Drop(
        "children that are put back from what is empty by then",
        FAMILY,
        ROWS,
        REBUILD + "CREATE TABLE c_new (id INTEGER PRIMARY KEY, p_id INTEGER);"
        "INSERT INTO c_new SELECT * FROM c; DROP TABLE c; ALTER TABLE c_new RENAME TO c;",
        ("data-loss c",),
    ),
    Drop(
        "references that are put back afterwards",
        PARENT + CHILD.format(action=SET_NULL),
        ROWS,
        "CREATE TEMP TABLE kept AS SELECT * FROM c;" + REBUILD + "UPDATE c SET p_id = "
        "(SELECT k.p_id FROM kept k WHERE k.id = c.id); DROP TABLE kept;",
    ),
    Drop(
        "references that nobody keeps",
        PARENT + CHILD.format(action=SET_NULL),
        ROWS,
        "DROP TABLE p; CREATE TABLE c_new (id INTEGER PRIMARY KEY);"
        "INSERT INTO c_new SELECT id FROM c; DROP TABLE c; ALTER TABLE c_new RENAME TO c;",
        meant=True,
    ),
    Drop(
        "a tree whose new table points at the old name",
        TREE.format(name="p", action=CASCADE),
        ("INSERT INTO p VALUES (1, NULL), (2, 1);",),
        TREE.format(name="p_new", action=CASCADE)
        + "INSERT INTO p_new SELECT * FROM p; DROP TABLE p; ALTER TABLE p_new RENAME TO p;",
        ("data-loss p",),
    ),
    Drop(
        "a tree whose new table points at the old name and forbids it",
        TREE.format(name="p", action=""),
        ("INSERT INTO p VALUES (1, NULL), (2, 1);",),
        TREE.format(name="p_new", action="")
        + "INSERT INTO p_new SELECT * FROM p; DROP TABLE p; ALTER TABLE p_new RENAME TO p;",
        ("upgrade-fails 0002_m2",),
    ),
    Drop(
        "a tree whose new table points at itself",
        TREE.format(name="p", action=""),
        ("INSERT INTO p VALUES (1, NULL), (2, 1);",),
        "CREATE TABLE p_new (id INTEGER PRIMARY KEY, up INTEGER REFERENCES p_new (id));"
        "INSERT INTO p_new SELECT * FROM p; DROP TABLE p; ALTER TABLE p_new RENAME TO p;",
    ),
    Drop(
        "a parent that is empty by then",
        PARENT + CHILD.format(action=""),
        ROWS,
        "DELETE FROM c; DELETE FROM p;" + REBUILD,
        meant=True,
    ),
    Drop("no key points at it", PARENT, ROWS[:1], REBUILD),
)


def build(project: Project, drop: Drop, rows: tuple[str, ...]) -> list[str]:
    """Apply the migration: `kind place` of what is found without rows, of what happened with them."""
    for number, text in enumerate((drop.schema, drop.migration), 1):
        project.write({f"migrations/{number:04}_m{number}/up.sql": text})
    first, second = discover(project.path / "migrations", "sqlite")
    backend = sqlite_backend()
    backend.apply(first)
    for statement in rows:
        backend.open.execute(statement)
    before = contents(backend)
    before["d"] = before.get("c", [])  # its name after one of the migrations
    try:
        found = backend.apply(second)
    except xtask.MigrationError:
        return ["upgrade-fails 0002_m2"]
    if not rows:
        return sorted(f"{one.kind} {one.at}" for one in found)
    after = contents(backend)
    return [f"data-loss {name}" for name in after if after[name] != before.get(name)]


def contents(backend: xtask.SQLiteBackend) -> dict[str, list[tuple[object, ...]]]:
    """Every row, by table."""
    query = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"
    names = [name for (name,) in backend.open.execute(query).fetchall()]
    return {name: backend.open.execute(f"SELECT * FROM {name}").fetchall() for name in names}


@pytest.mark.parametrize("drop", [pytest.param(one, id=one.why) for one in DROPS])
def test_what_a_drop_takes_along_is_found_on_empty_tables(project: Project, drop: Drop) -> None:
    assert build(project, drop, ()) == sorted(drop.found)


SEEN = [pytest.param(one, id=one.why) for one in DROPS if not one.meant]


@pytest.mark.parametrize("drop", SEEN)
def test_and_it_is_what_happens_to_rows(project: Project, drop: Drop) -> None:
    assert build(project, drop, drop.rows) == sorted(drop.found)


def test_a_pragma_in_a_transaction_is_told_once(project: Project) -> None:
    schema = FAMILY
    migration = "PRAGMA foreign_keys = OFF;" + REBUILD + "PRAGMA foreign_keys(1);"
    found = build(project, Drop("", schema, (), migration), ())
    assert found == ["data-loss c", "migration-warning 0002_m2"]


@pytest.mark.parametrize("pragma", ["PRAGMA foreign_keys;", "PRAGMA foreign_keys = ON;"])
def test_a_pragma_that_asks_for_nothing_new_is_none(project: Project, pragma: str) -> None:
    assert build(project, Drop("", PARENT, (), pragma), ()) == []


def test_with_foreign_keys_off_nothing_is_lost(project: Project) -> None:
    for number, text in enumerate((FAMILY, REBUILD), 1):
        project.write({f"migrations/{number:04}_m{number}/up.sql": text})
    backend = sqlite_backend("PRAGMA foreign_keys = OFF")
    migrations = discover(project.path / "migrations", "sqlite")
    assert [one for migration in migrations for one in backend.apply(migration)] == []


# ---- with rows, on a server ------------------------------------------------------------------


def verify(
    project: Project,
    server_url: str,
    *arguments: str,
    status: int,
    env: dict[str, str] | None = None,
) -> dict[str, Any]:
    """The JSON of a run with rows that ends in this exit status."""
    done = project.run(
        "verify-migrations",
        "--rows",
        "--server",
        server_url,
        "--format",
        "json",
        *arguments,
        env=env,
    )
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def left_out(report: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = report["ledger"]["rows_carried"]["left_out"]
    return found


def kinds(report: dict[str, Any]) -> list[tuple[str, str]]:
    return sorted((one["kind"], one["at"]) for one in report["findings"])


DIGITS = (
    "(SELECT 0 AS i UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4)"
)
MANY = f"""
INSERT INTO big (id, n) SELECT 1 + a.i + 5 * b.i + 25 * c.i + 125 * d.i + 625 * e.i, a.i
  FROM {DIGITS} a, {DIGITS} b, {DIGITS} c, {DIGITS} d, {DIGITS} e;
INSERT INTO small (id, big_id) VALUES (1, 1500), (2, 2);
INSERT INTO loose SELECT id FROM big;
"""
BIG_ON_SQLITE = f"""
CREATE TABLE big (id INTEGER PRIMARY KEY AUTOINCREMENT, n INTEGER NOT NULL,
  up INTEGER REFERENCES big (id));
CREATE TABLE small (id INTEGER PRIMARY KEY AUTOINCREMENT,
  big_id INTEGER NOT NULL REFERENCES big (id));
CREATE TABLE loose (a INTEGER);
{MANY}
CREATE TRIGGER small_ai AFTER INSERT ON small
  BEGIN UPDATE big SET n = n + 1 WHERE id = NEW.big_id; END;
"""
BIG_ON_MYSQL = f"""
CREATE TABLE big (id BIGINT AUTO_INCREMENT PRIMARY KEY, n BIGINT NOT NULL, up BIGINT,
  FOREIGN KEY (up) REFERENCES big (id));
CREATE TABLE small (id BIGINT AUTO_INCREMENT PRIMARY KEY, big_id BIGINT NOT NULL,
  FOREIGN KEY (big_id) REFERENCES big (id));
CREATE TABLE loose (a BIGINT);
{MANY}
CREATE TRIGGER small_ai AFTER INSERT ON small FOR EACH ROW
  UPDATE big SET n = n + 1 WHERE id = NEW.big_id;
"""


@pytest.mark.mariadb
def test_tables_of_many_rows_are_probed(project: Project, server_url: str) -> None:
    project.pair(BIG_ON_SQLITE, BIG_ON_MYSQL)
    report = verify(project, server_url, status=0)
    assert list(left_out(report)) == ["loose"]
    assert "3125 rows" in left_out(report)["loose"]


@pytest.mark.mariadb
def test_what_is_done_to_one_of_many_rows_is_seen(project: Project, server_url: str) -> None:
    project.pair(BIG_ON_SQLITE, BIG_ON_MYSQL.replace("n + 1", "n + 2"))
    assert kinds(verify(project, server_url, status=1)) == [("behaviour", "small")]


@pytest.mark.mariadb
def test_a_table_of_another_engine_is_named(project: Project, server_url: str) -> None:
    project.pair(
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT);",
        "CREATE TABLE t (id BIGINT AUTO_INCREMENT PRIMARY KEY) ENGINE = MyISAM;",
    )
    report = verify(project, server_url, status=1)
    assert left_out(report) == {"t": "its engine MyISAM knows no transactions"}
    assert kinds(report) == [("table-engine", "t")]


LOG = "CREATE TABLE log (what VARCHAR(20), n BIGINT);"


@pytest.mark.mariadb
def test_a_column_that_cannot_be_made_alike_is_named(project: Project, server_url: str) -> None:
    """A generated column is written by nobody: the rest of its table is compared all the same."""
    table = "a BIGINT NOT NULL, b BIGINT GENERATED ALWAYS AS (a + {}) STORED, c BIGINT)"
    trigger = "CREATE TRIGGER t_ai AFTER INSERT ON t {} INSERT INTO log VALUES ('new', {})"
    project.pair(
        f"{LOG} CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, {table.format(1)};"
        + trigger.format("BEGIN", "NEW.c")
        + "; END;",
        f"{LOG} CREATE TABLE t (id BIGINT AUTO_INCREMENT PRIMARY KEY, {table.format(2)};"
        + trigger.format("FOR EACH ROW", "NEW.c + 1"),
    )
    report = verify(project, server_url, status=1)
    assert left_out(report) == {"t.b": "its values cannot be made alike"}
    assert {("behaviour", "t"), ("column-generated", "t.b")} <= {*kinds(report)}


@pytest.mark.mariadb
def test_a_table_of_one_row_is_probed_by_it(project: Project, server_url: str) -> None:
    table = "one (id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1), n BIGINT NOT NULL);"
    made = f"{LOG} CREATE TABLE {table} INSERT INTO one VALUES (1, 7);"
    trigger = "CREATE TRIGGER one_au AFTER UPDATE ON one {} INSERT INTO log VALUES ('set', {})"
    project.pair(
        made + trigger.format("BEGIN", "NEW.n") + "; END;",
        made + trigger.format("FOR EACH ROW", "OLD.n"),
    )
    report = verify(project, server_url, status=1)
    assert left_out(report) == {}
    assert kinds(report) == [("behaviour", "one.n")]


@pytest.mark.mariadb
def test_a_view_that_both_refuse_to_read_is_named(project: Project, server_url: str) -> None:
    view = "CREATE VIEW v AS SELECT id, abs(-9223372036854775807 - 1 + 0 * id) AS n FROM u"
    project.pair(
        f"CREATE TABLE u (id INTEGER PRIMARY KEY AUTOINCREMENT); {view};",
        f"CREATE TABLE u (id BIGINT AUTO_INCREMENT PRIMARY KEY); {view};",
    )
    report = verify(project, server_url, status=0)
    assert "both sides refuse" in left_out(report)["v"]


# ---- what parity.toml says of rows -----------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[row]]\ntable = "t"', "[[row]] 1: expected a table's name and values"),
        ("[[row]]\nvalues = { a = 1 }", "[[row]] 1: expected a table's name and values"),
        ('[[row]]\ntable = "t"\nvalues = {}', "[[row]] 1: expected a table's name and values"),
        ("[[row]]\ntable = 1\nvalues = { a = 1 }", "[[row]] 1: table = 1"),
        ('[[row]]\ntable = "t"\nvalues = [1]', "[[row]] 1: values = [1]"),
        ('[[row]]\ntable = "t"\nvalues = { a = [1] }', "[[row]] 1: a: expected a text"),
        ('[[row]]\ntable = "t"\nvalues = { a = nan }', "[[row]] 1: a: expected a text"),
        ('[[row]]\ntabel = "t"', "did you mean 'table'?"),
        ("row = [1]", "[[row]] 1: expected a table"),
        ("row = 1", "row = 1"),
        ("[verify]\nrows = 1", "[verify]: rows = 1"),
        ("[verify]\nrow = true", "did you mean 'rows'?"),
        ("verify = true", "verify = True"),
    ],
)
def test_settings_of_rows_that_mean_nothing_are_refused(text: str, words: str) -> None:
    with pytest.raises(xtask.ConfigError) as raised:
        xtask.parse_settings(text, "parity.toml")
    assert str(raised.value).startswith("parity.toml: ") and words in str(raised.value)


CODES = "(code VARCHAR(5) NOT NULL CHECK (substr(code, 2, 1) = '-' AND substr(code, 4, 1) = '+'))"


@pytest.mark.mariadb
@pytest.mark.parametrize(
    ("row", "status", "words"),
    [
        ("", 1, "row-unknown"),
        ("[[row]]\ntable = 'Codes'\nvalues = { Code = 'a-b+\\' }", 0, '"parity": true'),
        ("[[row]]\ntable = 'old'\nvalues = { was = 1 }", 1, "row-unknown"),
        ("[[row]]\ntable = 'codes'\nvalues = { code = 'ab' }", 1, "refuses parity.toml: [[row]] 1"),
        ("[[row]]\ntable = 'cods'\nvalues = { code = 'a' }", 2, "did you mean 'codes'?"),
        ("[[row]]\ntable = 'codes'\nvalues = { cod = 'a' }", 2, "did you mean 'code'?"),
        ("[[row]]\ntable = 'codes'\nvalues = { twin = 'a' }", 2, "never has a column 'twin'"),
    ],
)
def test_given_rows(project: Project, server_url: str, row: str, status: int, words: str) -> None:
    """A name of an earlier step is fine, one of none is not."""
    twin = "ALTER TABLE codes ADD COLUMN twin VARCHAR(5) AS (code);"
    project.pair("CREATE TABLE old (was INTEGER);", "CREATE TABLE old (was BIGINT);", "0001_old")
    project.pair("DROP TABLE old;", "DROP TABLE old;", "0002_drop")
    made = f"CREATE TABLE codes {CODES}; {twin}"
    project.pair(made, made, "0003_codes")
    project.write({"parity.toml": row})
    report = verify(project, server_url, status=status)
    assert words in json.dumps(report)


# ---- what does not end, and what does not fit ------------------------------------------------

TABLE_Q = (
    "q (id INTEGER PRIMARY KEY AUTOINCREMENT, n INTEGER)",
    "q (id BIGINT AUTO_INCREMENT PRIMARY KEY, n BIGINT)",
)
FOREVER = "WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s) SELECT count(*) FROM s"
ENDLESS = {
    "a trigger of SQLite": (
        f"CREATE TRIGGER q_ai AFTER INSERT ON q BEGIN UPDATE q SET n = ({FOREVER}); END;",
        "CREATE TRIGGER q_ai AFTER INSERT ON q FOR EACH ROW SET @n = 1;",
        'SQLite, with rows: INSERT INTO "q" ("id", "n") VALUES (101, 201): not finished within 3 s',
    ),
    "a view of SQLite": (
        "CREATE VIEW v AS WITH RECURSIVE s(i) AS (SELECT id FROM q UNION ALL SELECT i FROM s) SELECT i FROM s;",
        "CREATE VIEW v AS SELECT id AS i FROM q;",
        'SQLite, with rows: SELECT "i" FROM "v": not finished within 3 s (XTASK_TIMEOUT)',
    ),
    "a trigger of MySQL": (
        "CREATE TRIGGER q_bi BEFORE INSERT ON q BEGIN SELECT 1; END;",
        "CREATE TRIGGER q_bi BEFORE INSERT ON q FOR EACH ROW BEGIN WHILE 1 = 1 DO SET NEW.n = 1; END WHILE; END;",
        "did not answer within 3 s (XTASK_TIMEOUT), with rows: INSERT INTO `q`",
    ),
    "rows beyond the memory": (
        "CREATE TRIGGER q_ai AFTER INSERT ON q BEGIN INSERT INTO z WITH RECURSIVE s(i) AS "
        "(SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 100) SELECT zeroblob(30000000) FROM s; END;",
        "CREATE TRIGGER q_ai AFTER INSERT ON q FOR EACH ROW INSERT INTO z VALUES ('x');",
        'SQLite, with rows: INSERT INTO "q" ("id", "n") VALUES (101, 201): out of memory',
    ),
}


@pytest.mark.mariadb
@pytest.mark.parametrize("name", ENDLESS)
def test_what_does_not_end_with_rows_names_its_place(
    project: Project, server_url: str, name: str
) -> None:
    sqlite, mysql, words = ENDLESS[name]
    blobs = "CREATE TABLE z (b {});"
    project.pair(
        f"CREATE TABLE {TABLE_Q[0]}; {blobs.format('BLOB')} {sqlite}",
        f"CREATE TABLE {TABLE_Q[1]}; {blobs.format('LONGBLOB')} {mysql}",
    )
    report = verify(project, server_url, status=2, env={"XTASK_TIMEOUT": "3"})
    assert words in report["error"]["message"]


@pytest.mark.mariadb
def test_more_rows_than_are_read_are_counted_only(project: Project, server_url: str) -> None:
    million = ", ".join(f"{DIGITS} d{i}" for i in range(8))
    for side, number in zip(("sqlite", "mysql"), ("INTEGER", "BIGINT"), strict=True):
        directory = "migrations" if side == "sqlite" else "migrations_mysql"
        sql = f"CREATE TABLE loose (a {number}); INSERT INTO loose SELECT d0.i FROM {million};"
        project.write({f"{directory}/0001_a/up.sql": sql})
    report = verify(project, server_url, status=0)
    assert "390625 rows: more than 300000 are only counted" in left_out(report)["loose"]


@pytest.mark.mariadb
def test_evidence_of_rows_is_in_the_report(project: Project, server_url: str) -> None:
    project.pair(
        "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a INTEGER NOT NULL DEFAULT 1);",
        "CREATE TABLE t (id BIGINT AUTO_INCREMENT PRIMARY KEY, a BIGINT NOT NULL DEFAULT 2);",
    )
    report = verify(project, server_url, status=1)
    (finding,) = report["findings"]
    assert (finding["kind"], finding["at"]) == ("column-default", "t.a")
    evidence = {(one["statement"], one["sqlite"], one["mysql"]) for one in finding["evidence"]}
    assert any("a: 1" in sqlite and "a: 2" in mysql for _, sqlite, mysql in evidence)
    assert all(statement.startswith("INSERT INTO t") for statement, _, _ in evidence)
