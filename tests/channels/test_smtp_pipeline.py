"""One connection with several messages in flight: whatever the replies and however they arrive, each finds its own."""

import socket
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.channels.email.envelope import Offer
from mailer.channels.email.reply_reader import LONGEST, BrokenReply, ReplyReader, code_of
from mailer.core.channel import Fate, Parcel
from tests.channels.smtp_peer import Script, ScriptedServer, connect
from tests.channels.smtp_world import a_parcel

PIPELINING = Offer(pipelining=True, eight_bit=True)
ONE_AT_A_TIME = Offer(eight_bit=True)
offers = st.sampled_from([PIPELINING, ONE_AT_A_TIME])

scripts = st.one_of(
    st.just(Script()),
    st.builds(Script, mail=st.sampled_from(["451 4.3.0 later", "553 5.1.8 who\r\n", "250-2.1.0 fine\r\n250 2.1.0 ok"])),
    st.builds(Script, rcpt=st.sampled_from(["550 5.1.1 nobody", "450 4.2.0 Greylisted", "251 will forward",
                                            "550-5.1.1 no\r\n550-5.1.1 really\r\n550 5.1.1 no"]),
              data=st.sampled_from(["", "354 go ahead anyway"])),
    st.builds(Script, data=st.sampled_from(["451 4.3.0 later", "554 5.7.1 no", "354-go\r\n354 ahead"])),
    st.builds(Script, dot=st.sampled_from(["451 4.3.0 later", "550 5.7.1 spam", "250-2.0.0 taken\r\n250 2.0.0 yes",
                                           "250 queued as A-B-1", "554 no"])),
)


def messages(count: int) -> list[Parcel]:
    return [a_parcel(row, sender=f"news+{row}@sender.example") for row in range(1, count + 1)]


def fate_of(script: Script) -> Fate:
    """How a message with this script ends, without a wire in between."""
    for reply in (script.mail, script.rcpt, script.data, script.dot):
        if reply.startswith(("4", "5")):
            # What is refused at MAIL is the sender's fault: it is tried again, whatever its code.
            later = reply.startswith("4") or reply is script.mail
            return Fate.DEFERRED if later else Fate.FAILED
    return Fate.ACCEPTED


def cut(data: bytes, at: Sequence[int]) -> list[bytes]:
    """The octets in pieces that end at these places."""
    places = sorted({place % (len(data) + 1) for place in at})
    return [data[start:end] for start, end in zip([0, *places], [*places, len(data)], strict=True) if end > start]


@settings(max_examples=300, deadline=None)
@given(given_scripts=st.lists(scripts, min_size=1, max_size=6), offer=offers,
       at=st.lists(st.integers(0, 400), max_size=12))
def test_each_message_ends_by_its_own_replies_in_whatever_pieces_they_come(given_scripts: list[Script], offer: Offer,
                                                                           at: list[int]) -> None:
    sent = messages(len(given_scripts))
    server = ScriptedServer(dict(enumerate(given_scripts, 1)))
    desk, pipeline, theirs = connect(sent, offer)
    with theirs:
        pipeline.begin_next()
        while not pipeline.closed and (data := _heard(theirs)):
            replies = "".join(f"{reply.rstrip()}\r\n" for reply in server.hear(data)).encode()
            for piece in cut(replies, at):
                theirs.send(piece)
                pipeline.readable()
        pipeline.close()

    assert not server.complaints
    assert not desk.twice
    assert not desk.given_back
    assert {row: outcome.fate for row, outcome in desk.outcomes.items()} == {
        row: fate_of(script) for row, script in enumerate(given_scripts, 1)}
    assert server.taken == [(row, sent[row - 1].body) for row, script in enumerate(given_scripts, 1)
                            if fate_of(script) is Fate.ACCEPTED]
    assert set(server.to_nobody) <= {b""}
    assert not desk.journal.twice


@settings(max_examples=300, deadline=None)
@given(given_scripts=st.lists(scripts, min_size=1, max_size=5), offer=offers, cut_after=st.integers(0, 600))
def test_wherever_the_connection_ends_nobody_is_lost_and_only_the_unanswered_are_unsure(
        given_scripts: list[Script], offer: Offer, cut_after: int) -> None:
    """Engine guarantees 1 and 2: what the server may have taken is uncertain, the rest can be sent again."""
    server = ScriptedServer(dict(enumerate(given_scripts, 1)))
    desk, pipeline, theirs = connect(messages(len(given_scripts)), offer)
    pipeline.begin_next()
    left = cut_after
    while left > 0 and not pipeline.closed and (data := _heard(theirs)):
        replies = "".join(f"{reply.rstrip()}\r\n" for reply in server.hear(data)).encode()
        theirs.send(replies[:left])
        left -= len(replies)
        pipeline.readable()
    waiting = _heard(theirs)
    list(server.hear(waiting))
    theirs.close()
    if not pipeline.closed:
        pipeline.readable()

    rows = set(range(1, len(given_scripts) + 1))
    accepted = {row for row, outcome in desk.outcomes.items() if outcome.fate is Fate.ACCEPTED}
    unsure = {row for row, outcome in desk.outcomes.items() if outcome.fate is Fate.UNCERTAIN}
    queued = {parcel.clearance.row for parcel, _ in desk.queue}
    assert set(desk.outcomes) | set(desk.given_back) | queued == rows
    assert len(desk.outcomes) + len(desk.given_back) + len(queued) == len(rows)
    assert accepted <= {row for row, _ in server.taken} <= accepted | unsure
    assert len(unsure) <= 1
    assert unsure <= set(server.dots)
    assert not desk.twice


