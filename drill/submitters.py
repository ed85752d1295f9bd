"""The submitters as the drill sees them: started, killed, started again, and heard at the end."""

from __future__ import annotations

import contextlib
import random
import subprocess
import threading
import time

from drill import kept, submitter
from drill.app import App
from drill.history import History
from drill.plan import CLIENTS, SUBMITTERS, Plan

_END_SECONDS = 10.0


class SubmitterError(RuntimeError):
    """A submitter ended that should not have; the text says where to look."""


class Submitter:
    """One of them: a history file, and whichever process is writing it now."""

    def __init__(self, number: int, app: App, plan: Plan, seed: int) -> None:
        self._history = app.log.parent / f"submitter-{number}.history"
        self._log = app.log.parent / f"submitter-{number}.log"
        self._app = app
        self._arguments = [
            "--number", str(number), "--seed", str(seed), "--seconds", str(plan.seconds),
            "--history", str(self._history),
        ]  # fmt: skip
        self._orders: list[str] = []
        self._turn = threading.Lock()
        self._began = 0.0
        self._process: subprocess.Popen[str] | None = None

    @property
    def done(self) -> bool:
        """Whether it has worked through its plan, or broken down."""
        return self._history.with_suffix(f".{submitter.DONE}").exists() or self._there.poll() is not None

    def start(self) -> None:
        """Start it, or the next one where a killed one was."""
        with self._turn:
            self._began = self._began or time.monotonic()
            with self._log.open("ab") as log:
                self._process = self._app.popen(
                    "drill.submitter",
                    *self._arguments,
                    f"--began={self._began}",
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                )
            for what in self._orders:
                self._say(what)

    def order(self, what: str) -> None:
        """Tell it something, and whoever is started after it."""
        with self._turn:
            self._orders.append(what)
            self._say(what)

    def kill(self) -> None:
        """`kill -9`."""
        with self._turn:
            self._there.kill()
            self._there.wait()

    def end(self, seconds: float) -> History:
        """Wait for its end, and read what it remembers. Raises SubmitterError."""
        try:
            code = self._there.wait(seconds)
        except subprocess.TimeoutExpired:
            raise SubmitterError(f"a submitter does not end: see {self._log}") from None
        if code != 0:
            raise SubmitterError(f"a submitter exited {code}: see {self._log}")
        return kept.load(self._history)

    def close(self) -> None:
        """Whatever happened, no process is left."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(_END_SECONDS)

    @property
    def _there(self) -> subprocess.Popen[str]:
        assert self._process is not None, "not started"
        return self._process

    def _say(self, what: str) -> None:
        assert self._there.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # its exit code tells
            self._there.stdin.write(what + "\n")
            self._there.stdin.flush()


class Submitters:
    """All of them."""

    def __init__(self, app: App, plan: Plan, seed: int) -> None:
        self._all = [Submitter(CLIENTS + n, app, plan, seed) for n in range(SUBMITTERS)]

    def start(self) -> None:
        """Begin."""
        for each in self._all:
            each.start()

    @property
    def done(self) -> bool:
        """Whether all have worked through their plans."""
        return all(each.done for each in self._all)

    def any(self, chance: random.Random) -> Submitter:
        """One of them."""
        return chance.choice(self._all)

    def stop(self) -> None:
        """The plan is over, done or not."""
        for each in self._all:
            each.order(submitter.STOP)

    def heal(self, history: History, seconds: float) -> None:
        """All faults are over: let them clear up and end, and take over what they remember."""
        for each in self._all:
            each.order(submitter.HEALED)
        for each in self._all:
            history.add(each.end(seconds))

    def close(self) -> None:
        """Whatever happened, no process is left."""
        for each in self._all:
            each.close()
