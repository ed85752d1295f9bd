"""`threading` for the engine, with tasks of the scheduler for threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.simulation.scheduler import Scheduler, Task


class Threads:
    """`threading`, with tasks for threads."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    def _task(self) -> Task:
        assert self._scheduler.current is not None
        return self._scheduler.current

    def get_ident(self) -> int:
        return self._task().number

    def Lock(self) -> _Lock:
        return _Lock(self._scheduler)

    def RLock(self) -> _Lock:
        return _Lock(self._scheduler, again=True)

    def Event(self) -> _Event:
        return _Event(self._scheduler)

    def Condition(self) -> _Condition:
        return _Condition(self._scheduler)

    def BoundedSemaphore(self, places: int) -> _Semaphore:
        return _Semaphore(self._scheduler, places)

    def Thread(self, *, target: Any, name: str = "thread", daemon: bool = True, args: Any = ()) -> _Thread:
        return _Thread(self._scheduler, lambda: target(*args), name)

    def local(self) -> _Local:
        return _Local(self._scheduler)


class _Lock:
    def __init__(self, scheduler: Scheduler, *, again: bool = False) -> None:
        self._scheduler = scheduler
        self._again = again
        self._holder: Task | None = None
        self._depth = 0

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        task = self._scheduler.current
        if self._depth and self._again and self._holder is task:
            self._depth += 1
            return True
        if self._depth and not self._scheduler.wait(
            lambda: not self._depth, None if timeout < 0 else timeout
        ):
            return False
        self._holder, self._depth = task, 1
        return True

    def release(self) -> None:
        self._depth -= 1

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class _Condition(_Lock):
    def wait_for(self, predicate: Callable[[], bool], timeout: float | None = None) -> bool:
        self.release()
        self._scheduler.wait(lambda: not self._depth and predicate(), timeout)
        self.acquire()
        return predicate()

    def notify(self) -> None:
        """Whoever waits looks for itself."""

    notify_all = notify


class _Event:
    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._set = False

    def is_set(self) -> bool:
        return self._set

    def set(self) -> None:
        self._set = True

    def clear(self) -> None:
        self._set = False

    def wait(self, timeout: float | None = None) -> bool:
        return self._scheduler.wait(lambda: self._set, timeout)


class _Semaphore:
    def __init__(self, scheduler: Scheduler, places: int) -> None:
        self._scheduler = scheduler
        self._free = places

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        if not self._scheduler.wait(lambda: self._free > 0, timeout):
            return False
        self._free -= 1
        return True

    def release(self) -> None:
        self._free += 1


class _Thread:
    def __init__(self, scheduler: Scheduler, run: Callable[[], None], name: str) -> None:
        self._scheduler = scheduler
        self._run = run
        self._name = name.removeprefix("robusto-")
        self._task: Task | None = None

    def start(self) -> None:
        task = self._scheduler.current
        assert task is not None
        self._task = self._scheduler.spawn(task.process, f"{task.process.name}.{self._name}", self._run)

    def is_alive(self) -> bool:
        return self._task is not None and not self._task.done

    def join(self, timeout: float | None = None) -> None:
        self._scheduler.wait(lambda: not self.is_alive(), timeout)


class _Local:
    def __init__(self, scheduler: Scheduler) -> None:
        self.__dict__["_scheduler"] = scheduler

    def _values(self) -> dict[str, Any]:
        task = self.__dict__["_scheduler"].current
        assert task is not None
        values: dict[str, Any] = task.own.setdefault(id(self), {})
        return values

    def __getattr__(self, name: str) -> Any:
        try:
            return self._values()[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self._values()[name] = value
