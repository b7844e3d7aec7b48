"""What is to do before going Live; each item is read from the facts, never ticked by hand."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy import func, select, text

from mailer.context import Context
from mailer.organisation import profile as organisation
from mailer.organisation import senders
from mailer.organisation.models import Organisation
from mailer.policy import notices
from mailer.staff import accounts, two_factor
from mailer.staff.models import Staff
from mailer.staff.roles import Role

FIRST_STEPS = {
    "asked": "SELECT EXISTS (SELECT FROM pending_request) OR EXISTS (SELECT FROM person WHERE NOT sample)",
    "confirmed": "SELECT EXISTS (SELECT FROM person WHERE NOT sample)",
    "sent": "SELECT EXISTS (SELECT FROM campaign c, instance i WHERE c.started_at >= i.created_at)",
}
TRIAL_SENT = text("SELECT EXISTS (SELECT FROM campaign WHERE mode = 'trial' AND state = 'sent')")


@dataclass(frozen=True)
class Item:
    """One thing to do: what, whether it is done, what happens without it, and the page where it is done."""

    name: str
    text: str
    done: bool
    note: str
    path: str
    before_trial: bool = True
    begun: bool = False

    @property
    def state(self) -> str:
        return "done" if self.done else "problem" if self.begun else "not_started"


def first_steps(ctx: Context) -> list[Item]:
    """The small things of the first minutes."""
    done = {name: bool(ctx.db.scalar(text(query))) for name, query in FIRST_STEPS.items()}
    return [
        Item("organisation_named", "Name your organisation", bool(organisation.current(ctx).name), "",
             "/staff/settings"),
        Item("asked", "Sign yourself up", done["asked"], "As one of your readers would.", ""),
        Item("first_person", "First confirmed person", done["confirmed"],
             "Open the message in the Outbox and press its button.", ""),
        Item("first_campaign", "First campaign sent", done["sent"], "The sample campaign will do.", ""),
    ]


def go_live(ctx: Context) -> list[Item]:
    """Everything to do before Live, in its order; features that are not there are not asked for."""
    profile = organisation.current(ctx)
    row = ctx.db.get(Organisation, 1)
    return [
        _organisation(ctx, profile),
        _notice(ctx),
        _second_factor(ctx),
        _team(ctx),
        Item("web_address", "Web address with https", urlsplit(profile.public_url).scheme == "https",
             "Without it the links in your messages lead nowhere.", "/staff/settings",
             begun=bool(row and row.public_url)),
        Item("mail_server", "Mail server set (SMTP_URL)", ctx.fixed.mail_server == "safe",
             "Set it where the program is started. Without encryption it is used on this machine alone.",
             "/staff/settings", begun=bool(ctx.fixed.mail_server)),
        Item("mail_test", "Mail server test: a real message to you", bool(row and row.last_test_at),
             "In Trial, send yourself a test message and type its code.", "/staff/account", before_trial=False),
        Item("first_trial", "First Trial campaign to the team", bool(ctx.db.scalar(TRIAL_SENT)),
             "In Trial only team members with a proven mailbox get messages.", "", before_trial=False),
    ]


def _organisation(ctx: Context, profile: organisation.Profile) -> Item:
    found = {"name": profile.name, "postal address": profile.postal_address, "help contact": profile.help_email,
             "sender": senders.default(ctx)}
    missing = [what for what, there in found.items() if not there]
    note = "Still to do: " + ", ".join(missing) + "." if missing else ""
    return Item("organisation", "Organisation, postal address, help contact", not missing, note,
                "/staff/settings", begun=len(missing) < len(found) - 1)


def _notice(ctx: Context) -> Item:
    notice = notices.in_force(ctx)
    own = notice is not None and not notice.starter
    return Item("notice", "Privacy notice published", own,
                "" if own else "The starter notice is in force; publish your own.", "/staff/notice",
                begun=notice is not None)


def _team(ctx: Context) -> Item:
    admins, officers = (len(accounts.holders(ctx, role)) for role in (Role.ADMIN, Role.PRIVACY_OFFICER))
    done = admins >= 2 and officers >= 1
    note = "" if done else f"Now: {admins} Admin{'s' if admins != 1 else ''}, {officers} privacy officer" \
                           f"{'s' if officers != 1 else ''}."
    return Item("team", "Two Admins, one privacy officer", done, note, "/staff/team", before_trial=False,
                begun=admins + officers > 1)


def _second_factor(ctx: Context) -> Item:
    lacking = len(two_factor.without_it(ctx))
    everybody = ctx.db.scalar(select(func.count()).select_from(Staff).where(Staff.state == "active")) or 0
    note = f"{lacking} of {everybody} have none yet. It is required of everyone outside Practice." if lacking else ""
    return Item("second_factor", "Second factor for everyone", not lacking, note, "/staff/account/second-factor",
                begun=lacking < everybody)
