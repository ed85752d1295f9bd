"""`python -m tests.sweep.damage`: bits flipped and files cut; prints what came of it, `silent changes 0`.

Flipped are random bits of every page of the main file and of every frame of the WAL; cut are both files
at many places. Nothing of it may change an accepted write without a word: an error is shown, or the
entry is unreadable and goes before a person, or, in the WAL alone, the last writes are gone as if they
had never been flushed, which nobody can tell from an unfinished write.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from robusto.errors import JournalError
from robusto.journal.entry import EntryState
from tests.sweep.actor import Actor, id_of
from tests.sweep.children import Child, Say

_PAGE, _WAL_HEADER, _FRAME = 4096, 32, 4096 + 24

#: What an entry is seen as: state, version, content; None when it is not there.
Seen = tuple[str, int, str] | None
#: All entries, by id, at one time.
Snapshot = dict[str, Seen]

_OUTCOMES = ("no effect", "shown", "to a person", "tail lost", "SILENT")


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing that was done to one file of a copy. `live`: while a process has it open."""

    what: str
    file: str
    offset: int
    bit: int = 0
    live: bool = False

    def do(self, folder: Path) -> None:
        (path,) = folder.glob(self.file)
        content = bytearray(path.read_bytes())
        if self.what == "flip":
            content[self.offset] ^= 1 << self.bit
        else:
            del content[self.offset :]
        with path.open("r+b") as file:
            file.write(content)
            file.truncate()


class Patient:
    """A journal with entries in every state, and what it held after each act."""

    def __init__(self, folder: Path, *, folded: bool) -> None:
        """folded: everything is in the main file; otherwise nearly everything is in the WAL."""
        self.folder = folder
        self.history: list[Snapshot] = []
        said = Child(lambda say: self._make(say, folded=folded)).ended()
        assert not said.raised, said.raised
        for line in said.lines:
            if "snapshot" in line:
                self.history.append({id: seen and tuple(seen) for id, seen in line["snapshot"].items()})
        for memory in folder.rglob("*-shm"):
            memory.unlink()

    def _make(self, say: Say, *, folded: bool) -> None:
        actor = Actor(self.folder / "journal", lambda line: None)
        actor.open()
        for name, size in _SIZES.items():
            actor.append(name, size)
            self._say_snapshot(actor, say)
        actor.take_token()
        for name, state in _STATES.items():
            actor.mark(name, state)
            self._say_snapshot(actor, say)
        actor.requeue("back")
        self._say_snapshot(actor, say)
        if folded:
            with actor.journal._opening.current().reading() as db:
                assert db.execute("PRAGMA wal_checkpoint(TRUNCATE)").get is not None

    @staticmethod
    def _say_snapshot(actor: Actor, say: Say) -> None:
        say({"snapshot": {name: _seen(actor, name) for name in _SIZES}})

    def damages(self, seed: int, each: int) -> Iterator[Damage]:
        """Bits of every page and frame, and cuts at and between their ends."""
        chance = random.Random(seed)
        for file, first, length in (("journal-*.db", 0, _PAGE), ("journal-*.db-wal", _WAL_HEADER, _FRAME)):
            (path,) = (self.folder / "journal").glob(file)
            size = path.stat().st_size
            for start in range(first, size, length):
                for _ in range(each):
                    yield Damage("flip", file, start + chance.randrange(length), chance.randrange(8))
                    offset = start + chance.randrange(length)
                    yield Damage("flip", file, offset, chance.randrange(8), live=True)
                yield Damage("cut", file, start)
                yield Damage("cut", file, start + chance.randrange(1, length))
            for offset in range(min(size, 100 if first == 0 else _WAL_HEADER)):  # the header, byte by byte
                yield Damage("flip", file, offset, chance.randrange(8))


_SIZES = {f"entry{n}": 60 for n in range(8)} | {"large": 9_000, "larger": 21_000, "back": 300}
_STATES = {
    "entry0": EntryState.APPLIED,
    "entry1": EntryState.HELD,
    "entry2": EntryState.QUARANTINED,
    "large": EntryState.APPLIED,
    "back": EntryState.QUARANTINED,
}


def _seen(actor: Actor, name: str) -> Seen:
    """Raises JournalError."""
    opened = actor.journal.open_entry(id_of(name))
    if opened is None:
        return None
    value = "unreadable" if opened.write is None else opened.write.payload["value"]
    return opened.entry.state.value, opened.entry.version, value


