"""tests/cases: pairs of schemas and exactly the findings that they must give, on the leased server.

A case is data.  A side is one migration, or a list of them, in the Diesel layout; `transaction = false`
runs SQLite's outside a transaction.  `expect` are the findings at parity, `strict` those that --strict
adds and `rows` those that --rows adds, `disproved` those that it takes away, each checked where it is
given.  A finding is a kind and a place
(`at`); one without a place stands for one or more of its kind.  `also` are kinds that are passed over,
`engines` the servers that can run the case.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import xtask
from conftest import Project, sqlite_backend

CASES = Path(__file__).parent / "cases"
Case = dict[str, Any]
KEYS = {
    "name",
    "why",
    "sqlite",
    "mysql",
    "expect",
    "strict",
    "rows",
    "disproved",
    "also",
    "engines",
    "transaction",
}
FILES = sorted(file for file in CASES.glob("*.toml") if file.stem != "expressions")
assert FILES, f"no case in {CASES}"
ALL = [
    (file.stem, case) for file in FILES for case in tomllib.loads(file.read_text("utf-8"))["case"]
]
LEVELS = ("expect", "strict", "rows")
EXPECTED = [one for _, case in ALL for level in LEVELS for one in case.get(level, ())]
TOLD_BY_OTHERS = {  # not by comparing two schemas of one migration each
    "migration-unpaired": "test_migrations.py",
    "migration-irreversible": "test_server.py",
    "divergence-unused": "test_divergences.py",
}

every_case = pytest.mark.parametrize(
    "case", [pytest.param(case, id=f"{stem}/{case['name']}") for stem, case in ALL]
)


def migrations_of(case: Case, side: str) -> list[str]:
    return [case[side]] if isinstance(case[side], str) else case[side]


def write(case: Case, project: Project) -> list[xtask.Pair]:
    """Lay the case out as a project of Diesel migrations."""
    for side, directory in (("sqlite", "migrations"), ("mysql", "migrations_mysql")):
        for number, sql in enumerate(migrations_of(case, side), 1):
            folder = f"{directory}/{number:04}_schema"
            project.write({f"{folder}/up.sql": sql})
            if side == "sqlite" and not case.get("transaction", True):
                project.write({f"{folder}/metadata.toml": "run_in_transaction = false\n"})
    return project.steps()


def examine(
    case: Case, project: Project, mysql: xtask.MySQLBackend, rows: bool
) -> list[xtask.Finding]:
    """Every finding of a verification at strict, as the command makes it."""
    steps = write(case, project)
    place = project.path
    whole = xtask.Project(
        base=place,
        config=None,
        settings=xtask.Settings(),
        sqlite=place / "migrations",
        mysql=place / "migrations_mysql",
        own=True,
    )
    strict = xtask.strict_kinds("")
    task = xtask.Task(project=whole, steps=steps, strict=strict, **({"rows": True} if rows else {}))
    mysql.fresh()
    sqlite = xtask.build_side(task, sqlite_backend(), lambda _: None)
    examined = xtask.examine(task, sqlite, mysql, lambda _: None)
    proof = xtask.conclude(task, sqlite, [examined], lambda _: None)
    return [one.finding for one in proof.judged]


def unexpected(
    found: Sequence[xtask.Finding], expected: Sequence[Mapping[str, str]], also: Collection[str]
) -> list[str]:
    """Compare findings with what a case expects; an empty list where they are the same."""
    left = Counter((one.kind, one.at) for one in found if one.kind not in also)
    problems = []
    for one in sorted(expected, key=lambda one: "at" not in one):  # places first, then mere kinds
        of_kind = [key for key in left if key[0] == one["kind"]]
        places = [(one["kind"], one["at"])] if "at" in one else of_kind
        if not places or not all(left[key] for key in places):
            problems.append(f"missing: {dict(one)}")
        for key in places:
            left[key] -= 1 if "at" in one else left[key]
            left = +left
    return problems + [f"not expected: {kind} at {at}" for kind, at in left.elements()]


@pytest.mark.mariadb
@every_case
def test_case(case: Case, project: Project, mysql: xtask.MySQLBackend) -> None:
    if mysql.flavour not in case.get("engines", [mysql.flavour]):
        pytest.skip(f"a case for {', '.join(case['engines'])}")
    also = case.get("also", ())
    findings = examine(case, project, mysql, rows=False)
    at_parity = [one for one in findings if one.level == "parity"]
    at_strict = [one for one in findings if one.level == "strict"]
    assert unexpected(at_parity, case["expect"], also) == []
    if "strict" in case:
        assert unexpected(at_strict, case["strict"], also) == []
    if "rows" in case:
        with_rows = examine(case, project, mysql, rows=True)
        known = {(one.kind, one.at) for one in findings}
        added = [one for one in with_rows if (one.kind, one.at) not in known]
        at_parity = [one for one in with_rows if one.level == "parity"]
        disproved = case.get("disproved", ())
        expected = [one for one in case["expect"] if one not in disproved]
        assert unexpected(at_parity, [*expected, *case["rows"]], also) == [], added


def _is_cut_moment(one: xtask.Finding) -> bool:
    return one.sqlite in xtask.NOW_WORDS and one.mysql in xtask.CUT_MOMENTS.values()


@every_case
def test_case_equals_itself_on_sqlite(case: Case, project: Project) -> None:
    sqlite = sqlite_backend()
    xtask.build(sqlite, write(case, project), lambda _: None)
    schema = sqlite.read()
    assert schema.tables
    alone = {  # told of one side, or in MySQL's terms
        "type-unknown",
        "foreign-key-dangling",
        "column-capacity",
        "column-collation",
        "cascade-trigger",  # what SQLite fires and InnoDB does not
    }
    # A default is what MySQL stores: it cuts a moment to what a DATE or a TIME holds.
    found = [
        one
        for one in xtask.compare(schema, schema)
        if one.kind not in alone and not (one.kind == "column-default" and _is_cut_moment(one))
    ]
    assert [one for one in found if one.level == "parity"] == []


def test_names_of_cases_are_their_own() -> None:
    assert [
        name
        for name, count in Counter((stem, case["name"]) for stem, case in ALL).items()
        if count > 1
    ] == []


def test_cases_have_known_keys_kinds_and_engines() -> None:
    for stem, case in ALL:
        assert case.keys() <= KEYS, f"{stem}/{case['name']}"
        assert set(case.get("engines", ())) <= {"MariaDB", "MySQL"}
    assert {one["kind"] for one in EXPECTED} <= set(xtask.KINDS)


def test_files_are_named_as_kinds() -> None:
    assert {stem for stem, _ in ALL} <= set(xtask.KINDS)


@pytest.mark.parametrize("kind", sorted(xtask.KINDS))
def test_every_kind_has_an_equal_and_a_different_case(kind: str) -> None:
    if kind in TOLD_BY_OTHERS:
        assert kind in (Path(__file__).parent / TOLD_BY_OTHERS[kind]).read_text("utf-8")
        return
    told = [
        kind in {one["kind"] for level in LEVELS for one in case.get(level, ())}
        for stem, case in ALL
        if stem == kind
    ]
    assert set(told) == {True, False}


def test_every_case_says_why() -> None:
    assert [case["name"] for _, case in ALL if not case.get("why")] == []


@pytest.mark.parametrize("dialect", ["sqlite", "mysql"])
def test_every_type_name_stands_in_some_case(dialect: str) -> None:
    text = "\n".join(sql.upper() for _, case in ALL for sql in migrations_of(case, dialect))
    names = [
        name for rule in xtask.TYPE_RULES for name in getattr(rule, dialect).upper().split(", ")
    ]
    assert [name for name in names if not re.search(rf"\b{re.escape(name)}(?!\w)", text)] == []
