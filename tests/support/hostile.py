"""What nobody sends by accident: texts, values and payloads; and how many of them a run tries.

`make test` tries few, always the same ones; `make fuzz EXAMPLES=2000` tries many, each time others.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from html.parser import HTMLParser
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

NUL = "\x00"
LONE_SURROGATE = "\ud800"
RIGHT_TO_LEFT = "Ana \u202egpj.exe\u202c \u200f\u061c"

#: Markup that would run or change a page where it were not shown as text.
SCRIPTS = (
    "<script>alert('robusto')</script>",
    "\"><img src=x onerror=alert('robusto')>",
    "' autofocus onfocus=alert(1) x='",
    "</textarea></title></select><svg/onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}${7*7}<!--",
    "javascript:alert(1)//&lt;b&gt;&#60;i&#62;",
)
#: Texts that every part has to take, or to refuse before anything is kept.
TEXTS = (
    *SCRIPTS, NUL, "a\x00b", LONE_SURROGATE, "\udfff", RIGHT_TO_LEFT, "\ufeffBOM", "\uffff", "\U0010ffff",
    "\x1b[2J\x1b]0;titulo\x07", "linha\r\noutra: 1\n", "\u2028\u2029\x85", "e\u0301", "é", "ﷺ" * 40, "ß" * 90,
    "Z" + "\u0300" * 150, "'; DROP TABLE alunos; --", "%s %(nome)s %00 \\u0000 \\", "=1+1", "\t \u00a0\u3000",
    "0" * 150, "1e999",
)  # fmt: skip
#: JSON as somebody may write it, most of which is none, or none that can be kept.
JSONS = (
    b"", b"{", b"nada", b"\xff\xfe{}", b"\xef\xbb\xbf{}", b'{"nome": NaN}', b'{"nome": -Infinity}',
    b'{"nome": 1e999}', b'{"nome": ' + b"9" * 5000 + b"}", b"[" * 20_000, b'{"a":' * 1_500,
    b'{"nome": "a", "nome": "b"}', b'{"nome": "\\ud800", "telefone": "1"}', b'{"nome": "\\u0000"}',
    b'{"nome": "\x00"}', b"{} {}", b"[]", b"null", b'"a"', '{"nome": "Ana"}'.encode("utf-16"),
    b"\x1f\x8b\x08\x00" * 9,
)  # fmt: skip

texts = st.sampled_from(TEXTS) | st.text(st.characters(), max_size=60)
#: Every text that JSON and PostgreSQL can hold.
good_texts = st.text(st.characters(codec="utf-8", exclude_characters=NUL), max_size=40)


class Colour(StrEnum):
    """A text that is more than a text."""

    RED = "red"


def _deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value} if levels % 2 else [value]
    return value


def _endless() -> Any:
    value: list[Any] = []
    value.append(value)
    return value


#: Payloads that are too much even to be shown, by what they are.
MONSTERS: dict[str, Callable[[], Any]] = {
    "an integer of 5,001 digits": lambda: {"a": 10**5000},
    "a text of 10 MB": lambda: {"a": "x" * 10_000_000},
    "600,000 values": lambda: {"a": [1] * 600_000},
    "33 levels": lambda: _deep(33),
    "5,000 levels": lambda: _deep(5001),
    "a circle": lambda: {"a": _endless()},
}
no_json = st.sampled_from(
    [
        b"bytes", bytearray(b"x"), {1, 2}, frozenset("a"), Decimal("1.5"), date(2026, 1, 2), object(), 3 + 4j,
        range(3), float("nan"), float("inf"), -float("inf"),
        {1: "a"}, {None: 1}, {("a", "b"): 1}, {NUL: 1}, {LONE_SURROGATE: 1},
    ]
)  # fmt: skip
unusual = st.sampled_from(
    [(1, ("a", 2)), Colour.RED, 10**400, -(2**63) - 1, 1e308, -0.0, 5e-324, _deep(24), True, "x" * 100_000]
)
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
good_values = st.recursive(
    st.none() | st.booleans() | numbers | good_texts | unusual,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(good_texts, inner, max_size=3) | st.tuples(inner)
    ),
    max_leaves=6,
)
values = st.recursive(
    good_values | texts | no_json,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def fuzzed(examples: int) -> settings:
    """The settings of a test that tries `examples` examples in `make test`, and EXAMPLES in `make fuzz`."""
    wanted = os.environ.get("EXAMPLES")
    return settings(
        max_examples=int(wanted) if wanted else examples,
        derandomize=not wanted,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def as_json(value: Any) -> str:
    """A value in the one form in which two of them can be compared: 1, 1.0 and True differ."""
    return json.dumps(value, sort_keys=True)


def texts_in(value: Any) -> Iterator[str]:
    """Every text of a payload, names of fields too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield name
            yield from texts_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts_in(item)


class Markup(HTMLParser):
    """A page as a browser takes it: its tags with their attributes, and its texts."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def shown(self) -> str:
        """Everything that a person can read, what stands in fields too."""
        return "\n".join([*self.texts, *(attrs["value"] for _, attrs in self.tags if "value" in attrs)])

    def dangers(self) -> list[str]:
        """Whatever could run: code in attributes and addresses, scripts that are no files of ours, frames."""
        return [f"{tag} {attrs}" for tag, attrs in self.tags if _dangerous(tag, attrs)]


def _dangerous(tag: str, attrs: dict[str, str]) -> bool:
    addresses = (
        attrs.get(name, "").strip().lower() for name in ("href", "src", "action", "formaction", "data")
    )
    return (
        any(name.startswith("on") or name in ("srcdoc", "style") for name in attrs)
        or any(address.startswith(("javascript:", "data:", "vbscript:")) for address in addresses)
        or (tag == "script" and not attrs.get("src", "").startswith("/"))
        or tag in ("iframe", "object", "embed", "base", "img")
    )
