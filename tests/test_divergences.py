"""parity.toml: what it may say, and what it says of findings.  divergence-unused is told here."""

from __future__ import annotations

import json

import pytest

import xtask

DIVERGENCE = '[[divergence]]\nkind = "column-type"\nat = "t.a"\nsqlite = "TEXT"\nmysql = "datetime"\nreason = "why"\n'
OPEN = '[[open]]\nkind = "column-nullability"\nat = "t.b"\nsqlite = "NULL"\nmysql = "NOT NULL"\nissue = "https://tracker.example/1"\n'
REWRITE = '[[rewrite]]\nmigration = "1_a"\ndigest = "abc"\nreason = "why"\n'


def parse(text: str) -> xtask.Settings:
    return xtask.parse_settings(text, "parity.toml")


def test_nothing_means_the_defaults() -> None:
    assert parse("") == xtask.Settings()


def test_every_setting() -> None:
    settings = parse(
        'ignore_tables = ["Legacy"]\n'
        '[sqlite]\nmigrations = "a"\ninit = "PRAGMA foreign_keys = OFF"\nfunctions = { BIN2B64 = 1, ANY = -1 }\n'
        '[mysql]\nmigrations = "b"\ninit = "SET FOREIGN_KEY_CHECKS = 0"\nimage = "mysql:9"\n'
        + DIVERGENCE
        + OPEN
        + REWRITE
    )
    assert (settings.sqlite, settings.sqlite_init, settings.mysql, settings.mysql_init) == (
        "a", "PRAGMA foreign_keys = OFF", "b", "SET FOREIGN_KEY_CHECKS = 0",
    )  # fmt: skip
    assert (settings.image, settings.ignore_tables, dict(settings.functions)) == (
        "mysql:9",
        ("legacy",),
        {"BIN2B64": 1, "ANY": -1},
    )
    assert [(one.open, one.kind, one.at, one.why) for one in settings.entries] == [
        (False, "column-type", ("t.a",), "why"),
        (True, "column-nullability", ("t.b",), "https://tracker.example/1"),
    ]
    assert [name for one in settings.rewrites for name, _ in one.allowed] == ["1_a"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ignore_table = []", ["'ignore_table'", "'ignore_tables'"]),
        ('[sqlite]\nmigration = "x"', ["[sqlite]", "'migration'", "'migrations'"]),
        ("[mysql]\nfunctions = { F = 1 }", ["[mysql]", "'functions'"]),
        ("[postgres]", ["'postgres'"]),
        ("[[divergences]]", ["'divergences'", "'divergence'"]),
        ("[sqlite", ["not TOML"]),
        ('sqlite = "migrations"', ["sqlite"]),
        ('[sqlite]\nmigrations = ["a"]', ["migrations"]),
        ("[sqlite]\ninit = 1", ["init"]),
        ('[sqlite]\nfunctions = { F = "one" }', ["F", "number of arguments"]),
        ("[sqlite]\nfunctions = { F = true }", ["F", "number of arguments"]),
        ("[sqlite]\nfunctions = { F = 999 }", ["F", "number of arguments"]),
        ('ignore_tables = "t"', ["ignore_tables"]),
        ("ignore_tables = [1]", ["ignore_tables"]),
        ("divergence = 1", ["divergence"]),
        (DIVERGENCE.replace('reason = "why"\n', ""), ["[[divergence]] 1", "no reason"]),
        (DIVERGENCE.replace('"why"', '"  "'), ["[[divergence]] 1", "no reason"]),
        (OPEN.replace('issue = "https://tracker.example/1"\n', ""), ["[[open]] 1", "no issue"]),
        (OPEN.replace("issue", "reason"), ["[[open]] 1", "'reason'"]),
        (DIVERGENCE.replace("reason", "issue"), ["[[divergence]] 1", "'issue'"]),
        (
            DIVERGENCE + DIVERGENCE.replace("column-type", "column-typo"),
            ["[[divergence]] 2", "'column-typo'", "'column-type'"],
        ),
        (DIVERGENCE.replace("column-type", "divergence-unused"), ["divergence-unused"]),
        (DIVERGENCE.replace('at = "t.a"\n', ""), ["at"]),
        (DIVERGENCE.replace('"t.a"', "[]"), ["at"]),
        (DIVERGENCE.replace('"t.a"', '["t.a", 3]'), ["at"]),
        (DIVERGENCE.replace('"t.a"', '["t.a", "t.a"]'), ["twice"]),
        (DIVERGENCE.replace('sqlite = "TEXT"\nmysql = "datetime"\n', ""), ["two values"]),
        (DIVERGENCE.replace('"TEXT"', "7"), ["two values"]),
        (DIVERGENCE + DIVERGENCE, ["[[divergence]] 1", "[[divergence]] 2", "t.a"]),
        (
            DIVERGENCE + DIVERGENCE.replace('"t.a"', '["t.b", "t.a"]'),
            ["[[divergence]] 1", "[[divergence]] 2", "t.a"],
        ),
        (
            DIVERGENCE + DIVERGENCE.replace("divergence", "open").replace("reason", "issue"),
            ["[[divergence]] 1", "[[open]] 1", "t.a"],
        ),
        (REWRITE.replace('digest = "abc"\n', ""), ["[[rewrite]]", "digest"]),
        (REWRITE.replace('"why"', '""'), ["[[rewrite]]", "reason"]),
        (REWRITE + 'at = "x"\n', ["[[rewrite]]", "'at'"]),
    ],
)
def test_what_has_no_meaning_is_an_error(text: str, words: list[str]) -> None:
    with pytest.raises(xtask.ConfigError) as caught:
        parse(text)
    assert [word for word in ["parity.toml", *words] if word not in str(caught.value)] == []


