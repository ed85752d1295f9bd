"""Under which names the app may be asked: a forged `Host` gets 400.

Flask's own TRUSTED_HOSTS does not know addresses of IPv6 (Werkzeug 3.1 cuts them at their first colon).
Forwarding headers are not looked at.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from academia.settings import Settings

_LOCAIS = frozenset({"localhost", "127.0.0.1", "::1"})


class Hospedeiros:
    """The names. With an app on a network and no names set, any will do: nobody knows its name there."""

    def __init__(self, settings: Settings) -> None:
        dados = frozenset(nome.lower() for nome in settings.trusted_hosts)
        self._qualquer = not dados and settings.bind not in _LOCAIS
        self._nomes = dados | _LOCAIS
        self._dominios = tuple(nome for nome in dados if nome.startswith("."))

    def confia(self, host: str) -> bool:
        """`host` is the header's value, perhaps with a port. `.example.org` stands for all names below it."""
        try:
            nome = urlsplit(f"//{host}").hostname
        except ValueError:
            return False
        if nome is None:
            return False
        return self._qualquer or nome in self._nomes or nome.endswith(self._dominios)
