"""`make pictures`: takes the README's two pictures from the real app, during a real outage.

Everybody on them is invented.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Browser, FloatRect, Page, ViewportSize

from tests.support.chromium import Visitors, chromium, register
from tests.support.running_app import RunningApp

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"
_SIZE = ViewportSize(width=1000, height=200)
#: The worker counts direct writes once a second: an outage shows the last count.
_UNTIL_COUNTED_MS = 3_000
STORED = ("Aurora Inventada", "Benício Imaginário", "Cecília Fictícia")
PENDING = ("Davi Suposto", "Elisa Fantasia")
LAST = "Fausto Hipotético"


def main() -> None:
    """Make both."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with chromium() as browser, tempfile.TemporaryDirectory(prefix="pictures") as folder:
        app = RunningApp(Path(folder) / "var", ACADEMIA_NOME="Academia da Praça")
        try:
            app.wait_until_ready()
            app.create_user("bia", "recepcao", "Bia Inventada")
            app.create_user("rui", "administrador", "Rui Inventado")
            take(app, browser)
        finally:
            app.end()


def take(app: RunningApp, browser: Browser) -> None:
    """A registration that was kept in an outage, and the console meanwhile."""
    visitors = Visitors(browser, app.address)
    desk = visitors.user("bia", viewport=_SIZE)
    for name in STORED:
        register(desk, nome=name)
    desk.wait_for_timeout(_UNTIL_COUNTED_MS)
    app.stop()
    for name in (*PENDING, LAST):
        register(desk, nome=name, data_nascimento="2/3/1990")
    desk.wait_for_selector("[data-codigo=pendente]")
    _shoot(desk, "registration-in-an-outage.png", down_to=".foot")
    console = visitors.user("rui", viewport=_SIZE)
    console.goto("/sistema")
    console.wait_for_selector("[data-code=away]")
    _shoot(console, "console-in-an-outage.png", down_to="[aria-labelledby=conta-titulo]")
    visitors.close()


def _shoot(page: Page, name: str, *, down_to: str) -> None:
    """The page from its top down to the end of this element."""
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    box = page.locator(down_to).bounding_box()
    assert box is not None
    clip = FloatRect(x=0, y=0, width=_SIZE["width"], height=box["y"] + box["height"] + 16)
    page.screenshot(path=FOLDER / name, full_page=True, clip=clip)
    print(f"{name}: {(FOLDER / name).stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
