"""parity.lock, the append-only history, new-migration: what ci holds without a server."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

import xtask
from conftest import Project, discover, git, sqlite_backend

MIGRATIONS = {
    "migrations/0001_a/up.sql": "CREATE TABLE t (id INTEGER PRIMARY KEY, a VARCHAR(9) NOT NULL DEFAULT 'x');\n",
    "migrations/0001_a/down.sql": "DROP TABLE t;\n",
    "migrations/0002_b/up.sql": "CREATE TABLE u (id INTEGER PRIMARY KEY, t_id INTEGER REFERENCES t (id) ON DELETE CASCADE);\n",
    "migrations_mysql/0001_a/up.sql": "CREATE TABLE t (id BIGINT AUTO_INCREMENT PRIMARY KEY, a VARCHAR(9) NOT NULL DEFAULT 'x');\n",
    "migrations_mysql/0002_b/up.sql": "CREATE TABLE u (id BIGINT AUTO_INCREMENT PRIMARY KEY, k BIGINT);\n",
}
UP = "migrations/0002_b/up.sql"
ENTRY = '[[{}]]\nkind = "foreign-key"\nat = "u(t_id)"\nsqlite = "t(id) ON DELETE CASCADE"\nmysql = "t(id)"\n{} = "why"\n'


class Proof:
    """A verification made without a server: SQLite's schema stands for both sides."""

    def __init__(self, project: Project) -> None:
        text = (
            (project.path / "parity.toml").read_text("utf-8")
            if (project.path / "parity.toml").exists()
            else ""
        )
        self.settings = xtask.parse_settings(text, "parity.toml")
        paths = [project.path / name for name in (self.settings.sqlite, self.settings.mysql)]
        self.project = xtask.Project(project.path, None, self.settings, *paths, own=True)
        self.steps = self.project.steps()
        backend = sqlite_backend()
        xtask.build(backend, self.steps, lambda _: None)
        schema = backend.read()
        findings = (
            [xtask.Finding("foreign-key", "u(t_id)", "t(id) ON DELETE CASCADE", "t(id)")]
            if self.settings.entries
            else []
        )
        self.judged = xtask.judge(findings, self.settings.entries)
        sides = [
            xtask.Side(name, "1.2", path, 2, schema)
            for name, path in (("SQLite", "migrations"), ("MariaDB", "migrations_mysql"))
        ]
        self.verdict = xtask.Verdict(sides[0], (sides[1],), tuple(self.judged), (), "parity")

    @property
    def text(self) -> str:
        return xtask.render_lock(self.steps, self.settings, self.verdict, self.judged)

    def keep(self, locked: bool = False) -> int:
        stale = xtask.find_stale(self.project.lock, [self.text])
        return xtask.keep_lock(self.project.lock, stale, locked, xtask.say) if stale else 0


@pytest.fixture
def proven(project: Project) -> Project:
    """A project with its proof."""
    project.write(dict(MIGRATIONS))
    Proof(project).keep()
    return project


def check(project: Project) -> tuple[int, str]:
    done = project.call("check-lock")
    return done.returncode, done.stdout + done.stderr


# ---- the lock --------------------------------------------------------------------------------


def test_the_lock_is_toml_for_people(proven: Project) -> None:
    text = (proven.path / "parity.lock").read_text("utf-8")
    lock = tomllib.loads(text)
    assert (lock["verdict"], lock["format"]) == ("parity", 2)
    assert lock["server"] == "MariaDB 1.2, SQLite 1.2"
    found = [(one.get("sqlite"), one.get("mysql")) for one in lock["migrations"]]
    assert found == [("0001_a", None), (None, "0001_a"), ("0002_b", None), (None, "0002_b")]
    assert all(re.fullmatch("[0-9a-f]{64}", one["sha256"]) for one in lock["migrations"])
    assert text.splitlines()[-1] == f'proof = "{lock["proof"]}"'
    assert lock["schema"].split("\n\n")[0].splitlines() == [
        "table t",
        "  id: i64, not null, auto_increment",
        "  a: string(9), not null, default 'x'",
        "  primary key (id)",
    ]
    assert "  foreign key (t_id) to t(id) ON DELETE CASCADE" in lock["schema"].splitlines()


@pytest.mark.parametrize(
    ("section", "why", "verdict", "mark"),
    [
        ("divergence", "reason", "parity", "# documented foreign-key"),
        ("open", "issue", "not at parity: 1 open", "# open foreign-key"),
    ],
)
def test_what_is_documented_or_open_is_marked(
    section: str, why: str, verdict: str, mark: str, project: Project
) -> None:
    project.write({**MIGRATIONS, "parity.toml": ENTRY.format(section, why)})
    lock = tomllib.loads(Proof(project).text)
    assert lock["verdict"] == verdict
    (line,) = [line for line in lock["schema"].splitlines() if "foreign key (t_id)" in line]
    assert mark in line


def test_the_same_inputs_give_the_same_bytes(proven: Project) -> None:
    assert (
        (proven.path / "parity.lock").read_text("utf-8") == Proof(proven).text == Proof(proven).text
    )


def test_odd_names_do_not_break_the_lock(project: Project) -> None:
    odd = 'CREATE TABLE "a""b\\c" ("x""""y" TEXT DEFAULT \'"""\', b TEXT CHECK (b <> \'\\\'));'
    project.write({"migrations/1_a/up.sql": odd, "migrations_mysql/1_a/up.sql": ""})
    assert 'table "a""b\\c"' in tomllib.loads(Proof(project).text)["schema"]


