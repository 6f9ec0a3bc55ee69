"""xtask.py as a process that is watched from outside, hit, and looked after: what the tests of leases share.

A run carries a mark in its environment, by which everything that it starts is found, and a directory of its own
in which leases live, so that runs of others are never counted, swept or met."""

from __future__ import annotations

import functools
import os
import pty
import re
import secrets
import select
import shutil
import signal
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import xtask
from conftest import ROOT, Project, leased_address

SQLITE = "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT NOT NULL);"
MYSQL = "CREATE TABLE t (id BIGINT AUTO_INCREMENT PRIMARY KEY, a LONGTEXT NOT NULL);"
SLOW = f"{MYSQL} SELECT SLEEP(50);"
BRIEF = f"{MYSQL} SELECT SLEEP(0.5);"
DRIFTED = MYSQL.replace(" NOT NULL)", ")")
MANY = DRIFTED + "".join(
    f" CREATE TABLE many{number} (id BIGINT AUTO_INCREMENT PRIMARY KEY);" for number in range(150)
)  # read for a while
# Slow where there are rows: a later migration, and what a probe does.
CARRIED = "UPDATE t SET a = IF(SLEEP({seconds}), a, a);"
PROBED = f"{MYSQL} CREATE TRIGGER g BEFORE DELETE ON t FOR EACH ROW SET @slow = SLEEP({{seconds}});"
SHELL = ("bash", "-c", '"$@"; exit $?', "shell")  # a parent that can be killed alone
SHORT = (
    "/dev/shm" if os.access("/dev/shm", os.W_OK) else tempfile.gettempdir()
)  # a socket's name has 104 bytes
IMAGE = os.environ.get("XTASK_MARIADB_IMAGE") or "xtask-mariadb:11.8"
GONE = 15.0  # seconds within which nothing may be left
ON_A_TERMINAL = (
    "import os, sys; os.login_tty(int(sys.argv[1])); os.execv(sys.argv[2], sys.argv[2:])"
)


def wait_until(condition: Callable[[], Any], seconds: float = 60) -> bool:
    """Whether it came to that in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.003)
    return True


class Process(NamedTuple):
    pid: int
    parent: int
    command: str
    environment: dict[str, str]

    @property
    def is_server(self) -> bool:
        return self.command.split("\0")[0].endswith(("mariadbd", "mysqld"))

    def kill(self, number: int = signal.SIGKILL) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)


def processes(mark: str) -> list[Process]:
    """All that run, zombies not, with a mark in their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            environment = (path / "environ").read_bytes()
            if mark.encode() in environment:
                words = (path / "stat").read_text().rpartition(")")[2].split()
                pairs = dict(
                    item.split("=", 1)
                    for item in environment.decode(errors="replace").split("\0")
                    if "=" in item
                )
                command = (path / "cmdline").read_bytes().decode(errors="replace")
                if words[0] not in "ZX":
                    found.append(Process(int(path.name), int(words[1]), command, pairs))
    return found


def docker(*arguments: str) -> str:
    return xtask.run(["docker", *arguments], timeout=60).stdout


def databases_of(owner: int) -> list[str]:
    """The scratch databases that the process made on the server of `test-mariadb`."""
    connection = xtask.connect(leased_address(), None, 60)
    with connection, connection.cursor() as cursor:
        cursor.execute("SHOW DATABASES LIKE %s", (f"xtask%\\_{owner:x}\\_%",))
        return [name for (name,) in cursor.fetchall()]


def docker_missing() -> str:
    """Why leases in containers cannot be tested here, or ""."""
    obstacle = xtask.docker_obstacle()
    if not obstacle and not xtask.find_compose():
        obstacle = "there is no Docker Compose 2"
    if not obstacle and not docker("image", "inspect", "--format", "{{.Id}}", IMAGE).strip():
        obstacle = f"the image {IMAGE} is not here"
    return obstacle


def checkout(path: Path, *, server: bool = True) -> Path:
    """A copy of what a run needs of this repository, with the unpacked server if there is one."""
    shutil.copytree(ROOT / "scripts", path / "scripts")
    for name in ("xtask.py", "docker-compose.mariadb.yml"):
        shutil.copy(ROOT / name, path / name)
    if server and (ROOT / ".mariadb").is_dir():
        (path / ".mariadb").symlink_to(ROOT / ".mariadb")
    return path


