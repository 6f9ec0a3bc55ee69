"""Shared by all tests: projects on disk, and the leased server of `xtask.py test-mariadb`."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "fuzz")]

import xtask  # noqa: E402

for name in ("CI", "GITHUB_STEP_SUMMARY", "MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
    os.environ.pop(name, None)

if (
    signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
):  # under nohup: what the tests start would be deaf to it too, as it should
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without a leased server the mariadb tests are skipped; where one was promised they never are."""
    if os.environ.get("XTASK_LEASED"):
        return
    skip = pytest.mark.skip(reason="needs a server: python xtask.py test-mariadb")
    for item in items:
        if "mariadb" in item.keywords:
            item.add_marker(skip)


class FileByFile:
    """Say of each test file how it went, once its last test is done, in place of dots."""

    def __init__(self) -> None:
        self.waiting: Counter[str] = Counter()
        self.outcomes: dict[str, Counter[str]] = defaultdict(Counter)
        self.seconds: Counter[str] = Counter()

    def expect(self, names: Iterable[str]) -> None:
        if not self.waiting:  # with xdist every worker tells its collection, and all are the same
            self.waiting.update(name.partition("::")[0] for name in names)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.expect(item.nodeid for item in session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: object, ids: list[str]) -> None:
        del node
        self.expect(ids)

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Keep the counts of the last line, and print no letters."""
        if report.when == "call" or report.skipped:
            return report.outcome, "", report.outcome.upper()
        return ("error", "", "ERROR") if report.failed else None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        file = report.nodeid.partition("::")[0]
        self.seconds[file] += report.duration
        if report.when == "call" or not report.passed:
            self.outcomes[file][report.outcome] += 1
        if report.when == "teardown":
            self.waiting[file] -= 1
            if self.waiting[file] == 0:
                outcomes = sorted(self.outcomes[file].items())
                words = ", ".join(f"{count} {outcome}" for outcome, count in outcomes)
                print(f"{file:<32} {words}, {self.seconds[file]:.1f} s", flush=True)


def pytest_configure(config: pytest.Config) -> None:
    if config.get_verbosity() < 0 and not hasattr(config, "workerinput"):
        config.pluginmanager.register(FileByFile())


def leased_address() -> xtask.Address:
    """The leased server, as the user who may do anything on it."""
    user, password, host, port, database = (
        os.environ[name]
        for name in ("MYSQL_USER", "MYSQL_PWD", "MYSQL_HOST", "MYSQL_TCP_PORT", "MYSQL_DATABASE")
    )
    return xtask.Address(user, password, database, host=host, port=int(port))


def leased_url() -> str:
    """The same server for `--server URL`."""
    address = leased_address()
    return f"mysql://{address.user}:{address.password}@{address.host}:{address.port}"


@pytest.fixture(scope="session")
def address() -> xtask.Address:
    return leased_address()


@pytest.fixture(scope="session")
def server_url() -> str:
    return leased_url()


@pytest.fixture(scope="module")
def mysql(address: xtask.Address) -> Iterator[xtask.MySQLBackend]:
    """A backend on the leased server, its database empty again at the end."""
    backend = xtask.MySQLBackend(address, "", (), 60)
    yield backend
    backend.fresh()
    backend.close()


@pytest.fixture
def query(address: xtask.Address) -> Iterator[Callable[[str], list[tuple[Any, ...]]]]:
    """Rows of a statement that the leased server runs."""
    connection = xtask.connect(address, None, 60)

    def run(sql: str) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return list(cursor.fetchall())

    yield run
    connection.close()


def discover(
    path: Path, dialect: xtask.Dialect, handling: xtask.Handling | None = None
) -> list[xtask.Migration]:
    """The migrations of a directory, or of one file."""
    snapshot = xtask.read_snapshot(path, path)
    return xtask.discover(snapshot, dialect, handling or xtask.Handling()).migrations


NOBODY = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.org")
PLAIN_GIT = (*NOBODY, "-c", "commit.gpgsign=false", "-c", "init.defaultBranch=main")


def git(path: Path, *words: str, env: dict[str, str] | None = None) -> str:
    """Run git in a directory, whatever this machine's user has configured; what it prints."""
    done = subprocess.run(
        ["git", *PLAIN_GIT, *words],
        cwd=path,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


class Project:
    """Two migration sets in a directory of their own, and xtask.py run on them as a process."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, files: dict[str, str | bytes]) -> Project:
        for name, text in files.items():
            target = self.path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text if isinstance(text, bytes) else text.encode())
        return self

    def pair(self, sqlite: str, mysql: str, label: str = "0001_schema") -> Project:
        return self.write(
            {f"migrations/{label}/up.sql": sqlite, f"migrations_mysql/{label}/up.sql": mysql}
        )

    def run(
        self, *arguments: str, env: dict[str, str] | None = None, timeout: float = 120
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(ROOT / "xtask.py"), *arguments],
            cwd=self.path,
            env={**os.environ, **(env or {})},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def run_python(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *words],
            cwd=self.path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def call(
        self, *arguments: str, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in this process: half the price, where the process is not what is tested."""
        out, err = io.StringIO(), io.StringIO()
        with (
            contextlib.chdir(self.path),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
            mock.patch.dict(os.environ, env or {}),
        ):
            try:
                parsed = xtask.parse_arguments(arguments)
                status = parsed.function(parsed)
            except xtask.XtaskError as error:
                xtask.report_error(error)
                xtask.report_failure(list(arguments), str(error))
                status = error.status
        return subprocess.CompletedProcess(arguments, status, out.getvalue(), err.getvalue())

    def steps(self) -> list[xtask.Pair]:
        return xtask.pair(
            discover(self.path / "migrations", "sqlite"),
            discover(self.path / "migrations_mysql", "mysql"),
        )


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def sqlite_backend(init: str = xtask.DEFAULT_INIT, **options: object) -> xtask.SQLiteBackend:
    return xtask.SQLiteBackend(init, options.get("functions", {}), (), lambda: False)  # type: ignore[arg-type]
