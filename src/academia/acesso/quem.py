"""Who asks, and whether he may."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import Response, request
from flask.typing import ResponseReturnValue

from academia.acesso.direitos import tem
from academia.acesso.interface import sessao_atual
from academia.acesso.respostas import nao_entrou, proibido
from academia.acesso.usuarios import Usuario
from academia.api.autenticacao import nome_do_token
from academia.tokens import TokensIlegiveis

P = ParamSpec("P")
R = TypeVar("R", bound=ResponseReturnValue)

_log = logging.getLogger(__name__)

#: The blueprint whose addresses take a token as well as a session.
_COM_TOKEN = "robusto"


def usuario_atual() -> Usuario | None:
    """The person who is logged in, as the users' table has him now; None where nobody is."""
    aberta = sessao_atual().aberta
    return None if aberta is None else aberta.usuario


def pode(direito: str) -> bool:
    """Whether the person who is logged in has this right."""
    usuario = usuario_atual()
    return usuario is not None and not usuario.deve_trocar and tem(usuario.papel, direito)


def autoriza(direito: str) -> bool | None:
    """True: may. False: is known, but may not. None: nobody is known.

    A caller with a bearer token is judged by the token alone (it has all rights, at the addresses that take
    one); everybody else by his session.
    """
    if usa_token():
        try:
            return nome_do_token() is not None or None
        except TokensIlegiveis:
            _log.error("the tokens cannot be read")
            return None
    if usuario_atual() is None:
        return None
    return pode(direito)


def nome_para_o_registro() -> str:
    """Under which name an act goes on record: a person's login, or `token:` and the token's name."""
    usuario = usuario_atual()
    if usuario is not None and not usa_token():
        return usuario.login
    try:
        return f"token:{nome_do_token() or '?'}"
    except TokensIlegiveis:
        return "token:?"


def usa_token() -> bool:
    """Whether this request is a token's, so that its cookies count for nothing."""
    return request.blueprint == _COM_TOKEN and (
        request.authorization is not None and request.authorization.type == "bearer"
    )


def exige_login(view: Callable[P, R]) -> Callable[P, R | Response]:
    """For a view: only for people who are logged in, whatever their papel."""

    @wraps(view)
    def guardada(*args: P.args, **kwargs: P.kwargs) -> R | Response:
        if usuario_atual() is None:
            return nao_entrou()
        return view(*args, **kwargs)

    return guardada


def exige(direito: str) -> Callable[[Callable[P, R]], Callable[P, R | Response]]:
    """For a view: only for people whose papel has this right."""

    def decorar(view: Callable[P, R]) -> Callable[P, R | Response]:
        @wraps(view)
        def guardada(*args: P.args, **kwargs: P.kwargs) -> R | Response:
            match autoriza(direito):
                case True:
                    return view(*args, **kwargs)
                case False:
                    return proibido()
                case None:
                    return nao_entrou()

        return guardada

    return decorar
