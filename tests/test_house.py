"""The shape of xtask.py itself: its floors, what its core may touch, and how thick its lines are."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from itertools import pairwise

import pytest

from conftest import ROOT

SOURCE = (ROOT / "xtask.py").read_text("utf-8")
TREE = ast.parse(SOURCE)
BANNER = re.compile(r"^# ═+\n# ([A-Z]+(?:[ .][A-Z]+)*): ", re.MULTILINE)
PURE = ("MODEL", "SQL", "TYPES", "EXPRESSIONS", "MIGRATIONS", "RULES", "PARITY.TOML", "REPORT")
IMPURE_NAMES = {
    "subprocess", "os", "time", "pymysql", "socket", "shutil", "tempfile", "select", "signal", "sys", "secrets",
    "open", "print", "input", "exec", "eval", "Path",
}  # fmt: skip
IMPURE_CALLS = {
    "read_text",
    "read_bytes",
    "write_text",
    "write_bytes",
    "unlink",
    "mkdir",
    "iterdir",
    "glob",
    "exists",
    "is_file",
}


def sections() -> dict[str, range]:
    """The line numbers of each section, by its banner."""
    starts = [
        (match[1], SOURCE.count("\n", 0, match.start()) + 1) for match in BANNER.finditer(SOURCE)
    ]
    end = SOURCE.count("\n") + 1
    return {
        name: range(start, after) for (name, start), (_, after) in pairwise([*starts, ("", end)])
    }


SECTIONS = sections()


def section_of(node: ast.stmt) -> int:
    """The position of a statement's section, -1 for the head of the file."""
    return max(
        (index for index, lines in enumerate(SECTIONS.values()) if node.lineno >= lines.start),
        default=-1,
    )


def names_made_by(node: ast.stmt) -> list[str]:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else []
    if isinstance(node, ast.AnnAssign):
        targets = [node.target]
    return [target.id for target in targets if isinstance(target, ast.Name)]


class NamesUsed(ast.NodeVisitor):
    """Global names that a statement reads when it runs: annotations and local names do not count."""

    def __init__(self) -> None:
        self.found: list[ast.Name] = []
        self.local: list[set[str]] = []

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value:
            self.visit(node.value)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        defaults = [*node.args.defaults, *filter(None, node.args.kw_defaults)]
        for part in [*node.decorator_list, *defaults]:
            self.visit(part)
        stored = {
            inner.id
            for inner in ast.walk(node)
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)
        }
        arguments = {inner.arg for inner in ast.walk(node) if isinstance(inner, ast.arg)}
        self.local.append(stored | arguments)
        for part in node.body:
            self.visit(part)
        self.local.pop()

    def visit_Name(self, node: ast.Name) -> None:
        if not any(node.id in names for names in self.local):
            self.found.append(node)


def test_the_docstring_lists_the_sections_in_order() -> None:
    text = ast.get_docstring(TREE, clean=False) or ""
    listed = re.findall(r"^    ([A-Z]+(?:[ .][A-Z]+)*)  +\S", text, re.MULTILINE)
    assert listed == [*SECTIONS]


def test_no_section_uses_a_name_of_a_later_one() -> None:
    made_in = {name: section_of(node) for node in TREE.body for name in names_made_by(node)}
    assert len(made_in) > 300
    banners = [*SECTIONS]
    problems = []
    for statement in TREE.body:
        used = NamesUsed()
        used.visit(statement)
        here = section_of(statement)
        for name in used.found:
            if made_in.get(name.id, -1) > here:
                problems.append(f"line {name.lineno}: {name.id} of {banners[made_in[name.id]]}")
    assert problems == []


def nodes_of(section: str) -> Iterator[ast.AST]:
    lines = SECTIONS[section]
    return (node for node in ast.walk(TREE) if getattr(node, "lineno", 0) in lines)


