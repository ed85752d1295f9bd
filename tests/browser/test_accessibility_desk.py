"""The login, the desk and the users' pages are for everybody, in every state, while PostgreSQL answers."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.support.accessibility import findings, nothing
from tests.support.chromium import Visitors, code, fill, register, send
from tests.support.running_app import PASSWORD, RunningApp

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

CPF = "529.982.247-25"


def look_for(page: Page, text: str, found: str) -> None:
    """Type into the search box until this is shown."""
    page.goto("/")
    page.fill("#q", text)
    page.wait_for_selector(found)


def test_the_login_is_for_everybody(visitors: Visitors) -> None:
    page = visitors.stranger()
    page.goto("/entrar")
    found = findings(page, "login")
    page.fill("#login", "ana")
    page.fill("#senha", "errada demais")
    page.press("#senha", "Enter")
    page.wait_for_selector("[role=alert]")
    nothing(found + findings(page, "login refused"))
    for field in ("#login", "#senha"):  # a password manager may paste
        page.fill(field, "")
        page.evaluate("f => document.querySelector(f).dispatchEvent(new ClipboardEvent('paste'))", field)
        assert page.evaluate("f => document.querySelector(f).onpaste", field) is None


def test_the_search_is_for_everybody(visitors: Visitors) -> None:
    page = visitors.user("ana")
    found = findings(page, "desk, empty")
    for name in ("Olga Procurada", "Oscar Procurado"):
        assert register(page, nome=name, nome_social="Lua Procurada" if "Oscar" in name else "") == "gravado"
    look_for(page, "procurad", ".pessoas-achadas li + li")
    found += findings(page, "desk with results")
    look_for(page, "ninguém com este nome", "#contagem:has-text('Ninguém')")
    found += findings(page, "desk with nobody found")
    look_for(page, "111.111.111-11", "[data-codigo=cpf-invalido]")
    found += findings(page, "desk with a wrong CPF")
    page.goto("/alunos/00000000-0000-7000-8000-000000000000")
    nothing(found + findings(page, "nobody at this address"))


def test_the_registration_is_for_everybody(visitors: Visitors) -> None:
    page = visitors.user("ana")
    page.goto("/alunos/novo")
    found = findings(page, "empty form")
    assert register(page, nome="Paula Repetida", cpf=CPF, data_nascimento="2/3/1990") == "gravado"
    found += findings(page, "receipt, stored")
    page.goto("/alunos/novo")
    page.fill("#nome", "Paula Repetida")
    page.locator("#data_nascimento").press_sequentially("02/03/1990")
    page.wait_for_selector("#parecidos [data-codigo=talvez-duplicado]")
    found += findings(page, "form with a hint of a duplicate")
    assert register(page, nome="Paula Repetida", data_nascimento="2/3/1990") == "talvez-duplicado"
    found += findings(page, "form with a duplicate")
    assert register(page, nome="Outra Qualquer", cpf=CPF) == "cpf-em-uso"
    found += findings(page, "form with somebody else's CPF")
    assert register(page, nome="", cpf="1", email="x", responsavel_cpf="2", uf="Longe") == "dados-invalidos"
    assert page.locator("[aria-invalid=true]").count() > 3
    nothing(found + findings(page, "form with errors"))


def test_a_form_that_was_used_asks_and_is_for_everybody(visitors: Visitors) -> None:
    page = visitors.user("ana")
    page.goto("/alunos/novo")
    address = page.url
    twin = page.context.new_page()
    twin.goto(address)
    for tab, name in ((page, "Quirino Primeiro"), (twin, "Renata Seguinte")):
        fill(tab, nome=name, celular="(11) 98765-4321")
        send(tab)
    assert code(twin) == "formulario-ja-usado"
    nothing(findings(twin, "form that was used"))


def test_the_student_and_the_edit_are_for_everybody(visitors: Visitors) -> None:
    page = visitors.user("ana")
    register(page, nome="Sabrina Editada", endereco="Rua Inventada, 1", observacoes="Duas\nlinhas", rg="1")
    page.click("text=Ver o cadastro")
    found = findings(page, "student")
    page.click("main >> text=Editar")
    found += findings(page, "edit")
    address = page.url
    twin = page.context.new_page()

    def change(tab: Page, **fields: str) -> str:
        tab.goto(address)
        fill(tab, **fields)
        return tab.url

    for fields in ({"rg": "2"}, {"rg": "4", "bairro": "Centro"}):
        change(twin, **{name: f"{text} outra" for name, text in fields.items()})
        change(page, **fields)
        send(page)
        found += findings(page, "receipt of an edit")
        send(twin)
        assert code(twin) == "conflito"
        found += findings(twin, f"conflict of {len(fields)}")
    nothing(found)


def test_the_users_pages_are_for_everybody(app: RunningApp, visitors: Visitors) -> None:
    page = visitors.user("chefe")
    page.goto("/usuarios")
    found = findings(page, "users")
    page.fill("#novo_login", "novato")
    page.click("text=Criar")
    page.wait_for_selector("[role=status] .number")
    password = page.inner_text("[role=status] .number")
    found += findings(page, "users with a new one")
    page.fill("#novo_login", "novato")
    page.click("text=Criar")
    page.wait_for_selector("[role=alert]")
    found += findings(page, "users with an error")
    page.goto("/senha")
    found += findings(page, "password")
    page.fill("#senha_atual", PASSWORD)
    page.fill("#senha_nova", "outra frase inventada")
    page.fill("#senha_repetida", "e mais outra frase")
    page.press("#senha_repetida", "Enter")
    page.wait_for_selector("[role=alert]")
    found += findings(page, "password with an error")
    newcomer = visitors.stranger()
    newcomer.goto("/entrar")
    newcomer.fill("#login", "novato")
    newcomer.fill("#senha", password)
    newcomer.press("#senha", "Enter")
    newcomer.wait_for_selector("text=uma só entrada")
    found += findings(newcomer, "password that has to be changed")
    visitor = visitors.user("ana")
    visitor.goto("/usuarios")
    nothing(found + findings(visitor, "refused page"))
