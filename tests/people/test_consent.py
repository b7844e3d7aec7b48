"""The ledger and what follows from it."""

import threading

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from mailer.consent import history, ledger, standing
from mailer.consent.ledger import Consent, Deed, Evidence
from mailer.consent.models import LedgerEntry
from mailer.core.errors import NotFound
from mailer.core.messages import Purpose
from mailer.core.modes import Mode
from mailer.lists import wordings
from mailer.services import Services, unit_of_work
from tests.people.builders import EVIDENCE, a_list, join

PARTNER = Purpose.PARTNER_OFFERS


def test_a_yes_stands_for_its_list_topic_and_purpose_alone(services: Services) -> None:
    """Promises T4, M8 and A2: bound to the list, and no purpose implies another."""
    with unit_of_work(services) as ctx:
        made, topics = a_list(ctx, topics=("One", "Two"))
        point = join(ctx, "one@example.org", made.id, topics[:1])
        [only] = standing.of(ctx, point.id)
        assert (only.list_id, only.topic_id, only.purpose, only.state) == (made.id, topics[0], "own_offers", "live")


def test_a_refusal_is_stored_and_outranks_what_is_not_a_yes(services: Services) -> None:
    """Promise T12."""
    with unit_of_work(services) as ctx:
        made, topics = a_list(ctx)
        point = join(ctx, "no@example.org", made.id, topics)
        about = {"list_id": made.id, "topic_id": 0, "purpose": PARTNER, "evidence": EVIDENCE}
        ledger.refuse(ctx, point, **about)
        ledger.end(ctx, point, **about)
        assert {row.state for row in standing.of(ctx, point.id) if row.purpose == PARTNER} == {"refused"}
        ledger.end_all(ctx, point, evidence=EVIDENCE)
        assert {row.state for row in standing.of(ctx, point.id)} == {"refused", "ended"}
        ledger.grant(ctx, point, **about)
        assert {row.state for row in standing.of(ctx, point.id)} == {"live", "ended"}


def test_ending_names_exactly_what_it_ended(services: Services) -> None:
    with unit_of_work(services) as ctx:
        made, topics = a_list(ctx, topics=("One", "Two"))
        other, other_topics = a_list(ctx, "Other")
        point = join(ctx, "end@example.org", made.id, topics)
        for topic in other_topics:
            ledger.grant(ctx, point, list_id=other.id, topic_id=topic, purpose=Purpose.OWN_OFFERS, evidence=EVIDENCE)
        assert ledger.end_all(ctx, point, list_id=made.id, evidence=EVIDENCE) == [
            Consent(made.id, topic, "own_offers") for topic in topics]
        assert ledger.end_all(ctx, point, evidence=EVIDENCE) == [Consent(other.id, other_topics[0], "own_offers")]
        assert ledger.end_all(ctx, point, evidence=EVIDENCE) == []


def test_the_timeline_shows_the_words_and_the_notice_of_that_day(services: Services) -> None:
    """Promise section 3, 5."""
    with unit_of_work(services) as ctx:
        made, topics = a_list(ctx)
        wording = wordings.keep(ctx, "Get news", "en")
        said = Evidence(how="confirmed_by_link", wording_id=wording.id, notice_id=None, source="form:news")
        point = join(ctx, "time@example.org", made.id, topics, said)
        ledger.end_all(ctx, point, evidence=Evidence(how="one_click"))
        ended, granted = history.timeline(ctx, services.opener, point)
        assert (ended.act, ended.evidence["how"]) == ("ended", "one_click")
        assert granted.evidence["wording_sha256"] == wording.sha256.hex()
        assert granted.evidence["contact_point"] == point.id
        assert granted.mode == "practice"


def test_evidence_is_sealed_for_one_subject_and_goes_dark_with_the_key(services: Services) -> None:
    """Decision 2."""
    with unit_of_work(services) as ctx:
        made, topics = a_list(ctx)
        point = join(ctx, "dark@example.org", made.id, topics)
        ctx.db.execute(text("DELETE FROM vault.person_key"))
        with pytest.raises(NotFound):
            history.timeline(ctx, services.opener, point)
        with pytest.raises(NotFound):
            ledger.end_all(ctx, point, evidence=EVIDENCE)


@pytest.mark.parametrize("change", [
    "UPDATE ledger_entry SET act = 'refused'", "DELETE FROM ledger_entry", "TRUNCATE ledger_entry CASCADE",
    "UPDATE wording SET text = 'x'", "DELETE FROM wording"])
def test_the_database_refuses_to_change_what_was_written(services: Services, change: str) -> None:
    """Promise section 3, 5."""
    with unit_of_work(services) as ctx:
        made, topics = a_list(ctx)
        join(ctx, "kept@example.org", made.id, topics)
        wordings.keep(ctx, "words", "en")
    with pytest.raises(DBAPIError, match="written once"), unit_of_work(services) as ctx:
        ctx.db.execute(text(change))


def test_many_grants_keep_their_own_moments_and_order(services: Services) -> None:
    with unit_of_work(services) as ctx:
        made, topics = a_list(ctx, topics=("One", "Two", "Three"))
        point = join(ctx, "many@example.org", made.id, topics)
        holder = ledger.holder_of(ctx, point)
        now = ctx.clock.now()
        deeds = [Deed(holder, Consent(made.id, topic, Purpose.OWN_OFFERS), EVIDENCE, now, Mode.TRIAL)
                 for topic in reversed(topics)]
        assert ledger.grant_many(ctx, deeds) == 3
        assert ledger.grant_many(ctx, []) == 0
        rows = ctx.db.scalars(select(LedgerEntry).where(LedgerEntry.mode == "trial").order_by(LedgerEntry.seq))
        assert [row.topic_id for row in rows] == topics[::-1]
        assert {row.mode for row in standing.of(ctx, point.id)} == {"trial"}
        assert len(history.timeline(ctx, services.opener, point)) == 6


def test_acts_of_one_person_at_once_take_effect_in_the_ledgers_order(services: Services) -> None:
    with unit_of_work(services) as ctx:
        made, topics = a_list(ctx)
        point = join(ctx, "busy@example.org", made.id, topics)

    def act(verb: str) -> None:
        with unit_of_work(services) as ctx:
            getattr(ledger, verb)(ctx, point, list_id=made.id, topic_id=topics[0], purpose=Purpose.OWN_OFFERS,
                                  evidence=EVIDENCE)

    threads = [threading.Thread(target=act, args=(verb,)) for verb in ("grant", "refuse") * 6]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with unit_of_work(services) as ctx:
        last = ctx.db.scalars(select(LedgerEntry).order_by(LedgerEntry.seq.desc()).limit(1)).one()
        [now] = standing.of(ctx, point.id)
        assert (now.seq, now.state) == (last.seq, ledger.STATE[ledger.Act(last.act)])


