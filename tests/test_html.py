"""The page: what it holds, and what it does in a real browser.

The tests marked `browser` need chromium and chromium-driver.  They are skipped where there is none,
unless XTASK_TEST_BROWSER=1 promises one.
"""

from __future__ import annotations

import dataclasses
import os
import re
import shutil
import struct
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import xtask
from conftest import ROOT
from test_report import DOCUMENTED, FULL, NEW, OPEN, SCREEN, finding, verdict

TEMPLATE = (ROOT / "scripts" / "report.html").read_text("utf-8")
HOSTILE = "</script><img src=x onerror=document.title='owned'>\"'`\n\u202e{{ 7 * 7 }}&amp;"


def page(made: xtask.Verdict) -> str:
    return xtask.render("html", made, xtask.Look(template=TEMPLATE))


def table(name: str, *columns: str, parent: str = "") -> xtask.Table:
    keys = (xtask.ForeignKey(("parent_id",), parent, ("id",)),) if parent else ()
    made = tuple(
        xtask.Column(column, xtask.sqlite_type("INTEGER"), column != "id") for column in columns
    )
    return xtask.Table(name, made, primary_key=("id",), foreign_keys=keys)


def with_tables(made: xtask.Verdict, *tables: xtask.Table) -> xtask.Verdict:
    schema = xtask.Schema({one.name: one for one in tables})
    sides = [dataclasses.replace(side, schema=schema) for side in made.sides]
    return dataclasses.replace(made, sqlite=sides[0], servers=tuple(sides[1:]))


def hostile() -> xtask.Verdict:
    found = [
        finding("check", HOSTILE, HOSTILE, f"{HOSTILE} AND more", HOSTILE, note=HOSTILE),
        finding("index", f"{HOSTILE}.{HOSTILE}", None, HOSTILE, HOSTILE),
    ]
    file = xtask.SourceFile("mysql", HOSTILE, HOSTILE)
    made = verdict(*found, files={HOSTILE: {"mysql": file}}, notes=(HOSTILE,), base=HOSTILE)
    return with_tables(made, table(HOSTILE, "id", HOSTILE))


