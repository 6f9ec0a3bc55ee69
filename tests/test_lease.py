"""Nothing left behind, whatever happens: runs of xtask.py hit at every stage, in company, and with servers that misbehave.

Each test starts its own leases, on the local engine and, where one answers and the image is here, in Docker
(XTASK_TEST_DOCKER=1 promises that: then a test fails where it would be skipped)."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pymysql
import pytest

import xtask
from conftest import Project, leased_url
from lease_tools import (
    BRIEF,
    CARRIED,
    DRIFTED,
    GONE,
    IMAGE,
    MANY,
    MYSQL,
    PROBED,
    SHELL,
    SHORT,
    SLOW,
    SQLITE,
    Cut,
    Impostor,
    Manners,
    Refusal,
    Run,
    Silence,
    checkout,
    databases_of,
    docker,
    docker_missing,
    processes,
    wait_until,
)

pytestmark = pytest.mark.mariadb

BOUND = 20.0  # seconds in which a run ends whose server misbehaves

HANGING = '#!/bin/sh\n: >"$XTASK_TEST_HANGS"\nexec sleep "$XTASK_TEST_SECONDS"\n'
PULLING = """#!/bin/sh
case $1 in
  image) echo "Error: No such image" >&2; exit 1 ;;
  pull) : >"$XTASK_TEST_HANGS"; exec sleep "$XTASK_TEST_SECONDS" ;;
  *) exec "$XTASK_TEST_DOCKER" "$@" ;;
