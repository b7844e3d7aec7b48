"""What makes a letter an offer, so that no service message carries one (promise M2)."""

import re

from mailer.core.errors import MailerError

_BLOCK = re.compile(
    r"\{%-?\s*(?:block|include|import|from)\s+[\"']?[^%]*offer|\{(?:offer|button)\}|class=\"[^\"]*offer")
_PICTURE = re.compile(r"<img\b|background(?:-image)?\s*[:=][^;>\"]*url\(|!\[")
_ELSEWHERE = re.compile(r"(?:href|src)=\"https?://[^\"]*|^\s*https?://\S+", re.MULTILINE)
_WORDS = re.compile(
    r"\b\d+ ?% (?:off|discount)|\b(?:discount|voucher|coupon|bargain|promo(?:tion)?(?:al)? code)s?\b"
    r"|\b(?:special|exclusive|limited|latest|great) (?:price|offer|deal)s?\b|\b(?:buy|order|shop) (?:now|today|one)\b"
    r"|\bon sale\b|\bsale (?:ends|starts|now)\b|\bfree (?:gift|shipping|delivery|trial)\b|\blimited time\b"
    r"|\bour (?:new|latest) (?:products?|catalogue|collection|offers?)\b|\byou (?:may|might) also like\b",
    re.IGNORECASE)
_VARIABLE = re.compile(r"\{\{.*?\}\}|\{#.*?#\}|\{%.*?%\}", re.DOTALL)


class OfferInLetter(MailerError):
    """A letter that everybody may get carries an offer."""

    code = "offer_in_letter"
    status = 500


def found(source: str) -> list[str]:
    """What of a letter's source is an offer: blocks, pictures, links that lead elsewhere, words that sell.

    What is put in for each person (a list's name, a title) is not looked at.
    """
    written = _VARIABLE.sub(" ", source)
    return [*(match[0] for match in _BLOCK.finditer(source)),
            *(match[0] for pattern in (_PICTURE, _ELSEWHERE, _WORDS) for match in pattern.finditer(written))]
