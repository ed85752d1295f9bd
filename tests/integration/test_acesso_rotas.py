"""Every route × every papel. A new route without a row in the table fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from flask import Flask
from werkzeug.routing import Rule

from academia.acesso import DIREITOS, PAPEIS
from academia.acesso.direitos import tem
from academia.acesso.usuarios import Usuario
from robusto import local
from tests.support.api import aplicacao
from tests.support.navegador import NINGUEM, Navegador, criar, destino

#: Anyone · a token of the API · whoever is logged in · who works at the desk; else a right of the contract.
TODOS, TOKEN, DENTRO, BALCAO = "todos", "token", "dentro", "balcão"

QUEM_PODE: dict[str, str] = {
    "static": TODOS,
    "acesso.formulario_de_entrada": TODOS,
    "acesso.entrar": TODOS,
    "acesso.sair": DENTRO,
    "acesso.formulario_de_senha": DENTRO,
    "acesso.mudar_senha": DENTRO,
    "acesso.retomar": DENTRO,
    "balcao.inicio": DENTRO,
    "balcao.procurar": BALCAO,
    "balcao.procurar_de_novo": BALCAO,
    "balcao.novo": BALCAO,
    "balcao.novo_com_o_que_foi_procurado": BALCAO,
    "balcao.aluno": BALCAO,
    "balcao.cadastro": BALCAO,
    "balcao.cadastrar": BALCAO,
    "balcao.rascunho": BALCAO,
    "balcao.parecidos_com": BALCAO,
    "balcao.editar": BALCAO,
    "balcao.mudar": BALCAO,
    "balcao.rascunho_da_edicao": BALCAO,
    "balcao.ver_novidades": BALCAO,
    "balcao.novidades_lidas": BALCAO,
    "balcao.recibo": BALCAO,
    "balcao.papel": BALCAO,
    "usuarios.listar": "administrar",
    "usuarios.criar": "administrar",
    "usuarios.mudar_papel": "administrar",
    "usuarios.mudar_situacao": "administrar",
    "usuarios.nova_senha": "administrar",
    "alunos.registrar_aluno": TOKEN,
    "alunos.mudar_aluno": TOKEN,
    "alunos.listar_alunos": TOKEN,
    "alunos.ver_aluno": TOKEN,
    "gravacoes.ver_gravacao": TOKEN,
    "openapi.descricao": TODOS,
    "robusto.static": TODOS,
    "robusto.livez": TODOS,
    "robusto.readyz": TODOS,
    "robusto.status": "ver",
    "robusto.process": "operar",
    "robusto.process_form": "operar",
    "robusto.reoffer_form": "operar",
    "robusto.console": "ver",
    "robusto.panel": "ver",
    "robusto.pending": "ver",
    "robusto.pending_entry": "ver",
    "robusto.quarantine": "ver",
    "robusto.quarantine_entry": "ver",
    "robusto.activity": "ver",
    "robusto.ask_requeue": "operar",
    "robusto.ask_discard": "operar",
    "robusto.requeue": "operar",
    "robusto.discard": "operar",
    "robusto.reveal": "revelar",
}
#: Addresses that answer 401 to strangers although they are read: programs and scripts ask them.
SEM_REDIRECIONAR = {"robusto.status", "robusto.panel"}

_UUID = "01920000-0000-7000-8000-000000000000"
_VALORES = {"id": _UUID, "aluno": _UUID, "gravacao": _UUID, "chave": "0" * 32, "filename": "academia.css"}


class Rota(NamedTuple):
    endpoint: str
    metodo: str
    caminho: str


class Casa(NamedTuple):
    app: Flask
    usuarios: dict[str, Usuario]
    acesso_db: Path

    def rotas(self) -> list[Rota]:
        return [
            Rota(regra.endpoint, metodo, _caminho(regra))
            for regra in self.app.url_map.iter_rules()
            for metodo in sorted((regra.methods or set()) - {"HEAD", "OPTIONS"})
        ]


def _caminho(regra: Rule) -> str:
    valores = {nome: _VALORES.get(nome, "x") for nome in regra.arguments}
    construido = regra.build(valores, append_unknown=False)
    assert construido is not None
    return str(construido[1])


@pytest.fixture(scope="module")
def casa(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Casa]:
    var = tmp_path_factory.mktemp("acesso") / "var"
    with aplicacao(var, NINGUEM, migrada=False) as api:
        usuarios = {papel: criar(api.app, papel, papel) for papel in PAPEIS}
        usuarios["uso-unico"] = criar(api.app, "uso-unico", "administrador", deve_trocar=True)
        yield Casa(api.app, usuarios, var / "acesso.db")


def _pode(papel: str, quem: str) -> bool:
    if quem == BALCAO:
        return papel in ("administrador", "recepcao")
    return quem in (TODOS, DENTRO) or tem(papel, quem)


def test_every_route_stands_in_the_table(casa: Casa) -> None:
    assert {rota.endpoint for rota in casa.rotas()} == set(QUEM_PODE)


def test_the_rights_are_those_of_the_contract() -> None:
    assert {papel: {d for d in DIREITOS if tem(papel, d)} for papel in PAPEIS} == {
        "administrador": {"ver", "operar", "corrigir", "revelar", "administrar"},
        "auditor": {"ver"},
        "recepcao": set(),
        "professor": set(),
    }
    assert not tem("diretor", "ver")


@pytest.mark.parametrize("papel", list(PAPEIS))
def test_every_route_lets_in_whoever_may_and_nobody_else(casa: Casa, papel: str) -> None:
    for rota in casa.rotas():
        if rota.endpoint == "acesso.entrar":  # 401 is its answer to a wrong password
            continue
        pessoa = Navegador(casa.app, casa.usuarios[papel])
        pessoa.abrir("/senha")  # for the token of the form
        status = pessoa.abrir(rota.caminho, rota.metodo, headers={"X-CSRFToken": pessoa.csrf}).status_code
        quem = QUEM_PODE[rota.endpoint]
        if quem == TOKEN:
            assert status == 401, (rota, papel)
        elif _pode(papel, quem):
            assert status not in (401, 403, 405, 500), (rota, papel, status)
        else:
            assert status == 403, (rota, papel, status)


def test_a_stranger_is_sent_to_the_login_by_pages_and_gets_401_from_the_rest(casa: Casa) -> None:
    for rota in casa.rotas():
        quem = QUEM_PODE[rota.endpoint]
        if quem == TODOS:
            continue
        resposta = Navegador(casa.app).abrir(rota.caminho, rota.metodo, headers={"Accept": "*/*"})
        if rota.metodo == "GET" and quem != TOKEN and rota.endpoint not in SEM_REDIRECIONAR:
            assert destino(resposta) == "/entrar", rota
        else:
            assert resposta.status_code == 401, rota
            assert resposta.content_type == "application/problem+json", rota
            assert resposta.json is not None and resposta.json["code"] == "nao-autenticado", rota


def test_with_a_one_time_password_every_page_leads_to_a_new_one(casa: Casa) -> None:
    for rota in casa.rotas():
        quem = QUEM_PODE[rota.endpoint]
        if quem in (TODOS, TOKEN) or rota.endpoint.startswith("acesso."):
            continue
        pessoa = Navegador(casa.app, casa.usuarios["uso-unico"])
        pessoa.abrir("/senha")
        resposta = pessoa.abrir(rota.caminho, rota.metodo, headers={"X-CSRFToken": pessoa.csrf})
        if rota.metodo == "GET" and rota.endpoint != "robusto.status":
            assert destino(resposta) == "/senha", rota
        else:
            assert resposta.status_code == 403, rota


def test_no_form_is_taken_without_the_token_of_its_session(casa: Casa) -> None:
    outra = Navegador(casa.app, casa.usuarios["administrador"])
    outra.abrir("/senha")
    for rota in casa.rotas():
        if rota.metodo == "GET" or QUEM_PODE[rota.endpoint] == TOKEN:
            continue
        antes = _tudo(casa)
        for token in ("", "errado", outra.csrf):
            pessoa = Navegador(casa.app, casa.usuarios["administrador"])
            antes = _tudo(casa)
            resposta = pessoa.abrir(
                rota.caminho,
                rota.metodo,
                data={"csrf_token": token, "login": "recepcao", "ativo": "nao", "papel": "administrador"},
                headers={"Accept": "application/json"},
            )
            assert resposta.status_code == 403, rota
            assert resposta.json is not None and resposta.json["code"] == "proibido", rota
            assert _tudo(casa) == antes, rota


@pytest.mark.parametrize(
    "cabecalho",
    [
        {"Origin": "https://outro.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:81"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_no_form_of_another_site_is_taken_even_with_the_token(casa: Casa, cabecalho: dict[str, str]) -> None:
    for rota in casa.rotas():
        if rota.metodo == "GET" or QUEM_PODE[rota.endpoint] == TOKEN:
            continue
        pessoa = Navegador(casa.app, casa.usuarios["administrador"])
        pessoa.abrir("/senha")
        antes = _tudo(casa)
        resposta = pessoa.abrir(rota.caminho, rota.metodo, headers={"X-CSRFToken": pessoa.csrf, **cabecalho})
        assert resposta.status_code == 403, rota
        assert _tudo(casa) == antes, rota


def test_no_get_changes_anything(casa: Casa) -> None:
    pessoa = Navegador(casa.app, casa.usuarios["administrador"])
    antes = _tudo(casa)
    for rota in casa.rotas():
        if rota.metodo == "GET":
            pessoa.abrir(rota.caminho)
            assert _tudo(casa) == antes, rota


def test_a_method_override_changes_nothing(casa: Casa) -> None:
    pessoa = Navegador(casa.app, casa.usuarios["administrador"])
    resposta = pessoa.abrir("/sair?_method=POST", headers={"X-HTTP-Method-Override": "POST"})
    assert resposta.status_code == 405
    assert pessoa.esta_dentro()


def _tudo(casa: Casa) -> object:
    """What is kept: users, sessions, guesses, tokens, and the journal's figures."""
    db = local.connect(casa.acesso_db, flush=True)
    try:
        tabelas = db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
        kept = [db.execute(f"SELECT * FROM {nome}").fetchall() for (nome,) in tabelas]
    finally:
        db.close()
    return kept, casa.app.extensions["robusto"].engine.inspect()
