"""Hosts with their processes, one PostgreSQL, and the requests that are made of them."""

from __future__ import annotations

import base64
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from robusto import Config, Engine, NotAccepted, RobustoError, WriteRejected, local
from robusto.errors import JournalError
from robusto.events import Event, place_of
from robusto.journal.entry import Entry
from robusto.journal.file import File
from tests.simulation.history import Act, History, Request, Wish
from tests.simulation.plan import Plan
from tests.simulation.ports import SimClock
from tests.simulation.scheduler import Process, Scheduler, Task
from tests.simulation.server import SimServer

KINDS = ("note", "other")
#: Entries that a flipped bit can still do something to.
_WHOLE = "SELECT seq FROM entries WHERE state IN ('pending', 'held') AND length(sealed) > 0"
KEY = base64.urlsafe_b64encode(b"s" * 32).decode()
_HARMLESS = ("JournalError", "JournalBusy", "JournalFull", "JournalMissing", "LeaseLost")


@dataclass
class Host:
    """A machine: its clock, its journal's folder, and what is wrong with its disk."""

    number: int
    folder: Path
    clock: SimClock
    #: Shares of the journal's turns that find no room, fail in the flush, and of copies that fail.
    full: float = 0.0
    copies_fail: float = 0.0
    #: The next turns of the journal whose flush fails: was it kept or lost?
    flushes: list[str] = field(default_factory=list)


@dataclass(eq=False)
class Node:
    """One process of a host, with its engine once that is open."""

    host: Host
    process: Process
    kinds: tuple[str, ...]
    engine: Engine | None = None

    @property
    def serves(self) -> bool:
        """Whether requests can be sent to it."""
        return self.process.alive and self.engine is not None

    @property
    def drains(self) -> bool:
        """Whether it believes to have the turn."""
        assert self.engine is not None
        return self.engine._ready().lease.token is not None


