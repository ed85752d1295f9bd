"""The users: who they are, what they are, and the digest of their password."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from academia.acesso.arquivo import Arquivo
from academia.acesso.direitos import ADMINISTRADOR, PAPEIS
from robusto import local

#: What `usuario_de` takes.
COLUNAS = "usuarios.id, login, nome, papel, ativo, deve_trocar, criado_em"
_MAXIMO_DO_LOGIN = 60
_MAXIMO_DO_NOME = 120


class LoginInvalido(ValueError):
    """A login has 1 to 60 printable characters and no blanks."""


class NomeInvalido(ValueError):
    """A name has at most 120 printable characters."""


class LoginEmUso(ValueError):
    """Another user has this login, perhaps a disabled one."""


class PapelDesconhecido(ValueError):
    """There is no such papel."""


class SemUsuario(LookupError):
    """Nobody has this login."""


class UltimoAdministrador(ValueError):
    """Somebody has to be able to administrate: the last active administrator stays one."""


@dataclass(frozen=True, slots=True)
class Usuario:
    """A person who may log in."""

    id: int
    login: str
    nome: str
    papel: str
    ativo: bool
    deve_trocar: bool
    """Whether the password was for one use and has to be changed first."""
    criado_em: str
    """ISO 8601, UTC."""


def normalizar_login(texto: str) -> str:
    """As it is kept and looked up: upper and lower case are one. Raises LoginInvalido."""
    login = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", texto.strip()).casefold())
    valido = 1 <= len(login) <= _MAXIMO_DO_LOGIN and login.isprintable()
    if not valido or any(letra.isspace() for letra in login):
        raise LoginInvalido
    return login


class Usuarios:
    """The table of users. Every method may raise AcessoIlegivel."""

    def __init__(self, arquivo: Arquivo) -> None:
        self._arquivo = arquivo

    def criar(
        self, login: str, papel: str, resumo: str, *, nome: str = "", deve_trocar: bool = False
    ) -> Usuario:
        """Raises LoginInvalido, NomeInvalido, PapelDesconhecido, LoginEmUso."""
        login, nome = normalizar_login(login), _nome(nome)
        _conhecido(papel)
        with self._arquivo.gravar() as db:
            if _procurar(db, login) is not None:
                raise LoginEmUso(login)
            return _inserir(db, login, nome, papel, resumo, deve_trocar)

    def criar_primeiro(self, login: str, resumo: str) -> Usuario | None:
        """The first administrator, whose password has to be changed; None where there has been one."""
        with self._arquivo.gravar() as db:
            if self.tem_administrador() or _procurar(db, login) is not None:
                return None
            return _inserir(db, login, "", ADMINISTRADOR, resumo, True)

    def tem_administrador(self) -> bool:
        """Whether there is one, active or not."""
        return bool(self._arquivo.ler("SELECT 1 FROM usuarios WHERE papel = ? LIMIT 1", (ADMINISTRADOR,)))

    def todos(self) -> list[Usuario]:
        """In the order of their logins."""
        linhas = self._arquivo.ler(f"SELECT {COLUNAS} FROM usuarios ORDER BY login")
        return [usuario_de(linha) for linha in linhas]

    def credencial(self, login: str) -> tuple[Usuario, str] | None:
        """The user of a normalised login with the password's digest."""
        achados = self._arquivo.ler(f"SELECT {COLUNAS}, senha FROM usuarios WHERE login = ?", (login,))
        return (usuario_de(achados[0][:-1]), str(achados[0][-1])) if achados else None

    def mudar_papel(self, login: str, papel: str) -> Usuario:
        """Takes effect at once, in every process.

        Raises SemUsuario, PapelDesconhecido, UltimoAdministrador.
        """
        _conhecido(papel)
        with self._arquivo.gravar() as db:
            usuario = _existente(db, login)
            if papel != ADMINISTRADOR:
                _sobra_um(db, usuario)
            db.execute("UPDATE usuarios SET papel = ? WHERE id = ?", (papel, usuario.id))
        return usuario

    def mudar_situacao(self, login: str, *, ativo: bool) -> Usuario:
        """A disabled user is out at once, in every process. Raises SemUsuario, UltimoAdministrador."""
        with self._arquivo.gravar() as db:
            usuario = _existente(db, login)
            if not ativo:
                _sobra_um(db, usuario)
                _encerrar_sessoes(db, usuario)
            db.execute("UPDATE usuarios SET ativo = ? WHERE id = ?", (int(ativo), usuario.id))
        return usuario

    def mudar_senha(self, login: str, resumo: str, *, deve_trocar: bool) -> Usuario:
        """Whoever was logged in with the old one is out. Raises SemUsuario."""
        with self._arquivo.gravar() as db:
            usuario = _existente(db, login)
            db.execute(
                "UPDATE usuarios SET senha = ?, deve_trocar = ? WHERE id = ?",
                (resumo, int(deve_trocar), usuario.id),
            )
            _encerrar_sessoes(db, usuario)
        return usuario

    def renovar_resumo(self, usuario: Usuario, antigo: str, novo: str) -> None:
        """The same password under newer parameters of argon2."""
        with self._arquivo.gravar() as db:
            db.execute("UPDATE usuarios SET senha = ? WHERE id = ? AND senha = ?", (novo, usuario.id, antigo))


def usuario_de(linha: tuple[Any, ...]) -> Usuario:
    """From a row of `COLUNAS`."""
    numero, login, nome, papel, ativo, deve_trocar, criado_em = linha
    return Usuario(numero, login, nome, papel, bool(ativo), bool(deve_trocar), criado_em)


def _inserir(
    db: local.Connection, login: str, nome: str, papel: str, resumo: str, deve_trocar: bool
) -> Usuario:
    db.execute(
        "INSERT INTO usuarios (login, nome, papel, ativo, senha, deve_trocar, criado_em)"
        " VALUES (?, ?, ?, 1, ?, ?, ?)",
        (login, nome, papel, resumo, int(deve_trocar), datetime.now(UTC).isoformat(timespec="seconds")),
    )
    return _existente(db, login)


def _procurar(db: local.Connection, login: str) -> Usuario | None:
    achados = db.execute(f"SELECT {COLUNAS} FROM usuarios WHERE login = ?", (login,)).fetchall()
    return usuario_de(achados[0]) if achados else None


def _existente(db: local.Connection, login: str) -> Usuario:
    try:
        usuario = _procurar(db, normalizar_login(login))
    except LoginInvalido:
        usuario = None
    if usuario is None:
        raise SemUsuario(login)
    return usuario


def _sobra_um(db: local.Connection, usuario: Usuario) -> None:
    outros = "SELECT 1 FROM usuarios WHERE papel = ? AND ativo = 1 AND id <> ? LIMIT 1"
    conta = usuario.papel == ADMINISTRADOR and usuario.ativo
    if conta and not db.execute(outros, (ADMINISTRADOR, usuario.id)).fetchall():
        raise UltimoAdministrador


def _encerrar_sessoes(db: local.Connection, usuario: Usuario) -> None:
    db.execute("DELETE FROM sessoes WHERE usuario = ?", (usuario.id,))


def _conhecido(papel: str) -> None:
    if papel not in PAPEIS:
        raise PapelDesconhecido(papel)


def _nome(texto: str) -> str:
    nome = " ".join(texto.split())
    if len(nome) > _MAXIMO_DO_NOME or not nome.isprintable():
        raise NomeInvalido
    return nome
