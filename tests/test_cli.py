"""The command line as a process: exit statuses, stdout against stderr, help and docs, and what happens without a server."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import xtask
from conftest import ROOT, Project

COMMANDS = sorted(next(iter(xtask.build_parser()._subparsers._group_actions)).choices)  # type: ignore[union-attr,arg-type]
HIDDEN = {"docker", "docker-compose", "mariadbd", "mysqld", "apt-get", "dpkg"}
GOOD = "CREATE TABLE t (id INTEGER PRIMARY KEY);"


class Toolkit:
    """A copy of the toolkit, as a project has that adopted it, and its xtask.py as a process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        for name in ("migrations", "migrations_mysql", "scripts"):
            shutil.copytree(ROOT / name, path / name)
        for name in (
            "xtask.py",
            "Makefile",
            "requirements.txt",
            "requirements-dev.txt",
            "pyproject.toml",
            "parity.toml",
            "parity.lock",
        ):
            shutil.copy(ROOT / name, path / name)

    def run(
        self, *arguments: str, path: Path | None = None, python: tuple[str, ...] = (), **env: str
    ) -> subprocess.CompletedProcess[str]:
        variables = {**os.environ, **({"PATH": str(path)} if path else {}), **env}
        variables.pop("XTASK_SERVER", None)
        return subprocess.run(
            [sys.executable, *python, "xtask.py", *arguments],
            cwd=self.path, env=variables, capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def script(self, name: str, text: str) -> Path:
        target = self.path / name
        target.parent.mkdir(exist_ok=True)
        target.write_text("#!/usr/bin/env bash\n" + text, "utf-8")
        target.chmod(0o755)
        return target


@pytest.fixture
def toolkit(tmp_path: Path) -> Toolkit:
    (tmp_path / "toolkit").mkdir()
    return Toolkit(tmp_path / "toolkit")


@pytest.fixture
def serverless(toolkit: Toolkit, tmp_path: Path) -> Path:
    """A PATH with everything but Docker, MariaDB and a package manager, and a toolkit that looks nowhere else."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for directory in os.environ["PATH"].split(os.pathsep):
        for tool in Path(directory).iterdir() if Path(directory).is_dir() else ():
            if tool.name not in HIDDEN and not (tools / tool.name).exists():
                (tools / tool.name).symlink_to(tool)
    local = toolkit.path / "scripts" / "engine-local.sh"
    local.write_text(
        re.sub(r"(?<=\s)/\S+/mariadbd", "/nowhere/mariadbd", local.read_text("utf-8")), "utf-8"
    )
    return tools


# ---- help and docs -----------------------------------------------------------------------------


def test_help_lists_every_command(project: Project) -> None:
    done = project.run("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert [
        name for name in COMMANDS if not re.search(rf"^    {name}\b", done.stdout, re.MULTILINE)
    ] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(
    command: str, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    del project
    with pytest.raises(SystemExit) as end:
        xtask.build_parser().parse_args([command, "--help"])
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: xtask.py {command}")


def test_help_of_the_main_job_lists_every_kind(project: Project) -> None:
    done = project.run("verify-migrations", "--help")
    assert [
        name for name in xtask.KINDS if not re.search(rf"^  {name}\s", done.stdout, re.MULTILINE)
    ] == []


def test_readme_lists_the_kinds_as_the_rules_say_them() -> None:
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    listed = [line for line in lines if re.match(r"\| `[a-z-]+` \| (parity|strict|both) \|", line)]
    rules = xtask.KINDS.values()
    assert listed == [f"| `{rule.name}` | {rule.level} | {rule.found} |" for rule in rules]


def test_readme_mentions_every_command_and_every_kind() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert [
        name
        for name in [*COMMANDS, *xtask.KINDS]
        if f"`{name}" not in readme and f" {name}" not in readme
    ] == []


def test_readme_mentions_no_command_and_no_kind_that_is_none() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    called = set(re.findall(r"xtask\.py ([a-z][a-z-]+)", readme))
    made = set(re.findall(r"`make ([a-z][a-z-]+)", readme)) | set(
        re.findall(r"^make ([a-z][a-z-]+)", readme, re.MULTILINE)
    )
    assert called <= set(COMMANDS) and made <= {*COMMANDS, "help"}
    assert set(re.findall(r"explain ([a-z]+(?:-[a-z]+)+)", readme)) <= set(xtask.KINDS)


def test_make_has_a_target_for_every_command() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert (
        sorted(set(re.findall(r"^([a-z][a-z-]*):.*## ", makefile, re.MULTILINE)) - {"help"})
        == COMMANDS
    )


def test_every_recipe_is_one_line_that_delegates() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for command in COMMANDS:
        match = re.search(rf"^{command}:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
        assert match and re.fullmatch(rf"\t@\$\(XTASK\) {command}\b.*\n", match[1]), command


def test_make_alone_prints_help() -> None:
    done = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert [name for name in COMMANDS if f"make {name}" not in done.stdout] == []


@pytest.mark.parametrize("kind", list(xtask.KINDS))
def test_explain(kind: str, project: Project) -> None:
    done = project.call("explain", kind)
    assert done.returncode == 0 and done.stdout.startswith(f"{kind} (")
    assert all(word in done.stdout for word in ("SQLite", "MySQL", "For example"))
    assert ("parity.toml" in done.stdout) or kind == "divergence-unused"


def test_rules_is_the_table_of_types(project: Project) -> None:
    done = project.call("rules")
    words = set(re.findall(r"[\w()]+", done.stdout.upper()))
    for rule in xtask.TYPE_RULES:
        assert rule.logical in done.stdout
        assert {
            word
            for name in (rule.sqlite + ", " + rule.mysql).split(", ")
            for word in name.upper().split()
        } <= words


# ---- usage -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["usage", "COMMAND"]),
        (["verify"], ["invalid choice"]),
        (["verify-migrations", "--format", "xml"], ["invalid choice", "json"]),
        (["verify-migrations", "--locket"], ["unrecognized arguments: --locket", "[--locked]"]),
        (["verify-migrations", "-q", "-v"], ["not allowed"]),
        (["verify-migrations", "--strict=column-colation"], ["column-collation"]),
        (
            ["verify-migrations", "--server", "postgres://u:geheim@h"],
            ["mysql://user:password@host:port"],
        ),
        (["verify-migrations", "--server", "mysql://u:geheim@h?x=1"], ["unknown option 'x'"]),
        (["verify-migrations", "--server", "mysql://u:geheim@h:port"], ["--server"]),
        (["verify-migrations", "--server", "mysql://h"], ["--server"]),
        (["verify-migrations", "--sqlite", "nowhere"], ["nowhere", "no such directory"]),
        (["verify-migrations", "--mysql", "empty"], ["empty", "no migration"]),
        (["verify-migrations", "--config", "nowhere.toml"], ["nowhere.toml", "cannot be read"]),
        (["explain", "colum-type"], ["did you mean 'column-type'?"]),
        (["with-mariadb"], ["with-mariadb -- CMD"]),
    ],
)
def test_usage_errors(arguments: list[str], words: list[str], project: Project) -> None:
    (project.path / "empty").mkdir()
    done = project.pair(GOOD, GOOD).call(*arguments, env={"XTASK_SERVER": "local"})
    assert (done.returncode, done.stdout) == (2, "")
    assert [word for word in words if word not in done.stderr] == []
    assert "Traceback" not in done.stderr and "geheim" not in done.stderr


@pytest.mark.parametrize("value", ["soon", "0", "-1", "nan", "inf"])
def test_a_timeout_that_is_none(value: str, project: Project) -> None:
    done = project.pair(GOOD, GOOD).call(
        "verify-migrations", "--server", "local", env={"XTASK_TIMEOUT": value}
    )
    assert done.returncode == 2 and f"XTASK_TIMEOUT={value}" in done.stderr


# ---- no server ---------------------------------------------------------------------------------


def test_local_without_a_server(toolkit: Toolkit, serverless: Path) -> None:
    done = toolkit.run("verify-migrations", "--server", "local", path=serverless)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no mariadbd on this machine" in done.stderr
    assert "apt-get install mariadb-server-core" in done.stderr
    assert "Traceback" not in done.stderr


def test_auto_without_any_server(toolkit: Toolkit, serverless: Path) -> None:
    done = toolkit.run("verify-migrations", path=serverless)
    assert (done.returncode, done.stdout) == (2, "")
    words = "the default asks for mariadb:11.8; there is no docker client; there is no mariadbd"
    assert words in done.stderr and "`xtask.py doctor` says how" in done.stderr


def test_docker_was_asked_for_and_is_not_there(toolkit: Toolkit, serverless: Path) -> None:
    done = toolkit.run("verify-migrations", "--server", "docker", path=serverless)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no docker client" in done.stderr and "--server local" in done.stderr


@pytest.mark.parametrize(
    ("command", "rest", "status"), [("with-mariadb", ["--", "true"], 125), ("test-mariadb", [], 2)]
)
def test_a_lease_that_failed(
    command: str, rest: list[str], status: int, toolkit: Toolkit, serverless: Path
) -> None:
    done = toolkit.run(command, "--server", "local", *rest, path=serverless)
    assert done.returncode == status and "no mariadbd" in done.stderr


def test_a_failing_sqlite_migration_needs_no_server(toolkit: Toolkit, serverless: Path) -> None:
    (toolkit.path / "migrations" / "9999-01-01-000000_bad").mkdir()
    (toolkit.path / "migrations" / "9999-01-01-000000_bad" / "up.sql").write_text(
        "SELECT 1;\nCREATE TABEL t (a);\n", "utf-8"
    )
    done = toolkit.run("verify-migrations", "--server", "local", path=serverless)
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        "9999-01-01-000000_bad/up.sql, statement 2 of 2, line 2" in done.stderr
        and "CREATE TABEL t (a)" in done.stderr
    )


def test_no_table_is_no_parity(toolkit: Toolkit, serverless: Path) -> None:
    for name in ("migrations", "migrations_mysql"):
        shutil.rmtree(toolkit.path / name)
        (toolkit.path / name).mkdir()
        (toolkit.path / name / "1_nothing.sql").write_text("SELECT 1;", "utf-8")
    done = toolkit.run("verify-migrations", "--server", "local", path=serverless)
    assert done.returncode == 2 and "no table at the end" in done.stderr


def test_a_server_that_never_comes_up(toolkit: Toolkit) -> None:
    announced = json.dumps({"engine": "local", "socket": str(toolkit.path / "nobody"), "port": 0})
    words = f"[[ $1 == hold ]] || exit 0\necho '{announced}'\nwhile read -r line; do [[ $line != log ]] || echo end; done\ntouch gone\n"
    toolkit.script("scripts/lease.sh", words)
    done = toolkit.run("verify-migrations", "--server", "local", XTASK_TIMEOUT="0.3")
    assert (done.returncode, done.stdout) == (2, "")
    assert "the server was not ready within 0.3 s" in done.stderr
    assert (toolkit.path / "gone").exists()


def test_a_lease_that_ends_without_a_word(toolkit: Toolkit) -> None:
    toolkit.script("scripts/lease.sh", "[[ $1 == hold ]] || exit 0\nexit 7\n")
    done = toolkit.run("verify-migrations", "--server", "local")
    assert done.returncode == 2 and "ended without a word (status 7)" in done.stderr


def test_a_python_without_the_packages_says_how_to_get_them(toolkit: Toolkit) -> None:
    done = toolkit.run("verify-migrations", python=("-I", "-S"))
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        "lacks pymysql, tabulate, wcwidth, sqlglot, jinja2" in done.stderr
        and "make .venv/runtime" in done.stderr
    )


def test_doctor_without_a_server(toolkit: Toolkit, serverless: Path) -> None:
    done = toolkit.run("doctor", path=serverless)
    assert "there is no docker client" in done.stdout and done.stderr == ""
    assert [
        name
        for name in ("Python", "SQLite", "packages", "docker", "mariadbd", "would use")
        if name not in done.stdout
    ] == []


def test_doctor_answers_with_its_status(project: Project) -> None:
    done = project.run("doctor")
    assert done.returncode == int("would use: nothing" in done.stdout or "missing:" in done.stdout)


def test_doctor_looks_where_the_script_does() -> None:
    script = (ROOT / "scripts" / "engine-local.sh").read_text("utf-8")
    assert set(re.findall(r'(?<=\s)(/\S+)/"\$binary"', script)) == set(xtask.SERVER_PLACES)


def test_doctor_names_the_image(toolkit: Toolkit) -> None:
    done = toolkit.run("doctor", XTASK_MARIADB_IMAGE="nobody/has-mariadb:this")
    assert "nobody/has-mariadb:this: not " in done.stdout
    assert (
        "would use: docker" not in done.stdout
        or "local, if the image cannot be pulled" in done.stdout
    )


SWALLOWING = """
import os, signal, sys, time
sys.path.insert(0, sys.argv[1])
import xtask
xtask.SIGNALS.install()
class Swallows:
    def __del__(self):
        signal.raise_signal(signal.SIGTERM)
try:
    {hold}
    time.sleep(20)
except xtask.Interrupted as interrupted:
    print(interrupted.status, flush=True)
"""
SHIELDED = """
    with xtask.SIGNALS.shielded():
        Swallows()
        time.sleep(0.1)
"""


@pytest.mark.parametrize("hold", ["Swallows()", SHIELDED.strip()], ids=["lost", "held back"])
def test_a_signal_that_python_swallows_comes_again(hold: str) -> None:
    """Raised in a destructor or a callback of an import it is gone, and the run would go on."""
    script = SWALLOWING.replace("{hold}", hold)
    done = subprocess.run(
        [sys.executable, "-c", script, str(ROOT)],
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("143\n", "")


# ---- where the project is ------------------------------------------------------------------------

LAYOUT = {
    "parity.toml": '[sqlite]\nmigrations = "db/sqlite"\n[mysql]\nmigrations = "db/mysql"\n',
    "src/deep/x.py": "",
    ".git/HEAD": "",
}


@pytest.mark.parametrize("here", [".", "db", "src/deep"])
def test_the_project_is_found_from_below(here: str, project: Project) -> None:
    project.write({**LAYOUT, "db/sqlite/0001_a.sql": GOOD, "db/mysql/0001_a.sql": GOOD})
    project.path = project.path / here
    done = project.call("check-lock")
    assert (
        done.returncode == 1
        and "parity.lock: missing: these migrations were never verified" in done.stderr
    )


def test_sets_without_settings_are_a_project_of_their_own(project: Project) -> None:
    """And the settings above them are named, not silently left out."""
    project.write(
        {**LAYOUT, "sub/migrations/0001_a.sql": GOOD, "sub/migrations_mysql/0001_a.sql": GOOD}
    )
    project.path = project.path / "sub"
    done = project.call("check-lock")
    assert done.stderr.splitlines()[0].startswith("../parity.toml: not applied")
    assert done.returncode == 1 and "\nparity.lock: missing" in done.stderr


def test_settings_beyond_the_checkout_are_somebody_elses(project: Project) -> None:
    project.write(
        {
            "parity.toml": "ignore_tables = 1\n",
            "inner/.git/HEAD": "",
            "inner/migrations/0001_a.sql": GOOD,
        }
    )
    project.path = project.path / "inner"
    done = project.run("verify-migrations", "--server", "local")
    assert done.returncode == 2 and xtask.NO_PROJECT in done.stderr


@pytest.mark.parametrize(
    "command",
    [["verify-migrations"], ["check-lock"], ["check-history"], ["new-migration", "x"]],
    ids=lambda command: command[0],
)
def test_without_a_project_nothing_is_taken_for_one(command: list[str], project: Project) -> None:
    """Least of all the sample beside the tool."""
    for files in ({}, {"migrations/0001_a.sql": GOOD}):
        done = project.write(files).call(*command)
        assert "parity.lock" not in done.stdout and "append-only" not in done.stdout
        assert xtask.NO_PROJECT in done.stderr
        assert done.returncode == 2


@pytest.mark.parametrize("name", ["Parity.toml", "PARITY.TOML"])
def test_misnamed_settings_are_named(name: str, project: Project) -> None:
    project.write({name: "", "migrations/0001_a.sql": GOOD, "migrations_mysql/0001_a.sql": GOOD})
    done = project.call("check-lock")
    assert done.returncode == 2 and f"{name}: rename it to parity.toml" in done.stderr


def test_settings_above_are_about_the_sets_that_they_name(project: Project) -> None:
    settings = (
        '[sqlite]\nmigrations = "db/migrations"\n[mysql]\nmigrations = "db/migrations_mysql"\n'
    )
    project.write({**LAYOUT, "parity.toml": settings})
    project.write({f"db/{side}/0001_a.sql": GOOD for side in ("migrations", "migrations_mysql")})
    project.path = project.path / "db"
    done = project.call("check-lock")
    assert "not applied" not in done.stderr and "../parity.lock: missing" in done.stderr


@pytest.mark.parametrize(
    ("output", "words"),
    [("", "found nothing"), (".", "is a directory; name a plain file"), ("nowhere/x", "no such directory")],
)  # fmt: skip
def test_output_that_cannot_be_is_told_before_the_work(
    output: str, words: str, project: Project
) -> None:
    done = project.pair(GOOD, GOOD).run(
        "verify-migrations", "--server", "nonsense", "--output", output
    )
    assert done.returncode == 2 and words in done.stderr


def odd_files(where: Path) -> dict[str, Path]:
    """Everything that has a name and is no plain file."""
    (where / "target").write_text("of somebody else\n")
    made = {"a symbolic link": where / "link", "a named pipe": where / "pipe"}
    made["a symbolic link"].symlink_to(where / "target")
    os.mkfifo(made["a named pipe"])
    made["a socket"] = where / "socket"
    with socket.socket(socket.AF_UNIX) as listener, contextlib.chdir(where):
        listener.bind("socket")
    return {**made, "a directory": where / "..", "a device": Path(os.devnull)}


def test_only_plain_files_are_written(tmp_path: Path) -> None:
    """A device that is replaced by a file is lost to everyone; a link may lead out of the project."""
    for kind, path in odd_files(tmp_path).items():
        with pytest.raises(xtask.ConfigError, match=f"it is {kind}; name a plain file"):
            xtask.check_output(str(path))
        with pytest.raises(xtask.ConfigError, match=f"it is {kind}; name a plain file"):
            xtask.write_output("words\n", str(path))
    names = sorted(one.name for one in tmp_path.iterdir())
    assert names == ["link", "pipe", "socket", "target"]
    assert (tmp_path / "target").read_text() == "of somebody else\n"


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_a_file_is_replaced_as_a_whole(mask: int, tmp_path: Path) -> None:
    path = tmp_path / "report"
    path.write_text("before, and much longer than what comes\n")
    before = os.umask(mask)
    try:
        xtask.write_output("words\n", str(path))
    finally:
        os.umask(before)
    assert path.read_text() == "words\n" and path.stat().st_mode & 0o777 == 0o666 & ~mask
    assert list(tmp_path.iterdir()) == [path]


def test_only_plain_files_are_read(tmp_path: Path) -> None:
    odd = odd_files(tmp_path)
    assert xtask.read_text(odd.pop("a symbolic link")) == "of somebody else\n"
    for kind, path in odd.items():
        with pytest.raises(xtask.ConfigError, match=f"expected a plain file, found {kind}"):
            xtask.read_file(path)


@pytest.mark.parametrize("name", ["parity.toml", "parity.lock"])
@pytest.mark.parametrize("kind", ["pipe", "socket"])
def test_what_would_hang_is_refused_at_once(name: str, kind: str, project: Project) -> None:
    path = project.pair(GOOD, GOOD).path / name
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    else:
        with socket.socket(socket.AF_UNIX) as listener, contextlib.chdir(path.parent):
            listener.bind(path.name)
    done = project.run("check-lock", timeout=10)
    assert done.returncode == 2 and name in done.stderr, done.stderr


def test_the_way_to_the_packages_without_a_makefile(toolkit: Toolkit) -> None:
    (toolkit.path / "Makefile").unlink()
    done = toolkit.run("verify-migrations", python=("-S", "-E"))
    assert (
        done.returncode == 2
        and "`python3 -m venv .venv && .venv/bin/pip install -r requirements.txt`" in done.stderr
    )
    assert "repository of xtask.py itself" in toolkit.run("lint", python=("-S", "-E")).stderr


def test_make_hands_a_whole_command_line_on() -> None:
    done = subprocess.run(
        ["make", "-n", "with-mariadb", "CMD=a && b"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert '-- sh -c "$CMD"\n' in done.stdout


@pytest.mark.parametrize(
    ("words", "server", "handed_on"),
    [
        (["test", "-x", "--", "--odd"], None, ["-x", "--", "--odd"]),
        (["test-mariadb", "-k", "one", "--server", "local"], "local", ["-k", "one"]),
        (
            ["test-mariadb", "--maxfail", "1", "--server=local", "-k", "a b"],
            "local",
            ["--maxfail", "1", "-k", "a b"],
        ),
        (["fuzz", "--serv", "x"], None, ["--serv", "x"]),
        (["bench", "--only", "local"], None, ["--only", "local"]),
    ],
)
def test_what_a_command_does_not_know_is_handed_on(
    words: list[str], server: str | None, handed_on: list[str]
) -> None:
    read = xtask.parse_arguments(words)
    assert (getattr(read, "server", None), read.arguments) == (server, handed_on)


@pytest.mark.parametrize(
    ("line", "status", "words"),
    [
        ("rules >&-", 0, ""),
        ("check-lock --config nowhere.toml 2>&-", 2, ""),
        ("rules <&-", 0, ""),
        ("rules >/dev/full", 2, "No space left"),
    ],
)
def test_streams_that_are_closed_or_full(
    line: str, status: int, words: str, project: Project
) -> None:
    shell = f"set -o pipefail; {sys.executable} {ROOT / 'xtask.py'} {line}"
    done = subprocess.run(
        ["bash", "-c", shell], cwd=project.path, capture_output=True, text=True, check=False
    )
    assert done.returncode == status and words in done.stderr
    assert "error" not in done.stdout and "Traceback" not in done.stdout + done.stderr


def test_a_reader_that_went_away(project: Project) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, str(ROOT / "xtask.py"), "explain", "index"]
    done = subprocess.run(
        command, cwd=project.path, stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


# ---- ci ----------------------------------------------------------------------------------------

WITNESS = """\
import os, sys
def hook(event, arguments):
    if event in ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.system", "socket.connect"):
        words = arguments[1][:2] if len(arguments) > 1 and isinstance(arguments[1], (list, tuple)) else arguments[:1]
        with open(os.environ["WITNESS"], "a") as file:
            print(event, *(os.path.basename(str(word)) for word in words), file=file)
sys.addaudithook(hook)
"""
TRAP = 'echo "$0 $*" >>"$TRAPPED"\nexit 1\n'


@pytest.fixture
def stand_ins(tmp_path: Path) -> Path:
    """A PYTHONPATH whose mypy only says how it was called: the real one takes ten seconds for a copy."""
    directory = tmp_path / "stand-ins"
    directory.mkdir()
    (directory / "mypy.py").write_text("import sys\nprint('mypy:', *sys.argv[1:])\n", "utf-8")
    return directory


def test_ci_starts_no_server(toolkit: Toolkit, stand_ins: Path, tmp_path: Path) -> None:
    """Traps for all that could start one, and a witness to every process and connection of xtask.py and pytest."""
    for name in sorted(HIDDEN):
        toolkit.script(f"traps/{name}", TRAP)
    for name in ("lease.sh", "boot-server.sh", "fetch-mariadb.sh"):
        toolkit.script(f"scripts/{name}", TRAP)
    (stand_ins / "sitecustomize.py").write_text(WITNESS, "utf-8")
    (toolkit.path / "tests").mkdir()
    (toolkit.path / "tests" / "test_one.py").write_text(
        "def test_one() -> None:\n    assert True\n", "utf-8"
    )
    seen, trapped = tmp_path / "seen", tmp_path / "trapped"
    path = os.pathsep.join([str(toolkit.path / "traps"), os.environ["PATH"]])
    done = toolkit.run(
        "ci",
        PATH=path,
        PYTHONPATH=str(stand_ins),
        WITNESS=str(seen),
        TRAPPED=str(trapped),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (
        done.stdout.splitlines()[-1]
        == "ci: lint ok, format ok, migrations ok, lock ok, history not checked, tests ok"
    )
    assert "mypy: --strict xtask.py" in done.stdout
    assert not trapped.exists()
    events = [line.split() for line in seen.read_text("utf-8").splitlines()]
    assert any(words[0] == "subprocess.Popen" for words in events)  # the witness was there
    assert not [
        words
        for words in events
        if words[0] == "socket.connect" or (HIDDEN | {"lease.sh"}).intersection(words)
    ]


def test_ci_fails_where_one_check_fails_and_runs_them_all(
    toolkit: Toolkit, stand_ins: Path
) -> None:
    (toolkit.path / "parity.lock").unlink()
    (toolkit.path / "tests").mkdir()
    (toolkit.path / "tests" / "test_one.py").write_text(
        "def test_one() -> None:\n    assert [] == [1]\n", "utf-8"
    )
    done = toolkit.run("ci", PYTHONPATH=str(stand_ins))
    assert done.returncode == 1
    assert (
        done.stdout.splitlines()[-1]
        == "ci: lint ok, format ok, migrations ok, lock FAILED, history not checked, tests FAILED"
    )
    assert "xtask.py verify-migrations" in done.stderr


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("migrations/0001_schema/up.sql", "CREATE TABLE t (", "line 1"),
        ("migrations_mysql/0001_schema/down.sql", "SELECT 'x", "unterminated"),
        ("migrations/0001_schema/up.sql", "CREATE TABLE t (a b c CHECK);", "0001_schema"),
        ("migrations_mysql/stray/up.sql", "", "stray"),
        ("parity.toml", "[sqlit]", "did you mean 'sqlite'?"),
    ],
)
def test_static_checks_of_both_sets(
    name: str, text: str, words: str, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.pair(GOOD, GOOD).write({name: text})
    monkeypatch.chdir(project.path)
    with pytest.raises(xtask.XtaskError, match=re.escape(words)):
        xtask.check_static(xtask.build_parser().parse_args(["ci"]))


def test_static_checks_name_what_is_unpaired(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project.pair(GOOD, GOOD).write({"migrations/0002_more/up.sql": "SELECT 1;"})
    monkeypatch.chdir(project.path)
    assert xtask.check_static(xtask.build_parser().parse_args(["ci"])) == 0
    assert "0002_more is on one side only" in capsys.readouterr().out
