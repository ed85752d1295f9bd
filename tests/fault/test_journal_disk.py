"""What the crash sweep has found, each by itself."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from robusto import JournalError
from robusto.clock import SystemClock
from robusto.journal import place
from robusto.journal.sqlite import SqliteJournal
from tests.support.engine_journals import FAR, a_draft, break_file, journal_at

_ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "var" / "journal"


@pytest.fixture
def journal(folder: Path) -> Iterator[SqliteJournal]:
    with closing(journal_at(folder)) as journal:
        yield journal


def failing(*_: object) -> None:
    raise OSError(errno.EIO, os.strerror(errno.EIO))


def test_a_generation_that_counts_is_kept_although_the_flush_of_its_folder_failed(
    journal: SqliteJournal, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = journal.append(a_draft(), FAR())[0].id
    pointed = (folder / "journal.json").read_text()
    real = place.sync_folder

    def after_the_pointer(path: Path) -> None:
        if (folder / "journal.json").read_text() != pointed:
            failing()
        real(path)

    with monkeypatch.context() as patched:
        patched.setattr(place, "sync_folder", after_the_pointer)
        break_file(journal)
        with pytest.raises(JournalError):
            journal.counts()
    after = journal.append(a_draft(), FAR())[0].id
    assert [each.entry.id for each in journal.unfinished()] == [before, after]
    assert (folder / json.loads((folder / "journal.json").read_text())["file"]).exists()


def test_a_new_generation_begins_with_a_short_wal(journal: SqliteJournal, folder: Path) -> None:
    for _ in range(20):
        journal.append(a_draft(payload={"value": "x" * 50_000}), FAR())
    break_file(journal)
    assert journal.counts().pending == 20
    newest = max(folder.glob("journal-*.db-wal"), key=lambda path: path.stat().st_mtime_ns)
    assert newest.stat().st_size < 100_000


def test_a_generation_that_was_never_published_leaves_no_file_behind(
    journal: SqliteJournal, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.append(a_draft(), FAR())
    there = set(folder.glob("journal-*.db*"))
    with monkeypatch.context() as patched:
        patched.setattr(place, "sync_folder", failing)
        break_file(journal)
        for _ in range(3):
            with pytest.raises(JournalError):
                journal.counts()
    assert set(folder.glob("journal-*.db*")) == there


def test_a_folder_that_could_not_be_made_is_made_with_the_next_write(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(os, "mkdir", failing)
        late = SqliteJournal(place.Place(folder), (b"k" * 32,), 1 << 30, SystemClock())
        with pytest.raises(JournalError):
            late.open()
    with closing(late):
        late.append(a_draft(), FAR())


@pytest.mark.timeout(600)  # a hundred processes, on a machine that may be busy
def test_nothing_is_appended_behind_a_flush_that_failed() -> None:
    """The kernel holds such pages for clean: everybody reads them until the power is cut."""
    command = [sys.executable, "-m", "tests.sweep", "--jobs=1", "--operation", "append-restart"]
    swept = subprocess.run(
        [*command, "--fault", "error-restart"], cwd=_ROOT, capture_output=True, text=True, check=False
    )
    assert swept.returncode == 0, swept.stdout + swept.stderr
