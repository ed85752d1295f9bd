"""Ten people at the desk, by keyboard alone, while PostgreSQL freezes and comes back."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.support.chromium import Visitors, focused
from tests.support.running_app import DEADLINE, RunningApp

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

NAMES = [
    "Aurora Inventada",
    "Benício Imaginário",
    "Cecília Fictícia",
    "Davi Suposto",
    "Elisa Fantasia",
    "Fausto Hipotético",
    "Gilda Lendária",
    "Heitor Simulado",
    "Iara Exemplo",
    "Juvenal Modelo",
]
STORED = "Cadastro gravado. Protocolo "
PENDING = (
    "Cadastro guardado com segurança neste sistema. O banco de dados está fora do ar; "
    "enviaremos sozinhos quando voltar. Pode atender o próximo."
)
#: As long as it takes to read the number; before that an Enter counts as one of the form's.
_READING_MS = 700


class Keyboard:
    """A receptionist who has no mouse; notes how long each Enter took."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.waits: dict[str, float] = {}

    def enter(self, step: str, until: str) -> None:
        """Press Enter and wait until this selector is there."""
        begun = time.monotonic()
        self.page.keyboard.press("Enter")
        self.page.wait_for_selector(until, state="attached")
        self.waits[step] = max(time.monotonic() - begun, self.waits.get(step, 0.0))

    def tab_to(self, name: str) -> None:
        for _ in range(40):
            if focused(self.page) == name:
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not reach {name}")

    def register(self, name: str, telephone: str) -> str:
        """From the search box to the receipt and back to the search box; what the receipt says."""
        self.page.wait_for_selector("#q:focus")
        self.page.keyboard.type(name)
        self.enter("search", "#novo:focus")
        self.enter("form", "form.cadastro #nome_social:focus")
        assert self.page.input_value("#nome") == name
        self.tab_to("celular")
        self.page.keyboard.type(telephone)
        self.enter("save", ".recibo .notice")
        said = " ".join(self.page.inner_text(".recibo .notice").split())
        assert focused(self.page) == "Próximo cadastro"
        self.page.wait_for_timeout(_READING_MS)
        self.enter("next", "#q:focus")
        return said


def test_ten_people_are_registered_by_keyboard_while_postgresql_freezes_and_comes_back(
    app: RunningApp, visitors: Visitors, record_property: Callable[[str, object], None]
) -> None:
    page = visitors.user("ana")
    at = Keyboard(page)
    said = []
    for n, name in enumerate(NAMES, 1):
        if n == 4:
            app.freeze()
        if n == 8:
            assert page.locator("[data-codigo=banco-fora-do-ar]").count()
            app.thaw()
            # nobody reloads: the desk itself says that the database is back and what has arrived
            page.wait_for_selector("[data-codigo=gravado-depois]")
            page.wait_for_selector("[data-codigo=banco-fora-do-ar]", state="detached")
            assert page.inner_text("[data-codigo=gravado-depois]").startswith("Os 4 cadastros guardados ")
        said.append(at.register(name, f"(11) 98765-43{n:02}"))
    expected = [STORED] * 3 + [PENDING] * 4 + [STORED] * 3
    assert [(text.startswith(start), text) for text, start in zip(said, expected, strict=True)] == [
        (True, text) for text in said
    ]
    rows = app.rows("SELECT nome FROM alunos WHERE nome = ANY(%s)", NAMES)
    assert sorted(name for (name,) in rows) == sorted(NAMES)
    record_property("measured", f"ten people by keyboard, longest waits: {_shown(at.waits)}")
    assert max(at.waits.values()) < DEADLINE + 1, at.waits


def _shown(waits: dict[str, float]) -> str:
    return ", ".join(f"{step} {seconds * 1000:.0f} ms" for step, seconds in waits.items())