def test_another_server_does_not_make_it_stale(proven: Project) -> None:
    path = proven.path / "parity.lock"
    text = path.read_text("utf-8").replace("MariaDB 1.2, SQLite 1.2", "MySQL 9.7.4, SQLite 3.50")
    path.write_text(sealed(text), "utf-8")
    before = path.read_bytes()
    assert Proof(proven).keep(locked=True) == Proof(proven).keep() == 0
    assert path.read_bytes() == before


def with_rows(proof: Proof) -> Proof:
    """The same verification, with rows."""
    counts = xtask.RowCounts(carried=6, steps=2, probes=9, alike=9, explained=0)
    proof.verdict = dataclasses.replace(proof.verdict, rows=counts)
    return proof


def test_rows_that_parity_toml_asks_for_must_be_in_the_proof(proven: Project) -> None:
    proven.write({"parity.toml": "[verify]\nrows = true\n"})
    Proof(proven).keep()
    status, said = check(proven)
    assert status == 1 and "asks for rows, and this proof was made without them" in said
    with_rows(Proof(proven)).keep()
    assert check(proven)[0] == 0


def test_a_proof_with_rows_holds_for_a_run_without(proven: Project) -> None:
    with_rows(Proof(proven)).keep()
    before = (proven.path / "parity.lock").read_bytes()
    assert tomllib.loads(before.decode())["rows"] is True
    assert Proof(proven).keep(locked=True) == Proof(proven).keep() == 0
    assert (proven.path / "parity.lock").read_bytes() == before
    proven.write({UP: "CREATE TABLE u (id INTEGER PRIMARY KEY);\n"})
    Proof(proven).keep()
    assert tomllib.loads((proven.path / "parity.lock").read_text("utf-8"))["rows"] is False


def test_locked_never_writes(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.write(dict(MIGRATIONS))
    path = project.path / "parity.lock"
    assert Proof(project).keep(locked=True) == 1
    assert not path.exists() and "missing" in capsys.readouterr().err
    assert Proof(project).keep() == 0
    before = path.read_bytes()
    project.write({UP: "CREATE TABLE u (id INTEGER PRIMARY KEY);\n"})
    assert Proof(project).keep(locked=True) == 1
    assert path.read_bytes() == before and "stale" in capsys.readouterr().err


def test_a_renewed_lock_names_what_of_the_past_is_another_now(proven: Project) -> None:
    rewritten = Proof(proven)
    assert xtask.rewritten_since(rewritten.project, rewritten.steps) == []
    proven.write(
        {
            UP: "SELECT 1;",
            "migrations/0003_c/up.sql": "SELECT 1;",
            "migrations_mysql/0003_c/up.sql": "SELECT 1;",
        }
    )
    rewritten = Proof(proven)
    (problem,) = xtask.rewritten_since(rewritten.project, rewritten.steps)
    assert problem.startswith("sqlite: 0002_b was edited")
    lock = rewritten.project.lock
    stale = xtask.find_stale(lock, [rewritten.text])
    assert stale
    said: list[str] = []
    assert xtask.keep_lock(lock, stale, False, said.append, [problem]) == 0
    assert ["renewed" in said[0], problem in said[1]] == [True, True]


@pytest.mark.parametrize("text", [b"<<<<<<< HEAD\n", b"\xff"])
def test_a_lock_that_cannot_be_read_has_no_past(text: bytes, proven: Project) -> None:
    proven.write({"parity.lock": text})
    assert xtask.rewritten_since(Proof(proven).project, Proof(proven).steps) == []
    assert check(proven)[0] == 2
    Proof(proven).keep()
    assert check(proven)[0] == 0


def test_it_is_renewed_where_it_proves_something_else(proven: Project) -> None:
    before = (proven.path / "parity.lock").read_bytes()
    proven.write({UP: "CREATE TABLE u (id INTEGER PRIMARY KEY);\n"})
    assert Proof(proven).keep() == 0
    assert (proven.path / "parity.lock").read_bytes() != before
    assert check(proven)[0] == 0


# ---- check-lock ------------------------------------------------------------------------------


@pytest.mark.parametrize("edit", ["server", "proof", "comment"])
def test_what_check_lock_refuses_is_renewed(edit: str, proven: Project) -> None:
    """Verifying again answers it, also where all that was proven stands there unchanged."""
    path = proven.path / "parity.lock"
    text = path.read_text("utf-8")
    changed = {
        "server": text.replace('server = "MariaDB 1.2', 'server = "MariaDB 1.3'),
        "proof": re.sub('proof = "(.)', lambda m: f'proof = "{"0" if m[1] != "0" else "1"}', text),
        "comment": text.replace("# The proof", "# A proof", 1),
    }[edit]
    path.write_text(changed, "utf-8")
    assert changed != text and "its proof does not fit" in check(proven)[1]
    assert Proof(proven).keep(locked=True) == 1
    assert Proof(proven).keep() == 0
    assert path.read_text("utf-8") == text and check(proven)[0] == 0


def test_check_lock_passes(proven: Project) -> None:
    assert check(proven) == (0, "parity.lock: 2 versions as verified\n")


def test_check_lock_says_how_to_make_the_first(project: Project) -> None:
    project.write(dict(MIGRATIONS))
    status, said = check(project)
    assert status == 1 and "never verified" in said and "xtask.py verify-migrations" in said


def moved(project: Project, old: str, new: str) -> None:
    for side in ("migrations", "migrations_mysql"):
        (project.path / side / old).rename(project.path / side / new)


def removed(project: Project) -> None:
    (project.path / UP).unlink()
    (project.path / UP).parent.rmdir()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda p: p.write({UP: "CREATE TABLE u (id INTEGER PRIMARY KEY);"}), ["sqlite: 0002_b was edited"]),
        (lambda p: p.write({"migrations/0002_b/metadata.toml": "run_in_transaction = false"}), ["sqlite: 0002_b was edited"]),
        (lambda p: p.write({"migrations_mysql/0003_c/up.sql": "SELECT 1;"}), ["mysql: 0003_c is new"]),
        (removed, ["sqlite: 0002_b was removed"]),
        (lambda p: moved(p, "0001_a", "0009_a"), ["sqlite: 0009_a is new", "sqlite: 0001_a was removed", "mysql: 0009_a is new"]),
        (lambda p: p.write({"parity.toml": 'ignore_tables = ["x"]'}), ["parity.toml changed"]),
    ],
    ids=["up", "transaction", "new", "removed", "renamed", "settings"],
)  # fmt: skip
def test_check_lock_says_what_changed(
    change: Callable[[Project], object], said: list[str], proven: Project
) -> None:
    change(proven)
    status, words = check(proven)
    assert status == 1 and "run `xtask.py verify-migrations`" in words
    assert [word for word in said if word not in words] == []


