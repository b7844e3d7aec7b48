"""Twenty honest designs, as organisations send them."""

from tests.prominence.frames import ASIDE, LEAVE, LINK, TEXT_FOOT, WORDS, Design, design, link, page, text

DARK_LOOK = ("@media (prefers-color-scheme: dark){body{background:#121212!important;color:#eeeeee!important}"
             ".foot{color:#bbbbbb!important}.foot a{color:#c0b8f8!important}}")
TABLE = ('<table width="100%" bgcolor="#f4f4f4"><tr><td align="center" style="padding:24px;font-size:13px;'
         f'color:#555555"><a href="{LEAVE}" style="color:#1a4fa3">Unsubscribe from this list</a></td></tr></table>')

HONEST: dict[str, Design] = {
    "a sentence and a link": design(),
    "its own line": design(f"<p>{ASIDE}</p><p>{LINK}</p>"),
    "a look for the dark": design(head='<meta name="color-scheme" content="light dark">', style=DARK_LOOK),
    "white on dark all day": design(link(style="color:#9ecbff"), style="body,.foot{background:#101418;color:#f0f0f0}"),
    "a table": design(TABLE),
    "a button": design(
        f'<p><a href="{LEAVE}" style="display:inline-block;padding:10px 20px;background-color:#4B3FA7;color:#ffffff;'
        'text-decoration:none;font-weight:600">Leave this list</a></p>'),
    "bold without a line": design(link(style="text-decoration:none;font-weight:bold;color:#222222")),
    "twelve pixels": design(link(style="font-size:12px")),
    "at the top as well": design(body=f"<p>{LINK}</p>"),
    "a sentence as the link": design(link("Stop getting these emails")),
    "two ways and a reason": design(
        f'<p>{ASIDE} <a href="https://news.example.org/why/1">Why did I get this?</a></p><p>{LINK} &middot; '
        '<a href="https://news.example.org/p/1">Preferences</a></p>'),
    "German": design(link("Vom Newsletter abmelden"), text(f"Vom Newsletter abmelden: {LEAVE}\n")),
    "French": design(link("Se désabonner"), text(f"Se désabonner : {LEAVE}\n")),
    "Japanese": design(link("配信停止"), text(f"配信停止: {LEAVE}\n")),
    "a preview line that is not shown": design(
        body='<div style="display:none;max-height:0;overflow:hidden;opacity:0">Forty new titles</div>'),
    "the address of the link on a line below": design(plain=text(f"{ASIDE}\n\nUnsubscribe:\n{LEAVE}\n")),
    "first in the text": design(plain=f"Unsubscribe: {LEAVE}\n\n{text('Cadenza Books')}"),
    "named colours and font tags": design(
        f'<p><font size="2" color="black">{ASIDE} <a href="{LEAVE}" style="color:blue">Opt out</a></font></p>'),
    "a long letter": design(body=f"<p>{WORDS * 120}</p>", plain=text(body=WORDS * 120 + "\n", foot=TEXT_FOOT)),
    "a postal address before it": Design(
        page(f"<p>Cadenza Books<br>12 Bridge Street<br>Bristol BS1 4ST</p><p>{ASIDE}</p><p>{LINK}</p>"),
        text(f"Cadenza Books\n12 Bridge Street\nBristol BS1 4ST\n\n{TEXT_FOOT}")),
}
assert len(HONEST) == 20
