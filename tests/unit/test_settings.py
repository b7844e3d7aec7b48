"""Settings are refused when they are half-set or cannot be read, and the one that is wrong is named."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.core.errors import BadSettings
from mailer.core.host_names import is_host_name
from mailer.settings import Fixed, Settings, SmtpServer
from mailer.wiring import announced_name


@pytest.mark.parametrize("name, value", [
    ("PORT", "0"), ("PORT", "65536"), ("PORT", "²"), ("WORKER_THREADS", "0"), ("TRUSTED_PROXIES", "-1"),
    ("MAILER_MODE", "LIVE"), ("ONE_CLICK_SCOPE", "some"),
    ("SMTP_URL", "mail.example.org"), ("SMTP_URL", "smtp://"), ("SMTP_URL", "smtp://[::1"),
    ("SMTP_URL", "smtp://mail.example.org:99999"), ("SMTP_URL", "smtp://mail.example.org:many"),
    ("SMTP_URL", "smtps://user@mail.example.org"), ("SMTP_URL", "smtps://:secret@mail.example.org"),
    ("PUBLIC_URL", "news.example.org"), ("PUBLIC_URL", "http://["), ("PUBLIC_URL", "https://a.example/?q=1"),
    ("MAIL_FROM", "News"), ("MAIL_FROM", "News <news>"), ("MAIL_FROM", "news@example.org\nBcc: b@example.org"),
    ("DATABASE_URL", "mysql://x/y"), ("DATABASE_URL", "postgresql://[/x"), ("REDIS_URL", "queue"),
    ("REDIS_URL", "redis://127.0.0.1:x"),
])
def test_a_setting_that_cannot_be_read_is_named(name: str, value: str) -> None:
    with pytest.raises(BadSettings) as refused:
        Settings.from_env({name: value})
    assert refused.value.context["setting"] == name


@pytest.mark.parametrize("url, why", [
    ("https://bücher.example", "xn--"), ("http://my_host", "letters, digits and hyphens"),
    ("https://-a.example", "letters, digits and hyphens"), ("https://a..example", "letters, digits and hyphens"),
    ("https://" + "a" * 64 + ".example", "letters, digits and hyphens"),
    ("https://" + "abcdefg." * 32 + "example", "letters, digits and hyphens"),
    ("https://300.1.1.1", "letters, digits and hyphens"), ("https://a.example.", "letters, digits and hyphens"),
    ("https://user:s3cret@a.example", "without a user and a password"),
    ("https://user@a.example", "without a user and a password"),
    ("https://a.example/my news", "without blanks"), (" https://a.example", "without blanks"),
    ("https://a.exa\nmple", "without blanks"), ("https://[::1]:8000", "no List-Id"),
    ("https://a.example/a;b", "a path of"), ("https://a.example/ä", "a path of"),
])
def test_a_public_url_that_no_message_could_carry_is_refused_in_words(url: str, why: str) -> None:
    """It begins every link and ends every List-Id, so what these cannot hold would fail each message."""
    with pytest.raises(BadSettings) as refused:
        Settings.from_env({"PUBLIC_URL": url})
    assert why in str(refused.value.context["why"])
    assert "s3cret" not in repr(refused.value)


@pytest.mark.parametrize("url", ["https://News.a.example/mail/", "http://localhost:8000", "http://192.0.2.1",
                                 "https://xn--bcher-kva.example", "https://3com.example", "http://host"])
def test_names_and_addresses_of_version_four_are_taken(url: str) -> None:
    assert Settings.from_env({"PUBLIC_URL": url}).public_url == url.rstrip("/")


def test_no_password_stands_in_what_settings_print() -> None:
    read = Settings.from_env({"DATABASE_URL": "postgresql://u:s3cret@db.example/mail",
                              "REDIS_URL": "rediss://:s3cret@queue.example", "SMTP_URL": "smtps://u:s3cret@a.example"})
    assert "s3cret" not in repr(read)


@pytest.mark.parametrize("public_url, said", [
    ("https://news.a.example/mail", "news.a.example"), ("http://localhost:8000", "localhost"),
    ("http://192.0.2.1", "localhost"), ("", None)])
def test_mail_servers_hear_our_domain(public_url: str, said: str | None) -> None:
    """RFC 5321 section 4.1.1.1; without a domain of ours the machine's own name."""
    full = socket.getfqdn()
    assert announced_name(public_url) == (said or (full if is_host_name(full) else "localhost"))


@pytest.mark.parametrize("sender", ["news@example.org", "News <news@example.org>", '"A, B" <news@bücher.example>'])
def test_a_sender_may_have_a_name(sender: str) -> None:
    assert Settings.from_env({"MAIL_FROM": sender}).mail_from == sender


