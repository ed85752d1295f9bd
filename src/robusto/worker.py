"""5. Keeps the drain going: looks at PostgreSQL, makes passes, keeps house. Never gives up."""

from __future__ import annotations

import threading
from collections.abc import Callable

from robusto.breaker import Breaker, BreakerState
from robusto.clock import Clock
from robusto.deadline import Deadline
from robusto.drainer import Drainer, Pass
from robusto.events import Event, Events, place_of
from robusto.journal.sqlite import SqliteJournal
from robusto.lease import Lease
from robusto.outcome import Unavailable
from robusto.passes import Passes
from robusto.postgres.lineage import SET_BACK
from robusto.postgres.target import PostgresTarget
from robusto.reoffer import Reoffer

#: Seconds between two looks at the journal; between two probes of a PostgreSQL that is away, or
#: well; how long a probe may take; how long one pass may go on before the house is kept again.
_TICK, _PROBE_AWAY, _PROBE_WELL, _PROBE_SECONDS, _PASS_SECONDS = 0.2, 0.4, 1.0, 1.0, 2.0


class Worker:
    """One daemon thread in every process; the lease picks the one that works.

    `chores` are called in turn while PostgreSQL is well; each decides for itself whether it is due.
    `upkeep` is called in every process, working or not.
    """

    def __init__(
        self,
        lease: Lease,
        breaker: Breaker,
        target: PostgresTarget,
        journal: SqliteJournal,
        drainer: Drainer,
        reoffer: Reoffer,
        passes: Passes,
        events: Events,
        clock: Clock,
        chores: list[Callable[[], None]],
        upkeep: Callable[[], None],
    ) -> None:
        self._lease = lease
        self._breaker = breaker
        self._target = target
        self._journal = journal
        self._drainer = drainer
        self._reoffer = reoffer
        self._passes = passes
        self._events = events
        self._clock = clock
        self._chores = chores
        self._upkeep = upkeep
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._turn = threading.Lock()
        self._probed = float("-inf")
        self._running = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to work in a daemon thread."""
        self._thread = threading.Thread(target=self.run, name="robusto-worker", daemon=True)
        self._thread.start()

    def turn_alone(self) -> None:
        """One pass where nobody works; the turn is free again afterwards. Raises JournalError."""
        try:
            self.turn(house=False)
        finally:
            if not self._running:
                self._lease.release()

    def run(self) -> None:
        """Work in this thread until `stop`."""
        self._running = True
        while not self._stop.is_set():
            try:
                self.turn()
                self._upkeep()
            except Exception as error:  # whatever happens, the next turn may go better
                self._failed("turn", error)
                self._stop.wait(_PROBE_AWAY)
            self._wake.wait(_TICK)
            self._wake.clear()
        with self._turn:
            self._lease.release()

    def turn(self, *, house: bool = True) -> bool:
        """One round, if it is this process's turn; says whether it was. Raises JournalError.

        house: also do the chores.
        """
        with self._turn:
            if not self._lease.acquire():
                return False
            asked = self._passes.asked()
            self.look(now=bool(asked))
            if SET_BACK in self._why_not() and self._reoffer.put_back(lambda: not self._stop.is_set()):
                self._drainer.begin_anew()
                self.look()
            done, well = Pass(), self._state() is not BreakerState.OPEN
            if well:
                done = self._drain(impatient=bool(asked))
                self._reoffer.finish(tried_all=done.tried_all)
            if asked:
                self._passes.answer(asked, done.errors or self._why_not())
            if well and house:
                self._keep_house()
            return True

    def look(self, *, now: bool = True) -> None:
        """Probe, at once or when it is time; people's requests never do."""
        pause = _PROBE_AWAY if self._state() is BreakerState.OPEN else _PROBE_WELL
        if self._state() is BreakerState.HALF_OPEN:
            pause = _TICK
        if not now and self._clock.monotonic() - self._probed < pause:
            return
        found = self._target.probe(Deadline.after(self._clock, _PROBE_SECONDS))
        self._probed = self._clock.monotonic()
        if isinstance(found, Unavailable):
            self._breaker.failed(found.reason, alarm=found.alarm)
        else:
            self._breaker.answered(found or "", may_close=not self._reoffer.going_on())

    def _drain(self, *, impatient: bool) -> Pass:
        if self._journal.counts().unfinished == 0:
            return Pass()
        limit = Deadline.after(self._clock, _PASS_SECONDS)
        done = self._drainer.drain(lambda: not self._stop.is_set() and not limit.expired, impatient=impatient)
        if done.away is not None:
            self._breaker.failed(done.away.reason, alarm=done.away.alarm)
        if done.applied or done.quarantined:
            self._wake.set()  # there may be more: do not wait for the next tick
        return done

    def _keep_house(self) -> None:
        for chore in self._chores:
            try:
                chore()
            except Exception as error:  # one chore's failure is not the next one's
                self._failed("chore", error)

    def _failed(self, what: str, error: Exception) -> None:
        """Type and place only: the texts of exceptions repeat people's values."""
        self._events.emit("worker_failed", what=what, error=type(error).__name__, where=place_of(error))

    def _state(self) -> BreakerState:
        finding = self._breaker.finding()
        return BreakerState.CLOSED if finding is None else finding.state

    def _why_not(self) -> list[str]:
        finding = self._breaker.finding()
        return [finding.reason] if finding is not None and finding.state is BreakerState.OPEN else []

    @property
    def running(self) -> bool:
        """Whether this process has a worker thread."""
        return self._thread is not None and self._thread.is_alive()

    def wake(self, _: Event | None = None) -> None:
        """Listener: something may be there to drain."""
        self._wake.set()

    def ask_to_stop(self) -> None:
        """End after the entry in hand; does not wait."""
        self._stop.set()
        self._wake.set()

    def stop(self) -> None:
        """End after the entry in hand, and pass the turn on."""
        self.ask_to_stop()
        if self._thread is not None:
            self._thread.join(10)
            self._thread = None
