"""What is said to the mail server: encryption, sign-in, extensions, and content that arrives as it was written."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.channels.email.envelope import wire_content
from mailer.channels.email.signon import Timeouts
from mailer.channels.email.transport import open_transport
from mailer.core.channel import Fate, Outcome, Parcel
from mailer.core.errors import BadSettings
from tests.channels.smtp_world import a_parcel, parcels
from tests.channels.smtp_world import send as over
from tests.fakes.certificates import make_certificate, trusting
from tests.fakes.smtp_server import SmtpServer


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as running:
        yield running


def send(url: str, *sent: Parcel, trust: Path | None = None, connections: int = 1) -> dict[int, Outcome]:
    transport = open_transport(url, connections=connections, host_name="us.example",
                               timeouts=Timeouts(banner=5, command=5),
                               tls=trusting(trust) if trust else None)
    with closing(transport.wire()) as wire:
        return {outcome.row: outcome for outcome in over(wire, sent)}


def facts(outcome: Outcome) -> tuple[Fate, str, bool, bool]:
    return outcome.fate, outcome.code, outcome.operator, outcome.lane_down


@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
def test_mail_travels_encrypted_to_a_server_that_proves_who_it_is(certificate: Path, scheme: str) -> None:
    with SmtpServer(certificate=certificate, implicit_tls=scheme == "smtps", users={"us er": "p@ss:wörd/"}) as server:
        url = f"{scheme}://us%20er:p%40ss%3Aw%C3%B6rd%2F@127.0.0.1:{server.port}"

        outcomes = send(url, *parcels(3), trust=certificate)

    assert {outcome.fate for outcome in outcomes.values()} == {Fate.ACCEPTED}
    assert set(server.record.logins) == {"us er"}
    assert len(server.record.greetings) == (2 if scheme == "smtp+starttls" else 1)


def test_many_and_large_messages_travel_encrypted_and_pipelined(certificate: Path) -> None:
    large = b"Subject: large\r\n\r\n" + b"0123456789abcde\r\n" * 200_000
    with SmtpServer(certificate=certificate, implicit_tls=True) as server:
        outcomes = send(server.url, *parcels(60), a_parcel(61, body=large), *[a_parcel(row) for row in range(62, 80)],
                        trust=certificate, connections=3)

    assert {outcome.fate for outcome in outcomes.values()} == {Fate.ACCEPTED}
    assert set(server.record.counts.values()) == {1}
    assert len(server.record.deliveries) == 79
    assert large in {delivery.body for delivery in server.record.deliveries}


@pytest.mark.parametrize("scheme", ["smtp+starttls", "smtps"])
def test_a_server_that_cannot_prove_who_it_is_gets_neither_mail_nor_password(certificate: Path, scheme: str) -> None:
    with SmtpServer(certificate=certificate, implicit_tls=scheme == "smtps", users={"u": "p"}) as server:
        outcomes = send(f"{scheme}://u:p@127.0.0.1:{server.port}", a_parcel(1))

    assert facts(outcomes[1]) == (Fate.UNBEGUN, "tls", True, True)
    assert not server.record.logins
    assert not server.record.mails


def test_a_server_without_starttls_gets_no_mail_in_the_clear(server: SmtpServer) -> None:
    outcomes = send(f"smtp+starttls://127.0.0.1:{server.port}", a_parcel(1))

    assert facts(outcomes[1]) == (Fate.UNBEGUN, "tls", True, True)
    assert not server.record.mails


def test_a_refused_starttls_is_tried_later(certificate: Path) -> None:
    with SmtpServer("starttls:454 4.7.0 TLS not available", certificate=certificate) as server:
        outcomes = send(f"smtp+starttls://127.0.0.1:{server.port}", a_parcel(1), trust=certificate)

    assert facts(outcomes[1]) == (Fate.UNBEGUN, "454 4.7.0", False, True)


def test_a_wrong_password_is_offered_once_and_told_to_the_operator() -> None:
    """RFC 4954: 535 stops the queue; a loop would lock the account."""
    with SmtpServer(users={"news": "right"}) as server:
        outcomes = send(f"smtp://news:wrong@127.0.0.1:{server.port}", *parcels(20), connections=5)

    assert {facts(outcome) for outcome in outcomes.values()} == {(Fate.UNBEGUN, "535 5.7.8", True, True)}
    assert server.record.logins == ["news"]


@pytest.mark.parametrize(("mechanisms", "fate"), [
    ("LOGIN", Fate.ACCEPTED), ("PLAIN", Fate.ACCEPTED), ("GSSAPI", Fate.UNBEGUN)])
def test_sign_in_uses_what_the_server_offers(mechanisms: str, fate: Fate) -> None:
    with SmtpServer(users={"news": "right"}, mechanisms=mechanisms) as server:
        outcomes = send(f"smtp://news:right@127.0.0.1:{server.port}", a_parcel(1))

    assert outcomes[1].fate is fate


def test_a_server_that_knows_no_ehlo_is_greeted_with_helo(server: SmtpServer) -> None:
    server.behaviour.ehlo = False

    outcomes = send(server.url, a_parcel(1))

    assert outcomes[1].fate is Fate.ACCEPTED
    assert server.record.deliveries[0].parameters == ""


def test_an_address_in_another_script_is_sent_as_it_is_where_the_server_can(server: SmtpServer) -> None:
    outcomes = send(server.url, a_parcel(1, address="дмитрий@почта.example"))

    assert outcomes[1].fate is Fate.ACCEPTED
    assert server.record.deliveries[0].recipient == "дмитрий@xn--80a1acny.example"
    assert "SMTPUTF8" in server.record.deliveries[0].parameters


def test_an_address_the_server_cannot_write_to_fails_and_is_never_rewritten(server: SmtpServer) -> None:
    server.behaviour.extensions = ("8BITMIME",)

    outcomes = send(server.url, a_parcel(1, address="дмитрий@почта.example"), a_parcel(2))

    assert facts(outcomes[1]) == (Fate.FAILED, "5.6.7", False, False)
    assert outcomes[2].fate is Fate.ACCEPTED
    assert len(server.record.mails) == 1


def test_a_domain_in_another_script_alone_needs_nothing_of_the_server(server: SmtpServer) -> None:
    server.behaviour.extensions = ()

    outcomes = send(server.url, a_parcel(1, address="anna@bücher.example"))

    assert outcomes[1].fate is Fate.ACCEPTED
    assert server.record.deliveries[0].recipient == "anna@xn--bcher-kva.example"


@pytest.mark.parametrize("address", ["a\r\nRSET@example.org", "a>b@example.org", "a\0@example.org", "ä\n@example.org"])
def test_an_address_cannot_say_a_command(server: SmtpServer, address: str) -> None:
    outcomes = send(server.url, a_parcel(1, address=address), a_parcel(2))

    assert facts(outcomes[1]) == (Fate.FAILED, "5.1.3", False, False)
    assert outcomes[2].fate is Fate.ACCEPTED
    assert server.record.commands["RSET"] == 0


def test_eight_bit_content_goes_only_to_a_server_that_takes_it(server: SmtpServer) -> None:
    body = "Subject: x\r\n\r\nGrüße\r\n".encode()

    assert send(server.url, a_parcel(1, body=body))[1].fate is Fate.ACCEPTED
    assert "BODY=8BITMIME" in server.record.deliveries[0].parameters
    server.behaviour.extensions = ()
    assert facts(send(server.url, a_parcel(2, body=body))[2]) == (Fate.FAILED, "5.6.3", True, False)


def test_a_message_larger_than_the_server_takes_is_not_even_offered(server: SmtpServer) -> None:
    server.behaviour.size = 200

    outcomes = send(server.url, a_parcel(1, body=b"Subject: x\r\n\r\n" + b"y" * 300), a_parcel(2))

    assert facts(outcomes[1]) == (Fate.FAILED, "5.3.4", True, False)
    assert outcomes[2].fate is Fate.ACCEPTED
    assert [delivery.parameters for delivery in server.record.deliveries] == [
        f"SIZE={len(a_parcel(2).body)}"]


@pytest.mark.parametrize("body", [
    b"", b".", b".\r\n", b"..\r\n.", b"Subject: x\r\n\r\n.\r\n..\r\n...leading\r\n\r\n.\r\n", b"x\r\n.\r\ny\r\n",
])
def test_lines_that_begin_with_a_dot_arrive_as_they_were(server: SmtpServer, body: bytes) -> None:
    outcomes = send(server.url, a_parcel(1, body=body), a_parcel(2))

    assert {outcome.fate for outcome in outcomes.values()} == {Fate.ACCEPTED}
    assert len(server.record.deliveries) == 2
    assert server.record.deliveries[0].body == (body if body.endswith(b"\r\n") or not body else body + b"\r\n")


def test_a_tidy_body_travels_as_it_is_and_one_that_lies_about_its_end_is_mended(server: SmtpServer) -> None:
    tidy = [parcel._replace(tidy=True) for parcel in parcels(2)]
    lying = a_parcel(3, body=b"Subject: x\r\n\r\nno end")._replace(tidy=True)

    outcomes = send(server.url, *tidy, lying)

    assert {outcome.fate for outcome in outcomes.values()} == {Fate.ACCEPTED}
    assert [delivery.body for delivery in server.record.deliveries] == [
        tidy[0].body, tidy[1].body, lying.body + b"\r\n"]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([b".", b"\r", b"\n", b"\r\n", b"x", b"MAIL FROM:<a@b>"]), max_size=12).map(b"".join))
def test_no_content_can_end_the_data_early_for_any_server(body: bytes) -> None:
    """A lone dot between line ends of any sort would let a second message in (SMTP smuggling)."""
    content = wire_content(body)

    assert content.endswith(b".\r\n")
    assert content.replace(b"\r\n", b"").count(b"\r") == content.replace(b"\r\n", b"").count(b"\n") == 0
    lines = content.split(b"\r\n")
    assert [number for number, line in enumerate(lines) if line == b"."] == [len(lines) - 2]


@pytest.mark.parametrize("url", ["http://127.0.0.1", "smtp://", "127.0.0.1:25", "smtp://host:notaport"])
def test_a_url_that_names_no_mail_server_is_refused(url: str) -> None:
    with pytest.raises(BadSettings):
        open_transport(url, connections=1, host_name="us.example")


def test_nothing_about_the_recipient_shows_in_what_a_failure_prints(server: SmtpServer) -> None:
    server.wrong("rcpt:550 5.1.1 <person1@example.org> is unknown")

    outcomes = send(server.url, a_parcel(1))

    assert "person1" not in repr(outcomes) + repr(a_parcel(1))