@pytest.mark.parametrize("environment, plain", [
    ({}, ()),
    ({"DATABASE_URL": "postgresql://u@/db?host=/run/pg", "REDIS_URL": "unix:///run/redis.sock"}, ()),
    ({"DATABASE_URL": "postgresql://u@127.0.0.1/db", "REDIS_URL": "redis://localhost:6379"}, ()),
    ({"DATABASE_URL": "postgresql://u@db.example.org/db?sslmode=verify-full",
      "REDIS_URL": "rediss://queue.example.org"}, ()),
    ({"DATABASE_URL": "postgresql://u@db.example.org/db"}, ("DATABASE_URL",)),
    ({"DATABASE_URL": "postgresql://u@db.example.org/db?sslmode=prefer", "REDIS_URL": "redis://queue.example.org"},
     ("DATABASE_URL", "REDIS_URL")),
])
def test_servers_that_are_reached_in_the_clear_over_a_network_are_known(
        environment: dict[str, str], plain: tuple[str, ...]) -> None:
    """Decision 29: Live refuses to send with them."""
    assert Fixed.of(Settings.from_env(environment)).plain_servers == plain


def test_several_mail_servers_have_names_and_weights() -> None:
    urls = "smtps://u:p%20w@one.example?name=relay1&weight=3\n smtp://two.example:2525/ "
    read = Settings.from_env({"SMTP_URL": urls})
    assert read.smtp_servers == (SmtpServer("relay1", "smtps://u:p%20w@one.example", 3),
                                 SmtpServer("two.example", "smtp://two.example:2525/", 1))
    assert "p%20w" not in repr(read) + repr(read.smtp_servers)
    assert Fixed.of(read).mail_servers == (("relay1", 3), ("two.example", 1))
    assert Settings.from_env({}).smtp_servers == ()


def test_servers_that_share_a_host_are_told_apart_by_their_port() -> None:
    read = Settings.from_env({"SMTP_URL": "smtp://127.0.0.1:2525 smtp://127.0.0.1:2526 smtp://localhost"})
    assert [each.name for each in read.smtp_servers] == ["127.0.0.1:2525", "127.0.0.1:2526", "localhost"]


GOOD = "smtps://u:s3cret@one.example"


@pytest.mark.parametrize("wrong, why", [
    ("smtp://", "a host (URL 2 of 2)"), ("smtps://u:s3cret@two.example:s3cret", "can be read (URL 2 of 2)"),
    ("smtps://s3cret@two.example", "or neither (URL 2 of 2)"),
    ("smtp://a..b", "1 to 63 letters each (URL 2 of 2)"),
    ("smtp://" + "a" * 64 + ".example", "1 to 63 letters each (URL 2 of 2)"),
    ("smtps://two.example?wieght=3", "&weight= (URL 2 of 2)"),
    ("smtps://two.example?s3cret", "&weight= (URL 2 of 2)"),
    ("smtps://two.example?weight=0", "from 1 to 100 (URL 2 of 2)"),
    ("smtps://two.example?weight=101", "from 1 to 100 (URL 2 of 2)"),
    ("smtps://two.example?weight=" + "9" * 5000, "from 1 to 100 (URL 2 of 2)"),
    ("smtps://two.example?weight=", "from 1 to 100 (URL 2 of 2)"),
    ("smtps://two.example?weight=%D9%A3", "from 1 to 100 (URL 2 of 2)"),
    ("smtps://two.example?name=", "at most 63 (URL 2 of 2)"),
    ("smtps://two.example?name=a%0Ab", "at most 63 (URL 2 of 2)"),
    ("smtps://two.example?name=one.example", "different names: add ?name= to tell them apart (URL 2 of 2)"),
    (GOOD, "different names: add ?name= to tell them apart (URL 2 of 2)"),
])
def test_a_wrong_mail_server_is_named_by_its_place_and_never_printed(wrong: str, why: str) -> None:
    """Bad input: clearly worded settings errors."""
    with pytest.raises(BadSettings) as refused:
        Settings.from_env({"SMTP_URL": f"{GOOD} {wrong}"})
    assert str(refused.value.context["why"]).endswith(why)
    assert "s3cret" not in repr(refused.value) + repr(refused.value.__cause__)


@given(st.text(max_size=60))
def test_whatever_stands_in_smtp_url_is_read_or_refused(raw: str) -> None:
    try:
        servers = Settings.from_env({"SMTP_URL": f"{GOOD} {raw}"}).smtp_servers
    except BadSettings:
        return
    assert servers[0].name == "one.example" and all(1 <= each.weight <= 100 for each in servers)


def test_one_plain_server_off_this_machine_makes_all_of_them_plain() -> None:
    """Decision 29."""
    safe = "smtps://one.example smtp://127.0.0.1 smtp+starttls://two.example"
    assert Fixed.of(Settings.from_env({"SMTP_URL": safe})).mail_server == "safe"
    assert Fixed.of(Settings.from_env({"SMTP_URL": f"{safe} smtp://three.example"})).mail_server == "plain"
    assert Fixed.of(Settings.from_env({})).mail_server == ""