esac
"""


# ---- kill matrix -------------------------------------------------------------------------------


class Late(Exception):
    """The stage was over before the blow fell."""


@dataclass(frozen=True)
class Stage:
    """A point of a run that is seen from outside; `commands` in front of PATH hold it there, for `seconds`."""

    reached: Callable[[Run], object]
    mysql: str = SLOW
    commands: tuple[tuple[str, str], ...] = ()
    seconds: int = 60
    server: str = ""
    bare: bool = False  # in a checkout without a server
    rows: bool = False
    later: str = ""


@dataclass(frozen=True)
class Blow:
    """What is done to a run, and its exit status after that; the second one where the verdict is already known.
    `goes_on` says that the run itself is not hit and comes to its end; `options` are those that the run needs."""

    strike: Callable[[Run], object]
    status: int
    status_at_end: int | None = None
    word: str = ""
    goes_on: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


def script_of(run: Run) -> int:
    script = run.script()
    if script is None:
        raise Late
    return script.pid


def kill_script(run: Run) -> None:
    with suppress(ProcessLookupError):
        os.kill(script_of(run), signal.SIGKILL)


def kill_both(run: Run) -> None:
    for pid in (script_of(run), run.process.pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def interrupt_group_twice(run: Run) -> None:
    """Ctrl-C, and again while it cleans up."""
    for _ in range(2):
        os.killpg(run.process.pid, signal.SIGINT)
        if not wait_until(lambda: run.process.poll() is not None, 0.05):
            continue
        return


def kill_shell(run: Run) -> None:
    assert run.owner != run.process.pid
    run.process.kill()


def sending(number: signal.Signals) -> Blow:
    status = -number if number == signal.SIGKILL else 128 + number
    return Blow(lambda run: run.process.send_signal(number), status)


BLOWS = {
    **{
        number.name: sending(number)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)
    },
    "SIGKILL to the script": Blow(kill_script, 2, 0, "keeper of the lease was killed"),
    "SIGKILL to both": Blow(kill_both, -signal.SIGKILL),
    "Ctrl-C twice": Blow(interrupt_group_twice, 130),
    "terminal closed": Blow(Run.hang_up, 129, options={"terminal": True}),
    "parent shell gone": Blow(kill_shell, -signal.SIGKILL, goes_on=True, options={"prefix": SHELL}),
}
TO_THE_SCRIPT = ("SIGKILL to the script", "SIGKILL to both")
LOCAL_STAGES = {
    "before": Stage(
        lambda run: run.hangs.exists(), commands=(("docker", HANGING),), seconds=3, server="auto"
    ),
    "fetch": Stage(lambda run: run.hangs.exists(), commands=(("apt-get", HANGING),), bare=True),
    "directory": Stage(Run.directories),
    "socket": Stage(Run.has_socket),
    "answers": Stage(lambda run: run.has_said("the server answers")),
    "migrations": Stage(lambda run: run.has_said("mysql: 1 of")),
    "reading": Stage(lambda run: run.has_said("reading M"), MANY),
    "carrying": Stage(lambda run: run.has_said("rows: 2 of"), MYSQL, later=CARRIED, rows=True),
    "probing": Stage(lambda run: run.has_said("probing t"), PROBED, rows=True),
    "teardown": Stage(lambda run: run.has_said("tearing down"), MYSQL),
}
DOCKER_STAGES = {
    "before": Stage(lambda run: run.hangs.exists(), commands=(("docker", HANGING),), seconds=3),
    "fetch": Stage(lambda run: run.hangs.exists(), commands=(("docker", PULLING),)),
    "directory": LOCAL_STAGES["directory"],
    "container": Stage(Run.containers),
    "migrations": LOCAL_STAGES["migrations"],
    "reading": LOCAL_STAGES["reading"],
    "teardown": LOCAL_STAGES["teardown"],
}
URL_STAGES = {name: LOCAL_STAGES[name] for name in ("migrations", "carrying", "teardown")}
STAGES = {"local": LOCAL_STAGES, "docker": DOCKER_STAGES, "url": URL_STAGES}
Case = tuple[str, str, str]
CASES: list[Case] = [  # before it is started there is no script to kill
    (engine, stage, blow)
    for engine, stages in STAGES.items()
    for stage in stages
    for blow in BLOWS
    if stage != "before" or blow not in TO_THE_SCRIPT
]


def commands(where: Path, *made: tuple[str, str]) -> dict[str, str]:
    """The environment in which these commands, by name and text, are found first."""
    where.mkdir(parents=True, exist_ok=True)
    for name, text in made:
        (where / name).write_text(text)
        (where / name).chmod(0o755)
    return {"PATH": f"{where}:{os.environ['PATH']}"}


def strike(where: Path, case: Case, environment: dict[str, str]) -> None:
    """One run, hit at one stage; all that must hold then."""
    engine, name, blow_name = case
    stage, blow = STAGES[engine][name], BLOWS[blow_name]
    goes_on = blow.goes_on or (engine == "url" and blow_name == "SIGKILL to the script")
    mysql = BRIEF if goes_on and stage.mysql == SLOW else stage.mysql
    seconds = "0.2" if goes_on else "20"
    mysql, later = (text.replace("{seconds}", seconds) for text in (mysql, stage.later))
    environment = {**environment, "XTASK_TEST_SECONDS": "2" if blow.goes_on else str(stage.seconds)}
    root = {"root": checkout(where / "checkout", server=False)} if stage.bare else {}
    server = leased_url() if engine == "url" else stage.server or engine
    rest = ("--rows",) if stage.rows else ()
    with Run(
        where,
        mysql,
        later=later,
        server=server,
        environment=environment,
        rest=rest,
        **root,
        **blow.options,
    ) as run:
        owner = run.owner
        assert wait_until(lambda: stage.reached(run) or run.process.poll() is not None), run.said()
        if run.process.poll() is not None and not stage.reached(run):
            raise AssertionError(f"ended before {name}: {run.said()}")
        blow.strike(run)
        status = run.wait()
        at_end = name == "teardown" or engine == "url"  # a server of one's own lives on
        wanted = blow.status
        if at_end and blow.status_at_end is not None:
            wanted = blow.status_at_end
        if (status in (0, 1) and status != wanted) or (blow.word and blow.word not in run.said()):
            raise Late(f"status {status}: {run.said()}")
        if blow.goes_on:
            assert wait_until(lambda: not Path(f"/proc/{owner}").exists()), run.said()
        if engine == "url" and blow_name == "SIGKILL to both":
            sweep_url(where / "next", run)  # nobody is left to drop it
        run.assert_gone(containers=engine == "docker")
        if engine == "url":
            assert wait_until(lambda: not databases_of(owner), GONE), run.said()
        assert status == wanted, run.said()
        assert "Traceback" not in run.said()
        assert status == 0 or blow.goes_on or not run.out.exists() or run.out.read_text() == ""


def sweep_url(where: Path, left: Run) -> None:
    with Run(where, MYSQL, server=leased_url(), base=left.base) as run:
        assert run.wait() == 0, run.said()


def strike_in_time(where: Path, case: Case, environment: dict[str, str]) -> None:
    """A short stage may be missed on a busy machine; not five times in a row."""
    for attempt in range(5):
        try:
            return strike(where / str(attempt), case, environment)
        except Late as late:
            last = late
    raise AssertionError(f"the blow fell too late, each time: {last}")


def other_server() -> bool:
    """Whether a mariadbd would be found without the one that is unpacked here."""
    places = ("/usr/sbin", "/usr/libexec", "/usr/local/sbin")
    return bool(shutil.which("mariadbd")) or any(
        os.access(f"{place}/mariadbd", os.X_OK) for place in places
    )


@pytest.fixture(scope="module")
def results(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[Case, Future[None]]]:
    """The cases that were selected, several at once: each of them mostly waits."""
    chosen = [
        item.callspec.params["case"]
        for item in request.session.items
        if item.originalname in ("test_killed", "test_killed_in_docker", "test_killed_at_a_url")
    ]
    if docker_missing():
        chosen = [case for case in chosen if case[0] != "docker"]
    # Before there are threads: a file that some fork still has open for writing cannot be run.
    found = {
        (engine, name): commands(tmp_path_factory.mktemp("bin"), *stage.commands)
        for engine, stages in STAGES.items()
        for name, stage in stages.items()
    }
    with ThreadPoolExecutor(max_workers=4) as pool:
        yield {
            case: pool.submit(
                strike_in_time, tmp_path_factory.mktemp("kill"), case, found[case[:2]]
            )
            for case in chosen
        }


@pytest.fixture(scope="session")
def with_docker() -> None:
    obstacle = docker_missing()
    if obstacle and os.environ.get("XTASK_TEST_DOCKER") == "1":
        pytest.fail(f"Docker was promised (XTASK_TEST_DOCKER=1): {obstacle}")
    if obstacle:
        pytest.skip(obstacle)


@pytest.mark.parametrize("case", [case for case in CASES if case[0] == "local"], ids=" - ".join)
def test_killed(case: Case, results: dict[Case, Future[None]]) -> None:
    if case[1] == "fetch" and (other_server() or not shutil.which("dpkg")):
        pytest.skip("nothing would be fetched on this machine")
    results[case].result()


@pytest.mark.parametrize("case", [case for case in CASES if case[0] == "docker"], ids=" - ".join)
def test_killed_in_docker(case: Case, with_docker: None, results: dict[Case, Future[None]]) -> None:
    results[case].result()


@pytest.mark.parametrize("case", [case for case in CASES if case[0] == "url"], ids=" - ".join)
def test_killed_at_a_url(case: Case, results: dict[Case, Future[None]]) -> None:
    results[case].result()


def freeze_and_kill(run: Run, spare: int = 0) -> None:
    """xtask.py, script and guard at one blow: first all are stopped, so that none sees another's end."""
    keepers = [
        one
        for one in processes(run.mark)
        if "xtask.py\0" in one.command or "lease.sh\0" in one.command
        if one.pid != spare
    ]
    assert len(keepers) > 3, keepers
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for one in keepers:
            one.kill(number)
    run.wait()


