"""I0, checked from what the clients were told and from the business rows, never from the ledger."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from robusto.journal.entry import Entry, EntryState
from robusto.verify import Proof
from tests.simulation.history import History, Request, Wish
from tests.simulation.server import Effects

_DECIDED = (EntryState.QUARANTINED, EntryState.DISCARDED)
Name = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Remains:
    """What one host's journal holds when everything has been drained."""

    host: int
    entries: dict[UUID, Entry]
    #: Those that are not finished, in their order.
    unfinished: list[Entry]
    proof: Proof


class Checker:
    """Every finding is one line; none means that I0 held."""

    def __init__(
        self, history: History, effects: Effects, remains: list[Remains], ids: dict[Wish, tuple[UUID, bytes]]
    ) -> None:
        """ids: the write's id and request hash of every wish."""
        self._history = history
        self._remains = remains
        self._ids = ids
        self._at = effects.first  # the step of each effect, also of one that was forgotten for a while
        self._place: dict[Name, int] = {}  # its place in the order of commits
        self._keys: Counter[str] = Counter()
        for place, effect in enumerate(effects):
            assert isinstance(effect.params, dict)
            name = effect.params["key"], effect.params["body"]
            self._place.setdefault(name, place)
            self._keys[name[0]] += 1
        self._requests: dict[Name, list[Request]] = defaultdict(list)
        for request in history.requests:
            self._requests[request.wish.name].append(request)

    def findings(self) -> list[str]:
        """Everything that speaks against the promise."""
        return [
            *self._surprises(), *self._twice(), *self._lost(), *self._lies(), *self._refused_and_applied(),
            *self._decided_and_applied(), *self._out_of_order(), *self._equation(), *self._stuck(),
        ]  # fmt: skip

    def _surprises(self) -> Iterator[str]:
        yield from dict.fromkeys(self._history.surprises)

    def _twice(self) -> Iterator[str]:
        for key, times in self._keys.items():
            if times > 1:
                yield f"duplicated: {key} took effect {times} times"

    def _lost(self) -> Iterator[str]:
        for name, requests in self._requests.items():
            hosts = {each.host for each in requests if each.accepted}
            if name in self._place or not hosts:
                continue
            if not any(self._entry(host, requests[0].wish) for host in hosts):
                yield f"lost: {_show(name)} was accepted and is nowhere"

    def _lies(self) -> Iterator[str]:
        for name, requests in self._requests.items():
            for request in requests:
                assert request.ended is not None
                if request.answer == "stored" and self._at.get(name, 1 << 60) > request.ended:
                    yield f"lie: {_show(name)} was answered as stored before it was"

    def _refused_and_applied(self) -> Iterator[str]:
        """A refusal is final, unless the write was sent again later, or another host may have kept it."""
        for name, requests in self._requests.items():
            refused = [each for each in requests if (each.answer or "").startswith("rejected")]
            at = self._at.get(name)
            for request in refused:
                assert request.ended is not None
                others = [each for each in requests if each is not request]
                abroad = any(each.host != request.host and not _clearly_not(each) for each in others)
                if at is None or at < request.ended or abroad:
                    continue
                if all(_before(each, request) for each in others):
                    yield f"refused and applied: {_show(name)} was {request.answer}"

    def _decided_and_applied(self) -> Iterator[str]:
        for remains in self._remains:
            for entry in remains.entries.values():
                name = self._name(entry)
                if entry.state not in _DECIDED or name is None or name not in self._place:
                    continue
                if not self._decided_elsewhere(remains.host, str(entry.id)):
                    yield f"both: {_show(name)} took effect and is {entry.state.value} ({entry.reason})"

    def _decided_elsewhere(self, host: int, text: str) -> bool:
        """Whether the operator of another host decided about the same write: then hosts may disagree."""
        return any(act.host != host and str(act.id) in text for act in self._history.acts)

    def _out_of_order(self) -> Iterator[str]:
        """A before B when A was answered before B was first sent, both to one host, with a common key."""
        acts = {act.id for act in self._history.acts}
        applied = {name: each for name, each in self._requests.items() if name in self._place}
        for one, requests in applied.items():
            for other, later in applied.items():
                if self._place[one] < self._place[other] or one == other:
                    continue
                hosts = {each.host for each in later}
                sent = min(each.invoked for each in later)
                before = [each for each in requests if each.accepted and (each.ended or 0) < sent]
                if len(hosts) > 1 or not any(each.host in hosts for each in before):
                    continue
                first, second = requests[0].wish, later[0].wish
                decided = {self._ids[first][0], self._ids[second][0]} & acts
                if set(first.ordering) & set(second.ordering) and not decided:
                    yield f"out of order: {_show(other)} took effect before {_show(one)}, which was answered"

    def _equation(self) -> Iterator[str]:
        for remains in self._remains:
            for finding in remains.proof.findings:
                if not self._decided_elsewhere(remains.host, finding):
                    yield f"host {remains.host}: {finding}"
        if len(self._remains) == 1:
            stored = self._remains[0].proof.stored
            if stored != len(self._place):
                yield f"equation: {stored} are counted as stored, {len(self._place)} took effect"

    def _stuck(self) -> Iterator[str]:
        for remains in self._remains:
            for entry in stuck(remains.unfinished):
                yield f"stuck: {_show(self._name(entry))} is {entry.state.value} ({entry.reason})"

    def _entry(self, host: int, wish: Wish) -> Entry | None:
        """What this host's journal holds of a wish."""
        id, request_hash = self._ids[wish]
        entry = self._remains[host].entries.get(id)
        ours = entry is not None and (entry.is_shell or entry.request_hash == request_hash)
        return entry if ours else None

    def _name(self, entry: Entry) -> Name | None:
        known = (wish.name for wish, ids in self._ids.items() if ids == (entry.id, entry.request_hash))
        return next(known, None)


def stuck(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Entries, given in their order, that are pending without a reason for it."""
    waiting: set[bytes] = set()
    for entry in entries:
        if entry.state in (EntryState.APPLIED, EntryState.DISCARDED):
            continue
        parked = waiting & {*entry.ordering, *entry.after}
        orphan = entry.reason == "23503"
        if entry.state is not EntryState.QUARANTINED and not parked and not orphan:
            yield entry
        waiting |= {*entry.ordering}


def _before(one: Request, other: Request) -> bool:
    """Whether one had come to its end, for certain, when the other was answered."""
    assert one.ended is not None and other.ended is not None
    return one.ended < other.ended


def _clearly_not(request: Request) -> bool:
    """Whether its answer said that nothing was kept."""
    return (request.answer or "").startswith(("rejected", "not kept"))


def _show(name: Name | None) -> str:
    return "=".join(name) if name else "?"
