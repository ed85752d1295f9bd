"""The people of the simulation: clients who write and repeat themselves, operators who decide."""

from __future__ import annotations

from itertools import islice

from robusto.errors import JournalError
from tests.simulation.history import Request, Wish
from tests.simulation.scheduler import Task
from tests.simulation.world import KINDS, Node, World

#: Tries of one write before its client gives up.
_TRIES = 5


class Client:
    """Sends one write after the other, each once the last was answered or given up."""

    def __init__(self, world: World, number: int) -> None:
        self._world = world
        self._dice = world.random
        self._name = f"c{number}"
        self._home = self._dice.randrange(world.plan.hosts)
        self._sent: list[Wish] = []
        self.done = False

    def run(self) -> None:
        """All its writes."""
        for number in range(self._world.plan.writes):
            wish = self._wish(number)
            self._sent.append(wish)
            self._insist(wish)
            self._pause()
        self.done = True

    def _wish(self, number: int) -> Wish:
        plan, dice = self._world.plan, self._dice
        others = [request.wish for request in self._world.history.requests[-20:]]
        if others and dice.random() < plan.copied:
            return dice.choice(others)
        if self._sent and dice.random() < plan.other_bodies:
            old = dice.choice(self._sent)
            return Wish(old.key, f"{old.body}'", old.kind, old.ordering)
        key = f"{self._name}.{number}"
        names = [f"o{n}" for n in range(plan.orderings)]
        ordering = tuple(sorted(dice.sample(names, dice.choice([0, 1, 1, min(2, len(names))]))))
        parent = dice.choice(self._sent) if self._sent and dice.random() < plan.parents else None
        return Wish(
            key, "v", dice.choice(KINDS), (f"k{key}", *ordering),
            after=(f"k{parent.key}",) if parent else (), parent=parent.key if parent else "",
            row=dice.choice(["", "r1", "r2"]), poison=dice.random() < plan.poison,
        )  # fmt: skip

    def _insist(self, wish: Wish) -> None:
        """Until there is a clear answer, or patience is over; now and then once more for nothing."""
        for _ in range(_TRIES):
            node = self._node()
            if node is None:
                self._pause()
                continue
            first = self._world.submit(node, wish)
            if self._dice.random() < self._world.plan.repeats:  # a double click, or another tab
                self._world.submit(self._node() or node, wish)
            self._await(first)
            clear = first.accepted or (first.answer or "").startswith("rejected")
            if clear and self._dice.random() >= self._world.plan.repeats / 2:
                return
            if not clear and self._dice.random() < 0.2:
                return
            self._pause()

    def _node(self) -> Node | None:
        away = self._dice.random() < self._world.plan.abroad
        host = self._dice.randrange(self._world.plan.hosts) if away else self._home
        serving = self._world.serving(host)
        return self._dice.choice(serving) if serving else None

    def _await(self, request: Request) -> None:
        patience = self._dice.choice([3.0, 10.0, 60.0])
        self._world.scheduler.wait(lambda: request.ended is not None, patience)

    def _pause(self) -> None:
        self._world.scheduler.sleep(self._dice.random() * self._world.plan.pause)


def operate(world: World) -> None:
    """An operator: looks into the quarantine, decides, clicks on Processar Pendentes; ends with the day."""
    dice = world.random
    looking: Task | None = None
    while not (world.closed and (looking is None or looking.done)):
        world.scheduler.sleep(dice.random() * world.plan.pace)
        serving = world.serving()
        if serving and not world.closed and (looking is None or looking.done):
            node = dice.choice(serving)
            looking = world.call(node, "operator", lambda node=node: _look(world, node))  # type: ignore[misc]


def _look(world: World, node: Node) -> None:
    dice, engine = world.random, node.engine
    assert engine is not None
    engine.status()
    try:
        if dice.random() < 0.3:
            engine.drain()
        for entry in list(islice(engine.quarantine.list(), 5)):
            if dice.random() < 0.5:
                world.counts["operator decides"] += 1
                world.decide(node, entry, dice.choice(["requeue", "requeue", "discard"]), dice.random() < 0.7)
    except JournalError:
        return
