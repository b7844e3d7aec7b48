"""The powers of a command: those of the instance it works on, acting as the operator."""

from collections.abc import Iterator
from contextlib import contextmanager

from mailer import wiring
from mailer.cli import instance
from mailer.context import Context
from mailer.core.jobs import NoJobs
from mailer.services import Services, unit_of_work

OPERATOR = "operator"


def services() -> Services:
    """Built for one command; nudges are left to the ticker's sweep. Raises: NoInstance, DatabaseSilent, KeyProblem."""
    settings = instance.find()
    instance.wait_for_database(settings)
    return wiring.build(settings, wiring.open_engine(settings), NoJobs())


@contextmanager
def unit() -> Iterator[Context]:
    """One transaction, in the operator's name."""
    with unit_of_work(services(), actor=OPERATOR) as ctx:
        yield ctx
