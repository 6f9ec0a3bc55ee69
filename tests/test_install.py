"""How others get it: a wheel, an installed command, a copied file, hooks and the action."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

import xtask
from conftest import ROOT, Project, git

SQL = "CREATE TABLE t (id INTEGER PRIMARY KEY, name VARCHAR(9) NOT NULL);"
MYSQL = "CREATE TABLE t (id BIGINT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(9) NOT NULL);"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of the files that git knows here, as others clone it."""
    source = tmp_path_factory.mktemp("source")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            target = source / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
    git(source, "init", "-q", "-b", "main")
    commit_all(source, "all")
    return source


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of these files, as `pip install git+…` builds it."""
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "-w", str(out), str(source)], check=True, capture_output=True)
    (made,) = out.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command `xtask` in a new environment, which sees the packages of this one."""
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, with_pip=False, symlinks=True)
    packages = next(home.glob("lib/python*/site-packages"))
    (packages / "runtime.pth").write_text(
        "\n".join(path for path in sys.path if "site-packages" in path)
    )
    command = [sys.executable, "-m", "pip", "--python", str(home / "bin" / "python")]
    command += ["install", "-q", "--no-deps", "--no-index"]
    subprocess.run([*command, str(wheel)], check=True, capture_output=True)
    return home / "bin" / "xtask"


