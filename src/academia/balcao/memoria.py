"""What the front desk remembers with the session: opaque ids only, and never what a write depends on."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import session

_NOME = "balcao"
_ACEITOS, _GUARDADOS = 50, 200


def _ler() -> dict[str, Any]:
    guardado: dict[str, Any] = session.get(_NOME) or {}
    return {"aceitos": [], "guardados": [], "papel": ""} | guardado


def _gravar(memoria: dict[str, Any]) -> None:
    session[_NOME] = memoria


def lembrar_aceito(chave: str, gravacao: UUID, aluno: UUID) -> None:
    """The form with this key was accepted: Back leads to its receipt."""
    memoria = _ler()
    outros = [linha for linha in memoria["aceitos"] if linha[0] != chave]
    memoria["aceitos"] = [*outros, [chave, str(gravacao), str(aluno)]][-_ACEITOS:]
    _gravar(memoria)


def aceito(chave: str) -> tuple[UUID, UUID] | None:
    """The write and the student that came of the form with this key in this session."""
    for outra, gravacao, aluno in _ler()["aceitos"]:
        if outra == chave:
            return UUID(gravacao), UUID(aluno)
    return None


def lembrar_guardado(gravacao: UUID, aluno: UUID) -> None:
    """A write of this session is pending: the desk says when it has arrived."""
    memoria = _ler()
    if any(linha[0] == str(gravacao) for linha in memoria["guardados"]):
        return
    memoria["guardados"] = [*memoria["guardados"], [str(gravacao), str(aluno)]][-_GUARDADOS:]
    _gravar(memoria)


def guardados() -> list[tuple[UUID, UUID]]:
    """Writes of this session that were pending when they were accepted, each with its student."""
    return [(UUID(gravacao), UUID(aluno)) for gravacao, aluno in _ler()["guardados"]]


def esquecer_guardados(gravacoes: set[UUID]) -> None:
    """The person has read what became of these."""
    memoria = _ler()
    ficam = [linha for linha in memoria["guardados"] if UUID(linha[0]) not in gravacoes]
    if len(ficam) != len(memoria["guardados"]):
        memoria["guardados"] = ficam
        _gravar(memoria)


def escolher_papel(papel: str) -> None:
    """`a4` or `80`: stays for the next receipts; anything else is no choice."""
    if papel in ("a4", "80"):
        _gravar(_ler() | {"papel": papel})


def papel_do_recibo() -> str:
    """What was chosen last."""
    return str(_ler()["papel"] or "a4")
