"""A form as plain HTML for another site: no script, no frame, no picture, nothing ticked beforehand (promise T3)."""

from collections.abc import Sequence
from html import escape

from mailer.lists import forms
from mailer.lists.forms import Definition, Partners
from mailer.lists.models import Topic

FREQUENCIES = (("as_it_happens", "As it happens"), ("weekly", "At most once a week"),
               ("monthly", "At most once a month"))
FORMATS = (("html", "Text and pictures"), ("text", "Text only"))


def html(definition: Definition, topics: Sequence[Topic], *, slug: str, version: int, public_url: str, brand: str,
         contact: str = "", partners: Partners | None = None, may_share: bool = False, asks_age: bool = False) -> str:
    """The form that posts to `/join/<slug>`; the version it carries says which words were seen.

    It names who answers for what is typed: the organisation, not the site that shows it (promise S25); `contact` is
    where that can be reached.
    """
    lines = [
        f'<form method="post" action="{escape(public_url)}/join/{escape(slug)}" accept-charset="utf-8">',
        f'  <input type="hidden" name="form_version" value="{version}">',
        f"  <h2>{escape(definition.title)}</h2>",
        *([f"  <p>{escape(definition.intro)}</p>"] if definition.intro else []),
        '  <p><label>Email address<br><input type="email" name="email" required maxlength="254" '
        'autocomplete="email"></label></p>',
    ]
    if asks_age:
        lines.append(f'  <p><label>{escape(forms.AGE_LABEL)} {escape(forms.AGE_HINT)}<br><input name="age" '
                     'inputmode="numeric" maxlength="3" autocomplete="off" required></label></p>')
    if definition.ask_first_name:
        lines.append('  <p><label>First name (optional). Only to say hello.<br><input name="first_name" '
                     'maxlength="60" autocomplete="given-name"></label></p>')
    lines += _group("What would you like?", "checkbox", "topics", [(str(topic.id), _said(topic)) for topic in topics])
    if definition.ask_frequency:
        lines += _group("How often?", "radio", "frequency", FREQUENCIES)
    if definition.ask_format:
        lines += _group("Look", "radio", "format", FORMATS)
    if definition.partner_offers:
        lines += _question(forms.PARTNER_LEGEND, "partner_offers", forms.PARTNER_LABEL,
                           forms.partner_note(definition, brand, partners))
    if may_share and forms.share_text(definition, brand, partners):
        lines += _question(forms.SHARE_LEGEND, "share", forms.SHARE_LABEL, forms.share_note(brand, partners))
    return "\n".join([*lines, *_foot(definition, public_url, brand, contact), "</form>"])


def _group(legend: str, kind: str, name: str, options: Sequence[tuple[str, str]]) -> list[str]:
    return [f"  <fieldset><legend>{escape(legend)}</legend>",
            *(f'    <label><input type="{kind}" name="{name}" value="{escape(value)}"> {escape(label)}</label><br>'
              for value, label in options), "  </fieldset>"]


def _question(legend: str, name: str, label: str, note: str) -> list[str]:
    """A purpose asked apart: yes, an explicit no, or nothing; both boxes are empty."""
    head, yes, no, end = _group(legend, "checkbox", name, [("yes", label), ("no", forms.SAY_NO)])
    return [head, yes, f"    <small>{escape(note)}</small><br>", no, end]


def _foot(definition: Definition, public_url: str, brand: str, contact: str) -> list[str]:
    age = f" {escape(definition.age_line)}" if definition.age_line else ""
    return ['  <p hidden><label>Leave this empty <input name="website" tabindex="-1" autocomplete="off"></label></p>',
            "  <p><button>Send me the link</button></p>",
            f"  <p><small>This form is from {escape(', '.join(part for part in (brand, contact) if part))}. They "
            "answer for what you type here, not the site that shows it.</small></p>",
            f"  <p><small>We keep your email, your choices and when you made them.{age} How we use it: "
            f'<a href="{escape(public_url)}/privacy">privacy notice</a>.</small></p>']


def _said(topic: Topic) -> str:
    return f"{topic.name}: {topic.public_text}" if topic.public_text else topic.name
