"""The front desk as a receptionist's browser sees it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from werkzeug.test import TestResponse

from academia.acesso.direitos import RECEPCAO
from tests.support.api import Api, aplicacao
from tests.support.navegador import Navegador, criar, destino

#: A person whom nobody knows, as one types.
DIGITADO = {"nome": "Pessoa Inventada", "celular": "(11) 98765-4321"}

_DE_TEXTO = ("text", "tel", "search", "hidden", None)


class _Leitor(HTMLParser):
    """The fields of the form that leads to `acao`, and everything that has a code."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[dict[str, str]] = []
        self.campos: list[dict[str, str]] = []
        self.frases: list[dict[str, str]] = []
        self.com_foco: list[str] = []
        self.parada: list[str] = []
        self._select = ""
        self._area = ""
        self._fundo = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        dados = {nome: valor or "" for nome, valor in attrs}
        nome = dados.get("name", "")
        if "autofocus" in dados:
            self.com_foco.append(nome or dados.get("id", "") or tag)
        focavel = tag in ("input", "select", "textarea", "button", "summary") or (
            tag == "a" and "href" in dados
        )
        if focavel and dados.get("type") != "hidden":
            self.parada.append(nome or dados.get("id") or tag)
        if tag == "form":
            self.forms.append(dados)
            self.campos.append({})
        elif tag == "input" and nome and self.campos:
            marcado = dados.get("type") not in ("checkbox", "radio") or "checked" in dados
            if marcado:
                self.campos[-1][nome] = dados.get("value", "")
        elif tag == "select":
            self._select = nome
            self.campos[-1][nome] = ""
        elif tag == "option" and "selected" in dados:
            self.campos[-1][self._select] = dados.get("value", "")
        elif tag == "textarea":
            self._area = nome
            self.campos[-1][nome] = ""
        if "data-codigo" in dados:
            self.frases.append(dados | {"texto": ""})
            self._fundo = 1
        elif self._fundo and tag == "p":
            self._fundo += 1

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            if self.campos[-1][self._area].startswith("\n"):  # a browser drops the first line break
                self.campos[-1][self._area] = self.campos[-1][self._area][1:]
            self._area = ""
        if tag == "p" and self._fundo:
            self._fundo = 0

    def handle_data(self, data: str) -> None:
        if self._area:
            self.campos[-1][self._area] += data
        if self._fundo and self.frases:
            self.frases[-1]["texto"] += data


class Pagina:
    """An answer, read as a browser reads it."""

    def __init__(self, resposta: TestResponse) -> None:
        self.resposta = resposta
        self.status_code = resposta.status_code
        self.html = resposta.text
        self._leitor = _Leitor()
        self._leitor.feed(self.html)

    @property
    def codigos(self) -> list[str]:
        return [frase["data-codigo"] for frase in self._leitor.frases]

    def frase(self, codigo: str) -> str:
        """What the sentence with this code says, and how it is read out."""
        for frase in self._leitor.frases:
            if frase["data-codigo"] == codigo:
                return " ".join(frase["texto"].split())
        raise AssertionError(f"no sentence {codigo} among {self.codigos}: {self.texto}")

    def papel(self, codigo: str) -> str:
        return next(frase["role"] for frase in self._leitor.frases if frase["data-codigo"] == codigo)

    @property
    def texto(self) -> str:
        """What a person reads."""
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", self.html)).split())

    @property
    def form(self) -> dict[str, str]:
        """The fields of the form about a student."""
        return next(c for f, c in self._forms if "cadastro" in f.get("class", "").split())

    @property
    def acao(self) -> str:
        return next(f["action"] for f, _ in self._forms if "cadastro" in f.get("class", "").split())

    @property
    def _forms(self) -> list[tuple[dict[str, str], dict[str, str]]]:
        return list(zip(self._leitor.forms, self._leitor.campos, strict=True))

    @property
    def foco(self) -> str:
        """Where the focus is when the page opens: the first of those who ask for it."""
        return (self._leitor.com_foco or [""])[0]

    @property
    def paradas(self) -> list[str]:
        """What Tab stops at, in order."""
        return self._leitor.parada


class Balcao:
    """A browser at the front desk."""

    def __init__(self, api: Api, login: str = "ana", papel: str = RECEPCAO) -> None:
        self.api = api
        self.navegador = Navegador(api.app, criar(api.app, login, papel))

    def abrir(self, caminho: str) -> Pagina:
        """Follows redirects, as a browser does."""
        resposta = self.navegador.abrir(caminho)
        while resposta.status_code == 303:
            resposta = self.navegador.abrir(_caminho(resposta))
        return Pagina(resposta)

    def enviar(self, caminho: str, **campos: str) -> Pagina:
        """Posts and follows the redirect."""
        resposta = self.postar(caminho, **campos)
        return self.abrir(_caminho(resposta)) if resposta.status_code == 303 else Pagina(resposta)

    def postar(self, caminho: str, **campos: str) -> TestResponse:
        campos.pop("csrf_token", None)
        return self.navegador.enviar(caminho, **campos)

    def novo(self) -> Pagina:
        return self.abrir("/alunos/novo")

    def cadastrar(self, pagina: Pagina | None = None, **campos: str) -> Pagina:
        """Fill the form in and send it."""
        pagina = pagina or self.novo()
        return self.enviar(pagina.acao, **pagina.form | DIGITADO | campos)

    def cadastrado(self, **campos: str) -> str:
        """The id of a new student."""
        pagina = self.novo()
        destino_ = self.postar(pagina.acao, **pagina.form | DIGITADO | campos)
        assert destino_.status_code == 303, Pagina(destino_).texto
        return re.search(r"aluno=([0-9a-f-]{36})", destino_.location).group(1)  # type: ignore[union-attr]

    def procurar(self, q: str) -> Pagina:
        self.abrir("/")
        return self.enviar("/buscar", q=q)

    def novidades(self) -> Pagina:
        return self.abrir("/novidades")


def _caminho(resposta: TestResponse) -> str:
    partes = urlsplit(resposta.location)
    return f"{partes.path}?{partes.query}" if partes.query else partes.path


__all__ = ["DIGITADO", "Balcao", "Pagina", "balcao", "destino"]


@pytest.fixture
def balcao(tmp_path: Path, database: str) -> Iterator[Balcao]:
    """Import it where it is used."""
    with aplicacao(tmp_path / "var", database) as pronta:
        yield Balcao(pronta)