def test_two_entries_about_one_place_may_pin_two_findings() -> None:
    entries = parse(DIVERGENCE + DIVERGENCE.replace("TEXT", "INTEGER")).entries
    assert [entry.sqlite for entry in entries] == ["TEXT", "INTEGER"]


FINDING = xtask.Finding("column-type", "t.a", "TEXT", "datetime")


def judged(
    findings: list[xtask.Finding], text: str, unchecked: tuple[str, ...] = ()
) -> list[tuple[str, str, str]]:
    """Kind, place and what parity.toml says of each."""
    told = xtask.judge(findings, parse(text).entries, unchecked)
    words = [
        "documented" if one.documented else "open" if one.open else "undocumented" for one in told
    ]
    return [(one.finding.kind, one.finding.at, word) for one, word in zip(told, words, strict=True)]


AS_OPEN = DIVERGENCE.replace("divergence", "open").replace("reason", "issue")
NEW, UNUSED = ("column-type", "t.a", "undocumented"), ("divergence-unused", "t.a", "undocumented")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [NEW]),
        (DIVERGENCE, [("column-type", "t.a", "documented")]),
        (AS_OPEN, [("column-type", "t.a", "open")]),
        (
            DIVERGENCE.replace('"t.a"', '["t.b", "t.a"]'),
            [("column-type", "t.a", "documented"), ("divergence-unused", "t.b", "undocumented")],
        ),
        (DIVERGENCE.replace("TEXT", "CLOB"), [NEW, UNUSED]),
        (DIVERGENCE.replace('mysql = "datetime"\n', ""), [NEW, UNUSED]),
        (DIVERGENCE.replace("column-type", "check"), [NEW, UNUSED]),
        (DIVERGENCE.replace("t.a", "T.A"), [("divergence-unused", "T.A", "undocumented"), NEW]),
    ],
)
def test_an_entry_is_pinned_on_kind_place_and_both_values(
    text: str, expected: list[tuple[str, str, str]]
) -> None:
    assert judged([FINDING], text) == expected


