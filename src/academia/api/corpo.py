"""The body of a request: a JSON object of bounded size, read strictly."""

from __future__ import annotations

import json
import math
from typing import Any

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from academia.alunos.leitura import DadosInvalidos
from academia.api.problemas import Problema

MAXIMO_DE_BYTES = 256 * 1024


def objeto_json() -> dict[str, Any]:
    """Raises Problema `json-invalido`, RequestEntityTooLarge, DadosInvalidos where it is no object."""
    if request.mimetype != "application/json":
        raise Problema("json-invalido", motivo="o corpo tem de ser application/json")
    try:
        texto = _corpo().decode("utf-8")
        dados = json.loads(
            texto, object_pairs_hook=_sem_repetidos, parse_constant=_recusar, parse_float=_finito
        )
    except (ValueError, RecursionError):
        raise Problema("json-invalido") from None
    if not isinstance(dados, dict):
        raise DadosInvalidos({"?": ["Deve ser um objeto."]})
    return dados


def _corpo() -> bytes:
    """One byte more than is allowed is read: a body in chunks is cut off there without a word."""
    request.max_content_length = MAXIMO_DE_BYTES + 1
    try:
        corpo = request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise
    except Exception:  # the web server's own: the client left, or its chunks are none
        raise Problema("json-invalido", motivo="o corpo não chegou inteiro") from None
    if len(corpo) > MAXIMO_DE_BYTES:
        raise RequestEntityTooLarge
    return corpo


def _sem_repetidos(pares: list[tuple[str, Any]]) -> dict[str, Any]:
    objeto = dict(pares)
    if len(objeto) != len(pares):
        raise ValueError("a name stands twice in one object")
    return objeto


def _recusar(texto: str) -> Any:
    raise ValueError(f"{texto} is no JSON")


def _finito(texto: str) -> float:
    numero = float(texto)
    if not math.isfinite(numero):
        raise ValueError("a number is too large")
    return numero
