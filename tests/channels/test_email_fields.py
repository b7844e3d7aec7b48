"""Personal fields: what an author may write, and what a person reads."""

from hypothesis import given
from hypothesis import strategies as st

from mailer.channels.email.fields import Chip, Problem, clean, names, parse, problems, value


def test_a_text_is_read_as_plain_pieces_and_fields() -> None:
    pieces = parse("Hello {first name | there}, welcome")
    assert pieces == ("Hello ", Chip("first name", "there"), ", welcome")
    assert names(pieces) == ("first name",)


def test_a_field_is_known_in_any_case_and_spacing() -> None:
    assert parse("{ First  Name|you }") == (Chip("first name", "you"),)


def test_a_field_without_fallback_is_named_with_its_place() -> None:
    assert problems("Hi {first name}!") == [Problem("missing_fallback", 3, "first name")]
    assert problems("Hi {first name | }!") == [Problem("missing_fallback", 3, "first name")]
    assert problems("Hi {first name | you}!") == []


def test_a_field_that_does_not_exist_is_named_and_stays_as_written() -> None:
    assert problems("Hi {frist name | you}") == [Problem("unknown_field", 3, "frist name")]
    assert parse("Hi {frist name | you}") == ("Hi {frist name | you}",)


def test_two_braces_stand_for_one_and_make_no_field() -> None:
    assert "".join(str(piece) for piece in parse("{{first name | you}")) == "{first name | you}"
    assert problems("{{first name} and [Go](https://example.org){button}") == []


def test_a_person_without_the_field_reads_the_fallback() -> None:
    chip = Chip("first name", "there")
    assert value(chip, {}) == "there"
    assert value(chip, {"first name": " \n"}) == "there"
    assert value(chip, {"first name": "Ọlánrewájú"}) == "Ọlánrewájú"


@given(st.text())
def test_a_value_never_has_a_line_end_a_control_character_or_great_length(raw: str) -> None:
    kept = clean(raw)
    assert len(kept) <= 100 and len(kept.splitlines()) <= 1
    assert not any(ord(letter) < 32 or 0x7F <= ord(letter) < 0xA0 for letter in kept)
    assert clean(kept) == kept


@given(st.text(alphabet="{}| abfirstname\n"))
def test_any_text_can_be_read_and_what_is_faultless_names_only_known_fields(text: str) -> None:
    pieces = parse(text)
    if not problems(text):
        assert all(chip.fallback for chip in pieces if isinstance(chip, Chip))


def test_blanks_by_the_hundred_thousand_in_a_brace_are_read_like_any_text() -> None:
    for text in ("{a" + " " * 100_000, "{a " * 100_000, "{ " * 100_000 + "|" * 100_000, "{first name |" * 30_000):
        assert "".join(piece for piece in parse(text) if isinstance(piece, str)) == text and problems(text) == []
