"""A primary and its synchronous physical standby: two real servers that can change places."""

from __future__ import annotations

import secrets
from pathlib import Path

import psycopg

from academia.embedded import Cluster, account, binaries
from tests.support.engine_kit import wait_for


class Pair:
    """`first` is the primary, `second` follows it; `dsn` names both, in this order."""

    def __init__(self, folder: Path) -> None:
        password = secrets.token_urlsafe(16)
        for name in ("one", "two"):
            (folder / name).mkdir()
        self.first = Cluster(folder / "one", password)
        self.second = Cluster(folder / "two", password)
        self.first.start()
        self._copy()
        self.second.start()
        _run(self.first, "ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")
        wait_for(lambda: _ask(self.first, "SELECT sync_state FROM pg_stat_replication") == "sync")

    @property
    def dsn(self) -> str:
        who, _, first = self.first.url.rpartition("@")
        place, _, database = first.partition("/")
        other = self.second.url.rpartition("@")[2].partition("/")[0]
        return f"{who}@{place},{other}/{database}"

    def fall_behind(self) -> None:
        """From now on the primary answers without the standby, which hears of nothing any more."""
        _run(self.first, "ALTER SYSTEM SET synchronous_standby_names = ''", "SELECT pg_reload_conf()")
        _run(self.second, "ALTER SYSTEM SET primary_conninfo = ''", "SELECT pg_reload_conf()")
        wait_for(lambda: _ask(self.first, "SELECT count(*) FROM pg_stat_replication") == 0)

    def promote(self) -> None:
        """The standby becomes a primary on a timeline of its own."""
        assert _ask(self.second, "SELECT pg_promote()") is True

    def demote(self) -> None:
        """The old primary goes on answering, and takes no writes."""
        _run(self.first, "ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")

    def follow(self) -> None:
        """The old primary, which was stopped in order, comes back as the standby of the new one."""
        (self.first.data / "standby.signal").touch()
        with (self.first.data / "postgresql.auto.conf").open("a") as file:
            file.write(f"primary_conninfo = '{self.second.url}'\nsynchronous_standby_names = ''\n")
        self.first.start()
        wait_for(lambda: _ask(self.second, "SELECT state FROM pg_stat_replication") == "streaming")

    def close(self) -> None:
        for cluster in (self.first, self.second):
            cluster.stop(fast_seconds=2)

    def _copy(self) -> None:
        as_whom = account.choose(binaries.find(), self.second.var)
        arguments = ["-d", self.first.url, "-D", str(self.second.data), "-R", "-X", "stream", "-c", "fast"]
        as_whom.own(self.second.var)
        assert as_whom.popen("pg_basebackup", *arguments).wait(60) == 0


def _run(cluster: Cluster, *statements: str) -> None:
    with psycopg.connect(cluster.url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def _ask(cluster: Cluster, question: str) -> object:
    with psycopg.connect(cluster.url, autocommit=True) as connection:
        row = connection.execute(question.encode()).fetchone()
        return row[0] if row else None
