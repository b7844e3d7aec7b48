"""One `mailer run` a data folder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mailer.embedded.errors import AlreadyRunning
from mailer.embedded.folders import private_folder
from mailer.embedded.processes import read_pid


@contextmanager
def only_run(data_dir: Path) -> Iterator[None]:
    """Hold the data folder for as long as the block lasts; the kernel lets go when we die.

    Raises: AlreadyRunning naming the folder and the process that holds it.
    """
    private_folder(data_dir)
    file = private_folder(data_dir / "run") / "lock"
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(folder=str(data_dir), pid=read_pid(file)) from None
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


def is_held(data_dir: Path) -> bool:
    """Whether a `mailer run` holds this data folder now."""
    try:
        handle = os.open(data_dir / "run" / "lock", os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
