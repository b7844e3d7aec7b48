"""The words of single messages, from `templates/messages/email/<class>.txt` and `.html`.

The text template's first line is `Subject: …`; an HTML template may be missing, and then the letter is plain text,
as it is for everybody who chose text only.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined, TemplateNotFound

from mailer.context import Context
from mailer.core.channel import Clearance, Copy, Letter, Links, Recipient
from mailer.core.errors import InvalidInput
from mailer.core.links import Link
from mailer.core.messages import MessageClass
from mailer.organisation import profile as organisation
from mailer.outbox import offers
from mailer.outbox.assignment import sender_of
from mailer.outbox.models import SingleMessage
from mailer.outbox.offers import OfferInLetter
from mailer.policy import notices
from mailer.settings import resource_folder


@cache
def _words() -> tuple[Environment, Environment]:
    """Templates of text parts, which escape nothing, and of HTML parts, which escape everything."""
    loader = ChoiceLoader([FileSystemLoader(resource_folder("templates"))])
    plain = Environment(loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
                        autoescape=False)  # noqa: S701 - these parts are plain text.
    rich = Environment(loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=True)
    return plain, rich


def write(ctx: Context, single: SingleMessage, clearance: Clearance, detail: Mapping[str, Any]) -> Letter:
    """The letter of a single message.

    Raises: InvalidInput when a template lacks its subject line; OfferInLetter when it carries an offer (promise M2).
    """
    profile = organisation.current(ctx)
    notice = notices.in_force(ctx)
    values = {"brand": organisation.brand(profile, notice.version if notice else ""), "address": clearance.address,
              **clearance.fields, **detail}
    # Who chose text only gets one part, whatever the message (promise M16).
    said = render(f"messages/{single.channel}/{detail.get('template', single.kind)}", values,
                  text_only=clearance.text_only)
    if single.kind == MessageClass.INVITATION and not said.holds(detail["page"]):
        raise InvalidInput(field="template", why="a friend's message bears the link to say never")
    return Letter(
        sender=sender_of(ctx, profile, None, None), to=clearance.address, subject=said.subject,
        text=said.text, html=said.html, date=ctx.clock.now(), message_id=message_id(ctx, profile, single.id),
        headers=(("Auto-Submitted", "auto-generated"),))


@dataclass(frozen=True, repr=False)
class Said:
    """A template with its values put in; `html` is None where the letter is plain text."""

    subject: str
    text: str
    html: str | None

    def holds(self, link: str) -> bool:
        """Whether a link stands in every part."""
        return link in self.text and (self.html is None or f'href="{link}"' in self.html)


def render(name: str, values: Mapping[str, Any], *, text_only: bool = False) -> Said:
    """A template of a letter, such as `messages/email/invitation`.

    Raises: InvalidInput when its subject lacks; OfferInLetter.
    """
    must_offer_nothing(resource_folder("templates"), name)
    plain, rich = _words()
    head, _, body = plain.get_template(f"{name}.txt").render(values).partition("\n")
    if not head.startswith("Subject: "):
        raise InvalidInput(field="template", why="its first line is the subject")
    subject = head.removeprefix("Subject: ")
    html = None
    if not text_only:
        with suppress(TemplateNotFound):
            html = rich.get_template(f"{name}.html").render(values, subject=subject)
    return Said(subject, body.lstrip("\n"), html)


@cache
def must_offer_nothing(folder: Path, name: str) -> None:
    """What people get without having asked for offers holds none; read once, as the template was written.

    Raises: OfferInLetter.
    """
    for path in (folder / f"{name}.txt", folder / f"{name}.html"):
        if path.exists() and (found := offers.found(path.read_text(encoding="utf-8"))):
            raise OfferInLetter(template=name, found=found[0])


def message_id(ctx: Context, profile: organisation.Profile, single_id: int) -> str:
    """The same for every attempt at the same message."""
    return f"<{ctx.signer.sign(Link.MESSAGE_ID, single_id)}@{profile.domain}>"


def as_test_person(ctx: Context, copy: Copy, clearance: Clearance, single: SingleMessage, detail: Mapping[str, Any]
                   ) -> Recipient:
    """A campaign as one test person would get it: every link leads to the page that says it is a test."""
    profile = organisation.current(ctx)
    page = f"{profile.public_url}/test-link"
    return Recipient(
        address=clearance.address, text_only=bool(detail.get("text_only")), fields=detail.get("fields", {}),
        links=Links(page, page, page, page), message_id=message_id(ctx, profile, single.id),
        envelope_sender=copy.sender.address, date=ctx.clock.now())

