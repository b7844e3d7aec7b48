"""A slice whose commit nobody answered: whoever looks waits until it is over, and then sees whether it stands."""

from concurrent.futures import ThreadPoolExecutor
from time import sleep

import psycopg
import pytest

from mailer.outbox import claim, reap
from mailer.services import Services

STILL_COMMITTING = 0.4


@pytest.fixture
def driver(services: Services) -> str:
    return services.settings.database_url.replace("postgresql+psycopg://", "postgresql://")


def slices(driver: str) -> list[int]:
    with psycopg.connect(driver) as connection:
        return [number for (number,) in connection.execute("SELECT id FROM slice").fetchall()]


def put_back(driver: str, slice_id: int) -> None:
    with psycopg.connect(driver) as connection, connection.cursor() as cursor:
        reap.put_back(cursor, slice_id)


@pytest.mark.parametrize("stands", [True, False])
def test_a_slice_that_is_still_being_committed_is_waited_for(driver: str, stands: bool) -> None:
    """Its rows would be in nobody's hands: the process lives, and no reaper looks for what it holds (T5)."""
    with psycopg.connect(driver) as opening, opening.cursor() as cursor, ThreadPoolExecutor(1) as pool:
        slice_id = claim.open_slice(cursor, "worker1", None, None)
        back = pool.submit(put_back, driver, slice_id)
        sleep(STILL_COMMITTING)
        assert not back.done()
        if stands:
            opening.commit()
        else:
            opening.rollback()
        back.result(timeout=5)
    assert slices(driver) == []


def test_slices_are_opened_side_by_side(driver: str) -> None:
    with (psycopg.connect(driver) as one, psycopg.connect(driver) as two, one.cursor() as first,
          two.cursor() as second):
        opened = {claim.open_slice(first, "worker1", None, None), claim.open_slice(second, "worker2", None, None)}
    assert set(slices(driver)) == opened and len(opened) == 2
