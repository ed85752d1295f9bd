"""The API is called with what its description allows and what it forbids: no answer outside of it.

Schemathesis makes the requests from `/api/openapi.json` and holds every answer to it.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import schemathesis
from hypothesis import given
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import CheckFunction
from schemathesis.openapi import checks as _registered  # noqa: F401
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi import checks

from tests.support.api import PESSOA, Api, api
from tests.support.hostile import fuzzed, texts
from tests.support.postgres_server import PostgresServer

__all__ = ["api"]

pytestmark = pytest.mark.postgres

Call = Case[Any]
Operation = APIOperation[Any, Any, Any, Any]

_CHECKS: list[CheckFunction] = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]
_EACH = 12
#: Nothing that can be said there is against the description.
_TAKE_ANYTHING = {"/api/openapi.json", "/api/gravacoes/{referencia}"}
#: Edits of students whom nobody knows, and with values that nobody had seen: only PostgreSQL can tell.
_FOR_A_PERSON = {"no_effect", "conflict"}


class Fuzzer:
    """Calls every operation in both ways, and counts the answers."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.answers: Counter[int] = Counter()
        self.known = [api.cadastrar(f"k{n}").json["id"] for n in range(3)]

    def run(self) -> Counter[int]:
        schema = schemathesis.openapi.from_wsgi("/api/openapi.json", self.api.app)
        schema.config.generation.update(with_security_parameters=False, allow_extra_parameters=False)
        for found in schema.get_all_operations():
            operation: Operation = found.ok()  # type: ignore[union-attr]  # it raises where there is none
            self._fuzz(operation, GenerationMode.POSITIVE)
            if operation.path not in _TAKE_ANYTHING:
                self._fuzz(operation, GenerationMode.NEGATIVE)
        return self.answers

    def _fuzz(self, operation: Operation, mode: GenerationMode) -> None:
        @fuzzed(_EACH)
        @given(operation.as_strategy(generation_mode=mode), st.data())
        def call(case: Call, data: st.DataObject) -> None:
            if mode is GenerationMode.POSITIVE:
                self._make_sense(case, data)
            self._call(case)

        call()

    def _make_sense(self, case: Call, data: st.DataObject) -> None:
        """Of random requests hardly one passes the form: some are about real people, with hostile texts."""
        if isinstance(case.body, dict) and data.draw(st.booleans()):
            few = st.dictionaries(st.sampled_from(["nome", "endereco", "observacoes", "turma"]), texts)
            sure = {"telefone": PESSOA["telefone"]} if case.method == "PATCH" else PESSOA
            case.body = {**sure, **data.draw(few)}
        if "id" in case.path_parameters and data.draw(st.booleans()):
            case.path_parameters["id"] = data.draw(st.sampled_from(self.known))

    def _call(self, case: Call) -> None:
        headers = {"Authorization": f"Bearer {self.api.token}"}
        response = case.call(headers=headers)
        case.validate_response(response, checks=_CHECKS, headers=headers)
        self.answers[response.status_code] += 1


def test_with_postgresql_every_answer_is_as_described_and_none_is_a_failure_of_ours(api: Api) -> None:
    answers = Fuzzer(api).run()
    assert max(answers) < 500, answers
    assert {200, 201, 404, 422} <= set(answers), answers
    assert api.motor.verify().holds


def test_without_postgresql_every_answer_is_as_described_and_what_was_taken_arrives(
    api: Api, postgres_server: PostgresServer
) -> None:
    postgres_server.stop()
    answers = Fuzzer(api).run()
    assert set(answers) & {200, 202, 404, 422} == {200, 202, 404, 422}, answers
    assert 500 not in answers
    postgres_server.start()
    api.esperar(lambda: all_but_the_parked_are_through(api))
    assert {entry.reason for entry in api.motor.quarantine.list()} <= _FOR_A_PERSON
    assert api.motor.verify().holds


def all_but_the_parked_are_through(api: Api) -> bool:
    """What waits behind an edit that a person has to look at goes on waiting."""
    status = api.motor.status()
    return status.database_connected and status.pending == len(api.motor.backlog.parked().behind)
