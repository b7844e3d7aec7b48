"""One consent on one sheet: the words, the form, the notice of that day, the times, and every change since."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from mailer.audience.models import ContactPoint, Person
from mailer.consent import history
from mailer.consent.history import Moment
from mailer.consent.models import LedgerHead, LedgerSeal
from mailer.context import Context
from mailer.core import papers
from mailer.core.errors import NotFound
from mailer.core.vault import Opener
from mailer.lists import drawn, forms
from mailer.lists.models import Form, FormVersion, MailingList, Topic, Wording
from mailer.organisation import profile
from mailer.organisation.models import Instance
from mailer.policy import partners
from mailer.policy.models import Notice


@dataclass(frozen=True)
class Act:
    """One act with its evidence; `chain` is its link in the ledger, empty while it is not sealed yet.

    `asked_at` and times are ISO 8601 in UTC. A form is drawn as it stood on its page.
    """

    number: int
    at: str
    act: str
    purpose: str
    mode: str
    how: str
    source: str
    note: str
    words: str
    words_sha256: str
    form: str
    form_version: int
    drawn: tuple[str, ...]
    notice: str
    notice_text: str
    partner_list: int
    partners: tuple[str, ...]
    chain: str


@dataclass(frozen=True, repr=False)
class Proof:
    """Everything on the sheet but the address, which is opened for who has a reason."""

    made_at: str
    made_by: str
    instance: str
    controller: dict[str, str]
    subject: str
    channel: str
    contact_point: int
    list_name: str
    topic_name: str
    acts: tuple[Act, ...]
    head: dict[str, Any]

    def parts(self, address: str) -> dict[str, Any]:
        """The parts of the signed file."""
        said = asdict(self)
        acts = {f"act {each['number']}": each for each in said.pop("acts")}
        head = {name: said.pop(name) for name in ("controller", "head")}
        return {"person": {"address": address, "channel": said.pop("channel"), "ledger_name": said.pop("subject"),
                           "contact_point": said.pop("contact_point")},
                "controller": head["controller"], "chain": head["head"], "sheet": said, **acts}


def gather(ctx: Context, opener: Opener, point: ContactPoint, list_id: int, topic_id: int) -> Proof:
    """What there is to show about one topic of one list, oldest act first; topic 0 are the answers about partners.

    Raises: NotFound once erased, and where nothing was ever agreed to or refused there; KeyProblem.
    """
    moments = [each for each in history.timeline(ctx, opener, point)
               if (each.list_id, each.topic_id) == (list_id, topic_id)][::-1]
    subject = ctx.db.scalar(select(Person.subject).where(Person.id == point.person_id))
    if not moments or subject is None:
        raise NotFound(contact_point=point.id)
    house, instance = profile.current(ctx), ctx.db.get(Instance, 1)
    links = {seq: f"{number}:{bytes(hash).hex()}" for number, seq, hash in ctx.db.execute(select(
        LedgerSeal.number, LedgerSeal.seq, LedgerSeal.hash).where(LedgerSeal.seq.in_([each.seq for each in moments])))}
    return Proof(
        made_at=_said(ctx.clock.now()), made_by=ctx.actor, instance=str(instance.id) if instance else "",
        controller={"name": house.name, "postal_address": house.postal_address, "help_email": house.help_email,
                    "public_url": house.public_url},
        subject=str(subject), channel=point.channel, contact_point=point.id,
        list_name=ctx.db.scalar(select(MailingList.name).where(MailingList.id == list_id)) or "",
        topic_name=ctx.db.scalar(select(Topic.name).where(Topic.id == topic_id)) or "Offers of partners",
        acts=tuple(_act(ctx, each, links.get(each.seq, ""), house.name) for each in moments), head=_head(ctx))


def as_json(ctx: Context, proof: Proof, address: str) -> bytes:
    """The signed file that `mailer proof verify` reads, and any program that knows JSON and Ed25519."""
    return papers.sign_json(proof.parts(address), ctx.sealer.sign, ctx.sealer.public_key)


def as_sheet(ctx: Context, html: str) -> bytes:
    """A rendered sheet, signed line by line."""
    return papers.sign_sheet(html, ctx.sealer.sign, ctx.sealer.public_key)


def _act(ctx: Context, moment: Moment, link: str, brand: str) -> Act:
    said = moment.evidence
    words, notice = ctx.db.get(Wording, said.get("wording") or 0), ctx.db.get(Notice, said.get("notice") or 0)
    version = ctx.db.get(FormVersion, said.get("form_version") or 0)
    form = ctx.db.get(Form, version.form_id) if version else None
    named = partners.of_version(ctx, said.get("partner_list"))
    return Act(
        number=moment.seq, at=_said(moment.at), act=moment.act, purpose=moment.purpose, mode=moment.mode,
        how=str(said.get("how") or ""), source=str(said.get("source") or ""), note=str(said.get("note") or ""),
        words=words.text if words else "", words_sha256=words.sha256.hex() if words else "",
        form=form.name if form else "", form_version=version.version if version else 0,
        drawn=_drawn(ctx, version, notice, named, brand), notice=notice.version if notice else "",
        notice_text=notice.text if notice else "", partner_list=named.version if named else 0,
        partners=tuple(named.names) if named else (), chain=link)


def _drawn(ctx: Context, version: FormVersion | None, notice: Notice | None, named: forms.Partners | None, brand: str
           ) -> tuple[str, ...]:
    if version is None:
        return ()
    definition = forms.Definition.from_json(version.definition)
    topics: Sequence[Topic] = [topic for topic_id in definition.topics
                               if (topic := ctx.db.get(Topic, topic_id)) is not None]
    return tuple(drawn.drawn(definition, topics, brand_name=brand, notice=notice, partners=named))


def _head(ctx: Context) -> dict[str, Any]:
    """The newest signed head of the ledger's chain: every act above hangs on it."""
    head = ctx.db.scalars(select(LedgerHead).order_by(LedgerHead.number.desc()).limit(1)).first()
    return {"number": head.number, "hash": bytes(head.hash).hex(), "signature": bytes(head.signature).hex(),
            "at": _said(head.at)} if head else {}


def _said(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
