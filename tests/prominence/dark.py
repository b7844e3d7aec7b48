"""Forty dark patterns: ten kinds, four of each."""

from tests.prominence.frames import ASIDE, ELSEWHERE, LEAVE, LINK, WORDS, Design, design, link, text

WALL = ("By reading this you accept that all offers are subject to change, that pictures are not binding, that prices "
        "include what the law asks for, and that our general terms, which you find on our site, are part of it. ")

DARK: dict[str, dict[str, Design]] = {
    "hidden by CSS": {
        "display none": design(link(style="display:none")),
        "visibility hidden by a class": design(f'<p class="x">{LINK}</p>', style=".foot .x{visibility:hidden}"),
        "opacity of what it stands in": design(f'<div style="opacity:.05"><p>{ASIDE} {LINK}</p></div>'),
        "hidden in narrow windows only": design(style="@media (max-width:600px){.foot{display:none!important}}"),
    },
    "tiny": {
        "one pixel": design(link(style="font-size:1px")),
        "a third of small print": design(f'<div style="font-size:60%">{link(style="font-size:70%")}</div>'),
        "a class in points": design(link(more='class="t"'), style="a.t{font-size:6pt}"),
        "scaled down": design(f'<div style="transform:scale(.2)">{LINK}</div>'),
    },
    "low contrast": {
        "grey on white": design(link(style="color:#dddddd")),
        "white on white inside the link": design(link('<span style="color:#fff">Unsubscribe</span>')),
        "dark on dark at night": design(
            style="@media (prefers-color-scheme: dark){body,.foot{background-color:#111!important}"
                  ".foot a{color:#222!important}}"),
        "ordinary words without a line": design(link(style="color:#444444;text-decoration:none")),
    },
    "off-screen or clipped": {
        "placed far to the left": design(link(style="position:absolute;left:-9999px")),
        "indented away": design(f'<div style="text-indent:-3000px">{LINK}</div>'),
        "a box of no height": design(f'<div style="max-height:0;overflow:hidden">{LINK}</div>'),
        "clipped": design(link(style="position:absolute;clip:rect(0 0 0 0)")),
    },
    "vague words": {
        "click here": design(link("click here")),
        "a full stop": design(link(".")),
        "preferences": design(link("Manage your experience")),
        "hidden inside other words": design(
            link('Our terms <span style="display:none">Unsubscribe</span> and conditions')),
    },
    "image only": {
        "a picture with no words": design(link('<img src="https://shop.example.org/u.png" width="4" height="4">')),
        "a picture that names it": design(link('<img src="https://shop.example.org/u.png" alt="Unsubscribe">')),
        "an area of a map": design(f'<p>{ASIDE}</p><map name="m"><area href="{LEAVE}" alt="Unsubscribe"></map>'),
        "a drawing": design(link('<svg width="90" height="20"><path d="M0 0h9v9z"/></svg>')),
    },
    "missing or far down in text": {
        "no link in the text": design(plain=text(f"{ASIDE}\n")),
        "behind sixty empty lines": design(plain=text(f"{ASIDE}{chr(10) * 60}Unsubscribe: {LEAVE}\n")),
        "behind lines of dots": design(plain=text(f"{ASIDE}\n" + ".\n" * 40 + f"Unsubscribe: {LEAVE}\n")),
        "behind words that the HTML has not": design(
            plain=text(body=(WALL + "\n") * 40, foot=f"Unsubscribe: {LEAVE}\n")),
    },
    "covered or swapped target": {
        "another link with the words": design(
            f'<p><a href="{ELSEWHERE}">Unsubscribe</a> {ASIDE} <a href="{LEAVE}">Opt out</a></p>'),
        "a box over it": design(after='<div style="position:absolute;bottom:0;width:100%;height:90px">Sale</div>'),
        "the next block pulled over it": design(after='<div style="margin-top:-60px;background:#fff">Sale today</div>'),
        "not to be pressed": design(link(style="pointer-events:none")),
    },
    "guilt wall before it": {
        "we will miss you": design(f"<p>Are you sure you want to leave? We will miss you. {LINK}</p>"),
        "what it will cost": design(f"<p>You will lose your points and your discount for ever. {LINK}</p>"),
        "log in first": design(f"<p>You need to log in and confirm your reason. {LINK}</p>"),
        "a page of small print": design(f'<p style="font-size:12px">{WALL * 8}{LINK}</p>'),
    },
    "pushed past 100 KB": {
        "a comment": design(body=f"<!-- {'x' * 101_000} -->"),
        "a style block": design(style="".join(f".u{n}{{color:#{n:06d}}}" for n in range(6_000))),
        "invisible characters": design(body=f"<p>{'&zwnj;' * 17_000}</p>"),
        "characters that travel as nine octets": design(body=f"<p>{'語' * 11_500}</p>"),
    },
}
assert len(DARK) == 10 and all(len(each) == 4 for each in DARK.values()) and WORDS