class World:
    """Everything there is in one run."""

    def __init__(self, plan: Plan, scheduler: Scheduler, folder: Path) -> None:
        self.plan = plan
        self.scheduler = scheduler
        self.random = scheduler.random
        self.server = SimServer(scheduler)
        self.history = History()
        self.counts: Counter[str] = Counter()
        #: Operators decide nothing any more.
        self.closed = False
        self.outside = scheduler.process("outside")
        self.hosts = [
            Host(n, folder / f"host{n}" / "journal", SimClock(scheduler)) for n in range(plan.hosts)
        ]
        self.nodes: list[Node] = []
        for host in self.hosts:
            host.folder.parent.mkdir()
            for _ in range(plan.nodes):
                self.nodes.append(self.boot(host))

    # -- processes -----------------------------------------------------------------------------

    def boot(self, host: Host, kinds: tuple[str, ...] = KINDS) -> Node:
        """Start a process with an engine and its worker."""
        node = Node(host, self.scheduler.process(""), kinds)
        node.process.name = f"h{host.number}p{node.process.number}"
        self.scheduler.spawn(node.process, f"{node.process.name}.main", lambda: self._main(node))
        return node

    def _main(self, node: Node) -> None:
        config = Config(
            conninfo="", journal_path=node.host.folder, encryption_key=KEY, pool_size=self.plan.pool,
            lease_seconds=self.plan.lease,
        )  # fmt: skip
        engine = Engine(config, clock=node.host.clock, connect=self.server.connect)
        for kind in node.kinds:
            engine.statement(kind, "effect")
        engine.listen(lambda event: self._heard(node, event))
        try:
            node.engine = engine.open()
        except RobustoError:
            self.scheduler.kill(node.process)

    def reboot(self, node: Node, kinds: tuple[str, ...] = KINDS) -> None:
        """Kill a process and start another in its place."""
        self.scheduler.kill(node.process)
        self.nodes[self.nodes.index(node)] = self.boot(node.host, kinds)

    def serving(self, host: int | None = None) -> list[Node]:
        """The processes that take requests, of one host or of all."""
        return [each for each in self.nodes if each.serves and host in (None, each.host.number)]

    def _heard(self, node: Node, event: Event) -> None:
        write = str(event.facts.get("write", ""))[:4]
        facts = " ".join(str(event.facts[name]) for name in ("reason", "state", "seq") if name in event.facts)
        self.scheduler.note(f"* {event.name} {write} {facts}")
        if event.name == "worker_failed" and event.facts["error"] not in _HARMLESS:
            self.history.surprises.append(f"worker: {event.facts['error']} at {event.facts['where']}")

    # -- requests ------------------------------------------------------------------------------

    def submit(self, node: Node, wish: Wish) -> Request:
        """Send a write to a process; the request says what becomes of it."""
        request = Request(wish, node.host.number, self.scheduler.steps)
        self.history.requests.append(request)

        def run() -> None:
            request.answer = self._answer(node, wish)
            request.ended = self.scheduler.steps
            self.scheduler.note(f"{wish.key}={wish.body}: {request.answer}")

        def crashed() -> None:
            if request.ended is None:
                request.answer, request.ended = "crashed", self.scheduler.steps

        self.scheduler.note(f"{wish.key}={wish.body} to {node.process.name}")
        self.call(node, f"w{len(self.history.requests)}", run)
        node.process.leaves.append(crashed)
        return request

    def _answer(self, node: Node, wish: Wish) -> str:
        assert node.engine is not None
        try:
            receipt = node.engine.submit(
                wish.kind, wish.payload, key=wish.key, ordering_keys=wish.ordering, after=wish.after
            )
        except WriteRejected as rejected:
            return f"rejected {rejected.reason}"
        except NotAccepted as error:
            return "unknown" if error.maybe_applied else "not kept"
        except Exception as error:
            self.history.surprises.append(f"submit: {type(error).__name__} at {place_of(error)}: {error}")
            return "unknown"
        return receipt.state.value

    def call(self, node: Node, name: str, run: Callable[[], None]) -> Task:
        """Let a thread of this process do something."""
        return self.scheduler.spawn(node.process, f"{node.process.name}.{name}", run)

    def outsider(self, name: str, run: Callable[[], object]) -> Task:
        """Let somebody act who is no process of a host."""
        return self.scheduler.spawn(self.outside, name, run)

    # -- operators -----------------------------------------------------------------------------

    def decide(self, node: Node, entry: Entry, verb: str, mend: bool) -> None:
        """In a thread of this process: requeue or discard a quarantined entry."""
        assert node.engine is not None
        quarantine = node.engine.quarantine
        try:
            write = quarantine.show(entry.id).write
            if verb == "requeue" and write is not None and mend:
                self.server.mended.add(write.key)
            # Noted before: whoever is killed in the middle may have done it.
            self.history.acts.append(Act(node.host.number, entry.id, verb, self.scheduler.steps))
            (quarantine.requeue if verb == "requeue" else quarantine.discard)(
                entry.id, who="ana", reason="looked at"
            )
        except (RobustoError, JournalError):
            return

    # -- faults of the disk ----------------------------------------------------------------------

    def disk(self, where: File) -> str | None:
        """What goes wrong in this turn of a journal file."""
        host = next(each for each in self.hosts if where.path.parent == each.folder)
        if not where.path.name.startswith("journal"):
            if host.copies_fail and self.random.random() < host.copies_fail:
                self.counts["copy fails"] += 1
                raise local.IOFailure("a copy could not be written")
            return None
        if host.full and self.random.random() < host.full:
            self.counts["journal full"] += 1
            self.scheduler.note("fault: journal full")
            raise local.Full("no room")
        if host.flushes:
            kept = host.flushes.pop()
            self.counts[f"flush fails, {kept}"] += 1
            self.scheduler.note(f"fault: flush fails, {kept}")
            return kept
        return None

    def damage(self, host: Host) -> bool:
        """Flip a bit of the seal of an entry that is not finished; says whether there was one."""
        files = sorted(host.folder.glob("journal-*.db"), key=lambda path: path.stat().st_mtime_ns)
        if not files:
            return False
        db = local.connect(files[-1], flush=False, create=False, busy_seconds=0)
        try:
            seqs = [seq for (seq,) in db.execute(_WHOLE)]
            if not seqs:
                return False
            seq = self.random.choice(seqs)
            sealed = bytes(db.execute("SELECT sealed FROM entries WHERE seq = ?", (seq,)).get)
            bad = sealed[:-1] + bytes([sealed[-1] ^ 1])
            db.execute("UPDATE entries SET sealed = ? WHERE seq = ?", (bad, seq))
        except local.SQLiteError:
            return False
        finally:
            db.close()
        self.scheduler.note(f"fault: entry {seq} of host {host.number} is damaged")
        return True


@contextmanager
def quiet() -> Iterator[None]:
    """The engine's own log is silent: the trace says it all."""
    logger = logging.getLogger("robusto")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)
