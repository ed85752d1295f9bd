"""Seals what is kept with a session or handed to a page: AES-256-GCM under a key of the app's secret."""

from __future__ import annotations

import base64
import json
import os
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE = 12


class SeloInvalido(ValueError):
    """Not sealed here, not for this purpose, or changed."""


class Selo:
    """Seals and digests with keys that are derived from one secret."""

    def __init__(self, segredo: str) -> None:
        self._cifra = AESGCM(_chave(segredo, b"academia.v1.selo"))
        self._resumo = _chave(segredo, b"academia.v1.resumo")

    def fechar(self, dados: Any, para: bytes) -> bytes:
        """`dados` is anything that JSON takes; `para` says what it is for."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cifra.encrypt(nonce, json.dumps(dados).encode(), para)

    def abrir(self, selado: bytes, para: bytes) -> Any:
        """Raises SeloInvalido."""
        try:
            return json.loads(self._cifra.decrypt(selado[:_NONCE], selado[_NONCE:], para))
        except (InvalidTag, ValueError):
            raise SeloInvalido from None

    def fechar_texto(self, dados: Any, para: bytes) -> str:
        """The same as text, for a field of a form."""
        return base64.urlsafe_b64encode(self.fechar(dados, para)).decode()

    def abrir_texto(self, selado: str, para: bytes) -> Any:
        """Raises SeloInvalido."""
        try:
            bytes_ = base64.urlsafe_b64decode(selado)
        except ValueError:
            raise SeloInvalido from None
        return self.abrir(bytes_, para)

    def resumo(self, *partes: str) -> bytes:
        """A digest that nobody can compute without the secret: for what must not stand in the file."""
        conta = HMAC(self._resumo, SHA256())
        conta.update(json.dumps(partes).encode())
        return conta.finalize()[:16]


def _chave(segredo: str, rotulo: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=rotulo).derive(segredo.encode())
