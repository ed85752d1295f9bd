"""Access tokens: made by command, kept as digests, refused the moment they are revoked.

They lie in a local file, so that they work while PostgreSQL is down. A token is 32 random bytes: a
plain SHA-256 of it cannot be guessed backwards.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from robusto import local

_ESQUEMA = """
CREATE TABLE IF NOT EXISTS tokens (
    resumo BLOB PRIMARY KEY,
    nome TEXT NOT NULL,
    criado_em TEXT NOT NULL,
    revogado_em TEXT
) STRICT;
CREATE UNIQUE INDEX IF NOT EXISTS tokens_nome ON tokens (nome) WHERE revogado_em IS NULL;
"""
_INSERIR = """
INSERT INTO tokens (resumo, nome, criado_em) VALUES (?, ?, ?)
ON CONFLICT (nome) WHERE revogado_em IS NULL DO NOTHING
"""
_REVOGAR = "UPDATE tokens SET revogado_em = ? WHERE nome = ? AND revogado_em IS NULL"
_PROCURAR = "SELECT nome FROM tokens WHERE resumo = ? AND revogado_em IS NULL"
_MAXIMO_DO_NOME = 60


class NomeInvalido(ValueError):
    """A token needs a printable name of 1 to 60 characters."""


class NomeEmUso(ValueError):
    """A valid token has this name; revoke it first."""


class TokensIlegiveis(Exception):
    """The file of the tokens cannot be read or written."""


class _Leitores(threading.local):
    """The reading connections of one thread, by process and file."""

    def __init__(self) -> None:
        self.abertos: dict[tuple[int, int, int], local.Connection] = {}


class Tokens:
    """The tokens in `acesso.db`; several processes may use it at once."""

    def __init__(self, arquivo: Path) -> None:
        self._arquivo = arquivo
        self._leitores = _Leitores()

    def criar(self, nome: str) -> str:
        """Make a token; what is returned is kept nowhere.

        A name that was revoked may be given again: its keys of idempotency go on.
        Raises NomeInvalido, NomeEmUso, TokensIlegiveis.
        """
        if not 1 <= len(nome) <= _MAXIMO_DO_NOME or not nome.isprintable() or nome != nome.strip():
            raise NomeInvalido(nome)
        token = secrets.token_urlsafe(32)
        with self._aberto(criar=True) as db:
            db.execute(_INSERIR, (_resumo(token), nome, _agora()))
            if db.changes() == 0:
                raise NomeEmUso(nome)
        return token

    def revogar(self, nome: str) -> bool:
        """Refuse the token of this name from now on; False when there is none. Raises TokensIlegiveis."""
        if not self._arquivo.exists():
            return False
        with self._aberto() as db:
            db.execute(_REVOGAR, (_agora(), nome))
            return db.changes() > 0

    def nome_de(self, token: str) -> str | None:
        """The name of a valid token, or None. Raises TokensIlegiveis."""
        try:
            # All rows are fetched: an open cursor would pin what this connection sees for ever.
            achados = self._leitor().execute(_PROCURAR, (_resumo(token),)).fetchall()
        except FileNotFoundError:
            return None
        except (local.SQLiteError, OSError) as erro:
            raise TokensIlegiveis(str(erro)) from erro
        return str(achados[0][0]) if achados else None

    def _leitor(self) -> local.Connection:
        """This thread's own connection; opening one for each request would cost a millisecond.

        A new one where the process was forked or the file was replaced. Raises FileNotFoundError.
        """
        arquivo = self._arquivo.stat()
        dono = (os.getpid(), arquivo.st_dev, arquivo.st_ino)
        leitores = self._leitores.abertos
        if dono not in leitores:
            leitores[dono] = local.connect(self._arquivo, flush=True, create=False)
        return leitores[dono]

    @contextmanager
    def _aberto(self, *, criar: bool = False) -> Iterator[local.Connection]:
        try:
            db = local.connect(self._arquivo, flush=True, create=criar)
        except (local.SQLiteError, OSError) as erro:
            raise TokensIlegiveis(str(erro)) from erro
        try:
            if criar:
                db.execute(_ESQUEMA)
            yield db
        except local.SQLiteError as erro:
            raise TokensIlegiveis(str(erro)) from erro
        finally:
            db.close()


def _resumo(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()


def _agora() -> str:
    return datetime.now(UTC).isoformat()
