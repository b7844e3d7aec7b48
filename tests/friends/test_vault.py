"""A friend's address is sealed until it is handed over and then found nowhere (T6, T7, section 3 item 8)."""

import io
import json
import logging
from pathlib import Path

import psycopg
from sqlalchemy import text

from mailer.consent import ledger
from mailer.consent.ledger import Evidence
from mailer.core.messages import Purpose
from mailer.core.personal import Place, Whom
from mailer.friends import personal_data
from mailer.services import Services
from mailer.tables import metadata
from tests.chaos.needles import Needles
from tests.friends.world import FAY, FERN, WORDS, Friends

CANARY = Needles([FAY, FAY.upper(), "fayreceives", WORDS])


def everything(friends: Friends) -> bytes:
    return everything_in(friends.services.settings.database_url.replace("+psycopg", ""))


def everything_in(url: str) -> bytes:
    """Every table of every schema, as a dump would hold it."""
    held = io.BytesIO()
    with psycopg.connect(url) as connection:
        tables = connection.execute("""
            SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
            WHERE schemaname NOT IN ('pg_catalog', 'information_schema')""").fetchall()
        assert len(tables) > len(metadata.tables) - 5
        for (table,) in tables:
            for form in ("text", "binary"):
                with connection.cursor().copy(f"COPY (SELECT * FROM {table}) TO STDOUT (FORMAT {form})") as copy:  # type: ignore[call-overload] # A name from the catalogue.
                    for part in copy:
                        held.write(bytes(part))
    return held.getvalue()


def test_the_address_is_in_no_table_file_or_log_before_and_after(friends: Friends, said: io.StringIO) -> None:
    """T7: encrypted until delivery, then only a keyed hash."""
    friends.asked_and_pressed()
    assert CANARY.within(everything(friends)) == set()
    friends.sending.singles()
    assert friends.to(FAY) == 1
    friends.passed_on("fayreceives.never@example.net", sender="a.second@example.org")

    assert CANARY.within(everything(friends)) == set()
    files = [path for path in Path(friends.services.settings.data_dir).rglob("*") if path.is_file()]
    assert files and {str(path) for path in files if CANARY.within_file(path)} == set()
    logging.getLogger("mailer").warning("refused <%s>", FAY)
    assert "refused <[address]>" in said.getvalue() and CANARY.within(said.getvalue().encode()) == set()


def test_after_hand_over_no_key_opens_what_was_sealed_and_no_row_joins_sender_and_friend(friends: Friends) -> None:
    """T7: the key is destroyed with the address, so an older copy opens no more; ux 2.15: never sender-friend pairs."""
    friends.asked_and_pressed()
    before = friends.row()
    friends.sending.singles()
    row = friends.row()
    assert before["sealed_friend"] and before["sealed_words"] and before["mark"]
    assert (row["sealed_friend"], row["sealed_words"], row["mark"]) == (None, None, None)
    assert friends.sql("SELECT count(*) FROM vault.friend_key") == [(0,)]
    assert row["state"] == "handed" and row["sealed_sender"]
    ((mark, fingerprint),) = friends.sql("SELECT id, fingerprint FROM friend_mark")
    assert mark == before["mark"] and bytes(fingerprint) == bytes(before["friend_fingerprint"])
    held = everything(friends)
    own = friends.sql("SELECT count(*) FROM suppression WHERE reason = 'friend_only'")
    assert own == [(1,)]
    request_rows = friends.sql("SELECT friend_request::text FROM friend_request")
    assert bytes(fingerprint).hex() not in str(request_rows) and str(mark) not in str(request_rows)
    assert bytes(before["sealed_friend"]) not in held


def test_the_senders_own_copy_says_a_friend_and_their_erasure_takes_the_request(friends: Friends) -> None:
    """T7: shown as "a friend"."""
    friends.passed_on()
    friends.asked_and_pressed("another.friend@example.net")
    with friends.unit() as ctx:
        mine = ctx.sealer.fingerprint("email", ctx.channels["email"].parse_address(FERN).identity)
        whom = Whom(7, ctx.tokens.new_id(), (Place(7, "email", mine, 1),))
        copy = personal_data.export(ctx, whom)
        assert len(copy) == 2 and {each["to"] for each in copy} == {"a friend"}
        assert CANARY.within(json.dumps(copy).encode()) == set()
        personal_data.erase(ctx, whom)
    assert friends.sql("SELECT count(*) FROM friend_request") == [(0,)]
    assert friends.sql("SELECT count(*) FROM vault.friend_key") == [(0,)]
    assert friends.sql("SELECT count(*) FROM friend_mark") == [(1,)]


def test_erasing_the_friend_drops_what_waits_for_them(friends: Friends) -> None:
    friends.asked_and_pressed()
    with friends.unit() as ctx:
        theirs = ctx.sealer.fingerprint("email", ctx.channels["email"].parse_address(FAY).identity)
        personal_data.erase(ctx, Whom(7, ctx.tokens.new_id(), (Place(7, "email", theirs, 1),)))
    friends.sending.singles()
    assert friends.to(FAY) == 0


def test_every_personal_column_of_tell_a_friend_is_covered() -> None:
    marked = {(table.fullname, column.name) for table in metadata.sorted_tables for column in table.columns
              if "personal" in column.info and (table.name.startswith("friend") or table.name == "never_code")}
    assert marked == personal_data.COVERS


def test_an_address_known_only_from_telling_a_friend_reaches_no_audience(friends: Friends) -> None:
    """T6: the form and the form embedded elsewhere are one road, and it ends in the friend's own press."""
    friends.passed_on()
    assert friends.house.point(FAY) is None
    token = friends.house.asked(FAY, [friends.news.topics["Events"]])
    assert token and friends.house.point(FAY) is None
    number = friends.sending.launched(friends.news.name)
    assert friends.sending.status(number).planned == 0
    assert friends.to(FAY) == 1
    assert friends.house.stopped(FAY) == {("friend_only", 0)}


def test_even_a_granted_consent_reaches_nobody_who_did_not_confirm(friends: Friends, services: Services) -> None:
    """T6: the worst that an import or an API could do is write a person and a consent; the gate still says no."""
    friends.passed_on()
    friends.house.subscribed("dana@example.org", [friends.news.topics["Events"]])
    with friends.unit() as ctx:
        theirs = ctx.sealer.fingerprint("email", ctx.channels["email"].parse_address(FAY).identity)
        point = friends.house.point("dana@example.org")
        assert point is not None
        ctx.db.execute(text("UPDATE contact_point SET fingerprint = :theirs WHERE id = :id"),
                       {"theirs": theirs, "id": point.id})
        ledger.grant(ctx, point, list_id=friends.news.id, topic_id=friends.news.topics["Events"],
                     purpose=Purpose.OWN_OFFERS, evidence=Evidence(how="seed"))
    number = friends.sending.launched(friends.news.name)
    seen = friends.sending.turns_to_the_end(number)
    assert (seen.planned, seen.refused) == (1, 1)
    assert friends.sending.codes(number) == {"friend_only"}
