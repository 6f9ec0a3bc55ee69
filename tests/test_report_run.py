"""Reports of whole runs: several at once, against a base, in a workflow, on a terminal, of a failure."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import jsonschema
import pytest

import xtask
from conftest import ROOT, Project, git

OURS = "CREATE TABLE t (\n  id INTEGER PRIMARY KEY,\n  a TEXT NOT NULL\n);"
THEIRS = "CREATE TABLE t (\n  id BIGINT AUTO_INCREMENT PRIMARY KEY,\n  a TEXT\n);"
QUIET = {"NO_COLOR": "", "FORCE_COLOR": "", "GITHUB_STEP_SUMMARY": "", "TERM": "xterm"}


# ---- a run that reaches no verdict -----------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "file", "line"),
    [
        ("0001_a: up/a.sql, statement 2 of 3, line 7: near x", "up/a.sql", 7),
        (
            "0001_a: SQLite refused my files/a.sql, statement 1 of 1, line 2:\n  x",
            "my files/a.sql",
            2,
        ),
        ("up/a.sql, line 3: cannot be split", "up/a.sql", 3),
        ("parity.toml, line 4: not TOML", "parity.toml", 4),
        ("parity.lock: missing", "parity.lock", None),
        ("the server was not ready within 60 s", None, None),
        ("no parity.toml here or above", None, None),
    ],
)
def test_a_message_tells_its_place(message: str, file: str | None, line: int | None) -> None:
    assert xtask.place_of_error(message) == (file, line)


def failed(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    project.pair("CREATE TABEL t (a);", "CREATE TABLE t (a INT);")
    done = project.run("verify-migrations", "--server", "local", *arguments, env=QUIET)
    assert done.returncode == 2, done.stderr
    return done


def test_json_of_a_failure_is_an_error_object(project: Project) -> None:
    done = failed(project, "--format", "json", "--report", "json=second.json")
    data = json.loads(done.stdout)
    jsonschema.validate(data, xtask.report_schema())
    assert data["error"]["file"] == "migrations/0001_schema/up.sql"
    assert data["error"]["line"] == 1
    assert "CREATE TABEL" in data["error"]["message"]
    assert json.loads((project.path / "second.json").read_text("utf-8")) == data


@pytest.mark.parametrize(
    "arguments", [("--unknown",), ("--config", "gone.toml"), ("--report", "nonsense=x")]
)
def test_json_of_a_wrong_command_line(project: Project, arguments: tuple[str, ...]) -> None:
    done = project.call("verify-migrations", "--format=json", *arguments, env=QUIET)
    assert done.returncode == 2
    jsonschema.validate(json.loads(done.stdout), xtask.report_schema())


def test_github_annotates_a_failure(project: Project) -> None:
    git(project.path.parent, "init", "-q")
    done = failed(project, "--format", "github")
    prefix = project.path.name
    expected = f"::error file={prefix}/migrations/0001_schema/up.sql,title="
    assert done.stdout.startswith(expected) and ",line=1::" in done.stdout


@pytest.mark.parametrize("form", xtask.FORMAT_NAMES)
def test_a_failure_leaves_no_report_of_an_earlier_run(project: Project, form: str) -> None:
    old = project.path / "old.out"
    old.write_text("parity", "utf-8")
    failed(project, "--report", f"{form}=old.out")
    now = old.read_text("utf-8")
    assert now != "parity" and "CREATE TABEL" in now
    if form in ("divergences", "open"):
        assert tomllib.loads(now) == {}


def test_a_report_that_cannot_be_written_keeps_no_other_from_saying_so(project: Project) -> None:
    old = project.path / "old.html"
    old.write_text("parity", "utf-8")
    failed(project, "--output", "gone/report.txt", "--report", "html=old.html")
    now = old.read_text("utf-8")
    assert "Could not verify" in now and "gone/report.txt: cannot be written" in now


def test_the_page_of_report_does_not_stay_after_a_failure(project: Project) -> None:
    page = project.path / "report.html"
    page.write_text("parity", "utf-8")
    project.pair("CREATE TABEL t (a);", "CREATE TABLE t (a INT);")
    done = project.run("report", "--server", "local", env=QUIET)
    assert done.returncode == 2
    assert "<h1>Could not verify</h1>" in page.read_text("utf-8")


def test_an_interrupted_run_leaves_no_report_of_an_earlier_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = tmp_path / "old.json"
    old.write_text('{"parity": true}', "utf-8")
    words = ["verify-migrations", "--format", "json", "--report", f"json={old}"]
    xtask.report_failure(words, "interrupted: SIGINT", stdout=False)
    data = json.loads(old.read_text("utf-8"))
    assert data["error"]["message"] == "interrupted: SIGINT"
    assert capsys.readouterr().out == ""


# ---- what a program is told of the report ----------------------------------------------------


def test_the_schema_is_printed() -> None:
    command = [sys.executable, str(ROOT / "xtask.py"), "rules", "--json-schema"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == xtask.report_schema()


def test_explain_lists_the_kinds() -> None:
    command = [sys.executable, str(ROOT / "xtask.py"), "explain"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    listed = re.findall(r"^  ([a-z-]+) ", done.stdout, re.MULTILINE)
    assert listed == [*xtask.KINDS]
    assert "xtask.py explain index" in done.stdout


# ---- runs that reach one ---------------------------------------------------------------------


def verify(
    project: Project, url: str, *arguments: str, **env: str
) -> subprocess.CompletedProcess[str]:
    return project.run("verify-migrations", "--server", url, *arguments, env={**QUIET, **env})


@pytest.mark.mariadb
def test_several_reports_of_one_run(project: Project, server_url: str) -> None:
    project.pair(OURS, THEIRS)
    names = ("json", "markdown", "html", "github", "open", "divergences")
    asked = [word for name in names for word in ("--report", f"{name}={name}.out")]
    done = verify(project, server_url, *asked)
    assert done.returncode == 1 and "Verdict: NOT at parity: 1" in done.stdout
    written = {name: (project.path / f"{name}.out").read_text("utf-8") for name in names}
    data = json.loads(written["json"])
    jsonschema.validate(data, xtask.report_schema())
    (found,) = data["findings"]
    assert found["files"]["mysql"] == {"path": "migrations_mysql/0001_schema/up.sql", "line": 3}
    assert "<!doctype html>" in written["html"] and "column-nullability" in written["html"]
    assert "[[open]]" in written["open"] and 'issue = ""' in written["open"]
    assert written["github"].startswith("::error title=verify-migrations::NOT at parity")


@pytest.mark.mariadb
def test_paths_in_a_monorepo(tmp_path: Path, server_url: str) -> None:
    """From the root of the checkout, whichever directory the command is called in."""
    git(tmp_path, "init", "-q")
    project = Project(tmp_path / "services" / "api")
    project.pair(OURS, THEIRS).write({"parity.toml": ""})
    inside = Project(project.path / "migrations")
    for where in (project, inside):
        done = verify(where, server_url, "--format", "github")
        path = "services/api/migrations_mysql/0001_schema/up.sql"
        assert f"::error file={path},line=3," in done.stdout, done.stderr


@pytest.mark.mariadb
def test_the_summary_of_a_step(project: Project, server_url: str, tmp_path: Path) -> None:
    project.pair(OURS, THEIRS)
    summary = tmp_path / "summary.md"
    summary.write_text("before\n", "utf-8")
    verify(project, server_url, "--format", "github", GITHUB_STEP_SUMMARY=str(summary))
    text = summary.read_text("utf-8")
    assert text.startswith("before\n### Migrations: NOT at parity")


@pytest.mark.mariadb
def test_an_entry_about_a_loss_answers_for_no_later_one(project: Project, server_url: str) -> None:
    """A rebuild with foreign keys on deletes the children's rows; so does the next rebuild."""
    parent = "CREATE TABLE p (id INTEGER PRIMARY KEY NOT NULL);"
    child = (
        "CREATE TABLE c (id INTEGER PRIMARY KEY NOT NULL, p INTEGER NOT NULL, "
        "FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE);"
    )
    filled = "AUTO_INCREMENT PRIMARY KEY"
    theirs = (parent + child).replace("PRIMARY KEY NOT NULL", filled)
    rebuild = (
        "CREATE TABLE q (id INTEGER PRIMARY KEY NOT NULL); INSERT INTO q SELECT id FROM p; "
        "DROP TABLE p; ALTER TABLE q RENAME TO p;"
    )
    project.pair(parent + child, theirs).pair(rebuild, "SELECT 1;", "0002_b")
    entries = verify(project, server_url, "--format", "open").stdout
    entries = entries.replace('issue = ""', 'issue = "7"')
    assert 'kind = "data-loss"\nat = "c"' in entries
    project.write({"parity.toml": entries})
    assert verify(project, server_url, "--ratchet").returncode == 0

    project.pair(rebuild, "SELECT 1;", "0003_c")
    done = verify(project, server_url, "--ratchet", "--format", "json")
    data = json.loads(done.stdout)
    losses = {one["migration"]: one["open"] for one in data["findings"]}
    assert done.returncode == 1 and losses == {"0002_b": True, "0003_c": False}

    project.write({"parity.toml": ""})
    both = verify(project, server_url, "--format", "open").stdout
    assert 'at = [\n    "c",\n    "c",\n]' in both
    project.write({"parity.toml": both.replace('issue = ""', 'issue = "7"')})
    assert verify(project, server_url, "--ratchet").returncode == 0


