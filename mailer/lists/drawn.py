"""A form drawn in plain letters, with its empty boxes, as it stood before somebody: for the proof of consent."""

from collections.abc import Sequence

from mailer.lists import forms
from mailer.lists.forms import FREQUENCIES, Definition, Notice, Partners
from mailer.lists.models import Topic

FIELD, BOX, ONE = "[                    ]", "☐", "○"


def drawn(definition: Definition, topics: Sequence[Topic], *, brand_name: str, notice: Notice | None = None,
          partners: Partners | None = None) -> list[str]:
    """Line by line from top to bottom; a box is always empty, because a form cannot tick one."""
    lines = [definition.title, definition.intro, "", f"Email address  {FIELD}"]
    if definition.ask_first_name:
        lines.append(f"First name (optional)  {FIELD}")
    lines += ["", "What would you like?"]
    lines += [f"  {BOX} {topic.name}{f': {topic.public_text}' if topic.public_text else ''}" for topic in topics]
    if definition.ask_frequency:
        lines += ["", "How often?", *(f"  {ONE} {said}" for said in FREQUENCIES.values())]
    if definition.ask_format:
        lines += ["", "Look", f"  {ONE} Text and pictures", f"  {ONE} Text only"]
    for block in (forms.partner_text(definition, brand_name, partners),
                  forms.share_text(definition, brand_name, partners)):
        lines += _question(block)
    lines += ["", "[ Send me the link ]", definition.age_line]
    return lines + ([f"How we use it: notice {notice.version}"] if notice is not None else [])


def _question(block: str) -> list[str]:
    if not block:
        return []
    legend, yes, note, no = block.split("\n")
    return ["", legend, f"  {BOX} {yes}", f"    {note}", f"  {BOX} {no}"]
