"""Processes of their own, forked from one that has everything imported and nothing open."""

from __future__ import annotations

import json
import os
import signal
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from types import GeneratorType
from typing import NoReturn

from tests.sweep.world import Line

Say = Callable[[Line], None]

#: Seconds after which a process hangs: far more than a point needs on a busy machine.
_HANGS = 90


@dataclass(frozen=True, slots=True)
class Said:
    """What a process said, in its order, what it raised, and the signal or code that it ended with."""

    lines: list[Line]
    raised: list[str]
    status: int


class Child:
    """Does its work at once. Work that yields has got so far when this is made, and then waits."""

    def __init__(self, work: Callable[[Say], object]) -> None:
        ready, tell_ready = os.pipe()
        go, self._go = os.pipe()
        self._hear, said = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            for fd in (ready, self._go, self._hear):
                os.close(fd)
            _work(work, said, tell_ready, go)
        for fd in (tell_ready, go, said):
            os.close(fd)
        self._ready = ready

    def ready(self) -> Child:
        """Returns when it waits, or has ended."""
        os.read(self._ready, 1)
        return self

    def ended(self) -> Said:
        """Let it go on to its end."""
        os.close(self._go)
        os.close(self._ready)
        with os.fdopen(self._hear, "rb") as pipe:
            lines = [json.loads(line) for line in pipe if line.endswith(b"\n")]
        _, status = os.waitpid(self._pid, 0)
        return Said(
            [line for line in lines if "raised" not in line],
            [line["raised"] for line in lines if "raised" in line],
            os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status),
        )


def _work(work: Callable[[Say], object], said: int, ready: int, go: int) -> NoReturn:
    write, close, read = os.write, os.close, os.read  # before anybody replaces them

    def say(line: Line) -> None:
        write(said, json.dumps(line).encode() + b"\n")

    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # the engine's log of what it survives
    signal.alarm(_HANGS)
    code = 70
    try:
        steps = work(say)
        if isinstance(steps, GeneratorType):
            for _ in steps:
                close(ready)
                read(go, 1)
        code = 0
    except BaseException:
        say({"raised": traceback.format_exc()})
    finally:  # also when nobody listens any more: never back into what the parent was doing
        os._exit(code)