def test_an_unused_entry_says_which_it_is() -> None:
    (one,) = xtask.judge([], parse(DIVERGENCE).entries)
    assert (one.finding.kind, one.finding.at, one.finding.sqlite, one.finding.mysql) == (
        "divergence-unused",
        "t.a",
        "TEXT",
        "datetime",
    )
    assert one.finding.note == "mended: t.a; delete lines 1 to 6 of parity.toml"


def test_entries_match_strict_findings_too() -> None:
    strict = xtask.Finding("column-type", "t.a", "TEXT", "datetime", level="strict")
    assert judged([strict], DIVERGENCE) == [("column-type", "t.a", "documented")]


def test_what_was_not_looked_for_is_neither_used_nor_unused() -> None:
    text = DIVERGENCE.replace("column-type", "migration-irreversible")
    assert judged([], text, ("migration-irreversible",)) == []
    assert judged([], text) == [("divergence-unused", "t.a", "undocumented")]


def test_the_sign_of_what_a_side_lacks_is_no_value() -> None:
    text = '[[divergence]]\nkind = "check"\nat = "t"\nsqlite = "a > 1"\nmysql = "-"\nreason = "x"\n'
    with pytest.raises(xtask.ConfigError, match="leave out what a side lacks"):
        xtask.parse_settings(text, "parity.toml")


def test_an_unused_entry_cannot_be_documented() -> None:
    text = '[[divergence]]\nkind = "divergence-unused"\nat = "t"\nsqlite = "a"\nreason = "x"\n'
    with pytest.raises(xtask.ConfigError, match="cannot be documented; delete the entry"):
        xtask.parse_settings(text, "parity.toml")


def test_a_value_that_one_side_lacks_is_left_out() -> None:
    text = DIVERGENCE.replace('mysql = "datetime"\n', "").replace("column-type", "column-missing")
    assert judged([xtask.Finding("column-missing", "t.a", "TEXT", None)], text) == [
        ("column-missing", "t.a", "documented")
    ]


# ---- --strict --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "kinds"),
    [
        (None, set()),
        ("", {kind.name for kind in xtask.KINDS.values() if kind.level != "parity"}),
        ("column-collation", {"column-collation"}),
        ("column-collation, column-capacity", {"column-collation", "column-capacity"}),
        ("migration-unpaired,", {"migration-unpaired"}),
        ("key-case, upgrade-fails", {"key-case", "upgrade-fails"}),
    ],
)
def test_strict_kinds(option: str | None, kinds: set[str]) -> None:
    assert xtask.strict_kinds(option) == kinds


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("column-colation", "'column-collation'"),
        ("column-type", "no strict kind"),
        ("all", "known are"),
    ],
)
def test_strict_kinds_that_are_none(option: str, words: str) -> None:
    with pytest.raises(xtask.ConfigError, match=words):
        xtask.strict_kinds(option)


def test_the_strict_kinds_are_those_of_the_design() -> None:
    by_level = {level: set() for level in ("strict", "both", "parity")}
    for kind in xtask.KINDS.values():
        by_level[kind.level].add(kind.name)
    assert by_level["strict"] == {"collation-inherited", "migration-unpaired"}
    assert by_level["both"] == {
        "check",
        "column-auto-increment",
        "column-capacity",
        "column-collation",
        "column-default",
        "column-generated",
        "column-nullability",
        "primary-key",
        "upgrade-fails",
    }


TWO_PLACES = (
    """\
# kept

[[divergence]]   # about two places
kind = "column-type"
at = [
  "t.a",  # the first
  "t.b",
]
sqlite = "TEXT"
mysql = "datetime"
reason = "a ] and a [[divergence]] in a string"

# kept too
[[open]]
kind = "column-nullability"
at = ["t.b", "t.c"]
sqlite = "NOT NULL"
mysql = "NULL"
issue = """
    + '"""'
    + """one
[[open]]
"""
    + '"""'
    + """
"""
)


