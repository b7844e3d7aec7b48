"""What the Outbox holds of a person, for their erasure."""

from collections.abc import Sequence

from sqlalchemy import delete, or_, text
from sqlalchemy.orm import Session

from mailer.core.personal import Whom
from mailer.practice.models import PracticeItem

COVERS = frozenset({("practice_item", "sealed_to"), ("practice_item", "sealed_body"),
                    ("practice_item", "contact_point_id")})

# Whose message it was went with a wish that was taken back, or was never confirmed: nobody can tell any more.
LEFT_BEHIND = text("single_id IS NOT NULL "
                   "AND NOT EXISTS (SELECT FROM single_message s WHERE s.id = practice_item.single_id)")


def erase(db: Session, whom: Whom, single_ids: Sequence[int]) -> None:
    """Everything kept here that would have gone to them, or may have; `single_ids` are their single messages."""
    db.execute(delete(PracticeItem).where(or_(
        PracticeItem.contact_point_id.in_(whom.point_ids), PracticeItem.single_id.in_(single_ids), LEFT_BEHIND)))
