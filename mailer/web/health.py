"""Whether we are alive and ready, and the figures of the machine room; no personal data anywhere in it."""

import hmac

import redis
from flask import Blueprint, Response, abort, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from mailer.web.support import open_to_all, services

health = Blueprint("health", __name__)

COUNTS = {
    "mailer_messages_waiting": "SELECT count(*) FROM single_message WHERE state IN ('ready', 'deferred', 'handed')",
    "mailer_slices_open": "SELECT count(*) FROM slice",
    "mailer_campaigns_sending": "SELECT count(*) FROM campaign WHERE state = 'sending'",
    "mailer_workers_alive": "SELECT count(*) FROM worker WHERE seen_at > now() - interval '90 seconds'",
    "mailer_requests_pending": "SELECT count(*) FROM pending_request",
    "mailer_lanes_held": "SELECT count(*) FROM lane_hold WHERE until > now()",
}


@health.get("/healthz")
@open_to_all
def alive() -> Response:
    """200 as long as this process answers."""
    return jsonify(status="ok")


@health.get("/readyz")
@open_to_all
def ready() -> Response:
    """200 when database and queue answer, else 503 naming which does not."""
    lacking = [name for name, works in (("database", _database_answers), ("queue", _queue_answers)) if not works()]
    response = jsonify(status="not ready" if lacking else "ready", lacking=lacking)
    response.status_code = 503 if lacking else 200
    return response


@health.get("/metrics")
@open_to_all
def metrics() -> Response:
    """Prometheus figures; 404 without the bearer key of METRICS_KEY, which is how it is by default."""
    key = services().settings.metrics_key
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not key or not hmac.compare_digest(key.encode(), given.encode()):
        abort(404)
    registry = CollectorRegistry()
    with services().engine.connect() as connection:
        for name, query in COUNTS.items():
            Gauge(name, name.replace("_", " "), registry=registry).set(connection.scalar(text(query)) or 0)
    return Response(generate_latest(registry), mimetype=CONTENT_TYPE_LATEST)


def _database_answers() -> bool:
    try:
        with services().engine.connect() as connection:
            return bool(connection.scalar(text("SELECT true")))
    except DBAPIError:
        return False


def _queue_answers() -> bool:
    url = services().settings.redis_url
    if not url:
        return False
    try:
        return bool(redis.Redis.from_url(url, socket_timeout=2).ping())
    except redis.RedisError:
        return False
