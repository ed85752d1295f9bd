"""What is typed at the desk stands in no log and in no local file in plain text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.support.chromium import Visitors, code, fill, register, send
from tests.support.running_app import RunningApp
from tests.support.running_supervisor import eventually

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

PERSON = {
    "nome": "Quitéria Zebedeu Sigilosa",
    "cpf": "862.883.667-57",
    "celular": "(21) 98111-2233",
    "email": "quiteria.zebedeu@invalido.example",
    "rg": "77.881.334-X",
    "data_nascimento": "17/04/1987",
    "endereco": "Travessa Inexistente, 4413",
    "observacoes": "alergia-sigilosa-7781",
}
ANOTHER = {"nome": "Hermenegildo Recusado Sigiloso", "celular": "(21) 98111-4455"}
#: Parts of it, as they might appear anywhere.
SECRETS = (
    "Zebedeu", "Quitéria", "862.883.667-57", "86288366757", "981112233", "98111-2233", "quiteria.zebedeu@",
    "77.881.334", "1987-04-17", "17/04/1987", "Travessa Inexistente", "alergia-sigilosa", "Hermenegildo",
    "981114455", "98111-4455", "senha-sigilosa-9917",
)  # fmt: skip


def test_nothing_that_was_typed_at_the_desk_stands_in_a_log(app: RunningApp, visitors: Visitors) -> None:
    stranger = visitors.stranger()
    stranger.goto("/entrar")
    stranger.fill("#login", "ana")
    stranger.fill("#senha", "senha-sigilosa-9917")
    stranger.press("#senha", "Enter")
    stranger.wait_for_selector("main [role=alert]")

    page = visitors.user("ana")
    eventually(lambda: register(page, nome="Alguém Antes") == "gravado")
    assert register(page, **PERSON) == "gravado"
    assert register(page, **(ANOTHER | {"cpf": PERSON["cpf"]})) == "cpf-em-uso"
    assert register(page, **(ANOTHER | {"data_nascimento": "99/99/1987"})) == "dados-invalidos"
    _search_everything(page)
    with app.frozen():
        assert register(page, **ANOTHER) == "pendente"
        page.click("main >> text=Editar")
        fill(page, rg=PERSON["rg"], cpf=PERSON["cpf"], observacoes=PERSON["observacoes"])
        send(page)
        assert code(page) in ("pendente", "cpf-em-uso")
        _search_everything(page)
        page.goto("/erro-que-nao-existe?nome=Zebedeu")
    eventually(lambda: app.rows("SELECT count(*) FROM alunos WHERE nome = %s", ANOTHER["nome"]) == [(1,)])

    looked = [app.supervisor.output, *(_text(path) for path in _files(app.var))]
    assert any("write_pending" in text for text in looked), "the log was not looked at"
    for secret in SECRETS:
        written = (secret, json.dumps(secret).strip('"'))
        assert not any(each in text for text in looked for each in written), secret


def _search_everything(page: Page) -> None:
    for text in (PERSON["nome"], PERSON["cpf"], PERSON["celular"]):
        page.goto("/")
        page.fill("#q", text)
        page.press("#q", "Enter")
        page.wait_for_selector("#achados li")


def _files(var: Path) -> list[Path]:
    """All that the app keeps, but for PostgreSQL's own data."""
    own = var / "postgres"
    return [path for path in var.rglob("*") if path.is_file() and own not in path.parents]


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace")
