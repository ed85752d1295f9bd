"""One seed from beginning to end: troubles, mending, draining, checking."""

from __future__ import annotations

import random
import shutil
import tempfile
import traceback
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

from robusto import Config
from robusto.errors import JournalError, RobustoError
from robusto.identity import Identity
from robusto.journal import rows
from robusto.journal.place import Place
from robusto.journal.schema import COLUMNS
from robusto.journal.sqlite import SqliteJournal
from robusto.verify import Proof
from tests.simulation.checker import Checker, Remains, stuck
from tests.simulation.history import Wish
from tests.simulation.nemesis import Nemesis
from tests.simulation.people import Client, operate
from tests.simulation.plan import Plan
from tests.simulation.ports import simulated
from tests.simulation.scheduler import Scheduler
from tests.simulation.world import KEY, Host, Node, World, quiet

#: Simulated seconds: the troubles last at most so long, and everything must be drained so long after.
_TROUBLES, _DRAINING = 90.0, 400.0
#: Nothing moves for so long before the end is believed.
_QUIET = 6.0
_MEMORY = Path("/dev/shm")


@dataclass(frozen=True, slots=True)
class Result:
    """What one seed has come to."""

    seed: int
    findings: list[str]
    counts: Counter[str]
    fingerprint: int
    lines: list[str]


def run(seed: int, faults: Sequence[str] | None = None, *, trace: bool = False, **fixed: Any) -> Result:
    """Run one seed; it does the same each time, step by step, also with faults or parts of the plan given."""
    scheduler = Scheduler(seed, trace=trace)
    plan = replace(Plan.drawn(random.Random(seed), faults), **fixed)
    scheduler.switching = plan.switching
    folder = Path(tempfile.mkdtemp(prefix="simulation-", dir=_MEMORY if _MEMORY.is_dir() else None))
    worlds: list[World] = []
    scheduler.note(str(plan))
    try:
        with quiet(), simulated(scheduler, lambda file: worlds[0].disk(file)):
            worlds.append(World(plan, scheduler, folder))
            findings = _Course(worlds[0]).run()
    finally:
        shutil.rmtree(folder)
    counts = worlds[0].counts + Counter(worlds[0].server.counts)
    counts["requests"] = len(worlds[0].history.requests)
    counts["steps"] = scheduler.steps
    return Result(seed, findings, counts, scheduler.fingerprint, scheduler.lines or [])


def attempt(seed: int, faults: Sequence[str] | None = None) -> Result:
    """Run one seed; an exception that comes this far is a finding too."""
    try:
        return run(seed, faults)
    except Exception:
        return Result(seed, [traceback.format_exc()], Counter(), 0, [])


class _Course:
    """The course of one run."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._clients = [Client(world, number) for number in range(world.plan.clients)]
        self._nemesis = Nemesis(world)

    def run(self) -> list[str]:
        world, scheduler = self._world, self._world.scheduler
        for client in self._clients:
            world.outsider("client", client.run)
        world.outsider("nemesis", self._nemesis.run)
        world.outsider("keeper", self._nemesis.keep)
        operator = world.outsider("operator", lambda: operate(world)) if world.plan.operators else None
        scheduler.run(self._all_sent, _TROUBLES)
        self._nemesis.mend()
        if not scheduler.run(self._all_answered, _DRAINING):
            return ["a request was never answered"]
        world.closed = True
        if not scheduler.run(lambda: operator is None or operator.done, _DRAINING):
            return ["an operator was never answered"]
        watchers = [Watcher(world, host) for host in world.hosts]
        scheduler.run(lambda: all(each.drained for each in watchers), _DRAINING)
        for each in watchers:
            each.finish()
        if not scheduler.run(lambda: all(each.remains is not None for each in watchers), _DRAINING):
            return ["the journal or PostgreSQL could not be looked at"]
        remains = [each.remains for each in watchers if each.remains is not None]
        return Checker(world.history, world.server.log, remains, watchers[0].ids()).findings()

    def _all_sent(self) -> bool:
        return all(client.done for client in self._clients)

    def _all_answered(self) -> bool:
        return self._all_sent() and all(each.ended is not None for each in self._world.history.requests)


class Watcher:
    """Looks into one host's journal from outside, until nothing in it moves any more."""

    def __init__(self, world: World, host: Host) -> None:
        self._world = world
        self._host = host
        self._ending = False
        self._drained_since: float | None = None
        self.remains: Remains | None = None
        keys = Config(conninfo="", journal_path=host.folder, encryption_key=KEY).keys()
        self._journal = SqliteJournal(Place(host.folder), keys, 1 << 30, host.clock)
        world.outsider(f"watcher{host.number}", self._watch)

    def _watch(self) -> None:
        while not self._ending:
            self._world.scheduler.sleep(1)
            with suppress(JournalError):
                entries = [opened.entry for opened in self._journal.unfinished()]
                if next(stuck(entries), None) is not None:
                    self._drained_since = None
                elif self._drained_since is None:
                    self._drained_since = self._world.scheduler.now

    @property
    def drained(self) -> bool:
        """Whether nothing has moved for a while: a server that was set back is noticed within seconds."""
        since = self._drained_since
        return since is not None and self._world.scheduler.now - since > _QUIET

    def finish(self) -> None:
        """Take down what is there, in a process of that host."""
        self._ending = True
        self._world.outsider("finish", self._look)

    def _look(self) -> None:
        while self.remains is None:
            self._world.scheduler.sleep(0.5)
            serving = self._world.serving(self._host.number)
            if serving:
                with suppress(RobustoError):
                    self._prove(serving[0])

    def _prove(self, node: Node) -> None:
        assert node.engine is not None
        engine, proof = node.engine, list[Proof]()

        def verify() -> None:
            with suppress(RobustoError):
                proof.append(engine.verify())

        self._world.call(node, "verify", verify)
        if self._world.scheduler.wait(lambda: bool(proof), 60):
            with self._journal._opening.current().reading() as db:
                entries = [rows.entry_of(row) for row in db.execute(f"SELECT {COLUMNS} FROM entries")]
            unfinished = [opened.entry for opened in self._journal.unfinished()]
            self.remains = Remains(
                self._host.number, {each.id: each for each in entries}, unfinished, proof[0]
            )

    def ids(self) -> dict[Wish, tuple[UUID, bytes]]:
        """The write's id and request hash of everything that anybody wanted."""
        identity = Identity(self._journal.secret())
        wishes = dict.fromkeys(request.wish for request in self._world.history.requests)
        return {
            wish: (identity.write_id("", wish.kind, wish.key), identity.request_hash(wish.payload))
            for wish in wishes
        }
