"""A WSGI app that says which process answered, for tests of what runs the app."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable


def app(environ: dict[str, object], start: Callable[..., object]) -> Iterable[bytes]:
    start("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]