def test_an_entry_knows_its_lines() -> None:
    entries = parse(TWO_PLACES).entries
    assert [one.lines for one in entries] == [(3, 11), (14, 21)]


@pytest.mark.parametrize(
    ("gone", "lines"),
    [
        ([0, 1], [2, 12]),
        ([0], [5, 6]),
        ([1], [6, 7]),
        ([2, 3], [13, 21]),
    ],
    ids=["an entry", "the first line", "the last line", "the last entry"],
)
def test_prune_leaves_every_other_byte(gone: list[int], lines: list[int]) -> None:
    keys = [one.key(place) for one in parse(TWO_PLACES).entries for place in one.at]
    first, after = lines
    kept = TWO_PLACES.splitlines(keepends=True)
    expected = "".join(kept[:first] + kept[after:])
    assert xtask.without_entries(TWO_PLACES, [keys[index] for index in gone], ()) == expected


def test_prune_takes_one_of_a_list_in_one_line() -> None:
    keys = [one.key(place) for one in parse(TWO_PLACES).entries for place in one.at]
    for index, left in ((2, '["t.c"]'), (3, '["t.b"]')):
        pruned = xtask.without_entries(TWO_PLACES, [keys[index]], ())
        assert pruned == TWO_PLACES.replace('["t.b", "t.c"]', left)


def test_prune_leaves_inline_tables_to_people() -> None:
    text = 'divergence = [{ kind = "check", at = "t", sqlite = "x", reason = "y" }]'
    (entry,) = parse(text).entries
    assert entry.lines is None
    with pytest.raises(xtask.ConfigError, match="by hand"):
        xtask.without_entries(text, [entry.key("t")], ())


def finding(place: str) -> xtask.Finding:
    return xtask.Finding(kind="column-type", at=place, sqlite="TEXT", mysql="datetime")


def test_a_renamed_column_is_told_as_one() -> None:
    judged = xtask.judge([finding("t.z"), finding("u.y")], parse(DIVERGENCE).entries)
    notes = {one.finding.at: one.finding.note for one in judged}
    assert notes["t.z"] == "was t.a" and not notes["u.y"]
    assert "t.a is t.z now" in notes["t.a"]
    assert [one.moved_to for one in judged if one.unused] == ["t.z"]


def test_a_renamed_table_is_told_as_one() -> None:
    judged = xtask.judge([finding("u.a")], parse(DIVERGENCE).entries)
    assert [one.moved_to for one in judged if one.unused] == ["u.a"]
    assert [one.finding.note for one in judged if not one.unused] == ["was t.a"]


def test_of_two_new_places_none_is_called_the_old_one() -> None:
    judged = xtask.judge([finding("t.y"), finding("t.z")], parse(DIVERGENCE).entries)
    assert [one.finding.note for one in judged if not one.unused] == ["", ""]


LOSSES = """[[open]]
kind = "data-loss"
at = [
    "t",  # the first
    "u",
    "t",
]
sqlite = "rows deleted"
mysql = "rows kept"
issue = "7"
"""


def loss(place: str, migration: str) -> xtask.Finding:
    return xtask.Finding(
        kind="data-loss",
        at=place,
        sqlite="rows deleted",
        mysql="rows kept",
        migration=migration,
    )


def test_each_place_of_an_entry_answers_for_one_loss() -> None:
    """One that names it once lets no second migration lose rows there."""
    losses = [loss("t", "0002_b"), loss("t", "0003_c"), loss("u", "0002_b"), loss("t", "0004_d")]
    judged = xtask.judge(losses, parse(LOSSES).entries)
    answered = {(one.finding.at, one.finding.migration): one.open for one in judged}
    assert answered == {
        ("t", "0002_b"): True,
        ("t", "0003_c"): True,
        ("t", "0004_d"): False,
        ("u", "0002_b"): True,
    }


