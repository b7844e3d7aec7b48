"""Settings are refused when they are half-set or cannot be read, and the one that is wrong is named."""

import pytest

from mailer.core.errors import BadSettings
from mailer.settings import Fixed, Settings


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
