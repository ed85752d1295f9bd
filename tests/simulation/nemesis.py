"""Whoever breaks things: draws faults from the plan, and at the end mends everything."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from robusto.testing import Backup, Loss, Session, SqlError
from tests.simulation.scheduler import Fuse
from tests.simulation.server import SimServer
from tests.simulation.world import KINDS, World

#: Steps at which a kill or a pause says most: right before and after something lasts.
_MOMENTS = (
    "pg COMMIT",
    "pg INSERT",
    "journal: turn",
    "journal: about",
    "journal: committed",
    "copies.db: turn",
)


class Nemesis:
    """One fault after the other, and several at once."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._dice = world.random
        self._over = False
        self._restored = 0
        self._late: dict[Session, tuple[float, bool]] = {}

    def run(self) -> None:
        """Until the end of the troubles."""
        if not self._world.plan.faults:
            return
        while not self._over:
            self._world.scheduler.sleep(self._dice.random() * self._world.plan.pace)
            if not self._over:
                self._strike(self._dice.choice(self._world.plan.faults))

    def keep(self) -> None:
        """What goes on beside the faults: the dead are replaced, late commits arrive."""
        world = self._world
        while True:
            world.scheduler.sleep(0.3 + self._dice.random())
            for node in [each for each in world.nodes if not each.process.alive]:
                world.reboot(node)
            for session in [each for each in world.server.sessions if each.late]:
                due, arrives = self._late.setdefault(session, self._fate())
                if world.scheduler.now >= due:
                    world.scheduler.note(f"late commit {'arrives' if arrives else 'is lost'}")
                    if arrives:
                        session.commit()
                    session.end()

    def _fate(self) -> tuple[float, bool]:
        patience = self._dice.choice([0.1, 3.0, 30.0, 30.0 if self._over else 200.0])
        return self._world.scheduler.now + patience, self._dice.random() < 0.7

    def mend(self) -> None:
        """The troubles are over; late commits are still to come."""
        world = self._world
        self._over = True
        world.scheduler.note("the troubles are over")
        world.server.start()
        world.server.refuse_logins(None)
        world.server.moods = type(world.server.moods)()
        for host in world.hosts:
            host.full = host.copies_fail = 0.0
            host.flushes.clear()
        for node in list(world.nodes):
            node.process.fuse = None
            if node.kinds != KINDS:
                world.reboot(node)

    def _strike(self, fault: str) -> None:
        world = self._world
        world.counts[fault] += 1
        world.scheduler.note(f"fault: {fault}")
        _STRIKES[fault](self)

    def _for_a_while(self, begin: Callable[[], None], end: Callable[[], None], seconds: float) -> None:
        def run() -> None:
            if self._over:
                return
            begin()
            self._world.scheduler.sleep(self._dice.random() * seconds)
            if not self._over:
                end()

        self._world.outsider("fault", run)

    # -- processes and clocks --------------------------------------------------------------------

    def kill(self) -> None:
        self._fuse(None)

    def stall(self) -> None:
        self._fuse(self._dice.choice([1.0, 5.0, 15.0, 40.0]))

    def _fuse(self, seconds: float | None) -> None:
        node = self._dice.choice(self._world.nodes)
        label = self._dice.choice(["", "", *_MOMENTS])
        steps = self._dice.randint(1, 4) if label else int(2 ** (self._dice.random() * 8))
        node.process.fuse = Fuse(steps, seconds, label)

    def drainer(self) -> None:
        """Whoever has the turn stands still in the middle of its work, for longer than its lease."""
        for node in self._world.nodes:
            if node.serves and node.drains:
                node.process.fuse = Fuse(
                    self._dice.randint(1, 3), self._dice.choice([5.0, 15.0]), self._dice.choice(_MOMENTS)
                )

    def old_program(self) -> None:
        self._world.reboot(self._dice.choice(self._world.nodes), KINDS[:1])

    def wall(self) -> None:
        host = self._dice.choice(self._world.hosts)
        host.clock.jumped += self._dice.choice([-1, 1]) * self._dice.choice([5, 3600, 25 * 3600, 80 * 3600])

    # -- PostgreSQL ----------------------------------------------------------------------------

    def outage(self) -> None:
        self._for_a_while(self._world.server.stop, self._world.server.start, 10)

    def flap(self) -> None:
        for _ in range(3):
            self._for_a_while(self._world.server.stop, self._world.server.start, 2)

    def freeze(self) -> None:
        self._for_a_while(self._world.server.freeze, self._world.server.start, 6)

    def login(self) -> None:
        server = self._world.server
        self._for_a_while(lambda: server.refuse_logins("28P01"), lambda: server.refuse_logins(None), 5)

    def commit(self, loss: Loss) -> None:
        losses = self._world.server.moods.losses
        share = self._dice.choice([0.1, 0.5, 1.0])
        self._for_a_while(lambda: losses.update({loss: share}), lambda: losses.update({loss: 0.0}), 4)

    def code(self, *codes: str) -> None:
        moods, code = self._world.server.moods.codes, self._dice.choice(codes)
        share = self._dice.choice([0.2, 0.5, 1.0])
        self._for_a_while(lambda: moods.update({code: share}), lambda: moods.update({code: 0.0}), 4)

    def broken(self) -> None:
        moods = self._world.server.moods
        self._for_a_while(lambda: setattr(moods, "broken", 0.1), lambda: setattr(moods, "broken", 0.0), 4)

    def row(self) -> None:
        self._lock(self._dice.choice(["r1", "r2"]), 15)

    def _lock(self, row: str, seconds: float) -> None:
        session = self._world.server.session()

        def run() -> None:
            with suppress(SqlError):  # the server went away meanwhile
                session.lock(row)
            self._world.scheduler.sleep(self._dice.random() * seconds)
            session.end()

        self._world.outsider("locker", run)

    def forbid(self) -> None:
        forbidden, kind = self._world.server.moods.forbidden, self._dice.choice(KINDS)
        self._for_a_while(lambda: forbidden.add(kind), lambda: forbidden.discard(kind), 8)

    def set_back(self) -> None:
        """Of two backups never the older one first: then a direct write is counted twice."""
        backup, line = self._world.server.backup(), self._restored

        def run() -> None:
            self._world.scheduler.sleep(self._dice.random() * 5)
            self._restore(backup, line, self._dice.random() * 2)

        self._world.outsider("restorer", run)

    def set_back_in_its_sleep(self) -> None:
        """It wakes with work in hand that was next in a history which PostgreSQL has forgotten."""
        world, sleep = self._world, self._world.scheduler.sleep
        backup, line = world.server.backup(), self._restored

        def run() -> None:
            sleep(self._dice.random() * 3)
            self._pause(world.server, 2)
            for node in world.nodes:
                node.process.fuse = Fuse(
                    self._dice.randint(1, 4), self._dice.choice([8.0, 15.0]), "pg INSERT"
                )
            world.scheduler.wait(self._somebody_sleeps, 5)
            if self._somebody_sleeps() and self._restore(backup, line, 0):
                for row in ("r1", "r2"):
                    self._lock(row, 15)

        world.outsider("restorer", run)

    def _restore(self, backup: Backup, line: int, seconds: float) -> bool:
        if self._over or line != self._restored:
            return False
        self._restored += 1
        self._world.server.restore(backup)
        self._world.scheduler.sleep(seconds)
        self._world.server.start()
        return True

    def _pause(self, server: SimServer, seconds: float) -> None:
        if not self._over:
            server.stop()
            self._world.scheduler.sleep(self._dice.random() * seconds)
            server.start()

    def _somebody_sleeps(self) -> bool:
        now = self._world.scheduler.now
        return any(node.process.stopped_until > now for node in self._world.nodes)

    # -- disks ---------------------------------------------------------------------------------

    def full(self) -> None:
        host, share = self._dice.choice(self._world.hosts), self._dice.choice([0.2, 1.0])
        self._for_a_while(lambda: setattr(host, "full", share), lambda: setattr(host, "full", 0.0), 4)

    def flush(self) -> None:
        self._dice.choice(self._world.hosts).flushes.append(self._dice.choice(["kept", "lost"]))

    def copies(self) -> None:
        host = self._dice.choice(self._world.hosts)
        self._for_a_while(
            lambda: setattr(host, "copies_fail", 0.5), lambda: setattr(host, "copies_fail", 0.0), 4
        )

    def damage(self) -> None:
        self._world.damage(self._dice.choice(self._world.hosts))


