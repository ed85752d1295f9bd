"""What a person is shown where no page is, or where one of ours failed: never a page in English."""

from __future__ import annotations

from flask import Response, make_response

from academia.balcao import textos
from academia.balcao.frase import Frase
from academia.balcao.planta import pagina_de_aviso

_FRASES = {
    404: textos.NAO_ENCONTRADO,
    405: textos.NAO_SE_ABRE,
    413: textos.CORPO_GRANDE,
}


def pagina_de_erro(status: int) -> Response:
    """The page for a status of HTTP."""
    return make_response(pagina_de_aviso(_frase(status), status))


def _frase(status: int) -> Frase:
    return textos.FALHA_NOSSA if status >= 500 else _FRASES.get(status, textos.PEDIDO_ILEGIVEL)
