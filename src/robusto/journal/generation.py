"""A journal file is made, opened, and replaced by its next generation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from robusto import local
from robusto.errors import JournalError, JournalUnreadable
from robusto.journal import rows, seal
from robusto.journal.cipher import Cipher, derive
from robusto.journal.place import Generation
from robusto.journal.schema import COLUMNS, SCHEMA_VERSION, TABLES

_CANARY = b"robusto"


def make(generation: Generation, cipher: Cipher, identity_secret: bytes) -> None:
    """Create an empty journal file, flushed. Raises SQLiteError."""
    db = local.connect(generation.file, flush=True)
    try:
        with db:
            db.execute(TABLES)
            db.executemany(
                "INSERT INTO meta (name, value) VALUES (?, ?)",
                [
                    ("schema", SCHEMA_VERSION),
                    ("journal", generation.journal.bytes),
                    ("generation", generation.id.bytes),
                    ("lease_token", 0),
                    ("heartbeat", 0),
                    ("canary", cipher.seal(_CANARY, b"canary")),
                    ("identity", cipher.seal(identity_secret, b"identity")),
                ],
            )
    finally:
        db.close()


def remove(generation: Generation) -> None:
    """Take a file away that was never published."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{generation.file}{suffix}").unlink(missing_ok=True)


def check(db: local.Connection, generation: Generation, cipher: Cipher) -> bytes:
    """Make sure that the file is this generation and can be opened; returns the identity secret.

    Raises JournalUnreadable when it is another file, or sealed with a key that is not here.
    """
    meta = dict(db.execute("SELECT name, value FROM meta"))
    if meta.get("generation") != generation.id.bytes or meta.get("schema") != SCHEMA_VERSION:
        raise JournalUnreadable(f"{generation.file} is not the journal file that its pointer names")
    cipher.open(meta["canary"], b"canary")
    secret = cipher.open(meta["identity"], b"identity")
    for (head,) in db.execute(
        "SELECT DISTINCT substr(sealed, 1, 9) FROM entries WHERE state IN ('pending', 'held', 'quarantined')"
    ):
        if not cipher.knows(head):
            raise JournalUnreadable(
                f"unfinished entries are sealed with key {head[1:].hex()}, which is not among the keys given;"
                " add that key at the end of ROBUSTO_ENCRYPTION_KEY"
            )
    return secret


def reseal_meta(db: local.Connection, cipher: Cipher) -> None:
    """After a rotation: carry the file's own secrets over to the key that seals now."""
    for name in ("canary", "identity"):
        row = db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        if row and not cipher.sealed_with_first(row[0]):
            fresh = cipher.seal(cipher.open(row[0], name.encode()), name.encode())
            db.execute("UPDATE meta SET value = ? WHERE name = ?", (fresh, name))


def first_identity(keys: tuple[bytes, ...]) -> bytes:
    """The identity secret of a new installation.

    From the *oldest* key given, so that hosts which share their keys agree, also after a rotation.
    """
    return derive(keys[-1], "identity")


def carry_over(old: Generation, new: Generation, cipher: Cipher) -> int:
    """Fill the next generation with every readable entry of the last one, in order, flushed.

    Sequence numbers stay, so that the counts go on; entries that cannot be read leave a gap, which
    the equation shows. Returns how many were lost. Raises SQLiteError when the new file fails.
    """
    source = local.connect(old.file, flush=True, create=False)
    target = local.connect(new.file, flush=True, create=False)
    lost = 0
    try:
        with target:
            last = rows.last_seq(source)
            for row in _each(source, last):
                fresh = _resealed(row, old.id, new.id, cipher)
                if fresh is None:
                    lost += 1
                else:
                    rows.put(target, fresh)
            _copy_books(source, target, last)
    finally:
        source.close()
        target.close()
    return lost


def _each(source: local.Connection, last: int) -> Iterator[tuple[Any, ...]]:
    """Row by row, so that a damaged page costs only the entries on it; () for an unreadable one."""
    for seq in range(1, last + 1):
        try:
            row = source.execute(f"SELECT {COLUMNS}, sealed FROM entries WHERE seq = ?", (seq,)).fetchone()
        except local.SQLiteError:
            row = ()
        if row is not None:  # None: pruned
            yield row


def _resealed(row: tuple[Any, ...], old: UUID, new: UUID, cipher: Cipher) -> tuple[Any, ...] | None:
    if not row:
        return None
    opened = rows.opened_of(row, cipher, old)
    if opened.write is None:
        return None
    return (*row[:-1], seal.seal(cipher, opened.write, rows.place_bytes(new, opened.entry.seq)))


def _copy_books(source: local.Connection, target: local.Connection, last: int) -> None:
    """What stands beside the entries: acts, the number of pruned ones, the lease's token."""
    try:
        acts = list(source.execute("SELECT id, at, who, verb, entry, reason, result FROM acts"))
        pruned = source.execute("SELECT n FROM counters WHERE state = 'pruned'").get
        token = source.execute("SELECT value FROM meta WHERE name = 'lease_token'").get
    except local.SQLiteError as error:
        raise JournalError(f"the books of the old journal cannot be read: {error}") from error
    target.executemany("INSERT INTO acts VALUES (?, ?, ?, ?, ?, ?, ?)", acts)
    target.execute("UPDATE counters SET n = ? WHERE state = 'pruned'", (pruned,))
    target.execute("UPDATE meta SET value = ? WHERE name = 'lease_token'", (token + 1,))
    target.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'entries'", (last,))
    if target.changes() == 0 and last:
        target.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('entries', ?)", (last,))
