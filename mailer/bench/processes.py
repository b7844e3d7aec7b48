"""What the kernel says of processes: their CPU time and memory."""

import os
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
KB = 1024


def tree(root: int) -> list[int]:
    """A process and everything below it."""
    parents: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            parents.setdefault(int(fields[1]), []).append(int(entry.name))
    found, ahead = [root], [root]
    while ahead:
        below = parents.get(ahead.pop(), [])
        found += below
        ahead += below
    return found


def running(module: str, pids: list[int]) -> list[int]:
    """Those of them that run this Python module."""
    return [pid for pid in pids if module.encode() in _read(pid, "cmdline")]


def cpu_seconds(pids: list[int], *, ended_children: bool = False) -> float:
    """User and system time so far, on request with that of children that have ended and been waited for."""
    total = 0
    for pid in pids:
        if fields := _stat(pid):
            total += sum(int(each) for each in fields[11:15 if ended_children else 13])
    return total / TICKS


def server_cpu_seconds(leader: int) -> float:
    """CPU seconds of a server process and all it ever began and waited for, the living included."""
    below = [pid for pid in tree(leader) if pid != leader]
    return cpu_seconds(below) + cpu_seconds([leader], ended_children=True)


def peak_mb(pids: list[int]) -> float:
    """The largest resident set that any of them ever had, in MB."""
    return round(max((_kilobytes(pid, "status", b"VmHWM:") for pid in pids), default=0) / KB, 1)


def proportional_mb(pids: list[int]) -> float:
    """What they take together, pages that several share counted once (PSS), in MB."""
    return round(sum(_kilobytes(pid, "smaps_rollup", b"Pss:") for pid in pids) / KB, 1)


def _kilobytes(pid: int, file: str, label: bytes) -> int:
    for line in _read(pid, file).splitlines():
        if line.startswith(label):
            return int(line.split()[1])
    return 0


def _stat(pid: int) -> list[bytes]:
    """The fields of /proc/PID/stat behind the command: state, parent … user time is [11]."""
    return _read(pid, "stat").rpartition(b")")[2].split()


def _read(pid: int, file: str) -> bytes:
    try:
        return (PROC / str(pid) / file).read_bytes()
    except OSError:
        return b""
