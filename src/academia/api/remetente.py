"""Under which name and key a request's write is handed over."""

from __future__ import annotations

import re

from flask import g, request

from academia.alunos.writes import Remetente, nova_chave
from academia.api.problemas import CABECALHO_DA_CHAVE, Problema

_CHAVE = re.compile(r"[\x20-\x7e]{1,200}")


def remetente() -> Remetente:
    """The token's name and the caller's key, or a key made here. Raises Problema `chave-invalida`."""
    chave = request.headers.get(CABECALHO_DA_CHAVE)
    if chave is None:
        chave = nova_chave()
    elif not _CHAVE.fullmatch(chave):
        raise Problema("chave-invalida")
    g.chave_em_curso = chave  # from here on a failure of ours leaves the result unknown
    nome = f"token:{g.token}"
    return Remetente(namespace=nome, chave=chave, autor=nome)