def examine(patient: Patient, damage: Damage, folder: Path) -> str:
    """Which of the outcomes it is."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(patient.folder, folder)
    if not damage.live:
        damage.do(folder / "journal")
    looks: list[dict[str, Any]] = []
    for live in (damage if damage.live else None, None):  # at first, and what has become of it then
        said = Child(partial(_look, folder, live)).ended()
        if said.raised or said.status:
            return f"SILENT: {said.raised or said.status}"
        looks += said.lines
    seen: list[Snapshot] = [
        {id: seen and tuple(seen) for id, seen in line["seen"].items()} for line in looks if "seen" in line
    ]
    shown = any(line.get("shown") for line in looks)
    lost_tail = damage.file.endswith("-wal")
    for snapshot in seen:
        if not shown and not _allowed(snapshot, patient.history, whole=not lost_tail):
            return f"SILENT: {_difference(snapshot, patient.history[-1])}"
        if shown and not _only_unreadable(snapshot, patient.history):
            return f"SILENT, although something is shown: {_difference(snapshot, patient.history[-1])}"
    if any(one is not None and one[2] == "unreadable" for snapshot in seen for one in snapshot.values()):
        return "to a person"
    if shown:
        return "shown"
    return "no effect" if all(snapshot == patient.history[-1] for snapshot in seen) else "tail lost"


def _allowed(snapshot: Snapshot, history: list[Snapshot], *, whole: bool) -> bool:
    """As it was at the end, or, where the tail may be lost, at some time."""
    return snapshot == history[-1] or (not whole and snapshot in [dict.fromkeys(_SIZES), *history])


def _only_unreadable(snapshot: Snapshot, history: list[Snapshot]) -> bool:
    """What is still read is what was once written; the rest says of itself that it is unreadable."""
    return all(
        seen is None or seen[2] == "unreadable" or seen in [then[name] for then in history]
        for name, seen in snapshot.items()
    )


def _difference(snapshot: Snapshot, last: Snapshot) -> dict[str, Any]:
    changed = [name for name, seen in snapshot.items() if seen != last[name]]
    return {name: (str(last[name])[:60], str(snapshot[name])[:60]) for name in changed}


def _look(folder: Path, live: Damage | None, say: Say) -> None:
    """Use the journal as the engine does: read it, verify it, append to it."""
    actor = Actor(folder / "journal", lambda line: None)
    seen: Snapshot = {}
    try:
        actor.journal.open()
        if live is not None:
            live.do(folder / "journal")
        if not actor.journal.counts().balanced:
            say({"shown": "the equation does not hold"})
        if found := actor.journal.damages():
            say({"shown": found[:3]})
    except JournalError as error:
        say({"shown": f"{type(error).__name__}: {error}"})
    for name in _SIZES:
        try:
            seen[name] = _seen(actor, name)
        except JournalError as error:
            say({"shown": f"{name}: {type(error).__name__}: {error}"})
    if len(seen) == len(_SIZES):
        say({"seen": seen})
    if not actor.append("afterwards"):
        say({"shown": "no write is taken"})


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.sweep.damage", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--each", type=int, default=6, help="bits of every page and frame")
    chosen = parser.parse_args(arguments)
    began, silent = time.monotonic(), 0
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as scratch:
        table: dict[str, Counter[str]] = {}
        for folded in (True, False):
            patient = Patient(Path(scratch) / f"patient{folded}", folded=folded)
            for damage in patient.damages(chosen.seed, chosen.each):
                outcome = examine(patient, damage, Path(scratch) / "copy")
                kind = outcome.split(":")[0].split(",")[0]
                file = "WAL" if damage.file.endswith("-wal") else "main"
                when = " while open" if damage.live else ""
                row = f"{damage.what} {file}{when}, {'folded' if folded else 'not folded'}"
                table.setdefault(row, Counter())[kind] += 1
                if kind == "SILENT":
                    silent += 1
                    print(damage, outcome, flush=True)
    print(f"\n{'':<34}" + "".join(f"{outcome:>14}" for outcome in _OUTCOMES))
    for row, counter in table.items():
        print(f"{row:<34}" + "".join(f"{counter[outcome]:>14}" for outcome in _OUTCOMES))
    points = sum(sum(counter.values()) for counter in table.values())
    print(f"\nseed {chosen.seed}, points {points} in {time.monotonic() - began:.0f} s")
    print(f"silent changes {silent}")
    return 1 if silent else 0


if __name__ == "__main__":
    sys.exit(main())
