"""What a run prints at its end. Times are told and decide nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from drill.checker import Verdict
from drill.history import History
from drill.nemesis import Happened
from drill.proxy import Commits

LEAST_DIRECT = 0.3


def too_weak(history: History, owed: Sequence[str]) -> list[str]:
    """Why a run that found nothing would prove nothing."""
    objections = [f"the run ended without {thing}" for thing in owed]
    if (share := history.share_stored_directly()) < LEAST_DIRECT:
        objections.append(
            f"only {share:.0%} of the writes were stored directly, {LEAST_DIRECT:.0%} are wanted"
        )
    return objections


def story(history: History, happened: Sequence[Happened], commits: Commits) -> list[str]:
    """What was done and what was answered."""
    writes = Counter(f"{write.kind.value}s" for write in history.writes if not write.flawed)
    faults = Counter(entry.fault.kind for entry in happened)
    lines = [
        f"writes: {_counts(writes)}; answers to them: {_counts(history.outcomes())}",
        f"final: {_counts(Counter(w.outcome.value for w in history.writes if not w.flawed))}",
        f"faults: {len(happened)} ({_counts(faults)})",
        f"uncertain commits: {commits.uncertain} (cut before {commits.cut_before}, after {commits.cut_after},"
        f" in flight at another fault {commits.in_flight}; of {commits.seen} seen)",
        f"stored directly: {history.share_stored_directly():.0%} of the accepted writes",
    ]
    if unanswered := Counter(answer.kind.value for answer in history.answers if not answer.status):
        lines.append(f"requests that got no answer at all: {_counts(unanswered)}")
    if slowest := history.slowest():
        by_kind = ", ".join(f"{kind.value} {seconds:.2f} s" for kind, seconds in slowest.items())
        lines.append(f"slowest answer: {max(slowest.values()):.2f} s ({by_kind})")
    return lines + [f"{text}: {count}" for text, count in sorted(history.counted.items())]


def last_lines(verdict: Verdict, seed: int) -> list[str]:
    """The end of every run; programs read these."""
    return [
        *(f"finding: {note}" for note in verdict.notes),
        f"equation {'true' if verdict.equation else 'false'}",
        f"lost {verdict.lost}",
        f"duplicated {verdict.duplicated}",
        f"out of order {verdict.out_of_order}",
        f"seed {seed}",
        f"verdict {'ok' if verdict.ok else 'FAILED'}",
    ]


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counter.items())) or "none"
