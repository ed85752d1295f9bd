"""The journal on SQLite: the port that the engine's stages use."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID, uuid4

from robusto import local
from robusto.clock import Clock
from robusto.deadline import Deadline
from robusto.errors import JournalError, JournalMissing, JournalUnreadable
from robusto.failures import needs_a_person
from robusto.filelocks import FairLock
from robusto.journal import generation as generations
from robusto.journal import rows, seal
from robusto.journal.cipher import Cipher
from robusto.journal.entry import Counts, Entry, EntryState, Opened
from robusto.journal.file import File
from robusto.journal.group import GroupCommit
from robusto.journal.place import Generation, Place
from robusto.journal.schema import COLUMNS, UNFINISHED
from robusto.write import Write

_PAGE_BYTES = 4096
#: Entries that are read and decrypted at a time: memory stays flat however many are pending.
_BATCH = 200
#: Seconds that a mark, a prune or a new generation may wait for the journal.
_PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Draft:
    """A write to be appended, with why it was not stored directly."""

    write: Write
    reason: str
    maybe_applied: bool


class SqliteJournal:
    """A durable FIFO that all processes of a host share. Every method may raise JournalError."""

    def __init__(self, place: Place, keys: tuple[bytes, ...], max_bytes: int, clock: Clock) -> None:
        self._place = place
        self._keys = keys
        self._cipher = Cipher(keys)
        self._max_bytes = max_bytes
        self._clock = clock
        self._opening = threading.Lock()
        self._file: File | None = None
        self._fingerprint: tuple[int, int] | None = None
        self._appends: GroupCommit[Draft, tuple[Entry, bool]] = GroupCommit(self._append_group)
        self.generation: Generation
        self._identity_secret = b""
        self.lost_entries = 0

    # -- opening -------------------------------------------------------------------------------

    def open(self) -> None:
        """Open the generation that counts, or make the first one."""
        self._place.prepare()
        self._current()

    def secret(self) -> bytes:
        """What every id and digest derives from; it goes with the journal from file to file."""
        if not self._identity_secret:
            self._current()
        return self._identity_secret

    def journal_id(self) -> UUID:
        """The name of this journal, which its generations share."""
        if not self._identity_secret:
            self._current()
        return self.generation.journal

    def _current(self) -> File:
        """The open file, reopened when another process published a generation, renewed when broken."""
        if self._file is None or self._fingerprint != self._place.fingerprint():
            with self._opening:
                self._open_current()
        if self._file is not None and self._file.broken:
            with self._opening:
                self._renew()
        assert self._file is not None
        return self._file

    def _open_current(self) -> None:
        generation = self._place.current()
        if generation is None:
            generation = self._first()
        fingerprint = self._place.fingerprint()
        file = File(generation.file, self._lock_path, flush=True, max_pages=self._max_bytes // _PAGE_BYTES)
        with file.reading() as db:
            self._identity_secret = generations.check(db, generation, self._cipher)
        with file.transaction(self._patience()) as db:
            generations.reseal_meta(db, self._cipher)
        file.keep_reserve()
        self._file, self._fingerprint, self.generation = file, fingerprint, generation

    @property
    def _lock_path(self) -> Path:
        return self._place.folder / "append.lock"

    def _first(self) -> Generation:
        """Make the first generation; of several processes that start at once, one."""
        with self._alone():
            generation = self._place.current()
            if generation is None:
                generation = self._place.fresh()
                self._make(generation, generations.first_identity(self._keys))
                self._place.publish(generation)
            return generation

    def _renew(self) -> None:
        """The open file failed: publish the next generation with everything that can be read."""
        with self._alone():
            if self._place.fingerprint() == self._fingerprint:
                new = self._place.fresh(self.generation.journal)
                try:
                    self._make(new, self._identity_secret)
                    self.lost_entries = generations.carry_over(self.generation, new, self._cipher)
                    self._place.publish(new)
                except (JournalError, local.SQLiteError, OSError) as error:
                    generations.remove(new)
                    raise JournalError(f"no new journal file could be made: {error}") from error
        self._open_current()

    def _make(self, generation: Generation, identity_secret: bytes) -> None:
        try:
            generations.make(generation, self._cipher, identity_secret)
        except local.SQLiteError as error:
            raise JournalError(f"a journal file could not be made: {error}") from error

    def _alone(self) -> _Alone:
        return _Alone(FairLock(self._lock_path), self._patience())

    def _patience(self) -> Deadline:
        return Deadline.after(self._clock, _PATIENCE)

    # -- accepting -----------------------------------------------------------------------------

    def append(self, draft: Draft, deadline: Deadline) -> tuple[Entry, bool]:
        """Keep a write, flushed when this returns; with it whether it was there before.

        Raises JournalFull and JournalBusy when it is certainly not kept, others with `maybe_written`.
        """
        return self._appends.put(draft, deadline)

    def _append_group(
        self, take: Callable[[], Sequence[Draft]], deadline: Deadline
    ) -> Sequence[tuple[Entry, bool] | Exception]:
        file, generation = self._current(), self.generation.id
        with file.transaction(deadline) as db:
            return [self._append_one(db, generation, draft) for draft in take()]

    def _append_one(self, db: local.Connection, generation: UUID, draft: Draft) -> tuple[Entry, bool]:
        found = rows.find(db, draft.write.id, draft.write.id)
        if found is not None:
            return found, True
        entry = rows.insert(
            db, self._cipher, generation, draft.write,
            reason=draft.reason, maybe_applied=draft.maybe_applied,
        )  # fmt: skip
        return entry, False

    # -- looking -------------------------------------------------------------------------------

    def find(self, low: UUID, high: UUID | None = None) -> Entry | None:
        """The entry with this id, or in this range of ids."""
        with self._current().reading() as db:
            return rows.find(db, low, high or low)

    def waits_behind(self, digests: tuple[bytes, ...]) -> bool:
        """Whether an unfinished entry holds one of these ordering keys."""
        if not digests:
            return False
        with self._current().reading() as db:
            return rows.waits_behind(db, digests)

    def unfinished(self, after_seq: int = 0) -> Iterator[Opened]:
        """Every pending, held or quarantined entry, in order, batch by batch."""
        while True:
            file, generation = self._current(), self.generation.id
            with file.reading() as db:
                batch = list(rows.unfinished(db, after_seq, _BATCH))
            for row in batch:
                yield rows.opened_of(row, self._cipher, generation)
            if len(batch) < _BATCH:
                return
            after_seq = batch[-1][0]

    def open_entry(self, id: UUID) -> Opened | None:
        """One entry with its write, for an operator."""
        with self._current().reading() as db:
            row = db.execute(f"SELECT {COLUMNS}, sealed FROM entries WHERE id = ?", (id.bytes,)).fetchone()
        return rows.opened_of(row, self._cipher, self.generation.id) if row else None

    def counts(self) -> Counts:
        """How many entries are in each state."""
        with self._current().reading() as db:
            return rows.counts(db)

    def oldest_pending(self) -> float | None:
        """Age in seconds of the oldest entry that still has to reach PostgreSQL."""
        with self._current().reading() as db:
            oldest = rows.oldest_pending(db)
        return None if oldest is None else max(0.0, (self._clock.wall() - oldest).total_seconds())

    def alarming_reasons(self) -> list[str]:
        """Why entries are held, where a person has to act."""
        with self._current().reading() as db:
            found = db.execute(f"SELECT DISTINCT reason FROM entries WHERE {UNFINISHED} AND state = 'held'")
            return sorted(reason for (reason,) in found if needs_a_person(reason))

    def counted_rows(self) -> dict[str, int]:
        """How many entries are in each state, by counting them and not by the counters."""
        with self._current().reading() as db:
            return dict(db.execute("SELECT state, count(*) FROM entries GROUP BY state"))

    def all_entries(self) -> Iterator[tuple[UUID, EntryState, bytes]]:
        """Id, state and request hash of every entry that is kept, in order."""
        seq = 0
        while True:
            with self._current().reading() as db:
                batch = list(
                    db.execute(
                        "SELECT seq, id, state, request_hash FROM entries WHERE seq > ? ORDER BY seq LIMIT ?",
                        (seq, _BATCH),
                    )
                )
            yield from ((UUID(bytes=id), EntryState(state), h) for _, id, state, h in batch)
            if len(batch) < _BATCH:
                return
            seq = batch[-1][0]

    def damages(self) -> list[str]:
        """Every page is read and every seal opened; what was found damaged."""
        found: list[str] = []
        with self._current().reading() as db:
            found += [text for (text,) in db.execute("PRAGMA integrity_check(20)") if text != "ok"]
            for row in db.execute(f"SELECT {COLUMNS}, sealed FROM entries ORDER BY seq"):
                opened = rows.opened_of(row, self._cipher, self.generation.id)
                if opened.write is None:
                    found.append(f"entry {opened.entry.seq} ({opened.entry.id}) cannot be opened")
        return found

    def try_to_write(self, deadline: Deadline) -> None:
        """Flush a small change, to know whether a write could be kept now. Raises JournalError."""
        with self._current().transaction(deadline) as db:
            db.execute("UPDATE meta SET value = value + 1 WHERE name = 'heartbeat'")

    def applied_since(self, since: float) -> list[Opened]:
        """Entries that were applied after this wall-clock second, in the order of their change."""
        with self._current().reading() as db:
            found = list(
                db.execute(
                    f"SELECT {COLUMNS}, sealed FROM entries"
                    " WHERE state IN ('applied', 'discarded') AND changed_at >= ? ORDER BY changed_at, seq",
                    (since,),
                )
            )
        opened = [rows.opened_of(row, self._cipher, self.generation.id) for row in found]
        return [each for each in opened if each.entry.state is EntryState.APPLIED]

    # -- marking -------------------------------------------------------------------------------

    def mark(
        self, entry: Entry, state: EntryState, token: int, *, reason: str = "", retry_after: float = 0.0
    ) -> None:
        """Record what the drainer found out. Raises LeaseLost when this drainer is not the one any more."""
        at = self._clock.wall()
        with self._marking() as db:
            rows.check_token(db, token)
            rows.move(db, entry, state, at, reason=reason, not_before=at.timestamp() + retry_after)

    def taint(self, entry: Entry, token: int) -> None:
        """Record that an attempt of this entry was never answered."""
        with self._marking() as db:
            rows.check_token(db, token)
            db.execute("UPDATE entries SET maybe_applied = 1 WHERE seq = ?", (entry.seq,))

    def take_token(self) -> int:
        """A token higher than any before: whoever has it is the one drainer of this journal."""
        with self._marking() as db:
            db.execute("UPDATE meta SET value = value + 1 WHERE name = 'lease_token'")
            return int(db.execute("SELECT value FROM meta WHERE name = 'lease_token'").get)

    def requeue(self, opened: Opened, *, who: str, reason: str) -> None:
        """A person sends a quarantined entry again, as the next version of the same write."""
        entry, write = opened.entry, opened.write
        if write is None:
            raise JournalUnreadable("this entry cannot be decrypted, so it cannot be sent again")
        at = self._clock.wall()
        again = replace(write, version=entry.version + 1, submit_id=uuid4())
        sealed = seal.seal(self._cipher, again, rows.place_bytes(self.generation.id, entry.seq))
        with self._marking() as db:
            rows.move(db, entry, EntryState.PENDING, at, reason="")
            db.execute(
                "UPDATE entries SET version = ?, sealed = ? WHERE seq = ?", (again.version, sealed, entry.seq)
            )
            rows.record_act(db, at, who=who, verb="requeue", entry=entry, reason=reason, result="pending")

    def discard(self, entry: Entry, *, who: str, reason: str) -> None:
        """A person gives a quarantined entry up; what waited behind it may go on."""
        at = self._clock.wall()
        with self._marking() as db:
            rows.move(db, entry, EntryState.DISCARDED, at, reason=entry.reason)
            rows.record_act(db, at, who=who, verb="discard", entry=entry, reason=reason, result="discarded")

    def prune(self, applied_before: float) -> int:
        """Forget entries that were applied before this wall-clock second; returns how many."""
        with self._marking() as db:
            db.execute(
                "DELETE FROM entries WHERE seq IN (SELECT seq FROM entries WHERE state = 'applied'"
                " AND changed_at < ? LIMIT 1000)",
                (applied_before,),
            )
            return int(db.changes())

    def acts(self, limit: int = 100) -> list[tuple[float, str, str, UUID, str, str]]:
        """What operators did: at, who, verb, write, reason, result; the newest first."""
        with self._current().reading() as db:
            found = db.execute(
                "SELECT at, who, verb, entry, reason, result FROM acts ORDER BY id DESC LIMIT ?", (limit,)
            )
            return [(at, who, verb, UUID(bytes=e), why, result) for at, who, verb, e, why, result in found]

    def _marking(self) -> AbstractContextManager[local.Connection]:
        return self._current().transaction(self._patience())

    def close(self) -> None:
        """Close the file; what is in it stays."""
        if self._file is not None:
            self._file.close()
            self._file = None


class _Alone:
    """Holds the journal's turn for the whole folder, whichever file is open."""

    def __init__(self, turn: FairLock, deadline: Deadline) -> None:
        self._turn, self._deadline = turn, deadline

    def __enter__(self) -> None:
        if not self._turn.acquire(self._deadline):
            self._turn.close()
            raise JournalMissing("another process holds the journal's folder")

    def __exit__(self, *_: object) -> None:
        self._turn.close()
