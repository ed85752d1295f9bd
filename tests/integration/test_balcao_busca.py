"""Searching at the front desk: the same answer from PostgreSQL and from the local copy."""

from __future__ import annotations

import pytest

from tests.support.balcao import Balcao, balcao
from tests.support.postgres_server import PostgresServer
from tests.support.search_cases import CASOS, PESSOAS

__all__ = ["balcao"]

pytestmark = pytest.mark.postgres


def achados(balcao: Balcao, q: str) -> list[str]:
    html = balcao.procurar(q).html.partition('id="achados"')[2]
    return [parte.split("</strong>")[0] for parte in html.split("<strong>")[1:]]


def test_the_search_is_the_same_from_both_sources(balcao: Balcao, postgres_server: PostgresServer) -> None:
    for chave, campos in PESSOAS.items():
        balcao.api.cadastrar(
            chave, telefone=campos.get("telefone", "(41) 3222-1111"), **_sem_telefone(campos)
        )
    balcao.api.esperar(lambda: len(balcao.api.motor.replica("alunos").rows()) == len(PESSOAS))
    perguntas = [q for q, _ in CASOS if q.strip()]
    do_banco = {q: achados(balcao, q) for q in perguntas}
    assert do_banco["JOÃO"] == ["João Conceição Açaí"]
    assert do_banco["civil flor"] == ["Márcia Flor"]  # found by the civil name, shown by the social one
    postgres_server.stop()
    assert {q: achados(balcao, q) for q in perguntas} == do_banco
    assert "(da cópia local de " in balcao.procurar("joao").texto


def _sem_telefone(campos: dict[str, object]) -> dict[str, object]:
    return {nome: valor for nome, valor in campos.items() if nome != "telefone"}


def test_values_are_shown_in_their_brazilian_form(balcao: Balcao) -> None:
    balcao.cadastrar(cpf="52998224725", data_nascimento="3/11/26", celular="11987654321")
    texto = balcao.procurar("529.982.247-25").texto
    assert "Pessoa Inventada nasc. 03/11/2026 CPF 529.982.247-25 (11) 98765-4321" in texto


@pytest.mark.parametrize("q", ["529.982.247-26", "529982247-26", "111.111.111-11", "00000000000"])
def test_an_invalid_cpf_says_so_instead_of_listing_people(balcao: Balcao, q: str) -> None:
    balcao.cadastrar(cpf="52998224725")
    pagina = balcao.procurar(q)
    assert pagina.codigos == ["cpf-invalido"]
    assert "Pessoa" not in pagina.texto.split("Cadastrar novo")[1]


def test_a_protocol_finds_the_student_and_a_mistyped_one_says_so(balcao: Balcao) -> None:
    protocolo = balcao.cadastrar().frase("gravado").split("Protocolo ")[1].rstrip(".")
    assert achados(balcao, protocolo.lower()) == ["Pessoa Inventada"]
    trocado = protocolo[:-1] + ("0" if protocolo[-1] != "0" else "1")
    assert balcao.procurar(trocado).codigos == ["protocolo-invalido"]


def test_the_number_of_a_change_leads_to_its_receipt(balcao: Balcao) -> None:
    aluno = balcao.cadastrado()
    edicao = balcao.abrir(f"/alunos/{aluno}/editar")
    recibo = balcao.enviar(edicao.acao, **edicao.form | {"rg": "1"})
    numero = recibo.texto.split("Desta alteração: ")[1].split()[0]
    achado = balcao.procurar(numero)
    assert "Ver o recibo deste protocolo" in achado.texto
    assert balcao.abrir(achado.html.split('class="button" href="')[1].split('"')[0]).codigos == ["gravado"]


def test_the_script_gets_only_the_results(balcao: Balcao) -> None:
    balcao.cadastrar()
    balcao.abrir("/")
    dados = {"csrf_token": balcao.navegador.csrf, "q": "pessoa"}
    resposta = balcao.navegador.abrir("/buscar", "POST", data=dados, headers={"X-Fragmento": "1"})
    assert resposta.headers["X-Fragmento"] == "1"
    assert "Pessoa Inventada" in resposta.text and "<html" not in resposta.text
    assert 'data-contagem="1 pessoa encontrada."' in resposta.text


def test_a_pending_person_is_found(balcao: Balcao, postgres_server: PostgresServer) -> None:
    postgres_server.stop()
    balcao.cadastrar(nome="Ainda Pendente")
    assert "Ainda Pendente (11) 98765-4321 Pendente" in balcao.procurar("pendente").texto


def test_hostile_queries_find_nobody_and_break_nothing(balcao: Balcao) -> None:
    for q in ("\x00", "%' OR 1=1 --", "a" * 5000, "\\", "<script>", "　"):
        pagina = balcao.procurar(q)
        assert pagina.status_code == 200
        assert "<script>" not in pagina.html