def sealed(text: str) -> str:
    """A lock with a proof that fits what it says."""
    head = text[: text.index("proof = ")]
    return f'{head}proof = "{xtask.sha256(head)}"\n'


def test_check_lock_says_that_the_order_changed(proven: Project) -> None:
    path = proven.path / "parity.lock"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    first = next(at for at, line in enumerate(lines) if "sqlite = " in line)
    lines[first], lines[first + 2] = lines[first + 2], lines[first]
    path.write_text(sealed("".join(lines)), "utf-8")
    status, words = check(proven)
    assert status == 1 and "sqlite: the order of the migrations changed" in words
    assert "edited" not in words


@pytest.mark.parametrize(
    ("old", "new"),
    [('verdict = "parity"', 'verdict = "parity "'), ("not null", "null"), ("[\n", "[ # kept both\n"), ("Maria", "My")],
    ids=["verdict", "schema", "comment", "server"],
)  # fmt: skip
def test_a_lock_that_was_edited_is_no_proof(old: str, new: str, proven: Project) -> None:
    path = proven.path / "parity.lock"
    path.write_text(path.read_text("utf-8").replace(old, new, 1), "utf-8")
    status, words = check(proven)
    assert status == 2 and "no verification wrote this" in words and "verify again" in words


def test_what_does_not_change_a_run_is_no_edit(proven: Project) -> None:
    proven.write(
        {
            UP: "-- a comment\r\nCREATE TABLE `u` ([id] INTEGER PRIMARY KEY,\n\n"
            '"t_id" INTEGER REFERENCES t(id) ON DELETE CASCADE)',
            "migrations/0001_a/down.sql": "DROP TABLE IF EXISTS t;",
            "migrations/0002_b/down.sql": "DROP TABLE u;",
        }
    )
    assert check(proven)[0] == 0


MYSQL_UP = "migrations_mysql/0002_b/up.sql"


@pytest.mark.parametrize(
    "changed",
    [
        {UP: MIGRATIONS[UP].replace("CASCADE", "RESTRICT")},
        {UP: MIGRATIONS[UP].replace(");", ", x TEXT);")},
        {UP: MIGRATIONS[UP].replace(");", ") STRICT;")},
        {MYSQL_UP: MIGRATIONS[MYSQL_UP] + "/*!50003 SELECT 1 */;"},
        {MYSQL_UP: MIGRATIONS[MYSQL_UP].replace("k BIGINT", "k BIGINT DEFAULT 1")},
    ],
    ids=["action", "column", "option", "executable comment", "default"],
)  # fmt: skip
def test_what_changes_a_run_is_an_edit(changed: dict[str, str | bytes], proven: Project) -> None:
    proven.write(changed)
    status, words = check(proven)
    assert status == 1 and "0002_b was edited" in words


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("x TEXT DEFAULT CURRENT_TIMESTAMP", 'x TEXT DEFAULT "CURRENT_TIMESTAMP"', False),
        ("x TEXT DEFAULT true", 'x TEXT DEFAULT "true"', False),
        ("x TEXT UNIQUE", 'x TEXT "unique"', False),
        ("x TEXT DEFAULT 'a'", "x TEXT DEFAULT 'b'", False),
        ("first_name TEXT", '"first_name" TEXT', True),
        ('"first name" TEXT', "[first name] TEXT", False),
    ],
)
def test_quotes_around_a_plain_name_do_not_count(
    one: str, other: str, same: bool, project: Project
) -> None:
    digests = set()
    for text in (one, other):
        project.pair(f"CREATE TABLE t ({text});", "SELECT 1;")
        (step,) = project.steps()
        assert step.sqlite
        digests.add(xtask.digest(step.sqlite, "sqlite"))
    assert (len(digests) == 1) is same


def test_no_transaction_counts(project: Project) -> None:
    digests = set()
    for mark in ("", "-- +goose NO TRANSACTION\n"):
        text = f"-- +goose Up\n{mark}CREATE TABLE t (id INTEGER);\n-- +goose Down\nDROP TABLE t;\n"
        project.write({f"{side}/1_a.sql": text for side in ("migrations", "migrations_mysql")})
        (step,) = project.steps()
        assert step.sqlite
        digests.add(xtask.digest(step.sqlite, "sqlite"))
    assert len(digests) == 2


def test_line_endings_and_boms_do_not_matter(proven: Project) -> None:
    for name in MIGRATIONS:
        path = proven.path / name
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert check(proven)[0] == 0


