"""What people read, word by word: these sentences stand in the design and do not change unnoticed."""

from __future__ import annotations

import pytest

from academia.balcao import textos
from academia.balcao.frase import Frase


@pytest.mark.parametrize(
    ("frase", "codigo", "papel", "texto"),
    [
        (
            textos.gravado("AP-7K3F-9Q2M-4TXC"), "gravado", "status",
            "Cadastro gravado. Protocolo AP-7K3F-9Q2M-4TXC.",
        ),
        (
            textos.pendente(), "pendente", "status",
            "Cadastro guardado com segurança neste sistema. O banco de dados está fora do ar; enviaremos"
            " sozinhos quando voltar. Pode atender o próximo.",
        ),
        (
            textos.AGUARDANDO_A_VEZ, "aguardando-a-vez", "status",
            "Guardado, aguardando a vez. Um registro anterior desta pessoa precisa de correção; este segue"
            " depois dele.",
        ),
        (textos.CONFLITO, "conflito", "alert", "Alguém mudou este campo antes."),
        (
            textos.gravados_depois(["10:42"] * 3), "gravado-depois", "status",
            "Os 3 cadastros guardados às 10:42 já estão gravados.",
        ),
        (textos.PARECE_JA_EXISTIR, "talvez-duplicado", "status", "Parece já existir:"),
        (
            textos.rejeitado(textos.CPF_EM_USO, ["CPF"], "cpf-em-uso"), "cpf-em-uso", "alert",
            "Não gravado. O CPF pertence a outra pessoa. Corrija o campo CPF.",
        ),
        (
            textos.quarentena("10:42", "a turma foi encerrada"), "quarentena", "alert",
            "Precisa de correção. Aceito às 10:42, mas o banco recusou: a turma foi encerrada. Nada foi"
            " perdido.",
        ),
        (
            textos.nao_guardado("JournalFull"), "nao-guardado", "alert",
            "NÃO foi guardado. Disco cheio. Anote no papel e chame o administrador.",
        ),
        (
            textos.RESULTADO_DESCONHECIDO, "resultado-desconhecido", "alert",
            "Não sabemos se foi guardado. Envie de novo este mesmo formulário: não há risco de duplicar.",
        ),
    ],
)  # fmt: skip
def test_the_sentences_of_the_design(frase: Frase, codigo: str, papel: str, texto: str) -> None:
    assert (frase.codigo, frase.papel) == (codigo, papel)
    assert f"{frase.titulo} {frase.resto}".strip() == texto


def test_pending_never_says_that_the_database_is_down_while_it_is_not() -> None:
    assert "fora do ar" not in textos.pendente(fora_do_ar=False).resto


@pytest.mark.parametrize(
    ("horas", "edicao", "texto"),
    [
        (["10:42"], False, "O cadastro guardado às 10:42 já está gravado."),
        (["10:42", "10:50"], False, "Os 2 cadastros guardados entre 10:42 e 10:50 já estão gravados."),
        (["10:42"], True, "A alteração guardada às 10:42 já está gravada."),
        (["10:42", "10:42"], True, "As 2 alterações guardadas às 10:42 já estão gravadas."),
    ],
)
def test_what_arrived_later(horas: list[str], edicao: bool, texto: str) -> None:
    assert textos.gravados_depois(horas, edicao=edicao).titulo == texto


def test_a_rejection_names_all_fields() -> None:
    assert textos.rejeitado("", ["CPF", "CEP", "UF"]).resto == "Corrija os campos CPF, CEP e UF."
    assert textos.rejeitado(textos.SEM_O_CADASTRO, []).resto == "Este cadastro não existe mais."


def test_how_many_were_found() -> None:
    assert textos.encontradas(0, False, "") == "Ninguém encontrado."
    assert textos.encontradas(1, False, "da cópia local de 10:42") == (
        "1 pessoa encontrada (da cópia local de 10:42)."
    )
    assert textos.encontradas(20, True, "") == "Mais de 20 pessoas encontradas."
