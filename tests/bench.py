"""What xtask.py costs, as ratios taken in one run; `python xtask.py bench` runs this.

    local     end to end on this repository's migrations, against the bare floor: an empty server made,
              started, asked one query and killed
    docker    the same with Docker, against `docker compose up --wait` and `down` of the same file
    compare   reading and comparing 1,000 tables, against SQLAlchemy with Alembic and against the bare queries
    growth    seconds and memory against the number of tables and of migrations
    blame     blame and round trip against the plain run

Samples are interleaved (A B A B …) and medians reported.  What falls short of its target is marked; no
time ever makes this fail.  The bare floor is the one server that is not started by scripts/: it is what
they are measured against, with the flags and on the file system of a server that they started.
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import json
import math
import os
import platform
import re
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import xtask  # noqa: E402

Sample = Callable[[], float]
PROGRESS: Final = xtask.Progress(0)
DOCKER_IMAGE: Final = "xtask-mariadb:11.8"  # what scripts/build-image.sh makes


# ---- results ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ratio:
    """Medians of what was measured and of what it is held against; `target` is the most that `ratio` may be,
    or the least where it is `faster` (then the ratio is against / measured).  None: for information."""

    benchmark: str
    measured: str
    against: str
    seconds: Sequence[float]
    other: Sequence[float]
    target: float | None = None
    faster: bool = False

    @property
    def ratio(self) -> float:
        ratio = statistics.median(self.seconds) / statistics.median(self.other)
        return 1 / ratio if self.faster else ratio

    @property
    def short(self) -> bool:
        return self.target is not None and (
            self.ratio < self.target if self.faster else self.ratio > self.target
        )

    @property
    def wanted(self) -> str:
        return "" if self.target is None else f"{'≥' if self.faster else '≤'} {self.target:g}"

    def row(self) -> list[str]:
        times = [spread(self.seconds), spread(self.other)]
        verdict = "FALLS SHORT" if self.short else "ok" if self.target else ""
        return [
            self.benchmark,
            self.measured,
            times[0],
            self.against,
            times[1],
            f"{self.ratio:.2f}",
            self.wanted,
            verdict,
        ]

    def as_json(self) -> dict[str, Any]:
        return {**dataclasses.asdict(self), "ratio": self.ratio, "short": self.short}


@dataclass(frozen=True)
class Growth:
    """Costs at several sizes of `what`: seconds of each phase, and what the process grew to in MB beyond its imports."""

    what: str
    sizes: Sequence[int]
    phases: Mapping[str, Sequence[float]]
    memory: Sequence[float]
    peak: Sequence[float]

    def rows(self) -> list[list[str]]:
        lines = {
            **{f"{phase} (s)": values for phase, values in self.phases.items()},
            "memory grown by (MB)": self.memory,
        }
        rows = [
            [
                self.what,
                name,
                *(f"{value:.3g}" for value in values),
                f"{exponent(self.sizes, values):.2f}",
                self.last(values),
            ]
            for name, values in lines.items()
        ]
        return [
            *rows,
            [self.what, "peak memory (MB)", *(f"{value:.0f}" for value in self.peak), "", ""],
        ]

    def last(self, values: Sequence[float]) -> str:
        return f"{exponent(self.sizes[-2:], values[-2:]):.2f}"

    def as_json(self) -> dict[str, Any]:
        exponents = {phase: exponent(self.sizes, values) for phase, values in self.phases.items()}
        return {
            **dataclasses.asdict(self),
            "exponents": {**exponents, "memory": exponent(self.sizes, self.memory)},
        }


@dataclass
class Results:
    ratios: list[Ratio] = field(default_factory=list)
    growth: list[Growth] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    runs: int
    quick: bool


def spread(seconds: Sequence[float]) -> str:
    """The median, and the quickest and slowest beside it."""
    return f"{statistics.median(seconds):.3f} ({min(seconds):.3f}–{max(seconds):.3f})"


def exponent(sizes: Sequence[int], values: Sequence[float]) -> float:
    """The slope of a straight line through the logarithms: 1 is linear."""
    points = [
        (math.log(size), math.log(max(value, 1e-6)))
        for size, value in zip(sizes, values, strict=True)
    ]
    return statistics.linear_regression(*zip(*points, strict=True)).slope


# ---- measuring -------------------------------------------------------------------------------


def seconds(function: Callable[..., object], *arguments: object, collector: bool = False) -> float:
    """Until the result is there, not until it is freed again.  Without the garbage collector, as xtask.py runs; with it
    where others are measured as they run."""
    gc.collect()
    if not collector:
        gc.disable()
    try:
        start = time.perf_counter()
        result = function(*arguments)
        elapsed = time.perf_counter() - start
        del result
        return elapsed
    finally:
        gc.enable()


def interleaved(runs: int, samples: Mapping[str, Sample]) -> dict[str, list[float]]:
    """Every sample in turn, `runs` times: what else the machine does meets all of them alike."""
    times: dict[str, list[float]] = {name: [] for name in samples}
    for number in range(1, runs + 1):
        for name, sample in samples.items():
            PROGRESS(f"{number} of {runs}: {name}")
            times[name].append(sample())
    PROGRESS.done()
    return times


@contextmanager
def leased() -> Iterator[xtask.Address]:
    """A private server without network, as verify-migrations has it."""
    with xtask.Lease([xtask.local_engine(False)], False, PROGRESS.note, PROGRESS) as lease:
        yield lease.address()


@contextmanager
def backends(address: xtask.Address) -> Iterator[tuple[xtask.SQLiteBackend, xtask.MySQLBackend]]:
    sqlite = xtask.SQLiteBackend(xtask.DEFAULT_INIT, {}, (), lambda: False)
    mysql = xtask.MySQLBackend(address, "", (), 600)
    try:
        yield sqlite, mysql
    finally:
        mysql.close()
        sqlite.close()


@contextmanager
def directory(base: Path | None = None) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="xtask-bench.", dir=base) as path:
        yield Path(path)


def verify(where: Path, *options: str, module: bool = False, expected: int = 0) -> Sample:
    """verify-migrations as a whole process in a project's directory, from a script or (bytecode cached) a module."""
    command = [
        sys.executable,
        *(["-m", "xtask"] if module else [str(ROOT / "xtask.py")]),
        "verify-migrations",
        "-q",
        *options,
    ]
    environment = {
        name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
    }
    environment["PYTHONPATH"] = str(ROOT)

    def sample() -> float:
        start = time.perf_counter()
        done = subprocess.run(
            command, cwd=where, env=environment, capture_output=True, text=True, check=False
        )
        elapsed = time.perf_counter() - start
        if done.returncode != expected:
            raise RuntimeError(
                f"{' '.join(command)} ended with {done.returncode}: {done.stderr or done.stdout}"
            )
        return elapsed

    return sample


