"""The records that were imported before, as they came: what a repeated import is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from academia.alunos.tipos import CADASTRAR, EDITAR

if TYPE_CHECKING:
    from robusto import Engine


class Conhecidos:
    """By the student's id: those of this run, those still pending here, and those in PostgreSQL."""

    def __init__(self, motor: Engine) -> None:
        self._motor = motor
        self._brutos: dict[UUID, Mapping[str, Any]] = {}
        for gravacao, _ in motor.unfinished((CADASTRAR, EDITAR)):
            if gravacao.payload.get("origem"):
                self._brutos[UUID(gravacao.payload["id"])] = gravacao.payload["origem"]

    def lembrar(self, id_aluno: UUID, bruto: Mapping[str, Any]) -> None:
        """This run took it in."""
        self._brutos[id_aluno] = bruto

    def bruto(self, id_aluno: UUID) -> Mapping[str, Any] | None:
        """The record that the student was made of, or None. Raises DatabaseUnavailable."""
        if id_aluno not in self._brutos:
            sql = "SELECT origem FROM alunos WHERE id = %s"
            linha = self._motor.read(lambda tx: tx.execute(sql, (id_aluno,)).fetchone())
            if linha is None or linha[0] is None:
                return None
            self._brutos[id_aluno] = linha[0]
        return self._brutos[id_aluno]

    def cpf_em_uso(self, cpf: str) -> bool:
        """Whether PostgreSQL has a student with this CPF. Raises DatabaseUnavailable."""
        sql = "SELECT 1 FROM alunos WHERE cpf = %s"
        return self._motor.read(lambda tx: tx.execute(sql, (cpf,)).fetchone()) is not None
