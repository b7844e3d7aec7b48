"""A form as plain HTML for another site: no script, no frame, no picture, nothing ticked beforehand (promise T3)."""

from collections.abc import Sequence
from html import escape

from mailer.lists.forms import PARTNER_LABEL, PARTNER_LEGEND, Definition, partner_note
from mailer.lists.models import Topic

FREQUENCIES = (("as_it_happens", "As it happens"), ("weekly", "At most once a week"),
               ("monthly", "At most once a month"))
FORMATS = (("html", "Text and pictures"), ("text", "Text only"))


def html(definition: Definition, topics: Sequence[Topic], *, slug: str, version: int, public_url: str, brand: str
         ) -> str:
    """The form that posts to `/join/<slug>`; the version it carries says which words were seen."""
    lines = [
        f'<form method="post" action="{escape(public_url)}/join/{escape(slug)}" accept-charset="utf-8">',
        f'  <input type="hidden" name="form_version" value="{version}">',
        f"  <h2>{escape(definition.title)}</h2>",
        *([f"  <p>{escape(definition.intro)}</p>"] if definition.intro else []),
        '  <p><label>Email address<br><input type="email" name="email" required maxlength="254" '
        'autocomplete="email"></label></p>',
    ]
    if definition.ask_first_name:
        lines.append('  <p><label>First name (optional). Only to say hello.<br><input name="first_name" '
                     'maxlength="60" autocomplete="given-name"></label></p>')
    lines += _group("What would you like?", "checkbox", "topics", [(str(topic.id), _said(topic)) for topic in topics])
    if definition.ask_frequency:
        lines += _group("How often?", "radio", "frequency", FREQUENCIES)
    if definition.ask_format:
        lines += _group("Look", "radio", "format", FORMATS)
    if definition.partner_offers:
        lines += _partners(definition, brand)
    return "\n".join([*lines, *_foot(definition, public_url), "</form>"])


def _group(legend: str, kind: str, name: str, options: Sequence[tuple[str, str]]) -> list[str]:
    return [f"  <fieldset><legend>{escape(legend)}</legend>",
            *(f'    <label><input type="{kind}" name="{name}" value="{escape(value)}"> {escape(label)}</label><br>'
              for value, label in options), "  </fieldset>"]


def _partners(definition: Definition, brand: str) -> list[str]:
    group = _group(PARTNER_LEGEND, "checkbox", "partner_offers", [("yes", PARTNER_LABEL)])
    return [*group[:-1], f"    <small>{escape(partner_note(definition, brand))}</small>", group[-1]]


def _foot(definition: Definition, public_url: str) -> list[str]:
    age = f" {escape(definition.age_line)}" if definition.age_line else ""
    return ['  <p hidden><label>Leave this empty <input name="website" tabindex="-1" autocomplete="off"></label></p>',
            "  <p><button>Send me the link</button></p>",
            f"  <p><small>We keep your email, your choices and when you made them.{age} How we use it: "
            f'<a href="{escape(public_url)}/privacy">privacy notice</a>.</small></p>']


def _said(topic: Topic) -> str:
    return f"{topic.name}: {topic.public_text}" if topic.public_text else topic.name
