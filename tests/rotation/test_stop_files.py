"""Stop lists that are read, stopped and written out while keys rotate: nobody is stored so that nobody matches."""

import json
from io import BytesIO

from sqlalchemy import select, text

from mailer.audience.models import ContactPoint
from mailer.core.reasons import Reason
from mailer.rotation import rotate
from mailer.services import Services
from mailer.subscriptions.stop_many import stop_many
from mailer.suppression import files, registry
from mailer.suppression.files import Means, Plain
from mailer.suppression.models import Suppression
from mailer.suppression.registry import Stop
from tests.rotation.test_rotate import STEPS, Unit, stopped, three
from tests.rotation.test_rotate import unit as unit


def read(services: Services, lines: str) -> list[Stop]:
    means = Means(services.sealer, services.channels, services.clock.now().date())
    return [stop for part in files.parts(BytesIO(lines.encode()), Plain(), means) for stop in part.stops]


def test_stops_that_were_read_before_the_key_turned_are_matched_after_it(services: Services, unit: Unit) -> None:
    stops = read(services, "plain@example.org")
    with unit() as ctx:
        registry.suppress(ctx, channel="email", fingerprint=ctx.sealer.fingerprint("email", "hashed@example.org"),
                          reason=Reason.ERASED)
    with unit() as ctx:
        [hashed] = files.written(ctx, "json")
        ctx.db.execute(text("TRUNCATE suppression"))
    stops += read(services, hashed)
    for name, step in STEPS:
        if name in ("add", "use"):
            step(services, unit)
    assert services.sealer.knows_version(2)
    with unit() as ctx:
        assert stop_many(ctx, stops, how="stop_file").new == 2
    rotate.run(unit, services.settings.key_file, services.tokens, lambda _: None)
    with unit() as ctx:
        assert set(ctx.db.scalars(select(Suppression.fingerprint))) == {
            ctx.sealer.fingerprint("email", f"{name}@example.org", 2) for name in ("plain", "hashed")}


def test_a_list_written_out_between_two_keys_is_read_in_again_whole(services: Services, unit: Unit) -> None:
    """Also by a process for which the newer key is known and not yet in use."""
    three(unit)
    rotate.add(services.settings.key_file, services.tokens)
    assert services.sealer.knows_version(2)
    with unit() as ctx:
        newer = ctx.sealer.fingerprint("email", "newer@example.org", 2)
        registry.suppress(ctx, channel="email", fingerprint=newer, reason=Reason.ERASED, version=2)
    with unit() as ctx:
        lines = list(files.written(ctx, "json"))
        assert {json.loads(each)["key"][:2] for each in lines} == {"1-", "2-"}
        ctx.db.execute(text("TRUNCATE suppression"))
    with unit() as ctx:
        assert stop_many(ctx, read(services, "\n".join(lines)), how="stop_file").new == len(lines)
        assert set(ctx.db.scalars(select(Suppression.fingerprint).where(Suppression.fingerprint_version == 2))
                   ) == {newer}
    rotate.run(unit, services.settings.key_file, services.tokens, lambda _: None)
    assert stopped(unit, "newer@example.org") == {"erased"}
    assert stopped(unit, "nobody@example.net") == {"unsubscribed"}


def test_many_that_are_stopped_are_found_where_their_rows_bear_a_newer_key(services: Services, unit: Unit) -> None:
    _, points = three(unit)
    stops = read(services, "turn1@example.org")
    for _, step in STEPS[:4]:
        step(services, unit)
    with unit() as ctx:
        assert ctx.db.get_one(ContactPoint, points[1].id).fingerprint_version == 2
        assert stop_many(ctx, stops, how="stop_file").ended > 0
