"""One drainer at a time on a host: who it is, and how its turn passes on.

The lease decides who works, never what is right: right are the ledger, the fences and the token,
which the journal and PostgreSQL both check (rules 1, 3; fault 11).
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from robusto.clock import Clock
from robusto.journal.sqlite import SqliteJournal
from robusto.shared import Record, SharedRecord

#: Seconds between two signs of life; a small part of any lease.
_RENEW_EVERY = 1.0


class Lease:
    """The turn of this process. It passes on when the holder lets go, dies, or falls silent."""

    def __init__(self, record: SharedRecord, journal: SqliteJournal, seconds: float, clock: Clock) -> None:
        self._record = record
        self._journal = journal
        self._seconds = seconds
        self._clock = clock
        self._name = f"{os.getpid()}.{id(self):x}"
        self._renewed = float("-inf")
        self.token: int | None = None

    def acquire(self) -> bool:
        """Take the turn if it is free; true also when it is ours already. Raises JournalError."""
        if self.token is not None and self.renew():
            return True
        if self._taken(self._record.read()):
            return False
        token = self._journal.take_token()
        self._record.update(lambda now: None if self._taken(now) else self._entry(token))
        self.token, self._renewed = token, float("-inf")
        return self.renew()

    def renew(self) -> bool:
        """Say that we are alive, once a second; false when somebody else has taken over meanwhile.

        A process that was stopped looks again when it wakes: the monotonic clock went on.
        """
        token = self.token
        if token is not None and self._clock.monotonic() - self._renewed < _RENEW_EVERY:
            return True

        def change(now: Record | None) -> Record | None:
            ours = now is not None and now["holder"] == self._name and now["token"] == token
            return self._entry(token) if ours and token is not None else None

        stands = self._record.update(change)
        if stands is None or stands["holder"] != self._name or stands["token"] != token:
            self.token = None
        self._renewed = self._clock.monotonic()
        return self.token is not None

    def raise_token(self, above: int) -> None:
        """PostgreSQL knows a higher token than this journal gives: let the next one be above it."""
        self._journal.take_token(above)
        self.release()

    def release(self) -> None:
        """Let the next one have the turn at once, with a token of its own."""
        ours, self.token = self.token, None
        if ours is not None:
            self._record.update(
                lambda now: {**now, "holder": ""} if now is not None and now["token"] == ours else None
            )

    def held_by_somebody(self) -> bool:
        """Whether any process, this one included, has the turn now."""
        return self._taken(self._record.read())

    def _entry(self, token: int) -> Record:
        return {
            "holder": self._name,
            "token": token,
            "pid": os.getpid(),
            "started": _started(os.getpid()),
            "namespace": _namespace(),
            "boot": _boot(),
            "renewed": self._clock.monotonic(),
        }

    def _taken(self, record: Record | None) -> bool:
        if record is None or not record["holder"] or record["boot"] != _boot():
            return False
        if self._clock.monotonic() - record["renewed"] > self._seconds:
            return False
        same_namespace = record["namespace"] == _namespace()
        return not same_namespace or _started(record["pid"]) == record["started"] != ""


def _started(pid: int) -> str:
    """When a process was started, in kernel ticks: a pid that was given anew is another process."""
    with suppress(OSError):
        stat = Path(f"/proc/{pid}/stat").read_text()
        fields = stat[stat.rindex(")") + 2 :].split()
        return "" if fields[0] in "ZX" else fields[19]
    return ""


def _namespace() -> str:
    with suppress(OSError):
        return os.readlink("/proc/self/ns/pid")
    return ""


def _boot() -> str:
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return ""
