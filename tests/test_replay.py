"""tests/replay.py on a made-up repository whose history is known."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import replay
from conftest import ROOT, Project, git

SQLITE_TABLE = "CREATE TABLE t (id INTEGER PRIMARY KEY, a BIGINT NOT NULL);"
MYSQL_TABLE = "CREATE TABLE t (id BIGINT AUTO_INCREMENT PRIMARY KEY, a BIGINT NOT NULL);"
COLUMN = "ALTER TABLE t ADD COLUMN b BIGINT NOT NULL DEFAULT 0;"
SECOND_COLUMN = "ALTER TABLE t ADD COLUMN c BIGINT;"
NULLABLE = "ALTER TABLE t ADD COLUMN b BIGINT NULL DEFAULT 0;"

# Each commit: its day of January, its subject, what it writes (None: removes).
HISTORY: list[tuple[int, str, dict[str, str | None]]] = [
    (1, "SQLite alone", {"db/lite/0001_a.up.sql": SQLITE_TABLE}),
    (2, "both", {"db/my/0001_a.up.sql": MYSQL_TABLE}),
    (3, "a drift", {"db/lite/0002_b.up.sql": COLUMN, "db/my/0002_b.up.sql": NULLABLE}),
    (4, "elsewhere", {"README": "no migration"}),
    (5, "no SQL", {"db/lite/0003_c.up.sql": SECOND_COLUMN, "db/my/0003_c.up.sql": "ALTER TABEL t;"}),
    (
        7,
        "SQL, and other directories",
        {
            **{f"db/{side}/000{name}.up.sql": None for side in ("lite", "my") for name in ("1_a", "2_b", "3_c")},
            "sets/lite/0001_a.up.sql": SQLITE_TABLE,
            "sets/lite/0002_b.up.sql": COLUMN,
            "sets/lite/0003_c.up.sql": SECOND_COLUMN,
            "sets/my/0001_a.up.sql": MYSQL_TABLE,
            "sets/my/0002_b.up.sql": NULLABLE,
            "sets/my/0003_c.up.sql": SECOND_COLUMN,
        },
    ),
    (12, "the past is put right", {"sets/my/0002_b.up.sql": COLUMN}),
]  # fmt: skip


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Commit the made-up history, each commit at noon of its day."""
    path = tmp_path / "repository"
    path.mkdir()
    git(path, "init", "-q")
    for day, subject, files in HISTORY:
        for name, text in files.items():
            if text is None:
                (path / name).unlink()
            else:
                Project(path).write({name: text})
        git(path, "add", "--all")
        moment = f"2026-01-{day:02}T12:00:00Z"
        dates = {"GIT_COMMITTER_DATE": moment, "GIT_AUTHOR_DATE": moment}
        git(path, "commit", "-q", "-m", subject, env=dates)
    return path


PATHS = ("--sqlite", "db/lite", "--sqlite", "sets/lite", "--mysql", "db/my", "--mysql", "sets/my")


def run(repository: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "tests" / "replay.py"), str(repository / ".git"), *options],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.mariadb
def test_a_known_history(repository: Path, tmp_path: Path) -> None:
    done = run(repository, *PATHS, "--reports", str(tmp_path / "reports"))
    assert done.returncode == 0, done.stderr
    table = dict(re.findall(r"^\| (\S.*?) +\| (.*?) +\|$", done.stdout, re.M))
    del table["seconds a run: median"], table["seconds a run: most"]
    assert table == {
        "of the whole history": "",
        "commits": "5",
        "of which could not be verified": "1",
        "drifts at the first that could": "0",
        "brought later": "2",
        "mended": "2",
        "days until then: median": "5.5",
        "days until then: most": "9",
        "standing at the last": "0",
        "findings blamed on a file of the commit": "1 of 1",
        "commits that changed the past": "1",
    }
    text = re.sub(r"\b[0-9a-f]{10} ", "", done.stdout)
    assert (
        """
column-nullability: t.b
  brought 2026-01-03 a drift
  mended  2026-01-12 the past is put right (9 days)
  SQLite  NOT NULL
  MySQL   NULL
"""
        in text
    )
    assert (
        "  brought 2026-01-05 no SQL\n  mended  2026-01-07 SQL, and other directories (2 days)"
        in text
    )
    assert (
        "past changed: mysql: 0002_b was edited\n  by      2026-01-12 the past is put right" in text
    )
    reports = sorted((tmp_path / "reports").iterdir())
    assert "column-nullability" in reports[1].read_text("utf-8")


