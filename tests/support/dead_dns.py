"""A machine whose name server is dead or silent: `python -m tests.support.dead_dns FOLDER dead|silent`.

Runs itself again in a mount and network namespace of its own, sends one write, and says what came of it.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

_ISOLATED = ("unshare", "--user", "--map-root-user", "--mount", "--net", "--")
_ROOT = Path(__file__).resolve().parents[2]
_SIOCSIFFLAGS, _UP = 0x8914, 0x1


def submit_without_dns(folder: Path, how: str) -> tuple[str, float]:
    """The state of a write, and the seconds that its sender waited. Raises CalledProcessError."""
    command = [*_ISOLATED, sys.executable, "-m", "tests.support.dead_dns", str(folder), how]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=60, check=True)
    state, seconds = done.stdout.split()
    return state, float(seconds)


def allowed() -> bool:
    """Whether this machine lets us have namespaces."""
    return subprocess.run([*_ISOLATED, "true"], capture_output=True).returncode == 0


def _isolate(folder: Path, how: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _UP))
    resolver = folder.parent / "resolv.conf"
    resolver.write_text("nameserver 127.0.0.1\n")
    subprocess.run(["mount", "--bind", str(resolver), "/etc/resolv.conf"], check=True)
    if how == "silent":  # it gets every question and answers none
        silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        silent.bind(("127.0.0.1", 53))
        silent.detach()


def _main(folder: Path, how: str) -> None:
    from tests.support.engine_kit import engine_at, note

    _isolate(folder, how)
    engine = engine_at("postgresql://u@db.example.test/d", folder, deadline_seconds=0.5).open(worker=False)
    began = time.monotonic()
    receipt = engine.submit("note", note(how), key=how, ordering_keys=["a"])
    sys.stdout.write(f"{receipt.state.value} {time.monotonic() - began:.3f}\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    _main(Path(sys.argv[1]), sys.argv[2])
