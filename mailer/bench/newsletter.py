"""The newsletter that is measured: people, a campaign whose messages are of 10 kB, and one such message."""

from dataclasses import replace

from sqlalchemy import text

from mailer.bench.scratch import Scratch
from mailer.consent import seal
from mailer.core.channel import Copy, Links, Recipient
from mailer.core.links import Link
from mailer.outbox import assignment
from mailer.services import Services, unit_of_work
from mailer.subscriptions.seed import made_up

LIST = "seed"
DOMAIN = "example.org"
"""Of the sender."""

OCTETS = 10_000
SENTENCE = "The choir sings by candlelight on Friday, and whoever comes early hears the organ. "
SENTENCES_A_PARAGRAPH = 6
MEASURED_PERSON = 1
SEALED_AT_ONCE = 50_000


def text_of(sentences: int) -> str:
    """Markdown of so many sentences, with a heading, a personal field and a link."""
    paragraphs = [SENTENCE * min(SENTENCES_A_PARAGRAPH, sentences - start)
                  for start in range(0, sentences, SENTENCES_A_PARAGRAPH)]
    return "\n\n".join(["# What is on", "Hello {first name | there},", *paragraphs,
                        "[The whole programme](https://example.org/programme)"])


def prepare(scratch: Scratch, people: int) -> tuple[int, bytes]:
    """Add people and write the draft; its number, and one of its messages as the engine's own compiler makes it."""
    scratch.command("seed", "--people", str(people), "--list", LIST)
    services = scratch.services()
    try:
        settle(services)
        return another(scratch, services)
    finally:
        services.engine.dispose()


def another(scratch: Scratch, services: Services) -> tuple[int, bytes]:
    """One more draft to the same people."""
    trial = _draft(scratch, text_of(1))
    number = _draft(scratch, text_of(_sentences(services, _copy(services, trial))))
    return number, message(services, _copy(services, number))


def settle(services: Services) -> None:
    """Do at once what the background has done some minutes after people came: seals over consents, statistics."""
    sealed = 1
    while sealed:
        with unit_of_work(services) as ctx:
            sealed = seal.seal_batch(ctx, SEALED_AT_ONCE)
    with services.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM (ANALYZE)"))


def message(services: Services, copy: Copy) -> bytes:
    """The finished message to a made-up person, signed where a key is in use."""
    person, base, sign = made_up(MEASURED_PERSON), copy.brand.public_url, services.signer.sign
    links = {link: f"{base}/{sign(link, MEASURED_PERSON, MEASURED_PERSON)}"
             for link in (Link.LEAVE, Link.ONE_CLICK, Link.PREFERENCES, Link.WHY)}
    body = services.channels["email"].compile(copy).build(Recipient(
        address=person.address, text_only=False, fields={"first name": person.first_name},
        links=Links(leave=links[Link.LEAVE], one_click=links[Link.ONE_CLICK], preferences=links[Link.PREFERENCES],
                    why=links[Link.WHY]),
        message_id=f"<{sign(Link.MESSAGE_ID, MEASURED_PERSON, MEASURED_PERSON)}@{DOMAIN}>",
        envelope_sender=copy.sender.address, date=services.clock.now()))
    services.mail_signers.ready()
    signer = services.mail_signers.of(copy.sender.address)
    return signer.sign(body) + body if signer else body


def _draft(scratch: Scratch, body: str) -> int:
    file = scratch.folder / "body.md"
    file.write_text(body)
    made = scratch.command("campaign", "create", "--list", LIST, "--subject", "What is on", "--body-file", str(file))
    return int(made["id"])


def _copy(services: Services, number: int) -> Copy:
    with unit_of_work(services) as ctx:
        return assignment.load(ctx, number).copy


def _sentences(services: Services, copy: Copy) -> int:
    """How many sentences make a message of 10 kB, by halving."""
    few, many = 1, 200
    while many - few > 1:
        middle = (few + many) // 2
        fits = len(message(services, replace(copy, markdown=text_of(middle)))) <= OCTETS
        few, many = (middle, many) if fits else (few, middle)
    return few
