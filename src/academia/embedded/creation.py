"""Making a cluster's data folder, in one step: a killed first start leaves no half-made cluster behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from academia.embedded.account import Account
from academia.embedded.errors import EmbeddedError
from academia.embedded.port import HOST
from academia.made_once import flush_folder, write_scratch

_SECONDS = 120
_BUILTIN_LOCALE_SINCE = 17
_SCRATCH = "postgres.new-"

# No personal data in the server's log: its ERROR lines repeat values ("Key (cpf)=(…)"), so they stay out.
_CONFIGURATION = """\
# Written by the app at every start: changes here are lost. Yours go into postgresql.conf, below the include.
listen_addresses = '{host}'
port = {port}
unix_socket_directories = ''
max_connections = 100
password_encryption = 'scram-sha-256'
synchronous_commit = on
max_wal_size = '256MB'
log_destination = 'stderr'
logging_collector = off
log_min_messages = log
log_min_error_statement = panic
log_error_verbosity = terse
log_checkpoints = off
"""


def create(data: Path, account: Account, major: int, password: str, database: str) -> None:
    """Make the cluster with the superuser `postgres` and one empty database.

    Raises EmbeddedError with what the program said, OSError where the folder cannot be written.
    """
    for leftover in data.parent.glob(f"{_SCRATCH}*"):
        shutil.rmtree(leftover)
    scratch = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=data.parent))
    secret = write_scratch(data.parent / "initdb-senha", password)
    try:
        account.own(scratch)
        account.own(secret)
        locale = ("--locale-provider=builtin",) if major >= _BUILTIN_LOCALE_SINCE else ()
        _run(
            account, "initdb", "-D", scratch, "-U", "postgres", f"--pwfile={secret}", "--encoding=UTF8",
            "--auth=scram-sha-256", "--data-checksums", *locale, "--locale=C.UTF-8",
        )  # fmt: skip
        with (scratch / "postgresql.conf").open("a") as file:
            file.write("\ninclude = 'app.conf'\n")
            file.flush()
            os.fsync(file.fileno())
        configure(scratch, account, 1)
        # Single-user mode: the database is there before the server first listens.
        _run(
            account,
            "postgres",
            "--single",
            "-D",
            scratch,
            "postgres",
            stdin=f'CREATE DATABASE "{database}"\n',
        )
        scratch.rename(data)
        flush_folder(data.parent)
    finally:
        secret.unlink()
        shutil.rmtree(scratch, ignore_errors=True)


def configure(data: Path, account: Account, port: int) -> None:
    """Write the app's part of the server's configuration. Raises OSError."""
    scratch = write_scratch(data / "app.conf", _CONFIGURATION.format(host=HOST, port=port))
    account.own(scratch)
    scratch.replace(data / "app.conf")


def _run(account: Account, program: str, *arguments: str | Path, stdin: str = "") -> None:
    """Run a program to its end. Raises EmbeddedError with the last line that it wrote."""
    pipe = subprocess.PIPE
    process = account.popen(program, *arguments, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT)
    try:
        said = process.communicate(stdin, timeout=_SECONDS)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        said = process.communicate()[0] + f"\nnão terminou em {_SECONDS} s"
    if process.returncode != 0 or "ERROR:" in said:
        last = said.strip().splitlines()[-1:] or ["sem mensagem"]
        raise EmbeddedError(f"{program} falhou (saída {process.returncode}): {last[0]}")