class Tags(HTMLParser):
    """Collects what a parser sees: tags, attributes, and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


# ---- without a browser -----------------------------------------------------------------------


def test_the_page_needs_nothing_beside_it() -> None:
    tags = Tags(page(SCREEN)).tags
    assert [tag for tag, _ in tags if tag in ("img", "link", "iframe", "object")] == []
    given = {name for _, attributes in tags for name in attributes}
    assert not {"src", "style"} & given and not {name for name in given if name.startswith("on")}
    links = [value for _, attributes in tags if (value := attributes.get("href"))]
    assert links and all(link.startswith("#") for link in links)


def test_the_policy_names_the_page_s_own_style_and_script() -> None:
    text = page(SCREEN)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy and "default-src 'none'" in policy[1] and "unsafe" not in policy[1]
    for name in ("style", "script"):
        assert text.count(f"<{name}>") == 1
        assert f"{name}-src '{xtask.hash_of_element(text, name)}'" in policy[1]


def test_the_same_verdict_makes_the_same_bytes() -> None:
    assert page(SCREEN) == page(SCREEN)
    turned = verdict(*reversed([*DOCUMENTED, *OPEN, *NEW]), hidden=FULL_HIDDEN)
    assert page(turned) == page(FULL)


FULL_HIDDEN = tuple(one.finding for one in reversed(FULL.hidden))


def test_hostile_names_stay_text() -> None:
    found = Tags(page(hostile()))
    assert sum(tag == "script" for tag, _ in found.tags) == 1
    assert not any(tag == "img" for tag, _ in found.tags)
    assert "onerror=document.title" in found.text and "{{ 7 * 7 }}" in found.text
    assert "\u202e" not in page(hostile())


def test_the_page_says_all_of_it() -> None:
    text = Tags(page(SCREEN)).text
    told = ["NOT at parity", "0003_c", "https://tracker.example/123", "ISO text", "[[divergence]]"]
    told += ["'007' is stored as 7", "trigger bodies", "--strict would add 3", "顧客の注文"]
    told += ["0002_b is named 0002_c on MySQL", "migrations_mysql/0002_b/up.sql", "line 5"]
    told += ["ALTER TABLE t_new RENAME TO t;"]
    assert [words for words in told if words not in text] == []


def test_a_word_that_differs_is_marked() -> None:
    marks = re.findall(r"<mark>(.*?)</mark>", page(SCREEN))
    assert marks.count("&lt;") == 2 and marks.count("&gt;") == 2  # cut, and whole


def test_tables_are_aligned_by_column() -> None:
    ours = table("t", "id", "a", "b")
    theirs = table("t", "b", "id")
    made = with_tables(verdict(finding("column-missing", "t.a", "column", None)), ours)
    server = dataclasses.replace(made.mysql, schema=xtask.Schema({"t": theirs}))
    made = dataclasses.replace(made, servers=(server,))
    (shown,) = xtask.tables_on_page(made)
    pairs = {pair for group in shown.groups for pair in group.pairs}
    assert ("  a: INTEGER, null", "") in pairs
    assert ("  b: INTEGER, null", "  b: INTEGER, null") in pairs
    different = {pair for group in shown.groups if group.differs for pair in group.pairs}
    assert different == {("  a: INTEGER, null", "")}


def test_only_the_line_of_a_finding_is_marked() -> None:
    """Not the foreign key on the same columns, nor what one side alone has and need not."""
    key = xtask.Key("i", (xtask.whole_column("parent_id"),))
    ours = table("t", "id", "parent_id", parent="p")
    theirs = dataclasses.replace(ours, indexes=(key,), checks=((xtask.Expression("id > 0"),),))
    made = with_tables(verdict(finding("index", "t(parent_id)", None, "INDEX")), ours)
    server = dataclasses.replace(made.mysql, schema=xtask.Schema({"t": theirs}))
    (shown,) = xtask.tables_on_page(dataclasses.replace(made, servers=(server,)))
    different = [pair for group in shown.groups if group.differs for pair in group.pairs]
    assert different == [("", "  index (parent_id)")]


def test_a_check_is_beside_the_same_check() -> None:
    checks = [(xtask.Expression(text),) for text in ("a > 0", "a > 1", "b > 0")]
    ours = dataclasses.replace(table("t", "id"), checks=tuple(checks[:2]))
    theirs = dataclasses.replace(table("t", "id"), checks=tuple(checks[1:]))
    made = with_tables(verdict(finding("check", "t", "a > 0", "b > 0")), ours)
    server = dataclasses.replace(made.mysql, schema=xtask.Schema({"t": theirs}))
    (shown,) = xtask.tables_on_page(dataclasses.replace(made, servers=(server,)))
    different = [pair for group in shown.groups if group.differs for pair in group.pairs]
    assert different == [("  check a > 0", ""), ("", "  check b > 0")]


def test_the_map_has_neighbours_and_all_tables_on_demand() -> None:
    tables = [table("p", "id"), table("t", "id", "parent_id", parent="p"), table("far", "id")]
    near, whole = xtask.drawings(with_tables(verdict(finding("check", "t", "a", None)), *tables))
    assert [box.name for box in near.boxes] == ["p", "t"]
    assert [box.findings for box in near.boxes] == [0, 1]
    assert sorted(box.name for box in whole.boxes) == ["far", "p", "t"]
    assert len(near.edges) == len(whole.edges) == 1


def test_a_cycle_of_tables_is_drawn() -> None:
    tables = [
        table("a", "id", parent="b"),
        table("b", "id", parent="a"),
        table("c", "id", parent="c"),
    ]
    _, whole = xtask.drawings(with_tables(FULL, *tables))
    assert len(whole.boxes) == 3 and len(whole.edges) == 2


def large() -> xtask.Verdict:
    tables = [
        table(f"t{n}", "id", *(f"c{c}" for c in range(12)), parent=f"t{n // 3}") for n in range(300)
    ]
    found = [
        finding(
            "check", f"t{n % 300}", f"a > {n} AND length(b) < 5", f"a >= {n} AND length(b) < 6",
            f"{n % 60:04}_m",
        )
        for n in range(1000)
    ]  # fmt: skip
    text = "\n".join(f"CREATE TABLE t{n} (id INTEGER);" for n in range(300))
    files: dict[str, dict[xtask.Dialect, xtask.SourceFile]] = {
        f"{n:04}_m": {"mysql": xtask.SourceFile("mysql", f"{n:04}_m.sql", text)} for n in range(60)
    }
    return with_tables(verdict(*found, files=files), *tables)


def test_a_large_page_is_made_in_three_seconds() -> None:
    made = large()
    start = time.process_time()
    text = page(made)
    assert time.process_time() - start < 3
    assert text.count('class="cause"') == 1000


# ---- in a browser ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    if not shutil.which("chromium") or not shutil.which("chromedriver"):
        if os.environ.get("XTASK_TEST_BROWSER"):
            pytest.fail("a browser was promised, and there is no chromium with chromedriver")
        pytest.skip("no chromium with chromedriver")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    profile = tmp_path_factory.mktemp("profile")
    for word in (
        "headless=new", "no-sandbox", "disable-gpu", "no-first-run", "hide-scrollbars",
        "disable-background-networking", "disable-dev-shm-usage", f"user-data-dir={profile}",
    ):  # fmt: skip
        options.add_argument(f"--{word}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(
        options=options, service=webdriver.ChromeService(shutil.which("chromedriver"))
    )
    try:
        yield driver
    finally:
        driver.quit()
        shutil.rmtree(profile, ignore_errors=True)


def opened(
    browser: Any, made: xtask.Verdict, path: Path, width: int = 1200, height: int = 900
) -> Any:
    file = path / "report.html"
    file.write_text(page(made), "utf-8")
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get_log("browser")
    browser.get(file.as_uri())
    return browser


def causes_shown(browser: Any) -> list[str]:
    found = browser.find_elements("css selector", ".cause")
    return [one.get_attribute("data-kind") for one in found if one.is_displayed()]


def choose(browser: Any, name: str, value: str) -> None:
    from selenium.webdriver.support.ui import Select

    Select(browser.find_element("id", name)).select_by_value(value)


def sample() -> xtask.Verdict:
    """A verdict as a project has it: the README's picture."""
    users = table("users", "id", "email", "is_active")
    teams = table("teams", "id", "name")
    members = dataclasses.replace(
        table("memberships", "id", "team_id", "member_since", parent="users"),
        foreign_keys=(
            xtask.ForeignKey(("team_id",), "teams", ("id",)),
            xtask.ForeignKey(("user_id",), "users", ("id",)),
        ),
    )
    label = "2026-02-20-090000_rename_joined_at"
    sql = {
        "sqlite": "ALTER TABLE memberships\n    RENAME COLUMN joined_at TO member_since;",
        "mysql": "ALTER TABLE memberships\n    CHANGE COLUMN joined_at\n    member_since DATETIME;",
    }
    files = {
        dialect: xtask.SourceFile(dialect, f"{folder}/{label}/up.sql", sql[dialect])
        for dialect, folder in zip(xtask.DIALECTS, ("migrations", "migrations_mysql"), strict=True)
    }
    found = [
        finding("column-default", "memberships.member_since", "CURRENT_TIMESTAMP", None, label),
        finding("column-nullability", "memberships.member_since", "NOT NULL", "NULL", label),
        finding("check", "memberships", "role IN ('lead', 'member')",
                "role IN ('guest', 'lead', 'member')", label),
    ]  # fmt: skip
    made = verdict(*found, files={label: files})
    return with_tables(made, users, teams, members, table("tags", "id"))


