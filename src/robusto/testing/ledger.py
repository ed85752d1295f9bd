"""The engine's own statements, as the server in memory carries them out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from robusto.postgres import ledger, lineage
from robusto.testing.session import Session
from robusto.testing.values import Answer, Row

_NOTHING = Answer("INSERT 0 0")
_ROWS = (
    "SELECT key, request_hash, kind, state, accepted_at, applied_at, journal, direct"
    " FROM robusto_ledger WHERE "
)
_DIRECT = "SELECT count(*) FROM robusto_ledger WHERE journal = %s AND direct AND state = 'applied'"

Given = Mapping[str, Any]


def claim(session: Session, given: Given, at: datetime) -> Answer:
    """INSERT … ON CONFLICT DO UPDATE … RETURNING, as a desk (without a token) or a drainer."""
    if given["token"] is not None and not _drains(session, given):
        return _NOTHING
    session.take(("ledger", given["key"]))
    row = session.row(given["key"])
    if row is None:
        row = _fresh(given, "applied", given["direct"], at)
        answer = Answer("INSERT 0 1", ((True, *_returned(row)),), 1)
    else:
        row = replace(row, direct=row.direct and (given["direct"] or not _same(row, given)))
        answer = Answer("INSERT 0 1", ((False, *_returned(row)),), 1)
    session.ledger[given["key"]] = row
    return answer


def take_over(session: Session, given: Given, at: datetime) -> Answer:
    """UPDATE of a fence by a higher version."""
    if not _takes_over(session, given):
        return Answer("UPDATE 0")
    session.take(("ledger", given["key"]))
    if not _takes_over(session, given):
        return Answer("UPDATE 0")
    row = session.row(given["key"])
    assert row is not None
    session.ledger[given["key"]] = replace(
        row, version=given["version"], state="applied", submit_id=given["submit"], applied_at=at
    )
    return Answer("UPDATE 1", rowcount=1)


def fence(session: Session, given: Given, at: datetime) -> Answer:
    """INSERT of a fence, or a look at what stands there already."""
    if not _drains(session, given):
        return _NOTHING
    session.take(("ledger", given["key"]))
    row = session.row(given["key"])
    if row is None:
        row = _fresh(given, "fenced", False, at)
    else:
        newest = max(row.version, given["version"]) if row.state == "fenced" else row.version
        row = replace(row, version=newest, direct=row.direct and not _same(row, given))
    session.ledger[given["key"]] = row
    return Answer("INSERT 0 1", ((row.request_hash, row.state),), 1)


def announce(session: Session, given: Given, at: datetime) -> Answer:
    """The greatest token of a journal."""
    session.take(("drainer", given["journal"]))
    newest = max(session.token(given["journal"]) or 0, given["token"])
    session.tokens[given["journal"]] = newest
    return Answer("INSERT 0 1", ((newest,),), 1)


#: The statements that change something, by their text.
CHANGES: dict[str, Callable[[Session, Given, datetime], Answer]] = {
    ledger._CLAIM: claim,
    ledger._TAKE_OVER: take_over,
    ledger._FENCE: fence,
    ledger._DRAINER: announce,
}


def read(rows: Mapping[UUID, Row], sql: str, params: tuple[Any, ...]) -> Answer | None:
    """Answer a query of the ledger; None when it is none."""
    if sql == _DIRECT:
        found = [row for row in rows.values() if row.journal == params[0] and row.direct]
        return Answer("SELECT 1", ((sum(row.state == "applied" for row in found),),), 1)
    if sql == lineage.HAS:
        return Answer(
            "SELECT 1", ((sum(key in rows and rows[key].state == "applied" for key in params[0]),),), 1
        )
    if not sql.startswith(_ROWS):
        return None
    if sql.removeprefix(_ROWS) == "key BETWEEN %s AND %s":
        keys = [key for key in rows if params[0] <= key <= params[1]]
    elif sql.removeprefix(_ROWS) == "key = ANY(%s)":
        keys = [key for key in params[0] if key in rows]
    else:
        return None
    shown = tuple(_shown(key, rows[key]) for key in keys)
    return Answer(f"SELECT {len(shown)}", shown, len(shown))


def _shown(key: UUID, row: Row) -> tuple[Any, ...]:
    shown = key, row.request_hash, row.kind, row.state, row.accepted_at, row.applied_at
    return *shown, row.journal, row.direct


def _drains(session: Session, given: Given) -> bool:
    return bool(session.token(given["journal"]) == given["token"])


def _takes_over(session: Session, given: Given) -> bool:
    row = session.row(given["key"])
    return (
        row is not None
        and given["token"] is not None
        and row.state == "fenced"
        and bool(row.version < given["version"])
        and bool(row.request_hash == given["hash"])
        and _drains(session, given)
    )


def _same(row: Row, given: Given) -> bool:
    return bool(row.journal == given["journal"] and row.request_hash == given["hash"])


def _returned(row: Row) -> tuple[bytes, UUID, str]:
    return row.request_hash, row.submit_id, row.state


def _fresh(given: Given, state: str, direct: bool, at: datetime) -> Row:
    return Row(
        request_hash=given["hash"], kind=given["kind"], version=given["version"], state=state,
        submit_id=given["submit"], journal=given["journal"], direct=direct,
        accepted_at=given["accepted"], applied_at=at,
    )  # fmt: skip
