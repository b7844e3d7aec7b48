"""Links to other sites say so on our public pages: what is asked there is under the other site's policy (C6)."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

LABEL = ' <span class="optional">(another site)</span>'
_LINK = re.compile(r'<a\b[^>]*?\bhref="((?:https?:)?//[^"]*)"[^>]*>.*?</a>', re.DOTALL | re.IGNORECASE)


def labelled(html: str, ours: Iterable[str]) -> str:
    """The page with each link that leads to another host labelled; `ours` are hosts that are this site."""
    known = {host.lower() for host in ours if host}

    def label(found: re.Match[str]) -> str:
        host = urlsplit(found[1]).netloc.lower()
        return found[0] if host in known or html.startswith(LABEL, found.end()) else found[0] + LABEL

    return _LINK.sub(label, html)
