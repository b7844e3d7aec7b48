"""Who PostgreSQL runs as: it refuses to be root."""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from mailer.core.errors import BadSettings

ACCOUNT = "mailer-postgres"


class Drop(TypedDict, total=False):
    """What subprocess needs to become another user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Identity:
    """As ourselves, inside a user namespace (`prefix`), or as another account (`uid`, `gid`)."""

    prefix: tuple[str, ...] = ()
    uid: int | None = None
    gid: int = 0

    def owner(self) -> int:
        """The user id that its files carry, as we see them."""
        return os.geteuid() if self.uid is None else self.uid

    def drop(self) -> Drop:
        """The arguments with which subprocess becomes this account; none where we stay who we are."""
        return {} if self.uid is None else {"user": self.uid, "group": self.gid, "extra_groups": []}

    def give(self, folder: Path) -> None:
        """Hand a folder and all in it over to this account, where it is not its own already."""
        if os.geteuid() != 0 or folder.stat().st_uid == self.owner():
            return
        for path in (folder, *folder.rglob("*")):
            os.chown(path, self.owner(), self.gid, follow_symlinks=False)

    def must_reach(self, data_dir: Path, program: Path) -> None:
        """Make sure that this account can enter the data folder and run the program.

        Raises: BadSettings saying which setting helps.
        """
        if self.uid is None:
            return
        data_dir.chmod(data_dir.stat().st_mode & 0o7777 | 0o011)
        (data_dir / "run").chmod(0o711)
        if not self._can(["/bin/sh", "-c", 'cd "$1"', "sh", str(data_dir)]):
            raise BadSettings(setting="MAILER_DATA_DIR", why=f"a folder that the user {self._name()} can enter")
        if not self._can([str(program), "--version"]):
            raise BadSettings(setting="DATABASE_URL", why=f"a PostgreSQL server of yours, because the user "
                              f"{self._name()} cannot run {program}")

    def _can(self, argv: list[str]) -> bool:
        tried = subprocess.run(argv, check=False, capture_output=True, cwd="/", **self.drop())  # noqa: S603 (fixed)
        return tried.returncode == 0

    def _name(self) -> str:
        return pwd.getpwuid(self.uid).pw_name if self.uid is not None else ""


def for_postgres(data: Path) -> Identity:
    """The identity for the server whose data lie in this folder (which may not be there yet).

    Raises: BadSettings where no way is open.
    """
    if os.geteuid() != 0 and _has_account(os.geteuid()):
        return Identity()
    if os.geteuid() == 0 and data.exists() and data.stat().st_uid not in (0, _uid_of(ACCOUNT)):
        owner = data.stat()
        return Identity(uid=owner.st_uid, gid=owner.st_gid)
    return _namespace() or _account()


def _namespace() -> Identity | None:
    unshare = shutil.which("unshare")
    other = next((entry for entry in pwd.getpwall() if entry.pw_uid != 0), None)
    if unshare is None or other is None:
        return None
    prefix = (unshare, "--user", f"--map-user={other.pw_uid}", f"--map-group={other.pw_gid}", "--")
    tried = subprocess.run([*prefix, "/bin/sh", "-c", ":"], check=False, capture_output=True)  # noqa: S603 (fixed)
    return Identity(prefix=prefix) if tried.returncode == 0 else None


def _account() -> Identity:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if os.geteuid() == 0 and _uid_of(ACCOUNT) is None and useradd is not None:
        subprocess.run([useradd, "--system", "--no-create-home", "--user-group",  # noqa: S603 (fixed)
                        "--shell", "/usr/sbin/nologin", ACCOUNT], check=False, capture_output=True)
    if os.geteuid() != 0 or _uid_of(ACCOUNT) is None:
        raise BadSettings(setting="DATABASE_URL", why="a PostgreSQL server of yours, because this machine allows "
                          "neither a user namespace nor an account for a private one")
    entry = pwd.getpwnam(ACCOUNT)
    return Identity(uid=entry.pw_uid, gid=entry.pw_gid)


def _has_account(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _uid_of(name: str) -> int | None:
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None
