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
from drill import judging, report, witness
from drill.api import Api
from drill.app import App
from drill.checker import Verdict
from drill.clients import Client, Orders
from drill.faults import FAULTS, Fault, Scene
from drill.history import History
from drill.nemesis import Nemesis
from drill.plan import CLIENTS, Plan
from drill.processes import wait_until
from drill.proxy import Proxy
from drill.server import PostgreSQL

_OVERTIME = 1.5  # the clients may take this many times the planned time before they are stopped
_JOIN_SECONDS = 300.0


@dataclass
class Run:
    """What one run is made of."""

    plan: Plan
    seed: int
    faults: Sequence[Fault]
    tell: Callable[[str], None]

    def go(self) -> Verdict:
        """Set up, hurt, heal, judge, clear away. Logs are kept when the verdict is FAILED."""
        folder = Path(tempfile.mkdtemp(prefix="academia-drill-"))
        keep = True
        try:
            with ExitStack() as stack:
                verdict, app = self._on_stage(folder, stack)
            # Only now has every process said its last.
            verdict = verdict.noting(*judging.personal_data(app))
            keep = not verdict.ok
            return verdict
        except KeyboardInterrupt:
            keep = False
            raise
        finally:
            if keep:
                self.tell(f"logs and data are kept in {folder}")
            else:
                shutil.rmtree(folder, ignore_errors=True)

    def _on_stage(self, folder: Path, stack: ExitStack) -> tuple[Verdict, App]:
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
        before = api.status().body
        scene = Scene(server, proxy, app.pid, random.Random(self.seed))
        nemesis = Nemesis(scene, self.faults, self.plan, history, self.tell)
        self._hurt(nemesis, api, history)
        verdict = self._judge(app, api, scene, history, before)
        for line in report.story(history, nemesis.happened, proxy.commits):
            self.tell(line)
        return verdict.noting(*self._strength(nemesis, history)), app

    def _hurt(self, nemesis: Nemesis, api: Api, history: History) -> None:
        """Let the clients work while the nemesis strikes; return when all is healed and answered."""
        end = time.monotonic() + self.plan.seconds * _OVERTIME + 60

        def more() -> bool:
            return bool(nemesis.owes()) and nemesis.is_alive() and time.monotonic() < end

        orders = Orders(more)
        clients = [Client(n, self.plan, self.seed, history, api, orders) for n in range(CLIENTS)]
        self.tell(f"{CLIENTS} clients, {self.plan.registers} students, {self.plan.edits} edits")
        for client in clients:
            client.start()
        nemesis.start()
        try:
            wait_until(lambda: all(client.done.is_set() for client in clients), end - time.monotonic(), 0.2)
        finally:
            # Also upon Ctrl-C: a fault is healed by the thread that caused it.
            orders.stop.set()
            nemesis.ending.set()
            nemesis.join(_JOIN_SECONDS)
        self.tell("healed; the clients ask again for what is unknown")
        wait_until(lambda: all(client.done.is_set() for client in clients), _JOIN_SECONDS)
        orders.healed.set()
        for client in clients:
            client.join(_JOIN_SECONDS)
        for error in [nemesis.error, *(client.error for client in clients)]:
            if error is not None:
                raise error

    def _judge(self, app: App, api: Api, scene: Scene, history: History, before: dict[str, Any]) -> Verdict:
        drained = judging.drain(api, self.tell)
        judging.wait_for_zombies(scene, self.tell)
        evidence = judging.gather(api, scene, history, before)
        verdict = judging.verdict(evidence, history, app)
        return verdict if drained else verdict.noting("the drain did not end")

    def _strength(self, nemesis: Nemesis, history: History) -> list[str]:
        """A chosen few faults prove what they prove; the full set has to prove enough."""
        if set(self.faults) != set(FAULTS):
            return []
        return report.too_weak(history, nemesis.owes())