_STRIKES: dict[str, Callable[[Nemesis], None]] = {
    "kill": Nemesis.kill,
    "stall": Nemesis.stall,
    "drainer sleeps": Nemesis.drainer,
    "outage": Nemesis.outage,
    "flap": Nemesis.flap,
    "freeze": Nemesis.freeze,
    "login refused": Nemesis.login,
    "commit lost before": lambda it: it.commit(Loss.BEFORE),
    "commit lost after": lambda it: it.commit(Loss.AFTER),
    "commit late": lambda it: it.commit(Loss.LATE),
    "deadlock": lambda it: it.code("40P01", "40001", "55P03", "57014"),
    "odd code": lambda it: it.code("XX000", "55000"),
    "refused for a while": lambda it: it.code("23514", "22001", "23505"),
    "server's disk full": lambda it: it.code("53100"),
    "read only": lambda it: it.code("25006"),
    "broken connection": Nemesis.broken,
    "row locked": Nemesis.row,
    "kind forbidden": Nemesis.forbid,
    "wall clock jumps": Nemesis.wall,
    "journal full": Nemesis.full,
    "flush fails": Nemesis.flush,
    "copies fail": Nemesis.copies,
    "entry damaged": Nemesis.damage,
    "old program": Nemesis.old_program,
    "set back": Nemesis.set_back,
    "set back while the drainer sleeps": Nemesis.set_back_in_its_sleep,
}
