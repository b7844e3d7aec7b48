"""Signals to the processes of a whole instance, chosen by a seed."""

import random
import signal
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import psutil

from tests.chaos.sending import Sending, until
from tests.instance import Instance

RUN = "run"
ROLES = ("worker", "worker", "web", "ticker", "redis", "postgres", "backend", RUN)
"""Each as often as it stands here, whatever the number of its processes."""

MARKS = (("workers.main", "worker"), ("workers.ticker", "ticker"), ("mailer.cli web", "web"), ("valkey", "redis"),
         ("redis-server", "redis"), ("postgres:", "backend"), ("bin/postgres", "postgres"))


def role_of(process: psutil.Process, folder: str = "") -> str:
    """What it does, told by its command line; empty for one that has just ended or does not name this folder."""
    try:
        line = " ".join(process.cmdline())
    except psutil.Error:
        return ""
    return next((role for mark, role in MARKS if mark in line and folder in line), "")


def processes(instance: Instance, *roles: str) -> list[psutil.Process]:
    """Those of the instance that have one of these roles; servers that outlived a `mailer run` are no children."""
    assert instance.process is not None
    run = psutil.Process(instance.process.pid)
    ours = {each.pid: each for each in run.children(recursive=True)}
    for server in psutil.process_iter():
        if server.pid not in ours and role_of(server, str(instance.data_dir)) in ("postgres", "redis"):
            ours |= {each.pid: each for each in (server, *_children(server))}
    return [run] * (RUN in roles) + [each for each in ours.values() if role_of(each) in roles]


def _children(server: psutil.Process) -> list[psutil.Process]:
    try:
        return server.children()
    except psutil.NoSuchProcess:
        return []


def strike(process: psutil.Process, number: signal.Signals) -> None:
    """Signal it; one that has ended already is as good as struck."""
    try:
        process.send_signal(number)
    except psutil.NoSuchProcess:
        return


@dataclass
class Toll:
    """What was struck so far, by role."""

    struck: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return sum(self.struck.values())

    def most_unsure(self, connections: int, workers: int) -> int:
        """One for each connection open at a kill: a worker has its own, with `mailer run` all of them may go."""
        return connections * (self.struck["worker"] + workers * self.struck[RUN])


def kill_while_it_sends(instance: Instance, sending: Sending, people: int, kills: int, chance: random.Random,
                        signals: Sequence[signal.Signals] = (signal.SIGKILL,)) -> Toll:
    """Strike random processes at random moments of a campaign to so many people, each while messages still flow."""
    toll = Toll()
    for moment in sorted(chance.uniform(0.01, 0.95) * people for _ in range(kills)):
        sending.reaches(int(moment), seconds=120)
        _one(instance, chance, chance.choice(signals), toll)
        assert sending.count < people, "it had ended before the last kill"
    return toll


def several_at_once(instance: Instance, roles: Sequence[str], toll: Toll) -> None:
    """SIGKILL to one process of each role in the same moment."""
    victims = {role: processes(instance, role)[:1] for role in roles}
    for role, found in victims.items():
        for each in found:
            strike(each, signal.SIGKILL)
            toll.struck[role] += 1
    if RUN in roles:
        _again(instance)


def _one(instance: Instance, chance: random.Random, number: signal.Signals, toll: Toll) -> None:
    role = chance.choice(ROLES)
    until(lambda: bool(processes(instance, role)), 30)
    strike(chance.choice(processes(instance, role)), number)
    toll.struck[role] += 1
    if role == RUN:
        _again(instance)


def _again(instance: Instance) -> None:
    """Children are started again by `mailer run`, `mailer run` itself by whoever keeps it: here we do."""
    assert instance.process is not None
    instance.process.wait(timeout=30)
    instance.start()
