"""The registry of fields: each detail that may be held of a person, what kind it is, what for, and how long.

What does not stand here is not asked, not kept and not imported (promises S2 and M31).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from mailer.core.errors import InvalidInput


class Category(StrEnum):
    """Kinds of data, as records of processing name them (GDPR Art. 30 (1) (c))."""

    CONTACT = "contact"
    PREFERENCE = "preference"
    CONSENT = "consent"
    DEMOGRAPHIC = "demographic"


@dataclass(frozen=True)
class Field:
    """One detail: `purpose` is why it is asked, in words that people read; `asked` whether a form may ask it.

    `kept` is how long, in words; an empty one says that nothing is stored.
    """

    name: str
    category: Category
    purpose: str
    kept: str
    asked: bool = True
    required: bool = False


UNTIL_ERASED = "until the person is erased"

REGISTRY: Mapping[str, Field] = {each.name: each for each in (
    Field("email", Category.CONTACT, "To send what was asked for.", UNTIL_ERASED, required=True),
    Field("first_name", Category.CONTACT, "Only to say hello.", UNTIL_ERASED),
    Field("phone", Category.CONTACT, "To send texts that were asked for.", UNTIL_ERASED, asked=False),
    Field("postal_address", Category.CONTACT, "To send post that was asked for.", UNTIL_ERASED, asked=False),
    Field("topics", Category.CONSENT, "To send only what was chosen.", "as proof, until the person is erased"),
    Field("partner_offers", Category.CONSENT, "To send offers of others only to who wants them.",
          "as proof, until the person is erased"),
    Field("share", Category.CONSENT, "To pass an address on only where that was chosen.",
          "as proof, until the person is erased"),
    Field("frequency", Category.PREFERENCE, "To write as often as was chosen.", UNTIL_ERASED),
    Field("format", Category.PREFERENCE, "To send pictures, or text only.", UNTIL_ERASED),
    Field("language", Category.PREFERENCE, "To write in a language that is understood.", UNTIL_ERASED, asked=False),
    Field("age", Category.DEMOGRAPHIC, "To keep children out; the answer is looked at and dropped.", ""),
)}

DEMOGRAPHIC = frozenset({"age", "birth_date", "birthday", "gender", "sex", "income", "education", "occupation",
                         "marital_status", "nationality", "religion", "ethnicity"})
"""Details that no form may require, whatever it is for (promise M3)."""


def check_asked(names: Iterable[str]) -> None:
    """Raises: InvalidInput naming `fields` for a field that is not registered, or that no form may ask."""
    for name in names:
        found = REGISTRY.get(name)
        if found is None or not found.purpose:
            raise InvalidInput(field="fields", why="names a field that is not in the registry", name=name)
        if not found.asked:
            raise InvalidInput(field="fields", why="names a field that forms do not ask", name=name)


def check_required(names: Iterable[str]) -> None:
    """Raises: InvalidInput naming `required`: an email address is all that a form may insist on (promise T3)."""
    for name in names:
        if name in DEMOGRAPHIC:
            raise InvalidInput(field="required", why="age, gender, income and the like are never required", name=name)
        if name not in REGISTRY or not REGISTRY[name].required:
            raise InvalidInput(field="required", why="only the email address may be required", name=name)


def is_registered(name: str) -> bool:
    """Whether somebody has said what this detail is for and how long it is kept."""
    found = REGISTRY.get(name)
    return found is not None and bool(found.purpose)
