"""Errors: `application/problem+json` (RFC 9457) with a stable `code`, or a page for a person."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from academia.alunos.leitura import DadosInvalidos
from robusto.errors import DatabaseUnavailable, JournalError, NotAccepted, WriteRejected

_log = logging.getLogger(__name__)

TIPO = "application/problem+json"
CABECALHO_DA_CHAVE = "Idempotency-Key"

#: code -> status, and the sentence for a person.
PROBLEMAS: dict[str, tuple[int, str]] = {
    "json-invalido": (400, "O corpo não é um JSON válido."),
    "requisicao-invalida": (400, "A requisição não pode ser lida."),
    "nao-autenticado": (401, "Entre no sistema ou envie um token de acesso válido."),
    "proibido": (403, "Sem permissão para isto."),
    "nao-encontrado": (404, "Não encontrado."),
    "metodo-nao-permitido": (405, "Este endereço não aceita o método."),
    "cpf-em-uso": (409, "Não gravado. O CPF pertence a outra pessoa."),
    "conflito": (409, "Não gravado. Alguém mudou este campo antes."),
    "corpo-grande": (413, "O corpo é grande demais."),
    "dados-invalidos": (422, "Não gravado. Há campos a corrigir."),
    "chave-reutilizada": (422, "Não gravado. Esta chave já foi usada com outro corpo."),
    "chave-invalida": (422, "A chave tem de 1 a 200 caracteres ASCII imprimíveis."),
    "muitas-tentativas": (429, "Muitas tentativas. Espere e tente de novo."),
    "erro-interno": (500, "Falha nossa. Os dados consultados não puderam ser lidos."),
    "nao-guardado": (503, "NÃO foi guardado. Nada ficou neste sistema; envie de novo mais tarde."),
    "resultado-desconhecido": (
        503,
        "Não sabemos se foi guardado. Enviar de novo com a mesma chave é seguro.",
    ),
    "desconhecido": (503, "Não é possível saber agora. Tente de novo mais tarde."),
}
_DE_HTTP = {404: "nao-encontrado", 405: "metodo-nao-permitido", 413: "corpo-grande"}
_SEGUNDOS_ATE_TENTAR = "5"


class Problema(Exception):
    """Answer with this problem."""

    def __init__(self, code: str, **mais: Any) -> None:
        super().__init__(code)
        self.code = code
        self.mais = mais


def resposta_de_problema(code: str, **mais: Any) -> Response:
    """The answer for a code; `mais` are further members of the body."""
    status, titulo = PROBLEMAS[code]
    corpo = {"type": "about:blank", "title": titulo, "status": status, "code": code, **mais}
    resposta = Response(json.dumps(corpo), status, content_type=TIPO)
    if status == 401:
        resposta.headers["WWW-Authenticate"] = "Bearer"
    if status == 503:
        resposta.headers["Retry-After"] = _SEGUNDOS_ATE_TENTAR
    if "chave" in mais:
        resposta.headers[CABECALHO_DA_CHAVE] = mais["chave"]
    return resposta


def instalar(app: Flask, pagina_de_erro: Callable[[int], Response]) -> None:
    """Turn what is raised into problems; elsewhere than below /api, for a browser, into a page."""

    def de_http(erro: HTTPException) -> Response | HTTPException:
        if abaixo_de_api():
            return _de_http(erro)
        if erro.response is not None or not e_para_pessoa():
            return erro
        return _com_cabecalhos(pagina_de_erro(erro.code or 500), erro)

    def de_falha_nossa(erro: Exception) -> Response:
        _registrar(erro)
        return pagina_de_erro(500) if not abaixo_de_api() and e_para_pessoa() else _de_falha_nossa()

    app.register_error_handler(HTTPException, de_http)
    app.register_error_handler(Problema, lambda erro: resposta_de_problema(erro.code, **erro.mais))
    app.register_error_handler(
        DadosInvalidos, lambda erro: resposta_de_problema("dados-invalidos", campos=erro.campos)
    )
    app.register_error_handler(WriteRejected, _de_recusa)
    app.register_error_handler(NotAccepted, _de_nao_aceito)
    app.register_error_handler(DatabaseUnavailable, lambda _: resposta_de_problema("desconhecido"))
    app.register_error_handler(JournalError, _de_diario)
    app.register_error_handler(Exception, de_falha_nossa)


def abaixo_de_api() -> bool:
    """Whether the request is for an address of the API."""
    return request.path.startswith("/api/") or request.path == "/api"


def e_para_pessoa() -> bool:
    """Whether the caller is a browser that shows a page."""
    return any(tipo == "text/html" for tipo, _ in request.accept_mimetypes)


def _de_http(erro: HTTPException) -> Response:
    status = erro.code or 500
    if status >= 500:
        _registrar(erro)
        return _de_falha_nossa()
    return _com_cabecalhos(resposta_de_problema(_DE_HTTP.get(status, "requisicao-invalida")), erro)


def _com_cabecalhos(resposta: Response, erro: HTTPException) -> Response:
    for nome, valor in erro.get_headers():
        if nome == "Allow":
            resposta.headers[nome] = valor
    return resposta


def _de_recusa(erro: WriteRejected) -> Response:
    match (erro.reason, erro.constraint):
        case ("key_reused", _):
            return resposta_de_problema("chave-reutilizada")
        case ("no_effect", _):
            return resposta_de_problema("nao-encontrado")
        case ("conflict", _):
            return resposta_de_problema("conflito", campos=erro.detail.get("campos", {}))
        case ("23505", "alunos_cpf_key"):
            return resposta_de_problema("cpf-em-uso")
        case _:
            # Our form let through what PostgreSQL refuses: the caller still holds its data.
            _log.error("refused by the database: %s", erro)
            return resposta_de_problema("dados-invalidos", campos={}, motivo=erro.reason)


def _de_nao_aceito(erro: NotAccepted) -> Response:
    code = "resultado-desconhecido" if erro.maybe_applied else "nao-guardado"
    return resposta_de_problema(code, chave=erro.key)


def _de_diario(erro: JournalError) -> Response:
    """Reading without the journal: what is pending is unknown, and unknown is not zero."""
    _log.error("the journal cannot be read: %s", erro)
    return resposta_de_problema("desconhecido")


def _registrar(erro: Exception) -> None:
    # The text of an exception may repeat a person's data: only its type and place are logged.
    _log.error("unexpected %s in %s", type(erro).__name__, request.endpoint, exc_info=_sem_texto(erro))


def _de_falha_nossa() -> Response:
    """A bug of ours. Of a write that was on its way nobody knows where it is: that is what is said."""
    if chave := g.get("chave_em_curso"):
        return resposta_de_problema("resultado-desconhecido", chave=chave)
    return resposta_de_problema("erro-interno")


def _sem_texto(erro: Exception) -> tuple[type[BaseException], BaseException, Any]:
    return (RuntimeError, RuntimeError(type(erro).__name__), erro.__traceback__)
