"""A fork after threads and connections exist: the child notices and opens its own."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from robusto import Engine, WriteState
from tests.support.engine_kit import EngineFactory, Shop, drained, note, wait_for
from tests.support.postgres_server import PostgresServer

pytest_plugins = ["tests.support.engine_fixtures"]
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


def in_a_child(work: Callable[[], None]) -> int:
    """Run this in a forked process; returns its pid."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return pid


def ended_well(pid: int) -> bool:
    limit = time.monotonic() + 30
    while time.monotonic() < limit:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return status == 0
        time.sleep(0.01)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return False


def submit(engine: Engine, value: str, state: WriteState) -> None:
    assert engine.submit("note", note(value)).state is state


@pytest.mark.parametrize("worker", [False, True])
def test_parent_and_child_both_go_on(engine_factory: EngineFactory, shop: Shop, worker: bool) -> None:
    engine = engine_factory(worker=worker)
    submit(engine, "before", WriteState.STORED)

    def work() -> None:
        for n in range(5):
            submit(engine, f"child {n}", WriteState.STORED)
        engine.close()

    pid = in_a_child(work)
    for n in range(5):
        submit(engine, f"parent {n}", WriteState.STORED)
    assert ended_well(pid)
    submit(engine, "after", WriteState.STORED)
    assert sorted(shop.history()) == sorted(
        ["before", "after", *(f"{who} {n}" for who in ("child", "parent") for n in range(5))]
    )
    assert engine.verify().holds


def test_a_grandchild_leaves_its_ancestors_alone(engine: Engine, shop: Shop) -> None:
    submit(engine, "parent", WriteState.STORED)

    def grandchild() -> None:
        gc.collect()
        submit(engine, "grandchild", WriteState.STORED)

    def child() -> None:
        submit(engine, "child", WriteState.STORED)
        assert ended_well(in_a_child(grandchild))
        submit(engine, "child again", WriteState.STORED)

    assert ended_well(in_a_child(child))
    submit(engine, "parent again", WriteState.STORED)
    assert shop.history() == ["parent", "child", "grandchild", "child again", "parent again"]
    assert engine.verify().holds


@pytest.mark.parametrize("threads", [0, 3], ids=["quiet parent", "busy parent"])
def test_children_forked_at_any_moment_lose_nothing(
    engine_factory: EngineFactory, shop: Shop, postgres_server: PostgresServer, threads: int
) -> None:
    """The worker's thread and, in a busy parent, three that append are hit at any instruction."""
    engine = engine_factory()
    submit(engine, "before", WriteState.STORED)
    postgres_server.stop()
    arguments = [shop.dsn, str(engine.config.folder), str(threads)]
    forker = subprocess.Popen(
        [sys.executable, "-m", "tests.support.engine_forker", *arguments],
        cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        answered = forker.communicate(timeout=12)[0].split()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(forker.pid, signal.SIGKILL)  # its children too
        forker.wait()
        assert forker.stdout is not None
        forker.stdout.close()
    assert forker.returncode == 0
    assert len(answered) == len(set(answered)) > 50
    assert set(answered) <= {str(each.id) for each in engine.inspect(10**6)[1]}
    assert engine.verify_journal() == []
    assert engine.inspect()[0].balanced
    postgres_server.start()
    wait_for(lambda: not engine.drain().remaining, 30)
    assert len(shop.history()) == 1 + engine.inspect()[0].applied
    assert engine.verify().holds


def test_a_parent_killed_while_it_holds_the_journal_leaves_it_to_its_child(
    engine_factory: EngineFactory, shop: Shop, postgres_server: PostgresServer
) -> None:
    """Kernel locks end with the last descriptor, and a fork copies descriptors."""
    engine = engine_factory()
    submit(engine, "before", WriteState.STORED)
    postgres_server.stop()
    read_end, write_end = os.pipe()

    def child() -> None:
        os.setsid()
        os.read(read_end, 1)  # the parent is dead
        submit(engine, "child", WriteState.PENDING)

    def parent() -> None:
        submit(engine, "parent", WriteState.PENDING)  # opens its own
        pid = in_a_child(child)
        held = engine._ready().journal._marking()
        held.__enter__()
        os.write(write_end, str(pid).encode())
        os.kill(os.getpid(), signal.SIGKILL)

    assert not ended_well(in_a_child(parent))
    wait_for(lambda: engine.inspect()[0].pending == 2, 10)
    postgres_server.start()
    drained(engine)
    assert shop.history() == ["before", "parent", "child"]
    os.close(read_end)
    os.close(write_end)


def test_a_closed_engine_opens_again(engine: Engine, shop: Shop) -> None:
    submit(engine, "a", WriteState.STORED)
    engine.close()
    engine.close()
    with engine.open(worker=False):
        submit(engine, "b", WriteState.STORED)
    assert shop.history() == ["a", "b"]
