"""tests/cases: pairs of schemas and exactly the findings that they must give, on the leased server."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Project, sqlite_backend

import xtask

CASES = Path(__file__).parent / "cases"
FILES = sorted(CASES.glob("*.toml"))
assert FILES, f"no case in {CASES}"


def load() -> Iterator[Any]:
    for file in FILES:
        for case in tomllib.loads(file.read_text("utf-8"))["case"]:
            yield pytest.param(case, id=f"{file.stem}/{case['name']}")


@pytest.fixture(scope="module")
def mysql(address: xtask.Address) -> Iterator[xtask.MySQLBackend]:
    backend = xtask.MySQLBackend(address, "", (), 60)
    yield backend
    backend.fresh()
    backend.close()


def findings_of(case: dict[str, Any], project: Project, mysql: xtask.MySQLBackend) -> list[xtask.Finding]:
    steps = project.pair(case["sqlite"], case["mysql"]).steps()
    sqlite = sqlite_backend()
    mysql.fresh()
    xtask.build(sqlite, steps, lambda _: None)
    warnings = xtask.build(mysql, steps, lambda _: None)
    return [*xtask.compare(sqlite.read(), mysql.read()), *warnings]


@pytest.mark.mariadb
@pytest.mark.parametrize("case", list(load()))
def test_case(case: dict[str, Any], project: Project, mysql: xtask.MySQLBackend) -> None:
    findings = findings_of(case, project, mysql)
    by_level = {level: sorted((f.kind, f.at) for f in findings if f.level == level) for level in ("parity", "strict")}
    assert by_level["parity"] == sorted((one["kind"], one["at"]) for one in case["expect"])
    if "strict" in case:
        assert by_level["strict"] == sorted((one["kind"], one["at"]) for one in case["strict"])