def test_the_next_run_sweeps_what_nobody_could(tmp_path: Path) -> None:
    with Run(tmp_path / "killed") as run:
        assert wait_until(lambda: run.has_said("mysql: 1 of"))
        server = run.server()
        freeze_and_kill(run)
        assert (
            server.pid in [one.pid for one in processes(run.mark)] and run.has_socket()
        )  # else this would prove nothing
        with Run(tmp_path / "next", MYSQL, base=run.base) as second:
            assert second.wait() == 0, second.said()
            second.assert_gone()
        run.assert_gone(seconds=1)


@pytest.mark.parametrize("stopped", [False, True], ids=["running", "hung"])
def test_a_lease_has_a_lifetime(stopped: bool, tmp_path: Path) -> None:
    with Run(tmp_path, environment={"XTASK_LIFETIME": "4"}) as run:
        assert wait_until(lambda: run.has_said("mysql: 1 of") or run.process.poll() is not None)
        if stopped:
            run.process.send_signal(signal.SIGSTOP)
            assert wait_until(
                lambda: (
                    not run.directories() and not any(one.is_server for one in processes(run.mark))
                ),
                GONE,
            )
            run.process.send_signal(signal.SIGCONT)
        assert run.wait() == 2
        assert (
            run.has_said("mysql: 1 of")
            and run.has_said("older than its lifetime of 4 s")
            and not run.has_said("Traceback")
        ), run.said()
        run.assert_gone()


def test_a_local_server_has_a_lifetime_of_its_own(tmp_path: Path) -> None:
    """With xtask.py, script and guard killed nobody else would end it before the next run."""
    with Run(tmp_path, environment={"XTASK_LIFETIME": "3"}) as run:
        assert wait_until(lambda: run.has_said("mysql: 1 of"))
        server, (directory,) = run.server(), run.directories()
        watcher = int((directory / "lifetime").read_text().split()[0])
        freeze_and_kill(run, spare=watcher)
        assert server.pid in [one.pid for one in processes(run.mark)]
        run.assert_gone()


def test_the_run_whose_shell_is_gone_says_what_it_found(tmp_path: Path) -> None:
    with Run(tmp_path, BRIEF, prefix=SHELL) as run:
        assert run.owner and wait_until(lambda: run.has_said("mysql: 1 of"))
        run.process.kill()
        assert run.wait() == -signal.SIGKILL
        assert wait_until(lambda: "Verdict: parity\n" in run.out.read_text()), run.said()
        run.assert_gone()


# ---- the sweep takes only its own --------------------------------------------------------------


def identity() -> xtask.Owner:
    return xtask.Owner.this_process()


def dead_pid() -> int:
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


OWNERS: list[tuple[str, str | None, int, bool]] = [  # what, file, age in seconds, swept
    ("dead", "{dead} 12345 {boot} {namespace} local", 0, True),
    ("pid used again", "{pid} 12345 {boot} {namespace} local", 0, True),
    ("alive", "{pid} {start} {boot} {namespace} local", 0, False),
    ("alive, torn down in part", "{pid} {start} {boot} {namespace} local", 300, False),
    ("before a reboot", "{pid} {start} 0000-00 {namespace} local", 0, True),
    ("of another container", "{dead} 12345 {boot} pid:[1] local", 0, False),
    ("Docker's, swept by its own", "{dead} 12345 {boot} {namespace} docker", 0, False),
    ("no owner yet", None, 0, False),
    ("no owner since long", None, 300, True),
    ("not a pid", "-1 12345 {boot} {namespace} local", 0, False),
    ("garbage", "$(id) `id`", 0, False),
]


def test_directories_that_a_sweep_takes(tmp_path: Path) -> None:
    me = identity()
    words = {
        "pid": me.pid,
        "start": me.start,
        "boot": me.boot,
        "namespace": me.namespace,
        "dead": dead_pid(),
    }
    with Run(tmp_path / "first") as run:
        assert wait_until(lambda: run.has_said("mysql: 1 of"))
        paths = {}
        for number, (what, owner, age, _) in enumerate(OWNERS):
            paths[what] = run.base / f"xtask.case_{number}"
            paths[what].mkdir(mode=0o700)
            if owner is not None:
                (paths[what] / "owner").write_text(owner.format(**words) + "\n")
            os.utime(paths[what], (time.time() - age,) * 2)
        for name in ("xtask.UPPER", "xtask.a-b", "xtask_dead", "other.xtask.dead"):
            paths[name] = run.base / name
            paths[name].mkdir()
            (paths[name] / "owner").write_text(OWNERS[0][1].format(**words) + "\n")  # type: ignore[union-attr]
        paths["a link to elsewhere"] = run.base / "xtask.link"
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "elsewhere" / "owner").write_text(OWNERS[0][1].format(**words) + "\n")  # type: ignore[union-attr]
        paths["a link to elsewhere"].symlink_to(tmp_path / "elsewhere")
        with Run(tmp_path / "second", MYSQL, base=run.base) as second:
            assert second.wait() == 0, second.said()
        wanted = {what for what, _, _, swept in OWNERS if swept}
        assert {what for what, path in paths.items() if not path.exists()} == wanted
        assert (
            run.process.poll() is None
            and run.has_socket()
            and (tmp_path / "elsewhere" / "owner").exists()
        )


