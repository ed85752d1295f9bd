"""The judge: pure functions from what the clients remember and what the rows show to a verdict."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from drill.history import Kind, Outcome, Write

_EDIT = re.compile(r"edit (\d+)")
_PARTS = ("stored", "pending", "quarantined", "discarded")
_STORED, _PENDING, _SET_ASIDE = "gravado", "pendente", ("quarentena", "descartado")


@dataclass(frozen=True)
class Row:
    """A student as the business table has it now."""

    id: str
    nome: str
    observacoes: str | None
    protocolo: str | None = None


@dataclass(frozen=True)
class Effect:
    """One change as the witness saw it."""

    n: int
    txid: int
    what: str
    id: str
    nome: str
    observacoes: str | None = None


@dataclass(frozen=True)
class Evidence:
    """All that is judged."""

    writes: Sequence[Write]
    rows: Sequence[Row]
    effects: Sequence[Effect]
    states: Mapping[str, str] = field(default_factory=dict)
    """Receipt -> `estado` as it is told after the drain."""
    ledger: Sequence[tuple[str, str]] = ()
    """Key and state of every row of the ledger."""
    quarantined: Mapping[str, bool] = field(default_factory=dict)
    """Every write in quarantine, and whether an attempt of it had no answer."""
    before: Mapping[str, Any] = field(default_factory=dict)
    """The status before the first write."""
    after: Mapping[str, Any] = field(default_factory=dict)
    """The status after the drain."""


@dataclass(frozen=True)
class Verdict:
    """What was found; any note is a finding against the product, or says that the run proved too little."""

    lost: int = 0
    duplicated: int = 0
    out_of_order: int = 0
    both: int = 0
    """Writes that were applied and are in quarantine, or discarded, as well."""
    personal: int = 0
    """Lines of logs that name people."""
    equation: bool = True
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Nothing lost, nothing twice, nothing out of order, the equation true, nothing else to object to."""
        found = self.lost or self.duplicated or self.out_of_order or self.both or self.personal
        return not found and not self.notes and self.equation

    def noting(self, *notes: str) -> Verdict:
        """The same with more findings."""
        return replace(self, notes=(*self.notes, *notes))


@dataclass
class _Tally:
    lost: int = 0
    duplicated: int = 0
    out_of_order: int = 0
    both: int = 0
    notes: Counter[str] = field(default_factory=Counter)


def judge(evidence: Evidence) -> Verdict:
    """Hold the clients' history against the rows, the witness and the app's own figures."""
    tally = _Tally()
    _judge_writes(evidence, tally)
    _judge_order(evidence, tally)
    _judge_strays(evidence, tally)
    _judge_ledger(evidence, tally)
    equation, objections = judge_equation(evidence)
    notes = [f"{text}: {count}" for text, count in sorted(tally.notes.items())]
    return Verdict(
        tally.lost, tally.duplicated, tally.out_of_order, tally.both,
        equation=equation, notes=(*notes, *objections),
    )  # fmt: skip


def refused_late(evidence: Evidence) -> int:
    """How many refusals followed an attempt that had no answer: told to a client, or put into quarantine."""
    told = sum(write.refused_late for write in evidence.writes)
    return told + sum(evidence.quarantined.values())


def judge_equation(evidence: Evidence) -> tuple[bool, list[str]]:
    """accepted = stored + pending + quarantined + discarded, and as many as the clients count."""
    accepted, before = evidence.after.get("accepted"), evidence.before.get("accepted")
    parts = [evidence.after.get(part) for part in _PARTS]
    if not isinstance(accepted, int) or not isinstance(before, int):
        return False, ["the status does not tell how much was accepted"]
    known = [part for part in parts if isinstance(part, int)]
    if len(known) < len(parts) or accepted != sum(known):
        return False, [f"the equation is broken: accepted {accepted}, parts {parts}"]
    sound = [write for write in evidence.writes if not write.flawed]
    least = sum(write.outcome.accepted for write in sound)
    most = least + sum(write.outcome is Outcome.UNKNOWN for write in sound)
    if not least <= accepted - before <= most:
        return False, [f"the app counts {accepted - before} accepted, the clients {least} to {most}"]
    return True, _judge_status(evidence.after)


