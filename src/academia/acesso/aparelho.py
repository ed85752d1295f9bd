"""The device: a sealed cookie that remembers which accounts were entered from here.

It opens nothing. It only keeps the count of wrong passwords of this device apart from that of strangers.
"""

from __future__ import annotations

import secrets
from typing import Any

from flask import Response, request

from academia.acesso.sala import acesso
from academia.acesso.selo import SeloInvalido
from academia.acesso.usuarios import LoginInvalido, normalizar_login

COOKIE = "academia_aparelho"
_PARA = b"aparelho"
_VALE_SEGUNDOS = 180 * 24 * 3600
_MAXIMO_DE_CONTAS = 20


def aparelho_conhecido(login: str) -> str | None:
    """The device's own name, if this account was entered from it before."""
    aparelho = _lido()
    return aparelho["nome"] if _conta(login) in aparelho["contas"] else None


def lembrar(resposta: Response, login: str) -> None:
    """This account was entered from here."""
    aparelho = _lido()
    contas = [_conta(login), *(conta for conta in aparelho["contas"] if conta != _conta(login))]
    dados = {"nome": aparelho["nome"], "contas": contas[:_MAXIMO_DE_CONTAS]}
    resposta.set_cookie(
        COOKIE,
        acesso().selo.fechar_texto(dados, _PARA),
        max_age=_VALE_SEGUNDOS,
        path="/entrar",
        httponly=True,
        samesite="Lax",
        secure=request.is_secure,
    )


def _lido() -> dict[str, Any]:
    try:
        aberto: dict[str, Any] = acesso().selo.abrir_texto(request.cookies.get(COOKIE, ""), _PARA)
    except SeloInvalido:
        return {"nome": secrets.token_hex(8), "contas": []}
    return aberto


def _conta(login: str) -> str:
    try:
        login = normalizar_login(login)
    except LoginInvalido:
        return ""
    return acesso().selo.resumo("conta do aparelho", login).hex()