def test_comments_in_parity_toml_do_not_matter(proven: Project) -> None:
    proven.write({"parity.toml": "# a comment\nignore_tables = []\n"})
    assert check(proven)[0] == 0


@pytest.mark.parametrize("text", ["", "format = 99\n", "<<<<<<< HEAD\n", "format = 2\n"])
def test_a_lock_that_no_verification_wrote(text: str, proven: Project) -> None:
    proven.write({"parity.lock": text})
    status, words = check(proven)
    assert status == 2 and "parity.lock" in words and "verify again" in words


def test_check_lock_needs_no_server_and_no_parser(proven: Project) -> None:
    """It must take no time: what costs time is never imported."""
    program = (
        "import sys, runpy; sys.argv = ['xtask.py', 'check-lock'];\n"
        f"try: runpy.run_path({str(xtask.ROOT / 'xtask.py')!r}, run_name='__main__')\n"
        "except SystemExit as end: print(end.code, sorted({'sqlglot', 'pymysql', 'tabulate'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [xtask.sys.executable, "-c", program],
        cwd=proven.path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "0 []"


def test_this_repositorys_lock_is_the_proof_of_its_files() -> None:
    assert check(Project(xtask.ROOT)) == (
        0,
        f"parity.lock: {len(list((xtask.ROOT / 'migrations').glob('*/up.sql')))} versions as verified\n",
    )


# ---- check-history ---------------------------------------------------------------------------


@pytest.fixture
def published(proven: Project) -> Project:
    """A repository whose branch `main` has the proven project; the work goes on on another branch."""
    git(proven.path, "init", "-q")
    git(proven.path, "checkout", "-q", "-b", "main")
    git(proven.path, "add", ".")
    git(proven.path, "commit", "-q", "-m", "proven")
    git(proven.path, "checkout", "-q", "-b", "work")
    return proven


HERE = ", which is HEAD: only what is not committed was compared"


def history(project: Project, base: str | None = "main") -> tuple[int, str]:
    done = project.call("check-history", *(("--base", base) if base else ()))
    return done.returncode, done.stdout + done.stderr


def test_history_passes_and_may_grow(published: Project) -> None:
    assert history(published) == (0, f"history: append-only since main{HERE}\n")
    published.write(
        {"migrations/0003_c/up.sql": "SELECT 1;", "migrations_mysql/0003_c/up.sql": "SELECT 1;"}
    )
    assert history(published)[0] == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda p: p.write({UP: "SELECT 1;"}), "sqlite: 0002_b was edited"),
        (lambda p: moved(p, "0002_b", "0002_c"), "sqlite: 0002_b was renamed to 0002_c"),
    ],
    ids=["edited", "renamed"],
)  # fmt: skip
def test_history_is_append_only(
    change: Callable[[Project], object], said: str, published: Project
) -> None:
    change(published)
    status, words = history(published)
    assert status == 1 and said in words and "[[rewrite]]" in words


@pytest.mark.parametrize("layout", xtask.LAYOUTS, ids=lambda one: one.name)
def test_a_late_migration_is_judged_by_what_its_runner_does(
    layout: xtask.Layout, published: Project
) -> None:
    (step, last) = published.steps()
    assert step.mysql and last.mysql
    text = "-- +goose Up\n-- +migrate Up\n-- migrate:up\nSELECT 1;"
    file = dataclasses.replace(step.mysql.up, text=text)
    new = dataclasses.replace(step.mysql, label="0001_z", layout=layout, up=file)
    base = xtask.Lock("", "", xtask.locked_now([xtask.Pair(None, last.mysql)]))
    steps = [xtask.Pair(None, new), xtask.Pair(None, last.mysql)]
    changes = xtask.history_changes(base, steps)
    assert bool(changes) is not layout.late.applied
    for change in changes:
        assert change.words == f"0001_z is new, comes before 0002_b, and {layout.late.words}"


TABLE = "CREATE TABLE t (id BIGINT NOT NULL, a VARCHAR(9) DEFAULT 'x');"
GOOSE = "-- +goose Up\n{}\n-- +goose Down\nDROP TABLE t;\n"
DBMATE = "-- migrate:up\n{}\n-- migrate:down\nDROP TABLE t;\n"
FIRST, LAST = "0001_a.up.sql", "0002_b.up.sql"


def changes_between(project: Project, before: dict[str, str], after: dict[str, str]) -> list[str]:
    """What check-history says of one side's files, given those that its lock proves."""
    proven: tuple[xtask.Locked, ...] = ()
    for files in (before, after):
        shutil.rmtree(project.path / "migrations_mysql", ignore_errors=True)
        project.write({f"migrations_mysql/{name}": text for name, text in files.items()})
        steps = xtask.pair([], discover(project.path / "migrations_mysql", "mysql"))
        if files is before:
            proven = xtask.locked_now(steps)
    changes = xtask.history_changes(xtask.Lock("parity", "", proven), steps)
    return [change.words for change in changes]