def lease_names() -> dict[str, bool]:
    """Names of databases, and whether a sweep takes them: only one of this machine whose process is gone."""
    me = identity()
    start = hashlib.sha256(me.start.encode()).hexdigest()[:6]
    pid, dead = f"{int(me.pid):x}", f"{dead_pid():x}"
    elsewhere = "000000" if me.machine != "000000" else "111111"
    return {
        f"xtask_{me.machine}_{dead}_123456_abcd": True,
        f"xtask_{me.machine}_{pid}_123456_abcd": True,  # the pid was used again
        f"xtask_{me.machine}_{pid}_{start}_abcd": False,
        f"xtask_{elsewhere}_{dead}_123456_abcd": False,
        f"xtask_{me.machine}_{dead}_123456_abcd_app": False,
        f"xtask_{me.machine}_{dead}_123456": False,
        f"my_xtask_{me.machine}_{dead}_123456_abcd": False,
        "xtask_" + secrets.token_hex(4): False,
    }


def test_databases_that_a_sweep_takes(
    project: Project, server_url: str, query: Callable[[str], list[tuple[Any, ...]]]
) -> None:
    names = lease_names()
    try:
        for name in names:
            query(f"CREATE DATABASE `{name}`")
            query(f"CREATE USER '{name[:32]}'@'%'")
        done = project.pair(SQLITE, MYSQL).run("verify-migrations", "--server", server_url)
        assert done.returncode == 0, done.stderr
        databases, users = (
            {row[0] for row in query(sql)}
            for sql in ("SHOW DATABASES", "SELECT user FROM mysql.user")
        )
        assert {name: name not in databases for name in names} == names
        assert {name: name[:32] not in users for name in names if len(name) < 33} == {
            name: names[name] for name in names if len(name) < 33
        }
    finally:
        for name in names:
            query(f"DROP DATABASE IF EXISTS `{name}`")
            query(f"DROP USER IF EXISTS '{name[:32]}'@'%'")


def labels(owner: tuple[str, str, str, str], **others: str) -> dict[str, str]:
    names = ("xtask.owner-pid", "xtask.owner-start", "xtask.boot", "xtask.pidns")
    return {
        **dict(zip(names, owner, strict=True)),
        "xtask.lease": f"xtask_test_{secrets.token_hex(4)}",
        **others,
    }


def containers_to_sweep() -> list[tuple[str, dict[str, str], bool]]:
    me, gone = identity(), str(dead_pid())
    dead = (gone, "12345", me.boot, me.namespace)
    foreign = {name: value for name, value in labels(dead).items() if name != "xtask.lease"}
    return [
        ("dead", labels(dead), True),
        ("pid used again", labels((me.pid, "12345", me.boot, me.namespace)), True),
        ("alive", labels((me.pid, me.start, me.boot, me.namespace)), False),
        ("of another machine or boot", labels((gone, "12345", "0000-00", me.namespace)), False),
        ("of another container", labels((gone, "12345", me.boot, "pid:[1]")), False),
        (
            "another project's, named much like ours",
            {"com.docker.compose.project": f"xtask-{me.machine}"},
            False,
        ),
        (
            "another project's, labelled much like ours",
            {**foreign, "xtask.leases": "xtask_1"},
            False,
        ),
    ]


def test_containers_that_a_sweep_takes(with_docker: None, tmp_path: Path) -> None:
    made = {}
    try:
        for what, words, _ in containers_to_sweep():
            options = [
                option for name, value in words.items() for option in ("--label", f"{name}={value}")
            ]
            name = f"xtask-test-{secrets.token_hex(4)}"
            made[what] = docker("create", "--name", name, *options, IMAGE, "true").strip()
            assert made[what], what
        with Run(tmp_path, MYSQL, server="docker") as run:
            assert run.wait() == 0, run.said()
            run.assert_gone(containers=True)
        there = docker("ps", "--all", "--quiet", "--no-trunc").split()
        assert {what: made[what] not in there for what in made} == {
            what: swept for what, _, swept in containers_to_sweep()
        }
    finally:
        docker("rm", "--force", *made.values())


def test_a_container_has_a_lifetime_of_its_own(with_docker: None, tmp_path: Path) -> None:
    """With nobody to end it and no sweep; its directory is left to the next run."""
    with Run(tmp_path / "killed", server="docker", environment={"XTASK_LIFETIME": "6"}) as run:
        assert wait_until(lambda: run.has_said("mysql: 1 of") or run.process.poll() is not None)
        freeze_and_kill(run)
        assert run.containers(), run.said()
        assert wait_until(lambda: not run.containers() and not processes(run.mark), 6 + GONE)
        with Run(
            tmp_path / "next", MYSQL, base=run.base
        ) as second:  # a local one leaves those of Docker alone
            assert second.wait() == 0 and run.directories()
        with Run(tmp_path / "next again", MYSQL, base=run.base, server="docker") as second:
            assert second.wait() == 0, second.said()
            second.assert_gone(containers=True)


def test_the_next_run_sweeps_a_container(with_docker: None, tmp_path: Path) -> None:
    with Run(tmp_path / "killed", server="docker") as run:
        assert wait_until(lambda: run.has_said("mysql: 1 of") or run.process.poll() is not None)
        freeze_and_kill(run)
        assert run.containers(), run.said()
        for path in run.directories():
            shutil.rmtree(path)  # by its labels alone
        with Run(tmp_path / "next", MYSQL, base=run.base, server="docker") as second:
            assert second.wait() == 0, second.said()
            second.assert_gone(containers=True)
        run.assert_gone(containers=True, seconds=1)


GOING_AWAY = """#!/bin/sh
[ ! -e "$XTASK_TEST_HANGS" ] || { echo "Cannot connect to the Docker daemon" >&2; exit 1; }
exec "$XTASK_TEST_DOCKER" "$@"
"""


