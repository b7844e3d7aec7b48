"""Counting an audience as a whole: most people have chosen topics and nothing else, and the database counts them.

What stands for a person is one number: a bit for each kind of answer (to the campaign's topics, to others, to partner
offers), state and mode. A number says all that the gate's rules would see of somebody of whom nothing else is known;
who has a preference, an entry on the stop list, another channel or no key any more is an exception, judged singly.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from psycopg import Cursor

from mailer.core.messages import ConsentModel, Purpose
from mailer.core.modes import Mode
from mailer.db import Ids
from mailer.gate.facts import Standings
from mailer.gate.terms import CampaignTerms

ASKED, ELSEWHERE, PARTNER, ASKED_OTHERWISE, OTHERWISE = range(5)
STATES = ("live", "refused", "ended")
MODES = (Mode.LIVE, Mode.TRIAL, Mode.PRACTICE)
KIND = len(STATES) * len(MODES)
"""Bits of one kind of answer."""

CHUNK = 5000

# Read in the order of its keys each person's rows, and each address's entries, come together: nothing is hashed.
IN_ORDER = "SELECT set_config('enable_hashagg', 'off', true), set_config('enable_hashjoin', 'off', true)"
AS_EVER = "SELECT set_config('enable_hashagg', 'on', true), set_config('enable_hashjoin', 'on', true)"

MASKS = f"""
    SELECT contact_point_id, bit_or(1::bigint << ({KIND} * CASE
               WHEN topic_id = ANY(%(topic_ids)s::bigint[])
               THEN CASE WHEN purpose = %(purpose)s THEN {ASKED} ELSE {ASKED_OTHERWISE} END
               WHEN topic_id = 0 AND purpose = '{Purpose.PARTNER_OFFERS}' THEN {PARTNER}
               WHEN purpose = %(purpose)s THEN {ELSEWHERE} ELSE {OTHERWISE} END
           + {len(MODES)} * CASE state WHEN 'live' THEN 0 WHEN 'refused' THEN 1 ELSE 2 END
           + CASE mode WHEN 'live' THEN 0 WHEN 'trial' THEN 1 ELSE 2 END)) AS mask
    FROM standing WHERE list_id = %(list_id)s {{some}} GROUP BY contact_point_id
"""
EVERYBODY = f"SELECT mask, count(*) FROM ({MASKS.format(some='')}) AS people GROUP BY mask"
SOME = MASKS.format(some="AND contact_point_id = ANY(%(ids)s)")

KEYLESS = "SELECT (SELECT count(*) FROM person) <> (SELECT count(*) FROM vault.person_key)"
EXCEPTIONS = """
    WITH met AS MATERIALIZED (
        SELECT x.channel, x.fingerprint FROM suppression x
        WHERE x.channel = %(channel)s AND x.list_id IN (0, %(list_id)s) AND EXISTS (
            SELECT FROM contact_point c WHERE c.channel = %(channel)s AND c.fingerprint = x.fingerprint)
    )
    SELECT contact_point_id FROM preference WHERE every_days <> 0 OR paused_until IS NOT NULL OR hold
    UNION SELECT c.id FROM met JOIN contact_point c USING (channel, fingerprint)
    UNION SELECT id FROM contact_point WHERE channel <> %(channel)s
    UNION SELECT id FROM contact_point WHERE EXISTS (SELECT FROM domain_rule)
        AND domain_hash = ANY(ARRAY(SELECT domain_hash FROM domain_rule))
    UNION SELECT contact_point_id FROM collected WHERE %(opt_out)s
    UNION SELECT contact_point_id FROM standing WHERE %(tried)s AND list_id = %(list_id)s AND mode = 'trial'
    UNION SELECT c.id FROM contact_point c WHERE %(keyless)s AND NOT EXISTS (
        SELECT FROM vault.person_key k WHERE k.person_id = c.person_id)
"""


@dataclass(frozen=True)
class Tally:
    """How many of the audience answered alike, the exceptions one by one, and who of the list chose other topics."""

    alike: Mapping[Standings, int]
    others: Sequence[int]
    not_chosen: int


def tally(cursor: Cursor[Any], terms: CampaignTerms) -> Tally:
    """Count the audience of a campaign in a fixed number of statements and one more for 5,000 exceptions."""
    values = {"list_id": terms.list_id, "topic_ids": list(terms.topic_ids), "purpose": terms.own_purpose,
              "channel": terms.channel, "opt_out": terms.model is ConsentModel.OPT_OUT}
    cursor.execute(IN_ORDER)
    cursor.execute(EVERYBODY, values)
    masks: Counter[int] = Counter(dict(cursor.fetchall()))
    cursor.execute(KEYLESS)
    [keyless] = cursor.fetchone() or (True,)
    tried = terms.mode is Mode.LIVE and any(_is_tried(mask) for mask in masks)
    cursor.execute(EXCEPTIONS, values | {"keyless": keyless, "tried": tried})
    found = sorted(row[0] for row in cursor.fetchall())
    cursor.execute(AS_EVER)
    others: list[int] = []
    not_chosen = sum(number for mask, number in masks.items() if _is_elsewhere(mask))
    for start in range(0, len(found), CHUNK):
        cursor.execute(SOME, values | {"ids": Ids(found[start:start + CHUNK])})
        for point, mask in cursor.fetchall():
            masks[mask] -= 1
            if _is_asked(mask):
                others.append(point)
    return Tally({_rows(mask, terms): number for mask, number in masks.items() if number and _is_asked(mask)},
                 others, not_chosen)


def _bits(kind: int) -> int:
    return ((1 << KIND) - 1) << KIND * kind


def _is_asked(mask: int) -> bool:
    """Whether the person has any row for a topic of the campaign: the audience rule (decision 4)."""
    return bool(mask & (_bits(ASKED) | _bits(ASKED_OTHERWISE)))


def _is_tried(mask: int) -> bool:
    """Whether something of it was confirmed in Trial, which in Live counts for a team address alone."""
    places = range(MODES.index(Mode.TRIAL), KIND * (OTHERWISE + 1), len(MODES))
    return any(mask >> place & 1 for place in places)


def _is_elsewhere(mask: int) -> bool:
    """Whether the person chose other topics of the list and was never asked for these."""
    live = (1 << len(MODES)) - 1
    return not _is_asked(mask) and bool(mask & (live << KIND * ELSEWHERE | live << KIND * OTHERWISE))


def _rows(mask: int, terms: CampaignTerms) -> Standings:
    """Standing rows that the gate's rules judge as they would those of the people with this number."""
    named = {ASKED: (terms.topic_ids[0], terms.own_purpose), ELSEWHERE: (-1, terms.own_purpose),
             PARTNER: (0, Purpose.PARTNER_OFFERS)}
    return tuple((*named[kind], STATES[state], MODES[mode])
                 for kind, state, mode in product(named, range(len(STATES)), range(len(MODES)))
                 if mask >> KIND * kind + len(MODES) * state + mode & 1)
