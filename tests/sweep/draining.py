"""Drains into a real PostgreSQL, with the journal on the faulty disk: the whole engine."""

from __future__ import annotations

import base64
import time
from contextlib import suppress

import psycopg

from robusto import Engine, RobustoError
from robusto.postgres.target import FENCED
from tests.support.engine_kit import Shop, engine_at
from tests.sweep.actor import KEYS, Actor, id_of
from tests.sweep.world import Line

#: Entries that PostgreSQL takes, all behind one another, and one that it refuses.
GOOD, POISON = [f"good{n}" for n in range(4)], "poison"
_QUEUE = b"q" * 16

_FORGET = "TRUNCATE history, things, parts; DROP TABLE IF EXISTS robusto_ledger, robusto_drainer"

#: Passes that an operator asks for; seconds in which a well disk and a well server must be done.
_PASSES, _PATIENCE = 3, 30.0


def prepare(actor: Actor) -> None:
    """A backlog."""
    actor.open()
    for name in GOOD[:2]:
        actor.append(name, behind=(_QUEUE,))
    actor.append(POISON, kind="put", value="poison")
    for name in GOOD[2:]:
        actor.append(name, behind=(_QUEUE,))


def act(actor: Actor) -> None:
    """Drain as an operator does who clicks a few times."""
    _may_move(actor)
    with _engine(actor).open(worker=False) as engine:
        for _ in range(_PASSES):
            with suppress(RobustoError):
                actor.say({"drained": engine.drain().as_json()})


def finish(actor: Actor) -> None:
    """Drain what is left, and look. What a bad disk made unreadable is sent again, as an operator does."""
    _may_move(actor, "afterwards")
    actor.open()
    until = time.monotonic() + _PATIENCE
    with _engine(actor).open(worker=False) as engine:
        for entry in list(engine.quarantine.list()):
            if entry.reason == "unreadable":
                engine.quarantine.requeue(entry.id, who="ana", reason="the disk is well again")
        while engine.drain().remaining and time.monotonic() < until and not _fenced(actor):
            pass
    actor.look()


def _fenced(actor: Actor) -> bool:
    return any(opened.entry.reason == FENCED for opened in actor.journal.unfinished())


def _may_move(actor: Actor, *later: str) -> None:
    for name in (*GOOD, POISON, *later):
        for state in ("applied/1", "held/1", "quarantined/1", "applied/2"):
            actor.say({"do": "drain", "id": id_of(name).hex, "to": state})


def _engine(actor: Actor) -> Engine:
    return engine_at(
        actor.dsn, actor.folder, encryption_key=base64.urlsafe_b64encode(KEYS[0]).decode(), deadline_seconds=5
    )


class Business:
    """The database that is drained into."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        with psycopg.connect(dsn, autocommit=True) as connection:
            made = connection.execute("SELECT to_regclass('things')").fetchone() != (None,)
        if not made:
            Shop(dsn)

    def forget(self) -> None:
        """Begin anew."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(_FORGET)

    def problems(self, view: Line, *, finished: bool) -> list[str]:
        """What is wrong between a journal and this database."""
        effects, ledger = self._effects(), self._ledger()
        if any((entry["state"], entry["reason"]) == ("held", FENCED) for entry in view["entries"]):
            finished = False  # fenced while it was unreadable: it comes before a person in a minute
        good = [value for value in effects if value in GOOD]
        found = []
        if len(set(effects)) < len(effects) or good != GOOD[: len(good)]:
            found.append(f"twice or not in order: {effects}")
        if finished and good != GOOD:
            found.append(f"LOST: effects are {effects}")
        for entry in view["entries"]:
            there = ledger.get(entry["id"], "nothing")
            if entry["state"] == "applied" and there != "applied":
                found.append(f"LOST {entry['id'][:8]}: applied, and in the ledger is {there}")
            if entry["state"] == "quarantined" and there != "fenced":
                found.append(f"{entry['id'][:8]} is quarantined, and in the ledger is {there}")
            if finished and entry["state"] in ("pending", "held"):
                found.append(f"{entry['id'][:8]} was not drained: it is {entry['state']}")
        return found

    def _effects(self) -> list[str]:
        """Who has written, in order."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            rows = connection.execute("SELECT value FROM history ORDER BY n").fetchall()
        return [value.split(".")[0] for (value,) in rows]

    def _ledger(self) -> dict[str, str]:
        """State by key."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            if connection.execute("SELECT to_regclass('robusto_ledger')").fetchone() == (None,):
                return {}
            rows = connection.execute("SELECT key, state FROM robusto_ledger").fetchall()
        return {key.hex: state for key, state in rows}
