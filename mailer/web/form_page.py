"""A sign-up form as the public template takes it: on its own page, and in the builder's preview."""

from typing import Any

from mailer.context import Context
from mailer.lists import forms
from mailer.lists.forms import Definition
from mailer.policy import packs, partners


def shown(ctx: Context, definition: Definition, number: int, brand_name: str) -> dict[str, Any]:
    """What version `number` shows; nothing in it can tick a box."""
    pack, named = packs.current(ctx), partners.current(ctx)
    return {
        "title": definition.title, "intro": definition.intro, "version": number,
        "topics": [(str(topic.id), topic.name, topic.public_text) if topic.public_text else (str(topic.id), topic.name)
                   for topic in forms.topics_shown(ctx, definition)],
        "ask_first_name": definition.ask_first_name, "ask_frequency": definition.ask_frequency,
        "ask_format": definition.ask_format, "ask_partner_offers": definition.partner_offers,
        "partner_legend": forms.PARTNER_LEGEND, "partner_label": forms.PARTNER_LABEL,
        "partner_note": forms.partner_note(definition, brand_name, named), "say_no": forms.SAY_NO,
        "ask_share": pack.shares() and bool(forms.share_text(definition, brand_name, named)),
        "share_legend": forms.SHARE_LEGEND, "share_label": forms.SHARE_LABEL,
        "share_note": forms.share_note(brand_name, named), "age_line": definition.age_line,
        "ask_age": pack.asks_age, "age_label": forms.AGE_LABEL, "age_hint": forms.AGE_HINT,
        "language": definition.language,
    }