@pytest.mark.browser
def test_nothing_is_refused_by_the_policy(browser: Any, tmp_path: Path) -> None:
    opened(browser, SCREEN, tmp_path)
    assert [entry["message"] for entry in browser.get_log("browser")] == []
    assert browser.find_element("id", "shown").text == "11 of 11 causes"
    colour = browser.find_element("css selector", "h1").value_of_css_property("color")
    assert colour == "rgba(179, 38, 30, 1)"  # the style was taken


@pytest.mark.browser
def test_filters(browser: Any, tmp_path: Path) -> None:
    opened(browser, SCREEN, tmp_path)
    choose(browser, "kind", "check")
    assert causes_shown(browser) == ["check", "check"]
    choose(browser, "kind", "")
    choose(browser, "state", "open")
    assert causes_shown(browser) == ["column-nullability"]
    choose(browser, "state", "documented")
    assert causes_shown(browser) == ["column-type", "column-type"]  # their section opens
    browser.find_element("id", "clear").click()
    browser.find_element("id", "table").send_keys("memberships")
    assert causes_shown(browser) == ["column-default"]
    assert browser.find_element("id", "shown").text == "1 of 11 causes"


@pytest.mark.browser
def test_keys(browser: Any, tmp_path: Path) -> None:
    from selenium.webdriver.common.keys import Keys

    opened(browser, SCREEN, tmp_path)
    body = browser.find_element("css selector", "body")
    body.send_keys("j")
    first = browser.switch_to.active_element.get_attribute("id")
    browser.switch_to.active_element.send_keys("j")
    second = browser.switch_to.active_element.get_attribute("id")
    assert first.startswith("cause-") and second.startswith("cause-") and first != second
    browser.switch_to.active_element.send_keys("/")
    field = browser.switch_to.active_element
    assert field.get_attribute("id") == "table"
    field.send_keys("memberships")
    assert len(causes_shown(browser)) == 1
    field.send_keys(Keys.ESCAPE)
    assert browser.find_element("id", "shown").text == "11 of 11 causes"


