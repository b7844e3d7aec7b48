"""What imports cannot show: each rule is proven on a planted violation, then run over the whole tree."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from tests.architecture import rules
from tests.architecture.rules import ROOT

Rule = Callable[[str], list[Any]]

MAKES_CLEARANCES = {"mailer/gate/decide.py"}
DELIVERS = {
    "mailer/outbox/dispatch.py": "campaigns",
    "mailer/outbox/send_singles.py": "single messages",
    "mailer/bench/instant.py": "a way out that goes nowhere, to measure what is left",
    "mailer/practice/transport.py": "a transport itself: Trial hands on to the real one what it was given",
}
ENTRY_POINTS = ("mailer/app.py", "mailer/wiring.py", "mailer/services.py", "mailer/cli/", "mailer/web/", "workers/")
OWNS_A_TRANSACTION = {
    "mailer/outbox/dispatch.py": "short transaction, network, short transaction",
    "mailer/outbox/reap.py": "settles one dead journal at a time, so that a bad one holds up none",
    "mailer/outbox/seat.py": "a sign of life stands on its own",
    "mailer/outbox/road.py": "the transaction of a slice",
    "mailer/outbox/send_singles.py": "short transaction, network, short transaction",
    "mailer/outbox/slices.py": "results are recorded while the wire goes on",
    "mailer/outbox/servers.py": "a server that failed is told to every process at once, whatever becomes of the slice",
    "mailer/practice/transport.py": "stands where a provider stands, outside every transaction",
}
IMPORTS_BY_NAME = {"mailer/channels/registry.py": "loads the channels that the settings name"}
HAVE_CODE = {"mailer/cli/__init__.py": "the entry point of the command `mailer`"}
LONG_MODULES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {
    "migrations/versions/0001_spine.py:upgrade": "the whole first schema, in the order in which it is made",
    "migrations/versions/0001_spine.py:downgrade": "the whole first schema, in the order in which it goes",
    "migrations/versions/0005_people_in_charge.py:upgrade": "tables that point at each other, in order",
}
WALKS = "tests/browser/"
"""A walk is one story from its first page to its last; cut up it would be signed in anew for every page."""
LONG_MIGRATIONS = {
    "migrations/versions/0001_spine.py": "the whole first schema is one revision",
    "migrations/versions/0005_people_in_charge.py": "the tables of a person's rights point at each other",
}

PLANTED: list[tuple[Rule, str]] = [
    (rules.clearances_made, "clearance = Clearance(1, 2, 3, 'email', address, 1.0)"),
    (rules.clearances_made, "clearance = channel.Clearance(1, 2, 3, 'email', address, 1.0)"),
    (rules.clearances_made, "from mailer.core.channel import Clearance as Leave\nleave = Leave(1, 2, 3)"),
    (rules.clearances_made, "later = replace(clearance, begin_before=2.0)"),
    (rules.clearances_made, "later = clearance._replace(begin_before=2.0)"),
    (rules.clearances_made, "later = parcel.clearance._replace(begin_before=2.0)"),
    (rules.clearances_made, "leave = Clearance._make(row)"),
    (rules.deliveries, "for outcome in transport.deliver(parcels, journal=journal, stopping=never): pass"),
    (rules.commits, "def join(ctx):\n    ctx.db.commit()"),
    (rules.commits, "def join(ctx):\n    with ctx.db.begin():\n        pass"),
    (rules.commits, "with connection.transaction():\n    pass"),
    (rules.imports_in_functions, "def verb(ctx):\n    from mailer.lists import forms"),
    (rules.imports_in_functions, "class A:\n    async def verb(self):\n        if self:\n            import json"),
    (rules.imports_by_name, "part = importlib.import_module('mailer.outbox.dispatch')"),
    (rules.imports_by_name, "part = __import__('flask')"),
    (rules.broad_handlers, "try:\n    pass\nexcept Exception:\n    pass"),
    (rules.broad_handlers, "try:\n    pass\nexcept:\n    pass"),
    (rules.unexplained_silences, "from x import y  # noqa: F401"),
    (rules.unexplained_silences, "x = y  # type: ignore[misc]"),
    (rules.long_functions, "def verb(ctx):\n" + "    ctx.nudge()\n" * 40),
]
ALLOWED: list[tuple[Rule, str]] = [
    (rules.commits, "def ask(ctx):\n    attempt = ctx.db.begin_nested()\n    attempt.commit()"),
    (rules.commits, "journal.begin(clearance)"),
    (rules.broad_handlers, "try:\n    pass\nexcept BaseException:\n    tidy()\n    raise"),
    (rules.unexplained_silences, "x = y  # type: ignore[misc] # This library has no types."),
    (rules.unexplained_silences, "run(argv)  # noqa: S603 (our own command)"),
    (rules.clearances_made, "def build(clearance: Clearance) -> bytes: ..."),
    (rules.clearances_made, "later = terms._replace(mode=mode)"),
    (rules.long_functions, "def verb(ctx):\n" + "    ctx.nudge()\n" * 39),
]


def found(rule: Rule, *packages: str, but: tuple[str, ...] = ()) -> dict[str, list[Any]]:
    """Where the tree breaks a rule, by module."""
    return {path: lines for path, source in rules.modules(*packages)
            if not path.startswith(but) and (lines := rule(source))}


@pytest.mark.parametrize(("rule", "source"), PLANTED)
def test_a_planted_violation_is_found(rule: Rule, source: str) -> None:
    assert rule(source)


@pytest.mark.parametrize(("rule", "source"), ALLOWED)
def test_what_is_right_is_left_alone(rule: Rule, source: str) -> None:
    assert not rule(source)


def test_clearances_are_made_by_the_gate_alone() -> None:
    assert set(found(rules.clearances_made)) == MAKES_CLEARANCES


def test_only_dispatch_delivers() -> None:
    assert set(found(rules.deliveries)) == set(DELIVERS)


def test_the_domain_never_commits() -> None:
    """Entry points own the transaction; each exception has its reason."""
    assert set(found(rules.commits, "mailer", but=ENTRY_POINTS)) == set(OWNS_A_TRANSACTION)


def test_no_function_imports() -> None:
    assert not found(rules.imports_in_functions, "mailer", "workers", "tests", "migrations")


def test_modules_are_loaded_by_name_in_the_registry_alone() -> None:
    assert set(found(rules.imports_by_name)) == set(IMPORTS_BY_NAME)


def test_no_handler_catches_everything() -> None:
    assert not found(rules.broad_handlers)


def test_every_silenced_checker_has_its_reason_beside_it() -> None:
    assert not found(rules.unexplained_silences)


@pytest.mark.parametrize(("line", "code"), [
    ("from datetime import datetime\nNOW = datetime.now()", "TID251"),
    ("import datetime\nNOW = datetime.datetime.utcnow()", "TID251"),
    ("import time\nNOW = time.time()", "TID251"),
    ("from uuid import uuid4\nNAME = uuid4()", "TID251"),
    ("import random\nNUMBER = random.random()", "TID251"),
    ("import secrets\nNAME = secrets.token_hex()", "TID251"),
    ("import os\nPORT = os.environ['PORT']", "TID251"),
    ("import os\nPORT = os.getenv('PORT')", "TID251"),
    ("from flask import current_app\nAPP = current_app.config", "TID251"),
    ("def verb():\n    import json\n    return json", "PLC0415"),
    ("try:\n    pass\nexcept Exception:\n    pass", "BLE001"),
])
def test_ruff_refuses_the_clock_chance_and_the_environment(line: str, code: str) -> None:
    """What every module must be handed, none may take for itself."""
    assert code in ruff("mailer/campaigns/planted.py", line)


@pytest.mark.parametrize(("path", "line"), [
    ("mailer/core/clock.py", "from datetime import UTC, datetime\n\nNOW = datetime.now(UTC)"),
    ("mailer/core/tokens.py", "import secrets\n\nNAME = secrets.token_hex()"),
    ("mailer/settings.py", "import os\n\nPORT = os.environ['PORT']"),
])
def test_the_one_file_of_each_power_may_use_it(path: str, line: str) -> None:
    assert "TID251" not in ruff(path, line)


def ruff(path: str, source: str) -> str:
    """What ruff says, by the project's own settings, of a file with this text."""
    run = subprocess.run([sys.executable, "-m", "ruff", "check", "--no-cache", "--stdin-filename", path, "-"], cwd=ROOT,
                         input=source, text=True, capture_output=True, check=False)
    return run.stdout


