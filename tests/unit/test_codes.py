"""Codes that people type: Crockford's base 32 with a check character (decision 26)."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mailer.core import codes
from mailer.core.errors import InvalidInput
from mailer.core.tokens import SystemTokens

FIRST = st.text(codes.ALPHABET, min_size=8, max_size=8)
PRINTED = ["K7M-29Q-XDR", "Q7M-K2X-DA2", "000-000-000", "ZZZ-ZZZ-ZZ8"]
"""Worked out by hand from Luhn's rule over 32 characters, so that codes once printed stay right."""


@pytest.mark.parametrize("printed", PRINTED)
def test_codes_once_printed_stay_right(printed: str) -> None:
    code = codes.read(printed)
    assert codes.shown(code) == printed
    assert codes.complete(code[:-1]) == code


def test_a_new_code_is_nine_characters_shown_three_by_three() -> None:
    code = codes.new(SystemTokens())
    assert len(code) == 9 and set(code) <= set(codes.ALPHABET)
    assert not set("ILOU") & set(codes.ALPHABET) and len(codes.ALPHABET) == 32
    assert codes.read(codes.shown(code)) == code


@given(FIRST, st.data())
def test_case_hyphens_and_spaces_do_not_matter_and_look_alikes_are_read(first: str, data: st.DataObject) -> None:
    code = codes.complete(first)
    alike = {"0": "0Oo", "1": "1IiLl"}
    typed = "".join(data.draw(st.sampled_from(alike.get(letter, letter + letter.lower()))) for letter in code)
    cut = data.draw(st.integers(0, 9))
    between = data.draw(st.sampled_from(["", "-", " ", "\u2013", "\u00a0", " - "]))
    assert codes.read(f" {typed[:cut]}{between}{typed[cut:]}\n") == code


@given(FIRST, st.integers(0, 8), st.sampled_from(codes.ALPHABET))
def test_every_single_wrong_character_is_noticed(first: str, place: int, other: str) -> None:
    code = codes.complete(first)
    assume(code[place] != other)
    with pytest.raises(InvalidInput):
        codes.read(code[:place] + other + code[place + 1:])


@given(FIRST, st.integers(0, 7))
def test_every_swap_of_neighbours_is_noticed_but_that_of_0_and_z(first: str, place: int) -> None:
    code = codes.complete(first)
    left, right = code[place], code[place + 1]
    assume(left != right and {left, right} != {"0", "Z"})
    with pytest.raises(InvalidInput):
        codes.read(code[:place] + right + left + code[place + 2:])


@given(st.text(max_size=60))
def test_anything_at_all_is_a_code_or_refused_with_one_sentence(raw: str) -> None:
    try:
        assert len(codes.read(raw)) == 9
    except InvalidInput as error:
        assert error.context == {"field": "code", "why": codes.UNKNOWN}


@pytest.mark.parametrize("raw", ["", "K7M-29Q-XD", "K7M-29Q-XDRR", "K7M-29Q-XDU", "\u0131" * 9, "\uff2b7M29QXDR",
                                 "ß" * 9, "K7M29QXDR" + "-" * 60])
def test_what_is_no_code_is_refused_without_a_hint(raw: str) -> None:
    with pytest.raises(InvalidInput, match="invalid_input field=code"):
        codes.read(raw)
