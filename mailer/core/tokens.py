"""Chance, passed in by hand."""

import secrets
import uuid
from typing import Protocol


class Tokens(Protocol):
    """Random values: ids and secrets."""

    def new_id(self) -> uuid.UUID: ...

    def random_bytes(self, size: int) -> bytes: ...


class SystemTokens:
    """The operating system's generator (CSPRNG)."""

    def new_id(self) -> uuid.UUID:
        return uuid.uuid4()

    def random_bytes(self, size: int) -> bytes:
        return secrets.token_bytes(size)
