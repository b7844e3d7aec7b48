"""The stop list: who is not written to, and why. It outlives erasure, imports and restores (promise section 3, 4)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import bindparam, delete, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT, BYTEA, DATE, TEXT

from mailer.context import Context
from mailer.core.exits import ExitKind
from mailer.core.reasons import SUPPRESSING, Reason
from mailer.exits import record
from mailer.organisation.key_state import ROTATING
from mailer.organisation.profile import mode as mode_in_force
from mailer.suppression.models import Suppression

ROTATION = text("SELECT pg_advisory_xact_lock_shared(:key)").bindparams(key=ROTATING)
UNWRITE = text("""
    DELETE FROM suppression s
    USING unnest(:channels, :prints, :lists, :topics, :reasons)
          AS entry(channel, fingerprint, list_id, topic_id, reason)
    WHERE (s.channel, s.fingerprint, s.list_id, s.topic_id, s.reason)
        = (entry.channel, entry.fingerprint, entry.list_id, entry.topic_id, entry.reason)
""").bindparams(
    bindparam("prints", type_=ARRAY(BYTEA)), *(bindparam(name, type_=ARRAY(TEXT)) for name in ("channels", "reasons")),
    *(bindparam(name, type_=ARRAY(BIGINT)) for name in ("lists", "topics")))

MARKED_TOGETHER = 1000
"""Fingerprints that one line of the exits file names, where many are stopped alike."""

# Stricter: it lasts longer. Graver: what was stopped in Practice and is stopped again in Live is stopped in Live.
# In the order of the key, so that two that write many do not wait for each other.
WRITE = text("""
    INSERT INTO suppression (channel, fingerprint, list_id, topic_id, reason, fingerprint_version, mode, day, until,
                             sample)
    SELECT channel, fingerprint, list_id, topic_id, reason, :version, :mode, day, until, :sample
    FROM unnest(:channels, :prints, :lists, :topics, :reasons, :days, :untils)
         AS entry(channel, fingerprint, list_id, topic_id, reason, day, until)
    ORDER BY channel, fingerprint, list_id, topic_id, reason
    ON CONFLICT (channel, fingerprint, list_id, topic_id, reason) DO UPDATE
    SET until = CASE WHEN suppression.until IS NULL OR excluded.until IS NULL THEN NULL
                     ELSE greatest(suppression.until, excluded.until) END,
        day = excluded.day, mode = excluded.mode, sample = excluded.sample
    WHERE suppression.until IS NOT NULL AND (excluded.until IS NULL OR excluded.until > suppression.until)
       OR suppression.mode <> excluded.mode AND excluded.mode = 'live'
    RETURNING channel, fingerprint, reason, list_id, topic_id, day, until,
              coalesce((SELECT key_required FROM instance), 0) AS required
