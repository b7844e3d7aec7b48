"""What a sender may type: a first name and a few words that lead nowhere (T5, item 8)."""

from mailer.friends.words import Typed, check
from mailer.subscriptions.answers import UnfitAnswers
from tests.friends.world import FAY, FERN, Friends


def faults(friends: Friends, name: str = "Fern", said: str = "", sender: str = FERN, friend: str = FAY
           ) -> dict[str, str]:
    with friends.unit() as ctx:
        try:
            check(ctx, Typed(name, sender, friend, said))
        except UnfitAnswers as error:
            return error.faults
    return {}


def test_names_and_words_of_people_are_taken_and_what_leads_somewhere_is_not(friends: Friends) -> None:
    """T5: no links in their words; decision 27: a first name of at most 30 letters, no digits, dots or slashes."""
    for name in ("Fern", "Jean-Luc", "O'Neill", "O\u2019Neill", "Zoë", "Анна", "नेहा", "李", "Mary Ann", "a" * 30):
        assert faults(friends, name) == {}, name
    for name in ("", "   ", "a" * 31, "Fern2", "fern.example", "http://x", "Fern\r\nBcc: x", "F<b>", "Fern/", "-",
                 "\u200b", "F\u202eern", "Mr. Fern", "@fern"):
        assert set(faults(friends, name)) == {"first_name"}, name
    for said in ("", "I thought of you!", "Tea at 3.30? Yes. No.", "e.g. quartets, z. B. Brahms", "and/or 🎻 ❤️",
                 "It costs 3.50, or 4,20.", "Two lines\nof it", "x" * 200, "Note: it is on Sunday"):
        assert faults(friends, said=said) == {}, said
    for said in ("see example.org", "http://x", "HTTPS://EXAMPLE.ORG", "www.example", "a@b.example", "mailto:a",
                 "exa\u200bmple.org", "example\u3002com", "example\uff0ecom", "example\u2024com",
                 "xn--bcher-kva.xn--p1ai", "1.2.3.4", "ex\u200dample.org", "tel:+15550100", "javascript:alert",
                 "x" * 201, "a\x00b", "a\u202eb", "\\\\server", "nice.Come"):
        assert set(faults(friends, said=said)) == {"words"}, said
    assert faults(friends, said="4242 4242 4242 4242") == {"words": "card_number"}
    assert set(faults(friends, sender="fern", friend="fay@example.org\r\nBcc: a@example.org")) == {"sender", "friend"}
