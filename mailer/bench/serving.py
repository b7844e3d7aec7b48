"""A small server of ours beside a measurement: it says where it listens and serves until it is told to end."""

import signal
from collections.abc import Callable
from pathlib import Path
from types import FrameType


class _Told(Exception):
    """We were told to end."""


def _hear(_number: int, _frame: FrameType | None) -> None:
    raise _Told


def serve(port_file: Path, port: int, turn: Callable[[], None]) -> None:
    """Write the port, whole or not at all, and take turns until SIGTERM."""
    signal.signal(signal.SIGTERM, _hear)
    draft = port_file.with_suffix(".new")
    draft.write_text(str(port))
    draft.rename(port_file)
    try:
        while True:
            turn()
    except _Told:
        return
