"""3a. What a failure means: by phase, class and SQLSTATE, as data.

The table is measured and explained in docs (failures): every failure to connect arrives without a
SQLSTATE, and a connection lost before COMMIT looks like one lost after it, so the phase comes first.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from robusto.outcome import Held, Outcome, Rejected, Scope, Unavailable


class Phase(Enum):
    """How far an attempt had come when it failed."""

    CONNECT = "connect"  # name, network, TLS, login, pool: nothing was sent
    WORK = "work"  # inside BEGIN, COMMIT not sent: lost means rolled back
    COMMIT = "commit"  # COMMIT sent: no answer means unknown


class Cause(Enum):
    """What the driver's exception says beside its SQLSTATE."""

    SERVER = "server"  # the server answered with an error: its SQLSTATE decides
    LOST = "lost"  # connection refused, broken, timed out
    DATA = "data"  # the client side could not even send it: permanent
    OTHER = "other"  # not the database's: a mistake in the handler


class Class(Enum):
    """The classes of the table."""

    TRANSIENT = "T"
    AGAIN = "again"
    WAIT = "H"
    PERMANENT = "P"
    CONFIGURATION = "C"
    UNKNOWN_COMMIT = "A"
    DEMOTED = "demoted"
    RECONNECT = "reconnect"
    ODD = "odd"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure, free of personal data: DETAIL, CONTEXT and parameters never come this far."""

    phase: Phase
    cause: Cause
    sqlstate: str | None = None
    constraint: str | None = None
    name: str = ""

    @property
    def code(self) -> str:
        """The reason that is kept, shown and logged."""
        return self.sqlstate or self.name or self.cause.value


def _row(kind: Class, codes: str) -> dict[str, Class]:
    return dict.fromkeys(codes.split(), kind)


#: Codes first, then classes (their first two characters).
TABLE: dict[str, Class] = {
    **_row(Class.TRANSIENT, "08000 08001 08003 08004 08006 08P01 57P01 57P02 57P03 57P05"),
    **_row(Class.UNKNOWN_COMMIT, "08007 40003"),
    **_row(Class.AGAIN, "40001 40P01"),
    **_row(Class.TRANSIENT, "40000 53000 53100 53200 53300 53400 25P03 25P04"),
    **_row(Class.WAIT, "55P03 55006 57014 55000"),
    **_row(Class.DEMOTED, "25006"),
    **_row(Class.RECONNECT, "0A000 26000 42P05"),
    **_row(Class.TRANSIENT, "58000 58030 58P01 58P02"),
    **_row(Class.CONFIGURATION, "57P04 28000 28P01 3D000 3F000 42501 F0000 F0001"),
    **_row(Class.CONFIGURATION, "42P01 42703 42883 42704 42P02 42804 42846"),
    **_row(Class.PERMANENT, "40002 25P02 21000 23502 23503 23505 23514 23P01 23001 44000"),
    **_row(Class.PERMANENT, "54000 54001 54011 54023"),
    **_row(Class.DAMAGED, "XX001 XX002"),
    **_row(Class.ODD, "XX000"),
    **_row(Class.PERMANENT, "22 42 0L 0P P0"),
    **_row(Class.TRANSIENT, "08 53 57 58"),
}

#: Codes after which the connection itself is not to be used again.
NEW_CONNECTION = frozenset(code for code, kind in TABLE.items() if kind in (Class.DEMOTED, Class.RECONNECT))

#: Codes that a person has to act on, whatever else is done about them.
ALARMS = frozenset(["53100", "58000", "58030", "58P01", "58P02", "XX000", "XX001", "XX002"])

#: No encryption, or a certificate that nobody trusts: a person must act, and nothing goes in plain text.
TLS = "tls"
#: A server that takes writes and promises nothing about a power cut (`fsync = off`).
NOT_FLUSHED = "not_flushed"

#: Seconds before a waiting entry is worth another try, and after which waiting becomes quarantine.
WAIT_SECONDS, ODD_PATIENCE, PARENT_PATIENCE = 1.0, 60.0, 24 * 3600.0
#: Seconds before a kind that fails by configuration is tried again.
CONFIGURATION_WAIT = 5.0

#: Before the reason for which too many entries of a kind were refused in a row.
STORM = "storm:"
#: Reasons of our own that are the program's fault and not the entry's.
_OWN_KIND_STOPS = ("unknown_kind", "swallowed_error", "handler:", STORM)
#: Codes, by their beginning, of a server without room, memory or whole disks: whoever meets them first.
_SERVER_WIDE = ("53", "58", "XX001", "XX002")


def is_server_wide(reason: str) -> bool:
    """Whether the next entry would meet this too, though the server still answers."""
    return reason.startswith(_SERVER_WIDE)


def stops_its_kind(reason: str) -> bool:
    """Whether what holds one entry for this reason holds every entry of its kind."""
    if reason in ALARMS and is_server_wide(reason):
        return True
    return reason.startswith(_OWN_KIND_STOPS) or TABLE.get(reason) is Class.CONFIGURATION


def needs_a_person(reason: str) -> bool:
    """Whether an entry that is held for this reason goes on only when somebody acts."""
    return stops_its_kind(reason) or reason == "fenced" or reason in ALARMS


def outcome_of(failure: Failure, *, has_parent: bool) -> Outcome:
    """What an attempt that failed like this has come to."""
    if failure.phase is Phase.CONNECT:
        return _connecting(failure)
    if failure.cause is Cause.LOST:
        maybe = failure.phase is Phase.COMMIT
        return Unavailable(failure.code, maybe_applied=maybe, again=True)
    if failure.cause is Cause.DATA:
        return Rejected(failure.code)
    if failure.cause is Cause.OTHER:
        return Held(failure.code, Scope.KIND, retry_after=CONFIGURATION_WAIT, alarm=True)
    return _by_sqlstate(failure, has_parent=has_parent)


def _connecting(failure: Failure) -> Outcome:
    """Nothing was sent. A refused connection is not worth another try within the same request."""
    state = failure.sqlstate or ""
    return Unavailable(failure.code, alarm=TABLE.get(state) is Class.CONFIGURATION or failure.code == TLS)


def _by_sqlstate(failure: Failure, *, has_parent: bool) -> Outcome:
    state = failure.sqlstate or ""
    kind = TABLE.get(state) or TABLE.get(state[:2])
    committing = failure.phase is Phase.COMMIT
    alarm = state in ALARMS
    match kind:
        case Class.TRANSIENT:
            dies = state.startswith(("08", "57P"))  # the server goes away while it says so
            return Unavailable(state, maybe_applied=committing and dies, again=dies, alarm=alarm)
        case Class.UNKNOWN_COMMIT:
            return Unavailable(state, maybe_applied=True, again=True)
        case Class.DEMOTED:
            return Unavailable(state, again=True)
        case Class.RECONNECT:
            return Held(state, retry_after=WAIT_SECONDS, patience=ODD_PATIENCE, again=True)
        case Class.DAMAGED:
            return Unavailable(state, alarm=True)
        case Class.AGAIN:
            return Held(state, retry_after=WAIT_SECONDS, again=True)
        case Class.WAIT:
            patience = ODD_PATIENCE if state == "55000" else None
            return Held(state, retry_after=WAIT_SECONDS, patience=patience)
        case Class.CONFIGURATION:
            return Held(state, Scope.KIND, retry_after=CONFIGURATION_WAIT, alarm=True)
        case Class.PERMANENT if state == "23503" and has_parent:
            return Held(state, retry_after=WAIT_SECONDS, patience=PARENT_PATIENCE)
        case Class.PERMANENT:
            return Rejected(state, failure.constraint)
        case Class.ODD | None:
            return Held(state, retry_after=WAIT_SECONDS, patience=ODD_PATIENCE, alarm=True)
