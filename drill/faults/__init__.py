"""The faults: what each one does, and what undoes it. Every one of them ends healed."""

from __future__ import annotations

import signal

from drill.faults import app, files, network, people, server
from drill.faults.scene import Fault, Scene, happening
from drill.proxy import Mode

__all__ = ["FAULTS", "Fault", "Scene", "choose", "happening"]

_CUT_SHARE = 0.3

FAULTS = (
    Fault("kill", "PostgreSQL is killed (-9)", 2.0, server.stopped_by(signal.SIGKILL)),
    Fault("backend-kill", "one backend is killed (-9), everybody is thrown out", 0.0, server.backend_killed),
    Fault("immediate", "PostgreSQL is stopped at once, as in a crash", 2.0,
          server.stopped_by(signal.SIGQUIT)),
    Fault("stop", "PostgreSQL is stopped in good order", 2.5, server.stopped_by(signal.SIGINT)),
    Fault("restart", "PostgreSQL is restarted", 0.0, server.stopped_by(signal.SIGINT)),
    Fault("freeze", "PostgreSQL is frozen as a whole, then thawed", 3.0, server.frozen),
    Fault("freeze-one", "one backend is frozen, thawed once its write was answered", 4.0,
          server.backend_frozen),
    Fault("set-back", "PostgreSQL is copied, written to, killed, and comes back as it was copied", 12.0,
          files.set_back, most=2),
    Fault("refuse", "connections are refused", 2.0, network.mode(Mode.REFUSE)),
    Fault("flap", "connections are refused and taken, each for a second", 5.0, network.flapping),
    Fault("black-hole", "connections lead into a black hole, then everything said arrives", 3.0,
          network.mode(Mode.BLACK_HOLE)),
    Fault("reset", "connections are reset", 2.0, network.mode(Mode.RESET)),
    Fault("drip", "one byte a second goes through", 3.0, network.mode(Mode.DRIP)),
    Fault("slow", "everything that is said takes its time", 3.0, network.mode(Mode.SLOW)),
    Fault("cut-before", "connections are cut before COMMIT", 4.0, network.cutting(_CUT_SHARE, 0.0),
          cuts=True),
    Fault("cut-after", "COMMIT is done, its answer is swallowed", 4.0, network.cutting(0.0, _CUT_SHARE),
          cuts=True),
    Fault("row-lock", "a forgotten transaction holds rows", 3.0, people.rows_locked),
    Fault("table-lock", "somebody holds the whole table", 3.0, people.table_locked),
    Fault("crowd", "others have taken all connections", 2.5, people.all_connections_taken),
    Fault("throw-out", "an operator throws everybody out", 0.0, people.everybody_thrown_out),
    Fault("cancel", "an operator cancels whatever runs", 2.0, people.statements_cancelled),
    Fault("read-only", "the server takes no writes", 2.5, people.read_only),
    Fault("password", "the password is another one, everybody is thrown out", 2.5, people.password_changed),
    Fault("ghost-standby", "COMMIT waits for a standby that is gone", 3.0, people.standby_gone),
    Fault("journal-lock", "another program holds the journal", 2.0, files.journal_locked),
    Fault("worker-kill", "a worker of the app is killed (-9)", 0.0, app.worker_killed),
    Fault("worker-freeze", "the worker that drains is frozen beyond its lease, then thawed", 12.0,
          app.drainer_frozen),
    Fault("recycle", "all workers of the app are replaced in good order", 1.0, app.workers_recycled),
    Fault("master-kill", "the app's web server is killed (-9)", 1.0, app.master_killed),
    Fault("submitter-kill", "a process that writes is killed (-9)", 0.0, app.submitter_killed),
)  # fmt: skip


def choose(names: str) -> tuple[Fault, ...]:
    """The faults of a comma list; all of them for an empty one. Raises ValueError, one line for a person."""
    by_kind = {fault.kind: fault for fault in FAULTS}
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in by_kind]
    if unknown:
        raise ValueError(f"FAULTS: no such fault: {', '.join(unknown)}. There are: {', '.join(by_kind)}.")
    return tuple(by_kind[name] for name in dict.fromkeys(wanted)) or FAULTS
