"""The words of these screens for reasons, findings, events and moments."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from mailer.core.channel import Finding, Grade
from mailer.core.reasons import Reason

REASONS: dict[str, str] = {
    Reason.ERASED: "Erased",
    Reason.NEVER: "Friend said never",
    Reason.CHILD: "Reported as a child's",
    Reason.LAW: "Stopped by law",
    Reason.FRIEND_ONLY: "Known from tell-a-friend only",
    Reason.NOT_ME: "Said “this was not me”",
    Reason.HOLD: "On hold by the privacy desk",
    Reason.DOMAIN_RULE: "Stopped by a domain rule",
    Reason.STOPPED: "Stopped by text",
    Reason.UNSUBSCRIBED: "Unsubscribed",
    Reason.POST_CODE: "Stopped with the code on a letter",
    Reason.STAFF_STOP: "Stopped by staff, on request",
    Reason.COMPLAINED: "Unreachable: complained",
    Reason.BOUNCED: "Unreachable: bounced",
    Reason.GONE_AWAY: "Unreachable: gone away",
    Reason.DOUBTFUL: "May have meant stop",
    Reason.NO_CONSENT: "Has not said yes",
    Reason.NOT_CONFIRMED: "Not confirmed",
    Reason.NOT_TOPIC: "Not this topic",
    Reason.PARTNER_OFFERS_OFF: "Partner offers off",
    Reason.PAUSED: "Taking a break",
    Reason.CAP: "Frequency limit: has had one lately",
    Reason.DUPLICATE: "Same mailbox twice",
    Reason.SEGMENT: "Excluded by your rule",
    Reason.NO_ADDRESS: "No usable address",
    Reason.PRACTICE_CONSENT: "Confirmed outside Live only",
    Reason.POLICY_NOT_EFFECTIVE: "Waits for a change of policy",
    Reason.AWAITING_RECONSENT: "Was asked for a new yes",
    Reason.CAMPAIGN_STOPPED: "The campaign was stopped",
    Reason.LIMIT: "Limit reached",
}

FINDINGS: dict[str, tuple[str, str]] = {
    "audience": ("There are people to write to", "Nobody would get this"),
    "policy": ("Your policy lets campaigns be sent", "Your policy does not let campaigns be sent"),
    "subject": ("There is a subject", "The subject is empty"),
    "message": ("There is a message", "The message is empty"),
    "missing_fallback": ("Every personal field has a fallback", "A personal field has no fallback"),
    "unknown_field": ("Every personal field exists", "There is no personal field of this name"),
    "fallback_read": ("Fallbacks are filled", "Fallbacks are filled"),
    "example_text": ("The example text is gone", "Example text is still in it"),
    "way_out": ("The way out is easily noticed in both parts", "The way out is not easily noticed"),
    "one_click": ("Mail programs get a one-click way out", "The one-click way out is missing"),
    "picture_alt": ("Every picture says what it shows, or is an ornament", "A picture does not say what it shows"),
    "personal_link": ("No link differs from person to person",
                      "A link holds a personal field. Take it out: no link may tell who pressed it"),
    "cannot_build": ("Messages can be built", "No message can be built: this part of it cannot be written"),
    "bad_link": ("Every link may be sent", "A link leads nowhere and is left out"),
    "size": ("Small enough to arrive whole", "So large that mail programs may cut it"),
    "postal_address": ("The postal address stands at the end", "There is no postal address to print at the end"),
    "sender_name": ("The sender has a name", "The sender's name looks like an address"),
    "sender": ("There is a sender", "No sender is chosen: messages come from a made-up address"),
    "tested": ("A test was sent since the last change", "No test was sent since the last change"),
    "same_content": ("This was not said to the list in the last 7 days", "The list had these words already"),
    "mail_server": ("A mail server can be reached",
                    "Cannot reach the mail server. You can schedule; what is sent now waits until it is back"),
    "live": ("All that Live asks for is there", "Live lacks something"),
}

WAY_OUT = {
    "missing": "The unsubscribe link is missing.",
    "hidden": "It is hidden.", "tiny": "It is smaller than 12 pixels.",
    "low_contrast": "It can hardly be told from what is around or behind it, by day or at night.",
    "off_screen": "It is clipped, or lies outside the page.",
    "vague": "Its words do not say plainly that one leaves.",
    "image_only": "It is only a picture.",
    "far_down": "It stands far down behind nothing.",
    "missing_in_text": "The text part has no unsubscribe link.",
    "far_down_in_text": "In the text part it stands far down behind padding.",
    "covered": "Something lies over it.",
    "swapped": "Another link with words of leaving leads elsewhere. Take that link out or name it for what it is.",
    "guilt": "The words before it argue with those who want to leave, or ask something of them first.",
}

PLACES = {"audience": "audience", "subject": "subject", "preview_line": "preview_line", "markdown": "markdown",
          "sender": "sender"}

EVENTS = {
    "campaign_created": "Written", "campaign_changed": "Changed", "campaign_tested": "Test sent",
    "campaign_approval_asked": "Approval asked for", "campaign_approved": "Approved",
    "campaign_approval_withdrawn": "Request for approval taken back", "campaign_started": "Send pressed",
    "campaign_scheduled": "Scheduled", "campaign_start_undone": "Undone, back to a draft",
    "campaign_sending": "Sending began", "campaign_paused": "Paused", "campaign_resumed": "Went on",
    "campaign_stopped": "Stopped for good", "campaign_uncertain_again": "Sent again to the uncertain",
    "campaign_closed": "Ended", "campaign_could_not_start": "Could not start",
}

WHY_NOT_STARTED = {
    "behind_exits": "The database is older than the record of people who left, so nothing is sent. An operator runs "
                    "`mailer exits apply`.",
    "purpose_forbidden": "Your policy does not let campaigns be sent. The privacy officer can choose another.",
    "mode_changed": "The mode was changed after Send was pressed. Check it and send again.",
    "too_late": "Its time had passed by more than a day, so it was not sent by itself. Check it and send again.",
}

WHY_PAUSED = {
    "failures_in_a_row": "It paused itself: 20 messages in a row failed. The codes below say why: 5.7 means that the "
                         "provider refuses us, so talk to it first; 5.1 means bad addresses, so look at the list. "
                         "Then resume, and it counts anew.",
    "too_many_failures": "It paused itself: more than one in ten of the last 1,000 failed. The codes below say why: "
                         "5.7 means that the provider refuses us, so talk to it first; 5.1 means bad addresses, so "
                         "look at the list. Then resume, and it counts anew.",
    "complaints": "It paused itself: too many people called it spam. Look at whom it went to and what it says before "
                  "you resume.",
    "restored": "The database was put back to a backup that was made while this was being sent. Whoever got it since "
                "is not known here and would get it again. Resume only when you know that nobody did; else stop it "
                "for good.",
}


def reason(code: str) -> str:
    """Why somebody is out, as screens say it."""
    return REASONS.get(code, code.replace("_", " ").capitalize())


def why_not_started(code: str | None) -> str:
    """Why a campaign could not start."""
    if not code:
        return ""
    if code.startswith("live_lacks:"):
        return f"Live lacks {code.removeprefix('live_lacks:').replace(',', ', ')}."
    if code.startswith("must_fix:"):
        return f"It must be mended first: {code.removeprefix('must_fix:').replace('_', ' ')}. Check and send says more."
    return WHY_NOT_STARTED.get(code, code.replace("_", " ").capitalize() + ".")


def held(code: str) -> str:
    """Why nothing of a campaign that is being sent is handed over."""
    return why_not_started(code) if code != "mode_changed" else \
        "The mode was changed after Send was pressed. A campaign goes on only in the mode it was sent in."


def why_paused(code: str | None) -> str:
    """Why a campaign paused by itself; empty where a person paused it."""
    return WHY_PAUSED.get(code, code.replace("_", " ").capitalize() + ".") if code else ""


def finding(found: Finding, edit: str, settings: str) -> dict[str, Any]:
    """One line of the checklist: words, a note, and the place where it can be mended."""
    good, bad = FINDINGS.get(found.code, (found.code, found.code))
    fine = found.grade is Grade.FINE
    href = settings if found.field in ("settings", "brand") else f"{edit}#{PLACES.get(found.field, 'markdown')}"
    if found.field == "test":
        href = "#test"
    return {"grade": str(found.grade), "text": good if fine else bad, "note": _note(found, fine), "name": found.code,
            "href": "" if fine else href}


def _note(found: Finding, fine: bool) -> str:
    if found.code == "fallback_read":
        people = int(found.detail)
        return f"{people:,} have no first name: they read the words after the bar." if people else ""
    if found.code == "way_out":
        return WAY_OUT.get(found.detail, found.detail)
    if found.code == "size":
        return f"{int(found.detail) / 1000:,.0f} of 100 kB"
    if found.code == "audience":
        return "" if fine else "The figures beside say why."
    if found.code == "same_content":
        return f"On {found.detail}. They would read it twice." if found.detail else ""
    return "" if fine else found.detail


def place(zone: str) -> str:
    """A time zone's place: `New York`."""
    return zone.rpartition("/")[2].replace("_", " ")