def _heard(theirs: socket.socket) -> bytes:
    try:
        return theirs.recv(1 << 20)
    except BlockingIOError:
        return b""


def test_the_end_of_one_message_travels_with_the_envelope_of_the_next() -> None:
    """One round trip a message (engine.md)."""
    desk, pipeline, theirs = connect(messages(2), PIPELINING)
    server = ScriptedServer({1: Script(), 2: Script()})
    with theirs:
        pipeline.begin_next()
        theirs.send("".join(f"{reply}\r\n" for reply in server.hear(_heard(theirs))).encode())
        pipeline.readable()
        second = _heard(theirs)
        pipeline.close()

    assert b"\r\n.\r\nMAIL FROM:<news+2@sender.example>\r\nRCPT TO:<person2@example.org>\r\nDATA\r\n" in second
    assert list(desk.journal.begun) == [1]


@pytest.mark.parametrize("early", [b"354 go\r\n250 2.0.0 taken\r\n", b"354 go\r\n250 2"])
def test_an_answer_to_content_that_was_not_written_yet_is_no_answer(early: bytes) -> None:
    desk, pipeline, theirs = connect(messages(1), PIPELINING)
    with theirs:
        pipeline.begin_next()
        theirs.send(b"250 ok\r\n250 ok\r\n" + early)
        pipeline.readable()
        heard = _heard(theirs)

    assert pipeline.closed
    assert desk.outcomes[1].fate is Fate.DEFERRED
    assert b"Subject" not in heard
    assert not desk.journal.begun
    assert not pipeline.relay.pipelining


def test_replies_in_the_wrong_order_send_nothing() -> None:
    desk, pipeline, theirs = connect(messages(1), PIPELINING)
    with theirs:
        pipeline.begin_next()
        theirs.send(b"354 go\r\n250 ok\r\n250 ok\r\n")
        pipeline.readable()

    assert desk.outcomes[1].fate is Fate.DEFERRED
    assert not desk.journal.begun


def test_a_refusal_while_the_content_is_still_being_written_is_believed() -> None:
    body = b"Subject: x\r\n\r\n" + b"0123456789abcde\r\n" * 200_000
    desk, pipeline, theirs = connect([a_parcel(1, sender="news+1@sender.example", body=body)], PIPELINING)
    with theirs:
        pipeline.begin_next()
        theirs.send(b"250 ok\r\n250 ok\r\n354 go\r\n")
        pipeline.readable()
        assert pipeline.plug.left
        theirs.send(b"552 5.3.4 too big after all\r\n")
        pipeline.readable()

    assert (desk.outcomes[1].fate, desk.outcomes[1].code) == (Fate.FAILED, "552 5.3.4")
    assert pipeline.closed


def test_an_acceptance_while_the_content_is_still_being_written_is_not() -> None:
    body = b"Subject: x\r\n\r\n" + b"0123456789abcde\r\n" * 200_000
    desk, pipeline, theirs = connect([a_parcel(1, sender="news+1@sender.example", body=body)], PIPELINING)
    with theirs:
        pipeline.begin_next()
        theirs.send(b"250 ok\r\n250 ok\r\n354 go\r\n")
        pipeline.readable()
        theirs.send(b"250 2.0.0 taken\r\n")
        pipeline.readable()

    assert desk.outcomes[1].fate is Fate.UNBEGUN


def test_an_envelope_that_found_no_room_behind_its_content_is_begun_anew() -> None:
    """Decision 7: nothing begins later than its clearance because it lay in this process."""
    large = a_parcel(1, sender="news+1@sender.example", body=b"Subject: x\r\n\r\n" + b"0123456789abcde\r\n" * 200_000)
    desk, pipeline, theirs = connect([large, *messages(2)[1:]], PIPELINING)
    pipeline.plug.fits = 1 << 30
    with theirs:
        pipeline.begin_next()
        theirs.send(b"250 ok\r\n250 ok\r\n354 go\r\n")
        pipeline.readable()
        heard = b""
        while pipeline.plug.left:
            heard += _heard(theirs)
            pipeline.writable()
        heard += _heard(theirs)
        pipeline.close()

    assert desk.given_back == [2]
    assert heard.endswith(b"\r\n.\r\n")
    assert b"person2" not in heard


def test_a_reply_without_end_is_not_kept() -> None:
    reader = ReplyReader()
    with pytest.raises(BrokenReply):
        for _ in range(3_000_000 // 1000):
            reader.feed(b"250-" + b"x" * 994 + b"\r\n")
    with pytest.raises(BrokenReply):
        ReplyReader().feed(b"2" * (LONGEST + 1))


@given(lines=st.lists(st.sampled_from([b"250 ok", b"250-a\r\n250 b", b"354 go", b"550-5.1.1 x\r\n550-y\r\n550 z"]),
                      min_size=1), at=st.lists(st.integers(0, 200)))
def test_replies_are_the_same_in_any_pieces(lines: list[bytes], at: list[int]) -> None:
    data = b"".join(line + b"\r\n" for line in lines)
    reader = ReplyReader()

    found = [reply for piece in cut(data, at) for reply in reader.feed(piece)]

    assert [code_of(reply) for reply in found] == [int(line[:3]) for line in lines]
    assert not reader.midway


@pytest.mark.parametrize("reply", [b"", b"\r", b"25", b"2 50 ok", b"25x ok", b"2505 ok", b"000 ", b"099 x",
                                   b"\xff\xff\xff "])
def test_what_is_no_reply_has_no_code(reply: bytes) -> None:
    assert code_of(reply) == -1
