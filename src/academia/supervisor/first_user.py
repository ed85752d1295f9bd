"""The first administrator, made in a process of its own, which needs the app and argon2's memory."""

from __future__ import annotations

import os
import subprocess
import sys

from academia.settings import Settings
from academia.supervisor.ending import ends_with
from academia.supervisor.say import say

_LIMIT_SECONDS = 15.0


def make_first_user(settings: Settings) -> None:
    """Print the two lines of the first start. Where that fails it is said, and the app serves anyway."""
    try:
        made = subprocess.run(
            [sys.executable, "-m", "academia.acesso.primeiro"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=os.environ | {"ACADEMIA_VAR": str(settings.var)},
            start_new_session=True,
            preexec_fn=ends_with(os.getpid()),
            timeout=_LIMIT_SECONDS,
        )
    except subprocess.TimeoutExpired:
        say("O administrador não pôde ser criado: o disco não responde.")
        return
    lines = (made.stdout if made.returncode == 0 else made.stderr).strip()
    if lines:
        say(lines)
