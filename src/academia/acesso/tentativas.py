"""Guessing passwords is slowed: per account, per device, per address.

A try is counted before the password is looked at, so that a thousand at once count as a thousand. After the
free tries each further one has to wait, at first 30 seconds, then twice as long, at most 15 minutes; an hour
without a try, or the right password, forgives them. What waits is not counted: nobody is locked out for ever.

A device from which an account was entered before has a count of its own for that account: a stranger who
guesses at `admin` keeps himself waiting, and not the administrator at the desk.
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections.abc import Callable
from typing import Any

from academia.acesso.arquivo import Arquivo
from academia.acesso.selo import Selo
from robusto import local

LIVRES_POR_CONTA = 5
LIVRES_POR_ENDERECO = 20
_PRIMEIRA_ESPERA = 30.0
_MAIOR_ESPERA = 900.0
_PERDAO = 3600.0
_REDE_IPV6 = 64

_LER = "SELECT falhas, ultima_em FROM tentativas WHERE alvo = ?"
_CONTAR = (
    "INSERT INTO tentativas (alvo, falhas, ultima_em) VALUES (?, 1, ?)"
    " ON CONFLICT (alvo) DO UPDATE SET falhas = CASE WHEN ultima_em < ? THEN 1 ELSE falhas + 1 END,"
    " ultima_em = excluded.ultima_em"
)


class MuitasTentativas(Exception):
    """Wait so many seconds before the next try."""

    def __init__(self, segundos: int) -> None:
        super().__init__(segundos)
        self.segundos = segundos


class Tentativas:
    """The counts. Every method may raise AcessoIlegivel."""

    def __init__(self, arquivo: Arquivo, selo: Selo, relogio: Callable[[], float] = time.time) -> None:
        self._arquivo = arquivo
        self._selo = selo
        self._relogio = relogio

    def contar(self, login: str, endereco: str, aparelho: str | None) -> None:
        """Count a try that is about to be made. Raises MuitasTentativas where it has to wait.

        aparelho: a device from which this account was entered before, or None.
        """
        alvos = self._alvos(login, endereco, aparelho)
        agora = self._relogio()
        self._recusar_se_espera([(self._lido(alvo), livres) for alvo, livres in alvos], agora)
        with self._arquivo.gravar() as db:
            # Looked at again, now that nobody else can count.
            self._recusar_se_espera([(_linha(db, alvo), livres) for alvo, livres in alvos], agora)
            db.execute("DELETE FROM tentativas WHERE ultima_em < ?", (agora - _PERDAO,))
            # A clock that was set back must not turn seconds into years.
            db.execute("UPDATE tentativas SET ultima_em = ? WHERE ultima_em > ?", (agora, agora))
            for alvo, _ in alvos:
                db.execute(_CONTAR, (alvo, agora, agora - _PERDAO))

    def acertou(self, login: str, endereco: str, aparelho: str | None) -> None:
        """The password was right: the account's tries are forgiven, the address's only this one."""
        (conta, _), *resto = self._alvos(login, endereco, aparelho)
        with self._arquivo.gravar() as db:
            db.execute("DELETE FROM tentativas WHERE alvo = ?", (conta,))
            for alvo, _ in resto:
                db.execute("UPDATE tentativas SET falhas = max(0, falhas - 1) WHERE alvo = ?", (alvo,))

    def perdoar(self, login: str) -> None:
        """Forgive what was guessed at this account (somebody has set its password anew)."""
        with self._arquivo.gravar() as db:
            db.execute("DELETE FROM tentativas WHERE alvo = ?", (self._conta(login),))

    def _alvos(self, login: str, endereco: str, aparelho: str | None) -> list[tuple[bytes, int]]:
        """What is counted, the account first, each with its free tries."""
        if aparelho is not None:
            return [(self._selo.resumo("aparelho", aparelho, login), LIVRES_POR_CONTA)]
        return [
            (self._conta(login), LIVRES_POR_CONTA),
            (self._selo.resumo("endereco", _rede(endereco)), LIVRES_POR_ENDERECO),
        ]

    def _conta(self, login: str) -> bytes:
        return self._selo.resumo("conta", login)

    def _lido(self, alvo: bytes) -> tuple[int, float]:
        achados = self._arquivo.ler(_LER, (alvo,))
        return (achados[0][0], achados[0][1]) if achados else (0, 0.0)

    @staticmethod
    def _recusar_se_espera(contados: list[tuple[tuple[int, float], int]], agora: float) -> None:
        espera = max(_espera(falhas, ultima, livres, agora) for (falhas, ultima), livres in contados)
        if espera > 0:
            raise MuitasTentativas(math.ceil(espera))


def _linha(db: local.Connection, alvo: bytes) -> tuple[int, float]:
    achados: list[tuple[Any, ...]] = db.execute(_LER, (alvo,)).fetchall()
    return (achados[0][0], achados[0][1]) if achados else (0, 0.0)


def _espera(falhas: int, ultima_em: float, livres: int, agora: float) -> float:
    """Seconds until the next try may be made."""
    passados = agora - ultima_em
    if falhas < livres or passados > _PERDAO or passados < 0:
        return 0.0
    return min(_MAIOR_ESPERA, _PRIMEIRA_ESPERA * 2.0 ** min(falhas - livres, 10)) - passados


def _rede(endereco: str) -> str:
    """A caller with IPv6 owns a whole network of addresses."""
    try:
        ip = ipaddress.ip_address(endereco)
    except ValueError:
        return endereco
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((ip, _REDE_IPV6), strict=False))
    return str(ip)
