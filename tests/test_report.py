"""Every format from a verdict made by hand."""

from __future__ import annotations

import dataclasses
import json
import os
import re
from typing import Any

import jsonschema
import pytest

import xtask
from conftest import ROOT

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
    finding(
        "column-collation", "t.name", "exact", "folds", None, level="strict", shape="collation"
    ),
    finding("column-collation", "t.id", "exact", "folds", None, level="strict", shape="key-case"),
    finding(
        "column-capacity", "t.name", "TEXT", "varchar(255)", None, level="strict", shape="length"
    ),
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


FILES: dict[xtask.Dialect, xtask.SourceFile] = {
    "sqlite": xtask.SourceFile("sqlite", "migrations/0002_b/up.sql", "ALTER TABLE t ADD x;"),
    "mysql": xtask.SourceFile(
        "mysql",
        "migrations_mysql/0002_b/up.sql",
        "-- t.paid\n\nALTER TABLE t\n  ADD created DATETIME,\n  ADD `paid` BIGINT;",
    ),
}


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
        "files": {"0002_b": FILES},
        **options,
    }
    return xtask.Verdict(
        sqlite=side("SQLite", "3.40.1", "migrations", "sqlite"),
        servers=(side("MariaDB", "11.8.6", "migrations_mysql", "mysql"),),
        findings=tuple(xtask.judge(findings, entries)),
        hidden=tuple(xtask.judge(hidden, ())),
        **values,
    )


def shown(name: str, made: xtask.Verdict, **options: Any) -> str:
    return xtask.render(name, made, xtask.Look(**options))


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
        assert line in shown(name, made)


def test_the_unused_entry_fails() -> None:
    made = verdict(entries=ENTRIES)
    assert (made.status, {one.finding.kind for one in made.failing}) == (1, {"divergence-unused"})


# ---- text ------------------------------------------------------------------------------------


def test_findings_that_share_kind_and_values_are_one_row_with_all_places() -> None:
    groups = xtask.causes(FULL.failing)
    paid = [group for group in groups if group.kind == "column-type"]
    assert [(group.places, group.since) for group in paid] == [
        (["t.paid", "u.paid"], ["0002_b", "0003_c"])
    ]
    assert len(groups) == 4


def test_one_label_where_all_agree() -> None:
    assert [group.since for group in xtask.causes(FULL.open)] == [["0002_b"]]


def test_text_says_all_of_it() -> None:
    text = shown("text", FULL)
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
    assert re.search(r"\b(?:a <> 'x.*│ - )", shown("text", FULL))


def test_strict_is_counted_by_shape() -> None:
    assert xtask.strict_heading(FULL) == "--strict would add 3"
    lines = [line.text() for line in xtask.strict_lines(FULL)]
    assert lines == [
        "keys that ignore letter case 1: t.id",
        "lengths and digits 1: t.name",
        "strings in no key 1: t.name",
    ]


def test_a_shape_names_three_places_at_most() -> None:
    hidden = [
        finding("column-collation", f"t.c{n}", "exact", "folds", level="strict", shape="key-case")
        for n in range(5)
    ]
    made = verdict(hidden=tuple(hidden))
    assert "keys that ignore letter case 5: t.c0, t.c1, t.c2, …\n" in shown(
        "text", made, whole=True
    )


@pytest.mark.parametrize(
    ("made", "line"),
    [(CLEAN, "--strict would add nothing"), (verdict(level="strict"), "")],
    ids=["nothing", "strict"],
)
def test_strict_heading_otherwise(made: xtask.Verdict, line: str) -> None:
    assert xtask.strict_heading(made) == line


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
    assert "stubbed functions: BIN2B64" in shown("text", made, whole=True)


# ---- how it looks ----------------------------------------------------------------------------

