"""Who goes on: one task at a time, chosen by the seed, in a time that only waiting moves."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import greenlet

#: Seconds that one step takes.
_STEP = 0.0002


class Killed(BaseException):
    """This process is dead. Whatever still runs of it finds every way out of memory closed."""


class Stuck(Exception):
    """Nobody can go on, and no time that passes would change that."""


@dataclass(eq=False, slots=True)
class Fuse:
    """What befalls a process after so many more steps of its own, or of those that begin like this."""

    steps: int
    seconds: float | None  # None: it is killed; else it stands still for so long
    label: str = ""


@dataclass(eq=False)
class Process:
    """A process of a simulated host: what the kernel keeps for it, and whether it lives."""

    name: str
    number: int
    alive: bool = True
    stopped_until: float = 0.0
    fuse: Fuse | None = None
    #: Called when it is dead: its descriptors, connections and sessions are closed.
    leaves: list[Callable[[], None]] = field(default_factory=list)


@dataclass(eq=False)
class Task:
    """A thread of a process."""

    name: str
    number: int
    process: Process
    greenlet: greenlet.greenlet
    ready: Callable[[], bool] | None = None
    wake: float | None = None
    done: bool = False
    own: dict[int, dict[str, Any]] = field(default_factory=dict)


class Scheduler:
    """Runs tasks until the one that called `run` has what it waits for."""

    def __init__(self, seed: int, *, trace: bool) -> None:
        self.random = random.Random(seed)
        self.now = 0.0
        self.steps = 0
        #: The share of steps at which somebody else may go on.
        self.switching = 0.5
        #: Changes with every choice: two runs of one seed have the same.
        self.fingerprint = 0
        self.lines: list[str] | None = [] if trace else None
        self.current: Task | None = None
        self._hub = greenlet.getcurrent()
        self._tasks: list[Task] = []
        self._started = 0
        self._processes: list[Process] = []
        self._dying: list[Process] = []

    def process(self, name: str) -> Process:
        """A new process, without a thread yet."""
        self._processes.append(Process(name, len(self._processes) + 1))
        return self._processes[-1]

    def lives(self, number: int) -> bool:
        """Whether the process of this number has not been killed."""
        return 0 < number <= len(self._processes) and self._processes[number - 1].alive

    # -- for tasks -----------------------------------------------------------------------------

    def spawn(self, process: Process, name: str, run: Callable[[], object]) -> Task:
        """A new thread of a process; it begins when it is chosen."""
        self._started += 1

        def body() -> None:
            with suppress(Killed):
                run()
            task.done = True

        task = Task(name, self._started, process, greenlet.greenlet(body, self._hub))
        task.wake = self.now
        self._tasks.append(task)
        return task

    def point(self, label: str) -> None:
        """A step at which others may come in between, or the process may die."""
        task = self.current
        if task is None:
            return
        self._alive(task)
        self.steps += 1
        self.now += _STEP
        self.note(label)
        if task.process.fuse is not None:
            self._burn(task.process, label)
        if self.random.random() < self.switching or task.process.stopped_until > self.now:
            task.wake = self.now
            self._hub.switch()
        self._alive(task)

    def wait(self, ready: Callable[[], bool], seconds: float | None) -> bool:
        """Wait for a condition, at most so many seconds; says whether it came about."""
        task = self.current
        assert task is not None, "only tasks wait"
        self._alive(task)
        if not ready():
            task.ready = ready
            task.wake = None if seconds is None else self.now + max(0.0, seconds)
            self._hub.switch()
            self._alive(task)
        return ready()

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.point("sleep")
        self.wait(lambda: False, max(seconds, _STEP))

    def note(self, label: str) -> None:
        """One line of the trace, and a part of the fingerprint."""
        name, number = ("-", 0) if self.current is None else (self.current.name, self.current.number)
        self.fingerprint = (self.fingerprint * 1_000_003 + number * 31 + len(label)) & 0xFFFFFFFFFFFF
        if self.lines is not None:
            self.lines.append(f"{self.steps:6} {self.now:9.3f} {name:<14} {label}")

    def _alive(self, task: Task) -> None:
        if not task.process.alive:
            raise Killed

    def _burn(self, process: Process, label: str) -> None:
        assert process.fuse is not None
        process.fuse.steps -= label.startswith(process.fuse.label)
        if process.fuse.steps > 0:
            return
        fuse, process.fuse = process.fuse, None
        if fuse.seconds is None:
            self.kill(process)
            raise Killed
        self.note(f"stands still for {fuse.seconds:.1f} s")
        process.stopped_until = self.now + fuse.seconds

    # -- for whoever holds the strings -----------------------------------------------------------

    def kill(self, process: Process) -> None:
        """End a process at once: its memory is gone, nothing is tidied up."""
        if process.alive:
            self.note(f"{process.name} is killed")
            process.alive = False
            self._dying.append(process)
            if self.current is None:
                self._bury()

    def _bury(self) -> None:
        """Unwind what ran in the dead, with every port shut; then the kernel takes its things back."""
        while self._dying:
            process = self._dying.pop()
            for task in [each for each in self._tasks if each.process is process]:
                if task.greenlet:
                    self.current = task
                    task.greenlet.throw(Killed)
                    self.current = None
                task.done = True
            self._tasks = [task for task in self._tasks if not task.done]
            for leave in process.leaves:
                leave()
            process.leaves.clear()

    def run(self, until: Callable[[], bool], seconds: float) -> bool:
        """Let tasks go on until the condition holds or so many seconds have passed. Raises Stuck."""
        limit = self.now + seconds
        while not until():
            if self.now >= limit:
                return False
            now = self.now
            able = [
                task
                for task in self._tasks
                if task.process.stopped_until <= now
                and (
                    (task.wake is not None and task.wake <= now) or (task.ready is not None and task.ready())
                )
            ]
            if able:
                self._resume(able[int(self.random.random() * len(able))])
            else:
                self._pass_time()
        return True

    def _resume(self, task: Task) -> None:
        task.wake = task.ready = None
        self.current = task
        try:
            task.greenlet.switch()
        finally:
            self.current = None
        if task.done:
            self._tasks.remove(task)
        self._bury()

    def _pass_time(self) -> None:
        moments = [
            max(task.process.stopped_until, task.wake if task.wake is not None else 0.0)
            for task in self._tasks
            if task.wake is not None or task.process.stopped_until > self.now
        ]
        later = [moment for moment in moments if moment > self.now]
        if not later:
            raise Stuck("nobody can go on")
        self.now = min(later)
