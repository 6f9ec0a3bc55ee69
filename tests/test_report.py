"""Every format from a verdict made by hand."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

import pytest

import xtask

REASON = "ISO text; read as a timestamp | on both <sides> & `everywhere`"
ENTRIES = xtask.parse_settings(
    f"""
    [[divergence]]
    kind = "column-type"
    at = ["t.created", "t.updated"]
    sqlite = "TEXT"
    mysql = "datetime"
    reason = "{REASON}"
    [[open]]
    kind = "column-nullability"
    at = "t.akey"
    sqlite = "NOT NULL"
    mysql = "NULL"
    issue = "https://tracker.example/123"
    """,
    "parity.toml",
).entries


def finding(
    kind: str,
    at: str,
    sqlite: str | None,
    mysql: str | None,
    since: str | None = "0002_b",
    **options: Any,
) -> xtask.Finding:
    return xtask.Finding(kind, at, sqlite, mysql, migration=since, **options)


DOCUMENTED = [
    finding("column-type", "t.created", "TEXT", "datetime"),
    finding("column-type", "t.updated", "TEXT", "datetime", "0001_a"),
]
OPEN = [finding("column-nullability", "t.akey", "NOT NULL", "NULL")]
NEW = [
    finding("column-type", "t.paid", "BOOLEAN", "bigint"),
    finding("column-type", "u.paid", "BOOLEAN", "bigint", "0003_c"),
    finding("check", "t", "a <> 'x|`<b>%'", None),
    finding("table-missing", '"odd.name"', None, "table"),
    finding(
        "type-unknown",
        "t.code",
        "STRING",
        "varchar(9)",
        note="SQLite gives STRING NUMERIC affinity: '007' is stored as 7",
    ),
]
HIDDEN = [
    finding("column-collation", "t.name", "exact", "ignores case, accents", None, level="strict"),
    finding("column-collation", "t.id", "exact", "ignores case, accents", None, level="strict"),
    finding("column-capacity", "t.name", "TEXT", "varchar(255)", None, level="strict"),
]


def schema(dialect: str) -> xtask.Schema:
    number, text = (
        (xtask.sqlite_type("INTEGER"), xtask.sqlite_type("TEXT"))
        if dialect == "sqlite"
        else (xtask.mysql_type("bigint"), xtask.mysql_type("varchar(255)"))
    )
    columns = (
        xtask.Column("id", number, False, auto_increment=True),
        xtask.Column("name", text, True, default=xtask.Expression("'x'")),
    )
    table = xtask.Table("t", columns, primary_key=("id",), rows=3)
    return xtask.Schema(
        {"t": table},
        ignored=("schema_migrations",) if dialect == "mysql" else (),
        unsure=2 if dialect == "mysql" else 0,
    )


def verdict(
    *findings: xtask.Finding, hidden: tuple[xtask.Finding, ...] = (), **options: Any
) -> xtask.Verdict:
    def side(flavour: str, version: str, path: str, dialect: str) -> xtask.Side:
        return xtask.Side(flavour, version, path, 3, schema(dialect))

    entries = options.pop(
        "entries", [entry for entry in ENTRIES if any(one.at in entry.at for one in findings)]
    )
    values: dict[str, Any] = {
        "level": "parity",
        "files": {"0002_b": "migrations_mysql/0002_b/up.sql"},
        **options,
    }
    return xtask.Verdict(
        side("SQLite", "3.40.1", "migrations", "sqlite"),
        side("MariaDB", "11.8.6", "migrations_mysql", "mysql"),
        tuple(xtask.judge(findings, entries)),
        tuple(xtask.judge(hidden, ())),
        **values,
    )


FULL = verdict(*DOCUMENTED, *OPEN, *NEW, hidden=tuple(HIDDEN))
CLEAN = verdict()


# ---- the verdict -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("findings", "options", "parity", "status", "line"),
    [
        ([], {}, True, 0, "parity"),
        (DOCUMENTED, {}, True, 0, "parity, 2 documented"),
        (OPEN, {}, False, 1, "not at parity: 1 open"),
        (OPEN, {"ratchet": True}, False, 0, "not at parity: 1 open"),
        (NEW, {}, False, 1, "NOT at parity: 5 undocumented findings"),
        (NEW[:1], {"ratchet": True}, False, 1, "NOT at parity: 1 undocumented finding"),
        (
            [*NEW[:1], *OPEN],
            {"ratchet": True},
            False,
            1,
            "NOT at parity: 1 undocumented finding, 1 open",
        ),
    ],
)
def test_status(
    findings: list[xtask.Finding], options: dict[str, Any], parity: bool, status: int, line: str
) -> None:
    made = verdict(*findings, **options)
    assert (made.parity, made.status) == (parity, status)
    assert xtask.verdict_line(made).startswith(line)
    for name in ("text", "markdown", "github"):
        assert line in xtask.RENDERERS[name](made)


def test_the_unused_entry_fails() -> None:
    made = verdict(entries=ENTRIES)
    assert (made.status, {one.finding.kind for one in made.failing}) == (1, {"divergence-unused"})


# ---- text ------------------------------------------------------------------------------------


def test_findings_that_share_kind_and_values_are_one_row_with_all_places() -> None:
    groups = xtask.grouped(FULL.failing)
    paid = [group for group in groups if group.kind == "column-type"]
    assert [(group.places, group.since) for group in paid] == [
        (["t.paid", "u.paid"], ["0002_b", "0003_c"])
    ]
    assert len(groups) == 4


def test_one_label_where_all_agree() -> None:
    assert [group.since for group in xtask.grouped(FULL.open)] == [["0002_b"]]


def test_text_says_all_of_it() -> None:
    text = xtask.render_text(FULL)
    told = [
        "Findings: 5",
        "Open: 1",
        "Documented: 2",
        "t.paid",
        "u.paid",
        "BOOLEAN",
        "bigint",
        "0003_c",
        "https://tracker.example/123",
        "ISO text",
    ]
    told += [
        "SQLite 3.40.1",
        "MariaDB 11.8.6",
        "migrations_mysql: 3 migrations, 1 table",
        "'007' is stored as 7",
        "trigger bodies",
    ]
    told += [
        "schema_migrations",
        "InnoDB's own foreign-key indexes: 2",
        "Verdict:",
        "Next:",
        "explain",
    ]
    assert [words for words in told if words not in text] == []
    assert text.count("0002_b") >= 4


def test_what_a_side_lacks_is_a_dash() -> None:
    assert re.search(r"\b(?:a <> 'x.*│ - )", xtask.render_text(FULL))


def test_strict_is_counted_in_one_line_with_the_key_columns() -> None:
    line = " ".join(xtask.strict_line(FULL).split())
    assert line.startswith("--strict would add column-capacity 1, column-collation 2")
    assert line.endswith("equality of strings differs on 2 columns, 1 of them in a key: t.id")


@pytest.mark.parametrize(
    ("made", "line"),
    [
        (CLEAN, "--strict would add nothing"),
        (verdict(level="strict"), ""),
        (verdict(hidden=tuple(HIDDEN[:1])), "none of them in a key"),
    ],
    ids=["nothing", "strict", "no key"],
)
def test_strict_line_otherwise(made: xtask.Verdict, line: str) -> None:
    assert xtask.strict_line(made).endswith(line)


def test_ledger() -> None:
    book = xtask.ledger(FULL)
    assert book["tables"] == {"sqlite": 1, "mysql": 1, "compared": 1}
    assert book["columns"] == {"sqlite": 2, "mysql": 2, "compared": 2}
    assert (book["documented"], book["open"], book["undocumented"]) == (2, 1, 5)
    assert (book["innodb_indexes_unsure"], book["ignored_tables"]["mysql"]) == (
        2,
        ["schema_migrations"],
    )
    assert "trigger bodies" in book["not_compared"]


def test_the_ledger_names_the_stubs() -> None:
    made = verdict(functions=("BIN2B64",))
    assert xtask.ledger(made)["stubbed_functions"] == ["BIN2B64"]
    assert "stubbed functions: BIN2B64" in xtask.render_text(made)


# ---- JSON ------------------------------------------------------------------------------------


def test_json_has_the_shape_of_the_design() -> None:
    data = json.loads(xtask.render_json(FULL))
    assert list(data) == [
        "schema_version",
        "parity",
        "level",
        "sqlite",
        "mysql",
        "ledger",
        "findings",
        "hidden",
    ]
    assert (data["schema_version"], data["parity"], data["level"]) == (1, False, "parity")
    assert data["sqlite"] == {"version": "3.40.1", "path": "migrations", "migrations": 3}
    assert data["mysql"] == {
        "flavour": "MariaDB",
        "version": "11.8.6",
        "path": "migrations_mysql",
        "migrations": 3,
    }
    assert data["hidden"] == {"column-capacity": 1, "column-collation": 2}
    keys = ["kind", "level", "at", "sqlite", "mysql", "migration", "documented", "open", "reason"]
    assert all(list(one) == keys for one in data["findings"])
    order = [(one["at"], one["kind"]) for one in data["findings"]]
    assert order == sorted(order)


def test_json_findings() -> None:
    by_place = {one["at"]: one for one in json.loads(xtask.render_json(FULL))["findings"]}
    assert by_place["t"] == {
        "kind": "check", "level": "parity", "at": "t", "sqlite": "a <> 'x|`<b>%'", "mysql": None,
        "migration": "0002_b", "documented": False, "open": False, "reason": None,
    }  # fmt: skip
    assert (
        by_place["t.created"]["documented"],
        by_place["t.created"]["open"],
        by_place["t.created"]["reason"],
    ) == (True, False, REASON)
    assert (by_place["t.akey"]["documented"], by_place["t.akey"]["open"]) == (False, True)


def test_json_at_the_strict_level() -> None:
    data = json.loads(xtask.render_json(verdict(*HIDDEN, level="strict")))
    assert (data["level"], data["hidden"], {one["level"] for one in data["findings"]}) == (
        "strict",
        {},
        {"strict"},
    )


# ---- markdown --------------------------------------------------------------------------------


def test_markdown_is_tables_that_hold() -> None:
    text = xtask.render_markdown(FULL)
    assert text.startswith("### ")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert rows and {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {6}


def test_markdown_escapes_what_would_be_markup() -> None:
    text = xtask.render_markdown(FULL)
    assert "<code>a &lt;&gt; 'x&#124;&#96;&lt;b&gt;%'</code>" in text
    assert "<b>" not in text and "<sides>" not in text
    assert "<code>t.paid</code><br><code>u.paid</code>" in text


# ---- github ----------------------------------------------------------------------------------

ANNOTATION = re.compile(r"::(error|warning|notice) ([^:]*)::(.*)\Z")


def annotations(made: xtask.Verdict) -> list[tuple[str, dict[str, str], str]]:
    """Level, properties and message of each line: what the workflow's parser sees."""
    found = []
    for line in xtask.render_github(made).splitlines():
        match = ANNOTATION.fullmatch(line)
        assert match, line
        found.append((match[1], dict(pair.split("=", 1) for pair in match[2].split(",")), match[3]))
    return found


