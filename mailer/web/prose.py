"""Markdown of our own staff as HTML for a page: no script, no picture, no style of its own."""

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

MARKDOWN = MarkdownIt("commonmark", {"html": False})
TAGS = {"p", "h2", "h3", "h4", "ul", "ol", "li", "strong", "em", "a", "code", "blockquote", "hr", "br"}


def html(text: str) -> Markup:
    """The text; headings begin below the page's own."""
    rendered = MARKDOWN.render(text).replace("<h1>", "<h2>").replace("</h1>", "</h2>")
    return Markup(nh3.clean(rendered, tags=TAGS, attributes={"a": {"href"}}, url_schemes={"http", "https", "mailto"}))  # noqa: S704 - what nh3 has cleaned may be trusted.
