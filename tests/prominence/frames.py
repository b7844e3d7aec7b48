"""A message around a footer, as HTML and as text."""

from typing import NamedTuple

LEAVE = "https://news.example.org/u/k7qp2mx4k7qp2mx4k7qp2mx4"
ELSEWHERE = "https://shop.example.org/account"
ASIDE = "You get this because you asked for news of our shop."
LINK = f'<a href="{LEAVE}">Unsubscribe</a>'
WORDS = ("The spring catalogue is out, with forty new titles for strings and wind, and a large-print edition of the "
         "duets that many of you asked for. ")
STYLE = "body{background:#ffffff;color:#222222;font:400 16px/1.5 Arial} .foot{font-size:14px;color:#444444}"
TEXT_FOOT = f"{ASIDE}\n\nUnsubscribe: {LEAVE}\n"


class Design(NamedTuple):
    """What arrives, and where its way out leads."""

    html: str
    text: str
    leave: str = LEAVE


def page(foot: str = f"<p>{ASIDE} {LINK}</p>", *, style: str = "", head: str = "", body: str = "", after: str = ""
         ) -> str:
    """A plain message whose footer is as given."""
    return (f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>News</title>{head}'
            f"<style>{STYLE}{style}</style></head><body><h1>Spring news</h1><p>{WORDS * 6}</p>{body}"
            f'<div class="foot">{foot}</div>{after}</body></html>')


def text(foot: str = TEXT_FOOT, *, body: str = "") -> str:
    """The same words as text."""
    return f"Spring news\n===========\n\n{(WORDS + chr(10)) * 6}{body}\n\n-- \n{foot}"


def design(foot: str | None = None, plain: str | None = None, **around: str) -> Design:
    """Both parts; what is not given is honest."""
    return Design(page(**around) if foot is None else page(foot, **around), text() if plain is None else plain)


def link(words: str = "Unsubscribe", *, style: str = "", href: str = LEAVE, more: str = "") -> str:
    """A footer with one link, styled."""
    return f'<p>{ASIDE} <a href="{href}" style="{style}" {more}>{words}</a></p>'
