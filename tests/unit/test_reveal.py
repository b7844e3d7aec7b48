"""Opening addresses in sets: the same as one by one, and one that does not open stands alone."""

from mailer.audience.reveal import Sealed, reveal, reveal_first_name, reveal_many
from mailer.core.tokens import SystemTokens
from mailer.core.vault import KeyRing, Sealer, VaultOpener

OLD, RING = KeyRing({1: b"a" * 32}), KeyRing({1: b"a" * 32, 2: b"b" * 32})


def a_person(ring: KeyRing, number: int, name: str | None = None) -> Sealed:
    key = Sealer(ring, SystemTokens()).new_key(person=number)
    address = key.seal(f"somebody{number}@example.org", table="contact_point", row=number, field="address")
    return (number, key.wrapped, address,
            None if name is None else key.seal(name, table="person", row=number, field="first_name"))


def test_a_set_opens_what_one_by_one_opens_under_old_keys_and_new() -> None:
    people = [a_person(OLD, 1, "Ann"), a_person(RING, 2, "Eun-ji 은지"), a_person(RING, 1 << 62)]
    opener = VaultOpener(RING)
    opened = reveal_many(opener, people)
    assert opened == [("somebody1@example.org", "Ann"), ("somebody2@example.org", "Eun-ji 은지"),
                      (f"somebody{1 << 62}@example.org", "")]
    for (number, wrapped, address, name), told in zip(people, opened, strict=True):
        assert told is not None and wrapped is not None
        assert told[0] == reveal(opener, wrapped=wrapped, person_id=number, sealed=address)
        assert not name or told[1] == reveal_first_name(opener, wrapped=wrapped, person_id=number, sealed=name)


def test_one_that_does_not_open_is_none_and_the_others_are_opened() -> None:
    good, other = a_person(RING, 1, "Ann"), a_person(RING, 2, "Bo")
    cut = bytes([other[2][0] ^ 1]) + other[2][1:]
    broken: list[Sealed] = [
        (2, other[1], good[2], None),
        (2, good[1], other[2], None),
        (3, other[1], other[2], None),
        (2, other[1], cut, None),
        (2, other[1], other[2][:20], None),
        (2, other[1], b"", None),
        (2, b"", other[2], None),
        (2, None, other[2], None),
        (2, b"\xff" + (other[1] or b"")[1:], other[2], None),
        (2, other[1], other[2], good[3]),
        (2, other[1], other[2], b"x"),
    ]
    for each in broken:
        assert reveal_many(VaultOpener(RING), [good, each, good]) == [
            ("somebody1@example.org", "Ann"), None, ("somebody1@example.org", "Ann")]


def test_a_key_file_that_does_not_fit_opens_nobody() -> None:
    people = [a_person(RING, number) for number in range(1, 5)]
    assert reveal_many(VaultOpener(KeyRing({2: b"c" * 32})), people) == [None] * 4
    assert reveal_many(VaultOpener(OLD), people) == [None] * 4


def test_each_opening_is_counted() -> None:
    """Decision 15."""
    opener = VaultOpener(RING)
    reveal_many(opener, [a_person(RING, number, "Ann") for number in range(1, 6)])
    assert opener.openings == 10
    reveal_many(opener, [a_person(RING, number) for number in range(1, 6)])
    assert opener.openings == 15
    assert reveal_many(opener, []) == [] and opener.openings == 15