""").bindparams(
    bindparam("prints", type_=ARRAY(BYTEA)), *(bindparam(name, type_=ARRAY(TEXT)) for name in ("channels", "reasons")),
    *(bindparam(name, type_=ARRAY(BIGINT)) for name in ("lists", "topics")),
    *(bindparam(name, type_=ARRAY(DATE)) for name in ("days", "untils")))


@dataclass(frozen=True)
class Stop:
    """An entry to be written: for whom, why, of what scope (0: all), since when (today unless said), until when.

    `version` is that of the fingerprint, the one that the writer says or the newest unless said here.
    """

    channel: str
    fingerprint: bytes
    reason: Reason
    list_id: int = 0
    topic_id: int = 0
    day: date | None = None
    until: date | None = None
    version: int | None = None


def suppress(ctx: Context, *, channel: str, fingerprint: bytes, reason: Reason, list_id: int = 0, topic_id: int = 0,
             until: date | None = None, version: int | None = None, sample: bool = False) -> bool:
    """Put an address on the stop list; whether that was new or stricter. `list_id` 0 is everything of the channel,
    `topic_id` 0 the whole list.

    `until` is the first day on which the entry holds no longer. `version` is that of the fingerprint, the newest
    unless said. Raises: ValueError for a reason that does not suppress, or a topic without its list.
    """
    version = ctx.sealer.fingerprint_version if version is None else version
    stop = Stop(channel, fingerprint, reason, list_id, topic_id, until=until)
    kept, version = _write(ctx, [stop], version, sample=sample)
    for entry in kept:
        record.record(ctx, ExitKind.EXIT, _detail(channel, entry.fingerprint, reason, list_id, topic_id) | {
            "version": version, "mode": mode_in_force(ctx), "until": _said(entry.until)})
    return bool(kept)


def suppress_many(ctx: Context, stops: Iterable[Stop], *, version: int | None = None) -> list[Stop]:
    """The same, set-wise, some thousands at a time; those that were new or stricter. Raises: as `suppress`."""
    otherwise = ctx.sealer.fingerprint_version if version is None else version
    groups: dict[int, list[Stop]] = {}
    for stop in _strictest(stops):
        groups.setdefault(otherwise if stop.version is None else stop.version, []).append(stop)
    return [each for one in sorted(groups) for each in _suppress_alike(ctx, groups[one], one)]


def _suppress_alike(ctx: Context, stops: Sequence[Stop], version: int) -> list[Stop]:
    """The same of stops whose fingerprints are of one version."""
    kept, version = _write(ctx, stops, version)
    alike: dict[tuple[str, Reason, int, int, date | None], list[str]] = {}
    for stop in kept:
        alike.setdefault((stop.channel, stop.reason, stop.list_id, stop.topic_id, stop.until), []).append(
            stop.fingerprint.hex())
    mode = mode_in_force(ctx) if kept else None
    for (channel, reason, list_id, topic_id, until), prints in alike.items():
        for start in range(0, len(prints), MARKED_TOGETHER):
            record.record(ctx, ExitKind.EXIT, {
                "channel": channel, "reason": reason, "list_id": list_id, "topic_id": topic_id,
                "fingerprints": prints[start:start + MARKED_TOGETHER], "version": version, "mode": mode,
                "until": _said(until)})
    return kept


def lift(ctx: Context, *, channel: str, fingerprints: Sequence[bytes], reasons: Iterable[Reason],
         list_id: int | None = None, topic_id: int | None = None) -> list[Suppression]:
    """Take entries off the stop list, of one scope or of all; those lifted. The caller knows that it may."""
    prints = ctx.sealer.with_newer(fingerprints)
    if len(prints) > len(fingerprints):
        # An entry that is being rotated at this moment is waited for, else it would be missed.
        ctx.db.execute(ROTATION)
    gone = delete(Suppression).where(
        Suppression.channel == channel, Suppression.fingerprint.in_(prints),
        Suppression.reason.in_(list(reasons)))
    if list_id is not None:
        gone = gone.where(Suppression.list_id == list_id)
    if topic_id is not None:
        gone = gone.where(Suppression.topic_id == topic_id)
    lifted = [Suppression(**row) for row in ctx.db.execute(
        gone.returning(*Suppression.__table__.columns)).mappings()]
    for entry in lifted:
        record.record(ctx, ExitKind.LIFT, _detail(
            entry.channel, entry.fingerprint, Reason(entry.reason), entry.list_id, entry.topic_id) | {
                "version": entry.fingerprint_version})
    return lifted


def entries(ctx: Context, channel: str, fingerprints: Sequence[bytes]) -> list[Suppression]:
    """What holds today for an address, under any version of its fingerprint."""
    return list(ctx.db.scalars(select(Suppression).where(
        Suppression.channel == channel, Suppression.fingerprint.in_(ctx.sealer.with_newer(fingerprints)),
        Suppression.until.is_(None) | (Suppression.until > ctx.clock.now().date())).order_by(
            Suppression.day, Suppression.reason, Suppression.list_id, Suppression.topic_id)))


def count(ctx: Context) -> int:
    """How many addresses the list names, whatever the number of reasons."""
    return ctx.db.execute(select(func.count()).select_from(
        select(Suppression.channel, Suppression.fingerprint).distinct().subquery())).scalar_one()


def _write(ctx: Context, stops: Sequence[Stop], version: int, *, sample: bool = False) -> tuple[list[Stop], int]:
    """What was new or stricter, and the version under which it was written: while keys rotate, a newer one.

    Raises: KeyProblem when the stop list is kept under a key that this process does not know.
    """
    for stop in stops:
        if stop.reason not in SUPPRESSING:
            raise ValueError(f"{stop.reason} does not suppress")
        if stop.topic_id and not stop.list_id:
            raise ValueError("a topic without its list")
    if not stops:
        return [], version
    today = ctx.clock.now().date()
    rows = ctx.db.execute(WRITE, {
        "version": version, "mode": mode_in_force(ctx), "sample": sample, **_keys(stops),
        "days": [stop.day or today for stop in stops], "untils": [stop.until for stop in stops]})
    kept, required = [], version
    for row in rows:
        required = max(required, row.required)
        kept.append(Stop(row.channel, bytes(row.fingerprint), Reason(row.reason), row.list_id, row.topic_id, row.day,
                         row.until, version))
    if required == version:
        return kept, version
    ctx.db.execute(UNWRITE, _keys(kept))
    return _write(ctx, [replace(stop, fingerprint=ctx.sealer.layer_up(stop.fingerprint, version, required),
                                version=required) for stop in kept], required, sample=sample)


def _keys(stops: Sequence[Stop]) -> dict[str, list[Any]]:
    return {"channels": [stop.channel for stop in stops], "prints": [stop.fingerprint for stop in stops],
            "lists": [stop.list_id for stop in stops], "topics": [stop.topic_id for stop in stops],
            "reasons": [stop.reason for stop in stops]}


def _strictest(stops: Iterable[Stop]) -> list[Stop]:
    """One of each key, as one statement may touch a row but once: the one that lasts longest."""
    found: dict[tuple[object, ...], Stop] = {}
    for stop in stops:
        key = (stop.fingerprint, stop.channel, stop.reason, stop.list_id, stop.topic_id)
        held = found.get(key)
        if held is None or (held.until is not None and (stop.until is None or stop.until > held.until)):
            found[key] = stop
    return list(found.values())


def _detail(channel: str, fingerprint: bytes, reason: Reason, list_id: int, topic_id: int) -> dict[str, Any]:
    return {"channel": channel, "fingerprint": fingerprint.hex(), "reason": reason, "list_id": list_id,
            "topic_id": topic_id}


def _said(until: date | None) -> str | None:
    return until.isoformat() if until else None
