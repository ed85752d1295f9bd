"""The way to PostgreSQL: shut, deaf, slow, cut at the worst moment."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from drill.faults.scene import Cause, Scene, repeating
from drill.proxy import Mode

_FLAP_SECONDS = 1.0


def mode(mode: Mode) -> Cause:
    """The proxy does this with connections."""

    def cause(scene: Scene) -> Iterator[None]:
        try:
            scene.proxy.set_mode(mode)
            yield
        finally:
            scene.proxy.set_mode(Mode.FORWARD)

    return cause


def flapping(scene: Scene) -> Iterator[None]:
    """PostgreSQL is away and there in turns."""
    turns = itertools.cycle((Mode.FORWARD, Mode.REFUSE))
    try:
        scene.proxy.set_mode(Mode.REFUSE)
        with repeating(lambda: scene.proxy.set_mode(next(turns)), _FLAP_SECONDS):
            yield
    finally:
        scene.proxy.set_mode(Mode.FORWARD)


def cutting(before: float, after: float) -> Cause:
    """These shares of the writes' commits are cut, and more of the doomed ones."""

    def cause(scene: Scene) -> Iterator[None]:
        try:
            scene.proxy.cut_commits(before, after)
            yield
        finally:
            scene.proxy.cut_commits()

    return cause
