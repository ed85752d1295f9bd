"""Sends one write until it is answered, and holds every answer against the contract."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

from drill.api import Reply
from drill.history import History, Kind, Outcome, Write

_STATES = {
    Outcome.STORED: {"gravado"},
    # A repeat is answered by the state as it is now, and that may be a person's decision.
    Outcome.PENDING: {"pendente", "quarentena", "descartado"},
}
_REFUSALS = {409, 422}
_REFUSED_FLAW = "a flawed write was answered {0} instead of 422"


class Caller(Protocol):
    """How writes reach the product: over HTTP, or by an engine in the writer's own process."""

    def register(self, body: dict[str, Any], key: str) -> Reply:
        """Register a student."""

    def edit(self, student: str, body: dict[str, Any], key: str) -> Reply:
        """Change a student."""

    def note(self, kind: Kind, reply: Reply, outcome: Outcome | None = None, key: str = "") -> None:
        """Put an answer into the history."""


class Sender:
    """Knows how a stranger must treat each answer: unknown and not kept are sent again with the same key."""

    def __init__(self, api: Caller, history: History, give_up: Callable[[], bool]) -> None:
        self._api = api
        self._history = history
        self._give_up = give_up

    def deliver(self, write: Write, seconds: float) -> Outcome:
        """Send until accepted or rejected, or until the time is over; the write holds what was told last."""
        end, pause = time.monotonic() + seconds, 0.05
        while True:
            self._history.sends(write)
            self._settle(write, self._send(write))
            self._history.settled(write)
            final = write.outcome.accepted or write.outcome is Outcome.REJECTED
            if final or time.monotonic() > end or self._give_up():
                return write.outcome
            time.sleep(pause)
            pause = min(1.0, pause * 2)

    def repeat(self, write: Write) -> None:
        """Send an accepted write once more: it must be absorbed."""
        reply = self._send(write)
        outcome = _outcome(write.kind, reply)
        self._api.note(write.kind, reply, outcome, write.key)
        self._history.count("accepted writes sent again")
        if outcome.accepted:
            self._holds_to_its_word(write, reply)
            if reply.body.get("duplicado") is True:
                self._history.absorbs()
            else:
                told = f"{write.outcome.value}, then {outcome.value}"
                self._history.breach(f"a repeat of {write.kind.value} ({told}) was not duplicado: true")
        elif outcome is Outcome.REJECTED:
            self._history.breach(f"a repeat of an accepted {write.kind.value} was refused ({reply.code})")

    def reuse(self, ghost: Write) -> None:
        """Send a key again with another body: it must be refused, and leave nothing behind."""
        self._history.sends(ghost)
        reply = self._send(ghost)
        ghost.outcome = _outcome(ghost.kind, reply)
        self._history.settled(ghost)
        self._api.note(ghost.kind, reply, ghost.outcome, ghost.key)
        self._history.count("keys sent again with another body")
        if ghost.outcome.accepted or (
            ghost.outcome is Outcome.REJECTED and reply.code != "chave-reutilizada"
        ):
            self._history.breach(f"a reused key was answered {reply.status} {reply.code}".rstrip())

    def _send(self, write: Write) -> Reply:
        if write.kind is Kind.REGISTER:
            return self._api.register(write.body, write.key)
        return self._api.edit(write.id, write.body, write.key)

    def _settle(self, write: Write, reply: Reply) -> None:
        outcome = _outcome(write.kind, reply)
        self._api.note(write.kind, reply, outcome, write.key)
        if write.attempts == 1:
            write.first = outcome
        write.unanswered |= outcome is Outcome.UNKNOWN
        if outcome is Outcome.UNKNOWN and reply.status not in (0, 503):
            self._history.breach(f"{write.kind.value} was answered {reply.status} {reply.code}".rstrip())
        # "Not kept" speaks of this attempt: it does not settle what an unanswered one may have done.
        if not (outcome is Outcome.NOT_KEPT and write.attempts > 1 and write.outcome is Outcome.UNKNOWN):
            write.outcome = outcome
        if outcome.accepted:
            self._accepted(write, reply, outcome)
        elif outcome is Outcome.REJECTED:
            self._refused(write, reply)

    def _accepted(self, write: Write, reply: Reply, outcome: Outcome) -> None:
        if write.flawed:
            self._history.breach(_REFUSED_FLAW.format(reply.status))
        if write.doomed and outcome is Outcome.STORED:
            self._history.breach("a doomed register was answered as stored")
        if write.attempts > 1 and reply.body.get("duplicado") is True:
            self._history.absorbs()
        if write.attempts == 1 and reply.body.get("duplicado") is not False:
            self._history.breach(f"the first answer to a {write.kind.value} was not duplicado: false")
        self._holds_to_its_word(write, reply)
        write.protocolo = str(reply.body.get("protocolo", ""))
        write.gravacao = str(reply.body.get("gravacao", ""))
        if write.kind is Kind.REGISTER:
            write.id = str(reply.body.get("id", ""))

    def _refused(self, write: Write, reply: Reply) -> None:
        if (write.flawed or write.doomed) and (reply.status, reply.code) == (422, "dados-invalidos"):
            return
        if write.rival and (reply.status, reply.code) == (409, "cpf-em-uso"):
            return
        self._history.breach(f"a sound {write.kind.value} was refused: {reply.status} {reply.code}".rstrip())

    def _holds_to_its_word(self, write: Write, reply: Reply) -> None:
        body, outcome = reply.body, _outcome(write.kind, reply)
        if body.get("estado") not in _STATES[outcome]:
            self._history.breach(f"{write.kind.value} {reply.status} came with estado {body.get('estado')!r}")
        if not (body.get("protocolo") and body.get("id") and body.get("gravacao")):
            self._history.breach(f"{write.kind.value} {reply.status} came without id, protocolo or gravacao")
        for name in ("id", "protocolo", "gravacao"):
            if getattr(write, name) not in ("", str(body.get(name, ""))):
                self._history.breach(f"a repeat of {write.kind.value} was answered with another {name}")


def _outcome(kind: Kind, reply: Reply) -> Outcome:
    if reply.status == (201 if kind is Kind.REGISTER else 200):
        return Outcome.STORED
    if reply.status == 202:
        return Outcome.PENDING
    if reply.status in _REFUSALS:
        return Outcome.REJECTED
    if reply.status == 503 and reply.code == "nao-guardado":
        return Outcome.NOT_KEPT
    return Outcome.UNKNOWN