def test_docker_that_goes_away_under_a_lease(with_docker: None, tmp_path: Path) -> None:
    """What cannot be removed is said and no success; the next run with Docker back removes it."""
    path = commands(tmp_path / "bin", ("docker", GOING_AWAY))
    with Run(tmp_path / "left", BRIEF, server="docker", environment=path) as run:
        assert wait_until(lambda: run.has_said("mysql: 1 of") or run.process.poll() is not None)
        run.hangs.touch()
        assert run.wait() == 2, run.said()
        assert run.has_said("could not be removed: Docker does not answer any more"), run.said()
        assert run.containers()  # else this would prove nothing
        with Run(tmp_path / "next", MYSQL, base=run.base, server="docker") as second:
            assert second.wait() == 0, second.said()
            second.assert_gone(containers=True)
        run.assert_gone(containers=True, seconds=1)


# ---- several at once ---------------------------------------------------------------------------

PAUSE = " SELECT SLEEP(0.5);"


@contextmanager
def crowd(where: Path, count: int, server: str) -> Iterator[list[Run]]:
    """Runs with one directory for their leases, of this checkout and of a copy, at parity and not, in turn."""
    roots = (xtask.ROOT, checkout(where / "copy"))
    with ExitStack() as stack:
        base = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="xt.", dir=SHORT)))
        runs = []
        for number in range(count):
            mysql = (DRIFTED if number & 2 else MYSQL) + PAUSE
            run = Run(
                where / str(number),
                mysql,
                root=roots[number & 1],
                base=base,
                server=server,
                environment={"XTASK_TIMEOUT": "150"},
            )
            runs.append(stack.enter_context(run))
        yield runs
        for run in runs:
            run.assert_gone(containers=server == "docker")


def assert_right(where: Path, count: int, server: str, killed: dict[int, signal.Signals]) -> None:
    """Those that are not killed: the same status and bytes for the same input."""
    said: dict[int, set[str]] = {0: set(), 1: set()}
    with crowd(where, count, server) as runs:
        for number, blow in killed.items():
            assert wait_until(partial(runs[number].has_said, "mysql: 1 of"), 180)
            runs[number].process.send_signal(blow)
        for number, run in enumerate(runs):
            if number not in killed:
                status = number >> 1 & 1
                assert run.wait(180) == status, run.said()
                said[status].add(run.out.read_text())
    assert [len(texts) for texts in said.values()] == [
        1,
        int(count > 2),
    ] and "Verdict: parity" in said[0].pop()


@pytest.mark.parametrize(
    ("count", "killed"),
    [(2, {}), (8, {}), (8, {2: signal.SIGKILL, 5: signal.SIGINT})],
    ids=["two", "eight", "eight, two of them killed"],
)
def test_several_at_once(count: int, killed: dict[int, signal.Signals], tmp_path: Path) -> None:
    assert_right(tmp_path, count, "local", killed)


@pytest.mark.parametrize(
    ("count", "killed"),
    [(2, {}), (8, {3: signal.SIGKILL})],
    ids=["two", "eight, one of them killed"],
)
def test_several_at_once_in_docker(
    count: int, killed: dict[int, signal.Signals], with_docker: None, tmp_path: Path
) -> None:
    assert_right(tmp_path, count, "docker", killed)


# ---- a server that misbehaves ------------------------------------------------------------------


def on(event: str, begins: str, what: Exception) -> Manners:
    def manners(happens: str, text: str) -> None:
        if happens == event and text.startswith(begins):
            raise what

    return manners


def polite(happens: str, text: str) -> None:
    del happens, text


DENIED = Refusal(1045, "Access denied for user")
IMPOSTORS: dict[str, tuple[Manners, str, str]] = {  # manners, version, a word of the message
    "says nothing": (on("connect", "", Silence()), "11.8.3-MariaDB", "127.0.0.1"),
    "cuts the connection": (on("connect", "", Cut()), "11.8.3-MariaDB", "2013"),
    "is full": (on("connect", "", Refusal(1040, "Too many connections")), "11.8.3-MariaDB", "1040"),
    "refuses every login": (on("login", "", DENIED), "11.8.3-MariaDB", "1045"),
    "refuses the lease's login": (
        on("login", "xtask_", DENIED),
        "11.8.3-MariaDB",
        "refuses the login",
    ),
    "cuts the lease's login": (
        on("login", "xtask_", Cut()),
        "11.8.3-MariaDB",
        "not ready within 1 s",
    ),
    "never answers the lease's login": (
        on("login", "xtask_", Silence()),
        "11.8.3-MariaDB",
        "not ready within 1 s",
    ),
    "refuses to make a database": (
        on("query", "CREATE DATABASE", Refusal(1044, "no rights")),
        "11.8.3-MariaDB",
        "1044",
    ),
    "hangs on making a database": (
        on("query", "CREATE DATABASE", Silence()),
        "11.8.3-MariaDB",
        "127.0.0.1",
    ),
    "hangs on the first query": (
        on("query", "SHOW VARIABLES", Silence()),
        "11.8.3-MariaDB",
        "timed out",
    ),
    "cuts on the first query": (on("query", "SHOW VARIABLES", Cut()), "11.8.3-MariaDB", "2013"),
    "hangs in a migration": (
        on("query", "CREATE TABLE", Silence()),
        "11.8.3-MariaDB",
        "did not answer within 1 s",
    ),
    "cuts in a migration": (on("query", "CREATE TABLE", Cut()), "11.8.3-MariaDB", "went away"),
    "is too old": (polite, "5.5.62-MariaDB", "calls itself 5.5.62-MariaDB"),
    "is something else": (polite, "5.0.1-Sphinx", "calls itself 5.0.1-Sphinx"),
    "is no database": (polite, "Sphinx", "127.0.0.1"),
}


def assert_one_message(run: Run, word: str) -> None:
    """Exit status 2, one message that says what happened, no password and nothing of Python's."""
    words = run.said()
    assert run.process.returncode == 2 and run.out.read_text() == "", words
    assert len([line for line in words.splitlines() if line.startswith("xtask: ")]) == 1, words
    assert word in words and "Traceback" not in words and "geheim" not in words, words


