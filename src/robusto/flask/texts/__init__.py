"""What people read, in one place: words and reasons of one language, put into sentences here."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from robusto.flask.texts import pt, pt_reasons
from robusto.passes import Drained
from robusto.watch.status import Status

ZONE = "America/Sao_Paulo"


def say(key: str, **values: object) -> str:
    """The words of this key. Raises KeyError for a key that nobody wrote words for."""
    return pt.WORDS[key].format(**values)


UNAUTHENTICATED, FORBIDDEN = say("unauthenticated"), say("forbidden")


def number(value: int | None) -> str:
    """With dots between the thousands; what is not known is not zero."""
    return pt.UNKNOWN if value is None else f"{value:,}".replace(",", ".")


def records(n: int) -> str:
    """So many records."""
    return counted("records", n)


def counted(key: str, n: int) -> str:
    """The words for one, or for so many."""
    return say(f"{key}.one") if n == 1 else say(f"{key}.many", number=number(n))


def reason(code: str) -> str:
    """What this code means, in a few words."""
    return _explained(code)[0]


def advice(code: str) -> str:
    """What to do about it."""
    return _explained(code)[1]


def _explained(code: str) -> tuple[str, str]:
    for name in (code, code.partition(":")[0], code[:2] if len(code) == 5 else code):
        if name in pt_reasons.REASONS:
            return pt_reasons.REASONS[name]
    return pt_reasons.UNKNOWN_REASON


def event(name: str) -> str:
    """The name of an event."""
    return pt_reasons.EVENTS.get(name, name)


def events() -> dict[str, str]:
    """The names of all events."""
    return dict(sorted(pt_reasons.EVENTS.items(), key=lambda each: each[1]))


def fact(name: str) -> str | None:
    """The name of a fact of an event, or None when it is not for people."""
    return pt_reasons.FACTS.get(name)


# -- times -------------------------------------------------------------------------------------------


@cache
def _zone() -> tzinfo:
    try:
        return ZoneInfo(ZONE)
    except ZoneInfoNotFoundError:  # a system without time zones: Brazil keeps one time all year
        return timezone(timedelta(hours=-3))


def clock_time(at: datetime) -> str:
    """The time of day, there where people are."""
    return f"{at.astimezone(_zone()):%H:%M:%S}"


def moment(at: datetime, now: datetime) -> str:
    """The time of day, with the date unless it is today."""
    local = at.astimezone(_zone())
    today = local.date() == now.astimezone(_zone()).date()
    return f"{local:%H:%M:%S}" if today else f"{local:%d/%m/%Y %H:%M:%S}"


def ago(seconds: float) -> str:
    """How long, in the largest unit that fits."""
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        n = int(seconds // length)
        if n >= 1:
            return say(f"ago.{unit}") if n == 1 else say(f"ago.{unit}s", number=number(n))
    return say("ago.now")


# -- sentences that depend on figures ------------------------------------------------------------------


def drained(result: Drained, *, connected: bool) -> str:
    """One sentence about a requested drain."""
    return _drained(result.processed, result.remaining, result.quarantined, connected=connected)


def processed(applied: int, quarantined: int, status: Status) -> str:
    """The same sentence for what the page sees of it."""
    return _drained(
        applied, status.pending or 0, quarantined, connected=status.database_connected or applied > 0
    )


def _drained(done: int, remaining: int, quarantined: int, *, connected: bool) -> str:
    if not connected:
        return say("drained.away", remaining=records(remaining))
    if done == 0 and remaining == 0 and quarantined == 0:
        return say("drained.nothing")
    sentence = counted("drained.done", done)
    if remaining:
        sentence += counted("drained.remaining", remaining)
    if quarantined:
        sentence += say("drained.quarantined", quarantined=records(quarantined))
    return sentence + "."


def books(status: Status) -> str:
    """Whether accepted = stored + pending + quarantined + discarded, with the figures."""
    figures = {
        "accepted": status.accepted,
        "stored": status.stored,
        "pending": status.pending,
        "quarantined": status.quarantined,
        "discarded": status.discarded,
    }
    return say(f"books.{books_state(status)}", **{name: number(each) for name, each in figures.items()})


def books_state(status: Status) -> str:
    """`holds`, `broken` or `unknown`."""
    parts = (status.stored, status.pending, status.quarantined, status.discarded)
    known = [part for part in parts if part is not None]
    if status.accepted is None or len(known) < len(parts):
        return "unknown" if status.balanced is not False else "broken"
    return "holds" if status.balanced and status.accepted == sum(known) else "broken"


def breaker(state: str) -> str:
    """The breaker's state in words."""
    key = f"breaker.{state}"
    return say(key) if key in pt.WORDS else state


def yes(value: bool) -> str:
    """A truth in a word."""
    return say("yes") if value else say("no")
