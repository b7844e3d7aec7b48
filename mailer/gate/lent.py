"""What the gate knows of a message that somebody asked us to pass on to a friend."""

from typing import NamedTuple

FRIENDS = """
    SELECT f.id, f.reserved, s.wrapped, f.sealed_sender, f.sender_fingerprint, k.wrapped, f.sealed_friend,
           f.friend_fingerprint, EXISTS (SELECT FROM domain_rule WHERE domain_hash = f.domain_hash),
           f.sealed_sender_name, f.sealed_words, f.fingerprint_version, f.handed_on IS NOT NULL, f.mark
    FROM friend_request f LEFT JOIN vault.friend_key k ON k.friend_request_id = f.id
    LEFT JOIN vault.friend_sender_key s ON s.friend_request_id = f.id WHERE f.id = ANY(%s)
"""


class Lent(NamedTuple):
    """A friend's message: whose address is lent, what of the sender it shows, and whether it went out before.

    `sender` is their wrapped key, sealed address and sealed first name; `words` the friend's wrapped key, and the
    sealed words where there are any.
    """

    request_id: int
    fingerprint: bytes
    version: int
    handed: bool
    mark: int
    reserved: int
    sender: tuple[bytes, bytes, bytes]
    words: tuple[bytes, bytes | None]
