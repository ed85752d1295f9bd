"""`acesso.db`: users, sessions and guesses, in a local file, so that logging in does not need PostgreSQL."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from robusto import local

_ESQUEMA = """
CREATE TABLE IF NOT EXISTS usuarios (
    id INTEGER PRIMARY KEY,
    login TEXT NOT NULL UNIQUE,
    nome TEXT NOT NULL,
    papel TEXT NOT NULL,
    ativo INTEGER NOT NULL,
    senha TEXT NOT NULL,
    deve_trocar INTEGER NOT NULL,
    criado_em TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS sessoes (
    resumo BLOB PRIMARY KEY,
    usuario INTEGER NOT NULL,
    criada_em REAL NOT NULL,
    vista_em REAL NOT NULL,
    dados BLOB NOT NULL,
    formulario BLOB
) STRICT;
CREATE INDEX IF NOT EXISTS sessoes_usuario ON sessoes (usuario);
CREATE TABLE IF NOT EXISTS tentativas (
    alvo BLOB PRIMARY KEY,
    falhas INTEGER NOT NULL,
    ultima_em REAL NOT NULL
) STRICT;
"""
_PRONTO = "SELECT count(*) FROM sqlite_master WHERE name IN ('usuarios', 'sessoes', 'tentativas')"
_TABELAS = 3


class AcessoIlegivel(Exception):
    """The file of users and sessions cannot be read or written: a fault of ours, not of the person."""


class _DestaThread(threading.local):
    def __init__(self) -> None:
        self.abertas: dict[tuple[int, int, int], local.Connection] = {}


class Arquivo:
    """The file. Several processes and threads may use it at once; each thread has its own connection."""

    def __init__(self, caminho: Path) -> None:
        self._caminho = caminho
        self._thread = _DestaThread()

    def ler(self, sql: str, valores: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """All rows: an open cursor would pin what this connection sees. Raises AcessoIlegivel."""
        try:
            return self._conexao().execute(sql, valores).fetchall()
        except (local.SQLiteError, OSError) as erro:
            raise AcessoIlegivel(type(erro).__name__) from erro

    @contextmanager
    def gravar(self) -> Iterator[local.Connection]:
        """One transaction, flushed; nobody else writes meanwhile. Raises AcessoIlegivel.

        Whatever is raised inside undoes it.
        """
        try:
            db = self._conexao()
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                with suppress(local.SQLiteError):
                    db.execute("ROLLBACK")
                raise
        except (local.SQLiteError, OSError) as erro:
            raise AcessoIlegivel(type(erro).__name__) from erro

    def _conexao(self) -> local.Connection:
        """A new one where the process was forked or the file was replaced."""
        dono = self._dono()
        if dono is not None and (aberta := self._thread.abertas.get(dono)) is not None:
            return aberta
        db = local.connect(self._caminho, flush=True)
        if db.execute(_PRONTO).fetchall() != [(_TABELAS,)]:
            db.execute(f"BEGIN IMMEDIATE; {_ESQUEMA} COMMIT")
        dono = self._dono()
        if dono is not None:
            self._thread.abertas[dono] = db
        return db

    def _dono(self) -> tuple[int, int, int] | None:
        try:
            arquivo = self._caminho.stat()
        except FileNotFoundError:
            return None
        return os.getpid(), arquivo.st_dev, arquivo.st_ino
