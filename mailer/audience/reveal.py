"""Opening what is sealed under a person's own key. Only the gate, an export and an audited look may import this."""

from collections.abc import Sequence
from uuid import UUID

from mailer.core.vault import Opener


def reveal(opener: Opener, *, wrapped: bytes, person_id: int, sealed: bytes) -> str:
    """An address in the clear. Raises: KeyProblem."""
    return _open(opener, wrapped, person_id, sealed, "contact_point", person_id, "address")


def reveal_first_name(opener: Opener, *, wrapped: bytes, person_id: int, sealed: bytes) -> str:
    """A first name in the clear. Raises: KeyProblem."""
    return _open(opener, wrapped, person_id, sealed, "person", person_id, "first_name")


def reveal_lent(opener: Opener, *, wrapped: bytes, reserved: int, sealed: bytes, field: str) -> str:
    """A text of a tell-a-friend request, `sender_name` or `words`, in the clear. Raises: KeyProblem."""
    return _open(opener, wrapped, reserved, sealed, "friend_request", reserved, field)


def reveal_evidence(opener: Opener, *, wrapped: bytes, person_id: int, subject: UUID, sealed: bytes) -> str:
    """What a ledger row says, as JSON. Raises: KeyProblem."""
    return _open(opener, wrapped, person_id, sealed, "ledger", subject, "evidence")


Sealed = tuple[int, bytes | None, bytes, bytes | None]
"""A person's number, their wrapped key, their sealed address, and their sealed first name where it is wanted."""


def reveal_many(opener: Opener, people: Sequence[Sealed]) -> list[tuple[str, str] | None]:
    """Address and first name in the clear, person by person; None for one of whom anything does not open.

    A name that is absent is empty.
    """
    keys = opener.unwrap_many([(each[0], each[1]) for each in people])
    rows = list(zip(keys, people, strict=True))
    addresses = opener.open_many(
        [(key, each[0], each[2]) for key, each in rows], table="contact_point", field="address")
    if all(each[3] is None for each in people):
        return [None if address is None else (address, "") for address in addresses]
    names = opener.open_many([(key, each[0], each[3]) for key, each in rows], table="person", field="first_name")
    return [None if address is None or name is None else (address, name)
            for address, name in zip(addresses, names, strict=True)]


def _open(opener: Opener, wrapped: bytes, person_id: int, sealed: bytes, table: str, row: object, field: str) -> str:
    return opener.open(opener.unwrap(wrapped, person=person_id), sealed, table=table, row=row, field=field)