def _judge_status(status: Mapping[str, Any]) -> list[str]:
    objections = []
    if status.get("pending"):
        objections.append(f"still pending after the drain: {status['pending']}")
    if status.get("database_connected") is not True:
        objections.append("the app does not see PostgreSQL after the healing")
    if status.get("level") not in ("green", "yellow"):
        objections.append(f"the level after the drain is {status.get('level')}: {status.get('reason')}")
    return objections


def _judge_writes(evidence: Evidence, tally: _Tally) -> None:
    inserted = Counter(effect.nome for effect in evidence.effects if effect.what == "insert")
    edited = Counter((e.id, number) for e in evidence.effects if (number := _number(e)))
    there = {(row.id, row.nome) for row in evidence.rows}
    for write in evidence.writes:
        if write.kind is Kind.REGISTER:
            times = inserted[write.nome]
            kept = (write.id, write.nome) in there
        else:
            # A body sent under a used key is told from the real edit by its text: see _judge_strays.
            times = 0 if write.flawed else edited[write.id, write.number]
            kept = times > 0
        _judge_write(write, times, kept, evidence.states.get(write.receipt, "unknown"), tally)


def _judge_write(write: Write, times: int, kept: bool, state: str, tally: _Tally) -> None:
    name = write.kind.value
    if times > 1:
        tally.duplicated += times - 1
    if times and (write.flawed or write.outcome in (Outcome.REJECTED, Outcome.NOT_KEPT)):
        tally.notes[f"effect of a {name} that was refused"] += 1
    elif times and write.doomed:
        tally.notes[f"effect of a {name} that PostgreSQL refused"] += 1
    if write.flawed or not write.outcome.accepted:
        return
    if state in _SET_ASIDE and not (write.rival or write.doomed):
        tally.notes[f"a sound {name} is in {state}"] += 1
    if times and state in _SET_ASIDE:
        tally.both += 1
    elif times and not kept:
        tally.lost += 1
    elif times and state != _STORED:
        tally.notes[f"a {name} took effect, its state is told as {state}"] += 1
    elif not times and state == _PENDING:
        tally.notes[f"a {name} is still pending"] += 1
    elif not times and state not in _SET_ASIDE:
        tally.lost += 1


def _judge_order(evidence: Evidence, tally: _Tally) -> None:
    """Each student's edits take effect in the order of their numbers, and the last one stays."""
    sequences: dict[str, list[int]] = defaultdict(list)
    last: dict[str, str | None] = {}
    for effect in sorted(evidence.effects, key=lambda effect: effect.n):
        last[effect.id] = effect.observacoes
        if number := _number(effect):
            sequences[effect.id].append(number)
    for numbers in sequences.values():
        once = list(dict.fromkeys(numbers))  # a second time is counted as duplicated, not here
        tally.out_of_order += sum(later < earlier for earlier, later in pairwise(once))
    for row in evidence.rows:
        if row.id in last and last[row.id] != row.observacoes:
            tally.lost += 1
            tally.notes["a row does not hold what was last written to it"] += 1


def _judge_strays(evidence: Evidence, tally: _Tally) -> None:
    """Effects that no client ever asked for."""
    sent = {write.nome for write in evidence.writes}
    edits = {(w.id, w.number) for w in evidence.writes if w.kind is Kind.EDIT}
    for effect in evidence.effects:
        number = _number(effect)
        asked = (effect.id, number) in edits if effect.what == "update" else effect.nome in sent
        if not asked:
            tally.notes[f"an {effect.what} that nobody sent"] += 1
    # A row comes by an insert that the witness saw, and by no other way.
    unseen = {row.id for row in evidence.rows} - {e.id for e in evidence.effects if e.what == "insert"}
    if unseen:
        tally.notes["rows that came unseen"] += len(unseen)


def _judge_ledger(evidence: Evidence, tally: _Tally) -> None:
    """One row for each key at most, and a fence before whatever came before a person."""
    rows = Counter(key for key, _ in evidence.ledger)
    if twice := sum(count > 1 for count in rows.values()):
        tally.notes["keys with several rows in the ledger"] += twice
    states = dict(evidence.ledger)
    for key in evidence.quarantined:
        if states.get(key) == "applied":
            tally.both += 1
        elif states.get(key) != "fenced":
            tally.notes["writes in quarantine without a fence"] += 1


def _number(effect: Effect) -> int:
    """Which edit this is; 0 for anything else."""
    found = _EDIT.fullmatch(effect.observacoes or "") if effect.what == "update" else None
    return int(found[1]) if found else 0
