"""Preflight: what holds a campaign back, what deserves a look, and what is fine."""

from dataclasses import replace

import pytest

from mailer.channels.email.channel import channel
from mailer.core.channel import EXAMPLE, Finding, Grade
from tests.channels.email_samples import BRAND, MARKDOWN, a_copy


def found(**changes: object) -> set[tuple[str, str, str]]:
    return {(str(finding.grade), finding.code, finding.field)
            for finding in channel.check(a_copy(**changes)) if finding.grade is not Grade.FINE}


def test_a_good_message_has_only_findings_that_are_fine() -> None:
    assert found() == set()
    assert {finding.code for finding in channel.check(a_copy())} == {
        "subject", "message", "missing_fallback", "example_text", "way_out", "one_click", "picture_alt",
        "personal_link", "bad_link", "size", "postal_address", "sender_name"}


@pytest.mark.parametrize(("changes", "finding"), [
    ({"subject": " "}, ("must_fix", "subject", "subject")),
    ({"markdown": "\n"}, ("must_fix", "message", "markdown")),
    ({"subject": "Hi {first name}"}, ("must_fix", "missing_fallback", "subject")),
    ({"preview_line": "Hi {first name|}"}, ("must_fix", "missing_fallback", "preview_line")),
    ({"markdown": "Hi {first name}"}, ("must_fix", "missing_fallback", "markdown")),
    ({"markdown": "Hi {frist name | you}"}, ("must_fix", "unknown_field", "markdown")),
    ({"markdown": f"Hi. {EXAMPLE}"}, ("must_fix", "example_text", "markdown")),
    ({"one_click": False}, ("must_fix", "one_click", "one_click")),
    ({"markdown": "![](https://example.org/a.png)"}, ("look", "picture_alt", "markdown")),
    ({"markdown": "[x](javascript:alert(1))"}, ("look", "bad_link", "markdown")),
    ({"markdown": "[x](https://example.org/?n={first name|x})"}, ("must_fix", "personal_link", "markdown")),
    ({"markdown": "word " * 17_500}, ("look", "size", "markdown")),
    ({"markdown": "word " * 19_500}, ("must_fix", "size", "markdown")),
    ({"brand": replace(BRAND, postal_address=" ")}, ("look", "postal_address", "brand")),
])
def test_each_fault_is_found_alone(changes: dict[str, object], finding: tuple[str, str, str]) -> None:
    assert found(**changes) == {finding}


def test_a_missing_fallback_is_named_with_its_place() -> None:
    assert Finding(Grade.MUST_FIX, "missing_fallback", "markdown", "first name", 3) in channel.check(
        a_copy(markdown="Hi {first name}"))


def test_an_ornament_needs_no_words() -> None:
    assert found(markdown="![](https://example.org/a.png){decorative}") == set()


def test_the_size_is_what_travels() -> None:
    small, large = channel.size(a_copy(markdown="Hi")), channel.size(a_copy(markdown=MARKDOWN * 10))
    assert 3_000 < small < 12_000 < large
    assert channel.size(a_copy(markdown="語" * 1000)) > small + 9_000
