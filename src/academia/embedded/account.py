"""Under which account PostgreSQL's programs run, since they refuse to run as root.

- An ordinary user: as that user. `initdb` asks for the user's name; a number without one, as containers have,
  gets one in a user namespace.
- Root: in a user namespace, where root has an ordinary number. Works under a 0700 folder and needs no copy.
- Root, and user namespaces are forbidden: as an existing unprivileged user, from a copy that it may read.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from academia.embedded.binaries import Binaries
from academia.embedded.errors import EmbeddedError
from academia.embedded.staging import staged_copy

# Any number but 0 would do; this one exists everywhere as "nobody".
_UNSHARE = ("unshare", "--user", "--map-user=65534", "--map-group=65534", "--")
_UNPRIVILEGED = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """How to run a program of `folder`, and who owns the files that it makes."""

    folder: Path
    prefix: tuple[str, ...] = ()
    uid: int | None = None
    """The user to become; None = stay who we are."""
    gid: int | None = None

    def popen(self, program: str, *arguments: str | Path, **options: object) -> subprocess.Popen[str]:
        """Start a program in a session of its own, without our PostgreSQL settings. Raises OSError."""
        command: Sequence[str | Path] = [*self.prefix, self.folder / program, *arguments]
        # PGDATA, PGPORT and the like belong to other servers; the server's own language stays neutral.
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))}
        environ |= {"LC_ALL": "C.UTF-8"}
        if self.uid is not None:
            options |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return subprocess.Popen(  # type: ignore[call-overload, no-any-return]
            command, text=True, env=environ, cwd="/", start_new_session=True, **options
        )

    def own(self, path: Path) -> None:
        """Give `path` and everything in it to the account. Raises OSError."""
        if os.geteuid() != 0:
            return
        uid, gid = self.uid or 0, self.gid or 0
        if path.stat().st_uid == uid:
            return
        for entry in (*path.rglob("*"), path):
            os.chown(entry, uid, gid, follow_symlinks=False)


def choose(binaries: Binaries, var: Path) -> Account:
    """The account for this process. Raises EmbeddedError, one line, where root finds none that works."""
    inside = Account(binaries.folder, prefix=_UNSHARE)
    if os.geteuid() != 0 and (_has_a_name(os.geteuid()) or not _can_run(inside)):
        return Account(binaries.folder)
    if _can_run(inside):
        return inside
    user = _unprivileged_user()
    var.chmod(var.stat().st_mode | 0o011)
    outside = Account(staged_copy(binaries.folder), uid=user.pw_uid, gid=user.pw_gid)
    if not _can_run(outside, reads=var):
        raise EmbeddedError(
            "o PostgreSQL não roda como root, os espaços de nomes de usuário são proibidos aqui, e o usuário "
            f"{user.pw_name} não alcança {var}. Indique em ACADEMIA_VAR uma pasta que ele alcance, rode como "
            "usuário comum ou defina DATABASE_URL"
        )
    return outside


def _has_a_name(uid: int) -> bool:
    try:
        return bool(pwd.getpwuid(uid))
    except KeyError:
        return False


def _unprivileged_user() -> pwd.struct_passwd:
    for name in _UNPRIVILEGED:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise EmbeddedError("o PostgreSQL não roda como root, e não há o usuário `postgres` nem `nobody`")


def _can_run(account: Account, reads: Path | None = None) -> bool:
    """Whether the account runs the server's program, and reaches the folder `reads`."""
    try:
        pipe = subprocess.DEVNULL
        process = account.popen("postgres", "--version", stdin=pipe, stdout=pipe, stderr=pipe)
        if process.wait(20) != 0:
            return False
        if reads is None:
            return True
        probe = Account(Path("/bin"), account.prefix, account.uid, account.gid)
        return probe.popen("sh", "-c", 'cd "$0"', reads, stdin=pipe, stdout=pipe, stderr=pipe).wait(20) == 0
    except (OSError, subprocess.SubprocessError):
        return False
