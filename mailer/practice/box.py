"""Keeping, finding and emptying what would have left. Opening takes the opener of the one who shows it."""

from collections.abc import Callable, Sequence

from sqlalchemy import ColumnElement, TextClause, delete, func, select, text, true, update
from sqlalchemy.orm import Session

from mailer.core.errors import NotFound
from mailer.core.vault import Opener, Use
from mailer.practice import read
from mailer.practice.models import PracticeItem
from mailer.practice.transport import KEPT

TABLE, ROW = "practice_item", 0

NOT_ANOTHER_ONES = text("""
    NOT EXISTS (SELECT FROM single_message s WHERE s.id = practice_item.single_id
                AND s.class IN ('staff', 'staff_invitation') AND s.staff_id <> :staff_only_of)
""")
"""Invitations and sign-in mail carry the powers of the colleague they are for."""


def listed(db: Session, *, staff_only_of: int | None, before: int | None = None, size: int = 50
           ) -> Sequence[PracticeItem]:
    """The newest messages, or those before an id.

    `staff_only_of` is the member of staff who asks: staff mail of colleagues is left out. None leaves out nothing.
    """
    query = select(PracticeItem).where(_open_to(staff_only_of)).order_by(PracticeItem.id.desc()).limit(size)
    return db.scalars(query if before is None else query.where(PracticeItem.id < before)).all()


def get(db: Session, item_id: int, *, staff_only_of: int | None) -> PracticeItem:
    """One message. Raises: NotFound, also for staff mail of a colleague."""
    item = None
    if 0 < item_id < 1 << 63:
        item = db.scalar(select(PracticeItem).where(_open_to(staff_only_of)).where(PracticeItem.id == item_id))
    if item is None:
        raise NotFound(practice_item=item_id)
    return item


def find(db: Session, opener: Opener, words: str, shown: Callable[[PracticeItem, str], str], *,
         staff_only_of: int | None, most: int = 100) -> list[PracticeItem]:
    """The newest messages in whose subject or recipient, as the asker is shown it, every word stands."""
    wanted = words.casefold().split()
    query = select(PracticeItem).where(_open_to(staff_only_of)).order_by(PracticeItem.id.desc()).limit(KEPT)
    found: list[PracticeItem] = []
    for item in db.scalars(query.execution_options(yield_per=100)):
        line = f"{read.subject_of(body(opener, item))} {shown(item, recipient(opener, item))}".casefold()
        if all(word in line for word in wanted):
            found.append(item)
        if len(found) == most:
            break
    return found


def recipient(opener: Opener, item: PracticeItem) -> str:
    """The address it would have gone to. Raises: KeyProblem."""
    return opener.open_shared(Use.OUTBOX, item.sealed_to, table=TABLE, row=ROW, field="to").decode()


def body(opener: Opener, item: PracticeItem) -> bytes:
    """The message as it would have been handed over. Raises: KeyProblem."""
    return opener.open_shared(Use.OUTBOX, item.sealed_body, table=TABLE, row=ROW, field="body")


def count(db: Session, *, staff_only_of: int | None) -> int:
    """How many there are."""
    return db.scalar(select(func.count()).select_from(PracticeItem).where(_open_to(staff_only_of))) or 0


def count_new(db: Session, *, staff_only_of: int | None) -> int:
    """How many nobody has looked at."""
    return db.scalar(select(func.count()).select_from(PracticeItem).where(_open_to(staff_only_of)).where(
        PracticeItem.seen.is_(False))) or 0


def mark_seen(db: Session, item_id: int | None = None, *, staff_only_of: int | None) -> None:
    """Take the New mark off one message, or off all of them."""
    query = update(PracticeItem).where(PracticeItem.seen.is_(False), _open_to(staff_only_of)).values(seen=True)
    db.execute(query if item_id is None else query.where(PracticeItem.id == item_id))


def empty(db: Session) -> int:
    """Throw away everything that would have left; returns how many messages that were (going Live, decision 32)."""
    return len(db.scalars(delete(PracticeItem).returning(PracticeItem.id)).all())


def _open_to(staff_only_of: int | None) -> ColumnElement[bool] | TextClause:
    return true() if staff_only_of is None else NOT_ANOTHER_ONES.bindparams(staff_only_of=staff_only_of)
