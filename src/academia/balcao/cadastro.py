"""Registration: the form, what may be a duplicate, and its sending."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from flask import abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from academia.acesso import esquecer_formulario, formulario_guardado, guardar_formulario
from academia.acesso.arquivo import AcessoIlegivel
from academia.alunos import valores
from academia.alunos.campos import COLUNAS
from academia.alunos.parecidos import Pessoa, parecidos
from academia.alunos.sobrepor import Linha
from academia.alunos.writes import nova_chave
from academia.balcao import formulario, memoria, textos
from academia.balcao.envio import OutraPessoa, PareceJaExistir, enviar_cadastro
from academia.balcao.formulario import Formulario
from academia.balcao.frase import Frase
from academia.balcao.pessoas import nome_de, pessoa
from academia.balcao.planta import balcao, da_chave, do_balcao, fragmento, motor, remetente
from academia.balcao.recusas import Recusa, recusa_de
from robusto.errors import JournalError
from robusto.write import WriteState

_TITULO = "Novo cadastro"


@balcao.get("/alunos/novo/<chave>")
@do_balcao
def cadastro(chave: str) -> ResponseReturnValue:
    """The form. What was typed before an expired login or F5 is in it; once accepted it is the receipt."""
    _conferir(chave)
    guardado = formulario_guardado()
    aceito = memoria.aceito(chave)
    if aceito is not None and (guardado is None or "rascunho" in guardado):
        return redirect(url_for("balcao.recibo", gravacao=aceito[0], aluno=aceito[1]), 303)
    if guardado is None:
        return _pagina(Formulario(chave, {"situacao": "ativo"}))
    digitado = {"situacao": "ativo"} | formulario.ler(guardado)
    de_volta = None if "rascunho" in guardado else textos.DE_VOLTA
    return _pagina(Formulario(chave, digitado, outras=_outras(guardado.getlist("outra_pessoa"))), de_volta)


@balcao.post("/alunos/novo/<chave>")
@do_balcao
def cadastrar(chave: str) -> ResponseReturnValue:
    """Send it. Accepted: on to the receipt; else the same form again, with the same key."""
    _conferir(chave)
    if da_chave(
        request.form.get("nova", "")
    ):  # somebody else, in a form that was used: a key made with the question
        chave = request.form["nova"]
    digitado = formulario.ler(request.form)
    outras = _outras(request.form.getlist("outra_pessoa"))
    form = Formulario(chave, digitado, outras=outras)
    a_mesma = request.form.get("a_mesma") == "1"
    try:
        aluno, gravacao = enviar_cadastro(motor(), digitado, remetente(chave), outras=outras, a_mesma=a_mesma)
    except PareceJaExistir as achados:
        iguais = [pessoa(linha) for linha in achados.linhas]
        return _pagina(form, textos.PARECE_JA_EXISTIR, 409, iguais=iguais)
    except OutraPessoa as outra:
        return _pagina(form, textos.outra_pessoa(nome_de(outra.base)), 409, nova=nova_chave())
    except Exception as erro:
        return _recusado(form, recusa_de(erro))
    return aceitar(chave, gravacao, aluno)


@balcao.post("/alunos/novo/<chave>/rascunho")
@do_balcao
def rascunho(chave: str) -> ResponseReturnValue:
    """What is typed so far, kept sealed with the session: F5 and Back find it again."""
    _conferir(chave)
    if memoria.aceito(chave) is None:
        campos = [(nome, texto) for nome, texto in request.form.items(multi=True) if nome in _DO_RASCUNHO]
        guardar_formulario(url_for("balcao.cadastro", chave=chave), [*campos, ("rascunho", "1")])
    return "", 204


@balcao.post("/alunos/parecidos")
@do_balcao
def parecidos_com() -> ResponseReturnValue:
    """While somebody types: is this person known already? And is the CPF one?"""
    digitado = formulario.ler(request.form)
    colunas = {
        coluna: digitado.get(coluna, "") for coluna in ("nome", "nome_social", "cpf", "data_nascimento")
    }
    aviso = None
    for coluna, ler in (("cpf", valores.cpf), ("data_nascimento", valores.nascimento)):
        try:
            pedido = formulario.pedido({coluna: colunas[coluna]})
            colunas[coluna] = ler(pedido[coluna]) if pedido else ""
        except ValueError:
            aviso = textos.CPF_INVALIDO if coluna == "cpf" and len(colunas[coluna]) >= 11 else aviso
            colunas[coluna] = ""
    try:
        achados = parecidos(motor(), Pessoa.de(colunas))
    except JournalError:
        achados = []
    outras = _outras(request.form.getlist("outra_pessoa"))
    pessoas = [pessoa(linha) for linha in achados if str(linha["id"]) not in outras]
    return fragmento("balcao/_parecidos.html", aviso=aviso, iguais=pessoas)


def aceitar(chave: str, gravacao: UUID, aluno: UUID) -> ResponseReturnValue:
    """The write is accepted: remember it, forget what was typed, show the receipt."""
    memoria.lembrar_aceito(chave, gravacao, aluno)
    _lembrar_pendente(gravacao, aluno)
    with suppress(AcessoIlegivel):  # what was accepted stays accepted
        esquecer_formulario()
    return redirect(url_for("balcao.recibo", gravacao=gravacao, aluno=aluno), 303)


def _lembrar_pendente(gravacao: UUID, aluno: UUID) -> None:
    try:
        entrada = motor().backlog.find(gravacao)
    except JournalError:
        return
    if entrada is not None and entrada.state.as_write_state is WriteState.PENDING:
        memoria.lembrar_guardado(gravacao, aluno)


def _recusado(form: Formulario, recusa: Recusa) -> ResponseReturnValue:
    com_erros = Formulario(form.chave, form.valores, recusa.erros, outras=form.outras)
    iguais = []
    if recusa.frase.codigo == "cpf-em-uso":
        iguais = [pessoa(linha) for linha in _donos_do_cpf(form.valores)]
    return _pagina(com_erros, recusa.frase, recusa.status, no_papel=recusa.no_papel, iguais=iguais)


def _donos_do_cpf(digitado: formulario.Digitado) -> list[Linha]:
    try:
        return parecidos(motor(), Pessoa.de({"cpf": valores.cpf(digitado.get("cpf", ""))}))
    except (ValueError, JournalError):
        return []


def _pagina(
    form: Formulario, frase: Frase | None = None, status: int = 200, **mais: object
) -> ResponseReturnValue:
    acao = url_for("balcao.cadastrar", chave=form.chave)
    pagina = render_template(
        "balcao/cadastro.html", form=form, frase=frase, acao=acao, titulo=_TITULO, **mais
    )
    return make_response(pagina, status)


def _conferir(chave: str) -> None:
    if not da_chave(chave):
        abort(404)


def _outras(postadas: list[str]) -> list[str]:
    """Ids of people who were said to be somebody else."""
    return [parte for postada in postadas for parte in postada.split(",") if parte][:50]


_DO_RASCUNHO = {*COLUNAS, "outra_pessoa"}
