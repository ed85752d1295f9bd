"""Who may use the front desk, and a form that outlives an expired login."""

from __future__ import annotations

import re

import pytest

from tests.support.balcao import DIGITADO, Balcao, Pagina, balcao, destino
from tests.support.navegador import acesso_de, escondido

__all__ = ["balcao"]

pytestmark = pytest.mark.postgres

_PAGINAS = (
    ("GET", "/alunos/novo"),
    ("GET", "/novidades"),
    ("GET", "/alunos/00000000-0000-8000-8000-000000000000"),
    ("GET", "/alunos/00000000-0000-8000-8000-000000000000/editar"),
    ("GET", "/recibo/00000000-0000-8000-8000-000000000000"),
    ("POST", "/buscar"),
    ("POST", "/alunos/novo"),
    ("POST", f"/alunos/novo/{'0' * 32}"),
    ("POST", "/alunos/parecidos"),
    ("POST", "/alunos/00000000-0000-8000-8000-000000000000/editar"),
)


@pytest.mark.parametrize("papel", ["professor", "auditor"])
def test_other_papeis_have_no_desk(balcao: Balcao, papel: str) -> None:
    outro = Balcao(balcao.api, papel, papel)
    mesa = outro.abrir("/")
    assert (mesa.status_code, mesa.codigos) == (200, ["sem-balcao"])
    for metodo, caminho in _PAGINAS:
        resposta = outro.abrir(caminho) if metodo == "GET" else Pagina(outro.postar(caminho))
        assert (resposta.status_code, resposta.codigos) == (403, ["sem-balcao"]), caminho


def test_nobody_gets_in_without_a_login(balcao: Balcao) -> None:
    balcao.navegador.sessao = ""
    for metodo, caminho in _PAGINAS:
        resposta = balcao.navegador.abrir(caminho, metodo)
        assert resposta.status_code == (303 if metodo == "GET" else 401), caminho


def test_a_form_outlives_an_expired_login_with_its_key(balcao: Balcao) -> None:
    pagina = balcao.novo()
    campos = pagina.form | DIGITADO | {"observacoes": "tudo\nfica"}
    acesso_de(balcao.api.app).sessoes.encerrar(_resumo(balcao))
    recusado = balcao.postar(pagina.acao, **campos)
    assert recusado.status_code == 401
    entrada = balcao.navegador.enviar(
        "/entrar", login="ana", senha="uma frase inventada", formulario=escondido(recusado, "formulario")
    )
    assert destino(entrada) == pagina.acao
    de_volta = balcao.abrir(pagina.acao)
    assert de_volta.codigos == ["formulario-de-volta"]
    assert (de_volta.acao, de_volta.form["observacoes"]) == (pagina.acao, "tudo\nfica")
    assert balcao.enviar(de_volta.acao, **de_volta.form).codigos == ["gravado"]
    assert balcao.novo().form["nome"] == ""


def test_a_form_outlives_an_old_page(balcao: Balcao) -> None:
    aluno = balcao.cadastrado(rg="1")
    edicao = balcao.abrir(f"/alunos/{aluno}/editar")
    campos = {n: v for n, v in edicao.form.items() if n != "csrf_token"} | {"rg": "2"}
    recusado = balcao.navegador.abrir(edicao.acao, "POST", data=campos | {"csrf_token": "velho"})
    assert recusado.status_code == 403
    volta = balcao.navegador.enviar("/formulario", formulario=escondido(recusado, "formulario"))
    de_volta = balcao.abrir(destino(volta))
    assert (de_volta.codigos, de_volta.form["rg"]) == (["formulario-de-volta"], "2")
    assert de_volta.form["chave"] == edicao.form["chave"]
    assert balcao.enviar(de_volta.acao, **de_volta.form).codigos == ["gravado"]


def test_a_search_that_an_expired_login_interrupted_is_shown_until_the_next_one(balcao: Balcao) -> None:
    balcao.cadastrado(nome="Procurada Antes")
    recusado = balcao.navegador.abrir(
        "/buscar",
        "POST",
        data={"q": "procurada", "csrf_token": "velho"},
        headers={"Referer": "http://localhost/"},
    )
    volta = balcao.navegador.enviar("/formulario", formulario=escondido(recusado, "formulario"))
    for _ in range(2):
        assert "Procurada Antes" in balcao.abrir(destino(volta)).texto
    balcao.navegador.enviar("/buscar", q="ninguém")
    assert "Procurada Antes" not in balcao.abrir("/").texto


def test_the_paper_that_was_chosen_stays(balcao: Balcao) -> None:
    recibo = balcao.cadastrar()
    assert "papel-a4" in recibo.html
    balcao.navegador.enviar("/recibo/00000000-0000-8000-8000-000000000000/papel", papel="80")
    assert "papel-80" in balcao.cadastrar(nome="Outra").html
    balcao.navegador.enviar("/recibo/00000000-0000-8000-8000-000000000000/papel", papel="de pão")
    assert "papel-80" in balcao.cadastrar(nome="Mais Uma").html


@pytest.mark.parametrize(
    ("caminho", "status", "codigo"),
    [("/nada", 404, "nao-encontrado"), ("/sair", 405, "metodo-nao-permitido")],
)
def test_what_is_no_page_is_said_in_portuguese(
    balcao: Balcao, caminho: str, status: int, codigo: str
) -> None:
    pagina = balcao.abrir(caminho)
    assert (pagina.status_code, pagina.codigos) == (status, [codigo])


def test_pages_keep_the_strict_policy(balcao: Balcao) -> None:
    aluno = balcao.cadastrado()
    for caminho in ("/", "/alunos/novo", f"/alunos/{aluno}", f"/alunos/{aluno}/editar"):
        pagina = balcao.abrir(caminho)
        assert "default-src 'self'" in pagina.resposta.headers["Content-Security-Policy"]
        assert "no-store" in pagina.resposta.headers["Cache-Control"]
        assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=|https?://", pagina.html), caminho
    recibo = balcao.cadastrar(nome="Outra")
    sem_qr = recibo.html.replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=|https?://", sem_qr)


def test_every_field_has_a_label_and_every_id_is_its_own(balcao: Balcao) -> None:
    aluno = balcao.cadastrado()
    for caminho in ("/", "/alunos/novo", f"/alunos/{aluno}/editar"):
        html = balcao.abrir(caminho).html
        ids = re.findall(r'\sid="([^"]+)"', html)
        assert len(ids) == len(set(ids)), caminho
        campos = re.findall(r"<(?:input|select|textarea)\b[^>]*>", html)
        visiveis = [campo for campo in campos if 'type="hidden"' not in campo]
        for campo in visiveis:
            nome = re.search(r'\bid="([^"]+)"', campo)
            assert nome and f'for="{nome.group(1)}"' in html, campo
        assert len(re.findall(r"<h1", html)) == 1
        for ref in re.findall(r'aria-(?:describedby|labelledby)="([^"]+)"', html):
            assert set(ref.split()) <= set(ids), ref


def _resumo(balcao: Balcao) -> bytes:
    aberta = acesso_de(balcao.api.app).sessoes.ler(balcao.navegador.sessao)
    assert aberta is not None
    return aberta.resumo
