"""What the API answers to what it cannot take: a problem with a code, never 500, nothing written."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder, run_wsgi_app

from academia.alunos.campos import CAMPOS
from academia.api import esquemas
from academia.api.corpo import MAXIMO_DE_BYTES
from academia.api.problemas import PROBLEMAS
from robusto import NotAccepted
from tests.support.api import PESSOA, Api, Resposta, api

__all__ = ["api"]

SEGREDO = "cpf 52998224725"

pytestmark = pytest.mark.postgres


def problema(resposta: Resposta, status: int, code: str) -> dict[str, Any]:
    assert (resposta.status_code, resposta.json["code"]) == (status, code), resposta.text
    assert resposta.content_type == "application/problem+json"
    esquemas.Problema.model_validate(resposta.json)
    assert resposta.json["title"] == PROBLEMAS[code][1]
    assert resposta.json["status"] == status
    return resposta.json


def enviar(api: Api, corpo: bytes, tipo: str = "application/json", **cabecalhos: str) -> Resposta:
    return api.pedir("POST", "/api/alunos", data=corpo, content_type=tipo, headers=cabecalhos)


@pytest.mark.parametrize(
    "corpo",
    [
        b"", b"{", b"nada", b"\xff", b'{"nome": NaN}', b'{"nome": 1e999}', b'{"nome": Infinity}',
        b'{"nome": "a", "nome": "b"}', b"[" * 100_000, b'{"a":' * 30_000, b'{"nome": ' + b"9" * 5000 + b"}",
        b"\xef\xbb\xbf{}", b'{"nome": "\x01"}', b"{} {}",
    ],
)  # fmt: skip
def test_a_broken_body_is_no_json(api: Api, corpo: bytes) -> None:
    problema(enviar(api, corpo), 400, "json-invalido")


@pytest.mark.parametrize("tipo", ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonx"])
def test_another_kind_of_body_is_no_json(api: Api, tipo: str) -> None:
    problema(enviar(api, json.dumps(PESSOA).encode(), tipo), 400, "json-invalido")


def test_a_zipped_body_is_not_unzipped(api: Api) -> None:
    problema(enviar(api, b"\x1f\x8b\x08\x00rest", **{"Content-Encoding": "gzip"}), 400, "json-invalido")


@pytest.mark.parametrize("corpo", [b"[]", b"null", b'"texto"', b"1", b"true"])
def test_json_that_is_no_object_is_invalid_data(api: Api, corpo: bytes) -> None:
    assert problema(enviar(api, corpo), 422, "dados-invalidos")["campos"]


def test_wrong_fields_are_named_one_by_one(api: Api) -> None:
    resposta = api.cadastrar(cpf="111.111.111-11", apelido="x", telefone="1")
    campos = problema(resposta, 422, "dados-invalidos")["campos"]
    assert set(campos) == {"cpf", "apelido", "telefone"}
    assert all(isinstance(mensagem, str) for mensagens in campos.values() for mensagem in mensagens)


def test_a_body_may_have_256_kib_and_no_byte_more(api: Api) -> None:
    vazio = len(json.dumps({"x": ""}))
    certo = json.dumps({"x": "a" * (MAXIMO_DE_BYTES - vazio)}).encode()
    assert len(certo) == MAXIMO_DE_BYTES
    problema(enviar(api, certo), 422, "dados-invalidos")
    problema(enviar(api, certo + b" "), 413, "corpo-grande")


def test_a_chunked_body_is_cut_off_too(api: Api) -> None:
    ambiente = EnvironBuilder(
        "/api/alunos",
        method="POST",
        input_stream=io.BytesIO(b'{"x": "' + b"a" * 10_000_000),
        headers=[
            ("Authorization", f"Bearer {api.token}"),
            ("Content-Type", "application/json"),
            ("Transfer-Encoding", "chunked"),
        ],
    ).get_environ()
    ambiente["wsgi.input_terminated"] = True
    ambiente.pop("CONTENT_LENGTH", None)
    corpo, status, _ = run_wsgi_app(api.app, ambiente)
    assert (status, json.loads(b"".join(corpo))["code"]) == ("413 REQUEST ENTITY TOO LARGE", "corpo-grande")


def test_a_body_that_the_web_server_cannot_read_is_no_json(api: Api) -> None:
    class Partido(io.BytesIO):
        def read(self, *_: object) -> bytes:
            raise RuntimeError("invalid chunk")

    ambiente = EnvironBuilder("/api/alunos", method="POST", json=PESSOA).get_environ()
    ambiente |= {"wsgi.input": Partido(), "HTTP_AUTHORIZATION": f"Bearer {api.token}"}
    corpo, status, _ = run_wsgi_app(api.app, ambiente)
    assert (status[:3], json.loads(b"".join(corpo))["code"]) == ("400", "json-invalido")


@pytest.mark.parametrize("chave", ["", "c" * 201, "ação", "a\tb", "\x7f"])
def test_a_key_has_1_to_200_printable_characters(api: Api, chave: str) -> None:
    ambiente = EnvironBuilder("/api/alunos", method="POST", json=PESSOA).get_environ()
    ambiente |= {"HTTP_IDEMPOTENCY_KEY": chave, "HTTP_AUTHORIZATION": f"Bearer {api.token}"}
    corpo, status, _ = run_wsgi_app(api.app, ambiente)
    assert (status[:3], json.loads(b"".join(corpo))["code"]) == ("422", "chave-invalida")
    assert api.nomes() == []


def test_a_key_of_200_characters_of_any_kind_is_taken(api: Api) -> None:
    chave = "".join(map(chr, range(0x20, 0x7F))).strip().ljust(200, "~")
    assert api.cadastrar(chave).headers["Idempotency-Key"] == chave


def test_unknown_addresses_and_methods_are_problems_too(api: Api) -> None:
    problema(api.pedir("GET", "/api/nada"), 404, "nao-encontrado")
    problema(api.pedir("GET", "/api"), 404, "nao-encontrado")
    resposta = api.pedir("DELETE", "/api/alunos")
    problema(resposta, 405, "metodo-nao-permitido")
    assert "POST" in resposta.headers["Allow"]


def test_addresses_outside_of_the_api_keep_their_own_errors(api: Api) -> None:
    resposta = api.pedir("GET", "/nada")
    assert (resposta.status_code, resposta.content_type) == (404, "text/html; charset=utf-8")


@pytest.mark.parametrize(("talvez", "code"), [(False, "nao-guardado"), (True, "resultado-desconhecido")])
@pytest.mark.parametrize("chave", [None, "minha"])
def test_what_was_not_accepted_is_told_with_the_key_to_send_again(
    api: Api, monkeypatch: pytest.MonkeyPatch, talvez: bool, code: str, chave: str | None
) -> None:
    def falhar(*_: object, key: str, **__: object) -> None:
        raise NotAccepted("disk full", key=key, maybe_applied=talvez)

    monkeypatch.setattr(api.motor, "submit", falhar)
    resposta = api.cadastrar(chave)
    corpo = problema(resposta, 503, code)
    assert corpo["chave"] == resposta.headers["Idempotency-Key"]
    assert chave is None or corpo["chave"] == chave
    assert resposta.headers["Retry-After"]


def test_a_bug_of_ours_leaves_a_write_unknown_and_a_reading_failed(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def falhar(*_: object, **__: object) -> None:
        raise RuntimeError(SEGREDO)

    monkeypatch.setattr(api.motor, "submit", falhar)
    monkeypatch.setattr(api.motor, "unfinished", falhar)
    assert problema(api.cadastrar("k"), 503, "resultado-desconhecido")["chave"] == "k"
    problema(api.listar(), 500, "erro-interno")
    assert "RuntimeError" in caplog.text
    assert SEGREDO not in caplog.text


json_qualquer = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(st.characters()),
    lambda outro: st.lists(outro, max_size=3) | st.dictionaries(st.text(), outro, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(dados=json_qualquer | st.dictionaries(st.sampled_from(CAMPOS), json_qualquer))
def test_whatever_is_sent_is_answered_and_what_is_accepted_is_kept_as_it_was_sent(
    api: Api, dados: Any
) -> None:
    corpo = json.dumps(dados).encode()
    resposta = enviar(api, corpo)
    assert resposta.status_code in (201, 400, 422), resposta.text
    if resposta.status_code == 201:
        assert api.ver(resposta.json["id"]).json["nome"] == dados["nome"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texto=st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=200))
def test_hostile_text_is_stored_unchanged_and_can_be_searched(api: Api, texto: str) -> None:
    resposta = api.cadastrar(nome=f"X{texto[:190]}", endereco=texto)
    assert resposta.status_code == 201, resposta.text
    aluno = api.ver(resposta.json["id"]).json
    assert aluno["nome"] == f"X{texto[:190]}"
    assert aluno["endereco"] == (texto if texto.strip() else None)
    assert api.listar(q=texto).status_code == 200


def test_a_journal_that_was_removed_keeps_nothing_and_is_not_taken_for_an_empty_one(api: Api) -> None:
    aluno = api.cadastrar().json["id"]
    api.motor.config.folder.rename(api.motor.config.folder.with_name("gone"))  # the worker writes in it
    resposta = api.cadastrar("k")
    assert problema(resposta, 503, "nao-guardado")["chave"] == "k"
    problema(api.editar(aluno, rg="1"), 503, "nao-guardado")
    problema(api.listar(), 503, "desconhecido")
    problema(api.ver(aluno), 503, "desconhecido")
