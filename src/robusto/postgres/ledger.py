"""The ledger: one row per write, in the same transaction as its effect (rules 1 to 3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

from robusto.handlers import Transaction
from robusto.write import Write

#: `DO UPDATE` and not `DO NOTHING`: only that waits for and returns the row that is in the way. It
#: also hands a write that this journal drains over from the direct count to the journal's own.
_CLAIM = """
INSERT INTO robusto_ledger AS ledger
    (key, request_hash, kind, version, state, submit_id, journal, direct, accepted_at)
SELECT %(key)s, %(hash)s, %(kind)s, %(version)s, 'applied', %(submit)s, %(journal)s, %(direct)s, %(accepted)s
WHERE %(token)s::bigint IS NULL
   OR EXISTS (SELECT FROM robusto_drainer WHERE journal = %(journal)s AND token = %(token)s)
ON CONFLICT (key) DO UPDATE SET
    direct = ledger.direct AND (excluded.direct OR ledger.journal <> excluded.journal
                                OR ledger.request_hash <> excluded.request_hash)
RETURNING (xmax = 0), request_hash, submit_id, state
"""

#: A write that an operator sent again takes its fence over; an older version never can.
_TAKE_OVER = """
UPDATE robusto_ledger SET
    version = %(version)s, state = 'applied', submit_id = %(submit)s, applied_at = clock_timestamp()
WHERE key = %(key)s AND state = 'fenced' AND version < %(version)s AND request_hash = %(hash)s
  AND EXISTS (SELECT FROM robusto_drainer WHERE journal = %(journal)s AND token = %(token)s)
"""

_FENCE = """
INSERT INTO robusto_ledger AS ledger
    (key, request_hash, kind, version, state, submit_id, journal, direct, accepted_at)
SELECT %(key)s, %(hash)s, %(kind)s, %(version)s, 'fenced', %(submit)s, %(journal)s, false, %(accepted)s
WHERE EXISTS (SELECT FROM robusto_drainer WHERE journal = %(journal)s AND token = %(token)s)
ON CONFLICT (key) DO UPDATE SET
    version = CASE ledger.state WHEN 'fenced' THEN greatest(ledger.version, excluded.version)
                                ELSE ledger.version END,
    direct = ledger.direct AND (ledger.journal <> excluded.journal
                                OR ledger.request_hash <> excluded.request_hash)
RETURNING request_hash, state
"""

_DRAINER = """
INSERT INTO robusto_drainer AS drainer (journal, token) VALUES (%(journal)s, %(token)s)
ON CONFLICT (journal) DO UPDATE SET token = greatest(drainer.token, excluded.token)
RETURNING token
"""


class Claim(Enum):
    """What the ledger says to an attempt."""

    FIRST = "first"
    OURS = "ours"  # an earlier attempt of this very submit was committed
    DUPLICATE = "duplicate"  # another submit with the same key and body was
    KEY_REUSED = "key_reused"
    FENCED = "fenced"
    OUR_FENCE = "our_fence"  # set for this very entry, and its journal did not learn of it
    STALE_DRAINER = "stale"


class Fence(Enum):
    """What stands in the ledger once an entry was fenced off."""

    FENCED = "fenced"
    APPLIED = "applied"
    KEY_REUSED = "key_reused"
    STALE_DRAINER = "stale"


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One row of the ledger."""

    key: UUID
    request_hash: bytes
    kind: str
    state: str
    accepted_at: datetime
    applied_at: datetime
    journal: UUID
    direct: bool


def claim(tx: Transaction, write: Write, journal: UUID, token: int | None) -> Claim:
    """Put the write's row into the ledger, or say what is in the way."""
    params = _params(write, journal, token) | {"direct": token is None}
    if write.version > 1 and tx.execute(_TAKE_OVER, params).rowcount == 1:
        return Claim.FIRST
    row = tx.execute(_CLAIM, params).fetchone()
    if row is None:
        return Claim.STALE_DRAINER
    inserted, request_hash, submit_id, state = row
    if inserted:
        return Claim.FIRST
    if bytes(request_hash) != write.request_hash:
        return Claim.KEY_REUSED
    ours = submit_id == write.submit_id
    if state == "fenced":
        return Claim.OUR_FENCE if ours else Claim.FENCED
    return Claim.OURS if ours else Claim.DUPLICATE


def fence(tx: Transaction, write: Write, journal: UUID, token: int) -> Fence:
    """Make sure that no older attempt of this write can take effect any more."""
    row = tx.execute(_FENCE, _params(write, journal, token)).fetchone()
    if row is None:
        return Fence.STALE_DRAINER
    if bytes(row[0]) != write.request_hash:
        return Fence.KEY_REUSED
    return Fence(row[1])


def announce(tx: Transaction, journal: UUID, token: int) -> int:
    """Let the ledger refuse every drainer of this journal with an older token; returns the newest."""
    return int(tx.execute(_DRAINER, {"journal": journal, "token": token}).fetchone()[0])


def direct_writes(tx: Transaction, journal: UUID) -> int:
    """How many writes of this journal's host went directly to PostgreSQL."""
    sql = "SELECT count(*) FROM robusto_ledger WHERE journal = %s AND direct AND state = 'applied'"
    return int(tx.execute(sql, (journal,)).fetchone()[0])


def rows_between(tx: Transaction, low: UUID, high: UUID) -> Sequence[LedgerRow]:
    """The ledger's rows whose key lies in this range."""
    return _rows(tx, "key BETWEEN %s AND %s", (low, high))


def rows_of(tx: Transaction, keys: Sequence[UUID]) -> Sequence[LedgerRow]:
    """The ledger's rows of these keys."""
    return _rows(tx, "key = ANY(%s)", (list(keys),))


def _rows(tx: Transaction, condition: str, params: tuple[Any, ...]) -> Sequence[LedgerRow]:
    columns = "key, request_hash, kind, state, accepted_at, applied_at, journal, direct"
    found = tx.execute(f"SELECT {columns} FROM robusto_ledger WHERE {condition}", params).fetchall()
    return [LedgerRow(key, bytes(digest), *rest) for key, digest, *rest in found]


def _params(write: Write, journal: UUID, token: int | None) -> dict[str, Any]:
    return {
        "key": write.id, "hash": write.request_hash, "kind": write.kind, "version": write.version,
        "submit": write.submit_id, "journal": journal, "token": token, "accepted": write.accepted_at,
    }  # fmt: skip
