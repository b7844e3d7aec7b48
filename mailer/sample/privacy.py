"""The sample's privacy requests: one for a copy, one to be erased, both open and told that they have come."""

from sqlalchemy import select, text

from mailer.audience.models import ContactPoint, Person
from mailer.context import Context
from mailer.rights import requests

ASKED = (
    ("access", "unchecked", "Please send me everything that you hold about me."),
    ("erasure", "call_back", "Please erase me. You can ring me, the number is in my last letter."),
)
"""What is asked, how it was made sure who asks, and their words."""

# A certificate names its request and is never changed, so a request that led to one stays.
FORGET = text("DELETE FROM rights_request WHERE sample AND id NOT IN "
              "(SELECT request_id FROM erasure_certificate WHERE request_id IS NOT NULL)")


def add(ctx: Context) -> None:
    """Open the requests, of the first people of the sample."""
    points = ctx.db.scalars(select(ContactPoint).join(Person, Person.id == ContactPoint.person_id).where(
        Person.sample, ContactPoint.channel == requests.CHANNEL).order_by(ContactPoint.id).limit(len(ASKED))).all()
    for point, (kind, identity, note) in zip(points, ASKED, strict=True):
        made = requests.open_request(ctx, kind, source="desk", point=point, note=note, told=True)
        made.identity, made.sample = identity, True


def remove(ctx: Context) -> None:
    """Take the sample's requests away."""
    ctx.db.execute(FORGET)
