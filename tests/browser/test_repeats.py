"""Double clicks, Back, F5 and a second tab: one person each time, with what was typed last."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from playwright.sync_api import Error, Page

from tests.support.chromium import Visitors, code, fill, register, send
from tests.support.running_app import RunningApp
from tests.support.running_supervisor import eventually

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

_FORMS = 20
_BUTTON = "form.cadastro button.main:text-is('Gravar cadastro')"


def patiently(act: Callable[[], object]) -> None:
    """A page that is just being replaced by the next one cannot be driven: a person would try again."""
    limit = time.monotonic() + 20
    while True:
        try:
            act()
            return
        except Error:
            if time.monotonic() > limit:
                raise
            time.sleep(0.05)


def send_twice(page: Page) -> None:
    """The second click takes the place of the first one's answer; what counts is where one ends."""
    page.dblclick(_BUTTON)
    at_receipt(page)


def at_receipt(page: Page) -> None:
    patiently(lambda: page.wait_for_selector(".recibo .notice", timeout=10_000))
    assert "/recibo/" in page.url


def double_click(page: Page, form: str) -> None:
    """On the button of the form, which is open in this tab or came back."""
    patiently(lambda: page.goto(form))
    if page.locator(_BUTTON).count():
        send_twice(page)


def back(page: Page, form: str) -> None:
    """Where the answer to a form would have to be asked for again Chromium shows a page of its own."""
    with suppress(Error), page.expect_navigation(timeout=5_000):
        page.evaluate("setTimeout(() => history.back())")


def reload(page: Page, form: str) -> None:
    patiently(page.reload)


def enter_twice(page: Page, form: str) -> None:
    """The same form, kept in another tab since before it was sent."""
    other = page.context.pages[-1]
    other.press("#nome", "Enter")
    with suppress(Error):  # the page may be gone by then
        other.keyboard.press("Enter")
    patiently(lambda: other.goto(form))
    at_receipt(other)


def receipt(page: Page, form: str) -> None:
    patiently(lambda: page.goto(form))
    assert "/recibo/" in page.url


#: Ten for each form.
_DEEDS = (double_click, back, enter_twice, reload, receipt, back, reload, double_click, back, reload)


def test_two_hundred_double_clicks_backs_and_reloads_make_no_second_row(
    app: RunningApp, visitors: Visitors
) -> None:
    page = visitors.user("ana")
    names = [f"Pessoa Repetida {n}" for n in range(_FORMS)]
    half = _FORMS // 2
    for name in names[:half]:
        _send_again_and_again(page, name)
    with app.stopped():
        for name in names[half:]:
            _send_again_and_again(page, name)
    eventually(lambda: len(_rows(app, names)) >= _FORMS)
    assert sorted(_rows(app, names)) == sorted(names)


def _send_again_and_again(page: Page, name: str) -> None:
    """One form, which the second tab holds, too."""
    tab = page.context.new_page()
    tab.goto("/alunos/novo")
    form = tab.url
    page.goto(form)
    for each in (tab, page):
        fill(each, nome=name, celular="(11) 98765-4321")
    send_twice(page)
    for deed in _DEEDS:
        deed(page, form)
    tab.close()


def _rows(app: RunningApp, names: list[str]) -> list[str]:
    return [name for (name,) in app.rows("SELECT nome FROM alunos WHERE nome = ANY(%s)", names)]


def test_a_form_that_is_sent_again_with_a_changed_field_after_a_time_out_keeps_the_newer_value(
    app: RunningApp, visitors: Visitors
) -> None:
    page = visitors.user("ana")
    eventually(lambda: register(page, nome="Mirela Antes") == "gravado")
    page.goto("/alunos/novo")
    fill(page, nome="Nara Corrigida", celular="(11) 98765-4321", rg="1")
    with app.frozen():
        page.evaluate("document.querySelector('form.cadastro').submit()")
        page.wait_for_timeout(300)
        page.context.new_cdp_session(page).send("Page.stopLoading")  # Esc: she waits no longer
        fill(page, rg="2")
        send(page)
        assert code(page) == "pendente"
        page.reload()
        assert code(page) == "pendente"
        page.click("main >> text=Editar")
        assert page.input_value("#rg") == "2"
        fill(page, rg="3")
        send(page)
    eventually(lambda: app.rows("SELECT rg FROM alunos WHERE nome = 'Nara Corrigida'") == [("3",)])


def test_back_and_f5_after_a_refusal_keep_the_key_of_the_form(app: RunningApp, visitors: Visitors) -> None:
    page = visitors.user("ana")
    assert register(page, nome="Otto Insistente", cpf="1") == "dados-invalidos"
    page.reload()  # sends the refused form again
    assert code(page) == "dados-invalidos"
    fill(page, cpf="")
    send(page)
    assert code(page) == "gravado"
    for _ in range(3):
        back(page, "")
        reload(page, "")
    assert app.rows("SELECT count(*) FROM alunos WHERE nome = 'Otto Insistente'") == [(1,)]


def test_an_enter_that_is_held_down_does_not_leave_the_receipt_unread(
    app: RunningApp, visitors: Visitors
) -> None:
    page = visitors.user("ana")
    page.goto("/alunos/novo")
    fill(page, nome="Paulo Apressado", celular="(11) 98765-4321")
    page.focus("#nome")
    page.keyboard.down("Enter")
    at_receipt(page)
    page.keyboard.down("Enter")  # still held down: the keyboard repeats it
    page.wait_for_timeout(300)
    assert "/recibo/" in page.url
    page.keyboard.up("Enter")
