"""gunicorn's settings for its log: JSON lines as everywhere, with nothing in them of what a caller sent.

gunicorn reads this as a settings file. By itself it quotes a broken request line, and names the address of a
request that failed: both may hold somebody's name.
"""

from __future__ import annotations

import logging
import re

_QUOTED = re.compile(r"['\"(].*", re.DOTALL)
_ABOUT_A_REQUEST = ("Invalid request", "Error handling request")


def without_the_request(record: logging.LogRecord) -> bool:
    """A filter that keeps every record, and of a record about a request what gunicorn says itself."""
    if str(record.msg).startswith(_ABOUT_A_REQUEST):
        said = str(record.msg).partition("%")[0] if record.args else str(record.msg)
        record.msg, record.args = _QUOTED.sub("", said).rstrip(" :"), ()
    return True


#: The root has no handler: the app looks for one to see whether it has to set up a log of its own.
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "root": {"handlers": []},
    "filters": {"without the request": {"()": lambda: without_the_request}},
    "formatters": {"json": {"()": "robusto.watch.log.JsonFormatter"}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "json",
            "filters": ["without the request"],
        }
    },
    "loggers": {"gunicorn.error": {"handlers": ["stderr"], "propagate": False, "level": "WARNING"}},
}