# Each reason for which applied files of nine public projects were touched.
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({FIRST: TABLE}, {FIRST: f"-- why\n{TABLE}"}),
        ({FIRST: f"-- why\n{TABLE}"}, {FIRST: TABLE}),
        ({FIRST: TABLE}, {FIRST: TABLE.replace("NOT NULL,", "NOT NULL, /* why */\n")}),
        ({FIRST: TABLE}, {FIRST: TABLE.replace(", ", ",\n    ")}),
        ({FIRST: TABLE}, {FIRST: f"\n\n{TABLE}   \n\n"}),
        ({FIRST: TABLE + "\n"}, {FIRST: TABLE}),
        ({FIRST: TABLE}, {FIRST: TABLE.removesuffix(";")}),
        ({FIRST: f"{TABLE}\nSELECT 1;\n"}, {FIRST: f"{TABLE}\r\nSELECT 1;\r\n"}),
        ({FIRST: TABLE}, {FIRST: f"\ufeff{TABLE}"}),
        ({FIRST: TABLE}, {FIRST: TABLE.replace(" t ", " `t` ").replace("(id", "(`id`")}),
        ({FIRST: TABLE, "0001_a.down.sql": "DROP TABLE t;"}, {FIRST: TABLE, "0001_a.down.sql": "DROP TABLE IF EXISTS t;"}),
        ({FIRST: TABLE}, {FIRST: TABLE, "0001_a.down.sql": "DROP TABLE t;"}),
        ({"1_a.sql": GOOSE.format(TABLE)}, {"1_a.sql": GOOSE.format(f"-- +goose StatementBegin\n{TABLE}\n-- +goose StatementEnd")}),
        ({"1_a.sql": GOOSE.format(TABLE)}, {"1_a.sql": GOOSE.format(TABLE).replace("DROP TABLE t", "DROP TABLE IF EXISTS t")}),
        ({"1_a.sql": DBMATE.format(TABLE)}, {"1_a.sql": DBMATE.format(TABLE).replace("migrate:up", "migrate:up transaction:true")}),
        ({"2_b.sql": DBMATE.format(TABLE)}, {"1_a.sql": DBMATE.format("SELECT 1;"), "2_b.sql": DBMATE.format(TABLE)}),
    ],
    ids=[
        "a comment more", "a comment less", "a comment in a statement", "line breaks", "blank lines", "no last newline",
        "no last semicolon", "line ends", "a byte order mark", "quotes", "the way down", "a way down more",
        "marks around a statement", "the way down in a section", "the default said", "merged late, and applied",
    ],
)  # fmt: skip
def test_history_leaves_alone_what_changes_no_run(
    before: dict[str, str], after: dict[str, str], project: Project
) -> None:
    assert changes_between(project, before, after) == []


EDITED, GONE = "0001_a was edited", "0001_a was removed"


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ({FIRST: TABLE}, {FIRST: TABLE.replace("'x'", "'y'")}, [EDITED]),
        ({FIRST: TABLE}, {FIRST: TABLE.replace(" DEFAULT 'x'", "")}, [EDITED]),
        ({FIRST: TABLE}, {FIRST: TABLE.replace("VARCHAR(9)", "TEXT")}, [EDITED]),
        ({FIRST: TABLE}, {FIRST: TABLE.replace("(9)", "(99)")}, [EDITED]),
        ({FIRST: TABLE}, {FIRST: TABLE.replace("BIGINT", "INT")}, [EDITED]),
        ({FIRST: TABLE}, {FIRST: TABLE.replace(" NOT NULL", "")}, [EDITED]),
        ({FIRST: TABLE}, {FIRST: TABLE.replace(");", ", b TEXT);")}, [EDITED]),
        ({FIRST: TABLE}, {FIRST: TABLE.replace(");", ", UNIQUE (a));")}, [EDITED]),
        ({FIRST: TABLE}, {FIRST: TABLE.replace(");", ") COLLATE utf8mb4_bin;")}, [EDITED]),
        ({FIRST: TABLE}, {FIRST: f"{TABLE} CREATE INDEX i ON t (a);"}, [EDITED]),
        ({FIRST: f"{TABLE} SELECT 1;"}, {FIRST: TABLE}, [EDITED]),
        ({FIRST: f"SELECT 1; {TABLE}"}, {FIRST: f"{TABLE} SELECT 1;"}, [EDITED]),
        ({FIRST: TABLE}, {FIRST: f"{TABLE} /*!50003 SELECT 1 */;"}, [EDITED]),
        ({FIRST: "INSERT INTO t VALUES (1, 'a');"}, {FIRST: "INSERT INTO t VALUES (1, 'b');"}, [EDITED]),
        ({FIRST: "INSERT INTO t VALUES (1, 'a');"}, {FIRST: "INSERT INTO t VALUES (1, 'a ');"}, [EDITED]),
        ({FIRST: TABLE, LAST: "SELECT 1;"}, {LAST: "SELECT 1;"}, [GONE]),
        ({FIRST: TABLE, LAST: "SELECT 1;"}, {"0003_all.up.sql": f"{TABLE} SELECT 1;"}, [GONE, "0002_b was removed"]),
        ({FIRST: TABLE}, {"0001_z.up.sql": TABLE}, ["0001_a was renamed to 0001_z"]),
        ({"1_a.sql": GOOSE.format(TABLE)}, {"1_a.sql": f"-- +goose NO TRANSACTION\n{GOOSE.format(TABLE)}"}, ["1_a was edited"]),
        (
            {LAST: TABLE},
            {FIRST: "SELECT 1;", LAST: TABLE},
            ["0001_a is new, comes before 0002_b, and is never applied: existing databases never get it"],
        ),
    ],
    ids=[
        "another default", "no default", "another type", "another length", "a narrower type", "nullable", "a column",
        "a key", "a collation", "a statement more", "a statement less", "another order of statements",
        "a comment that runs", "another value", "a blank in a value", "removed", "made one of many", "renamed",
        "no transaction", "merged late, and never applied",
    ],
)  # fmt: skip
def test_history_tells_what_changes_a_run(
    before: dict[str, str], after: dict[str, str], words: list[str], project: Project
) -> None:
    assert changes_between(project, before, after) == words


