"""What arrives at the mail server is signed for its sender's domain, and an independent verifier says so."""

import pytest

from mailer.core.mail_signing import Algorithm
from mailer.organisation import dkim
from mailer.organisation.dkim_signers import READ_EVERY, StoredSigners
from tests.builders import World
from tests.channels.dkim_world import passes
from tests.flows.world import Sending

DOMAIN = "example.org"


def put_to_use(world: Sending, algorithm: Algorithm) -> dict[bytes, bytes]:
    """A key in use, and what somebody published for it."""
    with world.unit() as ctx:
        made = dkim.activate(ctx, dkim.make(ctx, DOMAIN, algorithm).id)
    return {(made.record.name + ".").encode(): made.record.value.encode()}


def arrived(world: Sending) -> list[bytes]:
    return [each.body for each in world.server.record.deliveries]


@pytest.mark.parametrize("algorithms", [["rsa"], ["ed25519"], ["rsa", "ed25519"]])
def test_every_message_of_a_campaign_arrives_with_signatures_that_hold(world: Sending, algorithms: list[str]) -> None:
    dns: dict[bytes, bytes] = {}
    for name in algorithms:
        dns |= put_to_use(world, Algorithm(name))
    world.people(40)
    world.turns_to_the_end(world.launched())
    taken = arrived(world)
    assert len(taken) == 40
    assert all(each.count(b"DKIM-Signature:") == len(algorithms) and passes(each, dns) for each in taken)


def test_a_confirmation_is_signed_too(world: Sending) -> None:
    dns = put_to_use(world, Algorithm.ED25519)
    house = World(world.services)
    listed = house.a_list()
    house.a_form(listed)
    house.asked("dana.ordinary@example.org", [listed.topics["Events"]])
    world.singles()
    (letter,) = arrived(world)
    assert passes(letter, dns)


def test_a_rotation_reaches_a_worker_that_runs_and_no_key_means_no_signature(world: Sending) -> None:
    unsigned = sent_to(world, "before")
    assert unsigned and not any(b"DKIM-Signature:" in each for each in unsigned)
    first = put_to_use(world, Algorithm.ED25519)
    assert all(passes(each, first) for each in sent_to(world, "first"))
    second = put_to_use(world, Algorithm.ED25519)
    taken = sent_to(world, "second")
    assert taken and all(passes(each, second) and not passes(each, first) for each in taken)


def sent_to(world: Sending, list_name: str) -> list[bytes]:
    """What a campaign to a few new people brings to the server, once the worker has looked for keys again."""
    signers = world.services.mail_signers
    assert isinstance(signers, StoredSigners)
    signers._read_at -= READ_EVERY
    before = len(arrived(world))
    world.people(3, list_name)
    world.turns_to_the_end(world.launched(list_name))
    return arrived(world)[before:]
