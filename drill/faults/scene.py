"""What can be hurt, and what a fault is."""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from drill.app import App
from drill.proxy import Proxy
from drill.server import PostgreSQL
from drill.submitters import Submitters


@dataclass
class Scene:
    """Everything that can be hurt."""

    server: PostgreSQL
    proxy: Proxy
    app: App
    submitters: Submitters
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
    most: float = math.inf
    """How often it may come in one run, as long as there are others."""


@contextmanager
def happening(fault: Fault, scene: Scene) -> Iterator[None]:
    """Cause the fault; it is healed when the block is left."""
    yield from fault.cause(scene)


@contextmanager
def repeating(action: Callable[[], object], pause: float) -> Iterator[None]:
    """Do something again and again until the block is left. An error in it is raised there."""
    over, failed = threading.Event(), list[BaseException]()

    def again() -> None:
        try:
            while not over.wait(pause):
                action()
        except BaseException as error:
            # Raised below: a fault that failed quietly would be counted as one that happened.
            failed.append(error)

    thread = threading.Thread(target=again, name="fault", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    if failed:
        raise failed[0]
