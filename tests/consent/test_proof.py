"""The proof of one consent: everything on one sheet, signed, and checked without us."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from mailer.audience.models import ContactPoint
from mailer.cli.main import main
from mailer.consent import proof, seal
from mailer.core import papers
from mailer.core.errors import NotFound
from mailer.core.vault import Sealer
from mailer.policy import notices, partners
from mailer.services import Services
from mailer.subscriptions import leave
from tests.builders import AList, World
from tests.conftest import FixedClock

DANA = "dana@example.org"


@pytest.fixture
def world(services: Services) -> World:
    return World(services)


@pytest.fixture
def news(world: World) -> AList:
    made = world.a_list()
    with world.unit() as ctx:
        partners.publish(ctx, ["Quay Records"])
    world.a_form(made, partner_offers=True)
    return made


def gathered(world: World, point_id: int, news: AList, topic_id: int) -> proof.Proof:
    with world.unit() as ctx:
        return proof.gather(ctx, world.services.opener, ctx.db.get_one(ContactPoint, point_id), news.id, topic_id)


def test_the_sheet_shows_words_form_notice_times_way_and_later_changes(
        world: World, news: AList, clock: FixedClock) -> None:
    """A12, M18, S24; section 3, 5: the notice of that day, also after a newer one."""
    point_id = world.subscribed(DANA, [news.topics["Events"]], partner_offers=True)
    clock.advance(days=3)
    with world.unit() as ctx:
        notices.publish(ctx, "3.0", "# Newer\n\nWe keep less.", ctx.clock.now())
        partners.publish(ctx, ["Somebody Else"])
        leave.leave(ctx, ctx.db.get_one(ContactPoint, point_id), how="one_click")
        seal.seal_batch(ctx)
    granted, ended = gathered(world, point_id, news, news.topics["Events"]).acts
    assert (granted.act, granted.how, granted.notice, granted.form_version) == ("granted", "form_confirmed", "2.1", 1)
    assert granted.at == "2026-03-02T15:00:00+00:00" and granted.note.startswith("asked 2026-03-02T15:00")
    assert "We *keep* little." in granted.notice_text and "Email address" in granted.words
    assert "  ☐ Events" in granted.drawn and "  ☐ Send me partner offers." in granted.drawn
    assert (ended.act, ended.how, ended.at) == ("ended", "one_click", "2026-03-05T15:00:00+00:00")
    assert granted.chain.startswith("1:") and ended.chain
    offers = gathered(world, point_id, news, 0)
    assert offers.topic_name == "Offers of partners"
    assert [(act.act, act.partner_list, act.partners) for act in offers.acts] == [
        ("granted", 1, ("Quay Records",)), ("ended", 0, ())]


def test_there_is_no_proof_of_what_nobody_ever_answered(world: World, news: AList) -> None:
    point_id = world.subscribed(DANA, [news.topics["Events"]])
    for topic in (news.topics["Sheet music"], 0, 999):
        with pytest.raises(NotFound):
            gathered(world, point_id, news, topic)


def test_the_signed_file_verifies_and_each_flipped_byte_is_named(world: World, news: AList) -> None:
    """Section 3, 5: evidence verifies with a public key alone; what was changed is said."""
    point_id = world.subscribed(DANA, [news.topics["Events"]])
    with world.unit() as ctx:
        content = proof.as_json(ctx, gathered(world, point_id, news, news.topics["Events"]), DANA)
        key = ctx.sealer.public_key
    assert papers.check(content) == papers.Checked(True, key=papers.check(content).key)
    assert json.loads(content)["parts"]["person"]["address"] == DANA
    for place in range(0, len(content), 7):
        changed = bytearray(content)
        changed[place] ^= 1
        found = papers.check(bytes(changed))
        assert not found.ok and found.what, place
    words = content.replace(b"Email address", b"Email adress ")
    assert papers.check(words).what == "the part “act 1”"
    assert papers.check(content.replace(b'"dana@', b'"dina@')).what == "the part “person”"
    cut = json.loads(content)
    del cut["parts"]["controller"]
    assert papers.check(json.dumps(cut, sort_keys=True, indent=1).encode() + b"\n").what == "the part “controller”"
    assert papers.check(content + b" ").what == f"byte {len(content)}"
    assert papers.key_file([key]).splitlines()[1] == papers.check(content).key


def test_a_sheet_names_the_line_that_was_changed_put_in_or_cut(services: Services) -> None:
    sealer = services.sealer
    sheet = papers.sign_sheet("<h1>Proof</h1>\n<p>yes</p>\n<p>2 March</p>\n", sealer.sign, sealer.public_key)
    assert papers.check(sheet).ok
    assert papers.check(sheet.replace(b"yes", b"no!")).what == "line 2"
    assert papers.check(sheet.replace(b"<p>yes</p>\n", b"")).what == "line 2"
    assert papers.check(sheet.replace(b"</h1>\n", b"</h1>\n<p>too</p>\n")).what == "line 2"
    assert not papers.check(sheet[:-30]).ok and not papers.check(b"").ok and not papers.check(b"[]").ok
    for place in range(0, len(sheet), 5):
        changed = bytearray(sheet)
        changed[place] ^= 2
        assert not papers.check(bytes(changed)).ok, place


def test_the_command_verifies_offline_and_refuses_another_senders_key(
        services: Services, tmp_path: Path) -> None:
    """`mailer proof verify FILE` needs no instance."""
    sealer = services.sealer
    paper, keys, others = tmp_path / "proof.json", tmp_path / "keys.txt", tmp_path / "others.txt"
    paper.write_bytes(papers.sign_json({"person": {"address": DANA}}, sealer.sign, sealer.public_key))
    keys.write_text(papers.key_file(sealer.public_keys))
    others.write_text(papers.key_file([bytes(32)]))
    run = CliRunner()
    said = run.invoke(main, ["proof", "verify", str(paper)])
    assert said.exit_code == 0 and "As it was signed" in said.output and "compare it" in said.output
    said = run.invoke(main, ["proof", "verify", str(paper), "--key", str(keys), "--json"])
    assert said.exit_code == 0 and json.loads(said.output)["key_known"] is True
    said = run.invoke(main, ["proof", "verify", str(paper), "--key", str(others)])
    assert said.exit_code == 1 and "the key: it is not in your key file" in said.output
    paper.write_bytes(paper.read_bytes().replace(b"dana", b"dina"))
    said = run.invoke(main, ["proof", "verify", str(paper)])
    assert said.exit_code == 1 and "the part “person”" in said.output
    assert run.invoke(main, ["proof", "verify", str(keys), "--key", str(paper)]).exit_code == 1


def test_what_an_older_key_signed_is_checked_by_the_published_keys(services: Services) -> None:
    assert isinstance(services.sealer, Sealer)
    assert services.sealer.public_keys == [services.sealer.public_key]
