"""The journal on SQLite: the port that the engine's stages use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from uuid import UUID, uuid4

from robusto import local
from robusto.clock import Clock
from robusto.deadline import Deadline
from robusto.errors import JournalFull, JournalUnreadable
from robusto.journal import rows, seal
from robusto.journal.browsing import Browsing
from robusto.journal.entry import Copy, Entry, EntryState, Opened
from robusto.journal.file import RESERVE_BYTES, Superseded
from robusto.journal.group import GroupCommit
from robusto.journal.opening import PATIENCE, JournalFile, Opening
from robusto.journal.place import Place
from robusto.write import Write


@dataclass(frozen=True, slots=True)
class Draft:
    """A write to be appended, with why it was not stored directly."""

    write: Write
    reason: str
    maybe_applied: bool


class SqliteJournal(Browsing):
    """A durable FIFO that all processes of a host share. Every method may raise JournalError."""

    def __init__(self, place: Place, keys: tuple[bytes, ...], max_bytes: int, clock: Clock) -> None:
        super().__init__(Opening(place, keys, clock), clock)
        self._max_bytes = max_bytes
        self._appends: GroupCommit[Draft, tuple[Entry, bool]] = GroupCommit(self._append_group)

    def open(self) -> None:
        """Open the generation that counts, or make the first one. Raises MissingKey too."""
        self._opening.open()

    def secret(self) -> bytes:
        """What every id and digest derives from."""
        return self._opening.secret()

    def journal_id(self) -> UUID:
        """The name of this journal, which its generations share."""
        return self._opening.journal_id()

    def close(self) -> None:
        """Close the file; what is in it stays."""
        self._opening.close()

    # -- accepting -----------------------------------------------------------------------------

    def append(self, draft: Draft, deadline: Deadline) -> tuple[Entry, bool]:
        """Keep a write, flushed when this returns; with it whether it was there before.

        Raises JournalFull and JournalBusy when it is certainly not kept, others with `maybe_written`.
        """
        return self._appends.put(draft, deadline)

    def _append_group(
        self, take: Callable[[], Sequence[Draft]], deadline: Deadline
    ) -> Sequence[tuple[Entry, bool] | Exception]:
        with self._turn(deadline) as (file, db):
            if local.used_bytes(db) >= self._max_bytes:
                raise JournalFull("the journal has reached the size allowed to it")
            _require_room(file, db)
            return [self._append_one(db, file, draft) for draft in take()]

    def _append_one(self, db: local.Connection, file: JournalFile, draft: Draft) -> tuple[Entry, bool]:
        found = rows.find(db, draft.write.id, draft.write.id)
        if found is not None:
            return found, True
        entry = rows.insert(
            db, self._opening.cipher, file.generation.id, draft.write,
            reason=draft.reason, maybe_applied=draft.maybe_applied,
        )  # fmt: skip
        return entry, False

    # -- marking -------------------------------------------------------------------------------

    def mark(
        self, entry: Entry, state: EntryState, token: int, *, reason: str = "", retry_after: float = 0.0
    ) -> None:
        """Record what the drainer found out.

        Raises LeaseLost when this drainer is not the one any more, EntryChanged when somebody has
        decided about the entry meanwhile.
        """
        at = self._clock.wall()
        with self._marking() as (_, db):
            rows.check_token(db, token)
            rows.move(db, entry, state, at, reason=reason, not_before=at.timestamp() + retry_after)

    def taint(self, entry: Entry, token: int) -> None:
        """Record that an attempt of this entry was never answered."""
        with self._marking() as (_, db):
            rows.check_token(db, token)
            db.execute("UPDATE entries SET maybe_applied = 1 WHERE seq = ?", (entry.seq,))

    def note(self, entry: Entry, reason: str, token: int) -> None:
        """Record why an entry is about to be set aside, before anything is done about it."""
        with self._marking() as (_, db):
            rows.check_token(db, token)
            db.execute("UPDATE entries SET reason = ? WHERE seq = ?", (reason, entry.seq))

    def put_back(self, entries: Sequence[Entry], reason: str, token: int) -> None:
        """Let applied entries wait again, each in its old place: PostgreSQL has forgotten them."""
        at = self._clock.wall()
        with self._marking() as (_, db):
            rows.check_token(db, token)
            for entry in entries:
                rows.move(db, entry, EntryState.PENDING, at, reason=reason)
                rows.let_wait(db, entry.seq, entry.ordering)
                rows.put_back(db, entry.seq, at, place=entry.seq)

    def adopt(self, copies: Sequence[Copy], reason: str, token: int) -> int:
        """Let direct writes wait as entries, each in the place that it had; returns how many were not here.

        Neither the size limit nor the reserve binds this: they were accepted long ago.
        """
        at, adopted = self._clock.wall(), 0
        with self._marking() as (file, db):
            rows.check_token(db, token)
            for copy in copies:
                if rows.find(db, copy.write.id, copy.write.id) is None:
                    entry = rows.insert(
                        db, self._opening.cipher, file.generation.id, copy.write,
                        reason=reason, maybe_applied=False, readable=copy.readable,
                    )  # fmt: skip
                    rows.put_back(db, entry.seq, at, place=copy.behind, copy=copy.n)
                    adopted += 1
        return adopted

    def take_token(self, above: int = 0) -> int:
        """A token higher than any before: whoever has it is the one drainer of this journal."""
        with self._marking() as (_, db):
            db.execute("UPDATE meta SET value = max(value, ?) + 1 WHERE name = 'lease_token'", (above,))
            return int(db.execute("SELECT value FROM meta WHERE name = 'lease_token'").get)

    def requeue(self, opened: Opened, *, who: str, reason: str) -> None:
        """A person sends a quarantined entry again, as the next version of the same write."""
        entry, write = opened.entry, opened.write
        if write is None:
            raise JournalUnreadable("this entry cannot be decrypted, so it cannot be sent again")
        at = self._clock.wall()
        again = replace(write, version=entry.version + 1, submit_id=uuid4())
        with self._marking() as (file, db):
            rows.move(db, entry, EntryState.PENDING, at, reason="")
            place = rows.place_bytes(file.generation.id, entry.seq)
            db.execute(
                "UPDATE entries SET version = ?, sealed = ? WHERE seq = ?",
                (again.version, seal.seal(self._opening.cipher, again, place), entry.seq),
            )
            rows.record_act(db, at, who=who, verb="requeue", entry=entry, reason=reason, result="pending")

    def discard(self, entry: Entry, *, who: str, reason: str) -> None:
        """A person gives a quarantined entry up; what waited behind it may go on."""
        at = self._clock.wall()
        with self._marking() as (_, db):
            rows.move(db, entry, EntryState.DISCARDED, at, reason=entry.reason)
            rows.record_act(db, at, who=who, verb="discard", entry=entry, reason=reason, result="discarded")

    def reveal(self, entry: Entry, *, who: str) -> None:
        """A person was shown what is in an entry."""
        with self._marking() as (_, db):
            at = self._clock.wall()
            rows.record_act(db, at, who=who, verb="reveal", entry=entry, reason="", result="shown")

    def prune(self, applied_before: float) -> int:
        """Forget entries that were applied before this wall-clock second; returns how many."""
        with self._marking() as (_, db):
            db.execute(
                "DELETE FROM entries WHERE seq IN (SELECT seq FROM entries WHERE state = 'applied'"
                " AND changed_at < ? LIMIT 1000)",
                (applied_before,),
            )
            return int(db.changes())

    def try_to_write(self, deadline: Deadline) -> None:
        """Flush a small change under an append's conditions: could a write be kept now?"""
        with self._turn(deadline) as (file, db):
            _require_room(file, db)
            db.execute("UPDATE meta SET value = value + 1 WHERE name = 'heartbeat'")

    @contextmanager
    def _turn(self, deadline: Deadline) -> Iterator[tuple[JournalFile, local.Connection]]:
        """A transaction in the file that counts *while it lasts*: generations change in turns too."""
        while True:
            file = self._opening.current()
            with ExitStack() as stack:
                try:
                    db = stack.enter_context(file.transaction(deadline))
                except Superseded:
                    continue
                yield file, db
                return

    @contextmanager
    def _marking(self) -> Iterator[tuple[JournalFile, local.Connection]]:
        with self._turn(Deadline.after(self._clock, PATIENCE)) as turn:
            yield turn


def _require_room(file: JournalFile, db: local.Connection) -> None:
    """What is left of a full disk belongs to marks, so that the journal can empty itself."""
    if not file.keep_reserve() and local.free_bytes(db) < RESERVE_BYTES:
        raise JournalFull("the disk is full")
