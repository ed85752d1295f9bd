"""A small cut of the crash sweep (`make sweep` is the whole), and what the sweep itself stands on."""

from __future__ import annotations

import errno
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.faulty_disk import FAULTS, Disk, Fault
from tests.support.power_cut import Platter
from tests.sweep.actor import Actor
from tests.sweep.children import Child, Say
from tests.sweep.operations import OPERATIONS
from tests.sweep.world import Line, World, problems

#: The processes that are forked here use nothing of what another thread may hold.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")

_ROOT = Path(__file__).resolve().parents[2]

#: The operations are dealt out to so many tests, for as many workers.
_PARTS = 4


@pytest.mark.timeout(600)  # some hundred processes, on a machine that may be busy
@pytest.mark.parametrize("part", range(_PARTS))
def test_no_step_of_the_disk_loses_what_was_answered(part: int, request: pytest.FixtureRequest) -> None:
    operations = list(OPERATIONS)[part::_PARTS]
    command = [sys.executable, "-m", "tests.sweep", "--quick", "--jobs=1", "--operation", *operations]
    if any(OPERATIONS[name].drains for name in operations):
        command += ["--database", request.getfixturevalue("database")]
    swept = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    assert swept.returncode == 0, swept.stdout + swept.stderr
    assert "losing points 0" in swept.stdout


# -- a sweep that cannot fail proves nothing ----------------------------------------------------


def looked_at(folder: Path) -> tuple[World, Line]:
    def work(say: Say) -> None:
        actor = Actor(folder, say)
        actor.open()
        actor.append("a")
        actor.append("b")
        actor.look()

    said = Child(work).ended()
    assert not said.raised
    return World(said.lines), said.lines[-1]["view"]


@pytest.mark.parametrize(
    "wrong",
    ["lost", "changed", "stranger", "order", "books", "token", "identity"],
)
def test_the_sweep_sees(tmp_path: Path, wrong: str) -> None:
    world, view = looked_at(tmp_path / "journal")
    assert problems(world, view) == []
    first, second = view["entries"]
    match wrong:
        case "lost":
            view["entries"].remove(first)
        case "changed":
            first["value"] = "something else"
        case "stranger":
            del world.entries[first["id"]]
        case "order":
            first["seq"], second["seq"] = second["seq"], first["seq"]
        case "books":
            view["counts"]["pending"] += 1
        case "token":
            world.token = view["token"]
        case "identity":
            world.identity = "another"
        case _:
            raise AssertionError(wrong)
    assert problems(world, view)


# -- the faulty disk ----------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")
def test_the_turnstile_sees_every_system_call_that_changes_the_disk(tmp_path: Path) -> None:
    """Counted by the kernel and by the turnstile, in the same process."""
    trace, disk = tmp_path / "trace", tmp_path / "disk"
    disk.mkdir()
    calls = "pwrite64,write,fsync,fdatasync,ftruncate,rename,unlink,mkdir,fallocate,pwritev,writev,chmod"
    command = [sys.executable, "-m", "tests.support.faulty_child", str(disk)]
    counted = subprocess.run(
        ["strace", "-f", "-qq", "-y", "-o", trace, "-e", f"trace={calls}", *command],
        cwd=_ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    seen = [line for line in trace.read_text().splitlines() if str(disk) in line]
    # SQLite flushes the folder of a new WAL by itself, which the drawing of a power cut relies on;
    # its -shm is memory.
    own = [line for line in seen if "-shm>" not in line and not _is_folder_flush(line, disk)]
    assert int(counted[0]) == len(own)
    assert int(counted[1]) == sum(_is_folder_flush(line, disk) for line in seen) > 0


def _is_folder_flush(line: str, disk: Path) -> bool:
    return "fdatasync(" in line and f"<{disk / 'journal'}>" in line


def test_an_operation_fails_at_its_number_and_only_there(tmp_path: Path) -> None:
    def work(say: Say) -> None:
        disk = Disk(tmp_path, Fault("error", "error", errno=errno.EIO), 2)
        disk.install()
        for n in range(3):
            try:
                (tmp_path / str(n)).mkdir()
            except OSError as error:
                say({"failed": n, "errno": error.errno})

    said = Child(work).ended()
    assert said.lines == [{"failed": 1, "errno": errno.EIO}]


@pytest.mark.parametrize("name", ["kill", "kill-after", "power"])
def test_a_process_ends_at_its_number(tmp_path: Path, name: str) -> None:
    def work(say: Say) -> None:
        Disk(tmp_path, FAULTS[name], 2).install()
        for n in range(3):
            (tmp_path / str(n)).mkdir()

    assert Child(work).ended().status == 9
    assert (tmp_path / "1").exists() is (name == "kill-after")


def test_after_a_power_cut_only_what_was_flushed_is_certain(tmp_path: Path) -> None:
    start, image = tmp_path / "start", tmp_path / "image"
    start.mkdir()
    (start / "old").write_bytes(b"before")
    happened = [
        ("there", Path("old"), 1, False),
        ("make", Path("new"), 2, False),
        ("write", 2, 0, b"n" * 600),
        ("sync", 2),
        ("rename", Path("new"), Path("old")),
        ("write", 2, 600, b"m" * 600),
    ]
    Platter(start, happened).write_to(image)
    assert (image / "old").read_bytes() == b"before"  # its folder was not flushed
    Platter(start, [*happened, ("sync folder", Path("."))]).write_to(image)
    assert (image / "old").read_bytes() == b"n" * 600
    assert not (image / "new").exists()
    seen = set()
    for seed in range(50):
        Platter(start, happened).write_to(image, random.Random(seed), 512)
        seen.add((image / "old").read_bytes().replace(b"\0", b""))
    assert b"before" in seen
    assert len(seen) > 3


def test_a_flush_that_failed_is_never_made_good_by_a_later_one(tmp_path: Path) -> None:
    start, image = tmp_path / "start", tmp_path / "image"
    start.mkdir()
    (start / "file").write_bytes(b"-" * 1024)
    happened = [
        ("there", Path("file"), 1, False),
        ("write", 1, 0, b"a" * 512),
        ("failed sync", 1),
        ("write", 1, 512, b"b" * 512),
        ("sync", 1),
    ]
    Platter(start, happened).write_to(image)
    assert (image / "file").read_bytes() == b"-" * 512 + b"b" * 512
