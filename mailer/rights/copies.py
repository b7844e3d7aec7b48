"""A person's copy of everything: one file to read and one for machines, signed, sealed under their own key, 7 days."""

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import delete, select

from mailer.audience import personal_data as audience
from mailer.audience.models import Person
from mailer.audit import trail
from mailer.context import Context
from mailer.core.vault import Opener
from mailer.organisation import profile
from mailer.rights import disclosures, personal_data
from mailer.rights.erase import whom_of
from mailer.rights.models import AccessCopy
from mailer.settings import resource_folder
from mailer.subscriptions import words

SCHEMA, VERSION = "mailer/access-copy", 1
"""What the file for machines says of itself; docs/access-copy.md describes it."""
LASTS = timedelta(days=7)
TABLE = "access_copy"
CATEGORIES = ("details", "consents", "messages", "stop list", "requests", "disclosures")
GROUND = "GDPR Art. 15 and 20"


@dataclass(frozen=True, repr=False)
class Files:
    """The two files, in the clear, for the person alone."""

    html: str
    json: str


def build(ctx: Context, opener: Opener, person: Person, *, by: str, request_id: int | None = None) -> AccessCopy:
    """Make the copy anew; the one before goes. The register is written first: without its entry there is no copy.

    Raises: NotFound once erased; KeyProblem.
    """
    entry = disclosures.record(ctx, "access_copy", reason="person_asked", recipient="the person", by=by,
                               categories=CATEGORIES, subjects=[person.subject], ground=GROUND)
    document = _document(ctx, opener, person)
    octets = canonical(document)
    signature = ctx.sealer.sign(octets)
    key = audience.sealing_key(ctx, person.id)
    envelope = {"document": document, "signature": signature.hex(), "public_key": ctx.sealer.public_key.hex(),
                "algorithm": "Ed25519 over the document as JSON, keys sorted, no spaces, UTF-8"}
    now = ctx.clock.now()
    ctx.db.execute(delete(AccessCopy).where(AccessCopy.person_id == person.id))
    made = AccessCopy(
        person_id=person.id, request_id=request_id, signature=signature, made_at=now, expires_at=now + LASTS,
        sealed_json=key.seal(json.dumps(envelope, indent=1, ensure_ascii=False), table=TABLE, row=person.id,
                             field="json"),
        sealed_html=key.seal(_page(ctx, document, octets, signature), table=TABLE, row=person.id, field="html"))
    ctx.db.add(made)
    ctx.db.flush()
    trail.record(ctx, "build_copy", f"disclosure:{entry.id}", request=request_id)
    return made


def current(ctx: Context, person_id: int) -> AccessCopy | None:
    """The copy that waits for a person, as long as it may be fetched."""
    return ctx.db.scalars(select(AccessCopy).where(
        AccessCopy.person_id == person_id, AccessCopy.expires_at > ctx.clock.now()).order_by(
            AccessCopy.id.desc()).limit(1)).first()


def fetch(ctx: Context, opener: Opener, copy: AccessCopy) -> Files:
    """Open a copy for the person, who has proven to be there now. Raises: NotFound once erased; KeyProblem."""
    copy.fetched_at = copy.fetched_at or ctx.clock.now()
    return Files(*(audience.opened(ctx, opener, copy.person_id, sealed, table=TABLE, row=copy.person_id, field=field)
                   for sealed, field in ((copy.sealed_html, "html"), (copy.sealed_json, "json"))))


def sweep(ctx: Context) -> int:
    """Delete copies whose 7 days are over; how many."""
    return len(ctx.db.scalars(delete(AccessCopy).where(
        AccessCopy.expires_at <= ctx.clock.now()).returning(AccessCopy.id)).all())


def canonical(document: dict[str, Any]) -> bytes:
    """The octets that the signature covers."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _document(ctx: Context, opener: Opener, person: Person) -> dict[str, Any]:
    organisation = profile.current(ctx)
    return {
        "schema": SCHEMA, "version": VERSION, "made_at": ctx.clock.now().isoformat(),
        "from": {"name": organisation.name, "postal_address": organisation.postal_address,
                 "help": organisation.help_email},
        "person": personal_data.export(ctx, opener, whom_of(ctx, person))}


def _page(ctx: Context, document: dict[str, Any], octets: bytes, signature: bytes) -> str:
    zone = words.zone(ctx)

    def day(moment: str | None) -> str:
        """A moment, or a day, as people write it."""
        if not moment:
            return ""
        if len(moment) == len("2026-03-02"):
            return words.full_day(date.fromisoformat(moment))
        local = datetime.fromisoformat(moment).astimezone(zone)
        return f"{words.full_day(local.date())}, {local:%H:%M}"

    return _templates().get_template("rights/copy.html").render(
        document=document, person=document["person"], day=day, digest=sha256(octets).hexdigest(),
        signature=signature.hex(), public_key=ctx.sealer.public_key.hex())


@cache
def _templates() -> Environment:
    environment = Environment(loader=FileSystemLoader(resource_folder("templates")), undefined=StrictUndefined,
                              trim_blocks=True, lstrip_blocks=True, autoescape=True)
    environment.filters["plainly"] = _plainly
    return environment


def _plainly(code: object) -> str:
    return str(code).replace("_", " ")