SCREENS = ROOT / "tests" / "screens"
LONG = " AND ".join(f"(c{n} IS NULL OR length(c{n}) < {n})" for n in range(60))
SCREEN = verdict(
    *DOCUMENTED, *OPEN, *NEW,
    finding("check", "long", LONG, LONG.replace("length(c31) < 31", "length(c31) > 31")),
    finding("column-default", "memberships.member_since", "CURRENT_TIMESTAMP", None,
            "2026-02-20-090000_rename_joined_at"),
    finding("table-missing", "顧客の注文", "table", None),
    hidden=tuple(HIDDEN),
    notes=("0002_b is named 0002_c on MySQL",),
)  # fmt: skip


@pytest.mark.parametrize("width", [60, 80, 120])
def test_screens(width: int) -> None:
    """Compared with tests/screens; XTASK_WRITE_SCREENS=1 writes them anew, to be looked at."""
    text = shown("text", SCREEN, width=width)
    path = SCREENS / f"{width}.txt"
    if os.environ.get("XTASK_WRITE_SCREENS"):
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8")
    assert max(xtask.display_width(line) for line in text.splitlines()) <= width


@pytest.mark.parametrize("width", [50, 60, 80, 100, 140])
def test_nothing_is_wider_than_the_terminal(width: int) -> None:
    for colour in (False, True):
        text = shown("text", SCREEN, width=width, colour=colour, whole=True)
        plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
        assert max(xtask.display_width(line) for line in plain.splitlines()) <= width


def test_the_lines_of_a_table_are_aligned_with_wide_characters() -> None:
    lines = [line for line in shown("text", SCREEN).splitlines() if "│" in line]
    wide = next(line for line in lines if "顧客の注文" in line)
    assert xtask.display_width(wide) == xtask.display_width(lines[0]) != len(wide)


@pytest.mark.parametrize("width", [80, 100, 120])
def test_a_place_is_not_broken(width: int) -> None:
    place = "memberships.member_since"
    narrow = finding("column-default", "t.x", "CURRENT_TIMESTAMP", None)
    wide = finding("column-default", place, "CURRENT_DATE", None, "2026-02-20-090000_rename_joined")
    text = shown("text", verdict(narrow, wide), width=width)
    assert re.search(rf"(?:│|column-default)  ?{place}(?: +│|$)", text, re.MULTILINE)
    assert "│ t.x " in text


def test_counts_at_parity_have_their_plurals() -> None:
    index = xtask.Key("i", (xtask.Part("name"),))
    for number, words in ((1, "1 index,"), (2, "2 indexes,")):
        sides = []
        for side in CLEAN.sides:
            table = dataclasses.replace(side.schema.tables["t"], indexes=(index,) * number)
            schema = dataclasses.replace(side.schema, tables={"t": table})
            sides.append(dataclasses.replace(side, schema=schema))
        both = dataclasses.replace(CLEAN, sqlite=sides[0], servers=(sides[1],))
        assert f" {words}" in shown("text", both)


@pytest.mark.parametrize("rows", [None, "ROWS"])
def test_what_nothing_compares_is_named(rows: str | None) -> None:
    made = verdict(rows=ROWS if rows else None)
    named = [one.name for one in xtask.not_compared(made)]
    assert {
        "INVISIBLE and IGNORED indexes",
        "the order of ENUM values",
        "where SQLite takes any type",
    } <= set(named)
    assert len(set(named)) == len(named)


def test_one_word_stands_out_of_three_hundred() -> None:
    text = shown("text", SCREEN, width=80)
    assert text.count("«") == 2 and "«<»" in text and "«>»" in text
    assert "words)…" in text


def test_what_shares_nothing_is_not_marked() -> None:
    one, other = "a" * 20 + " BETWEEN 1 AND 20 OR b", "length(name) <= 40 AND name <> upper(name)"
    assert "«" not in shown("text", verdict(finding("check", "t", one, other)))


