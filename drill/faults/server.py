"""PostgreSQL's processes: killed, stopped, frozen."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

from drill.faults.scene import Cause, Scene
from drill.processes import alive, client_backends, send, stopped, wait_until

_BUSY_SECONDS = 1.0


def stopped_by(how: signal.Signals) -> Cause:
    """The postmaster is ended by this signal, and started again."""

    def cause(scene: Scene) -> Iterator[None]:
        try:
            scene.server.stop(how)
            yield
        finally:
            scene.restart()

    return cause


def backend_killed(scene: Scene) -> Iterator[None]:
    """One backend is killed."""
    postmaster = scene.server.postmaster
    if (backend := _busy_backend(scene)) is not None:
        send([backend], signal.SIGKILL)
    yield
    # The postmaster throws everybody out and recovers by itself; if it could not, it is started again.
    if not wait_until(lambda: scene.server.postmaster == postmaster and not alive(backend or 0), 10.0):
        scene.restart()


def frozen(scene: Scene) -> Iterator[None]:
    """All processes are stopped, and go on."""
    family = scene.server.family()
    try:
        # The postmaster first, so that it makes no new children behind our back.
        send(family[:1], signal.SIGSTOP)
        wait_until(lambda: stopped(family[0]), 1.0)
        family = scene.server.family()
        send(family, signal.SIGSTOP)
        scene.thawed.update(client_backends(family[0]))
        yield
    finally:
        send(reversed(family), signal.SIGCONT)


def backend_frozen(scene: Scene) -> Iterator[None]:
    """One backend is stopped, and goes on."""
    backend = _busy_backend(scene)
    try:
        if backend is not None:
            send([backend], signal.SIGSTOP)
            scene.thawed.add(backend)
        yield
    finally:
        if backend is not None:
            send([backend], signal.SIGCONT)


def _busy_backend(scene: Scene) -> int | None:
    """A backend in the middle of something; after a while of looking, any of them."""
    postmaster, end = scene.server.postmaster, time.monotonic() + _BUSY_SECONDS
    while True:
        backends = client_backends(postmaster)
        busy = [pid for pid, doing in backends.items() if doing != "idle"]
        if busy or time.monotonic() > end:
            there = busy or list(backends)
            return scene.random.choice(there) if there else None
        time.sleep(0.001)