def test_the_whole_schema_in_one_file_has_no_history(published: Project) -> None:
    for side in ("migrations", "migrations_mysql"):
        shutil.rmtree(published.path / side)
        published.write({f"{side}/schema.sql": "CREATE TABLE t (id INTEGER);"})
    Proof(published).keep()
    git(published.path, "add", ".")
    git(published.path, "commit", "-q", "-m", "one file a side")
    git(published.path, "branch", "-q", "-f", "main")
    published.write({"migrations_mysql/schema.sql": "CREATE TABLE t (id BIGINT);"})
    status, words = history(published)
    assert status == 0 and words.count("schema.sql: the whole schema in one file") == 2
    moved_to = published.path / "migrations_mysql" / "0001_schema.sql"
    (published.path / "migrations_mysql" / "schema.sql").rename(moved_to)
    assert history(published)[0] == 1  # migrations now, and the file is gone


def test_a_new_lock_does_not_hide_a_rewrite(published: Project) -> None:
    published.write({UP: "CREATE TABLE u (id INTEGER PRIMARY KEY);\n"})
    Proof(published).keep()
    git(published.path, "commit", "-q", "-a", "-m", "rewritten")
    assert check(published)[0] == 0
    assert history(published)[0] == 1


@pytest.mark.parametrize(
    "change", [removed, lambda p: p.write({UP: "SELECT 1;"})], ids=["removed", "edited"]
)
def test_a_rewrite_may_be_documented(
    change: Callable[[Project], object], published: Project
) -> None:
    change(published)
    git(published.path, "commit", "-q", "--allow-empty", "-m", "going on")
    words = history(published)[1]
    entry = words[words.index("[[rewrite]]") :].replace('reason = ""', 'reason = "unpublished"')
    published.write({"parity.toml": entry})
    assert history(published)[0] == 0
    published.write(
        {"parity.toml": re.sub(r'^  "(?:[0-9a-f]{64}|removed)"', '  "0"', entry, flags=re.M)}
    )
    assert history(published)[0] == 1


def test_a_rewrite_that_allows_nothing_fails(published: Project) -> None:
    entry = '# what was\n[[rewrite]]\nmigration = "0002_b"\ndigest = "removed"\nreason = "why"\n'
    published.write({"parity.toml": entry})
    assert history(published)[0] == 0  # HEAD is the base: nothing was rewritten since
    git(published.path, "commit", "-q", "--allow-empty", "-m", "going on")
    status, words = history(published)
    assert status == 1 and "[[rewrite]] 1 allows nothing any more" in words
    assert "lines 2 to 5 of parity.toml" in words


def test_one_rewrite_lists_several_migrations(published: Project) -> None:
    published.write({"migrations/0001_a/up.sql": "CREATE TABLE t (id INTEGER);", UP: "SELECT 1;"})
    words = history(published)[1]
    assert words.count("[[rewrite]]") == 1 and '"0001_a",' in words and '"0002_b",' in words
    published.write({"parity.toml": words[words.index("[[rewrite]]") :].replace('""', '"why"')})
    assert history(published)[0] == 0


def test_history_without_a_base_says_so(published: Project) -> None:
    status, words = history(published, None)
    assert status == 0 and "not checked" in words