class Run:
    """One run of xtask.py.  `where` holds its project and its words; `base` the leases, shared with another run if given."""

    def __init__(
        self,
        where: Path,
        mysql: str = SLOW,
        *,
        later: str = "",
        server: str = "local",
        root: Path = ROOT,
        base: Path | None = None,
        environment: Mapping[str, str] | None = None,
        terminal: bool = False,
        arguments: tuple[str, ...] = ("verify-migrations", "-v"),
        prefix: tuple[str, ...] = (),
        rest: tuple[str, ...] = (),
    ) -> None:
        self.where, self.root, self.mark, self.terminal = (
            where,
            root,
            f"xtask-test-{secrets.token_hex(8)}",
            "",
        )
        self.prefix = prefix
        where.mkdir(parents=True, exist_ok=True)
        self.own_base = base is None
        self.base = base or Path(tempfile.mkdtemp(prefix="xt.", dir=SHORT))
        self.hangs = where / "hangs"
        Project(where).pair(SQLITE, mysql)
        if later:
            Project(where).pair("SELECT 1;", later, "0002_later")
        self.out, self.err = where / "out", where / "err"
        command = [
            *prefix,
            sys.executable,
            str(root / "xtask.py"),
            *arguments,
            "--server",
            server,
            *rest,
        ]
        self.environment = {
            **os.environ,
            "XTASK_DATA_DIR": str(self.base),
            "TMPDIR": str(self.base),
            "XTASK_MARIADB_IMAGE": IMAGE,
            "XTASK_TEST_MARK": self.mark,
            "XTASK_TEST_HANGS": str(self.hangs),
            "XTASK_TEST_SECONDS": "60",
            "XTASK_TEST_DOCKER": shutil.which("docker") or "docker",
            **(environment or {}),
        }
        if terminal:
            self._start_on_a_terminal(command)
        else:
            self._start(command)

    def _start(self, command: list[str]) -> None:
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(
                command,
                cwd=self.where,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,  # a foreground group of its own
            )

    def _start_on_a_terminal(self, command: list[str]) -> None:
        self.master, slave = pty.openpty()
        starter = [sys.executable, "-c", ON_A_TERMINAL, str(slave), *command]
        self.process = subprocess.Popen(
            starter, cwd=self.where, env=self.environment, pass_fds=[slave]
        )
        os.close(slave)
        self.closing = False
        self.reader = threading.Thread(target=self._read_terminal, daemon=True)
        self.reader.start()

    def _read_terminal(self) -> None:
        while not self.closing:
            if select.select([self.master], [], [], 0.01)[0]:
                with suppress(OSError):
                    self.terminal += os.read(self.master, 4096).decode(errors="replace")

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: object) -> None:
        """Takes away what a failing test left, by its own numbers."""
        for one in processes(self.mark):
            one.kill()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self.own_base:
            shutil.rmtree(self.base, ignore_errors=True)

    def hang_up(self) -> None:
        """Close the terminal: the reader, too, has its other end."""
        self.closing = True
        wait_until(lambda: not self.reader.is_alive(), 5)
        os.close(self.master)

    # ---- looking on ------------------------------------------------------------------------------

    @functools.cached_property
    def owner(self) -> int:
        """The pid of xtask.py itself: behind a prefix it is a child."""
        if not self.prefix:
            return self.process.pid

        found: list[
            int
        ] = []  # kept: a process that is looked at while it starts is seen once and not again

        def seen() -> list[int]:
            found.extend(
                one.pid
                for one in processes(self.mark)
                if one.parent == self.process.pid and "xtask.py\0" in one.command
            )
            return found

        assert wait_until(seen), self.said()
        return found[0]

    def said(self) -> str:
        return self.terminal or (
            self.err.read_text("utf-8", "replace") if self.err.exists() else ""
        )

    def has_said(self, words: str) -> bool:
        return words in self.said()

    def directories(self) -> list[Path]:
        return list(self.base.glob("xtask.*"))

    def has_socket(self) -> bool:
        return any((path / "s").exists() for path in self.directories())

    def script(self) -> Process | None:
        """The holder of the lease: the child of xtask.py that is not a sweep."""
        held = [
            one
            for one in processes(self.mark)
            if re.search(r"lease\.sh\0hold\0|lease-url\.py", one.command)
        ]
        return next((one for one in held if one.parent == self.owner), None)

    def server(self) -> Process:
        assert wait_until(lambda: any(one.is_server for one in processes(self.mark))), self.said()
        return next(one for one in processes(self.mark) if one.is_server)

    def containers(self) -> list[str]:
        return docker(
            "ps", "--all", "--quiet", "--filter", f"label=xtask.owner-pid={self.owner}"
        ).split()

    def address(self) -> xtask.Address:
        """How the run itself reaches its database, once it does."""
        script = self.script()
        assert script is not None, self.said()
        (directory,) = self.directories()
        lease = script.environment["XTASK_LEASE"]
        return xtask.Address(
            lease, script.environment["XTASK_PASSWORD"], lease, str(directory / "s")
        )

    def left(self, containers: bool = False) -> list[str]:
        """All of this run that is still there."""
        sockets = [
            line
            for line in Path("/proc/net/unix").read_text().splitlines()
            if str(self.base) in line
        ]
        unpacked = [str(path) for path in self.root.glob(".mariadb.*")]
        here = [f"{one.pid} {one.command}" for one in processes(self.mark)]
        return [
            *here,
            *map(str, self.base.iterdir()),
            *sockets,
            *unpacked,
            *(self.containers() if containers else []),
        ]

    # ---- the end ---------------------------------------------------------------------------------

    def wait(self, seconds: float = 60) -> int:
        try:
            return self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            running = [f"{one.parent} {one.pid} {one.command}" for one in processes(self.mark)]
            raise AssertionError(
                f"not ended after {seconds:g} s: {running}\n{self.said()}"
            ) from None

    def assert_gone(self, containers: bool = False, seconds: float = GONE) -> None:
        deadline = time.monotonic() + seconds
        gone = wait_until(lambda: not self.left(), seconds)
        if not gone or (
            containers
            and not wait_until(lambda: not self.containers(), deadline - time.monotonic())
        ):
            raise AssertionError(
                f"left after {seconds:g} s: {self.left(containers)}\n{self.said()}"
            )