@pytest.mark.browser
def test_repair_and_entry_are_copied(browser: Any, tmp_path: Path) -> None:
    from selenium.webdriver.support.ui import WebDriverWait

    made = verdict(NEW[0])
    opened(browser, made, tmp_path)
    browser.execute_script(
        "window.copied = []; Object.defineProperty(navigator, 'clipboard',"
        " {value: {writeText: async (text) => { window.copied.push(text); }}});"
    )
    browser.find_element("css selector", ".fix > summary").click()
    # The repairs of a kind stand in the page once; opening a card brings them, a moment later.
    buttons = WebDriverWait(browser, 5).until(
        lambda _: (
            len(found := browser.find_elements("css selector", ".fix button.copy")) == 3 and found
        )
    )
    for button in buttons:
        button.click()
    copied = browser.execute_script("return window.copied")
    assert len(copied) == 3  # SQLite's repair, MySQL's, and the entry
    assert copied[-1] == xtask.entry_text(xtask.causes(made.failing)[0], "divergence")
    assert "ALTER TABLE" in copied[1]


@pytest.mark.browser
def test_the_map_filters(browser: Any, tmp_path: Path) -> None:
    opened(browser, sample(), tmp_path)
    browser.find_element("css selector", "svg [data-table=memberships]").click()
    assert browser.find_element("id", "table").get_property("value") == "memberships"


@pytest.mark.browser
def test_hostile_names_do_nothing(browser: Any, tmp_path: Path) -> None:
    opened(browser, hostile(), tmp_path)
    assert browser.get_log("browser") == []
    assert "owned" not in browser.title
    assert browser.find_elements("css selector", "img") == []


