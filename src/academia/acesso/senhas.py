"""Passwords: argon2, few at a time, since each check takes 19 MiB and some 30 ms of one core."""

from __future__ import annotations

import secrets
import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from academia.acesso import textos

MINIMO = 10
MAXIMO = 200
_A_VEZ = 1
_NA_FILA = 3
#: Without what is read wrong from a paper or a terminal: 0 o 1 l i.
_LETRAS = "abcdefghjkmnpqrstuvwxyz23456789"
_GRUPOS, _POR_GRUPO = 4, 4
#: OWASP's Password Storage Cheat Sheet: KiB, passes, lanes. On the desk's small PC the login, which
#: happens in outages too, stays under 300 ms.
_MEMORIA, _VOLTAS, _PISTAS = 19456, 2, 1
#: The digest of a password that nobody knows, with the parameters of today: an unknown login takes as long.
_DE_NINGUEM = (
    "$argon2id$v=19$m=19456,t=2,p=1$NZtcHLaXG2l2gBY9haEYEA$JLApRX49OL7twSLKLQ1thv8+dTb488M02xMb1lE+Gkg"
)


def argon2() -> Argon2Hasher:
    """The hasher with the parameters of today."""
    return Argon2Hasher(memory_cost=_MEMORIA, time_cost=_VOLTAS, parallelism=_PISTAS)


class SenhasOcupadas(Exception):
    """Too many checks are running in this process; the next seconds will do."""


class Senhas:
    """One of it for a process."""

    def __init__(self) -> None:
        self._argon2 = PasswordHash((argon2(),))
        self._fila = threading.BoundedSemaphore(_A_VEZ + _NA_FILA)
        self._vez = threading.BoundedSemaphore(_A_VEZ)

    def resumir(self, senha: str) -> str:
        """The digest to keep. Raises SenhasOcupadas."""
        with self._uma_vez():
            return self._argon2.hash(_igual(senha))

    def confere(self, senha: str, resumo: str | None) -> tuple[bool, str | None]:
        """Whether it is the password, and a newer digest where the parameters have changed.

        Without a digest (an unknown login) it takes as long and is False. Raises SenhasOcupadas.
        """
        if len(senha) > MAXIMO:
            senha, resumo = senha[:MAXIMO], None
        with self._uma_vez():
            certa, novo = self._argon2.verify_and_update(_igual(senha), resumo or _DE_NINGUEM)
        return certa and resumo is not None, novo

    @contextmanager
    def _uma_vez(self) -> Iterator[None]:
        """The threads that serve everybody else must not all stand in this line."""
        if not self._fila.acquire(blocking=False):
            raise SenhasOcupadas
        try:
            with self._vez:
                yield
        finally:
            self._fila.release()


def nova_de_uso_unico() -> str:
    """79 random bits in letters and digits that can be read aloud."""
    return "-".join("".join(secrets.choice(_LETRAS) for _ in range(_POR_GRUPO)) for _ in range(_GRUPOS))


def o_que_falta(senha: str, login: str) -> str | None:
    """What is wrong with a new password, in one sentence; None where nothing is."""
    if len(senha) < MINIMO:
        return textos.SENHA_CURTA.format(minimo=MINIMO)
    if len(senha) > MAXIMO:
        return textos.SENHA_LONGA.format(maximo=MAXIMO)
    if _igual(senha).decode(errors="replace").casefold() == login.casefold():
        return textos.SENHA_E_O_LOGIN
    return None


def _igual(senha: str) -> bytes:
    """The same bytes from every keyboard: an accent may arrive as one character or as two."""
    return unicodedata.normalize("NFC", senha).encode("utf-8", "surrogatepass")