def test_a_history_without_both_sets_is_no_success(repository: Path) -> None:
    done = run(repository, "--sqlite", "db/lite", "--mysql", "nowhere")
    assert done.returncode == 2 and "no commit could be verified" in done.stderr


def commit(number: int) -> replay.Commit:
    return replay.Commit(str(number) * 40, number * replay.DAY, "subject")


def finding(at: str, sqlite: str = "TEXT", note: str = "") -> dict[str, object]:
    files = {"sqlite": {"path": "migrations/1.sql"}, "mysql": None}
    return {"kind": "column-type", "at": at, "sqlite": sqlite, "mysql": "int", "note": note, "files": files}  # fmt: skip


def test_a_drift_that_is_renamed_or_changed_is_the_same_one(tmp_path: Path) -> None:
    run = replay.Replay(tmp_path, "", (), None, adoption=commit(0))
    run.compare(commit(1), [finding("t.a"), finding("t.b"), finding("t.c")], {"migrations/1.sql"})
    run.compare(commit(2), [finding("t.z", note="was t.a"), finding("t.b", "blob")], set())
    assert [(one.key.at, one.mended) for one in run.drifts] == [
        ("t.a", None),
        ("t.b", None),
        ("t.c", commit(2)),
    ]
    assert [one.blamed_right for one in run.drifts] == [True] * 3
    assert len(replay.by_cause(run.drifts)) == 2  # t.a and t.b are one decision
    run.compare(commit(3), [finding("t.d")], {"migrations/2.sql"})
    assert [one.days for one in run.drifts] == [2, 2, 1, 0]
    assert run.drifts[-1].blamed_right is False


def test_the_ratchet_pins_what_stands(tmp_path: Path) -> None:
    run = replay.Replay(tmp_path, '[mysql]\nimage = "mysql:9.7"\n', (), None)
    run.compare(commit(1), [finding('t."a b"')], set())
    run.write_settings()
    settings = replay.xtask.parse_settings((tmp_path / "parity.toml").read_text(), "parity.toml")
    (entry,) = settings.entries
    assert settings.image == "mysql:9.7"
    assert entry.open and entry.key(entry.at[0]) == ("column-type", 't."a b"', "TEXT", "int")


def test_the_ratchet_holds_each_loss_of_a_place(tmp_path: Path) -> None:
    run = replay.Replay(tmp_path, "", (), None)
    loss = {**finding("t"), "kind": "data-loss"}
    run.compare(commit(1), [loss, loss], set())
    assert [one.key.number for one in run.drifts] == [1, 2]
    run.write_settings()
    settings = replay.xtask.parse_settings((tmp_path / "parity.toml").read_text(), "parity.toml")
    assert [entry.at for entry in settings.entries] == [("t", "t")]
    run.compare(commit(2), [loss], set())
    assert [one.mended for one in run.drifts] == [None, commit(2)]


def test_a_signal_leaves_no_directory(tmp_path: Path) -> None:
    """`git` stands for whatever is running when the signal comes."""
    started = tmp_path / "started"
    stand_in = tmp_path / "bin" / "git"
    stand_in.parent.mkdir()
    stand_in.write_text(f"#!/bin/sh\n: >'{started}'\nexec sleep 60\n", "utf-8")
    stand_in.chmod(0o755)
    path = f"{stand_in.parent}{os.pathsep}{os.environ['PATH']}"
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "tests" / "replay.py"), str(tmp_path), *PATHS],
        env={**os.environ, "PATH": path, "TMPDIR": str(tmp_path)},
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 30
    while not started.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    left_before = [*tmp_path.glob("xtask-replay.*")]
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (143, "replay: SIGTERM\n")
    assert len(left_before) == 1 and not left_before[0].exists()
