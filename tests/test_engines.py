"""Which server a run takes, and which it never takes in its place: decided without starting any."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest

import xtask
from conftest import Project

NOTHING = xtask.Choice(
    image="mysql:9.7",
    flavour="MySQL",
    obstacle="no Docker engine answers",
    compose="",
    image_is_here=False,
    pull_failed="",
    server="",
    unpack=False,
)
DOCKER = NOTHING._replace(obstacle="", compose="docker compose")
FAILED = "pulling mysql:9.7 failed 2 h ago"


def names(choice: xtask.Choice, said: list[str] | None = None) -> list[str]:
    note = (said if said is not None else []).append
    return [engine.name for engine in xtask.choose_of_both(choice, False, note, "parity.toml")]


@pytest.mark.parametrize(
    ("choice", "engines", "words"),
    [
        (DOCKER, ["docker"], "docker (mysql:9.7), because a Docker engine answers"),
        (DOCKER._replace(server="/x"), ["docker", "local"], "docker (mysql:9.7)"),
        (NOTHING._replace(server="/x"), ["local"], "local, because no Docker engine answers"),
        (DOCKER._replace(server="/x", pull_failed=FAILED), ["local"], f"local, because {FAILED}"),
        (DOCKER._replace(image_is_here=True, pull_failed=FAILED), ["docker"], "docker"),
    ],
)
def test_auto_takes(choice: xtask.Choice, engines: list[str], words: str) -> None:
    said: list[str] = []
    assert names(choice, said) == engines
    assert len(said) == 1 and said[0].startswith(f"server: {words}")


@pytest.mark.parametrize(
    "choice", [NOTHING, DOCKER._replace(pull_failed=FAILED)], ids=["no docker", "no image"]
)
def test_auto_never_takes_another_flavour(
    choice: xtask.Choice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A MariaDB at hand is no reason: its pass would prove nothing of the MySQL that was named."""
    monkeypatch.setattr(xtask, "find_server", lambda flavour: f"/{flavour}")
    monkeypatch.setattr(xtask, "server_version", lambda path: (path[1:], "10.11.19"))
    with pytest.raises(xtask.EngineUnusable) as caught:
        names(choice)
    words = str(caught.value)
    assert words.startswith("parity.toml asks for mysql:9.7; ")
    assert words.endswith("; `--server local` takes MariaDB 10.11.19")


def test_a_pull_of_auto_is_short_where_there_is_something_else() -> None:
    def seconds(choice: xtask.Choice) -> str:
        engines = xtask.choose_of_both(choice, False, lambda _: None, "parity.toml")
        return engines[0].environment["XTASK_PULL_SECONDS"]

    assert (seconds(DOCKER._replace(server="/x")), seconds(DOCKER)) == ("20", "600")


def test_a_failed_pull_is_remembered_for_hours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(xtask, "state_directory", lambda: tmp_path / "state")
    assert xtask.pull_failed("mysql:9.7") == ""
    xtask.remember_failed_pull("mysql:9.7", "no network")
    assert xtask.pull_failed("mysql:9.7").startswith("pulling mysql:9.7 failed 0 min ago")
    assert xtask.pull_failed("mysql:9.8") == ""
    before = time.time() - xtask.PULL_AGAIN_SECONDS - 1
    os.utime(xtask.pull_record("mysql:9.7"), (before, before))
    assert xtask.pull_failed("mysql:9.7") == ""


@pytest.mark.parametrize(
    ("image", "flavour", "version"),
    [
        ("mariadb:11.8", "MariaDB", "11.8"),
        ("mysql", "MySQL", ""),
        ("registry.example:5000/x/mysql-server:9.7.1", "MySQL", "9.7.1"),
        ("percona/percona-server:8.0", "MySQL", "8.0"),
        ("xtask-mysql:lts@sha256:" + "0" * 64, "MySQL", ""),
        ("example/db:1", "", "1"),
    ],
)
def test_the_name_of_an_image(image: str, flavour: str, version: str) -> None:
    assert xtask.check_image(image, "here") == image
    assert (xtask.image_flavour(image), xtask.image_version(image)) == (flavour, version)


@pytest.mark.parametrize("image", ["-v/:/x", "--help", "", "a b", "a:b:c", "MySQL:9 ", "$(id)"])
def test_no_name_of_an_image(image: str) -> None:
    with pytest.raises(xtask.ConfigError, match="expected the name of an image"):
        xtask.check_image(image, "XTASK_MARIADB_IMAGE")


