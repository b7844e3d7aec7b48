"""Packing a cleared slice: each message built from its compiled program, addressed, and signed where a key is set."""

from collections.abc import Sequence

from mailer.core.channel import Batch, Clearance, Fate, Frame, Links, Outcome, Parcel
from mailer.core.errors import MailerError
from mailer.core.links import MAILED
from mailer.outbox.assignment import Assignment
from mailer.outbox.seat import Seat


def parcels(seat: Seat, task: Assignment, cleared: Sequence[Clearance]) -> tuple[list[Parcel], list[Outcome]]:
    """One parcel for each clearance, and a failed outcome for each that cannot be built."""
    services, campaign, sender = seat.services, task.terms.campaign_id, task.copy.sender.address
    build = batch(seat, task).build
    tokens = services.signer.sign_many(MAILED, [each.row for each in cleared], campaign)
    signer = services.mail_signers.of(sender)
    packed, failed = [], []
    for clearance, own in zip(cleared, tokens, strict=True):
        try:
            body = build(clearance.address, clearance.text_only, clearance.fields, own)
        except MailerError as error:
            failed.append(Outcome(clearance.row, Fate.FAILED, error.code))
            continue
        if signer is not None:
            body = signer.sign(body) + body
        packed.append(Parcel(clearance, sender, body, campaign, True))
    return packed, failed


def batch(seat: Seat, task: Assignment) -> Batch:
    """The campaign's program for messages of this second. Raises: MailerError when it cannot be compiled or printed."""
    return seat.batch(task.terms.channel, task.copy, _frame(seat, task))


def _frame(seat: Seat, task: Assignment) -> Frame:
    base = task.public_url
    # A Date has whole seconds (RFC 5322 section 3.3), so slices of one second share their frame.
    return Frame(seat.services.clock.now().replace(microsecond=0), Links(
        leave=f"{base}/u/", one_click=f"{base}/one-click/", preferences=f"{base}/p/", why=f"{base}/why/"),
        task.domain)
