"""Each default that keeps something inside is taken away from a copy: the suite must notice.

The list is data: security.toml.  A copy without a change passes the same tests.  `make fuzz` runs
it; that each text of the list still stands in the tool is looked at in every run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from conftest import ROOT

MUTATIONS = tomllib.loads((Path(__file__).parent / "security.toml").read_text("utf-8"))["mutation"]
TESTS = sorted({mutation["test"] for mutation in MUTATIONS})
NOT_COPIED = shutil.ignore_patterns(".git", ".venv", ".mariadb", ".*_cache", "__pycache__")


def id_of(mutation: dict[str, str]) -> str:
    return mutation["why"]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=id_of)
def test_the_text_stands_there_once(mutation: dict[str, str]) -> None:
    text = (ROOT / mutation["file"]).read_text("utf-8")
    assert text.count(mutation["old"]) == 1
    file, _, name = mutation["test"].partition("::")
    assert f"def {name}(" in (ROOT / file).read_text("utf-8")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The whole repository, without its state; an unpacked server is not fetched again."""
    path = tmp_path / "copy"
    shutil.copytree(ROOT, path, ignore=NOT_COPIED)
    if (ROOT / ".mariadb").is_dir():
        (path / ".mariadb").symlink_to((ROOT / ".mariadb").resolve())
    return path


def run_tests(copy: Path, *tests: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", *tests],
        cwd=copy,
        env={name: value for name, value in os.environ.items() if name != "XTASK_FUZZ"},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        stdin=subprocess.DEVNULL,
    )


long = pytest.mark.skipif("XTASK_FUZZ" not in os.environ, reason="long: make fuzz")


@long
@pytest.mark.mariadb
def test_an_unchanged_copy_passes(copy: Path) -> None:
    done = run_tests(copy, *TESTS, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "skipped" not in done.stdout


@long
@pytest.mark.mariadb
@pytest.mark.parametrize("mutation", MUTATIONS, ids=id_of)
def test_the_suite_notices(mutation: dict[str, str], copy: Path) -> None:
    file = copy / mutation["file"]
    text = file.read_text("utf-8")
    file.write_text(text.replace(mutation["old"], mutation["new"]), "utf-8")
    try:
        done = run_tests(copy, mutation["test"])
    except subprocess.TimeoutExpired:
        return  # a statement that nothing ends: whoever runs the suite sees that it hangs
    assert done.returncode == 1, done.stdout + done.stderr
