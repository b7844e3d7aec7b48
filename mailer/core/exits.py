"""What the exits file holds: goodbyes, their lifting, and the ledger's heads (decisions 19 and 20)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID


class ExitKind(StrEnum):
    """`exit` suppresses, `lift` takes a suppression back, `erasure` forgets a person, `head` is a signed chain head."""

    EXIT = "exit"
    LIFT = "lift"
    ERASURE = "erasure"
    HEAD = "head"


@dataclass(frozen=True)
class ExitLine:
    """One line of the file: fingerprints and ids only. `number` orders the lines of one host."""

    id: UUID
    number: int
    kind: ExitKind
    at: datetime
    detail: dict[str, Any] = field(default_factory=dict)


class ExitsLog(Protocol):
    """The file of this host: append, then fsync, then answer."""

    @property
    def host(self) -> str: ...

    def append(self, lines: Iterable[ExitLine]) -> None:
        """Write and fsync. Raises OSError when the disk will not take it: the request then fails, 503."""
