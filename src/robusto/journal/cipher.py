"""Seals entries: AES-256-GCM, with everything that must not be swapped bound to the seal."""

from __future__ import annotations

import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from robusto.errors import JournalUnreadable

_FORMAT = b"\x01"
_KEY_ID_BYTES = 8
_NONCE_BYTES = 12


def derive(key: bytes, purpose: str) -> bytes:
    """32 bytes of key for one purpose (HKDF-SHA-256)."""
    return HKDF(SHA256(), 32, salt=None, info=b"robusto.v1." + purpose.encode()).derive(key)


class Cipher:
    """Seals with the first key, opens with any.

    A seal is: format (1 byte, 1), key id (8), nonce (12), ciphertext and tag. The key id is the
    head of the SHA-256 of the derived key and gives nothing of it away.
    """

    def __init__(self, keys: tuple[bytes, ...]) -> None:
        derived = [derive(key, "seal") for key in keys]
        self._by_id = {_key_id(key): AESGCM(key) for key in derived}
        self._first = _key_id(derived[0])

    def seal(self, plain: bytes, bound: bytes) -> bytes:
        """Encrypt, with `bound` authenticated beside it."""
        nonce = os.urandom(_NONCE_BYTES)
        return _FORMAT + self._first + nonce + self._by_id[self._first].encrypt(nonce, plain, bound)

    def open(self, sealed: bytes, bound: bytes) -> bytes:
        """Decrypt. Raises JournalUnreadable for an absent key or anything that was changed."""
        key_id, rest = sealed[1 : 1 + _KEY_ID_BYTES], sealed[1 + _KEY_ID_BYTES :]
        cipher = self._by_id.get(key_id)
        if sealed[:1] != _FORMAT or cipher is None:
            raise JournalUnreadable(f"sealed with a key that is not here (id {key_id.hex()})")
        try:
            return cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], bound)
        except InvalidTag:
            raise JournalUnreadable("the seal is broken: the content was changed") from None

    def knows(self, head: bytes) -> bool:
        """Whether the key that a seal begins with (its first 9 bytes) is here."""
        return head[:1] == _FORMAT and head[1:] in self._by_id

    def sealed_with_first(self, sealed: bytes) -> bool:
        """Whether this was sealed with the key that seals now."""
        return sealed[1 : 1 + _KEY_ID_BYTES] == self._first


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"robusto.v1.key-id" + key).digest()[:_KEY_ID_BYTES]
