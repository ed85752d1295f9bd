"""What `make run` runs: it starts, keeps up and ends everything."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.running_supervisor import RunningSupervisor, alive, eventually

Start = Callable[..., RunningSupervisor]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts supervisors, and ends them after the test."""
    started: list[RunningSupervisor] = []

    def start_one(name: str = "var", **settings: str) -> RunningSupervisor:
        started.append(RunningSupervisor(tmp_path / name, **settings))
        return started[-1]

    yield start_one
    for supervisor in started:
        supervisor.end()


def postgres(supervisor: RunningSupervisor, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`flask --app academia postgres …` with the same ACADEMIA_VAR."""
    script = "import sys; from academia.cli_postgres import grupo_postgres; grupo_postgres(sys.argv[1:])"
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env={**os.environ, "ACADEMIA_VAR": str(supervisor.var)},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("group", [False, True], ids=["make-alone", "whole-group"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_everything(start: Start, number: signal.Signals, group: bool) -> None:
    supervisor = start()
    supervisor.wait_until_it_serves()
    everything = supervisor.everything()
    assert len(everything) > 6
    (os.killpg if group else os.kill)(supervisor.make.pid, number)
    supervisor.wait_for_the_end()
    assert alive(everything) == []


def test_a_killed_make_ends_everything(start: Start) -> None:
    supervisor = start()
    supervisor.wait_until_it_serves()
    everything = supervisor.everything()
    supervisor.make.kill()
    eventually(lambda: not alive(everything), 20)


def test_a_frozen_server_is_ended_too(start: Start) -> None:
    supervisor = start()
    supervisor.wait_until_it_serves()
    everything = supervisor.everything()
    server = supervisor.cluster.status()
    assert server is not None
    os.kill(server.pid, signal.SIGSTOP)
    supervisor.make.terminate()
    supervisor.wait_for_the_end()
    assert alive(everything) == []


def test_a_signal_during_the_start_ends_everything(start: Start) -> None:
    supervisor = start()
    eventually(lambda: supervisor.cluster.status())
    everything = supervisor.everything()
    supervisor.make.terminate()
    supervisor.wait_for_the_end()
    assert alive(everything) == []


def test_a_crashed_server_is_started_again(start: Start) -> None:
    supervisor = start(ACADEMIA_POSTGRES_RESTART_SECONDS="0.5")
    supervisor.wait_until_it_serves()
    first = supervisor.cluster.status()
    assert first is not None
    os.kill(first.pid, signal.SIGKILL)
    eventually(lambda: (now := supervisor.cluster.status()) and now.ready and now.pid != first.pid)
    eventually(lambda: "voltou" in supervisor.output)


def test_with_a_pause_of_0_a_crashed_server_stays_down(start: Start) -> None:
    supervisor = start(ACADEMIA_POSTGRES_RESTART_SECONDS="0")
    supervisor.wait_until_it_serves()
    first = supervisor.cluster.status()
    assert first is not None
    os.kill(first.pid, signal.SIGKILL)
    eventually(lambda: "fica parado" in supervisor.output)
    time.sleep(1)
    assert supervisor.cluster.status() is None
    assert supervisor.answer()


def test_stopped_by_command_it_stays_down_until_started_and_ends_with_the_app(start: Start) -> None:
    supervisor = start(ACADEMIA_POSTGRES_RESTART_SECONDS="0.2")
    supervisor.wait_until_it_serves()
    assert postgres(supervisor, "status").returncode == 0
    assert postgres(supervisor, "stop").returncode == 0
    time.sleep(1.5)
    stopped = postgres(supervisor, "status", "--json")
    assert stopped.returncode == 3
    assert json.loads(stopped.stdout) == {
        "running": False, "ready": False, "pid": None, "port": None, "stopped_by_command": True,
    }  # fmt: skip
    assert postgres(supervisor, "start").returncode == 0
    running = postgres(supervisor, "status", "--json")
    assert running.returncode == 0
    pid = json.loads(running.stdout)["pid"]
    supervisor.make.terminate()
    supervisor.wait_for_the_end()
    assert alive([pid]) == []


def test_a_killed_gunicorn_is_started_again(start: Start) -> None:
    supervisor = start()
    supervisor.wait_until_it_serves()
    first = supervisor.gunicorn
    workers = supervisor.children(first)
    os.kill(first, signal.SIGKILL)
    eventually(lambda: not alive(workers))
    eventually(lambda: (answered := supervisor.answer()) and answered not in workers)


def test_a_killed_supervisor_leaves_a_server_that_the_next_one_adopts(start: Start) -> None:
    first = start()
    first.wait_until_it_serves()
    gunicorn = first.gunicorn
    server = first.cluster.status()
    os.kill(first.pid, signal.SIGKILL)
    first.wait_for_the_end()
    eventually(lambda: not alive([gunicorn]))
    assert first.cluster.status() == server
    second = start()
    second.wait_until_it_serves()
    assert second.cluster.status() == server


def test_two_copies_run_side_by_side(start: Start) -> None:
    one, other = start("um"), start("outro")
    one.wait_until_it_serves()
    other.wait_until_it_serves()
    assert one.cluster.status() != other.cluster.status()


def test_a_second_supervisor_on_the_same_folder_is_refused(start: Start) -> None:
    first = start()
    first.wait_until_it_serves()
    second = RunningSupervisor(first.var)
    assert second.wait_for_the_end() != 0
    assert "já está em execução" in second.output
    assert first.answer()


def test_a_port_in_use_is_one_clear_line(start: Start, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "-m", "academia.supervisor"],
            env={**os.environ, "ACADEMIA_VAR": str(tmp_path / "v"), "PORT": str(port)},
            capture_output=True,
            text=True,
            timeout=30,
        )
    assert ended.returncode == 3
    assert f"127.0.0.1:{port}" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_wrong_setting_is_one_clear_line(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "academia.supervisor"],
        env={**os.environ, "ACADEMIA_VAR": str(tmp_path), "WEB_CONCURRENCY": "muitos"},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert ended.returncode == 3
    assert ended.stderr.startswith("Erro: WEB_CONCURRENCY: 'muitos'")
    assert len(ended.stderr.splitlines()) == 1


def test_with_a_database_out_of_reach_the_app_serves_all_the_same(start: Start) -> None:
    supervisor = start(DATABASE_URL="postgresql://nobody@127.0.0.1:1/nowhere")
    supervisor.wait_until_it_serves()
    assert not supervisor.cluster.exists
    eventually(lambda: "A migração ainda não foi possível" in supervisor.output)


def test_an_app_that_cannot_start_ends_the_start(start: Start) -> None:
    supervisor = start(app="tests.support.absent:app")
    assert supervisor.wait_for_the_end(60) != 0
    assert "a aplicação não pôde começar" in supervisor.output
