"""What was wrong with a list or form, in whole sentences beside the field."""

from mailer.core.errors import Conflict, InvalidInput, MailerError

LABELS = {"name": "The name", "topic": "The topic's name", "public_text": "The public text", "title": "The title",
          "intro": "The introduction", "thanks": "The thank-you text", "age_line": "The age line",
          "partner_names": "A partner's name"}
WHOLE = {"slug": "Use small letters, digits and dashes, at most 40, for the end of the link.",
         "topics": "Choose at least one topic of the list.",
         "share": "Your policy does not let forms ask to pass an address on."}
TAKEN = {"name": "There is a list of this name already.", "topic": "The list has a topic of this name already.",
         "slug": "Another form has this link already."}


def sentence(error: MailerError, ids: dict[str, str] | None = None) -> dict[str, str]:
    """The field's id on the page and what to mend; `ids` renames fields where a page has others."""
    field = str(error.context.get("field", "form"))
    if isinstance(error, Conflict):
        words = TAKEN.get(field, "Somebody changed this meanwhile.")
    elif isinstance(error, InvalidInput) and field in WHOLE:
        words = WHOLE[field]
    else:
        words = f"{LABELS.get(field, 'This')} {error.context.get('why', 'cannot be taken')}."
    return {(ids or {}).get(field, field): words}