@pytest.mark.parametrize(("manners", "version", "word"), IMPOSTORS.values(), ids=IMPOSTORS)
def test_a_server_that(manners: Manners, version: str, word: str, tmp_path: Path) -> None:
    quiet = ("verify-migrations", "-q")
    with (
        Impostor(manners, version) as impostor,
        Run(
            tmp_path,
            MYSQL,
            server=impostor.url,
            environment={"XTASK_TIMEOUT": "1"},
            arguments=quiet,
        ) as run,
    ):
        run.wait(BOUND)
        assert_one_message(run, word)
        run.assert_gone()


FAKES = {
    "ends": "#!/bin/sh\necho 'it does not work' >&2\nexit 9\n",
    "hangs": "#!/bin/sh\nexec sleep 60\n",
}


@pytest.mark.parametrize(
    ("fake", "environment", "mysql", "words"),
    [
        (
            "",
            {"XTASK_TIMEOUT": "3"},
            SLOW,
            [
                "did not answer within 3 s",
                "0001_schema/up.sql, statement 2 of 2",
                "SELECT SLEEP(50)",
            ],
        ),
        (
            "",
            {"XTASK_DATA_DIR": "/nonexistent"},
            MYSQL,
            ["no directory for the server", "/nonexistent"],
        ),
        ("", {"XTASK_DATA_DIR": f"{SHORT}/{'x' * 90}"}, MYSQL, ["no directory for the server"]),
        ("ends", {}, MYSQL, ["ended on its own, with exit status", "  | it does not work"]),
        ("hangs", {"XTASK_TIMEOUT": "2"}, MYSQL, ["not ready within 2 s", "  | boot-server: "]),
    ],
    ids=["hangs on a query", "has no place", "has a long place", "does not boot", "hangs at boot"],
)
def test_a_local_server_that(
    fake: str, environment: dict[str, str], mysql: str, words: list[str], tmp_path: Path
) -> None:
    if fake:
        environment = {**environment, **commands(tmp_path / "bin", ("mariadbd", FAKES[fake]))}
        for name in ("mariadb_system_tables", "mariadb_system_tables_data"):
            Project(tmp_path).write({f"share/mariadb/{name}.sql": ""})
    with Run(
        tmp_path, mysql, environment=environment, arguments=("verify-migrations", "-q")
    ) as run:
        run.wait(BOUND)
        assert_one_message(run, words[0])
        assert [word for word in words if word not in run.said()] == [], run.said()
        run.assert_gone()


def test_a_local_server_that_is_killed(tmp_path: Path) -> None:
    with Run(tmp_path) as run:
        assert wait_until(lambda: run.has_said("mysql: 1 of"))
        run.server().kill()
        run.wait(BOUND)
        assert_one_message(
            run, "the server went away during migrations_mysql/0001_schema/up.sql, statement 2 of 2"
        )
        assert "\n  | " in run.said()
        run.assert_gone()


@pytest.fixture
def own_cache(tmp_path: Path) -> Path:
    """A checkout that keeps its own empty data directory."""
    copy = checkout(tmp_path / "copy", server=False)
    (copy / ".mariadb").mkdir()
    if (xtask.ROOT / ".mariadb" / "server").is_dir():
        (copy / ".mariadb" / "server").symlink_to(xtask.ROOT / ".mariadb" / "server")
    return copy


def kept_by(copy: Path, where: Path) -> Path:
    """The archive that a passing run of this checkout leaves."""
    with Run(where, MYSQL, root=copy) as run:
        assert run.wait() == 0, run.said()
        run.assert_gone()
    (kept,) = (copy / ".mariadb").glob("empty-*.tar")
    assert kept.stat().st_mode & 0o777 == 0o600 and kept.stat().st_size > 1_000_000
    return kept


