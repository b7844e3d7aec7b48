"""Whom a copy or an erasure is about, as every package's `personal_data.py` is told."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, repr=False)
class Place:
    """One address of theirs, without the address: its number, and the fingerprint by which it is found."""

    contact_point_id: int
    channel: str
    fingerprint: bytes
    version: int


@dataclass(frozen=True)
class Whom:
    """A person by number, the ledger's random name for them, and their places."""

    person_id: int
    subject: UUID
    places: tuple[Place, ...]

    @property
    def point_ids(self) -> list[int]:
        """The numbers of their contact points."""
        return [place.contact_point_id for place in self.places]

    @property
    def fingerprints(self) -> list[bytes]:
        """The fingerprints of their addresses."""
        return [place.fingerprint for place in self.places]
