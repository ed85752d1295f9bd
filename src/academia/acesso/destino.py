"""Where to go after logging in: only ever a page of this app."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import current_app, request

INICIO = "/"
_MAXIMO = 1000


def destino_local(pedido: str | None) -> str | None:
    """The path and query as given, or None where it might lead elsewhere.

    Browsers drop tabs and newlines, and read a backslash as a slash: `/\\t/outro.example` is another host.
    """
    if not pedido or len(pedido) > _MAXIMO or not pedido.isprintable():
        return None
    if not pedido.startswith("/") or pedido.startswith("//") or "\\" in pedido or " " in pedido:
        return None
    try:
        partes = urlsplit(pedido)
    except ValueError:
        return None
    return None if partes.scheme or partes.netloc else pedido


def esta_pagina() -> str:
    """The address of this request, to come back to."""
    return destino_local(request.full_path.rstrip("?")) or INICIO


def pagina_do_formulario() -> str:
    """The page on which a posted form stands: where it came from, if that was this app."""
    de = urlsplit(request.referrer or "")
    if de.netloc == request.host:
        caminho = destino_local(f"{de.path}?{de.query}" if de.query else de.path)
        if caminho is not None:
            return caminho
    return (destino_local(request.path) if _abre(request.path) else None) or INICIO


def _abre(caminho: str) -> bool:
    """Whether there is a page at this path."""
    enderecos = current_app.create_url_adapter(request)
    return enderecos is not None and enderecos.test(caminho, "GET")
