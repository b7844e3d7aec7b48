"""Messages in the Outbox, put there the way dispatch does it."""

from mailer.core.channel import Copy, Letter, Recipient
from mailer.core.vault import Use
from mailer.practice.models import PracticeItem
from mailer.services import Services, unit_of_work
from tests.channels.email_samples import a_copy, a_letter, a_recipient


def keep(services: Services, to: str, body: bytes, *, campaign_id: int | None = None, single_id: int | None = None
         ) -> int:
    """One message, sealed as the transport seals it."""
    def seal(plain: bytes, field: str) -> bytes:
        return services.sealer.seal_shared(Use.OUTBOX, plain, table="practice_item", row=0, field=field)

    with unit_of_work(services) as ctx:
        item = PracticeItem(
            at=ctx.clock.now(), channel="email", campaign_id=campaign_id, single_id=single_id, seen=False,
            size=len(body), sealed_to=seal(to.encode(), "to"), sealed_body=seal(body, "body"))
        ctx.db.add(item)
        ctx.db.flush()
        return item.id


def a_letter_body(services: Services, **changes: object) -> bytes:
    letter: Letter = a_letter(**changes)
    return services.channels["email"].compose(letter)


def a_campaign_body(services: Services, recipient: Recipient | None = None, copy: Copy | None = None) -> bytes:
    program = services.channels["email"].compile(copy or a_copy())
    return program.build(recipient or a_recipient())