def test_colour_changes_no_word() -> None:
    coloured = shown("text", SCREEN, colour=True)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert coloured.splitlines()[-1].startswith("\x1b[1;31mVerdict: ")
    assert plain == shown("text", SCREEN).replace("«", "").replace("»", "")
    assert "\x1b" not in shown("text", SCREEN)


@pytest.mark.parametrize("width", [80, 100])
def test_parity_takes_a_dozen_lines(width: int) -> None:
    hidden = [finding(kind, "t", "a", "b", level="strict") for kind in [*xtask.KINDS][:12]]
    made = verdict(*DOCUMENTED, hidden=tuple(hidden), notes=("one", "two", "three " * 40))
    lines = shown("text", made, width=width).splitlines()
    assert len(lines) <= 12
    assert lines[-1] == "Verdict: parity, 2 documented"
    assert len(shown("text", made, width=width, whole=True).splitlines()) > 30


def test_brief_has_causes_and_verdict_alone() -> None:
    text = shown("text", SCREEN, brief=True)
    assert text.startswith("Findings: ") and text.splitlines()[-1].startswith("Verdict: ")
    assert "ledger" not in text and "Documented" not in text and "Next" not in text
    assert shown("text", CLEAN, brief=True) == "Verdict: parity\n"


def test_the_heading_counts() -> None:
    heading = "Findings: 5 (4 causes, 5 places, 3 tables, 2 migrations)"
    assert heading in shown("text", FULL)


def test_what_is_new_against_a_base_is_marked_in_every_format() -> None:
    made = dataclasses.replace(FULL, base="origin/main", new=frozenset([NEW[1]]))
    for name in ("text", "markdown"):
        assert "1 new against origin/main" in shown(name, made)
        assert "u.paid (new)" in shown(name, made) and "t.paid (new)" not in shown(name, made)
    data = json.loads(shown("json", made))
    assert data["base"] == "origin/main"
    assert [one["at"] for one in data["findings"] if one["new"]] == ["u.paid"]


def test_servers_that_alone_have_a_finding_are_named() -> None:
    one = dataclasses.replace(NEW[0], servers=("MySQL 9.7",))
    assert "t.paid (only MySQL 9.7)" in shown("text", verdict(one))
    assert json.loads(shown("json", verdict(one)))["findings"][0]["servers"] == ["MySQL 9.7"]


EVIDENCE = xtask.Evidence("INSERT INTO t (paid) VALUES (2)", "stored 2", "refused")


def test_evidence_is_shown_with_v_and_in_the_formats() -> None:
    made = verdict(dataclasses.replace(NEW[0], evidence=(EVIDENCE,)), NEW[2], rows=ROWS)
    assert EVIDENCE.statement not in shown("text", made)
    for text in (shown("text", made, whole=True), shown("json", made), shown("markdown", made)):
        assert EVIDENCE.statement in text and "stored 2" in text and "refused" in text
    assert "no behaviour seen: check t\n" in shown("text", made)


ROWS = xtask.RowCounts(carried=30, steps=12, probes=400, alike=390, explained=10, without=("t",))


def test_rows_are_counted_and_their_absence_is_said() -> None:
    text = shown("text", verdict(rows=ROWS), whole=True)
    assert "rows carried: 30 through 12 steps, 400 probes: 390 alike, 10 explained" in text
    assert "tables without a row: t" in text
    assert "row values" not in text and "the session's time zone" in text
    assert "rows not carried: --rows" in shown("text", CLEAN)


def test_what_rows_do_not_compare_is_said_in_every_format() -> None:
    made = verdict(rows=dataclasses.replace(ROWS, left_out={"big": "too many", "v": "refused"}))
    for name in ("text", "json", "markdown"):
        text = shown(name, made, whole=True)
        assert "big" in text and "too many" in text and "refused" in text
    assert "2 places left out" in shown("text", made)


