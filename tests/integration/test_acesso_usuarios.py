"""The users' page and command, and the headers of every answer."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from academia.acesso.cabecalhos import CSP
from tests.support.api import Api, aplicacao
from tests.support.navegador import NINGUEM, SENHA, Navegador, acesso_de, criar, destino, escondido


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with aplicacao(tmp_path / "var", NINGUEM, migrada=False, ACADEMIA_SUPORTE="ramal 7") as pronta:
        yield pronta


@pytest.fixture
def app(api: Api) -> Flask:
    return api.app


@pytest.fixture
def chefe(app: Flask) -> Navegador:
    pessoa = Navegador(app, criar(app, "chefe", "administrador"))
    pessoa.abrir("/usuarios")
    return pessoa


def mostrada(texto: str) -> str:
    achado = re.search(r'class="number">([^<]+)<', texto)
    assert achado
    return achado.group(1)


def papeis(app: Flask) -> dict[str, tuple[str, bool]]:
    return {u.login: (u.papel, u.ativo) for u in acesso_de(app).usuarios.todos()}


def test_an_administrator_makes_a_user_whose_password_is_shown_once(app: Flask, chefe: Navegador) -> None:
    feito = chefe.enviar("/usuarios", login="Ana", nome="Ana Inventada", papel="recepcao")
    assert feito.status_code == 200
    senha = mostrada(feito.text)
    assert senha not in chefe.abrir("/usuarios").text
    assert papeis(app)["ana"] == ("recepcao", True)
    assert destino(Navegador(app).entrar("ana", senha)) == "/senha"


@pytest.mark.parametrize(
    ("campos", "status"),
    [
        ({"login": "CHEFE", "papel": "recepcao"}, 409),
        ({"login": "", "papel": "recepcao"}, 422),
        ({"login": "com espaço", "papel": "recepcao"}, 422),
        ({"login": "x" * 61, "papel": "recepcao"}, 422),
        ({"login": "ana\x00", "papel": "recepcao"}, 422),
        ({"login": "ana", "papel": "diretor"}, 422),
        ({"login": "ana", "papel": ""}, 422),
        ({"login": "ana", "papel": "recepcao", "nome": "x" * 121}, 422),
    ],
)
def test_what_is_refused_is_shown_again_as_it_was_typed(
    app: Flask, chefe: Navegador, campos: dict[str, str], status: int
) -> None:
    resposta = chefe.enviar("/usuarios", **campos)
    assert resposta.status_code == status
    assert 'role="alert"' in resposta.text
    if campos["login"] == "ana":
        assert 'value="ana"' in resposta.text
    assert set(papeis(app)) == {"chefe"}


def test_papel_situation_and_password_are_changed_on_the_page(app: Flask, chefe: Navegador) -> None:
    ana = Navegador(app, criar(app, "ana", "recepcao"))
    assert destino(chefe.enviar("/usuarios/papel", login="ana", papel="auditor")) == "/usuarios"
    assert papeis(app)["ana"] == ("auditor", True)
    assert ana.abrir("/sistema").status_code == 200
    chefe.enviar("/usuarios/situacao", login="ana", ativo="nao")
    assert not ana.esta_dentro()
    chefe.enviar("/usuarios/situacao", login="ana", ativo="sim")
    assert papeis(app)["ana"] == ("auditor", True)
    assert not ana.esta_dentro()
    chefe.abrir("/usuarios")
    senha = mostrada(chefe.enviar("/usuarios/senha", login="ana").text)
    assert Navegador(app).entrar("ana").status_code == 401
    assert destino(Navegador(app).entrar("ana", senha)) == "/senha"
    assert chefe.enviar("/usuarios/senha", login="chefe").status_code == 409
    assert chefe.enviar("/usuarios/senha", login="ninguem").status_code == 404


def test_the_last_active_administrator_stays_one(app: Flask, chefe: Navegador) -> None:
    for caminho, mais in (("papel", {"papel": "recepcao"}), ("situacao", {"ativo": "nao"})):
        assert chefe.enviar(f"/usuarios/{caminho}", login="chefe", **mais).status_code == 409
    assert papeis(app) == {"chefe": ("administrador", True)}
    runner = app.test_cli_runner()
    assert runner.invoke(args=["usuarios", "desativar", "chefe"]).exit_code == 3
    criar(app, "outra", "administrador")
    assert runner.invoke(args=["usuarios", "desativar", "chefe"]).exit_code == 0
    assert not chefe.esta_dentro()


def test_the_form_for_a_new_user_outlives_an_expired_login(app: Flask, chefe: Navegador) -> None:
    chefe.sair()
    recusada = chefe.abrir(
        "/usuarios",
        "POST",
        data={"login": "ana", "nome": "Ana Inventada", "papel": "professor"},
        headers={"Referer": "http://localhost/usuarios"},
    )
    assert recusada.status_code == 401
    selado = escondido(recusada, "formulario")
    assert destino(chefe.enviar("/entrar", login="chefe", senha=SENHA, formulario=selado)) == "/usuarios"
    pagina = chefe.abrir("/usuarios").text
    assert 'value="ana"' in pagina and 'value="Ana Inventada"' in pagina
    assert '<option value="professor" selected>' in pagina
    assert chefe.enviar("/usuarios", login="ana", papel="professor").status_code == 200
    assert 'value="Ana Inventada"' not in chefe.abrir("/usuarios").text


def test_names_are_shown_as_text(app: Flask, chefe: Navegador) -> None:
    criar(app, "<script>alert(1)</script>", "recepcao")
    pagina = chefe.abrir("/usuarios").text
    assert "<script" not in pagina
    assert "&lt;script&gt;" in pagina


def test_pages_show_where_one_may_go_who_one_is_and_whom_to_call(app: Flask, chefe: Navegador) -> None:
    ana = Navegador(app, criar(app, "ana", "recepcao"))
    for pessoa, tem in ((chefe, True), (ana, False)):
        pagina = pessoa.abrir("/").text
        assert ('href="/sistema"' in pagina) is tem
        assert ('href="/usuarios"' in pagina) is tem
        assert "ramal 7" in pagina
    assert ">ana<" in ana.abrir("/").text
    assert 'href="/sistema"' in Navegador(app, criar(app, "aud", "auditor")).abrir("/").text


def test_the_command_makes_users_who_may_log_in_at_once(app: Flask) -> None:
    runner = app.test_cli_runner()
    for papel in ("administrador", "recepcao", "professor", "auditor"):
        feito = runner.invoke(
            args=["usuarios", "criar", papel, "--papel", papel, "--senha-stdin"], input=SENHA + "\n"
        )
        assert (feito.exit_code, feito.output) == (0, f"Usuário {papel} criado.\n")
        assert destino(Navegador(app).entrar(papel)) == "/"
    assert SENHA not in feito.output


def test_without_a_given_password_the_command_makes_one_for_one_use(app: Flask) -> None:
    runner = app.test_cli_runner()
    feito = json.loads(
        runner.invoke(args=["usuarios", "criar", "Ana", "--papel", "recepcao", "--json"]).stdout
    )
    assert (feito["login"], feito["papel"], feito["ativo"], feito["deve_trocar"]) == (
        "ana",
        "recepcao",
        True,
        True,
    )
    assert destino(Navegador(app).entrar("ana", feito["senha"])) == "/senha"
    outra = runner.invoke(args=["usuarios", "senha", "ana"]).stdout
    assert destino(Navegador(app).entrar("ana", outra.split(": ")[1].strip())) == "/senha"


def test_the_commands_say_how_they_ended(app: Flask) -> None:
    runner = app.test_cli_runner()
    criar(app, "ana", "recepcao")
    assert runner.invoke(args=["usuarios", "listar"]).stdout == "ana  recepcao  ativo\n"
    (ana,) = json.loads(runner.invoke(args=["usuarios", "listar", "--json"]).stdout)
    assert set(ana) == {"login", "nome", "papel", "ativo", "deve_trocar", "criado_em"}
    assert json.loads(runner.invoke(args=["usuarios", "desativar", "ana", "--json"]).stdout)["ativo"] is False
    for argumentos, codigo in (
        (["criar", "ana", "--papel", "recepcao"], 3),
        (["criar", "bia", "--papel", "diretor"], 2),
        (["criar", "bia"], 2),
        (["criar", "b ia", "--papel", "recepcao"], 2),
        (["criar", "bia", "--papel", "recepcao", "--senha-stdin"], 2),
        (["desativar", "ninguem"], 1),
        (["senha", "ninguem"], 1),
        (["senha", "  "], 1),
        (["desativar"], 2),
    ):
        assert runner.invoke(args=["usuarios", *argumentos], input="curta\n").exit_code == codigo, argumentos
    for comando in ([], ["criar"], ["listar"], ["desativar"], ["senha"]):
        assert runner.invoke(args=["usuarios", *comando, "--help"]).exit_code == 0


def test_every_answer_carries_the_strict_headers(api: Api, chefe: Navegador) -> None:
    respostas = {
        caminho: chefe.abrir(caminho, metodo)
        for metodo, caminho in (
            ("GET", "/"), ("GET", "/usuarios"), ("GET", "/sistema"), ("GET", "/sistema/status"),
            ("GET", "/nada"), ("POST", "/usuarios/papel"), ("GET", "/livez"), ("GET", "/static/academia.css"),
            ("PUT", "/sair"), ("GET", "/api/alunos"), ("GET", "/api/openapi.json"),
        )
    }  # fmt: skip
    for caminho, resposta in respostas.items():
        assert resposta.headers["Content-Security-Policy"] == CSP, caminho
        assert "unsafe" not in CSP
        assert resposta.headers["X-Content-Type-Options"] == "nosniff"
        assert resposta.headers["Referrer-Policy"] == "same-origin"
        assert resposta.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert "camera=()" in resposta.headers["Permissions-Policy"]
        assert "Strict-Transport-Security" not in resposta.headers
        assert (resposta.headers.get("Cache-Control") == "no-store") is ("static" not in caminho), caminho


def test_no_page_has_a_script_or_a_style_of_its_own(app: Flask, chefe: Navegador) -> None:
    for caminho in (
        "/",
        "/entrar",
        "/senha",
        "/usuarios",
        "/sistema",
        "/sistema/quarentena",
        "/sistema/atividade",
    ):
        pagina = chefe.abrir(caminho).text
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|javascript:", pagina), caminho


def test_a_token_keeps_its_rights_and_counts_only_where_tokens_do(api: Api) -> None:
    assert api.pedir("GET", "/sistema/status").status_code == 200
    assert api.pedir("POST", "/sistema/processar-fallback").status_code == 200
    assert api.cadastrar().status_code == 202
    for metodo, caminho, status in (("GET", "/usuarios", 303), ("POST", "/usuarios", 401), ("GET", "/", 303)):
        assert api.pedir(metodo, caminho).status_code == status


def test_a_wrong_token_is_not_saved_by_a_session(app: Flask, chefe: Navegador) -> None:
    errado = {"Authorization": "Bearer errado"}
    assert chefe.abrir("/sistema/status", headers=errado).status_code == 401
    assert chefe.abrir("/sistema/processar-fallback", "POST", headers=errado).status_code == 401
    assert chefe.abrir("/api/alunos").status_code == 401


def test_a_session_may_do_by_script_what_its_papel_may(app: Flask, chefe: Navegador) -> None:
    com = {"X-CSRFToken": chefe.csrf, "Accept": "application/json"}
    feito = chefe.abrir("/sistema/processar-fallback", "POST", headers=com)
    assert feito.status_code == 200
    assert feito.json is not None and feito.json["processed"] == 0
    auditor = Navegador(app, criar(app, "aud", "auditor"))
    auditor.abrir("/senha")
    assert auditor.abrir("/sistema/status").status_code == 200
    com = {"X-CSRFToken": auditor.csrf, "Accept": "application/json"}
    assert auditor.abrir("/sistema/processar-fallback", "POST", headers=com).status_code == 403