@contextmanager
def own_project() -> Iterator[Path]:
    """A copy of this repository's migrations and settings: a run may write parity.lock."""
    with directory() as path:
        for name in ("migrations", "migrations_mysql"):
            shutil.copytree(ROOT / name, path / name)
        for name in ("parity.toml", "parity.lock"):
            if (ROOT / name).exists():
                shutil.copy(ROOT / name, path / name)
        yield path


# ---- local: against the bare floor -----------------------------------------------------------


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
    sql = server.system_tables
    environment = {
        **os.environ,
        **({"LD_LIBRARY_PATH": server.libraries} if server.libraries else {}),
    }

    def sample() -> float:
        with directory(server.place.parent) as path:
            start = time.perf_counter()
            for name in ("data/mysql", "tmp", "files", "plugins"):
                (path / name).mkdir(parents=True)
            command = server.moved(path)
            bootstrap = [*command, "--bootstrap", "--skip-grant-tables"]
            subprocess.run(
                bootstrap, input=sql, env=environment, capture_output=True, text=True, check=True
            )
            ask_and_kill(command, path / "s", environment)
            return time.perf_counter() - start

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


def without_kept(sample: Sample) -> Sample:
    """As the first time: no data directory is kept that a bootstrap made."""

    def first() -> float:
        for kept in (ROOT / ".mariadb").glob("empty-*.tar"):
            kept.unlink()
        return sample()

    return first


