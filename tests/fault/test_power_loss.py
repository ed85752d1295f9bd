"""The power is lost for real: a file system of its own is shut down under the writers, and mounted again."""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.engine_child import spawn
from tests.support.engine_kit import engine_at

NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"

#: EXT4_IOC_SHUTDOWN and XFS_IOC_GOINGDOWN are one number; 2: what is only in memory is gone.
_SHUTDOWN, _NO_LOG_FLUSH = 0x8004587D, 2

_MEGABYTES = {"ext4": 64, "xfs": 320}


class Disk:
    """A file system in a file."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.mounted = folder / "mounted"
        self._image = folder / "image"
        self.mounted.mkdir()
        with self._image.open("wb") as image:
            image.truncate(_MEGABYTES[kind] << 20)
        subprocess.run([f"mkfs.{kind}", "-q", self._image], check=True, capture_output=True)

    def mount(self) -> None:
        done = subprocess.run(
            ["mount", "-o", "loop", self._image, self.mounted], capture_output=True, text=True, check=False
        )
        if done.returncode:
            pytest.skip(f"this machine mounts no image: {done.stderr.strip()}")

    def lose_power(self) -> None:
        fd = os.open(self.mounted, os.O_RDONLY)
        try:
            fcntl.ioctl(fd, _SHUTDOWN, struct.pack("I", _NO_LOG_FLUSH))
        finally:
            os.close(fd)

    def unmount(self) -> None:
        subprocess.run(["umount", self.mounted], check=True)


@pytest.fixture(params=list(_MEGABYTES))
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Disk]:
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    if shutil.which(f"mkfs.{request.param}") is None:
        pytest.skip(f"needs mkfs.{request.param}")
    disk = Disk(request.param, tmp_path)
    disk.mount()
    yield disk
    if os.path.ismount(disk.mounted):
        disk.unmount()


def test_every_answered_write_is_there_after_the_power_was_lost(disk: Disk) -> None:
    folder = disk.mounted / "var" / "journal"
    answered: set[str] = set()
    for lines in (1, 10, 60):  # the first time right after the very first answer
        children = [spawn("append", NOWHERE, folder) for _ in range(3)]
        said = [line for child in children for line in (child.line() for _ in range(lines))]
        disk.lose_power()
        for child in children:
            child.kill()
            said += child.rest()
        answered |= {line for line in said if not line.startswith("NotAccepted")}
        disk.unmount()
        disk.mount()
        with engine_at(NOWHERE, folder).open(worker=False) as engine:
            counts, entries = engine.inspect(10**6)
            assert answered <= {str(entry.id) for entry in entries}
            assert counts.balanced
            assert engine.verify_journal() == []