def test_github_marks_the_migration_that_brought_it() -> None:
    by_title = {
        (level, properties.get("file"), message.split(":")[0])
        for level, properties, message in annotations(FULL)
    }
    assert ("error", "migrations_mysql/0002_b/up.sql", "t.paid") in by_title
    assert ("warning", "migrations_mysql/0002_b/up.sql", "t.akey") in by_title
    assert not any(message.startswith("t.created") for _, _, message in annotations(FULL))


def test_github_escapes() -> None:
    made = verdict(
        finding("check", "t", "a < 5%\nb", None, "x:y,z"), files={"x:y,z": "dir,a/b:c%.sql"}
    )
    level, properties, message = annotations(made)[0]
    assert (level, properties["file"]) == ("error", "dir%2Ca/b%3Ac%25.sql")
    assert "5%25" in message and "\n" not in message


@pytest.mark.parametrize(
    ("made", "level"),
    [(CLEAN, "notice"), (FULL, "error"), (verdict(*OPEN), "error")],
    ids=["clean", "full", "open"],
)
def test_github_ends_with_the_verdict(made: xtask.Verdict, level: str) -> None:
    assert annotations(made)[-1][0] == level


# ---- divergences -----------------------------------------------------------------------------


def test_divergences_parse_back_and_document_everything() -> None:
    text = xtask.render_divergences(FULL)
    assert (
        text.count("[[divergence]]")
        == len(xtask.grouped(FULL.failing))
        == text.count('reason = ""')
    )
    entries = xtask.parse_settings(
        text.replace('reason = ""', 'reason = "meant"'), "parity.toml"
    ).entries
    assert all(one.documented for one in xtask.judge(NEW, entries))


