"""What xtask.py costs, as ratios taken in one run; `python xtask.py bench` runs this.

Each benchmark gives rows: a command of ours, what it is held against, the medians of both and their
ratio.  Samples are interleaved (A B A B …), so that what else the machine does meets all alike.  What
misses its target is marked; no time ever makes this fail.  The bare floor is the one server that is not
started by scripts/: it runs with the flags, and on the file system, of a server that they started.
"""

from __future__ import annotations

import argparse
import gc
import math
import os
import platform
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from itertools import pairwise
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import xtask  # noqa: E402

Sample = Callable[[], object]
PROGRESS: Final = xtask.Progress(0)
DOCKER_IMAGE: Final = "xtask-mariadb:11.8"  # the one that scripts/build-image.sh makes


# ---- results -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ratio:
    """Seconds of what was measured and of what it is held against.

    `most` is the largest ratio that is promised; `least` the smallest, where ours is to be the
    faster one and the ratio is against / measured.  Neither: for information.
    """

    measured: str
    against: str
    seconds: Sequence[float]
    other: Sequence[float]
    most: float | None = None
    least: float | None = None

    @property
    def ratio(self) -> float:
        ours = statistics.median(self.seconds)
        other = statistics.median(self.other)
        return other / ours if self.least else ours / other

    @property
    def misses(self) -> bool:
        too_slow = self.most is not None and self.ratio > self.most
        return too_slow or (self.least is not None and self.ratio < self.least)

    def row(self) -> list[str]:
        target = ""
        if self.most is not None:
            target = f"at most {self.most:g}"
        if self.least is not None:
            target = f"at least {self.least:g}"
        ours, other = spread(self.seconds), spread(self.other)
        verdict = "MISSED" if self.misses else ""
        return [self.measured, ours, self.against, other, f"{self.ratio:.2f}", target, verdict]


def spread(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds):.2f} ({min(seconds):.2f}–{max(seconds):.2f})"


def interleaved(runs: int, samples: Mapping[str, Sample]) -> dict[str, list[float]]:
    """Seconds of every sample, each taken once a round."""
    found: dict[str, list[float]] = {name: [] for name in samples}
    for number in range(1, runs + 1):
        for name, sample in samples.items():
            PROGRESS(f"{number} of {runs}: {name}")
            start = time.perf_counter()
            sample()
            found[name].append(time.perf_counter() - start)
    PROGRESS.done()
    return found


# ---- projects and runs -------------------------------------------------------------------------


@contextmanager
def directory(base: Path | None = None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="xtask-bench.", dir=base) as path:
        yield Path(path)


