"""Ways in which the session's PostgreSQL, or the way to it, fails: each for real, each ended by its end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

from academia.embedded import postmaster
from tests.support.engine_kit import Shop, wait_for
from tests.support.postgres_server import PostgresServer

#: Bytes of text that make a crash recovery long enough to be caught in the middle.
_RECOVERY_ROWS = 400_000


class Outages:
    """Causes of faults. Each is a context: inside it PostgreSQL is ill, behind it well again."""

    def __init__(self, server: PostgresServer, shop: Shop) -> None:
        self.server = server
        self.shop = shop

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """A fast shutdown."""
        self.server.stop()
        yield
        self.server.start()

    @contextmanager
    def stopped_immediately(self) -> Iterator[None]:
        """What `pg_ctl stop -m immediate` does: no checkpoint, recovery at the next start."""
        os.kill(self.server.pid, signal.SIGQUIT)
        wait_for(lambda: self.server.cluster.status() is None and not self._processes())
        yield
        self.server.start()

    @contextmanager
    def postmaster_killed(self) -> Iterator[None]:
        """`kill -9` of the postmaster alone; its backends find out for themselves."""
        os.kill(self.server.pid, signal.SIGKILL)
        yield
        wait_for(lambda: self.server.cluster.status() is None)
        self.server.start()

    @contextmanager
    def sibling_killed(self) -> Iterator[None]:
        """`kill -9` of somebody else's backend: the postmaster ends all of them and recovers."""
        with contextlib.suppress(psycopg.OperationalError), self.shop.connect() as sibling:
            os.kill(self._outer(sibling.info.backend_pid), signal.SIGKILL)
            yield
        self._until_it_answers()

    @contextmanager
    def starting_up(self) -> Iterator[None]:
        """It is in crash recovery, and says so to whoever connects (57P03)."""
        self.shop.run(f"CREATE TABLE redo AS SELECT n FROM generate_series(1, {_RECOVERY_ROWS}) n")
        while True:
            self.server.kill()
            starting = threading.Thread(target=self.server.start)
            starting.start()
            startup = self._startup_process(starting)
            if startup is not None:
                break
            starting.join()  # it was quicker than we were
            self.shop.run(f"INSERT INTO redo SELECT generate_series(1, {_RECOVERY_ROWS})")
        yield
        os.kill(startup, signal.SIGCONT)
        starting.join(60)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """All its processes are stopped by SIGSTOP."""
        self.server.freeze()
        yield
        self.server.thaw()

    @contextmanager
    def postmaster_frozen(self) -> Iterator[None]:
        """Who is connected is served, who comes is not."""
        with self._stopped([self.server.pid]):
            yield

    @contextmanager
    def backends_frozen(self) -> Iterator[None]:
        """Who comes is served, who is connected is not."""
        with self._stopped(self._pids("backend_type = 'client backend' AND datname = current_database()")):
            yield

    @contextmanager
    def without_its_standby(self) -> Iterator[None]:
        """COMMIT waits for a synchronous standby that is not there."""
        self._set("synchronous_standby_names", "'ghost'")
        yield
        self._reset("synchronous_standby_names")

    @contextmanager
    def full_of_connections(self) -> Iterator[None]:
        """`max_connections` are in use, the reserved ones too."""
        self.shop.run("ALTER SYSTEM SET max_connections = 12")
        self._restart()
        with ExitStack() as stack:
            for _ in range(12):
                stack.enter_context(psycopg.connect(self.shop.dsn))
            yield
        self.shop.run("ALTER SYSTEM RESET max_connections")
        self._restart()

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """As a demoted primary is: it answers, and takes no writes (25006)."""
        self._set("default_transaction_read_only", "on")
        yield
        # A session that is read-only may not ALTER SYSTEM… but may say that it is not.
        with psycopg.connect(self.shop.dsn, autocommit=True) as connection:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute("ALTER SYSTEM RESET default_transaction_read_only")
            connection.execute("SELECT pg_reload_conf()")

    # -- how --------------------------------------------------------------------------------------

    def _set(self, name: str, value: str) -> None:
        self.shop.run(f"ALTER SYSTEM SET {name} = {value}")
        self._reload()

    def _reset(self, name: str) -> None:
        self.shop.run(f"ALTER SYSTEM RESET {name}")
        self._reload()

    def _reload(self) -> None:
        """And wait until a new session has been told."""
        before = self.shop.rows("SELECT pg_conf_load_time()")
        self.shop.run("SELECT pg_reload_conf()")
        wait_for(lambda: self.shop.rows("SELECT pg_conf_load_time()") != before)

    def _restart(self) -> None:
        self.server.stop()
        self.server.start()

    @contextmanager
    def _stopped(self, pids: list[int]) -> Iterator[None]:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        yield
        postmaster.send(self.server.cluster.data, signal.SIGCONT, pids)

    def _pids(self, condition: str) -> list[int]:
        sql = f"SELECT pid FROM pg_stat_activity WHERE {condition} AND pid <> pg_backend_pid()"
        return [self._outer(pid) for (pid,) in self.shop.rows(sql)]

    def _outer(self, pid: int) -> int:
        """The server runs in a user namespace and not in a PID namespace: its numbers are ours."""
        assert postmaster.belongs(pid, self.server.cluster.data)
        return pid

    def _processes(self) -> list[int]:
        return postmaster.processes(self.server.cluster.data)

    def _startup_process(self, starting: threading.Thread) -> int | None:
        """Stop the process that recovers, while it does; None when it was too late."""
        while starting.is_alive():
            for pid in self._processes():
                with contextlib.suppress(OSError):
                    if b"startup" in Path(f"/proc/{pid}/cmdline").read_bytes():
                        os.kill(pid, signal.SIGSTOP)
                        time.sleep(0.01)
                        if self._says_starting_up():
                            return pid
                        os.kill(pid, signal.SIGCONT)
        return None

    def _says_starting_up(self) -> bool:
        try:
            psycopg.connect(self.shop.dsn, connect_timeout=2).close()
        except psycopg.OperationalError as error:
            return "starting up" in str(error) or "recovery" in str(error)
        return False

    def _until_it_answers(self) -> None:
        def answers() -> bool:
            with contextlib.suppress(psycopg.OperationalError):
                return self.shop.rows("SELECT 1") == [(1,)]
            return False

        wait_for(answers, 60)


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """A file system of 2 MB on this folder. Raises CalledProcessError where that is forbidden."""
    where = ["-t", "tmpfs", "-o", "size=2m,mode=0700", "robusto-test", str(folder)]
    subprocess.run(["mount", *where], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
