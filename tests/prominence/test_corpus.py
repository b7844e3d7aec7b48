"""T19. Nothing leaves whose way out is not easily noticed."""

import pytest

from mailer.channels.email import render
from mailer.channels.email.channel import channel
from mailer.channels.email.holes import LEAVE, mark
from mailer.channels.email.prominence import verdict
from mailer.channels.email.prominence.tricks import Fault
from mailer.core.channel import Finding, Grade
from tests.channels.email_samples import MARKDOWN, a_copy
from tests.prominence.dark import DARK
from tests.prominence.frames import Design
from tests.prominence.honest import HONEST

KINDS: dict[str, set[Fault]] = {
    "hidden by CSS": {Fault.HIDDEN}, "tiny": {Fault.TINY}, "low contrast": {Fault.LOW_CONTRAST},
    "off-screen or clipped": {Fault.OFF_SCREEN}, "vague words": {Fault.VAGUE},
    "image only": {Fault.IMAGE_ONLY, Fault.MISSING},
    "missing or far down in text": {Fault.MISSING_IN_TEXT, Fault.FAR_DOWN_IN_TEXT},
    "covered or swapped target": {Fault.COVERED, Fault.SWAPPED}, "guilt wall before it": {Fault.GUILT},
    "pushed past 100 KB": {Fault.CUT_OFF},
}


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, designs in DARK.items() for name in designs])
def test_each_of_forty_dark_patterns_is_blocked_for_what_it_is(kind: str, name: str) -> None:
    """T19, S15. Ten kinds, four of each."""
    assert set(verdict.faults(*DARK[kind][name])) & KINDS[kind]


@pytest.mark.parametrize("design", HONEST.values(), ids=HONEST)
def test_each_of_twenty_honest_designs_passes(design: Design) -> None:
    """T19. A check that cries wolf would be switched off."""
    assert verdict.faults(*design) == []


@pytest.mark.parametrize("markdown", [MARKDOWN, "word " * 17_500, "Hello\n\n" * 400, "# Only a heading"])
@pytest.mark.parametrize("language", ["en", "ar", "de"])
def test_our_own_frame_passes_whatever_stands_in_it(markdown: str, language: str) -> None:
    """T19. The footer that every campaign has is itself an honest design."""
    rendered = render.campaign(a_copy(markdown=markdown, language=language))
    assert verdict.faults(rendered.html, rendered.text, mark(LEAVE)) == []


@pytest.mark.parametrize(("markdown", "fault"), [
    ("News.\n\n[Unsubscribe](https://shop.example.org/account)", Fault.SWAPPED),
    ("News.\n\nWe will miss you. Please do not leave us.", Fault.GUILT),
    ("News.\n\n[![Unsubscribe](https://shop.example.org/u.png)](https://shop.example.org/x)", Fault.SWAPPED),
])
def test_what_an_author_can_do_to_the_way_out_must_be_fixed_before_sending(markdown: str, fault: Fault) -> None:
    """T19. The author holds no more than the words, and these may not be turned against leaving."""
    assert Finding(Grade.MUST_FIX, "way_out", "markdown", str(fault)) in channel.check(a_copy(markdown=markdown))
