"""M2. A service message carries no offer, and reaches nobody who complained or whose mailbox bounced."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailer.core.messages import MessageClass
from mailer.core.modes import Mode
from mailer.core.reasons import Reason
from mailer.gate.decide import decide_singles
from mailer.gate.rules import Consent, Facts, Refuse, verdict
from mailer.outbox import letters, offers
from mailer.outbox.offers import OfferInLetter
from tests.architecture.rules import ROOT
from tests.gate.conftest import world
from tests.gate.world import World

__all__ = ["world"]
LETTERS = sorted(path for path in (ROOT / "templates/messages").rglob("*.*") if path.stem not in ("frame",))
NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize("path", LETTERS, ids=lambda path: path.name)
def test_no_letter_that_we_write_carries_an_offer(path: object) -> None:
    """M2. Every template of a single message, as it is in the checkout."""
    assert offers.found((ROOT / str(path)).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("planted", [
    "{% block offer %}Cellos{% endblock %}", '{% include "messages/email/offer.html" %}',
    "[See it]({{ link }}){button}",
    '<img src="{{ brand.public_url }}/spring.png">', '<a href="https://shop.example.org/spring">Spring</a>',
    "https://shop.example.org/spring", "Get 20 % off until Friday.", "Use this voucher.", "Our new catalogue is out.",
    "You may also like these.", "Order now.", '<div class="offer">Strings</div>'])
def test_a_letter_with_an_offer_block_is_rejected(planted: str) -> None:
    """M2. Blocks, pictures, links that lead elsewhere, words that sell."""
    source = (ROOT / "templates/messages/email/stopped.html").read_text(encoding="utf-8")
    assert offers.found(source) == []
    assert offers.found(source.replace("{% endblock %}", f"{planted}{{% endblock %}}", 1))


def test_a_letter_with_an_offer_is_not_written_at_all(tmp_path: Path) -> None:
    """M2. The check stands where letters are written, so a template changed on the machine is caught as well."""
    letter = tmp_path / "messages/email/service_notice.txt"
    letter.parent.mkdir(parents=True)
    letter.write_text("Subject: Your order\nIt is late. Use this voucher.\n", encoding="utf-8")
    with pytest.raises(OfferInLetter):
        letters.must_offer_nothing(tmp_path, "messages/email/service_notice")


@pytest.mark.parametrize("reason", [Reason.COMPLAINED, Reason.BOUNCED])
def test_a_service_notice_is_refused_to_who_complained_or_bounced(reason: Reason, world: World) -> None:
    """M2. It needs no marketing consent, and is still stopped by a complaint and by a hard bounce."""
    facts = Facts(consent=Consent.NONE, mode=Mode.LIVE, consent_mode=Mode.LIVE)
    assert verdict(facts._replace(suppressed=frozenset({reason})), MessageClass.SERVICE_NOTICE, NOW) == Refuse(reason)
    person = world.person()
    world.stop(person.fingerprint, reason)
    notice = world.single(MessageClass.SERVICE_NOTICE, point=person)
    assert decide_singles(world.ctx, world.services.opener, 7, [notice], 99.5).refused == [(notice.id, 1, reason)]
