"""The earlier system's three functions, under their old names, on the engine.

None of them raises. They work in the app and in a plain script, where they open an engine of their
own from the same settings; with PostgreSQL down, and with a journal that cannot be used, they say so.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from academia.alunos.writes import Aceito, Remetente, cadastrar, nova_chave
from academia.importacao.importador import NAMESPACE
from academia.importacao.legado import Registro, SemNome, interpretar
from academia.motor_proprio import motor
from academia.settings import SettingsError
from robusto import Engine
from robusto.errors import KeyReused, NotAccepted, RobustoError, WriteRejected
from robusto.flask import texts
from robusto.write import WriteState

_log = logging.getLogger(__name__)

_AUTOR = "salvar_aluno_db_robusto"
_GRAVADO = "Cadastro gravado. Protocolo {protocolo}."
_PENDENTE = "Cadastro guardado com segurança neste sistema. Protocolo {protocolo}."
_AVISO = "Ainda não está no banco de dados; enviaremos sozinhos. Pode atender o próximo."
_PRECISA_DE_CORRECAO = "Precisa de correção: foi aceito, mas o banco de dados recusou. Nada foi perdido."
_FILA_ILEGIVEL = "A fila local não pode ser lida. Chame o administrador."
_NAO_GUARDADO = "NÃO foi guardado. Nada ficou neste sistema; anote no papel e chame o administrador."
_DESCONHECIDO = "Não sabemos se foi guardado. Envie de novo com a mesma chave: não há risco de duplicar."
_NEM_NO_BANCO = "nem no banco de dados, nem na fila local"
_RECUSAS = {
    "23505": "O CPF pertence a outra pessoa. Corrija o campo CPF.",
    "key_reused": "Esta chave já foi usada com outros dados.",
}


class DatabaseIntegrationRobusto:
    """The object of the earlier system; it has no state of its own."""

    def salvar_aluno_db_robusto(self, dados_aluno: dict[str, Any]) -> dict[str, Any]:
        """Register a student. The key is `id_unico` or `fallback_id`, else new: two calls are two writes.

        Returns one of four shapes: stored, pending, kept nowhere (or unknown), rejected.
        """
        try:
            registro = interpretar(dados_aluno)
        except SemNome:
            return _recusado("Informe o nome.", "nome ausente")
        except Exception as erro:
            return _recusado("Os dados não podem ser lidos.", type(erro).__name__)
        try:
            aberto = motor()
        except Exception as erro:
            _log.error("the engine cannot be opened: %s", type(erro).__name__)
            return _nao_aceito(_NAO_GUARDADO, _motivo(erro))
        try:
            return _aceito(_cadastrar(aberto, registro))
        except WriteRejected as recusa:
            codigo = "key_reused" if isinstance(recusa, KeyReused) else recusa.reason
            return _recusado(_RECUSAS.get(codigo, "O banco de dados recusou estes dados."), codigo)
        except ValueError:
            return _recusado("Os dados são grandes demais.", "dados grandes demais")
        except NotAccepted as falha:
            return _nao_aceito(_DESCONHECIDO if falha.maybe_applied else _NAO_GUARDADO, falha.reason)
        except Exception as erro:
            _log.error("salvar_aluno_db_robusto failed: %s", type(erro).__name__)
            return _nao_aceito(_DESCONHECIDO, _motivo(erro))

    def processar_fallback_pendente(self) -> dict[str, Any]:
        """Send what is pending now; returns after two seconds at most with what remains."""
        try:
            feito = motor().drain()
            texto = texts.drained(feito, connected=motor().status().database_connected or not feito.errors)
        except Exception as erro:
            _log.error("processar_fallback_pendente failed: %s", type(erro).__name__)
            motivo = _motivo(erro)
            return {"processed": 0, "error": motivo, "errors": [motivo], "message": _FILA_ILEGIVEL}
        return {
            "processed": feito.processed,
            "remaining": feito.remaining,
            "errors": feito.errors,
            "message": texto,
        }

    def get_status_sistema(self) -> dict[str, Any]:
        """Whether PostgreSQL answers, and how many writes are pending (`erro_leitura`: unknown)."""
        try:
            agora = motor()
            agora.look()
            status = agora.status().as_json()
        except Exception as erro:
            _log.error("get_status_sistema failed: %s", type(erro).__name__)
            status = {
                "database_connected": False,
                "fallback_records": None,
                "last_check": datetime.now(UTC).isoformat(),
                "level": "red",
                "reason": _motivo(erro),
            }
        pendentes = status["fallback_records"]
        return status | {"fallback_records": "erro_leitura" if pendentes is None else pendentes}


def _cadastrar(aberto: Engine, registro: Registro) -> Aceito:
    remetente = Remetente(NAMESPACE, registro.identificador or nova_chave(), _AUTOR)
    return cadastrar(aberto, registro.colunas, remetente, registro.conteudo, origem=registro.bruto)


def _aceito(aceito: Aceito) -> dict[str, Any]:
    recibo, aluno = aceito.recibo, str(aceito.id_aluno)
    frase = _GRAVADO if recibo.state is WriteState.STORED else _PENDENTE
    mensagem = frase.format(protocolo=aceito.protocolo)
    match recibo.state:
        case WriteState.STORED:
            return {"success": True, "message": mensagem, "aluno_id": aluno, "method": "database"}
        case WriteState.DISCARDED:
            return _recusado("Este cadastro foi descartado por um administrador.", "descartado")
        case WriteState.PENDING | WriteState.QUARANTINED as estado:
            return {
                "success": True,
                "message": mensagem,
                "fallback_id": recibo.key,
                "method": "fallback",
                "warning": _AVISO if estado is WriteState.PENDING else _PRECISA_DE_CORRECAO,
                "aluno_id": aluno,
            }


def _recusado(mensagem: str, codigo: str) -> dict[str, Any]:
    return {"success": False, "message": f"Não gravado. {mensagem}", "error": codigo}


def _nao_aceito(mensagem: str, motivo: str) -> dict[str, Any]:
    return {"success": False, "message": mensagem, "error": _NEM_NO_BANCO, "fallback_error": motivo}


def _motivo(erro: Exception) -> str:
    """The text of our own errors; of others only the type, for texts may repeat a person's data."""
    return str(erro) if isinstance(erro, RobustoError | SettingsError) else type(erro).__name__


db_integration_robusto = DatabaseIntegrationRobusto()
salvar_aluno_db_robusto = db_integration_robusto.salvar_aluno_db_robusto
processar_fallback_pendente = db_integration_robusto.processar_fallback_pendente
get_status_sistema = db_integration_robusto.get_status_sistema
