"""What preflight says about a message before anyone gets it."""

from collections.abc import Iterator

from mailer.channels.email import fields, quoted, render
from mailer.channels.email.holes import LEAVE, has_mark, mark
from mailer.channels.email.prominence import verdict
from mailer.channels.email.prominence.tricks import Fault
from mailer.channels.email.render import Rendered
from mailer.core.channel import EXAMPLE, Copy, Finding, Grade

LARGE = 90_000
TOO_LARGE = 100_000
"""Octets of HTML as encoded; Gmail cuts off somewhat above, and the way out with it (figure from practice)."""

_LONGEST_LINK = 160


def check(copy: Copy) -> list[Finding]:
    """Every check in order, each with at least one finding."""
    rendered = render.campaign(copy)
    return [
        *_words(copy),
        *_fallbacks(copy),
        *_example(copy),
        *_way_out(copy, rendered),
        *_pictures(rendered),
        *_links(rendered),
        _size(rendered),
        _graded(bool(copy.brand.postal_address.strip()), Grade.LOOK, "postal_address", "brand"),
        _graded("@" not in copy.sender.name, Grade.LOOK, "sender_name", "sender"),
    ]


def size(copy: Copy) -> int:
    """Octets of the HTML part as it travels, every personal link being long."""
    return _octets(render.campaign(copy))


def _octets(rendered: Rendered) -> int:
    usual = rendered.holes.usual(rendered.html)
    links = rendered.holes.length(rendered.html) - len(usual)
    return len(quoted.encode(usual)) + links


def _graded(good: bool, grade: Grade, code: str, field: str) -> Finding:
    return Finding(Grade.FINE if good else grade, code, field)


def _words(copy: Copy) -> Iterator[Finding]:
    yield _graded(bool(copy.subject.strip()), Grade.MUST_FIX, "subject", "subject")
    yield _graded(bool(copy.markdown.strip()), Grade.MUST_FIX, "message", "markdown")


def _fallbacks(copy: Copy) -> Iterator[Finding]:
    found = [
        Finding(Grade.MUST_FIX, problem.code, field, problem.name, problem.at)
        for field in ("subject", "preview_line", "markdown")
        for problem in fields.problems(getattr(copy, field))]
    yield from found or [Finding(Grade.FINE, "missing_fallback", "markdown")]


def _example(copy: Copy) -> Iterator[Finding]:
    found = [
        Finding(Grade.MUST_FIX, "example_text", field, at=text.find(EXAMPLE))
        for field, text in (("subject", copy.subject), ("preview_line", copy.preview_line), ("markdown", copy.markdown))
        if EXAMPLE in text]
    yield from found or [Finding(Grade.FINE, "example_text", "markdown")]


def _way_out(copy: Copy, rendered: Rendered) -> Iterator[Finding]:
    # What pushes it past where mail programs cut is the size, which is found by itself.
    found = [Finding(Grade.MUST_FIX, "way_out", "markdown", str(fault))
             for fault in verdict.faults(rendered.html, rendered.text, mark(LEAVE)) if fault is not Fault.CUT_OFF]
    yield from found or [Finding(Grade.FINE, "way_out", "markdown")]
    yield _graded(copy.one_click, Grade.MUST_FIX, "one_click", "one_click")


def _pictures(rendered: Rendered) -> Iterator[Finding]:
    found = [
        Finding(Grade.LOOK, "picture_alt", "markdown", picture.source)
        for picture in rendered.found.pictures if not picture.decorative and not picture.alt.strip()]
    yield from found or [Finding(Grade.FINE, "picture_alt", "markdown")]


def _links(rendered: Rendered) -> Iterator[Finding]:
    """A link that differs from person to person could tell who pressed it (promise T19), so it must go."""
    refused = rendered.found.refused
    for grade, code, personal in ((Grade.MUST_FIX, "personal_link", True), (Grade.LOOK, "bad_link", False)):
        found = [Finding(grade, code, "markdown", rendered.holes.usual(link)[:_LONGEST_LINK])
                 for link in refused if has_mark(link) is personal]
        yield from found or [Finding(Grade.FINE, code, "markdown")]


def _size(rendered: Rendered) -> Finding:
    octets = _octets(rendered)
    grade = Grade.MUST_FIX if octets > TOO_LARGE else Grade.LOOK if octets > LARGE else Grade.FINE
    return Finding(grade, "size", "markdown", str(octets))
