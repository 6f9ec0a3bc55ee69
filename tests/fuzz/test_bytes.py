"""Bytes that nobody meant, in the place of migrations, parity.toml and parity.lock.

Whatever they hold, a run ends with exit status 0, 1 or 2 within ten seconds and without a
traceback.  The bytes are the repository's own files with a few changes, or made up.
"""

from __future__ import annotations

import contextlib
import io
import shutil
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import xtask
from conftest import ROOT, Project
from draw import drawn

LONGEST = 10  # seconds
SETTINGS = drawn(15)
NAMES = sorted(
    str(path.relative_to(ROOT))
    for pattern in ("migrations*/*/*.sql", "migrations*/*/*.toml", "parity.toml", "parity.lock")
    for path in ROOT.glob(pattern)
)
TOKENS = [
    *(b"'", b'"', b"`", b"[", b"]", b"(", b")", b";", b",", b"=", b"\\", b"\n", b"\r", b"\0"),
    *(b"--", b"/*", b"*/", b"/*!", b"DELIMITER //\n", b"BEGIN", b"END", b"\xef\xbb\xbf", b"\xff"),
    *(b"COMMIT;", b"PRAGMA foreign_keys = OFF;", b"CREATE TABLE", b"CREATE TRIGGER", b"SELECT"),
    *(b"[[divergence]]\n", b"[mysql]\n", b"skip = ['']\n", b"rows = 1\n", b"\xf0\x9f\x92\xa9"),
    *(b"1e999", b"9" * 400, b"\xc2\x85", b"\x1b[2J", b"\xed\xa0\x80", b"a.b.c", b"inf", b"-nan"),
]


@st.composite
def mutated(draw: st.DrawFn, data: bytes) -> bytes:
    """Make one to four changes: bytes out, tokens in, a stretch twice or elsewhere."""
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 40)))
        stretch = data[start:end]
        kind = draw(st.sampled_from(["cut", "token", "bytes", "twice", "end"]))
        if kind == "cut":
            data = data[:start] + data[end:]
        elif kind == "token":
            data = data[:start] + draw(st.sampled_from(TOKENS)) + data[start:]
        elif kind == "bytes":
            data = data[:start] + draw(st.binary(max_size=8)) + data[end:]
        elif kind == "twice":
            data = data[:end] + stretch + data[end:]
        else:
            data = data[:start]
    return data


@st.composite
def files(draw: st.DrawFn) -> dict[str, bytes]:
    """Up to three files of the sample, changed or replaced."""
    made = {}
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True)):
        original = (ROOT / name).read_bytes()
        made[name] = draw(st.one_of(mutated(original), mutated(original), st.binary(max_size=60)))
    return made


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bytes")
    for name in NAMES:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, path / name)
    return path


@contextlib.contextmanager
def in_time() -> Iterator[None]:
    begin = time.monotonic()
    yield
    assert time.monotonic() - begin < LONGEST


def checked(path: Path) -> tuple[int, str]:
    """Run check-lock; whatever is no error of the tool's own is raised."""
    with in_time():
        done = Project(path).call("check-lock")
    return done.returncode, done.stdout + done.stderr


def static(path: Path) -> tuple[int, str]:
    """Apply the SQLite side and read the other, as `ci` does."""
    out = io.StringIO()
    with in_time(), contextlib.chdir(path), contextlib.redirect_stdout(out):
        try:
            status = xtask.check_static(xtask.parse_arguments(["ci"]))
        except xtask.XtaskError as error:
            status = error.status
            print(error)
    return status, out.getvalue()


@SETTINGS
@given(changed=files())
def test_every_run_ends_as_it_should(changed: dict[str, bytes], sample: Path) -> None:
    for name, data in changed.items():
        (sample / name).write_bytes(data)
    try:
        for status, said in (checked(sample), static(sample)):
            assert status in (0, 1, 2)
            assert status == 0 or said
            assert "\x1b" not in said and "\0" not in said
    finally:
        for name in changed:
            shutil.copy(ROOT / name, sample / name)


@SETTINGS
@given(data=st.one_of(st.binary(max_size=300), mutated((ROOT / "parity.lock").read_bytes())))
def test_a_lock_that_passes_is_the_lock(data: bytes, sample: Path) -> None:
    """No change of its meaning passes check-lock; blanks and comments mean nothing."""
    original = (ROOT / "parity.lock").read_bytes()
    (sample / "parity.lock").write_bytes(data)
    try:
        status, _ = checked(sample)
        if status == 0:
            assert tomllib.loads(data.decode("utf-8-sig")) == tomllib.loads(original.decode())
    finally:
        shutil.copy(ROOT / "parity.lock", sample / "parity.lock")


def test_the_sample_itself_passes(sample: Path) -> None:
    assert checked(sample)[0] == 0
    assert static(sample)[0] == 0
