"""The product without HTTP: an engine in the writer's own process, answering in the words of the API."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from academia.alunos.leitura import DadosInvalidos, ler_cadastro, ler_edicao
from academia.alunos.writes import Aceito, Edicao, Remetente, cadastrar, editar
from academia.gravacoes.estados import ESTADOS
from drill.api import Reply
from drill.history import Answer, History, Kind, Outcome
from robusto import Engine
from robusto.errors import NotAccepted, WriteRejected
from robusto.write import WriteState

_NAMESPACE = "drill"


class EngineApi:
    """One submitter's way to the product: `submit`, under the rules that the API follows too."""

    def __init__(self, engine: Engine, history: History) -> None:
        self._engine = engine
        self._history = history

    def register(self, body: dict[str, Any], key: str) -> Reply:
        """Register a student."""

        def submit() -> Aceito:
            return cadastrar(self._engine, ler_cadastro(body).colunas(), _sender(key), body)

        return _reply(submit, 201)

    def edit(self, student: str, body: dict[str, Any], key: str) -> Reply:
        """Change a student."""

        def submit() -> Aceito:
            edit = Edicao(ler_edicao(body).mudancas(), {})
            return editar(self._engine, UUID(student), edit, _sender(key), {"id": student, "aluno": body})

        return _reply(submit, 200)

    def note(self, kind: Kind, reply: Reply, outcome: Outcome | None = None, key: str = "") -> None:
        """Put an answer into the history."""
        self._history.answered(Answer(kind, reply.sent_at, reply.seconds, reply.status, outcome, key))


def _sender(key: str) -> Remetente:
    return Remetente(_NAMESPACE, key, _NAMESPACE)


def _reply(submit: Callable[[], Aceito], stored: int) -> Reply:
    sent_at = time.monotonic()
    try:
        status, body = _accepted(submit(), stored)
    except DadosInvalidos:
        status, body = 422, {"code": "dados-invalidos"}
    except WriteRejected as refusal:
        status, body = _refusal(refusal)
    except NotAccepted as error:
        status, body = 503, {"code": "resultado-desconhecido" if error.maybe_applied else "nao-guardado"}
    except Exception as error:  # a bug, which the history calls a breach
        status, body = 500, {"code": type(error).__name__}
    return Reply(status, body, sent_at, time.monotonic() - sent_at)


def _accepted(accepted: Aceito, stored: int) -> tuple[int, dict[str, Any]]:
    receipt = accepted.recibo
    body = {
        "id": str(accepted.id_aluno),
        "protocolo": accepted.protocolo,
        "gravacao": str(receipt.id),
        "estado": ESTADOS[receipt.state],
        "duplicado": receipt.duplicate,
    }
    return stored if receipt.state is WriteState.STORED else 202, body


def _refusal(refusal: WriteRejected) -> tuple[int, dict[str, Any]]:
    match (refusal.reason, refusal.constraint):
        case ("key_reused", _):
            return 422, {"code": "chave-reutilizada"}
        case ("no_effect", _):
            return 404, {"code": "nao-encontrado"}
        case ("conflict", _):
            return 409, {"code": "conflito"}
        case ("23505", "alunos_cpf_key"):
            return 409, {"code": "cpf-em-uso"}
        case _:
            return 422, {"code": "dados-invalidos"}
