"""A unit of work sees one key ring, whatever becomes of the key file meanwhile."""

import pytest

from mailer.core.errors import KeyProblem
from mailer.core.tokens import SystemTokens
from mailer.core.vault import KeyRing, Sealer

OLD, NEW = b"o" * 32, b"n" * 32


class Live:
    """A key file that turns while somebody works."""

    ring = KeyRing({1: OLD})

    def current(self, needed: int = 0) -> KeyRing:
        return self.ring


def test_a_pinned_fingerprint_is_of_the_version_that_is_told_after_the_key_file_turned() -> None:
    live = Live()
    pinned = Sealer(live, SystemTokens()).pinned()
    fingerprint = pinned.fingerprint("email", "a@example.org")
    live.ring = KeyRing({1: OLD, 2: NEW})
    assert (pinned.fingerprint_version, pinned.fingerprint("email", "a@example.org")) == (1, fingerprint)
    assert Sealer(live, SystemTokens()).pinned().fingerprint_version == 2


def test_a_pinned_sealer_takes_up_a_key_that_it_lacks_and_stays_with_the_one_in_use() -> None:
    live = Live()
    pinned = Sealer(live, SystemTokens()).pinned()
    fingerprint = pinned.fingerprint("email", "a@example.org")
    live.ring = KeyRing({1: OLD, 2: NEW})
    assert pinned.above(fingerprint, 1) == [] and not pinned.knows_version(3)
    newer = pinned.layer_up(fingerprint, 1, 2)
    assert newer == Sealer(live, SystemTokens()).fingerprint("email", "a@example.org")
    assert (pinned.above(fingerprint, 1), pinned.fingerprint_version) == ([newer], 1)


def test_a_fingerprint_of_a_newer_key_never_passes_for_one_of_an_older() -> None:
    sealer = Sealer(KeyRing({1: OLD, 2: NEW}, 1), SystemTokens())
    with pytest.raises(KeyProblem, match="never goes back"):
        sealer.layer_up(b"f" * 32, 2)