@pytest.mark.mariadb
def test_what_is_new_against_a_base(project: Project, server_url: str) -> None:
    entry = (
        '[[open]]\nkind = "column-nullability"\nat = "t.a"\nsqlite = "NOT NULL"\nmysql = "NULL"\n'
    )
    project.pair(OURS, THEIRS).write({"parity.toml": f'{entry}issue = "x"\n'})
    git(project.path, "init", "-q")
    verify(project, server_url, "--ratchet")  # writes the lock
    git(project.path, "add", "-A")
    git(project.path, "commit", "-qm", "base")
    project.pair("ALTER TABLE t ADD b INTEGER;", "ALTER TABLE t ADD b TEXT;", "0002_b")
    project.write({"parity.toml": ""})
    done = verify(project, server_url, "--base", "HEAD", "--format", "json")
    found = {one["at"]: one["new"] for one in json.loads(done.stdout)["findings"]}
    assert found == {"t.a": False, "t.b": True}
    text = verify(project, server_url, "--base", "HEAD").stdout
    assert "1 new against HEAD" in text and "t.b (new)" in text
    wrong = verify(project, server_url, "--base", "nowhere")
    assert wrong.returncode == 2 and "--base nowhere" in wrong.stderr


@pytest.mark.mariadb
def test_the_report_command_writes_a_page(project: Project, server_url: str) -> None:
    project.pair(OURS, THEIRS)
    done = project.run("report", "--server", server_url, env=QUIET)
    assert done.returncode == 1
    assert "report.html: open it in a browser" in done.stderr
    assert "<!doctype html>" in (project.path / "report.html").read_text("utf-8")


