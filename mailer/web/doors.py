"""CSRF and rate limits: which forms are exempt, and how often one network may knock."""

from flask import request
from flask_limiter import Limiter
from flask_wtf import CSRFProtect

from mailer.web.support import services

CSRF = CSRFProtect()

EXEMPT_FROM_CSRF: tuple[str, ...] = (
    "public_join.ask", "public_join.resend", "public_confirm.press", "public_confirm.not_me", "public_leave.press",
    "public_leave.reason", "public_leave.one_click", "public_leave.take_back", "public_preferences.save",
    "public_preferences.stop", "public_stop.press", "public_stop.other",
    "public_friend.ask", "public_friend.press", "public_friend.say_never", "public_friend.report",
    "public_friend.take_back",
    "public_fresh.press", "public_fresh.mail_me", "public_fresh.from_light_page", "public_me.done",
    "public_me.save", "public_me.stop", "public_me.name", "public_me.email", "public_me.asked",
    "public_address.press", "public_address.not_me", "public_address.undo",
    "public_my_data.build", "public_my_data.press_erase", "public_contact.send", "public_child.report",
    "public_child.press",
)
"""Endpoints whose proof is the token in the path or a signed stamp: they carry no cookie (decision 24)."""


def network() -> str:
    """The caller's network (/24, /48) as a keyed hash: what limits count by, and nothing else ever keeps."""
    address = request.remote_addr or ""
    parts = address.split(":")[:3] if ":" in address else address.split(".")[:3]
    return services().sealer.bucket("network", "|".join(parts)).hex()


LIMITER = Limiter(key_func=network, default_limits=[], strategy="fixed-window", swallow_errors=True,
                  key_prefix="limit")
