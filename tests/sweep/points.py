"""One point of the sweep: an operation, a fault and the number of the step at which it happens."""

from __future__ import annotations

import pickle
import random
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from robusto import local
from tests.support.faulty_disk import Disk, Fault, Happening
from tests.support.power_cut import Platter
from tests.sweep.actor import KEYS, Actor
from tests.sweep.children import Child, Said, Say
from tests.sweep.draining import Business, finish
from tests.sweep.operations import Operation
from tests.sweep.world import Line, World, problems

#: More steps than any operation has.
NEVER = 1 << 30


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one point came to. `reached`: there was such a step; `steps`: how many there were, if known."""

    reached: bool
    steps: int | None
    problems: list[str]


class Sweeper:
    """Makes the points of one operation below a scratch folder. This process opens no journal."""

    def __init__(self, operation: Operation, scratch: Path, business: Business | None = None) -> None:
        """`business` is what an operation that drains needs."""
        self._operation = operation
        self._business = business if operation.drains else None
        self._base, self._root, self._image = (scratch / name for name in ("base", "disk", "image"))
        self._notes, self._notes_beside = scratch / "notes", scratch / "notes-beside"
        shutil.rmtree(scratch, ignore_errors=True)
        self._base.mkdir(parents=True)
        self._told: list[Line] = []
        if operation.prepare is not None:
            prepare = operation.prepare
            self._told = Child(lambda say: prepare(self._actor(self._base, say))).ended().lines

    def point(self, fault: Fault, nth: int) -> Outcome:
        """Let the fault happen at the Nth step, and look at what is left."""
        shutil.rmtree(self._root, ignore_errors=True)
        shutil.copytree(self._base, self._root)
        if self._business is not None:
            self._business.forget()
        loses = fault.does == "cut" or fault.loses
        before = self._neighbour(loses) if self._operation.beside == "before" else None
        said = Child(lambda say: self._act(fault, nth, say, self._notes if loses else None)).ended()
        world = World([*self._told, *said.lines])
        found = _complaints(said, world)
        neighbour = self._neighbour(loses) if self._operation.beside == "after" else before
        if neighbour is not None:
            beside = neighbour.ended()
            world.tell(beside.lines)
            found += [f"beside: {each}" for each in _complaints(beside, world)]
        killed = said.status == signal.SIGKILL
        root = self._drawn(fault, nth) if killed and loses else self._root
        found += [f"afterwards: {each}" for each in self._afterwards(root, world)]
        told = {name: value for line in said.lines if "steps" in line for name, value in line.items()}
        return Outcome(bool(killed or told.get("reached")), told.get("steps"), found)

    # -- what the processes do -----------------------------------------------------------------

    def _act(self, fault: Fault, nth: int, say: Say, notes: Path | None) -> None:
        disk = Disk(self._root, fault, nth, notes)
        disk.install()

        def saying(line: Line) -> None:
            disk.said(line, lambda: say(line))

        actor = self._actor(self._root, saying, self._operation.keys)
        self._operation.act(actor)
        say({"reached": disk.reached, "steps": disk.steps})
        if fault.loses and disk.reached:
            disk.cut_power()
        disk.heal()
        _expect_well(actor)

    def _neighbour(self, loses: bool) -> Child:
        """Another process on the same journal."""

        def work(say: Say) -> Iterator[None]:
            actor = self._actor(self._root, say)
            disk = Disk(self._root, notes=self._notes_beside if loses else None)
            disk.install()
            if self._operation.beside == "before" and self._operation.prepare is not None:
                actor.open()
                actor.journal.counts()
            yield  # here the fault happens
            actor.open()
            actor.append("beside")
            actor.look()
            if loses:
                disk.cut_power()

        return Child(work).ready()

    def _afterwards(self, root: Path, world: World) -> list[str]:
        """What a process finds that comes after everything, on a good disk."""

        def look(say: Say) -> None:
            actor = self._actor(root, say, self._operation.keys)
            actor.open()
            actor.look()
            _expect_well(actor)
            actor.journal.close()

        found = self._checked(look, world, finished=False)
        if self._business is not None and not found:
            found = self._checked(lambda say: finish(self._actor(root, say)), world, finished=True)
        return found

    def _checked(self, work: Callable[[Say], None], world: World, *, finished: bool) -> list[str]:
        said = Child(work).ended()
        found = _complaints(said, world, follow=True)
        if self._business is not None:
            for line in said.lines:
                if "view" in line:
                    found += self._business.problems(line["view"], finished=finished)
        return found

    def _actor(self, root: Path, say: Say, keys: tuple[bytes, ...] = KEYS) -> Actor:
        if self._operation.checkpoint_pages is not None:
            local._CHECKPOINT_PAGES = self._operation.checkpoint_pages
        return Actor(
            root / "var" / "journal", say, keys, "" if self._business is None else self._business.dsn
        )

    def _drawn(self, fault: Fault, nth: int) -> Path:
        """The disk after the power cut."""
        happened = _read_notes(self._notes)
        if self._operation.beside:
            happened += [each for each in _read_notes(self._notes_beside) if each[0] != "there"]
        chance = random.Random(f"{self._operation.name} {fault.name} {nth}")
        Platter(self._base, happened).write_to(self._image, chance if fault.block else None, fault.block)
        return self._image


def _expect_well(actor: Actor) -> None:
    """On a disk that is well again the journal takes a write and shows all it has."""
    actor.append("afterwards")
    actor.look()


def _complaints(said: Said, world: World, *, follow: bool = False) -> list[str]:
    """What is wrong with what a process said, and with how it ended. `follow`: tell the world of it."""
    found = list(said.raised)
    if said.status == signal.SIGALRM:
        found.append("it hung")
    elif said.status not in (0, signal.SIGKILL) and not found:
        found.append(f"it ended with {said.status}")
    for line in said.lines:
        if follow:
            world.tell([line])
        if "view" in line:
            found += problems(world, line["view"])
    if said.status == 0:  # its last acts were done on a good disk
        refused = [line for line in said.lines[-4:] if line.get("answer") in ("nothing", "unknown")]
        found += [f"on a good disk: {line['did']}: {line['why']}" for line in refused]
    return found


def _read_notes(path: Path) -> list[Happening]:
    with path.open("rb") as notes:
        return list(pickle.load(notes))  # noqa: S301 - written by our own child
