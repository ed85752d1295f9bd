"""Who calls: a bearer token on every address of the API but its description."""

from __future__ import annotations

import logging

from flask import g, request

from academia.api.problemas import Problema, abaixo_de_api
from academia.api.sala import sala
from academia.tokens import TokensIlegiveis

_log = logging.getLogger(__name__)

ABERTOS = frozenset({"/api/openapi.json"})


def exigir_token() -> None:
    """Before every request. Raises Problema where an address of the API is asked for without a token."""
    if not abaixo_de_api() or request.path in ABERTOS:
        return
    try:
        nome = nome_do_token()
    except TokensIlegiveis:
        _log.exception("the tokens cannot be read")
        raise Problema("desconhecido" if request.method in ("GET", "HEAD") else "nao-guardado") from None
    if nome is None:
        raise Problema("nao-autenticado")
    g.token = nome


def nome_do_token() -> str | None:
    """The name of the valid token that the request carries. Raises TokensIlegiveis."""
    autorizacao = request.authorization
    if autorizacao is None or autorizacao.type != "bearer" or not autorizacao.token:
        return None
    return sala().tokens.nome_de(autorizacao.token)
