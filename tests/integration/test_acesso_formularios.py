"""A typed form is never lost: not by an expired login, not by a page that was open for too long."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Blueprint, Flask, request
from markupsafe import escape
from werkzeug.datastructures import MultiDict

from academia.acesso import (
    esquecer_formulario,
    exige_login,
    formulario_guardado,
    guardar_formulario,
    usuario_atual,
)
from tests.support.api import aplicacao
from tests.support.navegador import NINGUEM, SENHA, Navegador, acesso_de, criar, destino, escondido

NOME = 'José "Zé" <b>d\'Ávila</b> & Cia\r\nsegunda linha'
FICHA = {"nome": NOME, "dias": "seg", "senha_de_algo": "segredo"}


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    """The app, with a page like those of the front desk."""
    with aplicacao(tmp_path / "var", NINGUEM, migrada=False) as api:
        ficha = Blueprint("ficha", __name__)

        @ficha.get("/ficha")
        @exige_login
        def mostrar() -> str:
            campos = formulario_guardado() or MultiDict[str, str]()
            return "|".join(f"{escape(nome)}={escape(valor)}" for nome, valor in sorted(campos.items()))

        @ficha.post("/ficha/gravar")
        @exige_login
        def gravar() -> str:
            esquecer_formulario()
            usuario = usuario_atual()
            assert usuario is not None
            return f"{usuario.login}: {request.form['nome']}"

        @ficha.post("/ficha/rascunho")
        @exige_login
        def rascunho() -> str:
            guardar_formulario("/ficha")
            return ""

        api.app._got_first_request = False
        api.app.register_blueprint(ficha)
        yield api.app


def postar(pessoa: Navegador, csrf: str = "", **campos: str):
    return pessoa.abrir(
        "/ficha/gravar",
        "POST",
        data={"csrf_token": csrf, **FICHA, **campos},
        headers={"Referer": "http://localhost/ficha"},
    )


def test_a_form_outlives_an_expired_login(app: Flask) -> None:
    ana = criar(app, "ana", "recepcao")
    pessoa = Navegador(app, ana)
    pessoa.abrir("/senha")
    acesso_de(app).usuarios.mudar_senha("ana", acesso_de(app).senhas.resumir(SENHA), deve_trocar=False)
    recusada = postar(pessoa, pessoa.csrf)
    assert recusada.status_code == 401
    assert "Sua entrada venceu" in recusada.text
    selado = escondido(recusada, "formulario")
    errada = pessoa.enviar("/entrar", login="ana", senha="errada", formulario=selado)
    assert escondido(errada, "formulario") == selado
    assert destino(pessoa.enviar("/entrar", login="ana", senha=SENHA, formulario=selado)) == "/ficha"
    for _ in range(2):  # also after F5
        pagina = pessoa.abrir("/ficha").text
        assert f"nome={escape(NOME)}" in pagina
        assert "dias=seg" in pagina
        assert "segredo" not in pagina and "csrf" not in pagina
    pessoa.abrir("/senha")
    assert postar(pessoa, pessoa.csrf).status_code == 200
    assert pessoa.abrir("/ficha").text == ""


def test_a_form_outlives_the_change_of_a_one_time_password(app: Flask) -> None:
    criar(app, "bia", "recepcao", deve_trocar=True)
    pessoa = Navegador(app)
    selado = escondido(postar(pessoa), "formulario")
    entrada = pessoa.enviar("/entrar", login="bia", senha=SENHA, formulario=selado)
    assert entrada.location == "/senha?proximo=/ficha"
    pessoa.abrir(entrada.location)
    trocada = pessoa.enviar("/senha", senha_nova="outra frase longa", proximo="/ficha")
    assert destino(trocada) == "/ficha"
    assert "dias=seg" in pessoa.abrir("/ficha").text


def test_a_form_outlives_a_login_in_another_window(app: Flask) -> None:
    ana = criar(app, "ana", "recepcao")
    pessoa = Navegador(app, ana)
    pessoa.abrir("/senha")
    velho = pessoa.csrf
    pessoa.sessao = Navegador(app, ana).sessao
    recusada = postar(pessoa, velho)
    assert recusada.status_code == 403
    assert "Nada foi feito" in recusada.text
    assert destino(pessoa.enviar("/formulario", formulario=escondido(recusada, "formulario"))) == "/ficha"
    assert "dias=seg" in pessoa.abrir("/ficha").text


def test_an_expired_login_form_keeps_what_it_carried(app: Flask) -> None:
    criar(app, "ana", "recepcao")
    pessoa = Navegador(app)
    selado = escondido(postar(pessoa), "formulario")
    de_novo = pessoa.enviar("/entrar", csrf="velho", login="ana", senha=SENHA, formulario=selado)
    assert de_novo.status_code == 403
    assert 'value="ana"' in de_novo.text
    assert SENHA not in de_novo.text
    guardado = escondido(de_novo, "formulario")
    assert destino(pessoa.enviar("/entrar", login="ana", senha=SENHA, formulario=guardado)) == "/ficha"


def test_a_program_gets_401_and_no_page(app: Flask) -> None:
    resposta = app.test_client().post("/ficha/gravar", data=FICHA)
    assert (resposta.status_code, resposta.content_type) == (401, "application/problem+json")


def test_a_page_may_keep_a_form_by_itself_and_only_it_gets_it_back(app: Flask) -> None:
    pessoa = Navegador(app, criar(app, "ana", "recepcao"))
    pessoa.abrir("/senha")
    csrf = pessoa.csrf
    assert pessoa.enviar("/ficha/rascunho", nome="Rui").status_code == 200
    assert pessoa.abrir("/ficha").text == "nome=Rui"
    assert "Rui" not in pessoa.abrir("/").text
    assert Navegador(app, criar(app, "bia", "recepcao")).abrir("/ficha").text == ""
    assert pessoa.enviar("/ficha/gravar", csrf=csrf, nome="Rui").text == "ana: Rui"


@pytest.mark.parametrize("selado", ["", "x", "AAAA", "é", "A" * 5000])
def test_what_was_not_sealed_here_is_nothing(app: Flask, selado: str) -> None:
    pessoa = Navegador(app, criar(app, "ana", "recepcao"))
    pessoa.abrir("/senha")
    assert pessoa.enviar("/formulario", formulario=selado).location == "/"


def test_the_files_of_a_stranger_are_not_read(app: Flask) -> None:
    parte = b'--x\r\nContent-Disposition: form-data; name="foto"; filename="foto.jpg"\r\n\r\n'
    enviado = {"data": parte + b"x" * (2 << 20), "content_type": "multipart/form-data; boundary=x"}
    assert Navegador(app).abrir("/ficha/gravar", "POST", **enviado).status_code == 401
    navegador = Navegador(app).abrir("/ficha/gravar", "POST", data={"nome": "x" * 600_000})
    assert navegador.status_code == 401
    assert 'name="formulario"' not in navegador.text


def test_a_form_leads_to_no_other_site(app: Flask) -> None:
    criar(app, "ana", "recepcao")
    pessoa = Navegador(app)
    for de in ("https://outro.example/x", "//outro.example", "http://localhost//outro.example/x"):
        recusada = pessoa.abrir("/ficha/gravar", "POST", data=FICHA, headers={"Referer": de})
        entrada = pessoa.enviar(
            "/entrar", login="ana", senha=SENHA, formulario=escondido(recusada, "formulario")
        )
        assert entrada.location == "/"
        pessoa.sair()


def test_what_is_typed_lies_sealed_and_nothing_of_a_stranger_is_kept(app: Flask, tmp_path: Path) -> None:
    criar(app, "ana", "recepcao")

    def guardado() -> bytes:
        return b"".join(arquivo.read_bytes() for arquivo in (tmp_path / "var").glob("acesso.db*"))

    antes = guardado()
    pessoa = Navegador(app)
    selado = escondido(postar(pessoa, dias="Palavra-Rara"), "formulario")
    assert guardado() == antes
    pessoa.enviar("/entrar", login="ana", senha=SENHA, formulario=selado)
    assert "Palavra-Rara" in pessoa.abrir("/ficha").text
    assert b"Palavra-Rara" not in guardado()
    assert "Palavra-Rara" not in selado
