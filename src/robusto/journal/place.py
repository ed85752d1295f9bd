"""Where the journal lies, and how its removal is noticed.

    <folder>/journal.json           pointer: journal id, generation, file name; replaced as a whole
    <folder>/journal-<generation>.db    the generation that counts; older ones are evidence only
    <folder>.id                     the journal id again, outside the folder

An id without a pointer means that the journal was removed: that is an alarm and never a first start.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

from robusto.errors import JournalError, JournalMissing


@dataclass(frozen=True, slots=True)
class Generation:
    """One journal file: `id` is new whenever a file is made, so that seals cannot be carried over."""

    journal: UUID
    id: UUID
    file: Path


class Place:
    """The folder of a journal and the second place of its id."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._pointer = folder / "journal.json"
        self._second = folder.with_name(folder.name + ".id")

    def prepare(self) -> None:
        """Make the folder, readable by its owner only. Raises JournalMissing when that cannot be."""
        try:
            if not self._second.exists():
                _make_folder(self.folder)
            if stat.S_IMODE(os.stat(self.folder).st_mode) & 0o077:
                os.chmod(self.folder, 0o700)
        except FileNotFoundError:
            raise self._removed() from None
        except OSError as error:
            raise JournalMissing(f"the journal's folder {self.folder}: {error.strerror}") from None

    def current(self) -> Generation | None:
        """The generation that counts, or None on a first start. Raises JournalMissing."""
        try:
            known = self._second.read_text().strip()
        except FileNotFoundError:
            known = ""
        except OSError as error:
            raise JournalMissing(f"{self._second}: {error.strerror}") from None
        try:
            pointer = json.loads(self._pointer.read_text())
            generation = Generation(
                UUID(pointer["journal"]), UUID(pointer["generation"]), self.folder / pointer["file"]
            )
        except FileNotFoundError:
            if known:
                raise self._removed() from None
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise JournalMissing(f"the pointer {self._pointer} cannot be read: {error}") from None
        self._check(generation, known)
        return generation

    def _check(self, generation: Generation, known: str) -> None:
        if not generation.file.exists():
            raise self._removed()
        if not known:  # a folder that was moved here whole: it knows its own id
            self._name_again(generation)
        elif known != str(generation.journal):
            raise JournalMissing(
                f"{self.folder} holds another journal than {self._second} names; put the right folder back"
            )

    def _name_again(self, generation: Generation) -> None:
        try:
            _replace(self._second, str(generation.journal))
        except OSError as error:
            raise JournalError(f"{self._second} cannot be written: {error.strerror}") from error

    def _removed(self) -> JournalMissing:
        return JournalMissing(
            f"the journal in {self.folder} was removed or moved: put it back or restore a backup; only if"
            f" its pending writes may be given up, delete {self._second} to begin anew"
        )

    def fresh(self, journal: UUID | None = None) -> Generation:
        """A new generation, not yet published; its file does not exist."""
        id = uuid4()
        return Generation(journal or uuid4(), id, self.folder / f"journal-{id.hex[:12]}.db")

    def publish(self, generation: Generation) -> None:
        """Let this generation count from now on; durable when it returns. Raises OSError."""
        sync_folder(self.folder)
        text = json.dumps(
            {
                "journal": str(generation.journal),
                "generation": str(generation.id),
                "file": generation.file.name,
            }
        )
        _replace(self._pointer, text)
        if not self._second.exists():
            _replace(self._second, str(generation.journal))

    def may_name(self, generation: Generation) -> bool:
        """Whether this generation may be the one that counts, also when that cannot be read."""
        try:
            return generation.file.name in self._pointer.read_text()
        except FileNotFoundError:
            return False
        except OSError:
            return True

    def fingerprint(self) -> tuple[int, int]:
        """Changes whenever another generation is published. Raises JournalMissing."""
        try:
            found = os.stat(self._pointer)
        except OSError:
            raise self._removed() from None
        return found.st_ino, found.st_mtime_ns


def _make_folder(folder: Path) -> None:
    """With the folders above it, each flushed into the one that holds it.

    Also those that are there: whoever made them may have died before it flushed them.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    device = os.stat(folder).st_dev
    for each in folder.parents:
        if os.stat(each).st_dev != device:
            break
        with suppress(PermissionError):  # somebody else's, who made it long ago
            sync_folder(each)


def _replace(path: Path, text: str) -> None:
    """Write a small file so that either the old or the new one is there, whatever happens."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    fd = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        if os.write(fd, text.encode()) < len(text):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(fd)
    finally:
        os.close(fd)
    os.replace(scratch, path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Flush the folder itself, so that the names in it survive a power cut."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
