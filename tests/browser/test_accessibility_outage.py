"""Desk and console are for everybody while PostgreSQL is away, and with what an outage leaves behind."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.support.accessibility import findings, nothing
from tests.support.chromium import Visitors, code, fill, register, send, sentence
from tests.support.running_app import RunningApp

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

CPF = "390.533.447-05"


def looked_at(page: Page, *paths: str) -> list[str]:
    """The findings on these pages of the console."""
    found = []
    for path in paths:
        page.goto(path)
        found += findings(page, path.partition("-")[0] or path)
    return found


def wait_for_level(page: Page, level: str) -> None:
    page.goto("/sistema")
    page.wait_for_selector(f"#veredito [data-level={level}]")


def test_every_page_is_for_everybody_in_an_outage_and_after_it(app: RunningApp, visitors: Visitors) -> None:
    desk, admin = visitors.user("ana"), visitors.user("chefe")
    assert register(desk, nome="Tadeu Gravado", cpf=CPF) == "gravado"
    wait_for_level(admin, "green")
    found = findings(admin, "console, green")
    app.wait_until_copied()
    with app.stopped():
        # somebody with a CPF that is taken: said to be another person, and refused by PostgreSQL later
        assert register(desk, nome="Úrsula Engano", cpf=CPF) == "talvez-duplicado"
        with desk.expect_navigation():
            desk.click("text=É outra pessoa")
        assert code(desk) == "pendente"
        found += findings(desk, "receipt, pending")
        refused = desk.url
        desk.click("text=Ver o cadastro")
        found += findings(desk, "student, pending")
        desk.click("main >> text=Editar")
        fill(desk, rg="77")
        send(desk)
        found += findings(desk, "receipt of an edit, pending")
        behind = desk.url
        register(desk, nome="Vicente Pendente")
        desk.goto("/")
        desk.fill("#q", "tadeu")
        desk.wait_for_selector(".pessoas-achadas li")
        found += findings(desk, "desk in an outage, with results")
        desk.locator(".pessoas-achadas a").first.click()
        desk.wait_for_selector("[data-codigo=da-copia]")
        found += findings(desk, "student from the copy")
        wait_for_level(admin, "yellow")
        found += findings(admin, "console, yellow")
        found += looked_at(admin, "/sistema/pendentes", "/sistema/pendentes?protocolo=AP-1")
        admin.goto("/sistema/pendentes")
        admin.locator("table a").first.click()
        found += findings(admin, "a pending record")
    desk.goto("/")
    desk.wait_for_selector("[data-codigo=quarentena]")
    desk.wait_for_selector("[data-codigo=gravado-depois]")
    found += findings(desk, "desk after an outage")
    desk.goto(refused)
    assert sentence(desk, "quarentena").endswith("o CPF pertence a outra pessoa. Nada foi perdido.")
    found += findings(desk, "receipt, in quarantine")
    desk.goto(behind)
    assert code(desk) == "aguardando-a-vez"
    found += findings(desk, "receipt, waiting for its turn")
    admin.goto("/sistema")
    admin.wait_for_selector("[data-code=quarantine]")
    found += findings(admin, "console with a quarantine")
    found += looked_at(admin, "/sistema/pendentes?situacao=vez", "/sistema/quarentena", "/sistema/atividade")
    nothing(found + _decided(admin, desk, refused))


def _decided(admin: Page, desk: Page, refused: str) -> list[str]:
    """The record in quarantine, its verbs, and what is left of it."""
    admin.goto("/sistema/quarentena")
    admin.locator("table a").first.click()
    admin.wait_for_selector("text=Mostrar os dados")
    found = findings(admin, "a record in quarantine")
    record = admin.url
    admin.click("text=Mostrar os dados")
    admin.wait_for_selector("text=estão à mostra")
    found += findings(admin, "a record with its data")
    for verb in ("Reenviar", "Descartar"):
        admin.goto(record)
        admin.click(f"a.button:has-text('{verb}')")
        found += findings(admin, f"{verb}?")
    admin.evaluate("document.querySelector('#motivo').required = false")
    admin.press("#motivo", "Enter")
    admin.wait_for_selector("#motivo-erro")
    found += findings(admin, "Descartar without a reason")
    admin.fill("#motivo", "teste inventado")
    with admin.expect_navigation():
        admin.press("#motivo", "Enter")
    found += findings(admin, "a discarded record")
    desk.goto(refused)
    assert code(desk) == "descartado"
    found += findings(desk, "receipt, discarded")
    _discard_the_next(admin)
    return found


def _discard_the_next(admin: Page) -> None:
    """The edit that waited for its turn has nobody to change."""
    admin.goto("/sistema")
    admin.wait_for_selector("[data-code=quarantine]")
    admin.goto("/sistema/quarentena")
    admin.locator("table a").first.click()
    admin.click("a.button:has-text('Descartar')")
    admin.fill("#motivo", "teste inventado")
    with admin.expect_navigation():
        admin.press("#motivo", "Enter")


def test_every_page_is_for_everybody_when_nothing_can_be_kept(app: RunningApp, visitors: Visitors) -> None:
    desk, admin = visitors.user("ana"), visitors.user("chefe")
    desk.goto("/alunos/novo")
    with app.stopped():
        desk.goto("/")
        desk.wait_for_selector("[data-codigo=banco-fora-do-ar]")
        desk.goto("/alunos/novo")
        with app.without_journal():
            fill(desk, nome="Xavier Perdido", celular="(11) 98765-4321", rg="5")
            send(desk)
            assert code(desk) == "nao-guardado"
            found = findings(desk, "form, kept nowhere")
            desk.goto("/")
            found += findings(desk, "desk without a journal")
            wait_for_level(admin, "red")
            found += findings(admin, "console, red")
            found += looked_at(admin, "/sistema/pendentes", "/sistema/atividade")
    wait_for_level(admin, "green")
    nothing(found)
