"""What was typed is still there: after an expired login, Back, F5, and a journal that takes nothing."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.support.chromium import Visitors, code, fill, log_in, register, send, typed
from tests.support.running_app import PASSWORD, RunningApp

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

TYPED = {
    "nome": "Zoé d'Ávila & <Filhos>",
    "celular": "11 98765 4321",
    "data_nascimento": "2/3/1990",
    "rg": "12.345.678-9",
    "sexo": "Feminino",
    "observacoes": "Primeira linha\nsegunda linha",
}


def typing(page: Page) -> None:
    page.goto("/alunos/novo")
    fill(page, **TYPED)


def wait_for_the_draft(page: Page) -> None:
    """The page keeps what is typed a moment after the last key."""
    with page.expect_response(lambda response: response.url.endswith("/rascunho")):
        page.press("#nome", "End")
        page.keyboard.type("!")
        page.keyboard.press("Backspace")


def test_after_an_expired_login(app: RunningApp, visitors: Visitors) -> None:
    page = visitors.user("ana")
    typing(page)
    app.flask("usuarios", "senha", "ana", "--senha-stdin", given=PASSWORD)  # ends every session of hers
    send(page)
    log_in(page, "ana")
    assert typed(page, *TYPED) == TYPED
    assert code(page) == "formulario-de-volta"
    send(page)
    assert code(page) == "gravado"


def test_after_back(visitors: Visitors) -> None:
    page = visitors.user("ana")
    typing(page)
    wait_for_the_draft(page)
    page.click("text=Voltar sem gravar")
    page.wait_for_selector("#q")
    page.go_back()
    page.wait_for_selector("#nome")
    assert typed(page, *TYPED) == TYPED


def test_after_f5(visitors: Visitors) -> None:
    page = visitors.user("ana")
    typing(page)
    wait_for_the_draft(page)
    page.reload()
    assert typed(page, *TYPED) == TYPED


def test_of_an_edit_after_f5(visitors: Visitors) -> None:
    page = visitors.user("ana")
    assert register(page, nome="Ícaro Voador") == "gravado"
    page.click("main >> text=Editar")
    fill(page, **TYPED)
    wait_for_the_draft(page)
    page.reload()
    assert typed(page, *TYPED) == TYPED


def test_while_nothing_can_be_kept(app: RunningApp, visitors: Visitors) -> None:
    page = visitors.user("ana")
    with app.stopped():
        page.wait_for_selector("[data-codigo=banco-fora-do-ar]")
        page.goto("/alunos/novo")
        now = TYPED | {"nome": "Jussara Anotada"}
        fill(page, **now)
        with app.without_journal():
            send(page)
            assert code(page) == "nao-guardado"
            assert typed(page, *TYPED) == now
            page.reload()  # sends it again, and is refused again
            assert code(page) == "nao-guardado"
            assert typed(page, *TYPED) == now
        with page.expect_navigation():
            page.click("text=Enviar de novo")
        assert code(page) == "pendente"
