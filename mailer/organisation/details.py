"""Changing what the organisation is called, where it is, and which clock its screens go by."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from mailer.audit import trail
from mailer.context import Context
from mailer.core.errors import BadSettings, InvalidAddress, InvalidInput
from mailer.core.modes import Mode
from mailer.organisation import profile
from mailer.organisation.models import Organisation
from mailer.settings import Settings

LONGEST_NAME, LONGEST_POSTAL, LONGEST_URL = 120, 500, 200


def change(ctx: Context, *, name: str, postal_address: str, help_email: str, public_url: str, time_zone: str) -> None:
    """Keep the checked values; those that the environment sets stay as they are."""
    row = profile.ensure_row(ctx)
    fixed = profile.current(ctx).fixed
    wanted = {"name": name, "help_email": help_email, "time_zone": time_zone,
              "postal_address": row.postal_address if "postal_address" in fixed else postal_address,
              "public_url": row.public_url if "public_url" in fixed else public_url}
    changed = [field for field, value in wanted.items() if getattr(row, field) != value]
    for field in changed:
        setattr(row, field, wanted[field])
    if changed:
        trail.record(ctx, "organisation_changed", "organisation", fields=changed)


def stored(ctx: Context) -> Organisation:
    """What the screen has chosen, the environment apart; changes nothing where nobody has chosen yet."""
    return ctx.db.get(Organisation, 1) or Organisation(
        name="", postal_address="", help_email="", public_url="", time_zone="UTC", mode=Mode.PRACTICE)


def check_name(raw: str) -> str:
    """Raises: InvalidInput naming `organisation`."""
    name = " ".join(raw.split())
    if not name:
        raise InvalidInput(field="organisation", why="Type the name that people know you by.")
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise InvalidInput(field="organisation", why=f"Use one line of at most {LONGEST_NAME} characters.")
    return name


def check_postal_address(raw: str) -> str:
    """Lines as they are printed, without empty ones. Raises: InvalidInput naming `postal_address`."""
    address = "\n".join(" ".join(line.split()) for line in raw.splitlines() if line.strip())
    if len(address) > LONGEST_POSTAL or not address.replace("\n", "").isprintable():
        raise InvalidInput(field="postal_address", why=f"Use at most {LONGEST_POSTAL} characters in all.")
    return address


def check_help_email(ctx: Context, raw: str) -> str:
    """The address that people may ask; empty for none yet. Raises: InvalidInput naming `help_email`."""
    if not raw.strip():
        return ""
    try:
        return ctx.channels["email"].parse_address(raw).normalised
    except InvalidAddress as error:
        raise InvalidInput(field="help_email", why="Type an address such as help@example.org.") from error


def check_public_url(raw: str) -> str:
    """Where people reach these pages; empty for this machine. Raises: InvalidInput naming `public_url`."""
    url = raw.strip()
    try:
        checked = Settings.from_env({"PUBLIC_URL": url}).public_url
    except (BadSettings, ValueError) as error:
        raise InvalidInput(field="public_url", why="Type an address such as https://news.example.org.") from error
    if len(checked) > LONGEST_URL or not checked.isprintable() or " " in checked:
        raise InvalidInput(field="public_url", why="Type an address such as https://news.example.org.")
    return checked


def check_time_zone(raw: str) -> str:
    """A name of the IANA time zone database. Raises: InvalidInput naming `time_zone`."""
    try:
        return ZoneInfo(raw).key
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidInput(field="time_zone", why="Choose a time zone from the list.") from error


def time_zones() -> list[str]:
    """Those to choose from: by place, and UTC."""
    return ["UTC", *sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))]
