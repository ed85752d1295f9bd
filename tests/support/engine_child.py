"""What the tests run in processes of their own: `python -m tests.support.engine_child WHAT DSN FOLDER …`."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]


class Child:
    """A process that says on stdout what it was told, one line for each answer."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=_ROOT)
        self.pid = self._process.pid

    def line(self) -> str:
        """The next answer."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.endswith("\n"), "the process ended"
        return line.strip()

    def rest(self) -> list[str]:
        """Every further whole line, until the process has ended."""
        assert self._process.stdout is not None
        with self._process.stdout as stdout:
            lines = stdout.read().splitlines(keepends=True)
        self._process.wait(60)
        return [line.strip() for line in lines if line.endswith("\n")]

    def send(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        """`kill -9`, also while it is stopped."""
        self._process.kill()
        self._process.wait(10)

    def close(self) -> None:
        """Kill it if it still runs, and forget it."""
        self.kill()
        if self._process.stdout is not None:
            self._process.stdout.close()


def spawn(
    what: str, dsn: str, folder: Path, *arguments: str, strace: str = "", only: Path | None = None
) -> Child:
    """Start a process; `strace` injects a fault into it, where it touches `only` this file."""
    command = [sys.executable, "-m", "tests.support.engine_child", what, dsn, str(folder), *arguments]
    if strace:
        where = [] if only is None else ["-P", str(only)]
        command = ["strace", "-f", "-qq", "-o", "/dev/null", *where, "-e", strace, *command]
    return Child(command)


def _main(what: str, dsn: str, folder: Path, *arguments: str) -> None:
    # Here and not above, so that `spawn` costs its caller nothing.
    from robusto import Engine, NotAccepted
    from robusto.clock import SystemClock
    from robusto.deadline import Deadline
    from robusto.filelocks import FairLock
    from tests.support.engine_kit import engine_at, note

    def say(text: object) -> None:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    def send(engine: Engine, value: str) -> bool:
        try:
            say(engine.submit("note", note(value)).id)
        except NotAccepted as error:
            say(f"NotAccepted maybe_applied={error.maybe_applied}")
            return False
        return True

    def send_many(engine: Engine, number: int) -> None:
        for each in range(number):
            send(engine, f"{os.getpid()}.{threading.get_ident()}.{each}")

    if what == "worker":
        settings = dict(each.split("=") for each in arguments)
        engine = engine_at(dsn, folder, **{name: float(value) for name, value in settings.items()}).open()
        say("ready")
        sys.stdin.read()
        signal.pause()
    engine = engine_at(dsn, folder).open(worker=False)
    if what == "append":
        while True:
            send(engine, "x")
    elif what == "append-in-thread":
        thread = threading.Thread(target=send_many, args=(engine, 12))
        thread.start()
        thread.join()
    elif what == "append-many":
        threads = [
            threading.Thread(target=send_many, args=(engine, int(arguments[1])))
            for _ in range(int(arguments[0]))
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    elif what == "hold-the-turn":
        lock = FairLock(folder / "append.lock")
        assert lock.acquire(Deadline.after(SystemClock(), 10))
        say("held")
        time.sleep(60)
    elif what == "fill":
        send(engine, "first")
        if arguments:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 20, resource.RLIM_INFINITY))
        while send(engine, "x" * 20_000):
            pass
    os._exit(0)


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), *sys.argv[4:])
