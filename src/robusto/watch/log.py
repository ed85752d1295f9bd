"""One JSON line per event on stderr, with codes and ids and no personal data."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from robusto.events import Event

_EVENTS = logging.getLogger("robusto.events")
_WARNINGS = frozenset(
    [
        "breaker_opened",
        "write_not_accepted",
        "write_quarantined",
        "copy_failed",
        "worker_failed",
        "kind_unknown",
        "journal_failed",
        "server_set_back",
        "clocks_apart",
    ]
)


class JsonFormatter(logging.Formatter):
    """A record as one line of JSON; control characters arrive escaped."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
        }
        if isinstance(record.msg, Event):
            line |= {"event": record.msg.name, **record.msg.facts}
        else:
            line["message"] = record.getMessage()
        if record.exc_info and record.exc_info[0] is not None:
            # The type and place only: texts of exceptions repeat people's values.
            line["exception"] = record.exc_info[0].__name__
            line["where"] = _where(record)
        return json.dumps(line, default=str)


def _where(record: logging.LogRecord) -> list[str]:
    assert record.exc_info is not None
    trace, places = record.exc_info[2], []
    while trace is not None:
        places.append(f"{trace.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}")
        trace = trace.tb_next
    return places[-8:]


def log_event(event: Event) -> None:
    """Listener: every event becomes a log record."""
    _EVENTS.log(logging.WARNING if event.name in _WARNINGS else logging.INFO, event)


def to_stderr(level: str, logger: str = "robusto") -> None:
    """Send what this logger gets to stderr as JSON lines, from this level on; "" for everything."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    target = logging.getLogger(logger)
    target.handlers = [handler]
    target.setLevel(level.upper())
