"""What a page owes to everybody: axe finds nothing, the keyboard reaches everything, nothing is cut off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

WIDTHS = (1280, 320)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
_HEIGHT = 720
_EVERYTHING: dict[str, object] = {
    "type": "tag",
    "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
_OF_LOOKS: dict[str, object] = {
    "type": "rule",
    "values": ["color-contrast", "link-in-text-block", "scrollable-region-focusable", "target-size"],
}

_RUN_AXE = """async only => {
  const found = await axe.run(document, { runOnly: only, resultTypes: ["violations"] });
  return found.violations.flatMap(v => v.nodes.map(n => `${v.id}: ${n.target} (${n.any.concat(n.all, n.none)
    .map(c => c.message).join("; ")})`));
}"""
#: Everything that Tab has to stop at, by a name; one radio button stands for its group.
_STOPS = """() => {
  window.nameOf = e => [e.tagName, e.id || e.name || "", e.value || "", e.getAttribute("href") || "",
    e.textContent.trim().slice(0, 40)].join("|");
  const all = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")];
  const shown = all.filter(e => e.tabIndex >= 0 && !e.disabled && e.type !== "hidden" &&
    e.checkVisibility({ visibilityProperty: true }));
  return shown.filter(e => e.type !== "radio" || e.checked).map(nameOf);
}"""
#: Where the focus is, and what is wrong with it there.
_FOCUS = """() => {
  const e = document.activeElement;
  if (!e || e === document.body) return ["", ""];
  const style = getComputedStyle(e);
  const said = [];
  if (!e.matches(":focus-visible")) said.push("focus-visible does not match");
  if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) said.push("no outline");
  const box = e.getClientRects()[0] || e.getBoundingClientRect();
  const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
  const inside = x >= 0 && y >= 0 && x <= innerWidth && y <= innerHeight;
  const top = inside ? document.elementFromPoint(x, y) : null;
  if (!inside) said.push(`outside of the window at ${Math.round(x)}, ${Math.round(y)}`);
  else if (!top || !(e.contains(top) || top.contains(e)))
    said.push(`covered by ${top && top.outerHTML.slice(0, 80)}`);
  return [nameOf(e), said.join(", ")];
}"""
_TOO_WIDE = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  return [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > width + 1)
    .map(e => e.outerHTML.slice(0, 100)).slice(-3)
    .concat(`scrolls sideways to ${document.documentElement.scrollWidth}`);
}"""
_UNSPOKEN = """() => [...document.querySelectorAll(".notice, [aria-invalid]")]
  .filter(e => e.matches(".notice")
    ? !e.closest("[role=status], [role=alert]")
    : !(e.getAttribute("aria-describedby") || "").split(" ").some(id => document.getElementById(id)))
  .map(e => e.outerHTML.slice(0, 100))"""


def findings(page: Page, state: str) -> list[str]:
    """Everything that is wrong with the page as it is now, in both widths and colours."""
    found = [f"{state}: {what}" for what in _all(page)]
    page.set_viewport_size({"width": WIDTHS[0], "height": _HEIGHT})
    page.emulate_media(color_scheme=SCHEMES[0])
    return found


def nothing(found: list[str]) -> None:
    """Fails with everything that was found."""
    assert not found, "\n".join(found)


def _all(page: Page) -> Iterator[str]:
    yield from (f"neither status nor alert: {what}" for what in page.evaluate(_UNSPOKEN))
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": _HEIGHT})
        yield from (f"{width} px: {what}" for what in page.evaluate(_TOO_WIDE))
        yield from (f"{width} px: {what}" for what in _keyboard(page))
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            # the other rules look at neither width nor colour: once is enough
            only = _EVERYTHING if (width, scheme) == (WIDTHS[0], SCHEMES[0]) else _OF_LOOKS
            yield from (f"{width} px, {scheme}: {what}" for what in _axe(page, only))


def _axe(page: Page, only: dict[str, object]) -> list[str]:
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found: list[str] = page.evaluate(_RUN_AXE, only)
    return found


def _keyboard(page: Page) -> Iterator[str]:
    """Tab through the whole page."""
    expected: list[str] = page.evaluate(_STOPS)
    reached: set[str] = set()
    told: set[str] = set()
    for _ in range(len(expected) * 2 + 3):
        page.keyboard.press("Tab")
        name, wrong = _focus(page)
        if wrong and name not in told:
            told.add(name)
            yield f"{name}: {wrong}"
        reached.add(name)
        if reached.issuperset(expected):
            break
    yield from (f"Tab does not reach {name}" for name in expected if name not in reached)


def _focus(page: Page) -> tuple[str, str]:
    answer: Any = page.evaluate(_FOCUS)
    return str(answer[0]), str(answer[1])
