"""Forgetting what was lent for one message, in the transaction that says how it ended (decision 27, promise T7)."""

from collections.abc import Sequence
from typing import Any

import psycopg

Cursor = psycopg.Cursor[tuple[Any, ...]]

# Uncertain is an end as well: such a message is never sent again. A late word that it had not begun finds nothing.
FORGET = """
    WITH ended AS (
        UPDATE single_message SET sealed_detail = NULL
        WHERE id = ANY(%s) AND class = 'invitation'
          AND state IN ('accepted', 'refused', 'failed', 'expired', 'uncertain')
        RETURNING friend_request_id AS id, state
    ), forgotten AS (
        DELETE FROM vault.friend_key k USING ended e WHERE k.friend_request_id = e.id
    )
    UPDATE friend_request f SET sealed_friend = NULL, sealed_words = NULL, friend_fingerprint = '', domain_hash = '',
           mark = NULL, state = CASE WHEN e.state IN ('accepted', 'uncertain') THEN 'handed' ELSE 'over' END
    FROM ended e WHERE f.id = e.id
"""


def forget(cursor: Cursor, single_ids: Sequence[int]) -> None:
    """Empty the friend's address, the words and the link of those among these messages that have come to an end."""
    if single_ids:
        cursor.execute(FORGET, (list(single_ids),))
