"""The unit of work and its receipt: values, no I/O."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

Payload = Mapping[str, Any]

#: A write is a form, not a file: the largest canonical payload, in bytes.
MAX_PAYLOAD_BYTES = 1_000_000


class WriteState(Enum):
    """Where an accepted write is: always in exactly one of these."""

    STORED = "stored"
    PENDING = "pending"
    QUARANTINED = "quarantined"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class Write:
    """One write with everything that its effect depends on.

    `id` is the scope key: namespace, kind and key, as a keyed digest. `submit_id` tells our own
    earlier attempt from somebody else's repeat. `version` grows when an operator sends it again.
    `ordering` and `after` are digests: what it queues behind and holds up, and what it only waits for.
    """

    id: UUID
    kind: str
    payload: Payload
    request_hash: bytes
    submit_id: UUID
    version: int
    ordering: tuple[bytes, ...]
    after: tuple[bytes, ...]
    accepted_at: datetime
    namespace: str = ""
    key: str = ""
    author: str = ""

    @property
    def waits_for(self) -> tuple[bytes, ...]:
        """Digests of every key whose earlier unfinished writes it has to wait for."""
        return self.ordering + self.after


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to `submit`.

    `id` identifies the write everywhere (the *gravação*); `duplicate` says that an earlier call
    with this key was accepted before; `reason` says in a code why it is not stored yet.
    """

    key: str
    id: UUID
    state: WriteState
    duplicate: bool = False
    reason: str = ""


def canonical_json(value: Payload) -> bytes:
    """The one byte form of a payload: sorted keys, no spaces, ASCII.

    Raises ValueError for what JSON or PostgreSQL's text cannot hold: NaN, infinities, NUL
    characters, lone surrogates, values that are no JSON, or more than MAX_PAYLOAD_BYTES; and for
    what is no object.
    """
    _check_object(value)
    _check(value, depth=0)
    try:
        body = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")
    except TypeError as error:
        raise ValueError(f"the payload is no JSON: {error}") from None
    if len(body) > MAX_PAYLOAD_BYTES:
        raise ValueError(f"the payload has {len(body)} bytes, at most {MAX_PAYLOAD_BYTES} are taken")
    return body


def as_kept(payload: Payload) -> Payload:
    """The payload as the journal gives it back: a tuple is a list, and nobody else holds a part of it.

    What takes effect must not depend on whether it came straight or out of the journal. The payload
    has passed `canonical_json`.
    """
    kept: Payload = json.loads(json.dumps(payload))
    return kept


def checked_key(key: object) -> str:
    """The key itself. Raises ValueError where it is none."""
    if not isinstance(key, str) or not 1 <= len(key) <= 500 or not key.isprintable():
        raise ValueError("a key has 1 to 500 printable characters")
    return key


def checked_kind(kind: object) -> str:
    """The kind itself. Raises ValueError for one that PostgreSQL's ledger could not hold."""
    if not isinstance(kind, str) or not 1 <= len(kind) <= 200 or not kind.isprintable():
        raise ValueError("a kind has 1 to 200 printable characters")
    return kind


def checked_keys(keys: object) -> tuple[str, ...]:
    """Ordering keys. Raises ValueError, also for one text, whose letters would be taken for keys."""
    if isinstance(keys, str) or not isinstance(keys, Collection):
        raise ValueError("ordering keys are a collection of texts")
    return tuple(_checked_text(key, "ordering key") for key in keys)


def checked_name(text: object, what: str) -> str:
    """The text itself. Raises ValueError where it is none, is too long or cannot be kept; `what` names it."""
    name = _checked_text(text, what)
    if len(name) > 500:
        raise ValueError(f"the {what} has {len(name)} characters, at most 500 are taken")
    return name


def _checked_text(text: object, what: str) -> str:
    if not isinstance(text, str):
        raise ValueError(f"the {what} is no text")
    _check_text(text, what)
    return text


def _check_object(value: object) -> None:
    if not isinstance(value, Mapping):
        raise ValueError("the payload is no object")


def _check(value: Any, depth: int) -> None:
    if depth > 32:  # deeper than any form; json's own recursion must never be what stops it
        raise ValueError("the payload is nested more than 32 levels deep")
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError("the payload holds a number that is not finite")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise ValueError("the payload has a key that is no text")
            _check_text(key)
            _check(item, depth + 1)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _check(item, depth + 1)


def _check_text(text: str, what: str = "payload") -> None:
    if "\x00" in text:
        raise ValueError(f"the {what} holds a NUL character")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError(f"the {what} holds half of a character (a lone surrogate)") from None
