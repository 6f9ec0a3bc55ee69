"""tests/cases: pairs of schemas and exactly the findings that they must give, on the leased server.

A case is data: `name`, `why`, both sides, `expect`, `strict` where it is checked, and `engines` where only
one server can run it.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import Project, sqlite_backend

import xtask

CASES = Path(__file__).parent / "cases"
FILES = sorted(CASES.glob("*.toml"))
assert FILES, f"no case in {CASES}"
ALL = [
    (file.stem, case) for file in FILES for case in tomllib.loads(file.read_text("utf-8"))["case"]
]
EXPECTED = [one for _, case in ALL for one in (*case["expect"], *case.get("strict", ()))]
TOLD_BY_OTHERS = {  # not by comparing two schemas of one migration each
    "migration-unpaired": "test_migrations.py",
    "migration-irreversible": "test_server.py",
    "divergence-unused": "test_divergences.py",
}

every_case = pytest.mark.parametrize(
    "case", [pytest.param(case, id=f"{stem}/{case['name']}") for stem, case in ALL]
)


@pytest.fixture(scope="module")
def mysql(address: xtask.Address) -> Iterator[xtask.MySQLBackend]:
    backend = xtask.MySQLBackend(address, "", (), 60)
    yield backend
    backend.fresh()
    backend.close()


def findings_of(
    case: dict[str, Any], project: Project, mysql: xtask.MySQLBackend
) -> list[xtask.Finding]:
    steps = project.pair(case["sqlite"], case["mysql"]).steps()
    sqlite = sqlite_backend()
    mysql.fresh()
    xtask.build(sqlite, steps, lambda _: None)
    warnings = xtask.build(mysql, steps, lambda _: None)
    return [*xtask.compare(sqlite.read(), mysql.read()), *warnings]


@pytest.mark.mariadb
@every_case
def test_case(case: dict[str, Any], project: Project, mysql: xtask.MySQLBackend) -> None:
    if mysql.flavour not in case.get("engines", [mysql.flavour]):
        pytest.skip(f"a case for {', '.join(case['engines'])}")
    findings = findings_of(case, project, mysql)
    by_level = {
        level: sorted((f.kind, f.at) for f in findings if f.level == level)
        for level in ("parity", "strict")
    }
    assert by_level["parity"] == sorted((one["kind"], one["at"]) for one in case["expect"])
    if "strict" in case:
        assert by_level["strict"] == sorted((one["kind"], one["at"]) for one in case["strict"])


@every_case
def test_case_equals_itself_on_sqlite(case: dict[str, Any], project: Project) -> None:
    sqlite = sqlite_backend()
    xtask.build(sqlite, project.pair(case["sqlite"], case["mysql"]).steps(), lambda _: None)
    schema = sqlite.read()
    assert schema.tables
    alone = {
        "type-unknown",
        "foreign-key-dangling",
        "column-capacity",
        "column-collation",
    }  # told of one side, or in MySQL's terms
    assert [finding for finding in xtask.compare(schema, schema) if finding.kind not in alone] == []


def test_names_of_cases_are_their_own() -> None:
    assert [
        name
        for name, count in Counter((stem, case["name"]) for stem, case in ALL).items()
        if count > 1
    ] == []


def test_cases_have_known_keys_kinds_and_engines() -> None:
    for stem, case in ALL:
        assert case.keys() <= {"name", "why", "sqlite", "mysql", "expect", "strict", "engines"}, (
            f"{stem}/{case['name']}"
        )
        assert set(case.get("engines", ())) <= {"MariaDB", "MySQL"}
    assert {one["kind"] for one in EXPECTED} <= set(xtask.KINDS)


@pytest.mark.parametrize("kind", sorted(xtask.KINDS))
def test_every_kind_is_told_by_some_case(kind: str) -> None:
    if kind in TOLD_BY_OTHERS:
        assert kind in (Path(__file__).parent / TOLD_BY_OTHERS[kind]).read_text("utf-8")
    else:
        assert kind in {one["kind"] for one in EXPECTED}


@pytest.mark.parametrize("dialect", ["sqlite", "mysql"])
def test_every_type_name_stands_in_some_case(dialect: str) -> None:
    text = "\n".join(case[dialect].upper() for _, case in ALL)
    names = [
        name for rule in xtask.TYPE_RULES for name in getattr(rule, dialect).upper().split(", ")
    ]
    assert [name for name in names if not re.search(rf"\b{re.escape(name)}(?!\w)", text)] == []
