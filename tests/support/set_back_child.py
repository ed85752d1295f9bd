"""A worker that is killed in the middle of a re-offering: `… set_back_child POINT DSN FOLDER`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]

#: Which call ends the process, and whether before or after it had its effect.
POINTS = [
    "before journal.put_back", "after journal.put_back", "before journal.adopt", "after journal.adopt",
    "after copies.forget", "before continuity.take_over", "after continuity.take_over",
    "after target.apply", "after journal.mark", "before continuity.finish", "after continuity.finish",
]  # fmt: skip


def run(point: str, dsn: str, folder: Path) -> int:
    """Let a process work until it is killed there; how it ended."""
    command = [sys.executable, "-m", "tests.support.set_back_child", point, dsn, str(folder)]
    return subprocess.run(command, cwd=_ROOT, timeout=60, check=False).returncode


def _deadly(call: Callable[..., Any], when: str) -> Callable[..., Any]:
    def deadly(*args: Any, **options: Any) -> Any:
        if when == "after":
            call(*args, **options)
        os.kill(os.getpid(), signal.SIGKILL)

    return deadly


def _main(point: str, dsn: str, folder: Path) -> None:
    from tests.support.engine_kit import engine_at

    when, _, what = point.partition(" ")
    part, _, name = what.partition(".")
    engine = engine_at(dsn, folder).open(worker=False)
    wrapped = getattr(engine._ready(), part)
    setattr(wrapped, name, _deadly(getattr(wrapped, name), when))
    while True:
        engine.drain()


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