def clock_line(moment: datetime, zone: str, own_zone: str, now: datetime) -> str:
    """The moment in full, so that nobody schedules in another clock than they think of."""
    local, utc = moment.astimezone(ZoneInfo(zone)), moment.astimezone(UTC)
    own = moment.astimezone(ZoneInfo(own_zone))
    here = f", {own:%H:%M} {place(own_zone)}" if own_zone not in (zone, "UTC") else ""
    there = "" if zone == "UTC" else f" {utc:%H:%M} UTC{here}."
    days = (local.date() - now.astimezone(ZoneInfo(zone)).date()).days
    far = {0: "Today.", 1: "Tomorrow."}.get(days, f"In {days:,} days.")
    return f"{local:%A} {local.day} {local:%B %Y, %H:%M} {place(zone)}.{there} {far}"


def short_moment(moment: datetime, zone: str) -> str:
    """The moment as the button says it: `Tue 10 March, 09:00 New York`."""
    local = moment.astimezone(ZoneInfo(zone))
    return f"{local:%a} {local.day} {local:%B, %H:%M} {place(zone)}"


def people(count: int) -> str:
    """`1 person`, `4,812 people`."""
    return "1 person" if count == 1 else f"{count:,} people"


def waterfall(reasons: Mapping[Any, int]) -> list[dict[str, Any]]:
    """Reasons with their counts, as the macro takes them."""
    return [{"label": reason(str(code)), "count": count, "name": str(code)} for code, count in reasons.items()]