@pytest.mark.parametrize("section", PURE)
def test_the_core_is_pure(section: str) -> None:
    found = list(nodes_of(section))
    assert len(found) > 100
    used = NamesUsed()
    for statement in TREE.body:
        if statement.lineno in SECTIONS[section]:
            used.visit(statement)
    names = {name.id for name in used.found}
    imported = {
        alias.name.split(".")[0]
        for node in found
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    imported |= {
        (node.module or "").split(".")[0] for node in found if isinstance(node, ast.ImportFrom)
    }
    called = {
        node.func.attr
        for node in found
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert (names | imported) & IMPURE_NAMES == set()
    assert called & IMPURE_CALLS == set()


def functions() -> list[ast.FunctionDef]:
    return [node for node in ast.walk(TREE) if isinstance(node, ast.FunctionDef)]


def test_no_function_is_long() -> None:
    assert [
        f"{node.name}: {node.end_lineno - node.lineno + 1}"
        for node in functions()
        if (node.end_lineno or 0) - node.lineno >= 120
    ] == []


def code_lines() -> int:
    """Lines that are neither blank, comment nor docstring."""
    lines = SOURCE.split("\n")
    documented = (ast.FunctionDef, ast.ClassDef, ast.Module)
    for node in ast.walk(TREE):
        if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
            first = node.body[0]
            for number in range(first.lineno - 1, first.end_lineno or first.lineno):
                lines[number] = ""
    return sum(1 for line in lines if line.strip() and line.strip()[0] != "#")


def test_lines_are_read_once() -> None:
    """At most 8.5 AST nodes a code line, and no conditional expression inside another."""
    assert sum(1 for _ in ast.walk(TREE)) / code_lines() < 8.7
    nested = [
        node.lineno
        for node in ast.walk(TREE)
        if isinstance(node, ast.IfExp)
        for inner in ast.walk(node)
        if inner is not node and isinstance(inner, ast.IfExp)
    ]
    assert len(nested) < 12


def test_only_main_ends_the_process() -> None:
    calls = [ast.unparse(node.func) for node in ast.walk(TREE) if isinstance(node, ast.Call)]
    assert not {"sys.exit", "exit", "quit", "os._exit"} & set(calls)


def pinned(path: str) -> dict[str, str]:
    """Each `name==version` of a requirements file."""
    text = (ROOT / path).read_text("utf-8")
    return dict(re.findall(r"^([\w-]+)==([\w.]+)", text, re.MULTILINE))


def test_what_it_needs_is_the_same_everywhere() -> None:
    """At the head of xtask.py, in pyproject.toml, and in requirements.txt beside what these bring."""
    block = re.search(r"^# /// script\n((?:#.*\n)+?)# ///$", SOURCE, re.MULTILINE)
    assert block
    inline = tomllib.loads(re.sub(r"^# ?", "", block[1], flags=re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["dependencies"] == inline["dependencies"]
    assert project["requires-python"] == inline["requires-python"] == ">=3.11"
    runtime = pinned("requirements.txt")
    direct = dict(requirement.split("==") for requirement in inline["dependencies"])
    assert direct.items() <= runtime.items()
    text = (ROOT / "requirements.txt").read_text("utf-8")
    blocks = re.split(r"^(?=[\w-]+==)", text, flags=re.MULTILINE)[1:]
    assert len(blocks) == len(runtime)
    assert all("--hash=sha256:" in block for block in blocks)


def test_developers_requirements_are_pinned_and_add_to_the_runtime() -> None:
    for path in ("requirements-dev.txt", "requirements-bench.txt"):
        lines = (ROOT / path).read_text("utf-8").splitlines()
        names = [line for line in lines if line and not line.startswith("#")]
        assert len(pinned(path)) == len(names) > 1
        assert not pinned(path).keys() & pinned("requirements.txt").keys()


def test_where_the_two_directories_meet_it_is_said_why() -> None:
    """Why there are two, that they must stay equivalent, and which command is mandatory."""
    lines = SOURCE.splitlines()
    texts = {}
    for name in ("MIGRATIONS", "READING SQLITE", "READING MYSQL"):
        start = SECTIONS[name].start
        banner = lines[start : lines.index(lines[start - 1], start)]
        texts[name] = " ".join(line.removeprefix("# ") for line in banner)
    command = next(node for node in TREE.body if getattr(node, "name", "") == "verify_migrations")
    assert isinstance(command, ast.FunctionDef)
    texts["verify-migrations"] = ast.get_docstring(command) or ""
    facts = (
        r"two directories because (the dialects differ|SQLite and MySQL need different SQL)",
        r"must stay schema-equivalent",
        r"(verify-migrations|this command) is mandatory before a schema change is submitted",
    )
    for where, text in texts.items():
        plain = " ".join(text.split())
        for fact in facts:
            assert re.search(fact, plain), f"{where}: {fact}"
