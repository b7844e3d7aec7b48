"""What each role may do and see, as data; the screens and the door read it from here."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """A role a member of staff holds; several may be held at once."""

    COMPOSER = "composer"
    SENDER = "sender"
    LIST_MANAGER = "list_manager"
    PRIVACY_OFFICER = "privacy_officer"
    ADMIN = "admin"
    AUDITOR = "auditor"


class Permission(StrEnum):
    """One thing that a page or an act asks for."""

    SIGNED_IN = "signed_in"
    SEE_PEOPLE = "see_people"
    REVEAL = "reveal"
    READ_CONTENT = "read_content"
    EDIT_CONTENT = "edit_content"
    SEND = "send"
    SEE_LISTS = "see_lists"
    EDIT_LISTS = "edit_lists"
    EDIT_FORMS = "edit_forms"
    TOTALS = "totals"
    OUTBOX = "outbox"
    SEE_SETTINGS = "see_settings"
    SETTINGS = "settings"
    TEAM = "team"
    AUDIT = "audit"
    AUDIT_ALL = "audit_all"
    PRIVACY = "privacy"
    PRIVACY_COUNTS = "privacy_counts"
    REGISTER = "register"
    NOTICE = "notice"
    FRIENDS = "friends"


EVERYBODY = frozenset({Permission.SIGNED_IN, Permission.TOTALS, Permission.READ_CONTENT, Permission.SEE_LISTS,
                       Permission.OUTBOX})

PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.COMPOSER: EVERYBODY | {Permission.EDIT_CONTENT},
    Role.SENDER: EVERYBODY | {Permission.EDIT_CONTENT, Permission.SEND},
    Role.LIST_MANAGER: EVERYBODY | {Permission.SEE_PEOPLE, Permission.REVEAL, Permission.EDIT_LISTS,
                                    Permission.EDIT_FORMS, Permission.FRIENDS},
    Role.PRIVACY_OFFICER: EVERYBODY | {Permission.SEE_PEOPLE, Permission.REVEAL, Permission.PRIVACY, Permission.NOTICE,
                                       Permission.AUDIT, Permission.AUDIT_ALL, Permission.FRIENDS,
                                       Permission.PRIVACY_COUNTS, Permission.REGISTER},
    Role.ADMIN: EVERYBODY | {Permission.SEE_SETTINGS, Permission.SETTINGS, Permission.TEAM, Permission.NOTICE,
                            Permission.AUDIT, Permission.PRIVACY_COUNTS},
    Role.AUDITOR: EVERYBODY | {Permission.SEE_PEOPLE, Permission.SEE_SETTINGS, Permission.AUDIT, Permission.AUDIT_ALL,
                              Permission.PRIVACY_COUNTS, Permission.REGISTER},
}


@dataclass(frozen=True)
class Card:
    """A role in plain words, for the screen where it is given."""

    role: Role
    name: str
    does: str
    sees: str


CARDS = (
    Card(Role.COMPOSER, "Composer", "Writes campaigns and asks for them to be sent.",
         "Can see people's addresses: no. Works with test persons and counts."),
    Card(Role.SENDER, "Sender", "Writes campaigns, sends them, pauses and stops them.",
         "Can see people's addresses: no."),
    Card(Role.LIST_MANAGER, "List manager", "Looks after lists, forms and the people on them.",
         "Can see people's addresses: one at a time, with a reason that is logged."),
    Card(Role.PRIVACY_OFFICER, "Privacy officer", "Answers people's requests, keeps proofs and notices; sends nothing.",
         "Can see people's addresses: yes, with a reason that is logged. Sees the whole audit log."),
    Card(Role.ADMIN, "Admin", "Settings, team and modes.",
         "Can see people's addresses: no. Giving it to oneself is logged, and the privacy officer is told."),
    Card(Role.AUDITOR, "Auditor", "Reads; changes nothing.",
         "Can see people's addresses: no, masked only. Sees the whole audit log."),
)

FIRST_ACCOUNT = frozenset({Role.ADMIN, Role.COMPOSER, Role.SENDER, Role.LIST_MANAGER})
"""What the account of the first run holds (decision 28)."""

OPENS_ADDRESSES = frozenset(role for role, may in PERMISSIONS.items() if Permission.REVEAL in may)


def permissions(roles: Iterable[Role]) -> frozenset[Permission]:
    """Everything that these roles together may do; nothing for none."""
    return frozenset(may for role in roles for may in PERMISSIONS[role])


def in_words(roles: Iterable[Role]) -> str:
    """The roles by name, in the order of the cards: `Composer, Admin`."""
    held = frozenset(roles)
    return ", ".join(card.name for card in CARDS if card.role in held)
