"""The front desk with PostgreSQL stopped, frozen, black-holed, and with a journal that is full."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from robusto import NotAccepted
from tests.support.api import PESSOA, Api, aplicacao
from tests.support.balcao import DIGITADO, Balcao, Pagina, balcao, destino
from tests.support.postgres_server import PostgresServer

__all__ = ["balcao"]

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

#: The deadline of a request, and time for everything else in it on a busy machine.
_UMA_ESPERA = 3.5
_FORA_DO_AR = (
    "Cadastro guardado com segurança neste sistema. O banco de dados está fora do ar; enviaremos sozinhos"
    " quando voltar. Pode atender o próximo."
)


def no_prazo(pedir: Callable[[], Any]) -> Any:
    inicio = time.monotonic()
    resposta = pedir()
    assert time.monotonic() - inicio < _UMA_ESPERA
    return resposta


def linhas(api: Api, sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(api.database) as banco:
        return banco.execute(sql).fetchall()


def esperar_codigo(balcao: Balcao, codigo: str) -> Pagina:
    balcao.api.esperar(lambda: codigo in balcao.novidades().codigos, 30)
    return balcao.novidades()


def test_pending_then_later_stored(balcao: Balcao, postgres_server: PostgresServer) -> None:
    postgres_server.stop()
    pagina = balcao.novo()
    recibo = balcao.cadastrar(pagina)
    assert recibo.codigos == ["pendente"]
    assert recibo.frase("pendente") == _FORA_DO_AR
    assert recibo.papel("pendente") == "status"
    assert balcao.cadastrar(pagina).texto == recibo.texto  # F5
    for n in range(2):
        balcao.cadastrar(nome=f"Outra {n}")
    mesa = balcao.abrir("/")
    assert mesa.codigos == ["banco-fora-do-ar", "a-espera"]
    assert "3 registros seus esperam" in mesa.texto
    postgres_server.start()
    balcao.api.esperar(lambda: "a-espera" not in balcao.novidades().codigos, 30)
    depois = esperar_codigo(balcao, "gravado-depois")
    frase = depois.frase("gravado-depois")
    assert frase.startswith("Os 3 cadastros guardados ") and frase.endswith(" já estão gravados.")
    balcao.api.esperar(lambda: "banco-fora-do-ar" not in balcao.novidades().codigos)
    assert balcao.enviar("/novidades").codigos == []
    assert len(linhas(balcao.api, "SELECT 1 FROM alunos")) == 3


def test_f5_with_a_changed_field_in_an_outage_keeps_the_newer_value(
    balcao: Balcao, postgres_server: PostgresServer
) -> None:
    postgres_server.stop()
    pagina = balcao.novo()
    campos = pagina.form | DIGITADO | {"rg": "1"}
    balcao.postar(pagina.acao, **campos)
    for rg in ("2", "3", "3"):
        recibo = balcao.enviar(pagina.acao, **campos | {"rg": rg})
        assert recibo.codigos == ["pendente"]
        assert recibo.frase("pendente").startswith("Alteração guardada com segurança")
    assert "1 registro" not in balcao.abrir("/").texto
    postgres_server.start()
    balcao.api.esperar_tudo_gravado()
    assert linhas(balcao.api, "SELECT nome, rg FROM alunos") == [("Pessoa Inventada", "3")]


def test_a_frozen_postgresql_keeps_nobody_longer_than_the_deadline(
    balcao: Balcao, postgres_server: PostgresServer
) -> None:
    aluno = balcao.cadastrado()
    balcao.api.esperar(lambda: len(balcao.api.motor.replica("alunos").rows()) == 1)
    pagina = balcao.novo()
    postgres_server.freeze()
    resposta = no_prazo(lambda: balcao.postar(pagina.acao, **pagina.form | DIGITADO | {"nome": "Gelada"}))
    assert no_prazo(lambda: balcao.abrir(destino(resposta))).codigos == ["pendente"]
    assert "Gelada" in no_prazo(lambda: balcao.procurar("gelada")).texto
    assert no_prazo(lambda: balcao.abrir(f"/alunos/{aluno}")).codigos == ["da-copia"]
    assert no_prazo(lambda: balcao.abrir("/")).codigos == ["banco-fora-do-ar", "a-espera"]
    postgres_server.thaw()
    balcao.api.esperar_tudo_gravado()
    assert len(linhas(balcao.api, "SELECT 1 FROM alunos")) == 2


@pytest.mark.parametrize("pedido", ["busca", "parecidos", "aluno"])
def test_reading_from_a_frozen_postgresql_waits_once(
    balcao: Balcao, postgres_server: PostgresServer, pedido: str
) -> None:
    aluno = balcao.cadastrado(nome="Antes do Gelo", data_nascimento="1/1/2000")
    balcao.api.esperar(lambda: len(balcao.api.motor.replica("alunos").rows()) == 1)
    igual = balcao.novo().form | {"nome": "Antes do Gelo", "data_nascimento": "1/1/2000"}
    pedir = {
        "busca": lambda: balcao.enviar("/buscar", q="gelo"),
        "parecidos": lambda: balcao.enviar("/alunos/parecidos", **igual),
        "aluno": lambda: balcao.abrir(f"/alunos/{aluno}"),
    }[pedido]
    postgres_server.freeze()
    assert "Antes do Gelo" in no_prazo(pedir).texto


def test_a_black_hole_is_an_outage(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as buraco:
        url = f"postgresql://ninguem@127.0.0.1:{buraco.getsockname()[1]}/nada"
        with aplicacao(tmp_path / "var", url, migrada=False) as api:
            balcao = Balcao(api)
            pagina = no_prazo(balcao.novo)
            resposta = no_prazo(lambda: balcao.postar(pagina.acao, **pagina.form | DIGITADO))
            assert no_prazo(lambda: balcao.abrir(destino(resposta))).codigos == ["pendente"]
            achados = no_prazo(lambda: balcao.procurar("inventada"))
            assert "sem cópia local" in achados.texto and "Pessoa Inventada" in achados.texto


def test_refused_later_is_said_at_the_desk_and_what_follows_waits(
    balcao: Balcao, postgres_server: PostgresServer
) -> None:
    aluno = balcao.cadastrado(rg="1")
    balcao.api.esperar(lambda: len(balcao.api.motor.replica("alunos").rows()) == 1)
    postgres_server.stop()
    edicao = balcao.abrir(f"/alunos/{aluno}/editar")
    visto = edicao.form["visto"].replace('"rg": "1"', '"rg": "mudado por outro"')
    balcao.enviar(edicao.acao, **edicao.form | {"rg": "2", "visto": visto})
    postgres_server.start()
    aviso = esperar_codigo(balcao, "quarentena")
    frase = aviso.frase("quarentena")
    assert frase.startswith("Precisa de correção. Aceito às ")
    assert frase.endswith(", mas o banco recusou: alguém mudou este campo antes. Nada foi perdido.")
    assert aviso.papel("quarentena") == "alert"
    pagina = balcao.abrir(f"/alunos/{aluno}")
    assert "Em quarentena" in pagina.texto
    edicao = balcao.abrir(f"/alunos/{aluno}/editar")
    recibo = balcao.enviar(edicao.acao, **edicao.form | {"bairro": "Novo"})
    assert recibo.frase("aguardando-a-vez") == (
        "Guardado, aguardando a vez. Um registro anterior desta pessoa precisa de correção; este segue depois"
        " dele."
    )


def test_a_cpf_taken_twice_in_an_outage_is_asked_about_and_one_waits_for_correction(
    balcao: Balcao, postgres_server: PostgresServer
) -> None:
    postgres_server.stop()
    balcao.cadastrar(cpf="529.982.247-25", nome="Primeira")
    pagina = balcao.novo()
    campos = pagina.form | DIGITADO | {"cpf": "52998224725", "nome": "Segunda"}
    pergunta = Pagina(balcao.postar(pagina.acao, **campos))
    assert pergunta.codigos == ["talvez-duplicado"]
    assert "Primeira" in pergunta.texto and "Pendente" in pergunta.texto
    primeira = pergunta.html.split('name="outra_pessoa" value="')[1].split('"')[0]
    recibo = balcao.enviar(pergunta.acao, **pergunta.form, outra_pessoa=primeira)
    assert recibo.codigos == ["pendente"]
    postgres_server.start()
    esperar_codigo(balcao, "quarentena")
    esperar_codigo(balcao, "gravado-depois")
    assert "o CPF pertence a outra pessoa" in balcao.novidades().frase("quarentena")
    endereco = recibo_de(balcao, "Segunda")
    assert "Chame o administrador" in balcao.abrir(endereco).texto
    administrador = Balcao(balcao.api, "adm", "administrador")
    assert re.search(r'href="/sistema/quarentena/[0-9a-f-]{36}">Corrigir', administrador.abrir(endereco).html)


def recibo_de(balcao: Balcao, nome: str) -> str:
    """The address of the receipt of whoever is not stored yet, from his page."""
    achados = balcao.procurar(nome).html
    pagina = balcao.abrir(
        achados.split('<ul class="pessoas-achadas">')[1].split('href="')[1].split('"')[0]
    ).html
    return pagina.split('class="number" href="')[1].split('"')[0].replace("&amp;", "&")


def test_what_cannot_be_kept_is_said_and_can_be_printed_and_sent_again(
    tmp_path: Path, database: str, postgres_server: PostgresServer
) -> None:
    with aplicacao(tmp_path / "var", database, ROBUSTO_JOURNAL_MAX_BYTES=str(2**20)) as api:
        balcao = Balcao(api)
        pagina = balcao.novo()
        postgres_server.stop()
        for n in range(1000):
            if api.cadastrar(str(n), nome=f"Pessoa {n}", observacoes="o" * 4000).status_code != 202:
                break
        campos = pagina.form | DIGITADO | {"nome": "Não Coube", "observacoes": "o" * 4000}
        recusado = Pagina(balcao.postar(pagina.acao, **campos))
        assert recusado.status_code == 503
        assert recusado.frase("nao-guardado") == (
            "NÃO foi guardado. Disco cheio. Anote no papel e chame o administrador."
        )
        assert recusado.papel("nao-guardado") == "alert"
        assert "Imprimir ficha" in recusado.texto and "<dd>Não Coube</dd>" in recusado.html
        assert recusado.form == campos | {"csrf_token": recusado.form["csrf_token"]}
        assert recusado.acao == pagina.acao
        postgres_server.start()
        api.esperar_tudo_gravado()
        api.esperar(lambda: api.motor.status().database_connected)
        assert balcao.enviar(recusado.acao, **recusado.form).codigos == ["gravado"]


def test_an_unknown_result_asks_for_the_same_form_again_and_doubles_nothing(
    balcao: Balcao, monkeypatch: pytest.MonkeyPatch
) -> None:
    pagina = balcao.novo()
    campos = pagina.form | DIGITADO
    inteiro = balcao.api.motor.submit

    def sem_resposta(*dados: Any, **mais: Any) -> Any:
        inteiro(*dados, **mais)
        raise NotAccepted("no answer", key=mais["key"], maybe_applied=True)

    monkeypatch.setattr(balcao.api.motor, "submit", sem_resposta)
    recusado = Pagina(balcao.postar(pagina.acao, **campos))
    monkeypatch.undo()
    assert recusado.status_code == 503
    assert recusado.frase("resultado-desconhecido") == (
        "Não sabemos se foi guardado. Envie de novo este mesmo formulário: não há risco de duplicar."
    )
    assert recusado.form["nome"] == campos["nome"] and recusado.form["chave"] == campos["chave"]
    assert balcao.enviar(recusado.acao, **recusado.form).codigos == ["gravado"]
    assert len(linhas(balcao.api, "SELECT 1 FROM alunos")) == 1


def test_a_bug_of_ours_is_never_the_mistake_of_the_person(
    balcao: Balcao, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def falhar(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError(PESSOA["nome"])

    pagina = balcao.novo()
    monkeypatch.setattr(balcao.api.motor, "submit", falhar)
    recusado = Pagina(balcao.postar(pagina.acao, **pagina.form | DIGITADO))
    assert recusado.codigos == ["resultado-desconhecido"]
    assert recusado.form["nome"] == DIGITADO["nome"]
    monkeypatch.setattr("academia.balcao.aluno.ficha", falhar)
    balcao.navegador.app.testing = False
    assert balcao.abrir("/alunos/00000000-0000-8000-8000-000000000000").codigos == ["erro-interno"]
    assert PESSOA["nome"] not in caplog.text


def test_what_nobody_here_knows_is_unknown_and_not_missing(
    balcao: Balcao, postgres_server: PostgresServer
) -> None:
    postgres_server.stop()
    for endereco in ("/alunos", "/recibo"):
        pagina = balcao.abrir(f"{endereco}/00000000-0000-8000-8000-000000000000")
        assert (pagina.status_code, pagina.codigos) == (503, ["desconhecido"])
