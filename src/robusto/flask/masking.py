"""Payloads as an operator may see them without the right to reveal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def masked(value: Any) -> Any:
    """The same shape with every text and number hidden but for its first character and its length."""
    if isinstance(value, Mapping):
        return {name: masked(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked(item) for item in value]
    if value is None or isinstance(value, bool):
        return value
    text = str(value)
    return text[:1] + "•" * min(12, max(0, len(text) - 1))


def flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every single value with its path: `responsavel.nome`, `telefones.1`."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from flat(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, (list, tuple)):
        for place, item in enumerate(value, start=1):
            yield from flat(item, f"{name}.{place}")
    else:
        yield name, "" if value is None else str(value)
