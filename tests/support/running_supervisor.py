"""The supervisor as a process of its own, below a `make` as in `make run`."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from academia.embedded import Cluster, postmaster

_MAKEFILE = "run:\n\t@exec $(COMMAND)\n"
_LAUNCH = "import sys; from academia.supervisor.__main__ import main; sys.exit(main(sys.argv[1]))"
_ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(what: Callable[[], object], seconds: float = 30.0) -> None:
    """Wait until `what()` is true."""
    limit = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < limit, f"not so after {seconds:.0f} s"
        time.sleep(0.05)


def _hears_ctrl_c() -> None:
    """A shell starts what it puts into the background deaf to SIGINT, and so would this test's make be."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class RunningSupervisor:
    """Starts at once; `end` at the latest kills what is left."""

    def __init__(self, var: Path, app: str = "tests.support.stub_app:app", **settings: str) -> None:
        self.var = var
        self.port = free_port()
        self.cluster = Cluster(var, "")
        self._output = var.parent / f"{var.name}.out"
        makefile = var.parent / "Makefile"
        makefile.write_text(_MAKEFILE)
        environ = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        environ |= {"ACADEMIA_VAR": str(var), "PORT": str(self.port), "WEB_CONCURRENCY": "2"}
        environ |= {"PYTHONPATH": str(_ROOT), "PYTHONWARNINGS": "default", **settings}
        with self._output.open("w") as output:
            self.make = subprocess.Popen(
                ["make", "-f", makefile, "run", f"COMMAND={sys.executable} -c '{_LAUNCH}' {app}"],
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_hears_ctrl_c,
            )

    @property
    def output(self) -> str:
        return self._output.read_text()

    @property
    def pid(self) -> int:
        """The supervisor's own."""
        return self.children(self.make.pid)[0]

    @property
    def gunicorn(self) -> int:
        """The master's process."""
        return next(pid for pid in self.children(self.pid) if "gunicorn" in _command(pid))

    @staticmethod
    def children(pid: int) -> list[int]:
        try:
            return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        except FileNotFoundError:  # it has ended
            return []

    def everything(self) -> list[int]:
        """make and all below it, and the server."""
        found = [self.make.pid]
        for pid in found:
            found += self.children(pid)
        return [*found, *postmaster.processes(self.cluster.data)]

    def answer(self) -> int | None:
        """The number of the process that answered a request, or None."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=5) as response:
                return int(response.read())
        except (urllib.error.URLError, OSError):
            return None

    def wait_until_it_serves(self) -> None:
        eventually(lambda: self.answer() or self.make.poll() is not None)
        assert self.make.poll() is None, self.output

    def wait_for_the_end(self, seconds: float = 20.0) -> int:
        return self.make.wait(seconds)

    def end(self) -> None:
        if self.make.poll() is None:
            self.make.terminate()
            try:
                self.make.wait(25)
            except subprocess.TimeoutExpired:
                for pid in self.everything():
                    os.kill(pid, signal.SIGKILL)
                self.make.wait()
        self.cluster.stop_now(fast_seconds=0, immediate_seconds=0)


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")


def alive(pids: list[int]) -> list[int]:
    """Those of `pids` that still run (one that ended and was not waited for does not)."""
    left = []
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state not in "ZX":
            left.append(pid)
    return left