def test_no_module_has_more_than_300_lines() -> None:
    long = {path for path, source in rules.modules("mailer", "workers", "tests", "bench", "migrations")
            if rules.is_long(source)}
    assert long == set(LONG_MODULES) | set(LONG_MIGRATIONS)


def test_no_function_has_more_than_40_lines() -> None:
    long = {f"{path}:{name}" for path, source in rules.modules("mailer", "workers", "tests", "bench", "migrations")
            for _, name, _ in rules.long_functions(source) if not path.startswith(WALKS)}
    assert long == set(LONG_FUNCTIONS)


def test_each_package_says_in_one_docstring_what_it_is() -> None:
    wordy = {path for path, source in rules.modules("mailer", "workers")
             if path.endswith("__init__.py") and not rules.is_one_docstring(source)}
    assert wordy == set(HAVE_CODE)
    assert not rules.is_one_docstring("from mailer.lists import catalogue")
    assert not rules.is_one_docstring('"""Lists."""\nimport os')


def test_every_folder_of_modules_is_a_package() -> None:
    folders = {path.rsplit("/", 1)[0] for path, _ in rules.modules("mailer", "workers")}
    assert not [folder for folder in folders if not (ROOT / folder / "__init__.py").exists()]


def test_no_module_is_named_for_nothing_in_particular() -> None:
    assert rules.has_empty_name("mailer/outbox/utils.py") and rules.has_empty_name("mailer/helpers/text.py")
    assert not [path for path, _ in rules.modules("mailer", "workers", "tests") if rules.has_empty_name(path)]
