"""What this room works with, one of each for an app."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

from flask import current_app

from academia.acesso.arquivo import Arquivo
from academia.acesso.selo import Selo
from academia.acesso.senhas import Senhas, nova_de_uso_unico
from academia.acesso.sessoes import Sessoes
from academia.acesso.tentativas import Tentativas
from academia.acesso.usuarios import LoginInvalido, Usuario, Usuarios, normalizar_login

NOME = "academia.acesso"


class Acesso:
    """Kept in `app.extensions["academia.acesso"]`."""

    def __init__(self, caminho: Path, segredo: str, relogio: Callable[[], float] = time.time) -> None:
        self.arquivo = Arquivo(caminho)
        self.selo = Selo(segredo)
        self.usuarios = Usuarios(self.arquivo)
        self.sessoes = Sessoes(self.arquivo, self.selo, relogio)
        self.tentativas = Tentativas(self.arquivo, self.selo, relogio)
        self.senhas = Senhas()

    def conferir(self, login: str, senha: str, endereco: str, aparelho: str | None = None) -> Usuario | None:
        """The active user whose password this is.

        aparelho: a device from which this account was entered before. An unknown login, a disabled user and
        a wrong password are told apart neither by the answer nor by its time. Raises MuitasTentativas,
        SenhasOcupadas, AcessoIlegivel.
        """
        try:
            login = normalizar_login(login)
            conhecido = self.usuarios.credencial(login)
        except LoginInvalido:
            login, conhecido = "", None
        self.tentativas.contar(login, endereco, aparelho)
        certa, novo = self.senhas.confere(senha, conhecido and conhecido[1])
        if conhecido is None or not certa or not conhecido[0].ativo:
            return None
        usuario, resumo = conhecido
        if novo is not None:
            self.usuarios.renovar_resumo(usuario, resumo, novo)
        self.tentativas.acertou(login, endereco, aparelho)
        return usuario

    def senha_de_uso_unico(self, login: str) -> str:
        """A new password for this user, to be changed at the next login; he is out everywhere.

        It is kept nowhere. Raises SemUsuario, SenhasOcupadas, AcessoIlegivel.
        """
        senha = nova_de_uso_unico()
        self.mudar_senha(login, senha, deve_trocar=True)
        return senha

    def mudar_senha(self, login: str, senha: str, *, deve_trocar: bool = False) -> Usuario:
        """Set a password and forgive what was guessed. Raises SemUsuario, SenhasOcupadas, AcessoIlegivel."""
        usuario = self.usuarios.mudar_senha(login, self.senhas.resumir(senha), deve_trocar=deve_trocar)
        self.tentativas.perdoar(usuario.login)
        return usuario


def acesso() -> Acesso:
    """That of the running app."""
    return cast(Acesso, current_app.extensions[NOME])