def bench_local(plan: Plan, results: Results) -> None:
    with own_project() as project:
        script, module = (
            verify(project, "--server", "local"),
            verify(project, "--server", "local", module=True),
        )
        module()  # writes the bytecode, and keeps an empty data directory
        samples = {
            "floor": bare_floor(seen_server()),
            "script": script,
            "module": module,
            "first": without_kept(script),
        }
        times = interleaved(plan.runs, samples)
    floor = "empty mariadbd: bootstrap, start, a query, kill"
    results.ratios += [
        Ratio(
            "local",
            "xtask.py verify-migrations --server local",
            floor,
            times["script"],
            times["floor"],
            1.5,
        ),
        Ratio("local", "the same as python -m xtask", floor, times["module"], times["floor"]),
        Ratio("local", "the first time, with a bootstrap", floor, times["first"], times["floor"]),
    ]


# ---- docker: against compose alone -----------------------------------------------------------


def docker_image() -> str:
    """XTASK_MARIADB_IMAGE, else the image that build-image.sh makes where it is here, else the default one."""
    here = xtask.run(["docker", "image", "inspect", DOCKER_IMAGE]).returncode == 0
    return os.environ.get("XTASK_MARIADB_IMAGE") or (
        DOCKER_IMAGE if here else xtask.Settings().image
    )


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


def bench_docker(plan: Plan, results: Results) -> None:
    compose = xtask.find_compose()
    obstacle = xtask.docker_obstacle() or ("" if compose else "there is no Docker Compose 2")
    if obstacle:
        results.skipped["docker"] = obstacle
        return
    image = docker_image()
    os.environ["XTASK_MARIADB_IMAGE"] = image
    with own_project() as project:
        samples = {
            "compose up and down": compose_alone(compose, image),
            "the same, eager": compose_alone(compose, image, XTASK_HEALTH_INTERVAL="100ms"),
            "verify-migrations": verify(project, "--server", "docker"),
        }
        samples["verify-migrations"]()  # may pull the image
        floor, eager, ours = interleaved(plan.runs, samples).values()
    results.ratios += [
        Ratio(
            "docker",
            f"verify-migrations --server docker ({image})",
            "compose up --wait, down",
            ours,
            floor,
            1.3,
        ),
        Ratio("docker", "the same", "the same, a health check each 0.1 s", ours, eager),
    ]


# ---- generated migrations --------------------------------------------------------------------

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
    small = {"size": 20 + number % 37, "seven": number % 7, "parent": max(number - 1, 0)}
    check = CHECK.format(n=number, **small) if number % 4 == 0 else ""
    return text.format(n=number, check=check, title="" if drift else " NOT NULL", **small)


