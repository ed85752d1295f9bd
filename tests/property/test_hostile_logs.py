"""Fault 56: whatever comes into an event, it is one line of JSON, and texts of exceptions stay out of it."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from academia.supervisor.web_log import without_the_request
from robusto.events import Event
from robusto.watch.log import JsonFormatter
from tests.support.hostile import fuzzed, good_values, texts

_NOW = datetime(2026, 11, 23, tzinfo=UTC)
#: Not one of them occurs in a line of the log by itself.
_SECRET = "Quitéria Sigilosa"


def line(msg: Any, *args: object, error: BaseException | None = None) -> str:
    where = None if error is None else (type(error), error, error.__traceback__)
    record = logging.LogRecord("robusto", logging.WARNING, __file__, 1, msg, args, where)
    assert without_the_request(record)
    return JsonFormatter().format(record)


def is_one_event(text: str) -> bool:
    return text.isascii() and text.isprintable() and isinstance(json.loads(text), dict)


@fuzzed(100)
@given(texts, st.dictionaries(texts, texts | good_values | st.binary() | st.just(object()), max_size=3))
def test_every_event_is_one_line_of_json_without_control_characters(name: str, facts: dict[str, Any]) -> None:
    assert is_one_event(line(Event(name, _NOW, facts)))
    assert is_one_event(line("message %s", name))
    assert is_one_event(line(name))


@fuzzed(50)
@given(texts)
def test_the_text_of_an_exception_is_not_in_the_log(text: str) -> None:
    try:
        raise ValueError(f"{_SECRET} {text}")
    except ValueError:
        said = line("it failed", error=sys.exc_info()[1])
    assert is_one_event(said)
    assert "Sigilosa" not in said
    assert json.loads(said)["exception"] == "ValueError"


@fuzzed(50)
@given(texts)
def test_what_the_web_server_says_about_a_request_holds_nothing_of_the_request(text: str) -> None:
    for said in (
        line(f"Invalid request from ip=127.0.0.1: Invalid HTTP request line: {_SECRET + text!r}"),
        line(f"Invalid request from ip=127.0.0.1: Invalid HTTP Version: {_SECRET + text!r}"),
        line("Error handling request %s %s", "GET", f"/api/alunos?q={_SECRET}{text}"),
        line("Error handling request %s", f"/api/alunos?q={_SECRET}{text}"),
    ):
        assert is_one_event(said)
        assert "Sigilosa" not in said
        assert json.loads(said)["message"].startswith(
            ("Invalid request from ip=127.0.0.1: Inv", "Error handling")
        )
