"""Payloads as an operator may see them without the right to reveal."""

from __future__ import annotations

from collections.abc import Mapping
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
