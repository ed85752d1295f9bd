"""Which server may be written to: the host's memory of the last one that had everything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from robusto.clock import SystemClock
from robusto.continuity import Continuity, Phase
from robusto.events import Event, Events
from robusto.postgres.lineage import Lineage
from robusto.shared import SharedRecord

#: What the ledger of a server holds.
Keys = set[UUID]
SERVER = Lineage(False, "100.5", 16384, 20000, "7000", "00000001", 1000)


class Host:
    """One host: what it remembers of its own writes, and processes that share a memory of the server."""

    def __init__(self, folder: Path) -> None:
        self.newest: list[UUID] = []
        self.told: list[Event] = []
        self._path = folder / "lineage"

    def process(self) -> Continuity:
        events = Events(SystemClock())
        events.listen(self.told.append)
        return Continuity(SharedRecord(self._path), lambda: self.newest, events, SystemClock())

    def forget_the_server(self) -> None:
        self._path.write_bytes(b"")

    def reasons(self) -> list[str]:
        return [event.facts["reason"] for event in self.told if event.name == "server_set_back"]


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def holding(keys: Keys) -> Callable[[Sequence[UUID]], bool]:
    return keys.issuperset


def test_the_first_server_is_taken_as_it_is_and_known_to_every_process(host: Host) -> None:
    one, other = host.process(), host.process()
    assert one.key() is None
    assert one.admits(SERVER, holding(set()))
    assert one.key() == other.key() == SERVER.key
    assert other.admits(SERVER, holding(set()))
    assert host.told == []


def test_a_first_server_that_lacks_what_this_host_remembers_is_not_let_in(host: Host) -> None:
    host.newest = [uuid4()]
    assert not host.process().admits(SERVER, holding(set()))
    assert host.process().key() is None
    assert host.reasons() == ["newest_missing"]


def test_a_restarted_server_that_has_everything_is_let_in_by_whoever_comes_first(host: Host) -> None:
    one, other = host.process(), host.process()
    one.admits(SERVER, holding(set()))
    host.newest = [uuid4()]
    restarted = replace(SERVER, started="200.5", position=1100)
    assert other.admits(restarted, holding(set(host.newest)))
    assert one.key() == restarted.key
    assert host.told == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"system": "8000"}, "other_system"),
        ({"timeline": "00000002"}, "other_timeline"),
        ({"position": 999}, "earlier_position"),
        ({}, "newest_missing"),
    ],
)
def test_a_server_that_was_set_back_is_let_in_by_nobody(
    host: Host, change: dict[str, object], reason: str
) -> None:
    one, other = host.process(), host.process()
    one.admits(SERVER, holding(set()))
    host.newest = [uuid4()]
    has = holding(set() if reason == "newest_missing" else set(host.newest))
    seen = replace(SERVER, started="200.5", **change)  # type: ignore[arg-type]
    assert not other.admits(seen, has)
    assert not one.admits(seen, holding(set(host.newest)))
    assert one.key() is None
    assert host.reasons() == [reason]


@pytest.mark.parametrize("unknown", ["system", "timeline", "position"])
def test_what_a_server_does_not_tell_is_not_held_against_it(host: Host, unknown: str) -> None:
    one = host.process()
    one.admits(SERVER, holding(set()))
    assert one.admits(replace(SERVER, started="2", **{unknown: None}), holding(set()))  # type: ignore[arg-type]
    assert one.admits(SERVER, holding(set()))


def test_a_server_further_on_is_remembered_so(host: Host) -> None:
    one = host.process()
    one.admits(SERVER, holding(set()))
    assert one.confirms(replace(SERVER, position=5000), holding(set()))
    assert not host.process().admits(replace(SERVER, started="2", position=4999), holding(set()))


def test_a_write_that_turns_out_to_be_missing_shuts_the_door_behind_it(host: Host) -> None:
    one = host.process()
    assert one.confirms(SERVER, holding(set()))
    there, lost = uuid4(), uuid4()
    host.newest = [there]
    assert one.confirms(SERVER, holding({there}))
    host.newest = [there, lost]
    assert not one.confirms(SERVER, holding({there}))
    assert host.process().key() is None
    assert host.reasons() == ["newest_missing"]


def test_what_was_confirmed_once_is_not_asked_again(host: Host) -> None:
    asked: list[list[UUID]] = []

    def has(keys: Sequence[UUID]) -> bool:
        asked.append(list(keys))
        return True

    one = host.process()
    host.newest = [uuid4()]
    one.admits(SERVER, has)
    for _ in range(3):
        one.confirms(SERVER, has)
    assert asked[1:] == [host.newest, [], []]


def test_the_way_back(host: Host) -> None:
    one, other = host.process(), host.process()
    one.admits(SERVER, holding(set()))
    older = replace(SERVER, started="2", position=1)
    one.admits(older, holding(set()))
    incident = other.incident()
    assert incident is not None and incident.phase is Phase.SET_BACK
    other.wait(3)
    assert other.allow(who="ana")
    assert not one.allow(who="ana")
    other.done(direct=2, drained=1)
    assert one.take_over(older, incident)
    assert one.key() == older.key
    assert other.admits(older, holding(set()))
    incident = other.incident()
    assert incident is not None and incident.phase is Phase.OFFERING
    assert (incident.direct, incident.drained, incident.waiting) == (2, 1, 0)
    one.finish()
    assert other.incident() is None
    assert [event.name for event in host.told] == ["server_set_back", "reoffer_allowed", "reoffered"]
    one.finish()
    assert len(host.told) == 3


def test_a_look_that_was_overtaken_takes_nothing_over(host: Host) -> None:
    """Somebody else has finished, and meanwhile it happened again."""
    one = host.process()
    one.admits(SERVER, holding(set()))
    older = replace(SERVER, started="2", position=1)
    one.admits(older, holding(set()))
    slow = one.incident()
    assert slow is not None
    assert one.take_over(older, slow)
    one.finish()
    one.admits(replace(older, started="3", position=0), holding(set()))
    assert not one.take_over(older, slow)
    assert one.key() is None


def test_without_its_memory_a_host_goes_by_its_newest_writes(host: Host) -> None:
    one = host.process()
    one.admits(SERVER, holding(set()))
    host.newest = [uuid4()]
    host.forget_the_server()
    assert host.process().admits(SERVER, holding(set(host.newest)))
    host.forget_the_server()
    assert not host.process().admits(replace(SERVER, started="2"), holding(set()))
