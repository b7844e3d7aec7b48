"""What a new campaign says before anybody wrote it, and the sample that is ready to be sent."""

from dataclasses import dataclass

from mailer.core.channel import EXAMPLE


@dataclass(frozen=True)
class Starter:
    """Subject, preview line and message, as an author would have typed them."""

    subject: str
    preview_line: str
    markdown: str


BLANK = Starter(
    subject=f"{EXAMPLE} Say in a few words what is inside",
    preview_line="",
    markdown=f"""# What is new

Hello {{first name | there}},

{EXAMPLE} Write what you want people to know. One thought to a paragraph reads best.

[Say where the button leads](https://example.org/){{button}}

---

Until next time
""")
"""Preflight does not let it leave while the example stands in it."""

SAMPLE = Starter(
    subject="Five records for a rainy week",
    preview_line="What we played in the shop, and one surprise",
    markdown="""# Five records for a rainy week

Hello {first name | there},

the rain kept us indoors, so we listened. These five stayed on the turntable:

1. A string quartet that sounds like a walk through wet leaves
2. Two pianos, one evening, no second take
3. Songs of the sea, sung far from it
4. A brass band that never hurries
5. The surprise: an organ, a drum and a great deal of patience

[Hear all five](https://example.org/rainy-week){button}

---

Have you heard something that we should? Tell us when you are in the shop.
""")
"""Ready to be sent as it is: the first campaign of somebody who tries the product out."""
