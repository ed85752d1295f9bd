"""The real app in real processes, as `make run` starts it, with its own PostgreSQL or one of the tests'."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

from academia.settings import Settings
from tests.support.postgres_server import PostgresServer
from tests.support.running_supervisor import RunningSupervisor, eventually

#: The password of everybody in the tests.
PASSWORD = "uma frase inventada"
#: Seconds that one request may wait for PostgreSQL.
DEADLINE = 2.0


class RunningApp:
    """Serves at `address`. With `database` it uses that one instead of the embedded server."""

    def __init__(self, var: Path, database: str = "", **settings: str) -> None:
        var.parent.mkdir(parents=True, exist_ok=True)
        self.var = var
        self._environ = {"ACADEMIA_VAR": str(var), "ROBUSTO_DEADLINE_SECONDS": str(DEADLINE), **settings}
        if database:
            self._environ["DATABASE_URL"] = database
        self.supervisor = RunningSupervisor(var, app="'academia:create_app()'", **self._environ)
        self.server = PostgresServer(var)
        self.address = f"http://127.0.0.1:{self.supervisor.port}"

    def wait_until_ready(self) -> None:
        eventually(lambda: self._degraded() is False or self.supervisor.make.poll() is not None, 90)
        assert self.supervisor.make.poll() is None, self.supervisor.output

    def end(self) -> None:
        self.server.thaw()
        self.supervisor.end()

    # -- the command line ------------------------------------------------------------------------------

    def flask(self, *arguments: str, given: str = "") -> str:
        """What `flask --app academia …` printed."""
        done = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "academia", *arguments],
            env={**os.environ, **self._environ},
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def create_user(self, login: str, role: str, name: str = "") -> None:
        person = ["--papel", role, "--nome", name, "--senha-stdin"]
        self.flask("usuarios", "criar", login, *person, given=PASSWORD)

    # -- PostgreSQL --------------------------------------------------------------------------------------

    def freeze(self) -> None:
        """The embedded server goes on to take connections and does not answer."""
        self.server.freeze()

    def thaw(self) -> None:
        self.server.thaw()

    def stop(self) -> None:
        """The embedded server is stopped by command and stays so."""
        self.flask("postgres", "stop")

    def start(self) -> None:
        self.flask("postgres", "start")

    @contextmanager
    def frozen(self) -> Iterator[None]:
        self.freeze()
        try:
            yield
        finally:
            self.thaw()

    @contextmanager
    def stopped(self) -> Iterator[None]:
        self.stop()
        try:
            yield
        finally:
            self.start()

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Asks PostgreSQL itself, which has to answer."""
        with psycopg.connect(Settings.load(self._environ).database_url) as connection:
            return connection.execute(statement, values).fetchall()

    def wait_until_copied(self) -> None:
        """The local copy has everybody whom PostgreSQL has."""
        everybody = {str(id) for (id,) in self.rows("SELECT id FROM alunos")}
        eventually(lambda: everybody <= self._copied())

    def _copied(self) -> set[str]:
        with closing(sqlite3.connect(next(self.var.rglob("replica.db")))) as copy:
            return {id for (id,) in copy.execute("SELECT id FROM rows")}

    # -- the rest of the machine ---------------------------------------------------------------------------

    @contextmanager
    def without_journal(self) -> Iterator[None]:
        """Somebody moved the journal's folder away."""
        away = self.var / "journal.away"
        (self.var / "journal").rename(away)
        try:
            yield
        finally:
            away.rename(self.var / "journal")

    @contextmanager
    def web_server_gone(self) -> Iterator[None]:
        """The web server is killed, and nobody starts it again for a while."""
        keeper, master = self.supervisor.pid, self.supervisor.gunicorn
        os.kill(keeper, signal.SIGSTOP)
        try:
            for pid in (master, *self.supervisor.children(master)):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            yield
        finally:
            os.kill(keeper, signal.SIGCONT)

    def _degraded(self) -> bool | None:
        try:
            with urllib.request.urlopen(f"{self.address}/readyz", timeout=5) as response:
                return bool(json.load(response)["degraded"])
        except OSError:
            return None
