"""The keys that sign our mail: made, shown, put to use and retired; private halves are sealed when they are made."""

import base64
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from sqlalchemy import case, select

from mailer.audit import trail
from mailer.context import Context
from mailer.core.errors import Conflict, InvalidAddress, InvalidInput, NotFound
from mailer.core.mail_signing import Algorithm, SigningKey
from mailer.core.vault import Opener, Use
from mailer.organisation import senders
from mailer.organisation.models import DkimKey

RSA_BITS = 2048
"""RFC 8301 §3.2 asks for at least 1024 and wishes 2048; longer ones do not fit one UDP answer."""

KEEP_PUBLISHED = timedelta(days=7)
"""How long the record of a retired key stays published, for mail that is still under way or looked at again."""

STRING = 255
"""Octets of one string of a TXT record (RFC 1035 §3.3)."""

_LABELS = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")


@dataclass(frozen=True)
class Record:
    """What to publish in the DNS for a key (RFC 6376 §3.6)."""

    name: str
    value: str

    @property
    def strings(self) -> list[str]:
        """The value in strings of at most 255 octets, as a TXT record carries it."""
        return [self.value[start:start + STRING] for start in range(0, len(self.value), STRING)]


@dataclass(frozen=True)
class Published:
    """A key as people see it."""

    id: int
    domain: str
    selector: str
    algorithm: str
    state: str
    record: Record
    created_at: datetime
    activated_at: datetime | None
    retired_at: datetime | None

    @property
    def keep_until(self) -> datetime | None:
        """Until when the record of a retired key must stay published."""
        return self.retired_at + KEEP_PUBLISHED if self.retired_at else None


@dataclass(frozen=True)
class SendingDomain:
    """A domain that we send from, and its keys, those in use first."""

    name: str
    keys: Sequence[Published]

    @property
    def signs(self) -> bool:
        return any(key.state == "active" for key in self.keys)


def make(ctx: Context, domain: str, algorithm: Algorithm, selector: str = "") -> Published:
    """A new key, which signs nothing yet. Raises: InvalidInput naming `domain` or `selector`; Conflict."""
    domain = check_domain(ctx, domain)
    taken = set(ctx.db.scalars(select(DkimKey.selector).where(DkimKey.domain == domain)))
    selector = check_selector(selector) if selector else _free_selector(ctx, algorithm, taken)
    if selector in taken:
        raise Conflict(selector=selector, why="this domain has a key of that name; choose another")
    private, public = _new_pair(algorithm)
    key = DkimKey(
        domain=domain, selector=selector, algorithm=algorithm, public_key=public, state="new",
        created_at=ctx.clock.now(),
        sealed=ctx.sealer.seal_shared(Use.DKIM, private, table="dkim_key", row=_row(domain, selector), field="sealed"))
    ctx.db.add(key)
    ctx.db.flush()
    trail.record(ctx, "dkim_key_made", f"dkim_key:{key.id}", algorithm=str(algorithm))
    return _published(key)


def activate(ctx: Context, key_id: int) -> Published:
    """Sign with this key from now on, and retire the domain's others of its algorithm.

    Whoever calls it has shown the record before: mail is never signed with a key that nobody could publish.
    The private half of a retired key is destroyed. Raises: NotFound; Conflict for a retired key.
    """
    key = ctx.db.get(DkimKey, key_id)
    if key is None:
        raise NotFound(what="dkim_key")
    others = _locked(ctx, key.domain)
    if key.state == "retired":
        raise Conflict(selector=key.selector, why="this key is retired")
    for each in others:
        if each.id != key.id and each.algorithm == key.algorithm and each.state != "retired":
            each.state, each.retired_at, each.sealed = "retired", ctx.clock.now(), b""
            trail.record(ctx, "dkim_key_retired", f"dkim_key:{each.id}")
    if key.state == "new":
        key.state, key.activated_at = "active", ctx.clock.now()
        trail.record(ctx, "dkim_key_activated", f"dkim_key:{key.id}")
    ctx.db.flush()
    return _published(key)


def is_first(ctx: Context, key: Published) -> bool:
    """Whether nothing was ever signed for this domain with this algorithm."""
    used = select(DkimKey.id).where(
        DkimKey.domain == key.domain, DkimKey.algorithm == key.algorithm, DkimKey.activated_at.is_not(None))
    return ctx.db.scalar(used.limit(1)) is None


def waiting(ctx: Context, domain: str) -> list[Published]:
    """The newest key of each algorithm that is made and does not sign yet."""
    newest = {each.algorithm: each for each in _locked(ctx, check_domain(ctx, domain)) if each.state == "new"}
    return [_published(each) for each in newest.values()]


