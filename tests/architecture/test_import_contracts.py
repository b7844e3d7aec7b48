"""Each import contract is shown to catch what it is there for."""

import re
import tomllib
from collections.abc import Mapping
from typing import Any

import pytest

from tests.architecture.conftest import House
from tests.architecture.rules import ROOT

SMS = '"""Texts."""'
PLANTED = [
    pytest.param({"mailer/lists/catalogue.py": "from flask import request"},
                 "Flask stops at the door", id="a domain module imports Flask"),
    pytest.param({"mailer/campaigns/launch.py": "import dramatiq"},
                 "The product does not know its workers", id="the product imports dramatiq"),
    pytest.param({"mailer/campaigns/launch.py": "from workers import jobs"},
                 "The product does not know its workers", id="the product imports its workers"),
    pytest.param({"mailer/core/reasons.py": "import sqlalchemy"},
                 "Core is values only", id="core imports a framework"),
    pytest.param({"mailer/campaigns/launch.py": "import smtplib"},
                 "Only a channel talks to a provider", id="a feature opens a socket to a mail server"),
    pytest.param({"mailer/campaigns/launch.py": "from mailer.channels.email import mime"},
                 "Channels are reached through the registry alone", id="a feature names a channel"),
    pytest.param({"mailer/channels/sms/__init__.py": SMS,
                  "mailer/channels/email/mime.py": "from mailer.channels import sms"},
                 "Channels are strangers to each other", id="a channel knows another"),
    pytest.param({"mailer/web/staff/home.py": "from mailer.outbox import dispatch"},
                 "No page and no command sends", id="a page imports dispatch"),
    pytest.param({"mailer/cli/campaign.py": "from mailer.outbox.dispatch import take_turn"},
                 "No page and no command sends", id="a command imports dispatch"),
    pytest.param({"mailer/campaigns/forecast.py": "from mailer.gate.decide import decide_singles"},
                 "Only the outbox asks the gate", id="somebody else asks the gate"),
    pytest.param({"mailer/web/staff/people/person.py": "from mailer.audience import reveal"},
                 "Sealed addresses are opened by the gate, for an export, and for an audited look",
                 id="a page opens an address"),
    pytest.param({"mailer/campaigns/launch.py": "from mailer.services import Services"},
                 "The power to send is held by entry points and the dispatcher", id="a feature holds every power"),
    pytest.param({"mailer/analytics/growth.py": "from mailer.audience.models import Person"},
                 "Reports know nobody", id="a report joins persons"),
    pytest.param({"mailer/audience/people.py": "from mailer.campaigns import models as campaigns"},
                 "One way down", id="a lower floor imports a higher one"),
    pytest.param({"mailer/vouchers/__init__.py": '"""Vouchers."""'},
                 "One way down", id="a package is missing from the list"),
    pytest.param({"mailer/lists/models.py": "from mailer.lists import catalogue"},
                 "No cycles anywhere", id="two modules import each other"),
]


def broken(said: str) -> set[str]:
    return set(re.findall(r"^(.+) BROKEN$", said, re.MULTILINE))


def contracts() -> list[Mapping[str, Any]]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        return list(tomllib.load(file)["tool"]["importlinter"]["contracts"])


def test_the_house_keeps_every_contract(house: House) -> None:
    said = house.lint({})
    assert not broken(said) and f"{len(contracts())} kept, 0 broken" in said, said


@pytest.mark.parametrize(("additions", "contract"), PLANTED)
def test_a_planted_violation_is_caught_by_its_contract(house: House, additions: dict[str, str], contract: str) -> None:
    said = house.lint(additions)
    assert contract in broken(said), said


def test_a_package_that_is_not_in_the_list_is_named(house: House) -> None:
    assert "vouchers" in house.lint({"mailer/vouchers/__init__.py": '"""Vouchers."""'})


def test_no_contract_is_left_unproven() -> None:
    assert {planted.values[1] for planted in PLANTED} == {contract["name"] for contract in contracts()}


def test_every_floor_stands_in_the_flask_contract_or_may_know_it() -> None:
    """Whoever adds a package says whether it may import Flask."""
    may_know_it = {"app", "cli", "wiring", "tables", "web", "services", "db", "settings", "keyfile", "_data"}
    named = {name.removeprefix("mailer.") for contract in contracts() if contract["id"] == "flask"
             for name in contract["source_modules"]}
    here = {path.stem for path in (ROOT / "mailer").iterdir()
            if path.suffix == ".py" or (path / "__init__.py").exists()} - {"__init__"}
    assert here <= named | may_know_it
