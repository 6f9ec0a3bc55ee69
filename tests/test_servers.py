"""Several servers in one run: what is told apart, what is told together, and what is left behind."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import re
import signal
import tomllib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import xtask
from conftest import Project
from lease_tools import MYSQL, SLOW, SQLITE, Run, processes, wait_until
from test_report import CLEAN, shown

SERVERS = '[mysql]\nservers = ["mariadb:11.8", "mysql:9.7"]\n'
Query = Callable[[str], list[tuple[object, ...]]]


def finding(at: str = "t.a", mysql: str | None = "int", **more: object) -> xtask.Finding:
    made = xtask.Finding(kind="column-type", at=at, sqlite="TEXT", mysql=mysql)
    return dataclasses.replace(made, **more)  # type: ignore[arg-type]


# ---- merging -----------------------------------------------------------------------------------


def test_what_all_servers_have_is_one_finding_and_names_none() -> None:
    assert xtask.merged({"A": [finding()], "B": [finding()]}) == [finding()]


def test_what_not_all_have_says_which() -> None:
    found = xtask.merged({"A": [], "B": [finding()], "C": [finding()]})
    assert found == [finding(servers=("B", "C"))]


def test_other_values_are_two_findings() -> None:
    found = xtask.merged({"A": [finding()], "B": [finding(mysql="bigint")]})
    assert found == [finding(servers=("A",)), finding(mysql="bigint", servers=("B",))]


def test_nothing_there_is_no_empty_value() -> None:
    found = xtask.merged({"A": [finding(mysql="")], "B": [finding(mysql=None)]})
    assert [one.servers for one in found] == [("A",), ("B",)]


def test_another_level_is_another_finding() -> None:
    found = xtask.merged({"A": [finding()], "B": [finding(level="strict")]})
    assert [(one.level, one.servers) for one in found] == [("parity", ("A",)), ("strict", ("B",))]


def test_what_one_server_has_twice_stays_twice() -> None:
    twice = [finding(), finding()]
    assert xtask.merged({"A": twice}) == twice
    assert xtask.merged({"A": twice, "B": [finding()]}) == [finding(), finding(servers=("A",))]


def test_the_first_server_tells_of_a_finding() -> None:
    found = xtask.merged({"A": [finding(note="of A")], "B": [finding(note="of B")]})
    assert found == [finding(note="of A")]


def test_an_entry_answers_what_one_server_has() -> None:
    text = '[[divergence]]\nkind = "column-type"\nat = "t.a"\nsqlite = "TEXT"\nmysql = "int"\n'
    entries = xtask.parse_settings(f'{text}reason = "so"\n', "parity.toml").entries
    judged = xtask.judge(xtask.merged({"A": [], "B": [finding()]}), entries)
    assert [one.documented for one in judged] == [True]


# ---- which servers -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('servers = ["mysql:9.7", "mysql:9.7"]', "servers: expected each once"),
        ('servers = ["mysql:9.7"]\nimage = "mysql:9.7"', "delete image"),
        ("servers = [3]", "expected a list of images"),
        ("servers = []", "expected a list of images"),
    ],
)
def test_servers_of_parity_toml_are_images_each_once(text: str, said: str) -> None:
    with pytest.raises(xtask.ConfigError, match=re.escape(said)):
        xtask.parse_settings(f"[mysql]\n{text}\n", "parity.toml")


def wanted(*named: str, text: str = SERVERS) -> list[tuple[str, str]]:
    arguments = argparse.Namespace(server=list(named) or None)
    settings = xtask.parse_settings(text, "parity.toml")
    return [(one.server, one.image) for one in xtask.wanted_servers(arguments, settings)]


def test_the_command_line_outranks_the_environment_and_that_parity_toml(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("XTASK_MARIADB_IMAGE", raising=False)
    monkeypatch.delenv("XTASK_SERVER", raising=False)
    assert wanted() == [("auto", "mariadb:11.8"), ("auto", "mysql:9.7")]
    assert wanted(text="") == [("auto", "mariadb:11.8")]
    monkeypatch.setenv("XTASK_SERVER", "docker")
    assert wanted() == [("docker", "mariadb:11.8")]
    assert wanted("local", "mysql:9.7") == [
        ("local", "mariadb:11.8"),
        ("mysql:9.7", "mariadb:11.8"),
    ]


def test_verify_all_takes_three_images_or_those_that_are_named(project: Project) -> None:
    project.pair(SQLITE, MYSQL)
    same = ("--server", "local", "--server", "local")
    done = project.run("verify-all", *same, "--format", "json")
    assert done.returncode == 2
    assert "local are the same server" in json.loads(done.stdout)["error"]["message"]
    assert len(set(xtask.EVERY_SERVER)) == 3


def test_the_name_of_a_server_has_no_password_in_it() -> None:
    server = xtask.WantedServer("mysql://u:geheim@db.example:3307", "mariadb:11.8", "the default")
    assert server.name == "db.example:3307"


def test_the_lock_proves_which_servers_parity_toml_names() -> None:
    plain = xtask.settings_digest(xtask.Settings())
    assert xtask.settings_digest(xtask.parse_settings("", "parity.toml")) == plain
    assert xtask.settings_digest(xtask.parse_settings(SERVERS, "parity.toml")) != plain


def test_doctor_looks_for_every_server(project: Project) -> None:
    project.pair(SQLITE, MYSQL)
    project.write({"parity.toml": SERVERS})
    done = project.run("doctor")
    assert done.stdout.count("verify-migrations would use:") == 2, done.stderr
    for image in ("mariadb:11.8", "mysql:9.7"):
        assert re.search(rf"^image +{image}: ", done.stdout, re.MULTILINE)


@pytest.mark.parametrize("server", ["local", "mysql://u:geheim@127.0.0.1:3307"])
def test_the_same_server_twice_is_refused(project: Project, server: str) -> None:
    project.pair(SQLITE, MYSQL)
    done = project.run("verify-migrations", "--server", server, "--server", server)
    assert done.returncode == 2
    assert "are the same server; name each server once" in done.stderr
    assert "geheim" not in done.stdout + done.stderr


def test_leases_of_one_process_have_names_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    names = iter(["xtask_a", "xtask_a", "xtask_b"])
    monkeypatch.setattr(xtask.Owner, "lease_id", lambda _: next(names))
    monkeypatch.setattr(xtask.Lease, "taken", set())
    engine = xtask.Engine("local", ("cat",))
    leases = xtask.Leases([xtask.Lease([engine], False, xtask.Progress(-1)) for _ in range(2)])
    monkeypatch.setattr(xtask.Lease, "sweep", lambda *_: None)
    with leases:
        assert [lease.id for lease in leases.leases] == ["xtask_a", "xtask_b"]


# ---- a server that could not be asked ------------------------------------------------------------


UNVERIFIED = dataclasses.replace(
    CLEAN,
    unverified=(
        xtask.Unverified("mysql:9.7", "0002_b: MySQL refused m/0002_b/up.sql, statement 1"),
    ),
)


@pytest.mark.parametrize("form", ["text", "markdown", "github", "json", "html"])
def test_what_could_not_be_verified_is_never_parity(form: str) -> None:
    assert UNVERIFIED.status == 2
    text = shown(form, UNVERIFIED, template=xtask.read_template())
    assert "could not verify on mysql:9.7" in text
    assert "MySQL refused m/0002_b/up.sql" in text.replace("\\_", "_")


def test_json_says_which_server_failed() -> None:
    data = json.loads(shown("json", UNVERIFIED))
    assert (data["parity"], data["status"]) == (False, 2)
    assert [one["server"] for one in data["unverified"]] == ["mysql:9.7"]
    assert data["next"].startswith("fix what stopped mysql:9.7")


def test_values_of_several_flavours_stand_under_all_their_names() -> None:
    other = dataclasses.replace(CLEAN.mysql, flavour="MySQL", version="9.7.1")
    both = dataclasses.replace(CLEAN, servers=(CLEAN.mysql, other))
    assert both.flavours == "MariaDB, MySQL"
    assert both.counted_server == CLEAN.mysql.name
    assert "MySQL 9.7.1" in shown("text", both)
    assert json.loads(shown("json", both))["servers"] == [CLEAN.mysql.name, "MySQL 9.7.1"]


# ---- real ones -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def other_server() -> Iterator[xtask.Address]:
    """A second server, on which a test may change whatever it likes."""
    with xtask.Lease([xtask.local_engine(True)], True, xtask.Progress(-1)) as lease:
        yield lease.address()


def url(address: xtask.Address) -> str:
    return f"mysql://{address.user}:{address.password}@{address.host}:{address.port}"


def both(address: xtask.Address) -> tuple[str, ...]:
    return ("--server", "local", "--server", url(address))


@pytest.fixture
def set_global(other_server: xtask.Address) -> Iterator[Callable[[str, str], None]]:
    connection = xtask.connect(other_server, None, 60)
    before: list[tuple[str, str]] = []

    def change(variable: str, value: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT @@GLOBAL.{variable}")
            before.append((variable, cursor.fetchall()[0][0]))
            cursor.execute(f"SET GLOBAL {variable} = %s", (value,))

    yield change
    with connection.cursor() as cursor:
        for variable, value in before:
            cursor.execute(f"SET GLOBAL {variable} = %s", (value,))
    connection.close()


@pytest.mark.mariadb
def test_two_servers_at_parity_write_the_lock_of_one(
    project: Project, other_server: xtask.Address
) -> None:
    project.pair(SQLITE, MYSQL)
    alone = project.run("verify-migrations", "--rows", "--server", "local")
    assert alone.returncode == 0, alone.stderr
    lock = (project.path / "parity.lock").read_text()
    done = project.run("verify-migrations", "--rows", "--locked", *both(other_server))
    assert done.returncode == 0, done.stderr
    assert (project.path / "parity.lock").read_text() == lock
    names = re.findall(r"^MariaDB .*?\)", done.stdout, re.MULTILINE)
    assert len(set(names)) == 2, done.stdout  # one version: told apart by how they are reached
    (project.path / "parity.lock").unlink()
    assert project.run("verify-migrations", "--rows", *both(other_server)).returncode == 0
    made = (project.path / "parity.lock").read_text()
    assert xtask.same_proof(lock, made)
    assert tomllib.loads(made)["server"].count("MariaDB") == 2


@pytest.mark.mariadb
def test_a_finding_of_one_server_names_it_and_is_blamed_there(
    project: Project, other_server: xtask.Address, set_global: Callable[[str, str], None]
) -> None:
    set_global("default_storage_engine", "MyISAM")
    project.pair(SQLITE, MYSQL)
    project.pair(
        "CREATE TABLE u (id INTEGER PRIMARY KEY);",
        "CREATE TABLE u (id BIGINT PRIMARY KEY);",
        "0002_u",
    )
    done = project.run("verify-migrations", "--format", "json", *both(other_server))
    assert done.returncode == 1, done.stderr
    found = json.loads(done.stdout)["findings"]
    port = f"127.0.0.1:{other_server.port}"
    engines = [one for one in found if one["kind"] == "table-engine"]
    assert [(one["at"], one["migration"]) for one in engines] == [
        ("t", "0001_schema"),
        ("u", "0002_u"),
    ]
    for one in engines:
        assert len(one["servers"]) == 1 and port in one["servers"][0]
    text = project.run("verify-migrations", *both(other_server)).stdout
    assert port in text and "(only" in " ".join(text.split())


@pytest.mark.mariadb
def test_what_one_server_refuses_is_its_error_and_the_other_is_judged(
    project: Project, other_server: xtask.Address, set_global: Callable[[str, str], None]
) -> None:
    set_global("sql_mode", "ANSI_QUOTES")
    project.pair(
        SQLITE, 'CREATE TABLE t (id BIGINT AUTO_INCREMENT PRIMARY KEY, a VARCHAR(9) DEFAULT "x");'
    )
    done = project.run("verify-migrations", "--format", "json", *both(other_server))
    data = json.loads(done.stdout)
    port = f"127.0.0.1:{other_server.port}"
    assert (done.returncode, data["status"]) == (2, 2)
    assert [one["server"] for one in data["unverified"]] == [port]
    assert "0001_schema/up.sql, statement 1 of 1" in data["unverified"][0]["message"]
    assert f"xtask: {port}: " in done.stderr
    assert {"column-default", "column-nullability"} <= {one["kind"] for one in data["findings"]}
    assert not (project.path / "parity.lock").exists()


@pytest.mark.mariadb
def test_entries_are_not_called_mended_where_a_server_was_not_asked(project: Project) -> None:
    project.pair(SQLITE, MYSQL)
    entry = '[[divergence]]\nkind = "index"\nat = "t(a)"\nsqlite = "INDEX (a)"\nreason = "so"\n'
    project.write({"parity.toml": entry})
    nobody = "mysql://u:p@127.0.0.1:9"
    done = project.run("verify-migrations", "--server", "local", "--server", nobody)
    assert done.returncode == 2
    assert "could not verify on 127.0.0.1:9; elsewhere parity" in " ".join(done.stdout.split())
    assert "mended" not in done.stdout
    pruned = project.run("prune", "--server", "local", "--server", nobody)
    assert pruned.returncode == 2
    assert (project.path / "parity.toml").read_text() == entry


@pytest.mark.mariadb
def test_where_both_refuse_both_are_told_beside_sqlite(
    project: Project, other_server: xtask.Address
) -> None:
    project.pair("CREATE TABLE t (a INTEGER;", "CREATE TABLE t (a BIGINT;")
    done = project.run("verify-migrations", *both(other_server))
    assert done.returncode == 2
    assert "SQLite refused" in done.stderr
    assert "local: 0001_schema: MariaDB refused" in done.stderr
    assert f"127.0.0.1:{other_server.port}: 0001_schema: MariaDB refused" in done.stderr
    project.pair(SQLITE, "CREATE TABLE t (a BIGINT;")
    done = project.run("verify-migrations", "--format", "json", *both(other_server))
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["message"].count("MariaDB refused") == 2


# ---- nothing is left of any ----------------------------------------------------------------------


def interrupted_twice(run: Run) -> None:
    for _ in range(2):
        os.killpg(run.process.pid, signal.SIGINT)
        if wait_until(lambda: run.process.poll() is not None, 0.05):
            return


BLOWS: dict[str, tuple[Callable[[Run], object], int]] = {
    "Ctrl-C twice": (interrupted_twice, 130),
    "SIGTERM": (lambda run: run.process.send_signal(signal.SIGTERM), 143),
    "SIGKILL": (lambda run: run.process.kill(), -signal.SIGKILL),
}
STAGES: dict[str, tuple[Callable[[Run], object], str]] = {
    "start": (Run.directories, SLOW),
    "one answers": (lambda run: run.has_said("local answers"), SLOW),
    "migrations": (lambda run: run.said().count("mysql: 1 of") == 2, SLOW),
    "teardown": (lambda run: run.has_said("tearing down"), MYSQL),
}


@pytest.mark.mariadb
@pytest.mark.parametrize("blow", BLOWS)
@pytest.mark.parametrize("stage", STAGES)
def test_a_run_on_two_servers_leaves_nothing_on_either(
    tmp_path: Path, other_server: xtask.Address, stage: str, blow: str
) -> None:
    reached, mysql = STAGES[stage]
    strike, status = BLOWS[blow]
    connection = xtask.connect(other_server, None, 60)

    def left_there() -> list[str]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT schema_name FROM information_schema.schemata")
            names = [str(row[0]) for row in cursor.fetchall()]
            cursor.execute("SELECT user FROM mysql.user")
            names += [str(row[0]) for row in cursor.fetchall()]
        return [name for name in names if f"_{run.process.pid:x}_" in name]

    rest = ("--server", url(other_server))
    with Run(tmp_path, mysql, rest=rest) as run:
        assert wait_until(lambda: reached(run) or run.process.poll() is not None), run.said()
        strike(run)
        ended = run.wait()
        assert ended == status or (stage == "teardown" and ended in (0, status)), run.said()
        run.assert_gone()
        assert wait_until(lambda: not left_there(), 15), left_there()
    connection.close()


@pytest.mark.mariadb
def test_a_server_that_dies_is_named_and_the_other_is_judged(
    tmp_path: Path, other_server: xtask.Address
) -> None:
    slow = f"{MYSQL} SELECT SLEEP(3);"
    with Run(tmp_path, slow, rest=("--server", url(other_server))) as run:
        assert wait_until(lambda: run.said().count("mysql: 1 of") == 2), run.said()
        for one in processes(run.mark):
            if one.is_server:
                with suppress(ProcessLookupError):
                    one.kill()
        assert run.wait() == 2
        assert "xtask: local: " in run.said()
        assert "could not verify on local; elsewhere parity" in run.out.read_text()
        run.assert_gone()