def write_project(where: Path, tables: int, migrations: int, drifting: int = 0) -> None:
    """Migrations that make the tables in equal parts, or a table each and then a column each.
    The `drifting` first tables have a column that takes NULL on MySQL only."""
    share = max(tables // migrations, 1)
    for step in range(migrations):
        label = f"{step + 1:05}_step"
        numbers = range(
            step * share, tables if step == migrations - 1 else min(tables, (step + 1) * share)
        )
        if numbers:
            drops = "".join(f"DROP TABLE t{n};\n" for n in reversed(numbers))
            write_step(
                where / "migrations" / label,
                "".join(table_sql(SQLITE_TABLE, n) for n in numbers),
                drops,
            )
            write_step(
                where / "migrations_mysql" / label,
                "".join(table_sql(MYSQL_TABLE, n, n < drifting) for n in numbers),
                drops,
            )
        else:
            alter = f"ALTER TABLE t{step % tables} {{}} COLUMN extra{step}"
            for side in ("migrations", "migrations_mysql"):
                write_step(
                    where / side / label,
                    f"{alter.format('ADD')} BIGINT;\n",
                    f"{alter.format('DROP')};\n",
                )


def write_step(where: Path, up: str, down: str) -> None:
    where.mkdir(parents=True)
    (where / "up.sql").write_text(up)
    (where / "down.sql").write_text(down)


def steps_of(where: Path) -> list[xtask.Pair]:
    return xtask.pair(
        xtask.discover(where / "migrations", "sqlite"),
        xtask.discover(where / "migrations_mysql", "mysql"),
    )


def quiet(_: str) -> None:
    pass


def forget() -> None:
    """Empty the caches of xtask.py: a run of it begins with none."""
    for value in vars(xtask).values():
        if hasattr(value, "cache_clear"):
            value.cache_clear()


# ---- compare: against SQLAlchemy and Alembic, and against the bare queries ---------------------


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


def read_and_compare(sqlite: xtask.SQLiteBackend, mysql: xtask.MySQLBackend) -> tuple[object, ...]:
    """Both schemas and what is found: a verdict holds them all to the end."""
    forget()
    ours, theirs = sqlite.read(), mysql.read()
    return ours, theirs, xtask.compare(ours, theirs)


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


def queries_of(
    sqlite: xtask.SQLiteBackend, mysql: xtask.MySQLBackend
) -> tuple[list[str], list[str]]:
    """What reading asks of both databases.  (The PRAGMAs inside a query are traced too: those are its own.)"""
    asked: tuple[list[str], list[str]] = ([], [])
    queries = mysql.queries
    mysql.queries = lambda some, *rest: (asked[1].extend(some), queries(some, *rest))[1]  # type: ignore[method-assign]
    sqlite.open.set_trace_callback(asked[0].append)
    try:
        sqlite.read()
        mysql.read()
    finally:
        sqlite.open.set_trace_callback(None)
        del mysql.queries
    found = [sql for sql in asked[0] if sql.startswith("SELECT")], asked[1]
    if min(map(len, found)) < 6:
        raise RuntimeError(f"reading is seen to ask {found[0]} and {found[1]}: not all of it")
    return found


def bare_queries(
    sqlite: xtask.SQLiteBackend,
    mysql: xtask.MySQLBackend,
    asked: tuple[list[str], list[str]],
    at_once: bool,
) -> None:
    for sql in asked[0]:
        sqlite.open.execute(sql).fetchall()
    for some in [asked[1]] if at_once else [[sql] for sql in asked[1]]:
        mysql.queries(some)


def bench_compare(plan: Plan, results: Results) -> None:
    tables = 50 if plan.quick else 1000
    with directory() as where, leased() as address, backends(address) as (sqlite, mysql):
        write_project(where, tables, 10)
        for backend in (sqlite, mysql):
            xtask.build(backend, steps_of(where), quiet)
            assert_whole(backend.read(), tables)
        asked = queries_of(sqlite, mysql)
        samples = {
            "reading and comparing": lambda: seconds(read_and_compare, sqlite, mysql),
            "bare queries": lambda: seconds(bare_queries, sqlite, mysql, asked, False),
            "bare queries at once": lambda: seconds(bare_queries, sqlite, mysql, asked, True),
            "SQLAlchemy and Alembic": lambda: seconds(
                alembic_compare, sqlite, address, collector=True
            ),
        }
        times = interleaved(plan.runs, samples)
    ours, bare, at_once, alembic = times.values()
    what = f"reading and comparing {tables} tables"
    queries = f"its {sum(map(len, asked))} bare queries"
    results.ratios += [
        Ratio(
            "compare",
            what,
            "SQLAlchemy reflection, Alembic compare_metadata",
            ours,
            alembic,
            10,
            faster=True,
        ),
        Ratio("compare", what, f"{queries}, one by one, thrown away", ours, bare, 2),
        Ratio("compare", what, f"{queries}, sent at once", ours, at_once),
    ]


# ---- growth: against size --------------------------------------------------------------------


SIZES: Final = {"tables": (10, 100, 1000, 3000), "migrations": (10, 100, 500)}
QUICK_SIZES: Final = {"tables": (10, 30, 100), "migrations": (10, 30, 60)}


def resident() -> float:
    """What this process has been at most, in MB.  A child's ru_maxrss begins with its parent's, so Linux is asked otherwise."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\s*(\d+)", status.read_text())[1]) / 1024  # type: ignore[index]
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # bytes on macOS


def child() -> None:
    """One measurement in a process of its own: the project and the server on standard input, phases and memory on output."""
    import sqlglot  # noqa: F401  # its import is not what grows

    asked = json.load(sys.stdin)
    gc.disable()  # as xtask.py runs
    with backends(xtask.Address(**asked["address"])) as (sqlite, mysql):
        mysql.fresh()
        before = resident()
        phases = measured_phases(Path(asked["where"]), sqlite, mysql)
    print(json.dumps({"phases": phases, "memory": resident() - before, "peak": resident()}))


def measured_phases(
    where: Path, sqlite: xtask.SQLiteBackend, mysql: xtask.MySQLBackend
) -> dict[str, float]:
    clock = [time.perf_counter()]
    steps = steps_of(where)
    clock.append(time.perf_counter())
    xtask.build(sqlite, steps, quiet)
    clock.append(time.perf_counter())
    xtask.build(mysql, steps, quiet)
    clock.append(time.perf_counter())
    ours, theirs = sqlite.read(), mysql.read()
    findings = xtask.compare(ours, theirs)
    clock.append(time.perf_counter())
    list(xtask.describe(ours, theirs, xtask.judge(findings, ())))
    xtask.lock_steps(steps)
    clock.append(time.perf_counter())
    names = (
        "finding migrations",
        "applying to SQLite",
        "applying to MySQL",
        "reading and comparing",
        "proof",
    )
    lengths = (later - earlier for earlier, later in pairwise(clock))
    return {**dict(zip(names, lengths, strict=True)), "all": clock[-1] - clock[0]}


def run_child(where: Path, address: xtask.Address) -> dict[str, Any]:
    asked = json.dumps({"where": str(where), "address": dataclasses.asdict(address)})
    done = subprocess.run(
        [sys.executable, __file__, "--child"],
        input=asked,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


def grown(what: str, projects: Mapping[int, Path], runs: int, address: xtask.Address) -> Growth:
    found: dict[int, list[dict[str, Any]]] = {size: [] for size in projects}
    for number in range(1, runs + 1):
        for size, where in projects.items():
            PROGRESS(f"{number} of {runs}: {size} {what}")
            found[size].append(run_child(where, address))
    PROGRESS.done()
    return Growth(what, list(projects), *middle(list(found.values())))


def middle(
    found: Sequence[Sequence[Mapping[str, Any]]],
) -> tuple[dict[str, list[float]], list[float], list[float]]:
    """Medians by phase, of memory and of its peak, a value for each size."""

    def medians(value: Callable[[Mapping[str, Any]], float]) -> list[float]:
        return [statistics.median(map(value, runs)) for runs in found]

    phases = {
        phase: medians(lambda one, phase=phase: one["phases"][phase])
        for phase in found[0][0]["phases"]
    }
    return phases, medians(lambda one: one["memory"]), medians(lambda one: one["peak"])


def bench_growth(plan: Plan, results: Results) -> None:
    with directory() as where, leased() as address:
        for what, numbers in (QUICK_SIZES if plan.quick else SIZES).items():
            projects = {size: where / f"{what}{size}" for size in numbers}
            for size, path in projects.items():
                write_project(
                    path, size if what == "tables" else 10, size if what == "migrations" else 10
                )
            results.growth.append(grown(what, projects, plan.runs, address))


# ---- blame and round trip ----------------------------------------------------------------------


def plain_run(
    steps: Sequence[xtask.Pair], sqlite: xtask.SQLiteBackend, mysql: xtask.MySQLBackend
) -> tuple[Any, ...]:
    forget()
    for backend in (sqlite, mysql):
        backend.fresh()
        xtask.build(backend, steps, quiet)
    final = sqlite.read(), mysql.read()
    return xtask.compare(*final), final


def blamed_run(
    steps: Sequence[xtask.Pair], sqlite: xtask.SQLiteBackend, mysql: xtask.MySQLBackend
) -> None:
    findings, final = plain_run(steps, sqlite, mysql)
    drift = xtask.judge([finding for finding in findings if finding.level == "parity"], ())
    blamed = xtask.blame(steps, sqlite, mysql, drift, final, quiet)
    if not blamed or any(one.finding.migration is None for one in blamed):
        raise RuntimeError("nothing was blamed")


def round_run(
    steps: Sequence[xtask.Pair], sqlite: xtask.SQLiteBackend, mysql: xtask.MySQLBackend
) -> None:
    plain_run(steps, sqlite, mysql)
    faults = xtask.round_trip(steps, (sqlite, mysql), quiet)
    if faults:
        raise RuntimeError(f"the round trip found {faults[0]}")


def bench_blame(plan: Plan, results: Results) -> None:
    migrations = 12 if plan.quick else 60
    with directory() as where:
        write_project(where / "same", migrations // 3, migrations)
        write_project(where / "drifting", migrations // 3, migrations, drifting=5)
        inside = replay_times(where / "drifting", plan.runs)
        options = ("--server", "local", "--locked")
        whole = interleaved(
            plan.runs,
            {
                "plain process": verify(where / "same", "--server", "local"),
                "blaming process": verify(where / "drifting", *options, expected=1),
                "round trip process": verify(where / "same", "--server", "local", "--round-trip"),
            },
        )
    plain = f"the plain run of {migrations} migrations a side"
    bare = f"{plain}, without server and Python start"
    results.ratios += [
        Ratio(
            "blame",
            "the run with blame",
            plain,
            whole["blaming process"],
            whole["plain process"],
            3,
        ),
        Ratio(
            "blame",
            "the run with --round-trip",
            plain,
            whole["round trip process"],
            whole["plain process"],
        ),
        Ratio("blame", "the same with blame", bare, inside["blame"], inside["plain"]),
        Ratio("blame", "the same with --round-trip", bare, inside["round trip"], inside["plain"]),
    ]


def replay_times(where: Path, runs: int) -> dict[str, list[float]]:
    """In this process: what building and reading cost, and what blame and round trip add to it."""
    steps = steps_of(where)
    with leased() as address, backends(address) as both:
        functions = {"plain": plain_run, "blame": blamed_run, "round trip": round_run}
        plain_run(steps, *both)  # imports
        return interleaved(
            runs,
            {
                name: lambda f=function: seconds(f, steps, *both)
                for name, function in functions.items()
            },
        )


# ---- report ----------------------------------------------------------------------------------


def processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.*)", cpuinfo.read_text()) if cpuinfo.exists() else None
    return (
        found[1]
        if found
        else xtask.run(["sysctl", "-n", "machdep.cpu.brand_string"]).stdout.strip()
        or platform.machine()
    )


def machine() -> dict[str, Any]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cores": os.cpu_count(),
        "processor": processor(),
        "memory": f"{memory:.0f} GB",
        "system": f"{platform.system()} {platform.release()}",
        "load": round(os.getloadavg()[0], 2),
    }


def versions() -> dict[str, str]:
    with leased() as address, backends(address) as (_, mysql):
        server = {mysql.flavour: mysql.version}
    docker = xtask.run(["docker", "version", "--format", "{{.Server.Version}}"]).stdout.strip()
    packages = {name: version(name) for name in ("sqlalchemy", "alembic", "sqlglot", "pymysql")}
    return {
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        **server,
        "Docker": docker or "none",
        **packages,
    }


def print_report(about: Mapping[str, Mapping[str, Any]], plan: Plan, results: Results) -> None:
    from tabulate import tabulate

    for what, facts in about.items():
        print(f"{what}: " + ", ".join(f"{name} {value}" for name, value in facts.items()))
    print(
        f"medians of {plan.runs}, interleaved (quickest–slowest){'; --quick: small sizes, no figure to quote' if plan.quick else ''}\n"
    )
    if results.ratios:
        headers = ["benchmark", "measured", "s", "against", "s", "ratio", "target", ""]
        print(
            tabulate([ratio.row() for ratio in results.ratios], headers, disable_numparse=True)
            + "\n"
        )
    for growth in results.growth:
        headers = ["growth", "", *map(str, growth.sizes), "exponent", "of the last two"]
        print(tabulate(growth.rows(), headers, disable_numparse=True) + "\n")
    for name, reason in results.skipped.items():
        print(f"skipped: {name}: {reason}")
    for ratio in results.ratios:
        if ratio.short:
            print(
                f"falls short: {ratio.measured}: {ratio.ratio:.2f} where {ratio.wanted} is wanted, against {ratio.against}"
            )


def as_json(about: Mapping[str, Any], plan: Plan, results: Results) -> str:
    measured = {
        part: [one.as_json() for one in getattr(results, part)] for part in ("ratios", "growth")
    }
    return (
        json.dumps(
            {**about, **dataclasses.asdict(plan), **measured, "skipped": results.skipped},
            indent=2,
            ensure_ascii=False,
        )
        + "\n"
    )


BENCHMARKS: Final[Mapping[str, Callable[[Plan, Results], None]]] = {
    "local": bench_local,
    "docker": bench_docker,
    "compare": bench_compare,
    "growth": bench_growth,
    "blame": bench_blame,
}


def parse(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="xtask.py bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--only", metavar="NAMES", default=",".join(BENCHMARKS), help="these benchmarks, by comma"
    )
    parser.add_argument(
        "--runs", metavar="N", type=int, default=5, help="samples of each (default: 5)"
    )
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it works")
    parser.add_argument("--json", metavar="FILE", help="write the results there too")
    arguments = parser.parse_args(words)
    arguments.only = [name.strip() for name in arguments.only.split(",") if name.strip()]
    unknown = [name for name in arguments.only if name not in BENCHMARKS]
    if unknown or not arguments.only or arguments.runs < 1:
        parser.error(f"--only takes some of {', '.join(BENCHMARKS)}; --runs at least 1")
    return arguments


def measure(arguments: argparse.Namespace) -> None:
    plan, results = Plan(arguments.runs, arguments.quick), Results()
    about = {"machine": machine(), "versions": versions()}
    try:
        for name in arguments.only:
            BENCHMARKS[name](plan, results)
    finally:  # interrupted after half an hour: what is measured is shown
        PROGRESS.done()
        print_report(about, plan, results)
        if arguments.json:
            Path(arguments.json).write_text(as_json(about, plan, results), "utf-8")


def main(words: Sequence[str] | None = None) -> int:
    if words is None and sys.argv[1:] == ["--child"]:
        child()
        return 0
    arguments = parse(words)
    xtask.SIGNALS.install()
    try:
        measure(arguments)
    except xtask.Interrupted as interrupted:
        return interrupted.status
    except xtask.XtaskError as error:
        xtask.report_error(error)
        return error.status
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
