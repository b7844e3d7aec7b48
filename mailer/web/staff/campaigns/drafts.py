"""What the composer's form holds: read, compared with what is stored, and kept."""

from dataclasses import dataclass

from flask import request

from mailer.campaigns import compose, review
from mailer.campaigns.models import Campaign
from mailer.content import versions
from mailer.context import Context
from mailer.core.errors import Conflict, InvalidInput
from mailer.lists import catalogue
from mailer.lists.models import MailingList
from mailer.organisation import senders
from mailer.web.staff.fields import whole_number

LONGEST_MESSAGE = 20 * versions.LARGEST_BODY
"""Characters read of what was posted, so that what is far too large is refused with its size, not cut."""
"""Characters read of a message, so that one beyond the limit is shown again whole; the request has a limit too."""

LANGUAGES = (("en", "English"), ("ar", "العربية"), ("de", "Deutsch"), ("es", "Español"), ("fr", "Français"),
             ("he", "עברית"), ("it", "Italiano"), ("ja", "日本語"), ("ko", "한국어"), ("nl", "Nederlands"),
             ("pl", "Polski"), ("pt", "Português"), ("tr", "Türkçe"), ("uk", "Українська"), ("yo", "Yorùbá"),
             ("zh", "中文"))

SENTENCES = {
    "subject": "Type a subject of one line, at most 200 characters.",
    "preview_line": "Use one line of at most 200 characters.",
    "body": "The message holds a character that cannot be printed.",
    "list": "Choose an audience from the list.",
    "topic": "Choose an audience from the list.",
}
FIELD_IDS = {"body": "markdown", "list": "audience", "topic": "audience"}


def sentence(error: InvalidInput) -> str:
    """What the form says beside the field that an error names."""
    if "octets" in error.context:
        size, most = int(str(error.context["octets"])), versions.LARGEST_BODY
        return f"The message is {size / 1000:,.0f} kB long, and {most / 1000:,.0f} kB are the most."
    return SENTENCES.get(str(error.context["field"]), "This cannot be saved as it is.")


@dataclass(frozen=True)
class Typed:
    """The form as somebody left it."""

    version: int
    audience: str
    sender: str
    subject: str
    preview_line: str
    markdown: str
    language: str

    @property
    def list_id(self) -> int:
        return whole_number(self.audience.partition(":")[0]) or 0

    @property
    def topic_id(self) -> int | None:
        return whole_number(self.audience.partition(":")[2])

    @property
    def sender_id(self) -> int | None:
        return whole_number(self.sender)

    @property
    def words(self) -> compose.Words:
        return compose.Words(self.subject.strip(), self.markdown, self.preview_line.strip(), self.language)


def posted() -> Typed:
    """The form as posted; line ends as browsers send them become plain ones."""
    def raw(name: str, longest: int = 1_000) -> str:
        return request.form.get(name, "")[:longest].replace("\x00", "").replace("\r\n", "\n")

    language = raw("language")
    return Typed(
        version=whole_number(raw("version")) or 0, audience=raw("audience"), sender=raw("sender"),
        subject=raw("subject"), preview_line=raw("preview_line"), markdown=raw("markdown", LONGEST_MESSAGE),
        language=language if language in dict(LANGUAGES) else "en")


def stored(ctx: Context, campaign: Campaign) -> Typed:
    """The form as the campaign stands."""
    said = versions.get(ctx, campaign.content_id or 0)
    audience = f"{campaign.list_id}:{campaign.topic_id}" if campaign.topic_id else str(campaign.list_id)
    return Typed(
        version=campaign.version, audience=audience, sender=str(campaign.sender_id or ""), subject=said.subject,
        preview_line=said.preview_line, markdown=said.markdown, language=said.language)


def create(ctx: Context, typed: Typed, staff_id: int) -> Campaign:
    """A draft of these words. Raises: InvalidInput naming a field."""
    return compose.create(ctx, list_id=typed.list_id, topic_id=typed.topic_id, words=typed.words, staff_id=staff_id,
                          sender_id=_sender_in_use(ctx, typed))


def keep(ctx: Context, number: int, typed: Typed) -> Campaign:
    """Save what differs. The same words posted twice are saved once, and take back no approval.

    Raises: Conflict when somebody else saved other words meanwhile; InvalidInput naming a field.
    """
    campaign = compose.lock(ctx, number)
    before = stored(ctx, campaign)
    if campaign.state not in compose.EDITABLE:
        raise Conflict(campaign=number)
    if same(before, typed):
        return campaign
    saved = compose.save(
        ctx, number, version=typed.version, words=typed.words, list_id=typed.list_id, topic_id=typed.topic_id,
        sender_id=_sender_in_use(ctx, typed))
    review.note_change(ctx, saved)
    return saved


def same(one: Typed, other: Typed) -> bool:
    """Whether both say the same to the same people, whatever their version."""
    return (one.words, one.list_id, one.topic_id, one.sender_id) == (
        other.words, other.list_id, other.topic_id, other.sender_id)


def audiences(ctx: Context) -> list[tuple[str, str]]:
    """Lists and their topics to choose from."""
    found: list[tuple[str, str]] = []
    for each in ctx.db.query(MailingList).filter_by(archived=False).order_by(MailingList.name):
        topics = catalogue.topics_of(ctx, each.id)
        found.append((str(each.id), f"{each.name}: all topics" if len(topics) > 1 else each.name))
        if len(topics) > 1:
            found += [(f"{each.id}:{topic.id}", f"{each.name}: {topic.name}") for topic in topics]
    return found


def _sender_in_use(ctx: Context, typed: Typed) -> int | None:
    return typed.sender_id if typed.sender_id in {each.id for each in senders.listed(ctx)} else None