# ---- a server that misbehaves ------------------------------------------------------------------


class Silence(Exception):
    """Say nothing more, and keep the connection."""


class Cut(Exception):
    """Close the connection at once."""


class Refusal(Exception):
    """An error packet: number and text."""


Manners = Callable[
    [str, str], None
]  # what happens ("connect", "login", "query") and its text; raises one of the above


class Impostor(socketserver.ThreadingTCPServer):
    """As much of MySQL's protocol as a client needs before it notices: every login and every statement succeeds,
    except where `manners` raises.  https://mariadb.com/kb/en/clientserver-protocol/"""

    daemon_threads = True

    def __init__(self, manners: Manners, version: str = "11.8.3-MariaDB") -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.manners, self.version, self.over = manners, version, threading.Event()
        threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.shutdown()
        self.server_close()

    @property
    def url(self) -> str:
        return f"mysql://somebody:geheim@127.0.0.1:{self.server_address[1]}"


class Conversation(socketserver.StreamRequestHandler):
    server: Impostor
    FLAGS = 0x000BA209  # 4.1, connect with database, multi statements, plugin auth
    OK = b"\0\0\0\2\0\0\0"
    END = b"\xfe\0\0\2\0"

    def send(self, *packets: bytes) -> None:
        for packet in packets:
            self.wfile.write(
                len(packet).to_bytes(3, "little") + bytes([self.sequence & 255]) + packet
            )
            self.sequence += 1

    def receive(self) -> bytes:
        header = self.rfile.read(4)
        if len(header) < 4:
            raise Cut
        self.sequence = header[3] + 1
        return self.rfile.read(int.from_bytes(header[:3], "little"))

    def greet(self) -> None:
        flags, salt = self.FLAGS.to_bytes(4, "little"), b"a" * 8
        version = self.server.version.encode() + b"\0"
        tail = (
            b"\x2d\2\0" + flags[2:] + b"\x15" + bytes(10) + b"b" * 12 + b"\0mysql_native_password\0"
        )
        self.send(b"\x0a" + version + bytes(4) + salt + b"\0" + flags[:2] + tail)

    def row(self, *values: str) -> None:
        """Answer with one row; with none of one column where there is no value."""
        column = b"\3def\0\0\0\1x\0\x0c\x2d\0\xff\0\0\0\xfd\0\0\0\0\0"
        count = max(1, len(values))
        row = b"".join(bytes([len(value)]) + value.encode() for value in values)
        self.send(bytes([count]), *([column] * count), self.END, *([row] if row else []), self.END)

    def answer(self, sql: str) -> None:
        if sql.upper().startswith("SHOW VARIABLES"):
            self.row("version", self.server.version)
        elif sql.upper().startswith("SELECT @@"):
            self.row(*["STRICT_TRANS_TABLES"] * sql.count("@@"))
        elif sql.upper().startswith("SHOW"):
            self.row()
        else:
            self.send(self.OK)

    def handle(self) -> None:
        self.sequence = 0
        try:
            while True:
                try:
                    self.converse()
                except Refusal as refusal:
                    number, text = refusal.args
                    self.send(b"\xff" + number.to_bytes(2, "little") + b"#HY000" + text.encode())
        except Silence:
            self.server.over.wait(60)
        except (Cut, OSError):
            return

    def converse(self) -> None:
        if self.sequence == 0:
            self.server.manners("connect", "")
            self.greet()
            self.server.manners("login", self.receive()[32:].partition(b"\0")[0].decode())
            self.send(self.OK)
        while True:
            packet = self.receive()
            if packet[:1] == b"\1":
                raise Cut
            sql = packet[1:].decode(errors="replace")
            self.server.manners("query", sql)
            self.answer(sql)
