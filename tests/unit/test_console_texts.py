"""Every word that a person reads stands in one table, and none of them is missing."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

import robusto.flask
from robusto import failures
from robusto.flask import texts
from robusto.flask.texts import pt, pt_reasons
from robusto.passes import Drained
from robusto.watch.status import Status

FOLDER = Path(robusto.flask.__file__).parent
TEMPLATES = sorted((FOLDER / "templates").rglob("*.html"))
VERDICTS = sorted(
    re.findall(r'_?(?:Verdict\("\w+", |code=)"(\w+)"', (FOLDER.parent / "watch/status.py").read_text())
)
#: Keys that are put together: by a state, a level, a column, a verb.
_FAMILIES = [
    "message.",
    "level.",
    "queue.",
    "entry.state.",
    "entry.says.",
    "act.",
    "outcome.",
    "breaker.",
    "column.",
    "nav.",
    "ago.",
    "books.",
    "result.",
    "requeue.",
    "discard.",
    "records.",
    "drained.",
    "verb.followers.",
]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_words_of_its_own(template: Path) -> None:
    text = re.sub(r"(?s)\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", template.read_text())
    between = re.sub(r"(?s)<[^>]*>", "", text)
    assert not re.findall(r"[^\W\d_]{2,}", between)
    attributes = re.findall(r'(?:aria-label|title|placeholder|alt)="([^"]*)"', text)
    assert not [value for value in attributes if re.search(r"[^\W\d_]{2,}", value)]


def test_the_script_has_no_words_of_its_own() -> None:
    script = (FOLDER / "static/console.js").read_text()
    assert not re.findall("[áéíóúâêôãõçà]", script, re.IGNORECASE)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_nothing_is_inline_and_nothing_comes_from_elsewhere(template: Path) -> None:
    text = template.read_text()
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|https?://", text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))


def test_every_key_that_is_asked_for_has_words() -> None:
    sources = [*TEMPLATES, *FOLDER.rglob("*.py")]
    asked = {
        key for path in sources for key in re.findall(r"""\bsay\(f?['"]([\w.]+)['"][,)]""", path.read_text())
    }
    assert len(asked) > 80
    assert asked <= set(pt.WORDS)


def test_no_words_are_kept_that_nobody_asks_for() -> None:
    sources = "\n".join(
        path.read_text() for path in [*TEMPLATES, *FOLDER.glob("*.py"), FOLDER / "texts/__init__.py"]
    )
    families = [*_FAMILIES, *(f"{code}." for code in VERDICTS)]
    unused = [key for key in pt.WORDS if not key.startswith(tuple(families)) and key not in sources]
    assert unused == []


def test_every_verdict_says_what_it_means_and_what_to_do() -> None:
    assert len(VERDICTS) >= 12
    for code in VERDICTS:
        for part in ("what", "desk", "todo"):
            assert f"{code}.{part}" in pt.WORDS


@pytest.mark.parametrize("code", sorted(failures.TABLE))
def test_every_code_of_the_table_is_explained(code: str) -> None:
    full = code if len(code) == 5 else f"{code}999"
    assert texts.reason(full) != pt_reasons.UNKNOWN_REASON[0]
    assert texts.advice(full)


def test_reasons_of_our_own_are_explained() -> None:
    for code in (
        "unavailable",
        "behind",
        "handler:KeyError",
        "client:DataError",
        "no_effect",
        "fenced",
        "storm:23514",
        "tls",
        "not_flushed",
        "",
    ):
        assert texts.reason(code) != pt_reasons.UNKNOWN_REASON[0]
    assert texts.reason("something_new") == pt_reasons.UNKNOWN_REASON[0]


def test_every_event_has_a_name() -> None:
    sources = "\n".join(path.read_text() for path in FOLDER.parent.rglob("*.py"))
    assert set(re.findall(r'emit\(\s*"(\w+)"', sources)) <= set(pt_reasons.EVENTS)


def test_the_words_have_no_nameless_gaps() -> None:
    for key, words in pt.WORDS.items():
        assert all(name is None or name.isidentifier() for _, name, _, _ in Formatter().parse(words)), key


def test_unknown_is_not_zero() -> None:
    assert texts.number(None) == "não se sabe"
    assert texts.number(1234567) == "1.234.567"


def test_times_are_those_of_the_people_there() -> None:
    at = datetime(2026, 1, 2, 2, 30, tzinfo=UTC)
    assert texts.clock_time(at) == "23:30:00"
    assert texts.moment(at, at + timedelta(minutes=5)) == "23:30:00"
    assert texts.moment(at, at + timedelta(hours=1)) == "01/01/2026 23:30:00"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "menos de um minuto"), (60, "1 minuto"), (7199, "1 hora"), (7200, "2 horas"), (2 * 86400, "2 dias")],
)
def test_how_long_ago(seconds: float, said: str) -> None:
    assert texts.ago(seconds) == said


def test_the_sentence_about_a_drain() -> None:
    def said(processed: int, remaining: int, quarantined: int) -> str:
        return texts.drained(Drained(processed, remaining, quarantined), connected=True)

    assert said(0, 0, 0) == "Nada pendente."
    assert said(1, 0, 0) == "1 registro sincronizado."
    assert said(2, 1, 0) == "2 registros sincronizados; 1 registro ainda pendente."
    assert said(0, 0, 3) == ("0 registros sincronizados; 3 registros em quarentena, à espera de correção.")
    away = texts.drained(Drained(0, 1, 0), connected=False)
    assert away.startswith("O banco de dados está fora do ar. 1 registro em segurança")


def status(**figures: Any) -> Status:
    values: dict[str, Any] = {
        "accepted": 10,
        "stored": 6,
        "pending": 2,
        "quarantined": 1,
        "discarded": 1,
        "balanced": True,
    }
    return Status(
        level="green", code="well", cause="", reason="", database_connected=True, breaker="closed",
        last_check=datetime.now(UTC), since=None, journal_writable=True, **(values | figures),
    )  # fmt: skip


def test_the_equation_is_checked_where_it_is_shown() -> None:
    assert texts.books(status()) == "A conta fecha: 10 = 6 + 2 + 1 + 1."
    assert texts.books_state(status(accepted=11)) == "broken"
    assert texts.books_state(status(balanced=False)) == "broken"
    assert texts.books_state(status(stored=None, accepted=None)) == "unknown"
    assert texts.books_state(status(stored=None, accepted=None, balanced=False)) == "broken"
