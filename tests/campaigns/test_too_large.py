"""A message that is too large never gets as far as being planned, and is told its size."""

import pytest

from mailer.campaigns import compose, must_fix
from mailer.context import Context
from mailer.core.errors import InvalidInput
from mailer.lists.models import MailingList
from mailer.services import Services, unit_of_work
from mailer.subscriptions import seed


def a_draft(ctx: Context, markdown: str) -> int:
    for _ in seed.seed(ctx, 1, "News"):
        pass
    return compose.create(ctx, list_id=ctx.db.query(MailingList).one().id, words=compose.Words("Big", markdown)).id


@pytest.mark.parametrize("letter", ["a", "語"])
def test_two_megabytes_are_refused_at_the_first_save_with_their_size(services: Services, letter: str) -> None:
    octets = 2_000_000 // len(letter.encode()) * len(letter.encode())
    with unit_of_work(services) as ctx, pytest.raises(InvalidInput) as refused:
        a_draft(ctx, letter * (octets // len(letter.encode())))
    assert refused.value.context == {
        "field": "body", "why": f"is too large: {octets} octets, at most 200000", "octets": octets}


def test_what_would_be_cut_off_on_its_way_holds_the_campaign_back_with_its_size(services: Services) -> None:
    with unit_of_work(services) as ctx:
        number = a_draft(ctx, "word " * 30_000)
        lacks = must_fix.must_fix(ctx, compose.find(ctx, number))
    assert len(lacks) == 1 and lacks[0].startswith("size (1") and lacks[0].endswith(" octets)")