@pytest.mark.parametrize(
    ("losses", "notes"),
    [
        (["t", "u"], {"t": ["mended: t; delete it once from `at`, lines 1 to 10 of parity.toml"]}),
        (["u"], {"t": ["mended: t; delete it once from `at`, lines 1 to 10 of parity.toml"] * 2}),
        (["t", "t"], {"u": ["mended: u; delete it from `at`, lines 1 to 10 of parity.toml"]}),
        (
            [],
            {
                "t": ["mended: t; delete lines 1 to 10 of parity.toml"] * 2,
                "u": ["mended: u; delete lines 1 to 10 of parity.toml"],
            },
        ),
    ],
)
def test_a_place_that_is_named_too_often_is_dead(
    losses: list[str], notes: dict[str, list[str]]
) -> None:
    found = [loss(place, f"000{number}_x") for number, place in enumerate(losses)]
    said: dict[str, list[str]] = {}
    for one in xtask.judge(found, parse(LOSSES).entries):
        if one.unused:
            said.setdefault(one.finding.at, []).append(one.finding.note)
    assert said == notes


@pytest.mark.parametrize(
    ("gone", "deleted"),
    [
        (["t"], ['    "t",  # the first\n']),
        (["t", "t"], ['    "t",  # the first\n', '    "t",\n']),
        (["t", "u"], ['    "t",  # the first\n', '    "u",\n']),
    ],
)
def test_prune_deletes_a_place_as_often_as_it_is_dead(gone: list[str], deleted: list[str]) -> None:
    (entry,) = parse(LOSSES).entries
    expected = LOSSES
    for line in deleted:
        expected = expected.replace(line, "", 1)
    assert xtask.without_entries(LOSSES, map(entry.key, gone), ()) == expected


def test_a_second_entry_about_a_repeated_place_is_told_what_to_do() -> None:
    again = LOSSES.replace("open", "divergence").replace("issue", "reason")
    with pytest.raises(xtask.ConfigError, match="name the place in it as often as it is found"):
        parse(LOSSES + again)


def test_servers_share_a_loss_of_the_same_migration_alone() -> None:
    """What another server lost later is not what this one lost before."""
    both = [loss("t", "0002_b"), loss("t", "0003_c")]
    found = xtask.merged({"a": both, "b": both[1:]})
    assert [(one.migration, one.servers) for one in found] == [("0002_b", ("a",)), ("0003_c", ())]


def test_a_base_answers_for_as_many_losses_as_it_names() -> None:
    base = xtask.Base("main", xtask.keys_of(parse(LOSSES).entries), frozenset())
    losses = [loss("t", "0002_b"), loss("t", "0003_c"), loss("t", "0004_d")]
    answers = [base.answers_for(one, number, ()) for one, number in xtask.numbered(losses)]
    assert answers == [True, True, False]


def test_json_says_of_a_dead_entry_that_it_was_mended_or_where_it_went() -> None:
    text = DIVERGENCE + DIVERGENCE.replace('"t.a"', '"u.b"').replace('"TEXT"', '"BLOB"')
    judged = xtask.judge([finding("t.z")], parse(text).entries)
    sides = [xtask.Side(name, "1", "x", 1, xtask.Schema({})) for name in ("SQLite", "MariaDB")]
    verdict = xtask.Verdict(sides[0], (sides[1],), tuple(judged), (), "parity")
    data = json.loads(xtask.render("json", verdict, xtask.Look()))
    assert {one["at"]: (one["kind"], one["note"]) for one in data["findings"]} == {
        "t.a": (
            "divergence-unused",
            "[[divergence]] 1 (column-type): t.a is t.z now, with the same values; rename it there",
        ),
        "t.z": ("column-type", "was t.a"),
        "u.b": ("divergence-unused", "mended: u.b; delete lines 7 to 12 of parity.toml"),
    }
    assert data["status"] == 1
