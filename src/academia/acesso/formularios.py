"""A posted form is never lost: not by an expired login, not by a page that was open for too long.

1. A form that is refused because nobody is logged in (401), or because its page is out of date (403), is
   sealed into a hidden field of the answer. Nothing of a stranger is kept on the server.
2. That page is posted with a valid CSRF token, by logging in or by one click; then the form is kept, sealed,
   with the session, and the browser is sent to the page where the form stands.
3. That page asks `formulario_guardado()` and shows it; after it was accepted, `esquecer_formulario()`.

Passwords, files and the CSRF token are never kept.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from flask import request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge

from academia.acesso.destino import destino_local, pagina_do_formulario
from academia.acesso.interface import CAMPO_CSRF, sessao_atual
from academia.acesso.sala import acesso
from academia.acesso.selo import SeloInvalido

CAMPO = "formulario"
_PARA = b"formulario"
_VALE_SEGUNDOS = 24 * 3600.0
_MAXIMO_DE_BYTES = 200_000

Campos = Iterable[tuple[str, str]]


def guardar_formulario(destino: str, campos: Campos | None = None) -> None:
    """Keep a form with this session, for the page `destino` (a path); by default the one that is posted now.

    One at a time; the next one replaces it. Raises AcessoIlegivel.
    """
    _guardar(_formulario(destino, _postados() if campos is None else campos))


def formulario_guardado() -> MultiDict[str, str] | None:
    """The fields that are kept for the page of this request, or None. Stays until it is forgotten.

    Raises AcessoIlegivel.
    """
    aberta = sessao_atual().aberta
    if aberta is None or not aberta.tem_formulario:
        return None
    guardado = _valido(acesso().sessoes.formulario(aberta.resumo))
    if guardado is None or not _e_de(guardado, request.path):
        return None
    return MultiDict([(nome, valor) for nome, valor in guardado["campos"]])


def esquecer_formulario(pagina: str | None = None) -> None:
    """Forget what is kept with this session, or only what is kept for this page. Raises AcessoIlegivel."""
    aberta = sessao_atual().aberta
    if aberta is None or not aberta.tem_formulario:
        return
    if pagina is None or _e_de(acesso().sessoes.formulario(aberta.resumo), pagina):
        acesso().sessoes.guardar_formulario(aberta.resumo, None)


def do_pedido() -> str:
    """The form that is posted now, sealed for a hidden field; "" where there is none."""
    if request.mimetype not in ("application/x-www-form-urlencoded", "multipart/form-data"):
        return ""
    try:
        selado = request.form.get(CAMPO)
    except RequestEntityTooLarge:
        return ""
    if selado:  # it was refused once before
        return selado
    if request.endpoint == "acesso.entrar":
        return ""
    campos = _postados()
    if not campos or sum(len(nome) + len(valor) for nome, valor in campos) > _MAXIMO_DE_BYTES:
        return ""
    return acesso().selo.fechar_texto(_formulario(pagina_do_formulario(), campos), _PARA)


def retomar(selado: str | None) -> str | None:
    """Keep a sealed form with this session; the page to go to, or None where there is none.

    Raises AcessoIlegivel.
    """
    if not selado:
        return None
    try:
        formulario = _valido(acesso().selo.abrir_texto(selado, _PARA))
    except SeloInvalido:
        return None
    if formulario is None:
        return None
    _guardar(formulario)
    return destino_local(formulario["caminho"])


def tirar() -> Any:
    """What is kept with this session, to be given to the next one. Raises AcessoIlegivel."""
    aberta = sessao_atual().aberta
    return None if aberta is None else acesso().sessoes.formulario(aberta.resumo)


def devolver(formulario: Any) -> None:
    """Keep again what `tirar` gave. Raises AcessoIlegivel."""
    if formulario is not None:
        _guardar(formulario)


def _guardar(formulario: dict[str, Any]) -> None:
    aberta = sessao_atual().aberta
    if aberta is not None:
        acesso().sessoes.guardar_formulario(aberta.resumo, formulario)


def _formulario(caminho: str, campos: Campos) -> dict[str, Any]:
    return {"em": time.time(), "caminho": caminho, "campos": [list(campo) for campo in campos]}


def _e_de(formulario: Any, pagina: str) -> bool:
    return isinstance(formulario, dict) and formulario["caminho"].partition("?")[0] == pagina


def _valido(formulario: Any) -> dict[str, Any] | None:
    if not isinstance(formulario, dict) or time.time() - formulario["em"] > _VALE_SEGUNDOS:
        return None
    return formulario


def _postados() -> list[tuple[str, str]]:
    return [
        (nome, valor)
        for nome, valor in request.form.items(multi=True)
        if nome not in (CAMPO_CSRF, CAMPO) and "senha" not in nome
    ]
