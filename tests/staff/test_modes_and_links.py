"""Going Live needs two people; links, codes and test messages as the rules have them."""

from dataclasses import replace

import pytest
from sqlalchemy import select, text

from mailer.context import Context
from mailer.core.errors import CannotSend, Conflict, InvalidInput
from mailer.core.modes import Mode
from mailer.organisation import live, senders
from mailer.organisation import profile as organisation
from mailer.outbox import singles
from mailer.outbox.models import SingleMessage
from mailer.policy import notices
from mailer.services import Services, unit_of_work
from mailer.settings import Fixed
from mailer.staff import accounts, mode_switch, post, two_factor
from mailer.staff.models import Staff
from mailer.staff.roles import Role


def ready_for_live(ctx: Context) -> tuple[int, int]:
    """An organisation with everything; returns an Admin and the officer."""
    row = organisation.ensure_row(ctx)
    organisation.ensure_instance(ctx)
    row.name, row.postal_address, row.help_email = "Cadenza Music", "1 Quay", "help@cadenza.example"
    row.public_url, row.last_test_at = "https://news.cadenza.example", ctx.clock.now()
    senders.add(ctx, name="News", address="news@cadenza.example")
    notices.publish(ctx, "2", "Our notice.", ctx.clock.now())
    admin, other, officer = (accounts.add(ctx, email=f"{role}{n}@example.org", name="Someone", roles=[role]).id
                             for n, role in enumerate((Role.ADMIN, Role.ADMIN, Role.PRIVACY_OFFICER)))
    ctx.db.execute(text("UPDATE staff SET totp_confirmed = true"))
    list_id = ctx.db.scalar(text("INSERT INTO mailing_list (name, public_text, archived, sample, created_at) "
                                 "VALUES ('A', '', false, false, now()) RETURNING id"))
    ctx.db.execute(text("""
        INSERT INTO campaign (name, state, mode, list_id, version, created_at, changed_at, planned, accepted, refused,
                              failed, expired, uncertain, planned_through, next_block, planning_done, stopping, sample)
        VALUES ('t', 'sent', 'trial', :list, 1, now(), now(), 0, 0, 0, 0, 0, 0, 0, 1, true, false, false)"""),
        {"list": list_id})
    assert other
    return admin, officer


def with_server(ctx: Context, **changes: object) -> Context:
    return replace(ctx, fixed=replace(Fixed(mail_server="safe"), **changes))  # type: ignore[arg-type] # Test values.


def test_live_is_asked_by_an_admin_and_begins_with_the_officers_word(services: Services) -> None:
    with unit_of_work(services) as plain:
        admin, officer = ready_for_live(plain)
        ctx = with_server(plain)
        plain.db.execute(text("INSERT INTO practice_item (at, channel, seen, sealed_to, sealed_body, size) "
                              "VALUES (now(), 'email', false, '', '', 1)"))
        assert mode_switch.switch(ctx, Mode.TRIAL, by=admin)
        assert not mode_switch.switch(ctx, Mode.LIVE, by=admin)
        assert organisation.current(ctx).mode is Mode.TRIAL and mode_switch.asked_by(ctx) == admin
        with pytest.raises(Conflict):
            mode_switch.confirm_live(ctx, by=admin)
        mode_switch.confirm_live(ctx, by=officer)
        assert organisation.current(ctx).mode is Mode.LIVE
        assert plain.db.scalar(text("SELECT count(*) FROM practice_item")) == 0, "decision 32"
        assert mode_switch.asked_by(ctx) is None


def test_the_officer_may_say_no_and_then_nothing_waits(services: Services) -> None:
    with unit_of_work(services) as plain:
        admin, officer = ready_for_live(plain)
        ctx = with_server(plain)
        mode_switch.switch(ctx, Mode.LIVE, by=admin)
        mode_switch.decline_live(ctx)
        with pytest.raises(Conflict):
            mode_switch.confirm_live(ctx, by=officer)


def test_one_colleague_without_a_second_factor_keeps_everybody_in_practice(services: Services) -> None:
    with unit_of_work(services) as plain:
        admin, _ = ready_for_live(plain)
        accounts.add(plain, email="new@example.org", name="New", roles=[Role.COMPOSER])
        with pytest.raises(CannotSend):
            mode_switch.switch(with_server(plain), Mode.TRIAL, by=admin)
        assert len(two_factor.without_it(plain)) == 1


def test_a_mode_that_the_environment_sets_cannot_be_switched_on_the_screen(services: Services) -> None:
    with unit_of_work(services) as plain:
        admin, _ = ready_for_live(plain)
        with pytest.raises(Conflict):
            mode_switch.switch(with_server(plain, mode=Mode.LIVE), Mode.PRACTICE, by=admin)


@pytest.mark.parametrize(("changes", "lacks"), [
    ({}, []),
    ({"mail_server": ""}, ["a mail server (SMTP_URL)"]),
    ({"mail_server": "plain"}, ["an encrypted way to the mail server (SMTP_URL)"]),
    ({"public_url": "http://news.cadenza.example"}, ["a web address with https (PUBLIC_URL)"]),
    ({"public_url": "http://localhost:8000"}, []),
])
def test_live_names_what_it_lacks(services: Services, changes: dict[str, object], lacks: list[str]) -> None:
    with unit_of_work(services) as plain:
        ready_for_live(plain)
        assert live.lacking(with_server(plain, **changes)) == lacks


def test_an_empty_instance_lacks_everything(services: Services) -> None:
    with unit_of_work(services) as ctx:
        assert [each.split("(")[0].strip() for each in live.lacking(ctx)] == [
            "a mail server", "a sender", "a postal address", "a published privacy notice"]


def test_the_code_of_a_test_message_proves_mailbox_and_server_outside_practice_alone(services: Services) -> None:
    with unit_of_work(services) as ctx:
        admin, _ = ready_for_live(ctx)
        organisation.ensure_row(ctx).last_test_at = None
        with pytest.raises(InvalidInput):
            post.send_test(ctx, admin)
        organisation.ensure_row(ctx).mode = Mode.TRIAL
        post.send_test(ctx, admin)
        said = singles.detail_of(services.opener, ctx.db.scalars(select(SingleMessage)).one())["text"]
        assert post.prove(ctx, admin, "0000-0000")
        assert not ctx.db.get_one(Staff, admin).email_verified
        assert post.prove(ctx, admin, said.split()[-1].rstrip(".").lower()) == ""
        assert ctx.db.get_one(Staff, admin).email_verified
        assert organisation.ensure_row(ctx).last_test_at is not None


def test_a_removed_colleague_keeps_no_way_in(services: Services) -> None:
    with unit_of_work(services) as ctx:
        admin, officer = ready_for_live(ctx)
        post.invite(ctx, officer, frozenset({Role.PRIVACY_OFFICER}))
        accounts.remove(ctx, officer)
        assert ctx.db.scalar(text("SELECT count(*) FROM staff_link WHERE staff_id = :id"), {"id": officer}) == 0
        assert accounts.roles_of(ctx, officer) == frozenset()
        assert ctx.db.get_one(Staff, officer).password_hash is None
        assert admin