@pytest.mark.parametrize("damage", ["zeros", "cut", "empty", "garbage"])
def test_a_damaged_data_directory_is_made_anew(
    damage: str, own_cache: Path, tmp_path: Path
) -> None:
    kept = kept_by(own_cache, tmp_path / "first")
    whole = kept.read_bytes()
    kept.write_bytes(
        {
            "zeros": bytes(len(whole)),
            "cut": whole[: len(whole) // 2],
            "empty": b"",
            "garbage": b"x" * 4096,
        }[damage]
    )
    assert kept_by(own_cache, tmp_path / "second") == kept
    assert kept.stat().st_size > 1_000_000


def test_another_boot_script_makes_another_data_directory(own_cache: Path, tmp_path: Path) -> None:
    kept = kept_by(own_cache, tmp_path / "first")
    before = kept.stat()
    assert (
        kept_by(own_cache, tmp_path / "second") == kept and kept.stat().st_ino == before.st_ino
    )  # taken as it is
    script = own_cache / "scripts" / "boot-server.sh"
    script.write_text(script.read_text() + "# another\n")
    assert kept_by(own_cache, tmp_path / "third") != kept and not kept.exists()


@pytest.mark.parametrize("missing", ["lease.sh", "engine-local.sh", "boot-server.sh"])
def test_a_script_that_is_missing(missing: str, tmp_path: Path) -> None:
    copy = checkout(tmp_path / "copy")
    (copy / "scripts" / missing).unlink()
    with Run(tmp_path / "run", MYSQL, root=copy, arguments=("verify-migrations", "-q")) as run:
        run.wait(BOUND)
        assert (
            run.process.returncode == 2 and missing in run.said() and "Traceback" not in run.said()
        ), run.said()
        run.assert_gone()


ROWS = "information_schema.collations a, information_schema.collations b LIMIT 500"
FULL = (
    f"{MYSQL} CREATE TABLE b (d LONGBLOB); INSERT INTO b SELECT REPEAT('x', 1000000) FROM {ROWS};"
)


@pytest.mark.parametrize(
    ("size", "mysql", "word"),
    [("5m", MYSQL, "the database container ended on its own"), ("256m", FULL, "INSERT INTO b")],
    ids=["too small to boot", "full in a migration"],
)
def test_a_disk_that_is_too_small(
    size: str, mysql: str, word: str, with_docker: None, tmp_path: Path
) -> None:
    environment = {"XTASK_TMPFS_SIZE": size, "XTASK_TIMEOUT": "40"}
    with Run(
        tmp_path,
        mysql,
        server="docker",
        environment=environment,
        arguments=("verify-migrations", "-q"),
    ) as run:
        run.wait()
        assert_one_message(run, word)
        run.assert_gone(containers=True)


def test_a_container_that_is_killed(with_docker: None, tmp_path: Path) -> None:
    with Run(tmp_path, server="docker") as run:
        assert wait_until(lambda: run.has_said("mysql: 1 of") or run.process.poll() is not None)
        docker("kill", *run.containers())
        run.wait(BOUND)
        assert_one_message(
            run, "the server went away during migrations_mysql/0001_schema/up.sql, statement 2 of 2"
        )
        assert "\n  | " in run.said()
        run.assert_gone(containers=True)


# ---- security ----------------------------------------------------------------------------------


def listeners(pid: int) -> list[str]:
    """Addresses on which a process listens or takes datagrams, as the kernel writes them: 127.0.0.1 is 0100007F."""
    inodes = set()
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            inodes.add(os.readlink(path).removeprefix("socket:[").removesuffix("]"))
    rows = [
        line.split()
        for kind in ("tcp", "tcp6", "udp", "udp6")
        if (table := Path(f"/proc/{pid}/net/{kind}")).exists()
        for line in table.read_text().splitlines()[1:]
    ]
    return [row[1] for row in rows if row[9] in inodes and row[3] in ("0A", "07")]


def watch(run: Run) -> set[str]:
    """Every command line that is seen of a run until it ends."""
    seen: set[str] = set()
    while run.process.poll() is None:
        seen |= {one.command for one in processes(run.mark)}
    return seen


def test_a_lease_lets_nobody_in_and_tells_no_password(tmp_path: Path) -> None:
    with Run(tmp_path, f"{DRIFTED} SELECT SLEEP(1);") as run, ThreadPoolExecutor() as pool:
        watching = pool.submit(watch, run)
        assert wait_until(lambda: run.has_said("mysql: 1 of"))
        address, server, (directory,) = run.address(), run.server(), run.directories()
        assert listeners(server.pid) == []
        assert (directory.stat().st_mode & 0o777, directory.stat().st_uid) == (0o700, os.getuid())
        holding = {
            path.name: path.stat().st_mode & 0o777
            for path in directory.glob("*")
            if path.is_file() and is_told(path, address)
        }
        assert holding == {"init.sql": 0o600}
        seen = watching.result()
        assert run.wait() == 1 and any(words.startswith(server.command) for words in seen), (
            run.said()
        )
        assert [
            text for text in (*seen, run.out.read_text(), run.said()) if address.password in text
        ] == []


def is_told(path: Path, address: xtask.Address) -> bool:
    return address.password.encode() in path.read_bytes()


def test_every_lease_has_another_password(tmp_path: Path) -> None:
    passwords = set()
    for number in range(2):
        with Run(tmp_path / str(number)) as run:
            assert wait_until(run.has_socket)
            passwords.add(run.address().password)
    assert len(passwords) == 2 and all(len(password) >= 32 for password in passwords)


def test_the_scratch_user_has_no_rights_beyond(tmp_path: Path) -> None:
    with Run(tmp_path) as run:
        assert wait_until(lambda: run.has_said("mysql: 1 of"))
        address = run.address()
        with xtask.connect(address, None, 10) as connection, connection.cursor() as cursor:
            cursor.execute("SHOW GRANTS")
            grants = {row[0] for row in cursor.fetchall()}
        with pytest.raises(pymysql.err.OperationalError):  # the root that every new server has
            xtask.connect(dataclasses.replace(address, user="root", password=""), None, 10)
    user, name = f"`{address.user}`@`%`", address.user.replace("_", "\\_")
    usage = [grant for grant in grants if grant.startswith("GRANT USAGE ON *.*")]
    assert len(usage) == 1
    assert grants - set(usage) == {
        f"GRANT ALL PRIVILEGES ON `{scope}`.* TO {user}" for scope in (name, f"{name}\\_%")
    }


# ---- with-mariadb ------------------------------------------------------------------------------

CHILD = """
import json, os, signal, sys, time
e, done = os.environ, []
def leave(number, frame):
    print("got", number, flush=True)
    sys.exit(5)
signal.signal(signal.SIGTERM, leave)
signal.signal(signal.SIGHUP, leave)
{body}
"""
NAMES = (
    "DATABASE_URL",
    "MYSQL_HOST",
    "MYSQL_TCP_PORT",
    "MYSQL_USER",
    "MYSQL_PWD",
    "MYSQL_DATABASE",
)
TELL = f"print(json.dumps({{n: e[n] for n in {NAMES}}}), flush=True); time.sleep(60)"


def leased(
    where: Path, body: str, server: str = "local", environment: dict[str, str] | None = None
) -> Run:
    without = dict.fromkeys(NAMES, "")  # those of the run that these tests are part of
    rest = ("--", sys.executable, "-c", CHILD.replace("{body}", body))
    return Run(
        where,
        server=server,
        arguments=("with-mariadb",),
        rest=rest,
        environment={**without, **(environment or {})},
    )


@pytest.mark.parametrize(
    ("body", "status"),
    [("sys.exit(0)", 0), ("sys.exit(7)", 7), ("os.kill(os.getpid(), signal.SIGKILL)", 137)],
    ids=["good", "status", "signal"],
)
def test_with_mariadb_passes_the_status_on(body: str, status: int, tmp_path: Path) -> None:
    with leased(tmp_path, body) as run:
        assert run.wait() == status, run.said()
        run.assert_gone()


def test_with_mariadb_without_a_lease(tmp_path: Path) -> None:
    with leased(
        tmp_path, "print('started')", environment={"XTASK_DATA_DIR": "/nonexistent"}
    ) as run:
        assert (run.wait(), run.out.read_text()) == (125, ""), run.said()
        assert run.has_said("no directory for the server")
        run.assert_gone()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_with_mariadb_passes_a_signal_on(number: signal.Signals, tmp_path: Path) -> None:
    with leased(tmp_path, "print('ready', flush=True); time.sleep(60)") as run:
        assert wait_until(lambda: "ready" in run.out.read_text())
        run.process.send_signal(number)
        assert run.wait() == 128 + number
        assert f"got {int(number)}\n" in run.out.read_text()
        run.assert_gone()


def assert_reached_by_its_user_alone(told: dict[str, str]) -> None:
    user, password = told["MYSQL_USER"], told["MYSQL_PWD"]
    host, port, database = told["MYSQL_HOST"], told["MYSQL_TCP_PORT"], told["MYSQL_DATABASE"]
    assert (host, told["DATABASE_URL"]) == (
        "127.0.0.1",
        f"mysql://{user}:{password}@{host}:{port}/{database}",
    )
    own = xtask.Address(user, password, database, host=host, port=int(port))
    with xtask.connect(own, database, 10) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT DATABASE()")
        assert cursor.fetchone() == (database,)
    for other, word in (("root", ""), ("", ""), ("mysql", ""), ("mariadb.sys", ""), (user, "")):
        with pytest.raises(pymysql.err.OperationalError):
            xtask.connect(dataclasses.replace(own, user=other, password=word), None, 10)


def plain_client() -> str:
    """The client as anybody has it; where XTASK_TEST_CLIENT promises one it must be there."""
    client = shutil.which("mariadb") or shutil.which("mysql")
    if not client:
        if os.environ.get("XTASK_TEST_CLIENT"):
            pytest.fail("XTASK_TEST_CLIENT is set and there is no mariadb client in PATH")
        pytest.skip("needs a mariadb client in PATH")
    return client


ASK = "SELECT DATABASE() = SUBSTRING_INDEX(USER(), '@', 1)"


def assert_client_needs_no_option(run: Run) -> None:
    assert wait_until(lambda: "\n" in run.out.read_text()), run.said()
    answer, mode, home = run.out.read_text().split()
    assert (answer, mode) == ("1", "0o100600")
    run.process.terminate()
    assert run.wait() == 143
    assert not os.path.exists(home)
    run.assert_gone()


@pytest.mark.parametrize("server", ["local", "URL"])
def test_the_plain_client_needs_no_option(server: str, tmp_path: Path) -> None:
    client = plain_client()
    body = (
        "import subprocess\n"
        f"done = subprocess.run([{client!r}, '-N', '-e', {ASK!r}], capture_output=True, text=True)\n"
        "print(done.stdout.strip() or done.stderr, oct(os.stat(e['MYSQL_HOME'] + '/my.cnf').st_mode),"
        " e['MYSQL_HOME'], flush=True)\n"
        "time.sleep(60)"
    )
    empty = {"HOME": str(tmp_path)}  # a ~/.my.cnf would be read after it
    if server == "local":
        with leased(tmp_path, body, environment=empty) as run:
            assert_client_needs_no_option(run)
        return
    with leased(tmp_path, TELL) as outer:
        assert wait_until(lambda: "\n" in outer.out.read_text())
        url = json.loads(outer.out.read_text())["DATABASE_URL"]
        inner = tmp_path / "inner"
        inner.mkdir()
        with leased(inner, body, server=url, environment=empty) as run:
            assert_client_needs_no_option(run)


@pytest.mark.parametrize(
    ("mode", "lines"),
    [
        ("", ["[client-mariadb]", "skip-ssl-verify-server-cert"]),
        ("disabled", ["loose-ssl-mode=DISABLED", "[client-mariadb]", "skip-ssl"]),
        ("verify-ca", ["loose-ssl-mode=VERIFY_CA", "[client-mariadb]", "ssl"]),
    ],
)
def test_the_client_encrypts_as_the_url_says(mode: str, lines: list[str]) -> None:
    address = xtask.Address("u", "p", "d", host="db.example", port=1, ssl_mode=mode, ssl_ca='/a "b')
    written = xtask.client_defaults(address).splitlines()
    assert "\n".join(lines) in "\n".join(written)
    assert written[:2] == ["[client]", "user=u"] and written[-2:] == ["[mysql]", "database=d"]


def test_with_mariadb_on_loopback_only(tmp_path: Path) -> None:
    with leased(tmp_path, TELL) as run:
        assert wait_until(lambda: "\n" in run.out.read_text())
        told = json.loads(run.out.read_text())
        assert listeners(run.server().pid) == [f"0100007F:{int(told['MYSQL_TCP_PORT']):04X}"]
        assert_reached_by_its_user_alone(told)


def test_with_mariadb_in_docker_on_loopback_only(with_docker: None, tmp_path: Path) -> None:
    with leased(tmp_path, TELL, server="docker") as run:
        assert wait_until(lambda: "\n" in run.out.read_text())
        told = json.loads(run.out.read_text())
        (container,) = run.containers()
        assert docker("port", container).split() == [
            "3306/tcp",
            "->",
            f"127.0.0.1:{told['MYSQL_TCP_PORT']}",
        ]
        assert_reached_by_its_user_alone(told)
        run.process.terminate()
        assert run.wait() == 143
        run.assert_gone(containers=True)
