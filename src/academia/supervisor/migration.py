"""The migration, in a process of its own: a database that hangs must not hang the supervisor.

`python -m academia.supervisor.migration` migrates once: exit 0, or 1 with the reason in one line.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from typing import IO

from academia.settings import Settings
from academia.supervisor.ending import ends_with
from academia.supervisor.say import say

RETRY_SECONDS = 5.0
LIMIT_SECONDS = 300.0


class Migration:
    """Tried until it went through once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._words: IO[bytes] | None = None
        self._told = ""
        self._next = 0.0
        self.done = False
        self.tried = False
        """Whether the first try has ended, well or not."""

    def tick(self) -> None:
        """Start the next try, or look how the running one went."""
        if self.done:
            return
        now = time.monotonic()
        if self._process is None:
            if now >= self._next:
                self._start(now)
            return
        if self._process.poll() is None and now < self._next:
            return
        code = self.end()
        self.tried = True
        self.done = code == 0
        self._next = now + RETRY_SECONDS
        if not self.done:
            self._tell(code)

    def end(self) -> int | None:
        """End a running try; what it did not commit is rolled back. Returns its exit code."""
        process, self._process = self._process, None
        if process is None:
            return None
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
        return process.wait()

    def _start(self, now: float) -> None:
        # Its own standard error is kept: an outage of an hour shall not repeat the same line 700 times.
        if self._words is not None:
            self._words.close()
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the try
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.DEVNULL,
            stderr=self._words,
            env=os.environ | {"ACADEMIA_VAR": str(self._settings.var)},
            start_new_session=True,
            preexec_fn=ends_with(os.getpid()),
        )
        self._next = now + LIMIT_SECONDS

    def _tell(self, code: int | None) -> None:
        assert self._words is not None
        self._words.seek(0)
        lines = self._words.read().decode(errors="replace").strip().splitlines()
        reason = lines[-1] if lines else f"saída {code}"
        if reason != self._told:
            say(f"A migração ainda não foi possível ({reason}); nova tentativa a cada {RETRY_SECONDS:.0f} s.")
        self._told = reason


def main() -> int:
    """Migrate once."""
    from academia.migrar import migrar

    try:
        migrar(Settings.load().database_url)
    except Exception as error:  # whatever it is: one line, and the supervisor tries again
        print(f"{type(error).__name__}: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
