"""What the exits file holds: goodbyes, their lifting, and the heads of chains (decisions 19 and 20)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID


class ExitKind(StrEnum):
    """`exit` suppresses, `lift` takes a suppression back, `erasure` forgets a person.

    `head` and `audit_head` are signed heads of the ledger's chain and of the audit trail's.
    """

    EXIT = "exit"
    LIFT = "lift"
    ERASURE = "erasure"
    HEAD = "head"
    AUDIT_HEAD = "audit_head"


HEADS = frozenset({ExitKind.HEAD, ExitKind.AUDIT_HEAD})


@dataclass(frozen=True)
class ExitLine:
    """One line of the file: fingerprints and ids only. `number` orders the lines of one host."""

    id: UUID
    number: int
    kind: ExitKind
    at: datetime
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Head:
    """A signed head of a chain (decision 20)."""

    number: int
    hash: bytes
    signature: bytes

    @classmethod
    def of(cls, line: ExitLine) -> "Head":
        """The head that a line remembers."""
        detail = line.detail
        return cls(int(detail["number"]), bytes.fromhex(detail["hash"]), bytes.fromhex(detail["signature"]))

    def line(self, at: datetime, kind: ExitKind = ExitKind.HEAD) -> ExitLine:
        """The head as a line. Its id follows from the head, so that noting it twice is noting it once."""
        return ExitLine(UUID(bytes=self.hash[:16]), int(at.timestamp() * 1_000_000), kind, at, {
            "number": self.number, "hash": self.hash.hex(), "signature": self.signature.hex()})


class ExitsLog(Protocol):
    """The file of this host: append, then fsync, then answer."""

    @property
    def host(self) -> str: ...

    def append(self, lines: Iterable[ExitLine]) -> None:
        """Write and fsync. Raises OSError when the disk will not take it: the request then fails, 503."""
