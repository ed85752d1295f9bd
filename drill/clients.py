"""Strangers at work: each registers students, edits its own, looks things up, and forgets nothing."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from drill import plan
from drill.api import Api
from drill.history import History, Kind, Outcome, Write
from drill.sender import Caller, Sender

_WRITE_SECONDS = 20.0  # then the client turns to something else and comes back to this write later
_SETTLE_SECONDS = 60.0
_EXTRA_SECONDS = 0.5
_REPEAT, _REUSE, _FLAW, _LOOK, _DOOM = 0.05, 0.02, 0.01, 0.10, 0.25


@dataclass
class Orders:
    """What the clients are told from outside."""

    more: Callable[[], bool]
    """Whether to go on registering after the plan is done."""
    cutting: Callable[[], bool] = lambda: False
    """Whether commits are being cut: the time for doomed ones."""
    stop: threading.Event = field(default_factory=threading.Event)
    """The plan is over, done or not."""
    healed: threading.Event = field(default_factory=threading.Event)
    """All faults are over: clear up what is still unknown."""


class Writer:
    """One writer: nobody else writes to its students. It goes on where an earlier one of its number ended."""

    def __init__(
        self,
        number: int,
        program: plan.Plan,
        seed: int,
        history: History,
        caller: Caller,
        orders: Orders,
        past: Sequence[Write] = (),
    ) -> None:
        self._number, self._seed = number, seed
        self._plan, self._orders, self._history, self._caller = program, orders, history, caller
        self._random = random.Random(f"{seed} writer {number} {len(past)}")
        self._sender = Sender(caller, history, self._hurried)
        self._accepted: list[Write] = []
        self._open: list[Write] = []
        self._edited: dict[int, Write] = {}
        self._last: dict[int, Write] = {}
        self._beyond = Counter[Callable[[int], int]]()
        self._done = Counter[plan.Step]()
        self._remember(past)

    def _remember(self, writes: Sequence[Write]) -> None:
        student = {}
        for write in (each for each in writes if not each.flawed):
            number = int(write.key.split("-")[3])
            if write.kind is Kind.REGISTER:
                self._done[plan.Step.REGISTER] += 1
                student[number] = write
            else:
                self._done[plan.Step.EDIT] += 1
                self._last[number] = write
            if write.outcome.accepted:
                self._accepted.append(write)
            elif write.outcome is not Outcome.REJECTED:
                self._open.append(write)
        self._edited = {number: write for number, write in student.items() if number < plan.EDITED}

    def work(self, start: float) -> None:
        """Work through what is left of the plan; start: when it began, by the monotonic clock."""
        todo = self._plan.numbers(self._number)[self._done[plan.Step.REGISTER] :]
        for at, step in self._plan.steps(self._number, self._seed):
            if self._done[step] > 0:
                self._done[step] -= 1
                continue
            if self._orders.stop.wait(max(0.0, start + at - time.monotonic())):
                return
            if step is plan.Step.REGISTER:
                self._register(todo.pop(0))
            else:
                self._edit()
            self._on_the_side()
        self._go_on()

    def _go_on(self) -> None:
        while self._orders.more() and not self._orders.stop.wait(_EXTRA_SECONDS):
            self._register_another(plan.extra)
            self._on_the_side()

    def _register_another(self, extra: Callable[[int], int]) -> None:
        self._register(extra(self._number + plan.WRITERS * self._beyond[extra]))
        self._beyond[extra] += 1

    def _register(self, number: int) -> None:
        body = plan.student(number)
        write = Write(f"drill-{self._seed}-r-{number}", Kind.REGISTER, body["nome"], body=body)
        write.rival, write.doomed = plan.rival(number), plan.doomed(number)
        if number < plan.EDITED:
            self._edited[number] = write
        self._deliver(self._history.begin(write))

    def _edit(self) -> None:
        """Send the next edit of one own student, or the last one again while it has no answer."""
        ready = sorted(n for n, student in self._edited.items() if student.outcome.accepted)
        if not ready:
            return
        number = min(ready, key=lambda n: (self._sent(n) // plan.BURST, -(self._sent(n) % plan.BURST), n))
        last = self._last.get(number)
        if last is not None and not last.outcome.accepted and last.outcome is not Outcome.REJECTED:
            self._deliver(last)
            return
        student, count = self._edited[number], last.number + 1 if last else 1
        write = Write(f"drill-{self._seed}-e-{number}-{count}", Kind.EDIT, student.nome, count)
        write.id, write.body = student.id, {"observacoes": f"edit {count}"}
        self._last[number] = write
        self._deliver(self._history.begin(write))

    def _sent(self, number: int) -> int:
        return self._last[number].number if number in self._last else 0

    def _deliver(self, write: Write, seconds: float = _WRITE_SECONDS) -> None:
        if write in self._open:
            self._open.remove(write)
        outcome = self._sender.deliver(write, seconds)
        if outcome.accepted:
            self._accepted.append(write)
        elif outcome is not Outcome.REJECTED:
            self._open.append(write)

    def _on_the_side(self) -> None:
        """Now and then: a repeat, a reused key, a flawed write, a doomed one, a look."""
        chance = self._random.random
        if self._accepted and chance() < _REPEAT:
            self._sender.repeat(self._random.choice(self._accepted))
        if self._accepted and chance() < _REUSE:
            self._reuse(self._random.choice(self._accepted))
        if chance() < _FLAW:
            number = len(self._history.writes)
            body = plan.flawed(number)
            write = Write(
                f"drill-{self._seed}-f-{self._number}-{number}", Kind.REGISTER, body["nome"], body=body
            )
            write.flawed = True
            self._sender.deliver(self._history.begin(write), _WRITE_SECONDS)
        if self._orders.cutting() and chance() < _DOOM:
            self._register_another(plan.extra_doomed)
        if self._accepted and chance() < _LOOK:
            self._look(self._random.choice(self._accepted))

    def _look(self, write: Write) -> None:
        """Nothing, where the writer has no way to look."""

    def _reuse(self, write: Write) -> None:
        number = len(self._history.writes)
        ghost = Write(write.key, write.kind, write.nome, write.number, flawed=True, id=write.id)
        if write.kind is Kind.REGISTER:
            ghost.body = plan.ghost(number)
            ghost.nome = ghost.body["nome"]
        else:
            ghost.body = {"observacoes": f"ghost {number}"}
        self._sender.reuse(self._history.begin(ghost))

    def clear_up(self) -> None:
        """Ask again for whatever is still unknown."""
        end = time.monotonic() + _SETTLE_SECONDS
        for write in list(self._open):
            self._deliver(write, end - time.monotonic())

    def _hurried(self) -> bool:
        return self._orders.stop.is_set() and not self._orders.healed.is_set()


class Client(Writer):
    """A stranger at the HTTP interface, in a thread of its own."""

    def __init__(
        self, number: int, program: plan.Plan, seed: int, history: History, api: Api, orders: Orders
    ):
        super().__init__(number, program, seed, history, api, orders)
        self.done = threading.Event()  # with its plan; it still waits for the healing
        self.error: BaseException | None = None
        self._api = api
        self._thread = threading.Thread(target=self._run, name=f"client {number}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self, seconds: float) -> None:
        """Wait for its end."""
        self._thread.join(seconds)

    def _run(self) -> None:
        try:
            self.work(time.monotonic())
            self.done.set()
            self._orders.healed.wait()
            self.clear_up()
        except BaseException as error:
            # Whoever joins this thread looks here: a client that died quietly would prove nothing.
            self.error = error
        finally:
            self.done.set()

    def _look(self, write: Write) -> None:
        found = self._api.search(write.nome)
        names = [student.get("nome") for student in found.body.get("alunos", []) if isinstance(student, dict)]
        if found.status == 200 and write.nome not in names:
            self._history.count(f"accepted students not found by a search (fonte {found.body.get('fonte')})")
        self._api.status()
