"""Faults 48 and 50 at the desk: hostile text is refused in words or stored as typed, and only ever shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from academia.acesso.cabecalhos import CSP
from academia.acesso.direitos import ADMINISTRADOR
from academia.alunos.campos import CAMPOS_DO_RESPONSAVEL
from academia.balcao.campos import GRUPOS
from tests.support.api import Api
from tests.support.balcao import DIGITADO, Balcao, Pagina, balcao
from tests.support.hostile import LONE_SURROGATE, NUL, SCRIPTS, TEXTS, Markup, fuzzed, good_texts
from tests.support.navegador import Navegador
from tests.support.postgres_server import PostgresServer

__all__ = ["balcao"]

pytestmark = pytest.mark.postgres

FIELDS = [campo.nome for grupo in GRUPOS for campo in grupo.campos]
FREE = ["nome", "nome_social", "endereco", "turma", "observacoes", "responsavel_nome"]
#: What the form cannot say: UTF-8 has no half characters.
TYPED = [text for text in TEXTS if LONE_SURROGATE not in text and "\udfff" not in text]


def post(balcao: Balcao, path: str, fields: dict[str, str]) -> TestResponse:
    """As a browser that lets everything through."""
    body = urlencode({"csrf_token": balcao.navegador.csrf, **fields})
    return balcao.navegador.abrir(path, "POST", data=body, content_type="application/x-www-form-urlencoded")


def as_kept(typed: str) -> str | None:
    """What a browser and the form make of it by themselves: one kind of line break, no blanks around."""
    return typed.replace("\r\n", "\n").replace("\r", "\n").strip() or None


def flat(student: dict[str, Any]) -> dict[str, Any]:
    guardian = student["responsavel"] or dict.fromkeys(CAMPOS_DO_RESPONSAVEL)
    return student | {f"responsavel_{name}": value for name, value in guardian.items()}


def register(balcao: Balcao, **typed: str) -> dict[str, Any] | None:
    """The student as stored; None where the form came back with a sentence."""
    page = balcao.novo()
    answer = post(balcao, page.acao, page.form | DIGITADO | typed)
    if answer.status_code != 303:
        assert (answer.status_code, Pagina(answer).codigos) == (422, ["dados-invalidos"]), typed
        return None
    student = answer.location.partition("aluno=")[2]
    return flat(balcao.api.ver(student).json)


def test_a_hostile_text_in_any_field_is_refused_in_words_or_stored_as_typed(balcao: Balcao) -> None:
    taken = 0
    for n, text in enumerate(TYPED):
        for field in {"nome", "observacoes", FIELDS[n % len(FIELDS)]} - {"situacao", "whatsapp"}:
            student = register(balcao, **{field: text})
            if student is not None:
                taken += 1
                assert student[field] == as_kept(text), field
    assert taken > len(TYPED)


def test_whatever_is_typed_is_answered_by_a_page_and_kept_as_it_is(balcao: Balcao) -> None:
    @fuzzed(25)
    @given(st.dictionaries(st.sampled_from(FREE), good_texts, max_size=3))
    def typed(fields: dict[str, str]) -> None:
        student = register(balcao, **fields)
        assert student is None or all(student[field] == as_kept(text) for field, text in fields.items())

    typed()


def test_a_hidden_field_that_somebody_else_wrote_is_no_fault_of_ours(balcao: Balcao) -> None:
    """NUL and halves of characters among the values seen were answered with "nobody knows"."""
    student = balcao.cadastrado(nome="Ana")
    for text in (NUL, LONE_SURROGATE, "a" * 100_000, "[" * 5000):
        for seen in (
            json.dumps({"nome": "Ana", "rg": text, "bairro": text}),
            text.replace(LONE_SURROGATE, "{"),
        ):
            page = balcao.abrir(f"/alunos/{student}/editar")
            answer = post(balcao, f"/alunos/{student}/editar", page.form | {"rg": "7", "visto": seen})
            assert answer.status_code in (303, 409, 422), Pagina(answer).texto


def test_values_seen_that_nobody_can_have_seen_are_named(balcao: Balcao) -> None:
    student = balcao.cadastrado(nome="Ana")
    for text in (NUL, f"a{LONE_SURROGATE}"):
        answer = balcao.api.editar(student, rg="1", visto={"bairro": text, "responsavel": {"nome": text}})
        assert (answer.status_code, answer.json["code"]) == (422, "dados-invalidos")
        assert set(answer.json["campos"]) == {"visto.bairro", "visto.responsavel.nome"}


def test_a_long_value_seen_is_a_conflict_like_any_other(balcao: Balcao) -> None:
    student = balcao.cadastrado(nome="Ana")
    answer = balcao.api.editar(student, cpf="529.982.247-25", visto={"cpf": "9" * 100_000})
    assert (answer.status_code, answer.json["code"]) == (409, "conflito")


class Pages:
    """Looks at every page on which something of a write may stand."""

    def __init__(self, balcao: Balcao) -> None:
        self.balcao = balcao
        self.api: Api = balcao.api

    def look(self, answer: TestResponse, shows: str = "") -> None:
        assert answer.status_code < 500, answer.text
        assert answer.headers["Content-Security-Policy"] == CSP
        page = Markup(answer.text)
        assert page.dangers() == []
        assert shows in page.shown

    def at(self, path: str, shows: str = "", user: Navegador | None = None) -> TestResponse:
        answer = (user or self.balcao.navegador).abrir(path)
        self.look(answer, shows)
        return answer

    def desk(self, script: str) -> None:
        page = self.balcao.novo()
        typed = page.form | DIGITADO | dict.fromkeys(FREE, script)
        self.look(post(self.balcao, page.acao, typed | {"cpf": script}), script)  # refused: the form again
        answer = post(self.balcao, page.acao, typed)
        student = answer.location.partition("aluno=")[2]
        self.at(answer.location, script)
        self.at(f"/alunos/{student}", script)
        self.at(f"/alunos/{student}/editar", script)
        self.look(post(self.balcao, "/buscar", {"q": script}), script)
        self.look(post(self.balcao, "/alunos/parecidos", typed))
        seen = typed | {"visto": json.dumps(dict.fromkeys(FREE, "antes")), "chave": uuid4().hex}
        self.look(post(self.balcao, f"/alunos/{student}/editar", seen), script)  # a conflict shows both

    def login(self, script: str) -> None:
        stranger = Navegador(self.api.app)
        stranger.abrir("/entrar")
        self.look(stranger.enviar("/entrar", login=script, senha="x", proximo=script), script)
        self.look(stranger.abrir("/" + script))
        self.look(stranger.abrir("/alunos/novo/" + script))


def console(pages: Pages, chief: Navegador, script: str) -> None:
    """A write that waits, and the same in quarantine, masked and revealed, with what an operator wrote."""
    id = next(iter(pages.api.motor.quarantine.list())).id
    for path in ("", "/pendentes", "/quarentena", "/atividade", f"/pendentes/{id}", f"/quarentena/{id}"):
        pages.at("/sistema" + path, user=chief)
    for path in ("pendentes?tipo=", "quarentena?motivo=", "atividade?evento=", "pendentes?protocolo="):
        pages.look(chief.abrir(f"/sistema/{path}{script}"))
    pages.look(chief.enviar(f"/sistema/quarentena/{id}/dados"), script)
    chief.enviar(f"/sistema/quarentena/{id}/descartar", motivo=script)
    pages.at(f"/sistema/quarentena/{id}", script, user=chief)


@pytest.fixture
def pages(balcao: Balcao) -> Iterator[Pages]:
    yield Pages(balcao)


@pytest.mark.parametrize("script", [script for script in SCRIPTS if "7*7" not in script])
def test_the_reader_of_pages_sees_what_would_run(script: str) -> None:
    places = (
        "<p>{}</p>",
        '<input value="{}">',
        "<input value='{}'>",
        "<textarea>{}</textarea>",
        '<a href="{}">',
    )
    assert [place for place in places if Markup(place.format(script)).dangers()]


def test_markup_in_a_name_is_text_on_every_page(pages: Pages, postgres_server: PostgresServer) -> None:
    for script in SCRIPTS:
        pages.desk(script)
        pages.login(script)
    chief = Balcao(pages.api, "chefe", ADMINISTRADOR).navegador
    chief.abrir("/usuarios")
    for script in SCRIPTS:
        pages.look(chief.enviar("/usuarios", login=script, nome=script, papel=script), script)
    postgres_server.stop()
    for script in SCRIPTS:
        page = pages.balcao.novo()
        answer = post(pages.balcao, page.acao, page.form | DIGITADO | dict.fromkeys(FREE, script))
        pages.at(answer.location, script)
        pages.at("/")
        pages.api.editar("00000000-0000-4000-8000-000000000000", nome=script, observacoes=script)
    pages.at("/sistema/pendentes", user=chief)
    postgres_server.start()
    pages.api.esperar(lambda: bool(list(pages.api.motor.quarantine.list())))
    console(pages, chief, SCRIPTS[0])
    pages.at("/novidades")
