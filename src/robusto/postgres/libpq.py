"""The one thing that psycopg does not pass on: the SQLSTATE of a refused login.

Every failure to connect arrives without one, and its text speaks the server's language. libpq can be
told to put the SQLSTATE in the text's place. Where libpq cannot be found nothing is told, and the
failure is one without a code.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import re
from functools import cache
from pathlib import Path

from psycopg.pq.abc import PGconn

#: libpq-fe.h, PGVerbosity.
_DEFAULT, _SQLSTATE = 1, 3
_CODE = re.compile(r":\s+([0-9A-Z]{5})\s*$")


def only_sqlstates(pgconn: PGconn) -> None:
    """From now on the server's errors on this connection read `FATAL:  28P01`."""
    _set_verbosity(pgconn, _SQLSTATE)


def whole_errors(pgconn: PGconn) -> None:
    """Errors as usual, with the constraint's name in its field."""
    _set_verbosity(pgconn, _DEFAULT)


def sqlstate_in(message: str) -> str | None:
    """The code at the end of such a text."""
    found = _CODE.search(message)
    return found.group(1) if found else None


def _set_verbosity(pgconn: PGconn, verbosity: int) -> None:
    library, pointer = _library(), getattr(pgconn, "pgconn_ptr", None)
    if library is not None and pointer:
        library.PQsetErrorVerbosity(ctypes.c_void_p(pointer), verbosity)


@cache
def _library() -> ctypes.CDLL | None:
    """The libpq that psycopg has loaded into this process: another one must never touch its memory."""
    try:
        maps = Path("/proc/self/maps").read_text()
    except OSError:
        return None
    loaded = {line.split()[-1] for line in maps.splitlines() if re.search(r"/libpq[-.][^/]*$", line)}
    return ctypes.CDLL(loaded.pop()) if len(loaded) == 1 else None
