"""Preflight: only what must be fixed holds a campaign back."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from mailer.campaigns import compose, must_fix, preflight
from mailer.content import starter
from mailer.context import Context
from mailer.core.channel import Grade
from mailer.core.modes import Mode
from mailer.lists.models import MailingList
from mailer.organisation.profile import ensure_row
from mailer.services import Services, unit_of_work
from mailer.subscriptions import seed


@pytest.fixture
def ctx(services: Services) -> Iterator[Context]:
    with unit_of_work(services) as ctx:
        for _ in seed.seed(ctx, 3, "News"):
            pass
        yield ctx


def draft(ctx: Context, text: starter.Starter) -> int:
    list_id = ctx.db.query(MailingList).one().id
    words = compose.Words(text.subject, text.markdown, text.preview_line)
    return compose.create(ctx, list_id=list_id, words=words).id


def grades(ctx: Context, number: int) -> dict[str, Grade]:
    return {each.code: each.grade for each in preflight.findings(ctx, compose.find(ctx, number))}


def test_the_sample_may_leave_as_it_is(ctx: Context) -> None:
    number = draft(ctx, starter.SAMPLE)
    assert preflight.must_fix(ctx, compose.find(ctx, number)) == []
    assert grades(ctx, number)["tested"] is Grade.LOOK


def test_a_new_campaigns_example_text_may_not(ctx: Context) -> None:
    assert preflight.must_fix(ctx, compose.find(ctx, draft(ctx, starter.BLANK))) == ["example_text"]


def test_what_cannot_be_built_must_be_fixed_before_anybody_is_planned(ctx: Context) -> None:
    """Otherwise each message would fail for itself: here no List-Id can be made of the host."""
    number = draft(ctx, starter.SAMPLE)
    assert grades(ctx, number)["cannot_build"] is Grade.FINE
    ensure_row(ctx).public_url = "http://my_host"
    ctx.db.flush()
    assert preflight.must_fix(ctx, compose.find(ctx, number)) == ["cannot_build"]
    assert must_fix.must_fix(ctx, compose.find(ctx, number)) == ["cannot_build"]


def test_a_personal_field_in_a_link_must_be_fixed(ctx: Context) -> None:
    """Bad input: a personal field in a URL."""
    words = compose.Words("News", "[Shop](https://shop.example/?who={first name | you})")
    number = compose.create(ctx, list_id=ctx.db.query(MailingList).one().id, words=words).id
    assert preflight.must_fix(ctx, compose.find(ctx, number)) == ["personal_link"]


def test_an_empty_audience_must_be_fixed(ctx: Context) -> None:
    number = draft(ctx, starter.SAMPLE)
    ctx.db.connection().exec_driver_sql("DELETE FROM standing")
    assert preflight.must_fix(ctx, compose.find(ctx, number)) == ["audience"]


def test_live_requirements_hold_a_campaign_back_in_live_only(ctx: Context) -> None:
    number = draft(ctx, starter.SAMPLE)
    assert "live" not in grades(ctx, number)
    ensure_row(ctx).mode = Mode.LIVE
    ctx.db.flush()
    assert "live" in preflight.must_fix(ctx, compose.find(ctx, number))


def test_mail_servers_that_all_rest_are_told_and_hold_nothing_back(ctx: Context) -> None:
    number = draft(ctx, starter.SAMPLE)
    assert "mail_server" not in grades(ctx, number)
    ensure_row(ctx).mode = Mode.LIVE
    ctx.db.flush()
    known = replace(ctx, fixed=replace(ctx.fixed, mail_server="safe", mail_servers=(("one", 1), ("two", 1))))
    for server, grade in (("", Grade.FINE), ("one", Grade.FINE), ("two", Grade.LOOK)):
        ctx.db.connection().exec_driver_sql(
            "INSERT INTO server_hold (server, until, since, step, code) VALUES "
            "(%s, clock_timestamp() + interval '1 minute', clock_timestamp(), 1, 'connect')", (server,))
        assert grades(known, number)["mail_server"] is grade
    (found,) = [each for each in preflight.findings(known, compose.find(ctx, number)) if each.code == "mail_server"]
    assert found.detail == "one cannot be reached; two cannot be reached"


def test_people_without_a_name_are_counted_where_the_message_names_one(ctx: Context) -> None:
    number = draft(ctx, starter.SAMPLE)
    ctx.db.connection().exec_driver_sql("UPDATE contact_point SET has_name = false WHERE id = "
                                        "(SELECT min(id) FROM contact_point)")
    without = ctx.db.connection().exec_driver_sql("SELECT count(*) FROM contact_point WHERE NOT has_name").scalar()
    found = [each for each in preflight.findings(ctx, compose.find(ctx, number)) if each.code == "fallback_read"]
    assert [(each.grade, each.detail) for each in found] == [(Grade.FINE, str(without))]


def test_the_same_words_to_the_same_list_within_a_week_are_pointed_out(ctx: Context) -> None:
    first, second = draft(ctx, starter.SAMPLE), draft(ctx, starter.SAMPLE)
    earlier = compose.find(ctx, first)
    earlier.started_at, earlier.month, earlier.state = ctx.clock.now(), ctx.clock.now().date().replace(day=1), "sending"
    ctx.db.flush()
    assert grades(ctx, second)["same_content"] is Grade.LOOK