@pytest.mark.parametrize(
    ("image", "flavour", "version", "told"),
    [
        ("mariadb:11.8", "MariaDB", "11.8.3", False),
        ("mariadb:11.8", "MariaDB", "11.80.1", True),
        ("mariadb:11.8", "MariaDB", "10.11.14", True),
        ("mariadb:lts", "MariaDB", "10.11.14", False),
        ("mysql:9.7", "MariaDB", "9.7.0", True),
        ("", "MariaDB", "10.11.14", False),
    ],
)
def test_another_server_is_told(image: str, flavour: str, version: str, told: bool) -> None:
    assert bool(xtask.other_server(image, flavour, version)) == told


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("mysql://u:p@127.0.0.1:3306", ""),
        ("mysql://u:p@localhost", ""),
        ("mysql://u:p@db.example", "required"),
        ("mysql://u:p@db.example?ssl-mode=disabled", "disabled"),
        ("mysql://u:p@db.example?ssl-mode=VERIFY_IDENTITY", "verify-identity"),
        (f"mysql://u:p@db.example?ssl-ca={__file__}", "verify-ca"),
        ("mysql://u:p@127.0.0.1?ssl-mode=required", "required"),
    ],
)
def test_how_a_connection_is_encrypted(url: str, mode: str) -> None:
    assert xtask.parse_url(url).ssl_mode == mode


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://u:p@h?ssl-mode=maybe", "unknown ssl-mode 'maybe'"),
        ("mysql://u:p@h?charset=latin1", "unknown option 'charset'"),
        ("mysql://u:p@h?ssl-ca=/nowhere/ca.pem", "no such file"),
        (f"mysql://u:p@h?ssl-mode=required&ssl-ca={__file__}", "uses no ssl-ca"),
        ("mysql://u:geheim#x@h", "write %23 for #"),
        ("mysql://h", "expected auto, docker, local, an image or mysql://"),
        ("lokal", "expected auto, docker, local, an image or mysql://"),
    ],
)
def test_a_url_that_is_refused(url: str, words: str) -> None:
    with pytest.raises(xtask.ConfigError) as caught:
        xtask.choose_engines(url, "mariadb:11.8", False, lambda _: None, "the default")
    assert words in str(caught.value) and "geheim" not in str(caught.value)


def test_a_database_in_the_url_is_passed_over_with_a_note() -> None:
    said: list[str] = []
    engine = xtask.url_engine("mysql://u:geheim@127.0.0.1/shop", said.append)
    assert engine.opening["host"] == "127.0.0.1" and "passed over" in said[0]
    assert "shop" in said[0] and "geheim" not in repr(engine) + said[0]


def test_only_the_environment_beside_xtask_py_is_entered(project: Project) -> None:
    """Whoever plants one in a directory would run code in every run from there."""
    planted = project.path / ".venv" / "bin" / "python"
    project.write({".venv/bin/python": "#!/bin/sh\ntouch planted\n"})
    planted.chmod(0o755)
    (project.path / "tool").mkdir()
    (project.path / "tool" / "xtask.py").write_text((xtask.ROOT / "xtask.py").read_text())
    done = project.run_python("-I", "-S", "tool/xtask.py", "verify-migrations")
    assert done.returncode == 2 and "this Python lacks" in done.stderr
    assert not (project.path / "planted").exists()
    (project.path / ".git").mkdir()  # now it is the checkout that holds the tool
    project.run_python("-I", "-S", "tool/xtask.py", "verify-migrations")
    assert (project.path / "planted").exists()


@pytest.mark.parametrize(
    ("tools", "missing"),
    [((), "bash is not in PATH"), (("bash", "env", "cat"), "not in PATH: cksum df find grep")],
)
def test_a_path_without_tools_is_told(
    tools: tuple[str, ...], missing: str, project: Project, tmp_path: Path
) -> None:
    import shutil

    where = tmp_path / "bin"
    where.mkdir()
    for tool in tools:
        (where / tool).symlink_to(shutil.which(tool) or tool)
    project.pair("CREATE TABLE t (id INTEGER);", "CREATE TABLE t (id BIGINT);")
    done = project.run("verify-migrations", "--server", "local", env={"PATH": str(where)})
    assert done.returncode == 2 and missing in done.stderr
    assert len(re.findall("^xtask:", done.stderr, re.MULTILINE)) == 1
