"""The fake mail server itself: what it counts is what a real one would have taken."""

import smtplib
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.smtp_behaviour import parse_fault
from tests.fakes.smtp_server import SmtpServer

MESSAGE = b"Message-ID: <1@x>\r\n\r\nhello\r\n"


def test_it_counts_what_the_standard_client_sends() -> None:
    with SmtpServer() as server, smtplib.SMTP("127.0.0.1", server.port) as client:
        client.sendmail("a@x.example", ["b@x.example", "c@x.example"], MESSAGE)

    assert server.record.counts == {("b@x.example", "<1@x>"): 1, ("c@x.example", "<1@x>"): 1}
    assert server.record.deliveries[0].body == MESSAGE
    assert server.record.mails[0][0] <= server.record.deliveries[0].at


def test_pipelined_commands_are_answered_in_order() -> None:
    with SmtpServer() as server, smtplib.SMTP("127.0.0.1", server.port) as client:
        client.ehlo()
        for _ in range(2):
            client.send(b"MAIL FROM:<a@x.example>\r\nRCPT TO:<b@x.example>\r\nDATA\r\n")
            assert [client.getreply()[0] for _ in range(3)] == [250, 250, 354]
            client.send(MESSAGE + b".\r\nNOOP\r\n")
            assert [client.getreply()[0] for _ in range(2)] == [250, 250]

    assert server.record.counts == {("b@x.example", "<1@x>"): 2}


def test_a_message_is_written_down_before_the_answer_to_its_dot(tmp_path: Path) -> None:
    out = tmp_path / "taken.tsv"
    command = [sys.executable, "-m", "tests.fakes.smtp_server", "--out", str(out), "--fault", "dot:stall"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        try:
            client = smtplib.SMTP("127.0.0.1", port, timeout=1)
            with pytest.raises(smtplib.SMTPServerDisconnected):
                client.sendmail("a@x.example", ["b@x.example"], MESSAGE)
            lines = out.read_text().splitlines()
        finally:
            process.kill()

    [(at, recipient, message_id, size, mail_at)] = [line.split("\t") for line in lines]
    assert (recipient, message_id, int(size)) == ("b@x.example", "<1@x>", len(MESSAGE))
    assert int(mail_at) < int(at)


def test_faults_are_written_as_a_word_each() -> None:
    fault = parse_fault("rcpt@b@x.example:451 4.3.0 later*3+10")

    assert (fault.stage, fault.recipient, fault.reply, fault.times, fault.skip) == (
        "rcpt", "b@x.example", "451 4.3.0 later", 3, 10)
    assert parse_fault("dot:delay=0.5").delay == 0.5
    with pytest.raises(ValueError, match="nowhere"):
        parse_fault("nowhere:close")


def test_the_fast_one_counts_pipelined_messages_and_writes_each_down_before_its_answer(tmp_path: Path) -> None:
    out = tmp_path / "taken.tsv"
    command = [sys.executable, "-m", "tests.fakes.smtp_server", "--out", str(out), "--fast", "--delay", "0.01"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        try:
            with smtplib.SMTP("127.0.0.1", port, timeout=5) as client:
                client.ehlo()
                for number in range(3):
                    client.send(b"MAIL FROM:<a@x.example>\r\nRCPT TO:<b%d@x.example>\r\nDATA\r\n" % number)
                    assert [client.getreply()[0] for _ in range(3)] == [250, 250, 354]
                    client.send(MESSAGE + b".\r\n")
                    assert client.getreply()[0] == 250
                    assert len(out.read_text().splitlines()) == number + 1
        finally:
            process.kill()

    lines = [line.split("\t") for line in out.read_text().splitlines()]
    assert [(line[1], line[2], int(line[3])) for line in lines] == [
        (f"b{number}@x.example", "<1@x>", len(MESSAGE)) for number in range(3)]
    assert all(int(line[4]) < int(line[0]) for line in lines)


def test_a_fault_may_concern_a_whole_domain_or_each_third_chance() -> None:
    domain, third = parse_fault("rcpt@*@bad.example:550 5.1.1 no"), parse_fault("mail:451 4.3.0 later/3")

    assert [domain.strikes("rcpt", each) for each in ("a@bad.example", "a@good.example")] == [True, False]
    assert [third.strikes("mail", "") for _ in range(6)] == [False, False, True, False, False, True]
    assert parse_fault("dot:flood=3000000").flood == 3_000_000
