"""Headers of every answer."""

from __future__ import annotations

from flask import Response, request

CSP = (
    "default-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; form-action 'self'; "
    "img-src 'self' data:"
)
_DE_TODAS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_UM_ANO = "max-age=31536000"


def por_cabecalhos(resposta: Response) -> Response:
    """After every request. What may hold people's data belongs into no cache: all but the static files."""
    for nome, valor in _DE_TODAS.items():
        resposta.headers[nome] = valor
    if request.endpoint is None or not request.endpoint.endswith("static"):
        resposta.headers["Cache-Control"] = "no-store"
    if request.is_secure:
        resposta.headers["Strict-Transport-Security"] = _UM_ANO
    return resposta
