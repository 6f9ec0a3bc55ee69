"""The sample's own migrations, each time with one change on one side: verify-migrations must find it.

The changes are data: tests/mutations.toml.  The copy without a change is at parity.
"""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import pytest

import xtask
from conftest import ROOT, Project, sqlite_backend

FILE = Path(__file__).parent / "mutations.toml"
MUTATIONS = tomllib.loads(FILE.read_text("utf-8"))["mutation"]
DIRECTORIES = {"sqlite": "migrations", "mysql": "migrations_mysql"}


def copy_of_the_sample(project: Project) -> None:
    for directory in DIRECTORIES.values():
        shutil.copytree(ROOT / directory, project.path / directory)
    shutil.copy(ROOT / "parity.toml", project.path)


def mutate(project: Project, mutation: dict[str, str]) -> None:
    directory = project.path / DIRECTORIES[mutation["side"]]
    (file,) = directory.glob(f"*_{mutation['migration']}/up.sql")
    text = file.read_text("utf-8")
    assert text.count(mutation["old"]) == 1, mutation["why"]
    file.write_text(text.replace(mutation["old"], mutation["new"]), "utf-8")


def failing(
    project: Project, mysql: xtask.MySQLBackend, strict: frozenset[str] = frozenset()
) -> list[xtask.Finding]:
    """The findings that parity.toml does not answer for: at parity, and of the kinds in `strict`."""
    settings = xtask.parse_settings(
        (project.path / "parity.toml").read_text("utf-8"), "parity.toml"
    )
    whole = xtask.Project(
        base=project.path,
        config=None,
        settings=settings,
        sqlite=project.path / settings.sqlite,
        mysql=project.path / settings.mysql,
        own=True,
    )
    task = xtask.Task(project=whole, steps=project.steps(), strict=strict, rows=True)
    mysql.fresh()
    sqlite = xtask.build_side(task, sqlite_backend(), lambda _: None)
    examined = xtask.examine(task, sqlite, mysql, lambda _: None)
    proof = xtask.conclude(task, sqlite, [examined], lambda _: None)
    return [one.finding for one in proof.verdict.failing]


def test_there_are_forty_and_each_is_another_one() -> None:
    assert len({one["why"] for one in MUTATIONS}) == len(MUTATIONS) >= 40


@pytest.mark.mariadb
def test_the_unchanged_copy_is_at_parity(project: Project, mysql: xtask.MySQLBackend) -> None:
    copy_of_the_sample(project)
    assert failing(project, mysql) == []


@pytest.mark.mariadb
def test_rows_are_carried_at_strict_too(project: Project, mysql: xtask.MySQLBackend) -> None:
    copy_of_the_sample(project)
    found = failing(project, mysql, xtask.strict_kinds(""))
    assert found and all(one.level == "strict" for one in found)


@pytest.mark.mariadb
@pytest.mark.parametrize("mutation", [pytest.param(one, id=one["why"]) for one in MUTATIONS])
def test_each_change_is_found(
    mutation: dict[str, str], project: Project, mysql: xtask.MySQLBackend
) -> None:
    copy_of_the_sample(project)
    mutate(project, mutation)
    assert failing(project, mysql)
