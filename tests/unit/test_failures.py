"""The classification: each code, at each phase, comes to the outcome that the table promises."""

from __future__ import annotations

import pytest

from robusto.failures import Cause, Failure, Phase, needs_a_person, outcome_of
from robusto.outcome import Held, Outcome, Rejected, Scope, Unavailable

#: From the design's table, with its words: what a SQLSTATE means inside a transaction.
OUTAGE = "08000 08001 08003 08004 08006 08P01 57P01 57P02 57P03 57P05 40000 53000 53100 53200 53300 53400"
OUTAGE += " 25P03 25P04 58000 58030 58P01 58P02 XX001 XX002 25006"
UNKNOWN = "08007 40003"
AT_ONCE_AGAIN = "40001 40P01"
WAITS = "55P03 55006 57014 55000"
CONFIGURATION = "57P04 28000 28P01 3D000 3F000 42501 F0000 F0001 42P01 42703 42883 42704 42P02 42804 42846"
PERMANENT = "40002 25P02 22001 22003 22007 22P02 22021 21000 23502 23503 23505 23514 23P01 23001 44000"
PERMANENT += " 54000 54001 54011 54023 42601 42830 0L000 0P000 P0001 P0002"
#: Held for a bounded time: the statement alone, or nobody knows what.
ODD = "99999 XX000 XX003 HV000"
ON_ANOTHER_CONNECTION = "0A000 26000 42P05"

ALARMING = "53100 58000 58030 58P01 58P02 XX000 XX001 XX002"
#: What leaves a COMMIT without an answer, although the server still said something.
UNKNOWN_AT_COMMIT = "08000 08001 08003 08004 08006 08P01 57P01 57P02 57P03 57P05"


def of_code(code: str, phase: Phase = Phase.WORK, *, has_parent: bool = False) -> Outcome:
    return outcome_of(Failure(phase, Cause.SERVER, code, "the_constraint"), has_parent=has_parent)


@pytest.mark.parametrize("phase", [Phase.WORK, Phase.COMMIT])
@pytest.mark.parametrize("code", (OUTAGE + " " + UNKNOWN).split())
def test_an_outage_is_told_from_everything_else(code: str, phase: Phase) -> None:
    outcome = of_code(code, phase)
    assert isinstance(outcome, Unavailable)
    assert outcome.reason == code
    assert outcome.alarm == (code in ALARMING.split())
    unanswered = code in UNKNOWN.split() or (phase is Phase.COMMIT and code in UNKNOWN_AT_COMMIT.split())
    assert outcome.maybe_applied == unanswered


@pytest.mark.parametrize("phase", [Phase.WORK, Phase.COMMIT])
@pytest.mark.parametrize("code", AT_ONCE_AGAIN.split())
def test_a_collision_is_tried_again_at_once_and_then_waits(code: str, phase: Phase) -> None:
    outcome = of_code(code, phase)
    assert isinstance(outcome, Held)
    assert (outcome.scope, outcome.again, outcome.patience) == (Scope.ENTRY, True, None)
    assert not outcome.maybe_applied


@pytest.mark.parametrize("code", WAITS.split())
def test_a_lock_or_a_time_limit_holds_this_entry(code: str) -> None:
    outcome = of_code(code)
    assert isinstance(outcome, Held)
    assert (outcome.scope, outcome.again, outcome.alarm) == (Scope.ENTRY, False, False)


@pytest.mark.parametrize("code", CONFIGURATION.split())
def test_a_mistake_in_the_configuration_holds_the_kind_and_calls_somebody(code: str) -> None:
    outcome = of_code(code)
    assert isinstance(outcome, Held)
    assert (outcome.scope, outcome.alarm, outcome.patience) == (Scope.KIND, True, None)
    assert needs_a_person(code)


@pytest.mark.parametrize("phase", [Phase.WORK, Phase.COMMIT])
@pytest.mark.parametrize("code", PERMANENT.split())
def test_what_the_caller_can_mend_is_rejected_with_its_constraint(code: str, phase: Phase) -> None:
    assert of_code(code, phase) == Rejected(code, "the_constraint")


def test_a_missing_parent_is_waited_for_a_day_where_one_was_declared() -> None:
    outcome = of_code("23503", has_parent=True)
    assert isinstance(outcome, Held)
    assert (outcome.scope, outcome.patience, outcome.alarm) == (Scope.ENTRY, 24 * 3600, False)
    assert of_code("23505", has_parent=True) == Rejected("23505", "the_constraint")


@pytest.mark.parametrize("code", ODD.split())
def test_an_unknown_code_is_tried_for_a_while_and_then_set_aside(code: str) -> None:
    outcome = of_code(code)
    assert isinstance(outcome, Held)
    assert (outcome.scope, outcome.alarm) == (Scope.ENTRY, True)
    assert outcome.patience is not None


@pytest.mark.parametrize(
    ("code", "alarm"), [(None, False), ("53300", False), ("57P03", False), ("28P01", True), ("3D000", True)]
)
def test_whoever_could_not_connect_has_sent_nothing(code: str | None, alarm: bool) -> None:
    for cause in (Cause.LOST, Cause.SERVER, Cause.DATA):
        outcome = outcome_of(Failure(Phase.CONNECT, cause, code, name="cannot_connect"), has_parent=False)
        assert outcome == Unavailable(code or "cannot_connect", alarm=alarm)


def test_a_connection_lost_before_commit_was_rolled_back_and_one_lost_at_commit_is_unknown() -> None:
    before = outcome_of(Failure(Phase.WORK, Cause.LOST, name="connection_lost"), has_parent=False)
    at = outcome_of(Failure(Phase.COMMIT, Cause.LOST, name="connection_lost"), has_parent=False)
    assert before == Unavailable("connection_lost", maybe_applied=False, again=True)
    assert at == Unavailable("connection_lost", maybe_applied=True, again=True)


def test_what_the_driver_could_not_send_is_rejected() -> None:
    failure = Failure(Phase.WORK, Cause.DATA, name="client:DataError")
    assert outcome_of(failure, has_parent=False) == Rejected("client:DataError")


def test_a_mistake_of_the_handler_holds_its_kind() -> None:
    outcome = outcome_of(Failure(Phase.WORK, Cause.OTHER, name="handler:KeyError"), has_parent=False)
    assert isinstance(outcome, Held)
    assert (outcome.scope, outcome.alarm) == (Scope.KIND, True)
    assert needs_a_person(outcome.reason)


@pytest.mark.parametrize("reason", ["unknown_kind", "swallowed_error", "fenced", "XX001", "42P01"])
def test_some_reasons_wait_for_a_person(reason: str) -> None:
    assert needs_a_person(reason)


@pytest.mark.parametrize("reason", ["55P03", "40P01", "busy", "behind", "unavailable", "23503", ""])
def test_others_pass_by_themselves(reason: str) -> None:
    assert not needs_a_person(reason)


@pytest.mark.parametrize("code", ON_ANOTHER_CONNECTION.split())
def test_what_a_new_connection_may_cure_is_tried_on_one_and_then_held_for_a_time(code: str) -> None:
    outcome = of_code(code)
    assert isinstance(outcome, Held) and outcome.again and outcome.patience is not None