def test_a_base_that_was_asked_for_is_checked_or_an_error(
    published: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(published.path / ".git")
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    status, words = history(published)
    assert status == 2 and "--base main: git knows no checkout here" in words
    assert history(published, None)[0] == 0


def test_what_ci_cannot_look_at_is_an_error(
    published: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    status, words = history(published, None)
    assert status == 2 and "in CI" in words
    monkeypatch.setenv("CI", "")
    assert history(published, None)[0] == 0


def test_a_lock_of_another_format_is_an_error_in_ci(
    published: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its digests are not to be compared with today's: nothing was looked at."""
    path = published.path / "parity.lock"
    today = path.read_text("utf-8")
    path.write_text(today.replace("format = 2", "format = 1"), "utf-8")
    git(published.path, "commit", "-q", "-a", "-m", "as an older xtask.py wrote it")
    git(published.path, "branch", "-q", "-f", "main")
    published.write({"parity.lock": today, UP: "SELECT 1;"})
    status, words = history(published)
    assert status == 0 and "format 1, this xtask.py writes 2" in words and "not checked" in words
    monkeypatch.setenv("CI", "true")
    status, words = history(published)
    assert status == 2 and "renew the lock of main first" in words and "not checked" not in words


def test_reasons_and_rewrites_are_no_settings() -> None:
    texts = [
        ENTRY.format("divergence", "reason"),
        "# a comment\n" + ENTRY.format("divergence", "reason").replace('"why"', '"because"'),
        ENTRY.format("divergence", "reason")
        + '[[rewrite]]\nmigration = "1"\ndigest = "removed"\nreason = "x"\n',
        ENTRY.format("open", "issue"),
    ]
    digests = [xtask.settings_digest(xtask.parse_settings(text, "parity.toml")) for text in texts]
    assert digests[0] == digests[1] == digests[2] != digests[3]


# ---- prune -------------------------------------------------------------------------------------

# What stands between « and » answers for nothing.
PARITY_TOML = """\
# the head \u2028 of the file\r
ignore_tables = ["old"]  # kept

[[divergence]]  # one of two places lives
kind = "column-type"
at = ["t.a"«, "t.gone"»]   # both
sqlite = "TEXT"
mysql = "datetime"
reason = "\u2028 is no end of a line"

# before a dead one
«[[divergence]]
kind = "column-default"
at = "t.b"
sqlite = "1"
reason = "mended"

»[[open]]
kind = "column-nullability"
at = [
  "t.b",
«  "t.also_gone",  # dead
»]
sqlite = "NOT NULL"
mysql = "NULL"
issue = "7"

«[[rewrite]]
migration = "0000_never"
digest = "removed"
reason = "long ago"
»# the end, without a line's end"""


@pytest.mark.mariadb
def test_prune_deletes_what_answers_for_nothing_and_no_other_byte(
    project: Project, server_url: str
) -> None:
    server = ("--server", server_url)
    before = PARITY_TOML.replace("«", "").replace("»", "").encode()
    after = re.sub("«.*?»", "", PARITY_TOML, flags=re.DOTALL).encode()
    project.pair(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b BIGINT NOT NULL);",
        "CREATE TABLE t (id BIGINT AUTO_INCREMENT PRIMARY KEY, a DATETIME, b BIGINT);",
    )
    project.write({"parity.toml": after})
    assert project.run("verify-migrations", *server, "-q", "--ratchet").returncode == 0
    path = project.path
    git(path, "init", "-q")
    git(path, "checkout", "-q", "-b", "main")
    git(path, "add", ".")
    git(path, "commit", "-q", "-m", "proven")
    git(path, "checkout", "-q", "-b", "work", "--track", "main")
    project.write({"parity.toml": before})
    git(path, "commit", "-q", "-a", "-m", "with dead entries")
    assert project.run("verify-migrations", *server, "-q", "--ratchet").returncode == 1
    done = project.run("prune", *server)
    assert done.returncode == 0, done.stderr
    words = ["t.gone: [[divergence]] 1", "t.b: [[divergence]] 2", "t.also_gone: [[open]] 1", "[[rewrite]] 1"]  # fmt: skip
    assert [word for word in words if word not in done.stdout] == []
    assert done.stdout.count("deleted") == len(words)
    assert (path / "parity.toml").read_bytes() == after
    done = project.run("prune", *server)
    assert (done.returncode, "every entry answers" in done.stdout) == (0, True)
    assert (path / "parity.toml").read_bytes() == after
    assert project.run("verify-migrations", *server, "-q", "--ratchet").returncode == 0


# ---- two branches ------------------------------------------------------------------------------


@pytest.mark.mariadb
def test_two_branches_that_each_add_a_migration(project: Project, server_url: str) -> None:
    """git merges them with a conflict in parity.lock alone, and the command resolves it."""
    verify = ("verify-migrations", "--server", server_url, "-q")
    project.write({**MIGRATIONS, MYSQL_UP: MIGRATIONS[UP].replace("INTEGER", "BIGINT")})
    project.write({".gitattributes": "parity.lock -merge\n"})
    project.write({"migrations_mysql/0001_a/up.sql": MIGRATIONS["migrations/0001_a/up.sql"].replace("INTEGER", "BIGINT AUTO_INCREMENT")})  # fmt: skip
    project.write({MYSQL_UP: "CREATE TABLE u (id BIGINT AUTO_INCREMENT PRIMARY KEY, t_id BIGINT REFERENCES t (id) ON DELETE CASCADE);"})  # fmt: skip
    assert project.run(*verify).returncode == 0
    path = project.path
    git(path, "init", "-q")
    git(path, "checkout", "-q", "-b", "main")
    git(path, "add", ".")
    git(path, "commit", "-q", "-m", "first")
    for branch, label in (("ours", "0003_ours"), ("theirs", "0004_theirs")):
        git(path, "checkout", "-q", "-b", branch, "main")
        table = f"CREATE TABLE {branch} (id BIGINT NOT NULL);"
        project.pair(table, table, label)
        assert project.run(*verify).returncode == 0
        git(path, "add", ".")
        git(path, "commit", "-q", "-m", branch)
    git(path, "checkout", "-q", "ours")
    with pytest.raises(subprocess.CalledProcessError):
        git(path, "merge", "-q", "theirs")
    assert git(path, "diff", "--name-only", "--diff-filter=U") == "parity.lock"
    status, words = check(project)
    assert status == 1 and "0004_theirs is new" in words and "ours" not in words
    assert project.run(*verify).returncode == 0
    git(path, "add", ".")
    git(path, "commit", "-q", "-m", "merged")
    assert check(project)[0] == 0
    assert history(project)[0] == 0


def test_history_against_the_upstream_branch(published: Project) -> None:
    git(published.path, "branch", "-q", "--set-upstream-to=main")
    published.write({UP: "SELECT 1;"})
    status, words = history(published, None)
    assert status == 1 and "0002_b was edited" in words


def test_history_against_the_default_branch_of_the_remote(published: Project) -> None:
    """The upstream of a branch is often its own copy, in which a rewrite is history already."""
    git(published.path, "update-ref", "refs/remotes/origin/main", "main")
    git(published.path, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    published.write({UP: "SELECT 1;"})
    status, words = history(published, None)
    assert status == 1 and "0002_b was edited" in words
    git(published.path, "commit", "-q", "-a", "-m", "rewritten")
    git(published.path, "branch", "-q", "pushed")
    git(published.path, "branch", "-q", "--set-upstream-to=pushed")
    assert history(published, None)[0] == 1


def test_a_history_that_was_checked_in_part_is_not_called_ok(published: Project) -> None:
    git(published.path, "update-ref", "refs/remotes/origin/main", "main")
    git(published.path, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    assert history_word(published) == (0, "")
    git(published.path, "checkout", "-q", "--orphan", "bare")
    git(published.path, "rm", "-q", "-r", "--cached", ".")
    git(published.path, "add", "migrations", "migrations_mysql")
    git(published.path, "commit", "-q", "-m", "no lock")
    git(published.path, "checkout", "-q", "-f", "work")
    status, words = history(published, "bare")
    assert status == 2 and "no common ancestor of HEAD and bare" in words


def history_word(project: Project) -> tuple[int, str]:
    with contextlib.chdir(project.path):
        return xtask.history_status(xtask.build_parser().parse_args(["check-history"]))


def test_history_before_the_first_lock_says_so(published: Project) -> None:
    git(published.path, "rm", "-q", "parity.lock")
    git(published.path, "commit", "-q", "-m", "no lock")
    git(published.path, "branch", "-q", "-f", "bare")
    status, words = history(published, "bare")
    assert status == 0 and "no parity.lock" in words and "not checked" in words
    git(published.path, "update-ref", "refs/remotes/origin/main", "main")
    git(published.path, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    git(published.path, "branch", "-q", "--set-upstream-to=bare")
    assert history_word(published) == (0, xtask.NOT_CHECKED)  # against one of two


def test_history_against_what_git_does_not_know(published: Project) -> None:
    status, words = history(published, "nowhere")
    assert status == 2 and "nowhere" in words


def test_history_in_a_directory_of_a_repository(
    proven: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("repository")
    proven.path.rename(root / "service")
    inner = Project(root / "service")
    git(root, "init", "-q")
    git(root, "checkout", "-q", "-b", "main")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "proven")
    assert history(inner)[0] == 0
    inner.write({UP: "SELECT 1;"})
    assert history(inner)[0] == 1


# ---- new-migration ---------------------------------------------------------------------------


def test_new_migration_makes_the_pair(proven: Project) -> None:
    done = proven.call("new-migration", "add_things")
    made = done.stdout.splitlines()
    assert done.returncode == 0 and len(made) == 4
    labels = {Path(line).parent.name for line in made}
    assert len(labels) == 1 and re.fullmatch(r"\d{4}-\d\d-\d\d-\d{6}_add_things", labels.pop())
    texts = [(proven.path / line).read_text("utf-8") for line in made]
    assert all(text.startswith("-- ") and "verify-migrations" in text for text in texts)
    steps = proven.steps()
    assert (
        [step.label for step in steps][-1].endswith("_add_things")
        and steps[-1].sqlite
        and steps[-1].mysql
    )


def test_new_migration_in_an_empty_project(project: Project) -> None:
    project.write({"parity.toml": ""})
    assert project.call("new-migration", "first").returncode == 0
    assert len(project.steps()) == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [("a", "exists"), ("Add Things", "lower-case"), ("../x", "lower-case"), ("", "lower-case")],
)
def test_new_migration_refuses(name: str, words: str, proven: Project) -> None:
    before = sorted(proven.path.rglob("*"))
    done = proven.call("new-migration", name)
    assert (done.returncode, done.stdout) == (2, "") and words in done.stderr
    assert sorted(proven.path.rglob("*")) == before


@pytest.mark.parametrize(
    ("sqlite", "mysql", "made"),
    [
        (
            "0009_a.up.sql",
            "000009_a.up.sql",
            ["0010_x.up.sql", "0010_x.down.sql", "000010_x.up.sql", "000010_x.down.sql"],
        ),
        ("V0001.First.up.sql", "V0002.Second.up.sql", ["V0003.x.up.sql", "V0003.x.down.sql"] * 2),
        ("1-a.sql", "1-a.sql", ["2-x.sql"] * 2),
        ("V1.2__a.sql", "V1.3__a.sql", ["V2__x.sql"] * 2),
        ("20240101-090000_a.sql", "20240101-090000_a.sql", [r"20\d{6}-\d{6}_x.sql"] * 2),
        ("20240101090000_a.sql", "", [r"20\d{12}_x.sql"] * 2),
    ],
)
def test_new_migration_is_spelled_as_the_others_are(
    sqlite: str, mysql: str, made: list[str], project: Project
) -> None:
    project.write(
        {
            f"migrations/{sqlite}": "SELECT 1;",
            **({f"migrations_mysql/{mysql}": "SELECT 1;"} if mysql else {"migrations_mysql/x": ""}),
        }
    )
    done = project.call("new-migration", "x")
    names = [Path(line).name for line in done.stdout.splitlines()]
    assert len(names) == len(made) and all(map(re.fullmatch, made, names)), (
        done.stdout + done.stderr
    )
    steps = project.steps()
    assert steps[-1].sqlite and steps[-1].mysql and steps[-1].sqlite.name == "x"


@pytest.mark.parametrize("layout", [one.name for one in xtask.LAYOUTS if one.down])
def test_new_migration_has_the_sections_of_its_runner(layout: str, project: Project) -> None:
    (one,) = [one for one in xtask.LAYOUTS if one.name == layout]
    text = one.files[0][1].format(up="SELECT 1;", down="SELECT 2;")
    project.write({f"{side}/0001_a.sql": text for side in ("migrations", "migrations_mysql")})
    assert project.call("new-migration", "x").returncode == 0
    (_, step) = project.steps()
    assert step.sqlite and step.sqlite.layout.name == layout and step.mysql
    for direction in ("up", "down"):
        words = [line for line in xtask.script(step.sqlite, direction).splitlines() if line.strip()]
        assert len(words) == 2 and ("must build" in words[0]) == (direction == "up")


def test_new_migration_beside_a_single_file(project: Project) -> None:
    project.write(
        {"migrations/schema.sql": "SELECT 1;", "migrations_mysql/schema.sql": "SELECT 1;"}
    )
    done = project.call("new-migration", "x")
    assert done.returncode == 2 and "a single file has no migrations" in done.stderr
