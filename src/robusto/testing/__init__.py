"""For the tests of whoever uses the engine: a PostgreSQL in memory, and a clock that obeys.

    server = FakeServer()
    engine = Engine(config, connect=server.connect)

The engine, its journal and its use of the driver are the real ones; only the server is not there. It
knows the engine's own tables and remembers what handlers ran; it is no SQL database.
"""

from robusto.testing.clock import FakeClock
from robusto.testing.server import FakeServer
from robusto.testing.session import Session
from robusto.testing.values import Backup, Effect, Loss, SqlError

__all__ = ["Backup", "Effect", "FakeClock", "FakeServer", "Loss", "Session", "SqlError"]
