"""The form: every field of a student, in groups, the essential ones first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from academia.balcao.textos import SITUACOES

Opcoes = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Campo:
    """One field; `nome` is the column. tipo: texto, tel, email, data, area, caixa, escolha."""

    nome: str
    rotulo: str
    tipo: str = "texto"
    dica: str = ""
    opcoes: Opcoes = ()
    numerico: bool = False
    largo: bool = False
    maximo: int = 200


@dataclass(frozen=True, slots=True)
class Grupo:
    """Fields under one heading. The first group is always open."""

    nome: str
    titulo: str
    campos: tuple[Campo, ...] = field(default=())


def _iguais(*textos: str) -> Opcoes:
    return (("", "Não informado"), *((texto, texto) for texto in textos))


ESSENCIAIS = Grupo(
    "essenciais",
    "Dados principais",
    (
        Campo("nome", "Nome completo", largo=True),
        Campo("nome_social", "Nome social", dica="Se houver: é o que aparece em todas as telas.", largo=True),
        Campo("cpf", "CPF", numerico=True),
        Campo("data_nascimento", "Data de nascimento", "data", "dd/mm/aaaa, como 3/11/1990", numerico=True),
        Campo("celular", "Celular", "tel", "Com DDD"),
        Campo("whatsapp", "O celular tem WhatsApp", "caixa"),
        Campo("telefone", "Telefone", "tel", "Outro número, com DDD"),
        Campo("email", "E-mail", "email"),
    ),
)
GRUPOS = (
    ESSENCIAIS,
    Grupo(
        "endereco",
        "Endereço",
        (
            Campo("cep", "CEP", numerico=True),
            Campo("endereco", "Endereço", dica="Rua, número e complemento", largo=True),
            Campo("bairro", "Bairro"),
            Campo("cidade", "Cidade"),
            Campo("uf", "UF", dica="Duas letras"),
        ),
    ),
    Grupo(
        "documentos",
        "Documentos e dados pessoais",
        (
            Campo("rg", "RG"),
            Campo("sexo", "Sexo", "escolha", opcoes=_iguais("Feminino", "Masculino", "Outro")),
            Campo(
                "estado_civil",
                "Estado civil",
                "escolha",
                opcoes=_iguais("Solteiro(a)", "Casado(a)", "União estável", "Divorciado(a)", "Viúvo(a)"),
            ),
            Campo("titulo_eleitor", "Título de eleitor"),
            Campo("zona", "Zona"),
            Campo("secao", "Seção"),
            Campo("municipio", "Município do título"),
        ),
    ),
    Grupo(
        "responsavel",
        "Responsável",
        (
            Campo("responsavel_nome", "Nome do responsável", largo=True),
            Campo("responsavel_cpf", "CPF do responsável", numerico=True),
            Campo("responsavel_telefone", "Telefone do responsável", "tel", "Com DDD"),
            Campo("responsavel_parentesco", "Parentesco"),
        ),
    ),
    Grupo(
        "matricula",
        "Matrícula",
        (
            Campo("atividade", "Atividade"),
            Campo("turma", "Turma"),
            Campo("situacao", "Situação", "escolha", opcoes=tuple(SITUACOES.items())),
        ),
    ),
    Grupo(
        "outros",
        "Indicação e observações",
        (
            Campo("indicacao", "Indicação", dica="Quem indicou a academia", largo=True),
            Campo("observacoes", "Observações", "area", largo=True, maximo=4000),
        ),
    ),
)


def todos() -> Iterator[Campo]:
    """Every field, in the order of the form."""
    for grupo in GRUPOS:
        yield from grupo.campos


ROTULOS = {campo.nome: campo.rotulo for campo in todos()}