def make_successors(ctx: Context, domain: str) -> list[Published]:
    """A new key for each algorithm that the domain signs with. Raises: NotFound when it signs with none."""
    domain = check_domain(ctx, domain)
    active = [each for each in _locked(ctx, domain) if each.state == "active"]
    if not active:
        raise NotFound(what="dkim_key", domain=domain)
    return [make(ctx, domain, Algorithm(each.algorithm)) for each in active]


def listed(ctx: Context) -> list[Published]:
    """All keys, by domain; those in use first, then those that wait, then the retired, newest first."""
    order = case({"active": 0, "new": 1}, value=DkimKey.state, else_=2)
    return [_published(each) for each in ctx.db.scalars(
        select(DkimKey).order_by(DkimKey.domain, order, DkimKey.id.desc()))]


def sending_domains(ctx: Context) -> list[SendingDomain]:
    """The domains of all senders, and those that have a key, with every key that matters for the DNS."""
    default = senders.default(ctx)
    addresses = [*([default.address] if default else []), *(each.address for each in senders.listed(ctx))]
    keys = [key for key in listed(ctx) if key.keep_until is None or key.keep_until > ctx.clock.now()]
    names = [*_domains(ctx, addresses), *(key.domain for key in keys)]
    return [SendingDomain(name, [key for key in keys if key.domain == name]) for name in dict.fromkeys(names)]


def check_domain(ctx: Context, raw: str) -> str:
    """A domain that can stand in a From address, in A-labels and small letters. Raises: InvalidInput."""
    try:
        return ctx.channels["email"].parse_address(f"news@{raw.strip().removesuffix('.')}").domain
    except InvalidAddress as error:
        raise InvalidInput(field="domain", why="is no domain that mail comes from, such as news.example.org") from error


def check_selector(raw: str) -> str:
    """A selector: one or more DNS labels (RFC 6376 §3.1). Raises: InvalidInput."""
    selector = raw.strip().lower()
    if len(selector) > 63 or not _LABELS.fullmatch(selector):
        raise InvalidInput(field="selector", why="is made of letters, digits and hyphens, at most 63")
    return selector


def signing_keys(keys: Iterable[DkimKey], opener: Opener) -> list[SigningKey]:
    """Keys in the hand that signs, the newest of each algorithm. Raises: KeyProblem."""
    newest = {key.algorithm: key for key in sorted(keys, key=lambda each: each.id)}
    return [
        SigningKey(key.domain, key.selector, Algorithm(key.algorithm), opener.open_shared(
            Use.DKIM, key.sealed, table="dkim_key", row=_row(key.domain, key.selector), field="sealed"))
        for key in newest.values()]


def _locked(ctx: Context, domain: str) -> list[DkimKey]:
    return list(ctx.db.scalars(
        select(DkimKey).where(DkimKey.domain == domain).order_by(DkimKey.id).with_for_update()
        .execution_options(populate_existing=True)))


def _published(key: DkimKey) -> Published:
    kind = "ed25519" if key.algorithm == Algorithm.ED25519 else "rsa"
    record = Record(f"{key.selector}._domainkey.{key.domain}",
                    f"v=DKIM1; k={kind}; p={base64.b64encode(key.public_key).decode()}")
    return Published(key.id, key.domain, key.selector, key.algorithm, key.state, record, key.created_at,
                     key.activated_at, key.retired_at)


def _new_pair(algorithm: Algorithm) -> tuple[bytes, bytes]:
    """The private half as PKCS #8, and the public one as its record carries it (RFC 6376 §3.6.1, RFC 8463 §4)."""
    private: RSAPrivateKey | Ed25519PrivateKey
    if algorithm is Algorithm.RSA:
        private = generate_private_key(public_exponent=65537, key_size=RSA_BITS)
        public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    else:
        private = Ed25519PrivateKey.generate()
        public = private.public_key().public_bytes_raw()
    return private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()), public


def _free_selector(ctx: Context, algorithm: Algorithm, taken: set[str]) -> str:
    first = f"{algorithm}-{ctx.clock.now():%Y%m%d}"
    return next(name for number in range(1, len(taken) + 2)
                if (name := first if number == 1 else f"{first}-{number}") not in taken)


def _domains(ctx: Context, addresses: Iterable[str]) -> list[str]:
    found = []
    for address in addresses:
        try:
            found.append(ctx.channels["email"].parse_address(address).domain)
        except InvalidAddress:
            continue
    return found


def _row(domain: str, selector: str) -> str:
    return f"{domain}/{selector}"
