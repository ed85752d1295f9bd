"""A TCP proxy on loopback that does to PostgreSQL's clients what a bad network does.

One thread with an event loop carries every connection; the methods of `Proxy` may be called from any thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import random
import socket
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from drill.link import Link

T = TypeVar("T")
_CALL_SECONDS = 10
_CHUNK = 65536


class Mode(enum.Enum):
    """What the proxy does with connections."""

    FORWARD = "forward"
    REFUSE = "refuse"  # nobody listens, and who was connected is cut off
    RESET = "reset"  # everybody is reset, newcomers too
    BLACK_HOLE = "black hole"  # connections are taken, nothing goes through until the mode changes
    DRIP = "drip"  # one byte a second
    SLOW = "slow"  # every message takes its time


# Bytes that go through at once, and the seconds before them.
_PACES = {Mode.DRIP: (1, 1.0), Mode.SLOW: (_CHUNK, 0.1)}
# Often, and seldom thrice in a row: what is asked for is an attempt that is cut and another that is refused.
_DOOMED_CHANCE = 0.5


@dataclass(frozen=True)
class Commits:
    """What happened to the commits of writes, counted one by one."""

    seen: int = 0
    cut_before: int = 0  # never reached the server
    cut_after: int = 0  # done, and the client was not told
    in_flight: int = 0  # the connection ended by another fault while the answer was awaited
    doomed: int = 0  # of those that were cut, the commits that the server would have refused

    @property
    def uncertain(self) -> int:
        """How many a client of the server could not know about."""
        return self.cut_before + self.cut_after + self.in_flight


class Proxy:
    """Stands between the app and PostgreSQL; `port` stays ours even while nobody may connect."""

    def __init__(self, port: int, server_port: int, seed: int = 0) -> None:
        self.port = port
        self.server_port = server_port
        self.mode = Mode.FORWARD
        self.commits = Commits()
        self.chance_before = 0.0
        self.chance_after = 0.0
        self.random = random.Random(seed)
        self.open = asyncio.Event()
        self._changed = asyncio.Event()  # another one after every change of the mode
        self._links: dict[Link, asyncio.Task[None]] = {}
        self._listening = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._accepting: asyncio.Task[None] | None = None
        # Bound once and for all: only its listening is switched, so that nobody else can take the port.
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", port))
        self._listener.setblocking(False)

    def __enter__(self) -> Proxy:
        self._thread.start()
        self._call(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CALL_SECONDS)
        self._loop.close()
        self._listener.close()

    def set_mode(self, mode: Mode) -> None:
        """Change what happens to connections, and return once it does."""
        self._call(self._switch(mode))

    def cut_commits(self, before: float = 0.0, after: float = 0.0) -> None:
        """Cut this share of the writes' commits before they reach the server, or after they took effect."""

        async def assign() -> None:
            self.chance_before, self.chance_after = before, after

        self._call(assign())

    def chances(self, *, doomed: bool) -> tuple[float, float]:
        """How likely a commit is cut before, and after; where commits are cut, the doomed ones more often.

        An unanswered attempt that is refused when it is made again is rare, and has to be seen often.
        """
        before, after = self.chance_before, self.chance_after
        if not (doomed and self.cutting):
            return before, after
        return _DOOMED_CHANCE * before / (before + after), _DOOMED_CHANCE * after / (before + after)

    @property
    def cutting(self) -> bool:
        """Whether commits are being cut now."""
        return self.chance_before + self.chance_after > 0

    @property
    def pace(self) -> tuple[int, float] | None:
        """How many bytes go through at once, and the seconds before them; None = all, and none."""
        return _PACES.get(self.mode)

    async def wait_for_change(self, seconds: float) -> None:
        """Wait this long, or until the mode changes."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), seconds)

    def connections(self) -> int:
        """How many clients are connected now."""
        return len(self._links)

    def count(self, **more: int) -> None:
        """Add to the counters; called by links, on the loop's thread only."""
        self.commits = replace(self.commits, **{k: getattr(self.commits, k) + n for k, n in more.items()})

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_CALL_SECONDS)

    async def _start(self) -> None:
        self._listener.listen(128)
        self._listening.set()
        self.open.set()
        self._accepting = asyncio.create_task(self._accept())

    async def _stop(self) -> None:
        if self._accepting is not None:
            self._accepting.cancel()
            await asyncio.wait([self._accepting])
        await self._drop(lambda _: True)

    async def _switch(self, mode: Mode) -> None:
        self.mode = mode
        self._changed.set()
        self._changed = asyncio.Event()
        self._toggle(self.open, mode is not Mode.BLACK_HOLE)
        if mode is Mode.REFUSE and self._listening.is_set():
            self._listening.clear()
            self._listener.shutdown(socket.SHUT_RDWR)  # on a listening socket: stops listening, stays bound
        elif mode is not Mode.REFUSE and not self._listening.is_set():
            self._listener.listen(128)
            self._listening.set()
        if mode in (Mode.REFUSE, Mode.RESET):
            await self._drop(lambda _: True)

    @staticmethod
    def _toggle(event: asyncio.Event, on: bool) -> None:
        if on:
            event.set()
        else:
            event.clear()

    async def _drop(self, chosen: Callable[[Link], bool]) -> None:
        tasks = [task for link, task in self._links.items() if chosen(link)]
        for link in self._links:
            link.hard = link.hard or chosen(link)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _accept(self) -> None:
        while True:
            await self._listening.wait()
            try:
                client, _ = await self._loop.sock_accept(self._listener)
            except OSError:
                # The listening was switched off under the waiting accept, or a client was gone already.
                await asyncio.sleep(0.01)
                continue
            self._take(client)

    def _take(self, client: socket.socket) -> None:
        client.setblocking(False)
        link = Link(self, client)
        task = self._loop.create_task(link.run(self.mode is Mode.RESET))
        self._links[link] = task
        task.add_done_callback(lambda done: self._gone(link, done))

    def _gone(self, link: Link, task: asyncio.Task[None]) -> None:
        self._links.pop(link, None)
        link.close()
        with contextlib.suppress(asyncio.CancelledError):
            task.result()
