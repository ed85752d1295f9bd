"""What a run has shown, as figures, as lines for a person, and as the last lines that programs read.

Times are told and decide nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from drill.checker import Verdict
from drill.history import History, Kind
from drill.leaks import Held
from drill.nemesis import Happened
from drill.plan import Demands
from drill.proxy import Commits


@dataclass(frozen=True)
class Figures:
    """What was done and what was seen."""

    operations: int = 0
    """Requests of the writers: every attempt of a write, and looks. What the judge asks is not counted."""
    writes: dict[str, int] = field(default_factory=dict)
    """Sound writes by kind."""
    answers: dict[str, int] = field(default_factory=dict)
    """Answers to writes, every attempt counted."""
    final: dict[str, int] = field(default_factory=dict)
    """What the writers were told last about their sound writes."""
    faults: dict[str, int] = field(default_factory=dict)
    commits: dict[str, int] = field(default_factory=dict)
    uncertain: int = 0
    unanswered: int = 0
    """Attempts that had no answer, or one that leaves open what they did."""
    absorbed: int = 0
    refused_late: int = 0
    direct: float = 0.0
    """Share of the accepted writes that was stored at the first answer."""
    slowest: dict[str, float] = field(default_factory=dict)
    """Seconds to the slowest answer, by kind."""
    counted: dict[str, int] = field(default_factory=dict)
    before: Held = field(default_factory=Held)
    after: Held = field(default_factory=Held)

    def too_weak(self, demands: Demands) -> list[str]:
        """Why a run that found nothing would prove nothing."""
        shown = (
            ("operations", self.operations, demands.operations),
            ("faults", sum(self.faults.values()), demands.faults),
            ("kinds of faults", len(self.faults), demands.kinds),
            ("uncertain commits", self.uncertain, demands.uncertain),
            ("repeats absorbed", self.absorbed, demands.absorbed),
            ("rejections after uncertainty", self.refused_late, demands.refused_late),
        )
        objections = [
            f"only {got} {what}, {wanted} are wanted" for what, got, wanted in shown if got < wanted
        ]
        if self.direct < demands.direct:
            objections.append(
                f"only {self.direct:.0%} of the writes were stored directly, {demands.direct:.0%} are wanted"
            )
        return objections


def figures(
    history: History,
    happened: Sequence[Happened],
    commits: Commits,
    refused_late: int,
    held: tuple[Held, Held],
) -> Figures:
    """Count."""
    sound = [write for write in history.writes if not write.flawed]
    outcomes = history.outcomes()
    return Figures(
        operations=sum(answer.kind is not Kind.STATE for answer in history.answers),
        writes=_sorted(Counter(f"{write.kind.value}s" for write in sound)),
        answers=_sorted(outcomes),
        final=_sorted(Counter(write.outcome.value for write in sound)),
        faults=_sorted(Counter(entry.fault.kind for entry in happened)),
        commits={"seen": commits.seen, "cut before": commits.cut_before, "cut after": commits.cut_after,
                 "in flight at another fault": commits.in_flight, "cut and doomed": commits.doomed},
        uncertain=commits.uncertain,
        unanswered=outcomes["unknown"],
        absorbed=history.absorbed,
        refused_late=refused_late,
        direct=history.share_stored_directly(),
        slowest={kind.value: round(seconds, 2) for kind, seconds in history.slowest().items()},
        counted=_sorted(history.counted),
        before=held[0],
        after=held[1],
    )  # fmt: skip


def story(shown: Figures) -> list[str]:
    """The figures for a person."""
    lines = [
        f"operations: {shown.operations}",
        f"writes: {_list(shown.writes)}; answers to them: {_list(shown.answers)}",
        f"final: {_list(shown.final)}",
        f"faults: {sum(shown.faults.values())} of {len(shown.faults)} kinds ({_list(shown.faults)})",
        f"uncertain commits: {shown.uncertain} ({_list(shown.commits)})",
        f"stored directly: {shown.direct:.0%} of the accepted writes",
        f"unknown answers: {shown.unanswered}",
        f"repeats absorbed: {shown.absorbed}",
        f"rejections after uncertainty: {shown.refused_late}",
    ]
    if shown.slowest:
        by_kind = ", ".join(f"{kind} {seconds:.2f} s" for kind, seconds in shown.slowest.items())
        lines.append(f"slowest answer: {max(shown.slowest.values()):.2f} s ({by_kind})")
    lines += [f"{text}: {count}" for text, count in shown.counted.items()]
    return [*lines, f"at the start: {shown.before}", f"at the end: {shown.after}"]


def last_lines(verdict: Verdict, seed: int) -> list[str]:
    """The end of every run; programs read these."""
    return [
        *(f"finding: {note}" for note in verdict.notes),
        f"equation {'true' if verdict.equation else 'false'}",
        f"applied and quarantined {verdict.both}",
        f"personal data in logs {verdict.personal}",
        f"lost {verdict.lost}",
        f"duplicated {verdict.duplicated}",
        f"out of order {verdict.out_of_order}",
        f"seed {seed}",
        f"verdict {'ok' if verdict.ok else 'FAILED'}",
    ]


def _sorted(counter: Counter[str]) -> dict[str, int]:
    return dict(sorted(counter.items()))


def _list(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "none"
