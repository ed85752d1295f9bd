"""A journal file is made, opened, and replaced by its next generation."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from robusto import local
from robusto.errors import JournalError, JournalUnreadable, MissingKey
from robusto.journal import rows, seal
from robusto.journal.cipher import Cipher, derive
from robusto.journal.place import Generation
from robusto.journal.schema import COLUMNS, RETURNED, SCHEMA_VERSION, TABLES, UNFINISHED


def make(generation: Generation, cipher: Cipher, identity_secret: bytes) -> None:
    """Create an empty journal file, flushed. Raises SQLiteError."""
    db = local.connect(generation.file, flush=True)
    try:
        with db:
            db.execute(TABLES)
            db.execute(RETURNED)
            db.executemany(
                "INSERT INTO meta (name, value) VALUES (?, ?)",
                [
                    ("schema", SCHEMA_VERSION),
                    ("journal", generation.journal.bytes),
                    ("generation", generation.id.bytes),
                    ("lease_token", 0),
                    ("heartbeat", 0),
                    ("identity", cipher.seal(identity_secret, b"identity")),
                ],
            )
    finally:
        db.close()


def remove(generation: Generation) -> None:
    """Take a file away that was never published."""
    for suffix in ("", "-wal", "-shm"):
        with suppress(OSError):
            os.unlink(f"{generation.file}{suffix}")


def check(db: local.Connection, generation: Generation, cipher: Cipher) -> tuple[bytes, bool]:
    """Make sure that the file is this generation and can be opened.

    Returns the identity secret, and whether the keys were rotated since it was sealed. Raises
    MissingKey, and JournalUnreadable when it is another file.
    """
    meta = dict(db.execute("SELECT name, value FROM meta"))
    if meta.get("generation") != generation.id.bytes or meta.get("schema") != SCHEMA_VERSION:
        raise JournalUnreadable(f"{generation.file} is not the journal file that its pointer names")
    for head in [meta["identity"][:9], *_seals_of_unfinished(db)]:
        if not cipher.knows(head):
            raise MissingKey(
                f"the journal is sealed with key {head[1:].hex()}, which is not among the keys given;"
                " add that key at the end of ROBUSTO_ENCRYPTION_KEY"
            )
    return cipher.open(meta["identity"], b"identity"), not cipher.sealed_with_first(meta["identity"])


def _seals_of_unfinished(db: local.Connection) -> list[bytes]:
    """The heads (format and key id) of the seals that still have to be opened."""
    heads = f"SELECT DISTINCT substr(sealed, 1, 9) FROM entries WHERE {UNFINISHED} AND length(sealed) > 0"
    try:
        return [head for (head,) in db.execute(heads)]
    except (local.IOFailure, *local.Corrupt):
        return []  # a damaged page is dealt with where it is met, and stops no start


def add_what_is_missing(db: local.Connection) -> None:
    """What was added to the format after this file was made."""
    db.execute(RETURNED)


def reseal_meta(db: local.Connection, cipher: Cipher) -> None:
    """After a rotation: carry the file's own secret over to the key that seals now."""
    sealed = db.execute("SELECT value FROM meta WHERE name = 'identity'").get
    fresh = cipher.seal(cipher.open(sealed, b"identity"), b"identity")
    db.execute("UPDATE meta SET value = ? WHERE name = 'identity'", (fresh,))


def first_identity(keys: tuple[bytes, ...]) -> bytes:
    """The identity secret of a new installation.

    From the *oldest* key given, so that hosts which share their keys agree, also after a rotation.
    """
    return derive(keys[-1], "identity")


