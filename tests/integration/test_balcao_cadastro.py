"""Registering at the front desk, with PostgreSQL there."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from academia.alunos.campos import COLUNAS
from academia.balcao.campos import ROTULOS
from tests.support.balcao import DIGITADO, Balcao, Pagina, balcao, destino

__all__ = ["balcao"]

pytestmark = pytest.mark.postgres

#: Every field, as a person types it.
TUDO = {
    "nome": "Antônia das Dores D'Ávila",
    "nome_social": "Toni D'Ávila",
    "cpf": "529.982.247-25",
    "data_nascimento": "3/11/26",
    "celular": "11 98765-4321",
    "whatsapp": "sim",
    "telefone": "(21) 3333 4444",
    "email": "toni@exemplo.org",
    "cep": "01310-100",
    "endereco": "Rua <b>Inventada</b>, 7 & fundos",
    "bairro": "Centro",
    "cidade": "São Paulo",
    "uf": "sp",
    "rg": "12.345.678-9",
    "sexo": "Outro",
    "estado_civil": "União estável",
    "titulo_eleitor": "123",
    "zona": "4",
    "secao": "56",
    "municipio": "Osasco",
    "responsavel_nome": "Mãe Inventada",
    "responsavel_cpf": "11144477735",
    "responsavel_telefone": "11 2222-3333",
    "responsavel_parentesco": "mãe",
    "atividade": "Natação",
    "turma": "Terça 19h",
    "indicacao": "Vizinha",
    "observacoes": "Duas\r\nlinhas com 'aspas' e \"outras\".",
    "situacao": "suspenso",
}
#: What the page shows where it is not what was typed.
MOSTRADO = {
    "data_nascimento": "03/11/2026",
    "celular": "(11) 98765-4321",
    "telefone": "(21) 3333-4444",
    "responsavel_cpf": "111.444.777-35",
    "responsavel_telefone": "(11) 2222-3333",
    "uf": "SP",
    "observacoes": "Duas\nlinhas com 'aspas' e \"outras\".",
}


def linhas(balcao: Balcao, sql: str = "SELECT * FROM alunos", *dados: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(balcao.api.database) as banco:
        return banco.execute(sql, dados).fetchall()


def test_a_registration_is_stored_and_its_receipt_says_so(balcao: Balcao) -> None:
    recibo = balcao.cadastrar()
    assert recibo.status_code == 200
    protocolo = re.search(r"AP(-[0-9A-Z]{4}){3}", recibo.texto).group()  # type: ignore[union-attr]
    assert recibo.frase("gravado") == f"Cadastro gravado. Protocolo {protocolo}."
    assert recibo.papel("gravado") == "status"
    assert "<svg" in recibo.html and "Próximo cadastro" in recibo.html
    assert re.search(r'<a class="button main" href="/"[^>]* autofocus>Próximo cadastro', recibo.html)
    assert linhas(balcao, "SELECT nome, protocolo, criado_por FROM alunos") == [
        ("Pessoa Inventada", protocolo, "ana")
    ]


def test_every_field_is_stored_and_shown_again(balcao: Balcao) -> None:
    assert set(TUDO) == set(COLUNAS) == set(ROTULOS)
    aluno = balcao.cadastrado(**TUDO)
    (guardado,) = linhas(balcao, "SELECT to_jsonb(alunos) FROM alunos")
    assert all(guardado[0][coluna] not in (None, "") for coluna in COLUNAS)
    navegador = Balcao(balcao.api, "adm", "administrador")
    formulario = navegador.abrir(f"/alunos/{aluno}/editar").form
    assert {coluna: formulario[coluna] for coluna in COLUNAS} == TUDO | MOSTRADO
    pagina = navegador.abrir(f"/alunos/{aluno}")
    for coluna, valor in (TUDO | MOSTRADO | {"whatsapp": "Sim", "situacao": "Suspenso"}).items():
        assert " ".join(valor.split()) in pagina.texto, coluna
    assert "<b>Inventada" not in pagina.html


def test_the_keyboard_goes_through_the_essentials_first(balcao: Balcao) -> None:
    mesa = balcao.abrir("/")
    assert mesa.foco == "q"
    assert mesa.paradas.index("q") < mesa.paradas.index("novo")
    resposta = balcao.postar("/alunos/novo", q="  Nova  da Silva ")
    pagina = balcao.abrir(destino(resposta))
    assert pagina.form["nome"] == "Nova da Silva"
    assert pagina.foco == "nome_social"
    inicio = pagina.paradas.index("nome")
    assert pagina.paradas[inicio : inicio + 9] == [
        "nome", "nome_social", "cpf", "data_nascimento", "celular", "whatsapp", "telefone", "email",
        "summary",
    ]  # fmt: skip
    assert "nova" not in destino(resposta).removeprefix("/alunos/novo").lower()  # no name in an address


@pytest.mark.parametrize(
    ("q", "campo", "valor"),
    [
        ("52998224725", "cpf", "529.982.247-25"),
        ("11987654321", "celular", "(11) 98765-4321"),
        ("123", "nome", ""),
    ],
)
def test_what_was_searched_is_carried_over_to_its_field(
    balcao: Balcao, q: str, campo: str, valor: str
) -> None:
    balcao.abrir("/")
    assert balcao.abrir(destino(balcao.postar("/alunos/novo", q=q))).form[campo] == valor


def test_double_click_f5_and_back_are_one_write(balcao: Balcao) -> None:
    pagina = balcao.novo()
    campos = pagina.form | DIGITADO
    with ThreadPoolExecutor(4) as varios:
        respostas = list(varios.map(lambda _: balcao.postar(pagina.acao, **campos), range(8)))
    assert {destino(resposta) for resposta in respostas} == {destino(respostas[0])}
    assert len(linhas(balcao)) == 1
    assert balcao.abrir(pagina.acao).codigos == ["gravado"]  # Back to the form is the receipt


def test_f5_with_a_changed_field_keeps_the_newer_value(balcao: Balcao) -> None:
    """Fault 64: the first answer never came; the same form is sent again with another number."""
    pagina = balcao.novo()
    campos = pagina.form | DIGITADO | {"rg": "1", "cidade": "Santos"}
    assert balcao.postar(pagina.acao, **campos).status_code == 303
    novo = campos | {"celular": "21 91234-5678", "cidade": "", "bairro": "Gonzaga"}
    recibo = balcao.enviar(pagina.acao, **novo)
    assert recibo.codigos == ["gravado"]
    assert recibo.frase("gravado").startswith("Alteração gravada. Protocolo AP-")
    assert balcao.enviar(pagina.acao, **novo).frase("gravado") == recibo.frase("gravado")
    ainda = balcao.enviar(pagina.acao, **novo | {"rg": "2"})
    assert ainda.codigos == ["gravado"]
    assert linhas(balcao, "SELECT celular, rg, cidade, bairro FROM alunos") == [
        ("+5521912345678", "2", None, "Gonzaga")
    ]


def test_f5_never_writes_over_what_somebody_else_changed(balcao: Balcao) -> None:
    pagina = balcao.novo()
    campos = pagina.form | DIGITADO | {"rg": "1"}
    balcao.postar(pagina.acao, **campos)
    (aluno,) = linhas(balcao, "SELECT id::text FROM alunos")[0]
    balcao.api.editar(aluno, bairro="De outra pessoa", rg="2")
    assert balcao.postar(pagina.acao, **campos | {"zona": "9"}).status_code == 303
    assert linhas(balcao, "SELECT bairro, rg, zona FROM alunos") == [("De outra pessoa", "2", "9")]
    recusado = Pagina(balcao.postar(pagina.acao, **campos | {"rg": "3", "zona": "9"}))
    assert recusado.codigos == ["conflito"]
    assert recusado.form["rg"] == "3"


def test_a_used_form_with_somebody_else_in_it_asks(balcao: Balcao) -> None:
    pagina = balcao.novo()
    balcao.postar(pagina.acao, **pagina.form | DIGITADO)
    outra = pagina.form | DIGITADO | {"nome": "Alguém Diferente"}
    pergunta = Pagina(balcao.postar(pagina.acao, **outra))
    assert (pergunta.status_code, pergunta.codigos) == (409, ["formulario-ja-usado"])
    assert pergunta.form["nome"] == "Alguém Diferente"
    nova = re.search(r'name="nova" value="([0-9a-f]{32})"', pergunta.html).group(1)  # type: ignore[union-attr]
    for _ in range(2):
        assert balcao.enviar(pergunta.acao, **pergunta.form, nova=nova).codigos == ["gravado"]
    assert sorted(linhas(balcao, "SELECT nome FROM alunos")) == [("Alguém Diferente",), ("Pessoa Inventada",)]
    assert balcao.enviar(pagina.acao, **outra, a_mesma="1").codigos == ["gravado"]
    assert linhas(balcao, "SELECT nome FROM alunos") == [("Alguém Diferente",)] * 2


@pytest.mark.parametrize(
    ("campos", "errado", "frase"),
    [
        ({"nome": "  "}, "nome", "Não gravado. Informe o nome. Corrija o campo Nome completo."),
        (
            {"cpf": "111.111.111-11"},
            "cpf",
            "Não gravado. CPF inválido: confira os dígitos. Corrija o campo CPF.",
        ),
        ({"celular": "", "responsavel_cpf": "1"}, "responsavel_cpf", None),
        ({"data_nascimento": "31/02/2000"}, "data_nascimento", None),
        ({"cpf": "1", "email": "x"}, "cpf", "Não gravado. Corrija os campos CPF e E-mail."),
        ({"nome": "a\x00b"}, "nome", None),
    ],
)
def test_a_rejected_form_names_the_field_and_keeps_everything(
    balcao: Balcao, campos: dict[str, str], errado: str, frase: str | None
) -> None:
    pagina = balcao.novo()
    enviado = pagina.form | DIGITADO | {"observacoes": "fica\naqui", "whatsapp": "sim"} | campos
    recusado = Pagina(balcao.postar(pagina.acao, **enviado))
    assert (recusado.status_code, recusado.codigos) == (422, ["dados-invalidos"])
    assert recusado.papel("dados-invalidos") == "alert"
    assert frase is None or recusado.frase("dados-invalidos") == frase
    assert recusado.form == enviado | {"csrf_token": recusado.form["csrf_token"]}
    assert recusado.foco == errado
    campo = re.search(rf'<input[^>]*id="{errado}"[^>]*>', recusado.html).group()  # type: ignore[union-attr]
    assert 'aria-invalid="true"' in campo and f"{errado}-erro" in campo
    assert f'id="{errado}-erro"' in recusado.html
    assert linhas(balcao) == []


def test_without_a_contact_it_says_so(balcao: Balcao) -> None:
    pagina = balcao.novo()
    recusado = Pagina(balcao.postar(pagina.acao, **pagina.form | {"nome": "Só o Nome"}))
    assert "Informe um contato" in recusado.frase("dados-invalidos")
    assert balcao.enviar(recusado.acao, **recusado.form | DIGITADO).codigos == ["gravado"]


def test_a_cpf_that_belongs_to_somebody_is_refused_and_shows_whom(balcao: Balcao) -> None:
    dono = balcao.cadastrado(cpf="52998224725", nome="Dona do Número")
    pagina = balcao.novo()
    recusado = Pagina(balcao.postar(pagina.acao, **pagina.form | DIGITADO | {"cpf": "529.982.247-25"}))
    assert recusado.status_code == 409
    assert recusado.frase("cpf-em-uso") == "Não gravado. O CPF pertence a outra pessoa. Corrija o campo CPF."
    assert "Dona do Número" in recusado.texto and f"/alunos/{dono}" in recusado.html
    assert recusado.foco == "cpf"
    assert balcao.enviar(recusado.acao, **recusado.form | {"cpf": ""}).codigos == ["gravado"]


def test_a_possible_duplicate_is_shown_while_typing_and_asked_about_when_sent(balcao: Balcao) -> None:
    campos = {"nome": "Maria da Silva", "data_nascimento": "02/03/1990"}
    conhecida = balcao.cadastrado(**campos)
    pagina = balcao.novo()
    digitando = pagina.form | {"nome": "maria silva", "data_nascimento": "2/3/90"}
    fragmento = balcao.enviar("/alunos/parecidos", **digitando)
    assert fragmento.codigos == ["talvez-duplicado"]
    assert "Parece já existir: Maria da Silva nasc. 02/03/1990" in fragmento.texto
    assert f'href="/alunos/{conhecida}"' in fragmento.html and "É a mesma pessoa" in fragmento.texto
    assert balcao.enviar("/alunos/parecidos", **digitando, outra_pessoa=conhecida).codigos == []
    assert balcao.enviar("/alunos/parecidos", **digitando | {"nome": "Maria Souza"}).codigos == []
    balcao.api.esperar(lambda: len(balcao.api.motor.replica("alunos").rows()) == 1)
    enviado = digitando | {"celular": "11987654321"}
    pergunta = Pagina(balcao.postar(pagina.acao, **enviado))
    assert (pergunta.status_code, pergunta.codigos) == (409, ["talvez-duplicado"])
    assert pergunta.form["nome"] == "maria silva"
    outra = {"outra_pessoa": conhecida}
    assert balcao.enviar(pergunta.acao, **pergunta.form | outra).codigos == ["gravado"]
    assert len(linhas(balcao)) == 2


def test_an_invalid_cpf_is_said_while_typing(balcao: Balcao) -> None:
    pagina = balcao.novo()
    assert balcao.enviar("/alunos/parecidos", **pagina.form | {"cpf": "11111111111"}).codigos == [
        "cpf-invalido"
    ]
    assert balcao.enviar("/alunos/parecidos", **pagina.form | {"cpf": "1111"}).codigos == []


def test_a_script_in_a_name_is_only_a_name(balcao: Balcao) -> None:
    nome = '<script>alert(1)</script> "><img src=x onerror=alert(2)>'
    aluno = balcao.cadastrado(nome=nome, data_nascimento="1/1/2000")
    parecida = balcao.novo().form | {"nome": nome, "data_nascimento": "1/1/2000"}
    for html in (
        balcao.abrir(f"/alunos/{aluno}").html,
        balcao.abrir(f"/alunos/{aluno}/editar").html,
        balcao.procurar("script").html,
        balcao.procurar(nome).html,
        balcao.enviar("/alunos/parecidos", **parecida).html,
    ):
        assert "&lt;script&gt;alert(1)" in html
        assert "<script>alert" not in html and "<img" not in html


def test_what_is_typed_survives_f5(balcao: Balcao) -> None:
    pagina = balcao.novo()
    rascunho = pagina.form | {"nome": "Meio Digitada", "observacoes": "ainda não"}
    assert balcao.postar(pagina.acao + "/rascunho", **rascunho).status_code == 204
    de_novo = balcao.abrir(pagina.acao)
    assert (de_novo.form["nome"], de_novo.form["observacoes"]) == ("Meio Digitada", "ainda não")
    assert (de_novo.acao, de_novo.codigos) == (pagina.acao, [])
    assert balcao.novo().form["nome"] == ""
    balcao.enviar(pagina.acao, **de_novo.form | DIGITADO)
    assert balcao.postar(pagina.acao + "/rascunho", **rascunho).status_code == 204
    assert balcao.abrir(pagina.acao).codigos == ["gravado"]


def test_a_key_that_is_none_is_not_found(balcao: Balcao) -> None:
    assert balcao.abrir("/alunos/novo/x").status_code == 404
    assert balcao.abrir("/recibo/00000000-0000-8000-8000-000000000000").codigos == ["nao-encontrado"]
