"""E-mail, as every use case may hold it: pure, cannot send."""

import html

from mailer.channels.email import address, blocks, check, explained, fields, mime, render
from mailer.channels.email.address import EmailAddress
from mailer.channels.email.compile import compile_copy
from mailer.channels.email.program import EmailProgram
from mailer.core.channel import Brand, Channel, Copy, Explanation, Finding, Letter, Recipient
from mailer.core.errors import InvalidAddress

WORDS = {
    "empty": "There is nothing to read",
    "control_character": "It holds a line break or another character that cannot be seen",
    "white_space": "There is a space inside it",
    "no_at": "It has no @",
    "many_at": "It has more than one @; give one address at a time",
    "too_long": "It is longer than an address may be (64 before the @, 254 in all)",
    "before_at": "What stands before the @ cannot be delivered to",
    "after_at": "What stands after the @ is no domain that mail can go to",
}


class EmailChannel:
    """Addresses, messages and checks of e-mail."""

    slug = "email"

    def parse_address(self, raw: str) -> EmailAddress:
        """Raises: InvalidAddress."""
        return EmailAddress.parse(raw)

    def mask(self, normalised: str) -> str:
        """The address as staff see it in tables."""
        return address.mask(normalised)

    def fields(self, *texts: str) -> tuple[str, ...]:
        """The personal fields named, each once, in order."""
        return tuple(dict.fromkeys(name for text in texts for name in fields.names(fields.parse(text))))

    def explain(self, raw: str) -> Explanation:
        """What we make of what someone typed."""
        try:
            read = EmailAddress.parse(raw)
        except InvalidAddress as refused:
            why = str(refused.context["why"])
            nothing = dict.fromkeys(("normalized", "identity", "smtputf8", "ascii_domain"))
            return Explanation({"accept": False, **nothing}, f"Not an address we can write to. {WORDS[why]}.", why)
        sentence = f"We would write to {read.normalised}"
        if read.identity != read.normalised:
            sentence += f", and know it again as {read.identity}"
        if read.smtputf8:
            sentence += "; the receiving server must accept letters outside ASCII (SMTPUTF8)"
        return Explanation({
            "accept": True, "normalized": read.normalised, "identity": read.identity, "smtputf8": read.smtputf8,
            "ascii_domain": read.domain,
        }, sentence + ".")

    def explain_reply(self, raw: str, stage: str) -> Explanation:
        """What we make of a mail server's reply."""
        return explained.explain_reply(raw, stage)

    def compile(self, copy: Copy) -> EmailProgram:
        """Raises: UnsafeHeader."""
        return compile_copy(copy)

    def compose(self, letter: Letter) -> bytes:
        """Raises: UnsafeHeader."""
        return mime.compose(letter)

    def say(self, markdown: str, *, title: str, language: str, brand: Brand) -> tuple[str, str]:
        """A letter's body in our frame, as text and as HTML."""
        return render.letter(markdown, title=title, language=language, brand=brand)

    def literal(self, text: str) -> str:
        """A text made safe to stand inside the Markdown that `say` takes."""
        return blocks.literal(text)

    def preview_html(self, copy: Copy, recipient: Recipient) -> str:
        """What this (made-up) person sees; empty where they read text only (promise M16)."""
        rendered = render.campaign(copy)
        return "" if recipient.text_only else rendered.holes.fill(rendered.html, recipient, html.escape)

    def preview_text(self, copy: Copy, recipient: Recipient) -> str:
        """What this (made-up) person reads as text."""
        rendered = render.campaign(copy)
        return rendered.holes.fill(rendered.text, recipient)

    def size(self, copy: Copy) -> int:
        """Octets of the HTML part as it travels."""
        return check.size(copy)

    def check(self, copy: Copy) -> list[Finding]:
        """What preflight has to say about the content."""
        return check.check(copy)


channel: Channel = EmailChannel()
