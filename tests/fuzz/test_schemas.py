"""Schemas at random, in both dialects: equal as written, and after one change exactly what was changed is found.

XTASK_FUZZ is the number of pairs (100), XTASK_FUZZ_SEED another start than the one of every day.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings

import xtask
from conftest import Project, sqlite_backend
from draw import pairs
from model import SIDES, Dialect, Limits, Pair, Schema
from mutate import MUTATIONS, smaller, unchanged
from write import write_pair

PAIRS = int(os.environ.get("XTASK_FUZZ") or 100)
SEED = os.environ.get("XTASK_FUZZ_SEED")
Expected = Iterable[tuple[str, str]]


class Bench:
    """Both backends, emptied and built again for every pair."""

    def __init__(self, mysql: xtask.MySQLBackend, project: Project) -> None:
        self.sqlite, self.mysql, self.project = sqlite_backend(), mysql, project
        modern = tuple(map(int, mysql.version.split("."))) >= (9,)
        self.limits = Limits(mysql.flavour == "MariaDB", mysql.flavour == "MariaDB" or modern)

    def backend(self, side: Dialect) -> xtask.SQLiteBackend | xtask.MySQLBackend:
        return self.sqlite if side == "sqlite" else self.mysql

    def built(self, side: Dialect, sql: str) -> tuple[xtask.Schema, list[xtask.Finding]]:
        """The schema that a script makes, and what the server warned of."""
        self.empty(side)
        step = self.project.pair(sql, sql).steps()[0].side(side)
        assert step is not None
        warnings = self.backend(side).apply(step)
        return self.backend(side).read(), warnings

    def empty(self, side: Dialect) -> None:
        """DROP DATABASE and a new connection take MySQL longer than all the rest."""
        if side == "sqlite":
            self.sqlite.fresh()
            return
        rows = self.mysql.query("SHOW FULL TABLES")
        if rows:
            self.mysql.query("SET foreign_key_checks = 0")
            for sort, what in (("VIEW", "VIEW"), ("BASE TABLE", "TABLE")):
                names = [
                    "`" + name.replace("`", "``") + "`" for name, found in rows if found == sort
                ]
                if names:
                    self.mysql.query(f"DROP {what} {', '.join(names)}")
            self.mysql.query("SET foreign_key_checks = 1")


def parity(findings: Iterable[xtask.Finding]) -> Counter[tuple[str, str]]:
    """What is found, by kind and place; of several CHECKs of a table each is a finding, which a spelling may part."""
    found = Counter((finding.kind, finding.at) for finding in findings if finding.level == "parity")
    return Counter({key: 1 if key[0] == "check" else count for key, count in found.items()})


def assert_all_read(read: xtask.Schema, model: Schema) -> None:
    """Two schemas of which the same is not seen are equal too: what was read is counted."""
    assert set(read.tables) == {table.name for table in model.tables}
    assert set(read.views) == {view.name for view in model.views}
    for table in model.tables:
        found = read.tables[table.name]
        assert {column.name for column in found.columns} == {
            column.name for column in table.columns
        }
        assert found.primary_key == table.primary_key
        assert {frozenset(key.names) for key in found.uniques} == {
            frozenset(n.lower() for n in key.columns) for key in table.uniques
        }
        assert {key.names for key in found.indexes if not key.own} <= {
            tuple(n.lower() for n in key.columns) for key in table.indexes
        }
        assert len(found.indexes) >= len(table.indexes)
        assert len(found.foreign_keys) == len(table.foreign_keys)
        assert len(found.checks) >= len(table.checks)
        assert {c.name for c in found.columns if c.generated} == {
            c.name for c in table.columns if c.generated
        }
        assert found.rows == table.rows


class Failure(NamedTuple):
    """`sign` tells failures apart while a pair is made smaller; `changed` says whether it showed after the change only."""

    sign: tuple[object, ...]
    message: str
    changed: bool


def failure_of(pair: Pair, bench: Bench) -> Failure | None:
    changed = False
    try:
        sides = {
            side: bench.built(side, write_pair(pair, side, bench.limits, False)) for side in SIDES
        }
        for read, _ in sides.values():
            assert_all_read(read, pair.schema)
        failure = difference(findings_of(sides), (), changed)
        if failure:
            return failure
        changed = True
        side = pair.mutation.side
        sides[side] = bench.built(side, write_pair(pair, side, bench.limits, True))
        return difference(findings_of(sides), pair.mutation.expect, changed)
    except (AssertionError, xtask.XtaskError) as error:
        if not bench.mysql.connection.open:
            raise
        return Failure((type(error), str(error)[-30:]), str(error), changed)


def difference(findings: list[xtask.Finding], expect: Expected, changed: bool) -> Failure | None:
    found, wanted = parity(findings), Counter(expect)
    if found == wanted:
        return None
    more, less = (sorted(kind for kind, _ in one) for one in (found - wanted, wanted - found))
    texts = [
        f"found {one.kind} at {one.at}: {one.sqlite!r} | {one.mysql!r}"
        for one in findings
        if one.level == "parity"
    ]
    texts += [f"wanted {kind} at {at}" for kind, at in wanted]
    return Failure((changed, *more, "not", *less), "\n".join(texts), changed)


def check(pair: Pair, bench: Bench) -> None:
    failure = failure_of(pair, bench)
    if failure:
        pair, failure = smallest(pair if failure.changed else unchanged(pair), failure, bench)
        pytest.fail(
            f"{failure.message}\n\n{case(pair, bench.limits, failure.changed)}", pytrace=False
        )


def smallest(pair: Pair, failure: Failure, bench: Bench) -> tuple[Pair, Failure]:
    """The pair with all left out that the failure does not need."""
    for one in smaller(pair):
        other = failure_of(one, bench)
        if other and other.sign == failure.sign:
            return smallest(one, other, bench)
    return pair, failure


def findings_of(
    sides: dict[Dialect, tuple[xtask.Schema, list[xtask.Finding]]],
) -> list[xtask.Finding]:
    (sqlite, one), (mysql, other) = sides["sqlite"], sides["mysql"]
    return [*xtask.compare(sqlite, mysql), *one, *other]


def case(pair: Pair, limits: Limits, changed: bool) -> str:
    """The pair as an entry for tests/cases."""
    name = f"{pair.mutation.name}-on-{pair.mutation.side}".replace("_", "-") if changed else "equal"
    wanted = ", ".join(
        f"{{ kind = {text(kind)}, at = {text(at)} }}"
        for kind, at in (pair.mutation.expect if changed else ())
    )
    sides = "".join(
        f'{side} = """\n{escaped(write_pair(pair, side, limits, changed))}"""\n' for side in SIDES
    )
    return f"[[case]]\nname = {text('fuzz-' + name)}\n{sides}expect = [{wanted}]\n"


def text(value: str) -> str:
    return '"' + escaped(value).replace("\n", "\\n") + '"'


def escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


@pytest.mark.mariadb
def test_pairs(
    mysql: xtask.MySQLBackend, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = Bench(mysql, project)
    changes: Counter[str] = Counter()

    @settings(
        max_examples=PAIRS,
        derandomize=SEED is None,
        database=None,
        deadline=None,
        verbosity=Verbosity.quiet,
        phases=[
            Phase.generate
        ],  # `smallest` does better: here less of a schema means another spelling
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(pairs())
    def run(pair: Pair) -> None:
        changes[pair.mutation.name] += 1
        check(pair, bench)

    start = time.monotonic()
    (seed(int(SEED))(run) if SEED else run)()
    total = sum(changes.values())
    assert total >= PAIRS
    assert len(changes) > len(MUTATIONS) * 3 // 4
    if "XTASK_FUZZ" in os.environ:
        with capsys.disabled():
            print(
                f"\n{total} pairs, {total / (time.monotonic() - start):.1f} a second: {dict(sorted(changes.items()))}"
            )
