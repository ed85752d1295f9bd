"""The sealed form of a write, as it lies in an entry or as the copy of a direct write."""

from __future__ import annotations

import json
from datetime import datetime
from uuid import UUID

from robusto.journal.cipher import Cipher
from robusto.write import Write

_DIGEST_BYTES = 16


def seal(cipher: Cipher, write: Write, place: bytes) -> bytes:
    """Seal the write for one place: (generation, sequence) of an entry, or the copies' label."""
    content = {
        "namespace": write.namespace,
        "key": write.key,
        "payload": write.payload,
        "author": write.author,
        "submit_id": write.submit_id.hex,
        "accepted_at": write.accepted_at.isoformat(),
    }
    plain = json.dumps(content, separators=(",", ":"), allow_nan=False).encode("ascii")
    return cipher.seal(plain, _bound(place, write.id, write.kind, write.request_hash, write.version,
                                     write.ordering, write.after))  # fmt: skip


def unseal(
    cipher: Cipher,
    sealed: bytes,
    place: bytes,
    *,
    id: UUID,
    kind: str,
    request_hash: bytes,
    version: int,
    ordering: tuple[bytes, ...],
    after: tuple[bytes, ...],
) -> Write:
    """The write again. Raises JournalUnreadable when anything of it, or beside it, was changed."""
    plain = cipher.open(sealed, _bound(place, id, kind, request_hash, version, ordering, after))
    content = json.loads(plain)
    return Write(
        id=id,
        kind=kind,
        payload=content["payload"],
        request_hash=request_hash,
        submit_id=UUID(hex=content["submit_id"]),
        version=version,
        ordering=ordering,
        after=after,
        accepted_at=datetime.fromisoformat(content["accepted_at"]),
        namespace=content["namespace"],
        key=content["key"],
        author=content["author"],
    )


def _bound(
    place: bytes,
    id: UUID,
    kind: str,
    request_hash: bytes,
    version: int,
    ordering: tuple[bytes, ...],
    after: tuple[bytes, ...],
) -> bytes:
    parts = [
        b"robusto.entry.v1", place, id.bytes, kind.encode(), request_hash,
        version.to_bytes(4, "big"), b"".join(ordering), b"".join(after),
    ]  # fmt: skip
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def join(digests: tuple[bytes, ...]) -> bytes:
    """Digests as one column."""
    return b"".join(digests)


def split(column: bytes) -> tuple[bytes, ...]:
    """One column as digests."""
    return tuple(column[i : i + _DIGEST_BYTES] for i in range(0, len(column), _DIGEST_BYTES))
