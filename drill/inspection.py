"""`python -m drill.inspection`: an engine beside the running app tells where every write is.

Takes a JSON list of write ids on its standard input; prints, as JSON, the state of each, and for what is in
quarantine whether an attempt of it had no answer before it was refused.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from academia.gravacoes.estados import ESTADOS
from academia.motor import montar_motor
from academia.settings import Settings
from drill.app import App

_SECONDS = 300.0


class InspectionError(RuntimeError):
    """It could not look."""


@dataclass(frozen=True)
class Inspection:
    """What the engine says."""

    states: dict[str, str]
    """Write id -> `estado`; an id that it does not know is absent."""
    quarantined: dict[str, bool]
    """Write id -> whether an attempt of it had no answer."""


def inspect(app: App, ids: Sequence[str]) -> Inspection:
    """Look, in a process with the app's settings. Raises InspectionError."""
    with app.log.open("ab") as log:
        process = app.popen("drill.inspection", stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
    try:
        said, _ = process.communicate(json.dumps(list(ids)), _SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise InspectionError(f"the engine did not answer within {_SECONDS:.0f} s") from None
    if process.returncode != 0:
        raise InspectionError(f"the engine could not be asked: see {app.log}")
    return Inspection(**json.loads(said))


def main() -> int:
    """Answer one question."""
    with montar_motor(Settings.load()).open(worker=False) as engine:
        found = {id: engine.find(UUID(id)) for id in json.load(sys.stdin)}
        states = {id: ESTADOS[each.state] for id, each in found.items() if each is not None}
        quarantined = {str(entry.id): entry.maybe_applied for entry in engine.quarantine.list()}
    print(json.dumps({"states": states, "quarantined": quarantined}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
