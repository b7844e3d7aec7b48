"""Opening what is sealed under a person's own key. Only the gate, an export and an audited look may import this."""

from uuid import UUID

from mailer.core.vault import Opener


def reveal(opener: Opener, *, wrapped: bytes, person_id: int, sealed: bytes) -> str:
    """An address in the clear. Raises: KeyProblem."""
    return _open(opener, wrapped, person_id, sealed, "contact_point", person_id, "address")


def reveal_first_name(opener: Opener, *, wrapped: bytes, person_id: int, sealed: bytes) -> str:
    """A first name in the clear. Raises: KeyProblem."""
    return _open(opener, wrapped, person_id, sealed, "person", person_id, "first_name")


def reveal_evidence(opener: Opener, *, wrapped: bytes, person_id: int, subject: UUID, sealed: bytes) -> str:
    """What a ledger row says, as JSON. Raises: KeyProblem."""
    return _open(opener, wrapped, person_id, sealed, "ledger", subject, "evidence")


def _open(opener: Opener, wrapped: bytes, person_id: int, sealed: bytes, table: str, row: object, field: str) -> str:
    return opener.open(opener.unwrap(wrapped, person=person_id), sealed, table=table, row=row, field=field)