def run(
    command: list[str], cwd: Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    whole = {**os.environ, **(env or {})}
    return subprocess.run(command, cwd=cwd, env=whole, capture_output=True, text=True, check=False)


def commit_all(place: Path, message: str) -> str:
    git(place, "add", "-A")
    git(place, "commit", "-q", "-m", message)
    return git(place, "rev-parse", "HEAD")


def test_the_wheel_has_all_that_is_read(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
    scripts = {
        f"xtask_files/scripts/{path.name}"
        for path in (ROOT / "scripts").iterdir()
        if path.is_file()
    }
    assert {"xtask.py", "xtask_files/docker-compose.mariadb.yml"} | scripts <= names
    assert {name.partition("/")[0] for name in names if "dist-info" not in name} == {
        "xtask.py",
        "xtask_files",
    }


def test_the_installed_command_says_its_version(installed: Path, tmp_path: Path) -> None:
    done = run([str(installed), "--version"], tmp_path)
    assert (done.returncode, done.stdout) == (0, f"xtask.py {xtask.VERSION}\n")
    assert f"## {xtask.VERSION}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


@pytest.mark.mariadb
def test_the_installed_command_verifies_with_its_own_scripts(
    installed: Path, project: Project
) -> None:
    project.pair(SQL, MYSQL)
    done = run([str(installed), "verify-migrations", "--server", "local", "-q"], project.path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "parity" in done.stdout
    assert run([str(installed), "check-lock"], project.path).returncode == 0


def test_the_head_of_a_copy_says_how_linters_pass_it_over(tmp_path: Path) -> None:
    text = (ROOT / "xtask.py").read_text("utf-8")
    setting = re.search(r"^#   (\[tool\.ruff\])\n#   (.*)$", text[:500], re.MULTILINE)
    assert setting
    shutil.copy(ROOT / "xtask.py", tmp_path)
    shutil.copytree(ROOT / "scripts", tmp_path / "scripts")
    (tmp_path / "ours.py").write_text("A = 1\n")
    (tmp_path / "pyproject.toml").write_text(f"{setting[1]}\n{setting[2]}\n")
    for command in (["check", "--select", "ALL"], ["format", "--check"]):
        done = run([sys.executable, "-m", "ruff", *command, "--no-cache", "."], tmp_path)
        assert "xtask.py" not in done.stdout and "lease-url.py" not in done.stdout


def test_the_first_make_without_an_index_says_what_is_missing(tmp_path: Path) -> None:
    for name in ("Makefile", "requirements.txt", "xtask.py"):
        shutil.copy(ROOT / name, tmp_path)
    unreachable = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        "PIP_EXTRA_INDEX_URL": "",
        "PIP_FIND_LINKS": "",
    }
    done = run(["make", f"PYTHON={sys.executable}", "verify-migrations"], tmp_path, unreachable)
    lines = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert done.returncode == 2 and len(lines) == 2, done.stderr
    assert lines[0].startswith("installing the pinned packages")
    assert "the packages of requirements.txt are missing here" in lines[1]
    assert not (tmp_path / ".venv" / "runtime").exists()
    asked = run(["make", "-n", "doctor"], tmp_path).stdout
    assert asked.splitlines() == ["python3 xtask.py doctor"]  # it installs nothing


# ---- init --------------------------------------------------------------------------------------

SOURCE = "git+https://git.example/tools/parity@0123456789abcdef"
LAYOUTS = {
    "name": ("db/sqlite/migrations", "db/mysql/migrations", "x INTEGER", "x INTEGER"),
    "contents": ("migrations", "migrations_mysql", "x INTEGER PRIMARY KEY AUTOINCREMENT", "x INT"),
    "twin": ("migrations", "migrations_mysql", "x INTEGER", "x INT"),
    "twin below": ("db/migrations", "db/migrations/mysql", "x INTEGER", "x INT"),
    "one word": ("internal/sqlitedb", "internal/mariadb", "x INTEGER", "x INTEGER"),
    "numbers": ("schema/sqlite/v3/migrations", "schema/mysql/v8/migrations", "x INTEGER", "x INT"),
}
LEGACY = "CREATE TABLE t (x INTEGER);"
SHARED = {
    "0001_a.sqlite3.up.sql": LEGACY,
    "0001_a.mysql.up.sql": LEGACY,
    "0002_b.postgres.up.sql": LEGACY,
}
# Trees of files, and the two places that init takes.
TREES: dict[str, tuple[dict[str, str], str, str]] = {
    "diesel": (
        {
            "migrations/sqlite/2018-01-14-171611_a/up.sql": LEGACY,
            "migrations/mysql/2018-01-14-171611_a/up.sql": LEGACY,
            "migrations/postgresql/2018-01-14-171611_a/up.sql": LEGACY,
        },
        "migrations/sqlite",
        "migrations/mysql",
    ),
    "a dialect in the name": (
        {f"db/migrations/{name}": text for name, text in SHARED.items()},
        "db/migrations",
        "db/migrations",
    ),
    "a directory a version": (
        {"db/0001-a/sqlite3.sql": LEGACY, "db/0001-a/mysql.sql": LEGACY},
        "db",
        "db",
    ),
    "two files": (
        {"sqlite.sql": LEGACY, "schema.sql": "CREATE TABLE t (x INT) ENGINE=InnoDB;", "q.sql": ""},
        "sqlite.sql",
        "schema.sql",
    ),
    "two files of one stem": (
        {"db/schema_sqlite.sql": LEGACY, "db/schema_mysql.sql": LEGACY, "db/pg/schema.sql": LEGACY},
        "db/schema_sqlite.sql",
        "db/schema_mysql.sql",
    ),
    "a schema beside the migrations": (
        {
            "data/sqlitedb/queries.sql": "SELECT 1;",
            "data/mysqldb/queries.sql": "SELECT 1;",
            "data/sqlitedb/migrations/0001_a.up.sql": LEGACY,
            "data/mysqldb/migrations/0001_a.up.sql": LEGACY,
        },
        "data/sqlitedb/migrations",
        "data/mysqldb/migrations",
    ),
    "seeds beside the migrations": (
        {
            f"db/{side}/{folder}/0001_a.sql": LEGACY
            for side in ("sqlite", "mysql")
            for folder in ("migrations", "seeds")
        },
        "db/sqlite/migrations",
        "db/mysql/migrations",
    ),
    "tests and packages of others": (
        {
            f"{folder}{side}/migrations/0001_a.sql": LEGACY
            for side in ("sqlite", "mysql")
            for folder in ("", "tests/", "web/node_modules/x/", "lib/testdata/")
        },
        "sqlite/migrations",
        "mysql/migrations",
    ),
}


def a_set(folder: str, column: str) -> dict[str, str | bytes]:
    return {
        f"{folder}/0001_a.up.sql": f"CREATE TABLE t ({column});",
        f"{folder}/0001_a.down.sql": "DROP TABLE t;",
    }


def listing(path: Path) -> dict[str, bytes]:
    files = (file for file in path.rglob("*") if file.is_file())
    return {str(file.relative_to(path)): file.read_bytes() for file in files}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_init_finds_both_sets(layout: str, project: Project) -> None:
    sqlite, mysql, ours, theirs = LAYOUTS[layout]
    project.write({**a_set(sqlite, ours), **a_set(mysql, theirs)})
    project.write({".gitignore": "/x", "AGENTS.md": "# Ours\n"})
    before = listing(project.path)
    done = project.call("init", "--github", "--source", SOURCE)
    assert done.returncode == 0, done.stderr
    after = listing(project.path)
    settings = xtask.parse_settings(after["parity.toml"].decode(), "parity.toml")
    assert (settings.sqlite, settings.mysql) == (sqlite, mysql)
    assert after[".gitignore"] == b"/x\n/report.html\n"
    assert after[".gitattributes"] == b"parity.lock -merge\n"
    assert after["AGENTS.md"].startswith(b"# Ours\n") and sqlite.encode() in after["AGENTS.md"]
    workflow = after[".github/workflows/migrations.yml"].decode()
    assert "verify-migrations --locked" in workflow
    assert f'- run: pip install "{SOURCE}"\n' in workflow
    assert all(after[name] == text for name, text in before.items() if name.endswith(".sql"))
    assert project.call("init", "--github", "--source", SOURCE).returncode == 0
    assert listing(project.path) == after


@pytest.mark.parametrize("tree", TREES)
def test_init_finds_both_sets_in_a_tree(tree: str, project: Project) -> None:
    files, sqlite, mysql = TREES[tree]
    project.write(dict(files))
    done = project.call("init")
    assert done.returncode == 0, done.stderr
    settings = xtask.parse_settings((project.path / "parity.toml").read_text(), "parity.toml")
    assert (settings.sqlite, settings.mysql) == (sqlite, mysql)
    for dialect, name in (("sqlite", sqlite), ("mysql", mysql)):
        snapshot = xtask.read_snapshot(project.path / name, project.path)
        assert xtask.discover(snapshot, dialect).migrations


UNSURE: dict[str, tuple[dict[str, str], str, str, str]] = {
    "one side": ({"sqlite/0001_a.sql": LEGACY}, "found no mysql migrations", "sqlite", "…"),
    "no side": (
        {"postgres/0001_a.sql": LEGACY},
        "found no sqlite migrations and no mysql migrations",
        "…",
        "…",
    ),
    "two pairs": (
        {
            "one/sqlite/0001_a.sql": LEGACY,
            "one/mysql/0001_a.sql": LEGACY,
            "two/sqlite/0001_a.sql": LEGACY,
            "two/sqlite/0002_b.sql": LEGACY,
            "two/mysql/0001_a.sql": LEGACY,
        },
        "2 pairs",
        "two/sqlite",
        "two/mysql",
    ),
    "two pairs of shared directories": (
        {f"{folder}/{name}": SHARED[name] for folder in ("a", "b") for name in SHARED},
        "2 pairs",
        "a",
        "a",
    ),
    "a version that stands twice": (
        {
            "m/sqlite/0000_a.up.sql": LEGACY,
            "m/mysql/0000_a_create.up.sql": LEGACY,
            "m/mysql/0000_b_insert.up.sql": LEGACY,
            "m/mysql/0010_d.up.sql": LEGACY,
            "m/mysql/2_c.up.sql": LEGACY,
        },
        "are the same version, 0000",
        "m/sqlite",
        "m/mysql",
    ),
    "directories of versions and the whole": (
        {
            f"m/{side}/{file}": LEGACY
            for side in ("sqlite", "mysql")
            for file in ("0.2/00__a.sql", "0.10/00__b.sql", "0.10/01__c.sql", "LATEST.sql")
        },
        "no known layout",
        "m/sqlite/LATEST.sql",
        "m/mysql/LATEST.sql",
    ),
}


@pytest.mark.parametrize("tree", UNSURE)
def test_init_writes_nothing_where_it_is_unsure(tree: str, project: Project) -> None:
    files, said, sqlite, mysql = UNSURE[tree]
    project.write(dict(files))
    before = listing(project.path)
    done = project.call("init")
    assert done.returncode == 2 and said in done.stderr and "nothing was written" in done.stderr
    assert listing(project.path) == before
    ready = done.stderr[done.stderr.index("[sqlite]") :]
    settings = xtask.parse_settings(ready, "parity.toml")
    assert (settings.sqlite, settings.mysql) == (sqlite, mysql)
    if "…" in (sqlite, mysql):
        return
    project.write({"parity.toml": ready})
    for dialect in xtask.DIALECTS:
        place = project.path / (sqlite if dialect == "sqlite" else mysql)
        snapshot = xtask.read_snapshot(place, project.path)
        handling = settings.sqlite_files if dialect == "sqlite" else settings.mysql_files
        assert xtask.discover(snapshot, dialect, handling).migrations


def test_init_lists_directories_of_versions_in_their_order(project: Project) -> None:
    project.write(dict(UNSURE["directories of versions and the whole"][0]))
    project.write({"m/sqlite/LATEST.sql": LEGACY, "m/mysql/0.9/0.sql": LEGACY})
    (project.path / "m/mysql/LATEST.sql").unlink()
    ready = project.call("init").stderr.partition("[mysql]")[2]
    settings = xtask.parse_settings(f"[mysql]{ready}", "parity.toml")
    assert settings.mysql_files.order == ("0.2/*.sql", "0.9/*.sql", "0.10/*.sql")
    place = project.path / "m/mysql"
    snapshot = xtask.read_snapshot(place, project.path)
    found = xtask.discover(snapshot, "mysql", settings.mysql_files).migrations
    assert [one.label for one in found][-1].endswith("01__c") and len(found) == 4


def test_init_in_a_project_that_holds_a_copy(project: Project) -> None:
    """A copy in a directory of its own is called by its path, and keeps its state there."""
    project.write({**a_set("sqlite", "x INTEGER"), **a_set("mysql", "x INTEGER")})
    tool = project.path / "tools"
    tool.mkdir()
    shutil.copy(ROOT / "xtask.py", tool)
    done = run([sys.executable, "tools/xtask.py", "init", "--github"], project.path)
    assert done.returncode == 0, done.stderr
    workflow = (project.path / ".github/workflows/migrations.yml").read_text("utf-8")
    assert "- run: pip install -r tools/requirements.txt\n" in workflow
    assert "python tools/xtask.py verify-migrations --locked" in workflow
    ignored = (project.path / ".gitignore").read_text("utf-8").splitlines()
    assert "/tools/.venv" in ignored and "/tools/.mariadb" in ignored
    assert "python tools/xtask.py verify" in (project.path / "AGENTS.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("origin", "source"),
    [
        ("https://git.example/a/parity.git", "git+https://git.example/a/parity.git@{commit}"),
        ("https://me:secret@git.example/a/b", "git+https://git.example/a/b@{commit}"),
        ("git@git.example:a/parity", "git+ssh://git@git.example/a/parity@{commit}"),
        ("ssh://git@git.example/a/b", "git+ssh://git@git.example/a/b@{commit}"),
        ("/srv/parity", None),
        ('https://git.example/"; reboot', None),
        (None, None),
    ],
)
def test_init_installs_from_the_origin_of_this_file_or_not_at_all(
    origin: str | None,
    source: str | None,
    project: Project,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    checkout = tmp_path_factory.mktemp("checkout").resolve()
    git(checkout, "init", "-q")
    git(checkout, "commit", "-q", "--allow-empty", "-m", "a")
    if origin:
        git(checkout, "remote", "add", "origin", origin)
    commit = git(checkout, "rev-parse", "HEAD")
    monkeypatch.setattr(xtask, "ROOT", checkout)
    project.write({**a_set("sqlite", "x INTEGER"), **a_set("mysql", "x INTEGER")})
    before = listing(project.path)
    done = project.call("init", "--github")
    if source is None:
        assert done.returncode == 2 and "--source git+https://" in done.stderr
        assert listing(project.path) == before
        return
    assert done.returncode == 0, done.stderr
    workflow = (project.path / ".github/workflows/migrations.yml").read_text("utf-8")
    assert f'pip install "{source.format(commit=commit)}"' in workflow


@pytest.mark.parametrize("source", ["xtask-parity", "git+http://git.example/a", 'git+https://a"b'])
def test_init_takes_no_other_source(source: str, project: Project) -> None:
    project.write({**a_set("sqlite", "x INTEGER"), **a_set("mysql", "x INTEGER")})
    before = listing(project.path)
    done = project.call("init", "--github", "--source", source)
    assert done.returncode == 2 and "expected git+https://" in done.stderr
    assert listing(project.path) == before


# ---- hooks and action: what they run is run ------------------------------------------------------


def block(name: str) -> str:
    """The block of README that begins with the name of this file."""
    text = (ROOT / "README.md").read_text("utf-8")
    return text.partition(f"# {name}\n")[2].partition("```")[0]


def test_readme_shows_the_workflow_that_init_writes() -> None:
    install = 'pip install "git+https://…"'
    assert block(".github/workflows/migrations.yml") == xtask.WORKFLOW.format(
        install=install, command="xtask"
    )
    hooks = re.findall(r"^- id: (.*)$", (ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"), re.M)
    assert re.findall(r"- id: (.*)", block(".pre-commit-config.yaml")) == hooks


class Foreign:
    """A project of another layout, in git, with a bare origin; `root` is beside its directory."""

    def __init__(self, root: Path, cache: Path) -> None:
        self.path = root / "foreign"
        self.origin = root / "origin.git"
        self.cache = cache
        self.environment = {
            "XDG_CACHE_HOME": str(cache),
            "UV_CACHE_DIR": str(cache / "uv"),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "XTASK_SERVER": "local",
            "CI": "true",
        }
        for name in ("GITHUB_STEP_SUMMARY", "PYTHONPATH", "VIRTUAL_ENV"):
            self.environment[name] = ""
        self.path.mkdir()
        for side, sql in (("sqlite", SQL), ("mysql", MYSQL)):
            folder = self.path / "internal" / "db" / side
            folder.mkdir(parents=True)
            (folder / "000001_a.up.sql").write_text(sql)
            (folder / "000001_a.down.sql").write_text("DROP TABLE t;")
        run(["git", "init", "-q", "--bare", "-b", "main", str(self.origin)], root)
        git(self.path, "init", "-q", "-b", "main")
        git(self.path, "remote", "add", "origin", self.origin.as_uri())

    def push(self, branch: str = "main") -> str:
        commit = commit_all(self.path, "a change")
        git(self.path, "push", "-q", "-u", "origin", f"HEAD:{branch}")
        return commit

    def run(self, *command: str, env: dict[str, str] | None = None) -> str:
        done = run(list(command), self.path, {**self.environment, **(env or {})})
        assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def refuses(self, *command: str, env: dict[str, str] | None = None) -> str:
        done = run(list(command), self.path, {**self.environment, **(env or {})})
        assert done.returncode != 0, done.stdout
        return done.stdout + done.stderr

    def drift(self) -> None:
        folder = self.path / "internal" / "db"
        (folder / "sqlite" / "000002_b.up.sql").write_text("ALTER TABLE t ADD COLUMN b TEXT;")
        (folder / "mysql" / "000002_b.up.sql").write_text("ALTER TABLE t ADD COLUMN b INT;")


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def foreign(tmp_path: Path, cache: Path) -> Foreign:
    return Foreign(tmp_path, cache)


@pytest.fixture(scope="module")
def packaged(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """uv, pipx and pre-commit, from a package index: XTASK_TEST_INDEX=1 promises one."""
    if not os.environ.get("XTASK_TEST_INDEX"):
        pytest.skip("needs a package index: XTASK_TEST_INDEX=1 promises one")
    home = tmp_path_factory.mktemp("packaged")
    venv.create(home, with_pip=True, symlinks=True)
    tools = ["uv", "pipx", "pre-commit"]
    done = run([str(home / "bin" / "pip"), "install", "-q", *tools], home)
    assert done.returncode == 0, done.stderr
    return home / "bin"


PROXIES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
OFFLINE = dict.fromkeys(PROXIES, "http://127.0.0.1:9")


@pytest.mark.mariadb
@pytest.mark.parametrize("way", ["pip", "uvx", "pipx"])
def test_adopted_from_a_git_url(way: str, packaged: Path, source: Path, foreign: Foreign) -> None:
    url = f"git+{source.as_uri()}"
    home = foreign.path.parent / "environment"
    foreign.environment.update(PIPX_HOME=str(home), PIPX_BIN_DIR=str(home / "bin"))
    xtask_command = [str(home / "bin" / "xtask")]
    if way == "pip":
        venv.create(home, with_pip=True, symlinks=True)
        foreign.run(str(home / "bin" / "pip"), "install", "-q", url)
    elif way == "pipx":
        foreign.run(str(packaged / "pipx"), "install", "-q", url)
    else:
        xtask_command = [str(packaged / "uvx"), "--from", url, "xtask"]
    assert f"xtask.py {xtask.VERSION}" in foreign.run(*xtask_command, "--version")
    assert "internal/db/sqlite, 1 migration" in foreign.run(*xtask_command, "init")
    assert "Verdict: parity" in foreign.run(*xtask_command, "verify-migrations")
    if way == "uvx":
        xtask_command.insert(1, "--offline")
    assert "Verdict: parity" in foreign.run(*xtask_command, "verify-migrations", env=OFFLINE)
    state = [path.name for path in (foreign.cache / "xtask").iterdir()]
    assert [name for name in state if name.startswith("empty-")]
    assert not list(foreign.path.parent.rglob(".mariadb*"))
    foreign.drift()
    assert "column-type" in foreign.refuses(*xtask_command, "verify-migrations")


@pytest.mark.mariadb
@pytest.mark.parametrize("name", [".github/workflows/migrations.yml", ".gitlab-ci.yml"])
def test_the_lines_of_a_workflow(name: str, installed: Path, foreign: Foreign) -> None:
    """What README shows is run: a change that was verified passes, one that was not does not."""
    script = re.findall(r"^ +- (?:run: )?(xtask .*)$", block(name), re.MULTILINE)
    assert len(script) == 2
    foreign.environment["PATH"] = f"{installed.parent}:{os.environ['PATH']}"
    foreign.run("xtask", "init")
    foreign.run("xtask", "verify-migrations")
    base = foreign.push()
    foreign.environment.update(BASE=base, CI_MERGE_REQUEST_DIFF_BASE_SHA=base)
    images = re.compile(r"--server mariadb:11.8 --server mysql:9.7")  # no registry is promised
    commands = [images.sub("--server local", line) for line in script]
    assert any("--server local" in command for command in commands)
    for command in commands:
        foreign.run("bash", "-ec", command)
    foreign.drift()
    foreign.run("bash", "-ec", commands[0])
    foreign.refuses("bash", "-ec", commands[1])
    migration = foreign.path / "internal" / "db" / "mysql" / "000001_a.up.sql"
    migration.write_text(migration.read_text().replace("VARCHAR(9)", "VARCHAR(8)"))
    assert "000001_a" in foreign.refuses("bash", "-ec", commands[0])


@pytest.mark.mariadb
def test_the_hooks_run_by_pre_commit(packaged: Path, source: Path, foreign: Foreign) -> None:
    hooks = re.findall(r"^- id: (.*)$", (ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"), re.M)
    listed = "".join(f"      - id: {hook}\n" for hook in hooks)
    revision = git(source, "rev-parse", "HEAD")
    (foreign.path / ".pre-commit-config.yaml").write_text(
        f"repos:\n  - repo: {source.as_uri()}\n    rev: {revision}\n    hooks:\n{listed}"
    )
    (foreign.path / "parity.toml").write_text(
        '[sqlite]\nmigrations = "internal/db/sqlite"\n[mysql]\nmigrations = "internal/db/mysql"\n'
    )
    foreign.push()
    foreign.environment["PRE_COMMIT_HOME"] = str(foreign.cache / "hooks")
    every = [str(packaged / "pre-commit"), "run", "--all-files", "--color=never"]
    said = foreign.refuses(*every)
    assert re.search(r"the migrations were verified\.+Failed", said), said
    by_hand = ["--hook-stage=manual", "verify-migrations"]
    assert re.search(r"both migration sets .*Passed", foreign.run(*every, *by_hand))
    foreign.push()
    said = foreign.run(*every)
    assert re.search(r"the migrations were verified\.+Passed", said)
    assert re.search(r"history is append-only\.+Passed", said)
    assert "both migration sets" not in said


def scripts_of_the_action() -> dict[str, str]:
    """The shell of action.yml, by the names of its steps."""
    text = (ROOT / "action.yml").read_text("utf-8")
    found = {}
    for step in text.split("    - name: ")[1:]:
        one_line = re.search(r"^      run: (?!\|)(.*)$", step, re.MULTILINE)
        block = re.search(r"^      run: \|\n((?:        .*\n)+)", step, re.MULTILINE)
        match = one_line or block
        assert match
        found[step.partition("\n")[0]] = re.sub("^        ", "", match[1], flags=re.MULTILINE)
    return found


@pytest.mark.mariadb
def test_the_shell_of_the_action(packaged: Path, source: Path, foreign: Foreign) -> None:
    """From a shallow checkout, as actions/checkout makes it."""
    scripts = scripts_of_the_action()
    assert list(scripts) == ["install", "history", "verify"]
    first = foreign.push()
    foreign.environment.update(
        RUNNER_TEMP=str(foreign.path.parent), GITHUB_ACTION_PATH=str(source), BASE="main"
    )
    foreign.environment.update(SERVER="", ARGUMENTS="--strict=upgrade --brief")
    foreign.environment["PATH"] = f"{packaged}:{os.environ['PATH']}"
    bash = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]
    foreign.run(*bash, scripts["install"])
    tool = str(foreign.path.parent / "xtask" / "bin" / "xtask")
    foreign.run(tool, "init")
    foreign.run(tool, "verify-migrations")
    proven = foreign.push()
    foreign.drift()
    foreign.push("feature")
    shallow = foreign.path.parent / "shallow"
    clone = ["git", "clone", "-q", "--depth", "1", "-b", "feature", foreign.origin.as_uri()]
    foreign.run(*clone, str(shallow))
    foreign.path = shallow
    foreign.run(*bash, scripts["history"], env={"BASE": proven})
    foreign.run(*bash, scripts["history"])
    assert "::error" in foreign.refuses(*bash, scripts["verify"])
    assert (shallow.parent / "schema-parity.html").stat().st_size > 10_000
    git(shallow, "checkout", "-q", proven)
    foreign.run(*bash, scripts["verify"], env={"SERVER": "local"})
    foreign.run(*bash, scripts["history"], env={"BASE": first})
    migration = shallow / "internal" / "db" / "sqlite" / "000001_a.up.sql"
    migration.write_text(migration.read_text().replace("VARCHAR(9)", "VARCHAR(8)"))
    assert "000001_a" in foreign.refuses(*bash, scripts["history"])


def test_the_hooks_run_commands_that_are_there(installed: Path, project: Project) -> None:
    project.pair(SQL, MYSQL)
    text = (ROOT / ".pre-commit-hooks.yaml").read_text("utf-8")
    entries = re.findall(r"^  entry: xtask (.*)$", text, re.MULTILINE)
    assert entries == ["check-lock", "check-history", "verify-migrations"]
    assert "stages: [manual]" in text.partition("entry: xtask verify-migrations")[2]
    done = run([str(installed), entries[0]], project.path)
    assert done.returncode == 1 and "never verified" in done.stderr


def test_the_action_calls_commands_and_options_that_are_there() -> None:
    text = (ROOT / "action.yml").read_text("utf-8").replace("\\\n", " ")
    calls = re.findall(r'bin/xtask" (.*)', text)
    assert [call.split()[0] for call in calls] == ["check-history", "verify-migrations"]
    for call in calls:
        words = call.replace('"${more[@]}"', "").replace('"', "").split()
        assert xtask.build_parser().parse_args(words).function
