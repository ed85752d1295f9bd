"""The engine for code that may run in the app or in a plain script."""

from __future__ import annotations

import atexit
import threading
from contextlib import suppress

from flask import current_app, has_app_context

from academia.api.sala import NOME, Sala
from academia.migrar import migrar
from academia.motor import montar_motor
from academia.settings import Settings
from robusto import Engine
from robusto.errors import DatabaseUnavailable


class MotorProprio:
    """An engine that is opened when it is first needed, and closed when the process ends."""

    def __init__(self) -> None:
        self._abrindo = threading.Lock()
        self._motor: Engine | None = None
        self._banco = ""
        self._migrado = False
        self._tentativa = threading.Thread()

    def motor(self) -> Engine:
        """That of the running app, else one of this process. Raises SettingsError, RobustoError."""
        if has_app_context() and isinstance(sala := current_app.extensions.get(NOME), Sala):
            return sala.motor
        with self._abrindo:
            if self._motor is None:
                self._motor = self._abrir()
            if not self._migrado:
                self._migrado = self._migrar(self._motor)
            return self._motor

    def _abrir(self) -> Engine:
        settings = Settings.load()
        self._banco = settings.database_url
        motor = montar_motor(settings).open()
        atexit.register(motor.close)
        return motor

    def _migrar(self, motor: Engine) -> bool:
        """Whether the tables are there. Where they are not they are made, and a call waits for that
        inside its deadline, so that a script's first write is stored where it can be."""
        try:
            achado = motor.read(lambda tx: tx.execute("SELECT to_regclass('alunos')").fetchone()[0])
        except DatabaseUnavailable:
            return False
        if achado is None:
            if not self._tentativa.is_alive():
                self._tentativa = threading.Thread(target=self._tentar, name="academia-migrar", daemon=True)
                self._tentativa.start()
            self._tentativa.join(motor.config.deadline_seconds)
        return achado is not None

    def _tentar(self) -> None:
        with suppress(Exception):  # the writes are pending until a later try goes through
            migrar(self._banco)


_PROPRIO = MotorProprio()


def motor() -> Engine:
    """The engine to use here."""
    return _PROPRIO.motor()
