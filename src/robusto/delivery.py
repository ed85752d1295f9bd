"""2. One guarded attempt: the write's handler, a few tries, one deadline, one outcome."""

from __future__ import annotations

from typing import Protocol

from robusto.deadline import Deadline
from robusto.failures import CONFIGURATION_WAIT
from robusto.handlers import Handler, Handlers
from robusto.outcome import Applied, Held, Outcome, Rejected, Scope, Unavailable
from robusto.retry import Retry
from robusto.write import Write


class Target(Protocol):
    """Where writes take effect: PostgreSQL, or a fake that behaves like it."""

    def apply(self, write: Write, handler: Handler, deadline: Deadline, token: int | None) -> Outcome:
        """One try. Raises LeaseLost for an outdated token."""


class Delivery:
    """Makes an attempt of several tries."""

    def __init__(self, target: Target, handlers: Handlers, retry: Retry) -> None:
        self._target = target
        self._handlers = handlers
        self._retry = retry

    def attempt(self, write: Write, deadline: Deadline, token: int | None = None) -> Outcome:
        """Try to apply the write. With a token as the drainer: raises LeaseLost when outdated."""
        handler = self._handlers.get(write.kind)
        if handler is None:
            return Held("unknown_kind", Scope.KIND, retry_after=CONFIGURATION_WAIT, alarm=True)
        outcome: Outcome = Unavailable("deadline")
        tainted = False
        for _ in self._retry.tries(deadline):
            outcome = self._target.apply(write, handler, deadline, token)
            tainted |= _maybe_applied(outcome)
            if not _again(outcome):
                break
        return _with_taint(outcome) if tainted else outcome


def _again(outcome: Outcome) -> bool:
    return isinstance(outcome, Unavailable | Held) and outcome.again


def _maybe_applied(outcome: Outcome) -> bool:
    return isinstance(outcome, Unavailable | Held) and outcome.maybe_applied


def _with_taint(outcome: Outcome) -> Outcome:
    """An unanswered try may still commit (rule 3): until it is fenced off nothing is refused."""
    match outcome:
        case Applied():
            return outcome
        case Unavailable(reason=reason, alarm=alarm):
            return Unavailable(reason, maybe_applied=True, alarm=alarm)
        case Held(reason=reason, scope=scope, retry_after=retry_after, patience=patience, alarm=alarm):
            return Held(reason, scope, retry_after, patience, maybe_applied=True, alarm=alarm)
        case Rejected(reason=reason):
            return Held(reason, maybe_applied=True)