def on_a_terminal(project: Project, columns: int, *arguments: str, **env: str) -> str:
    """What a terminal of so many columns receives on stdout."""
    import fcntl
    import struct
    import termios

    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    given = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", *QUIET)}
    child = subprocess.Popen(
        [sys.executable, str(ROOT / "xtask.py"), *arguments],
        cwd=project.path,
        env={**given, "TERM": "xterm", **env},
        stdout=slave,
        stderr=subprocess.DEVNULL,
    )
    os.close(slave)
    received = b""
    try:
        while data := os.read(master, 65536):
            received += data
    except OSError:  # the other end was closed
        pass
    os.close(master)
    assert child.wait() == 1
    return received.decode().replace("\r\n", "\n")


@pytest.mark.mariadb
@pytest.mark.parametrize("columns", [60, 80, 120])
def test_a_terminal_has_colour_and_its_own_width(
    project: Project, server_url: str, columns: int
) -> None:
    project.pair(OURS, THEIRS)
    arguments = ("verify-migrations", "--server", server_url)
    coloured = on_a_terminal(project, columns, *arguments)
    assert "\x1b[1;31mVerdict: NOT at parity" in coloured
    plain = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert max(xtask.display_width(line) for line in plain.splitlines()) <= columns
    assert "\x1b" not in on_a_terminal(project, columns, *arguments, NO_COLOR="1")


@pytest.mark.mariadb
def test_colour_can_be_forced(project: Project, server_url: str) -> None:
    project.pair(OURS, THEIRS)
    assert "\x1b[" in verify(project, server_url, FORCE_COLOR="1").stdout
    assert "\x1b[" not in verify(project, server_url, FORCE_COLOR="1", NO_COLOR="1").stdout
    assert "\x1b[" not in verify(project, server_url).stdout


@pytest.mark.mariadb
def test_quiet_is_quiet(project: Project, server_url: str) -> None:
    """Nothing on stderr, notes of parity.toml included."""
    entry = '[[open]]\nkind = "index"\nat = "t(a)"\nsqlite = "INDEX"\nissue = "x"\n'
    project.pair(OURS, OURS.replace("INTEGER", "BIGINT")).write({"parity.toml": entry})
    flags = ("--sqlite", "migrations", "--mysql", "migrations_mysql", "-q")
    assert verify(project, server_url, *flags).stderr == ""
