"""Settings are refused when they are half-set or cannot be read, and the one that is wrong is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.core.errors import BadSettings
from mailer.settings import Fixed, Settings, SmtpServer


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
