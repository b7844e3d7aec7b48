"""Processes forked from us while we are warm: they share our memory and begin without starting Python again."""

import ctypes
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from mailer.core import logs
from mailer.embedded.processes import private_log

log = logging.getLogger(__name__)

PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15
M_ARENA_MAX = -8
LONGEST_NAME = 15
OUR_MARK = "mailer"
"""Stands on the command line of each of them, as on our own."""

_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def settle() -> None:
    """Call it once, when all that the children need is loaded: what is here now is shared and stays so."""
    if _LIBC is not None and hasattr(_LIBC, "mallopt"):
        # An arena for each thread would let small processes grow large.
        _LIBC.mallopt(M_ARENA_MAX, 2)
    gc.collect()
    gc.freeze()


def fork(name: str, module: str, work: Callable[[], object], log_file: Path) -> int:
    """Run `work` in a process and a session of its own, its words going to `log_file`; returns its process id.

    Only for a process with one thread and no open connections. Linux ends the child when we die, however we die;
    elsewhere the next run ends what is left over.
    """
    parent = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.valid_signals()))
    pid = os.fork()
    if pid:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        return pid
    status = 1
    try:
        _become(name, module, parent, log_file)
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        work()
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        # Nothing of ours further up may run in the child, whatever went wrong in it.
        _leave(status)


def _become(name: str, module: str, parent: int, log_file: Path) -> None:
    os.setsid()
    os.umask(0o077)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    with private_log(log_file) as words, Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(words.fileno(), 1)
        os.dup2(words.fileno(), 2)
    sys.stdout, sys.stderr = (os.fdopen(number, "w", 1, encoding="utf-8", closefd=False) for number in (1, 2))
    # Our lock on the data folder must not live on in a child, nor our log.
    for handle in [int(each.name) for each in Path("/dev/fd").iterdir()]:
        if handle > 2:
            with suppress(OSError):
                os.close(handle)
    logs.set_up()
    if _LIBC is not None:
        _LIBC.prctl(PR_SET_NAME, f"mailer {name}"[:LONGEST_NAME].encode(), 0, 0, 0)
        _LIBC.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
        _write_command_line(f"{OUR_MARK}: {module} ({name})")
        if os.getppid() != parent:
            os._exit(1)


def _write_command_line(words: str) -> None:
    """Say what this process is where `ps` looks: in the memory that held our arguments (proc(5), arg_start)."""
    try:
        facts = Path("/proc/self/stat").read_text(encoding="ascii", errors="replace").rsplit(")", 1)[1].split()
    except OSError:
        return
    start, end = int(facts[45]), int(facts[46])
    if 0 < start < end:
        room = end - start
        ctypes.memmove(start, words.encode()[:room - 1].ljust(room, b"\0"), room)


def _leave(status: int) -> NoReturn:
    error = sys.exc_info()[1]
    if error is not None:
        log.error("child_failed", exc_info=error)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
