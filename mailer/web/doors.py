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
)
"""Endpoints whose proof is the token in the path or a signed stamp: they carry no cookie (decision 24)."""


def network() -> str:
    """The caller's network (/24, /48) as a keyed hash: what limits count by, and nothing else ever keeps."""
    address = request.remote_addr or ""
    parts = address.split(":")[:3] if ":" in address else address.split(".")[:3]
    return services().sealer.bucket("network", "|".join(parts)).hex()


LIMITER = Limiter(key_func=network, default_limits=[], strategy="fixed-window", swallow_errors=True,
                  key_prefix="limit")
