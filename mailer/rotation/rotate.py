"""The steps of a rotation, in the order in which nobody on the stop list is ever missed (decision 17).

1. The key file gains a key that is known and not in use. 2. The database says that every process must know it; from
then on entries of the stop list are written under it, and the gate looks for older people under both. 3. Once no older
transaction runs, entries are brought up, until none is left. 4. Contact points are brought up. 5. The key is in use.
6. Everything else follows. Each step says by itself how far it came, so that it can be begun again after a kill.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from time import sleep

from sqlalchemy import text

from mailer import keyfile
from mailer.audit import trail
from mailer.context import Context
from mailer.core.tokens import Tokens
from mailer.core.vault import KeyRing
from mailer.organisation.profile import ensure_instance
from mailer.rotation import prints, wraps

BETWEEN_PASSES = 0.3
"""Seconds until rows that somebody held are tried again."""

LOOK_EVERY = 0.2
NOW = text("SELECT clock_timestamp()")
OLDER = text("""
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
      AND xact_start < :at
""")

Unit = Callable[[], AbstractContextManager[Context]]
Say = Callable[[str], None]


@dataclass(frozen=True)
class State:
    """How far keys and database are."""

    in_use: int
    latest: int
    required: int
    settled: int
    waiting: dict[str, int]
    """Rows and keys that are older than the key in use, by table."""

    @property
    def begun(self) -> bool:
        """Whether a rotation was begun and is not over; keys that do not open hold up no later one."""
        return self.latest != self.in_use or self.settled < self.in_use or bool(self.waiting.keys() & prints.TABLES)


def state(ctx: Context, ring: KeyRing) -> State:
    """How far a rotation is, or that none is under way."""
    instance = ensure_instance(ctx)
    ctx.sealer.knows_version(ring.latest)
    return State(ring.newest, ring.latest, instance.key_required, instance.key_settled,
                 prints.remaining(ctx, ring.newest) | wraps.remaining(ctx))


def add(path: Path, tokens: Tokens) -> KeyRing:
    """A new master key in the key file: known from now on, in use once everything is ready for it.

    One that somebody else added and that is not yet in use is taken as it is.
    """
    with keyfile.alone(path):
        ring = keyfile.load(path)
        if ring.latest == ring.newest:
            keys = {**ring.keys, ring.latest + 1: tokens.random_bytes(32)}
            keyfile.replace(path, KeyRing(keys, ring.newest), tokens)
        return keyfile.load(path)


def run(unit: Unit, path: Path, tokens: Tokens, say: Say) -> State:
    """Take the newest key of the key file into use, going on from wherever an earlier run ended. Raises: KeyProblem."""
    target = keyfile.load(path).latest
    require(unit, target)
    _after_older_transactions(unit)
    say("Bringing the stop list up …")
    settle(unit, target)
    say("Bringing people up …")
    _all_rows(unit, prints.CONTACT_POINTS, target)
    if _put_in_use(path, target, tokens):
        sleep(2 * keyfile.LOOK_EVERY)
        _after_older_transactions(unit)
    say("Bringing everything else up …")
    follow(unit, target)
    with unit() as ctx:
        trail.record(ctx, "keys_rotated", key=target)
    with unit() as ctx:
        return state(ctx, keyfile.load(path))


def _put_in_use(path: Path, target: int, tokens: Tokens) -> bool:
    """Whether the key file had to be changed for it; a key added meanwhile stays out of use."""
    with keyfile.alone(path):
        ring = keyfile.load(path)
        if ring.newest >= target:
            return False
        keyfile.replace(path, KeyRing(ring.keys, target), tokens)
        return True


def require(unit: Unit, target: int) -> None:
    """From the end of this on every process must know the key, or sends nothing."""
    with unit() as ctx:
        ctx.sealer.knows_version(target)
        instance = ensure_instance(ctx)
        if instance.key_required < target:
            instance.key_required, instance.key_check = target, ctx.sealer.key_check(target)
            trail.record(ctx, "key_required", key=target)


def settle(unit: Unit, target: int) -> None:
    """Bring every entry of the stop list to this version, and say so."""
    while _left(unit, "suppression", target):
        place: prints.Place | None = prints.FIRST
        while place is not None:
            with unit() as ctx:
                place = prints.layer_entries(ctx, target, place)
        sleep(BETWEEN_PASSES)
    with unit() as ctx:
        instance = ensure_instance(ctx)
        instance.key_settled = max(instance.key_settled, target)


def follow(unit: Unit, target: int) -> None:
    """Bring up what does not decide who is written to, and wrap keys under the key in use."""
    for table in (prints.CONTACT_POINTS, *prints.OTHERS):
        _all_rows(unit, table, target)
    for table_name in wraps.KEYS:
        place: int | None = 0
        while place is not None:
            with unit() as ctx:
                place = wraps.wrap_some(ctx, table_name, place)
    with unit() as ctx:
        wraps.seal_again(ctx)


def _all_rows(unit: Unit, table: prints.Table, target: int) -> None:
    """Passes over a table until nothing older is left, or a pass has changed nothing."""
    before = -1
    while (left := _left(unit, table.name, target)) and left != before:
        for _ in _pass(unit, table, target):
            continue
        before = left
        sleep(BETWEEN_PASSES)


def _pass(unit: Unit, table: prints.Table, target: int) -> Iterator[object]:
    place = None
    while True:
        with unit() as ctx:
            place = prints.layer_rows(ctx, table, target, place)
        if place is None:
            return
        yield place


def _left(unit: Unit, table: str, target: int) -> int:
    with unit() as ctx:
        return prints.left(ctx, table, target)


def _after_older_transactions(unit: Unit) -> None:
    """Until every transaction has ended that may have looked at the database before this."""
    with unit() as ctx:
        at = ctx.db.scalar(NOW)
    while True:
        with unit() as ctx:
            if not ctx.db.scalar(OLDER, {"at": at}):
                return
        sleep(LOOK_EVERY)
