"""Why a form was not taken: the sentence, the fields that are wrong, the status of the answer."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from academia.alunos.campos import achatar
from academia.alunos.leitura import DadosInvalidos
from academia.balcao import formulario, textos
from academia.balcao.frase import Frase
from robusto.errors import JournalError, NotAccepted, WriteRejected

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recusa:
    """Answered with the same form, all that was typed in it."""

    frase: Frase
    status: int
    erros: Mapping[str, str] = field(default_factory=dict)
    conflitos: Mapping[str, Any] = field(default_factory=dict)
    """Column -> the value that is there now."""

    @property
    def no_papel(self) -> bool:
        """Whether the form should be printed: nothing of it is kept anywhere."""
        return self.frase.codigo == "nao-guardado"


def recusa_de(erro: Exception) -> Recusa:
    """What became of a form whose sending raised this. A fault of ours is never shown as the person's."""
    match erro:
        case DadosInvalidos():
            return _de_campos(formulario.por_coluna(erro))
        case WriteRejected():
            return _de_rejeicao(erro)
        case NotAccepted(maybe_applied=True):
            return Recusa(textos.RESULTADO_DESCONHECIDO, 503)
        case NotAccepted():
            return Recusa(textos.nao_guardado(type(erro.__cause__).__name__), 503)
        case JournalError():  # before anything was sent
            return Recusa(textos.nao_guardado(type(erro).__name__), 503)
        case _:
            # The text of an exception may repeat a person's data: only its type and place are logged.
            sem_texto = RuntimeError(type(erro).__name__).with_traceback(erro.__traceback__)
            _log.error("unexpected %s", type(erro).__name__, exc_info=sem_texto)
            return Recusa(textos.RESULTADO_DESCONHECIDO, 503)


def _de_campos(erros: Mapping[str, str]) -> Recusa:
    rotulos = formulario.rotulos(erros)
    motivo = next(iter(erros.values())) if len(erros) == 1 else ""
    return Recusa(textos.rejeitado(motivo, rotulos), 422, erros)


def _de_rejeicao(erro: WriteRejected) -> Recusa:
    match (erro.reason, erro.constraint):
        case ("23505", "alunos_cpf_key"):
            erros = {"cpf": textos.CPF_EM_USO}
            return Recusa(textos.rejeitado(textos.CPF_EM_USO, ["CPF"], "cpf-em-uso"), 409, erros)
        case ("conflict", _):
            conflitos = achatar(erro.detail.get("campos", {}))
            frase = textos.CONFLITO if len(conflitos) == 1 else textos.CONFLITOS
            return Recusa(frase, 409, conflitos=conflitos)
        case ("no_effect", _):
            return Recusa(textos.rejeitado(textos.SEM_O_CADASTRO, [], "nao-encontrado"), 404)
        case _:
            _log.error("refused by the database: %s", erro)
            return Recusa(textos.rejeitado(textos.CONFIRA_OS_DADOS, []), 422)
