"""The first administrator, made once: `python -m academia.acesso.primeiro`, which `make run` calls.

Prints the two lines of the first start, or nothing. The password is printed and kept nowhere; who has lost it
sets another one: `flask --app academia usuarios senha admin`.
"""

from __future__ import annotations

import sys

from academia.acesso import textos
from academia.acesso.arquivo import AcessoIlegivel
from academia.acesso.sala import Acesso
from academia.acesso.senhas import nova_de_uso_unico
from academia.settings import Settings, SettingsError

LOGIN = "admin"


def primeiro_administrador(acesso: Acesso) -> str | None:
    """Make him; his one-time password, or None where there has been an administrator.

    Of several processes that start at once one makes him. Raises AcessoIlegivel.
    """
    if acesso.usuarios.tem_administrador():
        return None
    senha = nova_de_uso_unico()
    feito = acesso.usuarios.criar_primeiro(LOGIN, acesso.senhas.resumir(senha))
    return senha if feito is not None else None


def main() -> int:
    """Exit 0, or 1 with the reason in one line."""
    try:
        settings = Settings.load()
        senha = primeiro_administrador(Acesso(settings.var / "acesso.db", settings.secret_key))
    except (SettingsError, AcessoIlegivel) as erro:
        print(f"O administrador não pôde ser criado ({erro}).", file=sys.stderr)
        return 1
    if senha is not None:
        print(textos.PRIMEIRO_ADMINISTRADOR.format(login=LOGIN, senha=senha), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
