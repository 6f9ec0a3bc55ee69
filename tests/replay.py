"""Replay a repository's own history through the tool, as if its project had adopted it long ago.

    python xtask.py with-mariadb -- .venv/bin/python tests/replay.py REPOSITORY.git \\
        --sqlite db/sqlite --mysql db/mysql

Each commit that touches the two sets is laid out in a project of its own (`migrations/` and
`migrations_mysql/`), and judged as a maintainer's CI would: check-history, verify-migrations with a
ratchet of open findings, check-lock.  What the ratchet did not know was brought by this commit; what
is gone was mended by it.  Printed are a table of the whole and a line for each drift.  Where paths
moved over the years, give each: the first one that a commit has is taken.  What this program does
not know itself is handed on to verify-migrations (`--rows`, `--server local`).
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import textwrap
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from tabulate import tabulate

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import xtask  # noqa: E402

SIDES: Final = {"sqlite": "migrations", "mysql": "migrations_mysql"}
DAY: Final = 24 * 60 * 60
REFUSED: Final = "refused"  # the kind of a drift that let nothing be verified


class Commit(NamedTuple):
    """A commit: its hash, when it was made (seconds), its subject."""

    hash: str
    moment: int
    subject: str

    @property
    def words(self) -> str:
        day = datetime.fromtimestamp(self.moment, UTC).date()
        return f"{day} {self.hash[:10]} {self.subject}"


class Key(NamedTuple):
    """What an open entry is pinned on; `number` tells findings apart that share all of it."""

    kind: str
    at: str
    sqlite: str | None
    mysql: str | None
    number: int = 1


@dataclass
class Drift:
    """A finding, or a refusal: which commit brought it, which one mended it."""

    key: Key
    brought: Commit
    mended: Commit | None = None
    blamed_right: bool | None = None  # None where there is nobody to blame

    @property
    def days(self) -> int:
        return (self.mended.moment - self.brought.moment) // DAY if self.mended else 0


@dataclass
class Replay:
    """The history so far; `standing` is what the ratchet holds."""

    project: Path
    settings: str
    options: Sequence[str]
    reports: Path | None
    drifts: list[Drift] = field(default_factory=list)
    standing: dict[Key, Drift] = field(default_factory=dict)
    refusal: Drift | None = None
    refused: int = 0
    adoption: Commit | None = None
    rewritten: list[tuple[Commit, str]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def step(self, commit: Commit, changed: set[str]) -> None:
        """Judge what a commit laid out, as the project's CI would; `changed` are its files."""
        if self.adoption:
            history = self.tool("check-history", "--base", "HEAD")
            if (
                history.returncode == 1
            ):  # 2: the files cannot be read, as verify-migrations says too
                self.rewritten.append((commit, changes_of(history.stderr)))
        status, report = self.verify(commit)
        if "error" in report:
            self.refuse(commit, " ".join(report["error"]["message"].split()))
            return
        self.refuse(commit, None)
        before = dict(self.standing)
        self.compare(commit, report["findings"], changed)
        if (status == 0) != (before.keys() == self.standing.keys()):
            raise SystemExit(f"{commit.words}: status {status}, and the ratchet disagrees")
        self.adoption = self.adoption or commit
        if status:
            self.write_settings()
            status, report = self.verify(commit)
        lock = self.tool("check-lock")
        if status or lock.returncode:
            raise SystemExit(f"{commit.words}: the ratchet does not hold: {report} {lock.stderr}")
        git(self.project, "add", "--all")
        git(self.project, "commit", "--quiet", "--allow-empty", "--message", commit.hash)

    def tool(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run xtask.py in the project, as make does; the lease's URL is the server."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        environment.pop("CI", None)
        if "DATABASE_URL" in environment:
            environment["XTASK_SERVER"] = environment["DATABASE_URL"]
        return subprocess.run(
            [sys.executable, "-m", "xtask", *words],
            cwd=self.project,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def verify(self, commit: Commit) -> tuple[int, dict[str, Any]]:
        """Verify with the ratchet, and return the status and the JSON report."""
        words = ["verify-migrations", "--quiet", "--ratchet", "--format", "json", *self.options]
        if self.reports:
            name = f"{len(self.seconds):03}-{commit.hash[:10]}.txt"
            words += ["--report", f"text={self.reports / name}"]
        begin = time.monotonic()
        done = self.tool(*words)
        self.seconds.append(time.monotonic() - begin)
        try:
            return done.returncode, json.loads(done.stdout)
        except ValueError:
            raise SystemExit(f"{commit.words}: no report: {done.stderr}") from None

    def refuse(self, commit: Commit, message: str | None) -> None:
        """Note that a commit cannot be verified, and until when."""
        self.refused += message is not None
        if self.refusal and self.refusal.key.at != message:
            self.refusal.mended = commit
            self.refusal = None
        if message is not None and self.refusal is None:
            self.refusal = Drift(Key(REFUSED, message, None, None), commit)
            self.drifts.append(self.refusal)

    def compare(self, commit: Commit, findings: Iterable[Any], changed: set[str]) -> None:
        """Hold the findings of a commit against the ratchet."""
        found: dict[Key, Any] = {}
        for one in findings:
            key = Key(one["kind"], one["at"], one["sqlite"], one["mysql"])
            while key in found and key.kind in xtask.FOUND_AGAIN:
                key = key._replace(number=key.number + 1)
            if key.kind != "divergence-unused":
                found[key] = one
        gone = {key: drift for key, drift in self.standing.items() if key not in found}
        old_places = {(key.kind, key.at): key for key in gone}
        now: dict[Key, Drift] = {}
        for key, one in found.items():
            former = re.search(r"(?:^|; )was (.+)$", one["note"])
            old = old_places.get((key.kind, former[1] if former else key.at))
            if key in self.standing:
                now[key] = self.standing[key]
            elif old in gone:  # the same one, renamed or with other values
                now[key] = gone.pop(old)
            else:
                now[key] = Drift(key, commit)
                self.drifts.append(now[key])
                paths = {side["path"] for side in one["files"].values() if side}
                if self.adoption and paths:
                    now[key].blamed_right = bool(paths & changed)
        for drift in gone.values():
            drift.mended = commit
        self.standing = now

    def write_settings(self) -> None:
        """Write parity.toml with what stands as open entries."""
        parts = [self.settings]
        counts = Counter(key._replace(number=1) for key in self.standing)
        for key, count in counts.items():
            places = ", ".join([xtask.toml_string(key.at)] * count)
            parts += ["[[open]]", 'issue = "replay"', f"at = [{places}]"]
            for name in ("kind", "sqlite", "mysql"):
                value = getattr(key, name)
                if value is not None:
                    parts.append(f"{name} = {xtask.toml_string(value)}")
        (self.project / "parity.toml").write_text("\n".join(parts) + "\n", "utf-8")


def changes_of(words: str) -> str:
    """Take from what check-history says which migrations changed."""
    found = re.findall(r"^history: ((?:sqlite|mysql): .*)$", words, re.MULTILINE)
    return xtask.some_of(found, most=3)


def git(directory: Path, *words: str) -> bytes:
    """Run git on a git directory, or in a checkout."""
    nobody = ("-c", "user.name=replay", "-c", "user.email=replay@example.org")
    command = ["git", "-C", str(directory), *nobody, "-c", "commit.gpgsign=false", *words]
    return subprocess.run(command, capture_output=True, check=True).stdout


def commits_of(repository: Path, branch: str, every: bool, paths: Sequence[str]) -> list[Commit]:
    """List the commits that touch the paths, oldest first; by default those of the branch itself."""
    which = ["--topo-order"] if every else ["--first-parent"]
    form = "--format=%H%x09%ct%x09%s"
    text = git(repository, "log", "--reverse", *which, form, branch, "--", *paths).decode()
    commits = []
    for line in text.splitlines():
        name, moment, subject = line.split("\t", 2)
        commits.append(Commit(name, int(moment), subject))
    return commits


def files_at(repository: Path, commit: Commit, paths: Sequence[str]) -> dict[str, bytes]:
    """Read the files of the first of the paths that a commit has, named below it."""
    for path in paths:
        kind = git(repository, "ls-tree", commit.hash, path.rstrip("/")).split()[1:2]
        if not kind:
            continue
        root = path.rstrip("/") if kind == [b"tree"] else os.path.dirname(path)
        archive = git(repository, "archive", "--format=tar", commit.hash, path)
        found = {}
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for member in tar:
                if member.issym():
                    raise SystemExit(f"{commit.words}: {member.name}: a link is not replayed")
                if (file := tar.extractfile(member)) is not None:
                    found[os.path.relpath(member.name, root)] = file.read()
        return found
    return {}


def lay_out(project: Path, sets: Mapping[str, Mapping[str, bytes]]) -> None:
    """Write both sets into the project in place of those of the commit before."""
    for side, directory in SIDES.items():
        shutil.rmtree(project / directory, ignore_errors=True)
        for name, data in sets[side].items():
            target = project / directory / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)


def replay(arguments: argparse.Namespace, project: Path) -> tuple[Replay, list[Commit]]:
    """Walk the history from its first commit with both sets to its last."""
    settings = arguments.config.read_text("utf-8") if arguments.config else ""
    run = Replay(project, settings, arguments.options, arguments.reports)
    run.write_settings()
    git(project, "init", "--quiet")
    paths = {"sqlite": arguments.sqlite, "mysql": arguments.mysql}
    repository = arguments.repository
    walked: list[Commit] = []
    last: dict[str, bytes] = {}
    both = [*arguments.sqlite, *arguments.mysql]
    for commit in commits_of(repository, arguments.branch, arguments.every, both):
        sets = {side: files_at(repository, commit, places) for side, places in paths.items()}
        files = {
            f"{SIDES[side]}/{name}": data for side in SIDES for name, data in sets[side].items()
        }
        if not all(sets.values()) or files == last:
            continue
        lay_out(project, sets)
        run.step(commit, {name for name in files if files[name] != last.get(name)})
        last = files
        walked.append(commit)
        print(f"{len(walked)}: {commit.words}", file=sys.stderr)
    return run, walked


def summary(run: Replay, commits: Sequence[Commit]) -> str:
    """Render the table of the whole: drifts are counted by cause, as the report counts them."""
    causes = by_cause(run.drifts)
    later = [one for one in causes if one[0].brought != run.adoption]
    mended = [one for one in causes if one[0].mended]
    days = [one[0].days for one in mended]
    blamed = [drift.blamed_right for drift in run.drifts if drift.blamed_right is not None]
    rows = [
        ("commits", len(commits)),
        ("of which could not be verified", run.refused),
        ("drifts at the first that could", len(causes) - len(later)),
        ("brought later", len(later)),
        ("mended", len(mended)),
        ("days until then: median", statistics.median(days) if days else "-"),
        ("days until then: most", max(days, default="-")),
        ("standing at the last", len(causes) - len(mended)),
        ("findings blamed on a file of the commit", f"{sum(blamed)} of {len(blamed)}"),
        ("commits that changed the past", len(run.rewritten)),
        ("seconds a run: median", f"{statistics.median(run.seconds or [0]):.2f}"),
        ("seconds a run: most", f"{max(run.seconds, default=0):.2f}"),
    ]
    return tabulate(rows, ("of the whole history", ""), tablefmt="github", disable_numparse=True)


def by_cause(drifts: Iterable[Drift]) -> list[list[Drift]]:
    """Put together what came and went with the same commits and has the same kind and values."""
    groups = defaultdict(list)
    for drift in drifts:
        key = drift.key
        place = key.at if key.kind == REFUSED else ""
        groups[drift.brought, drift.mended, key.kind, place, key.sqlite, key.mysql].append(drift)
    return list(groups.values())


def details(run: Replay) -> list[str]:
    """Render a paragraph for each drift and each change of the past."""
    lines = []
    for group in by_cause(run.drifts):
        drift = group[0]
        missed = [one.key.at for one in group if one.blamed_right is False]
        mended = f"mended  {drift.mended.words} ({drift.days} days)" if drift.mended else "stands"
        places = textwrap.shorten(xtask.some_of([one.key.at for one in group]), 300)
        lines += ["", f"{drift.key.kind}: {places}", f"  brought {drift.brought.words}"]
        lines.append(f"  {mended}")
        if drift.key.kind != REFUSED:
            lines += [f"  SQLite  {drift.key.sqlite or '-'}", f"  MySQL   {drift.key.mysql or '-'}"]
        if missed:
            lines.append(f"  blamed on a file that the commit left alone: {xtask.some_of(missed)}")
    for commit, words in run.rewritten:
        lines += ["", f"past changed: {words}", f"  by      {commit.words}"]
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("repository", type=Path, metavar="GIT_DIRECTORY")
    for side in SIDES:
        parser.add_argument(f"--{side}", action="append", required=True, metavar="PATH")
    parser.add_argument("--branch", default="HEAD", help="whose history (default: HEAD)")
    parser.add_argument("--every", action="store_true", help="also commits of merged branches")
    parser.add_argument("--config", type=Path, help="a parity.toml without directories and entries")
    parser.add_argument("--reports", type=Path, help="keep the text report of each commit there")
    arguments, options = parser.parse_known_args()
    arguments.options = options
    if arguments.reports:
        arguments.reports = arguments.reports.resolve()
        arguments.reports.mkdir(parents=True, exist_ok=True)
    xtask.SIGNALS.install()  # SIGTERM alone would leave the directory behind
    try:
        with tempfile.TemporaryDirectory(prefix="xtask-replay.") as scratch:
            run, commits = replay(arguments, Path(scratch))
    except xtask.Interrupted as error:
        print(f"replay: {error}", file=sys.stderr)
        return error.status
    if not run.adoption:
        print(*details(run), sep="\n")
        print("replay: no commit could be verified", file=sys.stderr)
        return 2
    print(summary(run, commits), *details(run), sep="\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