def verify(where: Path, *options: str, expected: int = 0) -> Sample:
    """verify-migrations as a whole process in a project's directory, compiled once as by make."""
    command = [sys.executable, "-m", "xtask", "verify-migrations", "-q", *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)

    def sample() -> None:
        done = subprocess.run(
            command, cwd=where, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode != expected:
            said = done.stderr or done.stdout
            raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {said}")

    return sample


@contextmanager
def own_project() -> Iterator[Path]:
    """A copy of this repository's migrations and settings: a run may write parity.lock."""
    with directory() as path:
        for name in ("migrations", "migrations_mysql"):
            shutil.copytree(ROOT / name, path / name)
        for name in ("parity.toml", "parity.lock"):
            shutil.copy(ROOT / name, path / name)
        yield path


@contextmanager
def leased() -> Iterator[xtask.Address]:
    """A private server without network, as verify-migrations has it."""
    with xtask.Lease([xtask.local_engine(False)], False, PROGRESS) as lease:
        yield lease.address()


# 12 columns, a foreign key and two indexes a table; in every fourth one a CHECK.  {n} is the table's number,
# {size} and {seven} are small numbers that differ from table to table.
SQLITE_TABLE: Final = """\
CREATE TABLE t{n} (
  id INTEGER PRIMARY KEY,
  parent_id INTEGER REFERENCES t{parent} (id) ON DELETE CASCADE,
  code VARCHAR({size}) NOT NULL,
  title TEXT NOT NULL,
  state VARCHAR(20) NOT NULL DEFAULT 'new{seven}',
  amount DECIMAL(12, 2) NOT NULL DEFAULT {seven},
  ratio DOUBLE,
  active BOOLEAN NOT NULL DEFAULT 1,
  born_on DATE,
  created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  payload BLOB,
  hits BIGINT NOT NULL DEFAULT 0{check}
);
CREATE INDEX t{n}_parent ON t{n} (parent_id);
CREATE UNIQUE INDEX t{n}_code ON t{n} (code, created_at);
"""
MYSQL_TABLE: Final = """\
CREATE TABLE t{n} (
  id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  parent_id BIGINT,
  code VARCHAR({size}) NOT NULL,
  title VARCHAR(200){title},
  state VARCHAR(20) NOT NULL DEFAULT 'new{seven}',
  amount DECIMAL(12, 2) NOT NULL DEFAULT {seven},
  ratio DOUBLE,
  active TINYINT(1) NOT NULL DEFAULT 1,
  born_on DATE,
  created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
  payload BLOB,
  hits BIGINT NOT NULL DEFAULT 0,
  KEY t{n}_parent (parent_id),
  UNIQUE KEY t{n}_code (code, created_at),
  CONSTRAINT fk{n} FOREIGN KEY (parent_id) REFERENCES t{parent} (id) ON DELETE CASCADE{check}
);
"""
CHECK: Final = ",\n  CHECK (state IN ('new{seven}', 'open', 'done') AND hits >= {n})"


def table_sql(text: str, number: int, drift: bool = False) -> str:
    small = {"size": 20 + number % 37, "seven": number % 7, "parent": number // 2}
    check = CHECK.format(n=number, **small) if number % 4 == 0 else ""
    return text.format(n=number, check=check, title="" if drift else " NOT NULL", **small)


def write_project(where: Path, tables: int, migrations: int, drifting: int = 0) -> Path:
    """Write migrations that make the tables in equal parts, or a table each and then a column each.

    The `drifting` first tables have a column that takes NULL on MySQL only.
    """
    share = max(tables // migrations, 1)
    for step in range(migrations):
        last = tables if step == migrations - 1 else min(tables, (step + 1) * share)
        numbers = range(step * share, last)
        sqlite = "".join(table_sql(SQLITE_TABLE, n) for n in numbers)
        mysql = "".join(table_sql(MYSQL_TABLE, n, n < drifting) for n in numbers)
        if not numbers:
            sqlite = mysql = f"ALTER TABLE t{step % tables} ADD COLUMN extra{step} BIGINT;\n"
        for side, up in (("migrations", sqlite), ("migrations_mysql", mysql)):
            folder = where / side / f"{step + 1:05}_step"
            folder.mkdir(parents=True)
            (folder / "up.sql").write_text(up)
    return where


# ---- the bare floor ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Server:
    """The binary, flags and libraries of a server that scripts/ started, and its directory."""

    command: Sequence[str]
    libraries: str
    place: Path

    @property
    def system_tables(self) -> str:
        """The SQL of MariaDB's system tables, which lies beside its messages."""
        share = next(
            flag.partition("=")[2] for flag in self.command if flag.startswith("--lc-messages-dir=")
        )
        names = [
            name
            for name in ("mariadb_system_tables", "mysql_system_tables")
            if (Path(share) / f"{name}.sql").exists()
        ]
        return "use mysql;\n" + "".join(
            (Path(share) / f"{names[0]}{end}.sql").read_text("utf-8") for end in ("", "_data")
        )

    def moved(self, to: Path) -> list[str]:
        """The same command for another directory, and without the users that a lease makes."""
        words = (word.replace(str(self.place), str(to)) for word in self.command)
        return [word for word in words if not word.startswith("--init-file=")]


def seen_server() -> Server:
    """What the local engine runs, looked at rather than repeated here."""
    with leased() as address:
        place = Path(address.socket or "").parent
        pid = (place / "pid").read_text().strip()
        command = xtask.run(["ps", "-ww", "-o", "args=", "-p", pid]).stdout.split()
        environment = Path(f"/proc/{pid}/environ")
        known = environment.read_text().split("\0") if environment.exists() else []
    libraries = next(
        (
            value
            for name, _, value in (entry.partition("=") for entry in known)
            if name == "LD_LIBRARY_PATH"
        ),
        "",
    )
    return Server(command, libraries, place)


def bare_floor(server: Server) -> Sample:
    """An empty server: made, started, asked one query and killed."""
    environment = dict(os.environ)
    if server.libraries:
        environment["LD_LIBRARY_PATH"] = server.libraries
    sql = server.system_tables

    def sample() -> None:
        with directory(server.place.parent) as path:
            for name in ("data/mysql", "tmp", "files", "plugins"):
                (path / name).mkdir(parents=True)
            command = server.moved(path)
            bootstrap = [*command, "--bootstrap", "--skip-grant-tables"]
            subprocess.run(
                bootstrap, input=sql, env=environment, capture_output=True, text=True, check=True
            )
            ask_and_kill(command, path / "s", environment)

    return sample


def ask_and_kill(command: Sequence[str], socket: Path, environment: Mapping[str, str]) -> None:
    """Start a server, ask it one thing as soon as it answers, kill it."""
    process = subprocess.Popen(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not asked(socket):
            if process.poll() is not None:
                raise RuntimeError(
                    f"the bare server ended with status {process.returncode}: {' '.join(command)}"
                )
            time.sleep(0.002)
    finally:
        process.kill()
        process.wait()


def asked(socket: Path) -> bool:
    """One query, if the server answers."""
    import pymysql

    try:
        with (
            pymysql.connect(unix_socket=str(socket), user="root", ssl_disabled=True) as connection,
            connection.cursor() as cursor,
        ):
            return bool(cursor.execute("SELECT 1"))
    except pymysql.err.OperationalError:
        return False


def bench_local(runs: int) -> list[Ratio]:
    with own_project() as project:
        options = ("--server", "local")
        samples = {
            "floor": bare_floor(seen_server()),
            "run": verify(project, *options, "--no-rows", "--locked"),
            "rows": verify(project, *options, "--rows", "--locked"),
        }
        samples["run"]()  # writes the bytecode
        times = interleaved(runs, samples)
    floor = "an empty mariadbd: bootstrap, start, a query, kill"
    run, rows = "verify-migrations on this repository", "the same with rows"
    return [
        Ratio(run, floor, times["run"], times["floor"], most=1.5),
        Ratio(rows, floor, times["rows"], times["floor"], most=3),
    ]


def bench_rows(runs: int) -> list[Ratio]:
    """Rows, blame and the round trip, each against the plain run of 60 migrations and 30 tables."""
    with directory() as where:
        same = write_project(where / "same", 30, 60)
        drifting = write_project(where / "drifting", 30, 60, drifting=5)
        options = ("--server", "local")
        samples = {
            "plain": verify(same, *options, "--no-rows"),
            "rows": verify(same, *options, "--rows"),
            "blame": verify(drifting, *options, "--no-rows", expected=1),
        }
        times = interleaved(runs, samples)
    plain = "the run without, 60 migrations and 30 tables a side"
    return [
        Ratio("a run with rows", plain, times["rows"], times["plain"], most=5),
        Ratio("a run that blames five findings", plain, times["blame"], times["plain"], most=3),
    ]


# ---- docker: against compose alone ---------------------------------------------------------------


def compose_environment(image: str) -> dict[str, str]:
    """What scripts/engine-docker.sh sets; the labels let a sweep take away what a killed bench leaves."""
    owner = xtask.Owner.this_process()
    return {
        **os.environ,
        "XTASK_MARIADB_IMAGE": image,
        "XTASK_BOOT": (ROOT / "scripts" / "boot-server.sh").read_text("utf-8"),
        "XTASK_LEASE": owner.lease_id(),
        "XTASK_PASSWORD": "bench",
        "XTASK_OWNER_PID": owner.pid,
        "XTASK_OWNER_START": owner.start,
        "XTASK_OWNER_BOOT": owner.boot,
        "XTASK_OWNER_NAMESPACE": owner.namespace,
    }


def compose_alone(compose: str, image: str, **variables: str) -> Sample:
    """`up --wait` and `down`; a health check is asked for as often as `variables` say."""

    def sample() -> float:
        environment = {**compose_environment(image), **variables}
        name = environment["XTASK_LEASE"].replace("_", "-")
        file = str(ROOT / "docker-compose.mariadb.yml")
        command = [
            *compose.split(),
            "--project-name",
            name,
            "--env-file",
            os.devnull,
            "--file",
            file,
        ]
        start = time.perf_counter()
        try:
            subprocess.run(
                [*command, "up", "--detach", "--wait"],
                env=environment,
                capture_output=True,
                text=True,
                check=True,
            )
        finally:
            subprocess.run(
                [*command, "down"], env=environment, capture_output=True, text=True, check=True
            )
        return time.perf_counter() - start

    return sample


def bench_docker(runs: int) -> list[Ratio]:
    compose = xtask.find_compose()
    obstacle = xtask.docker_obstacle() or ("" if compose else "there is no Docker Compose 2")
    if obstacle:
        PROGRESS.note(f"docker: not measured: {obstacle}")
        return []
    is_here = xtask.run(["docker", "image", "inspect", DOCKER_IMAGE]).returncode == 0
    default = DOCKER_IMAGE if is_here else xtask.Settings().image
    image = os.environ.setdefault("XTASK_MARIADB_IMAGE", default)
    with own_project() as project:
        ours = verify(project, "--server", "docker", "--no-rows", "--locked")
        ours()  # may pull the image
        times = interleaved(runs, {"ours": ours, "compose": compose_alone(compose, image)})
    what = f"verify-migrations --server docker ({image})"
    return [Ratio(what, "docker compose up --wait, down", times["ours"], times["compose"], 1.3)]


# ---- compare: against SQLAlchemy and Alembic -----------------------------------------------------


def forget() -> None:
    """Empty the caches of xtask.py: a run of it begins with none."""
    for value in vars(xtask).values():
        if hasattr(value, "cache_clear"):
            value.cache_clear()


def assert_whole(schema: xtask.Schema, tables: int) -> None:
    """A comparison of nothing would be fast."""
    found = [
        sum(len(getattr(table, part)) for table in schema.tables.values())
        for part in ("columns", "foreign_keys", "indexes", "uniques")
    ]
    if [len(schema.tables), *found] != [tables, 12 * tables, tables, tables, tables]:
        raise RuntimeError(
            f"read {len(schema.tables)} tables, and columns, foreign keys, indexes, uniques {found}"
        )


def alembic_compare(sqlite: xtask.SQLiteBackend, address: xtask.Address) -> tuple[object, ...]:
    """The same with Alembic: MySQL is compared with what SQLAlchemy reflects from SQLite."""
    import sqlalchemy
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    ours = sqlalchemy.create_engine(
        "sqlite://", creator=lambda: sqlite.open, poolclass=sqlalchemy.pool.StaticPool
    )
    theirs = sqlalchemy.create_engine(
        "mysql+pymysql://", creator=lambda: xtask.connect(address, address.database, 600)
    )
    metadata = sqlalchemy.MetaData()
    metadata.reflect(ours)
    with theirs.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        found = compare_metadata(context, metadata)
    theirs.dispose()
    return metadata, context, found


def discovered(directory: Path, dialect: xtask.Dialect) -> list[xtask.Migration]:
    return xtask.discover(xtask.read_snapshot(directory, directory), dialect).migrations


def bench_compare(runs: int) -> list[Ratio]:
    tables = 1000
    with directory() as where, leased() as address:
        sqlite = xtask.make_sqlite(xtask.Settings())
        mysql = xtask.MySQLBackend(address, "", (), 600)
        write_project(where, tables, 10)
        steps = xtask.pair(
            discovered(where / "migrations", "sqlite"),
            discovered(where / "migrations_mysql", "mysql"),
        )
        for backend in (sqlite, mysql):
            xtask.build(backend, steps, lambda _: None)
            assert_whole(backend.read(), tables)

        def ours() -> tuple[object, ...]:
            forget()
            gc.disable()  # as xtask.py runs; Alembic with it, as its users run it
            try:
                one, other = sqlite.read(), mysql.read()
                return one, other, xtask.compare(one, other)
            finally:
                gc.enable()

        samples = {"ours": ours, "alembic": lambda: alembic_compare(sqlite, address)}
        times = interleaved(runs, samples)
        mysql.close()
    what = f"reading and comparing {tables} tables, {12 * tables} columns"
    against = "SQLAlchemy reflection, Alembic compare_metadata"
    return [Ratio(what, against, times["ours"], times["alembic"], least=10)]


# ---- growth ------------------------------------------------------------------------------------


def bench_growth(runs: int) -> list[Ratio]:
    """The whole run against its size: each size against the one before it."""
    rows = []
    with directory() as where:
        for what, sizes in (("tables", (10, 100, 1000)), ("migrations", (10, 100, 500))):
            samples = {}
            for size in sizes:
                tables = size if what == "tables" else 10
                migrations = size if what == "migrations" else 10
                project = write_project(where / f"{what}{size}", tables, migrations)
                samples[f"{size} {what}"] = verify(project, "--server", "local", "--no-rows")
            times = interleaved(runs, samples)
            names = list(samples)
            for small, large in pairwise(names):
                rows.append(Ratio(large, small, times[large], times[small]))
            medians = [statistics.median(found) for found in times.values()]
            growth = math.log(medians[-1] / medians[0]) / math.log(sizes[-1] / sizes[0])
            PROGRESS.note(f"{what}: the time grows with the power {growth:.2f} of their number")
    return rows


# ---- report ------------------------------------------------------------------------------------


def processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    named = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()


def conditions() -> str:
    """The machine and the versions that the figures depend on."""
    with leased() as address:
        mysql = xtask.MySQLBackend(address, "", (), 60)
        server = f"{mysql.flavour} {mysql.version}"
        mysql.close()
    packages = [version_of(name) for name in ("sqlglot", "sqlalchemy", "alembic")]
    python = f"Python {platform.python_version()}"
    sqlite = f"SQLite {sqlite3.sqlite_version}"
    return ", ".join([processor(), f"{os.cpu_count()} cores", python, sqlite, server, *packages])


def version_of(package: str) -> str:
    """Name a package with its version; only `compare` needs SQLAlchemy and Alembic."""
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"without {package}"


BENCHMARKS: Final[Mapping[str, Callable[[int], list[Ratio]]]] = {
    "local": bench_local,
    "rows": bench_rows,
    "docker": bench_docker,
    "compare": bench_compare,
    "growth": bench_growth,
}


def print_report(rows: Sequence[Ratio], runs: int) -> None:
    from tabulate import tabulate

    print(conditions())
    print(f"seconds: medians of {runs} interleaved runs (fastest–slowest)\n")
    headers = ["measured", "s", "against", "s", "ratio", "target", ""]
    print(tabulate([ratio.row() for ratio in rows], headers, disable_numparse=True))


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="xtask.py bench", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"some of {', '.join(BENCHMARKS)}; default: all")
    parser.add_argument("--runs", type=int, default=5, help="samples of each (default: 5)")
    arguments = parser.parse_args(words)
    unknown = set(arguments.names) - set(BENCHMARKS)
    if unknown or arguments.runs < 1:
        parser.error(f"expected some of {', '.join(BENCHMARKS)}, and at least one run")
    xtask.SIGNALS.install()
    names = arguments.names or [*BENCHMARKS]
    rows: list[Ratio] = []
    try:
        if "compare" in names:
            xtask.need("sqlalchemy", "alembic")
        for name in names:
            rows += BENCHMARKS[name](arguments.runs)
    except xtask.Interrupted as interrupted:
        return interrupted.status
    except xtask.XtaskError as error:
        xtask.report_error(error)
        return error.status
    finally:  # interrupted after half an hour: what is measured is shown
        PROGRESS.done()
        if rows:
            print_report(rows, arguments.runs)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
