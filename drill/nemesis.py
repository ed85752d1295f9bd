"""Draws one fault after another, lets it last, heals it, and waits until the product breathes again."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from drill.faults import Fault, Scene, happening
from drill.history import History
from drill.plan import Plan
from drill.processes import wait_until

_BOUT = (2, 4)  # so many faults come close together, the later ones into the recovery from the earlier
_BETWEEN = (0.2, 1.5)
_BREATHS = 5  # direct writes seen between two bouts
_BREATH_SECONDS = 20.0
_REST_SECONDS = 40.0
_ENOUGH_DIRECT = 0.42
_JITTER = (0.7, 1.3)
_TRIES = 3  # so often, at most, a doomed write is cut on average before it is refused
_AHEAD = 1.2  # commits are cut somewhat ahead of schedule, so that the end need not wait for them


@dataclass(frozen=True)
class Happened:
    """A fault that was caused and healed; times in seconds since the start."""

    fault: Fault
    at: float
    seconds: float


class Nemesis(threading.Thread):
    """The same seed draws the same faults in the same order, but for those that make up for missing cuts."""

    def __init__(
        self, scene: Scene, faults: Sequence[Fault], plan: Plan, history: History, tell: Callable[[str], None]
    ) -> None:
        super().__init__(name="nemesis", daemon=True)
        self.happened: list[Happened] = []
        self.error: BaseException | None = None
        self.ending = threading.Event()
        self._scene, self._faults, self._plan = scene, faults, plan
        self._history, self._tell = history, tell
        self._random = random.Random(scene.random.random())
        self._deck: list[Fault] = []
        self._began = 0.0

    def owes(self) -> list[str]:
        """What this run still has to see before it proves enough; chosen faults owe less."""
        demands, commits = self._plan.demands, self._scene.proxy.commits
        owed = []
        if any(fault.cuts for fault in self._faults):
            if commits.uncertain < demands.uncertain:
                owed.append(f"{demands.uncertain - commits.uncertain} uncertain commits")
            if commits.doomed < _TRIES * demands.refused_late:
                owed.append(f"{_TRIES * demands.refused_late - commits.doomed} doomed commits to cut")
        if len(self.happened) < demands.faults:
            owed.append(f"{demands.faults - len(self.happened)} faults")
        if (kinds := len(self.kinds())) < min(demands.kinds, len(self._faults)):
            owed.append(f"{demands.kinds - kinds} kinds of faults")
        return owed

    def kinds(self) -> Counter[str]:
        """How often each kind happened."""
        return Counter(entry.fault.kind for entry in self.happened)

    def run(self) -> None:
        """Go on until `ending` is set; nothing is left broken."""
        self._began = time.monotonic()
        try:
            self._breathe()
            while not self.ending.is_set():
                for _ in range(self._random.randint(*_BOUT)):
                    if not self.ending.wait(self._random.uniform(*_BETWEEN)):
                        self._strike(self._draw())
                self._breathe()
        except BaseException as error:
            # Read by whoever joins: a nemesis that died quietly would make a quiet run.
            self.error = error

    def _strike(self, fault: Fault) -> None:
        seconds = fault.seconds * self._random.uniform(*_JITTER)
        at = time.monotonic() - self._began
        self._tell(f"{at:7.1f} s  {fault.kind:<14}  {fault.sentence}")
        with happening(fault, self._scene):
            self.ending.wait(seconds)
        self.happened.append(Happened(fault, at, time.monotonic() - self._began - at))

    def _breathe(self) -> None:
        """Wait for direct writes again: a product that never gets up between two bouts proves little."""
        before = self._history.stored_directly()
        self._wait(lambda: self._history.stored_directly() >= before + _BREATHS, _BREATH_SECONDS)
        self._wait(
            lambda: self._late() or self._history.share_stored_directly() >= _ENOUGH_DIRECT, _REST_SECONDS
        )

    def _wait(self, enough: Callable[[], bool], seconds: float) -> None:
        wait_until(lambda: enough() or self.ending.is_set(), seconds, step=0.2)

    def _share_due(self) -> float:
        """How much of what the run owes should have been seen by now."""
        return min(1.0, (time.monotonic() - self._began) / self._plan.seconds)

    def _late(self) -> bool:
        return len(self.happened) < self._plan.demands.faults * self._share_due()

    def _draw(self) -> Fault:
        demands, commits = self._plan.demands, self._scene.proxy.commits
        due = min(1.0, _AHEAD * self._share_due())
        uncut = commits.uncertain < demands.uncertain * due
        undoomed = commits.doomed < _TRIES * demands.refused_late * due
        cutting = [fault for fault in self._faults if fault.cuts]
        just_cut = bool(self.happened) and self.happened[-1].fault.cuts
        if cutting and (uncut or undoomed) and not just_cut:
            return min(cutting, key=lambda fault: self.kinds()[fault.kind])
        if not self._deck:
            rest = [fault for fault in self._faults if self.kinds()[fault.kind] < fault.most] or self._faults
            self._deck = self._random.sample(rest, len(rest))
        return self._deck.pop()
