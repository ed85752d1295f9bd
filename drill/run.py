"""One run from the first process to the verdict."""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from academia.embedded.port import free_port
from drill import checker, judging, report, witness
from drill.api import Api
from drill.app import App
from drill.checker import Verdict
from drill.clients import Client, Orders
from drill.faults import FAULTS, Fault, Scene
from drill.history import History
from drill.leaks import held, leaks, warm_up
from drill.nemesis import Nemesis
from drill.plan import CLIENTS, SUBMITTERS, Plan
from drill.processes import wait_until
from drill.proxy import Proxy
from drill.report import Figures
from drill.server import PostgreSQL
from drill.submitters import Submitters

_OVERTIME = 1.5  # the clients may take this many times the planned time before they are stopped
_JOIN_SECONDS = 300.0


@dataclass
class Run:
    """What one run is made of."""

    plan: Plan
    seed: int
    faults: Sequence[Fault]
    tell: Callable[[str], None]

    def go(self) -> tuple[Verdict, Figures]:
        """Set up, hurt, heal, judge, clear away. Logs are kept when the verdict is FAILED."""
        folder = Path(tempfile.mkdtemp(prefix="academia-drill-"))
        keep = True
        try:
            with ExitStack() as stack:
                verdict, shown = self._on_stage(folder, stack)
            verdict = judging.read_logs(verdict, folder)
            keep = not verdict.ok
            return verdict, shown
        except KeyboardInterrupt:
            keep = False
            raise
        finally:
            if keep:
                self.tell(f"logs and data are kept in {folder}")
            else:
                shutil.rmtree(folder, ignore_errors=True)

    def _on_stage(self, folder: Path, stack: ExitStack) -> tuple[Verdict, Figures]:
        history = History()
        server = PostgreSQL(folder / "server")
        stack.callback(server.close)
        server.start()
        proxy = stack.enter_context(Proxy(free_port(), server.port, self.seed))
        app = App(folder, server.address(proxy.port), free_port())
        stack.callback(lambda: self.tell(f"the app ended within {app.stop():.1f} s"))
        app.start()
        app.wait_until_ready(Api(app.port, history))
        api = Api(app.port, history, app.make_token())
        witness.install(server.address())
        submitters = Submitters(app, self.plan, self.seed)
        stack.callback(submitters.close)
        scene = Scene(server, proxy, app, submitters, random.Random(self.seed))
        before = api.status().body
        warm_up(api, history, self.seed)
        warm = held(app.pid, proxy.port)
        nemesis = Nemesis(scene, self.faults, self.plan, history, self.tell)
        self._hurt(nemesis, scene, api, history)
        verdict, late = self._judge(api, scene, history, before)
        shown = report.figures(
            history, nemesis.happened, proxy.commits, late, (warm, held(app.pid, proxy.port))
        )
        verdict = verdict.noting(*leaks(shown.before, shown.after))
        # A chosen few faults prove what they prove; the full set has to prove enough.
        if set(self.faults) == set(FAULTS):
            verdict = verdict.noting(*shown.too_weak(self.plan.demands))
        return verdict, shown

    def _hurt(self, nemesis: Nemesis, scene: Scene, api: Api, history: History) -> None:
        """Let the writers work while the nemesis strikes, until all is healed and answered."""
        end = time.monotonic() + self.plan.seconds * _OVERTIME + 60

        def more() -> bool:
            return bool(nemesis.owes()) and nemesis.is_alive() and time.monotonic() < end

        orders = Orders(more, lambda: scene.proxy.cutting)
        clients = [Client(n, self.plan, self.seed, history, api, orders) for n in range(CLIENTS)]
        writers = f"{CLIENTS} clients, {SUBMITTERS} submitters"
        self.tell(f"{writers}, {self.plan.registers} students, {self.plan.edits} edits")
        for client in clients:
            client.start()
        scene.submitters.start()
        nemesis.start()

        def done() -> bool:
            return scene.submitters.done and all(client.done.is_set() for client in clients)

        try:
            wait_until(lambda: done() or not nemesis.is_alive(), end - time.monotonic(), 0.2)
        finally:
            # Also upon Ctrl-C: a fault is healed by the thread that caused it.
            orders.stop.set()
            nemesis.ending.set()
            nemesis.join(_JOIN_SECONDS)
        scene.submitters.stop()
        self.tell("healed; the writers ask again for what is unknown")
        wait_until(done, _JOIN_SECONDS)
        orders.healed.set()
        scene.submitters.heal(history, _JOIN_SECONDS)
        for client in clients:
            client.join(_JOIN_SECONDS)
        for error in [nemesis.error, *(client.error for client in clients)]:
            if error is not None:
                raise error

    def _judge(self, api: Api, scene: Scene, history: History, before: dict[str, Any]) -> tuple[Verdict, int]:
        """The verdict, and how many refusals followed an attempt that had no answer."""
        drained = judging.drain(api, self.tell)
        judging.wait_for_zombies(scene, self.tell)
        evidence = judging.gather(api, scene, history, before)
        verdict = judging.verdict(evidence, history, scene.app)
        late = checker.refused_late(evidence)
        return (verdict if drained else verdict.noting("the drain did not end")), late
