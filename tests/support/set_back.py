"""A PostgreSQL that forgets: its data folder is copied, run on, and replaced by the copy."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.support.postgres_server import PostgresServer


class Backup:
    """A copy of the server's data folder as it was when this was made."""

    def __init__(self, server: PostgresServer, folder: Path) -> None:
        self._server = server
        self._copy = folder
        server.stop()
        shutil.copytree(server.cluster.data, folder, symlinks=True)
        server.start()

    def put_in_place(self) -> None:
        """The server is stopped, and the copy is what it finds when it starts."""
        self._server.stop()
        shutil.rmtree(self._server.cluster.data)
        shutil.copytree(self._copy, self._server.cluster.data, symlinks=True)

    def restore(self) -> None:
        """The same, and started."""
        self.put_in_place()
        self._server.start()
