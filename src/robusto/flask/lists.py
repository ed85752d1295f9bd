"""Pending and quarantine, page by page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from flask import request
from flask.typing import ResponseReturnValue

from robusto.flask.web import blueprint, engine, page, page_for
from robusto.identity import id_range
from robusto.journal.browsing import Page
from robusto.journal.entry import Entry, EntryState
from robusto.watch.backlog import LOOK, Parked

#: The words of the address for each list of pending records.
_PENDING = {"": "pending", "banco": "waiting", "vez": "parked", "separado": "held"}


@dataclass(frozen=True, slots=True)
class Filter:
    """What the address of a list asks for. `writes` is None when no number was given or it is wrong."""

    state: str
    kind: str
    reason: str
    number: str
    writes: tuple[UUID, UUID] | None
    after_seq: int

    @property
    def wrong_number(self) -> bool:
        return bool(self.number) and self.writes is None

    def as_args(self) -> dict[str, str]:
        """The address again, without the page."""
        named = {"situacao": self.state, "tipo": self.kind, "motivo": self.reason, "protocolo": self.number}
        return {name: value for name, value in named.items() if value}


def writes_named(number: str) -> tuple[UUID, UUID] | None:
    """The range of ids that a protocol number or a write id stands for; None when it is neither."""
    try:
        id = UUID(number)
    except ValueError:
        try:
            return id_range(number)
        except ValueError:
            return None
    return id, id


def _filter() -> Filter:
    args = request.args
    state, number = args.get("situacao", ""), args.get("protocolo", "").strip()
    return Filter(
        state=state if state in _PENDING else "",
        kind=args.get("tipo", ""),
        reason=args.get("motivo", ""),
        number=number,
        writes=writes_named(number) if number else None,
        after_seq=min(max(0, args.get("depois", 0, type=int)), (1 << 63) - 1),
    )


@blueprint.get("/sistema/pendentes")
@page_for("ver")
def pending() -> ResponseReturnValue:
    """What is accepted and not in PostgreSQL yet."""
    wanted = _filter()
    found, elsewhere = _found(wanted, _PENDING[wanted.state], (EntryState.PENDING, EntryState.HELD))
    parked = engine().backlog.parked()
    return page(
        "pending.html",
        filter=wanted,
        found=found,
        elsewhere=elsewhere,
        parked=parked,
        blockers=_blockers(parked, found.entries),
        kinds=engine().kinds(),
        bound=LOOK,
    )


@blueprint.get("/sistema/quarentena")
@page_for("ver")
def quarantine() -> ResponseReturnValue:
    """What PostgreSQL refused and a person has to look at."""
    wanted = _filter()
    found, elsewhere = _found(wanted, "quarantined", (EntryState.QUARANTINED,))
    return page(
        "quarantine.html",
        filter=wanted,
        found=found,
        elsewhere=elsewhere,
        kinds=engine().kinds(),
        reasons=engine().backlog.reasons("quarantined"),
    )


def _found(wanted: Filter, which: str, states: tuple[EntryState, ...]) -> tuple[Page, Entry | None]:
    """The page that is asked for; or the one entry of this number, wherever it is."""
    backlog = engine().backlog
    if not wanted.number:
        found = backlog.page(which, kind=wanted.kind, reason=wanted.reason, after_seq=wanted.after_seq)
        return found, None
    entry = backlog.find(*wanted.writes) if wanted.writes is not None else None
    if entry is not None and entry.state in states:
        return Page([entry], None), None
    return Page([], None), entry


def _blockers(parked: Parked, entries: list[Entry]) -> Mapping[int, Entry]:
    """For each parked entry of the page, which one it waits for in the end."""
    roots = {seq.seq: parked.behind[seq.seq] for seq in entries if seq.seq in parked.behind}
    by_seq = {entry.seq: entry for entry in engine().backlog.entries(sorted(set(roots.values())))}
    return {seq: by_seq[root] for seq, root in roots.items() if root in by_seq}
