"""Lays a message out as HTML that mail programs render: tables, inlined CSS, light and dark."""

import css_inline
import nh3
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup, escape

from mailer.settings import resource_folder

RIGHT_TO_LEFT = frozenset({"ar", "dv", "fa", "he", "ks", "ps", "sd", "ug", "ur", "yi"})
FULL_WIDTH = 576
"""Pixels of a picture on a line of its own: the 640 of the frame less its margins."""

_TAGS = {
    "a", "blockquote", "br", "code", "em", "h1", "h2", "h3", "hr", "img", "li", "ol", "p", "pre", "strong",
    "table", "tbody", "td", "tr", "ul",
}
_ATTRIBUTES = {
    "a": {"href", "class"}, "img": {"src", "alt", "class", "width"}, "ol": {"start"}, "p": {"class"},
    "table": {"class", "role", "cellpadding", "cellspacing", "border"}, "td": {"class", "bgcolor"},
}
_SCHEMES = {"http", "https", "mailto", "tel"}


FRAMES = Environment(
    loader=FileSystemLoader(resource_folder("templates") / "messages" / "email"),
    autoescape=select_autoescape(["html"]), undefined=StrictUndefined,
    trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)

_KEEP = ' data-css-inline="keep"'
_INLINER = css_inline.CSSInliner(load_remote_stylesheets=False)


def body(tokens: list[Token]) -> Markup:
    """The author's part, sanitised: it may hold no other tag, attribute or kind of link than those listed here."""
    rendered = _Renderer().render(tokens, _OPTIONS, {})
    return Markup(nh3.clean(  # noqa: S704 - what nh3 has cleaned is what may be trusted.
        rendered, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=_SCHEMES, link_rel=None))


def page(values: dict[str, object]) -> str:
    """The whole document, its CSS inlined; media queries stay in the head as they are."""
    document = _INLINER.inline(FRAMES.get_template("frame.html").render(values))
    return document.replace(_KEEP, "", 1).rstrip("\n") + "\n"


def direction(language: str) -> str:
    """Which way the language is written."""
    return "rtl" if language.lower().split("-")[0] in RIGHT_TO_LEFT else "ltr"


_OPTIONS = OptionsDict({
    "maxNesting": 20, "html": False, "linkify": False, "typographer": False, "quotes": "“”‘’", "xhtmlOut": False,
    "breaks": False, "langPrefix": "", "highlight": None,
})


class _Renderer(RendererHTML):
    """Markdown's own rendering, and ours for buttons, pictures and deep headings."""

    def button(self, tokens: list[Token], at: int, options: OptionsDict, env: object) -> str:
        href = escape(str(tokens[at].attrGet("href")))
        label = self.renderInline(tokens[at].children or [], options, {})
        return (
            '<table role="presentation" class="button" cellpadding="0" cellspacing="0" border="0"><tbody><tr>'
            f'<td class="button" bgcolor="#4B3FA7"><a class="button" href="{href}">{label}</a></td>'
            "</tr></tbody></table>\n")

    def figure(self, tokens: list[Token], at: int, options: OptionsDict, env: object) -> str:
        children = tokens[at].children or []
        for child in children:
            if child.type == "image":
                child.attrs = {**child.attrs, "width": FULL_WIDTH, "class": "wide"}
        return f'<p class="figure">{self.renderInline(children, options, {})}</p>\n'

    def image(self, tokens: list[Token], at: int, options: OptionsDict, env: object) -> str:  # type: ignore[override]  # Its types are looser than its use.
        # The alternative text was settled when the message was read; an ornament has an empty one.
        return f"<img{self.renderAttrs(tokens[at])}>"

    def heading_open(self, tokens: list[Token], at: int, options: OptionsDict, env: object) -> str:
        return f"<h{min(int(tokens[at].tag[1]), 3)}>"

    def heading_close(self, tokens: list[Token], at: int, options: OptionsDict, env: object) -> str:
        return f"</h{min(int(tokens[at].tag[1]), 3)}>\n"
