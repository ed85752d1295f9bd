"""What lies on disk: PostgreSQL's folder put back to what it was, the journal held by another program."""

from __future__ import annotations

import json
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing

from drill.faults.scene import Scene

_LOCK_SECONDS = 5.0


def set_back(scene: Scene) -> Iterator[None]:
    """A backup is made and restored: the same system and timeline, and what was written between is gone."""
    try:
        scene.server.stop(signal.SIGINT)
        scene.server.keep_copy()
        scene.restart()
        yield
        scene.server.stop(signal.SIGKILL)
        scene.server.put_copy_back()
    finally:
        scene.restart()


def journal_locked(scene: Scene) -> Iterator[None]:
    """Another program has a transaction open in the journal."""
    folder = scene.app.var / "journal"
    file = folder / json.loads((folder / "journal.json").read_text())["file"]
    with closing(sqlite3.connect(file, timeout=_LOCK_SECONDS, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield
        connection.execute("ROLLBACK")
