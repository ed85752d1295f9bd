"""The console before somebody's eyes: it follows what happens without a reload, and says when it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, expect

from tests.support.chromium import Visitors, focused, register
from tests.support.running_app import RunningApp

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

BUTTON = "Processar Pendentes"
STALE = "#atraso:has-text('Sem atualização desde')"


@contextmanager
def without_reload(page: Page) -> Iterator[None]:
    """What happens inside happens on one and the same page."""
    page.evaluate("window.same = true")
    yield
    assert page.evaluate("window.same") is True


def pending(page: Page) -> str:
    """The figure of the strip."""
    return page.locator(".strip div:has(dt:text-is('Pendentes')) dd").inner_text().replace("+", "").strip()


def tab_to(page: Page, name: str) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if focused(page) == name:
            return
    raise AssertionError(f"Tab does not reach {name}")


def test_the_console_follows_an_outage_without_a_reload(app: RunningApp, visitors: Visitors) -> None:
    desk, admin = visitors.user("ana"), visitors.user("chefe")
    admin.goto("/sistema")
    admin.wait_for_selector("[data-level=green]")
    with without_reload(admin):
        with app.stopped():
            register(desk, nome="Wanda Pendente")
            register(desk, nome="Xênia Pendente")
            admin.wait_for_selector("#veredito [data-code=away]")
            expect(admin.locator(".strip div:has(dt:text-is('Pendentes')) dd")).to_contain_text("2")
            assert "fora do ar" in admin.inner_text("#anuncio")
            assert admin.title().startswith("Amarelo")
        admin.wait_for_selector("#veredito [data-level=green]")
        assert pending(admin) == "0"
        assert "A conta fecha" in admin.inner_text("#numeros")


def test_processar_pendentes_by_keyboard_shows_the_result_of_each_record(
    app: RunningApp, visitors: Visitors
) -> None:
    desk, admin = visitors.user("ana"), visitors.user("chefe")
    names = ["Yara Enviada", "Zeca Enviado"]
    with app.frozen():
        for name in names:
            register(desk, nome=name)
        admin.goto("/sistema")
        tab_to(admin, BUTTON)
        with without_reload(admin):
            admin.keyboard.press("Enter")
            admin.wait_for_selector("#anuncio:has-text('Processando')", state="attached")
            assert admin.get_attribute("#processar button", "aria-disabled") == "true"
            app.thaw()
            admin.wait_for_selector("#resultado")
            # the button answers after two seconds at most; what came later joins the same list
            rows = admin.locator("#resultado tbody tr")
            expect(rows).to_have_count(2, timeout=30_000)
            for row in rows.all_inner_texts():
                assert row.startswith("AP-") and row.strip().endswith("Gravado"), row
            assert focused(admin) == BUTTON
    assert sorted(app.rows("SELECT nome FROM alunos WHERE nome = ANY(%s)", names)) == [(n,) for n in names]


def test_a_result_is_still_there_after_a_reload(app: RunningApp, visitors: Visitors) -> None:
    admin = visitors.user("chefe")
    admin.goto("/sistema")
    tab_to(admin, BUTTON)
    admin.keyboard.press("Enter")
    admin.wait_for_selector("#resultado")
    admin.reload()
    assert admin.locator("#resultado [data-said]").inner_text() == "Nada pendente."


def test_a_console_whose_server_is_gone_says_so_and_recovers_by_itself(
    app: RunningApp, visitors: Visitors
) -> None:
    admin = visitors.user("chefe")
    admin.goto("/sistema")
    with without_reload(admin):
        with app.web_server_gone():
            admin.wait_for_selector(STALE)
            assert admin.get_attribute("#atraso", "role") == "status"
        admin.wait_for_selector(STALE, state="detached")
        assert admin.inner_text("#anuncio") == "Atualizado de novo."
