"""The way out of a text part: named plainly beside its address, and not behind padding."""

import re

from mailer.channels.email.prominence import phrases
from mailer.channels.email.prominence.tricks import Fault

CUT_AT = 100_000
EMPTY_LINES = 6
LONGEST_FOOTER = 1_000
"""Characters between the signature's mark (RFC 3676 §4.3) and the way out."""
NEAR = 600
_ADDRESS = re.compile(r"<?(?:https?://|mailto:|\ufdd0)[^\s<>]*>?")
_EMPTY = re.compile(rf"(?:\n[^\w\n\ufdd0]*){{{EMPTY_LINES + 1},}}(?=\n)")


def faults(text: str, leave: str, before_in_html: int) -> list[Fault]:
    """What is wrong with the way out of a text, each once; `before_in_html` characters stand before the other one."""
    text = text.replace("\r\n", "\n")
    at = text.find(leave)
    if at < 0:
        return [Fault.MISSING_IN_TEXT]
    before = text[:at]
    found = []
    if not phrases.says_leave(_label(text, at)):
        found.append(Fault.VAGUE)
    if len(before.encode()) > CUT_AT:
        found.append(Fault.CUT_OFF)
    elif _is_far(before, before_in_html):
        found.append(Fault.FAR_DOWN_IN_TEXT)
    if phrases.argues(before[-NEAR:]) or phrases.demands(before.rpartition("\n-- \n")[2][-NEAR:]):
        found.append(Fault.GUILT)
    elif "\n-- \n" in before and len(before.rpartition("\n-- \n")[2]) > LONGEST_FOOTER:
        found.append(Fault.FAR_DOWN_IN_TEXT)
    if any(match[0].strip("<>") != leave and phrases.says_leave(_label(text, match.start()))
           for match in _ADDRESS.finditer(text) if leave not in match[0]):
        found.append(Fault.SWAPPED)
    return list(dict.fromkeys(found))


def _is_far(before: str, before_in_html: int) -> bool:
    words = len(phrases.normal(_ADDRESS.sub("", before)))
    return bool(_EMPTY.search(before)) or words > 2 * before_in_html + 2_000


def _label(text: str, at: int) -> str:
    """The words that name an address: those before it on its line, or the line above where it stands alone."""
    lines = text[:at].split("\n")
    own = lines[-1].strip(" <([:-\t")
    if own:
        return _ADDRESS.sub("\n", own).rpartition("\n")[2][-60:]
    above = lines[-2].strip() if len(lines) > 1 else ""
    return above[-60:] if not _ADDRESS.search(above) else ""
