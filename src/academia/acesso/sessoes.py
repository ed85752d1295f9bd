"""Who is logged in: a row for each session, found by the digest of an id that only the browser has."""

from __future__ import annotations

import hashlib
import logging
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask.json.tag import TaggedJSONSerializer

from academia.acesso.arquivo import AcessoIlegivel, Arquivo
from academia.acesso.selo import Selo, SeloInvalido
from academia.acesso.usuarios import COLUNAS, Usuario, usuario_de

_log = logging.getLogger(__name__)

OCIOSA_SEGUNDOS = 12 * 3600.0
MAXIMO_SEGUNDOS = 7 * 24 * 3600.0
#: A session that is used is noted this often: not every click is a write.
_NOTAR_SEGUNDOS = 60.0
_BYTES_DO_ID = 32
_DADOS, _FORMULARIO = b"sessao:", b"sessao.formulario:"

_LER = (
    f"SELECT criada_em, vista_em, dados, formulario IS NOT NULL, {COLUNAS}"
    " FROM sessoes JOIN usuarios ON usuarios.id = sessoes.usuario WHERE resumo = ? AND ativo = 1"
)
_json = TaggedJSONSerializer()


@dataclass(frozen=True, slots=True)
class Aberta:
    """A session as it is now, with its user as he is now."""

    resumo: bytes
    usuario: Usuario
    dados: dict[str, Any]
    tem_formulario: bool


class Sessoes:
    """The rows. Every method may raise AcessoIlegivel."""

    def __init__(self, arquivo: Arquivo, selo: Selo, relogio: Callable[[], float] = time.time) -> None:
        self._arquivo = arquivo
        self._selo = selo
        self._relogio = relogio

    def abrir(self, usuario: Usuario, dados: Mapping[str, Any]) -> str:
        """A new session; its id, 256 random bits, is kept nowhere."""
        id_ = secrets.token_urlsafe(_BYTES_DO_ID)
        resumo, agora = _resumo(id_), self._relogio()
        with self._arquivo.gravar() as db:
            db.execute(
                "DELETE FROM sessoes WHERE vista_em < ? OR criada_em < ?",
                (agora - OCIOSA_SEGUNDOS, agora - MAXIMO_SEGUNDOS),
            )
            db.execute(
                "INSERT INTO sessoes (resumo, usuario, criada_em, vista_em, dados) VALUES (?, ?, ?, ?, ?)",
                (resumo, usuario.id, agora, agora, self._selar(dados, resumo)),
            )
        return id_

    def ler(self, id_: str) -> Aberta | None:
        """None where it is unknown, over or revoked, or its user is disabled."""
        resumo, agora = _resumo(id_), self._relogio()
        achados = self._arquivo.ler(_LER, (resumo,))
        if not achados:
            return None
        criada_em, vista_em, selado, tem_formulario, *usuario = achados[0]
        idade = agora - criada_em
        # One from the future was begun before the clock was set back: nobody knows how old it is.
        if agora - vista_em > OCIOSA_SEGUNDOS or not -_NOTAR_SEGUNDOS <= idade <= MAXIMO_SEGUNDOS:
            return None
        try:
            dados = _json.loads(self._selo.abrir(selado, _DADOS + resumo))
        except SeloInvalido:
            return None
        if abs(agora - vista_em) > _NOTAR_SEGUNDOS:
            self._notar(resumo, agora)
        return Aberta(resumo, usuario_de(tuple(usuario)), dados, bool(tem_formulario))

    def gravar_dados(self, resumo: bytes, dados: Mapping[str, Any]) -> None:
        """Keep what the pages put into the session."""
        self._mudar("dados", resumo, self._selar(dados, resumo))

    def guardar_formulario(self, resumo: bytes, formulario: Any) -> None:
        """Keep one form, sealed; None forgets it."""
        selado = None if formulario is None else self._selo.fechar(formulario, _FORMULARIO + resumo)
        self._mudar("formulario", resumo, selado)

    def formulario(self, resumo: bytes) -> Any:
        """The kept form, or None."""
        achados = self._arquivo.ler("SELECT formulario FROM sessoes WHERE resumo = ?", (resumo,))
        if not achados or achados[0][0] is None:
            return None
        try:
            return self._selo.abrir(achados[0][0], _FORMULARIO + resumo)
        except SeloInvalido:
            return None

    def encerrar(self, resumo: bytes) -> None:
        """It is over, wherever its id may be."""
        with self._arquivo.gravar() as db:
            db.execute("DELETE FROM sessoes WHERE resumo = ?", (resumo,))

    def _selar(self, dados: Mapping[str, Any], resumo: bytes) -> bytes:
        return self._selo.fechar(_json.dumps(dict(dados)), _DADOS + resumo)

    def _mudar(self, coluna: str, resumo: bytes, valor: bytes | None) -> None:
        with self._arquivo.gravar() as db:
            db.execute(f"UPDATE sessoes SET {coluna} = ? WHERE resumo = ?", (valor, resumo))

    def _notar(self, resumo: bytes, agora: float) -> None:
        """On a full disk the session goes on all the same."""
        try:
            with self._arquivo.gravar() as db:
                db.execute("UPDATE sessoes SET vista_em = ? WHERE resumo = ?", (agora, resumo))
        except AcessoIlegivel as erro:
            _log.warning("the use of a session could not be noted: %s", erro)


def _resumo(id_: str) -> bytes:
    """The id has 256 random bits: its plain SHA-256 cannot be guessed backwards."""
    return hashlib.sha256(id_.encode(errors="replace")).digest()
