"""The processes that write: the app's workers, its web server, the submitters."""

from __future__ import annotations

import signal
from collections.abc import Iterator

from drill.faults.scene import Scene
from drill.processes import parent, send, workers
from robusto.shared import SharedRecord


def worker_killed(scene: Scene) -> Iterator[None]:
    """One worker is killed."""
    if found := workers(scene.app.pid):
        send([scene.random.choice(found)], signal.SIGKILL)
    yield


def drainer_frozen(scene: Scene) -> Iterator[None]:
    """The worker that holds the lease is stopped for longer than that, and goes on."""
    found = workers(scene.app.pid)
    holder = _lease_holder(scene)
    frozen = [holder] if holder in found else found[:1]
    try:
        send(frozen, signal.SIGSTOP)
        yield
    finally:
        send(frozen, signal.SIGCONT)


def workers_recycled(scene: Scene) -> Iterator[None]:
    """gunicorn starts new workers and lets the old ones end what they have in hand."""
    send(_masters(scene), signal.SIGHUP)
    yield


def master_killed(scene: Scene) -> Iterator[None]:
    """gunicorn is killed: its workers end, and the supervisor starts it again."""
    send(_masters(scene), signal.SIGKILL)
    yield


def submitter_killed(scene: Scene) -> Iterator[None]:
    """A process that writes is killed, and started again where it was."""
    chosen = scene.submitters.any(scene.random)
    try:
        chosen.kill()
        yield
    finally:
        chosen.start()


def _masters(scene: Scene) -> set[int]:
    return {parent(worker) for worker in workers(scene.app.pid)}


def _lease_holder(scene: Scene) -> int:
    lease = SharedRecord(scene.app.var / "journal" / "lease")
    try:
        record = lease.read()
    finally:
        lease.close()
    return int(record["pid"]) if record else 0
