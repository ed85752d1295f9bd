"""What a run leaves behind: its report in build/drill, and one line among the recorded runs on request."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from drill.checker import Verdict
from drill.report import Figures

_CHECKOUT = Path(__file__).resolve().parents[1]
REPORTS = _CHECKOUT / "build" / "drill"
RUNS = _CHECKOUT / "docs" / "drill-runs.jsonl"


def entry(verdict: Verdict, shown: Figures, seed: int, seconds: float) -> dict[str, Any]:
    """A whole run as JSON; seconds: how long the writers wrote."""
    return {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "commit": _commit(),
        "minutes": round(seconds / 60, 2),
        "seed": seed,
        "verdict": "ok" if verdict.ok else "FAILED",
        "lost": verdict.lost,
        "duplicated": verdict.duplicated,
        "out_of_order": verdict.out_of_order,
        "both": verdict.both,
        "personal": verdict.personal,
        "equation": verdict.equation,
        "findings": list(verdict.notes),
        **asdict(shown),
    }


def keep(run: dict[str, Any], lines: Sequence[str], folder: Path = REPORTS) -> Path:
    """Write the report as JSON and as text; where the text is. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / f"{run['at'].replace(':', '')}-seed-{run['seed']}"
    stem.with_suffix(".json").write_text(json.dumps(run, indent=2) + "\n")
    text = stem.with_suffix(".txt")
    text.write_text("\n".join(lines) + "\n")
    return text


def append(run: dict[str, Any], runs: Path = RUNS) -> None:
    """Put the run among the recorded ones. Raises OSError."""
    with runs.open("a") as file:
        file.write(json.dumps(run, separators=(",", ":")) + "\n")


def _commit() -> str:
    """The commit that was driven, with a plus where files differ from it; empty outside a checkout."""
    described = subprocess.run(
        ["git", "describe", "--always", "--abbrev=9", "--dirty=+", "--exclude=*"],
        cwd=_CHECKOUT, capture_output=True, text=True,
    )  # fmt: skip
    return described.stdout.strip()