def test_notes_and_what_is_skipped_are_in_every_format() -> None:
    made = verdict(*NEW, notes=("left alone: 0002_b.go",), skipped={"CREATE DATABASE": 2})
    for name in ("text", "json", "markdown", "github"):
        assert "left alone" in shown(name, made)
        assert "CREATE DATABASE" in shown(name, made)


# ---- JSON ------------------------------------------------------------------------------------


def test_json_has_the_shape_of_the_design() -> None:
    data = json.loads(shown("json", FULL))
    assert list(data) == [
        "schema_version",
        "parity",
        "level",
        "verdict",
        "next",
        "status",
        "sqlite",
        "mysql",
        "servers",
        "unverified",
        "base",
        "ledger",
        "notes",
        "findings",
        "hidden",
        "schemas",
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
    order = [(one["at"], one["kind"]) for one in data["findings"]]
    assert order == sorted(order)


def test_json_findings() -> None:
    by_place = {one["at"]: one for one in json.loads(shown("json", FULL))["findings"]}
    assert by_place["t"] == {
        "kind": "check", "level": "parity", "at": "t", "cause": xtask.cause_of(NEW[2]),
        "sqlite": "a <> 'x|`<b>%'", "mysql": None, "migration": "0002_b",
        "files": {
            "sqlite": {"path": "migrations/0002_b/up.sql", "line": 1},
            "mysql": {"path": "migrations_mysql/0002_b/up.sql", "line": 3},
        },
        "note": "", "shape": "", "servers": [], "evidence": [], "new": None,
        "documented": False, "open": False, "reason": None,
    }  # fmt: skip
    assert by_place["t.paid"]["files"]["mysql"]["line"] == 5
    assert by_place["u.paid"]["files"] == {"sqlite": None, "mysql": None}
    assert by_place["t.paid"]["cause"] == by_place["u.paid"]["cause"]
    assert (
        by_place["t.created"]["documented"],
        by_place["t.created"]["open"],
        by_place["t.created"]["reason"],
    ) == (True, False, REASON)
    assert (by_place["t.akey"]["documented"], by_place["t.akey"]["open"]) == (False, True)


@pytest.mark.parametrize("made", [FULL, CLEAN, SCREEN, verdict(rows=ROWS)])
def test_json_is_as_its_schema_says(made: xtask.Verdict) -> None:
    schema = xtask.report_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(shown("json", made)), schema)


def test_the_schema_refuses_what_is_not_described() -> None:
    data = json.loads(shown("json", FULL))
    for change in ({"more": 1}, {"status": 3}, {"parity": "yes"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**data, **change}, xtask.report_schema())


def test_an_error_is_as_the_schema_says() -> None:
    text = xtask.fail_json("up.sql, line 3: near x", "")
    jsonschema.validate(json.loads(text), xtask.report_schema())
    jsonschema.validate(json.loads(xtask.fail_json("no server", "")), xtask.report_schema())


def test_json_has_the_schemas_in_lines() -> None:
    lines = json.loads(shown("json", FULL))["schemas"]["mysql"]
    assert lines == [
        "table t",
        "  id: bigint, not null, auto_increment",
        "  name: varchar(255), null, default 'x'",
        "  primary key (id)",
        "  3 rows",
    ]


def test_json_at_the_strict_level() -> None:
    data = json.loads(shown("json", verdict(*HIDDEN, level="strict")))
    assert (data["level"], data["hidden"], {one["level"] for one in data["findings"]}) == (
        "strict",
        {},
        {"strict"},
    )


# ---- markdown --------------------------------------------------------------------------------