def carry_over(old: Generation, new: Generation, cipher: Cipher, at: datetime) -> None:
    """Fill the next generation with every entry of the last one, in order, flushed.

    Sequence numbers stay, so that the counts go on. An entry whose seal does not open stays what it
    was, without a seal. One that cannot be read at all is put before a person, if its id at least can
    be; if not even that, it is a gap, which the equation shows. Raises SQLiteError when the new file
    fails.
    """
    source = local.connect(old.file, flush=True, create=False)
    target = local.connect(new.file, flush=True, create=False)
    try:
        with target:
            for seq in _numbers(source):
                row = _read(source, seq)
                if row is not None:
                    target_row = _resealed(row, old.id, new.id, cipher) or _shell(source, seq, at)
                    if target_row is not None:
                        rows.put(target, target_row)
            _copy_books(source, target, rows.last_seq(source))
        # Folded in at once: a WAL as long as the whole journal would stay, and be flushed at every start.
        target.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        source.close()
        target.close()


def _numbers(source: local.Connection) -> Iterable[int]:
    """The sequence numbers that are kept; all that were ever given where that cannot be read."""
    try:
        return [seq for (seq,) in source.execute("SELECT seq FROM entries ORDER BY seq")]
    except (local.IOFailure, *local.Corrupt):
        return range(1, rows.last_seq(source) + 1)


def _read(source: local.Connection, seq: int) -> tuple[Any, ...] | None:
    """Row by row, so that a damaged page costs only the entries on it: () then; None when pruned."""
    return rows.read_one(source, f"SELECT {COLUMNS}, sealed FROM entries WHERE seq = ?", seq)


def _resealed(row: tuple[Any, ...], old: UUID, new: UUID, cipher: Cipher) -> tuple[Any, ...] | None:
    """The row for the new file; None for one that cannot be read.

    Without its seal, perhaps by a key that was removed, what was applied is still applied; what is
    pending is fenced off before a person sees it.
    """
    if not row:
        return None
    entry = rows.entry_of(row)
    try:
        write = rows.unseal(cipher, row[-1], old, entry)
    except JournalUnreadable:
        return (*row[:-1], b"")
    return (*row[:-1], seal.seal(cipher, write, rows.place_bytes(new, entry.seq)))


def _shell(source: local.Connection, seq: int, at: datetime) -> tuple[Any, ...] | None:
    """What is left of an unreadable entry: its id and its ordering keys, from the indexes.

    So a person sees that it was, and nothing overtakes it.
    """
    try:
        found = source.execute(
            "SELECT id FROM entries INDEXED BY sqlite_autoindex_entries_1 WHERE seq = ?", (seq,)
        ).fetchone()
        digests = [digest for (digest,) in source.execute("SELECT digest FROM waiting WHERE seq = ?", (seq,))]
    except local.SQLiteError:
        return None
    if found is None:
        return None
    stamp = at.timestamp()
    return (
        seq, found[0], "unknown", "quarantined", bytes(32), 1, b"".join(digests), b"",
        stamp, stamp, 1, "unreadable", None, 0.0, b"",
    )  # fmt: skip


def _copy_books(source: local.Connection, target: local.Connection, last: int) -> None:
    """What stands beside the entries: acts, the number of pruned ones, the lease's token."""
    try:
        acts = list(source.execute("SELECT id, at, who, verb, entry, reason, result FROM acts"))
        pruned = source.execute("SELECT n FROM counters WHERE state = 'pruned'").get
        token = source.execute("SELECT value FROM meta WHERE name = 'lease_token'").get
    except local.SQLiteError as error:
        raise JournalError(f"the books of the old journal cannot be read: {error}") from error
    target.executemany("INSERT INTO acts VALUES (?, ?, ?, ?, ?, ?, ?)", acts)
    with suppress(local.SQLiteError):  # without it they stand at the end, and still go once
        places = list(source.execute("SELECT seq, place, copy, since, waits FROM returned"))
        target.executemany("INSERT INTO returned VALUES (?, ?, ?, ?, ?)", places)
    target.execute("UPDATE counters SET n = ? WHERE state = 'pruned'", (pruned,))
    target.execute("UPDATE meta SET value = ? WHERE name = 'lease_token'", (token + 1,))
    target.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'entries'", (last,))
    if target.changes() == 0 and last:
        target.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('entries', ?)", (last,))
