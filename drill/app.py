"""The app under test: started as `make run` starts it, in a process group and a folder of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from drill.api import Api
from drill.processes import descendants, send, wait_until

_CHECKOUT = Path(__file__).resolve().parents[1]
_READY_SECONDS, _COMMAND_SECONDS, _STOP_SECONDS = 120.0, 120.0, 30.0
# A setting left in somebody's shell must not lead the drill to a real journal, a real server, a real alarm.
_FOREIGN = ("PG", "ROBUSTO_", "ACADEMIA_", "SECRET_KEY", "DATABASE_URL", "PORT", "WEB_CONCURRENCY")


class AppError(RuntimeError):
    """The app or one of its commands did not do what the contract says; the text says where to look."""


class App:
    """The running app, and its command line with the same settings."""

    def __init__(self, folder: Path, database_url: str, port: int) -> None:
        self.var = folder / "var"
        self.log = folder / "app.log"
        self.port = port
        self._environ = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
        self._environ |= {"DATABASE_URL": database_url, "ACADEMIA_VAR": str(self.var), "PORT": str(port)}
        self._process: subprocess.Popen[str] | None = None

    @property
    def pid(self) -> int:
        """The process that `make run` would have become; 0 before the start."""
        return self._process.pid if self._process else 0

    def popen(self, *arguments: str, **streams: Any) -> subprocess.Popen[str]:
        """Start `python -m …` with the app's settings, in a session of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=_CHECKOUT, env=self._environ, text=True, start_new_session=True, **streams,
        )  # fmt: skip

    def start(self) -> None:
        """Start it, without waiting."""
        with self.log.open("ab") as log:
            self._process = self.popen(
                "academia.supervisor", stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def wait_until_ready(self, api: Api) -> None:
        """Return once a write would be stored directly."""

        def ready() -> bool:
            if self._process is None or self._process.poll() is not None:
                raise AppError(f"the app ended at its start: see {self.log}")
            reply = api.ready()
            return reply.status == 200 and not reply.body.get("degraded")

        if not wait_until(ready, _READY_SECONDS, step=0.2):
            raise AppError(f"/readyz was not 200 within {_READY_SECONDS:.0f} s: see {self.log}")

    def make_token(self) -> str:
        """A token for the API."""
        code, said = self.command("tokens", "criar", "--nome", "drill")
        token = said.strip()
        if code or not token or "\n" in token:
            raise AppError(f"`tokens criar` exited {code} and did not print a token alone")
        return token

    def command(self, *arguments: str) -> tuple[int, str]:
        """Run `flask --app academia …`; its exit code and what it printed."""
        with self.log.open("ab") as log:
            process = self.popen(
                "flask", "--app", "academia", *arguments,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip
        try:
            said, _ = process.communicate(timeout=_COMMAND_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return -1, ""
        return process.returncode, said

    def stop(self) -> float:
        """End it with SIGTERM, by force if it must be; the seconds that it took."""
        if self._process is None or self._process.poll() is not None:
            return 0.0
        began, family = time.monotonic(), descendants(self.pid)
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            send([*family, *descendants(self.pid), self.pid], signal.SIGKILL)
            self._process.wait(_STOP_SECONDS)
        return time.monotonic() - began