def test_markdown_is_tables_that_hold() -> None:
    text = shown("markdown", FULL)
    assert text.startswith("### ")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert rows and {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {5, 6}


def test_markdown_escapes_what_would_be_markup() -> None:
    text = shown("markdown", FULL)
    assert "<code>a &lt;&gt; 'x&#124;&#96;&lt;b&gt;%'</code>" in text
    assert "<b>" not in text and "<sides>" not in text
    assert "<code>t.paid</code><br><code>u.paid</code>" in text


# ---- github ----------------------------------------------------------------------------------

ANNOTATION = re.compile(r"::(error|warning|notice) ([^:]*)::(.*)\Z")


def annotations(made: xtask.Verdict, **options: Any) -> list[tuple[str, dict[str, str], str]]:
    """Level, properties and message of each line before the group: what the workflow sees."""
    found = []
    head, group, _ = shown("github", made, **options).partition("::group::")
    assert group
    for line in head.splitlines():
        match = ANNOTATION.fullmatch(line)
        assert match, line
        found.append((match[1], dict(pair.split("=", 1) for pair in match[2].split(",")), match[3]))
    return found


def test_github_marks_the_line_that_brought_it() -> None:
    found = {message.split(":")[0]: one for *one, message in annotations(FULL)[1:]}
    path = "migrations_mysql/0002_b/up.sql"
    title = "schema drift%3A column-type"
    expected = {"file": path, "line": "5", "title": title}
    assert found["t.paid and 1 more place"] == ["error", expected]
    assert found["t.akey"][0] == "warning"
    assert "t.created" not in found


def test_github_marks_the_side_that_changed() -> None:
    files = {**FILES, "sqlite": dataclasses.replace(FILES["sqlite"], changed=True)}
    found = annotations(verdict(NEW[0], files={"0002_b": files}))
    assert found[1][1]["file"] == "migrations/0002_b/up.sql"


@pytest.mark.parametrize(
    ("prefix", "path", "expected"),
    [
        ("", "a/b.sql", "a/b.sql"),
        (".", "a/b.sql", "a/b.sql"),
        ("services/api", "a/b.sql", "services/api/a/b.sql"),
        ("services/api", "../../db/b.sql", "db/b.sql"),
        ("services/api", "/elsewhere/b.sql", "/elsewhere/b.sql"),
    ],
)
def test_paths_lead_from_the_root_of_the_checkout(prefix: str, path: str, expected: str) -> None:
    assert xtask.path_from(prefix, path) == expected


def test_github_escapes() -> None:
    file = xtask.SourceFile("mysql", "dir,a/b:c%.sql", "")
    made = verdict(
        finding("check", "t", "a < 5%\nb", None, "x:y,z"), files={"x:y,z": {"mysql": file}}
    )
    level, properties, message = annotations(made)[1]
    assert (level, properties["file"]) == ("error", "dir%2Ca/b%3Ac%25.sql")
    assert "5%25" in message and "\n" not in message


@pytest.mark.parametrize(
    ("made", "level"),
    [(CLEAN, "notice"), (FULL, "error"), (verdict(*OPEN), "error")],
    ids=["clean", "full", "open"],
)
def test_github_begins_with_the_verdict(made: xtask.Verdict, level: str) -> None:
    assert annotations(made)[0][0] == level
    assert annotations(made)[0][2].startswith(xtask.verdict_line(made))


def test_github_has_ten_annotations_and_counts_the_rest() -> None:
    found = annotations(verdict(*(finding("check", "t", f"a > {n}", None) for n in range(30))))
    assert len(found) == 10
    assert found[0][2].endswith("; 21 more causes in the log")


def test_the_text_of_a_group_is_no_command() -> None:
    text = shown("github", verdict(finding("check", "t", "::error::x", None)))
    token = re.search(r"^::stop-commands::([0-9a-f]{16})$", text, re.MULTILINE)
    assert token
    inside = text.partition(token[0])[2].partition(f"::{token[1]}::\n::endgroup::\n")
    assert "::error::x" in inside[0] and inside[1] and not inside[2]
    assert token[1] not in inside[0]


# ---- divergences -----------------------------------------------------------------------------


def test_divergences_parse_back_and_document_everything() -> None:
    text = shown("divergences", FULL)
    assert (
        text.count("[[divergence]]") == len(xtask.causes(FULL.failing)) == text.count('reason = ""')
    )
    entries = xtask.parse_settings(
        text.replace('reason = ""', 'reason = "meant"'), "parity.toml"
    ).entries
    assert all(one.documented for one in xtask.judge(NEW, entries))


def test_divergences_without_a_reason_are_refused() -> None:
    with pytest.raises(xtask.ConfigError, match="no reason"):
        xtask.parse_settings(shown("divergences", FULL), "parity.toml")


def test_divergences_hold_every_character() -> None:
    odd = finding("check", 'a"b.c\\d', "x <> '\t\n\\n\"'", None)
    text = shown("divergences", verdict(odd)).replace('reason = ""', 'reason = "meant"')
    assert [
        one.documented
        for one in xtask.judge([odd], xtask.parse_settings(text, "parity.toml").entries)
    ] == [True]


def test_divergences_of_parity_are_none() -> None:
    assert shown("divergences", CLEAN) == shown("divergences", verdict(*DOCUMENTED)) == ""


def test_an_entry_names_a_place_as_often_as_it_is_found() -> None:
    """Two migrations may each lose rows of one table."""
    losses = [
        finding("data-loss", place, "rows deleted", "rows kept", step)
        for place, step in (("t", "0002_b"), ("u", "0002_b"), ("t", "0003_c"))
    ]
    text = shown("open", verdict(*losses)).replace('issue = ""', 'issue = "7"')
    (entry,) = xtask.parse_settings(text, "parity.toml").entries
    assert entry.at == ("t", "t", "u")
    said = shown("text", verdict(*losses, entries=[entry]))
    assert len(re.findall(r"^│ \S* *│ [tu] +│", said, re.MULTILINE)) == 2
    since = shown("text", verdict(*losses))
    assert "0002_b" in since and "0003_c" in since


# ---- all of them -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", xtask.FORMAT_NAMES)
def test_the_order_of_findings_does_not_matter(name: str) -> None:
    turned = verdict(*reversed([*DOCUMENTED, *OPEN, *NEW]), hidden=tuple(reversed(HIDDEN)))
    assert shown(name, turned) == shown(name, FULL)


@pytest.mark.parametrize("name", xtask.FORMAT_NAMES)
def test_no_name_can_forge_a_line(name: str) -> None:
    forged = finding("table-missing", "t\n::error::forged\x1b[31m", "table", None, None)
    lines = shown(name, verdict(forged)).splitlines()
    assert not any(line.startswith("::error::forged") or "\x1b" in line for line in lines)


@pytest.mark.parametrize("name", ("text", "json", "markdown", "github"))
def test_the_flavour_is_named(name: str) -> None:
    server = dataclasses.replace(FULL.mysql, flavour="MySQL", version="9.7.4")
    made = dataclasses.replace(FULL, servers=(server,))
    assert "MySQL" in shown(name, made)


def test_a_word_of_a_value_is_broken_last() -> None:
    """A migration's long name gives way; where nothing does, a dot is better than a `_`."""
    since = "2026-02-20-090000_rename_joined_at_again"
    found = [
        finding("column-default", "memberships.since", "CURRENT_TIMESTAMP", None, since),
        finding("foreign-key", "c(p_id)", "parents(id) ON DELETE CASCADE", "parents(id)", since),
    ]
    text = xtask.render("text", verdict(*found), xtask.Look(brief=True))
    assert "│ CURRENT_TIMESTAMP  " in text and "│ parents(id)" in text
    broken = ["memberships.", "a_very_long_column_", "name,b"]
    assert xtask.wrap("memberships.a_very_long_column_name,b", 20) == broken
    assert xtask.wrap("CURRENT_TIMESTAMP", 10) == ["CURRENT_", "TIMESTAMP"]
    assert xtask.wrap("abcdefghij", 4) == ["abcd", "efgh", "ij"]