def test_divergences_without_a_reason_are_refused() -> None:
    with pytest.raises(xtask.ConfigError, match="no reason"):
        xtask.parse_settings(xtask.render_divergences(FULL), "parity.toml")


def test_divergences_hold_every_character() -> None:
    odd = finding("check", 'a"b.c\\d', "x <> '\t\n\\n\"'", None)
    text = xtask.render_divergences(verdict(odd)).replace('reason = ""', 'reason = "meant"')
    assert [
        one.documented
        for one in xtask.judge([odd], xtask.parse_settings(text, "parity.toml").entries)
    ] == [True]


def test_divergences_of_parity_are_none() -> None:
    assert xtask.render_divergences(CLEAN) == xtask.render_divergences(verdict(*DOCUMENTED)) == ""


# ---- all of them -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(xtask.RENDERERS))
def test_the_order_of_findings_does_not_matter(name: str) -> None:
    turned = verdict(*reversed([*DOCUMENTED, *OPEN, *NEW]), hidden=tuple(reversed(HIDDEN)))
    assert xtask.RENDERERS[name](turned) == xtask.RENDERERS[name](FULL)


@pytest.mark.parametrize("name", sorted(xtask.RENDERERS))
def test_no_name_can_forge_a_line(name: str) -> None:
    forged = finding("table-missing", "t\n::error::forged\x1b[31m", "table", None, None)
    lines = xtask.RENDERERS[name](verdict(forged)).splitlines()
    assert not any(line.startswith("::error::forged") or "\x1b" in line for line in lines)


@pytest.mark.parametrize("name", sorted(set(xtask.RENDERERS) - {"divergences"}))
def test_the_flavour_is_named(name: str) -> None:
    made = dataclasses.replace(
        FULL, mysql=dataclasses.replace(FULL.mysql, flavour="MySQL", version="9.7.4")
    )
    assert "MySQL" in xtask.RENDERERS[name](made)
