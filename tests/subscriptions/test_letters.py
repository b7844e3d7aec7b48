"""The mails that joining and leaving send, as they are composed."""

from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from mailer.core.channel import Clearance
from mailer.outbox import letters
from mailer.outbox.models import SingleMessage
from mailer.subscriptions import stop_other
from tests.builders import World

DANA = "dana@example.org"


@pytest.fixture
def topics(world: World) -> list[int]:
    of = world.a_list()
    world.a_form(of)
    return list(of.topics.values())


def composed(world: World, kind: str, *, text_only: bool = False) -> EmailMessage:
    [letter] = world.letters(kind)
    with world.unit() as ctx:
        single = ctx.db.get_one(SingleMessage, letter.id)
        clearance = Clearance(1, letter.id, 1, "email", DANA, 0.0, text_only=text_only)
        octets = ctx.channels["email"].compose(letters.write(ctx, single, clearance, letter.detail))
    return message_from_bytes(octets, policy=policy.default)  # type: ignore[return-value] # As that policy makes it.


def parts(message: EmailMessage) -> tuple[str, str]:
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text and html
    return text.get_content(), html.get_content()


def test_the_confirmation_asks_for_one_press_and_repeats_nothing_that_was_typed(
        world: World, topics: list[int]) -> None:
    """Standards 7.3 and 7.5: our own words only, or it would be a relay for spam."""
    token = world.asked(DANA, topics[:2], first_name="Buy-at-evil.example")
    message = composed(world, "confirmation")
    assert message["Subject"] == "One press to confirm: New releases from Cadenza"
    assert message["Auto-Submitted"] == "auto-generated"
    for part in parts(message):
        assert f"https://news.cadenza.example/confirm/{token}" in part
        assert "New releases and Sheet music" in part and "1 Quay Street" in part and "7 days" in part
        assert "evil.example" not in part
        assert "<img" not in part


def test_the_other_two_letters_name_the_address_and_the_way_back(world: World, topics: list[int]) -> None:
    world.subscribed(DANA, topics)
    world.asked(DANA, topics)
    already = composed(world, "fresh_link")
    assert already["Subject"] == "You already get this from Cadenza"
    assert all("/fresh/" in part and "/u/" in part and "until 15:30" in part for part in parts(already))
    with world.unit() as ctx:
        stop_other.stop(ctx, "email", DANA, network="n")
    stopped = composed(world, "service_notice")
    assert stopped["Subject"] == "We stopped our emails to this address"
    assert all("/undo/" in part and "16 March 2026" in part and DANA in part for part in parts(stopped))


def test_who_chose_text_only_gets_one_text_part_in_letters_too(world: World, topics: list[int]) -> None:
    """M16: a single text part, no remote content."""
    world.asked(DANA, topics, format="text")
    message = composed(world, "confirmation", text_only=True)
    assert [part.get_content_type() for part in message.walk()] == ["text/plain"]
    assert "/confirm/" in message.get_content()
