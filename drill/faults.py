"""The faults: what each one does, and what undoes it. Every one of them ends healed."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from drill.processes import alive, client_backends, send, stopped, wait_until, workers
from drill.proxy import Mode, Proxy
from drill.server import PostgreSQL

_CUT_SHARE = 0.3
_BUSY_SECONDS = 1.0


@dataclass
class Scene:
    """Everything that can be hurt."""

    server: PostgreSQL
    proxy: Proxy
    app_pid: int
    random: random.Random
    thawed: set[int] = field(default_factory=set)
    """Backends that were frozen and go on: whatever they still do belongs to the proof."""

    def restart(self) -> None:
        """Start PostgreSQL again and let the proxy know where it is."""
        self.server.start()
        self.proxy.server_port = self.server.port


# A fault is a context: it is caused on the way in and healed on the way out, whatever happens between.
Cause = Callable[[Scene], Iterator[None]]


@dataclass(frozen=True)
class Fault:
    """One kind of fault; `seconds` is how long it lasts on average, 0 = it heals by itself."""

    kind: str
    sentence: str
    seconds: float
    cause: Cause
    cuts: bool = False
    """Makes commits uncertain by plan, and is drawn again until there were enough of them."""


@contextmanager
def happening(fault: Fault, scene: Scene) -> Iterator[None]:
    """Cause the fault; it is healed when the block is left."""
    yield from fault.cause(scene)


def _stopped_by(how: signal.Signals) -> Cause:
    def cause(scene: Scene) -> Iterator[None]:
        try:
            scene.server.stop(how)
            yield
        finally:
            scene.restart()

    return cause


def _backend_killed(scene: Scene) -> Iterator[None]:
    postmaster = scene.server.postmaster
    if (backend := _busy_backend(scene)) is not None:
        send([backend], signal.SIGKILL)
    yield
    # The postmaster throws everybody out and recovers by itself; if it could not, it is started again.
    if not wait_until(lambda: scene.server.postmaster == postmaster and not alive(backend or 0), 10.0):
        scene.restart()


def _frozen(scene: Scene) -> Iterator[None]:
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


def _backend_frozen(scene: Scene) -> Iterator[None]:
    backend = _busy_backend(scene)
    try:
        if backend is not None:
            send([backend], signal.SIGSTOP)
            scene.thawed.add(backend)
        yield
    finally:
        if backend is not None:
            send([backend], signal.SIGCONT)


def _network(mode: Mode) -> Cause:
    def cause(scene: Scene) -> Iterator[None]:
        try:
            scene.proxy.set_mode(mode)
            yield
        finally:
            scene.proxy.set_mode(Mode.FORWARD)

    return cause


def _cutting(before: float, after: float) -> Cause:
    def cause(scene: Scene) -> Iterator[None]:
        try:
            scene.proxy.cut_commits(before, after)
            yield
        finally:
            scene.proxy.cut_commits()

    return cause


def _worker_killed(scene: Scene) -> Iterator[None]:
    if found := workers(scene.app_pid):
        send([scene.random.choice(found)], signal.SIGKILL)
    yield


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


FAULTS = (
    Fault("kill", "PostgreSQL is killed (-9)", 2.0, _stopped_by(signal.SIGKILL)),
    Fault("backend-kill", "one backend is killed (-9), everybody is thrown out", 0.0, _backend_killed),
    Fault("immediate", "PostgreSQL is stopped at once, as in a crash", 2.0, _stopped_by(signal.SIGQUIT)),
    Fault("stop", "PostgreSQL is stopped in good order", 3.0, _stopped_by(signal.SIGINT)),
    Fault("restart", "PostgreSQL is restarted", 0.0, _stopped_by(signal.SIGINT)),
    Fault("freeze", "PostgreSQL is frozen as a whole, then thawed", 3.0, _frozen),
    Fault("freeze-one", "one backend is frozen, thawed once its write was answered", 4.0, _backend_frozen),
    Fault("refuse", "connections are refused", 2.0, _network(Mode.REFUSE)),
    Fault("black-hole", "connections lead into a black hole, then everything said arrives", 3.0,
          _network(Mode.BLACK_HOLE)),
    Fault("reset", "connections are reset", 2.0, _network(Mode.RESET)),
    Fault("cut-before", "connections are cut before COMMIT", 3.0, _cutting(_CUT_SHARE, 0.0), cuts=True),
    Fault("cut-after", "COMMIT is done, its answer is swallowed", 3.0, _cutting(0.0, _CUT_SHARE), cuts=True),
    Fault("worker-kill", "a worker of the app is killed (-9)", 0.0, _worker_killed),
)  # fmt: skip


def choose(names: str) -> tuple[Fault, ...]:
    """The faults of a comma list; all of them for an empty one. Raises ValueError, one line for a person."""
    by_kind = {fault.kind: fault for fault in FAULTS}
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in by_kind]
    if unknown:
        raise ValueError(f"FAULTS: no such fault: {', '.join(unknown)}. There are: {', '.join(by_kind)}.")
    return tuple(by_kind[name] for name in dict.fromkeys(wanted)) or FAULTS
