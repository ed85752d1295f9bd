"""Names of a write that hold for ever: scope key, request hash, derived ids, the protocol number.

All of them are keyed digests (HMAC-SHA-256), because a caller's key may be a person's CPF and a
plain digest of eleven digits is the eleven digits. The formats are written down in ARCHITECTURE.md
and never change; a new one gets a new label.
"""

from __future__ import annotations

import hashlib
import hmac
from uuid import UUID

from robusto.write import Payload, canonical_json

#: Crockford's base 32: no I, L, O, U, so that a number can be read over the telephone.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LOOKALIKES = str.maketrans("ILO", "110")
_DATA_CHARACTERS = 11
_DATA_BITS = 5 * _DATA_CHARACTERS


class Identity:
    """Derives every digest from one secret of 32 bytes, which must outlive key rotations."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def _digest(self, label: str, *parts: bytes) -> bytes:
        mac = hmac.new(self._secret, b"robusto.v1." + label.encode(), hashlib.sha256)
        for part in parts:  # length-prefixed, so that ("a", "bc") and ("ab", "c") differ
            mac.update(len(part).to_bytes(4, "big") + part)
        return mac.digest()

    def write_id(self, namespace: str, kind: str, key: str) -> UUID:
        """The scope key: one name for (namespace, kind, key)."""
        return _uuid8(self._digest("scope", namespace.encode(), kind.encode(), key.encode()))

    def derived_id(self, write_id: UUID, label: str) -> UUID:
        """An id for something that the write makes and the caller did not name."""
        return _uuid8(self._digest("derived", label.encode(), write_id.bytes))

    def request_hash(self, request: Payload) -> bytes:
        """32 bytes over the canonical form of what the caller sent, and of nothing else.

        Raises ValueError as `canonical_json` does.
        """
        return self._digest("request", canonical_json(request))

    def ordering(self, key: str) -> bytes:
        """16 bytes for one ordering key."""
        return self._digest("ordering", key.encode())[:16]


def _uuid8(digest: bytes) -> UUID:
    """The first 128 bits as a UUID of version 8 (RFC 9562: our own layout)."""
    number = int.from_bytes(digest[:16], "big")
    number = number & ~(0xF << 76) | (0x8 << 76)
    return UUID(int=number & ~(0x3 << 62) | (0x2 << 62))


def protocol_number(write_id: UUID, site: str = "AP") -> str:
    """The short form of a write's id: `AP-7K3F-9Q2M-4TXC`, the last character checks the others.

    55 of the id's bits: among 50,000 writes two share a number with a chance of 1 in 29 million.
    """
    data = _without_version(write_id) >> (124 - _DATA_BITS)
    characters = [_ALPHABET[data >> 5 * place & 31] for place in reversed(range(_DATA_CHARACTERS))]
    text = "".join(characters) + _check_character(data)
    return f"{site}-{text[:4]}-{text[4:8]}-{text[8:]}"


def id_range(protocol: str) -> tuple[UUID, UUID]:
    """The lowest and highest write id that a protocol number stands for.

    Forgives case, spaces, missing hyphens and the look-alikes I, L, O. Raises ValueError when the
    check character does not fit.
    """
    text = "".join(part for part in protocol.upper().replace(" ", "").split("-"))
    text = text[-(_DATA_CHARACTERS + 1) :].translate(_LOOKALIKES)
    if len(text) != _DATA_CHARACTERS + 1 or any(c not in _ALPHABET for c in text):
        raise ValueError("not a protocol number")
    data = 0
    for character in text[:-1]:
        data = data << 5 | _ALPHABET.index(character)
    if _check_character(data) != text[-1]:
        raise ValueError("a character of the protocol number was mistyped")
    low = data << (124 - _DATA_BITS)
    return _with_version(low), _with_version(low | (1 << (124 - _DATA_BITS)) - 1)


def _without_version(write_id: UUID) -> int:
    """The id's 124 bits around the version, which is the same in all of them."""
    return write_id.int >> 80 << 76 | write_id.int & (1 << 76) - 1


def _with_version(bits: int) -> UUID:
    return UUID(int=bits >> 76 << 80 | 0x8 << 76 | bits & (1 << 76) - 1)


def _check_character(data: int) -> str:
    """A sum over the field of 32 elements, the characters weighted by powers of its generator.

    All weights differ and the check character's own is one, so that every single wrong character
    and every swap of two characters shows.
    """
    total = 0
    for place in reversed(range(_DATA_CHARACTERS)):
        total = _times_generator(total ^ data >> 5 * place & 31)
    return _ALPHABET[total]


def _times_generator(element: int) -> int:
    """Multiply by x modulo x^5 + x^2 + 1."""
    return element << 1 if element < 16 else element << 1 ^ 0b100101