@pytest.mark.browser
@pytest.mark.parametrize("width", [400, 640, 1000, 1400])
@pytest.mark.parametrize("made", [SCREEN, sample(), hostile()], ids=["screen", "sample", "hostile"])
def test_nothing_sticks_out(browser: Any, tmp_path: Path, width: int, made: xtask.Verdict) -> None:
    opened(browser, made, tmp_path, width=width)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width


@pytest.mark.browser
def test_the_verdict_stays_in_sight(browser: Any, tmp_path: Path) -> None:
    opened(browser, SCREEN, tmp_path)
    browser.execute_script("window.scrollTo(0, document.body.scrollHeight)")
    top = "return document.getElementById('verdict').getBoundingClientRect().top"
    assert 0 <= browser.execute_script(top) < 100


@pytest.mark.browser
def test_a_large_page_filters_smoothly(browser: Any, tmp_path: Path) -> None:
    opened(browser, large(), tmp_path)
    took = browser.execute_script(
        "const start = performance.now(); const field = document.getElementById('table');"
        "field.value = 't12'; field.dispatchEvent(new Event('input'));"
        "document.body.getBoundingClientRect(); return performance.now() - start;"
    )
    assert took < 1000
    assert 0 < len(browser.find_elements("css selector", ".cause:not([hidden])")) < 1000


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1200])
def test_screenshots(browser: Any, tmp_path: Path, scheme: str, width: int) -> None:
    """Both schemes at two widths; XTASK_PICTURES=DIR keeps them, to be looked at."""
    emulated = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", emulated)
    opened(browser, SCREEN, tmp_path, width=width, height=1600)
    ground = browser.find_element("css selector", "body").value_of_css_property("background-color")
    picture = browser.get_screenshot_as_png()
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert ground == ("rgba(255, 255, 255, 1)" if scheme == "light" else "rgba(20, 23, 28, 1)")
    assert struct.unpack(">II", picture[16:24]) == (width, 1600)
    if os.environ.get("XTASK_PICTURES"):
        Path(os.environ["XTASK_PICTURES"], f"{scheme}-{width}.png").write_bytes(picture)


@pytest.mark.browser
def test_the_picture_of_the_readme(browser: Any, tmp_path: Path) -> None:
    """XTASK_PICTURES=DIR writes it anew; it is committed as docs/report.png."""
    opened(browser, sample(), tmp_path, width=900, height=760)
    picture = browser.get_screenshot_as_png()
    if os.environ.get("XTASK_PICTURES"):
        Path(os.environ["XTASK_PICTURES"], "report.png").write_bytes(picture)
    committed = (ROOT / "docs" / "report.png").read_bytes()
    assert struct.unpack(">II", committed[16:24]) == struct.unpack(">II", picture[16:24])
    assert len(committed) < 150_000


@pytest.mark.browser
def test_the_page_prints_whole_and_black_on_white(browser: Any, tmp_path: Path) -> None:
    """In a dark scheme too: every detail open, the bar where it stands, nothing to click."""
    dark = [{"name": "prefers-color-scheme", "value": "dark"}]
    opened(browser, FULL, tmp_path)
    closed = "document.querySelectorAll('details:not([open])').length"
    before = browser.execute_script(
        f"addEventListener('beforeprint', () => {{ window.left = {closed}; }}); return {closed};"
    )
    printed = browser.execute_cdp_cmd("Page.printToPDF", {})
    assert before > 0 and printed["data"]
    assert browser.execute_script("return window.left") == 0
    assert browser.execute_script(f"return {closed}") == before
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": dark})
    style = "const found = getComputedStyle(document.querySelector(arguments[0])); return "
    body = browser.execute_script(f"{style} [found.color, found.backgroundColor];", "body")
    bar = browser.execute_script(f"{style} found.position;", ".bar")
    button = browser.execute_script(f"{style} found.display;", "button.copy")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    assert body == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    assert (bar, button) == ("static", "none")
