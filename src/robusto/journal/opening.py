"""Which journal file counts: opened, opened again when another process published a new one, renewed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from robusto import local
from robusto.clock import Clock
from robusto.deadline import Deadline
from robusto.errors import JournalBusy, JournalError
from robusto.filelocks import FairLock
from robusto.journal import generation as generations
from robusto.journal import rows
from robusto.journal.cipher import Cipher
from robusto.journal.file import File
from robusto.journal.place import Generation, Place

#: Seconds that opening, a mark, a prune or a new generation may wait for the journal.
PATIENCE = 10.0


class JournalFile(File):
    """An open file together with the generation it is: the two are never read apart."""

    def __init__(self, generation: Generation, place: Place, lock: Path) -> None:
        self.generation = generation
        self.fingerprint = place.fingerprint()
        # A generation is published under the same lock, so one look inside the turn is enough.
        super().__init__(
            generation.file, lock, flush=True, current=lambda: place.fingerprint() == self.fingerprint
        )


class Opening:
    """Hands out the file that counts. Every method may raise JournalError."""

    def __init__(self, place: Place, keys: tuple[bytes, ...], clock: Clock) -> None:
        self._place = place
        self._keys = keys
        self._clock = clock
        self.cipher = Cipher(keys)
        self._lock_path = place.folder / "append.lock"
        self._opening = threading.Lock()
        self._file: JournalFile | None = None
        self._secret = b""

    def open(self) -> None:
        """Open the generation that counts, or make the first one. Raises MissingKey too."""
        self._place.prepare()
        self.current()

    def current(self) -> JournalFile:
        """The open file, reopened when another was published, renewed when it is broken."""
        file = self._file
        if file is None or file.fingerprint != self._place.fingerprint():
            with self._opening:
                file = self._reopened(file)
        if file.broken:
            with self._opening:
                file = self._renewed(file)
        return file

    def secret(self) -> bytes:
        """What every id and digest derives from; it goes with the journal from file to file."""
        if not self._secret:
            self.current()
        return self._secret

    def journal_id(self) -> UUID:
        """The name of this journal, which its generations share."""
        file = self._file or self.current()
        return file.generation.journal

    def _reopened(self, seen: JournalFile | None) -> JournalFile:
        if self._file is not None and self._file is not seen:
            return self._file  # another thread was faster
        generation = self._place.current() or self._first()
        file = JournalFile(generation, self._place, self._lock_path)
        try:
            with file.reading() as db:
                self._secret, rotated = generations.check(db, generation, self.cipher)
                complete = rows.complete(db)
            if not complete:
                with file.transaction(self._patience()) as db:
                    generations.add_what_is_missing(db)
            if rotated:
                with file.transaction(self._patience()) as db:
                    generations.reseal_meta(db, self.cipher)
            file.keep_reserve()
        except JournalError:
            file.close()
            raise
        self._file = file
        return file

    def _first(self) -> Generation:
        """Make the first generation; of several processes that start at once, one."""
        self._place.prepare()
        with self._alone():
            generation = self._place.current()
            if generation is None:
                generation = self._place.fresh()
                self._publish(generation, generations.first_identity(self._keys), None)
            return generation

    def _renewed(self, seen: JournalFile) -> JournalFile:
        """This file failed: publish the next generation with everything that can be read."""
        if self._file is not seen:
            return self._file or self._reopened(None)
        with self._alone():
            if self._place.fingerprint() == seen.fingerprint:
                new = self._place.fresh(seen.generation.journal)
                self._publish(new, self.secret(), seen.generation)
        return self._reopened(seen)

    def _publish(self, new: Generation, secret: bytes, old: Generation | None) -> None:
        try:
            generations.make(new, self.cipher, secret)
            if old is not None:
                generations.carry_over(old, new, self.cipher, self._clock.wall())
            self._place.publish(new)
        except (JournalError, local.SQLiteError, OSError) as error:
            if not self._place.may_name(new):  # the last step may have failed after it had its effect
                generations.remove(new)
            raise JournalError(f"no new journal file could be made: {error}") from error

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the journal's turn for the whole folder, whichever file is open."""
        try:
            turn = FairLock(self._lock_path)
        except OSError as error:
            raise JournalError(f"the journal's folder: {error.strerror}") from error
        try:
            if not turn.acquire(self._patience()):
                raise JournalBusy("another process holds the journal's folder")
            yield
        finally:
            turn.close()

    def _patience(self) -> Deadline:
        return Deadline.after(self._clock, PATIENCE)

    def close(self) -> None:
        """Close the file; what is in it stays."""
        with self._opening:
            if self._file is not None:
                self._file.close()
                self._file = None
