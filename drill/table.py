"""`python -m drill.table`: docs/drill-runs.md, the table of the last recorded runs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from drill.record import RUNS

_LAST = 20
_HEAD = """\
# Recorded drills

`make drill RECORD=1` adds a run, `python -m drill.table` renders this page: the last {last}, newest first.
`python -m drill --help` names the faults. A commit with a plus had changed files.

"""
_COLUMNS: tuple[tuple[str, Callable[[dict[str, Any]], object]], ...] = (
    ("when", lambda run: run["at"][:16].replace("T", " ")),
    ("commit", lambda run: run["commit"]),
    ("minutes", lambda run: f"{run['minutes']:g}"),
    ("seed", lambda run: run["seed"]),
    ("operations", lambda run: f"{run['operations']:,}"),
    ("faults (kinds)", lambda run: f"{sum(run['faults'].values())} ({len(run['faults'])})"),
    ("stored directly", lambda run: f"{run['direct']:.0%}"),
    ("uncertain commits", lambda run: run["uncertain"]),
    ("unknown answers", lambda run: run["unanswered"]),
    ("repeats absorbed", lambda run: run["absorbed"]),
    ("refused after uncertainty", lambda run: run["refused_late"]),
    ("slowest answer", lambda run: f"{max(run['slowest'].values(), default=0.0):.1f} s"),
    ("lost", lambda run: run["lost"]),
    ("twice", lambda run: run["duplicated"]),
    ("out of order", lambda run: run["out_of_order"]),
    ("applied and quarantined", lambda run: run["both"]),
    ("personal data in logs", lambda run: run["personal"]),
    ("verdict", lambda run: run["verdict"]),
)


def render(runs: Sequence[dict[str, Any]]) -> str:
    """The page for these runs, in the order in which they were recorded."""
    rows = [[str(cell(run)) for _, cell in _COLUMNS] for run in reversed(runs[-_LAST:])]
    names = [name for name, _ in _COLUMNS]
    lines = [names, ["---"] * len(names), *rows]
    return _HEAD.format(last=_LAST) + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def read(runs: Path = RUNS) -> list[dict[str, Any]]:
    """The recorded runs, oldest first; none before the first. Raises OSError, ValueError."""
    if not runs.exists():
        return []
    return [json.loads(line) for line in runs.read_text().splitlines() if line.strip()]


def main() -> int:
    """Render the page."""
    page = RUNS.with_suffix(".md")
    page.write_text(render(read()))
    print(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
