#!/usr/bin/env python3
"""A leased database on a server of one's own: made, held while standard input stays open, and
dropped, by whatever way it ends.

Started by xtask.py alone.  The first line of the input is JSON: `server` (host, port, user,
password, ssl_mode, ssl_ca), `lease` (the name of the database and of the user), `password`,
`everything` (rights on the whole server) and `sweep` (only drop that lease).  Then it speaks the
lines of scripts/lease.sh: prints how to reach the database as one line of JSON, answers "log"
with "end", tells a failure as "error: …".  Exit status: 0 end of input, 1 the server refused,
4 something may be left on the server.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import pymysql

import xtask


class Keeper:
    """Makes a scratch database and a user with rights on it alone, and drops both."""

    def __init__(self, opening: dict[str, Any]) -> None:
        server = dict(opening["server"])
        del server["database"]
        self.ssl_mode, self.ssl_ca = server.pop("ssl_mode"), server.pop("ssl_ca")
        self.server = server
        self.lease: str = opening["lease"]
        self.password: str = opening["password"]
        self.everything: bool = opening["everything"]
        self.begun = bool(opening["sweep"])
        # As scripts/lease.sh names it, so that a later sweep takes it along.
        self.directory = Path(tempfile.gettempdir()) / f"xtask.{self.lease}"
        self.left = False

    def statement(self, sql: str, *values: str) -> list[tuple[Any, ...]]:
        """Run one statement on a connection of its own: the server may have cut an idle one."""
        limit = xtask.timeout_seconds()
        waits = {"connect_timeout": min(10, limit), "read_timeout": limit, "write_timeout": limit}
        tls = xtask.ssl_options(self.ssl_mode, self.ssl_ca)
        options = {**self.server, **waits, **tls}
        connection = pymysql.connect(autocommit=True, local_infile=False, **options)
        with connection, connection.cursor() as cursor:
            cursor.execute(sql, values or None)
            return list(cursor.fetchall())

    def sweep(self) -> None:
        """Drop what keepers left whose owner is surely dead."""
        owner = xtask.Owner.this_process()
        for (name,) in self.statement("SHOW DATABASES LIKE 'xtask\\_%'"):
            if owner.surely_left(name):
                self.drop(name)

    def make_directory(self) -> None:
        self.directory.mkdir(mode=0o700)
        owner = xtask.Owner.this_process()
        (self.directory / "owner").write_text(f"{owner.words} local\n", "utf-8")

    def make(self) -> None:
        pattern = self.lease.replace("_", "\\_")
        scope, grant = f"`{pattern}`.*", ""
        if self.everything:
            scope, grant = "*.*", " WITH GRANT OPTION"
        self.begun = True
        self.make_directory()
        self.statement(f"CREATE DATABASE `{self.lease}`")
        self.statement(f"CREATE USER '{self.lease}'@'%%' IDENTIFIED BY %s", self.password)
        self.statement(f"GRANT ALL ON {scope} TO '{self.lease}'@'%'{grant}")

    def drop(self, name: str) -> None:
        """Drop the user, so that nobody comes any more, end who is there, drop the database."""
        self.drop_one(f"DROP USER IF EXISTS '{name}'@'%'")
        self.end_sessions(name)
        self.drop_one(f"DROP DATABASE IF EXISTS `{name}`")

    def drop_one(self, sql: str) -> None:
        try:
            self.statement(sql)
        except (pymysql.err.MySQLError, OSError, ValueError) as error:
            self.left = True
            xtask.say(f"xtask: {sql}: {words_of(error)}")

    def end_sessions(self, user: str) -> None:
        """Kill what a user still runs: DROP DATABASE would wait for its statements.

        A session may end by itself meanwhile, and whoever made the scratch database may lack the
        right to kill: then the DROP waits.
        """
        sessions = "SELECT id FROM information_schema.processlist WHERE user = %s"
        with suppress(pymysql.err.MySQLError, OSError):
            for (session,) in self.statement(sessions, user):
                with suppress(pymysql.err.MySQLError):
                    self.statement(f"KILL {session}")

    def hold(self) -> None:
        where = {"host": self.server["host"], "port": self.server["port"]}
        tls = {"ssl_mode": self.ssl_mode, "ssl_ca": self.ssl_ca}
        found = {"engine": "url", "directory": str(self.directory), **where, **tls}
        print(json.dumps(found), flush=True)
        for line in sys.stdin:
            if line.strip() == "log":
                print("end", flush=True)


def words_of(error: Exception) -> str:
    """Give the server's own message, in one line."""
    return xtask.printable(": ".join(str(part) for part in error.args))


def keep(keeper: Keeper, only_sweep: bool) -> int:
    try:
        keeper.sweep()
        if not only_sweep:
            keeper.make()
            keeper.hold()
        return 0
    except (pymysql.err.MySQLError, OSError, ValueError) as error:
        where = f"{keeper.server['host']}:{keeper.server['port']}"
        print(f"error: the server at {where} refused: {words_of(error)}", flush=True)
        return 1


def main() -> int:
    xtask.SIGNALS.install()
    opening = json.loads(sys.stdin.readline() or "{}")
    if not opening:
        return 0
    keeper = Keeper(opening)
    try:
        status = keep(keeper, opening["sweep"])
    except xtask.Interrupted as interrupted:
        status = interrupted.status
    finally:
        xtask.SIGNALS.deafen()
        if keeper.begun:
            keeper.drop(keeper.lease)
            shutil.rmtree(keeper.directory, ignore_errors=True)
    return 4 if keeper.left else status


if __name__ == "__main__":
    raise SystemExit(main())
