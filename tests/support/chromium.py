"""Chromium, driven by Playwright: who sits before it, and what a person does there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Response, sync_playwright

from tests.support.running_app import PASSWORD

_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
_PATIENCE = 30_000


def chromium_or_skip() -> str:
    """The program. Under CI it has to be there; elsewhere its absence is said and the test skipped."""
    found = shutil.which("chromium")
    if found:
        return found
    if os.environ.get("CI"):
        pytest.fail("no Chromium: apt-get install chromium")
    pytest.skip("NOT TESTED: no Chromium on this machine (Debian: apt-get install chromium)")


@contextmanager
def chromium() -> Iterator[Browser]:
    """One browser process."""
    program = chromium_or_skip()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_FLAGS)
        yield browser
        browser.close()


class Visitors:
    """Opens browsers with nothing in them at one address, and closes them all at the end."""

    def __init__(self, browser: Browser, address: str) -> None:
        self._browser = browser
        self.address = address
        self._pages: list[Page] = []

    def stranger(self, **options: Any) -> Page:
        """Somebody who is not logged in."""
        options = {"base_url": self.address, "locale": "pt-BR", "color_scheme": "light"} | options
        context = self._browser.new_context(**options)
        context.set_default_timeout(_PATIENCE)
        page = context.new_page()
        page.on("dialog", lambda dialog: dialog.accept())
        self._pages.append(page)
        return page

    def user(self, login: str, **options: Any) -> Page:
        """Somebody who is, at his first page."""
        page = self.stranger(**options)
        log_in(page, login)
        return page

    def close(self) -> None:
        for page in self._pages:
            page.context.close()


def log_in(page: Page, login: str, password: str = PASSWORD) -> None:
    if "/entrar" not in page.url and not page.locator("#senha").count():
        page.goto("/entrar")
    page.fill("#login", login)
    page.fill("#senha", password)
    page.press("#senha", "Enter")
    page.wait_for_selector(".quem")


def open_page(page: Page, path: str) -> Response:
    response = page.goto(path)
    assert response is not None
    return response


def fill(page: Page, **fields: str) -> None:
    """Type into the fields of the form, opening the group they are in."""
    for name, text in fields.items():
        field = page.locator(f"form.cadastro [name={name}]")
        group = page.locator(f"details:has([name={name}])")
        if group.count() and group.get_attribute("open") is None:
            group.locator("summary").click()
        if field.evaluate("e => e.tagName") == "SELECT":
            field.select_option(text)
        else:
            field.fill(text)


def send(page: Page) -> None:
    """Enter in a field of the form, and the answer."""
    with page.expect_navigation():
        page.press("#nome", "Enter")


def register(page: Page, **fields: str) -> str:
    """A new registration; the code of the sentence that answers it."""
    page.goto("/alunos/novo")
    fill(page, **({"celular": "(11) 98765-4321"} | fields))
    send(page)
    return code(page)


def code(page: Page) -> str:
    """Of the first sentence on the page that has one."""
    return page.locator("main .notice[data-codigo]").first.get_attribute("data-codigo") or ""


def sentence(page: Page, code: str) -> str:
    """The text of the sentence with this code."""
    return " ".join(page.locator(f"[data-codigo={code}] p").first.inner_text().split())


def typed(page: Page, *names: str) -> dict[str, str]:
    """What stands in these fields."""
    return {name: page.input_value(f"form.cadastro [name={name}]") for name in names}


def focused(page: Page) -> str:
    """Name, id or text of what has the focus."""
    return str(
        page.evaluate(
            "() => { const e = document.activeElement; return e.name || e.id || e.textContent.trim(); }"
        )
    )
